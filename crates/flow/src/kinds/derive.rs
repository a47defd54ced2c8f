//! `derive`: make a column from others by an expression.

use base::{Error, Result};
use data::expr;
use data::{Column, arrow_schema};
use learn::recipe::fit_derive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, is_reserved};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `derive`.
pub struct Derive;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The new column.
    name: String,
    /// What it is, such as `bill_length_mm / bill_depth_mm`.
    #[schemars(extend("x-expression" = "number"))]
    expression: String,
}

impl Params {
    fn check(&self, columns: Option<&[Column]>, target: Option<&str>) -> Result<(), Misfit> {
        let at_name = |error| Misfit::param("name", error);
        let at_expression = |error| Misfit::param("expression", error);
        if is_reserved(&self.name) {
            let error = Error::invalid(format!("`{}` cannot be the name of a column", self.name));
            return Err(at_name(error.hint("write a name that does not start with `__`")));
        }
        if self.expression.trim().is_empty() {
            let error = Error::invalid("the expression is empty");
            return Err(at_expression(error.hint("write one, such as `income / rooms`")));
        }
        let parsed = expr::parse(&self.expression).map_err(at_expression)?;
        let Some(columns) = columns else { return Ok(()) };
        if columns.iter().any(|column| column.name == self.name) {
            let error = Error::invalid(format!("there is a column `{}` already", self.name));
            return Err(at_name(error.hint("give the new column another name")));
        }
        if let Some(target) = target.filter(|target| parsed.columns().contains(target)) {
            let error =
                Error::invalid(format!("`{target}` is the target, which is not known when predicting"));
            return Err(at_expression(error.hint("leave it out")));
        }
        fit_derive(columns, &self.name, &self.expression).map_err(at_expression).map(drop)
    }
}

impl Kind for Derive {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "derive",
            version: 1,
            title: "Derive column",
            category: Category::Clean,
            summary: "Makes a column from others by an expression.",
            doc: "The expression becomes part of the model, so the endpoint computes the same. Therefore it \
                  may use arithmetic, comparisons, `case`, `coalesce`, `abs`, `ln`, `exp`, `sqrt`, `power`, \
                  `round`, `floor`, `ceil`, `least`, `greatest`, but no text functions. Numbers compute as \
                  64 bit floating point: `5 / 2` is 2.5.",
            synonyms: &["feature", "formula", "calculate", "mutate", "with_column", "expression", "ratio"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with one more column.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let Some(shape) = inputs.table("table") else {
            params.check(None, None)?;
            return Ok(None);
        };
        params.check(Some(&shape.columns), shape.target.as_deref())?;
        let mut shape = shape.clone();
        let parsed = expr::parse(&params.expression).map_err(|e| Misfit::param("expression", e))?;
        let found =
            parsed.check(&arrow_schema(&shape.columns)).map_err(|e| Misfit::param("expression", e))?;
        shape.columns.push(Column::new(&params.name, found.kind()));
        shape.is_transformed = true;
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let columns: Vec<Column> = table.meta.visible().cloned().collect();
        params.check(Some(&columns), table.meta.target.as_deref()).map_err(|misfit| misfit.error)?;
        table.transform(fit_derive(&columns, &params.name, &params.expression)?)?;
        table.write(&work.output("table")?)
    }
}
