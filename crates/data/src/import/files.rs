//! Files as rows: what can be told of a file by looking at its first bytes. The bytes themselves are
//! kept elsewhere; this only looks.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use base::{Error, Progress, Result};
use serde::{Deserialize, Serialize};

use super::formats;
use super::options::{Format, ParseOptions, Preview, Warning};
use super::{PREVIEW_ROWS, pack};
use crate::schema::{Column, Kind};

/// As much of a file as tells what it is, and how large the picture in it: cameras write some
/// hundred kilobytes of their own before it.
const HEAD_BYTES: u64 = 512 << 10;

/// The columns of a table of files.
const COLUMNS: [(&str, Kind); 8] = [
    ("path", Kind::Text),
    ("size", Kind::Integer),
    ("media_type", Kind::Text),
    ("modified", Kind::Time),
    ("width", Kind::Integer),
    ("height", Kind::Integer),
    ("label", Kind::Text),
    ("blake3", Kind::Text),
];

/// A row of a table of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// Where the file is in its folder, with `/` between names.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// What it is by its content, such as `image/png`.
    pub media_type: String,
    /// When it was last changed, in UTC to the millisecond.
    pub modified: Option<String>,
    /// The width of a picture in pixels.
    pub width: Option<u64>,
    /// The height of a picture in pixels.
    pub height: Option<u64>,
    /// The name of the folder that it lies in; none for one that lies in no folder below the whole.
    pub label: Option<String>,
    /// The BLAKE3 hash of its bytes, in hexadecimal digits.
    pub blake3: String,
}

/// How a file of [`FileRow`]s, one as JSON on each line, becomes a table.
pub fn row_options() -> ParseOptions {
    let kinds = COLUMNS.map(|(name, kind)| (name.to_owned(), kind));
    ParseOptions { format: Format::JsonLines, kinds: kinds.into(), ..ParseOptions::default() }
}

/// Looks at the files of these paths below `root`. Their hashes are left empty.
///
/// # Errors
/// `cancelled`; a file that cannot be read.
pub fn look<'a>(
    root: &Path,
    paths: impl ExactSizeIterator<Item = &'a str>,
    progress: &Progress,
) -> Result<Vec<FileRow>> {
    let total = Some(paths.len() as u64);
    let mut head = Vec::new();
    let mut rows = Vec::with_capacity(paths.len());
    for (done, path) in paths.enumerate() {
        progress.step("looking at files", done as u64, total)?;
        rows.push(row(root, path, &mut head)?);
    }
    Ok(rows)
}

fn row(root: &Path, path: &str, head: &mut Vec<u8>) -> Result<FileRow> {
    let place = root.join(path);
    let failed = |e: std::io::Error| Error::io("read", &place, &e);
    let file = File::open(&place).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    head.clear();
    // Most pictures say it all at once.
    (&file).take(16 << 10).read_to_end(head).map_err(failed)?;
    let media_type = media_type(head);
    let mut size = picture(media_type, head);
    if size.is_none() && media_type.starts_with("image/") && metadata.len() > head.len() as u64 {
        (&file).take(HEAD_BYTES).read_to_end(head).map_err(failed)?;
        size = picture(media_type, head);
    }
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| i64::try_from(since.as_millis()).ok());
    let folder = path.rsplit_once('/').map(|(folders, _)| folders);
    Ok(FileRow {
        path: path.to_owned(),
        size: metadata.len(),
        media_type: media_type.to_owned(),
        modified: modified.map(|ms| base::Timestamp(ms).to_string()),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        label: folder.map(|folders| folders.rsplit('/').next().unwrap_or(folders).to_owned()),
        blake3: String::new(),
    })
}

/// What the bytes are that begin with `head`.
fn media_type(head: &[u8]) -> &'static str {
    if head.is_empty() {
        return "application/x-empty";
    }
    if let Some(known) = infer::get(head) {
        return known.mime_type();
    }
    match formats::detect(head).format() {
        Format::Parquet => return "application/vnd.apache.parquet",
        Format::Arrow => return "application/vnd.apache.arrow.file",
        Format::Sqlite => return "application/vnd.sqlite3",
        Format::JsonLines | Format::Json => return "application/json",
        Format::Excel | Format::Delimited => (),
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |word: &str| start.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
    if begins("<svg") || (begins("<?xml") && text.contains("<svg")) {
        return "image/svg+xml";
    }
    if begins("<!doctype html") || begins("<html") {
        return "text/html";
    }
    if begins("<?xml") {
        return "application/xml";
    }
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0C | 0x1B);
    // The head may end within a character.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true);
    if is_utf8 && !head.iter().any(is_control) { "text/plain" } else { "application/octet-stream" }
}

fn picture(media_type: &str, head: &[u8]) -> Option<(u64, u64)> {
    if !media_type.starts_with("image/") {
        return None;
    }
    // The parser is other people's, and files from strangers make some of them panic.
    let size = std::panic::catch_unwind(|| imagesize::blob_size(head)).ok()?.ok()?;
    Some((size.width as u64, size.height as u64))
}

