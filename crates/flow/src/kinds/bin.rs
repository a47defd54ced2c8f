//! `bin`: put the number of its range in place of a number.

use base::{Error, Result};
use data::Column;
use data::expr::{BinaryOp, Expr};
use learn::recipe::{Op, derive_op, fit_quantiles};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clip::numbers_at;
use super::table::{Table, chosen, is_numeric, warn_unsplit};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The most bins: each is a branch of the model's graph.
const MAX_BINS: usize = 100;

/// The kind `bin`.
pub struct Bin;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns; empty for every feature that is a number.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Where one bin ends and the next one begins.
    method: Method,
    /// How many bins; not for `edges`.
    #[schemars(range(min = 2, max = 100))]
    bins: u32,
    /// For `edges`: the numbers at which a new bin begins, ascending.
    edges: Vec<f64>,
}

/// Where one bin ends and the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// So that each bin holds as many training rows.
    Quantile,
    /// So that each bin is as wide, between the least and the largest value of the training rows.
    Width,
    /// At the numbers given below.
    Edges,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), method: Method::Quantile, bins: 5, edges: Vec::new() }
    }
}

impl Params {
    fn check(&self) -> Result<(), Misfit> {
        if self.method != Method::Edges {
            if !(2..=MAX_BINS as u32).contains(&self.bins) {
                let error = Error::invalid(format!("{} bins are too few or too many", self.bins));
                return Err(Misfit::param(
                    "bins",
                    error.hint(format!("write a number from 2 to {MAX_BINS}")),
                ));
            }
            return Ok(());
        }
        let is_ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        if self.edges.is_empty() || self.edges.len() >= MAX_BINS || !is_ascending {
            let error = Error::invalid("the edges are not one ascending row of numbers");
            let hint = format!("write at least one and less than {MAX_BINS}, such as 18, 30, 65");
            return Err(Misfit::param("edges", error.hint(hint)));
        }
        Ok(())
    }

    /// The numbers at which the bins after the first one begin.
    fn edges(&self, table: &Table, column: &str) -> Result<Vec<f64>> {
        let rows = std::slice::from_ref(&table.rows);
        let inner = (1..self.bins).map(|bin| f64::from(bin) / f64::from(self.bins));
        let mut edges = match self.method {
            Method::Edges => self.edges.clone(),
            Method::Quantile => fit_quantiles(rows, column, &inner.collect::<Vec<_>>())?,
            Method::Width => {
                let ends = fit_quantiles(rows, column, &[0.0, 1.0])?;
                inner.map(|share| ends[0] + share * (ends[1] - ends[0])).collect()
            }
        };
        // Where many rows have one value, bins fall together.
        edges.dedup();
        Ok(edges)
    }
}

/// `case when x < e1 then 0 when x < e2 then 1 … when x >= last then n end`: missing stays missing.
fn op(columns: &[Column], name: &str, edges: &[f64]) -> Result<Op> {
    let compared = |op: BinaryOp, edge: f64| Expr::Binary {
        op,
        left: Box::new(Expr::Column(name.to_owned())),
        right: Box::new(Expr::Number(edge)),
    };
    let below = edges.iter().map(|edge| compared(BinaryOp::Less, *edge));
    let above = edges.last().map(|last| compared(BinaryOp::GreaterOrEqual, *last));
    let branches =
        below.chain(above).enumerate().map(|(bin, condition)| (condition, Expr::Number(bin as f64)));
    let expression = Expr::Case { branches: branches.collect(), otherwise: Box::new(Expr::Null) };
    derive_op(columns, name, expression)
}

impl Kind for Bin {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "bin",
            version: 1,
            title: "Bin",
            category: Category::Prepare,
            summary: "Puts the number of its range in place of a number.",
            doc: "Bins count from 0; a value at an edge belongs to the bin above, and what lies beyond the \
                  training rows belongs to the first or the last bin. Missing values stay missing. The edges \
                  become part of the model, so the endpoint bins the same. Where many rows have one value, \
                  bins fall together and there are fewer.",
            synonyms: &["discretize", "bucket", "cut", "qcut", "KBinsDiscretizer", "histogram", "ranges"],
            inputs: const { &[Port::one("table", PortType::Table, "A table, after the split.")] },
            outputs: const {
                &[Port::one("table", PortType::Table, "The same rows with bins in place of numbers.")]
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
        params.check()?;
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        Ok(Some(numbers_at(shape, &chosen(shape, &params.columns, is_numeric)?)))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let mut table = Table::read(work.input("table")?)?;
        let columns = chosen(&table.shape(), &params.columns, is_numeric).map_err(|misfit| misfit.error)?;
        if params.method != Method::Edges {
            warn_unsplit(&table, work);
        }
        for (at, column) in columns.iter().enumerate() {
            work.progress.step("binning", at as u64, Some(columns.len() as u64))?;
            let edges = params.edges(&table, &column.name)?;
            let shown: Vec<String> = edges.iter().map(|edge| base::number(*edge, 6)).collect();
            work.log(&format!("`{}`: {} bins, edges at {}", column.name, edges.len() + 1, shown.join(", ")));
            let op = op(&table.meta.columns, &column.name, &edges)?;
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}
