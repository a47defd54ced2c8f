//! What the server and its model say of themselves.

use score::{ModelInput, ModelOutput, Width};
use serde_json::{Value as Json, json};

use super::datatype;
use crate::models::{Model, Models, Served};

/// The answer of `GET /v2`.
pub fn server(models: &Models, instance: Option<&str>) -> Json {
    let first = models.first();
    json!({
        "name": "fettle-serve",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data", "statistics", "model_repository"],
        "instance": instance,
        "pid": std::process::id(),
        "model": { "name": first.name, "version": first.current.version },
    })
}

/// The answer of `GET /v2/models/{model}`.
pub fn model(model: &Model, served: &Served) -> Json {
    let package = &served.package;
    let inputs: Vec<Json> = package.inputs().iter().map(input).collect();
    let outputs: Vec<Json> = package.outputs().iter().map(output).collect();
    let mut answer = json!({
        "name": model.name,
        "versions": model.versions.iter().map(|served| served.version.as_str()).collect::<Vec<_>>(),
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
