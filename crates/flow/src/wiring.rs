//! Whether the wires of a graph fit, with the ways out where they do not; and what flows past steps
//! that are skipped.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use data::nearest;

use crate::file::{Pipeline, Step, Wire};
use crate::fix::{Fix, MOST_OFFERS};
use crate::graph::{Node, Problem};
use crate::kind::{Arity, Port, Ports};

/// A step that a run goes past, with the ports of its kind where that is known.
pub(crate) struct Passed {
    pub(crate) step: Step,
    pub(crate) ports: Option<Ports>,
}

/// What is looked at to check the wires of a step.
pub(crate) struct Wiring<'a> {
    pub(crate) nodes: BTreeMap<&'a str, &'a Node>,
    /// Steps that are there, of whatever kind, and not skipped.
    pub(crate) ids: BTreeSet<&'a str>,
    /// The skipped step that an input has lost its wire to.
    pub(crate) lost: &'a BTreeMap<(String, String), String>,
    /// Inputs that a pipeline feeds which uses this one as a step.
    pub(crate) open: BTreeSet<&'a Wire>,
}

/// Lets wires from skipped steps come from what such a step would have got, as far as the types
/// allow. Tells which inputs lost a wire, and to which skipped step.
pub(crate) fn pass_over(steps: &mut [Step], passed: &[Passed]) -> BTreeMap<(String, String), String> {
    let skipped: BTreeMap<&str, &Passed> = passed.iter().map(|one| (one.step.id.as_str(), one)).collect();
    let mut lost = BTreeMap::new();
    if skipped.is_empty() {
        return lost;
    }
    for step in steps {
        for (port, wires) in &mut step.inputs {
            let mut kept: Vec<Wire> = Vec::new();
            for wire in std::mem::take(wires) {
                match source(&wire, &skipped) {
                    // Two ways round skipped steps may lead to one source.
                    Ok(wire) if kept.contains(&wire) => (),
                    Ok(wire) => kept.push(wire),
                    Err(by) => {
                        lost.insert((step.id.clone(), port.clone()), by);
                    }
                }
            }
            *wires = kept;
        }
        step.inputs.retain(|_, wires| !wires.is_empty());
    }
    lost
}

/// What each output of a skipped step stands for, where it passes something on.
pub(crate) fn passes(passed: &[Passed]) -> BTreeMap<Wire, Wire> {
    let skipped: BTreeMap<&str, &Passed> = passed.iter().map(|one| (one.step.id.as_str(), one)).collect();
    let outputs = passed.iter().flat_map(|one| {
        let ports = one.ports.iter().flat_map(|ports| &ports.outputs);
        ports.map(|port| Wire { step: one.step.id.clone(), port: port.name.to_string() })
    });
    outputs.filter_map(|wire| Some((wire.clone(), source(&wire, &skipped).ok()?))).collect()
}

/// Where a wire comes from, past all skipped steps; else the step that passes nothing on.
fn source(wire: &Wire, skipped: &BTreeMap<&str, &Passed>) -> Result<Wire, String> {
    let mut at = wire.clone();
    // Skipped steps may go round in a circle.
    for _ in 0..=skipped.len() {
        let Some(passed) = skipped.get(at.step.as_str()) else { return Ok(at) };
        match through(passed, &at.port) {
            Some(before) => at = before,
            None => return Err(at.step),
        }
    }
    Err(at.step)
}

/// What a skipped step passes on at an output: the first thing of the same type that goes in.
fn through(passed: &Passed, port: &str) -> Option<Wire> {
    let ports = passed.ports.as_ref()?;
    let wanted = ports.outputs.iter().find(|output| output.name == port)?.port_type;
    let inputs = ports.inputs.iter().filter(|input| input.port_type == wanted);
    inputs.filter_map(|input| passed.step.inputs.get(&*input.name)?.first()).next().cloned()
}

/// Checks the wires that end at a step.
pub(crate) fn check(node: &Node, wiring: &Wiring<'_>, problems: &mut Vec<Problem>) {
    let step = &node.step;
    for name in step.inputs.keys() {
        if !node.ports.inputs.iter().any(|port| port.name == *name) {
            problems.push(unknown_input(node, name));
        }
    }
    for port in &node.ports.inputs {
        let wires = step.inputs.get(&*port.name).map_or(&[][..], Vec::as_slice);
        if wires.is_empty() && !port.is_optional() {
            problems.push(unconnected(node, port, wiring));
        }
        if let ([first, ..], Arity::One | Arity::Optional) = (wires, port.arity)
            && wires.len() > 1
        {
            let error = Error::invalid(format!("input `{}` takes one wire, not {}", port.name, wires.len()));
            let wire = first.clone();
            let fix = Fix::KeepOnly { step: step.id.clone(), port: port.name.to_string(), wire };
            problems.push(Problem::at(step, &port.name, error.hint("remove the others")).fixed_by(fix));
        }
        for wire in wires {
            problems.extend(check_wire(node, port, wire, wiring));
        }
    }
}

