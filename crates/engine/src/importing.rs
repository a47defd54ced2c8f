//! How data comes in: bytes from somewhere are kept, a table and a profile are made from what was
//! kept, and a version is recorded. A version becomes a table again when its table was removed from
//! the cache. Where bytes can come from is in the modules below.

pub(crate) mod fetch;
mod folders;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result, VersionId};
use data::checks::CheckResult;
use data::import::{FolderOptions, Format, ImportReport, ParseOptions, Parts, Rejected};
use data::{Profile, TableFile};
use serde::{Deserialize, Serialize};
use store::datasets::{Dataset, DatasetVersion, NewVersion};
use store::projects::Project;
use store::{Action, Digest, datasets};

use crate::Engine;
use crate::commands::datasets::DatasetImported;
use crate::commands::sources::Origin;
use crate::connections::with_way_in;
use crate::datasets::{check_name, name_from, parse_options};
use crate::taking_in::is_read_at_once;
use fetch::{Address, Fetched};
use folders::folder_options;

/// As much of an answer as somebody looks at before it is imported.
const PREVIEW_ROWS: u32 = 50;

/// What an import found, kept as an object beside the bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportRecord {
    /// Everything counted about the table.
    pub(crate) profile: Profile,
    /// Lines that are not in the table, up to a thousand.
    pub(crate) rejected: Vec<Rejected>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
    /// Where the bytes came from, if not from a file or folder of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
}

/// What to import.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// Where the bytes are.
    pub(crate) from: Source,
    /// The dataset's name; from the file's if none.
    pub(crate) name: Option<String>,
    /// How to read it; as the version before, or guessed, if none.
    pub(crate) options: Option<ParseOptions>,
    /// Which files of a folder or archive are read, if `options` do not say.
    pub(crate) folder: Option<FolderOptions>,
}

/// Where bytes can come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file or folder of this machine.
    Path(PathBuf),
    /// What the version of this number keeps; the newest one without a number.
    Kept(Option<u32>),
    /// A file at an address.
    Address(Address),
    /// The answer of a query.
    Query(Question),
}

/// A query, and whom it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The name of the connection.
    pub(crate) connection: String,
    /// The query.
    pub(crate) sql: String,
    /// The password, if it is not where passwords are looked for.
    pub(crate) password: Option<String>,
    /// The most bytes of the answer, as the server sends it.
    pub(crate) most_bytes: Option<u64>,
}

/// Bytes that are kept, and how they are to be read.
struct Arrived {
    content: Digest,
    options: ParseOptions,
    source_name: String,
    origin: Option<Origin>,
    /// What was found out on the way.
    notes: Vec<String>,
    /// The table, if it was read while the bytes were stored.
    made: Option<Made>,
}

/// A table that was read, and where what was read is kept until it is safe.
struct Made {
    table: TableFile,
    report: ImportReport,
    parts: Option<Parts>,
}

impl Import {
    /// A file or folder, read as the version before it or as it seems to be.
    pub(crate) fn of(path: &Path) -> Self {
        Self { from: Source::Path(path.to_owned()), name: None, options: None, folder: None }
    }

    /// The name of the dataset.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for one that cannot stand in SQL, or for none where none can be made.
    pub(crate) fn dataset(&self) -> Result<String> {
        let name = match (&self.name, &self.from) {
            (Some(name), _) => name.clone(),
            (None, Source::Path(path)) => name_from(path),
            (None, Source::Address(address)) => name_from(Path::new(&address.file_name())),
            (None, Source::Kept(_) | Source::Query(_)) => {
                return Err(
                    Error::invalid("the dataset has to be named").hint("give it a name with `--name`")
                );
            }
        };
        check_name(&name)?;
        Ok(name)
    }

    /// What messages call it.
    fn shown(&self) -> String {
        match &self.from {
            Source::Path(path) => format!("`{}`", path.display()),
            Source::Kept(Some(number)) => format!("version {number} again"),
            Source::Kept(None) => "the newest version again".to_owned(),
            Source::Address(address) => format!("`{}`", address.shown()),
            Source::Query(question) => format!("the answer of `{}`", question.connection),
        }
    }
}

