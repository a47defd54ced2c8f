//! Compares two versions of a table of a million rows and 20 columns in which 10,000 cells were
//! changed: how long that takes. `diff FOLDER [ROWS]` writes both versions into a folder unless
//! they are there, compares them, and prints one line of JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use base::{Error, Progress, Result};
use data::diff::{Options, diff};
use data::{Column, Kind, TableFile, TableMeta, TableWriter, arrow_schema};

/// Columns beside the id.
const COLUMNS: u64 = 19;
const CHANGES: u64 = 10_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else { return Err(Error::invalid("usage: diff FOLDER [ROWS]")) };
    let rows: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |rows| rows.parse())
        .map_err(|e| Error::invalid("ROWS is not a number").because(e))?;
    let changed = changes(rows);
    let old = open_or_make(&Path::new(&folder).join("old"), rows, &BTreeMap::new())?;
    let new = open_or_make(&Path::new(&folder).join("new"), rows, &changed)?;
    for (name, options) in [("key", vec!["id".to_owned()]), ("found", Vec::new())] {
        let started = Instant::now();
        let diff = diff(&old, &new, &Options { key: options }, &Progress::silent())?;
        let wall = started.elapsed().as_secs_f64();
        let mut found = Vec::new();
        while let Some(page) = Some(diff.cells(found.len() as u64, 5000)?).filter(|page| !page.is_empty()) {
            found.extend(page.into_iter().map(|cell| (cell.new_row, cell.column)));
        }
        let expected: Vec<(u64, String)> = changed.keys().map(|(row, at)| (*row, format!("c{at}"))).collect();
        let line = serde_json::json!({
            "matching": name,
            "rows": rows,
            "columns": COLUMNS + 1,
            "changed_cells": diff.summary().changed_cells,
            "exact": found == expected,
            "wall_s": (wall * 1000.0).round() / 1000.0,
            "all_s": (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            "peak_mb": peak_bytes() / 1_000_000,
        });
        println!("{line}");
    }
    Ok(())
}

/// The most memory that this process has used so far, where the system tells (Linux).
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|text| text.split_whitespace().next()).and_then(|kb| kb.parse::<u64>().ok());
    kb.unwrap_or(0) * 1024
}

/// The cells that are changed: row and column.
fn changes(rows: u64) -> BTreeMap<(u64, u64), ()> {
    (0..CHANGES.min(rows))
        .map(|at| ((at * (rows / CHANGES.min(rows).max(1)), noise(at, 999) % COLUMNS), ()))
        .collect()
}

fn open_or_make(dir: &Path, rows: u64, changed: &BTreeMap<(u64, u64), ()>) -> Result<TableFile> {
    if let Ok(table) = TableFile::open(dir)
        && table.rows() == rows
    {
        return Ok(table);
    }
    let mut columns = vec![Column::new("id", Kind::Integer)];
    columns.extend((0..COLUMNS).map(|at| Column::new(format!("c{at}"), kind(at))));
    let schema = arrow_schema(&columns);
    let mut writer = TableWriter::create(dir, TableMeta::new(columns))?;
    for from in (0..rows).step_by(8192) {
        let own = from..rows.min(from + 8192);
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from_iter_values(own.clone().map(|row| row as i64)))];
        for at in 0..COLUMNS {
            let value =
                |row: u64| noise(row, at) % 100_000 + 200_000 * u64::from(changed.contains_key(&(row, at)));
            arrays.push(match kind(at) {
                Kind::Number => {
                    Arc::new(Float64Array::from_iter_values(own.clone().map(|row| value(row) as f64 / 7.0)))
                }
                Kind::Integer => {
                    Arc::new(Int64Array::from_iter_values(own.clone().map(|row| value(row) as i64)))
                }
                _ => Arc::new(StringArray::from_iter_values(
                    own.clone().map(|row| format!("text {}", value(row))),
                )),
            });
        }
        let batch = RecordBatch::try_new(schema.clone(), arrays)
            .map_err(|e| Error::internal("the columns do not fit").because(e))?;
        writer.push(&batch)?;
    }
    writer.finish()
}

fn kind(column: u64) -> Kind {
    match column % 3 {
        0 => Kind::Number,
        1 => Kind::Integer,
        _ => Kind::Text,
    }
}

/// A number without pattern for a row and a column (SplitMix64).
fn noise(row: u64, column: u64) -> u64 {
    let mut value = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ column.wrapping_mul(0xD1B5_4A32_D192_ED03);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
