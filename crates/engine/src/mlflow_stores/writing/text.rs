//! The texts of a file store: YAML that any reader takes as it was meant, numbers as Python reads them.

use std::fmt::Write as _;

use store::Digest;
use store::tracking::Pair;

/// A `meta.yaml`, in the order in which its fields are given.
#[derive(Default)]
pub(super) struct Meta(String);

impl Meta {
    fn line(mut self, name: &str, value: &str) -> Self {
        let _ = writeln!(self.0, "{name}: {value}");
        self
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.line(name, &quoted(value))
    }

    pub(super) fn option_text(self, name: &str, value: Option<&str>) -> Self {
        self.line(name, &value.map_or_else(|| "null".to_owned(), quoted))
    }

    pub(super) fn number(self, name: &str, value: i64) -> Self {
        self.line(name, &value.to_string())
    }

    pub(super) fn option(self, name: &str, value: Option<i64>) -> Self {
        self.line(name, &value.map_or_else(|| "null".to_owned(), |value| value.to_string()))
    }

    /// An empty list.
    pub(super) fn list(self, name: &str) -> Self {
        self.line(name, "[]")
    }

    pub(super) fn map(mut self, name: &str, pairs: &[Pair]) -> Self {
        if pairs.is_empty() {
            return self.line(name, "{}");
        }
        let _ = writeln!(self.0, "{name}:");
        for (key, value) in pairs {
            let _ = writeln!(self.0, "  {}: {}", quoted(key), quoted(value));
        }
        self
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// A text in double quotes, in which everything that YAML might take for something else is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            // Letters of other languages as they are; marks, breaks and pictures by their numbers.
            c if c.is_alphanumeric() && (c as u32) < 0xd800 => out.push(c),
            c if (c as u32) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
        }
    }
    out.push('"');
    out
}

/// A number as Python reads it back, to the last bit.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("{value:?}") }
}

/// An id of 32 digits that is always the same for the same texts.
pub(super) fn id_of(texts: &[&str]) -> String {
    let mut all = String::new();
    for text in texts {
        let _ = write!(all, "{}:{text}", text.len());
    }
    Digest::of(all.as_bytes()).to_string().chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_it_is_one_line_of_yaml() {
        assert_eq!(quoted("plain: yes # no"), "\"plain: yes # no\"");
        assert_eq!(
            quoted("a\"b\\c\nd\u{7f}\u{2028}é\u{1f600}"),
            "\"a\\\"b\\\\c\\nd\\u007F\\u2028é\\U0001F600\""
        );
        assert!(!quoted("x\r\n\0y").contains(['\n', '\r', '\0']));
    }

    #[test]
    fn a_number_reads_back_to_the_last_bit() {
        for value in [0.1 + 0.2, 1e-300, -0.0, f64::MAX, 1.0, 123456789012345680.0] {
            let read: f64 = number(value).parse().expect("a number");
            assert_eq!(read.to_bits(), value.to_bits());
        }
        assert_eq!((number(f64::NAN), number(1.0)), ("nan".to_owned(), "1.0".to_owned()));
    }

    #[test]
    fn texts_that_are_cut_elsewhere_have_another_id() {
        assert_ne!(id_of(&["ab", "c"]), id_of(&["a", "bc"]));
        assert_eq!(id_of(&["a", "b"]).len(), 32);
    }
}
