//! What is laid out for a program: its working folder, the files that go in, and the places where
//! what comes out is expected. Everything is a copy, so that a program can break nothing but its own
//! result.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use base::{Code, Error, Result};
use data::TableFile;
use serde_json::Value;

use super::{Folder, Job, Slot, tables};
use crate::kind::{Outcome, PortType, Work};
use crate::kinds::table_face;
use crate::outside::hash;

/// The folder in a step's output that everything is laid out in. It is gone before the output is kept.
const SCRATCH: &str = ".desk";

/// What a file or folder looked like: length and time of each file below it.
type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// What is laid out for one run of a program.
#[derive(Debug)]
pub struct Desk {
    root: PathBuf,
    folder: PathBuf,
    is_project: bool,
    threads: usize,
    variables: BTreeMap<String, String>,
    /// Where each input is, by name.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Where each output is expected, by name.
    pub outputs: BTreeMap<String, PathBuf>,
    before: BTreeMap<String, Look>,
    like: Option<data::TableMeta>,
}

impl Desk {
    /// Lays everything out.
    ///
    /// # Errors
    /// A declared file is not what it was when the key was made; the disk refuses; `cancelled`.
    pub fn lay(job: &Job<'_>, work: &Work) -> Result<Self> {
        let root = work.out.join(SCRATCH);
        let place = work.place.as_ref().ok_or_else(|| {
            Error::invalid("foreign code runs in a project only")
                .hint("run the pipeline to see what it gives")
        })?;
        let is_project = job.folder == Folder::Project;
        let folder = if is_project { place.project.clone() } else { root.join("work") };
        for name in ["work", "inputs", "outputs", "artifacts"] {
            make(&root.join(name))?;
        }
        let mut desk = Self {
            folder,
            is_project,
            threads: work.threads,
            variables: place.environment.clone(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            before: BTreeMap::new(),
            like: None,
            root,
        };
        if !is_project {
            desk.copy_sources(&place.project, work)?;
        }
        desk.check_sources(work)?;
        desk.lay_inputs(job, work)?;
        desk.place_outputs(job)?;
        desk.write_parameters(job)?;
        Ok(desk)
    }

    /// Where the program works.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder for files that go with the run and that the program does not see.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where metrics are expected.
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.json")
    }

    /// Where the parameters are.
    pub fn parameters(&self) -> PathBuf {
        self.root.join("parameters.json")
    }

    /// Where figures and other files are expected.
    pub fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// Gives a program its working folder and its variables.
    pub fn furnish(&self, command: &mut Command) {
        command.current_dir(&self.folder).envs(&self.variables);
        for (name, path) in &self.inputs {
            command.env(format!("FETTLE_INPUT_{}", name.to_uppercase()), path);
        }
        for (name, path) in &self.outputs {
            command.env(format!("FETTLE_OUTPUT_{}", name.to_uppercase()), path);
        }
        command
            .env("FETTLE_PARAMS", self.parameters())
            .env("FETTLE_METRICS", self.metrics())
            .env("FETTLE_ARTIFACTS", self.artifacts());
        // Libraries of numerics take all cores unless they are told, and others work beside them.
        for name in [
            "FETTLE_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "POLARS_MAX_THREADS",
            "LOKY_MAX_CPU_COUNT",
            "RAYON_NUM_THREADS",
        ] {
            command.env(name, self.threads.to_string());
        }
    }

    /// Makes sure that the declared files are those that the key was made of.
    fn check_sources(&self, work: &Work) -> Result<()> {
        for (path, content) in &work.outside.files {
            if !hash(&self.folder.join(path)).is_ok_and(|now| now == *content) {
                return Err(Error::new(Code::Conflict, format!("file `{path}` changed while the step ran"))
                    .hint("run the pipeline again; a step must not write the files it depends on"));
            }
        }
        Ok(())
    }

    /// Makes sure of it again after the program. With copies it may do what it likes.
    ///
    /// # Errors
    /// [`Code::Conflict`] naming the file.
    pub fn check_sources_again(&self, work: &Work) -> Result<()> {
        if self.is_project { self.check_sources(work) } else { Ok(()) }
    }

    fn copy_sources(&self, project: &Path, work: &Work) -> Result<()> {
        for path in work.outside.files.keys() {
            work.progress.step("copying files", 0, None)?;
            copy_file(&project.join(path), &self.folder.join(path))?;
        }
        Ok(())
    }

