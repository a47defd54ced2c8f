//! Gradient boosting of trees.

use base::{Error, Result};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::linear::both;
use super::objective::Objective;
use super::{CurvePoint, Fit, Listener, Model, Trainer, check_range, defaults, params, schema, shares};
use crate::math::{sigmoid, softmax};
use crate::matrix::{Matrix, Part, Training};
use crate::onnx::graph::{Attribute, Element, Graph, Name};
use crate::onnx::trees;
use crate::predictions::Predictions;
use crate::random::Stream;
use crate::trees::{Bins, BoostedGrower, Ensemble, GrowLimits, RowSum, Tree};

const KIND: &str = "boosting";
/// A bin holds at least this many rows, as in LightGBM: finer ones would be noise.
const LEAST_ROWS_PER_BIN: usize = 3;

/// The declaration.
pub const TRAINER: Trainer = Trainer {
    kind: KIND,
    title: "Gradient boosting",
    doc: "Trees one after the other, each of which corrects what the ones before it got wrong. Usually the \
          most accurate choice for tables. Handles missing values by itself and needs no scaling. Stops by \
          itself when the validation rows stop improving. Histogram based and leaf-wise as LightGBM (Ke et \
          al. 2017); the same bits on every system and for any number of threads.",
    version: 2,
    takes_missing: true,
    schema: schema::<BoostingParams>,
    defaults: defaults::<BoostingParams>,
    fit,
};

/// The parameters of gradient boosting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoostingParams {
    /// The most rounds; each adds one tree (one per class if there are three or more).
    #[schemars(range(min = 1, max = 10_000))]
    pub rounds: u32,
    /// How much of its correction each tree may make. Smaller needs more rounds and is often better.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub learning_rate: f64,
    /// The most leaves of a tree.
    #[schemars(range(min = 2, max = 4_096))]
    pub leaves: u32,
    /// The most questions from root to leaf; 0 for no limit.
    #[schemars(range(max = 64))]
    pub max_depth: u32,
    /// The least rows in a leaf.
    #[schemars(range(min = 1))]
    pub min_rows_per_leaf: u32,
    /// Shrinks leaves that stand on few rows.
    #[schemars(range(min = 0.0))]
    pub l2: f64,
    /// The share of rows that each round looks at.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub row_share: f64,
    /// The share of features that each tree looks at.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub feature_share: f64,
    /// Stop after this many rounds without a better validation score; 0 never stops early.
    pub stop_after: u32,
    /// Features with which the prediction must not fall.
    pub increasing: Vec<String>,
    /// Features with which the prediction must not rise.
    pub decreasing: Vec<String>,
    /// Fixes the random choices.
    pub seed: u64,
}

impl Default for BoostingParams {
    fn default() -> Self {
        Self {
            rounds: 200,
            learning_rate: 0.1,
            leaves: 31,
            max_depth: 0,
            min_rows_per_leaf: 20,
            l2: 0.0,
            row_share: 1.0,
            feature_share: 1.0,
            stop_after: 20,
            increasing: Vec::new(),
            decreasing: Vec::new(),
            seed: 1,
        }
    }
}

impl BoostingParams {
    fn check(&self) -> Result<()> {
        check_range(KIND, "rounds", f64::from(self.rounds), 1.0..=10_000.0)?;
        check_range(KIND, "learning_rate", self.learning_rate, 0.001..=1.0)?;
        check_range(KIND, "leaves", f64::from(self.leaves), 2.0..=4_096.0)?;
        check_range(KIND, "max_depth", f64::from(self.max_depth), 0.0..=64.0)?;
        check_range(KIND, "min_rows_per_leaf", f64::from(self.min_rows_per_leaf), 1.0..=f64::INFINITY)?;
        check_range(KIND, "l2", self.l2, 0.0..=f64::INFINITY)?;
        check_range(KIND, "row_share", self.row_share, 0.01..=1.0)?;
        check_range(KIND, "feature_share", self.feature_share, 0.01..=1.0)
    }

    fn limits(&self) -> GrowLimits {
        GrowLimits {
            leaves: self.leaves as usize,
            depth: if self.max_depth == 0 { usize::MAX } else { self.max_depth as usize },
            least_rows: u64::from(self.min_rows_per_leaf),
            least_hessian: 1e-3,
            l2: self.l2,
        }
    }

