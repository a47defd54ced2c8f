//! MLflow's scoring protocol: `/invocations` with its five formats, and V1's `:predict`, whose
//! body is one of them.

mod csv;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use score::{Batch, Kind, Package, Predictions, Values};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::tree::Tree;

const FIELDS: [&str; 4] = ["dataframe_split", "dataframe_records", "instances", "inputs"];

/// Reads the body of `/invocations`.
///
/// # Errors
/// 415 for another content type, 400 for what is none of the formats or does not fit the model.
pub fn read(package: &Package, headers: &HeaderMap, body: &[u8]) -> Result<Batch, Failure> {
    match content_type(headers)? {
        ContentType::Json => read_json(package, body),
        ContentType::Csv => {
            let text = std::str::from_utf8(body)
                .map_err(|_| Failure::bad("Invalid input. The CSV is not UTF-8."))?;
            let (columns, rows) = csv::parse(text)?;
            Table { columns: Some(columns), rows }.batch(package)
        }
    }
}

/// Reads the body of a V1 `:predict`.
///
/// # Errors
/// As [`read`], for JSON with `instances` only.
pub fn read_v1(package: &Package, headers: &HeaderMap, body: &[u8]) -> Result<Batch, Failure> {
    match content_type(headers)? {
        ContentType::Json => read_json(package, body),
        ContentType::Csv => {
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"))
        }
    }
}

/// The answer: a record per row.
pub fn write(answer: &Predictions) -> Response {
    let record = |row: usize| {
        let fields = answer.columns.iter().map(|(name, values)| {
            let width = values.len() / answer.rows.max(1);
            let value = if width == 1 {
                values.json(row)
            } else {
                (row * width..(row + 1) * width).map(|at| values.json(at)).collect()
            };
            (name.clone(), value)
        });
        Json::Object(fields.collect())
    };
    let predictions: Vec<Json> = (0..answer.rows).map(record).collect();
    let body = json!({ "predictions": predictions }).to_string();
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

enum ContentType {
    Json,
    Csv,
}

fn content_type(headers: &HeaderMap) -> Result<ContentType, Failure> {
    let unsupported = |message: String| Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts.filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") {
                    return Err(unsupported("The scoring server only supports UTF-8".to_owned()));
                }
            }
            _ => return Err(unsupported("Unrecognized content type parameters".to_owned())),
        }
    }
    match kind.as_str() {
        "application/json" => Ok(ContentType::Json),
        "text/csv" => Ok(ContentType::Csv),
        _ => {
            let got: String = kind.escape_debug().take(64).collect();
            Err(unsupported(format!(
                "This predictor only supports the following content types: \
                 Types: ['text/csv', 'application/json']. Got '{got}'."
            )))
        }
    }
}

fn read_json(package: &Package, body: &[u8]) -> Result<Batch, Failure> {
    let must = "The input must be a JSON dictionary with exactly one of the input fields \
                {'dataframe_split', 'dataframe_records', 'instances', 'inputs'}";
    let mut request = Tree::parse(body)
        .map_err(|error| Failure::bad(format!("Invalid input. Failed to parse input from JSON: {error}.")))?;
    let Tree::Map(fields) = &request else {
        let kind = if request.is_list() { "list" } else { "value" };
        return Err(Failure::bad(format!("Invalid input. {must}. Received a {kind}.")));
    };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<&str> = FIELDS.into_iter().filter(|field| names.contains(field)).collect();
    let [field] = known.as_slice() else {
        let mut received: Vec<String> =
            names.iter().take(20).map(|name| format!("'{}'", shorten(name))).collect();
        received.sort();
        let received = received.join(", ");
        return Err(Failure::bad(format!(
            "Invalid input. {must}. Received dictionary with input fields: [{received}]."
        )));
    };
    let data = request.take(field).unwrap_or(Tree::Null);
    match *field {
        "dataframe_split" => read_split(data)?.batch(package),
        "dataframe_records" => read_records(package, data.into_items()),
        _ => match data {
            Tree::Map(columns) => read_columns(package, columns),
            rows @ (Tree::List(_) | Tree::Numbers(_)) => {
                let items = rows.into_items();
                if items.first().is_some_and(|item| matches!(item, Tree::Map(_))) {
                    return read_records(package, items);
                }
                Table { columns: None, rows: items }.batch(package)
            }
            _ => Err(Failure::bad(format!("Invalid input. `{field}` must be a list or a dictionary."))),
        },
    }
}

