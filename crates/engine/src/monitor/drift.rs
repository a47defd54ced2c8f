//! Drift of scored rows against the profile of the training data, column by column.

use base::{Progress, Result};
use data::drift::{Drift, Test, compare};
use data::profile::profile_like;
use data::{ColumnProfile, Profile};
use flow::kinds::Scored;

use super::{Baseline, level_view};
use crate::commands::figures::Figure;
use crate::commands::monitors::{DriftLevel, DriftView};

/// Values never seen in training that are named.
const NEW_VALUES: usize = 5;

/// Drift by input, worst first, and drift of the prediction.
///
/// # Errors
/// The rows cannot be counted.
pub(crate) fn of(baseline: &Baseline, scored: &Scored) -> Result<(Vec<DriftView>, Option<DriftView>)> {
    let mut features = views(&baseline.inputs, &profile(&scored.inputs, scored.rows, &baseline.inputs)?);
    features.sort_by(|a, b| b.level.cmp(&a.level).then(b.psi.total_cmp(&a.psi)));
    let outputs = views(&baseline.outputs, &profile(&scored.outputs, scored.rows, &baseline.outputs)?);
    // The label or the number is what the model says; probabilities follow from it.
    Ok((features, outputs.into_iter().next()))
}

fn profile(columns: &flow::kinds::Columns, rows: usize, like: &Profile) -> Result<Profile> {
    let folder =
        tempfile::tempdir().map_err(|e| base::Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    let table = flow::kinds::write_columns(folder.path(), columns, rows, like)?;
    profile_like(&table, like, &Progress::silent())
}

fn views(baseline: &Profile, current: &Profile) -> Vec<DriftView> {
    let pair = |then: &ColumnProfile| {
        let now = current.columns.iter().find(|column| column.name == then.name)?;
        // Nothing was seen in training or now: there is nothing to compare.
        (then.count + then.missing > 0 && now.count + now.missing > 0)
            .then(|| view(then, now, compare(then, now)))
    };
    baseline.columns.iter().filter_map(pair).collect()
}

fn view(then: &ColumnProfile, now: &ColumnProfile, drift: Drift) -> DriftView {
    DriftView {
        column: drift.column.clone(),
        level: level_view(drift.level),
        psi: drift.psi,
        test: match drift.test {
            Test::Ks => "ks".to_owned(),
            Test::ChiSquare => "chi_square".to_owned(),
            Test::None => "none".to_owned(),
        },
        statistic: drift.statistic.unwrap_or(0.0),
        p_value: drift.p_value.unwrap_or(1.0),
        missing_baseline: drift.missing_before,
        missing_current: drift.missing_now,
        new_values: new_values(then, now),
        figure: figure(then, now, drift.psi),
    }
}

fn new_values(then: &ColumnProfile, now: &ColumnProfile) -> Vec<String> {
    if then.histogram.is_some() || then.other > 0 {
        return Vec::new();
    }
    let is_known = |value: &str| then.top.iter().any(|one| one.value == value);
    let new = now.top.iter().filter(|one| one.count > 0 && !is_known(&one.value));
    new.take(NEW_VALUES).map(|one| one.value.clone()).collect()
}

/// Both distributions over the same bins, as shares that sum to one.
fn figure(then: &ColumnProfile, now: &ColumnProfile, psi: f64) -> Figure {
    let (bins, before, after) = match (&then.histogram, &now.histogram) {
        (Some(histogram), now) => {
            let edges = histogram.edges.windows(2);
            let bins =
                edges.map(|edge| format!("{} to {}", base::number(edge[0], 3), base::number(edge[1], 3)));
            let empty = vec![0; histogram.counts.len()];
            let now = now.as_ref().map_or(empty, |histogram| histogram.counts.clone());
            (bins.collect(), histogram.counts.clone(), now)
        }
        (None, _) => {
            let count =
                |value: &str| now.top.iter().find(|one| one.value == value).map_or(0, |one| one.count);
            let mut bins: Vec<String> = then.top.iter().map(|one| one.value.clone()).collect();
            let mut before: Vec<u64> = then.top.iter().map(|one| one.count).collect();
            let mut after: Vec<u64> = bins.iter().map(|value| count(value)).collect();
            let other = now.count.saturating_sub(after.iter().sum());
            if then.other > 0 || other > 0 {
                bins.push("other".to_owned());
                before.push(then.other);
                after.push(other);
            }
            (bins, before, after)
        }
    };
    Figure::Drift { column: then.name.clone(), bins, baseline: shares(&before), current: shares(&after), psi }
}

fn shares(counts: &[u64]) -> Vec<f64> {
    let sum: u64 = counts.iter().sum();
    counts.iter().map(|count| if sum == 0 { 0.0 } else { *count as f64 / sum as f64 }).collect()
}

/// The worst level of all.
pub(crate) fn worst(features: &[DriftView], prediction: Option<&DriftView>) -> DriftLevel {
    features.iter().chain(prediction).map(|one| one.level).max().unwrap_or(DriftLevel::None)
}
