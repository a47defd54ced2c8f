//! What the server and its model say of themselves.

use score::{ModelInput, ModelOutput, Package, Width};
use serde_json::{Value as Json, json};

use super::datatype;

/// The answer of `GET /v2`.
pub fn server(name: &str, version: &str, instance: Option<&str>) -> Json {
    json!({
        "name": "fettle-serve",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data", "statistics"],
        "instance": instance,
        "model": { "name": name, "version": version },
    })
}

/// The answer of `GET /v2/models/{model}`.
pub fn model(package: &Package, name: &str, version: &str) -> Json {
    let inputs: Vec<Json> = package.inputs().iter().map(input).collect();
    let outputs: Vec<Json> = package.outputs().iter().map(output).collect();
    let mut answer = json!({
        "name": name,
        "versions": [version],
        "platform": "onnx_onnxv1",
        "inputs": inputs,
        "outputs": outputs,
    });
    let golden = package.card().and_then(|card| card.golden.as_ref());
    if let Some(golden) = golden {
        // A real row to try the model with; clients pass over parameters that they do not know.
        answer["parameters"] = json!({ "example": golden.inputs });
    }
    answer
}

fn input(input: &ModelInput) -> Json {
    let shape = match input.width {
        Width::Column => json!([-1]),
        Width::OneColumn => json!([-1, 1]),
        Width::Columns(width) => json!([-1, width]),
        Width::Any => json!([-1, -1]),
    };
    json!({ "name": input.name, "datatype": datatype(input.element), "shape": shape })
}

fn output(output: &ModelOutput) -> Json {
    let shape = match (output.is_column, output.width) {
        (true, _) => json!([-1]),
        (false, Some(width)) => json!([-1, width]),
        (false, None) => json!([-1, -1]),
    };
    json!({ "name": output.name, "datatype": datatype(output.element), "shape": shape })
}
