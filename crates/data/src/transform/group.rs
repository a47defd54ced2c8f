//! Rows that belong together become one: counts, sums, means and the like. Sums add up in the
//! order of the rows, so they are the same bits each time.

use std::cmp::Ordering;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{Float64Type, Int64Type};
use base::{Error, Progress, Result};

use super::call::Call;
use super::keys::{Groups, Keys};
use super::{array, as_kind, check_names, find, table, take, take_rows};
use crate::schema::{Column, Kind};

/// What is computed of the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    Median,
    Std,
    First,
    Last,
    Distinct,
}

impl Function {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Count, "count"),
        (Self::Sum, "sum"),
        (Self::Mean, "mean"),
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::Median, "median"),
        (Self::Std, "std"),
        (Self::First, "first"),
        (Self::Last, "last"),
        (Self::Distinct, "distinct"),
    ];

    /// The kind of the result over a column of this kind, if it takes it.
    fn gives(self, kind: Kind) -> Option<Kind> {
        let is_number = kind.is_numeric() || kind == Kind::Boolean;
        match self {
            Self::Count | Self::Distinct => Some(Kind::Integer),
            Self::First | Self::Last | Self::Min | Self::Max => Some(kind),
            Self::Sum if kind == Kind::Number => Some(Kind::Number),
            Self::Sum => is_number.then_some(Kind::Integer),
            Self::Mean | Self::Median | Self::Std => is_number.then_some(Kind::Number),
        }
    }
}

/// A column that [`group`] makes. It is written as `mean(price) as average`, or `mean(price)`,
/// which is called `mean_price`; `count()` counts rows and `count(price)` values that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    function: Function,
    /// None for the number of rows.
    column: Option<String>,
    name: String,
}

impl FromStr for Measure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let call = Call::parse(text, "mean(price) as average_price")?;
        let words = Function::ALL.map(|(_, word)| word);
        let found = Function::ALL.iter().find(|(_, word)| *word == call.function);
        let Some((function, word)) = found else { return Err(call.unknown(&words)) };
        let is_rows = *function == Function::Count && matches!(call.argument.as_str(), "" | "*");
        if call.argument.is_empty() && !is_rows {
            return Err(Error::invalid(format!("`{text}` names no column"))
                .hint(format!("write it such as `{word}(price)`")));
        }
        let column = (!is_rows).then(|| call.argument.clone());
        let default = column.as_ref().map_or_else(|| "count".to_owned(), |name| format!("{word}_{name}"));
        Ok(Self { function: *function, column, name: call.name.unwrap_or(default) })
    }
}

impl Measure {
    /// The column it reads, if it reads one.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    fn made(&self, columns: &[Column]) -> Result<Column> {
        let Some(name) = &self.column else { return Ok(Column::new(&self.name, Kind::Integer)) };
        let kind = find(columns, name)?.kind;
        let made = self.function.gives(kind).ok_or_else(|| {
            let word = self.word();
            Error::invalid(format!("`{word}` does not take `{name}`, which is {}", kind.word()))
                .hint("use min, max, first, last, count or distinct, or cast the column before")
        })?;
        Ok(Column::new(&self.name, made))
    }

    fn word(&self) -> &'static str {
        let found = Function::ALL.iter().find(|(function, _)| *function == self.function);
        found.map_or("", |(_, word)| word)
    }
}

/// The columns that [`group`] gives: those grouped by, then one for each measure.
///
/// # Errors
/// `invalid_input` for a column that is not there or of a kind that the measure does not take,
/// and for two columns of one name.
pub fn group_columns(columns: &[Column], by: &[String], measures: &[Measure]) -> Result<Vec<Column>> {
    let keys = by.iter().map(|name| find(columns, name).cloned());
    let made = measures.iter().map(|measure| measure.made(columns));
    let all = keys.chain(made).collect::<Result<Vec<_>>>()?;
    check_names(&all)?;
    Ok(all)
}

/// One row for each different combination of values in the columns `by`, in the order of these
/// values with missing ones last. Without `by` there is one row, even of an empty table. Missing
/// values are left out of every measure; where nothing is left the result is missing, and a count
/// is 0. `std` is that of a sample (n - 1).
///
/// # Errors
/// As [`group_columns`]; a sum of whole numbers that does not fit into 64 bits; `cancelled`.
pub fn group(
    batch: &RecordBatch,
    by: &[String],
    measures: &[Measure],
    progress: &Progress,
) -> Result<RecordBatch> {
    let columns = group_columns(&super::columns_of(batch), by, measures)?;
    let keys = Keys::of(batch, by)?;
    let groups = keys.groups(progress)?;
    let order = keys.in_order(&groups);
    let mut members: Vec<&[u32]> = order.iter().map(|group| groups.rows(*group)).collect();
    if by.is_empty() && members.is_empty() {
        members.push(&[]);
    }
    let firsts: Vec<u32> = members.iter().filter_map(|rows| rows.first().copied()).collect();
    let mut arrays = match by.is_empty() {
        true => Vec::new(),
        false => {
            let taken = take_rows(batch, &firsts)?;
            by.iter().map(|name| array(&taken, name).cloned()).collect::<Result<Vec<_>>>()?
        }
    };
    for (at, measure) in measures.iter().enumerate() {
        progress.step("measuring", at as u64, Some(measures.len() as u64))?;
        arrays.push(compute(batch, measure, &members, progress)?);
    }
    table(&columns, arrays, members.len())
}

