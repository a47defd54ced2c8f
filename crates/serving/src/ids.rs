//! The id of a request: the client's own, or a new one, repeated in the header `x-request-id`.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

/// The header.
pub const HEADER: &str = "x-request-id";

/// The id that the client gave, if it is a short visible one.
pub fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    (!id.is_empty() && id.len() <= 128).then(|| id.to_owned())
}

/// An id that no other request has: 16 digits of this process and 16 of the request.
pub fn fresh() -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    format!("{process:016x}{:016x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The response with this id, or with a new one if there is none yet.
pub fn set(mut response: Response, id: Option<String>) -> Response {
    if response.headers().contains_key(HEADER) {
        return response;
    }
    // An id from the body of a request may hold what a header may not; it is repeated there.
    let value = id.and_then(|id| HeaderValue::try_from(id).ok());
    let value = value.or_else(|| HeaderValue::try_from(fresh()).ok());
    if let Some(value) = value {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
