//! Quality checks of a table, written down as text: what must hold, how bad it is if it does not,
//! and which rows break it. [`CheckFile`] is the file, [`run`] runs it in one pass over the rows,
//! [`failing_rows`] shows the rows, and [`suggest`] writes a first file from a profile. A new kind
//! of check is one file in `kinds/` and one line in its list.

mod file;
mod kind;
mod kinds;
mod params;
mod run;
mod suggest;

pub use file::{Check, CheckFile, MAX_CHECKS, Severity};
pub use kind::{Context, Declaration};
pub use kinds::{declarations, params_schema};
pub use run::{CheckResult, Example, FailingRows, MAX_EXAMPLES, Outcome, failing_rows, run};
pub use suggest::suggest;

#[cfg(test)]
mod tests;
