//! Reads a file as UTF-8 whatever its encoding is. A byte sequence that the encoding does not
//! allow becomes the byte 0xFF, which no UTF-8 text holds, so that the row around it is found.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base::{Code, Error, Result};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// What marks bytes that could not be decoded.
const UNDECODABLE: u8 = 0xFF;

/// Opens a regular, non-empty file and says how long it is.
pub(super) fn open_regular(path: &Path) -> Result<(File, u64)> {
    // The metadata comes first: opening a FIFO would wait for somebody who writes to it.
    let metadata = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
    if metadata.is_dir() {
        return Err(Error::invalid(format!("`{}` is a folder, not a file", path.display()))
            .hint("choose one file in it"));
    }
    if !metadata.is_file() {
        return Err(Error::invalid(format!("`{}` is not a regular file", path.display()))
            .hint("copy what it gives into a file and import that"));
    }
    if metadata.len() == 0 {
        return Err(Error::invalid(format!("`{}` is empty (0 bytes)", path.display()))
            .hint("choose a file with at least a header and one row"));
    }
    let file = File::open(path).map_err(|e| Error::io("read", path, &e))?;
    Ok((file, metadata.len()))
}

/// The encoding of this WHATWG name.
pub(super) fn encoding_of(name: &str) -> Result<&'static Encoding> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Error::invalid(format!("there is no encoding `{name}`"))
            .hint("use a name such as UTF-8, windows-1252, UTF-16LE or Shift_JIS")
    })
}

/// How the file looked when it was opened: if it looks otherwise later, somebody writes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size_bytes: u64,
    modified: Option<SystemTime>,
}

impl Fingerprint {
    /// How the file looks now.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
        Ok(Self { size_bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    /// Fails if the file does not look like this any more.
    pub(super) fn hold(&self, path: &Path) -> Result<()> {
        if Self::of(path)? == *self { Ok(()) } else { Err(changed(path)) }
    }
}

/// The error for a file that differs between two looks at it.
pub(super) fn changed(path: &Path) -> Error {
    Error::new(Code::Conflict, format!("`{}` changed while it was read", path.display()))
        .hint("wait until whatever writes to it has finished, then import again")
}

/// A file as a stream of UTF-8.
pub(super) struct TextSource {
    path: PathBuf,
    file: File,
    // None for UTF-8, which needs no decoding: the rows are checked later.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    is_finished: bool,
    /// Bytes of the file read so far.
    pub(super) bytes_read: u64,
}

impl TextSource {
    /// Bytes that are read in one go.
    pub(super) const READ_BYTES: usize = 1 << 20;

    /// Opens `path` to be read in `encoding`; a byte order mark is not part of the text.
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> Result<Self> {
        let (mut file, _) = open_regular(path)?;
        let mut bytes_read = 0;
        let decoder = if encoding == UTF_8 {
            let mut mark = [0; 3];
            let got = file.read(&mut mark).map_err(|e| Error::io("read", path, &e))?;
            if got == 3 && mark == [0xEF, 0xBB, 0xBF] {
                bytes_read = 3;
            } else {
                file.seek(SeekFrom::Start(0)).map_err(|e| Error::io("read", path, &e))?;
            }
            None
        } else {
            Some(encoding.new_decoder_with_bom_removal())
        };
        Ok(Self { path: path.to_owned(), file, decoder, raw: Vec::new(), is_finished: false, bytes_read })
    }

    /// Opens a file of UTF-8 to be read from this byte on.
    pub(super) fn open_at(path: &Path, offset: u64) -> Result<Self> {
        let (mut file, _) = open_regular(path)?;
        file.seek(SeekFrom::Start(offset)).map_err(|e| Error::io("read", path, &e))?;
        let (path, raw) = (path.to_owned(), Vec::new());
        Ok(Self { path, file, decoder: None, raw, is_finished: false, bytes_read: offset })
    }

    /// The byte of the file that follows what was read, where the bytes are the text.
    pub(super) fn offset(&self) -> Option<u64> {
        self.decoder.is_none().then_some(self.bytes_read)
    }

    /// Appends the next piece of text to `out`. False at the end of the file.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let Some(decoder) = &mut self.decoder else {
            let start = out.len();
            out.resize(start + Self::READ_BYTES, 0);
            let got = read_some(&mut self.file, &mut out[start..], &self.path)?;
            out.truncate(start + got);
            self.bytes_read += got as u64;
            return Ok(got > 0);
        };
        // A decoder that was told of the end must not be asked again.
        if self.is_finished {
            return Ok(false);
        }
        self.raw.resize(Self::READ_BYTES, 0);
        let got = read_some(&mut self.file, &mut self.raw, &self.path)?;
        self.bytes_read += got as u64;
        let start = out.len();
        self.is_finished = got == 0;
        decode_into(decoder, &self.raw[..got], self.is_finished, out);
        Ok(got > 0 || out.len() > start)
    }
}

