//! `python`: a function of a script, or a notebook, as a step, in an environment of its own.

mod environment;
mod presets;
mod uv;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::foreign::{self, ARTIFACTS, Desk, Folder, Format, Job, METRICS, Slot};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Ports, Preset, Shapes, SourceTable,
    TableShape, Work,
};
use crate::outside::{Outside, Place, check_path};
use environment::{Environment, Wanted};

/// Hands over what goes in and takes what comes back; runs in the step's own Python.
const DRIVER: &str = include_str!("driver.py");

/// The kind `python`.
pub struct Python;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// A script (`.py`) or notebook (`.ipynb`) of the project. Empty if the text is below.
    script: String,
    /// The text of a script.
    #[schemars(extend("x-lines" = true, "x-expression" = "python"))]
    code: String,
    /// The function of the script that is called. Its arguments are the names of inputs and parameters.
    function: String,
    /// What goes in, one a line: `name` is a table, `name:files`, `name:model`, `name:metrics` something
    /// else; with `?` at its end the step runs without it.
    inputs: Vec<String>,
    /// What the function gives back, one a line: `name` is a table, `name:files` a file or a folder.
    outputs: Vec<String>,
    /// Values for the function's other arguments, or for the notebook's variables.
    parameters: Map<String, Value>,
    /// Packages, one a line as in a requirements file, such as `scikit-learn>=1.5`. They are locked
    /// once, into the project's folder `locks`.
    packages: Vec<String>,
    /// A requirements file, `pyproject.toml` or `uv.lock` of the project, in place of or besides packages.
    environment: String,
    /// The version of Python, such as `3.12`; empty for the one that is there.
    python: String,
    /// As what a table comes that the function does not annotate.
    tables: Tables,
    /// Other files of the project that the script needs; a change to one of them means a rerun. `*`,
    /// `**` and names of folders are understood.
    files: Vec<String>,
    /// Where it works: a fresh folder with only the files above, or the project's.
    folder: Folder,
}

/// As what a table comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tables {
    /// A `pandas.DataFrame`.
    #[default]
    Pandas,
    /// A `polars.DataFrame`.
    Polars,
    /// A `pyarrow.Table`.
    Pyarrow,
}

impl Tables {
    fn word(self) -> &'static str {
        match self {
            Self::Pandas => "pandas",
            Self::Polars => "polars",
            Self::Pyarrow => "pyarrow",
        }
    }

    /// What it takes to read and write one.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Pandas => &["pandas", "pyarrow"],
            Self::Polars => &["polars"],
            Self::Pyarrow => &["pyarrow"],
        }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            script: String::new(),
            code: "def run(table):\n    return table\n".to_owned(),
            function: "run".to_owned(),
            inputs: vec!["table".to_owned()],
            outputs: vec!["result".to_owned()],
            parameters: Map::new(),
            packages: Vec::new(),
            environment: String::new(),
            python: String::new(),
            tables: Tables::default(),
            files: Vec::new(),
            folder: Folder::default(),
        }
    }
}

impl Params {
    fn is_notebook(&self) -> bool {
        self.script.ends_with(".ipynb")
    }

    /// The environment that the step needs: what the user lists, and what tables and notebooks take.
    fn wanted(&self) -> Result<Wanted> {
        let (inputs, outputs) = foreign::slots(&self.inputs, &self.outputs)?;
        let given = self.packages.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let mut packages: Vec<String> = given.map(str::to_owned).collect();
        let file = Some(self.environment.trim()).filter(|file| !file.is_empty()).map(str::to_owned);
        let has_tables = inputs.iter().chain(&outputs).any(|slot| slot.port_type == PortType::Table);
        let for_tables = if has_tables { self.tables.packages() } else { &[] };
        let for_notebook: &[&str] = if self.is_notebook() { &["nbclient", "ipykernel"] } else { &[] };
        // A file of the user's own is taken as it is: it says all that is needed.
        let implied = for_tables.iter().chain(for_notebook).filter(|_| file.is_none());
        for name in implied {
            if !packages.iter().any(|package| name_of(package) == *name) {
                packages.push((*name).to_owned());
            }
        }
        packages.sort();
        Ok(Wanted { python: self.python.trim().to_owned(), packages, file })
    }

