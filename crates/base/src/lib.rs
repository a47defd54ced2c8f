//! What every other crate speaks: ids, errors, time, cancellation and progress, pauses, and how
//! numbers and bytes are written. It computes nothing and touches no file.

mod error;
mod format;
mod id;
mod pause;
mod progress;
mod time;

pub use error::{Code, Error, Result};
pub use format::{bytes, count, number};
pub use id::{DatasetId, DeploymentId, JobId, ModelId, ProjectId, RunId, VersionId};
pub use pause::Pauses;
pub use progress::{Cancel, Progress, Stage};
pub use time::{Clock, Timestamp};
