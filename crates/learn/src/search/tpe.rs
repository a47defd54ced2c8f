//! The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kégl: Algorithms for
//! Hyper-Parameter Optimization, NeurIPS 2011, section 4).
//!
//! The trials so far are divided at the quantile γ = 0.15 of the loss into good ones and the rest.
//! For each parameter, `l(x)` is a density over what the good ones tried and `g(x)` one over the
//! rest. The expected improvement grows with `l(x) / g(x)` (equation 9), so 24 candidates are drawn
//! from `l` and the one with the largest ratio is taken, for each parameter by itself.
//!
//! A density over a range is a mixture with equal weights of the even density (the prior) and, for
//! each trial, a Gaussian around what it tried, cut at the ends. Its deviation is the larger of the
//! distances to its left and right neighbour (the ends count as such), and at least 1/min(100, n + 1)
//! of the range, n trials being in the mixture. A density over choices counts how often each was
//! tried, with one more for each as the prior.
//!
//! Beyond the paper, every eighth trial stays random, so that no region is given up for good.

use serde_json::Value;

use super::{Param, Point, Seen, uniform};
use crate::random::Stream;

/// So many trials are random before there is anything to estimate.
const STARTUP: usize = 10;
/// One trial of so many stays random: where no good trial has been yet, `l` has hardly any mass, and a
/// choice that was unlucky at first would never be tried again.
const EXPLORE: u32 = 8;
/// The share of trials that are good.
const GAMMA: f64 = 0.15;
/// Candidates that are drawn for each parameter.
const CANDIDATES: usize = 24;

/// True if the trial of this number is to look where good results were.
pub fn is_guided(number: u32, seen: usize) -> bool {
    seen >= STARTUP && number % EXPLORE != EXPLORE - 1
}

/// The point to try next.
pub fn suggest(params: &[Param], seen: &[Seen], stream: &mut Stream) -> Point {
    let mut order: Vec<&Seen> = seen.iter().collect();
    order.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    let good = ((GAMMA * order.len() as f64).ceil() as usize).clamp(1, order.len() - 1);
    let (good, rest) = order.split_at(good);
    params.iter().map(|param| (param.name.clone(), choose(param, good, rest, stream))).collect()
}

fn choose(param: &Param, good: &[&Seen], rest: &[&Seen], stream: &mut Stream) -> Value {
    let tried = |trials: &[&Seen]| -> Vec<Value> {
        trials.iter().filter_map(|one| one.point.get(&param.name).cloned()).collect()
    };
    let (good, rest) = (tried(good), tried(rest));
    match param.domain.choices() {
        Some(count) => {
            let place = |value: &Value| param.domain.place(value);
            let likely = Counts::new(count, good.iter().filter_map(place));
            let other = Counts::new(count, rest.iter().filter_map(place));
            let draws = (0..CANDIDATES).map(|_| likely.draw(stream)).collect::<Vec<_>>();
            let best = first_largest(&draws, |at| likely.share(*at) / other.share(*at));
            param.domain.at((*best as f64 + 0.5) / count as f64)
        }
        None => {
            let ends = param.domain.coordinates();
            let place = |value: &Value| param.domain.coordinate(value);
            let likely = Mixture::new(ends, good.iter().filter_map(place).collect());
            let other = Mixture::new(ends, rest.iter().filter_map(place).collect());
            let draws = (0..CANDIDATES).map(|_| likely.draw(stream)).collect::<Vec<_>>();
            let best = first_largest(&draws, |at| likely.density(*at) / other.density(*at));
            param.domain.value(*best)
        }
    }
}

/// The first of the items for which the score is largest.
fn first_largest<T>(items: &[T], score: impl Fn(&T) -> f64) -> &T {
    let mut best = (&items[0], score(&items[0]));
    for item in &items[1..] {
        let score = score(item);
        if score > best.1 {
            best = (item, score);
        }
    }
    best.0
}

/// How often each choice was tried, and once more.
struct Counts(Vec<f64>);

