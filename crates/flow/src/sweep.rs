//! The sweep file: which parameters of a pipeline's steps to try, within which ranges, and by which
//! metric to choose. It lies in the project beside the pipelines, `sweeps/<name>.toml`.
//!
//! ```toml
//! format = 1
//! name = "rate"
//! pipeline = "species"
//! metric = "auc"
//! trials = 50
//!
//! [params]
//! "boosting.learning_rate" = "0.01..0.3:log"
//! "boosting.leaves" = "7..127:log"
//! ```

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use learn::search::stopping::Stopping;
use learn::search::{Domain, Method, Param, Point, Search};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::file::{Pipeline, check_name};
use crate::graph::{Graph, Node, Problem};
use crate::kind::PortType;

/// A sweep as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The format of the file: 1.
    pub format: u32,
    /// Its name, which is also the file's.
    pub name: String,
    /// The pipeline.
    pub pipeline: String,
    /// The metric to choose by.
    pub metric: String,
    /// The step that measures it; found if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// True if more is better; known for the metrics of Fettle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger_is_better: Option<bool>,
    /// The rows that `evaluate` measures trials on. Not the test rows: who chooses by them has no rows
    /// left to judge by.
    #[serde(default = "validation")]
    pub on: String,
    /// How the next trial is chosen.
    #[serde(default)]
    pub method: Method,
    /// The most trials.
    #[serde(default = "fifty")]
    pub trials: u32,
    /// No trial begins after so many minutes; 0 for no end.
    #[serde(default)]
    pub minutes: u32,
    /// Trials at the same time. A trial is chosen by the results of those that began this many before
    /// it, so the same file takes the same way again.
    #[serde(default = "one")]
    pub parallel: u32,
    /// Which trials are given up before their end.
    #[serde(default)]
    pub stop: Stopping,
    /// Fixes the random choices.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// How many values a grid takes of a range without steps.
    #[serde(default = "five")]
    pub grid_points: u32,
    /// What may be tried, by `step.parameter`.
    pub params: BTreeMap<String, String>,
}

fn validation() -> String {
    "validation".to_owned()
}

fn fifty() -> u32 {
    50
}

fn one() -> u32 {
    1
}

fn five() -> u32 {
    5
}

fn first_seed() -> u64 {
    1
}

/// The most trials of a sweep.
pub const MOST_TRIALS: u32 = 10_000;
/// The most trials at the same time.
pub const MOST_PARALLEL: u32 = 64;

/// A sweep that was checked against its pipeline.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What to try next.
    pub search: Search,
    /// The step that measures.
    pub step: String,
    /// True if more of the metric is better.
    pub larger_is_better: bool,
    /// The steps that all trials share: what is needed and depends on no parameter of the sweep.
    pub shared: BTreeSet<String>,
}

impl Sweep {
    /// A sweep with defaults for all that can be left out.
    pub fn new(name: &str, pipeline: &str, metric: &str, params: BTreeMap<String, String>) -> Self {
        Self {
            format: 1,
            name: name.to_owned(),
            pipeline: pipeline.to_owned(),
            metric: metric.to_owned(),
            step: None,
            larger_is_better: None,
            on: validation(),
            method: Method::default(),
            trials: fifty(),
            minutes: 0,
            parallel: one(),
            stop: Stopping::default(),
            seed: first_seed(),
            grid_points: five(),
            params,
        }
    }

    /// Reads the text of a sweep file.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] saying what is wrong; [`base::Code::TooNew`] for another format.
    pub fn parse(text: &str) -> Result<Self> {
        let sweep: Self = toml::from_str(text).map_err(|e| {
            Error::invalid("cannot read the sweep file").because(e.message()).hint("see `docs/sweeps.md`")
        })?;
        if sweep.format != 1 {
            let message = format!("the sweep file has format {}, this Fettle reads format 1", sweep.format);
            return Err(Error::new(base::Code::TooNew, message).hint("update Fettle"));
        }
        check_name(&sweep.name)?;
        for (what, value, most) in
            [("trials", sweep.trials, MOST_TRIALS), ("parallel", sweep.parallel, MOST_PARALLEL)]
        {
            if !(1..=most).contains(&value) {
                return Err(Error::invalid(format!("a sweep cannot have {what} = {value}"))
                    .hint(format!("from 1 to {most}")));
            }
        }
        if sweep.params.is_empty() {
            return Err(Error::invalid("a sweep needs a parameter to try")
                .hint("name one as `step.parameter = low..high`, such as `boosting.leaves=7..127:log`"));
        }
        Ok(sweep)
    }

