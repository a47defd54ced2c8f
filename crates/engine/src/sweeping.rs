//! Sweeps: trials of a pipeline with other parameters, each an ordinary run under the run of the
//! sweep. What trials share is done once, by the sweep's own run; the cache does the rest. All that
//! is needed to go on is written down trial by trial, so a sweep survives the end of the process.

mod board;

use std::sync::Mutex;
use std::time::Duration;

use base::{Cancel, Code, Error, Progress, Result};
use flow::child::Message;
use flow::file::{Pipeline, check_name};
use flow::sweep::{Checked, Sweep, apply};
use learn::search::Point;
use serde_json::json;
use store::Action;
use store::origins::Cause;
use store::projects::Project;
use store::runs::{self, Run, RunState};
use store::sweeps::{self, SweepState, Trial, TrialState};

use crate::Engine;
use crate::commands::pipelines::RunStarted;
use crate::jobs::Title;
use crate::running::{Launch, Wanted};
use crate::sources::Pins;
use board::{Board, Next};

/// How often a sweep looks whether it should stop.
const TICK: Duration = Duration::from_millis(50);

/// A sweep with all that is needed to run its trials.
struct Ground<'a> {
    engine: &'a Engine,
    project: &'a Project,
    run: &'a Run,
    sweep: &'a Sweep,
    checked: &'a Checked,
    pipeline: &'a Pipeline,
    pins: Pins,
    threads: usize,
}

