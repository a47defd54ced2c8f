//! `range`: the values of a column lie between two ends.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Failing, Kind, Misfit, Watch, rows};
use crate::checks::params::{Bound, column_of, moment, named};
use crate::schema::Kind as ColumnKind;

/// The kind `range`.
pub(super) struct Range;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column of numbers or times.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The smallest value allowed.
    min: Option<Bound>,
    /// The largest value allowed.
    max: Option<Bound>,
}

impl Kind for Range {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "range",
            title: "Range",
            summary: "The numbers or times of a column lie between two ends.",
            doc: "Both ends are allowed values, and one of them may be left out. Missing values pass; infinite \
                  ones are compared like others. Whole numbers beyond 2^53 are compared as 64 bit floats.",
            example: "kind = \"range\"\ncolumn = \"age\"\nmin = 0\nmax = 120",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        for (name, bound) in [("min", &params.min), ("max", &params.max)] {
            if let Some(Bound::Time(text)) = bound {
                moment(text).map_err(|error| Misfit::param(name, error))?;
            }
        }
        match (&params.min, &params.max) {
            (None, None) => {
                let error = Error::invalid("the range has no end").hint("set `min`, `max` or both");
                Err(Misfit::param("min", error))
            }
            (Some(Bound::Number(min)), Some(Bound::Number(max))) if min > max => {
                let error = Error::invalid(format!("nothing lies between {min} and {max}"));
                Err(Misfit::param("max", error.hint("swap them")))
            }
            _ => Ok(()),
        }
    }

    fn rule(&self, params: &Params) -> String {
        let column = &params.column;
        match (&params.min, &params.max) {
            (Some(min), Some(max)) => format!("`{column}` between {} and {}", min.words(), max.words()),
            (Some(min), None) => format!("`{column}` at least {}", min.words()),
            (None, Some(max)) => format!("`{column}` at most {}", max.words()),
            (None, None) => format!("`{column}` is anything"),
        }
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let fits = [ColumnKind::Integer, ColumnKind::Number, ColumnKind::Time];
        let column = column_of(context.table, &params.column, &fits)?;
        let end = |bound: &Option<Bound>, open| bound.as_ref().map_or(Ok(open), |bound| bound.value(column));
        let (min, max) = (end(&params.min, f64::NEG_INFINITY)?, end(&params.max, f64::INFINITY)?);
        let kind = column.kind;
        Ok(rows(vec![params.column.clone()], move |batch, failing| {
            look(batch.column(0), kind, (min, max), failing);
            Ok(())
        }))
    }
}

fn look(array: &ArrayRef, kind: ColumnKind, (min, max): (f64, f64), failing: &mut Failing) {
    // The value beneath a missing one is never looked at.
    let mut judge = |row: usize, value: f64| {
        if !(min..=max).contains(&value) && !value.is_nan() && array.is_valid(row) {
            failing.push(row);
        }
    };
    match kind {
        ColumnKind::Number => {
            let values = array.as_primitive::<Float64Type>().values();
            values.iter().enumerate().for_each(|(row, value)| judge(row, *value));
        }
        ColumnKind::Integer => {
            let values = array.as_primitive::<Int64Type>().values();
            values.iter().enumerate().for_each(|(row, value)| judge(row, *value as f64));
        }
        ColumnKind::Time => {
            let values = array.as_primitive::<TimestampMillisecondType>().values();
            values.iter().enumerate().for_each(|(row, value)| judge(row, *value as f64));
        }
        ColumnKind::Boolean | ColumnKind::Text => {}
    }
}
