//! The fields of a request, read as MLflow's protocol buffers are: numbers may come as texts, `null`
//! is nothing, fields that nobody knows are passed over, and Python writes `NaN` into its JSON.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Levels of objects and lists in a request.
const DEEPEST: usize = 32;

/// The fields of a request, or of an object in it.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// Where the object stands, such as `metrics[3].`, for the messages.
    place: String,
}

impl<'a> Fields<'a> {
    /// The fields of a whole request.
    pub fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, place: String::new() }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    /// A text, also an empty one.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            // A key that comes twice in a query: the last one counts.
            Some(Value::Array(all)) if self.is_query_list(all) => Ok(all.last().and_then(Value::as_str)),
            Some(other) => Err(Refusal::wrong_type(&self.named(name), other)),
        }
    }

    fn is_query_list(&self, all: &[Value]) -> bool {
        self.map.contains_key(FROM_QUERY) && !all.is_empty()
    }

    /// A text that has to be there.
    pub fn need(&self, name: &str) -> Result<&'a str, Refusal> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Refusal::missing(&self.named(name)))
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole_of(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.map(Some).ok_or_else(|| Refusal::wrong_type(&self.named(name), value))
    }

    /// A number. What is infinite becomes the largest that is not.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = match value {
            Value::Number(number) => number.as_f64(),
            Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let read: f64 = read.ok_or_else(|| Refusal::wrong_type(&self.named(name), value))?;
        Ok(Some(if read.is_nan() { read } else { read.clamp(f64::MIN, f64::MAX) }))
    }

    /// A truth value; false if it is not there.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(other) => Err(Refusal::wrong_type(&self.named(name), other)),
        }
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let wrong = |value| Refusal::wrong_type(&self.named(name), value);
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(list @ Value::Array(all)) => {
                all.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(|| wrong(list))).collect()
            }
            Some(other) => Err(wrong(other)),
        }
    }

    /// Objects.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Refusal> {
        let wrong = |value| Refusal::wrong_type(&self.named(name), value);
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let all = value.as_array().ok_or_else(|| wrong(value))?;
        let read = |(at, one): (usize, &'a Value)| {
            let map = one.as_object().ok_or_else(|| wrong(value))?;
            Ok(Fields { map, place: format!("{}{name}[{at}].", self.place) })
        };
        all.iter().enumerate().map(read).collect()
    }

    /// An object that has to be there.
    pub fn object(&self, name: &str) -> Result<Fields<'a>, Refusal> {
        let value = self.get(name).ok_or_else(|| Refusal::missing(&self.named(name)))?;
        let map = value.as_object().ok_or_else(|| Refusal::wrong_type(&self.named(name), value))?;
        Ok(Fields { map, place: format!("{}{name}.", self.place) })
    }

    /// Where a field of this object stands.
    pub fn place_of(&self, name: &str) -> String {
        self.named(name)
    }
}

fn whole_of(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    is_whole.then_some(number as i64)
}

/// A field no request can have, which says that the others came in a query.
const FROM_QUERY: &str = "\0query";

/// The fields of a query.
pub(super) fn from_query(query: &str) -> Map<String, Value> {
    let mut map = Map::from_iter([(FROM_QUERY.to_owned(), Value::Bool(true))]);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), Value::String(plain(value)));
        match map.get_mut(&name) {
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                map.insert(name, value);
            }
        }
    }
    map
}

