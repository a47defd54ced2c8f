//! Jensen-Shannon: how much two distributions tell of which of them a value came from.

use super::chi_square::chi_square;
use super::{Bounds, Method};
use crate::drift::{Outcome, total};

pub(super) const JENSEN_SHANNON: Method = Method {
    name: "jensen_shannon",
    title: "Jensen-Shannon",
    about: "the distance of both distributions from their middle, between 0 and 1 (Lin 1991), with the p-value \
            of chi-square on the same bins",
    is_for_numbers: true,
    is_for_values: true,
    // What a shift of a bell curve comes to at which PSI is 0.1 and 0.25: PSI is near 8 times the divergence.
    bounds: Some(Bounds { warning: 0.134, alarm: 0.212 }),
    measure: |sides| {
        let (then, now) = (&sides.coarse.0, &sides.coarse.1);
        chi_square(then, now)
            .map(|outcome| Outcome { statistic: jensen_shannon(then, now), p_value: outcome.p_value })
    },
};

/// The square root of the Jensen-Shannon divergence in bits: 0 for equal distributions, 1 for those that
/// have nothing in common. 0 if one is empty.
pub fn jensen_shannon(a: &[u64], b: &[u64]) -> f64 {
    let (all_a, all_b) = (total(a), total(b));
    if all_a == 0.0 || all_b == 0.0 {
        return 0.0;
    }
    let part = |own: f64, middle: f64| if own > 0.0 { own * libm::log2(own / middle) } else { 0.0 };
    let parts = a.iter().zip(b).map(|(p, q)| {
        let (p, q) = (*p as f64 / all_a, *q as f64 / all_b);
        let middle = (p + q) / 2.0;
        (part(p, middle) + part(q, middle)) / 2.0
    });
    parts.sum::<f64>().clamp(0.0, 1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_agrees_with_scipy() {
        // scipy 1.17.1: spatial.distance.jensenshannon([100,200,300,400], [200,200,200,400], base=2)
        let found = jensen_shannon(&[100, 200, 300, 400], &[200, 200, 200, 400]);
        assert!((found - 0.13970675101139313).abs() < 1e-12, "{found}");
        assert_eq!(jensen_shannon(&[7, 0], &[0, 9]), 1.0);
        assert_eq!(jensen_shannon(&[3, 4], &[6, 8]), 0.0);
        assert_eq!(jensen_shannon(&[0], &[6]), 0.0);
    }
}
