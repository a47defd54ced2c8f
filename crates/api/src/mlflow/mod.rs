//! MLflow's REST API, so that scripts which log to MLflow log here: what the clients 2.22 and 3.17
//! send is answered as MLflow's own server would. A request becomes fields, a route takes them to
//! the store, and a form makes JSON of what comes back; everything is in the words of the API.
//!
//! Not served: traces, prompts' optimisation, webhooks and what else belongs to language models.
//! Their clients hear so at once.

mod curves;
mod experiments;
mod fields;
mod files;
mod forms;
mod models;
mod names;
mod pages;
mod paths;
mod refusal;
mod registry;
#[cfg(test)]
mod replay;
mod rules;
mod runs;
mod sources;
mod transfer;
mod web;

use std::sync::Arc;

use base::ProjectId;
use engine::Engine;
use serde_json::{Map, Value, json};
use store::Store;

use fields::Fields;
use refusal::{Answer, Refusal};

pub(crate) use web::{is_ours, refuse, routes};

/// The version of MLflow whose API this is. Clients read it as such.
pub(crate) const VERSION: &str = "3.17.2";

/// What the routes work on.
#[derive(Clone)]
pub(crate) struct Tracking(Arc<Engine>);

impl Tracking {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn store(&self) -> &Store {
        self.0.store()
    }

    /// The project that what is made goes into.
    fn project_id(&self) -> base::Result<ProjectId> {
        self.0.tracking_project()
    }
}

/// A route: a method, a path after `mlflow/`, and what answers.
struct Route {
    method: &'static str,
    path: &'static str,
    answer: fn(&Tracking, &Fields<'_>) -> Answer,
}

macro_rules! routes {
    ($($method:ident $path:literal $answer:path;)*) => {
        /// All of them. `{name}` in a path is a field.
        const ROUTES: &[Route] = &[
            $(Route { method: stringify!($method), path: $path, answer: $answer },)*
        ];
    };
}

routes! {
    POST   "experiments/create"                          experiments::create;
    GET    "experiments/get"                             experiments::get;
    GET    "experiments/get-by-name"                     experiments::get_by_name;
    POST   "experiments/search"                          experiments::search;
    GET    "experiments/search"                          experiments::search;
    POST   "experiments/delete"                          experiments::delete;
    POST   "experiments/restore"                         experiments::restore;
    POST   "experiments/update"                          experiments::update;
    POST   "experiments/set-experiment-tag"              experiments::set_tag;
    POST   "experiments/delete-experiment-tag"           experiments::delete_tag;
    POST   "experiments/search-datasets"                 experiments::search_datasets;
    POST   "runs/create"                                 runs::create;
    GET    "runs/get"                                    runs::get;
    POST   "runs/update"                                 runs::update;
    POST   "runs/delete"                                 runs::delete;
    POST   "runs/restore"                                runs::restore;
    POST   "runs/search"                                 runs::search;
    POST   "runs/log-metric"                             curves::log_metric;
    POST   "runs/log-parameter"                          runs::log_param;
    POST   "runs/set-tag"                                runs::set_tag;
    POST   "runs/delete-tag"                             runs::delete_tag;
    POST   "runs/log-batch"                              curves::log_batch;
    POST   "runs/log-inputs"                             runs::log_inputs;
    POST   "runs/outputs"                                runs::log_outputs;
    POST   "runs/log-model"                              runs::log_model;
    GET    "metrics/get-history"                         curves::history;
    GET    "metrics/get-history-bulk-interval"           curves::sampled;
    GET    "metrics/get-history-bulk"                    curves::history_of_runs;
    GET    "artifacts/list"                              files::list_of_run;
    POST   "logged-models"                               models::create;
    POST   "logged-models/search"                        models::search;
    GET    "logged-models/{model_id}"                    models::get;
    PATCH  "logged-models/{model_id}"                    models::finish;
    DELETE "logged-models/{model_id}"                    models::delete;
    PATCH  "logged-models/{model_id}/tags"               models::set_tags;
    DELETE "logged-models/{model_id}/tags/{tag_key}"     models::delete_tag;
    POST   "logged-models/{model_id}/params"             models::add_params;
    GET    "logged-models/{model_id}/artifacts/directories" models::list_files;
    POST   "registered-models/create"                    registry::create;
    GET    "registered-models/get"                       registry::get;
    GET    "registered-models/search"                    registry::search;
    POST   "registered-models/rename"                    registry::rename;
    PATCH  "registered-models/update"                    registry::update;
    DELETE "registered-models/delete"                    registry::delete;
    GET    "registered-models/get-latest-versions"       registry::latest;
    POST   "registered-models/get-latest-versions"       registry::latest;
    POST   "registered-models/set-tag"                   registry::set_tag;
    DELETE "registered-models/delete-tag"                registry::delete_tag;
    POST   "registered-models/alias"                     registry::set_alias;
    GET    "registered-models/alias"                     registry::by_alias;
    DELETE "registered-models/alias"                     registry::delete_alias;
    POST   "model-versions/create"                       registry::create_version;
    GET    "model-versions/get"                          registry::get_version;
    GET    "model-versions/get-download-uri"             registry::download_uri;
    GET    "model-versions/search"                       registry::search_versions;
    PATCH  "model-versions/update"                       registry::update_version;
    DELETE "model-versions/delete"                       registry::delete_version;
    POST   "model-versions/set-tag"                      registry::set_version_tag;
    DELETE "model-versions/delete-tag"                   registry::delete_version_tag;
    POST   "model-versions/transition-stage"             registry::set_stage;
    GET    "server-info"                                 server_info;
}

/// A request as the network gives it.
struct Asked<'a> {
    method: &'a str,
    /// After `mlflow/`, still encoded.
    path: &'a str,
    query: &'a str,
    content_type: &'a str,
    body: &'a [u8],
}

