//! Asking an endpoint for predictions, by the Open Inference Protocol.

use std::time::{Duration, Instant};

use base::{Code, Error, Result};
use serde_json::{Map, Value, json};

use super::Answers;

/// How long a single request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends rows to an endpoint. A refusal is an answer.
///
/// # Errors
/// [`Code::Unavailable`] if it does not answer.
pub(crate) fn infer(url: &str, token: &str, path: &str, rows: &[Map<String, Value>]) -> Result<Answers> {
    send(url, token, (path, false), rows)
}

/// The same for rows that only try the endpoint: they are not in its log of requests.
///
/// # Errors
/// As [`infer`].
pub(crate) fn probe(url: &str, token: &str, path: &str, rows: &[Map<String, Value>]) -> Result<Answers> {
    send(url, token, (path, true), rows)
}

fn send(
    url: &str,
    token: &str,
    (path, is_probe): (&str, bool),
    rows: &[Map<String, Value>],
) -> Result<Answers> {
    let request = body(rows);
    let started = Instant::now();
    let mut asked = agent(REQUEST_TIMEOUT)
        .post(format!("{url}{path}"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    if is_probe {
        asked = asked.header("X-Fettle-Probe", "1");
    }
    let sent = asked.send(request.as_str());
    let mut response = sent.map_err(|e| {
        Error::new(Code::Unavailable, format!("the endpoint at {url} does not answer"))
            .because(e)
            .hint("start it again on its page, or with `fettle deployment start`")
    })?;
    let latency_ms = started.elapsed().as_secs_f64() * 1e3;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap_or_default();
    Ok(answers(status, request, text, latency_ms))
}

/// Reads what an endpoint answered.
pub(crate) fn answers(status: u16, request: String, response: String, latency_ms: f64) -> Answers {
    let said: Value = serde_json::from_str(&response).unwrap_or_default();
    let outputs = said["outputs"].as_array().into_iter().flatten();
    let columns =
        outputs.filter_map(|output| Some((output["name"].as_str()?.to_owned(), output["data"].clone())));
    Answers { status, columns: columns.collect(), request, response, latency_ms }
}

/// Where a version of a model answers; the one that callers get if none is named.
pub(crate) fn path(model: &str, version: Option<u32>) -> String {
    match version {
        Some(version) => format!("/v2/models/{model}/versions/{version}/infer"),
        None => format!("/v2/models/{model}/infer"),
    }
}

/// Rows as the body of a request.
pub(crate) fn body(rows: &[Map<String, Value>]) -> String {
    let Some(first) = rows.first() else { return json!({ "inputs": [] }).to_string() };
    let input = |name: &String| {
        let data: Vec<&Value> = rows.iter().map(|row| row.get(name).unwrap_or(&Value::Null)).collect();
        let datatype = match data.iter().find(|value| !value.is_null()) {
            Some(Value::String(_)) => "BYTES",
            Some(Value::Bool(_)) => "BOOL",
            _ => "FP64",
        };
        json!({ "name": name, "shape": [rows.len()], "datatype": datatype, "data": data })
    };
    json!({ "inputs": first.keys().map(input).collect::<Vec<_>>() }).to_string()
}

pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    let config =
        ureq::Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).proxy(None);
    config.build().new_agent()
}
