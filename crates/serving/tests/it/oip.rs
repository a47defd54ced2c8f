//! Open Inference Protocol v2.

use serde_json::{Value as Json, json};

use crate::server::{Server, TOKEN, assert_close, rows};

fn tensors(rows: &Json) -> Vec<Json> {
    let columns = rows["inputs"].as_object().expect("columns");
    let tensor = |(name, data): (&String, &Json)| {
        let is_text = matches!(name.as_str(), "island" | "sex");
        let count = data.as_array().expect("a column").len();
        json!({ "name": name, "shape": [count], "datatype": if is_text { "BYTES" } else { "FP64" }, "data": data })
    };
    columns.iter().map(tensor).collect()
}

fn row_with(name: &str, change: impl FnOnce(&mut Json)) -> Json {
    let mut inputs = tensors(&json!({ "inputs": crate::server::one_row()["inputs"] }));
    let input = inputs.iter_mut().find(|input| input["name"] == name).expect("it is there");
    change(input);
    json!({ "inputs": inputs })
}

const INFER: &str = "/v2/models/penguins/infer";

#[test]
fn predictions_are_those_of_onnxruntime() {
    let server = Server::start(&[]);
    let rows = rows();
    let answer = server.post(INFER, &json!({ "id": "a-b", "inputs": tensors(&rows) }));
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!(
        (&body["id"], &body["model_name"], &body["model_version"]),
        (&json!("a-b"), &json!("penguins"), &json!("1"))
    );
    assert_eq!(answer.header("x-request-id"), Some("a-b"));
    for output in body["outputs"].as_array().expect("outputs") {
        let name = output["name"].as_str().expect("a name");
        let expected = rows["outputs"][name].as_array().expect("it is recorded");
        assert_eq!(output["shape"], json!([expected.len()]));
        for (row, (got, expected)) in
            output["data"].as_array().expect("data").iter().zip(expected).enumerate()
        {
            assert_close(got, expected, &format!("{name}[{row}]"));
        }
    }
}

#[test]
fn tensors_go_raw_both_ways_and_outputs_are_chosen() {
    let server = Server::start(&[]);
    let mut raw = Vec::new();
    let mut inputs = Vec::new();
    for (name, value) in crate::server::one_row()["inputs"].as_object().expect("columns") {
        let before = raw.len();
        let datatype = match &value[0] {
            Json::Number(number) => {
                raw.extend((number.as_f64().expect("a number") as f32).to_le_bytes());
                "FP32"
            }
            text => {
                let text = text.as_str().unwrap_or_default();
                raw.extend((text.len() as u32).to_le_bytes());
                raw.extend(text.as_bytes());
                "BYTES"
            }
        };
        let size = raw.len() - before;
        inputs.push(json!({ "name": name, "shape": [1, 1], "datatype": datatype, "parameters": { "binary_data_size": size } }));
    }
    let outputs =
        json!([{ "name": "probability_Gentoo", "parameters": { "binary_data": true } }, { "name": "label" }]);
    let mut body = json!({ "inputs": inputs, "outputs": outputs }).to_string().into_bytes();
    let length = body.len().to_string();
    body.extend(&raw);
    let answer = server.post_raw(
        INFER,
        &[("content-type", "application/octet-stream"), ("inference-header-content-length", &length)],
        &body,
    );
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let header: usize =
        answer.header("inference-header-content-length").and_then(|l| l.parse().ok()).expect("a length");
    let json: Json = serde_json::from_slice(&answer.body[..header]).expect("JSON comes first");
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 4);
    assert_eq!(json["outputs"][1]["data"], json!(["Adelie"]));
    let share = f32::from_le_bytes(answer.body[header..].try_into().expect("one number follows"));
    assert!((share - 6.971_027e-5).abs() < 1e-8, "{share}");
}

#[test]
fn the_server_and_its_model_describe_themselves() {
    let server = Server::start(&["--version", "7", "--instance", "abc", "--name", "birds"]);
    let about = server.get("/v2").json();
    assert_eq!((&about["instance"], &about["model"]["version"]), (&json!("abc"), &json!("7")));
    assert_eq!(server.get("/v2/").json(), about);
    let model = server.get("/v2/models/birds").json();
    assert_eq!(model["inputs"][0], json!({ "name": "bill_length_mm", "datatype": "FP64", "shape": [-1] }));
    assert_eq!(model["outputs"][0], json!({ "name": "label", "datatype": "BYTES", "shape": [-1] }));
    assert_eq!(server.get("/v2/models/birds/versions/7").json(), model);
    assert_eq!(server.get("/v2/models/birds/versions/7/ready").json()["ready"], true);
    assert_eq!(server.get("/v2/models").json(), json!({ "models": ["birds"] }));
    for path in [
        "/v2/models/other",
        "/v2/models/birds/versions/8",
        "/v2/models/birds/versions/8/stats",
        "/nothing",
        "/v2/x",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}");
    }
    assert_eq!(server.post("/v2/models/other/infer", &json!({})).status, 404);
    assert_eq!(
        server.ask("DELETE", "/v2", &[("authorization", &format!("Bearer {TOKEN}"))], b"").status,
        405
    );
    assert_eq!(server.get("/openapi.json").json()["openapi"], "3.1.0");
    let page = server.ask("GET", "/", &[], b"");
    assert!(page.text().contains("<title>birds</title>") && page.header("content-security-policy").is_some());
}

