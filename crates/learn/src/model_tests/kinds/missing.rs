//! `missing`: the model stands missing values.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use score::Values;
use serde::{Deserialize, Serialize};

use super::noise::{Damaged, check_drop, damage};
use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};
use crate::random::Stream;

/// The kind `missing`.
pub(in crate::model_tests) struct Missing;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The columns that lose values, one after the other; all that may be missing if left out.
    columns: Vec<String>,
    /// The share of values that are taken away.
    share: f64,
    /// The metric; accuracy for classes and the mean absolute error for numbers if left out.
    metric: String,
    /// How much worse the metric may get: of a share such as accuracy that much less, of an error that
    /// part more.
    max_drop: f64,
    /// Fixes what is taken away.
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), share: 0.1, metric: String::new(), max_drop: 0.1, seed: 1 }
    }
}

impl Kind for Missing {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "missing",
            title: "Missing values",
            summary: "The model gets little worse if values are missing.",
            doc: "One column after the other loses a share of its values, chosen by the seed, and the metric is \
                  measured again. A column that the model must be given cannot be missing; naming it is an error \
                  of the test, and it is passed over if no column is named.",
            example: "kind = \"missing\"\nshare = 0.2\nmax_drop = 0.05",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if !(0.0..=1.0).contains(&params.share) {
            let error = Error::invalid(format!("`share` cannot be {}", params.share));
            return Err(Misfit::param("share", error.hint("write a share from 0 to 1")));
        }
        check_drop(&params.metric, params.max_drop)
    }

    fn rule(&self, params: &Params) -> String {
        let share = base::number(params.share * 100.0, 3);
        format!("with {share} % of a column missing worse by at most {}", base::number(params.max_drop, 4))
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let inputs = &context.card.signature.inputs;
        let mut columns = Vec::new();
        for name in &params.columns {
            match inputs.iter().find(|input| input.name == *name) {
                Some(input) if input.required => {
                    return Err(Error::invalid(format!("the model must be given `{name}`"))
                        .hint("impute it in the pipeline, or take it out of the test"));
                }
                Some(_) => columns.push(name.clone()),
                None => super::directional::known_column(context, name)?,
            }
        }
        if params.columns.is_empty() {
            columns.extend(inputs.iter().filter(|input| !input.required).map(|input| input.name.clone()));
        }
        let lose = |name: &str, values: &Values| {
            let take = (values.len() as f64 * params.share).round() as usize;
            let gone = Stream::new(params.seed, name, 0).sample(values.len(), take);
            without(values, &gone)
        };
        let how = Damaged { metric: &params.metric, max_drop: params.max_drop, columns: &columns };
        damage(context, &how, lose, progress)
    }
}

/// The same values but for those at these places.
fn without(values: &Values, gone: &[u32]) -> Values {
    if let Values::Text(texts) = values {
        let mut texts = texts.clone();
        gone.iter().for_each(|at| texts[*at as usize] = None);
        return Values::Text(texts);
    }
    let mut numbers = values.as_f64();
    gone.iter().for_each(|at| numbers[*at as usize] = f64::NAN);
    Values::F64(numbers)
}
