//! One window of Fettle in a workspace of its own, and the hand that uses it.

use std::cell::Cell;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::file_drop;
use crate::webdriver::{Element, Session};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The display has one pointer and one focus, so there is one window at a time.
static DISPLAY: Mutex<()> = Mutex::new(());

/// How a window is started.
#[derive(Default)]
pub struct Setup {
    /// A workspace that is there already; a new one when none is named.
    pub workspace: Option<PathBuf>,
    /// Files and arguments on the command line.
    pub arguments: Vec<String>,
}

/// A running window. It ends, with everything it started, when this is dropped.
pub struct App {
    session: Session,
    driver: Child,
    workspace: PathBuf,
    /// Pointer actions so far: every click, drag and drop of files.
    actions: Cell<u32>,
    home: TempDir,
    _display: MutexGuard<'static, ()>,
}

impl App {
    /// Opens the window in a new workspace.
    pub fn start() -> Self {
        Self::start_with(Setup::default())
    }

    pub fn start_with(setup: Setup) -> Self {
        assert!(
            std::env::var_os("FETTLE_E2E").is_some(),
            "the journeys need a display, a driver and the built programs: run them with `cargo xtask test`"
        );
        // A journey that failed has cleaned up all the same.
        let display = DISPLAY.lock().unwrap_or_else(PoisonError::into_inner);
        let home = tempfile::tempdir().expect("a folder");
        let workspace = setup.workspace.unwrap_or_else(|| home.path().join("workspace"));
        let port = free_port();
        let driver = driver(port, home.path(), &workspace);
        let program = required("FETTLE_DESKTOP_BIN");
        let session = Session::open(&format!("http://127.0.0.1:{port}"), &program, &setup.arguments);
        Self { session, driver, workspace, actions: Cell::new(0), home, _display: display }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// A folder that goes when the window goes.
    pub fn scratch(&self) -> &Path {
        self.home.path()
    }

    pub fn pointer_actions(&self) -> u32 {
        self.actions.get()
    }

    /// Waits for the element with this `data-testid`.
    pub fn find(&self, test_id: &str) -> Element {
        let css = format!("[data-testid=\"{test_id}\"]");
        self.wait_until(&format!("there is `{test_id}`"), || self.session.find(&css).ok())
    }

    pub fn is_there(&self, test_id: &str) -> bool {
        self.session.find(&format!("[data-testid=\"{test_id}\"]")).is_ok()
    }

    /// Clicks it, once it is there and can be pressed: a driver presses a button that is disabled and
    /// says nothing. A page that redraws in between is met by looking again.
    pub fn click(&self, test_id: &str) {
        let css = format!("[data-testid=\"{test_id}\"]:not(:disabled)");
        self.wait_until(&format!("`{test_id}` can be clicked"), || {
            self.session.click(&self.session.find(&css).ok()?).ok()
        });
        self.count_action();
    }

    /// As [`App::click`], for what only a selector can tell apart; scrolls to it.
    pub fn click_on(&self, css: &str) {
        self.middle(css);
        self.wait_until(&format!("`{css}` can be clicked"), || {
            self.session.click(&self.session.find(css).ok()?).ok()
        });
        self.count_action();
    }

    pub fn drag(&self, from: (i32, i32), to: (i32, i32)) {
        self.session.drag(from, to).expect("dragged");
        self.count_action();
    }

    /// A real drop from another program, at this place of the window.
    pub fn drop_files(&self, files: &[&Path], at: (i32, i32)) {
        file_drop::drop_files(files, at);
        self.count_action();
    }

    pub fn type_into(&self, test_id: &str, text: &str) {
        let element = self.find(test_id);
        self.session.type_keys(&element, text).expect("typed");
    }

    /// Types wherever the focus is.
    pub fn type_text(&self, text: &str) {
        let mut key = [0; 4];
        text.chars().for_each(|c| self.press(&[c.encode_utf8(&mut key)]));
    }

    /// Goes on by Tab until the focus is in the element with this `data-testid`.
    pub fn tab_into(&self, test_id: &str) {
        let is_in = format!("return document.activeElement?.closest('[data-testid=\"{test_id}\"]') !== null");
        self.wait_until(&format!("Tab leads to `{test_id}`"), || {
            self.press(&["\u{E004}"]);
            (self.script(&is_in).ok()? == true).then_some(())
        });
    }

    /// The middle of an element, once it is there, scrolled into view.
    pub fn middle(&self, css: &str) -> (i32, i32) {
        const MIDDLE: &str = "const element = document.querySelector(arguments[0]);
            element?.scrollIntoViewIfNeeded?.();
            const box = element?.getBoundingClientRect();
            return box && [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)]";
        self.wait_until(&format!("there is `{css}`"), || {
            let at = self.session.script(MIDDLE, &[json!(css)]).ok()?;
            let part = |index: usize| at[index].as_i64().and_then(|pixel| i32::try_from(pixel).ok());
            Some((part(0)?, part(1)?))
        })
    }

    /// Presses and moves as a drag does, and holds on.
    pub fn pull(&self, from: (i32, i32), to: (i32, i32)) {
        self.session.pull(from, to).expect("pulled");
    }

    /// Lets go of what was pulled.
    pub fn let_go(&self) {
        self.session.let_go().expect("let go");
        self.count_action();
    }

    pub fn press(&self, keys: &[&str]) {
        self.session.press(keys).expect("pressed");
    }

    pub fn text(&self, test_id: &str) -> String {
        self.wait_until(&format!("`{test_id}` has a text"), || self.session.text(&self.find(test_id)).ok())
    }

