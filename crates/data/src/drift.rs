//! How far new rows are from those a model learned from. An alarm needs both: a difference that
//! is large (population stability index, PSI) and one that chance does not explain (a test), so
//! that thirty rows do not raise an alarm and a million rows do not raise one over nothing.

use serde::{Deserialize, Serialize};

use crate::profile::{ColumnProfile, Histogram, ValueCount};

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

/// Which test was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Kolmogorov-Smirnov, for numbers and moments.
    Ks,
    /// Chi-square, for texts and booleans.
    ChiSquare,
    /// None: one side has no values, or the two are of different kinds.
    None,
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
    /// The test made on its values.
    pub test: Test,
    /// The statistic of the test.
    pub statistic: Option<f64>,
    /// The p-value of the test, or of the share of missing values if that is smaller.
    pub p_value: Option<f64>,
    /// The population stability index.
    pub psi: f64,
    /// The share of missing values then.
    pub missing_before: f64,
    /// The share of missing values now.
    pub missing_now: f64,
    /// What follows.
    pub level: Level,
}

/// The population stability index of two sets of counts over the same bins: the sum over all bins
/// of (a - e) ln(a / e), where e and a are the bin's share of the expected and of the actual
/// counts. An empty bin has a share of 0.0001, the value that common monitors use.
pub fn psi(expected: &[u64], actual: &[u64]) -> f64 {
    let (all_expected, all_actual) = (total(expected), total(actual));
    if all_expected == 0.0 || all_actual == 0.0 {
        return 0.0;
    }
    let share = |count: u64, all: f64| if count == 0 { 1e-4 } else { count as f64 / all };
    let parts = expected.iter().zip(actual).filter(|(e, a)| **e > 0 || **a > 0).map(|(e, a)| {
        let (e, a) = (share(*e, all_expected), share(*a, all_actual));
        (a - e) * libm::log(a / e)
    });
    parts.sum()
}

/// The two-sample Kolmogorov-Smirnov test of two sorted samples: the largest distance between
/// their distribution functions, with the p-value of the limiting distribution,
/// Q(D sqrt(nm / (n + m))) (Kolmogorov 1933, Smirnov 1948). `None` if one is empty.
pub fn ks(a: &[f64], b: &[f64]) -> Option<Outcome> {
    let (mut i, mut j, mut statistic) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        i += a[i..].iter().take_while(|v| **v <= value).count();
        j += b[j..].iter().take_while(|v| **v <= value).count();
        let distance = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        statistic = statistic.max(distance.abs());
    }
    ks_outcome(statistic, a.len() as f64, b.len() as f64)
}

/// The same test on counts over the same bins. It sees the distance at the edges of the bins
/// only, so the statistic is at most that of the samples themselves.
pub fn ks_of_counts(a: &[u64], b: &[u64]) -> Option<Outcome> {
    let (n, m) = (total(a), total(b));
    let (mut x, mut y, mut statistic) = (0, 0, 0.0_f64);
    for (p, q) in a.iter().zip(b) {
        x += p;
        y += q;
        statistic = statistic.max((x as f64 / n - y as f64 / m).abs());
    }
    ks_outcome(statistic, n, m)
}

fn ks_outcome(statistic: f64, n: f64, m: f64) -> Option<Outcome> {
    let is_made = n > 0.0 && m > 0.0;
    is_made.then(|| Outcome { statistic, p_value: kolmogorov(statistic * (n * m / (n + m)).sqrt()) })
}

