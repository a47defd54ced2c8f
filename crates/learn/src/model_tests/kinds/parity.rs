//! `parity`: the package answers as the run did.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};

/// The kind `parity`.
pub(in crate::model_tests) struct Parity;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The largest difference of a probability or of the target's unit, relative to the largest answer
    /// above 1.
    max_difference: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_difference: 1e-6 }
    }
}

impl Kind for Parity {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "parity",
            title: "Same as in training",
            summary: "The package answers as the run did.",
            doc: "The rows that were held out are scored again and compared with what the trainer said of them when \
                  it had just learnt.",
            example: "kind = \"parity\"\nmax_difference = 0.000001",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.max_difference >= 0.0 {
            return Ok(());
        }
        let error = Error::invalid(format!("`max_difference` cannot be {}", params.max_difference));
        Err(Misfit::param("max_difference", error.hint("write 0 or more")))
    }

    fn rule(&self, params: &Params) -> String {
        format!("the package is at most {} from the run", base::number(params.max_difference, 3))
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let (rows, difference) = (context.prove)()?.ok_or_else(|| {
            Error::invalid("the package carries no rows to compare")
                .hint("train it with a split that has validation or test rows")
        })?;
        let measured =
            format!("at most {} apart over {} rows", base::number(difference, 2), base::count(rows));
        Ok(Finding::plain(difference <= params.max_difference, measured))
    }
}