    fn lay_inputs(&mut self, job: &Job<'_>, work: &Work) -> Result<()> {
        for slot in &job.inputs {
            let Some(input) = work.input_all(&slot.name).first() else { continue };
            work.progress.step("handing over inputs", 0, None)?;
            let to = self.place_of_input(slot, job);
            if self.is_project && slot.path.is_some() && fs::symlink_metadata(&to).is_ok() {
                self.check_input(slot, &input.folder, &to)?;
                self.inputs.insert(slot.name.clone(), to);
                continue;
            }
            if let Some(parent) = to.parent() {
                make(parent)?;
            }
            let to = match slot.port_type {
                PortType::Table => {
                    let format = format_of(slot).unwrap_or(job.format);
                    tables::hand_over(&input.folder, &to, format, &work.progress)?;
                    if self.like.is_none() {
                        self.like = Some(TableFile::open(&input.folder)?.meta().clone());
                    }
                    to
                }
                PortType::Model | PortType::Metrics | PortType::Report => copy_all(&input.folder, &to)?,
                PortType::Files => self.hand_files(&input.folder, &to, slot)?,
            };
            self.inputs.insert(slot.name.clone(), to);
        }
        Ok(())
    }

    fn place_of_input(&self, slot: &Slot, job: &Job<'_>) -> PathBuf {
        match &slot.path {
            Some(path) => self.folder.join(path),
            None if slot.port_type == PortType::Table => {
                self.root.join("inputs").join(format!("{}.{}", slot.name, job.format.ending()))
            }
            None => self.root.join("inputs").join(&slot.name),
        }
    }

    /// What already lies in the project where an input belongs must be that input, as it is when the
    /// step before has just written it there. Nothing of the project is written over.
    fn check_input(&self, slot: &Slot, from: &Path, there: &Path) -> Result<()> {
        let is_it = slot.port_type == PortType::Files && is_same(&one_of(from)?, there)?;
        if is_it {
            return Ok(());
        }
        let path = slot.path.as_deref().unwrap_or_default();
        Err(Error::new(
            Code::Conflict,
            format!("input `{}` would be written over `{path}` in the project, which is something else", slot.name),
        )
        .hint("move it away or delete it; or leave the path out and read FETTLE_INPUT_…, or work in a fresh folder"))
    }

    /// An output that was one file or one folder is that again; several files are their folder.
    fn hand_files(&self, from: &Path, to: &Path, slot: &Slot) -> Result<PathBuf> {
        let one = one_of(from)?;
        match &slot.path {
            None if one != from => copy_all(&one, &to.join(one.file_name().unwrap_or_default())),
            _ => copy_all(&one, to),
        }
    }

    fn place_outputs(&mut self, job: &Job<'_>) -> Result<()> {
        for slot in &job.outputs {
            let path = match &slot.path {
                Some(path) => self.folder.join(path),
                None if slot.port_type == PortType::Table => {
                    self.root.join("outputs").join(format!("{}.{}", slot.name, job.format.ending()))
                }
                None => self.root.join("outputs").join(&slot.name),
            };
            if let Some(parent) = path.parent().filter(|_| !self.is_project) {
                make(parent)?;
            }
            if path.exists() {
                self.before.insert(slot.name.clone(), look(&path)?);
            }
            self.outputs.insert(slot.name.clone(), path);
        }
        Ok(())
    }

    fn write_parameters(&mut self, job: &Job<'_>) -> Result<()> {
        let json = serde_json::to_vec_pretty(job.parameters)
            .map_err(|e| Error::internal("cannot write parameters").because(e))?;
        let path = self.parameters();
        fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))?;
        for (name, value) in job.parameters {
            let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => continue,
            };
            if is_name && !text.contains('\0') {
                self.variables.insert(format!("FETTLE_PARAM_{}", name.to_uppercase()), text);
            }
        }
        Ok(())
    }

    /// Takes what the program made, all of it or nothing.
    ///
    /// # Errors
    /// [`Code::StepFailed`] naming the output that is missing or is not what it should be.
    pub fn take_outputs(&self, job: &Job<'_>, work: &Work) -> Result<Outcome> {
        let missing: Vec<String> = job.outputs.iter().filter_map(|slot| self.missing(slot)).collect();
        if !missing.is_empty() {
            return Err(Error::new(
                Code::StepFailed,
                format!("the program ended well, but did not write {}", missing.join(" and ")),
            )
            .hint("write each output to the path in FETTLE_OUTPUT_…, or take it out of `outputs`"));
        }
        let mut outcome = Outcome::default();
        for slot in &job.outputs {
            work.progress.step("taking outputs", 0, None)?;
            let from = &self.outputs[&slot.name];
            let to = work.output(&slot.name)?;
            let within = |e: Error| e.within(format!("cannot take output `{}`", slot.name));
            check_plain(from).map_err(within)?;
            if slot.port_type == PortType::Table {
                let table = tables::take(from, &to, self.like.as_ref(), &work.progress)
                    .map_err(within)
                    .map_err(as_failed)?;
                if outcome.summary.is_empty() {
                    outcome.summary = table_face(table.meta()).summary;
                }
            } else {
                let name = from.file_name().unwrap_or_default();
                copy_all(from, &to.join(name)).map_err(within)?;
            }
        }
        Ok(outcome)
    }

    /// What to call an output that was not written.
    fn missing(&self, slot: &Slot) -> Option<String> {
        let path = &self.outputs[&slot.name];
        let shown = slot.path.as_ref().map_or_else(String::new, |path| format!(" (`{path}`)"));
        let name = format!("`{}`{shown}", slot.name);
        if !path.exists() {
            return Some(name);
        }
        let before = self.before.get(&slot.name)?;
        look(path).is_ok_and(|now| now == *before).then(|| format!("{name}, which is as it was before"))
    }

    /// Takes the files that the program put into its artifacts folder.
    ///
    /// # Errors
    /// One of them is a link; the disk refuses.
    pub fn take_artifacts(&self, to: &Path) -> Result<()> {
        let from = self.artifacts();
        check_plain(&from).map_err(|e| e.within("cannot take the artifacts"))?;
        copy_all(&from, to).map(drop)
    }

    /// Clears everything away.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn clear(&self) -> Result<()> {
        fs::remove_dir_all(&self.root).map_err(|e| Error::io("remove", &self.root, &e))
    }
}

