//! Protocol buffers, the writing half: only what ONNX files need.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A whole number.
    pub fn int(&mut self, field: u32, value: i64) {
        self.tag(field, 0);
        self.varint(value as u64);
    }

    /// A 32 bit floating point number.
    pub fn float(&mut self, field: u32, value: f32) {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    /// Text or bytes.
    pub fn bytes(&mut self, field: u32, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    /// A message inside this one.
    pub fn message(&mut self, field: u32, value: Self) {
        self.bytes(field, value.0);
    }

    /// Whole numbers in one packed field.
    pub fn ints(&mut self, field: u32, values: &[i64]) {
        let mut packed = Self::default();
        values.iter().for_each(|value| packed.varint(*value as u64));
        self.message(field, packed);
    }

    /// 32 bit floating point numbers in one packed field.
    pub fn floats(&mut self, field: u32, values: &[f32]) {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, packed);
    }

    fn tag(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_encoding_guide_has_them() {
        let mut message = Message::default();
        message.int(1, 150);
        message.bytes(2, "testing");
        assert_eq!(message.into_bytes(), b"\x08\x96\x01\x12\x07testing");
        let mut numbers = Message::default();
        numbers.int(1, -1);
        numbers.ints(4, &[3, 270, 86942]);
        let minus_one = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let packed = [0x22, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05];
        assert_eq!(numbers.into_bytes(), [&minus_one[..], &packed].concat());
    }
}
