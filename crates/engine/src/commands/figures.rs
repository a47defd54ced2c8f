//! Figures as the screens draw them: what a chart shows, not how.

use learn::figures::Figure as Found;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Bars of one chart at most; the rest matters least.
const MOST_BARS: usize = 30;

/// A chart by its content. Points are thinned to at most 400 a series before they get here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Figure {
    /// Receiver operating characteristic: x the false positive rate, y the true positive rate.
    Roc {
        /// One line a class (a single one for a binary target); `value` is its area.
        series: Vec<Series>,
    },
    /// Precision over recall: x the recall, y the precision.
    PrecisionRecall {
        /// One line a class; `value` is the average precision.
        series: Vec<Series>,
    },
    /// Reliability: x the mean predicted probability of a bin, y the observed share.
    Calibration {
        /// One line a class; `value` is the Brier score.
        series: Vec<Series>,
    },
    /// Counts of actual (rows) by predicted (columns) classes.
    Confusion {
        /// Class names, in the order of rows and columns.
        classes: Vec<String>,
        /// `counts[actual][predicted]`.
        counts: Vec<Vec<u64>>,
    },
    /// How much each feature matters, largest first.
    Importance {
        /// What was measured, such as `permutation (loss of AUC)`.
        measure: String,
        /// At most 30 bars.
        bars: Vec<Bar>,
    },
    /// A metric over the rounds or iterations of training.
    Curves {
        /// What is on the y axis, such as `log loss`.
        metric: String,
        /// Usually `train` and `validation`.
        series: Vec<Series>,
    },
    /// Regression: x the prediction, y the residual (actual minus predicted).
    Residuals {
        /// At most 400 rows, evenly picked.
        points: Vec<Point>,
    },
    /// Counts of one quantity in bins.
    Histogram {
        /// What was counted.
        label: String,
        /// Bin edges, one more than counts.
        edges: Vec<f64>,
        /// Rows in each bin.
        counts: Vec<u64>,
    },
    /// Baseline and current distribution of one column side by side, as shares that sum to one.
    Drift {
        /// The column, or `prediction`.
        column: String,
        /// Bin labels.
        bins: Vec<String>,
        /// Shares at training time.
        baseline: Vec<f64>,
        /// Shares in the window looked at.
        current: Vec<f64>,
        /// Population stability index of the two.
        psi: f64,
    },
}

/// A line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// What the line is.
    pub name: String,
    /// The points from left to right.
    pub points: Vec<Point>,
    /// The one number that sums the line up, if there is one.
    pub value: Option<f64>,
}

/// A point of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Point {
    /// Horizontal.
    pub x: f64,
    /// Vertical.
    pub y: f64,
}

/// A bar of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Bar {
    /// What the bar is.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// Half the width of its error bar, if measured more than once.
    pub spread: Option<f64>,
}

/// The figures as the screens draw them: curves of several classes become lines of one chart.
pub fn views(found: Vec<Found>) -> Vec<Figure> {
    let mut views: Vec<Figure> = Vec::new();
    for figure in found {
        let view = view(figure);
        let joined = views.iter_mut().any(|other| match (other, &view) {
            (Figure::Roc { series }, Figure::Roc { series: more })
            | (Figure::PrecisionRecall { series }, Figure::PrecisionRecall { series: more })
            | (Figure::Calibration { series }, Figure::Calibration { series: more }) => {
                series.extend(more.iter().cloned());
                true
            }
            _ => false,
        });
        if !joined {
            views.push(view);
        }
    }
    views
}

fn view(figure: Found) -> Figure {
    let line = |name: String, points: Vec<[f64; 2]>, value: Option<f64>| {
        vec![Series { name, points: points.into_iter().map(|[x, y]| Point { x, y }).collect(), value }]
    };
    match figure {
        Found::Roc { class, auc, points } => Figure::Roc { series: line(class, points, Some(auc)) },
        Found::Pr { class, average_precision, points, .. } => {
            Figure::PrecisionRecall { series: line(class, points, Some(average_precision)) }
        }
        Found::Calibration { class, bins } => {
            let points = bins.iter().map(|bin| [bin.predicted, bin.observed]).collect();
            Figure::Calibration { series: line(class, points, None) }
        }
        Found::Confusion { classes, counts } => Figure::Confusion { classes, counts },
        Found::Importance { measure, items } => {
            let bar = |item: learn::figures::ImportanceItem| Bar {
                name: item.feature,
                value: item.value,
                spread: item.spread,
            };
            Figure::Importance { measure, bars: items.into_iter().take(MOST_BARS).map(bar).collect() }
        }
        Found::Curves { metric, train, validation } => {
            let mut series = line("train".to_owned(), train, None);
            series.extend(line("validation".to_owned(), validation, None));
            series.retain(|line| !line.points.is_empty());
            Figure::Curves { metric, series }
        }
        Found::Residuals { points, .. } => {
            Figure::Residuals { points: points.into_iter().map(|[x, y]| Point { x, y }).collect() }
        }
        Found::Histogram { title, edges, counts } => Figure::Histogram { label: title, edges, counts },
        Found::Drift { feature, edges, levels, expected, actual } => {
            let ranges = edges
                .windows(2)
                .map(|edge| format!("{} to {}", base::number(edge[0], 3), base::number(edge[1], 3)));
            let bins = if levels.is_empty() { ranges.collect() } else { levels };
            Figure::Drift { column: feature, bins, baseline: expected, current: actual, psi: f64::NAN }
        }
    }
}