impl Engine {
    /// The text of a sweep file of the project.
    pub(crate) fn sweep_file(&self, project: &Project, name: &str) -> Result<Sweep> {
        check_name(name)?;
        let path = self.store().project_dir(&project.slug).join(relative(name));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::not_found(format!("there is no sweep `{name}`"))
                    .hint("see `fettle sweep list`, or begin one with `fettle sweep PIPELINE --param …`"));
            }
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        Sweep::parse(&text).map_err(|e| e.within(format!("cannot use `{}`", path.display())))
    }

    /// Keeps a sweep as a file of the project.
    pub(crate) fn save_sweep(&self, project: &Project, sweep: &Sweep) -> Result<()> {
        check_name(&sweep.name)?;
        let git = self.git(project)?;
        let file = relative(&sweep.name);
        let path = self.store().project_dir(&project.slug).join(&file);
        let text = sweep.to_text();
        if std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        }
        store::files::write_atomic(&path, text.as_bytes())?;
        git.commit(&[&file], &format!("Set sweep {}", sweep.name), self.store().clock().now())?;
        Ok(())
    }

    /// Starts a sweep over a pipeline as it is now.
    pub(crate) fn start_sweep(
        &self,
        project: &Project,
        sweep: Sweep,
        threads: Option<u32>,
    ) -> Result<RunStarted> {
        let current = self.pipeline(project, &sweep.pipeline)?.pipeline;
        let pipeline = self.expanded(project, &current)?.pipeline;
        let checked = sweep.check(&pipeline)?;
        // What is wrong with the pipeline up to the step that measures is said before anything runs.
        let first = checked.search.suggest(0, &[]).unwrap_or_default();
        let wanted = Wanted {
            only: Some(checked.shared.clone()),
            threads,
            origin: Some((Cause::Sweep, None)),
            name: Some(format!("sweep {}", sweep.name)),
            experiment: Some(experiment(&sweep)),
            ..Wanted::default()
        };
        self.check_trial(project, &sweep.trial(&pipeline, &first, &checked.step)?, &checked.step)?;
        self.save_sweep(project, &sweep)?;
        let launch = self.create_run(project, pipeline, &wanted)?;
        let action = Action::new("sweep.start", &sweep.name);
        self.store().write(action, |w| sweeps::create(w, &launch.run.id, &sweep.name, &sweep.to_text()))?;
        let id = launch.run.id.to_string();
        let job = self.start_job(&title(&sweep, &launch.run), move |engine, progress| {
            engine.store().note(|change| runs::start(change, &launch.run.id))?;
            let ended = engine
                .execute(&launch, progress, &|_, _| ())
                .and_then(|summary| match summary.failure {
                    None => Ok(()),
                    Some((step, error)) => Err(error.within(format!("step `{step}` failed"))),
                })
                .and_then(|()| engine.run_trials(&launch.run, &launch.pipeline, &sweep, threads, progress));
            engine.end_sweep(&launch.run, &sweep, ended)
        })?;
        Ok(RunStarted { run_id: id, job_id: job.to_string() })
    }

    fn check_trial(&self, project: &Project, trial: &Pipeline, step: &str) -> Result<()> {
        let graph =
            flow::graph::Graph::build(trial).map_err(|problems| flow::graph::Problem::to_error(&problems))?;
        let needed = graph.needed(Some(step))?;
        let problems = self.examine(project, trial).0.problems.into_iter();
        let blocking: Vec<_> =
            problems.filter(|one| one.step.as_ref().is_none_or(|step| needed.contains(step))).collect();
        if blocking.is_empty() { Ok(()) } else { Err(flow::graph::Problem::to_error(&blocking)) }
    }

    /// Goes on with a sweep that was paused or died, with all trials that were measured.
    pub(crate) fn resume_sweep(&self, run: Run, threads: Option<u32>) -> Result<RunStarted> {
        let kept = self.store().read(|db| sweeps::get(db, &run.id))?;
        if self.is_sweeping(&run)? {
            return Err(Error::new(Code::Conflict, format!("sweep `{}` still works", kept.name)));
        }
        if kept.state == SweepState::Done {
            return Err(Error::new(Code::Conflict, format!("sweep `{}` is done", kept.name))
                .hint("start it again with more trials"));
        }
        let sweep = Sweep::parse(&kept.spec)?;
        let pipeline = self.told(run.clone())?.pipeline;
        self.store().write(Action::new("sweep.resume", &sweep.name), |w| {
            runs::reopen(w, &run.id)?;
            sweeps::set_state(w, &run.id, SweepState::Running)
        })?;
        let id = run.id.to_string();
        let job = self.start_job(&title(&sweep, &run), move |engine, progress| {
            let ended = engine.run_trials(&run, &pipeline, &sweep, threads, progress);
            engine.end_sweep(&run, &sweep, ended)
        })?;
        Ok(RunStarted { run_id: id, job_id: job.to_string() })
    }

    /// Goes on with the sweeps that worked when the process before this one ended.
    pub(crate) fn resume_sweeps(&self) {
        let waiting = self.store().read(|db| sweeps::in_state(db, SweepState::Running)).unwrap_or_default();
        for sweep in waiting {
            let run = self.store().read(|db| runs::get(db, &sweep.run_id));
            let resumed = run.and_then(|run| match run.state {
                RunState::Interrupted => self.resume_sweep(run, None).map(drop),
                _ => Ok(()),
            });
            if let Err(error) = resumed {
                eprintln!("cannot go on with sweep `{}`: {error}", sweep.name);
            }
        }
    }

    /// Lets a sweep begin no more trials; those that work come to their end.
    pub(crate) fn pause_sweep(&self, run: &Run) -> Result<()> {
        let sweep = self.store().read(|db| sweeps::get(db, &run.id))?;
        if sweep.state != SweepState::Running {
            let state = sweep.state;
            return Err(Error::new(Code::Conflict, format!("sweep `{}` is {state}", sweep.name)));
        }
        self.store().write(Action::new("sweep.pause", &sweep.name), |w| {
            sweeps::set_state(w, &run.id, SweepState::Paused)
        })
    }

    /// True while a job works on the sweep.
    pub(crate) fn is_sweeping(&self, run: &Run) -> Result<bool> {
        Ok(self.jobs(true)?.iter().any(|job| job.subject["run"] == run.id.as_str()))
    }

    /// Puts what a trial tried into the draft of the pipeline: the best one if none is named.
    pub(crate) fn apply_trial(&self, run: &Run, number: Option<u32>) -> Result<(Pipeline, Trial)> {
        let kept = self.store().read(|db| sweeps::get(db, &run.id))?;
        let sweep = Sweep::parse(&kept.spec)?;
        let trials = self.store().read(|db| sweeps::trials(db, &run.id))?;
        let project = self.store().read(|db| store::projects::get(db, &run.project_id))?;
        let checked = sweep.check(&self.told(run.clone())?.pipeline)?;
        let trial = match number {
            Some(number) => trials
                .into_iter()
                .find(|trial| trial.number == number)
                .ok_or_else(|| Error::not_found(format!("sweep `{}` has no trial {number}", sweep.name)))?,
            None => best(&trials, checked.larger_is_better).cloned().ok_or_else(|| {
                Error::not_found(format!("no trial of sweep `{}` was measured", sweep.name))
                    .hint("see `fettle sweep show`")
            })?,
        };
        let point = point_of(&trial)?;
        let current = self.pipeline(&project, &sweep.pipeline)?.pipeline;
        let pipeline = apply(&current, &self.expanded(&project, &current)?.own_places(&point))?;
        self.save_draft(&project, &sweep.pipeline, &pipeline.to_text())?;
        Ok((pipeline, trial))
    }

    /// Runs trials until the budget is used up, somebody pauses the sweep, or all fail.
    fn run_trials(
        &self,
        run: &Run,
        pipeline: &Pipeline,
        sweep: &Sweep,
        threads: Option<u32>,
        progress: &Progress,
    ) -> Result<()> {
        let project = self.store().read(|db| store::projects::get(db, &run.project_id))?;
        // Tells the run as it is now, before trials that belong to it are told.
        self.store().write(Action::new("sweep.run", &sweep.name), |w| {
            let state = sweeps::get(w, &run.id)?.state;
            sweeps::set_state(w, &run.id, state)
        })?;
        let checked = sweep.check(pipeline)?;
        let kept = self.store().read(|db| sweeps::trials(db, &run.id))?;
        let threads = (self.threads(threads)? / sweep.parallel as usize).max(1);
        let pins = self.run_facts(&run.id)?.datasets;
        let ground = Ground {
            engine: self,
            project: &project,
            run,
            sweep,
            checked: &checked,
            pipeline,
            pins,
            threads,
        };
        let board = Mutex::new(Board::new(sweep, &checked, run, kept));
        let until = (sweep.minutes > 0)
            .then(|| self.store().clock().now().as_ms() + i64::from(sweep.minutes) * 60_000);
        let stop = Cancel::default();
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..sweep.parallel).map(|_| scope.spawn(|| ground.work(&board, &stop, until))).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                let (done, total) = lock(&board).progress();
                if let Err(error) = progress.step("running trials", done, Some(total)) {
                    stop.cancel();
                    lock(&board).cancel_all();
                    join(workers)?;
                    return Err(error);
                }
                std::thread::sleep(TICK);
            }
            join(workers)
        })?;
        lock(&board).verdict()
    }

    fn end_sweep(&self, run: &Run, sweep: &Sweep, ended: Result<()>) -> Result<serde_json::Value> {
        let trials = self.store().read(|db| sweeps::trials(db, &run.id))?;
        let was = self.store().read(|db| sweeps::get(db, &run.id))?.state;
        let (state, run_state) = match &ended {
            Ok(()) if was == SweepState::Paused => (SweepState::Paused, RunState::Cancelled),
            Ok(()) => (SweepState::Done, RunState::Done),
            Err(error) if error.code == Code::Cancelled => (SweepState::Paused, RunState::Cancelled),
            Err(_) => (SweepState::Failed, RunState::Failed),
        };
        let error = match (&ended, run_state) {
            (Ok(()), RunState::Cancelled) => Some(
                Error::new(Code::Cancelled, format!("sweep `{}` was paused", sweep.name))
                    .hint("go on with `fettle sweep resume`"),
            ),
            (ended, _) => ended.as_ref().err().cloned(),
        };
        let action = Action::new("sweep.finish", &sweep.name).with("state", state.as_str());
        self.store().write(action, |w| {
            runs::finish(w, &run.id, run_state, error.as_ref())?;
            sweeps::set_state(w, &run.id, state)
        })?;
        ended?;
        let done = trials.iter().filter(|trial| trial.state == TrialState::Done).count();
        Ok(
            json!({ "run": run.id.to_string(), "sweep": sweep.name, "trials": trials.len(), "measured": done }),
        )
    }
}

