//! Components: pipelines used as steps of others. Before anything runs, the steps of such a pipeline
//! take the place of the step that names it, so that the rest of Fettle knows steps only. What they
//! were is remembered, to say problems and columns in terms of what a person sees.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use data::nearest;
use serde_json::{Map, Value};

use crate::file::{Pipeline, Step, Wire, check_id};
use crate::fix::Fix;
use crate::graph::{Examination, Problem};
use crate::kind::{Arity, Port, PortType, Ports};
use crate::kinds;
use crate::kinds::component::{NAME, Params};
use crate::limits::Limits;

/// How deep components may lie in components.
pub const MAX_DEPTH: usize = 8;
/// The most steps of a pipeline with those of its components.
pub const MAX_STEPS: usize = 5_000;
/// Between the name of a component and that of its step.
const BETWEEN: &str = "__";

/// Finds a pipeline of the project by its name.
pub type FindPipeline<'a> = dyn Fn(&str) -> Result<Pipeline> + 'a;

/// A pipeline whose components were replaced by their steps.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The pipeline as it runs.
    pub pipeline: Pipeline,
    /// The ports of each component that it has, by the component's step.
    pub ports: BTreeMap<String, Ports>,
    /// The steps that took a component's place.
    origins: BTreeMap<String, Origin>,
    /// What an output of a component is.
    outputs: BTreeMap<Wire, Wire>,
    /// The inputs that an input of a component feeds.
    inputs: BTreeMap<Wire, Vec<Wire>>,
}

/// Where a step comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The component's step in the pipeline.
    pub step: String,
    /// The step within the component; with those of components within it, `inner__step`.
    pub inner: String,
}

/// Puts the steps of components in their place. What a pipeline without components becomes is itself.
///
/// # Errors
/// Every [`Problem`] of the components: none of that name, one that declares nothing, circles, wires
/// to ports that are not declared, values for parameters of steps that are not there.
pub fn expand(pipeline: &Pipeline, find: &FindPipeline<'_>) -> Result<Expanded, Vec<Problem>> {
    let mut expander = Expander { find, problems: Vec::new(), steps: 0 };
    let expanded = expander.pipeline(pipeline, &mut vec![pipeline.name.clone()]);
    if expander.problems.is_empty() { Ok(expanded) } else { Err(expander.problems) }
}

impl Expanded {
    /// The steps that a step of the pipeline stands for: itself, or all of a component's.
    pub fn steps_of(&self, step: &str) -> Vec<String> {
        let own = self.origins.iter().filter(|(_, origin)| origin.step == step);
        let own: Vec<String> = own.map(|(id, _)| id.clone()).collect();
        if own.is_empty() { vec![step.to_owned()] } else { own }
    }

    /// Where a step comes from, if it took a component's place.
    pub fn origin(&self, step: &str) -> Option<&Origin> {
        self.origins.get(step)
    }

    /// Values for parameters by `step.parameter`, where those of a component's steps are said at the
    /// component: `tidy__keep.rows` becomes `tidy.set.keep.rows`.
    pub fn own_places(&self, point: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let own = |name: &String| {
            let (step, param) = name.split_once('.')?;
            let origin = self.origins.get(step)?;
            Some(format!("{}.set.{}.{param}", origin.step, origin.inner))
        };
        point.iter().map(|(name, value)| (own(name).unwrap_or_else(|| name.clone()), value.clone())).collect()
    }

    /// What an output is, of a component or any other step.
    pub fn output<'a>(&'a self, wire: &'a Wire) -> &'a Wire {
        self.outputs.get(wire).unwrap_or(wire)
    }

    /// Says problems and columns in terms of the pipeline as a person sees it.
    #[must_use]
    pub fn seen(&self, mut examined: Examination) -> Examination {
        for (outside, inside) in &self.outputs {
            if let Some(shape) = examined.shapes.get(inside).cloned() {
                examined.shapes.insert(outside.clone(), shape);
            }
        }
        examined.problems = examined.problems.into_iter().map(|problem| self.seen_problem(problem)).collect();
        examined
    }

