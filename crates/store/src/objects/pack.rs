//! One pack: a file of records, written once and named by the hash of its bytes.
//!
//! ```text
//! FETTLEP1 | record* | entry* | count u32 | hash of entries and count (32) | FETTLEND
//! record = header (44) | payload            entry = header (44) | offset u64
//! header = kind u8 | codec u8 | 0 u16 | stored u32 | raw u32 | digest (32)
//! ```
//! The entries at the end make opening cheap; the headers before each payload make a pack
//! readable up to the point where it was cut off. Numbers are little-endian. A codec that is not known
//! here is a newer Fettle's; nothing else about a pack can change without another magic.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use tempfile::NamedTempFile;
use zstd::bulk::Compressor;
use zstd::zstd_safe::DCtx;

use super::Kind;
use super::delta::Delta;
use super::list::BlobList;
use crate::{Digest, files};

const MAGIC: &[u8; 8] = b"FETTLEP1";
const END: &[u8; 8] = b"FETTLEND";
const HEADER: usize = 44;
const ENTRY: usize = HEADER + 8;
const TAIL: usize = 4 + 32 + 8;

/// No object is larger than this: blobs end at 256 KiB, lists of a 100 GB file at 60 MB.
const LARGEST: u32 = 1 << 30;

const RAW: u8 = 0;
const ZSTD: u8 = 1;
const DELTA: u8 = 2;

/// On CSV text in chunks of 64 KiB, level 1 with a kept compressor is four times as fast as level
/// 3 (275 to 62 MB/s on a busy core) and no larger; level 9 saves 13% at best, at 20 MB/s.
const LEVEL: i32 = 1;

/// One object in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) codec: u8,
    /// Bytes of the payload as it lies there.
    pub(super) stored: u32,
    /// Bytes of the payload unpacked.
    pub(super) raw: u32,
    pub(super) digest: Digest,
    /// Where its header begins.
    pub(super) offset: u64,
}

impl Entry {
    fn header(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0] = self.kind.code();
        out[1] = self.codec;
        out[4..8].copy_from_slice(&self.stored.to_le_bytes());
        out[8..12].copy_from_slice(&self.raw.to_le_bytes());
        out[12..].copy_from_slice(self.digest.as_bytes());
        out
    }

    /// True when it is told by other objects.
    pub(super) fn is_delta(&self) -> bool {
        self.codec == DELTA
    }

    /// `None` when the bytes cannot be a header.
    fn from_header(bytes: &[u8], offset: u64) -> Option<Self> {
        let entry = Self {
            kind: Kind::from_code(bytes[0])?,
            codec: bytes[1],
            stored: u32::from_le_bytes(bytes[4..8].try_into().ok()?),
            raw: u32::from_le_bytes(bytes[8..12].try_into().ok()?),
            digest: Digest::from(<[u8; 32]>::try_from(&bytes[12..HEADER]).ok()?),
            offset,
        };
        let fits =
            bytes[2..4] == [0, 0] && entry.codec <= DELTA && entry.raw <= LARGEST && entry.stored <= LARGEST;
        fits.then_some(entry)
    }

    /// Bytes it takes in the file, header included.
    pub(super) fn length(&self) -> u64 {
        HEADER as u64 + u64::from(self.stored)
    }
}

/// A pack that is being written. Dropped before [`PackWriter::finish`], it leaves nothing.
pub(super) struct PackWriter {
    file: NamedTempFile,
    dir: PathBuf,
    hasher: blake3::Hasher,
    compressor: Compressor<'static>,
    entries: Vec<Entry>,
    length: u64,
}

