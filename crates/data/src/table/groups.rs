//! The row groups of a table's Parquet file, one after the other. Between two groups the writing can be
//! marked, and go on from the mark in another process: the bytes are those of a file that was written
//! in one go.
//!
//! What a mark needs to know of the groups before it is kept as Parquet keeps it, in a footer of those
//! groups alone, beside the file. So a mark costs what is new, however long the file is.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use base::{Code, Error, Result};
use parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder,
    ParquetMetaDataOptions, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use serde::{Deserialize, Serialize};

use super::{ROW_GROUP_ROWS, write_error};

/// How far a file was written, durably.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The hash of those bytes.
    blake3: String,
    /// The hashes of the footers beside the file, one for each mark so far.
    footers: Vec<String>,
}

impl Written {
    /// Opens the file, at its beginning, if it begins with what was written.
    ///
    /// # Errors
    /// `corrupt` if it does not; the operating system's errors.
    pub(super) fn verify(&self, path: &Path) -> Result<(File, blake3::Hasher)> {
        let failed = |e: std::io::Error| Error::io("go on with", path, &e);
        let file = File::options().read(true).write(true).open(path).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader((&file).take(self.bytes)).map_err(failed)?;
        if hasher.count() != self.bytes || hasher.finalize().to_hex().as_str() != self.blake3 {
            return Err(not_what_it_was(path));
        }
        Ok((file, hasher))
    }
}

/// Writes row groups.
pub(super) struct Groups {
    file: SerializedFileWriter<Tail>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    // The group under way: nothing in it yet if there are no columns.
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
    // Where pages lie in the groups since the last mark, if there are to be marks.
    pages: Option<Vec<GroupPages>>,
    footers: Vec<String>,
}

/// Where the pages of each column of a group lie and what is in them.
type GroupPages = Vec<(Option<ColumnIndexMetaData>, Option<OffsetIndexMetaData>)>;

impl Groups {
    /// Begins a file.
    pub(super) fn create(
        file: File,
        schema: &SchemaRef,
        properties: WriterProperties,
    ) -> ParquetResult<Self> {
        Self::new(Tail { file, known_bytes: 0, hasher: None }, schema, properties)
    }

    /// Begins a file whose writing will be marked.
    pub(super) fn create_marked(
        file: File,
        schema: &SchemaRef,
        properties: WriterProperties,
    ) -> ParquetResult<Self> {
        let tail = Tail { file, known_bytes: 0, hasher: Some(blake3::Hasher::new()) };
        Ok(Self { pages: Some(Vec::new()), ..Self::new(tail, schema, properties)? })
    }

    /// Goes on where a file was marked; what comes after the mark is cut off.
    ///
    /// # Errors
    /// `corrupt` if file or footers are not what they were.
    pub(super) fn go_on(
        path: &Path,
        schema: &SchemaRef,
        properties: WriterProperties,
        written: &Written,
    ) -> Result<Self> {
        let failed = |e: std::io::Error| Error::io("go on with", path, &e);
        let damaged = |e: ParquetError| not_what_it_was(path).because(e);
        let (mut file, hasher) = written.verify(path)?;
        file.set_len(written.bytes).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let tail = Tail { file, known_bytes: written.bytes, hasher: Some(hasher) };
        let mut groups = Self::new(tail, schema, properties).map_err(damaged)?;
        for (at, hash) in written.footers.iter().enumerate() {
            let bytes = std::fs::read(footer_path(path, at)).map_err(failed)?;
            if blake3::hash(&bytes).to_hex().as_str() != hash {
                return Err(not_what_it_was(path));
            }
            groups.enter(bytes).map_err(damaged)?;
        }
        groups.file.flush().map_err(failed)?;
        if groups.file.bytes_written() as u64 != written.bytes || groups.rows_written() != written.rows {
            return Err(not_what_it_was(path));
        }
        Ok(Self { pages: Some(Vec::new()), footers: written.footers.clone(), ..groups })
    }

