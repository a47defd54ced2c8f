//! The pipeline file: a graph of steps as TOML that people can read, diff and write by hand.
//!
//! ```toml
//! format = 1
//! name = "species"
//!
//! [[step]]
//! id = "penguins"
//! kind = "dataset"
//! position = [40, 120]
//! params = { dataset = "penguins" }
//!
//! [[step]]
//! id = "split"
//! kind = "split"
//! position = [280, 120]
//! inputs = { table = "penguins.table" }
//! ```
//!
//! What the second format has besides: steps that are skipped, frames on the canvas, and the inputs
//! and outputs that a pipeline declares to be used as a step of others. A file that has none of it is
//! written in the first. How a text is read, and where what is wrong with it stands, is
//! [`crate::reading`]'s matter.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::frames::Frame;
use crate::limits::{Limits, Size, Span};
use crate::reading;

/// The newest format that this version reads.
pub(crate) const FORMAT: i64 = 2;

/// A pipeline as its file says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pipeline {
    /// Its name, which is also the file's: `[a-z0-9][a-z0-9_-]*`.
    pub name: String,
    /// What a pipeline that uses this one as a step may wire into it.
    pub inputs: Vec<DeclaredInput>,
    /// What such a pipeline may take from it.
    pub outputs: Vec<DeclaredOutput>,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// Frames on the canvas. Not part of any hash.
    pub frames: Vec<Frame>,
}

/// An input that a pipeline declares, to be used as a step of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredInput {
    /// Its name: `[a-z][a-z0-9_]*`.
    pub name: String,
    /// The inputs of its own steps that it feeds, each `step.port`.
    pub to: Vec<Wire>,
}

/// An output that a pipeline declares, to be used as a step of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredOutput {
    /// Its name: `[a-z][a-z0-9_]*`.
    pub name: String,
    /// The output of its own steps that it gives, `step.port`.
    pub from: Wire,
}

/// A step as the file says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// Unique in the pipeline: `[a-z][a-z0-9_]*`.
    pub id: String,
    /// Which kind of step it is.
    pub kind: String,
    /// Where it stands on the canvas, in pixels. Not part of any hash.
    pub position: [f64; 2],
    /// Parameters; what is left out has its default.
    pub params: Map<String, Value>,
    /// Wires by input port.
    pub inputs: BTreeMap<String, Vec<Wire>>,
    /// True if a run goes past it: what needs it gets what it would have got, where the types allow.
    pub skip: bool,
    /// How often it is tried and how much it may take. Not part of any hash.
    pub limits: Limits,
}

/// Where a wire comes from: an output port of a step, written `step.port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Wire {
    /// The step it comes from.
    pub step: String,
    /// That step's output port.
    pub port: String,
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step, self.port)
    }
}

impl FromStr for Wire {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('.') {
            Some((step, port)) if !step.is_empty() && !port.is_empty() => {
                Ok(Self { step: step.to_owned(), port: port.to_owned() })
            }
            _ => Err(Error::invalid(format!("`{text}` does not name an output"))
                .hint("write `step.port`, such as `split.table`")),
        }
    }
}

impl From<Wire> for String {
    fn from(wire: Wire) -> Self {
        wire.to_string()
    }
}

impl TryFrom<String> for Wire {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// What is written of a file, in this order.
#[derive(Serialize)]
struct FileForm<'a> {
    format: i64,
    name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    input: &'a [DeclaredInput],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    output: &'a [DeclaredOutput],
    step: Vec<StepForm>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    frame: &'a [Frame],
}

/// A step as the file says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepForm {
    id: String,
    kind: String,
    #[serde(default, skip_serializing_if = "is_false")]
    skip: bool,
    #[serde(default)]
    position: [f64; 2],
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    params: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    inputs: BTreeMap<String, WiresForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    retries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cores: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Size>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_false(is: &bool) -> bool {
    !is
}

