//! Arrow arrays of any type as arrays of our five kinds. Times become UTC milliseconds, what is
//! nested becomes JSON text, bytes that are no text become hexadecimal digits, and NaN is missing,
//! as it is in text files.

use std::cell::Cell;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, FixedSizeBinaryArray, Float64Array, OffsetSizeTrait, StringBuilder,
    StructArray, TimestampMillisecondArray,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::schema::Kind;

/// Nested types deeper than this are refused.
const MAX_DEPTH: usize = 64;
const DAY_MS: i64 = 86_400_000;
/// Decimal digits that every 64 bit integer can hold.
const INTEGER_DIGITS: u8 = 18;

/// A converted column.
pub(super) struct Made {
    pub(super) array: ArrayRef,
    /// True if parts of a millisecond were cut.
    pub(super) is_cut: bool,
}

/// The kind that holds values of this type.
pub(super) fn natural(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Dictionary(_, values) => natural(values),
        DataType::RunEndEncoded(_, values) => natural(values.data_type()),
        _ if decimal_scale(data_type).is_some_and(|(_, scale)| scale <= 0) => Kind::Integer,
        other => Kind::of(other),
    }
}

/// True for integers that may be too large for 64 bits.
pub(super) fn needs_look(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => needs_look(values),
        DataType::RunEndEncoded(_, values) => needs_look(values.data_type()),
        DataType::UInt64 => true,
        other => decimal_scale(other).is_some_and(|(digits, scale)| {
            scale <= 0 && i16::from(digits) - i16::from(scale) > i16::from(INTEGER_DIGITS)
        }),
    }
}

fn decimal_scale(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal32(digits, scale)
        | DataType::Decimal64(digits, scale)
        | DataType::Decimal128(digits, scale)
        | DataType::Decimal256(digits, scale) => Some((*digits, *scale)),
        _ => None,
    }
}

/// The column as an array of this kind. Integers that do not fit become missing: whoever asks
/// for integers compares the number of missing values.
///
/// # Errors
/// What the cast of the type says; nesting that is too deep.
pub(super) fn convert(array: &ArrayRef, kind: Kind) -> Result<Made, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, values) => return convert(&cast(array, values)?, kind),
        DataType::RunEndEncoded(_, values) => return convert(&cast(array, values.data_type())?, kind),
        _ => (),
    }
    let plain = |array| Ok(Made { array, is_cut: false });
    match kind {
        Kind::Integer | Kind::Boolean => {
            let safe = CastOptions { safe: true, ..CastOptions::default() };
            plain(cast_with_options(array, &kind.data_type(), &safe)?)
        }
        Kind::Number => {
            let numbers = cast(array, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            let known: Float64Array = numbers.iter().map(|value| value.filter(|v| !v.is_nan())).collect();
            plain(Arc::new(known))
        }
        Kind::Time => times(array),
        Kind::Text => plain(texts(array)?),
    }
}

fn times(array: &ArrayRef) -> Result<Made, ArrowError> {
    let is_cut = Cell::new(false);
    let finer = |value: i64, per_ms: i64| {
        is_cut.set(is_cut.get() || value.rem_euclid(per_ms) != 0);
        value.div_euclid(per_ms)
    };
    // The values of a time with a zone are in UTC already; the zone says how to show them.
    let made: TimestampMillisecondArray = match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * DAY_MS),
        DataType::Date64 => array.as_primitive::<Date64Type>().unary(|ms| ms),
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().unary_opt(|s| s.checked_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().unary(|ms| ms)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().unary(|us| finer(us, 1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().unary(|ns| finer(ns, 1_000_000))
        }
        other => return Err(ArrowError::CastError(format!("{other} is no time"))),
    };
    Ok(Made { array: Arc::new(made), is_cut: is_cut.get() })
}

fn texts(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Utf8 => return Ok(array.clone()),
        DataType::LargeUtf8 | DataType::Utf8View => return cast(array, &DataType::Utf8),
        _ => (),
    }
    let mut builder = StringBuilder::new();
    let write = JsonWriter::new(array.as_ref(), 0)?;
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) || array.data_type().is_null() {
            builder.append_null();
            continue;
        }
        text.clear();
        write.bare(row, &mut text)?;
        builder.append_value(&text);
    }
    Ok(Arc::new(builder.finish()))
}

