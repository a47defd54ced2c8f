//! How well scores tell two classes apart, and how honest they are as probabilities.

/// One point of a ROC or precision-recall curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Rows with a score of at least this are called positive.
    pub threshold: f64,
    /// Positives called positive.
    pub true_positives: u64,
    /// Negatives called positive.
    pub false_positives: u64,
}

/// Counts at every distinct score, from the highest threshold down.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The number of positive rows.
    pub positives: u64,
    /// The number of negative rows.
    pub negatives: u64,
    /// One point for each distinct score.
    pub points: Vec<CurvePoint>,
}

impl Ranking {
    /// Ranks rows by their score.
    pub fn new(is_positive: &[bool], scores: &[f64]) -> Self {
        assert_eq!(is_positive.len(), scores.len(), "each row has a score");
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut points: Vec<CurvePoint> = Vec::new();
        let (mut positives, mut negatives) = (0, 0);
        for row in order {
            if is_positive[row] {
                positives += 1
            } else {
                negatives += 1
            }
            let point =
                CurvePoint { threshold: scores[row], true_positives: positives, false_positives: negatives };
            match points.last_mut() {
                Some(last) if last.threshold == point.threshold => *last = point,
                _ => points.push(point),
            }
        }
        Self { positives, negatives, points }
    }

    /// The area under the ROC curve: the share of pairs of a positive and a negative row in
    /// which the positive one has the higher score, ties counting half (Hanley and McNeil 1982).
    /// `NaN` if one of the classes is not there.
    pub fn auc(&self) -> f64 {
        let (mut area, mut last) = (0_u128, (0, 0));
        for point in &self.points {
            // Twice the trapezoid, as a whole number: exact for any number of rows.
            let width = u128::from(point.false_positives - last.1);
            area += width * u128::from(point.true_positives + last.0);
            last = (point.true_positives, point.false_positives);
        }
        area as f64 / (2.0 * self.positives as f64 * self.negatives as f64)
    }

    /// Average precision: the sum over thresholds of the gain in recall times the precision
    /// there (scikit-learn's `average_precision_score`; no interpolation).
    pub fn average_precision(&self) -> f64 {
        let mut sum = 0.0;
        let mut last = 0;
        for point in &self.points {
            let precision =
                point.true_positives as f64 / (point.true_positives + point.false_positives) as f64;
            sum += (point.true_positives - last) as f64 * precision;
            last = point.true_positives;
        }
        sum / self.positives as f64
    }
}

/// An estimate with the interval that holds the true value in 95 of 100 samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 95 % interval of the area under the ROC curve by DeLong's method (DeLong, DeLong and
/// Clarke-Pearson 1988) with midranks (Sun and Xu 2014): `auc ± 1.96 sqrt(V10/m + V01/n)`, cut
/// to 0..1. Nothing if a class has fewer than two rows.
pub fn auc_interval(is_positive: &[bool], scores: &[f64]) -> Option<Interval> {
    let of = |wanted: bool| -> Vec<f64> {
        is_positive.iter().zip(scores).filter(|(is, _)| **is == wanted).map(|(_, score)| *score).collect()
    };
    let (positives, negatives) = (of(true), of(false));
    if positives.len() < 2 || negatives.len() < 2 {
        return None;
    }
    let (m, n) = (positives.len() as f64, negatives.len() as f64);
    let all: Vec<f64> = positives.iter().chain(&negatives).copied().collect();
    let (ranks, own_positive, own_negative) = (midranks(&all), midranks(&positives), midranks(&negatives));
    let above: Vec<f64> = ranks.iter().zip(&own_positive).map(|(all, own)| (all - own) / n).collect();
    let below: Vec<f64> =
        ranks[positives.len()..].iter().zip(&own_negative).map(|(all, own)| 1.0 - (all - own) / m).collect();
    let auc = above.iter().sum::<f64>() / m;
    let spread = 1.959_963_984_540_054 * (variance(&above) / m + variance(&below) / n).sqrt();
    Some(Interval { low: (auc - spread).max(0.0), high: (auc + spread).min(1.0) })
}

/// Ranks from 1, equal values sharing the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..].iter().take_while(|row| values[**row] == values[order[start]]).count();
        let rank = start as f64 + (same as f64 + 1.0) / 2.0;
        order[start..start + same].iter().for_each(|row| ranks[*row] = rank);
        start += same;
    }
    ranks
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// The Brier score: the mean squared distance between the probability and what happened
/// (Brier 1950). 0 is perfect, 0.25 is what always saying one half gets.
pub fn brier(is_positive: &[bool], probabilities: &[f64]) -> f64 {
    let square = |(is, p): (&bool, &f64)| (p - f64::from(u8::from(*is))).powi(2);
    is_positive.iter().zip(probabilities).map(square).sum::<f64>() / probabilities.len() as f64
}

/// One bin of a calibration plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The mean probability that was said.
    pub predicted: f64,
    /// The share of positives that came.
    pub observed: f64,
    /// The number of rows.
    pub rows: u64,
}

/// Said against come in bins of equal width over 0..1; empty bins are left out (scikit-learn's
/// `calibration_curve` with `strategy="uniform"`).
pub fn calibration(is_positive: &[bool], probabilities: &[f64], bins: usize) -> Vec<CalibrationBin> {
    let mut sums = vec![(0.0, 0_u64, 0_u64); bins];
    for (is, p) in is_positive.iter().zip(probabilities) {
        let bin = ((p * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        sums[bin].0 += p;
        sums[bin].1 += u64::from(*is);
        sums[bin].2 += 1;
    }
    sums.into_iter()
        .filter(|(_, _, rows)| *rows > 0)
        .map(|(sum, positives, rows)| CalibrationBin {
            predicted: sum / rows as f64,
            observed: positives as f64 / rows as f64,
            rows,
        })
        .collect()
}
