//! Texts of pipelines: read with the place of all that is wrong in them, and as they were in commits.

use base::Result;
use flow::reading::{Text, TextPlace};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::documents::{PipelineDoc, Problem};
use super::pipelines::CommitView;
use crate::Engine;
use crate::projects::commit_view;

/// Reads the text of a pipeline file without keeping it.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineParse {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The file's text.
    pub text: String,
}

/// What was read of a text.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ParsedPipeline {
    /// The graph; none if the text is no pipeline file.
    pub doc: Option<PipelineDoc>,
    /// What is wrong with the text and, if it can be read, with the graph.
    pub problems: Vec<TextProblem>,
}

/// Something that is wrong, with its place in the text.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TextProblem {
    /// The line, from 1; none if it is the whole.
    pub line: Option<u32>,
    /// The character in the line, from 1.
    pub column: Option<u32>,
    /// What is wrong. That of a text has no step.
    #[serde(flatten)]
    pub problem: Problem,
}

/// Asks for a pipeline as it was.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineAt {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The commit: the first digits of its id, or a name that git knows; the last that changed the
    /// pipeline if left out.
    #[serde(default)]
    #[ts(optional)]
    pub commit: Option<String>,
}

/// A pipeline as it was in a commit.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PipelineVersion {
    /// The graph.
    pub doc: PipelineDoc,
    /// The same as TOML.
    pub text: String,
    /// The commit.
    pub commit: CommitView,
}

/// Asks which commits changed a pipeline.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineLog {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The most to give; 50 if left out.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

pub(super) fn parse(engine: &Engine, request: PipelineParse) -> Result<ParsedPipeline> {
    let project = engine.project(request.project.as_deref())?;
    let read = flow::reading::read(&request.text);
    let Some(pipeline) = &read.pipeline else {
        let problems = read.wrong.into_iter().map(|wrong| {
            let problem = flow::graph::Problem::whole(wrong.error);
            TextProblem::at(wrong.at, Problem::of(problem, &flow::file::Pipeline::default()))
        });
        return Ok(ParsedPipeline { doc: None, problems: problems.collect() });
    };
    let problems = engine.examine(&project, pipeline).0.problems.into_iter().map(|found| {
        let problem = Problem::of(found, pipeline);
        TextProblem::at(place_of(&read, &problem), problem)
    });
    let problems = problems.collect();
    Ok(ParsedPipeline { doc: Some(PipelineDoc::from(pipeline)), problems })
}

/// Where the step, parameter or input that a problem is about stands.
fn place_of(read: &Text<'_>, problem: &Problem) -> Option<TextPlace> {
    let part = match (&problem.param, &problem.port) {
        (Some(param), _) => Some(format!("params.{param}")),
        (None, Some(port)) => Some(format!("inputs.{port}")),
        (None, None) => None,
    };
    read.place_of(problem.step.as_deref()?, part.as_deref())
}

impl TextProblem {
    fn at(place: Option<TextPlace>, problem: Problem) -> Self {
        Self { line: place.map(|place| place.line), column: place.map(|place| place.column), problem }
    }
}

pub(super) fn at(engine: &Engine, request: PipelineAt) -> Result<PipelineVersion> {
    let project = engine.project(request.project.as_deref())?;
    let (then, commit) = engine.pipeline_at(&project, &request.pipeline, request.commit.as_deref())?;
    Ok(PipelineVersion {
        doc: PipelineDoc::from(&then.pipeline),
        text: then.text,
        commit: commit_view(commit),
    })
}

pub(super) fn log(engine: &Engine, request: PipelineLog) -> Result<Vec<CommitView>> {
    const MOST: u32 = 1_000;
    let project = engine.project(request.project.as_deref())?;
    let limit = request.limit.unwrap_or(50).min(MOST);
    let commits = engine.pipeline_log(&project, &request.pipeline, limit as usize)?;
    Ok(commits.into_iter().map(commit_view).collect())
}
