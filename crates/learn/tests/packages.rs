//! A package written here is read by `score`, says what the trainer says, and is the same bytes
//! every time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray};
use base::{Code, Progress};
use data::{Column, Kind, Task};
use learn::explain::{
    EffectSettings, Explainer, PermutationSettings, effect, package_importance, permutation_importance,
};
use learn::package::{PackageParts, predictions_of, raw_batch, write_package};
use learn::recipe::{EncodeMethod, Recipe, fit_levels};
use learn::{Fitted, Part, Predictions, Prepared, TRAINERS, Trainer, features_of, prepare};
use score::{Card, Package};
use serde_json::{Value, json};

const ROWS: usize = 600;

/// A table with a text column that is encoded, a column of noise, and each kind of target.
fn table(target: &str) -> (RecordBatch, Recipe, Task) {
    let wave = |at: usize, by: f64| libm::sin(at as f64 * by);
    let level = |at: usize| ["a", "b", "c"][at * 7 % 3];
    let score = |at: usize| 2.0 * wave(at, 1.7) + (at * 7 % 3) as f64;
    let (truth, task): (ArrayRef, Task) = match target {
        "is_high" => {
            let words = (0..ROWS).map(|at| Some(if score(at) > 1.0 { "yes" } else { "no" }));
            (Arc::new(words.collect::<StringArray>()), Task::Binary)
        }
        "label" => {
            let codes = (0..ROWS).map(|at| Some((score(at) as i64).clamp(0, 2) * 5));
            (Arc::new(codes.collect::<Int64Array>()), Task::Multiclass)
        }
        _ => (Arc::new((0..ROWS).map(|at| Some(score(at))).collect::<Float64Array>()), Task::Regression),
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("x", Arc::new((0..ROWS).map(|at| Some(wave(at, 1.7))).collect::<Float64Array>())),
        ("noise", Arc::new((0..ROWS).map(|at| Some(wave(at, 99.1))).collect::<Float64Array>())),
        ("kind", Arc::new((0..ROWS).map(|at| Some(level(at))).collect::<StringArray>())),
        (target, truth),
        ("__split", Arc::new((0..ROWS).map(|at| Some([0, 0, 1, 2][at % 4])).collect::<Int8Array>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("columns of one length");
    let recipe = Recipe::start(&columns_of(&batch), Some(target));
    let op = fit_levels(std::slice::from_ref(&batch), "kind", EncodeMethod::OneHot, 9).expect("it fits");
    let batch = recipe.apply_next(&op, &batch).expect("it applies");
    (batch, recipe.then(op), task)
}

fn columns_of(batch: &RecordBatch) -> Vec<Column> {
    let column =
        |field: &Arc<arrow::datatypes::Field>| Column::new(field.name(), Kind::of(field.data_type()));
    batch.schema().fields().iter().map(column).collect()
}

struct Trained {
    batch: RecordBatch,
    recipe: Recipe,
    prepared: Prepared,
    fitted: Fitted,
}

fn train(kind: &str, target: &str) -> Trained {
    let (batch, recipe, task) = table(target);
    let prepared =
        prepare(&columns_of(&batch), std::slice::from_ref(&batch), target, task).expect("a good table");
    let params = match kind {
        "forest" => json!({"trees": 20}),
        "boosting" => json!({"rounds": 30}),
        _ => json!({}),
    };
    let trainer = Trainer::of(kind).expect("a trainer");
    let fitted = trainer.fit(&prepared.training, &params, &Progress::silent(), |_| ()).expect("it trains");
    Trained { batch, recipe, prepared, fitted }
}

impl Trained {
    fn write(&self, folder: &Path) -> Card {
        let example = json!({"x": 0.5, "noise": 0.1, "kind": "b"});
        let parts = PackageParts {
            fitted: &self.fitted,
            recipe: &self.recipe,
            target: &self.prepared.target,
            baseline: json!({"rows": 300}),
            example: example.as_object().expect("an object").clone(),
            lineage: score::Lineage::default(),
        };
        write_package(folder, &parts).expect("it is written and answers")
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().expect("plain names");
            (name, std::fs::read(entry.path()).expect("it reads"))
        })
        .collect()
}

#[test]
fn a_package_says_what_the_trainer_says() {
    for target in ["is_high", "label", "height"] {
        for trainer in TRAINERS {
            let folder = tempfile::tempdir().expect("a folder");
            let trained = train(trainer.kind, target);
            let card = trained.write(folder.path());
            let package = Package::load(folder.path()).expect("it loads");
            let raw = raw_batch(&card.signature.inputs, &trained.batch).expect("raw columns are kept");
            let found = predictions_of(&card, &package.predict(&raw).expect("it answers")).expect("numbers");
            let features = features_of(std::slice::from_ref(&trained.batch), &trained.fitted.features)
                .expect("features");
            let expected = trained.fitted.model.predict(&features);
            let values = |predictions: &Predictions| match predictions {
                Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values.clone(),
            };
            let worst =
                values(&found).iter().zip(values(&expected)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-6, "{} {target} is off by {worst:e}", trainer.kind);
            assert!(package.check_golden().expect("it has a golden row").passed, "{} {target}", trainer.kind);
        }
    }
}

#[test]
fn the_same_training_gives_the_same_bytes_for_any_number_of_threads() {
    for trainer in TRAINERS {
        let bytes = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
            let folder = tempfile::tempdir().expect("a folder");
            pool.install(|| train(trainer.kind, "label").write(folder.path()));
            files(folder.path())
        };
        let once = bytes(1);
        assert!(once == bytes(1) && once == bytes(2) && once == bytes(3), "{}", trainer.kind);
        let names: Vec<&str> = once.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "MLmodel",
                "conda.yaml",
                "fettle.json",
                "input_example.json",
                "model.onnx",
                "python_env.yaml",
                "requirements.txt"
            ]
        );
    }
}

