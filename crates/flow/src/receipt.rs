//! The receipt of a run that was repeated from what it recorded: step by step, whether the same
//! bytes came out, and for the first step that came out otherwise, why that may be. It compares;
//! it runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::cache::{Artifact, Components};
use crate::execute::Summary;
use crate::graph::{Graph, Node};
use crate::outside::part_of;

/// Kinds that run programs Fettle did not write, which may do as they like.
const FOREIGN: [&str; 4] = ["command", "python", "notebook", "script"];

/// What a run recorded of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// Content by output port.
    pub outputs: BTreeMap<String, Artifact>,
    /// The version of its kind, if it was recorded.
    pub kind_version: Option<u32>,
    /// The files and facts that it depended on outside the graph: see [`part_of`].
    pub outside: Components,
}

/// With what a run ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Setting {
    /// The version of Fettle; empty if it was not recorded.
    pub program: String,
    /// The system and the processor.
    pub system: String,
    /// How many threads there were.
    pub threads: u32,
}

/// How a step compares with what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every output has the same bytes.
    Identical,
    /// An output has other bytes, though all that came in was the same.
    Different,
    /// An output has other bytes, and so had what came in.
    Follows,
    /// It failed, or a step that it needs did.
    Failed,
}

/// A step of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReceipt {
    /// The step.
    pub step: String,
    /// Its kind.
    pub kind: String,
    /// How it compares.
    pub verdict: Verdict,
    /// By output port: the hash then and now, empty where there is none.
    pub outputs: BTreeMap<String, (String, String)>,
    /// Why it may be different.
    pub why: Option<String>,
}

/// What came of repeating a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The pipeline.
    pub pipeline: String,
    /// The hash of the pipeline's text.
    pub pipeline_digest: String,
    /// With what the run ran.
    pub then: Setting,
    /// With what it was repeated.
    pub now: Setting,
    /// The dataset versions that were read, such as `penguins v2`, by step.
    pub datasets: BTreeMap<String, String>,
    /// The steps in the order of the graph.
    pub steps: Vec<StepReceipt>,
    /// True if every step came to the same bytes.
    pub is_identical: bool,
    /// The first step that did not, and why.
    pub first_difference: Option<(String, String)>,
}

/// Compares what a run recorded with what came of repeating it.
pub fn compare(
    graph: &Graph,
    recorded: &BTreeMap<String, Recorded>,
    repeated: &Summary,
    (then, now): (&Setting, &Setting),
) -> Vec<StepReceipt> {
    let mut different: BTreeSet<&str> = BTreeSet::new();
    let mut steps = Vec::new();
    for node in graph.nodes() {
        let Some(before) = recorded.get(&node.step.id) else { continue };
        let receipt = compare_step(node, before, repeated, &different, (then, now));
        if receipt.verdict != Verdict::Identical {
            different.insert(&node.step.id);
        }
        steps.push(receipt);
    }
    steps
}

fn compare_step(
    node: &Node,
    before: &Recorded,
    repeated: &Summary,
    different: &BTreeSet<&str>,
    settings: (&Setting, &Setting),
) -> StepReceipt {
    let entry = repeated.results.get(&node.step.id);
    let content = |artifact: Option<&Artifact>| artifact.map(|one| one.content.clone()).unwrap_or_default();
    let ports: BTreeSet<&String> =
        before.outputs.keys().chain(entry.into_iter().flat_map(|entry| entry.outputs.keys())).collect();
    let outputs: BTreeMap<String, (String, String)> = ports
        .into_iter()
        .map(|port| {
            let now = entry.and_then(|entry| entry.outputs.get(port));
            (port.clone(), (content(before.outputs.get(port)), content(now)))
        })
        .collect();
    let is_same = outputs.values().all(|(then, now)| then == now);
    let input = node.wires().find(|(_, wire)| different.contains(wire.step.as_str()));
    let (verdict, why) = match (entry, input) {
        (None, _) => {
            let failure = repeated.failure.as_ref().filter(|(step, _)| *step == node.step.id);
            let why = failure.map_or_else(
                || "a step before it failed".to_owned(),
                |(_, error)| format!("it failed this time: {error}"),
            );
            (Verdict::Failed, Some(why))
        }
        (Some(_), _) if is_same => (Verdict::Identical, None),
        (Some(_), Some((_, wire))) => {
            (Verdict::Follows, Some(format!("its input `{wire}` is different already")))
        }
        (Some(entry), None) => {
            let outside = changed_outside(&before.outside, &part_of(&entry.components));
            (Verdict::Different, Some(outside.unwrap_or_else(|| why(node, before, settings))))
        }
    };
    StepReceipt { step: node.step.id.clone(), kind: node.step.kind.clone(), verdict, outputs, why }
}

