//! What is known of a large file while it is put: its chunks so far, all of which are in packs that are
//! complete, so that the next put of the same file goes on reading behind them.
//!
//! ```text
//! file = part of 32 bytes, which tells the file | part*      part = length u32 | bytes | hash of both (32)
//! part = bytes so far u64 | subtrees u8 | subtree (32)* | (digest (32) | size u32 | end u32)*
//! ```
//! Parts are appended and synced; one that was cut off is as good as none. It is only a help: whatever
//! is not as it was written is not believed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base::Result;

use super::list::{BlobList, Chunk};
use super::whole::Whole;
use crate::{Digest, files};

/// Where to keep it, and of which file.
pub(super) struct Keep {
    pub(super) path: PathBuf,
    pub(super) identity: Digest,
    /// At most so much is read again.
    pub(super) every_bytes: u64,
}

/// At most one part in so many is read twice,
const SHARE: u64 = 20;
/// or so much: it takes less than a second, and a pack for less is not worth it.
const LEAST_BYTES: u64 = 16 << 20;
/// And no more than this.
const MOST_BYTES: u64 = 256 << 20;

impl Keep {
    /// In the folder `dir`, of a file of this size.
    pub(super) fn new(dir: &Path, identity: Digest, size: u64) -> Self {
        let every_bytes = (size / SHARE).clamp(LEAST_BYTES, MOST_BYTES);
        Self { path: dir.join("stored"), identity, every_bytes }
    }
}

/// The part of a put that is done.
pub(super) struct Done {
    pub(super) list: BlobList,
    pub(super) whole: Whole,
}

/// The file, held by this put alone.
pub(super) struct Kept {
    file: File,
    path: PathBuf,
    every_bytes: u64,
    chunks: usize,
    total: u64,
}

impl Kept {
    /// Opens the file, and says what was kept in it of the same content. `None` when another put has
    /// it, or it cannot be made: then nothing is kept.
    pub(super) fn open(keep: &Keep) -> Option<(Self, Option<Done>)> {
        files::create_private_dir(files::parent_of(&keep.path)).ok()?;
        let mut options = File::options();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(&keep.path).ok()?;
        file.try_lock().ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (done, length) = parse(&bytes, &keep.identity);
        file.set_len(length).ok()?;
        file.seek(SeekFrom::Start(length)).ok()?;
        if length == 0 {
            file.write_all(&part(keep.identity.as_bytes())).ok()?;
        }
        let (chunks, total) = done.as_ref().map_or((0, 0), |done| (done.list.chunks.len(), done.list.total));
        let kept = Self { file, path: keep.path.clone(), every_bytes: keep.every_bytes, chunks, total };
        Some((kept, done))
    }

    /// Forgets what was kept, which the packs do not bear out.
    pub(super) fn forget(&mut self) -> Result<()> {
        let failed = |error| files::io_error("write", &self.path, &error);
        let begin = part(&[0; 32]).len() as u64;
        self.file.set_len(begin).map_err(failed)?;
        self.file.seek(SeekFrom::Start(begin)).map_err(failed)?;
        (self.chunks, self.total) = (0, 0);
        Ok(())
    }

    /// True when enough is done that it should be kept.
    pub(super) fn is_due(&self, list: &BlobList) -> bool {
        list.total - self.total >= self.every_bytes
    }

    /// Keeps what is done; all of it is in complete packs.
    pub(super) fn add(&mut self, list: &BlobList, whole: &Whole) -> Result<()> {
        let subtrees = whole.subtrees();
        let count = u8::try_from(subtrees.len()).expect("one for each bit of a number of 64");
        let mut bytes = list.total.to_le_bytes().to_vec();
        bytes.push(count);
        subtrees.iter().for_each(|subtree| bytes.extend_from_slice(subtree));
        for chunk in &list.chunks[self.chunks..] {
            bytes.extend_from_slice(chunk.digest.as_bytes());
            bytes.extend_from_slice(&chunk.size.to_le_bytes());
            bytes.extend_from_slice(&chunk.end.unwrap_or(0).to_le_bytes());
        }
        let failed = |error| files::io_error("write", &self.path, &error);
        self.file.write_all(&part(&bytes)).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        (self.chunks, self.total) = (list.chunks.len(), list.total);
        Ok(())
    }
}

fn part(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a part tells of a gigabyte at most");
    let mut out = length.to_le_bytes().to_vec();
    out.extend_from_slice(bytes);
    let hash = blake3::hash(&out);
    out.extend_from_slice(hash.as_bytes());
    out
}

/// What was kept, and how many bytes of the file are as they were written.
fn parse(bytes: &[u8], identity: &Digest) -> (Option<Done>, u64) {
    let mut rest = bytes;
    if next_part(&mut rest) != Some(identity.as_bytes().as_slice()) {
        return (None, 0);
    }
    let (mut list, mut whole) = (BlobList::default(), None);
    let mut good = bytes.len() - rest.len();
    while let Some(found) = next_part(&mut rest).and_then(|part| read(part, &mut list)) {
        whole = Some(found);
        good = bytes.len() - rest.len();
    }
    (whole.map(|whole| Done { list, whole }), good as u64)
}

fn next_part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (hash, after) = after.split_first_chunk::<32>()?;
    let is_right = blake3::hash(&rest[..4 + part.len()]).as_bytes() == hash;
    is_right.then(|| {
        *rest = after;
        part
    })
}

/// Adds the chunks of a part to the list; nothing is added if they are not what the part says.
fn read(part: &[u8], list: &mut BlobList) -> Option<Whole> {
    let (total, rest) = part.split_first_chunk::<8>()?;
    let (&count, rest) = rest.split_first()?;
    let (subtrees, rest) = rest.split_at_checked(usize::from(count) * 32)?;
    let subtrees = subtrees.chunks_exact(32).map(|one| one.try_into().expect("32 bytes")).collect();
    let records = rest.chunks_exact(40);
    let is_whole = records.remainder().is_empty();
    let chunks: Vec<Chunk> = records.map(read_chunk).collect();
    let total = u64::from_le_bytes(*total);
    let sum = chunks.iter().map(|chunk| u64::from(chunk.size)).sum::<u64>();
    if !is_whole || list.total + sum != total {
        return None;
    }
    let whole = Whole::go_on(subtrees, total)?;
    chunks.into_iter().for_each(|chunk| list.push(chunk));
    Some(whole)
}

fn read_chunk(record: &[u8]) -> Chunk {
    let (digest, rest) = record.split_first_chunk::<32>().expect("40 bytes");
    let (size, end) = rest.split_first_chunk::<4>().expect("8 bytes");
    let end = u32::from_le_bytes(end.try_into().expect("4 bytes"));
    Chunk { digest: Digest::from(*digest), size: u32::from_le_bytes(*size), end: Some(end) }
}
