//! Why a step must run: what is different from the last time it came to a result. The causes are
//! the parts of the key that changed; beside them stands what is no cause but helps to understand,
//! such as another version of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use base::Result;
use data::{Column, TableFile};
use serde::{Deserialize, Serialize};

use crate::cache::{Components, Use, components, key};
use crate::execute::{Known, Planner};
use crate::graph::Node;
use crate::kind::{PortType, SourceTable};

/// What is worth knowing of a result beside its key, to say what changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The visible columns at each wire of a table port, by `port.0`.
    pub columns: BTreeMap<String, Vec<Column>>,
    /// The dataset version that was read, such as `penguins v2`.
    pub dataset: Option<String>,
    /// The version of Fettle.
    pub program: String,
    /// The operating system and the processor.
    pub system: String,
}

/// The version of this program, as facts and receipts name it.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// The operating system and the processor of this machine.
pub fn system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

impl Facts {
    /// The facts of a step that is about to run, with the folder of each artifact that comes in.
    pub fn of<'a>(
        node: &Node,
        inputs: impl Iterator<Item = (String, &'a Path)>,
        source: Option<&SourceTable>,
    ) -> Self {
        let is_table = |port: &str| {
            node.ports.inputs.iter().any(|one| one.name == port && one.port_type == PortType::Table)
        };
        let tables = inputs.filter(|(place, _)| is_table(place.split('.').next().unwrap_or_default()));
        // A table that cannot be read fails the step itself, with a better message than this one.
        let columns = tables.filter_map(|(place, folder)| {
            let table = TableFile::open(folder).ok()?;
            Some((place, table.meta().visible().cloned().collect()))
        });
        Self {
            columns: columns.collect(),
            dataset: source.map(|source| format!("{} v{}", source.dataset, source.number)),
            program: PROGRAM.to_owned(),
            system: system(),
        }
    }
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The step has never come to a result in this pipeline.
    First,
    /// A parameter.
    Parameter,
    /// The content at an input.
    Input,
    /// A column at an input: it came, went, or is of another kind.
    Column,
    /// The dataset's content, target or task.
    Dataset,
    /// The step is of another kind.
    Kind,
    /// The kind works differently since an update.
    Version,
    /// A file of the project that the step declares.
    File,
    /// Something else that the kind depends on, such as the version of an interpreter.
    Fact,
    /// The steps wired to an input have other names.
    Names,
    /// The result was removed from the cache.
    Removed,
    /// The program or the system; never a cause.
    Environment,
}

/// One thing that is different from the last time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is about.
    pub what: What,
    /// Which one: the parameter, `port.column`, the wire.
    pub name: String,
    /// What it was; none if there was none.
    pub before: Option<String>,
    /// What it is now; none if there is none.
    pub after: Option<String>,
}

impl Change {
    fn new(what: What, name: &str, before: Option<&String>, after: Option<&String>) -> Self {
        Self { what, name: name.to_owned(), before: before.cloned(), after: after.cloned() }
    }

    /// True if the step must run for this; false for what only helps to understand.
    pub fn is_cause(&self) -> bool {
        !matches!(self.what, What::Environment | What::Column)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", cut(text)))
        };
        let (name, before, after) = (&self.name, shown(&self.before), shown(&self.after));
        match self.what {
            What::First => write!(f, "it has not run before"),
            What::Parameter => write!(f, "parameter `{name}` changed from {before} to {after}"),
            What::Input if self.after.is_none() => write!(f, "input `{name}` has fewer wires"),
            What::Input => write!(f, "input `{name}` changed: {after} has other content"),
            What::Column => match (&self.before, &self.after) {
                (None, _) => write!(f, "column `{name}` is new: {after}"),
                (_, None) => write!(f, "column `{name}` is gone"),
                _ => write!(f, "column `{name}` was {before} and is {after}"),
            },
            What::Dataset if self.before == self.after => {
                write!(f, "the dataset has another target, or is read differently")
            }
            What::Dataset => write!(f, "the dataset changed from {before} to {after}"),
            What::Kind => write!(f, "the step was {before} and is {after}"),
            What::Version => {
                write!(f, "this kind of step works differently since the last update ({before} to {after})")
            }
            What::File => match (&self.before, &self.after) {
                (None, _) => write!(f, "file `{name}` was added"),
                (_, None) => write!(f, "file `{name}` is not there any more"),
                _ => write!(f, "file `{name}` has other content"),
            },
            What::Fact => write!(f, "`{name}` changed from {before} to {after}"),
            What::Names => write!(f, "the steps wired to `{name}` have other names"),
            What::Removed => write!(f, "its result was removed from the cache"),
            What::Environment => write!(f, "{name} was {before} and is {after}"),
        }
    }
}

