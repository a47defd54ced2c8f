//! Minimises a smooth convex function by L-BFGS (Nocedal and Wright, algorithm 7.4) with a
//! backtracking line search.

use base::Result;

/// Pairs of steps and gradient changes that stand for the curvature.
const MEMORY: usize = 10;
/// A step must bring at least this share of what the slope promises.
const ARMIJO: f64 = 1e-4;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most steps.
    pub iterations: usize,
    /// Stop once no component of the gradient is larger.
    pub tolerance: f64,
}

/// Where the search ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The point.
    pub point: Vec<f64>,
    /// The steps taken.
    pub iterations: usize,
    /// True if the gradient is small enough, false if steps ran out.
    pub is_converged: bool,
}

/// Goes downhill from `point`. `value` gives the function and its gradient; `step` hears of each
/// point reached and may stop the search with an error.
///
/// # Errors
/// What `step` returns.
pub fn minimise(
    mut point: Vec<f64>,
    limits: Limits,
    value: impl Fn(&[f64]) -> (f64, Vec<f64>),
    mut step: impl FnMut(usize, &[f64], f64) -> Result<()>,
) -> Result<Minimum> {
    let (mut height, mut slope) = value(&point);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for iteration in 1..=limits.iterations {
        if largest(&slope) <= limits.tolerance {
            return Ok(Minimum { point, iterations: iteration - 1, is_converged: true });
        }
        let mut direction = downhill(&slope, &memory);
        let mut promise = dot(&direction, &slope);
        if promise >= 0.0 {
            // Rounding has spoilt the curvature: start again from steepest descent.
            memory.clear();
            direction = slope.iter().map(|g| -g).collect();
            promise = dot(&direction, &slope);
        }
        let mut length = if memory.is_empty() { 1.0 / largest(&slope).max(1.0) } else { 1.0 };
        let mut reached = None;
        while length > 1e-20 {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (next_height, next_slope) = value(&next);
            // Near the minimum the height is flat to its last bit; a smaller slope counts there.
            let is_flat = (next_height - height).abs() <= height.abs() * 1e-14
                && largest(&next_slope) < largest(&slope);
            if next_height <= height + ARMIJO * length * promise || is_flat {
                reached = Some((next, next_height, next_slope));
                break;
            }
            length *= 0.5;
        }
        let Some((next, next_height, next_slope)) = reached else {
            // No step goes down: this is the minimum as far as 64 bits can tell.
            return Ok(Minimum { point, iterations: iteration, is_converged: true });
        };
        let moved: Vec<f64> = next.iter().zip(&point).map(|(a, b)| a - b).collect();
        let bent: Vec<f64> = next_slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        let curvature = dot(&moved, &bent);
        if curvature > 1e-300 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((moved, bent, 1.0 / curvature));
        }
        (point, height, slope) = (next, next_height, next_slope);
        step(iteration, &point, height)?;
    }
    let is_converged = largest(&slope) <= limits.tolerance;
    Ok(Minimum { point, iterations: limits.iterations, is_converged })
}

fn downhill(slope: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (moved, bent, inverse) in memory.iter().rev() {
        let share = inverse * dot(moved, &direction);
        add(&mut direction, -share, bent);
        shares.push(share);
    }
    if let Some((_, bent, inverse)) = memory.last() {
        let scale = 1.0 / (inverse * dot(bent, bent));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((moved, bent, inverse), share) in memory.iter().zip(shares.iter().rev()) {
        let back = inverse * dot(bent, &direction);
        add(&mut direction, share - back, moved);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += times * what);
}

fn largest(values: &[f64]) -> f64 {
    values.iter().map(|value| value.abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_valley_is_followed_to_its_bottom() {
        let valley = |x: &[f64]| {
            let value = (x[0] - 3.0).powi(2) + 1e4 * (x[1] + x[0]).powi(2);
            let bend = 2e4 * (x[1] + x[0]);
            (value, vec![2.0 * (x[0] - 3.0) + bend, bend])
        };
        let limits = Limits { iterations: 200, tolerance: 1e-10 };
        let minimum = minimise(vec![0.0, 0.0], limits, valley, |_, _, _| Ok(())).expect("nobody stops it");
        assert!(minimum.is_converged);
        assert!((minimum.point[0] - 3.0).abs() < 1e-9 && (minimum.point[1] + 3.0).abs() < 1e-9);
    }

    #[test]
    fn whoever_listens_can_stop_the_search() {
        let bowl = |x: &[f64]| (x[0] * x[0], vec![2.0 * x[0]]);
        let limits = Limits { iterations: 9, tolerance: 0.0 };
        let stopped = minimise(vec![5.0], limits, bowl, |_, _, _| Err(base::Error::cancelled()));
        assert_eq!(stopped.expect_err("stopped").code, base::Code::Cancelled);
    }
}
