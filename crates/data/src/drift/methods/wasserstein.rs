//! Wasserstein: how far values had to be carried to make one distribution of the other.

use super::{Bounds, Method};
use crate::drift::distributions::bell_pair;
use crate::drift::{Outcome, Sides, total};

pub(super) const WASSERSTEIN: Method = Method {
    name: "wasserstein",
    title: "Wasserstein",
    about: "how far values moved on average, in standard deviations of the baseline (Kantorovich 1942)",
    is_for_numbers: true,
    is_for_values: false,
    // What a shift of a bell curve comes to at which PSI is 0.1 and 0.25: there PSI is its square.
    bounds: Some(Bounds { warning: 0.316, alarm: 0.5 }),
    measure,
};

/// Draws of the distribution that the statistic has where nothing has changed.
const DRAWS: u64 = 999;

/// The first Wasserstein distance of counts over the bins between `edges`, which both have one more
/// count on either side: the area between the distribution functions. Values are even within a bin,
/// and those beyond the bins lie on the outer edge, so that one far value does not outweigh all others.
pub fn wasserstein(a: &[u64], b: &[u64], edges: &[f64]) -> f64 {
    let (up_a, up_b) = (rising(a), rising(b));
    let gaps: Vec<f64> = up_a.iter().zip(&up_b).map(|(x, y)| x - y).collect();
    area(&gaps, edges)
}

fn measure(sides: &Sides) -> Option<Outcome> {
    let (then, now) = (&sides.fine.0, &sides.fine.1);
    let edges = sides.edges.as_deref()?;
    let (n, m) = (total(then), total(now));
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let scale = deviation(then, edges);
    let distance = wasserstein(then, now, edges);
    let both: Vec<u64> = then.iter().zip(now).map(|(a, b)| a + b).collect();
    // For a constant there is no scale to speak of, and other methods say whether it has changed.
    let p_value = chance(distance * (n * m / (n + m)).sqrt(), &rising(&both), edges);
    (scale > 0.0).then(|| Outcome { statistic: distance / scale, p_value })
}

/// The distribution function at each edge.
fn rising(counts: &[u64]) -> Vec<f64> {
    let (all, mut sum) = (total(counts), 0_u64);
    let inner = &counts[..counts.len().saturating_sub(1)];
    let upto = inner.iter().map(|count| {
        sum += count;
        if all > 0.0 { sum as f64 / all } else { 0.0 }
    });
    upto.collect()
}

/// The area between zero and the line through these points over the edges.
fn area(points: &[f64], edges: &[f64]) -> f64 {
    let parts = points.windows(2).zip(edges.windows(2)).map(|(gap, edge)| {
        let (from, to) = (gap[0].abs(), gap[1].abs());
        let width = edge[1] - edge[0];
        if gap[0] * gap[1] >= 0.0 {
            width * (from + to) / 2.0
        } else {
            // The line crosses zero: two triangles.
            width * (from * from + to * to) / (2.0 * (from + to))
        }
    });
    parts.sum()
}

/// The standard deviation of the counted values, even within a bin and on the edge beyond.
fn deviation(counts: &[u64], edges: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return 0.0 };
    // Measured from the first edge, so that large values do not swallow small differences.
    let width = last - first;
    let beyond = counts[counts.len() - 1] as f64;
    let (mut sum, mut squares) = (beyond * width, beyond * width * width);
    for (count, edge) in counts[1..].iter().zip(edges.windows(2)) {
        let (a, b) = (edge[0] - first, edge[1] - first);
        sum += *count as f64 * (a + b) / 2.0;
        squares += *count as f64 * (a * a + a * b + b * b) / 3.0;
    }
    let all = total(counts);
    let mean = sum / all;
    (squares / all - mean * mean).max(0.0).sqrt()
}

