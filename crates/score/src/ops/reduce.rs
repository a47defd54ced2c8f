//! Operators that fold an axis: sums, extremes, the place of an extreme, and softmax.

use base::{Error, Result};

use super::attributes::Attributes;
use super::shape::axes_of;
use super::{Kernel, mistyped, need, one};
use crate::graph::Value;
use crate::tensor::{Elements, Tensor, axis_of};

/// A fold over some axes.
pub struct Reduce {
    fold: Fold,
    axes: Option<Vec<i64>>,
    keep_axes: bool,
    nothing_without_axes: bool,
}

#[derive(Clone, Copy)]
enum Fold {
    Sum,
    Mean,
    Max,
    Min,
    Product,
    SumOfSquares,
    SumOfAbsolutes,
    RootOfSquares,
    LogOfSum,
    LogOfSumOfPowers,
}

impl Reduce {
    /// The fold with this name, or none if `op` is not one.
    pub fn new(op: &str, attributes: &mut Attributes) -> Result<Option<Self>> {
        let fold = match op {
            "ReduceSum" => Fold::Sum,
            "ReduceMean" => Fold::Mean,
            "ReduceMax" => Fold::Max,
            "ReduceMin" => Fold::Min,
            "ReduceProd" => Fold::Product,
            "ReduceSumSquare" => Fold::SumOfSquares,
            "ReduceL1" => Fold::SumOfAbsolutes,
            "ReduceL2" => Fold::RootOfSquares,
            "ReduceLogSum" => Fold::LogOfSum,
            "ReduceLogSumExp" => Fold::LogOfSumOfPowers,
            _ => return Ok(None),
        };
        Ok(Some(Self {
            fold,
            axes: attributes.ints("axes")?,
            keep_axes: attributes.flag("keepdims", true)?,
            nothing_without_axes: attributes.flag("noop_with_empty_axes", false)?,
        }))
    }
}

impl Kernel for Reduce {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let mut folded = vec![false; rank];
        match axes_of(self.axes.as_deref(), inputs)? {
            Some(axes) if !axes.is_empty() => {
                for axis in axes {
                    folded[axis_of(*axis, rank)?] = true;
                }
            }
            _ if self.nothing_without_axes => return Ok(vec![Value::Tensor(tensor.clone())]),
            _ => folded.fill(true),
        }
        let groups = Groups::new(tensor.shape(), &folded);
        let elements = match tensor.elements() {
            Elements::F32(values) => {
                Elements::F32(groups.map(|group| self.fold.single(group.iter().map(|at| values[*at])))?)
            }
            Elements::F64(values) => {
                Elements::F64(groups.map(|group| self.fold.double(group.iter().map(|at| values[*at])))?)
            }
            Elements::I64(values) => {
                Elements::I64(groups.map(|group| self.fold.whole(group.iter().map(|at| values[*at])))?)
            }
            Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(tensor)),
        };
        one(groups.shape(tensor.shape(), &folded, self.keep_axes), elements)
    }
}

macro_rules! fold {
    ($name:ident, $number:ty, $exp:path, $log:path) => {
        fn $name(self, values: impl ExactSizeIterator<Item = $number> + Clone) -> Result<$number> {
            let count = values.len() as $number;
            let sum = |values: &mut dyn Iterator<Item = $number>| values.fold(0.0, |sum, value| sum + value);
            Ok(match self {
                Self::Sum => sum(&mut values.into_iter()),
                Self::Mean => sum(&mut values.into_iter()) / count,
                Self::Max => {
                    values.fold(<$number>::NEG_INFINITY, |a, b| if b.is_nan() || b > a { b } else { a })
                }
                Self::Min => values.fold(<$number>::INFINITY, |a, b| if b.is_nan() || b < a { b } else { a }),
                Self::Product => values.fold(1.0, |product, value| product * value),
                Self::SumOfSquares => sum(&mut values.map(|value| value * value)),
                Self::SumOfAbsolutes => sum(&mut values.map(<$number>::abs)),
                Self::RootOfSquares => sum(&mut values.map(|value| value * value)).sqrt(),
                Self::LogOfSum => $log(sum(&mut values.into_iter())),
                Self::LogOfSumOfPowers => {
                    let largest = values.clone().fold(<$number>::NEG_INFINITY, <$number>::max);
                    let shift = if largest.is_finite() { largest } else { 0.0 };
                    $log(sum(&mut values.map(|value| $exp(value - shift)))) + shift
                }
            })
        }
    };
}

impl Fold {
    fold!(single, f32, libm::expf, libm::logf);
    fold!(double, f64, libm::exp, libm::log);

    fn whole(self, values: impl Iterator<Item = i64>) -> Result<i64> {
        Ok(match self {
            Self::Sum => values.fold(0, i64::wrapping_add),
            Self::Max => values.max().unwrap_or(i64::MIN),
            Self::Min => values.min().unwrap_or(i64::MAX),
            Self::Product => values.fold(1, i64::wrapping_mul),
            Self::SumOfSquares => values.fold(0, |sum, value| sum.wrapping_add(value.wrapping_mul(value))),
            Self::SumOfAbsolutes => values.fold(0, |sum, value| sum.wrapping_add(value.wrapping_abs())),
            Self::Mean | Self::RootOfSquares | Self::LogOfSum | Self::LogOfSumOfPowers => {
                return Err(Error::invalid("this fold is not defined on int64"));
            }
        })
    }
}

