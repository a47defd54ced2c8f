//! What a kind of step is: its declaration (from which palette, form, CLI help and docs are made)
//! and the functions that check and run it. A new kind is one file in `kinds/` and one line in
//! its list.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Error, Progress, Result};
use data::{Column, Task, nearest};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::outside::{Outside, Place};

/// What flows through a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortType {
    /// A folder with `data.parquet` and `table.json`.
    Table,
    /// A model package.
    Model,
    /// `metrics.json`: named numbers.
    Metrics,
    /// `report.json`: figures and notes.
    Report,
    /// Any files.
    Files,
}

impl PortType {
    /// The word for people and for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Model => "model",
            Self::Metrics => "metrics",
            Self::Report => "report",
            Self::Files => "files",
        }
    }
}

/// A port of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: Cow<'static, str>,
    /// What flows through it.
    pub port_type: PortType,
    /// How many wires it takes.
    pub arity: Arity,
    /// One sentence.
    pub doc: &'static str,
}

/// How many wires an input port takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// One or more.
    Many,
    /// Any number, none too.
    AnyNumber,
}

impl Port {
    /// A port that takes exactly one wire (or an output).
    pub const fn one(name: &'static str, port_type: PortType, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), port_type, arity: Arity::One, doc }
    }

    /// A port that takes one or more wires.
    pub const fn many(name: &'static str, port_type: PortType, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), port_type, arity: Arity::Many, doc }
    }

    /// A port that takes one wire or none.
    pub const fn optional(name: &'static str, port_type: PortType, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), port_type, arity: Arity::Optional, doc }
    }

    /// A port that takes any number of wires.
    pub const fn any(name: &'static str, port_type: PortType, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), port_type, arity: Arity::AnyNumber, doc }
    }

    /// A port whose name the step's parameters say.
    pub fn named(name: &str, port_type: PortType, arity: Arity, doc: &'static str) -> Self {
        Self { name: Cow::Owned(name.to_owned()), port_type, arity, doc }
    }

    /// True if several wires may end here.
    pub fn is_many(&self) -> bool {
        matches!(self.arity, Arity::Many | Arity::AnyNumber)
    }

    /// True if the step runs without a wire here.
    pub fn is_optional(&self) -> bool {
        matches!(self.arity, Arity::Optional | Arity::AnyNumber)
    }
}

/// The ports of a step: those of its kind, or those that its parameters ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// What goes in.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
}

impl Ports {
    /// Those of a kind.
    pub fn of(said: &Declaration) -> Self {
        Self { inputs: said.inputs.to_vec(), outputs: said.outputs.to_vec() }
    }
}

/// Parameters to start from, as the palette and `fettle pipeline add-step --template` offer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Its name, unique among all kinds.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The parameters that differ from their defaults, as TOML.
    pub params: &'static str,
}

impl Preset {
    /// The parameters.
    ///
    /// # Errors
    /// [`base::Code::Internal`] if they are no TOML; a test reads them all.
    pub fn read(&self) -> Result<Map<String, Value>> {
        toml::from_str(self.params)
            .map_err(|e| Error::internal(format!("template `{}` cannot be read", self.name)).because(e))
    }
}

/// Where a kind stands in the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Where data comes from.
    Data,
    /// Rows and columns chosen and made.
    Clean,
    /// Fitted transforms, part of the model.
    Prepare,
    /// Trainers.
    Train,
    /// Measuring and choosing.
    Evaluate,
    /// On the way out.
    Release,
    /// Programs of the user's own.
    Code,
}

/// Everything that is said about a kind without running it.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its name in the file.
    pub kind: &'static str,
    /// Counts up whenever the same inputs and parameters would give another result.
    pub version: u32,
    /// Its name for people.
    pub title: &'static str,
    /// Where it stands in the palette.
    pub category: Category,
    /// One sentence.
    pub summary: &'static str,
    /// More, as Markdown.
    pub doc: &'static str,
    /// Other words people search for.
    pub synonyms: &'static [&'static str],
    /// What goes in.
    pub inputs: &'static [Port],
    /// What comes out.
    pub outputs: &'static [Port],
    /// True if the result names the steps its inputs came from, so that renaming one of them
    /// means another result.
    pub names_inputs: bool,
}

