//! Where data comes from beside a file: what a version keeps, the files of a folder or an archive.

mod testkit;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::World;

/// Writes files below a folder of the world, each with its folders.
fn folder(world: &World, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = world.path(name);
    for (path, text) in files {
        write(&root.join(path), text.as_bytes());
    }
    root
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("can be made");
    std::fs::write(path, bytes).expect("can be written");
}

fn rows(world: &World, sql: &str) -> Value {
    world.ok(&["dataset", "query", sql])["rows"].clone()
}

/// The beginning of a PNG of this size, and some bytes that tell it from others.
fn png(width: u32, height: u32, mark: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&[8, 2, 0, 0, 0, 1, 2, 3, 4]);
    bytes.extend_from_slice(&mark.to_be_bytes());
    bytes
}

#[test]
fn a_version_is_read_again_in_another_way_without_its_file() {
    let world = World::new();
    let file = world.file("prices.csv", "item;price\napple;1,5\npear;2,25\n");
    let wrong = ["--options", r#"{"delimiter":"|","decimal":"."}"#];
    world.ok(&["dataset", "import", testkit::text(&file), wrong[0], wrong[1]]);
    std::fs::remove_file(&file).expect("removed");
    let look = r#"{"dataset":"prices"}"#;
    assert_eq!(world.ok(&["call", "dataset.sniff_kept", look])["columns"].as_array().map(Vec::len), Some(1));

    let right = r#"{"delimiter":";","decimal":","}"#;
    let reread = world.ok(&["dataset", "reread", "prices", "--options", right]);
    assert_eq!((&reread["version"], &reread["isNew"]), (&json!(2), &json!(true)), "{reread}");
    assert_eq!(rows(&world, "select sum(price) as n from prices"), json!([["3.75"]]));
    assert_eq!(rows(&world, "select count(*) as n from \"prices@1\""), json!([["2"]]));
    let again = world.ok(&["dataset", "reread", "prices", "-v", "1", "--options", right]);
    assert_eq!((&again["version"], &again["isNew"]), (&json!(2), &json!(false)), "{again}");

    // The next file is read as the newest version was, with whatever was corrected.
    let kinds = r#"{"kinds":{"price":"text"},"quotedNulls":true,"trim":true}"#;
    world.ok(&["dataset", "reread", "prices", "--options", kinds]);
    let file = world.file("prices.csv", "item;price\napple;1,5\npear;2,25\nplum;3\n");
    let next = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&next["version"], &next["rows"]), (&json!(4), &json!(3)), "{next}");
    let shown = world.ok(&["dataset", "show", "prices"]);
    let kept = ["delimiter", "decimal", "quotedNulls", "trim"].map(|name| shown["options"][name].clone());
    assert_eq!(kept, [json!(";"), json!(","), json!(true), json!(true)]);
    assert_eq!(shown["options"]["kinds"], json!({ "price": "text" }));

    let error = world.fails(2, &["dataset", "reread", "prices", "--options", r#"{"encoding":"klingon"}"#]);
    assert!(error.to_string().contains("klingon"), "{error}");
    world.fails(2, &["dataset", "reread", "prices", "-v", "9", "--options", right]);
    assert_eq!(world.ok(&["dataset", "list"])[0]["version"], 4, "what failed made no version");
}

const PARTS: [&str; 2] =
    ["item,n\napple,1\nfig,2\nkiwi,2\npear,x,2\nquince,4\n", "item,n,price\nplum,3,1.5\n"];

#[test]
fn a_folder_is_one_table_and_an_unchanged_one_is_no_new_version() {
    let world = World::new();
    let root = folder(
        &world,
        "sales",
        &[("year=2025/a.csv", PARTS[0]), ("year=2026/b.csv", PARTS[1]), (".DS_Store", "junk")],
    );
    let root = testkit::text(&root);
    let imported = world.ok(&["dataset", "import", root, "--path-column", "file"]);
    let found = ["rows", "columns", "rejectedRows"].map(|field| imported[field].clone());
    assert_eq!(found, [json!(5), json!(5), json!(1)], "{imported}");
    let sql = "select item, n, price, year, file from sales where n in (1, 3) order by item";
    let expected = json!([
        ["apple", "1", null, "2025", "year=2025/a.csv"],
        ["plum", "3", "1.5", "2026", "year=2026/b.csv"],
    ]);
    assert_eq!(rows(&world, sql), expected);
    let rejected = world.ok(&["dataset", "rejected", "sales"]);
    assert_eq!((&rejected[0]["file"], &rejected[0]["line"]), (&json!("year=2025/a.csv"), &json!(5)));

    write(&Path::new(root).join(".hidden"), b"nobody reads this");
    assert_eq!(world.ok(&["dataset", "import", root])["isNew"], false);
    write(&Path::new(root).join("year=2026/c.csv"), b"item,n\nlime,4\n");
    let next = world.ok(&["dataset", "import", root]);
    assert_eq!((&next["version"], &next["rows"]), (&json!(2), &json!(6)), "options are remembered: {next}");
    let diff = world.ok(&["dataset", "diff", "sales", "1", "--key", "item"]);
    assert_eq!((&diff["addedRows"], &diff["removedRows"]), (&json!(1), &json!(0)), "{diff}");

    let out = world.path("out");
    world.ok(&["dataset", "export", "sales", "-v", "1", "-o", testkit::text(&out)]);
    assert_eq!(std::fs::read(out.join("year=2025/a.csv")).expect("written"), PARTS[0].as_bytes());
    assert!(!out.join("year=2026/c.csv").exists());

    // The cache may go at any time: the table comes back from what was kept.
    std::fs::remove_dir_all(world.workspace().join("cache/tables")).expect("removed");
    assert_eq!(rows(&world, "select count(*) as n from sales"), json!([["6"]]));
    let check = world.ok(&["workspace", "check", "--full"]);
    assert_eq!(check["isClean"], true, "{check}");

    write(&Path::new(root).join("notes.txt"), b"to whom it may concern\n");
    let error = world.fails(2, &["dataset", "import", root]);
    assert!(error.to_string().contains("notes.txt"), "{error}");
    let left_out = world.ok(&["dataset", "import", root, "--only", "*.csv"]);
    assert_eq!(left_out["rows"], 6, "{left_out}");
}

#[test]
fn all_files_of_an_archive_are_one_table_if_that_is_said() {
    let world = World::new();
    let zip = world.path("parts.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&zip).expect("can be made"));
    for (name, text) in [("a.csv", "x\n1\n"), ("b.csv", "x\n2\n")] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut writer, text.as_bytes()).expect("written");
    }
    writer.finish().expect("finished");
    let one = world.ok(&["dataset", "import", testkit::text(&zip), "--name", "one"]);
    assert_eq!(one["rows"], 1, "the first file alone: {one}");
    let all = world.ok(&["dataset", "import", testkit::text(&zip), "--name", "all_of_it", "--together"]);
    assert_eq!(all["rows"], 2, "{all}");
    let both = ["dataset", "import", testkit::text(&zip), "--name", "files", "--files"];
    world.fails(2, &both);
}

