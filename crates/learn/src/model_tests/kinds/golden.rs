//! `golden`: rows whose right answers are written down are answered so.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use score::{Batch, GoldenCheck, Values};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model_tests::kind::{Context, Declaration, EvidenceRow, Finding, Kind, Misfit};

/// The kind `golden`.
pub(in crate::model_tests) struct Golden;

/// A row and its right answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct GoldenRow {
    /// The inputs by name; one that is left out is missing.
    inputs: Map<String, Value>,
    /// The answers that matter, by name.
    outputs: Map<String, Value>,
}

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The rows; the one that the package carries if left out.
    rows: Vec<GoldenRow>,
    /// Numbers may differ by this much, relative to them above 1.
    tolerance: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { rows: Vec::new(), tolerance: GoldenCheck::TOLERANCE }
    }
}

impl Kind for Golden {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "golden",
            title: "Golden rows",
            summary: "Rows whose right answers are written down are answered so.",
            doc: "Write the cases that must never go wrong: the example in the contract, the customer who \
                  complained. Without rows the one that every package carries is checked.",
            example: "kind = \"golden\"\nrows = [{ inputs = { age = 40, sex = \"f\" }, outputs = { label = \"yes\" } }]",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.rows.iter().any(|row| row.inputs.is_empty() || row.outputs.is_empty()) {
            let error = Error::invalid("a row has no inputs or no outputs");
            return Err(Misfit::param("rows", error.hint("write `{ inputs = { … }, outputs = { … } }`")));
        }
        if params.tolerance.is_nan() || params.tolerance < 0.0 {
            return Err(Misfit::param(
                "tolerance",
                Error::invalid("`tolerance` is below 0").hint("write 0 or more"),
            ));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        match params.rows.len() {
            0 => "the golden row of the package is answered as recorded".to_owned(),
            1 => "1 golden row is answered as written".to_owned(),
            many => format!("{many} golden rows are answered as written"),
        }
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        if params.rows.is_empty() {
            let check = context.package.check_golden()?;
            let measured = match check.passed {
                true => format!("it differs by at most {}", base::number(check.max_abs_diff, 2)),
                false => check.differences.join(", "),
            };
            return Ok(Finding::plain(check.passed, measured));
        }
        let mut broken = Vec::new();
        for (at, row) in params.rows.iter().enumerate() {
            let differences = differences(context, row, params.tolerance)
                .map_err(|e| e.within(format!("golden row {} cannot be scored", at + 1)))?;
            if !differences.is_empty() {
                broken.push(EvidenceRow { row: at as u64, cells: differences });
            }
        }
        let measured = format!(
            "{} of {} rows are answered as written",
            params.rows.len() - broken.len(),
            params.rows.len()
        );
        Ok(Finding { is_passed: broken.is_empty(), measured, groups: Vec::new(), rows: broken })
    }
}

/// What differs, by output.
fn differences(context: &Context<'_>, row: &GoldenRow, tolerance: f64) -> Result<Vec<(String, String)>> {
    let known = |name: &String| context.card.signature.inputs.iter().any(|input| input.name == *name);
    if let Some(stranger) = row.inputs.keys().find(|name| !known(name)) {
        return Err(Error::invalid(format!("the model does not read `{stranger}`")).hint("correct the name"));
    }
    let mut columns = Vec::new();
    for input in &context.card.signature.inputs {
        let value = row.inputs.get(&input.name).unwrap_or(&Value::Null);
        columns
            .push((input.name.clone(), Values::from_json(&input.name, input.kind, std::iter::once(value))?));
    }
    let said = context.package.predict(&Batch { rows: 1, columns })?;
    let mut found = Vec::new();
    for (name, expected) in &row.outputs {
        let got = said.column(name).map_or(Value::Null, |values| values.json(0));
        let is_same = match (got.as_f64(), expected.as_f64()) {
            (Some(got), Some(expected)) => (got - expected).abs() / expected.abs().max(1.0) <= tolerance,
            _ => got == *expected,
        };
        if !is_same {
            found.push((name.clone(), format!("{got}, expected {expected}")));
        }
    }
    Ok(found)
}
