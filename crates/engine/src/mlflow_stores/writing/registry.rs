//! The registry in a folder `mlruns`: registered models, their versions and aliases. The files of a
//! version that belong to a run or a logged model are there; those of others go out beside it.

use std::path::Path;

use base::Result;
use store::models;
use store::tracking::artifacts;
use store::tracking::registry::{self, Registered, RegisteredVersion};
use store::tracking::search::{self, Search};

use super::text::Meta;
use super::{Exporting, META};
use crate::commands::tracking::{NoteKind, What};
use crate::mlflow_stores::report::Fate;

/// Models that are asked for: more than any workspace has.
const MOST_MODELS: u64 = 1_000_000;

impl Exporting<'_> {
    pub(super) fn registry(&mut self) -> Result<()> {
        let all = Search { limit: MOST_MODELS, ..Search::default() };
        let ids = self.engine.store().read(|db| search::models(db, &all))?;
        for (done, id) in ids.iter().enumerate() {
            self.progress.step("writing registered models", done as u64, Some(ids.len() as u64))?;
            let model = self.engine.store().read(|db| registry::get(db, id))?;
            self.model(&model)?;
        }
        Ok(())
    }

    fn model(&mut self, one: &Registered) -> Result<()> {
        let (name, folder) = (one.model.name.as_str(), Path::new("models").join(&one.model.name));
        if !artifacts::is_plain(name) || name.contains('/') || self.draft.join(&folder).exists() {
            let why = "a folder of files has no place for this name, or another project has one of this name";
            self.report.skipped(What::Models, &format!("model `{}`", name.escape_debug()), why);
            return Ok(());
        }
        let aliases: Vec<_> =
            one.aliases.iter().map(|(alias, number)| (alias.clone(), number.to_string())).collect();
        let meta = Meta::default()
            .map("aliases", &aliases)
            .number("creation_timestamp", one.model.created_at.as_ms())
            .option_text("description", Some(one.model.note.as_str()).filter(|note| !note.is_empty()))
            .number("last_updated_timestamp", one.updated_at)
            .text("name", name);
        let what = format!("model `{name}`");
        self.write(&folder.join(META), meta.into_bytes())?;
        self.pairs(&folder.join("tags"), &one.tags, &what)?;
        self.pairs(&folder.join("aliases"), &aliases, &what)?;
        self.report.count(What::Models, Fate::Added, 1);
        self.report.count(What::Aliases, Fate::Added, aliases.len());
        let versions = self.engine.store().read(|db| {
            let versions = models::versions(db, &one.model.id)?;
            versions.iter().map(|version| registry::version(db, &version.id)).collect::<Result<Vec<_>>>()
        })?;
        for version in versions {
            self.progress.step("writing registered models", 0, None)?;
            self.version(&folder, &version)?;
        }
        Ok(())
    }

    fn version(&mut self, model: &Path, one: &RegisteredVersion) -> Result<()> {
        let folder = model.join(format!("version-{}", one.version.number));
        let (source, storage) = self.source(&folder, one)?;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let meta = Meta::default()
            .number("creation_timestamp", one.version.created_at.as_ms())
            .text("current_stage", &one.facts.stage)
            .option_text("description", some(&one.version.note).as_deref())
            .number("last_updated_timestamp", one.updated_at)
            .option_text("model_id", one.facts.logged_model_id.as_deref())
            .text("name", &one.name)
            .option_text("run_id", some(&one.facts.run_ref).as_deref())
            .option_text("run_link", some(&one.facts.run_link).as_deref())
            .text("source", &source)
            .text("status", "READY")
            .option_text("status_message", None)
            .option_text("storage_location", storage.as_deref())
            .option_text("user_id", some(&one.facts.user_id).as_deref())
            .number("version", i64::from(one.version.number));
        self.write(&folder.join(META), meta.into_bytes())?;
        self.pairs(&folder.join("tags"), &one.tags, &format!("a version of `{}`", one.name))?;
        self.report.count(What::Versions, Fate::Added, 1);
        Ok(())
    }

    /// What a version was registered from, and where its files are.
    fn source(&mut self, folder: &Path, one: &RegisteredVersion) -> Result<(String, Option<String>)> {
        let source = one.facts.source.as_str();
        if !source.is_empty() && !source.starts_with("models:/") && !source.starts_with("runs:/") {
            let is_ours = artifacts::path_of(source).is_some();
            if !is_ours {
                let what = format!("version {} of `{}`", one.version.number, one.name);
                self.report.note(
                    NoteKind::Elsewhere,
                    format!("files of {what}"),
                    format!("they stay at `{source}`"),
                );
                self.report.count(What::Elsewhere, Fate::Skipped, 1);
                return Ok((source.to_owned(), None));
            }
        }
        // What was registered does not change, whatever became of the run it came from.
        let place = folder.join("artifacts");
        let tree = self.engine.store().objects().tree(&one.version.package)?;
        for entry in &tree.entries {
            let path = self.draft.join(&place).join(&entry.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|e| base::Error::io("create", parent, &e))?;
            }
            self.engine.store().objects().get_file(&entry.digest, &path)?;
        }
        self.report.count(What::Files, Fate::Added, tree.entries.len());
        let named = self.named(&place);
        let is_reference = source.starts_with("models:/") || source.starts_with("runs:/");
        Ok((if is_reference { source.to_owned() } else { named.clone() }, Some(named)))
    }
}