    /// The text of the file: the same sweep always gives the same text.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("strings, numbers and a table can be written as TOML")
    }

    /// Checks the sweep against its pipeline.
    ///
    /// # Errors
    /// An unknown step or parameter, a range that does not fit, no step that measures.
    pub fn check(&self, pipeline: &Pipeline) -> Result<Checked> {
        let graph = Graph::build(pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let mut params = Vec::new();
        let mut swept = BTreeSet::new();
        for (name, text) in &self.params {
            let domain: Domain = text.parse().map_err(|e: Error| e.within(format!("parameter `{name}`")))?;
            let (step, _) = place(name)?;
            let node = graph.node(step).ok_or_else(|| no_step(step, &graph))?;
            for share in [0.0, 1.0] {
                check_value(node, name, domain.at(share))?;
            }
            swept.insert(step.to_owned());
            params.push(Param { name: name.clone(), domain });
        }
        let after = following(&graph, &swept);
        let step = self.measuring_step(&graph, &after)?;
        let needed = graph.needed(Some(&step))?;
        if let Some(idle) = swept.iter().find(|one| !needed.contains(*one)) {
            return Err(Error::invalid(format!("step `{idle}` does not lead to `{step}`, which measures"))
                .hint("sweep a step that comes before it, or name another with `step`"));
        }
        let known = learn::metrics::metric_doc(&self.metric).map(|metric| metric.larger_is_better);
        let larger_is_better = self.larger_is_better.or(known).ok_or_else(|| {
            Error::invalid(format!("it is not known whether more of `{}` is better", self.metric))
                .hint("say so with `--max` or `--min`")
        })?;
        Ok(Checked {
            search: Search {
                params,
                method: self.method,
                seed: self.seed,
                grid_points: self.grid_points as usize,
            },
            step,
            larger_is_better,
            shared: needed.difference(&after).cloned().collect(),
        })
    }

    fn measuring_step(&self, graph: &Graph, after: &BTreeSet<String>) -> Result<String> {
        if let Some(step) = &self.step {
            return graph.node(step).map(|node| node.step.id.clone()).ok_or_else(|| no_step(step, graph));
        }
        let measures = |node: &&Node| {
            let gives = node.ports.outputs.iter().any(|port| port.port_type == PortType::Metrics);
            gives && after.contains(&node.step.id) && !["compare", "check"].contains(&node.declaration.kind)
        };
        let found: Vec<&Node> = graph.nodes().iter().filter(measures).collect();
        match found.as_slice() {
            [only] => Ok(only.step.id.clone()),
            [] => Err(Error::invalid("no step after the parameters measures anything")
                .hint("wire an `evaluate` or a `cross_validate` step behind them")),
            several => {
                let names: Vec<&str> = several.iter().map(|node| node.step.id.as_str()).collect();
                Err(Error::invalid(format!("several steps measure: {}", names.join(", ")))
                    .hint("name one with `step`"))
            }
        }
    }

    /// The pipeline of a trial: with what is tried, measured on the rows of the sweep.
    ///
    /// # Errors
    /// A step that is not there, which checking excludes.
    pub fn trial(&self, pipeline: &Pipeline, point: &Point, step: &str) -> Result<Pipeline> {
        let mut trial = apply(pipeline, point)?;
        if let Some(measuring) = trial.steps.iter_mut().find(|one| one.id == step)
            && measuring.kind == "evaluate"
        {
            measuring.params.insert("on".to_owned(), json!(self.on));
            // How much each feature matters is asked of the chosen one, not of every trial.
            measuring.params.insert("importance_repeats".to_owned(), json!(0));
        }
        Ok(trial)
    }
}

/// The pipeline with these parameters put in.
///
/// # Errors
/// [`base::Code::NotFound`] if a step is not there any more.
pub fn apply(pipeline: &Pipeline, point: &Point) -> Result<Pipeline> {
    let mut changed = pipeline.clone();
    for (name, value) in point {
        let (step, path) = place(name)?;
        let found = changed.steps.iter_mut().find(|one| one.id == step);
        let found =
            found.ok_or_else(|| Error::not_found(format!("the pipeline has no step `{step}` any more")))?;
        put(&mut found.params, &path, value.clone());
    }
    Ok(changed)
}

/// The step and the way to the parameter in it: `cv.trainer_params.leaves` has two parts.
fn place(name: &str) -> Result<(&str, Vec<&str>)> {
    let mut parts = name.split('.');
    let step = parts.next().unwrap_or_default();
    let path: Vec<&str> = parts.collect();
    if step.is_empty() || path.is_empty() || path.iter().any(|part| part.is_empty()) {
        return Err(Error::invalid(format!("`{name}` names no parameter"))
            .hint("write `step.parameter`, such as `boosting.learning_rate`"));
    }
    Ok((step, path))
}

