//! The filter language of MLflow: clauses joined by `and`, such as
//! ``metrics.auc > 0.9 and params.`my key` like 'a%'``, and lists of orders such as `metrics.auc desc`.
//! What it says becomes conditions of a [`super::search::Search`]; a text never becomes SQL.
//!
//! ```text
//! filter := "" | clause ("and" clause)*
//! clause := name op value | name "is" ["not"] "null"
//! name   := [entity "."] key, where a key is a word, `quoted` or "quoted"
//! op     := = != < <= > >= | like | ilike | [not] in
//! value  := number | 'text' | "text" | ("text", …)
//! ```

mod suggest;

use base::{Error, Result};

pub use suggest::{Expected, Spot, expected, written};

use super::search::{Column, Compare, Condition, DatasetField, Field, Order, Pick, Test, TextTest};

/// A filter has at most so many clauses.
const MOST_CLAUSES: usize = 100;
/// A pattern has at most so many characters, which bounds the work for each row.
const LONGEST_PATTERN: usize = 1_000;

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runs by scripts.
    Runs,
    /// Experiments.
    Experiments,
    /// Registered models.
    Models,
    /// Versions of registered models.
    Versions,
    /// Logged models.
    LoggedModels,
    /// Runs of any kind, as a table shows them: with words of ours beside those of MLflow.
    Table,
}

impl Kind {
    /// The attributes by the names they go by; true for numbers.
    fn attributes(self) -> &'static [(&'static str, Column, bool)] {
        match self {
            Self::Runs => &[
                ("run_id", Column::Id, false),
                ("run_name", Column::Name, false),
                ("Run name", Column::Name, false),
                ("Run Name", Column::Name, false),
                ("run name", Column::Name, false),
                ("status", Column::State, false),
                ("user_id", Column::User, false),
                ("artifact_uri", Column::ArtifactUri, false),
                ("start_time", Column::Started, true),
                ("created", Column::Started, true),
                ("Created", Column::Started, true),
                ("end_time", Column::Ended, true),
            ],
            Self::Table => &[
                ("name", Column::Name, false),
                ("number", Column::Number, true),
                ("state", Column::Stage, false),
                ("pipeline", Column::Pipeline, false),
                ("experiment", Column::Experiment, false),
                ("start_time", Column::Started, true),
                ("end_time", Column::Ended, true),
                ("duration", Column::Duration, true),
                ("note", Column::Note, false),
                ("user_id", Column::User, false),
                ("run_id", Column::Id, false),
                ("run_name", Column::Name, false),
                ("status", Column::State, false),
                ("artifact_uri", Column::ArtifactUri, false),
            ],
            Self::Experiments => &[
                ("name", Column::Name, false),
                ("experiment_id", Column::Id, false),
                ("creation_time", Column::Created, true),
                ("last_update_time", Column::Updated, true),
            ],
            Self::Models => &[
                ("name", Column::Name, false),
                ("timestamp", Column::Updated, true),
                ("last_updated_timestamp", Column::Updated, true),
            ],
            Self::Versions => &[
                ("name", Column::Name, false),
                ("run_id", Column::SourceRun, false),
                ("source_path", Column::Source, false),
                ("version_number", Column::Version, true),
                ("creation_timestamp", Column::Created, true),
                ("last_updated_timestamp", Column::Updated, true),
            ],
            Self::LoggedModels => &[
                ("name", Column::Name, false),
                ("model_id", Column::Id, false),
                ("model_type", Column::ModelType, false),
                ("status", Column::State, false),
                ("source_run_id", Column::SourceRun, false),
                ("creation_timestamp", Column::Created, true),
                ("creation_time", Column::Created, true),
                ("last_updated_timestamp", Column::Updated, true),
            ],
        }
    }

    /// Attributes that only an order may name.
    fn is_for_orders(self, column: Column) -> bool {
        match self {
            Self::Models => column != Column::Name,
            Self::Versions => matches!(column, Column::Created | Column::Updated),
            Self::Runs | Self::Experiments | Self::LoggedModels | Self::Table => false,
        }
    }

    /// Attributes that take a list.
    fn takes_list(self, column: Column) -> bool {
        match self {
            Self::Runs | Self::Experiments => column == Column::Id,
            Self::Models => column == Column::Name,
            Self::Versions => matches!(column, Column::Name | Column::SourceRun),
            Self::LoggedModels | Self::Table => true,
        }
    }

    /// What to say where a list stands for an attribute that takes none.
    fn takes_no_list(self) -> String {
        let lists = self.attributes().iter().filter(|(_, column, _)| self.takes_list(*column));
        let names: Vec<_> = lists.map(|(name, ..)| format!("'{name}'")).collect();
        let names = names.join(", ");
        format!("Only [{names}] attributes support comparison with a list of quoted string values.")
    }

    fn has_metrics_and_params(self) -> bool {
        matches!(self, Self::Runs | Self::LoggedModels | Self::Table)
    }
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Filter,
    Order,
}

