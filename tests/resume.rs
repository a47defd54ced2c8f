//! An import that was killed in the middle is asked for again: it goes on, and comes to what it would
//! have come to.

mod testkit;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::World;

/// So many of rows of 34 bytes: 70 MB, which is enough for something to be kept.
const ROWS: u64 = 2_100_000;

fn table() -> String {
    let mut text = "id,amount,place,note\n".to_owned();
    for row in 0..ROWS {
        // A multiplicative hash (Knuth, 6.4) for amounts with no pattern.
        let noise = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        writeln!(text, "{row},{}.{:02},place {},{noise:06x}", noise % 9000, noise % 100, row % 90)
            .expect("a string takes all");
    }
    text
}

/// What is kept of an import under way: how far its reading came.
fn reached(workspace: &Path) -> Option<u64> {
    let dir = std::fs::read_dir(workspace.join("cache/unfinished")).ok()?.next()?.ok()?.path();
    let text = std::fs::read_to_string(dir.join("state.json")).ok()?;
    let state: Value = serde_json::from_str(text.get(64..)?).ok()?;
    state["progressed"]["reached"]["place"]["offset"].as_u64()
}

/// The table of the only version of a workspace.
fn data(world: &World, reply: &Value) -> Vec<u8> {
    let id = reply["versionId"].as_str().expect("an id");
    let path = world.workspace().join("cache/tables").join(id).join("data.parquet");
    std::fs::read(path).expect("the table is there")
}

#[test]
fn an_import_that_was_killed_in_the_middle_goes_on() {
    let text = table();
    let size = text.len() as u64;
    let world = World::new().with("FETTLE_IMPORT_PART_BYTES", PathBuf::from((size / 20).to_string()));
    let file = world.file("table.csv", text);
    let words = ["dataset", "import", file.to_str().expect("a path of text"), "--name", "table"];
    let whole = World::new();
    let expected = whole.ok(&words);
    // A file that was written a moment ago is not read while it is stored.
    while file.metadata().and_then(|of| of.modified()).expect("a time").elapsed().expect("past")
        < Duration::from_secs(3)
    {
        std::thread::yield_now();
    }
    let begun = Instant::now();
    let mut call = world.command(&words);
    let mut import = call.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while reached(&world.workspace()).is_none_or(|offset| offset < size / 2) {
        assert!(import.try_wait().expect("it can be asked").is_none(), "it ended before it was killed");
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing is kept");
        std::thread::sleep(Duration::from_millis(1));
    }
    import.kill().expect("it can be killed");
    import.wait().expect("it ends");
    assert_eq!(world.ok(&["dataset", "list"]), serde_json::json!([]), "nothing half made is seen");
    let freeable = world.ok(&["workspace", "gc", "--dry-run"]);
    assert!(freeable["freedBytes"].as_u64() > Some(1_000_000), "{freeable}");
    let found = world.ok(&words);
    let taken_over = found["takenOverBytes"].as_u64().expect("a number");
    assert!(taken_over >= reached_at_least(size), "{taken_over} of {size} bytes");
    assert_eq!([&found["rows"], &found["warnings"]], [&expected["rows"], &expected["warnings"]]);
    assert!(data(&world, &found) == data(&whole, &expected), "the same rows are the same bytes");
    let left = std::fs::read_dir(world.workspace().join("cache/unfinished")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what was kept is gone");
    world.ok(&["workspace", "check", "--full"]);
}

/// It was killed after the half, and no more than a twentieth is read again.
fn reached_at_least(size: u64) -> u64 {
    size / 2 - size / 20
}
