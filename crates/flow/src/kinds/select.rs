//! `select`: keep or drop columns.

use base::{Error, Result};
use learn::recipe::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `select`.
pub struct Select;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Whether these are kept or dropped. The target always stays.
    mode: Mode,
}

/// What happens to the named columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Only these go on.
    #[default]
    Keep,
    /// All others go on.
    Drop,
}

impl Params {
    fn keeps(&self, column: &str, target: Option<&str>) -> bool {
        let is_named = self.columns.iter().any(|name| name == column);
        target == Some(column) || (self.mode == Mode::Keep) == is_named
    }
}

impl Kind for Select {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "select",
            version: 1,
            title: "Select columns",
            category: Category::Clean,
            summary: "Keeps or drops columns.",
            doc: "What is dropped here is no input of the model. Drop names, ids and whatever is not known at \
                  the time of a prediction.",
            synonyms: &["drop", "remove", "keep", "columns", "project", "features"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with the chosen columns.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if params.columns.is_empty() {
            let error = Error::invalid("no column is chosen").hint("choose the columns to keep or to drop");
            return Err(Misfit::param("columns", error));
        }
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        for name in &params.columns {
            shape.column(name).map_err(|error| Misfit::param("columns", error))?;
        }
        let mut shape = shape.clone();
        let target = shape.target.clone();
        shape.columns.retain(|column| params.keeps(&column.name, target.as_deref()));
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        for name in &params.columns {
            table.meta.column(name)?;
        }
        let target = table.meta.target.clone();
        let names: Vec<String> = table.meta.visible().map(|column| column.name.clone()).collect();
        let (kept, dropped): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| params.keeps(name, target.as_deref()));
        if table.recipe.ops.is_empty() {
            dropped.iter().try_for_each(|name| table.remove(name))?;
        } else {
            dropped.iter().try_for_each(|name| table.keep_raw(name))?;
            table.transform(Op::Select { columns: kept })?;
        }
        work.log(&format!("dropped {}", dropped.join(", ")));
        table.write(&work.output("table")?)
    }
}
