//! The objects alone, without a workspace around them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use base::{Code, Progress};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::test_runner::Config;
use zstd::zstd_safe::DCtx;

use super::pack::{self, PackWriter};
use super::{Kind, Objects};
use crate::Digest;

mod resume;
mod seen;
mod versions;

fn open(dir: &Path) -> Objects {
    Objects::open(dir, true).unwrap()
}

/// Bytes with no pattern, the same for the same seed.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn packs(dir: &Path) -> Vec<PathBuf> {
    let mut packs: Vec<_> =
        fs::read_dir(dir.join("packs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    packs.sort();
    packs
}

/// A few hundred kilobytes out of few numbers: repeated and random stretches.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let stretch = (any::<u64>(), 0..200_000usize, any::<bool>()).prop_map(|(seed, length, is_flat)| {
        if is_flat { vec![seed as u8; length] } else { noise(seed, length) }
    });
    prop::collection::vec(stretch, 0..4).prop_map(|stretches| stretches.concat())
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_put_is_read_back(contents in prop::collection::vec(contents(), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        let objects = open(dir.path());
        let digests: Vec<_> = contents.iter().map(|content| objects.put_bytes(content).unwrap()).collect();
        let again = open(dir.path());
        for (content, digest) in contents.iter().zip(&digests) {
            assert_eq!(*digest, Digest::of(content));
            assert_eq!(again.size(digest).unwrap(), content.len() as u64);
            assert!(again.read(digest).unwrap() == *content);
        }
        assert_eq!(again.verify(&Progress::silent()).unwrap().0, []);
    }

    #[test]
    fn a_pack_lists_what_was_put_in_it(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = PackWriter::new(dir.path()).unwrap();
        for payload in &payloads {
            writer.append(Kind::Blob, Digest::of(payload), payload).unwrap();
        }
        let written = writer.finish().unwrap();
        assert_eq!(pack::list(dir.path(), &written.name).unwrap(), written);
        assert!(pack::is_whole(dir.path(), &written.name).unwrap());
        let mut file = fs::File::open(pack::path_of(dir.path(), &written.name)).unwrap();
        for (entry, payload) in written.entries.iter().zip(&payloads) {
            let packed = pack::read_packed(&mut file, entry).unwrap().unwrap();
            let raw = pack::unpack(&mut DCtx::create(), entry, &packed, &[]);
            assert_eq!(raw.as_ref(), Some(payload));
        }
    }
}

#[test]
fn a_file_of_which_one_percent_changed_costs_about_that() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    let mut content = noise(1, 20_000_000);
    objects.put_bytes(&content).unwrap();
    let before = objects.stored_bytes().unwrap();
    // 1% in one stretch, and a byte inserted near the front that moves all that follows.
    content.splice(7_000_000..7_200_000, noise(2, 200_000));
    content.insert(1_000, 7);
    let digest = objects.put_bytes(&content).unwrap();
    let cost = objects.stored_bytes().unwrap() - before;
    // Two cut edges and one whole chunk at the inserted byte come on top of the 200 kB.
    assert!((200_000..900_000).contains(&cost), "{cost} bytes");
    assert!(objects.read(&digest).unwrap() == content);
}

#[test]
fn putting_the_same_again_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    let content = noise(3, 600_000);
    let first = objects.put_bytes(&content).unwrap();
    let stored = packs(dir.path());
    assert_eq!(objects.put_reader(content.as_slice()).unwrap(), first);
    assert_eq!(packs(dir.path()), stored);
    assert_eq!(stored.len(), 1, "one pack, one sync");
}

#[test]
fn a_flipped_bit_is_found_and_named_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    let text = "sepal_length,species\n5.1,setosa\n".repeat(20);
    let digest = objects.put_bytes(text.as_bytes()).unwrap();
    let pack = packs(dir.path()).remove(0);
    let whole = fs::read(&pack).unwrap();
    let name = pack.file_stem().unwrap().to_str().unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1 << (at % 8);
        fs::write(&pack, &broken).unwrap();
        match objects.read(&digest) {
            // A bit outside of the object itself: it still reads, and the pack is known to be bad.
            Ok(read) => assert_eq!(read, text.as_bytes(), "byte {at}"),
            Err(error) => {
                assert_eq!(error.code, Code::Corrupt, "byte {at}");
                assert!(
                    error.message.contains(&digest.short()) && error.message.contains(&name[..12]),
                    "{error}"
                );
            }
        }
        let (damages, _) = objects.verify(&Progress::silent()).unwrap();
        assert!(!damages.is_empty(), "byte {at}");
    }
}

