//! A request for a prediction from its first byte to its answer, in any of the protocols.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use score::{Batch, Predictions};

use crate::app::App;
use crate::body::ReadBody;
use crate::failure::Failure;
use crate::metrics::Spans;
use crate::models::{Choice, Served};
use crate::oip::request::Asked;
use crate::request_log::Entry;
use crate::{ids, mlflow, oip};

/// So long a request waits for its turn before it is told to come back.
const QUEUE: Duration = Duration::from_millis(50);
/// Bodies up to this size are scored where they are read: handing them to another thread takes
/// longer than the scoring (20 to 50 microseconds).
const SMALL_BYTES: usize = 64 * 1024;

/// The header of a request that only tries the server: counted, and not in the log, which is what the
/// monitor takes for traffic.
const PROBE: &str = "x-fettle-probe";

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Open Inference Protocol v2.
    Oip,
    /// MLflow's `/invocations`.
    Mlflow,
    /// V1 `:predict`.
    V1,
}

/// Answers a request for a prediction.
pub async fn answer(app: Arc<App>, choice: Choice, protocol: Protocol, request: Request) -> Response {
    let started = Instant::now();
    let served = Arc::clone(&choice.served);
    let (parts, body) = request.into_parts();
    let given = ids::given(&parts.headers);
    let outcome = {
        let _pending = served.metrics.pending();
        run(&app, choice, protocol, &parts.headers, body, started).await
    };
    let (id, response) = match outcome {
        Ok(Answered { id, response }) => (given.or(id), response),
        Err(failure) => {
            let id = given.unwrap_or_else(ids::fresh);
            served.metrics.failed(failure.status, started.elapsed());
            if let Some(log) = app.log.as_ref().filter(|_| !is_probe(&parts.headers)) {
                let t = app.clock.now().as_ms();
                let entry = Entry { t, id: &id, version: &served.version, took: started.elapsed() };
                log.failed(entry, failure.status.as_u16(), &failure.message);
            }
            (
                Some(id),
                if protocol == Protocol::Mlflow { failure.into_mlflow() } else { failure.into_response() },
            )
        }
    };
    ids::set(response, id)
}

struct Answered {
    id: Option<String>,
    response: Response,
}

async fn run(
    app: &Arc<App>,
    choice: Choice,
    protocol: Protocol,
    headers: &HeaderMap,
    body: axum::body::Body,
    started: Instant,
) -> Result<Answered, Failure> {
    let body = app.limits.read(headers, body).await?;
    let read = started.elapsed();
    let is_small = body.bytes.len() <= SMALL_BYTES;
    let mut call = Call {
        app: Arc::clone(app),
        choice,
        protocol,
        headers: headers.clone(),
        spans: Spans { input: read, ..Spans::default() },
        started,
    };
    if is_small && app.batch_rows > 1 {
        return call.score_together(body).await;
    }
    let turn = tokio::time::timeout(QUEUE, Arc::clone(&app.turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at once; try again in a second",
        ));
    };
    call.spans.queue = started.elapsed() - read;
    if is_small {
        // A fault of ours must not take the connection with it, which other requests may share.
        return catch_unwind(AssertUnwindSafe(|| call.score(body))).unwrap_or_else(|_| Err(broke_off()));
    }
    let timeout = app.timeout;
    let work = tokio::task::spawn_blocking(move || {
        // The turn ends with the work, even if nobody waits for it any more.
        let _turn = turn;
        call.score(body)
    });
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_)) => Err(broke_off()),
        Err(_) => Err(Failure::new(StatusCode::GATEWAY_TIMEOUT, "Request processing time exceeded limit")),
    }
}

fn broke_off() -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "scoring broke off")
}

/// A request whose body has arrived.
struct Call {
    app: Arc<App>,
    choice: Choice,
    protocol: Protocol,
    headers: HeaderMap,
    spans: Spans,
    started: Instant,
}

