//! Every route, with who may ask for it. A test holds this list against the OpenAPI document.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::{Value as Json_, json};

use crate::app::App;
use crate::failure::Failure;
use crate::guard::Policy::{self, Open, Token};
use crate::infer::{Protocol, answer};
use crate::models::{Choice, Model, Models, Served};
use crate::{ids, metrics, oip, web};

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Page,
    OpenApi,
    Server,
    Live,
    Ready,
    Models,
    ModelReady,
    Model,
    Stats,
    Infer,
    V1Model,
    Ping,
    ProgramVersion,
    Invocations,
    Feedback,
    Metrics,
    RepositoryIndex,
    RepositoryReload,
}

const ROUTES: &[(&str, Policy, Target)] = &[
    ("/", Open, Target::Page),
    ("/openapi.json", Token, Target::OpenApi),
    ("/v2", Token, Target::Server),
    ("/v2/", Token, Target::Server),
    ("/v2/health/live", Open, Target::Live),
    ("/v2/health/ready", Open, Target::Ready),
    ("/v2/models", Token, Target::Models),
    ("/v2/models/{model}", Token, Target::Model),
    ("/v2/models/{model}/ready", Token, Target::ModelReady),
    ("/v2/models/{model}/stats", Token, Target::Stats),
    ("/v2/models/{model}/infer", Token, Target::Infer),
    ("/v2/models/{model}/versions/{version}", Token, Target::Model),
    ("/v2/models/{model}/versions/{version}/ready", Token, Target::ModelReady),
    ("/v2/models/{model}/versions/{version}/stats", Token, Target::Stats),
    ("/v2/models/{model}/versions/{version}/infer", Token, Target::Infer),
    ("/v2/repository/index", Token, Target::RepositoryIndex),
    ("/v2/repository/reload", Token, Target::RepositoryReload),
    ("/v1/models/{model}", Token, Target::V1Model),
    ("/ping", Open, Target::Ping),
    ("/health", Token, Target::Ping),
    ("/version", Token, Target::ProgramVersion),
    ("/invocations", Token, Target::Invocations),
    ("/feedback", Token, Target::Feedback),
    ("/metrics", Token, Target::Metrics),
];

/// The router of a server, with the further paths that a cloud may name.
pub fn router(app: &Arc<App>, health: Option<&str>, predict: Option<&str>) -> Router {
    let mut router = Router::new();
    for (path, policy, target) in ROUTES {
        router = router.route(path, guarded(app, *policy, target.methods().fallback(not_allowed)));
    }
    let is_new = |path: &&str| ROUTES.iter().all(|(known, ..)| known != path);
    // `/v1` and `/v2` have patterns that a cloud's path could be mistaken for.
    let is_free = |path: &&str| is_new(path) && !path.starts_with("/v1/") && !path.starts_with("/v2/");
    if let Some(path) = health.filter(is_free) {
        router = router.route(path, guarded(app, Open, Target::Ping.methods().fallback(not_allowed)));
    }
    if let Some(path) = predict.filter(is_free).filter(|path| Some(*path) != health) {
        router = router.route(path, guarded(app, Token, Target::Invocations.methods().fallback(not_allowed)));
    }
    let unknown = guarded(app, Token, MethodRouter::new().fallback(not_found));
    router.fallback_service(unknown.with_state(Arc::clone(app))).with_state(Arc::clone(app))
}

impl Target {
    fn methods(self) -> MethodRouter<Arc<App>> {
        match self {
            Self::Page => get(page),
            Self::OpenApi => get(openapi),
            Self::Server => get(server),
            Self::Live => get(async || Json(json!({ "live": true }))),
            Self::Ready => get(async || Json(json!({ "ready": true }))),
            Self::Models => get(models),
            Self::ModelReady => get(model_ready),
            Self::Model => get(model),
            Self::Stats => get(stats),
            Self::Infer => post(infer),
            Self::V1Model => get(v1_ready).post(v1_predict),
            Self::Ping => get(async || ([(header::CONTENT_TYPE, "application/json")], "\n")),
            Self::ProgramVersion => get(async || env!("CARGO_PKG_VERSION")),
            Self::Invocations => post(invocations),
            Self::Feedback => post(feedback),
            Self::Metrics => get(metrics),
            Self::RepositoryIndex => post(repository_index),
            Self::RepositoryReload => post(repository_reload),
        }
    }
}

