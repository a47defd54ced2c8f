//! Times as cron writes them: minute, hour, day of the month, month, day of the week. `*`, lists
//! `1,15`, ranges `1-5`, steps `*/10`, names of months and days; 0 and 7 are Sunday. As in cron, if
//! both days are given, one of them is enough. Also `@hourly`, `@daily`, `@weekly`, `@monthly`.
//!
//! When the clock is put forward, a time that does not exist is the first moment after the gap. When
//! it is put back, a time that comes twice counts once, the first time; but a schedule for every hour
//! goes on through both.

use std::fmt;
use std::str::FromStr;

use base::{Error, Result, Timestamp};
use chrono::{
    DateTime, Datelike as _, Days, Duration, MappedLocalTime, NaiveDate, NaiveTime, TimeZone as _, Utc,
};
use chrono_tz::Tz;

/// Days that are looked at for the next time: the 29th of February may be eight years away.
const MOST_DAYS: u64 = 8 * 366 + 2;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// The values of a field as bits, and whether it was a star.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    bits: u64,
    is_any: bool,
}

/// What a field may hold.
struct Allowed {
    what: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

impl Field {
    fn has(self, value: u32) -> bool {
        self.bits >> value & 1 == 1
    }

    fn parse(text: &str, allowed: &Allowed) -> Result<Self> {
        let mut bits = 0;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(allowed.step(step)?)),
                None => (part, None),
            };
            let (low, high) = match range.split_once('-') {
                _ if range == "*" => (allowed.low, allowed.high),
                Some((low, high)) => (allowed.value(low)?, allowed.value(high)?),
                // `5/10` is from 5 on, as cron has it.
                None if step.is_some() => (allowed.value(range)?, allowed.high),
                None => (allowed.value(range)?, allowed.value(range)?),
            };
            if low > high {
                return Err(wrong(format!("`{part}` ends before it begins")));
            }
            (low..=high).step_by(step.unwrap_or(1) as usize).for_each(|value| bits |= 1 << value);
        }
        Ok(Self { bits, is_any: text == "*" })
    }
}

impl Allowed {
    fn value(&self, text: &str) -> Result<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower).map(|at| at as u32 + self.low);
        let value = named.or_else(|| text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())));
        value
            .filter(|value| (self.low..=self.high).contains(value))
            .ok_or_else(|| wrong(format!("`{}` is no {}", text.escape_debug(), self.what)))
    }

    fn step(&self, text: &str) -> Result<u32> {
        let step = text.parse().ok().filter(|step| (1..=self.high).contains(step));
        step.ok_or_else(|| wrong(format!("`{}` is no step of a {}", text.escape_debug(), self.what)))
    }
}

fn wrong(message: String) -> Error {
    Error::invalid(message)
        .hint("write minute, hour, day, month and weekday, such as `0 6 * * 1-5` for six on workdays")
}