fn read_split(mut data: Tree) -> Result<Table, Failure> {
    let columns = match data.take("columns") {
        None | Some(Tree::Null) => None,
        Some(columns) => {
            let names = columns.into_items().into_iter().map(|name| match name {
                Tree::Text(name) => Ok(name),
                // pandas names columns that have no name by their number.
                Tree::Number(number) => Ok(number.to_string()),
                _ => Err(Failure::bad("Invalid input. A column's name is not a text.")),
            });
            Some(names.collect::<Result<Vec<_>, _>>()?)
        }
    };
    match data.take("data") {
        Some(rows) if rows.is_list() => Ok(Table { columns, rows: rows.into_items() }),
        _ => Err(Failure::bad("Invalid input. `dataframe_split` has no list `data`.")),
    }
}

/// Rows whose values stand in the order of the columns.
struct Table {
    columns: Option<Vec<String>>,
    rows: Vec<Tree>,
}

impl Table {
    fn batch(self, package: &Package) -> Result<Batch, Failure> {
        let known = package.columns();
        let names = match self.columns {
            Some(names) => names,
            None if known.is_empty() => {
                let width = self.rows.first().map_or(0, Tree::items);
                (0..width).map(|at| at.to_string()).collect()
            }
            None => known.iter().map(|(name, _)| name.clone()).collect(),
        };
        for (row, values) in self.rows.iter().enumerate() {
            if values.items() != names.len() {
                return Err(Failure::bad(format!(
                    "Invalid input. Row {row} has {} values, expected {}.",
                    values.items(),
                    names.len()
                )));
            }
        }
        let mut batch = Batch { rows: self.rows.len(), columns: Vec::new() };
        for (at, name) in names.into_iter().enumerate() {
            let kind = if known.is_empty() { Some(Kind::Number) } else { kind_of(&known, &name) };
            // Columns that the model does not read may hold anything.
            let Some(kind) = kind else { continue };
            let cells = self.rows.iter().map(|row| row.cell_at(at).unwrap_or(score::Cell::Missing));
            let values = Values::from_cells(&name, kind, cells)?;
            batch.columns.push((name, values));
        }
        Ok(batch)
    }
}

fn read_records(package: &Package, rows: Vec<Tree>) -> Result<Batch, Failure> {
    if rows.iter().any(|row| !matches!(row, Tree::Map(_))) {
        return Err(Failure::bad("Invalid input. Every record must be a dictionary."));
    }
    let mut known = package.columns();
    if known.is_empty() {
        // A matrix whose columns nobody named takes them in the order of the first record.
        if let Some(Tree::Map(fields)) = rows.first() {
            known = fields.iter().map(|(name, _)| (name.clone(), Kind::Number)).collect();
        }
    }
    let mut batch = Batch { rows: rows.len(), columns: Vec::new() };
    for (name, kind) in known {
        let field = |row: &'_ Tree| match row {
            Tree::Map(fields) => fields.iter().position(|(own, _)| *own == name),
            _ => None,
        };
        // A record may leave a value out; a column that none has is missing as a whole.
        if !rows.iter().any(|row| field(row).is_some()) {
            continue;
        }
        let cells = rows.iter().map(|row| match (row, field(row)) {
            (Tree::Map(fields), Some(at)) => fields[at].1.cell(),
            _ => score::Cell::Missing,
        });
        let values = Values::from_cells(&name, kind, cells)?;
        batch.columns.push((name, values));
    }
    Ok(batch)
}

fn read_columns(package: &Package, columns: Vec<(String, Tree)>) -> Result<Batch, Failure> {
    let known = package.columns();
    let mut batch = Batch::default();
    for (at, (name, values)) in columns.into_iter().enumerate() {
        let rows = values.items();
        if at > 0 && rows != batch.rows {
            return Err(Failure::bad(format!(
                "Invalid input. The column `{}` has {rows} values, the ones before it {}.",
                shorten(&name),
                batch.rows
            )));
        }
        batch.rows = rows;
        let matrix = package.matrix().filter(|input| input.name == name);
        let kind = matrix.map(|input| input.kind).or_else(|| kind_of(&known, &name));
        let kind = if known.is_empty() { kind.or(Some(Kind::Number)) } else { kind };
        let Some(kind) = kind else { continue };
        // A tensor of one column, or a matrix, comes as a list of lists.
        let values = match values {
            Tree::List(rows) if rows.iter().all(Tree::is_list) => {
                Tree::List(rows.into_iter().flat_map(Tree::into_items).collect())
            }
            flat => flat,
        };
        let cells = (0..values.items()).map(|at| values.cell_at(at).unwrap_or(score::Cell::Missing));
        let values = Values::from_cells(&name, kind, cells)?;
        batch.columns.push((name, values));
    }
    Ok(batch)
}

fn kind_of(known: &[(String, Kind)], name: &str) -> Option<Kind> {
    known.iter().find(|(own, _)| own == name).map(|(_, kind)| *kind)
}

fn shorten(text: &str) -> String {
    text.escape_debug().take(64).collect()
}
