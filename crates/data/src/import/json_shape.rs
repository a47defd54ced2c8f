//! Where in a JSON document its table is.

use std::path::Path;

use base::{Error, Result};

use super::decode::TextSource;
use super::json;
use super::json_scan::{Scanner, Stop, Walk, walk};
use super::options::Warning;
use super::pack::listed;

/// How much of a document is looked at. It is the same for every reader, so that all find the
/// same table.
const LOOKED_AT_BYTES: u64 = 1 << 20;
/// Arrays are looked for in objects up to this depth.
const MAX_DEPTH: usize = 6;
/// Arrays that are remembered.
const MAX_ARRAYS: usize = 100;

/// What a document holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An array of records; `others` are the paths of other ones.
    Records { path: String, others: Vec<String> },
    /// An object of arrays, one per column.
    Columns { path: String },
    /// One record.
    Single,
}

/// An array in a document.
struct Found {
    path: String,
    first: Option<u8>,
    length: u64,
}

#[derive(Default)]
struct Survey {
    arrays: Vec<Found>,
    /// Values at the top that are neither arrays nor objects, and objects.
    others: u64,
}

impl Shape {
    /// Looks at the beginning of a document; `wanted` is the path that the user gave.
    ///
    /// # Errors
    /// `invalid_input` if there is nothing at that path.
    pub(super) fn find(shown: &Path, source: TextSource, wanted: Option<&str>) -> Result<Self> {
        let mut scan = Scanner::new(source, LOOKED_AT_BYTES);
        if let Some(path) = wanted.filter(|path| !path.is_empty()) {
            return Self::at(shown, path, scan);
        }
        if scan.next_mark()? == Some(b'[') {
            return Ok(Self::Records { path: String::new(), others: Vec::new() });
        }
        let mut survey = Survey::default();
        // A document that breaks off is reported when it is read.
        let _ = survey.object(&mut scan, "", 0)?;
        Ok(survey.shape())
    }

    fn at(shown: &Path, path: &str, mut scan: Scanner) -> Result<Self> {
        let path = path.to_owned();
        let found = match Self::go(&path, "", &mut scan)? {
            Ok(()) | Err(Stop::Enough) => scan.next_mark()?,
            Err(Stop::End | Stop::Broken(_)) => None,
        };
        match found {
            Some(b'[') => Ok(Self::Records { path, others: Vec::new() }),
            Some(b'{') => Ok(Self::Columns { path }),
            _ => Err(Error::invalid(format!("`{}` holds no records at `{path}`", shown.display()))
                .hint("name the keys on the way to an array, such as `data.items`")),
        }
    }

    /// The path for the options.
    pub(super) fn path(&self) -> Option<String> {
        match self {
            Self::Records { path, .. } | Self::Columns { path } => {
                Some(path.clone()).filter(|path| !path.is_empty())
            }
            Self::Single => None,
        }
    }

    /// What the user should know.
    pub(super) fn warning(&self) -> Option<Warning> {
        let Self::Records { path, others } = self else { return None };
        (!others.is_empty()).then(|| {
            Warning::file(format!("the records at `{path}` are read; there are others at {}", listed(others)))
        })
    }

    /// Walks to the value at `path`.
    pub(super) fn go_to(&self, path: &str, scan: &mut Scanner) -> Walk<()> {
        if path.is_empty() { Ok(Ok(())) } else { Self::go(path, "", scan) }
    }

    fn go(path: &str, before: &str, scan: &mut Scanner) -> Walk<()> {
        let mut has_more = walk!(scan.enter(b'{', b'}'));
        while has_more {
            let key = walk!(scan.key());
            let here = if before.is_empty() { key } else { format!("{before}.{key}") };
            if here == path {
                return Ok(Ok(()));
            }
            let is_on_the_way = path.strip_prefix(&here).is_some_and(|rest| rest.starts_with('.'));
            if is_on_the_way && scan.next_mark()? == Some(b'{') {
                return Self::go(path, &here, scan);
            }
            walk!(scan.value(None));
            has_more = walk!(scan.has_more(b'}'));
        }
        Ok(Err(Stop::Broken("expected the path of the records")))
    }
}

impl Survey {
    fn object(&mut self, scan: &mut Scanner, before: &str, depth: usize) -> Walk<()> {
        let mut has_more = walk!(scan.enter(b'{', b'}'));
        while has_more {
            let key = walk!(scan.key());
            let path = if before.is_empty() { key } else { format!("{before}.{key}") };
            match scan.next_mark()? {
                Some(b'[') if self.arrays.len() < MAX_ARRAYS => walk!(self.array(scan, path)),
                Some(b'{') if depth < MAX_DEPTH => {
                    self.others += 1;
                    walk!(self.object(scan, &path, depth + 1));
                }
                _ => {
                    self.others += 1;
                    walk!(scan.value(None));
                }
            }
            has_more = walk!(scan.has_more(b'}'));
        }
        Ok(Ok(()))
    }

    fn array(&mut self, scan: &mut Scanner, path: String) -> Walk<()> {
        let at = self.arrays.len();
        self.arrays.push(Found { path, first: None, length: 0 });
        let mut has_more = walk!(scan.enter(b'[', b']'));
        self.arrays[at].first = scan.next_mark()?.filter(|_| has_more);
        while has_more {
            self.arrays[at].length += 1;
            walk!(scan.value(None));
            has_more = walk!(scan.has_more(b']'));
        }
        Ok(Ok(()))
    }

    /// The longest array of records; if there is none, the object as columns or as one record.
    fn shape(self) -> Shape {
        let is_records = |found: &&Found| matches!(found.first, Some(b'{' | b'['));
        let records: Vec<&Found> = self.arrays.iter().filter(is_records).collect();
        let longest = records.iter().map(|found| found.length).max();
        if let Some(found) = records.iter().find(|found| Some(found.length) == longest) {
            let others = records.iter().filter(|other| other.path != found.path);
            let others = others.map(|other| other.path.clone()).collect();
            return Shape::Records { path: found.path.clone(), others };
        }
        if self.others == 0 && !self.arrays.is_empty() {
            return Shape::Columns { path: String::new() };
        }
        Shape::Single
    }
}

/// True if the first line is one JSON value by itself.
pub(super) fn first_line_is_all(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    first.is_some_and(|line| json::visit(line, &mut |_, _, _| ()).is_ok())
}
