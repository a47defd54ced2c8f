//! Runs a graph: what is in the cache is taken from there, what is independent runs side by side,
//! each step in a process of its own. A step that fails keeps only those from running that need
//! it. Whoever watches is told every change of state in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use base::{Cancel, Code, Error, Progress, Result, Stage};

use crate::attempts::{self, Try};
use crate::cache::{Components, Entry, Kept, Ledger, Results, components, key};
use crate::child::{Message, Request, Usage};
use crate::explain::{Facts, changes, sentences};
use crate::file::Wire;
use crate::graph::{FindSource, Graph, Node};
use crate::kind::{Input, SourceTable};
use crate::launch::Launcher;
use crate::outside::{Outside, Place};
use crate::spare::Spare;

/// A graph, and what is known of its results.
pub struct Planner<'a> {
    /// The pipeline's name, under which the ledger remembers its results.
    pub pipeline: &'a str,
    /// The graph.
    pub graph: &'a Graph,
    /// The steps that are wanted, with all that they need: see [`Graph::select`].
    pub steps: &'a BTreeSet<String>,
    /// Where results are kept.
    pub results: &'a Results,
    /// Which results are kept.
    pub ledger: &'a dyn Ledger,
    /// Finds dataset versions.
    pub find_source: &'a FindSource<'a>,
    /// Where the pipeline lives.
    pub place: &'a Place,
}

/// How to run a graph.
pub struct Execution<'a> {
    /// What to run.
    pub planner: Planner<'a>,
    /// The steps that run again even if their result is there.
    pub again: &'a BTreeSet<String>,
    /// How many threads there are in all. Results do not depend on it.
    pub threads: usize,
    /// How steps are run.
    pub launcher: &'a Launcher,
    /// Folder for the log of each step, `<step>.log`.
    pub logs: PathBuf,
    /// How far the whole is, and whether it should stop.
    pub progress: &'a Progress,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Is told what happens, from one thread, in order.
pub trait Observer: Sync {
    /// A step changed its state.
    ///
    /// # Errors
    /// The change cannot be recorded; the run stops.
    fn on_step(&self, step: &str, update: &Update) -> Result<()>;

    /// Several steps changed their states at once.
    ///
    /// # Errors
    /// As [`Observer::on_step`].
    fn on_steps(&self, updates: &[(String, Update)]) -> Result<()> {
        updates.iter().try_for_each(|(step, update)| self.on_step(step, update))
    }

    /// A step said how far it is or sent a point of its curve.
    fn on_message(&self, step: &str, message: &Message);
}

/// A step changed its state.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// It started, for these reasons.
    Started {
        /// The key its result will have.
        key: String,
        /// Why it must run.
        reasons: Vec<String>,
        /// The dataset version it reads.
        source: Option<SourceTable>,
    },
    /// Its result was there.
    Cached {
        /// The result.
        entry: Entry,
        /// The dataset version it reads.
        source: Option<SourceTable>,
    },
    /// It ended well.
    Done {
        /// The result.
        entry: Entry,
        /// What it used.
        usage: Usage,
    },
    /// It ended with an error.
    Failed {
        /// Why.
        error: Error,
        /// What it used.
        usage: Usage,
    },
    /// A step that it needs did not end well.
    Blocked {
        /// That step.
        by: String,
    },
    /// It was stopped or never started because the run was cancelled.
    Cancelled,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Summary {
    /// Results by step, of all that ended well.
    pub results: BTreeMap<String, Entry>,
    /// How many of them were in the cache.
    pub cached: usize,
    /// The first step that failed, and why.
    pub failure: Option<(String, Error)>,
}

/// What would happen to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    /// Its result is there.
    Cached(Box<Entry>),
    /// It must run, for these reasons.
    Run(Vec<String>),
    /// A step before it must run; whether this one must is known only then.
    Pending,
}

/// The steps of a run by id, in the order in which they may run, and what becomes of each.
pub type Plan = Vec<(String, Planned)>;

enum Ended {
    Said(String, Message),
    Stopped(String, Box<Stopped>),
}

