//! Contents that come after one another: what they cost, how they read, what keeps them alive.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use base::{Code, Progress};
use proptest::prelude::{any, prop, proptest};
use proptest::test_runner::Config;

use super::super::delta::{Delta, MAX_DEPTH};
use super::super::index::Location;
use super::super::pack::{self, PackWriter};
use super::super::{Kind, Objects};
use super::{noise, open, packs};
use crate::Digest;

/// A sequence of numbers with no pattern (xorshift), the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}

fn row(dice: &mut Dice, id: usize) -> String {
    const CITIES: [&str; 5] = ["Berlin", "Paris", "Roma", "Madrid", "Wien"];
    format!(
        "{id},{},{}.{:02},{},2026-0{}-1{}\n",
        CITIES[dice.roll(5)],
        dice.roll(90_000),
        dice.roll(100),
        dice.roll(1_000_000),
        1 + dice.roll(9),
        dice.roll(10),
    )
}

fn table(rows: usize) -> Vec<String> {
    let mut dice = Dice(88_172_645_463_325_252);
    (0..rows).map(|id| row(&mut dice, id)).collect()
}

/// The table with so many rows, evenly spread by chance, made anew.
fn scattered(rows: &[String], changes: usize, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed * 2 + 1);
    let mut rows = rows.to_vec();
    for _ in 0..changes {
        let at = dice.roll(rows.len());
        rows[at] = row(&mut dice, at);
    }
    rows
}

/// Puts a text after another; gives its digest and what it cost.
fn put_after(objects: &Objects, dir: &Path, text: &[u8], previous: &Digest) -> (Digest, u64) {
    let file = dir.join("next.csv");
    fs::write(&file, text).unwrap();
    let before = objects.stored_bytes().unwrap();
    let digest = objects.put_file_after(&file, previous, &Progress::silent()).unwrap();
    (digest, objects.stored_bytes().unwrap() - before)
}

/// How deep each delta of the packs is.
fn depths(objects: &Objects) -> Vec<u8> {
    let mut depths = Vec::new();
    let mut fetch = objects.fetch();
    for pack in objects.index.packs().unwrap().into_keys() {
        for entry in objects.index.entries(&pack).unwrap().into_iter().filter(|entry| entry.is_delta()) {
            let packed = fetch.read(&Location { pack: pack.clone(), entry }).unwrap().unwrap();
            depths.push(Delta::parse(&packed).unwrap().depth);
        }
    }
    depths
}

#[test]
fn one_percent_of_the_rows_costs_about_two_percent_wherever_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let rows = table(200_000);
    let first = objects.put_bytes(rows.concat().as_bytes()).unwrap();
    let whole = objects.stored_bytes().unwrap();

    let next = scattered(&rows, 2_000, 1).concat();
    let (digest, cost) = put_after(&objects, dir.path(), next.as_bytes(), &first);
    assert!(cost * 100 < whole * 3, "scattered: {cost} of {whole}");
    assert!(objects.read(&digest).unwrap() == next.as_bytes());

    let mut block = rows.clone();
    block.splice(90_000..92_000, scattered(&rows[..2_000], 20_000, 2));
    let (digest, cost) = put_after(&objects, dir.path(), block.concat().as_bytes(), &first);
    // On top of the rows come two edges, which are small beside a larger file.
    assert!(cost * 1_000 < whole * 15 + 40_000_000, "a block: {cost} of {whole}");
    assert!(objects.read(&digest).unwrap() == block.concat().as_bytes());
    assert_eq!(objects.verify(&Progress::silent()).unwrap().0, []);
}

#[test]
fn rows_that_come_and_go_cost_about_what_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let rows = table(100_000);
    let first = objects.put_bytes(rows.concat().as_bytes()).unwrap();
    let whole = objects.stored_bytes().unwrap();
    let kept: Vec<_> =
        rows.iter().enumerate().filter(|(at, _)| at % 97 != 0).map(|(_, row)| row.as_str()).collect();
    // A long stretch removed at the front, too: what follows lies elsewhere.
    let next = kept[9_000..].concat();
    let (digest, cost) = put_after(&objects, dir.path(), next.as_bytes(), &first);
    assert!(cost * 100 < whole * 4, "{cost} of {whole}");
    assert!(objects.read(&digest).unwrap() == next.as_bytes());
}

