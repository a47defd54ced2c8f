//! What a client is told when something is wrong: a status and a sentence, always as JSON.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused or failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// The sentence, with the way out if there is one.
    pub message: String,
}

impl Failure {
    /// A failure with this status and sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400: the request is wrong and will be wrong again.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// As MLflow's scoring server says it.
    pub fn into_mlflow(self) -> Response {
        // A wrong content type is the one thing that it answers as plain text.
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return (self.status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], self.message)
                .into_response();
        }
        let code = match self.status {
            StatusCode::BAD_REQUEST => "BAD_REQUEST",
            StatusCode::PAYLOAD_TOO_LARGE => "INVALID_PARAMETER_VALUE",
            StatusCode::SERVICE_UNAVAILABLE => "TEMPORARILY_UNAVAILABLE",
            StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
            _ => "INTERNAL_ERROR",
        };
        let body = Json(json!({ "error_code": code, "message": self.message }));
        self.with_headers((self.status, body).into_response())
    }

    fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<base::Error> for Failure {
    fn from(error: base::Error) -> Self {
        let status =
            StatusCode::from_u16(error.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message = match &error.hint {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        };
        Self { status, message }
    }
}

/// As the Open Inference Protocol says it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.message }));
        self.with_headers((self.status, body).into_response())
    }
}
