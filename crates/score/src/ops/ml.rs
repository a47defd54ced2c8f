//! The small operators of `ai.onnx.ml` that prepare features or name scores.

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, mistyped, need, one};
use crate::graph::{Maps, Value};
use crate::tensor::{Elements, Tensor};

/// `(x - offset) * scale`, per column or with one pair for all.
pub struct Scaler {
    offset: Vec<f32>,
    scale: Vec<f32>,
}

impl Scaler {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let offset = attributes.floats("offset")?.unwrap_or_default();
        let scale = attributes.floats("scale")?.unwrap_or_default();
        if offset.is_empty() || offset.len() != scale.len() {
            return Err(Error::invalid(format!("{} offsets for {} scales", offset.len(), scale.len())));
        }
        Ok(Self { offset, scale })
    }
}

impl Kernel for Scaler {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let (_, columns) = tensor.rows_and_columns()?;
        let width = self.offset.len();
        if width != 1 && width != columns {
            return Err(Error::invalid(format!("it has {width} offsets, got {columns} columns")));
        }
        let pairs = self.offset.iter().zip(&self.scale).cycle();
        let scaled = match tensor.elements() {
            Elements::F32(values) => values.iter().zip(pairs).map(|(x, (o, s))| (x - o) * s).collect(),
            Elements::F64(values) => values
                .iter()
                .zip(pairs)
                .map(|(x, (o, s))| ((x - f64::from(*o)) * f64::from(*s)) as f32)
                .collect(),
            Elements::I64(values) => {
                values.iter().zip(pairs).map(|(x, (o, s))| (*x as f32 - o) * s).collect()
            }
            Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(tensor)),
        };
        one(tensor.shape().to_vec(), Elements::F32(scaled))
    }
}

/// Puts a value in the place of what stands for missing.
pub enum Imputer {
    /// Numbers.
    Floats {
        /// The value per column, or one for all.
        fill: Vec<f32>,
        /// What stands for missing; NaN as a rule.
        missing: f32,
    },
    /// Whole numbers.
    Ints {
        /// The value per column, or one for all.
        fill: Vec<i64>,
        /// What stands for missing.
        missing: i64,
    },
}

impl Imputer {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let floats = attributes.floats("imputed_value_floats")?.unwrap_or_default();
        let ints = attributes.ints("imputed_value_int64s")?.unwrap_or_default();
        let missing_float = attributes.float("replaced_value_float")?;
        let missing_int = attributes.int("replaced_value_int64")?;
        match (floats.is_empty(), ints.is_empty(), missing_float, missing_int) {
            (false, true, Some(missing), _) => Ok(Self::Floats { fill: floats, missing }),
            (true, false, _, Some(missing)) => Ok(Self::Ints { fill: ints, missing }),
            _ => Err(Error::invalid("it must say what to replace and by what, in one type")),
        }
    }
}

impl Kernel for Imputer {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let (_, columns) = tensor.rows_and_columns()?;
        let filled = match (self, tensor.elements()) {
            (Self::Floats { fill, missing }, Elements::F32(values)) => {
                let fill = per_column(fill, columns)?;
                let is_missing = |x: f32| x == *missing || (x.is_nan() && missing.is_nan());
                Elements::F32(
                    values.iter().zip(fill).map(|(x, fill)| if is_missing(*x) { fill } else { *x }).collect(),
                )
            }
            (Self::Floats { fill, missing }, Elements::F64(values)) => {
                let (fill, missing) = (per_column(fill, columns)?, f64::from(*missing));
                let is_missing = |x: f64| x == missing || (x.is_nan() && missing.is_nan());
                let values = values.iter().zip(fill);
                Elements::F64(
                    values.map(|(x, fill)| if is_missing(*x) { f64::from(fill) } else { *x }).collect(),
                )
            }
            (Self::Ints { fill, missing }, Elements::I64(values)) => {
                let fill = per_column(fill, columns)?;
                Elements::I64(
                    values.iter().zip(fill).map(|(x, fill)| if x == missing { fill } else { *x }).collect(),
                )
            }
            _ => return Err(mistyped(tensor)),
        };
        one(tensor.shape().to_vec(), filled)
    }
}

