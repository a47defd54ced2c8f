//! Profiles a whole table: column by column on two threads, each read once, and then what can
//! only be said across columns.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type};
use base::{Error, Progress, Result};

use super::collect::Collector;
use super::missing::{Gaps, patterns};
use super::relations::{MAX_LEVELS, NO_LEVEL, SAMPLE_ROWS, Sampled, relate};
use super::semantic::{self, meaning};
use super::{ColumnProfile, Limits, Profile};
use crate::each::each;
use crate::row_hash;
use crate::schema::{Column, Kind};
use crate::table::TableFile;

/// Rows whose hashes are kept to count copies: 320 MB.
const MAX_HASHED_ROWS: u64 = 20_000_000;
/// A text of the sample that tells what a column means is cut after so many characters.
const MAX_SAMPLE_CHARS: usize = 200;

/// Profiles every visible column of a table, and how they go together.
///
/// # Errors
/// `corrupt` for an unreadable table, `cancelled`.
pub fn profile(table: &TableFile, progress: &Progress) -> Result<Profile> {
    profile_as_it_comes(table, &|_, _| (), progress)
}

/// As [`profile`], and hands over each column as soon as it is done, with its place among the
/// visible columns. Columns come in any order, from two threads.
///
/// # Errors
/// As [`profile`].
pub fn profile_as_it_comes(
    table: &TableFile,
    on_column: &(dyn Fn(usize, &ColumnProfile) + Sync),
    progress: &Progress,
) -> Result<Profile> {
    let pass = Pass { table, baseline: None, limits: Limits::STANDARD, is_whole: true, progress };
    pass.run(on_column)
}

/// Profiles a table with the bins and values of an earlier profile, so that the two can be
/// compared bin by bin. Columns that the earlier one does not have get bins of their own. What
/// lies across columns is left out.
///
/// # Errors
/// As [`profile`].
pub fn profile_like(table: &TableFile, baseline: &Profile, progress: &Progress) -> Result<Profile> {
    let pass = Pass { table, baseline: Some(baseline), limits: Limits::STANDARD, is_whole: false, progress };
    pass.run(&|_, _| ())
}

/// How a table is profiled.
pub(super) struct Pass<'a> {
    pub(super) table: &'a TableFile,
    pub(super) baseline: Option<&'a Profile>,
    pub(super) limits: Limits,
    /// True if what lies across columns is wanted too.
    pub(super) is_whole: bool,
    pub(super) progress: &'a Progress,
}

/// What is kept of a column beside its profile.
struct Looked {
    profile: ColumnProfile,
    gaps: Gaps,
    sampled: Sampled,
}

impl Pass<'_> {
    pub(super) fn run(&self, on_column: &(dyn Fn(usize, &ColumnProfile) + Sync)) -> Result<Profile> {
        let columns: Vec<&Column> = self.table.meta().visible().collect();
        let (rows, total) = (self.table.rows(), columns.len() as u64);
        self.progress.step("profiling", 0, Some(total))?;
        let is_hashed = self.is_whole && rows <= MAX_HASHED_ROWS && !columns.is_empty();
        let has_gaps = self.is_whole && Gaps::fit(rows, columns.len());
        let hashes = Mutex::new(vec![0_u128; if is_hashed { rows as usize } else { 0 }]);
        let done = AtomicU64::new(0);
        // Very long columns go one at a time, so that memory stays below one column's limit.
        let threads = if rows > self.limits.numbers as u64 / 4 { 1 } else { 2 };
        let looked = each(columns.len(), threads, |at| {
            let looked = self.column(columns[at], at, has_gaps, is_hashed.then_some(&hashes))?;
            on_column(at, &looked.profile);
            let finished = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.step("profiling", finished, Some(total))?;
            Ok(looked)
        })?;
        let mut profile = Profile { rows, ..Profile::default() };
        let (mut gaps, mut sampled) = (Vec::new(), Vec::new());
        for looked in looked {
            let name = looked.profile.name.clone();
            gaps.push((name.clone(), looked.gaps));
            sampled.push((name, looked.sampled));
            profile.columns.push(looked.profile);
        }
        profile.exact =
            profile.columns.iter().all(|c| c.distinct_is_exact) && rows <= self.limits.numbers as u64;
        if self.is_whole {
            self.progress.step("relating columns", 0, None)?;
            let mut hashes = hashes.into_inner().unwrap_or_else(PoisonError::into_inner);
            profile.duplicate_rows = is_hashed.then(|| row_hash::count_repeats(&mut hashes));
            profile.missing = has_gaps.then(|| patterns(&gaps, rows));
            profile.relations = Some(relate(&sampled, rows.div_ceil(stride(rows))));
        }
        Ok(profile)
    }

    /// Reads one column once.
    fn column(
        &self,
        column: &Column,
        at: usize,
        has_gaps: bool,
        hashes: Option<&Mutex<Vec<u128>>>,
    ) -> Result<Looked> {
        let name = column.name.as_str();
        let rows = self.table.rows();
        let like = self.baseline.and_then(|profile| profile.column(name));
        let mut collector = Collector::new(column.kind, rows, self.limits);
        let mut sampler = Sampler::new(column.kind, rows, self.is_whole);
        let mut gaps = Gaps::default();
        let mut from = 0;
        for batch in self.table.batches(Some(&[name]))? {
            if self.progress.cancel().is_cancelled() {
                return Err(Error::cancelled());
            }
            let batch = batch?;
            debug_assert!(batch.num_rows() <= 8192, "batches are short, so cancelling is quick");
            let array = batch.column(0);
            collector.add(array.as_ref());
            sampler.add(array, from as u64);
            if has_gaps {
                gaps.add(array);
            }
            let to = from + array.len();
            if let Some(hashes) = hashes {
                let mut own = vec![0; array.len()];
                row_hash::add_column(&mut own, array.as_ref(), at as u64)?;
                let mut all = hashes.lock().unwrap_or_else(PoisonError::into_inner);
                // Adding wraps and its order does not matter.
                all[from..to].iter_mut().zip(own).for_each(|(sum, hash)| *sum = sum.wrapping_add(hash));
            }
            from = to;
        }
        let mut profile = collector.finish(name, like);
        profile.meaning = meaning(&profile, &sampler.texts);
        Ok(Looked { profile, gaps: gaps.finished(), sampled: sampler.sampled })
    }
}

