//! The import of a file of rows. The first pass finds the kind of every column and the rows to reject,
//! and writes the table with the kinds that its beginning showed; where the rest of the file has shown
//! others, a second pass writes it anew. Either goes on where an earlier import of the same file was
//! interrupted.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use base::{Result, count};

use super::build::{BatchBuilder, Made};
use super::check::{Checked, Checker};
use super::decode::changed;
use super::formats::{Request, Rows};
use super::infer::ColumnPlan;
use super::kept::{Kept, Parts, Pass, Reached};
use super::options::{ImportReport, Warning};
use super::rows::{beginning, checked, columns, read_beside, refuse_useless, step, write_marked};
use crate::schema::TableMeta;
use crate::table::TableWriter;

/// One import: what it reads, where it writes, and what it keeps meanwhile.
struct Job<'a> {
    request: &'a Request<'a>,
    table: &'a dyn Rows,
    out_dir: &'a Path,
    kept: Option<&'a Kept>,
}

/// Writes a table into `out_dir`.
///
/// # Errors
/// As [`super::import`].
pub(super) fn import(
    request: &Request<'_>,
    table: &dyn Rows,
    (out_dir, parts): (&Path, Option<&Parts>),
) -> Result<ImportReport> {
    let total = request.input.size_bytes;
    let kept = parts.filter(|_| can_go_on(request, table)).and_then(|parts| Kept::open(parts, total));
    if let Some(report) = kept.as_ref().and_then(|kept| kept.finished(out_dir)) {
        return Ok(report);
    }
    let (layout, options) = (table.layout(), request.options);
    let chunks = beginning(request, table)?;
    let guessed = checked(request, table, &chunks).plans(options, layout);
    drop(chunks);
    let job = Job { request, table, out_dir, kept: kept.as_ref() };
    let reached = job.kept.and_then(Kept::reached);
    let (reached, second) = match reached {
        Some(reached) if reached.pass == Pass::Second => (None, Some(reached)),
        reached => (reached, None),
    };
    let (checked, written, mut taken_over_bytes) = match &second {
        Some(second) => (second.checked.clone(), None, total),
        None => job.first_pass(&guessed, reached)?,
    };
    refuse_useless(request, layout, &checked)?;
    let plans = checked.plans(options, layout);
    let writer = match written {
        Some(writer) if plans == guessed => writer,
        written => {
            drop(written);
            let (writer, start) = job.second_pass(&plans, &checked, second)?;
            taken_over_bytes += start;
            writer
        }
    };
    let (file, written) = writer.finish_kept()?;
    let meta = file.meta().clone();
    if meta.rows != checked.rows {
        return Err(changed(&request.input.shown));
    }
    let report = ImportReport { taken_over_bytes, ..report(table, checked, (&plans, meta)) };
    if let Some(kept) = job.kept {
        kept.finish(&report, written)?;
    }
    Ok(report)
}

/// What is packed has no places to begin again, and no more has what is not read as it stands.
fn can_go_on(request: &Request<'_>, table: &dyn Rows) -> bool {
    use super::place::Place;
    request.input.path == request.input.shown && table.from(Place { offset: 0, line: 1 }).is_some()
}

fn report(table: &dyn Rows, checked: Checked, (plans, meta): (&[ColumnPlan], TableMeta)) -> ImportReport {
    let layout = table.layout();
    let mut warnings = layout.warnings.clone();
    warnings.extend(checked.warnings(layout, plans));
    if layout.names.len() == 1 && checked.blank_lines > 0 {
        let message = format!("{} blank lines are not rows", count(checked.blank_lines));
        warnings.push(Warning::file(message));
    }
    ImportReport {
        rows: meta.rows,
        rejected_total: checked.rejected_total,
        rejected: checked.rejected,
        blank_lines: checked.blank_lines,
        comment_lines: checked.comment_lines,
        warnings,
        taken_over_bytes: 0,
        meta,
    }
}

