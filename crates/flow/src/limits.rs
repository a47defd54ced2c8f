//! What any step of a pipeline file may be given besides its parameters: how often it is tried
//! again, how long it may take, how many cores and how much memory. None of it is part of a key.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A step is tried again at most this often.
pub const MAX_RETRIES: u32 = 20;

/// The limits of a step; nothing said is no limit, and one try.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// How often the step is tried again after a failure, up to [`MAX_RETRIES`].
    pub retries: u32,
    /// How long one try may take.
    pub timeout: Option<Span>,
    /// How many cores it gets, no more and no less; a share of the free ones if none.
    pub cores: Option<u32>,
    /// How much memory it may take, with all its processes.
    pub memory: Option<Size>,
}

impl Limits {
    /// Refuses limits under which nothing could run.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] naming the limit.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str, hint: &str| Err(Error::invalid(what).hint(hint));
        if self.retries > MAX_RETRIES {
            return wrong("`retries` is too many", &format!("write a number from 0 to {MAX_RETRIES}"));
        }
        if self.cores == Some(0) {
            return wrong("`cores` is 0, and a step needs one", "write 1 or more, or leave it out");
        }
        if self.timeout.is_some_and(|span| span.0.is_zero()) {
            return wrong("`timeout` leaves no time", "write one such as `90s`, `10m` or `2h`");
        }
        if self.memory.is_some_and(|size| size.0 < 16 << 20) {
            return wrong("`memory` is too little to start a program", "write 16MiB or more");
        }
        Ok(())
    }
}

/// A time span: `90s`, `10m`, `2h`, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes: `512MB`, `2GiB`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// Units from the largest on, so that what is written is as short as it can be.
const SPANS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

/// A number and its unit, in the smallest unit.
fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = (text[..digits].parse::<f64>().ok()?, text[digits..].trim());
    let unit = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1;
    let all = number * unit as f64;
    // Beyond that, f64 does not count in ones, and no machine has or lives that much.
    (all.is_finite() && all < 9e15).then_some(all.round() as u64)
}

fn write(value: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let last = units[units.len() - 1];
    let (unit, size) =
        units.iter().find(|(_, size)| value > 0 && value.is_multiple_of(*size)).unwrap_or(&last);
    write!(f, "{}{unit}", value / size)
}

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let ms = read(text, &SPANS).ok_or_else(|| {
            Error::invalid(format!("`{}` is no time span", text.escape_debug()))
                .hint("write one such as `90s`, `10m` or `2h`")
        })?;
        Ok(Self(Duration::from_millis(ms)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &SPANS, f)
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = read(text, &SIZES).ok_or_else(|| {
            Error::invalid(format!("`{}` is no amount of memory", text.escape_debug()))
                .hint("write one such as `512MB` or `2GiB`")
        })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, &SIZES, f)
    }
}

/// A text with a unit, or a bare number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Number(seconds) => Ok(Self(Duration::from_secs(seconds.min(u64::from(u32::MAX))))),
            Form::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Number(bytes) => Ok(Self(bytes)),
            Form::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_and_sizes_are_read_with_their_units() {
        let span = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!((span("90s"), span("1.5 h"), span("250ms")), (Ok(90_000), Ok(5_400_000), Ok(250)));
        let size = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!((size("2GiB"), size("512 mb"), size("1kB")), (Ok(2 << 30), Ok(512_000_000), Ok(1000)));
        for wrong in ["", "s", "10", "ten s", "1e3s", "-1s", "3 weeks", "99999999999999999999TB"] {
            assert!(span(wrong).is_err() && size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_under_which_nothing_runs_are_refused() {
        let good =
            Limits { retries: 3, timeout: "10m".parse().ok(), cores: Some(2), memory: "2GB".parse().ok() };
        assert!(good.check().is_ok());
        let none = Limits::default;
        assert!(Limits { retries: 99, ..none() }.check().is_err());
        assert!(Limits { cores: Some(0), ..none() }.check().is_err());
        assert!(Limits { timeout: "0s".parse().ok(), ..none() }.check().is_err());
        assert!(Limits { memory: "1kB".parse().ok(), ..none() }.check().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ms in 0_u64..1_000_000_000_000, bytes in 0_u64..1_000_000_000_000_000) {
            let span = Span(Duration::from_millis(ms));
            prop_assert_eq!(span.to_string().parse::<Span>().expect("what we write"), span);
            prop_assert_eq!(Size(bytes).to_string().parse::<Size>().expect("what we write"), Size(bytes));
        }
    }
}
