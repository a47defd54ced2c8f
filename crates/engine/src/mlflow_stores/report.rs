//! What an import or an export came to, while it goes on.

use std::collections::BTreeMap;

use crate::commands::tracking::{MovedCount, MovedNote, NoteKind, TrackingMoved, What};

/// Notes that are kept; the rest is counted.
const MOST_NOTES: usize = 1_000;

/// What happened to something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was added.
    Added,
    /// It was here and the same.
    Same,
    /// It was here and another.
    Conflict,
    /// It could not be taken.
    Skipped,
}

/// What an import came to so far.
#[derive(Default)]
pub(super) struct Report {
    counts: BTreeMap<What, MovedCount>,
    notes: Vec<MovedNote>,
    more_notes: u64,
    /// Runs and models whose files are nowhere.
    missing: u64,
}

impl Report {
    /// Counts what was found and what became of it.
    pub(super) fn count(&mut self, what: What, fate: Fate, number: usize) {
        let count = self.counts.entry(what).or_insert_with(|| MovedCount::new(what));
        let number = number as u64;
        count.found += number;
        *match fate {
            Fate::Added => &mut count.added,
            Fate::Same => &mut count.same,
            Fate::Conflict => &mut count.conflicts,
            Fate::Skipped => &mut count.skipped,
        } += number;
    }

    /// Says something that a person should know.
    pub(super) fn note(&mut self, kind: NoteKind, what: impl Into<String>, why: impl Into<String>) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(MovedNote { kind, what: what.into(), why: why.into() });
        } else {
            self.more_notes += 1;
        }
    }

    /// Names something that could not be taken.
    pub(super) fn skipped(&mut self, kind: What, what: &str, why: impl Into<String>) {
        self.count(kind, Fate::Skipped, 1);
        self.note(NoteKind::Skipped, what, why);
    }

    /// Names something that is here already and another.
    pub(super) fn conflict(&mut self, kind: What, what: &str, why: impl Into<String>) {
        self.count(kind, Fate::Conflict, 1);
        self.note(NoteKind::Conflict, what, why);
    }

    /// Counts a run or model that has no folder of files where it should be.
    pub(super) fn missing(&mut self) {
        self.missing += 1;
    }

    /// MLflow makes the folder of a run's files with the first of them, so that one that is not there
    /// says nothing by itself.
    pub(super) fn say_missing(&mut self) {
        if self.missing > 0 {
            let what = format!("{} runs and models without a folder of files", self.missing);
            let why =
                "they may have had no files; if they had, import again and name the folder where these are";
            self.note(NoteKind::Changed, what, why);
        }
    }

    /// The whole of it.
    pub(super) fn end(self, source: String) -> TrackingMoved {
        let counts: Vec<_> = self.counts.into_values().collect();
        TrackingMoved {
            source,
            is_changed: counts.iter().any(|count| count.added > 0),
            counts,
            notes: self.notes,
            more_notes: self.more_notes,
        }
    }
}