#[test]
fn the_card_tells_inputs_outputs_and_importance() {
    let folder = tempfile::tempdir().expect("a folder");
    let card = train("boosting", "label").write(folder.path());
    assert_eq!((card.task, card.trainer.kind.as_str()), (score::Task::Multiclass, "train_boosting"));
    assert_eq!(card.trainer.params["rounds"], 30);
    assert_eq!(card.classes, ["0", "5", "10"], "in the order of their numbers");
    let inputs: Vec<&str> = card.signature.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["x", "noise", "kind"]);
    assert!(card.signature.inputs.iter().all(|input| !input.required), "trees take missing values");
    let outputs: Vec<&str> = card.signature.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["label", "probability_0", "probability_5", "probability_10"]);
    assert_eq!(card.signature.outputs[0].kind, score::Kind::Integer);
    assert_eq!(card.importance[0].feature, "x");
    let linear = train("linear", "height").write(folder.path());
    let required: Vec<bool> = linear.signature.inputs.iter().map(|input| input.required).collect();
    assert_eq!(
        required,
        [true, true, false],
        "an unknown or missing level is zeros, a missing number is not"
    );
}

#[test]
fn an_input_that_is_named_as_an_answer_keeps_its_name() {
    let mut trained = train("boosting", "is_high");
    let mut columns: Vec<Column> = columns_of(&trained.batch);
    columns.iter_mut().for_each(|column| {
        if column.name == "x" {
            column.name = "label".into();
        }
    });
    let fields: Vec<_> = columns
        .iter()
        .zip(trained.batch.schema().fields())
        .map(|(column, field)| arrow::datatypes::Field::new(&column.name, field.data_type().clone(), true))
        .collect();
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    trained.batch = RecordBatch::try_new(schema, trained.batch.columns().to_vec()).expect("the same columns");
    trained.recipe.inputs[0].name = "label".into();
    trained.fitted.features[0] = "label".into();
    let folder = tempfile::tempdir().expect("a folder");
    let card = trained.write(folder.path());
    assert_eq!(card.signature.outputs[0].name, "label_");
    Package::load(folder.path()).expect("names are unique, so it loads");
}

#[test]
fn shuffling_what_matters_hurts_and_shuffling_noise_does_not() {
    let trained = train("boosting", "is_high");
    let training = &trained.prepared.training;
    let rows = training.rows_in(Part::Validation);
    let (features, truth) = (training.features.take(&rows), training.target.take(&rows));
    let settings = PermutationSettings::default();
    let measure = || {
        permutation_importance(&*trained.fitted.model, &features, &truth, settings, &Progress::silent())
            .expect("nobody cancels")
    };
    let items = measure();
    assert_eq!(items, measure());
    let of = |name: &str| items.iter().find(|item| item.feature == name).expect(name).value;
    assert!(of("x") > 0.2 && of("noise").abs() < 0.03, "{items:?}");

    // The raw inputs of the package: the three 0/1 columns count as the one text they are.
    let folder = tempfile::tempdir().expect("a folder");
    let card = trained.write(folder.path());
    let package = Package::load(folder.path()).expect("it loads");
    let raw = raw_batch(&card.signature.inputs, &trained.batch).expect("raw columns");
    let truth = &training.target;
    let items = package_importance((&package, &card), &raw, truth, settings, &Progress::silent());
    let items = items.expect("nobody cancels");
    assert_eq!(items.iter().map(|item| item.feature.as_str()).collect::<Vec<_>>(), ["x", "noise", "kind"]);
    assert!(items[0].value > 0.2 && items[2].value > 0.03 && items[1].value.abs() < 0.05, "{items:?}");
}

