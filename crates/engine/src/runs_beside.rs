//! Runs beside each other: parameters, metrics, code, system, packages and files of each, a row for
//! whatever any of them has. What was not written down is left out, not guessed.

use std::collections::{BTreeMap, BTreeSet};

use base::{Result, RunId};
use serde_json::Value;
use store::metrics::{last_of_runs, params_of_runs};
use store::run_table;
use store::runs::Run;
use store::tracking::{artifacts, script_runs};

use crate::Engine;
use crate::commands::comparing::{BesideFile, BesideNumbers, BesideTexts, RunsBeside};
use crate::curve_views::named;
use crate::run_tables::{larger_is_better, row_view};

/// Paths of files in one answer.
const MOST_FILES: usize = 2_000;
/// Files that list packages, the most exact first: ours, and those that MLflow writes beside a model.
const PACKAGES: [&str; 3] = ["fettle/packages.txt", "model/requirements.txt", "requirements.txt"];
/// Where a captured command is described, and what was changed in its code.
pub(crate) const COMMAND: &str = "fettle/command.json";
pub(crate) const CHANGES: &str = "fettle/code.diff";
pub(crate) const COMMIT_TAG: &str = "mlflow.source.git.commit";

type Texts = BTreeMap<String, String>;

impl Engine {
    /// Runs beside each other.
    pub(crate) fn runs_beside(&self, names: &[String]) -> Result<RunsBeside> {
        let runs = self.compared_runs(names)?;
        let ids: Vec<RunId> = runs.iter().map(|run| run.id.clone()).collect();
        let place = |id: &RunId| ids.iter().position(|own| own == id);
        let (rows, last, given) = self.store().read(|db| {
            Ok((run_table::rows(db, &ids)?, last_of_runs(db, &ids)?, params_of_runs(db, &ids)?))
        })?;
        let mut params = vec![Texts::new(); runs.len()];
        for one in given {
            let Some(at) = place(&one.run_id) else { continue };
            params[at].insert(named(&one.step_id, &one.key), one.value);
        }
        let mut metrics = BTreeMap::<String, Vec<Option<f64>>>::new();
        let mut curves = Vec::new();
        for one in &last {
            let Some(at) = place(&one.run_id) else { continue };
            let name = named(&one.step_id, &one.last.key);
            let values = metrics.entry(name.clone()).or_insert_with(|| vec![None; runs.len()]);
            values[at] = Some(one.last.value).filter(|value| value.is_finite());
            if one.points > 1 {
                curves.push(name);
            }
        }
        for run in runs.iter().filter(|run| !run.pipeline.is_empty()) {
            curves.extend(self.step_curves(run)?.into_iter().map(|(name, ..)| name));
        }
        curves.sort_unstable();
        curves.dedup();
        let around = runs.iter().map(|run| self.around(run)).collect::<Result<Vec<_>>>()?;
        let packages = runs.iter().map(|run| self.packages(run)).collect::<Result<Vec<_>>>()?;
        let numbers = |(name, values): (String, _)| BesideNumbers {
            larger_is_better: larger_is_better(name.rsplit('.').next().unwrap_or(&name)),
            name,
            values,
        };
        Ok(RunsBeside {
            runs: rows.into_iter().map(|row| row_view(row, Vec::new())).collect(),
            params: beside(&params),
            metrics: metrics.into_iter().map(numbers).collect(),
            curves,
            environment: beside(&around),
            packages: beside(&packages),
            files: self.files_beside(&ids)?,
        })
    }

    /// What a run ran with.
    fn around(&self, run: &Run) -> Result<Texts> {
        let mut around = crate::run_views::environment(run);
        if !run.pipeline.is_empty() {
            for step in self.told(run.clone())?.steps {
                let programs: Texts =
                    serde_json::from_value(step.summary["environment"].clone()).unwrap_or_default();
                around.extend(programs.into_iter().map(|(name, value)| (named(&step.step_id, &name), value)));
            }
            return Ok(around);
        }
        // Of a script only what it wrote down: it may have run elsewhere, and with another Fettle.
        around.clear();
        let tags = self.store().read(|db| script_runs::tags(db, &run.id))?;
        for (tag, name) in [
            (COMMIT_TAG, "git commit"),
            ("mlflow.source.git.branch", "git branch"),
            ("mlflow.source.git.repoURL", "git repository"),
            ("mlflow.source.name", "command"),
            ("mlflow.user", "user"),
        ] {
            let value = tags.iter().find(|(key, _)| key == tag).map(|(_, value)| value.clone());
            around.extend(value.map(|value| (name.to_owned(), value)));
        }
        let Some(about) = self.command_of(run)? else { return Ok(around) };
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        for name in ["folder", "system", "processors", "fettle"] {
            around.extend(text(&about[name]).map(|value| (name.to_owned(), value)));
        }
        if let Some(changes) = self.text_of(run, CHANGES)? {
            let digest = store::Digest::of(&changes).to_hex();
            around.insert("changes since the commit".to_owned(), digest[..12].to_owned());
        }
        for (name, value) in about["environment"].as_object().into_iter().flatten() {
            around.extend(text(value).map(|value| (name.clone(), value)));
        }
        Ok(around)
    }

