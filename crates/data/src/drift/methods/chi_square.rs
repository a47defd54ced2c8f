//! Chi-square: whether two rows of counts come from one distribution.

use super::Method;
use crate::drift::distributions::gamma_q;
use crate::drift::{Outcome, total};

pub(super) const CHI_SQUARE: Method = Method {
    name: "chi_square",
    title: "Chi-square",
    about: "the squared differences from what both would have in common (Pearson 1900)",
    is_for_numbers: true,
    is_for_values: true,
    bounds: None,
    measure: |sides| chi_square(&sides.coarse.0, &sides.coarse.1),
};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chi_square_test_agrees_with_scipy() {
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9, "{a} is not {b}");
        // scipy 1.17.1: stats.chi2_contingency([[12,30,58],[30,25,45]], correction=False)
        let outcome = chi_square(&[12, 30, 58, 0], &[30, 25, 45, 0]).expect("two full rows");
        near(outcome.statistic, 9.809607867860294);
        near(outcome.p_value, 0.007410895965725609);
        assert_eq!(chi_square(&[5, 0], &[7, 0]), None);
    }
}
