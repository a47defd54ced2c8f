//! The frame of a page, and how text gets into it. Every report of Fettle looks like this.

use crate::schema::Kind;

const STYLE: &str = include_str!("style.css");

/// The whole document.
pub fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escaped(title)
    )
}

/// Text as content or attribute. Control characters, which HTML cannot hold, become a mark.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text cut at some characters.
pub(super) fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A sentence in which names stand in backticks.
pub(super) fn marked(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<b>{}</b>", escaped(part)) } else { escaped(part) })
        .collect()
}

/// A part of the page under its title; both are HTML already.
pub fn section(title: &str, body: &str) -> String {
    format!("\n<section><h2>{title}</h2>{body}</section>")
}

/// A figure with what it is below; both are HTML already.
pub fn tile(figure: &str, label: &str) -> String {
    format!("<div class=\"tile\"><b>{figure}</b><span>{label}</span></div>")
}

/// A word in a frame, of the class `good`, `warn`, `bad` or `soft`.
pub fn tag(class: &str, text: &str) -> String {
    format!("<span class=\"tag {class}\">{}</span>", escaped(text))
}

/// A share for people: nothing that exists is 0%, nothing that is incomplete is 100%.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.001 {
        "&lt;0.1%".to_owned()
    } else if share < 1.0 && share > 0.999 {
        "&gt;99.9%".to_owned()
    } else {
        format!("{}%", base::number((share * 1000.0).round() / 10.0, 4))
    }
}

/// A value of a column of this kind, to five digits or so; moments are kept as milliseconds.
pub(super) fn value(kind: Kind, value: f64) -> String {
    match kind {
        // A mean may fall between two milliseconds.
        Kind::Time => crate::page::time(value as i64 / 1000 * 1000),
        Kind::Integer
            if (1000.0..1e15).contains(&value.abs()) || value.fract() == 0.0 && value.abs() < 1e15 =>
        {
            let sign = if value < 0.0 { "−" } else { "" };
            format!("{sign}{}", base::count(value.abs().round() as u64))
        }
        Kind::Integer | Kind::Number | Kind::Boolean | Kind::Text => base::number(value, 5).replace('-', "−"),
    }
}
