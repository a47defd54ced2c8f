//! Tensors as raw bytes: little-endian, row by row; a text is its length in four bytes and then
//! its bytes.

use score::Values;

use crate::failure::Failure;

/// Reads a raw tensor of `count` elements.
///
/// # Errors
/// 400 for another number of bytes, an unknown datatype or text that is not UTF-8.
pub fn read(name: &str, datatype: &str, bytes: &[u8], count: usize) -> Result<Values, Failure> {
    macro_rules! numbers {
        ($number:ty, $size:literal, $variant:ident, $as:ty) => {{
            let (chunks, rest) = bytes.as_chunks::<$size>();
            if chunks.len() != count || !rest.is_empty() {
                let needed = count.saturating_mul($size);
                return Err(Failure::bad(format!(
                    "input `{name}` has {} bytes, expected {needed}",
                    bytes.len()
                )));
            }
            Values::$variant(chunks.iter().map(|raw| <$number>::from_le_bytes(*raw) as $as).collect())
        }};
    }
    Ok(match datatype {
        "BOOL" => {
            if bytes.len() != count {
                return Err(Failure::bad(format!(
                    "input `{name}` has {} bytes, expected {count}",
                    bytes.len()
                )));
            }
            Values::Bool(bytes.iter().map(|byte| *byte != 0).collect())
        }
        "UINT8" => numbers!(u8, 1, F64, f64),
        "UINT16" => numbers!(u16, 2, F64, f64),
        "UINT32" => numbers!(u32, 4, F64, f64),
        "UINT64" => numbers!(u64, 8, F64, f64),
        "INT8" => numbers!(i8, 1, F64, f64),
        "INT16" => numbers!(i16, 2, F64, f64),
        "INT32" => numbers!(i32, 4, F64, f64),
        "INT64" => numbers!(i64, 8, I64, i64),
        "FP32" => numbers!(f32, 4, F32, f32),
        "FP64" => numbers!(f64, 8, F64, f64),
        "FP16" => {
            let Values::F64(bits) = numbers!(u16, 2, F64, f64) else { return Err(Failure::bad("no FP16")) };
            Values::F32(bits.into_iter().map(|bits| half(bits as u16)).collect())
        }
        "BYTES" => Values::Text(texts(name, bytes, count)?),
        other => return Err(Failure::bad(format!("input `{name}` has the unknown datatype `{other}`"))),
    })
}

fn texts(name: &str, mut bytes: &[u8], count: usize) -> Result<Vec<Option<String>>, Failure> {
    let broken = || Failure::bad(format!("input `{name}` does not hold {count} texts"));
    // Each text takes at least its length, so more than that were never sent.
    let mut texts = Vec::with_capacity(count.min(bytes.len() / 4));
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(broken)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
        let text = std::str::from_utf8(text);
        let text = text.map_err(|_| Failure::bad(format!("input `{name}` holds text that is not UTF-8")))?;
        texts.push(Some(text.to_owned()));
        bytes = rest;
    }
    if bytes.is_empty() { Ok(texts) } else { Err(broken()) }
}

/// Appends a column as a raw tensor.
pub fn write(values: &Values, to: &mut Vec<u8>) {
    match values {
        Values::F64(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
        Values::F32(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
        Values::I64(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
        Values::Bool(values) => to.extend(values.iter().map(|value| u8::from(*value))),
        Values::Text(values) => {
            for text in values {
                let text = text.as_deref().unwrap_or_default();
                to.extend((text.len() as u32).to_le_bytes());
                to.extend(text.as_bytes());
            }
        }
    }
}

/// A half-precision number.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read() {
        let pairs = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
            (0x3555, 0.333_251_95),
        ];
        for (bits, value) in pairs {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f32::NEG_INFINITY);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let columns = [
            ("FP64", Values::F64(vec![1.5, -0.0])),
            ("FP32", Values::F32(vec![0.1, 2.0])),
            ("INT64", Values::I64(vec![i64::MIN, 7])),
            ("BOOL", Values::Bool(vec![true, false])),
            ("BYTES", Values::Text(vec![Some("é".to_owned()), Some(String::new())])),
        ];
        for (datatype, values) in columns {
            let mut bytes = Vec::new();
            write(&values, &mut bytes);
            assert_eq!(read("x", datatype, &bytes, 2), Ok(values.clone()), "{datatype}");
            bytes.push(0);
            assert!(read("x", datatype, &bytes, 2).is_err(), "{datatype}");
            assert!(read("x", datatype, &bytes[..1], 2).is_err(), "{datatype}");
        }
    }

    #[test]
    fn a_text_longer_than_the_body_is_refused() {
        assert!(read("x", "BYTES", &[255, 255, 255, 255, 1], 1).is_err());
        assert!(read("x", "BYTES", &[], usize::MAX).is_err());
    }
}
