//! Laws that no single file shows: what is no file is refused, what changes is noticed, what is
//! stopped leaves nothing, damage never panics, and what our own small writers write reads back.

use std::path::{Path, PathBuf};

use base::{Cancel, Code, Progress};
use data::import::{ParseOptions, import, preview, sniff};
use data::{DATA_FILE, Kind, META_FILE, TableFile};
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{columns, databases, documents, packs, workbooks};

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).expect("writable");
    (folder, path)
}

fn read(path: &Path, options: &ParseOptions) -> Vec<Vec<Option<String>>> {
    let out = path.with_extension("out");
    import(path, options, &out, &Progress::silent()).expect("it is a table");
    let table = TableFile::open(&out).expect("what was imported opens");
    table.page(0, 10_000, None).expect("what was imported can be read").rows
}

/// A small file of each format.
fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("text", b"a,b\n1,x\n2,y\n".to_vec()),
        ("gzip", packs::gzip(b"a,b\n1,x\n2,y\n")),
        ("JSON", br#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#.to_vec()),
        ("JSON lines", b"{\"a\": 1}\n{\"a\": 2}\n".to_vec()),
        ("Parquet", columns::parquet_example()),
        ("Arrow file", columns::arrow_example()),
        ("Arrow stream", columns::stream_example()),
        ("workbook", workbooks::example()),
        ("OpenOffice sheet", workbooks::ods_example()),
        ("database", databases::example()),
    ]
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = folder.path().join("folder.csv");
    std::fs::create_dir(&empty).expect("a new folder");
    let mut wrong = vec![(empty, "there is no file to read in")];
    #[cfg(unix)]
    {
        let pipe = folder.path().join("pipe.csv");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
        assert!(made.success());
        wrong.push((pipe, "is not a regular file"));
        wrong.push((PathBuf::from("/dev/zero"), "is not a regular file"));
    }
    for (path, message) in wrong {
        let error = sniff(&path).expect_err("it is no file");
        assert!(error.message.contains(message), "{error}");
        let options = ParseOptions::default();
        assert!(preview(&path, &options).is_err());
        let out = folder.path().join("out");
        assert_eq!(
            import(&path, &options, &out, &Progress::silent()).expect_err("no file").code,
            Code::InvalidInput
        );
    }
    assert_eq!(sniff(&folder.path().join("absent")).expect_err("absent").code, Code::NotFound);
}

#[test]
fn a_file_that_grows_while_it_is_read_is_a_conflict() {
    for (name, bytes) in one_of_each() {
        let (folder, path) = written(&bytes);
        let options = sniff(&path).expect("it is a table").options;
        let out = folder.path().join("out");
        let grown = path.clone();
        let progress = Progress::new(Cancel::default(), move |stage| {
            if matches!(stage.name.as_str(), "reading" | "writing") {
                let bytes = [std::fs::read(&grown).expect("readable"), b"\n".to_vec()].concat();
                std::fs::write(&grown, bytes).expect("writable");
            }
        });
        let error = import(&path, &options, &out, &progress).expect_err(name);
        assert_eq!(error.code, Code::Conflict, "{name}: {error}");
    }
}

#[test]
fn a_stopped_import_leaves_nothing_behind_in_any_format() {
    for (name, bytes) in one_of_each() {
        let (folder, path) = written(&bytes);
        let options = sniff(&path).expect("it is a table").options;
        let out = folder.path().join("out");
        let cancel = Cancel::default();
        let trigger = cancel.clone();
        let progress = Progress::new(cancel, move |stage| {
            if matches!(stage.name.as_str(), "reading" | "writing") {
                trigger.cancel();
            }
        });
        // A small table is written before the next step asks, so the switch is also set at first.
        let first = import(&path, &options, &out, &progress);
        let second = import(&path, &options, &out, &progress).expect_err(name);
        assert_eq!(second.code, Code::Cancelled, "{name}");
        if first.is_err() {
            assert!(!out.join(DATA_FILE).exists() && !out.join(META_FILE).exists(), "{name}");
        }
        let left = std::fs::read_dir(&out).map_or(0, Iterator::count);
        assert!(left == 0 || first.is_ok(), "{name} leaves {left} files");
    }
}

