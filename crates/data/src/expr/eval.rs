//! Computes an expression over a batch of rows. A number that is missing is `NaN` inside, so
//! arithmetic carries it along, exactly as the model that is made from it later does.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMillisecondType};
use base::{Error, Result};

use super::ast::{BinaryOp, Expr, Function, UnaryOp};
use super::calendar::{DAY_MS, Plain};
use super::check::{Type, moment_of};
use crate::schema::Kind;

/// One value per row.
enum Values {
    /// `NaN` is missing.
    Numbers(Vec<f64>),
    Truths(Vec<Option<bool>>),
    Texts(StringArray),
    Times(Vec<Option<i64>>),
}

impl Expr {
    /// The values over the rows of a batch: `Float64`, `Boolean`, `Utf8` or
    /// `Timestamp(Millisecond)`, null where the value is missing or not a number.
    ///
    /// # Errors
    /// As [`Expr::check`].
    pub fn eval(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let of = self.check(batch.schema_ref())?;
        Ok(match self.values(batch, of)? {
            Values::Numbers(values) => {
                let present = values.into_iter().map(|value| (!value.is_nan()).then_some(value));
                Arc::new(present.collect::<Float64Array>())
            }
            Values::Truths(values) => Arc::new(BooleanArray::from(values)),
            Values::Texts(values) => Arc::new(values),
            Values::Times(values) => Arc::new(TimestampMillisecondArray::from(values)),
        })
    }

    /// Computes this expression; a bare `null` gives missing values of the type `wanted`.
    fn values(&self, batch: &RecordBatch, wanted: Type) -> Result<Values> {
        let rows = batch.num_rows();
        Ok(match self {
            Self::Column(name) => column(name, batch)?,
            Self::Number(value) => Values::Numbers(vec![*value; rows]),
            Self::Text(_) if wanted == Type::Time => Values::Times(vec![Some(moment_of(self)?); rows]),
            Self::Text(text) => Values::Texts(StringArray::from(vec![text.as_str(); rows])),
            Self::Boolean(value) => Values::Truths(vec![Some(*value); rows]),
            Self::Null => missing(wanted, rows),
            Self::Unary { op: UnaryOp::Negate, operand } => {
                Values::Numbers(operand.numbers(batch)?.into_iter().map(|value| -value).collect())
            }
            Self::Unary { op: UnaryOp::Not, operand } => {
                Values::Truths(operand.truths(batch)?.into_iter().map(|value| value.map(|v| !v)).collect())
            }
            Self::Binary { op, left, right } => binary(*op, left, right, batch)?,
            Self::IsNull(operand) => {
                let of = operand.check(batch.schema_ref())?;
                Values::Truths(operand.values(batch, of)?.is_missing().into_iter().map(Some).collect())
            }
            Self::In { operand, list } => Values::Truths(is_in(operand, list, batch)?),
            Self::Between { operand, low, high } => {
                let above = compare(BinaryOp::GreaterOrEqual, operand, low, batch)?;
                let below = compare(BinaryOp::LessOrEqual, operand, high, batch)?;
                Values::Truths(above.into_iter().zip(below).map(|(a, b)| and(a, b)).collect())
            }
            Self::Like { operand, pattern, ignores_case } => {
                let texts = operand.texts(batch)?;
                let pattern = Pattern::new(pattern, *ignores_case);
                Values::Truths(texts.iter().map(|text| text.map(|text| pattern.matches(text))).collect())
            }
            Self::Case { branches, otherwise } => case(branches, otherwise, batch, wanted)?,
            Self::Call { function, arguments } => call(*function, arguments, batch, wanted)?,
        })
    }

    fn numbers(&self, batch: &RecordBatch) -> Result<Vec<f64>> {
        match self.values(batch, Type::Number)? {
            Values::Numbers(values) => Ok(values),
            Values::Truths(_) | Values::Texts(_) | Values::Times(_) => Err(unchecked()),
        }
    }

    fn truths(&self, batch: &RecordBatch) -> Result<Vec<Option<bool>>> {
        match self.values(batch, Type::Boolean)? {
            Values::Truths(values) => Ok(values),
            Values::Numbers(_) | Values::Texts(_) | Values::Times(_) => Err(unchecked()),
        }
    }

    /// Times in milliseconds; a missing one is `NaN`.
    fn moments(&self, batch: &RecordBatch) -> Result<Vec<f64>> {
        match self.values(batch, Type::Time)? {
            Values::Times(values) => {
                Ok(values.into_iter().map(|ms| ms.map_or(f64::NAN, |ms| ms as f64)).collect())
            }
            Values::Numbers(_) | Values::Truths(_) | Values::Texts(_) => Err(unchecked()),
        }
    }

