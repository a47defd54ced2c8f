//! What flows between the operators of a model: arrays of numbers, truth values or text with a
//! shape, row-major.

use base::{Code, Error, Result};

/// The type of the elements of a [`Tensor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
    /// 64-bit whole number.
    I64,
    /// Truth value.
    Bool,
    /// Text in UTF-8.
    Text,
}

impl Element {
    /// The element type with this number in ONNX.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a type that this interpreter does not have.
    pub fn from_onnx(number: i64) -> Result<Self> {
        Ok(match number {
            1 => Self::F32,
            // 32-bit whole numbers are held in 64 bits; `Cast` refuses what would not fit.
            6 | 7 => Self::I64,
            8 => Self::Text,
            9 => Self::Bool,
            11 => Self::F64,
            other => {
                return Err(Error::invalid(format!("element type {other} of ONNX is not supported"))
                    .hint("supported are float, double, int32, int64, bool and string"));
            }
        })
    }

    /// The name that ONNX uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float",
            Self::F64 => "double",
            Self::I64 => "int64",
            Self::Bool => "bool",
            Self::Text => "string",
        }
    }
}

/// The elements of a [`Tensor`].
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// 32-bit floating point.
    F32(Vec<f32>),
    /// 64-bit floating point.
    F64(Vec<f64>),
    /// 64-bit whole numbers.
    I64(Vec<i64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Texts.
    Text(Vec<String>),
}

impl Elements {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    pub fn element(&self) -> Element {
        match self {
            Self::F32(_) => Element::F32,
            Self::F64(_) => Element::F64,
            Self::I64(_) => Element::I64,
            Self::Bool(_) => Element::Bool,
            Self::Text(_) => Element::Text,
        }
    }

    /// The elements at these places, in this order.
    pub(crate) fn pick(&self, places: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::F32(values) => Self::F32(places.map(|at| values[at]).collect()),
            Self::F64(values) => Self::F64(places.map(|at| values[at]).collect()),
            Self::I64(values) => Self::I64(places.map(|at| values[at]).collect()),
            Self::Bool(values) => Self::Bool(places.map(|at| values[at]).collect()),
            Self::Text(values) => Self::Text(places.map(|at| values[at].clone()).collect()),
        }
    }
}

/// An array with a shape. A scalar has the empty shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    elements: Elements,
}

impl Tensor {
    /// No operator makes more elements than this; a model that asks for more is refused instead
    /// of filling the memory.
    pub const MAX_ELEMENTS: usize = 1 << 26;

    /// A tensor of this shape.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] if the shape does not hold as many elements, or too many.
    pub fn new(shape: Vec<usize>, elements: Elements) -> Result<Self> {
        let held = volume(&shape)?;
        if held != elements.len() {
            return Err(Error::invalid(format!(
                "the shape {shape:?} holds {held} elements, got {}",
                elements.len()
            )));
        }
        Ok(Self { shape, elements })
    }

    /// A tensor with one axis.
    pub fn row(elements: Elements) -> Self {
        Self { shape: vec![elements.len()], elements }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, the last axis varying fastest.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The elements alone.
    pub fn into_elements(self) -> Elements {
        self.elements
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// True if there is no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        self.elements.element()
    }

    /// Rows and columns the way the operators of `ai.onnx.ml` read a tensor: one axis is a
    /// single row.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for no axis or more than two.
    pub(crate) fn rows_and_columns(&self) -> Result<(usize, usize)> {
        match *self.shape {
            [columns] => Ok((1, columns)),
            [rows, columns] => Ok((rows, columns)),
            _ => Err(Error::invalid(format!("expected one or two axes, got the shape {:?}", self.shape))),
        }
    }

    /// The numbers as 32-bit floating point, converted if they are of another numeric type.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for text.
    pub(crate) fn to_f32(&self) -> Result<std::borrow::Cow<'_, [f32]>> {
        Ok(match &self.elements {
            Elements::F32(values) => values.as_slice().into(),
            Elements::F64(values) => values.iter().map(|v| *v as f32).collect(),
            Elements::I64(values) => values.iter().map(|v| *v as f32).collect(),
            Elements::Bool(values) => values.iter().map(|v| f32::from(u8::from(*v))).collect(),
            Elements::Text(_) => return Err(Error::invalid("expected numbers, got text")),
        })
    }

    /// Whole numbers, such as axes and shapes.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for another type.
    pub(crate) fn ints(&self) -> Result<&[i64]> {
        match &self.elements {
            Elements::I64(values) => Ok(values),
            other => Err(Error::invalid(format!("expected int64, got {}", other.element().name()))),
        }
    }
}

/// How many elements a shape holds.
///
/// # Errors
/// [`Code::InvalidInput`] above [`Tensor::MAX_ELEMENTS`].
pub(crate) fn volume(shape: &[usize]) -> Result<usize> {
    shape
        .iter()
        .try_fold(1_usize, |held, axis| held.checked_mul(*axis))
        .filter(|held| *held <= Tensor::MAX_ELEMENTS)
        .ok_or_else(|| Error::new(Code::InvalidInput, format!("the shape {shape:?} is too large")))
}

/// The place of an axis that may be counted from the end.
///
/// # Errors
/// [`Code::InvalidInput`] if there is no such axis.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let place = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    place
        .and_then(|place| usize::try_from(place).ok())
        .filter(|place| *place < rank)
        .ok_or_else(|| Error::invalid(format!("there is no axis {axis} among {rank}")))
}
