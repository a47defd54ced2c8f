//! Tables for other programs: CSV that reads back as it was, Parquet and Arrow files.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use arrow::ipc::writer::FileWriter;
use base::{Error, Progress, Result};

use crate::page::{number, time};
use crate::schema::{Column, Kind};
use crate::table::{DATA_FILE, TableFile};

/// What a CSV file is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Puts an apostrophe before texts that a spreadsheet would run as a formula (those that begin
    /// with `=`, `+`, `-`, `@`, a tab or a carriage return). Numbers are left as they are.
    pub escape_formulas: bool,
}

/// Writes the visible columns as CSV: UTF-8, a header, commas, lines that end in a newline, texts in
/// quotes where they must be, nothing for a missing value, numbers with all their digits.
///
/// # Errors
/// The operating system's errors; `corrupt` for an unreadable table; `cancelled`.
pub fn write_csv(table: &TableFile, to: &Path, options: CsvOptions, progress: &Progress) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", to, &e);
    let columns: Vec<&Column> = table.meta().visible().collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let header: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    writeln!(out, "{}", header.join(",")).map_err(failed)?;
    let mut done = 0;
    for batch in table.batches(Some(&names))? {
        progress.step("writing", done, Some(table.rows()))?;
        let batch = batch?;
        let cells: Vec<Vec<String>> =
            columns.iter().enumerate().map(|(at, column)| texts(&batch, at, column.kind, options)).collect();
        for row in 0..batch.num_rows() {
            for (at, column) in cells.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(out, "{comma}{}", column[row]).map_err(failed)?;
            }
            out.write_all(b"\n").map_err(failed)?;
        }
        done += batch.num_rows() as u64;
    }
    out.into_inner().map_err(|e| failed(e.into_error()))?.sync_all().map_err(failed)
}

/// Writes the table as a Parquet file.
///
/// # Errors
/// As [`write_csv`].
pub fn write_parquet(table: &TableFile, to: &Path) -> Result<()> {
    std::fs::copy(table.dir().join(DATA_FILE), to).map_err(|e| Error::io("write", to, &e))?;
    Ok(())
}

/// Writes the visible columns as an Arrow file (Feather, version 2).
///
/// # Errors
/// As [`write_csv`].
pub fn write_arrow(table: &TableFile, to: &Path, progress: &Progress) -> Result<()> {
    let names: Vec<&str> = table.meta().visible().map(|column| column.name.as_str()).collect();
    let columns: Vec<Column> = table.meta().visible().cloned().collect();
    let file = File::create(to).map_err(|e| Error::io("write", to, &e))?;
    let failed = |e| Error::internal(format!("cannot write `{}`", to.display())).because(e);
    let schema = crate::schema::arrow_schema(&columns);
    let mut writer = FileWriter::try_new_buffered(file, &schema).map_err(failed)?;
    let mut done = 0;
    for batch in table.batches(Some(&names))? {
        progress.step("writing", done, Some(table.rows()))?;
        let batch = batch?;
        writer.write(&batch).map_err(failed)?;
        done += batch.num_rows() as u64;
    }
    writer.finish().map_err(failed)
}

/// The cells of a column of a batch, as they stand in the file.
fn texts(batch: &RecordBatch, at: usize, kind: Kind, options: CsvOptions) -> Vec<String> {
    let array = batch.column(at);
    let cell = |row: usize| {
        if array.is_null(row) {
            return String::new();
        }
        match kind {
            Kind::Integer => array.as_primitive::<Int64Type>().value(row).to_string(),
            Kind::Number => match array.as_primitive::<Float64Type>().value(row) {
                missing if missing.is_nan() => String::new(),
                value => number(value),
            },
            Kind::Boolean => array.as_boolean().value(row).to_string(),
            Kind::Time => time(array.as_primitive::<TimestampMillisecondType>().value(row)),
            Kind::Text => text(array.as_string::<i32>().value(row), options),
        }
    };
    (0..batch.num_rows()).map(cell).collect()
}

fn text(value: &str, options: CsvOptions) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if options.escape_formulas && is_formula { quoted(&format!("'{value}")) } else { quoted(value) }
}

