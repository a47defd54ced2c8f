//! Many times of one thing, as the few figures that describe them.

/// The middle one; of an even number, the later of the two.
pub fn median(times: &[f64]) -> f64 {
    let sorted = sorted(times);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least of the times that at least this share does not exceed.
pub fn percentile(times: &[f64], share_pct: f64) -> f64 {
    let sorted = sorted(times);
    let rank = (share_pct / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The longest.
pub fn worst(times: &[f64]) -> f64 {
    percentile(times, 100.0)
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!([percentile(&times, 50.0), percentile(&times, 99.0), worst(&times)], [50.0, 99.0, 100.0]);
        assert_eq!([percentile(&[7.0], 1.0), percentile(&[7.0], 99.0)], [7.0, 7.0]);
    }

    #[test]
    fn the_median_of_an_odd_number_has_as_many_below_as_above() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan() && worst(&[]).is_nan());
    }
}
