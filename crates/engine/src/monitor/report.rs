//! The watch on a deployment as one file of HTML.

use std::path::Path;

use base::{Progress, Result};
use data::drift::{Level, settle};
use data::profile::compare;
use data::report::{MonitorPage, WindowBar, monitor_html};
use data::{ColumnProfile, Profile};
use serde_json::{Value, json};
use store::deployments::Deployment;

use super::ROWS_NEEDED;
use super::drift::Look;
use crate::Engine;
use crate::commands::monitors::{DriftLevel, DriftOverTime, MonitorView, MonitorWindows, WindowUnit};

impl Engine {
    /// Writes how a deployment does to a file: what `monitor.status` and `monitor.windows` tell.
    pub(crate) fn write_monitor_report(
        &self,
        deployment: &Deployment,
        window_ms: Option<i64>,
        to: &Path,
        progress: &Progress,
    ) -> Result<Value> {
        progress.step("reading the requests", 0, None)?;
        let view = self.monitor(deployment, window_ms)?;
        progress.step("comparing", 0, None)?;
        let beside = self.beside_training(deployment, window_ms)?;
        progress.step("looking back", 0, None)?;
        let over_time = self.drift_over_time(deployment, &windows_asked(&view))?;
        let alerts: Vec<_> = view
            .alerts
            .iter()
            .map(|alert| {
                let state = if alert.is_acknowledged { "acknowledged" } else { "open" };
                (base::Timestamp(alert.at).to_string(), alert.message.clone(), state.to_owned())
            })
            .collect();
        let html = monitor_html(&MonitorPage {
            title: &view.deployment,
            sentence: &sentence(&view, window_ms, &self.store().clock().now().to_string()),
            figures: &figures(&view),
            drift: beside.as_ref().map(|(now, comparison)| (now, comparison)),
            windows: &bars(&over_time),
            alerts: &alerts,
        });
        store::files::write_atomic(to, html.as_bytes())?;
        Ok(json!({ "path": to, "bytes": html.len(), "level": view.level }))
    }

    /// The rows of the window beside the training rows, the prediction last.
    fn beside_training(
        &self,
        deployment: &Deployment,
        window_ms: Option<i64>,
    ) -> Result<Option<(Profile, data::profile::Comparison)>> {
        let (_, picked) = self.serving(deployment)?;
        let since = window_ms.map_or(0, |window| self.store().clock().now().as_ms() - window);
        let scored = self.requests(deployment, since)?.scored(&picked.version.number.to_string());
        let Some(baseline) = self.deployed_baseline(deployment, &picked.version)? else { return Ok(None) };
        if (scored.rows as u64) < ROWS_NEEDED {
            return Ok(None);
        }
        let (then, now): (Vec<ColumnProfile>, Vec<ColumnProfile>) =
            Look::at(&baseline, &scored, None)?.into_columns().unzip();
        let now = Profile { rows: scored.rows as u64, columns: now, exact: true, ..Profile::default() };
        let then = Profile { rows: baseline.inputs.rows, columns: then, ..Profile::default() };
        let mut comparison = compare(&then, &now);
        settle(comparison.columns.iter_mut().map(|column| &mut column.drift));
        Ok(Some((now, comparison)))
    }
}

/// A twentieth of the rows in each window, as far as that is enough.
fn windows_asked(view: &MonitorView) -> MonitorWindows {
    let size = (view.rows / 20).clamp(ROWS_NEEDED, 100_000) as u32;
    MonitorWindows {
        project: None,
        deployment: view.deployment.clone(),
        size,
        unit: WindowUnit::Rows,
        step: None,
        baseline: None,
        test: None,
    }
}

fn sentence(view: &MonitorView, window_ms: Option<i64>, now: &str) -> String {
    let since = match window_ms {
        Some(window) => format!("the last {} minutes", window / 60_000),
        None => "all requests that are kept".to_owned(),
    };
    format!("Serves `{}` version {}. This is {since}, as of {now}.", view.model, view.version)
}

fn figures(view: &MonitorView) -> Vec<(String, String)> {
    let level = match view.level {
        DriftLevel::None => "none",
        DriftLevel::Warning => "warning",
        DriftLevel::Alarm => "alarm",
    };
    let level = if view.rows < ROWS_NEEDED { "unknown" } else { level };
    let ms =
        |found: Option<f64>| found.map_or_else(|| "–".to_owned(), |ms| format!("{} ms", base::number(ms, 3)));
    vec![
        (level.to_owned(), "drift".to_owned()),
        (base::count(view.rows), "rows".to_owned()),
        (base::count(view.requests), "requests".to_owned()),
        (base::count(view.errors), "failed requests".to_owned()),
        (ms(view.latency_p50_ms), "median latency".to_owned()),
        (ms(view.latency_p95_ms), "of 95 % of the requests, at most".to_owned()),
    ]
}

fn bars(over_time: &DriftOverTime) -> Vec<WindowBar> {
    let bar = |window: &crate::commands::monitors::DriftWindow| {
        let worst = window.columns.iter().max_by(|a, b| a.psi.total_cmp(&b.psi))?;
        Some(WindowBar {
            from: base::Timestamp(window.from).to_string(),
            column: worst.column.clone(),
            psi: worst.psi,
            level: match window.level {
                DriftLevel::None => Level::None,
                DriftLevel::Warning => Level::Warning,
                DriftLevel::Alarm => Level::Alarm,
            },
        })
    };
    over_time.windows.iter().filter_map(bar).collect()
}
