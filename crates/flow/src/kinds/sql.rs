//! `sql`: one SELECT over the tables that come in.

use base::{Error, Result};
use data::transform::{SqlTable, run_sql, sql_columns};
use data::{Column, TableFile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, must_be_raw, renewed_shape};
use super::table::{Table, face};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// What a query may use of memory before it goes to the disk.
const MEMORY_CAP_BYTES: usize = 1 << 30;

/// The kind `sql`.
pub struct Sql;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// One SELECT. The first table is `t`, the next ones are `t1`, `t2` and so on.
    #[schemars(extend("x-expression" = "sql"))]
    query: String,
}

impl Default for Params {
    fn default() -> Self {
        Self { query: "select * from t".to_owned() }
    }
}

/// The names of so many tables.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| if at == 0 { "t".to_owned() } else { format!("t{at}") }).collect()
}

impl Params {
    fn plan(&self, shapes: &[&TableShape]) -> Result<Option<TableShape>, Misfit> {
        shapes.iter().try_for_each(|shape| must_be_raw(shape, "sql"))?;
        let names = names(shapes.len());
        let columns = shapes.iter().map(|shape| shape.columns.as_slice());
        let tables: Vec<(&str, &[Column])> = names.iter().map(String::as_str).zip(columns).collect();
        let columns = sql_columns(&tables, &self.query).map_err(at("query"))?;
        Ok(shapes.first().map(|first| renewed_shape(first, columns)))
    }
}

impl Kind for Sql {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "sql",
            version: 1,
            title: "SQL",
            category: Category::Clean,
            summary: "Makes a table by one SELECT over the tables that come in.",
            doc: "The first table is `t`, the next ones are `t1`, `t2` and so on, in the order of the wires. \
                  Names are taken as they are written, with double quotes around odd ones. Whole numbers divide \
                  as SQL does: `5 / 2` is 2, and their sums wrap around beyond 64 bits; write `5.0 / 2` or \
                  `cast(x as double)`. Rows have an order: that of ORDER BY, with ties in the order of all \
                  columns; that of the table where the query only picks rows and columns; otherwise all columns \
                  from left to right. What would differ between runs is refused: LIMIT without ORDER BY, \
                  `now()`, `random()`. The target stays if its column is in the result. Put it before `split` \
                  and before transforms that are part of the model.",
            synonyms: &["query", "select", "where", "join", "group by", "datafusion", "duckdb", "window"],
            inputs: const { &[Port::many("tables", PortType::Table, "The tables, as `t`, `t1`, `t2` …")] },
            outputs: const { &[Port::one("table", PortType::Table, "The rows of the query.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        inputs.all("tables").map_or(Ok(None), |shapes| params.plan(&shapes))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let inputs = work.input_all("tables");
        let files = inputs.iter().map(|input| TableFile::open(&input.folder)).collect::<Result<Vec<_>>>()?;
        for file in &files {
            must_be_raw(&Table::shape_of(file.meta())?, "sql")?;
        }
        let first = files.first().ok_or_else(|| Error::internal("no table is wired"))?.meta();
        let names = names(inputs.len());
        let folders = inputs.iter().map(|input| input.folder.as_path());
        let tables = names.iter().zip(folders).map(|(name, folder)| SqlTable { name, folder });
        let tables: Vec<SqlTable<'_>> = tables.collect();
        let before = Table::shape_of(first)?;
        let describe = |columns: Vec<Column>| {
            let shape = renewed_shape(&before, columns);
            data::TableMeta {
                columns: shape.columns,
                target: shape.target,
                task: shape.task,
                ..first.clone()
            }
        };
        let out = (work.output("table")?, &work.progress);
        let written = run_sql(&tables, &params.query, MEMORY_CAP_BYTES, describe, (&out.0, out.1))?;
        Ok(face(written.meta()))
    }
}
