//! The routes about registered models, their versions and aliases. The models are those of the
//! project that is open, whoever registered them.

use base::{Code, Error};
use serde_json::{Map, Value, json};
use store::models::{self, NewModelVersion, Reasons};
use store::tracking::artifacts;
use store::tracking::filter::{self, Kind};
use store::tracking::registry::{self, NO_STAGE, Registered, RegisteredVersion, VersionFacts};
use store::tracking::script_runs::ScriptRun;
use store::tracking::search::{self, Condition, Field, Search, Test, TextTest};
use store::{Action, Digest, Tree, Write, trash};

use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::sources::{self, Source};
use super::{Tracking, forms, pages, rules};

/// Registered models in a page where nothing is said, and at most.
const USUAL_MODELS: i64 = 100;
const MOST_MODELS: i64 = 1_000;
/// Versions in a page where nothing is said, and at most.
const USUAL_VERSIONS: i64 = 10_000;
const MOST_VERSIONS: i64 = 200_000;
/// Characters of the name of a model.
const NAME_CHARS: usize = 256;
/// Characters of an alias.
const ALIAS_CHARS: usize = 255;
/// The tag of a prompt, which clients keep among the models. One is not shown unless it is asked for.
const PROMPT_TAG: &str = "mlflow.prompt.is_prompt";
/// What a version can be marked as, in MLflow's older way.
const STAGES: [&str; 4] = [NO_STAGE, "Staging", "Production", "Archived"];

/// The model a request is about.
fn wanted(tracking: &Tracking, fields: &Fields<'_>) -> Result<Registered, Refusal> {
    find(tracking, fields.need("name")?)
}

/// The model of this name.
pub(super) fn find(tracking: &Tracking, name: &str) -> Result<Registered, Refusal> {
    let project_id = tracking.project_id()?;
    let found = tracking.store().read(|db| registry::by_name(db, &project_id, name))?;
    found.ok_or_else(|| Refusal::not_found(format!("Registered Model with name={name} not found")))
}

/// The version of a model with this number.
pub(super) fn numbered(
    tracking: &Tracking,
    model: &Registered,
    version: &str,
) -> Result<RegisteredVersion, Refusal> {
    let number: i64 = version.parse().map_err(|_| {
        Refusal::invalid(format!("Parameter 'version' must be an integer, got '{}'.", version.escape_debug()))
    })?;
    let unknown = || {
        Refusal::not_found(format!("Model Version (name={}, version={number}) not found", model.model.name))
    };
    let number = u32::try_from(number).map_err(|_| unknown())?;
    let found = tracking.store().read(|db| registry::numbered(db, &model.model.id, number));
    found.map_err(|error| if error.code == Code::NotFound { unknown() } else { error.into() })
}

fn wanted_version(
    tracking: &Tracking,
    fields: &Fields<'_>,
) -> Result<(Registered, RegisteredVersion), Refusal> {
    let (name, version) = (fields.need("name")?, fields.need("version")?);
    let model = find(tracking, name)?;
    let found = numbered(tracking, &model, version)?;
    Ok((model, found))
}

fn expect_name(name: &str) -> Result<(), Refusal> {
    if name.contains(['/', ':']) || matches!(name, "." | "..") || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!(
            "Invalid model name '{name}'. Names cannot contain '/' or ':'."
        )));
    }
    rules::at_most("Registered model name", name, NAME_CHARS)
}

fn taken(name: &str) -> impl Fn(Error) -> Refusal + '_ {
    move |error| match error.code {
        Code::AlreadyExists => Refusal::exists(format!("Registered Model (name={name}) already exists.")),
        _ => error.into(),
    }
}

/// Answers with a model and its newest versions.
fn answer(tracking: &Tracking, model: &Registered) -> Answer {
    let latest = tracking.store().read(|db| registry::latest(db, &model.model.id))?;
    Ok(json!({ "registered_model": forms::registered_model(model, &latest) }))
}

