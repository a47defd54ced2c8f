//! JSON of a request, read into little memory: a list of numbers is a list of eight bytes each,
//! and everything else is counted, so that a small body cannot become a large heap.

use std::borrow::Cow;
use std::cell::Cell as Count;
use std::fmt;

use score::Cell;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// Missing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of numbers only; a null among them is NaN.
    Numbers(Vec<f64>),
    /// Any other list.
    List(Vec<Tree>),
    /// An object.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// How many values a request may hold, a list of numbers counting as one.
    pub const MOST_VALUES: usize = 1_000_000;

    /// Reads a body. A bare `NaN`, which is not JSON but what Python's `json` writes and MLflow's
    /// and Triton's clients therefore send, is a missing value.
    ///
    /// # Errors
    /// Where it is not JSON, or holds too many values.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        let left = Count::new(Self::MOST_VALUES);
        let body = nan_as_null(body);
        let mut reader = serde_json::Deserializer::from_slice(&body);
        let tree = Seed { left: &left }.deserialize(&mut reader)?;
        reader.end()?;
        Ok(tree)
    }

    /// The value of a field, if this is an object that has it.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Map(fields) = self else { return None };
        let at = fields.iter().position(|(own, _)| own == name)?;
        Some(fields.swap_remove(at).1)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value as a cell of a column.
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Missing,
            Self::Bool(truth) => Cell::Bool(*truth),
            Self::Number(number) => Cell::Number(*number),
            Self::Text(text) => Cell::Text(text),
            Self::Numbers(_) | Self::List(_) | Self::Map(_) => Cell::Nested,
        }
    }

    /// The item of a list as a cell of a column; none if the list ends before it.
    pub fn cell_at(&self, at: usize) -> Option<Cell<'_>> {
        match self {
            Self::Numbers(numbers) => numbers
                .get(at)
                .map(|number| if number.is_nan() { Cell::Missing } else { Cell::Number(*number) }),
            Self::List(items) => items.get(at).map(Self::cell),
            scalar if at == 0 => Some(scalar.cell()),
            _ => None,
        }
    }

    /// How many items a list has; anything else counts as one.
    pub fn items(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::List(items) => items.len(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => 1,
        }
    }

    /// True if it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Numbers(_) | Self::List(_))
    }

    /// The items of a list; the value itself if it is none.
    pub fn into_items(self) -> Vec<Self> {
        match self {
            Self::List(items) => items,
            Self::Numbers(numbers) => numbers.into_iter().map(Self::number).collect(),
            other => vec![other],
        }
    }

    fn number(value: f64) -> Self {
        if value.is_nan() { Self::Null } else { Self::Number(value) }
    }
}

/// Writes `null` for every `NaN` outside texts.
fn nan_as_null(body: &[u8]) -> Cow<'_, [u8]> {
    const NAN: &[u8] = b"NaN";
    if !body.windows(NAN.len()).any(|bytes| bytes == NAN) {
        return Cow::Borrowed(body);
    }
    let mut out = Vec::with_capacity(body.len() + body.len() / 4);
    let (mut at, mut is_text) = (0, false);
    while let Some(&byte) = body.get(at) {
        let length = match byte {
            b'N' if !is_text && body[at..].starts_with(NAN) => {
                out.extend_from_slice(b"null");
                at += NAN.len();
                continue;
            }
            b'\\' if is_text => 2,
            _ => 1,
        };
        is_text ^= byte == b'"';
        let end = body.len().min(at + length);
        out.extend_from_slice(&body[at..end]);
        at = end;
    }
    Cow::Owned(out)
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Count<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom("the request holds too many values"))?);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Tree, E> {
        self.count()?;
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        self.count()?;
        let mut numbers: Vec<f64> = Vec::new();
        let mut others: Option<Vec<Tree>> = None;
        while let Some(item) = items.next_element_seed(self)? {
            match (&mut others, item) {
                (Some(list), item) => {
                    self.count()?;
                    list.push(item);
                }
                (None, Tree::Number(value)) => numbers.push(value),
                (None, Tree::Null) => numbers.push(f64::NAN),
                (None, item) => {
                    if numbers.len() > self.left.get() {
                        return Err(A::Error::custom("the request holds too many values"));
                    }
                    let mut list: Vec<Tree> =
                        std::mem::take(&mut numbers).into_iter().map(Tree::number).collect();
                    list.push(item);
                    others = Some(list);
                }
            }
        }
        Ok(others.map_or(Tree::Numbers(numbers), Tree::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        self.count()?;
        let mut fields = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.count()?;
            fields.push((name, entries.next_value_seed(self)?));
        }
        Ok(Tree::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_nan_is_missing_and_one_in_a_text_stays() {
        let tree = Tree::parse(br#"{"a":[1,NaN,3],"b":["NaN","\\\"NaN",NaN],"NaN":NaN}"#).expect("read");
        let text = |text: &str| Tree::Text(text.to_owned());
        let Tree::Map(fields) = tree else { panic!("an object") };
        let Tree::Numbers(numbers) = &fields[0].1 else { panic!("numbers") };
        assert!(numbers[0] == 1.0 && numbers[1].is_nan() && numbers[2] == 3.0);
        assert_eq!(fields[1].1, Tree::List(vec![text("NaN"), text("\\\"NaN"), Tree::Null]));
        assert_eq!(fields[2], ("NaN".to_owned(), Tree::Null));
        for wrong in ["nan", "[NaNN]", "\"NaN", "-NaN", "NaN1", "\\NaN"] {
            assert!(Tree::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_of_numbers_is_held_as_numbers_and_mixed_lists_are_not() {
        assert_eq!(Tree::parse(b"[1, 2.5, -3]").expect("JSON"), Tree::Numbers(vec![1.0, 2.5, -3.0]));
        let mixed = Tree::parse(br#"[1, null, "a"]"#).expect("JSON");
        assert_eq!(mixed, Tree::List(vec![Tree::Number(1.0), Tree::Null, Tree::Text("a".to_owned())]));
    }

    #[test]
    fn too_many_values_and_too_deep_nesting_are_refused() {
        let many = format!("[{}\"\"]", "\"\",".repeat(Tree::MOST_VALUES));
        assert!(Tree::parse(many.as_bytes()).is_err());
        let deep = "[".repeat(100_000);
        assert!(Tree::parse(deep.as_bytes()).is_err());
    }
}
