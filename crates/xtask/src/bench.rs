//! `cargo xtask bench`: figures that can be measured again. A bench is one function and one line here.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::display::Display;
use crate::figures::{self, Figure};
use crate::process::{command, private_folder, root};
use crate::{Result, pages, programs, setup};

/// Measures, and gives back its figures.
type Bench = fn() -> Result<Vec<Figure>>;

const BENCHES: [(&str, Bench); 1] = [("start", start)];
const DOCUMENT: &str = "docs/performance.md";

pub fn bench(words: &[String]) -> Result<()> {
    let (options, names): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| **option != "--write") {
        return Err(format!("unknown option `{unknown}`; the only one is `--write`"));
    }
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|(bench, _)| bench != **name)) {
        let all: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        return Err(format!("no bench `{unknown}`; the benches are: {}", all.join(", ")));
    }
    for (name, measure) in
        BENCHES.iter().filter(|(bench, _)| names.is_empty() || names.iter().any(|name| *name == bench))
    {
        let figures = measure()?;
        print!("{}", figures::as_lines(name, &figures));
        if !options.is_empty() {
            write(name, &figures)?;
        }
    }
    Ok(())
}

fn write(name: &str, figures: &[Figure]) -> Result<()> {
    let path = root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).map_err(|error| format!("`{DOCUMENT}`: {error}"))?;
    std::fs::write(&path, figures::put_into(&document, name, figures))
        .map_err(|error| format!("`{DOCUMENT}`: {error}"))
}

/// From starting the process to the first frame on the screen, in an empty workspace, drawn without
/// a graphics card. The first start reads the disk and is told apart from the later ones.
fn start() -> Result<Vec<Figure>> {
    const STARTS: usize = 5;
    setup::window()?;
    setup::journeys()?;
    pages::build()?;
    programs::build_backend()?;
    programs::build_window()?;
    let display = Display::open()?;
    let mut times = (0..STARTS).map(|_| first_paint_ms(&display)).collect::<Result<Vec<_>>>()?;
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(vec![
        Figure::new("first start to first paint", first, "ms"),
        Figure::new("later starts to first paint, median", times[times.len() / 2], "ms"),
    ])
}

fn first_paint_ms(display: &Display) -> Result<f64> {
    let mut window = command(programs::fettle_desktop(), &["--workspace"]);
    window.arg(private_folder().join("bench-workspace")).stdout(Stdio::null()).stderr(Stdio::piped());
    window.env("GDK_BACKEND", "x11");
    programs::know_each_other(&mut window);
    display.give_to(&mut window);
    let start = Instant::now();
    let mut window = window.spawn().map_err(|error| format!("cannot start the window: {error}"))?;
    let lines = BufReader::new(window.stderr.take().expect("the output is piped")).lines();
    let painted = lines.map_while(std::result::Result::ok).any(|line| line == "fettle-desktop: painted");
    let took = start.elapsed();
    // It has done what it was started for.
    let _ = window.kill();
    let _ = window.wait();
    if painted { Ok(took.as_secs_f64() * 1_000.0) } else { Err("the window ended before it painted".into()) }
}