/// Changes a model and gives it back as it is then.
fn change(
    tracking: &Tracking,
    action: &str,
    model: &Registered,
    f: impl FnOnce(&mut Write<'_>) -> base::Result<()>,
) -> base::Result<Registered> {
    tracking.store().write(Action::new(action, &model.model.name).by("script"), |w| {
        f(w)?;
        registry::get(w, &model.model.id)
    })
}

/// `POST registered-models/create`
pub(super) fn create(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let name = fields.need("name")?;
    expect_name(name)?;
    let tags = rules::short_pairs(fields, "tags", rules::REGISTRY_TAG_CHARS)?;
    let (note, project_id) = (rules::description(fields)?, tracking.project_id()?);
    let action = Action::new("model.new", name).by("script");
    let made = tracking.store().write(action, |w| registry::create(w, &project_id, name, &note, &tags));
    answer(tracking, &made.map_err(taken(name))?)
}

/// `GET registered-models/get`
pub(super) fn get(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    answer(tracking, &wanted(tracking, fields)?)
}

/// `GET registered-models/search`
pub(super) fn search(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let search = asked(fields, Kind::Models, USUAL_MODELS, MOST_MODELS)?;
    let (found, next) = tracking.store().read(|db| {
        let mut ids = search::models(db, &search.search)?;
        let next = search.page.take(&mut ids);
        let one = |id| {
            let model = registry::get(db, &id)?;
            let latest = registry::latest(db, &id)?;
            Ok(forms::registered_model(&model, &latest))
        };
        Ok((ids.into_iter().map(one).collect::<base::Result<Vec<_>>>()?, next))
    })?;
    Ok(forms::list("registered_models", found, next))
}

struct Asked {
    search: Search,
    page: pages::Asked,
}

fn asked(fields: &Fields<'_>, kind: Kind, usual: i64, most: i64) -> Result<Asked, Refusal> {
    let page = pages::asked(fields, usual, most)?;
    let mut conditions = filter::parse(kind, fields.text("filter")?.unwrap_or_default())?;
    hide_prompts(&mut conditions);
    let search = Search {
        conditions,
        order: filter::parse_order(kind, &fields.texts("order_by")?)?,
        offset: page.offset,
        limit: page.to_find(),
        ..Search::default()
    };
    Ok(Asked { search, page })
}

/// What is no prompt has no such tag at all, and yet clients ask for `!= 'true'`.
fn hide_prompts(conditions: &mut Vec<Condition>) {
    let tag = || Field::Tag(PROMPT_TAG.to_owned());
    let mut is_asked = false;
    for condition in conditions.iter_mut().filter(|condition| condition.field == tag()) {
        is_asked = true;
        if let Test::Text(TextTest::Unequal, text) = &condition.test {
            condition.test = Test::NotText(text.clone());
        }
    }
    if !is_asked {
        conditions.push(Condition { field: tag(), test: Test::NotText("true".to_owned()) });
    }
}

/// `POST registered-models/rename`
pub(super) fn rename(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (model, name) = (wanted(tracking, fields)?, fields.need("new_name")?);
    expect_name(name)?;
    let made = change(tracking, "model.rename", &model, |w| registry::rename(w, &model.model, name));
    answer(tracking, &made.map_err(taken(name))?)
}

/// `PATCH registered-models/update`
pub(super) fn update(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (model, note) = (wanted(tracking, fields)?, rules::description(fields)?);
    let made = change(tracking, "model.note", &model, |w| registry::describe(w, &model.model.id, &note))?;
    answer(tracking, &made)
}

/// `DELETE registered-models/delete`
pub(super) fn delete(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let model = wanted(tracking, fields)?;
    tracking.store().write(Action::new("model.delete", &model.model.name).by("script"), |w| {
        trash::put(w, &trash::Item::Model(model.model.id.clone()))
    })?;
    Ok(json!({}))
}

/// `POST registered-models/set-tag`
pub(super) fn set_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (tag, model) = (rules::short_pair(fields, rules::REGISTRY_TAG_CHARS)?, wanted(tracking, fields)?);
    change(tracking, "model.tag", &model, |w| registry::set_model_tag(w, &model.model.id, &tag))?;
    Ok(json!({}))
}

/// `DELETE registered-models/delete-tag`
pub(super) fn delete_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (key, model) = (fields.need("key")?, wanted(tracking, fields)?);
    change(tracking, "model.tag", &model, |w| registry::delete_model_tag(w, &model.model.id, key))?;
    Ok(json!({}))
}

fn stage_of(text: &str) -> Result<&'static str, Refusal> {
    STAGES.into_iter().find(|stage| stage.eq_ignore_ascii_case(text)).ok_or_else(|| {
        Refusal::invalid(format!(
            "Invalid Model Version stage: {text}. Value must be one of {}.",
            STAGES.join(", ")
        ))
    })
}

