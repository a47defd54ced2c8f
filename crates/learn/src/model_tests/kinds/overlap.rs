//! `overlap`: the rows of the test are not among those that the model has learnt from.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::directional::{check_share, shown};
use crate::model_tests::kind::{Context, Declaration, EvidenceRow, Finding, Kind, Misfit};
use crate::package::raw_batch;

/// The kind `overlap`.
pub(in crate::model_tests) struct Overlap;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The share of rows that may be among those of the training.
    max_share: f64,
}

impl Kind for Overlap {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "overlap",
            title: "Unseen rows",
            summary: "The rows of the test are not among those that the model has learnt from.",
            doc: "Rows are compared in all inputs of the model. The training rows are known in the step \
                  `test_model`, whose table is split, and for a file of tests that names a dataset of its own: \
                  then they are all rows of the dataset that the model was trained on. Else it cannot be run.",
            example: "kind = \"overlap\"\nmax_share = 0.01",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        check_share(params.max_share)
    }

    fn rule(&self, params: &Params) -> String {
        match params.max_share {
            0.0 => "no row of the test is a training row".to_owned(),
            share => format!("at most {} % of the rows are training rows", base::number(share * 100.0, 3)),
        }
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let training = context.training.ok_or_else(|| {
            Error::invalid("the rows that the model has learnt from are not at hand")
                .hint("name a `dataset` to test on in the file, or run it as the step `test_model`")
        })?;
        let known: HashSet<String> = lines(context, training)?.into_iter().collect();
        let own = lines(context, &context.rows.table)?;
        let seen: Vec<usize> =
            own.iter().enumerate().filter(|(_, line)| known.contains(*line)).map(|(row, _)| row).collect();
        let share = seen.len() as f64 / own.len().max(1) as f64;
        let row = |row: &usize| {
            let columns = context.rows.batch.columns.iter().take(8);
            let cells = columns.map(|(name, values)| (name.clone(), shown(values, *row))).collect();
            EvidenceRow { row: *row as u64, cells }
        };
        Ok(Finding {
            is_passed: share <= params.max_share,
            measured: format!(
                "{} of {} rows are training rows ({} %)",
                base::count(seen.len() as u64),
                base::count(own.len() as u64),
                base::number(share * 100.0, 3)
            ),
            groups: Vec::new(),
            rows: seen.iter().take(20).map(row).collect(),
        })
    }
}

/// Each row as one text of all inputs.
fn lines(context: &Context<'_>, table: &RecordBatch) -> Result<Vec<String>> {
    let batch = raw_batch(&context.card.signature.inputs, table)?;
    let line = |row: usize| {
        let cells = batch.columns.iter().map(|(_, values)| values.json(row).to_string());
        cells.collect::<Vec<_>>().join("\u{1f}")
    };
    Ok((0..batch.rows).map(line).collect())
}
