//! What profiles say across columns, beside counts, and of two profiles.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use base::Progress;
use proptest::prelude::{prop_assert_eq, proptest};

use super::*;
use crate::drift::Level;
use crate::schema::{Column, TableMeta, arrow_schema};
use crate::table::TableFile;

fn table(dir: &std::path::Path, columns: Vec<(&str, Kind, ArrayRef)>) -> TableFile {
    let names: Vec<Column> = columns.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(arrow_schema(&names), arrays).expect("columns fit");
    crate::table::write(dir, TableMeta::new(names), [Ok(batch)]).expect("writes")
}

fn numbers(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

#[test]
fn a_profile_says_what_the_values_are_like() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let hours = (0..40).map(|at| 1_795_392_000_000 + at * 3_600_000);
    let mails = (0..40).map(|at| format!("user{at}@example.org"));
    let table = table(
        dir.path(),
        vec![
            ("mail", Kind::Text, Arc::new(StringArray::from_iter_values(mails))),
            ("when", Kind::Time, Arc::new(TimestampMillisecondArray::from_iter_values(hours))),
            ("change", Kind::Integer, Arc::new(Int64Array::from_iter_values((0..40).map(|at| at % 4 - 1)))),
            ("same", Kind::Number, numbers(vec![Some(1.5); 40])),
        ],
    );
    let seen = Mutex::new(Vec::new());
    let on_column =
        |at: usize, column: &ColumnProfile| seen.lock().expect("no panic").push((at, column.name.clone()));
    let p = profile_as_it_comes(&table, &on_column, &Progress::silent()).expect("profiles");
    let mut seen = seen.into_inner().expect("no panic");
    seen.sort();
    let names = ["mail", "when", "change", "same"].map(str::to_owned);
    assert_eq!(seen, names.into_iter().enumerate().collect::<Vec<_>>());

    let [mail, when, change, same] = p.columns.as_slice() else { panic!("four columns") };
    assert_eq!(mail.lengths, Some(Lengths { min: 17, mean: 17.75, max: 18 }));
    assert_eq!(mail.meaning.map(|meaning| meaning.semantic), Some(Semantic::Email));
    assert!(mail.is_personal() && mail.is_unique() && !mail.is_constant());
    assert_eq!(when.granularity, Some(Granularity::Hour));
    assert_eq!((change.zeros, change.negatives), (10, 10));
    assert!(same.is_constant() && !same.is_personal());
    let said: Vec<String> = p.warnings(None).into_iter().map(|warning| warning.message).collect();
    assert!(
        said.iter().any(|message| message.starts_with("`mail` seems to hold email addresses (100% of 40")),
        "{said:?}"
    );
}

#[test]
fn an_older_profile_still_reads() {
    let p = Profile {
        columns: vec![ColumnProfile::of_numbers("x", Kind::Number, &[1.0, 2.0], None)],
        ..Profile::default()
    };
    let mut stored = serde_json::to_value(&p).expect("plain data");
    let object = stored.as_object_mut().expect("an object");
    for new in ["duplicate_rows", "missing", "relations"] {
        object.remove(new);
    }
    let column = object["columns"][0].as_object_mut().expect("an object");
    for new in ["zeros", "negatives", "lengths", "granularity", "meaning"] {
        column.remove(new);
    }
    assert_eq!(serde_json::from_value::<Profile>(stored).expect("reads"), p);
}

#[test]
fn columns_that_are_missing_together_and_copies_of_rows_are_counted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    // Of each six rows the first lacks a and b, the second b, and the last two are equal.
    let value = |at: usize, missing: bool| (!missing).then_some((at - at % 6 + (at % 6).min(4)) as f64);
    let column = |lacks: fn(usize) -> bool| numbers((0..600).map(|at| value(at, lacks(at % 6))));
    let table = table(
        dir.path(),
        vec![
            ("a", Kind::Number, column(|at| at == 0)),
            ("b", Kind::Number, column(|at| at < 2)),
            ("c", Kind::Number, column(|_| false)),
        ],
    );
    let p = profile(&table, &Progress::silent()).expect("profiles");
    let missing = p.missing.expect("it was asked for");
    assert_eq!((missing.complete_rows, missing.other_rows), (400, 0));
    let said: Vec<_> = missing.patterns.iter().map(|p| (p.columns.join("+"), p.rows)).collect();
    assert_eq!(said, [("a+b".to_owned(), 100), ("b".to_owned(), 100)]);
    assert_eq!(p.duplicate_rows, Some(100));
    let relations = p.relations.expect("it was asked for");
    assert_eq!(relations.rows, 600);
    assert!(relations.pearson.get(0, 2).expect("defined") > 0.999);
}

