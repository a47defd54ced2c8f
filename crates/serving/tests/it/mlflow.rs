//! MLflow's scoring protocol and V1 predict.

use std::io::Write as _;

use serde_json::{Value as Json, json};

use crate::server::{Server, assert_close, one_row, rows};

#[test]
fn all_formats_give_the_same_records() {
    let server = Server::start(&[]);
    let rows = rows();
    let columns = rows["inputs"].as_object().expect("columns");
    let count = columns["island"].as_array().expect("a column").len();
    let names: Vec<&String> = columns.keys().collect();
    let list: Vec<Json> =
        (0..count).map(|row| columns.values().map(|column| column[row].clone()).collect()).collect();
    let records: Vec<Json> = list
        .iter()
        .map(|row| {
            names
                .iter()
                .zip(row.as_array().expect("a row"))
                .map(|(name, v)| ((*name).clone(), v.clone()))
                .collect()
        })
        .collect();
    let mut csv = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    for row in &list {
        let cells = row.as_array().expect("a row").iter().map(|cell| match cell {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        csv.push('\n');
        csv.push_str(&cells.collect::<Vec<_>>().join(","));
    }
    let index: Vec<usize> = (0..count).collect();
    let answers = [
        server.post(
            "/invocations",
            &json!({ "dataframe_split": { "columns": names, "index": index, "data": list } }),
        ),
        server.post("/invocations", &json!({ "dataframe_records": records })),
        server.post("/invocations", &json!({ "instances": records })),
        server.post("/invocations", &json!({ "instances": list })),
        server.post("/invocations", &json!({ "inputs": columns, "params": {} })),
        server.post("/v1/models/penguins:predict", &json!({ "instances": records, "parameters": {} })),
        server.post_raw("/invocations", &[("content-type", "text/csv; charset=utf-8")], csv.as_bytes()),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let predictions = answer.json()["predictions"].as_array().cloned().expect("predictions");
        assert_eq!(predictions.len(), count);
        for (row, record) in predictions.iter().enumerate() {
            for (name, expected) in rows["outputs"].as_object().expect("outputs") {
                assert_close(&record[name], &expected[row], &format!("{name}[{row}]"));
            }
        }
    }
}

#[test]
fn columns_that_the_model_does_not_read_are_passed_over_and_optional_ones_may_be_missing() {
    let server = Server::start(&[]);
    let mut row = one_row();
    row["inputs"]["note"] = json!([{ "any": "thing" }]);
    row["inputs"].as_object_mut().expect("columns").remove("sex");
    let answer = server.post("/invocations", &row);
    assert_eq!(answer.json()["predictions"][0]["label"], "Adelie");
    row["inputs"].as_object_mut().expect("columns").remove("island");
    let answer = server.post("/invocations", &row);
    assert_eq!((answer.status, &answer.json()["error_code"]), (400, &json!("BAD_REQUEST")));
    assert!(answer.text().contains("the column `island` is missing"), "{}", answer.text());
}

#[test]
fn errors_have_the_shape_that_mlflow_gives_them() {
    let server = Server::start(&[]);
    let post =
        |kind: &str, body: &str| server.post_raw("/invocations", &[("content-type", kind)], body.as_bytes());
    for (body, says) in [
        ("[1]", "Received a list."),
        ("{}", "Received dictionary with input fields: []"),
        (r#"{"instances": [], "inputs": {}}"#, "['inputs', 'instances']"),
        ("{", "Failed to parse input"),
        (r#"{"dataframe_split": {"columns": ["a"]}}"#, "no list `data`"),
        (r#"{"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}"#, "Row 0 has 1 values, expected 2"),
        (r#"{"instances": [1, {"a": 2}]}"#, "Row 0"),
        (
            r#"{"inputs": {"bill_length_mm": [1, 2], "body_mass_g": [1]}}"#,
            "has 1 values, the ones before it 2",
        ),
        (r#"{"inputs": 5}"#, "must be a list or a dictionary"),
    ] {
        let answer = post("application/json", body);
        let error = answer.json();
        assert_eq!((answer.status, &error["error_code"]), (400, &json!("BAD_REQUEST")), "{body}");
        assert!(
            error["message"].as_str().is_some_and(|message| message.contains(says)),
            "{error} lacks `{says}`"
        );
    }
    for (kind, says) in [
        ("text/plain", "This predictor only supports the following content types"),
        ("application/vnd.bentoml+pickle", "This predictor only supports"),
        ("application/x-www-form-urlencoded", "This predictor only supports"),
        ("multipart/form-data; boundary=x", "Unrecognized content type parameters"),
        ("application/json; charset=latin-1", "The scoring server only supports UTF-8"),
    ] {
        let answer = post(kind, "{}");
        assert_eq!(answer.status, 415, "{kind}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.text().contains(says), "{kind}: {}", answer.text());
    }
}

#[test]
fn packed_bodies_are_unpacked_within_the_limit() {
    let server = Server::start(&["--body-limit-mb", "1"]);
    let body = one_row().to_string();
    let gzip = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).and_then(|()| packer.finish()).expect("it packs")
    };
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let zlib = zlib.write_all(body.as_bytes()).and_then(|()| zlib.finish()).expect("it packs");
    let post = |encoding: &str, bytes: &[u8]| {
        server.post_raw(
            "/invocations",
            &[("content-type", "application/json"), ("content-encoding", encoding)],
            bytes,
        )
    };
    assert_eq!(post("gzip", &gzip(body.as_bytes())).status, 200);
    assert_eq!(post("deflate", &zlib).status, 200);
    assert_eq!(post("br", body.as_bytes()).status, 415);
    assert_eq!(post("gzip", body.as_bytes()).status, 400);
    let bomb = gzip(&vec![b' '; 200_000_000]);
    assert!(bomb.len() < 300_000);
    assert_eq!(post("gzip", &bomb).status, 413);
}

#[test]
fn health_is_a_line_end_as_in_mlflow() {
    let server = Server::start(&[]);
    for path in ["/ping", "/health"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.text()), (200, "\n"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert!(!server.get("/version").text().is_empty());
}
