//! The arguments of sweeps, triggers and exports.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// Sweeps: `fettle sweep PIPELINE --param …` begins one.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SweepArgs {
    /// What to do with a sweep that is there.
    #[command(subcommand)]
    pub verb: Option<SweepVerb>,
    /// What to begin.
    #[command(flatten)]
    pub begin: SweepBegin,
}

/// A sweep to begin.
#[derive(Debug, ClapArgs)]
pub struct SweepBegin {
    /// The pipeline.
    #[arg(required = true)]
    pub pipeline: Option<String>,
    /// What may be tried: `step.parameter=0.01..0.3:log`, `=10..200`, `=10..200:10`, `=a|b`.
    #[arg(long, required = true)]
    pub param: Vec<String>,
    /// The metric to choose by.
    #[arg(long, required = true)]
    pub metric: Option<String>,
    /// More of it is better.
    #[arg(long, conflicts_with = "min")]
    pub max: bool,
    /// Less of it is better.
    #[arg(long)]
    pub min: bool,
    /// The step that measures it; found if left out.
    #[arg(long)]
    pub step: Option<String>,
    /// The rows that trials are measured on.
    #[arg(long, default_value = "validation")]
    pub on: String,
    /// How the next trial is chosen.
    #[arg(long, value_enum, default_value_t)]
    pub method: Method,
    /// The most trials.
    #[arg(long, default_value_t = 50)]
    pub trials: u32,
    /// No trial begins after so many minutes.
    #[arg(long, default_value_t = 0)]
    pub minutes: u32,
    /// Trials at the same time.
    #[arg(long, default_value_t = 1)]
    pub parallel: u32,
    /// Which trials are given up early.
    #[arg(long, value_enum, default_value_t)]
    pub stop: Stopping,
    /// Fixes the random choices.
    #[arg(long, default_value_t = 1)]
    pub seed: u32,
    /// The sweep's name; the pipeline's if left out.
    #[arg(long)]
    pub name: Option<String>,
    /// Threads of all trials together; as many as the machine has if left out.
    #[arg(long, short = 't')]
    pub threads: Option<u32>,
}

/// How the next trial is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Every combination.
    Grid,
    /// At random.
    Random,
    /// Where good results were so far.
    #[default]
    Tpe,
}

impl Method {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Tpe => "tpe",
        }
    }
}

/// Which trials are given up early.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Stopping {
    /// None.
    #[default]
    Never,
    /// Those whose best is worse than the median of the others.
    Median,
    /// Those that are not among the best third at certain rounds.
    Asha,
}

impl Stopping {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Median => "median",
            Self::Asha => "asha",
        }
    }
}

/// Verbs of `fettle sweep`.
#[derive(Debug, Subcommand)]
pub enum SweepVerb {
    /// Begin the sweep of a file in the project, `sweeps/NAME.toml`.
    Start {
        /// Its name.
        sweep: String,
        /// Threads of all trials together; as many as the machine has if left out.
        #[arg(long, short = 't')]
        threads: Option<u32>,
    },
    /// List the sweeps, newest first.
    List,
    /// Show what was tried and what came of it.
    Show {
        /// Its name, or the number of its run.
        sweep: String,
    },
    /// Begin no more trials; those that work come to their end.
    Pause {
        /// Its name, or the number of its run.
        sweep: String,
    },
    /// Go on with a sweep that was paused or died.
    Resume {
        /// Its name, or the number of its run.
        sweep: String,
        /// Threads of all trials together; as many as the machine has if left out.
        #[arg(long, short = 't')]
        threads: Option<u32>,
    },
    /// Put what the best trial tried into the pipeline.
    Apply {
        /// Its name, or the number of its run.
        sweep: String,
        /// Another trial than the best.
        #[arg(long)]
        trial: Option<u32>,
    },
}

/// What a pipeline can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScriptFormat {
    /// A script for `sh`.
    Shell,
    /// A Makefile.
    Make,
    /// A Python script.
    Python,
}

impl ScriptFormat {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Make => "make",
            Self::Python => "python",
        }
    }
}

/// What a report of a run can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a comment under a change.
    Markdown,
    /// One page with figures that needs nothing from elsewhere.
    Html,
    /// XML, one case a step.
    Junit,
    /// Text that GitLab and Prometheus read.
    Openmetrics,
}

impl ReportFormat {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Openmetrics => "openmetrics",
        }
    }

    /// What a file of this name holds.
    pub fn of(file: &std::path::Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_lowercase().as_str() {
            "md" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            "xml" => Some(Self::Junit),
            "txt" | "prom" => Some(Self::Openmetrics),
            _ => None,
        }
    }
}

/// Verbs of `fettle trigger`.
#[derive(Debug, Subcommand)]
pub enum TriggerVerb {
    /// Set a trigger, in place of the one of this name.
    Add(Box<TriggerAdd>),
    /// List the triggers with when they run next and why they ran last.
    List,
    /// Let a trigger do nothing until it is resumed.
    Pause {
        /// Its name.
        trigger: String,
    },
    /// Let a trigger work again; what happened meanwhile counts for nothing.
    Resume {
        /// Its name.
        trigger: String,
    },
    /// Remove a trigger.
    Remove {
        /// Its name.
        trigger: String,
    },
    /// Show what a trigger did, newest first.
    History {
        /// Its name.
        trigger: String,
    },
}

/// A trigger to set: exactly one of what it can look at.
#[derive(Debug, ClapArgs)]
pub struct TriggerAdd {
    /// Its name.
    pub name: String,
    /// The pipeline that it runs.
    #[arg(long)]
    pub pipeline: String,
    /// On a new version of this dataset.
    #[arg(long, group = "on")]
    pub dataset: Option<String>,
    /// When this file, or anything in this folder, has changed.
    #[arg(long, group = "on")]
    pub path: Option<std::path::PathBuf>,
    /// At these times, as cron writes them: `0 6 * * 1-5`.
    #[arg(long, group = "on")]
    pub schedule: Option<String>,
    /// The time zone of the schedule; UTC if left out.
    #[arg(long)]
    pub zone: Option<String>,
    /// After a run of this pipeline that came to its end.
    #[arg(long, group = "on")]
    pub after: Option<String>,
    /// When the monitor of this deployment raises an alert.
    #[arg(long, group = "on")]
    pub drift: Option<String>,
    /// What the run makes is to replace what this deployment serves, if the gate lets it.
    #[arg(long)]
    pub retrain: Option<String>,
    /// Deploy what passes the gate; else it is proposed.
    #[arg(long, requires = "retrain")]
    pub deploy: bool,
    /// Leave out times at which Fettle did not run; else one run makes up for them.
    #[arg(long)]
    pub skip_missed: bool,
    /// A change counts once nothing more has happened for so many seconds.
    #[arg(long)]
    pub settle: Option<u32>,
}
