//! Running a pipeline: the run's record, its job, its live curves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use base::{Code, Error, Progress, Result, RunId};
use flow::cache::Results;
use flow::child::Message;
use flow::execute::{Execution, Observer, Plan, Planner, Summary, Update};
use flow::explain::{PROGRAM, system};
use flow::file::Pipeline;
use flow::graph::{Graph, Problem, Selection};
use flow::kind::Source;
use flow::launch::Launcher;
use flow::outside::Place;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::origins::{self, Cause, Origin};
use store::projects::Project;
use store::runs::{self, NewRun, Run, RunState};
use store::steps::{self, StepRun};
use store::{Action, Topic, metrics};

use crate::Engine;
use crate::commands::pipelines::RunStarted;
use crate::commands::runs::StepCurve;
use crate::components::{needed, select};
use crate::jobs::Title;
use crate::ledger::ProjectLedger;
use crate::recorder::Recorder;
use crate::sources::Pins;

/// What a run is asked to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// This step runs again, with all that need it; none for no such step.
    pub(crate) from: Option<String>,
    /// Only what this step needs.
    pub(crate) to: Option<String>,
    /// Threads in all; as many as the settings or the machine say if none.
    pub(crate) threads: Option<u32>,
    /// True to run every step again.
    pub(crate) force: bool,
    /// Exactly these steps, which need no others; instead of `from` and `to`.
    pub(crate) only: Option<BTreeSet<String>>,
    /// These steps run again even if their result is there.
    pub(crate) again: BTreeSet<String>,
    /// What asked for it, and the run that it goes on with or belongs to.
    pub(crate) origin: Option<(Cause, Option<RunId>)>,
    /// Dataset versions to read instead of the newest.
    pub(crate) pins: Pins,
    /// A name for people, instead of the pipeline's.
    pub(crate) name: Option<String>,
    /// The experiment, instead of the pipeline's.
    pub(crate) experiment: Option<String>,
}

/// What is written down with a run beside its rows, to go on with it or to repeat it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RunFacts {
    /// The version of Fettle.
    pub(crate) program: String,
    /// The system and the processor.
    pub(crate) system: String,
    /// The versions of the kinds, by step.
    pub(crate) kinds: BTreeMap<String, u32>,
    /// The dataset versions, by step.
    pub(crate) datasets: Pins,
    /// The steps that ran again even if their result was there.
    pub(crate) again: BTreeSet<String>,
}

/// A run that has its row and is about to be done.
pub(crate) struct Launch {
    /// The project.
    pub(crate) project: Project,
    /// The run.
    pub(crate) run: Run,
    /// The pipeline exactly as it runs.
    pub(crate) pipeline: Pipeline,
    selection: Selection,
    threads: usize,
    pins: Pins,
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
    /// How many threads a run has in all.
    pub(crate) fn threads(&self, wanted: Option<u32>) -> Result<usize> {
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
        wanted: &Wanted,
    ) -> Result<RunStarted> {
        let launch = self.create_run(project, pipeline, wanted)?;
        let name = &launch.pipeline.name;
        let id = launch.run.id.clone();
        let title = Title {
            kind: "pipeline.run",
            title: format!("Running {name}"),
            subject: json!({ "run": id.to_string(), "pipeline": name }),
        };
        let job = self.start_job(&title, move |engine, progress| {
            let summary = engine.perform(&launch, progress, &|_, _| ())?;
            let (steps, cached) = (summary.results.len(), summary.cached);
            Ok(json!({ "run": launch.run.id.to_string(), "steps": steps, "cached": cached }))
        })?;
        Ok(RunStarted { run_id: id.to_string(), job_id: job.to_string() })
    }