/// Every how many rows one is looked at to relate columns.
fn stride(rows: u64) -> u64 {
    rows.div_ceil(SAMPLE_ROWS).max(1)
}

/// Takes evenly spaced values of a column: to relate it with others, and to tell what it means.
struct Sampler {
    kind: Kind,
    stride: u64,
    text_stride: u64,
    sampled: Sampled,
    levels: HashMap<String, u8>,
    texts: Vec<String>,
}

impl Sampler {
    fn new(kind: Kind, rows: u64, is_whole: bool) -> Self {
        let sampled = match kind {
            _ if !is_whole => Sampled::None,
            Kind::Integer | Kind::Number => Sampled::Numbers(Vec::new()),
            Kind::Boolean | Kind::Text => Sampled::Levels(Vec::new()),
            Kind::Time => Sampled::None,
        };
        let text_stride = rows.div_ceil(semantic::SAMPLE as u64).max(1);
        Self { kind, stride: stride(rows), text_stride, sampled, levels: HashMap::new(), texts: Vec::new() }
    }

    /// Takes what it needs of the rows of a batch, the first of which is the `first`-th.
    fn add(&mut self, array: &ArrayRef, first: u64) {
        let rows = |stride: u64| {
            let skip = (stride - first % stride) % stride;
            (skip as usize..array.len()).step_by(stride as usize)
        };
        match (&mut self.sampled, self.kind) {
            (Sampled::Numbers(values), Kind::Integer) => {
                let array = array.as_primitive::<Int64Type>();
                let value = |row| if array.is_valid(row) { array.value(row) as f64 } else { f64::NAN };
                values.extend(rows(self.stride).map(value));
            }
            (Sampled::Numbers(values), _) => {
                let array = array.as_primitive::<Float64Type>();
                let value = |row| if array.is_valid(row) { array.value(row) } else { f64::NAN };
                values.extend(rows(self.stride).map(value));
            }
            (Sampled::Levels(levels), Kind::Boolean) => {
                let array = array.as_boolean();
                let level = |row| if array.is_valid(row) { u8::from(array.value(row)) } else { NO_LEVEL };
                levels.extend(rows(self.stride).map(level));
            }
            (Sampled::Levels(_), _) => self.add_levels(array, rows(self.stride)),
            (Sampled::None, _) => {}
        }
        if self.kind == Kind::Text {
            let array = array.as_string::<i32>();
            for row in rows(self.text_stride).filter(|row| array.is_valid(*row)) {
                self.texts.push(array.value(row).chars().take(MAX_SAMPLE_CHARS).collect());
            }
        }
    }

    /// Numbers the texts in the order in which they first stand. A column of too many is dropped.
    fn add_levels(&mut self, array: &ArrayRef, rows: impl Iterator<Item = usize>) {
        let Sampled::Levels(levels) = &mut self.sampled else { return };
        let array = array.as_string::<i32>();
        for row in rows {
            if array.is_null(row) {
                levels.push(NO_LEVEL);
                continue;
            }
            let text = array.value(row);
            let known = self.levels.get(text).copied();
            let level = match known {
                Some(level) => level,
                None if self.levels.len() < MAX_LEVELS => {
                    let level = self.levels.len() as u8;
                    self.levels.insert(text.to_owned(), level);
                    level
                }
                None => {
                    self.sampled = Sampled::None;
                    return;
                }
            };
            levels.push(level);
        }
    }
}
