//! How far new rows are from those a model learned from. An alarm needs both: a difference that
//! is large (population stability index, PSI) and one that chance does not explain (a test), so
//! that thirty rows do not raise an alarm and a million rows do not raise one over nothing.

mod bins;
mod distributions;
pub mod methods;

use serde::{Deserialize, Serialize};

pub use bins::Sides;
pub use methods::Method;

use crate::profile::ColumnProfile;
use methods::{chi_square, psi};

/// From this index on a column has moved a little (the usual rule of thumb of credit scoring,
/// Siddiqi 2006).
pub const PSI_WARNING: f64 = 0.1;
/// From this index on a column has moved a lot.
pub const PSI_ALARM: f64 = 0.25;
/// A warning needs a p-value below this.
pub const P_WARNING: f64 = 0.05;
/// An alarm needs a p-value below this.
pub const P_ALARM: f64 = 0.01;

/// How far apart two samples are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The statistic of the test.
    pub statistic: f64,
    /// How often chance alone gives such a statistic or a larger one.
    pub p_value: f64,
}

/// What a monitor says of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to see.
    None,
    /// Worth a look.
    Warning,
    /// Not what the model learned from.
    Alarm,
}

/// How far a column has moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The column.
    pub column: String,
    /// The name of the method that measured it; none if one side has no values or the two are of
    /// different kinds.
    pub method: Option<String>,
    /// Its statistic.
    pub statistic: Option<f64>,
    /// Its p-value, or that of the share of missing values if that is smaller.
    pub p_value: Option<f64>,
    /// The p-value among those of all columns that were looked at together ([`settle`]).
    pub adjusted_p: Option<f64>,
    /// The population stability index.
    pub psi: f64,
    /// The share of missing values then.
    pub missing_before: f64,
    /// The share of missing values now.
    pub missing_now: f64,
    /// The share of values now that the baseline does not have; none for numbers, and where the
    /// baseline lists its frequent values only.
    pub new_share: Option<f64>,
    /// The share of numbers now that lie outside the range of the baseline.
    pub outside_share: Option<f64>,
    /// What follows.
    pub level: Level,
}

/// Compares a column with its baseline by the usual method. Made for two profiles with the same
/// bins and values ([`crate::profile::profile_like`]); where the bins differ, the current ones are
/// laid over the baseline's as if values were even within a bin.
///
/// The stability index takes neighbouring bins together until each holds a tenth of the baseline,
/// and has one more bin for missing values. Rare texts (fewer than 10 in both) count as one value.
pub fn compare(baseline: &ColumnProfile, current: &ColumnProfile) -> Drift {
    compare_by(baseline, current, None)
}

/// The same by a chosen method, where it is for columns of this kind.
pub fn compare_by(
    baseline: &ColumnProfile,
    current: &ColumnProfile,
    wanted: Option<&'static Method>,
) -> Drift {
    let sides = Sides::of(baseline, current);
    let found = methods::apply(&sides, wanted);
    let missing = chi_square(&[baseline.count, baseline.missing], &[current.count, current.missing]);
    let (mut then, mut now) = sides.coarse;
    if baseline.missing + current.missing > 0 {
        then.push(baseline.missing);
        now.push(current.missing);
    }
    // Two looks at one column: the smaller p-value counts twice (Bonferroni).
    let p_values = [found.map(|(_, outcome)| outcome), missing].map(|one| one.map(|one| one.p_value));
    let p_value = match p_values {
        [Some(a), Some(b)] => Some((2.0 * a.min(b)).min(a.max(b)).min(1.0)),
        [a, b] => a.or(b),
    };
    let mut drift = Drift {
        column: baseline.name.clone(),
        method: found.map(|(method, _)| method.name.to_owned()),
        statistic: found.map(|(_, outcome)| outcome.statistic),
        p_value,
        adjusted_p: p_value,
        psi: psi(&then, &now),
        missing_before: missing_share(baseline),
        missing_now: missing_share(current),
        new_share: new_share(baseline, current),
        outside_share: outside_share(baseline, current),
        level: Level::None,
    };
    drift.level = level(&drift);
    drift
}

/// Takes columns that were looked at together as one look: each p-value is raised so that, if no
/// column has changed, the chance that any of them raises an alarm is at most [`P_ALARM`], and a
/// warning at most [`P_WARNING`], however many there are (Holm 1979). Levels follow.
pub fn settle<'a>(drifts: impl IntoIterator<Item = &'a mut Drift>) {
    let mut tested: Vec<&mut Drift> = drifts.into_iter().filter(|drift| drift.p_value.is_some()).collect();
    tested.sort_by(|a, b| a.p_value.unwrap_or(1.0).total_cmp(&b.p_value.unwrap_or(1.0)));
    let (all, mut least) = (tested.len(), 0.0_f64);
    for (rank, drift) in tested.into_iter().enumerate() {
        let raised = drift.p_value.map(|p| (p * (all - rank) as f64).min(1.0).max(least));
        least = raised.unwrap_or(least);
        drift.adjusted_p = raised;
        drift.level = level(drift);
    }
}

