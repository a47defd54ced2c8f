//! Population stability index.

use super::chi_square::chi_square;
use super::{Bounds, Method};
use crate::drift::{Outcome, PSI_ALARM, PSI_WARNING, total};

pub(super) const PSI: Method = Method {
    name: "psi",
    title: "Population stability index",
    about: "the sum over bins of (now - then) ln(now / then), with the p-value of chi-square on the same bins",
    is_for_numbers: true,
    is_for_values: true,
    bounds: Some(Bounds { warning: PSI_WARNING, alarm: PSI_ALARM }),
    // The limit of the index itself (chi-square again, Yurdakul 2018) breaks down where a bin is empty.
    measure: |sides| {
        let (then, now) = (&sides.coarse.0, &sides.coarse.1);
        chi_square(then, now).map(|outcome| Outcome { statistic: psi(then, now), p_value: outcome.p_value })
    },
};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stability_index_is_the_sum_of_its_formula() {
        // numpy: e=[.1,.2,.3,.4]; a=[.2,.2,.2,.4]; sum((a-e)*log(a/e))
        let found = psi(&[100, 200, 300, 400], &[200, 200, 200, 400]);
        assert!((found - 0.10986122886681095).abs() < 1e-12, "{found}");
        assert_eq!(psi(&[3, 4], &[3, 4]), 0.0);
        assert!(psi(&[0, 10], &[10, 0]) > 9.0);
    }
}
