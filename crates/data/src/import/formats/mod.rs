//! The formats that are read. A format is one file in this folder and one line in [`READERS`]: it
//! knows its files by their content, guesses how to read them, and opens them as rows of cells
//! or as typed columns.

mod arrow;
mod delimited;
mod excel;
mod json;
mod json_lines;
mod parquet;
mod sqlite;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use base::{Error, Progress, Result};

use super::chunk::Chunk;
use super::input::Input;
use super::layout::Layout;
use super::options::{Format, ParseOptions, Sniffed};
use super::place::Place;

/// Every format, in the order in which a file is asked for; text with delimiters takes what is
/// left.
const READERS: [&dyn Reader; 7] = [
    &parquet::Parquet,
    &arrow::Arrow,
    &sqlite::Sqlite,
    &excel::Excel,
    &json_lines::JsonLines,
    &json::Json,
    &delimited::Delimited,
];

/// What a format can do.
pub(super) trait Reader: Sync {
    /// Which one it is.
    fn format(&self) -> Format;

    /// True if a file that begins with `head` is of this format.
    fn detect(&self, head: &[u8]) -> bool;

    /// True if the end of a file is needed to read its beginning.
    fn needs_whole(&self) -> bool;

    /// Guesses how to read the file.
    ///
    /// # Errors
    /// `invalid_input` for a file that cannot be read.
    fn sniff(&self, input: &Input) -> Result<Sniffed>;

    /// Opens the file and finds its columns, looking at no more of it than `extent` says.
    ///
    /// # Errors
    /// `invalid_input` for options or a file that cannot be read; `cancelled`.
    fn open(&self, request: &Request<'_>) -> Result<Opened>;
}

/// What is to be opened.
pub(super) struct Request<'a> {
    pub(super) input: &'a Input,
    pub(super) options: &'a ParseOptions,
    pub(super) extent: Extent,
    pub(super) progress: &'a Progress,
}

/// How much of a file matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The first rows.
    Head,
    /// All of them.
    Whole,
}

/// A table in a file.
pub(super) enum Opened {
    /// Cells whose kinds are to be found.
    Rows(Box<dyn Rows>),
    /// Columns whose kinds the format gives.
    Columns(Box<dyn Columns>),
}

/// Rows of cells. They can be read any number of times and are the same each time.
pub(super) trait Rows: Sync {
    /// The columns.
    fn layout(&self) -> &Layout;

    /// How much there is to read, in the unit of [`Chunk::done`], if that is known.
    fn total(&self) -> Option<u64>;

    /// The same rows from this place on, if reading can begin at places of the file.
    fn from(&self, _place: Place) -> Option<Box<dyn Rows>> {
        None
    }

    /// Hands the rows below the header to `sink` until it breaks.
    ///
    /// # Errors
    /// `invalid_input` for a file that is damaged where no single row can be blamed.
    fn read(&self, sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>) -> Result<()>;
}

/// Batches of rows as a file holds them.
pub(super) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Typed columns. They can be read any number of times and are the same each time.
pub(super) trait Columns {
    /// Names and types as the file gives them.
    fn schema(&self) -> &SchemaRef;

    /// The rows in all, if that is known.
    fn total(&self) -> Option<u64>;

    /// All rows, from the first on.
    ///
    /// # Errors
    /// `invalid_input` for a file that is damaged.
    fn batches(&self) -> Result<Batches<'_>>;
}

/// The format of the bytes that begin with `head`.
pub(super) fn detect(head: &[u8]) -> &'static dyn Reader {
    let found = READERS.iter().find(|reader| reader.detect(head));
    *found.expect("the last format takes every file")
}

/// The reader of a format.
pub(super) fn reader(format: Format) -> &'static dyn Reader {
    let found = READERS.iter().find(|reader| reader.format() == format);
    *found.expect("every format has a line in the list")
}

/// Runs a parser that others wrote: files from strangers make some of them panic.
///
/// # Errors
/// What `parse` gives, or `invalid_input` if it panics.
pub(super) fn guarded<T>(shown: &Path, format: Format, parse: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a broken parser leaves behind is dropped here, and nobody else holds it.
    catch_unwind(AssertUnwindSafe(parse))
        .unwrap_or_else(|_| Err(damaged(shown, format, &"its parser gave up")))
}

/// The error for a file that begins as one of `format` and cannot be read as one.
pub(super) fn damaged(shown: &Path, format: Format, why: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("`{}` is damaged: it cannot be read as {}", shown.display(), format.title()))
        .because(why)
        .hint("check that it was copied in full, or export it again from the program that made it")
}

/// The error for a file that does not begin as one of `format`.
pub(super) fn not_one(shown: &Path, format: Format) -> Error {
    Error::invalid(format!("`{}` is not {}", shown.display(), format.title()))
        .hint("let the format be guessed from the file")
}