/// Which part of a step is wrong.
pub(crate) enum Part {
    /// The whole.
    Step,
    /// Its id.
    Id,
    /// The wires of this input.
    Input(String),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WiresForm {
    One(String),
    Many(Vec<String>),
}

impl Pipeline {
    /// Reads the text of a pipeline file. Only its form is looked at here; what the graph means
    /// is [`crate::graph::Graph::build`]'s matter.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] with line and column where the text is not a pipeline file;
    /// [`base::Code::TooNew`] for a format this version does not know.
    pub fn parse(text: &str) -> Result<Self> {
        reading::read(text).into_result()
    }

    /// A pipeline of these steps and nothing else.
    pub fn of(name: &str, steps: Vec<Step>) -> Self {
        Self { name: name.to_owned(), steps, ..Self::default() }
    }

    /// The text of the file: the same graph always gives the same text.
    pub fn to_text(&self) -> String {
        let is_plain = self.inputs.is_empty()
            && self.outputs.is_empty()
            && self.frames.is_empty()
            && !self.steps.iter().any(|step| step.skip);
        let form = FileForm {
            // An older Fettle reads all that it can understand.
            format: if is_plain { 1 } else { FORMAT },
            name: &self.name,
            input: &self.inputs,
            output: &self.outputs,
            step: self.steps.iter().map(Step::to_form).collect(),
            frame: &self.frames,
        };
        toml::to_string(&form).expect("strings, numbers, lists and tables can be written as TOML")
    }
}

impl Step {
    pub(crate) fn from_form(form: StepForm) -> Result<Self, (Part, Error)> {
        let id = form.id;
        check_id(&id).map_err(|e| (Part::Id, e))?;
        let mut inputs = BTreeMap::new();
        for (port, wires) in form.inputs {
            let texts = match wires {
                WiresForm::One(text) => vec![text],
                WiresForm::Many(texts) => texts,
            };
            let wires = texts
                .iter()
                .map(|text| text.parse::<Wire>())
                .collect::<Result<Vec<_>>>()
                .map_err(|e| e.within(format!("cannot read input `{port}` of step `{id}`")))
                .map_err(|e| (Part::Input(port.clone()), e))?;
            inputs.insert(port, wires);
        }
        let limits =
            Limits { retries: form.retries, timeout: form.timeout, cores: form.cores, memory: form.memory };
        limits
            .check()
            .map_err(|e| (Part::Step, e.within(format!("step `{id}` cannot have these limits"))))?;
        let (kind, position, params, skip) = (form.kind, form.position, form.params, form.skip);
        Ok(Self { id, kind, position, params, inputs, skip, limits })
    }

    fn to_form(&self) -> StepForm {
        let inputs = self.inputs.iter().filter(|(_, wires)| !wires.is_empty()).map(|(port, wires)| {
            let mut texts: Vec<String> = wires.iter().map(Wire::to_string).collect();
            let form =
                if texts.len() == 1 { WiresForm::One(texts.remove(0)) } else { WiresForm::Many(texts) };
            (port.clone(), form)
        });
        // TOML has no null: a parameter that is null is one that is left out.
        let params = self.params.iter().filter(|(_, value)| !value.is_null());
        StepForm {
            id: self.id.clone(),
            kind: self.kind.clone(),
            skip: self.skip,
            position: self.position,
            params: params.map(|(name, value)| (name.clone(), value.clone())).collect(),
            inputs: inputs.collect(),
            retries: self.limits.retries,
            timeout: self.limits.timeout,
            cores: self.limits.cores,
            memory: self.limits.memory,
        }
    }
}

/// Refuses names that cannot be a file's on every system.
///
/// # Errors
/// [`base::Code::InvalidInput`] for anything but `[a-z0-9][a-z0-9_-]*` of at most 60 characters.
pub fn check_name(name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let starts_well = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let goes_well = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if starts_well && goes_well && name.len() <= 60 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a pipeline", name.escape_debug()))
        .hint("use lower-case letters, digits, `-` and `_`, starting with a letter or digit, at most 60"))
}

