//! What checks find, what the file of checks says, and what is suggested.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use base::{Cancel, Code, Error, Progress, Result, Timestamp};

use super::*;
use crate::profile::{Profile, profile};
use crate::schema::{Column, Kind, SPLIT_COLUMN, TableMeta, arrow_schema};
use crate::table::TableFile;

const DAY_MS: i64 = 86_400_000;

fn table(dir: &Path, columns: Vec<(&str, Kind, ArrayRef)>) -> TableFile {
    let names: Vec<Column> = columns.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(arrow_schema(&names), arrays).expect("columns fit");
    let mut meta = TableMeta::new(names);
    meta.split = meta.columns.iter().any(|column| column.name == SPLIT_COLUMN);
    crate::table::write(dir, meta, [Ok(batch)]).expect("writes")
}

fn integers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

fn texts<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Six customers with something wrong in most columns.
fn customers(dir: &Path) -> TableFile {
    let seen = [0, 1, 2, 3, 4].map(|day| Some(day * DAY_MS)).into_iter().chain([None]);
    table(
        dir,
        vec![
            ("id", Kind::Integer, integers([1, 2, 3, 3, 5, 6].map(Some))),
            ("age", Kind::Integer, integers([Some(20), Some(-1), Some(130), None, Some(40), Some(50)])),
            (
                "score",
                Kind::Number,
                Arc::new(Float64Array::from(vec![0.5, 1.0, f64::INFINITY, 0.0, -0.0, 2.0])),
            ),
            (
                "mail",
                Kind::Text,
                texts([Some("a@b.de"), Some("nobody"), None, Some("x@y.z"), Some(""), Some("q@r.s")]),
            ),
            (
                "paid",
                Kind::Boolean,
                Arc::new(BooleanArray::from(vec![
                    Some(true),
                    Some(false),
                    None,
                    Some(true),
                    Some(true),
                    Some(true),
                ])),
            ),
            ("seen", Kind::Time, Arc::new(seen.collect::<TimestampMillisecondArray>())),
        ],
    )
}

fn nothing_else(name: &str) -> Result<TableFile> {
    Err(Error::not_found(format!("there is no dataset `{name}`")).hint("import it"))
}

fn context(table: &TableFile) -> Context<'_> {
    Context { table, previous: None, reference: None, other: &nothing_else, now: Timestamp(10 * DAY_MS) }
}

fn file(entries: &str) -> CheckFile {
    CheckFile::parse(&format!("format = 1\n{entries}")).expect("a good file")
}

fn one(entry: &str, context: &Context<'_>) -> CheckResult {
    let mut results = run(&file(&format!("[[check]]\n{entry}")), context, &Progress::silent()).expect("runs");
    results.remove(0)
}

/// The numbers of the rows that fail a check.
fn failing(entry: &str, context: &Context<'_>) -> Vec<u64> {
    let result = one(entry, context);
    assert_eq!(result.error, None, "{entry}");
    assert_eq!(result.failing_rows, Some(result.examples.len() as u64), "{entry}");
    result.examples.iter().map(|example| example.row).collect()
}

#[test]
fn each_kind_of_row_check_finds_exactly_the_rows_that_break_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let table = customers(dir.path());
    let context = context(&table);
    let expected: [(&str, &[u64]); 16] = [
        ("kind = 'not_null'\ncolumn = 'mail'", &[2]),
        ("kind = 'not_null'\ncolumn = 'id'", &[]),
        ("kind = 'unique'\ncolumns = ['id']", &[2, 3]),
        ("kind = 'unique'\ncolumns = ['id', 'age']", &[]),
        ("kind = 'range'\ncolumn = 'age'\nmin = 0\nmax = 120", &[1, 2]),
        ("kind = 'range'\ncolumn = 'score'\nmin = 0", &[]),
        ("kind = 'range'\ncolumn = 'score'\nmax = 1.5", &[2, 5]),
        ("kind = 'range'\ncolumn = 'seen'\nmin = 1970-01-03\nmax = '1970-01-04 12:00'", &[0, 1, 4]),
        ("kind = 'set'\ncolumn = 'mail'\nvalues = ['a@b.de', '']", &[1, 3, 5]),
        ("kind = 'set'\ncolumn = 'age'\nvalues = [20, 40, 50]", &[1, 2]),
        ("kind = 'set'\ncolumn = 'score'\nvalues = [0, 0.5, 1, 2.0]", &[2]),
        ("kind = 'set'\ncolumn = 'paid'\nvalues = [true]", &[1]),
        ("kind = 'pattern'\ncolumn = 'mail'\nregex = '[a-z]@[a-z]|nobody'", &[0, 3, 4, 5]),
        ("kind = 'expression'\nexpression = 'age >= 18 or paid'", &[1]),
        ("kind = 'duplicate_rows'", &[]),
        ("kind = 'duplicate_rows'\ncolumns = ['id']", &[3]),
    ];
    for (entry, rows) in expected {
        assert_eq!(failing(entry, &context), rows, "{entry}");
        let whole = file(&format!("[[check]]\n{entry}"));
        let page = failing_rows(&whole.checks[0], &context, 0, 100, &Progress::silent()).expect("reads");
        assert_eq!(page.numbers, rows, "{entry}");
        assert_eq!(page.rows.len(), rows.len());
    }
}

