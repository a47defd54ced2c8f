//! `schema`: the model reads and answers what its callers agreed on.

use std::collections::BTreeMap;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::directional::shown;
use crate::model_tests::kind::{Context, Declaration, EvidenceRow, Finding, Kind, Misfit};

/// The kind `schema`.
pub(in crate::model_tests) struct Schema;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The columns that callers send, with their kinds: `integer`, `number`, `boolean`, `text`, `time`.
    /// The model may read fewer, and none that is not among them.
    inputs: BTreeMap<String, String>,
    /// The columns that callers read from the answer.
    outputs: Vec<String>,
    /// The smallest and the largest value of inputs.
    ranges: BTreeMap<String, [f64; 2]>,
    /// The smallest and the largest number that may be predicted.
    answer: Option<[f64; 2]>,
}

const KINDS: [&str; 5] = ["integer", "number", "boolean", "text", "time"];

impl Kind for Schema {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "schema",
            title: "Contract",
            summary: "The model reads and answers what its callers agreed on.",
            doc: "Whole numbers may be sent where numbers are read. With `ranges` the rows of the test must lie \
                  within the agreed values (missing ones pass), and with `answer` the predictions must.",
            example: "kind = \"schema\"\ninputs = { age = \"number\", sex = \"text\" }\nranges = { age = [0, 120] }",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        for (name, kind) in &params.inputs {
            if !KINDS.contains(&kind.as_str()) {
                let error = Error::invalid(format!("`{name}` cannot be of the kind `{kind}`"));
                return Err(Misfit::param(
                    "inputs",
                    error.hint(format!("write one of {}", KINDS.join(", "))),
                ));
            }
        }
        let turned = |range: &[f64; 2]| range[0] > range[1];
        if params.ranges.values().any(turned) || params.answer.as_ref().is_some_and(turned) {
            let error = Error::invalid("a range ends before it begins").hint("swap its ends");
            return Err(Misfit::param(
                if params.answer.as_ref().is_some_and(turned) { "answer" } else { "ranges" },
                error,
            ));
        }
        if params.inputs.is_empty()
            && params.outputs.is_empty()
            && params.ranges.is_empty()
            && params.answer.is_none()
        {
            let error = Error::invalid("nothing is agreed on")
                .hint("write `inputs`, `outputs`, `ranges` or `answer`");
            return Err(Misfit::param("inputs", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let mut parts = Vec::new();
        if !params.inputs.is_empty() {
            parts.push(format!("reads only the {} agreed columns", params.inputs.len()));
        }
        if !params.outputs.is_empty() {
            parts.push(format!("answers {}", params.outputs.join(", ")));
        }
        if !params.ranges.is_empty() || params.answer.is_some() {
            parts.push("values within the agreed ranges".to_owned());
        }
        parts.join(", ")
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let signature = &context.card.signature;
        let mut wrong = Vec::new();
        for input in signature.inputs.iter().filter(|_| !params.inputs.is_empty()) {
            match params.inputs.get(&input.name).map(String::as_str) {
                None => wrong.push(format!("it reads `{}`, which nobody sends", input.name)),
                Some(kind)
                    if kind == input.kind.name() || (kind, input.kind.name()) == ("integer", "number") => {}
                Some(kind) => wrong.push(format!(
                    "`{}` is sent as {kind} and read as {}",
                    input.name,
                    input.kind.name()
                )),
            }
        }
        let answers = |name: &String| signature.outputs.iter().any(|output| output.name == *name);
        wrong.extend(
            params
                .outputs
                .iter()
                .filter(|name| !answers(name))
                .map(|name| format!("it does not answer `{name}`")),
        );
        let mut rows = Vec::new();
        for (name, [low, high]) in &params.ranges {
            let Some(values) = context.rows.batch.column(name) else { continue };
            let numbers = values.as_f64();
            let outside: Vec<usize> =
                (0..numbers.len()).filter(|row| numbers[*row] < *low || numbers[*row] > *high).collect();
            if !outside.is_empty() {
                wrong.push(format!("`{name}` is outside of {low} to {high} in {} rows", outside.len()));
            }
            rows.extend(outside.iter().take(5).map(|row| EvidenceRow {
                row: *row as u64,
                cells: vec![(name.clone(), shown(values, *row))],
            }));
        }
        if let Some([low, high]) = params.answer {
            let outside =
                context.rows.answer(0).into_iter().filter(|value| !(low..=high).contains(value)).count();
            if outside > 0 {
                wrong.push(format!("the answer is outside of {low} to {high} in {outside} rows"));
            }
        }
        let measured = match wrong.is_empty() {
            true => format!(
                "{} inputs and {} outputs are as agreed",
                signature.inputs.len(),
                signature.outputs.len()
            ),
            false => wrong.join("; "),
        };
        Ok(Finding { is_passed: wrong.is_empty(), measured, groups: Vec::new(), rows })
    }
}
