//! Registered models: a package becomes a version, a version gets an alias once its gate is open.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result, RunId, VersionId};
use flow::kinds::ModelMetrics;
use score::Package;
use serde_json::{Value, json};
use store::models::{self, Model, ModelVersion, NewModelVersion, Reasons};
use store::projects::Project;
use store::{Action, Digest};

use crate::Engine;
use crate::commands::models::{CheckStatus, GateCheck, GateReport, ParityView};
use crate::commands::retraining::SideBySide;

/// The alias that deployments take by themselves.
pub(crate) const PRODUCTION: &str = "production";
/// The package must answer as the run did, to this much of a probability or of the target's unit.
const PARITY_LIMIT: f64 = 1e-6;
/// A version may be this much worse than the one that has the alias before it counts as worse.
pub(crate) const TOLERANCE: f64 = 0.005;

/// A package that is to become a version.
pub(crate) struct Candidate<'a> {
    pub(crate) project: &'a Project,
    /// The model's name.
    pub(crate) model: &'a str,
    pub(crate) run_id: &'a RunId,
    pub(crate) step_id: &'a str,
    /// The package's folder.
    pub(crate) folder: &'a Path,
}

/// A version with the model it belongs to.
pub(crate) struct Picked {
    pub(crate) model: Model,
    pub(crate) version: ModelVersion,
    pub(crate) aliases: Vec<String>,
}

impl Engine {
    /// Makes a version of a package. A package that is a version of this model already makes no
    /// other one.
    pub(crate) fn register(&self, candidate: &Candidate) -> Result<ModelVersion> {
        check_model_name(candidate.model)?;
        let package = Package::load(candidate.folder)
            .map_err(|e| e.within(format!("cannot register model `{}`", candidate.model)))?;
        let parity = flow::kinds::prove(candidate.folder, &package)?;
        let digest = self.store().objects().put_tree(candidate.folder)?;
        let metrics = ModelMetrics::read(candidate.folder)?;
        let inputs = self.store().read(|db| store::runs::inputs(db, candidate.run_id))?;
        let new = NewModelVersion {
            package_bytes: self.store().objects().tree(&digest)?.entries.iter().map(|entry| entry.size).sum(),
            package: digest,
            run_id: Some(candidate.run_id.clone()),
            step_id: Some(candidate.step_id.to_owned()),
            dataset_version_id: inputs.into_iter().next().map(|(_, version)| version),
            metrics: json!(metrics.map(|metrics| metrics.metrics).unwrap_or_default()),
            parity: parity.map(|parity| json!({ "rows": parity.rows, "maxAbsDiff": parity.max_abs_diff })),
            signature: package.card().map_or(Value::Null, |card| json!(card.signature)),
            note: String::new(),
        };
        let existing =
            self.store().read(|db| match models::by_name(db, &candidate.project.id, candidate.model)? {
                Some(model) => models::versions(db, &model.id),
                None => Ok(Vec::new()),
            })?;
        if let Some(same) = existing.into_iter().find(|version| version.package == new.package) {
            return Ok(same);
        }
        self.store().write(Action::new("model.register", candidate.model), |w| {
            let model = match models::by_name(w, &candidate.project.id, candidate.model)? {
                Some(model) => model,
                None => models::create(w, &candidate.project.id, candidate.model)?,
            };
            models::add_version(w, &model.id, new)
        })
    }

