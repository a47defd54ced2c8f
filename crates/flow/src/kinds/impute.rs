//! `impute`: fill in missing values.

use base::{Error, Result};
use data::{Column, Kind as ColumnKind};
use learn::recipe::{ImputeMethod, Level, Op, fit_impute};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, chosen, is_numeric, warn_unsplit};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `impute`.
pub struct Impute;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns; empty for every feature, so that the model also answers rows that lack a value
    /// which no training row lacked.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// What stands for a missing number.
    numbers: Numbers,
    /// The number for `constant`.
    number: f64,
    /// What stands for a missing text or truth value.
    texts: Texts,
    /// The text for `constant`.
    text: String,
}

/// What stands for a missing number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Numbers {
    /// The middle value of the training rows.
    Median,
    /// The mean of the training rows.
    Mean,
    /// The number given below.
    Constant,
}

/// What stands for a missing text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Texts {
    /// The most frequent value of the training rows.
    Mode,
    /// The text given below, which becomes a level of its own.
    Constant,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            numbers: Numbers::Median,
            number: 0.0,
            texts: Texts::Mode,
            text: "missing".to_owned(),
        }
    }
}

fn takes(column: &Column) -> bool {
    column.kind != ColumnKind::Time
}

impl Params {
    fn op(&self, table: &Table, column: &Column) -> Result<Op> {
        let method = match column.kind {
            _ if is_numeric(column) => match self.numbers {
                Numbers::Median => ImputeMethod::Median,
                Numbers::Mean => ImputeMethod::Mean,
                Numbers::Constant => {
                    return Ok(Op::Impute { column: column.name.clone(), fill: Level::Number(self.number) });
                }
            },
            ColumnKind::Text if self.texts == Texts::Constant => {
                return Ok(Op::Impute { column: column.name.clone(), fill: Level::Text(self.text.clone()) });
            }
            _ => ImputeMethod::Mode,
        };
        fit_impute(std::slice::from_ref(&table.rows), &column.name, &method)
    }
}

impl Kind for Impute {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "impute",
            version: 1,
            title: "Impute",
            category: Category::Prepare,
            summary: "Fills in missing values.",
            doc: "What stands for a missing value is learnt from the training rows and becomes part of the \
                  model, so the endpoint fills in the same. Linear models need this step; trees do without.",
            synonyms: &["fillna", "missing", "null", "nan", "replace", "SimpleImputer"],
            inputs: const { &[Port::one("table", PortType::Table, "A table, after the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows without missing values.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if params.texts == Texts::Constant && params.text.is_empty() {
            let error = Error::invalid("an empty text is a missing text").hint("write the text to fill in");
            return Err(Misfit::param("text", error));
        }
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        let mut shape = shape.clone();
        let columns = chosen(&shape, &params.columns, takes)?;
        shape.is_transformed |= !columns.is_empty();
        for column in columns {
            let has_fraction = params.numbers == Numbers::Mean || params.number.fract() != 0.0;
            if column.kind == ColumnKind::Integer && has_fraction {
                let found = shape.columns.iter_mut().find(|other| other.name == column.name);
                found.into_iter().for_each(|found| found.kind = ColumnKind::Number);
            }
        }
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        warn_unsplit(&table, work);
        let columns = chosen(&table.shape(), &params.columns, takes).map_err(|misfit| misfit.error)?;
        for (at, column) in columns.iter().enumerate() {
            work.progress.step("filling in", at as u64, Some(columns.len() as u64))?;
            let op = params.op(&table, column)?;
            if let Op::Impute { fill, .. } = &op {
                let missing = table.column(&column.name)?.null_count();
                work.log(&format!("`{}`: {} stands for {missing} missing values", column.name, fill.label()));
            }
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}
