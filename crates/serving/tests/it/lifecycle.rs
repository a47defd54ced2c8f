//! From the start to the stop: the hello line, the check, the log, and requests that run while
//! the server is told to stop.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::server::{Server, TOKEN, one_row, package};

#[cfg(unix)]
fn terminate(server: &Server) {
    let status =
        Command::new("kill").arg("-TERM").arg(server.child.id().to_string()).status().expect("kill runs");
    assert!(status.success());
}

#[test]
fn the_first_line_says_where_the_server_is_and_which() {
    let server = Server::start(&["--instance", "i-1", "--version", "3"]);
    assert_eq!(server.hello["instance"], "i-1");
    assert_eq!(server.hello["version"], "3");
    assert_eq!(server.hello["pid"], server.child.id());
}

#[test]
fn the_check_passes_on_a_good_package_and_fails_on_a_changed_one() {
    let check = |folder: &std::path::Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_fettle-serve"))
            .args(["--check", "--model"])
            .arg(folder)
            .output()
            .expect("the program runs");
        let report: Json = serde_json::from_slice(&output.stdout).expect("it prints one object");
        (output.status.code(), report)
    };
    let (code, report) = check(&package());
    assert_eq!((code, &report["passed"]), (Some(0), &Json::Bool(true)), "{report}");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["MLmodel", "model.onnx", "fettle.json"] {
        std::fs::copy(package().join(name), folder.path().join(name)).expect("it copies");
    }
    let card = folder.path().join("fettle.json");
    let changed = std::fs::read_to_string(&card).expect("it reads").replace("34.1", "60.5");
    std::fs::write(&card, changed).expect("it writes");
    let (code, report) = check(folder.path());
    assert_eq!((code, &report["passed"]), (Some(1), &Json::Bool(false)));
    assert!(report["differences"][0].is_string(), "{report}");
    std::fs::write(folder.path().join("model.onnx"), b"not a model").expect("it writes");
    let (code, report) = check(folder.path());
    assert_eq!(code, Some(1));
    assert_eq!(report["error"]["code"], "corrupt", "{report}");
}

#[test]
fn a_wrong_start_says_why_and_ends() {
    let run = |flags: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_fettle-serve")).args(flags).output().expect("the program runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let package = package();
    let package = package.to_str().expect("a path in UTF-8");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (code, says) = run(&["--model", package, "--port", &port]);
    assert_eq!(code, Some(1));
    assert!(says.contains(&port) && says.contains("another program"), "{says}");
    let (code, says) = run(&["--model", "/no/such/model"]);
    assert_eq!(code, Some(2));
    assert!(says.contains("/no/such/model"), "{says}");
    let (code, says) = run(&["--model", package, "--host", "0.0.0.0"]);
    assert_eq!(code, Some(2));
    assert!(says.contains("--token-file"), "{says}");
}

#[cfg(unix)]
#[test]
fn every_answered_request_is_in_the_log_when_the_server_has_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(&["--log-dir", folder.path().to_str().expect("UTF-8"), "--version", "9"]);
    for _ in 0..25 {
        assert_eq!(server.post("/invocations", &one_row()).status, 200);
    }
    assert_eq!(server.post("/invocations", &serde_json::json!({})).status, 400);
    let probe = [("Content-Type", "application/json"), ("X-Fettle-Probe", "1")];
    assert_eq!(server.post_raw("/invocations", &probe, one_row().to_string().as_bytes()).status, 200);
    assert_eq!(server.post_raw("/invocations", &probe, b"{}").status, 400);
    terminate(&server);
    assert!(server.child.wait().expect("it ends").success());
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).expect("it lists").map(|e| e.expect("an entry").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = std::fs::read_to_string(&files[0]).expect("it reads");
    let lines: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 26);
    let first = &lines[0];
    assert_eq!((&first["v"], &first["n"]), (&Json::from("9"), &Json::from(1)));
    assert_eq!(first["in"]["island"], serde_json::json!(["Torgersen"]));
    assert_eq!(first["in"]["sex"], serde_json::json!([null]));
    assert_eq!(first["out"]["label"], serde_json::json!(["Adelie"]));
    assert_eq!(lines[25]["status"], 400);
    assert!(lines[25]["error"].is_string() && lines[25]["t"].is_u64() && lines[25]["id"].is_string());
}

#[cfg(unix)]
#[test]
fn a_stop_lets_running_requests_end_and_does_not_wait_for_half_a_head() {
    for _ in 0..5 {
        let mut server = Server::start(&[]);
        let body = one_row().to_string();
        let mut running = server.connect();
        let head = format!(
            "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            server.port,
            body.len()
        );
        running.write_all(head.as_bytes()).expect("the head is sent");
        // It asks for the body once it has taken the request on, and not before.
        let mut asked = [0; 25];
        running.read_exact(&mut asked).expect("the body is asked for");
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        let mut half = server.connect();
        half.write_all(b"GET /ping HTTP/1.1\r\nHo").expect("half a head is sent");
        let started = Instant::now();
        terminate(&server);
        // It stops listening first.
        while std::net::TcpStream::connect(("127.0.0.1", server.port)).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(3), "it goes on listening");
        }
        running.write_all(body.as_bytes()).expect("the body is sent");
        let mut answer = String::new();
        running.read_to_string(&mut answer).expect("the answer comes whole");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Adelie"), "{answer}");
        assert!(server.child.wait().expect("it ends").success());
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
}
