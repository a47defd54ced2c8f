//! A model package: load it, look at what it reads and answers, predict.

use std::path::Path;

use base::{Code, Error, Result};

use crate::batch::{Batch, Predictions, Values};
use crate::card::{Card, Kind};
use crate::graph::{Graph, Port, Value};
use crate::inside::{Core, FeatureRows};
use crate::mlmodel::Manifest;
use crate::tensor::{Element, Elements, Tensor};

/// A model ready to answer.
#[derive(Debug)]
pub struct Package {
    card: Option<Card>,
    graph: Graph,
    inputs: Vec<ModelInput>,
    outputs: Vec<ModelOutput>,
    columns: Vec<(String, Kind)>,
}

/// What a model reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInput {
    /// Its name, in requests and in the graph.
    pub name: String,
    /// The kind of its values.
    pub kind: Kind,
    /// False if it may be left out.
    pub required: bool,
    /// The type that the graph takes.
    pub element: Element,
    /// How many values it has per row.
    pub width: Width,
}

/// How many values an input has per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One: it is a column.
    Column,
    /// One, but the graph wants a matrix with one column.
    OneColumn,
    /// So many: it is a matrix.
    Columns(usize),
    /// A matrix of any width.
    Any,
}

/// What a model answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOutput {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub element: Element,
    /// The number of values per row, where the model says it; 1 for a column.
    pub width: Option<usize>,
    /// True if it is a plain column, not a matrix.
    pub is_column: bool,
}

impl Package {
    /// A model file larger than this is refused.
    pub const MOST_BYTES: u64 = 1 << 30;

