//! The health gate: rows whose answers are known are asked for where the model was put. A version that
//! answers them otherwise never becomes what callers get.

use std::path::Path;

use base::{Code, Error, Result};
use score::{Batch, GoldenCheck, Package, Values};
use serde_json::{Map, Value};

use super::Work;

/// So many rows that were held out are asked for beside the golden one.
const HELD_OUT_ROWS: usize = 20;

/// Rows with the answers that are expected.
pub(crate) struct Probe {
    /// Input by name.
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Output by name, one for each row.
    expected: Vec<Map<String, Value>>,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    /// HTTP status.
    pub(crate) status: u16,
    /// What was sent.
    pub(crate) request: String,
    /// What came back.
    pub(crate) response: String,
    /// Answers by name, in the order of the rows.
    pub(crate) columns: Map<String, Value>,
    /// How long it took, ms.
    pub(crate) latency_ms: f64,
}

impl Probe {
    /// The golden row of a package, and rows that it carries, with what the package says of them here.
    pub(crate) fn of(folder: &Path, package: &Package) -> Result<Self> {
        let mut probe = Self { rows: Vec::new(), expected: Vec::new() };
        if let Some(golden) = package.card().and_then(|card| card.golden.as_ref()) {
            probe.rows.push(golden.inputs.clone());
            probe.expected.push(golden.outputs.clone());
        }
        // Not every package carries rows; the golden one has to do then.
        let mut rows = flow::kinds::held_out_rows(folder, package).unwrap_or_default();
        rows.truncate(HELD_OUT_ROWS);
        if !rows.is_empty() {
            let said = answer(package, &rows)?;
            for row in 0..rows.len() {
                let answers = said
                    .columns
                    .iter()
                    .filter_map(|(name, values)| Some((name.clone(), values.as_array()?.get(row)?.clone())));
                probe.expected.push(answers.collect());
            }
            probe.rows.append(&mut rows);
        }
        Ok(probe)
    }

    /// One row of which nothing is expected.
    pub(crate) fn only(rows: &[Map<String, Value>]) -> Self {
        Self { rows: rows.to_vec(), expected: Vec::new() }
    }

    /// Holds answers against what is expected.
    ///
    /// # Errors
    /// [`Code::DeployFailed`] naming the first that differs.
    pub(crate) fn check(&self, answers: &Answers) -> Result<()> {
        let refused = |why: String| {
            Error::new(Code::DeployFailed, "it answers its golden rows wrongly")
                .because(why)
                .hint("what served before goes on; look at the log of the deployment")
        };
        if answers.status != 200 {
            return Err(refused(format!("status {}: {}", answers.status, answers.response)));
        }
        for (row, expected) in self.expected.iter().enumerate() {
            for (name, expected) in expected {
                let got = answers.columns.get(name).and_then(|column| column.get(row));
                let got = got.unwrap_or(&Value::Null);
                if !is_same(got, expected) {
                    return Err(refused(format!("row {}: `{name}` is {got}, expected {expected}", row + 1)));
                }
            }
        }
        Ok(())
    }

    /// Lets the package answer in this process.
    pub(crate) fn here(&self, work: &Work) -> Result<Answers> {
        answer(&work.load()?, &self.rows)
    }
}

/// What a package says of rows.
pub(crate) fn answer(package: &Package, rows: &[Map<String, Value>]) -> Result<Answers> {
    let columns = package.columns().into_iter().map(|(name, kind)| {
        let cells = rows.iter().map(|row| row.get(&name).unwrap_or(&Value::Null));
        let values = Values::from_json(&name, kind, cells)?;
        Ok((name, values))
    });
    // A column that no row has is left out, so that the package says whether it may be.
    let columns = columns.filter(|column: &Result<(String, Values)>| {
        column.as_ref().map_or(true, |(name, _)| rows.iter().any(|row| row.contains_key(name)))
    });
    let batch = Batch { rows: rows.len(), columns: columns.collect::<Result<_>>()? };
    let started = std::time::Instant::now();
    let said = package.predict(&batch)?;
    let columns: Map<String, Value> = said
        .columns
        .iter()
        .map(|(name, values)| {
            let width = values.len() / said.rows.max(1);
            let cell = |row: usize| match width {
                1 => values.json(row),
                _ => (row * width..(row + 1) * width).map(|at| values.json(at)).collect(),
            };
            (name.clone(), (0..said.rows).map(cell).collect())
        })
        .collect();
    let response = Value::Object(columns.clone()).to_string();
    let request = Value::from_iter(rows.iter().cloned().map(Value::Object)).to_string();
    Ok(Answers { status: 200, request, response, columns, latency_ms: started.elapsed().as_secs_f64() * 1e3 })
}

fn is_same(got: &Value, expected: &Value) -> bool {
    match (got.as_f64(), expected.as_f64()) {
        (Some(got), Some(expected)) => {
            (got - expected).abs() <= GoldenCheck::TOLERANCE * expected.abs().max(1.0)
        }
        _ => got == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> (std::path::PathBuf, Package) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../serving/tests/fixtures/penguins");
        let package = Package::load(&folder).expect("the fixture loads");
        (folder, package)
    }

    #[test]
    fn a_package_passes_its_own_gate_and_a_changed_answer_does_not() {
        let (folder, package) = package();
        let probe = Probe::of(&folder, &package).expect("it has a golden row");
        let mut answers = answer(&package, &probe.rows).expect("it answers");
        probe.check(&answers).expect("it is right");
        answers.columns["probability_Adelie"] = serde_json::json!([0.5]);
        let error = probe.check(&answers).expect_err("half is wrong");
        assert!(error.causes[0].contains("probability_Adelie"), "{error:?}");
        answers.columns.remove("label");
        assert!(probe.check(&answers).is_err());
        let refused = Answers { status: 503, response: "no".to_owned(), ..Answers::default() };
        assert!(probe.check(&refused).is_err());
    }
}
