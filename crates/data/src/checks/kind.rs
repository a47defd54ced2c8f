//! What a kind of check is: its declaration, from which forms, help and documentation are made,
//! and a watch that looks at the rows.

use arrow::array::RecordBatch;
use base::{Progress, Result, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(super) use crate::entries::Misfit;
use crate::entries::{self, object};
use crate::profile::Profile;
use crate::table::TableFile;

/// Everything that is said about a kind without running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Its name in the file.
    pub kind: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What exactly it does with missing values and with kinds of columns, as Markdown.
    pub doc: &'static str,
    /// Its entry in a file, without the line `[[check]]`.
    pub example: &'static str,
    /// True if it is about rows, of which a share may be allowed to fail.
    pub is_about_rows: bool,
}

/// What checks are run against.
pub struct Context<'a> {
    /// The table that is checked.
    pub table: &'a TableFile,
    /// The version before it.
    pub previous: Option<&'a TableFile>,
    /// The profile that distributions are compared with, such as that of the version before.
    pub reference: Option<&'a Profile>,
    /// Another table by the name of its dataset.
    pub other: &'a dyn Fn(&str) -> Result<TableFile>,
    /// The present moment.
    pub now: Timestamp,
}

/// A kind of check with parameters of its own type. Implement this; [`CheckKind`] follows.
pub(super) trait Kind: Sync {
    /// The parameters; the default is what a file leaves out.
    type Params: Serialize + DeserializeOwned + JsonSchema + Default;

    /// What is said about it.
    fn declaration(&self) -> Declaration;

    /// Fails with the name of the parameter that makes no sense, whatever the table.
    fn check(&self, params: &Self::Params) -> Result<(), Misfit>;

    /// What must hold, in words, such as "`age` between 0 and 120".
    fn rule(&self, params: &Self::Params) -> String;

    /// Starts to look at a table.
    fn watch(
        &self,
        params: &Self::Params,
        context: &Context<'_>,
        progress: &Progress,
    ) -> Result<Box<dyn Watch>>;
}

/// Looks at the rows of a table, batch by batch.
pub(super) trait Watch {
    /// The columns that it wants to see; none if it needs no rows.
    fn columns(&self) -> &[String];

    /// Looks at some rows of those columns, in that order, and names the failing ones.
    fn look(&mut self, rows: &RecordBatch, failing: &mut Failing) -> Result<()>;

    /// Says what came of it, and names the rows that only the whole table shows to fail.
    fn finish(&mut self, failing: &mut Failing) -> Result<Verdict>;
}

/// What a watch came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// It depends on how many rows fail.
    Rows,
    /// It is about the table as a whole.
    Table {
        /// True if it holds.
        is_passed: bool,
        /// What was found, such as "the newest is 3.5 days old".
        measured: String,
    },
}

/// The rows that fail: counted, and those of one window kept.
pub(super) struct Failing {
    pub(super) count: u64,
    pub(super) kept: Vec<u64>,
    offset: u64,
    limit: u64,
    /// The number of the first row of the batch that is looked at.
    pub(super) first_row: u64,
}

impl Failing {
    /// Keeps the failing rows from the `offset`-th on, `limit` at most.
    pub(super) fn window(offset: u64, limit: u64) -> Self {
        Self { count: 0, kept: Vec::new(), offset, limit, first_row: 0 }
    }

    /// A row of the batch that is looked at fails. Rows are named in ascending order.
    pub(super) fn push(&mut self, row_in_batch: usize) {
        self.push_row(self.first_row + row_in_batch as u64);
    }

    /// A row of the table fails.
    pub(super) fn push_row(&mut self, row: u64) {
        if self.count >= self.offset && self.count - self.offset < self.limit {
            self.kept.push(row);
        }
        self.count += 1;
    }
}

/// A watch that decides about each row by itself.
pub(super) fn rows(
    columns: Vec<String>,
    look: impl FnMut(&RecordBatch, &mut Failing) -> Result<()> + 'static,
) -> Box<dyn Watch> {
    Box::new(Rows { columns, look })
}

struct Rows<F> {
    columns: Vec<String>,
    look: F,
}

impl<F: FnMut(&RecordBatch, &mut Failing) -> Result<()>> Watch for Rows<F> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn look(&mut self, rows: &RecordBatch, failing: &mut Failing) -> Result<()> {
        (self.look)(rows, failing)
    }

    fn finish(&mut self, _failing: &mut Failing) -> Result<Verdict> {
        Ok(Verdict::Rows)
    }
}

/// A watch that needs no rows to know.
pub(super) fn known(is_passed: bool, measured: String) -> Box<dyn Watch> {
    Box::new(Known(Verdict::Table { is_passed, measured }))
}

struct Known(Verdict);

impl Watch for Known {
    fn columns(&self) -> &[String] {
        &[]
    }

    fn look(&mut self, _rows: &RecordBatch, _failing: &mut Failing) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, _failing: &mut Failing) -> Result<Verdict> {
        Ok(self.0.clone())
    }
}

/// A kind of check without its parameter type, as the list of kinds holds it.
pub(super) trait CheckKind: Sync {
    /// What is said about it.
    fn declaration(&self) -> Declaration;
    /// JSON Schema of its parameters.
    fn params_schema(&self) -> Value;
    /// The given parameters with defaults filled in.
    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit>;
    /// The parameters that are not what they would be if they were left out.
    fn said(&self, params: &Map<String, Value>) -> Vec<(String, Value)>;
    /// What must hold, in words.
    fn rule(&self, params: &Map<String, Value>) -> Result<String>;
    /// Starts to look at a table.
    fn watch(
        &self,
        params: &Map<String, Value>,
        context: &Context<'_>,
        progress: &Progress,
    ) -> Result<Box<dyn Watch>>;
}

impl<K: Kind> CheckKind for K {
    fn declaration(&self) -> Declaration {
        Kind::declaration(self)
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(K::Params).to_value()
    }

    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit> {
        let read = read_params::<K>(params)?;
        Kind::check(self, &read)?;
        Ok(object(&read))
    }

    fn said(&self, params: &Map<String, Value>) -> Vec<(String, Value)> {
        let defaults = object(&K::Params::default());
        let is_said = |(name, value): &(&String, &Value)| defaults.get(*name) != Some(value);
        params.iter().filter(is_said).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn rule(&self, params: &Map<String, Value>) -> Result<String> {
        Ok(Kind::rule(self, &read_params::<K>(params).map_err(|misfit| misfit.error)?))
    }

    fn watch(
        &self,
        params: &Map<String, Value>,
        context: &Context<'_>,
        progress: &Progress,
    ) -> Result<Box<dyn Watch>> {
        Kind::watch(self, &read_params::<K>(params).map_err(|misfit| misfit.error)?, context, progress)
    }
}

/// Reads parameters over their defaults.
fn read_params<K: Kind>(given: &Map<String, Value>) -> Result<K::Params, Misfit> {
    entries::read_params(given, "check")
}
