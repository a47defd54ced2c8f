//! The health gate of a deployment: one row whose right answer travels with the package.

use base::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value as Json;

use crate::batch::{Batch, Values};
use crate::package::Package;

/// How a package answered its golden row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoldenCheck {
    /// True if every output is as recorded.
    pub passed: bool,
    /// The largest difference of a number, relative to it above 1.
    pub max_abs_diff: f64,
    /// What differs, in words; empty if it passed.
    pub differences: Vec<String>,
    /// What the package answered.
    pub outputs: serde_json::Map<String, Json>,
}

impl GoldenCheck {
    /// Numbers may differ by this much: the answer was recorded in single precision, perhaps on
    /// another processor.
    pub const TOLERANCE: f64 = 1e-6;
}

impl Package {
    /// Scores the golden row and compares.
    ///
    /// # Errors
    /// [`Code::NotFound`] if the package has none, else as [`Package::predict`].
    pub fn check_golden(&self) -> Result<GoldenCheck> {
        let golden = self.card().and_then(|card| card.golden.as_ref()).ok_or_else(|| {
            Error::new(Code::NotFound, "the package has no golden row")
                .hint("packages that Fettle writes have one in `fettle.json`")
        })?;
        let mut columns = Vec::new();
        for (name, kind) in self.columns() {
            if let Some(value) = golden.inputs.get(&name) {
                columns.push((name.clone(), Values::from_json(&name, kind, std::iter::once(value))?));
            }
        }
        let answer = self.predict(&Batch { rows: 1, columns })?;
        let mut check = GoldenCheck {
            passed: true,
            max_abs_diff: 0.0,
            differences: Vec::new(),
            outputs: Default::default(),
        };
        for (name, values) in &answer.columns {
            check.outputs.insert(name.clone(), values.json(0));
        }
        for (name, expected) in &golden.outputs {
            let got = check.outputs.get(name).cloned().unwrap_or(Json::Null);
            let difference = difference(&got, expected);
            check.max_abs_diff = check.max_abs_diff.max(difference.unwrap_or(0.0));
            if difference.is_none_or(|difference| difference > GoldenCheck::TOLERANCE) {
                check.differences.push(format!("`{name}` is {got}, expected {expected}"));
            }
        }
        check.passed = check.differences.is_empty();
        Ok(check)
    }
}

/// How far apart two values are; none if they cannot be compared and are not the same.
fn difference(got: &Json, expected: &Json) -> Option<f64> {
    match (got.as_f64(), expected.as_f64()) {
        (Some(got), Some(expected)) => Some((got - expected).abs() / expected.abs().max(1.0)),
        _ => (got == expected).then_some(0.0),
    }
}
