//! Counters of the server, written as Prometheus text for `/metrics` and as JSON for `/stats`.
//! The names that start with `nv_inference` are Triton's, for dashboards that exist.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

/// The upper edges of the buckets of latency, in seconds.
const EDGES: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    codes: Mutex<BTreeMap<u16, u64>>,
    buckets: [AtomicU64; EDGES.len()],
    success: Timer,
    failure: Timer,
    queue: Timer,
    input: Timer,
    compute: Timer,
    output: Timer,
    rows: AtomicU64,
    pending: AtomicU64,
    last_ms: AtomicU64,
}

/// What became of the lines of the request log.
#[derive(Debug, Default)]
pub struct LogCounts {
    lines: AtomicU64,
    dropped: AtomicU64,
    /// Requests that the shadow scored.
    shadowed: AtomicU64,
    /// Requests that it had no time for.
    unshadowed: AtomicU64,
}

impl LogCounts {
    /// Counts a line of the request log.
    pub fn logged(&self, written: bool) {
        let counter = if written { &self.lines } else { &self.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request for the shadow.
    pub fn shadowed(&self, scored: bool) {
        let counter = if scored { &self.shadowed } else { &self.unshadowed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// How long the parts of a request took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spans {
    /// Waiting for a turn.
    pub queue: Duration,
    /// Reading the body.
    pub input: Duration,
    /// Scoring.
    pub compute: Duration,
    /// Writing the answer.
    pub output: Duration,
    /// All of it.
    pub total: Duration,
}

#[derive(Debug, Default)]
struct Timer {
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Timer {
    fn add(&self, duration: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    fn json(&self) -> Json {
        json!({ "count": load(&self.count), "ns": load(&self.nanoseconds) })
    }

    fn microseconds(&self) -> u64 {
        load(&self.nanoseconds) / 1000
    }
}

/// A request that is being scored, counted as pending while this lives.
pub struct Pending<'a>(&'a AtomicU64);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a request as pending until the guard is dropped.
    pub fn pending(&self) -> Pending<'_> {
        self.pending.fetch_add(1, Ordering::Relaxed);
        Pending(&self.pending)
    }

    /// Counts a scored request.
    pub fn scored(&self, rows: usize, spans: Spans, now_ms: i64) {
        self.success.add(spans.total);
        self.queue.add(spans.queue);
        self.input.add(spans.input);
        self.compute.add(spans.compute);
        self.output.add(spans.output);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.last_ms.store(now_ms.max(0).cast_unsigned(), Ordering::Relaxed);
        self.observe(StatusCode::OK, spans.total);
    }

    /// Counts a request for a prediction that failed.
    pub fn failed(&self, status: StatusCode, total: Duration) {
        self.failure.add(total);
        self.observe(status, total);
    }

    fn observe(&self, status: StatusCode, total: Duration) {
        // Nothing can panic while it holds the lock, so a poisoned one still counts right.
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        *codes.entry(status.as_u16()).or_default() += 1;
        drop(codes);
        let bucket = EDGES.iter().position(|edge| total.as_secs_f64() <= *edge);
        if let Some(bucket) = bucket {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The statistics of one model as Triton answers them.
    pub fn stats(&self, name: &str, version: &str) -> Json {
        let successes = load(&self.success.count);
        json!({ "model_stats": [{
            "name": name,
            "version": version,
            "last_inference": load(&self.last_ms),
            "inference_count": load(&self.rows),
            "execution_count": successes,
            "inference_stats": {
                "success": self.success.json(),
                "fail": self.failure.json(),
                "queue": self.queue.json(),
                "compute_input": self.input.json(),
                "compute_infer": self.compute.json(),
                "compute_output": self.output.json(),
            },
            "batch_stats": [],
            "memory_usage": [],
        }]})
    }

    fn codes(&self) -> BTreeMap<u16, u64> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn histogram(&self, labels: &str, count: u64) -> Vec<(String, String)> {
        let mut below = 0;
        let mut samples: Vec<(String, String)> = EDGES
            .iter()
            .zip(&self.buckets)
            .map(|(edge, bucket)| {
                below += load(bucket);
                (format!("_bucket{{{labels},le=\"{edge}\"}}"), below.to_string())
            })
            .collect();
        samples.push((format!("_bucket{{{labels},le=\"+Inf\"}}"), count.to_string()));
        let nanoseconds = load(&self.success.nanoseconds) + load(&self.failure.nanoseconds);
        samples.push((format!("_sum{{{labels}}}"), (nanoseconds as f64 / 1e9).to_string()));
        samples.push((format!("_count{{{labels}}}"), count.to_string()));
        samples
    }
}

/// The Prometheus text, format 0.0.4, of every version that is served.
pub fn text(served: &[(&str, &str, &Metrics)], log: &LogCounts) -> String {
    let mut out = String::with_capacity(4096 * served.len().max(1));
    let labels: Vec<String> = served
        .iter()
        .map(|(name, version, _)| format!("model=\"{}\",version=\"{}\"", escape(name), escape(version)))
        .collect();
    let all = || labels.iter().zip(served.iter().map(|(_, _, metrics)| *metrics));
    let codes: Vec<BTreeMap<u16, u64>> = all().map(|(_, metrics)| metrics.codes()).collect();
    let by_code = all().zip(&codes).flat_map(|((labels, _), codes)| {
        codes.iter().map(move |(code, count)| (format!("{{{labels},code=\"{code}\"}}"), count.to_string()))
    });
    let help = "Requests for a prediction, by status.";
    metric(&mut out, "model_infer_requests_total", "counter", help, by_code);
    let histograms = all()
        .zip(&codes)
        .flat_map(|((labels, metrics), codes)| metrics.histogram(labels, codes.values().sum()));
    let help = "How long requests for a prediction took.";
    metric(&mut out, "model_infer_duration_seconds", "histogram", help, histograms);
    for (name, kind, help, value) in COUNTERS {
        let samples = all().map(|(labels, metrics)| (format!("{{{labels}}}"), value(metrics).to_string()));
        metric(&mut out, name, kind, help, samples);
    }
    let of_the_server = [
        ("model_request_log_lines_total", "Lines written to the request log.", &log.lines),
        (
            "model_request_log_dropped_total",
            "Lines that the request log dropped because the disk was too slow, full or away.",
            &log.dropped,
        ),
        ("model_shadow_requests_total", "Requests that a shadow scored too.", &log.shadowed),
        ("model_shadow_skipped_total", "Requests that a shadow had no time for.", &log.unshadowed),
    ];
    for (name, help, counter) in of_the_server {
        metric(&mut out, name, "counter", help, [(String::new(), load(counter).to_string())].into_iter());
    }
    out
}

type Read = fn(&Metrics) -> u64;

/// The numbers that each version has one of.
const COUNTERS: [(&str, &str, &str, Read); 11] = [
    ("model_infer_rows_total", "counter", "Rows scored.", |m| load(&m.rows)),
    ("nv_inference_request_success", "counter", "Requests that succeeded.", |m| load(&m.success.count)),
    ("nv_inference_request_failure", "counter", "Requests that failed.", |m| load(&m.failure.count)),
    ("nv_inference_count", "counter", "Rows scored.", |m| load(&m.rows)),
    ("nv_inference_exec_count", "counter", "Batches scored.", |m| load(&m.success.count)),
    ("nv_inference_request_duration_us", "counter", "Time of requests.", |m| m.success.microseconds()),
    ("nv_inference_queue_duration_us", "counter", "Time of waiting for a turn.", |m| m.queue.microseconds()),
    ("nv_inference_compute_input_duration_us", "counter", "Time of reading inputs.", |m| {
        m.input.microseconds()
    }),
    ("nv_inference_compute_infer_duration_us", "counter", "Time of scoring.", |m| m.compute.microseconds()),
    ("nv_inference_compute_output_duration_us", "counter", "Time of writing answers.", |m| {
        m.output.microseconds()
    }),
    (
        "nv_inference_pending_request_count",
        "gauge",
        "Requests that are being read, wait or are scored.",
        |m| load(&m.pending),
    ),
];

fn metric(
    out: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    samples: impl Iterator<Item = (String, String)>,
) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (suffix, value) in samples {
        let _ = writeln!(out, "{name}{suffix} {value}");
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
