//! `deduplicate`: keep one of the rows that are equal.

use base::Result;
use data::transform::{Keep, deduplicate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::check_columns;
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `deduplicate`.
pub struct Deduplicate;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns in which equal rows are equal; empty for all.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Which of the equal rows stays.
    keep: Stays,
}

/// Which of the equal rows stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Stays {
    /// The first one.
    #[default]
    First,
    /// The last one.
    Last,
}

impl Kind for Deduplicate {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "deduplicate",
            version: 1,
            title: "Remove duplicates",
            category: Category::Clean,
            summary: "Keeps one of the rows that are equal.",
            doc: "Missing values are equal to each other here. Put it before `split`: the same row in the \
                  training and in the test part makes a model look better than it is. To keep the newest row \
                  of each customer, sort by time before and keep the last one.",
            synonyms: &["distinct", "unique", "drop_duplicates", "duplicates", "dedupe"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The rows that are kept, in their order.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        check_columns("columns", shape, &params.columns)?;
        Ok(Some(shape.clone()))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let shape = table.shape();
        check_columns("columns", &shape, &params.columns).map_err(|misfit| misfit.error)?;
        let columns = match params.columns.is_empty() {
            true => shape.columns.into_iter().map(|column| column.name).collect(),
            false => params.columns.clone(),
        };
        let keep = if params.keep == Stays::First { Keep::First } else { Keep::Last };
        let before = table.rows.num_rows();
        table.rows = deduplicate(&table.rows, &columns, keep, &work.progress)?;
        work.log(&format!("kept {} of {before} rows", table.rows.num_rows()));
        table.write(&work.output("table")?)
    }
}
