//! Programs that serve: those of ours, which say in a line of JSON that they are ready, and others.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Result;
use crate::process::{printed, words};

/// A program that serves until this is dropped.
pub struct Server {
    child: Child,
    // Open, so that the program can go on printing.
    _output: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Server {
    /// Starts a program and waits until it is ready.
    pub fn start(mut command: Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("cannot start {}: {error}", words(&command)))?;
        let mut output = BufReader::new(child.stdout.take().expect("the output is piped"));
        let mut line = String::new();
        let read = output.read_line(&mut line);
        if let (Ok(_), Ok(ready)) = (read, serde_json::from_str(&line)) {
            return Ok(Self { child, _output: output, ready });
        }
        // It may have ended by itself, and then its own reason is what counts.
        let _ = child.kill();
        let ended = child.wait_with_output();
        let ended = ended.map_err(|error| format!("cannot read from {}: {error}", words(&command)))?;
        printed(&command, ended)?;
        Err(format!("{} ended and was never ready; it printed `{}`", words(&command), line.trim()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that serves until this is dropped and says nothing about it.
pub struct Background(Child);

impl Background {
    /// Starts a program, whatever it says.
    pub fn start(mut command: Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Self(child.map_err(|error| format!("cannot start {}: {error}", words(&command)))?))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // One that has children of its own stops them only when it is asked, and not when it is killed.
        let asked = Command::new("kill").arg(self.pid().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            // It may be gone already, which is what we want.
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::instruments::processes;
    use crate::process::command;

    #[test]
    fn a_server_is_ready_when_it_says_so_and_ends_with_its_guard() {
        let server =
            Server::start(command("sh", &["-c", "echo '{\"port\": 7}'; exec sleep 60"])).expect("ready");
        assert_eq!(server.ready["port"], 7);
        let pid = server.child.id();
        drop(server);
        assert!(!processes::is_there(pid));
    }

    #[test]
    fn a_program_in_the_background_can_stop_its_own_children_at_its_end() {
        let script = "trap 'kill $!; wait; exit' TERM; sleep 60 & wait";
        let program = Background::start(command("sh", &["-c", script])).expect("it starts");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while processes::family(program.pid()).len() < 2 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        let family = processes::family(program.pid());
        drop(program);
        assert!(family.into_iter().all(|pid| !processes::is_there(pid)));
    }

    #[test]
    fn a_server_that_never_was_ready_says_why() {
        let error = Server::start(command("sh", &["-c", "echo 'the port is taken' >&2; exit 1"])).err();
        assert!(error.is_some_and(|error| error.contains("the port is taken")));
    }
}