fn per_column<T: Copy>(fill: &[T], columns: usize) -> Result<impl Iterator<Item = T>> {
    if fill.len() != 1 && fill.len() != columns {
        return Err(Error::invalid(format!("it has {} values, got {columns} columns", fill.len())));
    }
    Ok(fill.iter().copied().cycle())
}

/// Divides each row by its largest value, the sum of its absolutes, or its length.
pub struct Normalizer {
    norm: Norm,
}

enum Norm {
    Max,
    Absolutes,
    Length,
}

impl Normalizer {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let norm = match attributes.text("norm")?.as_deref().unwrap_or("MAX") {
            "MAX" => Norm::Max,
            "L1" => Norm::Absolutes,
            "L2" => Norm::Length,
            other => return Err(Error::invalid(format!("the norm `{other}` is not supported"))),
        };
        Ok(Self { norm })
    }
}

impl Kernel for Normalizer {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let (_, columns) = tensor.rows_and_columns()?;
        let mut values = tensor.to_f32()?.into_owned();
        for row in values.chunks_exact_mut(columns.max(1)) {
            let divisor = match self.norm {
                Norm::Max => row.iter().copied().fold(f32::MIN, f32::max),
                Norm::Absolutes => row.iter().map(|x| x.abs()).sum(),
                Norm::Length => row.iter().map(|x| x * x).sum::<f32>().sqrt(),
            };
            if divisor != 0.0 {
                row.iter_mut().for_each(|x| *x /= divisor);
            }
        }
        one(tensor.shape().to_vec(), Elements::F32(values))
    }
}

/// One where a value is above the threshold, else zero.
pub struct Binarizer {
    threshold: f32,
}

impl Binarizer {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { threshold: attributes.float("threshold")?.unwrap_or(0.0) })
    }
}

impl Kernel for Binarizer {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let Elements::F32(values) = tensor.elements() else { return Err(mistyped(tensor)) };
        let ones = values.iter().map(|x| if *x > self.threshold { 1.0 } else { 0.0 });
        one(tensor.shape().to_vec(), Elements::F32(ones.collect()))
    }
}

/// Joins inputs of the given widths into rows of floats.
pub struct FeatureVectorizer {
    widths: Vec<i64>,
}

impl FeatureVectorizer {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { widths: attributes.ints("inputdimensions")?.unwrap_or_default() })
    }
}

impl Kernel for FeatureVectorizer {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let mut parts = Vec::with_capacity(inputs.len());
        for place in 0..inputs.len() {
            let tensor = need(inputs, place)?;
            let (rows, columns) = tensor.rows_and_columns()?;
            if self.widths.get(place) != Some(&(columns as i64)) {
                return Err(Error::invalid(format!(
                    "its input {place} has {columns} columns, not as announced"
                )));
            }
            parts.push((rows, columns, tensor.to_f32()?));
        }
        let rows = parts.first().map_or(0, |(rows, _, _)| *rows);
        if parts.iter().any(|(others, _, _)| *others != rows) {
            return Err(Error::invalid("its inputs have different numbers of rows"));
        }
        let joined = (0..rows).flat_map(|row| {
            parts.iter().flat_map(move |(_, width, values)| values[row * width..][..*width].iter())
        });
        let joined: Vec<f32> = joined.copied().collect();
        one(vec![rows, parts.iter().map(|(_, width, _)| width).sum()], Elements::F32(joined))
    }
}

/// Names the columns of scores by their classes.
pub struct ZipMap {
    keys: Elements,
}

impl ZipMap {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { keys: super::linear::class_labels(attributes, "classlabels_int64s")? })
    }
}

impl Kernel for ZipMap {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let scores = need(inputs, 0)?;
        let (rows, columns) = scores.rows_and_columns()?;
        if columns != self.keys.len() {
            return Err(Error::invalid(format!(
                "it names {} classes, got {columns} scores",
                self.keys.len()
            )));
        }
        let scores = Tensor::new(vec![rows, columns], scores.elements().clone())?;
        Ok(vec![Value::Maps(Maps { keys: self.keys.clone(), scores })])
    }
}
