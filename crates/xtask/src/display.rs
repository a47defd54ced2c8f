//! A display for windows: the one of the desktop, or one that only exists in memory.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Result;

/// Whether somebody can see a window here.
pub fn is_there() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// A display in memory, on a number that was free. It ends when this is dropped.
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    pub fn open() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start `Xvfb`: {error}"))?;
        let mut number = String::new();
        let read = BufReader::new(server.stdout.take().expect("the output is piped")).read_line(&mut number);
        match (read, number.trim().parse::<u32>()) {
            (Ok(_), Ok(number)) => Ok(Self { server, name: format!(":{number}") }),
            _ => Err("`Xvfb` opened no display".into()),
        }
    }

    /// Lets a program show its windows here, and nowhere else.
    pub fn give_to(&self, command: &mut Command) {
        command.env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may be gone already, which is what we want.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