/// Pearson's chi-square test that two rows of counts come from one distribution: the sum over
/// the 2 x k table of (observed - expected)^2 / expected, with k - 1 degrees of freedom. Columns
/// that are empty in both rows do not count. `None` if a row is empty or one column is left.
pub fn chi_square(a: &[u64], b: &[u64]) -> Option<Outcome> {
    let (n, m) = (total(a), total(b));
    let columns: Vec<(f64, f64)> =
        a.iter().zip(b).filter(|(p, q)| **p + **q > 0).map(|(p, q)| (*p as f64, *q as f64)).collect();
    if n == 0.0 || m == 0.0 || columns.len() < 2 {
        return None;
    }
    let parts = columns.iter().map(|(p, q)| {
        let share = (p + q) / (n + m);
        let (e, f) = (share * n, share * m);
        (p - e) * (p - e) / e + (q - f) * (q - f) / f
    });
    let statistic: f64 = parts.sum();
    let degrees = (columns.len() - 1) as f64;
    Some(Outcome { statistic, p_value: gamma_q(degrees / 2.0, statistic / 2.0) })
}

/// Compares a column with its baseline. Made for two profiles with the same bins and values
/// ([`crate::profile::profile_like`]); where the bins differ, the current ones are laid over the
/// baseline's as if values were even within a bin.
///
/// The index takes neighbouring bins together until each holds a tenth of the baseline, and has
/// one more bin for missing values. Rare texts (fewer than 10 in both) count as one value.
pub fn compare(baseline: &ColumnProfile, current: &ColumnProfile) -> Drift {
    let (then, now) = match (&baseline.histogram, &current.histogram) {
        (Some(then), Some(now)) => (counts(then), counts(&laid_over(now, &then.edges))),
        (Some(then), None) => (counts(then), vec![0; then.counts.len() + 2]),
        (None, _) => values(baseline, current),
    };
    let is_number = baseline.histogram.is_some();
    let (test, outcome) = if is_number {
        (Test::Ks, ks_of_counts(&then, &now))
    } else {
        let (then, now) = pooled(&then, &now);
        (Test::ChiSquare, chi_square(&then, &now))
    };
    let (mut then, mut now) = if is_number { merged(&then, &now) } else { pooled(&then, &now) };
    let missing = chi_square(&[baseline.count, baseline.missing], &[current.count, current.missing]);
    if baseline.missing + current.missing > 0 {
        then.push(baseline.missing);
        now.push(current.missing);
    }
    let psi = psi(&then, &now);
    // Two looks at one column: the smaller p-value counts twice (Bonferroni).
    let p_values = [outcome, missing].map(|outcome| outcome.map(|outcome| outcome.p_value));
    let p_value = match p_values {
        [Some(a), Some(b)] => Some((2.0 * a.min(b)).min(a.max(b)).min(1.0)),
        [a, b] => a.or(b),
    };
    Drift {
        column: baseline.name.clone(),
        test: if outcome.is_some() { test } else { Test::None },
        statistic: outcome.map(|outcome| outcome.statistic),
        p_value,
        psi,
        missing_before: missing_share(baseline),
        missing_now: missing_share(current),
        level: level(psi, p_value),
    }
}

fn level(psi: f64, p_value: Option<f64>) -> Level {
    let p_value = p_value.unwrap_or(1.0);
    if psi > PSI_ALARM && p_value < P_ALARM {
        Level::Alarm
    } else if psi > PSI_WARNING && p_value < P_WARNING {
        Level::Warning
    } else {
        Level::None
    }
}

fn missing_share(column: &ColumnProfile) -> f64 {
    let all = column.count + column.missing;
    if all == 0 { 0.0 } else { column.missing as f64 / all as f64 }
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().sum::<u64>() as f64
}

/// The counts of a histogram with what lies outside its edges as two more bins.
fn counts(histogram: &Histogram) -> Vec<u64> {
    let mut all = histogram.counts.clone();
    if let Some(first) = all.first_mut() {
        *first -= histogram.below.min(*first);
    }
    if let Some(last) = all.last_mut() {
        *last -= histogram.above.min(*last);
    }
    let inner = all.into_iter();
    [histogram.below].into_iter().chain(inner).chain([histogram.above]).collect()
}

