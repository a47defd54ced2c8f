//! The verbs of datasets, of the connections they come from, and of the trash.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// A dataset and a version of it.
#[derive(Debug, ClapArgs)]
pub struct DatasetArgs {
    /// The dataset.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[arg(long, short = 'v')]
    pub version: Option<u32>,
}

/// A number of bytes: `500MB`, `20GB`.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim().to_uppercase();
    let units =
        [("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1)];
    let (number, unit) = units
        .iter()
        .find_map(|(word, unit)| text.strip_suffix(word).map(|number| (number, *unit)))
        .unwrap_or((text.as_str(), 1_u64));
    let number: u64 =
        number.trim().parse().map_err(|_| "write a size such as `500MB` or `20GB`".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "that is too large".to_owned())
}

/// Verbs of `fettle connection`.
#[derive(Debug, Subcommand)]
pub enum ConnectionVerb {
    /// Add a connection, or put it in the place of the one of this name. Its password is asked for
    /// and goes into the keychain; it is never written to a file.
    Add {
        /// Its name: lower-case letters, digits and `_`.
        name: String,
        /// What kind of server it is.
        #[arg(long, value_enum)]
        kind: ConnectionKind,
        /// The server's name or address, or the folder of its socket.
        #[arg(long)]
        host: String,
        /// Its port; the usual one if left out.
        #[arg(long)]
        port: Option<u16>,
        /// The database.
        #[arg(long)]
        database: String,
        /// The user.
        #[arg(long)]
        user: String,
        /// Whether it is encrypted; it is if left out, unless the server is this machine.
        #[arg(long, value_enum)]
        tls: Option<ConnectionTls>,
        /// Take the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the connections.
    List,
    /// Connect, and say what the server is.
    Test {
        /// The connection.
        name: String,
    },
    /// Show the first rows of the answer of a query. Nothing of it is kept.
    Preview {
        /// The connection.
        name: String,
        /// The query.
        query: String,
    },
    /// Remove a connection and its password.
    Remove {
        /// The connection.
        name: String,
    },
}

/// A kind of database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConnectionKind {
    /// PostgreSQL, and what speaks as it does.
    Postgres,
}

/// How a connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConnectionTls {
    /// Encrypted, and the server shows a certificate that this machine trusts.
    Verified,
    /// Not at all.
    Off,
}

/// Which files of a folder or archive are read, and as what.
#[derive(Debug, ClapArgs)]
pub struct FolderArgs {
    /// The rows of all files are one table. This is so for a folder of tables; for an archive it
    /// has to be said.
    #[arg(long)]
    pub together: bool,
    /// Every file is a row that tells of it. This is so for a folder of pictures or documents.
    #[arg(long, conflicts_with = "together")]
    pub files: bool,
    /// Only files like this: `*.csv` for their names, `2026/**/*.csv` for their paths.
    #[arg(long)]
    pub only: Option<String>,
    /// A column of this name holds the path of each row's file.
    #[arg(long)]
    pub path_column: Option<String>,
    /// Folders that are called `key=value` are no columns.
    #[arg(long)]
    pub no_partitions: bool,
}