/// What is known of a table before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableShape {
    /// Its visible columns.
    pub columns: Vec<Column>,
    /// The column to predict.
    pub target: Option<String>,
    /// The task that goes with the target, where it is known.
    pub task: Option<Task>,
    /// True once the rows are divided into training, validation and test.
    pub is_split: bool,
    /// True once a transform that becomes part of the model has changed the columns.
    pub is_transformed: bool,
}

impl TableShape {
    /// The column of this name.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] naming the nearest column there is.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let error = Error::invalid(format!("there is no column `{name}`"));
            let names = self.columns.iter().map(|column| column.name.as_str());
            match nearest(name, names) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("choose one of the columns of the step before"),
            }
        })
    }
}

/// What a step can learn about its inputs before anything runs.
#[derive(Debug, Default)]
pub struct Shapes {
    /// By table input port, the shape at each wire in its order; one that is not known is none.
    pub tables: BTreeMap<String, Vec<Option<TableShape>>>,
}

impl Shapes {
    /// The shape at the first wire of a port, if it is known.
    pub fn table(&self, port: &str) -> Option<&TableShape> {
        self.tables.get(port)?.first()?.as_ref()
    }

    /// The shapes at all wires of a port, if every one is known.
    pub fn all(&self, port: &str) -> Option<Vec<&TableShape>> {
        self.tables.get(port)?.iter().map(Option::as_ref).collect()
    }
}

/// Something outside the graph that a step reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if none.
    pub version: Option<u32>,
    /// The column to predict, if the step says another than the dataset.
    pub target: Option<String>,
}

/// A dataset version as a step gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceTable {
    /// The table's folder.
    pub folder: PathBuf,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number.
    pub number: u32,
    /// The version's id.
    pub version_id: String,
    /// What identifies the content: hash of the bytes and of how they were read.
    pub content: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The dataset's target.
    pub target: Option<String>,
    /// The dataset's task.
    pub task: Option<Task>,
}

/// A kind of step with parameters of its own type. Implement this; [`StepKind`] follows.
pub trait Kind: Sync {
    /// The parameters: a default for each, docs that become the form's.
    type Params: Serialize + DeserializeOwned + JsonSchema + Default;

    /// What is said about it.
    fn declaration(&self) -> Declaration;

    /// What it reads from outside the graph.
    fn source(&self, _params: &Self::Params) -> Option<Source> {
        None
    }

    /// The ports of a step with these parameters; those of the declaration unless they differ.
    ///
    /// # Errors
    /// [`Misfit`]: the parameter that names a port that cannot be.
    fn ports(&self, _params: &Self::Params) -> Result<Ports, Misfit> {
        Ok(Ports::of(&self.declaration()))
    }

    /// True if what a step's ports are is known only with its parameters.
    fn names_ports(&self) -> bool {
        false
    }

    /// Parameters to start from.
    fn presets(&self) -> &'static [Preset] {
        &[]
    }

    /// Makes what must be there before anything can be said of [`Kind::outside`], such as a lock
    /// of dependencies. Called once a run, and not while a run is only planned.
    ///
    /// # Errors
    /// It cannot be made; the step fails with this.
    fn prepare(&self, _params: &Self::Params, _place: &Place, _progress: &Progress) -> Result<()> {
        Ok(())
    }

    /// What else the result depends on: files of the project, the version of a program.
    ///
    /// # Errors
    /// A declared file is not there or cannot be read.
    fn outside(&self, _params: &Self::Params, _place: &Place) -> Result<Outside> {
        Ok(Outside::default())
    }

    /// Checks the parameters against the columns that come in and says what table comes out, as
    /// far as both are known. `source` is the dataset version of [`Kind::source`], if it is there.
    ///
    /// # Errors
    /// [`Misfit`]: the parameter or port and what is wrong.
    fn shape(
        &self,
        params: &Self::Params,
        inputs: &Shapes,
        source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit>;

    /// Does the work, in a process of its own.
    ///
    /// # Errors
    /// Whatever went wrong, in terms of the step's inputs and parameters.
    fn run(&self, params: &Self::Params, work: &Work) -> Result<Outcome>;
}

