//! The graph that a pipeline file means: which step follows which, whether every wire fits, and
//! what columns flow, all known before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use data::nearest;

use crate::file::{Pipeline, Step, Wire};
use crate::kind::{
    Arity, Declaration, Misfit, Port, PortType, Ports, Shapes, Source, SourceTable, StepKind, TableShape,
};
use crate::kinds;

/// Something that keeps a pipeline from running, or that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The step, unless it is the whole graph.
    pub step: Option<String>,
    /// The parameter, if it is one.
    pub param: Option<String>,
    /// The input port, if it is one.
    pub port: Option<String>,
    /// What is wrong, with the way out as its hint.
    pub error: Error,
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

    /// The step of this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.step.id == id)
    }

    /// Makes the graph that the pipeline means.
    ///
    /// # Errors
    /// Every [`Problem`] of form: unknown kinds and ports, wires that do not fit, missing inputs,
    /// steps of the same id, cycles.
    pub fn build(pipeline: &Pipeline) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut nodes = Vec::new();
        let mut ids = BTreeSet::new();
        for step in &pipeline.steps {
            if !ids.insert(step.id.as_str()) {
                let error = Error::invalid(format!("two steps have the id `{}`", step.id));
                problems.push(Problem::of(step, error.hint("give one of them another id")));
                continue;
            }
            match kinds::find(&step.kind) {
                Ok(kind) => match kind.ports(&step.params) {
                    Ok(ports) => {
                        nodes.push(Node { step: step.clone(), kind, declaration: kind.declaration(), ports });
                    }
                    Err(misfit) => problems
                        .push(Problem { param: misfit.param.clone(), ..Problem::of(step, misfit.error) }),
                },
                Err(error) => problems.push(Problem::of(step, error)),
            }
        }
        for node in &nodes {
            check_wires(node, &nodes, &ids, &mut problems);
        }
        match order(nodes) {
            Ok(nodes) if problems.is_empty() => Ok(Self { nodes }),
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
            examination.problems.push(Problem { step: None, param: None, port: None, error });
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
                Err(misfit) => examination.problems.push(Problem {
                    step: Some(node.step.id.clone()),
                    param: misfit.param,
                    port: None,
                    error: misfit.error,
                }),
            }
        }
        examination
    }

    /// The steps from one on and up to another. From: that step runs again with all that need it,
    /// and what they need besides is taken from the cache where it is there. To: only what that
    /// step needs.
    ///
    /// # Errors
    /// [`base::Code::NotFound`] if there is no such step; [`base::Code::InvalidInput`] if the one
    /// does not lead to the other.
    pub fn select(&self, from: Option<&str>, to: Option<&str>) -> Result<Selection> {
        let mut steps = self.needed(to)?;
        let Some(from) = from else {
            return Ok(Selection { steps, again: BTreeSet::new() });
        };
        if self.node(from).is_none() {
            return Err(Error::not_found(format!("the pipeline has no step `{from}`")));
        }
        let mut again = BTreeSet::from([from.to_owned()]);
        for node in &self.nodes {
            if node.wires().any(|(_, wire)| again.contains(&wire.step)) {
                again.insert(node.step.id.clone());
            }
        }
        match to {
            Some(to) if !again.contains(to) => {
                return Err(Error::invalid(format!("step `{from}` does not lead to `{to}`"))
                    .hint("name a step that comes after it, or leave one of the two out"));
            }
            Some(_) => again.retain(|step| steps.contains(step)),
            None => {
                steps = BTreeSet::new();
                for step in &again {
                    steps.extend(self.needed(Some(step))?);
                }
            }
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
        if self.node(to).is_none() {
            return Err(Error::not_found(format!("the pipeline has no step `{to}`")));
        }
        let mut needed = BTreeSet::from([to.to_owned()]);
        for node in self.nodes.iter().rev() {
            if needed.contains(&node.step.id) {
                needed.extend(node.wires().map(|(_, wire)| wire.step.clone()));
            }
        }
        Ok(needed)
    }
}