    /// For each feature: 1 if the prediction must not fall with it, -1 if it must not rise.
    fn directions(&self, features: &[String], outputs: usize) -> Result<Vec<i8>> {
        let mut directions = vec![0; features.len()];
        for (names, direction) in [(&self.increasing, 1), (&self.decreasing, -1)] {
            for name in names {
                let Some(at) = features.iter().position(|feature| feature == name) else {
                    return Err(Error::invalid(format!("there is no feature `{name}` to be monotone in")));
                };
                if directions[at] != 0 {
                    return Err(Error::invalid(format!(
                        "feature `{name}` is both increasing and decreasing"
                    )));
                }
                directions[at] = direction;
            }
        }
        if outputs > 1 && directions.iter().any(|direction| *direction != 0) {
            return Err(Error::invalid("monotone features need a number or two classes to predict"));
        }
        Ok(directions)
    }
}

/// What turns sums of trees into predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Number,
    TwoClasses,
    Classes(usize),
}

/// A boosted model.
#[derive(Debug, Clone, PartialEq)]
struct BoostedModel {
    ensemble: Ensemble,
    link: Link,
}

/// One side of the split: what the trees have said so far.
struct Side {
    objective: Objective,
    weights: Vec<f64>,
    scores: Vec<f64>,
    predictions: Vec<f64>,
}

impl Side {
    fn new(training: &Training, rows: &[u32], start: &[f32]) -> Self {
        let objective = Objective::new(&training.target.take(rows));
        let weights = rows.iter().map(|row| training.weight(*row)).collect();
        let start: Vec<f64> = start.iter().map(|score| f64::from(*score)).collect();
        let scores = start.repeat(rows.len());
        let mut side = Self { objective, weights, predictions: vec![0.0; scores.len()], scores };
        side.refresh();
        side
    }

    fn refresh(&mut self) {
        self.objective.predict(&self.scores, &mut self.predictions);
    }

    fn loss(&self) -> f64 {
        self.objective.mean_loss(&self.predictions, &self.weights)
    }
}

/// What one output's trees are grown with.
struct Output<'a> {
    grower: BoostedGrower<'a>,
    rows: Vec<u32>,
    sums: Vec<RowSum>,
    gains: Vec<f64>,
}

fn fit(training: &Training, given: &Value, listener: &mut Listener<'_>) -> Result<Fit> {
    let params: BoostingParams = params(KIND, given)?;
    params.check()?;
    let train_rows = training.rows_in(Part::Train);
    let validation_rows = training.rows_in(Part::Validation);
    let start = {
        let weights: Vec<f64> = train_rows.iter().map(|row| training.weight(*row)).collect();
        Objective::new(&training.target.take(&train_rows)).start(&weights)
    };
    let outputs = start.len();
    let directions = params.directions(training.features.names(), outputs)?;
    listener.progress.step("preparing", 0, None)?;
    let bins = Bins::new(&training.features, &train_rows, LEAST_ROWS_PER_BIN, params.seed);
    let mut train = Side::new(training, &train_rows, &start);
    let mut validation = (!validation_rows.is_empty()).then(|| Side::new(training, &validation_rows, &start));
    let validation_features = training.features.take(&validation_rows);
    let validation_features = validation_features.row_major(0..validation_rows.len());
    let width = training.features.width();
    let mut grown: Vec<Output<'_>> = (0..outputs)
        .map(|_| Output {
            grower: BoostedGrower::new(&bins, params.limits(), &directions),
            rows: Vec::new(),
            sums: vec![RowSum::default(); train_rows.len()],
            gains: vec![0.0; width],
        })
        .collect();

    let mut trees: Vec<(usize, Tree)> = Vec::new();
    let mut best = (0_u32, f64::INFINITY);
    let mut notes = Vec::new();
    for round in 1..=params.rounds {
        listener.progress.step("boosting", u64::from(round - 1), Some(u64::from(params.rounds)))?;
        let new = grow_round(&params, round, &mut grown, &mut train, &bins);
        if let Some(side) = &mut validation {
            for (output, tree) in &new {
                for (row, features) in validation_features.chunks_exact(width).enumerate() {
                    side.scores[row * outputs + output] += f64::from(tree.find(features)[0]);
                }
            }
            side.refresh();
        }
        trees.extend(new);
        let point = CurvePoint {
            round,
            metric: train.objective.metric().into(),
            train: train.loss(),
            validation: validation.as_ref().map(Side::loss),
        };
        (listener.curve)(&point);
        if let Some(loss) = point.validation {
            if loss < best.1 {
                best = (round, loss);
            } else if params.stop_after > 0 && round - best.0 >= params.stop_after {
                notes.push(format!(
                    "stopped after {round} rounds; the validation rows were best after {}",
                    best.0
                ));
                break;
            }
        }
    }
    if validation.is_some() && params.stop_after > 0 {
        trees.truncate(best.0 as usize * outputs);
    }
    listener.progress.step("boosting", u64::from(params.rounds), Some(u64::from(params.rounds)))?;
    let mut gains = vec![0.0; width];
    for output in &grown {
        gains.iter_mut().zip(&output.gains).for_each(|(sum, gain)| *sum += gain);
    }
    let link = match &train.objective {
        Objective::Squared(_) => Link::Number,
        Objective::Logistic(_) => Link::TwoClasses,
        Objective::Softmax { classes, .. } => Link::Classes(*classes),
    };
    let model = BoostedModel { ensemble: Ensemble { base: start, trees, gains }, link };
    Ok(Fit { model: Box::new(model), notes })
}

