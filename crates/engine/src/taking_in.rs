//! Taking in a file: its bytes go into the store and its rows into a table. A large file that nobody
//! has written to for a while is stored and read at the same time; any other is read from the bytes
//! that were stored, because it may change between the two.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use base::{Code, Error, Progress, Result};
use data::TableFile;
use data::import::{ImportReport, ParseOptions};
use store::datasets::{Dataset, DatasetVersion};
use store::{Digest, Stamp};

use crate::Engine;

/// Below this size nothing is won by doing both at once.
const LARGE_BYTES: u64 = 8 << 20;

/// A file, and what is known of it.
pub(crate) struct Source<'a> {
    /// Where it is.
    pub(crate) path: &'a Path,
    /// How it is read.
    pub(crate) options: &'a ParseOptions,
    /// The dataset it goes to, with its newest version.
    pub(crate) before: Option<&'a (Dataset, DatasetVersion)>,
}

/// What became of it.
pub(crate) enum TakenIn {
    /// A version of the dataset holds these bytes, read this way.
    Known(Dataset, DatasetVersion),
    /// What was stored, and the table of it in the folder that was given.
    New(Digest, (TableFile, ImportReport)),
}

impl Engine {
    /// Stores a file and writes its table into `folder`.
    ///
    /// # Errors
    /// It cannot be read, is no table, or `conflict`: it changed meanwhile.
    pub(crate) fn take_in(&self, source: &Source<'_>, folder: &Path, progress: &Progress) -> Result<TakenIn> {
        let metadata = fs::metadata(source.path).map_err(|e| Error::io("read", source.path, &e))?;
        let is_settled = Stamp::of(&metadata).is_some_and(|stamp| stamp.is_settled(SystemTime::now()));
        // The bytes of a file that is as long as the version before are probably known.
        let is_probably_known =
            source.before.is_some_and(|(_, version)| version.content_bytes == metadata.len());
        if is_settled && !is_probably_known && metadata.len() >= LARGE_BYTES {
            return self.take_in_at_once(source, folder, progress);
        }
        let content = self.keep(source, progress)?;
        if let Some((dataset, version)) = self.known(source, &content)? {
            return Ok(TakenIn::Known(dataset, version));
        }
        let made = self.make_table(&content, source.options, folder, progress)?;
        Ok(TakenIn::New(content, made))
    }

    fn take_in_at_once(&self, source: &Source<'_>, folder: &Path, progress: &Progress) -> Result<TakenIn> {
        let stamp = || fs::metadata(source.path).ok().and_then(|metadata| Stamp::of(&metadata));
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
        let (content, report) = std::thread::scope(|scope| {
            let keeping = scope.spawn(|| self.keep(source, &quiet).map_err(stopping));
            let report = self.read_into(source.path, source.options, folder, &shown).map_err(stopping);
            (keeping.join(), report)
        });
        let content = content.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (content, report) = both(content, report)?;
        if before.is_none() || stamp() != before {
            let changed = format!("`{}` changed while it was read", source.path.display());
            return Err(Error::new(Code::Conflict, changed)
                .hint("wait until whatever writes to it has finished, then import again"));
        }
        match self.known(source, &content)? {
            Some((dataset, version)) => Ok(TakenIn::Known(dataset, version)),
            None => Ok(TakenIn::New(content, (TableFile::open(folder)?, report))),
        }
    }

    fn keep(&self, source: &Source<'_>, progress: &Progress) -> Result<Digest> {
        let objects = self.store().objects();
        match source.before {
            Some((_, version)) => objects.put_file_after(source.path, &version.content, progress),
            None => objects.put_file_with(source.path, progress),
        }
    }

    fn known(&self, source: &Source<'_>, content: &Digest) -> Result<Option<(Dataset, DatasetVersion)>> {
        let Some((dataset, _)) = source.before else { return Ok(None) };
        Ok(self.same(dataset, content, source.options)?.map(|version| (dataset.clone(), version)))
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
