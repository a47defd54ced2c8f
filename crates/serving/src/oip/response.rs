//! Writes the answer of an `infer` request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use score::{Package, Predictions, Values};
use serde_json::{Value as Json, json};

use super::request::{Asked, HEADER_LENGTH};
use super::{binary, datatype};

/// The answer, as JSON, or as JSON with raw tensors behind it where they were asked for.
pub fn write(package: &Package, name: &str, version: &str, asked: &Asked, answer: &Predictions) -> Response {
    let all = || (0..answer.columns.len()).map(|place| (place, asked.binary_by_default)).collect();
    let wanted: Vec<(usize, bool)> = asked.outputs.clone().unwrap_or_else(all);
    let mut raw = Vec::new();
    let mut outputs = Vec::with_capacity(wanted.len());
    for (place, is_binary) in &wanted {
        let (column, values) = &answer.columns[*place];
        let output = &package.outputs()[*place];
        let width = values.len() / answer.rows.max(1);
        let shape = if output.is_column { json!([answer.rows]) } else { json!([answer.rows, width]) };
        let mut written = json!({ "name": column, "datatype": datatype(element(values)), "shape": shape });
        if *is_binary {
            let before = raw.len();
            binary::write(values, &mut raw);
            written["parameters"] = json!({ "binary_data_size": raw.len() - before });
        } else {
            written["data"] = (0..values.len()).map(|at| values.json(at)).collect();
        }
        outputs.push(written);
    }
    let mut body = json!({ "model_name": name, "model_version": version });
    if let Some(id) = &asked.id {
        body["id"] = Json::from(id.as_str());
    }
    body["outputs"] = Json::Array(outputs);
    let mut bytes = body.to_string().into_bytes();
    let is_binary = wanted.iter().any(|(_, is_binary)| *is_binary);
    let kind = if is_binary { "application/octet-stream" } else { "application/json" };
    let length = HeaderValue::from(bytes.len());
    bytes.append(&mut raw);
    let mut response = (StatusCode::OK, [(header::CONTENT_TYPE, kind)], bytes).into_response();
    if is_binary {
        response.headers_mut().insert(HEADER_LENGTH, length);
    }
    response
}

fn element(values: &Values) -> score::Element {
    match values {
        Values::F64(_) => score::Element::F64,
        Values::F32(_) => score::Element::F32,
        Values::I64(_) => score::Element::I64,
        Values::Bool(_) => score::Element::Bool,
        Values::Text(_) => score::Element::Text,
    }
}
