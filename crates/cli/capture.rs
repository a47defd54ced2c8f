//! `fettle run -- python train.py`: any command as a run. What it was, where, with which code and
//! packages, what it said, what it used and how it ended is logged; what it logs itself through
//! MLflow lands in the same run. It speaks to the tracking API as any other client does.

mod around;
mod client;
mod output;
mod usage;

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::{Code, Error, Result};
use serde_json::{Value, json};

use crate::args::{Args, CaptureArgs};
use crate::backend::folder;
use crate::interrupt::Interrupt;
use crate::print::Printer;
use client::{Client, Server};

/// How often the command is looked at, and how long it may take to end once it was asked to.
const POLL: Duration = Duration::from_millis(50);
const GRACE: Duration = Duration::from_secs(10);

/// Runs a command and gives back its exit code.
///
/// # Errors
/// [`Code::InvalidInput`] when it cannot be started; what the workspace refuses.
pub fn run(args: &Args, options: &CaptureArgs, printer: &Printer) -> Result<u8> {
    let Some((program, rest)) = options.command.split_first() else {
        return Err(Error::invalid("there is no command to run")
            .hint("name it after two dashes: `fettle run -- python train.py`"));
    };
    let server = Server::find_or_start(&folder(args)?.0)?;
    let client = server.client()?;
    let experiment = client.experiment(options.experiment.as_deref().unwrap_or("Default"))?;
    let begun = begin(&client, options, &experiment)?;
    printer.note(&format!("run {} at {}", begun.id, client.url()));
    let interrupt = Interrupt::listen();
    let before = flow::child::usage_of_ended_children();
    let started = Instant::now();
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(client.variables()).env("MLFLOW_RUN_ID", &begun.id).env("MLFLOW_EXPERIMENT_ID", &experiment);
    // A pipe would make Python keep back what it says until the end.
    command.env("PYTHONUNBUFFERED", "1");
    let child = command.spawn().map_err(|e| {
        Error::invalid(format!("cannot start `{program}`"))
            .because(e)
            .hint("check its name and whether it may run")
    });
    let child = match child {
        Ok(child) => child,
        Err(error) => {
            client.end(&begun.id, "FAILED", now_ms())?;
            return Err(error);
        }
    };
    let watched = (&client, begun.id.as_str());
    let (status, said) = attend(child, watched, printer.is_json(), &interrupt)?;
    let after = flow::child::usage_of_ended_children();
    let code = exit_code(status);
    let ended = json!({
        "exitCode": code,
        "seconds": started.elapsed().as_secs_f64(),
        "cpuSeconds": after.cpu_ms.saturating_sub(before.cpu_ms) as f64 / 1000.0,
        "maxMemoryBytes": after.max_memory_bytes,
    });
    describe(&client, &begun, &ended, said.path())?;
    let state = match code {
        0 => "FINISHED",
        _ if interrupt.is_asked() => "KILLED",
        _ => "FAILED",
    };
    client.end(&begun.id, state, now_ms())?;
    let result = json!({ "run": begun.id, "experiment": experiment, "state": state, "exitCode": code });
    if printer.is_json() {
        printer.result(&result, |_| String::new());
    } else {
        printer.note(&format!("run {} {}, exit code {code}", begun.id, state.to_lowercase()));
    }
    server.stop()?;
    Ok(code)
}

/// A run that was begun, and what goes into it at its end.
struct Begun {
    id: String,
    files: String,
    /// Name and content.
    around: Vec<(String, Vec<u8>)>,
}

fn begin(client: &Client, options: &CaptureArgs, experiment: &str) -> Result<Begun> {
    let here =
        std::env::current_dir().map_err(|e| Error::internal("cannot tell the working folder").because(e))?;
    let code = around::code(&here);
    let words = around::command_line(&options.command);
    let mut tags = vec![
        ("mlflow.source.name".to_owned(), words.clone()),
        ("mlflow.source.type".to_owned(), "LOCAL".to_owned()),
        ("mlflow.user".to_owned(), around::user()),
    ];
    tags.extend(code.tags());
    tags.extend(options.tags.iter().map(|tag| {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        (key.to_owned(), value.to_owned())
    }));
    let (id, files) = client.begin(experiment, options.name.as_deref(), &tags, now_ms())?;
    let mut kept = vec![("command.json".to_owned(), around::about(&options.command, &here, &code))];
    kept.extend(code.diff.map(|diff| ("code.diff".to_owned(), diff)));
    kept.extend(around::packages(&options.command).map(|text| ("packages.txt".to_owned(), text)));
    for path in &options.files {
        let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, &e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        kept.push((format!("files/{name}"), bytes));
    }
    Ok(Begun { id, files, around: kept })
}

/// Passes on what a command says and logs what it uses until it ends; the end and a file with what
/// it said.
fn attend(
    mut child: Child,
    (client, run): (&Client, &str),
    is_json: bool,
    interrupt: &Interrupt,
) -> Result<(ExitStatus, tempfile::NamedTempFile)> {
    let said = output::Said::new()?;
    let status = std::thread::scope(|scope| {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        // Standard output is for the one JSON object then.
        scope.spawn(|| said.pass_on(out, is_json));
        scope.spawn(|| said.pass_on(err, true));
        let (_over, ended) = mpsc::channel();
        let process = child.id();
        scope.spawn(move || usage::watch(client, run, process, &ended));
        let mut asked: Option<Instant> = None;
        loop {
            if let Some(status) = child.try_wait().map_err(|e| Error::internal("cannot wait").because(e))? {
                return Ok::<_, Error>(status);
            }
            if interrupt.is_asked() && asked.get_or_insert_with(Instant::now).elapsed() > GRACE {
                // It ended just now, or dies of this.
                let _ = child.kill();
            }
            std::thread::sleep(POLL);
        }
    })?;
    Ok((status, said.into_file()))
}

fn describe(client: &Client, begun: &Begun, ended: &Value, said: &Path) -> Result<()> {
    for (name, bytes) in &begun.around {
        client.put(&begun.files, &format!("fettle/{name}"), bytes)?;
    }
    let said = std::fs::read(said).map_err(|e| Error::io("read", said, &e))?;
    client.put(&begun.files, "fettle/output.log", &said)?;
    client.put(&begun.files, "fettle/end.json", format!("{ended:#}\n").as_bytes())?;
    let number = |name: &str| ended[name].as_f64().unwrap_or(0.0);
    client.measure(
        &begun.id,
        &[
            ("system/seconds", number("seconds")),
            ("system/cpu_seconds", number("cpuSeconds")),
            ("system/max_memory_bytes", number("maxMemoryBytes")),
            ("system/exit_code", number("exitCode")),
        ],
        0,
        now_ms(),
    )
}

fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    // As shells say it: 128 and the number of the signal.
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1).max(u8::from(code != 0))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The error for an answer that is not as it has to be.
fn strange(what: &str) -> Error {
    Error::new(Code::Unavailable, format!("the tracking server gave no {what}"))
        .hint("another program may answer at its address")
}