#[test]
fn all_checks_of_a_file_look_at_one_pass_and_say_what_they_found() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let table = customers(dir.path());
    let checks = file(
        "[[check]]\nkind = 'range'\ncolumn = 'age'\nmin = 0\nmax = 120\nseverity = 'warn'\nname = 'ages'\n\
         [[check]]\nkind = 'not_null'\ncolumn = 'mail'\nmax_share = 0.5\n\
         [[check]]\nkind = 'range'\ncolumn = 'mail'\nmin = 0\n\
         [[check]]\nkind = 'not_null'\ncolumn = 'aeg'\n",
    );
    let results = run(&checks, &context(&table), &Progress::silent()).expect("runs");
    assert_eq!(
        results.iter().map(|r| r.outcome).collect::<Vec<_>>(),
        [Outcome::Failed, Outcome::Passed, Outcome::Error, Outcome::Error]
    );
    let ages = &results[0];
    assert_eq!(ages.rule, "`age` between 0 and 120");
    assert_eq!(ages.measured, "2 of 6 rows fail (33.3%)");
    assert_eq!((ages.name.as_deref(), ages.is_blocking()), (Some("ages"), false));
    assert_eq!(ages.examples[0], Example { row: 1, cells: vec![("age".to_owned(), Some("-1".to_owned()))] });
    assert_eq!(results[1].rule, "`mail` is never missing (but for up to 50% of rows)");
    assert_eq!(results[1].measured, "1 of 6 rows fails (16.7%)");
    let misfit = results[2].error.as_ref().expect("texts have no range");
    assert_eq!(misfit.message, "`mail` is of the kind text");
    let missing = results[3].error.as_ref().expect("no such column");
    assert_eq!(missing.hint.as_deref(), Some("did you mean `age`?"));
    assert!(results[3].is_blocking(), "what could not be checked does not pass");
}

#[test]
fn checks_of_the_whole_table_measure_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let table = customers(dir.path());
    let smaller = tempfile::tempdir().expect("a temporary folder");
    let previous = self::table(smaller.path(), vec![("id", Kind::Integer, integers([1, 2, 3, 4].map(Some)))]);
    let context = Context { previous: Some(&previous), ..context(&table) };
    let found = |entry: &str| {
        let result = one(entry, &context);
        (result.outcome, result.measured)
    };
    let row_count = |measured: &str| (Outcome::Failed, measured.to_owned());
    assert_eq!(found("kind = 'row_count'\nmin = 7"), row_count("6 rows"));
    assert_eq!(found("kind = 'row_count'\nmax_change = 0.4"), row_count("6 rows, 4 before (+50%)"));
    assert_eq!(found("kind = 'row_count'\nmin = 1\nmax = 6\nmax_change = 0.5").0, Outcome::Passed);
    assert_eq!(
        found("kind = 'freshness'\ncolumn = 'seen'\nmax_age_days = 5"),
        row_count("the newest is 1970-01-05, 6 days old")
    );
    assert_eq!(found("kind = 'freshness'\ncolumn = 'seen'\nmax_age_days = 6").0, Outcome::Passed);
    assert_eq!(found("kind = 'type'\ncolumn = 'age'\ntype = 'number'").0, Outcome::Passed);
    assert_eq!(
        found("kind = 'type'\ncolumn = 'score'\ntype = 'integer'"),
        row_count("it is of the kind number")
    );
    assert_eq!(found("kind = 'type'\ncolumn = 'gone'\ntype = 'text'"), row_count("there is no such column"));
    let first = one("kind = 'distribution'\ncolumn = 'age'", &context);
    assert_eq!(
        (first.outcome, first.measured.as_str()),
        (Outcome::Passed, "there is nothing to compare with yet")
    );
}

