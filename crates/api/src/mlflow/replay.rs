//! The recorded answers of MLflow's own server, asked of ours: what differs is mended, or stands in
//! [`DIFFERENCES`] with the reason. And what no caller may do, on every route.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use base::{Clock, Timestamp};
use engine::Engine;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::ROUTES;
use crate::routes::{App, Tokens};

/// Where we answer otherwise than MLflow, on purpose.
struct Difference {
    case: &'static str,
    status: u16,
    says: &'static str,
    #[expect(dead_code, reason = "it is for whoever reads this table")]
    reason: &'static str,
}

const fn differs(case: &'static str, status: u16, says: &'static str, reason: &'static str) -> Difference {
    Difference { case, status, says, reason }
}

const QUOTED: &str = "the clause is quoted as it was written, not the words it was cut into";
const EVERYWHERE: &str = "a file must have a name that every system can keep";

const DIFFERENCES: &[Difference] = &[
    differs(
        "make an experiment with a long place",
        400,
        "cannot be greater than 2048 characters.",
        "there is no environment variable to raise it",
    ),
    differs("search runs: metrics.auc > 0.8 OR params.lr = '0.1'", 400, "'OR params.lr = '0.1''", QUOTED),
    differs("search runs: metrics.auc >", 400, "'metrics.auc >'", QUOTED),
    differs("search runs: NOT metrics.auc > 1", 400, "'NOT metrics.auc > 1'", QUOTED),
    differs("search runs: metrics.auc BETWEEN 0 AND 1", 400, "'metrics.auc BETWEEN 0 AND 1'", QUOTED),
    differs(
        "search versions: version = 1",
        400,
        "Invalid attribute key 'version'",
        "the key is what is wrong with it",
    ),
    differs(
        "register a version from mlflow-artifacts://host/../../../",
        400,
        "cannot use the 'mlflow-artifacts' scheme",
        "there is no environment variable to allow it",
    ),
    differs("remove `/%2fetc%2fpasswd`", 400, "Invalid path", "it is refused, not sent elsewhere"),
    differs("take `/a%5c..%5cb`", 400, "Invalid path", EVERYWHERE),
    differs("bring `/a%5c..%5cb`", 400, "Invalid path", EVERYWHERE),
    differs("remove `/a%5c..%5cb`", 400, "Invalid path", EVERYWHERE),
    differs("no JSON", 400, "not a JSON object", "what is no JSON is not taken for nothing"),
];

const HOST: &str = "127.0.0.1:4711";
const TOKEN: &str = "a-token-for-everything";
const TRACKING_TOKEN: &str = "a-token-for-tracking";

fn app(folder: &Path) -> App {
    let clock = Clock::ticking(Timestamp(1_795_000_000_000));
    let engine = Arc::new(Engine::create_with(folder, clock, PathBuf::new()).unwrap());
    let tokens = Tokens { all: TOKEN.to_owned(), tracking: TRACKING_TOKEN.to_owned() };
    App::new(engine, tokens, 4711, "instance".to_owned(), None)
}

fn with_runtime<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(f)
}

async fn send(app: &App, request: Request<Body>) -> (u16, Value) {
    let response = app.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 30).await.unwrap();
    let text = || json!({ "text": String::from_utf8_lossy(&body) });
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| text()))
}

