//! One JSON value (RFC 8259) as the flat cells of a row. Numbers keep their digits as text; what
//! lies in objects gets names such as `a.b`; an array is one cell of compact JSON. `NaN` and
//! `Infinity` are read too, because Python writes them.

use std::borrow::Cow;

use super::chunk::Origin;

/// Values nested deeper than this are refused.
const MAX_DEPTH: usize = 128;
/// The name of the only cell of a value that is no object and no array.
const ONLY_NAME: &str = "value";

/// Hands every cell of the value `text` to `visit`, with its name, its origin and its text.
///
/// # Errors
/// What is wrong with the value and at which byte, as one sentence.
pub(super) fn visit(text: &str, visit: &mut dyn FnMut(&str, Origin, &str)) -> Result<(), String> {
    let mut parser = Parser { text, at: 0 };
    let done = parser.row(visit).and_then(|()| {
        parser.space();
        if parser.at == text.len() { Ok(()) } else { Err("text follows the value") }
    });
    done.map_err(|what| format!("it is not valid JSON: {what} at character {}", parser.at + 1))
}

/// The text of a value that is a JSON string, such as a key.
pub(super) fn string(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    Parser { text: raw, at: 0 }.string()
}

type Parsed<T> = Result<T, &'static str>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn row(&mut self, visit: &mut dyn FnMut(&str, Origin, &str)) -> Parsed<()> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(&mut String::new(), 0, visit),
            Some(b'[') => {
                self.items(&mut |parser, at| parser.cell(&mut format!("column_{}", at + 1), 1, visit))
            }
            _ => self.cell(&mut ONLY_NAME.to_owned(), 0, visit),
        }
    }

    /// The members of an object whose name is `path`.
    fn object(
        &mut self,
        path: &mut String,
        depth: usize,
        visit: &mut dyn FnMut(&str, Origin, &str),
    ) -> Parsed<()> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        self.expect(b'{', "expected `{`")?;
        let length = path.len();
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.expect(b':', "expected `:`")?;
            if length > 0 {
                path.push('.');
            }
            path.push_str(&key);
            self.cell(path, depth, visit)?;
            path.truncate(length);
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',', "expected `,` or `}`")?;
        }
    }

    fn cell(
        &mut self,
        path: &mut String,
        depth: usize,
        visit: &mut dyn FnMut(&str, Origin, &str),
    ) -> Parsed<()> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(path, depth + 1, visit)?,
            Some(b'[') => {
                let mut compact = String::new();
                self.compact(&mut compact, depth + 1)?;
                visit(path, Origin::Text, &compact);
            }
            Some(b'"') => {
                let text = self.string()?;
                visit(path, Origin::Text, &text);
            }
            _ => match self.scalar()? {
                "null" | "NaN" => visit(path, Origin::Null, ""),
                "Infinity" => visit(path, Origin::Value, "inf"),
                "-Infinity" => visit(path, Origin::Value, "-inf"),
                value => visit(path, Origin::Value, value),
            },
        }
        Ok(())
    }

    /// The items of an array, each read by `item`, which is told its position.
    fn items(&mut self, item: &mut dyn FnMut(&mut Self, usize) -> Parsed<()>) -> Parsed<()> {
        self.expect(b'[', "expected `[`")?;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        for at in 0.. {
            self.space();
            item(self, at)?;
            self.space();
            if self.take(b']') {
                break;
            }
            self.expect(b',', "expected `,` or `]`")?;
        }
        Ok(())
    }

    /// Copies one value without the space between its parts.
    fn compact(&mut self, out: &mut String, depth: usize) -> Parsed<()> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        self.space();
        let start = self.at;
        match self.peek() {
            Some(b'[') => {
                out.push('[');
                self.items(&mut |parser, at| {
                    if at > 0 {
                        out.push(',');
                    }
                    parser.compact(out, depth + 1)
                })?;
                out.push(']');
            }
            Some(b'{') => self.compact_object(out, depth)?,
            Some(b'"') => {
                self.string()?;
                out.push_str(&self.text[start..self.at]);
            }
            _ => out.push_str(self.scalar()?),
        }
        Ok(())
    }

    fn compact_object(&mut self, out: &mut String, depth: usize) -> Parsed<()> {
        self.expect(b'{', "expected `{`")?;
        out.push('{');
        self.space();
        let mut is_first = true;
        while !self.take(b'}') {
            if !std::mem::take(&mut is_first) {
                self.expect(b',', "expected `,` or `}`")?;
                out.push(',');
            }
            self.space();
            let start = self.at;
            self.string()?;
            out.push_str(&self.text[start..self.at]);
            self.space();
            self.expect(b':', "expected `:`")?;
            out.push(':');
            self.compact(out, depth + 1)?;
            self.space();
        }
        out.push('}');
        Ok(())
    }

    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        self.expect(b'"', "expected a text in quotes")?;
        let start = self.at;
        let mut is_escaped = false;
        loop {
            match self.peek() {
                None => return Err("a text has no end"),
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.at += 2;
                }
                Some(0..0x20) => return Err("a control character stands in a text"),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        if !is_escaped {
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let quoted = &self.text[start - 1..self.at];
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| "a text has an escape that means nothing")
    }

    /// A number or one of the words.
    fn scalar(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.at..];
        for word in ["null", "true", "false", "NaN", "Infinity", "-Infinity"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        let length = number_length(rest.as_bytes()).ok_or("expected a value")?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { Err(otherwise) }
    }
}

