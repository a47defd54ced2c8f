//! What turned out to be true of requests that were answered: feedback that callers sent, and labels
//! that a table knows later. Both lie beside the request log as `feedback-….jsonl`, a row a line.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use base::{Error, Progress, Result};
use data::TableFile;
use flow::kinds::json_cell;
use score::{Card, Input, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::deployments::Deployment;
use store::{Action, Topic, files};

use super::requests::{self, Request};
use crate::Engine;
use crate::commands::performance::{Labelled, MonitorLabel};
use crate::judging::tests::card_of;
use crate::targets;

/// The column of a table that names requests, if nobody says another.
const ID_COLUMN: &str = "request_id";
/// The column beside it that says which row of the request is meant.
const ROW_COLUMN: &str = "row";
/// Of a longer table so many rows are taken, evenly.
const MOST_ROWS: usize = 1_000_000;

/// What is known to be true, by request and row.
#[derive(Debug, Default)]
pub(crate) struct Labels(HashMap<String, BTreeMap<u64, (i64, Value)>>);

/// A line of feedback.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    t: i64,
    id: String,
    #[serde(default)]
    row: u64,
    y: Value,
}

impl Labels {
    /// Reads the newest part of what is kept. Of two labels of a row the later one counts.
    ///
    /// # Errors
    /// The files are there and cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut labels = Self::default();
        requests::each_line(folder, requests::FEEDBACK, |line: Line| labels.add(line))?;
        Ok(labels)
    }

    fn add(&mut self, line: Line) {
        let rows = self.0.entry(line.id).or_default();
        if rows.get(&line.row).is_none_or(|(before, _)| *before <= line.t) {
            rows.insert(line.row, (line.t, line.y));
        }
    }

    /// What is known of a row of a request.
    pub(crate) fn of(&self, request: &Request, row: u64) -> Option<&Value> {
        Some(&self.0.get(&request.id)?.get(&row)?.1)
    }
}

impl Engine {
    /// Finds what a table knows of the requests of a deployment and keeps it as feedback: by the ids
    /// of requests, or by what went in.
    pub(crate) fn label_requests(
        &self,
        deployment: &Deployment,
        asked: &MonitorLabel,
        progress: &Progress,
    ) -> Result<Labelled> {
        let (_, picked) = self.serving(deployment)?;
        let package = self.package(&picked.version)?;
        let card = card_of(&package)?;
        progress.step("reading the labels", 0, None)?;
        let (_keep, table) = self.label_table(deployment, asked, progress)?;
        let folder = targets::requests_dir(&self.store().endpoint_dir(&deployment.id));
        let answered = requests::Requests::read(&folder, 0)?.all;
        progress.step("looking for requests", 0, None)?;
        let now = self.store().clock().now().as_ms();
        let column = asked.column.as_deref().unwrap_or(&card.target);
        let source = Source::read(&table, column)?;
        let has = |name: &str| table.meta().column(name).is_ok();
        let (lines, found) = match (&asked.id, asked.on.is_empty()) {
            (Some(id), true) => source.by_id(id, &answered, now)?,
            (None, true) if has(ID_COLUMN) => source.by_id(ID_COLUMN, &answered, now)?,
            (None, _) => source.by_inputs(&asked.on, card, &answered, now)?,
            (Some(_), false) => {
                return Err(Error::invalid("requests are found by their id or by what went in, not by both"));
            }
        };
        if lines.is_empty() {
            return Ok(found);
        }
        let mut text = String::new();
        for line in &lines {
            let line = serde_json::to_string(line)
                .map_err(|e| Error::internal("cannot write a label").because(e))?;
            text.push_str(&line);
            text.push('\n');
        }
        files::create_private_dir(&folder)?;
        let file = format!("{}{now}-{}.jsonl", requests::FEEDBACK, base::JobId::new());
        files::write_atomic(&folder.join(file), text.as_bytes())?;
        let action = Action::new("monitor.label", &deployment.name).with("rows", found.labelled.to_string());
        self.store().write(action, |w| {
            w.touch(Topic::Monitors);
            Ok(())
        })?;
        Ok(found)
    }

