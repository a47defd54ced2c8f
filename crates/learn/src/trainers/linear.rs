//! Linear and logistic regression.

use base::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CurvePoint, Fit, Listener, Model, Trainer, check_range, defaults, params, schema, shares};
use crate::linear::lbfgs::Limits;
use crate::linear::{LogisticFit, Scaled, fit_logistic, fit_ridge};
use crate::math::{sigmoid, softmax};
use crate::matrix::{Matrix, Part, Target, Training};
use crate::metrics::classes::log_loss;
use crate::metrics::regression::rmse;
use crate::onnx::graph::{Attribute, Element, Graph, Name};
use crate::predictions::Predictions;

const KIND: &str = "linear";

/// The declaration.
pub const TRAINER: Trainer = Trainer {
    kind: KIND,
    title: "Linear model",
    doc: "Logistic regression for classes, linear regression with an L2 penalty (ridge) for numbers. Fast, \
          easy to explain, and the right first thing to compare with. Each feature counts in proportion to \
          its value, so text columns need an `encode` step and missing values an `impute` step before. \
          Features are standardised inside; with `l2` the answer is that of scikit-learn's \
          `make_pipeline(StandardScaler(), LogisticRegression(C=1/l2))` or `Ridge(alpha=l2)`.",
    version: 2,
    takes_missing: false,
    schema: schema::<LinearParams>,
    defaults: defaults::<LinearParams>,
    fit,
};

/// The parameters of a linear model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinearParams {
    /// How strongly coefficients are pulled towards zero: `1/C` of logistic regression, `alpha`
    /// of ridge regression. 0 does not pull at all.
    #[schemars(range(min = 0.0))]
    pub l2: f64,
    /// The most steps of the solver (logistic regression only).
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: u32,
    /// The solver stops once no component of the mean loss's slope is larger.
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
}

impl Default for LinearParams {
    fn default() -> Self {
        Self { l2: 1.0, max_iterations: 1_000, tolerance: 1e-9 }
    }
}

/// A fitted linear model. Coefficients are for scaled columns.
#[derive(Debug, Clone, PartialEq)]
struct LinearModel {
    scaled: Scaled,
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
    /// The number of classes; none for a regression.
    classes: Option<usize>,
}

fn fit(training: &Training, given: &Value, listener: &mut Listener<'_>) -> Result<Fit> {
    let params: LinearParams = params(KIND, given)?;
    check_range(KIND, "l2", params.l2, 0.0..=f64::INFINITY)?;
    check_range(KIND, "max_iterations", f64::from(params.max_iterations), 1.0..=100_000.0)?;
    check_range(KIND, "tolerance", params.tolerance, 0.0..=f64::INFINITY)?;
    let train = training.rows_in(Part::Train);
    let scaled = Scaled::fit(training, &train)?;
    match &training.target {
        Target::Numbers(values) => fit_numbers(training, values, scaled, &params, listener),
        Target::Classes { codes, count } => fit_classes(training, (codes, *count), scaled, &params, listener),
    }
}

fn fit_numbers(
    training: &Training,
    values: &[f64],
    scaled: Scaled,
    params: &LinearParams,
    listener: &mut Listener<'_>,
) -> Result<Fit> {
    let train = training.rows_in(Part::Train);
    let of = |rows: &[u32]| -> Vec<f64> { rows.iter().map(|row| values[*row as usize]).collect() };
    let rows = scaled.rows(training, &train);
    let (coefficients, intercept) = fit_ridge(&rows, &of(&train), params.l2, listener.progress)?;
    let model = LinearModel { scaled, coefficients, intercepts: vec![intercept], classes: None };
    let error = |rows: &[u32]| match model.predict(&training.features.take(rows)) {
        Predictions::Numbers(predicted) => rmse(&of(rows), &predicted),
        Predictions::Probabilities { .. } => unreachable!("a regression predicts numbers"),
    };
    let validation = training.rows_in(Part::Validation);
    let point = CurvePoint {
        round: 1,
        metric: "rmse".into(),
        train: error(&train),
        validation: (!validation.is_empty()).then(|| error(&validation)),
    };
    (listener.curve)(&point);
    Ok(Fit { model: Box::new(model), notes: Vec::new() })
}