impl PackWriter {
    pub(super) fn new(dir: &Path) -> Result<Self> {
        let file = files::temporary_file(dir)?;
        let compressor =
            Compressor::new(LEVEL).map_err(|error| files::io_error("compress for", dir, &error))?;
        let mut writer = Self {
            file,
            dir: dir.to_owned(),
            hasher: blake3::Hasher::new(),
            compressor,
            entries: Vec::new(),
            length: 0,
        };
        writer.write(MAGIC)?;
        Ok(writer)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends an object; its payload is compressed where that pays.
    pub(super) fn append(&mut self, kind: Kind, digest: Digest, raw: &[u8]) -> Result<()> {
        let packed = self.compress(raw)?;
        let (codec, payload) = plain(raw, &packed);
        self.append_as(codec, kind, digest, raw, payload)
    }

    /// Appends a chunk as what changed in it, or whole where that saves less than half.
    pub(super) fn append_changed(&mut self, digest: Digest, raw: &[u8], delta: &[u8]) -> Result<()> {
        // Next to nothing is left: no need to know what the whole would take.
        if delta.len() * 10 < raw.len() {
            return self.append_as(DELTA, Kind::Blob, digest, raw, delta);
        }
        let packed = self.compress(raw)?;
        let (codec, payload) = plain(raw, &packed);
        // A delta costs the reading of its bases for ever; it has to be worth that.
        let is_worth_it = delta.len() * 2 < payload.len();
        let (codec, payload) = if is_worth_it { (DELTA, delta) } else { (codec, payload) };
        self.append_as(codec, Kind::Blob, digest, raw, payload)
    }

    fn compress(&mut self, raw: &[u8]) -> Result<Vec<u8>> {
        self.compressor.compress(raw).map_err(|error| files::io_error("compress for", &self.dir, &error))
    }

    fn append_as(&mut self, codec: u8, kind: Kind, digest: Digest, raw: &[u8], payload: &[u8]) -> Result<()> {
        let entry = Entry { kind, codec, stored: size(payload), raw: size(raw), digest, offset: self.length };
        self.append_packed(entry, payload)
    }

    /// Appends an object whose payload comes as it lies in another pack.
    pub(super) fn append_packed(&mut self, entry: Entry, payload: &[u8]) -> Result<()> {
        let entry = Entry { offset: self.length, ..entry };
        self.write(&entry.header())?;
        self.write(payload)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Completes the pack: synced, named, the folder synced.
    pub(super) fn finish(mut self) -> Result<Pack> {
        let mut tail = Vec::with_capacity(self.entries.len() * ENTRY + TAIL);
        for entry in &self.entries {
            tail.extend_from_slice(&entry.header());
            tail.extend_from_slice(&entry.offset.to_le_bytes());
        }
        let count =
            u32::try_from(self.entries.len()).expect("a pack ends at 64 MB, long before 2^32 objects");
        tail.extend_from_slice(&count.to_le_bytes());
        tail.extend_from_slice(blake3::hash(&tail).as_bytes());
        tail.extend_from_slice(END);
        self.write(&tail)?;

        let name = self.hasher.finalize().to_hex().to_string();
        let path = path_of(&self.dir, &name);
        let written =
            self.file.as_file().metadata().map_err(|error| files::io_error("read", &path, &error))?.len();
        assert_eq!(written, self.length, "the operating system wrote all that it said it wrote");
        files::persist(self.file, &path)?;
        files::sync_dir(&self.dir)?;
        Ok(Pack { name, bytes: self.length, entries: self.entries })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| files::io_error("write in", &self.dir, &error))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// A pack on the disk and what is in it.
#[derive(Debug, PartialEq)]
pub(super) struct Pack {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) entries: Vec<Entry>,
}

/// Where the pack of this name is.
pub(super) fn path_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.pack"))
}

/// What is in a pack. From one that was cut off or damaged, what stands before the damage.
pub(super) fn list(dir: &Path, name: &str) -> Result<Pack> {
    let path = path_of(dir, name);
    let failed = |error| files::io_error("read", &path, &error);
    let mut file = File::open(&path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let entries = match read_tail(&mut file, bytes).map_err(failed)? {
        Some(entries) => entries,
        // Damage would have changed the hash that is its name: this is a kind that we do not know.
        None if is_whole(dir, name)? => return Err(too_new(name)),
        None => scan(&mut file, bytes).map_err(failed)?,
    };
    Ok(Pack { name: name.to_owned(), bytes, entries })
}

/// Refuses an object whose payload only a newer Fettle can read.
///
/// # Errors
/// [`Code::TooNew`].
pub(super) fn check_known(entry: &Entry) -> Result<()> {
    if entry.codec <= DELTA { Ok(()) } else { Err(too_new(&entry.digest.to_hex())) }
}

fn too_new(name: &str) -> Error {
    let name: String = name.chars().take(12).collect();
    Error::new(Code::TooNew, format!("a newer Fettle wrote `{name}` in the objects of this workspace"))
        .hint("open it with the newer Fettle that wrote it; nothing was changed")
}

/// True when the pack ends as it was written.
pub(super) fn is_whole(dir: &Path, name: &str) -> Result<bool> {
    let path = path_of(dir, name);
    let failed = |error| files::io_error("read", &path, &error);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(&path).map_err(failed)?).map_err(failed)?;
    Ok(hasher.finalize().to_hex().as_str() == name)
}

/// The entries at the end of a pack; `None` when the end is not one.
fn read_tail(file: &mut File, bytes: u64) -> std::io::Result<Option<Vec<Entry>>> {
    if bytes < (MAGIC.len() + TAIL) as u64 {
        return Ok(None);
    }
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::End(-(TAIL as i64)))?;
    file.read_exact(&mut tail)?;
    let count = u32::from_le_bytes(tail[..4].try_into().expect("four bytes"));
    let length = u64::from(count) * ENTRY as u64;
    if &tail[36..] != END || length > bytes - (MAGIC.len() + TAIL) as u64 {
        return Ok(None);
    }
    let start = bytes - TAIL as u64 - length;
    let mut table = vec![0; length as usize + 4];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut table)?;
    if blake3::hash(&table).as_bytes() != &tail[4..36] {
        return Ok(None);
    }
    let entries = table[..length as usize].chunks_exact(ENTRY).map(|bytes| {
        let offset = u64::from_le_bytes(bytes[HEADER..].try_into().expect("eight bytes"));
        Entry::from_header(bytes, offset).filter(|entry| entry.offset + entry.length() <= start)
    });
    Ok(entries.collect())
}

