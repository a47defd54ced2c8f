//! Other sources of data than a file: the files of a folder, what a version keeps, an address, and
//! the answers of queries.

use std::collections::BTreeMap;

use base::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::datasets::{ColumnKind, ParseOptions, SniffView, look, start_import};
use super::jobs::JobRef;
use crate::Engine;
use crate::datasets::parse_options;
use crate::importing::fetch::Address;
use crate::importing::{Import, Question, Source, without_path};

/// How the files of a folder or an archive are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderOptions {
    /// True when every file is a row that tells of it; otherwise the rows of all files are one table.
    #[serde(default)]
    pub as_files: bool,
    /// Which files: a pattern such as `*.csv` for their names, or `2026/*.csv` for their paths.
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
    /// The answer of a query.
    Query {
        /// The connection that was asked.
        connection: String,
        /// The query.
        query: String,
        /// When it was asked, ms since the epoch.
        at: i64,
    },
}

/// Fetches a file from an address and imports it. Nothing is ever fetched but by this.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetFetch {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The address: `https://…`, or `http://…`.
    pub url: String,
    /// The dataset; from the address if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// How to read it; guessed if left out, and as the version before if there is one.
    #[serde(default)]
    pub options: Option<ParseOptions>,
    /// Which files of an archive are read, if `options` are left out.
    #[serde(default)]
    #[ts(optional)]
    pub folder: Option<FolderOptions>,
    /// The most bytes it may have; 8 GB if left out.
    #[serde(default)]
    pub max_bytes: Option<u64>,
}

/// Imports the answer of a query.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetAsk {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The name of the connection.
    pub connection: String,
    /// A `select` in the words of that database.
    pub query: String,
    /// The dataset.
    pub name: String,
    /// Columns that shall have other kinds than their own; as the version before if left out.
    #[serde(default)]
    pub kinds: Option<BTreeMap<String, ColumnKind>>,
    /// The most bytes of the answer, as the server sends it; 8 GB if left out.
    #[serde(default)]
    pub max_bytes: Option<u64>,
    /// The password, if it is neither in the keychain nor in the environment of the daemon.
    #[serde(default)]
    pub password: Option<String>,
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

/// Asks for the bytes of one file of a version of files.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetFile {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// The path of the file, as the table has it.
    pub path: String,
}

/// A file of a version.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileBytes {
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The bytes in base64; null if there are more than 16 MB of them.
    pub base64: Option<String>,
}

/// More is not handed to a window, which holds it several times over.
const MOST_SHOWN_BYTES: u64 = 16 << 20;

pub(super) fn file(engine: &Engine, request: DatasetFile) -> Result<FileBytes> {
    let project = engine.project(request.project.as_deref())?;
    let version = engine.version(&engine.dataset(&project, &request.dataset)?, request.version)?;
    let (size_bytes, bytes) = engine.kept_file(&version, &request.path, MOST_SHOWN_BYTES)?;
    Ok(FileBytes { size_bytes, base64: bytes.map(|bytes| STANDARD.encode(bytes)) })
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

pub(super) fn fetch(engine: &Engine, request: DatasetFetch) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let what = Import {
        from: Source::Address(Address::new(&request.url, request.max_bytes)?),
        name: request.name,
        options: request.options.map(Into::into),
        folder: request.folder.map(Into::into),
    };
    start_import(engine, project, what)
}

pub(super) fn ask(engine: &Engine, request: DatasetAsk) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let DatasetAsk { connection, query: sql, password, max_bytes: most_bytes, .. } = request;
    engine.connection(&connection)?;
    let kinds =
        request.kinds.map(|kinds| kinds.into_iter().map(|(name, kind)| (name, kind.into())).collect());
    let what = Import {
        from: Source::Query(Question { connection, sql, password, most_bytes }),
        name: Some(request.name),
        options: kinds.map(|kinds| data::import::ParseOptions { kinds, ..Default::default() }),
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
