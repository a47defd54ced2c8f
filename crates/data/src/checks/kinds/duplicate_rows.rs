//! `duplicate_rows`: no row is a copy of an earlier one.

use std::collections::HashSet;

use base::{Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::checks::params::{columns_or_all, listed};
use crate::row_hash;

/// The kind `duplicate_rows`.
pub(super) struct DuplicateRows;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The columns that are compared; all of them if left out.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
}

impl Kind for DuplicateRows {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "duplicate_rows",
            title: "No copies of rows",
            summary: "No row is a copy of an earlier one.",
            doc: "The first of equal rows passes, each later one fails: those are the rows to drop. Missing values \
                  are equal to each other here. Rows are compared by 128-bit hashes.",
            example: "kind = \"duplicate_rows\"\nmax_share = 0.001",
            is_about_rows: true,
        }
    }

    fn check(&self, _params: &Params) -> Result<(), Misfit> {
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        match params.columns.as_slice() {
            [] => "no row is a copy of an earlier one".to_owned(),
            columns => format!("no row repeats {} of an earlier one", listed(columns)),
        }
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let mut seen: HashSet<u128> = HashSet::new();
        Ok(rows(columns_or_all(context.table, &params.columns)?, move |batch, failing| {
            for (row, hash) in row_hash::of_rows(batch)?.into_iter().enumerate() {
                if !seen.insert(hash) {
                    failing.push(row);
                }
            }
            Ok(())
        }))
    }
}
