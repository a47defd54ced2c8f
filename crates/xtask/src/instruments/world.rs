//! The world of a bench: a workspace of its own, and the program `fettle` to call. All of it goes with
//! the bench: endpoints, daemon, files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::processes;
use super::server::Server;
use crate::process::{command, output, private_folder};
use crate::{Result, programs};

/// How long a daemon gets to end its work.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct World {
    folder: PathBuf,
}

/// A daemon that owns the workspace until this is dropped.
pub struct Daemon {
    _server: Server,
    pub url: String,
    pub token: String,
}

impl World {
    /// An empty world. What a bench that was killed left behind is stopped and removed.
    pub fn new(bench: &str) -> Result<Self> {
        let world = Self { folder: private_folder().join("bench").join(bench) };
        world.clear();
        std::fs::create_dir_all(&world.folder)
            .map_err(|error| format!("`{}`: {error}", world.folder.display()))?;
        Ok(world)
    }

    pub fn workspace(&self) -> PathBuf {
        self.path("workspace")
    }

    /// A path for a file of the bench.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The program with this world's workspace, printing JSON.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = command(programs::release_fettle(), &["--json", "--quiet"]);
        command.args(words).env("FETTLE_WORKSPACE", self.workspace());
        programs::know_the_release(&mut command);
        command
    }

    /// Calls the program and gives back its reply.
    pub fn call(&self, words: &[&str]) -> Result<Value> {
        reply(&output(self.command(words))?)
    }

    pub fn start_daemon(&self) -> Result<Daemon> {
        let server = Server::start(self.command(&["daemon", "start"]))?;
        let url = text(&server.ready["url"])?;
        let file = self.workspace().join("daemon.token");
        let token =
            std::fs::read_to_string(&file).map_err(|error| format!("`{}`: {error}", file.display()))?;
        Ok(Daemon { _server: server, url, token: token.trim().to_owned() })
    }

    /// The process that owns the workspace, or owned it last.
    pub fn owner_pid(&self) -> Option<u32> {
        let owner: Value =
            serde_json::from_slice(&std::fs::read(self.workspace().join("owner.json")).ok()?).ok()?;
        owner["pid"].as_u64()?.try_into().ok()
    }

    /// Stops what runs and removes everything. What is gone already needs neither, and a file that stays
    /// is in nobody's way, so nothing here is a failure.
    fn clear(&self) {
        if self.workspace().exists() {
            let deployments = self.call(&["call", "deployment.list"]).unwrap_or_default();
            for name in deployments.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()) {
                let _ = self.call(&["deployment", "stop", name]);
            }
            if self.call(&["daemon", "stop"]).is_ok() {
                self.wait_for_daemon();
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// It goes on for a moment after it said that it stops, and would write into a folder that is going.
    fn wait_for_daemon(&self) {
        let (owner, deadline) = (self.owner_pid(), Instant::now() + PATIENCE);
        while owner.is_some_and(processes::is_there) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What the program printed, as JSON.
pub fn reply(printed: &str) -> Result<Value> {
    serde_json::from_str(printed).map_err(|error| format!("the reply is not JSON: {error}\n{printed}"))
}

/// A number of a reply.
pub fn number(value: &Value) -> Result<f64> {
    value.as_f64().ok_or_else(|| format!("the reply has `{value}` where a number should be"))
}

/// A text of a reply.
pub fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("the reply has `{value}` where a text should be"))
}

/// A path as an argument.
pub fn argument(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("the path `{}` is not Unicode", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_of_another_form_is_an_error_that_shows_it() {
        assert_eq!(reply("{\"steps\": 13}\n").expect("JSON"), json!({ "steps": 13 }));
        assert!(reply("").is_err());
        let (steps, name) = (json!(13), json!("penguins"));
        assert_eq!((number(&steps), text(&name)), (Ok(13.0), Ok("penguins".to_owned())));
        assert!(number(&name).expect_err("a text").contains("penguins"));
        assert!(text(&json!(null)).expect_err("nothing").contains("null"));
    }
}
