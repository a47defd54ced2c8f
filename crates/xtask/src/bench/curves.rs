//! What people wait for who compare long curves: five runs of a million points each, all of them and
//! parts of them, asked of the daemon over HTTP as the window asks.

use std::time::Instant;

use serde_json::{Value, json};

use super::track::{begin, our_address, post};
use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::random::Random;
use crate::instruments::times::median;
use crate::instruments::world::World;
use crate::{Result, programs};

const RUNS: u64 = 5;
const POINTS: u64 = 1_000_000;
/// As many as a request may bring.
const BATCH: u64 = 1_000;
const REPEATS: usize = 10;
const BUCKETS: u64 = 800;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let world = World::new("curves")?;
    let daemon = world.start_daemon()?;
    let (runs, mut scripts) = fill(&world)?;
    let mut connection = Connection::open(&daemon.url, &daemon.token)?;
    let mut ask = |span: Option<(u64, u64)>| -> Result<f64> {
        let body = look(&runs, span).to_string();
        let start = Instant::now();
        connection.post("/rpc/run.curve", &body)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let first = ask(None)?;
    let mut repeated = |span: Option<(u64, u64)>| -> Result<f64> {
        let times = (0..REPEATS).map(|_| ask(span)).collect::<Result<Vec<_>>>()?;
        Ok(median(&times))
    };
    let (again, half) = (repeated(None)?, repeated(Some((0, POINTS / 2)))?);
    let (tenth, narrow) =
        (repeated(Some((0, POINTS / 10)))?, repeated(Some((POINTS / 2, POINTS / 2 + 1_000)))?);
    post(&mut scripts, "runs/log-batch", &batch(&runs[0], POINTS))?;
    let grown = ask(None)?;
    let curves = format!("{RUNS} curves of {POINTS} points");
    Ok(vec![
        Figure::new(format!("{curves}, the first look"), first, "ms"),
        Figure::new(format!("{curves}, again: median"), again, "ms"),
        Figure::new(format!("{curves}, half of them: median"), half, "ms"),
        Figure::new(format!("{curves}, a tenth: median"), tenth, "ms"),
        Figure::new(format!("{curves}, 1,000 steps: median"), narrow, "ms"),
        Figure::new(format!("{curves}, after one grew by {BATCH} points"), grown, "ms"),
    ])
}

fn look(runs: &[String], span: Option<(u64, u64)>) -> Value {
    let (from, to) = span.unzip();
    json!({ "runs": runs, "metric": "loss", "from": from, "to": to, "buckets": BUCKETS })
}

/// The runs, and the connection by which more can be logged to them.
fn fill(world: &World) -> Result<(Vec<String>, Connection)> {
    let (url, token) = our_address(world).ok_or("the daemon does not take what scripts log")?;
    let mut connection = Connection::open(&url, &token)?;
    let mut runs = Vec::new();
    for number in 0..RUNS {
        let run = begin(&mut connection, number)?;
        for from in (0..POINTS).step_by(BATCH as usize) {
            post(&mut connection, "runs/log-batch", &batch(&run, from))?;
        }
        runs.push(run);
    }
    Ok((runs, connection))
}

fn batch(run: &str, from: u64) -> Value {
    let mut random = Random::new(from);
    let metrics: Vec<_> = (from..from + BATCH)
        .map(|step| json!({ "key": "loss", "value": random.share(), "timestamp": step, "step": step }))
        .collect();
    json!({ "run_id": run, "metrics": metrics })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_curve_is_asked_for_without_limits() {
        let runs = ["r".to_owned()];
        assert_eq!((&look(&runs, None)["from"], &look(&runs, Some((1, 2)))["to"]), (&Value::Null, &json!(2)));
        assert_eq!(batch("r", 5)["metrics"][0]["step"], 5);
    }
}
