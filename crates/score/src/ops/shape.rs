//! Operators that only change the shape, join tensors or make constants.

use base::{Error, Result};

use super::attributes::Attributes;
use super::elementwise::{broadcast, places};
use super::{Kernel, need, one};
use crate::graph::Value;
use crate::tensor::{Elements, Tensor, axis_of, volume};

/// Hands its input on.
pub struct Identity;

impl Kernel for Identity {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        Ok(vec![Value::Tensor(need(inputs, 0)?.clone())])
    }
}

/// Makes the same tensor each time.
pub struct Constant {
    tensor: Tensor,
}

impl Constant {
    /// Reads the one attribute that says the value.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let scalar = |elements| Tensor::new(Vec::new(), elements);
        let tensor = if let Some(tensor) = attributes.tensor("value")? {
            tensor
        } else if let Some(value) = attributes.float("value_float")? {
            scalar(Elements::F32(vec![value]))?
        } else if let Some(value) = attributes.int("value_int")? {
            scalar(Elements::I64(vec![value]))?
        } else if let Some(value) = attributes.text("value_string")? {
            scalar(Elements::Text(vec![value]))?
        } else if let Some(values) = attributes.floats("value_floats")? {
            Tensor::row(Elements::F32(values))
        } else if let Some(values) = attributes.ints("value_ints")? {
            Tensor::row(Elements::I64(values))
        } else if let Some(values) = attributes.texts("value_strings")? {
            Tensor::row(Elements::Text(values))
        } else {
            return Err(Error::invalid("it has no value"));
        };
        Ok(Self { tensor })
    }
}

impl Kernel for Constant {
    fn run(&self, _inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        Ok(vec![Value::Tensor(self.tensor.clone())])
    }
}

/// A tensor of the given shape, all of whose elements are the same.
pub struct ConstantOfShape {
    value: Elements,
}

impl ConstantOfShape {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let value = attributes.tensor("value")?.map_or(Elements::F32(vec![0.0]), Tensor::into_elements);
        if value.len() != 1 {
            return Err(Error::invalid("its value must be one element"));
        }
        Ok(Self { value })
    }
}

impl Kernel for ConstantOfShape {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let shape = lengths(need(inputs, 0)?.ints()?)?;
        let count = volume(&shape)?;
        one(shape, self.value.pick(std::iter::repeat_n(0, count)))
    }
}

/// Joins tensors along one axis.
pub struct Concat {
    axis: i64,
}

impl Concat {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let axis = attributes.int("axis")?.ok_or_else(|| Error::invalid("it does not say the axis"))?;
        Ok(Self { axis })
    }
}

impl Kernel for Concat {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let parts = (0..inputs.len()).map(|place| need(inputs, place)).collect::<Result<Vec<_>>>()?;
        let first = *parts.first().ok_or_else(|| Error::invalid("it has no input"))?;
        let axis = axis_of(self.axis, first.shape().len())?;
        let mut shape = first.shape().to_vec();
        shape[axis] = 0;
        for part in &parts {
            let mut others = part.shape().to_vec();
            shape[axis] += others.get(axis).copied().unwrap_or(0);
            if let Some(length) = others.get_mut(axis) {
                *length = shape[axis];
            }
            if others != shape || part.element() != first.element() {
                return Err(Error::invalid(format!(
                    "cannot join {} {:?} and {} {:?} along axis {axis}",
                    first.element().name(),
                    first.shape(),
                    part.element().name(),
                    part.shape()
                )));
            }
        }
        volume(&shape)?;
        let outer: usize = shape[..axis].iter().product();
        macro_rules! join {
            ($variant:ident) => {{
                let mut sides = Vec::with_capacity(parts.len());
                for part in &parts {
                    if let Elements::$variant(values) = part.elements() {
                        sides.push((values, values.len() / outer.max(1)));
                    }
                }
                let mut joined = Vec::with_capacity(shape.iter().product());
                for row in 0..outer {
                    for (values, width) in &sides {
                        joined.extend_from_slice(&values[row * width..(row + 1) * width]);
                    }
                }
                Elements::$variant(joined)
            }};
        }
        let elements = match first.elements() {
            Elements::F32(_) => join!(F32),
            Elements::F64(_) => join!(F64),
            Elements::I64(_) => join!(I64),
            Elements::Bool(_) => join!(Bool),
            Elements::Text(_) => join!(Text),
        };
        one(shape, elements)
    }
}

/// The same elements in another shape.
pub struct Reshape {
    zero_is_zero: bool,
    shape: Option<Vec<i64>>,
}

impl Reshape {
    /// Reads the attributes; before version 5 the shape was one of them.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { zero_is_zero: attributes.flag("allowzero", false)?, shape: attributes.ints("shape")? })
    }
}

impl Kernel for Reshape {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let asked = match &self.shape {
            Some(shape) => shape.as_slice(),
            None => need(inputs, 1)?.ints()?,
        };
        let mut shape = Vec::with_capacity(asked.len());
        let mut open = None;
        for (axis, length) in asked.iter().enumerate() {
            shape.push(match *length {
                0 if !self.zero_is_zero => {
                    let kept = tensor.shape().get(axis).copied();
                    kept.ok_or_else(|| Error::invalid(format!("there is no axis {axis} to keep")))?
                }
                -1 if open.is_none() => {
                    open = Some(axis);
                    1
                }
                length => usize::try_from(length)
                    .map_err(|_| Error::invalid(format!("cannot reshape to {asked:?}")))?,
            });
        }
        if let Some(axis) = open {
            let known = volume(&shape)?;
            if known == 0 || !tensor.len().is_multiple_of(known) {
                return Err(Error::invalid(format!("cannot reshape {:?} to {asked:?}", tensor.shape())));
            }
            shape[axis] = tensor.len() / known;
        }
        one(shape, tensor.elements().clone())
    }
}

