//! Files are read in a process of its own, which is held to its memory.
#![cfg(target_os = "linux")]

mod testkit;

use std::process::{Command, Stdio};

use serde_json::json;
use testkit::World;

/// As the engine starts a reader, but with another limit.
fn read(world: &World, cap_bytes: u64) -> (std::process::Output, bool) {
    let file = world.file("wide.csv", format!("a\n{}\n", "x".repeat(48 << 20)));
    let folder = world.path(&format!("task-{cap_bytes}"));
    std::fs::create_dir(&folder).expect("can be made");
    let request = json!({
        "task": "import", "path": file, "options": { "delimiter": "," }, "out": world.path("out"),
    });
    std::fs::write(folder.join("request.json"), request.to_string()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fettle"));
    command.arg("read").arg(&folder).env("FETTLE_MEMORY_CAP_BYTES", cap_bytes.to_string());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    // Its standard input stays open until it has ended: it stops when that is closed.
    let mut child = child.expect("the program starts");
    let stdin = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(stdin);
    (output, folder.join("answer.json").exists())
}

#[test]
fn a_reader_that_would_take_more_memory_than_it_may_ends_without_an_answer() {
    let world = World::new();
    let (output, has_answer) = read(&world, 64 << 20);
    assert!(!output.status.success() && !has_answer);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("memory allocation of"), "{said}");
    let (output, has_answer) = read(&world, 4 << 30);
    assert!(output.status.success() && has_answer, "{}", String::from_utf8_lossy(&output.stderr));
}

/// Large enough, and untouched for long enough, to be stored and read at the same time.
fn large(world: &World, name: &str, line: impl Fn(u32) -> String) -> std::path::PathBuf {
    let text: String = std::iter::once("id,text\n".to_owned()).chain((0..400_000).map(line)).collect();
    assert!(text.len() > 8 << 20);
    let file = world.file(name, text);
    // The engine trusts the times of a file only when its last change is two seconds ago.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    file
}

#[test]
fn a_large_file_is_stored_and_read_at_once_and_comes_out_as_it_was() {
    let world = World::new();
    let file = large(&world, "large.csv", |row| format!("{row},the text of row {row}\n"));
    let imported = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&imported["rows"], &imported["isNew"]), (&json!(400_000), &json!(true)));
    let again = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&again["version"], &again["isNew"]), (&json!(1), &json!(false)));
    let out = world.path("out.csv");
    world.ok(&["dataset", "export", "large", "--to", testkit::text(&out)]);
    assert!(std::fs::read(&file).expect("there") == std::fs::read(&out).expect("there"), "the bytes differ");
}

#[test]
fn a_large_file_that_is_no_table_says_so_and_leaves_nothing() {
    let world = World::new();
    let line = |row| match row {
        0..100_000 => format!("{row},the text of row {row}\n"),
        _ => format!("{row},the,text,of,row,{row}\n"),
    };
    let file = large(&world, "ragged.csv", line);
    let error = world.fails(2, &["dataset", "import", testkit::text(&file)]).to_string();
    assert!(error.contains("do not have 2 cells"), "{error}");
    assert_eq!(world.ok(&["dataset", "list"]), json!([]));
}
