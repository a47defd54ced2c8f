//! Linear models of `ai.onnx.ml`.

use base::{Error, Result};

use super::attributes::Attributes;
use super::matrix::Sizes;
use super::scores::{PostTransform, logistic, probit};
use super::{Kernel, need};
use crate::graph::Value;
use crate::inside::{Inside, Link, Weights};
use crate::tensor::{Elements, Tensor};

/// A weighted sum per target.
pub struct LinearRegressor {
    model: Linear,
}

impl LinearRegressor {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let targets = attributes.int("targets")?.unwrap_or(1);
        let targets = usize::try_from(targets).map_err(|_| Error::invalid("it has no target"))?;
        Ok(Self { model: Linear::new(attributes, targets)? })
    }
}

impl Kernel for LinearRegressor {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (rows, mut scores) = self.model.scores(need(inputs, 0)?)?;
        match (self.model.transform, self.model.targets) {
            (PostTransform::Probit, 1) => scores.iter_mut().for_each(|score| *score = probit(*score)),
            // One score has nothing to be compared with: onnxruntime leaves it as it is.
            (_, 1) => {}
            (transform, targets) => scores.chunks_exact_mut(targets).for_each(|row| transform.apply(row)),
        }
        Ok(vec![Value::Tensor(Tensor::new(vec![rows, self.model.targets], Elements::F32(scores))?)])
    }

    fn inside(&self) -> Option<(Inside, Link)> {
        // One score is left as it is, whatever the transform says.
        let link = if self.model.targets == 1 && self.model.transform != PostTransform::Probit {
            Link::Identity
        } else {
            self.model.transform.link()?
        };
        Some((Inside::Linear(self.model.weights()), link))
    }
}

/// A weighted sum per class, and the class with the largest.
pub struct LinearClassifier {
    model: Linear,
    labels: Elements,
}

impl LinearClassifier {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let labels = class_labels(attributes, "classlabels_ints")?;
        // Says how the classes were compared while training; scoring does not depend on it.
        attributes.ignore(&["multi_class"]);
        let intercepts = attributes.floats("intercepts")?.unwrap_or_default();
        let classes = intercepts.len();
        if classes == 0 || (classes > 1 && labels.len() != classes) {
            return Err(Error::invalid(format!("{classes} intercepts for {} classes", labels.len())));
        }
        let model = Linear::with_intercepts(attributes, classes, intercepts)?;
        Ok(Self { model, labels })
    }
}

impl Kernel for LinearClassifier {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (rows, mut scores) = self.model.scores(need(inputs, 0)?)?;
        let targets = self.model.targets;
        let two_of_one = targets == 1 && self.labels.len() == 2;
        let winners: Vec<usize> = if targets == 1 {
            scores.iter().map(|score| usize::from(*score > 0.0)).collect()
        } else {
            scores.chunks_exact(targets).map(largest).collect()
        };
        let labels = if targets == 1 && !two_of_one {
            // Without two names for the two classes they are called 0 and 1.
            match &self.labels {
                Elements::Text(_) => Elements::Text(winners.iter().map(usize::to_string).collect()),
                _ => Elements::I64(winners.iter().map(|winner| *winner as i64).collect()),
            }
        } else {
            self.labels.pick(winners.into_iter())
        };
        let transform = self.model.transform;
        let width = if two_of_one { 2 } else { targets };
        match (targets, transform) {
            (1, PostTransform::Probit) if two_of_one => {
                // onnxruntime transforms the scores in place and leaves the second column unset.
                return Err(Error::invalid("PROBIT with one score for two classes is not defined"));
            }
            (1, PostTransform::Probit) => scores.iter_mut().for_each(|score| *score = probit(*score)),
            (1, PostTransform::Logistic) if two_of_one => {
                scores = scores
                    .iter()
                    .map(|score| logistic(*score))
                    .flat_map(|share| [1.0 - share, share])
                    .collect();
            }
            (1, _) if two_of_one => scores = scores.iter().flat_map(|score| [1.0 - score, *score]).collect(),
            (1, _) => {}
            _ => scores.chunks_exact_mut(targets).for_each(|row| transform.apply(row)),
        }
        Ok(vec![
            Value::Tensor(Tensor::row(labels)),
            Value::Tensor(Tensor::new(vec![rows, width], Elements::F32(scores))?),
        ])
    }

    fn inside(&self) -> Option<(Inside, Link)> {
        Some((Inside::Linear(self.model.weights()), self.model.transform.link()?))
    }
}

/// Weights and intercepts.
struct Linear {
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    targets: usize,
    features: usize,
    transform: PostTransform,
}

impl Linear {
    fn new(attributes: &mut Attributes, targets: usize) -> Result<Self> {
        let intercepts = attributes.floats("intercepts")?.unwrap_or_default();
        Self::with_intercepts(attributes, targets, intercepts)
    }

    fn with_intercepts(attributes: &mut Attributes, targets: usize, intercepts: Vec<f32>) -> Result<Self> {
        let coefficients = attributes.floats("coefficients")?.unwrap_or_default();
        let transform = PostTransform::parse(attributes.text("post_transform")?.as_deref())?;
        if targets == 0 || coefficients.is_empty() || coefficients.len() % targets != 0 {
            return Err(Error::invalid(format!("{} coefficients for {targets} targets", coefficients.len())));
        }
        if !intercepts.is_empty() && intercepts.len() != targets {
            return Err(Error::invalid(format!("{} intercepts for {targets} targets", intercepts.len())));
        }
        let features = coefficients.len() / targets;
        Ok(Self { coefficients, intercepts, targets, features, transform })
    }

    fn weights(&self) -> Weights {
        let wide = |values: &[f32]| -> Vec<f64> { values.iter().copied().map(f64::from).collect() };
        let mut intercepts = wide(&self.intercepts);
        intercepts.resize(self.targets, 0.0);
        let coefficients = wide(&self.coefficients);
        Weights { targets: self.targets, features: self.features, coefficients, intercepts }
    }

    fn scores(&self, tensor: &Tensor) -> Result<(usize, Vec<f32>)> {
        let (rows, columns) = tensor.rows_and_columns()?;
        if columns != self.features {
            return Err(Error::invalid(format!(
                "it has {} coefficients per target, got {columns} features",
                self.features
            )));
        }
        let sizes =
            Sizes { rows, inner: columns, columns: self.targets, left_turned: false, right_turned: true };
        crate::tensor::volume(&[rows, self.targets])?;
        let mut scores = sizes.product(&tensor.to_f32()?, &self.coefficients);
        if !self.intercepts.is_empty() {
            for row in scores.chunks_exact_mut(self.targets) {
                row.iter_mut().zip(&self.intercepts).for_each(|(score, intercept)| *score += intercept);
            }
        }
        Ok((rows, scores))
    }
}

/// The names of the classes: texts, or whole numbers under the given attribute.
pub(super) fn class_labels(attributes: &mut Attributes, ints: &str) -> Result<Elements> {
    let texts = attributes.texts("classlabels_strings")?.unwrap_or_default();
    let numbers = attributes.ints(ints)?.unwrap_or_default();
    match (texts.is_empty(), numbers.is_empty()) {
        (false, true) => Ok(Elements::Text(texts)),
        (true, false) => Ok(Elements::I64(numbers)),
        _ => Err(Error::invalid("it must name its classes by texts or by whole numbers")),
    }
}

/// The place of the largest score; the first of equals.
fn largest(scores: &[f32]) -> usize {
    let mut best = 0;
    for (at, score) in scores.iter().enumerate().skip(1) {
        if *score > scores[best] {
            best = at;
        }
    }
    best
}
