//! A file from an address, because somebody asked for it: nothing here begins by itself. What was
//! fetched until a connection broke is kept, and the next attempt goes on there, if the server says
//! that the file is still the same.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use base::{Code, Error, Progress, Result, bytes};
use serde::{Deserialize, Serialize};
use store::Digest;
use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};

use crate::Engine;

/// A file that is larger is not fetched, unless somebody says so.
pub(crate) const MOST_BYTES: u64 = 8 << 30;
/// So long a server may say nothing before it is given up.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(15);
const REDIRECTS: u32 = 10;
/// So often a connection may break before the user hears of it.
const ATTEMPTS: u32 = 3;
const PIECE_BYTES: usize = 256 << 10;
/// How often it is looked whether somebody cancelled.
const TICK: Duration = Duration::from_millis(100);
/// Words in the names of an address's parameters whose values are nobody else's business.
const SECRETS: [&str; 8] = ["sig", "token", "key", "secret", "pass", "cred", "auth", "code"];

/// What to fetch.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    uri: Uri,
    most_bytes: u64,
}

/// What came of it.
pub(super) enum Fetched {
    /// It is still what it was.
    Same,
    /// The file, and what the server calls this state of it.
    File { file: Part, etag: Option<String> },
}

/// A file that was fetched in whole; it goes when this is dropped.
pub(super) struct Part(PathBuf);

impl Part {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What is left behind is found, and gone on with, by the next fetch.
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(note_of(&self.0));
    }
}

/// What is known of a part that was fetched.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// What tells one state of the file from another: an `ETag` or a date.
    validator: Option<String>,
}

impl Address {
    /// An address of the web, and the most bytes that it may have.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for what is none.
    pub(crate) fn new(url: &str, most_bytes: Option<u64>) -> Result<Self> {
        let wrong = |why: &str| {
            let bare = url.split('?').next().unwrap_or_default();
            let bare = bare.rsplit('@').next().unwrap_or_default();
            Error::invalid(format!("{why}: `{}`", bare.escape_debug()))
                .hint("write one such as `https://example.org/data.csv`")
        };
        let uri: Uri = url.trim().parse().map_err(|e| wrong("this is no address").because(e))?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_web || uri.host().is_none_or(str::is_empty) {
            return Err(wrong("this is no address of the web"));
        }
        Ok(Self { uri, most_bytes: most_bytes.unwrap_or(MOST_BYTES) })
    }

    /// The name of the file, as far as the address tells.
    pub(crate) fn file_name(&self) -> String {
        let last = self.uri.path().rsplit('/').find(|part| !part.is_empty());
        last.or(self.uri.host()).unwrap_or("data").to_owned()
    }

    /// The address as it may be shown and kept: without a password or a key in it.
    pub(crate) fn shown(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let query = self.uri.query().map(|query| format!("?{}", without_secrets(query))).unwrap_or_default();
        format!("{scheme}://{host}{port}{}{query}", self.uri.path())
    }
}

fn without_secrets(query: &str) -> String {
    let clean = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if SECRETS.iter().any(|word| name.to_lowercase().contains(word)) => {
            format!("{name}=…")
        }
        _ => pair.to_owned(),
    };
    query.split('&').map(clean).collect::<Vec<_>>().join("&")
}

impl Engine {
    /// Fetches a file, unless it is still in the state `known`.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Forbidden`] and [`Code::Unavailable`] as the server or the way to
    /// it has it; [`Code::InvalidInput`] for a file that is too large; [`Code::Cancelled`].
    pub(super) fn fetch(
        &self,
        address: &Address,
        known: Option<&str>,
        progress: &Progress,
    ) -> Result<Fetched> {
        let downloads = self.store().cache_dir().join("downloads");
        std::fs::create_dir_all(&downloads).map_err(|e| Error::io("create", &downloads, &e))?;
        let path = downloads.join(Digest::of(address.uri.to_string().as_bytes()).to_hex());
        let mut attempt = 1;
        loop {
            let fetching = Fetching { address, known, path: &path, progress };
            match fetching.run() {
                Err(Broken::Off(error)) if attempt == ATTEMPTS => return Err(error),
                Err(Broken::Off(_)) => attempt += 1,
                Err(Broken::No(error)) => return Err(error),
                Ok(fetched) => return Ok(fetched),
            }
        }
    }
}

/// Why a fetch ended early.
enum Broken {
    /// The connection broke; another may do.
    Off(Error),
    /// Another attempt would end the same way.
    No(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::No(error)
    }
}

/// One attempt.
struct Fetching<'a> {
    address: &'a Address,
    known: Option<&'a str>,
    path: &'a Path,
    progress: &'a Progress,
}

/// What a server answered.
struct Answer {
    status: u16,
    headers: HeaderMap,
    pieces: Receiver<std::io::Result<Vec<u8>>>,
}

