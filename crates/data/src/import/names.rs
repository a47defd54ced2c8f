//! Makes usable column names out of a header row: none empty, none twice, none of Fettle's own.

use std::collections::HashSet;

use super::options::Warning;
use crate::schema::HIDDEN_PREFIX;

/// A longer name is cut.
const MAX_NAME_CHARS: usize = 200;

/// The names for a header row, one for each cell, and what was changed.
pub(super) fn clean(header: &[String]) -> (Vec<String>, Vec<Warning>) {
    let mut warnings = Vec::new();
    // A name that stands in the header belongs to its own column before a made-up one may have it.
    let taken: HashSet<String> = header.iter().map(|name| tidy(name)).collect();
    let mut used = HashSet::new();
    let mut names = Vec::with_capacity(header.len());
    for (at, raw) in header.iter().enumerate() {
        let wanted = tidy(raw);
        let base = own(&wanted, at);
        let name = if used.contains(&base) || (base != wanted && taken.contains(&base)) {
            free(&base, |name| used.contains(name) || taken.contains(name))
        } else {
            base
        };
        if wanted.is_empty() {
            warnings.push(Warning::column(
                &name,
                format!("column {} has no name and is called `{name}`", at + 1),
            ));
        } else if name != wanted {
            let message =
                format!("column {} is called `{name}` because `{wanted}` is taken or reserved", at + 1);
            warnings.push(Warning::column(&name, message));
        } else if raw.trim().chars().count() > MAX_NAME_CHARS {
            let message = format!("the name of column {} is cut to {MAX_NAME_CHARS} characters", at + 1);
            warnings.push(Warning::column(&name, message));
        }
        used.insert(name.clone());
        names.push(name);
    }
    (names, warnings)
}

/// `column_1`, `column_2` and so on.
pub(super) fn numbered(width: usize) -> Vec<String> {
    (1..=width).map(|at| format!("column_{at}")).collect()
}

fn tidy(raw: &str) -> String {
    let no_breaks: String = raw.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    no_breaks
        .trim()
        .trim_start_matches('\u{feff}')
        .chars()
        .take(MAX_NAME_CHARS)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn own(wanted: &str, at: usize) -> String {
    let open = if wanted.starts_with(HIDDEN_PREFIX) { wanted.trim_start_matches('_') } else { wanted };
    if open.is_empty() { format!("column_{}", at + 1) } else { open.to_owned() }
}

fn free(base: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut number = 2_u64;
    loop {
        let name = format!("{base}_{number}");
        if !is_taken(&name) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &[&str]) -> (Vec<String>, usize) {
        let (names, warnings) = clean(&header.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        (names, warnings.len())
    }

    #[test]
    fn names_are_unique_and_keep_what_they_can() {
        assert_eq!(names(&["x", "x", "x_2", "x"]).0, ["x", "x_3", "x_2", "x_4"]);
        assert_eq!(names(&["a", " b ", "c\nd"]), (vec!["a".into(), "b".into(), "c d".into()], 0));
        assert_eq!(names(&["", "column_1", ""]).0, ["column_1_2", "column_1", "column_3"]);
        assert_eq!(names(&["id", "id; DROP TABLE x", "constructor"]).1, 0);
    }

    #[test]
    fn names_of_fettle_are_renamed_with_a_warning() {
        assert_eq!(names(&["__split", "__proto__", "__"]).0, ["split", "proto__", "column_3"]);
        assert_eq!(names(&["split", "__split"]), (vec!["split".into(), "split_2".into()], 1));
    }

    #[test]
    fn a_header_of_many_twins_stays_fast_and_unique() {
        let header = vec!["x".to_owned(); 3000];
        let (names, warnings) = clean(&header);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3000);
        assert_eq!(warnings.len(), 2999);
    }
}
