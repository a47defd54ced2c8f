//! `clip`: bring outliers back to bounds.

use base::{Error, Result};
use data::expr::{Expr, Function};
use data::{Column, Kind as ColumnKind};
use learn::recipe::{Op, derive_op, fit_quantiles};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, chosen, is_numeric, warn_unsplit};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `clip`.
pub struct Clip;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns; empty for every feature that is a number.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Where the bounds come from.
    method: Method,
    /// The lower bound: a share of the training rows, or a number; empty for none.
    low: Option<f64>,
    /// The upper bound: a share of the training rows, or a number; empty for none.
    high: Option<f64>,
}

/// Where the bounds come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// They are shares: 0.01 is the value below which 1 % of the training rows lie.
    Quantile,
    /// They are the numbers themselves, the same for every column.
    Bounds,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), method: Method::Quantile, low: Some(0.01), high: Some(0.99) }
    }
}

impl Params {
    fn check(&self) -> Result<(), Misfit> {
        if self.low.is_none() && self.high.is_none() {
            let error = Error::invalid("there is no bound").hint("set `low`, `high` or both");
            return Err(Misfit::param("low", error));
        }
        for (name, bound) in [("low", self.low), ("high", self.high)] {
            let Some(bound) = bound else { continue };
            if self.method == Method::Quantile && !(0.0..=1.0).contains(&bound) {
                let error = Error::invalid(format!("`{name}` is {bound}, which is no share of the rows"));
                return Err(Misfit::param(
                    name,
                    error.hint("write a number from 0 to 1, or choose `bounds`"),
                ));
            }
            if !bound.is_finite() {
                return Err(Misfit::param(
                    name,
                    Error::invalid(format!("`{name}` is infinite")).hint("leave it empty"),
                ));
            }
        }
        match (self.low, self.high) {
            (Some(low), Some(high)) if low > high => {
                let error = Error::invalid(format!("nothing is at least {low} and at most {high}"));
                Err(Misfit::param("high", error.hint("swap them")))
            }
            _ => Ok(()),
        }
    }

    /// The bounds of a column.
    fn bounds(&self, table: &Table, column: &str) -> Result<[Option<f64>; 2]> {
        let given = [self.low, self.high];
        if self.method == Method::Bounds {
            return Ok(given);
        }
        let shares: Vec<f64> = given.into_iter().flatten().collect();
        let mut found = fit_quantiles(std::slice::from_ref(&table.rows), column, &shares)?.into_iter();
        Ok(given.map(|bound| bound.and_then(|_| found.next())))
    }
}

/// `least(greatest(column, low), high)`: a missing value stays missing.
fn op(columns: &[Column], name: &str, [low, high]: [Option<f64>; 2]) -> Result<Op> {
    let within = |value: Expr, function: Function, bound: Option<f64>| match bound {
        Some(bound) => Expr::Call { function, arguments: vec![value, Expr::Number(bound)] },
        None => value,
    };
    let value = within(Expr::Column(name.to_owned()), Function::Greatest, low);
    derive_op(columns, name, within(value, Function::Least, high))
}

impl Kind for Clip {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "clip",
            version: 1,
            title: "Clip outliers",
            category: Category::Prepare,
            summary: "Brings numbers beyond a bound back to it.",
            doc: "Bounds by quantile are learnt from the training rows. Either way they become part of the \
                  model, so the endpoint clips the same. Missing values stay missing. Helps linear models; \
                  trees do not mind outliers.",
            synonyms: &["winsorize", "outliers", "cap", "limit", "clamp", "quantile", "trim"],
            inputs: const { &[Port::one("table", PortType::Table, "A table, after the split.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows within the bounds.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.check()?;
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        Ok(Some(numbers_at(shape, &chosen(shape, &params.columns, is_numeric)?)))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let mut table = Table::read(work.input("table")?)?;
        let columns = chosen(&table.shape(), &params.columns, is_numeric).map_err(|misfit| misfit.error)?;
        if params.method == Method::Quantile {
            warn_unsplit(&table, work);
        }
        for (at, column) in columns.iter().enumerate() {
            work.progress.step("clipping", at as u64, Some(columns.len() as u64))?;
            let bounds = params.bounds(&table, &column.name)?;
            let shown =
                bounds.map(|bound| bound.map_or_else(|| "none".to_owned(), |bound| base::number(bound, 6)));
            work.log(&format!("`{}`: from {} to {}", column.name, shown[0], shown[1]));
            let op = op(&table.meta.columns, &column.name, bounds)?;
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}

/// The shape in which these columns are numbers that transforms have made.
pub fn numbers_at(shape: &TableShape, columns: &[Column]) -> TableShape {
    let mut shape = shape.clone();
    shape.is_transformed |= !columns.is_empty();
    for column in &mut shape.columns {
        if columns.iter().any(|chosen| chosen.name == column.name) {
            column.kind = ColumnKind::Number;
        }
    }
    shape
}