fn check_wire(node: &Node, port: &Port, wire: &Wire, wiring: &Wiring<'_>) -> Option<Problem> {
    let step = &node.step;
    if let Some(from) = wiring.nodes.get(wire.step.as_str()) {
        let error = fits(wire, from, port).err()?;
        let outputs = from.ports.outputs.iter().filter(|output| output.port_type == port.port_type);
        let near = nearest(&wire.port, outputs.clone().map(|output| &*output.name));
        let better = near.or_else(|| outputs.map(|output| &*output.name).next());
        return Some(Problem::at(step, &port.name, error).fixed_by(mend(step, port, wire, better)));
    }
    // A step of an unknown kind has been reported as that already.
    if wiring.ids.contains(wire.step.as_str()) {
        return None;
    }
    let error = Error::invalid(format!("`{wire}` does not exist: there is no step `{}`", wire.step));
    let error = with_nearest(error, &wire.step, wiring.ids.iter().copied());
    let near = nearest(&wire.step, wiring.ids.iter().copied()).and_then(|id| wiring.nodes.get(id));
    let output = near.and_then(|near| {
        let output = near.ports.outputs.iter().find(|output| output.port_type == port.port_type)?;
        Some(near.output(&output.name))
    });
    let (id, name) = (step.id.clone(), port.name.to_string());
    let fix = match output {
        Some(to) => Fix::Rewire { step: id, port: name, wire: wire.clone(), to },
        None => Fix::Disconnect { step: id, port: name, wire: wire.clone() },
    };
    Some(Problem::at(step, &port.name, error).fixed_by(fix))
}

/// Another output of the same step, or no wire at all.
fn mend(step: &Step, port: &Port, wire: &Wire, output: Option<&str>) -> Fix {
    let (step, port, wire) = (step.id.clone(), port.name.to_string(), wire.clone());
    match output {
        Some(output) => {
            let to = Wire { step: wire.step.clone(), port: output.to_owned() };
            Fix::Rewire { step, port, wire, to }
        }
        None => Fix::Disconnect { step, port, wire },
    }
}

fn unknown_input(node: &Node, name: &str) -> Problem {
    let step = &node.step;
    let ports = || node.ports.inputs.iter().map(|port| &*port.name);
    let error = Error::invalid(format!("`{}` has no input `{name}`", step.kind));
    let problem = Problem::at(step, name, with_nearest(error, name, ports()));
    let is_free = |to: &&str| !step.inputs.contains_key(*to);
    match nearest(name, ports()).or_else(|| ports().find(is_free)).filter(is_free) {
        Some(to) => {
            let (step, port) = (step.id.clone(), name.to_owned());
            problem.fixed_by(Fix::MoveWires { step, port, to: to.to_owned() })
        }
        None => {
            let wires = step.inputs.get(name).into_iter().flatten();
            wires.fold(problem, |problem, wire| {
                let (step, port, wire) = (step.id.clone(), name.to_owned(), wire.clone());
                problem.fixed_by(Fix::Disconnect { step, port, wire })
            })
        }
    }
}

fn unconnected(node: &Node, port: &Port, wiring: &Wiring<'_>) -> Problem {
    let (step, name) = (&node.step, &port.name);
    if wiring.open.contains(&node.output(name)) {
        let error = Error::invalid(format!("input `{name}` is fed by the pipeline that uses this one"))
            .hint("run that pipeline, or connect something here to try it");
        return Problem { is_warning: true, ..Problem::at(step, name, error) };
    }
    if let Some(by) = wiring.lost.get(&(step.id.clone(), name.to_string())) {
        let kind = port.port_type.name();
        let error = Error::invalid(format!(
            "input `{name}` is fed by `{by}`, which is skipped and passes no {kind} on"
        ))
        .hint(format!("take `{by}` in again, skip this step too, or connect another step"));
        return Problem::at(step, name, error).fixed_by(Fix::TakeIn { step: by.clone() });
    }
    let error = Error::invalid(format!("input `{name}` is not connected"))
        .hint(format!("connect the output of a step that makes a {}", port.port_type.name()));
    let mut problem = Problem::at(step, name, error);
    for from in candidates(node, port, wiring) {
        let (step, port) = (step.id.clone(), name.to_string());
        problem = problem.fixed_by(Fix::Connect { step, port, from });
    }
    problem
}

