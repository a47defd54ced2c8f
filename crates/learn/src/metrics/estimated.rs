//! How good a classifier is on rows whose truth is not known yet, from its own probabilities:
//! confidence-based performance estimation (CBPE; Kivimaki, Bialek, Nurminen and Kuberski,
//! "Confidence-based Estimators for Predictive Performance in Model Monitoring", JAIR 82, 2025). It holds as far
//! as the probabilities are honest, so they are calibrated on held-out rows first; it cannot see that
//! the same inputs come to mean something else.

use crate::matrix::Target;
use crate::predictions::Predictions;

/// Fewer held-out rows than this say too little to correct probabilities.
const FEWEST: usize = 200;

/// Makes probabilities honest: for each class an isotonic regression of what was true on what was
/// said (pool adjacent violators, Barlow et al. 1972), if that helps on rows it was not fitted to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// For each class points of a rising line; none to leave probabilities as they are.
    lines: Vec<Vec<(f64, f64)>>,
}

/// A metric without truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The metric.
    pub metric: &'static str,
    /// What it is expected to be.
    pub value: f64,
    /// The standard error that comes from the number of rows alone.
    pub error: f64,
}

impl Calibration {
    /// Learns from rows whose truth is known. Leaves probabilities as they are where there are
    /// fewer than 200 rows, or where correcting them does not lower the squared error on rows that
    /// were left out.
    pub fn fit(truth: &Target, said: &Predictions) -> Self {
        let (Target::Classes { codes, .. }, Predictions::Probabilities { classes, values }) = (truth, said)
        else {
            return Self::default();
        };
        if codes.len() < FEWEST {
            return Self::default();
        }
        let all: Vec<usize> = (0..codes.len()).collect();
        // Every second row: held-out rows may lie sorted.
        let (even, odd): (Vec<usize>, Vec<usize>) = all.iter().partition(|row| *row % 2 == 0);
        let lines = |rows: &[usize]| -> Vec<Vec<(f64, f64)>> {
            let line = |class: usize| {
                isotonic(rows.iter().map(|row| {
                    let is_true = codes[*row] as usize == class;
                    (values[row * classes + class], f64::from(u8::from(is_true)))
                }))
            };
            (0..*classes).map(line).collect()
        };
        let error = |calibration: &Self, rows: &[usize]| -> f64 {
            let squared = |row: &usize| {
                let honest = calibration.row(&values[row * classes..][..*classes]);
                let gap = |(class, p): (usize, &f64)| p - f64::from(u8::from(codes[*row] as usize == class));
                honest.iter().enumerate().map(gap).map(|gap| gap * gap).sum::<f64>()
            };
            rows.iter().map(squared).sum()
        };
        let (of_even, of_odd) = (Self { lines: lines(&even) }, Self { lines: lines(&odd) });
        let raw = Self::default();
        if error(&of_even, &odd) + error(&of_odd, &even) < error(&raw, &all) {
            Self { lines: lines(&all) }
        } else {
            raw
        }
    }

