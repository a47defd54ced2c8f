//! What profiles count.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use base::{Cancel, Code, Progress};

use super::whole::Pass;
use super::*;
use crate::schema::{Column, TableMeta, Task, arrow_schema};
use crate::table::TableFile;

fn table(dir: &std::path::Path, columns: Vec<(&str, Kind, ArrayRef)>) -> TableFile {
    let names: Vec<Column> = columns.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(arrow_schema(&names), arrays).expect("columns fit");
    crate::table::write(dir, TableMeta::new(names), [Ok(batch)]).expect("writes")
}

fn numbers(values: &[f64]) -> ColumnProfile {
    ColumnProfile::of_numbers("x", Kind::Number, values, None)
}

#[test]
fn quantiles_and_moments_agree_with_numpy() {
    let p = numbers(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, f64::NAN]);
    // numpy 2: np.quantile([3,1,4,1,5,9,2,6,5,3,5], [.01,.05,.25,.5,.75,.95,.99]), std(ddof=1), mean
    let q = p.quantiles.expect("there are values");
    let all = [q.p01, q.p05, q.p25, q.p50, q.p75, q.p95, q.p99];
    let expected = [1.0, 1.0, 2.5, 4.0, 5.0, 7.5, 8.7];
    assert!(all.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{all:?}");
    assert_eq!((p.count, p.missing, p.distinct), (11, 1, 7));
    assert_eq!((p.min, p.max, p.mean), (Some(1.0), Some(9.0), Some(4.0)));
    assert!((p.std.expect("two values") - 2.3664319132398464).abs() < 1e-12);
}

#[test]
fn a_histogram_counts_every_value_and_outliers_do_not_squash_it() {
    let mut values: Vec<f64> = (0..1000).map(f64::from).collect();
    values.push(1e9);
    values.push(-1e9);
    let histogram = numbers(&values).histogram.expect("there are values");
    assert_eq!(histogram.counts.len(), 20);
    assert_eq!(histogram.counts.iter().sum::<u64>(), 1002);
    assert!(histogram.counts.iter().all(|count| (45..=65).contains(count)), "{:?}", histogram.counts);
    assert!(histogram.below >= 1 && histogram.above >= 1 && histogram.edges[20] < 1000.0);
}

#[test]
fn small_integers_have_a_bin_and_a_count_each() {
    let p = ColumnProfile::of_numbers("n", Kind::Integer, &[3.0, 5.0, 3.0, 4.0, f64::NAN], None);
    let histogram = p.histogram.expect("there are values");
    assert_eq!((histogram.edges, histogram.counts), (vec![2.5, 3.5, 4.5, 5.5], vec![2, 1, 1]));
    assert_eq!(p.top[0], ValueCount { value: "3".to_owned(), count: 2 });
}

#[test]
fn odd_columns_have_profiles_too() {
    let empty = numbers(&[]);
    assert_eq!((empty.count, empty.histogram, empty.quantiles), (0, None, None));
    let constant = numbers(&[5e20, 5e20]).histogram.expect("there are values");
    assert_eq!(constant.counts, [2]);
    let infinite = numbers(&[1.0, f64::INFINITY, f64::NEG_INFINITY, 2.0]);
    assert_eq!((infinite.count, infinite.infinite, infinite.max), (4, 2, Some(2.0)));
    let huge = numbers(&[f64::MAX, -f64::MAX, 0.0]);
    let written = serde_json::to_string(&huge).expect("plain data");
    assert_eq!(serde_json::from_str::<ColumnProfile>(&written).expect("reads back").count, 3);
    let zeros = numbers(&[0.0, -0.0]);
    assert_eq!(zeros.distinct, 1);
}

#[test]
fn a_table_is_profiled_column_by_column() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let flags = BooleanArray::from(vec![Some(true), None, Some(true), Some(false)]);
    let texts = StringArray::from(vec![Some("b"), Some("a"), Some("b"), None]);
    let wide = Int64Array::from(vec![i64::MAX, i64::MAX - 1, 0, 1]);
    let table = table(
        dir.path(),
        vec![
            ("flag", Kind::Boolean, Arc::new(flags)),
            ("text", Kind::Text, Arc::new(texts)),
            ("wide", Kind::Integer, Arc::new(wide)),
        ],
    );
    let p = profile(&table, &Progress::silent()).expect("profiles");
    assert!(p.exact && p.rows == 4);
    let flag = p.column("flag").expect("there");
    assert_eq!((flag.missing, flag.true_share.map(|s| (s * 3.0).round())), (1, Some(2.0)));
    let text = p.column("text").expect("there");
    assert_eq!((text.distinct, text.missing, text.top[0].value.as_str()), (2, 1, "b"));
    assert_eq!(p.column("wide").expect("there").distinct, 4, "neighbours beyond 2^53 stay apart");

    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = profile(&table, &Progress::new(cancel, |_| ())).expect_err("cancelled");
    assert_eq!(stopped.code, Code::Cancelled);
}

