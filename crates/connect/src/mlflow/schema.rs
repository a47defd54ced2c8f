//! The revisions of MLflow's database, as its migrations name them, and what has to be there.

use base::{Error, Result};

/// Revisions before MLflow 2, whose tables lack what a run or a model has today.
const TOO_OLD: [&str; 18] = [
    "451aebb31d03",
    "90e64c465722",
    "181f10493468",
    "df50e92ffc5e",
    "7ac759974ad8",
    "89d4b8295536",
    "2b4d017a5e9b",
    "cfd24bdc0731",
    "0a8213491aaa",
    "728d730b5ebd",
    "27a6a02d2cf1",
    "84291f40a231",
    "a8c4a736bde6",
    "39d1c3be5f05",
    "c48cb773bb87",
    "bd07f7e963c5",
    "0c779009ac13",
    "cc1f77228345",
];

/// Revisions of MLflow 2, in their order.
const OF_2: [&str; 9] = [
    "97727af70f4d",
    "3500859a5d39",
    "7f2a7d5fae7d",
    "2d6e25af4d3e",
    "acf3f17fdcc7",
    "867495a8f9d4",
    "5b0e9adcef9c",
    "4465047574b1",
    "f5a4f2784254",
];

/// The last revision of MLflow 2.
const LAST_OF_2: &str = "0584bdc529eb";

/// Tables and columns without which there is nothing to read.
pub(super) const NEEDED: [(&str, &[&str]); 9] = [
    (
        "experiments",
        &[
            "experiment_id",
            "name",
            "artifact_location",
            "lifecycle_stage",
            "creation_time",
            "last_update_time",
        ],
    ),
    ("experiment_tags", &["key", "value", "experiment_id"]),
    (
        "runs",
        &[
            "run_uuid",
            "name",
            "user_id",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "deleted_time",
            "artifact_uri",
            "experiment_id",
        ],
    ),
    ("params", &["key", "value", "run_uuid"]),
    ("tags", &["key", "value", "run_uuid"]),
    ("metrics", &["key", "value", "timestamp", "step", "is_nan", "run_uuid"]),
    ("registered_models", &["name", "creation_time", "last_updated_time", "description"]),
    (
        "model_versions",
        &[
            "name",
            "version",
            "creation_time",
            "last_updated_time",
            "description",
            "user_id",
            "current_stage",
            "source",
            "run_id",
            "run_link",
        ],
    ),
    ("model_version_tags", &["key", "value", "name", "version"]),
];

/// Tables of what has no place here, and what a person calls that.
pub(super) const NOT_TAKEN: [(&str, &str); 11] = [
    ("trace_info", "traces"),
    ("assessments", "assessments of traces"),
    ("evaluation_datasets", "evaluation datasets"),
    ("scorers", "scorers"),
    ("webhooks", "webhooks"),
    ("endpoints", "gateway endpoints"),
    ("secrets", "secrets of gateways"),
    ("issues", "issues"),
    ("label_schemas", "label schemas"),
    ("review_queues", "review queues"),
    ("mcp_servers", "MCP servers"),
];

/// The MLflow that a revision belongs to, for people.
///
/// # Errors
/// `invalid_input` for one before MLflow 2.
pub(super) fn release(revision: &str) -> Result<&'static str> {
    if TOO_OLD.contains(&revision) {
        return Err(Error::invalid(format!("its schema `{revision}` is older than MLflow 2"))
            .hint("run `mlflow db upgrade` on a copy of it, then import that"));
    }
    Ok(if OF_2.contains(&revision) || revision == LAST_OF_2 { "MLflow 2" } else { "MLflow 3 or later" })
}