#[test]
fn a_file_that_breaks_off_anywhere_is_read_or_refused() {
    for (name, bytes) in one_of_each() {
        let step = (bytes.len() / 100).max(1);
        for length in (1..bytes.len()).step_by(step) {
            let (folder, path) = written(&bytes[..length]);
            let Ok(sniffed) = sniff(&path) else { continue };
            let out = folder.path().join("out");
            if let Err(error) = import(&path, &sniffed.options, &out, &Progress::silent()) {
                assert_eq!(error.code, Code::InvalidInput, "{name} of {length} bytes: {error}");
                assert!(error.hint.is_some(), "{name} of {length} bytes has no way out");
            }
        }
    }
}

#[test]
fn the_name_of_a_file_says_nothing() {
    for (name, bytes) in one_of_each() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let formats: Vec<_> = ["t.csv", "t.parquet", "t.json", "t"]
            .map(|file| {
                let path = folder.path().join(file);
                std::fs::write(&path, &bytes).expect("writable");
                sniff(&path).expect(name).options
            })
            .into();
        assert!(formats.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
    }
}

#[test]
fn the_tables_of_a_file_are_listed_for_whoever_has_to_choose() {
    let (_folder, path) = written(&workbooks::example_of_two());
    let sniffed = sniff(&path).expect("a workbook");
    assert_eq!(sniffed.tables, ["First", "Second"]);
    assert_eq!(sniffed.options.table.as_deref(), Some("First"));
    let (_folder, path) = written(&databases::example());
    assert_eq!(sniff(&path).expect("a database").tables, ["t"]);
}

#[test]
fn options_of_yesterday_read_and_write_the_same_json() {
    let text = ParseOptions::default();
    let json = serde_json::to_value(&text).expect("options are JSON");
    let keys: Vec<_> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    let known = [
        "encoding",
        "delimiter",
        "quote",
        "escape",
        "comment",
        "skip_lines",
        "header",
        "trim",
        "decimal",
        "thousands",
        "missing",
        "quoted_missing",
        "date_order",
        "kinds",
    ];
    assert_eq!(keys, known);
}

/// A cell of a JSON document and what is stored of it in a column of text.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Text(String),
}

fn tables() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let text = prop_oneof![
        "[a-z ,;|\t\"'\\\\\n\r{}\\[\\]:é東]{0,8}".prop_map(Value::Text),
        any::<String>().prop_map(|text| Value::Text(text.replace('\0', "0").chars().take(8).collect())),
    ];
    let cell = prop_oneof![5 => text, 1 => proptest::strategy::Just(Value::Null)];
    (1_usize..5).prop_flat_map(move |width| {
        proptest::collection::vec(proptest::collection::vec(cell.clone(), width), 1..10)
    })
}

fn expected(rows: &[Vec<Value>]) -> Vec<Vec<Option<String>>> {
    let cell = |cell: &Value| match cell {
        Value::Null => None,
        Value::Text(text) => Some(text.clone()),
    };
    rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

fn texts(width: usize) -> ParseOptions {
    let kinds = (0..width).map(|at| (format!("c{at}"), Kind::Text)).collect();
    ParseOptions { kinds, ..ParseOptions::default() }
}

proptest! {
    #[test]
    fn tables_in_json_read_back_equal(rows in tables(), lines in any::<bool>()) {
        let (format, text) = documents::written(&rows.iter().map(|row| {
            row.iter().map(|cell| match cell {
                Value::Null => serde_json::Value::Null,
                Value::Text(text) => text.as_str().into(),
            }).collect()
        }).collect::<Vec<Vec<serde_json::Value>>>(), lines);
        let (_folder, path) = written(text.as_bytes());
        let options = ParseOptions { format, ..texts(rows[0].len()) };
        prop_assert_eq!(read(&path, &options), expected(&rows));
    }

    #[test]
    fn tables_in_a_database_read_back_equal(rows in tables()) {
        let cells = expected(&rows);
        let (_folder, path) = written(&databases::written(&cells));
        let options = ParseOptions { format: data::import::Format::Sqlite, ..texts(rows[0].len()) };
        prop_assert_eq!(read(&path, &options), cells);
    }

    #[test]
    fn no_bytes_behind_a_mark_make_a_reader_panic(which in 0_usize..8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let marks: [&[u8]; 8] = [
            b"PAR1", b"ARROW1\0\0", b"\xFF\xFF\xFF\xFF\x40\0\0\0", b"PK\x03\x04", b"\x1F\x8B\x08\0",
            b"SQLite format 3\0", b"[{\"a\":", b"\x28\xB5\x2F\xFD",
        ];
        let (folder, path) = written(&[marks[which], &bytes].concat());
        if let Ok(sniffed) = sniff(&path) {
            let _ = import(&path, &sniffed.options, &folder.path().join("out"), &Progress::silent());
        }
    }
}
