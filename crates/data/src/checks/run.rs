//! Runs checks: every check that looks at rows is a watch, and all watches look at the same pass
//! over the table. A check that cannot be run says why and does not keep the others from running.

use base::{Code, Error, Progress, Result, count};
use serde::{Deserialize, Serialize};

use super::file::{Check, CheckFile, Severity};
use super::kind::{Context, Failing, Verdict, Watch};
use super::params::percent;
use crate::page::{MAX_PAGE_ROWS, PageColumn};
use crate::pick::pick;
use crate::table::TableFile;

/// The most examples of failing rows of a result.
pub const MAX_EXAMPLES: u64 = 20;

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The kind of the check.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must hold, in words.
    pub rule: String,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What was found, in words, such as "3 of 1,000 rows fail (0.3%)".
    pub measured: String,
    /// Rows that fail, for a check that is about rows.
    pub failing_rows: Option<u64>,
    /// The share of rows that fail, from 0 to 1.
    pub share: Option<f64>,
    /// Up to [`MAX_EXAMPLES`] failing rows, the first ones of the table.
    pub examples: Vec<Example>,
    /// Why it could not be run.
    pub error: Option<Error>,
}

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It could not be run.
    Error,
}

/// A failing row, with the cells that the check looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The number of the row in the table, from 0.
    pub row: u64,
    /// The cells, named by their columns; `None` is a missing value.
    pub cells: Vec<(String, Option<String>)>,
}

/// A window of the rows that fail a check, as a viewer shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailingRows {
    /// How many rows fail in all.
    pub total: u64,
    /// The visible columns of the table.
    pub columns: Vec<PageColumn>,
    /// The numbers of the rows in the table, from 0.
    pub numbers: Vec<u64>,
    /// Their cells, row by row.
    pub rows: Vec<Vec<Option<String>>>,
}

impl CheckResult {
    /// True if it says that the data must not be used.
    pub fn is_blocking(&self) -> bool {
        self.severity == Severity::Error && self.outcome != Outcome::Passed
    }
}

/// Runs every check of a file. The results are in its order.
///
/// # Errors
/// `cancelled`, and `corrupt` for an unreadable table. What is wrong with one check is in its
/// result.
pub fn run(file: &CheckFile, context: &Context<'_>, progress: &Progress) -> Result<Vec<CheckResult>> {
    let mut running = Vec::with_capacity(file.checks.len());
    for check in &file.checks {
        running.push(Running::start(check, context, 0, MAX_EXAMPLES, progress)?);
    }
    pass(context.table, &mut running, progress)?;
    running.into_iter().map(|running| running.result(context.table)).collect()
}

/// Up to `limit` of the rows that fail a check, from the `offset`-th failing row on.
///
/// # Errors
/// `invalid_input` for more than [`MAX_PAGE_ROWS`] rows, and what is wrong with the check.
pub fn failing_rows(
    check: &Check,
    context: &Context<'_>,
    offset: u64,
    limit: u64,
    progress: &Progress,
) -> Result<FailingRows> {
    if limit > MAX_PAGE_ROWS {
        return Err(Error::invalid(format!("a page of {limit} rows is too long"))
            .hint(format!("ask for {MAX_PAGE_ROWS} rows or fewer")));
    }
    let mut running = [Running::start(check, context, offset, limit, progress)?];
    pass(context.table, &mut running, progress)?;
    let [mut running] = running;
    if let State::Running(watch) = &mut running.state {
        watch.finish(&mut running.failing)?;
    }
    if let State::Broken(error) = running.state {
        return Err(error);
    }
    let shown: Vec<_> = context.table.meta().visible().collect();
    let names: Vec<&str> = shown.iter().map(|column| column.name.as_str()).collect();
    Ok(FailingRows {
        total: running.failing.count,
        columns: shown.iter().map(|column| PageColumn::of(&column.name, column.kind)).collect(),
        rows: pick(context.table, &names, &running.failing.kept)?,
        numbers: running.failing.kept,
    })
}

/// A check that is under way.
struct Running<'a> {
    check: &'a Check,
    state: State,
    failing: Failing,
}

enum State {
    Running(Box<dyn Watch>),
    Broken(Error),
}

