//! An import that was killed goes on where it was, and what is kept of it never harms.
//!
//! The child is this test program again, told to run the one test [`child`] with a folder in its
//! environment; run as a test like the others, that one does nothing.

use std::env;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use base::{Cancel, Code, Progress};

use super::*;
use crate::import::decode::TextSource;
use crate::import::{ParseOptions, import, import_in_parts};
use crate::table::{DATA_FILE, META_FILE};

const DIR: &str = "FETTLE_KEPT_TEST_DIR";
const AT: &str = "FETTLE_KEPT_TEST_AT";
/// 29 row groups.
const ROWS: usize = 1_900_000;

/// A table with all that has to be counted right: notes, blank lines, rows that are no rows. With `late`
/// the column `b` turns out to be text near the end.
fn text(late: bool) -> String {
    let mut text = "a,b\n".to_owned();
    for row in 0..ROWS {
        match row % 50_000 {
            7 => text.push_str("# note, 1\n"),
            11 => text.push('\n'),
            13 => text.push_str("1,2,3\n"),
            _ if late && row == ROWS - 5000 => text.push_str("1,late\n"),
            17 => writeln!(text, "{row},\"7\"").expect("a string takes all"),
            _ => writeln!(text, "{row},{}", row % 997).expect("a string takes all"),
        }
    }
    text
}

fn options() -> ParseOptions {
    ParseOptions { comment: Some('#'), ..ParseOptions::default() }
}

/// The file, and the folders that belong to it.
struct Place {
    root: tempfile::TempDir,
    size: u64,
}

impl Place {
    fn new(late: bool) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let text = text(late);
        std::fs::write(root.path().join("table.csv"), &text).expect("writable");
        Self { root, size: text.len() as u64 }
    }

    fn import(&self, identity: &str, progress: &Progress) -> Result<(ImportReport, [Vec<u8>; 2])> {
        import_at(self.root.path(), identity, progress)
    }

    /// What an import gives that nobody interrupts and that keeps nothing.
    fn whole(&self) -> (ImportReport, [Vec<u8>; 2]) {
        let out = tempfile::tempdir().expect("a temporary folder");
        let report = import(&self.root.path().join("table.csv"), &options(), out.path(), &Progress::silent());
        (report.expect("it is a table"), files(out.path()))
    }

    /// Lets an import run until the stage has come so far, and stops it.
    fn stopped_at(&self, stage: &'static str, share: f64) {
        let (cancel, at) = (Cancel::default(), (self.size as f64 * share) as u64);
        let progress = Progress::new(cancel.clone(), move |told| {
            if told.name == stage && told.done >= at {
                cancel.cancel();
            }
        });
        let error = self.import("one", &progress).expect_err("it is stopped");
        assert_eq!(error.code, Code::Cancelled);
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.root.path().join("kept").join(name)
    }
}

fn import_at(root: &Path, identity: &str, progress: &Progress) -> Result<(ImportReport, [Vec<u8>; 2])> {
    let out = tempfile::tempdir_in(root).expect("a temporary folder");
    let (path, dir) = (root.join("table.csv"), root.join("kept"));
    let size = path.metadata().expect("the file is there").len();
    let parts = Parts { dir, identity: identity.to_owned(), every_bytes: Some(size / SHARE) };
    let report = import_in_parts(&path, &options(), (out.path(), &parts), progress)?;
    Ok((report, files(out.path())))
}

fn files(dir: &Path) -> [Vec<u8>; 2] {
    [DATA_FILE, META_FILE].map(|name| std::fs::read(dir.join(name)).expect("the file is there"))
}

/// The same table, told in the same words; and how much was not read again.
fn taken_over(found: Result<(ImportReport, [Vec<u8>; 2])>, expected: &(ImportReport, [Vec<u8>; 2])) -> u64 {
    let (report, bytes) = found.expect("it is a table");
    let taken_over = report.taken_over_bytes;
    assert_eq!(ImportReport { taken_over_bytes: 0, ..report }, expected.0);
    assert!(bytes == expected.1, "the same rows are the same bytes");
    taken_over
}

#[test]
fn child() {
    let (Ok(dir), Ok(at)) = (env::var(DIR), env::var(AT)) else { return };
    let (stage, at) = at.split_once(' ').expect("a stage and how far");
    let (stage, at) = (stage.to_owned(), at.parse::<u64>().expect("a number"));
    let progress = Progress::new(Cancel::default(), move |told| {
        if told.name == stage && told.done >= at {
            println!("\nready {}", told.done);
            io::stdout().flush().expect("somebody reads it");
            io::stdin().lines().for_each(drop);
        }
    });
    let _ = import_at(Path::new(&dir), "one", &progress);
}

