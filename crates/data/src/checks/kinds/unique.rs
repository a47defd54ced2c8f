//! `unique`: no two rows have the same values in some columns.

use std::collections::HashSet;

use arrow::array::{Array as _, RecordBatch};
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Failing, Kind, Misfit, Verdict, Watch};
use crate::checks::params::listed;
use crate::row_hash;

/// The kind `unique`.
pub(super) struct Unique;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The columns whose values, taken together, name a row.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
}

impl Kind for Unique {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "unique",
            title: "Unique",
            summary: "No two rows have the same values in one or more columns.",
            doc: "Every row whose values occur more than once fails, the first one too. As in SQL, a row in \
                  which one of the values is missing is equal to no other.",
            example: "kind = \"unique\"\ncolumns = [\"customer\", \"month\"]",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.columns.is_empty() || params.columns.iter().any(String::is_empty) {
            let error = Error::invalid("no column is named").hint("write `columns = [\"id\"]`");
            return Err(Misfit::param("columns", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        match params.columns.as_slice() {
            [column] => format!("`{column}` is unique"),
            columns => format!("{} together are unique", listed(columns)),
        }
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let capacity = usize::try_from(context.table.rows()).unwrap_or(0);
        Ok(Box::new(Seen {
            columns: params.columns.clone(),
            keys: Vec::with_capacity(capacity),
            partial: HashSet::new(),
        }))
    }
}

/// The keys of all rows seen so far.
struct Seen {
    columns: Vec<String>,
    keys: Vec<u128>,
    /// Rows without a whole key.
    partial: HashSet<usize>,
}

impl Watch for Seen {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn look(&mut self, rows: &RecordBatch, _failing: &mut Failing) -> Result<()> {
        let first = self.keys.len();
        self.keys.resize(first + rows.num_rows(), 0);
        for (at, array) in rows.columns().iter().enumerate() {
            row_hash::add_column(&mut self.keys[first..], array.as_ref(), at as u64)?;
        }
        if rows.columns().iter().any(|array| array.null_count() > 0) {
            let is_partial = |row: &usize| rows.columns().iter().any(|array| array.is_null(*row));
            self.partial.extend((0..rows.num_rows()).filter(is_partial).map(|row| first + row));
        }
        Ok(())
    }

    fn finish(&mut self, failing: &mut Failing) -> Result<Verdict> {
        let whole = || self.keys.iter().enumerate().filter(|(row, _)| !self.partial.contains(row));
        let repeated = row_hash::repeated(whole().map(|(_, key)| *key).collect());
        if !repeated.is_empty() {
            let repeats = whole().filter(|(_, key)| repeated.binary_search(key).is_ok());
            repeats.for_each(|(row, _)| failing.push_row(row as u64));
        }
        Ok(Verdict::Rows)
    }
}