impl<'a> Running<'a> {
    fn start(
        check: &'a Check,
        context: &Context<'_>,
        offset: u64,
        limit: u64,
        progress: &Progress,
    ) -> Result<Self> {
        let state = match check.declared().watch(check.params(), context, progress) {
            Ok(watch) => match known_columns(watch.as_ref(), context.table) {
                Ok(()) => State::Running(watch),
                Err(e) => State::Broken(e),
            },
            Err(e) if e.code == Code::Cancelled => return Err(e),
            Err(e) => State::Broken(e),
        };
        Ok(Self { check, state, failing: Failing::window(offset, limit) })
    }

    fn columns(&self) -> &[String] {
        match &self.state {
            State::Running(watch) => watch.columns(),
            State::Broken(_) => &[],
        }
    }

    fn result(mut self, table: &TableFile) -> Result<CheckResult> {
        let verdict = match &mut self.state {
            State::Running(watch) => watch.finish(&mut self.failing),
            State::Broken(error) => Err(error.clone()),
        };
        let (rows, failing) = (table.rows(), self.failing.count);
        let share = if rows == 0 { 0.0 } else { failing as f64 / rows as f64 };
        let mut result = CheckResult {
            kind: self.check.kind().to_owned(),
            name: self.check.name.clone(),
            rule: self.check.rule(),
            severity: self.check.severity,
            outcome: Outcome::Passed,
            measured: String::new(),
            failing_rows: None,
            share: None,
            examples: Vec::new(),
            error: None,
        };
        match verdict {
            Ok(Verdict::Rows) => {
                result.outcome = outcome(share <= self.check.max_share());
                result.measured = words(failing, rows, share);
                result.failing_rows = Some(failing);
                result.share = Some(share);
                result.examples = examples(table, self.columns(), &self.failing.kept)?;
            }
            Ok(Verdict::Table { is_passed, measured }) => {
                result.outcome = outcome(is_passed);
                result.measured = measured;
            }
            Err(e) if e.code == Code::Cancelled => return Err(e),
            Err(e) => {
                result.outcome = Outcome::Error;
                result.measured = "it could not be run".to_owned();
                result.error = Some(e);
            }
        }
        Ok(result)
    }
}

fn outcome(is_passed: bool) -> Outcome {
    if is_passed { Outcome::Passed } else { Outcome::Failed }
}

fn words(failing: u64, rows: u64, share: f64) -> String {
    match failing {
        0 => format!("all {} rows hold", count(rows)),
        1 => format!("1 of {} rows fails ({})", count(rows), percent(share)),
        _ => format!("{} of {} rows fail ({})", count(failing), count(rows), percent(share)),
    }
}

/// Fails for a watch that wants a column that is not there.
fn known_columns(watch: &dyn Watch, table: &TableFile) -> Result<()> {
    watch.columns().iter().try_for_each(|name| table.meta().column(name).map(|_| ()))
}

/// Shows every row to every watch, each with the columns that it wants.
fn pass(table: &TableFile, running: &mut [Running<'_>], progress: &Progress) -> Result<()> {
    let mut wanted: Vec<String> = running.iter().flat_map(|running| running.columns().to_vec()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let at = |name: &String| wanted.binary_search(name).expect("every wanted column is in the list");
    let places: Vec<Vec<usize>> =
        running.iter().map(|running| running.columns().iter().map(at).collect()).collect();
    let mut first_row = 0;
    progress.step("checking", 0, Some(table.rows()))?;
    for batch in table.batches(Some(&names))? {
        let batch = batch?;
        for (running, places) in running.iter_mut().zip(&places) {
            let Running { state: State::Running(watch), failing, .. } = running else { continue };
            if places.is_empty() {
                continue;
            }
            failing.first_row = first_row;
            let own =
                batch.project(places).map_err(|e| Error::internal("cannot choose columns").because(e))?;
            if let Err(e) = watch.look(&own, failing) {
                running.state = State::Broken(e);
            }
        }
        first_row += batch.num_rows() as u64;
        progress.step("checking", first_row, Some(table.rows()))?;
    }
    Ok(())
}

fn examples(table: &TableFile, columns: &[String], rows: &[u64]) -> Result<Vec<Example>> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let cells = pick(table, &names, rows)?;
    let example = |(row, cells): (&u64, Vec<Option<String>>)| Example {
        row: *row,
        cells: columns.iter().cloned().zip(cells).collect(),
    };
    Ok(rows.iter().zip(cells).map(example).collect())
}