    /// Makes the row of a run, after looking whether it can run.
    pub(crate) fn create_run(
        &self,
        project: &Project,
        pipeline: Pipeline,
        wanted: &Wanted,
    ) -> Result<Launch> {
        let expanded = self.expanded(project, &pipeline)?;
        let examined = self.examine_expanded(project, &expanded);
        let graph = Graph::build(&expanded.pipeline).map_err(|_| Problem::to_error(&examined.problems))?;
        let mut selection = match &wanted.only {
            Some(steps) => Selection { steps: steps.clone(), again: BTreeSet::new() },
            None => select(&expanded, &graph, wanted.from.as_deref(), wanted.to.as_deref())?,
        };
        selection.again.extend(wanted.again.iter().cloned());
        let is_blocking = |problem: &Problem| {
            let Some(step) = &problem.step else { return true };
            expanded.steps_of(step).iter().any(|step| selection.steps.contains(step))
        };
        let blocking: Vec<Problem> = examined.problems.into_iter().filter(is_blocking).collect();
        if !blocking.is_empty() {
            return Err(Problem::to_error(&blocking));
        }
        if wanted.force {
            selection.again = selection.steps.clone();
        }
        let threads = self.threads(wanted.threads)?;
        let pins = self.pin(project, &graph, &selection.steps, &wanted.pins)?;
        // What is kept with the run is what runs, whatever becomes of its components.
        let pipeline = expanded.pipeline;
        let run = self.create_rows(project, &pipeline, wanted, (&graph, &selection, &pins), threads)?;
        Ok(Launch { project: project.clone(), run, pipeline, selection, threads, pins })
    }

    fn create_rows(
        &self,
        project: &Project,
        pipeline: &Pipeline,
        wanted: &Wanted,
        (graph, selection, pins): (&Graph, &Selection, &Pins),
        threads: usize,
    ) -> Result<Run> {
        let nodes: Vec<_> =
            graph.nodes().iter().filter(|node| selection.steps.contains(&node.step.id)).collect();
        let name = &pipeline.name;
        let new = NewRun {
            project_id: project.id.clone(),
            pipeline: name.clone(),
            name: wanted.name.clone().unwrap_or_else(|| name.clone()),
            experiment: wanted.experiment.clone().unwrap_or_else(|| name.clone()),
            pipeline_digest: Some(self.store().objects().put_bytes(pipeline.to_text().as_bytes())?),
            git_commit: self.git(project)?.last()?.map(|commit| commit.id),
            threads: Some(threads as u32),
            note: String::new(),
        };
        let facts = RunFacts {
            program: PROGRAM.to_owned(),
            system: system(),
            kinds: nodes.iter().map(|node| (node.step.id.clone(), node.declaration.version)).collect(),
            datasets: pins.clone(),
            again: selection.again.clone(),
        };
        let (cause, of_run) = wanted.origin.clone().unwrap_or((Cause::Asked, None));
        let origin = Origin { cause, of_run, facts: json!(facts) };
        self.store().write(Action::new("pipeline.run", name), |w| {
            let run = runs::create(w, new)?;
            origins::set(w, &run.id, &origin)?;
            for (at, node) in nodes.iter().enumerate() {
                steps::save(w, &StepRun::pending(&run.id, &node.step.id, at as u32, node.declaration.kind))?;
                metrics::set_params(w, &run.id, &node.step.id, &params_of(&node.step))?;
            }
            for (step, pinned) in &pins.0 {
                runs::add_input(w, &run.id, step, &pinned.version_id.parse()?)?;
            }
            Ok(run)
        })
    }

    /// Does a run to its end and writes down how it ended. `on_message` hears what the steps say.
    ///
    /// # Errors
    /// Why the run failed: that of its first failed step, if one failed.
    pub(crate) fn perform(
        &self,
        launch: &Launch,
        progress: &Progress,
        on_message: &(dyn Fn(&str, &Message) + Sync),
    ) -> Result<Summary> {
        let id = &launch.run.id;
        self.store().note(|change| runs::start(change, id))?;
        let ran = self.execute(launch, progress, on_message);
        self.0.curves.forget(id);
        let ended = ran.and_then(|summary| match &summary.failure {
            None => Ok(summary),
            Some((step, error)) => {
                let is_gate = error.code == Code::GateFailed;
                let code = if is_gate { Code::GateFailed } else { Code::StepFailed };
                Err(Error { code, ..error.clone() }.within(format!("step `{step}` failed")))
            }
        });
        let state = match &ended {
            Ok(_) => RunState::Done,
            Err(error) if error.code == Code::Cancelled => RunState::Cancelled,
            Err(_) => RunState::Failed,
        };
        self.finish_run(launch, state, ended.as_ref().err())?;
        self.limit_cache()?;
        ended
    }

    fn finish_run(&self, launch: &Launch, state: RunState, error: Option<&Error>) -> Result<()> {
        let action = Action::new("run.finish", &launch.pipeline.name).with("state", state.as_str());
        self.store().write(action, |w| {
            w.touch(Topic::Runs);
            runs::finish(w, &launch.run.id, state, error)
        })
    }

