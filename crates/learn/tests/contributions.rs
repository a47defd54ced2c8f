//! Contributions are those that LightGBM itself gives for the same model, and add up for every
//! trainer. `tests/onnx/contributions.py` makes the fixtures with the real LightGBM.

use std::path::Path;

use base::Progress;
use learn::explain::{EffectSettings, Explainer, Scale, effect};
use score::{Batch, Package, Values};
use serde_json::Value;

/// A package of a bare model file, and what LightGBM said of it.
fn fixture(task: &str) -> (tempfile::TempDir, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let place = tempfile::tempdir().expect("a temporary folder");
    let model = folder.join(format!("lightgbm_{task}.onnx"));
    std::fs::copy(model, place.path().join("model.onnx")).expect("the model is there");
    let text =
        std::fs::read_to_string(folder.join(format!("lightgbm_{task}.json"))).expect("its answers too");
    (place, serde_json::from_str(&text).expect("JSON"))
}

fn batch(package: &Package, rows: &Value) -> Batch {
    let rows = rows.as_array().expect("rows");
    let cells = rows.iter().flat_map(|row| row.as_array().expect("a row"));
    let values = cells.map(|cell| cell.as_f64().unwrap_or(f64::NAN)).collect();
    let name = package.inputs()[0].name.clone();
    Batch { rows: rows.len(), columns: vec![(name, Values::F64(values))] }
}

#[test]
fn contributions_of_a_converted_model_are_those_of_lightgbm() {
    for (task, outputs, scale) in
        [("two", 1, Scale::LogOdds), ("several", 3, Scale::LogProbability), ("number", 1, Scale::Number)]
    {
        let (place, case) = fixture(task);
        let package = Package::load(place.path()).expect("it loads");
        let explainer = Explainer::new(&package, &batch(&package, &case["training"])).expect("trees");
        let found = explainer.explain(&batch(&package, &case["rows"]), &Progress::silent()).expect("rows");
        assert_eq!((found.base.len(), found.scale), (outputs, scale), "{task}");
        let width = case["width"].as_u64().expect("a width") as usize;
        let mut worst = 0.0_f64;
        for (row, expected) in found.rows.iter().zip(case["contributions"].as_array().expect("rows")) {
            let expected: Vec<f64> =
                expected.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number")).collect();
            for (output, expected) in expected.chunks_exact(width + 1).enumerate() {
                let ours = row.contributions[output].iter().chain([&found.base[output]]);
                for (ours, theirs) in ours.zip(expected) {
                    worst = worst.max((ours - theirs).abs() / theirs.abs().max(1.0));
                }
            }
        }
        println!("{task}: at most {worst:.1e} from LightGBM");
        assert!(worst < 1e-6, "{task}: {worst}");
    }
}

#[test]
fn contributions_and_the_base_add_up_to_the_models_sum() {
    for task in ["two", "several", "number"] {
        let (place, case) = fixture(task);
        let package = Package::load(place.path()).expect("it loads");
        let explainer = Explainer::new(&package, &batch(&package, &case["training"])).expect("trees");
        let found = explainer.explain(&batch(&package, &case["rows"]), &Progress::silent()).expect("rows");
        for (row, raw) in found.rows.iter().zip(case["raw"].as_array().expect("rows")) {
            for (output, contributions) in row.contributions.iter().enumerate() {
                let sum = found.base[output] + contributions.iter().sum::<f64>();
                assert!((sum - row.raw[output]).abs() < 1e-9, "{task}: {sum} is not {}", row.raw[output]);
                let theirs = raw[output].as_f64().expect("a number");
                assert!((sum - theirs).abs() < 1e-5 * theirs.abs().max(1.0), "{task}: {sum} is not {theirs}");
            }
        }
    }
}

#[test]
fn an_effect_names_the_nearest_column_if_there_is_none() {
    let (place, case) = fixture("number");
    let package = Package::load(place.path()).expect("it loads");
    let rows = batch(&package, &case["rows"]);
    let error = effect(&package, &rows, "inputs", EffectSettings::default(), &Progress::silent());
    assert_eq!(error.expect_err("no such column").hint.as_deref(), Some("did you mean `input`?"));
}
