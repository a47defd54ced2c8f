//! `foreign_key`: the values of a column exist in another table.

use std::collections::HashSet;

use arrow::array::{Array as _, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::checks::params::named;
use crate::row_hash;

/// The kind `foreign_key`.
pub(super) struct ForeignKey;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The dataset in which its values have to exist.
    #[schemars(extend("x-dataset" = true))]
    table: String,
    /// The column of that dataset; one of the same name if left out.
    references: String,
}

impl Params {
    fn references(&self) -> &str {
        if self.references.is_empty() { &self.column } else { &self.references }
    }
}

impl Kind for ForeignKey {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "foreign_key",
            title: "Exists elsewhere",
            summary: "Every value of a column exists in a column of another dataset.",
            doc: "Both columns are of one kind; whole numbers and numbers go together. Missing values pass. The \
                  other dataset is taken in its newest version.",
            example: "kind = \"foreign_key\"\ncolumn = \"customer\"\ntable = \"customers\"\nreferences = \"id\"",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        if params.table.is_empty() {
            let error = Error::invalid("there is no `table`").hint("name the dataset that holds the values");
            return Err(Misfit::param("table", error));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        format!("`{}` exists in `{}` of `{}`", params.column, params.references(), params.table)
    }

    fn watch(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Box<dyn Watch>> {
        let other = (context.other)(&params.table)?;
        let own = context.table.meta().column(&params.column)?;
        let theirs = other.meta().column(params.references())?;
        let is_numeric = own.kind.is_numeric() && theirs.kind.is_numeric();
        if own.kind != theirs.kind && !is_numeric {
            return Err(Error::invalid(format!(
                "`{}` is of the kind {}, and `{}` of `{}` is of the kind {}",
                own.name,
                own.kind.word(),
                theirs.name,
                params.table,
                theirs.kind.word()
            ))
            .hint("name two columns of one kind"));
        }
        // Where one side has fractions, whole numbers are compared as such numbers too.
        let as_float = own.kind != theirs.kind;
        let mut values: HashSet<u128> = HashSet::new();
        let mut done = 0;
        for batch in other.batches(Some(&[params.references()]))? {
            let batch = batch?;
            let array = batch.column(0);
            let hashes = hashes(array, as_float)?;
            values.extend(
                hashes.iter().enumerate().filter(|(row, _)| array.is_valid(*row)).map(|(_, hash)| *hash),
            );
            done += batch.num_rows() as u64;
            progress.step("reading the other dataset", done, Some(other.rows()))?;
        }
        Ok(rows(vec![params.column.clone()], move |batch, failing| {
            let array = batch.column(0);
            for (row, hash) in hashes(array, as_float)?.iter().enumerate() {
                if array.is_valid(row) && !values.contains(hash) {
                    failing.push(row);
                }
            }
            Ok(())
        }))
    }
}

/// The hashes of the values, by which those of both tables are compared.
fn hashes(array: &ArrayRef, as_float: bool) -> Result<Vec<u128>> {
    let mut hashes = vec![0; array.len()];
    if as_float {
        let numbers = cast(array, &DataType::Float64)
            .map_err(|e| Error::internal("cannot compare whole numbers with numbers").because(e))?;
        row_hash::add_column(&mut hashes, &numbers, 0)?;
    } else {
        row_hash::add_column(&mut hashes, array.as_ref(), 0)?;
    }
    Ok(hashes)
}