#[test]
fn counters_count_what_was_asked() {
    let server = Server::start(&[]);
    let row = json!({ "inputs": tensors(&crate::server::one_row()) });
    for _ in 0..3 {
        assert_eq!(server.post(INFER, &row).status, 200);
    }
    assert_eq!(server.post(INFER, &json!({ "inputs": [] })).status, 400);
    let stats = server.get("/v2/models/penguins/stats").json();
    let stats = &stats["model_stats"][0];
    assert_eq!(
        (&stats["inference_count"], &stats["inference_stats"]["fail"]["count"]),
        (&json!(3), &json!(1))
    );
    let metrics = server.get("/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "model_infer_requests_total{model=\"penguins\",version=\"1\",code=\"200\"} 3",
        "model_infer_requests_total{model=\"penguins\",version=\"1\",code=\"400\"} 1",
        "model_infer_duration_seconds_count{model=\"penguins\",version=\"1\"} 4",
        "nv_inference_request_success{model=\"penguins\",version=\"1\"} 3",
        "nv_inference_pending_request_count{model=\"penguins\",version=\"1\"} 0",
    ] {
        assert!(metrics.text().lines().any(|own| own == line), "{line} is not in\n{}", metrics.text());
    }
}

#[test]
fn what_is_not_the_protocol_gets_a_sentence_that_names_it() {
    let server = Server::start(&[]);
    let number = "bill_length_mm";
    let set = |field: &'static str, value: Json| row_with(number, move |input| input[field] = value);
    let cases = [
        (json!([1]), "no list `inputs`"),
        (json!({ "inputs": [] }), "no row"),
        (json!({ "inputs": [1] }), "no name"),
        (set("name", json!("nix")), "no input `nix`"),
        (set("name", json!("body_mass_g")), "twice"),
        (set("datatype", json!("BYTES")), "expects FP64"),
        (set("datatype", json!("FP8")), "unknown datatype"),
        (set("shape", json!([2])), "1 elements, its shape says 2"),
        (set("shape", json!([0])), "no length"),
        (set("shape", json!([-1])), "no length"),
        (set("shape", json!([1.5])), "no length"),
        (set("shape", json!([9_223_372_036_854_775_807_i64, 2])), "no length"),
        (set("shape", json!([4_000_000_000_u64 - 1])), "its shape says"),
        (set("shape", json!([1, 2])), "[rows] or [rows, 1]"),
        (set("shape", json!([1, 1, 1])), "axes"),
        (set("shape", json!("x")), "whole numbers"),
        (set("data", json!(["abc"])), "row 0: `abc` is not a number"),
        (set("data", json!([{}])), "row 0"),
        (row_with("island", |input| input["data"] = json!([5])), "`5` is not text"),
        (
            row_with(number, |input| input["parameters"] = json!({ "binary_data_size": 8 })),
            "both data and raw",
        ),
        (set("datatype", json!("INT32")), "holds 34.1"),
    ];
    for (request, expected) in cases {
        let answer = server.post(INFER, &request);
        let error = answer.json()["error"].as_str().map(str::to_owned).unwrap_or_default();
        // A datatype that does not exist is only met when the raw bytes are read.
        if expected != "unknown datatype" {
            assert_eq!(answer.status, 400, "{expected}: {error}");
            assert!(error.contains(expected), "`{error}` does not say `{expected}`");
        }
    }
    let short = json!({ "inputs": [{ "name": number, "shape": [1], "datatype": "FP64", "parameters": { "binary_data_size": 1_000_000 } }] });
    let length = short.to_string().len().to_string();
    let headers =
        [("content-type", "application/json"), ("inference-header-content-length", length.as_str())];
    assert_eq!(server.post_raw(INFER, &headers, short.to_string().as_bytes()).status, 400);
    let headers = [("content-type", "application/json"), ("inference-header-content-length", "99999999999")];
    assert_eq!(server.post_raw(INFER, &headers, b"{}").status, 400);
}