#[test]
fn tables_that_cannot_be_learnt_from_say_why() {
    let (batch, _, _) = table("is_high");
    let columns = columns_of(&batch);
    let failed = |columns: &[Column], target: &str, task: Task| {
        prepare(columns, std::slice::from_ref(&batch), target, task).expect_err(target)
    };
    let error = failed(&columns, "is_hihg", Task::Binary);
    assert_eq!((error.code, error.hint.as_deref()), (Code::NotFound, Some("did you mean `is_high`?")));
    assert!(failed(&columns, "is_high", Task::Regression).message.contains("as a number: it is text"));
    assert!(failed(&columns, "x", Task::Binary).message.contains("fraction"));
    let mut with_text = columns.clone();
    with_text.push(Column::new("remark", Kind::Text));
    let error = failed(&with_text, "is_high", Task::Binary);
    assert!(
        error.message.contains("`remark` is text") && error.hint.expect("a way out").contains("`encode`")
    );
    let mut with_time = columns;
    with_time.push(Column::new("day", Kind::Time));
    let prepared =
        prepare(&with_time, std::slice::from_ref(&batch), "is_high", Task::Binary).expect("it is fine");
    assert_eq!(prepared.ignored, [("day".to_owned(), "it is a time; derive numbers from it".to_owned())]);
    assert_eq!(prepared.target.classes, ["no", "yes"]);
    let _: Value = json!(prepared.target);
}

#[test]
fn contributions_of_every_trainer_add_up_and_name_raw_columns() {
    for trainer in TRAINERS {
        for target in ["is_high", "label", "score"] {
            let trained = train(trainer.kind, target);
            let folder = tempfile::tempdir().expect("a temporary folder");
            let card = trained.write(folder.path());
            let package = Package::load(folder.path()).expect("it loads");
            let rows =
                raw_batch(&card.signature.inputs, &trained.batch).expect("raw rows").take(&[0, 5, 9, 77]);
            let what = format!("{} {target}", trainer.kind);
            let explainer = Explainer::new(&package, &rows).expect("it can be taken apart");
            assert!(!explainer.is_counted_here() || trainer.kind == "linear", "{what} says its own shares");
            let found = explainer.explain(&rows, &Progress::silent()).expect("it explains");
            let answers =
                predictions_of(&card, &package.predict(&rows).expect("it answers")).expect("numbers");
            for (at, row) in found.rows.iter().enumerate() {
                for (output, contributions) in row.contributions.iter().enumerate() {
                    let sum = found.base[output] + contributions.iter().sum::<f64>();
                    assert!((sum - row.raw[output]).abs() < 1e-9, "{what}: {sum} is not {}", row.raw[output]);
                }
                let (said, raw) = match &answers {
                    Predictions::Numbers(values) => (values[at], row.raw[0]),
                    Predictions::Probabilities { classes: 2, values } if found.outputs.len() == 1 => {
                        let odds = 1.0 / (1.0 + libm::exp(-row.raw[0]));
                        (
                            values[at * 2 + 1],
                            if found.scale == learn::explain::Scale::Probability { row.raw[0] } else { odds },
                        )
                    }
                    Predictions::Probabilities { classes, values } => {
                        let all: f64 = row.raw.iter().map(|raw| libm::exp(*raw)).sum();
                        let share = libm::exp(row.raw[0]) / all;
                        let is_share = found.scale == learn::explain::Scale::Probability;
                        (values[at * classes], if is_share { row.raw[0] } else { share })
                    }
                };
                assert!((said - raw).abs() < 1e-5, "{what}: it answers {said}, its sum means {raw}");
            }
            let mut names: Vec<String> = found.by_column(0, 0).into_iter().map(|(name, _)| name).collect();
            names.sort();
            assert_eq!(names, ["kind", "noise", "x"], "{what}");
        }
    }
}

#[test]
fn the_effect_of_a_column_that_matters_moves_and_that_of_noise_hardly_does() {
    let trained = train("boosting", "score");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let card = trained.write(folder.path());
    let package = Package::load(folder.path()).expect("it loads");
    let rows = raw_batch(&card.signature.inputs, &trained.batch).expect("raw rows");
    let spread = |column: &str| {
        let found = effect(&package, &rows, column, EffectSettings::default(), &Progress::silent())
            .expect("a column");
        let means: Vec<f64> = found.points.iter().map(|point| point.means[0]).collect();
        let low = means.iter().copied().fold(f64::INFINITY, f64::min);
        means.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low
    };
    assert!(spread("x") > 2.0 && spread("kind") > 1.0 && spread("noise") < 0.3);
    let kinds =
        effect(&package, &rows, "kind", EffectSettings::default(), &Progress::silent()).expect("texts");
    assert_eq!(kinds.points.len(), 3);
}
