//! The list of columns, and a card for each.

use std::fmt::Write as _;

use base::count;

use super::charts::{histogram, spark};
use super::page::{cut, escaped, percent, tag, value};
use super::{MAX_FULL_COLUMNS, MAX_LISTED_COLUMNS};
use crate::drift::Level;
use crate::profile::{ColumnComparison, ColumnProfile, Comparison, Profile};
use crate::schema::Kind;

/// Cards that are open when the page is opened; of more, a reader chooses.
const MAX_OPEN: usize = 40;
/// Values that a card lists.
const MAX_VALUES: usize = 10;
/// A value is cut after this many characters, and a name after twice as many.
const MAX_CHARS: usize = 60;

/// A table of all columns.
pub(super) fn list(profile: &Profile) -> String {
    let mut rows = String::new();
    for (at, column) in profile.columns.iter().take(MAX_LISTED_COLUMNS).enumerate() {
        let name = escaped(&cut(&column.name, 2 * MAX_CHARS));
        let name = if at < MAX_FULL_COLUMNS { format!("<a href=\"#c{at}\">{name}</a>") } else { name };
        let about = if column.distinct_is_exact { "" } else { "≈ " };
        let middle = match (column.quantiles, column.top.first()) {
            (Some(quantiles), _) => value(column.kind, quantiles.p50),
            (None, Some(first)) => cut(&first.value, 24),
            (None, None) => String::new(),
        };
        // Writing to a string never fails.
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{name}</th><td>{}{}</td><td class=\"n\">{}</td><td class=\"n\">{about}{}</td>\
             <td>{}</td><td class=\"n\">{}</td></tr>",
            column.kind.word(),
            meaning(column)
                .map_or_else(String::new, |word| format!(" <span class=\"soft\">{}</span>", escaped(&word))),
            percent(missing_share(column)),
            count(column.distinct),
            spark(column),
            escaped(&middle)
        );
    }
    let hidden = profile.columns.len().saturating_sub(MAX_LISTED_COLUMNS);
    let more = if hidden > 0 {
        format!("<p class=\"soft\">{hidden} more columns are not listed.</p>")
    } else {
        String::new()
    };
    format!(
        "<div class=\"wrap\"><table><thead><tr><th scope=\"col\">column</th><th scope=\"col\">kind</th>\
         <th scope=\"col\" class=\"n\">missing</th><th scope=\"col\" class=\"n\">different</th><th scope=\"col\">values</th>\
         <th scope=\"col\" class=\"n\">median or most frequent</th></tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )
}

/// A card for each column.
pub(super) fn cards(profile: &Profile, comparison: Option<&Comparison>) -> String {
    let open = if profile.columns.len() <= MAX_OPEN { " open" } else { "" };
    let mut cards = String::new();
    for (at, column) in profile.columns.iter().take(MAX_FULL_COLUMNS).enumerate() {
        let compared = comparison.and_then(|c| c.columns.iter().find(|c| c.after.name == column.name));
        // As above.
        let _ = write!(
            cards,
            "\n<details id=\"c{at}\"{open}><summary><h3>{}</h3>{}</summary><div class=\"body\">{}{}{}</div></details>",
            escaped(&cut(&column.name, 2 * MAX_CHARS)),
            tags(column, compared),
            picture(column, compared),
            figures(column, compared.map(|c| &c.before)),
            values(column)
        );
    }
    let hidden = profile.columns.len().saturating_sub(MAX_FULL_COLUMNS);
    if hidden > 0 {
        let _ = write!(cards, "<p class=\"soft\">{hidden} more columns are in the list above only.</p>");
    }
    cards
}

fn tags(column: &ColumnProfile, compared: Option<&ColumnComparison>) -> String {
    let mut tags = tag("", column.kind.word());
    if let Some(word) = meaning(column) {
        tags.push_str(&tag("", &word));
    }
    if column.is_personal() {
        tags.push_str(&tag("bad", "personal data"));
    }
    if column.is_constant() {
        tags.push_str(&tag("warn", "one value"));
    }
    if column.is_unique() {
        tags.push_str(&tag("", "unique"));
    }
    match compared.map(|compared| compared.drift.level) {
        Some(Level::Alarm) => tags.push_str(&tag("bad", "moved a lot")),
        Some(Level::Warning) => tags.push_str(&tag("warn", "moved")),
        Some(Level::None) | None => {}
    }
    tags
}

fn meaning(column: &ColumnProfile) -> Option<String> {
    let meaning = column.meaning?;
    let word = meaning.semantic.title();
    Some(if meaning.share < 1.0 {
        format!("{word} ({}%)", (meaning.share * 100.0).floor())
    } else {
        word.to_owned()
    })
}

