//! The first pass over a file: every row is accepted or rejected, and every cell counted.

use base::{Result, count};
use serde::{Deserialize, Serialize};

use super::build::{BatchBuilder, Made};
use super::cell::{CellReader, Class};
use super::chunk::{Chunk, Fault, Record};
use super::infer::{ColumnPlan, Tally, fits};
use super::layout::Layout;
use super::options::{ParseOptions, Rejected, Warning};
use super::place::{Marks, Passed};
use crate::schema::Kind;

/// Rejected rows that a report holds; the rest is counted.
pub(super) const MAX_REJECTED: usize = 1000;

/// Counts cells and rejects rows, chunk by chunk.
pub(super) struct Checker<'a> {
    layout: &'a Layout,
    cells: CellReader,
    forced: Vec<(usize, ColumnPlan)>,
    checked: Checked,
}

/// What the first pass found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Checked {
    pub(super) rows: u64,
    pub(super) rejected_total: u64,
    pub(super) rejected: Vec<Rejected>,
    pub(super) blank_lines: u64,
    pub(super) comment_lines: u64,
    width: usize,
    ragged: u64,
    pub(super) tallies: Vec<Tally>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(layout: &'a Layout, options: &ParseOptions) -> Self {
        let width = layout.names.len();
        let checked = Checked { width, tallies: vec![Tally::default(); width], ..Checked::default() };
        Self::go_on(layout, options, checked)
    }

    /// Goes on after what was found in the records before.
    pub(super) fn go_on(layout: &'a Layout, options: &ParseOptions, checked: Checked) -> Self {
        Self { layout, cells: CellReader::new(options), forced: forced_plans(layout, options), checked }
    }

    /// Looks at the next records of the file.
    pub(super) fn add(&mut self, chunk: &Chunk) {
        self.count_lines(chunk);
        for record in chunk.records() {
            self.add_record(record, &mut None);
        }
    }

    /// Looks at the next records of the file and builds them too, until a cell is not what the builder
    /// expects: then there is no builder any more. Gives the batches that became full, and the places
    /// that are to be kept with what was found before them.
    pub(super) fn add_and_build(
        &mut self,
        chunk: &Chunk,
        builder: &mut Option<BatchBuilder>,
        marks: &mut Marks,
    ) -> Result<Vec<Made>> {
        self.count_lines(chunk);
        let mut made = Vec::new();
        for (at, record) in chunk.records().enumerate() {
            let rows = self.checked.rows;
            self.add_record(record, builder);
            if let Some(builder) = builder.as_mut().filter(|builder| builder.is_full()) {
                made.push(Made::Batch(builder.take()?));
            }
            if rows < self.checked.rows
                && let Some((place, passed)) = marks.after(chunk, at, self.checked.rows)
            {
                if let Some(builder) = builder.as_mut() {
                    made.push(Made::Batch(builder.take()?));
                }
                made.push(Made::Mark(place, Some(Box::new(self.checked.before(passed)))));
            }
        }
        Ok(made)
    }

    fn count_lines(&mut self, chunk: &Chunk) {
        self.checked.blank_lines += chunk.blank_lines;
        self.checked.comment_lines += chunk.comment_lines;
    }

    fn add_record(&mut self, record: Record<'_>, builder: &mut Option<BatchBuilder>) {
        match refusal(record, self.layout, &self.forced, &self.cells) {
            Some(refusal) => self.reject(record, &refusal),
            None => self.accept(record, builder),
        }
    }

    pub(super) fn finish(self) -> Checked {
        self.checked
    }

    fn accept(&mut self, record: Record<'_>, builder: &mut Option<BatchBuilder>) {
        self.checked.rows += 1;
        for (at, tally) in self.checked.tallies.iter_mut().enumerate() {
            let (text, origin) = record.cell(at);
            let class = self.cells.class(&text, origin);
            tally.add(class, record.line(), &text);
            let fits = builder.as_mut().is_none_or(|builder| builder.cell(at, &text, origin, class).is_ok());
            if !fits {
                *builder = None;
            }
        }
        if let Some(builder) = builder {
            builder.end_row();
        }
    }

    fn reject(&mut self, record: Record<'_>, refusal: &Refusal<'_>) {
        self.checked.rejected_total += 1;
        self.checked.ragged += u64::from(matches!(refusal, Refusal::Ragged));
        if self.checked.rejected.len() == MAX_REJECTED {
            return;
        }
        let reason = match refusal {
            Refusal::Ragged => format!("the row has {} cells, expected {}", record.len(), self.checked.width),
            Refusal::Repeated => "the row repeats the header".to_owned(),
            Refusal::Broken(fault) => fault.reason().to_owned(),
            Refusal::Misfit(at, kind) => misfit(&record.cell(*at).0, &self.layout.names[*at], *kind),
        };
        let (line, excerpt) = (record.line(), record.excerpt());
        self.checked.rejected.push(Rejected { file: None, line, reason, excerpt });
    }
}