/// A histogram with other edges, as if its values were even within each bin.
fn laid_over(histogram: &Histogram, edges: &[f64]) -> Histogram {
    let is_same = histogram.edges.len() == edges.len()
        && histogram.edges.iter().zip(edges).all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()));
    if is_same || edges.len() < 2 {
        return histogram.clone();
    }
    let own = counts(histogram);
    let all: u64 = own.iter().sum();
    let before = |edge: f64| {
        let mut sum = own[0] as f64;
        if edge < histogram.edges[0] {
            return 0.0;
        }
        for (bin, pair) in histogram.edges.windows(2).enumerate() {
            let part = ((edge - pair[0]) / (pair[1] - pair[0])).clamp(0.0, 1.0);
            sum += part * own[bin + 1] as f64;
        }
        let is_beyond = histogram.edges.last().is_some_and(|last| edge > *last);
        sum + if is_beyond { own[own.len() - 1] as f64 } else { 0.0 }
    };
    let upto: Vec<u64> = edges.iter().map(|edge| before(*edge).round() as u64).collect();
    let (below, above) = (upto[0], all - upto[upto.len() - 1].min(all));
    let mut counts: Vec<u64> = upto.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    counts[0] += below;
    let last = counts.len() - 1;
    counts[last] += above;
    Histogram { edges: edges.to_vec(), counts, below, above }
}

/// Neighbouring bins taken together until each holds a tenth of the first counts. If that leaves
/// one bin, as for a constant, the bins stay as they are.
fn merged(then: &[u64], now: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let least = total(then) / 10.0;
    let mut groups: Vec<(u64, u64)> = Vec::new();
    let mut open = (0, 0);
    for (e, a) in then.iter().zip(now) {
        open = (open.0 + e, open.1 + a);
        if open.0 as f64 >= least && open.0 > 0 {
            groups.push(std::mem::take(&mut open));
        }
    }
    if let Some(last) = groups.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    if groups.len() < 2 {
        return (then.to_vec(), now.to_vec());
    }
    groups.into_iter().unzip()
}

/// The counts of both columns for each value that one of them lists, and of all others.
fn values(baseline: &ColumnProfile, current: &ColumnProfile) -> (Vec<u64>, Vec<u64>) {
    let count =
        |top: &[ValueCount], value: &str| top.iter().find(|e| e.value == value).map_or(0, |e| e.count);
    let mut then: Vec<u64> = baseline.top.iter().map(|entry| entry.count).collect();
    let mut now: Vec<u64> = baseline.top.iter().map(|entry| count(&current.top, &entry.value)).collect();
    let listed = |value: &str| baseline.top.iter().any(|entry| entry.value == value);
    // A value that is new, or that was rare: where the baseline lists only its most frequent
    // values, its others are counted as one.
    let fresh: u64 = current.top.iter().filter(|e| !listed(&e.value)).map(|e| e.count).sum();
    then.push(baseline.other);
    now.push(fresh + current.other);
    (then, now)
}

/// Values with fewer than 10 occurrences in both together count as one: the chi-square
/// distribution is no good for them.
fn pooled(then: &[u64], now: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut rest = (0, 0);
    let mut kept = Vec::new();
    for (e, a) in then.iter().zip(now) {
        if e + a < 10 {
            rest = (rest.0 + e, rest.1 + a);
        } else {
            kept.push((*e, *a));
        }
    }
    if rest.0 + rest.1 > 0 {
        kept.push(rest);
    }
    kept.into_iter().unzip()
}

/// The upper tail of the Kolmogorov distribution, 2 sum (-1)^(k-1) exp(-2 k^2 x^2), and for small
/// x, where that converges slowly, its theta transform.
fn kolmogorov(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.18 {
        let y = libm::exp(-PI * PI / (8.0 * x * x));
        let sum = y + libm::pow(y, 9.0) + libm::pow(y, 25.0) + libm::pow(y, 49.0);
        return (1.0 - (2.0 * PI).sqrt() / x * sum).clamp(0.0, 1.0);
    }
    let y = libm::exp(-2.0 * x * x);
    (2.0 * (y - libm::pow(y, 4.0) + libm::pow(y, 9.0) - libm::pow(y, 16.0))).clamp(0.0, 1.0)
}

