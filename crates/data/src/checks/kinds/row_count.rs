//! `row_count`: the table has as many rows as expected.

use base::{Error, Progress, Result, count};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, known};
use crate::checks::params::percent;

/// The kind `row_count`.
pub(super) struct RowCount;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The fewest rows allowed.
    min: Option<u64>,
    /// The most rows allowed.
    max: Option<u64>,
    /// How far the count may be from that of the version before, as a share of it: 0.1 is 10%.
    max_change: Option<f64>,
}

impl Kind for RowCount {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "row_count",
            title: "Number of rows",
            summary: "The table has as many rows as expected, and not many more or fewer than before.",
            doc: "`max_change` compares with the version before; the first version passes it.",
            example: "kind = \"row_count\"\nmin = 1\nmax_change = 0.2",
            is_about_rows: false,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.min.is_none() && params.max.is_none() && params.max_change.is_none() {
            let error = Error::invalid("the count has no limit");
            return Err(Misfit::param("min", error.hint("set `min`, `max` or `max_change`")));
        }
        if let (Some(min), Some(max)) = (params.min, params.max)
            && min > max
        {
            let error = Error::invalid(format!("no count lies between {min} and {max}")).hint("swap them");
            return Err(Misfit::param("max", error));
        }
        if let Some(change) = params.max_change.filter(|change| !change.is_finite() || *change < 0.0) {
            let error = Error::invalid(format!("`max_change` cannot be {change}"));
            return Err(Misfit::param("max_change", error.hint("write a share such as 0.2")));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let mut parts = match (params.min, params.max) {
            (Some(min), Some(max)) => vec![format!("between {} and {} rows", count(min), count(max))],
            (Some(min), None) => vec![format!("at least {} rows", count(min))],
            (None, Some(max)) => vec![format!("at most {} rows", count(max))],
            (None, None) => Vec::new(),
        };
        if let Some(change) = params.max_change {
            parts.push(format!("at most {} more or fewer rows than before", percent(change)));
        }
        parts.join(", and ")
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let rows = context.table.rows();
        let mut is_passed =
            params.min.is_none_or(|min| rows >= min) && params.max.is_none_or(|max| rows <= max);
        let mut measured = format!("{} rows", count(rows));
        if let (Some(most), Some(previous)) = (params.max_change, context.previous) {
            let before = previous.rows();
            let change = (rows as f64 - before as f64) / (before as f64).max(1.0);
            is_passed &= change.abs() <= most;
            let sign = if change > 0.0 { "+" } else { "" };
            measured.push_str(&format!(", {} before ({sign}{})", count(before), percent(change)));
        }
        Ok(known(is_passed, measured))
    }
}
