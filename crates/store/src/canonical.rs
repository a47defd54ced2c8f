//! JSON in one way only: keys sorted, no spaces. What is hashed is written like this.

use serde_json::Value;

/// The canonical text of a JSON value: the same value gives the same bytes.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(&Value::String(key.clone()), out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let one = json!({"b": [1, {"y": null, "x": "\n"}], "a": 1.5});
        assert_eq!(canonical_json(&one), r#"{"a":1.5,"b":[1,{"x":"\n","y":null}]}"#);
        let other = json!({"a": 1.5, "b": [1, {"x": "\n", "y": null}]});
        assert_eq!(canonical_json(&one), canonical_json(&other));
    }
}
