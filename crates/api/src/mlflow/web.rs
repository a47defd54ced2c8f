//! The routes as the network sees them: bodies come in, answers go out, and the work is done on a
//! thread that may wait for the disk.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base::Error;
use serde_json::{Value, json};

use super::fields::{Fields, from_query};
use super::files::Found;
use super::refusal::{Answer, Refusal};
use super::{Asked, Tracking, VERSION, answer, files, models, paths, registry_file, transfer};
use crate::routes::App;

/// The largest request that is no file: the profile of a dataset may take half of it.
const BODY_LIMIT_BYTES: usize = 32 << 20;

/// True for what MLflow's clients ask for with a token, whose errors must be as they know them.
pub(crate) fn is_ours(path: &str) -> bool {
    ["/api/", "/ajax-api/", "/get-artifact", "/model-versions/", "/v1/traces", "/graphql"]
        .iter()
        .any(|start| path.starts_with(start))
}

/// Every route of MLflow.
pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new();
    for start in ["/api", "/ajax-api"] {
        for version in ["2.0", "3.0"] {
            router = router.route(&format!("{start}/{version}/mlflow/{{*path}}"), any(api));
        }
        router = router.route(&format!("{start}/2.0/mlflow-artifacts/{{*path}}"), any(artifacts));
    }
    router
        .route("/ajax-api/2.0/mlflow/upload-artifact", post(upload))
        .route("/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", get(model_file))
        .route("/get-artifact", get(run_file))
        .route("/model-versions/get-artifact", get(version_file))
        .route("/v1/traces", any(not_served))
        .route("/graphql", any(not_served))
        .route("/version", get(version))
}

/// A refusal of the guard, as MLflow's clients know it.
pub(crate) fn refuse(status: u16, error: Error) -> Response {
    let code = if status == 401 { "UNAUTHENTICATED" } else { "PERMISSION_DENIED" };
    reply(Err(Refusal { status, code, ..Refusal::from(error) }))
}

fn reply(answer: Answer) -> Response {
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    plain((status, Json(body)).into_response())
}

fn plain(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Runs what may wait for the disk.
async fn blocking<T: Send + 'static>(
    app: &App,
    f: impl FnOnce(&Tracking) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let tracking = app.tracking();
    let done = tokio::task::spawn_blocking(move || f(&tracking)).await;
    done.unwrap_or_else(|_| Err(Error::internal("the request stopped at a fault of its own").into()))
}

async fn api(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        let message = format!("A request can have at most {BODY_LIMIT_BYTES} bytes");
        return reply(Err(Refusal { status: 413, code: "INVALID_PARAMETER_VALUE", message }));
    };
    let Some(_permit) = app.permit().await else { return reply(Err(stopping())) };
    let answered = blocking(&app, move |tracking| {
        let path = parts.uri.path();
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        answer(
            tracking,
            &Asked {
                method: parts.method.as_str(),
                path: path.split_once("/mlflow/").map_or("", |(_, path)| path),
                query: parts.uri.query().unwrap_or_default(),
                content_type: content_type.unwrap_or_default(),
                body: &body,
            },
        )
    });
    reply(answered.await)
}

fn stopping() -> Refusal {
    Error::new(base::Code::Unavailable, "the daemon is stopping").into()
}

async fn artifacts(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let address = parts.uri.path().split_once("/mlflow-artifacts/").map_or("", |(_, path)| path);
    if address == "artifacts" && parts.method == "GET" {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let listed = blocking(&app, move |tracking| files::list(tracking, &Fields::new(&from_query(&query))));
        return reply(listed.await);
    }
    let Some(encoded) = address.strip_prefix("artifacts/") else {
        let what = address.split('/').next().unwrap_or_default();
        return reply(Err(Refusal::not_served(what)));
    };
    let path = match paths::from_address(encoded) {
        Ok(path) => path,
        Err(refusal) => return reply(Err(refusal)),
    };
    match parts.method.as_str() {
        "GET" => file(&app, move |_| Ok(path)).await,
        "PUT" => received(&app, path, body).await,
        "DELETE" => reply(blocking(&app, move |tracking| files::delete(tracking, &path)).await),
        other => {
            let message = format!("'{other}' is not for this path");
            reply(Err(Refusal { status: 405, code: "BAD_REQUEST", message }))
        }
    }
}

async fn received(app: &App, path: String, body: Body) -> Response {
    match transfer::receive(app.tracking(), path, body).await {
        // Empty, as MLflow's own answer is.
        Ok(()) => plain(StatusCode::OK.into_response()),
        Err(refusal) => reply(Err(refusal)),
    }
}

/// Answers with the file at the path that `path` finds out.
async fn file(
    app: &App,
    path: impl FnOnce(&Tracking) -> Result<String, Refusal> + Send + 'static,
) -> Response {
    let found = blocking(app, move |tracking| {
        let path = path(tracking)?;
        Ok((files::find(tracking, &path)?, path))
    });
    match found.await {
        Ok((Found::File(file), path)) => transfer::send(&app.tracking(), &path, file),
        Ok((Found::Folder, path)) => {
            let detail = format!("Artifact path refers to a directory, not a file: '{path}'");
            plain((StatusCode::BAD_REQUEST, Json(json!({ "detail": detail }))).into_response())
        }
        Ok((Found::Nothing, path)) => reply(Err(Refusal::not_found(format!("No such artifact: '{path}'")))),
        Err(refusal) => reply(Err(refusal)),
    }
}

/// The fields of a request's query.
fn query(request: &Request) -> serde_json::Map<String, Value> {
    from_query(request.uri().query().unwrap_or_default())
}

async fn run_file(State(app): State<App>, request: Request) -> Response {
    let map = query(&request);
    file(&app, move |tracking| files::path_of_run(tracking, &Fields::new(&map))).await
}

async fn version_file(State(app): State<App>, request: Request) -> Response {
    let map = query(&request);
    file(&app, move |tracking| registry_file(tracking, &Fields::new(&map))).await
}

async fn model_file(
    State(app): State<App>,
    axum::extract::Path(model_id): axum::extract::Path<String>,
    request: Request,
) -> Response {
    let map = query(&request);
    file(&app, move |tracking| {
        let path = Fields::new(&map).need("artifact_file_path")?;
        files::below_root(&models::find(tracking, &model_id)?.artifact_uri, path)
    })
    .await
}

/// `POST upload-artifact`, by MLflow's own pages.
async fn upload(State(app): State<App>, request: Request) -> Response {
    let map = query(&request);
    let path = blocking(&app, move |tracking| files::path_of_run(tracking, &Fields::new(&map))).await;
    match path {
        Ok(path) => received(&app, path, request.into_body()).await,
        Err(refusal) => reply(Err(refusal)),
    }
}

async fn version() -> &'static str {
    VERSION
}

async fn not_served(request: Request) -> Response {
    reply(Err(Refusal::not_served(request.uri().path().trim_start_matches('/'))))
}