/// Refuses what cannot be the id of a step, or the name of a port.
///
/// # Errors
/// [`base::Code::InvalidInput`].
pub(crate) fn check_id(id: &str) -> Result<()> {
    let mut bytes = id.bytes();
    let starts_well = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    if starts_well
        && id.len() <= 60
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the id of a step", id.escape_debug()))
        .hint("use lower-case letters, digits and `_`, starting with a letter, at most 60"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIES: &str = r#"
format = 1
name = "species"
[[step]]
id = "penguins"
kind = "dataset"
position = [40, 120]
params = { dataset = "penguins" }
[[step]]
id = "best"
kind = "compare"
inputs = { models = ["forest.model", "boosting.model"] }
"#;

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let pipeline = Pipeline::parse(SPECIES).expect("a good file");
        assert_eq!(pipeline.steps[1].inputs["models"][1].to_string(), "boosting.model");
        let text = pipeline.to_text();
        assert_eq!(Pipeline::parse(&text).expect("what we write"), pipeline);
        assert_eq!(Pipeline::parse(&text).expect("as above").to_text(), text);
    }

    #[test]
    fn frames_skipped_steps_and_declared_ports_read_back_and_only_they_need_the_second_format() {
        let plain = Pipeline::parse(SPECIES).expect("a good file");
        assert!(plain.to_text().starts_with("format = 1\n"));
        let text = SPECIES
            .replace("format = 1", "format = 2")
            .replace("kind = \"compare\"", "kind = \"compare\"\nskip = true")
            + "[[frame]]\nid = \"frame-1\"\nnote = \"two\\nlines\"\nbox = [0, 0, 10, 10]\n";
        let text = text.replacen(
            "[[step]]",
            "[[input]]\nname = \"models\"\nto = [\"best.models\"]\n[[output]]\nname = \"best\"\nfrom = \"best.best\"\n[[step]]",
            1,
        );
        let pipeline = Pipeline::parse(&text).expect("a good file");
        assert!(pipeline.steps[1].skip && !pipeline.steps[0].skip);
        assert_eq!(pipeline.frames[0].note, "two\nlines");
        assert_eq!(pipeline.outputs[0].from.to_string(), "best.best");
        let written = pipeline.to_text();
        assert!(written.starts_with("format = 2\n"));
        assert_eq!(Pipeline::parse(&written).expect("what we write"), pipeline);
    }

    #[test]
    fn limits_of_a_step_read_back_and_hopeless_ones_are_refused() {
        let limits = "kind = \"dataset\"\nretries = 2\ntimeout = 90\ncores = 1\nmemory = \"2GiB\"";
        let pipeline = Pipeline::parse(&SPECIES.replace("kind = \"dataset\"", limits)).expect("good limits");
        let text = pipeline.to_text();
        assert!(text.contains("timeout = \"90s\"") && text.contains("memory = \"2GiB\""), "{text}");
        assert_eq!(Pipeline::parse(&text).expect("what we write"), pipeline);
        assert!(!Pipeline::parse(SPECIES).expect("good").to_text().contains("retries"));
        for wrong in ["timeout = \"soon\"", "cores = 0", "memory = \"1B\"", "retries = -1"] {
            let text = SPECIES.replace("kind = \"dataset\"", &format!("kind = \"dataset\"\n{wrong}"));
            assert!(Pipeline::parse(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_file_is_refused_at_its_line() {
        let text = SPECIES.replace("kind = \"dataset\"", "kind = 7");
        let error = Pipeline::parse(&text).expect_err("a kind is text");
        assert!(error.message.contains("line 6, column 8"), "{error}");
        let error = Pipeline::parse("format = 3\nname = \"x\"\nnew = 1").expect_err("from the future");
        assert_eq!(error.code, base::Code::TooNew);
        for wrong in ["id = \"Bad Id\"", "id = \"\"", "id = \"../x\""] {
            let text = SPECIES.replace("id = \"penguins\"", wrong);
            assert!(Pipeline::parse(&text).is_err(), "{wrong}");
        }
    }
}
