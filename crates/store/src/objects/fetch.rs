//! Single objects: found, read, unpacked and verified. Packs stay open and bases stay unpacked
//! from one object to the next, because contents are read and compared in order.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use base::{Code, Error, Result};
use zstd::zstd_safe::DCtx;

use super::delta::{Bases, Delta, MAX_BASE_BYTES, MAX_BASES, MAX_DEPTH};
use super::index::{Index, Location};
use super::pack::{self, Entry};
use super::{corrupt, missing};
use crate::{Digest, files};

/// A version, the one before, and so on: each in packs of its own.
const OPEN_PACKS: usize = 8;

/// At most 256 KiB each.
const KEPT_BASES: usize = 16;

/// Reads objects, one after the other.
pub(super) struct Fetch<'a> {
    packs: &'a Path,
    index: &'a Index,
    open: VecDeque<(String, File)>,
    bases: VecDeque<(Digest, Arc<Base>)>,
    zstd: DCtx<'static>,
}

/// An object, verified.
pub(super) struct Object {
    pub(super) raw: Vec<u8>,
    pub(super) location: Location,
}

/// A chunk that others are told by, or may be.
struct Base {
    raw: Vec<u8>,
    /// 0 for a plain chunk.
    depth: u8,
    bases: Vec<Digest>,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(packs: &'a Path, index: &'a Index) -> Self {
        Self { packs, index, open: VecDeque::new(), bases: VecDeque::new(), zstd: DCtx::create() }
    }

    /// One object.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it, or what it is told by, is missing or not what was written;
    /// [`Code::TooNew`].
    pub(super) fn object(&mut self, digest: &Digest) -> Result<Object> {
        let (location, packed) = self.packed(digest)?;
        let raw = self.unpack(&location.entry, &packed)?.ok_or_else(|| corrupt(digest, &location.pack))?;
        Ok(Object { raw, location })
    }

    /// Unpacks and verifies a payload; `None` when it is not what was written.
    ///
    /// # Errors
    /// As for [`Fetch::object`], about the objects it is told by.
    pub(super) fn unpack(&mut self, entry: &Entry, packed: &[u8]) -> Result<Option<Vec<u8>>> {
        pack::check_known(entry)?;
        if !entry.is_delta() {
            return Ok(pack::unpack(&mut self.zstd, entry, packed, &[]));
        }
        let Some(delta) = Delta::parse(packed) else { return Ok(None) };
        let mut dictionary = Vec::new();
        for digest in &delta.bases {
            let base = self.base(digest, delta.depth).map_err(|error| {
                error.within(format!("the object `{}` cannot be read without another", entry.digest.short()))
            })?;
            dictionary.extend_from_slice(&base.raw);
        }
        Ok(pack::unpack(&mut self.zstd, entry, delta.frame, &dictionary))
    }

    /// What a new chunk can be told by, when it came from these; nothing when one of them cannot
    /// be read, because then the chunk is better off by itself.
    pub(super) fn bases(&mut self, digests: &[Digest]) -> Result<Bases> {
        match self.gather(digests) {
            Err(error) if error.code == Code::Corrupt => Ok(Bases::default()),
            gathered => gathered,
        }
    }

    fn gather(&mut self, digests: &[Digest]) -> Result<Bases> {
        let gathered = self.join(digests)?;
        if gathered.depth < MAX_DEPTH {
            return Ok(gathered);
        }
        // One more would be too deep. All that changed since the plain chunks is told at once,
        // and the next versions have short ways again.
        let mut roots = Vec::new();
        for digest in digests {
            self.roots(digest, MAX_DEPTH, &mut roots)?;
        }
        if roots.len() > MAX_BASES { Ok(Bases::default()) } else { self.join(&roots) }
    }

    fn join(&mut self, digests: &[Digest]) -> Result<Bases> {
        let mut out = Bases { digests: digests.to_vec(), ..Bases::default() };
        for digest in digests {
            let base = self.base(digest, MAX_DEPTH + 1)?;
            out.depth = out.depth.max(base.depth);
            out.bytes.extend_from_slice(&base.raw);
        }
        if out.bytes.len() > MAX_BASE_BYTES { Ok(Bases::default()) } else { Ok(out) }
    }