#[test]
fn a_folder_of_pictures_is_a_table_of_its_files_and_comes_out_again() {
    let world = World::new();
    let root = world.path("pets");
    write(&root.join("cat/1.png"), &png(640, 480, 1));
    write(&root.join("cat/2.png"), &png(64, 48, 2));
    write(&root.join("dog/1.png"), &png(640, 480, 1));
    let imported = world.ok(&["dataset", "import", testkit::text(&root)]);
    assert_eq!((&imported["rows"], &imported["columns"]), (&json!(3), &json!(8)), "{imported}");
    let sql = "select path, size, media_type, width, height, label from pets order by path";
    let first = json!(["cat/1.png", "37", "image/png", "640", "480", "cat"]);
    assert_eq!(rows(&world, sql)[0], first);
    let twins = "select count(distinct blake3) as n, count(modified) as m from pets";
    assert_eq!(rows(&world, twins), json!([["2", "3"]]));

    // Touching a file changes nothing that counts; changing one does.
    write(&root.join("cat/1.png"), &png(640, 480, 1));
    assert_eq!(world.ok(&["dataset", "import", testkit::text(&root)])["isNew"], false);
    write(&root.join("cat/2.png"), &png(65, 48, 3));
    write(&root.join("eel/1.png"), &png(1, 2, 4));
    let next = world.ok(&["dataset", "import", testkit::text(&root)]);
    assert_eq!((&next["version"], &next["rows"]), (&json!(2), &json!(4)), "{next}");
    let diff = world.ok(&["dataset", "diff", "pets", "1", "--key", "path"]);
    let counts = ["addedRows", "removedRows", "changedRows"].map(|field| diff[field].clone());
    assert_eq!(counts, [json!(1), json!(0), json!(1)], "{diff}");

    let bytes = |path: &str| json!({ "dataset": "pets", "version": 1, "path": path }).to_string();
    let file = world.ok(&["call", "dataset.file", &bytes("cat/2.png")]);
    let head = file["base64"].as_str().unwrap_or_default();
    assert!(file["sizeBytes"] == 37 && head.starts_with("iVBORw0KGgo") && head.len() == 52, "{file}");
    for none in ["eel/1.png", "cat", "../pets/cat/2.png", ".fettle/files.jsonl"] {
        world.fails(2, &["call", "dataset.file", &bytes(none)]);
    }

    let out = world.path("out");
    world.ok(&["dataset", "export", "pets", "-v", "1", "-o", testkit::text(&out)]);
    assert_eq!(std::fs::read(out.join("cat/2.png")).expect("written"), png(64, 48, 2));
    assert!(!out.join(".fettle").exists() && !out.join("eel").exists());
    std::fs::remove_dir_all(world.workspace().join("cache/tables")).expect("removed");
    assert_eq!(rows(&world, sql)[0], first, "the table comes back");
    assert_eq!(world.ok(&["workspace", "check", "--full"])["isClean"], true);
    let other = r#"{"folder":{"asFiles":false}}"#;
    world.fails(2, &["dataset", "reread", "pets", "--options", other]);
}

