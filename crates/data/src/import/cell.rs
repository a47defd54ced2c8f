//! What one cell says: whether it is missing, a whole number, a number, a truth value, a moment
//! or a text. It never rounds silently: digits that a number could not keep are reported, and
//! `00123` is an id, not a number.

use super::chunk::Origin;
use super::moment::{Moment, moment};
use super::options::ParseOptions;

/// The kind of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Class {
    /// Empty, or one of the words for missing.
    Missing,
    /// A quoted empty cell or word that the options call a text.
    QuotedMissing,
    /// A mark such as `-` that means missing in a column of numbers.
    Mark,
    /// A whole number of 64 bits.
    Integer(i64),
    /// A whole number beyond 64 bits, or one whose digits a floating point number cannot keep.
    BigInteger { value: f64, is_exact: bool },
    /// A number with a fraction or an exponent.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A date or a timestamp.
    Time(Moment),
    /// Anything else.
    Text,
}

/// Words that mean missing only where the rest of the column is not text.
const MARKS: [&str; 8] = ["-", "--", ".", "..", "*", "None", "none", "missing"];

/// Reads cells the way one set of options says.
#[derive(Debug, Clone)]
pub(super) struct CellReader {
    missing: Vec<String>,
    // The bytes that words for missing begin with: nearly every cell is told by its first.
    begins_missing: [bool; 256],
    quoted_missing: bool,
    marks: NumberMarks,
}

/// The marks within a number.
#[derive(Debug, Clone, Copy)]
struct NumberMarks {
    decimal: u8,
    thousands: Option<char>,
}

/// Numbers as formats write them that have a kind for numbers.
const PLAIN_MARKS: NumberMarks = NumberMarks { decimal: b'.', thousands: None };

impl CellReader {
    pub(super) fn new(options: &ParseOptions) -> Self {
        let missing: Vec<String> = options.missing.iter().filter(|word| !word.is_empty()).cloned().collect();
        let mut begins_missing = [false; 256];
        missing.iter().for_each(|word| begins_missing[usize::from(word.as_bytes()[0])] = true);
        Self {
            missing,
            begins_missing,
            quoted_missing: options.quoted_missing,
            marks: NumberMarks { decimal: options.decimal as u8, thousands: options.thousands },
        }
    }

    /// True for a cell that is missing in a text column.
    pub(super) fn is_missing(&self, text: &str, origin: Origin) -> bool {
        match origin {
            Origin::Bare => self.is_missing_word(text),
            Origin::Quoted => self.quoted_missing && self.is_missing_word(text),
            Origin::Value | Origin::Text => false,
            Origin::Null => true,
        }
    }

    fn is_missing_word(&self, text: &str) -> bool {
        match text.as_bytes().first() {
            None => true,
            Some(first) => {
                self.begins_missing[usize::from(*first)] && self.missing.iter().any(|word| word == text)
            }
        }
    }

    /// What the cell is.
    pub(super) fn class(&self, text: &str, origin: Origin) -> Class {
        match origin {
            Origin::Bare => self.untyped(text, false),
            Origin::Quoted => self.untyped(text, true),
            Origin::Value => value(text),
            Origin::Text => typed_text(text),
            Origin::Null => Class::Missing,
        }
    }

    /// What the cell is in a column whose kind the user set: a text may be a number there.
    pub(super) fn wanted_class(&self, text: &str, origin: Origin) -> Class {
        match origin {
            Origin::Text => self.untyped(text, false),
            Origin::Bare | Origin::Quoted | Origin::Value | Origin::Null => self.class(text, origin),
        }
    }

    fn untyped(&self, text: &str, is_quoted: bool) -> Class {
        let trimmed = trim(text);
        if trimmed.is_empty() || self.is_missing_word(trimmed) {
            let is_text = is_quoted && !self.quoted_missing;
            return if is_text { Class::QuotedMissing } else { Class::Missing };
        }
        let first = trimmed.as_bytes()[0];
        match first {
            b'0'..=b'9' | b'+' | b'-' | b'.' | b',' => number(trimmed, self.marks),
            b't' | b'T' | b'f' | b'F' => boolean(trimmed).map(Class::Boolean),
            b'i' | b'I' => infinity(trimmed).map(Class::Number),
            _ => None,
        }
        .or_else(|| moment(trimmed).map(Class::Time))
        .unwrap_or(if MARKS.contains(&trimmed) { Class::Mark } else { Class::Text })
    }

    /// The truth value of a cell of a column that the user called boolean.
    pub(super) fn as_boolean(&self, text: &str) -> Option<bool> {
        let word = text.trim().to_lowercase();
        match word.as_str() {
            "true" | "t" | "yes" | "y" | "1" | "on" | "ja" | "oui" | "si" | "sí" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "off" | "nein" | "non" => Some(false),
            _ => None,
        }
    }
}

