//! Tests of model versions: a text file beside the project's pipelines says what must hold, and what
//! came of it is kept with the version.

use std::path::PathBuf;

use base::{Code, Error, Progress, Result};
use learn::model_tests::report::TestReport;
use learn::model_tests::{Context, Rows, TestFile, TestResult, run, suggest};
use score::{Card, Package};
use serde_json::json;
use store::models::{self, ModelVersion};
use store::projects::Project;
use store::{Action, Digest, files, judgements};

use crate::Engine;
use crate::models::{PRODUCTION, Picked};

/// The folder of a project's tests of models.
const FOLDER: &str = "models";
/// More rows than this are not tested on; evenly picked ones are.
const MOST_ROWS: usize = 100_000;
/// The alias that versions are compared with, where nobody is in production.
const CHAMPION: &str = "champion";

/// Labelled rows, where they come from, and their hash.
struct TestRows {
    rows: Rows,
    of: String,
    hash: String,
    training: Option<arrow::array::RecordBatch>,
}

impl Engine {
    fn tests_path(&self, project: &Project, model: &str) -> PathBuf {
        self.store().project_dir(&project.slug).join(FOLDER).join(format!("{model}.tests.toml"))
    }

    /// The text of a model's tests; empty if it has none.
    pub(crate) fn tests_text(&self, project: &Project, model: &str) -> Result<String> {
        read_text(&self.tests_path(project, model))
    }

    /// Replaces a model's tests; an empty text takes them away.
    pub(crate) fn set_tests(&self, project: &Project, model: &str, text: &str) -> Result<()> {
        if !text.trim().is_empty() {
            TestFile::parse(text).map_err(|e| e.within(format!("cannot read the tests of `{model}`")))?;
        }
        self.write_project_file(project, &self.tests_path(project, model), text)?;
        self.store().write(Action::new("model.set_tests", model), |w| {
            w.touch(store::Topic::Models);
            Ok(())
        })
    }

    /// Writes a text into the project's repository; an empty one removes the file.
    pub(crate) fn write_project_file(
        &self,
        project: &Project,
        path: &std::path::Path,
        text: &str,
    ) -> Result<()> {
        // The repository is begun before there is a file in it.
        self.git(project)?;
        if text.trim().is_empty() {
            if path.exists() {
                std::fs::remove_file(path).map_err(|e| Error::io("remove", path, &e))?;
            }
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        }
        files::write_atomic(path, text.as_bytes())
    }