#[test]
fn a_pack_that_was_cut_off_at_any_byte_gives_what_stands_before_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let contents = [noise(1, 90), vec![7; 400], noise(2, 60)];
    let mut writer = PackWriter::new(dir.path()).unwrap();
    for content in &contents {
        writer.append(Kind::Blob, Digest::of(content), content).unwrap();
    }
    let written = writer.finish().unwrap();
    let path = pack::path_of(dir.path(), &written.name);
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let listed = pack::list(dir.path(), &written.name).unwrap().entries;
        let expected: Vec<_> = written
            .entries
            .iter()
            .take_while(|entry| entry.offset + entry.length() <= length as u64)
            .copied()
            .collect();
        assert_eq!(listed, expected, "cut at {length}");
        assert!(!pack::is_whole(dir.path(), &written.name).unwrap());
    }
}

#[test]
fn a_cut_pack_loses_no_more_than_its_end_and_putting_again_heals_it() {
    let dir = tempfile::tempdir().unwrap();
    let content = noise(5, 700_000);
    let digest = open(dir.path()).put_bytes(&content).unwrap();
    let pack = packs(dir.path()).remove(0);
    let file = fs::OpenOptions::new().write(true).open(&pack).unwrap();
    file.set_len(400_000).unwrap();

    let objects = open(dir.path());
    assert!(!objects.has(&digest).unwrap(), "its list stood at the end");
    assert_eq!(objects.read(&digest).unwrap_err().code, Code::Corrupt);
    assert_eq!(objects.put_bytes(&content).unwrap(), digest);
    assert!(objects.read(&digest).unwrap() == content);
    assert!(open(dir.path()).read(&digest).unwrap() == content);
}

#[test]
fn the_index_is_built_anew_from_the_packs() {
    let dir = tempfile::tempdir().unwrap();
    let content = noise(6, 300_000);
    let digest = open(dir.path()).put_bytes(&content).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(dir.path().join(format!("index.db{suffix}")));
    }
    assert!(open(dir.path()).read(&digest).unwrap() == content);
    fs::write(dir.path().join("index.db"), "this is not a database ".repeat(500)).unwrap();
    assert_eq!(Objects::open(dir.path(), false).unwrap_err().code, Code::Corrupt, "a guest leaves it alone");
    assert!(open(dir.path()).read(&digest).unwrap() == content);
}

#[test]
fn a_folder_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("model");
    fs::create_dir_all(source.join("data/deep")).unwrap();
    fs::write(source.join("MLmodel"), "flavors: {}").unwrap();
    fs::write(source.join("data/deep/model.onnx"), noise(8, 500_000)).unwrap();
    fs::write(source.join("empty"), "").unwrap();
    let objects = open(&dir.path().join("objects"));
    let digest = objects.put_tree(&source).unwrap();
    assert_eq!(objects.put_tree(&source).unwrap(), digest);
    let paths: Vec<_> = objects.tree(&digest).unwrap().entries.into_iter().map(|entry| entry.path).collect();
    assert_eq!(paths, ["MLmodel", "data/deep/model.onnx", "empty"]);
    assert_eq!(objects.size(&digest).unwrap(), 500_011);

    let to = dir.path().join("out/copy");
    objects.get_tree(&digest, &to).unwrap();
    objects.get_tree(&digest, &to).unwrap();
    for path in paths {
        assert!(fs::read(to.join(&path)).unwrap() == fs::read(source.join(&path)).unwrap(), "{path}");
    }
    assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 1, "nothing temporary is left");
}

