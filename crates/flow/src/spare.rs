//! The processes of tasks: started with a folder that is theirs, told to begin by an order on their
//! standard input, and killed with all that comes from them unless they have ended. One may be started
//! before it is needed, so that the next task does not wait for a start.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use base::{Error, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::family;

/// The name under which every process of a task has the task's folder, to be found by.
const MARK: &str = "FETTLE_TASK";

/// What a process is told when its task begins, in one line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// How many threads it may use.
    pub(crate) threads: usize,
    /// How much memory it may take.
    pub(crate) memory_cap_bytes: Option<u64>,
    /// Where its standard error goes from now on, if it was started before that was known.
    pub(crate) log: Option<PathBuf>,
}

/// A process that waits for its order, or works at it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: Box<dyn ChildWrapper>,
    folder: TempDir,
    /// It has not begun, so that nothing comes from it.
    is_idle: bool,
    /// It was waited for.
    pub(crate) has_ended: bool,
}

impl Started {
    /// Starts `<program> <verb> <folder>`, with its standard error going to the end of this log.
    pub(crate) fn new(program: &Path, verb: &str, log: Option<&Path>) -> Result<Self> {
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let stderr = match log {
            None => Stdio::null(),
            Some(log) => {
                let file = File::options().create(true).append(true).open(log);
                file.map_err(|e| Error::io("write", log, &e))?.into()
            }
        };
        let mut command = Command::new(program);
        command
            .arg(verb)
            .arg(folder.path())
            .env(MARK, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut wrapped = CommandWrap::from(command);
        #[cfg(unix)]
        wrapped.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        wrapped.wrap(process_wrap::std::JobObject);
        let process = wrapped
            .spawn()
            .map_err(|e| Error::io("start", program, &e).hint("reinstall Fettle: a part of it is missing"))?;
        Ok(Self { process, folder, is_idle: true, has_ended: false })
    }

    /// The folder for its request and its answer.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets it begin with the request that is in its folder.
    pub(crate) fn order(&mut self, order: &Order) -> io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let stdin = self.process.stdin().as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(&line)?;
        self.is_idle = false;
        Ok(())
    }

    /// Ends what comes from it and has lost its parent.
    pub(crate) fn end_lost(&self) {
        family::end_marked(MARK, &self.folder().to_string_lossy());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let may_have_family = !self.has_ended && !self.is_idle;
        if may_have_family {
            // Stopped, it starts nothing more and still adopts what loses its parent.
            family::stop(self.process.id());
            family::end_descendants(self.process.id());
        }
        // Both fail if it has ended with all its group, and then there is nothing to do.
        let _ = self.process.start_kill();
        let _ = self.process.wait();
        if may_have_family {
            self.end_lost();
        }
    }
}

/// A process that was started before it is needed, while others work.
#[derive(Debug, Default)]
pub struct Spare {
    waiting: Mutex<Option<Started>>,
    is_wanted: AtomicBool,
}

impl Spare {
    /// Says whether there will be another task.
    pub fn want(&self, is_wanted: bool) {
        self.is_wanted.store(is_wanted, Ordering::Relaxed);
    }

    /// Lets the process that waits begin, if there is one that can. What to write into its folder
    /// before is written by `prepare`.
    pub(crate) fn begin(
        &self,
        order: &Order,
        prepare: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Option<Started>> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut started) = waiting else { return Ok(None) };
        prepare(started.folder())?;
        // One that was killed while it waited is no loss.
        Ok(started.order(order).is_ok().then_some(started))
    }

    /// Starts the process for the next task, if there will be one. Only where a process can be given
    /// its log later.
    pub(crate) fn refill(&self, program: &Path, verb: &str) {
        if !cfg!(unix) || !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() {
            // The next task starts its own, or says why it cannot.
            *waiting = Started::new(program, verb, None).ok();
        }
    }
}

/// The child's side: waits for its order. None if nobody will give it any more.
pub(crate) fn wait_for_order() -> Result<Option<Order>> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if read.map_err(|e| Error::internal("cannot read the order of a task").because(e))? == 0 {
        return Ok(None);
    }
    let order = serde_json::from_str(&line);
    order.map(Some).map_err(|e| Error::internal("cannot read the order of a task").because(e))
}

impl Order {
    /// The child's side: takes up the log, and holds itself to what it may use.
    pub(crate) fn obey(&self) -> Result<()> {
        if let Some(log) = &self.log {
            take_up(log)?;
        }
        self.hold_to_memory_cap()?;
        // Threads that are there already stay: results do not depend on how many there are.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global();
        Ok(())
    }

    /// Beyond the cap, an allocation fails, and with it this process and nothing else.
    #[cfg(target_os = "linux")]
    fn hold_to_memory_cap(&self) -> Result<()> {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let Some(cap) = self.memory_cap_bytes else { return Ok(()) };
        let limit = Rlimit { current: Some(cap), maximum: Some(cap) };
        setrlimit(Resource::Data, limit).map_err(|e| Error::internal("cannot limit the memory").because(e))
    }

    #[cfg(not(target_os = "linux"))]
    fn hold_to_memory_cap(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn take_up(log: &Path) -> Result<()> {
    let failed = |e: io::Error| Error::io("write", log, &e);
    let file = File::options().create(true).append(true).open(log).map_err(failed)?;
    rustix::stdio::dup2_stderr(&file).map_err(|e| failed(e.into()))
}

/// Elsewhere a process gets its log when it starts.
#[cfg(not(unix))]
fn take_up(_log: &Path) -> Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that copies the request of its task to the answer once it is told to begin.
    fn copier(folder: &Path) -> PathBuf {
        let program = folder.join("copier");
        let text = "#!/bin/sh\nread -r order || exit 8\ncp \"$2/request\" \"$2/answer\"\n";
        std::fs::write(&program, text).expect("can be written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("can be changed");
        program
    }

    fn begin(spare: &Spare) -> Option<Started> {
        let order = Order { threads: 1, memory_cap_bytes: None, log: None };
        let prepare = |folder: &Path| {
            let path = folder.join("request");
            std::fs::write(&path, "asked").map_err(|e| Error::io("write", &path, &e))
        };
        spare.begin(&order, prepare).expect("the folder is there")
    }

    #[test]
    fn one_waits_only_when_it_is_wanted_and_begins_with_its_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = copier(folder.path());
        let spare = Spare::default();
        spare.refill(&program, "copy");
        assert!(begin(&spare).is_none(), "nobody wanted one");
        spare.want(true);
        spare.refill(&program, "copy");
        let mut started = begin(&spare).expect("one waits");
        assert!(begin(&spare).is_none(), "it waits for one task only");
        assert!(started.process.wait().expect("ends").success());
        started.has_ended = true;
        assert_eq!(std::fs::read_to_string(started.folder().join("answer")).expect("an answer"), "asked");
    }

    #[test]
    fn one_that_died_is_passed_over_and_one_that_is_not_needed_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = copier(folder.path());
        let spare = Spare::default();
        spare.want(true);
        spare.refill("/bin/false".as_ref(), "copy");
        let waited = |spare: &Spare, wait: &dyn Fn(&mut Started)| {
            let mut waiting = spare.waiting.lock().expect("no test panics here");
            let waiting = waiting.as_mut().expect("one waits");
            wait(waiting);
            waiting.folder().to_owned()
        };
        waited(&spare, &|started| drop(started.process.wait()));
        assert!(begin(&spare).is_none(), "it has ended");
        spare.refill(&program, "copy");
        let left = waited(&spare, &|_| ());
        drop(spare);
        assert!(!left.exists());
    }
}
