//! Putting content: cut into chunks, kept when new, packed, and one sync per pack.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use fastcdc::v2020::{self, StreamCDC};

use super::Kind;
use super::index::Index;
use super::pack::{self, PackWriter};
use super::reader::BlobList;
use crate::{Digest, files};

/// Chunks of 16 to 256 KiB, 64 on average: small enough that a changed row costs little, large
/// enough that a gigabyte has 16,000 of them, not a million.
const CHUNK: (usize, usize, usize) = (16 << 10, 64 << 10, 256 << 10);

/// A pack is closed when it is this large: one sync per 64 MB, and a garbage collection copies
/// little for one live object.
const PACK_BYTES: u64 = 64 << 20;

/// One put: as many packs as it takes. Nothing counts before [`Writer::finish`].
pub(super) struct Writer<'a> {
    dir: PathBuf,
    index: &'a Index,
    pack: Option<PackWriter>,
    /// What is in the pack under way, which the index does not know yet.
    pending: HashSet<Digest>,
    /// Packs that were looked for, and whether they are there.
    packs: HashMap<String, bool>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dir: &Path, index: &'a Index) -> Self {
        Self { dir: dir.to_owned(), index, pack: None, pending: HashSet::new(), packs: HashMap::new() }
    }

    /// Puts a file; gives its digest and its size.
    pub(super) fn put_file(&mut self, path: &Path, progress: &Progress) -> Result<(Digest, u64)> {
        let failed = |error| files::io_error("read", path, &error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(Error::invalid(format!("`{}` is not a file", path.display())));
        }
        self.put_content(file, Some(metadata.len()), progress).map_err(|error| match error.code {
            Code::Unavailable => error.within(format!("cannot store `{}`", path.display())),
            _ => error,
        })
    }

    /// Puts all that a reader gives; gives its digest and its size.
    pub(super) fn put_content(
        &mut self,
        reader: impl Read,
        total: Option<u64>,
        progress: &Progress,
    ) -> Result<(Digest, u64)> {
        let mut whole = blake3::Hasher::new();
        let mut list = BlobList::default();
        for chunk in StreamCDC::new(reader, CHUNK.0, CHUNK.1, CHUNK.2) {
            let chunk = chunk.map_err(read_error)?.data;
            whole.update(&chunk);
            let digest = Digest::of(&chunk);
            self.put(Kind::Blob, digest, &chunk)?;
            list.push(digest, chunk.len());
            progress.step("storing", list.total, total)?;
        }
        list.digest = whole.finalize().into();
        match list.blobs.as_slice() {
            [] => self.put(Kind::Blob, list.digest, &[])?,
            [_] => {}
            _ => self.put(Kind::List, list.digest, &list.to_bytes())?,
        }
        Ok((list.digest, list.total))
    }

    /// Puts one object, unless it is there already.
    pub(super) fn put(&mut self, kind: Kind, digest: Digest, raw: &[u8]) -> Result<()> {
        if self.pending.contains(&digest) || self.is_stored(&digest)? {
            return Ok(());
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => none.insert(PackWriter::new(&self.dir)?),
        };
        pack.append(kind, digest, raw)?;
        self.pending.insert(digest);
        if pack.length() >= PACK_BYTES {
            self.finish()?;
        }
        Ok(())
    }

    /// True when the object is in a pack that is there: the index alone is only a cache.
    fn is_stored(&mut self, digest: &Digest) -> Result<bool> {
        let Some(location) = self.index.find(digest)? else { return Ok(false) };
        if let Some(is_there) = self.packs.get(&location.pack) {
            return Ok(*is_there);
        }
        let is_there = pack::path_of(&self.dir, &location.pack).exists();
        self.packs.insert(location.pack, is_there);
        Ok(is_there)
    }

    /// Completes the pack under way. What was put is durable when this returns.
    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some(pack) = self.pack.take() {
            self.index.add(&pack.finish()?)?;
            self.pending.clear();
        }
        Ok(())
    }
}

fn read_error(error: v2020::Error) -> Error {
    match error {
        v2020::Error::IoError(error) => {
            Error::new(Code::Unavailable, "cannot read what is to be stored").because(error)
        }
        other => {
            Error::new(Code::Unavailable, "cannot read what is to be stored").because(format!("{other:?}"))
        }
    }
}
