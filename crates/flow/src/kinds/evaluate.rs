//! `evaluate`: measure a model on rows it has not learnt from, by scoring them with the very
//! package that will be served.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::array::{BooleanArray, UInt32Array};
use base::{Code, Error, Result};
use learn::explain::{PermutationSettings, importance_metric, package_importance};
use learn::figures::{Figure, evaluation_figures, importance_figure};
use learn::package::{predictions_of, raw_batch};
use learn::{TargetColumn, metrics};
use schemars::JsonSchema;
use score::{Card, Package};
use serde::{Deserialize, Serialize};

use super::table::{Part, Table, keep_rows, no_target};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// Named numbers: a metrics artifact, and beside an evaluated model.
pub const METRICS_FILE: &str = "metrics.json";
/// Figures beside an evaluated model.
pub const FIGURES_FILE: &str = "figures.json";
/// Figures and notes: a report artifact.
pub const REPORT_FILE: &str = "report.json";

/// Importance is measured on at most so many rows.
const IMPORTANCE_ROWS: usize = 10_000;

/// What `metrics.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelMetrics {
    /// By name.
    pub metrics: BTreeMap<String, f64>,
    /// `test`, `validation` or `train`.
    pub on: String,
    /// How many rows.
    pub rows: u64,
    /// The trainer's kind.
    pub trainer: String,
}

/// What `report.json` holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// In the order to be shown.
    pub figures: Vec<Figure>,
    /// Remarks in plain words.
    pub notes: Vec<String>,
}

impl ModelMetrics {
    /// Those in a folder, if it has any.
    ///
    /// # Errors
    /// They are there and cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        read_json(&folder.join(METRICS_FILE))
    }
}

impl Report {
    /// The one in a folder, if it has one.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        read_json(&folder.join(REPORT_FILE))
    }
}

/// The kind `evaluate`.
pub struct Evaluate;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The rows to measure on.
    on: On,
    /// Times each feature is shuffled to measure how much it matters; 0 to leave that out.
    #[schemars(range(min = 0, max = 50))]
    importance_repeats: u32,
}

/// The rows to measure on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// The test rows, which no step has looked at.
    Test,
    /// The validation rows, by which training may have stopped.
    Validation,
    /// The rows it has learnt from; flattering.
    Train,
}

impl Default for Params {
    fn default() -> Self {
        Self { on: On::Test, importance_repeats: 5 }
    }
}

impl On {
    /// The part of a split table.
    pub fn part(self) -> Part {
        match self {
            Self::Test => Part::Test,
            Self::Validation => Part::Validation,
            Self::Train => Part::Train,
        }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Train => "train",
        }
    }
}

impl Kind for Evaluate {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "evaluate",
            version: 2,
            title: "Evaluate",
            category: Category::Evaluate,
            summary: "Measures a model on rows it has not learnt from.",
            doc: "Scores raw rows with the package itself, so that the figures hold for what will be served. \
                  Wire the table that comes out of `split` (any table after it does too: raw columns are \
                  kept). Classes: AUC, accuracy, F1, log loss, confusion, ROC, calibration. Numbers: RMSE, \
                  MAE, R2, residuals. Importance by permutation, on at most 10,000 of the rows.",
            synonyms: &["test", "metrics", "score", "validate", "auc", "roc", "confusion", "rmse"],
            inputs: const {
                &[
                    Port::one("model", PortType::Model, "A trained model."),
                    Port::one("table", PortType::Table, "Rows with the model's inputs and the target."),
                ]
            },
            outputs: const {
                &[
                    Port::one("model", PortType::Model, "The model with its metrics and figures."),
                    Port::one("metrics", PortType::Metrics, "The metrics alone."),
                    Port::one("report", PortType::Report, "The figures alone."),
                ]
            },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        _params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        match inputs.table("table") {
            Some(shape) if shape.target.is_none() => Err(no_target().into()),
            _ => Ok(None),
        }
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let folder = work.input("model")?;
        let package = Package::load(folder)?;
        let card = package.card().ok_or_else(|| Error::internal("a trained model has no card"))?;
        let table = Table::read(work.input("table")?)?;
        let mut notes = Vec::new();
        let rows = rows_to_judge(&table, params.on, card, &mut notes)?;
        work.progress.step("scoring", 0, None)?;
        let target = target_of(card, &table)?;
        let (truth, with_target) = learn::truth(std::slice::from_ref(&rows), &target)?;
        let rows = take(&rows, with_target)?;
        if rows.num_rows() == 0 {
            return Err(Error::invalid(format!(
                "there are no {} rows with a target to measure on",
                params.on.word()
            ))
            .hint("give the split a share for them, or measure on others"));
        }
        let batch = raw_batch(&card.signature.inputs, &rows)?;
        let said = predictions_of(card, &package.predict(&batch)?)?;
        let found: BTreeMap<String, f64> = metrics::evaluate(&truth, &said)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let mut figures = evaluation_figures(&truth, &said, &card.classes);
        if params.importance_repeats > 0 {
            let settings =
                PermutationSettings { repeats: params.importance_repeats, ..PermutationSettings::default() };
            let sample = spread_over(&rows)?;
            let (truth, _) = learn::truth(std::slice::from_ref(&sample), &target)?;
            let batch = raw_batch(&card.signature.inputs, &sample)?;
            let items = package_importance((&package, card), &batch, &truth, settings, &work.progress)?;
            let metric = importance_metric(&truth);
            let title = metrics::metric_doc(metric).map_or(metric, |metric| metric.title);
            figures.push(importance_figure(&format!("fall of {title} when shuffled"), items));
        }
        for (name, value) in &found {
            work.log(&format!("{name} {}", base::number(*value, 6)));
        }
        let measured = ModelMetrics {
            metrics: found,
            on: params.on.word().to_owned(),
            rows: rows.num_rows() as u64,
            trainer: card.trainer.kind.clone(),
        };
        write_outputs(work, folder, &measured, figures, notes)?;
        Ok(Outcome { summary: face(&measured.metrics), metrics: measured.metrics, ..Outcome::default() })
    }
}

