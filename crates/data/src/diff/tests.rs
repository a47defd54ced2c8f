//! What a comparison finds, and that it finds exactly what was done.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use base::{Cancel, Code, Progress};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::schema::{TableMeta, arrow_schema};

fn table(dir: &Path, columns: Vec<(&str, Kind, ArrayRef)>) -> TableFile {
    let names: Vec<Column> = columns.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(arrow_schema(&names), arrays).expect("columns fit");
    crate::table::write(dir, TableMeta::new(names), [Ok(batch)]).expect("writes")
}

fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Compares two tables made in temporary folders, and looks at the result.
fn compared(
    old: Vec<(&str, Kind, ArrayRef)>,
    new: Vec<(&str, Kind, ArrayRef)>,
    key: &[&str],
) -> Result<(Summary, Vec<CellChange>)> {
    let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let options = Options { key: key.iter().map(|name| (*name).to_owned()).collect() };
    let diff = diff(&table(a.path(), old), &table(b.path(), new), &options, &Progress::silent())?;
    let cells = diff.cells(0, 1000)?;
    assert_eq!(cells.len() as u64, diff.summary().changed_cells);
    Ok((diff.summary().clone(), cells))
}

fn counts(summary: &Summary) -> [u64; 4] {
    [summary.added_rows, summary.removed_rows, summary.changed_rows, summary.unchanged_rows]
}

#[test]
fn rows_are_matched_by_a_key_in_whatever_order_they_stand() {
    let old = vec![
        ("id", Kind::Integer, integers([1, 2, 3, 4])),
        ("name", Kind::Text, texts(["a", "b", "c", "d"])),
        ("old_only", Kind::Text, texts(["x", "x", "x", "x"])),
    ];
    let new = vec![
        ("name", Kind::Text, texts(["d", "B", "e", "a"])),
        ("id", Kind::Integer, integers([4, 2, 5, 1])),
        ("new_only", Kind::Number, Arc::new(Float64Array::from(vec![1.0; 4])) as ArrayRef),
    ];
    let (summary, cells) = compared(old.clone(), new.clone(), &["id"]).expect("compares");
    assert_eq!(counts(&summary), [1, 1, 1, 2]);
    assert_eq!(summary.matching, Matching::Key { columns: vec!["id".to_owned()], is_found: false });
    assert_eq!(summary.added_columns, [Column::new("new_only", Kind::Number)]);
    assert_eq!(summary.removed_columns, [Column::new("old_only", Kind::Text)]);
    let change = CellChange {
        old_row: 1,
        new_row: 1,
        key: vec![Some("2".to_owned())],
        column: "name".to_owned(),
        old: Some("b".to_owned()),
        new: Some("B".to_owned()),
    };
    assert_eq!(cells, [change]);
    let (found, _) = compared(old, new, &[]).expect("compares");
    assert_eq!(found.matching, Matching::Key { columns: vec!["id".to_owned()], is_found: true });
    assert_eq!(counts(&found), counts(&summary));
}

#[test]
fn a_key_that_repeats_is_refused_with_examples() {
    let old = vec![("id", Kind::Integer, integers([1, 2])), ("x", Kind::Text, texts(["a", "b"]))];
    let new = vec![("id", Kind::Integer, integers([7, 7])), ("x", Kind::Text, texts(["a", "b"]))];
    let error = compared(old.clone(), new.clone(), &["id"]).expect_err("7 twice");
    assert_eq!(error.code, Code::InvalidInput);
    assert_eq!(
        error.to_string(),
        "the key `id` does not name one row each in the new version: `7` names the rows 0 and 1"
    );
    assert!(compared(old.clone(), new.clone(), &["id", "x"]).is_ok(), "both together are a key");
    let error = compared(old, new, &["nope"]).expect_err("no such column");
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::NotFound, "the old version lacks a column of the key")
    );
}

#[test]
fn a_renamed_column_is_told_by_its_cells() {
    let ids = || integers(0..100);
    let mass = |shift: i64| integers((0..100).map(move |row| row * 7 + i64::from(row % 20 == 0) * shift));
    let old = vec![
        ("id", Kind::Integer, ids()),
        ("mass", Kind::Integer, mass(0)),
        ("flag", Kind::Text, texts(vec!["a"; 100])),
    ];
    let new = vec![
        ("id", Kind::Integer, ids()),
        ("mark", Kind::Text, texts(vec!["a"; 100])),
        ("body_mass", Kind::Integer, mass(1)),
    ];
    let (summary, cells) = compared(old, new, &[]).expect("compares");
    let renamed = Renamed { from: "mass".to_owned(), to: "body_mass".to_owned(), equal_share: 0.95 };
    assert_eq!(summary.renamed_columns, [renamed]);
    assert_eq!((cells.len(), cells[0].column.as_str()), (5, "body_mass"));
    assert_eq!(summary.added_columns.len(), 1, "a constant is no other constant");
}

