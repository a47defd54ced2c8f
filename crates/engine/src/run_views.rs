//! Runs as the screens show them: a row of the table, a page with steps and models, a comparison.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Error, Result, RunId};
use flow::file::Pipeline;
use flow::kinds::{CURVES_FILE, FIGURES_FILE, ModelMetrics, Report};
use serde_json::Value;
use store::projects::Project;
use store::run_list::{Nesting, RunFilter, RunOrder};
use store::runs::{self, Run, RunState as StoredRunState};
use store::steps::{self, StepRun, StepState as StoredStepState};
use store::{Page, metrics};

use crate::Engine;
use crate::commands::documents::PipelineDoc;
use crate::commands::figures::{Figure, views};
use crate::commands::runs::{
    ComparedModel, Comparison, DatasetLink, MetricView, ModelLink, OutputView, RunDetail, RunState,
    RunSummary, StepCurve, TrainedModel,
};
use crate::models::main_metric;
use crate::step_views::files_in;

/// A run with what is needed to say anything about it.
pub(crate) struct Told {
    pub(crate) run: Run,
    pub(crate) pipeline: Pipeline,
    pub(crate) steps: Vec<StepRun>,
    pub(crate) metrics: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Told {
    /// True for a run by a script: it is of no pipeline.
    fn is_by_script(&self) -> bool {
        self.run.pipeline.is_empty()
    }

    /// The step that trained the model behind an output, followed through evaluate and compare.
    fn trainer_behind(&self, step: &str) -> Option<String> {
        let mut at = step.to_owned();
        for _ in 0..self.pipeline.steps.len() {
            let found = self.pipeline.steps.iter().find(|one| one.id == at)?;
            if found.kind.starts_with("train_") {
                return Some(at);
            }
            let chosen = self.steps.iter().find(|one| one.step_id == at)?.summary["chosen"]
                .as_str()
                .map(str::to_owned);
            let wired = found
                .inputs
                .get("model")
                .or_else(|| found.inputs.get("models"))
                .and_then(|wires| wires.first());
            at = chosen.or_else(|| wired.map(|wire| wire.step.clone()))?;
        }
        None
    }

    /// The step that evaluated what this step trained.
    fn evaluation_of(&self, trainer: &str) -> Option<&str> {
        let is_of = |wires: &Vec<flow::file::Wire>| wires.iter().any(|wire| wire.step == trainer);
        let evaluations = self.pipeline.steps.iter().filter(|step| step.kind == "evaluate");
        evaluations
            .filter(|step| step.inputs.get("model").is_some_and(is_of))
            .map(|step| step.id.as_str())
            .next()
    }

    /// The step that evaluated what this step trained, if it ended well.
    pub(crate) fn evaluated_row(&self, trainer: &str) -> Option<&StepRun> {
        self.evaluation_of(trainer).and_then(|step| self.row(step)).filter(|row| is_good(row.state))
    }

    pub(crate) fn row(&self, step: &str) -> Option<&StepRun> {
        self.steps.iter().find(|row| row.step_id == step)
    }

    /// The step that trained the best model: the one that compare chose, else the best evaluated.
    fn best(&self) -> Option<String> {
        let chosen = self
            .steps
            .iter()
            .filter(|row| row.kind == "compare")
            .find_map(|row| row.summary["chosen"].as_str());
        if let Some(chosen) = chosen {
            return self.trainer_behind(chosen);
        }
        let evaluated = self.trainers().filter_map(|trainer| {
            let metrics = self.metrics.get(self.evaluation_of(&trainer)?)?;
            let (_, value, higher) = main_metric(&serde_json::json!(metrics))?;
            Some((if higher { value } else { -value }, trainer))
        });
        evaluated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, trainer)| trainer)
    }

    fn trainers(&self) -> impl Iterator<Item = String> {
        self.pipeline.steps.iter().filter(|step| step.kind.starts_with("train_")).map(|step| step.id.clone())
    }

    fn registrations(&self) -> impl Iterator<Item = (&StepRun, ModelLink)> {
        self.steps
            .iter()
            .filter_map(|row| Some((row, serde_json::from_value(row.summary["registered"].clone()).ok()?)))
    }

    /// The models that were trained, best first.
    pub(crate) fn models(&self) -> Vec<TrainedModel> {
        let best = self.best();
        let mut models: Vec<TrainedModel> = self
            .trainers()
            .filter(|step| self.row(step).is_some_and(|row| is_good(row.state)))
            .map(|step| self.model(&step, best.as_deref()))
            .collect();
        let rank = |model: &TrainedModel| {
            let value = main_metric(&serde_json::json!(model.metrics));
            value.map_or(f64::NEG_INFINITY, |(_, value, higher)| if higher { value } else { -value })
        };
        models.sort_by(|a, b| b.is_best.cmp(&a.is_best).then(rank(b).total_cmp(&rank(a))));
        models
    }

    fn model(&self, step: &str, best: Option<&str>) -> TrainedModel {
        let declared = self.pipeline.steps.iter().find(|one| one.id == step);
        let kind = declared.and_then(|one| flow::kinds::find(&one.kind).ok());
        let given = declared.map(|one| one.params.clone()).unwrap_or_default();
        let params = kind.and_then(|kind| kind.complete(&given).ok()).unwrap_or(given);
        let registered =
            self.registrations().find(|(row, _)| self.trainer_behind(&row.step_id).as_deref() == Some(step));
        let evaluated = self.evaluation_of(step).and_then(|evaluation| self.metrics.get(evaluation));
        TrainedModel {
            step: step.to_owned(),
            trainer: kind.map_or_else(String::new, |kind| kind.declaration().title.to_owned()),
            params: params.into_iter().collect(),
            metrics: evaluated.cloned().unwrap_or_default(),
            is_best: best == Some(step),
            registered: registered.map(|(_, link)| link),
        }
    }

    /// The row of the runs table.
    pub(crate) fn summary(&self, datasets: Vec<DatasetLink>, now: i64) -> RunSummary {
        let best_step = self.best();
        let metrics = best_step
            .as_deref()
            .and_then(|best| self.evaluation_of(best))
            .and_then(|step| self.metrics.get(step))
            // What a script measures belongs to no step.
            .or_else(|| self.metrics.get("").filter(|_| self.is_by_script()));
        let started_at = self.run.started_at.unwrap_or(self.run.created_at).as_ms();
        let ended = self.run.finished_at.map(base::Timestamp::as_ms);
        let is_over = self.run.state.is_final();
        RunSummary {
            id: self.run.id.to_string(),
            number: self.run.number,
            pipeline: self.run.pipeline.clone(),
            name: Some(self.run.name.clone()).filter(|name| !name.is_empty()),
            experiment: Some(self.run.experiment.clone()).filter(|_| self.is_by_script()),
            state: run_state(self.run.state),
            started_at,
            duration_ms: if is_over { ended.map(|at| at - started_at) } else { Some(now - started_at) },
            cached: self.steps.iter().filter(|row| row.state == StoredStepState::Cached).count() as u32,
            steps: self.steps.len() as u32,
            // What is not finite is no number of JSON.
            metrics: metrics
                .map(|all| all.iter().filter(|(_, value)| value.is_finite()))
                .map(|all| all.map(|(name, value)| (name.clone(), *value)).collect())
                .unwrap_or_default(),
            best_step,
            datasets,
            models: self.registrations().map(|(_, link)| link).collect(),
            note: Some(self.run.note.clone()).filter(|note| !note.is_empty()),
        }
    }
}

