//! What changed, told after the commit. A topic is a hint to look again, never the news itself,
//! so many announcements may melt into one: a slow listener costs no memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::sql::words;

words! {
    /// A part of the workspace that can change.
    Topic, "a topic" {
        /// Projects.
        Projects = "projects",
        /// Datasets and their versions.
        Datasets = "datasets",
        /// Pipelines and their drafts.
        Pipelines = "pipelines",
        /// Runs, their steps, metrics and parameters.
        Runs = "runs",
        /// Models, versions and aliases.
        Models = "models",
        /// Deployments and revisions.
        Deployments = "deployments",
        /// Alert rules.
        Monitors = "monitors",
        /// Alerts.
        Alerts = "alerts",
        /// Jobs.
        Jobs = "jobs",
        /// Settings.
        Settings = "settings",
        /// The audit log.
        Audit = "audit",
    }
}

#[derive(Default)]
struct State {
    topics: BTreeSet<Topic>,
    is_closed: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// The listening end: topics that changed since it was last asked.
pub struct ChangeFeed(Shared);

/// The speaking end, held by the store.
pub(crate) struct Announcer(Shared);

/// Both ends.
pub(crate) fn feed() -> (Announcer, ChangeFeed) {
    let shared = Shared::default();
    (Announcer(Arc::clone(&shared)), ChangeFeed(shared))
}

impl ChangeFeed {
    /// Waits until something changed, and takes all of it; empty when `timeout` passed first, and
    /// `None` once the store is closed and nothing is left to tell.
    pub fn wait(&self, timeout: Duration) -> Option<BTreeSet<Topic>> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = changed
            .wait_timeout_while(state, timeout, |state| state.topics.is_empty() && !state.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.topics.is_empty() && state.is_closed {
            return None;
        }
        Some(std::mem::take(&mut state.topics))
    }

    /// What changed since it was last asked, without waiting.
    pub fn take(&self) -> BTreeSet<Topic> {
        self.wait(Duration::ZERO).unwrap_or_default()
    }
}

impl std::fmt::Debug for ChangeFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeFeed")
    }
}

impl Announcer {
    pub(crate) fn announce(&self, topics: &BTreeSet<Topic>) {
        self.change(|state| state.topics.extend(topics));
    }

    fn change(&self, f: impl FnOnce(&mut State)) {
        let (state, changed) = &*self.0;
        f(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.change(|state| state.is_closed = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_melt_together_and_the_end_is_told() {
        let (announcer, feed) = feed();
        assert_eq!(feed.take(), BTreeSet::new());
        announcer.announce(&BTreeSet::from([Topic::Runs]));
        announcer.announce(&BTreeSet::from([Topic::Jobs, Topic::Runs]));
        assert_eq!(feed.take(), BTreeSet::from([Topic::Runs, Topic::Jobs]));
        announcer.announce(&BTreeSet::from([Topic::Audit]));
        drop(announcer);
        assert_eq!(feed.wait(Duration::from_secs(9)), Some(BTreeSet::from([Topic::Audit])));
        assert_eq!(feed.wait(Duration::from_secs(9)), None);
    }
}
