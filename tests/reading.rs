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