pub(crate) fn is_good(state: StoredStepState) -> bool {
    matches!(state, StoredStepState::Done | StoredStepState::Cached)
}

impl Engine {
    /// A run by its id, by its number in the project that is open (`12` or `#12`), or by that in
    /// another one (`birds#12`).
    pub(crate) fn run(&self, text: &str) -> Result<Run> {
        let (project, number) = text.rsplit_once('#').unwrap_or(("", text));
        if let (Ok(number), true) = (number.parse::<u32>(), number.len() < 10) {
            let project = self.project(Some(project).filter(|name| !name.is_empty()))?;
            return self.store().read(|db| runs::numbered(db, &project.id, number));
        }
        let id: RunId = text.parse()?;
        self.store().read(|db| runs::get(db, &id))
    }

    /// Everything the index and the objects know of a run.
    pub(crate) fn told(&self, run: Run) -> Result<Told> {
        let pipeline = match &run.pipeline_digest {
            Some(digest) => {
                let text = self.store().objects().read(digest)?;
                Pipeline::parse(&String::from_utf8_lossy(&text))?
            }
            None => Pipeline::of(&run.pipeline, Vec::new()),
        };
        let (steps, last) =
            self.store().read(|db| Ok((steps::list(db, &run.id)?, metrics::last(db, &run.id)?)))?;
        let mut metrics: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for one in last {
            metrics.entry(one.step_id).or_default().insert(one.last.key, one.last.value);
        }
        Ok(Told { run, pipeline, steps, metrics })
    }

    /// The row of the runs table.
    pub(crate) fn run_summary(&self, run: Run) -> Result<RunSummary> {
        let told = self.told(run)?;
        Ok(told.summary(self.run_datasets(&told.run.id)?, self.store().clock().now().as_ms()))
    }

