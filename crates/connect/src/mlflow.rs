//! Stores of MLflow 2 and 3 as they lie on a disk: the database `mlflow.db`, and the folder `mlruns`.
//! Both give the same records. What they hold is taken as it is; what cannot be read is named as a
//! [`Trouble`] and the rest goes on. Nothing is written, and no file outside of the store is opened.

mod database;
mod folder;
mod places;
mod schema;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Error, Result};

pub use places::{Place, Places};

use database::Database;
use folder::Folder;

/// A name and a text: a tag or a parameter.
pub type Pair = (String, String);

/// Something that could not be taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it is about, such as ``run `…` ``.
    pub what: String,
    /// Why, in a sentence without a period.
    pub why: String,
}

impl Trouble {
    /// A trouble.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// A folder of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where the files of its runs go.
    pub artifact_location: String,
    /// When it was made, ms since 1970.
    pub created_at: Option<i64>,
    /// When it last changed.
    pub updated_at: Option<i64>,
    /// True for one in the trash.
    pub is_deleted: bool,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
}

/// Names a run of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey {
    /// The experiment.
    pub experiment_id: i64,
    /// Its id.
    pub id: String,
}

/// A run with everything that was logged to it but its files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The experiment.
    pub experiment_id: i64,
    /// Its name; empty for none.
    pub name: String,
    /// Who began it.
    pub user_id: String,
    /// MLflow's word for how far it is, such as `FINISHED`.
    pub status: String,
    /// When it began, ms since 1970.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// True for one in the trash.
    pub is_deleted: bool,
    /// When it went there.
    pub deleted_at: Option<i64>,
    /// Where its files are.
    pub artifact_uri: String,
    /// Its parameters, by key.
    pub params: Vec<Pair>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Its curves, by key.
    pub curves: BTreeMap<String, Vec<Point>>,
    /// The datasets that went in.
    pub datasets: Vec<Dataset>,
    /// Ids of models that went in.
    pub models_in: Vec<String>,
    /// Ids of models that came out, with their steps.
    pub models_out: Vec<(String, i64)>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The value; NaN is NaN, and what is infinite the largest number, as MLflow's own database has it.
    pub value: f64,
    /// The step.
    pub step: i64,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// A dataset that went into a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its fingerprint.
    pub digest: String,
    /// What kind of place it comes from.
    pub source_type: String,
    /// Where it comes from.
    pub source: String,
    /// Its columns.
    pub schema: Option<String>,
    /// Figures about it.
    pub profile: Option<String>,
    /// What it was used for, and more.
    pub tags: Vec<Pair>,
}

/// A logged model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedModel {
    /// `m-` and 32 digits.
    pub id: String,
    /// The experiment.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// What kind of model it is.
    pub model_type: Option<String>,
    /// The run it came from.
    pub source_run_id: Option<String>,
    /// MLflow's number for how far its upload is: 1 pending, 2 ready, 3 failed.
    pub status: i64,
    /// Where its files are.
    pub artifact_uri: String,
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// True for one that was deleted.
    pub is_deleted: bool,
    /// Its parameters, by key.
    pub params: Vec<Pair>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// What was measured of it.
    pub metrics: Vec<ModelMetric>,
}

/// What was measured of a logged model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMetric {
    /// What is measured.
    pub key: String,
    /// The point.
    pub point: Point,
    /// The run that measured it.
    pub run_id: String,
    /// The dataset it was measured on.
    pub dataset_name: Option<String>,
    /// The fingerprint of that.
    pub dataset_digest: Option<String>,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisteredModel {
    /// Its name.
    pub name: String,
    /// When it was made, ms since 1970.
    pub created_at: Option<i64>,
    /// When it last changed.
    pub updated_at: Option<i64>,
    /// What somebody wrote about it.
    pub note: String,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Its aliases with the numbers they point to, by name.
    pub aliases: Vec<(String, u32)>,
    /// Its versions, by number, without those that were deleted.
    pub versions: Vec<Version>,
    /// The number of its newest version, also of a deleted one.
    pub last_number: u32,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// When it was registered, ms since 1970.
    pub created_at: Option<i64>,
    /// When it last changed.
    pub updated_at: Option<i64>,
    /// What somebody wrote about it.
    pub note: String,
    /// Who registered it.
    pub user_id: String,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub stage: String,
    /// What it was registered from.
    pub source: String,
    /// Where its files are, if that is not its source.
    pub storage: Option<String>,
    /// The run, as the script said.
    pub run_id: String,
    /// A link to that run.
    pub run_link: String,
    /// The logged model it points to.
    pub logged_model_id: Option<String>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
}