/// In quotes where the text would be read as something else without. The empty text is told apart
/// from a missing value by its quotes.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| !matches!(c, ',' | '"' | '\n' | '\r');
    let is_trimmed = text.trim().len() == text.len();
    if !text.is_empty() && is_trimmed && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
    use arrow::array::{RecordBatch, TimestampMillisecondArray};
    use arrow::ipc::reader::FileReader;
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

    use super::*;
    use crate::import::{ParseOptions, import};
    use crate::schema::{TableMeta, arrow_schema};

    type Row = (Option<i64>, Option<f64>, Option<bool>, Option<i64>, Option<String>);

    fn table(dir: &Path, rows: &[Row]) -> TableFile {
        let columns = [
            ("n", Kind::Integer),
            ("x y", Kind::Number),
            ("b", Kind::Boolean),
            ("day", Kind::Time),
            ("t,\"", Kind::Text),
        ];
        let columns = columns.map(|(name, kind)| Column::new(name, kind)).to_vec();
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0))),
            Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.1))),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.2))),
            Arc::new(TimestampMillisecondArray::from_iter(rows.iter().map(|row| row.3))),
            Arc::new(StringArray::from_iter(rows.iter().map(|row| row.4.as_deref()))),
        ];
        let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
        crate::table::write(dir, TableMeta::new(columns), [Ok(batch)]).expect("written")
    }

    fn csv(rows: &[Row], options: CsvOptions) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let to = dir.path().join("out.csv");
        let table = table(&dir.path().join("table"), rows);
        write_csv(&table, &to, options, &Progress::silent()).expect("written");
        std::fs::read_to_string(to).expect("UTF-8")
    }

    #[test]
    fn cells_are_written_so_that_they_read_back() {
        let text = |text: &str| Some(text.to_owned());
        let rows = [
            (Some(i64::MIN), Some(0.1), Some(true), Some(1_704_067_200_000), text("plain")),
            (None, None, None, None, None),
            (Some(7), Some(1e300), Some(false), Some(1_704_067_200_123), text("")),
            (Some(-1), Some(-2.0), None, None, text("a \"b\", c\nd")),
        ];
        let expected = "n,x y,b,day,\"t,\"\"\"\n\
            -9223372036854775808,0.1,true,2024-01-01,plain\n\
            ,,,,\n\
            7,1e300,false,2024-01-01 00:00:00.123,\"\"\n\
            -1,-2,,,\"a \"\"b\"\", c\nd\"\n";
        assert_eq!(csv(&rows, CsvOptions::default()), expected);
    }

    #[test]
    fn formulas_are_defused_only_where_that_was_asked_for() {
        let formula = [(Some(-1), Some(-2.5), None, None, Some("=cmd|' /C calc'!A0".to_owned()))];
        assert!(csv(&formula, CsvOptions::default()).ends_with("-1,-2.5,,,=cmd|' /C calc'!A0\n"));
        let safe = csv(&formula, CsvOptions { escape_formulas: true });
        assert!(safe.ends_with("-1,-2.5,,,'=cmd|' /C calc'!A0\n"), "{safe}");
    }

    #[test]
    fn an_arrow_file_holds_the_table() {
        let dir = tempfile::tempdir().expect("a folder");
        let rows: Vec<Row> = (0..3).map(|n| (Some(n), None, None, None, Some(n.to_string()))).collect();
        let table = table(&dir.path().join("table"), &rows);
        let to = dir.path().join("out.arrow");
        write_arrow(&table, &to, &Progress::silent()).expect("written");
        let reader = FileReader::try_new(File::open(&to).expect("it is there"), None).expect("an Arrow file");
        let batches = reader.collect::<Result<Vec<_>, _>>().expect("it reads");
        assert_eq!(batches, table.read(None).expect("the table"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_is_exported_as_csv_imports_as_the_same_table(
            rows in prop::collection::vec(
                (any::<Option<i64>>(), any::<Option<f32>>(), any::<Option<bool>>(), "[a-zA-Z,\"\n é=]{1,12}"),
                1..30,
            )
        ) {
            // A zero is written without its sign.
            let finite = |x: Option<f32>| x.map(|x| f64::from(x) + 0.0).filter(|x| x.is_finite());
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(n, x, b, t)| (n, finite(x), b, Some(86_400_000), Some(format!("z{}z", t))))
                .collect();
            let dir = tempfile::tempdir().expect("a folder");
            let table = table(&dir.path().join("table"), &rows);
            let to = dir.path().join("out.csv");
            write_csv(&table, &to, CsvOptions::default(), &Progress::silent()).expect("written");
            let kinds = table.meta().columns.iter().map(|c| (c.name.clone(), c.kind)).collect();
            let options = ParseOptions { kinds, ..ParseOptions::default() };
            let back = dir.path().join("back");
            let report = import(&to, &options, &back, &Progress::silent()).expect("it reads");
            prop_assert_eq!(report.rejected_total, 0);
            let back = TableFile::open(&back).expect("a table");
            prop_assert_eq!(back.read(None).expect("rows"), table.read(None).expect("rows"));
        }
    }
}
