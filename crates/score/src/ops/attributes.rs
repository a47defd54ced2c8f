//! The attributes of a node, taken one by one. What is left at the end is an attribute that the
//! operator does not know, and the model is refused instead of run without it.

use std::collections::BTreeMap;

use base::{Error, Result};

use crate::proto::Attribute;
use crate::tensor::{Elements, Tensor};

/// The attributes of a node that are not yet taken.
pub struct Attributes {
    left: BTreeMap<String, Attribute>,
    opset: i64,
}

macro_rules! take {
    ($($(#[$doc:meta])* $name:ident, $variant:ident, $kind:ty;)*) => { $(
        $(#[$doc])*
        pub fn $name(&mut self, name: &str) -> Result<Option<$kind>> {
            match self.left.remove(name) {
                None => Ok(None),
                Some(Attribute::$variant(value)) => Ok(Some(value)),
                Some(_) => Err(Error::invalid(format!("the attribute `{name}` is of the wrong type"))),
            }
        }
    )* };
}

impl Attributes {
    /// The attributes of a node, under a version of the default operator set.
    pub fn new(attributes: Vec<(String, Attribute)>, opset: i64) -> Self {
        Self { left: attributes.into_iter().collect(), opset }
    }

    /// The version of the default operator set.
    pub fn opset(&self) -> i64 {
        self.opset
    }

    take! {
        /// A number.
        float, Float, f32;
        /// A whole number.
        int, Int, i64;
        /// A text.
        text, Text, String;
        /// A constant.
        tensor, Tensor, Tensor;
        /// Numbers.
        floats, Floats, Vec<f32>;
        /// Whole numbers.
        ints, Ints, Vec<i64>;
        /// Texts.
        texts, Texts, Vec<String>;
    }

    /// Numbers given in single precision, or in double precision by the attribute of the same
    /// name with `_as_tensor`; both empty if there are none.
    pub fn numbers(&mut self, name: &str) -> Result<Numbers> {
        let single = self.floats(name)?.unwrap_or_default();
        match self.tensor(&format!("{name}_as_tensor"))?.map(Tensor::into_elements) {
            None => Ok(Numbers::Single(single)),
            Some(Elements::F32(values)) if single.is_empty() => Ok(Numbers::Single(values)),
            Some(Elements::F64(values)) if single.is_empty() => Ok(Numbers::Double(values)),
            Some(_) => {
                Err(Error::invalid(format!("the attribute `{name}` is given twice or is not numbers")))
            }
        }
    }

    /// True or false, written as 1 or 0.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool> {
        Ok(self.int(name)?.map_or(default, |value| value != 0))
    }

    /// Drops attributes that say how to compute but not what.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.left.remove(*name);
        }
    }

    /// Makes sure that every attribute was read.
    pub fn finish(self) -> Result<()> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(Error::invalid(format!("the attribute `{name}` is not supported"))),
        }
    }
}

/// Numbers in the precision in which the model holds them.
#[derive(Debug)]
pub enum Numbers {
    /// Single precision.
    Single(Vec<f32>),
    /// Double precision.
    Double(Vec<f64>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// All of them in double precision.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::Single(values) => values.iter().copied().map(f64::from).collect(),
            Self::Double(values) => values.clone(),
        }
    }

    /// True if they are held in double precision.
    pub fn is_double(&self) -> bool {
        matches!(self, Self::Double(_))
    }
}