#[test]
fn many_versions_read_back_without_long_chains() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let objects = open(&root);
    let mut rows = table(12_000);
    let mut versions = vec![(objects.put_bytes(rows.concat().as_bytes()).unwrap(), rows.concat())];
    let whole = objects.stored_bytes().unwrap();
    for seed in 1..14 {
        rows = scattered(&rows, 60, seed);
        let text = rows.concat();
        let (digest, cost) = put_after(&objects, dir.path(), text.as_bytes(), &versions.last().unwrap().0);
        assert!(cost * 5 < whole, "version {seed}: {cost} of {whole}");
        versions.push((digest, text));
    }
    let found = depths(&objects);
    assert_eq!(found.iter().max(), Some(&MAX_DEPTH));
    for (digest, text) in &versions {
        assert!(objects.read(digest).unwrap() == text.as_bytes());
    }
    // The packs alone tell all of it.
    drop(objects);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(root.join(format!("index.db{suffix}")));
    }
    let again = open(&root);
    assert_eq!(depths(&again).len(), found.len());
    assert!(versions.iter().all(|(digest, text)| again.read(digest).unwrap() == text.as_bytes()));
}

#[test]
fn what_a_live_version_is_told_by_is_not_swept() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let mut rows = table(12_000);
    let mut last = open(&root).put_bytes(rows.concat().as_bytes()).unwrap();
    for seed in 1..4 {
        rows = scattered(&rows, 60, seed);
        last = put_after(&open(&root), dir.path(), rows.concat().as_bytes(), &last).0;
    }
    let objects = open(&root);
    let before = objects.stored_bytes().unwrap();
    let live = objects.mark([last], &Progress::silent()).unwrap();
    objects.alone(|| objects.sweep(&live, &Progress::silent())).unwrap();
    assert!(objects.read(&last).unwrap() == rows.concat().as_bytes());
    assert_eq!(objects.verify(&Progress::silent()).unwrap().0, []);
    assert!(objects.below(&last).unwrap().iter().all(|(_, is_there)| *is_there));

    let live = objects.mark([], &Progress::silent()).unwrap();
    let swept = objects.alone(|| objects.sweep(&live, &Progress::silent())).unwrap();
    assert!(swept.freed_bytes > before / 2);
    assert_eq!(objects.stored_bytes().unwrap(), 0);
}

#[test]
fn a_damaged_base_is_damage_to_all_that_is_told_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let rows = table(12_000);
    let first = open(&root).put_bytes(rows.concat().as_bytes()).unwrap();
    let base_pack = packs(&root).remove(0);
    let text = scattered(&rows, 60, 1).concat();
    let (second, _) = put_after(&open(&root), dir.path(), text.as_bytes(), &first);
    let mut bytes = fs::read(&base_pack).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&base_pack, bytes).unwrap();

    let objects = open(&root);
    for digest in [first, second] {
        let error = objects.read(&digest).unwrap_err();
        assert_eq!(error.code, Code::Corrupt);
        let damaged: HashSet<_> = objects
            .verify(&Progress::silent())
            .unwrap()
            .0
            .into_iter()
            .filter_map(|damage| damage.digest)
            .collect();
        assert!(objects.below(&digest).unwrap().iter().any(|(below, _)| damaged.contains(below)), "{error}");
    }
    // The next version does without what does not read, and is whole.
    let next = scattered(&rows, 60, 2).concat();
    let (third, _) = put_after(&objects, dir.path(), next.as_bytes(), &first);
    let damaged = objects.verify(&Progress::silent()).unwrap().0;
    objects.forget_damaged(&damaged).unwrap();
    assert_eq!(objects.put_bytes(next.as_bytes()).unwrap(), third);
    assert!(objects.read(&third).unwrap() == next.as_bytes());
}

#[test]
fn a_predecessor_that_is_not_there_costs_nothing_but_space() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(&dir.path().join("objects"));
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), noise(1, 10)).unwrap();
    let tree = objects.put_tree(&folder).unwrap();
    for (previous, seed) in [(Digest::of(b"nothing"), 2), (tree, 3), (Digest::of(&noise(1, 10)), 4)] {
        let content = noise(seed, 300_000);
        let (digest, _) = put_after(&objects, dir.path(), &content, &previous);
        assert!(objects.read(&digest).unwrap() == content);
    }
    let folder_after = objects.put_tree_after(&folder, &Digest::of(b"nothing"), &Progress::silent()).unwrap();
    assert_eq!(folder_after, tree);
}

