//! What scripts wait for when they log, and people when they look: our tracking server beside MLflow's
//! own, each asked the same over HTTP, one after the other.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::server::Background;
use crate::instruments::times::median;
use crate::instruments::world::{World, reply, text};
use crate::instruments::{processes, random::Random};
use crate::process::{command, output, root};
use crate::{Result, programs, setup};

const RUNS: u64 = 100_000;
const POINTS: u64 = 1_000_000;
/// As many as one request may bring.
const BATCH: u64 = 1_000;
const CLIENTS: u64 = 8;
const REPEATS: usize = 10;
const DURATION: Duration = Duration::from_secs(5);
/// Neither server needs nearly as long to be there.
const PATIENCE: Duration = Duration::from_secs(120);
const API: &str = "/api/2.0/mlflow";

/// What was measured of one server.
struct Measured {
    start_ms: f64,
    memory_mb: Option<f64>,
    batch_ms: f64,
    metrics_per_s: f64,
    search_ms: f64,
    history_ms: f64,
}

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let python = setup::python()?;
    setup::python_packages(&python, &root().join("tests/peers/mlflow.txt"))?;
    let world = World::new("track")?;
    let ours = ours(&world)?;
    let theirs = theirs(&world, &python)?;
    Ok(figures(&ours, &theirs))
}

fn figures(ours: &Measured, theirs: &Measured) -> Vec<Figure> {
    let pair = |name: &str, one: f64, other: f64, unit: &str, times: f64| {
        Figure::in_words(name, format!("{one:.1} {unit}, MLflow {other:.1} {unit}, {times:.0} times"))
    };
    // Of a time, less is better; of a rate, more.
    let time =
        |name: &str, of: fn(&Measured) -> f64| pair(name, of(ours), of(theirs), "ms", of(theirs) / of(ours));
    let mut all = vec![
        time("start to healthy", |one| one.start_ms),
        time("log-batch of 1,000 metrics, median", |one| one.batch_ms),
        pair(
            "log-metric on 8 connections",
            ours.metrics_per_s,
            theirs.metrics_per_s,
            "/s",
            ours.metrics_per_s / theirs.metrics_per_s,
        ),
        time("search in 100,000 runs: filter, order by a metric, first page, median", |one| one.search_ms),
        time("a curve of 1,000,000 points, thinned for a chart, median", |one| one.history_ms),
    ];
    if let (Some(our), Some(their)) = (ours.memory_mb, theirs.memory_mb) {
        all.push(pair("memory when it has started", our, their, "MB", their / our));
    }
    all
}

fn ours(world: &World) -> Result<Measured> {
    let start = || world.command(&["track", "serve", "--port", "0"]);
    // The first start makes the workspace; what counts is the second.
    drop(Side::start(start(), || our_address(world))?);
    let side = Side::start(start(), || our_address(world))?;
    let run = side.begin(0)?;
    side.fill(&run)?;
    side.measure(&run)
}

/// Where ours listens, as soon as it is known, and its token.
pub(super) fn our_address(world: &World) -> Option<(String, String)> {
    let read = |name: &str| std::fs::read_to_string(world.workspace().join(name)).ok();
    let port: u16 = read("tracking.port")?.trim().parse().ok()?;
    Some((format!("http://127.0.0.1:{port}"), read("tracking.token")?.trim().to_owned()))
}

fn theirs(world: &World, python: &Path) -> Result<Measured> {
    let folder = world.path("mlflow");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let script = root().join("tests/peers/fill_mlflow.py");
    let mut fill = Command::new(python);
    fill.arg(script).args(["mlflow.db", &RUNS.to_string(), &POINTS.to_string()]).current_dir(&folder);
    output(fill)?;
    let port = free_port()?;
    let mut serve = command(python, &["-m", "mlflow", "server", "--port", &port.to_string()]);
    serve.args(["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files"]);
    serve.current_dir(&folder);
    let side = Side::start(serve, || Some((format!("http://127.0.0.1:{port}"), String::new())))?;
    // The script has numbered the runs.
    side.measure(&format!("{:032x}", 0))
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(listener.map_err(|error| format!("no port is free: {error}"))?.port())
}

/// A server that was started, and where it is.
struct Side {
    url: String,
    token: String,
    start_ms: f64,
    memory_mb: Option<f64>,
    _server: Background,
}

