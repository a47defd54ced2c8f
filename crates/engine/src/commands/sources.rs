//! Other sources of data than a file: the files of a folder, what a version keeps.

use base::Result;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::datasets::{ParseOptions, SniffView, look, start_import};
use super::jobs::JobRef;
use crate::Engine;
use crate::datasets::parse_options;
use crate::importing::{Import, Source, without_path};

/// How the files of a folder or an archive are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderOptions {
    /// True when every file is a row that tells of it; otherwise the rows of all files are one table.
    #[serde(default)]
    pub as_files: bool,
    /// Which files: a pattern such as `*.csv` for their names, or `2026/**/*.csv` for their paths.
    #[serde(default)]
    pub only: Option<String>,
    /// The name of a column that holds the path of each row's file.
    #[serde(default)]
    pub path_column: Option<String>,
    /// True when folders that are called `key=value` are columns.
    #[serde(default = "yes")]
    pub partitions: bool,
}

fn yes() -> bool {
    true
}

/// Where the bytes of a version came from, if not from a file or folder of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Origin {
    /// An address.
    Address {
        /// The address that was asked for, without a password in it.
        url: String,
        /// What the server calls this state of it.
        etag: Option<String>,
        /// When it was fetched, ms since the epoch.
        at: i64,
    },
}

/// Reads what a version keeps in another way, which makes the next version.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetReread {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// How to read it.
    pub options: ParseOptions,
}

/// A first look at what a version keeps, read in another way.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetSniffKept {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// How to read it; as the version was read if left out.
    #[serde(default)]
    pub options: Option<ParseOptions>,
}

pub(super) fn reread(engine: &Engine, request: DatasetReread) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let what = Import {
        from: Source::Kept(request.version),
        name: Some(request.dataset),
        options: Some(request.options.into()),
        folder: None,
    };
    start_import(engine, project, what)
}

pub(super) fn sniff_kept(engine: &Engine, request: DatasetSniffKept) -> Result<SniffView> {
    let project = engine.project(request.project.as_deref())?;
    let version = engine.version(&engine.dataset(&project, &request.dataset)?, request.version)?;
    let options = match request.options {
        Some(options) => options.into(),
        None => parse_options(&version)?,
    };
    let (_keep, place) = engine.kept_head(&version, &options)?;
    let look = look(engine, &place, Some(options.into()), None);
    let view = look.map_err(|e| without_path(e, &place))?;
    Ok(SniffView { size_bytes: version.content_bytes, suggested_name: request.dataset, ..view })
}