/// False for a file that is surely no table: a picture, a sound, a film, a page to print.
pub(super) fn may_be_table(path: &Path) -> bool {
    // What is packed may be a table, and what cannot be read is found out when it is read.
    if pack::detect(path).is_ok_and(|pack| pack != super::Pack::None) {
        return true;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16 << 10).read_to_end(&mut head));
    let is_seen = ["image/", "audio/", "video/", "font/", "application/pdf", "application/octet-stream"];
    read.is_err() || !is_seen.iter().any(|kind| media_type(&head).starts_with(kind)) || is_wide_text(&head)
}

/// Texts in UTF-16 are full of zeros and begin with a mark.
fn is_wide_text(head: &[u8]) -> bool {
    matches!(head, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
}

/// The first rows of a table of files.
///
/// # Errors
/// As [`look`].
pub(super) fn preview<'a>(root: &Path, paths: impl ExactSizeIterator<Item = &'a str>) -> Result<Preview> {
    let all = paths.len();
    let first: Vec<&str> = paths.take(PREVIEW_ROWS).collect();
    let rows = look(root, first.into_iter(), &Progress::silent())?;
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let cells = |row: FileRow| {
        let FileRow { path, size, media_type, modified, width, height, label, blake3: _ } = row;
        let (width, height) = (number(width), number(height));
        // Hashes are made when the bytes are stored.
        vec![Some(path), number(Some(size)), Some(media_type), modified, width, height, label, None]
    };
    let columns = COLUMNS.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
    let message = format!("each of {} files is a row", base::count(all as u64));
    Ok(Preview {
        columns,
        rows: rows.into_iter().map(cells).collect(),
        rows_seen: all as u64,
        warnings: vec![Warning::file(message)],
        rejected: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a PNG of this size: a signature and the header's chunk.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.extend_from_slice(&[8, 2, 0, 0, 0, 1, 2, 3, 4]);
        bytes
    }

    #[test]
    fn a_file_is_known_by_its_content_and_a_picture_by_its_size() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("train/cat")).expect("made");
        let gif = [b"GIF89a".as_slice(), &[7, 0, 5, 0, 0, 0, 0]].concat();
        type Sample<'a> = (&'a str, &'a [u8], &'a str, Option<(u64, u64)>);
        let files: [Sample<'_>; 8] = [
            ("train/cat/1.txt", &png(640, 480), "image/png", Some((640, 480))),
            ("train/2.bin", &gif, "image/gif", Some((7, 5))),
            ("3.csv", b"%PDF-1.7 \n", "application/pdf", None),
            ("4", b"<svg xmlns='x'/>", "image/svg+xml", None),
            ("5", "Grüße".as_bytes(), "text/plain", None),
            ("6", b"\0\x01\x02", "application/octet-stream", None),
            ("7", b"", "application/x-empty", None),
            ("8", b"\x89PNG\r\n\x1a\n\0\0", "image/png", None),
        ];
        for (path, bytes, _, _) in &files {
            std::fs::write(dir.path().join(path), bytes).expect("written");
        }
        let paths: Vec<&str> = files.iter().map(|file| file.0).collect();
        let rows = look(dir.path(), paths.into_iter(), &Progress::silent()).expect("readable");
        for (row, (path, bytes, media_type, size)) in rows.iter().zip(&files) {
            let found = (row.path.as_str(), row.size, row.media_type.as_str(), row.width.zip(row.height));
            assert_eq!(found, (*path, bytes.len() as u64, *media_type, *size));
            assert!(row.modified.is_some());
        }
        let labels: Vec<_> = rows.iter().map(|row| row.label.as_deref()).collect();
        assert_eq!(labels[..3], [Some("cat"), Some("train"), None]);
    }

    #[test]
    fn rows_written_as_json_are_a_table_of_these_columns() {
        let row = FileRow {
            path: "2026-01-02".to_owned(),
            size: 3,
            media_type: "text/plain".to_owned(),
            modified: Some("2026-01-02T03:04:05.006Z".to_owned()),
            width: None,
            height: None,
            label: Some("007".to_owned()),
            blake3: "ab".repeat(32),
        };
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("rows");
        std::fs::write(&file, serde_json::to_string(&row).expect("JSON") + "\n").expect("written");
        let out = dir.path().join("table");
        let report =
            crate::import::import(&file, &row_options(), &out, &Progress::silent()).expect("a table");
        let columns: Vec<_> = report.meta.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
        assert_eq!(columns, COLUMNS);
        let page = crate::TableFile::open(&out).expect("open").page(0, 1, None).expect("a page");
        let cell = |at: usize| page.rows[0][at].as_deref();
        assert_eq!(
            (cell(0), cell(3), cell(6)),
            (Some("2026-01-02"), Some("2026-01-02 03:04:05.006"), Some("007"))
        );
    }
}
