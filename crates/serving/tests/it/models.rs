//! Several models and versions at once: who answers, what a swap does to those who ask meanwhile,
//! and what a bad version does not do.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::server::{Server, one_row, package};

/// A server with a configuration in a folder of its own.
struct Configured {
    server: Server,
    folder: tempfile::TempDir,
}

impl Configured {
    fn start(models: &Json, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), models);
        let file = folder.path().join("serve.json");
        let server =
            Server::start_without_model(&[&["--config", file.to_str().expect("UTF-8")][..], flags].concat());
        Self { server, folder }
    }

    fn reload(&self, models: &Json) -> (u16, Json) {
        write(self.folder.path(), models);
        let answer = self.server.post("/v2/repository/reload", &json!({}));
        (answer.status, answer.json())
    }
}

fn write(folder: &Path, models: &Json) {
    let text = json!({ "models": models }).to_string();
    std::fs::write(folder.join("serve.json"), text).expect("it writes");
}

fn version(version: &str, more: &Json) -> Json {
    let mut entry = json!({ "version": version, "package": package() });
    entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    entry
}

fn model(name: &str, current: &str, versions: &[Json]) -> Json {
    json!({ "name": name, "current": current, "versions": versions })
}

/// A request in the Open Inference Protocol; its answer says which version gave it.
fn asked() -> Json {
    let inputs = one_row()["inputs"].clone();
    let tensor = |(name, data): (&String, &Json)| {
        let is_text = matches!(name.as_str(), "island" | "sex");
        json!({ "name": name, "shape": [1], "datatype": if is_text { "BYTES" } else { "FP64" }, "data": data })
    };
    json!({ "inputs": inputs.as_object().expect("columns").iter().map(tensor).collect::<Vec<_>>() })
}

/// The package of the fixture with a golden row that it does not answer.
fn bad_package(folder: &Path) -> PathBuf {
    let bad = folder.join("bad");
    std::fs::create_dir(&bad).expect("a folder");
    for name in ["MLmodel", "model.onnx", "fettle.json"] {
        std::fs::copy(package().join(name), bad.join(name)).expect("it copies");
    }
    let card = bad.join("fettle.json");
    let wrong = std::fs::read_to_string(&card).expect("it reads").replace("34.1", "60.5");
    std::fs::write(&card, wrong).expect("it writes");
    bad
}

#[test]
fn each_model_and_version_answers_under_its_own_name() {
    let none = json!({});
    let models = json!([
        model("a", "2", &[version("1", &none), version("2", &none)]),
        model("b", "7", &[version("7", &none)]),
    ]);
    let configured = Configured::start(&models, &[]);
    let server = &configured.server;
    for (path, name, version) in [
        ("/v2/models/a/infer", "a", "2"),
        ("/v2/models/a/versions/1/infer", "a", "1"),
        ("/v2/models/b/infer", "b", "7"),
    ] {
        let said = server.post(path, &asked()).json();
        assert_eq!((&said["model_name"], &said["model_version"]), (&json!(name), &json!(version)), "{path}");
    }
    assert_eq!(server.post("/v2/models/b/versions/1/infer", &asked()).status, 404);
    assert_eq!(server.post("/v2/models/c/infer", &asked()).status, 404);
    assert_eq!(server.post("/invocations", &one_row()).status, 200, "the first model answers");
    assert_eq!(server.get("/v2/models").json()["models"], json!(["a", "b"]));
    assert_eq!(server.get("/v2/models/a").json()["versions"], json!(["1", "2"]));
    let index = server.post("/v2/repository/index", &json!({})).json();
    assert_eq!(index.as_array().map(Vec::len), Some(3), "{index}");
    let metrics = server.get("/metrics");
    let metrics = metrics.text();
    assert!(metrics.contains("model_infer_rows_total{model=\"a\",version=\"1\"} 1"), "{metrics}");
    assert!(metrics.contains("model_infer_rows_total{model=\"a\",version=\"2\"} 2"), "{metrics}");
    assert_eq!(metrics.matches("# TYPE model_infer_rows_total").count(), 1);
}

#[test]
fn a_thousand_swaps_under_load_fail_no_request() {
    let at = |number: usize| {
        let number = number.to_string();
        json!([model("m", &number, &[version(&number, &json!({}))])])
    };
    let configured = Configured::start(&at(0), &["--concurrency", "64"]);
    let (is_done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let request = asked();
                let mut newest = 0;
                while !is_done.load(Ordering::Relaxed) {
                    let answer = configured.server.post("/v2/models/m/infer", &request);
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    let version = answer.json()["model_version"].as_str().and_then(|text| text.parse().ok());
                    let version: usize = version.expect("a number");
                    assert!(version >= newest, "version {version} answered after {newest}");
                    newest = version;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Whatever fails here must not leave the clients running for ever.
        let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for number in 1..=1000 {
                let (status, said) = configured.reload(&at(number));
                assert_eq!((status, &said["models"][0]["current"]), (200, &json!(number.to_string())));
            }
        }));
        is_done.store(true, Ordering::Relaxed);
        swapped.expect("every swap is taken");
    });
    assert!(answered.load(Ordering::Relaxed) > 100, "{answered:?}");
}

