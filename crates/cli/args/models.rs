//! The verbs of models, of the endpoints that serve them, and of what watches those.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

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
    /// Run the tests of a version; exits 4 if one keeps it from moving on.
    Test {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// A TOML file of tests to run instead of the project's.
        #[arg(long)]
        suite: Option<PathBuf>,
        /// A file to write the report to: `.html`, `.md`, `.xml` (JUnit) or `.json`.
        #[arg(long)]
        report: Option<PathBuf>,
    },
    /// Print the file of tests of a model, or the one that is suggested if it has none.
    Tests(ModelArgs),
    /// Say what a version answers to a row, to a changed one, and why.
    WhatIf {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The row as a JSON object; the package's example if left out.
        #[arg(long)]
        row: Option<String>,
        /// A change, such as `age=40`; may be given several times.
        #[arg(long = "set", value_name = "COLUMN=VALUE")]
        changes: Vec<String>,
    },
    /// Say what matters to a version, column by column.
    Importance(ModelArgs),
    /// Say how the answers of a version follow a column.
    Effect {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The column.
        column: String,
    },
    /// Sign that you approve a version.
    Approve {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// Why.
        #[arg(long)]
        note: Option<String>,
    },
    /// Sign that you take your approval back.
    Withdraw {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// Why.
        #[arg(long)]
        note: Option<String>,
    },
    /// List what people signed about a version.
    Approvals(ModelArgs),
    /// Print the card of a model, or a first one, and say which of its numbers are stale; exits 4 if any is.
    Card(ModelArgs),
    /// Write the passport of a version: one signed file that can be verified anywhere.
    Passport {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The file to write.
        #[arg(long, short = 'o')]
        to: PathBuf,
    },
    /// Say whether a version may have an alias, and which demands it does not meet; exits 4 if not.
    Gate {
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
    /// Verify a passport file, or score the stored rows of a version again and compare with the run.
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
    /// Show a target with its parameters.
    Show {
        /// Its name.
        target: String,
    },
}