impl Ground<'_> {
    /// One worker: takes the next trial as long as there is one.
    fn work(&self, board: &Mutex<Board>, stop: &Cancel, until: Option<i64>) -> Result<()> {
        loop {
            let is_late = until.is_some_and(|until| self.engine.store().clock().now().as_ms() >= until);
            let state = self.engine.store().read(|db| sweeps::get(db, &self.run.id))?.state;
            if stop.is_cancelled() || is_late || state != SweepState::Running {
                return Ok(());
            }
            let next = lock(board).next();
            match next {
                Next::End => return Ok(()),
                Next::Wait => std::thread::sleep(TICK),
                Next::Trial(trial, cancel) => {
                    let ended = self.run_trial(board, *trial, &cancel);
                    if let Err(error) = ended {
                        stop.cancel();
                        lock(board).cancel_all();
                        return Err(error);
                    }
                }
            }
        }
    }

    fn run_trial(&self, board: &Mutex<Board>, mut trial: Trial, cancel: &Cancel) -> Result<()> {
        let made = self.launch(&trial);
        if let Ok(launch) = &made {
            trial.run_id = Some(launch.run.id.clone());
        }
        self.save(&trial)?;
        let number = trial.number;
        let said = made.and_then(|launch| {
            let progress = Progress::new(cancel.clone(), |_| ());
            let hear = |step: &str, message: &Message| {
                if let Message::Point { metric, train, validation, .. } = message {
                    lock(board).hear(number, step, metric, validation.unwrap_or(*train));
                }
            };
            let summary = self.engine.perform(&launch, &progress, &hear)?;
            let entry = summary.results.get(&self.checked.step);
            let metrics = entry.map(|entry| &entry.outcome.metrics);
            metrics.and_then(|metrics| metrics.get(&self.sweep.metric).copied()).ok_or_else(|| {
                let names: Vec<&str> = metrics.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                Error::invalid(format!("step `{}` measures no `{}`", self.checked.step, self.sweep.metric))
                    .hint(format!("it measures {}", names.join(", ")))
            })
        });
        let (rounds, is_given_up) = lock(board).heard(number);
        trial.rounds = rounds;
        match said {
            // A trial may come to its end before the word to give it up reaches it.
            _ if is_given_up => trial.state = TrialState::Pruned,
            Ok(value) => (trial.state, trial.value) = (TrialState::Done, Some(value)),
            Err(error) if error.code == Code::Cancelled => {
                // It stays as one that runs, and is run again when the sweep goes on.
                lock(board).end(&trial);
                return Ok(());
            }
            Err(error) => (trial.state, trial.error) = (TrialState::Failed, Some(error)),
        }
        self.save(&trial)?;
        lock(board).end(&trial);
        Ok(())
    }

    fn launch(&self, trial: &Trial) -> Result<Launch> {
        let pipeline = self.sweep.trial(self.pipeline, &point_of(trial)?, &self.checked.step)?;
        let wanted = Wanted {
            to: Some(self.checked.step.clone()),
            threads: Some(self.threads as u32),
            origin: Some((Cause::Trial, Some(self.run.id.clone()))),
            pins: self.pins.clone(),
            name: Some(format!("{} trial {}", self.sweep.name, trial.number)),
            experiment: Some(experiment(self.sweep)),
            ..Wanted::default()
        };
        self.engine.create_run(self.project, pipeline, &wanted)
    }

    fn save(&self, trial: &Trial) -> Result<()> {
        let action = Action::new("sweep.trial", format!("{} {}", self.sweep.name, trial.number))
            .with("state", trial.state.as_str());
        self.engine.store().write(action, |w| sweeps::save_trial(w, trial))
    }
}

