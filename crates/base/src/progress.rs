//! How long work says how far it is, and how it learns that it should stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A switch shared between whoever may stop a piece of work and the work.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    parent: Option<Arc<Cancel>>,
}

impl Cancel {
    /// Asks the work to stop. It ends with [`crate::Code::Cancelled`] at its next step.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// A switch for a part of the work: it stops that part alone, and stopping the work stops the part.
    pub fn part(&self) -> Self {
        Self { own: Arc::default(), parent: Some(Arc::new(self.clone())) }
    }

    /// True once somebody asked the work to stop.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Relaxed) || self.parent.as_ref().is_some_and(|parent| parent.is_cancelled())
    }
}

/// How far a piece of work is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What is being done, such as `reading` or `training`.
    pub name: String,
    /// Units done so far; the unit is the work's own (rows, bytes, trees).
    pub done: u64,
    /// Units in all, where that is known.
    pub total: Option<u64>,
}

/// What a piece of work may say to the outside. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    cancel: Cancel,
    sink: Arc<dyn Fn(Stage) + Send + Sync>,
    last: Arc<Mutex<Option<(Instant, Stage)>>>,
}

impl Progress {
    /// Reports reach the sink at most this often; a stage's first and last always do.
    const INTERVAL: Duration = Duration::from_millis(100);

    /// Progress that is told to `sink` and stops when `cancel` says so.
    pub fn new(cancel: Cancel, sink: impl Fn(Stage) + Send + Sync + 'static) -> Self {
        Self { cancel, sink: Arc::new(sink), last: Arc::default() }
    }

    /// Progress that nobody listens to and nobody can stop.
    pub fn silent() -> Self {
        Self::new(Cancel::default(), |_| ())
    }

    /// The switch that stops this work.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Says how far the work is and learns whether it should go on. Call it at least every 100 ms.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`] once the work was cancelled.
    pub fn step(&self, name: &str, done: u64, total: Option<u64>) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        // A panic elsewhere leaves only an old report behind, which does no harm.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.as_ref().is_none_or(|(at, told)| {
            let is_end = done == 0 || Some(done) == total;
            let is_new = told.name != name || told.done != done || told.total != total;
            at.elapsed() >= Self::INTERVAL || (is_end && is_new)
        });
        if is_due {
            let stage = Stage { name: name.to_owned(), done, total };
            *last = Some((Instant::now(), stage.clone()));
            drop(last);
            (self.sink)(stage);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_part_stops_alone_and_with_the_whole() {
        let whole = Cancel::default();
        let (first, second) = (whole.part(), whole.part());
        first.cancel();
        assert!(first.is_cancelled() && !whole.is_cancelled() && !second.is_cancelled());
        whole.cancel();
        assert!(second.is_cancelled() && second.part().is_cancelled());
    }

    #[test]
    fn a_stage_that_stays_where_it_is_is_told_once() {
        let seen = Arc::new(Mutex::new(0));
        let progress = Progress::new(Cancel::default(), {
            let seen = Arc::clone(&seen);
            move |_| *seen.lock().expect("no test panics here") += 1
        });
        let started = Instant::now();
        for _ in 0..1000 {
            progress.step("waiting", 0, None).expect("nobody cancels");
        }
        let most = 1 + started.elapsed().as_millis() / Progress::INTERVAL.as_millis();
        assert!(*seen.lock().expect("no test panics here") <= most);
    }

    #[test]
    fn ten_thousand_steps_send_few_reports_and_the_last_one() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let progress = Progress::new(Cancel::default(), {
            let seen = Arc::clone(&seen);
            move |stage| seen.lock().expect("no test panics here").push(stage)
        });
        let started = Instant::now();
        for done in 0..=10_000 {
            progress.step("train", done, Some(10_000)).expect("nobody cancels");
        }
        let most = 3 + started.elapsed().as_millis() / Progress::INTERVAL.as_millis();
        let seen = seen.lock().expect("no test panics here");
        assert!((2..=most as usize).contains(&seen.len()), "{} reports", seen.len());
        assert_eq!(seen.last().expect("not empty").done, 10_000);
    }

    #[test]
    fn cancelled_work_stops_at_its_next_step() {
        let progress = Progress::silent();
        progress.step("read", 1, None).expect("not yet cancelled");
        progress.cancel().cancel();
        assert_eq!(progress.step("read", 2, None).expect_err("cancelled").code, Code::Cancelled);
    }
}
