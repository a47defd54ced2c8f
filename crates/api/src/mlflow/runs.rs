//! The routes about runs but what is measured in them.

use base::{Code, Error, RunId};
use serde_json::{Value, json};
use store::tracking::Pair;
use store::tracking::filter::{self, Kind};
use store::tracking::inputs::{self, DatasetInput, LoggedDataset};
use store::tracking::script_runs::{self, NAME_TAG, NewScriptRun, RunUpdate, ScriptRun};
use store::tracking::search::{self, Search};
use store::{Action, Entry};

use super::experiments::{self, MOST_IN_PAGE};
use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::{Tracking, forms, names, pages, rules};

/// Runs in a page where nothing is said.
const USUAL_PAGE: i64 = 1_000;
/// The tag with what is known of the models of a run, by clients before version 3.
const HISTORY_TAG: &str = "mlflow.log-model.history";
/// Characters of that tag, which nobody cuts because it is JSON.
const HISTORY_CHARS: usize = 100_000;

impl Tracking {
    /// Changes a run that is there and not deleted, in a commit shared with other writers.
    pub(super) fn log_to<T: Send + 'static>(
        &self,
        id: &RunId,
        f: impl FnOnce(&mut Entry<'_>, &ScriptRun) -> base::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let of = id.clone();
        let made = self.store().log(move |e| {
            let run = script_runs::expect_active(e, &of)?;
            f(e, &run)
        });
        made.map_err(|error| trouble(id, error))
    }
}

/// What is wrong with a run that cannot be changed.
fn trouble(id: &RunId, error: Error) -> Refusal {
    match error.code {
        Code::NotFound => Refusal::no_run(id.as_str()),
        Code::Conflict => {
            Refusal::invalid(format!("The run {id} must be in the 'active' state. Current state is deleted."))
        }
        _ => error.into(),
    }
}

/// `POST runs/create`
pub(super) fn create(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let experiment_id =
        rules::experiment_id(fields.text("experiment_id")?.filter(|id| !id.is_empty()).unwrap_or("0"))?;
    let mut tags = rules::tags(fields)?;
    let given = fields.text("run_name")?.unwrap_or_default().to_owned();
    let tagged = tags.iter().find(|(key, _)| key == NAME_TAG).map(|(_, name)| name.clone());
    let name = match (given, tagged) {
        (given, Some(tagged)) if !given.is_empty() && given != tagged => {
            return Err(Refusal::invalid(format!(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
                 (run_name='{given}', mlflow.runName='{tagged}')."
            )));
        }
        (_, Some(tagged)) => tagged,
        (given, None) => {
            let name = if given.is_empty() { names::random() } else { given };
            tags.push((NAME_TAG.to_owned(), rules::cut(&name, rules::TAG_CHARS)));
            name
        }
    };
    let new = NewScriptRun {
        id: None,
        experiment_id,
        name,
        user_id: fields.text("user_id")?.unwrap_or_default().to_owned(),
        state: store::runs::RunState::Running,
        started_at: fields.whole("start_time")?.unwrap_or(0),
        ended_at: None,
        tags: tags.clone(),
    };
    let made =
        tracking.store().log(move |e| script_runs::create(e, &new)).map_err(|error| match error.code {
            Code::NotFound => experiments::unknown(experiment_id),
            Code::Conflict => experiments::deleted(experiment_id),
            _ => error.into(),
        })?;
    Ok(json!({ "run": forms::new_run(&made, &tags) }))
}

/// `GET runs/get`
pub(super) fn get(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let found = tracking.store().read(|db| runs(db, std::slice::from_ref(&id)))?;
    let run = found.into_iter().next().ok_or_else(|| Refusal::no_run(id.as_str()))?;
    Ok(json!({ "run": run }))
}

/// Runs with what was logged to them.
fn runs(db: &store::Connection, ids: &[RunId]) -> base::Result<Vec<Value>> {
    let found = script_runs::all(db, ids)?;
    let logged = script_runs::logged(db, ids)?;
    let none = script_runs::Logged::default();
    Ok(found.iter().map(|run| forms::run(run, logged.get(&run.id).unwrap_or(&none))).collect())
}