/// Writes values as JSON, whatever they are made of.
enum JsonWriter<'a> {
    /// Numbers and truth values, which JSON writes as they are.
    Plain(ArrayFormatter<'a>),
    /// Everything that JSON has no word for but a text.
    Text(ArrayFormatter<'a>),
    /// Bytes that are often text.
    Bytes(Box<dyn Fn(usize) -> &'a [u8] + 'a>),
    /// Bytes of one length, such as hashes, which are text by chance only.
    Digits(&'a FixedSizeBinaryArray),
    List(List<'a>),
    Object(Object<'a>),
}

/// Lists, and maps as lists of their entries.
struct List<'a> {
    array: &'a dyn Array,
    /// Where the items of a row are.
    range: Box<dyn Fn(usize) -> Range<usize> + 'a>,
    items: Box<JsonWriter<'a>>,
}

struct Object<'a> {
    array: &'a StructArray,
    members: Vec<JsonWriter<'a>>,
}

impl<'a> JsonWriter<'a> {
    fn new(array: &'a dyn Array, depth: usize) -> Result<Self, ArrowError> {
        if depth > MAX_DEPTH {
            return Err(ArrowError::CastError("it is nested too deeply".to_owned()));
        }
        const PLAIN: FormatOptions<'static> = FormatOptions::new();
        let format = || ArrayFormatter::try_new(array, &PLAIN);
        Ok(match array.data_type() {
            DataType::Boolean => Self::Plain(format()?),
            other if other.is_numeric() => Self::Plain(format()?),
            DataType::Binary => Self::Bytes(Box::new(|row| array.as_binary::<i32>().value(row))),
            DataType::LargeBinary => Self::Bytes(Box::new(|row| array.as_binary::<i64>().value(row))),
            DataType::BinaryView => Self::Bytes(Box::new(|row| array.as_binary_view().value(row))),
            DataType::FixedSizeBinary(_) => Self::Digits(array.as_fixed_size_binary()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Self::list(array, list.value_offsets(), list.values(), depth)?
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                Self::list(array, list.value_offsets(), list.values(), depth)?
            }
            DataType::Map(..) => {
                let map = array.as_map();
                Self::list(array, map.value_offsets(), map.entries(), depth)?
            }
            DataType::FixedSizeList(_, size) => {
                let size = *size as usize;
                let items = Box::new(Self::new(array.as_fixed_size_list().values().as_ref(), depth + 1)?);
                Self::List(List { array, range: Box::new(move |row| row * size..(row + 1) * size), items })
            }
            DataType::Struct(_) => {
                let object = array.as_struct();
                let members = object.columns().iter().map(|column| Self::new(column.as_ref(), depth + 1));
                Self::Object(Object { array: object, members: members.collect::<Result<_, _>>()? })
            }
            _ => Self::Text(format()?),
        })
    }

    fn list<O: OffsetSizeTrait>(
        array: &'a dyn Array,
        offsets: &'a [O],
        values: &'a dyn Array,
        depth: usize,
    ) -> Result<Self, ArrowError> {
        let range = move |row: usize| offsets[row].as_usize()..offsets[row + 1].as_usize();
        Ok(Self::List(List { array, range: Box::new(range), items: Box::new(Self::new(values, depth + 1)?) }))
    }

    /// A value by itself: a text has no quotes there.
    fn bare(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        match self {
            Self::Plain(format) | Self::Text(format) => format.value(row).write(out)?,
            Self::Bytes(value) => out.push_str(&bytes(value(row))),
            Self::Digits(array) => out.push_str(&digits(array.value(row))),
            Self::List(_) | Self::Object(_) => self.json(row, out)?,
        }
        Ok(())
    }

    fn json(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        match self {
            Self::Plain(format) => {
                let text = format.value(row).try_to_string()?;
                // JSON has no word for infinity and NaN, and a missing number is written as nothing.
                let is_word = text.bytes().any(|b| b.is_ascii_digit()) || text == "true" || text == "false";
                out.push_str(if is_word { &text } else { "null" });
            }
            Self::Text(format) => quoted(&format.value(row).try_to_string()?, out),
            Self::Bytes(value) => quoted(&bytes(value(row)), out),
            Self::Digits(array) => quoted(&digits(array.value(row)), out),
            Self::List(list) if list.array.is_null(row) => out.push_str("null"),
            Self::List(list) => list.json(row, out)?,
            Self::Object(object) if object.array.is_null(row) => out.push_str("null"),
            Self::Object(object) => object.json(row, out)?,
        }
        Ok(())
    }
}

impl List<'_> {
    fn json(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        out.push('[');
        for (count, at) in (self.range)(row).enumerate() {
            if count > 0 {
                out.push(',');
            }
            self.items.json(at, out)?;
        }
        out.push(']');
        Ok(())
    }
}

impl Object<'_> {
    fn json(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        out.push('{');
        let named = self.array.fields().iter().zip(self.array.columns());
        for (at, ((field, column), member)) in named.zip(&self.members).enumerate() {
            if at > 0 {
                out.push(',');
            }
            quoted(field.name(), out);
            out.push(':');
            if column.is_null(row) {
                out.push_str("null");
            } else {
                member.json(row, out)?;
            }
        }
        out.push('}');
        Ok(())
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Bytes as the text that they are, or as hexadecimal digits.
pub(super) fn bytes(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains('\0')
    {
        return text.to_owned();
    }
    digits(bytes)
}

fn digits(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 + 2 * bytes.len());
    out.push_str("0x");
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
