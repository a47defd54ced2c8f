//! Folders and archives as one table.

use std::path::Path;

use base::Code;
use tempfile::TempDir;

use super::*;
use crate::TableFile;
use crate::import::{self, Pack};
use crate::schema::Kind;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    dir
}

type Rows = Vec<Vec<Option<String>>>;

/// Sniffs and imports what is in the folder.
fn read(dir: &TempDir, change: impl FnOnce(&mut ParseOptions)) -> Result<(ImportReport, Rows)> {
    let root = dir.path().join("in");
    let mut options = import::sniff(&root)?.options;
    change(&mut options);
    read_as(&root, &options, &dir.path().join("out"))
}

fn read_as(path: &Path, options: &ParseOptions, out: &Path) -> Result<(ImportReport, Rows)> {
    let report = import::import(path, options, out, &Progress::silent())?;
    let page = TableFile::open(out)?.page(0, 1000, None)?;
    Ok((report, page.rows))
}

fn kinds(report: &ImportReport) -> Vec<(&str, Kind)> {
    report.meta.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect()
}

fn cells(rows: &[&[&str]]) -> Rows {
    let cell = |cell: &&str| (*cell != "-").then(|| (*cell).to_owned());
    rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

#[test]
fn files_are_one_table_in_the_order_of_their_paths_with_columns_united_by_name() {
    let dir = folder(&[("b.csv", "y,id\n2.5,3\n"), ("a.csv", "id,x\n1,u\n2,v\n"), ("sub/c.csv", "id\n4\n")]);
    let (report, rows) = read(&dir, |_| ()).expect("a table");
    assert_eq!(kinds(&report), [("id", Kind::Integer), ("x", Kind::Text), ("y", Kind::Number)]);
    assert_eq!(rows, cells(&[&["1", "u", "-"], &["2", "v", "-"], &["3", "-", "2.5"], &["4", "-", "-"]]));
    let said: Vec<&str> = report.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(said.contains(&"`x` is in 1 of 3 files"), "{said:?}");
}

#[test]
fn a_column_has_the_kind_that_holds_the_cells_of_every_file_as_they_were_written() {
    let dir = folder(&[
        ("1.csv", "a,b,c,d,e\n1,1,1.50,2026-01-02,\n"),
        ("2.csv", "a,b,c,d,e\n2.5,9007199254740993,x,2026-01-03,true\n"),
        ("3.csv", "a,b,c,d,e\n3,0.5,y,soon,false\n"),
    ]);
    let (report, rows) = read(&dir, |_| ()).expect("a table");
    let found: Vec<Kind> = report.meta.columns.iter().map(|column| column.kind).collect();
    assert_eq!(found, [Kind::Number, Kind::Text, Kind::Text, Kind::Text, Kind::Boolean]);
    assert_eq!(rows[0], cells(&[&["1", "1", "1.50", "2026-01-02", "-"]])[0]);
    assert_eq!(rows[1][1].as_deref(), Some("9007199254740993"));
}

#[test]
fn folders_named_after_values_are_typed_columns_and_so_is_the_path_if_wanted() {
    let dir = folder(&[
        ("year=2025/city=NA/a.csv", "x\n1\n"),
        ("year=2026/city=S%C3%A3o%20Paulo/b.csv", "x\n2\n"),
        ("year=__HIVE_DEFAULT_PARTITION__/_SUCCESS", ""),
        ("year=__HIVE_DEFAULT_PARTITION__/city=Oslo/c.csv", "x\n3\n"),
    ]);
    let named = |options: &mut ParseOptions| {
        options.folder =
            Some(FolderOptions { path_column: Some("file".to_owned()), ..FolderOptions::default() });
    };
    let (report, rows) = read(&dir, named).expect("a table");
    let expected =
        [("x", Kind::Integer), ("year", Kind::Integer), ("city", Kind::Text), ("file", Kind::Text)];
    assert_eq!(kinds(&report), expected);
    let [one, two, three] = [
        "year=2025/city=NA/a.csv",
        "year=2026/city=S%C3%A3o%20Paulo/b.csv",
        "year=__HIVE_DEFAULT_PARTITION__/city=Oslo/c.csv",
    ];
    assert_eq!(
        rows,
        cells(&[&["1", "2025", "NA", one], &["2", "2026", "São Paulo", two], &["3", "-", "Oslo", three]])
    );
    let off = |options: &mut ParseOptions| {
        options.folder = Some(FolderOptions { partitions: false, ..FolderOptions::default() });
    };
    std::fs::remove_dir_all(dir.path().join("out")).expect("removed");
    assert_eq!(kinds(&read(&dir, off).expect("a table").0), [("x", Kind::Integer)]);
}

#[test]
fn a_file_that_does_not_fit_is_named_and_can_be_left_out() {
    let dir =
        folder(&[("a.csv", "x,y\n1,2\n"), ("notes.txt", "name;when\nme;now\n"), ("z.csv", "y,x\n3,4\n")]);
    let error = read(&dir, |_| ()).expect_err("the notes are no part of the table");
    assert_eq!(error.code, Code::InvalidInput);
    assert!(error.message.contains("`notes.txt`") && error.message.contains("`a.csv`"), "{error}");
    let only = |pattern: &str| {
        let only = Some(pattern.to_owned());
        move |options: &mut ParseOptions| {
            options.folder = Some(FolderOptions { only, ..FolderOptions::default() })
        }
    };
    let (_, rows) = read(&dir, only("*.csv")).expect("a table");
    assert_eq!(rows, cells(&[&["1", "2"], &["4", "3"]]));
    for (pattern, word) in [("*.xml", "*.xml"), ("[", "pattern")] {
        let error = read(&dir, only(pattern)).expect_err("nothing matches");
        assert!(error.message.contains(word), "{error}");
    }
}

#[test]
fn a_damaged_file_is_named_by_its_path_in_the_folder() {
    let dir = folder(&[("a.json", "[{\"x\":1}]"), ("deep/b.json", "[{\"x\":")]);
    let error = read(&dir, |_| ()).expect_err("it is damaged");
    let root = dir.path().display().to_string();
    assert!(error.message.contains("deep/b.json"), "{error}");
    assert!(!error.to_string().contains(&root), "{error}");
}

#[test]
fn rejected_rows_tell_their_file_and_add_up() {
    let dir = folder(&[
        ("a.csv", "x,y\n1,2\n3\n5,6\n"),
        ("b.csv", "x,y\n7,8\n9,10,11\n12,13\n"),
        ("c.csv", "x,y\n"),
    ]);
    let (report, rows) = read(&dir, |_| ()).expect("a table");
    assert_eq!((report.rows, report.rejected_total, rows.len()), (4, 2, 4));
    let places: Vec<_> = report.rejected.iter().map(|row| (row.file.as_deref(), row.line)).collect();
    assert_eq!(places, [(Some("a.csv"), 3), (Some("b.csv"), 3)]);
}

#[test]
fn files_of_several_formats_are_one_table_where_their_columns_agree() {
    let dir =
        folder(&[("a.csv", "id,name\n1,u\n"), ("b.jsonl", "{\"id\":2.5,\"name\":\"v\"}\n{\"id\":3}\n")]);
    let table = folder(&[("x.csv", "id,name\n9,w\n")]);
    read(&table, |_| ()).expect("a table");
    let parquet = table.path().join("out").join(crate::DATA_FILE);
    std::fs::copy(parquet, dir.path().join("in/c.parquet")).expect("copied");
    let (report, rows) = read(&dir, |_| ()).expect("a table");
    assert_eq!(kinds(&report), [("id", Kind::Number), ("name", Kind::Text)]);
    assert_eq!(rows, cells(&[&["1", "u"], &["2.5", "v"], &["3", "-"], &["9", "w"]]));
}

#[test]
fn the_kind_of_a_column_can_be_set_though_some_files_lack_it() {
    let dir = folder(&[("a.csv", "x\n1\n"), ("b.csv", "x,y\n2,3\n")]);
    let set = |name: &str| {
        let kinds = [(name.to_owned(), Kind::Text)].into();
        move |options: &mut ParseOptions| options.kinds = kinds
    };
    let (report, _) = read(&dir, set("y")).expect("a table");
    assert_eq!(kinds(&report), [("x", Kind::Integer), ("y", Kind::Text)]);
    let error = read(&dir, set("z")).expect_err("no file has it");
    assert!(error.message.contains("`z`"), "{error}");
}

#[test]
fn all_files_of_an_archive_are_read_as_those_of_a_folder_are() {
    let files = [("p=1/a.csv", "x\n1\n"), ("p=2/b.csv", "x\n2\n"), ("__MACOSX/p", "junk")];
    let dir = folder(&files);
    let zip = dir.path().join("all.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&zip).expect("made"));
    for (name, text) in files {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut writer, text.as_bytes()).expect("written");
    }
    writer.finish().expect("finished");
    let folder = FolderOptions::default();
    let options = import::sniff_folder(&zip, &folder).expect("an archive").options;
    assert_eq!((options.pack, &options.folder), (Pack::Zip, &Some(folder)));
    let (_, rows) = read_as(&zip, &options, &dir.path().join("zipped")).expect("a table");
    assert_eq!(rows, cells(&[&["1", "1"], &["2", "2"]]));
    assert_eq!(import::preview(&zip, &options).expect("a preview").rows, rows);
    let leftovers = std::fs::read_dir(dir.path().join("zipped")).expect("there").count();
    assert_eq!(leftovers, 2, "what was unpacked is gone");
}

#[test]
fn a_preview_shows_the_columns_of_several_files() {
    let dir = folder(&[("k=1/a.csv", "x\n1\n"), ("k=2/b.csv", "x,y\n2.5,u\n")]);
    let root = dir.path().join("in");
    let options = import::sniff(&root).expect("tables").options;
    let preview = import::preview(&root, &options).expect("a preview");
    let found: Vec<_> = preview.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(found, [("x", Kind::Number), ("y", Kind::Text), ("k", Kind::Integer)]);
    assert_eq!(preview.rows, cells(&[&["1", "-", "1"], &["2.5", "u", "2"]]));
}

#[test]
fn a_folder_of_pictures_is_a_table_of_files() {
    let dir = folder(&[
        ("cat/1.jpg", "\u{fffd}"),
        ("dog/2.pdf", "%PDF-1.4"),
        ("dog/3.pdf", "%PDF-1.4"),
        ("x.csv", "a\n1\n"),
    ]);
    std::fs::write(dir.path().join("in/cat/1.jpg"), b"\xFF\xD8\xFF\xE0").expect("written");
    let root = dir.path().join("in");
    let options = import::sniff(&root).expect("files").options;
    assert!(options.folder.as_ref().is_some_and(|folder| folder.as_files), "{options:?}");
    let preview = import::preview(&root, &options).expect("a preview");
    assert_eq!(preview.rows.len(), 4);
    assert_eq!(preview.rows[0][..3], cells(&[&["cat/1.jpg", "4", "image/jpeg"]])[0][..]);
}

#[test]
fn an_empty_folder_and_a_cancelled_import_leave_nothing() {
    let dir = folder(&[("a.csv", "x\n1\n")]);
    let empty = tempfile::tempdir().expect("a folder");
    let error = import::sniff(empty.path()).expect_err("nothing to read");
    assert!(error.message.contains("no file to read"), "{error}");
    let options = import::sniff(&dir.path().join("in")).expect("tables").options;
    let progress = Progress::silent();
    progress.cancel().cancel();
    let out = dir.path().join("out");
    let error = import::import(&dir.path().join("in"), &options, &out, &progress).expect_err("cancelled");
    assert_eq!(error.code, Code::Cancelled);
    assert!(!out.join(crate::DATA_FILE).exists());
}

#[test]
fn a_look_at_a_folder_says_how_many_files_it_has_and_which_columns_its_folders_name() {
    let dir = folder(&[("year=2026/kind=a/1.csv", "x\n1\n"), ("year=2027/kind=b/1.csv", "x\n2\n")]);
    let root = dir.path().join("in");
    let said = |wanted: Option<&FolderOptions>| -> Vec<String> {
        let sniffed = sniff(&root, wanted).expect("a folder of tables");
        sniffed.warnings.into_iter().map(|warning| warning.message).take(2).collect()
    };
    let names = "the names of folders make the columns `year`, `kind`";
    assert_eq!(said(None), ["the rows of 2 files are one table", names]);
    let one = FolderOptions { only: Some("year=2026/**".to_owned()), ..FolderOptions::default() };
    assert_eq!(said(Some(&one)), ["the rows of 1 file are one table", names]);
    let without = FolderOptions { partitions: false, ..FolderOptions::default() };
    assert!(!said(Some(&without)).contains(&names.to_owned()));
}
