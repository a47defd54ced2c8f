//! This computer: `fettle-serve` as a process of its own, which outlives the window and the daemon.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base::{Code, Error, Result};
use serde_json::{Map, Value, json};

use super::{Declaration, Endpoint, Plan, Target, log_file, processes_dir, requests_dir, token_file};
use crate::commands::deployments::TryResult;

/// How long an endpoint may take until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end its requests and stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a single request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The target `local`.
pub(crate) struct ThisComputer;

impl Target for ThisComputer {
    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "local",
            title: "This computer",
            summary: "A small server on a port of this machine; it goes on when Fettle is closed.",
        }
    }

    fn unavailable(&self) -> Option<String> {
        serve_program().err().map(|error| error.to_string())
    }

    fn start(&self, plan: &Plan) -> Result<Endpoint> {
        let port = match plan.port {
            Some(port) => free(port)?,
            None => free(0)?,
        };
        let log = log_file(plan.folder);
        let output =
            File::options().create(true).append(true).open(&log).map_err(|e| Error::io("write", &log, &e))?;
        let errors = output.try_clone().map_err(|e| Error::io("write", &log, &e))?;
        let mut command = Command::new(serve_program()?);
        command
            .arg("--model")
            .arg(plan.package)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--name", plan.model])
            .args(["--version", &plan.version.to_string(), "--instance", plan.instance])
            .arg("--token-file")
            .arg(token_file(plan.folder))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        if plan.records {
            command.arg("--log-dir").arg(requests_dir(plan.folder));
        }
        detach(&mut command);
        let mut child =
            command.spawn().map_err(|e| Error::io("start", &PathBuf::from(command.get_program()), &e))?;
        let endpoint = Endpoint {
            pid: child.id(),
            process_started: process_started(child.id()),
            port,
            instance: plan.instance.to_owned(),
        };
        remember(&endpoint, plan.folder)?;
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if self.is_up(&endpoint, plan.folder) {
                // Nobody waits for it any more: it is reaped when it ends while this process lives.
                std::thread::spawn(move || child.wait());
                return Ok(endpoint);
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(Error::new(Code::DeployFailed, format!("the server ended at once ({status})"))
                    .because(last_line(&log))
                    .hint("see the deployment's log"));
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(Error::new(
            Code::DeployFailed,
            format!("the server was not ready after {} s", START_TIMEOUT.as_secs()),
        )
        .because(last_line(&log)))
    }

    fn stop(&self, endpoint: &Endpoint, folder: &Path) -> Result<()> {
        if !is_ours(endpoint) && !self.is_up(endpoint, folder) {
            return Ok(());
        }
        terminate(endpoint.pid);
        let started = Instant::now();
        while started.elapsed() < STOP_TIMEOUT {
            if !is_ours(endpoint) && !self.is_up(endpoint, folder) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        kill(endpoint.pid);
        Ok(())
    }

    fn sweep(&self, folder: &Path, stays: Option<&Endpoint>) {
        for entry in std::fs::read_dir(processes_dir(folder)).into_iter().flatten().flatten() {
            let path = entry.path();
            let text = std::fs::read(&path).unwrap_or_default();
            let left: Option<Endpoint> = serde_json::from_slice(&text).ok();
            if let Some(left) = left {
                if stays.is_some_and(|stays| stays.instance == left.instance) {
                    continue;
                }
                if is_ours(&left) {
                    kill(left.pid);
                }
            }
            // A file that stays is looked at again next time.
            let _ = std::fs::remove_file(path);
        }
    }

    fn is_up(&self, endpoint: &Endpoint, folder: &Path) -> bool {
        let Ok(token) = std::fs::read_to_string(token_file(folder)) else { return false };
        let url = format!("{}/v2", self.url(endpoint.port));
        let sent = agent(Duration::from_secs(2))
            .get(&url)
            .header("Authorization", format!("Bearer {}", token.trim()))
            .call();
        let Ok(mut response) = sent else { return false };
        let said: Value = response.body_mut().read_json().unwrap_or_default();
        said["instance"] == endpoint.instance.as_str()
    }

    fn memory_bytes(&self, endpoint: &Endpoint) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", endpoint.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{port}")
    }
}

/// Writes down a process before it can be lost sight of.
fn remember(endpoint: &Endpoint, folder: &Path) -> Result<()> {
    let processes = processes_dir(folder);
    store::files::create_private_dir(&processes)?;
    let text =
        serde_json::to_vec(endpoint).map_err(|e| Error::internal("cannot write a process").because(e))?;
    store::files::write_atomic(&processes.join(&endpoint.instance), &text)
}

