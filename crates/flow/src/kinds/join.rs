//! `join`: put two tables side by side where their keys are equal.

use base::Result;
use data::transform::{Join as Spec, JoinKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, check_chosen, check_columns, must_be_raw, renewed, renewed_shape};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `join`.
pub struct Join;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which rows stay.
    how: How,
    /// The columns of the key in the left table.
    #[schemars(extend("x-columns" = "left"))]
    on: Vec<String>,
    /// The columns of the key in the right table, in the same order; empty if they have the same names.
    #[schemars(extend("x-columns" = "right"))]
    right_on: Vec<String>,
    /// What is put behind the name of a right column that the left table has too.
    suffix: String,
}

/// Which rows stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Rows that have a partner in the other table.
    Inner,
    /// All rows of the left table.
    Left,
    /// All rows of the right table.
    Right,
    /// All rows of both.
    Full,
    /// Rows of the left table that have a partner, without its columns.
    Semi,
    /// Rows of the left table that have none.
    Anti,
}

impl Default for Params {
    fn default() -> Self {
        Self { how: How::Left, on: Vec::new(), right_on: Vec::new(), suffix: "_right".to_owned() }
    }
}

impl Params {
    fn spec(&self) -> Spec {
        let kind = match self.how {
            How::Inner => JoinKind::Inner,
            How::Left => JoinKind::Left,
            How::Right => JoinKind::Right,
            How::Full => JoinKind::Full,
            How::Semi => JoinKind::Semi,
            How::Anti => JoinKind::Anti,
        };
        let right_on = if self.right_on.is_empty() { self.on.clone() } else { self.right_on.clone() };
        Spec { kind, left_on: self.on.clone(), right_on, suffix: self.suffix.clone() }
    }

    fn plan(
        &self,
        left: Option<&TableShape>,
        right: Option<&TableShape>,
    ) -> Result<Option<TableShape>, Misfit> {
        check_chosen("on", &self.on, "choose the columns that have to be equal")?;
        for shape in left.into_iter().chain(right) {
            must_be_raw(shape, "join")?;
        }
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let spec = self.spec();
        check_columns("on", left, &spec.left_on)?;
        let right_param = if self.right_on.is_empty() { "on" } else { "right_on" };
        check_columns(right_param, right, &spec.right_on)?;
        let columns = spec.columns(&left.columns, &right.columns).map_err(at(right_param))?;
        Ok(Some(renewed_shape(left, columns)))
    }
}

impl Kind for Join {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "join",
            version: 1,
            title: "Join",
            category: Category::Clean,
            summary: "Puts two tables side by side where their keys are equal.",
            doc: "A key with a missing value is equal to none, as in SQL. The key is there once, under its left \
                  name. Rows are in the order of the left table (of the right one for `right`); right rows \
                  without a partner come last. The target is that of the left table. The joined columns are \
                  what the model asks for, so put this step before `split` and before transforms that are \
                  part of the model.",
            synonyms: &[
                "merge",
                "lookup",
                "vlookup",
                "left join",
                "inner join",
                "combine",
                "enrich",
                "semi",
                "anti",
            ],
            inputs: const {
                &[
                    Port::one("left", PortType::Table, "The table whose order and target stay."),
                    Port::one("right", PortType::Table, "The table that is looked up."),
                ]
            },
            outputs: const { &[Port::one("table", PortType::Table, "The joined rows.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.plan(inputs.table("left"), inputs.table("right"))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let (left, right) = (Table::read(work.input("left")?)?, Table::read(work.input("right")?)?);
        params.plan(Some(&left.shape()), Some(&right.shape())).map_err(|misfit| misfit.error)?;
        let rows = params.spec().run(&left.rows, &right.rows, &work.progress)?;
        work.log(&format!(
            "{} and {} rows gave {}",
            left.rows.num_rows(),
            right.rows.num_rows(),
            rows.num_rows()
        ));
        renewed(left, rows).write(&work.output("table")?)
    }
}