impl Side {
    /// Starts a server and asks for its health until it has some.
    fn start(serve: Command, address: impl Fn() -> Option<(String, String)>) -> Result<Self> {
        let start = Instant::now();
        let server = Background::start(serve)?;
        loop {
            if let Some((url, token)) = address()
                && Connection::open(&url, &token).and_then(|mut one| one.get("/health")).is_ok()
            {
                let start_ms = start.elapsed().as_secs_f64() * 1e3;
                let memory_mb = processes::resident_mb(&processes::family(server.pid()));
                return Ok(Self { url, token, start_ms, memory_mb, _server: server });
            }
            if start.elapsed() > PATIENCE {
                return Err("the server was never healthy".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn connect(&self) -> Result<Connection> {
        Connection::open(&self.url, &self.token)
    }

    fn begin(&self, number: u64) -> Result<String> {
        begin(&mut self.connect()?, number)
    }

    /// As many runs as are searched, and one long curve.
    fn fill(&self, long: &str) -> Result<()> {
        let next = AtomicU64::new(1);
        self.clients(|connection| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= RUNS {
                    return Ok(0);
                }
                let run = begin(connection, number)?;
                let auc = Random::new(number).share();
                let body = json!({
                    "run_id": run,
                    "metrics": [{ "key": "auc", "value": auc, "timestamp": number, "step": 0 }],
                    "params": [{ "key": "depth", "value": (number % 10).to_string() }],
                });
                post(connection, "runs/log-batch", &body)?;
            }
        })?;
        let mut connection = self.connect()?;
        for from in (0..POINTS).step_by(BATCH as usize) {
            post(&mut connection, "runs/log-batch", &batch(long, "loss", from))?;
        }
        Ok(())
    }

    /// How many each of the clients did, in all.
    fn clients(&self, work: impl Fn(&mut Connection) -> Result<u64> + Sync) -> Result<u64> {
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| work(&mut self.connect()?))).collect();
            clients.into_iter().map(|client| client.join().expect("clients do not panic")).sum()
        })
    }

    fn measure(&self, long: &str) -> Result<Measured> {
        let mut connection = self.connect()?;
        let search = json!({
            "experiment_ids": ["0"], "filter": "metrics.auc > 0.5 and params.depth = '3'",
            "order_by": ["metrics.auc DESC"], "max_results": 100,
        });
        let search_ms = self::median_ms(|_| post(&mut connection, "runs/search", &search))?;
        let history = format!(
            "{API}/metrics/get-history-bulk-interval?run_ids={long}&metric_key=loss&max_results=2000"
        );
        let history_ms = self::median_ms(|_| connection.get(&history))?;
        let run = self.begin(RUNS)?;
        let batch_ms =
            self::median_ms(|at| post(&mut connection, "runs/log-batch", &batch(&run, "loss", at * BATCH)))?;
        let (step, start) = (AtomicU64::new(0), Instant::now());
        let logged = self.clients(|connection| {
            let mut logged = 0;
            while start.elapsed() < DURATION {
                let step = step.fetch_add(1, Ordering::Relaxed);
                let body =
                    json!({ "run_id": run, "key": "one", "value": 0.5, "timestamp": step, "step": step });
                post(connection, "runs/log-metric", &body)?;
                logged += 1;
            }
            Ok(logged)
        })?;
        let metrics_per_s = logged as f64 / start.elapsed().as_secs_f64();
        let Self { start_ms, memory_mb, .. } = *self;
        Ok(Measured { start_ms, memory_mb, batch_ms, metrics_per_s, search_ms, history_ms })
    }
}

pub(super) fn post(connection: &mut Connection, path: &str, body: &Value) -> Result<Vec<u8>> {
    connection.post(&format!("{API}/{path}"), &body.to_string())
}

pub(super) fn begin(connection: &mut Connection, number: u64) -> Result<String> {
    let body = json!({ "experiment_id": "0", "run_name": format!("run {number}"), "start_time": number });
    let answer = post(connection, "runs/create", &body)?;
    text(&reply(&String::from_utf8_lossy(&answer))?["run"]["info"]["run_id"])
}

/// As many points of a curve as one request may bring.
fn batch(run: &str, key: &str, from: u64) -> Value {
    let mut random = Random::new(from);
    let metrics: Vec<_> = (from..from + BATCH)
        .map(|step| json!({ "key": key, "value": random.share(), "timestamp": step, "step": step }))
        .collect();
    json!({ "run_id": run, "metrics": metrics })
}

fn median_ms(mut ask: impl FnMut(u64) -> Result<Vec<u8>>) -> Result<f64> {
    let times = (0..REPEATS as u64).map(|at| {
        let start = Instant::now();
        ask(at)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    });
    Ok(median(&times.collect::<Result<Vec<_>>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_on_where_the_one_before_it_ended() {
        let steps = |from: u64| -> Vec<u64> {
            let batch = batch("r", "loss", from);
            let metrics = batch["metrics"].as_array().expect("a list");
            metrics.iter().filter_map(|one| one["step"].as_u64()).collect()
        };
        assert_eq!(
            (steps(0).len(), steps(0).last(), steps(BATCH).first()),
            (1_000, Some(&999), Some(&1_000))
        );
    }

    #[test]
    fn figures_say_how_many_times_better_we_are() {
        let one = |factor: f64| Measured {
            start_ms: 10.0 * factor,
            memory_mb: Some(20.0 * factor),
            batch_ms: 1.0 * factor,
            metrics_per_s: 1_000.0 / factor,
            search_ms: 5.0 * factor,
            history_ms: 2.0 * factor,
        };
        let lines = crate::figures::as_lines("track", &figures(&one(1.0), &one(50.0)));
        assert_eq!(lines.matches("50 times").count(), 6, "{lines}");
    }
}
