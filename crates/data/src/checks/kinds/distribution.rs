//! `distribution`: the values of a column are spread as they were.

use arrow::array::RecordBatch;
use base::{Error, Progress, Result, number};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Failing, Kind, Misfit, Verdict, Watch};
use crate::checks::params::named;
use crate::drift::{self, methods};
use crate::profile::{Collector, ColumnProfile};
use crate::schema::Column;

/// The kind `distribution`.
pub(super) struct Distribution;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The largest population stability index allowed.
    max_psi: Option<f64>,
    /// The largest Kolmogorov-Smirnov statistic allowed, for numbers and times.
    max_ks: Option<f64>,
}

impl Default for Params {
    fn default() -> Self {
        Self { column: String::new(), max_psi: Some(drift::PSI_ALARM), max_ks: None }
    }
}

impl Kind for Distribution {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "distribution",
            title: "Same distribution",
            summary: "The values of a column are spread as in the version before.",
            doc: "Compares with the reference profile, which is that of the version before unless another is \
                  given; without a reference the check holds. `max_psi` limits the population stability index \
                  (0.1 is a small shift, 0.25 a large one), `max_ks` the Kolmogorov-Smirnov statistic.",
            example: "kind = \"distribution\"\ncolumn = \"age\"\nmax_psi = 0.1\nmax_ks = 0.1",
            is_about_rows: false,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        for (name, limit) in [("max_psi", params.max_psi), ("max_ks", params.max_ks)] {
            if let Some(limit) = limit.filter(|limit| !limit.is_finite() || *limit < 0.0) {
                let error = Error::invalid(format!("`{name}` cannot be {limit}"));
                return Err(Misfit::param(name, error.hint("write a distance such as 0.1")));
            }
        }
        if params.max_psi.is_none() && params.max_ks.is_none() {
            let error = Error::invalid("the distance has no limit").hint("set `max_psi` or `max_ks`");
            return Err(Misfit::param("max_psi", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let limits = [("PSI", params.max_psi), ("KS distance", params.max_ks)];
        let limits = limits
            .into_iter()
            .filter_map(|(name, limit)| Some(format!("{name} at most {}", number(limit?, 4))));
        format!("`{}` is spread as before ({})", params.column, limits.collect::<Vec<_>>().join(", "))
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let column = context.table.meta().column(&params.column)?.clone();
        let reference = context.reference.and_then(|profile| profile.column(&params.column)).cloned();
        if let Some(then) = reference.as_ref().filter(|then| then.kind != column.kind) {
            let (name, then, now) = (&column.name, then.kind.word(), column.kind.word());
            return Err(Error::invalid(format!("`{name}` was of the kind {then} and is of the kind {now}"))
                .hint("import it with the kind it had, or check its type instead"));
        }
        let collector = reference.as_ref().map(|_| Collector::standard(column.kind, context.table.rows()));
        let columns = if reference.is_some() { vec![params.column.clone()] } else { Vec::new() };
        Ok(Box::new(Spread { columns, column, collector, reference, limits: params.clone() }))
    }
}

struct Spread {
    columns: Vec<String>,
    column: Column,
    collector: Option<Collector>,
    reference: Option<ColumnProfile>,
    limits: Params,
}

impl Watch for Spread {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn look(&mut self, rows: &RecordBatch, _failing: &mut Failing) -> Result<()> {
        if let Some(collector) = &mut self.collector {
            collector.add(rows.column(0).as_ref());
        }
        Ok(())
    }

    fn finish(&mut self, _failing: &mut Failing) -> Result<Verdict> {
        let (Some(reference), Some(collector)) = (&self.reference, self.collector.take()) else {
            let measured = "there is nothing to compare with yet".to_owned();
            return Ok(Verdict::Table { is_passed: true, measured });
        };
        let now = collector.finish(&self.column.name, Some(reference));
        let found = drift::compare_by(reference, &now, Some(methods::named("ks")?));
        let mut measured = format!("PSI {}", number(found.psi, 3));
        let mut is_passed = self.limits.max_psi.is_none_or(|most| found.psi <= most);
        if let (Some(statistic), Some("ks")) = (found.statistic, found.method.as_deref()) {
            measured.push_str(&format!(", KS distance {}", number(statistic, 3)));
            is_passed &= self.limits.max_ks.is_none_or(|most| statistic <= most);
        }
        Ok(Verdict::Table { is_passed, measured })
    }
}