/// What a program writes is its own failure, not that of who asked.
fn as_failed(error: Error) -> Error {
    if error.code == Code::InvalidInput { Error { code: Code::StepFailed, ..error } } else { error }
}

/// The format that a slot's own path asks for.
fn format_of(slot: &Slot) -> Option<super::Format> {
    match slot.path.as_deref()?.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "parquet" => Some(super::Format::Parquet),
        "arrow" | "feather" => Some(super::Format::Arrow),
        "csv" => Some(super::Format::Csv),
        _ => None,
    }
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))
}

/// Copies a file; on disks that can, no bytes are moved.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        make(parent)?;
    }
    fs::copy(from, to).map(drop).map_err(|e| Error::io("copy", from, &e))
}

/// Copies a file or a folder with all in it, and gives back where it is now.
fn copy_all(from: &Path, to: &Path) -> Result<PathBuf> {
    if from.is_dir() {
        make(to)?;
        for entry in fs::read_dir(from).map_err(|e| Error::io("list", from, &e))? {
            let entry = entry.map_err(|e| Error::io("list", from, &e))?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        copy_file(from, to)?;
    }
    Ok(to.to_owned())
}

/// The only thing in a folder, or the folder.
fn one_of(folder: &Path) -> Result<PathBuf> {
    let entries = list(folder)?;
    Ok(if let [only] = entries.as_slice() { folder.join(only) } else { folder.to_owned() })
}

/// Whether two files have the same bytes, or two folders the same files.
fn is_same(a: &Path, b: &Path) -> Result<bool> {
    let kind = |path: &Path| fs::symlink_metadata(path).map_err(|e| Error::io("look at", path, &e));
    let (of_a, of_b) = (kind(a)?, kind(b)?);
    if of_a.is_dir() && of_b.is_dir() {
        let names = list(a)?;
        if names != list(b)? {
            return Ok(false);
        }
        for name in names {
            if !is_same(&a.join(&name), &b.join(&name))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    Ok(of_a.is_file() && of_b.is_file() && of_a.len() == of_b.len() && hash(a)? == hash(b)?)
}

/// The names in a folder, in order.
fn list(folder: &Path) -> Result<Vec<OsString>> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))?;
    let names = entries.map(|entry| Ok(entry.map_err(|e| Error::io("list", folder, &e))?.file_name()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Refuses links and devices: what is kept must be bytes that are here.
fn check_plain(path: &Path) -> Result<()> {
    let found = fs::symlink_metadata(path).map_err(|e| Error::io("look at", path, &e))?;
    if found.is_dir() {
        for entry in fs::read_dir(path).map_err(|e| Error::io("list", path, &e))? {
            check_plain(&entry.map_err(|e| Error::io("list", path, &e))?.path())?;
        }
        return Ok(());
    }
    if found.is_file() {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let what = if found.is_symlink() { "a symbolic link" } else { "no file" };
    Err(Error::new(Code::StepFailed, format!("`{name}` is {what}")).hint("write files and folders"))
}

fn look(path: &Path) -> Result<Look> {
    let mut all = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).map_err(|e| Error::io("look at", &path, &e))?;
        if found.is_dir() {
            for entry in fs::read_dir(&path).map_err(|e| Error::io("list", &path, &e))? {
                waiting.push(entry.map_err(|e| Error::io("list", &path, &e))?.path());
            }
        }
        all.push((path, if found.is_dir() { 0 } else { found.len() }, found.modified().ok()));
    }
    all.sort();
    Ok(all)
}
