//! Places in a file of text at which reading can begin again, and when one of them is worth to be kept.

use serde::{Deserialize, Serialize};

use super::chunk::Chunk;
use super::records::line_end;
use crate::table::ROW_GROUP_ROWS;

/// The beginning of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Its first byte.
    pub(super) offset: u64,
    /// Its physical line, from 1.
    pub(super) line: u64,
}

/// Lines that hold no record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) blank_lines: u64,
    pub(super) comment_lines: u64,
}

impl Passed {
    /// Counts the lines of a text that holds no record.
    pub(super) fn count(&mut self, text: &[u8]) {
        let mut at = 0;
        while at < text.len() {
            if matches!(text[at], b'\n' | b'\r') {
                self.blank_lines += 1;
            } else {
                self.comment_lines += 1;
            }
            at = line_end(text, at, true).unwrap_or(text.len());
        }
    }
}

/// Finds the places to be kept: where a row group of the table ends, once so much was read since the
/// last one that with the next group it would be too much.
#[derive(Debug)]
pub(super) struct Marks {
    every_bytes: u64,
    last: u64,
    boundary: u64,
}

impl Marks {
    /// One place after at most `every_bytes` of the file, from `start` on.
    pub(super) fn every(every_bytes: u64, start: u64) -> Self {
        Self { every_bytes, last: start, boundary: start }
    }

    /// No place.
    pub(super) fn never() -> Self {
        Self::every(u64::MAX, 0)
    }

    /// The place after this record, with which so many rows are accepted, if it is to be kept.
    pub(super) fn after(&mut self, chunk: &Chunk, record: usize, rows: u64) -> Option<(Place, Passed)> {
        if self.every_bytes == u64::MAX || !rows.is_multiple_of(ROW_GROUP_ROWS as u64) {
            return None;
        }
        let (place, passed) = chunk.place_after(record)?;
        let group_bytes = place.offset.saturating_sub(self.boundary);
        self.boundary = place.offset;
        let is_due = place.offset.saturating_sub(self.last).saturating_add(group_bytes) > self.every_bytes;
        is_due.then(|| {
            self.last = place.offset;
            (place, passed)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};

    use crate::import::chunk::Dialect;
    use crate::import::decode::TextSource;
    use crate::import::records::RecordReader;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
        comment: Some(b'#'),
        trim: false,
        merge: false,
    };

    /// Everything that reading from a place gives.
    fn rest(mut reader: RecordReader) -> (Vec<(u64, String)>, u64, u64) {
        let (mut records, mut blank_lines, mut comment_lines) = (Vec::new(), 0, 0);
        while let Some(chunk) = reader.next_chunk().expect("the file is there") {
            records.extend(chunk.records().map(|record| (record.line(), record.excerpt())));
            blank_lines += chunk.blank_lines;
            comment_lines += chunk.comment_lines;
        }
        (records, blank_lines, comment_lines)
    }

    proptest! {
        #[test]
        fn reading_from_any_place_gives_what_comes_after_it(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["a,b", "\n", "\r\n", "\r", "\"", "\"x\ny\"", "#", ",", "\u{e9}", "\n\n"]),
                0..60,
            ),
        ) {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), format!("x{}", pieces.concat())).expect("writable");
            let source = |offset| TextSource::open_at(file.path(), offset).expect("opens");
            let (records, blank_lines, comment_lines) = rest(RecordReader::new(source(0), DIALECT, 0));
            let chunk = RecordReader::new(source(0), DIALECT, 0).next_chunk().expect("reads").expect("records");
            for at in 0..chunk.records().count() {
                let Some((place, passed)) = chunk.place_after(at) else { continue };
                let (after, blank_after, comments_after) =
                    rest(RecordReader::go_on(source(place.offset), DIALECT, place.line));
                assert_eq!(after, records[at + 1..], "after record {at}");
                let in_chunk = (chunk.blank_lines - passed.blank_lines, chunk.comment_lines - passed.comment_lines);
                assert_eq!(in_chunk, (blank_lines - blank_after, comment_lines - comments_after));
            }
        }
    }
}
