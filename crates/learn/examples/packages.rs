//! Trains every trainer on a small table with text, gaps and truth values, for each kind of
//! target, and writes each as a package, beside the raw rows (`rows.json`) and what the trainer
//! itself says to them (`expected.json`). `tests/quality/packages.py` then asks onnxruntime and
//! MLflow the same. Usage: `packages FOLDER`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use base::Progress;
use data::{Column, Kind, Task};
use learn::package::{PackageParts, write_package};
use learn::recipe::{
    EncodeMethod, ImputeMethod, Op, Recipe, ScaleMethod, fit_derive, fit_impute, fit_levels, fit_scale,
};
use learn::{Predictions, TRAINERS, features_of, prepare};
use serde_json::{Map, Value, json};

const ROWS: usize = 1_000;
const CITIES: [&str; 4] = ["Bergen", "Ålesund", "Oslo", "Tromsø"];

fn main() {
    let folder = std::env::args().nth(1).expect("usage: packages FOLDER");
    for (target, task) in [
        ("is_late", Task::Binary),
        ("grade", Task::Multiclass),
        ("code", Task::Multiclass),
        ("price", Task::Regression),
    ] {
        let (batch, recipe) = table(target);
        let columns = columns_of(&batch);
        let prepared = prepare(&columns, std::slice::from_ref(&batch), target, task).expect("a good table");
        for trainer in TRAINERS {
            let params = if trainer.kind == "linear" { json!({}) } else { json!({"seed": 3}) };
            let fitted =
                trainer.fit(&prepared.training, &params, &Progress::silent(), |_| ()).expect("it trains");
            let to = Path::new(&folder).join(format!("{}-{target}", trainer.kind));
            let parts = PackageParts {
                fitted: &fitted,
                recipe: &recipe,
                target: &prepared.target,
                baseline: Value::Null,
                example: row(&batch, &recipe, 0),
                lineage: score::Lineage::default(),
            };
            write_package(&to, &parts).expect("the package is written and answers");
            let features = features_of(std::slice::from_ref(&batch), &fitted.features).expect("features");
            let expected = match fitted.model.predict(&features) {
                Predictions::Numbers(values) => json!({"numbers": values}),
                Predictions::Probabilities { classes, values } => {
                    json!({"classes": classes, "probabilities": values, "names": prepared.target.classes})
                }
            };
            let rows: Vec<_> = (0..ROWS).map(|at| row(&batch, &recipe, at)).collect();
            std::fs::write(to.join("rows.json"), json!(rows).to_string()).expect("the folder is there");
            std::fs::write(to.join("expected.json"), expected.to_string()).expect("the folder is there");
        }
    }
}

/// Learns a transform from the table so far.
type Fit<'a> = &'a dyn Fn(&RecordBatch) -> base::Result<Op>;

/// A table with all transforms applied, and the recipe of them.
fn table(target: &str) -> (RecordBatch, Recipe) {
    let mut batch = raw(target);
    let mut recipe = Recipe::start(&columns_of(&batch), Some(target));
    let derive = |batch: &RecordBatch, name, text| fit_derive(&columns_of(batch), name, text);
    let fits: [Fit<'_>; 13] = [
        &|batch| {
            derive(batch, "per_year", "round(income / coalesce(age, 40), 1) + log10(income) + sqrt(age)")
        },
        &|batch| derive(batch, "is_northern", "city in ('Tromsø', 'Bergen') and not (member and age > 50)"),
        &|batch| {
            let text =
                "case when city is null then -1 when size = 'L' then power(age, 1.5) else least(age, 30) end";
            derive(batch, "mixed", text)
        },
        &|batch| fit_impute(std::slice::from_ref(batch), "per_year", &ImputeMethod::Mean),
        &|batch| fit_impute(std::slice::from_ref(batch), "is_northern", &ImputeMethod::Mode),
        &|batch| fit_impute(std::slice::from_ref(batch), "mixed", &ImputeMethod::Median),
        &|batch| fit_impute(std::slice::from_ref(batch), "age", &ImputeMethod::Median),
        &|batch| fit_impute(std::slice::from_ref(batch), "city", &ImputeMethod::Mode),
        &|batch| fit_impute(std::slice::from_ref(batch), "member", &ImputeMethod::Mode),
        &|batch| fit_levels(std::slice::from_ref(batch), "city", EncodeMethod::OneHot, 3),
        &|batch| fit_levels(std::slice::from_ref(batch), "size", EncodeMethod::Ordinal, 10),
        &|batch| fit_levels(std::slice::from_ref(batch), "member", EncodeMethod::OneHot, 10),
        &|batch| fit_scale(std::slice::from_ref(batch), "income", ScaleMethod::Standard),
    ];
    for fit in fits {
        let op = fit(&batch).expect("it fits");
        batch = recipe.apply_next(&op, &batch).expect("it applies");
        recipe = recipe.then(op);
    }
    (batch, recipe)
}

