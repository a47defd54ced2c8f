//! How a file is read: every guess of the sniffer as a value that the user can correct and send
//! back, and what the import says about its work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::schema::{Column, Kind, TableMeta};

/// How to read one file. A field that is left out of the JSON has the default of a plain CSV, and
/// what a plain CSV does not need is left out, so that the JSON of an earlier version stays equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParseOptions {
    /// What the bytes are, once they are unpacked.
    #[serde(skip_serializing_if = "is_default")]
    pub format: Format,
    /// What the file is packed with.
    #[serde(skip_serializing_if = "is_default")]
    pub pack: Pack,
    /// The sheet of a workbook, the table or view of a database, or the file in an archive; the
    /// first that holds something if there are several and none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The cells of a sheet that are the table, header included, such as `B3:F200` or `B3:F`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Where in a JSON document the array of records is, such as `data.items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// How many rows the header has; the names of a column are joined with a space. It counts
    /// only with `header`.
    #[serde(skip_serializing_if = "is_one")]
    pub header_rows: u32,
    /// True when a run of delimiters stands for one, as in tables aligned with spaces.
    #[serde(skip_serializing_if = "is_default")]
    pub merge_delimiters: bool,
    /// The character encoding by its WHATWG name, such as `UTF-8` or `windows-1252`.
    pub encoding: String,
    /// The character between two cells (one byte).
    pub delimiter: char,
    /// The character around a cell that holds delimiters or line ends (one byte), if any.
    pub quote: Option<char>,
    /// The character that makes the next one literal inside quotes (one byte), if any. A doubled
    /// quote always stands for one quote.
    pub escape: Option<char>,
    /// A line that starts with this character is a comment (one byte).
    pub comment: Option<char>,
    /// How many physical lines before the table are skipped.
    pub skip_lines: u64,
    /// True when the first row holds the names of the columns.
    pub header: bool,
    /// True when white space around cells does not belong to them.
    pub trim: bool,
    /// The decimal mark: `.` or `,`.
    pub decimal: char,
    /// The mark between groups of three digits, if the file uses one.
    pub thousands: Option<char>,
    /// Cells that mean "missing" in every column, beside the empty cell.
    pub missing: Vec<String>,
    /// True when a quoted empty cell or a quoted word of `missing` is missing too; false when
    /// quotes make it a text.
    pub quoted_missing: bool,
    /// Which of two orders a date such as 03/04/2026 has, where the column itself does not tell.
    pub date_order: DateOrder,
    /// Kinds that the user set by column name. A cell that does not fit rejects its row.
    pub kinds: BTreeMap<String, Kind>,
    /// Set where the files of a folder, or all files of an archive, are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderOptions>,
}

/// How the files of a folder or an archive are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FolderOptions {
    /// True when every file is a row that tells of it; otherwise the rows of all files are one table.
    #[serde(skip_serializing_if = "is_default")]
    pub as_files: bool,
    /// Which files: a pattern such as `*.csv` for their names, or `2026/**/part-?.csv` for their
    /// paths; all of them without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// The name of a column that holds the path of each row's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_column: Option<String>,
    /// True when folders that are called `key=value` are columns.
    pub partitions: bool,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self { as_files: false, only: None, path_column: None, partitions: true }
    }
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            pack: Pack::default(),
            table: None,
            range: None,
            records: None,
            header_rows: 1,
            merge_delimiters: false,
            encoding: "UTF-8".to_owned(),
            delimiter: ',',
            quote: Some('"'),
            escape: None,
            comment: None,
            skip_lines: 0,
            header: true,
            trim: false,
            decimal: '.',
            thousands: None,
            missing: ["NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "#N/A", "?"]
                .map(str::to_owned)
                .to_vec(),
            quoted_missing: false,
            date_order: DateOrder::MonthFirst,
            kinds: BTreeMap::new(),
            folder: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

/// A format of tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text with delimiters: CSV, TSV and their kin.
    #[default]
    Delimited,
    /// One JSON document (RFC 8259).
    Json,
    /// One JSON value per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file (Feather, version 2) or stream.
    Arrow,
    /// A workbook: xlsx, xlsm, xlsb, xls or ods.
    Excel,
    /// A SQLite database.
    Sqlite,
}

impl Format {
    /// What a person calls a file of this format, with its article.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Delimited => "a text table",
            Self::Json => "a JSON document",
            Self::JsonLines => "a file of JSON lines",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow file",
            Self::Excel => "a workbook",
            Self::Sqlite => "a SQLite database",
        }
    }
}

/// What a file is packed with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pack {
    /// Nothing.
    #[default]
    None,
    /// gzip (RFC 1952), of one or more members.
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// A ZIP archive, of which one file is read.
    Zip,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
}

/// The order of day and month in dates written with the year last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// Something the user should know that is not a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The column it is about, if it is about one.
    pub column: Option<String>,
    /// One sentence without a final period.
    pub message: String,
}

impl Warning {
    pub(crate) fn file(message: impl Into<String>) -> Self {
        Self { column: None, message: message.into() }
    }

    pub(crate) fn column(column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), message: message.into() }
    }
}

/// A row of the file that did not become a row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The file in the folder or archive, where several are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The physical line on which the row starts, from 1; in a sheet the number of the row, and
    /// where there are no lines the number of the record, from 1.
    pub line: u64,
    /// Why, in one sentence without a final period.
    pub reason: String,
    /// The first 200 bytes of the row; bytes that are not text are written as `\xE9`.
    pub excerpt: String,
}

/// What the sniffer guessed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sniffed {
    /// The guess.
    pub options: ParseOptions,
    /// The share of the looked-at rows that fit the guess, 0 to 1.
    pub confidence: f64,
    /// The sheets, tables or files that `options.table` can name; empty where there is no choice
    /// of that kind.
    #[serde(default)]
    pub tables: Vec<String>,
    /// What the user should look at.
    pub warnings: Vec<Warning>,
}

/// The first rows as the options read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// Names and kinds; the kinds are those of the looked-at rows and may widen in the import.
    pub columns: Vec<Column>,
    /// The first rows, cell by cell as they will be stored; `None` is a missing value.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows of the file were looked at.
    pub rows_seen: u64,
    /// What the user should look at.
    pub warnings: Vec<Warning>,
    /// Examples of rows that would be rejected.
    pub rejected: Vec<Rejected>,
}

/// What an import did. `rows + rejected_total` is the number of rows in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Rows of the table.
    pub rows: u64,
    /// Rows of the file that were rejected.
    pub rejected_total: u64,
    /// The first 1,000 of them.
    pub rejected: Vec<Rejected>,
    /// Lines or rows of a sheet that hold nothing and are therefore not rows.
    pub blank_lines: u64,
    /// Lines that are comments.
    pub comment_lines: u64,
    /// What the user should look at.
    pub warnings: Vec<Warning>,
    /// Bytes that were not read again because an import that was interrupted had read them.
    #[serde(default)]
    pub taken_over_bytes: u64,
    /// The table that was written.
    pub meta: TableMeta,
}
