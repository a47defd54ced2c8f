//! `split_group`: divide the rows into training, validation and test by whole groups.

use base::Result;
use data::transform::by_group;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::{check_shares, divided, mark};
use super::rowset::{check_chosen, check_columns};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `split_group`.
pub struct SplitGroup;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Rows that are equal in these columns stay together, such as those of one patient.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Share of the rows to learn from.
    #[schemars(range(min = 0.0, max = 1.0))]
    train: f64,
    /// Share of the rows to stop early and to choose by.
    #[schemars(range(min = 0.0, max = 1.0))]
    validation: f64,
    /// Share of the rows to judge by; no step learns from them.
    #[schemars(range(min = 0.0, max = 1.0))]
    test: f64,
    /// Another number gives another division.
    seed: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), train: 0.6, validation: 0.2, test: 0.2, seed: 1 }
    }
}

impl Params {
    fn shares(&self) -> [f64; 3] {
        [self.train, self.validation, self.test]
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<Option<TableShape>, Misfit> {
        check_chosen("columns", &self.columns, "choose the columns that say what belongs together")?;
        check_shares(self.shares())?;
        let Some(shape) = shape else { return Ok(None) };
        check_columns("columns", shape, &self.columns)?;
        Ok(Some(divided(shape)))
    }
}

impl Kind for SplitGroup {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "split_group",
            version: 1,
            title: "Split by group",
            category: Category::Prepare,
            summary: "Divides the rows so that those of one group are in one part.",
            doc: "Use it where several rows are about the same patient, customer or machine: a random split \
                  would let the model recognise them. Shares hold as far as the sizes of the groups allow; \
                  large groups are placed first. Missing values are a group of their own.",
            synonyms: &[
                "GroupKFold",
                "GroupShuffleSplit",
                "train_test_split",
                "leakage",
                "holdout",
                "patient",
            ],
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
        params.plan(inputs.table("table"))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let table = Table::read(work.input("table")?)?;
        params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let seed = u64::from(params.seed);
        let parts = by_group(&table.rows, &params.columns, params.shares(), seed, &work.progress)?;
        mark(table, parts, work)
    }
}
