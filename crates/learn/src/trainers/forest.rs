//! Random forest.

use base::Result;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::linear::both;
use super::{CurvePoint, Fit, Listener, Model, Trainer, check_range, defaults, params, schema, shares};
use crate::matrix::{Matrix, Part, Target, Training};
use crate::metrics::classes::Confusion;
use crate::metrics::regression::rmse;
use crate::onnx::graph::{Element, Graph, Name};
use crate::onnx::trees;
use crate::predictions::Predictions;
use crate::trees::{Bins, Ensemble, ForestGrower, ForestLimits, ForestTarget, ForestTree, Tree};

const KIND: &str = "forest";
/// Trees that are grown between two points of the curve; also how far threads run ahead.
const BATCH: usize = 8;

/// The declaration.
pub const TRAINER: Trainer = Trainer {
    kind: KIND,
    title: "Random forest",
    doc: "Many deep trees, each from its own sample of the rows and with a fresh draw of features at each \
          question; their mean is the prediction (Breiman 2001). Hard to get wrong: few parameters matter, \
          more trees never hurt. Handles missing values by itself and needs no scaling. The curve shows the \
          rows that each tree did not learn from (out of bag).",
    version: 2,
    takes_missing: true,
    schema: schema::<ForestParams>,
    defaults: defaults::<ForestParams>,
    fit,
};

/// How many features are drawn at each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureDraw {
    /// The square root for classes, a third for numbers.
    Auto,
    /// The square root of their number.
    Sqrt,
    /// A third of them.
    Third,
    /// All of them.
    All,
}

/// The parameters of a random forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForestParams {
    /// The number of trees.
    #[schemars(range(min = 1, max = 5_000))]
    pub trees: u32,
    /// The most questions from root to leaf; 0 for no limit. Deep trees make a large model.
    #[schemars(range(max = 64))]
    pub max_depth: u32,
    /// The least rows in a leaf.
    #[schemars(range(min = 1))]
    pub min_rows_per_leaf: u32,
    /// How many features are drawn at each question.
    pub features_per_split: FeatureDraw,
    /// Fixes the random choices.
    pub seed: u64,
}

impl Default for ForestParams {
    fn default() -> Self {
        Self {
            trees: 100,
            max_depth: 16,
            min_rows_per_leaf: 1,
            features_per_split: FeatureDraw::Auto,
            seed: 1,
        }
    }
}

impl ForestParams {
    fn limits(&self, width: usize, is_regression: bool) -> ForestLimits {
        let third = width.div_ceil(3);
        let sqrt = ((width as f64).sqrt() as usize).max(1);
        ForestLimits {
            depth: if self.max_depth == 0 { usize::MAX } else { self.max_depth as usize },
            least_rows: u64::from(self.min_rows_per_leaf),
            features_per_split: match self.features_per_split {
                FeatureDraw::Auto if is_regression => third,
                FeatureDraw::Auto | FeatureDraw::Sqrt => sqrt,
                FeatureDraw::Third => third,
                FeatureDraw::All => width,
            },
        }
    }
}

/// A fitted forest.
#[derive(Debug, Clone, PartialEq)]
struct ForestModel {
    ensemble: Ensemble,
    /// The number of classes; none for a regression.
    classes: Option<usize>,
}

/// What a tree says of the rows that judge the forest while it grows.
struct Judged {
    grown: ForestTree,
    unseen: Vec<f32>,
    validation: Vec<f32>,
}

/// Sums of what the trees said, and how many trees spoke of each row.
struct Votes {
    width: usize,
    sums: Vec<f64>,
    voters: Vec<u32>,
}

impl Votes {
    fn new(rows: usize, width: usize) -> Self {
        Self { width, sums: vec![0.0; rows * width], voters: vec![0; rows] }
    }

    fn add(&mut self, rows: impl Iterator<Item = usize>, values: &[f32]) {
        for (row, values) in rows.zip(values.chunks_exact(self.width)) {
            self.voters[row] += 1;
            let sums = &mut self.sums[row * self.width..][..self.width];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value));
        }
    }

    /// The metric over the rows that a tree has spoken of.
    fn judge(&self, truth: &Target, trees: f64) -> f64 {
        let known: Vec<u32> =
            (0..self.voters.len() as u32).filter(|row| self.voters[*row as usize] > 0).collect();
        let mean = |row: u32, at: usize| {
            self.sums[row as usize * self.width + at] * trees / f64::from(self.voters[row as usize])
        };
        match truth.take(&known) {
            Target::Numbers(truth) => {
                rmse(&truth, &known.iter().map(|row| mean(*row, 0)).collect::<Vec<_>>())
            }
            Target::Classes { codes, count } => {
                let values = if count == 2 {
                    known.iter().map(|row| mean(*row, 0)).flat_map(|p| [1.0 - p, p]).collect()
                } else {
                    known.iter().flat_map(|row| (0..count).map(|class| mean(*row, class))).collect()
                };
                let labels =
                    Predictions::Probabilities { classes: count, values }.labels().unwrap_or_default();
                Confusion::new(count, &codes, &labels).accuracy()
            }
        }
    }
}