#[test]
fn a_column_of_another_kind_is_compared_by_its_values() {
    let ids = || integers(1..4);
    let old = vec![
        ("id", Kind::Integer, ids()),
        ("x", Kind::Integer, integers([1, 2, 3])),
        ("y", Kind::Integer, integers([1, 2, 3])),
    ];
    let fractions: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.5, 3.0]));
    let new = vec![
        ("id", Kind::Integer, ids()),
        ("x", Kind::Number, fractions),
        ("y", Kind::Text, texts(["1", "2", "n/a"])),
    ];
    let (summary, cells) = compared(old, new, &["id"]).expect("compares");
    assert_eq!(summary.retyped_columns.len(), 2);
    let said: Vec<_> =
        cells.iter().map(|c| (c.column.as_str(), c.old.as_deref(), c.new.as_deref())).collect();
    assert_eq!(said, [("x", Some("2"), Some("2.5")), ("y", Some("3"), Some("n/a"))]);
}

#[test]
fn rows_without_a_key_are_matched_by_content_and_position() {
    let rows = |values: &[(&'static str, i64)]| {
        vec![
            ("a", Kind::Text, texts(values.iter().map(|v| v.0))),
            ("b", Kind::Text, texts(values.iter().map(|v| v.0))),
            ("n", Kind::Integer, integers(values.iter().map(|v| v.1))),
        ]
    };
    let old = [("x", 1), ("x", 1), ("y", 2), ("z", 3), ("z", 3)];
    // One copy of the first row went, the third was edited, one came, and the last two swapped.
    let (summary, cells) =
        compared(rows(&old), rows(&[("x", 1), ("y", 9), ("w", 8), ("z", 3), ("z", 3)]), &[])
            .expect("compares");
    assert_eq!(summary.matching, Matching::Content);
    assert_eq!(counts(&summary), [1, 1, 1, 3]);
    assert_eq!((cells[0].column.as_str(), cells[0].old_row, cells[0].new_row), ("n", 2, 1));
    let mut turned = old;
    turned.reverse();
    let (same, _) = compared(rows(&old), rows(&turned), &[]).expect("compares");
    assert_eq!(counts(&same), [0, 0, 0, 5], "order is no difference");
}

#[test]
fn versions_without_rows_or_common_columns_are_compared_too() {
    let some = || vec![("a", Kind::Integer, integers([1, 2]))];
    let (summary, _) = compared(some(), vec![("a", Kind::Integer, integers([]))], &["a"]).expect("compares");
    assert_eq!(counts(&summary), [0, 2, 0, 0]);
    let (summary, _) = compared(some(), vec![("b", Kind::Text, texts(["x"]))], &[]).expect("compares");
    assert_eq!(counts(&summary), [1, 2, 0, 0]);
    let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (old, new) = (table(a.path(), some()), table(b.path(), some()));
    let same = diff(&old, &new, &Options::default(), &Progress::silent()).expect("compares");
    assert!(same.is_empty() && same.cells(0, 10).expect("none").is_empty());
    assert!(same.cells(0, 10_001).is_err());
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped =
        diff(&old, &new, &Options::default(), &Progress::new(cancel, |_| ())).expect_err("cancelled");
    assert_eq!(stopped.code, Code::Cancelled);
}

/// A row of the random tables: a key, a number that may be missing, and a text.
type Row = (i64, Option<i64>, String);

fn written(dir: &Path, rows: &[Row]) -> TableFile {
    let columns = vec![
        ("id", Kind::Integer, integers(rows.iter().map(|row| row.0))),
        ("n", Kind::Integer, Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()) as ArrayRef),
        ("t", Kind::Text, texts(rows.iter().map(|row| row.2.as_str()))),
    ];
    table(dir, columns)
}

/// What may happen to a row.
#[derive(Debug, Clone)]
enum Edit {
    Keep,
    Remove,
    Number(Option<i64>),
    Text(String),
}