#[test]
fn a_bad_version_never_gets_a_request_and_the_one_before_goes_on() {
    let none = json!({});
    let good = json!([model("m", "1", &[version("1", &none)])]);
    let configured = Configured::start(&good, &[]);
    let bad = bad_package(configured.folder.path());
    let wrong = [
        json!([model("m", "2", &[json!({ "version": "2", "package": bad })])]),
        json!([model("m", "2", &[json!({ "version": "2", "package": "/no/such/package" })])]),
        json!([model("m", "3", &[version("2", &none)])]),
        json!([]),
        json!("nonsense"),
    ];
    for models in &wrong {
        let (status, said) = configured.reload(models);
        assert!((400..500).contains(&status) && said["error"].is_string(), "{status} {said}");
        let answer = configured.server.post("/v2/models/m/infer", &asked()).json();
        assert_eq!(answer["model_version"], "1", "{models}");
    }
    let (status, _) = configured.reload(&good);
    assert_eq!(status, 200);
    let without = Server::start(&[]);
    assert_eq!(without.post("/v2/repository/reload", &json!({})).status, 409, "nothing to read again");
}

#[test]
fn a_canary_gets_its_share_and_a_shadow_answers_nobody() {
    let models = json!([model(
        "m",
        "1",
        &[
            version("1", &json!({})),
            version("2", &json!({ "sharePct": 25 })),
            version("3", &json!({ "shadow": true }))
        ]
    )]);
    let logs = tempfile::tempdir().expect("a folder");
    let configured = Configured::start(&models, &["--log-dir", logs.path().to_str().expect("UTF-8")]);
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..100 {
        let answer = configured.server.post("/v2/models/m/infer", &asked()).json();
        *counts.entry(answer["model_version"].as_str().expect("a version").to_owned()).or_default() += 1;
    }
    assert_eq!(counts, [("1".to_owned(), 75), ("2".to_owned(), 25)].into());
    let started = Instant::now();
    let scored = loop {
        let metrics = configured.server.get("/metrics");
        let scored = metrics.text().lines().find_map(|line| {
            line.strip_prefix("model_infer_rows_total{model=\"m\",version=\"3\"} ")?.parse::<u32>().ok()
        });
        let skipped = metrics
            .text()
            .lines()
            .find_map(|line| line.strip_prefix("model_shadow_skipped_total ")?.parse::<u32>().ok());
        let (scored, skipped) = (scored.expect("it is counted"), skipped.expect("it is counted"));
        if scored + skipped == 75 {
            break scored;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{scored} scored, {skipped} skipped");
    };
    assert!(scored > 0);
}

#[test]
fn rows_scored_together_are_answered_as_alone() {
    let one = Server::start(&["--batch-rows", "64"]);
    let expected = Server::start(&[]).post("/invocations", &one_row()).json();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for at in 0..40 {
                    if at % 10 == 9 {
                        let mut wrong = one_row();
                        wrong["inputs"]["body_mass_g"] = json!(["no number"]);
                        assert_eq!(one.post("/invocations", &wrong).status, 400);
                    }
                    let answer = one.post("/invocations", &one_row());
                    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
                }
            });
        }
    });
}

#[test]
fn slow_connections_do_not_hold_up_a_good_client() {
    use std::io::Write as _;
    const SLOW: usize = 400;
    const ASKED: usize = 200;
    let server = Server::start(&[]);
    let p99 = || {
        let mut times: Vec<Duration> = (0..ASKED)
            .map(|_| {
                let started = Instant::now();
                assert_eq!(server.post("/invocations", &one_row()).status, 200);
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[ASKED * 99 / 100 - 1]
    };
    let alone = p99();
    let mut slow: Vec<_> = (0..SLOW).map(|_| server.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1").expect("half a head is sent");
    }
    let among = p99();
    for stream in &mut slow {
        // Each goes on byte by byte, and never ends.
        stream.write_all(b"\r\nX").expect("the server still waits for it");
    }
    let limit = Duration::from_millis(50).max(alone * 5);
    assert!(among < limit && p99() < limit, "{among:?} among slow ones, {alone:?} alone");
}

#[cfg(unix)]
#[test]
fn the_signal_to_hang_up_reloads_and_a_wrong_file_changes_nothing() {
    let none = json!({});
    let configured = Configured::start(&json!([model("m", "1", &[version("1", &none)])]), &[]);
    let current = || configured.server.get("/v2").json()["model"]["version"].clone();
    let hang_up = || {
        let pid = configured.server.child.id().to_string();
        let status = std::process::Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs");
        assert!(status.success());
    };
    write(configured.folder.path(), &json!("nonsense"));
    hang_up();
    write(configured.folder.path(), &json!([model("m", "2", &[version("2", &none)])]));
    hang_up();
    let started = Instant::now();
    while current() != "2" {
        assert!(started.elapsed() < Duration::from_secs(10), "version {} still answers", current());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let path = |name: &str| files.join(name).to_str().expect("UTF-8").to_owned();
    let server = Server::start(&["--tls-cert", &path("certificate.pem"), "--tls-key", &path("key.pem")]);
    assert!(server.hello["listening"].as_str().is_some_and(|url| url.starts_with("https://")));
    let pem = std::fs::read(files.join("certificate.pem")).expect("it reads");
    let root = Certificate::from_pem(&pem).expect("a certificate");
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let url = format!("https://localhost:{}/v2/health/ready", server.port);
    let mut answer = agent.get(&url).call().expect("it answers");
    assert_eq!(answer.body_mut().read_json::<Json>().expect("JSON")["ready"], true);
    let plain = server.raw(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
}