    /// Runs the steps of a run.
    pub(crate) fn execute(
        &self,
        launch: &Launch,
        progress: &Progress,
        on_message: &(dyn Fn(&str, &Message) + Sync),
    ) -> Result<Summary> {
        let Launch { project, run, pipeline, selection, threads, pins } = launch;
        let graph = Graph::build(pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let logs = self.store().run_dir(&run.id);
        std::fs::create_dir_all(&logs).map_err(|e| Error::io("create", &logs, &e))?;
        let ledger =
            ProjectLedger { engine: self, project_id: project.id.clone(), run_id: Some(run.id.clone()) };
        let recorder = Recorder::new(self, project, &run.id, &graph);
        let execution = Execution {
            planner: Planner {
                pipeline: &pipeline.name,
                graph: &graph,
                steps: &selection.steps,
                results: &self.results(),
                ledger: &ledger,
                find_source: &|source: &Source| self.pinned_table(project, source, pins),
                place: &self.place(project),
            },
            again: &selection.again,
            threads: *threads,
            launcher: &self.launcher(),
            logs,
            progress,
            observer: &Overheard { recorder, on_message },
        };
        execution.run()
    }

    /// How the steps of this workspace are run.
    pub(crate) fn launcher(&self) -> Launcher {
        Launcher::Process(self.program().to_owned())
    }

    /// Calls `look` with what is known about running these steps of a graph now.
    pub(crate) fn with_planner<T>(
        &self,
        project: &Project,
        (pipeline, graph): (&str, &Graph),
        steps: &BTreeSet<String>,
        look: impl FnOnce(&Planner) -> Result<T>,
    ) -> Result<T> {
        let planner = Planner {
            pipeline,
            graph,
            steps,
            results: &self.results(),
            ledger: &ProjectLedger { engine: self, project_id: project.id.clone(), run_id: None },
            find_source: &|source: &Source| self.source_table(project, source, &Progress::silent()),
            place: &self.place(project),
        };
        look(&planner)
    }

    /// What a run of this graph would do, in order, and which steps it would go past.
    pub(crate) fn plan(
        &self,
        project: &Project,
        pipeline: &Pipeline,
        to: Option<&str>,
    ) -> Result<(Plan, Vec<String>)> {
        let (expanded, graph) = self.runnable(project, pipeline)?;
        let steps = needed(&expanded, &graph, to)?;
        let plan = self.with_planner(project, (&pipeline.name, &graph), &steps, |planner| planner.plan())?;
        let skipped = if to.is_none() { graph.skipped() } else { &[] };
        Ok((plan, skipped.iter().map(|step| step.id.clone()).collect()))
    }

    /// Where the steps of a project find its files and make environments of foreign programs. What
    /// such programs are told, such as the address of a tracking server, is put in here.
    pub(crate) fn place(&self, project: &Project) -> Place {
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

/// Records a run and lets another hear what its steps say.
struct Overheard<'a> {
    recorder: Recorder<'a>,
    on_message: &'a (dyn Fn(&str, &Message) + Sync),
}

impl Observer for Overheard<'_> {
    fn on_step(&self, step: &str, update: &Update) -> Result<()> {
        self.recorder.on_step(step, update)
    }

    fn on_steps(&self, updates: &[(String, Update)]) -> Result<()> {
        self.recorder.on_steps(updates)
    }

    fn on_message(&self, step: &str, message: &Message) {
        self.recorder.on_message(step, message);
        (self.on_message)(step, message);
    }
}

/// A parameter longer than this is no value to filter runs by.
const LONGEST_PARAM: usize = 500;

/// What runs are found and compared by: all parameters of a step that trains, of others those that
/// are given.
fn params_of(step: &flow::file::Step) -> Vec<(String, String)> {
    let trains = step.kind.starts_with("train_");
    let kind = flow::kinds::find(&step.kind).ok().filter(|_| trains);
    let all = kind.and_then(|kind| kind.complete(&step.params).ok());
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let all = all.unwrap_or_else(|| step.params.clone()).into_iter();
    all.map(|(name, value)| (name, text(value))).filter(|(_, text)| text.len() <= LONGEST_PARAM).collect()
}
