//! Monitors: traffic, latency, errors, drift against the training data, alerts.

use std::path::PathBuf;

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::alerting::DeliveryView;
use super::datasets::reply;
use super::figures::Figure;
use super::jobs::JobRef;
use crate::Engine;
use crate::jobs::Title;

/// Asks how an endpoint does.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorStatus {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// How far back to look, in minutes; since the beginning if left out.
    #[serde(default)]
    pub window_minutes: Option<u32>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriftLevel {
    /// Nothing to say.
    None,
    /// Look at it.
    Warning,
    /// Act.
    Alarm,
}

/// How an endpoint does.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MonitorView {
    /// The deployment's name.
    pub deployment: String,
    /// What it serves: `model` and version.
    pub model: String,
    /// The version's number.
    pub version: u32,
    /// Rows scored in the window.
    pub rows: u64,
    /// Requests in the window.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Latency of a request, ms: median.
    pub latency_p50_ms: Option<f64>,
    /// Latency of a request, ms: 95 per cent quantile.
    pub latency_p95_ms: Option<f64>,
    /// Latency of a request, ms: 99 per cent quantile.
    pub latency_p99_ms: Option<f64>,
    /// Traffic over time.
    pub traffic: Vec<TrafficBin>,
    /// The worst level of all features and the prediction.
    pub level: DriftLevel,
    /// The prediction's drift.
    pub prediction: Option<DriftView>,
    /// Drift by input, worst first.
    pub features: Vec<DriftView>,
    /// Rows needed before drift is computed.
    pub rows_needed: u64,
    /// Rules that raise alerts.
    pub rules: Vec<AlertRule>,
    /// Alerts of this endpoint, newest first.
    pub alerts: Vec<AlertView>,
    /// What became of the newest of them at channels, newest first.
    pub deliveries: Vec<DeliveryView>,
    /// Until when channels are held back, ms since the epoch; none if they are not.
    pub silenced_until: Option<i64>,
}

/// Traffic in a stretch of time.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrafficBin {
    /// Where the stretch starts, ms since the epoch.
    pub at: i64,
    /// Requests.
    pub requests: u64,
    /// Rows.
    pub rows: u64,
    /// Failed requests.
    pub errors: u64,
    /// 95 per cent quantile of the latency, ms.
    pub latency_p95_ms: Option<f64>,
}

/// Drift of one column.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DriftView {
    /// The input, or the output for the prediction.
    pub column: String,
    /// How bad it is.
    pub level: DriftLevel,
    /// Population stability index.
    pub psi: f64,
    /// The test that was made: `ks`, `chi_square`, `wasserstein`, `jensen_shannon`, `psi`, or `none`.
    pub test: String,
    /// The test's name for people.
    pub test_title: String,
    /// The test's statistic.
    pub statistic: f64,
    /// The test's p-value.
    pub p_value: f64,
    /// The p-value among those of all columns of this look; levels go by this one.
    pub adjusted_p: f64,
    /// Share of missing values at training time.
    pub missing_baseline: f64,
    /// Share of missing values now.
    pub missing_current: f64,
    /// Values never seen in training, if it is a text column.
    pub new_values: Vec<String>,
    /// Their share of the values now, if all values of the training data are known.
    pub new_share: Option<f64>,
    /// The share of numbers now outside the range of the training data.
    pub outside_share: Option<f64>,
    /// Both distributions.
    pub figure: Figure,
}

/// Scores a file through an endpoint, as traffic: the validation data if no path is given.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorReplay {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// A CSV file with the model's inputs.
    #[serde(default)]
    pub path: Option<String>,
}

/// Writes how an endpoint does as one HTML file that shows by itself.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorReport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// How far back to look, in minutes; since the beginning if left out.
    #[serde(default)]
    pub window_minutes: Option<u32>,
    /// The file to write.
    pub to: String,
}

/// Compares a file with the training data without sending it anywhere.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorCheck {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// A CSV file with the model's inputs.
    pub path: String,
}

/// What a file looks like beside the training data (the result of a check's job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DriftReport {
    /// Rows of the file.
    pub rows: u64,
    /// The worst level.
    pub level: DriftLevel,
    /// The prediction's drift.
    pub prediction: Option<DriftView>,
    /// Drift by input, worst first.
    pub features: Vec<DriftView>,
}

/// Asks how drift went over time.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorWindows {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// How long a window is, in rows or in minutes.
    pub size: u32,
    /// What a window is measured in.
    pub unit: WindowUnit,
    /// How far each window is from the one before; as far as it is long if left out, so that windows
    /// do not overlap.
    #[serde(default)]
    pub step: Option<u32>,
    /// Compare with the requests of this stretch instead of with the training data.
    #[serde(default)]
    pub baseline: Option<BaselineSpan>,
    /// The test to make on every column it is for; chosen by kind and number of rows if left out.
    #[serde(default)]
    pub test: Option<String>,
}

/// What a window is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WindowUnit {
    /// So many rows; a request is never divided.
    Rows,
    /// So many minutes of the clock.
    Minutes,
}

