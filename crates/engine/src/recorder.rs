//! Records what happens in a run: states of steps, metrics, live curves, and the models that steps
//! want registered. The run's own process writes; the steps' processes only answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base::{Result, RunId, Timestamp};
use flow::attempts::Try;
use flow::cache::Entry;
use flow::child::{Message, Usage};
use flow::execute::{Observer, Update};
use flow::graph::Graph;
use flow::kind::{Outcome, SourceTable};
use serde_json::json;
use store::metrics::{self, Metric};
use store::projects::Project;
use store::runs;
use store::steps::{self, StepRun, StepState};
use store::{Change, Topic};

use crate::Engine;
use crate::commands::runs::ModelLink;
use crate::events::Event;
use crate::models::Candidate;

/// Points of a curve are told this often.
const POINTS_INTERVAL: Duration = Duration::from_millis(250);

/// Watches a run.
pub(crate) struct Recorder<'a> {
    engine: &'a Engine,
    project: &'a Project,
    run_id: &'a RunId,
    graph: &'a Graph,
    untold: Mutex<BTreeMap<String, Untold>>,
    tries: Mutex<BTreeMap<String, Vec<Try>>>,
    progress: Mutex<BTreeMap<String, Instant>>,
}

/// Points of a step's curve that no listener knows yet.
struct Untold {
    metric: String,
    points: Vec<(f64, f64, Option<f64>)>,
    since: Instant,
}

/// A step that came to a result.
struct Ended<'a> {
    step: &'a str,
    state: StepState,
    entry: &'a Entry,
    /// What it used, unless the result was there.
    usage: Option<Usage>,
    /// The dataset version it reads, unless that was written down at its start.
    source: Option<&'a SourceTable>,
}

impl<'a> Ended<'a> {
    fn of(step: &'a str, update: &'a Update) -> Option<Self> {
        match update {
            Update::Cached { entry, source } => {
                Some(Self { step, state: StepState::Cached, entry, usage: None, source: source.as_ref() })
            }
            Update::Done { entry, usage } => {
                Some(Self { step, state: StepState::Done, entry, usage: Some(*usage), source: None })
            }
            _ => None,
        }
    }
}

