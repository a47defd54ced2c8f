//! Cuts text into records and cells. Unlike a plain CSV reader it knows which cells were quoted,
//! on which line each record starts, and which quotes are broken: a record with a broken quote is
//! one fault, and reading goes on at the line after its first, so one stray quote never swallows
//! the rest of the file.

use base::Result;

use super::chunk::{Cell, Chunk, Dialect, Entry, Fault, Lies, MAX_RECORD_BYTES, Origin};
use super::decode::TextSource;
use super::place::Place;

/// Reads a whole file as chunks of about 1 MB.
pub(super) struct RecordReader {
    source: TextSource,
    dialect: Dialect,
    rest: Vec<u8>,
    line: u64,
    skip_lines: u64,
    is_at_end: bool,
    // A record was too long: its remainder up to the line end is passed over.
    is_discarding: bool,
}

impl RecordReader {
    /// Reads `source` from the line after `skip_lines` physical lines.
    pub(super) fn new(source: TextSource, dialect: Dialect, skip_lines: u64) -> Self {
        Self {
            source,
            dialect,
            rest: Vec::new(),
            line: 1,
            skip_lines,
            is_at_end: false,
            is_discarding: false,
        }
    }

    /// Goes on reading at `line`, which is where `source` begins.
    pub(super) fn go_on(source: TextSource, dialect: Dialect, line: u64) -> Self {
        Self { line, ..Self::new(source, dialect, 0) }
    }

    /// The next records, or nothing at the end of the file.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        loop {
            if self.is_at_end && self.rest.is_empty() {
                return Ok(None);
            }
            if !self.is_at_end {
                self.is_at_end = !self.source.fill(&mut self.rest)?;
            }
            self.pass_over_lines();
            let bytes = std::mem::take(&mut self.rest);
            let start = self.source.offset().map(|offset| offset - bytes.len() as u64);
            let mut cutter = Cutter::new(bytes, self.dialect, self.line, self.is_at_end);
            cutter.cut_all();
            self.line = cutter.line;
            self.is_discarding |= cutter.is_discarding;
            let at = cutter.at;
            let mut chunk = cutter.chunk;
            self.rest.extend_from_slice(&chunk.bytes[at..]);
            chunk.done = self.source.bytes_read;
            chunk.lies = start.filter(|_| !self.is_discarding).map(|start| {
                let next = Place { offset: start + at as u64, line: self.line };
                Lies { start, next }
            });
            if !chunk.entries.is_empty() || chunk.blank_lines > 0 || chunk.comment_lines > 0 {
                return Ok(Some(chunk));
            }
        }
    }

    /// Drops what `skip_lines` and an over-long record leave to drop from the front.
    fn pass_over_lines(&mut self) {
        let mut at = 0;
        while self.is_discarding || self.skip_lines > 0 {
            let Some(end) = line_end(&self.rest, at, self.is_at_end) else {
                at = self.rest.len();
                // A CR at the very end may be half of a CR LF.
                if !self.is_at_end && self.rest.last() == Some(&b'\r') {
                    at -= 1;
                }
                break;
            };
            at = end;
            self.line += 1;
            if self.is_discarding {
                self.is_discarding = false;
            } else {
                self.skip_lines -= 1;
            }
        }
        self.rest.drain(..at);
        if self.is_at_end && self.rest.is_empty() {
            self.is_discarding = false;
            self.skip_lines = 0;
        }
    }
}

/// Cuts text that is in memory as a whole; what follows the last line end is a record too if
/// `is_at_end`.
pub(super) fn cut(bytes: Vec<u8>, dialect: Dialect, skip_lines: u64, is_at_end: bool) -> Chunk {
    let mut cutter = Cutter::new(bytes, dialect, 1, is_at_end);
    for _ in 0..skip_lines {
        match line_end(&cutter.chunk.bytes, cutter.at, is_at_end) {
            Some(end) => cutter.at = end,
            None => cutter.at = cutter.chunk.bytes.len(),
        }
        cutter.line += 1;
    }
    cutter.cut_all();
    cutter.chunk
}

