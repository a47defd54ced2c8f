//! A model's graph, made ready to run: every operator built and checked, every name turned into
//! a place, every constant computed. Whatever this interpreter does not have is an error here,
//! at load, and never a wrong answer later.

use std::borrow::Cow;
use std::collections::HashMap;

use base::{Code, Error, Result};

use crate::inside::{Affine, Core, Inside, Link};
use crate::ops::{self, Kernel};
use crate::proto::{GraphMessage, Model, Node, ValueInfo};
use crate::tensor::{Element, Elements, Tensor};

/// The newest operator sets known here; a newer one may mean something else by the same name.
const NEWEST: [(&str, i64); 2] = [("", 25), ("ai.onnx.ml", 5)];

/// A graph that can be run.
pub struct Graph {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    output_places: Vec<usize>,
    constants: Vec<(usize, Value)>,
    steps: Vec<Step>,
    places: usize,
}

/// What goes into a graph or comes out of it, as the file declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its elements; none for a list of maps (`ZipMap`).
    pub element: Option<Element>,
    /// The length of each axis where it is fixed; none if the number of axes is not said.
    pub axes: Option<Vec<Option<usize>>>,
}

/// What one output of a graph holds after a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An array.
    Tensor(Tensor),
    /// A map from class to score for each row, which `ZipMap` makes.
    Maps(Maps),
}

/// A map from class to score for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    /// The classes: whole numbers or texts.
    pub keys: Elements,
    /// The scores: a row each, a column per class.
    pub scores: Tensor,
}

struct Step {
    kernel: Box<dyn Kernel>,
    inputs: Vec<Option<usize>>,
    outputs: Vec<Option<usize>>,
    /// Places that nothing reads after this step.
    last_used: Vec<usize>,
    label: String,
    op: String,
}

impl Graph {
    /// Reads a model file and makes it ready.
    ///
    /// # Errors
    /// [`Code::Corrupt`] for a broken file, [`Code::InvalidInput`] for a model that needs what
    /// this interpreter does not have; the message names the operator.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let model = Model::read(bytes)?;
        for (domain, newest) in NEWEST {
            let version = model.opsets.get(domain).copied().unwrap_or(1);
            if version > newest {
                return Err(Error::invalid(format!(
                    "the model uses version {version} of the operator set `{}`, the newest known is {newest}",
                    if domain.is_empty() { "ai.onnx" } else { domain }
                ))
                .hint("export the model with an older target opset"));
            }
        }
        Compiler::new(&model)?.compile(model.graph)
    }

    /// What goes in.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What comes out.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Runs the graph on its inputs, given in the order of [`Graph::inputs`].
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for inputs that do not fit; the message names the operator.
    pub fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Value>> {
        if inputs.len() != self.inputs.len() {
            return Err(Error::invalid(format!(
                "the model reads {} inputs, got {}",
                self.inputs.len(),
                inputs.len()
            )));
        }
        let mut held: Vec<Option<Cow<'_, Value>>> = vec![None; self.places];
        for (place, (tensor, port)) in inputs.into_iter().zip(&self.inputs).enumerate() {
            port.check(&tensor)?;
            held[place] = Some(Cow::Owned(Value::Tensor(tensor)));
        }
        for (place, value) in &self.constants {
            held[*place] = Some(Cow::Borrowed(value));
        }
        for step in &self.steps {
            step.run(&mut held)?;
        }
        let taken = self.output_places.iter().map(|place| held[*place].clone().map(Cow::into_owned));
        taken.collect::<Option<Vec<_>>>().ok_or_else(|| Error::internal("an output was never made"))
    }
}

impl Graph {
    /// Runs the graph until the value at a place is made, and gives that.
    pub(crate) fn tap(&self, inputs: Vec<Tensor>, wanted: usize) -> Result<Tensor> {
        let mut held: Vec<Option<Cow<'_, Value>>> = vec![None; self.places];
        for (place, (tensor, port)) in inputs.into_iter().zip(&self.inputs).enumerate() {
            port.check(&tensor)?;
            held[place] = Some(Cow::Owned(Value::Tensor(tensor)));
        }
        for (place, value) in &self.constants {
            held[*place] = Some(Cow::Borrowed(value));
        }
        let mut steps = self.steps.iter();
        while held[wanted].is_none() {
            let step = steps.next().ok_or_else(|| Error::internal("a value of the graph was never made"))?;
            step.run(&mut held)?;
        }
        match held[wanted].take().map(Cow::into_owned) {
            Some(Value::Tensor(tensor)) => Ok(tensor),
            _ => Err(Error::internal("the features of a model are not a tensor")),
        }
    }

