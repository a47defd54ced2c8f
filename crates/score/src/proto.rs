//! The messages of an ONNX file that the interpreter needs, read from the wire. What it cannot
//! honour (functions, subgraphs, external data, sparse tensors) is refused here, by name.

use std::collections::BTreeMap;

use base::{Code, Error, Result};

use crate::tensor::{Element, Elements, Tensor};
use crate::wire::{Fields, Payload};

/// A model file.
#[derive(Debug)]
pub struct Model {
    /// The version of each operator set, by domain; the default domain is the empty name.
    pub opsets: BTreeMap<String, i64>,
    /// The graph.
    pub graph: GraphMessage,
}

/// A graph as it stands in the file.
#[derive(Debug, Default)]
pub struct GraphMessage {
    /// The operators in an order in which they can run.
    pub nodes: Vec<Node>,
    /// The constants, by name.
    pub initializers: Vec<(String, Tensor)>,
    /// What goes in (initializers may be listed too).
    pub inputs: Vec<ValueInfo>,
    /// What comes out.
    pub outputs: Vec<ValueInfo>,
}

/// One operator.
#[derive(Debug, Default)]
pub struct Node {
    /// The names of what it reads; an empty name is an input left out.
    pub inputs: Vec<String>,
    /// The names of what it makes; an empty name is not wanted.
    pub outputs: Vec<String>,
    /// The node's own name, for messages.
    pub name: String,
    /// The operator.
    pub op: String,
    /// The operator set it belongs to.
    pub domain: String,
    /// Its attributes.
    pub attributes: Vec<(String, Attribute)>,
}

/// The value of an attribute.
#[derive(Debug, Clone)]
pub enum Attribute {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A constant.
    Tensor(Tensor),
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
}

