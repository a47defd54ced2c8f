//! The watch on a deployment: what was asked and answered, and how far it has drifted from the
//! training data. The baseline is the profile inside the model's package, so nobody needs the
//! training data again.

mod baseline;
mod drift;
mod labels;
mod performance;
mod rehearsal;
mod report;
pub(crate) mod requests;
mod windows;

use std::path::Path;
use std::time::{Duration, Instant};

use base::{Error, Progress, Result};
use data::Profile;
use data::drift::Level;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::deployments::{self, Deployment, NewDeployment};
use store::monitors::{self, AlertMetric as StoredMetric, NewAlert, NewRule};
use store::{Action, Page};

use crate::Engine;
use crate::commands::monitors::{
    AlertMetric, AlertRule, AlertView, DriftLevel, DriftReport, DriftView, MonitorView, TrafficBin,
};
use crate::monitor::performance::Quality;
use crate::monitor::requests::Requests;
use crate::targets;

pub(crate) use drift::of as drift_of;

/// Fewer rows than this say nothing about drift.
pub(crate) const ROWS_NEEDED: u64 = 50;
/// Rows that are sent in one request when rows are replayed.
const REPLAY_ROWS: usize = 50;
/// A log that did not grow for so long has told all.
const LOG_IS_QUIET: Duration = Duration::from_secs(2);
const LOG_PAUSE: Duration = Duration::from_millis(50);

/// Rows that the rule of a new deployment looks at.
const USUAL_ROWS: u64 = 500;

/// Makes a deployment with a rule for drift, so that it is watched unless somebody takes that away.
pub(crate) fn create_watched(w: &mut store::Write<'_>, new: NewDeployment) -> Result<Deployment> {
    let made = deployments::create(w, new)?;
    let rule = NewRule {
        deployment_id: made.id.clone(),
        metric: StoredMetric::Psi,
        feature: None,
        threshold: data::drift::PSI_ALARM,
        window_rows: USUAL_ROWS,
    };
    monitors::add_rule(w, rule)?;
    Ok(made)
}

/// What the package of a model keeps for its monitors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The model's inputs on the training rows.
    pub(crate) inputs: Profile,
    /// Its answers on them.
    pub(crate) outputs: Profile,
}

impl Engine {
    /// How a deployment does, from the requests of the last `window_ms` (all if none).
    pub(crate) fn monitor(&self, deployment: &Deployment, window_ms: Option<i64>) -> Result<MonitorView> {
        let since = window_ms.map_or(0, |window| self.store().clock().now().as_ms() - window);
        self.view_of(deployment, &self.requests(deployment, since)?)
    }

    fn requests(&self, deployment: &Deployment, since: i64) -> Result<Requests> {
        Requests::read(&targets::requests_dir(&self.store().endpoint_dir(&deployment.id)), since)
    }

    /// How a deployment does, as these requests tell it.
    fn view_of(&self, deployment: &Deployment, requests: &Requests) -> Result<MonitorView> {
        let now = self.store().clock().now();
        let (_, picked) = self.serving(deployment)?;
        let version = picked.version.number.to_string();
        let scored = requests.scored(&version);
        let (features, prediction) = match self.deployed_baseline(deployment, &picked.version)? {
            Some(baseline) if scored.rows as u64 >= ROWS_NEEDED => drift::of(&baseline, &scored)?,
            _ => (Vec::new(), None),
        };
        let latencies = requests.latencies();
        let quantile = |share: f64| requests::quantile(&latencies, share);
        Ok(MonitorView {
            deployment: deployment.name.clone(),
            model: picked.model.name.clone(),
            version: picked.version.number,
            rows: requests.rows(),
            requests: requests.all.len() as u64,
            errors: requests.errors(),
            latency_p50_ms: quantile(0.5),
            latency_p95_ms: quantile(0.95),
            latency_p99_ms: quantile(0.99),
            traffic: traffic(requests, now.as_ms()),
            level: drift::worst(&features, prediction.as_ref()),
            prediction,
            features,
            rows_needed: ROWS_NEEDED,
            rules: self.rules(deployment)?,
            alerts: self.alerts(Some(deployment))?,
            deliveries: self.deliveries(deployment)?,
            silenced_until: self.silenced_until(deployment)?,
        })
    }

