//! What the passes over rows of cells have in common, the look at the first rows, and the passes of
//! which a folder of files needs one after the other. How one file is imported is in `whole`.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use arrow::array::RecordBatch;
use base::{Error, Progress, Result};

use super::build::{BatchBuilder, Made};
use super::check::{Checked, Checker};
use super::chunk::Chunk;
use super::decode::changed;
use super::formats::{Request, Rows, guarded};
use super::infer::ColumnPlan;
use super::layout::Layout;
use super::options::{Format, ParseOptions, Preview, Warning};
use super::place::Marks;
use super::{PREVIEW_REJECTED, PREVIEW_ROWS};
use crate::schema::Column;

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

/// The columns of the table.
pub(super) fn columns(layout: &Layout, plans: &[ColumnPlan]) -> Vec<Column> {
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
///
/// # Errors
/// As [`Rows::read`].
pub(super) fn beginning(request: &Request<'_>, table: &dyn Rows) -> Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    read(request, table, &mut |chunk| {
        let is_enough = chunk.done >= PREVIEW_BYTES || chunks.len() + 1 >= PREVIEW_CHUNKS;
        chunks.push(chunk);
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(chunks)
}

/// What the first pass finds in these chunks.
pub(super) fn checked(request: &Request<'_>, table: &dyn Rows, chunks: &[Chunk]) -> Checked {
    let mut checker = Checker::new(table.layout(), request.options);
    chunks.iter().for_each(|chunk| checker.add(chunk));
    checker.finish()
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

/// Hands the rows to `push`, batch by batch.
///
/// # Errors
/// As [`write_marked`].
pub(super) fn write_pass(
    request: &Request<'_>,
    table: &dyn Rows,
    builder: BatchBuilder,
    push: &mut dyn FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    write_marked(request, table, (builder, Marks::never()), &mut |made| match made {
        Made::Batch(batch) => push(&batch),
        Made::Mark(..) => Ok(()),
    })
}

/// Hands the rows to `take`, batch by batch, with the places to be kept between them. Reading, parsing
/// and writing run in a thread each and hand over through short queues.
///
/// # Errors
/// As [`Rows::read`]; `conflict` for a file that is not what it was; those of `take`.
pub(super) fn write_marked(
    request: &Request<'_>,
    table: &dyn Rows,
    (mut builder, mut marks): (BatchBuilder, Marks),
    take: &mut dyn FnMut(Made) -> Result<()>,
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
                    Ok((builder.add(&chunk, &mut marks).map_err(|()| changed(shown))?, done))
                });
                // The other side is gone after an error; then there is nobody to go on for.
                if sender.send(made).is_err() {
                    return;
                }
            }
            let last = builder.take().map(|batch| (vec![Made::Batch(batch)], done));
            let _ = sender.send(last);
        });
        for made in batches {
            let (made, done) = made?;
            made.into_iter().try_for_each(&mut *take)?;
            step(request.progress, "writing", done, table.total())?;
        }
        Ok(())
    })
}

/// Says how far a pass is.
///
/// # Errors
/// `cancelled`.
pub(super) fn step(progress: &Progress, name: &str, done: u64, total: Option<u64>) -> Result<()> {
    progress.step(name, total.map_or(done, |total| done.min(total)), total)
}

/// Reads the table in a thread of its own, a few chunks ahead of whoever takes them.
pub(super) fn read_beside<'scope, 'env>(
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
