//! Ways in and out: a pipeline as a script for others to run, and pipelines of DVC as ours.

use std::path::Path;

use base::{Code, Error, Result};
use flow::export::Format;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::documents::PipelineDoc;
use super::pipelines::graph;
use crate::Engine;

/// Asks for a pipeline as a script.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineExport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// What it is to be.
    pub format: ScriptFormat,
}

/// Writes a pipeline as a script into a folder.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineExportTo {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// What it is to be.
    pub format: ScriptFormat,
    /// The folder, which is made if it is not there; files of the same names in it are replaced.
    pub to: String,
}

/// What a pipeline can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ScriptFormat {
    /// A script for `sh`.
    Shell,
    /// A Makefile.
    Make,
    /// A Python script.
    Python,
}

/// A file of an export.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// True if it is to be run.
    pub is_program: bool,
}

/// Makes a pipeline of a `dvc.yaml`.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineImport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The `dvc.yaml`; a `params.yaml` beside it is read too.
    pub path: String,
    /// The name of the pipeline to make; `dvc` if left out.
    #[serde(default)]
    pub name: Option<String>,
}

/// A pipeline that was read.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportedPipeline {
    /// The pipeline, which is a draft now.
    pub doc: PipelineDoc,
    /// What is not as it was, in words.
    pub notes: Vec<String>,
}

pub(super) fn export(engine: &Engine, request: PipelineExport) -> Result<Vec<ExportedFile>> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = engine.expanded(&project, &graph(engine, &project, &request.pipeline, None)?)?.pipeline;
    let format = match request.format {
        ScriptFormat::Shell => Format::Shell,
        ScriptFormat::Make => Format::Make,
        ScriptFormat::Python => Format::Python,
    };
    let files = flow::export::export(&pipeline, format)?.into_iter();
    let view = |file: flow::export::Exported| ExportedFile {
        name: file.name,
        text: file.text,
        is_program: file.is_program,
    };
    Ok(files.map(view).collect())
}

/// Writes a pipeline as a script into a folder.
pub(super) fn export_to(engine: &Engine, request: PipelineExportTo) -> Result<Vec<ExportedFile>> {
    let PipelineExportTo { project, pipeline, format, to } = request;
    let files = export(engine, PipelineExport { project, pipeline, format })?;
    write_files(Path::new(&to), &files)?;
    Ok(files)
}

fn write_files(to: &Path, files: &[ExportedFile]) -> Result<()> {
    std::fs::create_dir_all(to).map_err(|e| Error::io("create", to, &e))?;
    for file in files {
        let path = to.join(&file.name);
        std::fs::write(&path, &file.text).map_err(|e| Error::io("write", &path, &e))?;
        if file.is_program {
            make_runnable(&path)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_runnable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).map_err(|e| Error::io("write", path, &e))
}

/// Elsewhere the name decides what can be run.
#[cfg(not(unix))]
fn make_runnable(_path: &Path) -> Result<()> {
    Ok(())
}

pub(super) fn import(engine: &Engine, request: PipelineImport) -> Result<ImportedPipeline> {
    let project = engine.project(request.project.as_deref())?;
    let name = request.name.as_deref().unwrap_or("dvc");
    if engine.pipeline_names(&project)?.iter().any(|taken| taken == name) {
        return Err(Error::new(Code::AlreadyExists, format!("there is a pipeline `{name}` already"))
            .hint("choose another name"));
    }
    let path = Path::new(&request.path);
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))?;
    let beside = path.with_file_name("params.yaml");
    let params = if beside.is_file() {
        Some(std::fs::read_to_string(&beside).map_err(|e| Error::io("read", &beside, &e))?)
    } else {
        None
    };
    let imported = flow::dvc::import(name, &text, params.as_deref())
        .map_err(|e| e.within(format!("cannot import `{}`", path.display())))?;
    engine.save_draft(&project, name, &imported.pipeline.to_text())?;
    Ok(ImportedPipeline { doc: PipelineDoc::from(&imported.pipeline), notes: imported.notes })
}