/// What a clause compares, and with what it may be compared.
struct Name {
    field: Field,
    kind: Kind,
    key: String,
    /// What the messages call it.
    word: &'static str,
    is_number: bool,
    takes_list: bool,
    may_miss: bool,
}

/// Reads a filter.
///
/// # Errors
/// `InvalidInput` that says which part cannot be read.
pub fn parse(kind: Kind, text: &str) -> Result<Vec<Condition>> {
    conditions(kind, text, &mut Scanner::new(text))
}

/// As [`parse`]; an error comes with the byte from which on the text cannot be read.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_place(kind: Kind, text: &str) -> Result<Vec<Condition>, (usize, Error)> {
    let mut scanner = Scanner::new(text);
    conditions(kind, text, &mut scanner).map_err(|error| (text.len() - scanner.token.len(), error))
}

fn conditions(kind: Kind, text: &str, scanner: &mut Scanner<'_>) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    loop {
        scanner.skip_space();
        // An `and` with nothing after it is let through, as MLflow does.
        if scanner.rest.is_empty() {
            return Ok(conditions);
        }
        scanner.clause = scanner.rest;
        conditions.push(clause(kind, scanner)?);
        if conditions.len() > MOST_CLAUSES {
            return Err(Error::invalid(format!("a filter can contain at most {MOST_CLAUSES} clauses")));
        }
        scanner.skip_space();
        if scanner.rest.is_empty() {
            return Ok(conditions);
        }
        if scanner.rest.starts_with(';') {
            let sign = if text.contains('\'') { '"' } else { '\'' };
            return Err(Error::invalid(format!(
                "Search filter contained multiple expression {sign}{}{sign}. Provide AND-ed expression list.",
                shortened(text)
            )));
        }
        if !scanner.take_word("and") {
            scanner.clause = scanner.rest;
            return Err(scanner.wrong_clause());
        }
    }
}

/// Reads an order, one key a text.
///
/// # Errors
/// `InvalidInput` for a key that cannot be read, and for one that comes twice.
pub fn parse_order(kind: Kind, texts: &[String]) -> Result<Vec<Order>> {
    let mut orders: Vec<Order> = Vec::new();
    for text in texts {
        let wrong =
            || Error::invalid(format!("Invalid ordering key in order_by clause '{}'.", shortened(text)));
        let mut scanner = Scanner::new(text);
        scanner.skip_space();
        if scanner.rest.is_empty() {
            return Err(wrong());
        }
        let name = picked(kind, Place::Order, &mut scanner)?;
        scanner.skip_space();
        let is_ascending = !scanner.take_word("desc");
        if is_ascending {
            scanner.take_word("asc");
        }
        scanner.skip_space();
        if matches!(name.field, Field::Dataset(_)) {
            return Err(Error::invalid("Invalid identifier type 'dataset'"));
        }
        if !scanner.rest.is_empty() {
            return Err(wrong());
        }
        if orders.iter().any(|order| order.field == name.field) {
            return Err(Error::invalid(format!("`order_by` contains duplicate fields: {texts:?}")));
        }
        orders.push(Order { field: name.field, is_ascending });
    }
    Ok(orders)
}

