//! The world of an integration test: a workspace of its own and the program `fettle` to call.
#![allow(dead_code, reason = "each test program uses what it needs of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A workspace that goes with the test, together with every endpoint in it.
pub struct World {
    folder: TempDir,
    variables: Vec<(&'static str, PathBuf)>,
}

/// What a call came to.
pub struct Called {
    /// The exit code; none if it was killed.
    pub code: Option<i32>,
    /// What it printed, as JSON.
    pub reply: Value,
    /// What it said on standard error.
    pub said: String,
}

impl World {
    /// An empty world.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), variables: Vec::new() }
    }

    /// The same world with a variable that the program gets.
    pub fn with(mut self, name: &'static str, path: PathBuf) -> Self {
        self.variables.push((name, path));
        self
    }

    /// The workspace's folder.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// A path for a file of the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the test.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("can be written");
        path
    }

    /// The program with this world's workspace, to be called in the test's own way.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fettle"));
        command.arg("--json").args(words).env("FETTLE_WORKSPACE", self.workspace()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, path)| (name, path)));
        command
    }

    /// Calls the program and waits for its end.
    pub fn call(&self, words: &[&str]) -> Called {
        let Output { status, stdout, stderr } = self.command(words).output().expect("the program starts");
        Called {
            code: status.code(),
            reply: serde_json::from_slice(&stdout).unwrap_or_default(),
            said: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Calls the program, which must succeed.
    pub fn ok(&self, words: &[&str]) -> Value {
        let called = self.call(words);
        assert_eq!(called.code, Some(0), "{words:?}: {}", called.said);
        called.reply
    }

    /// Calls the program, which must fail with this exit code, and gives back the error it printed.
    pub fn fails(&self, code: i32, words: &[&str]) -> Value {
        let called = self.call(words);
        assert_eq!(called.code, Some(code), "{words:?}: {}", called.said);
        let error = called.said.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
        error.unwrap_or_else(|| panic!("{words:?} printed no error: {}", called.said))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let deployments = self.call(&["call", "deployment.list"]).reply;
        for deployment in deployments.as_array().into_iter().flatten() {
            let name = deployment["name"].as_str().unwrap_or_default();
            self.call(&["deployment", "stop", name]);
        }
    }
}

/// The bundled sample.
pub fn penguins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv")
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are Unicode")
}
