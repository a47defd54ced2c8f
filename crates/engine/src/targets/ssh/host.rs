//! Calls to another machine through `ssh`: a script on standard input, files through `tar`, tunnels.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::{Code, Error, Progress, Result};

use crate::targets::{http, process};

const REMOTE: &str = include_str!("remote.sh");

/// How long a tunnel may take.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server may take until it answers.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// So much is sent between two looks at whether it should go on.
const CHUNK_BYTES: usize = 256 * 1024;

/// Why `ssh` cannot be used, if so.
pub(super) fn unavailable() -> Option<String> {
    let found = Command::new("ssh").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.err().map(|_| "the program `ssh` is not on this computer".to_owned())
}

/// A deployment's folder on another machine.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    /// As `ssh` takes it.
    pub(super) name: &'a str,
    /// A configuration of `ssh`.
    pub(super) config: Option<&'a Path>,
    /// The folder; only plain characters, from the root.
    pub(super) base: &'a str,
    /// The deployment's name.
    pub(super) deployment: &'a str,
}

/// What another machine is.
pub(super) struct Seen {
    /// As `uname -s` says.
    pub(super) system: String,
    /// As `uname -m` says.
    pub(super) machine: String,
    /// True if the user has a systemd of their own.
    pub(super) has_systemd: bool,
    home: String,
}

impl Seen {
    fn read(said: &str) -> Self {
        let value = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        Self {
            system: value("system"),
            machine: value("machine"),
            has_systemd: value("systemd") == "yes",
            home: value("home"),
        }
    }

    /// The folder of a deployment there, from the root.
    pub(super) fn base(&self, folder: &str, deployment: &str) -> Result<String> {
        let folder = folder.trim_end_matches('/');
        let base = match folder.starts_with('/') {
            true => format!("{folder}/{deployment}"),
            false => format!("{}/{folder}/{deployment}", self.home),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if base.starts_with('/') && base.chars().all(is_plain) {
            return Ok(base);
        }
        Err(Error::invalid(format!("`{}` on the other machine cannot be used", base.escape_debug()))
            .hint("set `folder` to one from the root, of letters, digits, `.`, `_`, `-` and `/`"))
    }
}

impl Host<'_> {
    /// Asks what kind of machine it is.
    pub(super) fn look(&self) -> Result<Seen> {
        Ok(Seen::read(&self.call("look", &[])?))
    }

