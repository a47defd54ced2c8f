//! Columns that look at other rows of the same group: what was before, positions, running sums
//! and means.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{Float64Type, Int64Type};
use base::{Error, Progress, Result};

use super::call::Call;
use super::keys::Keys;
use super::order::{SortKey, sorted_rows};
use super::{STEP_ROWS, array, as_kind, check_names, columns_of, find, table, take};
use crate::schema::{Column, Kind};

/// The widest window and the farthest row that is looked at.
const MAX_SIZE: u32 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Lag(u32),
    Lead(u32),
    RowNumber,
    Rank,
    CumulativeSum,
    RollingMean(u32),
}

/// A column to make, written as `lag(price, 1) as price_before`; without a name it is called
/// `price_lag_1`. There are `lag(x, rows)`, `lead(x, rows)`, `row_number()`, `rank()`,
/// `cumulative_sum(x)` and `rolling_mean(x, rows)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowColumn {
    function: Function,
    column: Option<String>,
    name: String,
}

impl FromStr for WindowColumn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        const WORDS: [&str; 6] = ["lag", "lead", "row_number", "rank", "cumulative_sum", "rolling_mean"];
        let call = Call::parse(text, "lag(price, 1) as price_before")?;
        let wrong = |example: &str| {
            Error::invalid(format!("`{text}` has not the arguments that `{}` takes", call.function))
                .hint(format!("write it such as `{example}`"))
        };
        let word = call.function.as_str();
        let (function, column) = match word {
            "lag" | "lead" | "rolling_mean" => {
                let example = format!("{word}(price, 7)");
                let (column, rows) = call.column_and_number().ok_or_else(|| wrong(&example))?;
                if rows == 0 || rows > MAX_SIZE || column.is_empty() {
                    return Err(wrong(&example).hint(format!("write a number of rows from 1 to {MAX_SIZE}")));
                }
                let function = match word {
                    "lag" => Function::Lag(rows),
                    "lead" => Function::Lead(rows),
                    _ => Function::RollingMean(rows),
                };
                (function, Some((column.to_owned(), format!("{column}_{word}_{rows}"))))
            }
            "cumulative_sum" if !call.argument.is_empty() => {
                let name = format!("{}_{word}", call.argument);
                (Function::CumulativeSum, Some((call.argument.clone(), name)))
            }
            "cumulative_sum" => return Err(wrong("cumulative_sum(price)")),
            "row_number" if call.argument.is_empty() => (Function::RowNumber, None),
            "rank" if call.argument.is_empty() => (Function::Rank, None),
            "row_number" | "rank" => return Err(wrong(&format!("{word}() as place"))),
            _ => return Err(call.unknown(&WORDS)),
        };
        let (column, default) = column.map_or((None, word.to_owned()), |(column, name)| (Some(column), name));
        Ok(Self { function, column, name: call.name.unwrap_or(default) })
    }
}

impl WindowColumn {
    fn made(&self, columns: &[Column]) -> Result<Column> {
        let Some(name) = &self.column else { return Ok(Column::new(&self.name, Kind::Integer)) };
        let column = find(columns, name)?;
        let kind = match self.function {
            Function::Lag(_) | Function::Lead(_) => column.kind,
            Function::CumulativeSum if column.kind == Kind::Integer => Kind::Integer,
            Function::CumulativeSum | Function::RollingMean(_) if column.kind.is_numeric() => Kind::Number,
            Function::CumulativeSum | Function::RollingMean(_) => {
                return Err(Error::invalid(format!("`{name}` is {}, not a number", column.kind.word()))
                    .hint("choose a column of numbers, or cast it before"));
            }
            Function::RowNumber | Function::Rank => Kind::Integer,
        };
        Ok(Column::new(&self.name, kind))
    }
}

/// Columns over the rows of a group in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What makes a group; none for one group of all rows.
    pub partition: Vec<String>,
    /// The order within it. Rows that are equal in it keep their order.
    pub order: Vec<SortKey>,
    /// What to make.
    pub made: Vec<WindowColumn>,
}

impl Window {
    /// The columns that [`Window::run`] gives: those that were there, then the new ones.
    ///
    /// # Errors
    /// `invalid_input` for columns that are not there or of the wrong kind, and clashing names.
    pub fn columns(&self, columns: &[Column]) -> Result<Vec<Column>> {
        let used = self.partition.iter().chain(self.order.iter().map(|key| &key.column));
        for name in used {
            find(columns, name)?;
        }
        let mut all = columns.to_vec();
        for made in &self.made {
            all.push(made.made(columns)?);
        }
        check_names(&all)?;
        Ok(all)
    }

    /// The same rows in the same order with the new columns. A lag or lead beyond the group is
    /// missing. Equal rows have the rank of the first of them. Sums and means leave missing values
    /// out; a mean is over the row and those before it in the window, fewer at the start of a group.
    ///
    /// # Errors
    /// As [`Window::columns`]; a sum of whole numbers beyond 64 bits; `cancelled`.
    pub fn run(&self, batch: &RecordBatch, progress: &Progress) -> Result<RecordBatch> {
        let columns = self.columns(&columns_of(batch))?;
        let runs = self.runs(batch, progress)?;
        let mut arrays = batch.columns().to_vec();
        for (at, made) in self.made.iter().enumerate() {
            progress.step("computing", at as u64, Some(self.made.len() as u64))?;
            arrays.push(made.compute(batch, &runs, progress)?);
        }
        table(&columns, arrays, batch.num_rows())
    }

