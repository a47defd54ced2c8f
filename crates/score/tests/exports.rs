//! Models exported by scikit-learn, LightGBM and XGBoost answer here as they do in onnxruntime.
//!
//! The fixtures hold the answers of the real onnxruntime; `tests/onnx/export.py` at the root
//! makes them, and many more, larger ones: point `FETTLE_ONNX_EXPORTS` at those to check them
//! all and to see the table.

use std::path::{Path, PathBuf};

use score::{Elements, Graph, Tensor, Value};
use serde_json::Value as Json;

/// Sums run in another order than in onnxruntime's matrix products. A case where that matters
/// more says so itself (k-means: roots of differences of large squares).
const TOLERANCE: f64 = 1e-6;

#[derive(Debug)]
enum Verdict {
    Right(f64),
    Refused(String),
    Wrong(String),
}

#[test]
fn committed_models_answer_as_onnxruntime_does() {
    let verdicts = judge_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"));
    assert!(verdicts.len() >= 8, "{} fixtures", verdicts.len());
    for (name, verdict) in verdicts {
        assert!(matches!(verdict, Verdict::Right(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn no_exported_model_answers_wrongly() {
    let Some(folder) = std::env::var_os("FETTLE_ONNX_EXPORTS") else {
        println!("skipped: FETTLE_ONNX_EXPORTS does not name a folder of exports");
        return;
    };
    let verdicts = judge_all(Path::new(&folder));
    let (mut right, mut refused, mut wrong) = (0, 0, 0);
    for (name, verdict) in &verdicts {
        match verdict {
            Verdict::Right(difference) => {
                right += 1;
                println!("{name:36} right    {difference:.1e}");
            }
            Verdict::Refused(why) => {
                refused += 1;
                println!("{name:36} refused  {why}");
            }
            Verdict::Wrong(why) => {
                wrong += 1;
                println!("{name:36} WRONG    {why}");
            }
        }
    }
    println!("{right} right, {refused} refused, {wrong} wrong");
    assert_eq!(wrong, 0);
}

fn judge_all(folder: &Path) -> Vec<(String, Verdict)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut models: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder lists").path()).collect();
    models.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    models.sort();
    let name = |path: &Path| path.file_stem().expect("files have names").to_string_lossy().into_owned();
    models.iter().map(|path| (name(path), judge(path))).collect()
}

fn judge(path: &Path) -> Verdict {
    let bytes = std::fs::read(path).expect("the model is there");
    let text = std::fs::read_to_string(path.with_extension("json")).expect("its answers are there");
    let case: Json = serde_json::from_str(&text).expect("the answers are JSON");
    let graph = match Graph::read(&bytes) {
        Ok(graph) => graph,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let inputs = graph.inputs().iter().map(|port| tensor(&case["inputs"][&port.name])).collect();
    let answers = match graph.run(inputs) {
        Ok(answers) => answers,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let tolerance = case["tolerance"].as_f64().unwrap_or(TOLERANCE);
    let mut worst = 0.0_f64;
    for ((port, answer), expected) in
        graph.outputs().iter().zip(answers).zip(case["outputs"].as_array().expect("a list"))
    {
        let tensor_of = tensor(expected);
        let compared = match answer {
            Value::Tensor(got) => compare(&got, &tensor_of, tolerance),
            Value::Maps(maps) => {
                let keys: Vec<Json> = match &maps.keys {
                    Elements::Text(keys) => keys.iter().map(|key| Json::from(key.as_str())).collect(),
                    Elements::I64(keys) => keys.iter().map(|key| Json::from(*key)).collect(),
                    other => panic!("keys of {other:?}"),
                };
                if Json::from(keys) == expected["keys"] {
                    compare(&maps.scores, &tensor_of, tolerance)
                } else {
                    Err("other keys".to_owned())
                }
            }
        };
        match compared {
            Ok(difference) => worst = worst.max(difference),
            Err(why) => return Verdict::Wrong(format!("`{}`: {why}", port.name)),
        }
    }
    Verdict::Right(worst)
}

/// The largest difference relative to the size of the number (and to 1 below that).
fn compare(got: &Tensor, expected: &Tensor, tolerance: f64) -> Result<f64, String> {
    if got.shape() != expected.shape() {
        return Err(format!("shape {:?}, expected {:?}", got.shape(), expected.shape()));
    }
    let (got, expected): (Vec<f64>, Vec<f64>) = match (got.elements(), expected.elements()) {
        (Elements::F32(a), Elements::F32(b)) => {
            (a.iter().copied().map(f64::from).collect(), b.iter().copied().map(f64::from).collect())
        }
        (Elements::F64(a), Elements::F64(b)) => (a.clone(), b.clone()),
        (a, b) if a == b => return Ok(0.0),
        (a, b) => return Err(format!("{a:?}, expected {b:?}")),
    };
    let mut worst = 0.0_f64;
    for (at, (a, b)) in got.iter().zip(&expected).enumerate() {
        let difference =
            if a == b || (a.is_nan() && b.is_nan()) { 0.0 } else { (a - b).abs() / b.abs().max(1.0) };
        if difference.is_nan() || difference > tolerance {
            return Err(format!("element {at} is {a}, expected {b}"));
        }
        worst = worst.max(difference);
    }
    Ok(worst)
}

fn tensor(case: &Json) -> Tensor {
    let data = case["data"].as_array().expect("every tensor has data");
    let number = |value: &Json| match value {
        Json::Number(number) => number.as_f64().expect("a float"),
        Json::String(text) => text.parse().expect("nan and inf are written as text"),
        other => panic!("{other} is not a number"),
    };
    let elements = match case["dtype"].as_str().expect("every tensor has a type") {
        "float32" => Elements::F32(data.iter().map(|value| number(value) as f32).collect()),
        "float64" => Elements::F64(data.iter().map(number).collect()),
        "int64" => Elements::I64(data.iter().map(|value| value.as_i64().expect("whole")).collect()),
        "bool" => Elements::Bool(data.iter().map(|value| value.as_bool().expect("a truth value")).collect()),
        "text" => Elements::Text(data.iter().map(|value| value.as_str().expect("text").to_owned()).collect()),
        other => panic!("type {other}"),
    };
    let shape = case["shape"].as_array().expect("a shape").iter();
    Tensor::new(shape.map(|axis| axis.as_u64().expect("a length") as usize).collect(), elements)
        .expect("the shape fits")
}