    /// Loads a package: an MLflow model directory, or a folder with `model.onnx` alone.
    ///
    /// # Errors
    /// [`Code::NotFound`] if there is no model, [`Code::Corrupt`] for broken files,
    /// [`Code::TooNew`] for a card of a newer Fettle, [`Code::InvalidInput`] for a model that
    /// this interpreter cannot run.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::load_files(folder)
            .map_err(|error| error.within(format!("cannot load the model `{}`", folder.display())))
    }

    fn load_files(folder: &Path) -> Result<Self> {
        let manifest = match read_text(&folder.join("MLmodel"))? {
            Some(text) => Manifest::parse(&text)?,
            None => Manifest { model_file: "model.onnx".to_owned(), columns: Vec::new() },
        };
        let card = read_text(&folder.join(Card::FILE))?.map(|text| read_card(&text)).transpose()?;
        let path = folder.join(&manifest.model_file);
        let size = std::fs::metadata(&path).map_err(|error| Error::io("read", &path, &error))?.len();
        if size > Self::MOST_BYTES {
            return Err(Error::invalid(format!("the model file has {}", base::bytes(size))));
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, &error))?;
        Self::new(Graph::read(&bytes)?, card, manifest.columns)
    }

    fn new(graph: Graph, card: Option<Card>, columns: Vec<(String, Kind)>) -> Result<Self> {
        let inputs =
            graph.inputs().iter().map(|port| input_of(port, card.as_ref())).collect::<Result<Vec<_>>>()?;
        if let Some(card) = &card {
            let named = |name: &str| inputs.iter().any(|input| input.name == name);
            if let Some(missing) = card.signature.inputs.iter().find(|input| !named(&input.name)) {
                return Err(Error::new(Code::Corrupt, format!("the graph has no input `{}`", missing.name)));
            }
            let answered = |name: &str| graph.outputs().iter().any(|port| port.name == name);
            if let Some(missing) = card.signature.outputs.iter().find(|output| !answered(&output.name)) {
                return Err(Error::new(Code::Corrupt, format!("the graph has no output `{}`", missing.name)));
            }
        }
        let outputs = graph.outputs().iter().map(output_of).collect::<Result<Vec<_>>>()?;
        Ok(Self { card, graph, inputs, outputs, columns })
    }

    /// What the package says of itself; none for a model that Fettle did not write.
    pub fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    /// What the model reads.
    pub fn inputs(&self) -> &[ModelInput] {
        &self.inputs
    }

    /// What the model answers.
    pub fn outputs(&self) -> &[ModelOutput] {
        &self.outputs
    }

    /// The columns that a row has, with their kinds: one per input, or, for a model that reads
    /// one matrix, those of its signature (empty if nobody named them).
    pub fn columns(&self) -> Vec<(String, Kind)> {
        match self.inputs.as_slice() {
            [only] if only.is_matrix() => self.columns.clone(),
            inputs => inputs.iter().map(|input| (input.name.clone(), input.kind)).collect(),
        }
    }

    /// The only input, if it is a matrix: then a row is a list of numbers.
    pub fn matrix(&self) -> Option<&ModelInput> {
        match self.inputs.as_slice() {
            [only] if only.is_matrix() => Some(only),
            _ => None,
        }
    }

    /// Answers the rows. Columns that the model does not read are passed over.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] naming the column, and the row where it is one, that does not fit.
    pub fn predict(&self, batch: &Batch) -> Result<Predictions> {
        if batch.rows == 0 {
            let empty = |output: &ModelOutput| (output.name.clone(), empty(output.element));
            return Ok(Predictions { rows: 0, columns: self.outputs.iter().map(empty).collect() });
        }
        self.refuse_strangers(batch)?;
        let tensors =
            self.inputs.iter().map(|input| self.tensor(input, batch)).collect::<Result<Vec<_>>>()?;
        let answers = self.graph.run(tensors)?;
        let mut columns = Vec::with_capacity(answers.len());
        for (output, answer) in self.outputs.iter().zip(answers) {
            let tensor = match answer {
                Value::Tensor(tensor) => tensor,
                Value::Maps(maps) => maps.scores,
            };
            if tensor.shape().first() != Some(&batch.rows) || tensor.shape().len() > 2 {
                return Err(Error::invalid(format!(
                    "the model answers `{}` with the shape {:?} for {} rows",
                    output.name,
                    tensor.shape(),
                    batch.rows
                )));
            }
            columns.push((output.name.clone(), tensor.into_elements().into()));
        }
        Ok(Predictions { rows: batch.rows, columns })
    }

    /// The trees or weights that the model consists of.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] if it is made of something else, or of several models.
    pub fn core(&self) -> Result<Core> {
        self.graph.core()
    }

    /// The features that the heart of the model reads for these rows.
    ///
    /// # Errors
    /// As [`Package::predict`].
    pub fn features(&self, core: &Core, batch: &Batch) -> Result<FeatureRows> {
        self.refuse_strangers(batch)?;
        let tensors =
            self.inputs.iter().map(|input| self.tensor(input, batch)).collect::<Result<Vec<_>>>()?;
        self.graph.features(core, tensors)
    }

    /// Fails for rows of which the model reads nothing: where it needs no column, it would answer all
    /// the same, and with nonsense.
    fn refuse_strangers(&self, batch: &Batch) -> Result<()> {
        let is_read = |name: &String| self.inputs.iter().any(|input| input.name == *name);
        let has_names = self.matrix().is_none() && !self.inputs.is_empty();
        if has_names && !batch.columns.iter().any(|(name, _)| is_read(name)) {
            return Err(self.lacking(&self.inputs[0].name));
        }
        Ok(())
    }

    fn tensor(&self, input: &ModelInput, batch: &Batch) -> Result<Tensor> {
        let given = batch.columns.iter().find(|(name, _)| *name == input.name);
        match given {
            Some((name, values)) => input.tensor(name, values, batch.rows),
            None if input.is_matrix() && self.inputs.len() == 1 => self.stack(input, batch),
            None if !input.required => input.missing(batch.rows),
            None => Err(self.lacking(&input.name)),
        }
    }

    /// A matrix from columns: those of the signature by name, else all of them in their order.
    fn stack(&self, input: &ModelInput, batch: &Batch) -> Result<Tensor> {
        let column = |name: &str| batch.columns.iter().find(|(own, _)| own == name);
        let columns: Vec<&(String, Values)> = if self.columns.is_empty() {
            batch.columns.iter().collect()
        } else {
            let named = self.columns.iter().map(|(name, _)| column(name).ok_or_else(|| self.lacking(name)));
            named.collect::<Result<_>>()?
        };
        if let Width::Columns(width) = input.width
            && columns.len() != width
        {
            return Err(Error::invalid(format!("the model reads {width} columns, got {}", columns.len())));
        }
        let mut stacked = vec![0.0; batch.rows * columns.len()];
        for (place, (name, values)) in columns.iter().enumerate() {
            let Elements::F64(numbers) = values.to_elements(name, input.kind, Element::F64)? else {
                continue;
            };
            check_length(name, numbers.len(), batch.rows, 1)?;
            for (row, number) in numbers.into_iter().enumerate() {
                stacked[row * columns.len() + place] = number;
            }
        }
        let shape = vec![batch.rows, columns.len()];
        Tensor::new(shape, Values::F64(stacked).to_elements(&input.name, input.kind, input.element)?)
    }

    fn lacking(&self, name: &str) -> Error {
        let names: Vec<String> =
            self.columns().into_iter().map(|(name, _)| format!("`{name}`")).take(20).collect();
        let hint = if names.is_empty() { format!("`{name}`") } else { names.join(", ") };
        Error::invalid(format!("the column `{name}` is missing")).hint(format!("the model reads {hint}"))
    }
}

