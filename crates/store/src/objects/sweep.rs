//! What is needed and what is not: marking from roots, and writing packs anew without the rest.

use std::collections::HashSet;
use std::fs::File;
use std::sync::{PoisonError, TryLockError};

use base::{Code, Error, Progress, Result};

use super::index::Location;
use super::pack::{self, Entry, PackWriter};
use super::{Kind, Objects, corrupt};
use crate::{Digest, files};

/// What a garbage collection found or did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) kept_objects: u64,
    pub(crate) freed_objects: u64,
    pub(crate) freed_bytes: u64,
    pub(crate) removed_packs: u64,
}

/// A pack with less dead than this share of its bytes is left alone: copying it would cost more
/// than it frees.
const WORTH: u64 = 10;

impl Objects {
    /// Everything that `roots` and what this process has put stand on. Roots that are no objects
    /// are fine: whatever looks like a digest may be one.
    pub(crate) fn mark(
        &self,
        roots: impl IntoIterator<Item = Digest>,
        progress: &Progress,
    ) -> Result<HashSet<Digest>> {
        let pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut live = HashSet::new();
        for root in roots.into_iter().chain(pins) {
            progress.step("looking for what is needed", live.len() as u64, None)?;
            self.mark_one(root, &mut live)?;
        }
        self.mark_bases(&mut live, progress)?;
        Ok(live)
    }

    /// What live objects are told by is live too, wherever a copy of them lies. The packs say it,
    /// not the index, which is only a cache.
    fn mark_bases(&self, live: &mut HashSet<Digest>, progress: &Progress) -> Result<()> {
        let mut fetch = self.fetch();
        let mut done = HashSet::new();
        let mut before = None;
        // A base may be told by others itself; each round goes one deeper.
        while before != Some(live.len()) {
            before = Some(live.len());
            for pack in self.index.packs()?.into_keys() {
                progress.step("looking for what is needed", live.len() as u64, None)?;
                for entry in self.index.entries(&pack)? {
                    if !entry.is_delta() || !live.contains(&entry.digest) {
                        continue;
                    }
                    let location = Location { pack: pack.clone(), entry };
                    if done.insert((location.pack.clone(), entry.offset)) {
                        live.extend(fetch.bases_of(&location)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn mark_one(&self, digest: Digest, live: &mut HashSet<Digest>) -> Result<()> {
        let Some(location) = self.index.find(&digest)? else { return Ok(()) };
        if !live.insert(digest) {
            return Ok(());
        }
        match location.entry.kind {
            Kind::Blob => {}
            Kind::List => live.extend(self.list(&digest)?.chunks.into_iter().map(|chunk| chunk.digest)),
            Kind::Tree => {
                for entry in self.tree(&digest)?.entries {
                    self.mark_one(entry.digest, live)?;
                }
            }
        }
        Ok(())
    }

    /// What a garbage collection would free.
    pub(crate) fn plan(&self, live: &HashSet<Digest>) -> Result<Swept> {
        let mut swept = Swept::default();
        for name in self.index.packs()?.keys() {
            let (kept, dead) = self.split(name, live)?;
            if is_worth_it(&kept, &dead) {
                swept.removed_packs += 1;
                swept.freed_objects += dead.len() as u64;
                swept.freed_bytes += length(&dead);
                swept.kept_objects += kept.len() as u64;
            } else {
                swept.kept_objects += (kept.len() + dead.len()) as u64;
            }
        }
        Ok(swept)
    }

    /// Runs `f` while nobody, in this or another process, puts anything.
    ///
    /// # Errors
    /// [`Code::Unavailable`] while somebody does.
    pub(crate) fn alone<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        let busy = || {
            Error::new(Code::Unavailable, "cannot free space: something is being stored right now")
                .hint("try again when imports and runs have finished, and other Fettle processes are closed")
        };
        let mut gate = match self.gate.try_write() {
            Ok(gate) => gate,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(busy()),
        };
        // Ours is a shared lock; it would stand in the way of the one we ask for.
        drop(gate.take());
        let file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(busy()),
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(files::io_error("lock", &self.lock_path, &error));
            }
        }
        let out = f();
        drop(file);
        out
    }

    /// Removes what is not live. Packs that keep something are written anew first, so that a crash
    /// at any moment leaves everything that is live. Call it inside [`Objects::alone`].
    pub(crate) fn sweep(&self, live: &HashSet<Digest>, progress: &Progress) -> Result<Swept> {
        let packs = self.index.packs()?;
        let mut swept = Swept::default();
        for (done, name) in packs.keys().enumerate() {
            progress.step("freeing", done as u64, Some(packs.len() as u64))?;
            let (kept, dead) = self.split(name, live)?;
            if !is_worth_it(&kept, &dead) {
                swept.kept_objects += (kept.len() + dead.len()) as u64;
                continue;
            }
            if !kept.is_empty() {
                self.rewrite(name, &kept)?;
            }
            // The file first: the index may speak of a pack that is gone, which is noticed, but
            // must not learn of it anew from a file that is about to go.
            files::remove(&pack::path_of(&self.packs, name))?;
            self.index.remove(name)?;
            swept.removed_packs += 1;
            swept.freed_objects += dead.len() as u64;
            swept.freed_bytes += length(&dead);
            swept.kept_objects += kept.len() as u64;
        }
        files::sync_dir(&self.packs)?;
        progress.step("freeing", packs.len() as u64, Some(packs.len() as u64))?;
        Ok(swept)
    }

    fn rewrite(&self, name: &str, kept: &[Entry]) -> Result<()> {
        let path = pack::path_of(&self.packs, name);
        let failed = |error| files::io_error("read", &path, &error);
        let mut file = File::open(&path).map_err(failed)?;
        let mut writer = PackWriter::new(&self.packs)?;
        let mut fetch = self.fetch();
        for entry in kept {
            // Never copy what is damaged: the old pack stays, and the check says why.
            let damaged = || corrupt(&entry.digest, name);
            let packed = pack::read_packed(&mut file, entry).map_err(failed)?.ok_or_else(damaged)?;
            fetch.unpack(entry, &packed)?.ok_or_else(damaged)?;
            writer.append_packed(*entry, &packed)?;
        }
        self.index.add(&writer.finish()?)
    }

    fn split(&self, pack: &str, live: &HashSet<Digest>) -> Result<(Vec<Entry>, Vec<Entry>)> {
        Ok(self.index.entries(pack)?.into_iter().partition(|entry| live.contains(&entry.digest)))
    }
}

fn length(entries: &[Entry]) -> u64 {
    entries.iter().map(Entry::length).sum()
}

fn is_worth_it(kept: &[Entry], dead: &[Entry]) -> bool {
    // A pack in which nothing is known to be is damaged, not dead: it stays for whoever repairs it.
    !dead.is_empty() && (kept.is_empty() || length(dead) * WORTH >= length(kept) + length(dead))
}
