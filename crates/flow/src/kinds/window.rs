//! `window`: columns that look at other rows of the same group.

use base::{Error, Result};
use data::transform::{SortKey, Window as Spec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_chosen, check_columns, must_be_raw, read_all, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `window`.
pub struct Window;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Rows that are equal in these columns are one group; empty for one group of all.
    #[schemars(extend("x-columns" = true))]
    partition: Vec<String>,
    /// The order of the rows within a group.
    #[schemars(extend("x-columns" = true))]
    order: Vec<String>,
    /// Those of the order that go from large to small.
    #[schemars(extend("x-columns" = true))]
    descending: Vec<String>,
    /// The new columns, such as `lag(price, 1) as price_before` or `rolling_mean(price, 7)`.
    columns: Vec<String>,
}

impl Params {
    fn spec(&self) -> Result<Spec, Misfit> {
        check_chosen("order", &self.order, "choose the columns that give the rows an order, such as a time")?;
        if let Some(other) = self.descending.iter().find(|name| !self.order.contains(name)) {
            let error = Error::invalid(format!("`{other}` is not among the columns of the order"));
            return Err(Misfit::param("descending", error.hint("add it to `order`, or take it out here")));
        }
        let key =
            |name: &String| SortKey { column: name.clone(), descending: self.descending.contains(name) };
        Ok(Spec {
            partition: self.partition.clone(),
            order: self.order.iter().map(key).collect(),
            made: read_all("columns", &self.columns, "lag(price, 1) as price_before")?,
        })
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<(Spec, Option<TableShape>), Misfit> {
        let spec = self.spec()?;
        let Some(shape) = shape else { return Ok((spec, None)) };
        must_be_raw(shape, "window")?;
        check_columns("partition", shape, &self.partition)?;
        check_columns("order", shape, &self.order)?;
        let columns = spec.columns(&shape.columns).map_err(at("columns"))?;
        Ok((spec, Some(renewed_shape(shape, columns))))
    }
}

impl Kind for Window {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "window",
            version: 1,
            title: "Window",
            category: Category::Clean,
            summary: "Adds columns that look at other rows of the same group.",
            doc: "There are `lag(x, rows)`, `lead(x, rows)`, `row_number()`, `rank()`, `cumulative_sum(x)` and \
                  `rolling_mean(x, rows)`, each with ` as name` if wanted. Rows stay in their order. A rolling \
                  mean is over the row itself and those before it, fewer at the start of a group. What a row \
                  would not know at the time of a prediction (`lead`, or the row's own target) leaks the \
                  answer into the model. A model asks for these columns, since it sees one row at a time; put \
                  the step before `split` and before transforms that are part of the model.",
            synonyms: &[
                "lag",
                "lead",
                "shift",
                "rolling",
                "moving average",
                "cumsum",
                "rank",
                "row number",
                "over",
                "time series",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table before the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with more columns.")] },
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
        let (spec, _) = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let rows = spec.run(&table.rows, &work.progress)?;
        renewed(table, rows).write(&work.output("table")?)
    }
}
