//! The protobuf wire format, as far as ONNX needs it: a reader over a byte slice that cannot be
//! led outside the slice, never allocates for a length it only read, and never panics.

use base::{Code, Error, Result};

/// The payload of one field.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// A whole number in base 128.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// A nested message, a string or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes, little-endian.
    Fixed32(u32),
}

/// Reads the fields of one message, one after the other.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Fields<'a> {
    /// The fields of a message; `what` names it in errors.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// The number and payload of the next field, or none at the end.
    ///
    /// # Errors
    /// [`Code::Corrupt`] where the bytes are not a protobuf message.
    pub fn field(&mut self) -> Result<Option<(u32, Payload<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| self.broken("a field number is too large"))?;
        if number == 0 {
            return Err(self.broken("field number 0"));
        }
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => {
                let bytes = self.take(8)?;
                Payload::Fixed64(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
            }
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| self.broken("a length is too large"))?;
                Payload::Bytes(self.take(length)?)
            }
            5 => {
                let bytes = self.take(4)?;
                Payload::Fixed32(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
            }
            kind => return Err(self.broken(&format!("wire type {kind}"))),
        };
        Ok(Some((number, payload)))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            value |= bits.checked_shl(7 * at as u32).unwrap_or(0);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(self.broken("a number does not end"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.broken(&format!("{length} bytes announced, {} left", self.rest.len())));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn broken(&self, why: &str) -> Error {
        Error::new(Code::Corrupt, format!("cannot read the {} of the model file: {why}", self.what))
    }
}

impl<'a> Payload<'a> {
    /// The bytes of a nested message.
    ///
    /// # Errors
    /// [`Code::Corrupt`] for another kind of payload, here and below.
    pub fn bytes(self, what: &'static str) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed64(_) | Self::Fixed32(_) => Err(mistyped(what)),
        }
    }

    /// A string; it must be UTF-8.
    pub fn text(self, what: &'static str) -> Result<String> {
        let bytes = self.bytes(what)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| mistyped(what))
    }

    /// A signed whole number.
    pub fn int(self, what: &'static str) -> Result<i64> {
        match self {
            Self::Varint(value) => Ok(value.cast_signed()),
            Self::Bytes(_) | Self::Fixed64(_) | Self::Fixed32(_) => Err(mistyped(what)),
        }
    }

    /// A single-precision number.
    pub fn float(self, what: &'static str) -> Result<f32> {
        match self {
            Self::Fixed32(bits) => Ok(f32::from_bits(bits)),
            Self::Bytes(_) | Self::Fixed64(_) | Self::Varint(_) => Err(mistyped(what)),
        }
    }

    /// Appends one or many (packed) whole numbers.
    pub fn extend_ints(self, into: &mut Vec<i64>, what: &'static str) -> Result<()> {
        match self {
            Self::Varint(value) => into.push(value.cast_signed()),
            Self::Bytes(bytes) => {
                let mut packed = Fields::new(bytes, what);
                while !packed.rest.is_empty() {
                    into.push(packed.varint()?.cast_signed());
                }
            }
            Self::Fixed64(_) | Self::Fixed32(_) => return Err(mistyped(what)),
        }
        Ok(())
    }

    /// Appends one or many (packed) single-precision numbers.
    pub fn extend_floats(self, into: &mut Vec<f32>, what: &'static str) -> Result<()> {
        match self {
            Self::Fixed32(bits) => into.push(f32::from_bits(bits)),
            Self::Bytes(bytes) if bytes.len() % 4 == 0 => {
                let numbers = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
                into.extend(numbers);
            }
            Self::Bytes(_) | Self::Varint(_) | Self::Fixed64(_) => return Err(mistyped(what)),
        }
        Ok(())
    }

    /// Appends one or many (packed) double-precision numbers.
    pub fn extend_doubles(self, into: &mut Vec<f64>, what: &'static str) -> Result<()> {
        match self {
            Self::Fixed64(bits) => into.push(f64::from_bits(bits)),
            Self::Bytes(bytes) if bytes.len() % 8 == 0 => {
                let numbers = bytes.as_chunks::<8>().0.iter().map(|eight| f64::from_le_bytes(*eight));
                into.extend(numbers);
            }
            Self::Bytes(_) | Self::Varint(_) | Self::Fixed32(_) => return Err(mistyped(what)),
        }
        Ok(())
    }
}

fn mistyped(what: &'static str) -> Error {
    Error::new(Code::Corrupt, format!("cannot read the {what} of the model file: it is of another type"))
}