impl Fetching<'_> {
    fn run(&self) -> Result<Fetched, Broken> {
        let (has_bytes, note) = self.part();
        self.progress.step("connecting", 0, None)?;
        let answer = self.ask(has_bytes, &note)?;
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let etag = header(header::ETAG).map(str::to_owned);
        let start = match answer.status {
            304 => return Ok(Fetched::Same),
            206 if starts_at(header(header::CONTENT_RANGE)) == Some(has_bytes) => has_bytes,
            200 => 0,
            // The part does not fit what is there now.
            206 | 416 => {
                self.forget()?;
                return Err(Broken::Off(self.refused("the server sent another part of the file")));
            }
            status => return Err(self.refusal(status)),
        };
        let length = header(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        let total = length.map(|length| start + length);
        if total.is_some_and(|total| total > self.address.most_bytes) {
            return Err(self.too_large().into());
        }
        // A weak one says that the file means the same, not that it has the same bytes.
        let strong = etag.clone().filter(|etag| !etag.starts_with("W/"));
        let validator = strong.or_else(|| header(header::LAST_MODIFIED).map(str::to_owned));
        self.remember(&Note { validator })?;
        self.write(start, total, &answer.pieces)?;
        Ok(Fetched::File { file: Part(self.path.to_owned()), etag })
    }

    /// How much of the file is there already, of which state.
    fn part(&self) -> (u64, Note) {
        let size = std::fs::metadata(self.path).map_or(0, |meta| meta.len());
        let note = std::fs::read(note_of(self.path)).ok();
        let note: Note = note.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        // Nothing tells whether the rest would be the rest of this.
        if note.validator.is_none() { (0, note) } else { (size, note) }
    }

    fn remember(&self, note: &Note) -> Result<()> {
        let json = serde_json::to_vec(note).map_err(|e| Error::internal("cannot write a note").because(e))?;
        let path = note_of(self.path);
        std::fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))
    }

    fn forget(&self) -> Result<()> {
        match std::fs::remove_file(self.path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", self.path, &e)),
            _ => Ok(()),
        }
    }

    /// Asks in a thread of its own: a server that says nothing must not keep anybody from
    /// cancelling. The thread ends with its connection.
    fn ask(&self, has_bytes: u64, note: &Note) -> Result<Answer, Broken> {
        let mut request = agent(&self.address.uri).get(&self.address.uri);
        if let (true, Some(validator)) = (has_bytes > 0, &note.validator) {
            request = request
                .header(header::RANGE, format!("bytes={has_bytes}-"))
                .header(header::IF_RANGE, validator);
        }
        if let Some(known) = self.known.filter(|_| has_bytes == 0) {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        let (answers, answered) = sync_channel(1);
        let (sender, pieces) = sync_channel(4);
        std::thread::spawn(move || {
            let response = match request.call() {
                Ok(response) => response,
                Err(error) => {
                    // Nobody listens any more after a cancel, here and below.
                    let _ = answers.send(Err(error));
                    return;
                }
            };
            let (parts, body) = response.into_parts();
            let _ = answers.send(Ok((parts.status.as_u16(), parts.headers)));
            let mut reader = body.into_reader();
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                let read = reader.read(&mut piece).map(|got| {
                    piece.truncate(got);
                    piece
                });
                let is_last = !matches!(&read, Ok(piece) if !piece.is_empty());
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        let answer = self.wait(&answered)?.ok_or_else(|| Error::internal("a fetch ended without a word"))?;
        let (status, headers) = answer.map_err(|error| self.unreachable(&error))?;
        Ok(Answer { status, headers, pieces })
    }

    /// The next message of the thread; none when it has ended.
    fn wait<T>(&self, from: &Receiver<T>) -> Result<Option<T>> {
        loop {
            if self.progress.cancel().is_cancelled() {
                return Err(Error::cancelled());
            }
            match from.recv_timeout(TICK) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn write(
        &self,
        start: u64,
        total: Option<u64>,
        pieces: &Receiver<std::io::Result<Vec<u8>>>,
    ) -> Result<(), Broken> {
        let failed = |e: std::io::Error| Broken::No(Error::io("write", self.path, &e));
        let mut file =
            File::options().create(true).append(start > 0).write(true).truncate(start == 0).open(self.path);
        let file = file.as_mut().map_err(|e| Broken::No(Error::io("write", self.path, e)))?;
        let mut done = start;
        loop {
            self.progress.step("downloading", done, total)?;
            let piece = match self.wait(pieces)? {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => return Err(Broken::Off(self.broken(done, &error))),
                None => return Err(Broken::Off(self.broken(done, &"the connection is gone"))),
            };
            if piece.is_empty() && total.is_none_or(|total| total == done) {
                return Ok(());
            }
            if piece.is_empty() {
                return Err(Broken::Off(self.broken(done, &"it ended before its end")));
            }
            done += piece.len() as u64;
            if done > self.address.most_bytes {
                self.forget()?;
                return Err(self.too_large().into());
            }
            file.write_all(&piece).map_err(failed)?;
        }
    }

    fn too_large(&self) -> Error {
        let most = bytes(self.address.most_bytes);
        Error::invalid(format!("`{}` is larger than {most}", self.address.shown()))
            .hint("allow more with `--max-size`, or fetch it yourself and import the file")
    }

    fn broken(&self, done: u64, why: &dyn std::fmt::Display) -> Error {
        self.refused("the connection broke")
            .because(format!("after {}: {why}", bytes(done)))
            .hint("import it again: it goes on where it stopped, if the server can")
    }

    fn refused(&self, why: &str) -> Error {
        Error::new(Code::Unavailable, format!("cannot fetch `{}`", self.address.shown())).because(why)
    }

    /// What the server's status means.
    fn refusal(&self, status: u16) -> Broken {
        let error = |code, why: &str, hint: &str| {
            let message = format!("cannot fetch `{}`", self.address.shown());
            Error::new(code, message).because(format!("{why} (status {status})")).hint(hint)
        };
        Broken::No(match status {
            404 | 410 => error(
                Code::NotFound,
                "there is nothing at this address",
                "check the address for typing errors",
            ),
            401 | 403 | 407 => error(
                Code::Forbidden,
                "the server wants to know who asks",
                "fetch it with the program that you sign in with, then import the file",
            ),
            429 => error(Code::Unavailable, "the server was asked too often", "try again later"),
            500.. => error(Code::Unavailable, "the server has a fault", "try again later"),
            _ => error(
                Code::Unavailable,
                "the server gave no file",
                "open the address in a browser to see why",
            ),
        })
    }

    /// What keeps a request from its server.
    fn unreachable(&self, error: &ureq::Error) -> Broken {
        let says = |why: &str, hint: &str| self.refused(why).because(error).hint(hint);
        let offline =
            "check that this machine is online, and the address; a proxy is taken from `HTTPS_PROXY`";
        match error {
            ureq::Error::HostNotFound => {
                let host = self.address.uri.host().unwrap_or_default();
                Broken::No(says(&format!("the server `{host}` is not known"), offline))
            }
            ureq::Error::ConnectionFailed => Broken::No(says("the server cannot be reached", offline)),
            ureq::Error::Timeout(_) => Broken::Off(says("the server does not answer", "try again later")),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Broken::No(says(
                "the connection is not safe",
                "check the clock of this machine, and that its system trusts the certificate of the server",
            )),
            ureq::Error::TooManyRedirects
            | ureq::Error::RedirectFailed
            | ureq::Error::RequireHttpsOnly(_) => Broken::No(says(
                "the server sends to where nobody should follow",
                "open the address in a browser, and use the one where you end up",
            )),
            ureq::Error::Io(e) if is_certificate(e) => Broken::No(says(
                "the connection is not safe",
                "check the clock of this machine, and that its system trusts the certificate of the server",
            )),
            ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                Broken::No(says("the server cannot be reached", offline))
            }
            ureq::Error::Io(_) => Broken::Off(says("the connection broke", offline)),
            _ => Broken::No(says("the server was not understood", offline)),
        }
    }
}

/// TLS speaks through the errors of the connection.
fn is_certificate(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

fn agent(uri: &Uri) -> ureq::Agent {
    let is_safe = uri.scheme_str() == Some("https");
    // The system knows whom it trusts; a company's own authority is among them.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .https_only(is_safe)
        .max_redirects(REDIRECTS)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .tls_config(tls)
        .user_agent(concat!("fettle/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn note_of(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// The first byte of `bytes 10-19/20`.
fn starts_at(content_range: Option<&str>) -> Option<u64> {
    content_range?.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets_and_gives_a_name() {
        let address = |url: &str| Address::new(url, None).expect("an address");
        let signed = address("https://me:pw@example.org:8443/a/data.csv?X-Amz-Signature=abc&part=2&apiKey=1");
        assert_eq!(signed.shown(), "https://example.org:8443/a/data.csv?X-Amz-Signature=…&part=2&apiKey=…");
        assert_eq!(signed.file_name(), "data.csv");
        assert_eq!(address("http://example.org/").file_name(), "example.org");
        for wrong in ["ftp://example.org/x", "/etc/passwd", "https://", "file:///etc/passwd", "x y"] {
            let error = Address::new(wrong, None).expect_err(wrong);
            assert_eq!(error.code, Code::InvalidInput);
        }
        let error = Address::new("ftp://me:secret@example.org/x?token=abc", None).expect_err("no web");
        let said = error.to_string();
        assert!(!said.contains("abc") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn the_place_of_a_part_is_read_from_its_header() {
        assert_eq!(starts_at(Some("bytes 10-19/20")), Some(10));
        assert_eq!([None, Some("bytes */20"), Some("lines 1-2/3")].map(starts_at), [None; 3]);
    }
}
