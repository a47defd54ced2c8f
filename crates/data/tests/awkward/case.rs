//! A case: a file, how it is read, and what has to come of it.

use std::path::Path;

use base::{Code, Progress};
use data::import::{ImportReport, ParseOptions, import, preview, sniff};
use data::{DATA_FILE, META_FILE, TableFile};

/// One awkward file.
pub struct Case {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// How to read it; it is guessed if nothing is said.
    options: Option<ParseOptions>,
    expected: Expected,
}

enum Expected {
    /// The table as [`shown`], and the line and reason of every rejected row.
    Table(String, Vec<(u64, &'static str)>),
    /// The message, in which `FILE` stands for the path.
    Error(&'static str),
}

/// A file that is the table `expected`.
pub fn table(name: &'static str, bytes: impl Into<Vec<u8>>, expected: impl Into<String>) -> Case {
    Case { name, bytes: bytes.into(), options: None, expected: Expected::Table(expected.into(), Vec::new()) }
}

/// A file that is no table, and what is said of it.
pub fn refused(name: &'static str, bytes: impl Into<Vec<u8>>, message: &'static str) -> Case {
    Case { name, bytes: bytes.into(), options: None, expected: Expected::Error(message) }
}

impl Case {
    /// The same case, of which these rows are rejected.
    pub fn rejects(mut self, rows: &[(u64, &'static str)]) -> Self {
        if let Expected::Table(_, rejected) = &mut self.expected {
            rejected.extend_from_slice(rows);
        }
        self
    }

    /// The same case, read in this way.
    pub fn read_as(mut self, options: ParseOptions) -> Self {
        self.options = Some(options);
        self
    }
}

/// What is wrong with the case, if something is.
pub fn check(case: &Case) -> Option<String> {
    let wrong = |what: String| Some(format!("{}:\n  {}", case.name, what.replace('\n', "\n  ")));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file.csv");
    std::fs::write(&path, &case.bytes).expect("writable");
    let got = read(&path, case.options.as_ref());
    match (&case.expected, got) {
        (Expected::Table(table, rejected), Ok((got, report))) => {
            let reasons: Vec<_> = report.rejected.iter().map(|r| (r.line, r.reason.as_str())).collect();
            if got != *table || reasons != *rejected || report.rejected_total != rejected.len() as u64 {
                return wrong(format!(
                    "got      {got}\nexpected {table}\nrejected {reasons:?}\n{:?}",
                    sniff(&path)
                ));
            }
            None
        }
        (Expected::Error(message), Err(error)) => {
            let got = error.message.replace(&path.display().to_string(), "FILE");
            if got != *message || error.code != Code::InvalidInput || error.hint.is_none() {
                return wrong(format!("got      {got}\nexpected {message}\n{error:?}"));
            }
            None
        }
        (Expected::Table(..), Err(error)) => wrong(format!("{error:?}")),
        (Expected::Error(message), Ok((got, report))) => {
            wrong(format!("got      {got}\nexpected {message}\n{:?}", report.rejected))
        }
    }
}

/// Reads a file through all three doors and checks the laws that hold for every file.
fn read(path: &Path, options: Option<&ParseOptions>) -> base::Result<(String, ImportReport)> {
    let out = path.with_extension("out");
    let options = match options {
        Some(options) => options.clone(),
        None => sniff(path)?.options,
    };
    let json = serde_json::to_string(&options).expect("options are JSON");
    assert_eq!(serde_json::from_str::<ParseOptions>(&json).expect("they read back"), options);
    let report = match import(path, &options, &out, &Progress::silent()) {
        Ok(report) => report,
        Err(error) => {
            assert!(!out.join(DATA_FILE).exists() && !out.join(META_FILE).exists(), "something is left");
            assert!(std::fs::read_dir(&out).map_or(0, Iterator::count) == 0, "something is left");
            return Err(error);
        }
    };
    let seen = preview(path, &options)?;
    assert!(report.rows + report.rejected_total >= seen.rows_seen, "the preview sees more rows");
    assert_eq!(report.rejected_total, report.rejected.len() as u64);
    let again = path.with_extension("again");
    import(path, &options, &again, &Progress::silent()).expect("what was read once is read twice");
    let bytes = |folder: &Path| std::fs::read(folder.join(DATA_FILE)).expect("the table is there");
    assert!(bytes(&out) == bytes(&again), "the same file gives other bytes");
    let table = TableFile::open(&out).expect("what was imported opens");
    let page = table.page(0, 1000, None).expect("what was imported can be read");
    if report.rows + report.rejected_total == seen.rows_seen {
        assert_eq!(seen.columns, report.meta.columns, "the preview shows other columns");
        assert!(page.rows.starts_with(&seen.rows), "the preview shows other rows");
    }
    Ok((shown(&report, &page.rows), report))
}

/// The header with kinds, then the rows: `a:integer b:text | 1 x | 2 ~`. A `~` is a missing
/// value, a `/` a line end.
fn shown(report: &ImportReport, rows: &[Vec<Option<String>>]) -> String {
    let columns = report.meta.columns.iter().map(|c| format!("{}:{}", c.name, c.kind.word()));
    let mut out = columns.collect::<Vec<_>>().join(" ");
    for row in rows {
        let cells = row.iter().map(|cell| cell.as_deref().unwrap_or("~").replace(['\n', '\r'], "/"));
        out.push_str(" | ");
        out.push_str(&cells.collect::<Vec<_>>().join(" "));
    }
    out
}
