//! Two profiles side by side: what came and went, how far each column has moved, and which values
//! became more or less frequent.

use serde::{Deserialize, Serialize};

use super::{ColumnProfile, Profile};
use crate::drift::{self, Drift};
use crate::schema::Kind;

/// Values that are listed side by side.
const MAX_VALUES: usize = 20;

/// Two profiles side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Rows of the first.
    pub rows_before: u64,
    /// Rows of the second.
    pub rows_after: u64,
    /// Columns that only the second has, in its order.
    pub added: Vec<String>,
    /// Columns that only the first has, in its order.
    pub removed: Vec<String>,
    /// Columns whose kind changed, in the order of the second.
    pub retyped: Vec<KindChange>,
    /// Columns of one kind in both, in the order of the second.
    pub columns: Vec<ColumnComparison>,
}

/// A column whose kind changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindChange {
    /// The column.
    pub name: String,
    /// Its kind in the first profile.
    pub before: Kind,
    /// Its kind in the second.
    pub after: Kind,
}

/// A column in both profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnComparison {
    /// What the first says of it.
    pub before: ColumnProfile,
    /// What the second says of it.
    pub after: ColumnProfile,
    /// How far it has moved.
    pub drift: Drift,
    /// Values that are frequent in one of them, the most frequent first.
    pub values: Vec<ValueShares>,
}

/// How frequent a value is in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueShares {
    /// The value.
    pub value: String,
    /// Its share of the values that are there in the first profile; none if it is not listed
    /// there, which means rare or absent.
    pub before: Option<f64>,
    /// The same in the second.
    pub after: Option<f64>,
}

/// Compares two profiles, the older one first.
pub fn compare(before: &Profile, after: &Profile) -> Comparison {
    let names = |profile: &Profile, other: &Profile| {
        let only = profile.columns.iter().filter(|column| other.column(&column.name).is_none());
        only.map(|column| column.name.clone()).collect()
    };
    let (mut retyped, mut columns) = (Vec::new(), Vec::new());
    for now in &after.columns {
        let Some(then) = before.column(&now.name) else { continue };
        if then.kind != now.kind {
            retyped.push(KindChange { name: now.name.clone(), before: then.kind, after: now.kind });
            continue;
        }
        columns.push(ColumnComparison {
            before: then.clone(),
            after: now.clone(),
            drift: drift::compare(then, now),
            values: values(then, now),
        });
    }
    Comparison {
        rows_before: before.rows,
        rows_after: after.rows,
        added: names(after, before),
        removed: names(before, after),
        retyped,
        columns,
    }
}

fn values(before: &ColumnProfile, after: &ColumnProfile) -> Vec<ValueShares> {
    let share = |column: &ColumnProfile, value: &str| {
        let listed = column.top.iter().find(|entry| entry.value == value)?;
        Some(listed.count as f64 / column.count as f64)
    };
    let mut listed: Vec<&str> =
        before.top.iter().chain(&after.top).map(|entry| entry.value.as_str()).collect();
    listed.sort_unstable();
    listed.dedup();
    let mut values: Vec<ValueShares> = listed
        .into_iter()
        .map(|value| ValueShares {
            value: value.to_owned(),
            before: share(before, value),
            after: share(after, value),
        })
        .collect();
    let most = |v: &ValueShares| v.before.unwrap_or(0.0).max(v.after.unwrap_or(0.0));
    values.sort_by(|a, b| most(b).total_cmp(&most(a)).then_with(|| a.value.cmp(&b.value)));
    values.truncate(MAX_VALUES);
    values
}
