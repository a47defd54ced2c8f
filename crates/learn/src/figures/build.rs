//! Makes the figures of an evaluation and of a training.

use super::{CalibrationPoint, Figure, ImportanceItem, MOST_POINTS};
use crate::matrix::Target;
use crate::metrics::binary::{Ranking, calibration};
use crate::metrics::classes::Confusion;
use crate::metrics::regression::histogram;
use crate::predictions::Predictions;
use crate::trainers::CurvePoint;

/// Bins of a histogram.
const BINS: usize = 40;
/// With more classes than this, a curve for each would say nothing.
const MOST_CURVES: usize = 10;

/// The figures that fit a target: curves, calibration and confusion for classes, residuals for
/// numbers.
pub fn evaluation_figures(truth: &Target, predictions: &Predictions, classes: &[String]) -> Vec<Figure> {
    match (truth, predictions) {
        (Target::Numbers(truth), Predictions::Numbers(predicted)) => of_numbers(truth, predicted),
        (Target::Classes { codes, count }, Predictions::Probabilities { .. }) => {
            let mut figures = vec![confusion(codes, *count, predictions, classes)];
            let shown: Vec<usize> =
                if *count == 2 { vec![1] } else { (0..*count.min(&MOST_CURVES)).collect() };
            for class in &shown {
                let is_class: Vec<bool> = codes.iter().map(|code| *code as usize == *class).collect();
                let scores = predictions.probability(*class).unwrap_or_default();
                figures.extend(of_class(&classes[*class], &is_class, &scores));
            }
            if *count == 2 {
                let scores = predictions.probability(1).unwrap_or_default();
                let histogram = histogram(&scores, BINS);
                let title = format!("Probability of {}", classes[1]);
                figures.push(Figure::Histogram { title, edges: histogram.edges, counts: histogram.counts });
            }
            figures
        }
        _ => Vec::new(),
    }
}

/// The curves of a training.
pub fn curves_of(points: &[CurvePoint]) -> Option<Figure> {
    let metric = points.first()?.metric.clone();
    let train: Vec<[f64; 2]> = points.iter().map(|point| [f64::from(point.round), point.train]).collect();
    let validation: Vec<[f64; 2]> =
        points.iter().filter_map(|point| Some([f64::from(point.round), point.validation?])).collect();
    Some(Figure::Curves { metric, train: thin(&train), validation: thin(&validation) })
}

/// Bars of importance, largest first.
pub fn importance_figure(measure: &str, mut items: Vec<ImportanceItem>) -> Figure {
    items.sort_by(|a, b| b.value.total_cmp(&a.value));
    Figure::Importance { measure: measure.to_owned(), items }
}

fn confusion(codes: &[u32], count: usize, predictions: &Predictions, classes: &[String]) -> Figure {
    let confusion = Confusion::new(count, codes, &predictions.labels().unwrap_or_default());
    let counts = confusion.counts.chunks(count).map(<[u64]>::to_vec).collect();
    Figure::Confusion { classes: classes.to_vec(), counts }
}

fn of_class(class: &str, is_class: &[bool], scores: &[f64]) -> Vec<Figure> {
    let ranking = Ranking::new(is_class, scores);
    if ranking.positives == 0 || ranking.negatives == 0 {
        return Vec::new();
    }
    let (positives, negatives) = (ranking.positives as f64, ranking.negatives as f64);
    let mut roc = vec![[0.0, 0.0]];
    roc.extend(
        ranking
            .points
            .iter()
            .map(|p| [p.false_positives as f64 / negatives, p.true_positives as f64 / positives]),
    );
    let pr: Vec<[f64; 2]> = ranking
        .points
        .iter()
        .filter(|p| p.true_positives > 0)
        .map(|p| {
            let called = (p.true_positives + p.false_positives) as f64;
            [p.true_positives as f64 / positives, p.true_positives as f64 / called]
        })
        .collect();
    let class = class.to_owned();
    let bins = calibration(is_class, scores, 10)
        .into_iter()
        .map(|bin| CalibrationPoint { predicted: bin.predicted, observed: bin.observed, rows: bin.rows })
        .collect();
    vec![
        Figure::Roc { class: class.clone(), auc: ranking.auc(), points: thin(&roc) },
        Figure::Pr {
            class: class.clone(),
            average_precision: ranking.average_precision(),
            base_rate: positives / (positives + negatives),
            points: thin(&pr),
        },
        Figure::Calibration { class, bins },
    ]
}

fn of_numbers(truth: &[f64], predicted: &[f64]) -> Vec<Figure> {
    let residuals: Vec<f64> = truth.iter().zip(predicted).map(|(y, p)| y - p).collect();
    let step = residuals.len().div_ceil(MOST_POINTS).max(1);
    let points = predicted.iter().zip(&residuals).step_by(step).map(|(p, r)| [*p, *r]).collect();
    let histogram = histogram(&residuals, BINS);
    vec![Figure::Residuals { points, edges: histogram.edges, counts: histogram.counts }]
}

/// At most [`MOST_POINTS`] of a curve's points, evenly along its length, the ends among them.
pub fn thin(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let spans = [0, 1].map(|axis| {
        let values = points.iter().map(|point| point[axis]);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        (high - low).max(f64::MIN_POSITIVE)
    });
    let step = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).abs() / spans[0] + (a[1] - b[1]).abs() / spans[1];
    let length: f64 = points.windows(2).map(|pair| step(&pair[0], &pair[1])).sum();
    let share = length / (MOST_POINTS - 2) as f64;
    let mut kept = vec![points[0]];
    let mut walked = 0.0;
    for pair in points.windows(2) {
        walked += step(&pair[0], &pair[1]);
        if walked >= share && kept.len() < MOST_POINTS - 1 {
            kept.push(pair[1]);
            walked = 0.0;
        }
    }
    if kept.last() != points.last() {
        kept.extend(points.last());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_its_ends_and_its_shape() {
        let curve: Vec<[f64; 2]> =
            (0..=10_000).map(|i| [f64::from(i) / 1e4, (f64::from(i) / 1e4).sqrt()]).collect();
        let thinned = thin(&curve);
        assert!((300..=MOST_POINTS).contains(&thinned.len()), "{}", thinned.len());
        assert_eq!((thinned[0], thinned.last()), ([0.0, 0.0], Some(&[1.0, 1.0])));
        assert!(thinned.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[1][1] - pair[0][1] < 0.02));
    }

    #[test]
    fn two_classes_get_every_curve_and_numbers_get_residuals() {
        let truth = Target::Classes { codes: vec![0, 1, 0, 1], count: 2 };
        let values = vec![0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7];
        let classes = ["no".to_owned(), "yes".to_owned()];
        let figures =
            evaluation_figures(&truth, &Predictions::Probabilities { classes: 2, values }, &classes);
        let names: Vec<String> = figures
            .iter()
            .map(|figure| serde_json::to_value(figure).expect("plain data")["type"].to_string())
            .collect();
        assert_eq!(names.join(" "), r#""confusion" "roc" "pr" "calibration" "histogram""#);
        let of_numbers =
            evaluation_figures(&Target::Numbers(vec![1.0, 2.0]), &Predictions::Numbers(vec![1.5, 2.0]), &[]);
        assert!(matches!(&of_numbers[..], [Figure::Residuals { points, .. }] if points[0] == [1.5, -0.5]));
    }
}
