//! A table folder: `data.parquet` and `table.json`. The same rows give the same bytes, whatever
//! pieces they were handed over in. It does not know where folders live or what they are called.

mod groups;

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, RecordBatch, RecordBatchReader as _, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use base::{Code, Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection, RowSelector,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{WriterProperties, WriterVersion};

use crate::schema::{TableMeta, arrow_schema};
use groups::Groups;
pub(crate) use groups::Written;

/// The rows of a table.
pub const DATA_FILE: &str = "data.parquet";
/// What the table says of itself.
pub const META_FILE: &str = "table.json";
/// Rows per Parquet row group.
pub const ROW_GROUP_ROWS: usize = 65_536;
/// Rows of a batch, written or read, unless they are long.
const BATCH_ROWS: usize = 8192;
/// A wider table is written without dictionaries: each of its columns would begin with one of 73 kB, which
/// took the reader of 5,000 columns beyond its gigabyte.
const MOST_DICTIONARIES: usize = 1000;
/// Bytes of text after which a batch ends: 8,192 rows of long texts would not fit into memory.
const BATCH_TEXT_BYTES: usize = 64 << 20;

/// A table folder that is open for reading. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TableFile {
    dir: PathBuf,
    meta: TableMeta,
    parquet: ArrowReaderMetadata,
}

