//! What a model of prepared columns asks for is what came in: the raw columns, times as well; and
//! the package says of them what the training said.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMillisecondArray};
use base::Cancel;
use data::{Column, Kind, TableMeta, Task, arrow_schema};
use flow::child::{Request, run};
use flow::kind::Input;
use flow::kinds;
use score::{Package, Values};
use serde_json::{Value, json};

const ROWS: i64 = 400;

/// Sales that depend on the weekday, the hour and a price with outliers.
fn write(folder: &Path) {
    let columns = vec![
        Column::new("at", Kind::Time),
        Column::new("price", Kind::Number),
        Column::new("size", Kind::Integer),
        Column::new("sold", Kind::Number),
    ];
    let moment = |row: i64| row * 5 * 3_600_000;
    let price = |row: i64| if row % 50 == 0 { 1e6 } else { (row * 37 % 100) as f64 };
    let sold = |row: i64| (moment(row) / 86_400_000 % 7) as f64 + price(row).min(90.0) / 10.0;
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from_iter_values((0..ROWS).map(moment))),
        Arc::new((0..ROWS).map(|row| (row % 9 != 0).then(|| price(row))).collect::<Float64Array>()),
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| row % 40))),
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(sold))),
    ];
    let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
    let meta =
        TableMeta { target: Some("sold".into()), task: Some(Task::Regression), ..TableMeta::new(columns) };
    data::write(folder, meta, [Ok(batch)]).expect("it is written");
}

/// Runs steps one after the other, each on the table of the one before, and gives the last folder.
fn chain(world: &Path, steps: &[(&str, Value)]) -> std::path::PathBuf {
    let mut table = world.join("raw");
    for (number, (kind, params)) in steps.iter().enumerate() {
        let out = world.join(format!("step{number}"));
        let input = Input { step: "before".into(), folder: table.clone() };
        let request = Request {
            kind: (*kind).to_owned(),
            params: params.as_object().expect("an object").clone(),
            inputs: BTreeMap::from([("table".to_owned(), vec![input])]),
            source: None,
            out: out.clone(),
            threads: 1,
            ..Request::default()
        };
        run(&request, Cancel::default(), |_| ()).unwrap_or_else(|e| panic!("{kind}: {e}"));
        table = if kind.starts_with("train_") { out.join("model") } else { out.join("table") };
    }
    table
}

fn prepared(trainer: &str) -> Vec<(&str, Value)> {
    vec![
        ("window", json!({ "order": ["at"], "columns": ["lag(size, 1) as size_before"] })),
        ("rename", json!({ "names": ["price as cost"] })),
        ("cast", json!({ "columns": ["size_before"], "to": "number" })),
        ("split_time", json!({ "column": "at" })),
        ("date_parts", json!({ "column": "at", "parts": ["weekday", "hour", "is_weekend", "days_since"] })),
        ("clip", json!({ "columns": ["cost"], "low": 0.05, "high": 0.95 })),
        ("bin", json!({ "columns": ["size"], "bins": 4 })),
        ("sort", json!({ "columns": ["cost"] })),
        ("impute", json!({})),
        (trainer, json!({})),
    ]
}

#[test]
fn a_package_computes_dates_bounds_and_bins_as_the_training_did() {
    for trainer in ["train_linear", "train_forest"] {
        let world = tempfile::tempdir().expect("a folder");
        write(&world.path().join("raw"));
        let model = chain(world.path(), &prepared(trainer));
        let package = Package::load(&model).expect("it loads");
        let card = package.card().expect("a card");
        let asked: Vec<&str> = card.signature.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(asked, ["at", "cost", "size", "size_before"], "{trainer}: the raw columns");
        let proof = kinds::prove(&model, &package).expect("it is proved").expect("rows were held out");
        assert!(proof.rows > 50 && proof.max_abs_diff <= 1e-6, "{trainer}: {proof:?}");
    }
}

#[test]
fn a_time_may_be_sent_as_text_or_as_milliseconds() {
    let world = tempfile::tempdir().expect("a folder");
    write(&world.path().join("raw"));
    let model = chain(world.path(), &prepared("train_linear"));
    let package = Package::load(&model).expect("it loads");
    let card = package.card().expect("a card");
    let answer = |at: Value| {
        let row = json!({ "at": at, "cost": 50.0, "size": 7, "size_before": 6 });
        let columns = card.signature.inputs.iter().map(|input| {
            let values = Values::from_json(&input.name, input.kind, [&row[&input.name]].into_iter());
            (input.name.clone(), values.expect("it fits"))
        });
        let batch = score::Batch { rows: 1, columns: columns.collect() };
        package.predict(&batch).expect("it answers").columns[0].1.json(0)
    };
    let text = answer(json!("1970-01-10T13:30:00Z"));
    assert_eq!(text, answer(json!(826_200_000_i64)));
    assert_eq!(text, answer(json!("1970-01-10 14:30+01:00")));
    assert_ne!(text, answer(json!("1970-01-12T13:30:00Z")), "another weekday");
}
