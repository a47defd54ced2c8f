//! Operators that work element by element, with the broadcasting of ONNX (the same as numpy's).

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, mistyped, need, one};
use crate::graph::Value;
use crate::tensor::{Elements, Tensor, volume};

/// The kernel of an element-wise operator, or none if `op` is not one.
pub fn build(op: &str, attributes: &mut Attributes) -> Result<Option<Box<dyn Kernel>>> {
    let kernel: Box<dyn Kernel> = match op {
        "Abs" => unary(f32::abs, f64::abs, Some(i64::wrapping_abs)),
        "Neg" => unary(|x| -x, |x| -x, Some(i64::wrapping_neg)),
        "Sign" => unary(sign_f32, sign_f64, Some(i64::signum)),
        "Exp" => unary(libm::expf, libm::exp, None),
        "Log" => unary(libm::logf, libm::log, None),
        "Sqrt" => unary(f32::sqrt, f64::sqrt, None),
        "Floor" => unary(f32::floor, f64::floor, None),
        "Ceil" => unary(f32::ceil, f64::ceil, None),
        "Round" => unary(f32::round_ties_even, f64::round_ties_even, None),
        "Reciprocal" => unary(f32::recip, f64::recip, None),
        "Tanh" => unary(libm::tanhf, libm::tanh, None),
        "Erf" => unary(libm::erff, libm::erf, None),
        "Sigmoid" => unary(sigmoid_f32, sigmoid_f64, None),
        "Relu" => {
            unary(|x| if x < 0.0 { 0.0 } else { x }, |x| if x < 0.0 { 0.0 } else { x }, Some(|x| x.max(0)))
        }
        "Not" => Box::new(Not),
        "IsNaN" => Box::new(IsNan),
        "Add" => arithmetic(|a, b| a + b, |a, b| a + b, |a, b| Ok(a.wrapping_add(b))),
        "Sub" => arithmetic(|a, b| a - b, |a, b| a - b, |a, b| Ok(a.wrapping_sub(b))),
        "Mul" => arithmetic(|a, b| a * b, |a, b| a * b, |a, b| Ok(a.wrapping_mul(b))),
        "Div" => arithmetic(|a, b| a / b, |a, b| a / b, divide),
        "Pow" => Box::new(Pow),
        "Max" => arithmetic(max_f32, max_f64, |a, b| Ok(a.max(b))),
        "Min" => arithmetic(|a, b| -max_f32(-a, -b), |a, b| -max_f64(-a, -b), |a, b| Ok(a.min(b))),
        "Sum" => arithmetic(|a, b| a + b, |a, b| a + b, |a, b| Ok(a.wrapping_add(b))),
        "Equal" => Box::new(Equal),
        "Greater" => compare(|a, b| a > b, |a, b| a > b),
        "GreaterOrEqual" => compare(|a, b| a >= b, |a, b| a >= b),
        "Less" => compare(|a, b| a < b, |a, b| a < b),
        "LessOrEqual" => compare(|a, b| a <= b, |a, b| a <= b),
        "And" => Box::new(Logic { f: |a, b| a && b }),
        "Or" => Box::new(Logic { f: |a, b| a || b }),
        "Xor" => Box::new(Logic { f: |a, b| a != b }),
        "Where" => Box::new(Where),
        _ => return Ok(None),
    };
    // Before version 7 broadcasting had to be asked for and named its axis.
    if attributes.opset() < 7 && attributes.int("broadcast")?.is_some() {
        return Err(Error::invalid("broadcasting of operator sets before 7 is not supported"));
    }
    Ok(Some(kernel))
}

struct Unary {
    single: fn(f32) -> f32,
    double: fn(f64) -> f64,
    whole: Option<fn(i64) -> i64>,
}

fn unary(single: fn(f32) -> f32, double: fn(f64) -> f64, whole: Option<fn(i64) -> i64>) -> Box<dyn Kernel> {
    Box::new(Unary { single, double, whole })
}

