//! Sweeps: start, watch, pause, go on, use what was found.

use std::collections::BTreeMap;

use base::{Error, Result};
use flow::sweep::Sweep;
use learn::search::importance::importance;
use learn::search::stopping::Stopping;
use learn::search::{Method, Seen};
use serde::{Deserialize, Serialize};
use store::Page;
use store::projects::Project;
use store::runs::{Run, RunState};
use store::sweeps::{self as stored, SweepState as StoredState, Trial, TrialState as StoredTrial};
use ts_rs::TS;

use super::pipelines::RunStarted;
use crate::Engine;
use crate::rpc::Failure;
use crate::sweeping::{best, point_of};

/// Starts a sweep: of a file in the project, or of what is said here, which becomes that file.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SweepStart {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The sweep's name; the pipeline's if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// What to sweep; the file of that name if left out.
    #[serde(default)]
    pub spec: Option<SweepSpec>,
    /// Threads of all trials together; as many as the machine has if left out.
    #[serde(default)]
    pub threads: Option<u32>,
}

/// What to sweep.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SweepSpec {
    /// The pipeline.
    pub pipeline: String,
    /// What may be tried, by `step.parameter`: `0.01..0.3:log`, `10..200`, `10..200:10`, `a|b`.
    pub params: BTreeMap<String, String>,
    /// The metric to choose by.
    pub metric: String,
    /// True if more of it is better; known for the metrics of Fettle.
    #[serde(default)]
    pub larger_is_better: Option<bool>,
    /// The step that measures it; found if left out.
    #[serde(default)]
    pub step: Option<String>,
    /// The rows that trials are measured on: `validation` if left out.
    #[serde(default)]
    pub on: Option<String>,
    /// `grid`, `random` or `tpe`, which it is if left out.
    #[serde(default)]
    pub method: Option<SweepMethod>,
    /// The most trials; 50 if left out.
    #[serde(default)]
    pub trials: Option<u32>,
    /// No trial begins after so many minutes; no end if left out.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Trials at the same time; 1 if left out.
    #[serde(default)]
    pub parallel: Option<u32>,
    /// Which trials are given up early; none if left out.
    #[serde(default)]
    pub stop: Option<SweepStopping>,
    /// Fixes the random choices; 1 if left out.
    #[serde(default)]
    pub seed: Option<u32>,
}

/// How the next trial is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepMethod {
    /// Every combination.
    Grid,
    /// At random.
    Random,
    /// Where good results were so far.
    Tpe,
}

/// Which trials are given up before their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepStopping {
    /// None.
    Never,
    /// Those whose best is worse than the median of the others.
    Median,
    /// Those that are not among the best third at certain rounds.
    Asha,
}

/// Names a sweep.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SweepPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name, which means the newest of that name, or the id or number of its run.
    pub sweep: String,
}

/// Goes on with a sweep.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SweepResume {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name, or the id or number of its run.
    pub sweep: String,
    /// Threads of all trials together; as many as the machine has if left out.
    #[serde(default)]
    pub threads: Option<u32>,
}

/// Puts what a trial tried into the pipeline.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SweepApply {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name, or the id or number of its run.
    pub sweep: String,
    /// The trial; the best one if left out.
    #[serde(default)]
    pub trial: Option<u32>,
}

/// What was put into the pipeline.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SweepApplied {
    /// The pipeline, whose draft has the values now.
    pub pipeline: String,
    /// The trial.
    pub trial: u32,
    /// The values.
    pub params: BTreeMap<String, serde_json::Value>,
    /// What it measured.
    pub value: Option<f64>,
}

/// A row of the list of sweeps.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SweepSummary {
    /// Its name.
    pub name: String,
    /// The pipeline.
    pub pipeline: String,
    /// Its run, which its trials are nested under.
    pub run_id: String,
    /// The number of its run.
    pub number: u32,
    /// How far it is.
    pub state: SweepState,
    /// The metric to choose by.
    pub metric: String,
    /// True if more of it is better.
    pub larger_is_better: bool,
    /// The most trials.
    pub trials: u32,
    /// Trials that ended, also those that failed or were given up.
    pub ended: u32,
    /// The best trial.
    pub best: Option<u32>,
    /// What the best trial measured.
    pub best_value: Option<f64>,
}

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepState {
    /// Trials are being run.
    Running,
    /// Somebody stopped it; it can go on.
    Paused,
    /// Its process died; it can go on.
    Interrupted,
    /// Its budget is used up.
    Done,
    /// Its trials failed.
    Failed,
}

