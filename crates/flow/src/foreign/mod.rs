//! Steps that run a program of the user's: files are laid out for it, it runs with its output in the
//! step's log, and what it made is taken only if it ended well and all of it is there.

mod desk;
mod log;
mod metrics;
mod program;
mod slots;
mod tables;

use std::collections::BTreeMap;
use std::process::Command;

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::{Arity, Misfit, Outcome, Port, PortType, Ports, Work};
use crate::kinds::{METRICS_FILE, ModelMetrics};

pub use desk::Desk;
pub use program::{Quiet, quiet};
pub use slots::{Side, Slot};

/// The output port with the metrics of a program.
const METRICS_PORT: &str = "metrics";
/// The output port with the files it wrote into its artifacts folder.
const ARTIFACTS_PORT: &str = "artifacts";

/// The port of the numbers in the file that FETTLE_METRICS names, which every such step has.
pub const METRICS: Port =
    Port::one(METRICS_PORT, PortType::Metrics, "The numbers that were written to FETTLE_METRICS.");
/// The port of the files in the folder that FETTLE_ARTIFACTS names, which every such step has.
pub const ARTIFACTS: Port =
    Port::one(ARTIFACTS_PORT, PortType::Files, "The files that were written into FETTLE_ARTIFACTS.");

/// Where a program works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// A new folder with the declared files and nothing else.
    #[default]
    Fresh,
    /// The project's folder, with all that is in it.
    Project,
}

/// As what a table is handed to a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Apache Parquet.
    #[default]
    Parquet,
    /// An Arrow file (Feather, version 2).
    Arrow,
    /// CSV in UTF-8 with a header.
    Csv,
}

impl Format {
    /// The ending of such a file.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
        }
    }
}

/// A step of foreign code, before it runs.
pub struct Job<'a> {
    /// What goes in.
    pub inputs: Vec<Slot>,
    /// What must come out.
    pub outputs: Vec<Slot>,
    /// Where it works.
    pub folder: Folder,
    /// As what tables are handed over, and as what outputs are expected that name no file.
    pub format: Format,
    /// The user's parameters.
    pub parameters: &'a Map<String, Value>,
    /// Programs that take part, with their versions, to be recorded.
    pub environment: BTreeMap<String, String>,
}

/// The ports that lists of inputs and outputs ask for.
///
/// # Errors
/// [`Misfit`] at `inputs` or `outputs`.
pub fn ports(inputs: &[String], outputs: &[String]) -> Result<Ports, Misfit> {
    let read = |param: &str, texts: &[String], side: Side| {
        slots::read_all(texts, side).map_err(|error| Misfit::param(param, error))
    };
    let arity = |slot: &Slot| if slot.is_optional { Arity::Optional } else { Arity::One };
    let input = |slot: &Slot| Port::named(&slot.name, slot.port_type, arity(slot), "As `inputs` says.");
    let output = |slot: &Slot| Port::named(&slot.name, slot.port_type, Arity::One, "As `outputs` says.");
    let inputs = read("inputs", inputs, Side::In)?.iter().map(input).collect();
    let made = read("outputs", outputs, Side::Out)?;
    Ok(Ports { inputs, outputs: made.iter().map(output).chain([METRICS, ARTIFACTS]).collect() })
}

/// The inputs and outputs that these lists declare.
///
/// # Errors
/// One of them cannot be read.
pub fn slots(inputs: &[String], outputs: &[String]) -> Result<(Vec<Slot>, Vec<Slot>)> {
    Ok((slots::read_all(inputs, Side::In)?, slots::read_all(outputs, Side::Out)?))
}

/// Lays out the files, runs the program that `command` makes for them, and takes what it made.
///
/// # Errors
/// A file cannot be laid out or has changed since the key was made; the program ended badly; an
/// output is missing or is not what it was declared to be.
pub fn run(job: &Job<'_>, work: &Work, command: impl FnOnce(&Desk) -> Result<Command>) -> Result<Outcome> {
    let desk = Desk::lay(job, work)?;
    let mut program = command(&desk)?;
    desk.furnish(&mut program);
    program::run(&mut program, work)?;
    desk.check_sources_again(work)?;
    let mut outcome = desk.take_outputs(job, work)?;
    let measured = metrics::read(&desk.metrics())?;
    for name in &measured.skipped {
        work.log(&format!("[fettle] metric `{name}` has no number and is left out"));
    }
    let folder = work.output(METRICS_PORT)?;
    let file =
        ModelMetrics { metrics: measured.last.clone(), on: String::new(), rows: 0, trainer: String::new() };
    let json =
        serde_json::to_vec_pretty(&file).map_err(|e| Error::internal("cannot write metrics").because(e))?;
    let path = folder.join(METRICS_FILE);
    std::fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))?;
    desk.take_artifacts(&work.output(ARTIFACTS_PORT)?)?;
    desk.clear()?;
    if outcome.summary.is_empty() {
        outcome.summary = face(&measured.last);
    }
    outcome.metrics = measured.last;
    outcome.series = measured.series;
    outcome.environment.clone_from(&job.environment);
    Ok(outcome)
}

/// The line on the node's face where there is no table to count.
fn face(metrics: &BTreeMap<String, f64>) -> String {
    let shown = metrics.iter().take(3).map(|(name, value)| format!("{name} {}", base::number(*value, 4)));
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "done".to_owned() } else { shown.join(", ") }
}
