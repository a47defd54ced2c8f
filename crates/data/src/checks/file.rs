//! The file of checks: TOML that people can read, diff and write by hand. It lives beside the
//! dataset in a project, as `datasets/<name>.checks.toml`.
//!
//! ```toml
//! format = 1
//!
//! [[check]]
//! kind = "range"
//! column = "age"
//! min = 0
//! max = 120
//! severity = "warn"
//! name = "plausible ages"
//! ```

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::kind::{CheckKind, Misfit};
use super::kinds;
use crate::entries::{self, integer, json, unknown};

/// The only format there is so far.
const FORMAT: i64 = 1;
/// The most checks of one file.
pub const MAX_CHECKS: usize = 1000;
/// Parameters that every check has.
const COMMON: [&str; 4] = ["kind", "name", "severity", "max_share"];

/// The checks of a dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckFile {
    /// The checks in the order of the file.
    pub checks: Vec<Check>,
}

/// How bad it is if a check does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The data must not be used.
    #[default]
    Error,
    /// Somebody should have a look.
    Warn,
}

/// One check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    kind: &'static str,
    params: Map<String, Value>,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// What it is called, if it has a name.
    pub name: Option<String>,
    /// The share of rows that may fail, from 0 to 1. Checks that are not about rows have none.
    max_share: f64,
}

impl Check {
    /// A check of this kind with these parameters; what is left out has its default.
    ///
    /// # Errors
    /// `invalid_input` for a kind that does not exist and for parameters that do not fit it.
    pub fn new(kind: &str, params: &Map<String, Value>) -> Result<Self> {
        let kind = kinds::find(kind)?;
        let params = kind.complete(params).map_err(|misfit| misfit.error)?;
        Ok(Self {
            kind: kind.declaration().kind,
            params,
            severity: Severity::Error,
            name: None,
            max_share: 0.0,
        })
    }

    /// The same check, which holds although up to this share of rows fails.
    ///
    /// # Errors
    /// `invalid_input` unless it is a share, and for a check that is not about rows.
    pub fn allowing(mut self, max_share: f64) -> Result<Self> {
        let declaration = self.declared().declaration();
        if max_share != 0.0 && !declaration.is_about_rows {
            return Err(Error::invalid(format!("`{}` is not about rows", self.kind))
                .hint("leave `max_share` out of this check"));
        }
        if !(0.0..=1.0).contains(&max_share) {
            return Err(Error::invalid(format!("`max_share` cannot be {max_share}"))
                .hint("write a share from 0 to 1, such as 0.05"));
        }
        self.max_share = max_share;
        Ok(self)
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its parameters, defaults filled in.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    /// The share of rows that may fail.
    pub fn max_share(&self) -> f64 {
        self.max_share
    }

    /// What must hold, in words, such as "`age` between 0 and 120".
    pub fn rule(&self) -> String {
        // Parameters were read when the check was made, so they can be read again.
        let rule = self.declared().rule(&self.params).unwrap_or_else(|_| self.kind.to_owned());
        if self.max_share == 0.0 {
            return rule;
        }
        format!("{rule} (but for up to {} of rows)", super::params::percent(self.max_share))
    }

    pub(super) fn declared(&self) -> &'static dyn CheckKind {
        kinds::find(self.kind).expect("a check is made from a kind of the list")
    }
}

impl CheckFile {
    /// Reads the text of a file of checks. Whether they fit a table is found out when they run.
    ///
    /// # Errors
    /// `invalid_input` with the line where the text is not such a file; `too_new` for a format
    /// that this version does not know.
    pub fn parse(text: &str) -> Result<Self> {
        let table = DeTable::parse(text).map_err(|e| {
            refused(text, e.span().map(|span| span.start), Error::invalid(e.message().trim().to_owned()))
        })?;
        let table = table.get_ref();
        let format = table.get("format").and_then(|value| integer(value.get_ref()));
        match format {
            Some(FORMAT) => {}
            Some(newer @ 2..) => {
                return Err(Error::new(
                    Code::TooNew,
                    format!(
                        "the file of checks has format {newer}, this version of Fettle reads format {FORMAT}"
                    ),
                )
                .hint("update Fettle"));
            }
            _ => {
                let error = Error::invalid("the file of checks does not say its format");
                return Err(error.hint("begin it with `format = 1`"));
            }
        }
        if let Some((key, _)) =
            table.iter().find(|(key, _)| !["format", "check"].contains(&key.get_ref().as_ref()))
        {
            let error = unknown(key.get_ref(), ["format", "check"].into_iter());
            return Err(refused(text, Some(key.span().start), error));
        }
        Ok(Self { checks: checks_of(text, table)? })
    }

