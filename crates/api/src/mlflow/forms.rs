//! Records as MLflow writes them: what is not set is left out, and not a number is a text.

use serde_json::{Map, Value, json};
use store::tracking::Pair;
use store::tracking::experiments::Experiment;
use store::tracking::inputs::{DatasetInput, Inputs};
use store::tracking::logged_models::{LoggedModel, ModelStatus};
use store::tracking::points::Point;
use store::tracking::registry::{Registered, RegisteredVersion};
use store::tracking::script_runs::{self, Logged, ScriptRun};

/// A number of JSON; not a number is the text `NaN`.
pub(super) fn number(value: f64) -> Value {
    if value.is_nan() { json!("NaN") } else { json!(value) }
}

/// Adds a list that is not empty.
fn put_list(map: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        map.insert(name.to_owned(), Value::Array(list));
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

pub(super) fn pairs(pairs: &[Pair]) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn stage(is_deleted: bool) -> &'static str {
    if is_deleted { "deleted" } else { "active" }
}

/// An experiment.
pub(super) fn experiment(one: &Experiment) -> Value {
    let mut map = object(json!({
        "experiment_id": one.id.to_string(),
        "name": one.name,
        "artifact_location": one.artifact_location,
        "lifecycle_stage": stage(one.deleted_at.is_some()),
        "last_update_time": one.updated_at.as_ms(),
        "creation_time": one.created_at.as_ms(),
    }));
    put_list(&mut map, "tags", pairs(&one.tags));
    map.insert("workspace".to_owned(), json!("default"));
    Value::Object(map)
}

/// What there is to say of a run without what was logged to it.
pub(super) fn run_info(run: &ScriptRun) -> Value {
    let mut map = object(json!({
        "run_uuid": run.id,
        "experiment_id": run.experiment_id.to_string(),
        "run_name": run.name,
        "user_id": run.user_id,
        "status": script_runs::word_of(run.state),
        "start_time": run.started_at,
    }));
    put(&mut map, "end_time", run.ended_at);
    map.insert("artifact_uri".to_owned(), json!(run.artifact_uri));
    map.insert("lifecycle_stage".to_owned(), json!(stage(run.is_deleted)));
    map.insert("run_id".to_owned(), json!(run.id));
    Value::Object(map)
}

/// A run with what was logged to it.
pub(super) fn run(run: &ScriptRun, logged: &Logged) -> Value {
    let metric = |one: &store::metrics::LastMetric| {
        json!({
            "key": one.last.key,
            "value": number(one.last.value),
            "timestamp": one.last.at.as_ms(),
            "step": one.last.step,
        })
    };
    let mut data = Map::new();
    put_list(&mut data, "metrics", logged.metrics.iter().map(metric).collect());
    put_list(&mut data, "params", pairs(&logged.params));
    put_list(&mut data, "tags", pairs(&logged.tags));
    let (inputs, outputs) = inputs(&logged.inputs);
    json!({ "info": run_info(run), "data": data, "inputs": inputs, "outputs": outputs })
}

/// A run that was just begun.
pub(super) fn new_run(run: &ScriptRun, tags: &[Pair]) -> Value {
    let mut data = Map::new();
    put_list(&mut data, "tags", pairs(tags));
    json!({ "info": run_info(run), "data": data, "inputs": {} })
}

fn inputs(all: &Inputs) -> (Value, Value) {
    let mut inputs = Map::new();
    put_list(&mut inputs, "dataset_inputs", all.datasets.iter().map(dataset_input).collect());
    let models = all.models.iter().map(|id| json!({ "model_id": id })).collect();
    put_list(&mut inputs, "model_inputs", models);
    let mut outputs = Map::new();
    let models = all.outputs.iter().map(|(id, step)| json!({ "model_id": id, "step": step })).collect();
    put_list(&mut outputs, "model_outputs", models);
    (Value::Object(inputs), Value::Object(outputs))
}

fn dataset_input(input: &DatasetInput) -> Value {
    let one = &input.dataset;
    let mut dataset = object(json!({
        "name": one.name,
        "digest": one.digest,
        "source_type": one.source_type,
        "source": one.source,
    }));
    put(&mut dataset, "schema", one.schema.as_deref());
    put(&mut dataset, "profile", one.profile.as_deref());
    let mut map = Map::new();
    put_list(&mut map, "tags", pairs(&input.tags));
    map.insert("dataset".to_owned(), Value::Object(dataset));
    Value::Object(map)
}