#[test]
fn a_shifted_column_is_not_spread_as_before() {
    let (then, now) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let column = |shift: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values((0..500).map(|at| f64::from(at % 100) + shift)))
    };
    let before = table(then.path(), vec![("x", Kind::Number, column(0.0))]);
    let after = table(now.path(), vec![("x", Kind::Number, column(60.0))]);
    let reference = profile(&before, &Progress::silent()).expect("profiles");
    let shifted = Context { reference: Some(&reference), ..context(&after) };
    assert_eq!(one("kind = 'distribution'\ncolumn = 'x'", &shifted).outcome, Outcome::Failed);
    let ks = one("kind = 'distribution'\ncolumn = 'x'\nmax_psi = 100\nmax_ks = 0.5", &shifted);
    assert_eq!(ks.outcome, Outcome::Failed, "{}", ks.measured);
    let other_dir = tempfile::tempdir().expect("a folder");
    let words = StringArray::from_iter_values((0..500).map(|at| at.to_string()));
    let retyped = table(other_dir.path(), vec![("x", Kind::Text, Arc::new(words))]);
    let retyped = Context { reference: Some(&reference), ..context(&retyped) };
    let misfit = one("kind = 'distribution'\ncolumn = 'x'", &retyped).error.expect("texts are no numbers");
    assert_eq!(misfit.message, "`x` was of the kind number and is of the kind text");
    let same = Context { reference: Some(&reference), ..context(&before) };
    let same = one("kind = 'distribution'\ncolumn = 'x'\nmax_psi = 0\nmax_ks = 0", &same);
    assert_eq!((same.outcome, same.measured.as_str()), (Outcome::Passed, "PSI 0, KS distance 0"));
}

#[test]
fn values_are_looked_for_in_another_dataset() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let orders = customers(dir.path());
    let other_dir = tempfile::tempdir().expect("a temporary folder");
    let other = |name: &str| {
        assert_eq!(name, "people");
        let ids = Float64Array::from(vec![Some(1.0), Some(2.0), Some(3.0), None, Some(5.5)]);
        let names = texts([Some("a@b.de"), Some("x"), Some("y"), None, Some("")]);
        Ok(table(other_dir.path(), vec![("key", Kind::Number, Arc::new(ids)), ("mail", Kind::Text, names)]))
    };
    let context = Context { other: &other, ..context(&orders) };
    assert_eq!(
        failing("kind = 'foreign_key'\ncolumn = 'id'\ntable = 'people'\nreferences = 'key'", &context),
        [4, 5]
    );
    assert_eq!(failing("kind = 'foreign_key'\ncolumn = 'mail'\ntable = 'people'", &context), [1, 3, 5]);
    assert_eq!(
        failing("kind = 'leakage'\ntable = 'people'", &context),
        [0, 2, 4],
        "in the column that both have"
    );
    let misfit = one("kind = 'foreign_key'\ncolumn = 'mail'\ntable = 'people'\nreferences = 'key'", &context);
    assert!(
        misfit
            .error
            .expect("a text is no number")
            .message
            .contains("`key` of `people` is of the kind number")
    );
    let unknown = Context { other: &nothing_else, ..context };
    let result = one("kind = 'foreign_key'\ncolumn = 'id'\ntable = 'nope'", &unknown);
    assert_eq!(result.error.map(|e| e.code), Some(Code::NotFound));
}

#[test]
fn test_rows_among_the_training_rows_are_found() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let columns = vec![Column::new("x", Kind::Integer), Column::new(SPLIT_COLUMN, Kind::Integer)];
    let parts = Int8Array::from(vec![0, 0, 2, 1, 2]);
    let arrays: Vec<ArrayRef> = vec![integers([1, 2, 2, 3, 3].map(Some)), Arc::new(parts)];
    let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("fits");
    let meta = TableMeta { split: true, ..TableMeta::new(columns) };
    let split = crate::table::write(dir.path(), meta, [Ok(batch)]).expect("writes");
    assert_eq!(failing("kind = 'leakage'", &context(&split)), [2], "equal test rows are no leak");
    let other_dir = tempfile::tempdir().expect("a temporary folder");
    let whole = customers(other_dir.path());
    let refused = one("kind = 'leakage'", &context(&whole)).error.expect("not split");
    assert_eq!(refused.message, "the table is not split into training and test rows");
}