    fn run_datasets(&self, id: &RunId) -> Result<Vec<DatasetLink>> {
        self.store().read(|db| {
            let inputs = runs::inputs(db, id)?;
            let link = |(_, version): (String, base::VersionId)| {
                let version = store::datasets::version(db, &version)?;
                let dataset = store::datasets::get(db, &version.dataset_id)?;
                Ok(DatasetLink { dataset: dataset.name, version: version.number })
            };
            inputs.into_iter().map(link).collect()
        })
    }

    /// The last run of a pipeline.
    pub(crate) fn last_run(&self, project: &Project, pipeline: &str) -> Result<Option<RunSummary>> {
        let filter = RunFilter {
            project_id: Some(project.id.clone()),
            pipeline: Some(pipeline.to_owned()),
            nesting: Nesting::Outermost,
            ..RunFilter::default()
        };
        let found =
            self.store().read(|db| store::run_list::list(db, &filter, &RunOrder::Newest, Page::new(0, 1)))?;
        found.into_iter().next().map(|run| self.run_summary(run)).transpose()
    }

    /// The page of a run.
    pub(crate) fn run_detail(&self, run: Run) -> Result<RunDetail> {
        let told = self.told(run)?;
        let datasets = self.run_datasets(&told.run.id)?;
        let now = self.store().clock().now().as_ms();
        Ok(RunDetail {
            summary: told.summary(datasets, now),
            doc: PipelineDoc::from(&told.pipeline),
            steps: told.steps.iter().map(|row| told.step_view(row, now)).collect(),
            error: told.run.error.clone().map(Into::into),
            environment: environment(&told.run),
            models: told.models(),
            script: self.script_view(&told.run.id)?,
            origin: self.run_origin(&told.run.id)?,
            resumed_by: self.resumed_by(&told.run.id)?,
        })
    }

    /// What came out of a port.
    pub(crate) fn run_output(
        &self,
        run: Run,
        step: &str,
        port: &str,
        offset: u64,
        limit: u64,
    ) -> Result<OutputView> {
        let told = self.told(run)?;
        let row = told.row(step).ok_or_else(|| Error::not_found(format!("the run has no step `{step}`")))?;
        let given = told.pipeline.steps.iter().find(|one| one.id == step).map(|one| one.params.clone());
        let ports = flow::kinds::find(&row.kind)?.ports(&given.unwrap_or_default());
        let port = ports
            .map_err(|misfit| misfit.error)?
            .outputs
            .into_iter()
            .find(|one| one.name == port)
            .ok_or_else(|| Error::not_found(format!("`{}` has no output `{port}`", row.kind)))?;
        let folder = row.key.as_ref().map(|key| self.results().artifact(key, &port.name));
        let Some(folder) = folder.filter(|folder| is_good(row.state) && folder.is_dir()) else {
            return Ok(OutputView::Gone);
        };
        use flow::kind::PortType;
        Ok(match port.port_type {
            PortType::Table => {
                let table = data::TableFile::open(&folder)?;
                OutputView::Table { page: table.page(offset, limit, None)?.into() }
            }
            PortType::Model => {
                let trainer = told.trainer_behind(step).unwrap_or_else(|| step.to_owned());
                let model = Box::new(told.model(&trainer, told.best().as_deref()));
                OutputView::Model { model, figures: figures_in(&folder)? }
            }
            PortType::Metrics => OutputView::Metrics {
                metrics: ModelMetrics::read(&folder)?.map(|all| all.metrics).unwrap_or_default(),
            },
            PortType::Files => OutputView::Files { files: files_in(&folder)? },
            PortType::Report => match Report::read(&folder)? {
                Some(report) => OutputView::Report { figures: views(report.figures), notes: report.notes },
                None => OutputView::Gone,
            },
        })
    }

    /// The curves of a run: those of steps that train now, else those that were kept.
    pub(crate) fn run_curves(&self, run: Run) -> Result<Vec<StepCurve>> {
        if run.pipeline.is_empty() {
            return self.script_curves(&run.id);
        }
        let live = self.curves().of(&run.id);
        let told = self.told(run)?;
        let mut curves = Vec::new();
        for step in told.trainers() {
            if let Some(curve) = live.iter().find(|curve| curve.step == step) {
                curves.push(curve.clone());
                continue;
            }
            let key = told.row(&step).and_then(|row| row.key.clone());
            let path = key.map(|key| self.results().artifact(&key, "model").join(CURVES_FILE));
            if let Some(text) = path.and_then(|path| std::fs::read(path).ok()) {
                let kept: Vec<learn::CurvePoint> = serde_json::from_slice(&text).unwrap_or_default();
                let metric = kept.first().map(|point| point.metric.clone()).unwrap_or_default();
                let points = kept.iter().map(|point| (f64::from(point.round), point.train, point.validation));
                curves.push(StepCurve { step, metric, points: points.collect() });
            }
        }
        Ok(curves)
    }