/// An alarm is large by the stability index or the bounds of the method, and not explained by chance.
fn level(drift: &Drift) -> Level {
    let bounds = drift.method.as_deref().and_then(|name| methods::named(name).ok()?.bounds);
    let is_above = |psi: f64, bound: Option<f64>| {
        let statistic = drift.statistic.unwrap_or(0.0);
        drift.psi > psi || bound.is_some_and(|bound| statistic > bound)
    };
    let p_value = drift.adjusted_p.unwrap_or(1.0);
    if p_value < P_ALARM && is_above(PSI_ALARM, bounds.map(|bounds| bounds.alarm)) {
        Level::Alarm
    } else if p_value < P_WARNING && is_above(PSI_WARNING, bounds.map(|bounds| bounds.warning)) {
        Level::Warning
    } else {
        Level::None
    }
}

fn new_share(baseline: &ColumnProfile, current: &ColumnProfile) -> Option<f64> {
    let is_whole = baseline.histogram.is_none() && baseline.other == 0 && !baseline.top.is_empty();
    if !is_whole || current.count == 0 {
        return None;
    }
    let known = |value: &str| baseline.top.iter().any(|entry| entry.value == value);
    let old: u64 = current.top.iter().filter(|entry| known(&entry.value)).map(|entry| entry.count).sum();
    Some(current.count.saturating_sub(old) as f64 / current.count as f64)
}

fn outside_share(baseline: &ColumnProfile, current: &ColumnProfile) -> Option<f64> {
    let is_known = baseline.min.is_some() && current.histogram.is_some() && current.count > 0;
    is_known.then(|| current.outside as f64 / current.count as f64)
}