/// A sweep with its trials.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SweepView {
    /// The row of the list.
    pub summary: SweepSummary,
    /// Its file when it began.
    pub text: String,
    /// What was tried, in order.
    pub trials: Vec<TrialView>,
    /// How much each parameter matters, the most first: shares of the variance that each explains by
    /// itself; empty while too little was tried.
    pub importance: Vec<ParamShare>,
}

/// How much a parameter matters.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ParamShare {
    /// The parameter.
    pub name: String,
    /// Its share, from 0 to 1.
    pub share: f64,
}

/// A trial.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrialView {
    /// 0, 1, 2 in the order they were begun.
    pub number: u32,
    /// What was tried.
    pub params: BTreeMap<String, serde_json::Value>,
    /// How far it is.
    pub state: TrialState,
    /// What it measured.
    pub value: Option<f64>,
    /// How many rounds the trainer told of.
    pub rounds: u32,
    /// Its run.
    pub run_id: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// How far a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// Its run works.
    Running,
    /// It was measured.
    Done,
    /// It was given up early.
    Pruned,
    /// Its run failed.
    Failed,
}

impl SweepSpec {
    fn to_sweep(&self, name: Option<&str>) -> Result<Sweep> {
        let name = name.unwrap_or(&self.pipeline);
        let plain = Sweep::new(name, &self.pipeline, &self.metric, self.params.clone());
        let sweep = Sweep {
            step: self.step.clone(),
            larger_is_better: self.larger_is_better,
            on: self.on.clone().unwrap_or(plain.on.clone()),
            method: self.method.map_or(plain.method, |method| match method {
                SweepMethod::Grid => Method::Grid,
                SweepMethod::Random => Method::Random,
                SweepMethod::Tpe => Method::Tpe,
            }),
            trials: self.trials.unwrap_or(plain.trials),
            minutes: self.minutes.unwrap_or(plain.minutes),
            parallel: self.parallel.unwrap_or(plain.parallel),
            stop: self.stop.map_or(plain.stop, |stop| match stop {
                SweepStopping::Never => Stopping::Never,
                SweepStopping::Median => Stopping::Median,
                SweepStopping::Asha => Stopping::Asha,
            }),
            seed: self.seed.map_or(plain.seed, u64::from),
            ..plain
        };
        // What is said here obeys the rules of the file.
        Sweep::parse(&sweep.to_text())
    }
}

pub(super) fn start(engine: &Engine, request: SweepStart) -> Result<RunStarted> {
    let project = engine.project(request.project.as_deref())?;
    let sweep = match (&request.spec, &request.name) {
        (Some(spec), name) => spec.to_sweep(name.as_deref())?,
        (None, Some(name)) => engine.sweep_file(&project, name)?,
        (None, None) => {
            return Err(
                Error::invalid("a sweep needs a name or parameters").hint("see `fettle sweep --help`")
            );
        }
    };
    engine.start_sweep(&project, sweep, request.threads)
}

pub(super) fn list(engine: &Engine, request: super::datasets::InProject) -> Result<Vec<SweepSummary>> {
    let project = engine.project(request.project.as_deref())?;
    let sweeps = engine.store().read(|db| stored::list(db, &project.id, Page::new(0, 1000)))?;
    let summary = |sweep: stored::Sweep| {
        let run = engine.store().read(|db| store::runs::get(db, &sweep.run_id))?;
        let trials = engine.store().read(|db| stored::trials(db, &sweep.run_id))?;
        summary_of(engine, &run, &sweep, &trials)
    };
    sweeps.into_iter().map(summary).collect()
}

pub(super) fn show(engine: &Engine, request: SweepPick) -> Result<SweepView> {
    let run = pick(engine, request.project.as_deref(), &request.sweep)?;
    let sweep = engine.store().read(|db| stored::get(db, &run.id))?;
    let trials = engine.store().read(|db| stored::trials(db, &run.id))?;
    Ok(SweepView {
        summary: summary_of(engine, &run, &sweep, &trials)?,
        importance: shares(engine, &run, &sweep, &trials)?,
        trials: trials.into_iter().map(trial_view).collect::<Result<_>>()?,
        text: sweep.spec,
    })
}

pub(super) fn pause(engine: &Engine, request: SweepPick) -> Result<()> {
    engine.pause_sweep(&pick(engine, request.project.as_deref(), &request.sweep)?)
}

