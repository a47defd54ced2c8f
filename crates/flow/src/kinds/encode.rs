//! `encode`: make numbers of text and truth values.

use base::Result;
use data::{Column, Kind as ColumnKind};
use learn::recipe::{EncodeMethod, Op, fit_levels};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, chosen, warn_unsplit};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `encode`.
pub struct Encode;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns; empty for every feature that is text or a truth value.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// One column of zeros and ones a level, or one column of positions.
    method: EncodeMethod,
    /// Rarer levels than this many are treated as unknown.
    #[schemars(range(min = 1, max = 10000))]
    max_levels: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), method: EncodeMethod::OneHot, max_levels: 100 }
    }
}

fn takes(column: &Column) -> bool {
    matches!(column.kind, ColumnKind::Text | ColumnKind::Boolean)
}

impl Kind for Encode {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "encode",
            version: 1,
            title: "Encode",
            category: Category::Prepare,
            summary: "Makes numbers of text.",
            doc: "The levels are those of the training rows and become part of the model. A value that none \
                  of them had is zero in every column (`one_hot`), or -1 (`ordinal`).",
            synonyms: &[
                "one-hot",
                "one hot",
                "get_dummies",
                "dummy",
                "ordinal",
                "label",
                "categorical",
                "category",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table, after the split.")] },
            outputs: const {
                &[Port::one("table", PortType::Table, "The same rows with numbers in place of text.")]
            },
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
        let columns = chosen(shape, &params.columns, takes)?;
        if params.method == EncodeMethod::OneHot && !columns.is_empty() {
            // The levels are known only once the rows have been looked at.
            return Ok(None);
        }
        let mut shape = shape.clone();
        shape.is_transformed |= !columns.is_empty();
        for column in &mut shape.columns {
            if columns.iter().any(|chosen| chosen.name == column.name) {
                column.kind = ColumnKind::Integer;
            }
        }
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        warn_unsplit(&table, work);
        let columns = chosen(&table.shape(), &params.columns, takes).map_err(|misfit| misfit.error)?;
        for (at, column) in columns.iter().enumerate() {
            work.progress.step("encoding", at as u64, Some(columns.len() as u64))?;
            let rows = std::slice::from_ref(&table.rows);
            let op = fit_levels(rows, &column.name, params.method, params.max_levels as usize)?;
            if let Op::OneHot { levels, .. } | Op::Ordinal { levels, .. } = &op {
                let labels: Vec<String> = levels.iter().take(20).map(learn::recipe::Level::label).collect();
                work.log(&format!("`{}`: {} levels: {}", column.name, levels.len(), labels.join(", ")));
            }
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}
