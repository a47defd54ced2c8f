//! What transforms give, in which order, and what they refuse.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use base::{Code, Error, Progress};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::page::append_rows;

/// A table in a few characters: columns such as `a:integer`, cells apart by spaces, `-` missing.
fn batch(columns: &str, rows: &[&str]) -> RecordBatch {
    let columns: Vec<Column> = columns
        .split(' ')
        .map(|column| {
            let (name, kind) = column.split_once(':').expect("name:kind");
            let kind = Kind::ALL.into_iter().find(|known| known.word() == kind).expect("a kind");
            Column::new(name, kind)
        })
        .collect();
    let cells: Vec<Vec<Option<&str>>> =
        rows.iter().map(|row| row.split(' ').map(|cell| (cell != "-").then_some(cell)).collect()).collect();
    let column = |(at, column): (usize, &Column)| -> ArrayRef {
        let cells = cells.iter().map(|row| row[at]);
        match column.kind {
            Kind::Integer => {
                Arc::new(cells.map(|c| c.map(|c| c.parse().expect("whole"))).collect::<Int64Array>())
            }
            Kind::Number => {
                Arc::new(cells.map(|c| c.map(|c| c.parse().expect("number"))).collect::<Float64Array>())
            }
            Kind::Boolean => Arc::new(cells.map(|c| c.map(|c| c == "true")).collect::<BooleanArray>()),
            Kind::Text => Arc::new(cells.collect::<StringArray>()),
            Kind::Time => Arc::new(
                cells
                    .map(|c| c.map(|c| crate::import::iso_moment(c).expect("a moment")))
                    .collect::<TimestampMillisecondArray>(),
            ),
        }
    };
    table(&columns, columns.iter().enumerate().map(column).collect(), rows.len()).expect("cells fit")
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let mut rows = Vec::new();
    append_rows(batch, &mut rows).expect("cells are written");
    let cell = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
    rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
}