impl TableFile {
    /// Opens a table folder and checks that its two files agree.
    ///
    /// # Errors
    /// `not_found` if a file is missing, `corrupt` if they do not agree or cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let meta_path = dir.join(META_FILE);
        let json = std::fs::read(&meta_path).map_err(|e| Error::io("read", &meta_path, &e))?;
        let meta: TableMeta = serde_json::from_slice(&json).map_err(|e| corrupt(&meta_path, &e))?;
        let data_path = dir.join(DATA_FILE);
        let file = File::open(&data_path).map_err(|e| Error::io("read", &data_path, &e))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let parquet = ArrowReaderMetadata::load(&file, options).map_err(|e| corrupt(&data_path, &e))?;
        let rows = parquet.metadata().file_metadata().num_rows();
        let is_same = u64::try_from(rows) == Ok(meta.rows)
            && parquet.schema().fields() == arrow_schema(&meta.columns).fields();
        if !is_same {
            return Err(corrupt(&data_path, &format!("it does not hold what `{META_FILE}` says")));
        }
        Ok(Self { dir: dir.to_owned(), meta, parquet })
    }

    /// What the table says of itself.
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.meta.rows
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The Arrow schema of every column.
    pub fn schema(&self) -> &SchemaRef {
        self.parquet.schema()
    }

    /// Every row of these columns (all if `None`), as batches of up to 8,192 rows.
    ///
    /// # Errors
    /// `not_found` for an unknown column, `corrupt` for an unreadable file.
    pub fn read(&self, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>> {
        self.batches(columns)?.collect()
    }

    /// Every row of these columns (all if `None`, in the order asked for), batch by batch.
    ///
    /// # Errors
    /// `not_found` for an unknown column, `corrupt` for an unreadable file.
    pub fn batches(&self, columns: Option<&[&str]>) -> Result<Batches> {
        self.range(columns, 0, None)
    }

    /// Up to `limit` rows from row `offset` on. Only the row groups that hold them are read.
    ///
    /// # Errors
    /// As [`Self::batches`].
    pub fn range(&self, columns: Option<&[&str]>, offset: u64, limit: Option<u64>) -> Result<Batches> {
        let builder = self.reader(columns)?;
        let end = limit.map_or(u64::MAX, |limit| offset.saturating_add(limit)).min(self.rows());
        let (groups, skipped) = self.groups(offset.min(end), end);
        let reader = builder
            .with_row_groups(groups)
            .with_offset((offset.min(end) - skipped) as usize)
            .with_limit((end - offset.min(end)) as usize);
        self.batches_of(reader, columns)
    }

    /// These rows of these columns, in the order asked for. Only what holds them is read.
    ///
    /// # Errors
    /// `not_found` for an unknown column, `corrupt` for an unreadable file.
    pub fn take(&self, rows: &[u64], columns: &[&str]) -> Result<RecordBatch> {
        let failed = |e| Error::internal("cannot take rows of a table").because(e);
        let mut wanted = rows.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let batches = self.selected(&wanted, columns)?.collect::<Result<Vec<_>>>()?;
        let schema = batches.first().map(RecordBatch::schema);
        let schema = schema.ok_or_else(|| Error::internal("no rows of a table were asked for"))?;
        let found = concat_batches(&schema, &batches).map_err(failed)?;
        let place = |row: &u64| wanted.binary_search(row).map(|at| at as u32).ok();
        let places: UInt32Array = rows.iter().map(place).collect();
        take_record_batch(&found, &places).map_err(failed)
    }

    /// The rows of these numbers, which ascend, batch by batch. Only the row groups and pages that
    /// hold them are read.
    ///
    /// # Errors
    /// As [`Self::batches`].
    fn selected(&self, rows: &[u64], columns: &[&str]) -> Result<Batches> {
        let (mut groups, mut selectors) = (Vec::new(), Vec::new());
        let (mut at, mut rest) = (0_u64, rows);
        for (index, group) in self.parquet.metadata().row_groups().iter().enumerate() {
            let end = at + u64::try_from(group.num_rows()).unwrap_or(0);
            let (here, later) = rest.split_at(rest.partition_point(|row| *row < end));
            if !here.is_empty() {
                groups.push(index);
                let mut next = at;
                for row in here.iter().copied() {
                    selectors.push(RowSelector::skip((row - next) as usize));
                    selectors.push(RowSelector::select(1));
                    next = row + 1;
                }
                selectors.push(RowSelector::skip((end - next) as usize));
            }
            (at, rest) = (end, later);
        }
        let selection = RowSelection::from(selectors);
        let builder = self.reader(Some(columns))?.with_row_groups(groups).with_row_selection(selection);
        self.batches_of(builder, Some(columns))
    }

    fn reader(&self, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReaderBuilder<File>> {
        let data_path = self.dir.join(DATA_FILE);
        let file = File::open(&data_path).map_err(|e| Error::io("read", &data_path, &e))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.parquet.clone())
            .with_batch_size(self.batch_rows());
        let Some(names) = columns else { return Ok(builder) };
        let mut roots = Vec::with_capacity(names.len());
        for name in names {
            self.meta.column(name)?;
            roots.push(self.schema().index_of(name).map_err(|e| corrupt(&data_path, &e))?);
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        Ok(builder.with_projection(mask))
    }

    fn batches_of(
        &self,
        builder: ParquetRecordBatchReaderBuilder<File>,
        columns: Option<&[&str]>,
    ) -> Result<Batches> {
        let path = self.dir.join(DATA_FILE);
        let reader = builder.build().map_err(|e| corrupt(&path, &e))?;
        // The reader gives columns in file order; whoever asked names an order of their own.
        let order = columns.map(|names| {
            let schema = reader.schema();
            names.iter().filter_map(|name| schema.index_of(name).ok()).collect()
        });
        Ok(Batches { reader, order, path })
    }

    /// Rows of a batch that fit into memory many times over.
    fn batch_rows(&self) -> usize {
        let groups = self.parquet.metadata().row_groups();
        let bytes: i64 = groups.iter().map(|group| group.total_byte_size()).sum();
        let row_bytes = usize::try_from(bytes).unwrap_or(0) / (self.meta.rows as usize).max(1);
        (BATCH_TEXT_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS)
    }

    /// The row groups that hold rows `from..to`, and the rows before the first of them.
    fn groups(&self, from: u64, to: u64) -> (Vec<usize>, u64) {
        let mut groups = Vec::new();
        let (mut at, mut skipped) = (0_u64, from);
        for (index, group) in self.parquet.metadata().row_groups().iter().enumerate() {
            let end = at + u64::try_from(group.num_rows()).unwrap_or(0);
            if end > from && at < to {
                if groups.is_empty() {
                    skipped = at;
                }
                groups.push(index);
            }
            at = end;
        }
        (groups, skipped)
    }
}

/// The rows of a table as a stream of batches.
pub struct Batches {
    reader: ParquetRecordBatchReader,
    order: Option<Vec<usize>>,
    path: PathBuf,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => batch,
            Err(e) => return Some(Err(corrupt(&self.path, &e))),
        };
        Some(match &self.order {
            Some(order) => batch.project(order).map_err(|e| corrupt(&self.path, &e)),
            None => Ok(batch),
        })
    }
}

