//! Datasets: a file becomes a version, a version becomes a table again when its table was removed
//! from the cache, and a table becomes what pipelines, pages and queries read.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result, VersionId};
use data::checks::CheckResult;
use data::import::{ImportReport, ParseOptions, Rejected};
use data::{Profile, TableFile, Task};
use flow::kind::{Source, SourceTable};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::datasets::{Dataset, DatasetVersion, NewVersion};
use store::projects::Project;
use store::{Action, Digest, datasets};

use crate::Engine;
use crate::commands::datasets::DatasetImported;
use crate::taking_in::{Source as FileSource, TakenIn};

/// What an import found, kept as an object beside the bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportRecord {
    /// Everything counted about the table.
    pub(crate) profile: Profile,
    /// Lines that are not in the table, up to a thousand.
    pub(crate) rejected: Vec<Rejected>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// What to import.
pub(crate) struct Import {
    /// The file.
    pub(crate) path: PathBuf,
    /// The dataset's name; from the file's if none.
    pub(crate) name: Option<String>,
    /// How to read it; as the version before, or guessed, if none.
    pub(crate) options: Option<ParseOptions>,
}

/// A dataset name made from a file's: lower-case letters, digits and underscores, so that it can
/// stand in SQL without quotes.
pub(crate) fn name_from(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut name = String::new();
    for c in stem.chars().take(60) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => "data".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("data_{name}"),
        Some(_) => name.to_owned(),
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 80 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a dataset", name.escape_debug())).hint(
        "use lower-case letters, digits and `_`, starting with a letter: it is a table's name in SQL too",
    ))
}

impl Engine {
    /// Imports a file: its bytes are kept, its table and profile made, a version recorded. The same
    /// file again, read the same way, makes nothing new.
    pub(crate) fn import(
        &self,
        project: &Project,
        what: &Import,
        progress: &Progress,
    ) -> Result<DatasetImported> {
        let shown = what.path.display();
        let name = what.name.clone().unwrap_or_else(|| name_from(&what.path));
        check_name(&name)?;
        let within = |e: Error| e.within(format!("cannot import `{shown}`"));
        let before = self.newest(project, &name)?;
        let options = match (&what.options, &before) {
            (Some(options), _) => options.clone(),
            (None, Some((_, version))) => parse_options(version)?,
            (None, None) => self.sniff(&what.path).map_err(within)?.options,
        };
        let source = FileSource { path: &what.path, options: &options, before: before.as_ref() };
        let draft = self.table_draft()?;
        let (content, made) = match self.take_in(&source, draft.path(), progress).map_err(within)? {
            TakenIn::Known(dataset, version) => {
                let results = self.known_results(project, &dataset, &version)?;
                return Ok(imported(&dataset, &version, false, (Vec::new(), results.unwrap_or_default())));
            }
            TakenIn::New(content, made) => (content, made),
        };
        let (table, report) = made;
        let profile = data::profile::profile(&table, progress)?;
        let warnings: Vec<String> = report.warnings.iter().map(|warning| warning.message.clone()).collect();
        let record = ImportRecord { profile, rejected: report.rejected.clone(), warnings: warnings.clone() };
        let version = self.record_version(project, &name, what, content, &options, &report, &record)?;
        let (dataset, version) = version;
        let place = self.table_dir(&version.id);
        if !place.exists() {
            draft.publish(&place)?;
        }
        let results = self.check_version(project, &dataset, &version, false, progress)?;
        Ok(imported(&dataset, &version, true, (warnings, results)))
    }

    #[expect(clippy::too_many_arguments, reason = "what makes a version is many things, all used once here")]
    fn record_version(
        &self,
        project: &Project,
        name: &str,
        what: &Import,
        content: Digest,
        options: &ParseOptions,
        report: &ImportReport,
        record: &ImportRecord,
    ) -> Result<(Dataset, DatasetVersion)> {
        let objects = self.store().objects();
        let json = |e| Error::internal("cannot write what an import found").because(e);
        let profile = objects.put_bytes(&serde_json::to_vec(record).map_err(json)?)?;
        let source_name =
            what.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let new = NewVersion {
            content_bytes: objects.size(&content)?,
            content,
            rows: report.rows,
            columns: report.meta.columns.len() as u32,
            rejected_rows: report.rejected_total,
            parse: serde_json::to_value(options).map_err(json)?,
            schema: serde_json::to_value(&report.meta.columns).map_err(json)?,
            profile: Some(profile),
            source_name,
        };
        self.store().write(Action::new("dataset.import", name), |w| {
            let dataset = match datasets::by_name(w, &project.id, name)? {
                Some(dataset) => dataset,
                None => datasets::create(w, &project.id, name)?,
            };
            let added = datasets::add_version(w, &dataset.id, new)?;
            Ok((dataset, added.version))
        })
    }

    pub(crate) fn same(
        &self,
        dataset: &Dataset,
        content: &Digest,
        options: &ParseOptions,
    ) -> Result<Option<DatasetVersion>> {
        let parse =
            serde_json::to_value(options).map_err(|e| Error::internal("cannot write options").because(e))?;
        self.store().read(|db| datasets::find_same(db, &dataset.id, content, &parse))
    }

