//! One JSON document with a table in it: an array of records, somewhere in the document, or an
//! object of columns. Documents of any size are read record by record.

use std::ops::ControlFlow;
use std::path::PathBuf;

use base::{Error, Result};
use encoding_rs::Encoding;

use super::{Opened, Reader, Request, damaged, not_one};
use crate::import::chunk::MAX_RECORD_BYTES;
use crate::import::decode::{TextSource, encoding_of};
use crate::import::encoding;
use crate::import::input::Input;
use crate::import::json_rows::{JsonTable, Piece, Pieces, begins_with_names};
use crate::import::json_scan::{Scanner, Stop, Walk, walk};
use crate::import::json_shape::{Shape, first_line_is_all};
use crate::import::options::{Format, ParseOptions, Sniffed};

/// An object of columns has to be held as a whole.
const MAX_COLUMNS_BYTES: u64 = 256 << 20;

/// A JSON document.
pub(super) struct Json;

impl Reader for Json {
    fn format(&self) -> Format {
        Format::Json
    }

    fn detect(&self, head: &[u8]) -> bool {
        let text = encoding::plain_text(head);
        match text.trim_ascii_start() {
            [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}') | None),
            [b'[', rest @ ..] => {
                let first = rest.trim_ascii_start().first();
                matches!(first, Some(b'{' | b'[' | b']' | b'"') | None) || first_line_is_all(&text)
            }
            _ => false,
        }
    }

    fn needs_whole(&self) -> bool {
        false
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        let head = input.first_bytes()?;
        let (encoding, mut warnings) = encoding::guess(input, &head)?;
        let options = ParseOptions {
            format: Format::Json,
            encoding: encoding.name().to_owned(),
            ..ParseOptions::default()
        };
        let document = Document::open(input, &options)?;
        let mut options = ParseOptions { records: document.shape.path(), ..options };
        warnings.extend(document.shape.warning());
        options.header = begins_with_names(&document)?;
        Ok(Sniffed { options, confidence: 1.0, tables: Vec::new(), warnings })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        let document = Document::open(request.input, request.options)?;
        Ok(Opened::Rows(Box::new(JsonTable::open(request, document)?)))
    }
}

struct Document {
    shown: PathBuf,
    path: PathBuf,
    size_bytes: u64,
    is_whole: bool,
    encoding: &'static Encoding,
    shape: Shape,
}

