//! Kolmogorov-Smirnov: the largest distance between two distribution functions.

use super::Method;
use crate::drift::distributions::kolmogorov;
use crate::drift::{Outcome, total};

pub(super) const KS: Method = Method {
    name: "ks",
    title: "Kolmogorov-Smirnov",
    about: "the largest distance between the two distribution functions (Kolmogorov 1933, Smirnov 1948)",
    is_for_numbers: true,
    is_for_values: false,
    bounds: None,
    measure: |sides| ks_of_counts(&sides.fine.0, &sides.fine.1),
};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sample_ks_test_agrees_with_scipy() {
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9, "{a} is not {b}");
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
}
