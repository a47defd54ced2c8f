//! Doing again what was done already: the whole main job, and a run of its pipeline.

use std::time::Instant;

use serde_json::Value;

use crate::figures::Figure;
use crate::instruments::times;
use crate::instruments::world::{World, number, text};
use crate::{Result, programs};

const RUNS: usize = 5;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let world = World::new("no-op-run")?;
    world.call(&["demo", "--stop"])?;
    let start = Instant::now();
    let second = world.call(&["demo", "--stop"])?;
    let second_ms = start.elapsed().as_secs_f64() * 1e3;
    let pipeline = text(&second["dataset"]["dataset"])?;
    let runs = (0..RUNS).map(|_| run(&world, &pipeline)).collect::<Result<Vec<_>>>()?;
    let (calls_ms, runs_ms): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    Ok(vec![
        Figure::new("second main job", second_ms, "ms"),
        Figure::in_words("second main job: steps from the cache", cached(&second)?),
        Figure::new("pipeline run, median", times::median(&calls_ms), "ms"),
        Figure::new("pipeline run: the run itself, median", times::median(&runs_ms), "ms"),
    ])
}

/// How long the call took and how long the run in it.
fn run(world: &World, pipeline: &str) -> Result<(f64, f64)> {
    let start = Instant::now();
    let run = world.call(&["pipeline", "run", pipeline])?;
    let call_ms = start.elapsed().as_secs_f64() * 1e3;
    cached(&run["summary"])?;
    Ok((call_ms, number(&run["summary"]["durationMs"])?))
}

/// How many of how many steps were in the cache, which must be all.
fn cached(report: &Value) -> Result<String> {
    let (cached, steps) = (number(&report["cached"])?, number(&report["steps"])?);
    let words = format!("{cached} of {steps}");
    if cached == steps { Ok(words) } else { Err(format!("only {words} steps were in the cache")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_that_ran_again_is_a_failure() {
        assert_eq!(cached(&json!({ "cached": 13, "steps": 13 })), Ok("13 of 13".to_owned()));
        assert!(cached(&json!({ "cached": 12, "steps": 13 })).expect_err("one ran").contains("12 of 13"));
        assert!(cached(&json!({})).is_err());
    }
}