fn missing_share(column: &ColumnProfile) -> f64 {
    let all = column.count + column.missing;
    if all == 0 { 0.0 } else { column.missing as f64 / all as f64 }
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    fn numbers(values: impl Iterator<Item = f64>, like: Option<&ColumnProfile>) -> ColumnProfile {
        ColumnProfile::of_numbers("x", Kind::Number, &values.collect::<Vec<_>>(), like)
    }

    /// Evenly spread numbers between 0 and 1 in an order without pattern.
    fn spread(rows: u64, seed: u64) -> impl Iterator<Item = f64> {
        (0..rows).map(move |row| crate::profile::mixed(row ^ (seed << 32)) as f64 / u64::MAX as f64)
    }

    #[test]
    fn small_samples_of_the_same_kind_hardly_ever_raise_a_level() {
        let baseline = numbers(spread(300, 1), None);
        let raised = (2..202)
            .filter(|seed| {
                compare(&baseline, &numbers(spread(50, *seed), Some(&baseline))).level != Level::None
            })
            .count();
        assert!(raised <= 10, "{raised} of 200");
    }

    #[test]
    fn a_shift_raises_an_alarm_and_so_does_a_value_never_seen() {
        let baseline = numbers(spread(1000, 1), None);
        let shifted = compare(&baseline, &numbers(spread(200, 2).map(|x| x + 0.4), Some(&baseline)));
        assert_eq!((shifted.method.as_deref(), shifted.level), (Some("ks"), Level::Alarm));
        let constant = numbers(std::iter::repeat_n(5.0, 100), None);
        let other = compare(&constant, &numbers(std::iter::repeat_n(7.0, 100), Some(&constant)));
        assert_eq!(other.level, Level::Alarm, "{other:?}");
    }

    #[test]
    fn bins_of_another_profile_are_laid_over() {
        let baseline = numbers(spread(5000, 1), None);
        let own_bins = compare(&baseline, &numbers(spread(5000, 2).map(|x| 0.3 + x / 2.0), None));
        let same_bins = compare(&baseline, &numbers(spread(5000, 2).map(|x| 0.3 + x / 2.0), Some(&baseline)));
        assert!((own_bins.psi - same_bins.psi).abs() < 0.05, "{} {}", own_bins.psi, same_bins.psi);
        let still = compare(&baseline, &numbers(spread(5000, 3), None));
        assert_eq!(still.level, Level::None, "{still:?}");
    }

    #[test]
    fn texts_and_missing_values_are_watched() {
        let texts = |values: &[(&'static str, usize)], missing, like: Option<&ColumnProfile>| {
            let present = values.iter().flat_map(|(text, n)| std::iter::repeat_n(Some(*text), *n));
            ColumnProfile::of_texts("x", present.chain(std::iter::repeat_n(None, missing)), like)
        };
        let baseline = texts(&[("a", 500), ("b", 300), ("c", 200)], 0, None);
        let same = compare(&baseline, &texts(&[("a", 52), ("b", 29), ("c", 19)], 0, Some(&baseline)));
        assert_eq!((same.method.as_deref(), same.level), (Some("chi_square"), Level::None));
        let new = compare(&baseline, &texts(&[("a", 50), ("b", 10), ("d", 40)], 0, Some(&baseline)));
        assert_eq!(new.level, Level::Alarm);
        let gone = compare(&baseline, &texts(&[], 80, Some(&baseline)));
        assert_eq!((gone.method.as_deref(), gone.level), (None, Level::Alarm));
        assert_eq!(gone.missing_now, 1.0);
    }

    #[test]
    fn many_rows_are_measured_by_distance_and_few_by_a_test() {
        let baseline = numbers(spread(3000, 1), None);
        let with = |rows, shift: f64, method: Option<&'static Method>| {
            compare_by(&baseline, &numbers(spread(rows, 2).map(|x| x + shift), Some(&baseline)), method)
        };
        assert_eq!(with(999, 0.0, None).method.as_deref(), Some("ks"));
        let many = with(2000, 0.0, None);
        assert_eq!((many.method.as_deref(), many.level), (Some("wasserstein"), Level::None), "{many:?}");
        // A tenth of the range is 0.35 standard deviations of even numbers.
        let moved = with(2000, 0.1, None);
        assert!((moved.statistic.unwrap_or(0.0) - 0.34).abs() < 0.04, "{moved:?}");
        assert_eq!(with(2000, 0.3, None).level, Level::Alarm);
        for method in methods::METHODS {
            let (still, moved) = (with(2000, 0.0, Some(method)), with(2000, 0.3, Some(method)));
            assert_eq!(moved.method.as_deref(), Some(method.name));
            assert_eq!((still.level, moved.level), (Level::None, Level::Alarm), "{}", method.name);
        }
        assert!(methods::named("students").expect_err("there is none").to_string().contains("students"));
    }

    #[test]
    fn one_look_at_many_columns_that_have_not_changed_hardly_ever_raises_an_alarm() {
        for method in methods::METHODS {
            let (mut alarms, mut raised) = (0, 0);
            for look in 0..60 {
                let column = |at: u64| {
                    let baseline = numbers(spread(400, 1000 + look * 50 + at), None);
                    let now = numbers(spread(150, 90_000 + look * 50 + at), Some(&baseline));
                    compare_by(&baseline, &now, Some(method))
                };
                let mut columns: Vec<Drift> = (0..10).map(column).collect();
                settle(&mut columns);
                alarms += usize::from(columns.iter().any(|one| one.level == Level::Alarm));
                raised += usize::from(columns.iter().any(|one| one.level != Level::None));
            }
            // Stated: 1 and 5 of 100. Beyond 4 and 10 of 60, chance explains less than 1 in 1000.
            assert!(alarms <= 4 && raised <= 10, "{}: {alarms} {raised}", method.name);
        }
    }

    #[test]
    fn p_values_of_one_look_are_raised_as_holm_says() {
        let baseline = numbers(spread(50, 1), None);
        let mut columns: Vec<Drift> = (0..3).map(|_| compare(&baseline, &baseline)).collect();
        for (column, p) in columns.iter_mut().zip([0.03, 0.004, 0.02]) {
            column.p_value = Some(p);
            column.psi = 1.0;
        }
        settle(&mut columns);
        // statsmodels: multipletests([.03, .004, .02], method="holm") gives .04, .012, .04
        let raised: Vec<f64> = columns.iter().filter_map(|column| column.adjusted_p).collect();
        for (found, expected) in raised.iter().zip([0.04, 0.012, 0.04]) {
            assert!((found - expected).abs() < 1e-12, "{raised:?}");
        }
        assert!(columns.iter().all(|column| column.level == Level::Warning));
    }

    #[test]
    fn new_values_and_numbers_out_of_range_are_told() {
        let baseline = numbers([1.0, 2.0, 3.0, 4.0].into_iter(), None);
        let now = numbers([0.5, 1.0, 4.0, 9.0, f64::INFINITY].into_iter(), Some(&baseline));
        let found = compare(&baseline, &now);
        assert_eq!((found.outside_share, found.new_share), (Some(0.6), None));
        let texts = |values: &[&'static str], like: Option<&ColumnProfile>| {
            ColumnProfile::of_texts("x", values.iter().map(|text| Some(*text)), like)
        };
        let baseline = texts(&["a", "b", "a"], None);
        let found = compare(&baseline, &texts(&["a", "c", "d", "b"], Some(&baseline)));
        assert_eq!((found.new_share, found.outside_share), (Some(0.5), None));
    }
}