    /// A model by its name.
    pub(crate) fn model(&self, project: &Project, name: &str) -> Result<Model> {
        let (found, all) = self
            .store()
            .read(|db| Ok((models::by_name(db, &project.id, name)?, models::list(db, &project.id)?)))?;
        found.ok_or_else(|| {
            let error = Error::not_found(format!("there is no model `{}`", name.escape_debug()));
            match data::nearest(name, all.iter().map(|model| model.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("run a pipeline with a register step, or see `fettle model list`"),
            }
        })
    }

    /// A version by its number or alias; the newest if none.
    pub(crate) fn pick(&self, project: &Project, name: &str, version: Option<&str>) -> Result<Picked> {
        let model = self.model(project, name)?;
        let unknown = |what: &str| {
            Error::not_found(format!("model `{name}` has no version `{}`", what.escape_debug()))
                .hint("name a number or an alias, see `fettle model show`")
        };
        let (version, aliases) = self.store().read(|db| {
            let aliases = models::aliases(db, &model.id)?;
            let number = match version {
                None => model.last_number,
                Some(text) => {
                    match (text.trim_start_matches('v').parse(), aliases.iter().find(|one| one.name == text))
                    {
                        (_, Some(alias)) => alias.number,
                        (Ok(number), None) => number,
                        (Err(_), None) => return Err(unknown(text)),
                    }
                }
            };
            let version = models::version_numbered(db, &model.id, number).map_err(|e| match e.code {
                Code::NotFound => unknown(&number.to_string()),
                _ => e,
            })?;
            let of_version =
                aliases.into_iter().filter(|alias| alias.number == number).map(|alias| alias.name);
            Ok((version, of_version.collect()))
        })?;
        Ok(Picked { model, version, aliases })
    }

    /// The folder of a package, taken out of the objects if it is not in the cache.
    pub(crate) fn package_dir(&self, package: &Digest) -> Result<PathBuf> {
        let packages = self.store().cache_dir().join("packages");
        let place = packages.join(package.to_hex());
        if !place.exists() {
            std::fs::create_dir_all(&packages).map_err(|e| Error::io("create", &packages, &e))?;
            self.store().objects().get_tree(package, &place)?;
        }
        Ok(place)
    }

    /// The package of a version, loaded.
    ///
    /// # Errors
    /// [`Code::NotFound`] for what a script logged in another form than ONNX.
    pub(crate) fn package(&self, version: &ModelVersion) -> Result<Package> {
        let folder = self.package_dir(&version.package)?;
        if !folder.join("model.onnx").exists() {
            return Err(Error::not_found("this version is no ONNX model: a script logged it in another form")
                .hint("its files are with its run; log it with `mlflow.onnx.log_model` to test, explain and deploy it here"));
        }
        Package::load(&folder)
    }

    /// Scores the held-out rows of a version again.
    pub(crate) fn verify(&self, version: &ModelVersion) -> Result<ParityView> {
        let folder = self.package_dir(&version.package)?;
        let proof = flow::kinds::prove(&folder, &Package::load(&folder)?)?;
        let proof = proof.ok_or_else(|| {
            Error::new(Code::Conflict, "this package carries no rows to verify it with")
                .hint("train it again with a split that has validation or test rows")
        })?;
        Ok(ParityView { rows: proof.rows, max_abs_diff: proof.max_abs_diff })
    }

    /// Every check between a version and an alias.
    pub(crate) fn gate(&self, picked: &Picked, alias: &str) -> Result<GateReport> {
        check_alias(alias)?;
        let current =
            self.store().read(|db| models::find_alias(db, &picked.model.id, alias))?.map(|one| one.number);
        let mut checks = vec![
            self.check_loads(&picked.version),
            check_parity(&picked.version),
            check_evaluated(&picked.version),
        ];
        if let Some(number) = current.filter(|number| *number != picked.version.number) {
            let before = self.store().read(|db| models::version_numbered(db, &picked.model.id, number))?;
            checks.push(match self.fair_comparison(&picked.version, &before) {
                Some(found) => check_not_worse_on(&found, &before, alias),
                None => check_not_worse(&picked.version, &before, alias),
            });
            checks.push(check_schema(&picked.version, &before, alias));
        }
        let project = self.store().read(|db| store::projects::get(db, &picked.model.project_id))?;
        checks.extend(self.policy_checks(&project, picked, alias)?);
        Ok(GateReport {
            model: picked.model.name.clone(),
            version: picked.version.number,
            alias: alias.to_owned(),
            current,
            is_open: checks.iter().all(|check| check.status != CheckStatus::Failed),
            checks,
        })
    }

    /// Two versions on the same rows, where they were trained on different data: the metrics of their
    /// runs are then about different rows.
    fn fair_comparison(&self, version: &ModelVersion, before: &ModelVersion) -> Option<SideBySide> {
        if version.dataset_version_id == before.dataset_version_id {
            return None;
        }
        // What cannot be scored is told of by the check that loads it.
        self.side_by_side(version, before).ok().flatten()
    }

    /// Moves an alias to a version if the gate is open; the report says whether it was.
    pub(crate) fn promote(&self, picked: &Picked, alias: &str, reason: Option<&str>) -> Result<GateReport> {
        let report = self.gate(picked, alias)?;
        if !report.is_open || report.current == Some(report.version) {
            return Ok(report);
        }
        let subject = format!("{} v{} to {alias}", picked.model.name, picked.version.number);
        let action = Action::new("model.promote", subject).with("reason", reason.unwrap_or_default());
        let reasons = Reasons { gates: Some(json!(report)), note: reason.unwrap_or_default().to_owned() };
        self.store().write(action, |w| {
            models::set_alias(w, &picked.model.id, alias, picked.version.number, &reasons)
        })?;
        Ok(report)
    }

    fn check_loads(&self, version: &ModelVersion) -> GateCheck {
        let name = "the package loads and answers its golden row";
        let package = match self.package(version) {
            Ok(package) => package,
            Err(error) if error.code == Code::NotFound => {
                let message = "it is no ONNX model, so that this cannot be checked".to_owned();
                return check(name, CheckStatus::Warning, message);
            }
            Err(error) => return check(name, CheckStatus::Failed, error.to_string()),
        };
        match package.check_golden() {
            Ok(golden) if golden.passed => {
                let message = format!("differs by {}", base::number(golden.max_abs_diff, 2));
                check(name, CheckStatus::Passed, message)
            }
            Ok(golden) => check(name, CheckStatus::Failed, golden.differences.join(", ")),
            Err(error) if error.code == Code::NotFound => {
                check(name, CheckStatus::Warning, "it carries no golden row".to_owned())
            }
            Err(error) => check(name, CheckStatus::Failed, error.to_string()),
        }
    }

    /// The version behind an id, with its model.
    pub(crate) fn model_version(&self, id: &VersionId) -> Result<Picked> {
        self.store().read(|db| {
            let version = models::version(db, id)?;
            let model = models::get(db, &version.model_id)?;
            let aliases =
                models::aliases(db, &model.id)?.into_iter().filter(|one| one.number == version.number);
            Ok(Picked { aliases: aliases.map(|one| one.name).collect(), model, version })
        })
    }

    /// Scores a file to a CSV file: the file's columns and the model's answers.
    pub(crate) fn predict_file(
        &self,
        version: &ModelVersion,
        from: &Path,
        to: &Path,
        progress: &Progress,
    ) -> Result<u64> {
        let package = self.package(version)?;
        let (_keep, table) = self.read_foreign(from, progress)?;
        flow::kinds::score_to_file(&package, &table, to, progress)
    }
}

fn check(name: &str, status: CheckStatus, message: String) -> GateCheck {
    GateCheck { name: name.to_owned(), status, message }
}

fn check_parity(version: &ModelVersion) -> GateCheck {
    let name = "the package answers as the run did";
    let Some(parity) = &version.parity else {
        return check(name, CheckStatus::Warning, "no rows were held out to compare".to_owned());
    };
    let difference = parity["maxAbsDiff"].as_f64().unwrap_or(f64::INFINITY);
    let message = format!("at most {} apart over {} rows", base::number(difference, 2), parity["rows"]);
    check(name, if difference <= PARITY_LIMIT { CheckStatus::Passed } else { CheckStatus::Failed }, message)
}

fn check_evaluated(version: &ModelVersion) -> GateCheck {
    let name = "it was evaluated on rows it has not seen";
    match version.metrics.as_object() {
        Some(metrics) if !metrics.is_empty() => {
            let said = main_metric(&version.metrics)
                .map_or_else(String::new, |(name, value, _)| format!("{name} {}", base::number(value, 4)));
            check(name, CheckStatus::Passed, said)
        }
        _ => check(name, CheckStatus::Failed, "it has no metrics: wire an evaluate step before".to_owned()),
    }
}

fn check_not_worse_on(found: &SideBySide, before: &ModelVersion, alias: &str) -> GateCheck {
    let status = if found.loss() > TOLERANCE { CheckStatus::Failed } else { CheckStatus::Passed };
    let message = format!(
        "{} {} against {} of `{alias}` v{}, both over the {} rows that were held out from this version",
        found.metric,
        base::number(found.challenger, 4),
        base::number(found.champion, 4),
        before.number,
        found.rows
    );
    check("it is not worse than the version it replaces", status, message)
}

fn check_not_worse(version: &ModelVersion, before: &ModelVersion, alias: &str) -> GateCheck {
    let name = "it is not worse than the version it replaces";
    let (Some((metric, now, higher)), Some((other, then, _))) =
        (main_metric(&version.metrics), main_metric(&before.metrics))
    else {
        return check(name, CheckStatus::Warning, "one of them has no metrics".to_owned());
    };
    if metric != other {
        return check(name, CheckStatus::Warning, format!("{metric} and {other} cannot be compared"));
    }
    let loss = if higher { then - now } else { now - then };
    let said = format!(
        "{metric} {} against {} of `{alias}` v{}",
        base::number(now, 4),
        base::number(then, 4),
        before.number
    );
    check(name, if loss > TOLERANCE { CheckStatus::Failed } else { CheckStatus::Passed }, said)
}

fn check_schema(version: &ModelVersion, before: &ModelVersion, alias: &str) -> GateCheck {
    let name = "callers of the version it replaces can call it";
    let inputs = |version: &ModelVersion| -> Vec<(String, String)> {
        let inputs = version.signature["inputs"].as_array().into_iter().flatten();
        inputs.map(|one| (text(&one["name"]), text(&one["kind"]))).collect()
    };
    let (now, then) = (inputs(version), inputs(before));
    let new: Vec<&str> =
        now.iter().filter(|input| !then.contains(input)).map(|(name, _)| name.as_str()).collect();
    if new.is_empty() {
        return check(
            name,
            CheckStatus::Passed,
            format!("its inputs are among those of `{alias}` v{}", before.number),
        );
    }
    check(
        name,
        CheckStatus::Warning,
        format!("it takes inputs that v{} did not: {}", before.number, new.join(", ")),
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The metric that versions are compared by, its value, and whether more is better.
pub(crate) fn main_metric(metrics: &Value) -> Option<(&'static str, f64, bool)> {
    let order = [("auc", true), ("accuracy", true), ("r2", true), ("rmse", false)];
    order.into_iter().find_map(|(name, higher)| Some((name, metrics[name].as_f64()?, higher)))
}

fn check_model_name(name: &str) -> Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_plain && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 100 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a model", name.escape_debug()))
        .hint("use letters, digits, `-`, `_` and `.`: it is part of an address"))
}

fn check_alias(alias: &str) -> Result<()> {
    let is_plain =
        alias.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    if is_plain && alias.starts_with(|c: char| c.is_ascii_lowercase()) && alias.len() <= 60 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be an alias", alias.escape_debug()))
        .hint("use lower-case letters, digits, `-` and `_`, starting with a letter, such as `production`"))
}
