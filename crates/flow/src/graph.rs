//! The graph that a pipeline file means: which step follows which, whether every wire fits, and
//! what columns flow, all known before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use data::nearest;

use crate::file::{Pipeline, Step, Wire};
use crate::fix::{Fix, rename_in_param};
use crate::kind::{Declaration, Misfit, PortType, Ports, Shapes, Source, SourceTable, StepKind, TableShape};
use crate::kinds;
use crate::wiring::{self, Passed, Wiring};

/// Something that keeps a pipeline from running, or that a person should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The step, unless it is the whole graph.
    pub step: Option<String>,
    /// The parameter, if it is one.
    pub param: Option<String>,
    /// The input port, if it is one.
    pub port: Option<String>,
    /// What is wrong, with the way out as its hint.
    pub error: Error,
    /// True for what keeps a pipeline from running by itself only: it is a part of others.
    pub is_warning: bool,
    /// Ways out that can be gone by a program, the likeliest first.
    pub fixes: Vec<Fix>,
}

/// What is known of a graph without running it.
#[derive(Debug, Default)]
pub struct Examination {
    /// What is wrong, in the order of the file; empty if the pipeline can run.
    pub problems: Vec<Problem>,
    /// The tables that flow, as far as they are known.
    pub shapes: BTreeMap<Wire, TableShape>,
}

/// A graph whose wires all fit and that has no cycle.
pub struct Graph {
    nodes: Vec<Node>,
    skipped: Vec<Step>,
    /// What outputs of skipped steps stand for.
    passes: BTreeMap<Wire, Wire>,
}

/// Which steps of a graph a run is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The steps that are wanted, with all that they need.
    pub steps: BTreeSet<String>,
    /// Those among them that run again even if their result is there.
    pub again: BTreeSet<String>,
}

/// A step of a graph.
pub struct Node {
    /// The step as the file says it.
    pub step: Step,
    /// Its kind.
    pub kind: &'static dyn StepKind,
    /// Its kind's declaration.
    pub declaration: Declaration,
    /// Its ports, which its parameters may have named.
    pub ports: Ports,
}

/// Finds the dataset version behind a [`Source`].
pub type FindSource<'a> = dyn Fn(&Source) -> Result<SourceTable> + Sync + 'a;

impl Graph {
    /// The steps, each after all that it needs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The steps that a run goes past, in the order of the file.
    pub fn skipped(&self) -> &[Step] {
        &self.skipped
    }

