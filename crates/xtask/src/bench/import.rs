//! A file of a million rows and 20 columns: bringing it in, and jumping about in it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::random::Random;
use crate::instruments::world::{World, argument, reply};
use crate::instruments::{table, times, watched};
use crate::{Result, programs};

const ROWS: u64 = 1_000_000;
const DATASET: &str = "million";
const JUMPS: usize = 50;
const PAGE_ROWS: u64 = 100;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let file = table::file(ROWS)?;
    let world = World::new("import")?;
    let limit_s = copy_and_read_s(&file, &world.path("copy.csv"))
        .map_err(|error| format!("cannot copy `{}`: {error}", file.display()))?;
    let words = ["dataset", "import", argument(&file)?, "--name", DATASET];
    let import = watched::run(world.command(&words))?;
    let imported = reply(&import.printed)?;
    if imported["rows"] != ROWS || imported["rejectedRows"] != 0 {
        return Err(format!("not every row was imported: {imported}"));
    }
    let size_mb = file.metadata().map_err(|error| error.to_string())?.len() as f64 / 1e6;
    let mut figures = vec![
        Figure::new("size of the file", size_mb, "MB"),
        Figure::new("import", import.wall_s, "s"),
        Figure::new("import: throughput", size_mb / import.wall_s, "MB/s"),
        Figure::new("copying the file to disk and reading it", limit_s, "s"),
        Figure::new("import: as many times the copy", import.wall_s / limit_s, "times"),
    ];
    figures.extend(import.figures("import"));
    figures.extend(jumps(&world)?);
    Ok(figures)
}

/// The least that anything can take that keeps a copy and looks at every byte.
fn copy_and_read_s(from: &Path, to: &Path) -> std::io::Result<f64> {
    let start = Instant::now();
    let mut out = File::create(to)?;
    for_each_block(from, |block| out.write_all(block))?;
    out.sync_all()?;
    let mut sum = 0_u64;
    for_each_block(from, |block| {
        let words =
            block.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
        sum = words.fold(sum, u64::wrapping_add);
        Ok(())
    })?;
    // Without a use of the sum, the compiler could leave the reading out.
    std::hint::black_box(sum);
    let took_s = start.elapsed().as_secs_f64();
    std::fs::remove_file(to)?;
    Ok(took_s)
}

fn for_each_block(path: &Path, mut work: impl FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut block)?;
        if length == 0 {
            return Ok(());
        }
        work(&block[..length])?;
    }
}

/// What the viewer does when somebody drags its scroll bar.
fn jumps(world: &World) -> Result<Vec<Figure>> {
    let daemon = world.start_daemon()?;
    let mut connection = Connection::open(&daemon.url, &daemon.token)?;
    let mut random = Random::new(1);
    let mut times_ms = Vec::new();
    for _ in 0..JUMPS {
        let offset = random.below(ROWS - PAGE_ROWS);
        let request = json!({ "dataset": DATASET, "offset": offset, "limit": PAGE_ROWS }).to_string();
        let start = Instant::now();
        let page = connection.post("/rpc/dataset.page", &request)?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        let page: Value = reply(&String::from_utf8_lossy(&page))?;
        if page["rows"].as_array().map(Vec::len) != Some(PAGE_ROWS as usize) {
            return Err(format!("the page at row {offset} has not {PAGE_ROWS} rows"));
        }
    }
    Ok(vec![
        Figure::new(format!("jump to {PAGE_ROWS} rows anywhere, median"), times::median(&times_ms), "ms"),
        Figure::new(format!("jump, the worst of {JUMPS}"), times::worst(&times_ms), "ms"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_read_to_its_end_and_removed() {
        let (from, to) = (Path::new(file!()), std::env::temp_dir().join("fettle-xtask-copy"));
        let from = crate::process::root().join(from);
        let mut length = 0;
        for_each_block(&from, |block| {
            length += block.len() as u64;
            Ok(())
        })
        .expect("this file is there");
        assert_eq!(length, from.metadata().expect("this file is there").len());
        assert!(copy_and_read_s(&from, &to).expect("it can be copied") > 0.0);
        assert!(!to.exists());
        assert!(copy_and_read_s(Path::new("missing"), &to).is_err());
    }
}
