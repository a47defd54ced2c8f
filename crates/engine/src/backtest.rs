//! A back-test: what policies of retraining would have brought on history. The rows of a dataset, in
//! the order in which they came, are cut into windows; the pipeline of a deployment learns from the
//! beginning, answers window after window, and each policy says when it learns anew from all rows
//! up to then. Nothing of it is registered or kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use arrow::array::RecordBatch;
use base::{Error, Progress, Result};
use data::{Kind, TableFile};
use flow::cache::{Entry, Kept, Ledger, Results, Use};
use flow::child::Message;
use flow::component::Expanded;
use flow::execute::{Execution, Observer, Planner, Update};
use flow::graph::Graph;
use flow::kind::{Source, SourceTable};
use learn::metrics::{MetricDoc, evaluate, metric_doc};
use learn::model_tests::Rows;
use score::{Card, Package, Task};
use store::deployments::Deployment;
use store::projects::Project;

use crate::Engine;
use crate::commands::backtest::{Backtest, BacktestPolicy, BacktestWindow, MonitorBacktest};
use crate::components::needed;
use crate::judging::tests::card_of;
use crate::models::TOLERANCE;
use crate::monitor::{Baseline, ROWS_NEEDED, drift_of};
use crate::retraining::Retraining;

/// The first part of the rows, from which the first model learns.
const FIRST_SHARE: f64 = 0.3;
const MOST_WINDOWS: u32 = 50;
const MOST_POLICIES: usize = 10;
/// Policies that are compared if nobody names any.
const USUAL: [&str; 3] = ["never", "every 1", "psi 0.2"];

/// When to learn anew.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Policy {
    Never,
    /// After so many windows.
    Every(u32),
    /// When an input or the prediction has drifted by so much, and chance does not explain it.
    Psi(f64),
    /// When the metric is so much worse than in the first window.
    Drop(f64),
}

impl Policy {
    fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(format!("`{}` is no policy", text.escape_debug()))
                .hint("write `never`, `every 2` (windows), `psi 0.2` or `drop 0.05`")
        };
        let mut words = text.split_whitespace();
        let (name, value) = (words.next().unwrap_or_default(), words.next());
        let number = || {
            value
                .and_then(|value| value.parse::<f64>().ok())
                .filter(|value| value.is_finite() && *value > 0.0)
        };
        let policy = match name {
            "never" if value.is_none() => Self::Never,
            "every" => Self::Every(
                value
                    .and_then(|value| value.parse().ok())
                    .filter(|windows| *windows > 0)
                    .ok_or_else(wrong)?,
            ),
            "psi" => Self::Psi(number().ok_or_else(wrong)?),
            "drop" => Self::Drop(number().ok_or_else(wrong)?),
            _ => return Err(wrong()),
        };
        if words.next().is_some() { Err(wrong()) } else { Ok(policy) }
    }
}

/// A model that learned from the first rows.
struct Trained {
    folder: PathBuf,
    took_ms: u64,
}

/// History and how to learn from it.
struct History<'a> {
    engine: &'a Engine,
    project: &'a Project,
    expanded: Expanded,
    graph: Graph,
    /// The step whose registration is the model.
    step: String,
    dataset: String,
    source: SourceTable,
    table: TableFile,
    rows: RecordBatch,
    /// Where models and tables of the test lie.
    folder: tempfile::TempDir,
    trained: BTreeMap<usize, Trained>,
    progress: &'a Progress,
}

impl Engine {
    /// Tells what each policy would have brought.
    pub(crate) fn backtest(
        &self,
        deployment: &Deployment,
        asked: &MonitorBacktest,
        progress: &Progress,
    ) -> Result<Backtest> {
        let names: Vec<String> = match asked.policies.is_empty() {
            true => USUAL.map(str::to_owned).to_vec(),
            false => asked.policies.clone(),
        };
        if names.len() > MOST_POLICIES {
            return Err(Error::invalid(format!("{MOST_POLICIES} policies are compared at most")));
        }
        let policies = names.iter().map(|text| Policy::parse(text)).collect::<Result<Vec<_>>>()?;
        let project = self.store().read(|db| store::projects::get(db, &deployment.project_id))?;
        let (mut history, order_by) = self.history(&project, deployment, asked, progress)?;
        let cuts = cuts(history.rows.num_rows(), asked.windows.unwrap_or(8))?;
        let first = history.train(cuts[0])?;
        let card = card_of(&Package::load(&first)?)?.clone();
        let metric = metric_of(&card);
        let windows =
            cuts.windows(2).map(|cut| BacktestWindow { from: cut[0] as u64, rows: (cut[1] - cut[0]) as u64 });
        let found =
            names.iter().zip(&policies).map(|(name, policy)| history.play(name, *policy, &cuts, metric));
        let policies = found.collect::<Result<Vec<_>>>()?;
        Ok(Backtest {
            dataset: history.dataset.clone(),
            order_by,
            metric_title: metric.title.to_owned(),
            larger_is_better: metric.larger_is_better,
            first_rows: cuts[0] as u64,
            windows: windows.collect(),
            policies,
        })
    }

