//! How a step is run: in a process of its own, or in this one.

use std::path::{Path, PathBuf};

use base::{Cancel, Result};

use crate::child::{self, Answer, Message, Request, Usage};
use crate::kind::Outcome;
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
    /// Runs a step to its end. What it says goes to `say`, its log to the file.
    pub fn run(
        &self,
        request: &Request,
        log: &Path,
        cancel: &Cancel,
        say: impl Fn(Message) + Send + Sync + Clone + 'static,
    ) -> (Result<Outcome>, Usage) {
        match self {
            Self::Process(program) => {
                let task =
                    Task { program, verb: "step", threads: request.threads, memory_cap_bytes: None, log };
                match task.run::<Answer, Message>(request, cancel, say) {
                    Ok(answer) => (answer.result, answer.usage),
                    Err(error) => (Err(error), Usage::default()),
                }
            }
            Self::InThread => (child::run(request, cancel.clone(), say), Usage::default()),
        }
    }
}