/// Writes a whole table into the folder `dir`, which is made if it is not there.
///
/// # Errors
/// `invalid_input` if a batch is not of the columns in `meta`; the operating system's errors.
pub fn write(
    dir: &Path,
    meta: TableMeta,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
) -> Result<TableFile> {
    let mut writer = TableWriter::create(dir, meta)?;
    for batch in batches {
        writer.push(&batch?)?;
    }
    writer.finish()
}

/// Writes a table batch by batch. What was written is removed again unless it is finished.
pub struct TableWriter {
    dir: PathBuf,
    // Where the rows are written to.
    data: PathBuf,
    // True if what was written stays when this ends before the table does.
    is_kept: bool,
    meta: TableMeta,
    schema: SchemaRef,
    pending: Pending,
    // None once finished.
    groups: Option<Groups>,
}

impl TableWriter {
    /// Begins a table of the columns in `meta`; its number of rows is counted.
    ///
    /// # Errors
    /// The operating system's errors.
    pub fn create(dir: &Path, meta: TableMeta) -> Result<Self> {
        let (data, schema) = (dir.join(DATA_FILE), arrow_schema(&meta.columns));
        std::fs::create_dir_all(dir).map_err(|e| Error::io("make the folder", dir, &e))?;
        let file = File::create(&data).map_err(|e| Error::io("write", &data, &e))?;
        let groups = Groups::create(file, &schema, properties(meta.columns.len())?)
            .map_err(|e| write_error(&data, &e))?;
        Ok(Self::new((dir, data), meta, groups, false))
    }

