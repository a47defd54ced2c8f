//! A delimited file of 20 columns of every kind, with missing cells and a target that can be learnt.
//! Equal numbers of rows give equal bytes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::random::Random;
use crate::Result;
use crate::process::private_folder;

/// The last column: two classes.
pub const TARGET: &str = "is_late";
/// Another seed whenever the rows change, so that nobody takes an older file for the new one.
const SEED: u64 = 20;
/// Of every column but the target.
const MISSING_SHARE: f64 = 0.03;
/// Dates lie within so many days from the start of 2015, in years of 12 months of 28 days.
const DAYS: f64 = 3_000.0;

struct Column {
    name: &'static str,
    kind: Kind,
    /// How much the target depends on it.
    weight: f64,
}

enum Kind {
    Number { low: f64, high: f64, digits: usize },
    Integer { low: i64, high: i64 },
    Category(&'static [&'static str]),
    Date,
    Moment,
    Words,
}

const COLUMNS: [Column; 19] = [
    number("amount", -500.0, 9_500.0, 2).weighing(0.9),
    number("price", 0.5, 250.0, 2),
    number("weight_kg", 0.01, 80.0, 3),
    number("height_cm", 1.0, 220.0, 1),
    number("distance_km", 0.0, 4_000.0, 3).weighing(1.2),
    number("temperature", -30.0, 45.0, 2),
    number("rating", 0.0, 5.0, 4),
    number("share", 0.0, 1.0, 6),
    integer("age", 18, 95),
    integer("quantity", 1, 60),
    integer("visits", 0, 5_000),
    integer("year", 1990, 2025),
    category("region", &["north", "east", "south", "west", "centre"]).weighing(0.6),
    category("channel", &["web", "shop", "phone"]),
    category("colour", &["red", "green", "blue", "black", "white", "grey", "yellow"]),
    category("size", &["S", "M", "L", "XL"]),
    Column { name: "ordered_on", kind: Kind::Date, weight: 0.0 },
    Column { name: "shipped_at", kind: Kind::Moment, weight: 0.0 },
    Column { name: "note", kind: Kind::Words, weight: 0.0 },
];

const WORDS: [&str; 16] = [
    "please", "call", "before", "noon", "leave", "at", "the", "door", "fragile", "second", "floor", "ring",
    "twice", "no", "rush", "gift",
];

const fn number(name: &'static str, low: f64, high: f64, digits: usize) -> Column {
    Column { name, kind: Kind::Number { low, high, digits }, weight: 0.0 }
}

const fn integer(name: &'static str, low: i64, high: i64) -> Column {
    Column { name, kind: Kind::Integer { low, high }, weight: 0.0 }
}

const fn category(name: &'static str, levels: &'static [&'static str]) -> Column {
    Column { name, kind: Kind::Category(levels), weight: 0.0 }
}

impl Column {
    const fn weighing(self, weight: f64) -> Self {
        Self { name: self.name, kind: self.kind, weight }
    }
}

/// The file with so many rows, written when it is not there yet.
pub fn file(rows: u64) -> Result<PathBuf> {
    let folder = private_folder().join("generated");
    let path = folder.join(format!("{rows}-rows-{SEED}.csv"));
    if path.exists() {
        return Ok(path);
    }
    let half = path.with_extension("half");
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| write(rows, BufWriter::with_capacity(1 << 20, File::create(&half)?)))
        .and_then(|()| std::fs::rename(&half, &path));
    written.map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(path)
}

fn write(rows: u64, mut out: impl Write) -> std::io::Result<()> {
    for column in &COLUMNS {
        write!(out, "{},", column.name)?;
    }
    writeln!(out, "{TARGET}")?;
    let mut random = Random::new(SEED);
    let mut line = String::new();
    for _ in 0..rows {
        line.clear();
        fill(&mut line, &mut random).expect("text takes any text");
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}

/// Writes one row. The target depends on what a cell would be, also when it is missing.
fn fill(line: &mut String, random: &mut Random) -> std::fmt::Result {
    let mut chance = 0.5;
    for column in &COLUMNS {
        let share = random.share();
        chance += column.weight * (share - 0.5);
        if random.share() >= MISSING_SHARE {
            fill_cell(line, &column.kind, share, random)?;
        }
        line.push(',');
    }
    writeln!(line, "{}", random.share() < chance)
}

/// Writes the cell that lies at this share of the way through its column's range.
fn fill_cell(line: &mut String, kind: &Kind, share: f64, random: &mut Random) -> std::fmt::Result {
    let day = (share * DAYS) as u32;
    let (year, month, day_of_month) = (2015 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
    match kind {
        Kind::Number { low, high, digits } => write!(line, "{:.digits$}", low + share * (high - low)),
        Kind::Integer { low, high } => write!(line, "{}", low + (share * (high - low + 1) as f64) as i64),
        Kind::Category(levels) => write!(line, "{}", levels[(share * levels.len() as f64) as usize]),
        Kind::Date => write!(line, "{year}-{month:02}-{day_of_month:02}"),
        Kind::Moment => {
            let second = random.below(86_400);
            let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
            write!(line, "{year}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{second:02}")
        }
        Kind::Words => fill_words(line, random),
    }
}

/// Writes two to five words, in quotes because there is a comma between them.
fn fill_words(line: &mut String, random: &mut Random) -> std::fmt::Result {
    let mut word = || WORDS[random.below(WORDS.len() as u64) as usize];
    write!(line, "\"{}, {}", word(), word())?;
    for _ in 0..random.below(4) {
        write!(line, " {}", WORDS[random.below(WORDS.len() as u64) as usize])?;
    }
    line.push('"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: u64) -> String {
        let mut bytes = Vec::new();
        write(rows, &mut bytes).expect("memory takes any bytes");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn the_same_rows_give_the_same_bytes_and_more_rows_begin_like_fewer() {
        let table = written(500);
        assert_eq!(table, written(500));
        assert!(written(600).starts_with(&table));
        assert_eq!(table.lines().count(), 501);
    }

    #[test]
    fn every_row_has_twenty_cells_and_some_are_missing() {
        let table = written(2_000);
        let mut missing = 0;
        for line in table.lines() {
            // The only quoted cell is the last but one.
            let cells: Vec<&str> = line.split('"').next().unwrap_or_default().split(',').collect();
            let last = line.rsplit(',').next().unwrap_or_default();
            assert_eq!(line.contains('"'), cells.len() == 19, "{line}");
            assert!(["true", "false", TARGET].contains(&last), "{line}");
            missing += cells.iter().take(18).filter(|cell| cell.is_empty()).count();
        }
        assert!((800..1_400).contains(&missing), "{missing} of 36,000 cells");
    }

    #[test]
    fn the_target_has_both_classes_and_follows_the_distance() {
        let table = written(2_000);
        let rows = table
            .lines()
            .skip(1)
            .filter_map(|line| Some((line.split(',').nth(4)?.parse::<f64>().ok()?, line.ends_with(",true"))));
        let (far, near): (Vec<_>, Vec<_>) = rows.partition(|(distance_km, _)| *distance_km > 2_000.0);
        let late_share = |rows: &[(f64, bool)]| {
            rows.iter().filter(|(_, is_late)| *is_late).count() as f64 / rows.len() as f64
        };
        assert!(late_share(&far) > 0.65 && late_share(&near) < 0.35);
    }
}