    /// True if it changes probabilities.
    pub fn is_used(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The probabilities of a row, made honest; they sum to one.
    fn row(&self, said: &[f64]) -> Vec<f64> {
        let mut honest: Vec<f64> = said
            .iter()
            .enumerate()
            .map(|(class, p)| self.lines.get(class).map_or(*p, |line| along(line, *p)))
            .collect();
        let sum: f64 = honest.iter().sum();
        if sum > 0.0 {
            honest.iter_mut().for_each(|p| *p /= sum);
        } else {
            honest.copy_from_slice(said);
        }
        honest
    }
}

/// Accuracy and AUC that are to be expected of these predictions; nothing for numbers or no rows. The
/// error of the accuracy is that of independent rows, that of the AUC is by Hanley and McNeil (1982).
pub fn estimate(said: &Predictions, calibration: &Calibration) -> Vec<Estimate> {
    let Predictions::Probabilities { classes, values } = said else { return Vec::new() };
    let rows = said.rows();
    if rows == 0 || values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let honest: Vec<Vec<f64>> = values.chunks_exact(*classes).map(|row| calibration.row(row)).collect();
    let right: Vec<f64> = values
        .chunks_exact(*classes)
        .zip(&honest)
        .map(|(said, honest)| honest[crate::math::arg_max(said)])
        .collect();
    let mut found = vec![Estimate {
        metric: "accuracy",
        value: right.iter().sum::<f64>() / rows as f64,
        error: right.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt() / rows as f64,
    }];
    // Of two classes the second is the positive one; of more it is each against the rest.
    let positive: Vec<usize> = if *classes == 2 { vec![1] } else { (0..*classes).collect() };
    let each: Option<Vec<(f64, f64)>> = positive
        .iter()
        .map(|class| {
            let scored = values.chunks_exact(*classes).zip(&honest);
            expected_auc(scored.map(|(said, honest)| (said[*class], honest[*class])).collect())
        })
        .collect();
    if let Some(each) = each {
        let count = each.len() as f64;
        found.push(Estimate {
            metric: "auc",
            value: each.iter().map(|(value, _)| value).sum::<f64>() / count,
            error: each.iter().map(|(_, error)| error * error).sum::<f64>().sqrt() / count,
        });
    }
    found
}

/// The share of pairs in the right order that is expected of scores with honest probabilities, and
/// its standard error; none if hardly a pair is expected.
fn expected_auc(mut rows: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut ordered, mut with_itself) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let positive: f64 = tied.iter().map(|(_, p)| p).sum();
        let negative = tied.len() as f64 - positive;
        ordered += positive * (below + negative / 2.0);
        below += negative;
        with_itself += tied.iter().map(|(_, p)| p * (1.0 - p)).sum::<f64>();
    }
    let positives: f64 = rows.iter().map(|(_, p)| p).sum();
    let negatives = rows.len() as f64 - positives;
    // A row is no pair with itself.
    let pairs = positives * negatives - with_itself;
    if positives < 1.0 || negatives < 1.0 || pairs <= 0.0 {
        return None;
    }
    let auc = ((ordered - with_itself / 2.0) / pairs).clamp(0.0, 1.0);
    let (both, twice) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    let spread =
        auc * (1.0 - auc) + (positives - 1.0) * (both - auc * auc) + (negatives - 1.0) * (twice - auc * auc);
    Some((auc, (spread / (positives * negatives)).max(0.0).sqrt()))
}

/// The rising line nearest to the points (least squares), by its corners.
fn isotonic(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    struct Block {
        from: f64,
        to: f64,
        sum: f64,
        count: f64,
    }
    let mut points: Vec<(f64, f64)> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<Block> = Vec::new();
    for tied in points.chunk_by(|a, b| a.0 == b.0) {
        let sum = tied.iter().map(|(_, y)| y).sum();
        let mut block = Block { from: tied[0].0, to: tied[0].0, sum, count: tied.len() as f64 };
        while let Some(before) = blocks.pop_if(|before| before.sum * block.count >= block.sum * before.count)
        {
            block = Block {
                from: before.from,
                sum: before.sum + block.sum,
                count: before.count + block.count,
                ..block
            };
        }
        blocks.push(block);
    }
    blocks
        .iter()
        .flat_map(|block| [(block.from, block.sum / block.count), (block.to, block.sum / block.count)])
        .collect()
}