    /// Begins a table whose rows are kept in the folder `keep` until it is finished, so that another
    /// writer can go on from what [`Self::mark`] gives.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(crate) fn create_kept(dir: &Path, meta: TableMeta, keep: &Path) -> Result<Self> {
        let (data, schema) = (keep.join(DATA_FILE), arrow_schema(&meta.columns));
        std::fs::create_dir_all(dir).map_err(|e| Error::io("make the folder", dir, &e))?;
        // Never cut short what is there: a finished table may have the same bytes under another name.
        match std::fs::remove_file(&data) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("replace", &data, &e));
            }
            _ => {}
        }
        let file = File::create_new(&data).map_err(|e| Error::io("write", &data, &e))?;
        let groups = Groups::create_marked(file, &schema, properties(meta.columns.len())?)
            .map_err(|e| write_error(&data, &e))?;
        Ok(Self::new((dir, data), meta, groups, true))
    }

    /// Goes on with a table from its mark.
    ///
    /// # Errors
    /// `corrupt` if what is in `keep` is not what was written; the operating system's errors.
    pub(crate) fn go_on(dir: &Path, meta: TableMeta, (keep, written): (&Path, &Written)) -> Result<Self> {
        let (data, schema) = (keep.join(DATA_FILE), arrow_schema(&meta.columns));
        std::fs::create_dir_all(dir).map_err(|e| Error::io("make the folder", dir, &e))?;
        let groups = Groups::go_on(&data, &schema, properties(meta.columns.len())?, written)?;
        let mut writer = Self::new((dir, data), meta, groups, true);
        writer.meta.rows = written.rows;
        Ok(writer)
    }

    fn new((dir, data): (&Path, PathBuf), meta: TableMeta, groups: Groups, is_kept: bool) -> Self {
        let schema = arrow_schema(&meta.columns);
        let (dir, meta) = (dir.to_owned(), TableMeta { rows: 0, ..meta });
        Self { dir, data, is_kept, meta, schema, pending: Pending::default(), groups: Some(groups) }
    }

    /// Adds rows. The batch has the columns of the table, in order.
    ///
    /// # Errors
    /// `invalid_input` if it has not; the operating system's errors.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.check(batch)?;
        let batch = RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())
            .map_err(|e| Error::internal("a batch does not fit its table").because(e))?;
        self.meta.rows += batch.num_rows() as u64;
        let mut from = 0;
        while from < batch.num_rows() {
            let taken = self.pending.room(&batch, from);
            self.pending.add(batch.slice(from, taken));
            from += taken;
            if self.pending.is_full() {
                self.write_pending()?;
            }
        }
        Ok(())
    }

    /// Makes all rows so far durable and says how far that is; only where a row group ends.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(crate) fn mark(&mut self) -> Result<Option<Written>> {
        let groups = self.groups.as_mut().expect("not finished yet");
        if self.pending.rows > 0 || !groups.is_between() {
            return Ok(None);
        }
        groups.mark(&self.data).map(Some)
    }

    /// Ends the table and opens it for reading.
    ///
    /// # Errors
    /// The operating system's errors.
    pub fn finish(self) -> Result<TableFile> {
        self.finish_kept().map(|(table, _)| table)
    }

    /// Ends the table as [`Self::finish`] does, and says what [`open_kept`] needs to know of it.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub(crate) fn finish_kept(mut self) -> Result<(TableFile, Written)> {
        self.write_pending()?;
        let groups = self.groups.take().expect("only this takes it, and it runs once");
        let written = groups.finish().map_err(|e| {
            self.remove();
            write_error(&self.data, &e)
        })?;
        assert_eq!(written.rows, self.meta.rows, "no row is lost");
        if self.is_kept {
            share(&self.data, &self.dir.join(DATA_FILE))?;
        }
        write_meta(&self.dir, &self.meta).inspect_err(|_| self.remove())?;
        Ok((TableFile::open(&self.dir)?, written))
    }

    fn write_pending(&mut self) -> Result<()> {
        let pieces = self.pending.take();
        if pieces.is_empty() {
            return Ok(());
        }
        let batch = concat_batches(&self.schema, &pieces)
            .map_err(|e| Error::internal("cannot join the batches of a table").because(e))?;
        let groups = self.groups.as_mut().expect("not finished yet");
        groups.write(&batch).map_err(|e| write_error(&self.data, &e))
    }

    fn check(&self, batch: &RecordBatch) -> Result<()> {
        let wrong =
            |what: String| Err(Error::invalid(what).hint("give the columns of the table in its order"));
        if batch.num_columns() != self.schema.fields().len() {
            let (got, wanted) = (batch.num_columns(), self.schema.fields().len());
            return wrong(format!("a batch of a table has {got} columns, expected {wanted}"));
        }
        for (field, wanted) in batch.schema().fields().iter().zip(self.schema.fields()) {
            if field.name() != wanted.name() || field.data_type() != wanted.data_type() {
                let (name, kind) = (field.name(), field.data_type());
                let (wanted_name, wanted_kind) = (wanted.name(), wanted.data_type());
                return wrong(format!(
                    "a batch has the column `{name}` ({kind}), expected `{wanted_name}` ({wanted_kind})"
                ));
            }
        }
        Ok(())
    }

    /// Takes away what was written so far. A failure is not reported: the error that led here is.
    fn remove(&self) {
        for name in [DATA_FILE, META_FILE] {
            let _ = std::fs::remove_file(self.dir.join(name));
        }
    }
}

/// Makes a table folder of the rows that a writer kept in `keep` when it finished.
///
/// # Errors
/// `corrupt` if they are not what the writer wrote; the operating system's errors.
pub(crate) fn open_kept(
    dir: &Path,
    meta: &TableMeta,
    (keep, written): (&Path, &Written),
) -> Result<TableFile> {
    let data = keep.join(DATA_FILE);
    written.verify(&data)?;
    std::fs::create_dir_all(dir).map_err(|e| Error::io("make the folder", dir, &e))?;
    share(&data, &dir.join(DATA_FILE))?;
    write_meta(dir, meta)?;
    TableFile::open(dir)
}