/// Answers a request.
fn answer(tracking: &Tracking, asked: &Asked<'_>) -> Answer {
    let matching: Vec<_> =
        ROUTES.iter().filter_map(|route| Some((route, fields_in(route.path, asked.path)?))).collect();
    let Some((route, in_path)) = matching.iter().find(|(route, _)| route.method == asked.method) else {
        return Err(if matching.is_empty() { unknown(asked.path) } else { wrong_method(asked) });
    };
    let mut map = match asked.method {
        "GET" => fields::from_query(asked.query),
        "POST" if !is_json(asked.content_type) => {
            return Err(Refusal::invalid("Bad Request. Content-Type must be one of ['application/json']."));
        }
        _ => fields::from_body(asked.body)?,
    };
    map.extend(in_path.clone());
    tracking.engine().expect_tracking()?;
    (route.answer)(tracking, &Fields::new(&map))
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The fields that a path gives, if it is one of this route.
fn fields_in(route: &str, path: &str) -> Option<Map<String, Value>> {
    let (mut named, mut given) = (route.split('/'), path.split('/'));
    let mut map = Map::new();
    loop {
        match (named.next(), given.next()) {
            (None, None) => return Some(map),
            (Some(name), Some(part)) => {
                match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        map.insert(name.to_owned(), fields::percent_decoded(part).into());
                    }
                    None if name != part => return None,
                    None => {}
                }
            }
            _ => return None,
        }
    }
}

/// What MLflow serves and Fettle does not, by the beginning of the path.
const ELSEWHERE: [&str; 20] = [
    "traces",
    "assessments",
    "scorers",
    "gateway",
    "genai",
    "webhooks",
    "prompt",
    "prompts",
    "prompt-optimization",
    "label-schemas",
    "review-queues",
    "issues",
    "jobs",
    "workspaces",
    "datasets",
    "evaluation-datasets",
    "assistant",
    "demo",
    "ui-telemetry",
    "graphql",
];

fn unknown(path: &str) -> Refusal {
    let first = path.split('/').next().unwrap_or_default();
    if ELSEWHERE.contains(&first) || path.starts_with("artifacts/presigned") {
        return Refusal::not_served(first);
    }
    let shown: String = path.chars().take(200).collect();
    Refusal {
        status: 404,
        code: "ENDPOINT_NOT_FOUND",
        message: format!("There is nothing at '{}'", shown.escape_debug()),
    }
}

fn wrong_method(asked: &Asked<'_>) -> Refusal {
    Refusal { status: 405, code: "BAD_REQUEST", message: format!("'{}' is not for this path", asked.method) }
}

/// Where a file of a registered version is kept.
fn registry_file(tracking: &Tracking, fields: &Fields<'_>) -> Result<String, Refusal> {
    let model = registry::find(tracking, fields.need("name")?)?;
    let version = registry::numbered(tracking, &model, fields.need("version")?)?;
    let path = fields.need("path")?;
    paths::check(path)?;
    Ok(format!("{}/{}/{path}", forms::REGISTERED, version.version.id))
}

/// `GET server-info`: large files come whole, and nothing of language models is here.
fn server_info(_: &Tracking, _: &Fields<'_>) -> Answer {
    Ok(json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "features_enabled": { "gateway": false },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_by_its_path_and_gives_the_names_in_it() {
        let map =
            fields_in("logged-models/{model_id}/tags/{tag_key}", "logged-models/m-1/tags/a%2Fb").unwrap();
        assert_eq!(Value::Object(map), json!({ "model_id": "m-1", "tag_key": "a/b" }));
        assert_eq!(fields_in("runs/get", "runs"), None);
        assert_eq!(fields_in("runs/get", "runs/get/x"), None);
        assert!(ROUTES.len() > 55);
    }
}
