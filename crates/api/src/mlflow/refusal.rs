//! What is refused, in MLflow's words: a status, a code and a message. The client retries some
//! statuses for minutes (429 and 5xx), so a wrong request never gets one of those.

use base::{Code, Error};
use serde_json::{Value, json};

/// What a route answers.
pub(super) type Answer = Result<Value, Refusal>;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// MLflow's name of the failure.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

const INVALID: &str = "INVALID_PARAMETER_VALUE";

impl Refusal {
    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, code: INVALID, message: message.into() }
    }

    /// A field that has to be there is not.
    pub fn missing(name: &str) -> Self {
        Self::invalid(format!(
            "Missing value for required parameter '{name}'. \
             See the API docs for more information about request parameters."
        ))
    }

    /// A field has a value of another type.
    pub fn wrong_type(name: &str, value: &Value) -> Self {
        let kind = match value {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            Value::String(_) => "str",
            Value::Array(_) => "list",
            Value::Object(_) => "dict",
        };
        let shown: String = value.to_string().chars().take(200).collect();
        Self::invalid(format!(
            "Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. \
             See the API docs for more information about request parameters."
        ))
    }

    /// Nothing has this name or id.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, code: "RESOURCE_DOES_NOT_EXIST", message: message.into() }
    }

    /// The name is taken.
    pub fn exists(message: impl Into<String>) -> Self {
        Self { status: 400, code: "RESOURCE_ALREADY_EXISTS", message: message.into() }
    }

    /// There is no run of this id.
    pub fn no_run(id: &str) -> Self {
        Self::not_found(format!("Run with id={} not found", id.escape_debug()))
    }

    /// MLflow serves it, Fettle does not.
    pub fn not_served(what: &str) -> Self {
        let message = format!(
            "Fettle serves experiments, runs, files and models; `{}` is not served",
            what.escape_debug()
        );
        Self { status: 501, code: "NOT_IMPLEMENTED", message }
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        json!({ "error_code": self.code, "message": self.message })
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (status, code) = match error.code {
            Code::InvalidInput => (400, INVALID),
            Code::NotFound => (404, "RESOURCE_DOES_NOT_EXIST"),
            Code::AlreadyExists => (400, "RESOURCE_ALREADY_EXISTS"),
            Code::Conflict | Code::TooNew => (400, "INVALID_STATE"),
            Code::Cancelled => (499, "CANCELLED"),
            Code::Unavailable | Code::Locked => (503, "TEMPORARILY_UNAVAILABLE"),
            Code::Forbidden | Code::NotApproved | Code::GateFailed => (403, "PERMISSION_DENIED"),
            Code::DiskFull => (507, "INTERNAL_ERROR"),
            Code::StepFailed | Code::Drifted | Code::DeployFailed | Code::Corrupt | Code::Internal => {
                (500, "INTERNAL_ERROR")
            }
        };
        let message = match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        };
        Self { status, code, message }
    }
}
