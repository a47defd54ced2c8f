//! Quality checks of datasets: a text file beside the project's pipelines says what must hold, every
//! new version is checked, and a version that breaks an error is not read by any pipeline.

use std::path::PathBuf;

use base::{Code, Error, Progress, Result};
use data::TableFile;
use data::checks::{self, Check, CheckFile, CheckResult, Context, FailingRows};
use store::datasets::{self, Dataset, DatasetVersion};
use store::projects::Project;
use store::{Action, Digest, files};

use crate::Engine;

/// The folder of a project's checks.
const FOLDER: &str = "datasets";

impl Engine {
    fn checks_path(&self, project: &Project, dataset: &Dataset) -> PathBuf {
        let folder = self.store().project_dir(&project.slug).join(FOLDER);
        folder.join(format!("{}.checks.toml", dataset.name))
    }

    /// The text of a dataset's checks; empty if it has none.
    pub(crate) fn checks_text(&self, project: &Project, dataset: &Dataset) -> Result<String> {
        let path = self.checks_path(project, dataset);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }

    /// The checks of a dataset.
    pub(crate) fn checks_of(&self, project: &Project, dataset: &Dataset) -> Result<CheckFile> {
        parse(&self.checks_text(project, dataset)?, dataset)
    }

    /// Replaces a dataset's checks; an empty text takes them away.
    pub(crate) fn set_checks(&self, project: &Project, dataset: &Dataset, text: &str) -> Result<()> {
        parse(text, dataset)?;
        let path = self.checks_path(project, dataset);
        // The repository is begun before there is a file in it.
        self.git(project)?;
        if text.trim().is_empty() {
            if path.exists() {
                std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, &e))?;
            }
        } else {
            let folder = self.store().project_dir(&project.slug).join(FOLDER);
            std::fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, &e))?;
            files::write_atomic(&path, text.as_bytes())?;
        }
        self.store().write(Action::new("dataset.set_checks", &dataset.name), |w| {
            w.touch(store::Topic::Datasets);
            Ok(())
        })
    }

    /// What a careful person would check, from the profile of the newest version.
    pub(crate) fn suggested_checks(&self, dataset: &Dataset) -> Result<CheckFile> {
        Ok(checks::suggest(&self.import_record(&self.version(dataset, None)?)?.profile))
    }

    /// Checks a version, or tells what came of it before: the same checks of the same version give
    /// the same results, but for those that look at the clock, which are run again.
    pub(crate) fn check_version(
        &self,
        project: &Project,
        dataset: &Dataset,
        version: &DatasetVersion,
        is_fresh: bool,
        progress: &Progress,
    ) -> Result<Vec<CheckResult>> {
        let file = self.checks_of(project, dataset)?;
        if file.checks.is_empty() {
            return Ok(Vec::new());
        }
        let place = self.results_path(version, &file);
        let looks_at_clock = file.checks.iter().any(|check| check.kind() == "freshness");
        if !is_fresh
            && !looks_at_clock
            && let Some(known) = read_results(&place)
        {
            return Ok(known);
        }
        let results =
            self.with_context(project, dataset, version, progress, |c| checks::run(&file, c, progress))?;
        let bytes = serde_json::to_vec(&results)
            .map_err(|e| Error::internal("cannot write the results of checks").because(e))?;
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        }
        files::write_atomic(&place, &bytes)?;
        Ok(results)
    }

    /// What came of a version's checks before, if they are still the same.
    pub(crate) fn known_results(
        &self,
        project: &Project,
        dataset: &Dataset,
        version: &DatasetVersion,
    ) -> Result<Option<Vec<CheckResult>>> {
        Ok(read_results(&self.results_path(version, &self.checks_of(project, dataset)?)))
    }

    /// A window of the rows that break a check, by its place in the file.
    pub(crate) fn failing_rows(
        &self,
        project: &Project,
        dataset: &Dataset,
        version: &DatasetVersion,
        at: usize,
        window: (u64, u64),
    ) -> Result<FailingRows> {
        let file = self.checks_of(project, dataset)?;
        let check: &Check = file.checks.get(at).ok_or_else(|| {
            Error::not_found(format!("dataset `{}` has no check number {at}", dataset.name))
                .hint("the checks may have been edited: load them again")
        })?;
        let progress = Progress::silent();
        self.with_context(project, dataset, version, &progress, |context| {
            checks::failing_rows(check, context, window.0, window.1, &progress)
        })
    }

    /// Fails for a version that breaks a check whose severity is `error`.
    pub(crate) fn refuse_bad_data(
        &self,
        project: &Project,
        dataset: &Dataset,
        version: &DatasetVersion,
        progress: &Progress,
    ) -> Result<()> {
        let results = self.check_version(project, dataset, version, false, progress)?;
        let broken: Vec<&CheckResult> = results.iter().filter(|result| result.is_blocking()).collect();
        let Some(first) = broken.first() else { return Ok(()) };
        let more = match broken.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message =
            format!("version {} of `{}` breaks a check: {}{more}", version.number, dataset.name, first.rule);
        Err(Error::new(Code::GateFailed, message)
            .because(&first.measured)
            .hint("correct the data and import it again, or change the check of the dataset"))
    }

    fn with_context<T>(
        &self,
        project: &Project,
        dataset: &Dataset,
        version: &DatasetVersion,
        progress: &Progress,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let table = self.table(version, progress)?;
        let before = self.before(dataset, version)?;
        let previous = before.as_ref().map(|version| self.table(version, progress)).transpose()?;
        let record = before.as_ref().map(|version| self.import_record(version)).transpose()?;
        let other = |name: &str| -> Result<TableFile> {
            let dataset = self.dataset(project, name)?;
            self.table(&self.version(&dataset, None)?, progress)
        };
        work(&Context {
            table: &table,
            previous: previous.as_ref(),
            reference: record.as_ref().map(|record| &record.profile),
            other: &other,
            now: self.store().clock().now(),
        })
    }

    /// The version before another one, if there is one.
    fn before(&self, dataset: &Dataset, version: &DatasetVersion) -> Result<Option<DatasetVersion>> {
        let versions = self.store().read(|db| datasets::versions(db, &dataset.id))?;
        Ok(versions.into_iter().find(|other| other.number < version.number))
    }

    /// Results can be computed again, so they lie in the cache, named by all that they depend on.
    fn results_path(&self, version: &DatasetVersion, file: &CheckFile) -> PathBuf {
        let name = Digest::of(format!("{} {}", version.id, file.to_text()).as_bytes());
        self.store().cache_dir().join("checks").join(format!("{}.json", name.to_hex()))
    }
}

fn parse(text: &str, dataset: &Dataset) -> Result<CheckFile> {
    if text.trim().is_empty() {
        return Ok(CheckFile::default());
    }
    CheckFile::parse(text).map_err(|e| e.within(format!("cannot read the checks of `{}`", dataset.name)))
}

fn read_results(path: &std::path::Path) -> Option<Vec<CheckResult>> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
