//! Judging models: tests, explanations, policy, approvals, card and passport.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::{Code, Error, Result};
use data::checks::{Outcome, Severity};
use learn::model_tests::report::{self, TestReport};
use learn::model_tests::{TestFile, TestResult};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::{InProject, reply};
use super::jobs::JobRef;
use super::models::ModelVersionPick;
use super::quality::CheckOutcome;
use super::workspaces::Nothing;
use crate::Engine;
use crate::jobs::Title;
use crate::judging::approvals::{Checked, Verdict};
use crate::judging::card::{Claim, sections};
use crate::judging::identity::Identity;
use crate::judging::passport::{self, PassportCheck};
use crate::models::Picked;

/// The tests of a model.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestsView {
    /// The file `models/<name>.tests.toml`, as TOML; empty if there is none.
    pub text: String,
    /// What must hold, test by test.
    pub rules: Vec<String>,
    /// What came of them for the version when they last ran.
    pub last: Option<TestReportView>,
    /// True if the file has changed since.
    pub is_changed: bool,
    /// What a careful person would test, as such a file; empty if the version keeps no rows.
    pub suggested: String,
    /// Every kind of test there is.
    pub kinds: Vec<TestKindView>,
}

/// A kind of test.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestKindView {
    /// Its name in the file.
    pub kind: String,
    /// Its name for people.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// More, as Markdown.
    pub doc: String,
    /// Its entry in a file, without the line `[[test]]`.
    pub example: String,
}

/// What came of the tests of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestReportView {
    /// The model.
    pub model: String,
    /// The version.
    pub version: u32,
    /// True if nothing keeps the version from moving on.
    pub is_passed: bool,
    /// What came of it, in a sentence.
    pub summary: String,
    /// The rows that were tested on, in words.
    pub rows_of: String,
    /// How many.
    pub rows: u64,
    /// The champion that it was compared with.
    pub champion: Option<String>,
    /// When, ms since the epoch.
    pub at: i64,
    /// In the order of the file.
    pub results: Vec<TestResultView>,
    /// The whole report as text, if a format was asked for.
    pub text: Option<String>,
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestResultView {
    /// Its kind.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must hold, in words.
    pub rule: String,
    /// True if a version that fails it must not move on.
    pub is_error: bool,
    /// Whether it holds.
    pub outcome: CheckOutcome,
    /// What was found, in a sentence.
    pub measured: String,
    /// The groups that were looked at, worst first.
    pub groups: Vec<TestGroup>,
    /// Some rows that break it.
    pub rows: Vec<TestRow>,
    /// How long it took.
    pub duration_ms: u64,
}

/// A group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestGroup {
    /// What its rows have in common.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// What was measured.
    pub measure: String,
    /// The value.
    pub value: f64,
    /// True if it is this group that breaks the test.
    pub is_broken: bool,
}

/// A row that breaks a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestRow {
    /// Its number among the rows of the test, from 0.
    pub row: u64,
    /// What there is to see, by name.
    pub cells: Vec<(String, String)>,
}

/// Replaces the tests of a model.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelText {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The text; empty to take the file away.
    pub text: String,
}

/// Runs the tests of a version.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelTest {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// Tests to run instead of the project's, as TOML.
    #[serde(default)]
    pub suite: Option<String>,
    /// `html`, `md`, `xml` or `json`, to have the report as text too.
    #[serde(default)]
    pub format: Option<String>,
}

/// Writes what came of the tests of a version when they last ran.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelTestReport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The file to write; its end says how: `.html`, `.md`, `.xml` or `.json`.
    pub to: String,
}

/// Signs an approval, or takes one back.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelApprove {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// What somebody signed about a version.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    /// Who.
    pub person: String,
    /// With which key.
    pub key: String,
    /// True for an approval, false for one that is taken back.
    pub is_approval: bool,
    /// Why.
    pub note: String,
    /// When, ms since the epoch.
    pub at: i64,
    /// True if it counts.
    pub counts: bool,
    /// True if it was forged or altered.
    pub is_forged: bool,
    /// Why it does not count.
    pub trouble: Option<String>,
}

/// Who signs on this machine.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
    /// The name.
    pub person: String,
    /// The public key, for `policy.toml`.
    pub key: String,
}

/// Makes a key.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityNew {
    /// The name of the person.
    pub person: String,
}

/// The policy of a project.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// The file `policy.toml`; empty if there is none.
    pub text: String,
    /// The public key of each person who may sign.
    pub people: BTreeMap<String, String>,
    /// Aliases that ask for something.
    pub aliases: Vec<String>,
}

/// Replaces the policy of a project.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySet {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The text; empty to ask for nothing.
    pub text: String,
}

/// The card of a model, asked again.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CardView {
    /// The file `cards/<model>.md`; empty if there is none.
    pub text: String,
    /// A first card with every number filled in.
    pub draft: String,
    /// Every number of the card.
    pub claims: Vec<ClaimView>,
    /// True if a claim is no longer true.
    pub is_stale: bool,
    /// Its sections.
    pub sections: Vec<SectionView>,
}