    /// The step of this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.step.id == id)
    }

    /// Makes the graph that the pipeline means: its steps without those that are skipped.
    ///
    /// # Errors
    /// Every [`Problem`] of form: unknown kinds and ports, wires that do not fit, missing inputs,
    /// steps of the same id, cycles.
    pub fn build(pipeline: &Pipeline) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (mut steps, passed) = divided(pipeline, &mut problems);
        let lost = wiring::pass_over(&mut steps, &passed);
        let nodes: Vec<Node> = steps.iter().filter_map(|step| Node::of(step, &mut problems)).collect();
        let wiring = Wiring {
            nodes: nodes.iter().map(|node| (node.step.id.as_str(), node)).collect(),
            ids: steps.iter().map(|step| step.id.as_str()).collect(),
            lost: &lost,
            open: pipeline.inputs.iter().flat_map(|input| &input.to).collect(),
        };
        for node in &nodes {
            wiring::check(node, &wiring, &mut problems);
        }
        wiring::check_declared(pipeline, &wiring.nodes, &mut problems);
        let passes = wiring::passes(&passed);
        let skipped = passed.into_iter().map(|passed| passed.step).collect();
        match order(nodes) {
            Ok(nodes) if problems.is_empty() => Ok(Self { nodes, skipped, passes }),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(*problem);
                Err(problems)
            }
        }
    }

    /// Looks at a pipeline as far as that goes without running it: its form, its parameters and
    /// the columns that flow.
    pub fn examine(pipeline: &Pipeline, find_source: &FindSource) -> Examination {
        let graph = match Self::build(pipeline) {
            Ok(graph) => graph,
            Err(problems) => return Examination { problems, shapes: BTreeMap::new() },
        };
        let mut examination = Examination::default();
        if graph.nodes.is_empty() {
            let error = Error::invalid("the pipeline has no steps").hint("add a dataset to start with");
            examination.problems.push(Problem::whole(error));
        }
        for node in &graph.nodes {
            match node.shape(&examination.shapes, find_source) {
                Ok(Some(shape)) => {
                    let tables = node.ports.outputs.iter().filter(|port| port.port_type == PortType::Table);
                    for port in tables {
                        examination.shapes.insert(node.output(&port.name), shape.clone());
                    }
                }
                Ok(None) => (),
                Err(misfit) => {
                    let fixes = node.fixes_of(&misfit, &examination.shapes);
                    let problem = Problem::of(&node.step, misfit.error);
                    examination.problems.push(Problem { param: misfit.param, fixes, ..problem });
                }
            }
        }
        for (skipped, source) in &graph.passes {
            if let Some(shape) = examination.shapes.get(source).cloned() {
                examination.shapes.insert(skipped.clone(), shape);
            }
        }
        examination
    }

    /// The steps from some on and up to others; none named means all. From: these steps run again with
    /// all that need them, and what they need besides is taken from the cache where it is there. To:
    /// only what these steps need.
    ///
    /// # Errors
    /// [`base::Code::NotFound`] if there is no such step; [`base::Code::InvalidInput`] if the one
    /// does not lead to the other.
    pub fn select(&self, from: &[String], to: &[String]) -> Result<Selection> {
        let mut steps = if to.is_empty() { self.needed(None)? } else { self.needed_by(to)? };
        if from.is_empty() {
            return Ok(Selection { steps, again: BTreeSet::new() });
        }
        for id in from {
            self.has(id)?;
        }
        let mut again: BTreeSet<String> = from.iter().cloned().collect();
        for node in &self.nodes {
            if node.wires().any(|(_, wire)| again.contains(&wire.step)) {
                again.insert(node.step.id.clone());
            }
        }
        if to.is_empty() {
            let again: Vec<String> = again.iter().cloned().collect();
            steps = self.needed_by(&again)?;
        } else if to.iter().any(|to| again.contains(to)) {
            again.retain(|step| steps.contains(step));
        } else {
            let (from, to) = (from.join("`, `"), to.join("`, `"));
            return Err(Error::invalid(format!("step `{from}` does not lead to `{to}`"))
                .hint("name a step that comes after it, or leave one of the two out"));
        }
        Ok(Selection { steps, again })
    }

    /// The ids of a step and of all that it needs; of all steps if none is named.
    ///
    /// # Errors
    /// [`base::Code::NotFound`] if there is no such step.
    pub fn needed(&self, to: Option<&str>) -> Result<BTreeSet<String>> {
        let Some(to) = to else {
            return Ok(self.nodes.iter().map(|node| node.step.id.clone()).collect());
        };
        self.needed_by(&[to.to_owned()])
    }

    fn needed_by(&self, ids: &[String]) -> Result<BTreeSet<String>> {
        for id in ids {
            self.has(id)?;
        }
        let mut needed: BTreeSet<String> = ids.iter().cloned().collect();
        for node in self.nodes.iter().rev() {
            if needed.contains(&node.step.id) {
                needed.extend(node.wires().map(|(_, wire)| wire.step.clone()));
            }
        }
        Ok(needed)
    }

    fn has(&self, id: &str) -> Result<()> {
        if self.node(id).is_some() {
            return Ok(());
        }
        if self.skipped.iter().any(|step| step.id == id) {
            return Err(Error::invalid(format!("step `{id}` is skipped")).hint("take it in again first"));
        }
        Err(Error::not_found(format!("the pipeline has no step `{id}`")))
    }
}

/// The steps of a pipeline, and those of them that are skipped.
fn divided(pipeline: &Pipeline, problems: &mut Vec<Problem>) -> (Vec<Step>, Vec<Passed>) {
    let mut ids = BTreeSet::new();
    let (mut steps, mut passed) = (Vec::new(), Vec::new());
    for step in &pipeline.steps {
        if !ids.insert(step.id.as_str()) {
            let error = Error::invalid(format!("two steps have the id `{}`", step.id));
            problems.push(Problem::of(step, error.hint("give one of them another id")));
        } else if step.skip {
            // What is wrong with it does not count as long as it is skipped.
            let ports = kinds::find(&step.kind).ok().and_then(|kind| kind.ports(&step.params).ok());
            passed.push(Passed { step: step.clone(), ports });
        } else {
            steps.push(step.clone());
        }
    }
    (steps, passed)
}

impl Node {
    fn of(step: &Step, problems: &mut Vec<Problem>) -> Option<Self> {
        let kind = match kinds::find(&step.kind) {
            Ok(kind) => kind,
            Err(error) => {
                let names = kinds::all().iter().map(|kind| kind.declaration().kind);
                let near = nearest(&step.kind, names);
                let fixes = near.map(|kind| Fix::SetKind { step: step.id.clone(), kind: kind.to_owned() });
                problems.push(Problem { fixes: fixes.into_iter().collect(), ..Problem::of(step, error) });
                return None;
            }
        };
        match kind.ports(&step.params) {
            Ok(ports) => Some(Self { step: step.clone(), kind, declaration: kind.declaration(), ports }),
            Err(misfit) => {
                problems.push(Problem { param: misfit.param, ..Problem::of(step, misfit.error) });
                None
            }
        }
    }

