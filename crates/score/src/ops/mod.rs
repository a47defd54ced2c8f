//! The operators. Each is a small value with its attributes read and checked, built once at
//! load. An operator, attribute or type that is not here is refused by name.

mod attributes;
mod cast;
mod elementwise;
mod labels;
mod linear;
mod matrix;
mod ml;
mod reduce;
mod scores;
mod shape;
mod slice;
mod trees;

use base::{Error, Result};

use crate::graph::Value;
use crate::inside::{Inside, Link};
use crate::proto::Node;
use crate::tensor::{Elements, Tensor};
use attributes::Attributes;

/// One operator, ready to run.
pub trait Kernel: Send + Sync {
    /// Computes the outputs from the inputs; an input left out is none.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] for inputs that do not fit.
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>>;

    /// What a model among the operators is made of, and what it does to its sums itself.
    fn inside(&self) -> Option<(Inside, Link)> {
        None
    }
}

/// The kernel for a node, which gives its attributes away.
///
/// # Errors
/// [`base::Code::InvalidInput`] for an operator, an attribute or a value that is not supported.
pub fn build(node: &mut Node, opset: i64) -> Result<Box<dyn Kernel>> {
    let mut attributes = Attributes::new(std::mem::take(&mut node.attributes), opset);
    let kernel = match node.domain.as_str() {
        "" => build_plain(node, &mut attributes)?,
        "ai.onnx.ml" => build_ml(node, &mut attributes)?,
        other => {
            return Err(Error::invalid(format!("the operator set `{other}` is not supported")));
        }
    };
    attributes.finish()?;
    Ok(kernel)
}

fn build_plain(node: &Node, attributes: &mut Attributes) -> Result<Box<dyn Kernel>> {
    let op = node.op.as_str();
    if let Some(kernel) = elementwise::build(op, attributes)? {
        return Ok(kernel);
    }
    Ok(match op {
        "Cast" => Box::new(cast::Cast::new(attributes)?),
        "Concat" => Box::new(shape::Concat::new(attributes)?),
        "Constant" => Box::new(shape::Constant::new(attributes)?),
        "ConstantOfShape" => Box::new(shape::ConstantOfShape::new(attributes)?),
        "Expand" => Box::new(shape::Expand),
        "Flatten" => Box::new(shape::Flatten::new(attributes)?),
        "Gather" => Box::new(slice::Gather::new(attributes)?),
        "Gemm" => Box::new(matrix::Gemm::new(attributes)?),
        "Identity" => Box::new(shape::Identity),
        "MatMul" => Box::new(matrix::MatMul),
        "Reshape" => Box::new(shape::Reshape::new(attributes)?),
        "Shape" => Box::new(shape::ShapeOf::new(attributes)?),
        "Slice" => Box::new(slice::Slice::new(attributes)?),
        "Split" => Box::new(slice::Split::new(attributes, node.outputs.len())?),
        "Squeeze" => Box::new(shape::Squeeze::new(attributes)?),
        "Transpose" => Box::new(shape::Transpose::new(attributes)?),
        "Unsqueeze" => Box::new(shape::Unsqueeze::new(attributes)?),
        "ArgMax" | "ArgMin" => Box::new(reduce::ArgExtreme::new(op, attributes)?),
        "Softmax" | "LogSoftmax" => Box::new(reduce::Softmax::new(op, attributes)?),
        _ => match reduce::Reduce::new(op, attributes)? {
            Some(kernel) => Box::new(kernel),
            None => return Err(unsupported(op)),
        },
    })
}

fn build_ml(node: &Node, attributes: &mut Attributes) -> Result<Box<dyn Kernel>> {
    Ok(match node.op.as_str() {
        "ArrayFeatureExtractor" => Box::new(slice::ArrayFeatureExtractor),
        "Binarizer" => Box::new(ml::Binarizer::new(attributes)?),
        "FeatureVectorizer" => Box::new(ml::FeatureVectorizer::new(attributes)?),
        "Imputer" => Box::new(ml::Imputer::new(attributes)?),
        "LabelEncoder" => Box::new(labels::LabelEncoder::new(attributes)?),
        "LinearClassifier" => Box::new(linear::LinearClassifier::new(attributes)?),
        "LinearRegressor" => Box::new(linear::LinearRegressor::new(attributes)?),
        "Normalizer" => Box::new(ml::Normalizer::new(attributes)?),
        "OneHotEncoder" => Box::new(labels::OneHotEncoder::new(attributes)?),
        "Scaler" => Box::new(ml::Scaler::new(attributes)?),
        "TreeEnsembleClassifier" => Box::new(trees::TreeClassifier::new(attributes)?),
        "TreeEnsembleRegressor" => Box::new(trees::TreeRegressor::new(attributes)?),
        "ZipMap" => Box::new(ml::ZipMap::new(attributes)?),
        other => return Err(unsupported(other)),
    })
}

fn unsupported(op: &str) -> Error {
    Error::invalid(format!("the operator `{op}` is not supported")).hint(
        "the manual lists the operators of tabular models that are; serve other models with onnxruntime",
    )
}

/// The input at a place that must be there.
fn need<'a>(inputs: &[Option<&'a Tensor>], place: usize) -> Result<&'a Tensor> {
    inputs
        .get(place)
        .copied()
        .flatten()
        .ok_or_else(|| Error::invalid(format!("its input {place} is left out")))
}

/// One output with this shape.
fn one(shape: Vec<usize>, elements: Elements) -> Result<Vec<Value>> {
    Ok(vec![Value::Tensor(Tensor::new(shape, elements)?)])
}

/// The error for an operator that is not defined on a type.
fn mistyped(tensor: &Tensor) -> Error {
    Error::invalid(format!("it is not defined on {}", tensor.element().name()))
}
