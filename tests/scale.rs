//! A million rows: imported within its memory, with progress, and stopped at once when asked to.
#![cfg(target_os = "linux")]

mod testkit;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::World;

const ROWS: u32 = 1_000_000;
const MOST_BYTES: u64 = 1_000_000_000;

/// A million rows of 20 columns, of every kind that a column can have.
fn million(world: &World) -> PathBuf {
    let path = world.path("million.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).expect("can be made"));
    let names: Vec<String> = (0..20).map(|at| format!("c{at}")).collect();
    writeln!(out, "{}", names.join(",")).expect("written");
    let mut state = 1_u64;
    for row in 0..ROWS {
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let day = format!("20{:02}-{:02}-{:02}", next(30), 1 + next(12), 1 + next(28));
        write!(out, "{row},{day},{},customer {}", ["true", "false", ""][next(3) as usize], next(900_000))
            .expect("written");
        for _ in 0..8 {
            write!(out, ",{}.{:03}", next(100_000), next(1000)).expect("written");
        }
        for _ in 0..8 {
            write!(out, ",{}", next(50)).expect("written");
        }
        out.write_all(b"\n").expect("written");
    }
    out.flush().expect("written");
    path
}

/// The most memory that the process had so far, in bytes.
fn peak_bytes(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}

fn import(world: &World, file: &Path) -> Child {
    let mut command = world.command(&["dataset", "import", testkit::text(file)]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

#[test]
fn a_million_rows_are_imported_within_a_gigabyte_and_a_cancel_leaves_nothing() {
    let world = World::new();
    let file = million(&world);

    let mut child = import(&world, &file);
    let mut said = BufReader::new(child.stderr.take().expect("the output is piped"));
    said.read_line(&mut String::new()).expect("it says what it does");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("`kill` runs");
    assert!(sent.success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it says why it ends");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest}");
    assert_eq!(world.ok(&["dataset", "list"]), serde_json::json!([]));
    world.ok(&["workspace", "check", "--full"]);

    let mut child = import(&world, &file);
    let mut peak = 0;
    while child.try_wait().expect("it can be asked").is_none() {
        peak = peak.max(peak_bytes(&child));
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("it has ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(peak > 0 && peak < MOST_BYTES, "{} MB at most", peak / 1_000_000);
    assert!(said.lines().count() >= 2, "it tells how far it is: {said}");
    let shown = world.ok(&["dataset", "show", "million"]);
    assert_eq!(
        (shown["rows"].as_u64(), shown["columns"].as_array().map(Vec::len)),
        (Some(1_000_000), Some(20))
    );
    let page = world.ok(&["call", "dataset.page", r#"{"dataset":"million","offset":765432,"limit":3}"#]);
    assert_eq!(page["rows"][0][0], "765432");
}

/// Every column costs its reader something, however few rows there are.
#[test]
fn five_thousand_columns_fit_into_the_memory_of_a_reader() {
    let world = World::new();
    let path = world.path("wide.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).expect("can be made"));
    let names: Vec<String> = (0..5000).map(|at| format!("c{at}")).collect();
    writeln!(out, "{}", names.join(",")).expect("written");
    for row in 0..2000 {
        for at in 0..5000 {
            let comma = if at == 0 { "" } else { "," };
            match at % 10 {
                0 => write!(out, "{comma}{}", ["a", "b", "c"][(row + at) % 3]).expect("written"),
                _ => write!(out, "{comma}{}.{}", (row * 31 + at * 17) % 100, row % 10).expect("written"),
            }
        }
        out.write_all(b"\n").expect("written");
    }
    out.flush().expect("written");
    let imported = world.ok(&["dataset", "import", testkit::text(&path)]);
    assert_eq!((&imported["rows"], &imported["columns"]), (&2000.into(), &5000.into()), "{imported}");
    let sql = "select c4990, c4999 from wide limit 1";
    assert_eq!(world.ok(&["dataset", "query", sql])["rows"], serde_json::json!([["b", "83"]]));
}
