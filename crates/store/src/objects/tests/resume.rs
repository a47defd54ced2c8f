//! A put that was killed goes on where its last complete pack ended.
//!
//! The child is this test program again, told to run the one test [`child`] with a place in its
//! environment; run as a test like the others, that one does nothing.

use std::env;
use std::io::{self, BufRead as _, BufReader, Cursor, Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::Objects;
use super::super::kept::Keep;
use super::{noise, open};
use crate::Digest;

const DIR: &str = "FETTLE_RESUME_TEST_DIR";
const AT: &str = "FETTLE_RESUME_TEST_AT";
const KEPT: &str = "FETTLE_RESUME_TEST_KEPT";

const SIZE: usize = 20_000_000;
const PACK: u64 = 500_000;

fn open_with_small_packs(dir: &Path) -> Objects {
    Objects { pack_bytes: PACK, ..open(dir) }
}

/// Says so when `left` bytes were read, and waits for the end.
struct Trap<'a> {
    content: Cursor<&'a [u8]>,
    left: usize,
}

impl<'a> Trap<'a> {
    fn new(content: &'a [u8], left: usize) -> Self {
        Self { content: Cursor::new(content), left }
    }
}

impl Seek for Trap<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.content.seek(to)
    }
}

/// Counts what is read.
struct Counted<'a> {
    content: Cursor<&'a [u8]>,
    read: &'a mut usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(out)?;
        *self.read += read;
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.content.seek(to)
    }
}

fn keep(dir: &Path, identity: &str) -> Keep {
    let (path, identity) = (dir.join("kept").join("stored"), Digest::of(identity.as_bytes()));
    Keep { path, identity, every_bytes: SIZE as u64 / 20 }
}

/// Puts a content of which something is kept, and says how much of it was read.
fn put_counted(objects: &Objects, content: &[u8], keep: &Keep) -> usize {
    let mut read = 0;
    let reader = Counted { content: Cursor::new(content), read: &mut read };
    let put = objects.put(|writer| Ok(writer.put_kept(reader, None, keep, |_| Ok(()))?.0));
    assert_eq!(put.unwrap(), Digest::of(content));
    read
}

impl Read for Trap<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            println!("\nready");
            io::stdout().flush()?;
            io::stdin().lines().for_each(drop);
        }
        let most = out.len().min(self.left);
        let read = self.content.read(&mut out[..most])?;
        self.left -= read;
        Ok(read)
    }
}

#[test]
fn child() {
    let (Ok(dir), Ok(at)) = (env::var(DIR), env::var(AT)) else { return };
    let content = noise(21, SIZE);
    let trap = Trap::new(&content, at.parse().unwrap());
    let objects = open_with_small_packs(Path::new(&dir));
    match env::var(KEPT) {
        Err(_) => objects.put_reader(trap).unwrap(),
        Ok(identity) => {
            let keep = keep(Path::new(&dir), &identity);
            objects.put(|writer| Ok(writer.put_kept(trap, None, &keep, |_| Ok(()))?.0)).unwrap()
        }
    };
}

fn kill_at(dir: &Path, at: usize) {
    kill_with(dir, at, None);
}

fn kill_with(dir: &Path, at: usize, identity: Option<&str>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "objects::tests::resume::child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(AT, at.to_string())
        .envs(identity.map(|identity| (KEPT, identity)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "ready"), "the put came to where it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_put_that_was_killed_anywhere_writes_little_again() {
    let content = noise(21, SIZE);
    // The golden ratio spreads moments evenly without a pattern (Weyl, 1916).
    for kill in 1..=6 {
        let dir = tempfile::tempdir().unwrap();
        let at = ((f64::from(kill) * 0.618_033_988_75).fract() * SIZE as f64) as usize;
        kill_at(dir.path(), at);
        // The next one knows the packs even when the index is lost.
        if kill % 2 == 0 {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(dir.path().join(format!("index.db{suffix}")));
            }
        }
        let objects = open_with_small_packs(dir.path());
        let before = objects.stored_bytes().unwrap();
        let digest = objects.put_bytes(&content).unwrap();
        assert_eq!(digest, Digest::of(&content));
        let written = objects.stored_bytes().unwrap() - before;
        let again = written.saturating_sub((SIZE - at) as u64);
        assert!(again * 20 <= SIZE as u64, "killed at {at}: {again} bytes were written again");
        assert!(objects.read(&digest).unwrap() == content);
    }
}

#[test]
fn a_put_that_is_killed_again_and_again_comes_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for step in 1..=5 {
        kill_at(dir.path(), SIZE / 6 * step);
        let stored = open(dir.path()).stored_bytes().unwrap();
        assert!(stored > last, "each time it comes further");
        last = stored;
    }
    assert!(last * 10 > SIZE as u64 * 7, "{last}");
}

#[test]
fn a_put_that_was_killed_reads_little_again() {
    let content = noise(21, SIZE);
    for kill in 1..=4 {
        let dir = tempfile::tempdir().unwrap();
        let at = ((f64::from(kill) * 0.618_033_988_75).fract() * SIZE as f64) as usize;
        kill_with(dir.path(), at, Some("file"));
        let objects = open_with_small_packs(dir.path());
        let read = put_counted(&objects, &content, &keep(dir.path(), "file"));
        let again = read - (SIZE - at);
        // Up to a megabyte more is read for the hash of the whole, and two chunks of 256 KiB.
        assert!(again <= SIZE / 20 + (6 << 18), "killed at {at}: {again} bytes were read again");
        assert!(objects.read(&Digest::of(&content)).unwrap() == content);
        // All of it but the last part is known then.
        assert!(put_counted(&objects, &content, &keep(dir.path(), "file")) <= SIZE / 20 + (6 << 18));
    }
}

#[test]
fn what_is_kept_of_a_put_is_not_believed_if_anything_speaks_against_it() {
    let content = noise(21, SIZE);
    let dir = tempfile::tempdir().unwrap();
    let again = |identity: &str| {
        put_counted(&open_with_small_packs(dir.path()), &content, &keep(dir.path(), identity))
    };
    kill_with(dir.path(), SIZE / 2, Some("file"));
    assert_eq!(again("another"), SIZE, "another file");
    assert!(again("another") < SIZE / 8);
    let path = keep(dir.path(), "").path;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[80] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(again("another"), SIZE, "damaged");
    let held = std::fs::File::open(&path).unwrap();
    held.try_lock().unwrap();
    assert_eq!(again("another"), SIZE, "somebody else has it");
    drop(held);
    // A half of the last part is as good as none.
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 7).unwrap();
    assert!((SIZE / 20..SIZE / 5).contains(&again("another")));
    for pack in std::fs::read_dir(dir.path().join("packs")).unwrap() {
        std::fs::remove_file(pack.unwrap().path()).unwrap();
    }
    assert_eq!(again("another"), SIZE, "the packs are gone");
}