/// Reads the name of one column of a table of runs, such as `metrics.auc` or `min(metrics.loss)`.
///
/// # Errors
/// `InvalidInput` for what is no name.
pub fn parse_field(text: &str) -> Result<Field> {
    let mut scanner = Scanner::new(text);
    scanner.skip_space();
    let name = picked(Kind::Table, Place::Filter, &mut scanner)?;
    scanner.skip_space();
    if !scanner.rest.is_empty() {
        return Err(Error::invalid(format!("`{}` is no column of a run", shortened(text)))
            .hint("write `metrics.auc`, `min(metrics.loss)`, `at(metrics.loss, 100)`, `params.depth`, `tags.team` or an attribute such as `name`"));
    }
    Ok(name.field)
}

/// A name, or a choice among the values of a metric: `min(metrics.loss)`.
fn picked(kind: Kind, place: Place, scanner: &mut Scanner<'_>) -> Result<Name> {
    let function = if kind == Kind::Table { scanner.function() } else { None };
    let Some(word) = function else { return name(kind, place, scanner) };
    let inner = name(kind, place, scanner)?;
    let Field::Metric(key) = inner.field else {
        return Err(Error::invalid(format!("`{word}` takes a metric, not `{}`", inner.key)));
    };
    scanner.skip_space();
    let pick = match word {
        "min" => Pick::Least,
        "max" => Pick::Greatest,
        "best" => Pick::Best,
        _ => {
            scanner.rest = scanner
                .rest
                .strip_prefix(',')
                .ok_or_else(|| Error::invalid("`at` takes a metric and a step: `at(metrics.loss, 100)`"))?;
            scanner.skip_space();
            Pick::At(scanner.number("step")? as i64)
        }
    };
    scanner.skip_space();
    scanner.rest =
        scanner.rest.strip_prefix(')').ok_or_else(|| Error::invalid(format!("`{word}(` has no `)`")))?;
    Ok(Name { field: Field::Picked(pick, key), ..inner })
}

/// Enough of a text for a message.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect::<String>().trim().to_owned()
}

fn clause(kind: Kind, scanner: &mut Scanner<'_>) -> Result<Condition> {
    let name = picked(kind, Place::Filter, scanner)?;
    scanner.skip_space();
    if scanner.take_word("is") {
        scanner.skip_space();
        let is_not = scanner.take_word("not");
        scanner.skip_space();
        if !scanner.take_word("null") {
            return Err(scanner.wrong_clause());
        }
        if !name.may_miss {
            return Err(Error::invalid(format!(
                "IS NULL / IS NOT NULL is only supported for tags and params, not for '{}' '{}'",
                name.word, name.key
            )));
        }
        return Ok(Condition { field: name.field, test: if is_not { Test::There } else { Test::Missing } });
    }
    let operator = scanner.operator()?;
    scanner.skip_space();
    let test = test(&name, &operator, scanner)?;
    Ok(Condition { field: name.field, test })
}

fn test(name: &Name, operator: &str, scanner: &mut Scanner<'_>) -> Result<Test> {
    let refused =
        |allowed: &str| Error::invalid(format!("Invalid comparator '{operator}' not one of '{allowed}"));
    if name.is_number {
        let compare = match operator {
            "=" => Compare::Equal,
            "!=" => Compare::Unequal,
            "<" => Compare::Below,
            "<=" => Compare::AtMost,
            ">" => Compare::Above,
            ">=" => Compare::AtLeast,
            _ => return Err(refused("{'>', '>=', '!=', '=', '<', '<='}")),
        };
        return Ok(Test::Number(compare, scanner.number(name.word)?));
    }
    match operator {
        "IN" | "NOT IN" if name.takes_list => {
            let texts = scanner.list()?;
            Ok(if operator == "IN" { Test::OneOf(texts) } else { Test::NoneOf(texts) })
        }
        "IN" | "NOT IN" if matches!(name.field, Field::Column(_)) => {
            Err(Error::invalid(name.kind.takes_no_list()))
        }
        "=" => Ok(Test::Text(TextTest::Equal, scanner.text(name.word)?)),
        "!=" => Ok(Test::Text(TextTest::Unequal, scanner.text(name.word)?)),
        "LIKE" => Ok(Test::Text(TextTest::Like, scanner.pattern(name.word)?)),
        "ILIKE" => Ok(Test::Text(TextTest::ILike, scanner.pattern(name.word)?)),
        _ if name.may_miss => Err(refused("{'=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}'")),
        _ => Err(refused("{'=', '!=', 'LIKE', 'ILIKE'}'")),
    }
}