/// How often chance alone gives such an area or a larger one. Where nothing has changed, the difference of
/// the distribution functions is a Brownian bridge run through at the pace of the function that both have
/// in common (Donsker 1952; del Barrio, Gine and Matran 1999), so bridges are drawn, the same each time.
/// An area beyond all draws has the bound that Gaussian processes obey (Borell 1975, Tsirelson, Ibragimov
/// and Sudakov 1976): exp(-(area - mean)^2 / (2 v)), where v is the largest variance of a signed area.
fn chance(found: f64, common: &[f64], edges: &[f64]) -> f64 {
    let (mut beyond, mut sum) = (0_u32, 0.0_f64);
    for draw in 0..DRAWS {
        let drawn = area(&bridge(draw, common), edges);
        beyond += u32::from(drawn >= found);
        sum += drawn;
    }
    let counted = f64::from(beyond + 1) / (DRAWS + 1) as f64;
    let above = found - sum / DRAWS as f64;
    let variance = widest(common, edges);
    if beyond > 0 || variance <= 0.0 {
        return counted;
    }
    counted.min(libm::exp(-above * above / (2.0 * variance)))
}

/// A Brownian bridge at these moments between 0 and 1.
fn bridge(draw: u64, moments: &[f64]) -> Vec<f64> {
    let (mut at, mut before) = (0.0_f64, 0.0_f64);
    let mut walk = Vec::with_capacity(moments.len());
    let pairs = (moments.len() as u64 + 1).div_ceil(2);
    let numbers = (0..pairs).flat_map(|pair| <[f64; 2]>::from(bell_pair(draw * pairs + pair)));
    for (moment, number) in moments.iter().chain(&[1.0]).zip(numbers) {
        at += (moment - before).max(0.0).sqrt() * number;
        before = *moment;
        walk.push(at);
    }
    let end = walk.pop().unwrap_or(0.0);
    walk.iter().zip(moments).map(|(at, moment)| at - moment * end).collect()
}

/// The variance of the area under a bridge with its sign. Bridges at two moments never go against each
/// other (their covariance is min(s, t) - s t), so that no choice of signs gives a larger one.
fn widest(moments: &[f64], edges: &[f64]) -> f64 {
    let widths: Vec<f64> = edges.windows(2).map(|edge| edge[1] - edge[0]).collect();
    let width =
        |at: usize| (at.checked_sub(1).map_or(0.0, |i| widths[i]) + widths.get(at).unwrap_or(&0.0)) / 2.0;
    let mut sum = 0.0_f64;
    for (i, s) in moments.iter().copied().enumerate() {
        for (j, t) in moments.iter().copied().enumerate() {
            sum += width(i) * width(j) * (s.min(t) - s * t);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [f64; 5] = [0.0, 1.0, 2.0, 4.0, 8.0];

    #[test]
    fn the_distance_agrees_with_scipy() {
        // scipy 1.17.1, each bin as 20,000 evenly spread values:
        // stats.wasserstein_distance(values, values, [10,40,30,20], [5,25,40,30]) = 0.65000
        let then = [0, 10, 40, 30, 20, 0];
        let found = wasserstein(&then, &[0, 5, 25, 40, 30, 0], &EDGES);
        assert!((found - 0.65).abs() < 1e-9, "{found}");
        // ... [25,25,20,30] = 0.45000; the functions cross within a bin.
        let found = wasserstein(&then, &[0, 25, 25, 20, 30, 0], &EDGES);
        assert!((found - 0.45).abs() < 1e-9, "{found}");
        // numpy: the standard deviation of those values is 1.91594189.
        assert!((deviation(&then, &EDGES) - 1.91594189168474).abs() < 1e-8);
    }

    #[test]
    fn the_area_under_a_bridge_is_as_large_as_it_should_be() {
        // Over (0, 1), numpy, 200,000 bridges of 1000 steps: quantiles 0.9 and 0.99 are 0.499 and 0.754.
        let moments: Vec<f64> = (0..=200).map(|at| f64::from(at) / 200.0).collect();
        let p = chance(0.499, &moments, &moments);
        assert!((p - 0.1).abs() < 0.03, "{p}");
        let p = chance(0.754, &moments, &moments);
        assert!((0.003..0.02).contains(&p), "{p}");
        assert!((widest(&moments, &moments) - 1.0 / 12.0).abs() < 1e-3);
        assert!(chance(3.0, &moments, &moments) < 1e-12);
    }
}
