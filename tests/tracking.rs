//! The tracking server as a process: what it acknowledged is there whatever kills it, and what
//! scripts log is seen beside the runs of pipelines.
#![cfg(unix)]

mod testkit;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::World;

/// A server that goes with the test.
struct Server {
    process: Child,
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Server {
    fn start(world: &World) -> Self {
        let mut process =
            world.command(&["track", "serve"]).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("it is piped");
        // The answer of this verb comes in one line or several; its end is that of an object.
        for part in BufReader::new(out).lines() {
            line += &part.expect("it can be read");
            if serde_json::from_str::<Value>(&line).is_ok() {
                break;
            }
        }
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let token = std::fs::read_to_string(world.workspace().join("tracking.token")).expect("a token");
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let url = ready["url"].as_str().expect("an address").to_owned();
        Self { process, url, token, agent: config.new_agent() }
    }

    /// Sends a request; the status and the answer, or nothing when the server was gone.
    fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.agent.post(format!("{}/api/2.0/mlflow/{path}", self.url));
        let sent = request.header("Authorization", format!("Bearer {}", self.token)).send_json(body);
        let mut response = sent.ok()?;
        let status = response.status().as_u16();
        Some((status, response.body_mut().read_json().ok()?))
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let (status, reply) = self.try_post(path, &body).expect("the server answers");
        assert_eq!(status, 200, "{path} {body}: {reply}");
        reply
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let request = self.agent.get(format!("{}/api/2.0/{path}", self.url));
        let sent = request.header("Authorization", format!("Bearer {}", self.token)).call();
        let mut response = sent.expect("the server answers");
        let status = response.status().as_u16();
        (status, response.body_mut().read_json().unwrap_or_default())
    }

    fn begin(&self, name: &str) -> String {
        let run =
            self.post("runs/create", json!({ "experiment_id": "0", "run_name": name, "start_time": 1 }));
        run["run"]["info"]["run_id"].as_str().expect("an id").to_owned()
    }

    fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already, which is what some tests are about.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_kill_among_a_thousand_writes_loses_nothing_that_was_acknowledged() {
    let world = World::new();
    let server = Server::start(&world);
    let id = server.begin("killed");
    let acknowledged = Mutex::new(Vec::new());
    let is_dead = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (server, id, acknowledged, is_dead) = (&server, &id, &acknowledged, &is_dead);
            scope.spawn(move || {
                for n in 0..125 {
                    let step = thread * 125 + n;
                    let body = json!({ "run_id": id, "key": "loss", "value": step, "timestamp": step, "step": step });
                    let answer = server.try_post("runs/log-metric", &body);
                    match answer {
                        Some((200, _)) => acknowledged.lock().expect("no thread panicked").push(step),
                        answer => {
                            assert!(is_dead.load(Ordering::SeqCst), "{answer:?} before the kill");
                            return;
                        }
                    }
                }
            });
        }
        // In the midst of it: when enough is acknowledged and more is on its way.
        while acknowledged.lock().expect("no thread panicked").len() < 300 {
            std::thread::yield_now();
        }
        is_dead.store(true, Ordering::SeqCst);
        let pid = server.process.id().to_string();
        let killed = std::process::Command::new("kill").args(["-9", &pid]).status().expect("kill starts");
        assert!(killed.success());
    });
    drop(server);
    let acknowledged = acknowledged.into_inner().expect("no thread panicked");
    let server = Server::start(&world);
    let (status, history) = server.get(&format!("mlflow/metrics/get-history?run_id={id}&metric_key=loss"));
    assert_eq!(status, 200, "{history}");
    let kept: std::collections::BTreeSet<i64> = history["metrics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|point| point["step"].as_i64())
        .collect();
    let lost: Vec<_> = acknowledged.iter().filter(|step| !kept.contains(step)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() < 1000, "it was killed too late to show anything");
    let (_, run) = server.get(&format!("mlflow/runs/get?run_id={id}"));
    assert_eq!(run["run"]["info"]["status"], "RUNNING", "a script goes on without its server");
    server.kill();
    let report = world.ok(&["workspace", "check", "--full"]);
    assert_eq!(report["isClean"], true, "{report}");
}