    fn seen_problem(&self, problem: Problem) -> Problem {
        let Some(origin) = problem.step.as_deref().and_then(|step| self.origins.get(step)) else {
            // A way out that leads into a component is no way out here.
            let fixes = problem.fixes.into_iter().filter(|fix| self.is_outside(fix)).collect();
            return Problem { fixes, ..problem };
        };
        let at = problem.step.clone().zip(problem.port.clone()).map(|(step, port)| Wire { step, port });
        let fed = at.and_then(|at| self.inputs.iter().find(|(_, inside)| inside.contains(&at)));
        let error = match (&fed, problem.error) {
            (Some((outside, _)), error) => {
                let hint = error.hint.clone();
                let error = Error::invalid(format!("input `{}`", outside.port)).because(error);
                Error { hint, ..error }
            }
            (None, error) => error.within(format!("step `{}` of the component", origin.inner)),
        };
        Problem {
            step: Some(origin.step.clone()),
            param: None,
            port: fed.map(|(outside, _)| outside.port.clone()),
            error,
            is_warning: problem.is_warning,
            fixes: Vec::new(),
        }
    }

    fn is_outside(&self, fix: &Fix) -> bool {
        let from = match fix {
            Fix::Connect { from, .. } | Fix::Rewire { to: from, .. } => Some(from),
            _ => None,
        };
        !self.origins.contains_key(fix.step())
            && from.is_none_or(|from| !self.origins.contains_key(&from.step))
    }
}

struct Expander<'a> {
    find: &'a FindPipeline<'a>,
    problems: Vec<Problem>,
    steps: usize,
}

impl Expander<'_> {
    /// `path` has the names of the pipelines around, this one last.
    fn pipeline(&mut self, pipeline: &Pipeline, path: &mut Vec<String>) -> Expanded {
        let mut all = Expanded::default();
        let mut steps = Vec::new();
        for step in &pipeline.steps {
            self.steps += 1;
            if step.kind == NAME {
                match self.component(step, path) {
                    Ok(part) => part.take_place(step, &mut steps, &mut all),
                    Err(problem) => self.problems.push(*problem),
                }
            } else {
                steps.push(step.clone());
            }
            if self.steps > MAX_STEPS {
                let error = Error::invalid(format!(
                    "with its components the pipeline has more than {MAX_STEPS} steps"
                ));
                self.problems.push(Problem::whole(error.hint("make it of several pipelines")));
                return all;
            }
        }
        self.join(&mut steps, &all);
        let resolved = |wires: &[Wire]| {
            wires
                .iter()
                .flat_map(|to| all.inputs.get(to).cloned().unwrap_or_else(|| vec![to.clone()]))
                .collect()
        };
        let mut own = pipeline.clone();
        own.inputs.iter_mut().for_each(|input| input.to = resolved(&input.to));
        own.outputs.iter_mut().for_each(|output| output.from = all.output(&output.from).clone());
        all.pipeline = Pipeline { steps, ..own };
        all
    }

    /// Wires into and out of components become wires of their steps.
    fn join(&mut self, steps: &mut [Step], all: &Expanded) {
        for step in steps {
            for (port, wires) in &mut step.inputs {
                for wire in wires.iter_mut() {
                    if let Some(inside) = all.outputs.get(wire) {
                        *wire = inside.clone();
                    } else if let Some(ports) = all.ports.get(&wire.step) {
                        let names = || ports.outputs.iter().map(|output| &*output.name);
                        let error = Error::invalid(format!(
                            "`{wire}` does not exist: the component declares no output `{}`",
                            wire.port
                        ));
                        let error = named(error, &wire.port, names());
                        let outer = all.origins.get(&step.id).map_or(&step.id, |origin| &origin.step);
                        let problem = Problem {
                            step: Some(outer.clone()),
                            port: Some(port.clone()),
                            ..Problem::whole(error)
                        };
                        self.problems.push(problem);
                    }
                }
            }
        }
    }

    fn component(&mut self, step: &Step, path: &mut Vec<String>) -> Result<Part, Box<Problem>> {
        let wrong = |param: &str, error: Error| {
            Box::new(Problem { param: Some(param.to_owned()), ..Problem::of(step, error) })
        };
        let params: Params = serde_json::from_value(Value::Object(step.params.clone())).map_err(|e| {
            wrong("pipeline", Error::invalid("the component's parameters cannot be read").because(e))
        })?;
        let name = &params.pipeline;
        if name.is_empty() {
            let error = Error::invalid("no pipeline is chosen").hint("name one that declares an output");
            return Err(wrong("pipeline", error));
        }
        if let Some(at) = path.iter().position(|one| one == name) {
            let circle: Vec<String> = path[at..].iter().chain([name]).map(|one| format!("`{one}`")).collect();
            let error =
                Error::invalid(format!("a pipeline cannot be part of itself: {}", circle.join(" in ")));
            return Err(wrong("pipeline", error.hint("choose another pipeline")));
        }
        if path.len() > MAX_DEPTH {
            let error = Error::invalid(format!("components lie in components more than {MAX_DEPTH} deep"));
            return Err(wrong("pipeline", error.hint("use the inner ones directly")));
        }
        if step.limits != Limits::default() {
            let error = Error::invalid("a component as a whole has no limits")
                .hint(format!("set them at the steps of `{name}`"));
            return Err(Box::new(Problem::of(step, error)));
        }
        let found = (self.find)(name).map_err(|error| wrong("pipeline", error))?;
        if found.outputs.is_empty() {
            let error = Error::invalid(format!("pipeline `{name}` declares no output"))
                .hint("add `[[output]]` with `name` and `from = \"step.port\"` to its file");
            return Err(wrong("pipeline", error));
        }
        path.push(name.clone());
        let before = self.problems.len();
        let inner = self.pipeline(&found, path);
        path.pop();
        if self.problems.len() > before {
            // What is wrong within is said once, at the component.
            let first = self.problems.drain(before..).next();
            let error = first.map_or_else(|| Error::invalid("it has a problem"), |problem| problem.error);
            return Err(wrong("pipeline", error.within(format!("pipeline `{name}` cannot be a component"))));
        }
        Part::of(step, inner, &params.set)
    }
}