/// A run, also a deleted one.
pub(super) fn find(tracking: &Tracking, id: &RunId) -> Result<ScriptRun, Refusal> {
    tracking.store().read(|db| script_runs::find(db, id))?.ok_or_else(|| Refusal::no_run(id.as_str()))
}

/// `POST runs/update`
pub(super) fn update(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let state = fields.text("status")?.filter(|word| !word.is_empty());
    let state = state.map(|word| {
        script_runs::state_of(word)
            .ok_or_else(|| Refusal::invalid(format!("Invalid status '{}' of a run", word.escape_debug())))
    });
    let update = RunUpdate {
        state: state.transpose()?,
        ended_at: fields.whole("end_time")?,
        name: fields.text("run_name")?.filter(|name| !name.is_empty()).map(str::to_owned),
    };
    let run = tracking.log_to(&id, move |e, run| script_runs::update(e, &run.id, &update))?;
    Ok(json!({ "run_info": forms::run_info(&run) }))
}

/// `POST runs/delete`
pub(super) fn delete(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    set_deleted(tracking, fields, true)
}

/// `POST runs/restore`
pub(super) fn restore(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    set_deleted(tracking, fields, false)
}

fn set_deleted(tracking: &Tracking, fields: &Fields<'_>, is_deleted: bool) -> Answer {
    let run = find(tracking, &rules::run_id(fields)?)?;
    if run.is_deleted != is_deleted {
        let action = if is_deleted { "run.delete" } else { "run.restore" };
        tracking.store().write(Action::new(action, &run.name).by("script"), |w| {
            script_runs::set_deleted(w, &run.id, is_deleted)
        })?;
    }
    Ok(json!({}))
}

/// `POST runs/search`
pub(super) fn search(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    if let Some(limit @ (MOST_IN_PAGE..)) = fields.whole("max_results")?
        && limit > MOST_IN_PAGE
    {
        return Err(Refusal::wrong_type("max_results", &json!(limit)));
    }
    let asked = pages::asked(fields, USUAL_PAGE, MOST_IN_PAGE)?;
    let experiments = fields.texts("experiment_ids")?;
    let search = Search {
        conditions: filter::parse(Kind::Runs, fields.text("filter")?.unwrap_or_default())?,
        order: filter::parse_order(Kind::Runs, &fields.texts("order_by")?)?,
        view: experiments::view(fields, "run_view_type")?,
        experiments: experiments.iter().map(|id| rules::experiment_id(id)).collect::<Result<_, _>>()?,
        offset: asked.offset,
        limit: asked.to_find(),
        ..Search::default()
    };
    let (found, next) = tracking.store().read(|db| {
        let mut ids = search::runs(db, &search)?;
        let next = asked.take(&mut ids);
        Ok((runs(db, &ids)?, next))
    })?;
    Ok(forms::list("runs", found, next))
}

/// `POST runs/log-parameter`
pub(super) fn log_param(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let key = fields.need("key")?.to_owned();
    let value = rules::cut(fields.text("value")?.unwrap_or_default(), rules::PARAM_CHARS);
    rules::key(&key, "Param key", "key")?;
    let param = [(key.clone(), value.clone())];
    let conflicts = tracking.log_to(&id, move |e, run| script_runs::add_params(e, &run.id, &param))?;
    let Some((_, there)) = conflicts.first() else { return Ok(json!({})) };
    Err(Refusal::invalid(format!(
        "Changing param values is not allowed. Param with key='{key}' was already logged with value='{there}' \
         for run ID='{id}'. Attempted logging new value '{value}'."
    )))
}

/// `POST runs/set-tag`
pub(super) fn set_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let key = fields.need("key")?;
    rules::key(key, "Tag key", "key")?;
    let tag = [(key.to_owned(), rules::cut(fields.text("value")?.unwrap_or_default(), rules::TAG_CHARS))];
    tracking.log_to(&id, move |e, run| script_runs::set_tags(e, &run.id, &tag))?;
    Ok(json!({}))
}

