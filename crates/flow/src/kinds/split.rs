//! `split`: divide the rows into training, validation and test.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array};
use arrow::datatypes::DataType;
use base::{Error, Result};
use data::split::assign;
use data::{Column, Kind as ColumnKind, SPLIT_COLUMN, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Part, Table};
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
    fn check(&self) -> Result<(), Misfit> {
        for (name, share) in [("train", self.train), ("validation", self.validation), ("test", self.test)] {
            if !(0.0..=1.0).contains(&share) {
                let error = Error::invalid(format!("`{name}` is {share}, which is no share of the rows"));
                return Err(Misfit::param(name, error.hint("write a number from 0 to 1")));
            }
        }
        let sum = self.train + self.validation + self.test;
        if (sum - 1.0).abs() > 1e-9 {
            let error = Error::invalid(format!("the shares add up to {}, not to 1", base::number(sum, 6)));
            return Err(Misfit::param(
                "test",
                error.hint("change one of them so that all rows are in one part"),
            ));
        }
        if self.train == 0.0 {
            let error = Error::invalid("there are no rows to learn from").hint("give `train` a share");
            return Err(Misfit::param("train", error));
        }
        Ok(())
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
        params.check()?;
        Ok(inputs.table("table").map(|shape| TableShape { is_split: true, ..shape.clone() }))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let mut table = Table::read(work.input("table")?)?;
        let strata = match (&table.meta.target, table.meta.task) {
            (Some(target), Some(Task::Binary | Task::Multiclass)) if params.stratify => {
                Some(strata(table.column(target)?)?)
            }
            _ => None,
        };
        let shares = [params.train, params.validation, params.test];
        let parts = assign(table.rows.num_rows(), strata.as_deref(), shares, u64::from(params.seed))?;
        let count = |part: Part| parts.iter().filter(|other| **other == part.number()).count();
        let counts = [Part::Train, Part::Validation, Part::Test].map(count);
        work.log(&format!("{} rows to train, {} to validate, {} to test", counts[0], counts[1], counts[2]));
        let values: ArrayRef = Arc::new(Int8Array::from(parts));
        table.put(Column::new(SPLIT_COLUMN, ColumnKind::Integer), values)?;
        table.meta.split = true;
        let outcome = table.write(&work.output("table")?)?;
        Ok(Outcome { summary: format!("{} / {} / {}", counts[0], counts[1], counts[2]), ..outcome })
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
