//! What versions cost: a table, 1 % of its rows changed as one block and scattered, and a folder
//! that is stored twice. Prints one line of JSON; sizes in bytes, times in seconds.
//!
//! `cargo run -p store --example versions -- [MEGABYTES] [FILES]`, 500 and 20,000 unless told.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use base::{Clock, Progress};
use serde_json::{Value, json};
use store::{Digest, Objects, Store};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse::<u64>());
    let megabytes = sizes.next().transpose()?.unwrap_or(500);
    let files = sizes.next().transpose()?.unwrap_or(20_000);
    let dir = tempfile::tempdir()?;
    println!("{}", measure(dir.path(), megabytes * 1_000_000, files)?);
    Ok(())
}

/// Makes a workspace in `dir`, stores a table of about so many bytes and a folder of so many small
/// files in it, each with versions, and says what that took.
pub fn measure(dir: &Path, bytes: u64, files: u64) -> Outcome<Value> {
    let (store, _) = Store::create(&dir.join("workspace"), Clock::system())?;
    let objects = store.objects();
    let (table, copy) = (dir.join("table.csv"), dir.join("copy.csv"));

    let rows = write_table(&table, bytes, |_| 0)?;
    let whole = put(objects, &table, None)?;
    let get_plain = get(objects, &whole.digest, &copy)?;
    write_table(&table, bytes, |row| u64::from((rows / 2..rows / 2 + rows / 100).contains(&row)))?;
    let block = put(objects, &table, Some(&whole.digest))?;
    write_table(&table, bytes, |row| u64::from(Dice::new(row, 7).roll(100) == 0))?;
    let scattered = put(objects, &table, Some(&whole.digest))?;
    let get_scattered = get(objects, &scattered.digest, &copy)?;
    let size = fs::metadata(&copy)?.len();
    let megabytes_per_second = |took: Duration| (size as f64 / 1e6 / took.as_secs_f64()).round();
    let version = |put: &Put| {
        json!({
            "stored": put.stored,
            "pct_of_stored": pct(put.stored, whole.stored),
            "pct_of_file": pct(put.stored, size),
            "seconds": put.took.as_secs_f64(),
            "mb_per_second": megabytes_per_second(put.took),
        })
    };
    Ok(json!({
        "file": size,
        "rows": rows,
        "first": version(&whole),
        "block": version(&block),
        "scattered": version(&scattered),
        "get_first_mb_per_second": megabytes_per_second(get_plain),
        "get_scattered_mb_per_second": megabytes_per_second(get_scattered),
        "folder": measure_folder(objects, &dir.join("folder"), files)?,
    }))
}

fn measure_folder(objects: &Objects, folder: &Path, files: u64) -> Outcome<Value> {
    for file in 0..files {
        let inside = folder.join(format!("part-{:03}", file % 100));
        fs::create_dir_all(&inside)?;
        fs::write(inside.join(format!("{file}.txt")), format!("file {file}\n"))?;
    }
    wait_until_old()?;
    let clock = Instant::now();
    let first = objects.put_tree(folder)?;
    let first_took = clock.elapsed();
    let clock = Instant::now();
    let seen = walk(folder)?;
    let walk_took = clock.elapsed();
    let clock = Instant::now();
    let again = objects.put_tree(folder)?;
    let again_took = clock.elapsed();
    assert_eq!((first, seen), (again, files), "the folder did not change meanwhile");
    Ok(json!({
        "files": files,
        "first_seconds": first_took.as_secs_f64(),
        "again_seconds": again_took.as_secs_f64(),
        "walk_and_stat_seconds": walk_took.as_secs_f64(),
        "again_by_walk": again_took.as_secs_f64() / walk_took.as_secs_f64(),
    }))
}

/// Files that were changed a moment ago are read again, whatever their times say.
fn wait_until_old() -> Outcome<()> {
    let made = SystemTime::now();
    while made.elapsed()? < Duration::from_millis(2_500) {
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

struct Put {
    digest: Digest,
    stored: u64,
    took: Duration,
}

fn put(objects: &Objects, path: &Path, previous: Option<&Digest>) -> Outcome<Put> {
    let (before, clock) = (objects.stored_bytes()?, Instant::now());
    let digest = match previous {
        Some(previous) => objects.put_file_after(path, previous, &Progress::silent())?,
        None => objects.put_file(path)?,
    };
    Ok(Put { digest, stored: objects.stored_bytes()? - before, took: clock.elapsed() })
}

fn get(objects: &Objects, digest: &Digest, to: &Path) -> Outcome<Duration> {
    let clock = Instant::now();
    objects.get_file(digest, to)?;
    Ok(clock.elapsed())
}

fn walk(dir: &Path) -> Outcome<u64> {
    let mut seen = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        seen += if fs::symlink_metadata(entry.path())?.is_dir() { walk(&entry.path())? } else { 1 };
    }
    Ok(seen)
}

fn pct(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 1e4).round() / 1e2
}

/// Writes about so many bytes of rows, each in the edition that `edition` says; gives how many.
fn write_table(path: &Path, bytes: u64, edition: impl Fn(u64) -> u64) -> Outcome<u64> {
    const CITIES: [&str; 6] = ["Berlin", "Paris", "Roma", "Madrid", "Wien", "Praha"];
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    // A row has 44 to 45 bytes.
    let rows = bytes / 44;
    for id in 0..rows {
        let mut dice = Dice::new(id, edition(id));
        writeln!(
            out,
            "{id},{},{}.{:02},{},2026-{:02}-{:02},{}",
            CITIES[dice.roll(6) as usize],
            dice.roll(90_000),
            dice.roll(100),
            dice.roll(1_000_000),
            1 + dice.roll(12),
            1 + dice.roll(28),
            ["yes", "no"][dice.roll(2) as usize],
        )?;
    }
    out.flush()?;
    Ok(rows)
}

/// Numbers with no pattern (splitmix64), the same for the same row and edition.
struct Dice(u64);

impl Dice {
    fn new(row: u64, edition: u64) -> Self {
        // Mixed twice, or the numbers of a row would be those of the next one, moved by one.
        Self(mix(mix(row) ^ edition))
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0) % below
    }
}

fn mix(number: u64) -> u64 {
    let mut mixed = number;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
