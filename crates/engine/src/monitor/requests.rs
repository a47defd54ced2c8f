//! The requests that an endpoint recorded: one JSON object a line, newest files last. Lines that
//! are cut short, as the last one may be, are passed over.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use base::{Error, Result};
use flow::kinds::Scored;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// No more than the newest part of the log is looked at.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Drift is computed over the newest rows up to this many.
pub(super) const MOST_ROWS: usize = 50_000;

/// How the names of files of requests begin.
const REQUESTS: &str = "requests-";
/// How the names of files begin that tell what turned out to be true.
pub(super) const FEEDBACK: &str = "feedback-";

/// What was recorded of the requests.
pub(crate) struct Requests {
    /// In the order in which they came.
    pub(crate) all: Vec<Request>,
}

/// What was recorded of a request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its id, as the caller knows it.
    pub(crate) id: String,
    /// When it came, ms since the epoch.
    pub(crate) at: i64,
    /// How long it took.
    pub(crate) latency_ms: f64,
    /// How many rows it had.
    pub(crate) rows: u64,
    /// True if it was refused.
    pub(crate) is_error: bool,
    pub(super) version: String,
    inputs: BTreeMap<String, Vec<Value>>,
    outputs: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
struct Line {
    t: i64,
    #[serde(default)]
    id: String,
    #[serde(default)]
    v: String,
    #[serde(default)]
    ms: f64,
    #[serde(default)]
    n: u64,
    #[serde(default, rename = "in")]
    inputs: BTreeMap<String, Vec<Value>>,
    #[serde(default, rename = "out")]
    outputs: BTreeMap<String, Vec<Value>>,
    error: Option<String>,
}

impl Requests {
    /// Reads the newest part of the log, from this moment on.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub(crate) fn read(folder: &Path, since: i64) -> Result<Self> {
        let mut all = Vec::new();
        each_line(folder, REQUESTS, |read: Line| {
            if read.t >= since {
                all.push(read.into());
            }
        })?;
        all.sort_by_key(|request: &Request| request.at);
        Ok(Self { all })
    }

    /// Leaves the newest requests that have so many rows together, one without rows counted as one.
    pub(crate) fn keep_newest(&mut self, rows: u64) {
        let mut sum = 0;
        let newest = self.all.iter().rev().position(|request| {
            sum += request.rows.max(1);
            sum >= rows
        });
        if let Some(newest) = newest {
            self.all.drain(..self.all.len() - newest - 1);
        }
    }

    /// Rows in all.
    pub(crate) fn rows(&self) -> u64 {
        self.all.iter().map(|request| request.rows).sum()
    }

    /// The requests that this version answered.
    pub(super) fn answered_by(&self, version: &str) -> Vec<Request> {
        let is_own = |request: &&Request| request.version == version && !request.is_error;
        self.all.iter().filter(is_own).cloned().collect()
    }

    /// Requests that were refused.
    pub(crate) fn errors(&self) -> u64 {
        self.all.iter().filter(|request| request.is_error).count() as u64
    }

    /// Latencies in ascending order.
    pub(crate) fn latencies(&self) -> Vec<f64> {
        let mut latencies: Vec<f64> = self.all.iter().map(|request| request.latency_ms).collect();
        latencies.sort_by(f64::total_cmp);
        latencies
    }

    /// The newest rows that this version scored, column by column.
    pub(crate) fn scored(&self, version: &str) -> Scored {
        scored(self.all.iter().rev().filter(|request| request.version == version && !request.is_error))
    }
}

/// Rows of these requests one below the other, up to as many as are looked at.
pub(crate) fn scored<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Scored {
    let mut scored = Scored::default();
    for request in requests {
        if scored.rows >= MOST_ROWS {
            break;
        }
        scored.append(request.rows as usize, &request.inputs, &request.outputs);
    }
    scored
}

impl Request {
    /// What went in in a column and a row.
    pub(super) fn input(&self, column: &str, row: u64) -> &Value {
        cell(&self.inputs, column, row)
    }

    /// What came out in a column and a row.
    pub(super) fn output(&self, column: &str, row: u64) -> &Value {
        cell(&self.outputs, column, row)
    }
}

