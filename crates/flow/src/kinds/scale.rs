//! `scale`: bring numbers to one scale.

use base::Result;
use data::Kind as ColumnKind;
use learn::recipe::{ScaleMethod, fit_scale};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, chosen, is_numeric, warn_unsplit};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `scale`.
pub struct Scale;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns; empty for every feature that is a number.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Which scale.
    method: ScaleMethod,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), method: ScaleMethod::Standard }
    }
}

impl Kind for Scale {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "scale",
            version: 1,
            title: "Scale",
            category: Category::Prepare,
            summary: "Brings numbers to one scale.",
            doc: "Offset and factor are learnt from the training rows and become part of the model. The \
                  trainers here scale by themselves where it matters; use this step to look at coefficients, \
                  or where another scale than the standard one is wanted.",
            synonyms: &[
                "normalize",
                "standardize",
                "StandardScaler",
                "MinMaxScaler",
                "RobustScaler",
                "z-score",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table, after the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows, scaled.")] },
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
        let columns = chosen(shape, &params.columns, is_numeric)?;
        let mut shape = shape.clone();
        shape.is_transformed |= !columns.is_empty();
        for column in &mut shape.columns {
            if columns.iter().any(|chosen| chosen.name == column.name) {
                column.kind = ColumnKind::Number;
            }
        }
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        warn_unsplit(&table, work);
        let columns = chosen(&table.shape(), &params.columns, is_numeric).map_err(|misfit| misfit.error)?;
        for (at, column) in columns.iter().enumerate() {
            work.progress.step("scaling", at as u64, Some(columns.len() as u64))?;
            let op = fit_scale(std::slice::from_ref(&table.rows), &column.name, params.method)?;
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}
