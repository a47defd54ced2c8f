//! Bodies of any content, read in every protocol: they are answered or refused, never a panic.

use std::path::Path;

use axum::http::{HeaderMap, HeaderValue, header};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof};
use score::Package;
use serde_json::Value as Json;

use crate::{mlflow, oip};

/// JSON whose words are those of the protocols, so that it gets past the first checks.
fn json() -> impl Strategy<Value = Json> {
    let words = prop::sample::select(vec![
        "inputs",
        "outputs",
        "name",
        "shape",
        "datatype",
        "data",
        "parameters",
        "binary_data_size",
        "binary_data",
        "binary_data_output",
        "id",
        "dataframe_split",
        "dataframe_records",
        "instances",
        "columns",
        "index",
        "bill_length_mm",
        "bill_depth_mm",
        "flipper_length_mm",
        "body_mass_g",
        "island",
        "sex",
        "label",
        "FP64",
        "FP32",
        "INT64",
        "BYTES",
        "BOOL",
        "Torgersen",
    ]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-2_i64..4).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        words.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 96, 8, move |inner| {
        let entry = (words.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(Json::from),
            prop::collection::vec(entry, 0..8).prop_map(|entries| entries
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

fn package() -> Package {
    Package::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/penguins"))
        .expect("the fixture loads")
}

fn headers(kind: &'static str, length: Option<usize>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(length) = length {
        headers.insert(oip::request::HEADER_LENGTH, HeaderValue::from(length));
    }
    headers
}

/// Reads the body in every protocol and scores what it turns out to hold.
fn survive(package: &Package, body: &[u8], length: Option<usize>) {
    if let Ok(asked) = oip::request::read(package, &headers("application/json", length), body)
        && let Ok(answer) = package.predict(&asked.batch)
    {
        let _ = oip::response::write(package, "m", "1", &asked, &answer);
    }
    for kind in ["application/json", "text/csv"] {
        if let Ok(batch) = mlflow::read(package, &headers(kind, None), body)
            && let Ok(answer) = package.predict(&batch)
        {
            let _ = mlflow::write(&answer);
        }
    }
}

#[test]
fn requests_of_any_json_and_any_bytes_are_survived() {
    let package = package();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1500));
    runner
        .run(&(json(), prop::option::of(0_usize..400)), |(body, length)| {
            survive(&package, body.to_string().as_bytes(), length);
            Ok(())
        })
        .expect("no body panics");
    runner
        .run(
            &(prop::collection::vec(any::<u8>(), 0..300), prop::option::of(0_usize..400)),
            |(body, length)| {
                survive(&package, &body, length);
                Ok(())
            },
        )
        .expect("no body panics");
}

#[test]
fn a_request_with_bytes_changed_is_survived() {
    let package = package();
    let inputs = package.inputs().iter().map(|input| {
        let is_text = input.kind == score::Kind::Text;
        let (datatype, data) =
            if is_text { ("BYTES", Json::from("Biscoe")) } else { ("FP64", Json::from(40.5)) };
        serde_json::json!({ "name": input.name, "shape": [1], "datatype": datatype, "data": [data] })
    });
    let whole = serde_json::json!({ "inputs": inputs.collect::<Vec<_>>() }).to_string().into_bytes();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1500));
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    runner
        .run(&changes, |changes| {
            let mut body = whole.clone();
            for (at, value) in changes {
                let at = at.index(body.len());
                body[at] = value;
            }
            survive(&package, &body, None);
            Ok(())
        })
        .expect("no body panics");
}