impl Engine {
    /// Imports something: its bytes are kept, its table and profile made, a version recorded. The
    /// same bytes again, read the same way, make nothing new.
    pub(crate) fn import(
        &self,
        project: &Project,
        what: &Import,
        progress: &Progress,
    ) -> Result<DatasetImported> {
        let name = what.dataset()?;
        let within = |e: Error| e.within(format!("cannot import {}", what.shown()));
        let before = self.newest(project, &name)?;
        let previous = before.as_ref().map(|(_, version)| version);
        let draft = self.table_draft()?;
        let mut arrived = match &what.from {
            Source::Path(path) => {
                self.take_path((path, Some(draft.path())), what, previous, progress).map_err(within)?
            }
            Source::Kept(number) => self.take_kept(project, &name, *number, what)?,
            Source::Address(address) => {
                self.take_address(address, what, previous, progress).map_err(within)?
            }
            Source::Query(question) => {
                self.take_answer(question, what, previous, progress).map_err(within)?
            }
        };
        if let Some((dataset, _)) = &before
            && let Some(version) = self.same(dataset, &arrived)?
        {
            let results = self.known_results(project, dataset, &version)?;
            return Ok(imported(dataset, &version, false, (Vec::new(), results.unwrap_or_default())));
        }
        let Made { table, report, parts } = match arrived.made.take() {
            Some(made) => made,
            None => {
                self.make_table(&arrived.content, &arrived.options, draft.path(), progress).map_err(within)?
            }
        };
        let profile = data::profile::profile(&table, progress)?;
        let found = report.warnings.iter().map(|warning| warning.message.clone());
        let warnings: Vec<String> = arrived.notes.iter().cloned().chain(found).collect();
        let (rejected, origin) = (report.rejected.clone(), arrived.origin.clone());
        let record = ImportRecord { profile, rejected, warnings: warnings.clone(), origin };
        let (dataset, version) = self.record_version(project, &name, &arrived, (&report, &record))?;
        let place = self.table_dir(&version.id);
        if !place.exists() {
            draft.publish(&place)?;
        }
        if let Some(parts) = parts {
            Parts::remove(&parts.dir);
        }
        let results = self.check_version(project, &dataset, &version, false, progress)?;
        let imported = imported(&dataset, &version, true, (warnings, results));
        Ok(DatasetImported { taken_over_bytes: report.taken_over_bytes, ..imported })
    }

    /// Keeps what is at a path; a large file is read into the folder at the same time, if there is one.
    fn take_path(
        &self,
        (path, folder): (&Path, Option<&Path>),
        what: &Import,
        before: Option<&DatasetVersion>,
        progress: &Progress,
    ) -> Result<Arrived> {
        let mut options = match (&what.options, before) {
            (Some(options), _) => options.clone(),
            (None, Some(version)) => parse_options(version)?,
            (None, None) => self.sniff(path, what.folder.as_ref())?.options,
        };
        options.folder = folder_options(path, &options, what)?;
        let source_name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let at_once = folder.filter(|_| options.folder.is_none() && is_read_at_once(path, before));
        let (content, made) = match at_once {
            Some(folder) => {
                let parts = self.parts_of_file(path, &options);
                let to = (folder, parts.as_ref(), before);
                let (content, (table, report)) = self.keep_and_read(path, &options, to, progress)?;
                (content, Some(Made { table, report, parts }))
            }
            None => (self.keep_path(path, &options, (before, None), progress)?, None),
        };
        Ok(Arrived { content, options, source_name, origin: None, notes: Vec::new(), made })
    }

    /// Fetches a file and keeps it, unless the server says that it is what the version before keeps.
    fn take_address(
        &self,
        address: &Address,
        what: &Import,
        before: Option<&DatasetVersion>,
        progress: &Progress,
    ) -> Result<Arrived> {
        let url = address.shown();
        let found = before.map(|version| self.import_record(version)).transpose()?;
        let origin = found.and_then(|found| found.origin);
        let known = match &origin {
            Some(Origin::Address { url: from, etag, .. }) if *from == url => etag.as_deref(),
            _ => None,
        };
        let (file, etag) = match (self.fetch(address, known, progress)?, before) {
            (Fetched::File { file, etag }, _) => (file, etag),
            (Fetched::Same, Some(version)) => {
                let options = what.options.clone().map_or_else(|| parse_options(version), Ok)?;
                let (content, source_name) = (version.content, version.source_name.clone());
                return Ok(Arrived { content, options, source_name, origin, notes: Vec::new(), made: None });
            }
            (Fetched::Same, None) => {
                return Err(Error::internal("a server knows a version that is not there"));
            }
        };
        let taken = self.take_path((file.path(), None), what, before, progress);
        let arrived = taken.map_err(|error| without_path(error, file.path()))?;
        let at = self.store().clock().now().as_ms();
        let origin = Some(Origin::Address { url, etag, at });
        Ok(Arrived { source_name: address.file_name(), origin, ..arrived })
    }

