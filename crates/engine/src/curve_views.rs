//! The curves of one metric in several runs, thinned for a screen. Of scripts' curves the blocks are
//! kept in memory and grow as the curves do; those of pipelines are short and read anew.

use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use base::{Error, Result, RunId};
use store::tracking::points::Point;
use store::tracking::walks::{self, Along, Curve};
use store::{Connection, Page, metrics, runs::Run};

use crate::Engine;
use crate::commands::comparing::{CurveAxis, CurveLine, RunCurve, RunCurveLines};
use crate::curve_levels::{Buckets, Level, Line, Part, Span};
use crate::running::CurvePoint;

/// Runs in one answer.
pub(crate) const MOST_RUNS: usize = 200;
/// Buckets of a curve if nobody says how many, and the most.
const BUCKETS: u32 = 500;
const MOST_BUCKETS: u32 = 2_000;
/// Curves whose blocks are kept: of a million points each, 1.3 MB.
const MOST_KEPT: usize = 100;

type Key = (RunId, String, Along);

/// Blocks of curves that were looked at, the newest last.
#[derive(Default)]
pub(crate) struct KeptLevels(Mutex<Vec<(Key, Arc<Level>)>>);

impl KeptLevels {
    fn get(&self, key: &Key) -> Option<Arc<Level>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(own, _)| own == key).map(|(_, level)| level.clone())
    }

    fn keep(&self, key: Key, level: Arc<Level>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(own, _)| *own != key);
        kept.push((key, level));
        let surplus = kept.len().saturating_sub(MOST_KEPT);
        kept.drain(..surplus);
    }
}

/// Where the points of a line come from.
enum Source {
    /// The index.
    Script(Curve),
    /// They were all read already.
    Read(Vec<Point>),
}

/// A curve that is to be drawn.
struct Found {
    run: Run,
    level: Arc<Level>,
    source: Source,
    /// What an axis takes off each place.
    origin: f64,
    has_times: bool,
}

impl Engine {
    /// The curves of one metric in several runs.
    pub(crate) fn run_curve_lines(&self, asked: &RunCurve) -> Result<RunCurveLines> {
        let buckets = asked.buckets.unwrap_or(BUCKETS).clamp(1, MOST_BUCKETS) as usize;
        let limits = [asked.from, asked.to];
        let is_part = !limits.iter().flatten().any(|limit| !limit.is_finite())
            && !matches!(limits, [Some(from), Some(to)] if from > to);
        if !is_part {
            return Err(Error::invalid("a part of a curve begins before it ends")
                .hint("leave `from` and `to` out to see all of it"));
        }
        let along = if asked.along == CurveAxis::Step { Along::Step } else { Along::Time };
        let found = self.found_curves(asked, along)?;
        let reaches =
            found.iter().filter(|one| one.has_times).filter_map(|one| Some((one.level.reach()?, one)));
        let ends = reaches.map(|((from, to), one)| (from - one.origin, to - one.origin));
        let whole = ends.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))).unwrap_or((0.0, 0.0));
        let span = (asked.from.unwrap_or(whole.0), asked.to.unwrap_or(whole.1));
        let lines = self.store().read(|db| {
            let draw = |one: &Found| {
                let span = Span { from: span.0 + one.origin, to: span.1 + one.origin, buckets };
                Ok(view(one, draw(db, one, along, &span)?))
            };
            found.iter().map(draw).collect::<Result<_>>()
        })?;
        Ok(RunCurveLines { lines })
    }

    fn found_curves(&self, asked: &RunCurve, along: Along) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for run in self.compared_runs(&asked.runs)? {
            let began = run.started_at.unwrap_or(run.created_at).as_ms() as f64;
            let origin = if asked.along == CurveAxis::Relative { began } else { 0.0 };
            let one = if run.pipeline.is_empty() {
                let level = self.script_level(&run.id, &asked.metric, along)?;
                level.map(|(curve, level)| (level, Source::Script(curve), true))
            } else {
                self.step_points(&run, &asked.metric)?.map(|(mut points, has_times)| {
                    if along == Along::Time {
                        points.sort_by_key(|point| (point.at_ms, point.step));
                    }
                    let mut level = Level::new(along);
                    points.iter().for_each(|point| level.push(*point));
                    (Arc::new(level), Source::Read(points), has_times || along == Along::Step)
                })
            };
            let Some((level, source, has_times)) = one else { continue };
            found.push(Found { run, level, source, origin, has_times });
        }
        Ok(found)
    }

    /// The runs of a comparison.
    pub(crate) fn compared_runs(&self, names: &[String]) -> Result<Vec<Run>> {
        if names.is_empty() || names.len() > MOST_RUNS {
            return Err(Error::invalid(format!("cannot put {} runs beside each other", names.len()))
                .hint(format!("choose 1 to {MOST_RUNS} runs")));
        }
        names.iter().map(|name| self.run(name)).collect()
    }

    /// The blocks of a script's curve: those that are kept with what came since, or new ones if
    /// points came in between.
    fn script_level(&self, run: &RunId, metric: &str, along: Along) -> Result<Option<(Curve, Arc<Level>)>> {
        let key = (run.clone(), metric.to_owned(), along);
        let kept = self.levels().get(&key);
        let found = self.store().read(|db| {
            let Some(curve) = walks::find(db, run, metric)? else { return Ok(None) };
            if let Some(level) = kept.filter(|level| level.points() <= curve.points) {
                if level.points() == curve.points {
                    return Ok(Some((curve, level)));
                }
                let from = level.last().map_or(Bound::Unbounded, Bound::Excluded);
                let mut grown = Level::clone(&level);
                walks::between(db, curve, along, (from, Bound::Unbounded), |point| grown.push(point))?;
                if grown.points() == curve.points {
                    return Ok(Some((curve, Arc::new(grown))));
                }
            }
            let mut level = Level::new(along);
            let all = (Bound::Unbounded, Bound::Unbounded);
            walks::between(db, curve, along, all, |point| level.push(point))?;
            Ok(Some((curve, Arc::new(level))))
        })?;
        if let Some((_, level)) = &found {
            self.levels().keep(key, level.clone());
        }
        Ok(found)
    }

    /// The curves of a pipeline's run by name, with their points; true for those with times.
    pub(crate) fn step_curves(&self, run: &Run) -> Result<Vec<(String, Vec<Point>, bool)>> {
        let mut curves = Vec::new();
        for curve in self.run_curves(run.clone())? {
            let column = |pick: fn(&CurvePoint) -> Option<f64>| -> Vec<Point> {
                let point =
                    |point: &CurvePoint| Some(Point { value: pick(point)?, step: point.0 as i64, at_ms: 0 });
                curve.points.iter().filter_map(point).collect()
            };
            for (of, points) in
                [("train", column(|point| Some(point.1))), ("validation", column(|point| point.2))]
            {
                if points.len() > 1 {
                    curves.push((format!("{}.{of}_{}", curve.step, curve.metric), points, false));
                }
            }
        }
        let last = self.store().read(|db| metrics::last(db, &run.id))?;
        for one in last.into_iter().filter(|one| one.points > 1) {
            let points = self.store().read(|db| logged(db, &run.id, &one.step_id, &one.last.key))?;
            curves.push((named(&one.step_id, &one.last.key), points, true));
        }
        Ok(curves)
    }

    fn step_points(&self, run: &Run, metric: &str) -> Result<Option<(Vec<Point>, bool)>> {
        let mut all = self.step_curves(run)?.into_iter();
        Ok(all.find(|(name, ..)| name == metric).map(|(_, points, has_times)| (points, has_times)))
    }
}