    fn newest(&self, project: &Project, name: &str) -> Result<Option<(Dataset, DatasetVersion)>> {
        self.store().read(|db| {
            let Some(dataset) = datasets::by_name(db, &project.id, name)? else { return Ok(None) };
            Ok(datasets::latest(db, &dataset.id)?.map(|version| (dataset, version)))
        })
    }

    /// Makes the table from the bytes that were kept, not from the file, which may change meanwhile.
    pub(crate) fn make_table(
        &self,
        content: &Digest,
        options: &ParseOptions,
        folder: &Path,
        progress: &Progress,
    ) -> Result<(TableFile, ImportReport)> {
        let temp = self.table_draft()?;
        let file = temp.path().join("bytes");
        self.store().objects().get_file(content, &file)?;
        let report = self.read_into(&file, options, folder, progress).map_err(|e| without_path(e, &file))?;
        Ok((TableFile::open(folder)?, report))
    }

    pub(crate) fn table_draft(&self) -> Result<store::files::StagedDir> {
        let tables = self.store().cache_dir().join("tables");
        std::fs::create_dir_all(&tables).map_err(|e| Error::io("create", &tables, &e))?;
        store::files::StagedDir::new_in(&tables)
    }

    fn table_dir(&self, id: &VersionId) -> PathBuf {
        self.store().cache_dir().join("tables").join(id.as_str())
    }

    /// The table of a version, made again from its bytes if it was removed from the cache.
    pub(crate) fn table(&self, version: &DatasetVersion, progress: &Progress) -> Result<TableFile> {
        let place = self.table_dir(&version.id);
        if let Ok(table) = TableFile::open(&place) {
            return Ok(table);
        }
        let draft = self.table_draft()?;
        self.make_table(&version.content, &parse_options(version)?, draft.path(), progress)?;
        if place.exists() {
            std::fs::remove_dir_all(&place).map_err(|e| Error::io("replace", &place, &e))?;
        }
        draft.publish(&place)?;
        TableFile::open(&place)
    }

