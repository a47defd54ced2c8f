//! How a step gets its process: started in a group of its own, listened to, stopped with all its
//! descendants.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use base::{Cancel, Code, Error, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};

use crate::child::{self, Answer, Message, Request, Usage};
use crate::kind::Outcome;

/// How steps are run.
#[derive(Debug, Clone)]
pub enum Launcher {
    /// Each in a process of its own: this program, called as `<program> step <folder>`.
    Process(PathBuf),
    /// In this process, for tests of what is around the process.
    InThread,
}

impl Launcher {
    /// Runs a step to its end. What it says goes to `say`, its log to the file.
    pub fn run(
        &self,
        request: &Request,
        log: &Path,
        cancel: &Cancel,
        say: impl Fn(Message) + Send + Sync + Clone + 'static,
    ) -> (Result<Outcome>, Usage) {
        match self {
            Self::Process(program) => match run_process(program, request, log, cancel, say) {
                Ok(answer) => (answer.result, answer.usage),
                Err(error) => (Err(error), Usage::default()),
            },
            Self::InThread => (child::run(request, cancel.clone(), say), Usage::default()),
        }
    }
}

fn run_process(
    program: &Path,
    request: &Request,
    log: &Path,
    cancel: &Cancel,
    say: impl Fn(Message) + Send + 'static,
) -> Result<Answer> {
    let folder =
        tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    let bytes = serde_json::to_vec(request).expect("requests can be written as JSON");
    let path = child::request_path(folder.path());
    fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))?;
    let log_file =
        File::options().create(true).append(true).open(log).map_err(|e| Error::io("write", log, &e))?;
    let mut child = Running(start(program, folder.path(), request.threads, log_file)?);
    let stdout = child.0.stdout().take().ok_or_else(|| Error::internal("a step has no standard output"))?;
    let listener = std::thread::spawn(move || listen(BufReader::new(stdout), say));
    let status = loop {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let ended = child.0.try_wait().map_err(|e| Error::internal("cannot wait for a step").because(e))?;
        if let Some(status) = ended {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    // The pipe ends with the process, so what it still said is heard before its answer counts.
    listener.join().map_err(|_| Error::internal("the listener of a step panicked"))?;
    let path = child::answer_path(folder.path());
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|e| Error::internal("cannot read the answer of a step").because(e)),
        Err(_) => Err(ended_without_answer(status, log)),
    }
}

/// A child that is killed with all its descendants unless it has ended.
struct Running(Box<dyn ChildWrapper>);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, and then there is nothing to do.
        let _ = self.0.start_kill();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, folder: &Path, threads: usize, log: File) -> Result<Box<dyn ChildWrapper>> {
    let mut command = Command::new(program);
    command
        .arg("step")
        .arg(folder)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut wrapped = CommandWrap::from(command);
    #[cfg(unix)]
    wrapped.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    wrapped.wrap(process_wrap::std::JobObject);
    wrapped
        .spawn()
        .map_err(|e| Error::io("start", program, &e).hint("reinstall Fettle: a part of it is missing"))
}

fn listen(mut from: impl std::io::BufRead, say: impl Fn(Message)) {
    let mut line = String::new();
    // One message is a short line; a broken child cannot make this one grow without end.
    while from.by_ref().take(64 * 1024).read_line(&mut line).is_ok_and(|read| read > 0) {
        if let Ok(message) = serde_json::from_str(&line) {
            say(message);
        }
        line.clear();
    }
}

fn ended_without_answer(status: ExitStatus, log: &Path) -> Error {
    let mut error =
        Error::new(Code::StepFailed, format!("the step's process ended without an answer ({status})"));
    let written = fs::read_to_string(log).unwrap_or_default();
    if let Some(line) = written.lines().rev().find(|line| !line.trim().is_empty()) {
        error = error.because(line);
    }
    if is_killed(status) {
        return error.hint("the system may have run out of memory: close other programs or use fewer rows");
    }
    error.hint("see the step's log")
}

#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(9)
}

#[cfg(not(unix))]
fn is_killed(_status: ExitStatus) -> bool {
    false
}
