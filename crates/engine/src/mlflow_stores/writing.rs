//! What scripts logged goes out as a folder `mlruns`, as MLflow's own file store writes it. The folder
//! is whole or not there.

mod registry;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base::{Error, Progress, Result};
use store::tracking::artifacts::{self, StoredFile};
use store::tracking::experiments::{self, Experiment};
use store::tracking::inputs::{DatasetInput, Inputs};
use store::tracking::logged_models::ModelStatus;
use store::tracking::points::Point;
use store::tracking::whole::{self, WholeModel, WholeRun};
use store::tracking::{Pair, script_runs};

use super::report::{Fate, Report};
use super::waiting::count_run;
use crate::Engine;
use crate::commands::tracking::{NoteKind, TrackingMoved, What};
use text::Meta;

const META: &str = "meta.yaml";

/// An export on its way.
struct Exporting<'a> {
    engine: &'a Engine,
    progress: &'a Progress,
    /// Where it is written.
    draft: PathBuf,
    /// Where it will be, which the files name.
    to: PathBuf,
    report: Report,
    /// The folders of experiments, from the folder of all.
    folders: BTreeMap<i64, PathBuf>,
}

impl Engine {
    /// Writes experiments, runs, logged models and the registry into a folder that is not there yet.
    ///
    /// # Errors
    /// `AlreadyExists` for a folder with something in it; `Cancelled`; the disk cannot be written.
    /// Nothing is left then.
    pub(crate) fn export_store(&self, to: &Path, progress: &Progress) -> Result<TrackingMoved> {
        let is_empty = fs::read_dir(to).map(|mut entries| entries.next().is_none());
        if matches!(is_empty, Ok(false)) || to.is_file() {
            return Err(Error::new(
                base::Code::AlreadyExists,
                format!("`{}` is there already", to.display()),
            )
            .hint("name a folder that is not there, such as `mlruns` in a new folder"));
        }
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
        let parent = parent.canonicalize().map_err(|e| Error::io("read", parent, &e))?;
        let name =
            to.file_name().ok_or_else(|| Error::invalid(format!("`{}` names no folder", to.display())))?;
        let draft = tempfile::Builder::new()
            .prefix(".mlruns-")
            .tempdir_in(&parent)
            .map_err(|e| Error::io("create a folder in", &parent, &e))?;
        let mut export = Exporting {
            engine: self,
            progress,
            draft: draft.path().to_owned(),
            to: parent.join(name),
            report: Report::default(),
            folders: BTreeMap::new(),
        };
        export.all()?;
        let (to, report) = (export.to, export.report);
        if is_empty.is_ok() {
            fs::remove_dir(&to).map_err(|e| Error::io("replace", &to, &e))?;
        }
        fs::rename(draft.path(), &to).map_err(|e| Error::io("write", &to, &e))?;
        // What it was is now elsewhere, under its own name.
        let _ = draft.keep();
        Ok(report.end(to.display().to_string()))
    }
}