fn plain(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

/// A text with `%41` for `A` undone once. What is no such sign stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte"));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The fields of a body. An empty one has none.
///
/// # Errors
/// A refusal of what is no JSON object.
pub(super) fn from_body(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let wrong = || Refusal {
        status: 400,
        code: "BAD_REQUEST",
        message: "The body of the request is not a JSON object".to_owned(),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let read = |text: &[u8]| match serde_json::from_slice::<Value>(text) {
        Ok(value) => Some(value),
        Err(_) => serde_json::from_slice(&with_quoted_numbers(text)).ok(),
    };
    let value = match read(body) {
        // Old clients put JSON into a text of JSON.
        Some(Value::String(text)) => read(text.as_bytes()),
        value => value,
    };
    match value {
        Some(Value::Object(map)) => snake(map, 0),
        Some(Value::Null) => Ok(Map::new()),
        _ => Err(wrong()),
    }
}

/// Python writes the bare words NaN, Infinity and -Infinity, which are no JSON: as texts they are.
fn with_quoted_numbers(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest, mut is_text) = (Vec::with_capacity(text.len() + 16), text, false);
    while let Some((&first, after)) = rest.split_first() {
        let word = ["-Infinity", "Infinity", "NaN"].iter().find(|word| rest.starts_with(word.as_bytes()));
        match (first, word) {
            (_, Some(word)) if !is_text => {
                out.extend([b"\"", word.as_bytes(), b"\""].concat());
                rest = &rest[word.len()..];
            }
            (b'\\', _) if is_text => {
                let count = rest.len().min(2);
                out.extend(&rest[..count]);
                rest = &rest[count..];
            }
            _ => {
                is_text ^= first == b'"';
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

/// `runId` is another way to write `run_id`.
fn snake(map: Map<String, Value>, depth: usize) -> Result<Map<String, Value>, Refusal> {
    if depth > DEEPEST {
        return Err(Refusal::invalid("The request is nested too deeply"));
    }
    let mut out = Map::new();
    for (name, value) in map {
        let name = if name.contains(|c: char| c.is_ascii_uppercase()) { snake_name(&name) } else { name };
        let value = match value {
            Value::Object(inner) => Value::Object(snake(inner, depth + 1)?),
            Value::Array(all) => {
                let each = |one| match one {
                    Value::Object(inner) => snake(inner, depth + 1).map(Value::Object),
                    other => Ok(other),
                };
                Value::Array(all.into_iter().map(each).collect::<Result<_, _>>()?)
            }
            other => other,
        };
        if out.insert(name.clone(), value).is_some() {
            return Err(Refusal::invalid(format!("The field '{name}' comes twice in the request")));
        }
    }
    Ok(out)
}

fn snake_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_python_writes_is_read() {
        let body = br#"{"a": NaN, "b": -Infinity, "c": "a NaN \" NaN", "runId": "x", "n": [Infinity, 1]}"#;
        let map = from_body(body).unwrap();
        let fields = Fields::new(&map);
        assert!(fields.number("a").unwrap().unwrap().is_nan());
        assert_eq!(fields.number("b").unwrap(), Some(f64::MIN));
        assert_eq!(fields.text("c").unwrap(), Some("a NaN \" NaN"));
        assert_eq!(fields.need("run_id").unwrap(), "x");
        assert_eq!(from_body(br#""{\"name\": \"x\"}""#).unwrap()["name"], "x", "JSON in JSON");
        assert!(from_body(b"  ").unwrap().is_empty());
        for wrong in ["{", "[]", "1", "nonsense", r#"{"run_id": "a", "runId": "b"}"#] {
            assert!(from_body(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_comes_twice_in_a_query_is_a_list() {
        let map = from_query("run_ids=a&run_ids=b%2Fc&n=12&f=true&empty=&text=a+b");
        let fields = Fields::new(&map);
        assert_eq!(fields.texts("run_ids").unwrap(), ["a", "b/c"]);
        assert_eq!((fields.whole("n").unwrap(), fields.flag("f").unwrap()), (Some(12), true));
        assert_eq!((fields.text("text").unwrap(), fields.text("empty").unwrap()), (Some("a b"), Some("")));
        assert_eq!(fields.text("run_ids").unwrap(), Some("b/c"));
        assert_eq!(fields.need("empty").unwrap_err(), Refusal::missing("empty"));
    }

    #[test]
    fn a_value_of_another_type_is_named_with_its_place() {
        let map = json!({ "metrics": [{ "key": 1 }], "list": "x", "n": 1.5 });
        let Value::Object(map) = map else { unreachable!() };
        let fields = Fields::new(&map);
        let error = fields.objects("metrics").unwrap()[0].need("key").unwrap_err();
        assert!(
            error.message.contains("Invalid value 1 for parameter 'metrics[0].key'"),
            "{}",
            error.message
        );
        assert!(fields.objects("list").is_err() && fields.whole("n").is_err());
    }

    proptest! {
        #[test]
        fn no_body_and_no_query_makes_the_reader_fail_otherwise_than_with_a_refusal(text in ".{0,200}") {
            let _ = from_body(text.as_bytes());
            let _ = from_query(&text);
        }

        #[test]
        fn json_is_what_it_was(text in "[a-zA-Z \"\\\\N]{0,20}", number in any::<f64>()) {
            let number = if number.is_finite() { number } else { 0.0 };
            let value = json!({ "text": text, "number": number });
            let read = from_body(value.to_string().as_bytes()).unwrap();
            prop_assert_eq!(Value::Object(read), value);
        }
    }
}
