//! The arguments: nouns and verbs as in the list of commands.

pub mod work;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// An MLOps platform in one small native app.
#[derive(Debug, Parser)]
#[command(name = "fettle", version, about, max_term_width = 100)]
pub struct Args {
    /// The workspace's folder; else FETTLE_WORKSPACE, else this user's own.
    #[arg(long, short = 'w', global = true, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// The project; the one that is open if left out.
    #[arg(long, short = 'p', global = true)]
    pub project: Option<String>,
    /// Print one JSON object on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print no progress.
    #[arg(long, short = 'q', global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub noun: Noun,
}

/// What a call is about.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// The whole main job on real data, ending in a live endpoint.
    Demo(DemoArgs),
    /// The workspace: the folder with everything in it.
    Workspace {
        /// What to do.
        #[command(subcommand)]
        verb: WorkspaceVerb,
    },
    /// Projects: git repositories in the workspace.
    Project {
        /// What to do.
        #[command(subcommand)]
        verb: ProjectVerb,
    },
    /// Datasets and their versions.
    Dataset {
        /// What to do.
        #[command(subcommand)]
        verb: DatasetVerb,
    },
    /// Connections to databases, whose queries `dataset import` can ask.
    Connection {
        /// What to do.
        #[command(subcommand)]
        verb: ConnectionVerb,
    },
    /// What was deleted and can come back.
    Trash {
        /// What to do.
        #[command(subcommand)]
        verb: TrashVerb,
    },
    /// Pipelines.
    Pipeline {
        /// What to do.
        #[command(subcommand)]
        verb: PipelineVerb,
    },
    /// Runs of pipelines.
    Run {
        /// What to do.
        #[command(subcommand)]
        verb: RunVerb,
    },
    /// Trials of a pipeline with other parameters.
    Sweep(work::SweepArgs),
    /// When pipelines run by themselves, while a daemon runs.
    Trigger {
        /// What to do.
        #[command(subcommand)]
        verb: work::TriggerVerb,
    },
    /// Registered models.
    Model {
        /// What to do.
        #[command(subcommand)]
        verb: ModelVerb,
    },
    /// Where models can go.
    Target {
        /// What to do.
        #[command(subcommand)]
        verb: TargetVerb,
    },
    /// Models that were put somewhere.
    Deployment {
        /// What to do.
        #[command(subcommand)]
        verb: DeploymentVerb,
    },
    /// The watch on a deployment.
    Monitor {
        /// What to do.
        #[command(subcommand)]
        verb: MonitorVerb,
    },
    /// The audit log, newest first.
    Audit {
        /// How many entries.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// The process that owns the workspace.
    Daemon {
        /// What to do.
        #[command(subcommand)]
        verb: DaemonVerb,
    },
    /// Any command of the list by its name, such as `dataset.show`, with a JSON request.
    Call {
        /// The command's name.
        command: String,
        /// The request; `{}` if left out.
        #[arg(default_value = "{}")]
        request: String,
    },
    /// Reads a foreign file in a process of its own; called by Fettle itself.
    #[command(hide = true)]
    Read {
        /// The folder with the request.
        folder: PathBuf,
    },
    /// One pipeline step in a process of its own; called by Fettle itself.
    #[command(hide = true)]
    Step {
        /// The folder with the request.
        folder: PathBuf,
    },
}

/// How the demo runs.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// A CSV file to use instead of the bundled sample.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// The column to predict, if not the one that is suggested.
    #[arg(long)]
    pub target: Option<String>,
    /// Threads in all; as many as the machine has if left out.
    #[arg(long, short = 't')]
    pub threads: Option<u32>,
    /// Stop the endpoint again at the end.
    #[arg(long)]
    pub stop: bool,
}

