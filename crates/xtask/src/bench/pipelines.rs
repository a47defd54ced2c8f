//! Fifty trivial steps, beside the programs that also know what need not run again: GNU make and DVC over
//! the same graph, in the same run. Each step copies the file of the one before it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::figures::Figure;
use crate::instruments::times;
use crate::instruments::world::{World, argument, number};
use crate::process::{command, output, root};
use crate::{Result, programs, setup};

const STEPS: usize = 50;
/// The graph is so many chains of equal length, so that there is something to order.
const CHAINS: usize = 5;
const RUNS: usize = 5;
/// Starts of a shell that does what a step does, to know what the rest costs.
const STARTS: usize = 200;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let python = setup::python()?;
    setup::python_packages(&python, &root().join("tests/peers/requirements.txt"))?;
    let world = World::new("pipelines")?;
    let make = with_make(&world.path("make"))?;
    let dvc = with_dvc(&python, &world.path("dvc"))?;
    let shell_ms = start_ms("sh", &["-e", "-c", "cat /dev/null"])?;
    let ours_ms = start_ms(argument(&programs::release_fettle())?, &["--version"])?;
    let ours = with_fettle(&world)?;
    let fresh_ms = (ours.fresh_run_ms / STEPS as f64) - shell_ms;
    Ok(vec![
        Figure::new("make, nothing to do, median", make.again_ms, "ms"),
        Figure::new("DVC, nothing to do, median", dvc.again_ms, "ms"),
        Figure::new("Fettle, nothing to do: the call, median", ours.call_ms, "ms"),
        Figure::new("Fettle, nothing to do: the run itself, median", ours.run_ms, "ms"),
        Figure::new("the run takes as many times as long as make", ours.run_ms / make.again_ms, "times"),
        Figure::new("DVC takes as many times as long as the run", dvc.again_ms / ours.run_ms, "times"),
        Figure::new("all steps anew: make", make.fresh_ms, "ms"),
        Figure::new("all steps anew: Fettle's run, one at a time", ours.fresh_run_ms, "ms"),
        Figure::new("all steps anew: DVC", dvc.fresh_ms, "ms"),
        Figure::new("start and end of a shell that copies a file, median", shell_ms, "ms"),
        Figure::new("start and end of the program, median", ours_ms, "ms"),
        Figure::new("cost of a fresh step over that", fresh_ms, "ms"),
    ])
}

/// What a peer takes: the first time and every other.
struct Peer {
    fresh_ms: f64,
    again_ms: f64,
}

struct Ours {
    fresh_run_ms: f64,
    call_ms: f64,
    run_ms: f64,
}

/// The step before one, none for the first of a chain.
fn before(step: usize) -> Option<usize> {
    step.checked_sub(CHAINS)
}

fn with_make(folder: &Path) -> Result<Peer> {
    let mut makefile = String::from("all:");
    (0..STEPS).for_each(|step| {
        // Writing into a text cannot fail.
        let _ = write!(makefile, " s{step}.txt");
    });
    for step in 0..STEPS {
        let from = before(step).map_or_else(|| "seed.txt".to_owned(), |from| format!("s{from}.txt"));
        let _ = write!(makefile, "\ns{step}.txt: {from}\n\tcp {from} s{step}.txt\n");
    }
    write_all(folder, &[("Makefile", &makefile), ("seed.txt", "seed\n")])?;
    peer(|| {
        let mut make = command("make", &["--silent"]);
        make.current_dir(folder);
        make
    })
}

fn with_dvc(python: &Path, folder: &Path) -> Result<Peer> {
    let mut stages = String::from("stages:\n");
    for step in 0..STEPS {
        let from = before(step).map_or_else(|| "seed.txt".to_owned(), |from| format!("s{from}.txt"));
        let _ = write!(
            stages,
            "  s{step}:\n    cmd: cp {from} s{step}.txt\n    deps: [{from}]\n    outs: [s{step}.txt]\n"
        );
    }
    write_all(folder, &[("dvc.yaml", &stages), ("seed.txt", "seed\n")])?;
    let dvc = |words: &[&str]| -> Command {
        let mut dvc = command(python, &["-m", "dvc"]);
        // It asks its maker about newer versions otherwise.
        dvc.args(words)
            .current_dir(folder)
            .env("DVC_NO_ANALYTICS", "1")
            .env("DVC_SITE_CACHE_DIR", folder.join("site"));
        dvc
    };
    output(dvc(&["init", "--no-scm", "--quiet"]))?;
    peer(|| dvc(&["repro", "--quiet"]))
}

fn peer(call: impl Fn() -> Command) -> Result<Peer> {
    let fresh_ms = timed(call())?;
    let again = (0..RUNS).map(|_| timed(call())).collect::<Result<Vec<_>>>()?;
    Ok(Peer { fresh_ms, again_ms: times::median(&again) })
}

fn with_fettle(world: &World) -> Result<Ours> {
    let file = world.path("trivial.toml");
    write_all(world.path("").as_path(), &[("trivial.toml", &pipeline())])?;
    let name = argument(&file)?;
    // One at a time, as make and DVC do it.
    let fresh = world.call(&["pipeline", "run", name, "--threads", "1"])?;
    let fresh_run_ms = number(&fresh["summary"]["durationMs"])?;
    let mut calls_ms = Vec::new();
    let mut runs_ms = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let again = world.call(&["pipeline", "run", "trivial", "--threads", "1"])?;
        calls_ms.push(start.elapsed().as_secs_f64() * 1e3);
        if number(&again["summary"]["cached"])? != STEPS as f64 {
            return Err("a step that need not run was run again".to_owned());
        }
        runs_ms.push(number(&again["summary"]["durationMs"])?);
    }
    Ok(Ours { fresh_run_ms, call_ms: times::median(&calls_ms), run_ms: times::median(&runs_ms) })
}

fn pipeline() -> String {
    let mut text = String::from("format = 1\nname = \"trivial\"\n");
    for step in 0..STEPS {
        let _ = write!(text, "\n[[step]]\nid = \"s{step}\"\nkind = \"command\"\n");
        let _ = match before(step) {
            None => writeln!(
                text,
                "params = {{ command = \"echo seed{step} > s{step}.txt\", inputs = [], \
                 outputs = [\"out:files=s{step}.txt\"] }}"
            ),
            Some(from) => writeln!(
                text,
                "inputs = {{ in = \"s{from}.out\" }}\nparams = {{ command = \"cp s{from}.txt s{step}.txt\", \
                 inputs = [\"in:files=s{from}.txt\"], outputs = [\"out:files=s{step}.txt\"] }}"
            ),
        };
    }
    text
}

fn start_ms(program: &str, words: &[&str]) -> Result<f64> {
    let starts = (0..STARTS).map(|_| timed(command(program, words))).collect::<Result<Vec<_>>>()?;
    Ok(times::median(&starts))
}

fn timed(command: Command) -> Result<f64> {
    let start = Instant::now();
    output(command)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn write_all(folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    let failed = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_the_same_for_all_of_them() {
        let text = pipeline();
        assert_eq!(text.matches("[[step]]").count(), STEPS);
        assert_eq!(text.matches("inputs = { in = ").count(), STEPS - CHAINS);
        assert_eq!((before(0), before(CHAINS), before(STEPS - 1)), (None, Some(0), Some(STEPS - 1 - CHAINS)));
    }
}
