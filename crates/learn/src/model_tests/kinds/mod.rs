//! Every kind of test. A new one is a file here and a line in [`LIST`].

mod calibration;
mod champion;
mod directional;
mod fairness;
mod golden;
mod invariance;
mod latency;
mod leakage;
mod metric;
mod missing;
mod noise;
mod overlap;
mod parity;
mod schema;
mod size;
mod slices;

pub use slices::slices;

use base::{Error, Result};
use data::nearest;
use serde_json::Value;

use super::kind::{Declaration, TestKind};

/// The kinds in the order of the documentation.
const LIST: &[&dyn TestKind] = &[
    &metric::Metric,
    &champion::Champion,
    &slices::Slices,
    &fairness::Fairness,
    &calibration::Calibration,
    &invariance::Invariance,
    &directional::Directional,
    &missing::Missing,
    &noise::Noise,
    &leakage::Leakage,
    &overlap::Overlap,
    &schema::Schema,
    &golden::Golden,
    &parity::Parity,
    &latency::Latency,
    &size::Size,
];

/// What is said about every kind, in the order of the documentation.
pub fn declarations() -> Vec<Declaration> {
    LIST.iter().map(|kind| kind.declaration()).collect()
}

/// The JSON Schema of the parameters of a kind.
///
/// # Errors
/// [`base::Code::InvalidInput`] if there is no such kind.
pub fn params_schema(kind: &str) -> Result<Value> {
    Ok(find(kind)?.params_schema())
}

/// The kind of this name.
pub(super) fn find(name: &str) -> Result<&'static dyn TestKind> {
    LIST.iter().find(|kind| kind.declaration().kind == name).copied().ok_or_else(|| {
        let error = Error::invalid(format!("there is no test `{name}`"));
        let names: Vec<&str> = LIST.iter().map(|kind| kind.declaration().kind).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the tests are {}", names.join(", "))),
        }
    })
}
