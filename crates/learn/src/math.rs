//! Exponentials and logarithms with the same bits on every system (`libm` in place of the
//! system's), and sums whose order does not depend on the number of threads.

use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;

/// Rows that one task handles at a time. Fixed: the borders of partial sums must not move with
/// the number of threads.
pub const CHUNK: usize = 8192;

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken, as
/// scikit-learn does for 64 bit numbers.
pub const EPSILON: f64 = 2.220_446_049_250_313e-16;

/// The logistic function, without overflow for any argument.
pub fn sigmoid(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + exp(-score))
    } else {
        let e = exp(score);
        e / (1.0 + e)
    }
}

/// `e` to this power, written with basic operations only: each is exact to IEEE 754, so every
/// processor gives the same bits, and a loop over it becomes vector code. The error is below
/// 2 units in the last place (test against `libm`); results under 1e-308 are 0.
pub fn exp(power: f64) -> f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Adding and taking away 1.5 * 2^52 rounds to the nearest whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    if power.is_nan() {
        return power;
    }
    let clamped = power.clamp(-708.0, 709.0);
    let shifted = clamped * LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (clamped - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // Taylor's series to the 13th power; |rest| is at most ln(2) / 2.
    let mut sum = 1.0 / 6_227_020_800.0;
    for factor in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        sum = sum * rest + factor;
    }
    // The low bits of `shifted` hold the whole number; as an exponent they make 2^whole.
    let two_to = f64::from_bits((shifted.to_bits().wrapping_add(1023)) << 52);
    if power < -708.0 {
        0.0
    } else if power > 709.0 {
        f64::INFINITY
    } else {
        sum * two_to
    }
}

/// The natural logarithm.
pub fn ln(value: f64) -> f64 {
    libm::log(value)
}

/// Turns scores into probabilities that add up to 1, in place.
pub fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(*score - most);
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

/// The sum of `part` over fixed chunks of the rows `0..rows`, computed in parallel and added in
/// the order of the chunks.
pub fn ordered_sum(rows: usize, part: impl Fn(std::ops::Range<usize>) -> f64 + Sync) -> f64 {
    ordered_parts(rows, part).into_iter().sum()
}

/// `part` of each fixed chunk of the rows `0..rows`, in their order.
pub fn ordered_parts<T: Send>(rows: usize, part: impl Fn(std::ops::Range<usize>) -> T + Sync) -> Vec<T> {
    let starts: Vec<usize> = (0..rows).step_by(CHUNK).collect();
    starts.par_chunks(1).map(|start| part(start[0]..(start[0] + CHUNK).min(rows))).collect()
}

/// The position of the largest value; the first of equals, 0 for an empty slice.
pub fn arg_max(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_exponential_is_the_one_of_libm_to_two_units_in_the_last_place() {
        let mut worst = 0.0_f64;
        for step in -70_000..70_000 {
            let x = f64::from(step) * 0.010_001_3;
            let (ours, theirs) = (exp(x), libm::exp(x));
            worst = worst.max(((ours - theirs) / theirs).abs());
        }
        assert!(worst < 2.0 * f64::EPSILON, "{worst:e}");
        assert_eq!([exp(0.0), exp(-1e9), exp(1e9), exp(f64::NEG_INFINITY)], [1.0, 0.0, f64::INFINITY, 0.0]);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn softmax_and_sigmoid_survive_extreme_scores() {
        let mut scores = [1e4, -1e4, 1e4];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.0, 0.5]);
        assert_eq!([sigmoid(1e5), sigmoid(-1e5), sigmoid(0.0)], [1.0, 0.0, 0.5]);
    }

    #[test]
    fn a_sum_has_the_same_bits_for_any_number_of_threads() {
        let values: Vec<f64> = (0..100_000).map(|i| libm::sin(f64::from(i)) * 1e6).collect();
        let sum = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
            pool.install(|| ordered_sum(values.len(), |range| values[range].iter().sum())).to_bits()
        };
        assert_eq!(sum(1), sum(3));
    }
}
