//! Arrow IPC files, which Feather version 2 is another name of, and streams
//! (arrow.apache.org/docs/format/Columnar.html).

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use ::arrow::datatypes::SchemaRef;
use ::arrow::error::ArrowError;
use arrow_ipc::reader::{FileReader, StreamReader};
use base::{Error, Result};

use super::{Batches, Columns, Opened, Reader, Request, damaged, guarded, not_one};
use crate::import::input::Input;
use crate::import::options::{Format, ParseOptions, Sniffed};

const FILE_MARK: &[u8] = b"ARROW1";
/// A stream begins with this and the length of its schema.
const STREAM_MARK: [u8; 4] = [0xFF; 4];
/// A longer schema is no schema.
const MAX_SCHEMA_BYTES: u32 = 64 << 20;

/// Arrow IPC.
pub(super) struct Arrow;

impl Reader for Arrow {
    fn format(&self) -> Format {
        Format::Arrow
    }

    fn detect(&self, head: &[u8]) -> bool {
        Shape::of(head).is_some()
    }

    fn needs_whole(&self) -> bool {
        true
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        ArrowTable::open(input)?;
        let options = ParseOptions { format: Format::Arrow, ..ParseOptions::default() };
        Ok(Sniffed { options, confidence: 1.0, tables: Vec::new(), warnings: Vec::new() })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        Ok(Opened::Columns(Box::new(ArrowTable::open(request.input)?)))
    }
}

/// The two shapes of Arrow IPC.
#[derive(Debug, Clone, Copy)]
enum Shape {
    File,
    Stream,
}

impl Shape {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(FILE_MARK) {
            return Some(Self::File);
        }
        let length = head.strip_prefix(&STREAM_MARK)?.first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        (length % 8 == 0 && (8..MAX_SCHEMA_BYTES).contains(&length)).then_some(Self::Stream)
    }
}

struct ArrowTable {
    shown: PathBuf,
    path: PathBuf,
    shape: Shape,
    schema: SchemaRef,
}

impl ArrowTable {
    fn open(input: &Input) -> Result<Self> {
        let shown = input.shown.clone();
        let shape = Shape::of(&input.first_bytes()?).ok_or_else(|| not_one(&shown, Format::Arrow))?;
        let mut table = Self {
            shown,
            path: input.path.clone(),
            shape,
            schema: SchemaRef::new(::arrow::datatypes::Schema::empty()),
        };
        table.schema = guarded(&table.shown, Format::Arrow, || match shape {
            Shape::File => Ok(table.file()?.schema()),
            Shape::Stream => Ok(table.stream()?.schema()),
        })?;
        Ok(table)
    }

    fn file(&self) -> Result<FileReader<BufReader<File>>> {
        FileReader::try_new(self.bytes()?, None).map_err(|e| self.damaged(&e))
    }

    fn stream(&self) -> Result<StreamReader<BufReader<File>>> {
        StreamReader::try_new(self.bytes()?, None).map_err(|e| self.damaged(&e))
    }

    fn bytes(&self) -> Result<BufReader<File>> {
        File::open(&self.path).map(BufReader::new).map_err(|e| Error::io("read", &self.shown, &e))
    }

    fn damaged(&self, why: &ArrowError) -> Error {
        damaged(&self.shown, Format::Arrow, why)
    }
}

impl Columns for ArrowTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn batches(&self) -> Result<Batches<'_>> {
        let broken = |e: ArrowError| self.damaged(&e);
        Ok(match self.shape {
            Shape::File => Box::new(self.file()?.map(move |batch| batch.map_err(broken))),
            Shape::Stream => Box::new(self.stream()?.map(move |batch| batch.map_err(broken))),
        })
    }
}
