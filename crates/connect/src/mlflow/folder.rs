//! The folder `mlruns`: a folder for each experiment and in it one for each run, with `meta.yaml` and a
//! file for each parameter, tag and curve. Links are not followed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base::{Error, Result};

use super::yaml::{self, Document};
use super::{
    DELETED_STAGE, Dataset, Experiment, LoggedModel, MOST_POINTS, ModelMetric, Pair, Point, RegisteredModel,
    Run, RunKey, Trouble, Version, left_out, logged_model_of,
};

const META: &str = "meta.yaml";
const TRASH: &str = ".trash";
/// Folders beside those of runs in that of an experiment.
const RESERVED: [&str; 5] = ["tags", "datasets", "traces", "models", TRASH];
/// The largest text of a parameter or tag.
const MOST_TEXT_BYTES: u64 = 16 << 20;
/// Folders in the name of a parameter, tag or curve.
const DEEPEST: usize = 32;

/// An open folder.
pub(super) struct Folder {
    root: PathBuf,
    /// The folders of its experiments.
    experiments: BTreeMap<i64, PathBuf>,
}

/// True for a folder with an experiment or a registered model of MLflow in it.
pub(super) fn is_one(path: &Path) -> bool {
    let has_meta = |dir: &PathBuf| dir.join(META).is_file();
    !numbered(path).is_empty() && numbered(path).values().any(has_meta)
        || !numbered(&path.join(TRASH)).is_empty()
        || folders(&path.join("models")).iter().any(|name| has_meta(&path.join("models").join(name)))
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Self> {
        fs::read_dir(root).map_err(|e| Error::io("read", root, &e))?;
        let mut experiments = numbered(&root.join(TRASH));
        experiments.extend(numbered(root));
        Ok(Self { root: root.to_owned(), experiments })
    }

    pub(super) fn title(&self) -> String {
        "folder of MLflow".to_owned()
    }

    pub(super) fn experiments(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<Experiment>> {
        let mut found = Vec::new();
        for (id, dir) in &self.experiments {
            let what = format!("experiment {id}");
            let meta = match yaml::read(&dir.join(META)) {
                Ok(meta) => meta,
                Err(error) => {
                    troubles.push(Trouble::new(what, error.to_string()));
                    continue;
                }
            };
            found.push(Experiment {
                id: *id,
                name: meta.text("name").unwrap_or_else(|| format!("experiment_{id}")),
                artifact_location: meta.text("artifact_location").unwrap_or_default(),
                created_at: meta.number("creation_time"),
                updated_at: meta.number("last_update_time"),
                is_deleted: is_deleted(&meta),
                tags: texts(&dir.join("tags"), &what, troubles)?,
            });
        }
        Ok(found)
    }

    pub(super) fn runs(&self) -> Result<Vec<RunKey>> {
        let mut keys = Vec::new();
        for (id, dir) in &self.experiments {
            let runs = folders(dir).into_iter().filter(|name| !RESERVED.contains(&name.as_str()));
            let runs = runs.filter(|name| dir.join(name).join(META).exists());
            keys.extend(runs.map(|run| RunKey { experiment_id: *id, id: run }));
        }
        Ok(keys)
    }

    fn dir(&self, experiment_id: i64) -> Result<&PathBuf> {
        let dir = self.experiments.get(&experiment_id);
        dir.ok_or_else(|| Error::not_found(format!("there is no experiment {experiment_id}")))
    }

    pub(super) fn run(&self, key: &RunKey, troubles: &mut Vec<Trouble>) -> Result<Run> {
        let experiment = self.dir(key.experiment_id)?;
        let (dir, what) = (experiment.join(&key.id), format!("run `{}`", key.id.escape_debug()));
        let meta = yaml::read(&dir.join(META))?;
        if let Some(id) = meta.text("run_id").or_else(|| meta.text("run_uuid")).filter(|id| *id != key.id) {
            return Err(Error::invalid(format!("its `{META}` is that of the run `{}`", id.escape_debug())));
        }
        let (datasets, models_in) = inputs(experiment, &dir, &what, troubles);
        Ok(Run {
            id: key.id.clone(),
            experiment_id: key.experiment_id,
            name: meta.text("run_name").or_else(|| meta.text("name")).unwrap_or_default(),
            user_id: meta.text("user_id").unwrap_or_default(),
            status: status(&meta),
            started_at: meta.number("start_time").unwrap_or(0),
            ended_at: meta.number("end_time"),
            is_deleted: is_deleted(&meta),
            deleted_at: meta.number("deleted_time"),
            artifact_uri: meta.text("artifact_uri").unwrap_or_default(),
            params: texts(&dir.join("params"), &what, troubles)?,
            tags: texts(&dir.join("tags"), &what, troubles)?,
            curves: curves(&dir.join("metrics"), &what, troubles)?,
            datasets,
            models_in,
            models_out: outputs(&dir, &what, troubles),
        })
    }

    pub(super) fn logged_models(&self) -> Result<Vec<RunKey>> {
        let mut keys = Vec::new();
        for (id, dir) in &self.experiments {
            let models = folders(&dir.join("models")).into_iter();
            keys.extend(models.map(|model| RunKey { experiment_id: *id, id: model }));
        }
        Ok(keys)
    }

    pub(super) fn logged_model(&self, key: &RunKey, troubles: &mut Vec<Trouble>) -> Result<LoggedModel> {
        let dir = self.dir(key.experiment_id)?.join("models").join(&key.id);
        let (meta, what) =
            (yaml::read(&dir.join(META))?, format!("logged model `{}`", key.id.escape_debug()));
        let word = meta.text("status").unwrap_or_default();
        let status = match word.as_str() {
            "READY" => 2,
            "FAILED" => 3,
            _ => word.parse().unwrap_or(1),
        };
        Ok(LoggedModel {
            id: key.id.clone(),
            experiment_id: key.experiment_id,
            name: meta.text("name").unwrap_or_default(),
            model_type: meta.text("model_type"),
            source_run_id: meta.text("source_run_id"),
            status,
            artifact_uri: meta.text("artifact_location").unwrap_or_default(),
            created_at: meta.number("creation_timestamp").unwrap_or(0),
            updated_at: meta.number("last_updated_timestamp").unwrap_or(0),
            is_deleted: is_deleted(&meta),
            params: texts(&dir.join("params"), &what, troubles)?,
            tags: texts(&dir.join("tags"), &what, troubles)?,
            metrics: model_metrics(&dir.join("metrics"), &what, troubles)?,
        })
    }

    pub(super) fn registered_models(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<RegisteredModel>> {
        let root = self.root.join("models");
        let mut found = Vec::new();
        for folder in folders(&root) {
            let (dir, what) = (root.join(&folder), format!("model `{}`", folder.escape_debug()));
            let meta = match yaml::read(&dir.join(META)) {
                Ok(meta) => meta,
                Err(error) => {
                    troubles.push(Trouble::new(what, error.to_string()));
                    continue;
                }
            };
            found.push(RegisteredModel {
                name: meta.text("name").unwrap_or(folder),
                created_at: meta.number("creation_timestamp"),
                updated_at: meta.number("last_updated_timestamp"),
                note: meta.text("description").unwrap_or_default(),
                tags: texts(&dir.join("tags"), &what, troubles)?,
                aliases: aliases(&dir.join("aliases"), &what, troubles)?,
                versions: versions(&dir, &what, troubles)?,
                last_number: numbers(&dir).into_iter().max().unwrap_or(0),
            });
        }
        Ok(found)
    }

    pub(super) fn not_taken(&self) -> Vec<Trouble> {
        let traces = self.experiments.values().map(|dir| folders(&dir.join("traces")).len() as u64);
        let count: u64 = traces.sum();
        (count > 0).then(|| left_out(count, "traces")).into_iter().collect()
    }
}

/// The folders whose name is a number.
fn numbered(path: &Path) -> BTreeMap<i64, PathBuf> {
    folders(path).into_iter().filter_map(|name| Some((name.parse().ok()?, path.join(name)))).collect()
}

/// The names of the folders in a folder, in order; none where there is no folder. Links are none.
fn folders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<_> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

fn is_deleted(meta: &Document) -> bool {
    meta.text("lifecycle_stage").as_deref() == Some("deleted")
}

/// The word for how far a run is, of which the file has the number.
fn status(meta: &Document) -> String {
    let word = meta.text("status").unwrap_or_default();
    let words = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
    match word.parse::<usize>() {
        Ok(number) => words.get(number.wrapping_sub(1)).unwrap_or(&"RUNNING").to_string(),
        Err(_) if word.is_empty() => words[0].to_owned(),
        Err(_) => word,
    }
}

/// Every file below a folder with its name from there, `/` between folders, in order. What is neither
/// file nor folder is named.
fn walk(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut waiting = vec![(dir.to_owned(), String::new(), 0)];
    while let Some((dir, prefix, depth)) = waiting.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io("read", &dir, &e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("read", &dir, &e))?;
            let kind = entry.file_type().map_err(|e| Error::io("read", &entry.path(), &e))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_file() && entry.file_name().to_str().is_some() {
                found.push((name, entry.path()));
            } else if kind.is_dir() && depth < DEEPEST {
                waiting.push((entry.path(), format!("{name}/"), depth + 1));
            } else {
                let why = format!(
                    "`{}` is a link, too deep, or has a name that is no text",
                    entry.path().display()
                );
                troubles.push(Trouble::new(what, why));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The text of a file; what cannot be a text is named.
fn text(path: &Path, limit: u64, what: &str, troubles: &mut Vec<Trouble>) -> Result<Option<String>> {
    let size = fs::symlink_metadata(path).map_err(|e| Error::io("read", path, &e))?.len();
    if size > limit {
        let why = format!("`{}` is larger than {}", path.display(), base::bytes(limit));
        troubles.push(Trouble::new(what, why));
        return Ok(None);
    }
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, &e))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => {
            troubles.push(Trouble::new(what, format!("`{}` is not UTF-8", path.display())));
            Ok(None)
        }
    }
}

/// Parameters or tags: a file each.
fn texts(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (key, path) in walk(dir, what, troubles)? {
        pairs.extend(text(&path, MOST_TEXT_BYTES, what, troubles)?.map(|text| (key, text)));
    }
    Ok(pairs)
}

/// The lines of each curve, by key.
fn lines(
    dir: &Path,
    what: &str,
    troubles: &mut Vec<Trouble>,
    mut take: impl FnMut(&str, &str) -> Option<()>,
) -> Result<()> {
    let mut count = 0;
    for (key, path) in walk(dir, what, troubles)? {
        // A line has at most some eighty characters.
        let Some(text) = text(&path, MOST_POINTS as u64 * 80, what, troubles)? else { continue };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            if take(&key, line).is_none() {
                let why = format!("line {} of `{}` is no point: it is left out", at + 1, path.display());
                troubles.push(Trouble::new(what, why));
            }
            count += 1;
            if count > MOST_POINTS {
                return Err(Error::invalid(format!("it has more than {MOST_POINTS} points")));
            }
        }
    }
    Ok(())
}

