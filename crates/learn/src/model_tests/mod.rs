//! Tests of models, written down as text: what must hold for a package before it moves on, how bad it
//! is if it does not, and the groups and rows that show it. [`TestFile`] is the file, [`run`] runs it
//! on labelled rows with the package itself, and [`report`] writes what came of it for people and for
//! programs. A new kind of test is one file in `kinds/` and one line in its list.

mod bootstrap;
mod file;
mod groups;
mod kind;
mod kinds;
pub mod report;
mod rows;
mod run;
mod suggest;

pub use file::{MAX_TESTS, Test, TestFile};
pub use groups::welch_between;
pub use kind::{Context, Declaration, EvidenceRow, Group};
pub use kinds::{declarations, params_schema, slices};
pub use rows::{Rows, losses};
pub use run::{TestResult, run};
pub use suggest::suggest;