/// The elements that are folded together, group by group, in the order of the result.
struct Groups {
    starts: Vec<usize>,
    steps: Vec<usize>,
}

impl Groups {
    fn new(shape: &[usize], folded: &[bool]) -> Self {
        let (mut starts, mut steps) = (vec![0], vec![0]);
        let mut stride: usize = shape.iter().product();
        for (length, folded) in shape.iter().zip(folded) {
            stride /= (*length).max(1);
            let spread = if *folded { &mut steps } else { &mut starts };
            *spread =
                spread.iter().flat_map(|at| (0..*length).map(move |index| at + index * stride)).collect();
        }
        Self { starts, steps }
    }

    fn map<T>(&self, f: impl Fn(&[usize]) -> Result<T>) -> Result<Vec<T>> {
        let mut group = vec![0; self.steps.len()];
        let folds = self.starts.iter().map(|start| {
            group.iter_mut().zip(&self.steps).for_each(|(place, step)| *place = start + step);
            f(&group)
        });
        folds.collect()
    }

    fn shape(&self, shape: &[usize], folded: &[bool], keep_axes: bool) -> Vec<usize> {
        let axes = shape.iter().zip(folded);
        axes.filter(|(_, folded)| keep_axes || !**folded)
            .map(|(l, folded)| if *folded { 1 } else { *l })
            .collect()
    }
}

/// The place of the largest or smallest element along an axis.
pub struct ArgExtreme {
    largest: bool,
    axis: i64,
    keep_axis: bool,
    last: bool,
}

impl ArgExtreme {
    /// Reads the attributes.
    pub fn new(op: &str, attributes: &mut Attributes) -> Result<Self> {
        Ok(Self {
            largest: op == "ArgMax",
            axis: attributes.int("axis")?.unwrap_or(0),
            keep_axis: attributes.flag("keepdims", true)?,
            last: attributes.flag("select_last_index", false)?,
        })
    }

    fn place<T: PartialOrd + Copy>(&self, group: &[usize], values: &[T]) -> Result<i64> {
        let mut best = 0;
        for (at, place) in group.iter().enumerate().skip(1) {
            let (value, held) = (values[*place], values[group[best]]);
            let better = if self.largest { value > held } else { value < held };
            if better || (self.last && value == held) {
                best = at;
            }
        }
        if group.is_empty() {
            return Err(Error::invalid("there is no element to choose from"));
        }
        Ok(best as i64)
    }
}

impl Kernel for ArgExtreme {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let mut folded = vec![false; tensor.shape().len()];
        folded[axis_of(self.axis, tensor.shape().len())?] = true;
        let groups = Groups::new(tensor.shape(), &folded);
        let places = match tensor.elements() {
            Elements::F32(values) => groups.map(|group| self.place(group, values))?,
            Elements::F64(values) => groups.map(|group| self.place(group, values))?,
            Elements::I64(values) => groups.map(|group| self.place(group, values))?,
            Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(tensor)),
        };
        one(groups.shape(tensor.shape(), &folded, self.keep_axis), Elements::I64(places))
    }
}

/// Turns scores into shares of one, or their logarithms.
pub struct Softmax {
    axis: Option<i64>,
    flatten: bool,
    log: bool,
}

impl Softmax {
    /// Reads the attributes; before version 13 all axes from `axis` on counted as one.
    pub fn new(op: &str, attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axis: attributes.int("axis")?, flatten: attributes.opset() < 13, log: op == "LogSoftmax" })
    }
}

impl Kernel for Softmax {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let axis = axis_of(self.axis.unwrap_or(if self.flatten { 1 } else { -1 }), rank)?;
        let folded: Vec<bool> = (0..rank).map(|at| at == axis || (self.flatten && at > axis)).collect();
        let groups = Groups::new(tensor.shape(), &folded);
        macro_rules! shares {
            ($variant:ident, $values:expr, $number:ty, $exp:path, $log:path) => {{
                let mut shares = $values.clone();
                for start in &groups.starts {
                    let places = || groups.steps.iter().map(|step| start + step);
                    let largest = places().fold(<$number>::NEG_INFINITY, |most, at| most.max($values[at]));
                    let sum = places().fold(0.0, |sum, at| sum + $exp($values[at] - largest));
                    for at in places() {
                        let shifted = $values[at] - largest;
                        shares[at] = if self.log { shifted - $log(sum) } else { $exp(shifted) / sum };
                    }
                }
                Elements::$variant(shares)
            }};
        }
        let elements = match tensor.elements() {
            Elements::F32(values) => shares!(F32, values, f32, libm::expf, libm::logf),
            Elements::F64(values) => shares!(F64, values, f64, libm::exp, libm::log),
            Elements::I64(_) | Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(tensor)),
        };
        one(tensor.shape().to_vec(), elements)
    }
}
