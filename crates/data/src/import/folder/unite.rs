//! The columns of many files as those of one table: by name, in the order in which they occur, and
//! of the narrowest kind that holds what all files have in them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use base::{Error, Result, count};

use super::member::Member;
use super::partition::{Partitions, pairs, words};
use crate::import::build::ColumnBuilder;
use crate::import::cell::CellReader;
use crate::import::chunk::Origin;
use crate::import::infer::{ColumnPlan, Tally};
use crate::import::layout::MAX_COLUMNS;
use crate::import::options::{FolderOptions, ParseOptions, Preview, Warning};
use crate::import::pack::listed;
use crate::schema::{self, Kind, arrow_schema, nearest};

/// A column of a file, or of all of them.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// What its cells are, where their format does not say.
    pub(super) tally: Tally,
    /// The kind that the format gives.
    pub(super) typed: Option<Kind>,
    /// The kind that the user set.
    pub(super) forced: Option<Kind>,
}

/// The columns of the files so far.
pub(super) struct United<'a> {
    options: &'a ParseOptions,
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    /// How many files have each column.
    files: Vec<u64>,
    first_file: String,
    pub(super) rows: u64,
}

impl<'a> United<'a> {
    pub(super) fn new(options: &'a ParseOptions) -> Self {
        let (columns, files, first_file) = (Vec::new(), Vec::new(), String::new());
        Self { options, columns, places: HashMap::new(), files, first_file, rows: 0 }
    }

    /// Takes the columns of one more file.
    ///
    /// # Errors
    /// `invalid_input` for a file that has no column of those before.
    pub(super) fn add(&mut self, file: &str, columns: &[Column]) -> Result<()> {
        let is_known = |column: &Column| self.places.contains_key(&column.name);
        if self.columns.is_empty() {
            file.clone_into(&mut self.first_file);
        } else if !columns.iter().any(is_known) {
            return Err(self.misfit(file, columns));
        }
        for column in columns {
            let at = *self.places.entry(column.name.clone()).or_insert(self.columns.len());
            if at == self.columns.len() {
                self.columns.push(Column { tally: Tally::default(), ..column.clone() });
                self.files.push(0);
            }
            let mine = &mut self.columns[at];
            mine.tally.merge(&column.tally, file);
            mine.typed = match (mine.typed, column.typed) {
                (Some(one), Some(other)) => Some(wider(one, other)),
                (one, other) => one.or(other),
            };
            self.files[at] += 1;
        }
        if self.columns.len() > MAX_COLUMNS {
            let most = count(MAX_COLUMNS as u64);
            return Err(Error::invalid(format!("the files up to `{file}` have more than {most} columns"))
                .hint("check that they are parts of one table"));
        }
        Ok(())
    }

    fn misfit(&self, file: &str, columns: &[Column]) -> Error {
        let names = |columns: &[Column]| {
            listed(&columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
        };
        let message = format!(
            "`{file}` does not fit the files before it: it has the columns {}, and `{}` has {}",
            names(columns),
            self.first_file,
            names(&self.columns)
        );
        Error::invalid(message).hint("say which files are meant, such as `*.csv`, or how they are read")
    }

    /// How the column of this name is read in every file.
    pub(super) fn plan(&self, name: &str) -> ColumnPlan {
        let column = &self.columns[self.places[name]];
        match column.forced {
            Some(kind) => ColumnPlan::forced(kind, self.options),
            None => {
                let date_order = column.tally.date_order(self.options.date_order);
                ColumnPlan { kind: column.kind(), date_order, is_forced: false }
            }
        }
    }

    /// Fails if the options set the kind of a column that no file has.
    ///
    /// # Errors
    /// `invalid_input`.
    pub(super) fn refuse_unknown_kinds(&self, partitions: &Partitions) -> Result<()> {
        let is_partition = |name: &str| partitions.columns.iter().any(|one| one.name == name);
        let Some(name) = self.options.kinds.keys().find(|name| !self.places.contains_key(*name)) else {
            return Ok(());
        };
        if is_partition(name) {
            return Err(Error::invalid(format!("the kind of `{name}` cannot be set: folders name it"))
                .hint("leave it out"));
        }
        let error = Error::invalid(format!("the options set the kind of `{name}`, which is no column"));
        Err(match nearest(name, self.columns.iter().map(|column| column.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("look at the names in the preview"),
        })
    }

    /// The columns of the table: those of the files, of the folders, and the path.
    ///
    /// # Errors
    /// `invalid_input` where two of them have one name.
    pub(super) fn columns(
        &self,
        partitions: &Partitions,
        folder: &FolderOptions,
    ) -> Result<Vec<schema::Column>> {
        let own = self.columns.iter().map(|column| (&column.name, self.plan(&column.name).kind));
        let mut columns: Vec<_> = own.map(|(name, kind)| schema::Column::new(name, kind)).collect();
        for one in &partitions.columns {
            if self.places.contains_key(&one.name) {
                let message = format!("`{}` is a column of the files and the name of folders", one.name);
                return Err(Error::invalid(message).hint("set `partitions` to false to read the files alone"));
            }
            columns.push(schema::Column::new(&one.name, one.plan.kind));
        }
        if let Some(name) = &folder.path_column {
            if name.trim().is_empty() || columns.iter().any(|column| column.name == *name) {
                return Err(Error::invalid(format!("`{name}` cannot be the column of paths"))
                    .hint("give it a name that no other column has"));
            }
            columns.push(schema::Column::new(name, Kind::Text));
        }
        Ok(columns)
    }

    /// What is worth saying of the columns.
    pub(super) fn warnings(&self, members: u64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let most = self.files.iter().copied().max().unwrap_or(0);
        for (column, files) in self.columns.iter().zip(&self.files) {
            let name = &column.name;
            if *files < most {
                let message = format!("`{name}` is in {} of {} files", count(*files), count(members));
                warnings.push(Warning::column(name, message));
            }
            if column.typed.is_none() {
                warnings.extend(column.tally.warning(name, self.plan(name)));
            }
        }
        warnings
    }
}

impl Column {
    fn kind(&self) -> Kind {
        match self.typed {
            None => self.tally.kind(),
            Some(kind) if self.tally.is_empty() => kind,
            // A number cannot hold what only an integer or a text can.
            Some(Kind::Number) if self.tally.has_wide_integers() => Kind::Text,
            Some(kind) => wider(kind, self.tally.kind()),
        }
    }
}

/// The narrowest kind that holds the values of both.
fn wider(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        _ if one == other => one,
        (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer) => Kind::Number,
        _ => Kind::Text,
    }
}

/// The columns of the table, and where those of a file go.
pub(super) struct Frame<'a> {
    schema: SchemaRef,
    partitions: &'a Partitions,
    folder: &'a FolderOptions,
    own: usize,
}

