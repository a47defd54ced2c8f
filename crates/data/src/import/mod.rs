//! Files into tables: guess how to read one ([`sniff`]), show what that gives ([`preview`]), and do
//! it ([`import`]). Rows in the table and rejected rows add up to the rows of the file, always.
//! What the formats are is in [`formats`]; here is what holds for all of them.

mod build;
mod cell;
mod check;
mod chunk;
mod columns;
mod convert;
mod decode;
mod encoding;
pub mod files;
mod folder;
mod formats;
mod header;
mod infer;
mod input;
mod json;
mod json_rows;
mod json_scan;
mod json_shape;
mod kept;
mod layout;
mod moment;
mod names;
mod options;
mod pack;
mod place;
mod records;
mod rows;
mod sample;
mod sheet;
mod sniff;
mod whole;

use std::path::Path;

use base::{Error, Progress, Result};

pub use kept::Parts;
pub use layout::MAX_COLUMNS;
pub use options::{
    DateOrder, FolderOptions, Format, ImportReport, Pack, ParseOptions, Preview, Rejected, Sniffed, Warning,
};

use decode::Fingerprint;
use formats::{Extent, Opened, Request};
use input::Input;

/// Rows that a preview shows.
const PREVIEW_ROWS: usize = 100;
/// Rejected rows that a preview shows.
const PREVIEW_REJECTED: usize = 20;

/// Guesses how to read the file or the folder at `path`, from its content and never from its name.
///
/// # Errors
/// `invalid_input` for a file that is empty, or no table in a format that is read.
pub fn sniff(path: &Path) -> Result<Sniffed> {
    if path.is_dir() { folder::sniff(path, None) } else { sniff_file(path) }
}

/// Guesses how to read these files of the folder or archive at `path`.
///
/// # Errors
/// `invalid_input` for what is neither folder nor archive, and as [`sniff`].
pub fn sniff_folder(path: &Path, files: &FolderOptions) -> Result<Sniffed> {
    if path.is_dir() {
        return folder::sniff(path, Some(files));
    }
    if pack::detect(path)? != Pack::Zip || files.as_files {
        return Err(Error::invalid(format!("`{}` is not a folder", path.display()))
            .hint("choose a folder; for one table of many files, a ZIP archive will do too"));
    }
    let unpacked = Unzipped::new(path, files, &std::env::temp_dir(), &Progress::silent())?;
    let mut sniffed = folder::sniff(unpacked.path(), Some(files))?;
    sniffed.options.pack = Pack::Zip;
    Ok(sniffed)
}

fn sniff_file(path: &Path) -> Result<Sniffed> {
    let input = Input::guess(path)?;
    let mut sniffed = formats::detect(&input.first_bytes()?).sniff(&input)?;
    let unpacked = &input.unpacked;
    sniffed.options.pack = unpacked.pack;
    if unpacked.member.is_some() {
        sniffed.options.table.clone_from(&unpacked.member);
    }
    if unpacked.members.len() > 1 {
        sniffed.tables.clone_from(&unpacked.members);
    }
    sniffed.warnings.splice(0..0, unpacked.warnings.iter().cloned());
    Ok(sniffed)
}

/// Reads the beginning of a file the way `options` say.
///
/// # Errors
/// `invalid_input` for options or a file that cannot be read at all.
pub fn preview(path: &Path, options: &ParseOptions) -> Result<Preview> {
    match &options.folder {
        Some(files) if path.is_dir() => folder::preview(path, options, files),
        Some(files) if options.pack == Pack::Zip => {
            let unpacked = Unzipped::new(path, files, &std::env::temp_dir(), &Progress::silent())?;
            folder::preview(unpacked.path(), options, files)
        }
        _ => preview_file(path, options),
    }
}

fn preview_file(path: &Path, options: &ParseOptions) -> Result<Preview> {
    let input = Input::beginning(path, options)?;
    let progress = Progress::silent();
    let request = Request { input: &input, options, extent: Extent::Head, progress: &progress };
    let mut preview = match formats::reader(options.format).open(&request)? {
        Opened::Rows(table) => rows::preview(&request, table.as_ref())?,
        Opened::Columns(table) => columns::preview(&request, table)?,
    };
    preview.warnings.splice(0..0, input.unpacked.warnings);
    Ok(preview)
}

/// Imports a file, or the files of a folder, into the table folder `out_dir`. Where the format does not give kinds, a first
/// pass finds the kind of every column and the rows to reject, and a second one writes; both hold
/// about 1 MB of text at a time.
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
    match &options.folder {
        Some(files) if path.is_dir() => folder::import(path, options, files, out_dir, progress),
        Some(files) if options.pack == Pack::Zip => {
            let unpacked = Unzipped::new(path, files, out_dir, progress)?;
            folder::import(unpacked.path(), options, files, out_dir, progress)
        }
        _ => import_file(path, options, (out_dir, None), progress),
    }
}

/// Imports a file as [`import`] does, and keeps what it has read in a folder meanwhile: killed and called
/// again, it goes on there. What is kept stays until [`Parts::remove`]. Only a plain text with
/// delimiters in UTF-8 has places to go on from; any other is read from its beginning.
///
/// # Errors
/// As [`import`]; never because of what is kept.
pub fn import_in_parts(
    path: &Path,
    options: &ParseOptions,
    (out_dir, parts): (&Path, &Parts),
    progress: &Progress,
) -> Result<ImportReport> {
    if options.folder.is_some() {
        return import(path, options, out_dir, progress);
    }
    import_file(path, options, (out_dir, Some(parts)), progress)
}

fn import_file(
    path: &Path,
    options: &ParseOptions,
    (out_dir, parts): (&Path, Option<&Parts>),
    progress: &Progress,
) -> Result<ImportReport> {
    let before = Fingerprint::of(path)?;
    let input = Input::whole(path, options, out_dir, progress)?;
    let request = Request { input: &input, options, extent: Extent::Whole, progress };
    let imported = match formats::reader(options.format).open(&request)? {
        Opened::Rows(table) => whole::import(&request, table.as_ref(), (out_dir, parts)),
        Opened::Columns(table) => columns::import(&request, table, out_dir),
    };
    before.hold(path)?;
    let mut report = imported?;
    report.warnings.splice(0..0, input.unpacked.warnings);
    Ok(report)
}

/// The files of an archive, in a folder that goes when this is dropped.
struct Unzipped(tempfile::TempDir);

impl Unzipped {
    fn new(path: &Path, files: &FolderOptions, within: &Path, progress: &Progress) -> Result<Self> {
        std::fs::create_dir_all(within).map_err(|e| Error::io("make the folder", within, &e))?;
        let dir = tempfile::tempdir_in(within).map_err(|e| Error::io("unpack into", within, &e))?;
        pack::unpack_all(path, &|name| files.takes(name), folder::MAX_FILES, dir.path(), progress)?;
        Ok(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The milliseconds of a moment whose text has one reading only, such as `2026-11-23 08:05`.
pub(crate) fn iso_moment(text: &str) -> Option<i64> {
    let moment = moment::moment(text.trim())?;
    moment.day_first.filter(|ms| moment.month_first == Some(*ms))
}

#[cfg(test)]
mod tests;