/// A text with the ids that are known put in.
fn fill(text: &str, known: &BTreeMap<String, String>) -> String {
    known.iter().fold(text.to_owned(), |text, (name, given)| text.replace(&format!("${{{name}}}"), given))
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn request(case: &Value, known: &BTreeMap<String, String>) -> Request<Body> {
    let text = |value: &Value| fill(value.as_str().unwrap_or_default(), known);
    let pair = |pair: &Value| format!("{}={}", encoded(&text(&pair[0])), encoded(&text(&pair[1])));
    let query: Vec<_> = case["query"].as_array().into_iter().flatten().map(pair).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let kind = case["type"].as_str().unwrap_or("application/json");
    let body = match (case.get("raw"), case.get("body")) {
        (Some(raw), _) => raw.as_str().unwrap_or_default().to_owned(),
        (None, Some(body)) => fill(&body.to_string(), known),
        (None, None) => String::new(),
    };
    Request::builder()
        .method(case["method"].as_str().unwrap())
        .uri(text(&case["path"]) + &query)
        .header("Host", HOST)
        .header("Authorization", format!("Bearer {TRACKING_TOKEN}"))
        .header("Content-Type", kind)
        .body(body.into())
        .unwrap()
}

/// An answer with what differs each time taken out, and with what has no order sorted.
fn settled(value: &Value, known: &BTreeMap<String, String>, key: &str) -> Value {
    const TIMES: [&str; 6] = [
        "creation_time",
        "last_update_time",
        "creation_timestamp",
        "last_updated_timestamp",
        "creation_timestamp_ms",
        "last_updated_timestamp_ms",
    ];
    match value {
        _ if TIMES.contains(&key) => json!("<time>"),
        _ if key == "next_page_token" => json!("<token>"),
        Value::Object(map) => {
            let each = |(name, one): (&String, &Value)| {
                // The points of a history are in order, the last points of a run are not.
                let place = if key == "data" && name == "metrics" { "last metrics" } else { name };
                (name.clone(), settled(one, known, place))
            };
            let sorted: BTreeMap<_, _> = map.iter().map(each).collect();
            json!(sorted)
        }
        Value::Array(all) => {
            let mut all: Vec<_> = all.iter().map(|one| settled(one, known, key)).collect();
            if ["tags", "params", "last metrics", "latest_versions", "aliases"].contains(&key) {
                all.sort_by_key(ToString::to_string);
            }
            json!(all)
        }
        Value::String(text) => {
            let mut text = text.clone();
            for (name, given) in known.iter().filter(|(_, given)| given.len() > 8) {
                text = text.replace(given, &format!("${{{name}}}"));
            }
            if is_random_name(&text) { json!("<name>") } else { json!(without_order(&text)) }
        }
        other => other.clone(),
    }
}

fn is_random_name(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.len() == 3 && is_word(parts[0]) && is_word(parts[1]) && parts[2].parse::<u32>().is_ok()
}

/// A message in which what stands between braces is sorted: there it is a set.
fn without_order(text: &str) -> String {
    let parts = || Some((text.find("'{'")?, text.rfind("'}")?));
    match parts() {
        Some((from, to)) if text.starts_with("Invalid") && from < to => {
            let set: BTreeSet<_> = text[from + 2..to + 1].split(", ").collect();
            format!("{}{set:?}{}", &text[..from], &text[to..])
        }
        _ => text.to_owned(),
    }
}

#[test]
fn every_recorded_request_is_answered_as_by_mlflow_or_otherwise_for_a_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/corpus/cases.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder.path().join("workspace"));
    let (mut known, mut wrong, mut used) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    with_runtime(async {
        for case in &cases {
            let name = case["name"].as_str().unwrap();
            let (status, reply) = send(&app, request(case, &known)).await;
            for (name, place) in case["keep"].as_object().into_iter().flatten() {
                let found = place.as_str().unwrap().split('.').fold(&reply, |at, part| &at[part]);
                known.insert(
                    name.clone(),
                    found.as_str().unwrap_or_else(|| panic!("{name}: {reply}")).to_owned(),
                );
            }
            let (ours, theirs) = (settled(&reply, &known, ""), settled(&case["reply"], &known, ""));
            // Where theirs is a page for people, only the status counts.
            let is_same = status == case["status"] && (case["reply"].is_null() || ours == theirs);
            match DIFFERENCES.iter().find(|one| one.case == name) {
                Some(one) => {
                    used.insert(name);
                    if is_same
                        || status != one.status
                        || !reply["message"].to_string().contains(&escaped(one.says))
                    {
                        wrong.push(format!("{name}: not as the table says: {status} {reply}"));
                    }
                }
                None if is_same => {}
                None => wrong
                    .push(format!("{name}:\n  theirs {} {theirs}\n  ours   {status} {ours}", case["status"])),
            }
        }
    });
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(used.len(), DIFFERENCES.len(), "the table names cases that are not there");
    assert!(cases.len() >= 250);
}

fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A request to a route, with whatever headers.
fn to(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.header("Content-Type", "application/json").body("{}".into()).unwrap()
}

#[test]
fn no_route_answers_without_the_token_or_to_a_foreign_page() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder.path().join("workspace"));
    let of_table = ROUTES.iter().map(|route| {
        let path = route.path.replace("{model_id}", "m-1").replace("{tag_key}", "t");
        (route.method, format!("/api/2.0/mlflow/{path}"))
    });
    let others = [
        ("GET", "/api/2.0/mlflow-artifacts/artifacts"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1/x"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/x"),
        ("DELETE", "/ajax-api/2.0/mlflow-artifacts/artifacts/1/x"),
        ("GET", "/get-artifact"),
        ("GET", "/model-versions/get-artifact"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("GET", "/ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files"),
        ("POST", "/v1/traces"),
        ("POST", "/graphql"),
        ("POST", "/api/3.0/mlflow/traces"),
    ];
    let all: Vec<_> = of_table.chain(others.map(|(method, path)| (method, path.to_owned()))).collect();
    let bearer = format!("Bearer {TRACKING_TOKEN}");
    let own = ("Host", HOST);
    let good = ("Authorization", bearer.as_str());
    with_runtime(async {
        for (method, path) in &all {
            for (status, headers) in [
                (401, vec![own]),
                (401, vec![own, ("Authorization", "Bearer wrong")]),
                (401, vec![own, ("Authorization", "Basic d3Jvbmc=")]),
                (401, vec![own, good, good]),
                (421, vec![good, ("Host", "evil.example:4711")]),
                (421, vec![good]),
                (403, vec![own, good, ("Origin", "http://evil.example")]),
                (403, vec![own, good, ("Origin", "null")]),
                (403, vec![own, good, ("Sec-Fetch-Site", "cross-site")]),
            ] {
                let (found, reply) = send(&app, to(method, path, &headers)).await;
                assert_eq!(found, status, "{method} {path} {headers:?}: {reply}");
                assert!(reply["error_code"].is_string(), "{method} {path}: {reply}");
            }
            let (found, reply) = send(&app, to(method, path, &[own, good])).await;
            assert!(!matches!(found, 401 | 403 | 421 | 500), "{method} {path}: {found} {reply}");
        }
    });
}

