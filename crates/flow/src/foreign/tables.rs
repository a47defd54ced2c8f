//! Tables on their way to a program and back.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Int8Array, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{Error, Progress, Result};
use data::export::{CsvOptions, write_arrow, write_csv, write_parquet};
use data::import::{self, Format as FileFormat};
use data::{Column, DATA_FILE, Kind, SPLIT_COLUMN, TableFile, TableMeta};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Format;

/// Writes the columns that a person sees, and in Parquet the part of the split each row is in.
///
/// # Errors
/// The table is damaged; the disk refuses; `cancelled`.
pub fn hand_over(folder: &Path, to: &Path, format: Format, progress: &Progress) -> Result<()> {
    let table = TableFile::open(folder)?;
    match format {
        Format::Csv => write_csv(&table, to, CsvOptions { escape_formulas: false }, progress),
        Format::Arrow => write_arrow(&table, to, progress),
        Format::Parquet => {
            let shown = |column: &&Column| !column.is_hidden() || column.name == SPLIT_COLUMN;
            let columns: Vec<Column> = table.meta().columns.iter().filter(shown).cloned().collect();
            if columns.len() == table.meta().columns.len() {
                return write_parquet(&table, to);
            }
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let beside = to.with_extension("table");
            data::write(&beside, TableMeta::new(columns.clone()), table.batches(Some(&names))?)?;
            fs::rename(beside.join(DATA_FILE), to).map_err(|e| Error::io("write", to, &e))?;
            fs::remove_dir_all(&beside).map_err(|e| Error::io("remove", &beside, &e))
        }
    }
}

/// Reads the file that a program wrote into a table folder. What is known of `like`, the first
/// table that went in, holds for it where it has the same columns.
///
/// # Errors
/// It is no table, or some of its rows cannot be read.
pub fn take(from: &Path, folder: &Path, like: Option<&TableMeta>, progress: &Progress) -> Result<TableFile> {
    let (meta, split) = if let Some(columns) = columns_without_rows(from) {
        (data::write(folder, TableMeta::new(columns), [])?.meta().clone(), None)
    } else {
        let sniffed = import::sniff(from)?;
        let report = import::import(from, &sniffed.options, folder, progress)?;
        if let Some(first) = report.rejected.first() {
            let count = base::count(report.rejected_total);
            return Err(Error::invalid(format!("{count} of its rows cannot be read"))
                .because(format!("row {}: {}", first.line, first.reason))
                .hint("write it as Parquet, which says what its columns are"));
        }
        let is_parquet = sniffed.options.format == FileFormat::Parquet;
        (report.meta, if is_parquet { split_at(from) } else { None })
    };
    described(folder, meta, split, like)
}

/// The columns of a Parquet file that has no rows, which is a table to a program though nothing
/// that anybody would import.
fn columns_without_rows(path: &Path) -> Option<Vec<Column>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).ok()?).ok()?;
    if reader.metadata().file_metadata().num_rows() != 0 {
        return None;
    }
    let fields = reader.schema().fields().clone();
    let visible = fields.iter().filter(|field| field.name() != SPLIT_COLUMN);
    let columns: Vec<Column> =
        visible.map(|field| Column::new(field.name(), Kind::of(field.data_type()))).collect();
    (!columns.is_empty() && columns.iter().all(|column| !column.is_hidden())).then_some(columns)
}

/// Where a Parquet file has the column of the split.
fn split_at(path: &Path) -> Option<usize> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).ok()?).ok()?;
    reader.schema().fields().iter().position(|field| field.name() == SPLIT_COLUMN)
}