impl FromStr for Cron {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let plain = match text {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            other => other,
        };
        let fields: Vec<&str> = plain.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(wrong(format!("`{}` has {} fields, expected 5", text.escape_debug(), fields.len())));
        };
        let allowed = |what, low, high, names| Allowed { what, low, high, names };
        let mut weekdays = Field::parse(weekdays, &allowed("day of the week", 0, 7, &DAYS))?;
        weekdays.bits |= weekdays.bits >> 7 & 1;
        let cron = Self {
            text: text.to_owned(),
            minutes: Field::parse(minutes, &allowed("minute", 0, 59, &[]))?,
            hours: Field::parse(hours, &allowed("hour", 0, 23, &[]))?,
            days: Field::parse(days, &allowed("day of the month", 1, 31, &[]))?,
            months: Field::parse(months, &allowed("month", 1, 12, &MONTHS))?,
            weekdays,
        };
        if cron.next(Timestamp(0), Tz::UTC).is_none() {
            return Err(wrong(format!("`{}` never comes", text.escape_debug())));
        }
        Ok(cron)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// The first time after a moment; none if it never comes.
    pub fn next(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let start = DateTime::<Utc>::from_timestamp_millis(after.as_ms())?.with_timezone(&zone);
        // The day before is looked at too: what a gap at its end puts off is of the next day.
        let first = start.date_naive().checked_sub_days(Days::new(1))?;
        (0..MOST_DAYS).find_map(|ahead| {
            let date = first.checked_add_days(Days::new(ahead))?;
            let moments = if self.is_on(date) { self.moments(date, zone) } else { Vec::new() };
            moments.into_iter().find(|moment| *moment > after)
        })
    }

    /// The last time up to a moment; none if it never came.
    pub fn last(&self, until: Timestamp, zone: Tz) -> Option<Timestamp> {
        let end = DateTime::<Utc>::from_timestamp_millis(until.as_ms())?.with_timezone(&zone);
        let day = end.date_naive();
        (0..MOST_DAYS).find_map(|back| {
            let date = day.checked_sub_days(Days::new(back))?;
            let moments = if self.is_on(date) { self.moments(date, zone) } else { Vec::new() };
            moments.into_iter().rev().find(|moment| *moment <= until)
        })
    }

    fn is_on(&self, date: NaiveDate) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().num_days_from_sunday());
        let is_day = match (self.days.is_any, self.weekdays.is_any) {
            (false, false) => day || weekday,
            _ => day && weekday,
        };
        is_day && self.months.has(date.month())
    }

    /// The moments of a day, in order.
    fn moments(&self, date: NaiveDate, zone: Tz) -> Vec<Timestamp> {
        let hours = (0..24).filter(|hour| self.hours.has(*hour));
        let times = hours.flat_map(|hour| {
            (0..60).filter(|minute| self.minutes.has(*minute)).map(move |minute| (hour, minute))
        });
        let mut moments: Vec<Timestamp> = times
            .filter_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0))
            .flat_map(|time| self.at(date, time, zone))
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    fn at(&self, date: NaiveDate, time: NaiveTime, zone: Tz) -> Vec<Timestamp> {
        let local = date.and_time(time);
        let moment = |at: DateTime<Tz>| Timestamp(at.timestamp_millis());
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => vec![moment(at)],
            MappedLocalTime::Ambiguous(first, second) if self.hours.is_any => {
                vec![moment(first), moment(second)]
            }
            MappedLocalTime::Ambiguous(first, _) => vec![moment(first)],
            MappedLocalTime::None => {
                // No clock is put forward by more than a day (Samoa skipped one in 2011).
                let later = (1..=25 * 60).find_map(|minutes| {
                    zone.from_local_datetime(&(local + Duration::minutes(minutes))).earliest()
                });
                later.map(moment).into_iter().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(DateTime::parse_from_rfc3339(text).expect("a moment").timestamp_millis())
    }

    fn nexts(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let cron: Cron = cron.parse().unwrap_or_else(|e| panic!("{cron}: {e}"));
        let zone: Tz = zone.parse().expect("a zone");
        let mut after = at(from);
        (0..count)
            .map(|_| {
                after = cron.next(after, zone).expect("it comes");
                let moment = DateTime::<Utc>::from_timestamp_millis(after.as_ms()).expect("in range");
                moment.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %z").to_string()
            })
            .collect()
    }

    #[test]
    fn workdays_at_six_are_those() {
        assert_eq!(
            nexts("0 6 * * 1-5", "Europe/Berlin", "2026-11-26T05:00:00Z", 3),
            ["Fri 2026-11-27 06:00 +0100", "Mon 2026-11-30 06:00 +0100", "Tue 2026-12-01 06:00 +0100"]
        );
    }

    #[test]
    fn a_time_that_a_clock_skips_is_the_first_moment_after_it() {
        // On 2027-03-28 the clocks of Berlin go from 02:00 to 03:00.
        assert_eq!(
            nexts("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2),
            ["Sun 2027-03-28 03:00 +0200", "Mon 2027-03-29 02:30 +0200"]
        );
    }

    #[test]
    fn a_time_that_comes_twice_counts_once_unless_every_hour_counts() {
        // On 2026-10-25 the clocks of Berlin go from 03:00 back to 02:00.
        assert_eq!(
            nexts("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["Sun 2026-10-25 02:30 +0200", "Mon 2026-10-26 02:30 +0100"]
        );
        assert_eq!(
            nexts("30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 3),
            ["Sun 2026-10-25 02:30 +0200", "Sun 2026-10-25 02:30 +0100", "Sun 2026-10-25 03:30 +0100"]
        );
    }

    #[test]
    fn both_days_given_means_either_and_rare_days_are_found() {
        assert_eq!(
            nexts("0 0 13 * fri", "UTC", "2026-11-01T00:00:00Z", 3),
            ["Fri 2026-11-06 00:00 +0000", "Fri 2026-11-13 00:00 +0000", "Fri 2026-11-20 00:00 +0000"]
        );
        assert_eq!(nexts("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["Fri 2104-02-29 00:00 +0000"]);
        assert_eq!(
            nexts("*/20 9-10/1 1 jan 7", "UTC", "2026-12-31T00:00:00Z", 1),
            ["Fri 2027-01-01 09:00 +0000"]
        );
        assert_eq!(nexts("@weekly", "UTC", "2026-11-26T00:00:00Z", 1), ["Sun 2026-11-29 00:00 +0000"]);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "+1 * * * *",
            "0 0 31 2 *",
            "@yearly",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_next_time_is_later_and_nothing_lies_between(
            minute in 0_u32..60, hour in 0_u32..24, from in 1_700_000_000_000_i64..1_900_000_000_000,
        ) {
            let cron: Cron = format!("{minute} {hour} * * *").parse().expect("a schedule");
            let zone = chrono_tz::America::New_York;
            let next = cron.next(Timestamp(from), zone).expect("every day");
            prop_assert!(next.as_ms() > from);
            // A day has at most 25 hours.
            prop_assert!(next.as_ms() - from <= 25 * 3_600_000);
            prop_assert_eq!(cron.next(Timestamp(next.as_ms() - 1), zone), Some(next));
            prop_assert_eq!(cron.last(next, zone), Some(next));
            let before = cron.last(Timestamp(next.as_ms() - 1), zone).expect("every day");
            prop_assert!(before.as_ms() <= from);
        }
    }
}
