//! Metrics against the values of scikit-learn 1.9.1; each constant stands beside the call that
//! gave it.

use learn::metrics::binary::{Ranking, auc_interval, calibration};
use learn::metrics::classes::Confusion;
use learn::metrics::{METRICS, evaluate, ranking_metric};
use learn::{Predictions, Target};

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

fn value(metrics: &[(&'static str, f64)], name: &str) -> f64 {
    metrics.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no `{name}` in {metrics:?}")).1
}

/// `y = [1 if sin(1.7 i) > 0.1 else 0 for i in range(40)]`, and probabilities with many ties:
/// `p = clip(round(0.5 + 0.3 sin(1.7 i + 0.9) + 0.2 cos(2.3 i), 1), 0, 1)`.
fn two_classes() -> (Vec<u32>, Vec<f64>) {
    let i = || (0..40).map(f64::from);
    let y = i().map(|i| u32::from((i * 1.7).sin() > 0.1)).collect();
    let p = i().map(|i| 0.5 + 0.3 * (i * 1.7 + 0.9).sin() + 0.2 * (i * 2.3).cos());
    (y, p.map(|p| ((p * 10.0).round() / 10.0).clamp(0.0, 1.0)).collect())
}

#[test]
fn metrics_of_two_classes_are_those_of_scikit_learn() {
    let (codes, p) = two_classes();
    let values = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
    let predictions = Predictions::Probabilities { classes: 2, values };
    let metrics = evaluate(&Target::Classes { codes, count: 2 }, &predictions);
    near(value(&metrics, "auc"), 0.7323232323232324); // roc_auc_score(y, p)
    near(value(&metrics, "average_precision"), 0.6698706522235934); // average_precision_score(y, p)
    near(value(&metrics, "brier"), 0.2245); // brier_score_loss(y, p)
    near(value(&metrics, "accuracy"), 0.675); // accuracy_score(y, p > 0.5), and so on
    near(value(&metrics, "balanced_accuracy"), 0.6691919191919192);
    near(value(&metrics, "f1"), 0.6285714285714286);
    near(value(&metrics, "precision"), 0.6470588235294118);
    near(value(&metrics, "recall"), 0.6111111111111112);
    // log_loss(y, p); two of the rows are wrong with p = 1 or 0, whose logarithm is clipped.
    near(value(&metrics, "log_loss"), 0.6559434932858463);
}

#[test]
fn the_metric_of_a_ranking_is_the_one_among_all() {
    let (codes, p) = two_classes();
    let truth = Target::Classes { codes, count: 2 };
    let values = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
    let predictions = Predictions::Probabilities { classes: 2, values };
    assert_eq!(ranking_metric(&truth, &predictions), value(&evaluate(&truth, &predictions), "auc"));
    let truth = Target::Numbers(p.clone());
    let predictions = Predictions::Numbers(p.iter().map(|p| p * 0.9).collect());
    assert_eq!(ranking_metric(&truth, &predictions), value(&evaluate(&truth, &predictions), "r2"));
}

#[test]
fn the_interval_of_the_auc_is_delongs() {
    let (codes, p) = two_classes();
    let is_positive: Vec<bool> = codes.iter().map(|code| *code == 1).collect();
    let interval = auc_interval(&is_positive, &p).expect("two classes");
    // The definition over all pairs in numpy: sqrt(var(V10, ddof=1) / m + var(V01, ddof=1) / n).
    near(interval.low, 0.5758832255241764);
    near(interval.high, 0.8887632391222884);
    assert_eq!(auc_interval(&[true, false, false], &[0.1, 0.2, 0.3]), None);
}

#[test]
fn ties_count_half_and_a_lost_class_has_no_auc() {
    let auc = |positive: &[bool], scores: &[f64]| Ranking::new(positive, scores).auc();
    assert_eq!(auc(&[true, false, true, false], &[0.5; 4]), 0.5);
    assert_eq!(auc(&[true, true, false], &[0.9, 0.4, 0.4]), 0.75);
    assert!(auc(&[true, true], &[0.1, 0.2]).is_nan());
    let predictions = Predictions::Probabilities { classes: 2, values: vec![0.2, 0.8, 0.4, 0.6] };
    let metrics = evaluate(&Target::Classes { codes: vec![1, 1], count: 2 }, &predictions);
    assert!(metrics.iter().all(|(name, _)| !name.starts_with("auc")), "{metrics:?}");
}

#[test]
fn calibration_bins_are_those_of_scikit_learn() {
    let (codes, p) = two_classes();
    let is_positive: Vec<bool> = codes.iter().map(|code| *code == 1).collect();
    let bins = calibration(&is_positive, &p, 5);
    // calibration_curve(y, p, n_bins=5)
    let observed = [0.0, 0.363_636_363_636_363_64, 0.666_666_666_666_666_6, 0.75, 0.5];
    let predicted = [0.185_714_285_714_285_7, 0.336_363_636_363_636_4, 0.558_333_333_333_333_3, 0.75, 0.95];
    for ((bin, observed), predicted) in bins.iter().zip(observed).zip(predicted) {
        near(bin.observed, observed);
        near(bin.predicted, predicted);
    }
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 40);
}

#[test]
fn metrics_of_three_classes_are_those_of_scikit_learn() {
    let codes: Vec<u32> = (0..30).map(|i| if i % 7 == 0 { (i + 1) % 3 } else { i % 3 }).collect();
    let mut values = Vec::new();
    for i in 0..30 {
        let raw = [0, 1, 2].map(|k| {
            1.0 + (f64::from(i) * 1.1 + f64::from(k) * 2.0).sin() + if i % 3 == k { 1.5 } else { 0.0 }
        });
        values.extend(raw.map(|value| value / raw.iter().sum::<f64>()));
    }
    let predictions = Predictions::Probabilities { classes: 3, values };
    let confusion = Confusion::new(3, &codes, &predictions.labels().expect("classes"));
    assert_eq!(confusion.counts, [6, 0, 3, 4, 5, 1, 0, 5, 6]); // confusion_matrix(y, p.argmax(1))
    let metrics = evaluate(&Target::Classes { codes, count: 3 }, &predictions);
    near(value(&metrics, "auc"), 0.8110412394622921); // roc_auc_score(y, p, multi_class="ovr")
    near(value(&metrics, "log_loss"), 0.8122109192309845);
    near(value(&metrics, "f1"), 0.5676691729323308); // average="macro"
    near(value(&metrics, "f1_micro"), 0.5666666666666667); // average="micro"
    near(value(&metrics, "precision"), 0.5666666666666668);
    near(value(&metrics, "recall"), 0.5707070707070706);
    near(value(&metrics, "balanced_accuracy"), 0.5707070707070706);
    near(value(&metrics, "accuracy"), 0.5666666666666667);
}

#[test]
fn metrics_of_numbers_are_those_of_scikit_learn() {
    let truth: Vec<f64> = (0..25).map(|i| 10.0 + 5.0 * f64::from(i).sin()).collect();
    let predicted = truth.iter().zip(0..).map(|(y, i)| y + (f64::from(i) * 3.0).cos()).collect();
    let metrics = evaluate(&Target::Numbers(truth), &Predictions::Numbers(predicted));
    near(value(&metrics, "rmse"), 0.7437458429493103); // mean_squared_error(y, p) ** 0.5
    near(value(&metrics, "mae"), 0.6754685602498235); // mean_absolute_error(y, p)
    near(value(&metrics, "r2"), 0.9558643762542817); // r2_score(y, p)
    near(value(&metrics, "mape"), 0.07685243742248599); // mean_absolute_percentage_error(y, p)
}

#[test]
fn a_target_with_zeros_has_no_percentage_error() {
    let metrics = evaluate(&Target::Numbers(vec![0.0, 2.0]), &Predictions::Numbers(vec![1.0, 2.0]));
    assert_eq!(metrics.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["r2", "rmse", "mae"]);
}

#[test]
fn every_metric_is_documented_once() {
    let mut names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    let (codes, p) = two_classes();
    let values = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
    for (name, _) in
        evaluate(&Target::Classes { codes, count: 2 }, &Predictions::Probabilities { classes: 2, values })
    {
        assert!(names.contains(&name), "{name}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRICS.len());
}