/// How long the number is that the text begins with.
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && text[at] == b'0') {
        return None;
    }
    at += whole;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn cells(text: &str) -> Result<Vec<(String, Origin, String)>, String> {
        let mut cells = Vec::new();
        visit(text, &mut |name, origin, text| cells.push((name.to_owned(), origin, text.to_owned())))?;
        Ok(cells)
    }

    #[test]
    fn a_value_becomes_flat_cells_with_all_digits() {
        let text = r#" {"a": {"b": 12345678901234567890, "c": {}}, "d": [1, {"e" : "x y"}], "f": "\u00e9\n", "g": null} "#;
        let cell = |name: &str, origin, text: &str| (name.to_owned(), origin, text.to_owned());
        assert_eq!(
            cells(text),
            Ok(vec![
                cell("a.b", Origin::Value, "12345678901234567890"),
                cell("d", Origin::Text, r#"[1,{"e":"x y"}]"#),
                cell("f", Origin::Text, "é\n"),
                cell("g", Origin::Null, ""),
            ])
        );
        assert_eq!(
            cells("[1, -Infinity]").map(|c| c[1].clone()),
            Ok(cell("column_2", Origin::Value, "-inf"))
        );
        assert_eq!(cells("true"), Ok(vec![cell("value", Origin::Value, "true")]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, message) in [
            (r#"{"a" 1}"#, "expected `:` at character 6"),
            (r#"{"a": 01}"#, "expected a value at character 7"),
            (r#"{"a": 1"#, "expected `,` or `}` at character 8"),
            (r#"{"a": "x"#, "a text has no end at character 9"),
            (r#"{"a": 1} x"#, "text follows the value at character 10"),
            (r#"{"a": "\q"}"#, "a text has an escape that means nothing at character 11"),
        ] {
            assert_eq!(cells(text), Err(format!("it is not valid JSON: {message}")), "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(cells(&deep).is_err());
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert!(cells(&deep).is_err());
    }

    proptest! {
        #[test]
        fn it_takes_what_serde_takes(text in "[\\[\\]{}\",:0-9a-e.\\\\ -]{0,24}") {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            // Numbers beyond a double are errors of theirs only.
            if !text.contains('e') {
                prop_assert_eq!(cells(&text).is_ok(), theirs.is_ok(), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            prop_assert!(cells(&text).is_ok() || cells(&text).is_err());
        }
    }
}