/// Without spaces around it, the one that does not break among them.
fn trim(text: &str) -> &str {
    let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
    // U+00A0 is the bytes C2 A0.
    let is_clean = !matches!(first, Some(b' ' | b'\t' | 0xC2)) && !matches!(last, Some(b' ' | b'\t' | 0xA0));
    if is_clean { text } else { text.trim_matches([' ', '\t', '\u{a0}']) }
}

/// A value of a format that tells numbers, truth values and times from texts.
fn value(text: &str) -> Class {
    let first = text.as_bytes().first();
    first
        .and_then(|first| match first {
            b'0'..=b'9' | b'+' | b'-' | b'.' => number(text, PLAIN_MARKS),
            b't' | b'T' | b'f' | b'F' => boolean(text).map(Class::Boolean),
            b'i' | b'I' => infinity(text).map(Class::Number),
            _ => None,
        })
        .or_else(|| moment(text).map(Class::Time))
        .unwrap_or(Class::Text)
}

/// A text of such a format. JSON and SQLite have no dates, so texts that can only be read in one
/// way as a moment are one; nothing else in a text is a number or a truth value.
fn typed_text(text: &str) -> Class {
    if text.is_empty() {
        return Class::QuotedMissing;
    }
    let is_certain = |moment: &Moment| moment.day_first == moment.month_first;
    match moment(text).filter(is_certain) {
        Some(moment) => Class::Time(moment),
        None if MARKS.contains(&text) => Class::Mark,
        None => Class::Text,
    }
}

/// A number with these marks.
fn number(text: &str, marks: NumberMarks) -> Option<Class> {
    let bytes = text.as_bytes();
    // The plain case first: a short run of digits.
    let digits = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+")).unwrap_or(bytes);
    if digits.is_empty() {
        return None;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        return whole(text, digits);
    }
    if digits[0].is_ascii_alphabetic() {
        return infinity(text).map(Class::Number);
    }
    if marks.decimal == b'.' && is_plain_fraction(digits) {
        return text.parse().ok().map(Class::Number);
    }
    let mut plain = String::with_capacity(text.len());
    marks.normalise(text, &mut plain)?;
    let body = plain.trim_start_matches(['+', '-']);
    if body.bytes().all(|b| b.is_ascii_digit()) {
        return whole(&plain, body.as_bytes());
    }
    // `00.5` is an id or a code, as `005` is.
    let leading = body.bytes().take_while(u8::is_ascii_digit).count();
    if leading > 1 && body.starts_with('0') {
        return None;
    }
    plain.parse::<f64>().ok().map(Class::Number)
}

/// True for `12.5`: digits, a point, digits, and no zero before the digits. What else is a number is
/// found by the longer way.
fn is_plain_fraction(digits: &[u8]) -> bool {
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_code = whole > 1 && digits[0] == b'0';
    whole > 0 && !is_code && digits.get(whole) == Some(&b'.') && {
        let fraction = &digits[whole + 1..];
        !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)
    }
}

impl NumberMarks {
    /// Writes a number with its own marks as `[+-]digits[.digits][e[+-]digits]`, or nothing if
    /// it is not one.
    fn normalise(&self, text: &str, out: &mut String) -> Option<()> {
        let (mut digits, mut group, mut groups) = (0_usize, 0_usize, 0_usize);
        let mut is_whole_part = true;
        let mut exponent_at = None;
        for (at, c) in text.char_indices() {
            if let Some(start) = exponent_at {
                let is_sign = matches!(c, '+' | '-') && at == start;
                if !is_sign && !c.is_ascii_digit() {
                    return None;
                }
                out.push(c);
            } else if c.is_ascii_digit() {
                digits += 1;
                group += 1;
                out.push(c);
            } else if matches!(c, '+' | '-') && at == 0 {
                out.push(c);
            } else if c == char::from(self.decimal) && is_whole_part {
                if groups > 0 && group != 3 {
                    return None;
                }
                is_whole_part = false;
                out.push('.');
            } else if matches!(c, 'e' | 'E') && digits > 0 {
                exponent_at = Some(at + 1);
                out.push('e');
            } else if self.is_thousands(c) && is_whole_part {
                let fits = if groups == 0 { (1..=3).contains(&group) } else { group == 3 };
                if !fits {
                    return None;
                }
                groups += 1;
                group = 0;
            } else {
                return None;
            }
        }
        let ends_well = out.ends_with(|c: char| c.is_ascii_digit() || c == '.');
        let groups_fit = groups == 0 || !is_whole_part || group == 3;
        (digits > 0 && ends_well && groups_fit).then_some(())
    }

