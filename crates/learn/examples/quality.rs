//! Trains every trainer on prepared data sets and prints one JSON line for each: the metrics on
//! the test rows and the CPU seconds of the training. `tests/quality/table.py` calls it.
//!
//! A data set is a folder with `meta.json` (task, n_train, n_test, p, n_class) and `X_train.f64`,
//! `y_train.f64`, `X_test.f64`, `y_test.f64`: little-endian 64 bit numbers, row by row.

use std::path::Path;
use std::process::ExitCode;

use base::Progress;
use learn::{Matrix, Predictions, Target, Trainer, Training, metrics};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    for folder in std::env::args().skip(1) {
        let folder = Path::new(&folder);
        let meta: Value =
            serde_json::from_slice(&read(&folder.join("meta.json"))).expect("meta.json is JSON");
        let train = load(folder, &meta, "train");
        let test = load(folder, &meta, "test");
        for (kind, params) in settings() {
            match measure(kind, &params, &train, &test) {
                Ok(mut line) => {
                    line["data"] = meta["name"].clone();
                    println!("{line}");
                }
                Err(error) => {
                    eprintln!("cannot train `{kind}` on `{}`: {error}", folder.display());
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    ExitCode::SUCCESS
}

fn measure(kind: &str, params: &Value, train: &Training, test: &Training) -> base::Result<Value> {
    let trainer = Trainer::of(kind)?;
    let before = cpu_s();
    let fitted = trainer.fit(train, params, &Progress::silent(), |_| ())?;
    let fit_cpu_s = cpu_s() - before;
    let predictions = fitted.model.predict(&test.features);
    let metrics: Map<String, Value> = metrics::evaluate(&test.target, &predictions)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Ok(json!({
        "trainer": kind, "params": params, "fit_cpu_s": fit_cpu_s,
        "predict_cpu_s": cpu_s() - before - fit_cpu_s,
        "metrics": metrics,
        "hash": format!("{:016x}", hash(&predictions)),
    }))
}

/// The settings that `baseline.py` gives to scikit-learn and LightGBM.
fn settings() -> [(&'static str, Value); 3] {
    [
        ("linear", json!({"l2": 1.0})),
        ("forest", json!({"trees": 100, "max_depth": 12, "features_per_split": "sqrt"})),
        ("boosting", json!({"rounds": 100, "learning_rate": 0.1, "leaves": 31})),
    ]
}

fn load(folder: &Path, meta: &Value, part: &str) -> Training {
    let number = |name: &str| meta[name].as_u64().expect("meta.json has the sizes") as usize;
    let width = number("p");
    let values = numbers(&folder.join(format!("X_{part}.f64")));
    let target = numbers(&folder.join(format!("y_{part}.f64")));
    let column = |feature: usize| values.iter().skip(feature).step_by(width).map(|v| *v as f32).collect();
    let names = (0..width).map(|feature| format!("x{feature}")).collect();
    let target = if meta["task"] == "reg" {
        Target::Numbers(target)
    } else {
        Target::Classes { codes: target.iter().map(|y| *y as u32).collect(), count: number("n_class") }
    };
    let features = Matrix::new(names, (0..width).map(column).collect()).expect("columns of one length");
    Training { features, target, weights: None, parts: None }
}

fn numbers(path: &Path) -> Vec<f64> {
    read(path)
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes")))
        .collect()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// FNV-1a over the bits of all predictions: equal bits on every system.
fn hash(predictions: &Predictions) -> u64 {
    let values = match predictions {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
    };
    values.iter().flat_map(|value| value.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// CPU seconds of this process, all threads, in steps of 10 ms; 0 where there is no `/proc`.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let field = |at: usize| after_name.split(' ').nth(at).and_then(|text| text.parse::<f64>().ok());
    (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / 100.0
}
