//! The routes about experiments.

use base::Code;
use serde_json::{Value, json};
use store::tracking::experiments::{self, Experiment, NewExperiment};
use store::tracking::filter::{self, Kind};
use store::tracking::search::{self, Search, View};
use store::tracking::{Pair, inputs};
use store::{Action, Write};

use super::Tracking;
use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::{forms, pages, paths, rules};

/// Experiments in one page, and runs in one page.
pub(super) const MOST_IN_PAGE: i64 = 50_000;
/// Experiments whose datasets can be listed together, and datasets in that list.
const MOST_EXPERIMENTS: usize = 20;
const MOST_DATASETS: u32 = 1_000;

/// `POST experiments/create`
pub(super) fn create(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let name = fields.need("name")?;
    rules::at_most("name", name, rules::EXPERIMENT_CHARS)?;
    let tags = rules::short_pairs(fields, "tags", rules::EXPERIMENT_TAG_CHARS)?;
    let location = fields.text("artifact_location")?.filter(|location| !location.is_empty());
    if let Some(location) = location {
        rules::location(location)?;
        if let Some(path) = location.strip_prefix("mlflow-artifacts:/") {
            paths::check(path.trim_matches('/'))?;
        }
    }
    let new = NewExperiment {
        id: None,
        project_id: tracking.project_id()?,
        name: name.to_owned(),
        artifact_location: location.map(str::to_owned),
        tags,
    };
    let made = tracking
        .store()
        .write(Action::new("experiment.new", name).by("script"), |w| experiments::create(w, &new));
    match made {
        Ok(made) => Ok(json!({ "experiment_id": made.id.to_string() })),
        Err(error) if error.code == Code::AlreadyExists => {
            Err(Refusal::exists(format!("Experiment(name={name}) already exists.")))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET experiments/get`
pub(super) fn get(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    Ok(json!({ "experiment": forms::experiment(&wanted(tracking, fields)?) }))
}

/// `GET experiments/get-by-name`
pub(super) fn get_by_name(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let name = fields.need("experiment_name")?;
    let found = tracking.store().read(|db| experiments::by_name(db, name))?;
    let found =
        found.ok_or_else(|| Refusal::not_found(format!("Could not find experiment with name '{name}'")))?;
    Ok(json!({ "experiment": forms::experiment(&found) }))
}

/// The experiment a request is about.
fn wanted(tracking: &Tracking, fields: &Fields<'_>) -> Result<Experiment, Refusal> {
    let id = rules::experiment_id(fields.need("experiment_id")?)?;
    find(tracking, id)
}

/// The experiment of this number.
pub(super) fn find(tracking: &Tracking, id: i64) -> Result<Experiment, Refusal> {
    tracking.store().read(|db| experiments::find(db, id))?.ok_or_else(|| unknown(id))
}

pub(super) fn unknown(id: i64) -> Refusal {
    Refusal::not_found(format!("No Experiment with id={id} exists"))
}

/// Refuses a deleted one.
pub(super) fn expect_active(experiment: &Experiment) -> Result<(), Refusal> {
    if experiment.deleted_at.is_none() {
        return Ok(());
    }
    Err(deleted(experiment.id))
}

pub(super) fn deleted(id: i64) -> Refusal {
    Refusal::invalid(format!("The experiment {id} must be in the 'active' state. Current state is deleted."))
}

/// Which are wanted, as to the trash.
pub(super) fn view(fields: &Fields<'_>, name: &str) -> Result<View, Refusal> {
    match fields.text(name)?.unwrap_or_default() {
        "" | "ACTIVE_ONLY" => Ok(View::Active),
        "DELETED_ONLY" => Ok(View::Deleted),
        "ALL" => Ok(View::All),
        other => Err(Refusal::invalid(format!(
            "Invalid view type '{}'. Valid values are ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']",
            other.escape_debug()
        ))),
    }
}

/// `POST` and `GET experiments/search`
pub(super) fn search(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    // Nothing said is 0 here, and that is refused.
    let asked = pages::asked(fields, 0, MOST_IN_PAGE)?;
    let search = Search {
        conditions: filter::parse(Kind::Experiments, fields.text("filter")?.unwrap_or_default())?,
        order: filter::parse_order(Kind::Experiments, &fields.texts("order_by")?)?,
        view: view(fields, "view_type")?,
        offset: asked.offset,
        limit: asked.to_find(),
        ..Search::default()
    };
    let (found, next) = tracking.store().read(|db| {
        let mut ids = search::experiments(db, &search)?;
        let next = asked.take(&mut ids);
        let found = ids.into_iter().map(|id| experiments::get(db, id)).collect::<base::Result<Vec<_>>>()?;
        Ok((found, next))
    })?;
    Ok(forms::list("experiments", found.iter().map(forms::experiment).collect(), next))
}

/// `POST experiments/delete`
pub(super) fn delete(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    set_deleted(tracking, &wanted(tracking, fields)?, true)
}

/// `POST experiments/restore`
pub(super) fn restore(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    set_deleted(tracking, &wanted(tracking, fields)?, false)
}

fn set_deleted(tracking: &Tracking, experiment: &Experiment, is_deleted: bool) -> Answer {
    // One that is deleted already is not there to be deleted, and the other way round.
    if experiment.deleted_at.is_some() == is_deleted {
        return Err(unknown(experiment.id));
    }
    let action = if is_deleted { "experiment.delete" } else { "experiment.restore" };
    change(tracking, action, experiment, |w| experiments::set_deleted(w, experiment.id, is_deleted))
}

/// `POST experiments/update`
pub(super) fn update(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let experiment = wanted(tracking, fields)?;
    let name = fields.need("new_name")?;
    rules::at_most("name", name, rules::EXPERIMENT_CHARS)?;
    if experiment.deleted_at.is_some() {
        let message = "Cannot rename a non-active experiment.".to_owned();
        return Err(Refusal { status: 400, code: "INVALID_STATE", message });
    }
    change(tracking, "experiment.rename", &experiment, |w| experiments::rename(w, experiment.id, name))
}

/// `POST experiments/set-experiment-tag`
pub(super) fn set_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let tag: Pair = rules::short_pair(fields, rules::EXPERIMENT_TAG_CHARS)?;
    let experiment = wanted(tracking, fields)?;
    expect_active(&experiment)?;
    change(tracking, "experiment.tag", &experiment, |w| experiments::set_tag(w, experiment.id, &tag))
}

/// `POST experiments/delete-experiment-tag`
pub(super) fn delete_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let key = fields.need("key")?;
    let experiment = wanted(tracking, fields)?;
    expect_active(&experiment)?;
    if !experiment.tags.iter().any(|(one, _)| one == key) {
        let id = experiment.id;
        return Err(Refusal::not_found(format!("No tag with name: {key} in experiment with id {id}")));
    }
    change(tracking, "experiment.tag", &experiment, |w| {
        experiments::delete_tag(w, experiment.id, key).map(drop)
    })
}

fn change(
    tracking: &Tracking,
    action: &str,
    experiment: &Experiment,
    f: impl FnOnce(&mut Write<'_>) -> base::Result<()>,
) -> Answer {
    tracking.store().write(Action::new(action, &experiment.name).by("script"), f)?;
    Ok(json!({}))
}

/// `POST experiments/search-datasets`
pub(super) fn search_datasets(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let ids = fields.texts("experiment_ids")?;
    if ids.is_empty() || ids.len() > MOST_EXPERIMENTS {
        return Err(Refusal::invalid(format!(
            "SearchDatasets request must specify 1 to {MOST_EXPERIMENTS} experiment_ids, got {}",
            ids.len()
        )));
    }
    let ids = ids.iter().map(|id| rules::experiment_id(id)).collect::<Result<Vec<_>, _>>()?;
    let found = tracking.store().read(|db| inputs::summaries(db, &ids, MOST_DATASETS))?;
    let summary = |one: &inputs::DatasetSummary| -> Value {
        let mut map = json!({
            "experiment_id": one.experiment_id.to_string(),
            "name": one.name,
            "digest": one.digest,
        });
        if let Some(context) = &one.context {
            map["context"] = json!(context);
        }
        map
    };
    Ok(forms::list("dataset_summaries", found.iter().map(summary).collect(), None))
}
