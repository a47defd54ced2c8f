//! A step in a process of its own: what its parent asks, what it says while it works, and how it
//! answers. The parent is [`crate::execute`]; the child is the program `fettle step`, a
//! [`crate::task`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Cancel, Code, Error, Progress, Result, Stage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attempts::Try;
use crate::kind::{Input, Outcome, SourceTable, Work};
use crate::outside::{Outside, Place};
use crate::{kinds, task};

/// What a child is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its kind.
    pub kind: String,
    /// Its parameters as the file says them.
    pub params: Map<String, Value>,
    /// The artifacts that come in, by port.
    pub inputs: BTreeMap<String, Vec<Input>>,
    /// The dataset version it reads, if its kind does.
    pub source: Option<SourceTable>,
    /// Folder to make one folder an output port in.
    pub out: PathBuf,
    /// How many threads it may use.
    pub threads: usize,
    /// Where the pipeline lives.
    pub place: Option<Place>,
    /// What its result depends on outside the graph.
    pub outside: Outside,
}

/// What a child says while it works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// How far it is.
    Progress {
        /// What it does and how much of it is done.
        stage: Stage,
    },
    /// A point of a training curve.
    Point {
        /// What is on the y axis.
        metric: String,
        /// Round or iteration, from 1.
        round: f64,
        /// On the training rows.
        train: f64,
        /// On the validation rows, if there are any.
        validation: Option<f64>,
    },
    /// A try failed, and another follows. The parent says this, not the child.
    Tried {
        /// The try.
        failed: Box<Try>,
    },
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What it came to, or why it failed.
    pub result: Result<Outcome, Error>,
    /// What it used.
    pub usage: Usage,
}

/// Processor time and memory of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time, ms.
    pub cpu_ms: u64,
    /// Largest resident memory, bytes.
    pub max_memory_bytes: u64,
}

impl Usage {
    /// That of one process after another.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self { cpu_ms: self.cpu_ms + next.cpu_ms, ..self.or_more(next) }
    }

    /// The larger of each of the two.
    #[must_use]
    pub fn or_more(self, other: Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.max(other.cpu_ms),
            max_memory_bytes: self.max_memory_bytes.max(other.max_memory_bytes),
        }
    }
}

/// Runs the step that the working folder's request asks for; the main function of `fettle step`.
///
/// # Errors
/// The request cannot be read or the answer not written. A failed step is an answer, not an error.
pub fn main(folder: &Path) -> Result<Answer> {
    crate::family::be_head();
    task::answer(folder, |request: Request, say: fn(Message)| {
        let result = run(&request, Cancel::default(), say);
        Answer { result, usage: usage() }
    })
}

/// Runs a step in this process. A panic in it is its failure.
///
/// # Errors
/// Whatever made the step fail.
pub fn run(
    request: &Request,
    cancel: Cancel,
    say: impl Fn(Message) + Send + Sync + Clone + 'static,
) -> Result<Outcome> {
    let kind = kinds::find(&request.kind)?;
    let on_stage = say.clone();
    let work = Work {
        inputs: request.inputs.clone(),
        out: request.out.clone(),
        source: request.source.clone(),
        threads: request.threads,
        place: request.place.clone(),
        outside: request.outside.clone(),
        progress: Progress::new(cancel, move |stage| on_stage(Message::Progress { stage })),
        on_point: Box::new(move |metric, round, train, validation| {
            say(Message::Point { metric: metric.to_owned(), round, train, validation });
        }),
    };
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kind.run(&request.params, &work)));
    ran.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::new(Code::Internal, "the step stopped at a fault of its own")
            .because(said.unwrap_or_else(|| "no message".to_owned()))
            .hint("this is a bug in Fettle: please report it with the step's log"))
    })
}

/// What this process and its children that ended have used so far; zero where the system does not
/// say.
#[cfg(unix)]
pub fn usage() -> Usage {
    let (own, children) = (usage_of(libc::RUSAGE_SELF), usage_of(libc::RUSAGE_CHILDREN));
    Usage { cpu_ms: own.cpu_ms + children.cpu_ms, ..own.or_more(children) }
}

/// What the children of this process that ended have used; zero where the system does not say.
pub fn usage_of_ended_children() -> Usage {
    #[cfg(unix)]
    return usage_of(libc::RUSAGE_CHILDREN);
    #[cfg(not(unix))]
    Usage::default()
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not wrap getrusage")]
fn usage_of(who: libc::c_int) -> Usage {
    // SAFETY: getrusage only writes the struct it is given, and zero bytes are a valid rusage.
    let used = unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        if libc::getrusage(who, &raw mut used) != 0 {
            return Usage::default();
        }
        used
    };
    let ms = |time: libc::timeval| time.tv_sec as u64 * 1000 + time.tv_usec as u64 / 1000;
    // macOS counts bytes, the others kibibytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Usage { cpu_ms: ms(used.ru_utime) + ms(used.ru_stime), max_memory_bytes: used.ru_maxrss as u64 * unit }
}

/// What this process has used so far; zero where the system does not say.
#[cfg(not(unix))]
pub fn usage() -> Usage {
    Usage::default()
}
