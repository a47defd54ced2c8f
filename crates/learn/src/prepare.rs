//! From a table to what a trainer learns from: which columns are features, what the target's
//! classes are, which rows count.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use base::{Error, Result};
use data::{Column, Kind, SPLIT_COLUMN, Task, nearest};
use serde::{Deserialize, Serialize};

use crate::matrix::{Matrix, Part, Target, Training};
use crate::recipe::{Level, column_levels, column_numbers};

/// More classes than this are taken for a mistake: a number or a name chosen as the target.
const MOST_CLASSES: usize = 1_000;

/// The column to predict and its classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetColumn {
    /// The name.
    pub name: String,
    /// The kind of its values.
    pub kind: Kind,
    /// What is to be learned.
    pub task: Task,
    /// The classes in order, of which the second is the positive one of two; empty for numbers.
    pub classes: Vec<String>,
}

/// A table made ready for a trainer.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Features, target and parts of the rows that have a target.
    pub training: Training,
    /// The target.
    pub target: TargetColumn,
    /// The rows of the table that are in the training, ascending.
    pub rows: Vec<u32>,
    /// Columns that are no features, each with the reason.
    pub ignored: Vec<(String, String)>,
}

/// Makes a table ready for a trainer. Number and boolean columns become features; times do not;
/// text is an error, because leaving it out silently would cost accuracy unseen. Rows without a
/// target are left out.
///
/// # Errors
/// If the target is not there or does not fit the task, or a column is text.
pub fn prepare(columns: &[Column], batches: &[RecordBatch], target: &str, task: Task) -> Result<Prepared> {
    let target = target_column(columns, batches, target, task)?;
    let mut features = Vec::new();
    let mut ignored = Vec::new();
    for column in columns.iter().filter(|column| !column.is_hidden() && column.name != target.name) {
        match column.kind {
            Kind::Integer | Kind::Number | Kind::Boolean => features.push(column.name.clone()),
            Kind::Time => {
                ignored.push((column.name.clone(), "it is a time; derive numbers from it".to_owned()))
            }
            Kind::Text => {
                return Err(Error::invalid(format!(
                    "column `{}` is text, which a trainer cannot use",
                    column.name
                ))
                .hint("add an `encode` step before this one, or drop the column with a `select` step"));
            }
        }
    }
    let (truth, rows) = truth(batches, &target)?;
    if rows.is_empty() {
        return Err(Error::invalid(format!("no row has a value in the target `{}`", target.name))
            .hint("choose another target"));
    }
    let training = Training {
        features: features_of(batches, &features)?.take(&rows),
        target: truth,
        weights: None,
        parts: parts(batches)?.map(|parts| rows.iter().map(|row| parts[*row as usize]).collect()),
    };
    Ok(Prepared { training, target, rows, ignored })
}

/// These columns of a table as features, all rows.
///
/// # Errors
/// If a column is missing or is not a number.
pub fn features_of(batches: &[RecordBatch], names: &[String]) -> Result<Matrix> {
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let mut values: Vec<f32> = Vec::new();
        for batch in batches {
            values.extend(column_numbers(batch, name)?.into_iter().map(|value| value as f32));
        }
        columns.push(values);
    }
    Matrix::new(names.to_vec(), columns)
}

/// The true target of each row that has one, and these rows.
///
/// # Errors
/// If the column is missing or of another kind, or has a class that the target does not know.
pub fn truth(batches: &[RecordBatch], target: &TargetColumn) -> Result<(Target, Vec<u32>)> {
    let mut rows = Vec::new();
    let mut row = 0;
    if target.task == Task::Regression {
        let mut values = Vec::new();
        for batch in batches {
            for value in column_numbers(batch, &target.name)? {
                if value.is_finite() {
                    rows.push(row);
                    values.push(value);
                }
                row += 1;
            }
        }
        return Ok((Target::Numbers(values), rows));
    }
    let places: BTreeMap<&str, u32> = target.classes.iter().map(String::as_str).zip(0..).collect();
    let mut codes = Vec::new();
    for batch in batches {
        for level in column_levels(batch, &target.name)? {
            if let Some(level) = level {
                let label = level.label();
                let code = places.get(label.as_str()).ok_or_else(|| {
                    Error::invalid(format!(
                        "target `{}` has the class `{label}`, which the model does not know",
                        target.name
                    ))
                    .hint("train the model again with this class among its rows")
                })?;
                rows.push(row);
                codes.push(*code);
            }
            row += 1;
        }
    }
    Ok((Target::Classes { codes, count: target.classes.len() }, rows))
}

