//! A look inside a model: the trees or the weights at its heart, what they read, and what is done to
//! their sums afterwards. Explanations are computed from this, never from the answers alone.

use base::{Error, Result};

use crate::graph::Graph;
use crate::tensor::{Elements, Tensor};

/// The additive part of a model: its sums are the model's answer but for the link.
#[derive(Debug, Clone, PartialEq)]
pub enum Inside {
    /// Decision trees whose leaves are added up.
    Trees(TreeEnsemble),
    /// A weighted sum per target.
    Linear(Weights),
}

/// Trees whose leaves are added up.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEnsemble {
    /// All nodes of all trees. A child may be shared by several branches, but nothing leads back.
    pub nodes: Vec<TreeNode>,
    /// Where each tree starts.
    pub roots: Vec<usize>,
    /// What leaves add: the target and how much.
    pub leaves: Vec<(usize, f64)>,
    /// How many sums there are.
    pub targets: usize,
    /// What each sum starts from.
    pub base: Vec<f64>,
    /// One more than the highest feature that is read.
    pub features: usize,
    /// How many training rows came to each node, if the model says it.
    pub hits: Option<Vec<f64>>,
}

/// One node of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TreeNode {
    /// A question about a feature.
    Branch {
        /// The feature.
        feature: usize,
        /// What it is compared with.
        value: f64,
        /// True if it asks for equality, else it asks whether the feature is at most the value.
        is_equal: bool,
        /// True if a missing value goes to `yes`.
        missing_yes: bool,
        /// Where to go if it holds.
        yes: usize,
        /// Where to go if not.
        no: usize,
    },
    /// A range of [`TreeEnsemble::leaves`].
    Leaf {
        /// The first of them.
        first: usize,
        /// How many.
        count: usize,
    },
}

impl TreeNode {
    /// True if a row goes to `yes`; a leaf asks nothing.
    pub fn holds(&self, row: &[f64]) -> bool {
        match *self {
            Self::Branch { feature, value, is_equal, missing_yes, .. } => {
                let x = row[feature];
                (if is_equal { x == value } else { x <= value }) || (missing_yes && x.is_nan())
            }
            Self::Leaf { .. } => false,
        }
    }
}

/// A weighted sum per target.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// How many sums there are.
    pub targets: usize,
    /// How many features they read.
    pub features: usize,
    /// The weight of each feature, one target after the other.
    pub coefficients: Vec<f64>,
    /// What each sum starts from.
    pub intercepts: Vec<f64>,
}

/// What turns the sums into the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Nothing: they are the answer.
    Identity,
    /// The logistic function: the sums are log odds.
    Logistic,
    /// Shares of one: the sums are logarithms of unscaled probabilities.
    Softmax,
}

/// The heart of a model and where it sits in the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    /// Trees or weights.
    pub inside: Inside,
    /// What is done to their sums.
    pub link: Link,
    /// The place in the graph of the features that they read.
    pub(crate) features: usize,
}

/// Features of some rows, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRows {
    /// How many features a row has.
    pub width: usize,
    /// The values; NaN is missing.
    pub values: Vec<f64>,
}

impl FeatureRows {
    /// The rows, each as a slice.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1))
    }
}

impl Graph {
    /// The trees or weights that this model consists of.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] if there is no such part, or more than one.
    pub fn core(&self) -> Result<Core> {
        let mut found: Vec<Core> = self.declared_cores();
        if found.is_empty() {
            found = self.product_cores();
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(opaque("it has neither trees nor one weighted sum")),
            many => Err(opaque(&format!("it is made of {many} models"))),
        }
    }

    /// The features that the heart of the model reads for these inputs.
    ///
    /// # Errors
    /// As [`Graph::run`].
    pub fn features(&self, core: &Core, inputs: Vec<Tensor>) -> Result<FeatureRows> {
        let tensor = self.tap(inputs, core.features)?;
        let (_, width) = tensor.rows_and_columns()?;
        let values = match tensor.elements() {
            Elements::F64(values) => values.clone(),
            // Trees and weights compare and add up in single precision, whole numbers too.
            _ => tensor.to_f32()?.iter().copied().map(f64::from).collect(),
        };
        Ok(FeatureRows { width, values })
    }
}

fn opaque(why: &str) -> Error {
    Error::invalid(format!("the model cannot be taken apart: {why}"))
        .hint("contributions are for tree and linear models; permutation importance works for every model")
}

/// `a x + b` for each feature, as it is built up from the operators before a matrix product.
pub(crate) struct Affine {
    factors: Vec<f64>,
    offsets: Vec<f64>,
}

impl Affine {
    pub(crate) fn identity(width: usize) -> Self {
        Self { factors: vec![1.0; width], offsets: vec![0.0; width] }
    }

    /// Puts an operator with a constant before what is there already; false if it does not fit.
    pub(crate) fn after(&mut self, op: &str, constant: &[f64]) -> bool {
        let width = self.factors.len();
        if constant.len() != width && constant.len() != 1 {
            return false;
        }
        for (at, constant) in constant.iter().cycle().take(width).enumerate() {
            let (factor, offset) = match op {
                "Sub" => (1.0, -constant),
                "Add" => (1.0, *constant),
                "Mul" => (*constant, 0.0),
                "Div" => (1.0 / constant, 0.0),
                _ => return false,
            };
            self.offsets[at] += self.factors[at] * offset;
            self.factors[at] *= factor;
        }
        true
    }

    /// The weights of the raw features for `matrix` (features by targets) after this.
    pub(crate) fn weights(&self, matrix: &[f64], bias: &[f64]) -> Weights {
        let (features, targets) = (self.factors.len(), bias.len());
        let mut coefficients = vec![0.0; features * targets];
        let mut intercepts = bias.to_vec();
        for feature in 0..features {
            for target in 0..targets {
                let weight = matrix[feature * targets + target];
                coefficients[target * features + feature] = weight * self.factors[feature];
                intercepts[target] += weight * self.offsets[feature];
            }
        }
        Weights { targets, features, coefficients, intercepts }
    }
}
