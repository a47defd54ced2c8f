//! Reading content back: every blob is verified as it is read, and the whole at its end.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use base::{Error, Result};

use super::fetch::Fetch;
use super::list::{BlobList, Chunk};
use super::{Kind, Objects, corrupt};
use crate::{Digest, files};

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
        let chunks = match location.entry.kind {
            Kind::Blob => vec![Chunk { digest: *digest, size: location.entry.raw, end: None }],
            Kind::List => self.list(digest)?.chunks,
            Kind::Tree => {
                return Err(Error::invalid(format!(
                    "the object `{}` is a folder, not a file",
                    digest.short()
                )));
            }
        };
        Ok(ObjectReader {
            fetch: self.fetch(),
            digest: *digest,
            chunks: chunks.into_iter(),
            whole: blake3::Hasher::new(),
            pack: location.pack,
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
        let object = self.fetch().object(digest)?;
        BlobList::parse(&object.raw).ok_or_else(|| corrupt(digest, &object.location.pack))
    }
}

/// A content that is being read.
pub struct ObjectReader<'a> {
    fetch: Fetch<'a>,
    digest: Digest,
    chunks: std::vec::IntoIter<Chunk>,
    whole: blake3::Hasher,
    /// Where the last piece was, for the message when the whole is wrong.
    pack: String,
    rest: Vec<u8>,
    taken: usize,
}

impl ObjectReader<'_> {
    /// The next piece, verified; `None` after the last one, once the whole is verified.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when a piece is missing or not what was written.
    pub fn next_blob(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(chunk) = self.chunks.next() else {
            return match Digest::from(self.whole.finalize()) == self.digest {
                true => Ok(None),
                false => Err(corrupt(&self.digest, &self.pack)),
            };
        };
        let object = self.fetch.object(&chunk.digest)?;
        self.pack = object.location.pack;
        if object.raw.len() != chunk.size as usize || object.location.entry.kind != Kind::Blob {
            return Err(corrupt(&self.digest, &self.pack));
        }
        self.whole.update(&object.raw);
        Ok(Some(object.raw))
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
