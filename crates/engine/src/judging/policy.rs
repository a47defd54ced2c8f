//! The policy of a project: what each alias asks of a version before it may have it. It is a text in
//! the project's repository, `policy.toml`, and every demand knows its line, so that a refusal can say
//! which one it is about.
//!
//! ```toml
//! format = 1
//!
//! [people]
//! ann = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
//!
//! [alias.production]
//! tests = true
//! approvals = 1
//! approvers = ["ann"]
//! card = ["intended_use", "limits"]
//! fresh_card = true
//! data_checks = true
//! metric = "auc"
//! min_gain = 0.0
//! ```

use std::collections::BTreeMap;

use base::{Code, Error, Progress, Result};
use data::checks::CheckResult;
use data::entries::{integer, json, line_of, refused, unknown};
use store::models::{self, ModelVersion};
use store::projects::Project;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::identity::check_person;
use super::tests::read_text;
use crate::Engine;
use crate::commands::models::{CheckStatus, GateCheck};
use crate::models::Picked;
use store::{Action, Digest};

/// The name of the file.
pub(crate) const FILE: &str = "policy.toml";
const FIELDS: [&str; 3] = ["format", "people", "alias"];
const DEMANDS: [&str; 8] =
    ["tests", "approvals", "approvers", "card", "fresh_card", "data_checks", "metric", "min_gain"];

/// What a project asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Policy {
    /// The public key of each person who may sign.
    pub(crate) people: BTreeMap<String, String>,
    /// What each alias asks.
    pub(crate) aliases: BTreeMap<String, Demands>,
}

/// Something that the text says, with its line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said<T> {
    pub(crate) value: T,
    pub(crate) line: usize,
}

/// What an alias asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Demands {
    /// The tests must have run as they are now, and pass.
    pub(crate) tests: Option<Said<bool>>,
    /// So many people must approve.
    pub(crate) approvals: Option<Said<u32>>,
    /// Whose approval counts; everybody's who has a key if none is named.
    pub(crate) approvers: Vec<String>,
    /// Sections of the card that must be filled in.
    pub(crate) card: Option<Said<Vec<String>>>,
    /// No claim of the card may be stale.
    pub(crate) fresh_card: Option<Said<bool>>,
    /// The checks of the data it was trained on must hold.
    pub(crate) data_checks: Option<Said<bool>>,
    /// The metric that must improve.
    pub(crate) metric: Option<Said<String>>,
    /// By so much over the version that has the alias.
    pub(crate) min_gain: Option<Said<f64>>,
}

impl Policy {
    /// Reads the text of a policy; an empty one asks nothing.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the line; [`Code::TooNew`] for a newer format.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = |at: Option<usize>, error: Error| refused(text, at, "the policy", error);
        let table = DeTable::parse(text).map_err(|e| {
            wrong(e.span().map(|span| span.start), Error::invalid(e.message().trim().to_owned()))
        })?;
        let table = table.get_ref();
        match table.get("format").and_then(|value| integer(value.get_ref())) {
            Some(1) => {}
            Some(newer @ 2..) => {
                return Err(Error::new(
                    Code::TooNew,
                    format!("the policy has format {newer}, this Fettle reads 1"),
                )
                .hint("update Fettle"));
            }
            _ => {
                return Err(
                    Error::invalid("the policy does not say its format").hint("begin it with `format = 1`")
                );
            }
        }
        let mut policy = Self::default();
        for (key, value) in table.iter() {
            let at = Some(key.span().start);
            match &**key.get_ref() {
                "format" => {}
                "people" => {
                    for (name, key) in table_of(value).ok_or_else(|| wrong(at, not_a_table("people")))? {
                        let (name, at) = (&**name.get_ref(), Some(name.span().start));
                        let key =
                            key.get_ref().as_str().filter(|key| super::seal::unhex::<32>(key).is_some());
                        let key = key.ok_or_else(|| {
                            let error = Error::invalid(format!("the key of `{name}` is not one"));
                            wrong(at, error.hint("copy it from `fettle identity show`"))
                        })?;
                        check_person(name).map_err(|e| wrong(at, e))?;
                        policy.people.insert(name.to_owned(), key.to_owned());
                    }
                }
                "alias" => {
                    for (alias, value) in table_of(value).ok_or_else(|| wrong(at, not_a_table("alias")))? {
                        let at = Some(alias.span().start);
                        let table = table_of(value).ok_or_else(|| wrong(at, not_a_table(alias.get_ref())))?;
                        policy.aliases.insert(alias.get_ref().to_string(), demands(text, table)?);
                    }
                }
                other => return Err(wrong(at, unknown(other, FIELDS.into_iter()))),
            }
        }
        policy.check_approvers(text)?;
        Ok(policy)
    }

    /// Fails for an approver without a key, and for more approvals than there are approvers.
    fn check_approvers(&self, text: &str) -> Result<()> {
        for demands in self.aliases.values() {
            let Some(approvals) = &demands.approvals else { continue };
            let wrong = |error: Error| {
                let start: usize = text.lines().take(approvals.line - 1).map(|line| line.len() + 1).sum();
                refused(text, Some(start), "the policy", error)
            };
            if let Some(stranger) = demands.approvers.iter().find(|person| !self.people.contains_key(*person))
            {
                let error = Error::invalid(format!("`{stranger}` has no key among `people`"));
                return Err(wrong(error.hint("add the key that `fettle identity show` prints there")));
            }
            let may = if demands.approvers.is_empty() { self.people.len() } else { demands.approvers.len() };
            if approvals.value as usize > may {
                let error =
                    Error::invalid(format!("{} approvals are asked of {may} people", approvals.value));
                return Err(wrong(error.hint("ask for fewer, or add people")));
            }
        }
        Ok(())
    }
}

