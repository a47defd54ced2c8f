//! JSON lines: one value per line (jsonlines.org). A broken line costs one row.

use std::ops::ControlFlow;
use std::path::PathBuf;

use base::Result;
use encoding_rs::Encoding;

use super::{Opened, Reader, Request, not_one};
use crate::import::chunk::Dialect;
use crate::import::decode::{TextSource, encoding_of};
use crate::import::encoding;
use crate::import::input::Input;
use crate::import::json_rows::{JsonTable, Piece, Pieces, begins_with_names};
use crate::import::json_shape::first_line_is_all;
use crate::import::options::{Format, ParseOptions, Sniffed};
use crate::import::records::RecordReader;

/// Lines as records of one cell: JSON holds no such byte.
const LINES: Dialect =
    Dialect { delimiter: 0x1F, quote: None, escape: None, comment: None, trim: false, merge: false };

/// One JSON value per line.
pub(super) struct JsonLines;

impl Reader for JsonLines {
    fn format(&self) -> Format {
        Format::JsonLines
    }

    fn detect(&self, head: &[u8]) -> bool {
        let text = encoding::plain_text(head);
        let text = text.trim_ascii_start();
        let is_json = matches!(text.first(), Some(b'{' | b'['));
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let first = lines.next();
        let second = lines.next().and_then(|line| line.trim_ascii_start().first());
        is_json && second.is_some() && first_line_is_all(first.unwrap_or_default())
    }

    fn needs_whole(&self) -> bool {
        false
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        let (encoding, warnings) = encoding::guess(input, &input.first_bytes()?)?;
        let options = ParseOptions {
            format: Format::JsonLines,
            encoding: encoding.name().to_owned(),
            ..ParseOptions::default()
        };
        let header = begins_with_names(&Lines::open(input, &options)?)?;
        let options = ParseOptions { header, ..options };
        Ok(Sniffed { options, confidence: 1.0, tables: Vec::new(), warnings })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        let lines = Lines::open(request.input, request.options)?;
        Ok(Opened::Rows(Box::new(JsonTable::open(request, lines)?)))
    }
}

struct Lines {
    path: PathBuf,
    size_bytes: u64,
    encoding: &'static Encoding,
}

impl Lines {
    fn open(input: &Input, options: &ParseOptions) -> Result<Self> {
        let head = encoding::plain_text(&input.first_bytes()?);
        if !matches!(
            head.trim_ascii_start().first(),
            Some(b'{' | b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n')
        ) {
            return Err(not_one(&input.shown, Format::JsonLines));
        }
        let encoding = encoding_of(&options.encoding)?;
        Ok(Self { path: input.path.clone(), size_bytes: input.size_bytes, encoding })
    }
}

impl Pieces for Lines {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn each(&self, sink: &mut dyn FnMut(Piece<'_>, u64) -> ControlFlow<()>) -> Result<()> {
        let source = TextSource::open(&self.path, self.encoding)?;
        let mut reader = RecordReader::new(source, LINES, 0);
        while let Some(chunk) = reader.next_chunk()? {
            if chunk.blank_lines > 0 && sink(Piece::Blank(chunk.blank_lines), chunk.done).is_break() {
                return Ok(());
            }
            for record in chunk.records() {
                let flow = match record.fault() {
                    Some(fault) => {
                        let excerpt = record.excerpt();
                        sink(Piece::Fault(record.line(), excerpt.as_bytes(), fault.reason()), chunk.done)
                    }
                    None if record.len() == 1 => {
                        sink(Piece::Record(record.line(), &record.cell(0).0), chunk.done)
                    }
                    None => {
                        let reason = "it is not valid JSON: a control character stands in a text";
                        sink(Piece::Fault(record.line(), record.excerpt().as_bytes(), reason), chunk.done)
                    }
                };
                if flow.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