impl Job<'_> {
    /// Checks every row, and writes it as `plans` say until one does not fit them. Reading, checking and
    /// writing run in a thread each and hand over through short queues. Says from where on it has read.
    fn first_pass(
        &self,
        plans: &[ColumnPlan],
        reached: Option<Reached>,
    ) -> Result<(Checked, Option<TableWriter>, u64)> {
        let (layout, options) = (self.table.layout(), self.request.options);
        let (mut writer, reached) = self.writer(plans, reached)?;
        let rest = reached.as_ref().and_then(|reached| self.table.from(reached.place));
        let table = rest.as_deref().unwrap_or(self.table);
        let start = reached.as_ref().map_or(0, |reached| reached.place.offset);
        let mut marks = Kept::marks(self.kept, start);
        step(self.request.progress, "reading", start, table.total())?;
        std::thread::scope(|scope| {
            let chunks = read_beside(scope, self.request, table);
            let (sender, made) = sync_channel(2);
            let is_built = writer.is_some();
            let checking = scope.spawn(move || {
                let mut checker = match reached {
                    Some(reached) => Checker::go_on(layout, options, reached.checked),
                    None => Checker::new(layout, options),
                };
                let mut builder = is_built.then(|| BatchBuilder::new(layout, options, plans.to_vec()));
                let mut done = start;
                for chunk in chunks {
                    let made = chunk.and_then(|chunk| {
                        done = chunk.done;
                        checker.add_and_build(&chunk, &mut builder, &mut marks)
                    });
                    // The other side is gone after an error; then there is nobody to go on for.
                    if sender.send(made.map(|made| (made, done, builder.is_some()))).is_err() {
                        break;
                    }
                }
                if let Some(mut builder) = builder {
                    let _ = sender.send(builder.take().map(|batch| (vec![Made::Batch(batch)], done, true)));
                }
                checker.finish()
            });
            for made in made {
                let (made, done, fits) = made?;
                if !fits {
                    writer = None;
                }
                for made in made {
                    self.take(made, Pass::First, (&mut writer, None))?;
                }
                step(self.request.progress, "reading", done, table.total())?;
            }
            let checked = checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((checked, writer, start))
        })
    }

    /// Writes every row that the first pass accepted. Says from where on it has read.
    fn second_pass(
        &self,
        plans: &[ColumnPlan],
        checked: &Checked,
        reached: Option<Reached>,
    ) -> Result<(TableWriter, u64)> {
        let (layout, options) = (self.table.layout(), self.request.options);
        let (mut writer, reached) = self.writer(plans, reached)?;
        let rest = reached.as_ref().and_then(|reached| self.table.from(reached.place));
        let table = rest.as_deref().unwrap_or(self.table);
        let start = reached.as_ref().map_or(0, |reached| reached.place.offset);
        let rows = reached.and_then(|reached| reached.table).map_or(0, |written| written.rows);
        let builder = BatchBuilder::new(layout, options, plans.to_vec()).after(rows);
        let marks = Kept::marks(self.kept, start);
        write_marked(self.request, table, (builder, marks), &mut |made| {
            self.take(made, Pass::Second, (&mut writer, Some(checked)))
        })?;
        Ok((writer.expect("a second pass has a writer from its beginning to its end"), start))
    }

    /// Writes a batch, or keeps a place.
    fn take(
        &self,
        made: Made,
        pass: Pass,
        (writer, known): (&mut Option<TableWriter>, Option<&Checked>),
    ) -> Result<()> {
        match made {
            Made::Batch(batch) => writer.as_mut().map_or(Ok(()), |writer| writer.push(&batch)),
            Made::Mark(place, found) => {
                let (Some(kept), Some(checked)) = (self.kept, found.as_deref().or(known)) else {
                    return Ok(());
                };
                let table = match writer.as_mut() {
                    None => None,
                    Some(writer) => match writer.mark()? {
                        None => return Ok(()),
                        written => written,
                    },
                };
                kept.reach(&Reached { pass, place, checked: checked.clone(), table })
            }
        }
    }

    /// Whoever writes the table, where it can be told from where on; otherwise all begins again. There is
    /// none in a first pass that found before that the plans do not fit.
    fn writer(
        &self,
        plans: &[ColumnPlan],
        reached: Option<Reached>,
    ) -> Result<(Option<TableWriter>, Option<Reached>)> {
        let meta = TableMeta::new(columns(self.table.layout(), plans));
        let Some(kept) = self.kept else {
            return Ok((Some(TableWriter::create(self.out_dir, meta)?), None));
        };
        match reached {
            Some(reached) if reached.pass == Pass::First && reached.table.is_none() => {
                Ok((None, Some(reached)))
            }
            reached => kept.writer(self.out_dir, meta, reached),
        }
    }
}