    /// The first rows of the answer of a query, of which nothing is kept.
    ///
    /// # Errors
    /// As [`connect::query`].
    pub(crate) fn preview_answer(
        &self,
        question: &Question,
        progress: &Progress,
    ) -> Result<(ParseOptions, data::import::Preview)> {
        let temp = self.table_draft()?;
        let file = temp.path().join("answer");
        let query = question.sql.trim().trim_end_matches(';');
        // The line end closes a comment at the end of the query.
        let sql = format!("select * from ({query}\n) as preview limit {PREVIEW_ROWS}");
        self.answer(&Question { sql, ..question.clone() }, &file, progress)?;
        let options = ParseOptions { format: Format::Arrow, ..ParseOptions::default() };
        let preview = self.preview(&file, &options).map_err(|error| without_path(error, &file))?;
        Ok((options, preview))
    }

    /// Asks a database and writes the answer to a file.
    fn answer(&self, question: &Question, file: &Path, progress: &Progress) -> Result<connect::Answer> {
        let Question { connection: name, sql, password, most_bytes } = question;
        let connection = self.connection(name)?;
        let password = self.password(name, &connection, password.clone());
        let to = (file, most_bytes.unwrap_or(connect::MOST_BYTES));
        let answer = connect::query(&connection.server(), password.as_deref(), sql, to, progress)
            .map_err(|error| with_way_in(name, password.is_some(), error))?;
        if answer.rows == 0 {
            return Err(Error::invalid("the query has no rows").hint("ask for some"));
        }
        Ok(answer)
    }

    /// Asks a database and keeps the answer.
    fn take_answer(
        &self,
        question: &Question,
        what: &Import,
        before: Option<&DatasetVersion>,
        progress: &Progress,
    ) -> Result<Arrived> {
        let Question { connection: name, sql, .. } = question;
        let temp = self.table_draft()?;
        let file = temp.path().join("answer");
        let answer = self.answer(question, &file, progress)?;
        // The file says what its columns are; only what somebody set of them is taken from before.
        let kinds = match (&what.options, before) {
            (Some(options), _) => options.kinds.clone(),
            (None, Some(version)) => parse_options(version)?.kinds,
            (None, None) => BTreeMap::new(),
        };
        let options = ParseOptions { format: Format::Arrow, kinds, ..ParseOptions::default() };
        let what = Import { options: Some(options), folder: None, ..what.clone() };
        let arrived = self.take_path((&file, None), &what, before, progress)?;
        let at = self.store().clock().now().as_ms();
        let origin = Some(Origin::Query { connection: name.clone(), query: sql.clone(), at });
        let source_name = format!("query of {name}");
        Ok(Arrived { source_name, origin, notes: answer.warnings, ..arrived })
    }

    /// What a version of the dataset keeps, to be read in another way.
    fn take_kept(
        &self,
        project: &Project,
        name: &str,
        number: Option<u32>,
        what: &Import,
    ) -> Result<Arrived> {
        let version = self.version(&self.dataset(project, name)?, number)?;
        let before = parse_options(&version)?;
        let options = what.options.clone().unwrap_or_else(|| before.clone());
        refuse_other_shape(&before, &options)?;
        let origin = self.import_record(&version)?.origin;
        let (content, source_name) = (version.content, version.source_name);
        Ok(Arrived { content, options, source_name, origin, notes: Vec::new(), made: None })
    }

    fn record_version(
        &self,
        project: &Project,
        name: &str,
        arrived: &Arrived,
        (report, record): (&ImportReport, &ImportRecord),
    ) -> Result<(Dataset, DatasetVersion)> {
        let objects = self.store().objects();
        let json = |e| Error::internal("cannot write what an import found").because(e);
        let profile = objects.put_bytes(&serde_json::to_vec(record).map_err(json)?)?;
        let new = NewVersion {
            content_bytes: objects.size(&arrived.content)?,
            content: arrived.content,
            rows: report.rows,
            columns: report.meta.columns.len() as u32,
            rejected_rows: report.rejected_total,
            parse: serde_json::to_value(&arrived.options).map_err(json)?,
            schema: serde_json::to_value(&report.meta.columns).map_err(json)?,
            profile: Some(profile),
            source_name: arrived.source_name.clone(),
        };
        let action = Action::new("dataset.import", name);
        let action = match &arrived.origin {
            Some(Origin::Address { url, .. }) => action.with("from", url.as_str()),
            Some(Origin::Query { connection, .. }) => action.with("from", connection.as_str()),
            None => action,
        };
        self.store().write(action, |w| {
            let dataset = match datasets::by_name(w, &project.id, name)? {
                Some(dataset) => dataset,
                None => datasets::create(w, &project.id, name)?,
            };
            let added = datasets::add_version(w, &dataset.id, new)?;
            Ok((dataset, added.version))
        })
    }

