//! Drift over time: the requests of a deployment cut into windows that follow each other or overlap,
//! each compared with the training data or with an earlier stretch of the traffic.

use std::ops::Range;

use base::{Error, Result};
use data::drift::methods;
use store::deployments::Deployment;

use super::drift::{Look, baseline_of};
use super::requests::{Request, scored};
use super::{Baseline, ROWS_NEEDED, level_view};
use crate::Engine;
use crate::commands::monitors::{
    ColumnDrift, DriftLevel, DriftOverTime, DriftWindow, MonitorWindows, WindowUnit,
};

/// The newest windows up to this many are looked at.
pub(super) const MOST_WINDOWS: usize = 100;

impl Engine {
    /// Drift window by window.
    pub(crate) fn drift_over_time(
        &self,
        deployment: &Deployment,
        asked: &MonitorWindows,
    ) -> Result<DriftOverTime> {
        let method = asked.test.as_deref().map(methods::named).transpose()?;
        let (_, picked) = self.serving(deployment)?;
        let training = self.deployed_baseline(deployment, &picked.version)?.ok_or_else(|| {
            Error::invalid("the package carries no profile of its training data")
                .hint("train it again with Fettle")
        })?;
        let version = picked.version.number.to_string();
        let mut requests = self.requests(deployment, 0)?.all;
        requests.retain(|request| request.version == version && !request.is_error);
        let baseline = match asked.baseline {
            Some(span) => earlier(&requests, span.from..span.to, &training)?,
            None => training,
        };
        let cut = cut(&requests, asked.size, asked.step, asked.unit)?;
        let (enough, small): (Vec<Window>, Vec<Window>) =
            cut.into_iter().partition(|window| rows(&requests[window.requests.clone()]) >= ROWS_NEEDED);
        let newest = enough.len().saturating_sub(MOST_WINDOWS);
        let mut windows = Vec::new();
        for window in &enough[newest..] {
            let look = Look::at(&baseline, &scored(&requests[window.requests.clone()]), method)?;
            windows.push(view(window, rows(&requests[window.requests.clone()]), &look));
        }
        Ok(DriftOverTime {
            level: windows.last().map_or(DriftLevel::None, |window: &DriftWindow| window.level),
            windows,
            too_small: small.len() as u32,
            rows_needed: ROWS_NEEDED,
            baseline_rows: baseline.inputs.rows,
        })
    }
}

/// The requests cut into windows of this length, each so far from the one before.
///
/// # Errors
/// Windows that have no length, that would leave requests out, or that are too short to tell anything.
pub(super) fn cut(
    requests: &[Request],
    size: u32,
    step: Option<u32>,
    unit: WindowUnit,
) -> Result<Vec<Window>> {
    let (size, step) = (u64::from(size), u64::from(step.unwrap_or(size)));
    if size == 0 || step == 0 || step > size {
        return Err(Error::invalid("windows need a length, and a step that is not longer")
            .hint("a step as long as the window gives windows that do not overlap"));
    }
    if unit == WindowUnit::Rows && size < ROWS_NEEDED {
        return Err(Error::invalid(format!("a window needs at least {ROWS_NEEDED} rows")));
    }
    Ok(match unit {
        WindowUnit::Rows => by_rows(requests, size, step),
        WindowUnit::Minutes => by_time(requests, size as i64 * 60_000, step as i64 * 60_000),
    })
}

/// The traffic of a stretch as a baseline.
fn earlier(requests: &[Request], span: Range<i64>, training: &Baseline) -> Result<Baseline> {
    let rows = scored(requests.iter().filter(|request| span.contains(&request.at)));
    if (rows.rows as u64) < ROWS_NEEDED {
        return Err(Error::invalid(format!(
            "the stretch that is to be the baseline has {} rows, at least {ROWS_NEEDED} are needed",
            rows.rows
        ))
        .hint("choose a longer one, or leave it out to compare with the training data"));
    }
    baseline_of(&rows, training)
}

