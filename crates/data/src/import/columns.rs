//! Columns whose kinds the format gives: every type becomes one of our kinds without losing a
//! digit, and a kind that the user set rejects the rows that do not fit it.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base::{Error, Result, count};

use super::build::ColumnBuilder;
use super::cell::{CellReader, fits_number};
use super::check::{MAX_REJECTED, misfit};
use super::chunk::Origin;
use super::convert::{convert, natural, needs_look};
use super::formats::{Columns, Request, guarded};
use super::infer::ColumnPlan;
use super::layout::Layout;
use super::options::{ImportReport, Preview, Rejected, Warning};
use super::{PREVIEW_REJECTED, PREVIEW_ROWS};
use crate::schema::{Column, Kind, TableMeta, arrow_schema};
use crate::table::TableWriter;

/// Bytes of a rejected row that a report shows.
const EXCERPT_CHARS: usize = 200;

/// The first rows of a table, and what would become of them.
///
/// # Errors
/// As [`Columns::batches`].
pub(super) fn preview(request: &Request<'_>, table: Box<dyn Columns>) -> Result<Preview> {
    let mut reading = Reading::new(request, table.as_ref())?;
    let mut batches = table.batches()?;
    let Some(first) = reading.next(&mut batches)? else { return Err(no_rows(&request.input.shown)) };
    reading.look(&first);
    let taken = reading.take(&first)?;
    let mut rows = Vec::new();
    crate::page::append_rows(&taken.slice(0, taken.num_rows().min(PREVIEW_ROWS)), &mut rows)?;
    let mut rejected = std::mem::take(&mut reading.rejected);
    rejected.truncate(PREVIEW_REJECTED);
    let rows_seen = first.num_rows() as u64;
    Ok(Preview { columns: reading.columns(), rows, rows_seen, warnings: reading.warnings(), rejected })
}

/// Writes a table into `out_dir`.
///
/// # Errors
/// As [`super::import`].
pub(super) fn import(request: &Request<'_>, table: Box<dyn Columns>, out_dir: &Path) -> Result<ImportReport> {
    let mut reading = Reading::new(request, table.as_ref())?;
    reading.look_through(table.as_ref())?;
    let mut writer = TableWriter::create(out_dir, TableMeta::new(reading.columns()))?;
    reading.hand_over(table.as_ref(), &mut |batch| writer.push(batch))?;
    reading.refuse_useless()?;
    let meta = writer.finish()?.meta().clone();
    assert_eq!(meta.rows + reading.rejected_total, reading.rows_seen, "no row is lost");
    Ok(ImportReport {
        rows: meta.rows,
        rejected_total: reading.rejected_total,
        taken_over_bytes: 0,
        warnings: reading.warnings(),
        rejected: reading.rejected,
        blank_lines: 0,
        comment_lines: 0,
        meta,
    })
}

fn no_rows(shown: &Path) -> Error {
    Error::invalid(format!("`{}` has columns and no rows", shown.display()))
        .hint("choose a file with at least one row")
}

/// What is known of a table while it is read.
pub(super) struct Reading<'a> {
    request: &'a Request<'a>,
    layout: Layout,
    cells: CellReader,
    kinds: Vec<Kind>,
    /// Columns whose kind holds only if their values are small enough.
    looked_at: Vec<usize>,
    /// Columns of integers that are read as numbers.
    widened: Vec<usize>,
    /// Columns that lost parts of a millisecond.
    cut: BTreeSet<usize>,
    pub(super) rows_seen: u64,
    pub(super) rejected_total: u64,
    pub(super) rejected: Vec<Rejected>,
}

impl<'a> Reading<'a> {
    /// A table of which nothing is read yet.
    ///
    /// # Errors
    /// `invalid_input` for one without columns, and for options that do not fit it.
    pub(super) fn new(request: &'a Request<'a>, table: &dyn Columns) -> Result<Self> {
        let (shown, options) = (&request.input.shown, request.options);
        let fields = table.schema().fields();
        if fields.is_empty() {
            return Err(Error::invalid(format!("`{}` has no columns", shown.display()))
                .hint("choose a file with at least one column and one row"));
        }
        let raw: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let layout = Layout::new(shown, &raw, options)?;
        let is_open = |at: &usize| needs_look(fields[*at].data_type()) && !layout.forced.contains_key(at);
        Ok(Self {
            request,
            cells: CellReader::new(options),
            kinds: fields.iter().map(|field| natural(field.data_type())).collect(),
            looked_at: (0..fields.len()).filter(is_open).collect(),
            layout,
            widened: Vec::new(),
            cut: BTreeSet::new(),
            rows_seen: 0,
            rejected_total: 0,
            rejected: Vec::new(),
        })
    }