/// Values of parameters may be whole scripts; a sentence shows their beginning.
fn cut(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// What changed since the last time, causes first. Empty if all is as it was.
pub fn changes(
    node: &Node,
    now: &Components,
    facts: &Facts,
    last: Option<&Use>,
    ignores: impl Fn(&str) -> bool,
) -> Vec<Change> {
    let Some(last) = last else {
        return vec![Change::new(What::First, &node.step.id, None, None)];
    };
    let names: BTreeSet<&String> = now.keys().chain(last.components.keys()).collect();
    let mut found: Vec<Change> = Vec::new();
    for name in names.into_iter().filter(|name| !ignores(name)) {
        let (before, after) = (last.components.get(name), now.get(name));
        if before != after {
            let change = change(node, name, before, after, (&last.facts, facts));
            if !found.contains(&change) {
                found.push(change);
            }
        }
    }
    let columns = found
        .iter()
        .filter(|change| change.what == What::Input)
        .flat_map(|change| column_changes(&change.name, &last.facts, facts))
        .collect::<Vec<_>>();
    found.extend(columns);
    if !found.is_empty() {
        found.extend(environment_changes(&last.facts, facts));
    }
    found
}

fn change(
    node: &Node,
    name: &str,
    before: Option<&String>,
    after: Option<&String>,
    (facts_before, facts): (&Facts, &Facts),
) -> Change {
    match name.split_once('.') {
        Some(("param", param)) => Change::new(What::Parameter, param, before, after),
        Some(("input", place)) => {
            // Contents are hashes, which say nothing to a person: the wire is named instead.
            let wire = wire_at(node, place);
            Change::new(What::Input, port_of(place), None, wire.as_ref())
        }
        Some(("names", port)) => Change::new(What::Names, port, before, after),
        Some(("file", file)) => Change::new(What::File, file, before, after),
        Some(("fact", fact)) => Change::new(What::Fact, fact, before, after),
        _ => match name {
            "source" => {
                Change::new(What::Dataset, "dataset", facts_before.dataset.as_ref(), facts.dataset.as_ref())
            }
            "kind" => Change::new(What::Kind, name, before, after),
            _ => Change::new(What::Version, name, before, after),
        },
    }
}

fn port_of(place: &str) -> &str {
    place.rsplit_once('.').map_or(place, |(port, _)| port)
}

fn wire_at(node: &Node, place: &str) -> Option<String> {
    let (port, at) = place.rsplit_once('.')?;
    Some(node.step.inputs.get(port)?.get(at.parse::<usize>().ok()?)?.to_string())
}

fn column_changes(port: &str, before: &Facts, now: &Facts) -> Vec<Change> {
    let mut found = Vec::new();
    for (place, columns) in now.columns.iter().filter(|(place, _)| port_of(place) == port) {
        let Some(old) = before.columns.get(place) else { continue };
        let kind = |column: &Column| column.kind.word().to_owned();
        for column in columns {
            let was = old.iter().find(|one| one.name == column.name).map(kind);
            let is = Some(kind(column));
            if was != is {
                found.push(Change::new(What::Column, &column.name, was.as_ref(), is.as_ref()));
            }
        }
        for column in old.iter().filter(|one| !columns.iter().any(|column| column.name == one.name)) {
            found.push(Change::new(What::Column, &column.name, Some(&kind(column)), None));
        }
    }
    found
}

fn environment_changes(before: &Facts, now: &Facts) -> Vec<Change> {
    let pairs = [("Fettle", &before.program, &now.program), ("the system", &before.system, &now.system)];
    let changed = pairs.into_iter().filter(|(_, before, now)| before != now && !before.is_empty());
    changed.map(|(name, before, now)| Change::new(What::Environment, name, Some(before), Some(now))).collect()
}

/// The sentences of the causes, and of the columns that explain them.
pub fn sentences(changes: &[Change]) -> Vec<String> {
    let told = changes.iter().filter(|change| change.what != What::Environment);
    told.map(ToString::to_string).collect()
}

/// What would happen to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its result is there.
    Cached,
    /// It must run.
    Run,
    /// A step before it must run; whether this one must is known only then.
    Pending,
}

/// A step with what would happen to it and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The step.
    pub step: String,
    /// What would happen.
    pub fate: Fate,
    /// What changed since the last time, as far as that is known before anything runs.
    pub changes: Vec<Change>,
    /// The steps right before it that have no result yet.
    pub waits_for: Vec<String>,
    /// What it depended on the last time.
    pub last: Option<Use>,
}