    fn same(&self, dataset: &Dataset, arrived: &Arrived) -> Result<Option<DatasetVersion>> {
        let parse = serde_json::to_value(&arrived.options)
            .map_err(|e| Error::internal("cannot write options").because(e))?;
        self.store().read(|db| datasets::find_same(db, &dataset.id, &arrived.content, &parse))
    }

    fn newest(&self, project: &Project, name: &str) -> Result<Option<(Dataset, DatasetVersion)>> {
        self.store().read(|db| {
            let Some(dataset) = datasets::by_name(db, &project.id, name)? else { return Ok(None) };
            Ok(datasets::latest(db, &dataset.id)?.map(|version| (dataset, version)))
        })
    }

    /// Makes the table from the bytes that were kept, not from the file, which may change meanwhile.
    fn make_table(
        &self,
        content: &Digest,
        options: &ParseOptions,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Made> {
        let temp = self.table_draft()?;
        let place = temp.path().join("bytes");
        let options = self.lay_out(content, options, &place, progress)?;
        let parts = self.parts_of_content(content, &options);
        let report = self
            .read_into(&place, &options, (folder, parts.as_ref()), progress)
            .map_err(|e| without_path(e, &place))?;
        Ok(Made { table: TableFile::open(folder)?, report, parts })
    }

    pub(crate) fn table_draft(&self) -> Result<store::files::StagedDir> {
        let tables = self.store().cache_dir().join("tables");
        std::fs::create_dir_all(&tables).map_err(|e| Error::io("create", &tables, &e))?;
        store::files::StagedDir::new_in(&tables)
    }

    fn table_dir(&self, id: &VersionId) -> PathBuf {
        self.store().cache_dir().join("tables").join(id.as_str())
    }

    /// The table of a version, made again from its bytes if it was removed from the cache.
    pub(crate) fn table(&self, version: &DatasetVersion, progress: &Progress) -> Result<TableFile> {
        let place = self.table_dir(&version.id);
        if let Ok(table) = TableFile::open(&place) {
            return Ok(table);
        }
        let draft = self.table_draft()?;
        let made = self.make_table(&version.content, &parse_options(version)?, draft.path(), progress)?;
        if place.exists() {
            std::fs::remove_dir_all(&place).map_err(|e| Error::io("replace", &place, &e))?;
        }
        draft.publish(&place)?;
        if let Some(parts) = made.parts {
            Parts::remove(&parts.dir);
        }
        TableFile::open(&place)
    }

    /// What the import of a version found.
    pub(crate) fn import_record(&self, version: &DatasetVersion) -> Result<ImportRecord> {
        let corrupt =
            || Error::new(Code::Corrupt, format!("the profile of version {} is missing", version.number));
        let digest = version.profile.as_ref().ok_or_else(corrupt)?;
        serde_json::from_slice(&self.store().objects().read(digest)?).map_err(|e| corrupt().because(e))
    }
}

/// A row for each file and the rows of files are different bytes: the one keeps what it found out.
fn refuse_other_shape(before: &ParseOptions, after: &ParseOptions) -> Result<()> {
    let as_files = |options: &ParseOptions| options.folder.as_ref().is_some_and(|folder| folder.as_files);
    if as_files(before) == as_files(after) {
        return Ok(());
    }
    Err(Error::invalid("a version of files cannot be read as a table of rows, nor the other way round")
        .hint("import the folder again, under another name"))
}

fn imported(
    dataset: &Dataset,
    version: &DatasetVersion,
    is_new: bool,
    (warnings, results): (Vec<String>, Vec<CheckResult>),
) -> DatasetImported {
    DatasetImported {
        dataset: dataset.name.clone(),
        version: version.number,
        version_id: version.id.to_string(),
        is_new,
        rows: version.rows,
        columns: version.columns,
        rejected_rows: version.rejected_rows,
        warnings,
        checks: results.into_iter().map(Into::into).collect(),
        taken_over_bytes: 0,
    }
}

/// The bytes are read from a place of ours, whose path says nothing to the user.
pub(crate) fn without_path(mut error: Error, path: &Path) -> Error {
    let what = if path.is_dir() { "the folder" } else { "the file" };
    let (shown, quoted) = (path.display().to_string(), format!("`{}`", path.display()));
    let clean = |text: &str| text.replace(&quoted, what).replace(&shown, what);
    error.message = clean(&error.message);
    error.hint = error.hint.as_deref().map(clean);
    error.causes.iter_mut().for_each(|cause| *cause = clean(cause));
    error
}
