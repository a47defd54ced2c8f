//! What a kind of test is: its declaration, from which forms, help and documentation are made, and the
//! function that judges a package.

use std::path::Path;

use arrow::array::RecordBatch;
use base::{Progress, Result};
pub(super) use data::entries::Misfit;
use data::entries::{object, read_params};
use schemars::JsonSchema;
use score::{Card, Package};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rows::Rows;

/// Everything that is said about a kind without running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Its name in the file.
    pub kind: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What exactly it measures, with its formula or source, as Markdown.
    pub doc: &'static str,
    /// Its entry in a file, without the line `[[test]]`.
    pub example: &'static str,
}

/// What tests are run against.
pub struct Context<'a> {
    /// The package that is judged.
    pub package: &'a Package,
    /// What it says of itself.
    pub card: &'a Card,
    /// Its folder.
    pub folder: &'a Path,
    /// Labelled rows that it has not learnt from.
    pub rows: &'a Rows,
    /// The package that it would replace, and what that is called.
    pub champion: Option<(&'a Package, &'a str)>,
    /// The rows that it has learnt from, if they are at hand.
    pub training: Option<&'a RecordBatch>,
    /// The rows compared and the largest difference from what the run said; nothing if it kept none.
    pub prove: &'a dyn Fn() -> Result<Option<(u64, f64)>>,
}

/// A group of rows with what was found for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What its rows have in common, such as "`island` is `Dream`".
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// What was measured, such as `accuracy`.
    pub measure: String,
    /// The value.
    pub value: f64,
    /// True if it is this group that breaks the test.
    pub is_broken: bool,
}

/// A row that breaks a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRow {
    /// Its number among the rows of the test, from 0.
    pub row: u64,
    /// What there is to see, by name.
    pub cells: Vec<(String, String)>,
}

/// What a test came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Finding {
    /// True if it holds.
    pub is_passed: bool,
    /// What was found, in a sentence.
    pub measured: String,
    /// The groups that were looked at, worst first.
    pub groups: Vec<Group>,
    /// Some rows that break it.
    pub rows: Vec<EvidenceRow>,
}

impl Finding {
    /// A finding without groups and rows.
    pub(super) fn plain(is_passed: bool, measured: String) -> Self {
        Self { is_passed, measured, ..Self::default() }
    }
}

/// A kind of test with parameters of its own type. Implement this; [`TestKind`] follows.
pub(super) trait Kind: Sync {
    /// The parameters; the default is what a file leaves out.
    type Params: Serialize + DeserializeOwned + JsonSchema + Default;

    /// What is said about it.
    fn declaration(&self) -> Declaration;

    /// Fails with the name of the parameter that makes no sense, whatever the model.
    fn check(&self, params: &Self::Params) -> Result<(), Misfit>;

    /// What must hold, in words, such as "AUC at least 0.9".
    fn rule(&self, params: &Self::Params) -> String;

    /// Judges a package. An error means that the test cannot be run, which never counts as passed.
    fn judge(&self, params: &Self::Params, context: &Context<'_>, progress: &Progress) -> Result<Finding>;
}

/// A kind of test without its parameter type, as the list of kinds holds it.
pub(super) trait TestKind: Sync {
    fn declaration(&self) -> Declaration;
    /// JSON Schema of its parameters.
    fn params_schema(&self) -> Value;
    /// The given parameters with defaults filled in.
    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit>;
    fn rule(&self, params: &Map<String, Value>) -> Result<String>;
    fn judge(
        &self,
        params: &Map<String, Value>,
        context: &Context<'_>,
        progress: &Progress,
    ) -> Result<Finding>;
}

impl<K: Kind> TestKind for K {
    fn declaration(&self) -> Declaration {
        Kind::declaration(self)
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(K::Params).to_value()
    }

    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>, Misfit> {
        let read: K::Params = read_params(params, "test")?;
        Kind::check(self, &read)?;
        Ok(object(&read))
    }

    fn rule(&self, params: &Map<String, Value>) -> Result<String> {
        let read: K::Params = read_params(params, "test").map_err(|misfit| misfit.error)?;
        Ok(Kind::rule(self, &read))
    }

    fn judge(
        &self,
        params: &Map<String, Value>,
        context: &Context<'_>,
        progress: &Progress,
    ) -> Result<Finding> {
        let read: K::Params = read_params(params, "test").map_err(|misfit| misfit.error)?;
        Kind::judge(self, &read, context, progress)
    }
}
