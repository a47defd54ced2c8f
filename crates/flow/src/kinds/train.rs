//! `train_…`: one kind a trainer of `learn`, made from the trainer's own declaration.

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use base::{Error, Progress, Result};
use data::profile::{Profile, profile};
use data::{Column, Kind as ColumnKind};
use learn::figures::{ImportanceItem, curves_of, importance_figure};
use learn::package::{PackageParts, write_package};
use learn::recipe::Recipe;
use learn::{CurvePoint, Fitted, Predictions, Prepared, TRAINERS, Target, Trainer};
use score::Lineage;
use serde_json::{Map, Value, json};

use super::evaluate::{REPORT_FILE, Report, write_json};
use super::table::{Part, Table, no_target};
use crate::kind::{
    Category, Declaration, Misfit, Outcome, Port, PortType, Shapes, Source, SourceTable, StepKind,
    TableShape, Work,
};

/// The curve of a training, in the folder of its model.
pub const CURVES_FILE: &str = "curves.json";
/// Rows that were held out with what the trainer said of them, in the folder of its model.
pub const HELD_OUT_FOLDER: &str = "held_out";
/// What the trainer said is in hidden columns of the held-out table, under the output's name.
pub const OUTPUT_PREFIX: &str = "__out.";
/// What is true of the held-out rows is in this hidden column.
pub const TRUTH_COLUMN: &str = "__truth";
/// Rows that are held out for the proof of parity and for tests.
const HELD_OUT_ROWS: usize = 1000;

const INPUTS: &[Port] = &[Port::one("table", PortType::Table, "A prepared table with a target.")];
const OUTPUTS: &[Port] = &[
    Port::one("model", PortType::Model, "The model with its fitted transforms, as an MLflow directory."),
    Port::one("report", PortType::Report, "Curves of the training and importance of the features."),
];

/// The kind of a trainer.
pub struct Train {
    trainer: &'static Trainer,
    kind: String,
    title: String,
    summary: String,
}

/// One kind a trainer, in the order of `learn`'s list.
pub fn kinds() -> &'static [Train] {
    static KINDS: OnceLock<Vec<Train>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let kind = |trainer: &'static Trainer| Train {
            trainer,
            kind: format!("train_{}", trainer.kind),
            title: trainer.title.to_owned(),
            summary: trainer.doc.split_inclusive(". ").next().unwrap_or(trainer.doc).trim().to_owned(),
        };
        TRAINERS.iter().map(kind).collect()
    })
}

impl StepKind for Train {
    fn declaration(&self) -> Declaration {
        // The list of kinds lives as long as the program, and so does `self`.
        let this =
            kinds().iter().find(|kind| kind.kind == self.kind).expect("it is in the list it came from");
        Declaration {
            kind: &this.kind,
            version: self.trainer.version,
            title: &this.title,
            category: Category::Train,
            summary: &this.summary,
            doc: self.trainer.doc,
            synonyms: &["fit", "learn", "classifier", "regressor", "model", "sklearn", "xgboost", "lightgbm"],
            inputs: INPUTS,
            outputs: OUTPUTS,
            names_inputs: false,
        }
    }

    fn params_schema(&self) -> Value {
        (self.trainer.schema)()
    }

    fn defaults(&self) -> Value {
        (self.trainer.defaults)()
    }

    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit> {
        for (name, value) in params {
            let one = Map::from_iter([(name.clone(), value.clone())]);
            self.trainer.complete(&Value::Object(one)).map_err(|error| Misfit::param(name, error))?;
        }
        match self.trainer.complete(&Value::Object(params.clone()))? {
            Value::Object(complete) => Ok(complete),
            _ => Err(Error::internal("parameters are not an object").into()),
        }
    }

    fn source(&self, _params: &Map<String, Value>) -> Result<Option<Source>, Misfit> {
        Ok(None)
    }

    fn shape(
        &self,
        params: &Map<String, Value>,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        self.complete(params)?;
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        let Some(target) = &shape.target else { return Err(no_target().into()) };
        shape.column(target)?;
        let is_text = |column: &&Column| column.kind == ColumnKind::Text && column.name != *target;
        if let Some(column) = shape.columns.iter().find(is_text) {
            let error =
                Error::invalid(format!("column `{}` is text, which a trainer cannot use", column.name));
            return Err(error.hint("put an `encode` step before this one, or drop the column").into());
        }
        Ok(None)
    }

