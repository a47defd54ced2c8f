//! When a trial is given up before its end, because others were better at the same round.
//!
//! *Median rule* (Golovin et al. 2017, Google Vizier, section 3.2.2): a trial is given up at round r
//! if the best it has reached by then is worse than the median of what the others reached on average
//! up to round r.
//!
//! *Successive halving* (ASHA, Li et al. 2018): at the rounds 9, 27, 81 … a trial goes on only if it
//! is among the best third of all that got there.

use serde::{Deserialize, Serialize};

/// Which rule gives trials up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// None: every trial comes to its end.
    #[default]
    Never,
    /// The median rule.
    Median,
    /// Asynchronous successive halving.
    Asha,
}

/// No trial is given up before this round.
const GRACE: usize = 9;
/// The rules need this many others to compare with.
const OTHERS: usize = 4;
/// Of so many trials one goes on at each rung.
const ETA: usize = 3;

impl Stopping {
    /// True if a trial with these losses, one a round, should be given up now. `others` are the
    /// losses of trials before it, also of those that were given up. Smaller is better.
    pub fn gives_up(self, losses: &[f64], others: &[Vec<f64>]) -> bool {
        let round = losses.len();
        if round < GRACE {
            return false;
        }
        let reached: Vec<&[f64]> =
            others.iter().filter(|other| other.len() >= round).map(|other| &other[..round]).collect();
        if reached.len() < OTHERS {
            return false;
        }
        match self {
            Self::Never => false,
            Self::Median => {
                let averages = reached.iter().map(|other| other.iter().sum::<f64>() / round as f64);
                best(losses) > median(averages.collect())
            }
            Self::Asha => {
                let is_rung = std::iter::successors(Some(GRACE), |rung| rung.checked_mul(ETA))
                    .take_while(|rung| *rung <= round)
                    .any(|rung| rung == round);
                let mine = best(losses);
                let better = reached.iter().filter(|other| best(other) < mine).count();
                is_rung && better >= (reached.len() + 1).div_ceil(ETA)
            }
        }
    }
}

fn best(losses: &[f64]) -> f64 {
    losses.iter().copied().filter(|loss| !loss.is_nan()).fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve that falls from 1 towards a floor.
    fn curve(floor: f64, rounds: usize) -> Vec<f64> {
        (1..=rounds).map(|round| floor + (1.0 - floor) / round as f64).collect()
    }

    #[test]
    fn a_trial_far_above_the_others_is_given_up_and_a_good_one_is_not() {
        let others: Vec<Vec<f64>> = [0.1, 0.2, 0.3, 0.4, 0.5].iter().map(|floor| curve(*floor, 30)).collect();
        for rule in [Stopping::Median, Stopping::Asha] {
            assert!(rule.gives_up(&curve(0.8, 9), &others), "{rule:?}");
            assert!(!rule.gives_up(&curve(0.05, 9), &others), "{rule:?}");
            assert!(!rule.gives_up(&curve(0.8, 8), &others), "{rule:?}: before the grace is over");
            assert!(!rule.gives_up(&curve(0.8, 9), &others[..3]), "{rule:?}: too few others");
        }
        assert!(!Stopping::Never.gives_up(&curve(0.9, 20), &others));
    }

    #[test]
    fn successive_halving_looks_only_at_its_rungs() {
        let others: Vec<Vec<f64>> = [0.1, 0.2, 0.3, 0.4].iter().map(|floor| curve(*floor, 30)).collect();
        assert!(!Stopping::Asha.gives_up(&curve(0.8, 10), &others));
        assert!(Stopping::Asha.gives_up(&curve(0.8, 27), &others));
    }
}
