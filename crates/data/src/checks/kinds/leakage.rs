//! `leakage`: rows to test on are not among the rows to train on.

use std::collections::HashSet;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int8Type;
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Failing, Kind, Misfit, Verdict, Watch, rows};
use crate::checks::params::listed;
use crate::row_hash;
use crate::schema::SPLIT_COLUMN;
use crate::table::TableFile;

/// The kind `leakage`.
pub(super) struct Leakage;

/// The mark of training rows in the column of the split.
const TRAIN: i8 = 0;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The other dataset; if left out, the training rows of the same table.
    #[schemars(extend("x-dataset" = true))]
    table: String,
    /// The columns that are compared; all that both tables have if left out.
    #[schemars(extend("x-columns" = true))]
    columns: Vec<String>,
}

impl Kind for Leakage {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "leakage",
            title: "No leakage",
            summary: "No row exists in another dataset, or among the training rows of the same table.",
            doc: "With `table`, a row fails if the other dataset holds it too. Without, the table must be split, \
                  and a validation or test row fails if a training row is equal to it. Rows are compared in the \
                  columns named, or in all that both tables have; name the key to compare customers, say, \
                  instead of whole rows.",
            example: "kind = \"leakage\"\ntable = \"holdout\"\ncolumns = [\"customer\"]",
            is_about_rows: true,
        }
    }

    fn check(&self, _params: &Params) -> Result<(), Misfit> {
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let place = match params.table.as_str() {
            "" => "among the training rows".to_owned(),
            table => format!("in `{table}`"),
        };
        match params.columns.as_slice() {
            [] => format!("no row is also {place}"),
            columns => format!("no {} is also {place}", listed(columns)),
        }
    }

    fn watch(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Box<dyn Watch>> {
        if params.table.is_empty() {
            let mut columns = columns_of(context.table, context.table, &params.columns)?;
            if !context.table.meta().split {
                return Err(Error::invalid("the table is not split into training and test rows")
                    .hint("check it behind a `split` step, or name another dataset as `table`"));
            }
            columns.push(SPLIT_COLUMN.to_owned());
            return Ok(Box::new(Parts { columns, train: HashSet::new(), others: Vec::new() }));
        }
        let other = (context.other)(&params.table)?;
        let columns = columns_of(context.table, &other, &params.columns)?;
        let theirs = hashes_of(&other, &columns, progress)?;
        Ok(rows(columns, move |batch, failing| {
            for (row, hash) in row_hash::of_rows(batch)?.into_iter().enumerate() {
                if theirs.contains(&hash) {
                    failing.push(row);
                }
            }
            Ok(())
        }))
    }
}

/// The columns in which rows of both tables are compared.
fn columns_of(own: &TableFile, other: &TableFile, named: &[String]) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    for column in own.meta().visible() {
        let is_in_both = other.meta().columns.contains(column);
        if named.contains(&column.name) || (named.is_empty() && is_in_both) {
            columns.push(column.name.clone());
        }
    }
    for name in named {
        let (ours, theirs) = (own.meta().column(name)?, other.meta().column(name)?);
        if ours.kind != theirs.kind {
            return Err(Error::invalid(format!("`{name}` is of another kind in the other dataset"))
                .hint("compare columns that are of one kind in both"));
        }
    }
    if columns.is_empty() {
        return Err(Error::invalid("the two datasets have no column in common").hint("name another dataset"));
    }
    Ok(columns)
}

fn hashes_of(table: &TableFile, columns: &[String], progress: &Progress) -> Result<HashSet<u128>> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut hashes = HashSet::new();
    let mut done = 0;
    for batch in table.batches(Some(&names))? {
        let batch = batch?;
        hashes.extend(row_hash::of_rows(&batch)?);
        done += batch.num_rows() as u64;
        progress.step("reading the other dataset", done, Some(table.rows()))?;
    }
    Ok(hashes)
}

/// Training rows and others of one table. The mark of the split is the last column.
struct Parts {
    columns: Vec<String>,
    train: HashSet<u128>,
    /// The rows that are not for training, ascending.
    others: Vec<(u64, u128)>,
}

impl Watch for Parts {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn look(&mut self, rows: &RecordBatch, failing: &mut Failing) -> Result<()> {
        let last = rows.num_columns() - 1;
        let own: Vec<usize> = (0..last).collect();
        let cells = rows.project(&own).map_err(|e| Error::internal("cannot choose columns").because(e))?;
        let marks = rows.column(last).as_primitive::<Int8Type>();
        for (row, hash) in row_hash::of_rows(&cells)?.into_iter().enumerate() {
            if marks.is_valid(row) && marks.value(row) == TRAIN {
                self.train.insert(hash);
            } else {
                self.others.push((failing.first_row + row as u64, hash));
            }
        }
        Ok(())
    }

    fn finish(&mut self, failing: &mut Failing) -> Result<Verdict> {
        let leaked = self.others.iter().filter(|(_, hash)| self.train.contains(hash));
        leaked.for_each(|(row, _)| failing.push_row(*row));
        Ok(Verdict::Rows)
    }
}
