//! How steps read, change and write tables, and keep the raw columns that a model will ask for.
//!
//! A fitted transform replaces a column, but the model that is trained later takes the raw one.
//! So the raw column stays in the table under a hidden name, `__raw.<name>`.

use std::path::Path;

use arrow::array::{Array as _, ArrayRef, Int8Array, RecordBatch};
use arrow::compute::concat_batches;
use base::{Error, Result};
use data::{Column, HIDDEN_PREFIX, Kind, SPLIT_COLUMN, TableFile, TableMeta, arrow_schema};
use learn::recipe::{Op, Recipe, raw_name};

use crate::kind::{Misfit, Outcome, TableShape, Work};

/// A table in memory with what is known of it.
pub struct Table {
    /// What the table says of itself; its columns are those of `rows`.
    pub meta: TableMeta,
    /// All rows.
    pub rows: RecordBatch,
    /// The fitted transforms so far.
    pub recipe: Recipe,
}

/// Which rows a step looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Rows to learn from.
    Train,
    /// Rows to choose by.
    Validation,
    /// Rows to judge by.
    Test,
}

impl Part {
    /// Its number in the split column.
    pub fn number(self) -> i8 {
        match self {
            Self::Train => 0,
            Self::Validation => 1,
            Self::Test => 2,
        }
    }
}

impl Table {
    /// Reads a whole table.
    ///
    /// # Errors
    /// The files are missing or damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = TableFile::open(folder)?;
        let batches = file.read(None)?;
        let rows = concat_batches(file.schema(), &batches)
            .map_err(|e| Error::internal("cannot join the batches of a table").because(e))?;
        let meta = file.meta().clone();
        let recipe = recipe_of(&meta)?;
        Ok(Self { meta, rows, recipe })
    }

    /// Writes the table; the same table always gives the same bytes.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(mut self, folder: &Path) -> Result<Outcome> {
        if self.recipe != Recipe::default() {
            self.meta.recipe = serde_json::to_value(&self.recipe)
                .map_err(|e| Error::internal("cannot write the recipe of a table").because(e))?;
        }
        self.meta.rows = 0;
        let written = data::write(folder, self.meta, [Ok(self.rows)])?;
        Ok(face(written.meta()))
    }

    /// A column as it is now.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn column(&self, name: &str) -> Result<&ArrayRef> {
        self.meta.column(name)?;
        self.rows.column_by_name(name).ok_or_else(|| Error::internal(format!("column `{name}` has no data")))
    }

    /// The target's name.
    ///
    /// # Errors
    /// No target was chosen.
    pub fn target(&self) -> Result<&str> {
        self.meta.target.as_deref().ok_or_else(no_target)
    }

    /// The part of the split each row is in; without a split every row is for training.
    pub fn parts(&self) -> Vec<i8> {
        match self
            .rows
            .column_by_name(SPLIT_COLUMN)
            .and_then(|column| column.as_any().downcast_ref::<Int8Array>())
        {
            Some(split) => split.values().to_vec(),
            None => vec![Part::Train.number(); self.rows.num_rows()],
        }
    }

    /// Puts a column in: over the one of this name, else after the visible ones.
    ///
    /// # Errors
    /// It has not as many rows as the table.
    pub fn put(&mut self, column: Column, values: ArrayRef) -> Result<()> {
        let mut columns = self.meta.columns.clone();
        let mut arrays = self.rows.columns().to_vec();
        match columns.iter().position(|other| other.name == column.name) {
            Some(at) => {
                columns[at] = column;
                arrays[at] = values;
            }
            None if column.is_hidden() => {
                columns.push(column);
                arrays.push(values);
            }
            None => {
                let at = columns.iter().position(Column::is_hidden).unwrap_or(columns.len());
                columns.insert(at, column);
                arrays.insert(at, values);
            }
        }
        self.set(columns, arrays)
    }

    /// Applies a fitted transform and adds it to the recipe, which begins with the first one.
    ///
    /// # Errors
    /// The transform does not fit the table.
    pub fn transform(&mut self, op: Op) -> Result<()> {
        if self.recipe == Recipe::default() {
            self.recipe = Recipe::start(&self.meta.columns, self.meta.target.as_deref());
        }
        self.rows = self.recipe.apply_next(&op, &self.rows)?;
        self.recipe = self.recipe.then(op);
        let fields = self.rows.schema();
        let column =
            |field: &arrow::datatypes::FieldRef| Column::new(field.name(), Kind::of(field.data_type()));
        self.meta.columns = fields.fields().iter().map(column).collect();
        Ok(())
    }

    /// Keeps the raw form of a column that is about to be dropped: an earlier transform may have
    /// made another column from it.
    ///
    /// # Errors
    /// There is no such column.
    pub fn keep_raw(&mut self, name: &str) -> Result<()> {
        let hidden = raw_name(name);
        let is_kept = self.rows.column_by_name(&hidden).is_some();
        if is_kept || !self.recipe.inputs.iter().any(|input| input.name == name) {
            return Ok(());
        }
        let column = Column::new(hidden, self.meta.column(name)?.kind);
        let values = self.column(name)?.clone();
        self.put(column, values)
    }

    /// Takes a column away.
    ///
    /// # Errors
    /// There is no such column.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        self.meta.column(name)?;
        let (mut columns, mut arrays) = (Vec::new(), Vec::new());
        for (column, array) in self.meta.columns.iter().zip(self.rows.columns()) {
            if column.name != name {
                columns.push(column.clone());
                arrays.push(array.clone());
            }
        }
        self.set(columns, arrays)
    }

    fn set(&mut self, columns: Vec<Column>, arrays: Vec<ArrayRef>) -> Result<()> {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.rows.num_rows()));
        self.rows = RecordBatch::try_new_with_options(arrow_schema(&columns), arrays, &options)
            .map_err(|e| Error::internal("columns do not fit into one table").because(e))?;
        self.meta.columns = columns;
        Ok(())
    }

    /// Gives every column its name and kind anew, in their order.
    ///
    /// # Errors
    /// There are not as many, or of other kinds.
    pub fn rename(&mut self, columns: Vec<Column>) -> Result<()> {
        self.set(columns, self.rows.columns().to_vec())
    }

    /// What is known of it, as a step before it runs knows it.
    pub fn shape(&self) -> TableShape {
        shape(&self.meta, &self.recipe)
    }

    /// What is known of a table that is not read.
    ///
    /// # Errors
    /// Its recipe is damaged.
    pub fn shape_of(meta: &TableMeta) -> Result<TableShape> {
        Ok(shape(meta, &recipe_of(meta)?))
    }

    /// The raw form of a column, which is what a model is given.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] if the table never had it.
    pub fn raw(&self, name: &str) -> Result<&ArrayRef> {
        self.rows.column_by_name(&raw_name(name)).or_else(|| self.rows.column_by_name(name)).ok_or_else(
            || {
                Error::invalid(format!("the table has no column `{name}`, which the model takes"))
                    .hint("wire the same table that the model was trained on, or one with the same columns")
            },
        )
    }
}

