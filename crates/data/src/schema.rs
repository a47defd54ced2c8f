//! What a table is: its columns, what it is meant to predict, and what is written beside it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// Names that start with this are Fettle's own columns; viewers hide them.
pub const HIDDEN_PREFIX: &str = "__";

/// The hidden column that says which part of a split a row is in (0 train, 1 validation, 2 test).
pub const SPLIT_COLUMN: &str = "__split";

/// What kind of values a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers with a fraction (64 bit floating point).
    Number,
    /// True or false.
    Boolean,
    /// Anything else.
    Text,
    /// A date or a timestamp, in UTC milliseconds.
    Time,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Integer, Self::Number, Self::Boolean, Self::Text, Self::Time];

    /// The Arrow type that holds this kind, in memory and on disk.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Text => DataType::Utf8,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }

    /// The kind that shows values of this Arrow type; what has no kind of its own is text.
    pub fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Number,
            DataType::Boolean => Self::Boolean,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Self::Time,
            other if other.is_integer() => Self::Integer,
            _ => Self::Text,
        }
    }

    /// The word for this kind, as on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Time => "time",
        }
    }

    /// True for integers and numbers.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name, unique in its table.
    pub name: String,
    /// The kind of its values.
    pub kind: Kind,
}

impl Column {
    /// A column of this name and kind.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }

    /// True for Fettle's own columns, such as `__split`.
    pub fn is_hidden(&self) -> bool {
        self.name.starts_with(HIDDEN_PREFIX)
    }

    fn field(&self) -> Field {
        let data_type = if self.name == SPLIT_COLUMN { DataType::Int8 } else { self.kind.data_type() };
        Field::new(&self.name, data_type, true)
    }
}

/// The Arrow schema in which a table with these columns is stored.
pub fn arrow_schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()))
}

/// What is to be learned from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of more than two classes.
    Multiclass,
    /// A number.
    Regression,
}

/// Which dataset version a table came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The name of the dataset.
    pub dataset: String,
    /// The id of the version.
    pub version_id: String,
    /// The number of the version, from 1.
    pub number: u64,
}

/// `table.json`: what a table folder says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableMeta {
    /// How many rows the table has.
    pub rows: u64,
    /// Every column in file order, the hidden ones too.
    pub columns: Vec<Column>,
    /// The column to predict.
    #[serde(default)]
    pub target: Option<String>,
    /// What is to be learned.
    #[serde(default)]
    pub task: Option<Task>,
    /// True once the column `__split` exists.
    #[serde(default)]
    pub split: bool,
    /// The fitted transforms so far, as the crate that fits them writes them.
    #[serde(default)]
    pub recipe: serde_json::Value,
    /// Which dataset version the rows came from.
    #[serde(default)]
    pub source: Option<Source>,
}

impl TableMeta {
    /// A table of these columns with no target, split, recipe or source. `rows` is set when the
    /// table is written.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            rows: 0,
            columns,
            target: None,
            task: None,
            split: false,
            recipe: serde_json::Value::Null,
            source: None,
        }
    }

    /// The columns that a person sees, in file order.
    pub fn visible(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_hidden())
    }

    /// The column of this name.
    ///
    /// # Errors
    /// `not_found`, with the nearest name as the hint.
    pub fn column(&self, name: &str) -> base::Result<&Column> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let error = base::Error::not_found(format!("there is no column `{name}`"));
            match nearest(name, self.visible().map(|column| column.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("look at the columns of the table in the viewer"),
            }
        })
    }
}

/// The name nearest to `wanted` by edit distance, if one is near enough to be a slip.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().take(100).collect();
    let limit = (wanted.len() / 3).max(1) + 1;
    names
        .map(|name| {
            let other: Vec<char> = name.to_lowercase().chars().take(100).collect();
            (distance(&wanted, &other), name)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_of_a_table_is_the_contract() {
        let mut meta = TableMeta::new(vec![Column::new("age", Kind::Integer), Column::new("y", Kind::Text)]);
        meta.rows = 3;
        meta.target = Some("y".to_owned());
        meta.task = Some(Task::Binary);
        let written = serde_json::to_value(&meta).expect("plain data");
        let expected = serde_json::json!({
            "rows": 3,
            "columns": [{"name": "age", "kind": "integer"}, {"name": "y", "kind": "text"}],
            "target": "y", "task": "binary", "split": false, "recipe": null, "source": null
        });
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<TableMeta>(written).expect("reads back"), meta);
    }

    #[test]
    fn a_kind_survives_its_arrow_type() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(&kind.data_type()), kind);
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.word());
        }
    }

    #[test]
    fn a_missing_column_names_the_nearest_one() {
        let meta = TableMeta::new(vec![
            Column::new("bill_length_mm", Kind::Number),
            Column::new("species", Kind::Text),
        ]);
        let error = meta.column("bill_lenght_mm").expect_err("misspelt");
        assert_eq!(error.hint.as_deref(), Some("did you mean `bill_length_mm`?"));
        let error = meta.column("quux").expect_err("not there");
        assert_eq!(error.hint.as_deref(), Some("look at the columns of the table in the viewer"));
    }
}
