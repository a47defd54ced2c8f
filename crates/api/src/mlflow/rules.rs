//! What names and values may be, and how long: MLflow's limits with MLflow's messages. A value that
//! is too long is cut where MLflow cuts it, else refused.

use base::RunId;
use store::tracking::Pair;

use super::fields::Fields;
use super::refusal::Refusal;

/// Characters of a key of a metric, parameter or tag.
const KEY_CHARS: usize = 250;
/// Characters of a parameter's value; what is longer is cut.
pub(super) const PARAM_CHARS: usize = 6_000;
/// Characters of a tag's value of a run or a logged model; what is longer is cut.
pub(super) const TAG_CHARS: usize = 8_000;
/// Characters of the name of an experiment.
pub(super) const EXPERIMENT_CHARS: usize = 500;
/// Characters of the value of an experiment's tag.
pub(super) const EXPERIMENT_TAG_CHARS: usize = 20_000;
/// Characters of the value of a registered model's tag.
pub(super) const REGISTRY_TAG_CHARS: usize = 100_000;
/// Characters of the place of files.
const LOCATION_CHARS: usize = 2_048;
/// Characters of a description.
const DESCRIPTION_CHARS: usize = 5_000;

/// Refuses a text that is too long.
pub(super) fn at_most(what: &str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(Refusal::invalid(format!("'{what}' exceeds the maximum length of {most} characters")))
}

/// A value, cut where it is too long.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// Refuses a key that could not be a name of a file everywhere. `what` is what a message about its
/// length calls it, `parameter` what the others do.
pub(super) fn key(text: &str, what: &str, parameter: &str) -> Result<(), Refusal> {
    let quoted = serde_json::Value::from(text);
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | ' ' | ':');
    if !text.chars().all(is_plain) {
        return Err(Refusal::invalid(format!(
            "Invalid value {quoted} for parameter '{parameter}' supplied: Names may only contain alphanumerics, \
             underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )));
    }
    let normal = normal_path(text);
    if normal != text || normal == "." || normal.starts_with("..") || normal.starts_with('/') {
        return Err(Refusal::invalid(format!(
            "Invalid value {quoted} for parameter '{parameter}' supplied: Names may be treated as files in certain \
             cases, and must not resolve to other names when treated as such. This name would resolve to '{normal}'"
        )));
    }
    at_most(what, text, KEY_CHARS)
}

/// A path as POSIX would write it.
fn normal_path(path: &str) -> String {
    let slashes = path.len() - path.trim_start_matches('/').len();
    // Two slashes at the beginning may mean something else than one; three mean one.
    let start = if slashes == 2 { 2 } else { slashes.min(1) };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part != ".." || (start == 0 && parts.is_empty()) || parts.last() == Some(&"..") {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let normal = "/".repeat(start) + &parts.join("/");
    if normal.is_empty() { ".".to_owned() } else { normal }
}

/// Tags of a run that is begun or of a logged model: only their length is limited.
pub(super) fn tags(fields: &Fields<'_>) -> Result<Vec<Pair>, Refusal> {
    pairs(fields, "tags", TAG_CHARS)
}

/// Keys and values of a list of objects, the values cut.
pub(super) fn pairs(fields: &Fields<'_>, name: &str, most: usize) -> Result<Vec<Pair>, Refusal> {
    let read = |one: Fields<'_>| {
        let key = one.need("key")?;
        at_most("key", key, KEY_CHARS)?;
        Ok((key.to_owned(), cut(one.text("value")?.unwrap_or_default(), most)))
    };
    fields.objects(name)?.into_iter().map(read).collect()
}

/// Keys and values of a list of objects, too long ones refused.
pub(super) fn short_pairs(fields: &Fields<'_>, name: &str, most: usize) -> Result<Vec<Pair>, Refusal> {
    fields.objects(name)?.iter().map(|one| short_pair(one, most)).collect()
}

/// A key and a value, refused when too long.
pub(super) fn short_pair(fields: &Fields<'_>, most: usize) -> Result<Pair, Refusal> {
    let (key, value) = (fields.need("key")?, fields.text("value")?.unwrap_or_default());
    at_most("key", key, KEY_CHARS)?;
    at_most("value", value, most)?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A description, refused when too long.
pub(super) fn description(fields: &Fields<'_>) -> Result<String, Refusal> {
    let text = fields.text("description")?.unwrap_or_default();
    at_most("description", text, DESCRIPTION_CHARS)?;
    Ok(text.to_owned())
}

/// Refuses a place of files that is too long.
pub(super) fn location(text: &str) -> Result<(), Refusal> {
    if text.chars().count() <= LOCATION_CHARS {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Invalid artifact path length. The length of the artifact path cannot be greater than {LOCATION_CHARS} characters."
    )))
}

/// The number of an experiment.
pub(super) fn experiment_id(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(100).collect();
        Refusal::invalid(format!("Invalid experiment ID '{shown}'. Experiment ID must be a valid integer."))
    })
}

/// The id of a run that a request is about. Clients send it under its older name too.
pub(super) fn run_id(fields: &Fields<'_>) -> Result<RunId, Refusal> {
    let text = match fields.text("run_id")?.filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => {
            let older = fields.text("run_uuid")?.filter(|id| !id.is_empty());
            older.ok_or_else(|| Refusal::missing("run_id"))?
        }
    };
    text.parse().map_err(|_| Refusal::no_run(&text.chars().take(256).collect::<String>()))
}

/// As [`run_id`], where MLflow looks at the form first.
pub(super) fn run_id_of_form(fields: &Fields<'_>) -> Result<RunId, Refusal> {
    let text = fields.text("run_id")?.unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let fits = text.chars().next().is_none_or(|c| c.is_ascii_alphanumeric()) && text.chars().all(is_word);
    if !fits || text.chars().count() > 256 {
        let shown: String = text.chars().take(100).collect();
        let quoted = serde_json::Value::from(shown);
        return Err(Refusal::invalid(format!("Invalid value {quoted} for parameter 'run_id' supplied.")));
    }
    run_id(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path_that_is_written_in_one_way_only() {
        for good in ["a", "a/b", "a.b", "précision 1/α", "a:b", "..a", "a..", &"k".repeat(250)] {
            let is_climbing = good.starts_with("..");
            assert_eq!(key(good, "Metric name", "name").is_err(), is_climbing, "{good}");
        }
        for (bad, resolved) in [
            ("../x", "../x"),
            ("/x", "/x"),
            ("a//b", "a/b"),
            ("a/../b", "b"),
            (".", "."),
            ("a/", "a"),
            ("//x", "//x"),
        ] {
            let message = key(bad, "Metric name", "name").unwrap_err().message;
            assert!(message.ends_with(&format!("would resolve to '{resolved}'")), "{message}");
        }
        assert!(key("a$b", "Metric name", "name").unwrap_err().message.contains("may only contain"));
        let long = key(&"k".repeat(251), "Tag key", "key").unwrap_err().message;
        assert_eq!(long, "'Tag key' exceeds the maximum length of 250 characters");
    }

    #[test]
    fn a_value_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
