//! The seam for trainers. One trainer is one file here that declares a [`Trainer`], and one line
//! in [`TRAINERS`]: forms, help and documentation come from the declaration.

mod boosting;
mod forest;
mod linear;
mod objective;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::matrix::{Matrix, Training};
use crate::onnx::graph::{Graph, Name};
use crate::predictions::Predictions;

pub use boosting::BoostingParams;
pub use forest::{FeatureDraw, ForestParams};
pub use linear::LinearParams;

/// Every trainer, simplest first.
pub static TRAINERS: &[Trainer] = &[linear::TRAINER, forest::TRAINER, boosting::TRAINER];

/// What a trainer says of itself.
#[derive(Clone, Copy)]
pub struct Trainer {
    /// The name in files; the step kind is `train_` and this.
    pub kind: &'static str,
    /// The name on screens.
    pub title: &'static str,
    /// What it does, when to choose it, and where the method comes from.
    pub doc: &'static str,
    /// The version of what it computes: raised when the same data and parameters give another model.
    pub version: u32,
    /// False if missing values must be filled in before.
    pub takes_missing: bool,
    /// The JSON Schema of its parameters.
    pub schema: fn() -> Value,
    /// Its parameters as they are if nobody sets them.
    pub defaults: fn() -> Value,
    fit: fn(&Training, &Value, &mut Listener<'_>) -> Result<Fit>,
}

/// One point of the curve of a training in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurvePoint {
    /// Trees, rounds or steps so far.
    pub round: u32,
    /// The metric's name in [`crate::metrics::METRICS`].
    pub metric: String,
    /// Its value on the training rows; for a forest on the rows each tree has not seen.
    pub train: f64,
    /// Its value on the validation rows, if there are any.
    pub validation: Option<f64>,
}

/// Who hears of a training in progress.
pub struct Listener<'a> {
    /// Told how far it is; can stop it.
    pub progress: &'a Progress,
    /// Told each point of the curve.
    pub curve: &'a mut dyn FnMut(&CurvePoint),
}

/// A model that can be used and written down.
pub trait Model: Send + Sync + std::fmt::Debug {
    /// What the model says about each row; the columns are those of the training, in order.
    fn predict(&self, features: &Matrix) -> Predictions;
    /// How much each feature matters to the model itself; adds up to 1.
    fn importance(&self) -> Vec<f64>;
    /// Adds the model to a graph: from `FLOAT [rows, features]` to `FLOAT [rows, outputs]`,
    /// which are probabilities of all classes, or one number.
    fn write(&self, graph: &mut Graph, features: &str) -> Name;
}

/// What a trainer hands back.
struct Fit {
    model: Box<dyn Model>,
    notes: Vec<String>,
}

/// A trained model with what is known of its training.
#[derive(Debug)]
pub struct Fitted {
    /// The trainer's name.
    pub trainer: &'static str,
    /// All parameters, also those that nobody set.
    pub params: Value,
    /// The features, in order.
    pub features: Vec<String>,
    /// The model.
    pub model: Box<dyn Model>,
    /// The curve of the training.
    pub curve: Vec<CurvePoint>,
    /// What the user should know: stopped early, not converged.
    pub notes: Vec<String>,
}

impl Trainer {
    /// The trainer of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(kind: &str) -> Result<&'static Self> {
        TRAINERS.iter().find(|trainer| trainer.kind == kind).ok_or_else(|| {
            let all: Vec<&str> = TRAINERS.iter().map(|trainer| trainer.kind).collect();
            Error::not_found(format!("there is no trainer `{kind}`"))
                .hint(format!("choose one of {}", all.join(", ")))
        })
    }

    /// Checks parameters and fills in what nobody set.
    ///
    /// # Errors
    /// If a parameter is unknown, of the wrong type or out of range.
    pub fn complete(&self, params: &Value) -> Result<Value> {
        let mut all = (self.defaults)();
        let (Some(fields), Some(given)) = (all.as_object_mut(), params.as_object()) else {
            return Err(Error::invalid(format!("the parameters of `{}` are not an object", self.kind)));
        };
        for (name, value) in given {
            if !fields.contains_key(name) {
                let names: Vec<String> = fields.keys().map(|name| format!("`{name}`")).collect();
                return Err(Error::invalid(format!("`{}` has no parameter `{name}`", self.kind))
                    .hint(format!("its parameters are {}", names.join(", "))));
            }
            fields.insert(name.clone(), value.clone());
        }
        Ok(all)
    }

    /// Trains a model. `curve` hears of each point of it while training.
    ///
    /// # Errors
    /// If the table cannot be learnt from, a parameter is wrong, or it was cancelled.
    pub fn fit(
        &self,
        training: &Training,
        params: &Value,
        progress: &Progress,
        mut curve: impl FnMut(&CurvePoint),
    ) -> Result<Fitted> {
        training.check()?;
        let params = self.complete(params)?;
        let mut points = Vec::new();
        let mut sink = |point: &CurvePoint| {
            points.push(point.clone());
            curve(point);
        };
        let fit = (self.fit)(training, &params, &mut Listener { progress, curve: &mut sink })?;
        Ok(Fitted {
            trainer: self.kind,
            params,
            features: training.features.names().to_vec(),
            model: fit.model,
            curve: points,
            notes: fit.notes,
        })
    }
}

/// Parameters as a trainer's own type.
fn params<P: DeserializeOwned>(kind: &str, value: &Value) -> Result<P> {
    P::deserialize(value)
        .map_err(|error| Error::invalid(format!("the parameters of `{kind}` do not fit")).because(error))
}

fn schema<P: JsonSchema>() -> Value {
    schemars::schema_for!(P).to_value()
}

fn defaults<P: Default + Serialize>() -> Value {
    serde_json::to_value(P::default()).expect("parameters are plain data")
}

/// An error if a parameter is out of its range.
fn check_range(kind: &str, name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    let range = if most.is_finite() {
        format!("from {} to {}", base::number(*least, 4), base::number(*most, 4))
    } else {
        format!("{} or more", base::number(*least, 4))
    };
    Err(Error::invalid(format!("`{name}` of `{kind}` is {}, expected {range}", base::number(value, 6))))
}

/// Shares of the whole; all the same if there is no whole.
fn shares(mut values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    let count = values.len() as f64;
    values.iter_mut().for_each(|value| *value = if sum > 0.0 { *value / sum } else { 1.0 / count });
    values
}
