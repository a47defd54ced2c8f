//! `sample`: keep some of the rows, picked at random.

use base::{Error, Result};
use data::transform::{Sample as Size, sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::check_columns;
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `sample`.
pub struct Sample;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How many rows; empty to say a share instead.
    #[schemars(range(min = 1))]
    rows: Option<u32>,
    /// The share of the rows, if no number of rows is given.
    #[schemars(range(min = 0.0, max = 1.0))]
    share: f64,
    /// Columns whose mix of values is kept; empty for a plain sample.
    #[schemars(extend("x-columns" = true))]
    stratify: Vec<String>,
    /// Another number gives another sample.
    seed: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { rows: None, share: 0.1, stratify: Vec::new(), seed: 1 }
    }
}

impl Params {
    fn check(&self, shape: Option<&TableShape>) -> Result<(), Misfit> {
        if self.rows == Some(0) {
            let error = Error::invalid("a sample of no rows is empty").hint("write how many rows to keep");
            return Err(Misfit::param("rows", error));
        }
        if self.rows.is_none() && !(self.share > 0.0 && self.share <= 1.0) {
            let error = Error::invalid(format!("{} is no share of the rows", self.share));
            return Err(Misfit::param("share", error.hint("write a number above 0 and up to 1")));
        }
        shape.map_or(Ok(()), |shape| check_columns("stratify", shape, &self.stratify))
    }
}

impl Kind for Sample {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "sample",
            version: 1,
            title: "Sample rows",
            category: Category::Clean,
            summary: "Keeps some of the rows, picked at random.",
            doc: "The same seed always picks the same rows, and they keep their order. With columns to \
                  stratify by, each combination of their values gives its share to within a row. Use it to \
                  try a pipeline quickly, not to balance classes: a model then says wrong probabilities.",
            synonyms: &["random", "subset", "head", "limit", "fraction", "downsample"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The rows that were picked.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let shape = inputs.table("table");
        params.check(shape)?;
        Ok(shape.cloned())
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        params.check(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let size = params.rows.map_or(Size::Share(params.share), |rows| Size::Rows(rows as usize));
        let before = table.rows.num_rows();
        table.rows = sample(&table.rows, size, &params.stratify, u64::from(params.seed), &work.progress)?;
        work.log(&format!("picked {} of {before} rows", table.rows.num_rows()));
        table.write(&work.output("table")?)
    }
}