/// A number of a card.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClaimView {
    /// The line of the file.
    pub line: u32,
    /// What is asked.
    pub query: String,
    /// What the card says.
    pub said: String,
    /// What is true now.
    pub now: Option<String>,
    /// True if the two differ.
    pub is_stale: bool,
}

/// A section of a card.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SectionView {
    /// Its heading.
    pub title: String,
    /// The name under which a policy asks for it.
    pub field: String,
    /// True if somebody wrote something under it.
    pub is_filled: bool,
}

/// Writes the passport of a version.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelPassport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The file to write; it must not exist.
    pub to: String,
}

/// Names a passport file.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassportPick {
    /// The file.
    pub path: String,
}

/// Whether the audit log is what was written.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerified {
    /// Rows of the log.
    pub rows: u64,
    /// True if every row is what was written.
    pub is_whole: bool,
    /// Rows that are not, in words.
    pub troubles: Vec<String>,
}

impl From<TestReport> for TestReportView {
    fn from(report: TestReport) -> Self {
        Self {
            summary: report.summary(),
            model: report.model,
            version: report.version,
            is_passed: report.is_passed,
            rows_of: report.rows_of,
            rows: report.rows,
            champion: report.champion,
            at: report.at,
            results: report.results.into_iter().map(Into::into).collect(),
            text: None,
        }
    }
}

impl From<TestResult> for TestResultView {
    fn from(result: TestResult) -> Self {
        let group = |group: learn::model_tests::Group| TestGroup {
            name: group.name,
            rows: group.rows,
            measure: group.measure,
            value: group.value,
            is_broken: group.is_broken,
        };
        Self {
            is_error: result.severity == Severity::Error,
            outcome: match result.outcome {
                Outcome::Passed => CheckOutcome::Passed,
                Outcome::Failed => CheckOutcome::Failed,
                Outcome::Error => CheckOutcome::Error,
            },
            kind: result.kind,
            name: result.name,
            rule: result.rule,
            measured: result.measured,
            groups: result.groups.into_iter().map(group).collect(),
            rows: result.rows.into_iter().map(|row| TestRow { row: row.row, cells: row.cells }).collect(),
            duration_ms: result.duration_ms,
        }
    }
}

impl From<Checked> for ApprovalView {
    fn from(checked: Checked) -> Self {
        let said = checked.statement.as_ref();
        Self {
            counts: checked.counts(),
            is_approval: said.is_some_and(|said| said.verdict == Verdict::Approve),
            note: said.map(|said| said.note.clone()).unwrap_or_default(),
            at: said.map_or(0, |said| said.at),
            is_forged: checked.forgery.is_some(),
            trouble: checked.forgery.or(checked.void),
            person: checked.person,
            key: checked.key,
        }
    }
}

impl From<Claim> for ClaimView {
    fn from(claim: Claim) -> Self {
        Self {
            is_stale: claim.is_stale(),
            line: claim.line as u32,
            query: claim.query,
            said: claim.said,
            now: claim.now,
        }
    }
}

pub(super) fn title<'a>(kind: &'a str, doing: &str, picked: &Picked) -> Title<'a> {
    let subject = json!({ "model": picked.model.name, "version": picked.version.number });
    Title { kind, title: format!("{doing} {} v{}", picked.model.name, picked.version.number), subject }
}

pub(super) fn tests(engine: &Engine, request: ModelVersionPick) -> Result<TestsView> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let text = engine.tests_text(&project, &picked.model.name)?;
    let file = if text.trim().is_empty() { TestFile::default() } else { TestFile::parse(&text)? };
    let last = engine.last_test_report(&picked.version)?;
    let hash = store::Digest::of(text.as_bytes()).to_hex();
    Ok(TestsView {
        rules: file.tests.iter().map(learn::model_tests::Test::rule).collect(),
        is_changed: last.as_ref().is_some_and(|last| last.tests != hash),
        last: last.map(Into::into),
        suggested: engine.suggested_tests(&picked)?,
        kinds: learn::model_tests::declarations().into_iter().map(kind_view).collect(),
        text,
    })
}

fn kind_view(said: learn::model_tests::Declaration) -> TestKindView {
    TestKindView {
        kind: said.kind.to_owned(),
        title: said.title.to_owned(),
        summary: said.summary.to_owned(),
        doc: said.doc.to_owned(),
        example: said.example.to_owned(),
    }
}

pub(super) fn set_tests(engine: &Engine, request: ModelText) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.set_tests(&project, &engine.model(&project, &request.model)?.name, &request.text)
}

pub(super) fn test(engine: &Engine, request: ModelTest) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let write = request.format.as_deref().map(writer).transpose()?;
    let title = title("model.test", "Testing", &picked);
    let job = engine.start_job(&title, move |engine, progress| {
        let report = engine.test_version(&project, &picked, request.suite.as_deref(), progress)?;
        let text = write.map(|write| write(&report));
        reply(TestReportView { text, ..report.into() })
    })?;
    Ok(job.into())
}

