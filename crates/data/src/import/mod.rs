//! Delimited text (CSV, TSV and their kin) into tables: guess how to read it ([`sniff`]), show
//! what that gives ([`preview`]), and do it ([`import`]). Rows in the table and rejected rows add
//! up to the rows of the file, always. Other formats are refused with a way out, not read.

mod build;
mod cell;
mod check;
mod decode;
mod encoding;
mod infer;
mod layout;
mod moment;
mod names;
mod options;
mod records;
mod sniff;

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use base::{Error, Progress, Result, count};

pub use layout::MAX_COLUMNS;
pub use options::{DateOrder, ImportReport, ParseOptions, Preview, Rejected, Sniffed, Warning};
pub use sniff::sniff;

use build::BatchBuilder;
use check::{Checked, Checker};
use decode::{Fingerprint, TextSource, changed, encoding_of, open_regular};
use layout::Layout;
use records::{Chunk, RecordReader, cut};
use sniff::Head;

use crate::schema::{Column, TableMeta};
use crate::table::TableWriter;

/// Rows that a preview shows.
const PREVIEW_ROWS: usize = 100;

/// Reads the beginning of a file the way `options` say.
///
/// # Errors
/// `invalid_input` for options or a file that cannot be read at all.
pub fn preview(path: &Path, options: &ParseOptions) -> Result<Preview> {
    let head = Head::read(path, &options.encoding)?;
    let layout = Layout::read(path, &head, options)?;
    let chunk = cut(head.text, layout.dialect, options.skip_lines, head.is_whole);
    let mut checker = Checker::new(&layout, options);
    checker.add(&chunk);
    let checked = checker.finish();
    let plans = checked.plans(options, &layout);
    let columns = columns(&layout, &plans);
    let mut builder = BatchBuilder::new(&layout, options, plans.clone());
    let mut taken = 0;
    for record in chunk.records().skip(usize::from(options.header)) {
        if taken == PREVIEW_ROWS {
            break;
        }
        taken += usize::from(builder.append(record).map_err(|()| changed(path))?);
    }
    let mut rows = Vec::new();
    crate::page::append_rows(&builder.take()?, &mut rows)?;
    let mut warnings = layout.warnings.clone();
    warnings.extend(checked.warnings(&layout, &plans));
    if checked.rows == 0 && checked.rejected_total == 0 {
        warnings.push(Warning::file("the file has a header and no rows"));
    }
    if checked.is_mostly_ragged() {
        warnings.push(Warning::file(checked.ragged_sentence()));
    }
    let mut rejected = checked.rejected;
    rejected.truncate(20);
    let rows_seen = checked.rows + checked.rejected_total;
    Ok(Preview { columns, rows, rows_seen, warnings, rejected })
}