    /// Ways out where a parameter names a column that does not come in.
    fn fixes_of(&self, misfit: &Misfit, known: &BTreeMap<Wire, TableShape>) -> Vec<Fix> {
        let Some(param) = &misfit.param else { return Vec::new() };
        let tables = self.wires().filter_map(|(_, wire)| known.get(wire));
        let columns: Vec<&str> =
            tables.flat_map(|shape| &shape.columns).map(|column| column.name.as_str()).collect();
        // Messages have names in backticks, the wrong one first.
        let quoted = misfit.error.message.split('`').skip(1).step_by(2);
        let Some(wrong) = quoted.into_iter().find(|name| !columns.contains(name)) else { return Vec::new() };
        let near: Vec<&str> = nearest(wrong, columns.iter().copied()).into_iter().collect();
        rename_in_param(&self.step, param, wrong, &near)
    }

    /// Every wire that ends here, with its input port.
    pub fn wires(&self) -> impl Iterator<Item = (&str, &Wire)> {
        self.step.inputs.iter().flat_map(|(port, wires)| wires.iter().map(move |wire| (port.as_str(), wire)))
    }

    /// The start of a wire at one of this step's output ports.
    pub fn output(&self, port: &str) -> Wire {
        Wire { step: self.step.id.clone(), port: port.to_owned() }
    }

    fn shape(
        &self,
        known: &BTreeMap<Wire, TableShape>,
        find_source: &FindSource,
    ) -> Result<Option<TableShape>, Misfit> {
        let mut shapes = Shapes::default();
        for port in self.ports.inputs.iter().filter(|port| port.port_type == PortType::Table) {
            let wires = self.step.inputs.get(&*port.name).map_or(&[][..], Vec::as_slice);
            shapes
                .tables
                .insert(port.name.to_string(), wires.iter().map(|wire| known.get(wire).cloned()).collect());
        }
        let source = match self.kind.source(&self.step.params)? {
            Some(source) => Some(find_source(&source).map_err(|error| Misfit::param("dataset", error))?),
            None => None,
        };
        self.kind.shape(&self.step.params, &shapes, source.as_ref())
    }
}

impl Problem {
    /// Something that is wrong with the pipeline as a whole.
    pub fn whole(error: Error) -> Self {
        Self { step: None, param: None, port: None, error, is_warning: false, fixes: Vec::new() }
    }

    /// Something that is wrong with a step.
    pub(crate) fn of(step: &Step, error: Error) -> Self {
        Self { step: Some(step.id.clone()), ..Self::whole(error) }
    }

    /// The same problem with one more way out.
    #[must_use]
    pub(crate) fn fixed_by(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Something that is wrong with an input of a step.
    pub(crate) fn at(step: &Step, port: &str, error: Error) -> Self {
        Self { port: Some(port.to_owned()), ..Self::of(step, error) }
    }

    /// All problems as one error, for callers that have room for one only.
    pub fn to_error(problems: &[Self]) -> Error {
        let lines = problems.iter().map(|problem| match &problem.step {
            Some(step) => format!("step `{step}`: {}", problem.error),
            None => problem.error.to_string(),
        });
        let hint = problems.iter().find_map(|problem| problem.error.hint.clone());
        Error { causes: lines.collect(), hint, ..Error::invalid("the pipeline cannot run") }
    }
}

/// Orders the steps so that each comes after all it needs, and otherwise as in the file.
fn order(nodes: Vec<Node>) -> Result<Vec<Node>, Box<Problem>> {
    let all: BTreeSet<String> = nodes.iter().map(|node| node.step.id.clone()).collect();
    let mut waiting = nodes;
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |node: &Node| {
            node.wires().all(|(_, wire)| placed.contains(&wire.step) || !all.contains(&wire.step))
        };
        let Some(at) = waiting.iter().position(is_ready) else {
            return Err(Box::new(cycle_among(&waiting)));
        };
        let node = waiting.remove(at);
        placed.insert(node.step.id.clone());
        ordered.push(node);
    }
    Ok(ordered)
}

