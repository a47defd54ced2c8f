//! Metrics: what each is called, what it means, and its value for a model's predictions.

pub mod binary;
pub mod classes;
pub mod estimated;
pub mod regression;

use serde::Serialize;

use crate::matrix::Target;
use crate::predictions::Predictions;
use binary::{Ranking, auc_interval, brier};
use classes::{Confusion, log_loss, one_vs_rest_auc};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MetricDoc {
    /// The name in files and on the wire.
    pub name: &'static str,
    /// The name on screens.
    pub title: &'static str,
    /// What it says, with its formula.
    pub doc: &'static str,
    /// True if a larger value is a better one.
    pub larger_is_better: bool,
}

/// Every metric, in the order they are shown.
pub const METRICS: &[MetricDoc] = &[
    metric(
        "auc",
        "AUC",
        "Area under the ROC curve: the share of pairs of a positive and a negative row in which the positive one gets the higher probability, ties counting half. With three and more classes, the mean over each class against the rest.",
        true,
    ),
    metric("auc_low", "AUC, lower end", "Lower end of the 95 % interval of the AUC (DeLong 1988).", true),
    metric("auc_high", "AUC, upper end", "Upper end of the 95 % interval of the AUC (DeLong 1988).", true),
    metric("accuracy", "Accuracy", "The share of rows with the right class.", true),
    metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "The mean over classes of the share of rows found; unlike accuracy it does not favour the larger class.",
        true,
    ),
    metric(
        "f1",
        "F1",
        "2 TP / (2 TP + FP + FN) of the positive class; with three and more classes the plain mean over classes (macro).",
        true,
    ),
    metric(
        "f1_micro",
        "F1, micro",
        "F1 over all decisions together; equal to accuracy where each row has one class.",
        true,
    ),
    metric(
        "precision",
        "Precision",
        "TP / (TP + FP) of the positive class; with three and more classes the plain mean over classes.",
        true,
    ),
    metric(
        "recall",
        "Recall",
        "TP / (TP + FN) of the positive class; with three and more classes the plain mean over classes.",
        true,
    ),
    metric(
        "average_precision",
        "Average precision",
        "Area under the precision-recall curve as the sum of (gain in recall) x precision.",
        true,
    ),
    metric("log_loss", "Log loss", "The mean of -ln(probability given to the true class).", false),
    metric("brier", "Brier score", "The mean of (probability - outcome)^2.", false),
    metric(
        "r2",
        "R2",
        "The share of the target's variance that is explained: 1 - sum((y - p)^2) / sum((y - mean)^2).",
        true,
    ),
    metric("rmse", "RMSE", "Root of the mean squared error, in the unit of the target.", false),
    metric("mae", "MAE", "Mean absolute error, in the unit of the target.", false),
    metric("mape", "MAPE", "Mean of |y - p| / |y| as a share; left out where the target has zeros.", false),
];

const fn metric(
    name: &'static str,
    title: &'static str,
    doc: &'static str,
    larger_is_better: bool,
) -> MetricDoc {
    MetricDoc { name, title, doc, larger_is_better }
}

/// What a metric of this name is.
pub fn metric_doc(name: &str) -> Option<&'static MetricDoc> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Every metric that fits the target, in the order of [`METRICS`]. One that is not defined for
/// these rows (the AUC of rows of one class) is left out. Of two classes the second is the
/// positive one.
///
/// # Panics
/// If target and predictions are not of one kind and length.
pub fn evaluate(truth: &Target, predictions: &Predictions) -> Vec<(&'static str, f64)> {
    assert_eq!(truth.rows(), predictions.rows(), "each row has a prediction");
    let found = match (truth, predictions) {
        (Target::Numbers(truth), Predictions::Numbers(predicted)) => vec![
            ("r2", regression::r2(truth, predicted)),
            ("rmse", regression::rmse(truth, predicted)),
            ("mae", regression::mae(truth, predicted)),
            ("mape", regression::mape(truth, predicted)),
        ],
        (Target::Classes { codes, .. }, Predictions::Probabilities { classes: 2, values }) => {
            of_two_classes(codes, values)
        }
        (Target::Classes { codes, .. }, Predictions::Probabilities { classes, values }) => {
            of_classes(*classes, codes, values)
        }
        _ => panic!("a class target has probabilities, a number target has numbers"),
    };
    found.into_iter().filter(|(_, value)| value.is_finite()).collect()
}

/// The one metric by which predictions are ranked: AUC for classes, R2 for numbers. The same value as in
/// [`evaluate`], without the others; not a number if it is not defined for these rows.
///
/// # Panics
/// If target and predictions are not of one kind and length.
pub fn ranking_metric(truth: &Target, predictions: &Predictions) -> f64 {
    assert_eq!(truth.rows(), predictions.rows(), "each row has a prediction");
    match (truth, predictions) {
        (Target::Numbers(truth), Predictions::Numbers(predicted)) => regression::r2(truth, predicted),
        (Target::Classes { codes, .. }, Predictions::Probabilities { classes: 2, values }) => {
            let is_positive: Vec<bool> = codes.iter().map(|code| *code == 1).collect();
            let scores: Vec<f64> = values.chunks_exact(2).map(|row| row[1]).collect();
            Ranking::new(&is_positive, &scores).auc()
        }
        (Target::Classes { codes, .. }, Predictions::Probabilities { classes, values }) => {
            one_vs_rest_auc(*classes, codes, values)
        }
        _ => panic!("a class target has probabilities, a number target has numbers"),
    }
}

fn of_two_classes(truth: &[u32], values: &[f64]) -> Vec<(&'static str, f64)> {
    let is_positive: Vec<bool> = truth.iter().map(|code| *code == 1).collect();
    let scores: Vec<f64> = values.chunks_exact(2).map(|row| row[1]).collect();
    let ranking = Ranking::new(&is_positive, &scores);
    let confusion = confusion_of(2, truth, values);
    let interval = auc_interval(&is_positive, &scores);
    vec![
        ("auc", ranking.auc()),
        ("auc_low", interval.map_or(f64::NAN, |interval| interval.low)),
        ("auc_high", interval.map_or(f64::NAN, |interval| interval.high)),
        ("accuracy", confusion.accuracy()),
        ("balanced_accuracy", confusion.balanced_accuracy()),
        ("f1", confusion.f1(1)),
        ("precision", confusion.precision(1)),
        ("recall", confusion.recall(1)),
        ("average_precision", ranking.average_precision()),
        ("log_loss", log_loss(2, truth, values)),
        ("brier", brier(&is_positive, &scores)),
    ]
}

fn of_classes(classes: usize, truth: &[u32], values: &[f64]) -> Vec<(&'static str, f64)> {
    let confusion = confusion_of(classes, truth, values);
    vec![
        ("auc", one_vs_rest_auc(classes, truth, values)),
        ("accuracy", confusion.accuracy()),
        ("balanced_accuracy", confusion.balanced_accuracy()),
        ("f1", confusion.mean_over_classes(Confusion::f1)),
        ("f1_micro", confusion.accuracy()),
        ("precision", confusion.mean_over_classes(Confusion::precision)),
        ("recall", confusion.mean_over_classes(Confusion::recall)),
        ("log_loss", log_loss(classes, truth, values)),
    ]
}

fn confusion_of(classes: usize, truth: &[u32], values: &[f64]) -> Confusion {
    let predictions = Predictions::Probabilities { classes, values: values.to_vec() };
    Confusion::new(classes, truth, &predictions.labels().unwrap_or_default())
}