/// The rows of a table that a model is measured on. Of a table that is not split that is all of them,
/// which is noted.
///
/// # Errors
/// The table has another target than the model.
pub fn rows_to_judge(
    table: &Table,
    on: On,
    card: &Card,
    notes: &mut Vec<String>,
) -> Result<arrow::array::RecordBatch> {
    if table.meta.target.as_deref() != Some(card.target.as_str()) {
        let found = table.meta.target.as_deref().unwrap_or("nothing");
        return Err(Error::invalid(format!(
            "the model predicts `{}`, the table's target is `{found}`",
            card.target
        ))
        .hint("wire a table with the same target"));
    }
    if !table.meta.split {
        notes.push("the table is not split, so these are rows the model has learnt from".to_owned());
        return Ok(table.rows.clone());
    }
    let mask: BooleanArray = table.parts().iter().map(|part| Some(*part == on.part().number())).collect();
    keep_rows(&table.rows, &mask)
}

fn target_of(card: &Card, table: &Table) -> Result<TargetColumn> {
    let task = match card.task {
        score::Task::Binary => data::Task::Binary,
        score::Task::Multiclass => data::Task::Multiclass,
        score::Task::Regression => data::Task::Regression,
    };
    let kind = table.meta.column(&card.target)?.kind;
    Ok(TargetColumn { name: card.target.clone(), kind, task, classes: card.classes.clone() })
}

/// As many rows as importance is measured on, evenly spread: its deviation over the repeats is far larger
/// than what more rows would tell.
fn spread_over(rows: &arrow::array::RecordBatch) -> Result<arrow::array::RecordBatch> {
    let all = rows.num_rows();
    if all <= IMPORTANCE_ROWS {
        return Ok(rows.clone());
    }
    take(rows, (0..IMPORTANCE_ROWS).map(|at| (at * all / IMPORTANCE_ROWS) as u32).collect())
}

fn take(rows: &arrow::array::RecordBatch, at: Vec<u32>) -> Result<arrow::array::RecordBatch> {
    arrow::compute::take_record_batch(rows, &UInt32Array::from(at))
        .map_err(|e| Error::internal("cannot pick rows of a table").because(e))
}

fn write_outputs(
    work: &Work,
    package: &Path,
    measured: &ModelMetrics,
    figures: Vec<Figure>,
    notes: Vec<String>,
) -> Result<()> {
    let model = work.output("model")?;
    copy_folder(package, &model)?;
    write_json(&model.join(METRICS_FILE), measured)?;
    write_json(&model.join(FIGURES_FILE), &figures)?;
    write_json(&work.output("metrics")?.join(METRICS_FILE), measured)?;
    write_json(&work.output("report")?.join(REPORT_FILE), &Report { figures, notes })
}

/// The line on the node's face: the metric that matters most.
pub fn face(metrics: &BTreeMap<String, f64>) -> String {
    let order = ["auc", "accuracy", "r2", "rmse"];
    let found = order.iter().find_map(|name| Some((name, metrics.get(*name)?)));
    found.map_or_else(String::new, |(name, value)| {
        let title = metrics::metric_doc(name).map_or(*name, |metric| metric.title);
        format!("{title} {}", base::number(*value, 4))
    })
}

/// Copies a folder, by links where the disk allows: artifacts are never changed in place.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| Error::io("create", to, &e))?;
    for entry in fs::read_dir(from).map_err(|e| Error::io("list", from, &e))? {
        let path = entry.map_err(|e| Error::io("list", from, &e))?.path();
        let place = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &place)?;
        } else if fs::hard_link(&path, &place).is_err() {
            fs::copy(&path, &place).map_err(|e| Error::io("copy a file to", &place, &e))?;
        }
    }
    Ok(())
}

/// Writes a value as JSON for people. What is there already is replaced, never changed: it may be
/// a link to another artifact.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|e| Error::internal("cannot write JSON").because(e))?;
    text.push(b'\n');
    if path.exists() {
        fs::remove_file(path).map_err(|e| Error::io("replace", path, &e))?;
    }
    fs::write(path, text).map_err(|e| Error::io("write", path, &e))
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| Error::new(Code::Corrupt, format!("cannot read `{}`", path.display())).because(e)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", path, &e)),
    }
}