    fn packages(&self, run: &Run) -> Result<Texts> {
        for path in PACKAGES {
            if let Some(text) = self.text_of(run, path)? {
                return Ok(packages_in(&String::from_utf8_lossy(&text)));
            }
        }
        Ok(Texts::new())
    }

    /// How a captured command describes itself.
    pub(crate) fn command_of(&self, run: &Run) -> Result<Option<Value>> {
        // A script may put anything there; what is no description of ours says nothing.
        Ok(self.text_of(run, COMMAND)?.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// A small file of a run by a script, if it has it.
    pub(crate) fn text_of(&self, run: &Run, path: &str) -> Result<Option<Vec<u8>>> {
        const MOST_BYTES: u64 = 16 << 20;
        let file = self.file_of_run(&run.id, path)?.filter(|file| file.size_bytes <= MOST_BYTES);
        file.map(|file| self.store().objects().read(&file.digest)).transpose()
    }

    fn files_beside(&self, ids: &[RunId]) -> Result<Vec<BesideFile>> {
        let mut files = BTreeMap::<String, Vec<Option<u64>>>::new();
        for (at, id) in ids.iter().enumerate() {
            let Some(place) = self.place_in_run(id, "")? else { continue };
            for entry in self.store().read(|db| artifacts::tree(db, &place))? {
                if files.len() < MOST_FILES || files.contains_key(&entry.path) {
                    files.entry(entry.path).or_insert_with(|| vec![None; ids.len()])[at] = Some(entry.size);
                }
            }
        }
        Ok(files.into_iter().map(|(path, sizes)| BesideFile { path, sizes }).collect())
    }
}

/// The values of runs by name: a row for each name.
fn beside(runs: &[Texts]) -> Vec<BesideTexts> {
    let names: BTreeSet<&String> = runs.iter().flat_map(Texts::keys).collect();
    let row = |name: &String| BesideTexts {
        name: name.clone(),
        values: runs.iter().map(|run| run.get(name).cloned()).collect(),
    };
    names.into_iter().map(row).collect()
}

/// Packages with their versions, from lines as `pip freeze` writes them.
fn packages_in(text: &str) -> Texts {
    let package = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (name, version) = line.split_once("==").or_else(|| line.split_once(" @ "))?;
        // One package, however it is written: `PyYAML`, `scikit_learn`, `mlflow[extras]`.
        let name = name.split('[').next().unwrap_or_default().trim().to_lowercase().replace(['_', '.'], "-");
        let version = version.split(';').next().unwrap_or_default().trim();
        (!name.is_empty() && !name.starts_with('-')).then(|| (name, version.to_owned()))
    };
    text.lines().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_for_whatever_any_run_has() {
        let texts = |all: &[(&str, &str)]| -> Texts {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let rows =
            beside(&[texts(&[("depth", "3"), ("seed", "1")]), texts(&[("depth", "9"), ("alpha", "0.1")])]);
        let shown: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.values.clone())).collect();
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(
            shown,
            [
                ("alpha", vec![None, some("0.1")]),
                ("depth", vec![some("3"), some("9")]),
                ("seed", vec![some("1"), None]),
            ]
        );
    }

    #[test]
    fn packages_are_read_as_pip_and_mlflow_write_them() {
        let text = "python==3.12.3 # /usr/bin/python3\n\n-e git+https://host/x\nscikit_learn==1.5.0\n\
                    mlflow[extras]==3.1 ; python_version > '3.8'\nlocal @ file:///tmp/a\nnumpy\n# a note\n";
        let found: Vec<_> = packages_in(text).into_iter().collect();
        let expected =
            [("local", "file:///tmp/a"), ("mlflow", "3.1"), ("python", "3.12.3"), ("scikit-learn", "1.5.0")];
        assert_eq!(found, expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }
}
