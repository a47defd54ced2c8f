//! The daemon of the window's workspace: found when one runs, started when none does, and started
//! again when it dies. It is no part of this process and goes on when the window closes.

use std::fs::{DirBuilder, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use base::{Code, Error, Result};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::rendering;

/// A workspace of a hundred thousand runs opens in a second; a slow disk may need ten.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// A call that comes while the daemon starts waits this long for it.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(25);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The daemon as the window sees it.
pub struct Daemon {
    workspace: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

/// Where the daemon stands.
#[derive(Debug, Clone)]
pub enum State {
    Starting,
    Ready(Endpoint),
    Lost(Error),
}

impl State {
    /// The payload of the event `daemon`.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Starting => json!({ "state": "starting" }),
            Self::Ready(_) => json!({ "state": "ready" }),
            Self::Lost(error) => json!({ "state": "lost", "error": error }),
        }
    }
}

impl Daemon {
    pub fn new(workspace: PathBuf) -> Self {
        Self { workspace, state: Mutex::new(State::Starting), changed: Condvar::new() }
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    pub fn state(&self) -> State {
        self.state.lock().expect("nothing panics while holding this lock").clone()
    }

    /// The daemon to call, waiting a little for one that starts.
    pub fn endpoint(&self) -> Result<Endpoint> {
        let state = self.state.lock().expect("nothing panics while holding this lock");
        let (state, _) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| matches!(state, State::Starting))
            .expect("nothing panics while holding this lock");
        match &*state {
            State::Ready(endpoint) => Ok(endpoint.clone()),
            State::Lost(error) => Err(error.clone()),
            State::Starting => {
                Err(Error::new(Code::Unavailable, "the background process of Fettle is slow to start")
                    .hint("try once more in a moment"))
            }
        }
    }