fn name(kind: Kind, place: Place, scanner: &mut Scanner<'_>) -> Result<Name> {
    let (entity, key) = scanner.name()?;
    let named = key.clone();
    let part = |field, word, is_number| Name {
        field,
        kind,
        key: named.clone(),
        word,
        is_number,
        takes_list: false,
        may_miss: !is_number,
    };
    let entity = entity.unwrap_or_else(|| "attribute".to_owned());
    match entity.as_str() {
        "metric" | "metrics" if kind.has_metrics_and_params() => Ok(part(Field::Metric(key), "metric", true)),
        "param" | "params" | "parameter" | "parameters" if kind.has_metrics_and_params() => {
            Ok(part(Field::Param(key), "parameter", false))
        }
        "tag" | "tags" => Ok(part(Field::Tag(key), "tag", false)),
        "dataset" | "datasets" if matches!(kind, Kind::Runs | Kind::Table) => {
            let field = match key.as_str() {
                "name" => DatasetField::Name,
                "digest" => DatasetField::Digest,
                "context" => DatasetField::Context,
                _ => return Err(unknown("dataset", &key, "name', 'digest', 'context")),
            };
            Ok(Name { takes_list: true, may_miss: false, ..part(Field::Dataset(field), "dataset", false) })
        }
        "attribute" | "attributes" | "attr" | "run" => attribute(kind, place, key),
        other => Err(Error::invalid(format!(
            "Invalid entity type '{other}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
        ))),
    }
}

fn attribute(kind: Kind, place: Place, key: String) -> Result<Name> {
    // An alias with a space is for filters, what only sorts is for orders.
    let may_stand = |name: &str, column: Column| match place {
        Place::Filter => !kind.is_for_orders(column),
        Place::Order => !name.contains(' '),
    };
    let all = kind.attributes().iter().filter(|(name, column, _)| may_stand(name, *column));
    let Some(&(_, column, is_number)) = all.clone().find(|(name, ..)| *name == key) else {
        let valid: Vec<_> = all.map(|(name, ..)| *name).collect();
        return Err(unknown("attribute", &key, &valid.join("', '")));
    };
    Ok(Name {
        field: Field::Column(column),
        kind,
        key,
        word: "attribute",
        is_number,
        takes_list: kind.takes_list(column),
        may_miss: false,
    })
}

fn unknown(what: &str, key: &str, valid: &str) -> Error {
    Error::invalid(format!("Invalid {what} key '{key}' specified. Valid keys are '{{'{valid}'}}'"))
}

/// Reads a text from its beginning.
struct Scanner<'a> {
    rest: &'a str,
    /// From where the clause begins that is being read.
    clause: &'a str,
    /// From where the part begins that is being read.
    token: &'a str,
}