struct Stopped {
    result: Result<Entry>,
    usage: Usage,
}

/// A step whose inputs are there.
pub(crate) struct Ready {
    /// What its result depends on.
    pub(crate) components: Components,
    key: String,
    /// The dataset version it reads.
    pub(crate) source: Option<SourceTable>,
    outside: Outside,
}

/// A step that works.
struct Running {
    key: String,
    cores: usize,
    /// The dataset version it reads.
    source: Option<SourceTable>,
}

/// An artifact that is there.
pub(crate) struct Placed {
    content: String,
    folder: PathBuf,
}

/// The artifacts that are there, by where they come from.
pub(crate) type Known = BTreeMap<Wire, Placed>;

impl Planner<'_> {
    /// What would happen, step by step, in the order of the graph.
    ///
    /// # Errors
    /// A missing dataset, an index that cannot be read.
    pub fn plan(&self) -> Result<Plan> {
        let mut known = Known::new();
        let mut plan = Vec::new();
        for node in self.graph.nodes().iter().filter(|node| self.steps.contains(&node.step.id)) {
            let id = node.step.id.clone();
            let is_known = node.wires().all(|(_, wire)| known.contains_key(wire));
            let planned = if is_known { self.plan_one(node, &mut known)? } else { Planned::Pending };
            plan.push((id, planned));
        }
        Ok(plan)
    }

    fn plan_one(&self, node: &Node, known: &mut Known) -> Result<Planned> {
        let ready = self.prepare(node, known)?;
        if let Some(entry) = self.kept(&ready.key)? {
            self.lay_out(node, &entry, known);
            return Ok(Planned::Cached(Box::new(entry)));
        }
        let facts = self.facts(node, ready.source.as_ref(), known);
        Ok(Planned::Run(self.reasons(node, &ready.components, &facts)?))
    }

    /// Why a step must run, one sentence a cause.
    fn reasons(&self, node: &Node, now: &Components, facts: &Facts) -> Result<Vec<String>> {
        let last = self.ledger.last(self.pipeline, &node.step.id)?;
        let found = changes(node, now, facts, last.as_ref(), |_| false);
        if found.is_empty() {
            return Ok(vec!["its result was removed from the cache".to_owned()]);
        }
        Ok(sentences(&found))
    }

    pub(crate) fn prepare(&self, node: &Node, known: &Known) -> Result<Ready> {
        let mut contents: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (port, wire) in node.wires() {
            let placed =
                known.get(wire).ok_or_else(|| Error::internal(format!("`{wire}` is not there yet")))?;
            contents.entry(port.to_owned()).or_default().push(placed.content.clone());
        }
        let source = self.source(node)?;
        let outside = node.kind.outside(&node.step.params, self.place)?;
        let mut components = components(node, &contents, source.as_ref())?;
        outside.add_to(&mut components);
        Ok(Ready { key: key(&components), components, source, outside })
    }

    pub(crate) fn source(&self, node: &Node) -> Result<Option<SourceTable>> {
        match node.kind.source(&node.step.params).map_err(|misfit| misfit.error)? {
            Some(source) => Ok(Some((self.find_source)(&source)?)),
            None => Ok(None),
        }
    }

    pub(crate) fn facts(&self, node: &Node, source: Option<&SourceTable>, known: &Known) -> Facts {
        let ports = node.step.inputs.iter().flat_map(|(port, wires)| {
            wires.iter().enumerate().map(move |(at, wire)| (format!("{port}.{at}"), wire))
        });
        let folders = ports.filter_map(|(place, wire)| Some((place, known.get(wire)?.folder.as_path())));
        Facts::of(node, folders, source)
    }

    /// Adds the artifacts of a result to those that are there.
    pub(crate) fn lay_out(&self, node: &Node, entry: &Entry, known: &mut Known) {
        for (port, artifact) in &entry.outputs {
            let folder = self.results.artifact(&entry.key, port);
            known.insert(node.output(port), Placed { content: artifact.content.clone(), folder });
        }
    }

    pub(crate) fn kept(&self, key: &str) -> Result<Option<Entry>> {
        match self.ledger.find(key)? {
            Some(entry) if self.results.has(&entry)? => Ok(Some(entry)),
            _ => Ok(None),
        }
    }
}

