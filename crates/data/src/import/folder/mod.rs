//! Many files as one table: those below a folder, in the order of their paths. Columns are united
//! by their names and hold what every file has in them; a column that a file lacks is missing in
//! its rows. Each file is read twice, one after the other, and none is held open.

mod member;
mod partition;
mod unite;

use std::path::Path;

use arrow::array::RecordBatch;
use base::{Cancel, Error, Progress, Result, count};

use super::check::MAX_REJECTED;
use super::options::{FolderOptions, ImportReport, ParseOptions, Preview, Rejected, Sniffed, Warning};
use super::{PREVIEW_REJECTED, PREVIEW_ROWS, files};
use crate::schema::TableMeta;
use crate::table::TableWriter;
use member::Member;
use unite::United;

/// A folder of more files is refused.
pub(super) const MAX_FILES: usize = 100_000;
/// So many files are looked at to guess what a folder holds, and for a preview.
const TASTED: usize = 50;
const PREVIEWED: usize = 5;

impl FolderOptions {
    /// True if the file of this path in the folder is read, or the folder (whose path ends in `/`)
    /// looked into. What begins with `.` or `_` belongs to a program and not to the data.
    pub fn takes(&self, path: &str) -> bool {
        let is_hidden = |part: &str| part.starts_with(['.', '_']);
        if path.split('/').any(is_hidden) {
            return false;
        }
        let Some(pattern) = &self.only else { return true };
        if path.ends_with('/') {
            return true;
        }
        // As in git, a pattern without a folder is one for names.
        let subject = if pattern.contains('/') { path } else { path.rsplit('/').next().unwrap_or(path) };
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(subject, options))
    }

    /// Says whether these options can be meant.
    ///
    /// # Errors
    /// `invalid_input` for a pattern that is none.
    pub fn check(&self) -> Result<()> {
        let Some(pattern) = &self.only else { return Ok(()) };
        glob::Pattern::new(pattern).map(drop).map_err(|e| {
            Error::invalid(format!("`{pattern}` is not a pattern for files"))
                .because(e)
                .hint("write one such as `*.csv` or `2026/**/*.csv`")
        })
    }
}

/// Guesses how to read the files of a folder: most of them as tables, or as files.
///
/// # Errors
/// `invalid_input` for a folder without files, or files that cannot be read.
pub(super) fn sniff(root: &Path, wanted: Option<&FolderOptions>) -> Result<Sniffed> {
    let mut options = wanted.cloned().unwrap_or_default();
    let members = member::list(root, &options)?;
    if wanted.is_none() {
        let tasted = &members[..members.len().min(TASTED)];
        let no_tables = tasted.iter().filter(|member| !files::may_be_table(&member.path)).count();
        options.as_files = no_tables * 2 > tasted.len();
    }
    let amount = count(members.len() as u64);
    if options.as_files {
        let parse = ParseOptions { folder: Some(options), ..ParseOptions::default() };
        let warnings = vec![Warning::file(format!("each of {amount} files is a row"))];
        return Ok(Sniffed { options: parse, confidence: 1.0, tables: Vec::new(), warnings });
    }
    let first = members.iter().find(|member| member.size_bytes > 0).ok_or_else(|| empty(root))?;
    let mut sniffed = super::sniff_file(&first.path).map_err(|e| first.named(root, e))?;
    let partitions = partition::Partitions::of(&members, &options);
    let names: Vec<String> = partitions.columns.iter().map(|one| format!("`{}`", one.name)).collect();
    if !names.is_empty() {
        let word = if names.len() == 1 { "column" } else { "columns" };
        let message = format!("the names of folders make the {word} {}", names.join(", "));
        sniffed.warnings.insert(0, Warning::file(message));
    }
    sniffed.options.folder = Some(options);
    let word = if members.len() == 1 { "file" } else { "files" };
    sniffed.warnings.insert(0, Warning::file(format!("the rows of {amount} {word} are one table")));
    Ok(sniffed)
}

/// The first rows of the first files.
///
/// # Errors
/// As [`import`].
pub(super) fn preview(root: &Path, options: &ParseOptions, folder: &FolderOptions) -> Result<Preview> {
    folder.check()?;
    let members = member::list(root, folder)?;
    if folder.as_files {
        return files::preview(root, members.iter().map(|member| member.name.as_str()));
    }
    let partitions = partition::Partitions::of(&members, folder);
    let (mut previews, mut warnings, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows_seen, mut rows) = (0, 0);
    for member in members.iter().filter(|member| member.size_bytes > 0).take(PREVIEWED) {
        let own = member.options(options).map_err(|e| member.named(root, e))?;
        let mut preview = super::preview_file(&member.path, &own).map_err(|e| member.named(root, e))?;
        let in_file = |row: Rejected| Rejected { file: Some(member.name.clone()), ..row };
        rejected.extend(std::mem::take(&mut preview.rejected).into_iter().map(in_file));
        warnings.append(&mut preview.warnings);
        rows_seen += preview.rows_seen;
        rows += preview.rows.len();
        previews.push((member, preview));
        if rows >= PREVIEW_ROWS {
            break;
        }
    }
    if previews.is_empty() {
        return Err(empty(root));
    }
    rejected.truncate(PREVIEW_REJECTED);
    warnings.dedup();
    let (columns, mut rows) = unite::previews(&previews, &partitions, folder);
    rows.truncate(PREVIEW_ROWS);
    Ok(Preview { columns, rows, rows_seen, warnings, rejected })
}

