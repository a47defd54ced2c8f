//! A drop of files from another program: a small GTK window offers them, and the pointer of the
//! display carries them over. It is the way that a file manager goes, with nothing imitated.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/drag_source.py");
/// Shorter pauses lose events: GTK starts a drag only after seeing the pointer move.
const PAUSE: Duration = Duration::from_millis(100);

/// Drops the files at a place of the window, counted from its upper left corner.
pub fn drop_files(files: &[&Path], at: (i32, i32)) {
    let mut source = Source::open(files);
    let (left, top, width, height) = geometry("fettle-drag-source");
    let (window_left, window_top, ..) = geometry("Fettle");
    let target = (window_left + at.0, window_top + at.1);
    move_to((left + width / 2, top + height / 2));
    xdotool(&["mousedown", "1"]);
    for _ in 0..6 {
        xdotool(&["mousemove_relative", "--", "-12", "-12"]);
    }
    move_to((target.0 - 10, target.1 - 10));
    move_to(target);
    std::thread::sleep(3 * PAUSE);
    xdotool(&["mouseup", "1"]);
    source.await_end();
}

/// The program that the files come from.
struct Source {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Source {
    fn open(files: &[&Path]) -> Self {
        let mut process = Command::new("/usr/bin/python3")
            .arg(SOURCE)
            .args(files)
            // No screen reader listens here, and GTK warns about that at length.
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the source of the drag starts");
        let lines = BufReader::new(process.stdout.take().expect("the output is piped")).lines();
        let mut source = Self { process, lines };
        source.await_line("ready");
        source
    }

    fn await_end(&mut self) {
        self.await_line("drag-end");
    }

    fn await_line(&mut self, wanted: &str) {
        for line in self.lines.by_ref() {
            let line = line.expect("the source of the drag prints text");
            assert_ne!(line, "drag-failed", "the window did not take the files");
            if line == wanted {
                return;
            }
        }
        panic!("the source of the drag ended before it said `{wanted}`");
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn move_to((x, y): (i32, i32)) {
    xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
}

fn xdotool(arguments: &[&str]) -> String {
    let output = Command::new("xdotool").args(arguments).output().expect("xdotool starts");
    assert!(output.status.success(), "xdotool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    std::thread::sleep(PAUSE);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Left, top, width and height of the window with this title.
fn geometry(title: &str) -> (i32, i32, i32, i32) {
    let found = xdotool(&["search", "--onlyvisible", "--name", &format!("^{title}$")]);
    let id = found.lines().last().unwrap_or_else(|| panic!("no window `{title}` on the display"));
    let shell = xdotool(&["getwindowgeometry", "--shell", id]);
    let number = |name: &str| {
        let line = shell.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {shell}"))
    };
    (number("X"), number("Y"), number("WIDTH"), number("HEIGHT"))
}
