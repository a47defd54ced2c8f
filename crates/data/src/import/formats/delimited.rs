//! Text with delimiters. Takes every file that no other format claims, and refuses what is no text.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use base::{Error, Result};
use encoding_rs::{Encoding, UTF_8};

use super::{Opened, Reader, Request, Rows};
use crate::import::chunk::{Chunk, Dialect, MAX_RECORD_BYTES, Record};
use crate::import::decode::{TextSource, encoding_of};
use crate::import::encoding;
use crate::import::header::Header;
use crate::import::input::Input;
use crate::import::layout::Layout;
use crate::import::names;
use crate::import::options::{Format, ParseOptions, Sniffed};
use crate::import::place::Place;
use crate::import::records::{RecordReader, cut};
use crate::import::sniff::{self, Head};

/// A header has at most so many rows.
const MAX_HEADER_ROWS: u32 = 20;

/// CSV, TSV and their kin.
pub(super) struct Delimited;

impl Reader for Delimited {
    fn format(&self) -> Format {
        Format::Delimited
    }

    fn detect(&self, _head: &[u8]) -> bool {
        true
    }

    fn needs_whole(&self) -> bool {
        false
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        sniff::sniff_text(input)
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        let (input, options) = (request.input, request.options);
        let head = Head::read(input, &options.encoding)?;
        encoding::refuse_other_formats(&input.shown, &head.text)?;
        encoding::refuse_binary(&input.shown, &head.text)?;
        let dialect = dialect(options)?;
        let layout = layout(input, &head, dialect, options)?;
        Ok(Opened::Rows(Box::new(TextTable {
            path: input.path.clone(),
            size_bytes: input.size_bytes,
            encoding: encoding_of(&options.encoding)?,
            dialect,
            skip_lines: options.skip_lines,
            header_rows: header_rows(options),
            layout,
            from: None,
        })))
    }
}

#[derive(Clone)]
struct TextTable {
    path: PathBuf,
    size_bytes: u64,
    encoding: &'static Encoding,
    dialect: Dialect,
    skip_lines: u64,
    header_rows: usize,
    layout: Layout,
    /// Where reading begins, if not at the beginning.
    from: Option<Place>,
}

impl Rows for TextTable {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn total(&self) -> Option<u64> {
        Some(self.size_bytes)
    }

    fn from(&self, place: Place) -> Option<Box<dyn Rows>> {
        (self.encoding == UTF_8)
            .then(|| -> Box<dyn Rows> { Box::new(Self { from: Some(place), ..self.clone() }) })
    }