/// The regularised upper incomplete gamma function Q(a, x): a series for small x, a continued
/// fraction (modified Lentz) otherwise (Press et al., Numerical Recipes, section 6.2).
fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..10_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (1.0 - sum * front).clamp(0.0, 1.0);
    }
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut product = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
        d = 1.0 / keep(numerator * d + b);
        c = keep(b + numerator / c);
        product *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (front * product).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 + 1e-9 * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn distributions_agree_with_scipy() {
        // scipy 1.17.1: [special.kolmogorov(x) for x in (.3, .5, 1, 1.36, 2, 3)]
        let q = [
            0.9999906941986655,
            0.9639452436648751,
            0.26999967167735456,
            0.049485876755377876,
            0.0006709252557796953,
            3.045995948942526e-08,
        ];
        for (x, expected) in [0.3, 0.5, 1.0, 1.36, 2.0, 3.0].into_iter().zip(q) {
            near(kolmogorov(x), expected);
        }
        // scipy 1.17.1: [special.gammaincc(*p) for p in ((.5,.1), (1.5,4), (5,2), (10,30), (50,40))]
        let q = [
            ((0.5, 0.1), 0.6547208460185768),
            ((1.5, 4.0), 0.04601170568923136),
            ((5.0, 2.0), 0.9473469826562889),
            ((10.0, 30.0), 7.121750862815593e-06),
            ((50.0, 40.0), 0.9296649333406051),
        ];
        for ((a, x), expected) in q {
            near(gamma_q(a, x), expected);
        }
    }

    #[test]
    fn the_two_sample_ks_test_agrees_with_scipy() {
        let mut a = vec![
            0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64, 0.05, -0.06, 0.64, -0.82, 0.37,
            1.77, 1.09, -1.28, 2.36, 1.31, 1.05, -0.32, -0.40, 1.06, -2.47,
        ];
        let mut b: Vec<f64> = a[..20].iter().map(|x| x * 1.3 + 0.4).collect();
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let outcome = ks(&a, &b).expect("both have values");
        // scipy 1.17.1: d = stats.ks_2samp(a, b).statistic; special.kolmogorov(sqrt(25*20/45) * d)
        near(outcome.statistic, 0.31999999999999995);
        near(outcome.p_value, 0.20525679648027775);
        assert_eq!(ks(&a, &[]), None);
    }

    #[test]
    fn the_chi_square_test_agrees_with_scipy() {
        // scipy 1.17.1: stats.chi2_contingency([[12,30,58],[30,25,45]], correction=False)
        let outcome = chi_square(&[12, 30, 58, 0], &[30, 25, 45, 0]).expect("two full rows");
        near(outcome.statistic, 9.809607867860294);
        near(outcome.p_value, 0.007410895965725609);
        assert_eq!(chi_square(&[5, 0], &[7, 0]), None);
    }

    #[test]
    fn the_stability_index_is_the_sum_of_its_formula() {
        // numpy: e=[.1,.2,.3,.4]; a=[.2,.2,.2,.4]; sum((a-e)*log(a/e))
        near(psi(&[100, 200, 300, 400], &[200, 200, 200, 400]), 0.10986122886681095);
        assert_eq!(psi(&[3, 4], &[3, 4]), 0.0);
        assert!(psi(&[0, 10], &[10, 0]) > 9.0);
    }

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
        assert_eq!((shifted.test, shifted.level), (Test::Ks, Level::Alarm));
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
        assert_eq!((same.test, same.level), (Test::ChiSquare, Level::None));
        let new = compare(&baseline, &texts(&[("a", 50), ("b", 10), ("d", 40)], 0, Some(&baseline)));
        assert_eq!(new.level, Level::Alarm);
        let gone = compare(&baseline, &texts(&[], 80, Some(&baseline)));
        assert_eq!((gone.test, gone.level), (Test::None, Level::Alarm));
        assert_eq!(gone.missing_now, 1.0);
    }
}