/// Values for parameters by step.
type Set = BTreeMap<String, Map<String, Value>>;

/// The steps of a component under the names they have in the pipeline around it.
struct Part {
    inner: Expanded,
    ports: Ports,
}

impl Part {
    fn of(step: &Step, mut inner: Expanded, set: &Set) -> Result<Self, Box<Problem>> {
        let wrong = |param: &str, error: Error| {
            Box::new(Problem { param: Some(param.to_owned()), ..Problem::of(step, error) })
        };
        for (id, params) in set {
            let ids = inner.pipeline.steps.iter().map(|one| one.id.as_str()).collect::<Vec<_>>();
            let near = nearest(id, ids.into_iter()).map(str::to_owned);
            let Some(found) = inner.pipeline.steps.iter_mut().find(|one| one.id == *id) else {
                let error = Error::invalid(format!("the component has no step `{id}`"));
                let error = match near {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("name one of its steps"),
                };
                return Err(wrong("set", error));
            };
            found.params.extend(params.clone());
        }
        for input in step.inputs.keys() {
            if !inner.pipeline.inputs.iter().any(|one| one.name == *input) {
                let names = || inner.pipeline.inputs.iter().map(|one| one.name.as_str());
                let error = Error::invalid(format!("the component declares no input `{input}`"));
                let mut problem = Problem::at(step, input, named(error, input, names()));
                if let Some(to) = nearest(input, names()) {
                    let (step, port) = (step.id.clone(), input.clone());
                    problem = problem.fixed_by(Fix::MoveWires { step, port, to: to.to_owned() });
                }
                return Err(Box::new(problem));
            }
        }
        let ports = ports_of(&inner.pipeline).map_err(|error| wrong("pipeline", error))?;
        for one in &inner.pipeline.steps {
            check_id(&within(step, &one.id)).map_err(|error| {
                let error = error.hint("give the component or its step a shorter name");
                Box::new(Problem::of(step, error))
            })?;
        }
        Ok(Self { inner, ports })
    }

