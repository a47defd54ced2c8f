//! The requests that an endpoint recorded: one JSON object a line, newest files last. Lines that
//! are cut short, as the last one may be, are passed over.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use base::{Error, Result};
use flow::kinds::Scored;
use serde::Deserialize;
use serde_json::Value;

/// No more than the newest part of the log is looked at.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Drift is computed over the newest rows up to this many.
const MOST_ROWS: usize = 50_000;

/// What was recorded of the requests.
pub(crate) struct Requests {
    /// In the order in which they came.
    pub(crate) all: Vec<Request>,
}

/// What was recorded of a request.
pub(crate) struct Request {
    /// When it came, ms since the epoch.
    pub(crate) at: i64,
    /// How long it took.
    pub(crate) latency_ms: f64,
    /// How many rows it had.
    pub(crate) rows: u64,
    /// True if it was refused.
    pub(crate) is_error: bool,
    version: String,
    inputs: BTreeMap<String, Vec<Value>>,
    outputs: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
struct Line {
    t: i64,
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
        for (path, skip) in newest(folder)? {
            let mut file = std::fs::File::open(&path).map_err(|e| Error::io("read", &path, &e))?;
            file.seek(SeekFrom::Start(skip)).map_err(|e| Error::io("read", &path, &e))?;
            let mut reader = BufReader::new(file);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).map_err(|e| Error::io("read", &path, &e))? > 0 {
                if let Ok(read) = serde_json::from_slice::<Line>(&line)
                    && read.t >= since
                {
                    all.push(read.into());
                }
                line.clear();
            }
        }
        all.sort_by_key(|request: &Request| request.at);
        Ok(Self { all })
    }

    /// Rows in all.
    pub(crate) fn rows(&self) -> u64 {
        self.all.iter().map(|request| request.rows).sum()
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
        let of_version =
            self.all.iter().rev().filter(|request| request.version == version && !request.is_error);
        let mut scored = Scored::default();
        for request in of_version {
            if scored.rows >= MOST_ROWS {
                break;
            }
            scored.append(request.rows as usize, &request.inputs, &request.outputs);
        }
        scored
    }
}

impl From<Line> for Request {
    fn from(line: Line) -> Self {
        Self {
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
fn newest(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", folder, &e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", folder, &e))?;
        if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
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
    fn quantiles_of_few_values_are_values() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.0));
    }
}