/// `GET` and `POST registered-models/get-latest-versions`
pub(super) fn latest(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let model = wanted(tracking, fields)?;
    let stages = fields.texts("stages")?;
    let stages = stages.iter().map(|stage| stage_of(stage)).collect::<Result<Vec<_>, _>>()?;
    let found = tracking.store().read(|db| registry::latest(db, &model.model.id))?;
    let is_wanted =
        |one: &&RegisteredVersion| stages.is_empty() || stages.contains(&one.facts.stage.as_str());
    let versions = found.iter().filter(is_wanted).map(forms::version_in_list).collect();
    Ok(forms::list("model_versions", versions, None))
}

fn expect_alias(alias: &str) -> Result<(), Refusal> {
    let is_plain = alias.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if !is_plain {
        return Err(Refusal::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )));
    }
    if alias.eq_ignore_ascii_case("latest") {
        return Err(Refusal::invalid("'latest' alias name (case insensitive) is reserved."));
    }
    let digits = alias.strip_prefix(['v', 'V']).unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::invalid(format!("Version alias name '{alias}' is reserved.")));
    }
    rules::at_most("Registered model alias name", alias, ALIAS_CHARS)
}

/// `POST registered-models/alias`. The alias that deployments take by themselves moves only through
/// its gate.
pub(super) fn set_alias(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let alias = fields.need("alias")?;
    expect_alias(alias)?;
    let (model, version) = wanted_version(tracking, fields)?;
    tracking.engine().expect_open_gate(&version.version.id, alias)?;
    let subject = format!("{} v{} to {alias}", model.model.name, version.version.number);
    tracking.store().write(Action::new("model.promote", subject).by("script"), |w| {
        models::set_alias(w, &model.model.id, alias, version.version.number, &Reasons::default())
    })?;
    Ok(json!({}))
}

/// `GET registered-models/alias`
pub(super) fn by_alias(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (model, alias) = (wanted(tracking, fields)?, fields.need("alias")?);
    let number = model.aliases.iter().find(|(name, _)| name == alias).map(|(_, number)| *number);
    let number =
        number.ok_or_else(|| Refusal::invalid(format!("Registered model alias {alias} not found.")))?;
    let found = tracking.store().read(|db| registry::numbered(db, &model.model.id, number))?;
    Ok(forms::version(&found))
}

/// `DELETE registered-models/alias`
pub(super) fn delete_alias(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (model, alias) = (wanted(tracking, fields)?, fields.need("alias")?);
    if model.aliases.iter().any(|(name, _)| name == alias) {
        let subject = format!("{} from {alias}", model.model.name);
        tracking.store().write(Action::new("model.promote", subject).by("script"), |w| {
            models::remove_alias(w, &model.model.id, alias, &Reasons::default())
        })?;
    }
    Ok(json!({}))
}

/// `POST model-versions/create`
pub(super) fn create_version(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (name, source) = (fields.need("name")?, fields.need("source")?);
    let text = |name: &str| Ok::<_, Refusal>(fields.text(name)?.unwrap_or_default().to_owned());
    let (run_ref, model_id) = (text("run_id")?, text("model_id")?);
    let model_id = Some(model_id).filter(|id| !id.is_empty());
    let run = sources::named_run(tracking, Some(&run_ref))?;
    let from = sources::check(tracking, source, run.as_ref(), model_id.as_deref())?;
    let model = find(tracking, name)?;
    let tags = rules::short_pairs(fields, "tags", rules::REGISTRY_TAG_CHARS)?;
    let facts = VersionFacts {
        source: source.to_owned(),
        run_ref,
        run_link: text("run_link")?,
        user_id: String::new(),
        stage: NO_STAGE.to_owned(),
        logged_model_id: model_id,
    };
    let new = candidate(tracking, &from, run.as_ref(), rules::description(fields)?)?;
    let action = Action::new("model.register", name).by("script");
    let made =
        tracking.store().write(action, |w| registry::add_version(w, &model.model.id, new, &facts, &tags))?;
    Ok(forms::version(&made))
}

