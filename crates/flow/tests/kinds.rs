//! What every kind of step that makes a table promises: the columns it announces before it runs
//! are those that come out, whatever the rows hold, and what it cannot do it says in both places.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use base::{Cancel, Code, Error, Result};
use data::{Column, Kind, TableFile, TableMeta, Task, arrow_schema};
use flow::child::{Request, run};
use flow::kind::{Category, Input, Outcome, PortType, Shapes, TableShape};
use flow::kinds;
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

/// A table of each kind of column with gaps; `y` is the target.
fn rows(count: usize) -> (Vec<Column>, RecordBatch) {
    let columns = [
        ("n", Kind::Integer),
        ("x", Kind::Number),
        ("flag", Kind::Boolean),
        ("city", Kind::Text),
        ("day", Kind::Time),
        ("y", Kind::Text),
    ];
    let columns: Vec<Column> = columns.into_iter().map(|(name, kind)| Column::new(name, kind)).collect();
    let row = 0..count as i64;
    let some = |row: &i64| row % 5 != 3;
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(row.clone().map(|row| some(&row).then_some(row % 7)).collect::<Int64Array>()),
        Arc::new(
            row.clone().map(|row| some(&(row + 1)).then_some(row as f64 * 0.5)).collect::<Float64Array>(),
        ),
        Arc::new(row.clone().map(|row| some(&(row + 2)).then_some(row % 2 == 0)).collect::<BooleanArray>()),
        Arc::new(
            row.clone()
                .map(|row| some(&row).then_some(["Oslo", "Bø", "Rome"][row as usize % 3]))
                .collect::<StringArray>(),
        ),
        Arc::new(row.clone().map(|row| Some(row * DAY_MS)).collect::<TimestampMillisecondArray>()),
        Arc::new(row.map(|row| Some(["yes", "no"][row as usize % 2])).collect::<StringArray>()),
    ];
    let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
    (columns, batch)
}

/// Writes the table of [`rows`].
fn write(folder: &Path, count: usize) {
    let (columns, batch) = rows(count);
    let meta = TableMeta { target: Some("y".into()), task: Some(Task::Binary), ..TableMeta::new(columns) };
    data::write(folder, meta, [Ok(batch)]).expect("it is written");
}

/// What is known of a table that was written.
fn shape_of(folder: &Path) -> TableShape {
    let file = TableFile::open(folder).expect("a table");
    let meta = file.meta();
    TableShape {
        columns: meta.visible().cloned().collect(),
        target: meta.target.clone(),
        task: meta.task,
        is_split: meta.split,
        is_transformed: meta.recipe["ops"].as_array().is_some_and(|ops| !ops.is_empty()),
    }
}

/// A kind with parameters, and the tables that go in, by port.
struct Case {
    kind: &'static str,
    params: Value,
    inputs: Vec<(&'static str, &'static str)>,
}

/// A case over the one table `raw`.
fn case(kind: &'static str, params: Value) -> Case {
    Case { kind, params, inputs: vec![("table", "raw")] }
}

/// A case over a table that is split already.
fn after_split(kind: &'static str, params: Value) -> Case {
    Case { kind, params, inputs: vec![("table", "split")] }
}

fn join(params: Value) -> Case {
    Case { kind: "join", params, inputs: vec![("left", "raw"), ("right", "other")] }
}

fn many(kind: &'static str, params: Value) -> Case {
    Case { kind, params, inputs: vec![("tables", "raw"), ("tables", "other")] }
}