    /// Keeps a daemon there for as long as this process lives. `tell` hears of every new state;
    /// `follow` uses a daemon until it is gone.
    pub fn keep(&self, tell: impl Fn(&State), follow: impl Fn(&Endpoint)) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.turn(State::Starting, &tell);
            match self.find_or_start() {
                Ok(endpoint) => {
                    let since = Instant::now();
                    self.turn(State::Ready(endpoint.clone()), &tell);
                    follow(&endpoint);
                    if endpoint.is_alive() {
                        // Only the stream broke. Nothing is lost, and the pages ask anew at `ready`.
                        std::thread::sleep(FIRST_PAUSE);
                        continue;
                    }
                    // A daemon that dies at once must not be started a thousand times a minute.
                    pause = if since.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { longer(pause) };
                    self.turn(State::Lost(died()), &tell);
                }
                Err(error) => {
                    pause = longer(pause);
                    self.turn(State::Lost(error), &tell);
                }
            }
            std::thread::sleep(pause);
        }
    }

    fn turn(&self, state: State, tell: &impl Fn(&State)) {
        *self.state.lock().expect("nothing panics while holding this lock") = state.clone();
        self.changed.notify_all();
        tell(&state);
    }

    fn find_or_start(&self) -> Result<Endpoint> {
        match Endpoint::find(&self.workspace).filter(Endpoint::is_alive) {
            Some(endpoint) => Ok(endpoint),
            None => start(&self.workspace),
        }
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

fn died() -> Error {
    Error::new(Code::Unavailable, "the background process of Fettle has stopped")
        .hint("it is being started again")
}

/// Starts a daemon and waits until it answers.
fn start(workspace: &Path) -> Result<Endpoint> {
    // A name that the store takes as its own: a foreign file would keep it from making a workspace.
    let log = workspace.join("owner.log");
    let ended = spawn(workspace, &log)?;
    let deadline = Instant::now() + START_TIMEOUT;
    let mut has_ended = false;
    while Instant::now() < deadline {
        if let Some(endpoint) = Endpoint::find(workspace).filter(Endpoint::is_alive) {
            return Ok(endpoint);
        }
        // Ending well means that the daemon went on in a process of its own.
        match ended.recv_timeout(LOOK_EVERY) {
            Ok(status) if !status.success() => return Err(failed(status, &log)),
            Ok(_) => has_ended = true,
            Err(_) if has_ended => std::thread::sleep(LOOK_EVERY),
            Err(_) => {}
        }
    }
    let seconds = START_TIMEOUT.as_secs();
    Err(Error::new(
        Code::Unavailable,
        format!("the background process of Fettle gave no answer in {seconds} s"),
    )
    .hint(format!("its log is `{}`", log.display())))
}

/// Starts the process apart from ours and reports its end, which also keeps it from staying a zombie.
fn spawn(workspace: &Path, log: &Path) -> Result<Receiver<ExitStatus>> {
    let program = program()?;
    let output = make_folder(workspace).and_then(|()| File::create(log)).map_err(|error| {
        Error::invalid(format!("cannot write in the workspace `{}`", workspace.display()))
            .hint("choose another folder with `--workspace FOLDER`")
            .because(error)
    })?;
    let mut command = Command::new(&program);
    command
        .args(["daemon", "start", "--port", "0", "--json", "--leave-when-idle", "--workspace"])
        .arg(workspace);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    for name in rendering::private_variables() {
        command.env_remove(name);
    }
    detach(&mut command);
    let mut child = command.spawn().map_err(|error| {
        Error::new(Code::Unavailable, format!("cannot start `{}`", program.display())).because(error)
    })?;
    let (tell, ended) = channel();
    std::thread::spawn(move || {
        if let Ok(status) = child.wait() {
            // Nobody listens any more once the daemon has answered.
            let _ = tell.send(status);
        }
    });
    Ok(ended)
}

/// What is in a workspace is for its user's eyes only.
fn make_folder(workspace: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(workspace)
}

/// Ctrl+C in the terminal of the window is not meant for the daemon.
#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(windows)]
fn detach(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// `fettle` lies beside this program, in a package and in the target folder alike.
fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("FETTLE_BIN").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let own = std::env::current_exe()
        .map_err(|error| Error::internal("cannot find this program").because(error))?;
    let beside = own.with_file_name(format!("fettle{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Error::new(Code::Unavailable, format!("the program `{}` is missing", beside.display()))
        .hint("install Fettle again, or name the program in `FETTLE_BIN`"))
}

/// The last line of the log says best why it failed.
fn failed(status: ExitStatus, log: &Path) -> Error {
    let mut text = String::new();
    if let Ok(mut file) = File::open(log) {
        // An unreadable log leaves the text empty, which the line below meets.
        drop(file.read_to_string(&mut text));
    }
    let reason = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim();
    Error::new(Code::Unavailable, format!("the background process of Fettle did not start ({status})"))
        .hint(format!("its log is `{}`", log.display()))
        .because(reason)
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_daemon_that_fails_says_why_in_the_words_of_its_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("owner.log");
        std::fs::write(&log, "starting\nfettle: the workspace is newer than this program\n\n")
            .expect("written");
        let status = Command::new("false").status().expect("runs");
        let error = failed(status, &log);
        assert_eq!(error.causes, ["fettle: the workspace is newer than this program"]);
    }

    #[test]
    fn a_call_fails_with_the_reason_when_the_daemon_is_lost() {
        let daemon = Daemon::new("/nowhere".into());
        let told = RefCell::new(Vec::new());
        daemon.turn(State::Lost(died()), &|state: &State| told.borrow_mut().push(state.to_json()));
        assert_eq!(daemon.endpoint().expect_err("lost"), died());
        assert_eq!(told.borrow()[0]["state"], "lost");
        assert_eq!(told.borrow()[0]["error"]["code"], "unavailable");
    }

    #[test]
    fn pauses_between_starts_grow_to_a_limit() {
        let mut pause = FIRST_PAUSE;
        for _ in 0..10 {
            pause = longer(pause);
        }
        assert_eq!(pause, LONGEST_PAUSE);
    }

    #[test]
    fn a_program_is_started_in_a_group_of_its_own() {
        let mut command = Command::new("sh");
        command.args(["-c", "ps -o pgid= -p $$"]);
        detach(&mut command);
        let child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let pid = child.id();
        let output = child.wait_with_output().expect("ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), pid.to_string());
    }
}
