//! `union`: put tables under each other.

use base::Result;
use data::Column;
use data::transform::{union, union_columns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{must_be_raw, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `union`.
pub struct Union;

/// Its parameters: it has none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {}

impl Kind for Union {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "union",
            version: 1,
            title: "Union",
            category: Category::Clean,
            summary: "Puts the rows of several tables under each other.",
            doc: "Columns are found by name. One that a table does not have is missing in its rows, and whole \
                  numbers become numbers where another table has those; any other difference of kinds is \
                  refused: put a `cast` step before. The target is that of the first table. Put it before \
                  `split` and before transforms that are part of the model.",
            synonyms: &["concat", "append", "stack", "union all", "bind_rows", "merge"],
            inputs: const { &[Port::many("tables", PortType::Table, "The tables, in the order of their rows.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The rows of all tables.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        _params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let Some(shapes) = inputs.all("tables") else { return Ok(None) };
        shapes.iter().try_for_each(|shape| must_be_raw(shape, "union"))?;
        let columns: Vec<&[Column]> = shapes.iter().map(|shape| shape.columns.as_slice()).collect();
        let columns = union_columns(&columns)?;
        Ok(shapes.first().map(|first| renewed_shape(first, columns)))
    }

    fn run(&self, _params: &Params, work: &Work) -> Result<Outcome> {
        let tables = work.input_all("tables").iter().map(|input| Table::read(&input.folder));
        let tables = tables.collect::<Result<Vec<_>>>()?;
        tables.iter().try_for_each(|table| must_be_raw(&table.shape(), "union"))?;
        let rows: Vec<_> = tables.iter().map(|table| table.rows.clone()).collect();
        let rows = union(&rows, &work.progress)?;
        let first = tables.into_iter().next().ok_or_else(|| base::Error::internal("no table is wired"))?;
        renewed(first, rows).write(&work.output("table")?)
    }
}
