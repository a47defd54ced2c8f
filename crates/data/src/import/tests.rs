//! Hostile files, each with the exact table or the exact error, and the laws that hold for all.

use std::path::PathBuf;

use base::{Cancel, Code};
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

/// Files that are tables, and the table each is.
const TABLES: &[(&str, &[u8], &str)] = &[
    ("plain", b"a,b\n1,x\n2,y\n", "a:integer b:text | 1 x | 2 y"),
    ("no line end at the end", b"a,b\n1,x\n2,y", "a:integer b:text | 1 x | 2 y"),
    ("CR LF", b"a,b\r\n1,x\r\n2,y\r\n", "a:integer b:text | 1 x | 2 y"),
    ("CR alone", b"a,b\r1,x\r2,y\r", "a:integer b:text | 1 x | 2 y"),
    ("mixed line ends", b"a,b\n1,x\r\n2,y\r3,z\n", "a:integer b:text | 1 x | 2 y | 3 z"),
    ("UTF-8 mark", b"\xEF\xBB\xBFa,b\n1,\xC3\xA9\n", "a:integer b:text | 1 é"),
    ("UTF-16 LE", b"\xFF\xFEa\0,\0b\0\n\x001\0,\0\xE9\0\n\0", "a:integer b:text | 1 é"),
    ("UTF-16 BE", b"\xFE\xFF\0a\0,\0b\0\n\x001\0,\0\xE9\0\n", "a:integer b:text | 1 é"),
    ("UTF-16 LE unmarked", b"a\0,\0b\0\n\x001\0,\0x\0\n\0", "a:integer b:text | 1 x"),
    (
        "Latin-1",
        b"name,city\nRen\xE9e,Z\xFCrich\nJos\xE9,M\xE1laga\nBj\xF6rn,G\xF6teborg\n",
        "name:text city:text | Renée Zürich | José Málaga | Björn Göteborg",
    ),
    (
        "smart quotes of windows-1252",
        b"a,b\n1,\x93well\x94 said\n2,it\x92s caf\xE9\n",
        "a:integer b:text | 1 “well” said | 2 it’s café",
    ),
    ("semicolons and decimal commas", b"a;b\n1,5;x\n2,25;y\n", "a:number b:text | 1.5 x | 2.25 y"),
    ("only decimal commas", b"a;b\n1,5;2,5\n2,25;3,5\n", "a:number b:number | 1.5 2.5 | 2.25 3.5"),
    ("tabs", b"a\tb\n1\tx, y\n2\tz\n", "a:integer b:text | 1 x, y | 2 z"),
    ("pipes", b"a|b\n1|x\n2|y\n", "a:integer b:text | 1 x | 2 y"),
    ("carets", b"a^b\n1^x\n2^y\n", "a:integer b:text | 1 x | 2 y"),
    ("control character 1", b"a\x01b\n1\x01x\n2\x01y\n", "a:integer b:text | 1 x | 2 y"),
    ("sep line of Excel", b"sep=;\na;b\n1;x,y\n", "a:integer b:text | 1 x,y"),
    (
        "delimiter inside quotes more often than outside",
        b"a;b\n1;\"x,y,z,w\"\n2;\"p,q,r,s\"\n",
        "a:integer b:text | 1 x,y,z,w | 2 p,q,r,s",
    ),
    ("line end in quotes", b"a,b\n1,\"x\ny\"\n2,z\n", "a:integer b:text | 1 x/y | 2 z"),
    ("doubled quotes", b"a,b\n1,\"say \"\"hi\"\"\"\n", "a:integer b:text | 1 say \"hi\""),
    (
        "escaped quotes",
        b"a,b\n1,\"say \\\"hi\\\", ok\"\n2,\"x\"\n",
        "a:integer b:text | 1 say \"hi\", ok | 2 x",
    ),
    ("single quotes", b"a,b\n1,'x,y'\n2,'z,w'\n", "a:integer b:text | 1 x,y | 2 z,w"),
    (
        "one quote at the start of a cell is a character",
        b"a,b\n1,x\n2,\"y\n3,z\n",
        "a:integer b:text | 1 x | 2 \"y | 3 z",
    ),
    ("a quote in the middle", b"a,b\n1,5\" pipe\n2,x\n", "a:integer b:text | 1 5\" pipe | 2 x"),
    ("spaces after delimiters", b"a, b\n1, x\n2, \"y, z\"\n", "a:integer b:text | 1 x | 2 y, z"),
    ("space after a closing quote", b"a,b\n1,\"x\" \n2,y\n", "a:integer b:text | 1 x | 2 y"),
    ("blank lines", b"\na,b\n\n1,x\n\n\n2,y\n\n", "a:integer b:text | 1 x | 2 y"),
    (
        "trailing delimiters everywhere",
        b"a,b,\n1,x,\n2,y,\n",
        "a:integer b:text column_3:text | 1 x ~ | 2 y ~",
    ),
    ("comments", b"# made today\n# by hand\na,b\n1,x\n2,y\n", "a:integer b:text | 1 x | 2 y"),
    ("a header that looks like a comment", b"#id,name\n1,x\n2,y\n", "#id:integer name:text | 1 x | 2 y"),
    ("a title above", b"Sales report\n\na,b,c\n1,x,2\n2,y,3\n", "a:integer b:text c:integer | 1 x 2 | 2 y 3"),
    (
        "a padded title above",
        b"Sales report,,\na,b,c\n1,x,2\n2,y,3\n",
        "a:integer b:text c:integer | 1 x 2 | 2 y 3",
    ),
    (
        "no header",
        b"1,x,2.5\n2,y,3.5\n",
        "column_1:integer column_2:text column_3:number | 1 x 2.5 | 2 y 3.5",
    ),
    ("no header, texts", b"x,red\ny,red\nx,blue\n", "column_1:text column_2:text | x red | y red | x blue"),
    ("one column", b"name\nx\ny\n", "name:text | x | y"),
    ("one column of numbers", b"1.5\n2.5\n", "column_1:number | 1.5 | 2.5"),
    ("duplicate headers", b"x,x,x_2\n1,2,3\n", "x:integer x_3:integer x_2:integer | 1 2 3"),
    (
        "empty and reserved headers",
        b"a,,__split\n1,2,3\n",
        "a:integer column_2:integer split:integer | 1 2 3",
    ),
    (
        "dangerous headers",
        b"__proto__,constructor,id; DROP TABLE x\n1,2,3\n",
        "proto__:integer constructor:integer id; DROP TABLE x:integer | 1 2 3",
    ),
    ("headers that differ by case and space", b"a,A, a \n1,2,3\n", "a:integer A:integer a_2:integer | 1 2 3"),
    ("leading zeros are ids", b"zip,n\n00123,1\n94103,2\n", "zip:text n:integer | 00123 1 | 94103 2"),
    (
        "long ids keep their digits",
        b"id,n\n12345678901234567890,1\n2,2\n",
        "id:text n:integer | 12345678901234567890 1 | 2 2",
    ),
    (
        "integers beyond 2^53 beside fractions",
        b"x,n\n9007199254740993,1\n0.5,2\n",
        "x:text n:integer | 9007199254740993 1 | 0.5 2",
    ),
    (
        "an integer of 64 bits stays one",
        b"x,n\n9223372036854775807,1\n-9223372036854775808,2\n",
        "x:integer n:integer | 9223372036854775807 1 | -9223372036854775808 2",
    ),
    (
        "exponents, signs and infinity",
        b"x,y\n1e5,+5\n-2.5E-3,-6\ninf,7\n",
        "x:number y:integer | 100000 5 | -0.0025 -6 | inf 7",
    ),
    ("thousands", b"x;y\n1.234,56;a\n12.345.678,90;b\n", "x:number y:text | 1234.56 a | 12345678.9 b"),
    (
        "thousands in quotes",
        b"x,y\n\"1,234.5\",a\n\"12,345,678\",b\n",
        "x:number y:text | 1234.5 a | 12345678 b",
    ),
    (
        "thousands with a hard space",
        b"x,y\n1\xC2\xA0234,a\n12\xC2\xA0345,b\n",
        "x:integer y:text | 1234 a | 12345 b",
    ),
    (
        "numbers of other kinds are texts",
        b"a,b,c,d\n0x1F,(5),5-,12%\n0x2A,(6),6-,13%\n",
        "a:text b:text c:text d:text | 0x1F (5) 5- 12% | 0x2A (6) 6- 13%",
    ),
    (
        "words for missing",
        b"x,y\n1,NA\nNaN,b\nnull,c\n,d\nN/A,e\n",
        "x:integer y:text | 1 ~ | ~ b | ~ c | ~ d | ~ e",
    ),
    ("marks for missing", b"x,y\n1,-\n-,b\n.,c\nNone,None\n", "x:integer y:text | 1 - | ~ b | ~ c | ~ None"),
    (
        "a quoted empty text is a text",
        b"x,y\n1,\"\"\n2,\n3,\"NA\"\n4,b\n",
        "x:integer y:text | 1  | 2 ~ | 3 NA | 4 b",
    ),
    (
        "in a file of quotes they say nothing",
        b"\"x\",\"y\"\n\"1\",\"\"\n\"2\",\"NA\"\n\"3\",\"b\"\n",
        "x:integer y:text | 1 ~ | 2 ~ | 3 b",
    ),
    (
        "booleans",
        b"a,b,c\ntrue,TRUE,ja\nFalse,FALSE,nein\n",
        "a:boolean b:boolean c:text | true true ja | false false nein",
    ),
    (
        "ISO times",
        b"d,t\n2026-11-23,2026-11-23T08:05:10Z\n2026-01-02,2026-11-23T10:05:10.5+02:00\n",
        "d:time t:time | 2026-11-23 2026-11-23 08:05:10 | 2026-01-02 2026-11-23 08:05:10.500",
    ),
    (
        "day before month",
        b"d,n\n03/04/2026,1\n31/12/2026,2\n",
        "d:time n:integer | 2026-04-03 1 | 2026-12-31 2",
    ),
    (
        "month before day",
        b"d,n\n03/04/2026,1\n12/31/2026,2\n",
        "d:time n:integer | 2026-03-04 1 | 2026-12-31 2",
    ),
    ("German dates", b"d;n\n03.04.2026;1\n05.06.2026;2\n", "d:time n:integer | 2026-04-03 1 | 2026-06-05 2"),
    (
        "mixed orders stay text",
        b"d,n\n31/12/2026,1\n12/31/2026,2\n",
        "d:text n:integer | 31/12/2026 1 | 12/31/2026 2",
    ),
    (
        "years of two digits stay text",
        b"d,n\n31/12/99,1\n01/02/03,2\n",
        "d:text n:integer | 31/12/99 1 | 01/02/03 2",
    ),
    ("an empty column", b"a,b\n1,\n2,\n", "a:integer b:text | 1 ~ | 2 ~"),
    (
        "formulas stay what they are",
        b"a,b\n=cmd|x,1\n@SUM(A1),2\n",
        "a:text b:integer | =cmd|x 1 | @SUM(A1) 2",
    ),
    ("a text that ends in Ctrl-Z", b"a,b\n1,x\x1a\n", "a:integer b:text | 1 x\x1a"),
    (
        "line separators of Unicode are text",
        "a,b\n1,x\u{2028}y\n2,z\n".as_bytes(),
        "a:integer b:text | 1 x\u{2028}y | 2 z",
    ),
    (
        "Shift-JIS",
        b"a,b\n1,\x93\x8c\x8b\x9e\n2,\x91\xe5\x8d\xe3\n3,\x8b\x9e\x93\x73\x8e\x73\n",
        "a:integer b:text | 1 東京 | 2 大阪 | 3 京都市",
    ),
];

