//! The passes over rows of cells. The first finds the kind of every column and the rows to reject, and
//! writes the table with the kinds that its beginning showed; where the rest of the file has shown
//! others, a second pass writes it anew.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use arrow::array::RecordBatch;
use base::{Error, Progress, Result, count};

use super::build::BatchBuilder;
use super::check::{Checked, Checker};
use super::chunk::Chunk;
use super::decode::changed;
use super::formats::{Request, Rows, guarded};
use super::infer::ColumnPlan;
use super::layout::Layout;
use super::options::{Format, ImportReport, ParseOptions, Preview, Warning};
use super::{PREVIEW_REJECTED, PREVIEW_ROWS};
use crate::schema::{Column, TableMeta};
use crate::table::TableWriter;

/// How much of a text a preview looks at.
const PREVIEW_BYTES: u64 = 1 << 20;
/// How many chunks a preview looks at where less was read: the second is what was not complete
/// in the first.
const PREVIEW_CHUNKS: usize = 2;

/// The first rows of a table, and what would become of them.
///
/// # Errors
/// As [`Rows::read`].
pub(super) fn preview(request: &Request<'_>, table: &dyn Rows) -> Result<Preview> {
    let (layout, options) = (table.layout(), request.options);
    let chunks = beginning(request, table)?;
    let checked = checked(request, table, &chunks);
    let plans = checked.plans(options, layout);
    let columns = columns(layout, &plans);
    let mut builder = BatchBuilder::new(layout, options, plans.clone());
    let mut taken = 0;
    for record in chunks.iter().flat_map(Chunk::records) {
        if taken == PREVIEW_ROWS {
            break;
        }
        taken += usize::from(builder.append(record).map_err(|()| changed(&request.input.shown))?);
    }
    let mut rows = Vec::new();
    crate::page::append_rows(&builder.take()?, &mut rows)?;
    let mut warnings = layout.warnings.clone();
    warnings.extend(checked.warnings(layout, &plans));
    if checked.rows == 0 && checked.rejected_total == 0 {
        warnings.push(Warning::file("the file has a header and no rows"));
    }
    if checked.is_mostly_ragged() {
        warnings.push(Warning::file(checked.ragged_sentence()));
    }
    let rows_seen = checked.rows + checked.rejected_total;
    let mut rejected = checked.rejected;
    rejected.truncate(PREVIEW_REJECTED);
    Ok(Preview { columns, rows, rows_seen, warnings, rejected })
}

/// Writes a table into `out_dir`.
///
/// # Errors
/// As [`super::import`].
pub(super) fn import(request: &Request<'_>, table: &dyn Rows, out_dir: &Path) -> Result<ImportReport> {
    let (layout, options) = (table.layout(), request.options);
    let chunks = beginning(request, table)?;
    let guessed = checked(request, table, &chunks).plans(options, layout);
    drop(chunks);
    let (checked, written) = first_pass(request, table, &guessed, out_dir)?;
    refuse_useless(request, layout, &checked)?;
    let plans = checked.plans(options, layout);
    let meta = match written {
        Some(writer) if plans == guessed => writer.finish()?.meta().clone(),
        written => {
            drop(written);
            let mut writer = TableWriter::create(out_dir, TableMeta::new(columns(layout, &plans)))?;
            let builder = BatchBuilder::new(layout, options, plans.clone());
            write_pass(request, table, builder, &mut |batch| writer.push(batch))?;
            writer.finish()?.meta().clone()
        }
    };
    if meta.rows != checked.rows {
        return Err(changed(&request.input.shown));
    }
    let mut warnings = layout.warnings.clone();
    warnings.extend(checked.warnings(layout, &plans));
    if layout.names.len() == 1 && checked.blank_lines > 0 {
        let message = format!("{} blank lines are not rows", count(checked.blank_lines));
        warnings.push(Warning::file(message));
    }
    Ok(ImportReport {
        rows: meta.rows,
        rejected_total: checked.rejected_total,
        rejected: checked.rejected,
        blank_lines: checked.blank_lines,
        comment_lines: checked.comment_lines,
        warnings,
        meta,
    })
}

fn columns(layout: &Layout, plans: &[ColumnPlan]) -> Vec<Column> {
    layout.names.iter().zip(plans).map(|(name, plan)| Column::new(name, plan.kind)).collect()
}

/// Reads a table with a parser that may be other people's.
fn read(
    request: &Request<'_>,
    table: &dyn Rows,
    sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>,
) -> Result<()> {
    guarded(&request.input.shown, request.options.format, || table.read(sink))
}

/// The first chunks of a table.
fn beginning(request: &Request<'_>, table: &dyn Rows) -> Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    read(request, table, &mut |chunk| {
        let is_enough = chunk.done >= PREVIEW_BYTES || chunks.len() + 1 >= PREVIEW_CHUNKS;
        chunks.push(chunk);
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(chunks)
}

fn checked(request: &Request<'_>, table: &dyn Rows, chunks: &[Chunk]) -> Checked {
    let mut checker = Checker::new(table.layout(), request.options);
    chunks.iter().for_each(|chunk| checker.add(chunk));
    checker.finish()
}

