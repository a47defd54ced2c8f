//! One of the files of a folder: how it is read, what its columns are, and its rows.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use base::{Code, Error, Progress, Result, count};

use super::unite::{Column, United};
use super::{MAX_FILES, empty};
use crate::import::build::BatchBuilder;
use crate::import::columns::Reading;
use crate::import::formats::{self, Extent, Opened, Request};
use crate::import::infer::{ColumnPlan, Tally};
use crate::import::input::Input;
use crate::import::options::{FolderOptions, ParseOptions, Rejected, Warning};
use crate::import::rows;
use crate::schema::Kind;

/// A file of a folder.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its path in the folder, with `/` between names.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
}

/// What was found in a file.
pub(super) struct Found {
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) rejected_total: u64,
    pub(super) rejected: Vec<Rejected>,
    pub(super) blank_lines: u64,
    pub(super) comment_lines: u64,
    pub(super) warnings: Vec<Warning>,
}

/// The files below `root` that the options take, sorted by path.
///
/// # Errors
/// `invalid_input` if there are none or too many; the operating system's errors.
pub(super) fn list(root: &Path, options: &FolderOptions) -> Result<Vec<Member>> {
    options.check()?;
    let mut members = Vec::new();
    walk(root, "", options, &mut members)?;
    if members.is_empty() {
        return Err(match &options.only {
            Some(pattern) => Error::invalid(format!("no file in `{}` is `{pattern}`", root.display()))
                .hint("write a pattern such as `*.csv` for names, or `2026/*.csv` for paths"),
            None => empty(root),
        });
    }
    members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(members)
}

fn walk(dir: &Path, prefix: &str, options: &FolderOptions, members: &mut Vec<Member>) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("read", dir, &e);
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let metadata = entry.metadata().map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if metadata.is_dir() {
            let prefix = format!("{name}/");
            if options.takes(&prefix) {
                walk(&path, &prefix, options, members)?;
            }
        } else if metadata.is_file() && options.takes(&name) {
            members.push(Member { name, path, size_bytes: metadata.len() });
        }
        if members.len() > MAX_FILES {
            let most = count(MAX_FILES as u64);
            return Err(Error::invalid(format!("there are more than {most} files in the folder"))
                .hint("import its folders one by one, or say which files with `only`"));
        }
    }
    Ok(())
}

impl Member {
    /// An error about this file, in which it has its name.
    pub(super) fn named(&self, root: &Path, mut error: Error) -> Error {
        if error.code == Code::Cancelled {
            return error;
        }
        let whole = self.path.display().to_string();
        let root = format!("{}{}", root.display(), std::path::MAIN_SEPARATOR);
        let clean = |text: &str| text.replace(&whole, &self.name).replace(&root, "");
        error.message = clean(&error.message);
        error.hint = error.hint.as_deref().map(clean);
        error.causes.iter_mut().for_each(|cause| *cause = clean(cause));
        if error.message.contains(&self.name) {
            error
        } else {
            error.within(format!("cannot read `{}`", self.name))
        }
    }

    /// How this file is read: as the options say if it is of their format, and as it seems to be
    /// otherwise.
    ///
    /// # Errors
    /// `invalid_input` for a file that is no table.
    pub(super) fn options(&self, options: &ParseOptions) -> Result<ParseOptions> {
        let (pack, head) = Input::taste(&self.path)?;
        let format = formats::detect(&head).format();
        let is_same = format == options.format;
        let own = if is_same { options.clone() } else { super::super::sniff_file(&self.path)?.options };
        let mut own = ParseOptions { pack, folder: None, kinds: options.kinds.clone(), ..own };
        if own.kinds.is_empty() {
            return Ok(own);
        }
        // A kind may be set for a column that another file has.
        let set = std::mem::take(&mut own.kinds);
        let input = Input::beginning(&self.path, &own)?;
        let silent = Progress::silent();
        let request = Request { input: &input, options: &own, extent: Extent::Head, progress: &silent };
        let names = match formats::reader(own.format).open(&request)? {
            Opened::Rows(table) => table.layout().names.clone(),
            Opened::Columns(table) => {
                Reading::new(&request, table.as_ref())?.columns().into_iter().map(|c| c.name).collect()
            }
        };
        own.kinds = set.into_iter().filter(|(name, _)| names.contains(name)).collect();
        Ok(own)
    }

