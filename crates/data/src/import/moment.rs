//! Dates and timestamps as people write them. A value keeps both readings of 03/04/2026 until the
//! whole column has said which one fits.

use chrono::NaiveDate;

use super::options::DateOrder;

/// A moment in UTC milliseconds, in the readings that are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The reading with the day before the month; for year-first dates, the one reading.
    pub(super) day_first: Option<i64>,
    /// The reading with the month before the day; for year-first dates, the one reading.
    pub(super) month_first: Option<i64>,
    /// True when digits below a millisecond were cut.
    pub(super) is_cut: bool,
}

impl Moment {
    /// The milliseconds in this order of day and month, if the order is possible.
    pub(super) fn in_order(self, order: DateOrder) -> Option<i64> {
        match order {
            DateOrder::DayFirst => self.day_first,
            DateOrder::MonthFirst => self.month_first,
        }
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAY_MS: i64 = 86_400_000;

/// Reads a date with an optional time of day and zone. Years have four digits: two could mean
/// two centuries.
pub(super) fn moment(text: &str) -> Option<Moment> {
    // The longest form, `23 September 2026 10:11:12.123456789 PM +00:00`, has fewer characters.
    if !(8..=48).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let mut rest = Scanner { text: text.as_bytes() };
    let (day_first, month_first) = rest.date()?;
    let (time_ms, is_cut) = rest.time_of_day()?;
    if !rest.text.is_empty() {
        return None;
    }
    let at = |days: i64| days * DAY_MS + time_ms;
    Some(Moment { day_first: day_first.map(at), month_first: month_first.map(at), is_cut })
}

struct Scanner<'a> {
    text: &'a [u8],
}

impl Scanner<'_> {
    /// Days since 1970 with the day first and with the month first.
    fn date(&mut self) -> Option<(Option<i64>, Option<i64>)> {
        let first = self.part()?;
        let mark = self.mark()?;
        let second = self.part()?;
        // `Nov 23, 2026` has two marks in its second place, all others repeat the first mark.
        if matches!(first, Part::Month(_)) && self.text.first() == Some(&b',') {
            self.text = &self.text[1..];
        }
        if self.mark()? != mark {
            return None;
        }
        let third = self.part()?;
        match (first, second, third) {
            (Part::Digits(y, 4), Part::Digits(m, 1 | 2), Part::Digits(d, 1 | 2)) => {
                let days = days(y, m, d)?;
                Some((Some(days), Some(days)))
            }
            (Part::Digits(a, 1 | 2), Part::Digits(b, 1 | 2), Part::Digits(y, 4)) => {
                let both = (days(y, b, a), days(y, a, b));
                (both.0.is_some() || both.1.is_some()).then_some(both)
            }
            (Part::Digits(d, 1 | 2), Part::Month(m), Part::Digits(y, 4))
            | (Part::Month(m), Part::Digits(d, 1 | 2), Part::Digits(y, 4)) => {
                let days = days(y, m, d)?;
                Some((Some(days), Some(days)))
            }
            _ => None,
        }
    }

    /// Milliseconds since midnight in UTC, and whether finer digits were cut.
    fn time_of_day(&mut self) -> Option<(i64, bool)> {
        if self.text.is_empty() {
            return Some((0, false));
        }
        if !self.take(b"T") && !self.take(b" ") {
            return None;
        }
        let mut hour = self.digits(1, 2)?;
        if !self.take(b":") {
            return None;
        }
        let minute = self.digits(2, 2)?;
        let second = if self.take(b":") { self.digits(2, 2)? } else { 0 };
        let (fraction_ms, is_cut) =
            if self.take(b".") || self.take(b",") { self.fraction()? } else { (0, false) };
        let has_space = self.take(b" ");
        if let Some(is_afternoon) = self.half_day() {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if is_afternoon { 12 } else { 0 };
            self.take(b" ");
        } else if has_space && self.text.is_empty() {
            return None;
        }
        let offset_min = self.zone()?;
        let fits = hour < 24 && minute < 60 && second < 60;
        let minutes = i64::from(hour) * 60 + i64::from(minute) - offset_min;
        fits.then_some((minutes * 60_000 + i64::from(second) * 1000 + fraction_ms, is_cut))
    }

