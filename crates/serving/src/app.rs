//! What every handler shares: the model, its limits, its counters and its log.

use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Result};
use score::Package;
use tokio::sync::Semaphore;

use crate::body::Limits;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::request_log::RequestLog;

/// A server with its one model.
#[derive(Debug)]
pub struct App {
    /// The model.
    pub package: Package,
    /// Its name in URLs.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Tells this process from another.
    pub instance: Option<String>,
    /// Who may ask.
    pub guard: Guard,
    /// How large a body may be.
    pub limits: Limits,
    /// Requests that may be scored at once.
    pub turns: Arc<Semaphore>,
    /// How long a request may take.
    pub timeout: Duration,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The request log, if there is one.
    pub log: Option<RequestLog>,
    /// The time of day.
    pub clock: Clock,
}

impl App {
    /// Puts a server together; it does not listen yet.
    ///
    /// # Errors
    /// As [`Guard::new`].
    pub fn new(
        package: Package,
        options: &Options,
        guard: Guard,
        metrics: Arc<Metrics>,
        log: Option<RequestLog>,
    ) -> Result<Self> {
        Ok(Self {
            package,
            name: options.name.clone(),
            version: options.version.clone(),
            instance: options.instance.clone(),
            guard,
            limits: Limits::new(options.body_limit_bytes, options.timeout),
            turns: Arc::new(Semaphore::new(options.concurrency)),
            timeout: options.timeout,
            metrics,
            log,
            clock: Clock::system(),
        })
    }
}
