//! Apache Parquet files (parquet.apache.org/docs/file-format).

use std::fs::File;
use std::path::PathBuf;

use ::arrow::datatypes::SchemaRef;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use base::{Error, Result};

use super::{Batches, Columns, Opened, Reader, Request, damaged, guarded, not_one};
use crate::import::input::Input;
use crate::import::options::{Format, ParseOptions, Sniffed};

/// The first bytes of a file, and those of one whose footer is encrypted.
const MARKS: [&[u8]; 2] = [b"PAR1", b"PARE"];
/// Cells of a batch: a wide table has shorter ones, so that memory stays the same.
const BATCH_CELLS: usize = 1 << 20;

/// Parquet.
pub(super) struct Parquet;

impl Reader for Parquet {
    fn format(&self) -> Format {
        Format::Parquet
    }

    fn detect(&self, head: &[u8]) -> bool {
        MARKS.iter().any(|mark| head.starts_with(mark))
    }

    fn needs_whole(&self) -> bool {
        true
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        ParquetTable::open(input)?;
        let options = ParseOptions { format: Format::Parquet, ..ParseOptions::default() };
        Ok(Sniffed { options, confidence: 1.0, tables: Vec::new(), warnings: Vec::new() })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        Ok(Opened::Columns(Box::new(ParquetTable::open(request.input)?)))
    }
}

struct ParquetTable {
    shown: PathBuf,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
}

impl ParquetTable {
    fn open(input: &Input) -> Result<Self> {
        let shown = &input.shown;
        let head = input.first_bytes()?;
        if head.starts_with(MARKS[1]) {
            return Err(Error::invalid(format!("`{}` is an encrypted Parquet file", shown.display()))
                .hint("write it without encryption, then import that file"));
        }
        if !head.starts_with(MARKS[0]) {
            return Err(not_one(shown, Format::Parquet));
        }
        let file = input.open()?;
        let metadata = guarded(shown, Format::Parquet, || {
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
                .map_err(|e| damaged(shown, Format::Parquet, &e))
        })?;
        Ok(Self { shown: shown.clone(), path: input.path.clone(), metadata })
    }
}

impl Columns for ParquetTable {
    fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    fn total(&self) -> Option<u64> {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).ok()
    }

    fn batches(&self) -> Result<Batches<'_>> {
        let file = File::open(&self.path).map_err(|e| Error::io("read", &self.shown, &e))?;
        let rows = (BATCH_CELLS / self.schema().fields().len().max(1)).clamp(64, 8192);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_batch_size(rows)
            .build()
            .map_err(|e| damaged(&self.shown, Format::Parquet, &e))?;
        Ok(Box::new(reader.map(|batch| batch.map_err(|e| damaged(&self.shown, Format::Parquet, &e)))))
    }
}
