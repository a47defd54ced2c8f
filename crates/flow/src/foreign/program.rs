//! A program that runs for a step: started, listened to, stopped when the step is, and its end put
//! into words. Time and memory are watched from outside, by [`crate::task`].

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base::{Cancel, Code, Error, Pauses, Result};

use super::log::{Bounds, copy};
use crate::family;
use crate::kind::Work;

/// Words by which programs say that they got no memory.
const NO_MEMORY: [&str; 6] = [
    "MemoryError",
    "bad_alloc",
    "Cannot allocate memory",
    "cannot allocate vector",
    "memory allocation of",
    "Out of memory",
];
/// A quiet program says at most this much that is kept.
const QUIET_BYTES: u64 = 4 << 20;

/// Runs a program with its output in the step's log, and afterwards ends what it left running.
///
/// # Errors
/// [`Code::StepFailed`] with how it ended; [`Code::Cancelled`].
pub fn run(command: &mut Command, work: &Work) -> Result<()> {
    let name = name_of(command);
    let (from, to) = io::pipe().map_err(|e| Error::internal("cannot make a pipe").because(e))?;
    let second = to.try_clone().map_err(|e| Error::internal("cannot make a pipe").because(e))?;
    command.stdin(Stdio::null()).stdout(to).stderr(second);
    die_with_parent(command);
    let spawned = command.spawn();
    // The command holds the other ends of the pipe, and its reader waits for the last of them.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Started(spawned.map_err(|e| not_started(&name, &e))?);
    let (listening, end) = mpsc::channel();
    let listener = std::thread::spawn(move || {
        let copied = copy(from, io::stderr(), Bounds::default());
        drop(listening);
        copied
    });
    let mut end = Some(end);
    let mut pauses = Pauses::up_to(Duration::from_millis(10));
    let status = loop {
        work.progress.step(&format!("running {name}"), 0, None)?;
        if let Some(status) = running.poll(&name)? {
            break status;
        }
        pauses.wait_for(&mut end);
    };
    let mut left = 0;
    if family::is_head() && family::reap_orphans() {
        left = family::end_descendants(std::process::id());
        family::reap_orphans();
    }
    let last = listener.join().map_err(|_| Error::internal("the listener of a program panicked"))?;
    let last = last.map_err(|e| Error::new(Code::Unavailable, "cannot write the step's log").because(e))?;
    if left > 0 {
        work.log(&format!("[fettle] stopped {left} processes that {name} left running"));
    }
    if status.success() { Ok(()) } else { Err(ended(&name, status, &last)) }
}

