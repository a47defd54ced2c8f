//! The files that make a folder an MLflow model: `MLmodel` with the `onnx` and `python_function`
//! flavours, the environment in three forms, and an example of the input. What each must hold
//! was checked by loading them with `mlflow.pyfunc` and `mlflow.onnx` 3.17.

use std::fmt::Write as _;

use score::{Kind, Signature};
use serde_json::{Map, Value, json};

const PYTHON: &str = "3.11";
const MLFLOW: &str = "3.17.2";
const ONNX: &str = "1.17.0";
const REQUIREMENTS: [&str; 4] = ["mlflow>=3.0", "numpy", "onnx>=1.15", "onnxruntime>=1.17"];

/// Name and text of each file but `model.onnx` and our own card.
pub fn files(
    model: &[u8],
    signature: &Signature,
    example: &Map<String, Value>,
) -> Vec<(&'static str, String)> {
    vec![
        ("MLmodel", ml_model(model, signature)),
        ("conda.yaml", conda()),
        ("python_env.yaml", python_env()),
        ("requirements.txt", REQUIREMENTS.map(|line| format!("{line}\n")).concat()),
        ("input_example.json", input_example(signature, example)),
    ]
}

fn ml_model(model: &[u8], signature: &Signature) -> String {
    let hash = blake3::hash(model).to_hex();
    let tensors = |tensors: Vec<Value>| quoted(&Value::Array(tensors).to_string());
    let inputs = signature.inputs.iter().map(|input| tensor(&input.name, input_type(input.kind))).collect();
    let outputs =
        signature.outputs.iter().map(|output| tensor(&output.name, output_type(output.kind))).collect();
    format!(
        "flavors:\n\
         \x20 onnx:\n\
         \x20   code: null\n\
         \x20   data: model.onnx\n\
         \x20   onnx_version: {ONNX}\n\
         \x20   providers:\n\
         \x20   - CPUExecutionProvider\n\
         \x20   save_as_external_data: false\n\
         \x20 python_function:\n\
         \x20   data: model.onnx\n\
         \x20   env:\n\
         \x20     conda: conda.yaml\n\
         \x20     virtualenv: python_env.yaml\n\
         \x20   loader_module: mlflow.onnx\n\
         \x20   python_version: {PYTHON}.0\n\
         mlflow_version: {MLFLOW}\n\
         model_size_bytes: {}\n\
         model_uuid: {}\n\
         saved_input_example_info:\n\
         \x20 artifact_path: input_example.json\n\
         \x20 pandas_orient: split\n\
         \x20 type: dataframe\n\
         signature:\n\
         \x20 inputs: {}\n\
         \x20 outputs: {}\n\
         \x20 params: null\n",
        model.len(),
        &hash.as_str()[..32],
        tensors(inputs),
        tensors(outputs),
    )
}

/// A column in the signature, as a tensor of one dimension. Named columns would be the other
/// form, but for those MLflow refuses whole numbers where a graph takes 64 bit numbers, and hands
/// on the text columns of pandas 3 in a form that onnxruntime refuses; as tensors, both are cast.
fn tensor(name: &str, element: &str) -> Value {
    json!({"name": name, "type": "tensor", "tensor-spec": {"dtype": element, "shape": [-1]}})
}

fn input_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "object",
        Kind::Integer | Kind::Number | Kind::Boolean | Kind::Time => "float64",
    }
}

fn output_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "int64",
        Kind::Number => "float32",
        Kind::Text | Kind::Boolean | Kind::Time => "object",
    }
}

fn conda() -> String {
    let mut text = format!("channels:\n- conda-forge\ndependencies:\n- python={PYTHON}\n- pip\n- pip:\n");
    for line in REQUIREMENTS {
        writeln!(text, "  - {line}").expect("writing to a string cannot fail");
    }
    text.push_str("name: mlflow-env\n");
    text
}

fn python_env() -> String {
    format!(
        "python: {PYTHON}.0\nbuild_dependencies:\n- pip\n- setuptools\n- wheel\ndependencies:\n- -r requirements.txt\n"
    )
}

fn input_example(signature: &Signature, example: &Map<String, Value>) -> String {
    let names: Vec<&str> = signature.inputs.iter().map(|input| input.name.as_str()).collect();
    let row: Vec<Value> =
        names.iter().map(|name| example.get(*name).cloned().unwrap_or(Value::Null)).collect();
    format!("{}\n", json!({"columns": names, "data": [row]}))
}

/// Text in the single quotes of YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
