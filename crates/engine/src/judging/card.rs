//! The executable model card: a Markdown text in the project, `cards/<model>.md`, in which every number
//! is a query and its answer, such as `{{metric.auc = 0.991}}`. On opening, every query is asked again,
//! and a claim that is no longer true is flagged with its line.

use std::path::PathBuf;

use base::{Error, Result};
use store::models;
use store::projects::Project;
use store::{Action, Topic};

use super::tests::{card_of, read_text};
use crate::Engine;
use crate::models::Picked;

const FOLDER: &str = "cards";
/// More claims than this are refused: each is a question to the workspace.
const MOST_CLAIMS: usize = 1_000;

/// A number of the card: what is asked, what the card says, and what is true now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) line: usize,
    pub(crate) query: String,
    pub(crate) said: String,
    /// None if there is no such thing.
    pub(crate) now: Option<String>,
}

impl Claim {
    /// True unless it says what is true now, to the digits that it gives.
    pub(crate) fn is_stale(&self) -> bool {
        self.now.as_ref().is_none_or(|now| !is_same(&self.said, now))
    }
}

/// A section of the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading.
    pub(crate) title: String,
    /// The name under which a policy asks for it.
    pub(crate) field: String,
    /// True if somebody wrote something under it.
    pub(crate) is_filled: bool,
}

impl Engine {
    fn card_path(&self, project: &Project, model: &str) -> PathBuf {
        self.store().project_dir(&project.slug).join(FOLDER).join(format!("{model}.md"))
    }

    /// The text of a model's card; empty if it has none.
    pub(crate) fn card_text(&self, project: &Project, model: &str) -> Result<String> {
        read_text(&self.card_path(project, model))
    }

    /// Replaces a model's card.
    pub(crate) fn set_card(&self, project: &Project, model: &str, text: &str) -> Result<()> {
        claims(text)?;
        self.write_project_file(project, &self.card_path(project, model), text)?;
        self.store().write(Action::new("model.set_card", model), |w| {
            w.touch(Topic::Models);
            Ok(())
        })
    }

    /// Every claim of a card, asked again about a version.
    pub(crate) fn card_claims(&self, picked: &Picked, text: &str) -> Result<Vec<Claim>> {
        let mut found = claims(text)?;
        for claim in &mut found {
            claim.now = self.ask(picked, &claim.query)?;
        }
        Ok(found)
    }

    /// The claims that are not true of a version, in words.
    pub(crate) fn stale_claims(&self, project: &Project, picked: &Picked) -> Result<Vec<String>> {
        let text = self.card_text(project, &picked.model.name)?;
        if text.trim().is_empty() {
            return Ok(vec![format!("model `{}` has no card", picked.model.name)]);
        }
        let stale = self.card_claims(picked, &text)?.into_iter().filter(Claim::is_stale);
        let words = |claim: Claim| {
            let now = claim.now.unwrap_or_else(|| "unknown".to_owned());
            format!("line {} says {} = {}, which is {now}", claim.line, claim.query, claim.said)
        };
        Ok(stale.map(words).collect())
    }

    /// The sections among these that say nothing, or are not there.
    pub(crate) fn empty_sections(
        &self,
        project: &Project,
        picked: &Picked,
        fields: &[String],
    ) -> Result<Vec<String>> {
        let sections = sections(&self.card_text(project, &picked.model.name)?);
        let is_filled =
            |field: &str| sections.iter().any(|section| section.field == field && section.is_filled);
        Ok(fields.iter().filter(|field| !is_filled(field)).cloned().collect())
    }