/// What is wrong with a step, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The parameter, if it is one.
    pub param: Option<String>,
    /// What is wrong and what to do.
    pub error: Error,
}

impl Misfit {
    /// Something is wrong with a parameter.
    pub fn param(name: &str, error: Error) -> Self {
        Self { param: Some(name.to_owned()), error }
    }
}

impl From<Error> for Misfit {
    fn from(error: Error) -> Self {
        Self { param: None, error }
    }
}

/// An artifact that came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The step it came from.
    pub step: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// Takes a point of a training curve: metric, round, training, validation.
pub type OnPoint = Box<dyn Fn(&str, f64, f64, Option<f64>) + Send + Sync>;

/// What a step works with while it runs.
pub struct Work {
    /// The artifacts that came in, by port.
    pub inputs: BTreeMap<String, Vec<Input>>,
    /// Folder to make one folder an output port in.
    pub out: PathBuf,
    /// The dataset version of [`Kind::source`].
    pub source: Option<SourceTable>,
    /// How many threads it may use. Results do not depend on it.
    pub threads: usize,
    /// Where the pipeline lives, for steps that read files of its project.
    pub place: Option<Place>,
    /// What [`Kind::outside`] found when the key was made.
    pub outside: Outside,
    /// Where it says how far it is and learns that it should stop.
    pub progress: Progress,
    /// Where the points of training curves go.
    pub on_point: OnPoint,
}

impl Work {
    /// The folder of the one artifact at an input port.
    ///
    /// # Errors
    /// [`base::Code::Internal`] if validation let a missing wire through.
    pub fn input(&self, port: &str) -> Result<&Path> {
        let input = self.input_all(port).first();
        input
            .map(|input| input.folder.as_path())
            .ok_or_else(|| Error::internal(format!("nothing is wired to `{port}`")))
    }

    /// All artifacts at an input port, in the order of the wires.
    pub fn input_all(&self, port: &str) -> &[Input] {
        self.inputs.get(port).map_or(&[], Vec::as_slice)
    }

    /// Makes the folder of an output port.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn output(&self, port: &str) -> Result<PathBuf> {
        let folder = self.out.join(port);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, &e))?;
        Ok(folder)
    }

    /// Writes a line to the step's log.
    pub fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// What a step came to, beside its artifacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// One line for the node's face, such as `344 × 8`.
    pub summary: String,
    /// Metrics to record with the run.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// The step whose artifact it chose among several.
    #[serde(default)]
    pub chosen: Option<String>,
    /// A model to register once the run has recorded the step.
    #[serde(default)]
    pub registration: Option<Registration>,
    /// Metrics that have a value a round: `(round, value)` by name, rounds ascending.
    #[serde(default)]
    pub series: BTreeMap<String, Vec<(i64, f64)>>,
    /// The programs that took part, with their versions: `python`, `lock` ….
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// A model that a step wants registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The model's name.
    pub model: String,
    /// The output port that holds the package.
    pub port: String,
}

/// A [`Kind`] without its parameter type, as the list of kinds holds it.
pub trait StepKind: Sync {
    /// What is said about it.
    fn declaration(&self) -> Declaration;
    /// JSON Schema of its parameters.
    fn params_schema(&self) -> Value;
    /// The parameters as they are if nobody changes them.
    fn defaults(&self) -> Value;
    /// The given parameters with defaults filled in, in a canonical form for hashing.
    ///
    /// # Errors
    /// [`Misfit`] naming the parameter that does not fit.
    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit>;
    /// As [`Kind::source`].
    ///
    /// # Errors
    /// As [`StepKind::complete`].
    fn source(&self, params: &Map<String, Value>) -> Result<Option<Source>, Misfit>;
    /// As [`Kind::ports`].
    ///
    /// # Errors
    /// As [`Kind::ports`].
    fn ports(&self, _params: &Map<String, Value>) -> Result<Ports, Misfit> {
        Ok(Ports::of(&self.declaration()))
    }
    /// As [`Kind::names_ports`].
    fn names_ports(&self) -> bool {
        false
    }
    /// As [`Kind::presets`].
    fn presets(&self) -> &'static [Preset] {
        &[]
    }
    /// As [`Kind::prepare`].
    ///
    /// # Errors
    /// As [`Kind::prepare`].
    fn prepare(&self, _params: &Map<String, Value>, _place: &Place, _progress: &Progress) -> Result<()> {
        Ok(())
    }
    /// As [`Kind::outside`].
    ///
    /// # Errors
    /// As [`Kind::outside`].
    fn outside(&self, _params: &Map<String, Value>, _place: &Place) -> Result<Outside> {
        Ok(Outside::default())
    }
    /// As [`Kind::shape`].
    ///
    /// # Errors
    /// As [`Kind::shape`].
    fn shape(
        &self,
        params: &Map<String, Value>,
        inputs: &Shapes,
        source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit>;
    /// As [`Kind::run`].
    ///
    /// # Errors
    /// As [`Kind::run`].
    fn run(&self, params: &Map<String, Value>, work: &Work) -> Result<Outcome>;
}