/// The best of the trials that were measured, the first of equals.
pub(crate) fn best(trials: &[Trial], larger_is_better: bool) -> Option<&Trial> {
    let sign = if larger_is_better { -1.0 } else { 1.0 };
    let measured = trials.iter().filter(|trial| trial.value.is_some_and(f64::is_finite));
    let loss = |trial: &Trial| sign * trial.value.unwrap_or(f64::INFINITY);
    measured.min_by(|a, b| loss(a).total_cmp(&loss(b)).then(a.number.cmp(&b.number)))
}

/// What a trial tried.
pub(crate) fn point_of(trial: &Trial) -> Result<Point> {
    serde_json::from_value(trial.params.clone())
        .map_err(|e| Error::new(Code::Corrupt, format!("trial {} cannot be read", trial.number)).because(e))
}

fn experiment(sweep: &Sweep) -> String {
    format!("{}/{}", sweep.pipeline, sweep.name)
}

fn title(sweep: &Sweep, run: &Run) -> Title<'static> {
    Title {
        kind: "sweep.run",
        title: format!("Sweeping {} over {}", sweep.name, sweep.pipeline),
        subject: json!({ "run": run.id.to_string(), "pipeline": sweep.pipeline, "sweep": sweep.name }),
    }
}

fn relative(name: &str) -> std::path::PathBuf {
    std::path::Path::new("sweeps").join(format!("{name}.toml"))
}

fn lock<'a, 'b>(board: &'a Mutex<Board<'b>>) -> std::sync::MutexGuard<'a, Board<'b>> {
    board.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn join(workers: Vec<std::thread::ScopedJoinHandle<'_, Result<()>>>) -> Result<()> {
    let mut ended = Ok(());
    for worker in workers {
        let worked = worker.join().unwrap_or_else(|_| Err(Error::internal("a worker of a sweep panicked")));
        ended = ended.and(worked);
    }
    ended
}