    /// The answer to a query about a version; none if there is no such thing.
    fn ask(&self, picked: &Picked, query: &str) -> Result<Option<String>> {
        let version = &picked.version;
        let (noun, rest) = query.split_once('.').unwrap_or((query, ""));
        Ok(match (noun, rest) {
            ("version", "") => Some(version.number.to_string()),
            ("package", "") => Some(version.package.short()),
            ("size_bytes", "") => Some(version.package_bytes.to_string()),
            ("metric", name) => version.metrics[name].as_f64().map(|value| base::number(value, 12)),
            ("parity", "rows") => version.parity.as_ref().map(|parity| parity["rows"].to_string()),
            ("parity", "difference") => version
                .parity
                .as_ref()
                .and_then(|parity| parity["maxAbsDiff"].as_f64())
                .map(|d| base::number(d, 12)),
            ("alias", name) => self
                .store()
                .read(|db| models::find_alias(db, &picked.model.id, name))?
                .map(|alias| alias.number.to_string()),
            ("inputs" | "outputs" | "task" | "target" | "trainer" | "feature", _) => {
                self.ask_card(picked, noun, rest)?
            }
            ("data", rest) => self.ask_data(picked, rest)?,
            ("tests", rest) => self.last_test_report(version)?.and_then(|report| {
                let passed = report.results.iter().filter(|one| one.outcome == data::checks::Outcome::Passed);
                match rest {
                    "passed" => Some(passed.count().to_string()),
                    "all" => Some(report.results.len().to_string()),
                    "rows" => Some(report.rows.to_string()),
                    name => report
                        .results
                        .iter()
                        .find(|one| one.kind == name || one.name.as_deref() == Some(name))
                        .map(|one| one.measured.clone()),
                }
            }),
            _ => None,
        })
    }

    fn ask_card(&self, picked: &Picked, noun: &str, rest: &str) -> Result<Option<String>> {
        let package = self.package(&picked.version)?;
        let card = card_of(&package)?;
        Ok(match (noun, rest) {
            ("inputs", "") => Some(card.signature.inputs.len().to_string()),
            ("outputs", "") => Some(card.signature.outputs.len().to_string()),
            ("task", "") => {
                serde_json::to_value(card.task).ok().and_then(|task| Some(task.as_str()?.to_owned()))
            }
            ("target", "") => Some(card.target.clone()),
            ("trainer", "") => Some(card.trainer.kind.clone()),
            ("feature", place) => {
                let place: usize = place.parse().unwrap_or(0);
                place.checked_sub(1).and_then(|at| Some(card.importance.get(at)?.feature.clone()))
            }
            _ => None,
        })
    }

    fn ask_data(&self, picked: &Picked, rest: &str) -> Result<Option<String>> {
        let Some(id) = &picked.version.dataset_version_id else { return Ok(None) };
        let (dataset, version) = self.store().read(|db| {
            let version = store::datasets::version(db, id)?;
            Ok((store::datasets::get(db, &version.dataset_id)?, version))
        })?;
        Ok(match rest {
            "name" => Some(dataset.name),
            "version" => Some(version.number.to_string()),
            "rows" => Some(version.rows.to_string()),
            "columns" => Some(version.columns.to_string()),
            "rejected_rows" => Some(version.rejected_rows.to_string()),
            "content" => Some(version.content.short()),
            _ => None,
        })
    }