/// Imports a file into the table folder `out_dir`. The first pass finds the kind of every column
/// and the rows to reject, the second writes; both hold about 1 MB of text at a time.
///
/// # Errors
/// `invalid_input` for a file that is no table the way `options` read it, `conflict` if it
/// changes meanwhile, `cancelled`, and the operating system's errors. Nothing is left behind.
pub fn import(
    path: &Path,
    options: &ParseOptions,
    out_dir: &Path,
    progress: &Progress,
) -> Result<ImportReport> {
    let before = Fingerprint::of(path)?;
    let head = Head::read(path, &options.encoding)?;
    encoding::refuse_other_formats(path, &head.text)?;
    encoding::refuse_binary(path, &head.text)?;
    let layout = Layout::read(path, &head, options)?;
    drop(head);
    let checked = check_pass(path, options, &layout, progress)?;
    refuse_useless(path, options, &layout, &checked)?;
    let plans = checked.plans(options, &layout);
    let meta = TableMeta::new(columns(&layout, &plans));
    let writer = TableWriter::create(out_dir, meta)?;
    let written = write_pass(
        path,
        &layout,
        options,
        BatchBuilder::new(&layout, options, plans.clone()),
        writer,
        progress,
    );
    before.hold(path)?;
    let meta = written?;
    if meta.rows != checked.rows {
        return Err(changed(path));
    }
    let mut warnings = layout.warnings.clone();
    warnings.extend(checked.warnings(&layout, &plans));
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

fn columns(layout: &Layout, plans: &[infer::ColumnPlan]) -> Vec<Column> {
    layout.names.iter().zip(plans).map(|(name, plan)| Column::new(name, plan.kind)).collect()
}

fn check_pass(path: &Path, options: &ParseOptions, layout: &Layout, progress: &Progress) -> Result<Checked> {
    let (_, size_bytes) = open_regular(path)?;
    let mut checker = Checker::new(layout, options);
    let reader = reader(path, options, layout)?;
    std::thread::scope(|scope| {
        let chunks = read_beside(scope, reader);
        for chunk in chunks {
            let chunk = chunk?;
            progress.step("checking", chunk.bytes_read.min(size_bytes), Some(size_bytes))?;
            checker.add(&chunk);
        }
        Ok(checker.finish())
    })
}

/// Cutting, parsing and writing run in a thread each and hand over through short queues.
fn write_pass(
    path: &Path,
    layout: &Layout,
    options: &ParseOptions,
    mut builder: BatchBuilder,
    mut writer: TableWriter,
    progress: &Progress,
) -> Result<TableMeta> {
    let (_, size_bytes) = open_regular(path)?;
    let reader = reader(path, options, layout)?;
    let has_header = options.header;
    std::thread::scope(|scope| {
        let chunks = read_beside(scope, reader);
        let (sender, batches) = sync_channel(2);
        scope.spawn(move || {
            let mut is_first = has_header;
            for chunk in chunks {
                let made = chunk.and_then(|chunk| {
                    let batches = builder.add(&chunk, &mut is_first).map_err(|()| changed(path))?;
                    Ok((batches, chunk.bytes_read))
                });
                // The other side is gone after an error; then there is nobody to go on for.
                if sender.send(made).is_err() {
                    return;
                }
            }
            let last = builder.take().map(|batch| (vec![batch], size_bytes));
            let _ = sender.send(last);
        });
        for made in batches {
            let (batches, bytes_read) = made?;
            progress.step("writing", bytes_read.min(size_bytes), Some(size_bytes))?;
            for batch in batches {
                writer.push(&batch)?;
            }
        }
        Ok(writer.finish()?.meta().clone())
    })
}

fn reader(path: &Path, options: &ParseOptions, layout: &Layout) -> Result<RecordReader> {
    let source = TextSource::open(path, encoding_of(&options.encoding)?)?;
    Ok(RecordReader::new(source, layout.dialect, options.skip_lines))
}

/// Cuts the file in a thread of its own, a few chunks ahead of whoever takes them.
fn read_beside<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    mut reader: RecordReader,
) -> Receiver<Result<Chunk>> {
    let (sender, chunks) = sync_channel(3);
    scope.spawn(move || {
        while let Some(chunk) = reader.next_chunk().transpose() {
            let is_last = chunk.is_err();
            // A closed queue means that the other side stopped on an error of its own.
            if sender.send(chunk).is_err() || is_last {
                return;
            }
        }
    });
    chunks
}

/// Fails for a table that nobody wants: no rows, or rows that do not agree with each other.
fn refuse_useless(path: &Path, options: &ParseOptions, layout: &Layout, checked: &Checked) -> Result<()> {
    let name = path.display();
    if checked.is_mostly_ragged() {
        let error = Error::invalid(format!("cannot import `{name}`: {}", checked.ragged_sentence()));
        let better = sniff(path).ok().map(|sniffed| sniffed.options.delimiter);
        return Err(match better.filter(|delimiter| *delimiter != options.delimiter) {
            Some(delimiter) => error.hint(format!("try the delimiter `{}`", delimiter.escape_debug())),
            None => {
                error.hint("try another delimiter or quote character, or skip the lines before the table")
            }
        });
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

/// The milliseconds of a moment whose text has one reading only, such as `2026-11-23 08:05`.
pub(crate) fn iso_moment(text: &str) -> Option<i64> {
    let moment = moment::moment(text.trim())?;
    moment.day_first.filter(|ms| moment.month_first == Some(*ms))
}

#[cfg(test)]
mod tests;
