//! Makes results durable beside the run that makes them: those that were kept while others were being
//! synced share the next sync. A run ends after the last of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::mpsc;

use base::{Code, Error, Result};

/// From so many results on, one sync of the whole disk is cheaper than one for each file.
#[cfg(target_os = "linux")]
const MANY: usize = 4;

/// Makes every announced result below `folder` durable, until all announcers are gone.
///
/// # Errors
/// The disk refuses.
pub(crate) fn settle(folder: &Path, kept: &mpsc::Receiver<String>) -> Result<()> {
    while let Ok(first) = kept.recv() {
        let keys: BTreeSet<String> = std::iter::once(first).chain(kept.try_iter()).collect();
        sync(folder, &keys)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn sync(folder: &Path, keys: &BTreeSet<String>) -> Result<()> {
    if keys.len() < MANY {
        return sync_each(folder, keys);
    }
    let opened = File::open(folder).map_err(|e| Error::io("open", folder, &e))?;
    rustix::fs::syncfs(&opened).map_err(|e| Error::io("write", folder, &e.into()))
}

#[cfg(not(target_os = "linux"))]
fn sync(folder: &Path, keys: &BTreeSet<String>) -> Result<()> {
    sync_each(folder, keys)
}

fn sync_each(folder: &Path, keys: &BTreeSet<String>) -> Result<()> {
    for key in keys {
        match sync_all(&folder.join(key)) {
            // Something else needed the space, or made the result anew.
            Err(error) if error.code == Code::NotFound => (),
            done => done?,
        }
    }
    sync_folder(folder)
}

fn sync_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))? {
        let path = entry.map_err(|e| Error::io("list", folder, &e))?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|e| Error::io("write", &path, &e))?;
        }
    }
    sync_folder(folder)
}

/// Windows has no handle of a folder to sync, and its journal orders renames by itself.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(|e| Error::io("write", folder, &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_results_are_settled_and_one_that_is_gone_is_passed_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let make = |key: &str| {
            fs::create_dir_all(folder.path().join(key).join("table")).expect("can be made");
            fs::write(folder.path().join(key).join("table/x"), "abc").expect("can be written");
            key.to_owned()
        };
        for count in [1, 9] {
            let (kept, keys) = mpsc::channel();
            for at in 0..count {
                kept.send(make(&format!("{count}-{at}"))).expect("the other end is there");
            }
            drop(kept);
            settle(folder.path(), &keys).expect("can be settled");
        }
        let (kept, keys) = mpsc::channel();
        kept.send("gone".to_owned()).expect("the other end is there");
        drop(kept);
        settle(folder.path(), &keys).expect("nothing to settle");
        let (kept, keys) = mpsc::channel();
        kept.send(String::new()).expect("the other end is there");
        drop(kept);
        assert!(settle(&folder.path().join("no folder"), &keys).is_err());
    }
}
