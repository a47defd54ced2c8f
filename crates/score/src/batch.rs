//! Rows that go into a model and answers that come out: columns by name.

use base::{Error, Result};
use serde_json::Value as Json;

use crate::card::Kind;
use crate::moment::milliseconds;
use crate::tensor::{Element, Elements};

/// Rows for a model, column by column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// How many rows there are.
    pub rows: usize,
    /// The columns. One that stands for a whole matrix holds it row by row.
    pub columns: Vec<(String, Values)>,
}

/// The answers of a model, column by column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// How many rows there are.
    pub rows: usize,
    /// The columns. One with more values than rows is a matrix, row by row.
    pub columns: Vec<(String, Values)>,
}

impl Batch {
    /// The rows at these places, in this order; a place may be named more than once.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let take = |(name, values): &(String, Values)| {
            let width = values.len() / self.rows.max(1);
            let places: Vec<u32> = rows
                .iter()
                .flat_map(|row| (0..width as u32).map(move |at| row * width as u32 + at))
                .collect();
            (name.clone(), values.pick(&places))
        };
        Self { rows: rows.len(), columns: self.columns.iter().map(take).collect() }
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, values)| values)
    }

    /// The same rows with a column replaced by another one of the same length.
    #[must_use]
    pub fn with(&self, name: &str, values: Values) -> Self {
        let mut changed = self.clone();
        for (own, held) in &mut changed.columns {
            if own == name {
                held.clone_from(&values);
            }
        }
        changed
    }
}

impl Predictions {
    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, values)| values)
    }
}

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN is missing.
    F64(Vec<f64>),
    /// Numbers in single precision; NaN is missing.
    F32(Vec<f32>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Texts, where they are not missing.
    Text(Vec<Option<String>>),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values at these places, in this order.
    #[must_use]
    pub fn pick(&self, places: &[u32]) -> Self {
        fn pick<T: Clone>(values: &[T], places: &[u32]) -> Vec<T> {
            places.iter().map(|at| values[*at as usize].clone()).collect()
        }
        match self {
            Self::F64(values) => Self::F64(pick(values, places)),
            Self::F32(values) => Self::F32(pick(values, places)),
            Self::I64(values) => Self::I64(pick(values, places)),
            Self::Bool(values) => Self::Bool(pick(values, places)),
            Self::Text(values) => Self::Text(pick(values, places)),
        }
    }

    /// All of them as numbers; a text, and what is missing, is NaN.
    pub fn as_f64(&self) -> Vec<f64> {
        match self {
            Self::F64(values) => values.clone(),
            Self::F32(values) => values.iter().copied().map(f64::from).collect(),
            Self::I64(values) => values.iter().map(|value| *value as f64).collect(),
            Self::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
            Self::Text(values) => vec![f64::NAN; values.len()],
        }
    }

    /// The value at a place as JSON; missing and what JSON has no number for is null.
    pub fn json(&self, at: usize) -> Json {
        match self {
            Self::F64(values) => Json::from(values[at]),
            // Through the shortest decimal of the single-precision number: 0.1, not 0.10000000149.
            Self::F32(values) => {
                values[at].to_string().parse().map_or(Json::Null, |value: f64| Json::from(value))
            }
            Self::I64(values) => Json::from(values[at]),
            Self::Bool(values) => Json::from(values[at]),
            Self::Text(values) => Json::from(values[at].as_deref()),
        }
    }

    /// The column `name` of this kind from JSON values, in which null is missing.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] naming the column and the row that does not fit.
    pub fn from_json<'a>(name: &str, kind: Kind, values: impl Iterator<Item = &'a Json>) -> Result<Self> {
        Self::from_cells(name, kind, values.map(Cell::from))
    }

    /// The column `name` of this kind from what a client sent.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] naming the column and the row that does not fit.
    pub fn from_cells<'a>(name: &str, kind: Kind, cells: impl Iterator<Item = Cell<'a>>) -> Result<Self> {
        let rows = cells.enumerate();
        if kind == Kind::Text {
            let texts = rows.map(|(row, cell)| match cell {
                Cell::Missing => Ok(None),
                Cell::Text(text) => Ok(Some(text.to_owned())),
                other => Err(misfit(name, row, kind, &other.to_string())),
            });
            return Ok(Self::Text(texts.collect::<Result<_>>()?));
        }
        let numbers = rows.map(|(row, cell)| match cell {
            Cell::Missing => Ok(f64::NAN),
            Cell::Number(number) => Ok(number),
            Cell::Bool(truth) => Ok(f64::from(u8::from(truth))),
            Cell::Text(text) => parse(text, kind).ok_or_else(|| misfit(name, row, kind, text)),
            Cell::Nested => Err(misfit(name, row, kind, &cell.to_string())),
        });
        Ok(Self::F64(numbers.collect::<Result<_>>()?))
    }

    /// The elements of a graph's input.
    pub(crate) fn to_elements(&self, name: &str, kind: Kind, element: Element) -> Result<Elements> {
        match element {
            Element::F64 => Ok(Elements::F64(self.numbers(name, kind)?)),
            Element::F32 => {
                Ok(Elements::F32(self.numbers(name, kind)?.into_iter().map(|v| v as f32).collect()))
            }
            Element::I64 => Ok(Elements::I64(self.whole(name, kind)?)),
            Element::Bool => {
                Ok(Elements::Bool(self.whole(name, kind)?.into_iter().map(|value| value != 0).collect()))
            }
            Element::Text => match self {
                // A missing text goes into the graph as the empty one.
                Self::Text(values) => {
                    Ok(Elements::Text(values.iter().map(|text| text.clone().unwrap_or_default()).collect()))
                }
                Self::F64(_) | Self::F32(_) | Self::I64(_) | Self::Bool(_) => {
                    Err(Error::invalid(format!("the column `{name}` holds numbers, the model expects text"))
                        .hint(format!("send the values of `{name}` as text")))
                }
            },
        }
    }

    fn numbers(&self, name: &str, kind: Kind) -> Result<Vec<f64>> {
        Ok(match self {
            Self::F64(values) => values.clone(),
            Self::F32(values) => values.iter().copied().map(f64::from).collect(),
            Self::I64(values) => values.iter().map(|value| *value as f64).collect(),
            Self::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
            Self::Text(values) => {
                let numbers = values.iter().enumerate().map(|(row, text)| match text {
                    None => Ok(f64::NAN),
                    Some(text) => parse(text, kind).ok_or_else(|| misfit(name, row, kind, text)),
                });
                numbers.collect::<Result<_>>()?
            }
        })
    }

    fn whole(&self, name: &str, kind: Kind) -> Result<Vec<i64>> {
        if let Self::I64(values) = self {
            return Ok(values.clone());
        }
        let numbers = self.numbers(name, kind)?.into_iter().enumerate().map(|(row, value)| {
            // Nothing in a whole number can say that it is missing.
            let fits = value.fract() == 0.0 && value.abs() < 9.0e18;
            if fits { Ok(value as i64) } else { Err(misfit(name, row, Kind::Integer, &value.to_string())) }
        });
        numbers.collect()
    }
}

