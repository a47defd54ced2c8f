//! `freshness`: the newest row is not old.

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::TimestampMillisecondType;
use base::{Error, Progress, Result, number};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Failing, Kind, Misfit, Verdict, Watch};
use crate::checks::params::{column_of, named};
use crate::schema::Kind as ColumnKind;

/// The kind `freshness`.
pub(super) struct Freshness;

const DAY_MS: f64 = 86_400_000.0;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column of times.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// How many days the newest time may lie back.
    max_age_days: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { column: String::new(), max_age_days: 1.0 }
    }
}

impl Kind for Freshness {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "freshness",
            title: "Fresh",
            summary: "The newest time of a column is not older than some days.",
            doc: "Days have 24 hours, and a date without a time is its midnight in UTC. A newest time in the future \
                  passes. A column without a time fails.",
            example: "kind = \"freshness\"\ncolumn = \"ordered\"\nmax_age_days = 7",
            is_about_rows: false,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        if !params.max_age_days.is_finite() || params.max_age_days < 0.0 {
            let error = Error::invalid(format!("`max_age_days` cannot be {}", params.max_age_days));
            return Err(Misfit::param("max_age_days", error.hint("write a number of days, such as 7")));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        format!("the newest `{}` is at most {} days old", params.column, number(params.max_age_days, 6))
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        column_of(context.table, &params.column, &[ColumnKind::Time])?;
        Ok(Box::new(Newest {
            columns: vec![params.column.clone()],
            newest: None,
            now: context.now.as_ms(),
            max_age_days: params.max_age_days,
        }))
    }
}

struct Newest {
    columns: Vec<String>,
    newest: Option<i64>,
    now: i64,
    max_age_days: f64,
}

impl Watch for Newest {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn look(&mut self, rows: &RecordBatch, _failing: &mut Failing) -> Result<()> {
        self.newest = self.newest.max(max(rows.column(0).as_primitive::<TimestampMillisecondType>()));
        Ok(())
    }

    fn finish(&mut self, _failing: &mut Failing) -> Result<Verdict> {
        let Some(newest) = self.newest else {
            return Ok(Verdict::Table { is_passed: false, measured: "there is no time".to_owned() });
        };
        let age_days = (self.now as f64 - newest as f64) / DAY_MS;
        let words = crate::page::time(newest);
        Ok(Verdict::Table {
            is_passed: age_days <= self.max_age_days,
            measured: format!("the newest is {words}, {} days old", number(age_days, 3)),
        })
    }
}