/// What is not as it was outside the graph, in words.
fn changed_outside(then: &Components, now: &Components) -> Option<String> {
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let changed = names.into_iter().filter(|name| then.get(*name) != now.get(*name));
    let said = changed.filter_map(|name| match name.split_once('.')? {
        ("file", file) => Some(format!("file `{file}` is not as it was")),
        (_, fact) => Some(format!("`{fact}` is not as it was")),
    });
    let said: Vec<String> = said.collect();
    // A run that wrote nothing of this down cannot be compared with.
    (!then.is_empty() && !said.is_empty()).then(|| said.join(", "))
}

/// The likeliest reason, the surest first.
fn why(node: &Node, before: &Recorded, (then, now): (&Setting, &Setting)) -> String {
    let kind = node.declaration.kind;
    if let Some(version) = before.kind_version.filter(|version| *version != node.declaration.version) {
        let is = node.declaration.version;
        return format!("`{kind}` was version {version} and is version {is}, which computes otherwise");
    }
    if FOREIGN.contains(&kind) {
        return format!(
            "`{kind}` runs a program of its own, which need not do the same twice: fix its random seeds, and \
             keep times and paths out of what it writes"
        );
    }
    if !then.program.is_empty() && then.program != now.program {
        return format!("the run was made by Fettle {}, and this is {}", then.program, now.program);
    }
    if !then.system.is_empty() && then.system != now.system {
        return format!("the run was made on {}, and this is {}", then.system, now.system);
    }
    "the same inputs, parameters and versions gave other bytes, which must not be: please report it"
        .to_owned()
}

impl Receipt {
    /// Draws the conclusions from the steps.
    #[must_use]
    pub fn concluded(self) -> Self {
        let first = self.steps.iter().find(|step| step.verdict != Verdict::Identical);
        let first_difference = first.map(|step| (step.step.clone(), step.why.clone().unwrap_or_default()));
        Self { is_identical: first_difference.is_none(), first_difference, ..self }
    }

    /// The receipt for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let said = |setting: &Setting| {
            let program = if setting.program.is_empty() { "unknown" } else { &setting.program };
            format!("Fettle {program}, {}, {} threads", setting.system, setting.threads)
        };
        // Writing into a text cannot fail.
        let _ = writeln!(text, "pipeline {} ({})", self.pipeline, short(&self.pipeline_digest));
        let _ = writeln!(text, "then: {}\nnow:  {}", said(&self.then), said(&self.now));
        for (step, dataset) in &self.datasets {
            let _ = writeln!(text, "read by {step}: {dataset}");
        }
        for step in &self.steps {
            let word = match step.verdict {
                Verdict::Identical => "identical",
                Verdict::Different => "DIFFERENT",
                Verdict::Follows => "follows",
                Verdict::Failed => "FAILED",
            };
            let hashes: Vec<String> = step.outputs.iter().map(|(port, pair)| hashes(port, pair)).collect();
            let _ = writeln!(text, "{word:<9}  {:<20} {}", step.step, hashes.join("  "));
        }
        match &self.first_difference {
            None => {
                let _ = write!(text, "all {} steps came to the same bytes", self.steps.len());
            }
            Some((step, why)) => {
                let _ = write!(text, "the first step that is not the same is `{step}`: {why}");
            }
        }
        text
    }
}

fn hashes(port: &str, (then, now): &(String, String)) -> String {
    if then == now {
        return format!("{port} {}", short(then));
    }
    format!("{port} {} → {}", short(then), short(now))
}