    fn part(&mut self) -> Option<Part> {
        if self.text.first()?.is_ascii_digit() {
            let before = self.text.len();
            let value = self.digits(1, 4)?;
            return Some(Part::Digits(value, before - self.text.len()));
        }
        let letters = self.text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let word = std::str::from_utf8(&self.text[..letters]).ok()?.to_ascii_lowercase();
        if letters < 3 {
            return None;
        }
        let month = MONTHS.iter().position(|m| *m == word || (m[..3] == word))?;
        self.text = &self.text[letters..];
        Some(Part::Month(month as u32 + 1))
    }

    fn mark(&mut self) -> Option<u8> {
        let mark = *self.text.first()?;
        if !matches!(mark, b'-' | b'/' | b'.' | b' ') {
            return None;
        }
        self.text = &self.text[1..];
        Some(mark)
    }

    fn take(&mut self, what: &[u8]) -> bool {
        match self.text.strip_prefix(what) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.text.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
        if count < least {
            return None;
        }
        let value = self.text[..count].iter().fold(0, |sum, b| sum * 10 + u32::from(b - b'0'));
        self.text = &self.text[count..];
        Some(value)
    }

    fn fraction(&mut self) -> Option<(i64, bool)> {
        let count = self.text.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let digit = |at: usize| if at < count { i64::from(self.text[at] - b'0') } else { 0 };
        let ms = digit(0) * 100 + digit(1) * 10 + digit(2);
        let is_cut = self.text[..count].iter().skip(3).any(|b| *b != b'0');
        self.text = &self.text[count..];
        Some((ms, is_cut))
    }

    fn half_day(&mut self) -> Option<bool> {
        for (word, is_afternoon) in [(b"AM", false), (b"am", false), (b"PM", true), (b"pm", true)] {
            if self.take(word) {
                return Some(is_afternoon);
            }
        }
        None
    }

    /// Minutes east of UTC; no zone is UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.text.is_empty() || self.take(b"Z") || self.take(b"z") || self.take(b"UTC") {
            return Some(0);
        }
        let sign = if self.take(b"+") {
            1
        } else if self.take(b"-") {
            -1
        } else {
            return None;
        };
        let hours = self.digits(2, 2)?;
        self.take(b":");
        let minutes = if self.text.is_empty() { 0 } else { self.digits(2, 2)? };
        (hours <= 18 && minutes < 60).then_some(sign * i64::from(hours * 60 + minutes))
    }
}

enum Part {
    /// A number and how many digits it has.
    Digits(u32, usize),
    Month(u32),
}

fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(i64::from(date.to_epoch_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> i64 {
        let m = moment(text).unwrap_or_else(|| panic!("{text} is a moment"));
        assert_eq!(m.day_first, m.month_first, "{text}");
        m.day_first.expect("both readings")
    }

    #[test]
    fn year_first_dates_and_timestamps_are_read_in_utc() {
        // date -u -d '2026-11-23 08:05:10' +%s
        let at = 1_795_421_110_000;
        for text in [
            "2026-11-23T08:05:10Z",
            "2026-11-23 08:05:10",
            "2026/11/23 08:05:10.000",
            "2026-11-23T10:05:10+02:00",
            "2026-11-23T03:05:10-0500",
            "23 Nov 2026 08:05:10",
            "November 23, 2026 8:05:10 AM",
            "23-Nov-2026 08:05:10 UTC",
        ] {
            assert_eq!(one(text), at, "{text}");
        }
        assert_eq!(one("2026-11-23T08:05:10.1239"), at + 123);
        assert!(moment("2026-11-23T08:05:10.1239").expect("a moment").is_cut);
        assert_eq!(one("1969-12-31"), -DAY_MS);
    }

    #[test]
    fn a_date_with_the_year_last_keeps_both_readings() {
        let both = moment("03/04/2026").expect("a date");
        assert_eq!(both.day_first, Some(one("2026-04-03")));
        assert_eq!(both.month_first, Some(one("2026-03-04")));
        let day = moment("31.12.2026 23:59").expect("a date");
        assert_eq!((day.day_first, day.month_first), (Some(one("2026-12-31 23:59")), None));
        assert_eq!(moment("12/31/2026").expect("a date").day_first, None);
        assert_eq!(moment("1/2/2026 11:30 PM").expect("a date").month_first, Some(one("2026-01-02 23:30")));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "2026-02-30",
            "2026-13-01",
            "31/12/99",
            "20261123",
            "2026-11-23T25:00",
            "2026-11-23 ",
            "2026-11/23",
            "12:30:00",
            "1.2.3",
            "192.168.0.1",
            "2026-11-23T08:05:10+99:00",
            "13/13/2026",
            "Marchy 3, 2026",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