fn edits() -> impl Strategy<Value = Vec<(Row, Edit)>> {
    let number = || prop::option::of(-2_i64..3);
    let row = (number(), "[ab]{0,2}").prop_map(|(n, t)| (0, n, t));
    let edit = prop::sample::select(vec![0, 0, 0, 1, 2, 3]);
    let edit = (edit, number(), "[ab]{0,2}").prop_flat_map(|(which, n, t)| {
        Just(match which {
            1 => Edit::Remove,
            2 => Edit::Number(n),
            3 => Edit::Text(t),
            _ => Edit::Keep,
        })
    });
    prop::collection::vec((row, edit), 0..150).prop_map(|mut rows| {
        rows.iter_mut().zip(0..).for_each(|((row, _), id)| row.0 = id);
        rows
    })
}

fn cell(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

proptest! {
    #[test]
    fn the_changes_found_are_exactly_those_made(edits in edits(), fresh in 0_i64..5, turn in any::<prop::sample::Index>()) {
        let old: Vec<Row> = edits.iter().map(|(row, _)| row.clone()).collect();
        let mut new = Vec::new();
        let mut expected = Vec::new();
        let mut removed = Vec::new();
        for (row, edit) in &edits {
            let mut row = row.clone();
            match edit {
                Edit::Keep => {}
                Edit::Remove => {
                    removed.push(row.0 as u32);
                    continue;
                }
                Edit::Number(n) => {
                    if *n != row.1 {
                        expected.push((row.0, "n", row.1.and_then(cell), n.and_then(cell)));
                    }
                    row.1 = *n;
                }
                Edit::Text(t) => {
                    if *t != row.2 {
                        expected.push((row.0, "t", cell(&row.2), cell(t)));
                    }
                    row.2.clone_from(t);
                }
            }
            new.push(row);
        }
        new.extend((0..fresh).map(|at| (1000 + at, Some(at), "new".to_owned())));
        if !new.is_empty() {
            let at = turn.index(new.len());
            new.rotate_left(at);
        }
        let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let options = Options { key: vec!["id".to_owned()] };
        let diff = diff(&written(a.path(), &old), &written(b.path(), &new), &options, &Progress::silent()).expect("compares");
        prop_assert_eq!(diff.removed_row_numbers(), removed);
        prop_assert_eq!(diff.summary().added_rows, fresh as u64);
        // Page by page, so that the pages are tested too.
        let mut found = Vec::new();
        for page in 0.. {
            let cells = diff.cells(page * 7, 7).expect("reads");
            if cells.is_empty() {
                break;
            }
            for c in cells {
                prop_assert_eq!(old[c.old_row as usize].0, new[c.new_row as usize].0);
                found.push((new[c.new_row as usize].0, if c.column == "n" { "n" } else { "t" }, c.old, c.new));
            }
        }
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn without_a_key_the_changes_lead_from_the_old_rows_to_the_new(edits in edits(), turn in any::<prop::sample::Index>()) {
        // The same ids for all, so that nothing is a key.
        let flat = |row: &Row| (0, row.1, row.2.clone());
        let old: Vec<Row> = edits.iter().map(|(row, _)| flat(row)).collect();
        let mut new: Vec<Row> = Vec::new();
        for (row, edit) in &edits {
            match edit {
                Edit::Keep => new.push(flat(row)),
                Edit::Remove => {}
                Edit::Number(n) => new.push((0, *n, row.2.clone())),
                Edit::Text(t) => new.push((0, row.1, t.clone())),
            }
        }
        if !new.is_empty() {
            let at = turn.index(new.len());
            new.rotate_left(at);
        }
        let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let diff = diff(&written(a.path(), &old), &written(b.path(), &new), &Options::default(), &Progress::silent()).expect("compares");
        let summary = diff.summary().clone();
        prop_assert_eq!(summary.added_rows + summary.changed_rows + summary.unchanged_rows, new.len() as u64);
        prop_assert_eq!(summary.removed_rows + summary.changed_rows + summary.unchanged_rows, old.len() as u64);
        let mut made: Vec<Row> = old.clone();
        for change in diff.cells(0, 1000).expect("reads") {
            let row = &mut made[change.old_row as usize];
            let value = change.new;
            if change.column == "n" { row.1 = value.map(|v| v.parse().expect("a number")) } else { row.2 = value.expect("a text") }
        }
        let mut rows: Vec<Row> = made.into_iter().zip(0..).filter(|(_, at)| !diff.removed_row_numbers().contains(at)).map(|(row, _)| row).collect();
        rows.extend(diff.added_row_numbers().iter().map(|row| new[*row as usize].clone()));
        rows.sort();
        new.sort();
        prop_assert_eq!(rows, new);
        // Never more than were made: equal rows are matched first.
        let edited = edits.iter().filter(|(_, edit)| !matches!(edit, Edit::Keep)).count() as u64;
        prop_assert!(old.len() as u64 - summary.unchanged_rows <= edited);
    }
}
