//! The ways by which an alert leaves: to a webhook, to a program, as a mail.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::{Code, Error, Result};
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};

/// So long a webhook may take.
const WEBHOOK: Duration = Duration::from_secs(10);
/// So long a program may take; it is ended then.
const PROGRAM: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// So much of what a program complains about is kept.
const COMPLAINT_BYTES: u64 = 500;
/// So long a program that has ended is listened to.
const COMPLAINT: Duration = Duration::from_secs(1);
const SENDMAIL: &str = "sendmail";

/// A way by which an alert leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// JSON to an address, which is a secret: whoever knows it may write there.
    Webhook(Address),
    /// A program with its arguments, JSON on its standard input.
    Command(Vec<String>),
    /// A mail, by a program that sends mail as `sendmail` does.
    Email { to: Vec<String>, sendmail: String },
}

/// Where a webhook's address stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Given(String),
    Variable(String),
}

impl Way {
    /// The way that an entry names.
    pub(super) fn of(
        webhook: Option<String>,
        variable: Option<String>,
        command: Option<Vec<String>>,
        email: Option<(Vec<String>, Option<String>)>,
    ) -> Result<Self> {
        match (webhook, variable, command, email) {
            (Some(url), None, None, None) => {
                check_url(&url)?;
                Ok(Self::Webhook(Address::Given(url)))
            }
            (None, Some(name), None, None) => Ok(Self::Webhook(Address::Variable(name))),
            (None, None, Some(words), None) if words.first().is_some_and(|program| !program.is_empty()) => {
                Ok(Self::Command(words))
            }
            (None, None, Some(_), None) => Err(Error::invalid("`command` names no program")
                .hint("write it as [\"/path/to/program\", \"argument\"]")),
            (None, None, None, Some((to, sendmail))) => {
                let is_plain = |one: &String| {
                    one.contains('@') && !one.starts_with('-') && !one.contains(char::is_whitespace)
                };
                if to.is_empty() || !to.iter().all(is_plain) {
                    return Err(Error::invalid("`email` has no address, or one that is none")
                        .hint("write it as [\"duty@example.org\"]"));
                }
                Ok(Self::Email { to, sendmail: sendmail.unwrap_or_else(|| SENDMAIL.to_owned()) })
            }
            _ => Err(Error::invalid("a channel has exactly one way")
                .hint("give one of `webhook`, `webhook_env`, `command` and `email` (with `sendmail`)")),
        }
    }

    /// The way for people, without what is secret.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Webhook(Address::Given(url)) => format!("webhook at {}", host(url)),
            Self::Webhook(Address::Variable(name)) => format!("webhook in ${name}"),
            Self::Command(words) => format!("command {}", words[0]),
            Self::Email { to, .. } => format!("mail to {}", to.join(", ")),
        }
    }

    /// Sends an alert and gives back what the other side said to it.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if it was not taken; addresses of webhooks are not repeated.
    pub(super) fn send(&self, message: &str, body: &Value) -> Result<String> {
        match self {
            Self::Webhook(address) => post(address, body),
            Self::Command(words) => run(Command::new(&words[0]).args(&words[1..]), &body.to_string()),
            Self::Email { to, sendmail } => {
                run(Command::new(sendmail).arg("-i").args(to), &mail(to, message, body))
            }
        }
    }
}

fn check_url(url: &str) -> Result<()> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    Err(Error::invalid("the address of a webhook begins with `https://` or `http://`"))
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default()
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::new(Code::Unavailable, "the channel did not take the alert").because(why)
}

fn post(address: &Address, body: &Value) -> Result<String> {
    let url = match address {
        Address::Given(url) => url.clone(),
        Address::Variable(name) => {
            std::env::var(name).map_err(|_| refused(format!("the environment has no variable `{name}`")))?
        }
    };
    check_url(&url)?;
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(WEBHOOK))
        .tls_config(tls)
        .build();
    let sent =
        config.new_agent().post(&url).header("Content-Type", "application/json").send(body.to_string());
    // The error of the library may repeat the address.
    let answer = sent.map_err(|e| refused(kind_of(&e)))?;
    let status = answer.status().as_u16();
    match status {
        200..300 => Ok(format!("{} answered {status}", host(&url))),
        _ => Err(refused(format!("{} answered {status}", host(&url)))),
    }
}

