//! What the passes over text do: kinds, warnings, rejected rows, and the laws that hold for all.

use std::path::PathBuf;

use base::{Cancel, Code, Result};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::schema::Kind;
use crate::table::{DATA_FILE, META_FILE, TableFile};

struct Imported {
    report: ImportReport,
    rows: Vec<Vec<Option<String>>>,
    bytes: Vec<u8>,
    _dir: tempfile::TempDir,
}

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("table.csv");
    std::fs::write(&path, bytes).expect("writable");
    (dir, path)
}

fn import_with(bytes: &[u8], options: &ParseOptions) -> Result<Imported> {
    let (dir, path) = written(bytes);
    let out = dir.path().join("out");
    let report = import(&path, options, &out, &Progress::silent())?;
    let table = TableFile::open(&out).expect("what was imported opens");
    let page = table.page(0, 10_000, None).expect("what was imported can be read");
    let bytes = std::fs::read(out.join(DATA_FILE)).expect("the file is there");
    assert_eq!(report.rows, table.rows());
    Ok(Imported { report, rows: page.rows, bytes, _dir: dir })
}

fn sniffed(bytes: &[u8]) -> Result<Sniffed> {
    sniff(&written(bytes).1)
}

fn import_sniffed(bytes: &[u8]) -> Result<Imported> {
    import_with(bytes, &sniffed(bytes)?.options)
}

/// The header with kinds, then the rows, one per line: `a:integer b:text | 1 x | 2 -`.
fn shown(imported: &Imported) -> String {
    let columns = imported.report.meta.columns.iter().map(|c| format!("{}:{}", c.name, c.kind.word()));
    let mut out = columns.collect::<Vec<_>>().join(" ");
    for row in &imported.rows {
        let cells = row.iter().map(|cell| cell.as_deref().unwrap_or("~").replace(['\n', '\r'], "/"));
        out.push_str(" | ");
        out.push_str(&cells.collect::<Vec<_>>().join(" "));
    }
    out
}

#[test]
fn a_table_that_is_mostly_ragged_suggests_another_delimiter() {
    let options = ParseOptions { delimiter: ',', ..ParseOptions::default() };
    let Err(error) = import_with(b"a;b\n1,5;2\n2,5;3\n3,5;4\n", &options) else { panic!("it is ragged") };
    assert!(error.message.contains("3 of 3 rows do not have 1 cells"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("try the delimiter `;`"));
}

#[test]
fn too_many_columns_are_refused_and_many_are_not() {
    let row = |n: usize| (0..n).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
    let wide = |n: usize| format!("c{}\n{}\n", row(n).replace(',', ",c"), row(n)).into_bytes();
    let Err(error) = import_sniffed(&wide(20_001)) else { panic!("too wide") };
    assert!(error.message.ends_with("has 20,001 columns"), "{error}");
    let imported = import_sniffed(&wide(3000)).expect("wide but fine");
    assert_eq!((imported.report.meta.columns.len(), imported.report.rows), (3000, 1));
}

#[test]
fn a_kind_that_the_user_set_rejects_what_does_not_fit() {
    let bytes = b"n,d,b\n1,01/02/2026,yes\nx,01/02/2026,no\n3,13/02/2026,no\n4,02/02/2026,perhaps\n5,,0\n";
    let kinds = [("n", Kind::Number), ("d", Kind::Time), ("b", Kind::Boolean)];
    let kinds = kinds.map(|(name, kind)| (name.to_owned(), kind)).into();
    let options = ParseOptions { kinds, ..ParseOptions::default() };
    let imported = import_with(bytes, &options).expect("imports");
    assert_eq!(shown(&imported), "n:number d:time b:boolean | 1 2026-01-02 true | 5 ~ false");
    let said: Vec<_> = imported.report.rejected.iter().map(|r| (r.line, r.reason.as_str())).collect();
    assert_eq!(
        said,
        [
            (3, "`x` in `n` is not a number"),
            (4, "`13/02/2026` in `d` is not a date or time"),
            (5, "`perhaps` in `b` is not a truth value")
        ]
    );
    assert_eq!(imported.report.rejected[0].excerpt, "x,01/02/2026,no");
    let kinds = [("nn".to_owned(), Kind::Text)].into();
    let Err(error) = import_with(bytes, &ParseOptions { kinds, ..ParseOptions::default() }) else {
        panic!("no nn")
    };
    assert_eq!(error.hint.as_deref(), Some("did you mean `n`?"));
}

#[test]
fn warnings_say_why_a_column_is_not_what_it_seems() {
    let mut text = "n,d,long,when\n".to_owned();
    for row in 0..50 {
        let n = if row == 17 { "n.a.".to_owned() } else { row.to_string() };
        text.push_str(&format!("{n},0{}/0{}/2026,{}0,2026-01-01\n", row % 9 + 1, row % 7 + 1, u64::MAX));
    }
    let report = import_sniffed(text.as_bytes()).expect("imports").report;
    let said: Vec<_> = report.warnings.iter().map(|w| w.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "`n` is text because 1 of 50 cells are not a number; the first is `n.a.` on line 19",
            "the dates of `d` can be read in two ways; they are read as month/day/year",
            "`long` is text because a number would lose digits of its long integers",
        ]
    );
}

