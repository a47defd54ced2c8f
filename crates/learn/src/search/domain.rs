//! What a parameter may be, written as people write it: `0.01..0.3:log`, `10..200`, `10..200:10`,
//! `0.5..1.0:0.1`, `gini|entropy`. A range whose ends are both written without a point is of whole
//! numbers.

use std::fmt;
use std::str::FromStr;

use base::{Error, Result};
use serde_json::{Value, json};

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// A number.
    Number {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// How it is spread.
        spread: Spread,
    },
    /// A whole number.
    Integer {
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
        /// How it is spread.
        spread: Spread,
    },
    /// One of these.
    Choice(Vec<Value>),
}

/// How the values of a range are spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Evenly.
    Even,
    /// Evenly in their logarithm: 1 to 10 is as far as 10 to 100.
    Log,
    /// In steps from the lower end.
    Steps(f64),
}

/// The most values of one parameter in a grid, or in steps.
const MOST_VALUES: usize = 10_000;

impl FromStr for Domain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid(format!("`{}` is no range: {why}", text.escape_debug()))
                .hint("write `0.01..0.3:log`, `10..200`, `10..200:10`, or choices as `a|b|c`")
        };
        let Some((low, rest)) = text.split_once("..") else {
            let choices: Vec<Value> = text.split('|').map(|one| choice(one.trim())).collect();
            let is_empty = choices.iter().any(|one| one.as_str().is_some_and(str::is_empty));
            if choices.len() < 2 || is_empty {
                return Err(wrong("it has neither `..` nor two choices"));
            }
            return Ok(Self::Choice(choices));
        };
        let (high, spread) = match rest.split_once(':') {
            Some((high, spread)) => (high.trim(), Some(spread.trim())),
            None => (rest.trim(), None),
        };
        let low = low.trim();
        let spread = match spread {
            None => Spread::Even,
            Some("log") => Spread::Log,
            Some(step) => match step.parse::<f64>() {
                Ok(step) if step.is_finite() && step > 0.0 => Spread::Steps(step),
                _ => return Err(wrong("after `:` comes `log` or the size of a step")),
            },
        };
        let domain = match (low.parse::<i64>(), high.parse::<i64>()) {
            (Ok(low), Ok(high)) => Self::Integer { low, high, spread },
            _ => {
                let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
                match (number(low), number(high)) {
                    (Some(low), Some(high)) => Self::Number { low, high, spread },
                    _ => return Err(wrong("its ends are not numbers")),
                }
            }
        };
        domain.check().map_err(wrong)?;
        Ok(domain)
    }
}

fn choice(text: &str) -> Value {
    match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => json!(whole),
            (_, Ok(number)) if number.is_finite() => json!(number),
            _ => json!(text),
        },
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spread = match self {
            Self::Number { low, high, spread } => {
                write!(f, "{low:?}..{high:?}")?;
                spread
            }
            Self::Integer { low, high, spread } => {
                write!(f, "{low}..{high}")?;
                spread
            }
            Self::Choice(values) => {
                let texts = values.iter().map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                return write!(f, "{}", texts.collect::<Vec<_>>().join("|"));
            }
        };
        match spread {
            Spread::Even => Ok(()),
            Spread::Log => write!(f, ":log"),
            Spread::Steps(step) => write!(f, ":{step}"),
        }
    }
}