fn kind_of(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "it does not answer in time",
        ureq::Error::HostNotFound => "there is no such server",
        ureq::Error::ConnectionFailed | ureq::Error::Io(_) => "it cannot be reached",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate is not trusted",
        ureq::Error::BadUri(_) => "its address is none",
        _ => "the request failed",
    }
}

/// A mail with plain text. Nothing of an alert gets into a header as a line of its own.
fn mail(to: &[String], message: &str, body: &Value) -> String {
    let subject: String = message.chars().filter(|c| !c.is_control()).take(150).collect();
    let encoded = if subject.is_ascii() { subject } else { "An alert of Fettle".to_owned() };
    let facts = serde_json::to_string_pretty(body).unwrap_or_default();
    format!(
        "To: {}\r\nSubject: [Fettle] {encoded}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{message}\r\n\r\n{}\r\n",
        to.join(", "),
        facts.replace('\n', "\r\n")
    )
}

/// Runs a program with a text on its standard input.
fn run(command: &mut Command, input: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|e| refused(format!("`{program}` cannot be started: {e}")))?;
    let stdin = child.stdin.take();
    let input = input.to_owned();
    // A program that does not read must not hold this one up.
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // It may have ended without reading; its exit says how it went.
            let _ = stdin.write_all(input.as_bytes());
        }
    });
    let stderr = child.stderr.take();
    let (tell, complaint) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(COMPLAINT_BYTES).read_to_end(&mut text);
        }
        // Whoever asked may have stopped waiting.
        let _ = tell.send(String::from_utf8_lossy(&text).into_owned());
    });
    let Some(status) = wait(&mut child)? else {
        return Err(refused(format!("`{program}` did not end within {} seconds", PROGRAM.as_secs())));
    };
    if status.success() {
        return Ok(format!("`{program}` took it"));
    }
    // What it started may hold the pipe open.
    let said = complaint.recv_timeout(COMPLAINT).unwrap_or_default();
    Err(refused(format!("`{program}` ended with {status}: {}", said.trim())))
}

/// How a program ended; none if it had to be ended.
fn wait(child: &mut Child) -> Result<Option<std::process::ExitStatus>> {
    let begun = Instant::now();
    loop {
        let ended = child.try_wait().map_err(|e| refused(format!("it cannot be waited for: {e}")))?;
        if ended.is_some() {
            return Ok(ended);
        }
        if begun.elapsed() > PROGRAM {
            // It may just have ended; either way it is gone.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_makes_no_header_of_its_own_in_a_mail() {
        let text = mail(&["a@b.org".to_owned()], "drift\r\nBcc: all@b.org", &json!({ "value": 1 }));
        let (head, rest) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert_eq!(head.lines().count(), 4, "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(rest.contains("\"value\": 1"));
    }

    #[test]
    fn only_the_host_of_an_address_is_shown() {
        assert_eq!(host("https://user:word@hooks.example.org/T0/secret?x#y"), "hooks.example.org");
        let way = Way::of(Some("https://hooks.example.org/secret".into()), None, None, None).expect("a way");
        assert_eq!(way.shown(), "webhook at hooks.example.org");
    }

    #[test]
    fn a_server_that_is_not_there_is_told_of_without_its_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let way = Way::of(Some(format!("http://127.0.0.1:{port}/secret")), None, None, None).expect("a way");
        let error = way.send("x", &json!({})).expect_err("nobody is there");
        assert_eq!(error.code, Code::Unavailable);
        assert!(!format!("{error} {:?}", error.causes).contains("secret"), "{error:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_gets_the_alert_and_its_failure_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("got");
        let script = format!("cat > {}", to.display());
        let way = Way::Command(vec!["/bin/sh".into(), "-c".into(), script]);
        way.send("x", &json!({ "value": 7 })).expect("it takes it");
        assert_eq!(std::fs::read_to_string(to).expect("it was written"), "{\"value\":7}");
        let way = Way::Command(vec!["/bin/sh".into(), "-c".into(), "echo no room >&2; exit 3".into()]);
        let error = way.send("x", &json!({})).expect_err("it fails");
        assert!(error.causes.join(" ").contains("no room"), "{error:?}");
        let error =
            Way::Command(vec!["/no/such/program".into()]).send("x", &json!({})).expect_err("it is not there");
        assert!(error.causes.join(" ").contains("cannot be started"), "{error:?}");
    }
}
