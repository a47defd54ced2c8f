//! Calls to a cluster through this computer's own `kubectl`, with its contexts and logins.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use base::{Code, Error, Result};

/// A namespace of a cluster.
pub(super) struct Kubectl<'a> {
    /// The context; kubectl's current one if none.
    pub(super) context: Option<&'a str>,
    /// The namespace.
    pub(super) namespace: &'a str,
}

impl Kubectl<'_> {
    /// Why it cannot be used, if so.
    pub(super) fn unavailable() -> Option<String> {
        let mut command = Command::new("kubectl");
        command
            .args(["version", "--client"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match command.status() {
            Ok(status) if status.success() => None,
            _ => Some("the program `kubectl` is not on this computer".to_owned()),
        }
    }

    /// Runs it, with a text on standard input, and gives back what it printed.
    ///
    /// # Errors
    /// [`Code::DeployFailed`] with what it said.
    pub(super) fn call(&self, words: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that refuses does not read; its exit code says so.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(missing)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let what =
            words.iter().take_while(|word| !word.starts_with('-')).copied().collect::<Vec<_>>().join(" ");
        Err(Error::new(Code::DeployFailed, format!("`kubectl {what}` failed in `{}`", self.namespace))
            .because(String::from_utf8_lossy(&output.stderr).trim().to_owned())
            .hint(format!("see what `kubectl -n {} get pods,events` says", self.namespace)))
    }

    /// Leads a port of this computer to one of a pod.
    ///
    /// # Errors
    /// As [`Kubectl::call`].
    pub(super) fn forward(&self, to: &str, port: u16) -> Result<Forward> {
        let mut child = self
            .command(&["port-forward", "--address", "127.0.0.1", to, &format!(":{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(missing)?;
        let output = child.stdout.take().ok_or_else(|| Error::internal("kubectl prints nothing"))?;
        let mut forward = Forward { port: 0, child };
        // `Forwarding from 127.0.0.1:40123 -> 8080`
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map_err(missing)?;
        let found = line.split(" -> ").next().and_then(|from| from.rsplit(':').next()?.trim().parse().ok());
        forward.port = found.ok_or_else(|| {
            Error::new(Code::Unavailable, format!("`kubectl port-forward {to}` opens no port")).because(line)
        })?;
        Ok(forward)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        if let Some(context) = self.context {
            command.args(["--context", context]);
        }
        command.args(["--namespace", self.namespace]).args(words);
        command
    }
}

fn missing(error: std::io::Error) -> Error {
    Error::new(Code::Unavailable, "cannot run `kubectl`")
        .because(error)
        .hint("install it, and see that it reaches the cluster")
}

/// A port of this computer that leads to a pod, as long as this lives.
pub(super) struct Forward {
    pub(super) port: u16,
    child: Child,
}

impl Drop for Forward {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
