//! Running a pipeline: the run's record, its job, its live curves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base::{Code, Error, Progress, Result, RunId};
use flow::cache::Results;
use flow::execute::{Execution, Planned, Planner, Summary};
use flow::file::Pipeline;
use flow::graph::{Graph, Problem};
use flow::kind::Source;
use flow::launch::Launcher;
use flow::outside::Place;
use serde_json::{Value, json};
use store::projects::Project;
use store::runs::{self, NewRun, RunState};
use store::steps::{self, StepRun};
use store::{Action, Topic};

use crate::Engine;
use crate::commands::pipelines::RunStarted;
use crate::commands::runs::StepCurve;
use crate::jobs::Title;
use crate::ledger::ProjectLedger;
use crate::recorder::Recorder;

/// What a run is asked to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Only what this step needs.
    pub(crate) to: Option<String>,
    /// Threads in all; as many as the settings or the machine say if none.
    pub(crate) threads: Option<u32>,
    /// True to run every step again.
    pub(crate) force: bool,
}

/// A point of a live curve: round, training, validation.
pub(crate) type CurvePoint = (f64, f64, Option<f64>);

/// Curves of steps that train now, by run and step.
#[derive(Default)]
pub(crate) struct LiveCurves(Mutex<BTreeMap<(RunId, String), StepCurve>>);

/// A live curve is thinned to every second point beyond this many.
const CURVE_POINTS: usize = 2000;

impl LiveCurves {
    pub(crate) fn push(&self, run: &RunId, step: &str, metric: &str, point: CurvePoint) {
        let mut curves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let curve = curves.entry((run.clone(), step.to_owned())).or_insert_with(|| StepCurve {
            step: step.to_owned(),
            metric: metric.to_owned(),
            points: Vec::new(),
        });
        if curve.points.len() >= CURVE_POINTS {
            let mut at = 0;
            curve.points.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        curve.points.push(point);
    }

    pub(crate) fn of(&self, run: &RunId) -> Vec<StepCurve> {
        let curves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        curves.iter().filter(|((id, _), _)| id == run).map(|(_, curve)| curve.clone()).collect()
    }

    fn forget(&self, run: &RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _), _| id != run);
    }
}

/// How often the job of a run is looked for, and how long is waited between.
const JOB_TRIES: u32 = 40;
const JOB_WAIT: std::time::Duration = std::time::Duration::from_millis(25);

impl Engine {
    fn threads(&self, wanted: Option<u32>) -> Result<usize> {
        let wanted = match wanted {
            Some(0) => return Err(Error::invalid("a run needs at least one thread")),
            Some(wanted) => wanted,
            None => self.settings()?.threads,
        };
        let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(if wanted == 0 { all } else { (wanted as usize).min(256) })
    }

