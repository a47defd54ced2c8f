//! `split_time`: divide the rows into training, validation and test by time.

use base::{Error, Result};
use data::Kind as ColumnKind;
use data::expr::moment;
use data::transform::{by_time, by_time_shares};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::{check_shares, divided, mark};
use super::rowset::at;
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `split_time`.
pub struct SplitTime;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The column that says when.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// Rows from this moment on validate, such as `2026-03-01`; empty to divide by shares.
    validation_from: Option<String>,
    /// Rows from this moment on test; empty to divide by shares.
    test_from: Option<String>,
    /// Share of the rows to learn from: the earliest ones.
    #[schemars(range(min = 0.0, max = 1.0))]
    train: f64,
    /// Share of the rows to stop early and to choose by: those after them.
    #[schemars(range(min = 0.0, max = 1.0))]
    validation: f64,
    /// Share of the rows to judge by: the latest ones.
    #[schemars(range(min = 0.0, max = 1.0))]
    test: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            column: String::new(),
            validation_from: None,
            test_from: None,
            train: 0.6,
            validation: 0.2,
            test: 0.2,
        }
    }
}

/// Where the parts begin.
enum Borders {
    /// Validation and test, milliseconds.
    Moments(i64, i64),
    /// Training, validation and test.
    Shares([f64; 3]),
}

impl Params {
    fn borders(&self) -> Result<Borders, Misfit> {
        if self.column.is_empty() {
            let error = Error::invalid("no column is chosen").hint("choose the column that says when");
            return Err(Misfit::param("column", error));
        }
        let read = |param: &str, text: &Option<String>| {
            let given = text.as_deref().filter(|text| !text.trim().is_empty());
            given.map(|text| moment(text).map_err(at(param))).transpose()
        };
        let validation = read("validation_from", &self.validation_from)?;
        let test = read("test_from", &self.test_from)?;
        match (validation, test) {
            (None, None) => {
                let shares = [self.train, self.validation, self.test];
                check_shares(shares).map(|()| Borders::Shares(shares))
            }
            (Some(validation), Some(test)) if test < validation => {
                let error = Error::invalid("the test rows would begin before the validation rows");
                Err(Misfit::param(
                    "test_from",
                    error.hint("training comes first, then validation, then test"),
                ))
            }
            // One border alone: no row is for testing, or none for validation.
            (validation, test) => {
                Ok(Borders::Moments(validation.or(test).unwrap_or(i64::MAX), test.unwrap_or(i64::MAX)))
            }
        }
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<(Borders, Option<TableShape>), Misfit> {
        let borders = self.borders()?;
        let Some(shape) = shape else { return Ok((borders, None)) };
        let column = shape.column(&self.column).map_err(at("column"))?;
        if column.kind != ColumnKind::Time {
            let error = Error::invalid(format!("`{}` is {}, not a time", column.name, column.kind.word()));
            return Err(Misfit::param("column", error.hint("choose a column of times, or cast it before")));
        }
        Ok((borders, Some(divided(shape))))
    }
}

impl Kind for SplitTime {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "split_time",
            version: 1,
            title: "Split by time",
            category: Category::Prepare,
            summary: "Divides the rows by time: the past to learn from, the present to judge by.",
            doc: "Use it where the model will answer about the future: a random split would let it learn from \
                  rows that are later than those it is judged by. Give moments, or shares of the rows in the \
                  order of time; rows of one moment are never in two parts. Every row needs a time.",
            synonyms: &[
                "train_test_split",
                "temporal",
                "time series",
                "backtest",
                "holdout",
                "TimeSeriesSplit",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table with a column of times.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows, each marked with its part.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        Ok(params.plan(inputs.table("table"))?.1)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let table = Table::read(work.input("table")?)?;
        let (borders, _) = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let parts = match borders {
            Borders::Moments(validation, test) => by_time(&table.rows, &params.column, validation, test)?,
            Borders::Shares(shares) => by_time_shares(&table.rows, &params.column, shares)?,
        };
        mark(table, parts, work)
    }
}