impl Domain {
    fn check(&self) -> Result<(), &'static str> {
        let Some((low, high, spread)) = self.range() else { return Ok(()) };
        if low >= high {
            return Err("its lower end is not below its upper one");
        }
        match (spread, self) {
            (Spread::Log, _) if low <= 0.0 => Err("a logarithm needs ends above 0"),
            (Spread::Steps(step), Self::Integer { .. }) if step.fract() != 0.0 => {
                Err("the steps of whole numbers are whole")
            }
            (Spread::Steps(step), _) if (high - low) / step >= MOST_VALUES as f64 => {
                Err("its steps are too small")
            }
            _ => Ok(()),
        }
    }

    fn range(&self) -> Option<(f64, f64, Spread)> {
        match self {
            Self::Number { low, high, spread } => Some((*low, *high, *spread)),
            Self::Integer { low, high, spread } => Some((*low as f64, *high as f64, *spread)),
            Self::Choice(_) => None,
        }
    }

    /// The values of a grid: all choices and steps, all whole numbers if there are few, else
    /// `points` values from end to end.
    pub fn grid(&self, points: usize) -> Vec<Value> {
        let points = points.clamp(2, MOST_VALUES);
        match self {
            Self::Choice(values) => values.clone(),
            _ => {
                let count = self.steps().unwrap_or(points);
                let mut values: Vec<Value> =
                    (0..count).map(|at| self.at(at as f64 / (count - 1).max(1) as f64)).collect();
                values.dedup();
                values
            }
        }
    }

    /// How many values there are, if that is few.
    fn steps(&self) -> Option<usize> {
        let (low, high, spread) = self.range()?;
        match spread {
            Spread::Steps(step) => Some(((high - low) / step + 1e-9).floor() as usize + 1),
            Spread::Even | Spread::Log => None,
        }
    }

    /// The value at a share of the way from end to end.
    pub fn at(&self, share: f64) -> Value {
        let share = share.clamp(0.0, 1.0);
        match self {
            Self::Choice(values) => {
                let at = (share * values.len() as f64) as usize;
                values[at.min(values.len() - 1)].clone()
            }
            _ => {
                let (start, end) = self.coordinates();
                self.value_at(start + share * (end - start), share)
            }
        }
    }

    /// The ends of the range in the coordinates in which it is even.
    pub(super) fn coordinates(&self) -> (f64, f64) {
        match self.range() {
            Some((low, high, Spread::Log)) => (libm::log(low), libm::log(high)),
            Some((low, high, Spread::Even | Spread::Steps(_))) => (low, high),
            None => (0.0, 1.0),
        }
    }

    /// The coordinate of a value; none for choices and for what is no number.
    pub(super) fn coordinate(&self, value: &Value) -> Option<f64> {
        let (_, _, spread) = self.range()?;
        let number = value.as_f64()?;
        Some(if spread == Spread::Log { libm::log(number) } else { number })
    }

    /// The value at a coordinate.
    pub(super) fn value(&self, coordinate: f64) -> Value {
        let (start, end) = self.coordinates();
        self.value_at(coordinate, (coordinate - start) / (end - start))
    }

    fn value_at(&self, coordinate: f64, share: f64) -> Value {
        let Some((low, high, spread)) = self.range() else { return self.at(share) };
        let number = match spread {
            Spread::Log => libm::exp(coordinate),
            Spread::Even => coordinate,
            Spread::Steps(step) => {
                let last = self.steps().unwrap_or(1) - 1;
                low + ((coordinate - low) / step).round().clamp(0.0, last as f64) * step
            }
        };
        let number = number.clamp(low, high);
        match self {
            Self::Integer { .. } => json!(number.round() as i64),
            // Ten digits are more than any result depends on, and can be read.
            _ => json!(rounded(number).clamp(low, high)),
        }
    }

    /// The place of a choice.
    pub(super) fn place(&self, value: &Value) -> Option<usize> {
        match self {
            Self::Choice(values) => values.iter().position(|one| one == value),
            _ => None,
        }
    }

    /// How many choices there are; none for a range.
    pub(super) fn choices(&self) -> Option<usize> {
        match self {
            Self::Choice(values) => Some(values.len()),
            _ => None,
        }
    }
}

fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "0.01..0.3:log",
            "10..200",
            "10..200:10",
            "0.5..1.0:0.1",
            "gini|entropy",
            "true|false",
            "1|2.5|x",
        ] {
            let domain: Domain = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(domain.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for (text, why) in [
            ("5", "neither"),
            ("a|", "neither"),
            ("3..1", "not below"),
            ("0..1:log", "above 0"),
            ("1..5:0.5", "whole"),
            ("0.0..1.0:x", "size of a step"),
            ("a..b", "not numbers"),
            ("0.0..1.0:0.0000001", "too small"),
            ("nan..inf", "not numbers"),
        ] {
            let error = text.parse::<Domain>().expect_err(text);
            assert!(error.message.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_logarithmic_range_has_its_geometric_mean_in_the_middle() {
        let domain: Domain = "0.01..1.0:log".parse().expect("good");
        assert_eq!(domain.grid(3), [json!(0.01), json!(0.1), json!(1.0)]);
        let whole: Domain = "1..100:log".parse().expect("good");
        assert_eq!(whole.grid(3), [json!(1), json!(10), json!(100)]);
        let steps: Domain = "0.5..1.0:0.1".parse().expect("good");
        assert_eq!(steps.grid(99).len(), 6);
    }
}
