//! `set`: the values of a column are some of a list.

use std::collections::HashSet;

use arrow::array::AsArray as _;
use arrow::datatypes::{Float64Type, Int64Type};
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::checks::params::{Scalar, column_of, named};
use crate::row_hash::float_bits;
use crate::schema::Kind as ColumnKind;

/// The kind `set`.
pub(super) struct Set;

/// Values that a rule names before it only counts them.
const MAX_NAMED: usize = 8;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The values allowed.
    values: Vec<Scalar>,
}

impl Kind for Set {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "set",
            title: "Allowed values",
            summary: "Every value of a column is one of a list.",
            doc: "Texts are compared letter by letter, numbers by their value. Missing values pass. Times have no \
                  list: check their range.",
            example: "kind = \"set\"\ncolumn = \"island\"\nvalues = [\"Biscoe\", \"Dream\", \"Torgersen\"]",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        if params.values.is_empty() {
            let error = Error::invalid("the list is empty").hint("write `values = [\"a\", \"b\"]`");
            return Err(Misfit::param("values", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let shown: Vec<String> = params.values.iter().take(MAX_NAMED).map(Scalar::words).collect();
        let more = params.values.len() - shown.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("`{}` is one of {}{rest}", params.column, shown.join(", "))
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let fits = [ColumnKind::Text, ColumnKind::Integer, ColumnKind::Number, ColumnKind::Boolean];
        let column = column_of(context.table, &params.column, &fits)?;
        let (name, kind) = (vec![params.column.clone()], column.kind);
        let misfit = |value: &Scalar| {
            Error::invalid(format!(
                "`{}` cannot be {}: it is of the kind {}",
                column.name,
                value.words(),
                kind.word()
            ))
            .hint("list values of the column's kind; texts stand in quotes")
        };
        if kind == ColumnKind::Text {
            let text = |value: &Scalar| match value {
                Scalar::Text(text) => Ok(text.clone()),
                Scalar::Boolean(_) | Scalar::Number(_) => Err(misfit(value)),
            };
            let allowed: HashSet<String> = params.values.iter().map(text).collect::<Result<_>>()?;
            return Ok(rows(name, move |batch, failing| {
                let texts = batch.column(0).as_string::<i32>().iter().enumerate();
                let wrong = texts.filter(|(_, text)| text.is_some_and(|text| !allowed.contains(text)));
                wrong.for_each(|(row, _)| failing.push(row));
                Ok(())
            }));
        }
        let number = |value: &Scalar| match value {
            Scalar::Number(number) if kind != ColumnKind::Boolean => Ok(float_bits(*number)),
            Scalar::Boolean(truth) if kind == ColumnKind::Boolean => Ok(u64::from(*truth)),
            Scalar::Number(_) | Scalar::Boolean(_) | Scalar::Text(_) => Err(misfit(value)),
        };
        let allowed: HashSet<u64> = params.values.iter().map(number).collect::<Result<_>>()?;
        Ok(rows(name, move |batch, failing| {
            let array = batch.column(0);
            let mut judge = |(row, value): (usize, Option<u64>)| {
                if value.is_some_and(|value| !allowed.contains(&value)) {
                    failing.push(row);
                }
            };
            match kind {
                ColumnKind::Integer => {
                    let values = array.as_primitive::<Int64Type>().iter();
                    values.map(|v| v.map(|v| float_bits(v as f64))).enumerate().for_each(&mut judge);
                }
                ColumnKind::Number => {
                    let values = array.as_primitive::<Float64Type>().iter();
                    values.map(|v| v.map(float_bits)).enumerate().for_each(&mut judge);
                }
                ColumnKind::Boolean => {
                    array.as_boolean().iter().map(|v| v.map(u64::from)).enumerate().for_each(&mut judge);
                }
                ColumnKind::Text | ColumnKind::Time => {}
            }
            Ok(())
        }))
    }
}