/// The stage of a version that was deleted: its row stays, so that its number is not given again.
const DELETED_STAGE: &str = "Deleted_Internal";
/// Points of one run. A hundred times what the longest trainings log.
const MOST_POINTS: usize = 20_000_000;

/// A store that is open.
pub struct Store {
    kind: Kind,
    /// Where it is: the folder, or the one that the database is in.
    home: PathBuf,
}

enum Kind {
    Database(Database),
    Folder(Folder),
}

impl Store {
    /// Opens a database, a folder `mlruns`, or a folder that either is in.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for what is neither, for a schema before MLflow 2 and for a
    /// damaged database; `unavailable` for one that a program has locked.
    pub fn open(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(|e| Error::io("read", path, &e))?;
        if !metadata.is_dir() {
            let home = path.parent().filter(|home| !home.as_os_str().is_empty());
            let home = home.unwrap_or(Path::new(".")).to_owned();
            return Ok(Self { kind: Kind::Database(Database::open(path)?), home });
        }
        if folder::is_one(path) {
            return Ok(Self { kind: Kind::Folder(Folder::open(path)?), home: path.to_owned() });
        }
        let (database, inner) = (path.join("mlflow.db"), path.join("mlruns"));
        if database.is_file() {
            return Ok(Self { kind: Kind::Database(Database::open(&database)?), home: path.to_owned() });
        }
        if folder::is_one(&inner) {
            return Ok(Self { kind: Kind::Folder(Folder::open(&inner)?), home: inner });
        }
        Err(Error::invalid(format!("there is no store of MLflow in `{}`", path.display()))
            .hint("choose an `mlflow.db`, or a folder `mlruns` with an experiment in it"))
    }

    /// What it is, for people.
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::Database(database) => database.title(),
            Kind::Folder(folder) => folder.title(),
        }
    }

    /// Where files of its runs may be: beside it, and in these folders.
    ///
    /// # Errors
    /// `not_found` for a folder that is not there.
    pub fn places(&self, more: &[PathBuf]) -> Result<Places> {
        Places::new(&self.home, more)
    }

    /// Its experiments, by number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn experiments(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<Experiment>> {
        match &self.kind {
            Kind::Database(database) => database.experiments(troubles),
            Kind::Folder(folder) => folder.experiments(troubles),
        }
    }

    /// Its runs, by experiment and id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn runs(&self) -> Result<Vec<RunKey>> {
        match &self.kind {
            Kind::Database(database) => database.runs(),
            Kind::Folder(folder) => folder.runs(),
        }
    }

    /// A run.
    ///
    /// # Errors
    /// `invalid_input` for one that cannot be read; `corrupt` when nothing more can be.
    pub fn run(&self, key: &RunKey, troubles: &mut Vec<Trouble>) -> Result<Run> {
        match &self.kind {
            Kind::Database(database) => database.run(key),
            Kind::Folder(folder) => folder.run(key, troubles),
        }
    }

    /// Its logged models, by experiment and id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn logged_models(&self) -> Result<Vec<RunKey>> {
        match &self.kind {
            Kind::Database(database) => database.logged_models(),
            Kind::Folder(folder) => folder.logged_models(),
        }
    }

    /// A logged model.
    ///
    /// # Errors
    /// `invalid_input` for one that cannot be read; `corrupt` when nothing more can be.
    pub fn logged_model(&self, key: &RunKey, troubles: &mut Vec<Trouble>) -> Result<LoggedModel> {
        match &self.kind {
            Kind::Database(database) => database.logged_model(key),
            Kind::Folder(folder) => folder.logged_model(key, troubles),
        }
    }

    /// Its registered models, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registered_models(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<RegisteredModel>> {
        match &self.kind {
            Kind::Database(database) => database.registered_models(troubles),
            Kind::Folder(folder) => folder.registered_models(troubles),
        }
    }

    /// What it holds that these records have no words for: traces, prompts' webhooks, and so on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn not_taken(&self) -> Result<Vec<Trouble>> {
        match &self.kind {
            Kind::Database(database) => database.not_taken(),
            Kind::Folder(folder) => Ok(folder.not_taken()),
        }
    }
}

impl Point {
    /// A point as MLflow's own database keeps it.
    fn kept(value: f64, step: i64, at_ms: i64) -> Self {
        let value = if value.is_infinite() { f64::MAX.copysign(value) } else { value };
        Self { value, step, at_ms }
    }
}

/// The logged model that a source names, if it names one.
fn logged_model_of(source: &str) -> Option<String> {
    source.strip_prefix("models:/").filter(|id| id.starts_with("m-")).map(str::to_owned)
}

/// What to say of traces and the like.
fn left_out(count: u64, what: &str) -> Trouble {
    Trouble::new(format!("{count} {what}"), "there is no place for these here; they stay where they are")
}

#[cfg(test)]
mod tests;