#[test]
fn a_kind_that_changes_late_is_seen_and_the_preview_agrees_with_the_import() {
    let mut text = "a,b\n".to_owned();
    for row in 0..200_000 {
        text.push_str(&format!("{row},1.5\n"));
    }
    text.push_str("late,2\n");
    let (_dir, path) = written(text.as_bytes());
    let options = sniff(&path).expect("a table").options;
    let preview = preview(&path, &options).expect("a table");
    assert_eq!(preview.columns[0].kind, Kind::Integer);
    assert_eq!((preview.rows.len(), preview.rows[5][0].as_deref()), (100, Some("5")));
    let imported = import_with(text.as_bytes(), &options).expect("imports");
    assert_eq!(imported.report.meta.columns[0].kind, Kind::Text);
    assert_eq!((imported.report.rows, imported.rows[3][0].as_deref()), (200_001, Some("3")));
}

#[test]
fn a_preview_shows_what_would_be_rejected() {
    let (_dir, path) = written(b"a,b\n1,x\n2\n3,y\n4,z\n");
    let preview = preview(&path, &ParseOptions::default()).expect("a table");
    assert_eq!((preview.rows_seen, preview.rejected.len(), preview.rows.len()), (4, 1, 3));
    assert_eq!(preview.warnings[0].message, "1 of 4 rows are rejected");
    let (_dir, path) = written(b"a;b\n1;x\n");
    let other = ParseOptions { delimiter: ';', header: false, ..ParseOptions::default() };
    assert_eq!(super::preview(&path, &other).expect("a table").columns[1].name, "column_2");
}