/// Checks every row, and writes it as `plans` say until one does not fit them. Reading, checking and
/// writing run in a thread each and hand over through short queues.
fn first_pass(
    request: &Request<'_>,
    table: &dyn Rows,
    plans: &[ColumnPlan],
    out_dir: &Path,
) -> Result<(Checked, Option<TableWriter>)> {
    let (layout, options) = (table.layout(), request.options);
    let mut writer = Some(TableWriter::create(out_dir, TableMeta::new(columns(layout, plans)))?);
    step(request.progress, "reading", 0, table.total())?;
    std::thread::scope(|scope| {
        let chunks = read_beside(scope, request, table);
        let (sender, made) = sync_channel(2);
        let checking = scope.spawn(move || {
            let mut checker = Checker::new(layout, options);
            let mut builder = Some(BatchBuilder::new(layout, options, plans.to_vec()));
            let mut done = 0;
            for chunk in chunks {
                let batches = chunk.and_then(|chunk| {
                    done = chunk.done;
                    checker.add_and_build(&chunk, &mut builder)
                });
                // The other side is gone after an error; then there is nobody to go on for.
                if sender.send(batches.map(|batches| (batches, done, builder.is_some()))).is_err() {
                    break;
                }
            }
            if let Some(mut builder) = builder {
                let _ = sender.send(builder.take().map(|batch| (vec![batch], done, true)));
            }
            checker.finish()
        });
        for made in made {
            let (batches, done, fits) = made?;
            step(request.progress, "reading", done, table.total())?;
            if !fits {
                writer = None;
            }
            for batch in batches.iter().filter(|_| fits) {
                writer.as_mut().map_or(Ok(()), |writer| writer.push(batch))?;
            }
        }
        let checked = checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((checked, writer))
    })
}

/// Looks at every cell.
///
/// # Errors
/// As [`Rows::read`]; `cancelled`.
pub(super) fn check_pass(request: &Request<'_>, table: &dyn Rows) -> Result<Checked> {
    let mut checker = Checker::new(table.layout(), request.options);
    step(request.progress, "checking", 0, table.total())?;
    std::thread::scope(|scope| {
        for chunk in read_beside(scope, request, table) {
            let chunk = chunk?;
            step(request.progress, "checking", chunk.done, table.total())?;
            checker.add(&chunk);
        }
        Ok(checker.finish())
    })
}

/// Hands the rows to `push`, batch by batch. Reading, parsing and writing run in a thread each and
/// hand over through short queues.
///
/// # Errors
/// As [`Rows::read`]; `conflict` for a file that is not what it was; those of `push`.
pub(super) fn write_pass(
    request: &Request<'_>,
    table: &dyn Rows,
    mut builder: BatchBuilder,
    push: &mut dyn FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let shown = &request.input.shown;
    step(request.progress, "writing", 0, table.total())?;
    std::thread::scope(|scope| {
        let chunks = read_beside(scope, request, table);
        let (sender, batches) = sync_channel(2);
        scope.spawn(move || {
            let mut done = 0;
            for chunk in chunks {
                let made = chunk.and_then(|chunk| {
                    done = chunk.done;
                    Ok((builder.add(&chunk).map_err(|()| changed(shown))?, done))
                });
                // The other side is gone after an error; then there is nobody to go on for.
                if sender.send(made).is_err() {
                    return;
                }
            }
            let last = builder.take().map(|batch| (vec![batch], done));
            let _ = sender.send(last);
        });
        for made in batches {
            let (batches, done) = made?;
            step(request.progress, "writing", done, table.total())?;
            for batch in batches {
                push(&batch)?;
            }
        }
        Ok(())
    })
}

fn step(progress: &Progress, name: &str, done: u64, total: Option<u64>) -> Result<()> {
    progress.step(name, total.map_or(done, |total| done.min(total)), total)
}

/// Reads the table in a thread of its own, a few chunks ahead of whoever takes them.
fn read_beside<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    request: &'env Request<'env>,
    table: &'env dyn Rows,
) -> Receiver<Result<Chunk>> {
    let (sender, chunks) = sync_channel(3);
    scope.spawn(move || {
        let done = read(request, table, &mut |chunk| match sender.send(Ok(chunk)) {
            Ok(()) => ControlFlow::Continue(()),
            // A closed queue means that the other side stopped on an error of its own.
            Err(_) => ControlFlow::Break(()),
        });
        if let Err(error) = done {
            let _ = sender.send(Err(error));
        }
    });
    chunks
}

/// Fails for a table that nobody wants: no rows, or rows that do not agree with each other.
///
/// # Errors
/// `invalid_input`.
pub(super) fn refuse_useless(request: &Request<'_>, layout: &Layout, checked: &Checked) -> Result<()> {
    let name = request.input.shown.display();
    if checked.is_mostly_ragged() {
        let error = Error::invalid(format!("cannot import `{name}`: {}", checked.ragged_sentence()));
        return Err(error.hint(way_out_of_ragged(request)));
    }
    if checked.rows > 0 {
        return Ok(());
    }
    match checked.rejected.first() {
        Some(first) => Err(Error::invalid(format!(
            "no row of `{name}` can be read; the first, on line {}: {}",
            first.line, first.reason
        ))
        .hint("check the encoding, the quote character and the kinds that were set")),
        None => Err(Error::invalid(format!("`{name}` has a header and no rows")).hint(format!(
            "if its first line (`{}`) is data, import it without a header",
            layout.names.join(", ").chars().take(60).collect::<String>()
        ))),
    }
}

fn way_out_of_ragged(request: &Request<'_>) -> String {
    let options: &ParseOptions = request.options;
    if options.format != Format::Delimited {
        return "name the cells of the table, such as `B3:F200`".to_owned();
    }
    let better = super::sniff::sniff_text(request.input).ok().map(|sniffed| sniffed.options.delimiter);
    match better.filter(|delimiter| *delimiter != options.delimiter) {
        Some(delimiter) => format!("try the delimiter `{}`", delimiter.escape_debug()),
        None => "try another delimiter or quote character, or skip the lines before the table".to_owned(),
    }
}
