//! What came of the tests of model versions, and what people signed about them. Rows are only added:
//! who withdraws an approval signs that as well.

use base::{Result, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{Digest, models, sql};

/// One run of the tests of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRun {
    /// The version.
    pub version_id: VersionId,
    /// Its place in the order of all writes.
    pub sequence: i64,
    /// The hash of the file of tests.
    pub tests: Digest,
    /// True if nothing keeps the version from moving on.
    pub is_passed: bool,
    /// What came of each test.
    pub report: Value,
    /// When.
    pub at: Timestamp,
}

/// Something that a person signed about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The version.
    pub version_id: VersionId,
    /// Its place in the order of all writes.
    pub sequence: i64,
    /// Who says to have signed it; the signature proves it.
    pub person: String,
    /// The statement as it was signed, to the byte.
    pub statement: String,
    /// The public key.
    pub key: String,
    /// The signature.
    pub signature: String,
    /// When it was recorded.
    pub at: Timestamp,
}

/// A signed statement that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApproval {
    /// Who signed it.
    pub person: String,
    /// The statement as it was signed.
    pub statement: String,
    /// The public key.
    pub key: String,
    /// The signature.
    pub signature: String,
}

const TEST_RUN: &str = "version_id, sequence, tests, is_passed, report, at_ms";
const APPROVAL: &str = "version_id, sequence, person, statement, key, signature, at_ms";

impl TestRun {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            version_id: sql::parsed(row, "version_id")?,
            sequence: row.get("sequence")?,
            tests: row.get("tests")?,
            is_passed: row.get("is_passed")?,
            report: sql::json(row, "report")?,
            at: sql::time(row, "at_ms")?,
        })
    }
}

impl Approval {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            version_id: sql::parsed(row, "version_id")?,
            sequence: row.get("sequence")?,
            person: row.get("person")?,
            statement: row.get("statement")?,
            key: row.get("key")?,
            signature: row.get("signature")?,
            at: sql::time(row, "at_ms")?,
        })
    }
}

/// Records a run of the tests of a version.
///
/// # Errors
/// `NotFound` for an unknown version.
pub fn add_test_run(
    w: &mut Write<'_>,
    version_id: &VersionId,
    tests: Digest,
    is_passed: bool,
    report: &Value,
) -> Result<()> {
    models::version(w, version_id)?;
    let sequence = w.sequence();
    sql::change(
        w,
        "insert into model_tests (version_id, sequence, tests, is_passed, report, at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        (version_id.as_str(), sequence, tests, is_passed, sql::to_json(report), w.now().as_ms()),
    )?;
    w.detail("passed", is_passed);
    publish(w, "model_tests", "model_test", version_id);
    Ok(())
}

/// Records something that a person signed about a version. Whether the signature is right is for
/// whoever asks.
///
/// # Errors
/// `NotFound` for an unknown version.
pub fn add_approval(w: &mut Write<'_>, version_id: &VersionId, new: &NewApproval) -> Result<()> {
    models::version(w, version_id)?;
    let sequence = w.sequence();
    sql::change(
        w,
        "insert into approvals (version_id, sequence, person, statement, key, signature, at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            version_id.as_str(),
            sequence,
            &new.person,
            &new.statement,
            &new.key,
            &new.signature,
            w.now().as_ms(),
        ),
    )?;
    w.detail("person", new.person.as_str());
    publish(w, "approvals", "approval", version_id);
    Ok(())
}

/// The newest run of the tests of a version.
///
/// # Errors
/// When the workspace cannot be read.
pub fn last_test_run(db: &Connection, version_id: &VersionId) -> Result<Option<TestRun>> {
    let query =
        format!("select {TEST_RUN} from model_tests where version_id = ?1 order by sequence desc limit 1");
    sql::first(db, &query, [version_id.as_str()], TestRun::read)
}

/// Every run of the tests of a version, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn test_runs(db: &Connection, version_id: &VersionId) -> Result<Vec<TestRun>> {
    let query = format!("select {TEST_RUN} from model_tests where version_id = ?1 order by sequence desc");
    sql::many(db, &query, [version_id.as_str()], TestRun::read)
}

/// Everything that people signed about a version, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn approvals(db: &Connection, version_id: &VersionId) -> Result<Vec<Approval>> {
    let query = format!("select {APPROVAL} from approvals where version_id = ?1 order by sequence");
    sql::many(db, &query, [version_id.as_str()], Approval::read)
}

/// Hands out the row that this write made, under a subject of its own.
fn publish(w: &mut Write<'_>, table: &'static str, kind: &'static str, version_id: &VersionId) {
    let sequence = w.sequence().to_string();
    w.touch(Topic::Models);
    let subject = format!("{version_id}/{sequence}");
    let condition = "version_id = ?1 and sequence = ?2";
    w.publish(Publication::new(kind, subject).rows(table, condition, &[version_id.as_str(), &sequence]));
}