impl Counts {
    fn new(count: usize, tried: impl Iterator<Item = usize>) -> Self {
        let mut counts = vec![1.0; count];
        tried.for_each(|at| counts[at] += 1.0);
        let sum: f64 = counts.iter().sum();
        counts.iter_mut().for_each(|count| *count /= sum);
        Self(counts)
    }

    fn share(&self, at: usize) -> f64 {
        self.0[at]
    }

    fn draw(&self, stream: &mut Stream) -> usize {
        let mut rest = uniform(stream);
        for (at, share) in self.0.iter().enumerate() {
            if rest < *share {
                return at;
            }
            rest -= share;
        }
        self.0.len() - 1
    }
}

/// A density over a range.
struct Mixture {
    low: f64,
    high: f64,
    /// Middle, deviation, and the share of the Gaussian that is within the range.
    parts: Vec<(f64, f64, f64)>,
}

impl Mixture {
    fn new((low, high): (f64, f64), mut middles: Vec<f64>) -> Self {
        middles.sort_by(f64::total_cmp);
        let width = high - low;
        let least = width / (middles.len() as f64 + 1.0).min(100.0);
        let part = |at: usize| {
            let middle = middles[at];
            let left = if at == 0 { low } else { middles[at - 1] };
            let right = middles.get(at + 1).copied().unwrap_or(high);
            let deviation = (middle - left).max(right - middle).clamp(least, width);
            let within = below((high - middle) / deviation) - below((low - middle) / deviation);
            (middle, deviation, within)
        };
        let parts = (0..middles.len()).map(part).collect();
        Self { low, high, parts }
    }

    fn draw(&self, stream: &mut Stream) -> f64 {
        let Some(&(middle, deviation, _)) = self.parts.get(stream.below(self.parts.len() + 1)) else {
            return self.low + uniform(stream) * (self.high - self.low);
        };
        // At least a third of each Gaussian is within the range, so this ends soon.
        for _ in 0..100 {
            let at = middle + deviation * gauss(stream);
            if (self.low..=self.high).contains(&at) {
                return at;
            }
        }
        middle
    }

    fn density(&self, at: f64) -> f64 {
        let prior = 1.0 / (self.high - self.low);
        let sum: f64 = self
            .parts
            .iter()
            .map(|(middle, deviation, within)| {
                let z = (at - middle) / deviation;
                libm::exp(-0.5 * z * z) / (deviation * (2.0 * std::f64::consts::PI).sqrt() * within)
            })
            .sum();
        (prior + sum) / (self.parts.len() as f64 + 1.0)
    }
}

/// The share of a standard Gaussian below a point.
fn below(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// A draw from the standard Gaussian (Box and Muller, 1958).
fn gauss(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - uniform(stream))).sqrt();
    radius * libm::cos(2.0 * std::f64::consts::PI * uniform(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_over_a_range_adds_up_to_one() {
        let mixture = Mixture::new((-1.0, 3.0), vec![-1.0, 0.2, 0.25, 2.9]);
        let steps = 40_000;
        let width = 4.0 / f64::from(steps);
        let sum: f64 =
            (0..steps).map(|at| mixture.density(-1.0 + (f64::from(at) + 0.5) * width) * width).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn draws_stay_in_the_range_and_gather_where_the_mass_is() {
        let mixture = Mixture::new((0.0, 1.0), vec![0.9, 0.91, 0.92]);
        let mut stream = Stream::new(1, "test", 0);
        let draws: Vec<f64> = (0..2000).map(|_| mixture.draw(&mut stream)).collect();
        assert!(draws.iter().all(|at| (0.0..=1.0).contains(at)));
        let mean = draws.iter().sum::<f64>() / 2000.0;
        assert!(mean > 0.6, "{mean}");
    }

    #[test]
    fn a_choice_that_was_good_is_drawn_more_often() {
        let counts = Counts::new(3, [1, 1, 1, 1, 2].into_iter());
        let mut stream = Stream::new(1, "test", 0);
        let ones = (0..4000).filter(|_| counts.draw(&mut stream) == 1).count();
        assert!((2300..2700).contains(&ones), "{ones} of 4000, expected 2500");
    }
}