/// The height of a line at a place; beyond its ends that of the ends.
fn along(line: &[(f64, f64)], at: f64) -> f64 {
    let next = line.partition_point(|(x, _)| *x < at);
    match (next.checked_sub(1).and_then(|before| line.get(before)), line.get(next)) {
        (Some((x0, y0)), Some((x1, y1))) if x1 > x0 => y0 + (y1 - y0) * (at - x0) / (x1 - x0),
        (_, Some((_, y))) | (Some((_, y)), None) => *y,
        (None, None) => at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::evaluate;

    /// Numbers between 0 and 1 in an order without pattern.
    fn spread(rows: u64, seed: u64) -> Vec<f64> {
        let mut state = seed;
        (0..rows)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            })
            .collect()
    }

    /// Rows of two classes, each true with the probability that `honest` makes of what is said.
    fn drawn(rows: u64, seed: u64, honest: impl Fn(f64) -> f64) -> (Target, Predictions) {
        let said = spread(rows, seed);
        let codes = said.iter().zip(spread(rows, seed + 1)).map(|(p, u)| u32::from(u < honest(*p))).collect();
        let values = said.iter().flat_map(|p| [1.0 - p, *p]).collect();
        (Target::Classes { codes, count: 2 }, Predictions::Probabilities { classes: 2, values })
    }

    fn of(found: &[Estimate], metric: &str) -> Estimate {
        *found.iter().find(|one| one.metric == metric).expect("it is estimated")
    }

    fn measured(truth: &Target, said: &Predictions, metric: &str) -> f64 {
        evaluate(truth, said).iter().find(|(name, _)| *name == metric).expect("it is defined").1
    }

    #[test]
    fn what_is_estimated_without_truth_is_what_is_measured_with_it() {
        let (truth, said) = drawn(4000, 3, |p| p);
        let found = estimate(&said, &Calibration::default());
        for metric in ["accuracy", "auc"] {
            let (one, real) = (of(&found, metric), measured(&truth, &said, metric));
            assert!((one.value - real).abs() < 3.0 * one.error, "{metric}: {one:?} {real}");
            assert!(one.error < 0.01, "{one:?}");
        }
        // Honest scores that are even between 0 and 1: the accuracy is 3/4, the AUC 5/6.
        assert!((of(&found, "accuracy").value - 0.75).abs() < 0.01, "{found:?}");
        assert!((of(&found, "auc").value - 5.0 / 6.0).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn probabilities_that_are_too_sure_are_made_honest_first() {
        let sober = |p: f64| 0.35 + 0.3 * p;
        let (truth, said) = drawn(4000, 7, sober);
        let calibration = Calibration::fit(&truth, &said);
        assert!(calibration.is_used());
        let (later, said) = drawn(4000, 99, sober);
        let real = measured(&later, &said, "accuracy");
        let (raw, honest) = (estimate(&said, &Calibration::default()), estimate(&said, &calibration));
        assert!((of(&raw, "accuracy").value - real).abs() > 0.1, "{raw:?} {real}");
        assert!((of(&honest, "accuracy").value - real).abs() < 0.03, "{honest:?} {real}");
        assert!((of(&honest, "auc").value - measured(&later, &said, "auc")).abs() < 0.03, "{honest:?}");
    }

    #[test]
    fn few_rows_and_numbers_correct_nothing_and_numbers_are_not_estimated() {
        let (truth, said) = drawn(100, 5, |p| p * p);
        assert!(!Calibration::fit(&truth, &said).is_used());
        let (truth, said) = (Target::Numbers(vec![1.0]), Predictions::Numbers(vec![2.0]));
        assert!(!Calibration::fit(&truth, &said).is_used());
        assert!(estimate(&said, &Calibration::default()).is_empty());
        let none = Predictions::Probabilities { classes: 2, values: vec![] };
        assert!(estimate(&none, &Calibration::default()).is_empty());
        let odd = Predictions::Probabilities { classes: 2, values: vec![f64::NAN, 0.5] };
        assert!(estimate(&odd, &Calibration::default()).is_empty());
    }

    #[test]
    fn the_rising_line_is_that_of_scikit_learn() {
        // IsotonicRegression().fit([1,2,3,4,5,6], [1,3,2,4,3,5]).predict([1,2,3,3.5,5,6,9] clipped)
        let line =
            isotonic([(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0), (5.0, 3.0), (6.0, 5.0)].into_iter());
        for (at, expected) in
            [(0.0, 1.0), (1.0, 1.0), (2.0, 2.5), (3.0, 2.5), (3.5, 3.0), (5.0, 3.5), (9.0, 5.0)]
        {
            assert!((along(&line, at) - expected).abs() < 1e-12, "{at}: {}", along(&line, at));
        }
    }

    proptest! {
        #[test]
        fn a_calibrated_row_is_a_distribution_and_the_line_rises(
            points in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 1..60), at in 0.0_f64..1.0,
        ) {
            let line = isotonic(points.into_iter());
            prop_assert!(line.windows(2).all(|two| two[0].0 <= two[1].0 && two[0].1 <= two[1].1 + 1e-12));
            let calibration = Calibration { lines: vec![line.clone(), line] };
            let row = calibration.row(&[at, 1.0 - at]);
            prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9 && row.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
}