    fn run(&self, params: &Map<String, Value>, work: &Work) -> Result<Outcome> {
        let table = Table::read(work.input("table")?)?;
        let target = table.target()?.to_owned();
        let task = table.meta.task.ok_or_else(no_target)?;
        let prepared = learn::prepare(&table.meta.columns, std::slice::from_ref(&table.rows), &target, task)?;
        for (column, reason) in &prepared.ignored {
            work.log(&format!("note: `{column}` is not used: {reason}"));
        }
        let training = &prepared.training;
        work.log(&format!("{} rows, {} features", training.target.rows(), training.features.width()));
        let tell = |point: &CurvePoint| {
            (work.on_point)(&point.metric, f64::from(point.round), point.train, point.validation);
        };
        let fitted = self.trainer.fit(training, &Value::Object(params.clone()), &work.progress, tell)?;
        fitted.notes.iter().for_each(|note| work.log(&format!("note: {note}")));
        work.progress.step("writing the package", 0, None)?;
        let trained = Trained { table: &table, prepared: &prepared, fitted: &fitted };
        trained.write(&work.output("model")?)?;
        write_json(&work.output("report")?.join(REPORT_FILE), &report(&fitted))?;
        Ok(Outcome { summary: face(&fitted), ..Outcome::default() })
    }
}

/// A trained model with what it was trained on.
struct Trained<'a> {
    table: &'a Table,
    prepared: &'a Prepared,
    fitted: &'a Fitted,
}

impl Trained<'_> {
    fn write(&self, folder: &std::path::Path) -> Result<()> {
        let recipe = match self.table.recipe.ops.is_empty() {
            true => Recipe::start(&self.table.meta.columns, self.table.meta.target.as_deref()),
            false => self.table.recipe.clone(),
        };
        let inputs = recipe.for_features(&self.fitted.features)?.inputs;
        let said = self.fitted.model.predict(&self.prepared.training.features);
        let held_out = self.held_out();
        let train = self.rows_in(Part::Train);
        let baseline = json!({
            "inputs": profile_of(&self.raw(&inputs, &train)?)?,
            "outputs": profile_of(&self.answers(&said, if held_out.is_empty() { &train } else { &held_out })?)?,
        });
        let source = self.table.meta.source.clone();
        let parts = PackageParts {
            fitted: self.fitted,
            recipe: &recipe,
            target: &self.prepared.target,
            baseline,
            example: self.example(&inputs, held_out.first().or(train.first()).copied())?,
            lineage: Lineage {
                dataset: source.as_ref().map(|source| source.dataset.clone()),
                version_id: source.map(|source| source.version_id),
                ..Lineage::default()
            },
        };
        let card = write_package(folder, &parts)?;
        write_json(&folder.join(CURVES_FILE), &self.fitted.curve)?;
        if held_out.is_empty() {
            return Ok(());
        }
        let (mut columns, mut arrays) = self.raw(&inputs, &held_out)?;
        let outputs = card.signature.outputs.iter().map(|output| output.name.as_str());
        for (name, values) in numbers(&said, outputs, &held_out) {
            columns.push(Column::new(format!("{OUTPUT_PREFIX}{name}"), ColumnKind::Number));
            arrays.push(values);
        }
        let (kind, truth) = self.truth(&held_out);
        columns.push(Column::new(TRUTH_COLUMN, kind));
        arrays.push(truth);
        write_table(&folder.join(HELD_OUT_FOLDER), (columns, arrays)).map(drop)
    }

    /// Positions among the prepared rows that are in this part.
    fn rows_in(&self, part: Part) -> Vec<usize> {
        let parts = self.table.parts();
        let rows = self.prepared.rows.iter().enumerate();
        rows.filter(|(_, row)| parts[**row as usize] == part.number()).map(|(at, _)| at).collect()
    }

    /// Positions of rows that no training saw: evenly picked test rows, else validation rows.
    fn held_out(&self) -> Vec<usize> {
        let test = self.rows_in(Part::Test);
        let all = if test.is_empty() { self.rows_in(Part::Validation) } else { test };
        let step = all.len().div_ceil(HELD_OUT_ROWS).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// Raw columns of some rows.
    fn raw(&self, inputs: &[Column], at: &[usize]) -> Result<(Vec<Column>, Vec<ArrayRef>)> {
        let rows = UInt32Array::from_iter_values(at.iter().map(|at| self.prepared.rows[*at]));
        let take = |input: &Column| {
            arrow::compute::take(self.table.raw(&input.name)?, &rows, None)
                .map_err(|e| Error::internal("cannot pick rows of a table").because(e))
        };
        Ok((inputs.to_vec(), inputs.iter().map(take).collect::<Result<_>>()?))
    }

    /// What is true of some rows: the class by its name, or the number.
    fn truth(&self, at: &[usize]) -> (ColumnKind, ArrayRef) {
        match &self.prepared.training.target {
            Target::Classes { codes, .. } => {
                let names = &self.prepared.target.classes;
                let picked = at.iter().map(|at| names[codes[*at] as usize].as_str());
                (ColumnKind::Text, Arc::new(arrow::array::StringArray::from_iter_values(picked)))
            }
            Target::Numbers(values) => {
                let picked = at.iter().map(|at| values[*at]);
                (ColumnKind::Number, Arc::new(Float64Array::from_iter_values(picked)))
            }
        }
    }

    /// What the model says of some rows, as a person reads it: the class or the number.
    fn answers(&self, said: &Predictions, at: &[usize]) -> Result<(Vec<Column>, Vec<ArrayRef>)> {
        let classes = &self.prepared.target.classes;
        Ok(match said {
            Predictions::Numbers(values) => {
                let picked = Float64Array::from_iter_values(at.iter().map(|at| values[*at]));
                (vec![Column::new("prediction", ColumnKind::Number)], vec![Arc::new(picked) as ArrayRef])
            }
            Predictions::Probabilities { .. } => {
                let labels = said.labels().unwrap_or_default();
                let picked = at.iter().map(|at| classes[labels[*at] as usize].as_str());
                let picked = arrow::array::StringArray::from_iter_values(picked);
                (vec![Column::new("label", ColumnKind::Text)], vec![Arc::new(picked) as ArrayRef])
            }
        })
    }

    fn example(&self, inputs: &[Column], at: Option<usize>) -> Result<Map<String, Value>> {
        let Some(at) = at else { return Ok(Map::new()) };
        let (columns, arrays) = self.raw(inputs, &[at])?;
        Ok(columns
            .iter()
            .zip(&arrays)
            .map(|(column, array)| (column.name.clone(), cell(array, column.kind)))
            .collect())
    }
}