    fn roots(&mut self, digest: &Digest, depth: u8, found: &mut Vec<Digest>) -> Result<()> {
        let base = self.base(digest, depth + 1)?;
        if base.depth == 0 && !found.contains(digest) {
            found.push(*digest);
        }
        base.bases.iter().try_for_each(|digest| self.roots(digest, base.depth - 1, found))
    }

    /// A chunk of less than this depth. That it is less ends every chain.
    fn base(&mut self, digest: &Digest, below: u8) -> Result<Arc<Base>> {
        let known = self.bases.iter().find(|(known, _)| known == digest).map(|(_, base)| Arc::clone(base));
        let base = match known {
            Some(base) => base,
            None => self.read_base(digest, below)?,
        };
        if base.depth >= below {
            return Err(corrupt(digest, "unknown").because("it is told by what is told by it"));
        }
        Ok(base)
    }

    fn read_base(&mut self, digest: &Digest, below: u8) -> Result<Arc<Base>> {
        let (location, packed) = self.packed(digest)?;
        let damaged = || corrupt(digest, &location.pack);
        let (depth, bases) = match location.entry.is_delta() {
            true => Delta::parse(&packed).map(|delta| (delta.depth, delta.bases)).ok_or_else(damaged)?,
            false => (0, Vec::new()),
        };
        if depth >= below {
            return Err(damaged().because("it is told by what is told by it"));
        }
        let raw = self.unpack(&location.entry, &packed)?.ok_or_else(damaged)?;
        let base = Arc::new(Base { raw, depth, bases });
        self.bases.truncate(KEPT_BASES - 1);
        self.bases.push_front((*digest, Arc::clone(&base)));
        Ok(base)
    }

    /// What the object is told by, as its pack says; nothing for a plain one.
    pub(super) fn bases_of(&mut self, location: &Location) -> Result<Vec<Digest>> {
        if !location.entry.is_delta() {
            return Ok(Vec::new());
        }
        let digest = &location.entry.digest;
        let packed = self.read(location).map_err(|error| moved(digest, error))?;
        let delta = packed.as_deref().and_then(Delta::parse);
        Ok(delta.ok_or_else(|| corrupt(digest, &location.pack))?.bases)
    }

    fn packed(&mut self, digest: &Digest) -> Result<(Location, Vec<u8>)> {
        let location = self.index.locate(digest)?;
        let (location, packed) = match self.read(&location) {
            // A garbage collection may have moved the object since the index was asked.
            Err(error) if error.code == Code::NotFound => {
                self.index.refresh(self.packs)?;
                let location = self.index.locate(digest)?;
                let packed = self.read(&location).map_err(|error| moved(digest, error))?;
                (location, packed)
            }
            read => (location, read?),
        };
        let packed = packed.ok_or_else(|| corrupt(digest, &location.pack))?;
        Ok((location, packed))
    }

    /// A payload as it lies in the pack; `None` when its header is not the expected one.
    pub(super) fn read(&mut self, location: &Location) -> Result<Option<Vec<u8>>> {
        let at = self.open.iter().position(|(name, _)| *name == location.pack);
        let path = || pack::path_of(self.packs, &location.pack);
        let (name, mut file) = match at.and_then(|at| self.open.remove(at)) {
            Some(open) => open,
            None => {
                let file = File::open(path()).map_err(|error| files::io_error("read", &path(), &error))?;
                (location.pack.clone(), file)
            }
        };
        let packed = pack::read_packed(&mut file, &location.entry)
            .map_err(|error| files::io_error("read", &path(), &error));
        self.open.truncate(OPEN_PACKS - 1);
        self.open.push_front((name, file));
        packed
    }
}

fn moved(digest: &Digest, error: Error) -> Error {
    if error.code == Code::NotFound { missing(digest).because(error) } else { error }
}