#[test]
fn relations_of_a_long_table_look_at_evenly_spaced_rows() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let rows = 120_001_u32;
    let group = StringArray::from_iter_values((0..rows).map(|row| ["a", "b"][row as usize / 3 % 2]));
    let table = table(
        dir.path(),
        vec![
            ("x", Kind::Number, numbers((0..rows).map(|row| Some(f64::from(row))))),
            ("y", Kind::Number, numbers((0..rows).map(|row| Some(-f64::from(row).powi(3))))),
            ("group", Kind::Text, Arc::new(group.clone())),
            ("again", Kind::Text, Arc::new(group)),
        ],
    );
    let relations = profile(&table, &Progress::silent()).expect("profiles").relations.expect("asked for");
    assert_eq!(relations.rows, 40_001);
    assert!((relations.spearman.get(0, 1).expect("defined") + 1.0).abs() < 1e-9);
    assert!((relations.cramers_v.get(0, 1).expect("defined") - 1.0).abs() < 1e-9);
}

#[test]
fn two_profiles_are_compared_column_by_column() {
    let texts = |name: &str, values: &[&str]| {
        ColumnProfile::of_texts(name, values.iter().cycle().take(300).map(|value| Some(*value)), None)
    };
    let spread = |name: &str, shift: f64| {
        let values: Vec<f64> = (0..300).map(|at| f64::from(at * 7 % 100) + shift).collect();
        ColumnProfile::of_numbers(name, Kind::Number, &values, None)
    };
    let of = |columns| Profile { rows: 300, columns, ..Profile::default() };
    let before =
        of(vec![spread("x", 0.0), texts("g", &["a", "a", "b"]), texts("old", &["a"]), texts("t", &["1"])]);
    let after =
        of(vec![texts("new", &["a"]), texts("g", &["a", "b", "c"]), spread("x", 80.0), spread("t", 0.0)]);
    let found = compare(&before, &after);
    assert_eq!((found.added, found.removed), (vec!["new".to_owned()], vec!["old".to_owned()]));
    let change = KindChange { name: "t".to_owned(), before: Kind::Text, after: Kind::Number };
    assert_eq!(found.retyped, [change]);
    let names: Vec<&str> = found.columns.iter().map(|column| column.after.name.as_str()).collect();
    assert_eq!(names, ["g", "x"]);
    assert_eq!(found.columns[1].drift.level, Level::Alarm);
    let shares: Vec<_> = found.columns[0]
        .values
        .iter()
        .map(|v| (v.value.as_str(), v.before.map(|s| (s * 3.0).round()), v.after.map(|s| (s * 3.0).round())))
        .collect();
    assert_eq!(shares, [("a", Some(2.0), Some(1.0)), ("b", Some(1.0), Some(1.0)), ("c", None, Some(1.0))]);
    assert!(compare(&before, &before).columns.iter().all(|column| column.drift.psi == 0.0));
}

proptest! {
    #[test]
    fn a_profile_counts_what_a_simple_loop_counts(cells in proptest::collection::vec((proptest::option::of(-2_i64..3), proptest::option::of("[ab]{0,2}")), 0..120)) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let n: Int64Array = cells.iter().map(|cell| cell.0).collect();
        let t: StringArray = cells.iter().map(|cell| cell.1.as_deref()).collect();
        let table = table(dir.path(), vec![("n", Kind::Integer, Arc::new(n)), ("t", Kind::Text, Arc::new(t))]);
        let p = profile(&table, &Progress::silent()).expect("profiles");
        let distinct = cells.iter().collect::<std::collections::BTreeSet<_>>().len();
        prop_assert_eq!(p.duplicate_rows, Some((cells.len() - distinct) as u64));
        prop_assert_eq!(p.columns[0].zeros, cells.iter().filter(|cell| cell.0 == Some(0)).count() as u64);
        prop_assert_eq!(p.columns[0].negatives, cells.iter().filter(|cell| cell.0 < Some(0) && cell.0.is_some()).count() as u64);
        let complete = cells.iter().filter(|cell| cell.0.is_some() && cell.1.is_some()).count() as u64;
        let missing = p.missing.expect("asked for");
        prop_assert_eq!(missing.complete_rows, complete);
        prop_assert_eq!(missing.patterns.iter().map(|p| p.rows).sum::<u64>(), cells.len() as u64 - complete);
        let longest = cells.iter().filter_map(|cell| cell.1.as_ref()).map(|text| text.len() as u64).max();
        prop_assert_eq!(p.columns[1].lengths.map(|lengths| lengths.max), longest);
    }
}