    /// What a careful person would test, from what a version does now; empty if it keeps no rows.
    pub(crate) fn suggested_tests(&self, picked: &Picked) -> Result<String> {
        let folder = self.package_dir(&picked.version.package)?;
        let package = Package::load(&folder)?;
        let card = card_of(&package)?;
        match flow::kinds::labelled_rows(&folder, &card.target) {
            Ok(rows) => Ok(suggest(card, &Rows::score(&package, card, &rows)?)),
            Err(error) if error.code == Code::Conflict => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Runs the tests of a version, those of the project or those of `text`, and keeps what came of it.
    pub(crate) fn test_version(
        &self,
        project: &Project,
        picked: &Picked,
        text: Option<&str>,
        progress: &Progress,
    ) -> Result<TestReport> {
        let name = &picked.model.name;
        let text = match text {
            Some(text) => text.to_owned(),
            None => self.tests_text(project, name)?,
        };
        if text.trim().is_empty() {
            return Err(Error::new(Code::NotFound, format!("model `{name}` has no tests")).hint(format!(
                "write `{FOLDER}/{name}.tests.toml`, or save those that `fettle model tests {name}` suggests"
            )));
        }
        let file =
            TestFile::parse(&text).map_err(|e| e.within(format!("cannot read the tests of `{name}`")))?;
        let folder = self.package_dir(&picked.version.package)?;
        let package = Package::load(&folder)?;
        let card = card_of(&package)?;
        progress.step("scoring", 0, None)?;
        let tested = self.test_rows(project, picked, (&package, card), file.dataset.as_deref(), progress)?;
        let champion = self.champion_of(picked)?;
        let context = Context {
            package: &package,
            card,
            folder: &folder,
            rows: &tested.rows,
            champion: champion.as_ref().map(|(package, name)| (package, name.as_str())),
            training: tested.training.as_ref(),
            prove: &|| {
                let proof = flow::kinds::prove(&folder, &package)?;
                Ok(proof.map(|proof| (proof.rows, proof.max_abs_diff)))
            },
        };
        let results = run(&file, &context, progress)?;
        let report = TestReport {
            model: name.clone(),
            version: picked.version.number,
            package: picked.version.package.to_hex(),
            tests: Digest::of(text.as_bytes()).to_hex(),
            rows_of: tested.of,
            rows: tested.rows.len() as u64,
            rows_hash: tested.hash,
            champion: champion.map(|(_, name)| name),
            at: self.store().clock().now().as_ms(),
            is_passed: !results.iter().any(TestResult::is_blocking),
            results,
        };
        let action = Action::new("model.test", format!("{name} v{}", picked.version.number));
        self.store().write(action, |w| {
            let tests = Digest::of(text.as_bytes());
            judgements::add_test_run(w, &picked.version.id, tests, report.is_passed, &json!(report))
        })?;
        Ok(report)
    }

    /// What came of the tests of a version when they last ran.
    pub(crate) fn last_test_report(&self, version: &ModelVersion) -> Result<Option<TestReport>> {
        let Some(last) = self.store().read(|db| judgements::last_test_run(db, &version.id))? else {
            return Ok(None);
        };
        let report = serde_json::from_value(last.report)
            .map_err(|e| Error::new(Code::Corrupt, "the report of tests cannot be read").because(e))?;
        Ok(Some(report))
    }

    fn test_rows(
        &self,
        project: &Project,
        picked: &Picked,
        (package, card): (&Package, &Card),
        dataset: Option<&str>,
        progress: &Progress,
    ) -> Result<TestRows> {
        let Some(named) = dataset else {
            let folder = self.package_dir(&picked.version.package)?;
            let rows = flow::kinds::labelled_rows(&folder, &card.target)?;
            return Ok(TestRows {
                rows: Rows::score(package, card, &rows)?,
                of: "the rows that were held out in training".to_owned(),
                hash: picked.version.package.to_hex(),
                training: None,
            });
        };
        let (name, number) = match named.split_once('@') {
            Some((name, number)) => {
                let number = number.trim_start_matches('v').parse().map_err(|_| {
                    Error::invalid(format!("`{named}` names no version"))
                        .hint("write `name@3`, or `name` alone")
                })?;
                (name, Some(number))
            }
            None => (named, None),
        };
        let dataset = self.dataset(project, name)?;
        let version = self.version(&dataset, number)?;
        let table = flow::kinds::all_rows(&self.table(&version, progress)?, MOST_ROWS)?;
        let training = match &picked.version.dataset_version_id {
            Some(id) if *id != version.id => {
                let learnt = self.store().read(|db| store::datasets::version(db, id))?;
                Some(flow::kinds::all_rows(&self.table(&learnt, progress)?, usize::MAX)?)
            }
            _ => None,
        };
        Ok(TestRows {
            rows: Rows::score(package, card, &table)?,
            of: format!("dataset {name} v{}", version.number),
            hash: version.content.to_hex(),
            training,
        })
    }

    /// The version that is in use, or else the champion, unless it is the one that is tested.
    fn champion_of(&self, picked: &Picked) -> Result<Option<(Package, String)>> {
        for alias in [PRODUCTION, CHAMPION] {
            let found = self.store().read(|db| models::find_alias(db, &picked.model.id, alias))?;
            if let Some(found) = found.filter(|found| found.number != picked.version.number) {
                let version =
                    self.store().read(|db| models::version_numbered(db, &picked.model.id, found.number))?;
                return Ok(Some((self.package(&version)?, format!("`{alias}` v{}", found.number))));
            }
        }
        Ok(None)
    }
}

/// What a package says of itself.
pub(crate) fn card_of(package: &Package) -> Result<&Card> {
    package.card().ok_or_else(|| {
        Error::new(
            Code::Conflict,
            "the package was not written by Fettle, so it does not say what it predicts",
        )
    })
}

/// The text of a file; empty if there is none.
pub(crate) fn read_text(path: &std::path::Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(Error::io("read", path, &e)),
    }
}

/// What approvals are about: which tests came to what, whenever they ran.
pub(crate) fn outcome_hash(report: Option<&TestReport>) -> String {
    let Some(report) = report else { return "none".to_owned() };
    let results: Vec<_> =
        report.results.iter().map(|result| json!([result.title(), result.outcome])).collect();
    let said = json!({ "tests": report.tests, "rows": report.rows_hash, "results": results });
    Digest::of(store::canonical_json(&said).as_bytes()).to_hex()
}
