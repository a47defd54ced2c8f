//! Values that parameters of several kinds of checks hold, and what they demand of columns.

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::Misfit;
use crate::schema::{Column, Kind};
use crate::table::TableFile;

/// An end of a range: a number, or a time such as `"2026-11-23"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Bound {
    /// A number.
    Number(f64),
    /// A time.
    Time(String),
}

impl Bound {
    /// The bound as a number that values of a column of this kind are compared with.
    pub(super) fn value(&self, column: &Column) -> Result<f64> {
        match (self, column.kind) {
            (Self::Number(value), Kind::Integer | Kind::Number) => Ok(*value),
            (Self::Time(text), Kind::Time) => moment(text).map(|ms| ms as f64),
            (_, Kind::Time) => Err(Error::invalid(format!("`{}` holds times", column.name))
                .hint("write the bound as a text, such as \"2026-11-23\"")),
            (_, kind) => {
                let word = kind.word();
                Err(Error::invalid(format!("`{}` is of the kind {word}, which has no range", column.name))
                    .hint("check a range of numbers with numbers, and one of times with times"))
            }
        }
    }

    /// The bound in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Number(value) => crate::page::number(*value),
            Self::Time(text) => text.clone(),
        }
    }
}

/// A value of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scalar {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// The value in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => crate::page::number(*value),
            Self::Text(text) => format!("`{text}`"),
        }
    }
}

/// The milliseconds of a time as a person writes it.
pub(super) fn moment(text: &str) -> Result<i64> {
    crate::import::iso_moment(text).ok_or_else(|| {
        Error::invalid(format!("`{text}` is not a time"))
            .hint("write a time such as 2026-11-23 or 2026-11-23 08:05:10")
    })
}

/// Fails if a parameter that must name a column names none.
pub(super) fn named(param: &str, column: &str) -> Result<(), Misfit> {
    if column.is_empty() {
        let error = Error::invalid(format!("there is no `{param}`"));
        return Err(Misfit::param(param, error.hint("name a column of the table")));
    }
    Ok(())
}

/// The column of a table, if its kind is one that the check can look at.
pub(super) fn column_of<'a>(table: &'a TableFile, name: &str, fits: &[Kind]) -> Result<&'a Column> {
    let column = table.meta().column(name)?;
    if fits.contains(&column.kind) {
        return Ok(column);
    }
    let words: Vec<&str> = fits.iter().map(|kind| kind.word()).collect();
    Err(Error::invalid(format!("`{name}` is of the kind {}", column.kind.word()))
        .hint(format!("this check looks at {} columns", words.join(" or "))))
}

/// The columns by name, or every visible one if none is named.
pub(super) fn columns_or_all(table: &TableFile, names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(table.meta().visible().map(|column| column.name.clone()).collect());
    }
    names.iter().map(|name| Ok(table.meta().column(name)?.name.clone())).collect()
}

/// Names of columns in a sentence.
pub(super) fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A share in words, such as `0.3%`.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", base::number(share * 100.0, 3))
}
