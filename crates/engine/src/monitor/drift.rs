//! Drift of scored rows against the profile of the training data, column by column.

use base::{Progress, Result};
use data::drift::{Drift, Method, compare_by, methods, settle};
use data::profile::profile_like;
use data::{ColumnProfile, Profile};
use flow::kinds::Scored;

use super::{Baseline, level_view};
use crate::commands::figures::Figure;
use crate::commands::monitors::{DriftLevel, DriftView};

/// Values never seen in training that are named.
const NEW_VALUES: usize = 5;

/// Drift by input, worst first, and drift of the prediction: one look, so that the more columns there
/// are, the more each of them must have changed.
///
/// # Errors
/// The rows cannot be counted.
pub(crate) fn of(baseline: &Baseline, scored: &Scored) -> Result<(Vec<DriftView>, Option<DriftView>)> {
    let look = Look::at(baseline, scored, None)?;
    let view = |(then, now, drift): &(ColumnProfile, ColumnProfile, Drift)| view(then, now, drift);
    let mut features: Vec<DriftView> = look.inputs.iter().map(view).collect();
    features.sort_by(|a, b| b.level.cmp(&a.level).then(b.psi.total_cmp(&a.psi)));
    Ok((features, look.prediction.as_ref().map(view)))
}

/// All columns compared at once.
pub(super) struct Look {
    inputs: Vec<(ColumnProfile, ColumnProfile, Drift)>,
    prediction: Option<(ColumnProfile, ColumnProfile, Drift)>,
}

impl Look {
    /// Compares rows with a baseline, by a chosen method where it is for the columns.
    ///
    /// # Errors
    /// The rows cannot be counted.
    pub(super) fn at(baseline: &Baseline, scored: &Scored, method: Option<&'static Method>) -> Result<Self> {
        let now = profile(&scored.inputs, scored.rows, &baseline.inputs)?;
        let mut inputs = compared(&baseline.inputs, &now, method);
        let now = profile(&scored.outputs, scored.rows, &baseline.outputs)?;
        // The label or the number is what the model says; probabilities follow from it.
        let mut prediction = compared(&baseline.outputs, &now, method).into_iter().next();
        settle(inputs.iter_mut().chain(&mut prediction).map(|(_, _, drift)| drift));
        Ok(Self { inputs, prediction })
    }

    /// Each column then and now, the prediction last.
    pub(super) fn into_columns(self) -> impl Iterator<Item = (ColumnProfile, ColumnProfile)> {
        self.inputs.into_iter().chain(self.prediction).map(|(then, now, _)| (then, now))
    }

    /// What was found, the prediction last.
    pub(super) fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.inputs.iter().chain(&self.prediction).map(|(_, _, drift)| drift)
    }
}

/// Rows as a baseline for later ones, with bins of their own and the columns of another.
///
/// # Errors
/// The rows cannot be counted.
pub(super) fn baseline_of(scored: &Scored, like: &Baseline) -> Result<Baseline> {
    let own = |columns: &flow::kinds::Columns, like: &Profile| {
        let folder = temporary()?;
        let table = flow::kinds::write_columns(folder.path(), columns, scored.rows, like)?;
        data::profile::profile(&table, &Progress::silent())
    };
    Ok(Baseline { inputs: own(&scored.inputs, &like.inputs)?, outputs: own(&scored.outputs, &like.outputs)? })
}

/// A folder that goes when it is dropped.
pub(super) fn temporary() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| base::Error::io("create a folder in", &std::env::temp_dir(), &e))
}

fn profile(columns: &flow::kinds::Columns, rows: usize, like: &Profile) -> Result<Profile> {
    let folder = temporary()?;
    let table = flow::kinds::write_columns(folder.path(), columns, rows, like)?;
    profile_like(&table, like, &Progress::silent())
}

fn compared(
    baseline: &Profile,
    current: &Profile,
    method: Option<&'static Method>,
) -> Vec<(ColumnProfile, ColumnProfile, Drift)> {
    let pair = |then: &ColumnProfile| {
        let now = current.columns.iter().find(|column| column.name == then.name)?;
        // Nothing was seen in training or now: there is nothing to compare.
        (then.count + then.missing > 0 && now.count + now.missing > 0)
            .then(|| (then.clone(), now.clone(), compare_by(then, now, method)))
    };
    baseline.columns.iter().filter_map(pair).collect()
}

fn view(then: &ColumnProfile, now: &ColumnProfile, drift: &Drift) -> DriftView {
    let title = drift.method.as_deref().and_then(|name| methods::named(name).ok()).map(|method| method.title);
    DriftView {
        column: drift.column.clone(),
        level: level_view(drift.level),
        psi: drift.psi,
        test: drift.method.clone().unwrap_or_else(|| "none".to_owned()),
        test_title: title.unwrap_or("None").to_owned(),
        statistic: drift.statistic.unwrap_or(0.0),
        p_value: drift.p_value.unwrap_or(1.0),
        adjusted_p: drift.adjusted_p.unwrap_or(1.0),
        missing_baseline: drift.missing_before,
        missing_current: drift.missing_now,
        new_values: new_values(then, now),
        new_share: drift.new_share,
        outside_share: drift.outside_share,
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