/// At least one case for every kind that gives a table.
fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("select", json!({ "columns": ["n", "city"] })),
        after_split("select", json!({ "columns": ["n"], "mode": "drop" })),
        case("filter", json!({ "expression": "x > 1 or city = 'Oslo'" })),
        case("derive", json!({ "name": "z", "expression": "x / (n + 1)" })),
        case("derive", json!({ "name": "z", "expression": "x > 1" })),
        case("sort", json!({ "columns": ["city", "x"], "descending": ["x"], "missing": "first" })),
        after_split("sort", json!({ "columns": ["day"] })),
        case("deduplicate", json!({})),
        case("deduplicate", json!({ "columns": ["city"], "keep": "last" })),
        case("sample", json!({ "rows": 5 })),
        after_split("sample", json!({ "share": 0.5, "stratify": ["city", "flag"] })),
        case("rename", json!({ "names": ["n as x", "x as n", "y as species"] })),
        after_split("rename", json!({ "names": ["city as town"] })),
        case("cast", json!({ "columns": ["n", "flag"], "to": "number" })),
        case("cast", json!({ "columns": ["city", "y"], "to": "integer", "misfits": "missing" })),
        after_split("cast", json!({ "columns": ["day", "x"], "to": "text" })),
        join(json!({ "on": ["n"] })),
        join(json!({ "on": ["n"], "right_on": ["x"], "how": "full", "suffix": "_2" })),
        join(json!({ "on": ["city", "flag"], "how": "right" })),
        join(json!({ "on": ["city"], "how": "inner" })),
        join(json!({ "on": ["city"], "how": "semi" })),
        join(json!({ "on": ["city"], "how": "anti" })),
        many("union", json!({})),
        case("group", json!({})),
        case(
            "group",
            json!({ "by": ["city", "y"], "measures": ["sum(n)", "mean(x) as mean", "max(day)", "first(flag)"] }),
        ),
        case("pivot", json!({ "index": ["y"], "names": "city", "measure": "mean(x)" })),
        case(
            "pivot",
            json!({ "index": ["y"], "names": "flag", "measure": "sum(n)", "only": ["true", "false"] }),
        ),
        case("unpivot", json!({ "columns": ["n", "x"], "values": "amount", "drop_missing": true })),
        many(
            "sql",
            json!({ "query": "select t.y, t.n / 2 as half, count(*) as c, avg(t1.x) as m from t join t1 on t.n = t1.n group by 1, 2" }),
        ),
        many("sql", json!({})),
        case(
            "window",
            json!({ "partition": ["city"], "order": ["day"], "columns": ["lag(x, 1)", "row_number() as at", "rolling_mean(n, 3)", "cumulative_sum(n)", "lead(flag, 2)"] }),
        ),
        case("text_features", json!({ "column": "city", "max_words": 2 })),
        case(
            "validate",
            json!({ "checks": "format = 1\n[[check]]\nkind = \"row_count\"\nmax = 1000\n[[check]]\nkind = \"not_null\"\ncolumns = [\"n\"]\nseverity = \"warn\"\n" }),
        ),
        case("split", json!({})),
        case("split_time", json!({ "column": "day" })),
        case(
            "split_time",
            json!({ "column": "day", "validation_from": "1970-01-20", "test_from": "1970-01-30" }),
        ),
        case("split_time", json!({ "column": "day", "test_from": "1970-01-30T12:00:00Z" })),
        case("split_group", json!({ "columns": ["city"], "seed": 7 })),
        after_split("date_parts", json!({ "column": "day" })),
        case(
            "date_parts",
            json!({ "column": "day", "parts": ["quarter", "hour", "is_weekend", "days_since"], "since": "1970-02-01" }),
        ),
        after_split("clip", json!({})),
        case("clip", json!({ "columns": ["n"], "method": "bounds", "low": null, "high": 3 })),
        after_split("bin", json!({ "columns": ["x"], "method": "width", "bins": 3 })),
        after_split("bin", json!({})),
        case("bin", json!({ "columns": ["n"], "method": "edges", "edges": [2, 4.5] })),
        case("impute", json!({})),
        after_split("impute", json!({ "columns": ["n"], "numbers": "mean" })),
        after_split("encode", json!({ "method": "ordinal" })),
        after_split("encode", json!({})),
        after_split("scale", json!({})),
        Case {
            kind: "cross_validate",
            params: json!({ "folds": 2, "trainer_params": { "rounds": 3 } }),
            inputs: vec![("table", "numbers")],
        },
        Case {
            kind: "cross_validate",
            params: json!({ "trainer": "forest", "trainer_params": { "trees": 2 }, "group": "n", "repeats": 2 }),
            inputs: vec![("table", "numbers")],
        },
    ];
    cases.extend(wrong_cases());
    cases
}