    /// The models among the operators that say themselves what they are made of.
    pub(crate) fn declared_cores(&self) -> Vec<Core> {
        let core = |step: &Step| {
            let (inside, link) = step.kernel.inside()?;
            let features = (*step.inputs.first()?)?;
            Some(Core {
                inside,
                link: if link == Link::Identity { self.link_after(step) } else { link },
                features,
            })
        };
        self.steps.iter().filter_map(core).collect()
    }

    /// Weighted sums written as a matrix product: features, perhaps scaled, times a constant, plus
    /// perhaps a constant.
    pub(crate) fn product_cores(&self) -> Vec<Core> {
        self.steps.iter().filter_map(|step| self.product_core(step)).collect()
    }

    fn product_core(&self, step: &Step) -> Option<Core> {
        if step.op != "MatMul" {
            return None;
        }
        let (mut features, right) = (step.inputs.first().copied()??, step.inputs.get(1).copied()??);
        let (shape, matrix) = self.constant(right)?;
        let &[width, targets] = shape else { return None };
        let mut affine = Affine::identity(width);
        // A `Cast` changes no value that features have; everything else before ends the walk.
        while let Some(before) = self.steps.iter().find(|step| step.outputs.contains(&Some(features))) {
            let Some(Some(input)) = before.inputs.first().copied() else { break };
            match before.op.as_str() {
                "Cast" => features = input,
                op => {
                    let constant = before.inputs.get(1).copied().flatten();
                    let Some((_, values)) = constant.and_then(|place| self.constant(place)) else { break };
                    if !affine.after(op, &values) {
                        break;
                    }
                    features = input;
                }
            }
        }
        let product = step.outputs.first().copied()??;
        let added = self.steps.iter().find(|next| next.op == "Add" && next.inputs.contains(&Some(product)));
        let bias = added.and_then(|next| {
            let other = next.inputs.iter().flatten().find(|place| **place != product)?;
            self.constant(*other).map(|(_, values)| values).filter(|values| values.len() == targets)
        });
        let weights = affine.weights(&matrix, &bias.unwrap_or_else(|| vec![0.0; targets]));
        Some(Core { inside: Inside::Linear(weights), link: self.link_after(step), features })
    }

    /// What is done to the sums of a step, by the operators after it.
    fn link_after(&self, step: &Step) -> Link {
        let mut reached: Vec<usize> = step.outputs.iter().flatten().copied().collect();
        for next in &self.steps {
            if next.inputs.iter().flatten().any(|place| reached.contains(place)) {
                match next.op.as_str() {
                    "Sigmoid" => return Link::Logistic,
                    "Softmax" => return Link::Softmax,
                    _ => reached.extend(next.outputs.iter().flatten()),
                }
            }
        }
        Link::Identity
    }