impl Kernel for Unary {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let elements = match (tensor.elements(), self.whole) {
            (Elements::F32(values), _) => Elements::F32(values.iter().map(|v| (self.single)(*v)).collect()),
            (Elements::F64(values), _) => Elements::F64(values.iter().map(|v| (self.double)(*v)).collect()),
            (Elements::I64(values), Some(whole)) => Elements::I64(values.iter().map(|v| whole(*v)).collect()),
            (Elements::I64(_), None) | (Elements::Bool(_) | Elements::Text(_), _) => {
                return Err(mistyped(tensor));
            }
        };
        one(tensor.shape().to_vec(), elements)
    }
}

struct Not;

impl Kernel for Not {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let Elements::Bool(values) = tensor.elements() else { return Err(mistyped(tensor)) };
        one(tensor.shape().to_vec(), Elements::Bool(values.iter().map(|v| !v).collect()))
    }
}

struct IsNan;

impl Kernel for IsNan {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let nans = match tensor.elements() {
            Elements::F32(values) => values.iter().map(|v| v.is_nan()).collect(),
            Elements::F64(values) => values.iter().map(|v| v.is_nan()).collect(),
            Elements::I64(_) | Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(tensor)),
        };
        one(tensor.shape().to_vec(), Elements::Bool(nans))
    }
}

struct Arithmetic {
    single: fn(f32, f32) -> f32,
    double: fn(f64, f64) -> f64,
    whole: fn(i64, i64) -> Result<i64>,
}

fn arithmetic(
    single: fn(f32, f32) -> f32,
    double: fn(f64, f64) -> f64,
    whole: fn(i64, i64) -> Result<i64>,
) -> Box<dyn Kernel> {
    Box::new(Arithmetic { single, double, whole })
}

impl Kernel for Arithmetic {
    /// `Max`, `Min` and `Sum` take any number of inputs, the others two; either is a fold.
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let mut folded = need(inputs, 0)?.clone();
        for place in 1..inputs.len() {
            let other = need(inputs, place)?;
            let pair = Pair::new(folded.shape(), other.shape())?;
            let elements = match (folded.elements(), other.elements()) {
                (Elements::F32(a), Elements::F32(b)) => {
                    Elements::F32(pair.zip(a, b, |a, b| (self.single)(*a, *b)))
                }
                (Elements::F64(a), Elements::F64(b)) => {
                    Elements::F64(pair.zip(a, b, |a, b| (self.double)(*a, *b)))
                }
                (Elements::I64(a), Elements::I64(b)) => {
                    let made = pair.zip(a, b, |a, b| (self.whole)(*a, *b));
                    Elements::I64(made.into_iter().collect::<Result<_>>()?)
                }
                _ => return Err(mismatched(&folded, other)),
            };
            folded = Tensor::new(pair.shape, elements)?;
        }
        Ok(vec![Value::Tensor(folded)])
    }
}

struct Pow;

impl Kernel for Pow {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (base, exponent) = (need(inputs, 0)?, need(inputs, 1)?);
        let pair = Pair::new(base.shape(), exponent.shape())?;
        // The result has the type of the base, whatever the exponent is.
        let exponents: Vec<f64> = match exponent.elements() {
            Elements::F32(values) => values.iter().copied().map(f64::from).collect(),
            Elements::F64(values) => values.clone(),
            Elements::I64(values) => values.iter().map(|v| *v as f64).collect(),
            Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(exponent)),
        };
        let elements = match base.elements() {
            Elements::F32(values) => {
                Elements::F32(pair.zip(values, &exponents, |a, b| libm::powf(*a, *b as f32)))
            }
            Elements::F64(values) => Elements::F64(pair.zip(values, &exponents, |a, b| libm::pow(*a, *b))),
            Elements::I64(_) | Elements::Bool(_) | Elements::Text(_) => return Err(mistyped(base)),
        };
        one(pair.shape, elements)
    }
}

