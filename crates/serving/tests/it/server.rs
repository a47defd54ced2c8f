//! Starts the program for a test and ends it with the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A running server; killed when it is dropped.
pub struct Server {
    pub child: Child,
    pub port: u16,
    pub hello: Json,
    _token: tempfile::TempDir,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is text")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

pub fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/penguins")
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        let package = package();
        let model = ["--model", package.to_str().expect("UTF-8")];
        Self::start_without_model(&[&model[..], flags].concat())
    }

    pub fn start_without_model(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let token = folder.path().join("token");
        std::fs::write(&token, TOKEN).expect("the token is written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).expect("a private file");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_fettle-serve"))
            .args(["--port", "0", "--token-file"])
            .arg(&token)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let hello: Json = serde_json::from_str(&line).expect("its first line is JSON");
        let url = hello["listening"].as_str().expect("a URL");
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { child, port, hello, _token: folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], b"")
    }

    pub fn post(&self, path: &str, body: &Json) -> Answer {
        self.post_raw(path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    pub fn post_raw(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", token.as_str())];
        all.extend(headers);
        self.ask("POST", path, &all, body)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = if body.is_empty() {
            agent.run(request.body(()).expect("a request"))
        } else {
            agent.run(request.body(body).expect("a request"))
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.to_string(), value.to_str().expect("visible").to_owned())
        };
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().map(header).collect(),
            body: answer.body_mut().with_config().limit(100 << 20).read_to_vec().expect("the body arrives"),
        }
    }

    /// Sends these bytes as they are and gives back everything that comes until the server ends
    /// the connection.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The server may have answered and closed before all is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(40))).expect("a time limit");
        stream
    }

    /// The memory of the process in bytes.
    #[cfg(target_os = "linux")]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("it has memory");
        let kib: u64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
        kib * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which some tests are about.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rows of the fixture with the answers that onnxruntime gave.
pub fn rows() -> Json {
    let text = std::fs::read_to_string(package().join("rows.json")).expect("the rows are there");
    serde_json::from_str(&text).expect("they are JSON")
}

/// One whole row as MLflow's `inputs`.
pub fn one_row() -> Json {
    serde_json::json!({ "inputs": {
        "bill_length_mm": [34.1], "bill_depth_mm": [18.1], "flipper_length_mm": [193.0],
        "body_mass_g": [3475.0], "island": ["Torgersen"], "sex": [null],
    }})
}

/// Numbers within 1e-6, texts equal.
pub fn assert_close(got: &Json, expected: &Json, at: &str) {
    match (got.as_f64(), expected.as_f64()) {
        (Some(a), Some(b)) => assert!((a - b).abs() < 1e-6, "{at}: {a}, expected {b}"),
        _ => assert_eq!(got, expected, "{at}"),
    }
}
