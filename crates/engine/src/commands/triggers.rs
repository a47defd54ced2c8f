//! Triggers: when pipelines run by themselves, and why they did.

use base::Result;
use flow::trigger::decide::State;
use flow::trigger::{Missed, Then, Trigger};
use serde::{Deserialize, Serialize};
use store::Page;
use store::projects::Project;
use ts_rs::TS;

use super::datasets::InProject;
use super::runs::RunLink;
use crate::Engine;
use crate::triggering::upcoming;

/// Sets a trigger, in place of the one of this name.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerAdd {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name.
    pub name: String,
    /// The pipeline that it runs.
    pub pipeline: String,
    /// On a new version of this dataset.
    #[serde(default)]
    pub dataset: Option<String>,
    /// When this file, or anything in this folder, has changed.
    #[serde(default)]
    pub path: Option<String>,
    /// At these times, as cron writes them: `0 6 * * 1-5`.
    #[serde(default)]
    pub schedule: Option<String>,
    /// The time zone of the schedule, such as `Europe/Berlin`; UTC if left out.
    #[serde(default)]
    pub zone: Option<String>,
    /// After a run of this pipeline that came to its end.
    #[serde(default)]
    pub after: Option<String>,
    /// When the monitor of this deployment raises an alert.
    #[serde(default)]
    pub drift: Option<String>,
    /// What the run makes is to replace what this deployment serves, if the gate lets it.
    #[serde(default)]
    pub retrain: Option<String>,
    /// True to deploy what passes the gate; else it is proposed.
    #[serde(default)]
    pub deploys: bool,
    /// True to leave out times of the schedule at which Fettle did not run; else one run makes up for
    /// them.
    #[serde(default)]
    pub skips_missed: bool,
    /// A change counts once nothing more has happened for so many seconds.
    #[serde(default)]
    pub settle_seconds: Option<u32>,
}

/// Names a trigger.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name.
    pub trigger: String,
}

/// A trigger as it stands.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TriggerView {
    /// Its name.
    pub name: String,
    /// The pipeline that it runs.
    pub pipeline: String,
    /// When, in words.
    pub when: String,
    /// What becomes of the run's model: `proposes it for penguins`; none if nothing does.
    pub retrains: Option<String>,
    /// True if it does nothing until it is resumed.
    pub is_paused: bool,
    /// The next three times, ms since the epoch; empty if it does not go by the clock.
    pub next: Vec<i64>,
    /// Why the pipeline runs as soon as it does not work, if it is to.
    pub pending: Option<String>,
    /// True if something changed and has not settled yet.
    pub is_changing: bool,
    /// What it did last.
    pub last: Option<TriggerEventView>,
    /// What is wrong with its file, if something is.
    pub trouble: Option<String>,
}

/// Something a trigger did.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TriggerEventView {
    /// When, ms since the epoch.
    pub at: i64,
    /// Why.
    pub why: String,
    /// `started`, `skipped` or what went wrong.
    pub outcome: String,
    /// The run it started, if that is still there.
    pub run: Option<RunLink>,
}

pub(super) fn list(engine: &Engine, request: InProject) -> Result<Vec<TriggerView>> {
    let project = engine.project(request.project.as_deref())?;
    let names = engine.trigger_names(&project)?;
    names.into_iter().map(|name| view(engine, &project, name)).collect()
}

fn view(engine: &Engine, project: &Project, name: String) -> Result<TriggerView> {
    let kept = engine.trigger_state(project, &name)?;
    let state: State = serde_json::from_value(kept.state).unwrap_or_default();
    let events =
        engine.store().read(|db| store::triggers::events(db, &project.id, &name, Page::new(0, 1)))?;
    let last = events.into_iter().next().map(|event| event_view(engine, event)).transpose()?;
    let trigger = engine.trigger(project, &name);
    let now = engine.store().clock().now();
    Ok(TriggerView {
        pipeline: trigger.as_ref().map(|trigger| trigger.pipeline.clone()).unwrap_or_default(),
        when: trigger.as_ref().map(Trigger::sentence).unwrap_or_default(),
        retrains: trigger.as_ref().ok().and_then(then_sentence),
        next: match &trigger {
            Ok(trigger) if !kept.is_paused => upcoming(trigger, now),
            Ok(_) | Err(_) => Vec::new(),
        },
        trouble: trigger.err().map(|error| error.to_string()),
        is_paused: kept.is_paused,
        pending: state.pending,
        is_changing: state.changing.is_some(),
        last,
        name,
    })
}

fn then_sentence(trigger: &Trigger) -> Option<String> {
    let name = trigger.retrain.as_ref()?;
    Some(match trigger.then.unwrap_or_default() {
        Then::Propose => format!("proposes it for {name}"),
        Then::Deploy => format!("deploys it to {name}"),
    })
}

fn event_view(engine: &Engine, event: store::triggers::TriggerEvent) -> Result<TriggerEventView> {
    let run = match &event.run_id {
        Some(id) => engine.run_link(id)?,
        None => None,
    };
    Ok(TriggerEventView { at: event.at.as_ms(), why: event.why, outcome: event.outcome, run })
}

pub(super) fn add(engine: &Engine, request: TriggerAdd) -> Result<TriggerView> {
    let project = engine.project(request.project.as_deref())?;
    let mut trigger = Trigger::new(&request.name, &request.pipeline);
    trigger.dataset = request.dataset;
    trigger.path = request.path.map(Into::into);
    trigger.schedule = request.schedule;
    trigger.zone = request.zone;
    trigger.after = request.after;
    trigger.drift = request.drift;
    trigger.retrain = request.retrain;
    let then = if request.deploys { Then::Deploy } else { Then::Propose };
    trigger.then = (request.deploys || trigger.retrain.is_some()).then_some(then);
    trigger.missed = if request.skips_missed { Missed::Skip } else { Missed::Once };
    trigger.settle_seconds = request.settle_seconds;
    engine.save_trigger(&project, &trigger)?;
    view(engine, &project, request.name)
}

pub(super) fn pause(engine: &Engine, request: TriggerPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.pause_trigger(&project, &request.trigger, true)
}

pub(super) fn resume(engine: &Engine, request: TriggerPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.pause_trigger(&project, &request.trigger, false)
}

pub(super) fn remove(engine: &Engine, request: TriggerPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.remove_trigger(&project, &request.trigger)
}

pub(super) fn history(engine: &Engine, request: TriggerPick) -> Result<Vec<TriggerEventView>> {
    let project = engine.project(request.project.as_deref())?;
    let page = Page::new(0, 1000);
    let events =
        engine.store().read(|db| store::triggers::events(db, &project.id, &request.trigger, page))?;
    if events.is_empty() {
        engine.trigger_there(&project, &request.trigger)?;
    }
    events.into_iter().map(|event| event_view(engine, event)).collect()
}