/// Writes the rows of all files into `out_dir`.
///
/// # Errors
/// As [`super::import`]; `invalid_input` that names a file which does not fit the others.
pub(super) fn import(
    root: &Path,
    options: &ParseOptions,
    folder: &FolderOptions,
    out_dir: &Path,
    progress: &Progress,
) -> Result<ImportReport> {
    folder.check()?;
    if folder.as_files {
        return Err(Error::internal("a table of files is made from what is known of them"));
    }
    let members = member::list(root, folder)?;
    let mut work = Work { root, options, out_dir, progress, members: &members };
    let partitions = partition::Partitions::of(&members, folder);
    let mut united = United::new(options);
    let mut report = Report::default();
    work.survey(&mut united, &mut report)?;
    if united.rows == 0 {
        return Err(report.no_rows(root));
    }
    united.refuse_unknown_kinds(&partitions)?;
    let columns = united.columns(&partitions, folder)?;
    let mut writer = TableWriter::create(out_dir, TableMeta::new(columns.clone()))?;
    let frame = unite::Frame::new(&columns, &united, &partitions, folder);
    work.write(&united, &frame, &mut |batch| writer.push(batch))?;
    let meta = writer.finish()?.meta().clone();
    if meta.rows != united.rows {
        return Err(super::decode::changed(root));
    }
    report.warnings.splice(0..0, united.warnings(members.len() as u64));
    report.warnings.dedup();
    Ok(ImportReport {
        rows: meta.rows,
        rejected_total: report.rejected_total,
        rejected: report.rejected,
        blank_lines: report.blank_lines,
        comment_lines: report.comment_lines,
        taken_over_bytes: 0,
        warnings: report.warnings,
        meta,
    })
}

fn empty(root: &Path) -> Error {
    Error::invalid(format!("there is no file to read in `{}`", root.display()))
        .hint("choose a folder with tables in it; names that begin with `.` or `_` are left out")
}

/// What the files say beside their rows.
#[derive(Default)]
struct Report {
    rejected_total: u64,
    rejected: Vec<Rejected>,
    blank_lines: u64,
    comment_lines: u64,
    warnings: Vec<Warning>,
}

impl Report {
    fn reject(&mut self, file: &str, total: u64, rows: Vec<Rejected>) {
        self.rejected_total += total;
        let room = MAX_REJECTED - self.rejected.len();
        self.rejected
            .extend(rows.into_iter().take(room).map(|row| Rejected { file: Some(file.to_owned()), ..row }));
    }

    fn no_rows(&self, root: &Path) -> Error {
        let Some(first) = self.rejected.first() else {
            return Error::invalid(format!("no file in `{}` has a row", root.display()))
                .hint("choose a folder with tables in it");
        };
        let file = first.file.as_deref().unwrap_or_default();
        let (line, reason) = (first.line, &first.reason);
        Error::invalid(format!("no row can be read; the first, on line {line} of `{file}`: {reason}"))
            .hint("check the encoding, the quote character and the kinds that were set")
    }
}

/// The two passes over the files.
struct Work<'a> {
    root: &'a Path,
    options: &'a ParseOptions,
    out_dir: &'a Path,
    progress: &'a Progress,
    members: &'a [Member],
}

impl Work<'_> {
    /// Learns of the columns of all files.
    fn survey(&mut self, united: &mut United, report: &mut Report) -> Result<()> {
        self.each("checking", &mut |member, progress| {
            let own = member.options(self.options)?;
            let found = member.survey(&own, self.out_dir, progress)?;
            report.reject(&member.name, found.rejected_total, found.rejected);
            report.blank_lines += found.blank_lines;
            report.comment_lines += found.comment_lines;
            report.warnings.extend(found.warnings);
            united.rows += found.rows;
            united.add(&member.name, &found.columns)
        })
    }

    /// Hands all rows over in the columns of the frame.
    fn write(
        &self,
        united: &United,
        frame: &unite::Frame<'_>,
        push: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.each("writing", &mut |member, progress| {
            let own = member.options(self.options)?;
            let place = frame.place(&member.name);
            member.hand_over(&own, united, (self.out_dir, progress), &mut |batch| push(&place.fit(batch)?))
        })
    }

    /// Does something with every file that holds bytes, and says how far that is.
    fn each(&self, stage: &str, work: &mut dyn FnMut(&Member, &Progress) -> Result<()>) -> Result<()> {
        let total: u64 = self.members.iter().map(|member| member.size_bytes).sum();
        let mut done = 0;
        for member in self.members.iter().filter(|member| member.size_bytes > 0) {
            self.progress.step(stage, done, Some(total))?;
            let inner = quiet(self.progress.cancel());
            work(member, &inner).map_err(|e| member.named(self.root, e))?;
            done += member.size_bytes;
        }
        self.progress.step(stage, done, Some(total))
    }
}

/// Progress within a file, of which only the cancelling matters.
fn quiet(cancel: &Cancel) -> Progress {
    Progress::new(cancel.clone(), |_| ())
}

#[cfg(test)]
mod tests;
