//! Operators that look values up: label encoding and one-hot encoding.

use std::collections::HashMap;

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, mistyped, need, one};
use crate::graph::Value;
use crate::tensor::{Elements, Tensor, volume};

/// Maps each value to another.
pub struct LabelEncoder {
    keys: Keys,
    values: Elements,
    default: Elements,
}

/// Where a key stands in the table.
enum Keys {
    Text(HashMap<String, usize>),
    Whole(HashMap<i64, usize>),
    /// By the bits of the number, so that a missing value can be a key too.
    Single(HashMap<u32, usize>),
    Double(HashMap<u64, usize>),
}

impl LabelEncoder {
    /// Reads the attributes of any of the four versions of the operator.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let text = attributes.text("default_string")?;
        let whole = attributes.int("default_int64")?;
        let single = attributes.float("default_float")?;
        let tensor = attributes.tensor("default_tensor")?.map(Tensor::into_elements);
        if let Some(classes) = attributes.texts("classes_strings")? {
            return Ok(Self::by_place(classes, whole));
        }
        let keys = match table(attributes, "keys")? {
            Elements::Text(keys) => Keys::Text(places(keys)),
            Elements::I64(keys) => Keys::Whole(places(keys)),
            Elements::F32(keys) => Keys::Single(places(keys.into_iter().map(single_bits))),
            Elements::F64(keys) => Keys::Double(places(keys.into_iter().map(double_bits))),
            Elements::Bool(_) => return Err(Error::invalid("its keys are truth values")),
        };
        let values = table(attributes, "values")?;
        let default = match (&values, tensor) {
            (_, Some(tensor)) => tensor,
            (Elements::Text(_), _) => Elements::Text(vec![text.unwrap_or_else(|| "_Unused".to_owned())]),
            (Elements::I64(_), _) => Elements::I64(vec![whole.unwrap_or(-1)]),
            (Elements::F32(_), _) => Elements::F32(vec![single.unwrap_or(-0.0)]),
            (Elements::F64(_), _) => Elements::F64(vec![-0.0]),
            (Elements::Bool(_), _) => return Err(Error::invalid("its values are truth values")),
        };
        let table = Self { keys, values, default };
        table.check()?;
        Ok(table)
    }

    /// The first version of the operator: texts to their places. (Whole numbers to texts, which
    /// it could do too, is refused when it meets them.)
    fn by_place(classes: Vec<String>, default: Option<i64>) -> Self {
        let values = Elements::I64((0..classes.len() as i64).collect());
        Self {
            keys: Keys::Text(places(classes)),
            values,
            default: Elements::I64(vec![default.unwrap_or(-1)]),
        }
    }

    fn check(&self) -> Result<()> {
        let keys = match &self.keys {
            Keys::Text(keys) => keys.len(),
            Keys::Whole(keys) => keys.len(),
            Keys::Single(keys) => keys.len(),
            Keys::Double(keys) => keys.len(),
        };
        if keys > self.values.len()
            || self.default.len() != 1
            || self.default.element() != self.values.element()
        {
            return Err(Error::invalid(format!("{keys} keys for {} values", self.values.len())));
        }
        Ok(())
    }
}

impl Kernel for LabelEncoder {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let found: Vec<Option<usize>> = match (&self.keys, tensor.elements()) {
            (Keys::Text(keys), Elements::Text(values)) => {
                values.iter().map(|v| keys.get(v).copied()).collect()
            }
            (Keys::Whole(keys), Elements::I64(values)) => {
                values.iter().map(|v| keys.get(v).copied()).collect()
            }
            (Keys::Single(keys), Elements::F32(values)) => {
                values.iter().map(|v| keys.get(&single_bits(*v)).copied()).collect()
            }
            (Keys::Double(keys), Elements::F64(values)) => {
                values.iter().map(|v| keys.get(&double_bits(*v)).copied()).collect()
            }
            _ => return Err(mistyped(tensor)),
        };
        macro_rules! look_up {
            ($variant:ident, $values:expr, $default:expr) => {
                Elements::$variant(
                    found.iter().map(|at| at.map_or(&$default[0], |at| &$values[at]).clone()).collect(),
                )
            };
        }
        let elements = match (&self.values, &self.default) {
            (Elements::Text(values), Elements::Text(default)) => look_up!(Text, values, default),
            (Elements::I64(values), Elements::I64(default)) => look_up!(I64, values, default),
            (Elements::F32(values), Elements::F32(default)) => look_up!(F32, values, default),
            (Elements::F64(values), Elements::F64(default)) => look_up!(F64, values, default),
            _ => return Err(mistyped(tensor)),
        };
        one(tensor.shape().to_vec(), elements)
    }
}

/// A column of ones and zeros for each category.
pub struct OneHotEncoder {
    texts: HashMap<String, usize>,
    numbers: HashMap<i64, usize>,
    count: usize,
    unknown_is_zeros: bool,
}

impl OneHotEncoder {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let texts = attributes.texts("cats_strings")?.unwrap_or_default();
        let numbers = attributes.ints("cats_int64s")?.unwrap_or_default();
        let count = texts.len() + numbers.len();
        if count == 0 || (!texts.is_empty() && !numbers.is_empty()) {
            return Err(Error::invalid("its categories must be texts or whole numbers"));
        }
        let unknown_is_zeros = attributes.flag("zeros", true)?;
        Ok(Self { texts: places(texts), numbers: places(numbers), count, unknown_is_zeros })
    }
}

impl Kernel for OneHotEncoder {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let number = |value: i64| self.numbers.get(&value).copied();
        let found: Vec<Option<usize>> = match tensor.elements() {
            Elements::Text(values) => values.iter().map(|v| self.texts.get(v).copied()).collect(),
            Elements::I64(values) => values.iter().map(|v| number(*v)).collect(),
            // A number is cut to its whole part, as onnxruntime does; a missing one is unknown.
            Elements::F32(values) => {
                values.iter().map(|v| if v.is_nan() { None } else { number(*v as i64) }).collect()
            }
            Elements::F64(values) => {
                values.iter().map(|v| if v.is_nan() { None } else { number(*v as i64) }).collect()
            }
            Elements::Bool(_) => return Err(mistyped(tensor)),
        };
        let mut shape = tensor.shape().to_vec();
        shape.push(self.count);
        let mut ones = vec![0.0_f32; volume(&shape)?];
        for (row, place) in ones.chunks_exact_mut(self.count).zip(found) {
            match place {
                Some(place) => row[place] = 1.0,
                None if self.unknown_is_zeros => {}
                None => return Err(Error::invalid("a value is none of the categories")),
            }
        }
        one(shape, Elements::F32(ones))
    }
}

fn table(attributes: &mut Attributes, what: &str) -> Result<Elements> {
    let given = [
        attributes.texts(&format!("{what}_strings"))?.map(Elements::Text),
        attributes.ints(&format!("{what}_int64s"))?.map(Elements::I64),
        attributes.floats(&format!("{what}_floats"))?.map(Elements::F32),
        attributes.tensor(&format!("{what}_tensor"))?.map(Tensor::into_elements),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(table), None) => Ok(table),
        _ => Err(Error::invalid(format!("its {what} must be given once"))),
    }
}

/// Where each key stands; of equal keys the last counts, as in onnxruntime.
fn places<K: std::hash::Hash + Eq>(keys: impl IntoIterator<Item = K>) -> HashMap<K, usize> {
    keys.into_iter().enumerate().map(|(at, key)| (key, at)).collect()
}

fn single_bits(value: f32) -> u32 {
    if value.is_nan() { f32::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

fn double_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
