//! The trash: what was deleted and can come back, until it is emptied.

use base::{Code, DatasetId, Error, ModelId, Result, RunId, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::json;

use crate::audit::Action;
use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::store::Store;
use crate::tracking::{FILES_OF_RUN, script_runs};
use crate::{datasets, files, names, sql};

/// What can be deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A dataset with all its versions.
    Dataset(DatasetId),
    /// One version of a dataset.
    Version(VersionId),
    /// A run.
    Run(RunId),
    /// A model with all its versions.
    Model(ModelId),
}

/// Something in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// What it is.
    pub item: Item,
    /// Its name.
    pub name: String,
    /// When it was deleted.
    pub at: Timestamp,
    /// What emptying frees at most; what others share stays.
    pub bytes: u64,
}

impl Item {
    fn table(&self) -> &'static str {
        match self {
            Self::Dataset(_) => "datasets",
            Self::Version(_) => "dataset_versions",
            Self::Run(_) => "runs",
            Self::Model(_) => "models",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Dataset(_) => "dataset",
            Self::Version(_) => "dataset version",
            Self::Run(_) => "run",
            Self::Model(_) => "model",
        }
    }

    fn topic(&self) -> Topic {
        match self {
            Self::Dataset(_) | Self::Version(_) => Topic::Datasets,
            Self::Run(_) => Topic::Runs,
            Self::Model(_) => Topic::Models,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Dataset(id) => id.as_str(),
            Self::Version(id) => id.as_str(),
            Self::Run(id) => id.as_str(),
            Self::Model(id) => id.as_str(),
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(match row.get::<_, String>("kind")?.as_str() {
            "dataset" => Self::Dataset(sql::parsed(row, "id")?),
            "version" => Self::Version(sql::parsed(row, "id")?),
            "run" => Self::Run(sql::parsed(row, "id")?),
            _ => Self::Model(sql::parsed(row, "id")?),
        })
    }
}

/// Moves something to the trash. Its name is free at once.
///
/// # Errors
/// `NotFound`; `Conflict` for a run that has not ended, a model that is deployed, and a version that
/// has a tag.
pub fn put(w: &mut Write<'_>, item: &Item) -> Result<()> {
    let busy: bool = match item {
        Item::Dataset(_) => false,
        Item::Version(id) => sql::value(
            w,
            "select exists (select 1 from dataset_tags t
                join dataset_versions v on v.dataset_id = t.dataset_id and v.number = t.number
                where v.id = ?1)",
            [id.as_str()],
        )?,
        Item::Run(id) => sql::value(
            w,
            "select exists (select 1 from runs where id = ?1 and state in ('queued', 'running')
                and id not in (select run_id from script_runs))",
            [id.as_str()],
        )?,
        Item::Model(id) => sql::value(
            w,
            "select exists (select 1 from deployments
                where model_id = ?1 and state not in ('stopped', 'deleted'))",
            [id.as_str()],
        )?,
    };
    if busy {
        return Err(Error::new(Code::Conflict, format!("the {} is in use", item.word()))
            .hint("stop the run or the deployment first, or move the tag"));
    }
    let now = w.now().as_ms();
    set_trashed(w, item, Some(now))
}

/// Takes something out of the trash.
///
/// # Errors
/// `NotFound`; `AlreadyExists` when its name was given to another since.
pub fn restore(w: &mut Write<'_>, item: &Item) -> Result<()> {
    set_trashed(w, item, None).map_err(|error| match error.code {
        Code::Conflict => {
            Error::new(Code::AlreadyExists, format!("another {} has this name now", item.word()))
                .hint("rename that one first")
        }
        _ => error,
    })
}

fn set_trashed(w: &mut Write<'_>, item: &Item, at_ms: Option<i64>) -> Result<()> {
    let query = format!("update {} set trashed_at = ?2 where id = ?1", item.table());
    if sql::change(w, &query, (item.id(), at_ms))? == 0 {
        return Err(names::unknown(item.word(), item.id()));
    }
    w.touch(item.topic());
    if let Item::Run(id) = item
        && script_runs::find(w, id)?.is_some()
    {
        // It is told whole once it rests.
        return w.unsettle_as("run", id.as_str());
    }
    w.publish(Publication::new("trash", item.id()).rows(item.table(), "id = ?1", &[item.id()]));
    Ok(())
}

/// What is in the trash, the last deleted first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection) -> Result<Vec<Trashed>> {
    let query = "
        select 'dataset' as kind, id, name, trashed_at,
                (select coalesce(sum(content_bytes), 0) from dataset_versions
                    where dataset_id = datasets.id and trashed_at is null) as bytes
            from datasets where trashed_at is not null
        union all
        select 'version', v.id, d.name || ' version ' || v.number, v.trashed_at, v.content_bytes
            from dataset_versions v join datasets d on d.id = v.dataset_id where v.trashed_at is not null
        union all
        select 'run', id, iif(name = '', pipeline || ' ' || number, name), trashed_at,
                (select coalesce(sum(size_bytes), 0) from artifacts, script_runs s where s.run_id = runs.id
                    and path > substr(s.artifact_uri, 19) || '/' and path < substr(s.artifact_uri, 19) || '0')
            from runs where trashed_at is not null
        union all
        select 'model', id, name, trashed_at,
                (select coalesce(sum(package_bytes), 0) from model_versions where model_id = models.id)
            from models where trashed_at is not null
        order by trashed_at desc, kind, id";
    sql::many(db, query, [], |row| {
        Ok(Trashed {
            item: Item::read(row)?,
            name: row.get("name")?,
            at: sql::time(row, "trashed_at")?,
            bytes: row.get("bytes")?,
        })
    })
}

