//! Writes a first file of checks from a profile: what a careful data engineer would demand of the
//! next version, having seen this one. Every check holds for the profiled table itself.

use serde_json::{Map, Value, json};

use super::file::{Check, CheckFile, Severity};
use crate::profile::{ColumnProfile, Profile, Semantic};
use crate::schema::Kind;

/// A column with more different values than this has no list of allowed ones.
const MAX_SET: u64 = 20;
/// A column with fewer values than this has shown too little to draw limits from.
const MIN_ROWS: u64 = 20;
/// Each value of a list was seen this often on average at least: rarer ones promise nothing.
const MIN_REPEATS: u64 = 10;
/// A row count may change by half without question.
const MAX_CHANGE: f64 = 0.5;

/// The checks that a table with this profile suggests.
pub fn suggest(profile: &Profile) -> CheckFile {
    let mut checks = Vec::new();
    if profile.rows > 0 {
        checks.extend(check("row_count", json!({"min": 1, "max_change": MAX_CHANGE}), Severity::Error));
    }
    if profile.rows >= MIN_ROWS && profile.duplicate_rows == Some(0) {
        checks.extend(check("duplicate_rows", json!({}), Severity::Error));
    }
    for column in &profile.columns {
        checks.extend(of_column(column));
    }
    CheckFile { checks }
}

fn of_column(column: &ColumnProfile) -> Vec<Check> {
    let name = column.name.as_str();
    let mut checks = Vec::new();
    checks.extend(check("type", json!({"column": name, "type": column.kind.word()}), Severity::Error));
    if column.count < MIN_ROWS {
        return checks;
    }
    checks.extend(of_missing(column));
    checks.extend(of_meaning(column));
    if column.is_unique() && matches!(column.kind, Kind::Integer | Kind::Text) {
        checks.extend(check("unique", json!({"columns": [name]}), Severity::Error));
        return checks;
    }
    if let Some(values) = set_of(column) {
        checks.extend(check("set", json!({"column": name, "values": values}), Severity::Error));
    } else if let Some((min, max)) = range_of(column) {
        checks.extend(check("range", json!({"column": name, "min": min, "max": max}), Severity::Warn));
    }
    checks
}

/// None missing must stay so; otherwise twice the share seen is allowed.
fn of_missing(column: &ColumnProfile) -> Option<Check> {
    let params = json!({"column": column.name});
    if column.missing == 0 {
        return check("not_null", params, Severity::Error);
    }
    let share = column.missing as f64 / (column.count + column.missing) as f64;
    // Written to whole percent, upwards.
    let allowed = (200.0 * share).ceil() / 100.0;
    if allowed >= 1.0 {
        return None;
    }
    check("not_null", params, Severity::Warn)?.allowing(allowed).ok()
}

/// The form that values of a meaning have, blanks around them aside.
fn of_meaning(column: &ColumnProfile) -> Option<Check> {
    let meaning = column.meaning?;
    let form = match meaning.semantic {
        Semantic::Email => r"[^@\s]+@[^@\s]+\.[^@\s]+",
        Semantic::Url => r"(\w+://|www\.)\S+",
        Semantic::Uuid => r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        Semantic::Iban => r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,42}",
        Semantic::Phone | Semantic::Country | Semantic::Ip | Semantic::Id | Semantic::FreeText => {
            return None;
        }
    };
    let params = json!({"column": column.name, "regex": format!(r"\s*{form}\s*")});
    // Only a sample was looked at: what does not fit may be twice as frequent, and a little more.
    let misfits = 1.0 - meaning.share;
    let is_proved = misfits == 0.0 && meaning.looked_at == column.count;
    let allowed = if is_proved { 0.0 } else { ((200.0 * misfits).ceil() + 1.0) / 100.0 };
    check("pattern", params, Severity::Warn)?.allowing(allowed).ok()
}

/// The values of a column that has few, if the profile lists them all.
fn set_of(column: &ColumnProfile) -> Option<Vec<Value>> {
    let is_complete = column.distinct_is_exact
        && column.other == 0
        && column.infinite == 0
        && column.top.len() as u64 == column.distinct;
    if column.kind != Kind::Text || !is_complete {
        return None;
    }
    if column.distinct > MAX_SET || column.count < column.distinct * MIN_REPEATS {
        return None;
    }
    // A value of 200 characters may have been cut.
    if column.top.iter().any(|entry| entry.value.chars().count() >= 200) {
        return None;
    }
    let mut values: Vec<&str> = column.top.iter().map(|entry| entry.value.as_str()).collect();
    values.sort_unstable();
    Some(values.into_iter().map(Value::from).collect())
}

/// The range seen with a tenth of it as margin on both sides; what was never negative stays so.
fn range_of(column: &ColumnProfile) -> Option<(f64, f64)> {
    if !column.kind.is_numeric() || column.infinite > 0 {
        return None;
    }
    let (min, max) = (column.min?, column.max?);
    let margin = (max - min) * 0.1;
    let mut low = min - margin;
    let mut high = max + margin;
    if min >= 0.0 {
        low = low.max(0.0);
    }
    if max <= 0.0 {
        high = high.min(0.0);
    }
    if column.kind == Kind::Integer || margin >= 10.0 {
        (low, high) = (low.floor(), high.ceil());
    }
    let (low, high) = (rounded(low, f64::floor).min(min), rounded(high, f64::ceil).max(max));
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

/// Three significant digits are enough for a limit that was guessed.
fn rounded(value: f64, round: fn(f64) -> f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = 2 - libm::floor(libm::log10(value.abs())) as i32;
    if !(-300..=300).contains(&digits) {
        return value;
    }
    // Dividing by a power of ten gives the number nearest to its decimal form, multiplying does not.
    let scale = libm::pow(10.0, f64::from(digits.abs()));
    if digits >= 0 { round(value * scale) / scale } else { round(value / scale) * scale }
}

/// A check of the list. The parameters are written here, so that they fit.
fn check(kind: &str, params: Value, severity: Severity) -> Option<Check> {
    let params: Map<String, Value> = params.as_object().cloned().unwrap_or_default();
    let mut check = Check::new(kind, &params).ok()?;
    check.severity = severity;
    Some(check)
}
