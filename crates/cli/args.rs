//! The arguments: nouns and verbs as in the list of commands.

pub mod data;
pub mod models;
pub mod runs;
pub mod work;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use data::{ConnectionVerb, DatasetVerb, TrashVerb};
use models::{DeploymentVerb, ModelVerb, MonitorVerb, TargetVerb};
pub use runs::{LookArgs, MarkArgs};

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
    /// Runs of pipelines and of scripts; `fettle run -- python train.py` starts a script as a run.
    #[command(args_conflicts_with_subcommands = true)]
    Run {
        /// What to do.
        #[command(subcommand)]
        verb: Option<RunVerb>,
        /// The command to run, and how.
        #[command(flatten)]
        capture: CaptureArgs,
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
        /// What to do instead of listing it.
        #[command(subcommand)]
        verb: Option<AuditVerb>,
    },
    /// What a project asks of a model before it may have an alias.
    Policy {
        /// What to do.
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// Who signs on this machine.
    Identity {
        /// What to do.
        #[command(subcommand)]
        verb: IdentityVerb,
    },
    /// What scripts log through MLflow's API.
    Track {
        /// What to do.
        #[command(subcommand)]
        verb: TrackVerb,
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
        /// As it was in this commit: the first digits of its id, or a name such as `main~2`.
        #[arg(long, value_name = "COMMIT")]
        at: Option<String>,
    },
    /// List the commits that changed a pipeline.
    Log {
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
    /// Say what is wrong with a pipeline, and for a file where.
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

/// A command that is run as a run.
#[derive(Debug, ClapArgs)]
pub struct CaptureArgs {
    /// The experiment it goes into; `/` makes folders.
    #[arg(long)]
    pub experiment: Option<String>,
    /// The name of the run.
    #[arg(long)]
    pub name: Option<String>,
    /// A tag, as `key=value`; again for more.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,
    /// A file that it reads, to be kept with the run; again for more.
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The command, after two dashes.
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// Verbs of `fettle track`.
#[derive(Debug, Subcommand)]
pub enum TrackVerb {
    /// Serve until it is stopped, for scripts of this machine.
    Serve {
        /// The port; that of last time, or a free one, if left out.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// The token that scripts send; FETTLE_TRACKING_TOKEN, else the workspace's own, if left out.
        #[arg(long)]
        token: Option<String>,
    },
    /// Print what to set for a script, for a shell.
    Url,
    /// Take in what an `mlflow.db` or a folder `mlruns` holds. Doing it again changes nothing.
    Import {
        /// The database, the folder, or the folder that either is in.
        path: String,
        /// A folder in which files of its runs may be, beside those next to it; may be given again.
        #[arg(long)]
        artifacts: Vec<String>,
    },
    /// Write experiments, runs and models as a folder `mlruns` that MLflow opens.
    Export {
        /// The folder to make.
        path: String,
    },
}

/// Verbs of `fettle run`.
#[derive(Debug, Subcommand)]
pub enum RunVerb {
    /// List the runs, newest first, or as a look says.
    List {
        /// Only runs of this pipeline.
        #[arg(long)]
        pipeline: Option<String>,
        /// Which, and how.
        #[command(flatten)]
        look: LookArgs,
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// List the saved views of the table of runs.
    Views,
    /// Save a look as a view, which windows show too.
    SaveView {
        /// Its name.
        name: String,
        /// What it shows.
        #[command(flatten)]
        look: LookArgs,
    },
    /// Remove a saved view.
    DeleteView {
        /// Its name.
        name: String,
    },
    /// Put a star, a colour, a note or tags on runs.
    Mark(MarkArgs),
    /// Move runs to the trash.
    Delete {
        /// Ids or numbers.
        #[arg(required = true)]
        runs: Vec<String>,
    },
    /// Take runs out of the trash.
    Restore {
        /// Ids or numbers.
        #[arg(required = true)]
        runs: Vec<String>,
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
    /// Write what came of a run as a text for others: a comment, a page, figures for a build server.
    Report {
        /// Its id, or its number.
        run: String,
        /// The run to compare it with.
        #[arg(long)]
        against: Option<String>,
        /// What it is to be; the end of the file's name says it if left out, and Markdown is printed.
        #[arg(long, value_enum)]
        format: Option<work::ReportFormat>,
        /// Where to; nothing is there yet. Printed if left out.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Print the log of a run or of one step.
    Log {
        /// Its id, or its number.
        run: String,
        /// The step.
        step: Option<String>,
    },
    /// List the files that a script logged to a run.
    Files {
        /// Its id, or its number.
        run: String,
        /// A folder of the run.
        folder: Option<String>,
    },
    /// Write a file or a folder of a run to the disk.
    Save {
        /// Its id, or its number.
        run: String,
        /// The path in the run; all files if left out.
        path: Option<String>,
        /// Where to; nothing is there yet.
        #[arg(long)]
        to: PathBuf,
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

/// Verbs of `fettle audit`.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Check that every row is what was written; exits 6 if one was changed.
    Verify,
}

/// Verbs of `fettle policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Print the policy.
    Show,
    /// Replace the policy by the text of a file.
    Set {
        /// The file.
        file: PathBuf,
    },
}

/// Verbs of `fettle identity`.
#[derive(Debug, Subcommand)]
pub enum IdentityVerb {
    /// Print the name and the public key, which goes into `policy.toml`.
    Show,
    /// Make a key.
    New {
        /// The name of the person.
        person: String,
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