/// Grows the trees of one round, one per output, and adds them to the training side.
fn grow_round(
    params: &BoostingParams,
    round: u32,
    grown: &mut [Output<'_>],
    train: &mut Side,
    bins: &Bins,
) -> Vec<(usize, Tree)> {
    let rows_in_all = train.weights.len();
    let sample = |purpose: &str, all: usize, share: f64| {
        let wanted = ((all as f64 * share).ceil() as usize).clamp(1, all);
        Stream::new(params.seed, purpose, u64::from(round)).sample(all, wanted)
    };
    let features: Vec<usize> = sample("boosting features", bins.width(), params.feature_share)
        .into_iter()
        .map(|feature| feature as usize)
        .collect();
    let chosen = (params.row_share < 1.0).then(|| sample("boosting rows", rows_in_all, params.row_share));
    let (objective, predictions) = (&train.objective, &train.predictions);
    let is_weighted = train.weights.iter().any(|weight| *weight != 1.0);
    let weights = is_weighted.then_some(train.weights.as_slice());
    let new: Vec<_> = grown
        .par_iter_mut()
        .enumerate()
        .map(|(at, output)| {
            let point = objective.derivatives(at, predictions, weights, &mut output.sums);
            output.rows.clear();
            match &chosen {
                Some(rows) => output.rows.extend(rows),
                None => output.rows.extend(0..rows_in_all as u32),
            }
            let sums = (output.sums.as_slice(), point);
            output.grower.grow(&mut output.rows, sums, &features, params.learning_rate, &mut output.gains)
        })
        .collect();
    let outputs = grown.len();
    for (at, (boosted, output)) in new.iter().zip(grown.iter()).enumerate() {
        if chosen.is_none() {
            for (range, value) in &boosted.leaves {
                for row in &output.rows[range.clone()] {
                    train.scores[*row as usize * outputs + at] += f64::from(*value);
                }
            }
        } else {
            for row in 0..rows_in_all {
                train.scores[row * outputs + at] += f64::from(boosted.tree.find_binned(bins, row)[0]);
            }
        }
    }
    train.refresh();
    new.into_iter().map(|boosted| boosted.tree).enumerate().collect()
}

impl Model for BoostedModel {
    fn predict(&self, features: &Matrix) -> Predictions {
        let mut sums = self.ensemble.predict(features);
        match self.link {
            Link::Number => Predictions::Numbers(sums),
            Link::TwoClasses => {
                let values = sums.iter().map(|sum| sigmoid(*sum)).flat_map(|p| [1.0 - p, p]).collect();
                Predictions::Probabilities { classes: 2, values }
            }
            Link::Classes(classes) => {
                sums.chunks_exact_mut(classes).for_each(softmax);
                Predictions::Probabilities { classes, values: sums }
            }
        }
    }

    /// The share of each feature in the loss that all splits took away.
    fn importance(&self) -> Vec<f64> {
        shares(self.ensemble.gains.clone())
    }

    fn write(&self, graph: &mut Graph, features: &str) -> Name {
        let sums = trees::write(&self.ensemble, graph, features);
        match self.link {
            Link::Number => sums,
            Link::TwoClasses => {
                let p = graph.op("Sigmoid", &[&sums], &[]);
                both(graph, &p, Element::Float)
            }
            Link::Classes(_) => graph.op("Softmax", &[&sums], &[("axis", Attribute::Int(1))]),
        }
    }
}