fn recipe_of(meta: &TableMeta) -> Result<Recipe> {
    match &meta.recipe {
        serde_json::Value::Null => Ok(Recipe::default()),
        recipe => serde_json::from_value(recipe.clone())
            .map_err(|e| Error::new(base::Code::Corrupt, "cannot read the recipe of a table").because(e)),
    }
}

fn shape(meta: &TableMeta, recipe: &Recipe) -> TableShape {
    TableShape {
        columns: meta.visible().cloned().collect(),
        target: meta.target.clone(),
        task: meta.task,
        is_split: meta.split,
        is_transformed: !recipe.ops.is_empty(),
    }
}

/// Said where a target is needed and none was chosen.
pub fn no_target() -> Error {
    Error::invalid("the table has no target: no column to predict was chosen")
        .hint("choose the target in the dataset, or in the dataset step")
}

/// The line on the node's face.
pub fn face(meta: &TableMeta) -> Outcome {
    let summary = format!("{} × {}", base::count(meta.rows), meta.visible().count());
    Outcome { summary, ..Outcome::default() }
}

/// True for names that a derived column cannot have.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with(HIDDEN_PREFIX) || name.trim().is_empty()
}

/// True for columns that transforms of numbers apply to.
pub fn is_numeric(column: &Column) -> bool {
    matches!(column.kind, Kind::Integer | Kind::Number)
}

/// Takes rows where `mask` is true.
///
/// # Errors
/// The mask has not as many rows as the table.
pub fn keep_rows(rows: &RecordBatch, mask: &arrow::array::BooleanArray) -> Result<RecordBatch> {
    arrow::compute::filter_record_batch(rows, mask)
        .map_err(|e| Error::internal(format!("cannot filter {} rows", mask.len())).because(e))
}

/// The feature columns that a transform applies to: the named ones, or all that it takes.
///
/// # Errors
/// [`Misfit`] at `columns`: a name that is not there, is the target, or that it does not take.
pub fn chosen(
    shape: &TableShape,
    names: &[String],
    takes: fn(&Column) -> bool,
) -> Result<Vec<Column>, Misfit> {
    let misfit = |error: Error| Misfit::param("columns", error);
    if names.is_empty() {
        let is_target = |column: &Column| shape.target.as_ref() == Some(&column.name);
        return Ok(shape
            .columns
            .iter()
            .filter(|column| !is_target(column) && takes(column))
            .cloned()
            .collect());
    }
    let pick = |name: &String| {
        let column = shape.column(name).map_err(misfit)?;
        if shape.target.as_ref() == Some(name) {
            let error = Error::invalid(format!("`{name}` is the target, which a model must see as it is"));
            return Err(misfit(error.hint("take it out of the columns")));
        }
        if !takes(column) {
            let error =
                Error::invalid(format!("`{name}` is {}, which this step does not take", column.kind.word()));
            return Err(misfit(error.hint("take it out of the columns")));
        }
        Ok(column.clone())
    };
    names.iter().map(pick).collect()
}

/// Says so where rows that judge the model are learnt from as well.
pub fn warn_unsplit(table: &Table, work: &Work) {
    if !table.meta.split {
        work.log("note: the rows are not split, so this learns from all of them; put a `split` step before");
    }
}