fn read_some(file: &mut File, into: &mut [u8], path: &Path) -> Result<usize> {
    loop {
        match file.read(into) {
            Ok(got) => return Ok(got),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => (),
            Err(e) => return Err(Error::io("read", path, &e)),
        }
    }
}

/// Decodes a whole piece that is in memory.
pub(super) fn decode_all(encoding: &'static Encoding, bytes: &[u8]) -> Vec<u8> {
    if encoding == UTF_8 {
        return bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes).to_vec();
    }
    let mut out = Vec::new();
    decode_into(&mut encoding.new_decoder_with_bom_removal(), bytes, false, &mut out);
    out
}

fn decode_into(decoder: &mut Decoder, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) {
    loop {
        let start = out.len();
        let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 4);
        out.resize(start + room + 16, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(bytes, &mut out[start..], last);
        out.truncate(start + written);
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => (),
            DecoderResult::Malformed(..) => out.push(UNDECODABLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: &str) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("writable");
        let encoding = encoding_of(encoding).expect("known");
        let mut source = TextSource::open(file.path(), encoding).expect("opens");
        let mut out = Vec::new();
        while source.fill(&mut out).expect("reads") {}
        assert_eq!(decode_all(encoding, bytes).len(), out.len());
        out
    }

    #[test]
    fn every_encoding_becomes_utf_8_without_its_mark() {
        assert_eq!(read(b"\xEF\xBB\xBFa\xC3\xA9", "UTF-8"), "aé".as_bytes());
        assert_eq!(read(b"a\xE9\x93b\x94", "windows-1252"), "aé\u{201c}b\u{201d}".as_bytes());
        assert_eq!(read(b"\xFF\xFEa\0\xE9\0", "UTF-16LE"), "aé".as_bytes());
        assert_eq!(read(b"\xFE\xFF\0a\0\xE9", "UTF-16BE"), "aé".as_bytes());
    }

    #[test]
    fn what_cannot_be_decoded_becomes_a_byte_that_no_text_holds() {
        assert_eq!(read(b"a\xFFb\n", "Shift_JIS"), b"a\xFFb\n");
        assert_eq!(read(b"a\xFF\n", "UTF-8"), b"a\xFF\n");
    }

    #[test]
    fn a_character_that_breaks_off_at_the_end_is_one_byte_and_then_the_end() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), b"\xFF\xFEa\0b").expect("writable");
        let mut source = TextSource::open(file.path(), encoding_rs::UTF_16LE).expect("opens");
        let mut out = Vec::new();
        while source.fill(&mut out).expect("reads") {}
        assert!(!source.fill(&mut out).expect("the end stays the end"));
        assert_eq!(out, b"a\xFF");
    }

    #[test]
    fn only_a_regular_file_with_content_is_opened() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder_error = open_regular(folder.path()).expect_err("a folder");
        assert!(folder_error.message.ends_with("is a folder, not a file"), "{folder_error}");
        let empty = folder.path().join("empty.csv");
        std::fs::write(&empty, b"").expect("writable");
        assert_eq!(open_regular(&empty).expect_err("empty").code, Code::InvalidInput);
        assert_eq!(open_regular(&folder.path().join("none.csv")).expect_err("absent").code, Code::NotFound);
    }
}