#[test]
fn a_damaged_folder_is_not_written_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("model");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("a"), noise(9, 1_000)).unwrap();
    fs::write(source.join("b"), noise(10, 1_000)).unwrap();
    let root = dir.path().join("objects");
    let digest = open(&root).put_tree(&source).unwrap();
    let pack = packs(&root).remove(0);
    let mut bytes = fs::read(&pack).unwrap();
    bytes[1_500] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let to = dir.path().join("copy");
    assert_eq!(open(&root).get_tree(&digest, &to).unwrap_err().code, Code::Corrupt);
    assert!(!to.exists());
    assert_eq!(open(&root).get_file(&Digest::of(&noise(10, 1_000)), &to).unwrap_err().code, Code::Corrupt);
    assert!(!to.exists());
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("model");
    fs::create_dir(&source).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", source.join("x")).unwrap();
    let error = open(&dir.path().join("objects")).put_tree(&source).unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);
}

#[test]
fn a_put_that_is_cancelled_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let file = dir.path().join("big.csv");
    fs::write(&file, noise(11, 3_000_000)).unwrap();
    let progress = Progress::silent();
    progress.cancel().cancel();
    assert_eq!(objects.put_file_with(&file, &progress).unwrap_err().code, Code::Cancelled);
    assert_eq!(packs(&dir.path().join("objects")), Vec::<PathBuf>::new());
}

#[test]
fn sweeping_keeps_what_is_live_and_frees_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (kept, dead) = (noise(12, 900_000), noise(13, 900_000));
    let objects = open(dir.path());
    let (kept_digest, dead_digest) = (objects.put_bytes(&kept).unwrap(), objects.put_bytes(&dead).unwrap());
    assert_eq!(
        objects.plan(&objects.mark([], &Progress::silent()).unwrap()).unwrap().freed_objects,
        0,
        "a process keeps what it put"
    );
    drop(objects);

    let objects = open(dir.path());
    let live = objects.mark([kept_digest, Digest::of(b"no object at all")], &Progress::silent()).unwrap();
    let planned = objects.plan(&live).unwrap();
    let swept = objects.alone(|| objects.sweep(&live, &Progress::silent())).unwrap();
    assert_eq!(planned, swept);
    assert!(swept.freed_bytes > 890_000, "{swept:?}");
    assert!(objects.read(&kept_digest).unwrap() == kept);
    assert!(!objects.has(&dead_digest).unwrap());
    assert!(objects.stored_bytes().unwrap() < 920_000);
    assert_eq!(objects.verify(&Progress::silent()).unwrap().0, []);
    assert!(objects.put_bytes(&dead).unwrap() == dead_digest, "it can come back");
}

#[test]
fn a_pack_with_live_and_dead_objects_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("files");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("kept"), noise(14, 10_000)).unwrap();
    fs::write(source.join("dead"), noise(15, 10_000)).unwrap();
    let root = dir.path().join("objects");
    open(&root).put_tree(&source).unwrap();
    let objects = open(&root);
    let kept = Digest::of(&noise(14, 10_000));
    let live = HashSet::from([kept]);
    let before = packs(&root);
    objects.alone(|| objects.sweep(&live, &Progress::silent())).unwrap();
    assert_ne!(packs(&root), before);
    assert!(objects.read(&kept).unwrap() == noise(14, 10_000));
    assert_eq!(objects.size(&Digest::of(&noise(15, 10_000))).unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_reader_that_was_open_before_a_sweep_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let content = noise(16, 1_000_000);
    let digest = open(dir.path()).put_bytes(&content).unwrap();
    open(dir.path()).put_bytes(&noise(17, 1_000_000)).unwrap();
    // Two processes: one reads with what it knew, the other sweeps.
    let (reading, sweeping) = (open(dir.path()), open(dir.path()));
    let mut reader = reading.reader(&digest).unwrap();
    let mut read = reader.next_blob().unwrap().unwrap();
    let live = sweeping.mark([digest], &Progress::silent()).unwrap();
    sweeping.alone(|| sweeping.sweep(&live, &Progress::silent())).unwrap();
    while let Some(blob) = reader.next_blob().unwrap() {
        read.extend(blob);
    }
    assert!(read == content);
}

#[test]
fn nothing_is_swept_while_another_process_has_put_something() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path()), open(dir.path()));
    one.put_bytes(b"not yet referred to").unwrap();
    assert_eq!(other.alone(|| Ok(())).unwrap_err().code, Code::Unavailable);
    drop(one);
    other.alone(|| Ok(())).unwrap();
}