    fn baseline(&self, version: &store::models::ModelVersion) -> Result<Option<Baseline>> {
        let package = self.package(version)?;
        let Some(card) = package.card().filter(|card| !card.baseline.is_null()) else { return Ok(None) };
        // A package of another tool may carry something else there; then there is nothing to compare with.
        Ok(serde_json::from_value(card.baseline.clone()).ok())
    }

    /// Compares a file with the training data of what a deployment serves.
    pub(crate) fn check_file(
        &self,
        deployment: &Deployment,
        path: &Path,
        progress: &Progress,
    ) -> Result<DriftReport> {
        let (_, picked) = self.serving(deployment)?;
        let package = self.package(&picked.version)?;
        let baseline = self.baseline(&picked.version)?.ok_or_else(|| {
            Error::invalid("the package carries no profile of its training data")
                .hint("train it again with Fettle")
        })?;
        let (_keep, table) = self.read_foreign(path, progress)?;
        let scored = flow::kinds::score(&package, &table, progress)?;
        if scored.rows == 0 {
            return Err(Error::invalid(format!("`{}` has no rows", path.display())));
        }
        let (features, prediction) = drift::of(&baseline, &scored)?;
        Ok(DriftReport {
            rows: scored.rows as u64,
            level: drift::worst(&features, prediction.as_ref()),
            prediction,
            features,
        })
    }

    /// Sends rows through a deployment as callers would: those of a file, or the held-out ones.
    pub(crate) fn replay(
        &self,
        deployment: &Deployment,
        path: Option<&Path>,
        progress: &Progress,
    ) -> Result<u64> {
        let (_, picked) = self.serving(deployment)?;
        let folder = self.package_dir(&picked.version.package)?;
        let package = self.package(&picked.version)?;
        let rows: Vec<Map<String, Value>> = match path {
            Some(path) => flow::kinds::read_rows(&package, &self.read_foreign(path, progress)?.1)?,
            None => flow::kinds::held_out_rows(&folder, &package)?,
        };
        let (since, total) = (self.store().clock().now().as_ms(), rows.len() as u64);
        for (at, chunk) in rows.chunks(REPLAY_ROWS).enumerate() {
            progress.step("sending rows", (at * REPLAY_ROWS) as u64, Some(total))?;
            let answer = self.send(deployment, chunk)?;
            if answer.status != 200 {
                return Err(
                    Error::new(base::Code::Unavailable, "the endpoint refused rows").because(answer.response)
                );
            }
        }
        // The server writes its log a moment later than it answers.
        self.wait_for_log(deployment, (since, total), progress)?;
        Ok(total)
    }

