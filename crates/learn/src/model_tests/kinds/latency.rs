//! `latency`: the model answers fast enough.

use std::time::Instant;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};

/// The kind `latency`.
pub(in crate::model_tests) struct Latency;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// 95 of 100 answers take no longer, in milliseconds.
    max_p95_ms: f64,
    /// Rows that are asked for at once.
    rows: usize,
    /// How often it is asked.
    repeats: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_p95_ms: 10.0, rows: 1, repeats: 200 }
    }
}

impl Kind for Latency {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "latency",
            title: "Latency",
            summary: "The model answers fast enough.",
            doc: "Measured in this process, without a network, on one thread, after ten answers that do not count. \
                  The machine matters: leave room.",
            example: "kind = \"latency\"\nmax_p95_ms = 5\nrows = 1",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.max_p95_ms.is_nan() || params.max_p95_ms <= 0.0 {
            let error = Error::invalid(format!("`max_p95_ms` cannot be {}", params.max_p95_ms));
            return Err(Misfit::param("max_p95_ms", error.hint("write a number above 0")));
        }
        if !(1..=100_000).contains(&params.rows) || !(1..=100_000).contains(&params.repeats) {
            let error = Error::invalid("`rows` and `repeats` are from 1 to 100,000");
            return Err(Misfit::param("rows", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let most = base::number(params.max_p95_ms, 4);
        match params.rows {
            1 => format!("95 of 100 answers within {most} ms"),
            many => format!("95 of 100 answers of {many} rows within {most} ms"),
        }
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let all = context.rows.len();
        let mut times_ms = Vec::with_capacity(params.repeats as usize);
        for repeat in 0..params.repeats as usize + 10 {
            progress.step("timing", repeat as u64, Some(u64::from(params.repeats)))?;
            let rows: Vec<u32> = (0..params.rows).map(|at| ((repeat + at) % all) as u32).collect();
            let batch = context.rows.batch.take(&rows);
            let started = Instant::now();
            context.package.predict(&batch)?;
            if repeat >= 10 {
                times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| times_ms[(share * (times_ms.len() - 1) as f64).round() as usize];
        let measured = format!(
            "median {} ms, 95 of 100 within {} ms",
            base::number(at(0.5), 3),
            base::number(at(0.95), 3)
        );
        Ok(Finding::plain(at(0.95) <= params.max_p95_ms, measured))
    }
}
