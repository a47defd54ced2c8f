//! Triggers at work: looks at what they look at, asks [`flow::trigger::decide`] what to do, starts
//! runs and writes down why. It looks by itself every few seconds rather than waiting to be told:
//! what a system does not tell of (a network drive, a restart) is then no special case.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base::{Error, Result, RunId, Timestamp};
use flow::file::check_name;
use flow::trigger::decide::{Decision, Seen, State};
use flow::trigger::{On, Then, Trigger};
use serde_json::json;
use store::origins::Cause;
use store::projects::Project;
use store::run_list::{Nesting, RunFilter, RunOrder};
use store::runs::RunState;
use store::triggers::{self, TriggerState};
use store::{Action, Page, Topic};

use crate::Engine;
use crate::commands::retraining::Traffic;
use crate::retraining::Retraining;
use crate::running::Wanted;

/// How often triggers look round.
const INTERVAL: Duration = Duration::from_secs(2);
/// A folder is looked at up to so many files; a larger one is refused.
const MOST_FILES: usize = 100_000;

impl Engine {
    /// Begins to look; ends with the engine.
    pub(crate) fn start_triggers(&self) {
        let inner = std::sync::Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            loop {
                let Some(inner) = inner.upgrade() else { return };
                Self(inner).look_at_triggers();
                std::thread::sleep(INTERVAL);
            }
        });
    }

    /// Looks at every trigger once, and starts what is to be started.
    pub fn look_at_triggers(&self) {
        let projects = self.store().read(store::projects::list).unwrap_or_default();
        for project in projects {
            // A file that cannot be read is told of where triggers are listed.
            for name in self.trigger_names(&project).unwrap_or_default() {
                let Ok(trigger) = self.trigger(&project, &name) else { continue };
                if let Err(error) = self.look_at_trigger(&project, &trigger) {
                    eprintln!("cannot look at trigger `{name}`: {error}");
                }
            }
        }
    }

    fn look_at_trigger(&self, project: &Project, trigger: &Trigger) -> Result<()> {
        let on = trigger.on()?;
        let kept = self.trigger_state(project, &trigger.name)?;
        let mut state: State = serde_json::from_value(kept.state.clone()).unwrap_or_default();
        let (now, seen) = (self.store().clock().now(), self.seen(project, &on)?);
        let decision = if kept.is_paused {
            state.forget(&seen, now);
            Decision::Wait
        } else {
            state.look(trigger, &on, &seen, now, self.is_running(project, &trigger.pipeline)?)
        };
        // Written down before the run begins: a crash in between costs a run, not an endless row.
        let after = TriggerState { state: json!(state), ..kept.clone() };
        if is_worth_writing(&kept, &after, &decision) {
            self.store().note(|change| triggers::save(change, &project.id, &trigger.name, &after))?;
        }
        match decision {
            Decision::Wait => Ok(()),
            Decision::Skip(why) => self.tell_trigger(project, trigger, &why, "skipped", None),
            Decision::Run(why) => self.fire(project, trigger, &why),
        }
    }

    fn fire(&self, project: &Project, trigger: &Trigger, why: &str) -> Result<()> {
        if let Some(name) = &trigger.retrain {
            let started = self.retrain_by(project, trigger, name, why);
            let outcome = started.err().map_or_else(|| "started".to_owned(), |error| error.to_string());
            return self.tell_trigger(project, trigger, why, &outcome, None);
        }
        let started = self.pipeline(project, &trigger.pipeline).and_then(|current| {
            let wanted = Wanted { origin: Some((Cause::Trigger, None)), ..Wanted::default() };
            self.start_run(project, current.pipeline, &wanted)
        });
        match started {
            Ok(started) => {
                let id: RunId = started.run_id.parse()?;
                self.tell_trigger(project, trigger, why, "started", Some(&id))
            }
            Err(error) => self.tell_trigger(project, trigger, why, &error.to_string(), None),
        }
    }

    fn retrain_by(&self, project: &Project, trigger: &Trigger, name: &str, why: &str) -> Result<()> {
        let wish = Retraining {
            deployment: self.deployment(project, name)?,
            pipeline: Some(trigger.pipeline.clone()),
            because: why.to_owned(),
            deploys: trigger.then.unwrap_or_default() == Then::Deploy,
            traffic: Traffic::Add,
            cause: Cause::Trigger,
        };
        self.start_retraining(project, wish).map(drop)
    }

    fn tell_trigger(
        &self,
        project: &Project,
        trigger: &Trigger,
        why: &str,
        outcome: &str,
        run: Option<&RunId>,
    ) -> Result<()> {
        self.store()
            .note(|change| triggers::add_event(change, &project.id, &trigger.name, (why, outcome), run))
    }

    /// True while a run of the pipeline works or waits.
    fn is_running(&self, project: &Project, pipeline: &str) -> Result<bool> {
        let filter = RunFilter {
            project_id: Some(project.id.clone()),
            pipeline: Some(pipeline.to_owned()),
            states: vec![RunState::Queued, RunState::Running],
            nesting: Nesting::Outermost,
            ..RunFilter::default()
        };
        Ok(self.store().read(|db| store::run_list::count(db, &filter))? > 0)
    }

    /// What is there now of what a trigger looks at.
    fn seen(&self, project: &Project, on: &On) -> Result<Seen> {
        Ok(match on {
            On::Schedule(..) => Seen { mark: None, why: String::new() },
            On::Path(path) => {
                let why = format!("`{}` changed", path.display());
                Seen { mark: stamp(path)?, why }
            }
            On::Dataset(name) => {
                let found = self.store().read(|db| {
                    let dataset = store::datasets::by_name(db, &project.id, name)?;
                    dataset.map(|dataset| store::datasets::latest(db, &dataset.id)).transpose()
                })?;
                let number = found.flatten().map_or(0, |version| version.number);
                Seen { mark: Some(number.to_string()), why: format!("there is version {number} of {name}") }
            }
            On::After(pipeline) => {
                let filter = RunFilter {
                    project_id: Some(project.id.clone()),
                    pipeline: Some(pipeline.clone()),
                    states: vec![RunState::Done],
                    nesting: Nesting::Outermost,
                    ..RunFilter::default()
                };
                let page = Page::new(0, 1);
                let runs =
                    self.store().read(|db| store::run_list::list(db, &filter, &RunOrder::Newest, page))?;
                let number = runs.first().map_or(0, |run| run.number);
                Seen { mark: Some(number.to_string()), why: format!("run {number} of {pipeline} is done") }
            }
            On::Drift(name) => {
                let alert = self.store().read(|db| {
                    let all = store::deployments::list(db, Some(&project.id))?;
                    let Some(found) = all.into_iter().find(|one| one.name == *name) else { return Ok(None) };
                    let alerts = store::monitors::alerts(db, Some(&found.id), Page::new(0, 1))?;
                    Ok(alerts.into_iter().next())
                })?;
                let (id, said) = alert.map_or((0, String::new()), |alert| (alert.id, alert.message));
                Seen { mark: Some(id.to_string()), why: format!("{name} raised an alert: {said}") }
            }
        })
    }

    /// What is known of a trigger beside its file.
    pub(crate) fn trigger_state(&self, project: &Project, name: &str) -> Result<TriggerState> {
        let kept = self.store().read(|db| triggers::find(db, &project.id, name))?;
        Ok(kept.unwrap_or(TriggerState { is_paused: false, state: json!({}) }))
    }

    /// Names of the triggers of a project, in order.
    pub(crate) fn trigger_names(&self, project: &Project) -> Result<Vec<String>> {
        let folder = self.store().project_dir(&project.slug).join("triggers");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("list", &folder, &e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| Error::io("list", &folder, &e))?.path();
            let is_toml = path.extension().is_some_and(|extension| extension == "toml");
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(stem.filter(|stem| is_toml && check_name(stem).is_ok()).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// A trigger of a project.
    pub(crate) fn trigger(&self, project: &Project, name: &str) -> Result<Trigger> {
        check_name(name)?;
        let path = self.store().project_dir(&project.slug).join(relative(name));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::not_found(format!("there is no trigger `{name}`"))
                    .hint("see `fettle trigger list`"));
            }
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        let trigger = Trigger::parse(&text).map_err(|e| e.within(format!("cannot use trigger `{name}`")))?;
        if trigger.name != name {
            return Err(Error::invalid(format!("the file of trigger `{name}` names `{}`", trigger.name)));
        }
        Ok(trigger)
    }

    /// Keeps a trigger as a file of the project. It looks at what is there from now on.
    pub(crate) fn save_trigger(&self, project: &Project, trigger: &Trigger) -> Result<()> {
        let trigger = Trigger::parse(&trigger.to_text())?;
        self.pipeline(project, &trigger.pipeline)?;
        self.check_things(project, &trigger)?;
        let git = self.git(project)?;
        let file = relative(&trigger.name);
        let path = self.store().project_dir(&project.slug).join(&file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        }
        store::files::write_atomic(&path, trigger.to_text().as_bytes())?;
        let now = self.store().clock().now();
        git.commit(&[&file], &format!("Set trigger {}", trigger.name), now)?;
        let mut state = State::default();
        state.forget(&self.seen(project, &trigger.on()?)?, now);
        let state = TriggerState { is_paused: false, state: json!(state) };
        self.store().write(Action::new("trigger.add", &trigger.name), |w| {
            w.touch(Topic::Projects);
            triggers::save(w, &project.id, &trigger.name, &state)
        })
    }

    /// What a trigger names must be there, and pipelines must not start each other in a circle.
    fn check_things(&self, project: &Project, trigger: &Trigger) -> Result<()> {
        if let Some(name) = &trigger.retrain {
            self.deployment(project, name)?;
        }
        match trigger.on()? {
            On::Dataset(name) => self.dataset(project, &name).map(drop),
            On::After(pipeline) => {
                self.pipeline(project, &pipeline)?;
                self.check_circle(project, trigger, &pipeline)
            }
            On::Drift(name) => {
                let all = self.store().read(|db| store::deployments::list(db, Some(&project.id)))?;
                if all.iter().any(|one| one.name == name) {
                    return Ok(());
                }
                Err(Error::not_found(format!("there is no deployment `{name}`"))
                    .hint("see `fettle deployment list`"))
            }
            On::Path(path) if !path.is_absolute() => {
                Err(Error::invalid(format!("`{}` is not a whole path", path.display()))
                    .hint("write it from the root on: triggers run wherever Fettle was started"))
            }
            On::Path(_) | On::Schedule(..) => Ok(()),
        }
    }

    fn check_circle(&self, project: &Project, trigger: &Trigger, after: &str) -> Result<()> {
        let names = self.trigger_names(project)?.into_iter().filter(|name| *name != trigger.name);
        let others: Vec<Trigger> = names.filter_map(|name| self.trigger(project, &name).ok()).collect();
        let mut before = BTreeSet::from([after.to_owned()]);
        // Each round goes one trigger further back, so there are no more rounds than triggers.
        for _ in 0..=others.len() {
            let further = others.iter().filter(|one| before.contains(&one.pipeline));
            let further: Vec<String> = further.filter_map(|one| one.after.clone()).collect();
            before.extend(further);
        }
        if before.contains(&trigger.pipeline) {
            return Err(Error::invalid(format!(
                "`{after}` and `{}` would start each other without end",
                trigger.pipeline
            ))
            .hint("let one of them start by something else"));
        }
        Ok(())
    }

    /// Removes a trigger; git keeps what was committed.
    pub(crate) fn remove_trigger(&self, project: &Project, name: &str) -> Result<()> {
        self.trigger_there(project, name)?;
        let path = self.store().project_dir(&project.slug).join(relative(name));
        std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, &e))?;
        let now = self.store().clock().now();
        self.git(project)?.commit(&[&relative(name)], &format!("Remove trigger {name}"), now)?;
        self.store().write(Action::new("trigger.remove", name), |w| {
            w.touch(Topic::Projects);
            triggers::forget(w, &project.id, name)
        })
    }

    /// Lets a trigger do nothing, or something again. What happens meanwhile counts for nothing.
    pub(crate) fn pause_trigger(&self, project: &Project, name: &str, is_paused: bool) -> Result<()> {
        let trigger = self.trigger(project, name)?;
        let mut state = State::default();
        state.forget(&self.seen(project, &trigger.on()?)?, self.store().clock().now());
        let kept = TriggerState { is_paused, state: json!(state) };
        let action = if is_paused { "trigger.pause" } else { "trigger.resume" };
        self.store().write(Action::new(action, name), |w| triggers::save(w, &project.id, name, &kept))
    }

    /// Fails if there is no file of a trigger; what is in it does not matter.
    pub(crate) fn trigger_there(&self, project: &Project, name: &str) -> Result<()> {
        check_name(name)?;
        if self.store().project_dir(&project.slug).join(relative(name)).is_file() {
            return Ok(());
        }
        Err(Error::not_found(format!("there is no trigger `{name}`")).hint("see `fettle trigger list`"))
    }
}