    fn history<'a>(
        &'a self,
        project: &'a Project,
        deployment: &Deployment,
        asked: &MonitorBacktest,
        progress: &'a Progress,
    ) -> Result<(History<'a>, Option<String>)> {
        let (_, champion) = self.serving(deployment)?;
        let wish = Retraining::of(deployment.clone(), asked.pipeline.clone());
        let name = self.retraining_pipeline(project, &wish, &champion)?;
        let (expanded, graph) = self.runnable(project, &self.pipeline(project, &name)?.pipeline)?;
        let step =
            champion.version.step_id.clone().filter(|step| graph.node(step).is_some()).ok_or_else(|| {
                Error::invalid(format!("pipeline `{name}` has no step that registers the model any more"))
                    .hint("run it once and deploy what it registers")
            })?;
        let dataset = match (&asked.dataset, &champion.version.dataset_version_id) {
            (Some(name), _) => name.clone(),
            (None, Some(id)) => self.store().read(|db| {
                let version = store::datasets::version(db, id)?;
                Ok(store::datasets::get(db, &version.dataset_id)?.name)
            })?,
            (None, None) => {
                return Err(
                    Error::invalid("it is not known what the model learned from").hint("name a dataset")
                );
            }
        };
        let source = self.source_table(
            project,
            &Source { dataset: dataset.clone(), version: None, target: None },
            progress,
        )?;
        let table = TableFile::open(&source.folder)?;
        let order_by = match &asked.order_by {
            Some(column) => Some(table.meta().column(column)?.name.clone()),
            None => table
                .meta()
                .visible()
                .find(|column| column.kind == Kind::Time)
                .map(|column| column.name.clone()),
        };
        let rows = ordered(flow::kinds::all_rows(&table, usize::MAX)?, order_by.as_deref())?;
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let trained = BTreeMap::new();
        let history = History {
            engine: self,
            project,
            expanded,
            graph,
            step,
            dataset,
            source,
            table,
            rows,
            folder,
            trained,
            progress,
        };
        Ok((history, order_by))
    }
}

/// The rows in the order of a column, equal ones as they lie; as they lie altogether without one.
fn ordered(rows: RecordBatch, column: Option<&str>) -> Result<RecordBatch> {
    let Some(array) = column.and_then(|column| rows.column_by_name(column)) else { return Ok(rows) };
    let wrong = |e| Error::internal("cannot put rows in order").because(e);
    let ranks = arrow::compute::rank(array, None).map_err(wrong)?;
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    order.sort_by_key(|row| ranks[*row as usize]);
    arrow::compute::take_record_batch(&rows, &arrow::array::UInt32Array::from(order)).map_err(wrong)
}

/// Where the first rows end, and every window after them.
fn cuts(rows: usize, windows: u32) -> Result<Vec<usize>> {
    if windows == 0 || windows > MOST_WINDOWS {
        return Err(Error::invalid(format!("a back-test has 1 to {MOST_WINDOWS} windows")));
    }
    let first = (rows as f64 * FIRST_SHARE) as usize;
    let each = (rows - first) / windows as usize;
    if (each as u64) < ROWS_NEEDED || (first as u64) < ROWS_NEEDED {
        return Err(Error::invalid(format!(
            "each of {windows} windows would have {each} rows, {ROWS_NEEDED} are needed"
        ))
        .hint("ask for fewer windows, or bring more rows"));
    }
    Ok((0..=windows as usize)
        .map(|at| if at == windows as usize { rows } else { first + at * each })
        .collect())
}

fn metric_of(card: &Card) -> &'static MetricDoc {
    let name = if card.task == Task::Regression { "mae" } else { "accuracy" };
    metric_doc(name).expect("the usual metrics are in the list")
}

