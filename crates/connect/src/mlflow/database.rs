//! `mlflow.db`: SQLite with the tables of MLflow 2 or 3, read in one transaction so that a server
//! that goes on writing changes nothing of what is seen.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use base::{Code, Error, Result};
use rusqlite::types::FromSql;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Params, Row};

use super::{
    DELETED_STAGE, Dataset, Experiment, LoggedModel, MOST_POINTS, ModelMetric, Pair, Point, RegisteredModel,
    Run, RunKey, Trouble, Version, left_out, logged_model_of, schema,
};

/// How long to wait for a program that writes.
const BUSY: Duration = Duration::from_secs(5);
const MAGIC: &[u8] = b"SQLite format 3\0";

/// An open database.
pub(super) struct Database {
    db: Connection,
    path: String,
    revision: String,
    release: &'static str,
    /// What is there, as `table` and `table.column`.
    columns: HashSet<String>,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let no_database = |what: &str| {
            Error::invalid(format!("`{shown}` is {what}"))
                .hint("choose the `mlflow.db` that MLflow was told of as `sqlite:///mlflow.db`, or a folder `mlruns`")
        };
        let mut start = Vec::new();
        let file = std::fs::File::open(path).map_err(|e| Error::io("read", path, &e))?;
        file.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(|e| Error::io("read", path, &e))?;
        if start != MAGIC {
            return Err(no_database("no SQLite database"));
        }
        let failed = |error| failed(&shown, &error);
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(failed)?;
        configure(&db).map_err(failed)?;
        let columns = columns(&db).map_err(failed)?;
        if !columns.contains("alembic_version") || !columns.contains("runs") {
            return Err(no_database("a database, but not one of MLflow"));
        }
        let revision = db.query_row("select version_num from alembic_version limit 1", [], |row| row.get(0));
        let revision: String = revision.optional().map_err(failed)?.unwrap_or_default();
        let release = schema::release(&revision).map_err(|e| e.within(format!("cannot read `{shown}`")))?;
        for (table, needed) in schema::NEEDED {
            if let Some(missing) =
                needed.iter().find(|column| !columns.contains(&format!("{table}.{column}")))
            {
                return Err(Error::invalid(format!(
                    "`{shown}` has no column `{missing}` in `{table}`: its schema `{}` is not one of MLflow 2 or 3",
                    revision.escape_debug()
                ))
                .hint("a newer Fettle may know it"));
            }
        }
        Ok(Self { db, path: shown, revision, release, columns })
    }

    pub(super) fn title(&self) -> String {
        format!("database of {}, schema `{}`", self.release, self.revision.escape_debug())
    }

    fn has(&self, what: &str) -> bool {
        self.columns.contains(what)
    }

    fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let rows = || -> rusqlite::Result<Vec<T>> {
            self.db.prepare_cached(sql)?.query_map(params, read)?.collect()
        };
        rows().map_err(|error| failed(&self.path, &error))
    }

    /// Names and texts, by name; a text that is not there is empty.
    fn pairs(&self, sql: &str, params: impl Params) -> Result<Vec<Pair>> {
        self.many(sql, params, |row| Ok((row.get(0)?, text(row, 1)?)))
    }

    pub(super) fn experiments(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<Experiment>> {
        let workspace = if self.has("experiments.workspace") { "workspace" } else { "'default'" };
        let query = format!(
            "select experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time,
                {workspace} from experiments order by experiment_id"
        );
        let mut found = self.many(&query, [], |row| {
            let (name, workspace) = (row.get::<_, String>(1)?, text(row, 6)?);
            let experiment = Experiment {
                id: row.get(0)?,
                name: in_workspace(&workspace, '/', name),
                artifact_location: text(row, 2)?,
                is_deleted: text(row, 3)? == "deleted",
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
                tags: Vec::new(),
            };
            Ok((experiment, workspace))
        })?;
        for (experiment, workspace) in &mut found {
            let query = "select key, value from experiment_tags where experiment_id = ?1 order by key";
            experiment.tags = self.pairs(query, [experiment.id])?;
            if workspace != "default" {
                let why = format!(
                    "it is in the workspace `{workspace}` of MLflow, which becomes a part of its name"
                );
                troubles.push(Trouble::new(format!("experiment `{}`", experiment.name), why));
            }
        }
        Ok(found.into_iter().map(|(experiment, _)| experiment).collect())
    }

    pub(super) fn runs(&self) -> Result<Vec<RunKey>> {
        let query = "select experiment_id, run_uuid from runs order by experiment_id, run_uuid";
        self.many(query, [], |row| Ok(RunKey { experiment_id: row.get(0)?, id: row.get(1)? }))
    }

    pub(super) fn run(&self, key: &RunKey) -> Result<Run> {
        let query =
            "select name, user_id, status, start_time, end_time, lifecycle_stage, deleted_time, artifact_uri
                     from runs where run_uuid = ?1";
        let id = key.id.as_str();
        let mut found = self.many(query, [id], |row| {
            Ok(Run {
                id: id.to_owned(),
                experiment_id: key.experiment_id,
                name: text(row, 0)?,
                user_id: text(row, 1)?,
                status: text(row, 2)?,
                started_at: or_default(row, 3)?,
                ended_at: row.get(4)?,
                is_deleted: text(row, 5)? == "deleted",
                deleted_at: row.get(6)?,
                artifact_uri: text(row, 7)?,
                ..Run::default()
            })
        })?;
        let mut run = found.pop().ok_or_else(|| Error::not_found(format!("there is no run `{id}`")))?;
        run.params = self.pairs("select key, value from params where run_uuid = ?1 order by key", [id])?;
        run.tags = self.pairs("select key, value from tags where run_uuid = ?1 order by key", [id])?;
        run.curves = self.curves(id)?;
        if self.has("inputs.destination_id") && self.has("datasets.dataset_uuid") {
            run.datasets = self.datasets(id)?;
        }
        if self.has("logged_models") && self.has("inputs.step") {
            let query = "select destination_id, step from inputs where source_type = ?1 and source_id = ?2
                         and destination_type = ?3 order by destination_id, step";
            let linked = |from: &str, to: &str| {
                self.many(query, (from, id, to), |row| Ok((row.get::<_, String>(0)?, or_default(row, 1)?)))
            };
            run.models_in =
                linked("RUN_INPUT", "MODEL_INPUT")?.into_iter().map(|(id, _): (_, i64)| id).collect();
            run.models_out = linked("RUN_OUTPUT", "MODEL_OUTPUT")?;
        }
        Ok(run)
    }

    fn curves(&self, id: &str) -> Result<BTreeMap<String, Vec<Point>>> {
        let mut curves: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        let mut count = 0;
        let mut collect = || -> rusqlite::Result<()> {
            let mut statement = self.db.prepare_cached(
                "select key, value, step, timestamp, is_nan from metrics where run_uuid = ?1
                 order by key, step, timestamp, value",
            )?;
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                let key: String = row.get(0)?;
                let value: Option<f64> = row.get(1)?;
                let is_nan: bool = or_default(row, 4)?;
                let value = value.filter(|_| !is_nan).unwrap_or(f64::NAN);
                curves.entry(key).or_default().push(Point::kept(
                    value,
                    or_default(row, 2)?,
                    or_default(row, 3)?,
                ));
                count += 1;
                if count > MOST_POINTS {
                    break;
                }
            }
            Ok(())
        };
        collect().map_err(|error| failed(&self.path, &error))?;
        if count > MOST_POINTS {
            return Err(Error::invalid(format!("it has more than {MOST_POINTS} points")));
        }
        Ok(curves)
    }

    fn datasets(&self, id: &str) -> Result<Vec<Dataset>> {
        let query = "select d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,
                d.dataset_profile, i.input_uuid
             from inputs i join datasets d on d.dataset_uuid = i.source_id
             where i.source_type = 'DATASET' and i.destination_type = 'RUN' and i.destination_id = ?1
             order by d.name, d.digest";
        let found = self.many(query, [id], |row| {
            let dataset = Dataset {
                name: row.get(0)?,
                digest: row.get(1)?,
                source_type: text(row, 2)?,
                source: text(row, 3)?,
                schema: row.get(4)?,
                profile: row.get(5)?,
                tags: Vec::new(),
            };
            Ok((dataset, row.get::<_, String>(6)?))
        })?;
        let query = "select name, value from input_tags where input_uuid = ?1 order by name";
        let tagged = |(mut dataset, input): (Dataset, String)| {
            dataset.tags = self.pairs(query, [input])?;
            Ok(dataset)
        };
        found.into_iter().map(tagged).collect()
    }

    pub(super) fn logged_models(&self) -> Result<Vec<RunKey>> {
        if !self.has("logged_models") {
            return Ok(Vec::new());
        }
        let query = "select experiment_id, model_id from logged_models order by experiment_id, model_id";
        self.many(query, [], |row| Ok(RunKey { experiment_id: row.get(0)?, id: row.get(1)? }))
    }

    pub(super) fn logged_model(&self, key: &RunKey) -> Result<LoggedModel> {
        let id = key.id.as_str();
        let query =
            "select name, model_type, source_run_id, status, artifact_location, creation_timestamp_ms,
                last_updated_timestamp_ms, lifecycle_stage from logged_models where model_id = ?1";
        let mut found = self.many(query, [id], |row| {
            Ok(LoggedModel {
                id: id.to_owned(),
                experiment_id: key.experiment_id,
                name: text(row, 0)?,
                model_type: row.get(1)?,
                source_run_id: row.get(2)?,
                status: or_default(row, 3)?,
                artifact_uri: text(row, 4)?,
                created_at: or_default(row, 5)?,
                updated_at: or_default(row, 6)?,
                is_deleted: text(row, 7)? == "deleted",
                ..LoggedModel::default()
            })
        })?;
        let mut model =
            found.pop().ok_or_else(|| Error::not_found(format!("there is no logged model `{id}`")))?;
        let params = "select param_key, param_value from logged_model_params where model_id = ?1 order by 1";
        model.params = self.pairs(params, [id])?;
        let tags = "select tag_key, tag_value from logged_model_tags where model_id = ?1 order by 1";
        model.tags = self.pairs(tags, [id])?;
        let metrics =
            "select metric_name, metric_value, metric_step, metric_timestamp_ms, run_id, dataset_name,
                dataset_digest from logged_model_metrics where model_id = ?1
             order by metric_name, metric_timestamp_ms, metric_step, run_id";
        model.metrics = self.many(metrics, [id], |row| {
            let value = row.get::<_, Option<f64>>(1)?.unwrap_or(f64::NAN);
            Ok(ModelMetric {
                key: row.get(0)?,
                point: Point::kept(value, row.get(2)?, row.get(3)?),
                run_id: row.get(4)?,
                dataset_name: row.get(5)?,
                dataset_digest: row.get(6)?,
            })
        })?;
        Ok(model)
    }

    pub(super) fn registered_models(&self, troubles: &mut Vec<Trouble>) -> Result<Vec<RegisteredModel>> {
        let is_split = self.has("registered_models.workspace");
        let workspace = if is_split { "workspace" } else { "'default'" };
        let query = format!(
            "select name, creation_time, last_updated_time, description, {workspace} from registered_models
             order by name, 5"
        );
        let found = self.many(&query, [], |row| {
            let model = RegisteredModel {
                name: row.get(0)?,
                created_at: row.get(1)?,
                updated_at: row.get(2)?,
                note: text(row, 3)?,
                ..RegisteredModel::default()
            };
            Ok((model, text(row, 4)?))
        })?;
        let mut models = Vec::with_capacity(found.len());
        for (mut model, workspace) in found {
            let place = Place { name: &model.name.clone(), workspace: is_split.then_some(&workspace) };
            if self.has("registered_model_tags") {
                model.tags = self.pairs(
                    &place.query("select key, value from registered_model_tags", "key"),
                    place.params(),
                )?;
            }
            if self.has("registered_model_aliases") {
                let query = place.query("select alias, version from registered_model_aliases", "alias");
                model.aliases = self.many(&query, place.params(), |row| Ok((row.get(0)?, row.get(1)?)))?;
            }
            let query = place.query("select max(version) from model_versions", "1");
            let last = self.many(&query, place.params(), |row| or_default(row, 0))?;
            model.last_number = last.first().copied().unwrap_or(0);
            model.versions = self.versions(&place)?;
            if workspace != "default" {
                model.name = in_workspace(&workspace, '.', model.name);
                let why = format!(
                    "it is in the workspace `{workspace}` of MLflow, which becomes a part of its name"
                );
                troubles.push(Trouble::new(format!("model `{}`", model.name), why));
            }
            models.push(model);
        }
        Ok(models)
    }

    fn versions(&self, place: &Place<'_>) -> Result<Vec<Version>> {
        let storage = if self.has("model_versions.storage_location") { "storage_location" } else { "null" };
        let columns = format!(
            "select version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id,
                run_link, {storage} from model_versions"
        );
        let found = self.many(&place.query(&columns, "version"), place.params(), |row| {
            let source = text(row, 6)?;
            Ok(Version {
                number: row.get(0)?,
                created_at: row.get(1)?,
                updated_at: row.get(2)?,
                note: text(row, 3)?,
                user_id: text(row, 4)?,
                stage: text(row, 5)?,
                logged_model_id: logged_model_of(&source),
                source,
                run_id: text(row, 7)?,
                run_link: text(row, 8)?,
                storage: row.get(9)?,
                tags: Vec::new(),
            })
        })?;
        let query = place.query("select key, value, version from model_version_tags", "version, key");
        let mut tags: BTreeMap<u32, Vec<Pair>> = BTreeMap::new();
        for (number, tag) in
            self.many(&query, place.params(), |row| Ok((row.get(2)?, (row.get(0)?, text(row, 1)?))))?
        {
            tags.entry(number).or_default().push(tag);
        }
        let kept = found.into_iter().filter(|version| version.stage != DELETED_STAGE);
        Ok(kept.map(|one| Version { tags: tags.remove(&one.number).unwrap_or_default(), ..one }).collect())
    }

    pub(super) fn not_taken(&self) -> Result<Vec<Trouble>> {
        let mut found = Vec::new();
        for (table, what) in schema::NOT_TAKEN {
            if self.has(table) {
                let count =
                    self.many(&format!("select count(*) from {table}"), [], |row| row.get::<_, u64>(0))?;
                found.extend(count.first().filter(|count| **count > 0).map(|count| left_out(*count, what)));
            }
        }
        Ok(found)
    }
}