impl Planner<'_> {
    /// Says step by step, in the order of the graph, what would happen and what changed.
    ///
    /// # Errors
    /// A missing dataset, an index that cannot be read.
    pub fn explain(&self) -> Result<Vec<Explained>> {
        let mut known = BTreeMap::new();
        let steps = self.graph.nodes().iter().filter(|node| self.steps.contains(&node.step.id));
        steps.map(|node| self.explain_one(node, &mut known)).collect()
    }

    fn explain_one(&self, node: &Node, known: &mut Known) -> Result<Explained> {
        let step = node.step.id.clone();
        let last = self.ledger.last(self.pipeline, &step)?;
        let missing = node.wires().filter(|(_, wire)| !known.contains_key(wire));
        let waits_for: BTreeSet<String> = missing.map(|(_, wire)| wire.step.clone()).collect();
        if !waits_for.is_empty() {
            let source = self.source(node)?;
            let mut now = components(node, &BTreeMap::new(), source.as_ref())?;
            node.kind.outside(&node.step.params, self.place)?.add_to(&mut now);
            let facts = Facts::of(node, std::iter::empty(), source.as_ref());
            let changes = match &last {
                Some(_) => changes(node, &now, &facts, last.as_ref(), |name| name.starts_with("input.")),
                None => changes(node, &now, &facts, None, |_| false),
            };
            let waits_for = waits_for.into_iter().collect();
            return Ok(Explained { step, fate: Fate::Pending, changes, waits_for, last });
        }
        let ready = self.prepare(node, known)?;
        if let Some(entry) = self.kept(&key(&ready.components))? {
            self.lay_out(node, &entry, known);
            return Ok(Explained {
                step,
                fate: Fate::Cached,
                changes: Vec::new(),
                waits_for: Vec::new(),
                last,
            });
        }
        let facts = self.facts(node, ready.source.as_ref(), known);
        let mut changes = changes(node, &ready.components, &facts, last.as_ref(), |_| false);
        if changes.is_empty() {
            changes.push(Change::new(What::Removed, &step, None, None));
        }
        Ok(Explained { step, fate: Fate::Run, changes, waits_for: Vec::new(), last })
    }
}

#[cfg(test)]
mod tests {
    use data::Kind;

    use super::*;
    use crate::file::Pipeline;
    use crate::graph::Graph;

    fn node_of(graph: &Graph) -> &Node {
        graph.node("f").expect("it is there")
    }

    fn graph() -> Graph {
        let text = r#"format = 1
name = "t"
step = [{ id = "d", kind = "dataset", params = { dataset = "x" } },
        { id = "f", kind = "filter", inputs = { table = "d.table" } }]"#;
        let pipeline = Pipeline::parse(text).expect("good");
        Graph::build(&pipeline).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn used(pairs: &[(&str, &str)], columns: &[(&str, Kind)]) -> (Components, Facts) {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let columns = columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
        let facts = Facts {
            columns: BTreeMap::from([("table.0".to_owned(), columns)]),
            program: "1".to_owned(),
            ..Facts::default()
        };
        (pairs.collect(), facts)
    }

    fn said(before: (Components, Facts), now: (Components, Facts)) -> Vec<String> {
        let graph = graph();
        let last = Use { key: "k".to_owned(), components: before.0, facts: before.1, run: None, at_ms: 0 };
        let found = changes(node_of(&graph), &now.0, &now.1, Some(&last), |_| false);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_parameter_is_told_with_both_values() {
        let before = used(&[("param.rate", "0.1")], &[]);
        let now = used(&[("param.rate", "0.2")], &[]);
        assert_eq!(said(before, now), ["parameter `rate` changed from `0.1` to `0.2`"]);
    }

    #[test]
    fn another_content_is_told_with_the_columns_that_differ() {
        let before = used(&[("input.table.0", "a")], &[("age", Kind::Integer), ("old", Kind::Text)]);
        let now = used(&[("input.table.0", "b")], &[("age", Kind::Number), ("new", Kind::Text)]);
        assert_eq!(
            said(before, now),
            [
                "input `table` changed: `d.table` has other content",
                "column `age` was `integer` and is `number`",
                "column `new` is new: `text`",
                "column `old` is gone",
            ]
        );
    }

    #[test]
    fn another_program_is_told_only_beside_a_cause_and_is_none_itself() {
        let (same, facts) = used(&[("version", "1")], &[]);
        let newer = Facts { program: "2".to_owned(), ..facts.clone() };
        assert!(said((same.clone(), facts.clone()), (same.clone(), newer.clone())).is_empty());
        let (other, _) = used(&[("version", "2")], &[]);
        let told = said((same, facts), (other, newer));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], "Fettle was `1` and is `2`");
    }

    #[test]
    fn declared_files_and_facts_are_told_by_their_names() {
        let before = used(&[("file.a.py", "1"), ("file.old.py", "1"), ("fact.python", "3.12")], &[]);
        let now = used(&[("file.a.py", "2"), ("file.new.py", "1"), ("fact.python", "3.13")], &[]);
        assert_eq!(
            said(before, now),
            [
                "`python` changed from `3.12` to `3.13`",
                "file `a.py` has other content",
                "file `new.py` was added",
                "file `old.py` is not there any more",
            ]
        );
    }

    #[test]
    fn a_step_that_never_ran_says_so() {
        let graph = graph();
        let found = changes(node_of(&graph), &Components::new(), &Facts::default(), None, |_| false);
        assert_eq!(sentences(&found), ["it has not run before"]);
    }
}