pub(super) fn resume(engine: &Engine, request: SweepResume) -> Result<RunStarted> {
    let run = pick(engine, request.project.as_deref(), &request.sweep)?;
    engine.resume_sweep(run, request.threads)
}

pub(super) fn apply(engine: &Engine, request: SweepApply) -> Result<SweepApplied> {
    let run = pick(engine, request.project.as_deref(), &request.sweep)?;
    let (pipeline, trial) = engine.apply_trial(&run, request.trial)?;
    Ok(SweepApplied {
        pipeline: pipeline.name,
        trial: trial.number,
        params: point_of(&trial)?,
        value: trial.value,
    })
}

/// The run of a sweep: the newest of this name, else the run of this id or number.
fn pick(engine: &Engine, project: Option<&str>, text: &str) -> Result<Run> {
    let project: Project = engine.project(project)?;
    let sweeps = engine.store().read(|db| stored::list(db, &project.id, Page::new(0, 1000)))?;
    if let Some(found) = sweeps.iter().find(|sweep| sweep.name == text) {
        return engine.store().read(|db| store::runs::get(db, &found.run_id));
    }
    let unknown = || {
        Error::not_found(format!("there is no sweep `{}`", text.escape_debug()))
            .hint("see `fettle sweep list`")
    };
    let run = engine.run(text).map_err(|_| unknown())?;
    let is_sweep = engine.store().read(|db| stored::find(db, &run.id))?.is_some();
    if is_sweep { Ok(run) } else { Err(unknown()) }
}

fn summary_of(engine: &Engine, run: &Run, sweep: &stored::Sweep, trials: &[Trial]) -> Result<SweepSummary> {
    let spec = Sweep::parse(&sweep.spec)?;
    let known = learn::metrics::metric_doc(&spec.metric).map(|metric| metric.larger_is_better);
    let larger_is_better = spec.larger_is_better.or(known).unwrap_or(true);
    let best = best(trials, larger_is_better);
    Ok(SweepSummary {
        name: sweep.name.clone(),
        pipeline: spec.pipeline,
        run_id: run.id.to_string(),
        number: run.number,
        state: state_of(engine, run, sweep.state)?,
        metric: spec.metric,
        larger_is_better,
        trials: spec.trials,
        ended: trials.iter().filter(|trial| trial.state != StoredTrial::Running).count() as u32,
        best: best.map(|trial| trial.number),
        best_value: best.and_then(|trial| trial.value),
    })
}

fn state_of(engine: &Engine, run: &Run, state: StoredState) -> Result<SweepState> {
    Ok(match state {
        StoredState::Running if run.state == RunState::Interrupted => SweepState::Interrupted,
        StoredState::Running => SweepState::Running,
        // Trials that were begun come to their end first.
        StoredState::Paused if engine.is_sweeping(run)? => SweepState::Running,
        StoredState::Paused => SweepState::Paused,
        StoredState::Done => SweepState::Done,
        StoredState::Failed => SweepState::Failed,
    })
}

fn shares(engine: &Engine, run: &Run, sweep: &stored::Sweep, trials: &[Trial]) -> Result<Vec<ParamShare>> {
    let checked = Sweep::parse(&sweep.spec)?.check(&engine.told(run.clone())?.pipeline)?;
    let sign = if checked.larger_is_better { -1.0 } else { 1.0 };
    let measured = trials.iter().filter_map(|trial| Some((point_of(trial).ok()?, sign * trial.value?)));
    let measured: Vec<_> = measured.collect();
    let seen: Vec<Seen> = measured.iter().map(|(point, loss)| Seen { point, loss: *loss }).collect();
    let found = importance(&checked.search.params, &seen)?.unwrap_or_default();
    let names = checked.search.params.iter().map(|param| param.name.clone());
    let mut shares: Vec<ParamShare> =
        names.zip(found).map(|(name, share)| ParamShare { name, share }).collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(shares)
}

fn trial_view(trial: Trial) -> Result<TrialView> {
    Ok(TrialView {
        number: trial.number,
        params: point_of(&trial)?,
        state: match trial.state {
            StoredTrial::Running => TrialState::Running,
            StoredTrial::Done => TrialState::Done,
            StoredTrial::Pruned => TrialState::Pruned,
            StoredTrial::Failed => TrialState::Failed,
        },
        value: trial.value,
        rounds: trial.rounds.len() as u32,
        run_id: trial.run_id.map(|id| id.to_string()),
        error: trial.error.map(Into::into),
    })
}
