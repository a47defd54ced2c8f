//! What is written out of the workspace: a version as it came or in a common format, and the answer
//! of a query.

use std::path::PathBuf;

use base::{Error, Progress, Result};
use data::export::{CsvOptions, write_arrow, write_csv, write_parquet};
use data::{TableFile, TableMeta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::datasets::DatasetVersion;
use store::projects::Project;
use ts_rs::TS;

use crate::Engine;

/// A format to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ExportFormat")]
pub enum Format {
    /// The bytes as they were imported: a file, or the files of a folder.
    #[default]
    Original,
    /// CSV.
    Csv,
    /// CSV in which no text is a formula to a spreadsheet.
    SafeCsv,
    /// Parquet.
    Parquet,
    /// An Arrow file (Feather).
    Arrow,
}

/// What to write where.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The format.
    pub(crate) format: Format,
    /// The file.
    pub(crate) to: PathBuf,
}

impl Engine {
    /// Writes a version.
    pub(crate) fn export(
        &self,
        version: &DatasetVersion,
        wanted: &Wanted,
        progress: &Progress,
    ) -> Result<Value> {
        if wanted.format == Format::Original {
            if self.check_out(version, &wanted.to, progress)? {
                return Ok(json!({ "path": wanted.to, "bytes": version.content_bytes }));
            }
            self.store().objects().get_file(&version.content, &wanted.to)?;
            return written(wanted);
        }
        write(&self.table(version, progress)?, wanted, progress)
    }

    /// Writes the answer of a query.
    pub(crate) fn export_query(
        &self,
        project: &Project,
        sql: &str,
        wanted: &Wanted,
        progress: &Progress,
    ) -> Result<Value> {
        if wanted.format == Format::Original {
            return Err(Error::invalid("an answer has no bytes of its own").hint("choose CSV or Parquet"));
        }
        let named = self.tables_in(project, sql)?;
        let tables: Vec<data::transform::SqlTable<'_>> =
            named.iter().map(|(name, folder)| data::transform::SqlTable { name, folder }).collect();
        let draft = self.table_draft()?;
        let place = (draft.path(), progress);
        let table =
            data::transform::run_sql(&tables, sql, crate::datasets::MEMORY_CAP_BYTES, TableMeta::new, place)?;
        write(&table, wanted, progress)
    }
}

/// A failed or cancelled export leaves no file behind.
fn write(table: &TableFile, wanted: &Wanted, progress: &Progress) -> Result<Value> {
    let to = &wanted.to;
    let done = match wanted.format {
        Format::Csv => write_csv(table, to, CsvOptions::default(), progress),
        Format::SafeCsv => write_csv(table, to, CsvOptions { escape_formulas: true }, progress),
        Format::Arrow => write_arrow(table, to, progress),
        Format::Parquet | Format::Original => write_parquet(table, to),
    };
    if let Err(error) = done {
        // It may not have been made at all.
        let _ = std::fs::remove_file(to);
        return Err(error);
    }
    written(wanted)
}

fn written(wanted: &Wanted) -> Result<Value> {
    let size = std::fs::metadata(&wanted.to).map_err(|e| Error::io("read", &wanted.to, &e))?.len();
    Ok(json!({ "path": wanted.to, "bytes": size }))
}
