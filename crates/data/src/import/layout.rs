//! What the rows of a file become: how many columns there are, what they are called, and which
//! kinds the user set.

use std::collections::HashMap;
use std::path::Path;

use base::{Error, Result, count};

use super::chunk::Record;
use super::names;
use super::options::{ParseOptions, Warning};
use crate::schema::{Kind, nearest};

/// A table wider than this is refused: a screen, a form and a model of that width help nobody.
pub const MAX_COLUMNS: usize = 20_000;

/// How the rows of a file become rows of a table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) names: Vec<String>,
    /// The kinds that the user set, by position.
    pub(super) forced: HashMap<usize, Kind>,
    pub(super) warnings: Vec<Warning>,
    // The header's cells as they stand in the file; empty if no row can be its repetition.
    header: Vec<String>,
}

impl Layout {
    /// A table of these columns. `raw` are the names as they stand in the file `shown`.
    ///
    /// # Errors
    /// `invalid_input` for too many columns, or for options that name a column that is none.
    pub(super) fn new(shown: &Path, raw: &[String], options: &ParseOptions) -> Result<Self> {
        if raw.len() > MAX_COLUMNS {
            let (width, most) = (count(raw.len() as u64), count(MAX_COLUMNS as u64));
            return Err(Error::invalid(format!("`{}` has {width} columns", shown.display())).hint(format!(
                "Fettle takes up to {most}; check the delimiter, or keep values of one kind in rows"
            )));
        }
        let (names, warnings) = names::clean(raw);
        let forced = forced(&names, options)?;
        Ok(Self { names, forced, warnings, header: Vec::new() })
    }

    /// The same table, in which rows that repeat `header` are no rows. A header of one cell or of
    /// a value is not looked for: a row may well hold the same.
    pub(super) fn with_header(mut self, header: &[String]) -> Self {
        if header.len() > 1 {
            self.header = header.to_vec();
        }
        self
    }

    /// True for a row that repeats the header.
    pub(super) fn is_header(&self, record: Record<'_>) -> bool {
        let header = &self.header;
        !header.is_empty()
            && record.len() >= header.len()
            && header.iter().enumerate().all(|(at, name)| record.cell(at).0 == name.as_str())
    }
}

fn forced(names: &[String], options: &ParseOptions) -> Result<HashMap<usize, Kind>> {
    let mut forced = HashMap::new();
    for (name, kind) in &options.kinds {
        let Some(at) = names.iter().position(|known| known == name) else {
            let error = Error::invalid(format!("the options set the kind of `{name}`, which is no column"));
            return Err(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("look at the names in the preview"),
            });
        };
        forced.insert(at, *kind);
    }
    Ok(forced)
}
