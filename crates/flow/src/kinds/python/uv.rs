//! The program `uv`, which locks and makes Python environments: found, or installed from the Python
//! package index by a Python that is there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::{Cancel, Code, Error, Result};

use crate::foreign::{Quiet, quiet};

/// The variable that names the program where it is not on the PATH.
const NAMED: &str = "FETTLE_UV";
/// What is installed where there is none.
const PACKAGE: &str = "uv>=0.8,<1";
/// By these names a Python is looked for that can install it.
const PYTHONS: [&str; 3] = ["python3", "python", "py"];
/// Words of `uv` for a network that does not answer.
const NO_NETWORK: [&str; 5] =
    ["dns error", "error sending request", "Failed to fetch", "Could not connect", "network connectivity"];

/// The program.
#[derive(Debug, Clone)]
pub struct Uv {
    program: PathBuf,
}

impl Uv {
    /// The one named by `FETTLE_UV`, on the PATH, or installed by us below `tools`.
    pub fn find(tools: &Path) -> Option<Self> {
        let named = std::env::var_os(NAMED).map(PathBuf::from).filter(|path| path.is_file());
        let installed = program_in(&tools.join("uv"), "uv");
        let found = named.or_else(|| on_path("uv")).or_else(|| Some(installed).filter(|path| path.is_file()));
        found.map(|program| Self { program })
    }

    /// As [`Uv::find`]; where there is none, it is installed below `tools`.
    ///
    /// # Errors
    /// [`Code::Unavailable`] with the ways out; [`Code::Cancelled`].
    pub fn find_or_install(tools: &Path, cancel: &Cancel) -> Result<Self> {
        if let Some(found) = Self::find(tools) {
            return Ok(found);
        }
        let mut error = Error::new(Code::Unavailable, "there is no `uv` to make Python environments with")
            .hint("install it (`pip install uv`, or see docs.astral.sh/uv), or name it in FETTLE_UV");
        std::fs::create_dir_all(tools).map_err(|e| Error::io("create", tools, &e))?;
        for python in PYTHONS.iter().filter_map(|name| on_path(name)) {
            match install(&python, &tools.join("uv"), cancel) {
                Ok(()) => match Self::find(tools) {
                    Some(found) => return Ok(found),
                    None => error = error.because(format!("`{}` installed it elsewhere", python.display())),
                },
                Err(e) if e.code == Code::Cancelled => return Err(e),
                Err(e) => error = error.because(e),
            }
        }
        Err(error)
    }

    /// Runs it quietly and hands over what it printed.
    ///
    /// # Errors
    /// [`Code::Unavailable`] with its last words; [`Code::Cancelled`].
    pub fn ask<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
        cancel: &Cancel,
    ) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .env("UV_NO_PROGRESS", "1")
            .env("NO_COLOR", "1")
            .env("UV_PYTHON_PREFERENCE", "system");
        without_python(&mut command);
        let Quiet { status, stdout, stderr } = quiet(&mut command, cancel)?;
        if status.success() {
            return Ok(stdout);
        }
        let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut error = Error::new(Code::Unavailable, "`uv` failed");
        error.causes.extend(lines.iter().take(12).map(|line| (*line).to_owned()));
        Err(if NO_NETWORK.iter().any(|words| stderr.contains(words)) {
            error.hint("the packages are not in uv's cache and their index cannot be reached: connect once, or set UV_FIND_LINKS or UV_INDEX_URL to what can be")
        } else {
            error.hint("correct the packages or the Python version of the step")
        })
    }
}

/// Takes out of a program's variables what would lead a Python to other packages than its own.
pub fn without_python(command: &mut Command) {
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        command.env_remove(name);
    }
}

/// Where a program of a virtual environment is.
pub fn program_in(environment: &Path, name: &str) -> PathBuf {
    if cfg!(windows) {
        environment.join("Scripts").join(format!("{name}.exe"))
    } else {
        environment.join("bin").join(name)
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

fn install(python: &Path, folder: &Path, cancel: &Cancel) -> Result<()> {
    let run = |program: &Path, words: &[&OsStr]| {
        let mut command = Command::new(program);
        command.args(words);
        without_python(&mut command);
        let Quiet { status, stderr, stdout } = quiet(&mut command, cancel)?;
        if status.success() {
            return Ok(());
        }
        let said = format!("{stdout}\n{stderr}");
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        Err(Error::new(Code::Unavailable, format!("`{}` cannot install it", program.display())).because(last))
    };
    run(python, &["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), folder.as_os_str()])?;
    let own = program_in(folder, "python");
    run(&own, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE].map(AsRef::as_ref))
}
