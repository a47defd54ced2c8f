//! A run of records: bytes, the cells that lie in them, and what is wrong with those records that
//! could not be read. Every format that does not give whole columns hands over its rows like this.

use std::borrow::Cow;

use super::place::{self, Place};

/// A record longer than this is a fault, not a record.
pub(super) const MAX_RECORD_BYTES: usize = 32 << 20;
/// A chunk that is built row by row is handed over when it is this long.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of a record that a report shows.
const EXCERPT_BYTES: usize = 200;

/// The bytes with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) trim: bool,
    /// A run of delimiters stands for one, and those around a line for none.
    pub(super) merge: bool,
}

/// Why a record could not be cut into cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote opens and never closes.
    UnclosedQuote,
    /// Something other than a delimiter follows a closing quote.
    TextAfterQuote,
    /// The record is longer than [`MAX_RECORD_BYTES`].
    TooLong,
    /// The bytes are not valid in the encoding.
    Undecodable,
    /// The record holds a NUL byte.
    Nul,
    /// What the parser of another format says.
    Other(Box<str>),
}

impl Fault {
    /// The sentence for the report.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::UnclosedQuote => "a quote opens and never closes",
            Self::TextAfterQuote => "text follows a closing quote",
            Self::TooLong => "the row is longer than 32 MB",
            Self::Undecodable => "the bytes are not valid in this encoding",
            Self::Nul => "the row holds a NUL byte",
            Self::Other(reason) => reason,
        }
    }
}

/// What the format says of a cell beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Text that says nothing of its kind.
    Bare,
    /// Text in quotes.
    Quoted,
    /// A value of the format's own kind: a number with a point, `true`, an ISO date.
    Value,
    /// A text by the format's own word; only an ISO date in it may be more.
    Text,
    /// The format's own word for missing.
    Null,
}

/// Where a cell lies in the bytes of its chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) origin: Origin,
    // Holds a doubled or escaped quote, so its text is not its bytes.
    pub(super) is_escaped: bool,
}

/// One record: where its bytes and its cells are, or what is wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) first_cell: u32,
    pub(super) cells: u32,
    pub(super) fault: Option<Fault>,
}

/// A run of records and the bytes they lie in.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) cells: Vec<Cell>,
    pub(super) entries: Vec<Entry>,
    /// How the text was cut; only then a cell can be escaped.
    pub(super) dialect: Option<Dialect>,
    /// Blank lines between the records.
    pub(super) blank_lines: u64,
    /// Comment lines between the records.
    pub(super) comment_lines: u64,
    /// How far the file was read when the chunk was made, in the unit of its table.
    pub(super) done: u64,
    /// Where it lies in the file, if reading can begin again within it.
    pub(super) lies: Option<Lies>,
}

/// Where a chunk lies in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lies {
    /// The byte of the file that its bytes begin at.
    pub(super) start: u64,
    /// Where the next chunk begins.
    pub(super) next: Place,
}

/// One record of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    chunk: &'a Chunk,
    entry: &'a Entry,
    // The bytes of the chunk, if all of them are text: then no cell has to be looked at again.
    text: Option<&'a str>,
}

impl Chunk {
    /// The records in file order.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let end = self.entries.last().map_or(0, |entry| entry.end as usize);
        let text = std::str::from_utf8(&self.bytes[..end]).ok();
        self.entries.iter().map(move |entry| Record { chunk: self, entry, text })
    }

    /// Where reading can go on after the record of this number, and the blank and comment lines of the
    /// chunk that come after that.
    pub(super) fn place_after(&self, record: usize) -> Option<(Place, place::Passed)> {
        let lies = self.lies?;
        let place = match self.entries.get(record + 1) {
            Some(next) => Place { offset: lies.start + u64::from(next.start), line: next.line },
            None => return Some((lies.next, place::Passed::default())),
        };
        // Whatever lies between two records is a line that was passed over.
        let begins = self.entries[record + 1..].iter().map(|entry| entry.end as usize);
        let last = (lies.next.offset - lies.start) as usize;
        let ends = self.entries[record + 2..].iter().map(|entry| entry.start as usize).chain([last]);
        let mut passed = place::Passed::default();
        for (from, to) in begins.zip(ends) {
            passed.count(&self.bytes[from..to]);
        }
        Some((place, passed))
    }

    /// Takes up to `count` records away from the front and says how many.
    pub(super) fn drop_front(&mut self, count: usize) -> usize {
        let dropped = count.min(self.entries.len());
        self.entries.drain(..dropped);
        dropped
    }
}

impl<'a> Record<'a> {
    /// The physical line it starts on, from 1.
    pub(super) fn line(self) -> u64 {
        self.entry.line
    }

    /// How many cells it has; 0 for a fault.
    pub(super) fn len(self) -> usize {
        self.entry.cells as usize
    }

    /// What is wrong with it, if something is.
    pub(super) fn fault(self) -> Option<&'a Fault> {
        self.entry.fault.as_ref()
    }

    /// The text of a cell and where it comes from.
    pub(super) fn cell(self, at: usize) -> (Cow<'a, str>, Origin) {
        let cell = self.chunk.cells[self.entry.first_cell as usize + at];
        let place = cell.start as usize..cell.end as usize;
        // Records are checked as a whole when they are cut and cells end at ASCII bytes, so nothing
        // is ever replaced.
        let text = match self.text.and_then(|text| text.get(place.clone())) {
            Some(text) => Cow::Borrowed(text),
            None => String::from_utf8_lossy(&self.chunk.bytes[place]),
        };
        if !cell.is_escaped {
            return (text, cell.origin);
        }
        let dialect = self.chunk.dialect.expect("a chunk with cells has the dialect that cut them");
        (Cow::Owned(unescape(&text, dialect)), cell.origin)
    }

    /// The cells' texts, for headers and previews.
    pub(super) fn texts(self) -> Vec<String> {
        (0..self.len()).map(|at| self.cell(at).0.into_owned()).collect()
    }

    /// Its first 200 bytes as they stand in the file.
    pub(super) fn excerpt(self) -> String {
        let raw = &self.chunk.bytes[self.entry.start as usize..self.entry.end as usize];
        let mut out = String::new();
        for piece in raw[..raw.len().min(EXCERPT_BYTES)].utf8_chunks() {
            out.push_str(piece.valid());
            for byte in piece.invalid() {
                out.push_str(&format!("\\x{byte:02X}"));
            }
        }
        out.trim_end_matches(['\r', '\n']).replace('\0', "\\x00")
    }
}