impl Store {
    /// Deletes for good what is in the trash, with the folders of its runs. What something else
    /// still stands on stays, and is given back. Freeing the bytes of objects is the work of
    /// [`Store::collect_garbage`].
    ///
    /// # Errors
    /// When the workspace cannot be written.
    pub fn empty_trash(&self) -> Result<Vec<Trashed>> {
        let (deleted, kept) = self.write(Action::new("trash.empty", "trash"), delete_all)?;
        for trashed in deleted {
            if let Item::Run(id) = trashed.item {
                files::remove(&self.run_dir(&id))?;
            }
        }
        Ok(kept)
    }
}

/// What was deleted, and what had to stay.
fn delete_all(w: &mut Write<'_>) -> Result<(Vec<Trashed>, Vec<Trashed>)> {
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    // Models first: they stand on runs, and runs on versions of datasets.
    let mut trashed = list(w)?;
    trashed.sort_by(|one, other| other.item.cmp(&one.item));
    for trashed in trashed {
        let is_free: bool = sql::value(w, free(&trashed.item), [trashed.item.id()])?;
        if is_free {
            delete(w, &trashed.item)?;
            deleted.push(trashed);
        } else {
            kept.push(trashed);
        }
    }
    w.detail("deleted", deleted.len());
    Ok((deleted, kept))
}

/// Whether nothing stands on an item.
fn free(item: &Item) -> &'static str {
    match item {
        Item::Dataset(_) => {
            "select not exists (
                select 1 from dataset_versions v where v.dataset_id = ?1 and (
                    exists (select 1 from run_datasets where version_id = v.id)
                    or exists (select 1 from model_versions where dataset_version_id = v.id)))"
        }
        Item::Version(_) => {
            "select not exists (select 1 from run_datasets where version_id = ?1)
                and not exists (select 1 from model_versions where dataset_version_id = ?1)"
        }
        Item::Run(_) => "select not exists (select 1 from model_versions where run_id = ?1)",
        Item::Model(_) => "select not exists (select 1 from deployments where model_id = ?1)",
    }
}

fn delete(w: &mut Write<'_>, item: &Item) -> Result<()> {
    let versions = match item {
        // What was told of its tags has `id/tag` as its subject; `0` comes after `/`.
        Item::Dataset(_) => {
            "select id from dataset_versions where dataset_id = ?1
             union select subject from manifests where subject > ?1 || '/' and subject < ?1 || '0' order by 1"
        }
        Item::Version(_) => "select id from dataset_versions where id = ?1 order by id",
        // A run is told whole in its own manifest, but for the trials of a sweep: `id/number`.
        Item::Run(_) => {
            "select id from runs where id = ?1
             union select subject from manifests where subject > ?1 || '/' and subject < ?1 || '0' order by 1"
        }
        Item::Model(_) => {
            "select id from model_versions where model_id = ?1
             union select model_id || '/' || sequence from promotions where model_id = ?1
             union select version_id || '/' || sequence from model_tests
                where version_id in (select id from model_versions where model_id = ?1)
             union select version_id || '/' || sequence from approvals
                where version_id in (select id from model_versions where model_id = ?1) order by 1"
        }
    };
    let subjects = sql::many(w, versions, [item.id()], |row| row.get::<_, String>(0))?;
    if let Item::Model(id) = item {
        // An alias points to a version with no way to vanish by itself.
        sql::change(w, "delete from aliases where model_id = ?1", [id.as_str()])?;
    }
    let mut publication =
        Publication::new("deleted", item.id()).deleted(item.table(), json!({ "id": item.id() }));
    if let Item::Version(id) = item {
        // Its own manifest was the last to tell how many versions the dataset has had.
        let dataset_id = datasets::version(w, id)?.dataset_id;
        publication = publication.rows("datasets", "id = ?1", &[dataset_id.as_str()]);
    }
    if let Item::Run(id) = item {
        // Files have no row above them that would take them along.
        sql::change(w, &format!("delete from artifacts where {FILES_OF_RUN}"), [id.as_str()])?;
        sql::change(w, "delete from unsettled where subject = ?1", [id.as_str()])?;
    }
    sql::change(w, &format!("delete from {} where id = ?1", item.table()), [item.id()])?;
    w.touch(item.topic());
    for subject in subjects.iter().map(String::as_str).chain([item.id()]) {
        w.retire(subject)?;
    }
    w.publish(publication);
    Ok(())
}
