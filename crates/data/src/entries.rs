//! What files that list entries of kinds have in common, be they checks of data or tests of models:
//! values and places of TOML, and parameters read over their defaults with the name of the one that
//! does not fit.

use base::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use crate::schema::nearest;

/// What is wrong with an entry, and with which of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The parameter, if it is one.
    pub param: Option<String>,
    /// What is wrong and what to do.
    pub error: Error,
}

impl Misfit {
    /// Something is wrong with a parameter.
    pub fn param(name: &str, error: Error) -> Self {
        Self { param: Some(name.to_owned()), error }
    }
}

/// Parameters as an object.
pub fn object(params: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("parameters are structs of plain data"),
    }
}

/// Reads parameters over their defaults. `what` is the word for what has them.
///
/// # Errors
/// [`Misfit`] naming the parameter that is unknown or does not fit.
pub fn read_params<P>(given: &Map<String, Value>, what: &str) -> Result<P, Misfit>
where
    P: Serialize + DeserializeOwned + Default,
{
    let mut all = object(&P::default());
    for (name, value) in given {
        if !all.contains_key(name) {
            let error = Error::invalid(format!("there is no parameter `{name}`"));
            let names = all.keys().map(String::as_str);
            let hint = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the parameters are {}", names.collect::<Vec<_>>().join(", ")),
            };
            return Err(Misfit::param(name, error.hint(hint)));
        }
        // Each one is tried alone first, so that the message can say which one is wrong.
        let before = all.insert(name.clone(), value.clone()).unwrap_or(Value::Null);
        if let Err(e) = serde_json::from_value::<P>(Value::Object(all.clone())) {
            all.insert(name.clone(), before);
            let error = Error::invalid(format!("parameter `{name}` cannot be {value}")).because(e);
            return Err(Misfit::param(
                name,
                error.hint(format!("see the documentation of this kind of {what}")),
            ));
        }
    }
    serde_json::from_value(Value::Object(all)).map_err(|e| {
        let error = Error::internal("parameters do not read back").because(e);
        Misfit { param: None, error }
    })
}

/// The line of a place in a text, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// An error in a text, at its line. `what` is the word for the whole, such as "the checks".
pub fn refused(text: &str, at: Option<usize>, what: &str, error: Error) -> Error {
    let place = at.map_or_else(String::new, |at| format!(" at line {}", line_of(text, at)));
    let has_hint = error.hint.is_some();
    let error = error.within(format!("cannot read {what}{place}"));
    if has_hint { error } else { error.hint("correct the text at that place") }
}

/// The error for a field that there is not.
pub fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Error {
    let error = Error::invalid(format!("there is no field `{name}`"));
    match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the fields are {}", names.collect::<Vec<_>>().join(", "))),
    }
}

/// A whole number of TOML, if it has 64 bits.
pub fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A value of TOML in the form in which parameters are kept.
///
/// # Errors
/// For a number that is too large or not finite.
pub fn json(value: &DeValue<'_>) -> Result<Value> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(_) => integer(value).map(Value::from).ok_or_else(|| {
            Error::invalid("the number has more than 64 bits").hint("write it with a point, such as 1.5e30")
        })?,
        DeValue::Float(float) => {
            let number = float.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Value::from).ok_or_else(|| {
                Error::invalid(format!("`{}` is not a finite number", float.as_str()))
                    .hint("write a finite number")
            })?
        }
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| json(value.get_ref())).collect::<Result<_>>()?)
        }
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, value): (&Spanned<_>, _)| {
                Ok((key.get_ref().to_string(), json(value.get_ref())?))
            });
            Value::Object(pairs.collect::<Result<_>>()?)
        }
    })
}