#[test]
fn options_without_a_meaning_are_refused() {
    let ok = ParseOptions::default();
    for options in [
        ParseOptions { delimiter: '"', ..ok.clone() },
        ParseOptions { delimiter: 'é', ..ok.clone() },
        ParseOptions { quote: Some('\n'), ..ok.clone() },
        ParseOptions { encoding: "klingon".to_owned(), ..ok.clone() },
        ParseOptions { decimal: 'x', ..ok.clone() },
        ParseOptions { thousands: Some('.'), ..ok.clone() },
        ParseOptions { skip_lines: 99, ..ok.clone() },
    ] {
        let Err(error) = import_with(b"a,b\n1,2\n", &options) else { panic!("{options:?}") };
        assert_eq!((error.code, error.hint.is_some()), (Code::InvalidInput, true), "{error}");
    }
    let short: ParseOptions = serde_json::from_str(r#"{"delimiter": ";"}"#).expect("the rest has defaults");
    assert_eq!(short, ParseOptions { delimiter: ';', ..ok });
}

#[test]
fn a_very_long_cell_is_kept_and_a_huge_row_is_rejected() {
    let mut text = b"a,b\n1,\"".to_vec();
    text.extend(std::iter::repeat_n(b"line\nof text, ".as_slice(), 800_000).flatten());
    text.extend_from_slice(b"\"\n2,x\n3,");
    text.extend(std::iter::repeat_n(b'z', 40 << 20));
    text.extend_from_slice(b"\n4,y\n");
    let imported = import_with(&text, &ParseOptions::default()).expect("imports");
    let first: Vec<_> = imported.rows.iter().map(|row| row[0].as_deref()).collect();
    assert_eq!(first, [Some("1"), Some("2"), Some("4")]);
    let rejected = &imported.report.rejected[0];
    assert_eq!((rejected.line, rejected.reason.as_str()), (800_004, "the row is longer than 32 MB"));
    assert_eq!(rejected.excerpt.len(), 200);
}

#[test]
fn a_cancelled_or_failed_import_leaves_nothing_behind() {
    let (dir, path) = written(b"a,b\n1,2\n3,4\n");
    let out = dir.path().join("out");
    let cancel = Cancel::default();
    let trigger = cancel.clone();
    // Stops at the first report, when the table is already begun.
    let progress = Progress::new(cancel, move |stage| {
        if stage.name == "reading" {
            trigger.cancel();
        }
    });
    let twice = "1,2\n".repeat(400_000);
    std::fs::write(&path, format!("a,b\n{twice}")).expect("writable");
    let error = import(&path, &ParseOptions::default(), &out, &progress).expect_err("cancelled");
    assert_eq!(error.code, Code::Cancelled);
    assert!(!out.join(DATA_FILE).exists() && !out.join(META_FILE).exists());
}

#[test]
fn what_only_the_end_of_a_file_shows_holds_for_all_of_it() {
    let long = "7,3.04.2026,\n".repeat(200_000);
    for (end, expected) in [
        ("8,4.04.2026,\n", [Kind::Integer, Kind::Time, Kind::Text]),
        ("8.5,30.04.2026,1\n", [Kind::Number, Kind::Time, Kind::Integer]),
        ("x,soon,true\n", [Kind::Text, Kind::Text, Kind::Boolean]),
    ] {
        let text = format!("a,b,c\n{long}{end}");
        let (dir, path) = written(text.as_bytes());
        let options = ParseOptions { date_order: DateOrder::MonthFirst, ..ParseOptions::default() };
        let report = import(&path, &options, &dir.path().join("out"), &Progress::silent()).expect("imports");
        let kinds: Vec<Kind> = report.meta.columns.iter().map(|column| column.kind).collect();
        assert_eq!((kinds.as_slice(), report.rows), (expected.as_slice(), 200_001), "{end}");
        let table = crate::TableFile::open(&dir.path().join("out")).expect("a table");
        let first = table.page(0, 1, None).expect("a page").rows[0].clone();
        let day = first[1].clone().expect("a day");
        let shown = match end {
            "8,4.04.2026,\n" => "2026-03-04",
            "8.5,30.04.2026,1\n" => "2026-04-03",
            _ => "3.04.2026",
        };
        assert!(day.starts_with(shown), "{end}: {day}");
    }
}

#[test]
fn the_same_file_gives_the_same_bytes_however_it_is_cut() {
    let mut text = "id,x,word,when\n".to_owned();
    for row in 0..30_000_u32 {
        text.push_str(&format!(
            "{row},{},w{},2026-01-{:02}\n",
            f64::from(row) / 7.0,
            row % 100,
            row % 28 + 1
        ));
    }
    let options = sniffed(text.as_bytes()).expect("a table").options;
    let first = import_with(text.as_bytes(), &options).expect("imports");
    let second = import_with(text.as_bytes(), &options).expect("imports");
    assert!(first.bytes == second.bytes);
    let table = TableFile::open(&first._dir.path().join("out")).expect("opens");
    for rows in [1000, 4096, 29_999] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let batches = table.read(None).expect("reads");
        let whole = arrow::compute::concat_batches(table.schema(), &batches).expect("one table");
        let pieces = (0..whole.num_rows())
            .step_by(rows)
            .map(|at| Ok(whole.slice(at, rows.min(whole.num_rows() - at))));
        crate::table::write(dir.path(), table.meta().clone(), pieces).expect("writes");
        let bytes = std::fs::read(dir.path().join(DATA_FILE)).expect("the file is there");
        assert!(bytes == first.bytes, "cut into {rows} rows");
    }
}