    /// A dataset by its name.
    pub(crate) fn dataset(&self, project: &Project, name: &str) -> Result<Dataset> {
        let (found, names) = self
            .store()
            .read(|db| Ok((datasets::by_name(db, &project.id, name)?, datasets::list(db, &project.id)?)))?;
        found.ok_or_else(|| {
            let error = Error::not_found(format!("there is no dataset `{}`", name.escape_debug()));
            match data::nearest(name, names.iter().map(|dataset| dataset.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("import a file first, or see `fettle dataset list`"),
            }
        })
    }

    /// A version of a dataset; the newest without a number.
    pub(crate) fn version(&self, dataset: &Dataset, number: Option<u32>) -> Result<DatasetVersion> {
        let found = self.store().read(|db| match number {
            Some(number) => datasets::version_numbered(db, &dataset.id, number).map(Some),
            None => datasets::latest(db, &dataset.id),
        })?;
        found.ok_or_else(|| Error::not_found(format!("dataset `{}` has no version", dataset.name)))
    }

    /// What the import of a version found.
    pub(crate) fn import_record(&self, version: &DatasetVersion) -> Result<ImportRecord> {
        let corrupt =
            || Error::new(Code::Corrupt, format!("the profile of version {} is missing", version.number));
        let digest = version.profile.as_ref().ok_or_else(corrupt)?;
        serde_json::from_slice(&self.store().objects().read(digest)?).map_err(|e| corrupt().because(e))
    }

    /// Chooses the column to predict, after looking whether it can be one.
    pub(crate) fn set_target(
        &self,
        project: &Project,
        name: &str,
        target: Option<&str>,
        task: Option<Task>,
    ) -> Result<()> {
        let dataset = self.dataset(project, name)?;
        let task = match target {
            Some(target) => Some(self.task_for(&dataset, target, task)?),
            None => None,
        };
        let subject = format!("{name}: {}", target.unwrap_or("no target"));
        self.store().write(Action::new("dataset.set_target", subject), |w| {
            datasets::set_target(w, &dataset.id, target, task.map(task_word))
        })
    }

    fn task_for(&self, dataset: &Dataset, target: &str, task: Option<Task>) -> Result<Task> {
        let record = self.import_record(&self.version(dataset, None)?)?;
        let columns = &record.profile.columns;
        let column = columns.iter().find(|column| column.name == target).ok_or_else(|| {
            let error = Error::not_found(format!("dataset `{}` has no column `{target}`", dataset.name));
            match data::nearest(target, columns.iter().map(|column| column.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            }
        })?;
        if column.distinct < 2 {
            let found = column
                .top
                .first()
                .map_or_else(|| "no value".to_owned(), |one| format!("only `{}`", one.value));
            return Err(Error::invalid(format!("`{target}` cannot be predicted: it has {found}"))
                .hint("choose a column with at least two different values"));
        }
        let is_number = column.kind.is_numeric();
        Ok(task.unwrap_or(match column.distinct {
            2 => Task::Binary,
            _ if is_number && column.distinct > 20 => Task::Regression,
            _ if is_number && column.kind == data::Kind::Number => Task::Regression,
            _ => Task::Multiclass,
        }))
    }

    /// A dataset version as a pipeline's step gets it.
    pub(crate) fn source_table(
        &self,
        project: &Project,
        source: &Source,
        progress: &Progress,
    ) -> Result<SourceTable> {
        let dataset = self.dataset(project, &source.dataset)?;
        let version = self.version(&dataset, source.version)?;
        self.refuse_bad_data(project, &dataset, &version, progress)?;
        let table = self.table(&version, progress)?;
        // How the bytes were read counts as much as the bytes.
        let content = Digest::of(format!("{} {}", version.content, version.parse).as_bytes());
        Ok(SourceTable {
            folder: table.dir().to_owned(),
            dataset: dataset.name.clone(),
            number: version.number,
            version_id: version.id.to_string(),
            content: content.to_hex(),
            columns: table.meta().visible().cloned().collect(),
            task: dataset.task.as_deref().and_then(task_from),
            target: dataset.target,
        })
    }

    /// The tables that SQL can name here: datasets, which stand for their newest versions, and
    /// `name@2` or `name@tag` for the others. Only those that occur in the text are looked up.
    pub(crate) fn tables_in(&self, project: &Project, sql: &str) -> Result<Vec<(String, PathBuf)>> {
        let folder = |version: &DatasetVersion| -> Result<PathBuf> {
            Ok(self.table(version, &Progress::silent())?.dir().to_owned())
        };
        let mut tables = Vec::new();
        for dataset in self.store().read(|db| datasets::list(db, &project.id))? {
            if !sql.contains(&dataset.name) {
                continue;
            }
            tables.push((dataset.name.clone(), folder(&self.version(&dataset, None)?)?));
            let (versions, tags) = self.store().read(|db| {
                Ok((datasets::versions(db, &dataset.id)?, datasets::tags::list(db, &dataset.id)?))
            })?;
            let numbers = versions.iter().map(|version| (version.number.to_string(), version.number));
            let names = numbers.chain(tags.into_iter().map(|tag| (tag.name, tag.number)));
            for (name, number) in names {
                let name = format!("{}@{name}", dataset.name);
                if sql.contains(&format!("\"{name}\"")) {
                    tables.push((name, folder(&self.version(&dataset, Some(number))?)?));
                }
            }
        }
        Ok(tables)
    }

    /// Answers SQL over the datasets that it names.
    pub(crate) fn query(&self, project: &Project, sql: &str, limit: u32) -> Result<data::Page> {
        let tables = self.tables_in(project, sql)?;
        let tables: Vec<(&str, &Path)> =
            tables.iter().map(|(name, dir)| (name.as_str(), dir.as_path())).collect();
        data::query::query(&tables, sql, u64::from(limit), MEMORY_CAP_BYTES, &base::Cancel::default())
    }
}

/// A query may use this much memory before it spills to disk.
pub(crate) const MEMORY_CAP_BYTES: usize = 512 * 1024 * 1024;

/// How a version was read.
pub(crate) fn parse_options(version: &DatasetVersion) -> Result<ParseOptions> {
    serde_json::from_value(version.parse.clone()).map_err(|e| {
        Error::new(Code::Corrupt, format!("cannot tell how version {} was read", version.number)).because(e)
    })
}

fn imported(
    dataset: &Dataset,
    version: &DatasetVersion,
    is_new: bool,
    (warnings, results): (Vec<String>, Vec<CheckResult>),
) -> DatasetImported {
    DatasetImported {
        dataset: dataset.name.clone(),
        version: version.number,
        version_id: version.id.to_string(),
        is_new,
        rows: version.rows,
        columns: version.columns,
        rejected_rows: version.rejected_rows,
        warnings,
        checks: results.into_iter().map(Into::into).collect(),
    }
}

/// The stored word for a task.
pub(crate) fn task_word(task: Task) -> &'static str {
    match task {
        Task::Binary => "binary",
        Task::Multiclass => "multiclass",
        Task::Regression => "regression",
    }
}

/// The task of a stored word.
pub(crate) fn task_from(word: &str) -> Option<Task> {
    serde_json::from_value(json!(word)).ok()
}

/// The bytes are read from a file of ours, whose path says nothing to the user.
fn without_path(mut error: Error, path: &Path) -> Error {
    let (shown, quoted) = (path.display().to_string(), format!("`{}`", path.display()));
    let clean = |text: &str| text.replace(&quoted, "the file").replace(&shown, "the file");
    error.message = clean(&error.message);
    error.hint = error.hint.as_deref().map(clean);
    error.causes.iter_mut().for_each(|cause| *cause = clean(cause));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_from_any_file_name() {
        let names = ["Churn 2024.csv", "2024.csv", "données-été.tsv", "....", "/a/b/My__Data.csv"];
        let made = names.map(|name| name_from(Path::new(name)));
        assert_eq!(made, ["churn_2024", "data_2024", "donn_es_t", "data", "my_data"]);
        made.iter().for_each(|name| check_name(name).expect("what is made is allowed"));
    }
}