    fn take_place(self, step: &Step, steps: &mut Vec<Step>, all: &mut Expanded) {
        let Self { inner, ports } = self;
        let outside = |port: &str| Wire { step: step.id.clone(), port: port.to_owned() };
        let renamed = |wire: &Wire| Wire { step: within(step, &wire.step), port: wire.port.clone() };
        let mut fed: BTreeMap<Wire, Vec<Wire>> = BTreeMap::new();
        for input in &inner.pipeline.inputs {
            let wires = step.inputs.get(&input.name).cloned().unwrap_or_default();
            for to in &input.to {
                fed.entry(renamed(to)).or_default().extend(wires.iter().cloned());
            }
            all.inputs.insert(outside(&input.name), input.to.iter().map(renamed).collect());
        }
        for output in &inner.pipeline.outputs {
            all.outputs.insert(outside(&output.name), renamed(&output.from));
        }
        for one in inner.pipeline.steps {
            let id = within(step, &one.id);
            let mut inputs: BTreeMap<String, Vec<Wire>> = BTreeMap::new();
            for (port, wires) in &one.inputs {
                inputs.insert(port.clone(), wires.iter().map(renamed).collect());
            }
            for (to, wires) in fed.iter().filter(|(to, wires)| to.step == id && !wires.is_empty()) {
                inputs.entry(to.port.clone()).or_default().extend(wires.iter().cloned());
            }
            let position = [0, 1].map(|axis| step.position[axis] + one.position[axis]);
            all.origins.insert(id.clone(), Origin { step: step.id.clone(), inner: one.id.clone() });
            // What is skipped is skipped with all that is in it.
            steps.push(Step { id, inputs, position, skip: step.skip || one.skip, ..one });
        }
        all.ports.insert(step.id.clone(), ports);
    }
}

fn within(step: &Step, inner: &str) -> String {
    format!("{}{BETWEEN}{inner}", step.id)
}

fn named<'a>(error: Error, wanted: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let all: Vec<&str> = names.collect();
    match nearest(wanted, all.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if all.is_empty() => error.hint("it declares none"),
        None => error.hint(format!("it declares {}", all.join(", "))),
    }
}

/// The ports that a pipeline declares, with the types of those they lead to.
///
/// # Errors
/// A declared port that leads nowhere, or to ports of several types.
pub fn ports_of(pipeline: &Pipeline) -> Result<Ports> {
    let port_at = |wire: &Wire, is_output: bool| -> Option<Port> {
        let step = pipeline.steps.iter().find(|step| step.id == wire.step)?;
        let ports = kinds::find(&step.kind).ok()?.ports(&step.params).ok()?;
        let ports = if is_output { ports.outputs } else { ports.inputs };
        ports.into_iter().find(|port| port.name == wire.port)
    };
    let missing = |name: &str, wire: &Wire| {
        Error::invalid(format!("its port `{name}` leads to `{wire}`, which does not exist"))
            .hint("name a port of one of its steps, as `step.port`")
    };
    let mut inputs = Vec::new();
    for input in &pipeline.inputs {
        let mut found = Vec::new();
        for wire in &input.to {
            found.push(port_at(wire, false).ok_or_else(|| missing(&input.name, wire))?);
        }
        let types: BTreeSet<&str> = found.iter().map(|port| port.port_type.name()).collect();
        let (Some(first), true) = (found.first(), types.len() <= 1) else {
            return Err(Error::invalid(format!(
                "its input `{}` leads to ports of several types, or to none",
                input.name
            ))
            .hint("declare one input for each type"));
        };
        inputs.push(Port::named(&input.name, first.port_type, arity(&found), "As the pipeline declares."));
    }
    let mut outputs = Vec::new();
    for output in &pipeline.outputs {
        let port_type: PortType =
            port_at(&output.from, true).ok_or_else(|| missing(&output.name, &output.from))?.port_type;
        outputs.push(Port::named(&output.name, port_type, Arity::One, "As the pipeline declares."));
    }
    Ok(Ports { inputs, outputs })
}