/// What chooses among the values of a metric.
const FUNCTIONS: [&str; 4] = ["min", "max", "best", "at"];

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, clause: text, token: text }
    }

    /// One of the functions with its `(`.
    fn function(&mut self) -> Option<&'static str> {
        let word = FUNCTIONS.into_iter().find(|word| {
            self.rest.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('('))
        })?;
        let rest = self.rest[word.len()..].trim_start();
        self.rest = &rest[1..];
        self.skip_space();
        Some(word)
    }

    fn wrong_clause(&self) -> Error {
        Error::invalid(format!("Invalid clause(s) in filter string: '{}'", shortened(self.clause)))
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
        self.token = self.rest;
    }

    /// A word in any case, which nothing follows that could belong to it.
    fn take_word(&mut self, word: &str) -> bool {
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let follows = self.rest[word.len()..].chars().next();
        let is_whole = !follows.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        let is_it = head.eq_ignore_ascii_case(word) && is_whole;
        if is_it {
            self.rest = &self.rest[word.len()..];
        }
        is_it
    }

    /// A name and its entity, if it has one.
    fn name(&mut self) -> Result<(Option<String>, String)> {
        if let Some(key) = self.quoted(&['`', '"'])? {
            let Some(rest) = self.rest.strip_prefix('.') else { return Ok((None, key)) };
            self.rest = rest;
            let part = match self.quoted(&['`', '"'])? {
                Some(part) => part,
                None => self.word(),
            };
            return if part.is_empty() { Err(self.wrong_clause()) } else { Ok((Some(key), part)) };
        }
        let word = self.word();
        // No attribute has this name, and who writes it means something else.
        if word.is_empty() || word.eq_ignore_ascii_case("not") {
            return Err(self.wrong_clause());
        }
        let Some((entity, key)) = word.split_once('.') else { return Ok((None, word)) };
        if !key.is_empty() {
            return Ok((Some(entity.to_owned()), key.to_owned()));
        }
        match self.quoted(&['`', '"'])? {
            Some(key) => Ok((Some(entity.to_owned()), key)),
            None => Err(self.wrong_clause()),
        }
    }

    fn word(&mut self) -> String {
        let is_end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    /// What stands between two of one of these signs. There is no way to write the sign itself.
    fn quoted(&mut self, signs: &[char]) -> Result<Option<String>> {
        let Some(sign) = self.rest.chars().next().filter(|c| signs.contains(c)) else { return Ok(None) };
        let inside = &self.rest[sign.len_utf8()..];
        let end = inside.find(sign).ok_or_else(|| self.wrong_clause())?;
        let text = inside[..end].to_owned();
        self.rest = &inside[end + sign.len_utf8()..];
        Ok(Some(text))
    }

    fn operator(&mut self) -> Result<String> {
        let end = self.rest.find(|c| !matches!(c, '=' | '!' | '<' | '>')).unwrap_or(self.rest.len());
        if end > 0 {
            let (operator, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(operator.to_owned());
        }
        for word in ["LIKE", "ILIKE", "IN"] {
            if self.take_word(word) {
                return Ok(word.to_owned());
            }
        }
        if self.take_word("not") {
            self.skip_space();
            if self.take_word("in") {
                return Ok("NOT IN".to_owned());
            }
        }
        Err(self.wrong_clause())
    }

    fn number(&mut self, what: &str) -> Result<f64> {
        if self.rest.is_empty() {
            return Err(self.wrong_clause());
        }
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-'));
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        let is_plain =
            text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E'));
        match text.parse::<f64>() {
            Ok(number) if is_plain => {
                self.rest = &self.rest[end..];
                Ok(number)
            }
            _ => {
                let found: String = self.rest.chars().take(100).collect();
                Err(Error::invalid(format!("Expected numeric value type for {what}. Found {found}")))
            }
        }
    }

    fn text(&mut self, what: &str) -> Result<String> {
        if self.rest.is_empty() {
            return Err(self.wrong_clause());
        }
        if let Some(text) = self.quoted(&['\'', '"'])? {
            return Ok(text);
        }
        let found: String = self.rest.chars().take(100).collect();
        Err(Error::invalid(format!(
            "Expected a quoted string value for {what} (e.g. 'my-value'). Got value {found}"
        )))
    }

    fn pattern(&mut self, what: &str) -> Result<String> {
        let text = self.text(what)?;
        if text.chars().count() > LONGEST_PATTERN {
            return Err(Error::invalid(format!("a pattern has at most {LONGEST_PATTERN} characters")));
        }
        Ok(text)
    }

    fn list(&mut self) -> Result<Vec<String>> {
        let wrong = |rest: &str| {
            let shown: String = rest.chars().take(100).collect();
            Error::invalid(format!("While parsing a list in the query, expected string value, got {shown}"))
        };
        self.rest = self.rest.strip_prefix('(').ok_or_else(|| wrong(self.rest))?;
        let mut texts = Vec::new();
        self.skip_space();
        if self.rest.starts_with(')') {
            return Err(Error::invalid(
                "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
            ));
        }
        loop {
            self.skip_space();
            texts.push(self.quoted(&['\'', '"'])?.ok_or_else(|| wrong(self.rest))?);
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                self.skip_space();
                // Python writes a list of one with a comma.
                if let (1, Some(rest)) = (texts.len(), self.rest.strip_prefix(')')) {
                    self.rest = rest;
                    return Ok(texts);
                }
            } else {
                self.rest = self.rest.strip_prefix(')').ok_or_else(|| wrong(self.rest))?;
                return Ok(texts);
            }
        }
    }
}

#[cfg(test)]
mod tests;
