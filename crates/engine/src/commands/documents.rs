//! A pipeline as the canvas has it, and what is wrong with it: the same as the file says, in JSON.

use std::collections::BTreeMap;

use base::{Error, Result};
use flow::file::{DeclaredInput, DeclaredOutput, Pipeline, Step};
use flow::fix::Fix;
use flow::frames::{Frame, Tone};
use flow::graph::Problem as Found;
use flow::limits::Limits;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A pipeline as a graph: the same as its TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineDoc {
    /// Its name.
    pub name: String,
    /// The steps, in the order of the file.
    pub steps: Vec<StepDoc>,
    /// Frames and notes on the canvas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<FrameDoc>>", optional)]
    pub frames: Vec<FrameDoc>,
    /// What a pipeline that uses this one as a step may wire into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<InputDoc>>", optional)]
    pub inputs: Vec<InputDoc>,
    /// What such a pipeline may take from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<OutputDoc>>", optional)]
    pub outputs: Vec<OutputDoc>,
}

/// A frame around steps, or with none in it a note on the canvas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FrameDoc {
    /// Its id, unique among the frames.
    pub id: String,
    /// One line.
    pub title: String,
    /// Any text, read as Markdown; empty for none.
    pub note: String,
    /// Its colour.
    pub tone: FrameTone,
    /// Left, top, width and height, in pixels of the canvas.
    #[serde(rename = "box")]
    pub area: [f64; 4],
}

/// The colour of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FrameTone {
    /// Grey.
    Grey,
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Red.
    Red,
    /// Violet.
    Violet,
}

/// An input that a pipeline declares, to be used as a step of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputDoc {
    /// Its name.
    pub name: String,
    /// The inputs of its own steps that it feeds, each `step.port`.
    pub to: Vec<String>,
}

/// An output that a pipeline declares, to be used as a step of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputDoc {
    /// Its name.
    pub name: String,
    /// The output of its own steps that it gives, `step.port`.
    pub from: String,
}

/// A step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDoc {
    /// Its id, unique in the pipeline: `[a-z][a-z0-9_]*`.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands on the canvas, in pixels.
    pub position: [f64; 2],
    /// Its parameters; what is left out has its default.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Wires by input port: each is `step.port`.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// True if a run goes past it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub skip: bool,
    /// How often it is tried and how much it may take; no limits if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub limits: Option<LimitsDoc>,
}

/// How often a step is tried and how much it may take.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitsDoc {
    /// How often it is tried again after a failure.
    pub retries: u32,
    /// How long one try may take, such as `10m`.
    pub timeout: Option<String>,
    /// How many cores it gets; a share of the free ones if none.
    pub cores: Option<u32>,
    /// How much memory it may take with all its processes, such as `2GiB`.
    pub memory: Option<String>,
}

impl From<&Limits> for LimitsDoc {
    fn from(limits: &Limits) -> Self {
        Self {
            retries: limits.retries,
            timeout: limits.timeout.map(|span| span.to_string()),
            cores: limits.cores,
            memory: limits.memory.map(|size| size.to_string()),
        }
    }
}

impl TryFrom<LimitsDoc> for Limits {
    type Error = Error;

    fn try_from(doc: LimitsDoc) -> Result<Self> {
        Ok(Self {
            retries: doc.retries,
            timeout: doc.timeout.map(|text| text.parse()).transpose()?,
            cores: doc.cores,
            memory: doc.memory.map(|text| text.parse()).transpose()?,
        })
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The step, unless it is the whole graph.
    pub step: Option<String>,
    /// The parameter, if it is one.
    pub param: Option<String>,
    /// The input port, if it is one.
    pub port: Option<String>,
    /// True if the pipeline can run nevertheless.
    pub is_warning: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Changes that lead out of it, the likeliest first. None is made by itself.
    pub fixes: Vec<FixView>,
}

/// A change that leads out of a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FixView {
    /// How it is offered, such as `Use age`.
    pub label: String,
    /// The change.
    #[serde(flatten)]
    pub change: FixChange,
}

/// What a fix changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum FixChange {
    /// A parameter gets another value; none takes it away, back to its default.
    SetParam {
        /// The step.
        step: String,
        /// The parameter.
        param: String,
        /// Its new value.
        value: Option<serde_json::Value>,
    },
    /// The step becomes one of another kind.
    SetKind {
        /// The step.
        step: String,
        /// The kind.
        kind: String,
    },
    /// An input has other wires.
    SetWires {
        /// The step.
        step: String,
        /// The input.
        port: String,
        /// All its wires then, each `step.port`; none takes them away.
        wires: Vec<String>,
        /// An input that is not there and gives its wires up.
        instead_of: Option<String>,
    },
    /// A skipped step is taken in again.
    TakeIn {
        /// The step.
        step: String,
    },
}

