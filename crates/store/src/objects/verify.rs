//! Is every object what was written, does the index tell what the packs tell, and what does a root
//! stand on?

use std::collections::{BTreeMap, HashSet};

use base::{Code, Progress, Result};

use super::fetch::Fetch;
use super::index::Location;
use super::pack::{self, Entry};
use super::{Kind, Objects, short};
use crate::Digest;

/// A damaged object, or with no digest a pack whose bytes are not those it was named after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) pack: String,
    pub(crate) digest: Option<Digest>,
}

impl Objects {
    /// Verifies every object of every pack; gives what is damaged, and how many bytes were read.
    pub(crate) fn verify(&self, progress: &Progress) -> Result<(Vec<Damage>, u64)> {
        self.index.refresh(&self.packs)?;
        let packs = self.index.packs()?;
        let total: u64 = packs.values().sum();
        let mut damages = Vec::new();
        let mut done = 0;
        let mut fetch = self.fetch();
        for (name, bytes) in &packs {
            for entry in self.index.entries(name)? {
                progress.step("verifying objects", done + entry.offset, Some(total))?;
                let location = Location { pack: name.clone(), entry };
                if !self.is_readable(&mut fetch, &location)? {
                    damages.push(Damage { pack: location.pack, digest: Some(entry.digest) });
                }
            }
            if !pack::is_whole(&self.packs, name)? {
                damages.push(Damage { pack: name.clone(), digest: None });
            }
            done += bytes;
        }
        Ok((damages, total))
    }

    /// True when this copy of an object is what was written, and what it is told by reads.
    fn is_readable(&self, fetch: &mut Fetch<'_>, location: &Location) -> Result<bool> {
        let Some(packed) = fetch.read(location)? else { return Ok(false) };
        match fetch.unpack(&location.entry, &packed) {
            Err(error) if error.code == Code::Corrupt => Ok(false),
            raw => Ok(raw?.is_some()),
        }
    }

    /// Compares the index with what the packs say themselves; gives each difference in a sentence.
    /// It knows the packs there are: call [`Objects::verify`] after it, which makes it so.
    pub(crate) fn check_index(&self, progress: &Progress) -> Result<Vec<String>> {
        let mut found = self.index.check()?;
        let mut fetch = self.fetch();
        let packs = self.index.packs()?;
        for (done, (name, bytes)) in packs.iter().enumerate() {
            progress.step("checking the index of the objects", done as u64, Some(packs.len() as u64))?;
            let pack = match pack::list(&self.packs, name) {
                // Another process's garbage collection was faster.
                Err(error) if error.code == Code::NotFound && !self.index.packs()?.contains_key(name) => {
                    continue;
                }
                Err(error) if error.code == Code::NotFound => {
                    found.push(format!("it knows the pack `{}`, which is not there", short(name)));
                    continue;
                }
                pack => pack?,
            };
            let known: HashSet<Entry> = self.index.entries(name)?.into_iter().collect();
            let told: HashSet<Entry> = pack.entries.into_iter().collect();
            let mut differ = pack.bytes != *bytes || known.difference(&told).next().is_some();
            for entry in told.difference(&known) {
                // What is damaged is forgotten on purpose, until it is put again.
                let location = Location { pack: name.clone(), entry: *entry };
                differ |= self.is_readable(&mut fetch, &location)?;
            }
            if differ {
                found.push(format!("it does not say what the pack `{}` says", short(name)));
            }
        }
        Ok(found)
    }

    /// The objects of a pack, as the index knows them.
    pub(crate) fn in_pack(&self, pack: &str) -> Result<Vec<Digest>> {
        Ok(self.index.entries(pack)?.into_iter().map(|entry| entry.digest).collect())
    }

    /// Forgets objects that are damaged, so that putting their content again heals them.
    pub(crate) fn forget_damaged(&self, damages: &[Damage]) -> Result<()> {
        for damage in damages {
            if let Some(digest) = &damage.digest {
                self.index.forget(digest, &damage.pack)?;
            }
        }
        Ok(())
    }

    /// A root and what it stands on, each with whether it is there.
    pub(crate) fn below(&self, root: &Digest) -> Result<Vec<(Digest, bool)>> {
        let mut found = BTreeMap::new();
        self.look_below(&mut self.fetch(), root, &mut found)?;
        Ok(found.into_iter().collect())
    }

    fn look_below(
        &self,
        fetch: &mut Fetch<'_>,
        digest: &Digest,
        found: &mut BTreeMap<Digest, bool>,
    ) -> Result<()> {
        if found.contains_key(digest) {
            return Ok(());
        }
        let location = self.index.find(digest)?;
        found.insert(*digest, location.is_some());
        let Some(location) = location else { return Ok(()) };
        match location.entry.kind {
            Kind::Blob => {
                for base in fetch.bases_of(&location)? {
                    self.look_below(fetch, &base, found)?;
                }
            }
            Kind::List => {
                for chunk in self.list(digest)?.chunks {
                    self.look_below(fetch, &chunk.digest, found)?;
                }
            }
            Kind::Tree => {
                for entry in self.tree(digest)?.entries {
                    self.look_below(fetch, &entry.digest, found)?;
                }
            }
        }
        Ok(())
    }
}