/// What makes a report a text of this format.
fn writer(format: &str) -> Result<fn(&TestReport) -> String> {
    Ok(match format {
        "html" => report::html,
        "md" => report::markdown,
        "xml" => report::junit,
        "json" => |report| json!(report).to_string(),
        other => {
            return Err(Error::invalid(format!("there is no report `{other}`"))
                .hint("the formats are html, md, xml and json"));
        }
    })
}

pub(super) fn write_report(engine: &Engine, request: ModelTestReport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let to = PathBuf::from(request.to);
    let write = writer(&to.extension().unwrap_or_default().to_string_lossy().to_lowercase())?;
    let title = title("model.test_report", "Writing the report of tests of", &picked);
    let job = engine.start_job(&title, move |engine, _| {
        let report = engine.last_test_report(&picked.version)?.ok_or_else(|| {
            Error::not_found(format!(
                "the tests of {} v{} have not run",
                picked.model.name, picked.version.number
            ))
            .hint("run them first")
        })?;
        store::files::write_atomic(&to, write(&report).as_bytes())?;
        reply(json!({ "path": to }))
    })?;
    Ok(job.into())
}

pub(super) fn approvals(engine: &Engine, request: ModelVersionPick) -> Result<Vec<ApprovalView>> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let all = engine.checked_approvals(&picked, &engine.policy(&project)?)?;
    Ok(all.into_iter().map(Into::into).collect())
}

pub(super) fn approve(engine: &Engine, request: ModelApprove) -> Result<Vec<ApprovalView>> {
    sign(engine, request, Verdict::Approve)
}

pub(super) fn withdraw(engine: &Engine, request: ModelApprove) -> Result<Vec<ApprovalView>> {
    sign(engine, request, Verdict::Withdraw)
}

fn sign(engine: &Engine, request: ModelApprove, verdict: Verdict) -> Result<Vec<ApprovalView>> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    engine.sign_approval(&picked, verdict, request.note.as_deref().unwrap_or_default())?;
    let all = engine.checked_approvals(&picked, &engine.policy(&project)?)?;
    Ok(all.into_iter().map(Into::into).collect())
}

pub(super) fn identity(_engine: &Engine, _request: Nothing) -> Result<Option<IdentityView>> {
    match Identity::load() {
        Ok(found) => Ok(Some(IdentityView { key: found.key(), person: found.person })),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn new_identity(_engine: &Engine, request: IdentityNew) -> Result<IdentityView> {
    let made = Identity::make(&request.person)?;
    Ok(IdentityView { key: made.key(), person: made.person })
}

pub(super) fn policy(engine: &Engine, request: InProject) -> Result<PolicyView> {
    let project = engine.project(request.project.as_deref())?;
    let policy = engine.policy(&project)?;
    let text = engine.policy_text(&project)?;
    Ok(PolicyView { text, people: policy.people, aliases: policy.aliases.into_keys().collect() })
}

pub(super) fn set_policy(engine: &Engine, request: PolicySet) -> Result<()> {
    engine.set_policy(&engine.project(request.project.as_deref())?, &request.text)
}

pub(super) fn card(engine: &Engine, request: ModelVersionPick) -> Result<CardView> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let text = engine.card_text(&project, &picked.model.name)?;
    let claims: Vec<ClaimView> = engine.card_claims(&picked, &text)?.into_iter().map(Into::into).collect();
    let section = |one: crate::judging::card::Section| SectionView {
        title: one.title,
        field: one.field,
        is_filled: one.is_filled,
    };
    Ok(CardView {
        draft: engine.card_draft(&picked)?,
        is_stale: claims.iter().any(|claim| claim.is_stale),
        claims,
        sections: sections(&text).into_iter().map(section).collect(),
        text,
    })
}

pub(super) fn set_card(engine: &Engine, request: ModelText) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.set_card(&project, &engine.model(&project, &request.model)?.name, &request.text)
}

pub(super) fn write_passport(engine: &Engine, request: ModelPassport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let to = PathBuf::from(request.to);
    if to.exists() {
        return Err(Error::new(Code::AlreadyExists, format!("`{}` is there already", to.display()))
            .hint("choose another name"));
    }
    let title = title("model.passport", "Writing the passport of", &picked);
    Ok(engine.start_job(&title, move |engine, _| engine.write_passport(&project, &picked, &to))?.into())
}

pub(super) fn verify_passport(_engine: &Engine, request: PassportPick) -> Result<PassportCheck> {
    passport::verify(std::path::Path::new(&request.path))
}

pub(super) fn verify_audit(engine: &Engine, _request: Nothing) -> Result<AuditVerified> {
    let (rows, troubles) =
        engine.store().read(|db| Ok((store::audit::count(db)?, store::audit::verify(db)?)))?;
    let troubles: Vec<String> = troubles.into_iter().map(|trouble| trouble.message).collect();
    Ok(AuditVerified { rows, is_whole: troubles.is_empty(), troubles })
}