fn cell<'a>(columns: &'a BTreeMap<String, Vec<Value>>, column: &str, row: u64) -> &'a Value {
    columns.get(column).and_then(|values| values.get(row as usize)).unwrap_or(&Value::Null)
}

/// Hands over the lines of the newest files whose names begin so, oldest file first. What cannot be
/// read as such a line is passed over.
pub(super) fn each_line<T: DeserializeOwned>(
    folder: &Path,
    begin: &str,
    mut take: impl FnMut(T),
) -> Result<()> {
    for (path, skip) in newest(folder, begin)? {
        let mut file = std::fs::File::open(&path).map_err(|e| Error::io("read", &path, &e))?;
        file.seek(SeekFrom::Start(skip)).map_err(|e| Error::io("read", &path, &e))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(|e| Error::io("read", &path, &e))? > 0 {
            if let Ok(read) = serde_json::from_slice(&line) {
                take(read);
            }
            line.clear();
        }
    }
    Ok(())
}

#[cfg(test)]
impl Request {
    /// A request without values.
    pub(super) fn bare(at: i64, rows: u64) -> Self {
        let (inputs, outputs) = (BTreeMap::new(), BTreeMap::new());
        Self {
            id: String::new(),
            at,
            latency_ms: 1.0,
            rows,
            is_error: false,
            version: "1".to_owned(),
            inputs,
            outputs,
        }
    }
}

impl From<Line> for Request {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            at: line.t,
            latency_ms: line.ms,
            rows: line.n,
            is_error: line.error.is_some(),
            version: line.v,
            inputs: line.inputs,
            outputs: line.outputs,
        }
    }
}

/// The log's files with the bytes to skip in each, oldest first.
fn newest(folder: &Path, begin: &str) -> Result<Vec<(PathBuf, u64)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", folder, &e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", folder, &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(begin) && name.ends_with(".jsonl") {
            let found = entry.metadata().map_err(|e| Error::io("read", &entry.path(), &e))?;
            files.push((found.modified().ok(), entry.path(), found.len()));
        }
    }
    files.sort();
    let mut left = MOST_BYTES;
    let mut chosen = Vec::new();
    for (_, path, size) in files.into_iter().rev() {
        if left == 0 {
            break;
        }
        chosen.push((path, size.saturating_sub(left)));
        left = left.saturating_sub(size);
    }
    chosen.reverse();
    Ok(chosen)
}

/// Bytes of the log.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
}

/// The quantile of ascending values, the nearest one above.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_cut_short_is_passed_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let good = r#"{"t":5,"id":"a","v":"1","ms":2.5,"n":2,"in":{"x":[1,null]},"out":{"y":[0,1]}}"#;
        let error = r#"{"t":6,"id":"b","v":"1","ms":1.0,"error":"no column","status":400}"#;
        let text = format!("{good}\n{error}\n{}", &good[..20]);
        std::fs::write(folder.path().join("requests-1.jsonl"), text).expect("can be written");
        let requests = Requests::read(folder.path(), 0).expect("can be read");
        assert_eq!((requests.all.len(), requests.rows(), requests.errors()), (2, 2, 1));
        assert_eq!(requests.scored("1").rows, 2);
        assert_eq!(requests.scored("2").rows, 0);
        assert_eq!(Requests::read(folder.path(), 6).expect("can be read").all.len(), 1);
    }

    #[test]
    fn the_newest_requests_hold_the_rows_that_were_asked_for() {
        let rows = [(1, 10), (2, 0), (3, 20), (4, 5)];
        let newest = |wanted| {
            let all = rows.iter().map(|(at, rows)| Request::bare(*at, *rows)).collect();
            let mut requests = Requests { all };
            requests.keep_newest(wanted);
            requests.all.iter().map(|request| request.at).collect::<Vec<_>>()
        };
        assert_eq!(newest(5), [4]);
        assert_eq!(newest(6), [3, 4]);
        assert_eq!(newest(26), [2, 3, 4]);
        assert_eq!(newest(1000), [1, 2, 3, 4]);
    }

    #[test]
    fn quantiles_of_few_values_are_values() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.0));
    }
}
