//! `cast`: make another kind of columns.

use base::Result;
use data::Kind as ColumnKind;
use data::transform::{Cast as Spec, cast, cast_columns, columns_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_chosen, check_columns, must_be_untransformed};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `cast`.
pub struct Cast;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The columns.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
    /// Their kind afterwards.
    to: To,
    /// What happens to a value that does not fit.
    misfits: Misfits,
}

/// A kind of column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum To {
    /// Whole numbers.
    Integer,
    /// Numbers.
    #[default]
    Number,
    /// True or false.
    Boolean,
    /// Text.
    Text,
    /// Dates and timestamps.
    Time,
}

/// What happens to a value that does not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Misfits {
    /// The step fails and names it.
    #[default]
    Fail,
    /// It is missing.
    Missing,
}

impl Params {
    fn spec(&self) -> Spec {
        let to = match self.to {
            To::Integer => ColumnKind::Integer,
            To::Number => ColumnKind::Number,
            To::Boolean => ColumnKind::Boolean,
            To::Text => ColumnKind::Text,
            To::Time => ColumnKind::Time,
        };
        Spec { columns: self.columns.clone(), to, forgives: self.misfits == Misfits::Missing }
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<Option<TableShape>, Misfit> {
        check_chosen("columns", &self.columns, "choose the columns to cast")?;
        let Some(shape) = shape else { return Ok(None) };
        must_be_untransformed(shape, "cast")?;
        check_columns("columns", shape, &self.columns)?;
        let columns = cast_columns(&shape.columns, &self.spec()).map_err(at("columns"))?;
        // What is learned of a target depends on its kind.
        let is_target = shape.target.as_ref().is_some_and(|target| self.columns.contains(target));
        Ok(Some(TableShape { columns, task: shape.task.filter(|_| !is_target), ..shape.clone() }))
    }
}

impl Kind for Cast {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "cast",
            version: 1,
            title: "Cast columns",
            category: Category::Clean,
            summary: "Makes another kind of columns.",
            doc: "Nothing is rounded: 2.5 is no integer (round it with `derive` first). Text is read as times \
                  in one reading only, the year first; `yes`, `no`, `true`, `false`, 1 and 0 are truth values. \
                  A time as a number is its milliseconds since 1970 in UTC. A model asks for the columns in \
                  their new kind, so put it before transforms that are part of the model.",
            synonyms: &["convert", "type", "astype", "dtype", "parse", "to_numeric", "to_datetime"],
            inputs: const { &[Port::one("table", PortType::Table, "A table before fitted transforms.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with other kinds.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.plan(inputs.table("table"))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let shape = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        let (rows, unfit) = cast(&table.rows, &params.spec(), &work.progress)?;
        for (name, count) in params.columns.iter().zip(unfit).filter(|(_, count)| *count > 0) {
            work.log(&format!("`{name}`: {count} values do not fit and are missing now"));
        }
        if let (Some(shape), Some(target)) = (shape, table.meta.target.as_ref()) {
            let is_cast = params.columns.contains(target);
            table.meta.task = if is_cast { super::dataset::task_in(&rows, target)? } else { shape.task };
        }
        table.meta.columns = columns_of(&rows);
        table.rows = rows;
        table.write(&work.output("table")?)
    }
}