    /// A first card for a version, with every number filled in and a place for all that only people know.
    pub(crate) fn card_draft(&self, picked: &Picked) -> Result<String> {
        let mut text = TEMPLATE.replace("{model}", &picked.model.name);
        let metrics = picked.version.metrics.as_object().into_iter().flatten();
        let metrics: String = metrics.map(|(name, _)| format!("- {name}: {{{{metric.{name}}}}}\n")).collect();
        text = text.replace("{metrics}\n", &metrics);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((query, behind)) = after.split_once("}}") else { break };
            out.push_str(before);
            match self.ask(picked, query.trim())? {
                Some(now) => out.push_str(&format!("{{{{{} = {}}}}}", query.trim(), shown(&now))),
                None => out.push_str("unknown"),
            }
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// A number to five digits; a text as it is.
fn shown(now: &str) -> String {
    match now.parse::<f64>() {
        Ok(number) if now.contains('.') || now.contains('e') => base::number(number, 5),
        _ => now.replace("}}", ""),
    }
}

/// True if both are the same text, or the same number to the digits that the first one gives.
fn is_same(said: &str, now: &str) -> bool {
    if said == now {
        return true;
    }
    let (Ok(told), Ok(is)) = (said.parse::<f64>(), now.parse::<f64>()) else { return false };
    let (digits, exponent) = said.split_once(['e', 'E']).unwrap_or((said, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let unit = 10_f64.powi(exponent.parse::<i32>().unwrap_or(0).clamp(-400, 400) - decimals);
    (told - is).abs() <= unit * 0.500_001
}

/// The claims of a card as it is written.
///
/// # Errors
/// [`base::Code::InvalidInput`] with the line of one that is not closed or says nothing.
fn claims(text: &str) -> Result<Vec<Claim>> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: &str| {
            Error::invalid(format!("the card cannot be read at line {}: {what}", at + 1))
                .hint("write a claim such as `{{metric.auc = 0.991}}`")
        };
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or_else(|| wrong("a claim is not closed"))?;
            let (query, said) =
                inside.split_once('=').ok_or_else(|| wrong("a claim does not say its value"))?;
            let claim = Claim {
                line: at + 1,
                query: query.trim().to_owned(),
                said: said.trim().to_owned(),
                now: None,
            };
            found.push(claim);
            rest = behind;
        }
    }
    if found.len() > MOST_CLAIMS {
        return Err(Error::invalid(format!("the card makes {} claims", found.len()))
            .hint(format!("{MOST_CLAIMS} is the most")));
    }
    Ok(found)
}

/// The sections of a card. One is filled in if something stands under its heading, or under a heading
/// below it, that is neither empty nor a comment.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<(usize, Section)> = Vec::new();
    let mut is_comment = false;
    for line in text.lines() {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if !is_comment && level > 0 && line[level..].starts_with(' ') {
            let title = line[level..].trim().to_owned();
            found.push((level, Section { field: field_of(&title), title, is_filled: false }));
            continue;
        }
        let mut words = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let border = if is_comment { "-->" } else { "<!--" };
            let (before, after) = rest.split_once(border).unwrap_or((rest, ""));
            if !is_comment {
                words.push_str(before);
            }
            if before.len() == rest.len() {
                break;
            }
            is_comment = !is_comment;
            rest = after;
        }
        if words.trim().is_empty() {
            continue;
        }
        let mut below = usize::MAX;
        for (level, section) in found.iter_mut().rev() {
            if *level < below {
                section.is_filled = true;
                below = *level;
            }
        }
    }
    found.into_iter().map(|(_, section)| section).collect()
}

/// `Intended use` is asked for as `intended_use`.
fn field_of(title: &str) -> String {
    let mut field = String::new();
    for c in title.to_lowercase().chars() {
        if c.is_alphanumeric() {
            field.push(c);
        } else if !field.ends_with('_') && !field.is_empty() {
            field.push('_');
        }
    }
    field.trim_end_matches('_').to_owned()
}

const TEMPLATE: &str = include_str!("card_template.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_true_to_the_digits_that_it_gives() {
        for (said, now) in [
            ("0.99", "0.9912"),
            ("0.991", "0.9912"),
            ("344", "344"),
            ("a b", "a b"),
            ("1e-7", "0.00000012"),
            ("3", "3.2"),
        ] {
            assert!(is_same(said, now), "{said} of {now}");
        }
        for (said, now) in [("0.98", "0.9912"), ("0.990", "0.9912"), ("344", "345"), ("a", "b"), ("0.5", "x")]
        {
            assert!(!is_same(said, now), "{said} of {now}");
        }
    }

    #[test]
    fn claims_are_found_with_their_lines_and_broken_ones_named() {
        let found = claims("# A\nAUC {{metric.auc = 0.9}} of {{data.rows=3}}\n").expect("good");
        let seen: Vec<_> =
            found.iter().map(|one| (one.line, one.query.as_str(), one.said.as_str())).collect();
        assert_eq!(seen, [(2, "metric.auc", "0.9"), (2, "data.rows", "3")]);
        for text in ["x\n{{metric.auc = 1", "x\n{{metric.auc}}"] {
            assert!(claims(text).expect_err("broken").message.contains("line 2"));
        }
    }

    #[test]
    fn a_section_with_comments_only_is_empty_and_one_filled_below_is_not() {
        let text = "# Card\n## Intended use\n<!-- who\nuses it -->\n\n## Limits\nOnly penguins.\n## Law\n### Part 1\nyes\n### Part 2\n";
        let found: Vec<_> =
            sections(text).into_iter().map(|section| (section.field, section.is_filled)).collect();
        let expected = [
            ("card", true),
            ("intended_use", false),
            ("limits", true),
            ("law", true),
            ("part_1", true),
            ("part_2", false),
        ];
        assert_eq!(found, expected.map(|(field, filled)| (field.to_owned(), filled)));
    }
}