impl ModelInput {
    /// True if it has several values per row.
    pub fn is_matrix(&self) -> bool {
        matches!(self.width, Width::Columns(_) | Width::Any)
    }

    fn tensor(&self, name: &str, values: &Values, rows: usize) -> Result<Tensor> {
        let shape = match self.width {
            Width::Column => vec![rows],
            Width::OneColumn => vec![rows, 1],
            Width::Columns(width) => vec![rows, width],
            Width::Any => vec![rows, values.len() / rows.max(1)],
        };
        check_length(name, values.len(), rows, shape.get(1).copied().unwrap_or(1))?;
        Tensor::new(shape, values.to_elements(name, self.kind, self.element)?)
    }

    fn missing(&self, rows: usize) -> Result<Tensor> {
        let values = match self.element {
            Element::Text => Values::Text(vec![None; rows]),
            Element::F32 | Element::F64 | Element::I64 | Element::Bool => Values::F64(vec![f64::NAN; rows]),
        };
        self.tensor(&self.name, &values, rows)
    }
}

fn check_length(name: &str, got: usize, rows: usize, width: usize) -> Result<()> {
    if got != rows * width {
        return Err(Error::invalid(format!(
            "the column `{name}` has {got} values, expected {}",
            rows * width
        )));
    }
    Ok(())
}

fn input_of(port: &Port, card: Option<&Card>) -> Result<ModelInput> {
    let element =
        port.element.ok_or_else(|| Error::invalid(format!("the input `{}` is not a tensor", port.name)))?;
    let width = match port.axes.as_deref() {
        None | Some([_]) => Width::Column,
        Some([_, Some(1)]) => Width::OneColumn,
        Some([_, Some(width)]) => Width::Columns(*width),
        Some([_, None]) => Width::Any,
        Some(axes) => {
            return Err(Error::invalid(format!("the input `{}` has {} axes", port.name, axes.len()))
                .hint("tables have rows and columns; serve models of pictures or sound with onnxruntime"));
        }
    };
    let said = card.map(|card| card.signature.inputs.iter().find(|input| input.name == port.name));
    let (kind, required) = match said {
        Some(Some(input)) => (input.kind, input.required),
        Some(None) => {
            return Err(Error::new(
                Code::Corrupt,
                format!("the signature does not name the input `{}`", port.name),
            ));
        }
        None => (kind_of(element), true),
    };
    if (kind == Kind::Text) != (element == Element::Text) {
        return Err(Error::new(
            Code::Corrupt,
            format!(
                "the input `{}` is {} in the signature and {} in the graph",
                port.name,
                kind.name(),
                element.name()
            ),
        ));
    }
    Ok(ModelInput { name: port.name.clone(), kind, required, element, width })
}

fn output_of(port: &Port) -> Result<ModelOutput> {
    // A list of maps (ZipMap) is answered as the matrix of its scores.
    let element = port.element.unwrap_or(Element::F32);
    let (width, is_column) = match port.axes.as_deref() {
        _ if port.element.is_none() => (None, false),
        None | Some([_]) => (Some(1), true),
        Some([_, width]) => (*width, false),
        Some(axes) => {
            return Err(Error::invalid(format!("the output `{}` has {} axes", port.name, axes.len())));
        }
    };
    Ok(ModelOutput { name: port.name.clone(), element, width, is_column })
}

fn kind_of(element: Element) -> Kind {
    match element {
        Element::F32 | Element::F64 => Kind::Number,
        Element::I64 => Kind::Integer,
        Element::Bool => Kind::Boolean,
        Element::Text => Kind::Text,
    }
}

fn empty(element: Element) -> Values {
    match element {
        Element::F32 => Values::F32(Vec::new()),
        Element::F64 => Values::F64(Vec::new()),
        Element::I64 => Values::I64(Vec::new()),
        Element::Bool => Values::Bool(Vec::new()),
        Element::Text => Values::Text(Vec::new()),
    }
}

fn read_card(text: &str) -> Result<Card> {
    /// The format alone, so that a newer card is told apart from a broken one.
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let broken = |error: serde_json::Error| {
        Error::new(Code::Corrupt, format!("cannot read `{}`", Card::FILE)).because(error)
    };
    let Format { format } = serde_json::from_str(text).map_err(broken)?;
    if format > Card::FORMAT {
        return Err(Error::new(
            Code::TooNew,
            format!("`{}` has the format {format}, this Fettle reads {}", Card::FILE, Card::FORMAT),
        )
        .hint("install the newest Fettle"));
    }
    serde_json::from_str(text).map_err(broken)
}

/// The text of a file, or none if it is not there.
fn read_text(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Error::new(Code::Corrupt, format!("`{}` is not text", path.display())))
        }
        Err(error) => Err(Error::io("read", path, &error)),
    }
}