fn picture(column: &ColumnProfile, compared: Option<&ColumnComparison>) -> String {
    let drawn = histogram(column, compared.map(|compared| &compared.before));
    let Some(drawn) = drawn else {
        let words = if column.count == 0 { "Every value is missing." } else { "" };
        return format!("<div class=\"soft\">{words}{}</div>", text_figure(column));
    };
    let key = if compared.is_some() {
        "<p class=\"soft\"><span style=\"color:var(--bar)\">■</span> now \
         <span style=\"color:var(--then)\">▬</span> before</p>"
    } else {
        ""
    };
    format!("<div>{drawn}{key}</div>")
}

/// What can be said of texts in place of a histogram.
fn text_figure(column: &ColumnProfile) -> String {
    let Some(lengths) = column.lengths else { return String::new() };
    if lengths.min == lengths.max {
        return format!("Every text has {} characters.", count(lengths.min));
    }
    format!(
        "Texts have {} to {} characters, {} on average.",
        count(lengths.min),
        count(lengths.max),
        base::number(lengths.mean, 3)
    )
}

fn figures(column: &ColumnProfile, before: Option<&ColumnProfile>) -> String {
    let number = |v: Option<f64>| v.map(|v| value(column.kind, v));
    let quantile =
        |which: fn(&crate::profile::Quantiles) -> f64| number(column.quantiles.as_ref().map(which));
    let mut lines: Vec<(&str, Option<String>)> = vec![
        ("present", Some(count(column.count))),
        ("missing", Some(format!("{} ({})", count(column.missing), percent(missing_share(column))))),
        ("different", Some(count(column.distinct))),
        ("mean", number(column.mean)),
        ("deviation", column.std.filter(|_| column.kind != Kind::Time).map(|std| value(Kind::Number, std))),
        ("smallest", number(column.min)),
        ("5%", quantile(|q| q.p05)),
        ("25%", quantile(|q| q.p25)),
        ("median", quantile(|q| q.p50)),
        ("75%", quantile(|q| q.p75)),
        ("95%", quantile(|q| q.p95)),
        ("largest", number(column.max)),
        ("zero", some(column.zeros)),
        ("negative", some(column.negatives)),
        ("infinite", some(column.infinite)),
        ("true", column.true_share.map(percent)),
    ];
    if let Some(before) = before {
        lines.push(("missing before", Some(percent(missing_share(before)))));
        lines.push(("mean before", before.mean.map(|mean| value(column.kind, mean))));
    }
    // Without values beside them, figures take their place.
    let mut out = String::from(if has_values(column) { "<dl>" } else { "<dl class=\"wide\">" });
    for (label, text) in lines {
        if let Some(text) = text {
            // As above. Shares are written as HTML already.
            let _ = write!(out, "<dt>{label}</dt><dd>{text}</dd>");
        }
    }
    out.push_str("</dl>");
    out
}

fn some(count_of: u64) -> Option<String> {
    (count_of > 0).then(|| count(count_of))
}

/// True if some values are frequent.
fn has_values(column: &ColumnProfile) -> bool {
    !column.top.is_empty() && (column.distinct < column.count || column.count == 1)
}

/// The most frequent values.
fn values(column: &ColumnProfile) -> String {
    if !has_values(column) {
        return String::new();
    }
    let mut out = String::from("<ol class=\"values\">");
    for entry in column.top.iter().take(MAX_VALUES) {
        let share = entry.count as f64 / column.count.max(1) as f64;
        let text = if entry.value.is_empty() { "(empty)".to_owned() } else { cut(&entry.value, MAX_CHARS) };
        // As above.
        let _ = write!(
            out,
            "<li style=\"--w:{:.1}%\"><span>{}</span><span>{}</span></li>",
            share * 100.0,
            escaped(&text),
            percent(share)
        );
    }
    let shown: u64 = column.top.iter().take(MAX_VALUES).map(|entry| entry.count).sum();
    let rest = column.count.saturating_sub(shown);
    if rest > 0 && column.distinct > MAX_VALUES as u64 {
        let share = percent(rest as f64 / column.count as f64);
        let _ =
            write!(out, "<li style=\"--w:0%\" class=\"soft\"><span>others</span><span>{share}</span></li>");
    }
    out.push_str("</ol>");
    out
}

pub(super) fn missing_share(column: &ColumnProfile) -> f64 {
    let all = column.count + column.missing;
    if all == 0 { 0.0 } else { column.missing as f64 / all as f64 }
}