/// One value for each group of rows.
pub(super) fn compute(
    batch: &RecordBatch,
    measure: &Measure,
    members: &[&[u32]],
    progress: &Progress,
) -> Result<ArrayRef> {
    let Some(name) = &measure.column else {
        return Ok(Arc::new(members.iter().map(|rows| Some(rows.len() as i64)).collect::<Int64Array>()));
    };
    let values = array(batch, name)?;
    let present: Vec<Vec<u32>> = members
        .iter()
        .map(|rows| rows.iter().copied().filter(|row| is_present(values, *row)).collect())
        .collect();
    let picked = |rows: Vec<Option<u32>>| take(values, &UInt32Array::from(rows));
    match measure.function {
        Function::Count => Ok(whole(present.iter().map(|rows| Some(rows.len() as i64)))),
        Function::First => picked(present.iter().map(|rows| rows.first().copied()).collect()),
        Function::Last => picked(present.iter().map(|rows| rows.last().copied()).collect()),
        Function::Min | Function::Max => {
            let keys = Keys::of(batch, std::slice::from_ref(name))?;
            let wanted = if measure.function == Function::Min { Ordering::Less } else { Ordering::Greater };
            // The first of equal ones, so that the bits of a zero are those of a row too.
            let best = |a: u32, b: u32| if keys.get(b).cmp(keys.get(a)) == wanted { b } else { a };
            picked(present.iter().map(|rows| rows.iter().copied().reduce(best)).collect())
        }
        Function::Distinct => {
            let ids = Keys::of(batch, std::slice::from_ref(name))?.groups(progress)?;
            Ok(whole(present.iter().map(|rows| Some(distinct(rows, &ids)))))
        }
        Function::Sum if Kind::of(values.data_type()) != Kind::Number => {
            sums(values, &present, &measure.name)
        }
        Function::Sum | Function::Mean | Function::Median | Function::Std => {
            let numbers = as_kind(values, Kind::Number)?;
            let numbers = numbers.as_primitive::<Float64Type>().values();
            let figure = |rows: &Vec<u32>| {
                let values: Vec<f64> = rows.iter().map(|row| numbers[*row as usize]).collect();
                figure(measure.function, values)
            };
            Ok(Arc::new(present.iter().map(figure).collect::<Float64Array>()))
        }
    }
}

/// A number that is no number is missing.
fn is_present(values: &ArrayRef, row: u32) -> bool {
    let row = row as usize;
    let number = values.as_primitive_opt::<Float64Type>();
    values.is_valid(row) && number.is_none_or(|numbers| !numbers.value(row).is_nan())
}

fn whole(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn distinct(rows: &[u32], ids: &Groups) -> i64 {
    let mut seen: Vec<u32> = rows.iter().map(|row| ids.of_row[*row as usize]).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() as i64
}

fn sums(values: &ArrayRef, present: &[Vec<u32>], name: &str) -> Result<ArrayRef> {
    let values = as_kind(values, Kind::Integer)?;
    let values = values.as_primitive::<Int64Type>().values();
    let sum = |rows: &Vec<u32>| {
        let mut sum = (!rows.is_empty()).then_some(0_i64);
        for row in rows {
            sum = sum.and_then(|sum| sum.checked_add(values[*row as usize]));
            if sum.is_none() {
                return Err(Error::invalid(format!("`{name}` does not fit into a whole number of 64 bits"))
                    .hint("cast the column to `number` before this step"));
            }
        }
        Ok(sum)
    };
    Ok(Arc::new(present.iter().map(sum).collect::<Result<Int64Array>>()?))
}

fn figure(function: Function, mut values: Vec<f64>) -> Option<f64> {
    let count = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let found = match function {
        Function::Mean => sum(&values) / count,
        Function::Median => {
            values.sort_unstable_by(f64::total_cmp);
            let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
            if below == above { below } else { below + (above - below) / 2.0 }
        }
        Function::Std if values.len() < 2 => return None,
        Function::Std => {
            let mean = sum(&values) / count;
            (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0)).sqrt()
        }
        Function::Sum
        | Function::Count
        | Function::Min
        | Function::Max
        | Function::First
        | Function::Last
        | Function::Distinct => sum(&values),
    };
    (!found.is_nan()).then_some(found)
}
