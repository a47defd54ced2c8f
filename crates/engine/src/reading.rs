//! Foreign files are read in a process of its own, with a limit on its memory: a file that was made
//! to break its reader, or that unpacks to more than there is, breaks that process and nothing else.

use std::path::{Path, PathBuf};

use base::{Cancel, Code, Error, Progress, Result, Stage};
use data::TableFile;
use data::import::files::{self, FileRow};
use data::import::{self, FolderOptions, ImportReport, ParseOptions, Parts, Preview, Sniffed};
use flow::task::{self, Task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::Engine;

/// A reader may take this much memory. Reading holds some megabytes of any file at a time; what
/// needs more is a file that unpacks to far more than it is.
const MEMORY_CAP_BYTES: u64 = 1 << 30;

/// What a reader is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
enum Request {
    /// How is this file or folder to be read?
    Sniff { path: PathBuf, folder: Option<FolderOptions> },
    /// What are the first rows, read this way?
    Preview { path: PathBuf, options: ParseOptions },
    /// Write the table into this folder.
    Import { path: PathBuf, options: ParseOptions, out: PathBuf, parts: Option<Parts> },
    /// What are the files of these paths in the folder?
    Look { root: PathBuf, paths: Vec<String> },
}

/// What a reader answers: the result of one of these, as JSON.
type Answer = std::result::Result<serde_json::Value, Error>;

/// The main function of `fettle read`.
///
/// # Errors
/// The request cannot be read or the answer not written. An unreadable file is an answer.
pub fn main(folder: &Path) -> Result<()> {
    task::answer(folder, |request: Request, say: fn(Stage)| -> Answer {
        let progress = Progress::new(Cancel::default(), say);
        let read = || match &request {
            Request::Sniff { path, folder: None } => json(import::sniff(path)?),
            Request::Sniff { path, folder: Some(folder) } => json(import::sniff_folder(path, folder)?),
            Request::Preview { path, options } => json(import::preview(path, options)?),
            Request::Import { path, options, out, parts: None } => {
                json(import::import(path, options, out, &progress)?)
            }
            Request::Import { path, options, out, parts: Some(parts) } => {
                json(import::import_in_parts(path, options, (out, parts), &progress)?)
            }
            Request::Look { root, paths } => {
                json(files::look(root, paths.iter().map(String::as_str), &progress)?)
            }
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
            .unwrap_or_else(|_| Err(damaged("the reader stopped at a fault of its own")))
    })
    .map(drop)
}

fn json(found: impl Serialize) -> Answer {
    serde_json::to_value(found).map_err(|e| Error::internal("cannot write what was read").because(e))
}

fn damaged(cause: &str) -> Error {
    Error::invalid("the file cannot be read")
        .hint("it is damaged, or was made to break its readers: write it again with the program it came from")
        .because(cause)
}

impl Engine {
    /// Guesses how a file or folder is to be read; `folder` says which files of it are meant.
    ///
    /// # Errors
    /// It is no table, or cannot be read.
    pub(crate) fn sniff(&self, path: &Path, folder: Option<&FolderOptions>) -> Result<Sniffed> {
        let request = Request::Sniff { path: path.to_owned(), folder: folder.cloned() };
        self.ask_reader(&request, &Progress::silent())
    }

    /// What can be told of the files of these paths in a folder.
    ///
    /// # Errors
    /// A file cannot be read; [`Code::Cancelled`].
    pub(crate) fn look_at_files(
        &self,
        root: &Path,
        paths: Vec<String>,
        progress: &Progress,
    ) -> Result<Vec<FileRow>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        self.ask_reader(&Request::Look { root: root.to_owned(), paths }, progress)
    }

    /// The first rows of a file.
    ///
    /// # Errors
    /// As [`Engine::sniff`].
    pub(crate) fn preview(&self, path: &Path, options: &ParseOptions) -> Result<Preview> {
        let request = Request::Preview { path: path.to_owned(), options: options.clone() };
        self.ask_reader(&request, &Progress::silent())
    }

    /// Reads a file into a table folder, and keeps what it has read meanwhile if it is told where.
    ///
    /// # Errors
    /// As [`Engine::sniff`]; [`Code::Cancelled`].
    pub(crate) fn read_into(
        &self,
        path: &Path,
        options: &ParseOptions,
        (out, parts): (&Path, Option<&Parts>),
        progress: &Progress,
    ) -> Result<ImportReport> {
        let (path, options, out) = (path.to_owned(), options.clone(), out.to_owned());
        self.ask_reader(&Request::Import { path, options, out, parts: parts.cloned() }, progress)
    }

    /// Reads a file as it seems to be, into a folder that goes with the first of the two.
    ///
    /// # Errors
    /// As [`Engine::sniff`]; [`Code::Cancelled`].
    pub(crate) fn read_foreign(&self, path: &Path, progress: &Progress) -> Result<(TempDir, TableFile)> {
        let within = |e: Error| e.within(format!("cannot read `{}`", path.display()));
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let options = self.sniff(path, None).map_err(within)?.options;
        self.read_into(path, &options, (folder.path(), None), progress).map_err(within)?;
        let table = TableFile::open(folder.path())?;
        Ok((folder, table))
    }

    fn ask_reader<T: DeserializeOwned>(&self, request: &Request, progress: &Progress) -> Result<T> {
        let log = tempfile::NamedTempFile::new()
            .map_err(|e| Error::io("create a file in", &std::env::temp_dir(), &e))?;
        let task = Task {
            program: self.program(),
            verb: "read",
            threads: 2,
            memory_cap_bytes: Some(MEMORY_CAP_BYTES),
            timeout: None,
            log: log.path(),
            spare: None,
        };
        let told = progress.clone();
        let tell = move |stage: Stage| {
            // Who cancels is heard by the one who waits for the process.
            let _ = told.step(&stage.name, stage.done, stage.total);
        };
        let answer = task.run::<Answer, Stage>(request, progress.cancel(), tell);
        let found = answer.map_err(|error| match error.code {
            Code::StepFailed => {
                let cap = base::bytes(MEMORY_CAP_BYTES);
                let causes = error.causes.join("; ");
                damaged(&format!("{}, within {cap} of memory: {causes}", error.message))
            }
            _ => error,
        })??;
        serde_json::from_value(found).map_err(|e| Error::internal("cannot read what was read").because(e))
    }
}