fn names(batch: &RecordBatch) -> String {
    let columns = columns_of(batch);
    columns.iter().map(|c| format!("{}:{}", c.name, c.kind.word())).collect::<Vec<_>>().join(" ")
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn silent() -> Progress {
    Progress::silent()
}

fn key(column: &str, descending: bool) -> SortKey {
    SortKey { column: column.into(), descending }
}

#[test]
fn a_sort_is_stable_and_puts_missing_values_where_it_is_told() {
    let t = batch("a:number b:text", &["2 x", "- y", "1 z", "2 w", "-0 v", "0 u"]);
    let up = sort(&t, &[key("a", false)], false, &silent()).expect("sorts");
    assert_eq!(rows(&up), ["0 v", "0 u", "1 z", "2 x", "2 w", "- y"]);
    let down = sort(&t, &[key("a", true)], false, &silent()).expect("sorts");
    assert_eq!(rows(&down), ["2 x", "2 w", "1 z", "0 v", "0 u", "- y"]);
    let first = sort(&t, &[key("a", true), key("b", false)], true, &silent()).expect("sorts");
    assert_eq!(rows(&first)[..3], ["- y", "2 w", "2 x"]);
    assert!(sort(&t, &[key("c", true)], true, &silent()).is_err());
    assert_eq!(sort(&t.slice(0, 0), &[key("a", true)], true, &silent()).expect("sorts").num_rows(), 0);
}

#[test]
fn a_long_sort_is_the_same_as_a_short_one_and_can_be_stopped() {
    let values = (0..200_000_i64).map(|row| Some(row.wrapping_mul(7_919) % 1_000));
    let t = table(
        &[Column::new("a", Kind::Integer), Column::new("row", Kind::Integer)],
        vec![Arc::new(values.collect::<Int64Array>()), Arc::new(Int64Array::from_iter_values(0..200_000))],
        200_000,
    )
    .expect("columns fit");
    let sorted = sort(&t, &[key("a", false)], false, &silent()).expect("sorts");
    let ints =
        |at: usize| sorted.column(at).as_any().downcast_ref::<Int64Array>().expect("whole").values().to_vec();
    let pairs: Vec<(i64, i64)> = ints(0).into_iter().zip(ints(1)).collect();
    assert!(pairs.is_sorted(), "by value, then by row");
    let progress = silent();
    progress.cancel().cancel();
    let error = sort(&t, &[key("a", false)], false, &progress).expect_err("cancelled");
    assert_eq!(error.code, Code::Cancelled);
}

#[test]
fn one_of_equal_rows_stays_in_its_place() {
    let t = batch("a:integer b:text", &["1 x", "- y", "1 z", "- w", "2 x"]);
    let kept =
        |columns: &[&str], keep| rows(&deduplicate(&t, &strings(columns), keep, &silent()).expect("runs"));
    assert_eq!(kept(&["a"], Keep::First), ["1 x", "- y", "2 x"]);
    assert_eq!(kept(&["a"], Keep::Last), ["1 z", "- w", "2 x"]);
    assert_eq!(kept(&["a", "b"], Keep::First).len(), 5);
}

#[test]
fn a_sample_has_its_size_keeps_the_order_and_depends_on_the_seed() {
    let lines: Vec<String> =
        (0..100).map(|row| format!("{row} {}", ["a", "b"][usize::from(row % 10 == 0)])).collect();
    let t = batch("n:integer g:text", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let take = |size, strata: &[&str], seed| {
        rows(&sample(&t, size, &strings(strata), seed, &silent()).expect("runs"))
    };
    let some = take(Sample::Rows(10), &[], 1);
    assert_eq!(some.len(), 10);
    let numbers: Vec<i64> =
        some.iter().map(|row| row.split(' ').next().expect("n").parse().expect("n")).collect();
    assert!(numbers.is_sorted());
    assert_eq!(some, take(Sample::Share(0.1), &[], 1));
    assert_ne!(some, take(Sample::Rows(10), &[], 2));
    assert_eq!(take(Sample::Rows(1000), &[], 1).len(), 100);
    let fair = take(Sample::Share(0.3), &["g"], 1);
    assert_eq!(fair.iter().filter(|row| row.ends_with('b')).count(), 3);
    assert!(sample(&t, Sample::Share(1.5), &[], 1, &silent()).is_err());
    assert_eq!(
        sample(&t.slice(0, 0), Sample::Share(0.5), &strings(&["g"]), 1, &silent()).expect("runs").num_rows(),
        0
    );
}

fn join(kind: JoinKind, on: (&[&str], &[&str])) -> Join {
    Join { kind, left_on: strings(on.0), right_on: strings(on.1), suffix: "_right".into() }
}

#[test]
fn every_join_keeps_the_rows_and_the_order_it_promises() {
    let left = batch("k:integer v:text", &["1 a", "2 b", "- c", "2 d", "9 e"]);
    let right = batch("key:number v:text w:integer", &["2 x 7", "1 y 8", "2 z 9", "- n 0", "5 m 1"]);
    let on: (&[&str], &[&str]) = (&["k"], &["key"]);
    let run = |kind| join(kind, on).run(&left, &right, &silent()).expect("joins");
    let inner = run(JoinKind::Inner);
    assert_eq!(names(&inner), "k:number v:text v_right:text w:integer");
    assert_eq!(rows(&inner), ["1 a y 8", "2 b x 7", "2 b z 9", "2 d x 7", "2 d z 9"]);
    let lonely = ["1 a y 8", "2 b x 7", "2 b z 9", "- c - -", "2 d x 7", "2 d z 9", "9 e - -"];
    assert_eq!(rows(&run(JoinKind::Left)), lonely);
    let right_order = ["2 b x 7", "2 d x 7", "1 a y 8", "2 b z 9", "2 d z 9", "- - n 0", "5 - m 1"];
    assert_eq!(rows(&run(JoinKind::Right)), right_order, "the key comes from the right");
    let mut full: Vec<&str> = lonely.to_vec();
    full.extend(["- - n 0", "5 - m 1"]);
    assert_eq!(rows(&run(JoinKind::Full)), full);
    assert_eq!(rows(&run(JoinKind::Semi)), ["1 a", "2 b", "2 d"]);
    assert_eq!(rows(&run(JoinKind::Anti)), ["- c", "9 e"]);
    let empty =
        join(JoinKind::Full, on).run(&left.slice(0, 0), &right.slice(0, 1), &silent()).expect("joins");
    assert_eq!(rows(&empty), ["2 - x 7"]);
}

#[test]
fn keys_that_cannot_be_equal_and_names_that_clash_are_refused() {
    let left = columns_of(&batch("k:integer v:text v_right:text", &[]));
    let right = columns_of(&batch("k:text v:text", &[]));
    let error = join(JoinKind::Left, (&["k"], &["k"])).columns(&left, &right).expect_err("other kinds");
    assert_eq!(error.message, "`k` is integer and `k` is text, so they are never equal");
    let error = join(JoinKind::Left, (&["v"], &["k"])).columns(&left, &right).expect_err("a clash");
    assert_eq!(error.message, "two columns would be called `v_right`");
    for on in [(&["k"][..], &["x"][..]), (&["k", "v"], &["v"]), (&[], &[])] {
        let error = join(JoinKind::Left, on).columns(&left, &right).expect_err("a bad key");
        assert_eq!((error.code, error.hint.is_some()), (Code::InvalidInput, true));
    }
}

fn measures(texts: &[&str]) -> Vec<Measure> {
    texts.iter().map(|text| text.parse().expect("a measure")).collect()
}

#[test]
fn groups_come_in_the_order_of_their_keys_and_leave_missing_values_out() {
    let t = batch(
        "g:text x:number n:integer d:time",
        &[
            "b 1 1 2026-01-02",
            "a 4 2 2026-01-01",
            "- 7 - -",
            "b - 5 2025-05-05",
            "b 2 5 -",
            "a 4 9 2026-01-03",
        ],
    );
    let all = measures(&[
        "count()",
        "count(x)",
        "distinct(n)",
        "sum(n)",
        "sum(x)",
        "mean(x)",
        "median(n)",
        "std(n)",
        "min(d)",
        "max(d) as newest",
        "first(x)",
        "last(n)",
    ]);
    let made = group(&t, &strings(&["g"]), &all, &silent()).expect("groups");
    assert_eq!(
        names(&made),
        "g:text count:integer count_x:integer distinct_n:integer sum_n:integer sum_x:number mean_x:number \
         median_n:number std_n:number min_d:time newest:time first_x:number last_n:integer"
    );
    assert_eq!(
        rows(&made),
        [
            "a 2 2 2 11 8 4 5.5 4.949747468305833 2026-01-01 2026-01-03 4 9",
            "b 3 2 2 11 3 1.5 5 2.3094010767585034 2025-05-05 2026-01-02 1 5",
            "- 1 1 0 - 7 7 - - - - 7 -",
        ]
    );
    let one = group(&t.slice(0, 0), &[], &measures(&["count()", "sum(x)"]), &silent()).expect("groups");
    assert_eq!(rows(&one), ["0 -"], "no rows are one group of none");
    let none = group(&t.slice(0, 0), &strings(&["g"]), &measures(&["count()"]), &silent()).expect("groups");
    assert_eq!(none.num_rows(), 0);
}

#[test]
fn sums_are_ordered_and_do_not_wrap_around() {
    let t = batch("g:integer x:number", &["1 1e16", "2 1", "1 1", "1 -1e16"]);
    let made = group(&t, &strings(&["g"]), &measures(&["sum(x)"]), &silent()).expect("groups");
    assert_eq!(rows(&made)[0], "1 0", "1e16 + 1 - 1e16 in the order of the rows");
    let t = batch("n:integer", &["9223372036854775807", "1"]);
    let error = group(&t, &[], &measures(&["sum(n)"]), &silent()).expect_err("too large");
    assert!(error.message.contains("`sum_n` does not fit"), "{error}");
}

#[test]
fn a_wrong_measure_says_what_there_is() {
    let hint = |text: &str| text.parse::<Measure>().expect_err(text).hint.expect("a way out");
    assert_eq!(hint("maen(x)"), "did you mean `mean`?");
    assert!(hint("mean").starts_with("write it such as"));
    assert!(hint("mean()").starts_with("write it such as"));
    let columns = columns_of(&batch("a:text", &[]));
    let error = group_columns(&columns, &[], &measures(&["mean(a)"])).expect_err("text");
    assert_eq!(error.message, "`mean` does not take `a`, which is text");
    let error = group_columns(&columns, &strings(&["a"]), &measures(&["max(a) as a"])).expect_err("twice");
    assert_eq!(error.message, "two columns would be called `a`");
    let odd = batch("price,_net_(eur):number", &["3"]);
    let made =
        group(&odd, &[], &measures(&["sum(price,_net_(eur)) as total"]), &silent()).expect("an odd name");
    assert_eq!(rows(&made), ["3"]);
}

#[test]
fn a_union_finds_columns_by_name_and_widens_whole_numbers() {
    let a = batch("x:integer y:text", &["1 a"]);
    let b = batch("z:boolean x:number", &["true 2.5", "- -"]);
    let both = union(&[a.clone(), b, a.slice(0, 0)], &silent()).expect("goes together");
    assert_eq!(names(&both), "x:number y:text z:boolean");
    assert_eq!(rows(&both), ["1 a -", "2.5 - true", "- - -"]);
    let error = union(&[a, batch("x:text", &["q"])], &silent()).expect_err("other kinds");
    assert_eq!(error.message, "`x` is integer in one table and text in another");
}

#[test]
fn unpivot_and_pivot_undo_each_other() {
    let wide = batch("id:integer a:integer b:number", &["1 10 1.5", "2 20 -"]);
    let unpivot = Unpivot {
        columns: strings(&["a", "b"]),
        names: "name".into(),
        values: "value".into(),
        drops_missing: false,
    };
    let long = unpivot.run(&wide, &silent()).expect("unpivots");
    assert_eq!(names(&long), "id:integer name:text value:number");
    assert_eq!(rows(&long), ["1 a 10", "1 b 1.5", "2 a 20", "2 b -"]);
    let dropping = Unpivot { drops_missing: true, ..unpivot.clone() };
    assert_eq!(dropping.run(&wide, &silent()).expect("unpivots").num_rows(), 3);
    let pivot = Pivot {
        index: strings(&["id"]),
        names: "name".into(),
        measure: "first(value)".parse().expect("a measure"),
        only: Vec::new(),
    };
    let back = pivot.run(&long, &silent()).expect("pivots");
    assert_eq!(rows(&back), rows(&wide));
    let only = Pivot { only: strings(&["b", "c"]), ..pivot.clone() };
    assert_eq!(rows(&only.run(&long, &silent()).expect("pivots")), ["1 1.5 -", "2 - -"]);
    assert_eq!(pivot.columns(&columns_of(&long)).expect("fits"), None, "the names are in the rows");
    let clash = Pivot { only: strings(&["id"]), ..pivot };
    assert!(clash.columns(&columns_of(&long)).is_err());
    let mixed = Unpivot { columns: strings(&["id", "name"]), ..unpivot };
    assert!(
        mixed.columns(&columns_of(&long)).expect_err("kinds").message.contains("unlike the columns before")
    );
}

#[test]
fn a_pivot_refuses_to_make_too_many_columns() {
    let lines: Vec<String> = (0..=MAX_COLUMNS).map(|row| format!("1 n{row}")).collect();
    let t = batch("id:integer name:text", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let measure: Measure = "count()".parse().expect("a measure");
    let pivot = |rows| {
        let spec = Pivot {
            index: strings(&["id"]),
            names: "name".into(),
            measure: measure.clone(),
            only: Vec::new(),
        };
        spec.run(&t.slice(0, rows), &silent())
    };
    assert_eq!(pivot(MAX_COLUMNS).expect("just fits").num_columns(), MAX_COLUMNS + 1);
    let error = pivot(MAX_COLUMNS + 1).expect_err("one too many");
    assert!(error.message.contains("has 1,001 different values"), "{error}");
}

#[test]
fn windows_look_at_their_group_in_their_order_and_keep_the_rows() {
    let t = batch("g:text t:integer x:number", &["a 2 20", "b 1 5", "a 1 10", "a 3 -", "a 3 40", "b 2 7"]);
    let made = [
        "lag(x, 1)",
        "lead(x, 1) as next",
        "row_number()",
        "rank()",
        "cumulative_sum(x)",
        "rolling_mean(x, 2) as mean",
        "cumulative_sum(t) as steps",
    ];
    let window = Window {
        partition: strings(&["g"]),
        order: vec![key("t", false)],
        made: made.iter().map(|text| text.parse().expect("a column")).collect(),
    };
    let out = window.run(&t, &silent()).expect("runs");
    assert_eq!(
        names(&out),
        "g:text t:integer x:number x_lag_1:number next:number row_number:integer rank:integer \
         x_cumulative_sum:number mean:number steps:integer"
    );
    assert_eq!(
        rows(&out),
        [
            "a 2 20 10 - 2 2 30 15 3",
            "b 1 5 - 7 1 1 5 5 1",
            "a 1 10 - 20 1 1 10 10 1",
            "a 3 - 20 40 3 3 - 20 6",
            "a 3 40 - - 4 3 70 40 9",
            "b 2 7 5 - 2 2 12 6 3",
        ]
    );
    assert_eq!(window.run(&t.slice(0, 0), &silent()).expect("runs").num_rows(), 0);
    for wrong in ["lag(x)", "lag(x, 0)", "rolling_mean(x, 99999)", "rank(x)", "cumulative_sum()", "leg(x, 1)"]
    {
        let error = wrong.parse::<WindowColumn>().expect_err(wrong);
        assert!(error.hint.is_some(), "{wrong}");
    }
    let text = Window { made: vec!["cumulative_sum(g)".parse().expect("reads")], ..window };
    assert!(text.columns(&columns_of(&t)).is_err());
}

fn casted(t: &RecordBatch, to: Kind, forgives: bool) -> Result<Vec<String>, Error> {
    let columns = vec![columns_of(t)[0].name.clone()];
    cast(t, &Cast { columns, to, forgives }, &silent()).map(|(batch, _)| rows(&batch))
}

#[test]
fn a_cast_neither_rounds_nor_guesses() {
    let text = batch("a:text", &["12", "1e3", "yes", "2026-03-04", "2.5", "-"]);
    assert_eq!(casted(&text, Kind::Integer, true).expect("forgives"), ["12", "1000", "-", "-", "-", "-"]);
    assert_eq!(casted(&text, Kind::Number, true).expect("forgives"), ["12", "1000", "-", "-", "2.5", "-"]);
    assert_eq!(casted(&text, Kind::Boolean, true).expect("forgives"), ["-", "-", "true", "-", "-", "-"]);
    assert_eq!(casted(&text, Kind::Time, true).expect("forgives"), ["-", "-", "-", "2026-03-04", "-", "-"]);
    let error = casted(&text, Kind::Integer, false).expect_err("yes is no number");
    assert_eq!(error.message, "column `a`, row 2: `yes` is no integer");
    let numbers = batch("a:number", &["1", "0", "2.5", "1e300", "-"]);
    assert_eq!(casted(&numbers, Kind::Integer, true).expect("forgives"), ["1", "0", "-", "-", "-"]);
    assert_eq!(casted(&numbers, Kind::Text, false).expect("fits"), ["1", "0", "2.5", "1e300", "-"]);
    let times = batch("a:time", &["1970-01-02", "-"]);
    assert_eq!(casted(&times, Kind::Integer, false).expect("fits"), ["86400000", "-"]);
    assert!(casted(&times, Kind::Boolean, true).is_err());
    let spaces = StringArray::from(vec![Some(" "), Some(" 7 ")]);
    let spaces = table(&[Column::new("a", Kind::Text)], vec![Arc::new(spaces)], 2).expect("fits");
    assert_eq!(casted(&spaces, Kind::Integer, false).expect("a blank is missing"), ["-", "7"]);
}

#[test]
fn parts_are_apart_in_time() {
    let t = batch("d:time", &["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-02", "2026-01-05"]);
    let ms = |text: &str| crate::import::iso_moment(text).expect("a moment");
    assert_eq!(by_time(&t, "d", ms("2026-01-02"), ms("2026-01-04")).expect("divides"), [1, 0, 1, 1, 2]);
    assert!(by_time(&t, "d", ms("2026-01-02"), ms("2026-01-01")).is_err());
    let shares = by_time_shares(&t, "d", [0.4, 0.4, 0.2]).expect("divides");
    assert_eq!(shares, [1, 0, 1, 1, 2], "rows of one moment stay together");
    assert_eq!(by_time_shares(&t.slice(0, 0), "d", [0.5, 0.0, 0.5]).expect("divides"), Vec::<i8>::new());
    let gaps = batch("d:time n:integer", &["- 1", "2026-01-01 2"]);
    assert!(by_time_shares(&gaps, "d", [0.5, 0.0, 0.5]).expect_err("a gap").message.contains("1 rows"));
    assert!(by_time_shares(&gaps, "n", [0.5, 0.0, 0.5]).is_err());
}

proptest! {
    #[test]
    fn a_group_is_in_one_part_and_shares_hold_within_the_largest_group(
        groups in proptest::collection::vec(0_i64..20, 1..200), seed in any::<u64>()
    ) {
        let values: ArrayRef = Arc::new(Int64Array::from(groups.clone()));
        let t = table(&[Column::new("g", Kind::Integer)], vec![values], groups.len()).expect("fits");
        let shares = [0.6, 0.2, 0.2];
        let parts = by_group(&t, &strings(&["g"]), shares, seed, &silent()).expect("divides");
        let mut largest = 0;
        for group in 0..20 {
            let own: Vec<i8> = parts.iter().zip(&groups).filter(|(_, g)| **g == group).map(|(p, _)| *p).collect();
            largest = largest.max(own.len());
            prop_assert!(own.windows(2).all(|pair| pair[0] == pair[1]));
        }
        for (part, share) in shares.iter().enumerate() {
            let size = parts.iter().filter(|p| **p == part as i8).count() as f64;
            prop_assert!((size - share * groups.len() as f64).abs() <= largest as f64 + 1e-6);
        }
    }

    #[test]
    fn joins_agree_with_a_loop_over_all_pairs(
        left in proptest::collection::vec(proptest::option::of(0_i64..5), 0..12),
        right in proptest::collection::vec(proptest::option::of(0_i64..5), 0..12)
    ) {
        let side = |values: &[Option<i64>], name: &str| {
            let numbered = Int64Array::from_iter_values(0..values.len() as i64);
            let columns = [Column::new("k", Kind::Integer), Column::new(name, Kind::Integer)];
            table(&columns, vec![Arc::new(Int64Array::from(values.to_vec())), Arc::new(numbered)], values.len()).expect("fits")
        };
        let made = join(JoinKind::Inner, (&["k"], &["k"])).run(&side(&left, "l"), &side(&right, "r"), &silent()).expect("joins");
        let mut expected = Vec::new();
        for (l, a) in left.iter().enumerate() {
            for (r, b) in right.iter().enumerate() {
                if let (Some(a), Some(b)) = (a, b) && a == b {
                    expected.push(format!("{a} {l} {r}"));
                }
            }
        }
        prop_assert_eq!(rows(&made), expected);
    }
}

/// Writes a table and runs a query over it.
fn sql(tables: &[(&str, &RecordBatch)], query: &str) -> Result<RecordBatch, Error> {
    let root = tempfile::tempdir().expect("a folder");
    for (name, batch) in tables {
        let meta = crate::schema::TableMeta::new(columns_of(batch));
        crate::table::write(&root.path().join(name), meta, [Ok((*batch).clone())]).expect("writes");
    }
    let folders: Vec<_> = tables.iter().map(|(name, _)| (*name, root.path().join(name))).collect();
    let named: Vec<SqlTable<'_>> = folders.iter().map(|(name, folder)| SqlTable { name, folder }).collect();
    let out = root.path().join("out");
    let planned: Vec<(&str, Vec<Column>)> =
        tables.iter().map(|(name, batch)| (*name, columns_of(batch))).collect();
    let planned: Vec<(&str, &[Column])> =
        planned.iter().map(|(name, columns)| (*name, columns.as_slice())).collect();
    let announced = sql_columns(&planned, query)?;
    let file = run_sql(&named, query, 64 << 20, crate::schema::TableMeta::new, (&out, &silent()))?;
    assert_eq!(file.meta().columns, announced, "{query}");
    let batches = file.read(None)?;
    Ok(arrow::compute::concat_batches(file.schema(), &batches).expect("one table"))
}

#[test]
fn a_query_makes_a_table_with_an_order() {
    let t = batch("Id:integer x:number g:text", &["3 1.5 b", "1 - a", "2 0 b", "1 4 b"]);
    let u = batch("g:text name:text", &["b Bee", "a Ay"]);
    let tables: [(&str, &RecordBatch); 2] = [("t", &t), ("t1", &u)];
    let run = |query: &str| rows(&sql(&tables, query).unwrap_or_else(|e| panic!("{query}: {e}")));
    assert_eq!(run("select Id, x from t where x is not null"), ["3 1.5", "2 0", "1 4"], "the table's order");
    assert_eq!(run("select g, count(*) as n, sum(x) as s from t group by g"), ["a 1 -", "b 3 5.5"]);
    assert_eq!(
        run("select Id, g from t order by g desc"),
        ["1 b", "2 b", "3 b", "1 a"],
        "ties by all columns"
    );
    assert_eq!(run("select t.Id, t1.name from t join t1 on t.g = t1.g"), ["1 Ay", "1 Bee", "2 Bee", "3 Bee"]);
    assert_eq!(
        run("select Id from t order by x desc limit 1"),
        ["1"],
        "missing values come first when descending"
    );
    assert_eq!(
        run("select 5 / 2 as whole, 5.0 / 2 as exact, 0.0 / 0.0 as missing from t limit 1"),
        ["2 2.5 -"]
    );
    assert_eq!(
        run("select Id, row_number() over (partition by g order by Id, x) as n from t where Id > 5"),
        [""; 0]
    );
    assert_eq!(
        run("select cast(Id as int) as a, cast('2026-01-02' as date) as d, true as b from t limit 1"),
        ["3 2026-01-02 true"]
    );
    assert_eq!(run("select Id from t union all select 9 as Id"), ["1", "1", "2", "3", "9"]);
}

#[test]
fn a_query_that_would_differ_between_runs_or_makes_no_table_is_refused() {
    let t = batch("a:integer x:number", &["1 2"]);
    for (query, message) in [
        (
            "select g, count(*) c from (select a as g from t) group by g limit 1",
            "a LIMIT without an order takes any rows",
        ),
        ("select now() as n from t", "`now` gives another value in each run"),
        ("select random() as n from t", "`random` gives another value in each run"),
        (
            "select sum(x) as s from (select x from t union all select x from t)",
            "sums over a UNION could differ in their last digits from run to run",
        ),
        ("select a, a as A, a as a from t", "cannot run the query"),
        ("select a as __a from t", "`__a` cannot be the name of a column"),
        ("select nothing from t", "cannot run the query"),
        ("explain select a from t", "a step cannot run `EXPLAIN`"),
        ("drop table t", "a query cannot run `DROP`: it only reads"),
        ("select make_array(a) as l from t", "cannot run the query"),
        ("select * from '/etc/passwd'", "cannot run the query"),
    ] {
        let error = sql(&[("t", &t)], query).expect_err(query);
        assert_eq!((error.message.as_str(), error.hint.is_some()), (message, true), "{query}: {error}");
    }
    let large = batch("a:integer", &["9223372036854775807"]);
    let error =
        sql(&[("t", &large)], "select cast(a as bigint unsigned) + cast(a as bigint unsigned) as b from t");
    assert!(error.expect_err("beyond 64 bits").message.contains("does not fit"));
}

/// Figures of scikit-learn 1.7's `TfidfVectorizer` over the same four texts.
#[test]
fn words_weigh_what_scikit_learn_says() {
    let texts = ["Red red BLUE, a b", "blue green-blue x_1", "", "Grün red!"];
    let columns = [Column::new("id", Kind::Integer), Column::new("text", Kind::Text)];
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..5)),
        Arc::new(texts.into_iter().map(Some).chain([None]).collect::<StringArray>()),
    ];
    let five = table(&columns, arrays, 5).expect("fits");
    let spec = TextFeatures { column: "text".into(), max_words: 10, min_texts: 1 };
    let made = spec.run(&five.slice(0, 4), &silent()).expect("runs");
    assert_eq!(
        names(&made),
        "id:integer text:blue:number text:green:number text:grün:number text:red:number text:x_1:number"
    );
    let expected = [
        [0.447_213_595_499_957_9, 0.0, 0.0, 0.894_427_190_999_915_9, 0.0],
        [0.744_449_703_518_032_4, 0.472_120_026_546_170_47, 0.0, 0.0, 0.472_120_026_546_170_47],
        [0.0; 5],
        [0.0, 0.0, 0.785_288_275_710_396_7, 0.619_130_296_489_997_2, 0.0],
    ];
    for (row, expected) in expected.iter().enumerate() {
        for (at, expected) in expected.iter().enumerate() {
            let cells = made.column(at + 1).as_any().downcast_ref::<Float64Array>().expect("numbers");
            assert!(
                (cells.value(row) - expected).abs() < 1e-15,
                "row {row}, word {at}: {}",
                cells.value(row)
            );
        }
    }
    let few = TextFeatures { max_words: 1, ..spec.clone() };
    assert_eq!(
        names(&few.run(&five, &silent()).expect("runs")),
        "id:integer text:blue:number",
        "the first of equals"
    );
    let rare = TextFeatures { min_texts: 3, ..spec.clone() };
    assert_eq!(rare.run(&five, &silent()).expect_err("none is").message, "no word of `text` is in 3 texts");
    assert_eq!(names(&spec.run(&five.slice(0, 0), &silent()).expect("runs")), "id:integer");
    assert!(TextFeatures { column: "id".into(), ..spec }.check(&columns).is_err());
}
