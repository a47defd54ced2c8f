//! What may come next in a filter of a table of runs that is still being written.

use super::{Field, Kind, Place, Scanner, picked};

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The name of what is compared.
    Name,
    /// How it is compared.
    Operator(Field),
    /// With what it is compared.
    Value(Field),
    /// Another clause.
    And,
}

/// The place where something is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The byte where it begins.
    pub from: usize,
    /// What may stand there.
    pub expected: Expected,
}

/// What is being written at the end of a text; `None` where the text before it cannot be read.
pub fn expected(text: &str) -> Option<Spot> {
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_space();
        let from = text.len() - scanner.rest.len();
        let spot = |expected| Some(Spot { from, expected });
        let name = picked(Kind::Table, Place::Filter, &mut scanner);
        if scanner.rest.is_empty() {
            return spot(Expected::Name);
        }
        let Ok(name) = name else { return is_open(&text[from..]).then(|| spot(Expected::Name))? };
        let had_space = scanner.rest.starts_with(char::is_whitespace);
        scanner.skip_space();
        let from = text.len() - scanner.rest.len();
        let spot = |expected| Some(Spot { from, expected });
        if !had_space && scanner.rest.chars().all(char::is_alphanumeric) {
            return None;
        }
        if scanner.rest.chars().all(|c| c.is_alphabetic() || c.is_whitespace()) && !scanner.ends_operator() {
            return spot(Expected::Operator(name.field));
        }
        if scanner.take_word("is") {
            scanner.skip_space();
            scanner.take_word("not");
            scanner.skip_space();
            scanner.take_word("null");
        } else {
            if scanner.operator().is_err() || (scanner.rest.is_empty() && !text.ends_with(' ')) {
                return spot(Expected::Operator(name.field));
            }
            scanner.skip_space();
            let from = text.len() - scanner.rest.len();
            let read = if scanner.rest.starts_with('(') {
                scanner.list().map(drop)
            } else if name.is_number {
                scanner.number("value").map(drop)
            } else {
                scanner.text("value").map(drop)
            };
            let is_number_open = name.is_number && scanner.rest.is_empty() && !text.ends_with(' ');
            if read.is_err() || is_number_open {
                let is_near = is_open(&text[from..]) || is_number_open;
                return is_near.then_some(Spot { from, expected: Expected::Value(name.field) });
            }
        }
        scanner.skip_space();
        let from = text.len() - scanner.rest.len();
        if !scanner.take_word("and") || scanner.rest.is_empty() {
            let is_begun = "and".starts_with(&text[from..].to_ascii_lowercase());
            return is_begun.then_some(Spot { from, expected: Expected::And });
        }
    }
}

/// True while nothing but one part has been begun: no space outside quotes.
fn is_open(text: &str) -> bool {
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(sign) if c == sign => quote = None,
            None if matches!(c, '\'' | '"' | '`') => quote = Some(c),
            None if c.is_whitespace() => return false,
            _ => {}
        }
    }
    true
}

impl Scanner<'_> {
    /// True if what is left is an operator in words with a space after it, so that a value follows, or
    /// one that needs no value.
    fn ends_operator(&self) -> bool {
        let words: Vec<_> = self.rest.split_whitespace().map(str::to_ascii_lowercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        matches!(words[..], ["like" | "ilike" | "in"] | ["not", "in"])
            && self.rest.ends_with(char::is_whitespace)
            || matches!(words[..], ["is", "null", ..] | ["is", "not", "null", ..])
    }
}

/// A key as it is written in a filter; `None` for one that cannot be.
pub fn written(entity: &str, key: &str) -> Option<String> {
    let is_plain = key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') && !key.is_empty();
    if is_plain {
        return Some(format!("{entity}.{key}"));
    }
    let sign = ['`', '"'].into_iter().find(|sign| !key.contains(*sign)).filter(|_| !key.is_empty())?;
    Some(format!("{entity}.{sign}{key}{sign}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_may_follow_is_told_by_what_is_there() {
        let auc = || Field::Metric("auc".to_owned());
        let depth = || Field::Param("depth".to_owned());
        for (text, from, expected) in [
            ("", 0, Some(Expected::Name)),
            ("  met", 2, Some(Expected::Name)),
            ("metrics.`a b", 0, Some(Expected::Name)),
            ("min(metrics.l", 0, Some(Expected::Name)),
            ("metrics.auc ", 12, Some(Expected::Operator(auc()))),
            ("metrics.auc >", 12, Some(Expected::Operator(auc()))),
            ("metrics.auc > ", 14, Some(Expected::Value(auc()))),
            ("metrics.auc > 0.", 14, Some(Expected::Value(auc()))),
            ("params.depth li", 13, Some(Expected::Operator(depth()))),
            ("params.depth like ", 18, Some(Expected::Value(depth()))),
            ("params.depth = 'a b", 15, Some(Expected::Value(depth()))),
            ("params.depth = '3' ", 19, Some(Expected::And)),
            ("params.depth is not null an", 25, Some(Expected::And)),
            ("metrics.auc > 0.5 and ", 22, Some(Expected::Name)),
            ("metrics.auc > 0.5 or x", 0, None),
            ("params.depth = 3 x", 0, None),
        ] {
            let found = super::expected(text);
            let wanted = expected.map(|expected| Spot { from, expected });
            assert_eq!(found, wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_beginning_of_a_text_is_answered(text in "[a-z`'\" .=<>()]{0,40}") {
            if let Some(spot) = super::expected(&text) {
                prop_assert!(text.is_char_boundary(spot.from));
            }
        }

        #[test]
        fn a_written_key_is_read_as_it_was(key in ".{1,20}") {
            if let Some(text) = written("params", &key) {
                prop_assert_eq!(super::super::parse_field(&text).ok(), Some(Field::Param(key)));
            }
        }
    }
}