    /// The table that knows the truth: a file, or the newest version of a dataset.
    fn label_table(
        &self,
        deployment: &Deployment,
        asked: &MonitorLabel,
        progress: &Progress,
    ) -> Result<(Option<tempfile::TempDir>, TableFile)> {
        match (&asked.path, &asked.dataset) {
            (Some(path), None) => {
                let (keep, table) = self.read_foreign(Path::new(path), progress)?;
                Ok((Some(keep), table))
            }
            (None, Some(name)) => {
                let project = self.store().read(|db| store::projects::get(db, &deployment.project_id))?;
                let dataset = self.dataset(&project, name)?;
                Ok((None, self.table(&self.version(&dataset, None)?, progress)?))
            }
            _ => Err(Error::invalid("labels come from one file or from one dataset")
                .hint("give either a file or `--dataset`")),
        }
    }
}

/// A table with a column of labels.
struct Source {
    rows: arrow::array::RecordBatch,
    labels: Vec<Value>,
}

impl Source {
    fn read(table: &TableFile, column: &str) -> Result<Self> {
        table.meta().column(column).map_err(|e| e.within("the labels cannot be read"))?;
        let rows = flow::kinds::all_rows(table, MOST_ROWS)?;
        let mut source = Self { rows, labels: Vec::new() };
        source.labels = source.cells(column)?;
        Ok(source)
    }

    fn cells(&self, column: &str) -> Result<Vec<Value>> {
        let array = self
            .rows
            .column_by_name(column)
            .ok_or_else(|| Error::invalid(format!("the table has no column `{}`", column.escape_debug())))?;
        Ok((0..array.len()).map(|row| json_cell(array, row)).collect())
    }

    fn by_id(&self, column: &str, answered: &[Request], now: i64) -> Result<(Vec<Line>, Labelled)> {
        let rows_of: HashMap<&str, u64> = answered.iter().map(|one| (one.id.as_str(), one.rows)).collect();
        let places = match self.rows.column_by_name(ROW_COLUMN) {
            Some(_) => self.cells(ROW_COLUMN)?,
            None => Vec::new(),
        };
        let (mut lines, mut found) = (Vec::new(), Labelled::default());
        for (at, (id, label)) in self.cells(column)?.into_iter().zip(&self.labels).enumerate() {
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            let row = places.get(at).and_then(Value::as_f64).map_or(0, |row| row as u64);
            if label.is_null() || rows_of.get(id.as_str()).is_none_or(|rows| row >= *rows) {
                found.unmatched += 1;
                continue;
            }
            found.labelled += 1;
            lines.push(Line { t: now, id, row, y: label.clone() });
        }
        Ok((lines, found))
    }

    fn by_inputs(
        &self,
        on: &[String],
        card: &Card,
        answered: &[Request],
        now: i64,
    ) -> Result<(Vec<Line>, Labelled)> {
        let inputs = shared(on, card, &self.rows)?;
        let columns = inputs.iter().map(|input| self.cells(&input.name)).collect::<Result<Vec<_>>>()?;
        // None for rows that are alike and have different labels.
        let mut known: HashMap<String, Option<&Value>> = HashMap::new();
        for (row, label) in self.labels.iter().enumerate().filter(|(_, label)| !label.is_null()) {
            let cells = inputs.iter().zip(&columns).map(|(input, cells)| normal(input.kind, &cells[row]));
            let entry = known.entry(joined(cells)).or_insert(Some(label));
            if *entry != Some(label) {
                *entry = None;
            }
        }
        let mut found = Labelled {
            ambiguous: known.values().filter(|label| label.is_none()).count() as u64,
            ..Labelled::default()
        };
        let (mut lines, mut met) = (Vec::new(), std::collections::HashSet::new());
        for request in answered.iter().filter(|request| !request.is_error) {
            for row in 0..request.rows {
                let cell = |input: &&Input| normal(input.kind, request.input(&input.name, row));
                let key = joined(inputs.iter().map(cell));
                if let Some(Some(label)) = known.get(&key) {
                    lines.push(Line { t: now, id: request.id.clone(), row, y: (*label).clone() });
                    met.insert(key);
                }
            }
        }
        found.labelled = lines.len() as u64;
        found.unmatched = (known.len() - met.len()) as u64 - found.ambiguous;
        Ok((lines, found))
    }
}

