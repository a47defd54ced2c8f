//! `noise`: the model stands values that are a little off.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use score::{Kind as InputKind, Values};
use serde::{Deserialize, Serialize};

use super::directional::{changed, spread};
use crate::model_tests::kind::{Context, Declaration, Finding, Group, Kind, Misfit};
use crate::model_tests::rows::{known_metric, measure, metric_named};
use crate::random::Stream;

/// The kind `noise`.
pub(in crate::model_tests) struct Noise;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The columns that become noisy, one after the other; all numbers if left out.
    columns: Vec<String>,
    /// The standard deviation of the noise, in standard deviations of the column.
    scale: f64,
    /// The metric; accuracy for classes and the mean absolute error for numbers if left out.
    metric: String,
    /// How much worse the metric may get: of a share such as accuracy that much less, of an error that
    /// part more.
    max_drop: f64,
    /// Fixes the noise.
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { columns: Vec::new(), scale: 0.1, metric: String::new(), max_drop: 0.05, seed: 1 }
    }
}

impl Kind for Noise {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "noise",
            title: "Noise",
            summary: "The model gets little worse if numbers are a little off.",
            doc: "Normal noise is added to one column of numbers after the other, and the metric is measured again.",
            example: "kind = \"noise\"\nscale = 0.1\nmax_drop = 0.05",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if !(params.scale > 0.0 && params.scale.is_finite()) {
            let error = Error::invalid(format!("`scale` cannot be {}", params.scale));
            return Err(Misfit::param("scale", error.hint("write a number above 0")));
        }
        check_drop(&params.metric, params.max_drop)
    }

    fn rule(&self, params: &Params) -> String {
        format!(
            "with noise of {} standard deviations on a column worse by at most {}",
            base::number(params.scale, 4),
            base::number(params.max_drop, 4)
        )
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let inputs = &context.card.signature.inputs;
        let is_number = |kind: InputKind| matches!(kind, InputKind::Integer | InputKind::Number);
        let columns: Vec<String> = match params.columns.is_empty() {
            true => {
                inputs.iter().filter(|input| is_number(input.kind)).map(|input| input.name.clone()).collect()
            }
            false => params.columns.clone(),
        };
        let blur = |name: &str, values: &Values| {
            let numbers = values.as_f64();
            let width = spread(&numbers) * params.scale;
            let mut stream = Stream::new(params.seed, name, 0);
            Values::F64(numbers.into_iter().map(|value| value + width * normal(&mut stream)).collect())
        };
        for name in &columns {
            match inputs.iter().find(|input| input.name == *name) {
                Some(input) if !is_number(input.kind) => {
                    return Err(
                        Error::invalid(format!("`{name}` holds no numbers")).hint("name columns of numbers")
                    );
                }
                Some(_) => {}
                None => super::directional::known_column(context, name)?,
            }
        }
        let how = Damaged { metric: &params.metric, max_drop: params.max_drop, columns: &columns };
        damage(context, &how, blur, progress)
    }
}

/// How rows are damaged, and what the model may lose by it.
pub(super) struct Damaged<'a> {
    pub(super) metric: &'a str,
    pub(super) max_drop: f64,
    pub(super) columns: &'a [String],
}

/// Damages one column after the other and measures again; each is a group of the finding.
pub(super) fn damage(
    context: &Context<'_>,
    how: &Damaged<'_>,
    harm: impl Fn(&str, &Values) -> Values,
    progress: &Progress,
) -> Result<Finding> {
    let rows = context.rows;
    let metric = metric_named(how.metric, &rows.truth)?;
    let whole = rows.metric(metric)?;
    let mut groups: Vec<(f64, Group)> = Vec::new();
    for (at, name) in how.columns.iter().enumerate() {
        progress.step("damaging columns", at as u64, Some(how.columns.len() as u64))?;
        // What the model does not read cannot harm it.
        let Some(values) = rows.batch.column(name) else { continue };
        let said = changed(context, &rows.batch.with(name, harm(name, values)))?;
        let value = measure(metric, &rows.truth, &said)?;
        let drop = if metric.larger_is_better {
            whole - value
        } else {
            (value - whole) / whole.abs().max(f64::MIN_POSITIVE)
        };
        groups.push((
            drop,
            Group {
                name: format!("`{name}` damaged"),
                rows: rows.len() as u64,
                measure: metric.title.to_owned(),
                value,
                is_broken: drop > how.max_drop,
            },
        ));
    }
    groups.sort_by(|a, b| b.0.total_cmp(&a.0));
    let measured = match groups.first() {
        None => "there is no column to damage".to_owned(),
        Some((_, worst)) => format!(
            "with {} {} is {}, against {} before",
            worst.name,
            metric.title,
            base::number(worst.value, 4),
            base::number(whole, 4)
        ),
    };
    let groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    Ok(Finding { is_passed: !groups.iter().any(|group| group.is_broken), measured, groups, rows: Vec::new() })
}

pub(super) fn check_drop(metric: &str, max_drop: f64) -> Result<(), Misfit> {
    if !metric.is_empty() {
        known_metric(metric).map_err(|error| Misfit::param("metric", error))?;
    }
    if max_drop >= 0.0 {
        return Ok(());
    }
    let error = Error::invalid(format!("`max_drop` cannot be {max_drop}"));
    Err(Misfit::param("max_drop", error.hint("write 0 or more")))
}

/// A number of the standard normal distribution: the sum of twelve even ones, less six (Irwin and
/// Hall), which needs no function whose last bit differs between systems.
fn normal(stream: &mut Stream) -> f64 {
    let even = |_| (stream.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    (0..12).map(even).sum::<f64>() - 6.0
}