    pub fn wait_for_text(&self, test_id: &str, part: &str) -> String {
        self.wait_until(&format!("`{test_id}` says `{part}`"), || {
            Some(self.text(test_id)).filter(|text| text.contains(part))
        })
    }

    /// Waits until `look` gives something. A failure leaves a picture of what was there instead.
    pub fn wait_until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            if Instant::now() > deadline {
                let picture = picture_folder().join("failure.png");
                self.screenshot(&picture);
                panic!("waited {} s in vain until {what}; see {}", PATIENCE.as_secs(), picture.display());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Calls a command as the pages do.
    pub fn rpc(&self, name: &str, payload: Value) -> Result<Value, Value> {
        const CALL: &str = "const done = arguments[2];
            window.__TAURI_INTERNALS__.invoke('rpc', { name: arguments[0], payload: arguments[1] })
              .then(result => done({ result }), error => done({ error }))";
        let mut answer = self.session.script_async(CALL, &[json!(name), payload]).expect("the page answers");
        match answer["error"].take() {
            Value::Null => Ok(answer["result"].take()),
            error => Err(error),
        }
    }

    /// Calls a command that starts a job and waits until it is done.
    pub fn finish(&self, name: &str, payload: Value) {
        let started = self.rpc(name, payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        let job = json!({ "jobId": started["jobId"] });
        self.wait_until(&format!("`{name}` is done"), || {
            let state = self.rpc("job.show", job.clone()).expect("the job is known");
            assert!(state["error"].is_null(), "{name}: {state}");
            (state["state"] == "done").then_some(())
        });
    }

    /// Waits until the daemon answers, and gives its process id.
    pub fn await_daemon(&self) -> u32 {
        self.wait_until("the daemon is ready", || {
            let state = self.rpc("window.state", json!({})).ok()?;
            (state["daemon"]["state"] == "ready").then(|| owner(&self.workspace))?
        })
    }

    /// Processor time of the process that draws the pages so far, in ms.
    pub fn web_view_cpu_ms(&self) -> u64 {
        let window = child_of(self.driver.id()).expect("the driver has started the window");
        let mut pages =
            processes().filter(|pid| is_below(*pid, window) && name_of(*pid).starts_with("WebKitWebProces"));
        let pid = pages.next().expect("the window has a web view");
        // Fields 14 and 15 of `stat`, of which the first two are cut off, in hundredths of a second.
        let ticks: u64 =
            stat_of(pid).iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        ticks * 10
    }

    /// As a crash would end it.
    pub fn kill_daemon(&self) {
        let pid = owner(&self.workspace).expect("a daemon owns the workspace");
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("`kill` runs");
        assert!(killed.success());
    }

    pub fn script(&self, body: &str) -> Result<Value, String> {
        self.session.script(body, &[])
    }

    pub fn screenshot(&self, path: &Path) {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("the folder is made");
        }
        std::fs::write(path, self.session.screenshot()).expect("the picture is written");
    }

    fn count_action(&self) {
        self.actions.set(self.actions.get() + 1);
    }
}

impl Drop for App {
    /// By process id and nothing else: other windows and drivers may run on this machine.
    fn drop(&mut self) {
        let window = child_of(self.driver.id());
        self.session.close();
        if let Some(pid) = window {
            kill_if_ours(pid);
        }
        // The driver may have ended by itself.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if let Some(pid) = owner(&self.workspace) {
            kill_if_ours(pid);
        }
    }
}

/// Where pictures go.
pub fn picture_folder() -> PathBuf {
    std::env::var_os("FETTLE_SHOTS").map_or_else(|| std::env::temp_dir().join("fettle-e2e"), PathBuf::from)
}

fn required(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("`{name}` is not set: run the journeys with `cargo xtask test`"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// What the driver is started with, the window inherits.
fn driver(port: u16, home: &Path, workspace: &Path) -> Child {
    let folder = |name: &str| {
        let folder = home.join(name);
        std::fs::create_dir_all(&folder).expect("the folder is made");
        folder
    };
    let log = std::fs::File::create(home.join("driver.log")).expect("the log is made");
    Command::new("WebKitWebDriver")
        .arg(format!("--port={port}"))
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env("FETTLE_WORKSPACE", workspace)
        .env("XDG_DATA_HOME", folder("data"))
        .env("XDG_CONFIG_HOME", folder("config"))
        .env("XDG_CACHE_HOME", folder("cache"))
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("WebKitWebDriver starts")
}

/// Every process that there is.
fn processes() -> impl Iterator<Item = u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What `/proc` says of a process behind its name: state, parent and so on.
fn stat_of(pid: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces: the fields are counted behind it.
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().map(str::to_owned).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    stat_of(pid).get(1)?.parse().ok()
}

fn is_below(pid: u32, above: u32) -> bool {
    std::iter::successors(Some(pid), |pid| parent_of(*pid)).any(|pid| pid == above)
}

fn name_of(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

fn child_of(parent: u32) -> Option<u32> {
    processes().find(|pid| parent_of(*pid) == Some(parent))
}

/// The daemon that the window has started.
fn owner(workspace: &Path) -> Option<u32> {
    let owner: Value = serde_json::from_slice(&std::fs::read(workspace.join("owner.json")).ok()?).ok()?;
    owner["pid"].as_u64()?.try_into().ok()
}

fn kill_if_ours(pid: u32) {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    if program.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("fettle")) {
        let _ = Command::new("kill").arg(pid.to_string()).status();
    }
}
