//! `sort`: put the rows in order.

use base::Result;
use data::transform::{SortKey, sort};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{check_chosen, check_columns};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `sort`.
pub struct Sort;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns to sort by, the most important one first.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Those of them that go from large to small.
    #[schemars(extend("x-columns" = true))]
    descending: Vec<String>,
    /// Where rows without a value stand.
    missing: Missing,
}

/// Where rows without a value stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Missing {
    /// Before all others.
    First,
    /// After all others, in either direction.
    #[default]
    Last,
}

impl Params {
    fn check(&self, shape: Option<&TableShape>) -> Result<(), Misfit> {
        check_chosen("columns", &self.columns, "choose the columns to sort by")?;
        if let Some(other) = self.descending.iter().find(|name| !self.columns.contains(name)) {
            let error = base::Error::invalid(format!("`{other}` is not among the columns to sort by"));
            return Err(Misfit::param("descending", error.hint("add it to `columns`, or take it out here")));
        }
        shape.map_or(Ok(()), |shape| check_columns("columns", shape, &self.columns))
    }
}

impl Kind for Sort {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "sort",
            version: 1,
            title: "Sort rows",
            category: Category::Clean,
            summary: "Puts the rows in order.",
            doc: "Rows that are equal in all columns keep the order they had. Text is in the order of its \
                  Unicode characters, so capital letters come first. No model depends on the order of rows; \
                  sort before `deduplicate`, or to look at the result.",
            synonyms: &["order by", "arrange", "rank", "sort_values", "ascending", "descending"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows in order.")] },
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
        let key =
            |name: &String| SortKey { column: name.clone(), descending: params.descending.contains(name) };
        let keys: Vec<SortKey> = params.columns.iter().map(key).collect();
        table.rows = sort(&table.rows, &keys, params.missing == Missing::First, &work.progress)?;
        table.write(&work.output("table")?)
    }
}
