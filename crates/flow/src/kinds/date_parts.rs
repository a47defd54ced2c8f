//! `date_parts`: numbers of a date or a timestamp.

use base::{Error, Result};
use data::expr::{BinaryOp, Calendar, Expr, Function, moment};
use data::{Column, Kind as ColumnKind, nearest};
use learn::recipe::derive_op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::at;
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `date_parts`.
pub struct DateParts;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The column of times.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// Which parts: `year`, `quarter`, `month`, `day`, `weekday` (1 is Monday, 7 is Sunday), `hour`,
    /// `is_weekend`, `days_since`.
    parts: Vec<String>,
    /// Where `days_since` counts from, such as `2026-01-01`.
    since: String,
}

const IS_WEEKEND: &str = "is_weekend";
const DAYS_SINCE: &str = "days_since";

impl Default for Params {
    fn default() -> Self {
        let parts = ["year", "month", "day", "weekday"].map(str::to_owned).to_vec();
        Self { column: String::new(), parts, since: "1970-01-01".to_owned() }
    }
}

/// The columns to make, and what the table is then.
type Plan = (Vec<(Column, Expr)>, Option<TableShape>);

impl Params {
    /// The new columns: name, kind, expression.
    fn made(&self) -> Result<Vec<(Column, Expr)>, Misfit> {
        let column = Expr::Column(self.column.clone());
        let call = |function, arguments| Expr::Call { function, arguments };
        let mut made = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let (kind, expression) =
                match (Calendar::ALL.into_iter().find(|known| known.word() == part), part.as_str()) {
                    (Some(part), _) => (ColumnKind::Number, call(Function::Part(part), vec![column.clone()])),
                    (None, DAYS_SINCE) => {
                        moment(&self.since).map_err(at("since"))?;
                        let arguments = vec![column.clone(), Expr::Text(self.since.clone())];
                        (ColumnKind::Number, call(Function::DaysSince, arguments))
                    }
                    (None, IS_WEEKEND) => {
                        let weekday = call(Function::Part(Calendar::Weekday), vec![column.clone()]);
                        let (left, right) = (Box::new(weekday), Box::new(Expr::Number(6.0)));
                        (ColumnKind::Boolean, Expr::Binary { op: BinaryOp::GreaterOrEqual, left, right })
                    }
                    (None, other) => return Err(unknown(other)),
                };
            made.push((Column::new(format!("{}_{part}", self.column), kind), expression));
        }
        Ok(made)
    }

    fn plan(&self, shape: Option<&TableShape>) -> Result<Plan, Misfit> {
        if self.column.is_empty() {
            let error = Error::invalid("no column is chosen").hint("choose a column of times");
            return Err(Misfit::param("column", error));
        }
        if self.parts.is_empty() {
            return Err(Misfit::param(
                "parts",
                Error::invalid("no part is chosen").hint("write one such as `month`"),
            ));
        }
        let made = self.made()?;
        let Some(shape) = shape else { return Ok((made, None)) };
        let column = shape.column(&self.column).map_err(at("column"))?;
        if column.kind != ColumnKind::Time || shape.target.as_ref() == Some(&column.name) {
            let error = Error::invalid(format!("`{}` is no feature that is a time", column.name));
            return Err(Misfit::param("column", error.hint("choose a column of times, or cast it before")));
        }
        let mut shape = shape.clone();
        for (column, _) in &made {
            if shape.columns.iter().any(|other| other.name == column.name) {
                let error = Error::invalid(format!("there is a column `{}` already", column.name));
                return Err(Misfit::param(
                    "parts",
                    error.hint("rename or drop it before, or leave this part out"),
                ));
            }
            shape.columns.push(column.clone());
        }
        shape.is_transformed = true;
        Ok((made, Some(shape)))
    }
}

fn unknown(part: &str) -> Misfit {
    let known: Vec<&str> =
        Calendar::ALL.map(Calendar::word).into_iter().chain([IS_WEEKEND, DAYS_SINCE]).collect();
    let error = Error::invalid(format!("there is no part `{part}` of a time"));
    let hint = match nearest(part, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    Misfit::param("parts", error.hint(hint))
}

impl Kind for DateParts {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "date_parts",
            version: 1,
            title: "Date parts",
            category: Category::Prepare,
            summary: "Makes numbers of a date or a timestamp.",
            doc: "Each part is a column of its own, such as `sold_month`; times are in UTC. The parts are \
                  computed inside the model, so the endpoint is asked for the time itself, as a text such as \
                  `2026-11-23T08:05:10Z` or as milliseconds since 1970; other runtimes of the ONNX file take \
                  the milliseconds. Trainers do not use the time itself.",
            synonyms: &[
                "datetime",
                "year",
                "month",
                "weekday",
                "hour",
                "timestamp",
                "calendar",
                "dt",
                "season",
            ],
            inputs: const { &[Port::one("table", PortType::Table, "A table with a column of times.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows with a column for each part.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        Ok(params.plan(inputs.table("table"))?.1)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let (made, _) = params.plan(Some(&table.shape())).map_err(|misfit| misfit.error)?;
        for (at, (column, expression)) in made.iter().enumerate() {
            work.progress.step("reading dates", at as u64, Some(made.len() as u64))?;
            let op = derive_op(&table.meta.columns, &column.name, expression.clone())?;
            table.transform(op)?;
        }
        table.write(&work.output("table")?)
    }
}