#[test]
fn the_token_of_scripts_opens_what_they_log_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder.path().join("workspace"));
    let scripts = format!("Bearer {TRACKING_TOKEN}");
    let everything = format!("Bearer {TOKEN}");
    // A user of whatever name, with the token as the password.
    let basic = "Basic YWRhOmEtdG9rZW4tZm9yLXRyYWNraW5n";
    let search = "/api/2.0/mlflow/experiments/get?experiment_id=0";
    with_runtime(async {
        for (token, path, status) in [
            (scripts.as_str(), "/rpc/workspace.info", 401),
            (basic, "/rpc/workspace.info", 401),
            (everything.as_str(), "/rpc/workspace.info", 200),
        ] {
            let (found, reply) =
                send(&app, to("POST", path, &[("Host", HOST), ("Authorization", token)])).await;
            assert_eq!(found, status, "{token} {path}: {reply}");
        }
        for token in [scripts.as_str(), basic, everything.as_str()] {
            let (found, reply) =
                send(&app, to("GET", search, &[("Host", HOST), ("Authorization", token)])).await;
            assert_eq!((found, &reply["experiment"]["name"]), (200, &json!("Default")), "{token}: {reply}");
        }
        let (found, reply) = send(&app, to("GET", "/version", &[("Host", HOST)])).await;
        assert_eq!((found, reply), (200, json!({ "text": "3.17.2" })));
    });
}

#[test]
fn what_is_for_language_models_is_said_not_to_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder.path().join("workspace"));
    let bearer = format!("Bearer {TRACKING_TOKEN}");
    with_runtime(async {
        for (method, path, status) in [
            ("POST", "/api/3.0/mlflow/traces", 501),
            ("POST", "/api/3.0/mlflow/traces/search", 501),
            ("GET", "/api/2.0/mlflow/gateway/routes", 501),
            ("POST", "/v1/traces", 501),
            ("POST", "/api/2.0/mlflow-artifacts/mpu/create/1/x", 501),
            ("GET", "/api/2.0/mlflow/nothing", 404),
            ("GET", "/api/2.0/mlflow/runs/create", 405),
        ] {
            let (found, reply) =
                send(&app, to(method, path, &[("Host", HOST), ("Authorization", &bearer)])).await;
            assert_eq!(found, status, "{method} {path}: {reply}");
            assert!(reply["message"].is_string(), "{reply}");
        }
    });
}

#[test]
fn a_prompt_is_found_among_the_models_only_by_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder.path().join("workspace"));
    let bearer = format!("Bearer {TRACKING_TOKEN}");
    let headers = [("Host", HOST), ("Authorization", bearer.as_str())];
    let start = "/api/2.0/mlflow/registered-models";
    with_runtime(async {
        for (name, tags) in
            [("model", json!([])), ("prompt", json!([{ "key": "mlflow.prompt.is_prompt", "value": "true" }]))]
        {
            let mut request = to("POST", &format!("{start}/create"), &headers);
            *request.body_mut() = json!({ "name": name, "tags": tags }).to_string().into();
            let (found, reply) = send(&app, request).await;
            assert_eq!(found, 200, "{reply}");
        }
        for (filter, wanted) in [
            ("", "model"),
            ("tag.`mlflow.prompt.is_prompt` != 'true'", "model"),
            ("tag.`mlflow.prompt.is_prompt` = 'true'", "prompt"),
        ] {
            let path = format!("{start}/search?filter={}", encoded(filter));
            let (_, reply) = send(&app, to("GET", &path, &headers)).await;
            let names: Vec<_> =
                reply["registered_models"].as_array().into_iter().flatten().map(|one| &one["name"]).collect();
            assert_eq!(names, [wanted], "{filter}");
        }
    });
}