/// One value as a client sent it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Null.
    Missing,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// A list or an object, which fits nowhere.
    Nested,
}

impl<'a> From<&'a Json> for Cell<'a> {
    fn from(value: &'a Json) -> Self {
        match value {
            Json::Null => Self::Missing,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(text),
            Json::Array(_) | Json::Object(_) => Self::Nested,
        }
    }
}

impl std::fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("null"),
            Self::Bool(truth) => truth.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Nested => f.write_str("a list or object"),
        }
    }
}

impl From<Elements> for Values {
    fn from(elements: Elements) -> Self {
        match elements {
            Elements::F32(values) => Self::F32(values),
            Elements::F64(values) => Self::F64(values),
            Elements::I64(values) => Self::I64(values),
            Elements::Bool(values) => Self::Bool(values),
            Elements::Text(values) => Self::Text(values.into_iter().map(Some).collect()),
        }
    }
}

/// What a graph takes for a text in a column of numbers; of a time, its milliseconds since 1970.
fn parse(text: &str, kind: Kind) -> Option<f64> {
    let moment = if kind == Kind::Time { milliseconds(text) } else { None };
    moment.or_else(|| parse_number(text))
}

/// A number as people and CSV files write it; the empty text is missing.
fn parse_number(text: &str) -> Option<f64> {
    match text.trim() {
        "" => Some(f64::NAN),
        "true" | "True" | "TRUE" => Some(1.0),
        "false" | "False" | "FALSE" => Some(0.0),
        other => other.parse().ok(),
    }
}

fn misfit(name: &str, row: usize, kind: Kind, value: &str) -> Error {
    let shown: String = value.escape_debug().take(64).collect();
    let expected = match kind {
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Text => "text",
        Kind::Time => "a time",
    };
    Error::invalid(format!("column `{name}`, row {row}: `{shown}` is not {expected}"))
        .hint("rows are counted from 0; send null for a missing value")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_does_not_fit_is_named_with_its_column_and_row() {
        let values = json!([1, null, "abc"]);
        let error = Values::from_json("age", Kind::Number, values.as_array().expect("a list").iter())
            .expect_err("abc is no number");
        assert_eq!(error.message, "column `age`, row 2: `abc` is not a number");
        let text = json!(["a", 5]);
        let error = Values::from_json("island", Kind::Text, text.as_array().expect("a list").iter())
            .expect_err("5 is no text");
        assert_eq!(error.message, "column `island`, row 1: `5` is not text");
    }

    #[test]
    fn null_is_missing_and_numbers_may_come_as_text() {
        let values = json!([null, "2.5", true, 3]);
        let Ok(Values::F64(numbers)) =
            Values::from_json("x", Kind::Number, values.as_array().expect("a list").iter())
        else {
            panic!("numbers are numbers");
        };
        assert!(numbers[0].is_nan());
        assert_eq!(numbers[1..], [2.5, 1.0, 3.0]);
    }

    #[test]
    fn a_time_comes_as_a_text_or_as_milliseconds() {
        let values = json!(["1970-01-02", 86_400_000, "86400000", null]);
        let Ok(Values::F64(numbers)) =
            Values::from_json("day", Kind::Time, values.as_array().expect("a list").iter())
        else {
            panic!("times are numbers");
        };
        assert_eq!(numbers[..3], [86_400_000.0; 3]);
        assert!(numbers[3].is_nan());
        let wrong = json!(["yesterday"]);
        let error = Values::from_json("day", Kind::Time, wrong.as_array().expect("a list").iter());
        assert_eq!(error.expect_err("no time").message, "column `day`, row 0: `yesterday` is not a time");
    }

    #[test]
    fn single_precision_is_written_with_its_own_digits() {
        assert_eq!(Values::F32(vec![0.1]).json(0), json!(0.1));
        assert_eq!(Values::F32(vec![f32::NAN]).json(0), Json::Null);
    }
}