impl Execution<'_> {
    /// Runs what must be run.
    ///
    /// # Errors
    /// [`Code::Cancelled`], or a ledger, observer or disk that refuses. A failed step is part of
    /// the summary.
    pub fn run(&self) -> Result<Summary> {
        let needed = self.planner.steps;
        let cancel = self.progress.cancel().clone();
        let (sender, receiver) = mpsc::channel();
        let mut state = State {
            waiting: self
                .planner
                .graph
                .nodes()
                .iter()
                .filter(|node| needed.contains(&node.step.id))
                .collect(),
            total: needed.len(),
            ..State::default()
        };
        let ran = std::thread::scope(|scope| {
            let (kept, keys) = mpsc::channel();
            let settling = scope.spawn(move || self.planner.results.settle(&keys));
            state.kept = Some(kept);
            let ran = self.drive(scope, &cancel, &sender, &receiver, &mut state);
            if ran.is_err() {
                // Steps that still run are stopped before their threads are waited for.
                cancel.cancel();
            }
            state.kept = None;
            let settled = settling.join();
            ran.and(
                settled.unwrap_or_else(|_| Err(Error::internal("the thread that syncs results panicked"))),
            )
        });
        if ran.is_err() {
            self.tell_found(&mut state)?;
            let unfinished = state
                .waiting
                .iter()
                .chain(&state.postponed)
                .map(|node| &node.step.id)
                .chain(state.running.keys());
            for step in unfinished {
                self.observer.on_step(step, &Update::Cancelled)?;
            }
        }
        ran.map(|()| state.summary)
    }

    fn drive<'scope, 'env>(
        &'env self,
        scope: &'scope std::thread::Scope<'scope, 'env>,
        cancel: &Cancel,
        sender: &mpsc::Sender<Ended>,
        receiver: &mpsc::Receiver<Ended>,
        state: &mut State<'env>,
    ) -> Result<()> {
        self.prepare(state)?;
        loop {
            self.start_ready(scope, cancel, sender, state)?;
            self.progress.step("running steps", state.finished as u64, Some(state.total as u64))?;
            if state.running.is_empty() {
                return Ok(());
            }
            // Waking up now and then is how a cancelled run is noticed while its steps are silent.
            match receiver.recv_timeout(std::time::Duration::from_millis(50)) {
                Ok(Ended::Said(step, message)) => self.observer.on_message(&step, &message),
                Ok(Ended::Stopped(step, stopped)) => self.finish(&step, *stopped, state)?,
                Err(mpsc::RecvTimeoutError::Timeout) => (),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal("the threads of the steps are gone"));
                }
            }
        }
    }

    /// Lets each step make what its key needs. What cannot be made is the step's failure.
    fn prepare(&self, state: &mut State) -> Result<()> {
        for node in state.waiting.clone() {
            match node.kind.prepare(&node.step.params, self.planner.place, self.progress) {
                Ok(()) => (),
                Err(error) if error.code == Code::Cancelled => return Err(error),
                // One that was lost with an earlier one is gone already.
                Err(error) => {
                    if let Some(at) = state.waiting.iter().position(|one| one.step.id == node.step.id) {
                        state.waiting.remove(at);
                        self.fail(&node.step.id, error, Usage::default(), state)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Starts every step whose inputs are there, as long as there are cores for it. Steps in the
    /// cache take none.
    fn start_ready<'scope, 'env>(
        &'env self,
        scope: &'scope std::thread::Scope<'scope, 'env>,
        cancel: &Cancel,
        sender: &mpsc::Sender<Ended>,
        state: &mut State<'env>,
    ) -> Result<()> {
        let mut too_large = BTreeSet::new();
        let is_next = |state: &State, too_large: &BTreeSet<&str>, node: &Node| {
            state.is_ready(node) && !too_large.contains(node.step.id.as_str())
        };
        while let Some(at) = state.waiting.iter().position(|node| is_next(state, &too_large, node)) {
            let node = state.waiting[at];
            let Some(ready) = self.look_up(node, at, state)? else { continue };
            if state.running.values().any(|running| running.key == ready.key) {
                // The same work is being done by another step: its result will be there soon.
                state.postponed.push(state.waiting.remove(at));
                continue;
            }
            let Some(cores) = self.cores_for(node, state) else {
                // Nothing is looked up again for it until a step has ended.
                state.looked_up.insert(node.step.id.clone(), ready);
                too_large.insert(node.step.id.as_str());
                continue;
            };
            state.waiting.remove(at);
            self.start(scope, (cancel, sender), node, (ready, cores), state)?;
        }
        self.tell_found(state)
    }

    /// Tells of the steps whose results were there, all at once: there may be hundreds, each with little
    /// to write.
    fn tell_found(&self, state: &mut State) -> Result<()> {
        let (updates, facts): (Vec<_>, Vec<_>) = std::mem::take(&mut state.found).into_iter().unzip();
        let kept = updates.iter().zip(&facts).filter_map(|((step, update), facts)| match update {
            Update::Cached { entry, .. } => Some(Kept { step, entry, facts }),
            _ => None,
        });
        let kept: Vec<Kept> = kept.collect();
        if kept.is_empty() {
            return Ok(());
        }
        self.planner.ledger.put(self.planner.pipeline, &kept)?;
        self.observer.on_steps(&updates)
    }

    /// What a step's result depends on, if it must be made. None if it was there or cannot be made:
    /// then the step is done with.
    fn look_up<'env>(&self, node: &'env Node, at: usize, state: &mut State<'env>) -> Result<Option<Ready>> {
        if let Some(ready) = state.looked_up.remove(&node.step.id) {
            return Ok(Some(ready));
        }
        let ready = match self.planner.prepare(node, &state.artifacts) {
            Ok(ready) => ready,
            Err(error) => {
                state.waiting.remove(at);
                self.fail(&node.step.id, error, Usage::default(), state)?;
                return Ok(None);
            }
        };
        let is_again = self.again.contains(&node.step.id);
        let kept = if is_again { None } else { self.planner.kept(&ready.key)? };
        let Some(entry) = kept else { return Ok(Some(ready)) };
        state.waiting.remove(at);
        let facts = self.planner.facts(node, ready.source.as_ref(), &state.artifacts);
        let update = Update::Cached { entry: entry.clone(), source: ready.source };
        state.found.push(((node.step.id.clone(), update), facts));
        state.summary.cached += 1;
        self.take(node, entry, state);
        Ok(None)
    }

    /// How many cores a step gets now: as many as it asks for, else its share of the free ones;
    /// none if it has to wait. All that run never take more than there are.
    fn cores_for(&self, node: &Node, state: &State) -> Option<usize> {
        let all = self.threads.max(1);
        let taken: usize = state.running.values().map(|running| running.cores).sum();
        let free = all.saturating_sub(taken);
        match node.step.limits.cores {
            Some(cores) => Some((cores as usize).min(all)).filter(|cores| *cores <= free),
            None if free == 0 => None,
            None => {
                let ready = state.waiting.iter().filter(|node| state.is_ready(node)).count();
                Some((free / ready.max(1)).max(1))
            }
        }
    }

    fn start<'scope, 'env>(
        &'env self,
        scope: &'scope std::thread::Scope<'scope, 'env>,
        (cancel, sender): (&Cancel, &mpsc::Sender<Ended>),
        node: &'env Node,
        (ready, cores): (Ready, usize),
        state: &mut State<'env>,
    ) -> Result<()> {
        self.tell_found(state)?;
        let step = node.step.id.clone();
        let reasons = self.why(node, &ready, state)?;
        let update = Update::Started { key: ready.key.clone(), reasons, source: ready.source.clone() };
        self.observer.on_step(&step, &update)?;
        let (key, source) = (ready.key.clone(), ready.source.clone());
        state.running.insert(step.clone(), Running { key, cores, source });
        let request = Request {
            kind: node.declaration.kind.to_owned(),
            params: node.step.params.clone(),
            inputs: self.inputs(node, state),
            source: ready.source.clone(),
            threads: cores,
            place: Some(self.planner.place.clone()),
            outside: ready.outside.clone(),
            ..Request::default()
        };
        state.spare.want(!state.waiting.is_empty());
        let (cancel, sender, spare) = (cancel.clone(), sender.clone(), Arc::clone(&state.spare));
        scope.spawn(move || {
            let started = Instant::now();
            let (result, usage) = self.make(node, &ready, request, &cancel, (&sender, &spare));
            let result =
                result.map(|entry| Entry { duration_ms: started.elapsed().as_millis() as u64, ..entry });
            // The receiver outlives the scope.
            let _ = sender.send(Ended::Stopped(step, Box::new(Stopped { result, usage })));
        });
        Ok(())
    }

    /// Runs one step, again where that may help, and keeps its result.
    fn make(
        &self,
        node: &Node,
        ready: &Ready,
        mut request: Request,
        cancel: &Cancel,
        (sender, spare): (&mpsc::Sender<Ended>, &Spare),
    ) -> (Result<Entry>, Usage) {
        let log = self.logs.join(format!("{}.log", node.step.id));
        let all = node.step.limits.retries + 1;
        let mut used = Usage::default();
        for number in 1..all {
            let started = Instant::now();
            let (result, usage) = self.make_once(node, ready, &mut request, cancel, (sender, spare));
            used = used.then(usage);
            let error = match result {
                Err(error) if attempts::may_help(&error) => error,
                ended => return (ended, used),
            };
            let tried = Try { number, error, usage, duration_ms: started.elapsed().as_millis() as u64 };
            let waited = tried.wait(all, &log, cancel);
            let _ =
                sender.send(Ended::Said(node.step.id.clone(), Message::Tried { failed: Box::new(tried) }));
            if let Err(error) = waited {
                return (Err(error), used);
            }
        }
        let (result, usage) = self.make_once(node, ready, &mut request, cancel, (sender, spare));
        (result, used.then(usage))
    }

    fn make_once(
        &self,
        node: &Node,
        ready: &Ready,
        request: &mut Request,
        cancel: &Cancel,
        (sender, spare): (&mpsc::Sender<Ended>, &Spare),
    ) -> (Result<Entry>, Usage) {
        let draft = match self.planner.results.draft() {
            Ok(draft) => draft,
            Err(error) => return (Err(error), Usage::default()),
        };
        draft.path().clone_into(&mut request.out);
        let log = self.logs.join(format!("{}.log", node.step.id));
        let say = {
            let (sender, step) = (sender.clone(), node.step.id.clone());
            move |message| {
                let _ = sender.send(Ended::Said(step.clone(), message));
            }
        };
        let (outcome, usage) = self.launcher.run(request, (&node.step.limits, &log, spare), cancel, say);
        let ports: Vec<&str> = node.ports.outputs.iter().map(|port| &*port.name).collect();
        let result = outcome.and_then(|outcome| {
            Ok(Entry {
                key: ready.key.clone(),
                components: ready.components.clone(),
                outputs: draft.keep(self.planner.results, &ready.key, &ports)?,
                outcome,
                duration_ms: 0,
            })
        });
        (result, usage)
    }

    fn finish<'env>(&'env self, step: &str, stopped: Stopped, state: &mut State<'env>) -> Result<()> {
        let source = state.running.remove(step).and_then(|running| running.source);
        state.looked_up.clear();
        state.waiting.append(&mut state.postponed);
        match stopped.result {
            Ok(entry) => {
                let node = self.planner.graph.node(step).expect("only steps of the graph are started");
                if let Some(kept) = &state.kept {
                    // It is heard until the disk refused a sync, which then is how the run ends.
                    let _ = kept.send(entry.key.clone());
                }
                self.remember(node, &entry, source.as_ref(), state)?;
                let update = Update::Done { entry: entry.clone(), usage: stopped.usage };
                self.observer.on_step(step, &update)?;
                self.take(node, entry, state);
                Ok(())
            }
            Err(error) if error.code == Code::Cancelled => {
                self.observer.on_step(step, &Update::Cancelled)?;
                Err(error)
            }
            Err(error) => self.fail(step, error, stopped.usage, state),
        }
    }

    fn fail(&self, step: &str, error: Error, usage: Usage, state: &mut State) -> Result<()> {
        self.tell_found(state)?;
        self.observer.on_step(step, &Update::Failed { error: error.clone(), usage })?;
        state.finished += 1;
        state.summary.failure.get_or_insert((step.to_owned(), error));
        let mut lost = BTreeSet::from([step.to_owned()]);
        // The graph is in order, so one pass finds all that need the step through others.
        let mut kept = Vec::new();
        for node in std::mem::take(&mut state.waiting) {
            let by =
                node.wires().find(|(_, wire)| lost.contains(&wire.step)).map(|(_, wire)| wire.step.clone());
            match by {
                Some(by) => {
                    lost.insert(node.step.id.clone());
                    self.observer.on_step(&node.step.id, &Update::Blocked { by })?;
                    state.finished += 1;
                }
                None => kept.push(node),
            }
        }
        state.waiting = kept;
        Ok(())
    }

    fn inputs(&self, node: &Node, state: &State) -> BTreeMap<String, Vec<Input>> {
        let mut inputs: BTreeMap<String, Vec<Input>> = BTreeMap::new();
        for (port, wire) in node.wires() {
            let entry = &state.summary.results[&wire.step];
            let folder = self.planner.results.artifact(&entry.key, &wire.port);
            inputs.entry(port.to_owned()).or_default().push(Input { step: wire.step.clone(), folder });
        }
        inputs
    }

    fn why(&self, node: &Node, ready: &Ready, state: &State) -> Result<Vec<String>> {
        let is_again = self.again.contains(&node.step.id);
        if is_again && self.planner.kept(&ready.key)?.is_some() {
            return Ok(vec!["you asked for it".to_owned()]);
        }
        let facts = self.planner.facts(node, ready.source.as_ref(), &state.artifacts);
        self.planner.reasons(node, &ready.components, &facts)
    }

    /// Tells the ledger that the step came to this result.
    fn remember(
        &self,
        node: &Node,
        entry: &Entry,
        source: Option<&SourceTable>,
        state: &State,
    ) -> Result<()> {
        let facts = self.planner.facts(node, source, &state.artifacts);
        let kept = Kept { step: &node.step.id, entry, facts: &facts };
        self.planner.ledger.put(self.planner.pipeline, &[kept])
    }

    fn take<'a>(&self, node: &'a Node, entry: Entry, state: &mut State<'a>) {
        self.planner.lay_out(node, &entry, &mut state.artifacts);
        state.summary.results.insert(node.step.id.clone(), entry);
        state.finished += 1;
    }
}

#[derive(Default)]
struct State<'a> {
    waiting: Vec<&'a Node>,
    postponed: Vec<&'a Node>,
    running: BTreeMap<String, Running>,
    /// What was found out about steps that wait for cores.
    looked_up: BTreeMap<String, Ready>,
    artifacts: Known,
    /// Steps whose results were there, of which nobody was told yet.
    found: Vec<((String, Update), Facts)>,
    summary: Summary,
    finished: usize,
    total: usize,
    /// The process for the next step.
    spare: Arc<Spare>,
    /// Where the keys of results that were made are announced, to be made durable.
    kept: Option<mpsc::Sender<String>>,
}

impl State<'_> {
    fn is_ready(&self, node: &Node) -> bool {
        node.wires().all(|(_, wire)| self.artifacts.contains_key(wire))
    }
}

/// The share of a stage that is done, where its total is known.
pub fn share_done(stage: &Stage) -> Option<f64> {
    stage.total.filter(|total| *total > 0).map(|total| stage.done as f64 / total as f64)
}