impl Checked {
    /// What was found before these lines.
    fn before(&self, passed: Passed) -> Self {
        let mut checked = self.clone();
        checked.blank_lines -= passed.blank_lines;
        checked.comment_lines -= passed.comment_lines;
        checked
    }

    /// True when more than half of the rows have the wrong number of cells.
    pub(super) fn is_mostly_ragged(&self) -> bool {
        self.ragged * 2 > self.rows + self.rejected_total
    }

    pub(super) fn ragged_sentence(&self) -> String {
        format!(
            "{} of {} rows do not have {} cells",
            count(self.ragged),
            count(self.rows + self.rejected_total),
            count(self.width as u64)
        )
    }

    /// How each column is to be read.
    pub(super) fn plans(&self, options: &ParseOptions, layout: &Layout) -> Vec<ColumnPlan> {
        let plan = |(at, tally): (usize, &Tally)| match layout.forced.get(&at) {
            Some(kind) => ColumnPlan::forced(*kind, options),
            None => {
                let date_order = tally.date_order(options.date_order);
                ColumnPlan { kind: tally.kind(), date_order, is_forced: false }
            }
        };
        self.tallies.iter().enumerate().map(plan).collect()
    }

    /// What is worth saying of the columns.
    pub(super) fn warnings(&self, layout: &Layout, plans: &[ColumnPlan]) -> Vec<Warning> {
        let named = layout.names.iter().zip(plans).zip(&self.tallies);
        let mut warnings: Vec<Warning> =
            named.filter_map(|((name, plan), tally)| tally.warning(name, *plan)).collect();
        if self.rejected_total > 0 && !self.is_mostly_ragged() {
            let message = format!(
                "{} of {} rows are rejected",
                count(self.rejected_total),
                count(self.rows + self.rejected_total)
            );
            warnings.insert(0, Warning::file(message));
        }
        warnings
    }
}

/// Why a row is not taken.
pub(super) enum Refusal<'a> {
    /// It has too few or too many cells.
    Ragged,
    /// Its cells are those of the header once more.
    Repeated,
    /// It could not be cut.
    Broken(&'a Fault),
    /// The cell at this position is not of the kind that the user set.
    Misfit(usize, Kind),
}

/// Why this row is not taken, if it is not. Both passes ask this, so they agree.
pub(super) fn refusal<'a>(
    record: Record<'a>,
    layout: &Layout,
    forced: &[(usize, ColumnPlan)],
    cells: &CellReader,
) -> Option<Refusal<'a>> {
    if let Some(fault) = record.fault() {
        return Some(Refusal::Broken(fault));
    }
    let width = layout.names.len();
    // Empty cells beyond the last column come from a delimiter at the end of the line.
    let is_surplus_empty = (width..record.len()).all(|at| record.cell(at).0.is_empty());
    if record.len() < width || !is_surplus_empty {
        return Some(Refusal::Ragged);
    }
    if layout.is_header(record) {
        return Some(Refusal::Repeated);
    }
    for (at, plan) in forced {
        let (text, origin) = record.cell(*at);
        let class = if plan.kind == Kind::Text { Class::Text } else { plan.class(cells, &text, origin) };
        if !fits(class, *plan, &text, cells) {
            return Some(Refusal::Misfit(*at, plan.kind));
        }
    }
    None
}

/// The columns whose kind the user set, in file order.
pub(super) fn forced_plans(layout: &Layout, options: &ParseOptions) -> Vec<(usize, ColumnPlan)> {
    let plan = |(at, kind): (&usize, &Kind)| (*at, ColumnPlan::forced(*kind, options));
    let mut plans: Vec<_> = layout.forced.iter().map(plan).collect();
    plans.sort_unstable_by_key(|(at, _)| *at);
    plans
}

/// Why a row is rejected whose cell is not of the kind that the user set.
pub(super) fn misfit(text: &str, name: &str, kind: Kind) -> String {
    let text: String = text.chars().take(40).collect();
    format!("`{text}` in `{name}` is not {}", with_article(kind))
}

fn with_article(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "an integer",
        Kind::Number => "a number",
        Kind::Boolean => "a truth value",
        Kind::Text => "a text",
        Kind::Time => "a date or time",
    }
}