#[test]
fn failing_rows_come_page_by_page_however_many_there_are() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let table = table(dir.path(), vec![("n", Kind::Integer, integers((0..30_000).map(Some)))]);
    let checks = file("[[check]]\nkind = 'expression'\nexpression = 'n % 3 <> 0'");
    let result = run(&checks, &context(&table), &Progress::silent()).expect("runs").remove(0);
    assert_eq!((result.failing_rows, result.examples.len() as u64), (Some(10_000), MAX_EXAMPLES));
    let page =
        failing_rows(&checks.checks[0], &context(&table), 9_998, 50, &Progress::silent()).expect("reads");
    assert_eq!((page.total, page.numbers), (10_000, vec![29_994, 29_997]));
    assert_eq!(page.rows, [[Some("29994".to_owned())], [Some("29997".to_owned())]]);
    let beyond = failing_rows(&checks.checks[0], &context(&table), 10_000, 50, &Progress::silent());
    assert!(beyond.expect("an empty page").rows.is_empty());
    assert!(failing_rows(&checks.checks[0], &context(&table), 0, 10_001, &Progress::silent()).is_err());
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = run(&checks, &context(&table), &Progress::new(cancel, |_| ())).expect_err("cancelled");
    assert_eq!(stopped.code, Code::Cancelled);
}

#[test]
fn an_empty_table_passes_checks_of_rows() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let table = table(dir.path(), vec![("n", Kind::Integer, integers([]))]);
    for entry in
        ["kind = 'not_null'\ncolumn = 'n'", "kind = 'unique'\ncolumns = ['n']", "kind = 'duplicate_rows'"]
    {
        assert_eq!(one(entry, &context(&table)).outcome, Outcome::Passed, "{entry}");
    }
}

#[test]
fn the_file_is_written_as_it_is_read() {
    let text = "format = 1\n\n[[check]]\nkind = \"range\"\ncolumn = \"age\"\nmin = 0\nmax = 120.5\nseverity = \"warn\"\nname = \"ages\"\n\n\
                [[check]]\nkind = \"set\"\ncolumn = \"x\"\nvalues = ['a\"b', 1, true]\nmax_share = 0.25\n\n\
                [[check]]\nkind = \"duplicate_rows\"\n";
    let read = CheckFile::parse(text).expect("a good file");
    assert_eq!(read.to_text(), text);
    assert_eq!(CheckFile::parse(&read.to_text()).expect("what we write"), read);
    let declared: String =
        declarations().iter().map(|kind| format!("\n[[check]]\n{}\n", kind.example)).collect();
    let examples = file(&declared);
    assert_eq!(examples.checks.len(), declarations().len());
    assert_eq!(CheckFile::parse(&examples.to_text()).expect("what we write"), examples);
}

#[test]
fn a_wrong_file_is_refused_at_its_line_with_a_way_out() {
    let refused = |text: &str| {
        let error = CheckFile::parse(text).expect_err("a wrong file");
        (error.to_string(), error.hint.unwrap_or_default())
    };
    let entry = |entry: &str| refused(&format!("format = 1\n\n[[check]]\n{entry}"));
    let (said, hint) = entry("kind = 'range'\ncolumn = 'age'\nmni = 0");
    assert_eq!(said, "cannot read the checks at line 6: check `range`: there is no parameter `mni`");
    assert_eq!(hint, "did you mean `min`?");
    let (said, hint) = entry("kind = 'rnage'\ncolumn = 'age'");
    assert_eq!(
        (said.as_str(), hint.as_str()),
        ("cannot read the checks at line 4: there is no check `rnage`", "did you mean `range`?")
    );
    assert!(
        entry("kind = 'range'\ncolumn = 'age'\nmin = true").0.contains("line 6"),
        "a bound is no truth value"
    );
    assert!(entry("kind = 'range'\ncolumn = 'age'").0.contains("the range has no end"));
    assert!(entry("kind = 'range'\ncolumn = 'age'\nmin = 2\nmax = 1").0.contains("line 7"));
    assert!(
        entry("kind = 'range'\ncolumn = 'day'\nmin = 'soon'")
            .0
            .contains("line 6: check `range`: `soon` is not a time")
    );
    assert!(entry("column = 'age'").0.contains("line 3: the check does not say its kind"));
    assert!(entry("kind = 'pattern'\ncolumn = 'x'\nregex = '(a'").0.contains("line 6"));
    assert!(entry("kind = 'not_null'\ncolumn = 'x'\nseverity = 'bad'").0.contains("line 6"));
    assert!(entry("kind = 'not_null'\ncolumn = 'x'\nmax_share = 2").0.contains("line 6"));
    assert!(
        entry("kind = 'row_count'\nmin = 1\nmax_share = 0.5").0.contains("`row_count` is not about rows")
    );
    assert!(entry("kind = 'expression'\nexpression = 'age >'").0.contains("line 5"));
    assert!(refused("format = 1\n\nchecks = []").0.contains("line 3: there is no field `checks`"));
    assert!(refused("[[check]]").0.contains("does not say its format"));
    assert!(refused("format = 1\n[[check]\n").0.contains("line 2"));
    assert_eq!(CheckFile::parse("format = 2").expect_err("newer").code, Code::TooNew);
    let many = "[[check]]\nkind = 'duplicate_rows'\n".repeat(MAX_CHECKS + 1);
    assert!(CheckFile::parse(&format!("format = 1\n{many}")).is_err());
}