fn short(hash: &str) -> &str {
    if hash.is_empty() { "nothing" } else { hash.get(..12).unwrap_or(hash) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Entry;
    use crate::file::Pipeline;
    use crate::kind::Outcome;

    fn graph() -> Graph {
        let text = r#"format = 1
name = "t"
step = [{ id = "d", kind = "dataset", params = { dataset = "x" } },
        { id = "f", kind = "filter", inputs = { table = "d.table" } },
        { id = "g", kind = "sort", inputs = { table = "f.table" } },
        { id = "h", kind = "sort", inputs = { table = "d.table" } }]"#;
        let pipeline = Pipeline::parse(text).expect("good");
        Graph::build(&pipeline).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn outputs(content: &str) -> BTreeMap<String, Artifact> {
        BTreeMap::from([("table".to_owned(), Artifact { content: content.to_owned(), bytes: 1 })])
    }

    fn recorded(version: u32) -> BTreeMap<String, Recorded> {
        let step = |id: &str| {
            let recorded =
                Recorded { outputs: outputs("same"), kind_version: Some(version), ..Recorded::default() };
            (id.to_owned(), recorded)
        };
        ["d", "f", "g", "h"].map(step).into_iter().collect()
    }

    fn repeated(contents: &[(&str, &str)]) -> Summary {
        let entry = |content: &str| Entry {
            key: "k".to_owned(),
            components: BTreeMap::new(),
            outputs: outputs(content),
            outcome: Outcome::default(),
            duration_ms: 1,
        };
        let results = contents.iter().map(|(step, content)| ((*step).to_owned(), entry(content)));
        Summary { results: results.collect(), ..Summary::default() }
    }

    fn receipt(recorded: &BTreeMap<String, Recorded>, repeated: &Summary) -> Receipt {
        let setting = Setting { program: "1".to_owned(), system: "s".to_owned(), threads: 1 };
        let steps = compare(&graph(), recorded, repeated, (&setting, &setting));
        Receipt {
            pipeline: "t".to_owned(),
            pipeline_digest: "abc".to_owned(),
            then: setting.clone(),
            now: setting,
            datasets: BTreeMap::new(),
            steps,
            is_identical: false,
            first_difference: None,
        }
        .concluded()
    }

    #[test]
    fn equal_bytes_everywhere_are_identical() {
        let all = [("d", "same"), ("f", "same"), ("g", "same"), ("h", "same")];
        let receipt = receipt(&recorded(1), &repeated(&all));
        assert!(receipt.is_identical);
        assert!(receipt.to_text().ends_with("all 4 steps came to the same bytes"));
    }

    #[test]
    fn the_first_step_that_differs_is_named_and_what_comes_after_it_only_follows() {
        let some = [("d", "same"), ("f", "other"), ("g", "other"), ("h", "same")];
        let receipt = receipt(&recorded(7), &repeated(&some));
        let verdicts: Vec<Verdict> = receipt.steps.iter().map(|step| step.verdict).collect();
        use Verdict::{Different, Follows, Identical};
        assert_eq!(verdicts, [Identical, Different, Follows, Identical]);
        let (step, why) = receipt.first_difference.expect("there is one");
        assert_eq!(step, "f");
        assert_eq!(why, "`filter` was version 7 and is version 1, which computes otherwise");
    }

    #[test]
    fn a_file_that_changed_since_the_run_is_named_before_any_guess() {
        let mut then = recorded(1);
        let outside = |hash: &str| Components::from([("file.train.py".to_owned(), hash.to_owned())]);
        then.get_mut("f").expect("it is there").outside = outside("1");
        let mut now = repeated(&[("d", "same"), ("f", "other"), ("g", "same"), ("h", "same")]);
        now.results.get_mut("f").expect("it is there").components = outside("2");
        let (step, why) = receipt(&then, &now).first_difference.expect("there is one");
        assert_eq!((step.as_str(), why.as_str()), ("f", "file `train.py` is not as it was"));
    }

    #[test]
    fn a_step_that_fails_now_is_no_identical_one() {
        let mut now = repeated(&[("d", "same"), ("h", "same")]);
        now.failure = Some(("f".to_owned(), base::Error::invalid("no such column")));
        let receipt = receipt(&recorded(1), &now);
        assert!(!receipt.is_identical);
        assert_eq!(receipt.steps[1].why.as_deref(), Some("it failed this time: no such column"));
        assert_eq!(receipt.steps[2].why.as_deref(), Some("a step before it failed"));
    }

    #[test]
    fn without_another_version_the_program_is_named_and_then_the_fault() {
        let some = [("d", "same"), ("f", "other"), ("g", "same"), ("h", "same")];
        let now = Setting { program: "2".to_owned(), system: "s".to_owned(), threads: 1 };
        let then = Setting { program: "1".to_owned(), ..now.clone() };
        let steps = compare(&graph(), &recorded(1), &repeated(&some), (&then, &now));
        assert_eq!(steps[1].why.as_deref(), Some("the run was made by Fettle 1, and this is 2"));
        let steps = compare(&graph(), &recorded(1), &repeated(&some), (&now, &now));
        assert!(steps[1].why.as_deref().is_some_and(|why| why.ends_with("please report it")));
    }
}