/// The part of the split that each row is in; nothing if the table has no split.
///
/// # Errors
/// If the split column holds anything but 0, 1 and 2.
pub fn parts(batches: &[RecordBatch]) -> Result<Option<Vec<Part>>> {
    let mut parts = Vec::new();
    for batch in batches {
        if batch.column_by_name(SPLIT_COLUMN).is_none() {
            return Ok(None);
        }
        for value in column_numbers(batch, SPLIT_COLUMN)? {
            parts.push(match value {
                0.0 => Part::Train,
                1.0 => Part::Validation,
                2.0 => Part::Test,
                _ => return Err(Error::new(base::Code::Corrupt, format!("`{SPLIT_COLUMN}` holds {value}"))),
            });
        }
    }
    Ok((!batches.is_empty()).then_some(parts))
}

fn target_column(
    columns: &[Column],
    batches: &[RecordBatch],
    name: &str,
    task: Task,
) -> Result<TargetColumn> {
    let Some(column) = columns.iter().find(|column| column.name == name) else {
        let error = Error::not_found(format!("there is no column `{name}` to predict"));
        let visible = columns.iter().filter(|column| !column.is_hidden()).map(|column| column.name.as_str());
        return Err(match nearest(name, visible) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("set the target in the `dataset` step"),
        });
    };
    let mut target = TargetColumn { name: name.to_owned(), kind: column.kind, task, classes: Vec::new() };
    if task == Task::Regression {
        if !column.kind.is_numeric() {
            return Err(Error::invalid(format!(
                "cannot predict `{name}` as a number: it is {}",
                column.kind.word()
            ))
            .hint("set the task to `binary` or `multiclass`, or choose another target"));
        }
        return Ok(target);
    }
    target.classes = classes(batches, name)?;
    match (task, target.classes.len()) {
        (_, 0 | 1) => Err(Error::invalid(format!("the target `{name}` has only one class"))
            .hint("choose another target, or check the filter before this step")),
        (Task::Binary, count) if count > 2 => {
            Err(Error::invalid(format!("the target `{name}` has {count} classes, expected 2"))
                .hint("set the task to `multiclass`"))
        }
        _ => Ok(target),
    }
}

/// The classes of a column: all values, in their order.
fn classes(batches: &[RecordBatch], name: &str) -> Result<Vec<String>> {
    let mut seen: Vec<Level> = Vec::new();
    let mut labels: std::collections::HashSet<String> = std::collections::HashSet::new();
    for batch in batches {
        for level in column_levels(batch, name)?.into_iter().flatten() {
            if matches!(level, Level::Number(value) if value.fract() != 0.0) {
                return Err(Error::invalid(format!(
                    "the target `{name}` has numbers with a fraction, which are no classes"
                ))
                .hint("set the task to `regression`"));
            }
            if labels.insert(level.label()) {
                seen.push(level);
            }
            if seen.len() > MOST_CLASSES {
                return Err(Error::invalid(format!(
                    "the target `{name}` has more than {MOST_CLASSES} classes"
                ))
                .hint("choose a target with fewer values, or set the task to `regression`"));
            }
        }
    }
    seen.sort_by(|a, b| a.partial_cmp(b).expect("classes are of one kind and never NaN"));
    Ok(seen.iter().map(Level::label).collect())
}