/// Outputs that could be wired to an input without a circle: the nearest on the canvas first.
fn candidates(node: &Node, port: &Port, wiring: &Wiring<'_>) -> Vec<Wire> {
    let after = followers(&node.step.id, wiring);
    let mut found: Vec<(f64, Wire)> = wiring
        .nodes
        .values()
        .filter(|other| other.step.id != node.step.id && !after.contains(other.step.id.as_str()))
        .flat_map(|other| {
            let fitting = other.ports.outputs.iter().filter(|output| output.port_type == port.port_type);
            let [x, y] = [0, 1].map(|axis| node.step.position[axis] - other.step.position[axis]);
            fitting.map(move |output| (x.hypot(y), other.output(&output.name)))
        })
        .collect();
    found.sort_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| left.cmp(right)));
    found.into_iter().take(MOST_OFFERS).map(|(_, wire)| wire).collect()
}

/// The steps that need a step, through others too.
fn followers<'a>(id: &str, wiring: &Wiring<'a>) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    loop {
        let is_new = |node: &&&Node| {
            !found.contains(node.step.id.as_str())
                && node.wires().any(|(_, wire)| wire.step == id || found.contains(wire.step.as_str()))
        };
        let more: Vec<&str> =
            wiring.nodes.values().filter(is_new).map(|node| node.step.id.as_str()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
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

/// Checks that what a pipeline declares to be used as a step leads to steps that it has.
pub(crate) fn check_declared(
    pipeline: &Pipeline,
    nodes: &BTreeMap<&str, &Node>,
    problems: &mut Vec<Problem>,
) {
    let mut told = |message: String, hint: &str| {
        problems.push(Problem::whole(Error::invalid(message).hint(hint)));
    };
    let has = |wire: &Wire, is_output: bool| {
        nodes.get(wire.step.as_str()).is_some_and(|node| {
            let ports = if is_output { &node.ports.outputs } else { &node.ports.inputs };
            ports.iter().any(|port| port.name == wire.port)
        })
    };
    for (at, input) in pipeline.inputs.iter().enumerate() {
        if pipeline.inputs[..at].iter().any(|other| other.name == input.name) {
            told(format!("two declared inputs have the name `{}`", input.name), "rename one of them");
        }
        if input.to.is_empty() {
            told(
                format!("the declared input `{}` leads nowhere", input.name),
                "write `to = [\"step.port\"]`",
            );
        }
        for wire in input.to.iter().filter(|wire| !has(wire, false)) {
            let message =
                format!("the declared input `{}` leads to `{wire}`, which does not exist", input.name);
            told(message, "name an input of one of the steps, as `step.port`");
        }
    }
    for (at, output) in pipeline.outputs.iter().enumerate() {
        if pipeline.outputs[..at].iter().any(|other| other.name == output.name) {
            told(format!("two declared outputs have the name `{}`", output.name), "rename one of them");
        }
        if !has(&output.from, true) {
            let (name, wire) = (&output.name, &output.from);
            let message = format!("the declared output `{name}` comes from `{wire}`, which does not exist");
            told(message, "name an output of one of the steps, as `step.port`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    const DATA: &str = r#"{ id = "d", kind = "dataset", params = { dataset = "x" } }"#;

    fn pipeline(steps: &[&str]) -> Pipeline {
        let text = format!("format = 2\nname = \"t\"\nstep = [{}]", steps.join(", "));
        Pipeline::parse(&text).unwrap_or_else(|e| panic!("{e}"))
    }

    fn built(steps: &[&str]) -> Graph {
        Graph::build(&pipeline(steps)).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn wires(graph: &Graph, step: &str) -> Vec<String> {
        graph
            .node(step)
            .map(|node| node.wires().map(|(_, wire)| wire.to_string()).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_run_goes_past_skipped_steps_as_far_as_types_allow() {
        let graph = built(&[
            DATA,
            r#"{ id = "a", kind = "filter", skip = true, inputs = { table = "d.table" } }"#,
            r#"{ id = "b", kind = "sort", skip = true, inputs = { table = "a.table" } }"#,
            r#"{ id = "c", kind = "sort", inputs = { table = "b.table" } }"#,
        ]);
        assert_eq!(wires(&graph, "c"), ["d.table"]);
        assert_eq!(graph.nodes().len(), 2);
        assert_eq!(graph.skipped().iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(graph.needed(Some("b")).expect_err("it is skipped").message, "step `b` is skipped");
    }

    #[test]
    fn a_skipped_step_that_passes_nothing_on_is_refused_at_the_step_that_needs_it() {
        let steps = [
            DATA,
            r#"{ id = "t", kind = "train_forest", skip = true, inputs = { table = "d.table" } }"#,
            r#"{ id = "e", kind = "evaluate", inputs = { model = "t.model", table = "d.table" } }"#,
        ];
        let Err(problems) = Graph::build(&pipeline(&steps)) else { panic!("it has no model") };
        assert_eq!(problems[0].step.as_deref(), Some("e"));
        assert_eq!(
            problems[0].error.message,
            "input `model` is fed by `t`, which is skipped and passes no model on"
        );
        let mended = problems[0].fixes[0].apply(&pipeline(&steps));
        assert!(Graph::build(&mended).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_skipped_step_does_not_count() {
        let graph = built(&[DATA, r#"{ id = "x", kind = "nonsense", skip = true, inputs = { y = "z.z" } }"#]);
        assert_eq!(graph.nodes().len(), 1);
        let round = built(&[
            DATA,
            r#"{ id = "a", kind = "filter", skip = true, inputs = { table = "b.table" } }"#,
            r#"{ id = "b", kind = "filter", skip = true, inputs = { table = "a.table" } }"#,
        ]);
        assert_eq!(round.nodes().len(), 1);
    }

    #[test]
    fn a_source_reached_by_two_ways_round_is_taken_once() {
        let graph = built(&[
            DATA,
            r#"{ id = "a", kind = "filter", skip = true, inputs = { table = "d.table" } }"#,
            r#"{ id = "u", kind = "union", inputs = { tables = ["d.table", "a.table"] } }"#,
        ]);
        assert_eq!(wires(&graph, "u"), ["d.table"]);
    }

    #[test]
    fn the_first_way_out_of_each_problem_leads_out_of_it() {
        let train = r#"{ id = "t", kind = "train_forest", inputs = { table = "d.table" } }"#;
        for (wrong, label) in [
            (r#"{ id = "f", kind = "filter", inputs = { tabel = "d.table" } }"#, "Connect to table"),
            (r#"{ id = "f", kind = "filter" }"#, "Connect d.table"),
            (
                r#"{ id = "f", kind = "filter", inputs = { table = ["d.table", "d.table"] } }"#,
                "Keep only d.table",
            ),
            (r#"{ id = "f", kind = "filter", inputs = { table = "d.tabel" } }"#, "Connect d.table instead"),
            (r#"{ id = "f", kind = "filter", inputs = { table = "e.table" } }"#, "Connect d.table instead"),
            (r#"{ id = "f", kind = "fliter", inputs = { table = "d.table" } }"#, "Use filter"),
            (
                r#"{ id = "e", kind = "evaluate", inputs = { model = "t.report", table = "d.table" } }"#,
                "Connect t.model instead",
            ),
        ] {
            let wrong = pipeline(&[DATA, train, wrong]);
            let Err(problems) = Graph::build(&wrong) else { panic!("{label}: nothing is wrong") };
            let fix = problems[0].fixes.first().unwrap_or_else(|| panic!("no way out of {problems:?}"));
            assert_eq!(fix.to_string(), label);
            assert!(Graph::build(&fix.apply(&wrong)).is_ok(), "{label}");
        }
    }

    #[test]
    fn no_way_out_makes_a_circle() {
        let wrong = pipeline(&[
            r#"{ id = "a", kind = "filter" }"#,
            r#"{ id = "b", kind = "filter", inputs = { table = "a.table" } }"#,
        ]);
        let Err(problems) = Graph::build(&wrong) else { panic!("it has no data") };
        assert!(problems[0].fixes.is_empty(), "{problems:?}");
    }

    #[test]
    fn an_input_that_another_pipeline_feeds_is_a_warning_and_no_run_starts_with_it() {
        let text = r#"format = 2
name = "t"
input = [{ name = "table", to = ["f.table"] }]
output = [{ name = "table", from = "f.table" }, { name = "none", from = "f.nothing" }]
step = [{ id = "f", kind = "filter" }]"#;
        let Err(problems) = Graph::build(&Pipeline::parse(text).expect("good")) else { panic!("it is open") };
        let told: Vec<(bool, &str)> =
            problems.iter().map(|problem| (problem.is_warning, problem.error.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (true, "input `table` is fed by the pipeline that uses this one"),
                (false, "the declared output `none` comes from `f.nothing`, which does not exist"),
            ]
        );
    }
}