/// The clock moves on at every look; writing that down now and then is enough, because what a
/// schedule did is written down at once.
fn is_worth_writing(before: &TriggerState, after: &TriggerState, decision: &Decision) -> bool {
    const CLOCK_MS: i64 = 30_000;
    if *decision != Decision::Wait {
        return true;
    }
    let looked = |state: &TriggerState| state.state["lookedMs"].as_i64().unwrap_or(0);
    let rest = |state: &TriggerState| {
        let mut rest = state.state.clone();
        rest["lookedMs"] = json!(null);
        rest
    };
    rest(before) != rest(after) || (looked(after) - looked(before)).abs() >= CLOCK_MS
}

/// Tells one state of a file or a folder from another: sizes and times of all files in it. None if it
/// is not there.
fn stamp(path: &Path) -> Result<Option<String>> {
    let mut files = Vec::new();
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        list(path, &mut files)?;
    } else {
        return Ok(None);
    }
    files.sort();
    let mut text = String::new();
    for file in files {
        // One that went in between is seen at the next look.
        let Ok(meta) = file.metadata() else { continue };
        let since = meta.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let nanoseconds = since.map_or(0, |since| since.as_nanos());
        text.push_str(&format!("{}\0{}\0{nanoseconds}\n", file.display(), meta.len()));
    }
    Ok(Some(store::Digest::of(text.as_bytes()).short()))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))? {
        let entry = entry.map_err(|e| Error::io("list", folder, &e))?;
        let kind = entry.file_type().map_err(|e| Error::io("look at", &entry.path(), &e))?;
        // Links are not followed: they may lead round in a circle.
        if kind.is_dir() {
            list(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > MOST_FILES {
            return Err(Error::invalid(format!("`{}` holds more than {MOST_FILES} files", folder.display()))
                .hint("let the trigger look at a smaller folder, or at a file that is written last"));
        }
    }
    Ok(())
}

fn relative(name: &str) -> PathBuf {
    Path::new("triggers").join(format!("{name}.toml"))
}

/// The next times of a trigger, in ms.
pub(crate) fn upcoming(trigger: &Trigger, now: Timestamp) -> Vec<i64> {
    trigger.upcoming(now, 3).into_iter().map(Timestamp::as_ms).collect()
}
