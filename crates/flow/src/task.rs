//! A task in a process of its own: this program, called as `<program> <verb> <folder>`. The folder
//! holds the request; the child says what it does in one message a line on its standard output, and
//! leaves its answer in the folder. It runs in a process group of its own, is killed with all its
//! descendants, and ends by itself when its parent is gone.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use base::{Cancel, Code, Error, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The name under which a child finds out how much memory it may take.
const MEMORY_CAP: &str = "FETTLE_MEMORY_CAP_BYTES";
const REQUEST: &str = "request.json";
const ANSWER: &str = "answer.json";

/// What is to be started, and within which limits.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// This program.
    pub program: &'a Path,
    /// Which of its tasks, such as `step`.
    pub verb: &'static str,
    /// How many threads it may use.
    pub threads: usize,
    /// How much memory it may take, where the system can hold it to that (Linux).
    pub memory_cap_bytes: Option<u64>,
    /// The file that its standard error is appended to.
    pub log: &'a Path,
}

impl Task<'_> {
    /// Runs the task to its end, and hands over what it says on the way.
    ///
    /// # Errors
    /// [`Code::Cancelled`]; [`Code::StepFailed`] for a process that ended without an answer, which
    /// is what one does that takes more memory than it may.
    pub fn run<A: DeserializeOwned, M: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        cancel: &Cancel,
        say: impl Fn(M) + Send + 'static,
    ) -> Result<A> {
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let bytes = serde_json::to_vec(request).expect("requests can be written as JSON");
        let path = folder.path().join(REQUEST);
        fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))?;
        let mut child = Running(self.start(folder.path())?);
        let no_output = || Error::internal(format!("a {} has no standard output", self.verb));
        let stdout = child.0.stdout().take().ok_or_else(no_output)?;
        let listener = std::thread::spawn(move || listen(BufReader::new(stdout), say));
        let status = self.wait(&mut child, cancel)?;
        // The pipe ends with the process, so what it still said is heard before its answer counts.
        listener.join().map_err(|_| Error::internal(format!("the listener of a {} panicked", self.verb)))?;
        let Ok(bytes) = fs::read(folder.path().join(ANSWER)) else {
            return Err(self.ended_without_answer(status));
        };
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::internal(format!("cannot read the answer of a {}", self.verb)).because(e))
    }

    fn start(&self, folder: &Path) -> Result<Box<dyn ChildWrapper>> {
        let log = File::options().create(true).append(true).open(self.log);
        let log = log.map_err(|e| Error::io("write", self.log, &e))?;
        let mut command = Command::new(self.program);
        command
            .arg(self.verb)
            .arg(folder)
            .env("RAYON_NUM_THREADS", self.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        match self.memory_cap_bytes {
            Some(cap) => command.env(MEMORY_CAP, cap.to_string()),
            None => command.env_remove(MEMORY_CAP),
        };
        let mut wrapped = CommandWrap::from(command);
        #[cfg(unix)]
        wrapped.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        wrapped.wrap(process_wrap::std::JobObject);
        wrapped.spawn().map_err(|e| {
            Error::io("start", self.program, &e).hint("reinstall Fettle: a part of it is missing")
        })
    }

    fn wait(&self, child: &mut Running, cancel: &Cancel) -> Result<ExitStatus> {
        loop {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let ended = child.0.try_wait();
            if let Some(status) =
                ended.map_err(|e| Error::internal(format!("cannot wait for a {}", self.verb)).because(e))?
            {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ended_without_answer(&self, status: ExitStatus) -> Error {
        let said = format!("the process of the {} ended without an answer ({status})", self.verb);
        let mut error = Error::new(Code::StepFailed, said);
        let written = fs::read_to_string(self.log).unwrap_or_default();
        let last = written.lines().rev().find(|line| !line.trim().is_empty());
        if let Some(line) = last {
            error = error.because(line);
        }
        if last.is_some_and(|line| line.starts_with("memory allocation of")) {
            return error.hint("it would take more memory than it may");
        }
        if is_killed(status) {
            return error
                .hint("the system may have run out of memory: close other programs or use fewer rows");
        }
        error.hint("see its log")
    }
}

/// The child's side: reads the request in `folder`, does the work, and leaves the answer there. The
/// work gets a function to say something with.
///
/// # Errors
/// The request cannot be read or the answer not written. Failed work is an answer, not an error.
pub fn answer<Q: DeserializeOwned, A: Serialize, M: Serialize>(
    folder: &Path,
    work: impl FnOnce(Q, fn(M)) -> A,
) -> Result<A> {
    hold_to_memory_cap()?;
    let path = folder.join(REQUEST);
    let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, &e))?;
    let request = serde_json::from_slice(&bytes)
        .map_err(|e| Error::internal("cannot read the request of a task").because(e))?;
    end_with_parent();
    let answer = work(request, say);
    let bytes = serde_json::to_vec(&answer).expect("answers can be written as JSON");
    let path = folder.join(ANSWER);
    fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))?;
    Ok(answer)
}

fn say<M: Serialize>(message: M) {
    let mut line = serde_json::to_string(&message).expect("messages can be written as JSON");
    line.push('\n');
    // A parent that does not listen any more is gone, and the process ends with it.
    let _ = io::stdout().write_all(line.as_bytes());
}

/// Beyond the cap, an allocation fails, and with it this process and nothing else.
#[cfg(target_os = "linux")]
fn hold_to_memory_cap() -> Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let Some(cap) = std::env::var(MEMORY_CAP).ok().and_then(|text| text.parse().ok()) else {
        return Ok(());
    };
    let limit = Rlimit { current: Some(cap), maximum: Some(cap) };
    setrlimit(Resource::Data, limit).map_err(|e| Error::internal("cannot limit the memory").because(e))
}

#[cfg(not(target_os = "linux"))]
fn hold_to_memory_cap() -> Result<()> {
    Ok(())
}

/// Standard input is a pipe that nobody writes to: its end is the parent's end.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut byte = [0];
        if io::stdin().read(&mut byte).is_ok_and(|read| read == 0) {
            std::process::exit(i32::from(Code::Cancelled.exit_code()));
        }
    });
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

fn listen<M: DeserializeOwned>(mut from: impl io::BufRead, say: impl Fn(M)) {
    let mut line = String::new();
    // One message is a short line; a broken child cannot make this one grow without end.
    while from.by_ref().take(64 * 1024).read_line(&mut line).is_ok_and(|read| read > 0) {
        if let Ok(message) = serde_json::from_str(&line) {
            say(message);
        }
        line.clear();
    }
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
