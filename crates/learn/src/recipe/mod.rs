//! Fitted transforms from raw columns to features. They are part of the model: the same
//! operations, in the same order and on the same 64 bit numbers, are applied to a table here and
//! written into the model's graph by [`lower`], so serving sees what training saw.

mod apply;
mod cells;
mod expression;
mod fit;
pub(crate) mod lower;
#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use base::{Error, Result};
use data::expr::Expr;
use data::{Column, HIDDEN_PREFIX, Kind, nearest};
use serde::{Deserialize, Serialize};

pub use expression::{derive_op, fit_derive};
pub use fit::{EncodeMethod, ImputeMethod, ScaleMethod, fit_impute, fit_levels, fit_quantiles, fit_scale};

/// The prefix of the hidden column that keeps a raw input which a transform has replaced.
pub const RAW_PREFIX: &str = "__raw.";

/// Fitted transforms in order, from raw columns to features.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The raw columns.
    pub inputs: Vec<Column>,
    /// The transforms, in the order they are applied.
    pub ops: Vec<Op>,
}

/// One fitted transform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Keeps only these columns; hidden ones always stay.
    Select {
        /// The columns to keep.
        columns: Vec<String>,
    },
    /// Computes a column, or puts another one in its place.
    Derive {
        /// The new column.
        name: String,
        /// How it is computed.
        #[serde(with = "expression::as_text")]
        expression: Expr,
    },
    /// Fills in missing values.
    Impute {
        /// The column.
        column: String,
        /// What stands for a missing value.
        fill: Level,
    },
    /// Puts a 0/1 column for each level in place of a column; any other value is 0 in all.
    OneHot {
        /// The column.
        column: String,
        /// The levels, in the order of the new columns.
        levels: Vec<Level>,
    },
    /// Puts the position of a value among the levels in its place; any other value is -1.
    Ordinal {
        /// The column.
        column: String,
        /// The levels, from 0.
        levels: Vec<Level>,
    },
    /// Puts `(value - offset) * factor` in place of a number.
    Scale {
        /// The column.
        column: String,
        /// What is taken away.
        offset: f64,
        /// What the rest is multiplied by.
        factor: f64,
    },
}

/// A value that a transform knows.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Level {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl Level {
    /// The value as it is written in the name of a column.
    pub fn label(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => base::number(*value, 15),
            Self::Text(value) => value.clone(),
        }
    }

    /// The value as a number; text has none.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Text(_) => None,
        }
    }
}

/// The name of the 0/1 column for one level.
pub fn one_hot_name(column: &str, level: &Level) -> String {
    format!("{column}={}", level.label())
}

/// The name under which a raw input is kept once a transform has replaced it.
pub fn raw_name(column: &str) -> String {
    format!("{RAW_PREFIX}{column}")
}

/// A column of a table as 64 bit numbers, missing as `NaN`; a time is its milliseconds since 1970.
///
/// # Errors
/// If it is not there or is text.
pub fn column_numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>> {
    cells::numbers(cells::column(batch, name)?, name)
}

/// A column of a table as levels; a missing value is nothing.
///
/// # Errors
/// If it is not there or is a time.
pub fn column_levels(batch: &RecordBatch, name: &str) -> Result<Vec<Option<Level>>> {
    cells::levels(cells::column(batch, name)?, name)
}

/// A text column of a table; missing and empty are both nothing.
///
/// # Errors
/// If it is not there or is not text.
pub fn column_texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let texts = cells::texts(cells::column(batch, name)?, name)?;
    Ok(texts.into_iter().map(|text| text.map(str::to_owned)).collect())
}

impl Recipe {
    /// The recipe of a table that nothing was done to yet: every visible column but the target
    /// is an input.
    pub fn start(columns: &[Column], target: Option<&str>) -> Self {
        let is_input = |column: &&Column| {
            !column.name.starts_with(HIDDEN_PREFIX) && Some(column.name.as_str()) != target
        };
        Self { inputs: columns.iter().filter(is_input).cloned().collect(), ops: Vec::new() }
    }

    /// This recipe with one more transform.
    #[must_use]
    pub fn then(&self, op: Op) -> Self {
        let mut next = self.clone();
        next.ops.push(op);
        next
    }

    /// The input columns and kinds, followed through all transforms: what a table has in the end.
    ///
    /// # Errors
    /// If a transform names a column that is not there at its turn, or does not fit its kind.
    pub fn columns(&self) -> Result<Vec<Column>> {
        let mut columns = self.inputs.clone();
        for op in &self.ops {
            columns = op.columns(columns)?;
        }
        Ok(columns)
    }