#[test]
fn twenty_thousand_pictures_are_taken_in_seconds() {
    let world = World::new();
    let root = world.path("many");
    for at in 0..20_000_u32 {
        let folder = root.join(format!("class_{:02}", at % 50));
        if at < 50 {
            std::fs::create_dir_all(&folder).expect("can be made");
        }
        std::fs::write(folder.join(format!("{at}.png")), png(at % 512 + 1, 32, at)).expect("written");
    }
    let begun = Instant::now();
    let imported = world.ok(&["dataset", "import", testkit::text(&root)]);
    let first = begun.elapsed();
    assert_eq!(imported["rows"], 20_000, "{imported}");
    std::fs::write(root.join("class_00/new.png"), png(3, 3, 3)).expect("written");
    let begun = Instant::now();
    let imported = world.ok(&["dataset", "import", testkit::text(&root)]);
    let second = begun.elapsed();
    assert_eq!((&imported["rows"], &imported["version"]), (&json!(20_001), &json!(2)), "{imported}");
    println!("20,000 files: {first:?} at first, {second:?} with one more");
    // Two busy cores and no optimisation: what is caught is work that grows with the square.
    assert!(first < Duration::from_secs(120), "{first:?}");
    assert!(second < Duration::from_secs(60), "{second:?}");
}

#[test]
fn a_dataset_follows_a_folder_into_which_another_program_writes() {
    let world = World::new();
    let root = folder(&world, "daily", &[("a/1.csv", "x\n1\n")]);
    world.ok(&["dataset", "import", testkit::text(&root)]);
    let mut daemon = world.command(&["daemon", "start"]);
    let quiet = std::process::Stdio::null;
    let mut daemon = daemon.stdout(quiet()).stderr(quiet()).spawn().expect("the daemon starts");
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("the daemon answers", &|| world.ok(&["daemon", "status"])["running"] == true);
    world.ok(&["dataset", "follow", "daily", testkit::text(&root)]);
    write(&root.join("b/2.csv"), b"x\n2\n");
    until("there is a second version", &|| world.ok(&["dataset", "show", "daily"])["version"] == 2);
    assert_eq!(rows(&world, "select sum(x) as n from daily"), json!([["3"]]));
    world.ok(&["daemon", "stop"]);
    daemon.wait().expect("it ends");
}