impl<'a> Frame<'a> {
    pub(super) fn new(
        columns: &[schema::Column],
        united: &United<'_>,
        partitions: &'a Partitions,
        folder: &'a FolderOptions,
    ) -> Self {
        Self { schema: arrow_schema(columns), partitions, folder, own: united.columns.len() }
    }

    /// What is the same in all rows of a file.
    pub(super) fn place(&self, file: &str) -> Place<'_> {
        let pairs = pairs(file);
        let value =
            |name: &str| pairs.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone());
        let mut constants: Vec<(ColumnPlan, Option<String>)> =
            self.partitions.columns.iter().map(|one| (one.plan, value(&one.name))).collect();
        if self.folder.path_column.is_some() {
            constants.push((ColumnPlan::forced(Kind::Text, &words()), Some(file.to_owned())));
        }
        Place { frame: self, constants }
    }
}

/// Puts the rows of one file into the columns of the table.
pub(super) struct Place<'a> {
    frame: &'a Frame<'a>,
    constants: Vec<(ColumnPlan, Option<String>)>,
}

impl Place<'_> {
    /// These rows with every column of the table.
    ///
    /// # Errors
    /// Only by a fault of ours.
    pub(super) fn fit(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let fields = self.frame.schema.fields();
        let missing = |at: usize| new_null_array(fields[at].data_type(), rows);
        let own = (0..self.frame.own)
            .map(|at| batch.column_by_name(fields[at].name()).map_or_else(|| missing(at), Arc::clone));
        let mut arrays: Vec<ArrayRef> = own.collect();
        for (plan, value) in &self.constants {
            arrays.push(constant(*plan, value.as_deref(), rows)?);
        }
        RecordBatch::try_new(self.frame.schema.clone(), arrays)
            .map_err(|e| Error::internal("cannot unite the rows of files").because(e))
    }
}

fn constant(plan: ColumnPlan, value: Option<&str>, rows: usize) -> Result<ArrayRef> {
    let cells = CellReader::new(&words());
    let mut builder = ColumnBuilder::new(plan.kind);
    // A path is never missing, whatever it is called.
    let origin = if plan.is_forced { Origin::Text } else { Origin::Bare };
    for _ in 0..rows {
        match value {
            None => builder.append_null(),
            Some(text) => builder
                .append(text, origin, plan, &cells)
                .map_err(|()| Error::internal(format!("`{text}` is not of the kind of its partition")))?,
        }
    }
    Ok(builder.finish())
}

/// The first rows of some files in the columns of all of them.
pub(super) fn previews(
    previews: &[(&Member, Preview)],
    partitions: &Partitions,
    folder: &FolderOptions,
) -> (Vec<schema::Column>, Vec<Vec<Option<String>>>) {
    let mut columns: Vec<schema::Column> = Vec::new();
    for (_, preview) in previews {
        for (at, column) in preview.columns.iter().enumerate() {
            let has_values = preview.rows.iter().any(|row| row[at].is_some());
            match columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) if has_values => known.kind = wider(known.kind, column.kind),
                Some(_) => (),
                None => columns.push(column.clone()),
            }
        }
    }
    let own = columns.len();
    columns.extend(partitions.columns.iter().map(|one| schema::Column::new(&one.name, one.plan.kind)));
    columns.extend(folder.path_column.iter().map(|name| schema::Column::new(name, Kind::Text)));
    let mut rows = Vec::new();
    for (member, preview) in previews {
        let places: Vec<Option<usize>> = columns[..own]
            .iter()
            .map(|column| preview.columns.iter().position(|its| its.name == column.name))
            .collect();
        let pairs = pairs(&member.name);
        let value = |name: &str| pairs.iter().find(|(known, _)| known == name).and_then(|(_, v)| v.clone());
        for row in &preview.rows {
            let mut cells: Vec<Option<String>> =
                places.iter().map(|place| place.and_then(|at| row[at].clone())).collect();
            cells.extend(partitions.columns.iter().map(|one| value(&one.name)));
            cells.extend(folder.path_column.iter().map(|_| Some(member.name.clone())));
            rows.push(cells);
        }
    }
    (columns, rows)
}