    fn new(tail: Tail, schema: &SchemaRef, mut properties: WriterProperties) -> ParquetResult<Self> {
        let parquet =
            ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(schema)?;
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let file = SerializedFileWriter::new(tail, parquet.root_schema_ptr(), Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
        let (schema, columns) = (schema.clone(), Vec::new());
        Ok(Self { file, factory, schema, columns, rows: 0, pages: None, footers: Vec::new() })
    }

    /// Enters the groups of a footer as if they had just been written.
    fn enter(&mut self, footer: Vec<u8>) -> ParquetResult<()> {
        let footer = read_footer(footer)?;
        let lacks = || ParquetError::General("a footer lacks where its pages are".to_owned());
        let column_indexes = footer.column_index().ok_or_else(lacks)?;
        let offset_indexes = footer.offset_index().ok_or_else(lacks)?;
        for (at, group) in footer.row_groups().iter().enumerate() {
            let mut writer = self.file.next_row_group()?;
            for (column, metadata) in group.columns().iter().enumerate() {
                let found = &column_indexes[at][column];
                let close = ColumnCloseResult {
                    bytes_written: metadata.compressed_size().cast_unsigned(),
                    rows_written: group.num_rows().cast_unsigned(),
                    metadata: as_written(metadata)?,
                    bloom_filter: None,
                    column_index: Some(found.clone()).filter(|found| *found != ColumnIndexMetaData::NONE),
                    offset_index: Some(offset_indexes[at][column].clone()),
                };
                writer.append_column(&Known, close)?;
            }
            writer.close()?;
        }
        Ok(())
    }

    /// Adds rows. Where a group is full, the next one begins.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> ParquetResult<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let taken = (ROW_GROUP_ROWS - self.rows).min(batch.num_rows() - from);
            self.encode(&batch.slice(from, taken))?;
            from += taken;
            self.rows += taken;
            if self.rows == ROW_GROUP_ROWS {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn encode(&mut self, batch: &RecordBatch) -> ParquetResult<()> {
        if self.columns.is_empty() {
            self.columns = self.factory.create_column_writers(self.file.flushed_row_groups().len())?;
        }
        let mut columns = self.columns.iter_mut();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                write_leaf(columns.next(), &leaf)?;
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> ParquetResult<()> {
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        let mut pages = Vec::new();
        for column in std::mem::take(&mut self.columns) {
            let chunk = column.close()?;
            if self.pages.is_some() {
                pages.push((chunk.close().column_index.clone(), chunk.close().offset_index.clone()));
            }
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        if let Some(groups) = &mut self.pages {
            groups.push(pages);
        }
        Ok(())
    }

    /// True between two groups.
    pub(super) fn is_between(&self) -> bool {
        self.rows == 0
    }

    fn rows_written(&self) -> u64 {
        self.file.flushed_row_groups().iter().map(|group| group.num_rows().cast_unsigned()).sum()
    }

    /// Makes all groups so far durable; only between two of them.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(super) fn mark(&mut self, path: &Path) -> Result<Written> {
        assert!(self.is_between(), "only whole groups can be marked");
        let failed = |e: std::io::Error| Error::io("write", path, &e);
        self.file.flush().map_err(failed)?;
        let tail = self.file.inner();
        tail.file.sync_data().map_err(failed)?;
        let hasher = tail.hasher.as_ref().expect("whoever marks has asked for marks");
        let blake3 = hasher.finalize().to_hex().to_string();
        if let Some(footer) = self.footer().map_err(|e| write_error(path, &e))? {
            let place = footer_path(path, self.footers.len());
            let written = File::create(&place).and_then(|mut file| {
                file.write_all(&footer)?;
                file.sync_data()
            });
            written.map_err(|e| Error::io("write", &place, &e))?;
            self.footers.push(blake3::hash(&footer).to_hex().to_string());
        }
        let (rows, bytes) = (self.rows_written(), self.file.bytes_written() as u64);
        Ok(Written { rows, bytes, blake3, footers: self.footers.clone() })
    }

    /// What the footer would say of the groups since the last mark, if there are any.
    fn footer(&mut self) -> ParquetResult<Option<Vec<u8>>> {
        let pages = self.pages.replace(Vec::new()).unwrap_or_default();
        let all = self.file.flushed_row_groups();
        let groups = &all[all.len() - pages.len()..];
        let Some(first) = groups.first() else { return Ok(None) };
        let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
        let file = FileMetaData::new(1, rows, None, None, first.schema_descr_ptr(), None);
        let (mut column_indexes, mut offset_indexes) = (Vec::new(), Vec::new());
        for (group, pages) in groups.iter().zip(pages) {
            let (columns, offsets): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
            column_indexes
                .push(columns.into_iter().map(|of| of.unwrap_or(ColumnIndexMetaData::NONE)).collect());
            offset_indexes.push(placed(group, offsets)?);
        }
        let metadata = ParquetMetaDataBuilder::new(file)
            .set_row_groups(groups.to_vec())
            .set_column_index(Some(column_indexes))
            .set_offset_index(Some(offset_indexes))
            .build();
        let mut bytes = Vec::new();
        ParquetMetaDataWriter::new(&mut bytes, &metadata).finish()?;
        Ok(Some(bytes))
    }

    /// Ends the file. One that was to be marked is durable then.
    pub(super) fn finish(mut self) -> ParquetResult<Written> {
        if !self.is_between() {
            self.end_group()?;
        }
        let rows = self.file.finish()?.file_metadata().num_rows().cast_unsigned();
        let tail = self.file.inner();
        if tail.hasher.is_some() {
            tail.file.sync_all()?;
        }
        let hash = tail.hasher.as_ref().map(|hasher| hasher.finalize().to_hex().to_string());
        let blake3 = hash.unwrap_or_default();
        Ok(Written { rows, bytes: self.file.bytes_written() as u64, blake3, footers: Vec::new() })
    }
}

fn write_leaf(column: Option<&mut ArrowColumnWriter>, leaf: &ArrowLeafColumn) -> ParquetResult<()> {
    column.expect("the schema that gave the columns has this leaf").write(leaf)
}

/// Where pages lie in the file: one right after the other. What a column tells of it is from before its
/// dictionary, which comes to be in the midst of the pages, was put in front of them.
fn placed(
    group: &RowGroupMetaData,
    offsets: Vec<Option<OffsetIndexMetaData>>,
) -> ParquetResult<Vec<OffsetIndexMetaData>> {
    let lacks = || ParquetError::General("a column does not tell where its pages are".to_owned());
    let mut out = Vec::with_capacity(offsets.len());
    for (column, offsets) in group.columns().iter().zip(offsets) {
        let mut offsets = offsets.ok_or_else(lacks)?;
        let mut at = column.data_page_offset();
        for page in &mut offsets.page_locations {
            page.offset = at;
            at += i64::from(page.compressed_page_size);
        }
        let (start, length) = column.byte_range();
        assert_eq!(at.cast_unsigned(), start + length, "the pages are all there is of a column");
        out.push(offsets);
    }
    Ok(out)
}

/// Reading a footer forgets that the least and greatest value were written in two ways, for readers of
/// old, as they are where values have a sign.
fn as_written(metadata: &ColumnChunkMetaData) -> ParquetResult<ColumnChunkMetaData> {
    let statistics = match metadata.statistics().cloned() {
        Some(Statistics::Int32(of)) => Statistics::Int32(of.with_backwards_compatible_min_max(true)),
        Some(Statistics::Int64(of)) => Statistics::Int64(of.with_backwards_compatible_min_max(true)),
        Some(Statistics::Double(of)) => Statistics::Double(of.with_backwards_compatible_min_max(true)),
        _ => return Ok(metadata.clone()),
    };
    metadata.clone().into_builder().set_statistics(statistics).build()
}

fn read_footer(bytes: Vec<u8>) -> ParquetResult<ParquetMetaData> {
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    ParquetMetaDataReader::new()
        .with_metadata_options(Some(options))
        .with_page_index_policy(PageIndexPolicy::Optional)
        .parse_and_finish(&bytes::Bytes::from(bytes))
}

/// Where the footer of the groups up to a mark is.
fn footer_path(path: &Path, at: usize) -> std::path::PathBuf {
    path.with_extension(format!("{at:05}.groups"))
}

fn not_what_it_was(path: &Path) -> Error {
    Error::new(Code::Corrupt, format!("`{}` is not what was written", path.display()))
        .hint("delete the folder it is in; it is made again")
}

/// The end of a file. What is known to be in it already is passed over.
struct Tail {
    file: File,
    known_bytes: u64,
    // Of all that is in the file, if it is to be marked.
    hasher: Option<blake3::Hasher>,
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.known_bytes > 0 {
            let passed = self.known_bytes.min(bytes.len() as u64);
            self.known_bytes -= passed;
            return Ok(passed as usize);
        }
        let written = self.file.write(bytes)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Stands for bytes that are in the file already, which [`Tail`] passes over.
struct Known;

impl Length for Known {
    fn len(&self) -> u64 {
        u64::MAX
    }
}

impl ChunkReader for Known {
    type T = std::io::Repeat;

    fn get_read(&self, _start: u64) -> ParquetResult<Self::T> {
        Ok(std::io::repeat(0))
    }

    fn get_bytes(&self, _start: u64, _length: usize) -> ParquetResult<bytes::Bytes> {
        Err(ParquetError::General("bytes that are known are not read".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    /// Columns with and without dictionaries, missing cells, NaN and texts that are cut in statistics.
    fn batch(from: usize, rows: usize) -> RecordBatch {
        let at = || from..from + rows;
        let columns: [(&str, ArrayRef); 5] = [
            ("id", Arc::new(Int64Array::from_iter_values(at().map(|row| row as i64)))),
            (
                "few",
                Arc::new(StringArray::from_iter(
                    at().map(|row| (row % 5 > 0).then(|| format!("t{}", row % 7))),
                )),
            ),
            ("long", Arc::new(StringArray::from_iter_values(at().map(|row| format!("{row}").repeat(20))))),
            (
                "nan",
                Arc::new(Float64Array::from_iter_values(
                    at().map(|row| if row < 70_000 { f64::NAN } else { 0.5 }),
                )),
            ),
            ("none", Arc::new(BooleanArray::from(vec![None; rows]))),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn new_file(path: &Path) -> File {
        File::create(path).expect("writable")
    }

    #[test]
    fn groups_are_those_of_the_librarys_own_writer_whether_marked_or_not() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name);
        let properties = || crate::table::properties(5).expect("they are fixed");
        let batches: Vec<_> = (0..20).map(|at| batch(at * 8192, if at == 19 { 77 } else { 8192 })).collect();
        let schema = batches[0].schema();
        let mut theirs = ArrowWriter::try_new(new_file(&path("theirs")), schema.clone(), Some(properties()))
            .expect("a writer");
        let mut ours = Groups::create(new_file(&path("ours")), &schema, properties()).expect("a writer");
        let mut marked =
            Groups::create_marked(new_file(&path("marked")), &schema, properties()).expect("a writer");
        for (at, batch) in batches.iter().enumerate() {
            theirs.write(batch).expect("writable");
            ours.write(batch).expect("writable");
            marked.write(batch).expect("writable");
            if marked.is_between() {
                let written = marked.mark(&path("marked")).expect("writable");
                assert_eq!(written.rows, 8192 * (at as u64 + 1));
                // What comes after the mark is lost.
                marked.write(&batches[0]).expect("writable");
                marked.file.flush().expect("writable");
                drop(marked);
                marked = Groups::go_on(&path("marked"), &schema, properties(), &written).expect("as it was");
            }
        }
        theirs.close().expect("writable");
        let written = [ours, marked].map(|groups| groups.finish().expect("writable").rows);
        assert_eq!(written, [8192 * 19 + 77; 2]);
        let [theirs, ours, marked] =
            ["theirs", "ours", "marked"].map(|name| std::fs::read(path(name)).expect("there"));
        assert!(theirs == ours, "what is told of the groups: {:#?}", read_footer(ours));
        assert!(theirs == marked, "what is told of the groups: {:#?}", read_footer(marked));
    }
}
