//! Writes values as YAML, in the block style in which people keep the files of Kubernetes and others.

use serde_json::Value;

/// A value as a YAML document, with the keys in the order in which they come.
pub(crate) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut out),
        Value::Array(list) if !list.is_empty() => block(value, 0, &mut out),
        other => out.push_str(&format!("{}\n", inline(other))),
    }
    out
}

/// Several documents in one file.
pub(crate) fn documents<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().map(yaml).collect::<Vec<_>>().join("---\n")
}

fn block(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (at, (key, value)) in map.iter().enumerate() {
                // The first key of an item of a list stands behind its dash.
                if at > 0 || !out.ends_with("- ") {
                    out.push_str(&indent);
                }
                out.push_str(&format!("{}:", text(key)));
                after(value, depth, out);
            }
        }
        Value::Array(list) => {
            for value in list {
                out.push_str(&format!("{indent}- "));
                match value {
                    Value::Object(map) if !map.is_empty() => block(value, depth + 1, out),
                    other => out.push_str(&format!("{}\n", inline(other))),
                }
            }
        }
        _ => {}
    }
}

/// What stands behind a key.
fn after(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(value, depth + 1, out);
        }
        // A list of lists stays in one line.
        Value::Array(list) if !list.is_empty() && !list.iter().any(Value::is_array) => {
            out.push('\n');
            block(value, depth + 1, out);
        }
        other => out.push_str(&format!(" {}\n", inline(other))),
    }
}

/// JSON is YAML too; only words that mean nothing else go without quotes.
fn inline(value: &Value) -> String {
    match value {
        Value::String(word) => text(word),
        other => other.to_string(),
    }
}

fn text(word: &str) -> String {
    const MEANINGS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];
    let is_plain = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
        && !MEANINGS.contains(&word.to_ascii_lowercase().as_str())
        && !word.eq_ignore_ascii_case("n");
    if is_plain { word.to_owned() } else { Value::from(word).to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use yaml_rust2::{Yaml, YamlLoader};

    use super::*;

    fn same(yaml: &Yaml, value: &Value) -> bool {
        match (yaml, value) {
            (Yaml::Null, Value::Null) => true,
            (Yaml::Boolean(one), Value::Bool(other)) => one == other,
            (Yaml::Integer(one), Value::Number(other)) => Some(*one) == other.as_i64(),
            (Yaml::String(one), Value::String(other)) => one == other,
            (Yaml::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
            }
            (Yaml::Hash(one), Value::Object(other)) => {
                one.len() == other.len()
                    && other.iter().all(|(key, value)| {
                        one.get(&Yaml::String(key.clone())).is_some_and(|found| same(found, value))
                    })
            }
            _ => false,
        }
    }

    #[test]
    fn words_that_mean_something_else_are_quoted() {
        let value =
            json!({ "a": ["yes", "1.20", "v1", "", { "b": { "c": 1 }, "d": [] }, {}], "8080": "x: y" });
        let expected = r#"a:
  - "yes"
  - "1.20"
  - v1
  - ""
  - b:
      c: 1
    d: []
  - {}
"8080": "x: y"
"#;
        assert_eq!(yaml(&value), expected);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~é漢\n\t]{0,8}".prop_map(Value::from),
            prop::sample::select(vec!["no", "0x1f", "1e3", "~", "-", "- a", "#", "null", "y", "2024-01-01"])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in values()) {
            let text = yaml(&value);
            let read = YamlLoader::load_from_str(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
            prop_assert!(read.len() == 1 && same(&read[0], &value), "{text}\n{read:?}");
        }
    }
}