    /// Where the evaluated models of a run are kept, by the step that trained them.
    pub(crate) fn model_folders(&self, run: Run) -> Result<BTreeMap<String, PathBuf>> {
        let told = self.told(run)?;
        let folders = told.models().into_iter().filter_map(|model| {
            let key = told.evaluated_row(&model.step)?.key.as_ref()?;
            Some((model.step.clone(), self.results().artifact(key, "model")))
        });
        Ok(folders.collect())
    }

    /// The models of runs side by side, best first.
    pub(crate) fn compare_runs(&self, ids: &[String]) -> Result<Comparison> {
        if ids.is_empty() || ids.len() > 50 {
            return Err(
                Error::invalid(format!("cannot compare {} runs", ids.len())).hint("choose 1 to 50 runs")
            );
        }
        let mut compared = Vec::new();
        for id in ids {
            let told = self.told(self.run(id)?)?;
            for model in told.models() {
                let folder = told
                    .evaluated_row(&model.step)
                    .and_then(|row| row.key.as_ref())
                    .map(|key| self.results().artifact(key, "model"));
                let figures = folder.map(|folder| figures_in(&folder)).transpose()?.unwrap_or_default();
                compared.push(ComparedModel {
                    run_id: told.run.id.to_string(),
                    run_number: told.run.number,
                    model,
                    figures,
                });
            }
        }
        let by = compared.iter().find_map(|one| main_metric(&serde_json::json!(one.model.metrics)));
        let (by, higher) = by.map_or(("auc", true), |(name, _, higher)| (name, higher));
        let rank = |one: &ComparedModel| {
            let value = one.model.metrics.get(by).copied().unwrap_or(f64::NAN);
            if value.is_nan() {
                f64::NEG_INFINITY
            } else if higher {
                value
            } else {
                -value
            }
        };
        compared.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        Ok(Comparison {
            metrics: metric_views(&compared),
            params: differing(&compared),
            models: compared,
            by: by.to_owned(),
        })
    }
}

fn metric_views(models: &[ComparedModel]) -> Vec<MetricView> {
    let is_there = |name: &str| models.iter().any(|one| one.model.metrics.contains_key(name));
    let known = learn::metrics::METRICS.iter().filter(|metric| is_there(metric.name));
    known
        .map(|metric| MetricView {
            name: metric.name.to_owned(),
            title: metric.title.to_owned(),
            higher_is_better: metric.larger_is_better,
            doc: metric.doc.to_owned(),
        })
        .collect()
}

/// Parameters that are not the same for all models.
fn differing(models: &[ComparedModel]) -> BTreeMap<String, Vec<Option<Value>>> {
    let names = models.iter().flat_map(|one| one.model.params.keys().cloned());
    let rows = names.map(|name| {
        let values: Vec<Option<Value>> =
            models.iter().map(|one| one.model.params.get(&name).cloned()).collect();
        (name, values)
    });
    rows.filter(|(_, values)| values.iter().any(|value| *value != values[0])).collect()
}

/// The figures beside a model.
pub(crate) fn figures_in(folder: &Path) -> Result<Vec<Figure>> {
    kept_figures(folder).map(views)
}

/// The figures of a model as they were kept.
pub(crate) fn kept_figures(folder: &Path) -> Result<Vec<learn::figures::Figure>> {
    match std::fs::read(folder.join(FIGURES_FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|e| Error::new(base::Code::Corrupt, "cannot read the figures of a model").because(e)),
        Err(_) => Ok(Vec::new()),
    }
}

/// What is known of the surroundings of a run of a pipeline.
pub(crate) fn environment(run: &Run) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        ("fettle".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("system".to_owned(), format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
    ]);
    if let Some(threads) = run.threads {
        all.insert("threads".to_owned(), threads.to_string());
    }
    if let Some(commit) = &run.git_commit {
        all.insert("git commit".to_owned(), commit.clone());
    }
    if let Some(digest) = &run.pipeline_digest {
        all.insert("pipeline".to_owned(), digest.to_hex());
    }
    all
}

pub(crate) fn run_state(state: StoredRunState) -> RunState {
    match state {
        StoredRunState::Queued => RunState::Queued,
        StoredRunState::Running => RunState::Running,
        StoredRunState::Done => RunState::Done,
        StoredRunState::Failed => RunState::Failed,
        StoredRunState::Cancelled => RunState::Cancelled,
        StoredRunState::Interrupted => RunState::Interrupted,
    }
}
