//! `dataset`: a version of a dataset enters the pipeline.

use arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use base::{Error, Result};
use data::{DATA_FILE, META_FILE, TableFile};
use data::{Kind, Source as TableSource, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::face;
use crate::kind::{
    Category, Declaration, Misfit, Outcome, Port, PortType, Shapes, Source, SourceTable, TableShape, Work,
};

/// The kind `dataset`.
pub struct Dataset;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The dataset.
    #[schemars(extend("x-dataset" = true))]
    dataset: String,
    /// The version's number; empty for the newest, so that new data means a rerun.
    version: Option<u32>,
    /// The column to predict; empty for the one chosen in the dataset.
    #[schemars(extend("x-column" = true))]
    target: Option<String>,
    /// What kind of answer the target asks for; empty to tell from its values.
    task: Option<TaskParam>,
}

/// A task by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TaskParam {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

impl From<TaskParam> for Task {
    fn from(task: TaskParam) -> Self {
        match task {
            TaskParam::Binary => Self::Binary,
            TaskParam::Multiclass => Self::Multiclass,
            TaskParam::Regression => Self::Regression,
        }
    }
}

impl crate::kind::Kind for Dataset {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "dataset",
            version: 1,
            title: "Dataset",
            category: Category::Data,
            summary: "Brings a version of a dataset into the pipeline.",
            doc: "Takes the newest version unless a number is given: then a new version of the data does \
                  not change what this pipeline reads. The target is the column that models learn to predict.",
            synonyms: &["input", "load", "read", "csv", "source", "table"],
            inputs: &[],
            outputs: const { &[Port::one("table", PortType::Table, "The rows of the version.")] },
            names_inputs: false,
        }
    }

    fn source(&self, params: &Params) -> Option<Source> {
        let target = params.target.clone().filter(|target| !target.is_empty());
        (!params.dataset.is_empty()).then(|| Source {
            dataset: params.dataset.clone(),
            version: params.version,
            target,
        })
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let Some(source) = source else {
            let error =
                Error::invalid("no dataset is chosen").hint("choose one, or drop a file into the window");
            return Err(Misfit::param("dataset", error));
        };
        let target = chosen_target(params, source);
        let shape = TableShape {
            columns: source.columns.clone(),
            task: target.as_ref().and_then(|target| declared_task(params, source, target)),
            target,
            is_split: false,
            is_transformed: false,
        };
        if let Some(target) = &shape.target {
            shape.column(target).map_err(|error| Misfit::param("target", error))?;
        }
        Ok(Some(shape))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let source =
            work.source.as_ref().ok_or_else(|| Error::internal("the dataset step has no dataset"))?;
        let from = TableFile::open(&source.folder)?;
        let mut meta = from.meta().clone();
        meta.target = chosen_target(params, source);
        meta.task = match &meta.target {
            Some(target) => match declared_task(params, source, target) {
                Some(task) => Some(task),
                None => Some(task_of(&from, target)?),
            },
            None => None,
        };
        meta.source = Some(TableSource {
            dataset: source.dataset.clone(),
            version_id: source.version_id.clone(),
            number: u64::from(source.number),
        });
        let folder = work.output("table")?;
        let (data, here) = (source.folder.join(DATA_FILE), folder.join(DATA_FILE));
        // A link costs nothing; across disks, or where links are not allowed, the bytes are copied.
        if std::fs::hard_link(&data, &here).is_err() {
            std::fs::copy(&data, &here).map_err(|e| Error::io("copy a table to", &here, &e))?;
        }
        let json = serde_json::to_vec_pretty(&meta)
            .map_err(|e| Error::internal("cannot write what a table says of itself").because(e))?;
        let path = folder.join(META_FILE);
        std::fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))?;
        Ok(face(&meta))
    }
}

fn chosen_target(params: &Params, source: &SourceTable) -> Option<String> {
    params.target.clone().filter(|target| !target.is_empty()).or_else(|| source.target.clone())
}

fn declared_task(params: &Params, source: &SourceTable, target: &str) -> Option<Task> {
    let of_dataset = || source.task.filter(|_| source.target.as_deref() == Some(target));
    params.task.map(Task::from).or_else(of_dataset)
}

/// The task that goes with a column of a table.
fn task_of(table: &TableFile, target: &str) -> Result<Task> {
    let kind = table.meta().column(target)?.kind;
    let mut classes = Classes::default();
    for batch in table.batches(Some(&[target]))? {
        if !classes.add(batch?.column(0))? {
            break;
        }
    }
    Ok(classes.task(kind))
}

/// The task that goes with a column of rows; none if it is not there.
///
/// # Errors
/// Its values cannot be read.
pub fn task_in(rows: &RecordBatch, target: &str) -> Result<Option<Task>> {
    let Some(values) = rows.column_by_name(target) else { return Ok(None) };
    let mut classes = Classes::default();
    classes.add(values)?;
    Ok(Some(classes.task(Kind::of(values.data_type()))))
}

/// The first values of a target: text and truth values are classes, numbers only if there are two
/// of them.
#[derive(Default)]
struct Classes(std::collections::BTreeSet<String>);

impl Classes {
    /// Takes values in; false once there are enough.
    fn add(&mut self, values: &ArrayRef) -> Result<bool> {
        let values = arrow::compute::cast(values, &arrow::datatypes::DataType::Utf8)
            .map_err(|e| Error::internal("cannot read the target").because(e))?;
        for value in values.as_string::<i32>().iter().flatten() {
            if self.0.len() > 2 {
                return Ok(false);
            }
            if !self.0.contains(value) {
                self.0.insert(value.to_owned());
            }
        }
        Ok(self.0.len() <= 2)
    }

    fn task(&self, kind: Kind) -> Task {
        match kind {
            _ if self.0.len() <= 2 && kind != Kind::Time => Task::Binary,
            Kind::Text | Kind::Boolean => Task::Multiclass,
            Kind::Integer | Kind::Number | Kind::Time => Task::Regression,
        }
    }
}