    /// The text of the file: the same checks give the same text.
    pub fn to_text(&self) -> String {
        let mut text = format!("format = {FORMAT}\n");
        for check in &self.checks {
            text.push_str(&format!("\n[[check]]\nkind = {}\n", toml_value(&Value::from(check.kind))));
            let mut said = check.declared().said(&check.params);
            if check.max_share != 0.0 {
                said.push(("max_share".to_owned(), Value::from(check.max_share)));
            }
            if check.severity == Severity::Warn {
                said.push(("severity".to_owned(), Value::from("warn")));
            }
            said.extend(check.name.iter().map(|name| ("name".to_owned(), Value::from(name.as_str()))));
            for (name, value) in said {
                text.push_str(&format!("{name} = {}\n", toml_value(&value)));
            }
        }
        text
    }
}

fn checks_of(text: &str, table: &DeTable<'_>) -> Result<Vec<Check>> {
    let Some(entries) = table.get("check") else { return Ok(Vec::new()) };
    let Some(array) = entries.get_ref().as_array() else {
        let error =
            Error::invalid("`check` is not a list").hint("begin each check with the line `[[check]]`");
        return Err(refused(text, Some(entries.span().start), error));
    };
    if array.len() > MAX_CHECKS {
        return Err(Error::invalid(format!("the file has {} checks", array.len()))
            .hint(format!("a file holds {MAX_CHECKS} checks at most")));
    }
    array
        .iter()
        .map(|entry| match entry.get_ref() {
            DeValue::Table(table) => Entry { text, table, start: entry.span().start }.check(),
            _ => {
                let error = Error::invalid("a check is not a table");
                Err(refused(text, Some(entry.span().start), error.hint("begin it with `[[check]]`")))
            }
        })
        .collect()
}

/// One check as the text has it.
struct Entry<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    start: usize,
}

impl Entry<'_> {
    fn check(&self) -> Result<Check> {
        let Some(kind) = self.word("kind")? else {
            let error = Error::invalid("the check does not say its kind");
            return Err(self.refused(None, error.hint("add a line such as `kind = \"not_null\"`")));
        };
        let found = kinds::find(&kind).map_err(|e| self.refused(Some("kind"), e))?;
        let mut params = Map::new();
        for (key, value) in self.table.iter().filter(|(key, _)| !COMMON.contains(&key.get_ref().as_ref())) {
            params.insert(
                key.get_ref().to_string(),
                json(value.get_ref()).map_err(|e| self.refused(Some(key.get_ref()), e))?,
            );
        }
        let params = found.complete(&params).map_err(|Misfit { param, error }| {
            let error = error.within(format!("check `{kind}`"));
            self.refused(param.as_deref(), error)
        })?;
        let severity = match self.word("severity")?.as_deref() {
            None | Some("error") => Severity::Error,
            Some("warn") => Severity::Warn,
            Some(other) => {
                let error = Error::invalid(format!("there is no severity `{other}`"));
                return Err(self.refused(Some("severity"), error.hint("write `error` or `warn`")));
            }
        };
        let name = self.word("name")?;
        let check = Check { kind: found.declaration().kind, params, severity, name, max_share: 0.0 };
        check.allowing(self.share()?).map_err(|e| self.refused(Some("max_share"), e))
    }

    fn word(&self, key: &str) -> Result<Option<String>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        value.get_ref().as_str().map(|text| Some(text.to_owned())).ok_or_else(|| {
            self.refused(Some(key), Error::invalid(format!("`{key}` is not a text")).hint("put it in quotes"))
        })
    }

    fn share(&self) -> Result<f64> {
        let Some(value) = self.table.get("max_share") else { return Ok(0.0) };
        json(value.get_ref())?.as_f64().ok_or_else(|| {
            let error = Error::invalid("`max_share` is not a number");
            self.refused(Some("max_share"), error.hint("write a share from 0 to 1, such as 0.05"))
        })
    }

    /// The error at the line of a key, or of the check if there is no such key.
    fn refused(&self, key: Option<&str>, error: Error) -> Error {
        let key = key.and_then(|key| self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key));
        refused(self.text, Some(key.map_or(self.start, |(name, _)| name.span().start)), error)
    }
}

/// An error in the text, at its line.
fn refused(text: &str, at: Option<usize>, error: Error) -> Error {
    entries::refused(text, at, "the checks", error)
}

/// A parameter as the file writes it. Whole numbers are written without a point.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(toml_value).collect();
            format!("[{}]", values.join(", "))
        }
        Value::String(text) => toml::Value::from(text.as_str()).to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                (float as i64).to_string()
            }
            Some(float) if number.is_f64() => toml::Value::from(float).to_string(),
            _ => number.to_string(),
        },
        Value::Bool(truth) => truth.to_string(),
        // No kind has such parameters, and a missing one is not written.
        Value::Null | Value::Object(_) => "\"\"".to_owned(),
    }
}