    /// Waits until the log tells of so many rows since `since`, or has told nothing new for
    /// [`LOG_IS_QUIET`]: a log may be a sample, and a share of the rows may never come.
    fn wait_for_log(
        &self,
        deployment: &Deployment,
        (since, rows): (i64, u64),
        progress: &Progress,
    ) -> Result<()> {
        let folder = targets::requests_dir(&self.store().endpoint_dir(&deployment.id));
        let (mut before, mut changed) = (requests::size(&folder), Instant::now());
        while changed.elapsed() < LOG_IS_QUIET {
            let found = Requests::read(&folder, since)?.rows();
            if found >= rows {
                break;
            }
            progress.step("waiting for the log", found, Some(rows))?;
            std::thread::sleep(LOG_PAUSE);
            let now = requests::size(&folder);
            if now != before {
                (before, changed) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// The rules of a deployment; a new one has one, for drift.
    pub(crate) fn rules(&self, deployment: &Deployment) -> Result<Vec<AlertRule>> {
        let stored = self.store().read(|db| monitors::rules(db, Some(&deployment.id)))?;
        let view = |rule: monitors::AlertRule| AlertRule {
            metric: metric_view(rule.metric),
            threshold: rule.threshold,
            window_rows: rule.window_rows.min(u64::from(u32::MAX)) as u32,
            is_enabled: rule.enabled,
        };
        Ok(stored.into_iter().map(view).collect())
    }

    /// Sets all rules of a deployment.
    pub(crate) fn set_rules(&self, deployment: &Deployment, rules: &[AlertRule]) -> Result<()> {
        for rule in rules {
            if !rule.threshold.is_finite() || rule.threshold < 0.0 {
                return Err(Error::invalid("a threshold must be a number that is not negative"));
            }
            if u64::from(rule.window_rows) < ROWS_NEEDED {
                return Err(Error::invalid(format!("a rule needs a window of at least {ROWS_NEEDED} rows"))
                    .hint("fewer rows differ from the training data by chance alone"));
            }
        }
        self.store().write(Action::new("monitor.set_rules", &deployment.name), |w| {
            for old in monitors::rules(w, Some(&deployment.id))? {
                monitors::remove_rule(w, old.id)?;
            }
            for rule in rules {
                let mut made = monitors::add_rule(
                    w,
                    NewRule {
                        deployment_id: deployment.id.clone(),
                        metric: stored_metric(rule.metric),
                        feature: None,
                        threshold: rule.threshold,
                        window_rows: rule.window_rows.into(),
                    },
                )?;
                if !rule.is_enabled {
                    made.enabled = false;
                    monitors::save_rule(w, &made)?;
                }
            }
            Ok(())
        })
    }

    /// Alerts, newest first: of a deployment, or all.
    pub(crate) fn alerts(&self, deployment: Option<&Deployment>) -> Result<Vec<AlertView>> {
        self.store().read(|db| {
            let alerts = monitors::alerts(db, deployment.map(|one| &one.id), Page::new(0, 50))?;
            let names = store::deployments::list(db, None)?;
            let name = |alert: &monitors::Alert| names.iter().find(|one| one.id == alert.deployment_id);
            Ok(alerts
                .iter()
                .map(|alert| AlertView {
                    id: alert.id,
                    deployment: name(alert).map_or_else(String::new, |one| one.name.clone()),
                    message: alert.message.clone(),
                    level: DriftLevel::Alarm,
                    at: alert.raised_at.as_ms(),
                    is_acknowledged: alert.acknowledged_at.is_some(),
                })
                .collect())
        })
    }

    /// Looks at the newest rows of a deployment, as many as each rule says, and raises an alert for every
    /// rule that does not hold; gives back those that were not open before.
    pub(crate) fn apply_rules(&self, deployment: &Deployment) -> Result<Vec<monitors::Alert>> {
        let mut rules = self.store().read(|db| monitors::rules(db, Some(&deployment.id)))?;
        rules.retain(|rule| rule.enabled);
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        // From the longest window to the shortest: each is the end of the one before.
        rules.sort_by_key(|rule| (std::cmp::Reverse(rule.window_rows), rule.id));
        let mut requests = self.requests(deployment, 0)?;
        let judge = match rules.iter().any(|rule| rule.metric == StoredMetric::Performance) {
            true => Some(self.judge(deployment, &self.serving(deployment)?.1, None)?),
            false => None,
        };
        let mut looked: Option<(u64, MonitorView)> = None;
        let mut raised = Vec::new();
        for rule in &rules {
            let view = match looked.take() {
                Some((window, view)) if window == rule.window_rows => view,
                Some(_) | None => {
                    requests.keep_newest(rule.window_rows);
                    self.view_of(deployment, &requests)?
                }
            };
            let quality = match (&judge, rule.metric) {
                (Some(judge), StoredMetric::Performance) => {
                    Some(judge.look(&requests.answered_by(&view.version.to_string()))?)
                }
                _ => None,
            };
            raised.extend(self.apply_rule(deployment, rule, &view, quality.as_ref())?);
            looked = Some((rule.window_rows, view));
        }
        Ok(raised)
    }

    fn apply_rule(
        &self,
        deployment: &Deployment,
        rule: &monitors::AlertRule,
        view: &MonitorView,
        quality: Option<&Quality>,
    ) -> Result<Option<monitors::Alert>> {
        let Some((value, what)) = measured(view, quality, rule.metric) else { return Ok(None) };
        if value <= rule.threshold {
            return Ok(None);
        }
        // The log of what was done has no room for a rule that says every few seconds what it has said.
        if self.store().read(|db| monitors::is_open(db, rule.id, None))? {
            return Ok(None);
        }
        let limit = base::number(rule.threshold, 3);
        let message = format!("{}: {what}, above {limit}", deployment.name);
        let details = serde_json::json!({ "rows": view.rows });
        let new = NewAlert { feature: None, value, message, details };
        let action = Action::new("alert.raise", &deployment.name);
        self.store().write(action, |w| monitors::raise(w, rule.id, new))
    }
}

/// What a rule looks at, and in words.
fn measured(view: &MonitorView, quality: Option<&Quality>, metric: StoredMetric) -> Option<(f64, String)> {
    match metric_view(metric) {
        AlertMetric::Performance => quality?.said.clone(),
        AlertMetric::Psi => {
            // Few rows move the index by chance alone, so the test has a say too.
            let all = view.features.iter().chain(&view.prediction);
            let all = all.filter(|one| one.adjusted_p < data::drift::P_ALARM);
            let worst = all.max_by(|a, b| a.psi.total_cmp(&b.psi))?;
            Some((worst.psi, format!("`{}` has drifted, PSI {}", worst.column, base::number(worst.psi, 3))))
        }
        AlertMetric::Missing => {
            let more = |one: &DriftView| one.missing_current - one.missing_baseline;
            let worst = view.features.iter().max_by(|a, b| more(a).total_cmp(&more(b)))?;
            let share = base::number(100.0 * worst.missing_current, 3);
            let before = base::number(100.0 * worst.missing_baseline, 3);
            let what = format!("{share} % of `{}` are missing, {before} % in training", worst.column);
            Some((more(worst).max(0.0), what))
        }
        AlertMetric::ErrorRate if view.requests > 0 => {
            let rate = view.errors as f64 / view.requests as f64;
            Some((rate, format!("{} of {} requests failed", view.errors, view.requests)))
        }
        AlertMetric::ErrorRate => None,
        AlertMetric::LatencyP95 => {
            let latency = view.latency_p95_ms?;
            Some((latency, format!("95 % of the requests take up to {} ms", base::number(latency, 3))))
        }
    }
}

fn metric_view(metric: StoredMetric) -> AlertMetric {
    match metric {
        StoredMetric::Psi => AlertMetric::Psi,
        StoredMetric::ErrorRate => AlertMetric::ErrorRate,
        StoredMetric::LatencyP95 => AlertMetric::LatencyP95,
        StoredMetric::Missing => AlertMetric::Missing,
        StoredMetric::Performance => AlertMetric::Performance,
    }
}

fn stored_metric(metric: AlertMetric) -> StoredMetric {
    match metric {
        AlertMetric::Psi => StoredMetric::Psi,
        AlertMetric::Missing => StoredMetric::Missing,
        AlertMetric::Performance => StoredMetric::Performance,
        AlertMetric::ErrorRate => StoredMetric::ErrorRate,
        AlertMetric::LatencyP95 => StoredMetric::LatencyP95,
    }
}

/// The level on the wire.
pub(crate) fn level_view(level: Level) -> DriftLevel {
    match level {
        Level::None => DriftLevel::None,
        Level::Warning => DriftLevel::Warning,
        Level::Alarm => DriftLevel::Alarm,
    }
}

/// Traffic in at most 60 stretches of equal length, each of a whole number of seconds.
fn traffic(requests: &Requests, now: i64) -> Vec<TrafficBin> {
    let Some(first) = requests.all.iter().map(|one| one.at).min() else { return Vec::new() };
    let width = (((now - first) / 60).max(1000) + 999) / 1000 * 1000;
    let start = first / width * width;
    let mut bins: Vec<(TrafficBin, Vec<f64>)> = Vec::new();
    for at in (start..=now.max(first)).step_by(width as usize) {
        bins.push((TrafficBin { at, requests: 0, rows: 0, errors: 0, latency_p95_ms: None }, Vec::new()));
    }
    for one in &requests.all {
        let Some((bin, latencies)) = bins.get_mut(((one.at - start) / width) as usize) else { continue };
        bin.requests += 1;
        bin.rows += one.rows;
        bin.errors += u64::from(one.is_error);
        latencies.push(one.latency_ms);
    }
    for (bin, latencies) in &mut bins {
        latencies.sort_by(f64::total_cmp);
        bin.latency_p95_ms = requests::quantile(latencies, 0.95);
    }
    bins.into_iter().map(|(bin, _)| bin).collect()
}