/// The first value of a column as JSON.
fn cell(array: &ArrayRef, kind: ColumnKind) -> Value {
    use arrow::array::AsArray as _;
    use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
    if array.is_null(0) {
        return Value::Null;
    }
    match kind {
        ColumnKind::Integer => json!(array.as_primitive::<Int64Type>().value(0)),
        ColumnKind::Number => json!(array.as_primitive::<Float64Type>().value(0)),
        ColumnKind::Boolean => json!(array.as_boolean().value(0)),
        ColumnKind::Text => json!(array.as_string::<i32>().value(0)),
        ColumnKind::Time => json!(array.as_primitive::<TimestampMillisecondType>().value(0)),
    }
}

/// The numbers among the answers, one column an output.
fn numbers<'a>(
    said: &Predictions,
    outputs: impl Iterator<Item = &'a str>,
    at: &[usize],
) -> Vec<(&'a str, ArrayRef)> {
    let pick = |values: &[f64]| {
        let picked = Float64Array::from_iter_values(at.iter().map(|at| values[*at]));
        Arc::new(picked) as ArrayRef
    };
    match said {
        Predictions::Numbers(values) => outputs.take(1).map(|name| (name, pick(values))).collect(),
        // The first output is the label, which follows from the probabilities.
        Predictions::Probabilities { .. } => outputs
            .skip(1)
            .enumerate()
            .filter_map(|(class, name)| Some((name, pick(&said.probability(class)?))))
            .collect(),
    }
}

/// Writes columns as a table.
pub fn write_table(
    folder: &std::path::Path,
    (columns, arrays): (Vec<Column>, Vec<ArrayRef>),
) -> Result<data::TableFile> {
    let batch = RecordBatch::try_new(data::arrow_schema(&columns), arrays)
        .map_err(|e| Error::internal("columns do not fit into one table").because(e))?;
    data::write(folder, data::TableMeta::new(columns), [Ok(batch)])
}

fn profile_of(columns: &(Vec<Column>, Vec<ArrayRef>)) -> Result<Profile> {
    let folder =
        tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    profile(&write_table(folder.path(), columns.clone())?, &Progress::silent())
}

fn report(fitted: &Fitted) -> Report {
    let importance = fitted.features.iter().zip(fitted.model.importance());
    let items =
        importance.map(|(feature, value)| ImportanceItem { feature: feature.clone(), value, spread: None });
    let bars = importance_figure("share of what the model learnt", items.collect());
    Report {
        figures: curves_of(&fitted.curve).into_iter().chain([bars]).collect(),
        notes: fitted.notes.clone(),
    }
}

/// The line on the node's face.
fn face(fitted: &Fitted) -> String {
    let shown = fitted.curve.last().map(|point| {
        let name =
            learn::metrics::metric_doc(&point.metric).map_or(point.metric.as_str(), |metric| metric.title);
        format!("{name} {}", base::number(point.validation.unwrap_or(point.train), 4))
    });
    shown.unwrap_or_else(|| format!("{} features", fitted.features.len()))
}