/// How a comparison names what belongs to a step.
pub(crate) fn named(step: &str, key: &str) -> String {
    if step.is_empty() { key.to_owned() } else { format!("{step}.{key}") }
}

/// Every point that a step logged of a metric.
fn logged(db: &Connection, run: &RunId, step: &str, key: &str) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    loop {
        let page = Page::new(points.len() as u32, Page::MOST);
        let found = metrics::history(db, run, step, key, page)?;
        let is_last = found.len() < Page::MOST as usize;
        points.extend(found.iter().map(|one| Point {
            value: one.value,
            step: one.step,
            at_ms: one.at.as_ms(),
        }));
        if is_last {
            return Ok(points);
        }
    }
}

fn draw(db: &Connection, found: &Found, along: Along, span: &Span) -> Result<Line> {
    let (from, to) = match found.level.part(span) {
        _ if !found.has_times => return Ok(Line::default()),
        Part::Nothing => return Ok(Line::default()),
        Part::Drawn(line) => return Ok(line),
        Part::Points(from, to) => (from, to),
    };
    let mut buckets = Buckets::new(along, *span);
    match &found.source {
        Source::Read(points) => points.iter().for_each(|point| buckets.push(*point)),
        Source::Script(curve) => {
            let part = (Bound::Included(from), Bound::Included(to));
            walks::between(db, *curve, along, part, |point| buckets.push(point))?;
        }
    }
    Ok(buckets.into_line())
}

fn view(found: &Found, line: Line) -> CurveLine {
    let shifted = |x: f64| x - found.origin;
    CurveLine {
        run: found.run.id.to_string(),
        points: found.level.points(),
        not_finite: found.level.not_finite(),
        reach: found.level.reach().filter(|_| found.has_times).map(|(from, to)| (shifted(from), shifted(to))),
        x: line.x.into_iter().map(shifted).collect(),
        least: line.least,
        greatest: line.greatest,
        mean: line.mean,
        count: line.count,
    }
}