fn fit_classes(
    training: &Training,
    (codes, classes): (&[u32], usize),
    scaled: Scaled,
    params: &LinearParams,
    listener: &mut Listener<'_>,
) -> Result<Fit> {
    let of = |rows: &[u32]| -> Vec<u32> { rows.iter().map(|row| codes[*row as usize]).collect() };
    let train = training.rows_in(Part::Train);
    let validation = training.rows_in(Part::Validation);
    let (validation_features, validation_codes) = (training.features.take(&validation), of(&validation));
    let rows = scaled.rows(training, &train);
    let limits = Limits { iterations: params.max_iterations as usize, tolerance: params.tolerance };
    let step = |iteration: usize, coefficients: &[f64], intercepts: &[f64], train_loss: f64| {
        listener.progress.step("fitting", iteration as u64, None)?;
        let validation = (!validation.is_empty()).then(|| {
            let sums = scaled.predict(&validation_features, coefficients, intercepts);
            log_loss(classes, &validation_codes, &probabilities(&sums, classes))
        });
        let (round, metric) = (iteration as u32, "log_loss".into());
        (listener.curve)(&CurvePoint { round, metric, train: train_loss, validation });
        Ok(())
    };
    let LogisticFit { coefficients, intercepts, iterations, is_converged } =
        fit_logistic(&rows, &of(&train), classes, params.l2, limits, step)?;
    let mut notes = Vec::new();
    if !is_converged {
        notes.push(format!(
            "the solver stopped after {iterations} steps before it had converged; raise `max_iterations`, or `l2`"
        ));
    }
    let model = LinearModel { scaled, coefficients, intercepts, classes: Some(classes) };
    Ok(Fit { model: Box::new(model), notes })
}

/// Sums as the probabilities of all classes.
fn probabilities(sums: &[f64], classes: usize) -> Vec<f64> {
    if classes == 2 {
        return sums.iter().map(|sum| sigmoid(*sum)).flat_map(|p| [1.0 - p, p]).collect();
    }
    let mut all = sums.to_vec();
    all.chunks_exact_mut(classes).for_each(softmax);
    all
}

impl Model for LinearModel {
    fn predict(&self, features: &Matrix) -> Predictions {
        let sums = self.scaled.predict(features, &self.coefficients, &self.intercepts);
        match self.classes {
            None => Predictions::Numbers(sums),
            Some(classes) => Predictions::Probabilities { classes, values: probabilities(&sums, classes) },
        }
    }

    /// The size of the coefficients of scaled columns, over all outputs.
    fn importance(&self) -> Vec<f64> {
        let width = self.scaled.offsets.len();
        let mut sizes = vec![0.0; width];
        for line in self.coefficients.chunks_exact(width) {
            sizes.iter_mut().zip(line).for_each(|(size, coefficient)| *size += coefficient.abs());
        }
        shares(sizes)
    }

    /// In 64 bit: sums of large products that cancel would lose digits in 32.
    fn write(&self, graph: &mut Graph, features: &str) -> Name {
        let (width, outputs) = (self.scaled.offsets.len(), self.intercepts.len());
        let offsets = graph.doubles(&[width as i64], &self.scaled.offsets);
        let factors = graph.doubles(&[width as i64], &self.scaled.factors);
        let mut transposed = Vec::with_capacity(width * outputs);
        for feature in 0..width {
            transposed.extend((0..outputs).map(|output| self.coefficients[output * width + feature]));
        }
        let coefficients = graph.doubles(&[width as i64, outputs as i64], &transposed);
        let intercepts = graph.doubles(&[outputs as i64], &self.intercepts);
        let wide = graph.cast(features, Element::Double);
        let centred = graph.op("Sub", &[&wide, &offsets], &[]);
        let scaled = graph.op("Mul", &[&centred, &factors], &[]);
        let products = graph.op("MatMul", &[&scaled, &coefficients], &[]);
        let sums = graph.op("Add", &[&products, &intercepts], &[]);
        let answer = match self.classes {
            None => sums,
            Some(2) => {
                let p = graph.op("Sigmoid", &[&sums], &[]);
                both(graph, &p, Element::Double)
            }
            Some(_) => graph.op("Softmax", &[&sums], &[("axis", Attribute::Int(1))]),
        };
        graph.cast(&answer, Element::Float)
    }
}

/// `[rows, 1]` with the probability of the second class as `[rows, 2]` with both.
pub fn both(graph: &mut Graph, second: &str, element: Element) -> Name {
    let one = graph.doubles(&[1], &[1.0]);
    let one = if element == Element::Double { one } else { graph.cast(&one, element) };
    let first = graph.op("Sub", &[&one, second], &[]);
    graph.op("Concat", &[&first, second], &[("axis", Attribute::Int(1))])
}
