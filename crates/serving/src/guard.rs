//! Who may ask: checks that run before any handler, on every route and on unknown ones.

use std::net::SocketAddr;
use std::path::Path;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base::{Code, Error, Result};

use crate::failure::Failure;
use crate::options::TokenSource;

/// Whether a route asks for the token. Every route says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everyone may ask: health, and the page that holds nothing.
    Open,
    /// The bearer token is needed, if the server has one.
    Token,
}

/// The checks of a server.
#[derive(Debug)]
pub struct Guard {
    token: Option<Vec<u8>>,
    /// True if it listens on loopback: then it goes by the names of its own machine only.
    is_local: bool,
}

impl Guard {
    /// Reads the token and takes note of where the server listens.
    ///
    /// # Errors
    /// If the token file cannot be read, others may read it, or the token is too short.
    pub fn new(source: &TokenSource, listening: SocketAddr) -> Result<Self> {
        let token = match source {
            TokenSource::Nowhere => None,
            TokenSource::Given(token) => Some(long_enough(token.trim())?),
            TokenSource::File(path) => Some(long_enough(read_private(path)?.trim())?),
        };
        Ok(Self { token, is_local: listening.ip().is_loopback() })
    }

    /// Lets a request pass or says why not.
    ///
    /// # Errors
    /// 421 for a foreign host (a name that was made to point here), 403 for a foreign origin
    /// (another page in the same browser), 401 without the token.
    pub fn check(&self, parts: &Parts, policy: Policy) -> Result<(), Failure> {
        self.check_host(parts)?;
        check_origin(parts)?;
        match (policy, &self.token) {
            (Policy::Token, Some(token))
                if !bearer(&parts.headers).is_some_and(|given| same(given, token)) =>
            {
                Err(Failure::new(StatusCode::UNAUTHORIZED, "the request carries no or a wrong token")
                    .with_hint("send `Authorization: Bearer <token>`"))
            }
            _ => Ok(()),
        }
    }

    fn check_host(&self, parts: &Parts) -> Result<(), Failure> {
        if !self.is_local {
            return Ok(());
        }
        let mut named = parts.headers.get_all(header::HOST).iter();
        let (host, more) = (named.next(), named.next());
        let by_header = host.and_then(|host| host.to_str().ok()).is_some_and(is_ours);
        let by_target = parts.uri.authority().is_none_or(|authority| is_ours(authority.as_str()));
        if !by_header || !by_target || more.is_some() {
            return Err(Failure::new(
                StatusCode::MISDIRECTED_REQUEST,
                "this server is not called by that name",
            )
            .with_hint("use http://127.0.0.1 and its port"));
        }
        Ok(())
    }
}

impl Failure {
    fn with_hint(mut self, hint: &str) -> Self {
        self.message = format!("{} ({hint})", self.message);
        self
    }
}

/// True for the names that every machine gives itself, which no other can be made to bear. The port is
/// not looked at: a tunnel leads here from one of another machine's.
fn is_ours(name: &str) -> bool {
    let names = ["127.0.0.1", "localhost", "[::1]"];
    names.iter().any(|own| match name.strip_prefix(own) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| {
            port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit())
        }),
        None => false,
    })
}

/// A page of another origin may not use the browser of the user to ask here.
fn check_origin(parts: &Parts) -> Result<(), Failure> {
    let foreign =
        || Err(Failure::new(StatusCode::FORBIDDEN, "the request comes from a page of another origin"));
    let site = parts.headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return foreign();
    }
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    if origins.any(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        own.is_none_or(|own| own.is_empty() || own != host)
    }) {
        return foreign();
    }
    Ok(())
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, more) = (given.next()?, given.next());
    let (scheme, token) = only.as_bytes().split_at_checked(7)?;
    (more.is_none() && scheme.eq_ignore_ascii_case(b"bearer ")).then_some(token)
}

/// Compares in a time that does not tell how much of it is right.
fn same(given: &[u8], token: &[u8]) -> bool {
    let mut different = u8::from(given.len() != token.len());
    for (at, byte) in token.iter().enumerate() {
        different |= byte ^ given.get(at).copied().unwrap_or(!byte);
    }
    std::hint::black_box(different) == 0
}

