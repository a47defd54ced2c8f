//! The routes about logged models.

use base::{Code, Error};
use serde_json::{Value, json};
use store::tracking::filter::{self, Kind};
use store::tracking::logged_models::{self, LoggedModel, ModelStatus, NewLoggedModel};
use store::tracking::search::{self, Search};

use super::experiments;
use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::{Tracking, files, forms, names, pages, rules};

/// Models in a page where nothing is said, and at most.
const USUAL_PAGE: i64 = 50;
const MOST_IN_PAGE: i64 = 1_000;
/// Signs that the name of a model may not have.
const FORBIDDEN: [char; 6] = ['/', ':', '.', '%', '"', '\''];

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("Logged model with ID '{}' not found.", id.escape_debug()))
}

fn trouble(id: &str) -> impl Fn(Error) -> Refusal + '_ {
    move |error| if error.code == Code::NotFound { unknown(id) } else { error.into() }
}

/// A model that is there.
pub(super) fn find(tracking: &Tracking, id: &str) -> Result<LoggedModel, Refusal> {
    tracking.store().read(|db| logged_models::get(db, id)).map_err(trouble(id))
}

/// `POST logged-models`
pub(super) fn create(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let experiment_id = rules::experiment_id(fields.need("experiment_id")?)?;
    let name = match fields.text("name")?.filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => names::random(),
    };
    if name.contains(FORBIDDEN) || name.chars().count() > 500 {
        let sign = if name.contains('\'') { '"' } else { '\'' };
        let shown: String = name.chars().take(100).collect();
        return Err(Refusal::invalid(format!(
            "Invalid model name ({sign}{shown}{sign}) provided. Model name must be a non-empty string and cannot \
             contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )));
    }
    let given =
        |name: &str| Ok::<_, Refusal>(fields.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let new = NewLoggedModel {
        id: None,
        experiment_id,
        name,
        model_type: given("model_type")?,
        source_run_id: given("source_run_id")?,
        params: rules::pairs(fields, "params", rules::PARAM_CHARS)?,
        tags: rules::tags(fields)?,
    };
    let made =
        tracking.store().log(move |e| logged_models::create(e, &new)).map_err(|error| match error.code {
            Code::NotFound => experiments::unknown(experiment_id),
            Code::Conflict => experiments::deleted(experiment_id),
            _ => error.into(),
        })?;
    Ok(forms::logged_model(&made))
}

/// `GET logged-models/{model_id}`
pub(super) fn get(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    Ok(forms::logged_model(&find(tracking, fields.need("model_id")?)?))
}

/// `PATCH logged-models/{model_id}`
pub(super) fn finish(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = fields.need("model_id")?.to_owned();
    let status = match fields.need("status")? {
        "LOGGED_MODEL_READY" => ModelStatus::Ready,
        "LOGGED_MODEL_UPLOAD_FAILED" => ModelStatus::Failed,
        "LOGGED_MODEL_PENDING" => ModelStatus::Pending,
        other => {
            return Err(Refusal::invalid(format!("Invalid status '{}' of a model", other.escape_debug())));
        }
    };
    let of = id.clone();
    let made = tracking.store().log(move |e| logged_models::set_status(e, &of, status));
    Ok(forms::logged_model(&made.map_err(trouble(&id))?))
}

/// `DELETE logged-models/{model_id}`
pub(super) fn delete(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = fields.need("model_id")?.to_owned();
    let of = id.clone();
    tracking.store().log(move |e| logged_models::delete(e, &of)).map_err(trouble(&id))?;
    Ok(json!({}))
}

/// `PATCH logged-models/{model_id}/tags`
pub(super) fn set_tags(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (id, tags) = (fields.need("model_id")?.to_owned(), rules::tags(fields)?);
    let of = id.clone();
    tracking.store().log(move |e| logged_models::set_tags(e, &of, &tags)).map_err(trouble(&id))?;
    Ok(json!({}))
}

/// `DELETE logged-models/{model_id}/tags/{tag_key}`
pub(super) fn delete_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (id, key) = (fields.need("model_id")?.to_owned(), fields.need("tag_key")?.to_owned());
    let (of, name) = (id.clone(), key.clone());
    let was_there = tracking.store().log(move |e| logged_models::delete_tag(e, &of, &name));
    if was_there.map_err(trouble(&id))? {
        return Ok(json!({}));
    }
    Err(Refusal::not_found(format!("No tag with key '{key}' found for model with ID '{id}'.")))
}

/// `POST logged-models/{model_id}/params`
pub(super) fn add_params(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = find(tracking, fields.need("model_id")?)?.id;
    let params = rules::pairs(fields, "params", rules::PARAM_CHARS)?;
    tracking.store().log(move |e| logged_models::add_params(e, &id, &params))?;
    Ok(json!({}))
}

/// `POST logged-models/search`
pub(super) fn search(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let asked = pages::asked(fields, USUAL_PAGE, MOST_IN_PAGE)?;
    let experiments = fields.texts("experiment_ids")?;
    let dataset = |one: &Fields<'_>| {
        Ok((one.need("dataset_name")?.to_owned(), one.text("dataset_digest")?.map(str::to_owned)))
    };
    let search = Search {
        conditions: filter::parse(Kind::LoggedModels, fields.text("filter")?.unwrap_or_default())?,
        order: filter::parse_order(Kind::LoggedModels, &orders(fields)?)?,
        experiments: experiments.iter().map(|id| rules::experiment_id(id)).collect::<Result<_, _>>()?,
        datasets: fields.objects("datasets")?.iter().map(dataset).collect::<Result<_, Refusal>>()?,
        offset: asked.offset,
        limit: asked.to_find(),
        ..Search::default()
    };
    let (found, next) = tracking.store().read(|db| {
        let mut ids = search::logged_models(db, &search)?;
        let next = asked.take(&mut ids);
        Ok((logged_models::all(db, &ids)?, next))
    })?;
    let models = found.iter().map(|model| forms::logged_model(model)["model"].take()).collect();
    Ok(forms::list("models", models, next))
}

fn orders(fields: &Fields<'_>) -> Result<Vec<String>, Refusal> {
    let read = |one: &Fields<'_>| {
        if one.text("dataset_name")?.is_some_and(|name| !name.is_empty()) {
            return Err(Refusal::invalid("Ordering by a metric on one dataset is not supported"));
        }
        let is_ascending = one.flag("ascending")?;
        Ok(format!("{} {}", one.need("field_name")?, if is_ascending { "asc" } else { "desc" }))
    };
    fields.objects("order_by")?.iter().map(read).collect()
}

/// `GET logged-models/{model_id}/artifacts/directories`
pub(super) fn list_files(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let model = find(tracking, fields.need("model_id")?)?;
    let folder = fields.text("artifact_directory_path")?.unwrap_or_default();
    let listed: Vec<Value> = files::below(tracking, &model.artifact_uri, folder)?;
    let mut answer = forms::list("files", listed, None);
    answer["root_uri"] = json!(model.artifact_uri);
    Ok(answer)
}