impl History<'_> {
    /// What a policy would have brought.
    fn play(
        &mut self,
        name: &str,
        policy: Policy,
        cuts: &[usize],
        metric: &MetricDoc,
    ) -> Result<BacktestPolicy> {
        let mut found = BacktestPolicy { policy: name.to_owned(), trainings: 1, ..BacktestPolicy::default() };
        let mut serving = cuts[0];
        found.train_ms = self.trained.get(&serving).map_or(0, |one| one.took_ms);
        let (mut sum, mut rows) = (0.0, 0.0);
        for (at, cut) in cuts.windows(2).enumerate() {
            self.progress.step(&format!("policy `{name}`"), at as u64, Some(cuts.len() as u64 - 1))?;
            let package = Package::load(&self.train(serving)?)?;
            let window = self.rows.slice(cut[0], cut[1] - cut[0]);
            let value = value_in(&package, &window, metric)?;
            found.values.push(value);
            sum += value * window.num_rows() as f64;
            rows += window.num_rows() as f64;
            let is_last = at + 2 == cuts.len();
            if is_last || !self.is_due(policy, at, &package, &window, &found.values, metric)? {
                continue;
            }
            let challenger = self.train(cut[1])?;
            found.trainings += 1;
            found.train_ms += self.trained.get(&cut[1]).map_or(0, |one| one.took_ms);
            if is_no_worse(&Package::load(&challenger)?, &challenger, &package, metric)? {
                found.promoted_after.push(at as u32);
                serving = cut[1];
            }
        }
        found.value = sum / rows;
        let worse = |a: &f64, b: &f64| if metric.larger_is_better { a.total_cmp(b) } else { b.total_cmp(a) };
        found.worst = found.values.iter().copied().min_by(worse).unwrap_or(found.value);
        Ok(found)
    }

    fn is_due(
        &self,
        policy: Policy,
        at: usize,
        package: &Package,
        window: &RecordBatch,
        values: &[f64],
        metric: &MetricDoc,
    ) -> Result<bool> {
        Ok(match policy {
            Policy::Never => false,
            Policy::Every(windows) => (at as u32 + 1).is_multiple_of(windows),
            Policy::Psi(bound) => self.psi(package, window)? > bound,
            Policy::Drop(bound) => {
                let (first, now) = (values[0], values[at]);
                if metric.larger_is_better {
                    first - now > bound
                } else {
                    (now - first) / first.max(f64::MIN_POSITIVE) > bound
                }
            }
        })
    }

    /// The largest index of an input or of the prediction that chance does not explain.
    fn psi(&self, package: &Package, window: &RecordBatch) -> Result<f64> {
        let card = card_of(package)?;
        let Ok(baseline) = serde_json::from_value::<Baseline>(card.baseline.clone()) else { return Ok(0.0) };
        let folder = tempfile::tempdir_in(self.folder.path())
            .map_err(|e| Error::io("create a folder in", self.folder.path(), &e))?;
        let table = data::write(folder.path(), self.table.meta().clone(), [Ok(window.clone())])?;
        let (features, prediction) =
            drift_of(&baseline, &flow::kinds::score(package, &table, self.progress)?)?;
        let all = features.iter().chain(&prediction).filter(|one| one.adjusted_p < data::drift::P_ALARM);
        Ok(all.map(|one| one.psi).fold(0.0, f64::max))
    }

    /// The package that learns from the first rows; once for all policies.
    fn train(&mut self, rows: usize) -> Result<PathBuf> {
        if let Some(known) = self.trained.get(&rows) {
            return Ok(known.folder.clone());
        }
        self.progress.step("training", 0, None)?;
        let begun = Instant::now();
        let folder = self.folder.path().join(format!("first-{rows}"));
        data::write(&folder, self.table.meta().clone(), [Ok(self.rows.slice(0, rows))])?;
        let results = Results::below(&self.folder.path().join("results"));
        let source = SourceTable {
            content: format!("{} first {rows}", self.source.content),
            folder,
            ..self.source.clone()
        };
        let own = |asked: &Source| -> Result<SourceTable> {
            if asked.dataset == self.dataset {
                return Ok(source.clone());
            }
            self.engine.source_table(self.project, asked, &Progress::silent())
        };
        let logs = self.folder.path().join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| Error::io("create", &logs, &e))?;
        let execution = Execution {
            planner: Planner {
                pipeline: "backtest",
                graph: &self.graph,
                steps: &needed(&self.expanded, &self.graph, Some(&self.step))?,
                results: &results,
                ledger: &Memory::default(),
                find_source: &own,
                place: &self.engine.place(self.project),
            },
            again: &std::collections::BTreeSet::new(),
            threads: self.engine.threads(None)?,
            launcher: &self.engine.launcher(),
            logs,
            progress: self.progress,
            observer: &Nobody,
        };
        let summary = execution.run()?;
        if let Some((step, error)) = summary.failure {
            return Err(error.within(format!("step `{step}` failed on the first {rows} rows")));
        }
        let entry = summary.results.get(&self.step);
        let registration = entry.and_then(|entry| Some((entry, entry.outcome.registration.as_ref()?)));
        let (entry, registration) =
            registration.ok_or_else(|| Error::invalid(format!("step `{}` registers no model", self.step)))?;
        let folder = results.artifact(&entry.key, &registration.port);
        let took_ms = begun.elapsed().as_millis() as u64;
        self.trained.insert(rows, Trained { folder: folder.clone(), took_ms });
        Ok(folder)
    }
}

