//! A put that was killed goes on where its last complete pack ended.
//!
//! The child is this test program again, told to run the one test [`child`] with a place in its
//! environment; run as a test like the others, that one does nothing.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::Objects;
use super::{noise, open};
use crate::Digest;

const DIR: &str = "FETTLE_RESUME_TEST_DIR";
const AT: &str = "FETTLE_RESUME_TEST_AT";

const SIZE: usize = 20_000_000;
const PACK: u64 = 500_000;

fn open_with_small_packs(dir: &Path) -> Objects {
    Objects { pack_bytes: PACK, ..open(dir) }
}

/// Says so when `left` bytes were read, and waits for the end.
struct Trap<'a> {
    content: &'a [u8],
    left: usize,
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
    let trap = Trap { content: &content, left: at.parse().unwrap() };
    open_with_small_packs(Path::new(&dir)).put_reader(trap).unwrap();
}

fn kill_at(dir: &Path, at: usize) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "objects::tests::resume::child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(AT, at.to_string())
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
