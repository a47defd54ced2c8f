//! The metrics that a program writes: a JSON object of numbers by name, or of lists of them.

use std::collections::BTreeMap;
use std::path::Path;

use base::{Error, Result};
use serde_json::{Map, Value};

/// A larger file is no list of metrics.
const MAX_BYTES: u64 = 16 << 20;
/// Values in all that are recorded.
const MAX_VALUES: usize = 200_000;

/// What a program measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The last value of each.
    pub last: BTreeMap<String, f64>,
    /// All values of those that have several, by round.
    pub series: BTreeMap<String, Vec<(i64, f64)>>,
    /// Those without any number.
    pub skipped: Vec<String>,
}

/// Reads the file; one that is not there holds nothing.
///
/// # Errors
/// [`base::Code::InvalidInput`] naming the metric that is not a number or a list of them.
pub fn read(path: &Path) -> Result<Measured> {
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Measured::default()),
        Err(e) => return Err(Error::io("read", path, &e)),
    };
    if size > MAX_BYTES {
        return Err(Error::invalid(format!("the file of metrics has {}", base::bytes(size)))
            .hint("write large results into FETTLE_ARTIFACTS or an output"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Measured> {
    let hint = "write a JSON object such as {\"auc\": 0.93, \"loss\": [0.5, 0.4]} to FETTLE_METRICS";
    let object: Map<String, Value> = serde_json::from_str(&without_nan(text))
        .map_err(|e| Error::invalid("the file of metrics cannot be read").because(e).hint(hint))?;
    let mut measured = Measured::default();
    let mut values = 0;
    for (name, value) in object {
        check_name(&name)?;
        let points = points(&value).ok_or_else(|| {
            Error::invalid(format!("metric `{}` is not a number or a list of numbers", name.escape_debug()))
                .hint(hint)
        })?;
        values += points.len();
        if values > MAX_VALUES {
            return Err(Error::invalid(format!(
                "there are more than {} values of metrics",
                base::count(MAX_VALUES as u64)
            ))
            .hint("record every tenth round"));
        }
        match points.last() {
            Some((_, last)) => measured.last.insert(name.clone(), *last),
            None => {
                measured.skipped.push(name);
                continue;
            }
        };
        if value.is_array() {
            measured.series.insert(name, points);
        }
    }
    Ok(measured)
}

/// The names that a tracking server takes as well.
fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_alphanumeric() || "_-./ :@%".contains(c);
    if (1..=250).contains(&name.chars().count()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a metric", name.escape_debug()))
        .hint("use letters, digits, `_`, `-`, `.`, `/` and spaces, at most 250"))
}

/// The values by round, ascending: numbers count from 0, pairs say their round. What is null is
/// left out.
fn points(value: &Value) -> Option<Vec<(i64, f64)>> {
    let point = |(at, value): (usize, &Value)| match value {
        Value::Null => Some(None),
        Value::Number(number) => Some(Some((at as i64, number.as_f64()?))),
        Value::Array(pair) if pair.len() == 2 => {
            let round = pair[0].as_i64()?;
            if pair[1].is_null() { Some(None) } else { Some(Some((round, pair[1].as_f64()?))) }
        }
        Value::Bool(_) | Value::String(_) | Value::Object(_) | Value::Array(_) => None,
    };
    let found: Option<Vec<Option<(i64, f64)>>> = match value {
        Value::Array(list) => list.iter().enumerate().map(point).collect(),
        single => point((0, single)).filter(|_| !single.is_array()).map(|one| vec![one]),
    };
    let mut points: Vec<(i64, f64)> = found?.into_iter().flatten().collect();
    points.sort_by_key(|(round, _)| *round);
    Some(points)
}

/// Python's `json` writes `NaN` and `Infinity`, which JSON does not have; they become null.
fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        out.push_str(&nulled(&rest[..quote]));
        let end = end_of_string(&rest[quote..]);
        out.push_str(&rest[quote..quote + end]);
        rest = &rest[quote + end..];
    }
    out.push_str(&nulled(rest));
    out
}

fn nulled(text: &str) -> String {
    text.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null")
}

/// Bytes of the JSON string that the text begins with.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => (),
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_lists_and_pairs_are_metrics() {
        let measured = parse(r#"{"auc": 0.5, "loss": [3, 2], "acc": [[10, 0.2], [5, 0.1]], "none": null}"#);
        let measured = measured.expect("good");
        assert_eq!(
            measured.last,
            BTreeMap::from([("auc", 0.5), ("loss", 2.0), ("acc", 0.2)].map(|(n, v)| (n.to_owned(), v)))
        );
        assert_eq!(measured.series["loss"], [(0, 3.0), (1, 2.0)]);
        assert_eq!(measured.series["acc"], [(5, 0.1), (10, 0.2)]);
        assert_eq!(measured.skipped, ["none"]);
    }

    #[test]
    fn what_python_writes_for_no_number_is_left_out_and_names_stay() {
        let measured = parse(r#"{"NaN \" Infinity": 1, "x": NaN, "y": [1, -Infinity]}"#);
        assert!(measured.is_err(), "a quote is no part of a metric's name");
        let measured = parse(r#"{"NaN Infinity": 1, "x": NaN, "y": [1, -Infinity]}"#).expect("good");
        assert_eq!(measured.last.keys().collect::<Vec<_>>(), ["NaN Infinity", "y"]);
        assert_eq!(measured.skipped, ["x"]);
    }

    #[test]
    fn what_is_no_metric_is_named() {
        for (text, name) in [
            (r#"{"auc": "good"}"#, "`auc`"),
            (r#"{"auc": {"test": 1}}"#, "`auc`"),
            (r#"{"auc": [[1, 2, 3]]}"#, "`auc`"),
            (r#"{"": 1}"#, "``"),
            ("[1]", "cannot be read"),
            ("", "cannot be read"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.message.contains(name), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_metrics_or_an_error(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
