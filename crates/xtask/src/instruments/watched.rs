//! Runs a program to its end and watches what it takes: time, processor time, memory.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::processes;
use crate::Result;
use crate::figures::Figure;
use crate::process::{printed, words};

/// Between two looks at the memory. What a process held for a shorter time may be missed in the sum
/// over several; the most of a single one is counted by the system.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a program took.
pub struct Watched {
    /// What it printed.
    pub printed: String,
    pub wall_s: f64,
    /// With what it started and waited for.
    pub cpu_s: Option<f64>,
    peak: Peak,
}

/// The most memory that was seen.
#[derive(Default)]
struct Peak {
    own_mb: Option<f64>,
    family_mb: Option<f64>,
}

pub fn run(mut command: Command) -> Result<Watched> {
    let cpu_before = processes::ended_children_cpu_s();
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("cannot start {}: {error}", words(&command)))?;
    let (pid, has_ended) = (child.id(), AtomicBool::new(false));
    let (output, wall_s, peak) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, &has_ended));
        let output = child.wait_with_output();
        let wall_s = start.elapsed().as_secs_f64();
        has_ended.store(true, Ordering::Relaxed);
        (output, wall_s, watch.join().expect("looking at files does not panic"))
    });
    let output = output.map_err(|error| format!("cannot read from {}: {error}", words(&command)))?;
    let cpu_after = processes::ended_children_cpu_s();
    Ok(Watched {
        printed: printed(&command, output)?,
        wall_s,
        cpu_s: cpu_after.zip(cpu_before).map(|(after, before)| after - before),
        peak,
    })
}

impl Watched {
    /// Processor time and memory, as far as the system tells them.
    pub fn figures(&self, what: &str) -> Vec<Figure> {
        let figure = |name: &str, value: Option<f64>, unit: &str| {
            value.map(|value| Figure::new(format!("{what}: {name}"), value, unit))
        };
        [
            figure("processor time", self.cpu_s, "s"),
            figure("peak memory of the process", self.peak.own_mb, "MB"),
            figure("peak memory with its children", self.peak.family_mb, "MB"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn watch(pid: u32, has_ended: &AtomicBool) -> Peak {
    let mut peak = Peak::default();
    while !has_ended.load(Ordering::Relaxed) {
        peak.own_mb = larger(peak.own_mb, processes::highest_mb(pid));
        peak.family_mb = larger(peak.family_mb, processes::resident_mb(&processes::family(pid)));
        std::thread::sleep(LOOK_EVERY);
    }
    peak
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    if other > one { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::command;

    #[test]
    fn the_peak_is_the_largest_that_was_seen() {
        assert_eq!(larger(None, Some(1.0)), Some(1.0));
        assert_eq!(larger(Some(2.0), Some(1.0)), Some(2.0));
        assert_eq!(larger(Some(2.0), None), Some(2.0), "a last look at a process that has ended");
    }

    #[cfg(unix)]
    #[test]
    fn what_a_failed_program_said_is_in_the_error() {
        let error = run(command("sh", &["-c", "echo broken >&2; exit 3"])).err().expect("it fails");
        assert!(error.contains("broken") && error.contains("sh -c"), "{error}");
        let watched = run(command("sh", &["-c", "echo fine"])).expect("it runs");
        assert_eq!(watched.printed, "fine\n");
    }
}
