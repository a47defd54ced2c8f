//! Finds the kind of a column from all of its cells: the narrowest kind that holds every one of
//! them without losing a digit.

use base::count;
use serde::{Deserialize, Serialize};

use super::cell::{CellReader, Class, fits_number};
use super::chunk::Origin;
use super::options::{DateOrder, ParseOptions, Warning};
use crate::schema::Kind;

/// How a column is to be read, decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnPlan {
    pub(super) kind: Kind,
    /// Which reading of a date is taken.
    pub(super) date_order: DateOrder,
    /// True if the user set the kind.
    pub(super) is_forced: bool,
}

impl ColumnPlan {
    /// The plan for a column whose kind the user set.
    pub(super) fn forced(kind: Kind, options: &ParseOptions) -> Self {
        Self { kind, date_order: options.date_order, is_forced: true }
    }

    /// What a cell is in this column.
    pub(super) fn class(self, cells: &CellReader, text: &str, origin: Origin) -> Class {
        if self.is_forced { cells.wanted_class(text, origin) } else { cells.class(text, origin) }
    }
}

/// A cell that did not fit, for the warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Odd {
    /// The file, where several are read.
    file: Option<String>,
    line: u64,
    text: String,
}

/// What the cells of one column were.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    cells: u64,
    missing: u64,
    marks: u64,
    integers: u64,
    // Integers that a floating point number cannot hold with all digits.
    wide_integers: u64,
    big_integers: u64,
    numbers: u64,
    booleans: u64,
    times: u64,
    day_first_only: u64,
    month_first_only: u64,
    cut_times: u64,
    has_two_readings: bool,
    first_not_number: Option<Odd>,
    first_not_time: Option<Odd>,
}

impl Tally {
    /// Counts one cell.
    pub(super) fn add(&mut self, class: Class, line: u64, text: &str) {
        self.cells += 1;
        match class {
            Class::Missing | Class::QuotedMissing => self.missing += 1,
            Class::Mark => self.marks += 1,
            Class::Integer(value) => {
                self.integers += 1;
                self.wide_integers += u64::from(!fits_number(value));
                note(&mut self.first_not_time, line, text);
            }
            Class::BigInteger { is_exact, .. } => {
                self.big_integers += 1;
                self.wide_integers += u64::from(!is_exact);
                note(&mut self.first_not_time, line, text);
            }
            Class::Number(_) => {
                self.numbers += 1;
                note(&mut self.first_not_time, line, text);
            }
            Class::Boolean(_) => {
                self.booleans += 1;
                note(&mut self.first_not_number, line, text);
                note(&mut self.first_not_time, line, text);
            }
            Class::Time(moment) => {
                self.times += 1;
                self.day_first_only += u64::from(moment.month_first.is_none());
                self.month_first_only += u64::from(moment.day_first.is_none());
                self.cut_times += u64::from(moment.is_cut);
                let (day, month) = (moment.day_first, moment.month_first);
                self.has_two_readings |= day.is_some() && month.is_some() && day != month;
                note(&mut self.first_not_number, line, text);
            }
            Class::Text => {
                note(&mut self.first_not_number, line, text);
                note(&mut self.first_not_time, line, text);
            }
        }
    }

    /// Counts the cells of the same column in another file as well.
    pub(super) fn merge(&mut self, other: &Self, file: &str) {
        self.cells += other.cells;
        self.missing += other.missing;
        self.marks += other.marks;
        self.integers += other.integers;
        self.wide_integers += other.wide_integers;
        self.big_integers += other.big_integers;
        self.numbers += other.numbers;
        self.booleans += other.booleans;
        self.times += other.times;
        self.day_first_only += other.day_first_only;
        self.month_first_only += other.month_first_only;
        self.cut_times += other.cut_times;
        self.has_two_readings |= other.has_two_readings;
        let in_file = |odd: &Option<Odd>| odd.clone().map(|odd| Odd { file: Some(file.to_owned()), ..odd });
        let first = |mine: &mut Option<Odd>, its: &Option<Odd>| *mine = mine.take().or_else(|| in_file(its));
        first(&mut self.first_not_number, &other.first_not_number);
        first(&mut self.first_not_time, &other.first_not_time);
    }

    /// True if no cell holds a value.
    pub(super) fn is_empty(&self) -> bool {
        self.solid() == 0
    }

