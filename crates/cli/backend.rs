//! Where commands go: into this process, which then owns the workspace for as long as it lives,
//! or to the daemon that owns it already.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::{Code, Error, Pauses, Result};
use engine::Engine;
use engine::commands::jobs::{JobState, JobView};
use engine::rpc::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::Args;
use crate::interrupt::Interrupt;
use crate::print::Printer;

/// How soon a job is looked at for the first time, and how often once it has taken a while.
const FIRST_POLL: Duration = Duration::from_millis(2);
const POLL: Duration = Duration::from_millis(80);

/// Where commands go.
pub enum Backend {
    /// Into this process.
    Here(Arc<Engine>),
    /// To a daemon.
    There(Remote),
}

/// A daemon and the token it asks for.
pub struct Remote {
    agent: ureq::Agent,
    /// Its address.
    pub url: String,
    token: String,
}

/// The folder of the workspace, and whether the user named it.
pub fn folder(args: &Args) -> Result<(PathBuf, bool)> {
    if let Some(folder) = &args.workspace {
        return Ok((PathBuf::from(crate::absolute(folder)?), true));
    }
    Ok((engine::default_workspace()?, false))
}

impl Backend {
    /// Opens the workspace here, or reaches the daemon that has it. `makes` allows to make a
    /// workspace where there is none; the user's own is always made.
    ///
    /// # Errors
    /// [`Code::NotFound`] if there is no workspace; [`Code::Locked`] if another command line has it.
    pub fn open(args: &Args, makes: bool) -> Result<Self> {
        let (folder, is_named) = folder(args)?;
        if let Some(remote) = Remote::find(&folder)? {
            return Ok(Self::There(remote));
        }
        let engine =
            if makes || !is_named { Engine::open_or_create(&folder)? } else { Engine::open(&folder)? };
        Ok(Self::Here(Arc::new(engine)))
    }

    /// Runs a command.
    ///
    /// # Errors
    /// Whatever the command refuses; a daemon that does not answer.
    pub fn call<T: DeserializeOwned>(&self, command: &str, request: impl Serialize) -> Result<T> {
        let request = serde_json::to_value(request)
            .map_err(|e| Error::internal("cannot write a request").because(e))?;
        let reply = match self {
            Self::Here(engine) => engine.dispatch(command, request)?,
            Self::There(remote) => remote.post(&format!("/rpc/{command}"), &request)?,
        };
        serde_json::from_value(reply)
            .map_err(|e| Error::internal(format!("cannot read the reply of `{command}`")).because(e))
    }

    /// Runs a command that starts a job, and waits for its end, showing how far it is.
    ///
    /// # Errors
    /// As [`Backend::call`], and whatever made the job fail.
    pub fn run_job(&self, command: &str, request: impl Serialize, printer: &Printer) -> Result<JobView> {
        let started: Value = self.call(command, request)?;
        let job_id = started["jobId"].as_str().unwrap_or_default().to_owned();
        let job = self.wait(&job_id, printer)?;
        Ok(JobView { result: job.result.or(Some(started)), ..job })
    }

    /// Waits for the end of a job, and cancels it when the user presses Ctrl-C.
    ///
    /// # Errors
    /// As [`Backend::run_job`]; [`Code::Cancelled`].
    pub fn wait(&self, job_id: &str, printer: &Printer) -> Result<JobView> {
        let interrupt = Interrupt::listen();
        let mut is_cancelled = false;
        let mut pauses = Pauses::between(FIRST_POLL, POLL);
        loop {
            if interrupt.is_asked() && !is_cancelled {
                is_cancelled = true;
                printer.note("cancelling; press Ctrl-C again to leave at once");
                let _: Value = self.call("job.cancel", json!({ "jobId": job_id }))?;
            }
            let job: JobView = self.call("job.show", json!({ "jobId": job_id }))?;
            match job.state {
                JobState::Queued | JobState::Running => printer.progress(&job),
                JobState::Done => {
                    printer.progress_done();
                    return Ok(job);
                }
                JobState::Failed | JobState::Cancelled | JobState::Interrupted => {
                    printer.progress_done();
                    let fallback = || Error::new(Code::Cancelled, format!("{} was stopped", job.title));
                    return Err(job.error.clone().map_or_else(fallback, Error::from));
                }
            }
            pauses.wait();
        }
    }
}

impl Remote {
    /// The daemon that owns the workspace in this folder, if one does and answers.
    ///
    /// # Errors
    /// Its token cannot be read.
    pub fn find(folder: &std::path::Path) -> Result<Option<Self>> {
        let Some(owner) = engine::daemon_of(folder)? else { return Ok(None) };
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let remote = Self { agent: config.new_agent(), url: owner.url, token: owner.token };
        Ok(remote.get("/health").is_ok().then_some(remote))
    }

    /// Asks for a JSON answer.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub fn get(&self, path: &str) -> Result<Value> {
        let sent = self.agent.get(format!("{}{path}", self.url)).call();
        self.answer(sent)
    }

    /// Sends JSON and asks for a JSON answer.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let sent = request.header("Authorization", format!("Bearer {}", self.token)).send_json(body);
        self.answer(sent)
    }

    fn answer(&self, sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
        let gone = |e: ureq::Error| {
            Error::new(Code::Unavailable, format!("the daemon at {} does not answer", self.url))
                .hint("try again, or start it with `fettle daemon start`")
                .because(e)
        };
        let mut response = sent.map_err(gone)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(256 * 1024 * 1024);
        if status.is_success() {
            return body.read_json().map_err(gone);
        }
        let failure: Failure = body.read_json().map_err(gone)?;
        Err(failure.into())
    }
}