fn raw(target: &str) -> RecordBatch {
    let wave = |at: usize, by: f64| libm::sin(at as f64 * by) * 0.5 + 0.5;
    let age = |at: usize| (18.0 + 60.0 * wave(at, 1.37)).floor();
    let income = |at: usize| 20_000.0 + 1e5 * wave(at, 0.73) * wave(at, 2.11);
    let city = |at: usize| (wave(at, 3.3) * 3.99) as usize;
    let score = |at: usize| age(at) / 20.0 + income(at) / 3e4 + city(at) as f64 + wave(at, 9.7);
    let rows = || 0..ROWS;
    let some = |at: usize| at % 11 != 3;
    let truth: ArrayRef = match target {
        "is_late" => Arc::new(rows().map(|at| Some(score(at) > 5.0)).collect::<BooleanArray>()),
        "grade" => Arc::new(
            rows()
                .map(|at| Some(["low", "it's mid", "high"][(score(at) as usize / 3).min(2)]))
                .collect::<StringArray>(),
        ),
        "code" => Arc::new(rows().map(|at| Some((score(at) as i64 / 3).min(2) * 10)).collect::<Int64Array>()),
        _ => Arc::new(rows().map(|at| Some(score(at) * 100.0)).collect::<Float64Array>()),
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("age", Arc::new(rows().map(|at| some(at).then_some(age(at) as i64)).collect::<Int64Array>())),
        ("income", Arc::new(rows().map(|at| Some(income(at))).collect::<Float64Array>())),
        (
            "city",
            Arc::new(rows().map(|at| some(at + 1).then_some(CITIES[city(at)])).collect::<StringArray>()),
        ),
        ("size", Arc::new(rows().map(|at| Some(["S", "M", "L"][at % 3])).collect::<StringArray>())),
        ("member", Arc::new(rows().map(|at| some(at + 2).then_some(at % 5 < 2)).collect::<BooleanArray>())),
        (target, truth),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn columns_of(batch: &RecordBatch) -> Vec<Column> {
    let column =
        |field: &Arc<arrow::datatypes::Field>| Column::new(field.name(), Kind::of(field.data_type()));
    batch.schema().fields().iter().map(column).collect()
}

/// One raw row as JSON.
fn row(batch: &RecordBatch, recipe: &Recipe, at: usize) -> Map<String, Value> {
    let inputs: Vec<score::Input> = recipe
        .inputs
        .iter()
        .map(|input| score::Input {
            name: input.name.clone(),
            kind: if input.kind == Kind::Text { score::Kind::Text } else { score::Kind::Number },
            required: false,
        })
        .collect();
    let raw = learn::package::raw_batch(&inputs, &batch.slice(at, 1)).expect("raw columns are kept");
    raw.columns.into_iter().map(|(name, values)| (name, values.json(0))).collect()
}