/// Verbs of `fettle deployment`.
#[derive(Debug, Subcommand)]
pub enum DeploymentVerb {
    /// Put a model version somewhere.
    Create {
        /// Which.
        #[command(flatten)]
        which: ModelArgs,
        /// The target; that of the deployment if there is one, else `local`.
        #[arg(long)]
        target: Option<String>,
        /// A parameter of the target, see `fettle target show`; may be given again.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// The deployment's name.
        #[arg(long)]
        name: Option<String>,
        /// The port.
        #[arg(long)]
        port: Option<u16>,
        /// Only say what would be done.
        #[arg(long)]
        plan: bool,
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
    /// Take it away, here and where it was put.
    Remove {
        /// Its name or id.
        deployment: String,
    },
    /// Score the files that a deployment of the target `batch` has not scored yet.
    Score {
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
    /// Write one HTML file that shows how it does; exits 5 on an alarm.
    Report {
        /// The deployment's name or id.
        deployment: String,
        /// The file to write.
        #[arg(long, short = 'o')]
        to: PathBuf,
        /// Look back so many minutes; since the beginning if left out.
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// Show how drift went, window by window; exits 5 if the newest window has an alarm.
    Windows {
        /// The deployment's name or id.
        deployment: String,
        /// So many rows make a window.
        #[arg(long, default_value_t = 500, conflicts_with = "minutes")]
        rows: u32,
        /// So many minutes make a window.
        #[arg(long)]
        minutes: Option<u32>,
        /// How far windows are apart, in the same unit; they do not overlap if left out.
        #[arg(long)]
        step: Option<u32>,
        /// Compare with the traffic from this moment on (ms since 1970) instead of the training data.
        #[arg(long, requires = "to")]
        from: Option<i64>,
        /// And before this one.
        #[arg(long, requires = "from")]
        to: Option<i64>,
        /// The test: ks, chi_square, wasserstein, jensen_shannon or psi.
        #[arg(long)]
        test: Option<String>,
    },
    /// Tell what turned out to be true of requests, from a table that knows it.
    Label {
        /// The deployment's name or id.
        deployment: String,
        /// A file with the true answers.
        #[arg(required_unless_present = "dataset", conflicts_with = "dataset")]
        file: Option<PathBuf>,
        /// A dataset whose newest version has them.
        #[arg(long)]
        dataset: Option<String>,
        /// The column of true answers; the one that the model predicts if left out.
        #[arg(long)]
        column: Option<String>,
        /// The column with ids of requests; `request_id` if there is such a column.
        #[arg(long, conflicts_with = "on")]
        id: Option<String>,
        /// An input by which requests are found where there are no ids; may be given again. All that the
        /// table has if left out.
        #[arg(long)]
        on: Vec<String>,
    },
    /// Show how good the answers are, measured and estimated; exits 5 if the newest window has an alarm.
    Performance {
        /// The deployment's name or id.
        deployment: String,
        /// So many rows make a window.
        #[arg(long, default_value_t = 200, conflicts_with = "minutes")]
        rows: u32,
        /// So many minutes make a window.
        #[arg(long)]
        minutes: Option<u32>,
        /// How far windows are apart, in the same unit; they do not overlap if left out.
        #[arg(long)]
        step: Option<u32>,
        /// The metric, such as auc; accuracy for classes and mae for numbers if left out.
        #[arg(long)]
        metric: Option<String>,
    },
    /// Train it anew on fresh data and propose what passes the gate; exits 4 if the gate refuses it.
    Retrain {
        /// The deployment's name or id.
        deployment: String,
        /// The pipeline; the one that made what serves if left out.
        #[arg(long)]
        pipeline: Option<String>,
        /// Deploy what passes the gate at once.
        #[arg(long)]
        deploy: bool,
        /// What becomes of the requests whose truth is known: add, replace (the data) or leave.
        #[arg(long, default_value = "add", value_parser = ["add", "replace", "leave"])]
        traffic: String,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Answer the requests that callers really sent by another version, and show what would change.
    Rehearse {
        /// The deployment's name or id.
        deployment: String,
        /// The version: a number or an alias.
        #[arg(default_value = "challenger")]
        version: String,
    },
    /// Try policies of retraining on history.
    Backtest {
        /// The deployment's name or id.
        deployment: String,
        /// The pipeline; the one that made what serves if left out.
        #[arg(long)]
        pipeline: Option<String>,
        /// The dataset with the history; the one that what serves learned from if left out.
        #[arg(long)]
        dataset: Option<String>,
        /// The column by which rows come one after the other.
        #[arg(long)]
        order_by: Option<String>,
        /// Into how many windows what comes after the first three tenths is cut.
        #[arg(long, default_value_t = 8)]
        windows: u32,
        /// `never`, `every 2` (windows), `psi 0.2` or `drop 0.05`; may be given again.
        #[arg(long = "policy")]
        policies: Vec<String>,
    },
    /// Show what is proposed for it; exits 2 if nothing is.
    Proposal {
        /// The deployment's name or id.
        deployment: String,
    },
    /// Deploy what is proposed; exits 8 if an approval is missing, 4 if the gate refuses it.
    Accept {
        /// The deployment's name or id.
        deployment: String,
    },
    /// Say no to what is proposed.
    Dismiss {
        /// The deployment's name or id.
        deployment: String,
    },
    /// Hold the channels back from its alerts.
    Silence {
        /// The deployment's name or id.
        deployment: String,
        /// For so many minutes; 0 ends a silence.
        #[arg(long)]
        minutes: u32,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show the channels by which alerts leave, or set them.
    Channels {
        /// A file to take the place of `alerts.toml`.
        #[arg(long)]
        set: Option<PathBuf>,
    },
    /// Send a trial alert by a channel; exits 1 if it does not take it.
    TryChannel {
        /// The channel's name.
        channel: String,
    },
    /// Say that somebody knows of an alert.
    Acknowledge {
        /// The alert's number, as `status` shows it.
        alert: i64,
    },
    /// Send the validation rows, or those of a file, through the endpoint.
    Replay {
        /// The deployment's name or id.
        deployment: String,
        /// A CSV file with the model's inputs.
        file: Option<PathBuf>,
    },
}