#[test]
fn each_file_of_a_folder_comes_after_the_one_of_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let objects = open(&root);
    let folder = dir.path().join("folder");
    fs::create_dir_all(folder.join("parts")).unwrap();
    let rows = table(24_000);
    let (one, other) = rows.split_at(12_000);
    fs::write(folder.join("one.csv"), one.concat()).unwrap();
    fs::write(folder.join("parts/other.csv"), other.concat()).unwrap();
    let first = objects.put_tree(&folder).unwrap();
    let whole = objects.stored_bytes().unwrap();

    fs::write(folder.join("one.csv"), scattered(one, 60, 1).concat()).unwrap();
    fs::write(folder.join("parts/other.csv"), scattered(other, 60, 2).concat()).unwrap();
    let second = objects.put_tree_after(&folder, &first, &Progress::silent()).unwrap();
    let cost = objects.stored_bytes().unwrap() - whole;
    assert!(cost * 20 < whole, "{cost} of {whole}");
    let to = dir.path().join("copy");
    objects.get_tree(&second, &to).unwrap();
    for path in ["one.csv", "parts/other.csv"] {
        assert!(fs::read(to.join(path)).unwrap() == fs::read(folder.join(path)).unwrap());
    }
}

#[test]
fn a_cut_pack_of_deltas_is_read_up_to_the_cut_without_its_bases() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let rows = table(12_000);
    let first = open(&root).put_bytes(rows.concat().as_bytes()).unwrap();
    let base_pack = packs(&root).remove(0);
    put_after(&open(&root), dir.path(), scattered(&rows, 60, 1).concat().as_bytes(), &first);
    fs::remove_file(&base_pack).unwrap();
    let path = packs(&root).remove(0);
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let packs = root.join("packs");
    let entries = pack::list(&packs, &name).unwrap().entries;
    assert!(entries.iter().filter(|entry| entry.is_delta()).count() > 3);
    let whole = fs::read(&path).unwrap();
    for entry in &entries {
        fs::write(&path, &whole[..(entry.offset + entry.length()) as usize]).unwrap();
        let listed = pack::list(&packs, &name).unwrap().entries;
        assert_eq!(listed.last(), Some(entry));
    }
}

#[test]
fn what_a_newer_fettle_packed_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("objects");
    let objects = open(&root);
    let mut writer = PackWriter::new(&root.join("packs")).unwrap();
    writer.append(Kind::Blob, Digest::of(b"x"), b"x").unwrap();
    let entry = writer.finish().unwrap().entries[0];
    let mut writer = PackWriter::new(&root.join("packs")).unwrap();
    writer.append_packed(pack::Entry { codec: 3, ..entry }, b"y").unwrap();
    let newer = writer.finish().unwrap();
    assert_eq!(pack::list(&root.join("packs"), &newer.name).unwrap_err().code, Code::TooNew);
    assert_eq!(Objects::open(&root, true).unwrap_err().code, Code::TooNew);
    // A newer process beside us may have told the index already.
    objects.index.add(&newer).unwrap();
    assert_eq!(objects.read(&entry.digest).unwrap_err().code, Code::TooNew);
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_edits_read_back_through_any_chain(
        edits in prop::collection::vec((any::<u64>(), 0..5usize, any::<prop::sample::Index>()), 1..8),
        live in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("objects");
        let mut text = table(4_000).concat().into_bytes();
        let mut versions = vec![(open(&root).put_bytes(&text).unwrap(), text.clone())];
        for (seed, kind, after) in edits {
            let at = seed as usize % text.len();
            let to = (at + 1 + seed as usize % 90_000).min(text.len());
            match kind {
                0 => { text.splice(at..at, noise(seed, 3_000)); }
                1 => { text.drain(at..to); }
                2 => text[at] ^= 1,
                3 => text.rotate_left(at),
                _ => text.extend_from_within(at..to),
            }
            if text.is_empty() {
                text.push(7);
            }
            let previous = versions[after.index(versions.len())].0;
            versions.push((put_after(&open(&root), dir.path(), &text, &previous).0, text.clone()));
        }
        let objects = open(&root);
        assert_eq!(objects.verify(&Progress::silent()).unwrap().0, []);
        for (digest, text) in &versions {
            assert!(objects.read(digest).unwrap() == *text);
        }
        let (digest, text) = &versions[live.index(versions.len())];
        let marked = objects.mark([*digest], &Progress::silent()).unwrap();
        objects.alone(|| objects.sweep(&marked, &Progress::silent())).unwrap();
        assert!(objects.read(digest).unwrap() == *text);
    }
}