/// What a program said that was asked something.
#[derive(Debug)]
pub struct Quiet {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end and hands over what it said.
///
/// # Errors
/// It cannot be started; [`Code::Cancelled`].
pub fn quiet(command: &mut Command, cancel: &Cancel) -> Result<Quiet> {
    let name = name_of(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    die_with_parent(command);
    let mut child = command.spawn().map_err(|e| not_started(&name, &e))?;
    let no_pipe = || Error::internal(format!("`{name}` has no output"));
    let stdout = child.stdout.take().ok_or_else(no_pipe)?;
    let stderr = child.stderr.take().ok_or_else(no_pipe)?;
    let mut running = Started(child);
    let reader = |mut from: Box<dyn io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What cannot be read any more was not said.
            let _ = from.by_ref().take(QUIET_BYTES).read_to_end(&mut bytes);
            let _ = io::copy(&mut from, &mut io::sink());
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let (said, complained) = (reader(Box::new(stdout)), reader(Box::new(stderr)));
    let mut pauses = Pauses::up_to(Duration::from_millis(5));
    let status = loop {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        if let Some(status) = running.poll(&name)? {
            break status;
        }
        pauses.wait();
    };
    let joined = |thread: std::thread::JoinHandle<String>| {
        thread.join().map_err(|_| Error::internal("the listener of a program panicked"))
    };
    Ok(Quiet { status, stdout: joined(said)?, stderr: joined(complained)? })
}

/// A program that is killed with all that comes from it unless it has ended.
struct Started(Child);

impl Started {
    fn poll(&mut self, name: &str) -> Result<Option<ExitStatus>> {
        self.0.try_wait().map_err(|e| Error::internal(format!("cannot wait for {name}")).because(e))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            family::end_descendants(self.0.id());
            // Both fail if it has ended in between, and then there is nothing to do.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Where this process is killed, the program goes as well, though nobody is left to end it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "what runs between fork and exec is marked so")]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: the closure makes one system call and touches no memory that a fork could leave locked.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

/// Its group or job goes with this process.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

fn not_started(name: &str, e: &io::Error) -> Error {
    let error = Error::new(Code::StepFailed, format!("cannot start `{name}`")).because(e);
    match e.kind() {
        io::ErrorKind::NotFound => error.hint("install it, or write the full path of the program"),
        io::ErrorKind::PermissionDenied => error.hint("make the file executable, or name its interpreter"),
        _ => error.hint("see the step's log"),
    }
}

/// How a program ended, in words, with the last line that it said.
fn ended(name: &str, status: ExitStatus, last: &str) -> Error {
    let (how, hint) = match (signal_of(status), status.code()) {
        (Some(signal), _) => by_signal(signal),
        // A shell gives the signal that ended its command as a code of 128 and more (POSIX, 2.8.2).
        (None, Some(code)) if cfg!(unix) && (129..=159).contains(&code) => by_signal(code - 128),
        (None, Some(127)) if cfg!(unix) => {
            let hint = "a command was not found: install it, or write its full path";
            ("ended with exit code 127".to_owned(), hint)
        }
        (None, Some(code)) => (format!("ended with exit code {code}"), "see the step's log"),
        (None, None) => (format!("ended badly ({status})"), "see the step's log"),
    };
    let lines = last.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let mut said: Vec<&str> = lines.take(3).collect();
    let is_memory = said.iter().any(|line| NO_MEMORY.iter().any(|word| line.contains(word)));
    said.truncate(1);
    let mut error = match is_memory {
        true => Error::new(Code::StepFailed, format!("`{name}` ran out of memory and {how}"))
            .hint("give the step more `memory`, or use fewer rows"),
        false => Error::new(Code::StepFailed, format!("`{name}` {how}")).hint(hint),
    };
    error.causes.extend(said.iter().map(|line| line.chars().take(500).collect::<String>()));
    error
}

/// The signals that programs die of, with the numbers that Linux and macOS share (signal(7)); bus
/// errors differ.
fn by_signal(signal: i32) -> (String, &'static str) {
    let log = "see the step's log";
    let crash = "it is a fault of the program or of one of its native libraries: see the step's log";
    let (word, hint) = match signal {
        2 => ("interrupt", log),
        4 => ("illegal instruction", "a native library was built for another processor"),
        6 => ("abort", crash),
        7 | 10 => ("bus error", crash),
        8 => ("arithmetic error", crash),
        9 => ("kill", "the system may have run out of memory: close other programs or use fewer rows"),
        11 => ("segmentation fault", crash),
        15 => ("termination", log),
        24 => ("processor time limit", log),
        _ => ("another signal", log),
    };
    (format!("was ended by signal {signal} ({word})"), hint)
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal()
}

#[cfg(not(unix))]
fn signal_of(_status: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn failed(script: &str) -> Error {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let said = quiet(&mut command, &Cancel::default()).expect("sh starts");
        ended("sh", said.status, &said.stderr)
    }

    #[test]
    fn every_end_has_its_words() {
        assert_eq!(
            failed("echo no such column >&2; exit 3").to_string(),
            "`sh` ended with exit code 3: no such column"
        );
        assert!(failed("kill -SEGV $$").message.contains("signal 11 (segmentation fault)"));
        assert!(failed("sh -c 'kill -ABRT $$'; exit $?").message.contains("signal 6 (abort)"));
        assert!(failed("kill -KILL $$").hint.expect("one").contains("memory"));
        assert!(failed("no-such-program").hint.expect("one").contains("not found"));
        let error = failed("echo 'MemoryError: Unable to allocate 8 GiB' >&2; exit 1");
        assert_eq!(error.message, "`sh` ran out of memory and ended with exit code 1");
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_a_way_out() {
        let error = quiet(&mut Command::new("no-such-program"), &Cancel::default()).expect_err("not there");
        assert_eq!(error.message, "cannot start `no-such-program`");
        assert!(error.hint.is_some());
    }
}
