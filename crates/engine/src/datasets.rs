//! Datasets: their names, versions and targets, and their tables as pipelines, pages and queries
//! read them.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use data::Task;
use data::import::ParseOptions;
use flow::kind::{Source, SourceTable};
use serde_json::json;
use store::datasets::{Dataset, DatasetVersion};
use store::projects::Project;
use store::{Action, Digest, datasets};

use crate::Engine;

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

pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 80 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a dataset", name.escape_debug())).hint(
        "use lower-case letters, digits and `_`, starting with a letter: it is a table's name in SQL too",
    ))
}

impl Engine {
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