/// How many wires an input takes that leads to several: as many as each of them.
fn arity(ports: &[Port]) -> Arity {
    let is_many = ports.iter().all(Port::is_many);
    match (is_many, ports.iter().all(Port::is_optional)) {
        (true, true) => Arity::AnyNumber,
        (true, false) => Arity::Many,
        (false, true) => Arity::Optional,
        (false, false) => Arity::One,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::kind::{Source, SourceTable};

    const TIDY: &str = r#"format = 2
name = "tidy"
input = [{ name = "rows", to = ["keep.table"] }]
output = [{ name = "rows", from = "order.table" }]
step = [{ id = "keep", kind = "filter" },
        { id = "order", kind = "sort", inputs = { table = "keep.table" } }]"#;

    fn parsed(text: &str) -> Pipeline {
        Pipeline::parse(text).unwrap_or_else(|e| panic!("{e}"))
    }

    fn uses(steps: &str) -> Pipeline {
        let data = r#"{ id = "d", kind = "dataset", params = { dataset = "x" } }"#;
        parsed(&format!("format = 2\nname = \"t\"\nstep = [{data}, {steps}]"))
    }

    fn found(name: &str) -> Result<Pipeline> {
        match name {
            "tidy" => Ok(parsed(TIDY)),
            "twice" => Ok(parsed(
                r#"format = 2
name = "twice"
input = [{ name = "rows", to = ["a.rows"] }]
output = [{ name = "rows", from = "b.rows" }]
step = [{ id = "a", kind = "component", params = { pipeline = "tidy" } },
        { id = "b", kind = "component", params = { pipeline = "tidy" }, inputs = { rows = "a.rows" } }]"#,
            )),
            "round" => Ok(parsed(
                "format = 2\nname = \"round\"\noutput = [{ name = \"rows\", from = \"a.rows\" }]\n\
                 step = [{ id = \"a\", kind = \"component\", params = { pipeline = \"round\" } }]",
            )),
            "plain" => Ok(parsed("format = 1\nname = \"plain\"")),
            other => Err(Error::not_found(format!("there is no pipeline `{other}`"))),
        }
    }

    fn refused(steps: &str) -> Problem {
        match expand(&uses(steps), &found) {
            Ok(expanded) => panic!("it was taken: {expanded:?}"),
            Err(mut problems) => problems.remove(0),
        }
    }

    fn wires(pipeline: &Pipeline) -> Vec<String> {
        let wires = |step: &Step| {
            step.inputs.values().flatten().map(|wire| format!("{wire}>{}", step.id)).collect::<Vec<_>>()
        };
        pipeline.steps.iter().flat_map(wires).collect()
    }

    const TABLE: &str = r#"{ id = "s", kind = "sort", inputs = { table = "c.rows" } }"#;

    #[test]
    fn the_steps_of_a_component_take_its_place_and_its_wires() {
        let steps = format!(
            r#"{{ id = "c", kind = "component", params = {{ pipeline = "tidy" }}, inputs = {{ rows = "d.table" }} }}, {TABLE}"#
        );
        let expanded = expand(&uses(&steps), &found).unwrap_or_else(|p| panic!("{p:?}"));
        assert_eq!(
            wires(&expanded.pipeline),
            ["d.table>c__keep", "c__keep.table>c__order", "c__order.table>s"]
        );
        assert!(Graph::build(&expanded.pipeline).is_ok());
        assert_eq!(expanded.steps_of("c"), ["c__keep", "c__order"]);
        assert_eq!(expanded.steps_of("s"), ["s"]);
        assert_eq!(expanded.ports["c"].inputs[0].arity, Arity::One);
        // What runs can be written down and read again.
        assert_eq!(parsed(&expanded.pipeline.to_text()), expanded.pipeline);
    }

    #[test]
    fn components_in_components_are_opened_too() {
        let steps = format!(
            r#"{{ id = "c", kind = "component", params = {{ pipeline = "twice", set = {{ b__order.columns = ["x"] }} }}, inputs = {{ rows = "d.table" }} }}, {TABLE}"#
        );
        let expanded = expand(&uses(&steps), &found).unwrap_or_else(|p| panic!("{p:?}"));
        assert_eq!(
            wires(&expanded.pipeline),
            [
                "d.table>c__a__keep",
                "c__a__keep.table>c__a__order",
                "c__a__order.table>c__b__keep",
                "c__b__keep.table>c__b__order",
                "c__b__order.table>s",
            ]
        );
        let last = expanded.pipeline.steps.iter().find(|step| step.id == "c__b__order").expect("it is there");
        assert_eq!(last.params["columns"], serde_json::json!(["x"]));
    }

    #[test]
    fn a_skipped_component_is_skipped_with_all_that_is_in_it() {
        let steps = format!(
            r#"{{ id = "c", kind = "component", skip = true, params = {{ pipeline = "twice" }}, inputs = {{ rows = "d.table" }} }}, {TABLE}"#
        );
        let expanded = expand(&uses(&steps), &found).unwrap_or_else(|p| panic!("{p:?}"));
        let graph = Graph::build(&expanded.pipeline).unwrap_or_else(|p| panic!("{p:?}"));
        let ids: Vec<&str> = graph.nodes().iter().map(|node| node.step.id.as_str()).collect();
        assert_eq!(ids, ["d", "s"]);
        assert_eq!(
            graph.node("s").map(|node| node.wires().map(|(_, wire)| wire.to_string()).collect()),
            Some(vec!["d.table".to_owned()])
        );
    }

    #[test]
    fn what_is_no_component_is_refused_at_the_step() {
        for (params, message) in [
            (r#"pipeline = "none""#, "there is no pipeline `none`"),
            (r#"pipeline = "plain""#, "pipeline `plain` declares no output"),
            (r#"pipeline = "round""#, "pipeline `round` cannot be a component"),
            (r#"pipeline = """#, "no pipeline is chosen"),
            (r#"pipeline = "tidy", set = { kep.rows = 1 }"#, "the component has no step `kep`"),
            (r#"pipeline = "tidy", set = { keep = 1 }"#, "the component's parameters cannot be read"),
        ] {
            let problem = refused(&format!(r#"{{ id = "c", kind = "component", params = {{ {params} }} }}"#));
            assert_eq!(problem.step.as_deref(), Some("c"));
            assert_eq!(problem.error.message, message);
        }
        let problem = refused(
            r#"{ id = "c", kind = "component", params = { pipeline = "tidy" }, inputs = { row = "d.table" } }"#,
        );
        assert_eq!(problem.error.message, "the component declares no input `row`");
        assert_eq!(problem.fixes[0].to_string(), "Connect to rows");
        let problem = refused(
            r#"{ id = "c", kind = "component", params = { pipeline = "tidy" }, inputs = { rows = "d.table" } },
               { id = "s", kind = "sort", inputs = { table = "c.table" } }"#,
        );
        assert_eq!(problem.step.as_deref(), Some("s"));
        assert_eq!(
            problem.error.message,
            "`c.table` does not exist: the component declares no output `table`"
        );
        let problem =
            refused(r#"{ id = "c", kind = "component", cores = 1, params = { pipeline = "tidy" } }"#);
        assert_eq!(problem.error.message, "a component as a whole has no limits");
    }

    #[test]
    fn what_is_wrong_within_is_said_of_the_component() {
        let pipeline = uses(r#"{ id = "c", kind = "component", params = { pipeline = "tidy" } }"#);
        let expanded = expand(&pipeline, &found).unwrap_or_else(|p| panic!("{p:?}"));
        let nothing = |_: &Source| -> Result<SourceTable> { Err(Error::not_found("no dataset")) };
        let examined = expanded.seen(Graph::examine(&expanded.pipeline, &nothing));
        let problem = &examined.problems[0];
        assert_eq!((problem.step.as_deref(), problem.port.as_deref()), (Some("c"), Some("rows")));
        assert!(problem.error.to_string().contains("not connected"), "{}", problem.error);
        assert!(problem.fixes.is_empty());
    }

    #[test]
    fn a_pipeline_without_components_stays_as_it_is() {
        let pipeline = uses(r#"{ id = "s", kind = "sort", inputs = { table = "d.table" } }"#);
        let expanded = expand(&pipeline, &found).unwrap_or_else(|p| panic!("{p:?}"));
        assert_eq!(expanded.pipeline, pipeline);
    }
}