    /// Only the inputs and transforms that these features are made of.
    ///
    /// # Errors
    /// If a feature is neither an input nor made by a transform.
    pub fn for_features(&self, features: &[String]) -> Result<Self> {
        let end = self.columns()?;
        for feature in features {
            if !end.iter().any(|column| column.name == *feature) {
                return Err(Error::internal(format!("the recipe does not make feature `{feature}`")));
            }
        }
        let mut needed: Vec<String> = features.to_vec();
        let mut ops = Vec::new();
        for op in self.ops.iter().rev() {
            let made = op.makes();
            match op {
                Op::Select { .. } => {}
                _ if made.iter().any(|name| needed.contains(name)) => {
                    needed.retain(|name| !made.contains(name));
                    needed.extend(op.reads());
                    ops.push(op.clone());
                }
                _ => {}
            }
        }
        ops.reverse();
        let inputs = self.inputs.iter().filter(|input| needed.contains(&input.name)).cloned().collect();
        Ok(Self { inputs, ops })
    }

    /// The inputs that must be given: those for which a missing value has no answer, because the
    /// model takes none and no transform fills it in.
    pub fn required(&self, takes_missing: bool) -> Vec<&str> {
        let settles = |op: &Op, name: &str| match op {
            Op::Impute { column, .. } | Op::OneHot { column, .. } | Op::Ordinal { column, .. } => {
                column == name
            }
            Op::Select { .. } | Op::Derive { .. } | Op::Scale { .. } => false,
        };
        self.inputs
            .iter()
            .map(|input| input.name.as_str())
            .filter(|name| !takes_missing && !self.ops.iter().any(|op| settles(op, name)))
            .collect()
    }
}

impl Op {
    /// The columns after this transform.
    fn columns(&self, mut columns: Vec<Column>) -> Result<Vec<Column>> {
        match self {
            Self::Select { columns: kept } => {
                columns
                    .retain(|column| column.name.starts_with(HIDDEN_PREFIX) || kept.contains(&column.name));
            }
            Self::Derive { name, expression } => {
                let kind = expression::kind_of(expression, &columns)?;
                match columns.iter().position(|column| column.name == *name) {
                    Some(at) => columns[at].kind = kind,
                    None => columns.push(Column::new(name, kind)),
                }
            }
            Self::Impute { column, fill } => {
                let at = position(&columns, column)?;
                if let (Kind::Integer, Level::Number(fill)) = (columns[at].kind, fill)
                    && fill.fract() != 0.0
                {
                    columns[at].kind = Kind::Number;
                }
            }
            Self::OneHot { column, levels } => {
                let at = position(&columns, column)?;
                let new = levels.iter().map(|level| Column::new(one_hot_name(column, level), Kind::Integer));
                columns.splice(at..=at, new);
            }
            Self::Ordinal { column, .. } => {
                let at = position(&columns, column)?;
                columns[at].kind = Kind::Integer;
            }
            Self::Scale { column, .. } => {
                let at = position(&columns, column)?;
                if matches!(columns[at].kind, Kind::Text | Kind::Time) {
                    let kind = columns[at].kind.word();
                    return Err(Error::invalid(format!("cannot scale column `{column}`: it is {kind}")));
                }
                columns[at].kind = Kind::Number;
            }
        }
        Ok(columns)
    }

    /// The columns it needs.
    fn reads(&self) -> Vec<String> {
        match self {
            Self::Select { .. } => Vec::new(),
            Self::Derive { expression, .. } => expression.columns().into_iter().map(str::to_owned).collect(),
            Self::Impute { column, .. }
            | Self::OneHot { column, .. }
            | Self::Ordinal { column, .. }
            | Self::Scale { column, .. } => vec![column.clone()],
        }
    }

    /// The columns it writes.
    fn makes(&self) -> Vec<String> {
        match self {
            Self::Select { .. } => Vec::new(),
            Self::Derive { name, .. } => vec![name.clone()],
            Self::OneHot { column, levels } => {
                levels.iter().map(|level| one_hot_name(column, level)).collect()
            }
            Self::Impute { column, .. } | Self::Ordinal { column, .. } | Self::Scale { column, .. } => {
                vec![column.clone()]
            }
        }
    }
}

fn position(columns: &[Column], name: &str) -> Result<usize> {
    columns.iter().position(|column| column.name == name).ok_or_else(|| missing_column(columns, name))
}

fn missing_column(columns: &[Column], name: &str) -> Error {
    let error = Error::not_found(format!("there is no column `{name}`"));
    let visible =
        columns.iter().map(|column| column.name.as_str()).filter(|name| !name.starts_with(HIDDEN_PREFIX));
    match nearest(name, visible) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("look at the columns of the table before this step"),
    }
}
