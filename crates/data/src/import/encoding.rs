//! Tells text from other formats and finds its encoding, from the bytes alone.

use std::io::Read as _;
use std::path::Path;

use base::{Error, Result};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::decode::decode_all;
use super::input::Input;
use super::options::Warning;

/// How far a file is read to see whether it is UTF-8. Reading goes on in the import itself, where
/// a row that is not valid is rejected with its line.
const LOOKED_AT_BYTES: u64 = 64 << 20;

/// How other formats begin and what they are called.
const FORMATS: [(&[u8], &str); 16] = [
    (b"\x89PNG", "a PNG picture"),
    (b"\xFF\xD8\xFF", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (an Excel workbook is one too)"),
    (b"\xD0\xCF\x11\xE0", "an old Excel or Word file"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"\x28\xB5\x2F\xFD", "a Zstandard archive"),
    (b"\xFD7zXZ", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xBC\xAF", "a 7z archive"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file of version 1"),
    (b"\x7FELF", "a program"),
];

/// Fails for a file whose first bytes are those of another format.
pub(super) fn refuse_other_formats(path: &Path, head: &[u8]) -> Result<()> {
    let refuse = |what: &str, hint: &str| {
        Err(Error::invalid(format!("`{}` is {what}, not a text table", path.display())).hint(hint))
    };
    if let Some((_, what)) = FORMATS.iter().find(|(mark, _)| head.starts_with(mark)) {
        return refuse(what, "let the format be guessed from the file, or export the table in it as CSV");
    }
    if head.get(257..262) == Some(b"ustar") {
        return refuse("a tar archive", "unpack it, then import the file that holds the table");
    }
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") || is_unmarked_utf_32(head) {
        return refuse("UTF-32 text", "save it as UTF-8 first");
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let lower: Vec<u8> = text.iter().take(15).map(u8::to_ascii_lowercase).collect();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") || lower.starts_with(b"<?xml") {
        return refuse("HTML or XML", "export the table in it as CSV, then import that file");
    }
    if text.starts_with(b"{\"") || text.starts_with(b"[{") || text.starts_with(b"{\n") {
        return refuse("JSON", "let the format be guessed from the file");
    }
    Ok(())
}

/// Fails for decoded text that holds NUL bytes or is mostly control characters.
pub(super) fn refuse_binary(path: &Path, text: &[u8]) -> Result<()> {
    let controls =
        text.iter().filter(|b| **b < 9 || (14..32).contains(*b)).filter(|b| !matches!(**b, 1 | 0x1A)).count();
    if controls * 100 > text.len() {
        return Err(Error::invalid(format!("`{}` is not a text file", path.display()))
            .hint("it looks like binary data; export the table as CSV from the program that made it"));
    }
    let Some(at) = text.iter().position(|b| *b == 0) else {
        return Ok(());
    };
    let line = text[..at].iter().filter(|b| **b == b'\n').count() + 1;
    Err(Error::invalid(format!("`{}` holds a NUL byte on line {line}", path.display()))
        .hint("remove the NUL bytes, or check that the file was copied in full"))
}

/// The beginning of a file as UTF-8 without its mark, if its encoding has one or is UTF-8.
pub(super) fn plain_text(head: &[u8]) -> Vec<u8> {
    let marked = Encoding::for_bom(head).map(|(encoding, _)| encoding);
    decode_all(marked.or_else(|| unmarked_utf_16(head)).unwrap_or(UTF_8), head)
}

/// The encoding of a text file and what is uncertain about it.
pub(super) fn guess(input: &Input, head: &[u8]) -> Result<(&'static Encoding, Vec<Warning>)> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok((encoding, Vec::new()));
    }
    if let Some(encoding) = unmarked_utf_16(head) {
        return Ok((
            encoding,
            vec![Warning::file(format!("the file looks like {} without a mark", encoding.name()))],
        ));
    }
    let file = input.open()?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut invalid = 0_u64;
    let mut is_utf_8 = Utf8Check::default();
    let mut reader = file.take(LOOKED_AT_BYTES);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let got = reader.read(&mut buffer).map_err(|e| Error::io("read", &input.shown, &e))?;
        if got == 0 {
            break;
        }
        let piece = &buffer[..got];
        // ASCII says nothing, and most of a file is ASCII.
        if !piece.is_ascii() {
            detector.feed(piece, false);
        }
        invalid += is_utf_8.feed(piece);
    }
    if invalid == 0 {
        return Ok((UTF_8, Vec::new()));
    }
    // Other encodings hardly ever make valid UTF-8, so a file with much of it is UTF-8 with faults.
    if is_utf_8.multi_byte > 10 * invalid {
        let message =
            format!("the file is UTF-8 but for {invalid} places; the rows around them are rejected");
        return Ok((UTF_8, vec![Warning::file(message)]));
    }
    detector.feed(&[], true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let message = format!("the file is not UTF-8; it is read as {}", encoding.name());
    Ok((encoding, vec![Warning::file(message)]))
}

/// Text in UTF-32 has three zeros in every four bytes wherever it is ASCII.
fn is_unmarked_utf_32(head: &[u8]) -> bool {
    let sample = &head[..head.len().min(4096)];
    let zeros = sample.iter().filter(|byte| **byte == 0).count();
    let is_text = |place: usize| sample.iter().skip(place).step_by(4).all(|byte| *byte != 0);
    sample.len() >= 8 && zeros * 10 >= sample.len() * 7 && (is_text(0) || is_text(3))
}

/// Text in UTF-16 has a zero in every other byte wherever it is ASCII.
fn unmarked_utf_16(head: &[u8]) -> Option<&'static Encoding> {
    let sample = &head[..head.len().min(4096)];
    if sample.len() < 4 {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = sample.len() / 2 * 7 / 10;
    match (even >= most, odd >= most) {
        (false, true) => Some(UTF_16LE),
        (true, false) => Some(UTF_16BE),
        _ => None,
    }
}

/// Checks a stream of pieces: a character may be cut between two of them.
#[derive(Default)]
struct Utf8Check {
    open: Vec<u8>,
    /// Valid characters of more than one byte.
    multi_byte: u64,
}

impl Utf8Check {
    /// How many invalid sequences the piece completes.
    fn feed(&mut self, piece: &[u8]) -> u64 {
        if self.open.is_empty() && piece.is_ascii() {
            return 0;
        }
        let mut bytes = std::mem::take(&mut self.open);
        bytes.extend_from_slice(piece);
        let mut invalid = 0;
        let mut rest = bytes.as_slice();
        while let Err(error) = std::str::from_utf8(rest) {
            self.multi_byte += leads(&rest[..error.valid_up_to()]);
            let after = error.valid_up_to() + error.error_len().unwrap_or(0);
            if error.error_len().is_none() {
                self.open = rest[after..].to_vec();
                return invalid;
            }
            invalid += 1;
            rest = &rest[after..];
        }
        self.multi_byte += leads(rest);
        invalid
    }
}

/// How many characters of more than one byte a valid text holds.
fn leads(valid: &[u8]) -> u64 {
    valid.iter().filter(|b| **b >= 0xC0).count() as u64
}
