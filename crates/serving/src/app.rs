//! What every handler shares: the models, their limits and their log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base::{Clock, Code, Error, Result};
use tokio::sync::Semaphore;

use crate::body::Limits;
use crate::config::Config;
use crate::feedback::Feedback;
use crate::guard::Guard;
use crate::metrics::LogCounts;
use crate::models::Models;
use crate::options::Options;
use crate::request_log::RequestLog;
use crate::tls::Tls;

/// A server with its models.
#[derive(Debug)]
pub struct App {
    models: RwLock<Arc<Models>>,
    /// Where the models are named, if that can be read again.
    config: Option<PathBuf>,
    /// Held by a reload, so that the later of two wins as a whole.
    reloading: Mutex<()>,
    /// Tells this process from another.
    pub instance: Option<String>,
    /// Who may ask.
    pub guard: Guard,
    /// The certificate, if the server speaks TLS.
    pub tls: Option<Arc<Tls>>,
    /// How large a body may be.
    pub limits: Limits,
    /// Requests that may be scored at once.
    pub turns: Arc<Semaphore>,
    /// Rows of several requests that are scored together.
    pub batch_rows: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// What became of the lines of the log.
    pub log_counts: Arc<LogCounts>,
    /// The request log, if there is one.
    pub log: Option<RequestLog>,
    /// What the shadow answered, if there is a log.
    pub shadow_log: Option<RequestLog>,
    /// What turned out to be true, if there is a log.
    pub feedback: Option<Arc<Feedback>>,
    /// One shadow request at a time: it must not take the place of those that are answered.
    pub shadow_turn: Arc<Semaphore>,
    /// The time of day.
    pub clock: Clock,
}

/// The logs of a server.
#[derive(Debug, Default)]
pub struct Logs {
    /// Of what was answered.
    pub requests: Option<RequestLog>,
    /// Of what the shadow would have answered.
    pub shadow: Option<RequestLog>,
    /// Of what turned out to be true.
    pub feedback: Option<Arc<Feedback>>,
    /// What became of their lines.
    pub counts: Arc<LogCounts>,
}

impl App {
    /// Puts a server together; it does not listen yet.
    pub fn new(models: Models, options: &Options, guard: Guard, tls: Option<Arc<Tls>>, logs: Logs) -> Self {
        Self {
            models: RwLock::new(Arc::new(models)),
            config: options.config.clone(),
            reloading: Mutex::default(),
            instance: options.instance.clone(),
            guard,
            tls,
            limits: Limits::new(options.body_limit_bytes, options.timeout),
            turns: Arc::new(Semaphore::new(options.concurrency)),
            batch_rows: options.batch_rows,
            timeout: options.timeout,
            log_counts: logs.counts,
            log: logs.requests,
            shadow_log: logs.shadow,
            feedback: logs.feedback,
            shadow_turn: Arc::new(Semaphore::new(1)),
            clock: Clock::system(),
        }
    }

    /// What is served now. Whoever holds it keeps it, whatever a reload does meanwhile.
    pub fn models(&self) -> Arc<Models> {
        Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the configuration again and serves what it names from the next request on. This takes
    /// as long as loading a package does: call it where that may block.
    ///
    /// # Errors
    /// [`Code::Conflict`] without a configuration; else as [`Config::read`], [`Models::load`] and
    /// [`Tls::reload`]. What was served goes on being served then.
    pub fn reload(&self) -> Result<Arc<Models>> {
        let path: &Path = self.config.as_deref().ok_or_else(|| {
            Error::new(Code::Conflict, "this server has no file to read again")
                .hint("start it with `--config`")
        })?;
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let config = Config::read(path)?;
        let next = Arc::new(Models::load(&config.models, Some(&self.models()))?);
        if let Some(tls) = &self.tls {
            tls.reload()?;
        }
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        Ok(next)
    }
}