    /// Reads the whole table, where that is needed to know its kinds.
    ///
    /// # Errors
    /// As [`Columns::batches`]; `cancelled`.
    pub(super) fn look_through(&mut self, table: &dyn Columns) -> Result<()> {
        if self.looked_at.is_empty() {
            return Ok(());
        }
        let mut done = 0;
        let mut batches = table.batches()?;
        while let Some(batch) = self.next(&mut batches)? {
            done += batch.num_rows() as u64;
            self.request.progress.step("checking", done, table.total())?;
            self.look(&batch);
        }
        Ok(())
    }

    /// Reads the columns whose kind nobody set as these kinds, which hold all that theirs do.
    pub(super) fn widen(&mut self, kinds: &[Kind]) {
        for (at, kind) in kinds.iter().enumerate() {
            if self.layout.forced.contains_key(&at) {
                continue;
            }
            if self.kinds[at] == Kind::Integer && *kind == Kind::Number {
                self.widened.push(at);
            }
            self.kinds[at] = *kind;
        }
    }

    /// Hands the rows that fit to `push`, batch by batch.
    ///
    /// # Errors
    /// As [`Columns::batches`]; `cancelled`; those of `push`.
    pub(super) fn hand_over(
        &mut self,
        table: &dyn Columns,
        push: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let progress = self.request.progress;
        progress.step("writing", 0, table.total())?;
        let mut batches = table.batches()?;
        while let Some(batch) = self.next(&mut batches)? {
            let taken = self.take(&batch)?;
            progress.step("writing", self.rows_seen, table.total())?;
            if taken.num_rows() > 0 {
                push(&taken)?;
            }
        }
        // A batch is read column by column.
        self.rejected.sort_by_key(|rejected| rejected.line);
        Ok(())
    }

    fn refuse_useless(&self) -> Result<()> {
        if self.rows_seen > self.rejected_total {
            return Ok(());
        }
        let shown = self.request.input.shown.display();
        let Some(first) = self.rejected.first() else { return Err(no_rows(&self.request.input.shown)) };
        let (line, reason) = (first.line, &first.reason);
        Err(Error::invalid(format!("no row of `{shown}` can be read; the first, row {line}: {reason}"))
            .hint("check the kinds that were set"))
    }

    fn next(&self, batches: &mut dyn Iterator<Item = Result<RecordBatch>>) -> Result<Option<RecordBatch>> {
        guarded(&self.request.input.shown, self.request.options.format, || batches.next().transpose())
    }

    /// Makes a column text whose integers do not fit 64 bits.
    fn look(&mut self, batch: &RecordBatch) {
        for at in &self.looked_at {
            let column = batch.column(*at);
            let fits = convert(column, Kind::Integer)
                .is_ok_and(|made| made.array.null_count() == column.logical_null_count());
            if !fits {
                self.kinds[*at] = Kind::Text;
            }
        }
    }

    /// The columns as they are stored.
    pub(super) fn columns(&self) -> Vec<Column> {
        let kind = |at: usize| self.layout.forced.get(&at).copied().unwrap_or(self.kinds[at]);
        self.layout.names.iter().enumerate().map(|(at, name)| Column::new(name, kind(at))).collect()
    }

    /// The rows of the batch that fit, as they are stored.
    fn take(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut arrays = Vec::with_capacity(batch.num_columns());
        let mut is_taken = vec![true; batch.num_rows()];
        for (at, column) in batch.columns().iter().enumerate() {
            let made = convert(column, self.kinds[at]).map_err(|e| self.unreadable(at, &e))?;
            if made.is_cut {
                self.cut.insert(at);
            }
            if self.widened.contains(&at) {
                self.refuse_rounding(column, at)?;
            }
            let forced = self.layout.forced.get(&at).copied();
            let array = match forced.filter(|kind| *kind != self.kinds[at]) {
                Some(kind) => self.forced(&made.array, at, kind, &mut is_taken)?,
                None => {
                    self.reject_lost(column, &made.array, at, &mut is_taken)?;
                    made.array
                }
            };
            arrays.push(array);
        }
        self.rows_seen += batch.num_rows() as u64;
        let stored = RecordBatch::try_new(arrow_schema(&self.columns()), arrays)
            .map_err(|e| Error::internal("cannot make a batch of rows").because(e))?;
        if is_taken.iter().all(|taken| *taken) {
            return Ok(stored);
        }
        filter_record_batch(&stored, &BooleanArray::from(is_taken))
            .map_err(|e| Error::internal("cannot take rows out of a batch").because(e))
    }

