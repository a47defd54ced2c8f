//! What a person sees, or a program reads: results on standard output, everything else on
//! standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use base::Error;
use engine::commands::jobs::JobView;
use engine::rpc::Failure;
use serde_json::Value;

/// Prints as the arguments ask for.
pub struct Printer {
    is_json: bool,
    is_quiet: bool,
    is_terminal: bool,
    last: Mutex<String>,
}

impl Printer {
    /// A printer of JSON or of text.
    pub fn new(is_json: bool, is_quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_json, is_quiet, is_terminal, last: Mutex::default() }
    }

    /// Prints a result: as it is for programs, by `text` for people.
    pub fn result(&self, value: &Value, text: impl FnOnce(&Value) -> String) {
        let printed = if self.is_json { value.to_string() } else { text(value) };
        let printed = printed.trim_end();
        if !printed.is_empty() {
            // A reader that went away, such as `head`, has seen enough.
            let _ = writeln!(std::io::stdout(), "{printed}");
        }
    }

    /// True when standard output is for one JSON object.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// A remark for people.
    pub fn note(&self, text: &str) {
        if !self.is_quiet {
            eprintln!("{text}");
        }
    }

    /// An error: one JSON object on standard error for programs.
    pub fn error(&self, error: &Error) {
        if self.is_json {
            let failure = serde_json::to_string(&Failure::from(error.clone()));
            eprintln!("{}", failure.unwrap_or_else(|_| error.to_string()));
            return;
        }
        eprintln!("error: {}", error.message);
        for cause in &error.causes {
            eprintln!("  because: {cause}");
        }
        if let Some(hint) = &error.hint {
            eprintln!("  what to do: {hint}");
        }
    }

    /// How far a job is: one line that is written over in a terminal, a line a stage elsewhere.
    pub fn progress(&self, job: &JobView) {
        if self.is_quiet {
            return;
        }
        let stage = job.stage.clone().unwrap_or_else(|| "waiting".to_owned());
        let share = match job.total {
            Some(total) if total > 0 && self.is_terminal => {
                format!(" {}%", job.done.saturating_mul(100) / total)
            }
            _ => String::new(),
        };
        let line = format!("{}: {stage}{share}", job.title);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last == line {
            return;
        }
        if self.is_terminal {
            eprint!("\r\x1b[2K{line}");
        } else {
            eprintln!("{line}");
        }
        *last = line;
    }

    /// The job that was shown has ended.
    pub fn progress_done(&self) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.is_terminal && !last.is_empty() {
            eprint!("\r\x1b[2K");
        }
        last.clear();
    }
}

/// A table with aligned columns: a heading and rows of cells.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..heading.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain([heading[at].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heading.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [vec!["é".to_owned(), "1".to_owned()], vec!["long".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["a", "b"], &rows), "a     b\né     1\nlong  2");
    }
}