/// A table of texts: cells of characters that mean something in some dialect, and missing ones.
fn tables() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    let text = prop_oneof![
        3 => "[a-z0-9 ]{0,5}",
        2 => "[\"',;|\t\\\\#\r\n é東x]{0,6}",
        1 => Just("NA".to_owned()),
        1 => any::<String>().prop_map(|s| s.replace('\0', "0").chars().take(8).collect()),
    ];
    let cell = prop_oneof![5 => text.prop_map(Some), 1 => Just(None)];
    (1_usize..5).prop_flat_map(move |width| {
        let row = proptest::collection::vec(cell.clone(), width);
        proptest::collection::vec(row, 1..12)
    })
}

fn dialects() -> impl Strategy<Value = ParseOptions> {
    let delimiter = prop_oneof![Just(','), Just(';'), Just('\t'), Just('|'), Just('\u{1}')];
    let quote = prop_oneof![Just('"'), Just('\'')];
    let encoding = prop_oneof![Just("UTF-8"), Just("UTF-16LE")];
    (delimiter, quote, any::<bool>(), any::<bool>(), encoding).prop_map(
        |(delimiter, quote, escapes, header, encoding)| ParseOptions {
            delimiter,
            quote: Some(quote),
            escape: escapes.then_some('\\'),
            header,
            encoding: encoding.to_owned(),
            missing: Vec::new(),
            ..ParseOptions::default()
        },
    )
}

/// Writes a table as CSV: quotes only what needs them, and an empty text, which is not missing.
fn as_csv(rows: &[Vec<Option<String>>], options: &ParseOptions, line_end: &str) -> String {
    let quote = options.quote.expect("every dialect here has one");
    let mut out = String::new();
    if options.header {
        let names: Vec<_> = (0..rows[0].len()).map(|at| format!("c{at}")).collect();
        out.push_str(&names.join(&options.delimiter.to_string()));
        out.push_str(line_end);
    }
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(options.delimiter);
            }
            let Some(text) = cell else { continue };
            let is_special =
                |c: char| c == options.delimiter || c == quote || matches!(c, '\r' | '\n' | '\\');
            if !text.is_empty() && !text.contains(is_special) {
                out.push_str(text);
                continue;
            }
            let text = match options.escape {
                Some(escape) => text
                    .replace(escape, &format!("{escape}{escape}"))
                    .replace(quote, &format!("{escape}{quote}")),
                None => text.replace(quote, &format!("{quote}{quote}")),
            };
            out.push_str(&format!("{quote}{text}{quote}"));
        }
        out.push_str(line_end);
    }
    out
}

