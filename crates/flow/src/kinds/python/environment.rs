//! The environment of a Python step: its packages are locked once into a file of the project, and
//! installed from that lock into a folder that is named after it, as far as possible without network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base::{Cancel, Code, Error, Progress, Result};

use super::uv::{Uv, program_in, without_python};
use crate::foreign::quiet;
use crate::outside::{Place, check_path};

/// So many environments are kept; those used longest ago go first.
const KEPT: usize = 8;
/// Folder of the project with the locks, to be committed.
const LOCKS: &str = "locks";
/// A file in each environment that is complete; its time says when it was used last.
const READY: &str = ".fettle-ready";

/// What a step needs of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A version such as `3.12`; any if empty.
    pub python: String,
    /// Packages as in a requirements file.
    pub packages: Vec<String>,
    /// A requirements file, `pyproject.toml` or `uv.lock` of the project.
    pub file: Option<String>,
}

/// An environment that is in use: it is not removed before this is dropped.
#[derive(Debug)]
pub struct Environment {
    /// Its interpreter.
    pub python: PathBuf,
    /// The interpreter's version.
    pub version: String,
    /// The hash of its lock.
    pub lock: String,
    _held: File,
}

impl Wanted {
    /// Finds the interpreter, and locks the packages unless the project has their lock already.
    ///
    /// # Errors
    /// There is no `uv` or no such Python, or the packages do not go together.
    pub fn lock(&self, place: &Place, progress: &Progress) -> Result<()> {
        progress.step("looking for Python", 0, None)?;
        let cancel = progress.cancel();
        // The interpreter's version is part of the key, so it has to be there before that is made.
        let uv = Uv::find_or_install(&place.tools, cancel)?;
        let python = self.interpreter(&uv, cancel)?;
        if self.is_plain() || self.lock_file(place)?.exists() {
            return Ok(());
        }
        progress.step("locking Python packages", 0, None)?;
        let within = |e: Error| e.within("cannot lock the packages of the step");
        let locked = self.locked(&uv, &python, place, cancel).map_err(within)?;
        let text = format!("# Locked by Fettle for {}; commit this file.\n{locked}", self.shown());
        let path = self.lock_file(place)?;
        let folder = place.project.join(LOCKS);
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, &e))?;
        store::files::write_atomic(&path, text.as_bytes())
    }

    /// Hash of the lock and version of the interpreter, as far as they are known without network.
    ///
    /// # Errors
    /// The lock cannot be read.
    pub fn facts(&self, place: &Place) -> Result<(String, String)> {
        let lock = match self.lock_text(place) {
            Ok(text) => hash_of(&text),
            Err(e) if e.code == Code::NotFound => "not locked yet".to_owned(),
            Err(e) => return Err(e),
        };
        let cancel = Cancel::default();
        let found = Uv::find(&place.tools).and_then(|uv| self.find(&uv, &cancel).ok().flatten());
        let version = found.and_then(|python| version_of(&python, &cancel).ok());
        Ok((lock, version.unwrap_or_else(|| "not found".to_owned())))
    }

    /// The environment, made from the lock if it is not there.
    ///
    /// # Errors
    /// As [`Wanted::lock`]; a package is neither in uv's cache nor to be had.
    pub fn make(&self, place: &Place, progress: &Progress, log: &dyn Fn(&str)) -> Result<Environment> {
        let cancel = progress.cancel();
        let uv = Uv::find_or_install(&place.tools, cancel)?;
        let base = self.interpreter(&uv, cancel)?;
        let version = version_of(&base, cancel)?;
        let text = self.lock_text(place)?;
        let lock = hash_of(&text);
        let all = place.tools.join("environments");
        fs::create_dir_all(&all).map_err(|e| Error::io("create", &all, &e))?;
        let folder = all.join(&hash_of(&format!("{version}\n{}\n{text}", base.display()))[..24]);
        let python = program_in(&folder, "python");
        let held = hold(&folder, cancel)?;
        if !folder.join(READY).exists() {
            progress.step("making the Python environment", 0, None)?;
            make_room(&all, &folder)?;
            build(&uv, &base, &folder, &text, cancel)
                .map_err(|e| e.within("cannot make the Python environment"))?;
            let packages = text.lines().filter(|line| line.contains("==")).count();
            log(&format!("[fettle] made an environment of {packages} packages with Python {version}"));
        }
        let ready = folder.join(READY);
        fs::write(&ready, &text).map_err(|e| Error::io("write", &ready, &e))?;
        // Others may use it at the same time, and none may remove it.
        held.lock_shared().map_err(|e| Error::io("lock", &folder, &e))?;
        Ok(Environment { python, version, lock, _held: held })
    }

    fn is_plain(&self) -> bool {
        self.packages.is_empty() && self.file.is_none()
    }

    fn shown(&self) -> String {
        let python =
            if self.python.is_empty() { "any Python".to_owned() } else { format!("Python {}", self.python) };
        let file = self.file.iter().cloned();
        file.chain(self.packages.iter().cloned()).chain([python]).collect::<Vec<_>>().join(", ")
    }

    /// Named after what is asked for, so that another list has another lock.
    fn lock_file(&self, place: &Place) -> Result<PathBuf> {
        let mut asked = format!("{}\n{}\n", self.python, self.packages.join("\n"));
        for path in self.files(place)? {
            let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
            asked.push_str(&text.replace("\r\n", "\n"));
        }
        Ok(place.project.join(LOCKS).join(format!("python-{}.txt", &hash_of(&asked)[..16])))
    }

    /// The file that is named, and the lock beside it if there is one.
    fn files(&self, place: &Place) -> Result<Vec<PathBuf>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        check_path(file)?;
        let path = place.project.join(file);
        if !path.is_file() {
            return Err(Error::new(Code::InvalidInput, format!("the project has no file `{file}`"))
                .hint("paths begin at the project's folder"));
        }
        let beside = path.with_file_name("uv.lock");
        let is_project = path.file_name().is_some_and(|name| name == "pyproject.toml");
        Ok(if is_project && beside.is_file() { vec![path, beside] } else { vec![path] })
    }

    fn lock_text(&self, place: &Place) -> Result<String> {
        if self.is_plain() {
            return Ok(String::new());
        }
        let path = self.lock_file(place)?;
        let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
        // A checkout on Windows may have other line ends, and means the same.
        Ok(text.replace("\r\n", "\n"))
    }

    fn locked(&self, uv: &Uv, python: &Path, place: &Place, cancel: &Cancel) -> Result<String> {
        let files = self.files(place)?;
        let own = files.iter().find(|path| path.file_name().is_some_and(|name| name == "uv.lock"));
        if let Some(folder) = own.and_then(|path| path.parent()) {
            let words =
                ["export", "--quiet", "--frozen", "--no-emit-project", "--no-header", "--no-annotate"];
            let mut words: Vec<&std::ffi::OsStr> = words.map(AsRef::as_ref).to_vec();
            words.extend(["--project".as_ref(), folder.as_os_str()]);
            return uv.ask(words, cancel);
        }
        let asked = tempfile::Builder::new().suffix(".in").tempfile();
        let asked = asked.map_err(|e| Error::io("create a file in", &std::env::temp_dir(), &e))?;
        fs::write(asked.path(), self.packages.join("\n"))
            .map_err(|e| Error::io("write", asked.path(), &e))?;
        let words =
            ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"];
        let mut words: Vec<&std::ffi::OsStr> = words.map(AsRef::as_ref).to_vec();
        words.extend(["--python".as_ref(), python.as_os_str(), asked.path().as_os_str()]);
        words.extend(files.iter().map(|path| path.as_os_str()));
        uv.ask(words, cancel)
    }

    /// The interpreter that is wanted, if it is on this machine.
    fn find(&self, uv: &Uv, cancel: &Cancel) -> Result<Option<PathBuf>> {
        let mut words = vec!["python", "find", "--system", "--no-python-downloads", "--no-project"];
        words.extend(Some(self.python.as_str()).filter(|version| !version.is_empty()));
        match uv.ask(words, cancel) {
            Ok(path) => Ok(Some(path.trim()).filter(|path| !path.is_empty()).map(PathBuf::from)),
            Err(e) if e.code == Code::Cancelled => Err(e),
            Err(_) => Ok(None),
        }
    }

    fn interpreter(&self, uv: &Uv, cancel: &Cancel) -> Result<PathBuf> {
        if let Some(found) = self.find(uv, cancel)? {
            return Ok(found);
        }
        let shown = if self.python.is_empty() { "3.12" } else { &self.python };
        let missing = |e: Error| {
            e.within(format!("there is no Python {shown} on this machine"))
                .hint(format!("install it, or have uv do so: `uv python install {shown}`"))
        };
        uv.ask(["python", "install", "--quiet", shown], cancel).map_err(missing)?;
        let found = self.find(uv, cancel)?;
        found.ok_or_else(|| missing(Error::new(Code::Unavailable, "uv installed none that fits")))
    }
}

