//! Figures: what a report shows, as data that a screen draws itself and that [`render_svg`] and
//! [`render_png`] draw for cards, the command line and reports. Curves are thinned to
//! [`MOST_POINTS`] points.

mod build;
mod draw;

use serde::{Deserialize, Serialize};

pub use build::{curves_of, evaluation_figures, importance_figure, thin};
pub use draw::{render_png, render_svg};

/// A curve or cloud in a figure has at most this many points: more than a screen can tell apart.
pub const MOST_POINTS: usize = 400;

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Figure {
    /// True positive rate against false positive rate.
    Roc {
        /// The class that counts as positive.
        class: String,
        /// The area under the whole curve.
        auc: f64,
        /// False and true positive rate, from 0, 0 to 1, 1.
        points: Vec<[f64; 2]>,
    },
    /// Precision against recall.
    Pr {
        /// The class that counts as positive.
        class: String,
        /// The average precision of the whole curve.
        average_precision: f64,
        /// The share of positives: the precision of guessing.
        base_rate: f64,
        /// Recall and precision.
        points: Vec<[f64; 2]>,
    },
    /// What came against what was said.
    Calibration {
        /// The class that counts as positive.
        class: String,
        /// Ten bins of equal width, empty ones left out.
        bins: Vec<CalibrationPoint>,
    },
    /// How often each class was taken for each class.
    Confusion {
        /// The classes.
        classes: Vec<String>,
        /// One list per true class, with a count for each predicted class.
        counts: Vec<Vec<u64>>,
    },
    /// How much features matter.
    Importance {
        /// What was measured, such as `permutation: fall of AUC`.
        measure: String,
        /// The features, largest first.
        items: Vec<ImportanceItem>,
    },
    /// A metric while training.
    Curves {
        /// The metric's name.
        metric: String,
        /// Round and value on the training rows.
        train: Vec<[f64; 2]>,
        /// Round and value on the validation rows; empty if there are none.
        validation: Vec<[f64; 2]>,
    },
    /// How far off numbers are.
    Residuals {
        /// Predicted value and true minus predicted value of some rows.
        points: Vec<[f64; 2]>,
        /// The borders of the histogram of all residuals.
        edges: Vec<f64>,
        /// The rows in each bin.
        counts: Vec<u64>,
    },
    /// How the values of a feature moved.
    Drift {
        /// The feature or answer.
        feature: String,
        /// The borders of the bins; empty for levels.
        edges: Vec<f64>,
        /// The names of the bins; empty for numbers.
        levels: Vec<String>,
        /// The share of each bin in training.
        expected: Vec<f64>,
        /// The share of each bin now.
        actual: Vec<f64>,
    },
    /// How often values occur.
    Histogram {
        /// What is counted.
        title: String,
        /// The borders of the bins.
        edges: Vec<f64>,
        /// The rows in each bin.
        counts: Vec<u64>,
    },
}

/// One bin of a calibration figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationPoint {
    /// The mean probability that was said.
    pub predicted: f64,
    /// The share that came.
    pub observed: f64,
    /// The number of rows.
    pub rows: u64,
}

/// One bar of an importance figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportanceItem {
    /// The feature.
    pub feature: String,
    /// How much it matters.
    pub value: f64,
    /// The standard deviation over repeats, where it was measured more than once.
    pub spread: Option<f64>,
}

impl Figure {
    /// What stands above the figure.
    pub fn title(&self) -> String {
        match self {
            Self::Roc { class, auc, .. } => format!("ROC of {class}, AUC {}", base::number(*auc, 4)),
            Self::Pr { class, average_precision, .. } => {
                format!(
                    "Precision and recall of {class}, average precision {}",
                    base::number(*average_precision, 4)
                )
            }
            Self::Calibration { class, .. } => format!("Calibration of {class}"),
            Self::Confusion { .. } => "Confusion matrix".to_owned(),
            Self::Importance { measure, .. } => format!("Importance ({measure})"),
            Self::Curves { metric, .. } => {
                let title = crate::metrics::metric_doc(metric).map_or(metric.as_str(), |metric| metric.title);
                format!("{title} while training")
            }
            Self::Residuals { .. } => "Residuals".to_owned(),
            Self::Drift { feature, .. } => format!("Drift of {feature}"),
            Self::Histogram { title, .. } => title.clone(),
        }
    }
}
