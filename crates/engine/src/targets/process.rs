//! `fettle-serve` as a process of this computer.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base::{Code, Error, Result};
use serde_json::Value;

use super::{Endpoint, http};

/// How long an endpoint may take until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end its requests and stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// What is to be started.
pub(crate) struct Start<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// What comes before its own arguments, where another program starts it.
    pub(crate) before: &'a [OsString],
    /// Its configuration, which names the same port and instance.
    pub(crate) config: &'a Path,
    /// Where its output goes.
    pub(crate) log: &'a Path,
    /// The port that it will listen on.
    pub(crate) port: u16,
    /// Names this one process.
    pub(crate) instance: &'a str,
    /// What callers must send.
    pub(crate) token: &'a str,
    /// Keeps the process in mind before it can be lost sight of.
    pub(crate) remember: &'a dyn Fn(&Endpoint) -> Result<()>,
}

/// Starts a server and waits until it is ready.
pub(crate) fn start(start: &Start) -> Result<Endpoint> {
    let fail = |e: std::io::Error| Error::io("write", start.log, &e);
    let output = File::options().create(true).append(true).open(start.log).map_err(fail)?;
    let errors = output.try_clone().map_err(fail)?;
    let mut command = Command::new(start.program);
    command
        .args(start.before)
        .arg("--config")
        .arg(start.config)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    // What another program of this machine was told must not decide where this one listens.
    for name in ["PORT", "AIP_HTTP_PORT", "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE", "FETTLE_TOKEN"] {
        command.env_remove(name);
    }
    detach(&mut command);
    let mut child = command.spawn().map_err(|e| Error::io("start", start.program, &e))?;
    let endpoint = Endpoint {
        pid: child.id(),
        process_started: process_started(child.id()),
        port: start.port,
        instance: start.instance.to_owned(),
    };
    (start.remember)(&endpoint)?;
    let started = Instant::now();
    while started.elapsed() < START_TIMEOUT {
        if is_up(&endpoint, start.token) {
            // Nobody waits for it any more: it is reaped when it ends while this process lives.
            std::thread::spawn(move || child.wait());
            return Ok(endpoint);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(Error::new(Code::DeployFailed, format!("the server ended at once ({status})"))
                .because(last_line(start.log))
                .hint("see the deployment's log"));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
    // It is not ours to wait for whether the system can still kill it.
    let _ = child.kill();
    let _ = child.wait();
    let seconds = START_TIMEOUT.as_secs();
    Err(Error::new(Code::DeployFailed, format!("the server was not ready after {seconds} s"))
        .because(last_line(start.log)))
}

/// Stops a server; one that is gone already is no failure.
pub(crate) fn stop(endpoint: &Endpoint, token: &str) -> Result<()> {
    // The system may have started it anew since, at a login.
    let pid = match said(endpoint, token).and_then(|said| said["pid"].as_u64()) {
        Some(pid) => u32::try_from(pid).unwrap_or(endpoint.pid),
        None if is_ours(endpoint) => endpoint.pid,
        None => return Ok(()),
    };
    terminate(pid);
    let started = Instant::now();
    while started.elapsed() < STOP_TIMEOUT {
        if !is_ours(endpoint) && !is_up(endpoint, token) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(pid);
    Ok(())
}

/// Lets the server at a port of this computer read its configuration again.
///
/// # Errors
/// Whatever the server refuses; it goes on as before then.
pub(crate) fn reload(port: u16, token: &str) -> Result<()> {
    let url = format!("{}/v2/repository/reload", url(port));
    let sent =
        http::agent(START_TIMEOUT).post(&url).header("Authorization", format!("Bearer {token}")).send_empty();
    let mut answer =
        sent.map_err(|e| Error::new(Code::Unavailable, "the server does not answer").because(e))?;
    if answer.status() == 200 {
        return Ok(());
    }
    let said: Value = answer.body_mut().read_json().unwrap_or_default();
    let why = said["error"].as_str().unwrap_or("it does not say why").to_owned();
    Err(Error::new(Code::DeployFailed, "the server does not take the new version").because(why))
}

/// True if the endpoint answers and is the one that was started.
pub(crate) fn is_up(endpoint: &Endpoint, token: &str) -> bool {
    said(endpoint, token).is_some()
}

/// True if the process runs the same release as this program.
pub(crate) fn is_this_release(endpoint: &Endpoint, token: &str) -> bool {
    said(endpoint, token).is_some_and(|said| said["version"] == env!("CARGO_PKG_VERSION"))
}

/// What the endpoint says of itself, if it is the one that was started.
fn said(endpoint: &Endpoint, token: &str) -> Option<Value> {
    let sent = http::agent(Duration::from_secs(2))
        .get(format!("{}/v2", url(endpoint.port)))
        .header("Authorization", format!("Bearer {token}"))
        .call();
    let said: Value = sent.ok()?.body_mut().read_json().ok()?;
    (said["instance"] == endpoint.instance.as_str()).then_some(said)
}

/// Memory of its process, bytes, where the system says.
pub(crate) fn memory_bytes(endpoint: &Endpoint) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", endpoint.pid)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The address of a port of this computer.
pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A port that is free now: the one asked for, or any.
pub(crate) fn free_port(port: Option<u16>) -> Result<u16> {
    let port = port.unwrap_or(0);
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

/// Kills what an owner that died in the middle of a deployment left behind: every process that is
/// remembered in a folder but the one that is to stay.
pub(crate) fn sweep(processes: &Path, stays: Option<&Endpoint>) {
    for entry in std::fs::read_dir(processes).into_iter().flatten().flatten() {
        let path: PathBuf = entry.path();
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
    // A process that has ended meanwhile needs no signal.
    let _ = Command::new("taskkill").args(["/F", "/PID", &pid.to_string()]).status();
}
