//! Every kind of check. A new one is a file here and a line in [`LIST`].

mod distribution;
mod duplicate_rows;
mod expression;
mod foreign_key;
mod freshness;
mod leakage;
mod not_null;
mod pattern;
mod range;
mod row_count;
mod set;
mod type_of;
mod unique;

use base::{Error, Result};
use serde_json::Value;

use super::kind::{CheckKind, Declaration};
use crate::schema::nearest;

/// The kinds in the order of the documentation.
const LIST: &[&dyn CheckKind] = &[
    &not_null::NotNull,
    &unique::Unique,
    &range::Range,
    &set::Set,
    &pattern::Pattern,
    &type_of::TypeOf,
    &expression::Expression,
    &foreign_key::ForeignKey,
    &duplicate_rows::DuplicateRows,
    &leakage::Leakage,
    &row_count::RowCount,
    &freshness::Freshness,
    &distribution::Distribution,
];

/// What is said about every kind, in the order of the documentation.
pub fn declarations() -> Vec<Declaration> {
    LIST.iter().map(|kind| kind.declaration()).collect()
}

/// The JSON Schema of the parameters of a kind.
///
/// # Errors
/// `invalid_input` if there is no such kind.
pub fn params_schema(kind: &str) -> Result<Value> {
    Ok(find(kind)?.params_schema())
}

/// The kind of this name.
///
/// # Errors
/// `invalid_input`, with the nearest name as the hint.
pub(super) fn find(name: &str) -> Result<&'static dyn CheckKind> {
    LIST.iter().find(|kind| kind.declaration().kind == name).copied().ok_or_else(|| {
        let error = Error::invalid(format!("there is no check `{name}`"));
        let names: Vec<&str> = LIST.iter().map(|kind| kind.declaration().kind).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the checks are {}", names.join(", "))),
        }
    })
}
