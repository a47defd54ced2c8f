//! Who may call: whoever has the token, reaches us under our own name, and does not come from
//! another site's page. Checked for every route, so that a new one cannot be forgotten.
//!
//! A page of another site can make a browser send requests here. It cannot read the token, but
//! the checks of Host (DNS rebinding) and Origin (cross-site requests) keep it from getting as
//! far as the token.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use base::{Code, Error};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mlflow;
use crate::routes::{App, failure};

/// Lets a request through, or answers it with the reason why not.
pub async fn guard(State(app): State<App>, request: Request<Body>, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err((status, error)) if mlflow::is_ours(request.uri().path()) => mlflow::refuse(status, error),
        Err((status, error)) => failure(status, error),
    }
}

fn check(app: &App, request: &Request<Body>) -> Result<(), (u16, Error)> {
    let headers = request.headers();
    let host = only(headers, header::HOST.as_str()).unwrap_or_default();
    if !app.is_own_host(host) {
        let error = Error::new(Code::Forbidden, "this address is not ours");
        return Err((421, error.hint("use the address that `fettle daemon status` prints")));
    }
    if headers.contains_key(header::ORIGIN) {
        let origin = only(headers, header::ORIGIN.as_str()).unwrap_or_default();
        if !origin.strip_prefix("http://").is_some_and(|origin| app.is_own_host(origin) && origin == host) {
            return Err((403, Error::new(Code::Forbidden, "pages of other sites may not call Fettle")));
        }
    }
    if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return Err((403, Error::new(Code::Forbidden, "pages of other sites may not call Fettle")));
    }
    if is_open(request) {
        return Ok(());
    }
    let is_tracking = mlflow::is_ours(request.uri().path());
    let is_known = |given: String| {
        // Scripts have a token of their own, which opens nothing else.
        is_same(given.as_bytes(), app.token().as_bytes())
            || (is_tracking && is_same(given.as_bytes(), app.tracking_token().as_bytes()))
    };
    if !only(headers, header::AUTHORIZATION.as_str()).and_then(token_in).is_some_and(is_known) {
        let error = Error::new(Code::Forbidden, "the token is missing or wrong");
        return Err((
            401,
            error.hint("send `Authorization: Bearer <token>` with the token of this workspace"),
        ));
    }
    if !is_tracking && request.method() == Method::POST && !is_json(headers) {
        return Err((415, Error::invalid("the content type must be `application/json`")));
    }
    Ok(())
}

/// The screens hold no data, and a browser cannot send a token when it opens an address.
fn is_open(request: &Request<Body>) -> bool {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    is_read && path != "/events" && !path.starts_with("/rpc") && !mlflow::is_ours(path)
}

/// The token that a header brings: as such, or as the password of whatever user, which is all that
/// some programs can send.
fn token_in(header: &str) -> Option<String> {
    if let Some(token) = header.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = only(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The value of a header that may stand only once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Compares without telling by the time it takes how much was right.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (x, y)| different | (x ^ y)) == 0
}
