//! Taking in a file: its bytes go into the store and its rows into a table. A large file that nobody
//! has written to for a while is stored and read at the same time; any other is read from the bytes
//! that were stored, because it may change between the two.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use base::{Code, Error, Progress, Result};
use data::TableFile;
use data::import::{ImportReport, ParseOptions, Parts};
use store::datasets::DatasetVersion;
use store::{Digest, Stamp, place_of};

use crate::Engine;

/// Below this size nothing is won by doing both at once.
const LARGE_BYTES: u64 = 8 << 20;

/// Sets after how many bytes of a file what was read is kept, however small the file is; for tests.
const PART_BYTES: &str = "FETTLE_IMPORT_PART_BYTES";

/// True for a file that is worth to be stored and read at the same time, and can be.
pub(crate) fn is_read_at_once(path: &Path, before: Option<&DatasetVersion>) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    let is_settled = Stamp::of(&metadata).is_some_and(|stamp| stamp.is_settled(SystemTime::now()));
    // The bytes of a file that is as long as the version before are probably known.
    let is_probably_known = before.is_some_and(|version| version.content_bytes == metadata.len());
    metadata.is_file() && is_settled && !is_probably_known && metadata.len() >= LARGE_BYTES
}

impl Engine {
    /// Where what is read of a file is kept until it is a version. No place holds a path.
    pub(crate) fn parts_of_file(&self, path: &Path, options: &ParseOptions) -> Option<Parts> {
        let stamp = Stamp::of(&fs::metadata(path).ok()?)?;
        self.parts(&place_of(path)?, options, stamp.to_digest())
    }

    /// Where what is read of bytes that are kept is kept itself until it is a table.
    pub(crate) fn parts_of_content(&self, content: &Digest, options: &ParseOptions) -> Option<Parts> {
        self.parts(content, options, *content)
    }

    fn parts(&self, place: &Digest, options: &ParseOptions, identity: Digest) -> Option<Parts> {
        let options = serde_json::to_vec(options).ok()?;
        let name = Digest::of(&[place.as_bytes().as_slice(), &options].concat());
        let every_bytes = std::env::var(PART_BYTES).ok().and_then(|text| text.parse().ok());
        let dir = self.store().unfinished_dir(&name.to_hex());
        Some(Parts { dir, identity: identity.to_hex(), every_bytes })
    }

    /// Stores a file and writes its table into a folder meanwhile. What is read is kept in `parts`.
    ///
    /// # Errors
    /// It cannot be read, is no table, or `conflict`: it changed meanwhile.
    pub(crate) fn keep_and_read(
        &self,
        path: &Path,
        options: &ParseOptions,
        (folder, parts, previous): (&Path, Option<&Parts>, Option<&DatasetVersion>),
        progress: &Progress,
    ) -> Result<(Digest, (TableFile, ImportReport))> {
        let stamp = || fs::metadata(path).ok().and_then(|metadata| Stamp::of(&metadata));
        let before = stamp();
        // Whichever of the two fails stops the other.
        let stop = progress.cancel().part();
        let stopping = |error: Error| {
            stop.cancel();
            error
        };
        let told = progress.clone();
        let shown = Progress::new(stop.clone(), move |stage| {
            // Who cancels is heard through the switch.
            let _ = told.step(&stage.name, stage.done, stage.total);
        });
        let quiet = Progress::new(stop.clone(), |_| ());
        let keep = (previous, parts.map(|parts| parts.dir.as_path()));
        let (content, report) = std::thread::scope(|scope| {
            let keeping = scope.spawn(|| self.keep_path(path, options, keep, &quiet).map_err(stopping));
            let report = self.read_into(path, options, (folder, parts), &shown).map_err(stopping);
            (keeping.join(), report)
        });
        let content = content.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (content, report) = both(content, report)?;
        if before.is_none() || stamp() != before {
            let changed = format!("`{}` changed while it was read", path.display());
            return Err(Error::new(Code::Conflict, changed)
                .hint("wait until whatever writes to it has finished, then import again"));
        }
        Ok((content, (TableFile::open(folder)?, report)))
    }
}

/// Both results, or the failure that came first: the other one was stopped by it.
fn both<A, B>(first: Result<A>, second: Result<B>) -> Result<(A, B)> {
    match (first, second) {
        (Err(error), Err(stopped)) if stopped.code == Code::Cancelled => Err(error),
        (_, Err(error)) | (Err(error), _) => Err(error),
        (Ok(first), Ok(second)) => Ok((first, second)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_failures_the_one_that_stopped_the_other_is_told() {
        let told = |first: Result<()>, second: Result<()>| both(first, second).map_err(|error| error.code);
        let full = || Err(Error::new(Code::InvalidInput, "the file is no table"));
        assert_eq!(told(full(), Err(Error::cancelled())), Err(Code::InvalidInput));
        assert_eq!(told(Err(Error::cancelled()), full()), Err(Code::InvalidInput));
        assert_eq!(told(Err(Error::cancelled()), Err(Error::cancelled())), Err(Code::Cancelled));
        assert_eq!(told(Ok(()), Ok(())), Ok(((), ())));
    }
}
