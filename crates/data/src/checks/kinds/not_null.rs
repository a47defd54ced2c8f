//! `not_null`: no value of a column is missing.

use arrow::array::Array as _;
use base::{Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::checks::params::named;

/// The kind `not_null`.
pub(super) struct NotNull;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column.
    #[schemars(extend("x-column" = true))]
    column: String,
}

impl Kind for NotNull {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "not_null",
            title: "No missing values",
            summary: "Every row has a value in a column.",
            doc: "An empty text is a value. To allow some missing values, set `max_share`.",
            example: "kind = \"not_null\"\ncolumn = \"age\"\nmax_share = 0.01",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)
    }

    fn rule(&self, params: &Params) -> String {
        format!("`{}` is never missing", params.column)
    }

    fn watch(&self, params: &Params, _: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        Ok(rows(vec![params.column.clone()], |batch, failing| {
            if let Some(nulls) = batch.column(0).nulls() {
                (0..nulls.len()).filter(|row| nulls.is_null(*row)).for_each(|row| failing.push(row));
            }
            Ok(())
        }))
    }
}
