//! What people wait for who look at 100,000 runs: a page of the table by every way of sorting, filtering
//! and grouping it, asked of the daemon over HTTP as the window asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use super::track::{begin, our_address, post};
use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::random::Random;
use crate::instruments::times::median;
use crate::instruments::world::World;
use crate::{Result, programs};

const RUNS: u64 = 100_000;
const CLIENTS: u64 = 8;
const REPEATS: usize = 10;

/// What is asked, and in which words.
const LOOKS: [(&str, &str, &str, &str); 6] = [
    ("the newest runs", "", "", ""),
    ("by a metric", "", "metrics.auc desc", ""),
    ("by the least value of a metric", "", "min(metrics.loss)", ""),
    ("by a parameter and a metric", "", "params.depth|metrics.auc desc", ""),
    (
        "with a filter of three conditions, by a metric",
        "metrics.auc > 0.5 and params.depth != '3' and tags.team = 'a'",
        "metrics.auc desc",
        "",
    ),
    ("groups by a parameter, mean and deviation of four metrics", "", "metrics.auc desc", "params.seed"),
];

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let world = World::new("runs")?;
    let daemon = world.start_daemon()?;
    fill(&world)?;
    let mut connection = Connection::open(&daemon.url, &daemon.token)?;
    let mut figures = Vec::new();
    for (name, filter, order, group) in LOOKS {
        let command = if group.is_empty() { "/rpc/run.table" } else { "/rpc/run.groups" };
        let body = look(filter, order, group).to_string();
        let ms = median_ms(|| connection.post(command, &body))?;
        figures.push(Figure::new(format!("a page of {RUNS} runs, {name}: median"), ms, "ms"));
    }
    for (name, command, body) in [
        ("the columns there are", "/rpc/run.columns", json!({})),
        ("the folders of experiments", "/rpc/run.experiments", json!({})),
        ("what may come next in a filter", "/rpc/run.filter_help", json!({ "filter": "metrics.a", "at": 9 })),
    ] {
        let body = body.to_string();
        figures.push(Figure::new(
            format!("{name}: median"),
            median_ms(|| connection.post(command, &body))?,
            "ms",
        ));
    }
    Ok(figures)
}

fn look(filter: &str, order: &str, group: &str) -> Value {
    let order: Vec<&str> = order.split('|').filter(|key| !key.is_empty()).collect();
    let columns = ["metrics.auc", "min(metrics.loss)", "metrics.m1", "metrics.m2", "params.depth"];
    let group = (!group.is_empty()).then_some(group);
    let look = json!({ "filter": filter, "order": order, "columns": columns, "group": group });
    json!({ "look": look, "place": "outermost", "limit": 200 })
}

/// Runs with four metrics, three parameters and a tag each.
fn fill(world: &World) -> Result<()> {
    let (url, token) = our_address(world).ok_or("the daemon does not take what scripts log")?;
    let next = AtomicU64::new(0);
    let work = || -> Result<()> {
        let mut connection = Connection::open(&url, &token)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= RUNS {
                return Ok(());
            }
            let run = begin(&mut connection, number)?;
            post(&mut connection, "runs/log-batch", &batch(&run, number))?;
        }
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("clients do not panic"))
    })
}

fn batch(run: &str, number: u64) -> Value {
    let mut random = Random::new(number);
    let metrics = ["auc", "loss", "m1", "m2"];
    let metrics = metrics
        .map(|key| json!({ "key": key, "value": random.share(), "timestamp": number, "step": number % 7 }));
    let params = [("depth", number % 10), ("seed", number % 100), ("batch", number)];
    json!({
        "run_id": run,
        "metrics": metrics,
        "params": params.map(|(key, value)| json!({ "key": key, "value": value.to_string() })),
        "tags": [{ "key": "team", "value": if number.is_multiple_of(2) { "a" } else { "b" } }],
    })
}

fn median_ms(mut ask: impl FnMut() -> Result<Vec<u8>>) -> Result<f64> {
    let times = (0..REPEATS).map(|_| {
        let start = Instant::now();
        ask()?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    });
    Ok(median(&times.collect::<Result<Vec<_>>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_says_only_what_is_asked() {
        let asked = look("", "params.depth|metrics.auc desc", "");
        assert_eq!(asked["look"]["order"], json!(["params.depth", "metrics.auc desc"]));
        assert_eq!(asked["look"]["group"], Value::Null);
        assert_eq!(look("", "", "params.seed")["look"]["group"], "params.seed");
    }

    #[test]
    fn every_run_has_what_the_table_is_sorted_filtered_and_grouped_by() {
        let batch = batch("r", 7);
        assert_eq!(batch["metrics"].as_array().map(Vec::len), Some(4));
        assert_eq!(batch["params"][0], json!({ "key": "depth", "value": "7" }));
        assert_eq!(batch["tags"][0]["value"], "b");
    }
}