fn hash_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn version_of(python: &Path, cancel: &Cancel) -> Result<String> {
    let mut command = Command::new(python);
    command.args(["-I", "-c", "import platform as p; print(p.python_implementation(), p.python_version())"]);
    without_python(&mut command);
    let said = quiet(&mut command, cancel)?;
    let version = said.stdout.trim().trim_start_matches("CPython ").to_owned();
    if said.status.success() && !version.is_empty() {
        return Ok(version);
    }
    Err(Error::new(Code::Unavailable, format!("`{}` does not say its version", python.display()))
        .because(said.stderr.trim()))
}

/// The lock on an environment's folder, taken alone: nobody else makes, uses or removes it.
fn hold(folder: &Path, cancel: &Cancel) -> Result<File> {
    let path = folder.with_extension("lock");
    let file =
        File::options().create(true).append(true).open(&path).map_err(|e| Error::io("write", &path, &e))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if folder.join(READY).exists() => {
                // One that is complete is not changed any more: to use it beside others is enough.
                if file.try_lock_shared().is_ok() {
                    return Ok(file);
                }
            }
            Err(fs::TryLockError::WouldBlock) => (),
            Err(fs::TryLockError::Error(e)) => return Err(Error::io("lock", &path, &e)),
        }
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn build(uv: &Uv, base: &Path, folder: &Path, lock: &str, cancel: &Cancel) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| Error::io("remove", folder, &e))?;
    }
    let words = ["venv", "--quiet", "--no-project", "--python"].map(std::ffi::OsStr::new);
    uv.ask(words.into_iter().chain([base.as_os_str(), folder.as_os_str()]), cancel)?;
    if lock.is_empty() {
        return Ok(());
    }
    let file = folder.join("requirements.txt");
    fs::write(&file, lock).map_err(|e| Error::io("write", &file, &e))?;
    let python = program_in(folder, "python");
    let sync = |more: &[&str]| {
        let words = ["pip", "sync", "--quiet", "--python"].map(std::ffi::OsStr::new);
        let more = more.iter().map(std::ffi::OsStr::new);
        uv.ask(words.into_iter().chain([python.as_os_str(), file.as_os_str()]).chain(more), cancel)
    };
    // What is in uv's cache needs no network, and asking for it would be a connection for nothing.
    match sync(&["--offline"]) {
        Ok(_) => Ok(()),
        Err(e) if e.code == Code::Cancelled => Err(e),
        Err(_) => sync(&[]).map(drop),
    }
}

/// Removes environments that nobody uses, those used longest ago first, until there is room for one.
fn make_room(all: &Path, wanted: &Path) -> Result<()> {
    let entries = fs::read_dir(all).map_err(|e| Error::io("list", all, &e))?;
    let used = |folder: &PathBuf| fs::metadata(folder.join(READY)).and_then(|found| found.modified()).ok();
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && path != wanted)
        .collect();
    folders.sort_by_key(used);
    let over = (folders.len() + 1).saturating_sub(KEPT);
    for folder in &folders[..over] {
        let lock = File::options().append(true).create(true).open(folder.with_extension("lock"));
        // One that is in use stays for now.
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            fs::remove_dir_all(folder).map_err(|e| Error::io("remove", folder, &e))?;
        }
    }
    Ok(())
}