    /// A column in the kind that the user set. A cell that does not fit takes its row out.
    fn forced(&mut self, array: &ArrayRef, at: usize, kind: Kind, is_taken: &mut [bool]) -> Result<ArrayRef> {
        let plan = ColumnPlan::forced(kind, self.request.options);
        let origin = if self.kinds[at] == Kind::Text { Origin::Text } else { Origin::Value };
        let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.3f"));
        let format = ArrayFormatter::try_new(array, &options).map_err(|e| self.unreadable(at, &e))?;
        let mut builder = ColumnBuilder::new(kind);
        for (row, is_taken) in is_taken.iter_mut().enumerate() {
            if array.is_null(row) {
                builder.append_null();
                continue;
            }
            let text = format.value(row).to_string();
            if builder.append(&text, origin, plan, &self.cells).is_err() {
                builder.append_null();
                if std::mem::take(is_taken) {
                    self.reject(row, at, &text, kind);
                }
            }
        }
        Ok(builder.finish())
    }

    /// Takes out the rows whose value the conversion could not keep: an integer or a time beyond
    /// 64 bits. NaN is missing, not lost.
    fn reject_lost(
        &mut self,
        column: &ArrayRef,
        made: &ArrayRef,
        at: usize,
        is_taken: &mut [bool],
    ) -> Result<()> {
        let kind = self.kinds[at];
        if kind == Kind::Number || made.null_count() == column.logical_null_count() {
            return Ok(());
        }
        let nulls = column.logical_nulls();
        // A time beyond what can be shown is shown as the number that it is.
        let column = if kind == Kind::Time {
            &cast(column, &DataType::Int64).map_err(|e| self.unreadable(at, &e))?
        } else {
            column
        };
        let options = FormatOptions::default();
        let format = ArrayFormatter::try_new(column, &options).map_err(|e| self.unreadable(at, &e))?;
        for (row, taken) in is_taken.iter_mut().enumerate() {
            let was_missing = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            if made.is_null(row) && !was_missing && std::mem::take(taken) {
                self.reject(row, at, &format.value(row).to_string(), kind);
            }
        }
        Ok(())
    }

    /// Fails where an integer that is to be a number has more digits than one holds.
    fn refuse_rounding(&self, column: &ArrayRef, at: usize) -> Result<()> {
        let integers = convert(column, Kind::Integer).map_err(|e| self.unreadable(at, &e))?.array;
        let Some(wide) =
            integers.as_primitive::<Int64Type>().iter().flatten().find(|value| !fits_number(*value))
        else {
            return Ok(());
        };
        let (name, shown) = (&self.layout.names[at], self.request.input.shown.display());
        Err(Error::invalid(format!("`{name}` is a number, and {wide} in `{shown}` would lose digits as one"))
            .hint(format!("set the kind of `{name}` to text")))
    }

    fn reject(&mut self, row: usize, at: usize, text: &str, kind: Kind) {
        self.rejected_total += 1;
        if self.rejected.len() < MAX_REJECTED {
            self.rejected.push(Rejected {
                file: None,
                line: self.rows_seen + row as u64 + 1,
                reason: misfit(text, &self.layout.names[at], kind),
                excerpt: text.chars().take(EXCERPT_CHARS).collect(),
            });
        }
    }

    fn unreadable(&self, at: usize, why: &dyn std::fmt::Display) -> Error {
        let (name, shown) = (&self.layout.names[at], self.request.input.shown.display());
        Error::invalid(format!("cannot read the column `{name}` of `{shown}`"))
            .because(why)
            .hint("write the file without this column")
    }

    /// What the user should look at.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.layout.warnings.clone();
        if self.rejected_total > 0 {
            let (some, all) = (count(self.rejected_total), count(self.rows_seen));
            warnings.insert(0, Warning::file(format!("{some} of {all} rows are rejected")));
        }
        let names = &self.layout.names;
        for at in self.looked_at.iter().filter(|at| self.kinds[**at] == Kind::Text) {
            let name = &names[*at];
            let message = format!("`{name}` is text because its integers do not fit 64 bits");
            warnings.push(Warning::column(name, message));
        }
        for at in &self.cut {
            let message = format!("the times of `{}` are cut to milliseconds", names[*at]);
            warnings.push(Warning::column(&names[*at], message));
        }
        warnings
    }
}
