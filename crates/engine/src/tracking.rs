//! What scripts log, as the engine sees it: where they log to, with which token, what is there from
//! the start, and when the manifests of what they logged are written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::{Code, Error, ProjectId, Result, VersionId};
use store::tracking::experiments::{self, NewExperiment};
use store::{Action, files, tracking};

use crate::Engine;
use crate::commands::models::CheckStatus;
use crate::commands::tracking::TrackingInfo;
use crate::models::PRODUCTION;
use crate::owner::daemon_of;

const TOKEN_FILE: &str = "tracking.token";
const PORT_FILE: &str = "tracking.port";
/// How often what rests is written down, and how many at a time.
const SETTLING: Duration = Duration::from_secs(2);
const SETTLED_TOGETHER: u32 = 100;
/// The experiment that is always there: where scripts log that name none.
const DEFAULT_ID: i64 = 0;
const DEFAULT_NAME: &str = "Default";

/// What the engine remembers of tracking.
#[derive(Debug, Default)]
pub(crate) struct Ready(AtomicBool);

impl Engine {
    /// The project that new experiments and models go into: the one that is open.
    ///
    /// # Errors
    /// The workspace cannot be read.
    pub fn tracking_project(&self) -> Result<ProjectId> {
        Ok(self.project(None)?.id)
    }

    /// Makes what scripts expect to be there.
    ///
    /// # Errors
    /// The workspace cannot be written.
    pub fn expect_tracking(&self) -> Result<()> {
        if self.0.tracking.0.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.store().read(|db| experiments::find(db, DEFAULT_ID))?.is_none() {
            let new = NewExperiment {
                id: Some(DEFAULT_ID),
                project_id: self.tracking_project()?,
                name: DEFAULT_NAME.to_owned(),
                artifact_location: None,
                tags: Vec::new(),
            };
            let made = self.store().write(Action::new("experiment.new", DEFAULT_NAME).by("fettle"), |w| {
                // Another request may have been quicker.
                if experiments::find(w, DEFAULT_ID)?.is_none() {
                    experiments::create(w, &new).map(drop)
                } else {
                    Ok(())
                }
            });
            made?;
        }
        self.0.tracking.0.store(true, Ordering::Release);
        Ok(())
    }

    /// Refuses to move the alias that deployments take by themselves past a gate that is shut.
    ///
    /// # Errors
    /// [`Code::GateFailed`] with what did not hold.
    pub fn expect_open_gate(&self, id: &VersionId, alias: &str) -> Result<()> {
        if alias != PRODUCTION {
            return Ok(());
        }
        let picked = self.model_version(id)?;
        let report = self.gate(&picked, alias)?;
        if report.is_open {
            return Ok(());
        }
        let failed = report.checks.iter().filter(|check| check.status == CheckStatus::Failed);
        let failed: Vec<_> = failed.map(|check| format!("{}: {}", check.name, check.message)).collect();
        let subject = format!("version {} of `{}`", report.version, report.model);
        Err(Error::new(Code::GateFailed, format!("{subject} cannot be `{alias}`: {}", failed.join("; ")))
            .hint("use another alias, or register a version that passes"))
    }

    /// The token that scripts send; made when it is first asked for, and then always the same.
    ///
    /// # Errors
    /// The workspace cannot be read or written.
    pub fn tracking_token(&self) -> Result<String> {
        let path = self.store().root().join(TOKEN_FILE);
        match std::fs::read_to_string(&path) {
            Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
            Ok(_) => self.new_tracking_token(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => self.new_tracking_token(),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }

    fn new_tracking_token(&self) -> Result<String> {
        self.set_tracking_token(&(base::RunId::new().as_str().to_owned() + base::RunId::new().as_str()))
    }

    /// Makes this the token that scripts send.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for one that is short or cannot stand in a header.
    pub fn set_tracking_token(&self, token: &str) -> Result<String> {
        let is_plain =
            token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'));
        if !is_plain || !(16..=256).contains(&token.len()) {
            return Err(Error::invalid("this cannot be a token")
                .hint("use 16 to 256 letters, digits, `-`, `_`, `.` and `~`; or none, and one is made"));
        }
        files::write_atomic(&self.store().root().join(TOKEN_FILE), token.as_bytes())?;
        Ok(token.to_owned())
    }

    /// The port where the daemon listened last time.
    pub fn last_port(&self) -> Option<u16> {
        // A file that is not there or says nothing leaves us free to choose.
        std::fs::read_to_string(self.store().root().join(PORT_FILE)).ok()?.trim().parse().ok()
    }

    /// Remembers where the daemon listens, for the next time.
    ///
    /// # Errors
    /// The workspace cannot be written.
    pub fn remember_port(&self, port: u16) -> Result<()> {
        if self.last_port() == Some(port) {
            return Ok(());
        }
        files::write_atomic(&self.store().root().join(PORT_FILE), port.to_string().as_bytes())
    }

    /// Where scripts log to, and how they are told.
    pub(crate) fn tracking_info(&self) -> Result<TrackingInfo> {
        let token = self.tracking_token()?;
        let url = daemon_of(self.store().root())?.map(|daemon| daemon.url);
        let experiments = self.store().read(experiments::count)?;
        Ok(TrackingInfo {
            environment: url.as_deref().map(|url| environment(url, &token)),
            url,
            token,
            experiments,
        })
    }

    /// Writes down what rests, now and then, until the engine is gone.
    pub(crate) fn start_settling(&self) {
        let inner = std::sync::Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            loop {
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = Self(inner).settle() {
                    eprintln!("cannot write down what scripts logged: {error}");
                }
                std::thread::sleep(SETTLING);
            }
        });
    }

    /// Writes down what rests and has no manifest.
    ///
    /// # Errors
    /// The workspace cannot be written.
    pub fn settle(&self) -> Result<()> {
        loop {
            let resting = self.store().read(|db| tracking::unsettled(db, SETTLED_TOGETHER))?;
            if resting.is_empty() {
                return Ok(());
            }
            let action = Action::new("run.settle", resting.len()).by("fettle");
            self.store().write(action, |w| resting.iter().try_for_each(|one| tracking::settle(w, one)))?;
        }
    }
}

/// What to set for Python, a line each.
fn environment(url: &str, token: &str) -> Vec<(String, String)> {
    [("MLFLOW_TRACKING_URI", url), ("MLFLOW_TRACKING_TOKEN", token)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
