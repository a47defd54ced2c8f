//! Files are read in a process of its own, which is held to its memory.
#![cfg(target_os = "linux")]

mod testkit;

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
    command.arg("read").arg(&folder);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    // Its standard input stays open until it has ended: it stops when that is closed.
    let mut child = child.expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let order = json!({ "threads": 2, "memory_cap_bytes": cap_bytes, "log": null });
    writeln!(stdin, "{order}").expect("it waits for its order");
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

/// A Parquet file of one column and one page, whose numbers may lie about each other.
struct Parquet {
    /// Bytes of the page as they are in the file.
    page: Vec<u8>,
    /// What the page says it unpacks to.
    unpacked_bytes: i64,
    /// What it is packed with: 0 nothing, 6 Zstandard.
    codec: i64,
    rows: i64,
    /// How many columns the list of columns says it has.
    columns: u32,
}

/// Thrift's compact protocol, as much as a footer needs: a field is its number's distance and type.
#[derive(Default)]
struct Thrift(Vec<u8>);

impl Thrift {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(mut self, distance: u8, kind: u8, value: i64) -> Self {
        self.0.push(distance << 4 | kind);
        self.varint(((value << 1) ^ (value >> 63)) as u64);
        self
    }

    fn i32(self, distance: u8, value: i64) -> Self {
        self.number(distance, 5, value)
    }

    fn i64(self, distance: u8, value: i64) -> Self {
        self.number(distance, 6, value)
    }

    fn text(mut self, distance: u8, text: &str) -> Self {
        self.0.push(distance << 4 | 8);
        self.varint(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn structure(mut self, distance: u8, inner: Self) -> Self {
        self.0.push(distance << 4 | 12);
        self.0.extend_from_slice(&inner.0);
        self.0.push(0);
        self
    }

    /// A list of `length` items, of which these bytes are what is there.
    fn list(mut self, distance: u8, kind: u8, length: u32, items: &[u8]) -> Self {
        self.0.extend_from_slice(&[distance << 4 | 9, 0xF0 | kind]);
        self.varint(u64::from(length));
        self.0.extend_from_slice(items);
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(0);
        self.0
    }
}

impl Parquet {
    fn bytes(&self) -> Vec<u8> {
        let size = self.page.len() as i64;
        let values =
            Thrift::default().i32(1, self.rows.min(i64::from(i32::MAX))).i32(1, 0).i32(1, 3).i32(1, 3);
        let header =
            Thrift::default().i32(1, 0).i32(1, self.unpacked_bytes).i32(1, size).structure(2, values).end();
        let mut file = [b"PAR1", header.as_slice(), &self.page].concat();
        let total = header.len() as i64 + size;
        let column = Thrift::default()
            .i32(1, 6)
            .list(1, 5, 1, &[0])
            .list(1, 8, 1, b"\x01x")
            .i32(1, self.codec)
            .i64(1, self.rows)
            .i64(1, header.len() as i64 + self.unpacked_bytes)
            .i64(1, total)
            .i64(2, 4);
        let chunk = Thrift::default().i64(2, 4).structure(1, column).end();
        let group =
            Thrift::default().list(1, 12, 1, &chunk).i64(1, self.unpacked_bytes).i64(1, self.rows).end();
        let root = Thrift::default().text(4, "schema").i32(1, 1).end();
        let leaf = Thrift::default().i32(1, 6).i32(2, 0).text(1, "x").end();
        let footer = Thrift::default()
            .i32(1, 1)
            .list(1, 12, self.columns, &[root, leaf].concat())
            .i64(1, self.rows)
            .list(1, 12, 1, &group)
            .end();
        file.extend_from_slice(&footer);
        file.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        file.extend_from_slice(b"PAR1");
        file
    }
}

/// A Zstandard frame (RFC 8878) of this many times 128 KB of zeros: four bytes each.
fn zeros(blocks: u32) -> Vec<u8> {
    let block = 128_u32 << 10;
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
    frame.extend_from_slice(&(u64::from(blocks) * u64::from(block)).to_le_bytes());
    for at in 0..blocks {
        let header = u32::from(at + 1 == blocks) | 1 << 1 | block << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn start_daemon(world: &World) -> Child {
    let mut command = world.command(&["daemon", "start"]);
    let daemon = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the daemon starts");
    let started = Instant::now();
    while world.ok(&["daemon", "status"])["running"] != true {
        assert!(started.elapsed() < Duration::from_secs(60), "the daemon does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    daemon
}

#[test]
fn a_parquet_file_that_was_made_to_break_its_reader_breaks_nothing_else() {
    let world = World::new();
    let mut daemon = start_daemon(&world);
    // Two rows of a text each, to see that what is made here is a Parquet file at all.
    let honest = Parquet {
        page: b"\x01\0\0\0a\x02\0\0\0bc".to_vec(),
        unpacked_bytes: 11,
        codec: 0,
        rows: 2,
        columns: 2,
    };
    let file = world.file("honest.parquet", honest.bytes());
    let imported = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&imported["rows"], &imported["columns"]), (&json!(2), &json!(1)), "{imported}");

    let many = 1_000_000_000_000;
    let most = i64::from(i32::MAX);
    let blocks = 15_000;
    let bomb = i64::from(blocks) * (128 << 10);
    let hostile = [
        ("more rows than bytes", Parquet { rows: many, ..honest.copy() }),
        ("a page larger than its file", Parquet { unpacked_bytes: most, codec: 6, ..honest.copy() }),
        ("fewer than no bytes", Parquet { unpacked_bytes: -1, codec: 6, ..honest.copy() }),
        ("more columns than memory", Parquet { columns: u32::MAX >> 1, ..honest.copy() }),
        (
            "a page that unpacks to 1.9 GB",
            Parquet { page: zeros(blocks), unpacked_bytes: bomb, codec: 6, rows: bomb / 4, ..honest.copy() },
        ),
    ];
    for (what, parquet) in hostile {
        let file = world.file("hostile.parquet", parquet.bytes());
        let begun = Instant::now();
        let error = world.fails(2, &["dataset", "import", testkit::text(&file)]);
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {:?}", begun.elapsed());
        let said = error.to_string();
        assert!(said.contains("hostile.parquet") && said.contains("damaged"), "{what}: {said}");
        assert!(daemon.try_wait().expect("it can be asked").is_none(), "{what}: the daemon ended");
        assert_eq!(world.ok(&["daemon", "status"])["running"], true, "{what}");
    }
    assert_eq!(world.ok(&["dataset", "list"]).as_array().map(Vec::len), Some(1), "nothing came of them");
    world.ok(&["daemon", "stop"]);
    daemon.wait().expect("it ends");
}

impl Parquet {
    fn copy(&self) -> Self {
        Self { page: self.page.clone(), ..*self }
    }
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
