//! An ONNX graph that is being built: nodes in the order they run, constants, inputs, outputs.
//! The same calls give the same bytes.

use super::wire::Message;

/// The version of the file format; understood by every runtime of the last years.
const IR_VERSION: i64 = 8;
/// The version of the plain operators.
const OPSET: i64 = 17;
/// The version of the machine learning operators.
const ML_OPSET: i64 = 3;
/// The domain of the machine learning operators.
const ML_DOMAIN: &str = "ai.onnx.ml";

/// The type of the values of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32 bit floating point.
    Float = 1,
    /// 64 bit whole numbers.
    Int64 = 7,
    /// Text.
    String = 8,
    /// True or false.
    Bool = 9,
    /// 64 bit floating point.
    Double = 11,
}

/// The name of a value in the graph.
pub type Name = String;

/// An attribute of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Float(f32),
    /// Text.
    Text(String),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Floating point numbers.
    Floats(Vec<f32>),
    /// Texts.
    Texts(Vec<String>),
}

/// A graph that is being built.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
    names: usize,
}

impl Graph {
    /// A value that is fed from outside, one per row.
    pub fn input(&mut self, name: &str, element: Element) {
        self.inputs.push(value_info(name, element));
    }

    /// A value that is handed out, one per row. It must be the output of a node.
    pub fn output(&mut self, name: &str, element: Element) {
        self.outputs.push(value_info(name, element));
    }

    /// Adds a plain operator and returns the name of its result.
    pub fn op(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> Name {
        let name = self.fresh();
        self.node(("", op), inputs, &name, attributes);
        name
    }

    /// Adds a machine learning operator and returns the name of its result.
    pub fn ml_op(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> Name {
        let name = self.fresh();
        self.node((ML_DOMAIN, op), inputs, &name, attributes);
        name
    }

    /// Gives a value the name it is handed out by.
    pub fn rename(&mut self, value: &str, name: &str) {
        self.node(("", "Identity"), &[value], name, &[]);
    }

    /// The value as another type.
    pub fn cast(&mut self, value: &str, to: Element) -> Name {
        self.op("Cast", &[value], &[("to", Attribute::Int(to as i64))])
    }

    /// A constant of 64 bit floating point numbers; no dimensions make it a single number.
    pub fn doubles(&mut self, dims: &[i64], values: &[f64]) -> Name {
        self.constant(dims, Element::Double, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A constant of whole numbers.
    pub fn ints(&mut self, dims: &[i64], values: &[i64]) -> Name {
        self.constant(dims, Element::Int64, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// `[rows]` as `[rows, 1]`.
    pub fn as_column(&mut self, value: &str) -> Name {
        let shape = self.ints(&[2], &[-1, 1]);
        self.op("Reshape", &[value, &shape], &[])
    }

    /// Column `at` of `[rows, width]` as `[rows]`.
    pub fn column(&mut self, value: &str, at: usize) -> Name {
        let at = self.ints(&[], &[at as i64]);
        self.op("Gather", &[value, &at], &[("axis", Attribute::Int(1))])
    }

    /// The whole file.
    pub fn into_bytes(self, doc: &str) -> Vec<u8> {
        let mut graph = Message::default();
        self.nodes.into_iter().for_each(|node| graph.message(1, node));
        graph.bytes(2, "fettle");
        self.constants.into_iter().for_each(|constant| graph.message(5, constant));
        self.inputs.into_iter().for_each(|input| graph.message(11, input));
        self.outputs.into_iter().for_each(|output| graph.message(12, output));
        let mut model = Message::default();
        model.int(1, IR_VERSION);
        model.bytes(2, "fettle");
        model.bytes(6, doc);
        model.message(7, graph);
        for (domain, version) in [("", OPSET), (ML_DOMAIN, ML_OPSET)] {
            let mut opset = Message::default();
            opset.bytes(1, domain);
            opset.int(2, version);
            model.message(8, opset);
        }
        model.into_bytes()
    }

    fn constant(&mut self, dims: &[i64], element: Element, raw: Vec<u8>) -> Name {
        let name = self.fresh();
        let mut tensor = Message::default();
        dims.iter().for_each(|dim| tensor.int(1, *dim));
        tensor.int(2, element as i64);
        tensor.bytes(8, &name);
        tensor.bytes(9, raw);
        self.constants.push(tensor);
        name
    }

    fn node(
        &mut self,
        (domain, op): (&str, &str),
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, Attribute)],
    ) {
        let mut node = Message::default();
        inputs.iter().for_each(|input| node.bytes(1, input));
        node.bytes(2, output);
        node.bytes(4, op);
        attributes.iter().for_each(|(name, attribute)| node.message(5, attribute.message(name)));
        node.bytes(7, domain);
        self.nodes.push(node);
    }

    /// Columns may not start with two underscores, so no input has this name.
    fn fresh(&mut self) -> Name {
        self.names += 1;
        format!("__{}", self.names)
    }
}

impl Attribute {
    fn message(&self, name: &str) -> Message {
        let mut out = Message::default();
        out.bytes(1, name);
        let kind = match self {
            Self::Float(value) => {
                out.float(2, *value);
                1
            }
            Self::Int(value) => {
                out.int(3, *value);
                2
            }
            Self::Text(value) => {
                out.bytes(4, value);
                3
            }
            Self::Floats(values) => {
                out.floats(7, values);
                6
            }
            Self::Ints(values) => {
                out.ints(8, values);
                7
            }
            Self::Texts(values) => {
                values.iter().for_each(|value| out.bytes(9, value));
                8
            }
        };
        out.int(20, kind);
        out
    }
}

/// A value of one dimension, whose length is the number of rows.
fn value_info(name: &str, element: Element) -> Message {
    let mut dim = Message::default();
    dim.bytes(2, "rows");
    let mut shape = Message::default();
    shape.message(1, dim);
    let mut tensor = Message::default();
    tensor.int(1, element as i64);
    tensor.message(2, shape);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut info = Message::default();
    info.bytes(1, name);
    info.message(2, kind);
    info
}
