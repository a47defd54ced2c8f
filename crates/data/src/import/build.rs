//! The second pass: accepted rows become Arrow batches of the kinds that the first pass found.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::SchemaRef;
use base::{Error, Result};

use super::cell::{CellReader, Class};
use super::check::{Checked, forced_plans, refusal};
use super::chunk::{Chunk, Origin, Record};
use super::infer::ColumnPlan;
use super::layout::Layout;
use super::options::ParseOptions;
use super::place::{Marks, Place};
use crate::schema::{Column, Kind, arrow_schema};

/// A batch ends at this many bytes of text, which keeps its offsets far from 2 GB.
const BATCH_BYTES: usize = 16 << 20;

/// Makes batches out of records.
pub(super) struct BatchBuilder {
    layout: Layout,
    cells: CellReader,
    forced: Vec<(usize, ColumnPlan)>,
    plans: Vec<ColumnPlan>,
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    most_rows: usize,
    // Rows of the batches before.
    rows_before: u64,
    rows: usize,
    bytes: usize,
}

/// What comes of records.
pub(super) enum Made {
    /// Rows.
    Batch(RecordBatch),
    /// A place to be kept, once all rows before it are written, and what a first pass found before it.
    Mark(Place, Option<Box<Checked>>),
}

/// One column of a batch that is being made.
pub(super) enum ColumnBuilder {
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Time(TimestampMillisecondBuilder),
}

impl BatchBuilder {
    pub(super) fn new(layout: &Layout, options: &ParseOptions, plans: Vec<ColumnPlan>) -> Self {
        let columns: Vec<Column> =
            layout.names.iter().zip(&plans).map(|(name, plan)| Column::new(name, plan.kind)).collect();
        Self {
            layout: layout.clone(),
            cells: CellReader::new(options),
            forced: forced_plans(layout, options),
            schema: arrow_schema(&columns),
            columns: plans.iter().map(|plan| ColumnBuilder::new(plan.kind)).collect(),
            // A wide table has smaller batches, so that memory stays the same.
            most_rows: ((4 << 20) / plans.len().max(1)).clamp(64, 8192),
            plans,
            rows_before: 0,
            rows: 0,
            bytes: 0,
        }
    }

    /// Goes on after so many rows.
    pub(super) fn after(self, rows_before: u64) -> Self {
        Self { rows_before, ..self }
    }

    /// Takes the records of a chunk and gives the batches that became full, and the places to be kept.
    /// An error means that a cell is not what the first pass saw.
    pub(super) fn add(&mut self, chunk: &Chunk, marks: &mut Marks) -> Result<Vec<Made>, ()> {
        let mut made = Vec::new();
        for (at, record) in chunk.records().enumerate() {
            let is_row = self.append(record)?;
            if self.is_full() {
                made.push(Made::Batch(self.take().map_err(|_| ())?));
            }
            if is_row && let Some((place, _)) = marks.after(chunk, at, self.rows_before + self.rows as u64) {
                made.push(Made::Batch(self.take().map_err(|_| ())?));
                made.push(Made::Mark(place, None));
            }
        }
        Ok(made)
    }

    /// True once the rows taken fill a batch.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.most_rows || self.bytes >= BATCH_BYTES
    }

    /// Takes the next cell of a row that is not rejected. `class` is what the cell is where no kind was
    /// set for its column.
    pub(super) fn cell(&mut self, at: usize, text: &str, origin: Origin, class: Class) -> Result<(), ()> {
        let plan = self.plans[at];
        self.bytes += text.len();
        let class = if plan.is_forced { plan.class(&self.cells, text, origin) } else { class };
        self.columns[at].append_class(text, origin, class, (plan, &self.cells))
    }

    /// Ends a row, all of whose cells were taken.
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Takes one record; false if it is rejected.
    pub(super) fn append(&mut self, record: Record<'_>) -> Result<bool, ()> {
        if refusal(record, &self.layout, &self.forced, &self.cells).is_some() {
            return Ok(false);
        }
        for (at, (column, plan)) in self.columns.iter_mut().zip(&self.plans).enumerate() {
            let (text, origin) = record.cell(at);
            self.bytes += text.len();
            column.append(&text, origin, *plan, &self.cells)?;
        }
        self.end_row();
        Ok(true)
    }

    /// The rows taken since the last batch.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        self.rows_before += self.rows as u64;
        self.rows = 0;
        self.bytes = 0;
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|e| Error::internal("cannot make a batch of rows").because(e))
    }
}

impl ColumnBuilder {
    /// An empty column of this kind.
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Time => Self::Time(TimestampMillisecondBuilder::new()),
        }
    }

    /// Adds a cell; an error if it is not of the plan's kind.
    pub(super) fn append(
        &mut self,
        text: &str,
        origin: Origin,
        plan: ColumnPlan,
        cells: &CellReader,
    ) -> Result<(), ()> {
        // Whatever a cell is, it is a text too.
        let class = match self {
            Self::Text(_) => Class::Text,
            _ => plan.class(cells, text, origin),
        };
        self.append_class(text, origin, class, (plan, cells))
    }

    /// Adds a cell of which is known what it is; an error if it is not of the plan's kind.
    fn append_class(
        &mut self,
        text: &str,
        origin: Origin,
        class: Class,
        (plan, cells): (ColumnPlan, &CellReader),
    ) -> Result<(), ()> {
        match (self, class) {
            (Self::Text(builder), _) if cells.is_missing(text, origin) => builder.append_null(),
            (Self::Text(builder), _) => builder.append_value(text),
            (Self::Boolean(builder), Class::Boolean(value)) => builder.append_value(value),
            (Self::Boolean(builder), _) if cells.as_boolean(text).is_some() => {
                builder.append_option(cells.as_boolean(text));
            }
            (column, Class::Missing | Class::QuotedMissing | Class::Mark) => column.append_null(),
            (Self::Integer(builder), Class::Integer(value)) => builder.append_value(value),
            (Self::Number(builder), Class::Integer(value)) => builder.append_value(value as f64),
            (Self::Number(builder), Class::Number(value) | Class::BigInteger { value, .. }) => {
                builder.append_value(value);
            }
            (Self::Time(builder), Class::Time(moment)) => {
                builder.append_value(moment.in_order(plan.date_order).ok_or(())?);
            }
            _ => return Err(()),
        }
        Ok(())
    }

    /// Adds a missing cell.
    pub(super) fn append_null(&mut self) {
        match self {
            Self::Integer(builder) => builder.append_null(),
            Self::Number(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
        }
    }

    /// The column so far; it is empty then.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}