struct Compare {
    double: fn(f64, f64) -> bool,
    whole: fn(i64, i64) -> bool,
}

fn compare(double: fn(f64, f64) -> bool, whole: fn(i64, i64) -> bool) -> Box<dyn Kernel> {
    Box::new(Compare { double, whole })
}

impl Kernel for Compare {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (left, right) = (need(inputs, 0)?, need(inputs, 1)?);
        let pair = Pair::new(left.shape(), right.shape())?;
        let held = match (left.elements(), right.elements()) {
            // Single precision widens without loss, so one comparison serves both.
            (Elements::F32(a), Elements::F32(b)) => {
                pair.zip(a, b, |a, b| (self.double)(f64::from(*a), f64::from(*b)))
            }
            (Elements::F64(a), Elements::F64(b)) => pair.zip(a, b, |a, b| (self.double)(*a, *b)),
            (Elements::I64(a), Elements::I64(b)) => pair.zip(a, b, |a, b| (self.whole)(*a, *b)),
            _ => return Err(mismatched(left, right)),
        };
        one(pair.shape, Elements::Bool(held))
    }
}

struct Equal;

impl Kernel for Equal {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (left, right) = (need(inputs, 0)?, need(inputs, 1)?);
        let pair = Pair::new(left.shape(), right.shape())?;
        let held = match (left.elements(), right.elements()) {
            (Elements::F32(a), Elements::F32(b)) => pair.zip(a, b, |a, b| a == b),
            (Elements::F64(a), Elements::F64(b)) => pair.zip(a, b, |a, b| a == b),
            (Elements::I64(a), Elements::I64(b)) => pair.zip(a, b, |a, b| a == b),
            (Elements::Bool(a), Elements::Bool(b)) => pair.zip(a, b, |a, b| a == b),
            (Elements::Text(a), Elements::Text(b)) => pair.zip(a, b, |a, b| a == b),
            _ => return Err(mismatched(left, right)),
        };
        one(pair.shape, Elements::Bool(held))
    }
}

struct Logic {
    f: fn(bool, bool) -> bool,
}

impl Kernel for Logic {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (left, right) = (need(inputs, 0)?, need(inputs, 1)?);
        let (Elements::Bool(a), Elements::Bool(b)) = (left.elements(), right.elements()) else {
            return Err(mismatched(left, right));
        };
        let pair = Pair::new(left.shape(), right.shape())?;
        let held = pair.zip(a, b, |a, b| (self.f)(*a, *b));
        one(pair.shape, Elements::Bool(held))
    }
}

struct Where;

impl Kernel for Where {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (condition, yes, no) = (need(inputs, 0)?, need(inputs, 1)?, need(inputs, 2)?);
        let Elements::Bool(held) = condition.elements() else { return Err(mistyped(condition)) };
        let shape = broadcast(&broadcast(condition.shape(), yes.shape())?, no.shape())?;
        let condition = places(condition.shape(), &shape)?;
        let (from_yes, from_no) = (places(yes.shape(), &shape)?, places(no.shape(), &shape)?);
        macro_rules! choose {
            ($variant:ident, $a:expr, $b:expr) => {
                Elements::$variant(
                    (0..condition.len())
                        .map(|at| {
                            if held[condition[at]] { &$a[from_yes[at]] } else { &$b[from_no[at]] }.clone()
                        })
                        .collect(),
                )
            };
        }
        let elements = match (yes.elements(), no.elements()) {
            (Elements::F32(a), Elements::F32(b)) => choose!(F32, a, b),
            (Elements::F64(a), Elements::F64(b)) => choose!(F64, a, b),
            (Elements::I64(a), Elements::I64(b)) => choose!(I64, a, b),
            (Elements::Bool(a), Elements::Bool(b)) => choose!(Bool, a, b),
            (Elements::Text(a), Elements::Text(b)) => choose!(Text, a, b),
            _ => return Err(mismatched(yes, no)),
        };
        one(shape, elements)
    }
}