/// A route behind its checks. What is no method of it falls back within, so that is checked too.
fn guarded(app: &Arc<App>, policy: Policy, methods: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    let app = Arc::clone(app);
    let check = move |request: Request, next: Next| {
        let app = Arc::clone(&app);
        async move {
            let (parts, body) = request.into_parts();
            let id = ids::given(&parts.headers);
            let mut response = match app.guard.check(&parts, policy) {
                Ok(()) => next.run(Request::from_parts(parts, body)).await,
                Err(failure) => failure.into_response(),
            };
            let headers = response.headers_mut();
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            ids::set(response, id)
        }
    };
    methods.layer(from_fn(check))
}

async fn not_found(request: Request) -> Failure {
    let path: String = request.uri().path().escape_debug().take(100).collect();
    Failure::new(
        StatusCode::NOT_FOUND,
        format!("there is nothing at `{path}` (GET /openapi.json lists what there is)"),
    )
}

async fn not_allowed(request: Request) -> Failure {
    let method: String = request.method().as_str().chars().take(20).collect();
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("`{method}` is not possible here"))
}

async fn page(State(app): State<Arc<App>>) -> Response {
    web::page(&app.models().first().name)
}

async fn openapi(State(app): State<Arc<App>>) -> Response {
    web::openapi(&app.models())
}

async fn server(State(app): State<Arc<App>>) -> Json<Json_> {
    Json(oip::metadata::server(&app.models(), app.instance.as_deref()))
}

async fn models(State(app): State<Arc<App>>) -> Json<Json_> {
    let names: Vec<String> = app.models().all().iter().map(|model| model.name.clone()).collect();
    Json(json!({ "models": names }))
}

/// The model and version that a path names.
#[derive(serde::Deserialize)]
struct Named {
    model: String,
    version: Option<String>,
}

impl Named {
    fn model<'a>(&self, models: &'a Models) -> Result<&'a Model, Failure> {
        models.find(&self.model).ok_or_else(|| {
            let served: Vec<String> =
                models.all().iter().take(20).map(|one| format!("`{}`", one.name)).collect();
            let (asked, served) = (short(&self.model), served.join(", "));
            let message = format!("the model `{asked}` is not served here; what is: {served}");
            Failure::new(StatusCode::NOT_FOUND, message)
        })
    }

    /// The version that is named, or else the one that answers where none is.
    fn served(&self, models: &Models) -> Result<Arc<Served>, Failure> {
        let model = self.model(models)?;
        let Some(version) = &self.version else { return Ok(Arc::clone(&model.current)) };
        model.version(version).cloned().ok_or_else(|| {
            let served: Vec<String> = model.versions.iter().map(|one| format!("`{}`", one.version)).collect();
            let (asked, served) = (short(version), served.join(", "));
            let message = format!("version `{asked}` is not served here; what is: {served}");
            Failure::new(StatusCode::NOT_FOUND, message)
        })
    }

    /// Who answers a request for a prediction.
    fn choose(&self, models: &Models) -> Result<Choice, Failure> {
        match &self.version {
            None => Ok(self.model(models)?.choose()),
            Some(_) => Ok(Choice { served: self.served(models)?, shadow: None }),
        }
    }
}

fn short(text: &str) -> String {
    text.escape_debug().take(64).collect()
}