fn encoded(text: &str, options: &ParseOptions) -> Vec<u8> {
    match options.encoding.as_str() {
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

proptest! {
    #[test]
    fn any_table_of_texts_reads_back_equal(rows in tables(), options in dialects(), crlf in any::<bool>()) {
        // A missing cell alone on its line is a blank line, which is no row.
        let rows: Vec<_> = rows.into_iter().filter(|row| *row != [None]).collect();
        // A text that begins with the mark of its encoding would be taken for it.
        let is_marked = |cell: &Option<String>| cell.as_ref().is_some_and(|text| text.starts_with('\u{feff}'));
        if rows.is_empty() || is_marked(&rows[0][0]) {
            return Ok(());
        }
        let names = |at: usize| if options.header { format!("c{at}") } else { format!("column_{}", at + 1) };
        let kinds = (0..rows[0].len()).map(|at| (names(at), Kind::Text)).collect();
        let options = ParseOptions { kinds, ..options };
        let text = as_csv(&rows, &options, if crlf { "\r\n" } else { "\n" });
        let imported = match import_with(&encoded(&text, &options), &options) {
            Ok(imported) => imported,
            // Texts of control characters alone are refused as binary.
            Err(error) if error.message.contains("is not a text file") => return Ok(()),
            Err(error) => panic!("{error} in {text:?}"),
        };
        prop_assert_eq!(imported.report.rejected_total, 0, "{:?} {:?}", text, imported.report.rejected);
        prop_assert_eq!(imported.rows, rows, "{:?}", text);
    }

    #[test]
    fn taken_and_rejected_rows_are_all_rows(lines in proptest::collection::vec("[a-c,\"]{1,8}", 1..40)) {
        let text = format!("x,y\n{}\n", lines.join("\n"));
        let dialect = ParseOptions::default();
        let (_dir, path) = written(text.as_bytes());
        let seen = preview(&path, &dialect).expect("a header is there");
        match import_with(text.as_bytes(), &dialect) {
            Ok(imported) => {
                let total = imported.report.rows + imported.report.rejected_total;
                prop_assert_eq!(total, seen.rows_seen);
                // Quoted line ends join lines of one row, those of rejected rows too.
                let cells = imported.rows.iter().flatten().flatten().map(String::as_str);
                let excerpts = imported.report.rejected.iter().map(|r| r.excerpt.as_str());
                let spanned: usize = cells.chain(excerpts).map(|text| text.matches('\n').count()).sum();
                prop_assert!(total as usize + spanned <= lines.len(), "{:?}", text);
            }
            Err(error) => prop_assert_eq!(error.code, Code::InvalidInput),
        }
    }

    #[test]
    fn no_bytes_make_the_import_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(imported) = import_sniffed(&bytes) {
            prop_assert!(imported.report.rows > 0);
        }
    }

    /// Where no quote is broken, the records are those of a plain CSV reader.
    #[test]
    fn cutting_agrees_with_csv_core(text in "[ab,\n\r\"]{0,60}") {
        let dialect = chunk::Dialect {
            delimiter: b',', quote: Some(b'"'), escape: None, comment: None, trim: false, merge: false,
        };
        let chunk = records::cut(text.as_bytes().to_vec(), dialect, 0, true);
        if chunk.records().any(|record| record.fault().is_some()) {
            return Ok(());
        }
        let ours: Vec<Vec<String>> = chunk.records().map(|record| record.texts()).collect();
        prop_assert_eq!(ours, by_csv_core(text.as_bytes()), "{:?}", text);
    }
}

fn by_csv_core(mut input: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let mut rows = vec![Vec::new()];
    let mut field = Vec::new();
    loop {
        let mut out = [0; 128];
        let (result, read, written) = reader.read_field(input, &mut out);
        input = &input[read..];
        field.extend_from_slice(&out[..written]);
        match result {
            csv_core::ReadFieldResult::Field { record_end } => {
                let text = String::from_utf8(std::mem::take(&mut field)).expect("ASCII in, ASCII out");
                rows.last_mut().expect("never empty").push(text);
                if record_end {
                    rows.push(Vec::new());
                }
            }
            csv_core::ReadFieldResult::End => break,
            csv_core::ReadFieldResult::InputEmpty | csv_core::ReadFieldResult::OutputFull => (),
        }
    }
    rows.pop();
    rows
}
