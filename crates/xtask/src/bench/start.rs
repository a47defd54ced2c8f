//! From starting the window to the first frame on the screen, in an empty workspace, drawn without a
//! graphics card; and what the window, its web view and the daemon hold a little later.
//!
//! The window is the one that the journeys drive, hardly optimised: it draws and forwards, and what
//! takes long in there is the web view, which is the system's.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use crate::display::Display;
use crate::figures::Figure;
use crate::instruments::{processes, times, world::World};
use crate::process::command;
use crate::{Result, pages, programs, setup};

const STARTS: usize = 5;
/// After the first frame the pages still ask for what they show.
const SETTLE: Duration = Duration::from_secs(3);

/// The first start reads the disk and is told apart from the later ones.
pub fn measure() -> Result<Vec<Figure>> {
    setup::window()?;
    setup::journeys()?;
    pages::build()?;
    programs::build_release_backend()?;
    programs::build_window()?;
    let display = Display::open()?;
    let world = World::new("start")?;
    let first_ms = Window::open(&world, &display)?.first_paint_ms;
    let later_ms = (1..STARTS).map(|_| Ok(Window::open(&world, &display)?.first_paint_ms));
    let later_ms = later_ms.collect::<Result<Vec<_>>>()?;
    let mut figures = vec![
        Figure::new("first start to first paint", first_ms, "ms"),
        Figure::new("later starts to first paint, median", times::median(&later_ms), "ms"),
    ];
    figures.extend(memory(&world, &display)?);
    Ok(figures)
}

/// A window that is open until this is dropped.
struct Window {
    process: Child,
    // Open, so that the window can go on writing.
    _said: Lines<BufReader<ChildStderr>>,
    first_paint_ms: f64,
}

impl Window {
    fn open(world: &World, display: &Display) -> Result<Self> {
        let mut window = command(programs::fettle_desktop(), &["--workspace"]);
        window.arg(world.workspace()).env("GDK_BACKEND", "x11");
        window.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        programs::know_the_release(&mut window);
        display.give_to(&mut window);
        let start = Instant::now();
        let mut process = window.spawn().map_err(|error| format!("cannot start the window: {error}"))?;
        let mut said = BufReader::new(process.stderr.take().expect("the output is piped")).lines();
        let mut before = Vec::new();
        for line in said.by_ref().map_while(std::result::Result::ok) {
            if line == "fettle-desktop: painted" {
                let first_paint_ms = start.elapsed().as_secs_f64() * 1e3;
                return Ok(Self { process, _said: said, first_paint_ms });
            }
            before.push(line);
        }
        // Its end of the pipe is closed, so it has ended or is about to.
        let _ = process.wait();
        Err(format!("the window ended before it painted\n{}", before.join("\n")))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // It has done what it was started for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The daemon may be one that an earlier window started, and then it is no child of this one.
fn memory(world: &World, display: &Display) -> Result<Vec<Figure>> {
    let window = Window::open(world, display)?;
    std::thread::sleep(SETTLE);
    let window_and_view = processes::family(window.process.id());
    let daemon = world.owner_pid().map(processes::family).unwrap_or_default();
    let all: BTreeSet<u32> = window_and_view.union(&daemon).copied().collect();
    let figure = |name: &str, mb: Option<f64>| mb.map(|mb| Figure::new(name, mb, "MB"));
    let figures = [
        figure("resident memory of window, web view and daemon", processes::resident_mb(&all)),
        figure("the same, with shared pages divided", processes::proportional_mb(&all)),
        figure("resident memory of the daemon alone", processes::resident_mb(&daemon)),
    ];
    Ok(figures.into_iter().flatten().collect())
}
