//! Rows out of JSON values: the first pass finds the names, in the order in which they appear;
//! the passes after it put the cells of each value under their names.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use base::{Error, Result, count};

use super::chunk::{Chunk, ChunkBuilder, Origin};
use super::formats::{Extent, Request, Rows};
use super::json;
use super::layout::{Layout, MAX_COLUMNS};
use super::options::Warning;

/// How much is looked at for the names of a preview.
const HEAD_BYTES: u64 = 1 << 20;

/// A part of a file of JSON values.
pub(super) enum Piece<'a> {
    /// A value and the line it starts on.
    Record(u64, &'a str),
    /// Bytes that are no value, and why.
    Fault(u64, &'a [u8], &'a str),
    /// Lines that hold nothing.
    Blank(u64),
}

/// Where values come from.
pub(super) trait Pieces: Sync {
    /// How many bytes the file has.
    fn size_bytes(&self) -> u64;

    /// Hands over every piece, with the bytes read so far, until `sink` breaks.
    ///
    /// # Errors
    /// `invalid_input` for a document that is damaged.
    fn each(&self, sink: &mut dyn FnMut(Piece<'_>, u64) -> ControlFlow<()>) -> Result<()>;
}

/// True if the values are arrays and the first one holds nothing but texts, unlike the second.
///
/// # Errors
/// As [`Pieces::each`].
pub(super) fn begins_with_names(pieces: &dyn Pieces) -> Result<bool> {
    let mut are_texts = Vec::new();
    pieces.each(&mut |piece, _| {
        let Piece::Record(_, text) = piece else { return ControlFlow::Break(()) };
        if !text.trim_start().starts_with('[') {
            return ControlFlow::Break(());
        }
        let mut is_text = true;
        // A broken value is rejected when it is read.
        let _ = json::visit(text, &mut |_, origin, _| is_text &= origin == Origin::Text);
        are_texts.push(is_text);
        if are_texts.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(are_texts == [true, false])
}

/// A table of JSON values.
pub(super) struct JsonTable<P> {
    pieces: P,
    layout: Layout,
    index: HashMap<String, usize>,
    /// True if the first value holds the names.
    has_header: bool,
}

impl<P: Pieces> JsonTable<P> {
    /// Looks for the names.
    ///
    /// # Errors
    /// As [`Pieces::each`]; `invalid_input` for too many names; `cancelled`.
    pub(super) fn open(request: &Request<'_>, pieces: P) -> Result<Self> {
        let mut names = Names::default();
        let mut trouble = None;
        pieces.each(&mut |piece, done| {
            let stepped = request.progress.step("looking", done, Some(pieces.size_bytes()));
            let added = stepped.and_then(|()| names.add(&piece, request));
            let is_enough = request.extent == Extent::Head && names.seen_bytes >= HEAD_BYTES;
            match added {
                Ok(()) if !is_enough => ControlFlow::Continue(()),
                Ok(()) => ControlFlow::Break(()),
                Err(error) => {
                    trouble = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = trouble {
            return Err(error);
        }
        let shown = &request.input.shown;
        if names.raw.is_empty() {
            let error = Error::invalid(format!("no record of `{}` holds a value", shown.display()));
            return Err(match names.first_fault {
                Some(reason) => error.because(reason).hint("check that the file is JSON"),
                None => error.hint("choose a file with at least one record"),
            });
        }
        let mut layout = Layout::new(shown, &names.titles(), request.options)?;
        if names.doubles > 0 {
            let message =
                format!("{} names stand twice in a record; the last value is taken", count(names.doubles));
            layout.warnings.push(Warning::file(message));
        }
        let has_header = names.header.is_some();
        Ok(Self { pieces, layout, index: names.index, has_header })
    }
}

#[derive(Default)]
struct Names {
    raw: Vec<String>,
    index: HashMap<String, usize>,
    /// The texts of the first value, if they are the names.
    header: Option<Vec<String>>,
    has_first: bool,
    doubles: u64,
    seen_bytes: u64,
    first_fault: Option<String>,
    // The record in which a name was seen last.
    last_seen: Vec<u64>,
    records: u64,
}

impl Names {
    fn add(&mut self, piece: &Piece<'_>, request: &Request<'_>) -> Result<()> {
        let Piece::Record(_, text) = piece else { return Ok(()) };
        self.seen_bytes += text.len() as u64;
        self.records += 1;
        let is_array = text.trim_start().starts_with('[');
        let is_first = !std::mem::replace(&mut self.has_first, true);
        let mut header = (is_first && is_array && request.options.header).then(Vec::new);
        let (known, doubles) = (self.raw.len(), self.doubles);
        let parsed = json::visit(text, &mut |name, _, text| {
            if let Some(header) = &mut header {
                header.push(text.to_owned());
            }
            self.see(name);
        });
        self.header = self.header.take().or(header);
        if let Err(reason) = parsed {
            // A broken value is rejected as a whole, so it names nothing.
            self.doubles = doubles;
            for name in self.raw.drain(known..) {
                self.index.remove(&name);
            }
            self.last_seen.truncate(known);
            self.first_fault.get_or_insert(reason);
        }
        if self.raw.len() > MAX_COLUMNS {
            let most = count(MAX_COLUMNS as u64);
            let message =
                format!("the records of `{}` have more than {most} names", request.input.shown.display());
            return Err(
                Error::invalid(message).hint("keep values of one kind in rows, not under names of their own")
            );
        }
        Ok(())
    }

    fn see(&mut self, name: &str) {
        match self.index.get(name) {
            Some(at) => {
                self.doubles += u64::from(self.last_seen[*at] == self.records);
                self.last_seen[*at] = self.records;
            }
            // More names than a table may have are not kept: the record is the end.
            None if self.raw.len() > MAX_COLUMNS => (),
            None => {
                self.index.insert(name.to_owned(), self.raw.len());
                self.raw.push(name.to_owned());
                self.last_seen.push(self.records);
            }
        }
    }

    fn titles(&self) -> Vec<String> {
        let header = self.header.as_deref().unwrap_or_default();
        self.raw.iter().enumerate().map(|(at, name)| header.get(at).unwrap_or(name).clone()).collect()
    }
}

impl<P: Pieces> Rows for JsonTable<P> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn total(&self) -> Option<u64> {
        Some(self.pieces.size_bytes())
    }

    fn read(&self, sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>) -> Result<()> {
        let mut builder = ChunkBuilder::default();
        let mut row = Row::new(self.layout.names.len());
        let mut is_at_header = self.has_header;
        let mut read = 0;
        let mut is_stopped = false;
        self.pieces.each(&mut |piece, done| {
            read = done;
            match piece {
                Piece::Record(..) if std::mem::take(&mut is_at_header) => (),
                Piece::Record(line, text) => row.add(line, text, &self.index, &mut builder),
                Piece::Fault(line, bytes, reason) => {
                    builder.begin_with(bytes);
                    builder.fault(line, reason);
                }
                Piece::Blank(lines) => (0..lines).for_each(|_| builder.blank()),
            }
            match builder.full(done) {
                Some(chunk) => {
                    let flow = sink(chunk);
                    is_stopped = flow.is_break();
                    flow
                }
                None => ControlFlow::Continue(()),
            }
        })?;
        if !is_stopped {
            // Nothing is left to do if the last rows are not wanted.
            let _ = sink(builder.take(read));
        }
        Ok(())
    }
}

/// The cells of one record in the order of the columns.
struct Row {
    text: String,
    cells: Vec<Option<(Origin, Range<usize>)>>,
}

impl Row {
    fn new(width: usize) -> Self {
        Self { text: String::new(), cells: vec![None; width] }
    }

    fn add(&mut self, line: u64, record: &str, index: &HashMap<String, usize>, builder: &mut ChunkBuilder) {
        self.text.clear();
        self.cells.fill(None);
        let mut is_known = true;
        let parsed = json::visit(record, &mut |name, origin, text| match index.get(name) {
            Some(at) => {
                let start = self.text.len();
                self.text.push_str(text);
                self.cells[*at] = Some((origin, start..self.text.len()));
            }
            None => is_known = false,
        });
        builder.begin_with(record.as_bytes());
        match parsed {
            Err(reason) => builder.fault(line, reason),
            // Only a preview, which looks for names in the first rows, meets others later.
            Ok(()) if !is_known => builder.fault(line, "the record has names that no record before it has"),
            Ok(()) => {
                for cell in &self.cells {
                    match cell {
                        Some((origin, range)) => builder.cell(&self.text[range.clone()], *origin),
                        None => builder.cell("", Origin::Null),
                    }
                }
                builder.end(line);
            }
        }
    }
}