/// The position after the line that `from` lies in, if the line ends in `bytes`.
pub(super) fn line_end(bytes: &[u8], from: usize, is_at_end: bool) -> Option<usize> {
    let at = from + bytes[from..].iter().position(|b| matches!(b, b'\n' | b'\r'))?;
    if bytes[at] == b'\n' {
        return Some(at + 1);
    }
    match bytes.get(at + 1) {
        Some(b'\n') => Some(at + 2),
        Some(_) => Some(at + 1),
        None => is_at_end.then_some(at + 1),
    }
}

/// How a try to cut one record ended.
enum Cut {
    /// It ends before this position.
    Done(usize),
    /// The text ends within the record, and there is more of it.
    NeedsMore,
    Broken(Fault),
}

/// Whether a line was one that holds no record.
enum Pass {
    Passed,
    NotOne,
    NeedsMore,
}

struct Cutter {
    chunk: Chunk,
    dialect: Dialect,
    at: usize,
    line: u64,
    is_at_end: bool,
    is_discarding: bool,
    // Bytes at which a run of plain text ends.
    stops: [bool; 256],
    // Everything before this position is text without NUL.
    text_to: usize,
}

impl Cutter {
    fn new(bytes: Vec<u8>, dialect: Dialect, line: u64, is_at_end: bool) -> Self {
        let mut stops = [false; 256];
        for byte in [dialect.delimiter, b'\n', b'\r'] {
            stops[usize::from(byte)] = true;
        }
        let text_to = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text_to = bytes[..text_to].iter().position(|byte| *byte == 0).unwrap_or(text_to);
        let chunk = Chunk { bytes, dialect: Some(dialect), ..Chunk::default() };
        Self { chunk, dialect, at: 0, line, is_at_end, is_discarding: false, stops, text_to }
    }

    fn cut_all(&mut self) {
        while self.at < self.chunk.bytes.len() {
            match self.pass_blank_or_comment() {
                Pass::Passed => continue,
                Pass::NeedsMore => return,
                Pass::NotOne => (),
            }
            let first_cell = self.chunk.cells.len();
            let mut line_ends = 0;
            match self.cut_one(&mut line_ends) {
                Cut::Done(end) => self.push(end, first_cell, line_ends),
                Cut::NeedsMore if self.chunk.bytes.len() - self.at <= MAX_RECORD_BYTES => {
                    self.chunk.cells.truncate(first_cell);
                    return;
                }
                Cut::NeedsMore if line_ends == 0 => self.fault(Fault::TooLong, first_cell),
                Cut::NeedsMore => self.fault(Fault::UnclosedQuote, first_cell),
                Cut::Broken(fault) => self.fault(fault, first_cell),
            }
        }
    }

    /// Steps over one line that is no record, if the next line is one.
    fn pass_blank_or_comment(&mut self) -> Pass {
        let first = self.chunk.bytes[self.at];
        let is_blank = matches!(first, b'\n' | b'\r');
        if !is_blank && self.dialect.comment != Some(first) {
            return Pass::NotOne;
        }
        let left = self.chunk.bytes.len() - self.at;
        let Some(end) = line_end(&self.chunk.bytes, self.at, self.is_at_end) else {
            if !self.is_at_end && left <= MAX_RECORD_BYTES {
                return Pass::NeedsMore;
            }
            // The last line, or a comment too long to keep: its remainder is passed over.
            self.is_discarding = !self.is_at_end;
            self.at = self.chunk.bytes.len();
            self.chunk.comment_lines += 1;
            return Pass::Passed;
        };
        self.at = end;
        self.line += 1;
        if is_blank {
            self.chunk.blank_lines += 1;
        } else {
            self.chunk.comment_lines += 1;
        }
        Pass::Passed
    }

    fn push(&mut self, end: usize, first_cell: usize, line_ends: u64) {
        let raw = &self.chunk.bytes[self.at..end];
        let fault = if end <= self.text_to {
            None
        } else if std::str::from_utf8(raw).is_err() {
            Some(Fault::Undecodable)
        } else {
            raw.contains(&0).then_some(Fault::Nul)
        };
        if fault.is_some() {
            self.chunk.cells.truncate(first_cell);
        }
        self.enter(end, first_cell, fault);
        self.line += line_ends.max(1);
    }