/// Kills an import when a stage has come so far, and says how far that was.
fn kill_at(dir: &Path, stage: &str, at: u64) -> u64 {
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "import::kept::tests::child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(AT, format!("{stage} {at}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let ready = said.find_map(|line| line.expect("text").strip_prefix("ready ").map(str::to_owned));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    ready.expect("it comes to where it is killed").parse().expect("a number")
}

#[test]
fn an_import_that_was_killed_reads_little_again() {
    let place = Place::new(false);
    let expected = place.whole();
    assert_eq!((expected.0.blank_lines, expected.0.comment_lines, expected.0.rejected_total), (38, 38, 38));
    // The golden ratio spreads moments evenly without a pattern (Weyl, 1916).
    for kill in 1..=4 {
        let share = (f64::from(kill) * 0.618_033_988_75).fract();
        let reached = kill_at(place.root.path(), "reading", (share * place.size as f64) as u64);
        let taken_over = taken_over(place.import("one", &Progress::silent()), &expected);
        let again = reached - taken_over;
        // How far it came is told whenever a chunk is done, and the chunk after it was begun.
        let most = place.size / SHARE + TextSource::READ_BYTES as u64;
        assert!(again <= most, "killed at {reached}, and {again} bytes were read again, not {most}");
        Parts::remove(&place.kept(""));
        assert!(!place.kept("").exists());
    }
}

#[test]
fn an_import_that_is_killed_again_and_again_comes_to_its_end() {
    let place = Place::new(true);
    let expected = place.whole();
    let root = place.root.path();
    for (stage, share) in [("reading", 0.3), ("reading", 0.7), ("writing", 0.4), ("writing", 0.8)] {
        kill_at(root, stage, (share * place.size as f64) as u64);
    }
    let taken_over = taken_over(place.import("one", &Progress::silent()), &expected);
    assert!(taken_over >= place.size / 100 * 175, "{taken_over} of two times {}", place.size);
}

#[test]
fn a_finished_import_that_nobody_took_is_not_done_again() {
    let place = Place::new(false);
    let expected = place.whole();
    assert_eq!(taken_over(place.import("one", &Progress::silent()), &expected), 0);
    assert_eq!(taken_over(place.import("one", &Progress::silent()), &expected), place.size);
    let path = place.kept(DATA_FILE);
    let mut bytes = std::fs::read(&path).expect("it is kept");
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    assert_eq!(taken_over(place.import("one", &Progress::silent()), &expected), 0);
    // Another content of the same file is another table.
    assert_eq!(taken_over(place.import("two", &Progress::silent()), &expected), 0);
}

#[test]
fn what_is_kept_and_is_not_what_was_written_is_not_taken_over() {
    let place = Place::new(false);
    let expected = place.whole();
    let flip = |name: &str| {
        let path = place.kept(name);
        let mut bytes = std::fs::read(&path).expect("it is kept");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("writable");
    };
    let damages: [&dyn Fn(); 4] =
        [&|| flip(DATA_FILE), &|| flip(STATE), &|| flip("data.00001.groups"), &|| {
            std::fs::remove_file(place.kept(DATA_FILE)).expect("it is kept")
        }];
    for damage in damages {
        place.stopped_at("reading", 0.5);
        damage();
        assert_eq!(taken_over(place.import("one", &Progress::silent()), &expected), 0);
        Parts::remove(&place.kept(""));
    }
    place.stopped_at("reading", 0.5);
    assert_eq!(taken_over(place.import("two", &Progress::silent()), &expected), 0);
}

#[test]
fn of_two_imports_of_a_file_at_once_one_keeps_and_the_other_harms_nothing() {
    let place = Place::new(false);
    let expected = place.whole();
    place.stopped_at("reading", 0.5);
    let parts = Parts { dir: place.kept(""), identity: "one".to_owned(), every_bytes: Some(1) };
    let other = Kept::open(&parts, place.size).expect("nobody has it");
    assert_eq!(taken_over(place.import("one", &Progress::silent()), &expected), 0);
    Parts::remove(&place.kept(""));
    assert!(other.reached().is_some(), "what somebody uses stays");
    drop(other);
    assert!(taken_over(place.import("one", &Progress::silent()), &expected) > place.size / 3);
}

#[test]
fn of_a_small_file_or_one_in_another_encoding_nothing_is_kept() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let path = root.path().join("table.csv");
    let import = |every_bytes: Option<u64>, encoding: &str| {
        let dir = root.path().join(encoding);
        let parts = Parts { dir: dir.clone(), identity: String::new(), every_bytes };
        let options = ParseOptions { encoding: encoding.to_owned(), ..ParseOptions::default() };
        let out = tempfile::tempdir().expect("a temporary folder");
        import_in_parts(&path, &options, (out.path(), &parts), &Progress::silent()).expect("a table");
        dir.exists()
    };
    std::fs::write(&path, "a,b\n1,2\n").expect("writable");
    assert!(!import(None, "UTF-8"));
    assert!(!import(Some(1), "windows-1252"));
    assert!(import(Some(1), "UTF-8"));
}
