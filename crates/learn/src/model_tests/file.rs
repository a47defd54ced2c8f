//! The file of tests: TOML that people can read, diff and write by hand. It lives in the project, as
//! `models/<name>.tests.toml`.
//!
//! ```toml
//! format = 1
//! dataset = "penguins_holdout"
//!
//! [[test]]
//! kind = "metric"
//! metric = "auc"
//! at_least = 0.9
//! ```

use base::{Code, Error, Result};
use data::checks::Severity;
use data::entries::{self, Misfit, integer, json, unknown};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::kind::TestKind;
use super::kinds;

/// The only format there is so far.
const FORMAT: i64 = 1;
/// The most tests of one file.
pub const MAX_TESTS: usize = 500;
/// Parameters that every test has.
const COMMON: [&str; 3] = ["kind", "name", "severity"];
const FIELDS: [&str; 3] = ["format", "dataset", "test"];

/// The tests of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestFile {
    /// The dataset, or `dataset@version`, with the rows to test on; those that the package keeps if none.
    pub dataset: Option<String>,
    /// The tests in the order of the file.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    kind: &'static str,
    params: Map<String, Value>,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// What it is called, if it has a name.
    pub name: Option<String>,
}

impl Test {
    /// A test of this kind with these parameters; what is left out has its default.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a kind that does not exist and for parameters that do not fit it.
    pub fn new(kind: &str, params: &Map<String, Value>) -> Result<Self> {
        let kind = kinds::find(kind)?;
        let params = kind.complete(params).map_err(|misfit| misfit.error)?;
        Ok(Self { kind: kind.declaration().kind, params, severity: Severity::Error, name: None })
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its parameters, defaults filled in.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    /// What must hold, in words.
    pub fn rule(&self) -> String {
        // Parameters were read when the test was made, so they can be read again.
        self.declared().rule(&self.params).unwrap_or_else(|_| self.kind.to_owned())
    }

    pub(super) fn declared(&self) -> &'static dyn TestKind {
        kinds::find(self.kind).expect("a test is made from a kind of the list")
    }
}

impl TestFile {
    /// Reads the text of a file of tests. Whether they fit a model is found out when they run.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the line where the text is not such a file; [`Code::TooNew`] for a
    /// format that this version does not know.
    pub fn parse(text: &str) -> Result<Self> {
        let table = DeTable::parse(text).map_err(|e| {
            refused(text, e.span().map(|span| span.start), Error::invalid(e.message().trim().to_owned()))
        })?;
        let table = table.get_ref();
        match table.get("format").and_then(|value| integer(value.get_ref())) {
            Some(FORMAT) => {}
            Some(newer @ 2..) => {
                let message =
                    format!("the file of tests has format {newer}, this version of Fettle reads {FORMAT}");
                return Err(Error::new(Code::TooNew, message).hint("update Fettle"));
            }
            _ => {
                let error = Error::invalid("the file of tests does not say its format");
                return Err(error.hint("begin it with `format = 1`"));
            }
        }
        if let Some((key, _)) = table.iter().find(|(key, _)| !FIELDS.contains(&key.get_ref().as_ref())) {
            let error = unknown(key.get_ref(), FIELDS.into_iter());
            return Err(refused(text, Some(key.span().start), error));
        }
        let whole = Entry { text, table, start: 0 };
        Ok(Self { dataset: whole.word("dataset")?, tests: tests_of(text, table)? })
    }
}

fn tests_of(text: &str, table: &DeTable<'_>) -> Result<Vec<Test>> {
    let Some(entries) = table.get("test") else { return Ok(Vec::new()) };
    let Some(array) = entries.get_ref().as_array() else {
        let error = Error::invalid("`test` is not a list").hint("begin each test with the line `[[test]]`");
        return Err(refused(text, Some(entries.span().start), error));
    };
    if array.len() > MAX_TESTS {
        return Err(Error::invalid(format!("the file has {} tests", array.len()))
            .hint(format!("a file holds {MAX_TESTS} tests at most")));
    }
    let entry = |entry: &toml::Spanned<DeValue<'_>>| match entry.get_ref() {
        DeValue::Table(table) => Entry { text, table, start: entry.span().start }.test(),
        _ => {
            let error = Error::invalid("a test is not a table").hint("begin it with `[[test]]`");
            Err(refused(text, Some(entry.span().start), error))
        }
    };
    array.iter().map(entry).collect()
}

/// One test as the text has it.
struct Entry<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    start: usize,
}

impl Entry<'_> {
    fn test(&self) -> Result<Test> {
        let Some(kind) = self.word("kind")? else {
            let error = Error::invalid("the test does not say its kind");
            return Err(self.refused(None, error.hint("add a line such as `kind = \"metric\"`")));
        };
        let found = kinds::find(&kind).map_err(|e| self.refused(Some("kind"), e))?;
        let mut params = Map::new();
        for (key, value) in self.table.iter().filter(|(key, _)| !COMMON.contains(&key.get_ref().as_ref())) {
            let value = json(value.get_ref()).map_err(|e| self.refused(Some(key.get_ref()), e))?;
            params.insert(key.get_ref().to_string(), value);
        }
        let params = found.complete(&params).map_err(|Misfit { param, error }| {
            self.refused(param.as_deref(), error.within(format!("test `{kind}`")))
        })?;
        let severity = match self.word("severity")?.as_deref() {
            None | Some("error") => Severity::Error,
            Some("warn") => Severity::Warn,
            Some(other) => {
                let error = Error::invalid(format!("there is no severity `{other}`"));
                return Err(self.refused(Some("severity"), error.hint("write `error` or `warn`")));
            }
        };
        Ok(Test { kind: found.declaration().kind, params, severity, name: self.word("name")? })
    }

    fn word(&self, key: &str) -> Result<Option<String>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        value.get_ref().as_str().map(|text| Some(text.to_owned())).ok_or_else(|| {
            self.refused(Some(key), Error::invalid(format!("`{key}` is not a text")).hint("put it in quotes"))
        })
    }

    /// The error at the line of a key, or of the test if there is no such key.
    fn refused(&self, key: Option<&str>, error: Error) -> Error {
        let key = key.and_then(|key| self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key));
        refused(self.text, Some(key.map_or(self.start, |(name, _)| name.span().start)), error)
    }
}

fn refused(text: &str, at: Option<usize>, error: Error) -> Error {
    entries::refused(text, at, "the tests", error)
}