/// Verbs of `fettle workspace`.
#[derive(Debug, Subcommand)]
pub enum WorkspaceVerb {
    /// Make a workspace.
    New {
        /// Its folder.
        folder: PathBuf,
    },
    /// Say where it is and how large.
    Info,
    /// Look it over; exits 6 if anything is wrong.
    Check {
        /// Read back every stored byte.
        #[arg(long)]
        full: bool,
    },
    /// Rebuild the index from the objects.
    Repair,
    /// Free what nothing needs any more.
    Gc {
        /// Only say what would be freed.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Verbs of `fettle project`.
#[derive(Debug, Subcommand)]
pub enum ProjectVerb {
    /// Make a project and open it.
    New {
        /// Its name.
        name: String,
    },
    /// List the projects.
    List,
    /// Make another project the one that is open.
    Open {
        /// Its slug.
        project: String,
    },
    /// Say what differs from the last commit.
    Status,
}

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

/// Verbs of `fettle pipeline`.
#[derive(Debug, Subcommand)]
pub enum PipelineVerb {
    /// List the kinds of steps, or show one with its parameters.
    Kinds {
        /// The kind.
        kind: Option<String>,
    },
    /// List the pipelines.
    List,
    /// Print the text of a pipeline.
    Show {
        /// Its name.
        pipeline: String,
    },
    /// Build a pipeline for a dataset.
    New {
        /// The dataset.
        dataset: Option<String>,
        /// Its name.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the templates that steps can start from.
    Templates,
    /// Add a step to a pipeline, of a kind or from a template.
    AddStep {
        /// The pipeline's name; it is made if it is not there.
        pipeline: String,
        /// The step's id; from its kind or template if left out.
        step: Option<String>,
        /// Its kind.
        #[arg(long)]
        kind: Option<String>,
        /// The template it starts from.
        #[arg(long)]
        template: Option<String>,
        /// A parameter, as `name=value` with a JSON value or a text; again for more.
        #[arg(long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        /// A wire, as `port=step.port`; again for more.
        #[arg(long = "input", value_name = "PORT=STEP.PORT")]
        inputs: Vec<String>,
    },
    /// Say what is wrong with a pipeline.
    Validate {
        /// Its name, or a TOML file.
        pipeline: String,
    },
    /// Say what a run would do, and what changed since the last one.
    Explain {
        /// Its name, or a TOML file.
        pipeline: String,
        /// Only this step.
        step: Option<String>,
        /// Only what this step needs.
        #[arg(long)]
        to: Option<String>,
    },
    /// Run a pipeline.
    Run {
        /// Its name, or a TOML file.
        pipeline: String,
        /// Only what this step needs.
        #[arg(long)]
        to: Option<String>,
        /// Run this step again, with all that need it.
        #[arg(long)]
        from: Option<String>,
        /// Threads in all; as many as the machine has if left out.
        #[arg(long, short = 't')]
        threads: Option<u32>,
        /// Run every step again.
        #[arg(long)]
        force: bool,
    },
    /// Write a pipeline as a script that runs it step by step, with its text beside it.
    Export {
        /// Its name.
        pipeline: String,
        /// What it is to be.
        #[arg(long, value_enum)]
        format: work::ScriptFormat,
        /// The folder to write into.
        #[arg(long, short = 'o')]
        to: PathBuf,
    },
    /// Make a pipeline of a `dvc.yaml`: each stage becomes a `command` step.
    Import {
        /// The file.
        file: PathBuf,
        /// The name of the pipeline to make.
        #[arg(long, default_value = "dvc")]
        name: String,
    },
    /// Commit a pipeline to the project's git repository.
    Commit {
        /// Its name.
        pipeline: String,
        /// The message.
        #[arg(long, short = 'm')]
        message: Option<String>,
    },
}

/// Verbs of `fettle run`.
#[derive(Debug, Subcommand)]
pub enum RunVerb {
    /// List the runs, newest first.
    List {
        /// Only runs of this pipeline.
        #[arg(long)]
        pipeline: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show a run.
    Show {
        /// Its id, or its number.
        run: String,
    },
    /// Compare the models of runs.
    Compare {
        /// Ids or numbers.
        #[arg(required = true)]
        runs: Vec<String>,
    },
    /// Print the log of a run or of one step.
    Log {
        /// Its id, or its number.
        run: String,
        /// The step.
        step: Option<String>,
    },
    /// Stop a run.
    Cancel {
        /// Its id, or its number.
        run: String,
    },
    /// Go on with a run that failed, was stopped or died: what was done comes from the cache.
    Resume {
        /// Its id, or its number.
        run: String,
        /// Threads in all; as many as the machine has if left out.
        #[arg(long, short = 't')]
        threads: Option<u32>,
    },
    /// Repeat a run from what it recorded and compare the bytes; exits 4 if they differ.
    Reproduce {
        /// Its id, or its number.
        run: String,
        /// Threads in all; as many as the run had if left out.
        #[arg(long, short = 't')]
        threads: Option<u32>,
    },
    /// Show the receipts of a run that was repeated.
    Receipts {
        /// Its id, or its number.
        run: String,
    },
}

/// A model and a version of it.
#[derive(Debug, ClapArgs)]
pub struct ModelArgs {
    /// The model, or `model@version` with a number or an alias.
    pub model: String,
}

/// Verbs of `fettle model`.
#[derive(Debug, Subcommand)]
pub enum ModelVerb {
    /// List the models.
    List,
    /// Show a model, or one of its versions.
    Show(ModelArgs),
    /// Register a model that a run trained.
    Register {
        /// The run's id, or its number.
        run: String,
        /// The step that trained it; the best one if left out.
        #[arg(long)]
        step: Option<String>,
        /// The model's name.
        #[arg(long)]
        name: Option<String>,
    },
    /// Say whether a version may have an alias; exits 4 if not.
    Test {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The alias.
        #[arg(long, default_value = "production")]
        to: String,
    },
    /// Give an alias to a version if its gate is open; exits 4 if not.
    Promote {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The alias.
        #[arg(long, default_value = "production")]
        to: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Write the package as a folder.
    Export {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The folder to write.
        #[arg(long, short = 'o')]
        to: PathBuf,
    },
    /// Score the stored rows again and compare with what the run predicted.
    Verify(ModelArgs),
    /// Score a CSV file.
    Predict {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The file to score.
        #[arg(long, short = 'i')]
        input: PathBuf,
        /// The file to write.
        #[arg(long, short = 'o')]
        output: PathBuf,
    },
}

/// Verbs of `fettle target`.
#[derive(Debug, Subcommand)]
pub enum TargetVerb {
    /// List where models can go.
    List,
}

/// Verbs of `fettle deployment`.
#[derive(Debug, Subcommand)]
pub enum DeploymentVerb {
    /// Put a model version somewhere.
    Create {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The target.
        #[arg(long, default_value = "local")]
        target: String,
        /// The deployment's name.
        #[arg(long)]
        name: Option<String>,
        /// The port.
        #[arg(long)]
        port: Option<u16>,
    },
    /// List the deployments.
    List,
    /// Show a deployment with a command to call it.
    Status {
        /// Its name or id.
        deployment: String,
    },
    /// Print its log.
    Log {
        /// Its name or id.
        deployment: String,
    },
    /// Go back to the revision before, or to the one given.
    Rollback {
        /// Its name or id.
        deployment: String,
        /// The revision.
        #[arg(long)]
        to: Option<u32>,
    },
    /// Stop it.
    Stop {
        /// Its name or id.
        deployment: String,
    },
    /// Start it again.
    Start {
        /// Its name or id.
        deployment: String,
    },
    /// Send it a row: the sample row, or the JSON object given.
    Try {
        /// Its name or id.
        deployment: String,
        /// Input by name.
        row: Option<String>,
    },
}

/// Verbs of `fettle monitor`.
#[derive(Debug, Subcommand)]
pub enum MonitorVerb {
    /// Show traffic, latency, errors and drift; exits 5 on an alarm.
    Status {
        /// The deployment's name or id.
        deployment: String,
    },
    /// Compare a file with the training data; exits 5 on an alarm.
    Check {
        /// The deployment's name or id.
        deployment: String,
        /// A CSV file with the model's inputs.
        file: PathBuf,
    },
    /// Send the validation rows, or those of a file, through the endpoint.
    Replay {
        /// The deployment's name or id.
        deployment: String,
        /// A CSV file with the model's inputs.
        file: Option<PathBuf>,
    },
}

/// Verbs of `fettle daemon`.
#[derive(Debug, Subcommand)]
pub enum DaemonVerb {
    /// Own the workspace and answer on a loopback port until stopped.
    Start {
        /// The port; 0 for a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Leave when nobody listens and nothing runs, as the window's own daemon does.
        #[arg(long)]
        leave_when_idle: bool,
        /// The folder of the built screens, for a browser.
        #[arg(long)]
        screens: Option<PathBuf>,
    },
    /// Say whether one runs, and where.
    Status,
    /// Stop it.
    Stop,
}
