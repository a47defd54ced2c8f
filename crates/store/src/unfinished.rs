//! What imports keep while they read a large file, so that the next one goes on where one was killed.
//! Each has a folder in the cache and holds a lock in it. What nobody goes on with goes after a week,
//! or when somebody frees space. What is in the folders is the business of whoever reads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base::Result;

use crate::files;
use crate::layout::Layout;
use crate::store::Store;

/// After so long nobody will go on.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The lock of whoever reads.
const LOCK: &str = "lock";

impl Store {
    /// Where what is read of a file is kept while it is read, by a name that tells the file.
    pub fn unfinished_dir(&self, name: &str) -> PathBuf {
        self.inner.layout.unfinished().join(name)
    }
}

/// What is kept and nobody reads, with its size in bytes.
pub(crate) fn unused(layout: &Layout) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for dir in dirs(layout)? {
        if is_used(&dir) {
            continue;
        }
        let sizes = files::read_dir(&dir)?.into_iter().filter_map(|entry| entry.metadata().ok());
        found.push((dir, sizes.map(|metadata| metadata.len()).sum()));
    }
    Ok(found)
}

/// What nobody went on with for a week.
pub(crate) fn forgotten(layout: &Layout, now: SystemTime) -> Result<Vec<PathBuf>> {
    let is_old = |dir: &PathBuf| {
        let newest = files::read_dir(dir).ok().and_then(|entries| {
            entries.iter().filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
        });
        newest.and_then(|newest| now.duration_since(newest).ok()).is_some_and(|age| age > KEPT)
    };
    Ok(dirs(layout)?.into_iter().filter(|dir| is_old(dir) && !is_used(dir)).collect())
}

fn dirs(layout: &Layout) -> Result<Vec<PathBuf>> {
    let parent = layout.unfinished();
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    Ok(files::read_dir(&parent)?.iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

fn is_used(dir: &Path) -> bool {
    File::open(dir.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_goes_on_with_is_found_after_a_week_and_what_is_read_never() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path());
        assert_eq!(unused(&layout).unwrap(), []);
        let [one, read] = ["one", "read"].map(|name| layout.unfinished().join(name));
        for dir in [&one, &read] {
            files::create_private_dir(dir).unwrap();
            std::fs::write(dir.join(LOCK), "").unwrap();
            std::fs::write(dir.join("data.parquet"), "rows").unwrap();
        }
        let lock = File::open(read.join(LOCK)).unwrap();
        lock.lock().unwrap();
        let in_days = |days: u64| SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60);
        assert_eq!(forgotten(&layout, in_days(6)).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(forgotten(&layout, in_days(8)).unwrap(), std::slice::from_ref(&one));
        assert_eq!(unused(&layout).unwrap(), [(one.clone(), 4)]);
        drop(lock);
        assert_eq!(unused(&layout).unwrap(), [(one, 4), (read, 4)]);
    }
}