    /// Looks at all cells of the file.
    ///
    /// # Errors
    /// As [`crate::import::import`].
    pub(super) fn survey(&self, options: &ParseOptions, folder: &Path, progress: &Progress) -> Result<Found> {
        let input = Input::whole(&self.path, options, folder, progress)?;
        let request = Request { input: &input, options, extent: Extent::Whole, progress };
        match formats::reader(options.format).open(&request)? {
            Opened::Rows(table) => survey_rows(&request, table.as_ref()),
            Opened::Columns(table) => survey_columns(&request, table.as_ref()),
        }
    }

    /// Hands the rows of the file to `push`, with columns of the kinds that all files have.
    ///
    /// # Errors
    /// As [`Self::survey`]; those of `push`.
    pub(super) fn hand_over(
        &self,
        options: &ParseOptions,
        united: &United,
        (folder, progress): (&Path, &Progress),
        push: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let input = Input::whole(&self.path, options, folder, progress)?;
        let request = Request { input: &input, options, extent: Extent::Whole, progress };
        match formats::reader(options.format).open(&request)? {
            Opened::Rows(table) => {
                let layout = table.layout();
                let plans: Vec<ColumnPlan> = layout.names.iter().map(|name| united.plan(name)).collect();
                let builder = BatchBuilder::new(layout, options, plans);
                rows::write_pass(&request, table.as_ref(), builder, push)
            }
            Opened::Columns(table) => {
                let mut reading = Reading::new(&request, table.as_ref())?;
                let kinds: Vec<Kind> =
                    reading.columns().iter().map(|column| united.plan(&column.name).kind).collect();
                reading.widen(&kinds);
                reading.hand_over(table.as_ref(), push)
            }
        }
    }
}

fn survey_rows(request: &Request<'_>, table: &dyn formats::Rows) -> Result<Found> {
    let layout = table.layout();
    let checked = rows::check_pass(request, table)?;
    // A part without rows is nothing unusual.
    if checked.rows + checked.rejected_total > 0 && checked.is_mostly_ragged() {
        rows::refuse_useless(request, layout, &checked)?;
    }
    let columns = layout.names.iter().zip(&checked.tallies).enumerate().map(|(at, (name, tally))| Column {
        name: name.clone(),
        tally: tally.clone(),
        typed: None,
        forced: layout.forced.get(&at).copied(),
    });
    Ok(Found {
        columns: columns.collect(),
        rows: checked.rows,
        rejected_total: checked.rejected_total,
        rejected: checked.rejected,
        blank_lines: checked.blank_lines,
        comment_lines: checked.comment_lines,
        warnings: layout.warnings.clone(),
    })
}

fn survey_columns(request: &Request<'_>, table: &dyn formats::Columns) -> Result<Found> {
    let mut reading = Reading::new(request, table)?;
    reading.look_through(table)?;
    let kinds = reading.columns();
    // The rows have to be counted: a row is rejected only when it is read.
    let mut rows = 0;
    reading.hand_over(table, &mut |batch| {
        rows += batch.num_rows() as u64;
        Ok(())
    })?;
    let forced = |name: &str| request.options.kinds.get(name).copied();
    let columns = kinds.iter().zip(table.schema().fields()).map(|(column, field)| Column {
        name: column.name.clone(),
        tally: Tally::default(),
        typed: (*field.data_type() != DataType::Null).then_some(column.kind),
        forced: forced(&column.name),
    });
    let columns = columns.collect();
    let warnings = reading.warnings();
    Ok(Found {
        columns,
        rows,
        rejected_total: reading.rejected_total,
        rejected: std::mem::take(&mut reading.rejected),
        blank_lines: 0,
        comment_lines: 0,
        warnings,
    })
}
