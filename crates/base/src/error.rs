//! The one error of Fettle: a code that somebody acts on, a sentence, a way out, and causes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure it is. Closed on purpose: a new code needs someone who acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request or a file given by the user is wrong; the same call will fail again.
    InvalidInput,
    /// Nothing has this name or id.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The thing is in a state that does not allow this, or somebody else changed it.
    Conflict,
    /// The user stopped it.
    Cancelled,
    /// A process, port or file that is needed is not there right now; trying again may work.
    Unavailable,
    /// Another process owns the workspace.
    Locked,
    /// A step of a pipeline failed.
    StepFailed,
    /// A check or a gate did not hold.
    GateFailed,
    /// A monitor found drift.
    Drifted,
    /// Stored data is missing or is not what was written.
    Corrupt,
    /// The disk is full.
    DiskFull,
    /// A deployment failed, and the one before it serves again.
    DeployFailed,
    /// A policy asks for an approval that is not there.
    NotApproved,
    /// A newer Fettle wrote this; this one must not touch it.
    TooNew,
    /// The caller has no or a wrong token, or comes from a foreign origin.
    Forbidden,
    /// A fault of Fettle itself.
    Internal,
}

impl Code {
    /// Every code, in the order of the tables.
    pub const ALL: [Self; 17] = [
        Self::InvalidInput,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Cancelled,
        Self::Unavailable,
        Self::Locked,
        Self::StepFailed,
        Self::GateFailed,
        Self::Drifted,
        Self::Corrupt,
        Self::DiskFull,
        Self::DeployFailed,
        Self::NotApproved,
        Self::TooNew,
        Self::Forbidden,
        Self::Internal,
    ];

    /// The exit code of the command line (README, "Exit codes").
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InvalidInput | Self::NotFound | Self::AlreadyExists => 2,
            Self::StepFailed => 3,
            Self::GateFailed => 4,
            Self::Drifted => 5,
            Self::Corrupt => 6,
            Self::DeployFailed => 7,
            Self::NotApproved => 8,
            Self::Cancelled => 130,
            Self::Conflict
            | Self::Unavailable
            | Self::Locked
            | Self::DiskFull
            | Self::TooNew
            | Self::Forbidden
            | Self::Internal => 1,
        }
    }

    /// The status of an HTTP answer that carries this error.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidInput => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict | Self::Locked | Self::Cancelled => 409,
            Self::StepFailed | Self::GateFailed | Self::Drifted | Self::DeployFailed | Self::NotApproved => {
                422
            }
            Self::Unavailable => 503,
            Self::DiskFull => 507,
            Self::Corrupt | Self::TooNew | Self::Internal => 500,
        }
    }
}

/// What could not be done, to what, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What kind of failure it is.
    pub code: Code,
    /// What could not be done and to what: lower case, no final period, literals in backticks.
    pub message: String,
    /// What the user can do now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What lies behind it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, causes: Vec::new() }
    }

    /// [`Code::InvalidInput`] with this message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidInput, message)
    }

    /// [`Code::NotFound`] with this message.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// [`Code::Internal`] with this message.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// [`Code::Cancelled`], the way a job says that it stopped because it was told to.
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "cancelled")
    }

    /// The same error with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with one more cause behind it.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The error said in terms of the operation around it: `message` becomes the sentence, what
    /// was the sentence becomes the first cause. Code and hint stay.
    #[must_use]
    pub fn within(mut self, message: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.message, message.into());
        self.causes.insert(0, inner);
        self
    }

    /// An operating system error on a path; a full disk is told apart from the rest.
    pub fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let message = format!("cannot {action} `{}`", path.display());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::new(Code::DiskFull, message)
                .hint("free some space on this disk and try again; nothing was lost"),
            ErrorKind::NotFound => Self::new(Code::NotFound, message),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::new(Code::Unavailable, message)
                    .hint("check the permissions of the file and of its folder")
            }
            _ => Self::new(Code::Unavailable, message),
        }
        .because(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_an_exit_code_and_a_status() {
        for code in Code::ALL {
            let name = serde_json::to_value(code).expect("a code is a string");
            assert_eq!(serde_json::from_value::<Code>(name).expect("names read back"), code);
            assert_ne!(code.exit_code(), 0, "{code:?}");
            assert!((400..=599).contains(&code.http_status()), "{code:?}");
        }
    }

    #[test]
    fn an_operation_around_an_error_keeps_its_code_and_hint() {
        let error = Error::invalid("line 7 has 4 fields, expected 5")
            .hint("choose another delimiter")
            .within("cannot import `iris.csv`");
        assert_eq!(error.to_string(), "cannot import `iris.csv`: line 7 has 4 fields, expected 5");
        assert_eq!(error.code, Code::InvalidInput);
        assert_eq!(error.hint.as_deref(), Some("choose another delimiter"));
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Error::io("write", "x".as_ref(), &full).code, Code::DiskFull);
    }
}
