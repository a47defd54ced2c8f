//! What went into runs by scripts, and which logged models came out.

use std::collections::HashMap;

use base::{Result, RunId};
use rusqlite::Connection;

use super::Pair;
use crate::feed::Topic;
use crate::group::Entry;
use crate::sql;

/// A dataset as a script describes it; its rows are elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedDataset {
    /// Its name.
    pub name: String,
    /// What the script took as its fingerprint.
    pub digest: String,
    /// What kind of place it comes from.
    pub source_type: String,
    /// Where it comes from.
    pub source: String,
    /// Its columns.
    pub schema: Option<String>,
    /// Figures about it.
    pub profile: Option<String>,
}

/// A dataset that went into a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetInput {
    /// The dataset.
    pub dataset: LoggedDataset,
    /// What it was used for, and more.
    pub tags: Vec<Pair>,
}

/// The tag that says what a dataset was used for.
pub const CONTEXT_TAG: &str = "mlflow.data.context";

/// What went into a run, and which models came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The datasets.
    pub datasets: Vec<DatasetInput>,
    /// Ids of models that went in.
    pub models: Vec<String>,
    /// Ids of models that came out, with their steps.
    pub outputs: Vec<(String, i64)>,
}

/// Says that datasets went into a run; saying it again changes nothing.
///
/// # Errors
/// When the workspace cannot be written.
pub fn add_datasets(
    e: &mut Entry<'_>,
    id: &RunId,
    experiment_id: i64,
    inputs: &[DatasetInput],
) -> Result<()> {
    e.unsettle(id.as_str())?;
    for DatasetInput { dataset, tags } in inputs {
        let known = "select id from logged_datasets where experiment_id = ?1 and name = ?2 and digest = ?3";
        let known = sql::first(e, known, (experiment_id, &dataset.name, &dataset.digest), |row| {
            row.get::<_, i64>(0)
        })?;
        let dataset_id = match known {
            Some(known) => known,
            None => sql::value(
                e,
                "insert into logged_datasets (experiment_id, name, digest, source_type, source, schema, profile)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7) returning id",
                (
                    experiment_id,
                    &dataset.name,
                    &dataset.digest,
                    &dataset.source_type,
                    &dataset.source,
                    &dataset.schema,
                    &dataset.profile,
                ),
            )?,
        };
        let context = tags.iter().find(|(key, _)| key == CONTEXT_TAG).map(|(_, value)| value);
        sql::change(
            e,
            "insert into run_inputs (run_id, dataset_id, context, tags) values (?1, ?2, ?3, ?4)
             on conflict do nothing",
            (id.as_str(), dataset_id, context, sql::to_json(tags)),
        )?;
    }
    e.touch(Topic::Runs);
    Ok(())
}

/// Says that models went into a run.
///
/// # Errors
/// When the workspace cannot be written.
pub fn add_models(e: &mut Entry<'_>, id: &RunId, models: &[String]) -> Result<()> {
    let models: Vec<_> = models.iter().map(|model| (model.clone(), 0)).collect();
    link(e, id, "in", &models)
}

/// Says that models came out of a run, each at a step.
///
/// # Errors
/// When the workspace cannot be written.
pub fn add_outputs(e: &mut Entry<'_>, id: &RunId, models: &[(String, i64)]) -> Result<()> {
    link(e, id, "out", models)
}

fn link(e: &mut Entry<'_>, id: &RunId, direction: &str, models: &[(String, i64)]) -> Result<()> {
    e.unsettle(id.as_str())?;
    for (model, step) in models {
        sql::change(
            e,
            "insert into run_models (run_id, direction, model_id, step) values (?1, ?2, ?3, ?4)
             on conflict do nothing",
            (id.as_str(), direction, model, step),
        )?;
    }
    e.touch(Topic::Runs);
    Ok(())
}

/// The inputs of these runs that have any.
pub(crate) fn of_runs(db: &Connection, ids: &[RunId]) -> Result<HashMap<RunId, Inputs>> {
    let mut all: HashMap<RunId, Inputs> = HashMap::new();
    let query = "select i.run_id, i.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
                 from run_inputs i join logged_datasets d on d.id = i.dataset_id
                 where i.run_id in (select value from json_each(?1)) order by i.run_id, i.dataset_id";
    let datasets = sql::many(db, query, [sql::to_json(&ids)], |row| {
        let dataset = LoggedDataset {
            name: row.get("name")?,
            digest: row.get("digest")?,
            source_type: row.get("source_type")?,
            source: row.get("source")?,
            schema: row.get("schema")?,
            profile: row.get("profile")?,
        };
        let tags = sql::json_option(row, "tags")?.unwrap_or_default();
        Ok((sql::parsed(row, "run_id")?, DatasetInput { dataset, tags }))
    })?;
    for (id, input) in datasets {
        all.entry(id).or_default().datasets.push(input);
    }
    let query = "select run_id, direction, model_id, step from run_models
                 where run_id in (select value from json_each(?1)) order by run_id, direction, model_id, step";
    let models = sql::many(db, query, [sql::to_json(&ids)], |row| {
        Ok((
            sql::parsed(row, "run_id")?,
            row.get::<_, String>("direction")?,
            row.get("model_id")?,
            row.get("step")?,
        ))
    })?;
    for (id, direction, model, step) in models {
        let inputs = all.entry(id).or_default();
        if direction == "in" { inputs.models.push(model) } else { inputs.outputs.push((model, step)) }
    }
    Ok(all)
}

/// A dataset as a list of an experiment shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSummary {
    /// The experiment.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// Its fingerprint.
    pub digest: String,
    /// What it was used for.
    pub context: Option<String>,
}

/// The datasets that went into active runs of these experiments, at most `limit`.
///
/// # Errors
/// When the workspace cannot be read.
pub fn summaries(db: &Connection, experiments: &[i64], limit: u32) -> Result<Vec<DatasetSummary>> {
    let query = "select distinct d.experiment_id, d.name, d.digest, i.context
                 from logged_datasets d join run_inputs i on i.dataset_id = d.id join runs r on r.id = i.run_id
                 where d.experiment_id in (select value from json_each(?1)) and r.trashed_at is null
                 order by 1, 2, 3, 4 limit ?2";
    sql::many(db, query, (sql::to_json(&experiments), limit), |row| {
        Ok(DatasetSummary {
            experiment_id: row.get("experiment_id")?,
            name: row.get("name")?,
            digest: row.get("digest")?,
            context: row.get("context")?,
        })
    })
}
