//! A task in a process of its own: this program, called as `<program> <verb> <folder>`. It begins when it
//! is told so (see [`crate::spare`]). The folder holds the request; the child says what it does in one message a line on its standard output, and
//! leaves its answer in the folder. It runs in a process group of its own, is killed with all its
//! descendants, and ends by itself when its parent is gone.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base::{Cancel, Code, Error, Pauses, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::family::{self, Used};
use crate::limits::Span;
use crate::spare::{self, Order, Spare, Started};

/// How often it is looked at what the processes of a task use.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
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
    /// How much memory it may take, where the system can hold it to that (Linux): each process by
    /// a limit of the system, and all together by being looked at.
    pub memory_cap_bytes: Option<u64>,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// The file that its standard error is appended to.
    pub log: &'a Path,
    /// The process that waits for a task like this one, if there is such a thing.
    pub spare: Option<&'a Spare>,
}

impl Task<'_> {
    /// Runs the task to its end, and hands over what it says on the way.
    ///
    /// # Errors
    /// [`Code::Cancelled`]; [`Code::StepFailed`] for a process that ended without an answer, which
    /// is what one does that takes more memory than it may, and for one that takes too long.
    pub fn run<A: DeserializeOwned, M: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        cancel: &Cancel,
        say: impl Fn(M) + Send + 'static,
    ) -> Result<A> {
        self.run_measured(request, cancel, say).0
    }

    /// As [`Task::run`], with what its processes were seen to use, the most memory of all moments.
    /// It is known however the task ends, and is a lower bound.
    pub fn run_measured<A: DeserializeOwned, M: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        cancel: &Cancel,
        say: impl Fn(M) + Send + 'static,
    ) -> (Result<A>, Used) {
        let mut used = Used::default();
        let result = self.run_in_folder(request, cancel, say, &mut used);
        (result, used)
    }

    fn run_in_folder<A: DeserializeOwned, M: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        cancel: &Cancel,
        say: impl Fn(M) + Send + 'static,
        used: &mut Used,
    ) -> Result<A> {
        let mut child = self.begin(request)?;
        let no_output = || Error::internal(format!("a {} has no standard output", self.verb));
        let stdout = child.process.stdout().take().ok_or_else(no_output)?;
        let (listening, end) = mpsc::channel();
        let listener = std::thread::spawn(move || {
            listen(BufReader::new(stdout), say);
            drop(listening);
        });
        let status = self.wait(&mut child, end, cancel, used)?;
        if !child.folder().join(ANSWER).exists() {
            // It was killed or crashed: what it started has lost its parent, and holds the pipe open.
            child.end_lost();
        }
        // The pipe ends with the process, so what it still said is heard before its answer counts.
        listener.join().map_err(|_| Error::internal(format!("the listener of a {} panicked", self.verb)))?;
        let Ok(bytes) = fs::read(child.folder().join(ANSWER)) else {
            return Err(self.ended_without_answer(status));
        };
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::internal(format!("cannot read the answer of a {}", self.verb)).because(e))
    }

    /// Lets a process begin with the request: the one that waits for it, or a new one.
    fn begin(&self, request: &impl Serialize) -> Result<Started> {
        let bytes = serde_json::to_vec(request).expect("requests can be written as JSON");
        let prepare = |folder: &Path| {
            let path = folder.join(REQUEST);
            fs::write(&path, &bytes).map_err(|e| Error::io("write", &path, &e))
        };
        let order = |log: Option<&Path>| Order {
            threads: self.threads,
            memory_cap_bytes: self.memory_cap_bytes,
            log: log.map(Path::to_owned),
        };
        let waited = match self.spare {
            Some(spare) => spare.begin(&order(Some(self.log)), prepare)?,
            None => None,
        };
        let started = match waited {
            Some(started) => started,
            None => {
                let mut started = Started::new(self.program, self.verb, Some(self.log))?;
                prepare(started.folder())?;
                // One that has ended already is noticed by its missing answer.
                let _ = started.order(&order(None));
                started
            }
        };
        if let Some(spare) = self.spare {
            spare.refill(self.program, self.verb);
        }
        Ok(started)
    }

    /// Waits for its end, of which that of its output is a sign.
    fn wait(
        &self,
        child: &mut Started,
        end: mpsc::Receiver<()>,
        cancel: &Cancel,
        used: &mut Used,
    ) -> Result<ExitStatus> {
        let mut end = Some(end);
        let started = Instant::now();
        let mut looked = started;
        let mut pauses = Pauses::up_to(Duration::from_millis(10));
        loop {
            let is_late = self.timeout.is_some_and(|span| started.elapsed() >= span.0);
            let ended = child.process.try_wait();
            if let Some(status) =
                ended.map_err(|e| Error::internal(format!("cannot wait for a {}", self.verb)).because(e))?
            {
                child.has_ended = true;
                return Ok(status);
            }
            let is_cancelled = cancel.is_cancelled();
            if is_late || is_cancelled || looked.elapsed() >= LOOK_INTERVAL {
                looked = Instant::now();
                self.look(child.process.id(), used)?;
            }
            if is_cancelled {
                return Err(Error::cancelled());
            }
            if is_late {
                return Err(self.took_too_long());
            }
            pauses.wait_for(&mut end);
        }
    }

    /// Sees what the processes use, and fails if that is more than they may.
    fn look(&self, id: u32, used: &mut Used) -> Result<()> {
        let now = family::used(id);
        used.cpu_ms = used.cpu_ms.max(now.cpu_ms);
        used.memory_bytes = used.memory_bytes.max(now.memory_bytes);
        let over = self.memory_cap_bytes.filter(|cap| now.memory_bytes > *cap);
        // What is resident counts shared pages for each, so the slower and fairer figure decides.
        match over.map(|cap| (cap, family::fair_memory(id))) {
            Some((cap, taken)) if taken > cap => {
                let (took, may) = (base::bytes(taken), base::bytes(cap));
                let said = format!(
                    "the {} ran out of memory: its processes took {took} and may take {may}",
                    self.verb
                );
                self.note(&format!("stopped, with all its processes: they took {took} of memory"));
                Err(Error::new(Code::StepFailed, said).hint("give it more `memory`, or use fewer rows"))
            }
            _ => Ok(()),
        }
    }

    fn took_too_long(&self) -> Error {
        let span = self.timeout.map(|span| span.to_string()).unwrap_or_default();
        self.note(&format!("stopped after {span}, with all its processes"));
        Error::new(Code::StepFailed, format!("the {} took longer than {span} and was stopped", self.verb))
            .hint("raise its `timeout`, or give it less to do")
    }

    /// Writes a line of our own to the log.
    fn note(&self, line: &str) {
        // The error that the line goes with is reported in any case.
        let _ = note(self.log, line);
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

/// Writes a line of Fettle's own to a log, told apart from what programs say.
///
/// # Errors
/// The log cannot be written.
pub fn note(log: &Path, line: &str) -> Result<()> {
    let file = File::options().create(true).append(true).open(log);
    file.and_then(|mut file| file.write_all(format!("[fettle] {line}\n").as_bytes()))
        .map_err(|e| Error::io("write", log, &e))
}

/// The child's side: reads the request in `folder`, does the work, and leaves the answer there. The
/// work gets a function to say something with.
///
/// # Errors
/// The request cannot be read or the answer not written; [`Code::Cancelled`] if nobody wants one any more.
/// Failed work is an answer, not an error.
pub fn answer<Q: DeserializeOwned, A: Serialize, M: Serialize>(
    folder: &Path,
    work: impl FnOnce(Q, fn(M)) -> A,
) -> Result<A> {
    let Some(order) = spare::wait_for_order()? else { return Err(Error::cancelled()) };
    order.obey()?;
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

/// Nobody writes to standard input after the order: its end is the parent's end.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut byte = [0];
        if io::stdin().read(&mut byte).is_ok_and(|read| read == 0) {
            family::end_descendants(std::process::id());
            end_group();
            std::process::exit(i32::from(Code::Cancelled.exit_code()));
        }
    });
}

/// Ends this process and all of its group. It leads one of its own, so that nothing else is hit.
#[cfg(unix)]
fn end_group() {
    use rustix::process::{Signal, getpgrp, getpid, kill_process_group};
    if getpgrp() == getpid() {
        // If it fails, this process ends in the next moment all the same.
        let _ = kill_process_group(getpgrp(), Signal::KILL);
    }
}

/// Its job ends with its handle, which the parent held.
#[cfg(not(unix))]
fn end_group() {}

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