    /// Does something there, and gives back what was printed.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if it is not reached, [`Code::DeployFailed`] if it fails there.
    pub(super) fn call(&self, verb: &str, words: &[&str]) -> Result<String> {
        // Each of them is of plain characters, so that the shell there reads them as they are.
        let line = ["sh -s --", verb, if self.base.is_empty() { "." } else { self.base }, self.deployment];
        let mut child = self.ssh().arg([&line[..], words].concat().join(" ")).spawn().map_err(no_ssh)?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that is not reached does not read; its exit code says so.
            let _ = stdin.write_all(REMOTE.as_bytes());
        }
        let output = child.wait_with_output().map_err(no_ssh)?;
        self.said(verb, &output)
    }

    fn said(&self, what: &str, output: &Output) -> Result<String> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.code() == Some(255) {
            return Err(Error::new(Code::Unavailable, format!("cannot reach `{}` by ssh", self.name))
                .because(errors)
                .hint(format!(
                    "see that `ssh {}` works in a terminal without asking for anything",
                    self.name
                )));
        }
        let what = format!("`{}` did not do `{what}` for `{}`", self.name, self.deployment);
        Err(Error::new(Code::DeployFailed, what).because(errors))
    }

    /// Copies a packed folder there, beside the revisions.
    pub(super) fn send(&self, packed: &Path, progress: &Progress) -> Result<()> {
        let bytes = std::fs::read(packed).map_err(|e| Error::io("read", packed, &e))?;
        let to = format!("{}/incoming", self.base);
        let line = format!("umask 077 && rm -rf {to} && mkdir -p {to} && cd {to} && tar -xzf -");
        let mut child = Kept(self.ssh().arg(line).spawn().map_err(no_ssh)?);
        let total = Some(bytes.len() as u64);
        if let Some(mut stdin) = child.0.stdin.take() {
            for (at, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
                progress.step("copying it there", (at * CHUNK_BYTES) as u64, total)?;
                if stdin.write_all(chunk).is_err() {
                    // It has ended; why, is asked below.
                    break;
                }
            }
        }
        self.said("copy", &child.end()?).map(drop)
    }

    /// The address under which `ssh` reaches it, without user and port.
    pub(super) fn address(&self) -> Result<String> {
        let mut command = Command::new("ssh");
        if let Some(config) = self.config {
            command.arg("-F").arg(config);
        }
        let output = command.args(["-G", "--", self.name]).output().map_err(no_ssh)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let own = self.name.rsplit('@').next().unwrap_or(self.name);
        let found = text.lines().find_map(|line| line.strip_prefix("hostname "));
        Ok(found.unwrap_or(own).trim().to_owned())
    }

    /// `ssh` to this machine, without a question to anybody.
    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        if let Some(config) = self.config {
            command.arg("-F").arg(config);
        }
        for option in ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3"]
        {
            command.args(["-o", option]);
        }
        command.args(["-T", "--", self.name]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn no_ssh(error: std::io::Error) -> Error {
    Error::new(Code::Unavailable, "cannot run `ssh`").because(error).hint("install OpenSSH")
}

/// A child that ends with us.
struct Kept(Child);

impl Kept {
    fn end(&mut self) -> Result<Output> {
        let mut output =
            Output { status: self.0.wait().map_err(no_ssh)?, stdout: Vec::new(), stderr: Vec::new() };
        if let Some(mut errors) = self.0.stderr.take() {
            // A message that cannot be read is no reason to fail.
            let _ = errors.read_to_end(&mut output.stderr);
        }
        Ok(output)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of this computer that leads to one of the other machine, as long as this lives.
pub(super) struct Tunnel {
    /// The port here.
    pub(super) port: u16,
    _child: Kept,
}

impl Tunnel {
    /// Opens a tunnel.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the machine is not reached or allows no tunnel.
    pub(super) fn open(host: &Host, to: u16) -> Result<Self> {
        let port = process::free_port(None)?;
        let mut command = Command::new("ssh");
        if let Some(config) = host.config {
            command.arg("-F").arg(config);
        }
        for option in ["BatchMode=yes", "ConnectTimeout=10", "ExitOnForwardFailure=yes", "ControlPath=none"] {
            command.args(["-o", option]);
        }
        command.args(["-N", "-T", "-L", &format!("127.0.0.1:{port}:127.0.0.1:{to}"), "--", host.name]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Kept(command.spawn().map_err(no_ssh)?);
        let started = Instant::now();
        while started.elapsed() < TUNNEL_TIMEOUT {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(Self { port, _child: child });
            }
            if let Ok(Some(_)) = child.0.try_wait() {
                let output = child.end()?;
                let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(Error::new(Code::Unavailable, format!("no tunnel to `{}`", host.name))
                    .because(why)
                    .hint("the machine must allow `AllowTcpForwarding`"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Error::new(Code::Unavailable, format!("the tunnel to `{}` does not open", host.name)))
    }
}

/// Waits until the server of a deployment is ready, behind a port of this computer.
pub(super) fn wait_until_ready(host: &Host, port: u16) -> Result<()> {
    let url = format!("{}/v2/health/ready", process::url(port));
    let (started, mut tries) = (Instant::now(), 0_u32);
    while started.elapsed() < READY_TIMEOUT {
        let answer = http::agent(Duration::from_secs(3)).get(&url).call();
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return Ok(());
        }
        tries += 1;
        if tries.is_multiple_of(20) && host.call("status", &[])?.trim() != "runs" {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = host.call("log", &[]).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("its log is empty");
    let what = format!("the server on `{}` was not ready after {} s", host.name, started.elapsed().as_secs());
    Err(Error::new(Code::DeployFailed, what).because(last.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_there_begins_at_the_root_and_is_plain() {
        let seen = Seen::read("Welcome!\nsystem=Linux\nmachine=aarch64\nhome=/home/ml\nsystemd=yes\n");
        assert_eq!(
            (seen.system.as_str(), seen.machine.as_str(), seen.has_systemd),
            ("Linux", "aarch64", true)
        );
        assert_eq!(seen.base(".local/x", "m").expect("plain"), "/home/ml/.local/x/m");
        assert_eq!(seen.base("/srv/", "m").expect("plain"), "/srv/m");
        let odd = Seen::read("home=/home/a b\n");
        assert!(odd.base("x", "m").is_err() && odd.base("/srv", "m").is_ok());
        assert!(Seen::read("").base("x", "m").is_ok_and(|base| base == "/x/m"));
    }
}