    fn texts(&self, batch: &RecordBatch) -> Result<StringArray> {
        match self.values(batch, Type::Text)? {
            Values::Texts(values) => Ok(values),
            Values::Numbers(_) | Values::Truths(_) | Values::Times(_) => Err(unchecked()),
        }
    }
}

impl Values {
    fn is_missing(&self) -> Vec<bool> {
        match self {
            Self::Numbers(values) => values.iter().map(|value| value.is_nan()).collect(),
            Self::Truths(values) => values.iter().map(Option::is_none).collect(),
            Self::Texts(values) => (0..values.len()).map(|row| values.is_null(row)).collect(),
            Self::Times(values) => values.iter().map(Option::is_none).collect(),
        }
    }
}

fn missing(of: Type, rows: usize) -> Values {
    match of {
        Type::Number => Values::Numbers(vec![f64::NAN; rows]),
        Type::Boolean => Values::Truths(vec![None; rows]),
        Type::Text => Values::Texts(StringArray::new_null(rows)),
        Type::Time => Values::Times(vec![None; rows]),
    }
}

fn column(name: &str, batch: &RecordBatch) -> Result<Values> {
    let Some(array) = batch.column_by_name(name) else { return Err(unchecked()) };
    let kind = Kind::of(array.data_type());
    let as_type = |target: DataType| {
        cast(array, &target).map_err(|e| Error::internal(format!("cannot compute with `{name}`")).because(e))
    };
    Ok(match kind {
        Kind::Integer | Kind::Number => {
            let array = as_type(DataType::Float64)?;
            Values::Numbers(
                array.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
            )
        }
        Kind::Boolean => Values::Truths(array.as_boolean().iter().collect()),
        Kind::Text => Values::Texts(as_type(DataType::Utf8)?.as_string::<i32>().clone()),
        Kind::Time => {
            let array = as_type(DataType::Timestamp(TimeUnit::Millisecond, None))?;
            Values::Times(array.as_primitive::<TimestampMillisecondType>().iter().collect())
        }
    })
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, batch: &RecordBatch) -> Result<Values> {
    if op.is_logical() {
        let join = if op == BinaryOp::And { and } else { or };
        let pairs = left.truths(batch)?.into_iter().zip(right.truths(batch)?);
        return Ok(Values::Truths(pairs.map(|(a, b)| join(a, b)).collect()));
    }
    if !op.is_arithmetic() {
        return Ok(Values::Truths(compare(op, left, right, batch)?));
    }
    let compute: fn(f64, f64) -> f64 = match op {
        BinaryOp::Add => |a, b| a + b,
        BinaryOp::Subtract => |a, b| a - b,
        BinaryOp::Multiply => |a, b| a * b,
        BinaryOp::Divide => |a, b| a / b,
        _ => |a, b| a % b,
    };
    let pairs = left.numbers(batch)?.into_iter().zip(right.numbers(batch)?);
    Ok(Values::Numbers(pairs.map(|(a, b)| compute(a, b)).collect()))
}

/// SQL's logic of three values: false and unknown is false, true and unknown is unknown.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}

fn compare(op: BinaryOp, left: &Expr, right: &Expr, batch: &RecordBatch) -> Result<Vec<Option<bool>>> {
    use std::cmp::Ordering;
    let schema = batch.schema_ref();
    let types = (left.type_of(schema)?, right.type_of(schema)?);
    let of = match types {
        (Some(Type::Time), _) | (_, Some(Type::Time)) => Type::Time,
        (Some(of), _) | (None, Some(of)) => of,
        (None, None) => Type::Number,
    };
    let holds = |ordering: Ordering| match op {
        BinaryOp::Equal => ordering.is_eq(),
        BinaryOp::NotEqual => ordering.is_ne(),
        BinaryOp::Less => ordering.is_lt(),
        BinaryOp::LessOrEqual => ordering.is_le(),
        BinaryOp::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    };
    Ok(match (left.values(batch, of)?, right.values(batch, of)?) {
        // A missing number is NaN, which has no order: the answer is missing too.
        (Values::Numbers(a), Values::Numbers(b)) => {
            a.iter().zip(&b).map(|(a, b)| a.partial_cmp(b).map(holds)).collect()
        }
        (Values::Truths(a), Values::Truths(b)) => {
            a.iter().zip(&b).map(|(a, b)| Some(holds((*a)?.cmp(&(*b)?)))).collect()
        }
        (Values::Texts(a), Values::Texts(b)) => {
            a.iter().zip(b.iter()).map(|(a, b)| Some(holds(a?.cmp(b?)))).collect()
        }
        (Values::Times(a), Values::Times(b)) => {
            a.iter().zip(&b).map(|(a, b)| Some(holds((*a)?.cmp(&(*b)?)))).collect()
        }
        _ => return Err(unchecked()),
    })
}

