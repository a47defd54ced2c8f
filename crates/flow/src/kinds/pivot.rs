//! `pivot`: make columns of rows.

use base::{Error, Result};
use data::transform::{MAX_COLUMNS, Pivot as Spec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_columns, must_be_raw, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `pivot`.
pub struct Pivot;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What is one row afterwards.
    #[schemars(extend("x-columns" = true))]
    index: Vec<String>,
    /// The column whose values become the names of columns.
    #[schemars(extend("x-column" = true))]
    names: String,
    /// What stands in them, such as `sum(amount)` or `count()`.
    measure: String,
    /// The values that become columns; empty for all there are. Name them where a model follows: it
    /// has to find the same columns in new data.
    only: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self { index: Vec::new(), names: String::new(), measure: "count()".to_owned(), only: Vec::new() }
    }
}

impl Params {
    fn spec(&self) -> Result<Spec, Misfit> {
        if self.names.is_empty() {
            let error = Error::invalid("no column is chosen");
            return Err(Misfit::param("names", error.hint("choose the column whose values become columns")));
        }
        if self.only.len() > MAX_COLUMNS {
            let error = Error::invalid(format!("{} columns are too many", self.only.len()));
            return Err(Misfit::param("only", error.hint(format!("{MAX_COLUMNS} are the most"))));
        }
        Ok(Spec {
            index: self.index.clone(),
            names: self.names.clone(),
            measure: self.measure.parse().map_err(at("measure"))?,
            only: self.only.clone(),
        })
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<Option<TableShape>, Misfit> {
        let spec = self.spec()?;
        let Some(shape) = shape else { return Ok(None) };
        must_be_raw(shape, "pivot")?;
        check_columns("index", shape, &self.index)?;
        check_columns("names", shape, std::slice::from_ref(&self.names))?;
        let columns = spec.columns(&shape.columns).map_err(at("measure"))?;
        Ok(columns.map(|columns| renewed_shape(shape, columns)))
    }
}

impl Kind for Pivot {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "pivot",
            version: 1,
            title: "Pivot",
            category: Category::Clean,
            summary: "Makes columns of rows: long to wide.",
            doc: "One row for each combination of values in `index`, and a column for each value of `names`, in \
                  the order of the names, 1,000 at most. Where there is no row the cell is missing, or 0 for a \
                  count. Measures are those of `group`. Put it before `split` and before transforms that are \
                  part of the model.",
            synonyms: &[
                "pivot_table",
                "spread",
                "pivot_wider",
                "crosstab",
                "long to wide",
                "reshape",
                "unstack",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table before the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The wide table.")] },
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
        let spec = params.spec().map_err(|misfit| misfit.error)?;
        let rows = spec.run(&table.rows, &work.progress)?;
        renewed(table, rows).write(&work.output("table")?)
    }
}