/// Which requests a window holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) requests: Range<usize>,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Rows of these requests.
pub(super) fn rows(requests: &[Request]) -> u64 {
    requests.iter().map(|request| request.rows).sum()
}

/// Windows of at least so many rows, a request in one piece; each begins with the first request that
/// is `step` rows after the beginning of the one before. What is left over at the end makes no window.
fn by_rows(requests: &[Request], size: u64, step: u64) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut begin = 0;
    loop {
        let reach = |rows: u64| {
            let mut sum = 0;
            requests[begin..].iter().position(|request| {
                sum += request.rows;
                sum >= rows
            })
        };
        let (Some(last), Some(next)) = (reach(size), reach(step)) else { return windows };
        let held = begin..begin + last + 1;
        windows.push(Window { from: requests[begin].at, to: requests[held.end - 1].at + 1, requests: held });
        begin += next + 1;
    }
}

/// Windows of the clock, at whole multiples of `step` ms; those without requests are left out.
fn by_time(requests: &[Request], size: i64, step: i64) -> Vec<Window> {
    let (Some(first), Some(last)) = (requests.first(), requests.last()) else { return Vec::new() };
    let place = |moment: i64| requests.partition_point(|request| request.at < moment);
    let mut windows = Vec::new();
    // The first window that reaches into the traffic.
    let mut from = (first.at - size).div_euclid(step) * step + step;
    while from <= last.at {
        let held = place(from)..place(from + size);
        if held.is_empty() {
            // A long silence is skipped at once, not window by window.
            let next = requests[held.start].at - size;
            from = next.div_euclid(step) * step + step;
            continue;
        }
        windows.push(Window { requests: held, from, to: from + size });
        from += step;
    }
    windows
}

fn view(window: &Window, rows: u64, look: &Look) -> DriftWindow {
    let columns: Vec<ColumnDrift> = look
        .drifts()
        .map(|drift| ColumnDrift {
            column: drift.column.clone(),
            psi: drift.psi,
            test: drift.method.clone().unwrap_or_else(|| "none".to_owned()),
            statistic: drift.statistic.unwrap_or(0.0),
            adjusted_p: drift.adjusted_p.unwrap_or(1.0),
            level: level_view(drift.level),
        })
        .collect();
    let level = columns.iter().map(|column| column.level).max().unwrap_or(DriftLevel::None);
    DriftWindow { from: window.from, to: window.to, rows, level, columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(of: &[(i64, u64)]) -> Vec<Request> {
        of.iter().map(|(at, rows)| Request::bare(*at, *rows)).collect()
    }

    fn held(windows: &[Window]) -> Vec<Range<usize>> {
        windows.iter().map(|window| window.requests.clone()).collect()
    }

    #[test]
    fn windows_of_rows_follow_each_other_or_overlap_and_never_divide_a_request() {
        let all = requests(&[(1, 30), (2, 30), (3, 50), (4, 10), (5, 90), (6, 20)]);
        assert_eq!(held(&by_rows(&all, 60, 60)), [0..2, 2..4, 4..5]);
        assert_eq!(held(&by_rows(&all, 60, 30)), [0..2, 1..3, 2..4, 3..5]);
        assert_eq!(by_rows(&all, 60, 60)[0], Window { requests: 0..2, from: 1, to: 3 });
        assert!(by_rows(&all, 1000, 10).is_empty());
        assert!(by_rows(&[], 60, 60).is_empty());
    }

    #[test]
    fn windows_of_time_lie_on_the_clock_and_silence_makes_none() {
        let all = requests(&[(5, 1), (9, 1), (12, 1), (5_000_000_000_000, 1)]);
        let found = by_time(&all, 10, 10);
        assert_eq!(held(&found), [0..2, 2..3, 3..4]);
        assert_eq!((found[0].from, found[1].from, found[2].from), (0, 10, 5_000_000_000_000));
        let sliding = by_time(&all[..3], 10, 5);
        assert_eq!(held(&sliding), [0..2, 0..3, 2..3]);
        assert!(by_time(&[], 10, 5).is_empty());
    }
}
