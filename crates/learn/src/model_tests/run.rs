//! Runs tests one after the other. One that cannot be run says why and does not keep the others from
//! running; it never counts as passed.

use std::time::Instant;

use base::{Code, Error, Progress, Result};
use data::checks::{Outcome, Severity};
use serde::{Deserialize, Serialize};

use super::file::{Test, TestFile};
use super::kind::{Context, EvidenceRow, Group};

/// The most groups of a result.
const MAX_GROUPS: usize = 50;
/// The most rows of a result.
const MAX_ROWS: usize = 20;

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// The kind of the test.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must hold, in words.
    pub rule: String,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What was found, in a sentence.
    pub measured: String,
    /// The groups that were looked at, worst first, 50 at most.
    pub groups: Vec<Group>,
    /// Some rows that break it, 20 at most.
    pub rows: Vec<EvidenceRow>,
    /// Why it could not be run.
    pub error: Option<Error>,
    /// How long it took.
    pub duration_ms: u64,
}

impl TestResult {
    /// True if it says that the model must not move on.
    pub fn is_blocking(&self) -> bool {
        self.severity == Severity::Error && self.outcome != Outcome::Passed
    }

    /// What it is called: its name, or what must hold.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.rule)
    }
}

/// Runs every test of a file. The results are in its order.
///
/// # Errors
/// [`Code::Cancelled`] only. What is wrong with one test is in its result.
pub fn run(file: &TestFile, context: &Context<'_>, progress: &Progress) -> Result<Vec<TestResult>> {
    let mut results = Vec::with_capacity(file.tests.len());
    for (at, test) in file.tests.iter().enumerate() {
        progress.step("testing", at as u64, Some(file.tests.len() as u64))?;
        results.push(one(test, context, progress)?);
    }
    Ok(results)
}

fn one(test: &Test, context: &Context<'_>, progress: &Progress) -> Result<TestResult> {
    let started = Instant::now();
    let mut result = TestResult {
        kind: test.kind().to_owned(),
        name: test.name.clone(),
        rule: test.rule(),
        severity: test.severity,
        outcome: Outcome::Error,
        measured: String::new(),
        groups: Vec::new(),
        rows: Vec::new(),
        error: None,
        duration_ms: 0,
    };
    match test.declared().judge(test.params(), context, progress) {
        Ok(finding) => {
            result.outcome = if finding.is_passed { Outcome::Passed } else { Outcome::Failed };
            result.measured = finding.measured;
            result.groups = finding.groups;
            result.groups.truncate(MAX_GROUPS);
            result.rows = finding.rows;
            result.rows.truncate(MAX_ROWS);
        }
        Err(error) if error.code == Code::Cancelled => return Err(error),
        Err(error) => {
            result.measured = format!("it could not be run: {}", error.message);
            result.error = Some(error);
        }
    }
    result.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(result)
}