#[test]
fn beyond_its_limits_a_profile_is_an_estimate_and_says_so() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let rows = 40_000;
    let texts = StringArray::from_iter_values((0..rows).map(|row| format!("text {row}")));
    let values = Float64Array::from_iter_values((0..rows).map(f64::from));
    let table = table(
        dir.path(),
        vec![("text", Kind::Text, Arc::new(texts)), ("value", Kind::Number, Arc::new(values))],
    );
    let limits = Limits { numbers: 5000, texts: 1000, text_bytes: 1 << 20 };
    let p = Pass { table: &table, baseline: None, limits, is_whole: true, progress: &Progress::silent() };
    let p = p.run(&|_, _| ()).expect("profiles");
    assert!(!p.exact);
    for column in &p.columns {
        assert!(!column.distinct_is_exact);
        let off = (column.distinct as f64 / f64::from(rows) - 1.0).abs();
        assert!(off < 0.03, "{} is off by {off}", column.name);
        assert!(column.top.len() as u64 + column.other > 0 || column.histogram.is_some());
    }
    let value = p.column("value").expect("there");
    assert_eq!((value.min, value.max), (Some(0.0), Some(39_999.0)));
    assert_eq!(value.histogram.as_ref().expect("values").counts.iter().sum::<u64>(), 40_000);
    assert!((value.quantiles.expect("values").p50 - 20_000.0).abs() < 100.0);
}

#[test]
fn a_profile_like_another_has_its_bins_and_values() {
    let baseline = ColumnProfile::of_texts("x", ["a", "a", "b"].map(Some), None);
    let current = ColumnProfile::of_texts("x", ["c", "c", "c", "b"].map(Some), Some(&baseline));
    assert_eq!(current.top[0].value, "b");
    let before = numbers(&(0..100).map(f64::from).collect::<Vec<_>>());
    let now = ColumnProfile::of_numbers("x", Kind::Number, &[500.0, 50.0], Some(&before));
    let histogram = now.histogram.expect("values");
    assert_eq!(histogram.edges, before.histogram.expect("values").edges);
    assert_eq!((histogram.above, histogram.counts.iter().sum::<u64>()), (1, 2));
}

fn texts(name: &str, values: &[&str], times: usize) -> ColumnProfile {
    let all: Vec<_> = std::iter::repeat_n(values, times).flatten().map(|v| Some(*v)).collect();
    ColumnProfile::of_texts(name, all, None)
}

fn numbered(name: &str, kind: Kind, rows: u32) -> ColumnProfile {
    ColumnProfile::of_numbers(name, kind, &(0..rows).map(f64::from).collect::<Vec<_>>(), None)
}

fn suggestion(columns: Vec<ColumnProfile>) -> Option<(String, Task)> {
    suggest_target(&Profile { columns, exact: true, ..Profile::default() }).map(|s| (s.column, s.task))
}

#[test]
fn the_suggested_target_is_what_a_person_would_take() {
    let year =
        || ColumnProfile::of_numbers("year", Kind::Integer, &[2007.0, 2008.0, 2009.0].repeat(30), None);
    let species = || texts("species", &["Adelie", "Gentoo", "Chinstrap"], 30);
    let sex = || texts("sex", &["male", "female"], 30);
    let penguins = vec![species(), texts("island", &["Dream", "Biscoe"], 30), sex(), year()];
    assert_eq!(suggestion(penguins), Some(("species".to_owned(), Task::Multiclass)));
    let amount = vec![numbered("id", Kind::Integer, 90), sex(), numbered("amount", Kind::Number, 90)];
    assert_eq!(suggestion(amount), Some(("amount".to_owned(), Task::Regression)));
    let churn = vec![texts("Churn", &["Yes", "No"], 30), numbered("x", Kind::Number, 90)];
    assert_eq!(suggestion(churn), Some(("Churn".to_owned(), Task::Binary)));
    assert_eq!(suggestion(vec![sex(), numbered("customer", Kind::Integer, 90)]), None);
    assert_eq!(suggestion(vec![texts("only", &["one"], 30)]), None);
}

#[test]
fn what_is_odd_is_said() {
    let mut uneven = vec![Some("no"); 95];
    uneven.extend([Some("yes"); 5]);
    let sparse: Vec<f64> = (0..100).map(|at| if at < 30 { f64::from(at) } else { f64::NAN }).collect();
    let p = Profile {
        rows: 100,
        columns: vec![
            texts("constant", &["a"], 100),
            numbered("id", Kind::Integer, 100),
            ColumnProfile::of_numbers("sparse", Kind::Number, &sparse, None),
            ColumnProfile::of_texts("y", uneven, None),
        ],
        exact: true,
        ..Profile::default()
    };
    let said: Vec<String> = p.warnings(Some("y")).into_iter().map(|w| w.message).collect();
    assert_eq!(
        said,
        [
            "`constant` has one value only, which predicts nothing",
            "every value of `id` is different: it names rows and predicts nothing",
            "70% of `sparse` is missing",
            "95.0% of the target `y` is `no`: look at AUC or F1, not at accuracy",
        ]
    );
}
