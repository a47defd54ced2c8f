//! `split`: divide the rows into training, validation and test.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use base::{Error, Result};
use data::Task;
use data::split::assign;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::{check_shares, divided, mark};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `split`.
pub struct Split;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Share of the rows to learn from.
    #[schemars(range(min = 0.0, max = 1.0))]
    train: f64,
    /// Share of the rows to stop early and to choose by.
    #[schemars(range(min = 0.0, max = 1.0))]
    validation: f64,
    /// Share of the rows to judge by; no step learns from them.
    #[schemars(range(min = 0.0, max = 1.0))]
    test: f64,
    /// Gives each part the same mix of classes.
    stratify: bool,
    /// Another number gives another division.
    seed: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { train: 0.6, validation: 0.2, test: 0.2, stratify: true, seed: 1 }
    }
}

impl Params {
    fn shares(&self) -> [f64; 3] {
        [self.train, self.validation, self.test]
    }
}

impl Kind for Split {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "split",
            version: 1,
            title: "Split",
            category: Category::Prepare,
            summary: "Divides the rows into training, validation and test.",
            doc: "One table goes on, with each row marked. Steps that fit something (impute, encode, scale, \
                  train) learn from the training rows only, so nothing leaks from the rows that judge the model. \
                  Put it before them.",
            synonyms: &["train_test_split", "partition", "holdout", "sample", "validation"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
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
        check_shares(params.shares())?;
        Ok(inputs.table("table").map(divided))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        check_shares(params.shares()).map_err(|misfit| misfit.error)?;
        let table = Table::read(work.input("table")?)?;
        let strata = match (&table.meta.target, table.meta.task) {
            (Some(target), Some(Task::Binary | Task::Multiclass)) if params.stratify => {
                Some(strata(table.column(target)?)?)
            }
            _ => None,
        };
        let seed = u64::from(params.seed);
        let parts = assign(table.rows.num_rows(), strata.as_deref(), params.shares(), seed)?;
        mark(table, parts, work)
    }
}

/// Numbers the values of a column in the order in which they first occur; missing is a value too.
fn strata(values: &ArrayRef) -> Result<Vec<u32>> {
    let text = arrow::compute::cast(values, &DataType::Utf8)
        .map_err(|e| Error::internal("cannot read the classes of the target").because(e))?;
    let mut numbers: BTreeMap<Option<String>, u32> = BTreeMap::new();
    let mut strata = Vec::with_capacity(text.len());
    for value in text.as_string::<i32>() {
        let next = numbers.len() as u32;
        strata.push(*numbers.entry(value.map(str::to_owned)).or_insert(next));
    }
    Ok(strata)
}
