//! Jobs: work in a thread of its own with a row in the index, progress, cancel and a result. A
//! panic in one is its failure.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use base::{Cancel, Code, Error, JobId, Progress, Result, Stage};
use serde_json::Value;

use crate::Engine;
use crate::commands::jobs::{JobState, JobView};
use crate::events::Event;

/// Finished jobs that are remembered.
const KEPT: u32 = 500;

/// The jobs that work now, by id, with what stops them.
#[derive(Default)]
pub struct Jobs(Mutex<BTreeMap<JobId, Cancel>>);

impl Jobs {
    /// True while any job works.
    pub fn is_busy(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Asks every job to stop.
    pub fn cancel_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(Cancel::cancel);
    }

    fn add(&self, id: &JobId) -> Cancel {
        let cancel = Cancel::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), cancel.clone());
        cancel
    }

    fn remove(&self, id: &JobId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Asks a job to stop; false if it does not work any more.
    pub fn cancel(&self, id: &JobId) -> bool {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(id).map(Cancel::cancel).is_some()
    }
}

/// What a job is, for the list of jobs.
pub struct Title<'a> {
    /// The command behind it, such as `dataset.import`.
    pub kind: &'a str,
    /// What it does, for people.
    pub title: String,
    /// What it is about: `{"run": …}`.
    pub subject: Value,
}

impl Engine {
    /// Starts a job and gives back its id at once.
    ///
    /// # Errors
    /// The job cannot be recorded.
    pub(crate) fn start_job(
        &self,
        title: &Title,
        work: impl FnOnce(&Engine, &Progress) -> Result<Value> + Send + 'static,
    ) -> Result<JobId> {
        let job = self.store().note(|change| {
            store::jobs::prune(change, KEPT)?;
            store::jobs::create(change, title.kind, &title.title, &title.subject)
        })?;
        let cancel = self.0.jobs.add(&job.id);
        let (engine, id) = (self.clone(), job.id.clone());
        std::thread::spawn(move || engine.work(&id, cancel, work));
        Ok(job.id)
    }

    fn work(&self, id: &JobId, cancel: Cancel, work: impl FnOnce(&Engine, &Progress) -> Result<Value>) {
        let engine = self.clone();
        let job_id = id.clone();
        let progress = Progress::new(cancel, move |stage| engine.report(&job_id, &stage));
        let started = self.store().note(|change| store::jobs::start(change, id));
        let result = started.and_then(|()| {
            catch_unwind(AssertUnwindSafe(|| work(self, &progress)))
                .unwrap_or_else(|panic| Err(fault(&*panic)))
        });
        let finished = self.store().note(|change| store::jobs::finish(change, id, result.as_ref()));
        if let Err(error) = finished {
            // The next owner finds the job unfinished and says so; here only the log can.
            eprintln!("cannot record the end of a job: {error}");
        }
        self.0.jobs.remove(id);
        self.tell(id);
    }

    fn report(&self, id: &JobId, stage: &Stage) {
        // Progress is a hint; the end of the job will be recorded or complained about.
        let _ = self.store().note(|change| store::jobs::set_progress(change, id, stage));
        self.tell(id);
    }

    fn tell(&self, id: &JobId) {
        if let Ok(job) = self.job(id) {
            self.emit(&Event::Job { job: Box::new(job) });
        }
    }

    /// A job as it is now.
    pub(crate) fn job(&self, id: &JobId) -> Result<JobView> {
        Ok(view(self.store().read(|db| store::jobs::get(db, id))?))
    }

    /// The newest jobs.
    pub(crate) fn jobs(&self, only_active: bool) -> Result<Vec<JobView>> {
        let jobs = self.store().read(|db| store::jobs::list(db, store::Page::new(0, 100)))?;
        Ok(jobs.into_iter().map(view).filter(|job| !only_active || job.finished_at.is_none()).collect())
    }

    /// Asks a job to stop. One that has ended already is left as it is.
    pub(crate) fn cancel_job(&self, id: &JobId) -> Result<()> {
        if !self.0.jobs.cancel(id) {
            self.job(id)?;
        }
        Ok(())
    }
}

fn fault(panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::new(Code::Internal, "the job stopped at a fault of its own")
        .because(said)
        .hint("please report this")
}

fn view(job: store::jobs::Job) -> JobView {
    let state = match job.state {
        store::jobs::JobState::Queued => JobState::Queued,
        store::jobs::JobState::Running => JobState::Running,
        store::jobs::JobState::Done => JobState::Done,
        store::jobs::JobState::Failed => JobState::Failed,
        store::jobs::JobState::Cancelled => JobState::Cancelled,
        store::jobs::JobState::Interrupted => JobState::Interrupted,
    };
    let (stage, done, total) = match job.progress {
        Some(stage) => (Some(stage.name), stage.done, stage.total),
        None => (None, 0, None),
    };
    JobView {
        id: job.id.to_string(),
        kind: job.kind,
        title: job.title,
        state,
        stage,
        done,
        total,
        started_at: job.started_at.unwrap_or(job.created_at).as_ms(),
        finished_at: job.finished_at.map(base::Timestamp::as_ms),
        error: job.error.map(Into::into),
        result: job.result,
        subject: job.subject,
    }
}