/// Sends rows to an endpoint by the Open Inference Protocol and gives back its first answers.
///
/// # Errors
/// The endpoint does not answer. A refusal is an answer.
pub(crate) fn infer(url: &str, token: &str, model: &str, rows: &[Map<String, Value>]) -> Result<TryResult> {
    let request = json!({ "inputs": inputs(rows) });
    let started = Instant::now();
    let sent = agent(REQUEST_TIMEOUT)
        .post(format!("{url}/v2/models/{model}/infer"))
        .header("Authorization", format!("Bearer {token}"))
        .send_json(&request);
    let mut response = sent.map_err(|e| {
        Error::new(Code::Unavailable, format!("the endpoint at {url} does not answer"))
            .because(e)
            .hint("start it again on its page, or with `fettle deployment start`")
    })?;
    let latency_ms = started.elapsed().as_secs_f64() * 1e3;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap_or_default();
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let outputs = said["outputs"].as_array().into_iter().flatten();
    let first = outputs
        .filter_map(|output| Some((output["name"].as_str()?.to_owned(), output["data"].get(0)?.clone())));
    Ok(TryResult {
        status,
        outputs: first.collect(),
        request: request.to_string(),
        response: text,
        latency_ms,
    })
}

fn inputs(rows: &[Map<String, Value>]) -> Vec<Value> {
    let Some(first) = rows.first() else { return Vec::new() };
    let names = first.keys();
    names
        .map(|name| {
            let data: Vec<&Value> = rows.iter().map(|row| row.get(name).unwrap_or(&Value::Null)).collect();
            let datatype = match data.iter().find(|value| !value.is_null()) {
                Some(Value::String(_)) => "BYTES",
                Some(Value::Bool(_)) => "BOOL",
                _ => "FP64",
            };
            json!({ "name": name, "shape": [rows.len()], "datatype": datatype, "data": data })
        })
        .collect()
}

fn agent(timeout: Duration) -> ureq::Agent {
    let config =
        ureq::Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).proxy(None);
    config.build().new_agent()
}

/// The program `fettle-serve`: named by FETTLE_SERVE_BIN, or beside this one.
fn serve_program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("FETTLE_SERVE_BIN") {
        return Ok(PathBuf::from(program));
    }
    let own = std::env::current_exe().map_err(|e| Error::internal("cannot find this program").because(e))?;
    let name = format!("fettle-serve{}", std::env::consts::EXE_SUFFIX);
    // Test programs are one folder below the programs they test.
    let places = own.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        Error::new(Code::Unavailable, format!("the program `{name}` is missing beside `{}`", own.display()))
            .hint("reinstall Fettle, or build it with `cargo build -p serving`")
    })
}

/// A port that is free now: the one asked for, or any.
fn free(port: u16) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| {
        let error = Error::new(Code::Unavailable, format!("cannot listen on port {port}")).because(e);
        error.hint("another program uses it: choose another port, or leave it out for a free one")
    })?;
    let address = listener.local_addr().map_err(|e| Error::internal("a socket has no address").because(e))?;
    Ok(address.port())
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("its log is empty").to_owned()
}

/// The process must not get the signals of our terminal.
fn detach(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(command, 0x0000_0200 | 0x0800_0000);
}

/// True if the process with this id is still the one that was started.
fn is_ours(endpoint: &Endpoint) -> bool {
    endpoint.process_started.is_some() && process_started(endpoint.pid) == endpoint.process_started
}

/// Clock ticks after boot at which a process started; a process that has ended but was not reaped
/// counts as gone.
fn process_started(pid: u32) -> Option<i64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program is in parentheses and may hold spaces.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(unix)]
fn terminate(pid: u32) {
    signal(pid, rustix::process::Signal::TERM);
}

#[cfg(unix)]
fn kill(pid: u32) {
    signal(pid, rustix::process::Signal::KILL);
}

#[cfg(unix)]
fn signal(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // A process that has ended meanwhile needs no signal.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[cfg(windows)]
fn terminate(pid: u32) {
    kill(pid);
}

#[cfg(windows)]
fn kill(pid: u32) {
    let _ = Command::new("taskkill").args(["/F", "/PID", &pid.to_string()]).status();
}