    /// The rows of each group in the window's order.
    fn runs(&self, batch: &RecordBatch, progress: &Progress) -> Result<Runs> {
        let sorted = sorted_rows(batch, &self.order, false, progress)?;
        let groups = Keys::of(batch, &self.partition)?.groups(progress)?;
        let mut runs: Vec<Vec<u32>> = vec![Vec::new(); groups.len()];
        sorted.into_iter().for_each(|row| runs[groups.of_row[row as usize] as usize].push(row));
        let arrays = self.order.iter().map(|key| array(batch, &key.column).cloned());
        let orders = vec![SortOptions::default(); self.order.len()];
        let order = Keys::ordered(&arrays.collect::<Result<Vec<_>>>()?, &orders, batch.num_rows())?;
        Ok(Runs { runs, order, rows: batch.num_rows() })
    }
}

struct Runs {
    runs: Vec<Vec<u32>>,
    order: Keys,
    rows: usize,
}

impl WindowColumn {
    fn compute(&self, batch: &RecordBatch, runs: &Runs, progress: &Progress) -> Result<ArrayRef> {
        let values = self.column.as_ref().map(|name| array(batch, name)).transpose()?;
        match (self.function, values) {
            (Function::Lag(by), Some(values)) => runs.shifted(values, -i64::from(by)),
            (Function::Lead(by), Some(values)) => runs.shifted(values, i64::from(by)),
            (Function::CumulativeSum, Some(values)) if Kind::of(values.data_type()) == Kind::Integer => {
                self.whole_sums(values, runs)
            }
            (Function::CumulativeSum, Some(values)) => Ok(runs.sums(&as_kind(values, Kind::Number)?)),
            (Function::RollingMean(size), Some(values)) => {
                runs.means(&as_kind(values, Kind::Number)?, size as usize, progress)
            }
            (Function::RowNumber, _) => Ok(runs.numbered(|_, _| true)),
            (Function::Rank, _) => {
                Ok(runs.numbered(|before, row| runs.order.get(before) != runs.order.get(row)))
            }
            (
                Function::Lag(_) | Function::Lead(_) | Function::CumulativeSum | Function::RollingMean(_),
                None,
            ) => Err(Error::internal(format!("`{}` has lost its column", self.name))),
        }
    }

    fn whole_sums(&self, values: &ArrayRef, runs: &Runs) -> Result<ArrayRef> {
        let values = values.as_primitive::<Int64Type>();
        let mut sums = vec![None; runs.rows];
        for run in &runs.runs {
            let mut sum = 0_i64;
            for row in run.iter().map(|row| *row as usize).filter(|row| values.is_valid(*row)) {
                sum = sum.checked_add(values.value(row)).ok_or_else(|| {
                    Error::invalid(format!("`{}` does not fit into a whole number of 64 bits", self.name))
                        .hint("cast the column to `number` before this step")
                })?;
                sums[row] = Some(sum);
            }
        }
        Ok(Arc::new(Int64Array::from(sums)))
    }
}

impl Runs {
    /// The value so many rows further in the group.
    fn shifted(&self, values: &ArrayRef, by: i64) -> Result<ArrayRef> {
        let mut from: Vec<Option<u32>> = vec![None; self.rows];
        for run in &self.runs {
            for (at, row) in (0_i64..).zip(run) {
                from[*row as usize] = usize::try_from(at + by).ok().and_then(|at| run.get(at)).copied();
            }
        }
        take(values, &UInt32Array::from(from))
    }

    /// The position in the group from 1; a row that is not new has that of the one before it.
    fn numbered(&self, is_new: impl Fn(u32, u32) -> bool) -> ArrayRef {
        let mut numbers = vec![0_i64; self.rows];
        for run in &self.runs {
            let mut number = 1;
            for (at, row) in run.iter().enumerate() {
                if at > 0 && is_new(run[at - 1], *row) {
                    number = at as i64 + 1;
                }
                numbers[*row as usize] = number;
            }
        }
        Arc::new(Int64Array::from(numbers))
    }

    fn sums(&self, values: &ArrayRef) -> ArrayRef {
        let values = values.as_primitive::<Float64Type>();
        let mut sums = vec![None; self.rows];
        for run in &self.runs {
            let mut sum = 0.0;
            for row in run.iter().map(|row| *row as usize).filter(|row| values.is_valid(*row)) {
                sum += values.value(row);
                sums[row] = Some(sum);
            }
        }
        Arc::new(Float64Array::from(sums))
    }

    /// Each window is added up anew: taking away what leaves it would let errors grow.
    fn means(&self, values: &ArrayRef, size: usize, progress: &Progress) -> Result<ArrayRef> {
        let values = values.as_primitive::<Float64Type>();
        let mut means = vec![None; self.rows];
        let mut done = 0_usize;
        for run in &self.runs {
            let mut window: VecDeque<Option<f64>> = VecDeque::with_capacity(size);
            for row in run {
                if done.is_multiple_of(STEP_ROWS / 64) {
                    progress.step("averaging", done as u64, Some(self.rows as u64))?;
                }
                done += 1;
                if window.len() == size {
                    window.pop_front();
                }
                let row = *row as usize;
                window.push_back(values.is_valid(row).then(|| values.value(row)));
                let count = window.iter().flatten().count();
                let sum: f64 = window.iter().flatten().sum();
                means[row] = (count > 0).then(|| sum / count as f64);
            }
        }
        Ok(Arc::new(Float64Array::from(means)))
    }
}
