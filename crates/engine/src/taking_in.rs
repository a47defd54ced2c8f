//! Taking in a file: its bytes go into the store and its rows into a table. A large file that nobody
//! has written to for a while is stored and read at the same time; any other is read from the bytes
//! that were stored, because it may change between the two.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use base::{Code, Error, Progress, Result};
use data::TableFile;
use data::import::{ImportReport, ParseOptions};
use store::datasets::DatasetVersion;
use store::{Digest, Stamp};

use crate::Engine;

/// Below this size nothing is won by doing both at once.
const LARGE_BYTES: u64 = 8 << 20;

/// True for a file that is worth to be stored and read at the same time, and can be.
pub(crate) fn is_read_at_once(path: &Path, before: Option<&DatasetVersion>) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    let is_settled = Stamp::of(&metadata).is_some_and(|stamp| stamp.is_settled(SystemTime::now()));
    // The bytes of a file that is as long as the version before are probably known.
    let is_probably_known = before.is_some_and(|version| version.content_bytes == metadata.len());
    metadata.is_file() && is_settled && !is_probably_known && metadata.len() >= LARGE_BYTES
}

impl Engine {
    /// Stores a file and writes its table into a folder meanwhile.
    ///
    /// # Errors
    /// It cannot be read, is no table, or `conflict`: it changed meanwhile.
    pub(crate) fn keep_and_read(
        &self,
        path: &Path,
        options: &ParseOptions,
        (folder, previous): (&Path, Option<&DatasetVersion>),
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
        let (content, report) = std::thread::scope(|scope| {
            let keeping = scope.spawn(|| self.keep_path(path, options, previous, &quiet).map_err(stopping));
            let report = self.read_into(path, options, folder, &shown).map_err(stopping);
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