    /// True if some integer has digits that a floating point number cannot hold.
    pub(super) fn has_wide_integers(&self) -> bool {
        self.wide_integers > 0
    }

    fn solid(&self) -> u64 {
        self.cells - self.missing - self.marks
    }

    fn numeric(&self) -> u64 {
        self.integers + self.big_integers + self.numbers
    }

    /// The narrowest kind that holds every cell.
    pub(super) fn kind(&self) -> Kind {
        let solid = self.solid();
        if solid == 0 {
            Kind::Text
        } else if self.booleans == solid {
            Kind::Boolean
        } else if self.integers == solid {
            Kind::Integer
        } else if self.numeric() == solid && self.wide_integers == 0 {
            Kind::Number
        } else if self.times == solid && (self.day_first_only == 0 || self.month_first_only == 0) {
            Kind::Time
        } else {
            Kind::Text
        }
    }

    /// The order of day and month that the cells show, or the one given where they do not.
    pub(super) fn date_order(&self, otherwise: DateOrder) -> DateOrder {
        match (self.day_first_only > 0, self.month_first_only > 0) {
            (true, false) => DateOrder::DayFirst,
            (false, true) => DateOrder::MonthFirst,
            (true, true) | (false, false) => otherwise,
        }
    }

    /// What the user should know of this column.
    pub(super) fn warning(&self, name: &str, plan: ColumnPlan) -> Option<Warning> {
        let solid = self.solid();
        if self.cells > 0 && self.missing == self.cells {
            return Some(Warning::column(name, format!("every cell of `{name}` is missing")));
        }
        if plan.kind == Kind::Text && solid > 0 {
            return self.text_warning(name);
        }
        let tells_order = self.day_first_only > 0 || self.month_first_only > 0;
        if plan.kind == Kind::Time && self.has_two_readings && !tells_order {
            let order = match plan.date_order {
                DateOrder::DayFirst => "day/month/year",
                DateOrder::MonthFirst => "month/day/year",
            };
            let message = format!("the dates of `{name}` can be read in two ways; they are read as {order}");
            return Some(Warning::column(name, message));
        }
        (plan.kind == Kind::Time && self.cut_times > 0)
            .then(|| Warning::column(name, format!("the times of `{name}` are cut to milliseconds")))
    }

    /// Says why a column that is nearly numbers or dates is text.
    fn text_warning(&self, name: &str) -> Option<Warning> {
        let solid = self.solid();
        if self.numeric() == solid {
            let message = format!("`{name}` is text because a number would lose digits of its long integers");
            return Some(Warning::column(name, message));
        }
        if self.times == solid {
            let message = format!("`{name}` is text because it mixes day/month and month/day dates");
            return Some(Warning::column(name, message));
        }
        let near = |matched: u64| matched < solid && matched as f64 >= 0.9 * solid as f64;
        let (what, matched, odd) = if near(self.numeric()) {
            ("a number", self.numeric(), &self.first_not_number)
        } else if near(self.times) {
            ("a date", self.times, &self.first_not_time)
        } else {
            return None;
        };
        let odd = odd.as_ref()?;
        Some(Warning::column(
            name,
            format!(
                "`{name}` is text because {} of {} cells are not {what}; the first is `{}` on line {}{}",
                count(solid - matched),
                count(solid),
                odd.text,
                odd.line,
                odd.file.as_ref().map(|file| format!(" of `{file}`")).unwrap_or_default()
            ),
        ))
    }
}

/// True if the cell can be stored in a column whose kind the user set.
pub(super) fn fits(class: Class, plan: ColumnPlan, text: &str, reader: &CellReader) -> bool {
    match (plan.kind, class) {
        (_, Class::Missing | Class::QuotedMissing) | (Kind::Text, _) => true,
        (Kind::Boolean, _) if reader.as_boolean(text).is_some() => true,
        (_, Class::Mark) => true,
        (Kind::Integer, Class::Integer(_)) => true,
        (Kind::Number, Class::Integer(_) | Class::BigInteger { .. } | Class::Number(_)) => true,
        (Kind::Time, Class::Time(moment)) => moment.in_order(plan.date_order).is_some(),
        (Kind::Integer | Kind::Number | Kind::Boolean | Kind::Time, _) => false,
    }
}

fn note(place: &mut Option<Odd>, line: u64, text: &str) {
    if place.is_none() {
        *place = Some(Odd { file: None, line, text: text.chars().take(40).collect() });
    }
}
