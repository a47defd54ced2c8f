//! `group`: make one row of rows that belong together.

use base::Result;
use data::transform::{Measure, group, group_columns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_columns, must_be_raw, read_all, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `group`.
pub struct Group;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Rows that are equal in these columns become one; empty for one row of all.
    #[schemars(extend("x-columns" = true))]
    by: Vec<String>,
    /// What is computed of them, such as `count()`, `mean(price)` or `max(age) as oldest`.
    measures: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self { by: Vec::new(), measures: vec!["count()".to_owned()] }
    }
}

impl Params {
    fn plan(&self, shape: Option<&TableShape>) -> Result<(Vec<Measure>, Option<TableShape>), Misfit> {
        let measures: Vec<Measure> = read_all("measures", &self.measures, "mean(price) as average_price")?;
        let Some(shape) = shape else { return Ok((measures, None)) };
        must_be_raw(shape, "group")?;
        check_columns("by", shape, &self.by)?;
        let columns = group_columns(&shape.columns, &self.by, &measures).map_err(at("measures"))?;
        Ok((measures, Some(renewed_shape(shape, columns))))
    }
}

impl Kind for Group {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "group",
            version: 1,
            title: "Group rows",
            category: Category::Clean,
            summary: "Makes one row of rows that belong together.",
            doc: "Measures are `count()`, `count(x)` (values that are there), `distinct(x)`, `sum(x)`, \
                  `mean(x)`, `median(x)`, `std(x)` (of a sample, n - 1), `min(x)`, `max(x)`, `first(x)` and \
                  `last(x)`, each with ` as name` if wanted. Missing values are left out; a missing key is a \
                  group of its own. Rows come in the order of the keys. Put it before `split` and before \
                  transforms that are part of the model: the model asks for the columns made here.",
            synonyms: &["group by", "aggregate", "summarize", "summarise", "sum", "mean", "count", "groupby"],
            inputs: const { &[Port::one("table", PortType::Table, "A table before the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "One row a group.")] },
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
        let (measures, _) = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let rows = group(&table.rows, &params.by, &measures, &work.progress)?;
        work.log(&format!("{} rows became {}", table.rows.num_rows(), rows.num_rows()));
        renewed(table, rows).write(&work.output("table")?)
    }
}