/// Cases that are refused before anything runs.
fn wrong_cases() -> Vec<Case> {
    vec![
        case("sort", json!({ "columns": ["town"] })),
        case("sort", json!({ "columns": ["x"], "descending": ["n"] })),
        case("sample", json!({ "share": 1.5 })),
        case("sample", json!({ "stratify": ["town"] })),
        case("deduplicate", json!({ "columns": ["town"] })),
        case("rename", json!({ "names": ["x as n"] })),
        case("rename", json!({ "names": ["x as __split"] })),
        case("rename", json!({ "names": ["x to z"] })),
        case("cast", json!({ "columns": ["flag"], "to": "time" })),
        case("cast", json!({ "columns": [] })),
        join(json!({ "on": ["n"], "right_on": ["city"] })),
        join(json!({ "on": ["n"], "suffix": "" })),
        join(json!({})),
        case("group", json!({ "by": ["city"], "measures": ["mean(city)"] })),
        case("group", json!({ "by": ["town"] })),
        after_split("group", json!({})),
        case("pivot", json!({ "index": ["y"] })),
        case("pivot", json!({ "index": ["y"], "names": "city", "only": ["y"] })),
        case("unpivot", json!({ "columns": ["n", "city"] })),
        case("unpivot", json!({ "columns": ["n"], "names": "x" })),
        case("window", json!({ "order": ["day"] })),
        case("window", json!({ "columns": ["row_number()"] })),
        case("window", json!({ "order": ["day"], "columns": ["row_number() as x"] })),
        after_split("window", json!({ "order": ["day"], "columns": ["row_number()"] })),
        case("validate", json!({})),
        case("validate", json!({ "checks": "format = 1\n[[check]]\nkind = \"rnage\"\n" })),
        case("text_features", json!({ "column": "n" })),
        case("text_features", json!({ "column": "y" })),
        case("text_features", json!({ "column": "city", "max_words": 0 })),
        after_split("text_features", json!({ "column": "city" })),
        case("split_time", json!({ "column": "x" })),
        case("split_time", json!({})),
        case("split_time", json!({ "column": "day", "validation_from": "tomorrow" })),
        case(
            "split_time",
            json!({ "column": "day", "validation_from": "1970-01-02", "test_from": "1970-01-01" }),
        ),
        case("split_time", json!({ "column": "day", "train": 0.9 })),
        case("split_group", json!({})),
        case("split_group", json!({ "columns": ["town"] })),
        case("cross_validate", json!({})),
        Case { kind: "cross_validate", params: json!({ "folds": 1 }), inputs: vec![("table", "numbers")] },
        Case {
            kind: "cross_validate",
            params: json!({ "trainer": "tree" }),
            inputs: vec![("table", "numbers")],
        },
        Case {
            kind: "cross_validate",
            params: json!({ "group": "town" }),
            inputs: vec![("table", "numbers")],
        },
        case("date_parts", json!({ "column": "n" })),
        case("date_parts", json!({ "column": "day", "parts": ["mnth"] })),
        case("date_parts", json!({ "column": "day", "parts": ["month", "month"] })),
        case("date_parts", json!({ "column": "day", "parts": ["days_since"], "since": "03/04/2026" })),
        case("clip", json!({ "low": 2 })),
        case("clip", json!({ "low": null, "high": null })),
        case("clip", json!({ "columns": ["city"] })),
        case("clip", json!({ "method": "bounds", "low": 2, "high": 1 })),
        case("bin", json!({ "bins": 1 })),
        case("bin", json!({ "method": "edges", "edges": [2, 1] })),
        case("bin", json!({ "columns": ["y"] })),
        many("sql", json!({ "query": "select nothing from t" })),
        many("sql", json!({ "query": "select x from t limit 1; select 1" })),
        Case { kind: "sql", params: json!({}), inputs: vec![("tables", "split")] },
        Case { kind: "union", params: json!({}), inputs: vec![("tables", "raw"), ("tables", "split")] },
        Case { kind: "rename", params: json!({ "names": ["x as z"] }), inputs: vec![("table", "scaled")] },
        Case {
            kind: "join",
            params: json!({ "on": ["n"] }),
            inputs: vec![("left", "scaled"), ("right", "raw")],
        },
    ]
}

/// Runs a step over tables of the world into a folder.
fn step(world: &Path, case: &Case, out: &Path) -> Result<Outcome> {
    let mut inputs = std::collections::BTreeMap::<String, Vec<Input>>::new();
    for (port, table) in &case.inputs {
        let input = Input { step: (*table).to_owned(), folder: world.join(table) };
        inputs.entry((*port).to_owned()).or_default().push(input);
    }
    let request = Request {
        kind: case.kind.to_owned(),
        params: case.params.as_object().expect("an object").clone(),
        inputs,
        source: None,
        out: out.to_owned(),
        threads: 1,
        ..Request::default()
    };
    run(&request, Cancel::default(), |_| ())
}

