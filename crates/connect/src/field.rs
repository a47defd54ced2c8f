//! The fields of an answer as a server writes them in text, and the Arrow columns that they become.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Float32Builder, Float64Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{Datelike as _, NaiveDate, NaiveDateTime};

/// What a server says that a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Real,
    Double,
    Numeric,
    Boolean,
    Date,
    /// Without a zone.
    Moment,
    /// In UTC.
    Instant,
    Bytes,
    Text,
}

impl Kind {
    /// The type of the column; that of a `numeric` is known when all of it was seen.
    fn data_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Numeric | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Bytes => DataType::Binary,
        }
    }
}

/// A column of an answer, as much of it as is in memory.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Values that its type cannot hold.
    pub(crate) lost: u64,
    /// How many digits the numbers of a `numeric` have before and behind the point.
    pub(crate) digits: Digits,
    cells: Cells,
}

/// What all numbers of a `numeric` column fit in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) before: usize,
    pub(crate) behind: usize,
}

enum Cells {
    Integer(Int64Builder),
    Real(Float32Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
    Text(StringBuilder),
}

impl Column {
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        let cells = match kind {
            Kind::Integer => Cells::Integer(Int64Builder::new()),
            Kind::Real => Cells::Real(Float32Builder::new()),
            Kind::Double => Cells::Double(Float64Builder::new()),
            Kind::Boolean => Cells::Boolean(BooleanBuilder::new()),
            Kind::Date => Cells::Date(Date32Builder::new()),
            Kind::Moment => Cells::Time(TimestampMicrosecondBuilder::new()),
            Kind::Instant => Cells::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Bytes => Cells::Bytes(BinaryBuilder::new()),
            Kind::Numeric | Kind::Text => Cells::Text(StringBuilder::new()),
        };
        Self { name: name.to_owned(), kind, lost: 0, digits: Digits::default(), cells }
    }

    pub(crate) fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), true)
    }

    /// Adds a cell; false for one that is not written as its kind is, which no server does.
    pub(crate) fn push(&mut self, text: Option<&str>) -> bool {
        let is_numeric = self.kind == Kind::Numeric;
        let Some(text) = text else {
            self.push_missing();
            return true;
        };
        match &mut self.cells {
            Cells::Integer(cells) => text.parse().map(|value| cells.append_value(value)).is_ok(),
            Cells::Real(cells) => text.parse().map(|value| cells.append_value(value)).is_ok(),
            Cells::Double(cells) => text.parse().map(|value| cells.append_value(value)).is_ok(),
            Cells::Boolean(cells) => match text {
                "t" => {
                    cells.append_value(true);
                    true
                }
                "f" => {
                    cells.append_value(false);
                    true
                }
                _ => false,
            },
            Cells::Bytes(cells) => bytes(text).map(|value| cells.append_value(value)).is_some(),
            Cells::Text(cells) if is_numeric => match digits(text) {
                Some(found) => {
                    cells.append_value(text);
                    let Digits { before, behind } = &mut self.digits;
                    (*before, *behind) = ((*before).max(found.before), (*behind).max(found.behind));
                    true
                }
                None => self.lose(),
            },
            Cells::Text(cells) => {
                cells.append_value(text);
                true
            }
            Cells::Date(cells) => match date(text) {
                Some(days) => {
                    cells.append_value(days);
                    true
                }
                None => self.lose(),
            },
            Cells::Time(cells) => match moment(text) {
                Some(us) => {
                    cells.append_value(us);
                    true
                }
                None => self.lose(),
            },
        }
    }

    fn lose(&mut self) -> bool {
        self.lost += 1;
        self.push_missing();
        true
    }

    fn push_missing(&mut self) {
        match &mut self.cells {
            Cells::Integer(cells) => cells.append_null(),
            Cells::Real(cells) => cells.append_null(),
            Cells::Double(cells) => cells.append_null(),
            Cells::Boolean(cells) => cells.append_null(),
            Cells::Date(cells) => cells.append_null(),
            Cells::Time(cells) => cells.append_null(),
            Cells::Bytes(cells) => cells.append_null(),
            Cells::Text(cells) => cells.append_null(),
        }
    }

    /// The cells since the last time.
    pub(crate) fn take(&mut self) -> ArrayRef {
        match &mut self.cells {
            Cells::Integer(cells) => Arc::new(cells.finish()),
            Cells::Real(cells) => Arc::new(cells.finish()),
            Cells::Double(cells) => Arc::new(cells.finish()),
            Cells::Boolean(cells) => Arc::new(cells.finish()),
            Cells::Date(cells) => Arc::new(cells.finish()),
            Cells::Time(cells) => Arc::new(cells.finish()),
            Cells::Bytes(cells) => Arc::new(cells.finish()),
            Cells::Text(cells) => Arc::new(cells.finish()),
        }
    }
}

/// The digits of a number without an exponent; none for `NaN` and `Infinity`.
fn digits(text: &str) -> Option<Digits> {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (before, behind) = bare.split_once('.').unwrap_or((bare, ""));
    let is_number = !before.is_empty() && before.bytes().chain(behind.bytes()).all(|b| b.is_ascii_digit());
    let before = before.trim_start_matches('0').len();
    is_number.then_some(Digits { before, behind: behind.len() })
}

/// `\x` and two digits a byte.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(|two| if two.len() == 2 { pair(two) } else { None }).collect()
}

/// Days since 1970. Beyond four digits of a year the notation is another one.
fn date(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
    Some(date.num_days_from_ce() - 719_163)
}

/// Microseconds since 1970.
fn moment(text: &str) -> Option<i64> {
    let text = text.strip_suffix("+00").unwrap_or(text);
    let day = text.get(..10)?;
    date(day)?;
    let moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(moment.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_and_what_is_no_number_has_none() {
        let found = |text| digits(text).map(|digits| (digits.before, digits.behind));
        assert_eq!(found("-120.50"), Some((3, 2)));
        assert_eq!(found("0.001"), Some((0, 3)));
        assert_eq!([found("NaN"), found("Infinity"), found("1e5"), found("-")], [None; 4]);
    }

    #[test]
    fn moments_are_read_to_the_microsecond_and_within_four_digits_of_a_year() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(moment("1970-01-01 00:00:01.000002+00"), Some(1_000_002));
        assert_eq!(moment("1970-01-01 00:00:00"), Some(0));
        for wrong in ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"] {
            assert_eq!((date(wrong), moment(wrong)), (None, None), "{wrong}");
        }
        assert_eq!(moment("0044-03-15 12:00:00 BC"), None);
    }

    #[test]
    fn bytes_are_read_from_their_digits() {
        assert_eq!(bytes("\\x00ff"), Some(vec![0, 255]));
        assert_eq!(bytes("\\x"), Some(vec![]));
        assert_eq!([bytes("\\x0"), bytes("00"), bytes("\\xzz")], [const { None }; 3]);
    }

    #[test]
    fn what_a_type_cannot_hold_is_missing_and_counted() {
        let mut column = Column::new("x", Kind::Date);
        for text in [Some("2026-01-02"), Some("infinity"), None] {
            assert!(column.push(text));
        }
        assert_eq!((column.lost, column.take().null_count()), (1, 2));
        assert!(!Column::new("x", Kind::Integer).push(Some("one")), "no server writes that");
    }
}
