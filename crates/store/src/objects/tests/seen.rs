//! Files that did not change are not read again, and files that did always are.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base::{Code, Progress};

use super::super::{Objects, tree};
use super::{noise, open, packs};
use crate::Digest;

/// A time at which whatever was written just now is old.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn put_tree(objects: &Objects, dir: &Path, now: SystemTime) -> Digest {
    objects
        .put_at(now, |writer| {
            tree::put(writer, &tree::Source { dir, wants: &|_| true, previous: None }, &Progress::silent())
        })
        .unwrap()
}

fn put_file(objects: &Objects, path: &Path, now: SystemTime) -> base::Result<Digest> {
    objects.put_at(now, |writer| writer.put_file_at(path, (None, None), &Progress::silent()))
}

/// What reading a file again would notice: other bytes behind the same looks. No file system does
/// that, so the looks are taken from the index: its digest there is another.
fn plant(objects: &Objects, place: &Path, digest: Digest) {
    let place = super::super::seen::key_of(place).unwrap();
    let mut seen = objects.index.seen(&place, &objects.packs).unwrap().unwrap();
    seen.whole = Some(digest);
    seen.files.values_mut().for_each(|file| file.1 = digest);
    objects.index.see(&seen).unwrap();
}

#[test]
fn a_file_that_looks_the_same_is_not_read_and_one_that_does_not_is() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let file = dir.path().join("a.csv");
    fs::write(&file, noise(1, 1_000)).unwrap();
    let (real, planted) = (put_file(&objects, &file, later()).unwrap(), Digest::of(b"planted"));
    plant(&objects, &file, planted);
    assert_eq!(put_file(&objects, &file, later()).unwrap(), planted, "it was not read");

    // The same size and, set back, the same time: on Unix the time of the change gives it away.
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, noise(2, 1_000)).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    #[cfg(unix)]
    assert_eq!(put_file(&objects, &file, later()).unwrap(), Digest::of(&noise(2, 1_000)));
    fs::write(&file, noise(1, 1_000)).unwrap();
    assert_eq!(put_file(&objects, &file, later()).unwrap(), real);
}

#[test]
fn a_file_that_changed_a_moment_ago_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let file = dir.path().join("a.csv");
    fs::write(&file, noise(1, 1_000)).unwrap();
    put_file(&objects, &file, SystemTime::now()).unwrap();
    let place = super::super::seen::key_of(&file).unwrap();
    assert_eq!(objects.index.seen(&place, &objects.packs).unwrap(), None);
}

#[test]
fn a_folder_that_looks_the_same_is_not_read_and_single_changes_in_it_are() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let folder = dir.path().join("folder");
    fs::create_dir_all(folder.join("deep")).unwrap();
    for file in ["a", "b", "deep/c"] {
        fs::write(folder.join(file), file).unwrap();
    }
    let first = put_tree(&objects, &folder, later());
    plant(&objects, &folder, Digest::of(b"planted"));
    assert_eq!(put_tree(&objects, &folder, later()), Digest::of(b"planted"), "nothing was read");
    plant(&objects, &folder, first);

    let contents = |tree: &Digest| {
        let entries = objects.tree(tree).unwrap().entries;
        entries.into_iter().map(|entry| (entry.path, entry.size)).collect::<Vec<_>>()
    };
    fs::write(folder.join("b"), "longer").unwrap();
    let changed = put_tree(&objects, &folder, later());
    let expected = [("a", 1), ("b", 6), ("deep/c", 6)].map(|(path, size)| (path.to_owned(), size));
    assert_eq!(contents(&changed), expected);
    fs::remove_file(folder.join("b")).unwrap();
    let removed = put_tree(&objects, &folder, later());
    assert_eq!(contents(&removed), [expected[0].clone(), expected[2].clone()]);
    fs::write(folder.join("deep/new"), "").unwrap();
    assert_eq!(contents(&put_tree(&objects, &folder, later())).len(), 3);
}

#[test]
fn what_is_remembered_of_half_a_folder_is_not_taken_for_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let modified = |file: &str| fs::metadata(folder.join(file)).unwrap().modified().unwrap();
    fs::write(folder.join("old"), "a").unwrap();
    while !folder.join("new").exists() || modified("new") <= modified("old") {
        fs::write(folder.join("new"), "b").unwrap();
    }
    let paths = |tree: Digest| -> Vec<String> {
        objects.tree(&tree).unwrap().entries.into_iter().map(|entry| entry.path).collect()
    };
    // Old enough for the one, too soon for the other.
    let now = modified("old") + Duration::from_secs(2);
    assert_eq!(paths(put_tree(&objects, &folder, now)), ["new", "old"]);
    fs::remove_file(folder.join("new")).unwrap();
    assert_eq!(paths(put_tree(&objects, &folder, now)), ["old"]);
    fs::write(folder.join("old"), "c").unwrap();
    assert_eq!(paths(put_tree(&objects, &folder, now)), ["old"]);
    fs::remove_file(folder.join("old")).unwrap();
    assert_eq!(paths(put_tree(&objects, &folder, now)), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_program_that_lost_its_execute_bit_is_noticed() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("run"), "#!/bin/sh").unwrap();
    let modes = |mode: u32| {
        fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(mode)).unwrap();
        let tree = put_tree(&objects, &folder, later());
        objects.tree(&tree).unwrap().entries[0].mode
    };
    assert_eq!((modes(0o755), modes(0o644)), (0o755, 0o644));
}

#[test]
fn what_was_seen_is_forgotten_with_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let file = dir.path().join("a.csv");
    let content = noise(1, 300_000);
    fs::write(&file, &content).unwrap();
    let digest = put_file(&open(&root), &file, later()).unwrap();

    // Freed, then put again.
    let objects = open(&root);
    objects.alone(|| objects.sweep(&Default::default(), &Progress::silent())).unwrap();
    assert_eq!(put_file(&objects, &file, later()).unwrap(), digest);
    assert!(objects.read(&digest).unwrap() == content);

    // A pack that somebody took away under our feet.
    fs::remove_file(packs(&root).remove(0)).unwrap();
    assert_eq!(put_file(&objects, &file, later()).unwrap(), digest);
    assert!(objects.read(&digest).unwrap() == content);

    // Damage that a repair forgot, so that importing again heals it.
    let pack = packs(&root).remove(0);
    let mut bytes = fs::read(&pack).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&pack, bytes).unwrap();
    assert_eq!(objects.read(&digest).unwrap_err().code, Code::Corrupt);
    let (damages, _) = objects.verify(&Progress::silent()).unwrap();
    objects.forget_damaged(&damages).unwrap();
    assert_eq!(put_file(&objects, &file, later()).unwrap(), digest);
    assert!(objects.read(&digest).unwrap() == content);
}

#[test]
fn a_file_that_is_gone_is_an_error_though_it_was_seen() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let file = dir.path().join("a.csv");
    fs::write(&file, "a").unwrap();
    put_file(&objects, &file, later()).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(put_file(&objects, &file, later()).unwrap_err().code, Code::NotFound);
}