impl Exporting<'_> {
    fn all(&mut self) -> Result<()> {
        for one in self.engine.store().read(experiments::all)? {
            self.experiment(&one)?;
        }
        let runs = self.engine.store().read(whole::run_ids)?;
        for (done, id) in runs.iter().enumerate() {
            self.progress.step("writing runs", done as u64, Some(runs.len() as u64))?;
            if let Some(run) = self.engine.store().read(|db| whole::run(db, id))? {
                self.run(&run)?;
            }
        }
        let models = self.engine.store().read(whole::logged_model_ids)?;
        for (done, id) in models.iter().enumerate() {
            self.progress.step("writing models", done as u64, Some(models.len() as u64))?;
            if let Some(model) = self.engine.store().read(|db| whole::logged_model(db, id))? {
                self.logged_model(&model)?;
            }
        }
        self.registry()
    }

    fn experiment(&mut self, one: &Experiment) -> Result<()> {
        let folder = match one.deleted_at {
            Some(_) => Path::new(".trash").join(one.id.to_string()),
            None => PathBuf::from(one.id.to_string()),
        };
        let location = match artifacts::path_of(&one.artifact_location) {
            Some(_) => self.named(Path::new(&one.id.to_string())),
            None => one.artifact_location.clone(),
        };
        let meta = Meta::default()
            .text("artifact_location", &location)
            .number("creation_time", one.created_at.as_ms())
            .text("experiment_id", &one.id.to_string())
            .number("last_update_time", one.updated_at.as_ms())
            .text("lifecycle_stage", stage(one.deleted_at.is_some()))
            .text("name", &one.name);
        self.write(&folder.join(META), meta.into_bytes())?;
        self.pairs(&folder.join("tags"), &one.tags, &format!("experiment `{}`", one.name))?;
        self.folders.insert(one.id, folder);
        self.report.count(What::Experiments, Fate::Added, 1);
        Ok(())
    }

    fn folder(&self, experiment_id: i64) -> Result<PathBuf> {
        let found = self.folders.get(&experiment_id).cloned();
        // An experiment that a script made since then goes out with the next export.
        found.ok_or_else(|| {
            Error::new(base::Code::Conflict, "a script made an experiment meanwhile").hint("try again")
        })
    }

    fn run(&mut self, whole: &WholeRun) -> Result<()> {
        let run = &whole.run;
        let experiment = self.folder(run.experiment_id)?;
        let (folder, what) = (experiment.join(run.id.as_str()), format!("run `{}`", run.id));
        let meta = Meta::default()
            .text(
                "artifact_uri",
                &self.uri(&run.artifact_uri, run.experiment_id, &format!("{}/artifacts", run.id)),
            )
            .option("deleted_time", whole.deleted_at)
            .option("end_time", run.ended_at)
            .text("entry_point_name", "")
            .text("experiment_id", &run.experiment_id.to_string())
            .text("lifecycle_stage", stage(run.is_deleted))
            .text("run_id", run.id.as_str())
            .text("run_name", &run.name)
            .text("source_name", "")
            .number("source_type", 4)
            .text("source_version", "")
            .number("start_time", run.started_at)
            .number("status", status(script_runs::word_of(run.state)))
            .list("tags")
            .text("user_id", &run.user_id);
        self.write(&folder.join(META), meta.into_bytes())?;
        // Without these folders MLflow takes it for no run.
        for name in ["params", "metrics", "artifacts", "tags"] {
            let path = self.draft.join(&folder).join(name);
            fs::create_dir_all(&path).map_err(|e| Error::io("create", &path, &e))?;
        }
        self.pairs(&folder.join("params"), &whole.params, &what)?;
        self.pairs(&folder.join("tags"), &whole.tags, &what)?;
        for (key, points) in &whole.curves {
            self.keyed(&folder.join("metrics"), key, lines(points), &what)?;
        }
        self.inputs(&experiment, &folder, &whole.inputs, run.id.as_str())?;
        if artifacts::path_of(&run.artifact_uri).is_some() {
            self.files(&folder.join("artifacts"), &whole.files)?;
        } else {
            self.stays_elsewhere(&what, &run.artifact_uri);
        }
        count_run(&mut self.report, whole, Fate::Added);
        Ok(())
    }

    fn inputs(&mut self, experiment: &Path, run: &Path, inputs: &Inputs, run_id: &str) -> Result<()> {
        for input in &inputs.datasets {
            let dataset = text::id_of(&[&input.dataset.name, &input.dataset.digest]);
            self.dataset(&experiment.join("datasets").join(&dataset), input)?;
            let meta = Meta::default()
                .text("destination_id", run_id)
                .text("destination_type", "RUN")
                .text("source_id", &dataset)
                .text("source_type", "DATASET")
                .map("tags", &input.tags);
            let folder = run.join("inputs").join(text::id_of(&[&dataset, run_id]));
            self.write(&folder.join(META), meta.into_bytes())?;
        }
        for model in &inputs.models {
            let meta = Meta::default()
                .text("destination_id", run_id)
                .text("destination_type", "RUN")
                .text("source_id", model)
                .text("source_type", "MODEL")
                .map("tags", &[]);
            let folder = run.join("inputs").join(text::id_of(&[model, run_id]));
            self.write(&folder.join(META), meta.into_bytes())?;
        }
        for (model, step) in inputs.outputs.iter().filter(|(model, _)| artifacts::is_plain(model)) {
            let meta = Meta::default()
                .text("destination_id", model)
                .text("destination_type", "MODEL_OUTPUT")
                .text("source_id", model)
                .text("source_type", "RUN_OUTPUT")
                .number("step", *step)
                .map("tags", &[]);
            self.write(&run.join("outputs").join(model).join(META), meta.into_bytes())?;
        }
        Ok(())
    }

    fn dataset(&mut self, folder: &Path, input: &DatasetInput) -> Result<()> {
        let one = &input.dataset;
        let meta = Meta::default()
            .text("digest", &one.digest)
            .text("name", &one.name)
            .option_text("profile", one.profile.as_deref())
            .option_text("schema", one.schema.as_deref())
            .text("source", &one.source)
            .text("source_type", &one.source_type);
        self.write(&folder.join(META), meta.into_bytes())
    }

    fn logged_model(&mut self, whole: &WholeModel) -> Result<()> {
        let model = &whole.model;
        let folder = self.folder(model.experiment_id)?.join("models").join(&model.id);
        let what = format!("logged model `{}`", model.id);
        let status = match model.status {
            ModelStatus::Pending => 1,
            ModelStatus::Ready => 2,
            ModelStatus::Failed => 3,
        };
        let place = format!("models/{}/artifacts", model.id);
        let mut meta = Meta::default()
            .text("artifact_location", &self.uri(&model.artifact_uri, model.experiment_id, &place))
            .number("creation_timestamp", model.created_at)
            .text("experiment_id", &model.experiment_id.to_string())
            .number("last_updated_timestamp", model.updated_at)
            .text("model_id", &model.id)
            .option_text("model_type", model.model_type.as_deref())
            .text("name", &model.name)
            .option_text("source_run_id", model.source_run_id.as_deref())
            .number("status", status)
            .option_text("status_message", None);
        if whole.deleted_at.is_some() {
            meta = meta.text("lifecycle_stage", "deleted");
        }
        self.write(&folder.join(META), meta.into_bytes())?;
        self.pairs(&folder.join("params"), &model.params, &what)?;
        self.pairs(&folder.join("tags"), &model.tags, &what)?;
        let mut curves: BTreeMap<&str, String> = BTreeMap::new();
        for metric in &model.metrics {
            let line = curves.entry(&metric.key).or_default();
            let value = text::number(metric.value);
            let _ = write!(line, "{} {value} {} {}", metric.at_ms, metric.step, metric.run_id);
            if let (Some(name), Some(digest)) = (&metric.dataset_name, &metric.dataset_digest) {
                let _ = write!(line, " {name} {digest}");
            }
            line.push('\n');
        }
        for (key, text) in curves {
            self.keyed(&folder.join("metrics"), key, text, &what)?;
        }
        self.files(&folder.join("artifacts"), &whole.files)?;
        self.report.count(What::LoggedModels, Fate::Added, 1);
        self.report.count(What::Files, Fate::Added, whole.files.len());
        Ok(())
    }

    fn stays_elsewhere(&mut self, what: &str, uri: &str) {
        self.report.note(NoteKind::Elsewhere, format!("files of {what}"), format!("they stay at `{uri}`"));
        self.report.count(What::Elsewhere, Fate::Skipped, 1);
    }

    /// A file for each name, with its text.
    fn pairs(&mut self, folder: &Path, pairs: &[Pair], what: &str) -> Result<()> {
        pairs.iter().try_for_each(|(key, value)| self.keyed(folder, key, value.clone(), what))
    }

    /// A file with the name of a parameter, tag or curve. A name that is no path, or is also a folder
    /// of others, has no place in a folder of files.
    fn keyed(&mut self, folder: &Path, key: &str, text: String, what: &str) -> Result<()> {
        let path = self.draft.join(folder).join(key);
        let is_free = artifacts::is_plain(key) && !path.exists() && {
            let mut above = path.ancestors().skip(1).take(key.split('/').count() - 1);
            !above.any(Path::is_file)
        };
        if !is_free {
            let why = "a folder of files has no place for this name";
            self.report.note(NoteKind::Skipped, format!("`{}` of {what}", key.escape_debug()), why);
            return Ok(());
        }
        self.write(&folder.join(key), text.into_bytes())
    }

    fn write(&self, path: &Path, bytes: Vec<u8>) -> Result<()> {
        let path = self.draft.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
        }
        fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))
    }

    fn files(&self, folder: &Path, files: &[(String, StoredFile)]) -> Result<()> {
        for (path, file) in files {
            self.progress.step("writing files", 0, None)?;
            let path = self.draft.join(folder).join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
            }
            self.engine.store().objects().get_file(&file.digest, &path)?;
        }
        Ok(())
    }

    /// Where something will be, as the files name it.
    fn named(&self, path: &Path) -> String {
        self.to.join(path).to_string_lossy().into_owned()
    }

    /// The URI of files that go out, or the one they have with somebody else.
    fn uri(&self, uri: &str, experiment_id: i64, place: &str) -> String {
        match artifacts::path_of(uri) {
            Some(_) => {
                let folder = self.folders.get(&experiment_id).cloned().unwrap_or_default();
                self.named(&folder.join(place))
            }
            None => uri.to_owned(),
        }
    }
}

fn stage(is_deleted: bool) -> &'static str {
    if is_deleted { "deleted" } else { "active" }
}

/// MLflow's number for its word.
fn status(word: &str) -> i64 {
    let words = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
    words.iter().position(|one| *one == word).map_or(1, |at| at as i64 + 1)
}

fn lines(points: &[Point]) -> String {
    let mut text = String::with_capacity(points.len() * 32);
    for point in points {
        let _ = writeln!(text, "{} {} {}", point.at_ms, text::number(point.value), point.step);
    }
    text
}