#[test]
fn what_a_script_logs_is_listed_and_shown_beside_the_runs_of_pipelines() {
    let world = World::new();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    let server = Server::start(&world);
    let id = server.begin("by a script");
    for step in 0..3 {
        let point = json!({ "run_id": id, "key": "auc", "value": 0.5, "timestamp": step, "step": step });
        server.post("runs/log-metric", point);
    }
    let tags = [json!({ "key": "mlflow.note.content", "value": "a note" })];
    let params = [json!({ "key": "depth", "value": "3" })];
    server.post("runs/log-batch", json!({ "run_id": id, "params": params, "tags": tags }));
    server.post("runs/update", json!({ "run_id": id, "status": "FINISHED", "end_time": 2_001 }));
    let listed = world.ok(&["call", "run.list"]);
    let row = &listed["runs"][0];
    assert_eq!(
        (&row["id"], &row["name"], &row["experiment"]),
        (&json!(id), &json!("by a script"), &json!("Default"))
    );
    assert_eq!(
        (&row["state"], &row["durationMs"], &row["note"]),
        (&json!("done"), &json!(2_000), &json!("a note"))
    );
    assert_eq!(row["metrics"], json!({ "auc": 0.5 }));
    let shown = world.ok(&["call", "run.show", &json!({ "run": id }).to_string()]);
    assert_eq!(shown["script"]["params"], json!([["depth", "3"]]));
    assert_eq!(shown["script"]["metrics"][0]["points"], 3);
    let curves = world.ok(&["call", "run.curves", &json!({ "run": id }).to_string()]);
    assert_eq!(curves["curves"][0]["points"], json!([[0.0, 0.5, null], [1.0, 0.5, null], [2.0, 0.5, null]]));
}