fn put(params: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        params.insert((*first).to_owned(), value);
        return;
    }
    let inner = params.entry((*first).to_owned()).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

fn check_value(node: &Node, name: &str, value: Value) -> Result<()> {
    let (_, path) = place(name)?;
    let mut params = node.step.params.clone();
    put(&mut params, &path, value);
    node.kind
        .complete(&params)
        .map(drop)
        .map_err(|misfit| misfit.error.within(format!("parameter `{name}` does not fit")))
}

fn no_step(step: &str, graph: &Graph) -> Error {
    let error = Error::not_found(format!("the pipeline has no step `{step}`"));
    match data::nearest(step, graph.nodes().iter().map(|node| node.step.id.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("see `fettle pipeline show`"),
    }
}

/// Some steps and all that need them.
fn following(graph: &Graph, steps: &BTreeSet<String>) -> BTreeSet<String> {
    let mut after = steps.clone();
    for node in graph.nodes() {
        if node.wires().any(|(_, wire)| after.contains(&wire.step)) {
            after.insert(node.step.id.clone());
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = r#"format = 1
name = "t"
step = [{ id = "d", kind = "dataset", params = { dataset = "x", target = "y" } },
        { id = "s", kind = "split", inputs = { table = "d.table" } },
        { id = "b", kind = "train_boosting", inputs = { table = "s.table" } },
        { id = "f", kind = "train_forest", inputs = { table = "s.table" } },
        { id = "eb", kind = "evaluate", inputs = { model = "b.model", table = "s.table" } },
        { id = "ef", kind = "evaluate", inputs = { model = "f.model", table = "s.table" } },
        { id = "cv", kind = "cross_validate", inputs = { table = "s.table" } },
        { id = "c", kind = "compare", inputs = { models = ["eb.model", "ef.model"] } }]"#;

    fn sweep(params: &[(&str, &str)]) -> Sweep {
        let params = params.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Sweep::new("s", "t", "auc", params)
    }

    fn check(params: &[(&str, &str)]) -> Result<Checked> {
        sweep(params).check(&Pipeline::parse(PIPELINE).expect("good"))
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let sweep = sweep(&[("b.learning_rate", "0.01..0.3:log"), ("b.leaves", "7..31")]);
        assert_eq!(Sweep::parse(&sweep.to_text()).expect("what we write"), sweep);
    }

    #[test]
    fn the_step_that_measures_is_found_and_what_trials_share_is_known() {
        let checked = check(&[("b.learning_rate", "0.01..0.3:log")]).expect("it fits");
        assert_eq!(checked.step, "eb");
        assert!(checked.larger_is_better);
        assert_eq!(checked.shared.iter().cloned().collect::<Vec<_>>(), ["d", "s"]);
        let nested = check(&[("cv.trainer_params.leaves", "7..31")]).expect("it fits");
        assert_eq!(nested.step, "cv");
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_runs() {
        for (params, message) in [
            (("g.leaves", "1..2"), "the pipeline has no step `g`"),
            (("b.leafs", "3..9"), "`boosting` has no parameter `leafs`"),
            (("leaves", "3..9"), "`leaves` names no parameter"),
            (("s.train", "0.1..0.5"), "several steps measure: eb, ef, cv"),
            (("b.leaves", "9..3"), "its lower end is not below its upper one"),
        ] {
            let error = check(&[params]).expect_err(message);
            assert!(format!("{error} {:?}", error.causes).contains(message), "{error:?}");
        }
        let mut unknown = sweep(&[("b.leaves", "3..9")]);
        unknown.metric = "gain".to_owned();
        let error = unknown.check(&Pipeline::parse(PIPELINE).expect("good")).expect_err("unknown metric");
        assert_eq!(error.hint.as_deref(), Some("say so with `--max` or `--min`"));
    }

    #[test]
    fn a_trial_has_its_values_and_is_not_measured_on_test_rows() {
        let pipeline = Pipeline::parse(PIPELINE).expect("good");
        let point = Point::from([
            ("b.leaves".to_owned(), json!(9)),
            ("cv.trainer_params.leaves".to_owned(), json!(5)),
        ]);
        let trial = sweep(&[]).trial(&pipeline, &point, "eb").expect("it fits");
        let params = |id: &str| &trial.steps.iter().find(|step| step.id == id).expect("there").params;
        assert_eq!(params("b")["leaves"], 9);
        assert_eq!(params("cv")["trainer_params"]["leaves"], 5);
        assert_eq!(params("eb")["on"], "validation");
        assert!(!params("ef").contains_key("on"));
    }
}
