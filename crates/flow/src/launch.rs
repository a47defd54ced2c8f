//! How a step is run: in a process of its own, or in this one.

use std::path::{Path, PathBuf};

use base::{Cancel, Result};

use crate::child::{self, Answer, Message, Request, Usage};
use crate::kind::Outcome;
use crate::limits::Limits;
use crate::spare::Spare;
use crate::task::Task;

/// How steps are run.
#[derive(Debug, Clone)]
pub enum Launcher {
    /// Each in a process of its own: this program, called as `<program> step <folder>`.
    Process(PathBuf),
    /// In this process, for tests of what is around the process.
    InThread,
}

impl Launcher {
    /// Runs a step to its end, within limits that only a process of its own can be held to. What
    /// it says goes to `say`, its log to the file. It takes the spare process if there is one.
    pub fn run(
        &self,
        request: &Request,
        (limits, log, spare): (&Limits, &Path, &Spare),
        cancel: &Cancel,
        say: impl Fn(Message) + Send + Sync + Clone + 'static,
    ) -> (Result<Outcome>, Usage) {
        match self {
            Self::Process(program) => {
                let task = Task {
                    program,
                    verb: "step",
                    threads: request.threads,
                    memory_cap_bytes: limits.memory.map(|size| size.0),
                    timeout: limits.timeout,
                    log,
                    spare: Some(spare),
                };
                let (answer, seen) = task.run_measured::<Answer, Message>(request, cancel, say);
                let seen = Usage { cpu_ms: seen.cpu_ms, max_memory_bytes: seen.memory_bytes };
                match answer {
                    Ok(answer) => (answer.result, answer.usage.or_more(seen)),
                    Err(error) => (Err(error), seen),
                }
            }
            Self::InThread => (child::run(request, cancel.clone(), say), Usage::default()),
        }
    }
}