/// True if one item is equal, false if all are different, unknown otherwise.
fn is_in(operand: &Expr, list: &[Expr], batch: &RecordBatch) -> Result<Vec<Option<bool>>> {
    let mut found = vec![Some(false); batch.num_rows()];
    for item in list {
        let equal = compare(BinaryOp::Equal, operand, item, batch)?;
        found = found.into_iter().zip(equal).map(|(a, b)| or(a, b)).collect();
    }
    Ok(found)
}

fn case(branches: &[(Expr, Expr)], otherwise: &Expr, batch: &RecordBatch, wanted: Type) -> Result<Values> {
    let schema = batch.schema_ref();
    let mut of = wanted;
    for value in branches.iter().map(|(_, value)| value).chain([otherwise]) {
        if let Some(found) = value.type_of(schema)? {
            of = found;
            break;
        }
    }
    // Which value each row takes: that of the first condition that is true.
    let mut choices = vec![branches.len(); batch.num_rows()];
    for (at, (condition, _)) in branches.iter().enumerate().rev() {
        for (row, value) in condition.truths(batch)?.into_iter().enumerate() {
            if value == Some(true) {
                choices[row] = at;
            }
        }
    }
    let values = branches.iter().map(|(_, value)| value).chain([otherwise]);
    let values = values.map(|value| value.values(batch, of)).collect::<Result<Vec<_>>>()?;
    pick(&values, &choices, of)
}

/// From each row's chosen values the value of that row.
fn pick(values: &[Values], choices: &[usize], of: Type) -> Result<Values> {
    let rows = choices.iter().enumerate();
    Ok(match of {
        Type::Number => {
            let at = |(row, choice): (usize, &usize)| match &values[*choice] {
                Values::Numbers(values) => Ok(values[row]),
                _ => Err(unchecked()),
            };
            Values::Numbers(rows.map(at).collect::<Result<_>>()?)
        }
        Type::Boolean => {
            let at = |(row, choice): (usize, &usize)| match &values[*choice] {
                Values::Truths(values) => Ok(values[row]),
                _ => Err(unchecked()),
            };
            Values::Truths(rows.map(at).collect::<Result<_>>()?)
        }
        Type::Text => {
            let at = |(row, choice): (usize, &usize)| match &values[*choice] {
                Values::Texts(values) => Ok(values.is_valid(row).then(|| values.value(row))),
                _ => Err(unchecked()),
            };
            Values::Texts(rows.map(at).collect::<Result<_>>()?)
        }
        Type::Time => {
            let at = |(row, choice): (usize, &usize)| match &values[*choice] {
                Values::Times(values) => Ok(values[row]),
                _ => Err(unchecked()),
            };
            Values::Times(rows.map(at).collect::<Result<_>>()?)
        }
    })
}