    fn is_thousands(&self, c: char) -> bool {
        match self.thousands {
            // A space between groups may be any of three.
            Some(' ') => matches!(c, ' ' | '\u{a0}' | '\u{202f}'),
            Some(mark) => c == mark,
            None => false,
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn infinity(text: &str) -> Option<f64> {
    let (sign, word) = match text.as_bytes()[0] {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let is_infinity = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity");
    is_infinity.then_some(sign * f64::INFINITY)
}

/// A run of digits with an optional sign.
fn whole(text: &str, digits: &[u8]) -> Option<Class> {
    if digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    if let Ok(value) = text.parse::<i64>() {
        return Some(Class::Integer(value));
    }
    let value: f64 = text.parse().ok()?;
    // Rust prints every digit of a whole floating point number, so equal text means nothing lost.
    let is_exact = format!("{:.0}", value.abs()).as_bytes() == digits;
    Some(Class::BigInteger { value, is_exact })
}

/// True if a 64 bit integer keeps its digits as a floating point number.
pub(super) fn fits_number(value: i64) -> bool {
    value.unsigned_abs() <= 1 << 53 || {
        let float = value as f64;
        // 2^63 itself would saturate back to i64::MAX.
        float.abs() < 9.2e18 && float as i64 == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(decimal: char, thousands: Option<char>) -> CellReader {
        CellReader::new(&ParseOptions { decimal, thousands, ..ParseOptions::default() })
    }

    #[test]
    fn numbers_are_read_with_all_their_digits_or_not_at_all() {
        let r = reader('.', None);
        let class = |text| r.class(text, Origin::Bare);
        assert_eq!(class("42"), Class::Integer(42));
        assert_eq!(class(" +5 "), Class::Integer(5));
        assert_eq!(class("-9223372036854775808"), Class::Integer(i64::MIN));
        assert_eq!(class("1e5"), Class::Number(1e5));
        assert_eq!(class(".5"), Class::Number(0.5));
        assert_eq!(class("5."), Class::Number(5.0));
        assert_eq!(class("-inf"), Class::Number(f64::NEG_INFINITY));
        assert_eq!(class("10000000000000000000"), Class::BigInteger { value: 1e19, is_exact: true });
        assert!(matches!(class("12345678901234567890"), Class::BigInteger { is_exact: false, .. }));
        for text in
            ["007", "00.5", "0x1F", "(5)", "5-", "1,5", "1e", "1e+", "--5", "1.2.3", "$5", "12%", "1 2"]
        {
            assert!(matches!(class(text), Class::Text), "{text}: {:?}", class(text));
        }
    }

    #[test]
    fn marks_of_other_countries_are_read_when_the_options_name_them() {
        assert_eq!(reader(',', Some('.')).class("1.234.567,5", Origin::Bare), Class::Number(1_234_567.5));
        assert_eq!(reader(',', Some('.')).class("1.234", Origin::Bare), Class::Integer(1234));
        assert_eq!(reader('.', Some(' ')).class("1\u{a0}234", Origin::Bare), Class::Integer(1234));
        assert_eq!(reader('.', Some('\'')).class("1'234.5", Origin::Bare), Class::Number(1234.5));
        for text in ["1,23", "12,3456", ",123", "1,,234"] {
            assert_eq!(reader('.', Some(',')).class(text, Origin::Bare), Class::Text, "{text}");
        }
    }

    #[test]
    fn missing_is_told_apart_from_a_quoted_text() {
        let r = reader('.', None);
        assert_eq!(r.class("", Origin::Bare), Class::Missing);
        assert_eq!(r.class("NA", Origin::Bare), Class::Missing);
        assert_eq!(r.class("", Origin::Quoted), Class::QuotedMissing);
        assert_eq!(r.class("-", Origin::Bare), Class::Mark);
        assert_eq!(r.class("True", Origin::Bare), Class::Boolean(true));
        assert_eq!(r.class("yes", Origin::Bare), Class::Text);
        assert_eq!(r.as_boolean("Ja"), Some(true));
    }

    #[test]
    fn a_text_of_a_typed_format_is_a_moment_or_a_text_unless_a_kind_is_set() {
        let r = reader(',', None);
        assert!(matches!(r.class("2026-01-02", Origin::Text), Class::Time(_)));
        for text in ["12", "true", "NA", "03/04/2026"] {
            assert_eq!(r.class(text, Origin::Text), Class::Text, "{text}");
        }
        assert_eq!(r.wanted_class("1,5", Origin::Text), Class::Number(1.5));
        assert_eq!(r.class("1.5", Origin::Value), Class::Number(1.5));
        assert_eq!(r.class("-7", Origin::Value), Class::Integer(-7));
        assert_eq!(r.class("x", Origin::Null), Class::Missing);
        assert!(r.is_missing("x", Origin::Null) && !r.is_missing("NA", Origin::Text));
    }

    #[test]
    fn an_integer_knows_whether_a_float_keeps_it() {
        assert!(fits_number(1 << 53) && fits_number(-(1 << 60)));
        assert!(!fits_number((1 << 53) + 1) && !fits_number(i64::MAX));
    }
}