fn table_of<'a, 'b>(value: &'a Spanned<DeValue<'b>>) -> Option<&'a DeTable<'b>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn not_a_table(name: &str) -> Error {
    Error::invalid(format!("`{name}` is not a table")).hint(format!("begin it with `[{name}]`"))
}

fn demands(text: &str, table: &DeTable<'_>) -> Result<Demands> {
    let mut demands = Demands::default();
    for (key, value) in table.iter() {
        let (name, line) = (&**key.get_ref(), line_of(text, key.span().start));
        let wrong = |error: Error| refused(text, Some(key.span().start), "the policy", error);
        let value = json(value.get_ref()).map_err(wrong)?;
        let misfit = |what: &str| wrong(Error::invalid(format!("`{name}` cannot be {value}")).hint(what));
        let truth = || value.as_bool().ok_or_else(|| misfit("write `true` or `false`"));
        let words = || -> Result<Vec<String>> {
            let list: Option<Vec<String>> = value
                .as_array()
                .and_then(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
            list.ok_or_else(|| misfit("write a list of texts, such as [\"ann\"]"))
        };
        match name {
            "tests" => demands.tests = Some(Said { value: truth()?, line }),
            "fresh_card" => demands.fresh_card = Some(Said { value: truth()?, line }),
            "data_checks" => demands.data_checks = Some(Said { value: truth()?, line }),
            "approvers" => demands.approvers = words()?,
            "card" => demands.card = Some(Said { value: words()?, line }),
            "approvals" => {
                let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
                demands.approvals =
                    Some(Said { value: count.ok_or_else(|| misfit("write a number"))?, line });
            }
            "metric" => {
                let metric = value.as_str().filter(|name| learn::metrics::metric_doc(name).is_some());
                let metric = metric.ok_or_else(|| misfit("write the name of a metric, such as \"auc\""))?;
                demands.metric = Some(Said { value: metric.to_owned(), line });
            }
            "min_gain" => {
                let gain = value.as_f64().ok_or_else(|| misfit("write a number"))?;
                demands.min_gain = Some(Said { value: gain, line });
            }
            other => return Err(wrong(unknown(other, DEMANDS.into_iter()))),
        }
    }
    Ok(demands)
}

impl Engine {
    /// The text of a project's policy; empty if it has none.
    pub(crate) fn policy_text(&self, project: &Project) -> Result<String> {
        read_text(&self.store().project_dir(&project.slug).join(FILE))
    }

    /// The policy of a project.
    pub(crate) fn policy(&self, project: &Project) -> Result<Policy> {
        Policy::parse(&self.policy_text(project)?)
    }

    /// Replaces a project's policy; an empty text asks nothing.
    pub(crate) fn set_policy(&self, project: &Project, text: &str) -> Result<()> {
        Policy::parse(text)?;
        let path = self.store().project_dir(&project.slug).join(FILE);
        self.write_project_file(project, &path, text)?;
        let hash = Digest::of(text.as_bytes()).to_hex();
        self.store().write(Action::new("policy.set", &project.slug).with("hash", hash), |w| {
            w.touch(store::Topic::Models);
            Ok(())
        })
    }

    /// What the policy asks for an alias, demand by demand.
    pub(crate) fn policy_checks(
        &self,
        project: &Project,
        picked: &Picked,
        alias: &str,
    ) -> Result<Vec<GateCheck>> {
        let policy = self.policy(project)?;
        let mut checks = Vec::new();
        // A forgery is named whatever is asked.
        let approvals = self.checked_approvals(picked, &policy)?;
        for forged in approvals.iter().filter(|one| one.forgery.is_some()) {
            checks.push(GateCheck {
                name: format!("the approval of `{}` is genuine", forged.person),
                status: CheckStatus::Failed,
                message: forged.forgery.clone().unwrap_or_default(),
            });
        }
        let Some(demands) = policy.aliases.get(alias) else { return Ok(checks) };
        if let Some(said) = demands.tests.as_ref().filter(|said| said.value) {
            checks.push(check(said.line, "tests", self.tests_hold(project, picked)?));
        }
        if let Some(said) = &demands.approvals {
            let counts = |one: &&super::approvals::Checked| {
                one.counts() && (demands.approvers.is_empty() || demands.approvers.contains(&one.person))
            };
            let who: Vec<&str> = approvals.iter().filter(counts).map(|one| one.person.as_str()).collect();
            let void = approvals.iter().filter_map(|one| Some((one.person.as_str(), one.void.as_deref()?)));
            let void: Vec<String> =
                void.map(|(person, why)| format!("that of `{person}` does not count: {why}")).collect();
            let needed = match said.value {
                1 => "1 approval is needed".to_owned(),
                many => format!("{many} approvals are needed"),
            };
            let mut message = match who.is_empty() {
                true => format!("nobody has approved it, {needed}"),
                false => format!("approved by `{}`, {needed}", who.join("`, `")),
            };
            if !void.is_empty() {
                message = format!("{message}; {}", void.join("; "));
            }
            let holds = who.len() >= said.value as usize;
            checks.push(check(said.line, "approvals", if holds { Ok(message) } else { Err(message) }));
        }
        if let Some(said) = &demands.card {
            let empty = self.empty_sections(project, picked, &said.value)?;
            let found = match empty.is_empty() {
                true => Ok(format!("{} are filled in", said.value.join(", "))),
                false => Err(format!("the card says nothing under {}", empty.join(", "))),
            };
            checks.push(check(said.line, "card", found));
        }
        if let Some(said) = demands.fresh_card.as_ref().filter(|said| said.value) {
            let stale = self.stale_claims(project, picked)?;
            let found = match stale.is_empty() {
                true => Ok("every number of the card is what it says".to_owned()),
                false => Err(stale.join("; ")),
            };
            checks.push(check(said.line, "fresh_card", found));
        }
        if let Some(said) = demands.data_checks.as_ref().filter(|said| said.value) {
            checks.push(check(said.line, "data_checks", self.data_holds(project, &picked.version)?));
        }
        if let Some(said) = &demands.min_gain {
            let found =
                self.gains(picked, alias, demands.metric.as_ref().map(|one| one.value.as_str()), said.value)?;
            checks.push(check(said.line, "min_gain", found));
        }
        Ok(checks)
    }

    fn tests_hold(&self, project: &Project, picked: &Picked) -> Result<Result<String, String>> {
        let text = self.tests_text(project, &picked.model.name)?;
        let name = format!("{}@{}", picked.model.name, picked.version.number);
        if text.trim().is_empty() {
            return Ok(Err(format!("model `{}` has no tests", picked.model.name)));
        }
        Ok(match self.last_test_report(&picked.version)? {
            None => Err(format!("the tests have not run: `fettle model test {name}`")),
            Some(report) if report.tests != Digest::of(text.as_bytes()).to_hex() => {
                Err(format!("the tests have changed since they ran: `fettle model test {name}`"))
            }
            Some(report) if report.package != picked.version.package.to_hex() => {
                Err("the tests ran on another package".to_owned())
            }
            Some(report) if report.is_passed => Ok(report.summary()),
            Some(report) => {
                let broken = report.results.iter().filter(|result| result.is_blocking());
                let broken: Vec<String> =
                    broken.map(|result| format!("{}: {}", result.title(), result.measured)).collect();
                Err(broken.join("; "))
            }
        })
    }

    fn data_holds(&self, project: &Project, version: &ModelVersion) -> Result<Result<String, String>> {
        let Some(id) = &version.dataset_version_id else {
            return Ok(Err("it is not known what data it was trained on".to_owned()));
        };
        let (dataset, learnt) = self.store().read(|db| {
            let version = store::datasets::version(db, id)?;
            Ok((store::datasets::get(db, &version.dataset_id)?, version))
        })?;
        let results = self.check_version(project, &dataset, &learnt, false, &Progress::silent())?;
        let broken: Vec<&CheckResult> = results.iter().filter(|result| result.is_blocking()).collect();
        let of = format!("{} v{}", dataset.name, learnt.number);
        Ok(match (results.is_empty(), broken.first()) {
            (true, _) => Err(format!("dataset `{}` has no checks", dataset.name)),
            (false, None) => Ok(format!("{} checks of {of} hold", results.len())),
            (false, Some(first)) => Err(format!("{of} breaks {}: {}", first.rule, first.measured)),
        })
    }

    fn gains(
        &self,
        picked: &Picked,
        alias: &str,
        metric: Option<&str>,
        least: f64,
    ) -> Result<Result<String, String>> {
        let found = self.store().read(|db| models::find_alias(db, &picked.model.id, alias))?;
        let Some(found) = found.filter(|found| found.number != picked.version.number) else {
            return Ok(Ok(format!("no other version is `{alias}`")));
        };
        let before = self.store().read(|db| models::version_numbered(db, &picked.model.id, found.number))?;
        let main = crate::models::main_metric(&picked.version.metrics).map(|(name, _, _)| name);
        let Some(name) = metric.or(main) else { return Ok(Err("it has no metrics".to_owned())) };
        let larger = learn::metrics::metric_doc(name).is_none_or(|metric| metric.larger_is_better);
        let (Some(now), Some(then)) = (picked.version.metrics[name].as_f64(), before.metrics[name].as_f64())
        else {
            return Ok(Err(format!("one of the versions has no {name}")));
        };
        let gain = if larger { now - then } else { then - now };
        let message = format!(
            "{name} gains {} over `{alias}` v{} ({} against {}), {} must",
            base::number(gain, 4),
            found.number,
            base::number(now, 5),
            base::number(then, 5),
            base::number(least, 4)
        );
        Ok(if gain >= least { Ok(message) } else { Err(message) })
    }
}

/// A demand of the policy as a check of the gate, with its line.
fn check(line: usize, name: &str, found: Result<String, String>) -> GateCheck {
    let (status, message) = match found {
        Ok(message) => (CheckStatus::Passed, message),
        Err(message) => (CheckStatus::Failed, message),
    };
    GateCheck { name: format!("{FILE} line {line}: {name}"), status, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn a_policy_knows_the_line_of_each_demand() {
        let text = format!(
            "format = 1\n[people]\nann = \"{KEY}\"\n\n[alias.production]\ntests = true\napprovals = 1\n\
             approvers = [\"ann\"]\ncard = [\"limits\"]\nmetric = \"auc\"\nmin_gain = 0.01\n"
        );
        let policy = Policy::parse(&text).expect("a good policy");
        let demands = &policy.aliases["production"];
        assert_eq!(demands.tests, Some(Said { value: true, line: 6 }));
        assert_eq!(demands.approvals, Some(Said { value: 1, line: 7 }));
        assert_eq!(demands.min_gain, Some(Said { value: 0.01, line: 11 }));
        assert_eq!(policy.people["ann"], KEY);
        assert_eq!(Policy::parse(" \n"), Ok(Policy::default()));
    }

    #[test]
    fn a_policy_that_cannot_hold_is_refused_with_its_line() {
        let cases = [
            ("tests = true\n", "does not say its format", ""),
            ("format = 2\n", "format 2", ""),
            ("format = 1\n[alias.production]\ntest = true\n", "line 3", "there is no field `test`"),
            ("format = 1\n[alias.production]\ntests = \"yes\"\n", "line 3", "`tests` cannot be"),
            (
                "format = 1\n[alias.production]\napprovals = 1\n",
                "line 3",
                "1 approvals are asked of 0 people",
            ),
            (
                "format = 1\n[alias.production]\napprovals = 1\napprovers = [\"eve\"]\n",
                "line 3",
                "`eve` has no key",
            ),
            ("format = 1\n[people]\nann = \"abc\"\n", "line 3", "the key of `ann` is not one"),
            ("format = 1\n[alias.production]\nmetric = \"aucc\"\n", "line 3", "`metric` cannot be"),
            ("format = 1\nalias = 3\n", "line 2", "`alias` is not a table"),
            ("format = 1\n[alias", "line 2", ""),
        ];
        for (text, first, second) in cases {
            let error = Policy::parse(text).expect_err(text);
            let said = format!("{} {}", error.message, error.causes.join(" "));
            assert!(said.contains(first) && said.contains(second), "{text}: {said}");
        }
    }
}
