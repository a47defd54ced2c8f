//! Profiles a table folder, or writes one to profile: how long a profile takes.
//!
//! `profile TABLE [REPORT.html]` prints one line of JSON: rows, columns, seconds of CPU, seconds
//! of wall time and the most memory used. `profile --make ROWS TABLE` first writes a table of 20
//! columns: numbers, integers, categories, texts, dates and flags, some with missing values.

mod usage;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use base::{Error, Progress, Result};
use data::{Column, Kind, TableFile, TableMeta, TableWriter, arrow_schema};
use usage::used;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--make", rows, dir] => {
            let rows = rows.parse().map_err(|e| Error::invalid("ROWS is not a number").because(e))?;
            make(Path::new(dir), rows).map(|_| ())
        }
        [dir] => measure(Path::new(dir), None),
        [dir, report] => measure(Path::new(dir), Some(Path::new(report))),
        _ => Err(Error::invalid("usage: profile TABLE [REPORT.html] | profile --make ROWS TABLE")),
    }
}

fn measure(dir: &Path, report: Option<&Path>) -> Result<()> {
    let table = TableFile::open(dir)?;
    let started = (Instant::now(), used().0);
    let profile = data::profile::profile(&table, &Progress::silent())?;
    let wall = started.0.elapsed().as_secs_f64();
    let (cpu, peak_bytes) = used();
    let line = serde_json::json!({
        "rows": profile.rows,
        "columns": profile.columns.len(),
        "cpu_s": round(cpu - started.1),
        "wall_s": round(wall),
        "peak_mb": peak_bytes / 1_000_000,
        "exact": profile.exact,
    });
    println!("{line}");
    if let Some(path) = report {
        let html = data::report::profile_html(&profile, "profile", None);
        std::fs::write(path, html).map_err(|e| Error::io("write", path, &e))?;
    }
    Ok(())
}

fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Writes the table that is profiled. The same rows each time.
fn make(dir: &Path, rows: u64) -> Result<TableFile> {
    let mut columns = vec![
        Column::new("id", Kind::Integer),
        Column::new("day", Kind::Time),
        Column::new("flag", Kind::Boolean),
    ];
    columns.extend((0..8).map(|at| Column::new(format!("number_{at}"), Kind::Number)));
    columns.extend((0..4).map(|at| Column::new(format!("count_{at}"), Kind::Integer)));
    columns.extend((0..4).map(|at| Column::new(format!("group_{at}"), Kind::Text)));
    columns.push(Column::new("mail", Kind::Text));
    let schema = arrow_schema(&columns);
    let mut writer = TableWriter::create(dir, TableMeta::new(columns))?;
    for from in (0..rows).step_by(8192) {
        let own = from..rows.min(from + 8192);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(own.clone().map(|row| row as i64))),
            Arc::new(TimestampMillisecondArray::from_iter_values(
                own.clone().map(|row| (noise(row, 90) % 3650) as i64 * 86_400_000),
            )),
            Arc::new(own.clone().map(|row| Some(noise(row, 91).is_multiple_of(3))).collect::<BooleanArray>()),
        ];
        for at in 0..8 {
            let value =
                |row| (!noise(row, at + 50).is_multiple_of(20)).then(|| normal(row, at) * 10.0 + at as f64);
            arrays.push(Arc::new(own.clone().map(value).collect::<Float64Array>()));
        }
        for at in 0..4 {
            let count = |row| (noise(row, at + 20) % [10, 100, 10_000, 1_000_000][at as usize]) as i64;
            arrays.push(Arc::new(Int64Array::from_iter_values(own.clone().map(count))));
        }
        for at in 0..4 {
            let group = |row| format!("group {}", noise(row, at + 30) % [3, 20, 1000, 20_000][at as usize]);
            arrays.push(Arc::new(StringArray::from_iter_values(own.clone().map(group))));
        }
        arrays.push(Arc::new(StringArray::from_iter_values(
            own.map(|row| format!("user{}@example.org", noise(row, 40) % 500_000)),
        )));
        let batch = RecordBatch::try_new(schema.clone(), arrays)
            .map_err(|e| Error::internal("the columns do not fit").because(e))?;
        writer.push(&batch)?;
    }
    writer.finish()
}

/// A number without pattern for a row and a column (SplitMix64).
fn noise(row: u64, column: u64) -> u64 {
    let mut value = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ column.wrapping_mul(0xD1B5_4A32_D192_ED03);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Nearly normal: the sum of twelve even numbers less six.
fn normal(row: u64, column: u64) -> f64 {
    (0..12).map(|at| noise(row, column * 12 + at + 100) as f64 / u64::MAX as f64).sum::<f64>() - 6.0
}
