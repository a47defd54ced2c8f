//! `Cast`: one element type to another.

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, need, one};
use crate::graph::Value;
use crate::tensor::{Element, Elements, Tensor};

/// Turns every element into another type.
pub struct Cast {
    to: Element,
    /// The numbers must fit into 32 bits.
    narrow: bool,
}

impl Cast {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        // `saturate` and `round_mode` speak of 8-bit floating point only.
        attributes.ignore(&["saturate", "round_mode"]);
        let to = attributes.int("to")?.ok_or_else(|| Error::invalid("it does not say the type"))?;
        Ok(Self { to: Element::from_onnx(to)?, narrow: to == 6 })
    }
}

impl Kernel for Cast {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let made = cast(tensor.elements(), self.to)?;
        if let (true, Elements::I64(values)) = (self.narrow, &made)
            && let Some(value) = values.iter().find(|value| i32::try_from(**value).is_err())
        {
            return Err(Error::invalid(format!("{value} does not fit into 32 bits")));
        }
        one(tensor.shape().to_vec(), made)
    }
}

fn cast(from: &Elements, to: Element) -> Result<Elements> {
    Ok(match to {
        Element::F32 => Elements::F32(match from {
            Elements::F32(values) => values.clone(),
            Elements::F64(values) => values.iter().map(|v| *v as f32).collect(),
            Elements::I64(values) => values.iter().map(|v| *v as f32).collect(),
            Elements::Bool(values) => values.iter().map(|v| f32::from(u8::from(*v))).collect(),
            Elements::Text(values) => parse_all(values)?,
        }),
        Element::F64 => Elements::F64(match from {
            Elements::F32(values) => values.iter().copied().map(f64::from).collect(),
            Elements::F64(values) => values.clone(),
            Elements::I64(values) => values.iter().map(|v| *v as f64).collect(),
            Elements::Bool(values) => values.iter().map(|v| f64::from(u8::from(*v))).collect(),
            Elements::Text(values) => parse_all(values)?,
        }),
        Element::I64 => Elements::I64(match from {
            Elements::F32(values) => values.iter().map(|v| *v as i64).collect(),
            Elements::F64(values) => values.iter().map(|v| *v as i64).collect(),
            Elements::I64(values) => values.clone(),
            Elements::Bool(values) => values.iter().map(|v| i64::from(*v)).collect(),
            Elements::Text(values) => parse_all(values)?,
        }),
        Element::Bool => Elements::Bool(match from {
            Elements::F32(values) => values.iter().map(|v| *v != 0.0).collect(),
            Elements::F64(values) => values.iter().map(|v| *v != 0.0).collect(),
            Elements::I64(values) => values.iter().map(|v| *v != 0).collect(),
            Elements::Bool(values) => values.clone(),
            Elements::Text(_) => return Err(Error::invalid("text cannot be cast to bool")),
        }),
        Element::Text => Elements::Text(match from {
            Elements::I64(values) => values.iter().map(i64::to_string).collect(),
            Elements::Text(values) => values.clone(),
            // How many digits a number gets differs between runtimes, so nothing is guessed.
            other => {
                return Err(Error::invalid(format!("{} cannot be cast to text", other.element().name())));
            }
        }),
    })
}

fn parse_all<T: std::str::FromStr>(texts: &[String]) -> Result<Vec<T>> {
    let parsed = texts.iter().enumerate().map(|(at, text)| {
        text.trim().parse().map_err(|_| {
            Error::invalid(format!(
                "element {at}: `{}` is not a number",
                text.escape_debug().take(64).collect::<String>()
            ))
        })
    });
    parsed.collect()
}