impl<'a> Recorder<'a> {
    /// A recorder of this run.
    pub(crate) fn new(engine: &'a Engine, project: &'a Project, run_id: &'a RunId, graph: &'a Graph) -> Self {
        Self {
            engine,
            project,
            run_id,
            graph,
            untold: Mutex::default(),
            tries: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    /// Changes the row of a step.
    fn change(&self, step: &str, change: impl FnOnce(&mut StepRun, Timestamp)) -> Result<()> {
        self.engine.store().note(|c| self.change_in(c, step, change))
    }

    fn change_in(
        &self,
        c: &mut Change<'_>,
        step: &str,
        change: impl FnOnce(&mut StepRun, Timestamp),
    ) -> Result<()> {
        let now = c.now();
        let kind = self.graph.node(step).map_or("", |node| node.declaration.kind);
        let found = steps::find(c, self.run_id, step)?;
        let mut row = found.unwrap_or_else(|| StepRun::pending(self.run_id, step, 0, kind));
        change(&mut row, now);
        c.touch(Topic::Runs);
        steps::save(c, &row)
    }

    /// Writes down the ends of steps that came to results, in one transaction.
    fn end(&self, ended: &[Ended<'_>]) -> Result<()> {
        for one in ended {
            self.tell_points(one.step);
        }
        let registered = ended.iter().map(|one| self.register(one.step, one.entry));
        let registered = registered.collect::<Result<Vec<_>>>()?;
        self.engine.store().note(|c| {
            for (one, registered) in ended.iter().zip(&registered) {
                if let Some(source) = one.source {
                    runs::add_input(c, self.run_id, one.step, &source.version_id.parse()?)?;
                }
                self.change_in(c, one.step, |row, now| {
                    row.state = one.state;
                    row.key = Some(one.entry.key.clone());
                    row.outputs = json!(one.entry.outputs);
                    row.summary = json!({
                        "text": one.entry.outcome.summary,
                        "chosen": one.entry.outcome.chosen,
                        "registered": registered,
                        "tries": self.tries_of(one.step),
                        "environment": one.entry.outcome.environment,
                        "outside": flow::outside::part_of(&one.entry.components),
                    });
                    row.started_at = row.started_at.or(Some(now));
                    row.finished_at = Some(now);
                    row.cpu_ms = one.usage.map(|usage| usage.cpu_ms);
                    row.max_rss_bytes = one.usage.map(|usage| usage.max_memory_bytes);
                })?;
                if !one.entry.outcome.metrics.is_empty() {
                    let points = points_of(&one.entry.outcome, c.now());
                    metrics::log(c, self.run_id, one.step, &points)?;
                }
            }
            Ok(())
        })
    }

    /// The tries of a step that failed before its last one.
    fn tries_of(&self, step: &str) -> Vec<Try> {
        let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(step).unwrap_or_default()
    }

    fn register(&self, step: &str, entry: &Entry) -> Result<Option<ModelLink>> {
        let Some(registration) = &entry.outcome.registration else { return Ok(None) };
        let folder = self.engine.results().artifact(&entry.key, &registration.port);
        let candidate = Candidate {
            project: self.project,
            model: &registration.model,
            run_id: self.run_id,
            step_id: step,
            folder: &folder,
        };
        let version = self.engine.register(&candidate)?;
        Ok(Some(ModelLink { model: registration.model.clone(), version: version.number }))
    }

    fn tell_points(&self, step: &str) {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner).remove(step);
        if let Some(untold) = untold {
            self.engine.emit(&Event::Points {
                run_id: self.run_id.to_string(),
                step_id: step.to_owned(),
                metric: untold.metric,
                points: untold.points,
            });
        }
    }

    fn on_point(&self, step: &str, metric: &str, point: (f64, f64, Option<f64>)) {
        self.engine.curves().push(self.run_id, step, metric, point);
        let mut all = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = all.entry(step.to_owned()).or_insert_with(|| Untold {
            metric: metric.to_owned(),
            points: Vec::new(),
            since: Instant::now(),
        });
        untold.points.push(point);
        let is_due = untold.since.elapsed() >= POINTS_INTERVAL;
        drop(all);
        if is_due {
            self.tell_points(step);
        }
    }

    fn is_progress_due(&self, step: &str) -> bool {
        let mut last = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.get(step).is_none_or(|at| at.elapsed() >= POINTS_INTERVAL);
        if is_due {
            last.insert(step.to_owned(), Instant::now());
        }
        is_due
    }
}

/// What is recorded of the metrics of a step: all points of those that are curves, and the others.
fn points_of(outcome: &Outcome, at: Timestamp) -> Vec<Metric> {
    let single = outcome.metrics.iter().filter(|(key, _)| !outcome.series.contains_key(*key));
    let single = single.map(|(key, value)| Metric { key: key.clone(), value: *value, step: 0, at });
    let curves = outcome.series.iter().flat_map(|(key, points)| {
        points.iter().map(move |(step, value)| Metric { key: key.clone(), value: *value, step: *step, at })
    });
    single.chain(curves).collect()
}

impl Observer for Recorder<'_> {
    fn on_step(&self, step: &str, update: &Update) -> Result<()> {
        match update {
            Update::Started { key, reasons, source } => self.engine.store().note(|c| {
                self.change_in(c, step, |row, now| {
                    row.state = StepState::Running;
                    row.key = Some(key.clone());
                    row.reason = json!(reasons);
                    row.started_at = Some(now);
                })?;
                match source {
                    Some(source) => runs::add_input(c, self.run_id, step, &source.version_id.parse()?),
                    None => Ok(()),
                }
            }),
            Update::Cached { .. } | Update::Done { .. } => self.end(Ended::of(step, update).as_slice()),
            Update::Failed { error, usage } => {
                self.tell_points(step);
                let tries = self.tries_of(step);
                self.change(step, |row, now| {
                    row.state = StepState::Failed;
                    row.summary = json!({ "tries": tries });
                    row.error = Some(error.clone());
                    row.finished_at = Some(now);
                    row.cpu_ms = Some(usage.cpu_ms);
                    row.max_rss_bytes = Some(usage.max_memory_bytes);
                })
            }
            Update::Blocked { by } => self.change(step, |row, _| {
                row.state = StepState::Blocked;
                row.reason = json!([format!("step `{by}` did not end well")]);
            }),
            Update::Cancelled => self.change(step, |row, now| {
                row.state = StepState::Cancelled;
                row.finished_at = Some(now);
            }),
        }
    }

    fn on_steps(&self, updates: &[(String, Update)]) -> Result<()> {
        let ended: Vec<Ended> = updates.iter().filter_map(|(step, update)| Ended::of(step, update)).collect();
        if ended.len() == updates.len() {
            return self.end(&ended);
        }
        updates.iter().try_for_each(|(step, update)| self.on_step(step, update))
    }

    fn on_message(&self, step: &str, message: &Message) {
        match message {
            Message::Point { metric, round, train, validation } => {
                self.on_point(step, metric, (*round, *train, *validation));
            }
            Message::Tried { failed } => {
                let mut all = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
                all.entry(step.to_owned()).or_default().push(Try::clone(failed));
            }
            Message::Progress { stage } => {
                if self.is_progress_due(step) {
                    // Progress is a hint; the step's end will be recorded or complained about.
                    let _ = self.change(step, |row, _| row.summary = json!({ "stage": stage }));
                }
            }
        }
    }
}