/// `time value step`; before MLflow 1 without a step.
fn curves(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<BTreeMap<String, Vec<Point>>> {
    let mut curves: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    lines(dir, what, troubles, |key, line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let step = words.get(2).map_or(Some(0), |step| step.parse().ok())?;
        let point = Point::kept(words.get(1)?.parse().ok()?, step, words.first()?.parse().ok()?);
        curves.entry(key.to_owned()).or_default().push(point);
        Some(())
    })?;
    Ok(curves)
}

/// `time value step run` and, where it is known, the name and the digest of a dataset.
fn model_metrics(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<Vec<ModelMetric>> {
    let mut metrics = Vec::new();
    lines(dir, what, troubles, |key, line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let point = Point::kept(
            words.get(1)?.parse().ok()?,
            words.get(2)?.parse().ok()?,
            words.first()?.parse().ok()?,
        );
        metrics.push(ModelMetric {
            key: key.to_owned(),
            point,
            run_id: (*words.get(3)?).to_owned(),
            dataset_name: words.get(4).map(|name| (*name).to_owned()),
            dataset_digest: words.get(5).map(|digest| (*digest).to_owned()),
        });
        Some(())
    })?;
    Ok(metrics)
}

/// Datasets and models that went into a run; a dataset is described in the folder of its experiment.
fn inputs(
    experiment: &Path,
    dir: &Path,
    what: &str,
    troubles: &mut Vec<Trouble>,
) -> (Vec<Dataset>, Vec<String>) {
    let (mut datasets, mut models) = (Vec::new(), Vec::new());
    for folder in folders(&dir.join("inputs")) {
        let mut read = || -> Result<()> {
            let meta = yaml::read(&dir.join("inputs").join(&folder).join(META))?;
            let source = meta.text("source_id").unwrap_or_default();
            if meta.text("source_type").as_deref().unwrap_or("DATASET") != "DATASET" {
                models.push(source);
                return Ok(());
            }
            if source.is_empty() || source.contains(['/', '\\']) || source.contains("..") {
                return Err(Error::invalid(format!("`{}` names no dataset", source.escape_debug())));
            }
            let dataset = yaml::read(&experiment.join("datasets").join(source).join(META))?;
            datasets.push(Dataset {
                name: dataset.text("name").unwrap_or_default(),
                digest: dataset.text("digest").unwrap_or_default(),
                source_type: dataset.text("source_type").unwrap_or_default(),
                source: dataset.text("source").unwrap_or_default(),
                schema: dataset.text("schema"),
                profile: dataset.text("profile"),
                tags: meta.pairs("tags"),
            });
            Ok(())
        };
        if let Err(error) = read() {
            troubles.push(Trouble::new(format!("an input of {what}"), error.to_string()));
        }
    }
    datasets.sort_by(|one, other| (&one.name, &one.digest).cmp(&(&other.name, &other.digest)));
    (datasets, models)
}

