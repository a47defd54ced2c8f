//! What the engine tells whoever listens. Events are hints: a query always tells the truth.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::commands::jobs::JobView;
use crate::rpc::Topic;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// A write was committed: queries on these topics are stale.
    Changed {
        /// What changed.
        topics: Vec<Topic>,
    },
    /// A job moved on; sent at most ten times a second for each job.
    Job {
        /// The job as it is now.
        job: Box<JobView>,
    },
    /// New points of a live training curve.
    Points {
        /// The run.
        run_id: String,
        /// The step that trains.
        step_id: String,
        /// What is on the y axis.
        metric: String,
        /// `[round, train, validation]`; validation is null where there is none.
        points: Vec<(f64, f64, Option<f64>)>,
    },
}

impl Event {
    /// Tells a listener that lost events to look at everything anew.
    pub fn everything_changed() -> Self {
        Self::Changed { topics: Topic::ALL.to_vec() }
    }
}