impl From<&Pipeline> for PipelineDoc {
    fn from(pipeline: &Pipeline) -> Self {
        let texts = |wires: &[flow::file::Wire]| wires.iter().map(ToString::to_string).collect();
        let step = |step: &Step| StepDoc {
            id: step.id.clone(),
            kind: step.kind.clone(),
            position: step.position,
            params: step.params.clone(),
            inputs: step.inputs.iter().map(|(port, wires)| (port.clone(), texts(wires))).collect(),
            skip: step.skip,
            limits: Some(LimitsDoc::from(&step.limits)).filter(|limits| *limits != LimitsDoc::default()),
        };
        let input = |input: &DeclaredInput| InputDoc { name: input.name.clone(), to: texts(&input.to) };
        let output =
            |output: &DeclaredOutput| OutputDoc { name: output.name.clone(), from: output.from.to_string() };
        Self {
            name: pipeline.name.clone(),
            steps: pipeline.steps.iter().map(step).collect(),
            frames: pipeline.frames.iter().map(FrameDoc::from).collect(),
            inputs: pipeline.inputs.iter().map(input).collect(),
            outputs: pipeline.outputs.iter().map(output).collect(),
        }
    }
}

impl TryFrom<PipelineDoc> for Pipeline {
    type Error = Error;

    /// Through the file's own text, so that the canvas can say nothing that the file cannot.
    fn try_from(doc: PipelineDoc) -> Result<Self> {
        let input = |input: InputDoc| Ok(DeclaredInput { name: input.name, to: wires(&input.to)? });
        let output = |output: OutputDoc| Ok(DeclaredOutput { name: output.name, from: output.from.parse()? });
        let read = Self {
            name: doc.name,
            inputs: doc.inputs.into_iter().map(input).collect::<Result<_>>()?,
            outputs: doc.outputs.into_iter().map(output).collect::<Result<_>>()?,
            steps: doc.steps.into_iter().map(Step::try_from).collect::<Result<_>>()?,
            frames: doc.frames.into_iter().map(Frame::from).collect(),
        };
        Self::parse(&read.to_text())
    }
}

fn wires(texts: &[String]) -> Result<Vec<flow::file::Wire>> {
    texts.iter().map(|text| text.parse()).collect()
}

impl TryFrom<StepDoc> for Step {
    type Error = Error;

    fn try_from(doc: StepDoc) -> Result<Self> {
        let StepDoc { id, kind, position, params, inputs, skip, limits } = doc;
        let inputs =
            inputs.into_iter().map(|(port, texts)| Ok((port, wires(&texts)?))).collect::<Result<_>>()?;
        let limits = limits.map(Limits::try_from).transpose();
        let limits = limits.map_err(|e| e.within(format!("step `{id}` cannot have these limits")))?;
        Ok(Self { id, kind, position, params, inputs, skip, limits: limits.unwrap_or_default() })
    }
}

impl From<&Frame> for FrameDoc {
    fn from(frame: &Frame) -> Self {
        let tone = match frame.tone {
            Tone::Grey => FrameTone::Grey,
            Tone::Blue => FrameTone::Blue,
            Tone::Green => FrameTone::Green,
            Tone::Yellow => FrameTone::Yellow,
            Tone::Red => FrameTone::Red,
            Tone::Violet => FrameTone::Violet,
        };
        Self {
            id: frame.id.clone(),
            title: frame.title.clone(),
            note: frame.note.clone(),
            tone,
            area: frame.area,
        }
    }
}

impl From<FrameDoc> for Frame {
    fn from(doc: FrameDoc) -> Self {
        let tone = match doc.tone {
            FrameTone::Grey => Tone::Grey,
            FrameTone::Blue => Tone::Blue,
            FrameTone::Green => Tone::Green,
            FrameTone::Yellow => Tone::Yellow,
            FrameTone::Red => Tone::Red,
            FrameTone::Violet => Tone::Violet,
        };
        Self { id: doc.id, title: doc.title, note: doc.note, tone, area: doc.area }
    }
}

impl Problem {
    /// A problem of a pipeline, with its ways out as changes to it.
    pub(super) fn of(found: Found, pipeline: &Pipeline) -> Self {
        let message = found.error.to_string();
        Self {
            step: found.step,
            param: found.param,
            port: found.port,
            is_warning: found.is_warning,
            message,
            hint: found.error.hint,
            fixes: found.fixes.iter().map(|fix| FixView::of(fix, pipeline)).collect(),
        }
    }
}

impl FixView {
    fn of(fix: &Fix, pipeline: &Pipeline) -> Self {
        let step = fix.step().to_owned();
        let after = || fix.apply(pipeline).steps.into_iter().find(|one| one.id == fix.step());
        let set_wires = |port: &String, instead_of: Option<&String>| FixChange::SetWires {
            wires: after()
                .and_then(|step| step.inputs.get(port).cloned())
                .unwrap_or_default()
                .iter()
                .map(ToString::to_string)
                .collect(),
            step: step.clone(),
            port: port.clone(),
            instead_of: instead_of.cloned(),
        };
        let change = match fix {
            Fix::SetParam { param, value, .. } => {
                FixChange::SetParam { step: step.clone(), param: param.clone(), value: value.clone() }
            }
            Fix::SetKind { kind, .. } => FixChange::SetKind { step: step.clone(), kind: kind.clone() },
            Fix::Connect { port, .. }
            | Fix::Rewire { port, .. }
            | Fix::Disconnect { port, .. }
            | Fix::KeepOnly { port, .. } => set_wires(port, None),
            Fix::MoveWires { port, to, .. } => set_wires(to, Some(port)),
            Fix::TakeIn { .. } => FixChange::TakeIn { step: step.clone() },
        };
        Self { label: fix.to_string(), change }
    }
}