/// A stretch of time, ms since the epoch, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineSpan {
    /// From here on.
    pub from: i64,
    /// Before this.
    pub to: i64,
}

/// How drift went over time.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DriftOverTime {
    /// The windows that hold enough rows, oldest first.
    pub windows: Vec<DriftWindow>,
    /// Windows that were passed over because they hold too few rows.
    pub too_small: u32,
    /// Rows a window needs.
    pub rows_needed: u64,
    /// Rows of the baseline.
    pub baseline_rows: u64,
    /// The level of the newest window.
    pub level: DriftLevel,
}

/// Drift in one window.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DriftWindow {
    /// Where it starts, ms since the epoch.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// Rows in it.
    pub rows: u64,
    /// The worst level of all columns.
    pub level: DriftLevel,
    /// Inputs and the prediction (the last one), in a constant order.
    pub columns: Vec<ColumnDrift>,
}

/// How far a column had moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// Population stability index.
    pub psi: f64,
    /// The test that was made.
    pub test: String,
    /// Its statistic.
    pub statistic: f64,
    /// Its p-value among those of all columns.
    pub adjusted_p: f64,
    /// How bad it was.
    pub level: DriftLevel,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AlertMetric {
    /// The largest PSI of any input or of the prediction.
    Psi,
    /// How much larger the share of missing values of an input is than in training.
    Missing,
    /// How much worse the usual metric is than on held-out rows, beyond chance: accuracy lost, or the part
    /// by which the error is larger. Measured if enough labels are known, else estimated.
    Performance,
    /// Share of failed requests.
    ErrorRate,
    /// 95 per cent quantile of the latency, ms.
    LatencyP95,
}

/// When to speak up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertRule {
    /// What it looks at.
    pub metric: AlertMetric,
    /// Above this it speaks up.
    pub threshold: f64,
    /// It looks at so many of the newest rows.
    pub window_rows: u32,
    /// False to stay silent.
    pub is_enabled: bool,
}

/// Sets the rules of an endpoint.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorRules {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// All its rules.
    pub rules: Vec<AlertRule>,
}

/// An alert that was raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    /// Its id.
    pub id: i64,
    /// The deployment's name.
    pub deployment: String,
    /// What happened, in a sentence.
    pub message: String,
    /// How bad it is.
    pub level: DriftLevel,
    /// When, ms since the epoch.
    pub at: i64,
    /// True once somebody has looked at it.
    pub is_acknowledged: bool,
}

/// Says that somebody has looked at an alert.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertAcknowledge {
    /// The alert.
    pub id: i64,
}

pub(super) fn status(engine: &Engine, request: MonitorStatus) -> Result<MonitorView> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    engine.monitor(&deployment, request.window_minutes.map(|minutes| i64::from(minutes) * 60_000))
}

pub(super) fn windows(engine: &Engine, request: MonitorWindows) -> Result<DriftOverTime> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    engine.drift_over_time(&deployment, &request)
}

pub(super) fn replay(engine: &Engine, request: MonitorReplay) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let path = request.path.map(PathBuf::from);
    let title = title("monitor.replay", format!("Sending rows to {}", deployment.name), &deployment.name);
    let job = engine.start_job(&title, move |engine, progress| {
        let rows = engine.replay(&deployment, path.as_deref(), progress)?;
        let raised = engine.apply_rules(&deployment)?;
        engine.send_alerts(&deployment, &raised, progress)?;
        engine.store().note(|change| {
            change.touch(store::Topic::Monitors);
            Ok(())
        })?;
        Ok(json!({ "rows": rows }))
    })?;
    Ok(job.into())
}

pub(super) fn report(engine: &Engine, request: MonitorReport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let to = super::keeping::new_file(&request.to)?;
    let window_ms = request.window_minutes.map(|minutes| i64::from(minutes) * 60_000);
    let title =
        title("monitor.report", format!("Writing the report of {}", deployment.name), &deployment.name);
    let job = engine.start_job(&title, move |engine, progress| {
        engine.write_monitor_report(&deployment, window_ms, &to, progress)
    })?;
    Ok(job.into())
}

pub(super) fn check(engine: &Engine, request: MonitorCheck) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let path = PathBuf::from(request.path);
    let title =
        title("monitor.check", format!("Comparing a file with {}", deployment.name), &deployment.name);
    let job = engine.start_job(&title, move |engine, progress| {
        reply(engine.check_file(&deployment, &path, progress)?)
    })?;
    Ok(job.into())
}

fn title<'a>(kind: &'a str, title: String, deployment: &str) -> Title<'a> {
    Title { kind, title, subject: json!({ "deployment": deployment }) }
}

pub(super) fn set_rules(engine: &Engine, request: MonitorRules) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.set_rules(&engine.deployment(&project, &request.deployment)?, &request.rules)
}

pub(super) fn acknowledge(engine: &Engine, request: AlertAcknowledge) -> Result<()> {
    let action = store::Action::new("alert.acknowledge", format!("alert {}", request.id));
    engine.store().write(action, |w| store::monitors::acknowledge(w, request.id))
}
