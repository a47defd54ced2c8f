//! `unpivot`: make rows of columns.

use base::Result;
use data::transform::Unpivot as Spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_columns, must_be_raw, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `unpivot`.
pub struct Unpivot;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns whose values become rows; the others are repeated.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// The new column that holds their names.
    names: String,
    /// The new column that holds their values.
    values: String,
    /// Leaves out values that are missing.
    drop_missing: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            names: "name".to_owned(),
            values: "value".to_owned(),
            drop_missing: false,
        }
    }
}

impl Params {
    fn spec(&self) -> Spec {
        Spec {
            columns: self.columns.clone(),
            names: self.names.clone(),
            values: self.values.clone(),
            drops_missing: self.drop_missing,
        }
    }

    fn plan(&self, shape: &TableShape) -> Result<TableShape, Misfit> {
        must_be_raw(shape, "unpivot")?;
        check_columns("columns", shape, &self.columns)?;
        Ok(renewed_shape(shape, self.spec().columns(&shape.columns).map_err(at("columns"))?))
    }
}

impl Kind for Unpivot {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "unpivot",
            version: 1,
            title: "Unpivot",
            category: Category::Clean,
            summary: "Makes rows of columns: wide to long.",
            doc: "Each row becomes one row for each chosen column, with the name of the column and its value. \
                  The columns are of one kind; whole numbers and numbers go together. Put it before `split` \
                  and before transforms that are part of the model.",
            synonyms: &["melt", "gather", "pivot_longer", "wide to long", "stack", "reshape"],
            inputs: const { &[Port::one("table", PortType::Table, "A table before the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The long table.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        inputs.table("table").map(|shape| params.plan(shape)).transpose()
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let table = Table::read(work.input("table")?)?;
        params.plan(&table.shape()).map_err(|misfit| misfit.error)?;
        let rows = params.spec().run(&table.rows, &work.progress)?;
        renewed(table, rows).write(&work.output("table")?)
    }
}
