//! Reading content back: every blob is verified as it is read, and the whole at its end.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use base::{Code, Error, Result};

use super::index::Location;
use super::pack;
use super::{Kind, Objects, corrupt, missing};
use crate::{Digest, files};

/// What a longer content is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlobList {
    /// The digest of the whole content.
    pub(super) digest: Digest,
    /// Its size.
    pub(super) total: u64,
    /// Its blobs with their sizes, in order.
    pub(super) blobs: Vec<(Digest, u32)>,
}

impl Default for BlobList {
    fn default() -> Self {
        Self { digest: Digest::of(&[]), total: 0, blobs: Vec::new() }
    }
}

impl BlobList {
    pub(super) fn push(&mut self, digest: Digest, size: usize) {
        self.total += size as u64;
        self.blobs.push((digest, u32::try_from(size).expect("a chunk has at most 256 KiB")));
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(72 + self.blobs.len() * 36);
        out.extend_from_slice(self.digest.as_bytes());
        out.extend_from_slice(&self.total.to_le_bytes());
        for (digest, size) in &self.blobs {
            out.extend_from_slice(digest.as_bytes());
            out.extend_from_slice(&size.to_le_bytes());
        }
        // Its digest is that of the content, so the list carries a hash of itself.
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// `None` when the bytes are not a list that was written.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != hash {
            return None;
        }
        let (digest, rest) = body.split_first_chunk::<32>()?;
        let (total, rest) = rest.split_first_chunk::<8>()?;
        let blobs = rest.chunks_exact(36);
        if !blobs.remainder().is_empty() {
            return None;
        }
        let blobs = blobs.map(|blob| {
            let (digest, size) = blob.split_first_chunk::<32>().expect("36 bytes");
            (Digest::from(*digest), u32::from_le_bytes(size.try_into().expect("4 bytes")))
        });
        Some(Self {
            digest: Digest::from(*digest),
            total: u64::from_le_bytes(*total),
            blobs: blobs.collect(),
        })
    }
}

impl Objects {
    /// The size of a content in bytes; of a folder, that of all its files.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is missing or damaged.
    pub fn size(&self, digest: &Digest) -> Result<u64> {
        let location = self.index.locate(digest)?;
        match location.entry.kind {
            Kind::Blob => Ok(u64::from(location.entry.raw)),
            Kind::List => Ok(self.list(digest)?.total),
            Kind::Tree => Ok(self.tree(digest)?.entries.iter().map(|entry| entry.size).sum()),
        }
    }

    /// A content, whole.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is missing or not what was written.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut reader = self.reader(digest)?;
        while let Some(blob) = reader.next_blob()? {
            out.extend_from_slice(&blob);
        }
        Ok(out)
    }

    /// A content, read piece by piece.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is missing, or is a folder.
    pub fn reader(&self, digest: &Digest) -> Result<ObjectReader<'_>> {
        let location = self.index.locate(digest)?;
        let blobs = match location.entry.kind {
            Kind::Blob => vec![(*digest, location.entry.raw)],
            Kind::List => self.list(digest)?.blobs,
            Kind::Tree => {
                return Err(Error::invalid(format!(
                    "the object `{}` is a folder, not a file",
                    digest.short()
                )));
            }
        };
        Ok(ObjectReader {
            objects: self,
            digest: *digest,
            blobs: blobs.into_iter(),
            whole: blake3::Hasher::new(),
            open: None,
            rest: Vec::new(),
            taken: 0,
        })
    }

    /// Writes a content to a file: the whole of it, or nothing.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is missing or not what was written; [`Code::DiskFull`].
    pub fn get_file(&self, digest: &Digest, to: &Path) -> Result<()> {
        let parent = files::parent_of(to);
        let mut file = files::temporary_file(parent)?;
        self.copy(digest, file.as_file_mut(), to)?;
        files::persist(file, to)?;
        files::sync_dir(parent)
    }

    pub(super) fn copy(&self, digest: &Digest, file: &mut File, to: &Path) -> Result<()> {
        let mut reader = self.reader(digest)?;
        while let Some(blob) = reader.next_blob()? {
            file.write_all(&blob).map_err(|error| files::io_error("write", to, &error))?;
        }
        Ok(())
    }

    pub(super) fn list(&self, digest: &Digest) -> Result<BlobList> {
        let (bytes, location) = self.object(digest, &mut None)?;
        BlobList::parse(&bytes).ok_or_else(|| corrupt(digest, &location.pack))
    }

    /// One object, verified. `open` keeps the pack file from one call to the next.
    pub(super) fn object(
        &self,
        digest: &Digest,
        open: &mut Option<(String, File)>,
    ) -> Result<(Vec<u8>, Location)> {
        let mut location = self.index.locate(digest)?;
        if open.as_ref().is_none_or(|(name, _)| *name != location.pack) {
            let file = match self.open_pack(&location.pack) {
                // A garbage collection may have moved the object since the index was asked.
                Err(error) if error.code == Code::NotFound => {
                    self.index.refresh(&self.packs)?;
                    location = self.index.locate(digest)?;
                    self.open_pack(&location.pack).map_err(|error| missing(digest).because(error))?
                }
                opened => opened?,
            };
            *open = Some((location.pack.clone(), file));
        }
        let (_, file) = open.as_mut().expect("opened just above");
        let packed = pack::read_packed(file, &location.entry)
            .map_err(|error| files::io_error("read", &pack::path_of(&self.packs, &location.pack), &error))?;
        let raw = packed.and_then(|packed| pack::unpack(&location.entry, &packed));
        Ok((raw.ok_or_else(|| corrupt(digest, &location.pack))?, location))
    }

    fn open_pack(&self, name: &str) -> Result<File> {
        let path = pack::path_of(&self.packs, name);
        File::open(&path).map_err(|error| files::io_error("read", &path, &error))
    }
}

/// A content that is being read.
pub struct ObjectReader<'a> {
    objects: &'a Objects,
    digest: Digest,
    blobs: std::vec::IntoIter<(Digest, u32)>,
    whole: blake3::Hasher,
    open: Option<(String, File)>,
    rest: Vec<u8>,
    taken: usize,
}

impl ObjectReader<'_> {
    /// The next piece, verified; `None` after the last one, once the whole is verified.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when a piece is missing or not what was written.
    pub fn next_blob(&mut self) -> Result<Option<Vec<u8>>> {
        let Some((digest, size)) = self.blobs.next() else {
            return match Digest::from(self.whole.finalize()) == self.digest {
                true => Ok(None),
                false => Err(corrupt(&self.digest, self.open.as_ref().map_or("", |(name, _)| name))),
            };
        };
        let (blob, location) = self.objects.object(&digest, &mut self.open)?;
        if blob.len() != size as usize || location.entry.kind != Kind::Blob {
            return Err(corrupt(&self.digest, &location.pack));
        }
        self.whole.update(&blob);
        Ok(Some(blob))
    }
}

impl Read for ObjectReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.rest.len() {
            let blob = self.next_blob().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let Some(blob) = blob else { return Ok(0) };
            (self.rest, self.taken) = (blob, 0);
        }
        let count = out.len().min(self.rest.len() - self.taken);
        out[..count].copy_from_slice(&self.rest[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