    fn read(&self, sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>) -> Result<()> {
        let (mut reader, mut header_rows) = match self.from {
            None => {
                let source = TextSource::open(&self.path, self.encoding)?;
                (RecordReader::new(source, self.dialect, self.skip_lines), self.header_rows)
            }
            Some(place) => {
                let source = TextSource::open_at(&self.path, place.offset)?;
                (RecordReader::go_on(source, self.dialect, place.line), 0)
            }
        };
        while let Some(mut chunk) = reader.next_chunk()? {
            header_rows -= chunk.drop_front(header_rows);
            if sink(chunk).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn header_rows(options: &ParseOptions) -> usize {
    if options.header { options.header_rows as usize } else { 0 }
}

/// The columns, from the beginning of the file.
fn layout(input: &Input, head: &Head, dialect: Dialect, options: &ParseOptions) -> Result<Layout> {
    let shown = &input.shown;
    let chunk = cut(head.text.clone(), dialect, options.skip_lines, head.is_whole);
    let header_rows = header_rows(options);
    let mut header = Vec::with_capacity(header_rows);
    for record in chunk.records().take(header_rows) {
        if let Some(fault) = record.fault() {
            let (line, reason) = (record.line(), fault.reason());
            let message = format!("cannot read the header of `{}` on line {line}: {reason}", shown.display());
            return Err(Error::invalid(message)
                .hint("check the encoding, the quote character and how many lines are skipped"));
        }
        header.push(record.texts());
    }
    if chunk.records().next().is_none() && head.text.len() >= MAX_RECORD_BYTES {
        return Err(Error::invalid(format!("the first row of `{}` is longer than 32 MB", shown.display()))
            .hint("check that it is a table, and which character stands around its cells"));
    }
    if chunk.records().next().is_none() || header.len() < header_rows {
        return Err(Error::invalid(format!("`{}` holds no rows", shown.display()))
            .hint("check how many lines are skipped and which lines are comments"));
    }
    let below = Below::look(&chunk, header_rows);
    if header.is_empty() {
        return Layout::new(shown, &names::numbered(below.width.unwrap_or(1)), options);
    }
    let (raw, mut warnings) =
        Header { rows: &header, width: below.width, filled: below.filled, first_cells: &below.first_cells }
            .names();
    let mut layout = Layout::new(shown, &raw, options)?;
    if let [only] = header.as_slice() {
        layout = layout.with_header(only);
    }
    layout.warnings.append(&mut warnings);
    Ok(layout)
}

/// What the first rows below the header look like.
struct Below {
    /// The most frequent number of cells.
    width: Option<usize>,
    /// How many columns of the rows of that width hold something.
    filled: usize,
    first_cells: Vec<String>,
}

impl Below {
    fn look(chunk: &Chunk, header_rows: usize) -> Self {
        let rows = || chunk.records().skip(header_rows).take(1000).filter(|record| record.fault().is_none());
        let mut widths: BTreeMap<usize, u64> = BTreeMap::new();
        for record in rows() {
            *widths.entry(record.len()).or_default() += 1;
        }
        let width = widths.iter().max_by_key(|(width, rows)| (**rows, **width)).map(|(width, _)| *width);
        let usual = || rows().filter(|record| Some(record.len()) == width);
        let filled = |record: Record<'_>| {
            let empty = (0..record.len()).rev().take_while(|at| record.cell(*at).0.is_empty()).count();
            record.len() - empty
        };
        Self {
            width,
            filled: usual().map(filled).max().unwrap_or(0),
            first_cells: usual().map(|record| record.cell(0).0.into_owned()).collect(),
        }
    }
}

/// The bytes with a meaning, checked: each is one byte and no two are the same.
fn dialect(options: &ParseOptions) -> Result<Dialect> {
    let byte = |what: &str, c: char| {
        u8::try_from(c).ok().filter(|b| b.is_ascii() && !matches!(b, b'\n' | b'\r' | 0)).ok_or_else(|| {
            Error::invalid(format!("`{}` cannot be the {what}", c.escape_debug()))
                .hint("use one ASCII character that is no line end")
        })
    };
    let optional = |what: &str, c: Option<char>| c.map(|c| byte(what, c)).transpose();
    let dialect = Dialect {
        delimiter: byte("delimiter", options.delimiter)?,
        quote: optional("quote character", options.quote)?,
        escape: optional("escape character", options.escape)?,
        comment: optional("comment character", options.comment)?,
        trim: options.trim,
        merge: options.merge_delimiters,
    };
    let others = [dialect.quote, dialect.escape, dialect.comment];
    let quote_is_comment = dialect.quote.is_some() && dialect.quote == dialect.comment;
    if others.contains(&Some(dialect.delimiter)) || quote_is_comment {
        return Err(Error::invalid("two characters of the options have the same meaning")
            .hint("delimiter, quote, escape and comment must differ"));
    }
    check_numbers(options)?;
    Ok(dialect)
}

fn check_numbers(options: &ParseOptions) -> Result<()> {
    if !matches!(options.decimal, '.' | ',') || options.thousands == Some(options.decimal) {
        return Err(Error::invalid(format!("`{}` cannot be the decimal mark", options.decimal))
            .hint("use `.` or `,`, and another mark between thousands"));
    }
    if options.thousands.is_some_and(|mark| mark.is_alphanumeric() || matches!(mark, '+' | '-')) {
        return Err(Error::invalid("the mark between thousands cannot be a letter, a digit or a sign")
            .hint("use `,`, `.`, `'` or a space"));
    }
    if options.header && !(1..=MAX_HEADER_ROWS).contains(&options.header_rows) {
        return Err(Error::invalid(format!("a header cannot have {} rows", options.header_rows))
            .hint(format!("use 1 to {MAX_HEADER_ROWS}, or say that there is no header")));
    }
    Ok(())
}