    fn constant(&self, place: usize) -> Option<(&[usize], Vec<f64>)> {
        let at = self.constants.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        let Value::Tensor(tensor) = &self.constants[at].1 else { return None };
        let values = match tensor.elements() {
            Elements::F64(values) => values.clone(),
            Elements::F32(values) => values.iter().copied().map(f64::from).collect(),
            Elements::I64(_) | Elements::Bool(_) | Elements::Text(_) => return None,
        };
        Some((tensor.shape(), values))
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

impl Port {
    fn from_info(info: ValueInfo) -> Result<Self> {
        let element = info.element.map(Element::from_onnx).transpose();
        let element = element.map_err(|error| error.within(format!("cannot use `{}`", info.name)))?;
        Ok(Self { name: info.name, element, axes: info.axes })
    }

    fn check(&self, tensor: &Tensor) -> Result<()> {
        let fits = self.axes.as_ref().is_none_or(|axes| {
            axes.len() == tensor.shape().len()
                && axes.iter().zip(tensor.shape()).all(|(fixed, got)| fixed.is_none_or(|fixed| fixed == *got))
        });
        if self.element != Some(tensor.element()) || !fits {
            return Err(Error::invalid(format!(
                "the input `{}` is {} {:?}, got {} {:?}",
                self.name,
                self.element.map_or("not a tensor", Element::name),
                self.axes.as_deref().unwrap_or_default(),
                tensor.element().name(),
                tensor.shape()
            )));
        }
        Ok(())
    }
}

impl Step {
    fn run(&self, held: &mut [Option<Cow<'_, Value>>]) -> Result<()> {
        let mut read = Vec::with_capacity(self.inputs.len());
        for place in &self.inputs {
            read.push(match place.map(|place| held[place].as_deref()) {
                None => None,
                Some(Some(Value::Tensor(tensor))) => Some(tensor),
                Some(_) => return Err(Error::invalid(format!("cannot run {}: it reads a map", self.label))),
            });
        }
        let made =
            self.kernel.run(&read).map_err(|error| error.within(format!("cannot run {}", self.label)))?;
        for place in &self.last_used {
            held[*place] = None;
        }
        for (place, value) in self.outputs.iter().zip(made) {
            if let Some(place) = place {
                held[*place] = Some(Cow::Owned(value));
            }
        }
        Ok(())
    }
}

/// Turns the names of a file into places while it builds the operators.
struct Compiler {
    opset: i64,
    places: HashMap<String, usize>,
    count: usize,
    constants: HashMap<usize, Value>,
    steps: Vec<Step>,
}

impl Compiler {
    fn new(model: &Model) -> Result<Self> {
        // A file without the default domain uses none of its operators, or was written by an
        // exporter that forgets it (XGBoost's), which then means those of that exporter's day.
        let opset = model.opsets.get("").copied().unwrap_or(15);
        if model.graph.nodes.is_empty() {
            return Err(Error::new(Code::Corrupt, "the model's graph has no operator"));
        }
        Ok(Self { opset, places: HashMap::new(), count: 0, constants: HashMap::new(), steps: Vec::new() })
    }

    fn compile(mut self, graph: GraphMessage) -> Result<Graph> {
        let constant: std::collections::HashSet<_> =
            graph.initializers.iter().map(|(name, _)| name.as_str()).collect();
        let mut inputs = Vec::new();
        for info in &graph.inputs {
            // Files of IR version 3 list the constants among the inputs too.
            if !constant.contains(info.name.as_str()) {
                self.define(&info.name)?;
                inputs.push(Port::from_info(info.clone())?);
            }
        }
        for (name, tensor) in graph.initializers {
            let place = self.define(&name)?;
            self.constants.insert(place, Value::Tensor(tensor));
        }
        for node in graph.nodes {
            self.add(node)?;
        }
        let mut outputs = Vec::new();
        let mut output_places = Vec::new();
        for info in graph.outputs {
            output_places.push(self.place_of(&info.name)?);
            outputs.push(Port::from_info(info)?);
        }
        self.note_last_uses(&output_places);
        let mut constants: Vec<_> = self.constants.into_iter().collect();
        constants.sort_unstable_by_key(|(place, _)| *place);
        Ok(Graph { inputs, outputs, output_places, constants, steps: self.steps, places: self.count })
    }

    fn add(&mut self, mut node: Node) -> Result<()> {
        let label = if node.name.is_empty() {
            format!("the operator `{}`", node.op)
        } else {
            format!("the operator `{}` (node `{}`)", node.op, node.name)
        };
        let kernel =
            ops::build(&mut node, self.opset).map_err(|error| error.within(format!("cannot use {label}")))?;
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for name in &node.inputs {
            inputs.push(if name.is_empty() { None } else { Some(self.place_of(name)?) });
        }
        let mut outputs = Vec::with_capacity(node.outputs.len());
        for name in &node.outputs {
            outputs.push(if name.is_empty() { None } else { Some(self.define(name)?) });
        }
        let step = Step { kernel, inputs, outputs, last_used: Vec::new(), label, op: node.op };
        if step.inputs.iter().flatten().all(|place| self.constants.contains_key(place)) {
            return self.fold(&step);
        }
        self.steps.push(step);
        Ok(())
    }

    /// Runs a step whose inputs are all constant now instead of at each prediction.
    fn fold(&mut self, step: &Step) -> Result<()> {
        let mut held: Vec<Option<Cow<'_, Value>>> = vec![None; self.count];
        for place in step.inputs.iter().flatten() {
            held[*place] = self.constants.get(place).map(Cow::Borrowed);
        }
        step.run(&mut held)?;
        let made: Vec<_> = step.outputs.iter().flatten().map(|place| (*place, held[*place].take())).collect();
        let made: Vec<_> =
            made.into_iter().filter_map(|(place, value)| Some((place, value?.into_owned()))).collect();
        self.constants.extend(made);
        Ok(())
    }

    fn define(&mut self, name: &str) -> Result<usize> {
        let place = self.count;
        if self.places.insert(name.to_owned(), place).is_some() {
            return Err(Error::new(Code::Corrupt, format!("the model's graph defines `{name}` twice")));
        }
        self.count += 1;
        Ok(place)
    }

    fn place_of(&self, name: &str) -> Result<usize> {
        self.places.get(name).copied().ok_or_else(|| {
            Error::new(Code::Corrupt, format!("the model's graph reads `{name}` before it is made"))
        })
    }

    fn note_last_uses(&mut self, outputs: &[usize]) {
        let mut seen: Vec<bool> = vec![false; self.count];
        for place in outputs.iter().chain(self.constants.keys()) {
            seen[*place] = true;
        }
        for step in self.steps.iter_mut().rev() {
            for place in step.inputs.iter().flatten() {
                if !std::mem::replace(&mut seen[*place], true) {
                    step.last_used.push(*place);
                }
            }
        }
    }
}