#[test]
fn every_table_is_read_as_what_it_is() {
    let mut wrong = Vec::new();
    for (name, bytes, expected) in TABLES {
        match import_sniffed(bytes) {
            Ok(imported) if shown(&imported) == *expected && imported.report.rejected_total == 0 => (),
            Ok(imported) => wrong.push(format!(
                "{name}:\n  got      {}\n  expected {expected}\n  {:?}\n  {:?}",
                shown(&imported),
                imported.report.rejected,
                sniffed(bytes)
            )),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The line of a rejected row, and why it was rejected.
type Reason = (u64, &'static str);

/// Files of which some rows are no rows: the table, and the line and reason of each rejection.
const REJECTIONS: &[(&str, &[u8], &str, &[Reason])] = &[
    (
        "short and long rows",
        b"a,b\n1,x\n2\n3,y,z\n4,w\n5,v\n",
        "a:integer b:text | 1 x | 4 w | 5 v",
        &[(3, "the row has 1 cells, expected 2"), (4, "the row has 3 cells, expected 2")],
    ),
    (
        "a footer",
        b"a,b,c\n1,2,3\n4,5,6\n7,8,9\n\nTotal: 3 rows\n",
        "a:integer b:integer c:integer | 1 2 3 | 4 5 6 | 7 8 9",
        &[(6, "the row has 1 cells, expected 3")],
    ),
    (
        "one row of another encoding",
        "a,b\n1,é\n2,ü\n3,ß\n4,ö\n5,ä\n6,é\n7,è\n8,ê\n9,ë\n10,ç\n11,ï\n12,#\n".as_bytes(),
        "a:integer b:text | 1 é | 2 ü | 3 ß | 4 ö | 5 ä | 6 é | 7 è | 8 ê | 9 ë | 10 ç | 11 ï",
        &[(13, "the bytes are not valid in this encoding")],
    ),
];

#[test]
fn rejected_rows_are_named_and_the_rest_is_kept() {
    for (name, bytes, expected, rejected) in REJECTIONS {
        // A constant cannot hold an invalid byte in a text, so a mark stands for it.
        let bytes: Vec<u8> = bytes.iter().map(|b| if *b == b'#' { 0xE9 } else { *b }).collect();
        let imported = import_sniffed(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shown(&imported), *expected, "{name}");
        let got: Vec<_> = imported.report.rejected.iter().map(|r| (r.line, r.reason.as_str())).collect();
        assert_eq!(got, *rejected, "{name}");
        assert_eq!(imported.report.rejected_total, rejected.len() as u64);
    }
}

/// Files that are no tables, and what is said of each.
const REFUSED: &[(&str, &[u8], &str)] = &[
    ("nothing", b"", "is empty (0 bytes)"),
    ("a mark only", b"\xEF\xBB\xBF", "holds nothing but blank lines"),
    ("line ends only", b"\n\n\r\n", "holds nothing but blank lines"),
    ("a header only", b"a,b\n", "has a header and no rows"),
    ("one byte", b"x", "has a header and no rows"),
    ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG picture"),
    ("a workbook", b"PK\x03\x04\x14\0", "is a ZIP archive"),
    ("an old workbook", b"\xD0\xCF\x11\xE0\xA1\xB1", "is an old Excel"),
    ("gzip", b"\x1F\x8B\x08\0", "is a gzip archive"),
    ("JSON", b"[{\"a\": 1}]", "is JSON"),
    ("HTML", b"<!DOCTYPE html><table>", "is HTML or XML"),
    ("UTF-32", b"\xFF\xFE\0\0a\0\0\0", "is UTF-32 text"),
    ("a NUL byte", b"a,b\n1,x\0y\n2,zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n", "holds a NUL byte on line 2"),
    ("noise", b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10,\x11\x12", "is not a text file"),
];

#[test]
fn what_is_no_table_is_refused_with_a_way_out() {
    for (name, bytes, message) in REFUSED {
        let Err(error) = import_sniffed(bytes) else { panic!("{name} is taken for a table") };
        assert_eq!(error.code, Code::InvalidInput, "{name}");
        assert!(error.message.contains(message), "{name}: {error}");
        assert!(error.hint.is_some(), "{name} has no way out");
    }
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
    // Stops at the first report of the second pass, when the file is already begun.
    let progress = Progress::new(cancel, move |stage| {
        if stage.name == "writing" {
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
        let dialect = records::Dialect { delimiter: b',', quote: Some(b'"'), escape: None, comment: None, trim: false };
        let chunk = cut(text.as_bytes().to_vec(), dialect, 0, true);
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