/// The records from the beginning on, up to the first that is not what was written.
fn scan(file: &mut File, bytes: u64) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut offset = MAGIC.len() as u64;
    let mut header = [0; HEADER];
    let mut zstd = DCtx::create();
    while offset + HEADER as u64 <= bytes {
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut header)?;
        let Some(entry) = Entry::from_header(&header, offset) else { break };
        if offset + entry.length() > bytes {
            break;
        }
        let mut payload = vec![0; entry.stored as usize];
        file.read_exact(&mut payload)?;
        let is_right = match entry.codec {
            // Its bases may be in other packs; its own check tells as much.
            DELTA => Delta::parse(&payload).is_some(),
            _ => unpack(&mut zstd, &entry, &payload, &[]).is_some(),
        };
        if !is_right {
            break;
        }
        entries.push(entry);
        offset += entry.length();
    }
    Ok(entries)
}

/// Reads an object's payload as it lies in the pack; `None` when its header is not the expected one.
pub(super) fn read_packed(file: &mut File, entry: &Entry) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; entry.length() as usize];
    file.seek(SeekFrom::Start(entry.offset))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    if bytes[..HEADER] != entry.header() {
        return Ok(None);
    }
    bytes.drain(..HEADER);
    Ok(Some(bytes))
}

/// Unpacks and verifies a payload; `None` when it is not what was written. What a list says is
/// verified with a hash of its own, because its digest is that of the content it lists. For a
/// delta `packed` is its frame and `dictionary` its bases; for the others that is empty.
pub(super) fn unpack(
    zstd: &mut DCtx<'_>,
    entry: &Entry,
    packed: &[u8],
    dictionary: &[u8],
) -> Option<Vec<u8>> {
    let raw = match entry.codec {
        RAW => packed.to_vec(),
        _ => {
            let mut raw = Vec::with_capacity(entry.raw as usize);
            zstd.decompress_using_dict(&mut raw, packed, dictionary).ok()?;
            raw
        }
    };
    let is_right = raw.len() == entry.raw as usize
        && match entry.kind {
            Kind::Blob => Digest::of(&raw) == entry.digest,
            Kind::Tree => super::tree::digest_of(&raw) == entry.digest,
            Kind::List => BlobList::parse(&raw).is_some_and(|list| list.digest == entry.digest),
        };
    is_right.then_some(raw)
}

/// What barely shrinks is not worth unpacking at every read.
fn plain<'a>(raw: &'a [u8], packed: &'a [u8]) -> (u8, &'a [u8]) {
    if packed.len() + raw.len() / 32 < raw.len() { (ZSTD, packed) } else { (RAW, raw) }
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).ok().filter(|&size| size <= LARGEST).expect("no object is larger than 1 GiB")
}