    fn check(&self) -> Result<(), Misfit> {
        let misfit =
            |param: &str, what: &str, hint: &str| Err(Misfit::param(param, Error::invalid(what).hint(hint)));
        if self.script.trim().is_empty() && self.code.trim().is_empty() {
            return misfit("script", "there is no script", "name a file of the project, or write the code");
        }
        if !self.script.is_empty() {
            check_path(&self.script).map_err(|error| Misfit::param("script", error))?;
            if !self.script.ends_with(".py") && !self.is_notebook() {
                return misfit(
                    "script",
                    "that is no Python file",
                    "name a file that ends in `.py` or `.ipynb`",
                );
            }
        }
        let is_identifier = |text: &str| {
            text.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        if !self.is_notebook() && !is_identifier(&self.function) {
            return misfit("function", "that cannot be the name of a function", "write one such as `run`");
        }
        let is_version = |text: &str| {
            text.split('.').count() <= 3 && text.split('.').all(|part| part.parse::<u16>().is_ok())
        };
        if !self.python.trim().is_empty() && !is_version(self.python.trim()) {
            return misfit("python", "that is no version of Python", "write one such as `3.12`");
        }
        if self.packages.iter().any(|text| text.trim_start().starts_with('-') || text.contains('\n')) {
            return misfit(
                "packages",
                "a package cannot be an option",
                "write one package a line, without options",
            );
        }
        if self.environment.trim().ends_with("uv.lock") && !self.packages.is_empty() {
            return misfit(
                "packages",
                "`uv.lock` says all packages already",
                "add them to the project's `pyproject.toml`",
            );
        }
        Ok(())
    }

    /// The script that is run: copied into the working folder, or written there.
    fn script(&self, desk: &Desk) -> Result<PathBuf> {
        if !self.script.is_empty() {
            return Ok(desk.folder().join(&self.script));
        }
        write(&desk.root().join("step.py"), &self.code)
    }

    /// The command that runs the driver.
    fn command(
        &self,
        desk: &Desk,
        environment: &Environment,
        slots: (&[Slot], &[Slot]),
        work: &Work,
    ) -> Result<Command> {
        let side = |slots: &[Slot], places: &BTreeMap<String, PathBuf>| -> Map<String, Value> {
            let there = slots.iter().filter_map(|slot| Some((slot, places.get(&slot.name)?)));
            there
                .map(|(slot, path)| {
                    (slot.name.clone(), json!({ "path": path, "type": slot.port_type.name() }))
                })
                .collect()
        };
        let call = json!({
            "script": self.script(desk)?,
            "notebook": self.is_notebook(),
            "function": self.function,
            "tables": self.tables.word(),
            "inputs": side(slots.0, &desk.inputs),
            "outputs": side(slots.1, &desk.outputs),
            "parameters": self.parameters,
            "metrics": desk.metrics(),
            "artifacts": desk.artifacts(),
            "threads": work.threads,
        });
        let driver = write(&desk.root().join("driver.py"), DRIVER)?;
        let call = write(&desk.root().join("call.json"), &call.to_string())?;
        let mut command = Command::new(&environment.python);
        command.arg("-u").arg(driver).arg(call);
        uv::without_python(&mut command);
        for (name, value) in [
            ("PYTHONHASHSEED", "0"),
            ("PYTHONUTF8", "1"),
            ("PYTHONFAULTHANDLER", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONNOUSERSITE", "1"),
            ("MPLBACKEND", "Agg"),
        ] {
            command.env(name, value);
        }
        // Programs of the environment, such as a kernel, are found first.
        if let Some(folder) = environment.python.parent() {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let all = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
            if let Ok(path) = std::env::join_paths(all) {
                command.env("PATH", path);
            }
        }
        Ok(command)
    }
}

/// A package's name without version, extras and markers (PEP 503).
fn name_of(package: &str) -> String {
    let end =
        package.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(package.len());
    package[..end].to_lowercase().replace(['_', '.'], "-")
}

fn write(path: &Path, text: &str) -> Result<PathBuf> {
    std::fs::write(path, text).map_err(|e| Error::io("write", path, &e))?;
    Ok(path.to_owned())
}

impl Kind for Python {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "python",
            version: 1,
            title: "Python",
            category: Category::Code,
            summary: "Calls a Python function, or runs a notebook, over tables and files.",
            doc: "`def run(table, rounds=10)` gets the input `table` and the parameter `rounds`, and gives \
                  back a data frame, or a dict of outputs by name. An annotation says as what a table comes: \
                  `pd.DataFrame`, `pl.DataFrame`, `pa.Table`, or `Path` for the Parquet file itself. An \
                  argument `fettle` has `log_metric(name, value, step)`, `artifacts` (a folder for figures), \
                  `parameters` and `threads`. Packages are locked once with uv into the project's folder \
                  `locks` and installed into an environment of the step's own; lock and version of Python \
                  are part of what a result depends on. A notebook gets its parameters in a cell after the \
                  one tagged `parameters`, writes outputs to the paths in FETTLE_OUTPUTS, and is kept as an \
                  artifact as it ran. See the manual's page on steps of your own.",
            synonyms: &[
                "script", "notebook", "jupyter", "pandas", "polars", "sklearn", "xgboost", "pytorch",
                "own code",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "As `inputs` says.")] },
            outputs: const { &[Port::one("result", PortType::Table, "As `outputs` says."), METRICS, ARTIFACTS] },
            names_inputs: false,
        }
    }

    fn ports(&self, params: &Params) -> Result<Ports, Misfit> {
        foreign::ports(&params.inputs, &params.outputs)
    }

    fn names_ports(&self) -> bool {
        true
    }

    fn presets(&self) -> &'static [Preset] {
        presets::PRESETS
    }

    fn prepare(&self, params: &Params, place: &Place, progress: &Progress) -> Result<()> {
        params.wanted()?.lock(place, progress)
    }

    fn outside(&self, params: &Params, place: &Place) -> Result<Outside> {
        let mut outside = Outside::default();
        let mut files = params.files.clone();
        files.extend(Some(params.script.clone()).filter(|script| !script.is_empty()));
        outside.add_files(&place.project, &files)?;
        let (lock, python) = params.wanted()?.facts(place)?;
        outside.facts.insert("lock".to_owned(), lock);
        outside.facts.insert("python".to_owned(), python);
        Ok(outside)
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.check().map(|()| None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let place = work.place.as_ref().ok_or_else(|| {
            Error::invalid("foreign code runs in a project only")
                .hint("run the pipeline to see what it gives")
        })?;
        let made = params.wanted()?.make(place, &work.progress, &|line| work.log(line))?;
        let (inputs, outputs) = foreign::slots(&params.inputs, &params.outputs)?;
        let job = Job {
            inputs: inputs.clone(),
            outputs: outputs.clone(),
            folder: params.folder,
            format: Format::Parquet,
            parameters: &params.parameters,
            environment: BTreeMap::from([
                ("python".to_owned(), made.version.clone()),
                ("lock".to_owned(), made.lock.clone()),
            ]),
        };
        foreign::run(&job, work, |desk| params.command(desk, &made, (&inputs, &outputs), work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_tables_and_notebooks_take_are_added_once() {
        let params =
            Params { packages: vec!["Pandas>=2".to_owned(), "scikit_learn".to_owned()], ..Params::default() };
        assert_eq!(params.wanted().expect("good").packages, ["Pandas>=2", "pyarrow", "scikit_learn"]);
        let notebook = Params {
            script: "a.ipynb".to_owned(),
            inputs: Vec::new(),
            outputs: vec!["plot:files".to_owned()],
            ..Params::default()
        };
        assert_eq!(notebook.wanted().expect("good").packages, ["ipykernel", "nbclient"]);
        let own = Params { environment: "requirements.txt".to_owned(), ..Params::default() };
        assert!(own.wanted().expect("good").packages.is_empty());
    }

    #[test]
    fn what_cannot_run_is_refused_at_its_parameter() {
        let refused = |params: Params| params.check().expect_err("wrong").param.unwrap_or_default();
        let good = Params::default;
        assert_eq!(refused(Params { code: " ".to_owned(), ..good() }), "script");
        assert_eq!(refused(Params { script: "../x.py".to_owned(), ..good() }), "script");
        assert_eq!(refused(Params { script: "x.R".to_owned(), ..good() }), "script");
        assert_eq!(refused(Params { function: "a b".to_owned(), ..good() }), "function");
        assert_eq!(refused(Params { python: "three".to_owned(), ..good() }), "python");
        assert_eq!(refused(Params { packages: vec!["-r /etc/passwd".to_owned()], ..good() }), "packages");
        assert!(good().check().is_ok());
    }

    #[test]
    fn a_package_is_known_by_its_normal_name() {
        for (text, name) in
            [("Scikit_Learn[all]>=1", "scikit-learn"), ("a.b ; x", "a-b"), ("pandas", "pandas")]
        {
            assert_eq!(name_of(text), name);
        }
    }
}