/// A point of a curve; with its run where several runs come together.
pub(super) fn point(key: &str, point: &Point, run_id: Option<&str>) -> Value {
    let mut map = object(json!({
        "key": key,
        "value": number(point.value),
        "timestamp": point.at_ms,
        "step": point.step,
    }));
    put(&mut map, "run_id", run_id);
    Value::Object(map)
}

/// A logged model.
pub(super) fn logged_model(model: &LoggedModel) -> Value {
    let status = match model.status {
        ModelStatus::Pending => "LOGGED_MODEL_PENDING",
        ModelStatus::Ready => "LOGGED_MODEL_READY",
        ModelStatus::Failed => "LOGGED_MODEL_UPLOAD_FAILED",
    };
    let mut info = object(json!({
        "model_id": model.id,
        "experiment_id": model.experiment_id.to_string(),
        "name": model.name,
        "creation_timestamp_ms": model.created_at,
        "last_updated_timestamp_ms": model.updated_at,
        "artifact_uri": model.artifact_uri,
        "status": status,
    }));
    put(&mut info, "model_type", model.model_type.as_deref());
    put(&mut info, "source_run_id", model.source_run_id.as_deref());
    put_list(&mut info, "tags", pairs(&model.tags));
    let mut data = Map::new();
    put_list(&mut data, "params", pairs(&model.params));
    let metric = |one: &store::tracking::logged_models::ModelMetric| {
        let mut map = object(json!({
            "key": one.key,
            "value": number(one.value),
            "timestamp": one.at_ms,
            "step": one.step,
        }));
        put(&mut map, "dataset_name", one.dataset_name.as_deref());
        put(&mut map, "dataset_digest", one.dataset_digest.as_deref());
        put(&mut map, "model_id", Some(model.id.as_str()));
        put(&mut map, "run_id", Some(one.run_id.as_str()));
        Value::Object(map)
    };
    put_list(&mut data, "metrics", model.metrics.iter().map(metric).collect());
    json!({ "model": { "info": info, "data": data } })
}

/// A registered model with the newest version of each stage.
pub(super) fn registered_model(one: &Registered, latest: &[RegisteredVersion]) -> Value {
    let mut map = object(json!({
        "name": one.model.name,
        "creation_timestamp": one.model.created_at.as_ms(),
        "last_updated_timestamp": one.updated_at,
    }));
    put(&mut map, "description", Some(one.model.note.as_str()).filter(|note| !note.is_empty()));
    put_list(&mut map, "latest_versions", latest.iter().map(version_in_list).collect());
    put_list(&mut map, "tags", pairs(&one.tags));
    let alias = |(name, number): &(String, u32)| json!({ "alias": name, "version": number.to_string() });
    put_list(&mut map, "aliases", one.aliases.iter().map(alias).collect());
    Value::Object(map)
}

/// Where the files of a version of ours are found, below the root of artifacts.
pub(super) const REGISTERED: &str = "registered";

/// The URI a version was registered from; of one of ours, a place that we serve.
pub(super) fn source_of(version: &RegisteredVersion) -> String {
    if version.facts.source.is_empty() {
        return format!("mlflow-artifacts:/{REGISTERED}/{}", version.version.id);
    }
    version.facts.source.clone()
}

/// A version as lists show it: without its aliases.
pub(super) fn version_in_list(one: &RegisteredVersion) -> Value {
    let mut map = object(json!({
        "name": one.name,
        "version": one.version.number.to_string(),
        "creation_timestamp": one.version.created_at.as_ms(),
        "last_updated_timestamp": one.updated_at,
    }));
    put(&mut map, "user_id", Some(one.facts.user_id.as_str()).filter(|user| !user.is_empty()));
    for (name, value) in [
        ("current_stage", one.facts.stage.clone()),
        ("description", one.version.note.clone()),
        ("source", source_of(one)),
        ("run_id", one.facts.run_ref.clone()),
        ("status", "READY".to_owned()),
    ] {
        map.insert(name.to_owned(), json!(value));
    }
    put_list(&mut map, "tags", pairs(&one.tags));
    map.insert("run_link".to_owned(), json!(one.facts.run_link));
    Value::Object(map)
}

/// A version.
pub(super) fn version(one: &RegisteredVersion) -> Value {
    let mut map = object(version_in_list(one));
    put_list(&mut map, "aliases", one.aliases.iter().map(|alias| json!(alias)).collect());
    json!({ "model_version": map })
}

/// An answer with a list and, where there is more, the token of the next page. An empty list is left
/// out.
pub(super) fn list(name: &str, list: Vec<Value>, next: Option<String>) -> Value {
    let mut map = Map::new();
    put_list(&mut map, name, list);
    put(&mut map, "next_page_token", next);
    Value::Object(map)
}