    /// Records a fault and goes on at the line after the first line of the broken record.
    fn fault(&mut self, fault: Fault, first_cell: usize) {
        self.chunk.cells.truncate(first_cell);
        let end = line_end(&self.chunk.bytes, self.at, self.is_at_end);
        self.is_discarding = end.is_none() && !self.is_at_end;
        self.enter(end.unwrap_or(self.chunk.bytes.len()), first_cell, Some(fault));
        if !self.is_discarding {
            self.line += 1;
        }
    }

    fn enter(&mut self, end: usize, first_cell: usize, fault: Option<Fault>) {
        let cells = self.chunk.cells.len() - first_cell;
        self.chunk.entries.push(Entry {
            line: self.line,
            start: self.at as u32,
            end: end as u32,
            first_cell: first_cell as u32,
            cells: cells as u32,
            fault,
        });
        self.at = end;
    }

    /// Cuts the record at `self.at` into cells and counts the line ends it spans.
    fn cut_one(&mut self, line_ends: &mut u64) -> Cut {
        let mut at = self.pass_run(self.at);
        loop {
            at = self.pass_space(at);
            let is_quoted = self.dialect.quote.is_some() && self.byte(at) == self.dialect.quote;
            let end = if is_quoted { self.quoted(at + 1, line_ends) } else { self.plain(at) };
            at = match end {
                Cut::Done(end) => end,
                other => return other,
            };
            if self.dialect.merge && self.byte(at) == Some(self.dialect.delimiter) {
                at = self.pass_run(at);
                // A run at the end of a line ends the line's last cell and begins none.
                if !matches!(self.byte(at), None | Some(b'\n' | b'\r')) {
                    continue;
                }
            }
            match self.byte(at) {
                None if self.is_at_end => return Cut::Done(at),
                None => return Cut::NeedsMore,
                Some(byte) if byte == self.dialect.delimiter => at += 1,
                Some(b'\r') if self.byte(at + 1) == Some(b'\n') => {
                    *line_ends += 1;
                    return Cut::Done(at + 2);
                }
                Some(b'\r') if self.byte(at + 1).is_none() && !self.is_at_end => return Cut::NeedsMore,
                Some(_) => {
                    *line_ends += 1;
                    return Cut::Done(at + 1);
                }
            }
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.chunk.bytes.get(at).copied()
    }

    fn is_space(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.dialect.delimiter
    }

    fn pass_run(&self, at: usize) -> usize {
        if !self.dialect.merge {
            return at;
        }
        let tail = &self.chunk.bytes[at.min(self.chunk.bytes.len())..];
        at + tail.iter().take_while(|byte| **byte == self.dialect.delimiter).count()
    }

    fn pass_space(&self, at: usize) -> usize {
        if !self.dialect.trim {
            return at;
        }
        at + self.chunk.bytes[at.min(self.chunk.bytes.len())..]
            .iter()
            .take_while(|b| self.is_space(**b))
            .count()
    }

    /// A cell without quotes; a quote inside it is a plain character.
    fn plain(&mut self, start: usize) -> Cut {
        let tail = &self.chunk.bytes[start.min(self.chunk.bytes.len())..];
        let found = tail.iter().position(|byte| self.stops[usize::from(*byte)]);
        let stop = start + found.unwrap_or(tail.len());
        let mut end = stop;
        while self.dialect.trim && end > start && self.is_space(self.chunk.bytes[end - 1]) {
            end -= 1;
        }
        self.cell(start, end, Origin::Bare, false);
        Cut::Done(stop)
    }

    /// A cell in quotes, from behind the opening one.
    fn quoted(&mut self, start: usize, line_ends: &mut u64) -> Cut {
        let quote = self.dialect.quote.expect("only called at a quote");
        let mut at = start;
        let mut is_escaped = false;
        loop {
            let Some(byte) = self.byte(at) else {
                return if self.is_at_end { Cut::Broken(Fault::UnclosedQuote) } else { Cut::NeedsMore };
            };
            if Some(byte) == self.dialect.escape && byte != quote {
                is_escaped = true;
                at += 1;
                *line_ends += u64::from(self.byte(at) == Some(b'\n'));
            } else if byte == quote {
                if self.byte(at + 1) != Some(quote) {
                    break;
                }
                is_escaped = true;
                at += 1;
            } else if byte == b'\n' || (byte == b'\r' && self.byte(at + 1) != Some(b'\n')) {
                *line_ends += 1;
            }
            at += 1;
        }
        self.cell(start, at, Origin::Quoted, is_escaped);
        self.after_quote(at + 1)
    }

    /// Spaces may stand between a closing quote and the delimiter.
    fn after_quote(&self, at: usize) -> Cut {
        let tail = &self.chunk.bytes[at.min(self.chunk.bytes.len())..];
        let at = at + tail.iter().take_while(|b| self.is_space(**b)).count();
        match self.byte(at) {
            None if !self.is_at_end => Cut::NeedsMore,
            Some(byte) if !self.stops[usize::from(byte)] => Cut::Broken(Fault::TextAfterQuote),
            _ => Cut::Done(at),
        }
    }

    fn cell(&mut self, start: usize, end: usize, origin: Origin, is_escaped: bool) {
        self.chunk.cells.push(Cell { start: start as u32, end: end as u32, origin, is_escaped });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
        comment: None,
        trim: false,
        merge: false,
    };

    fn rows(text: &str, dialect: Dialect) -> Vec<(u64, Result<Vec<String>, Fault>)> {
        let chunk = cut(text.as_bytes().to_vec(), dialect, 0, true);
        chunk.records().map(|r| (r.line(), r.fault().cloned().map_or_else(|| Ok(r.texts()), Err))).collect()
    }

    fn ok(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, Fault>) {
        (line, Ok(cells.iter().map(|c| (*c).to_owned()).collect()))
    }

    #[test]
    fn quotes_hide_delimiters_line_ends_and_doubled_quotes() {
        let text = "a,\"b,1\r\n2\",\"c \"\"d\"\"\"\n\n,x\"y,\r\"\"";
        assert_eq!(
            rows(text, PLAIN),
            [ok(1, &["a", "b,1\r\n2", "c \"d\""]), ok(4, &["", "x\"y", ""]), ok(5, &[""])]
        );
    }

    #[test]
    fn all_line_ends_count_as_lines() {
        assert_eq!(rows("a\rb\r\nc\nd", PLAIN), [ok(1, &["a"]), ok(2, &["b"]), ok(3, &["c"]), ok(4, &["d"])]);
    }

    #[test]
    fn a_broken_quote_costs_one_line() {
        let text = "1,\"x\n2,\"y\"\n3,\"z\n4,w\n";
        assert_eq!(
            rows(text, PLAIN),
            [
                (1, Err(Fault::TextAfterQuote)),
                ok(2, &["2", "y"]),
                (3, Err(Fault::UnclosedQuote)),
                ok(4, &["4", "w"])
            ]
        );
    }

    #[test]
    fn escapes_comments_and_trimming_are_understood() {
        let dialect = Dialect { escape: Some(b'\\'), comment: Some(b'#'), trim: true, ..PLAIN };
        let text = "#a \"b\"c\n 1 , \"a \\\"q\\\" \" \n";
        assert_eq!(rows(text, dialect), [ok(2, &["1", "a \"q\" "])]);
        let chunk = cut(text.as_bytes().to_vec(), dialect, 0, true);
        assert_eq!(chunk.comment_lines, 1);
        let record = chunk.records().next().expect("one record");
        assert_eq!((record.cell(0).1, record.cell(1).1), (Origin::Bare, Origin::Quoted));
    }

    #[test]
    fn bytes_that_are_no_text_are_a_fault_with_an_excerpt() {
        let chunk = cut(b"a,\xE9b\nc\0,d\n".to_vec(), PLAIN, 0, true);
        let faults: Vec<_> = chunk.records().map(|r| (r.fault().cloned(), r.excerpt())).collect();
        assert_eq!(
            faults,
            [(Some(Fault::Undecodable), "a,\\xE9b".to_owned()), (Some(Fault::Nul), "c\\x00,d".to_owned())]
        );
    }
}