/// Every step here waits for another one here, so walking backwards must come round.
fn cycle_among(waiting: &[Node]) -> Problem {
    let before = |id: &str| -> Option<&str> {
        let node = waiting.iter().find(|node| node.step.id == id)?;
        let mut steps = node.wires().map(|(_, wire)| wire.step.as_str());
        steps.find(|step| waiting.iter().any(|node| node.step.id == *step))
    };
    let mut path = vec![waiting[0].step.id.as_str()];
    while let Some(step) = path.last().and_then(|last| before(last)) {
        if let Some(start) = path.iter().position(|seen| *seen == step) {
            path.drain(..start);
            break;
        }
        path.push(step);
    }
    path.push(path[0]);
    path.reverse();
    let shown = path.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" to ");
    let error = Error::invalid(format!("the steps go round in a circle: {shown}"));
    let first = path[0].to_owned();
    let back = waiting.iter().find(|node| node.step.id == first).into_iter().flat_map(Node::wires);
    let fixes = back.filter(|(_, wire)| path.contains(&wire.step.as_str())).map(|(port, wire)| {
        Fix::Disconnect { step: first.clone(), port: port.to_owned(), wire: wire.clone() }
    });
    let fixes = fixes.collect();
    Problem { step: Some(first), fixes, ..Problem::whole(error.hint("remove one of these wires")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(steps: &str) -> Vec<String> {
        let text = format!("format = 1\nname = \"t\"\nstep = [{steps}]");
        let pipeline = Pipeline::parse(&text).expect("the form is good");
        match Graph::build(&pipeline) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.error.to_string()).collect(),
        }
    }

    const DATA: &str = r#"{ id = "d", kind = "dataset", params = { dataset = "x" } }"#;

    #[test]
    fn a_wire_of_another_type_is_refused_with_the_reason() {
        let train = r#"{ id = "t", kind = "train_forest", inputs = { table = "d.table" } }"#;
        let wrong = r#"{ id = "e", kind = "evaluate", inputs = { model = "d.table", table = "d.table" } }"#;
        assert_eq!(
            problems(&format!("{DATA}, {train}, {wrong}")),
            ["`d.table` is a table, but `model` takes a model"]
        );
    }

    #[test]
    fn a_cycle_is_named_step_by_step() {
        let a = r#"{ id = "a", kind = "filter", inputs = { table = "c.table" } }"#;
        let b = r#"{ id = "b", kind = "filter", inputs = { table = "a.table" } }"#;
        let c = r#"{ id = "c", kind = "filter", inputs = { table = "b.table" } }"#;
        assert_eq!(
            problems(&format!("{a}, {b}, {c}")),
            ["the steps go round in a circle: `a` to `b` to `c` to `a`"]
        );
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest_one() {
        let filter = r#"{ id = "f", kind = "filter", inputs = { tabel = "d.table" } }"#;
        let found = problems(&format!("{DATA}, {filter}"));
        assert_eq!(found, ["`filter` has no input `tabel`", "input `table` is not connected"]);
        assert_eq!(problems(r#"{ id = "f", kind = "fliter" }"#), ["there is no kind of step `fliter`"]);
    }

    #[test]
    fn a_step_needs_all_before_it_and_nothing_else() {
        let text = format!(
            "format = 1\nname = \"t\"\nstep = [{}, {}, {DATA}]",
            r#"{ id = "b", kind = "filter", inputs = { table = "a.table" } }"#,
            r#"{ id = "a", kind = "filter", inputs = { table = "d.table" } }, { id = "z", kind = "filter", inputs = { table = "d.table" } }"#
        );
        let graph = Graph::build(&Pipeline::parse(&text).expect("good")).unwrap_or_else(|p| panic!("{p:?}"));
        let ids: Vec<&str> = graph.nodes().iter().map(|node| node.step.id.as_str()).collect();
        assert_eq!(ids, ["d", "a", "b", "z"]);
        assert_eq!(
            graph.needed(Some("b")).expect("b is there"),
            BTreeSet::from(["a", "b", "d"].map(String::from))
        );
    }

    #[test]
    fn a_run_from_a_step_repeats_it_and_what_needs_it_and_nothing_else() {
        let step = |id: &str, from: &str| {
            format!(r#"{{ id = "{id}", kind = "filter", inputs = {{ table = "{from}.table" }} }}"#)
        };
        let steps = [step("a", "d"), step("b", "a"), step("c", "b"), step("z", "d")].join(", ");
        let text = format!("format = 1\nname = \"t\"\nstep = [{DATA}, {steps}]");
        let graph = Graph::build(&Pipeline::parse(&text).expect("good")).unwrap_or_else(|p| panic!("{p:?}"));
        let ids = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        let select = |from: &[&str], to: &[&str]| {
            let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
            graph.select(&owned(from), &owned(to))
        };
        let all = select(&["b"], &[]).expect("it is there");
        assert_eq!((ids(&all.steps), ids(&all.again)), ("a b c d".to_owned(), "b c".to_owned()));
        let part = select(&["a"], &["b"]).expect("one leads to the other");
        assert_eq!((ids(&part.steps), ids(&part.again)), ("a b d".to_owned(), "a b".to_owned()));
        let error = select(&["z"], &["b"]).expect_err("they are apart");
        assert_eq!(error.message, "step `z` does not lead to `b`");
        assert!(select(&["y"], &[]).is_err());
        assert!(select(&[], &[]).expect("everything").again.is_empty());
    }
}