/// What a step says of its result before it runs.
fn announced(world: &Path, case: &Case) -> Result<Option<TableShape>, Error> {
    let kind = kinds::find(case.kind).expect("a kind");
    let mut shapes = Shapes::default();
    for port in kind.declaration().inputs {
        let at_port = case.inputs.iter().filter(|(name, _)| *name == port.name);
        shapes.tables.insert(
            port.name.to_string(),
            at_port.map(|(_, table)| Some(shape_of(&world.join(table)))).collect(),
        );
    }
    let params = case.params.as_object().expect("an object");
    kind.shape(params, &shapes, None).map_err(|misfit| misfit.error)
}

/// Tables to start from: as imported, a second one, one that is split, one that is transformed.
fn world(count: usize) -> tempfile::TempDir {
    let world = tempfile::tempdir().expect("a folder");
    write(&world.path().join("raw"), count);
    write(&world.path().join("other"), count / 2);
    for (kind, params, from, name) in [
        ("split", json!({}), "raw", "split"),
        ("scale", json!({ "columns": ["x"] }), "raw", "scaled"),
        ("select", json!({ "columns": ["n", "x", "y"] }), "raw", "numbers"),
    ] {
        let made = Case { kind, params, inputs: vec![("table", from)] };
        let out = world.path().join(format!("made_{name}"));
        // Nothing can be learnt of an empty table; the one that is raw stands for it.
        match step(world.path(), &made, &out) {
            Ok(_) => std::fs::rename(out.join("table"), world.path().join(name)).expect("it moves"),
            Err(_) => write(&world.path().join(name), count),
        }
    }
    world
}

#[test]
fn the_announced_columns_are_those_that_come_out() {
    let world = world(40);
    for (number, case) in cases().iter().enumerate() {
        let name = format!("{} {}", case.kind, case.params);
        let out = world.path().join(format!("out{number}"));
        let before = announced(world.path(), case);
        match (before, step(world.path(), case, &out)) {
            (Ok(Some(shape)), Ok(_)) => {
                let made = shape_of(&out.join("table"));
                assert_eq!(shape.columns, made.columns, "{name}");
                assert_eq!(
                    (&shape.target, shape.is_split, shape.is_transformed),
                    (&made.target, made.is_split, made.is_transformed),
                    "{name}"
                );
                assert!(shape.task.is_none() || shape.task == made.task, "{name}");
            }
            (Ok(None), Ok(_)) => {
                assert!(["encode", "pivot", "text_features"].contains(&case.kind), "{name} announces nothing")
            }
            (Err(before), Err(after)) => {
                assert_eq!(before.message, after.message, "{name}");
                assert!(before.hint.is_some(), "{name}: {before}");
                assert_ne!(before.code, Code::Internal, "{name}: {before}");
            }
            (before, after) => panic!("{name}: {before:?} before, {after:?} after"),
        }
    }
}

#[test]
fn cases_that_are_meant_to_be_refused_are() {
    let world = world(40);
    for case in wrong_cases() {
        let error = announced(world.path(), &case).expect_err(case.kind);
        assert!(error.hint.is_some(), "{} {}: {error}", case.kind, case.params);
    }
}

#[test]
fn an_empty_table_is_no_fault_of_the_program() {
    let world = world(0);
    for (number, case) in cases().iter().enumerate() {
        let name = format!("{} {}", case.kind, case.params);
        let out = world.path().join(format!("out{number}"));
        match step(world.path(), case, &out) {
            Ok(_) => {
                if let Ok(Some(shape)) = announced(world.path(), case) {
                    assert_eq!(shape.columns, shape_of(&out.join("table")).columns, "{name}");
                }
            }
            Err(error) => assert_eq!(error.code, Code::InvalidInput, "{name}: {error}"),
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let world = world(40);
    for (number, case) in cases().iter().enumerate() {
        let bytes = |run: &str| {
            let out = world.path().join(format!("{run}{number}"));
            step(world.path(), case, &out).ok()?;
            Some(std::fs::read(out.join("table").join(data::DATA_FILE)).expect("rows"))
        };
        assert!(bytes("first") == bytes("second"), "{} {}", case.kind, case.params);
    }
}

#[test]
fn every_kind_that_gives_a_table_is_among_the_cases() {
    let cases = cases();
    for kind in kinds::all() {
        let said = kind.declaration();
        let gives_table = said.outputs.iter().any(|port| port.port_type == PortType::Table);
        // What a program makes is known to nobody before; `tests/code.rs` runs those.
        if gives_table && !said.inputs.is_empty() && said.category != Category::Code {
            assert!(cases.iter().any(|case| case.kind == said.kind), "`{}` has no case", said.kind);
        }
    }
}
