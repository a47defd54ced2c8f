//! `leakage`: no single column gives the answer away.

use std::collections::HashMap;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use score::Values;
use serde::{Deserialize, Serialize};

use crate::matrix::Target;
use crate::metrics::binary::Ranking;
use crate::model_tests::kind::{Context, Declaration, Finding, Group, Kind, Misfit};

/// The kind `leakage`.
pub(in crate::model_tests) struct Leakage;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// A column alone may tell the target this well, from 0 (not at all) to 1 (perfectly).
    max_power: f64,
    /// Columns that may tell it better.
    allowed: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_power: 0.98, allowed: Vec::new() }
    }
}

impl Kind for Leakage {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "leakage",
            title: "No column that knows",
            summary: "No single column gives the answer away.",
            doc: "For classes the power of a column is 2 |AUC - 0.5|, with the AUC of its values (of a text, of the \
                  share of the class among the other half of the rows with that text) for the class that it tells \
                  best. For numbers it is the squared rank correlation (Spearman), of a text that of the means. A \
                  column that is nearly perfect alone is as a rule a copy of the target or was written after it.",
            example: "kind = \"leakage\"\nmax_power = 0.98\nallowed = [\"diagnosis_code\"]",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if (0.0..=1.0).contains(&params.max_power) {
            return Ok(());
        }
        let error = Error::invalid(format!("`max_power` cannot be {}", params.max_power));
        Err(Misfit::param("max_power", error.hint("write a number from 0 to 1")))
    }

    fn rule(&self, params: &Params) -> String {
        format!("no column alone tells the target better than {}", base::number(params.max_power, 4))
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let rows = context.rows;
        let mut groups = Vec::new();
        for (at, (name, values)) in rows.batch.columns.iter().enumerate() {
            progress.step("looking at columns", at as u64, Some(rows.batch.columns.len() as u64))?;
            let value = power(values, &rows.truth);
            groups.push(Group {
                name: format!("`{name}` alone"),
                rows: rows.len() as u64,
                measure: "power".to_owned(),
                value,
                is_broken: value > params.max_power && !params.allowed.contains(name),
            });
        }
        groups.sort_by(|a, b| b.is_broken.cmp(&a.is_broken).then(b.value.total_cmp(&a.value)));
        let measured = groups.first().map_or_else(
            || "the model reads no column".to_owned(),
            |most| format!("{} tells the target with a power of {}", most.name, base::number(most.value, 3)),
        );
        Ok(Finding {
            is_passed: !groups.iter().any(|group| group.is_broken),
            measured,
            groups,
            rows: Vec::new(),
        })
    }
}

/// How well a column alone tells the target, from 0 to 1.
fn power(values: &Values, truth: &Target) -> f64 {
    match truth {
        Target::Numbers(numbers) => {
            let scores = match values {
                Values::Text(texts) => encoded(texts, numbers),
                _ => filled(values.as_f64()),
            };
            let r = correlation(&ranks(&scores), &ranks(numbers));
            r * r
        }
        Target::Classes { codes, count } => {
            let of_class = |class: u32| {
                let is: Vec<bool> = codes.iter().map(|code| *code == class).collect();
                let scores = match values {
                    Values::Text(texts) => {
                        let ones: Vec<f64> = is.iter().map(|is| f64::from(u8::from(*is))).collect();
                        encoded(texts, &ones)
                    }
                    _ => filled(values.as_f64()),
                };
                let auc = Ranking::new(&is, &scores).auc();
                if auc.is_finite() { 2.0 * (auc - 0.5).abs() } else { 0.0 }
            };
            (0..*count as u32).map(of_class).fold(0.0, f64::max)
        }
    }
}

/// Each text as the mean of the target among the rows of the other half with the same text, so that a
/// text that occurs once tells nothing.
fn encoded(texts: &[Option<String>], target: &[f64]) -> Vec<f64> {
    let mut sums: [HashMap<&Option<String>, (f64, f64)>; 2] = Default::default();
    for (at, (text, value)) in texts.iter().zip(target).enumerate() {
        let sum = sums[at % 2].entry(text).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
    let other = |(at, text): (usize, &Option<String>)| {
        sums[1 - at % 2].get(text).map_or(mean, |(sum, count)| sum / count)
    };
    texts.iter().enumerate().map(other).collect()
}

/// Missing values as the lowest: that a value is missing may be what tells.
fn filled(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| if value.is_nan() { f64::NEG_INFINITY } else { value }).collect()
}

/// The rank of each value, equal ones sharing the middle of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        for at in &order[start..end] {
            ranks[*at] = (start + end - 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len().max(1) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a) * (x - mean_a);
        bb += (y - mean_b) * (y - mean_b);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}