/// Gives the table in a folder its target, task, source and split.
fn described(
    folder: &Path,
    mut meta: TableMeta,
    split: Option<usize>,
    like: Option<&TableMeta>,
) -> Result<TableFile> {
    if let Some(like) = like {
        meta.source.clone_from(&like.source);
        meta.target = like.target.clone().filter(|target| meta.columns.iter().any(|one| one.name == *target));
        meta.task = like.task.filter(|_| meta.target.is_some());
    }
    let raw = TableFile::open(folder)?;
    let Some(at) = split else {
        let json = serde_json::to_vec_pretty(&meta)
            .map_err(|e| Error::internal("cannot write what a table says of itself").because(e))?;
        let path = folder.join(data::META_FILE);
        fs::write(&path, json).map_err(|e| Error::io("write", &path, &e))?;
        return TableFile::open(folder);
    };
    // Import shows the hidden column under a name of its own; here it is hidden again, at the end.
    meta.split = true;
    let hidden = meta.columns.remove(at);
    meta.columns.push(Column::new(SPLIT_COLUMN, Kind::Integer));
    let names: Vec<&str> =
        meta.columns.iter().rev().skip(1).rev().map(|column| column.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().chain([hidden.name.as_str()]).collect();
    let schema = data::arrow_schema(&meta.columns);
    let batches = raw.batches(Some(&names))?.map(|batch| {
        let batch = batch?;
        let mut arrays = batch.columns().to_vec();
        let parts = arrays.pop().ok_or_else(|| Error::internal("a table has no columns"))?;
        arrays.push(parts_of(&parts)?);
        RecordBatch::try_new(schema.clone(), arrays)
            .map_err(|e| Error::internal("columns do not fit into one table").because(e))
    });
    let beside = folder.with_extension("split");
    data::write(&beside, meta.clone(), batches)?;
    fs::remove_dir_all(folder).map_err(|e| Error::io("replace", folder, &e))?;
    fs::rename(&beside, folder).map_err(|e| Error::io("write", folder, &e))?;
    TableFile::open(folder)
}

/// The part of the split each row is in: 0, 1 or 2 and never missing.
fn parts_of(values: &ArrayRef) -> Result<ArrayRef> {
    let wrong = || {
        Error::invalid(format!("`{SPLIT_COLUMN}` has a value that is not 0, 1 or 2"))
            .hint("leave the column as it came in, or leave it out")
    };
    let numbers =
        values.as_primitive_opt::<Int64Type>().filter(|all| all.null_count() == 0).ok_or_else(wrong)?;
    let part =
        |value: &i64| i8::try_from(*value).ok().filter(|part| (0..=2).contains(part)).ok_or_else(wrong);
    let parts = numbers.values().iter().map(part).collect::<Result<Vec<i8>>>()?;
    Ok(Arc::new(Int8Array::from(parts)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, StringArray};
    use data::{Task, arrow_schema};

    use super::*;

    fn written(folder: &Path, rows: usize) -> TableMeta {
        let columns = vec![
            Column::new("x", Kind::Number),
            Column::new("y", Kind::Text),
            Column::new("__raw.x", Kind::Number),
            Column::new(SPLIT_COLUMN, Kind::Integer),
        ];
        let number = |at: usize| at as f64 / 3.0;
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Float64Array::from_iter_values((0..rows).map(number))),
            Arc::new((0..rows).map(|at| (at % 4 != 0).then(|| format!("0{at}"))).collect::<StringArray>()),
            Arc::new(Float64Array::from_iter_values((0..rows).map(number))),
            Arc::new(Int8Array::from_iter_values((0..rows).map(|at| (at % 3) as i8))),
        ];
        let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
        let meta = TableMeta {
            target: Some("y".to_owned()),
            task: Some(Task::Multiclass),
            split: true,
            ..TableMeta::new(columns)
        };
        data::write(folder, meta, [Ok(batch)]).expect("is written").meta().clone()
    }

    #[test]
    fn a_table_comes_back_from_parquet_as_it_went_but_for_hidden_columns() {
        let world = tempfile::tempdir().expect("a folder");
        let (from, file, back) =
            (world.path().join("t"), world.path().join("t.parquet"), world.path().join("b"));
        let meta = written(&from, 9);
        hand_over(&from, &file, Format::Parquet, &Progress::silent()).expect("handed over");
        let table = take(&file, &back, Some(&meta), &Progress::silent()).expect("taken");
        let names: Vec<&str> = table.meta().columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["x", "y", SPLIT_COLUMN]);
        assert!(table.meta().split && table.meta().target.as_deref() == Some("y"));
        let (before, after) = (TableFile::open(&from).expect("a table"), table);
        let shown = Some(&["x", "y", SPLIT_COLUMN][..]);
        assert_eq!(before.read(shown).expect("rows"), after.read(shown).expect("rows"));
    }

    #[test]
    fn a_table_without_rows_comes_back_without_rows() {
        let world = tempfile::tempdir().expect("a folder");
        let (from, file, back) =
            (world.path().join("t"), world.path().join("t.parquet"), world.path().join("b"));
        let meta = written(&from, 0);
        hand_over(&from, &file, Format::Parquet, &Progress::silent()).expect("handed over");
        let table = take(&file, &back, Some(&meta), &Progress::silent()).expect("taken");
        assert_eq!((table.rows(), table.meta().visible().count()), (0, 2));
    }

    #[test]
    fn csv_and_arrow_carry_the_columns_that_are_seen() {
        let world = tempfile::tempdir().expect("a folder");
        let from = world.path().join("t");
        let meta = written(&from, 9);
        for format in [Format::Csv, Format::Arrow] {
            let file = world.path().join(format!("t.{}", format.ending()));
            hand_over(&from, &file, format, &Progress::silent()).expect("handed over");
            let back = world.path().join(format.ending());
            let table = take(&file, &back, Some(&meta), &Progress::silent()).expect("taken");
            assert_eq!((table.rows(), table.meta().columns.len(), table.meta().split), (9, 2, false));
        }
    }

    #[test]
    fn a_file_that_is_no_table_is_refused() {
        let world = tempfile::tempdir().expect("a folder");
        let file = world.path().join("t.parquet");
        for bytes in [&b""[..], b"PAR1 and no more", b"\0\0\0\0"] {
            fs::write(&file, bytes).expect("can be written");
            assert!(take(&file, &world.path().join("b"), None, &Progress::silent()).is_err(), "{bytes:?}");
        }
    }
}