fn fit(training: &Training, given: &Value, listener: &mut Listener<'_>) -> Result<Fit> {
    let params: ForestParams = params(KIND, given)?;
    check_range(KIND, "trees", f64::from(params.trees), 1.0..=5_000.0)?;
    check_range(KIND, "max_depth", f64::from(params.max_depth), 0.0..=64.0)?;
    check_range(KIND, "min_rows_per_leaf", f64::from(params.min_rows_per_leaf), 1.0..=f64::INFINITY)?;
    listener.progress.step("preparing", 0, None)?;
    let train_rows = training.rows_in(Part::Train);
    let validation_rows = training.rows_in(Part::Validation);
    let truth = training.target.take(&train_rows);
    let validation_truth = training.target.take(&validation_rows);
    let validation_features = training.features.take(&validation_rows).row_major(0..validation_rows.len());
    let bins = Bins::new(&training.features, &train_rows, 1, params.seed);
    let weights: Option<Vec<f32>> =
        training.weights.as_ref().map(|all| train_rows.iter().map(|row| all[*row as usize]).collect());
    let (classes, numbers) = match &truth {
        Target::Numbers(values) => (None, values.clone()),
        Target::Classes { codes, count } => {
            (Some(*count), codes.iter().map(|code| f64::from(*code)).collect())
        }
    };
    let target = match &truth {
        Target::Classes { codes, count } if *count > 2 => ForestTarget::Classes { codes, count: *count },
        Target::Classes { .. } | Target::Numbers(_) => ForestTarget::Number(&numbers),
    };
    let width = training.features.width();
    let grower = ForestGrower {
        bins: &bins,
        target,
        weights: weights.as_deref(),
        limits: params.limits(width, classes.is_none()),
        share_of: f64::from(params.trees),
    };
    let values_per_leaf = classes.filter(|count| *count > 2).unwrap_or(1);
    let mut unseen = Votes::new(train_rows.len(), values_per_leaf);
    let mut validation = Votes::new(validation_rows.len(), values_per_leaf);
    let mut ensemble =
        Ensemble { base: vec![0.0; values_per_leaf], trees: Vec::new(), gains: vec![0.0; width] };
    for start in (0..params.trees as usize).step_by(BATCH) {
        listener.progress.step("growing", start as u64, Some(u64::from(params.trees)))?;
        let end = (start + BATCH).min(params.trees as usize);
        let batch: Vec<Judged> = (start..end)
            .into_par_iter()
            .map(|index| judge(grower.grow(params.seed, index as u64), &bins, &validation_features))
            .collect();
        for judged in batch {
            unseen.add(judged.grown.unseen.iter().map(|row| *row as usize), &judged.unseen);
            validation.add(0..validation_rows.len(), &judged.validation);
            ensemble.gains.iter_mut().zip(&judged.grown.gains).for_each(|(sum, gain)| *sum += gain);
            ensemble.trees.push((0, judged.grown.tree));
        }
        let trees = f64::from(params.trees);
        let point = CurvePoint {
            round: end as u32,
            metric: if classes.is_some() { "accuracy" } else { "rmse" }.into(),
            train: unseen.judge(&truth, trees),
            validation: (!validation_rows.is_empty()).then(|| validation.judge(&validation_truth, trees)),
        };
        (listener.curve)(&point);
    }
    listener.progress.step("growing", u64::from(params.trees), Some(u64::from(params.trees)))?;
    Ok(Fit { model: Box::new(ForestModel { ensemble, classes }), notes: Vec::new() })
}

fn judge(grown: ForestTree, bins: &Bins, validation: &[f32]) -> Judged {
    let tree: &Tree = &grown.tree;
    let find = |row: &u32| tree.find_binned(bins, *row as usize).iter().copied();
    let unseen = grown.unseen.iter().flat_map(find).collect();
    let validation =
        validation.chunks_exact(bins.width()).flat_map(|row| tree.find(row).iter().copied()).collect();
    Judged { unseen, validation, grown }
}

impl Model for ForestModel {
    fn predict(&self, features: &Matrix) -> Predictions {
        let sums = self.ensemble.predict(features);
        match self.classes {
            None => Predictions::Numbers(sums),
            Some(2) => {
                // Shares that were rounded to 32 bits can add up to a hair more than 1.
                let values = sums.iter().map(|p| p.min(1.0)).flat_map(|p| [1.0 - p, p]).collect();
                Predictions::Probabilities { classes: 2, values }
            }
            Some(classes) => Predictions::Probabilities { classes, values: sums },
        }
    }

    /// The share of each feature in the impurity that all splits took away.
    fn importance(&self) -> Vec<f64> {
        shares(self.ensemble.gains.clone())
    }

    fn write(&self, graph: &mut Graph, features: &str) -> Name {
        let sums = trees::write(&self.ensemble, graph, features);
        if self.classes != Some(2) {
            return sums;
        }
        let one = graph.doubles(&[1], &[1.0]);
        let one = graph.cast(&one, Element::Float);
        let p = graph.op("Min", &[&sums, &one], &[]);
        both(graph, &p, Element::Float)
    }
}
