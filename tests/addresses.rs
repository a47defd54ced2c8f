//! Files from an address: fetched when somebody asks, gone on with where it broke, and refused with
//! a reason. The server is one of this test's own.

mod testkit;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::World;

/// What was asked: the path, and the headers by their names in lower case.
#[derive(Debug, Clone)]
struct Asked {
    path: String,
    headers: HashMap<String, String>,
}

/// A server that answers each request with what `answer` says and then closes the connection.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(answer: impl Fn(&Asked, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read(&stream) else {
                    // So does a server that is spoken to in another language.
                    say(&mut { stream }, "400 Bad Request", &[], b"");
                    continue;
                };
                seen.lock().expect("nobody panics here").push(request.clone());
                answer(&request, &mut { stream });
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panics here").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Asked { path, headers })
}

/// Answers; a client that has gone is none of this server's business.
fn say(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn whole(stream: &mut TcpStream, headers: &[(&str, &str)], body: &[u8]) {
    let length = body.len().to_string();
    say(stream, "200 OK", &[headers, &[("content-length", &length)]].concat(), body);
}

fn table(rows: u32) -> Vec<u8> {
    let rows: String = (0..rows).map(|at| format!("{at},{}\n", at * 7)).collect();
    format!("id,n\n{rows}").into_bytes()
}

#[test]
fn a_file_is_fetched_over_redirects_and_only_when_it_has_changed() {
    let world = World::new();
    let server = Server::new(|asked, stream| match asked.path.as_str() {
        "/old?key=hidden" => {
            say(stream, "302 Found", &[("location", "/data/sales.csv"), ("content-length", "0")], b"")
        }
        _ if asked.headers.get("if-none-match").map(String::as_str) == Some("\"one\"") => {
            say(stream, "304 Not Modified", &[("etag", "\"one\"")], b"");
        }
        _ => whole(stream, &[("etag", "\"one\"")], &table(3)),
    });
    let url = format!("{}/data/sales.csv", server.url);
    let imported = world.ok(&["dataset", "import", &url]);
    assert_eq!((&imported["dataset"], &imported["rows"]), (&json!("sales"), &json!(3)), "{imported}");
    let origin = world.ok(&["dataset", "show", "sales"])["origin"].clone();
    assert_eq!(
        (&origin["kind"], &origin["url"], &origin["etag"]),
        (&json!("address"), &json!(url), &json!("\"one\""))
    );
    assert!(origin["at"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{origin}");

    let again = world.ok(&["dataset", "import", &url]);
    assert_eq!((&again["version"], &again["isNew"]), (&json!(1), &json!(false)));
    assert!(server.asked()[1].headers.contains_key("if-none-match"));
    let reread = world.ok(&["dataset", "reread", "sales", "--options", r#"{"kinds":{"id":"text"}}"#]);
    assert_eq!(reread["version"], 2, "{reread}");

    let moved = format!("{}/old?key=hidden", server.url);
    let imported = world.ok(&["dataset", "import", &moved, "--name", "moved"]);
    assert_eq!(imported["rows"], 3, "{imported}");
    let shown = world.ok(&["dataset", "show", "moved"]).to_string();
    assert!(shown.contains("key=…") && !shown.contains("hidden"), "{shown}");
    let log = world.ok(&["audit", "--limit", "3"]).to_string();
    assert!(!log.contains("hidden"), "{log}");
    assert!(no_downloads(&world), "what was fetched is kept once");
}

fn no_downloads(world: &World) -> bool {
    let downloads = world.workspace().join("cache/downloads");
    std::fs::read_dir(downloads).is_ok_and(|mut files| files.next().is_none())
}

#[test]
fn a_fetch_goes_on_where_its_connection_broke_if_the_file_is_the_same() {
    let world = World::new();
    let body = table(20_000);
    let half = body.len() / 2;
    let all = body.clone();
    let server = Server::new(move |asked, stream| {
        let length = all.len().to_string();
        match asked.headers.get("range") {
            None => {
                // It says how long it is, and breaks off halfway.
                say(stream, "200 OK", &[("etag", "\"a\""), ("content-length", &length)], &all[..half]);
            }
            Some(range) => {
                let start: usize = range["bytes=".len()..range.len() - 1].parse().expect("a number");
                let (rest, range) = (&all[start..], format!("bytes {start}-{}/{length}", all.len() - 1));
                let length = rest.len().to_string();
                say(
                    stream,
                    "206 Partial Content",
                    &[("content-range", &range), ("content-length", &length)],
                    rest,
                );
            }
        }
    });
    let imported = world.ok(&["dataset", "import", &format!("{}/big.csv", server.url)]);
    assert_eq!(imported["rows"], 20_000, "{imported}");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].headers["range"], format!("bytes={half}-"));
    assert_eq!(asked[1].headers["if-range"], "\"a\"");
    let out = world.path("out.csv");
    world.ok(&["dataset", "export", "big", "-o", testkit::text(&out)]);
    assert_eq!(std::fs::read(out).expect("written"), body);

    // Another file is there by now: it is fetched from its beginning.
    let server = Server::new(|asked, stream| match asked.headers.get("range") {
        None => say(stream, "200 OK", &[("etag", "\"a\""), ("content-length", "900")], &table(9)[..20]),
        Some(_) => whole(stream, &[("etag", "\"b\"")], &table(5)),
    });
    let imported = world.ok(&["dataset", "import", &format!("{}/other.csv", server.url)]);
    assert_eq!(imported["rows"], 5, "{imported}");
}

#[test]
fn what_cannot_be_fetched_is_refused_with_a_reason() {
    let world = World::new();
    let server = Server::new(|asked, stream| match asked.path.as_str() {
        "/gone" => say(stream, "404 Not Found", &[("content-length", "0")], b""),
        "/private" => say(stream, "403 Forbidden", &[("content-length", "0")], b""),
        "/broken" => say(stream, "500 Internal Server Error", &[("content-length", "0")], b""),
        "/loop" => say(stream, "302 Found", &[("location", "/loop"), ("content-length", "0")], b""),
        "/cut" => say(stream, "200 OK", &[("content-length", "500")], b"id\n1\n"),
        "/endless" => {
            say(stream, "200 OK", &[], b"id\n");
            while stream.write_all(&[b'7'; 4096]).is_ok() {}
        }
        _ => whole(stream, &[], &table(1000)),
    });
    let refused = |path: &str, code: i32, more: &[&str], word: &str| {
        let url = format!("{}{path}", server.url);
        let error = world.fails(code, &[&["dataset", "import", &url, "--name", "x"], more].concat());
        assert!(error.to_string().contains(word), "{path}: {error}");
        assert!(error["hint"].is_string(), "{path}: {error}");
    };
    refused("/gone", 2, &[], "nothing at this address");
    refused("/private", 1, &[], "who asks");
    refused("/broken", 1, &[], "status 500");
    refused("/loop", 1, &[], "nobody should follow");
    refused("/cut", 1, &[], "connection broke");
    refused("/big", 2, &["--max-size", "1KB"], "larger than");
    refused("/endless", 2, &["--max-size", "1MB"], "larger than");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let error = world.fails(1, &["dataset", "import", &format!("http://127.0.0.1:{port}/x.csv")]);
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    // A server that speaks no TLS shows no certificate either.
    let unsafe_url = server.url.replace("http://", "https://");
    let error = world.fails(1, &["dataset", "import", &format!("{unsafe_url}/x.csv")]);
    assert!(error.to_string().contains("not safe"), "{error}");
    world.fails(2, &["dataset", "import", "http://"]);
    assert_eq!(world.ok(&["dataset", "list"]), json!([]), "nothing came of any of them");
}

#[test]
fn a_fetch_that_is_cancelled_ends_though_its_server_says_nothing() {
    let world = World::new();
    let server = Server::new(|_, stream| {
        say(stream, "200 OK", &[("content-length", "100000")], b"id\n1\n");
        // It keeps the connection open until the client goes.
        let _ = std::io::copy(stream, &mut std::io::sink());
    });
    let mut command = world.command(&["daemon", "start"]);
    let quiet = std::process::Stdio::null;
    let mut daemon = command.stdout(quiet()).stderr(quiet()).spawn().expect("the daemon starts");
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("the daemon answers", &|| world.ok(&["daemon", "status"])["running"] == true);
    let mut command = world.command(&["dataset", "import", &format!("{}/slow.csv", server.url)]);
    let mut client = command.stdout(quiet()).stderr(quiet()).spawn().expect("it starts");
    let jobs = || world.ok(&["call", "job.list", r#"{"active":true}"#]);
    let downloads = |jobs: &Value| jobs.to_string().contains("downloading");
    until("it downloads", &|| downloads(&jobs()));
    let id = jobs()[0]["id"].as_str().expect("an id").to_owned();
    let begun = Instant::now();
    world.ok(&["call", "job.cancel", &json!({ "jobId": id }).to_string()]);
    assert_eq!(client.wait().expect("it ends").code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    world.ok(&["daemon", "stop"]);
    daemon.wait().expect("it ends");
}