impl Node {
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
    fn of(step: &Step, error: Error) -> Self {
        Self { step: Some(step.id.clone()), param: None, port: None, error }
    }

    fn at(step: &Step, port: &str, error: Error) -> Self {
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

fn check_wires(node: &Node, nodes: &[Node], ids: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let step = &node.step;
    for name in step.inputs.keys() {
        if !node.ports.inputs.iter().any(|port| port.name == *name) {
            let ports = node.ports.inputs.iter().map(|port| &*port.name);
            let error = Error::invalid(format!("`{}` has no input `{name}`", step.kind));
            problems.push(Problem::at(step, name, with_nearest(error, name, ports)));
        }
    }
    for port in &node.ports.inputs {
        let wires = step.inputs.get(&*port.name).map_or(&[][..], Vec::as_slice);
        if wires.is_empty() && !port.is_optional() {
            let error = Error::invalid(format!("input `{}` is not connected", port.name));
            let hint = format!("connect the output of a step that makes a {}", port.port_type.name());
            problems.push(Problem::at(step, &port.name, error.hint(hint)));
        }
        if wires.len() > 1 && matches!(port.arity, Arity::One | Arity::Optional) {
            let error = Error::invalid(format!("input `{}` takes one wire, not {}", port.name, wires.len()));
            problems.push(Problem::at(step, &port.name, error.hint("remove the others")));
        }
        for wire in wires {
            match nodes.iter().find(|other| other.step.id == wire.step) {
                Some(from) => {
                    if let Err(error) = fits(wire, from, port) {
                        problems.push(Problem::at(step, &port.name, error));
                    }
                }
                // A step of an unknown kind has been reported as that already.
                None if ids.contains(wire.step.as_str()) => (),
                None => {
                    let error =
                        Error::invalid(format!("`{wire}` does not exist: there is no step `{}`", wire.step));
                    problems.push(Problem::at(
                        step,
                        &port.name,
                        with_nearest(error, &wire.step, ids.iter().copied()),
                    ));
                }
            }
        }
    }
}

fn fits(wire: &Wire, from: &Node, port: &Port) -> Result<()> {
    let outputs = &from.ports.outputs;
    let Some(output) = outputs.iter().find(|output| output.name == wire.port) else {
        let error = Error::invalid(format!(
            "`{wire}` does not exist: `{}` has no output `{}`",
            from.step.kind, wire.port
        ));
        return Err(with_nearest(error, &wire.port, outputs.iter().map(|output| &*output.name)));
    };
    if output.port_type == port.port_type {
        return Ok(());
    }
    let (is, wants) = (output.port_type.name(), port.port_type.name());
    Err(Error::invalid(format!("`{wire}` is a {is}, but `{}` takes a {wants}", port.name))
        .hint(format!("connect the output of a step that makes a {wants}")))
}

fn with_nearest<'a>(error: Error, wanted: &str, names: impl Iterator<Item = &'a str>) -> Error {
    match nearest(wanted, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("remove the wire, or connect another output"),
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
    Problem {
        step: Some(path[0].to_owned()),
        param: None,
        port: None,
        error: error.hint("remove one of these wires"),
    }
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
        let all = graph.select(Some("b"), None).expect("it is there");
        assert_eq!((ids(&all.steps), ids(&all.again)), ("a b c d".to_owned(), "b c".to_owned()));
        let part = graph.select(Some("a"), Some("b")).expect("one leads to the other");
        assert_eq!((ids(&part.steps), ids(&part.again)), ("a b d".to_owned(), "a b".to_owned()));
        let error = graph.select(Some("z"), Some("b")).expect_err("they are apart");
        assert_eq!(error.message, "step `z` does not lead to `b`");
        assert!(graph.select(Some("y"), None).is_err());
        assert!(graph.select(None, None).expect("everything").again.is_empty());
    }
}