/// Verbs of `fettle dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetVerb {
    /// Bring a file, the files of a folder, what is at an address, or the answer of a query in as a
    /// dataset or as its next version.
    Import {
        /// The file, folder, or address (`https://…`).
        #[arg(required_unless_present = "connection")]
        file: Option<PathBuf>,
        /// The dataset's name; from the file's if left out.
        #[arg(long)]
        name: Option<String>,
        /// The connection that is asked; see `fettle connection add`.
        #[arg(long, requires = "query", requires = "name", conflicts_with_all = ["file", "options"])]
        connection: Option<String>,
        /// What it is asked: a `select` in the words of that database.
        #[arg(long, requires = "connection")]
        query: Option<String>,
        /// The most that is fetched, such as `20GB`; 8 GB if left out.
        #[arg(long, value_parser = size)]
        max_size: Option<u64>,
        /// How to read it, as JSON that corrects what is guessed. `dataset sniff` prints all of it.
        #[arg(long)]
        options: Option<String>,
        /// The column to predict.
        #[arg(long)]
        target: Option<String>,
        /// Which files of a folder or archive are meant.
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Read what a version keeps in another way, which makes the next version.
    Reread {
        /// Which version.
        #[command(flatten)]
        which: DatasetArgs,
        /// What is to be read in another way, as JSON, such as `{"delimiter": ";"}`.
        #[arg(long)]
        options: String,
    },
    /// Say how a file or a folder would be read.
    Sniff {
        /// The file or folder.
        file: PathBuf,
        /// Which files of a folder or archive are meant.
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// List the datasets.
    List,
    /// Show a version and its first rows.
    Show(DatasetArgs),
    /// Show what was counted about each column.
    Profile(DatasetArgs),
    /// Show the lines that are not in the table.
    Rejected(DatasetArgs),
    /// Ask in SQL; each dataset is a table.
    Query {
        /// A `select`.
        sql: String,
        /// Rows wanted.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Write all rows to this file instead: CSV, or Parquet if its name ends so.
        #[arg(long, short = 'o')]
        to: Option<PathBuf>,
    },
    /// Choose the column to predict.
    Target {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// Write a version: as it was imported, or in another format.
    Export {
        /// Which.
        #[command(flatten)]
        which: DatasetArgs,
        /// The file or folder to write.
        #[arg(long, short = 'o')]
        to: PathBuf,
        /// The format; the bytes as they were imported if left out.
        #[arg(long, value_enum, default_value_t)]
        format: ExportFormat,
    },
    /// Say what changed from one version to another.
    Diff {
        /// The dataset.
        dataset: String,
        /// The older version's number.
        from: u32,
        /// The newer version's number; the newest if left out.
        to: Option<u32>,
        /// The columns that name a row; found if left out.
        #[arg(long, value_delimiter = ',')]
        key: Vec<String>,
        /// How many changed cells to show.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Check a version; exits 4 if it breaks a check whose severity is error.
    Check(DatasetArgs),
    /// Show the checks of a dataset, suggest some, or set them from a file.
    Checks {
        /// The dataset.
        dataset: String,
        /// Print what a careful person would check.
        #[arg(long, conflicts_with = "set")]
        suggest: bool,
        /// A TOML file that becomes the checks.
        #[arg(long)]
        set: Option<PathBuf>,
    },
    /// Write the profile of a version as one HTML file.
    Report {
        /// Which.
        #[command(flatten)]
        which: DatasetArgs,
        /// The file to write.
        #[arg(long, short = 'o')]
        to: PathBuf,
        /// An older version to compare with.
        #[arg(long)]
        compare_with: Option<u32>,
    },
    /// Put a name on a version, or take it away.
    Tag {
        /// The dataset.
        dataset: String,
        /// The tag.
        tag: String,
        /// The version's number; without one the tag is taken away.
        version: Option<u32>,
    },
    /// Let a dataset follow a file or folder of this machine, while a daemon runs.
    Follow {
        /// The dataset.
        dataset: String,
        /// The file or folder; without one the dataset follows none.
        file: Option<PathBuf>,
        /// Let a change wait until somebody imports it.
        #[arg(long)]
        propose: bool,
    },
    /// Move a dataset, or one version of it, to the trash.
    Delete(DatasetArgs),
}

/// A format to export to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The bytes as they were imported.
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

impl ExportFormat {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Csv => "csv",
            Self::SafeCsv => "safe_csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// Verbs of `fettle trash`.
#[derive(Debug, Subcommand)]
pub enum TrashVerb {
    /// List what was deleted.
    List,
    /// Take something out again.
    Restore {
        /// `dataset`, `version`, `run` or `model`.
        kind: String,
        /// Its id.
        id: String,
    },
    /// Delete it all for good, and free the space.
    Empty,
}