/// The metric in a window. Rows of a class that the model does not know are answered wrong.
fn value_in(package: &Package, window: &RecordBatch, metric: &MetricDoc) -> Result<f64> {
    let card = card_of(package)?;
    let known = known_rows(window, card)?;
    if known.num_rows() == 0 {
        return Ok(0.0);
    }
    let rows = Rows::score(package, card, &known)?;
    let found = evaluate(&rows.truth, &rows.said).into_iter().find(|(name, _)| *name == metric.name);
    let value = found.map_or(f64::NAN, |(_, value)| value);
    let share = rows.len() as f64 / window.num_rows() as f64;
    Ok(if metric.larger_is_better { value * share } else { value })
}

fn known_rows(window: &RecordBatch, card: &Card) -> Result<RecordBatch> {
    let Some(target) = window.column_by_name(&card.target).filter(|_| !card.classes.is_empty()) else {
        return Ok(window.clone());
    };
    let is_known = |row: usize| {
        let cell = flow::kinds::json_cell(target, row);
        let text = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
        card.classes.contains(&text)
    };
    let known = (0..window.num_rows()).filter(|row| is_known(*row)).map(|row| row as u32);
    arrow::compute::take_record_batch(window, &arrow::array::UInt32Array::from_iter_values(known))
        .map_err(|e| Error::internal("cannot pick rows of a table").because(e))
}

/// True if the challenger is not worse on the rows that were held out from it.
fn is_no_worse(
    challenger: &Package,
    folder: &std::path::Path,
    champion: &Package,
    metric: &MetricDoc,
) -> Result<bool> {
    let card = card_of(challenger)?;
    let table = flow::kinds::labelled_rows(folder, &card.target)?;
    let (now, then) = (value_in(challenger, &table, metric)?, value_in(champion, &table, metric)?);
    Ok(if metric.larger_is_better { now + TOLERANCE >= then } else { now <= then + TOLERANCE })
}

/// Results of a back-test are known while it lasts.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Entry>>);

impl Ledger for Memory {
    fn find(&self, key: &str) -> Result<Option<Entry>> {
        Ok(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).cloned())
    }

    fn last(&self, _pipeline: &str, _step: &str) -> Result<Option<Use>> {
        Ok(None)
    }

    fn put(&self, _pipeline: &str, kept: &[Kept<'_>]) -> Result<()> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.extend(kept.iter().map(|one| (one.entry.key.clone(), one.entry.clone())));
        Ok(())
    }
}

/// Steps of a back-test are not recorded.
struct Nobody;

impl Observer for Nobody {
    fn on_step(&self, _step: &str, _update: &Update) -> Result<()> {
        Ok(())
    }

    fn on_message(&self, _step: &str, _message: &Message) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_and_what_is_none_is_refused_with_examples() {
        assert_eq!(Policy::parse("never"), Ok(Policy::Never));
        assert_eq!(Policy::parse(" every  2 "), Ok(Policy::Every(2)));
        assert_eq!(Policy::parse("psi 0.2"), Ok(Policy::Psi(0.2)));
        assert_eq!(Policy::parse("drop 0.05"), Ok(Policy::Drop(0.05)));
        for text in [
            "",
            "often",
            "every",
            "every 0",
            "every 1.5",
            "psi",
            "psi -1",
            "psi NaN",
            "never 1",
            "psi 0.2 0.3",
        ] {
            let error = Policy::parse(text).expect_err(text);
            assert!(error.hint.is_some_and(|hint| hint.contains("`every 2`")), "{text}");
        }
    }

    #[test]
    fn windows_follow_the_first_rows_and_hold_enough() {
        assert_eq!(cuts(1000, 3), Ok(vec![300, 533, 766, 1000]));
        assert!(cuts(344, 5).is_err() && cuts(344, 4).is_ok());
        assert!(cuts(1_000_000, 0).is_err() && cuts(1_000_000, 51).is_err());
    }
}