fn unescape(text: &str, dialect: Dialect) -> String {
    let quote = dialect.quote.map(char::from);
    let escape = dialect.escape.map(char::from);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let is_escape = Some(c) == escape && next.is_some();
        let is_doubled = Some(c) == quote && next == quote;
        if is_escape || is_doubled {
            out.extend(chars.next());
        } else {
            out.push(c);
        }
    }
    out
}

/// Makes chunks out of rows that are not cut from text.
#[derive(Debug, Default)]
pub(super) struct ChunkBuilder {
    chunk: Chunk,
    start: usize,
    first_cell: usize,
    // The length of what a report shows of the row, if it is not the cells.
    excerpt: Option<usize>,
}

impl ChunkBuilder {
    /// Begins a row with what a report shows of it. Without one it shows the cells.
    pub(super) fn begin_with(&mut self, excerpt: &[u8]) {
        let shown = &excerpt[..excerpt.len().min(EXCERPT_BYTES)];
        self.chunk.bytes.extend_from_slice(shown);
        self.excerpt = Some(shown.len());
    }

    /// Adds a cell to the row.
    pub(super) fn cell(&mut self, text: &str, origin: Origin) {
        if self.excerpt.is_none() && self.chunk.cells.len() > self.first_cell {
            self.chunk.bytes.push(b'\t');
        }
        let start = self.chunk.bytes.len() as u32;
        // A row that is too long is a fault at its end; until then its cells need no room.
        if self.chunk.bytes.len() - self.start <= MAX_RECORD_BYTES {
            self.chunk.bytes.extend_from_slice(&text.as_bytes()[..text.len().min(MAX_RECORD_BYTES + 1)]);
        }
        let end = self.chunk.bytes.len() as u32;
        self.chunk.cells.push(Cell { start, end, origin, is_escaped: false });
    }

    /// Ends the row, which stands on this line.
    pub(super) fn end(&mut self, line: u64) {
        let is_too_long = self.chunk.bytes.len() - self.start > MAX_RECORD_BYTES;
        self.enter(line, is_too_long.then_some(Fault::TooLong));
    }

    /// Ends the row as one that could not be read.
    pub(super) fn fault(&mut self, line: u64, reason: impl Into<Box<str>>) {
        self.enter(line, Some(Fault::Other(reason.into())));
    }

    /// Counts a row that holds nothing.
    pub(super) fn blank(&mut self) {
        self.chunk.blank_lines += 1;
    }

    /// The rows so far, once they fill a chunk.
    pub(super) fn full(&mut self, done: u64) -> Option<Chunk> {
        (self.chunk.bytes.len() >= CHUNK_BYTES || self.chunk.cells.len() >= CHUNK_BYTES / 8)
            .then(|| self.take(done))
    }

    /// The rows since the last chunk.
    pub(super) fn take(&mut self, done: u64) -> Chunk {
        self.start = 0;
        self.first_cell = 0;
        let chunk = std::mem::take(&mut self.chunk);
        Chunk { done, ..chunk }
    }

    fn enter(&mut self, line: u64, fault: Option<Fault>) {
        if fault.is_some() {
            self.chunk.cells.truncate(self.first_cell);
            self.chunk.bytes.truncate(self.start + EXCERPT_BYTES);
        }
        let shown = self.excerpt.take().map(|length| self.start + length);
        let end = shown.unwrap_or(self.chunk.bytes.len()).min(self.chunk.bytes.len());
        self.chunk.entries.push(Entry {
            line,
            start: self.start as u32,
            end: end as u32,
            first_cell: self.first_cell as u32,
            cells: (self.chunk.cells.len() - self.first_cell) as u32,
            fault,
        });
        self.start = self.chunk.bytes.len();
        self.first_cell = self.chunk.cells.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_handed_over_with_their_cells_and_faults() {
        let mut builder = ChunkBuilder::default();
        builder.cell("1", Origin::Value);
        builder.cell("", Origin::Null);
        builder.end(1);
        builder.begin_with(b"{\"a\": tru}");
        builder.fault(2, "it is not JSON");
        builder.begin_with(b"[3]");
        builder.cell("3", Origin::Value);
        builder.end(3);
        builder.cell(&"z".repeat(MAX_RECORD_BYTES + 5), Origin::Text);
        builder.end(4);
        let chunk = builder.take(7);
        let rows: Vec<_> = chunk.records().map(|r| (r.line(), r.len(), r.excerpt())).collect();
        assert_eq!(rows[..3], [(1, 2, "1\t".into()), (2, 0, "{\"a\": tru}".into()), (3, 1, "[3]".into())]);
        let faults: Vec<_> = chunk.records().filter_map(Record::fault).map(Fault::reason).collect();
        assert_eq!(faults, ["it is not JSON", "the row is longer than 32 MB"]);
        assert_eq!((rows[3].1, rows[3].2.len(), chunk.done), (0, 200, 7));
    }
}
