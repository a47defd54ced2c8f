//! The address of a running daemon, and the three things that the window asks of it over HTTP.

use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Duration;

use base::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;

/// What takes longer is a job of the daemon, so a call that does is a daemon that hangs.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
/// The viewer asks for pages of a table, never for a table.
const ANSWER_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// A daemon that owns the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    token: String,
    pid: u64,
}

/// What the daemon answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Json(String),
    Bytes(Vec<u8>),
}

/// `owner.json`, as the owner of a workspace leaves it there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    pid: u64,
    url: Option<String>,
    token_file: Option<String>,
}

impl Endpoint {
    /// The daemon that says it owns this workspace. It may be gone: ask [`Endpoint::is_alive`].
    pub fn find(workspace: &Path) -> Option<Self> {
        // Missing, half-written and foreign files all mean the same here: no daemon yet.
        let owner: Owner = serde_json::from_slice(&std::fs::read(workspace.join("owner.json")).ok()?).ok()?;
        let token_file = workspace.join(owner.token_file.as_deref().unwrap_or("daemon.token"));
        let token = std::fs::read_to_string(token_file).ok()?;
        let url = owner.url?.trim_end_matches('/').to_owned();
        // The token goes to this computer and nowhere else, whatever the file says.
        is_loopback(&url).then(|| Self { url, token: token.trim().to_owned(), pid: owner.pid })
    }

    /// Whether the process that wrote the address answers there; another may have got the port since.
    pub fn is_alive(&self) -> bool {
        let answer = agent(Some(HEALTH_TIMEOUT)).get(format!("{}/health", self.url)).call();
        let Ok(mut answer) = answer else { return false };
        let health: Value = answer.body_mut().read_json().unwrap_or_default();
        answer.status() == 200 && health.get("pid").and_then(Value::as_u64).is_none_or(|pid| pid == self.pid)
    }

    /// Carries one call. Errors of the daemon come back as they are.
    pub fn call(&self, name: &str, payload: &Value) -> Result<Answer> {
        let mut answer = agent(Some(CALL_TIMEOUT))
            .post(format!("{}/rpc/{name}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .send_json(payload)
            .map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let is_json = answer.body().mime_type().is_none_or(|kind| kind == "application/json");
        let body = answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec();
        let body = body.map_err(|error| unreachable(&error))?;
        match (status.is_success(), is_json) {
            (true, false) => Ok(Answer::Bytes(body)),
            (true, true) => String::from_utf8(body)
                .map(Answer::Json)
                .map_err(|_| Error::internal(format!("the answer to `{name}` is not UTF-8"))),
            (false, _) => Err(serde_json::from_slice(&body).unwrap_or_else(|_| {
                Error::internal(format!("`{name}` was answered with HTTP status {status}"))
            })),
        }
    }

    /// The stream of events; it ends when the daemon does.
    pub fn events(&self) -> Result<BufReader<impl Read + use<>>> {
        let answer = agent(None)
            .get(format!("{}/events", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .call()
            .map_err(|error| unreachable(&error))?;
        match answer.status().as_u16() {
            200 => Ok(BufReader::new(answer.into_body().into_reader())),
            status => Err(Error::internal(format!("`/events` was answered with HTTP status {status}"))),
        }
    }
}

/// Proxies are for the world; the daemon is on this computer.
fn agent(timeout: Option<Duration>) -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_connect(Some(HEALTH_TIMEOUT))
        .timeout_global(timeout)
        .build()
        .into()
}

fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
}

fn unreachable(error: &ureq::Error) -> Error {
    Error::new(Code::Unavailable, "cannot reach the background process of Fettle")
        .hint("it is started again by itself; try once more in a moment")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, Write as _};
    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    /// A daemon that gives one prepared answer and tells what it was asked.
    fn answering(answer: &str) -> (Endpoint, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let answer = answer.to_owned();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("one caller");
            let reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
            let head = reader.lines().map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
            stream.write_all(answer.as_bytes()).expect("the caller waits");
            head
        });
        (Endpoint { url, token: "secret".into(), pid: 7 }, asked)
    }

    fn http(status: &str, kind: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }

    #[test]
    fn a_call_carries_the_token_and_gives_back_the_result_as_it_is() {
        let (endpoint, asked) = answering(&http("200 OK", "application/json", r#"{"rows":344}"#));
        let answer = endpoint.call("dataset.show", &json!({ "id": "x" })).expect("answered");
        assert_eq!(answer, Answer::Json(r#"{"rows":344}"#.into()));
        let head = asked.join().expect("no panic");
        assert_eq!(head[0], "POST /rpc/dataset.show HTTP/1.1");
        assert!(
            head.iter().any(|line| line.eq_ignore_ascii_case("authorization: bearer secret")),
            "{head:?}"
        );
    }

    #[test]
    fn an_error_of_the_daemon_keeps_code_message_and_hint() {
        let body = r#"{"code":"not_found","message":"no dataset `x`","hint":"import it"}"#;
        let (endpoint, _) = answering(&http("404 Not Found", "application/json", body));
        let error = endpoint.call("dataset.show", &json!({})).expect_err("an error");
        assert_eq!((error.code, error.hint.as_deref()), (Code::NotFound, Some("import it")));
    }

    #[test]
    fn bytes_stay_bytes() {
        let (endpoint, _) = answering(&http("200 OK", "application/vnd.apache.arrow.stream", "abc"));
        assert_eq!(
            endpoint.call("table.page", &json!({})).expect("answered"),
            Answer::Bytes(b"abc".to_vec())
        );
    }

    #[test]
    fn a_stranger_on_the_port_is_not_our_daemon() {
        let (endpoint, _) = answering(&http("200 OK", "application/json", r#"{"pid":8}"#));
        assert!(!endpoint.is_alive());
        let (endpoint, _) = answering(&http("200 OK", "application/json", r#"{"pid":7}"#));
        assert!(endpoint.is_alive());
    }

    #[test]
    fn an_address_beyond_this_computer_gets_no_token() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("daemon.token"), "secret\n").expect("written");
        let write = |url: &str| {
            let owner = json!({ "pid": 7, "url": url, "tokenFile": "daemon.token" });
            std::fs::write(folder.path().join("owner.json"), owner.to_string()).expect("written");
        };
        write("http://192.0.2.1:80");
        assert_eq!(Endpoint::find(folder.path()), None);
        write("http://127.0.0.1:4000/");
        let found = Endpoint::find(folder.path()).expect("found");
        assert_eq!((found.url.as_str(), found.token.as_str()), ("http://127.0.0.1:4000", "secret"));
    }
}