/// Gives a file a second name, or where a disk has no such thing, makes a copy.
fn share(from: &Path, to: &Path) -> Result<()> {
    std::fs::hard_link(from, to)
        .or_else(|_| std::fs::copy(from, to).map(drop))
        .map_err(|e| Error::io("write", to, &e))
}

fn write_meta(dir: &Path, meta: &TableMeta) -> Result<()> {
    let path = dir.join(META_FILE);
    let mut json = serde_json::to_vec_pretty(meta)
        .map_err(|e| Error::internal("cannot write a table's description").because(e))?;
    json.push(b'\n');
    std::fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        if self.groups.is_some() {
            self.remove();
        }
    }
}

/// Rows that wait to be written together. What is written together decides where pages end, so
/// it depends on the rows alone: a piece is full at [`BATCH_ROWS`] rows or [`BATCH_TEXT_BYTES`], and
/// where a row group ends.
#[derive(Default)]
struct Pending {
    pieces: Vec<RecordBatch>,
    rows: usize,
    text_bytes: usize,
    // Rows of the group that are written already.
    group_rows: usize,
}

impl Pending {
    /// How many rows of `batch` from `from` on still belong to this piece; at least one.
    fn room(&self, batch: &RecordBatch, from: usize) -> usize {
        let left = BATCH_ROWS.min(ROW_GROUP_ROWS - self.group_rows) - self.rows;
        let most = (batch.num_rows() - from).min(left);
        if self.text_bytes + text_bytes(batch, from, most) < BATCH_TEXT_BYTES {
            return most;
        }
        // The row that reaches the limit is the last one. Texts only add up, so this can halve.
        let (mut low, mut high) = (1, most);
        while low < high {
            let middle = (low + high) / 2;
            if self.text_bytes + text_bytes(batch, from, middle) >= BATCH_TEXT_BYTES {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn add(&mut self, piece: RecordBatch) {
        self.rows += piece.num_rows();
        self.text_bytes += text_bytes(&piece, 0, piece.num_rows());
        self.pieces.push(piece);
    }

    fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS.min(ROW_GROUP_ROWS - self.group_rows) || self.text_bytes >= BATCH_TEXT_BYTES
    }

    /// The piece, to be written; the next one begins.
    fn take(&mut self) -> Vec<RecordBatch> {
        self.group_rows = (self.group_rows + self.rows) % ROW_GROUP_ROWS;
        (self.rows, self.text_bytes) = (0, 0);
        std::mem::take(&mut self.pieces)
    }
}

/// Bytes of the texts in a run of rows.
fn text_bytes(batch: &RecordBatch, from: usize, rows: usize) -> usize {
    let texts = batch.columns().iter().filter_map(|array| array.as_string_opt::<i32>());
    texts.map(|array| (array.value_offsets()[from + rows] - array.value_offsets()[from]) as usize).sum()
}

/// Fixed in every respect that changes bytes: the same rows are the same file on any machine.
fn properties(columns: usize) -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(3).map_err(|e| Error::internal("zstd has no level 3").because(e))?;
    Ok(WriterProperties::builder()
        .set_created_by("fettle".to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(columns <= MOST_DICTIONARIES)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(8192)
        .build())
}

fn corrupt(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Corrupt, format!("cannot read the table `{}`", path.display()))
        .hint("run `fettle workspace check`; a table in the cache is made again when it is deleted")
        .because(cause)
}

/// A full disk comes through the Parquet writer as text: it is told apart by its cause.
fn write_error(path: &Path, error: &parquet::errors::ParquetError) -> Error {
    let io = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match io {
        Some(io) => Error::io("write", path, io),
        None => Error::internal(format!("cannot write `{}`", path.display())).because(error),
    }
}
