//! Approvals: what a person signed about a version, and whether it still stands.

use std::collections::BTreeMap;

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::judgements::{self, Approval, NewApproval};
use store::{Action, canonical_json};

use super::identity::Identity;
use super::policy::Policy;
use super::seal::{Purpose, verify};
use super::tests::outcome_hash;
use crate::Engine;
use crate::models::Picked;

/// Whether somebody approves or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The version may move on.
    Approve,
    /// What the same person approved before does not count any more.
    Withdraw,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) format: u32,
    pub(crate) verdict: Verdict,
    pub(crate) model: String,
    pub(crate) version: u32,
    /// The hash of the package.
    pub(crate) package: String,
    /// The hash of which tests came to what.
    pub(crate) tests: String,
    pub(crate) note: String,
    pub(crate) person: String,
    /// When, ms since the epoch.
    pub(crate) at: i64,
}

/// A statement that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) person: String,
    pub(crate) key: String,
    /// What it says, as far as it can be read.
    pub(crate) statement: Option<Statement>,
    /// Why it was forged or altered; such a thing is never passed over.
    pub(crate) forgery: Option<String>,
    /// Why it does not count, though it is genuine.
    pub(crate) void: Option<String>,
}

impl Checked {
    /// True if it counts as an approval.
    pub(crate) fn counts(&self) -> bool {
        let approves = self.statement.as_ref().is_some_and(|said| said.verdict == Verdict::Approve);
        approves && self.forgery.is_none() && self.void.is_none()
    }
}

impl Engine {
    /// Signs that this user approves a version, or takes that back.
    pub(crate) fn sign_approval(&self, picked: &Picked, verdict: Verdict, note: &str) -> Result<Statement> {
        let identity = Identity::load()?;
        if note.chars().count() > 2_000 {
            return Err(Error::invalid("the note has more than 2,000 characters").hint("write a shorter one"));
        }
        let statement = Statement {
            format: 1,
            verdict,
            model: picked.model.name.clone(),
            version: picked.version.number,
            package: picked.version.package.to_hex(),
            tests: outcome_hash(self.last_test_report(&picked.version)?.as_ref()),
            note: note.to_owned(),
            person: identity.person.clone(),
            at: self.store().clock().now().as_ms(),
        };
        let text = canonical_json(&json!(statement));
        let new = NewApproval {
            person: identity.person.clone(),
            key: identity.key(),
            signature: identity.sign(Purpose::Approval, text.as_bytes()),
            statement: text,
        };
        let verb = match verdict {
            Verdict::Approve => "model.approve",
            Verdict::Withdraw => "model.withdraw",
        };
        let subject = format!("{} v{}", picked.model.name, picked.version.number);
        let action = Action::new(verb, subject).by(&identity.person);
        self.store().write(action, |w| judgements::add_approval(w, &picked.version.id, &new))?;
        Ok(statement)
    }

    /// Everything that people signed about a version, looked at, oldest first.
    pub(crate) fn checked_approvals(&self, picked: &Picked, policy: &Policy) -> Result<Vec<Checked>> {
        let all = self.store().read(|db| judgements::approvals(db, &picked.version.id))?;
        let tests = outcome_hash(self.last_test_report(&picked.version)?.as_ref());
        let about = About { package: picked.version.package.to_hex(), tests: Some(tests) };
        Ok(check_all(&all, &about, Some(&policy.people)))
    }
}

/// What approvals must be about.
pub(crate) struct About {
    pub(crate) package: String,
    /// None if it does not matter.
    pub(crate) tests: Option<String>,
}

/// Looks at every statement. A person's last word counts.
pub(crate) fn check_all(
    all: &[Approval],
    about: &About,
    people: Option<&BTreeMap<String, String>>,
) -> Vec<Checked> {
    let mut checked: Vec<Checked> = all.iter().map(|one| check(one, about, people)).collect();
    for at in 0..checked.len() {
        let person = checked[at].person.clone();
        let said_later =
            checked[at + 1..].iter().any(|later| later.person == person && later.forgery.is_none());
        if said_later && checked[at].forgery.is_none() && checked[at].void.is_none() {
            checked[at].void = Some(format!("`{person}` said something else later"));
        }
    }
    checked
}

fn check(one: &Approval, about: &About, people: Option<&BTreeMap<String, String>>) -> Checked {
    let statement: Option<Statement> = serde_json::from_str(&one.statement).ok();
    let mut checked = Checked {
        person: one.person.clone(),
        key: one.key.clone(),
        statement,
        forgery: verify(&one.key, Purpose::Approval, one.statement.as_bytes(), &one.signature)
            .err()
            .map(|error| error.message),
        void: None,
    };
    if checked.forgery.is_some() {
        return checked;
    }
    let Some(said) = &checked.statement else {
        checked.forgery = Some("what was signed is not an approval".to_owned());
        return checked;
    };
    let known = people.map(|people| people.get(&said.person));
    if said.person != one.person {
        checked.forgery =
            Some(format!("it is recorded for `{}` and was signed by `{}`", one.person, said.person));
    } else if said.package != about.package {
        checked.forgery = Some("it was signed for another package".to_owned());
    } else if let Some(Some(key)) = known
        && *key != one.key
    {
        checked.forgery = Some(format!("it was signed with a key that is not that of `{}`", said.person));
    } else if known == Some(None) {
        checked.void = Some(format!("`policy.toml` names no key of `{}`", said.person));
    } else if about.tests.as_ref().is_some_and(|tests| *tests != said.tests) {
        checked.void =
            Some("the tests have changed, or come to something else, since it was signed".to_owned());
    }
    checked
}