/// The declared type of an input or output.
#[derive(Debug, Clone, Default)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// The type of its elements; none for a sequence or map, and where it is not said.
    pub element: Option<i64>,
    /// The length of each axis, where it is fixed; none if the number of axes is not said.
    pub axes: Option<Vec<Option<usize>>>,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Code::Corrupt`] for bytes that are not an ONNX model, [`Code::InvalidInput`] for one
    /// that uses what this interpreter does not have.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes, "model");
        let mut opsets = BTreeMap::new();
        let mut graph = None;
        while let Some((number, payload)) = fields.field()? {
            match number {
                7 => graph = Some(read_graph(payload.bytes("graph")?)?),
                8 => {
                    let (domain, version) = read_opset(payload.bytes("opset")?)?;
                    opsets.insert(domain, version);
                }
                25 => {
                    return Err(Error::invalid(
                        "the model defines functions of its own, which is not supported",
                    ));
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| Error::new(Code::Corrupt, "the model file holds no graph"))?;
        Ok(Self { opsets, graph })
    }
}

fn read_opset(bytes: &[u8]) -> Result<(String, i64)> {
    let mut fields = Fields::new(bytes, "operator set");
    let (mut domain, mut version) = (String::new(), 1);
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => domain = payload.text("operator set")?,
            2 => version = payload.int("operator set")?,
            _ => {}
        }
    }
    if domain == "ai.onnx" {
        domain.clear();
    }
    Ok((domain, version))
}

fn read_graph(bytes: &[u8]) -> Result<GraphMessage> {
    let mut fields = Fields::new(bytes, "graph");
    let mut graph = GraphMessage::default();
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => graph.nodes.push(read_node(payload.bytes("node")?)?),
            5 => graph.initializers.push(read_tensor(payload.bytes("constant")?)?),
            11 => graph.inputs.push(read_value_info(payload.bytes("input")?)?),
            12 => graph.outputs.push(read_value_info(payload.bytes("output")?)?),
            15 => return Err(Error::invalid("the model holds sparse constants, which is not supported")),
            _ => {}
        }
    }
    Ok(graph)
}

fn read_node(bytes: &[u8]) -> Result<Node> {
    let mut fields = Fields::new(bytes, "node");
    let mut node = Node::default();
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => node.inputs.push(payload.text("node")?),
            2 => node.outputs.push(payload.text("node")?),
            3 => node.name = payload.text("node")?,
            4 => node.op = payload.text("node")?,
            5 => node.attributes.push(read_attribute(payload.bytes("attribute")?)?),
            7 => node.domain = payload.text("node")?,
            _ => {}
        }
    }
    if node.domain == "ai.onnx" {
        node.domain.clear();
    }
    Ok(node)
}

/// What an attribute message held, before its type decides which of it counts.
#[derive(Default)]
struct Held {
    float: f32,
    int: i64,
    text: String,
    tensor: Option<Tensor>,
    floats: Vec<f32>,
    ints: Vec<i64>,
    texts: Vec<String>,
}

fn read_attribute(bytes: &[u8]) -> Result<(String, Attribute)> {
    let mut fields = Fields::new(bytes, "attribute");
    let (mut name, mut kind, mut held) = (String::new(), 0, Held::default());
    // Files of before ONNX 1.2 may leave the type out: then the field that is there decides.
    let mut implied = 0;
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => name = payload.text("attribute")?,
            2 => (held.float, implied) = (payload.float("attribute")?, 1),
            3 => (held.int, implied) = (payload.int("attribute")?, 2),
            4 => (held.text, implied) = (payload.text("attribute")?, 3),
            5 => (held.tensor, implied) = (Some(read_tensor(payload.bytes("attribute")?)?.1), 4),
            7 => (_, implied) = (payload.extend_floats(&mut held.floats, "attribute")?, 6),
            8 => (_, implied) = (payload.extend_ints(&mut held.ints, "attribute")?, 7),
            9 => (_, implied) = (held.texts.push(payload.text("attribute")?), 8),
            20 => kind = payload.int("attribute")?,
            6 | 10 | 11 | 14 | 15 | 21 | 22 | 23 => {
                return Err(Error::invalid(format!(
                    "the attribute `{name}` is a subgraph, sparse or a list of tensors"
                ))
                .hint("control flow and functions are not supported"));
            }
            _ => {}
        }
    }
    let value = match if kind == 0 { implied } else { kind } {
        1 => Attribute::Float(held.float),
        2 => Attribute::Int(held.int),
        3 => Attribute::Text(held.text),
        4 => Attribute::Tensor(held.tensor.ok_or_else(|| {
            Error::new(Code::Corrupt, format!("the attribute `{name}` announces a tensor and has none"))
        })?),
        6 => Attribute::Floats(held.floats),
        7 => Attribute::Ints(held.ints),
        8 => Attribute::Texts(held.texts),
        other => {
            return Err(Error::invalid(format!(
                "the attribute `{name}` is of type {other}, which is not supported"
            )));
        }
    };
    Ok((name, value))
}

/// What a tensor message held, before its element type decides which of it counts.
#[derive(Default)]
struct TensorMessage<'a> {
    dims: Vec<i64>,
    kind: i64,
    floats: Vec<f32>,
    ints: Vec<i64>,
    wide: Vec<i64>,
    doubles: Vec<f64>,
    texts: Vec<String>,
    raw: Option<&'a [u8]>,
    name: String,
}

fn read_tensor(bytes: &[u8]) -> Result<(String, Tensor)> {
    let mut fields = Fields::new(bytes, "constant");
    let mut held = TensorMessage::default();
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => payload.extend_ints(&mut held.dims, "constant")?,
            2 => held.kind = payload.int("constant")?,
            4 => payload.extend_floats(&mut held.floats, "constant")?,
            5 => payload.extend_ints(&mut held.ints, "constant")?,
            6 => held.texts.push(payload.text("constant")?),
            7 => payload.extend_ints(&mut held.wide, "constant")?,
            8 => held.name = payload.text("constant")?,
            9 => held.raw = Some(payload.bytes("constant")?),
            10 => payload.extend_doubles(&mut held.doubles, "constant")?,
            13 => {
                return Err(Error::invalid(
                    "the model keeps constants in other files, which is not supported",
                ));
            }
            14 if payload.int("constant")? != 0 => {
                return Err(Error::invalid(
                    "the model keeps constants in other files, which is not supported",
                ));
            }
            _ => {}
        }
    }
    let shape = held.dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<Vec<_>, _>>();
    let shape = shape.map_err(|_| Error::new(Code::Corrupt, "a constant has a negative length"))?;
    let name = std::mem::take(&mut held.name);
    let elements = elements_of(held)?;
    let tensor = Tensor::new(shape, elements).map_err(|error| {
        Error::new(Code::Corrupt, format!("the constant `{name}` is broken")).because(error)
    })?;
    Ok((name, tensor))
}

/// The number of 32-bit whole numbers in ONNX, which are widened when they are read.
const INT32: i64 = 6;

fn elements_of(held: TensorMessage<'_>) -> Result<Elements> {
    let element = Element::from_onnx(held.kind)?;
    let narrow = held.kind == INT32;
    let Some(raw) = held.raw else {
        return Ok(match element {
            Element::F32 => Elements::F32(held.floats),
            Element::F64 => Elements::F64(held.doubles),
            Element::I64 if narrow => Elements::I64(held.ints),
            Element::I64 => Elements::I64(held.wide),
            Element::Bool => Elements::Bool(held.ints.iter().map(|v| *v != 0).collect()),
            Element::Text => Elements::Text(held.texts),
        });
    };
    let whole = |size: usize| {
        (raw.len() % size == 0)
            .then_some(raw)
            .ok_or_else(|| Error::new(Code::Corrupt, format!("a constant has {} bytes", raw.len())))
    };
    Ok(match element {
        Element::F32 => {
            Elements::F32(whole(4)?.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
        }
        Element::F64 => {
            Elements::F64(whole(8)?.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
        }
        Element::I64 if narrow => {
            let numbers = whole(4)?.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b)));
            Elements::I64(numbers.collect())
        }
        Element::I64 => {
            Elements::I64(whole(8)?.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect())
        }
        Element::Bool => Elements::Bool(raw.iter().map(|byte| *byte != 0).collect()),
        Element::Text => return Err(Error::new(Code::Corrupt, "a constant holds text as raw bytes")),
    })
}

fn read_value_info(bytes: &[u8]) -> Result<ValueInfo> {
    let mut fields = Fields::new(bytes, "input or output");
    let mut info = ValueInfo::default();
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => info.name = payload.text("input or output")?,
            2 => {
                let mut kinds = Fields::new(payload.bytes("type")?, "type");
                while let Some((kind, payload)) = kinds.field()? {
                    if kind == 1 {
                        read_tensor_type(payload.bytes("type")?, &mut info)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(info)
}

fn read_tensor_type(bytes: &[u8], info: &mut ValueInfo) -> Result<()> {
    let mut fields = Fields::new(bytes, "type");
    while let Some((number, payload)) = fields.field()? {
        match number {
            1 => info.element = Some(payload.int("type")?),
            2 => {
                let mut axes = Vec::new();
                let mut dims = Fields::new(payload.bytes("shape")?, "shape");
                while let Some((kind, payload)) = dims.field()? {
                    if kind == 1 {
                        axes.push(read_dimension(payload.bytes("shape")?)?);
                    }
                }
                info.axes = Some(axes);
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_dimension(bytes: &[u8]) -> Result<Option<usize>> {
    let mut fields = Fields::new(bytes, "shape");
    let mut length = None;
    while let Some((number, payload)) = fields.field()? {
        if let (1, Payload::Varint(_)) = (number, payload) {
            // Exporters write 0 or -1 for a length that varies, so neither fixes it.
            length = usize::try_from(payload.int("shape")?).ok().filter(|length| *length > 0);
        }
    }
    Ok(length)
}