fn call(function: Function, arguments: &[Expr], batch: &RecordBatch, wanted: Type) -> Result<Values> {
    let one = |compute: fn(f64) -> f64| {
        let values = arguments[0].numbers(batch)?;
        Ok(Values::Numbers(values.into_iter().map(compute).collect()))
    };
    match function {
        Function::Abs => one(f64::abs),
        // The functions of libm give the same bits on every system; those of the system do not.
        Function::Ln => one(libm::log),
        Function::Log10 => one(libm::log10),
        Function::Exp => one(libm::exp),
        Function::Sqrt => one(f64::sqrt),
        Function::Floor => one(f64::floor),
        Function::Ceil => one(f64::ceil),
        Function::Round if arguments.len() == 1 => one(f64::round),
        Function::Round => {
            let digits = arguments[1].numbers(batch)?;
            let values = arguments[0].numbers(batch)?.into_iter().zip(digits);
            Ok(Values::Numbers(values.map(|(value, digits)| round_to(value, digits)).collect()))
        }
        Function::Power => {
            let powers = arguments[1].numbers(batch)?;
            let values = arguments[0].numbers(batch)?.into_iter().zip(powers);
            Ok(Values::Numbers(values.map(|(value, power)| raise(value, power)).collect()))
        }
        Function::Least => fold(arguments, batch, |a, b| if b < a { b } else { a }),
        Function::Greatest => fold(arguments, batch, |a, b| if b > a { b } else { a }),
        Function::Coalesce => coalesce(arguments, batch, wanted),
        Function::Lower => Ok(Values::Texts(map_texts(&arguments[0].texts(batch)?, str::to_lowercase))),
        Function::Upper => Ok(Values::Texts(map_texts(&arguments[0].texts(batch)?, str::to_uppercase))),
        Function::Length => {
            let texts = arguments[0].texts(batch)?;
            let length = |text: Option<&str>| text.map_or(f64::NAN, |text| text.chars().count() as f64);
            Ok(Values::Numbers(texts.iter().map(length).collect()))
        }
        Function::Part(part) => {
            let moments = arguments[0].moments(batch)?;
            Ok(Values::Numbers(moments.iter().map(|ms| part.of(ms, &mut Plain)).collect()))
        }
        Function::DaysSince => {
            let begin = moment_of(&arguments[1])? as f64;
            let moments = arguments[0].moments(batch)?;
            Ok(Values::Numbers(moments.into_iter().map(|ms| (ms - begin) / DAY_MS).collect()))
        }
    }
}

fn round_to(value: f64, digits: f64) -> f64 {
    let factor = libm::pow(10.0, digits.round());
    let scaled = value * factor;
    // Beyond the digits that a float has there is nothing to round.
    if scaled.is_finite() { scaled.round() / factor } else { value + digits * 0.0 }
}

/// A power; unlike in C, a missing number stays missing (there, NaN to the power of 0 is 1).
fn raise(value: f64, power: f64) -> f64 {
    if value.is_nan() || power.is_nan() { f64::NAN } else { libm::pow(value, power) }
}

fn fold(arguments: &[Expr], batch: &RecordBatch, choose: fn(f64, f64) -> f64) -> Result<Values> {
    let mut best = arguments[0].numbers(batch)?;
    for argument in &arguments[1..] {
        let others = argument.numbers(batch)?;
        for (best, other) in best.iter_mut().zip(others) {
            *best = if best.is_nan() || other.is_nan() { f64::NAN } else { choose(*best, other) };
        }
    }
    Ok(Values::Numbers(best))
}

fn coalesce(arguments: &[Expr], batch: &RecordBatch, wanted: Type) -> Result<Values> {
    let mut of = wanted;
    for argument in arguments {
        if let Some(found) = argument.type_of(batch.schema_ref())? {
            of = found;
            break;
        }
    }
    let values = arguments.iter().map(|argument| argument.values(batch, of)).collect::<Result<Vec<_>>>()?;
    let mut choices = vec![values.len() - 1; batch.num_rows()];
    for (at, values) in values.iter().enumerate().rev() {
        for (row, is_missing) in values.is_missing().into_iter().enumerate() {
            if !is_missing {
                choices[row] = at;
            }
        }
    }
    pick(&values, &choices, of)
}

fn map_texts(texts: &StringArray, map: fn(&str) -> String) -> StringArray {
    texts.iter().map(|text| text.map(map)).collect()
}

/// A pattern of `like`.
struct Pattern {
    parts: Vec<char>,
    ignores_case: bool,
}

impl Pattern {
    fn new(pattern: &str, ignores_case: bool) -> Self {
        let parts = if ignores_case { pattern.to_lowercase() } else { pattern.to_owned() };
        Self { parts: parts.chars().collect(), ignores_case }
    }

    /// Goes back to the last `%` on a mismatch, so it takes text times pattern steps at most.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> =
            if self.ignores_case { text.to_lowercase().chars().collect() } else { text.chars().collect() };
        let (mut at, mut part) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.parts.get(part) {
                Some('%') => {
                    retry = Some((part + 1, at));
                    part += 1;
                }
                Some(c) if *c == '_' || *c == text[at] => {
                    at += 1;
                    part += 1;
                }
                _ => {
                    let Some((after, from)) = retry else { return false };
                    retry = Some((after, from + 1));
                    part = after;
                    at = from + 1;
                }
            }
        }
        self.parts[part..].iter().all(|c| *c == '%')
    }
}

/// `eval` checks types before it computes, so this cannot be reached by a user's expression.
fn unchecked() -> Error {
    Error::internal("an expression was computed over a table that it was not checked for")
}