/// Two axes: those before `axis` and those from it on.
pub struct Flatten {
    axis: i64,
}

impl Flatten {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axis: attributes.int("axis")?.unwrap_or(1) })
    }
}

impl Kernel for Flatten {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let axis = if self.axis == rank as i64 { rank } else { axis_of(self.axis, rank)? };
        let (outer, inner) = tensor.shape().split_at(axis);
        one(vec![outer.iter().product(), inner.iter().product()], tensor.elements().clone())
    }
}

/// The shape of its input, or a part of it.
pub struct ShapeOf {
    start: i64,
    end: Option<i64>,
}

impl ShapeOf {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { start: attributes.int("start")?.unwrap_or(0), end: attributes.int("end")? })
    }
}

impl Kernel for ShapeOf {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let shape = need(inputs, 0)?.shape();
        let rank = shape.len() as i64;
        let clamp =
            |place: i64| (if place < 0 { place.saturating_add(rank) } else { place }).clamp(0, rank) as usize;
        let (start, end) = (clamp(self.start), clamp(self.end.unwrap_or(rank)));
        let part = shape.get(start..end.max(start)).unwrap_or_default();
        let lengths: Vec<i64> = part.iter().map(|length| *length as i64).collect();
        one(vec![lengths.len()], Elements::I64(lengths))
    }
}

/// Drops axes of length 1.
pub struct Squeeze {
    axes: Option<Vec<i64>>,
}

impl Squeeze {
    /// Reads the attributes; from version 13 on the axes are an input.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axes: attributes.ints("axes")? })
    }
}

impl Kernel for Squeeze {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let mut drop = vec![false; rank];
        match axes_of(self.axes.as_deref(), inputs)? {
            None => drop.iter_mut().zip(tensor.shape()).for_each(|(drop, length)| *drop = *length == 1),
            Some(axes) => {
                for axis in axes {
                    let axis = axis_of(*axis, rank)?;
                    if tensor.shape()[axis] != 1 {
                        return Err(Error::invalid(format!("axis {axis} of {:?} is not 1", tensor.shape())));
                    }
                    drop[axis] = true;
                }
            }
        }
        let kept = tensor.shape().iter().zip(&drop).filter(|(_, drop)| !**drop).map(|(length, _)| *length);
        one(kept.collect(), tensor.elements().clone())
    }
}

/// Adds axes of length 1.
pub struct Unsqueeze {
    axes: Option<Vec<i64>>,
}

impl Unsqueeze {
    /// Reads the attributes; from version 13 on the axes are an input.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axes: attributes.ints("axes")? })
    }
}

impl Kernel for Unsqueeze {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let axes = axes_of(self.axes.as_deref(), inputs)?
            .ok_or_else(|| Error::invalid("it does not say the axes"))?;
        let rank = tensor.shape().len() + axes.len();
        let mut added = vec![false; rank];
        for axis in axes {
            if std::mem::replace(&mut added[axis_of(*axis, rank)?], true) {
                return Err(Error::invalid(format!("axis {axis} is added twice")));
            }
        }
        let mut kept = tensor.shape().iter();
        let shape = added.iter().map(|added| if *added { 1 } else { kept.next().copied().unwrap_or(1) });
        one(shape.collect(), tensor.elements().clone())
    }
}

/// Stretches axes of length 1.
pub struct Expand;

impl Kernel for Expand {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let shape = broadcast(tensor.shape(), &lengths(need(inputs, 1)?.ints()?)?)?;
        let places = places(tensor.shape(), &shape)?;
        one(shape, tensor.elements().pick(places.into_iter()))
    }
}

/// Puts the axes in another order.
pub struct Transpose {
    order: Option<Vec<i64>>,
}

impl Transpose {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { order: attributes.ints("perm")? })
    }
}

impl Kernel for Transpose {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let order: Vec<usize> = match &self.order {
            None => (0..rank).rev().collect(),
            Some(order) => order.iter().map(|axis| axis_of(*axis, rank)).collect::<Result<_>>()?,
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..rank) {
            return Err(Error::invalid(format!("{order:?} is not an order of {rank} axes")));
        }
        let mut strides = vec![1; rank];
        for axis in (1..rank).rev() {
            strides[axis - 1] = strides[axis] * tensor.shape()[axis];
        }
        let shape: Vec<usize> = order.iter().map(|axis| tensor.shape()[*axis]).collect();
        let places = (0..tensor.len()).map(|at| {
            let mut rest = at;
            let mut place = 0;
            for axis in (0..rank).rev() {
                place += (rest % shape[axis]) * strides[order[axis]];
                rest /= shape[axis];
            }
            place
        });
        let elements = tensor.elements().pick(places);
        one(shape, elements)
    }
}

/// The axes, from the attribute or the second input; none if neither is there.
pub(super) fn axes_of<'a>(
    attribute: Option<&'a [i64]>,
    inputs: &[Option<&'a Tensor>],
) -> Result<Option<&'a [i64]>> {
    match attribute {
        Some(axes) => Ok(Some(axes)),
        None => inputs.get(1).copied().flatten().map(Tensor::ints).transpose(),
    }
}

fn lengths(shape: &[i64]) -> Result<Vec<usize>> {
    let lengths = shape.iter().map(|length| usize::try_from(*length)).collect::<Result<_, _>>();
    lengths.map_err(|_| Error::invalid(format!("{shape:?} is not a shape")))
}
