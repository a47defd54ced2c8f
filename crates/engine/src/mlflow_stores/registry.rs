//! Registered models of another store, their versions with files, and their aliases.

use base::{Error, ModelId, Result, RunId};
use connect::mlflow::{self, Place, RegisteredModel, Version};
use serde_json::{Map, Value, json};
use store::models::{self, NewModelVersion, Reasons};
use store::tracking::artifacts;
use store::tracking::registry::{self, Registered, RegisteredVersion, VersionFacts};
use store::tracking::whole::{self, WholeRegistered, WholeVersion};
use store::{Action, Digest, Tree};

use super::report::Fate;
use super::{Importing, conflict, differing};
use crate::commands::tracking::{NoteKind, What};
use crate::models::PRODUCTION;

/// Characters of the name of a model.
const NAME_CHARS: usize = 256;

impl Importing<'_> {
    /// Takes every registered model.
    pub(super) fn take_registered_models(&mut self) -> Result<()> {
        let mut troubles = Vec::new();
        let models = self.theirs.registered_models(&mut troubles)?;
        self.name_troubles(troubles);
        let total = models.len() as u64;
        for (done, model) in models.iter().enumerate() {
            self.progress.step("taking registered models", done as u64, Some(total))?;
            if let Err(error) = self.take_registered_model(model) {
                self.skip(What::Models, &format!("model `{}`", model.name.escape_debug()), error)?;
            }
        }
        Ok(())
    }

    fn take_registered_model(&mut self, model: &RegisteredModel) -> Result<()> {
        let name = model.name.as_str();
        if name.is_empty() || name.contains(['/', ':']) || name.chars().count() > NAME_CHARS {
            return Err(Error::invalid("no model can have this name here"));
        }
        let project_id = self.project_id.clone();
        let ours = self.engine.store().read(|db| registry::by_name(db, &project_id, name))?;
        let id = match &ours {
            None => {
                self.report.count(What::Models, Fate::Added, 1);
                None
            }
            Some(ours) => {
                self.compare_model(model, ours);
                Some(ours.model.id.clone())
            }
        };
        let mut new = Vec::new();
        for version in &model.versions {
            self.progress.step("taking registered models", 0, None)?;
            new.extend(self.version(name, id.as_ref(), version)?);
        }
        let id = match id {
            Some(id) if new.is_empty() => id,
            _ => self.write_model(id, model, &new)?,
        };
        self.report.count(What::Versions, Fate::Added, new.len());
        model.aliases.iter().try_for_each(|(alias, number)| self.alias(&id, name, alias, *number))
    }

    fn compare_model(&mut self, theirs: &RegisteredModel, ours: &Registered) {
        let fields =
            differing(&[("note", ours.model.note == theirs.note), ("tags", ours.tags == theirs.tags)]);
        match fields {
            None => self.report.count(What::Models, Fate::Same, 1),
            Some(fields) => {
                self.report.conflict(What::Models, &format!("model `{}`", theirs.name), conflict(&fields));
            }
        }
    }

    fn write_model(
        &self,
        id: Option<ModelId>,
        model: &RegisteredModel,
        new: &[WholeVersion],
    ) -> Result<ModelId> {
        let now = self.engine.store().clock().now().as_ms();
        let registered = WholeRegistered {
            name: model.name.clone(),
            note: model.note.clone(),
            created_at: model.created_at.unwrap_or(now),
            updated_at: model.updated_at.or(model.created_at).unwrap_or(now),
            tags: model.tags.clone(),
            last_number: model.last_number,
        };
        let action = Action::new("model.register", &model.name).by("import");
        self.engine.store().write(action, |w| {
            let id = match id {
                Some(id) => id,
                None => whole::put_model(w, &self.project_id, &registered)?,
            };
            new.iter().try_for_each(|version| whole::put_version(w, &id, version).map(drop))?;
            Ok(id)
        })
    }

    /// A version that is not here, with its files.
    fn version(
        &mut self,
        name: &str,
        id: Option<&ModelId>,
        version: &Version,
    ) -> Result<Option<WholeVersion>> {
        let what = format!("version {} of `{name}`", version.number);
        let ours = match id {
            Some(id) => self.engine.store().read(|db| {
                let found = models::versions(db, id)?.into_iter().find(|one| one.number == version.number);
                found.map(|found| registry::version(db, &found.id)).transpose()
            })?,
            None => None,
        };
        if let Some(ours) = ours {
            match difference(&ours, version) {
                None => self.report.count(What::Versions, Fate::Same, 1),
                Some(fields) => self.report.conflict(What::Versions, &what, conflict(&fields)),
            }
            return Ok(None);
        }
        let (package, package_bytes) = self.package(&what, version)?;
        let run_id = version.run_id.parse::<RunId>().ok();
        let run = match &run_id {
            Some(id) => self.engine.store().read(|db| whole::run(db, id))?,
            None => None,
        };
        let now = self.engine.store().clock().now().as_ms();
        let created_at = version.created_at.unwrap_or(now);
        let root = run.as_ref().map(|run| run.run.artifact_uri.as_str());
        Ok(Some(WholeVersion {
            number: version.number,
            created_at,
            updated_at: version.updated_at.unwrap_or(created_at),
            content: NewModelVersion {
                package,
                package_bytes,
                run_id: run.as_ref().map(|run| run.run.id.clone()),
                step_id: None,
                dataset_version_id: None,
                metrics: run.as_ref().map_or(json!({}), |run| measured(&run.curves)),
                parity: None,
                signature: Value::Null,
                note: version.note.clone(),
            },
            facts: VersionFacts {
                source: self.source(version, root),
                run_ref: version.run_id.clone(),
                run_link: version.run_link.clone(),
                user_id: version.user_id.clone(),
                stage: version.stage.clone(),
                logged_model_id: version.logged_model_id.clone(),
            },
            tags: version.tags.clone(),
        }))
    }

    /// What a version was registered from, as it is called here. Of a folder on this or another disk
    /// nothing is said: the files of the version are served by themselves.
    fn source(&self, version: &Version, root: Option<&str>) -> String {
        let source = version.source.as_str();
        if source.starts_with("models:/") || source.starts_with("runs:/") {
            return source.to_owned();
        }
        if self.places.find(source, &version.run_id) == Place::Remote {
            return source.to_owned();
        }
        let tail = source.split_once(&format!("/{}/artifacts/", version.run_id)).map(|(_, tail)| tail);
        match (root, tail.filter(|tail| artifacts::is_plain(tail))) {
            (Some(root), Some(tail)) if artifacts::path_of(root).is_some() => format!("{root}/{tail}"),
            _ => String::new(),
        }
    }

    /// The files of a version: those of the logged model or the run that it names, else those of the
    /// folder.
    fn package(&mut self, what: &str, version: &Version) -> Result<(Digest, u64)> {
        let objects = self.engine.store().objects();
        if let Some(folder) = self.folder_here(version)? {
            let entries = self.engine.store().read(|db| artifacts::tree(db, &folder))?;
            if !entries.is_empty() {
                let bytes = entries.iter().map(|entry| entry.size).sum();
                return Ok((objects.put_tree_list(&Tree { entries })?, bytes));
            }
        }
        let mut place = Place::Missing;
        for uri in version.storage.iter().chain([&version.source]) {
            let id =
                version.logged_model_id.as_deref().filter(|id| uri.contains(*id)).unwrap_or(&version.run_id);
            place = self.places.find(uri, id);
            if let Place::Here(folder) = &place
                && folder.is_dir()
            {
                let (tree, files) = self.keep(what, folder)?;
                let bytes = files.iter().map(|(_, file)| file.size_bytes).sum();
                if let Some(tree) = tree {
                    return Ok((tree, bytes));
                }
            }
        }
        let why = match place {
            Place::Remote => format!("they stay at `{}`", version.source),
            Place::Outside(folder) => {
                format!(
                    "they are in `{}`, which is outside of what is imported: name that folder too",
                    folder.display()
                )
            }
            Place::Here(_) | Place::Missing => {
                format!("nothing is left of `{}`", version.source.escape_debug())
            }
        };
        self.report.note(NoteKind::Elsewhere, format!("files of {what}"), why);
        self.report.count(What::Elsewhere, Fate::Skipped, 1);
        Ok((objects.put_tree_list(&Tree { entries: Vec::new() })?, 0))
    }

    /// Where we keep what the source of a version names, if we do.
    fn folder_here(&self, version: &Version) -> Result<Option<String>> {
        let root = if let Some(id) = version.source.strip_prefix("models:/").filter(|id| id.starts_with("m-"))
        {
            let model = self.engine.store().read(|db| whole::logged_model(db, id))?;
            model.map(|model| model.model.artifact_uri)
        } else if let Some((id, path)) =
            version.source.strip_prefix("runs:/").and_then(|rest| rest.split_once('/'))
        {
            let Ok(id) = id.parse::<RunId>() else { return Ok(None) };
            let run = self.engine.store().read(|db| whole::run(db, &id))?;
            run.map(|run| format!("{}/{path}", run.run.artifact_uri))
        } else {
            None
        };
        Ok(root.as_deref().and_then(artifacts::path_of).map(str::to_owned))
    }

    /// Points an alias that is not here. The one that deployments take by themselves moves only
    /// through its gate.
    fn alias(&mut self, model_id: &ModelId, model: &str, alias: &str, number: u32) -> Result<()> {
        let what = format!("alias `{alias}` of `{model}`");
        let store = self.engine.store();
        if let Some(there) = store.read(|db| models::find_alias(db, model_id, alias))? {
            if there.number == number {
                self.report.count(What::Aliases, Fate::Same, 1);
            } else {
                let why = format!("it points to version {} here, and stays there", there.number);
                self.report.conflict(What::Aliases, &what, why);
            }
            return Ok(());
        }
        let set = || -> Result<()> {
            let version = store.read(|db| models::version_numbered(db, model_id, number))?;
            if alias == PRODUCTION {
                self.engine.expect_open_gate(&version.id, alias)?;
            }
            let action = Action::new("model.promote", format!("{model} v{number} to {alias}")).by("import");
            store
                .write(action, |w| models::set_alias(w, model_id, alias, number, &Reasons::default()))
                .map(drop)
        };
        match set() {
            Ok(()) => self.report.count(What::Aliases, Fate::Added, 1),
            Err(error) => self.skip(What::Aliases, &what, error)?,
        }
        Ok(())
    }
}

/// The last values of curves that are numbers in JSON.
fn measured(curves: &std::collections::BTreeMap<String, Vec<store::tracking::points::Point>>) -> Value {
    let last = curves.iter().filter_map(|(key, points)| Some((key, points.last()?.value)));
    let finite = last.filter(|(_, value)| value.is_finite()).map(|(key, value)| (key.clone(), json!(value)));
    Value::Object(finite.collect::<Map<_, _>>())
}

/// The fields in which two versions differ. Where the files are is said otherwise here.
fn difference(ours: &RegisteredVersion, theirs: &mlflow::Version) -> Option<String> {
    differing(&[
        ("run", ours.facts.run_ref == theirs.run_id),
        ("link", ours.facts.run_link == theirs.run_link),
        ("note", ours.version.note == theirs.note),
        ("user", ours.facts.user_id == theirs.user_id),
        ("stage", ours.facts.stage == theirs.stage),
        ("tags", ours.tags == theirs.tags),
        ("time", theirs.created_at.is_none_or(|at| at == ours.version.created_at.as_ms())),
    ])
}
