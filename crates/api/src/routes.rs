//! The routes and what they share.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::{Code, Error};
use engine::Engine;
use engine::events::Event;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, broadcast};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt as _};

use crate::mlflow::{self, Tracking};
use crate::{guard, screens};

/// The largest request: a graph of a thousand steps is far below.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Commands at the same time; more wait.
const CONCURRENT_COMMANDS: usize = 64;
/// Events a slow listener may be behind before it loses some. It is told to look anew then.
const EVENT_BACKLOG: usize = 1024;

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    tracking: Tracking,
    tokens: Tokens,
    port: u16,
    instance: String,
    screens: Option<PathBuf>,
    events: broadcast::Sender<Event>,
    commands: Semaphore,
    listeners: AtomicUsize,
    shutdown: Notify,
}

/// What callers must send.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For everything.
    pub all: String,
    /// For what scripts log, and nothing else.
    pub tracking: String,
}

impl App {
    /// Routes to this engine, for callers with these tokens at this port.
    pub fn new(
        engine: Arc<Engine>,
        tokens: Tokens,
        port: u16,
        instance: String,
        screens: Option<PathBuf>,
    ) -> Self {
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let sender = events.clone();
        engine.on_event(move |event| {
            // Without listeners there is nobody to tell.
            let _ = sender.send(event.clone());
        });
        Self(Arc::new(Shared {
            tracking: Tracking::new(Arc::clone(&engine)),
            engine,
            tokens,
            port,
            instance,
            screens,
            events,
            commands: Semaphore::new(CONCURRENT_COMMANDS),
            listeners: AtomicUsize::new(0),
            shutdown: Notify::new(),
        }))
    }

    /// The token that callers must send.
    pub fn token(&self) -> &str {
        &self.0.tokens.all
    }

    /// The token that scripts must send to log.
    pub fn tracking_token(&self) -> &str {
        &self.0.tokens.tracking
    }

    /// What the routes of MLflow work on.
    pub fn tracking(&self) -> Tracking {
        self.0.tracking.clone()
    }

    /// A place among the commands that run at the same time; none once the daemon stops.
    pub async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.0.commands.acquire().await.ok()
    }

    /// True for the names under which this machine, and nobody else, reaches us.
    pub fn is_own_host(&self, host: &str) -> bool {
        let port = self.0.port;
        [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")]
            .iter()
            .any(|own| own == host)
    }

    /// How many listen to events: windows, and command lines that wait for a job.
    pub fn listeners(&self) -> usize {
        self.0.listeners.load(Ordering::Relaxed)
    }

    /// The engine behind the routes.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// Where the built screens are, if they are there.
    pub fn screens(&self) -> Option<&PathBuf> {
        self.0.screens.as_ref()
    }

    /// Ends when somebody asks the daemon to stop.
    pub async fn stopped(&self) {
        self.0.shutdown.notified().await;
    }

    /// Every route, guarded.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/health", get(health))
            .route("/rpc/{command}", post(rpc))
            .route("/events", get(events))
            .route("/shutdown", post(shutdown))
            .merge(mlflow::routes())
            .fallback(screens::screens)
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }
}

async fn health(State(app): State<App>) -> Response {
    Json(serde_json::json!({
        "name": "fettle",
        "version": env!("CARGO_PKG_VERSION"),
        "instance": app.0.instance,
        "pid": std::process::id(),
    }))
    .into_response()
}

async fn rpc(State(app): State<App>, Path(command): Path<String>, body: Bytes) -> Response {
    let payload = if body.is_empty() { Ok(serde_json::json!({})) } else { serde_json::from_slice(&body) };
    let payload = match payload {
        Ok(payload) => payload,
        Err(e) => return fail(Error::invalid("the request is not JSON").because(e)),
    };
    let Some(_permit) = app.permit().await else {
        return fail(Error::new(Code::Unavailable, "the daemon is stopping"));
    };
    let engine = Arc::clone(&app.0.engine);
    let answered = tokio::task::spawn_blocking(move || engine.dispatch(&command, payload)).await;
    match answered {
        Ok(Ok(reply)) => ([(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response(),
        Ok(Err(error)) => fail(error),
        Err(_) => {
            fail(Error::internal("the command stopped at a fault of its own").hint("please report this"))
        }
    }
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let listening = Listening::new(&app);
    let stream = BroadcastStream::new(app.0.events.subscribe()).map(move |event| {
        let _keep = &listening;
        // Who missed events looks at everything anew, which a change of every topic makes it do.
        Ok(message(&event.unwrap_or_else(|_| Event::everything_changed())))
    });
    // A first line at once, so that the caller knows that it listens.
    let hello = tokio_stream::once(Ok(sse::Event::default().comment("listening")));
    Sse::new(hello.chain(stream)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn message(event: &Event) -> sse::Event {
    let name = match event {
        Event::Changed { .. } => "changed",
        Event::Job { .. } => "job",
        Event::Points { .. } => "points",
    };
    let data = serde_json::to_string(event).expect("events can be written as JSON");
    sse::Event::default().event(name).data(data)
}

/// Counts a listener for as long as its stream lives.
struct Listening(App);

impl Listening {
    fn new(app: &App) -> Self {
        app.0.listeners.fetch_add(1, Ordering::Relaxed);
        Self(app.clone())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn shutdown(State(app): State<App>) -> Response {
    app.0.shutdown.notify_one();
    Json(serde_json::json!({ "stopping": true })).into_response()
}

fn fail(error: Error) -> Response {
    failure(error.code.http_status(), error)
}

/// An error as an answer.
pub fn failure(status: u16, error: Error) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(engine::rpc::Failure::from(error))).into_response();
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
