//! Runs named stages one after the other, and says in the end how each went and how long it took.

use std::time::{Duration, Instant};

use crate::Result;

/// One stage of a run.
pub struct Stage {
    pub name: &'static str,
    pub work: fn() -> Result<()>,
}

struct Outcome {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

/// Runs the stages that are wanted, all when none is named. A failed one does not stop the others:
/// somebody who waits an hour for CI wants to see everything that is wrong.
pub fn run(stages: &[Stage], wanted: &[String]) -> Result<()> {
    if let Some(unknown) = wanted.iter().find(|name| stages.iter().all(|stage| stage.name != **name)) {
        let names: Vec<_> = stages.iter().map(|stage| stage.name).collect();
        return Err(format!("no stage `{unknown}`; the stages are: {}", names.join(", ")));
    }
    let is_wanted = |stage: &&Stage| wanted.is_empty() || wanted.iter().any(|name| name == stage.name);
    let outcomes: Vec<Outcome> = stages.iter().filter(is_wanted).map(run_one).collect();
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    println!("{}", summary(&outcomes));
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} stages failed", outcomes.len())) }
}

fn run_one(stage: &Stage) -> Outcome {
    println!("\n== {}", stage.name);
    let start = Instant::now();
    let failure = (stage.work)().err();
    if let Some(failure) = &failure {
        println!("== {} failed: {failure}", stage.name);
    }
    Outcome { name: stage.name, took: start.elapsed(), failure }
}

fn summary(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n");
    for Outcome { name, took, failure } in outcomes {
        let word = if failure.is_some() { "FAILED" } else { "ok" };
        let reason = failure.as_deref().and_then(|failure| failure.lines().next()).unwrap_or_default();
        text += format!("{name:<10} {word:<6} {:>7.1} s  {reason}", took.as_secs_f64()).trim_end();
        text.push('\n');
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    text + &format!("stages: {} passed, {failed} failed", outcomes.len() - failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_each_stage_and_ends_with_the_count() {
        let outcome = |name, failure: Option<&str>| Outcome {
            name,
            took: Duration::from_millis(1_500),
            failure: failure.map(String::from),
        };
        let text = summary(&[outcome("format", None), outcome("lint", Some("`cargo clippy` failed\nmore"))]);
        assert_eq!(
            text,
            "\nformat     ok         1.5 s\nlint       FAILED     1.5 s  `cargo clippy` failed\nstages: 1 passed, 1 failed"
        );
    }

    #[test]
    fn a_failed_stage_does_not_stop_the_next_and_fails_the_run() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static RAN: AtomicU32 = AtomicU32::new(0);
        let stages = [
            Stage { name: "first", work: || Err("no".into()) },
            Stage {
                name: "second",
                work: || {
                    RAN.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                },
            },
        ];
        assert_eq!(run(&stages, &[]), Err("1 of 2 stages failed".into()));
        assert_eq!(RAN.load(Ordering::Relaxed), 1);
        assert!(run(&stages, &["third".into()]).expect_err("unknown").contains("first, second"));
    }
}