/// The models that came out of a run.
fn outputs(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for model in folders(&dir.join("outputs")) {
        match yaml::read(&dir.join("outputs").join(&model).join(META)) {
            Ok(meta) => found.push((model, meta.number("step").unwrap_or(0))),
            Err(error) => troubles.push(Trouble::new(format!("an output of {what}"), error.to_string())),
        }
    }
    found
}

fn aliases(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for (alias, number) in texts(dir, what, troubles)? {
        match number.trim().parse() {
            Ok(number) => found.push((alias, number)),
            Err(_) => {
                troubles.push(Trouble::new(format!("alias `{alias}` of {what}"), "it points to no version"))
            }
        }
    }
    Ok(found)
}

/// The numbers of all versions, also of those that were deleted.
fn numbers(dir: &Path) -> Vec<u32> {
    folders(dir).iter().filter_map(|name| name.strip_prefix("version-")?.parse().ok()).collect()
}

fn versions(dir: &Path, what: &str, troubles: &mut Vec<Trouble>) -> Result<Vec<Version>> {
    let mut found = Vec::new();
    for folder in folders(dir) {
        let Some(number) = folder.strip_prefix("version-") else { continue };
        let dir = dir.join(&folder);
        let read = number.parse().map_err(|_| Error::invalid("its number is none"));
        let (number, meta) = match read.and_then(|number| Ok((number, yaml::read(&dir.join(META))?))) {
            Ok(read) => read,
            Err(error) => {
                troubles.push(Trouble::new(
                    format!("version {} of {what}", number.escape_debug()),
                    error.to_string(),
                ));
                continue;
            }
        };
        let stage = meta.text("current_stage").unwrap_or_else(|| "None".to_owned());
        if stage == DELETED_STAGE {
            continue;
        }
        let source = meta.text("source").unwrap_or_default();
        found.push(Version {
            number,
            created_at: meta.number("creation_timestamp"),
            updated_at: meta.number("last_updated_timestamp"),
            note: meta.text("description").unwrap_or_default(),
            user_id: meta.text("user_id").unwrap_or_default(),
            stage,
            logged_model_id: meta.text("model_id").or_else(|| logged_model_of(&source)),
            source,
            storage: meta.text("storage_location"),
            run_id: meta.text("run_id").unwrap_or_default(),
            run_link: meta.text("run_link").unwrap_or_default(),
            tags: texts(&dir.join("tags"), what, troubles)?,
        });
    }
    found.sort_by_key(|version| version.number);
    Ok(found)
}