/// The files of a version, kept from now on whatever becomes of their source.
fn candidate(
    tracking: &Tracking,
    from: &Source,
    run: Option<&ScriptRun>,
    note: String,
) -> Result<NewModelVersion, Refusal> {
    let (package, package_bytes) = match from {
        Source::Ours(folder) => listing(tracking, folder)?,
        Source::Version(name, version) => {
            let version = sources::version_of(tracking, name, version)?.version;
            (version.package, version.package_bytes)
        }
        Source::Elsewhere => (tracking.store().objects().put_tree_list(&Tree { entries: Vec::new() })?, 0),
    };
    let mut metrics = Map::new();
    if let Some(run) = run {
        for one in tracking.store().read(|db| store::metrics::last(db, &run.id))? {
            // JSON has no number for what is not one.
            if one.last.value.is_finite() {
                metrics.insert(one.last.key, json!(one.last.value));
            }
        }
    }
    Ok(NewModelVersion {
        package,
        package_bytes,
        run_id: run.map(|run| run.id.clone()),
        step_id: None,
        dataset_version_id: None,
        metrics: Value::Object(metrics),
        parity: None,
        signature: Value::Null,
        note,
    })
}

fn listing(tracking: &Tracking, folder: &str) -> Result<(Digest, u64), Refusal> {
    let entries = tracking.store().read(|db| artifacts::tree(db, folder))?;
    let bytes = entries.iter().map(|entry| entry.size).sum();
    Ok((tracking.store().objects().put_tree_list(&Tree { entries })?, bytes))
}

/// `GET model-versions/get`
pub(super) fn get_version(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    Ok(forms::version(&wanted_version(tracking, fields)?.1))
}

/// `GET model-versions/get-download-uri`
pub(super) fn download_uri(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (_, version) = wanted_version(tracking, fields)?;
    Ok(json!({ "artifact_uri": sources::download_uri(tracking, &version)? }))
}

/// `GET model-versions/search`
pub(super) fn search_versions(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let search = asked(fields, Kind::Versions, USUAL_VERSIONS, MOST_VERSIONS)?;
    let (found, next) = tracking.store().read(|db| {
        let mut ids = search::versions(db, &search.search)?;
        let next = search.page.take(&mut ids);
        let found = ids.iter().map(|id| registry::version(db, id)).collect::<base::Result<Vec<_>>>()?;
        Ok((found, next))
    })?;
    Ok(forms::list("model_versions", found.iter().map(forms::version_in_list).collect(), next))
}

/// Changes a version and answers with it as it is then.
fn change_version(
    tracking: &Tracking,
    action: &str,
    (model, version): &(Registered, RegisteredVersion),
    f: impl FnOnce(&mut Write<'_>) -> base::Result<()>,
) -> Answer {
    let subject = format!("{} v{}", model.model.name, version.version.number);
    let made = tracking.store().write(Action::new(action, subject).by("script"), |w| {
        f(w)?;
        registry::version(w, &version.version.id)
    })?;
    Ok(forms::version(&made))
}

/// `PATCH model-versions/update`
pub(super) fn update_version(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (found, note) = (wanted_version(tracking, fields)?, rules::description(fields)?);
    change_version(tracking, "model.note", &found, |w| registry::describe_version(w, &found.1, &note))
}

/// `POST model-versions/transition-stage`
pub(super) fn set_stage(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let stage = stage_of(fields.need("stage")?)?;
    let found = wanted_version(tracking, fields)?;
    let archives = fields.flag("archive_existing_versions")? && matches!(stage, "Staging" | "Production");
    change_version(tracking, "model.stage", &found, |w| {
        if archives {
            for other in models::versions(w, &found.0.model.id)? {
                let other = registry::version(w, &other.id)?;
                if other.facts.stage == stage && other.version.id != found.1.version.id {
                    registry::set_stage(w, &other, "Archived")?;
                }
            }
        }
        registry::set_stage(w, &found.1, stage)
    })
}

/// `DELETE model-versions/delete`
pub(super) fn delete_version(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (model, version) = wanted_version(tracking, fields)?;
    let subject = format!("{} v{}", model.model.name, version.version.number);
    tracking.store().write(Action::new("model.delete_version", subject).by("script"), |w| {
        registry::delete_version(w, &version)
    })?;
    Ok(json!({}))
}

/// `POST model-versions/set-tag`
pub(super) fn set_version_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let tag = rules::short_pair(fields, rules::REGISTRY_TAG_CHARS)?;
    let found = wanted_version(tracking, fields)?;
    change_version(tracking, "model.tag", &found, |w| {
        registry::set_version_tag(w, &found.1.version.id, &tag)
    })?;
    Ok(json!({}))
}

/// `DELETE model-versions/delete-tag`
pub(super) fn delete_version_tag(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let (found, key) = (wanted_version(tracking, fields)?, fields.need("key")?);
    change_version(tracking, "model.tag", &found, |w| {
        registry::delete_version_tag(w, &found.1.version.id, key)
    })?;
    Ok(json!({}))
}