impl<K: Kind> StepKind for K {
    fn declaration(&self) -> Declaration {
        Kind::declaration(self)
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(K::Params).to_value()
    }

    fn defaults(&self) -> Value {
        serde_json::to_value(K::Params::default()).expect("parameters are plain data")
    }

    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit> {
        match serde_json::to_value(read_params::<K::Params>(params)?) {
            Ok(Value::Object(complete)) => Ok(complete),
            _ => Err(Error::internal("parameters are not an object").into()),
        }
    }

    fn source(&self, params: &Map<String, Value>) -> Result<Option<Source>, Misfit> {
        Ok(Kind::source(self, &read_params::<K::Params>(params)?))
    }

    fn ports(&self, params: &Map<String, Value>) -> Result<Ports, Misfit> {
        Kind::ports(self, &read_params::<K::Params>(params)?)
    }

    fn names_ports(&self) -> bool {
        Kind::names_ports(self)
    }

    fn presets(&self) -> &'static [Preset] {
        Kind::presets(self)
    }

    fn prepare(&self, params: &Map<String, Value>, place: &Place, progress: &Progress) -> Result<()> {
        Kind::prepare(
            self,
            &read_params::<K::Params>(params).map_err(|misfit| misfit.error)?,
            place,
            progress,
        )
    }

    fn outside(&self, params: &Map<String, Value>, place: &Place) -> Result<Outside> {
        Kind::outside(self, &read_params::<K::Params>(params).map_err(|misfit| misfit.error)?, place)
    }

    fn shape(
        &self,
        params: &Map<String, Value>,
        inputs: &Shapes,
        source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        Kind::shape(self, &read_params::<K::Params>(params)?, inputs, source)
    }

    fn run(&self, params: &Map<String, Value>, work: &Work) -> Result<Outcome> {
        Kind::run(self, &read_params::<K::Params>(params).map_err(|misfit| misfit.error)?, work)
    }
}

/// Reads parameters over their defaults, so that a file only says what differs.
///
/// # Errors
/// [`Misfit`] naming the parameter that is not known, or cannot be what it is.
pub fn read_params<P>(given: &Map<String, Value>) -> Result<P, Misfit>
where
    P: Serialize + DeserializeOwned + Default,
{
    let Ok(Value::Object(mut all)) = serde_json::to_value(P::default()) else {
        return Err(Error::internal("parameters are not an object").into());
    };
    for (name, value) in given {
        if !all.contains_key(name) {
            let error = Error::invalid(format!("there is no parameter `{name}`"));
            let hint =
                nearest(name, all.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            return Err(Misfit::param(name, Error { hint, ..error }));
        }
        // Each one is tried alone first, so that the message can say which one is wrong.
        let before = all.insert(name.clone(), value.clone()).unwrap_or(Value::Null);
        if let Err(e) = serde_json::from_value::<P>(Value::Object(all.clone())) {
            all.insert(name.clone(), before);
            let error = Error::invalid(format!("parameter `{name}` cannot be {value}")).because(e);
            return Err(Misfit::param(name, error.hint("reset it to its default, or see the step's docs")));
        }
    }
    serde_json::from_value(Value::Object(all))
        .map_err(|e| Error::internal("defaults do not read back").because(e).into())
}
