//! Operators that take parts of a tensor.

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, need, one};
use crate::graph::Value;
use crate::tensor::{Tensor, axis_of, volume};

/// Takes the given places along one axis.
pub struct Gather {
    axis: i64,
}

impl Gather {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axis: attributes.int("axis")?.unwrap_or(0) })
    }
}

impl Kernel for Gather {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (tensor, indices) = (need(inputs, 0)?, need(inputs, 1)?);
        let axis = axis_of(self.axis, tensor.shape().len())?;
        let length = tensor.shape()[axis];
        let chosen =
            indices.ints()?.iter().map(|index| place_of(*index, length)).collect::<Result<Vec<_>>>()?;
        let mut shape = tensor.shape()[..axis].to_vec();
        shape.extend(indices.shape());
        shape.extend(&tensor.shape()[axis + 1..]);
        volume(&shape)?;
        one(shape, take(tensor, axis, &chosen))
    }
}

/// The feature extractor of `ai.onnx.ml`: places along the last axis.
pub struct ArrayFeatureExtractor;

impl Kernel for ArrayFeatureExtractor {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (tensor, indices) = (need(inputs, 0)?, need(inputs, 1)?);
        let rank = tensor.shape().len();
        let axis = rank.checked_sub(1).ok_or_else(|| Error::invalid("its input has no axis"))?;
        let length = tensor.shape()[axis];
        let chosen =
            indices.ints()?.iter().map(|index| place_of(*index, length)).collect::<Result<Vec<_>>>()?;
        if chosen.is_empty() {
            return Err(Error::invalid("it takes no feature"));
        }
        let mut shape = tensor.shape().to_vec();
        shape[axis] = chosen.len();
        if rank == 1 {
            shape.insert(0, 1);
        }
        volume(&shape)?;
        one(shape, take(tensor, axis, &chosen))
    }
}

/// Takes a range along some axes.
pub struct Slice {
    starts: Option<Vec<i64>>,
    ends: Option<Vec<i64>>,
    axes: Option<Vec<i64>>,
}

impl Slice {
    /// Reads the attributes; from version 10 on they are inputs.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self {
            starts: attributes.ints("starts")?,
            ends: attributes.ints("ends")?,
            axes: attributes.ints("axes")?,
        })
    }
}

impl Kernel for Slice {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let rank = tensor.shape().len();
        let optional = |place: usize| inputs.get(place).copied().flatten().map(Tensor::ints).transpose();
        let (starts, ends, axes, steps) = match (&self.starts, &self.ends) {
            (Some(starts), Some(ends)) => (starts.as_slice(), ends.as_slice(), self.axes.as_deref(), None),
            _ => (need(inputs, 1)?.ints()?, need(inputs, 2)?.ints()?, optional(3)?, optional(4)?),
        };
        let mut part = tensor.clone();
        for (at, start) in starts.iter().enumerate() {
            let axis = match axes {
                Some(axes) => {
                    *axes.get(at).ok_or_else(|| Error::invalid("there are fewer axes than starts"))?
                }
                None => at as i64,
            };
            let end = ends.get(at).ok_or_else(|| Error::invalid("there are fewer ends than starts"))?;
            let step = steps.map_or(Some(1), |steps| steps.get(at).copied());
            let step =
                step.filter(|step| *step != 0).ok_or_else(|| Error::invalid("a step is missing or 0"))?;
            let axis = axis_of(axis, rank)?;
            let chosen = range(*start, *end, step, part.shape()[axis]);
            let mut shape = part.shape().to_vec();
            shape[axis] = chosen.len();
            part = Tensor::new(shape, take(&part, axis, &chosen))?;
        }
        Ok(vec![Value::Tensor(part)])
    }
}

/// Cuts a tensor into parts along one axis.
pub struct Split {
    axis: i64,
    lengths: Option<Vec<i64>>,
    parts: usize,
}

impl Split {
    /// Reads the attributes; from version 13 on the lengths are an input.
    pub fn new(attributes: &mut Attributes, outputs: usize) -> Result<Self> {
        let parts = attributes.int("num_outputs")?;
        if parts.is_some_and(|parts| parts != outputs as i64) {
            return Err(Error::invalid("it announces another number of outputs than it has"));
        }
        Ok(Self {
            axis: attributes.int("axis")?.unwrap_or(0),
            lengths: attributes.ints("split")?,
            parts: outputs,
        })
    }
}

impl Kernel for Split {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let axis = axis_of(self.axis, tensor.shape().len())?;
        let length = tensor.shape()[axis];
        let lengths: Vec<usize> = match super::shape::axes_of(self.lengths.as_deref(), inputs)? {
            Some(lengths) => {
                lengths.iter().map(|part| usize::try_from(*part).unwrap_or(usize::MAX)).collect()
            }
            None => {
                // All parts are as long as the first, only the last may be shorter.
                let each = length.div_ceil(self.parts.max(1));
                (0..self.parts).map(|part| each.min(length.saturating_sub(part * each))).collect()
            }
        };
        if lengths.len() != self.parts
            || lengths.iter().try_fold(0, |sum: usize, part| sum.checked_add(*part)) != Some(length)
        {
            return Err(Error::invalid(format!("cannot split {length} into {lengths:?}")));
        }
        let mut start = 0;
        let mut made = Vec::with_capacity(self.parts);
        for part in lengths {
            let chosen: Vec<usize> = (start..start + part).collect();
            start += part;
            let mut shape = tensor.shape().to_vec();
            shape[axis] = part;
            made.push(Value::Tensor(Tensor::new(shape, take(tensor, axis, &chosen))?));
        }
        Ok(made)
    }
}

/// The elements of a tensor at these places of one axis.
fn take(tensor: &Tensor, axis: usize, chosen: &[usize]) -> crate::tensor::Elements {
    let length = tensor.shape()[axis];
    let inner: usize = tensor.shape()[axis + 1..].iter().product();
    let outer: usize = tensor.shape()[..axis].iter().product();
    let places = (0..outer).flat_map(move |row| {
        chosen.iter().flat_map(move |at| {
            let start = (row * length + at) * inner;
            start..start + inner
        })
    });
    tensor.elements().pick(places)
}

fn place_of(index: i64, length: usize) -> Result<usize> {
    let place = if index < 0 { index.checked_add(length as i64) } else { Some(index) };
    place
        .and_then(|place| usize::try_from(place).ok())
        .filter(|place| *place < length)
        .ok_or_else(|| Error::invalid(format!("there is no place {index} among {length}")))
}

/// The places that a slice with these bounds takes, clamped as numpy does.
fn range(start: i64, end: i64, step: i64, length: usize) -> Vec<usize> {
    let length = length as i64;
    let from_end = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let (start, end) = (from_end(start).clamp(low, high), from_end(end).clamp(low, high));
    let mut places = Vec::new();
    let mut at = start;
    while (step > 0 && at < end) || (step < 0 && at > end) {
        places.extend(usize::try_from(at).ok());
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_takes_what_numpy_takes() {
        assert_eq!(range(1, 4, 1, 5), [1, 2, 3]);
        assert_eq!(range(-2, i64::MAX, 1, 5), [3, 4]);
        assert_eq!(range(-1, i64::MIN, -2, 5), [4, 2, 0]);
        assert_eq!(range(3, 1, 1, 5), Vec::<usize>::new());
        assert_eq!(range(0, 5, i64::MAX, 5), [0]);
    }
}