    /// Starts a run of this graph exactly as it is.
    pub(crate) fn start_run(
        &self,
        project: &Project,
        pipeline: Pipeline,
        wanted: Wanted,
    ) -> Result<RunStarted> {
        let examined = self.examine(project, &pipeline);
        let blocking: Vec<Problem> = match &wanted.to {
            Some(to) => blocking_for(&pipeline, to, examined.problems),
            None => examined.problems,
        };
        if !blocking.is_empty() {
            return Err(Problem::to_error(&blocking));
        }
        let graph = Graph::build(&pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let needed = graph.needed(wanted.to.as_deref())?;
        let threads = self.threads(wanted.threads)?;
        let git_commit = self.git(project)?.last()?.map(|commit| commit.id);
        let digest = self.store().objects().put_bytes(pipeline.to_text().as_bytes())?;
        let new = NewRun {
            project_id: project.id.clone(),
            pipeline: pipeline.name.clone(),
            name: pipeline.name.clone(),
            experiment: pipeline.name.clone(),
            pipeline_digest: Some(digest),
            git_commit,
            threads: Some(threads as u32),
            note: String::new(),
        };
        let run = self.store().write(Action::new("pipeline.run", &pipeline.name), |w| {
            let run = runs::create(w, new)?;
            for (at, node) in graph.nodes().iter().filter(|node| needed.contains(&node.step.id)).enumerate() {
                steps::save(w, &StepRun::pending(&run.id, &node.step.id, at as u32, node.declaration.kind))?;
            }
            Ok(run)
        })?;
        let title = Title {
            kind: "pipeline.run",
            title: format!("Running {}", pipeline.name),
            subject: json!({ "run": run.id.to_string(), "pipeline": pipeline.name }),
        };
        let (project, id) = (project.clone(), run.id.clone());
        let job = self.start_job(&title, move |engine, progress| {
            engine.run_pipeline(&project, &id, &pipeline, &wanted, threads, progress)
        })?;
        Ok(RunStarted { run_id: run.id.to_string(), job_id: job.to_string() })
    }

    fn run_pipeline(
        &self,
        project: &Project,
        id: &RunId,
        pipeline: &Pipeline,
        wanted: &Wanted,
        threads: usize,
        progress: &Progress,
    ) -> Result<Value> {
        self.store().note(|change| runs::start(change, id))?;
        let ran = self.execute(project, id, pipeline, wanted, threads, progress);
        self.0.curves.forget(id);
        let (state, error) = match &ran {
            Ok(summary) => match &summary.failure {
                None => (RunState::Done, None),
                Some((step, error)) => {
                    let gate = error.code == Code::GateFailed;
                    let code = if gate { Code::GateFailed } else { Code::StepFailed };
                    let error = Error { code, ..error.clone() }.within(format!("step `{step}` failed"));
                    (RunState::Failed, Some(error))
                }
            },
            Err(error) if error.code == Code::Cancelled => (RunState::Cancelled, Some(error.clone())),
            Err(error) => (RunState::Failed, Some(error.clone())),
        };
        self.store().write(Action::new("run.finish", &pipeline.name).with("state", state.as_str()), |w| {
            w.touch(Topic::Runs);
            runs::finish(w, id, state, error.as_ref())
        })?;
        self.limit_cache()?;
        match error {
            Some(error) => Err(error),
            None => {
                let summary = ran?;
                Ok(json!({ "run": id.to_string(), "steps": summary.results.len(), "cached": summary.cached }))
            }
        }
    }

    fn execute(
        &self,
        project: &Project,
        id: &RunId,
        pipeline: &Pipeline,
        wanted: &Wanted,
        threads: usize,
        progress: &Progress,
    ) -> Result<Summary> {
        let graph = Graph::build(pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let logs = self.store().run_dir(id);
        std::fs::create_dir_all(&logs).map_err(|e| Error::io("create", &logs, &e))?;
        let ledger = ProjectLedger { engine: self, project_id: project.id.clone() };
        let recorder = Recorder::new(self, project, id, &graph);
        let execution = Execution {
            planner: Planner {
                pipeline: &pipeline.name,
                graph: &graph,
                to: wanted.to.as_deref(),
                results: &self.results(),
                ledger: &ledger,
                find_source: &|source: &Source| self.source_table(project, source, &Progress::silent()),
                place: &self.place(project),
            },
            force: wanted.force,
            threads,
            launcher: &Launcher::Process(self.program().to_owned()),
            logs,
            progress,
            observer: &recorder,
        };
        execution.run()
    }

    /// What a run of this graph would do, in order.
    pub(crate) fn plan(
        &self,
        project: &Project,
        pipeline: &Pipeline,
        to: Option<&str>,
    ) -> Result<Vec<(String, Planned)>> {
        let graph = Graph::build(pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let planner = Planner {
            pipeline: &pipeline.name,
            graph: &graph,
            to,
            results: &self.results(),
            ledger: &ProjectLedger { engine: self, project_id: project.id.clone() },
            find_source: &|source: &Source| self.source_table(project, source, &Progress::silent()),
            place: &self.place(project),
        };
        planner.plan()
    }

    /// Where the steps of a project find its files and make environments of foreign programs. What
    /// such programs are told, such as the address of a tracking server, is put in here.
    fn place(&self, project: &Project) -> Place {
        Place {
            project: self.store().project_dir(&project.slug),
            tools: self.store().cache_dir().join("python"),
            environment: BTreeMap::new(),
        }
    }

    /// The results of steps that are kept.
    pub(crate) fn results(&self) -> Results {
        Results::below(&self.store().cache_dir())
    }

    /// Removes the results that were used longest ago, until the rest fits the limit.
    fn limit_cache(&self) -> Result<()> {
        let limit = self.settings()?.cache_limit_bytes;
        let evicted = self.store().note(|change| store::cache::evict(change, limit))?;
        for entry in evicted {
            let folder = self.results().artifact(&entry.key, "");
            // The entry is forgotten already; a folder that stays behind is swept by `gc`.
            let _ = std::fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Stops a run.
    pub(crate) fn cancel_run(&self, id: &RunId) -> Result<()> {
        let run = self.store().read(|db| runs::get(db, id))?;
        if run.state.is_final() {
            return Err(Error::new(Code::Conflict, format!("run {} has ended already", run.number)));
        }
        // A run is written down a moment before the job that does it.
        for _ in 0..JOB_TRIES {
            let jobs = self.jobs(true)?;
            if let Some(job) = jobs.iter().find(|job| job.subject["run"] == id.as_str()) {
                return self.cancel_job(&job.id.parse()?);
            }
            std::thread::sleep(JOB_WAIT);
        }
        Err(Error::not_found(format!("nothing works on run {}", run.number)))
    }
}

/// Only what is wrong on the way to a step keeps that step from running.
fn blocking_for(pipeline: &Pipeline, to: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let Ok(graph) = Graph::build(pipeline) else { return problems };
    let Ok(needed) = graph.needed(Some(to)) else { return problems };
    problems
        .into_iter()
        .filter(|problem| problem.step.as_ref().is_none_or(|step| needed.contains(step)))
        .collect()
}
