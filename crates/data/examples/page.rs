//! Shows rows of a large table: what a jump of the viewer costs.
//!
//! `page --make ROWS TABLE` writes a table of an integer and a number. `page TABLE FIRST` opens the
//! table and reads 100 rows around `FIRST`, twenty times, each time from nothing, and prints one line
//! of JSON: the processor time and wall time of one time in ms, and the most memory used.

mod usage;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use base::{Error, Result};
use data::{Column, Kind, TableFile, TableMeta, TableWriter, arrow_schema};
use usage::used;

const TIMES: u64 = 20;
const ROWS: u64 = 100;
const BATCH_ROWS: u64 = 8192;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--make", rows, dir] => make(Path::new(dir), number(rows)?).map(|_| ()),
        [dir, first] => measure(Path::new(dir), number(first)?),
        _ => Err(Error::invalid("usage: page TABLE FIRST | page --make ROWS TABLE")),
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|e| Error::invalid(format!("`{text}` is not a number")).because(e))
}

fn make(dir: &Path, rows: u64) -> Result<TableFile> {
    let columns = vec![Column::new("row", Kind::Integer), Column::new("value", Kind::Number)];
    let schema = arrow_schema(&columns);
    let mut writer = TableWriter::create(dir, TableMeta::new(columns))?;
    for from in (0..rows).step_by(BATCH_ROWS as usize) {
        let own = from..rows.min(from + BATCH_ROWS);
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(own.clone().map(|row| row as i64))),
            Arc::new(Float64Array::from_iter_values(own.map(|row| (row % 1000) as f64 / 8.0))),
        ];
        let batch = RecordBatch::try_new(schema.clone(), arrays)
            .map_err(|e| Error::internal("the columns do not fit").because(e))?;
        writer.push(&batch)?;
    }
    writer.finish()
}

fn measure(dir: &Path, first: u64) -> Result<()> {
    let (start, cpu_before_s) = (Instant::now(), used().0);
    for time in 0..TIMES {
        let offset = first + time * ROWS;
        let page = TableFile::open(dir)?.page(offset, ROWS, None)?;
        if page.rows[0][0].as_deref() != Some(offset.to_string().as_str()) {
            return Err(Error::internal(format!("row {offset} is not what was asked for")));
        }
    }
    let wall_ms = start.elapsed().as_secs_f64() * 1e3 / TIMES as f64;
    let (cpu_s, peak_bytes) = used();
    let cpu_ms = (cpu_s - cpu_before_s) * 1e3 / TIMES as f64;
    let line = serde_json::json!({ "cpu_ms": cpu_ms, "wall_ms": wall_ms, "peak_mb": peak_bytes / 1_000_000 });
    println!("{line}");
    Ok(())
}