fn long_enough(token: &str) -> Result<Vec<u8>> {
    if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid("the token has fewer than 16 characters, or others than visible ASCII")
            .hint("make one with `openssl rand -hex 32`"));
    }
    Ok(token.as_bytes().to_vec())
}

fn read_private(path: &Path) -> Result<String> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io("read the token file", path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            let message =
                format!("others may read the token file `{}` (mode {:o})", path.display(), mode & 0o777);
            return Err(
                Error::new(Code::Forbidden, message).hint("run `chmod 600` on it and make a new token")
            );
        }
    }
    if metadata.len() > 4096 {
        return Err(Error::new(Code::InvalidInput, format!("`{}` is no token file", path.display())));
    }
    std::fs::read_to_string(path).map_err(|error| Error::io("read the token file", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)], uri: &str) -> Parts {
        let mut request = axum::http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn guard() -> Guard {
        let address = "127.0.0.1:8080".parse().expect("an address");
        Guard::new(&TokenSource::Given("0123456789abcdef".to_owned()), address).expect("a guard")
    }

    fn status(headers: &[(&str, &str)], uri: &str, policy: Policy) -> u16 {
        guard().check(&parts(headers, uri), policy).map_or_else(|failure| failure.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_the_names_of_this_machine_are_answered_from_whatever_port_a_tunnel_comes() {
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost", "127.0.0.1:40123"] {
            assert_eq!(status(&[("host", host)], "/", Policy::Open), 200, "{host}");
        }
        let foreign = "evil.com 127.0.0.1.evil.com:8080 127.0.0.1@evil.com localhost.evil.com:8080 localhost:8080.evil \
            10.0.0.5:8080 0.0.0.0:8080 [::]:8080 0177.0.0.1:8080 2130706433:8080 127.1:8080 LOCALHOST.:8080 \
            localhost: localhost:x localhost:+80 localhost:99999 127.0.0.1:8080:1 [::1]8080";
        for host in foreign.split_whitespace().chain([""]) {
            assert_eq!(status(&[("host", host)], "/", Policy::Open), 421, "{host}");
        }
        assert_eq!(status(&[], "/", Policy::Open), 421);
        let twice = [("host", "127.0.0.1:8080"), ("host", "evil.com")];
        assert_eq!(status(&twice, "/", Policy::Open), 421);
        assert_eq!(status(&[("host", "127.0.0.1:8080")], "http://evil.com/v2", Policy::Open), 421);
        assert_eq!(
            status(&[("host", "evil.com"), ("x-forwarded-host", "127.0.0.1:8080")], "/", Policy::Open),
            421
        );
    }

    #[test]
    fn pages_of_other_origins_are_refused_even_on_this_machine() {
        let host = ("host", "127.0.0.1:8080");
        for (name, value) in [
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "https://evil.com"),
            ("origin", "null"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "no-cors"),
        ] {
            assert_eq!(status(&[host, (name, value)], "/", Policy::Open), 403, "{name}: {value}");
        }
        let own = [host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")];
        assert_eq!(status(&own, "/", Policy::Open), 200);
    }

    #[test]
    fn the_token_must_be_right_to_the_last_character() {
        let host = ("host", "127.0.0.1:8080");
        assert_eq!(status(&[host], "/v2", Policy::Token), 401);
        let long = format!("Bearer {}", "a".repeat(60_000));
        for wrong in [
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "0123456789abcdef",
            "Bearer ",
            "Basic x",
            &long,
        ] {
            assert_eq!(status(&[host, ("authorization", wrong)], "/v2", Policy::Token), 401, "{wrong:.40}");
        }
        assert_eq!(status(&[host], "/v2?token=0123456789abcdef", Policy::Token), 401);
        assert_eq!(status(&[host, ("authorization", "bearer 0123456789abcdef")], "/v2", Policy::Token), 200);
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "0123456789abcdef\n").expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("changes");
        assert_eq!(read_private(&path).expect_err("others may read it").code, Code::Forbidden);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("changes");
        assert_eq!(read_private(&path).expect("reads").trim(), "0123456789abcdef");
    }
}
