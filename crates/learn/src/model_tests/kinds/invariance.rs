//! `invariance`: changing a column does not change the answer.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::directional::{changed, finding, moved_rows};
use crate::explain::shuffled;
use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};

/// The kind `invariance`.
pub(in crate::model_tests) struct Invariance;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The column that must not matter.
    column: String,
    /// An answer may move by this much: of a probability, or of the target's unit.
    max_change: f64,
    /// The share of rows whose answer may move further.
    max_share: f64,
    /// How often the column is shuffled.
    repeats: u32,
    /// Fixes the shuffles.
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { column: String::new(), max_change: 1e-6, max_share: 0.0, repeats: 5, seed: 1 }
    }
}

impl Kind for Invariance {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "invariance",
            title: "Invariance",
            summary: "Changing a column does not change the answer.",
            doc: "The values of the column are exchanged among the rows `repeats` times. A row breaks the test if \
                  the probability of any class, or the number, moves by more than `max_change` in any of them. A \
                  column that the model does not read changes nothing, and the test holds.",
            example: "kind = \"invariance\"\ncolumn = \"name\"\nmax_change = 0.01",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.column.is_empty() {
            let error = Error::invalid("there is no `column`").hint("name the column that must not matter");
            return Err(Misfit::param("column", error));
        }
        if !(1..=100).contains(&params.repeats) {
            let error = Error::invalid(format!("`repeats` cannot be {}", params.repeats));
            return Err(Misfit::param("repeats", error.hint("write a number from 1 to 100")));
        }
        super::directional::check_share(params.max_share)
    }

    fn rule(&self, params: &Params) -> String {
        format!(
            "changing `{}` moves no answer by more than {}",
            params.column,
            base::number(params.max_change, 4)
        )
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let rows = context.rows;
        let Some(values) = rows.batch.column(&params.column) else {
            super::directional::known_column(context, &params.column)?;
            return Ok(Finding::plain(true, format!("the model does not read `{}`", params.column)));
        };
        let mut furthest = vec![0.0_f64; rows.len()];
        for repeat in 0..params.repeats {
            progress.step("changing a column", u64::from(repeat), Some(u64::from(params.repeats)))?;
            let order = shuffled(params.seed, &params.column, u64::from(repeat), rows.len());
            let said = changed(context, &rows.batch.with(&params.column, values.pick(&order)))?;
            for class in 0..rows.classes.len().max(1) {
                let pairs =
                    crate::model_tests::rows::answer(&said, class).into_iter().zip(rows.answer(class));
                for (most, (now, before)) in furthest.iter_mut().zip(pairs) {
                    *most = most.max((now - before).abs());
                }
            }
        }
        let broken = moved_rows(&furthest, params.max_change);
        Ok(finding(context, &params.column, &furthest, &broken, params.max_share))
    }
}