/// Two shapes broadcast to one.
struct Pair {
    shape: Vec<usize>,
    left: Vec<usize>,
    right: Vec<usize>,
    /// Both sides have as many elements as the result, in the same order.
    aligned: bool,
    count: usize,
}

impl Pair {
    fn new(left: &[usize], right: &[usize]) -> Result<Self> {
        let shape = broadcast(left, right)?;
        let count = volume(&shape)?;
        let aligned = left == right;
        Ok(Self { shape, left: left.to_vec(), right: right.to_vec(), aligned, count })
    }

    fn zip<A, B, O>(&self, left: &[A], right: &[B], f: impl Fn(&A, &B) -> O) -> Vec<O> {
        match (left, right) {
            _ if self.aligned => left.iter().zip(right).map(|(a, b)| f(a, b)).collect(),
            (_, [b]) if left.len() == self.count => left.iter().map(|a| f(a, b)).collect(),
            ([a], _) if right.len() == self.count => right.iter().map(|b| f(a, b)).collect(),
            _ => {
                let (from_left, from_right) = (walk(&self.left, &self.shape), walk(&self.right, &self.shape));
                from_left.zip(from_right).map(|(a, b)| f(&left[a], &right[b])).collect()
            }
        }
    }
}

/// The shape that both shapes stretch to.
pub(super) fn broadcast(left: &[usize], right: &[usize]) -> Result<Vec<usize>> {
    let rank = left.len().max(right.len());
    let length =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let axes = (0..rank).map(|axis| match (length(left, axis), length(right, axis)) {
        (a, b) if a == b => Ok(a),
        (1, b) => Ok(b),
        (a, 1) => Ok(a),
        _ => Err(Error::invalid(format!("the shapes {left:?} and {right:?} do not go together"))),
    });
    let shape: Vec<usize> = axes.collect::<Result<_>>()?;
    volume(&shape)?;
    Ok(shape)
}

/// For each element of a broadcast result, where it comes from.
pub(super) fn places(from: &[usize], to: &[usize]) -> Result<Vec<usize>> {
    if broadcast(from, to)? != to {
        return Err(Error::invalid(format!("the shape {from:?} does not stretch to {to:?}")));
    }
    Ok(walk(from, to).collect())
}

fn walk(from: &[usize], to: &[usize]) -> impl Iterator<Item = usize> {
    let skipped = to.len() - from.len();
    let mut strides = vec![0; to.len()];
    let mut stride = 1;
    for (axis, length) in from.iter().enumerate().rev() {
        strides[skipped + axis] = if *length == 1 { 0 } else { stride };
        stride *= length;
    }
    let to = to.to_vec();
    let mut index = vec![0; to.len()];
    let mut place = 0;
    let count: usize = to.iter().product();
    (0..count).map(move |_| {
        let current = place;
        for axis in (0..to.len()).rev() {
            index[axis] += 1;
            place += strides[axis];
            if index[axis] < to[axis] {
                break;
            }
            place -= strides[axis] * to[axis];
            index[axis] = 0;
        }
        current
    })
}

fn mismatched(left: &Tensor, right: &Tensor) -> Error {
    Error::invalid(format!("it is not defined on {} and {}", left.element().name(), right.element().name()))
}

fn divide(a: i64, b: i64) -> Result<i64> {
    if b == 0 {
        return Err(Error::invalid("a whole number is divided by zero"));
    }
    Ok(a.wrapping_div(b))
}

/// The larger number; NaN if either is.
fn max_f32(a: f32, b: f32) -> f32 {
    if a.is_nan() || a > b { a } else { b }
}

fn max_f64(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn sign_f32(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn sign_f64(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn sigmoid_f32(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::expf(-x))
    } else {
        let power = libm::expf(x);
        power / (1.0 + power)
    }
}

fn sigmoid_f64(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let power = libm::exp(x);
        power / (1.0 + power)
    }
}