impl Call {
    fn score(mut self, body: ReadBody) -> Result<Answered, Failure> {
        let asked = self.read(body)?;
        let scoring = Instant::now();
        let answer = self.choice.served.package.predict(&asked.batch)?;
        self.spans.compute = scoring.elapsed();
        Ok(self.finish(asked, &answer))
    }

    /// As [`Call::score`], with rows of other requests that are ready.
    async fn score_together(mut self, body: ReadBody) -> Result<Answered, Failure> {
        let asked =
            catch_unwind(AssertUnwindSafe(|| self.read(body))).unwrap_or_else(|_| Err(broke_off()))?;
        let scoring = Instant::now();
        let served = Arc::clone(&self.choice.served);
        let answer = served.queue.predict(&served.package, asked.batch.clone(), self.app.batch_rows).await?;
        self.spans.compute = scoring.elapsed();
        catch_unwind(AssertUnwindSafe(|| self.finish(asked, &answer))).map_err(|_| broke_off())
    }

    fn read(&mut self, body: ReadBody) -> Result<Asked, Failure> {
        let begun = Instant::now();
        let package = &self.choice.served.package;
        let rows = |batch: Batch| Asked { id: None, batch, outputs: None, binary_by_default: false };
        let asked = match self.protocol {
            Protocol::Oip => oip::request::read(package, &self.headers, &body.bytes),
            Protocol::Mlflow => mlflow::read(package, &self.headers, &body.bytes).map(rows),
            Protocol::V1 => mlflow::read_v1(package, &self.headers, &body.bytes).map(rows),
        };
        self.spans.input += begun.elapsed();
        asked
    }

    fn finish(mut self, asked: Asked, answer: &Predictions) -> Answered {
        let writing = Instant::now();
        let served = &self.choice.served;
        let response = match self.protocol {
            Protocol::Oip => {
                oip::response::write(&served.package, &served.name, &served.version, &asked, answer)
            }
            Protocol::Mlflow | Protocol::V1 => mlflow::write(answer),
        };
        self.spans.output = writing.elapsed();
        self.spans.total = self.started.elapsed();
        let now = self.app.clock.now().as_ms();
        served.metrics.scored(answer.rows, self.spans, now);
        let id = ids::given(&self.headers).or_else(|| asked.id.clone()).unwrap_or_else(ids::fresh);
        if is_probe(&self.headers) {
            return Answered { id: Some(id), response };
        }
        if let Some(log) = &self.app.log {
            let entry = Entry { t: now, id: &id, version: &served.version, took: self.spans.total };
            log.scored(entry, &asked.batch, answer);
        }
        if let Some(shadow) = self.choice.shadow.take() {
            score_again(&self.app, shadow, asked.batch, id.clone());
        }
        Answered { id: Some(id), response }
    }
}

fn is_probe(headers: &HeaderMap) -> bool {
    headers.contains_key(PROBE)
}

/// Lets the shadow score what was answered, when it has time: nobody waits for it.
fn score_again(app: &Arc<App>, shadow: Arc<Served>, batch: Batch, id: String) {
    let Ok(turn) = Arc::clone(&app.shadow_turn).try_acquire_owned() else {
        app.log_counts.shadowed(false);
        return;
    };
    let app = Arc::clone(app);
    // Not joined: whether it ends well is in its counters.
    drop(tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let started = Instant::now();
        let answer = shadow.package.predict(&batch);
        let took = started.elapsed();
        let t = app.clock.now().as_ms();
        let entry = Entry { t, id: &id, version: &shadow.version, took };
        app.log_counts.shadowed(true);
        match &answer {
            Ok(answer) => {
                let spans = Spans { compute: took, total: took, ..Spans::default() };
                shadow.metrics.scored(answer.rows, spans, t);
                if let Some(log) = &app.shadow_log {
                    log.scored(entry, &batch, answer);
                }
            }
            Err(error) => {
                let failure = Failure::from(error.clone());
                shadow.metrics.failed(failure.status, took);
                if let Some(log) = &app.shadow_log {
                    log.failed(entry, failure.status.as_u16(), &failure.message);
                }
            }
        }
    }));
}