/// `POST runs/delete-tag`
pub(super) fn delete_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let key = fields.need("key")?.to_owned();
    let name = key.clone();
    if tracking.log_to(&id, move |e, run| script_runs::delete_tag(e, &run.id, &name))? {
        return Ok(json!({}));
    }
    Err(Refusal::not_found(format!("No tag with name: {key} in run with id {id}")))
}

/// `POST runs/log-inputs`
pub(super) fn log_inputs(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id_of_form(fields)?;
    let datasets = fields.objects("datasets")?.iter().map(dataset).collect::<Result<Vec<_>, _>>()?;
    let models = model_ids(&fields.objects("models")?)?;
    tracking.log_to(&id, move |e, run| {
        inputs::add_datasets(e, &run.id, run.experiment_id, &datasets)?;
        inputs::add_models(e, &run.id, &models.into_iter().map(|(id, _)| id).collect::<Vec<_>>())
    })?;
    Ok(json!({}))
}

fn dataset(input: &Fields<'_>) -> Result<DatasetInput, Refusal> {
    let fields = input.object("dataset")?;
    let text = |name: &str, most: usize| {
        let text = fields.text(name)?;
        rules::at_most(name, text.unwrap_or_default(), most)?;
        Ok::<_, Refusal>(text.map(str::to_owned))
    };
    let mut tags: Vec<Pair> = Vec::new();
    for tag in input.objects("tags")? {
        let (key, value) = (tag.need("key")?, tag.text("value")?.unwrap_or_default());
        rules::at_most("key", key, 255)?;
        rules::at_most("value", value, 500)?;
        tags.push((key.to_owned(), value.to_owned()));
    }
    let dataset = LoggedDataset {
        name: text("name", 500)?
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Refusal::missing(&fields.place_of("name")))?,
        digest: text("digest", 36)?.unwrap_or_default(),
        source_type: text("source_type", 500)?.unwrap_or_default(),
        source: text("source", 65_535)?.unwrap_or_default(),
        schema: text("schema", 1_048_575)?,
        profile: text("profile", 16_777_215)?,
    };
    Ok(DatasetInput { dataset, tags })
}

fn model_ids(models: &[Fields<'_>]) -> Result<Vec<(String, i64)>, Refusal> {
    let read =
        |model: &Fields<'_>| Ok((model.need("model_id")?.to_owned(), model.whole("step")?.unwrap_or(0)));
    models.iter().map(read).collect()
}

/// `POST runs/outputs`
pub(super) fn log_outputs(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let models = model_ids(&fields.objects("models")?)?;
    if models.is_empty() {
        return Err(Refusal::missing("models"));
    }
    tracking.log_to(&id, move |e, run| inputs::add_outputs(e, &run.id, &models))?;
    Ok(json!({}))
}

/// `POST runs/log-model`, by clients before version 3
pub(super) fn log_model(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let text = fields.need("model_json")?;
    let wrong = |what: &str| Refusal::invalid(format!("Malformed model info. {what}"));
    let model: Value = serde_json::from_str(text).map_err(|_| wrong("It is not valid JSON."))?;
    let needed = ["artifact_path", "flavors", "utc_time_created", "run_id"];
    let missing: Vec<_> = needed.iter().filter(|name| model.get(**name).is_none()).collect();
    if !missing.is_empty() {
        return Err(wrong(&format!("Model JSON is missing mandatory fields: {missing:?}")));
    }
    tracking.log_to(&id, move |e, run| {
        let before = script_runs::tag(e, &run.id, HISTORY_TAG)?;
        let mut history: Vec<Value> =
            before.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        history.push(model);
        let text = Value::Array(history).to_string();
        if text.len() > HISTORY_CHARS {
            return Err(Error::invalid(format!(
                "the models of this run take more than {HISTORY_CHARS} characters"
            ))
            .hint("log further models to another run"));
        }
        script_runs::set_tags(e, &run.id, &[(HISTORY_TAG.to_owned(), text)])
    })?;
    Ok(json!({}))
}

/// The keys that come more than once, each once.
pub(super) fn doubled(pairs: &[Pair]) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    let mut doubled: Vec<&str> = Vec::new();
    for (key, _) in pairs {
        if !seen.insert(key) && !doubled.contains(&key.as_str()) {
            doubled.push(key);
        }
    }
    doubled
}