/// The inputs that requests are found by: those that were named, or all that the table has.
fn shared<'a>(on: &[String], card: &'a Card, rows: &arrow::array::RecordBatch) -> Result<Vec<&'a Input>> {
    let inputs = &card.signature.inputs;
    if on.is_empty() {
        let shared: Vec<&Input> =
            inputs.iter().filter(|input| rows.column_by_name(&input.name).is_some()).collect();
        if shared.is_empty() {
            return Err(Error::invalid(
                "the table has neither the ids of requests nor an input of the model",
            )
            .hint(format!("add a column `{ID_COLUMN}`, or say with `--id` which column it is")));
        }
        return Ok(shared);
    }
    on.iter()
        .map(|name| {
            inputs.iter().find(|input| input.name == *name).ok_or_else(|| {
                let error = Error::invalid(format!("the model has no input `{}`", name.escape_debug()));
                match data::nearest(name, inputs.iter().map(|input| input.name.as_str())) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("requests are found by what went in"),
                }
            })
        })
        .collect()
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.fold(String::new(), |key, cell| key + &cell + "\u{1f}")
}

/// A cell as it is compared: numbers in single precision, as some callers send them.
fn normal(kind: Kind, value: &Value) -> String {
    let number = |value: f64| if value.is_nan() { String::new() } else { (value as f32).to_string() };
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Text, Value::String(text)) => text.clone(),
        (Kind::Text, Value::Number(value)) => {
            value.as_f64().map_or_else(|| value.to_string(), |value| value.to_string())
        }
        (Kind::Time, Value::String(text)) => {
            data::expr::moment(text).map_or_else(|_| text.clone(), |ms| number(ms as f64))
        }
        (_, Value::Bool(value)) if kind != Kind::Text => number(f64::from(u8::from(*value))),
        (_, Value::String(text)) => text.parse().map_or_else(|_| text.clone(), number),
        (_, other) => other.as_f64().map_or_else(|| other.to_string(), number),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(of: &[(i64, &str, u64, Value)]) -> String {
        of.iter()
            .map(|(t, id, row, y)| format!("{}\n", json!({ "t": t, "id": id, "row": row, "y": y })))
            .collect()
    }

    #[test]
    fn the_later_label_of_a_row_counts_whatever_file_it_is_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("can be written")
        };
        write("feedback-1.jsonl", lines(&[(9, "a", 0, json!("late")), (1, "a", 1, json!("x"))]));
        write("feedback-2.jsonl", lines(&[(5, "a", 0, json!("early"))]) + "{\"t\":7,\"id\":\"a");
        write("requests-1.jsonl", "{\"t\":1,\"id\":\"b\",\"y\":1}\n".to_owned());
        let labels = Labels::read(folder.path()).expect("can be read");
        let request = |id: &str| {
            let mut request = Request::bare(1, 2);
            request.id = id.to_owned();
            request
        };
        assert_eq!(labels.of(&request("a"), 0), Some(&json!("late")));
        assert_eq!(labels.of(&request("a"), 1), Some(&json!("x")));
        assert_eq!(labels.of(&request("a"), 2), None);
        assert_eq!(labels.of(&request("b"), 0), None, "the request log is not feedback");
    }

    #[test]
    fn cells_are_alike_however_they_were_sent() {
        let alike = |kind, a: Value, b: Value| assert_eq!(normal(kind, &a), normal(kind, &b));
        alike(Kind::Number, json!(39.1), json!(f64::from(39.1_f32)));
        alike(Kind::Integer, json!(7), json!(7.0));
        alike(Kind::Boolean, json!(true), json!(1));
        alike(Kind::Text, json!(12), json!("12"));
        alike(Kind::Time, json!("1970-01-01T00:00:01Z"), json!(1000));
        assert_ne!(normal(Kind::Number, &Value::Null), normal(Kind::Number, &json!(0)));
        assert_ne!(normal(Kind::Text, &json!("a")), normal(Kind::Text, &json!("b")));
    }
}
