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

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::limits::{Limits, Size, Span};

/// The only format there is so far.
const FORMAT: i64 = 1;

/// A pipeline as its file says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its name, which is also the file's: `[a-z0-9][a-z0-9_-]*`.
    pub name: String,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
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
    /// How often it is tried and how much it may take. Not part of any hash.
    pub limits: Limits,
}

/// Where a wire comes from: an output port of a step, written `step.port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    format: i64,
    name: String,
    #[serde(default)]
    step: Vec<StepForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    id: String,
    kind: String,
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
        let form: FileForm = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or_else(String::new, |span| {
                let (line, column) = place_in(text, span.start);
                format!("line {line}, column {column}: ")
            });
            Error::invalid(format!("cannot read the pipeline file: {place}{}", error.message()))
                .hint("correct the text at that place, or revert to the last commit")
        })?;
        if form.format != FORMAT {
            return Err(Error::new(
                base::Code::TooNew,
                format!(
                    "the pipeline file has format {}, this version of Fettle reads format {FORMAT}",
                    form.format
                ),
            )
            .hint("update Fettle"));
        }
        check_name(&form.name)?;
        let steps = form.step.into_iter().map(Step::from_form).collect::<Result<_>>()?;
        Ok(Self { name: form.name, steps })
    }

    /// The text of the file: the same graph always gives the same text.
    pub fn to_text(&self) -> String {
        let form = FileForm {
            format: FORMAT,
            name: self.name.clone(),
            step: self.steps.iter().map(Step::to_form).collect(),
        };
        toml::to_string(&form).expect("strings, numbers, lists and tables can be written as TOML")
    }
}

impl Step {
    fn from_form(form: StepForm) -> Result<Self> {
        let id = form.id;
        check_id(&id)?;
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
                .map_err(|e| e.within(format!("cannot read input `{port}` of step `{id}`")))?;
            inputs.insert(port, wires);
        }
        let limits =
            Limits { retries: form.retries, timeout: form.timeout, cores: form.cores, memory: form.memory };
        limits.check().map_err(|e| e.within(format!("step `{id}` cannot have these limits")))?;
        Ok(Self { id, kind: form.kind, position: form.position, params: form.params, inputs, limits })
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

fn check_id(id: &str) -> Result<()> {
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

fn place_in(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
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
        let error = Pipeline::parse("format = 2\nname = \"x\"").expect_err("from the future");
        assert_eq!(error.code, base::Code::TooNew);
        for wrong in ["id = \"Bad Id\"", "id = \"\"", "id = \"../x\""] {
            let text = SPECIES.replace("id = \"penguins\"", wrong);
            assert!(Pipeline::parse(&text).is_err(), "{wrong}");
        }
    }
}