async fn model(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Json<Json_>, Failure> {
    let models = app.models();
    let served = named.served(&models)?;
    Ok(Json(oip::metadata::model(named.model(&models)?, &served)))
}

async fn model_ready(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Json<Json_>, Failure> {
    let served = named.served(&app.models())?;
    Ok(Json(json!({ "name": served.name, "ready": true })))
}

async fn stats(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Json<Json_>, Failure> {
    let served = named.served(&app.models())?;
    Ok(Json(served.metrics.stats(&served.name, &served.version)))
}

async fn infer(State(app): State<Arc<App>>, Path(named): Path<Named>, request: Request) -> Response {
    let choice = named.choose(&app.models());
    match choice {
        Ok(choice) => answer(app, choice, Protocol::Oip, request).await,
        Err(failure) => failure.into_response(),
    }
}

async fn v1_ready(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Json<Json_>, Failure> {
    model_ready(State(app), Path(named)).await
}

async fn v1_predict(State(app): State<Arc<App>>, Path(mut named): Path<Named>, request: Request) -> Response {
    let Some(model) = named.model.strip_suffix(":predict").map(str::to_owned) else {
        return Failure::new(StatusCode::NOT_FOUND, "V1 knows `:predict` only").into_response();
    };
    named.model = model;
    let choice = named.choose(&app.models());
    match choice {
        Ok(choice) => answer(app, choice, Protocol::V1, request).await,
        Err(failure) => failure.into_response(),
    }
}

async fn invocations(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let choice = app.models().first().choose();
    answer(app, choice, Protocol::Mlflow, request).await
}

/// Keeps what turned out to be true of requests that were answered.
async fn feedback(State(app): State<Arc<App>>, request: Request) -> Result<Json<Json_>, Failure> {
    let Some(feedback) = app.feedback.clone() else {
        let message = "this server keeps no log to compare with: start it with `--log-dir`";
        return Err(Failure::new(StatusCode::CONFLICT, message));
    };
    let (parts, body) = request.into_parts();
    let body = app.limits.read(&parts.headers, body).await?;
    let now = app.clock.now().as_ms();
    let taken = tokio::task::spawn_blocking(move || feedback.take(&body.bytes, now)).await;
    let broken = |_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "writing broke off");
    Ok(Json(json!({ "accepted": taken.map_err(broken)?? })))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let models = app.models();
    let served: Vec<(&str, &str, &metrics::Metrics)> =
        models.served().map(|one| (one.name.as_str(), one.version.as_str(), &*one.metrics)).collect();
    let text = metrics::text(&served, &app.log_counts);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Every version, as Triton's extension for repositories lists them.
async fn repository_index(State(app): State<Arc<App>>) -> Json<Json_> {
    let models = app.models();
    let ready = models
        .served()
        .map(|one| json!({ "name": one.name, "version": one.version, "state": "READY", "reason": "" }));
    Json(ready.collect())
}

/// Reads the configuration again. What is not right changes nothing.
async fn repository_reload(State(app): State<Arc<App>>) -> Result<Json<Json_>, Failure> {
    let reloaded = tokio::task::spawn_blocking(move || app.reload()).await;
    let broken = |_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "loading broke off");
    Ok(Json(reloaded.map_err(broken)??.json()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_openapi_document_lists_every_route_and_says_which_are_open() {
        let document: Json_ = serde_json::from_str(web::OPENAPI).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let listed: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        // V1 puts its verb behind the name, which is one part of the path for the router; `/v2/`
        // is another spelling of `/v2`.
        let served = ROUTES.iter().map(|(path, ..)| match *path {
            "/v1/models/{model}" => "/v1/models/{model}:predict",
            "/v2/" => "/v2",
            path => path,
        });
        assert_eq!(listed, served.collect());
        for (path, policy, _) in ROUTES.iter().filter(|(path, ..)| paths.contains_key(*path)) {
            for (method, operation) in paths[*path].as_object().expect("operations") {
                let is_open = operation["security"] == json!([]);
                assert_eq!(is_open, *policy == Open, "{method} {path}");
            }
        }
    }
}