#[test]
fn runs_of_scripts_are_filtered_grouped_marked_and_moved_by_the_command_line() {
    let world = World::new();
    let server = Server::start(&world);
    let outer = server.begin("depths");
    for (depth, seed, auc) in [("3", "1", 0.5), ("3", "2", 0.75), ("6", "1", 0.875), ("6", "2", 0.625)] {
        let id = server.begin(&format!("depth {depth} seed {seed}"));
        let metrics = [json!({ "key": "auc", "value": auc, "timestamp": 2, "step": 0 })];
        let params =
            [("depth", depth), ("seed", seed)].map(|(key, value)| json!({ "key": key, "value": value }));
        let tags = [json!({ "key": "mlflow.parentRunId", "value": outer })];
        server.post(
            "runs/log-batch",
            json!({ "run_id": id, "metrics": metrics, "params": params, "tags": tags }),
        );
    }
    let names = |page: &Value| -> Vec<String> {
        let rows = page["rows"].as_array().into_iter().flatten();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    };

    // What is saved as a view is shown by it, and what is said beside it counts more.
    let filter = "metrics.auc > 0.6 and params.seed = '2'";
    world.ok(&["run", "save-view", "second seed", "--filter", filter, "--order", "metrics.auc desc"]);
    assert_eq!(world.ok(&["run", "views"])[0]["name"], "second seed");
    let shown = world.ok(&["run", "list", "--view", "second seed"]);
    assert_eq!(names(&shown), ["depth 3 seed 2", "depth 6 seed 2"]);
    let shown = world.ok(&["run", "list", "--view", "second seed", "--order", "metrics.auc asc"]);
    assert_eq!(names(&shown), ["depth 6 seed 2", "depth 3 seed 2"]);
    let error = world.fails(2, &["run", "list", "--filter", "metrics.auc > 'high'"]);
    assert!(error.to_string().contains("high"), "{error}");

    let by =
        ["run", "list", "--group", "params.depth", "--column", "metrics.auc", "--filter", "metrics.auc > 0"];
    let groups = world.ok(&by)["groups"].take();
    assert_eq!((&groups[0]["value"], &groups[0]["runs"]), (&json!("3"), &json!(2)));
    assert_eq!(groups[0]["stats"][0]["mean"], 0.625);
    assert_eq!(groups[1]["stats"][0]["mean"], 0.75);
    let nested = world.ok(&["call", "run.table", &json!({ "under": outer }).to_string()]);
    assert_eq!(nested["total"], 4);
    let outermost = world.ok(&["call", "run.table", r#"{"place": "outermost"}"#]);
    assert_eq!(
        (names(&outermost), &outermost["rows"][0]["children"]),
        (vec!["depths".to_owned()], &json!(4))
    );

    // Marks and moves are on all of the runs or on none; a number counts in the project that is named.
    world.ok(&["run", "mark", "2", "3", "--star", "--tag", "team=vision"]);
    let marked = world.ok(&["run", "list", "--filter", "tags.team = 'vision'", "--column", "tags.team"]);
    assert_eq!((&marked["total"], &marked["rows"][0]["isStarred"]), (&json!(2), &json!(true)));
    assert_eq!(marked["rows"][0]["cells"], json!(["vision"]));
    world.fails(2, &["run", "mark", "2", "3"]);
    world.fails(2, &["run", "mark", "2", "99", "--tag", "team=none"]);
    assert_eq!(world.ok(&["run", "list", "--filter", "tags.team = 'none'"])["total"], 0);
    for id in ["2", "3"] {
        let id = world.ok(&["run", "show", id])["summary"]["id"].as_str().expect("an id").to_owned();
        server.post("runs/update", json!({ "run_id": id, "status": "FINISHED", "end_time": 3 }));
    }
    world.ok(&["run", "delete", "2", "3"]);
    assert_eq!(world.ok(&["run", "list", "--filter", "params.depth = '3'"])["total"], 0);
    assert_eq!(world.ok(&["call", "run.table", r#"{"place": "trash"}"#])["total"], 2);
    world.ok(&["run", "restore", "2", "3"]);
    assert_eq!(world.ok(&["run", "list", "--filter", "params.depth = '3'"])["total"], 2);
    world.ok(&["run", "delete-view", "second seed"]);
    let error = world.fails(2, &["run", "list", "--view", "second seed"]);
    assert!(error.to_string().contains("there is no view"), "{error}");
    world.ok(&["project", "new", "nets"]);
    world.fails(2, &["run", "delete", "2"]);
    world.ok(&["-p", "my-project", "run", "delete", "2"]);
}

#[test]
fn scripts_keep_their_address_and_token_when_the_server_comes_back() {
    let world = World::new();
    let server = Server::start(&world);
    let (url, token) = (server.url.clone(), server.token.clone());
    let told = world.ok(&["track", "url"]);
    assert_eq!(told["environment"], json!([["MLFLOW_TRACKING_URI", url], ["MLFLOW_TRACKING_TOKEN", token]]));
    server.kill();
    let server = Server::start(&world);
    assert_eq!((&server.url, &server.token), (&url, &token));
    server.kill();
    let error = world.fails(1, &["track", "url"]);
    assert_eq!(error["code"], "unavailable", "{error}");
}

#[test]
fn a_file_whose_sender_goes_away_is_not_kept() {
    let world = World::new();
    let server = Server::start(&world);
    let address = server.url.trim_start_matches("http://");
    let path = "/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin";
    let head = |length: usize| {
        let token = &server.token;
        format!(
            "PUT {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut cut = TcpStream::connect(address).expect("it listens");
    cut.write_all((head(100) + "only this").as_bytes()).expect("it takes it");
    drop(cut);
    let (status, reply) = server.get("mlflow-artifacts/artifacts/0/x/artifacts/f.bin");
    assert_eq!(status, 404, "{reply}");
    let mut whole = TcpStream::connect(address).expect("it listens");
    whole.write_all((head(5) + "whole").as_bytes()).expect("it takes it");
    let mut answer = [0; 12];
    whole.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 200");
    let (status, listed) = server.get("mlflow-artifacts/artifacts?path=0/x/artifacts");
    assert_eq!((status, &listed["files"][0]["file_size"]), (200, &json!(5)));
}

#[test]
fn a_command_becomes_a_run_with_what_it_said_and_how_it_ended() {
    let world = World::new();
    // It stays long enough to be seen at work.
    let script =
        "echo to one; echo to two >&2; sleep 1; echo \"run $MLFLOW_RUN_ID of $MLFLOW_EXPERIMENT_ID\"; exit 3";
    let words =
        ["run", "--experiment", "day/one", "--name", "captured", "--tag", "team=a", "--", "sh", "-c", script];
    let code = world.path("code");
    let git = |words: &[&str]| {
        let done = Command::new("git").arg("-C").arg(&code).args(words).output().expect("git runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::create_dir(&code).expect("made");
    world.file("code/train.sh", "echo one\n");
    git(&["init", "--quiet"]);
    git(&["add", "train.sh"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "first"]);
    world.file("code/train.sh", "echo two\n");
    let output = world.command(&words).current_dir(&code).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("to one") && said.contains("to two"), "{said}");
    let reply: Value = serde_json::from_slice(&output.stdout).expect("one object");
    let id = reply["run"].as_str().expect("an id").to_owned();
    assert_eq!((&reply["state"], &reply["exitCode"]), (&json!("FAILED"), &json!(3)));
    let shown = world.ok(&["run", "show", &id]);
    let script = &shown["script"];
    assert_eq!((&script["experiment"], &shown["summary"]["name"]), (&json!("day/one"), &json!("captured")));
    assert_eq!(shown["summary"]["state"], "failed");
    let tags = script["tags"].to_string();
    assert!(tags.contains("sh -c 'echo to one") && tags.contains(r#"["team","a"]"#), "{tags}");
    if cfg!(target_os = "linux") {
        let used = script["metrics"].to_string();
        assert!(used.contains("system/system_memory_usage_megabytes"), "{used}");
    }
    let server = Server::start(&world);
    let listed = server.get(&format!("mlflow/artifacts/list?run_id={id}&path=fettle")).1;
    let files: Vec<_> =
        listed["files"].as_array().into_iter().flatten().map(|file| file["path"].clone()).collect();
    let kept = ["code.diff", "command.json", "end.json", "output.log"].map(|name| format!("fettle/{name}"));
    assert_eq!(files, kept, "{listed}");
    let experiment = reply["experiment"].as_str().expect("an id");
    let text = |name: &str| {
        let path = format!(
            "{}/api/2.0/mlflow-artifacts/artifacts/{experiment}/{id}/artifacts/fettle/{name}",
            server.url
        );
        let request = server.agent.get(path).header("Authorization", format!("Bearer {}", server.token));
        request.call().expect("it answers").body_mut().read_to_string().expect("text")
    };
    let diff = text("code.diff");
    assert!(diff.contains("-echo one\n+echo two\n"), "{diff}");
    let log = text("output.log");
    assert!(log.contains("to one\n") && log.contains("to two\n"), "{log}");
    assert!(log.contains(&format!("run {id} of {experiment}")), "{log}");
    let missing = world.fails(2, &["run", "--", "no-such-program"]);
    assert!(missing["message"].to_string().contains("no-such-program"), "{missing}");
    let nothing = world.fails(2, &["run"]);
    assert!(nothing["hint"].to_string().contains("two dashes"), "{nothing}");
}

#[test]
fn the_files_of_a_script_are_listed_shown_and_saved() {
    let world = World::new();
    let words = ["run", "--name", "captured", "--", "sh", "-c", "echo what it said"];
    let run = world.ok(&words)["run"].as_str().expect("an id").to_owned();
    let top = world.ok(&["run", "files", &run]);
    assert_eq!(top, json!([{ "name": "fettle", "path": "fettle", "sizeBytes": null }]));
    let inside = world.ok(&["run", "files", &run, "fettle"]);
    let log = inside.as_array().into_iter().flatten().find(|file| file["name"] == "output.log");
    let log = log.unwrap_or_else(|| panic!("{inside}"));
    assert_eq!((&log["path"], &log["sizeBytes"]), (&json!("fettle/output.log"), &json!(13)));
    let shown = json!({ "run": run, "path": "fettle/output.log" }).to_string();
    assert_eq!(world.ok(&["call", "run.file", &shown])["base64"], "d2hhdCBpdCBzYWlkCg==");
    let (file, folder) = (world.path("said.log"), world.path("all"));
    world.ok(&["run", "save", &run, "fettle/output.log", "--to", testkit::text(&file)]);
    assert_eq!(std::fs::read_to_string(&file).expect("written"), "what it said\n");
    world.ok(&["run", "save", &run, "--to", testkit::text(&folder)]);
    assert_eq!(std::fs::read_to_string(folder.join("fettle/output.log")).expect("written"), "what it said\n");
    let taken = world.fails(2, &["run", "save", &run, "--to", testkit::text(&folder)]);
    assert_eq!(taken["code"], "already_exists", "{taken}");
    for path in ["../secret", "/etc/passwd", "fettle/../..", "C:/x"] {
        let refused = world.fails(2, &["run", "files", &run, path]);
        assert_eq!(refused["code"], "invalid_input", "{path}: {refused}");
    }
    let missing = world.fails(2, &["run", "save", &run, "nothing", "--to", testkit::text(&world.path("x"))]);
    assert_eq!(missing["code"], "not_found", "{missing}");
    assert!(!world.path("x").exists());
}
