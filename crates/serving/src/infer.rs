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
use crate::oip::request::Asked;
use crate::request_log::Entry;
use crate::{ids, mlflow, oip};

/// So long a request waits for its turn before it is told to come back.
const QUEUE: Duration = Duration::from_millis(50);
/// Bodies up to this size are scored where they are read: handing them to another thread takes
/// longer than the scoring (20 to 50 microseconds).
const SMALL_BYTES: usize = 64 * 1024;

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
pub async fn answer(app: Arc<App>, protocol: Protocol, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let given = ids::given(&parts.headers);
    let outcome = {
        let _pending = app.metrics.pending();
        run(&app, protocol, &parts.headers, body, started).await
    };
    let (id, response) = match outcome {
        Ok(Answered { id, response }) => (given.or(id), response),
        Err(failure) => {
            let id = given.unwrap_or_else(ids::fresh);
            app.metrics.failed(failure.status, started.elapsed());
            if let Some(log) = &app.log {
                let t = app.clock.now().as_ms();
                let entry = Entry { t, id: &id, version: &app.version, took: started.elapsed() };
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
    protocol: Protocol,
    headers: &HeaderMap,
    body: axum::body::Body,
    started: Instant,
) -> Result<Answered, Failure> {
    let body = app.limits.read(headers, body).await?;
    let read = started.elapsed();
    let turn = tokio::time::timeout(QUEUE, Arc::clone(&app.turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at once; try again in a second",
        ));
    };
    let mut spans = Spans { queue: started.elapsed() - read, input: read, ..Spans::default() };
    if body.bytes.len() <= SMALL_BYTES {
        // A fault of ours must not take the connection with it, which other requests may share.
        let scored = AssertUnwindSafe(|| score(app, protocol, headers, body, &mut spans, started));
        return catch_unwind(scored).unwrap_or_else(|_| Err(broke_off()));
    }
    let (app, headers, timeout) = (Arc::clone(app), headers.clone(), app.timeout);
    let work = tokio::task::spawn_blocking(move || {
        // The turn ends with the work, even if nobody waits for it any more.
        let _turn = turn;
        score(&app, protocol, &headers, body, &mut spans, started)
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

fn score(
    app: &App,
    protocol: Protocol,
    headers: &HeaderMap,
    body: ReadBody,
    spans: &mut Spans,
    started: Instant,
) -> Result<Answered, Failure> {
    let begun = Instant::now();
    let asked = read(app, protocol, headers, &body.bytes)?;
    drop(body);
    let scoring = Instant::now();
    spans.input += scoring - begun;
    let answer = app.package.predict(&asked.batch)?;
    let writing = Instant::now();
    spans.compute = writing - scoring;
    let response = write(app, protocol, &asked, &answer);
    spans.output = writing.elapsed();
    spans.total = started.elapsed();
    let now = app.clock.now().as_ms();
    app.metrics.scored(answer.rows, *spans, now);
    let id = ids::given(headers).or_else(|| asked.id.clone()).unwrap_or_else(ids::fresh);
    if let Some(log) = &app.log {
        let entry = Entry { t: now, id: &id, version: &app.version, took: spans.total };
        log.scored(entry, &asked.batch, &answer);
    }
    Ok(Answered { id: Some(id), response })
}

fn read(app: &App, protocol: Protocol, headers: &HeaderMap, body: &[u8]) -> Result<Asked, Failure> {
    let rows = |batch: Batch| Asked { id: None, batch, outputs: None, binary_by_default: false };
    match protocol {
        Protocol::Oip => oip::request::read(&app.package, headers, body),
        Protocol::Mlflow => mlflow::read(&app.package, headers, body).map(rows),
        Protocol::V1 => mlflow::read_v1(&app.package, headers, body).map(rows),
    }
}

fn write(app: &App, protocol: Protocol, asked: &Asked, answer: &Predictions) -> Response {
    match protocol {
        Protocol::Oip => oip::response::write(&app.package, &app.name, &app.version, asked, answer),
        Protocol::Mlflow | Protocol::V1 => mlflow::write(answer),
    }
}
