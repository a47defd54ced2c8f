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