impl Document {
    fn open(input: &Input, options: &ParseOptions) -> Result<Self> {
        let shown = &input.shown;
        let head = encoding::plain_text(&input.first_bytes()?);
        if !matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return Err(not_one(shown, Format::Json));
        }
        let encoding = encoding_of(&options.encoding)?;
        let source = TextSource::open(&input.path, encoding)?;
        let shape = Shape::find(shown, source, options.records.as_deref())?;
        Ok(Self {
            shown: shown.clone(),
            path: input.path.clone(),
            size_bytes: input.size_bytes,
            is_whole: input.is_whole,
            encoding,
            shape,
        })
    }

    /// The pieces of the array the scanner stands at.
    fn array(&self, scan: &mut Scanner, sink: &mut dyn FnMut(Piece<'_>, u64) -> ControlFlow<()>) -> Walk<()> {
        let mut raw = Vec::new();
        let mut has_more = walk!(scan.enter(b'[', b']'));
        while has_more {
            raw.clear();
            // The spaces before a record belong to no record.
            scan.next_mark()?;
            let line = scan.line;
            walk!(scan.value(Some(&mut raw)));
            let flow = match std::str::from_utf8(&raw) {
                _ if raw.len() > MAX_RECORD_BYTES => {
                    sink(Piece::Fault(line, &raw, "the row is longer than 32 MB"), scan.bytes_read())
                }
                Ok(text) => sink(Piece::Record(line, text), scan.bytes_read()),
                Err(_) => {
                    let reason = "the bytes are not valid in this encoding";
                    sink(Piece::Fault(line, &raw, reason), scan.bytes_read())
                }
            };
            if flow.is_break() {
                return Ok(Err(Stop::Enough));
            }
            has_more = walk!(scan.has_more(b']'));
        }
        Ok(Ok(()))
    }

    /// Makes records of an object of arrays.
    fn columns(
        &self,
        scan: &mut Scanner,
        sink: &mut dyn FnMut(Piece<'_>, u64) -> ControlFlow<()>,
    ) -> Walk<()> {
        if self.size_bytes > MAX_COLUMNS_BYTES {
            let message = format!("`{}` holds whole columns and is larger than 256 MB", self.shown.display());
            return Err(
                Error::invalid(message).hint("write it as one record per line, then import that file")
            );
        }
        let columns = walk!(columns(scan));
        let rows = columns.iter().map(|column| column.items.len()).max().unwrap_or(0);
        if let Some(short) = columns.iter().find(|column| column.items.len() < rows) {
            let (name, length) = (&short.name, short.items.len());
            let message = format!(
                "the columns of `{}` differ in length: {name} has {length} values, others have {rows}",
                self.shown.display()
            );
            return Err(Error::invalid(message).hint("write it with equally long columns"));
        }
        let mut record = String::new();
        for row in 0..rows {
            record.clear();
            for column in &columns {
                record.push(if record.is_empty() { '{' } else { ',' });
                record.push_str(&column.name);
                record.push(':');
                record.push_str(&column.items[row]);
            }
            record.push('}');
            if sink(Piece::Record(row as u64 + 1, &record), scan.bytes_read()).is_break() {
                return Ok(Err(Stop::Enough));
            }
        }
        Ok(Ok(()))
    }
}

/// A column of an object of arrays, in its raw JSON.
struct RawColumn {
    name: String,
    items: Vec<Box<str>>,
}

fn columns(scan: &mut Scanner) -> Walk<Vec<RawColumn>> {
    let mut columns = Vec::new();
    let mut has_more = walk!(scan.enter(b'{', b'}'));
    while has_more {
        let name = serde_json::Value::from(walk!(scan.key())).to_string();
        let mut items = Vec::new();
        let mut has_item = walk!(scan.enter(b'[', b']'));
        let mut raw = Vec::new();
        while has_item {
            raw.clear();
            walk!(scan.value(Some(&mut raw)));
            items.push(String::from_utf8_lossy(&raw).into());
            has_item = walk!(scan.has_more(b']'));
        }
        columns.push(RawColumn { name, items });
        has_more = walk!(scan.has_more(b'}'));
    }
    Ok(Ok(columns))
}

impl Pieces for Document {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn each(&self, sink: &mut dyn FnMut(Piece<'_>, u64) -> ControlFlow<()>) -> Result<()> {
        let source = TextSource::open(&self.path, self.encoding)?;
        let mut scan = Scanner::new(source, u64::MAX);
        let walked = match &self.shape {
            Shape::Records { path, .. } => match self.shape.go_to(path, &mut scan)? {
                Ok(()) => self.array(&mut scan, sink)?,
                Err(stop) => Err(stop),
            },
            Shape::Columns { path } => match self.shape.go_to(path, &mut scan)? {
                Ok(()) => self.columns(&mut scan, sink)?,
                Err(stop) => Err(stop),
            },
            Shape::Single => {
                let mut raw = Vec::new();
                let walked = scan.value(Some(&mut raw))?;
                if walked.is_ok() {
                    let _ = sink(Piece::Record(1, &String::from_utf8_lossy(&raw)), self.size_bytes);
                }
                walked
            }
        };
        let is_all = matches!(&self.shape, Shape::Single) || self.shape.path().is_none();
        let why = match walked {
            // Two documents in one file are not one document.
            Ok(()) if is_all && scan.next_mark()?.is_some() => {
                format!("text follows the document on line {}", scan.line)
            }
            Ok(()) | Err(Stop::Enough) => return Ok(()),
            // Only the beginning was unpacked: it ends anywhere.
            Err(Stop::End) if !self.is_whole => return Ok(()),
            Err(Stop::End) => "it ends in the middle of a value".to_owned(),
            Err(Stop::Broken(what)) => format!("{what} on line {}", scan.line),
        };
        Err(damaged(&self.shown, Format::Json, &why))
    }
}