#[test]
fn suggested_checks_hold_for_the_table_that_suggested_them() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let rows = 400;
    let island = StringArray::from_iter_values((0..rows).map(|row| ["Dream", "Biscoe"][row % 2]));
    let mass =
        Float64Array::from_iter((0..rows).map(|row| (row % 40 != 0).then_some(2700.0 + row as f64 * 3.7)));
    let table = table(
        dir.path(),
        vec![
            ("id", Kind::Integer, integers((0..400).map(Some))),
            ("island", Kind::Text, Arc::new(island)),
            ("mass", Kind::Number, Arc::new(mass)),
            (
                "mail",
                Kind::Text,
                Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("a{row}@b.org")))),
            ),
        ],
    );
    let seen = profile(&table, &Progress::silent()).expect("profiles");
    let suggested = suggest(&seen);
    let rules: Vec<String> = suggested.checks.iter().map(Check::rule).collect();
    assert_eq!(
        rules,
        [
            "at least 1 rows, and at most 50% more or fewer rows than before",
            "no row is a copy of an earlier one",
            "`id` is of the kind integer",
            "`id` is never missing",
            "`id` is unique",
            "`island` is of the kind text",
            "`island` is never missing",
            "`island` is one of `Biscoe`, `Dream`",
            "`mass` is of the kind number",
            "`mass` is never missing (but for up to 5% of rows)",
            "`mass` between 2550 and 4330",
            "`mail` is of the kind text",
            "`mail` is never missing",
            r"`mail` matches `\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*`",
            "`mail` is unique",
        ]
    );
    let results = run(&suggested, &context(&table), &Progress::silent()).expect("runs");
    assert!(results.iter().all(|result| result.outcome == Outcome::Passed), "{results:#?}");
    assert_eq!(CheckFile::parse(&suggested.to_text()).expect("what we write"), suggested);
    let empty = suggest(&Profile { rows: 0, columns: Vec::new(), ..seen });
    assert_eq!(empty.checks, []);
}

#[test]
fn the_manual_has_the_line_of_every_kind() {
    let manual = include_str!("../../../../docs/quality.md");
    for kind in declarations() {
        let line = format!("| `{}` | {} | {} |", kind.kind, kind.summary, kind.doc);
        assert!(manual.contains(&line), "docs/quality.md needs the line\n{line}");
        let fields = params_schema(kind.kind).expect("a kind of the list");
        assert!(fields["properties"].is_object(), "{fields}");
    }
}

#[test]
fn parameters_that_name_a_column_or_a_dataset_are_marked_for_the_form() {
    for kind in declarations() {
        let fields = params_schema(kind.kind).expect("a kind of the list");
        for (name, mark) in [
            ("column", "x-column"),
            ("columns", "x-columns"),
            ("table", "x-dataset"),
            ("expression", "x-expression"),
        ] {
            let field = &fields["properties"][name];
            assert!(field.is_null() || field[mark] == true, "`{name}` of `{}`: {field}", kind.kind);
        }
    }
    let kinds = &params_schema("type").expect("there is one")["properties"]["type"]["enum"];
    for kind in kinds.as_array().expect("a list") {
        let params = serde_json::json!({ "column": "x", "type": kind });
        Check::new("type", params.as_object().expect("one")).expect("what the form offers is taken");
    }
}
