//! What a profile suggests: which column could be the target, and what to look at first.

use serde::{Deserialize, Serialize};

use super::{ColumnProfile, Profile};
use crate::import::Warning;
use crate::schema::{Kind, Task};

/// A column that could be the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The column.
    pub column: String,
    /// What would be learned.
    pub task: Task,
    /// Why this column, in one sentence without a final period.
    pub reason: String,
}

/// Words that targets are called by.
const TARGET_WORDS: [&str; 29] = [
    "target",
    "label",
    "labels",
    "class",
    "y",
    "outcome",
    "response",
    "species",
    "variety",
    "churn",
    "churned",
    "survived",
    "default",
    "defaulted",
    "diagnosis",
    "fraud",
    "is_fraud",
    "price",
    "sale_price",
    "saleprice",
    "medv",
    "income",
    "quality",
    "result",
    "category",
    "approved",
    "converted",
    "attrition",
    "score",
];

/// Words of columns that are hardly ever predicted.
const OTHER_WORDS: [&str; 14] = [
    "id", "index", "row", "rowid", "year", "month", "day", "date", "time", "hour", "name", "zip", "lat",
    "lon",
];

/// The most different values of a target with classes.
const MAX_CLASSES: u64 = 20;

/// The column that looks most like a target, if one does.
pub fn suggest_target(profile: &Profile) -> Option<Suggestion> {
    let last = profile.columns.len().checked_sub(1)?;
    let mut best: Option<(f64, Suggestion)> = None;
    for (at, column) in profile.columns.iter().enumerate() {
        let Some(task) = task_of(column) else { continue };
        let (score, reason) = score(column, task, at == last);
        // The later of equals: targets stand at the end more often than at the beginning.
        if score >= 1.0 && best.as_ref().is_none_or(|(highest, _)| score >= *highest) {
            best = Some((score, Suggestion { column: column.name.clone(), task, reason }));
        }
    }
    best.map(|(_, suggestion)| suggestion)
}

/// What could be learned with this column as the target, if anything.
pub fn task_of(column: &ColumnProfile) -> Option<Task> {
    let is_mostly_missing = column.missing > column.count;
    if column.distinct < 2 || column.is_id_like() || is_mostly_missing || column.kind == Kind::Time {
        return None;
    }
    match column.distinct {
        2 => Some(Task::Binary),
        3..=MAX_CLASSES => Some(Task::Multiclass),
        _ if column.kind.is_numeric() => Some(Task::Regression),
        _ => None,
    }
}

fn score(column: &ColumnProfile, task: Task, is_last: bool) -> (f64, String) {
    let lower = column.name.to_lowercase();
    let words = || lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_named = TARGET_WORDS.contains(&lower.as_str()) || lower.starts_with("target");
    let is_half_named = words().any(|word| TARGET_WORDS.contains(&word));
    let is_other = words().any(|word| OTHER_WORDS.contains(&word));
    let has_classes = task != Task::Regression;
    let mut score = 0.0;
    score += if is_named {
        3.0
    } else if is_half_named {
        1.5
    } else {
        0.0
    };
    score += if is_last { 1.5 } else { 0.0 };
    score -= if is_other { 2.0 } else { 0.0 };
    score += if has_classes && !column.kind.is_numeric() { 0.4 } else { 0.0 };
    let place = match (is_named || is_half_named, is_last) {
        (true, true) => "is named like a target, is the last column",
        (true, false) => "is named like a target",
        (false, _) => "is the last column",
    };
    let values = if has_classes {
        format!("has {} different values", column.distinct)
    } else {
        "is a number with many different values".to_owned()
    };
    (score, format!("`{}` {place} and {values}", column.name))
}

impl Profile {
    /// What is worth a look: constant columns, columns that name rows, columns that are mostly
    /// missing, and a target whose classes are very uneven.
    pub fn warnings(&self, target: Option<&str>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for column in &self.columns {
            let name = &column.name;
            let all = column.count + column.missing;
            if column.distinct <= 1 && all > 1 {
                let message = match column.count {
                    0 => format!("every value of `{name}` is missing"),
                    _ => format!("`{name}` has one value only, which predicts nothing"),
                };
                warnings.push(Warning::column(name, message));
            } else if column.is_id_like() {
                let message =
                    format!("every value of `{name}` is different: it names rows and predicts nothing");
                warnings.push(Warning::column(name, message));
            }
            warnings.extend(personal_warning(column));
            if column.count > 0 && column.missing > column.count {
                let share = 100.0 * column.missing as f64 / all as f64;
                warnings.push(Warning::column(name, format!("{share:.0}% of `{name}` is missing")));
            }
        }
        if let Some(target) = target.and_then(|name| self.column(name)) {
            warnings.extend(target_warning(target));
        }
        warnings
    }
}

fn personal_warning(column: &ColumnProfile) -> Option<Warning> {
    let meaning = column.meaning.filter(|meaning| meaning.semantic.is_personal())?;
    let (name, what) = (&column.name, meaning.semantic.title());
    let share = (meaning.share * 100.0).round();
    let looked_at = base::count(meaning.looked_at);
    let message = format!(
        "`{name}` seems to hold {what} ({share}% of {looked_at} values looked at): this is personal data, \
         leave it out unless you may use it"
    );
    Some(Warning::column(name, message))
}

fn target_warning(target: &ColumnProfile) -> Option<Warning> {
    let name = &target.name;
    if target.distinct > MAX_CLASSES || target.top.len() < 2 {
        return None;
    }
    let (most, least) = (target.top.first()?, target.top.last()?);
    let share = most.count as f64 / target.count as f64;
    if share > 0.9 {
        let message = format!(
            "{:.1}% of the target `{name}` is `{}`: look at AUC or F1, not at accuracy",
            share * 100.0,
            most.value
        );
        return Some(Warning::column(name, message));
    }
    (least.count < 10).then(|| {
        let (value, rows) = (&least.value, least.count);
        Warning::column(name, format!("the target `{name}` has only {rows} rows of `{value}`"))
    })
}
