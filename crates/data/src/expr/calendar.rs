//! What a calendar says of a moment, in UTC, by sums and quotients alone: so the same few lines
//! compute it for a table and write it into the graph of a model. Days are counted as in
//! "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant), in 64 bit floating point, which is
//! exact for every moment that has milliseconds below 2^53 (the year 287,396).

use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
pub const DAY_MS: f64 = 86_400_000.0;

/// A part of a date or of a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// The year.
    Year,
    /// From 1 to 4.
    Quarter,
    /// From 1 to 12.
    Month,
    /// The day of the month, from 1.
    Day,
    /// From 1 for Monday to 7 for Sunday (ISO 8601).
    Weekday,
    /// From 0 to 23.
    Hour,
}

impl Calendar {
    /// Every part.
    pub const ALL: [Self; 6] = [Self::Year, Self::Quarter, Self::Month, Self::Day, Self::Weekday, Self::Hour];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    /// This part of a moment in milliseconds since 1970.
    pub fn of<A: Arithmetic>(self, ms: &A::Value, by: &mut A) -> A::Value {
        let days = by.quotient(ms, DAY_MS);
        match self {
            Self::Hour => {
                let hours = by.quotient(ms, 3_600_000.0);
                let before = by.times(&days, 24.0);
                by.minus(&hours, &before)
            }
            Self::Weekday => {
                // The first day of 1970 was a Thursday.
                let since_monday = by.plus_number(&days, 3.0);
                let weeks = by.quotient(&since_monday, 7.0);
                let before = by.times(&weeks, 7.0);
                let from_zero = by.minus(&since_monday, &before);
                by.plus_number(&from_zero, 1.0)
            }
            Self::Year | Self::Quarter | Self::Month | Self::Day => {
                let date = Date::of(&days, by);
                match self {
                    Self::Year => date.year,
                    Self::Day => date.day,
                    Self::Quarter => {
                        let shifted = by.plus_number(&date.month, 2.0);
                        by.quotient(&shifted, 3.0)
                    }
                    Self::Month | Self::Weekday | Self::Hour => date.month,
                }
            }
        }
    }
}

/// What a moment's date is computed with.
pub trait Arithmetic {
    /// A number, or the name of one in a graph.
    type Value;

    /// A sum.
    fn plus(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// A sum with a number.
    fn plus_number(&mut self, a: &Self::Value, b: f64) -> Self::Value;
    /// A difference.
    fn minus(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// A product with a number.
    fn times(&mut self, a: &Self::Value, b: f64) -> Self::Value;
    /// A quotient, rounded down to a whole number.
    fn quotient(&mut self, a: &Self::Value, b: f64) -> Self::Value;
}

struct Date<V> {
    year: V,
    month: V,
    day: V,
}

impl<V> Date<V> {
    /// The date of a day since 1970. Years begin in March here, so that the leap day is the last.
    fn of(days: &V, by: &mut impl Arithmetic<Value = V>) -> Self {
        let days = by.plus_number(days, 719_468.0);
        let era = by.quotient(&days, 146_097.0);
        let before = by.times(&era, 146_097.0);
        let day_of_era = by.minus(&days, &before);
        let year_of_era = {
            let (fours, centuries) = (by.quotient(&day_of_era, 1_460.0), by.quotient(&day_of_era, 36_524.0));
            let last = by.quotient(&day_of_era, 146_096.0);
            let plain = by.minus(&day_of_era, &fours);
            let plain = by.plus(&plain, &centuries);
            let plain = by.minus(&plain, &last);
            by.quotient(&plain, 365.0)
        };
        let day_of_year = {
            let (plain, leap) = (by.times(&year_of_era, 365.0), by.quotient(&year_of_era, 4.0));
            let centuries = by.quotient(&year_of_era, 100.0);
            let begin = by.plus(&plain, &leap);
            let begin = by.minus(&begin, &centuries);
            by.minus(&day_of_era, &begin)
        };
        let month_from_march = {
            let fives = by.times(&day_of_year, 5.0);
            let fives = by.plus_number(&fives, 2.0);
            by.quotient(&fives, 153.0)
        };
        let day = {
            let begin = by.times(&month_from_march, 153.0);
            let begin = by.plus_number(&begin, 2.0);
            let begin = by.quotient(&begin, 5.0);
            let from_zero = by.minus(&day_of_year, &begin);
            by.plus_number(&from_zero, 1.0)
        };
        // 1 in January and February, which belong to the year that began in the March before.
        let is_early = by.quotient(&month_from_march, 10.0);
        let month = {
            let back = by.times(&is_early, 12.0);
            let month = by.plus_number(&month_from_march, 3.0);
            by.minus(&month, &back)
        };
        let year = {
            let eras = by.times(&era, 400.0);
            let year = by.plus(&year_of_era, &eras);
            by.plus(&year, &is_early)
        };
        Self { year, month, day }
    }
}

/// Plain numbers; one that is missing is `NaN` and stays it.
pub(super) struct Plain;

impl Arithmetic for Plain {
    type Value = f64;

    fn plus(&mut self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn plus_number(&mut self, a: &f64, b: f64) -> f64 {
        a + b
    }

    fn minus(&mut self, a: &f64, b: &f64) -> f64 {
        a - b
    }

    fn times(&mut self, a: &f64, b: f64) -> f64 {
        a * b
    }

    fn quotient(&mut self, a: &f64, b: f64) -> f64 {
        (a / b).floor()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike as _, Timelike as _};
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_calendar_agrees_with_chrono(ms in -60_000_000_000_000_i64..250_000_000_000_000) {
            let moment = DateTime::from_timestamp_millis(ms).expect("within its range");
            let part = |part: Calendar| part.of(&(ms as f64), &mut Plain);
            let expected = [
                f64::from(moment.year()),
                f64::from(moment.month0() / 3 + 1),
                f64::from(moment.month()),
                f64::from(moment.day()),
                f64::from(moment.weekday().number_from_monday()),
                f64::from(moment.hour()),
            ];
            prop_assert_eq!(Calendar::ALL.map(part), expected);
        }
    }

    #[test]
    fn a_missing_moment_has_missing_parts() {
        assert!(Calendar::ALL.iter().all(|part| part.of(&f64::NAN, &mut Plain).is_nan()));
    }
}
