//! What turned out to be true of requests that were answered, for monitors to compare with what was
//! said. It is written beside the request log as `feedback-<unix day>.jsonl`, one row a line, and is
//! on the disk before the sender is told so. Whether a request of that id was ever answered is the
//! monitor's to find out: the server keeps no index.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::request_log::ends_with_newline;

/// More rows than this are refused at once.
const MOST_ROWS: usize = 100_000;
const DAY_MS: i64 = 86_400_000;

/// Where feedback is kept.
#[derive(Debug)]
pub struct Feedback {
    folder: PathBuf,
    /// Lines of two senders must not mix.
    alone: Mutex<()>,
}

/// A body: what became of one request, or of many.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Body {
    Many { feedback: Vec<Truth> },
    One(Truth),
}

/// What became of the rows of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    /// The id of the request, as its answer repeated it.
    id: String,
    /// The true answer for its first row, or for that of `row`.
    #[serde(default)]
    label: Option<Json>,
    /// The row, from 0.
    #[serde(default)]
    row: Option<u64>,
    /// The true answers for all its rows; null where it is not known.
    #[serde(default)]
    labels: Option<Vec<Json>>,
}

impl Feedback {
    /// Keeps feedback in a folder that is there.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), alone: Mutex::default() }
    }

    /// Reads a body and keeps what it says; gives back how many rows that was. This waits for the
    /// disk: call it where that may block.
    ///
    /// # Errors
    /// 400 for what is no feedback, 503 if the disk does not take it; then nothing is kept.
    pub fn take(&self, body: &[u8], now_ms: i64) -> Result<usize, Failure> {
        let lines = lines(body, now_ms)?;
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("feedback-{}.jsonl", now_ms.div_euclid(DAY_MS)));
        append(&path, &lines.concat()).map_err(|error| {
            let message = format!("the feedback could not be written ({error}); send it again later");
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message)
        })?;
        Ok(lines.len())
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    // A killed process may have left half a line, which must not become part of this one.
    let is_torn = file.metadata()?.len() > 0 && !ends_with_newline(&mut file)?;
    file.write_all(format!("{}{text}", if is_torn { "\n" } else { "" }).as_bytes())?;
    file.sync_data()
}

fn lines(body: &[u8], now_ms: i64) -> Result<Vec<String>, Failure> {
    let wrong = |why: &str| {
        Failure::bad(format!(
            "{why}; send {{\"id\": \"…\", \"label\": …}}, {{\"id\": \"…\", \"labels\": […]}} or \
             {{\"feedback\": [ … ]}} with several of them"
        ))
    };
    let read: Body = serde_json::from_slice(body).map_err(|_| wrong("the body is no feedback"))?;
    let all = match read {
        Body::Many { feedback } => feedback,
        Body::One(truth) => vec![truth],
    };
    let mut lines = Vec::new();
    for truth in &all {
        if truth.id.is_empty() || truth.id.len() > 128 {
            return Err(wrong("an id has 1 to 128 bytes"));
        }
        let rows: Vec<(u64, &Json)> = match (&truth.label, &truth.labels) {
            (Some(label), None) => vec![(truth.row.unwrap_or(0), label)],
            (None, Some(labels)) if truth.row.is_none() => {
                (0..).zip(labels).filter(|(_, label)| !label.is_null()).collect()
            }
            _ => return Err(wrong("each needs `label` (with or without `row`) or `labels`")),
        };
        for (row, label) in rows {
            if label.is_null() || label.is_array() || label.is_object() {
                return Err(wrong("a label is a text, a number or a truth value"));
            }
            if lines.len() == MOST_ROWS {
                return Err(Failure::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("more than {MOST_ROWS} rows at once; send them in parts"),
                ));
            }
            lines.push(format!("{}\n", json!({ "t": now_ms, "id": truth.id, "row": row, "y": label })));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(folder: &Path, body: &str) -> Result<usize, StatusCode> {
        Feedback::new(folder).take(body.as_bytes(), 3 * DAY_MS + 5).map_err(|failure| failure.status)
    }

    #[test]
    fn feedback_is_a_line_for_each_row_that_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(taken(folder.path(), r#"{"id":"a","label":"yes"}"#), Ok(1));
        let many = r#"{"feedback":[{"id":"b","labels":[1,null,0]},{"id":"c","row":7,"label":true}]}"#;
        assert_eq!(taken(folder.path(), many), Ok(3));
        let path = folder.path().join("feedback-3.jsonl");
        let text = std::fs::read_to_string(&path).expect("it was written");
        let read: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let said = |line: &Json| (line["id"].clone(), line["row"].clone(), line["y"].clone());
        let found: Vec<_> = read.iter().map(said).collect();
        let expected =
            [("a", 0, json!("yes")), ("b", 0, json!(1)), ("b", 2, json!(0)), ("c", 7, json!(true))];
        assert_eq!(found, expected.map(|(id, row, y)| (json!(id), json!(row), y)));
    }

    #[test]
    fn what_is_no_feedback_is_refused_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let half = r#"{"feedback":[{"id":"a","label":1},{"id":"b","label":[1]}]}"#;
        let long = format!(r#"{{"id":"{}","label":1}}"#, "x".repeat(129));
        let mixed = r#"{"id":"a","row":1,"labels":[1]}"#;
        for body in ["", "[]", "{}", r#"{"id":"a"}"#, r#"{"id":"","label":1}"#, half, &long, mixed] {
            assert_eq!(taken(folder.path(), body), Err(StatusCode::BAD_REQUEST), "{body}");
        }
        let many = format!(r#"{{"id":"a","labels":[{}1]}}"#, "1,".repeat(MOST_ROWS));
        assert_eq!(taken(folder.path(), &many), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_half_line_stays_alone_and_a_full_disk_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("feedback-3.jsonl"), "{\"t\":1,\"i").expect("can be written");
        assert_eq!(taken(folder.path(), r#"{"id":"a","label":1}"#), Ok(1));
        let text = std::fs::read_to_string(folder.path().join("feedback-3.jsonl")).expect("it is there");
        assert_eq!(text.lines().count(), 2);
        let gone = folder.path().join("gone");
        assert_eq!(taken(&gone, r#"{"id":"a","label":1}"#), Err(StatusCode::SERVICE_UNAVAILABLE));
    }
}