/// The rows of a registered model, which newer tables keep by workspace too.
struct Place<'a> {
    name: &'a str,
    workspace: Option<&'a String>,
}

impl Place<'_> {
    fn query(&self, select: &str, order: &str) -> String {
        let more = if self.workspace.is_some() { "and workspace = ?2" } else { "and ?2 = ''" };
        format!("{select} where name = ?1 {more} order by {order}")
    }

    fn params(&self) -> (&str, &str) {
        (self.name, self.workspace.map_or("", String::as_str))
    }
}

fn in_workspace(workspace: &str, between: char, name: String) -> String {
    if workspace == "default" { name } else { format!("{workspace}{between}{name}") }
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    // The file is a stranger's: its own views and triggers run nothing, and what it says of its own
    // pages is checked.
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "temp_store", "memory")?;
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch("begin")
}

/// The tables that are there and their columns. A view in the place of a table is none.
fn columns(db: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut statement = db.prepare(
        "select lower(t.name), lower(c.name) from sqlite_master t join pragma_table_info(t.name) c
         where t.type = 'table'",
    )?;
    let mut found = HashSet::new();
    for row in statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
        let (table, column) = row?;
        found.insert(format!("{table}.{column}"));
        found.insert(table);
    }
    Ok(found)
}

fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    or_default(row, at)
}

/// A column that may be empty, for which MLflow then means nothing or 0.
fn or_default<T: FromSql + Default>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    Ok(row.get::<_, Option<T>>(at)?.unwrap_or_default())
}

/// What an error of SQLite means for a database of others: `corrupt` when nothing more can be read,
/// `invalid_input` when one row is not what it should be.
fn failed(path: &str, error: &rusqlite::Error) -> Error {
    let (code, why, hint) = match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
                Code::Unavailable,
                "a program has locked it",
                "stop the MLflow server, or wait until it is done",
            ),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (
                Code::Corrupt,
                "it is damaged",
                "take a backup of it, or what `sqlite3 mlflow.db .recover` makes of it",
            ),
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => (
                Code::Unavailable,
                "it cannot be opened",
                "check the permissions of the file and of its folder",
            ),
            ErrorCode::SystemIoFailure => (Code::Unavailable, "the disk does not give it", "check the disk"),
            _ => (Code::InvalidInput, "it is not as MLflow makes it", "take a backup of it"),
        },
        _ => (Code::InvalidInput, "a row in it is not as MLflow writes it", "mend the row, or leave it out"),
    };
    Error::new(code, format!("cannot read `{path}`: {why}")).because(error).hint(hint)
}
