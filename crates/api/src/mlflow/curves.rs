//! The routes about what is measured: points, batches, histories.

use std::collections::BTreeMap;

use base::RunId;
use serde_json::{Value, json};
use store::tracking::Pair;
use store::tracking::logged_models::{self, ModelMetric};
use store::tracking::points::{self, Point};
use store::tracking::script_runs;

use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::runs::doubled;
use super::{Tracking, forms, pages, rules};

/// Metrics in a batch; parameters; tags; all together.
const MOST_METRICS: usize = 1_000;
const MOST_PARAMS: usize = 100;
const MOST_TAGS: usize = 100;
const MOST_IN_BATCH: usize = 1_000;
/// Points of one run in a sample.
const MOST_SAMPLED: i64 = 2_500;
/// Runs whose curves come together, and points of all of them.
const MOST_RUNS: usize = 100;
const MOST_POINTS: i64 = 25_000;
/// Points of a history in one answer where nothing is said.
const WHOLE_HISTORY: u32 = u32::MAX;

/// A point, with the model it is about.
struct Measured {
    key: String,
    point: Point,
    model: Option<(String, Option<String>, Option<String>)>,
}

fn measured(fields: &Fields<'_>) -> Result<Measured, Refusal> {
    let key = fields.need("key")?;
    let missing = |name: &str| Refusal::missing(&fields.place_of(name));
    let value = fields.number("value")?.ok_or_else(|| missing("value"))?;
    let at_ms = fields.whole("timestamp")?.ok_or_else(|| missing("timestamp"))?;
    rules::key(key, "Metric name", &fields.place_of("name"))?;
    if at_ms < 0 {
        let parameter = fields.place_of("timestamp");
        return Err(Refusal::invalid(format!(
            "Invalid value {at_ms} for parameter '{parameter}' supplied: metric '{key}' (value={value:?}). \
             Timestamp must be a nonnegative long (64-bit integer) "
        )));
    }
    let given =
        |name: &str| Ok::<_, Refusal>(fields.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let model = match given("model_id")? {
        Some(id) => Some((id, given("dataset_name")?, given("dataset_digest")?)),
        None => None,
    };
    let point = Point { value, step: fields.whole("step")?.unwrap_or(0), at_ms };
    Ok(Measured { key: key.to_owned(), point, model })
}

/// `POST runs/log-metric`
pub(super) fn log_metric(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    log(tracking, &id, Batch { metrics: vec![measured(fields)?], ..Batch::default() })
}

/// What is logged together.
#[derive(Default)]
struct Batch {
    metrics: Vec<Measured>,
    params: Vec<Pair>,
    tags: Vec<Pair>,
}

impl Batch {
    fn expect_fitting(&self) -> Result<(), Refusal> {
        let all = self.metrics.len() + self.params.len() + self.tags.len();
        for (what, count, most) in [
            ("metrics", self.metrics.len(), MOST_METRICS),
            ("params", self.params.len(), MOST_PARAMS),
            ("tags", self.tags.len(), MOST_TAGS),
            ("metrics, params, and tags", all, MOST_IN_BATCH),
        ] {
            if count > most {
                return Err(Refusal::invalid(format!(
                    "A batch logging request can contain at most {most} {what}. Got {count} {what}. \
                     Please split up {what} across multiple requests and try again."
                )));
            }
        }
        let doubled = doubled(&self.params);
        if doubled.is_empty() {
            return Ok(());
        }
        let quoted: Vec<_> = doubled.iter().map(|key| format!("'{key}'")).collect();
        Err(Refusal::invalid(format!(
            "Duplicate parameter keys have been submitted: [{}]. \
             Please ensure the request contains only one param value per param key.",
            quoted.join(", ")
        )))
    }

    fn curves(&self) -> BTreeMap<String, Vec<Point>> {
        let mut curves: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        for one in &self.metrics {
            curves.entry(one.key.clone()).or_default().push(one.point);
        }
        curves
    }

    /// What is said of models, by model.
    fn models(&self, run_id: &RunId) -> BTreeMap<String, Vec<ModelMetric>> {
        let mut models: BTreeMap<String, Vec<ModelMetric>> = BTreeMap::new();
        for one in &self.metrics {
            let Some((model, dataset_name, dataset_digest)) = &one.model else { continue };
            models.entry(model.clone()).or_default().push(ModelMetric {
                key: one.key.clone(),
                value: one.point.value,
                at_ms: one.point.at_ms,
                step: one.point.step,
                run_id: run_id.to_string(),
                dataset_name: dataset_name.clone(),
                dataset_digest: dataset_digest.clone(),
            });
        }
        models
    }
}

/// `POST runs/log-batch`
pub(super) fn log_batch(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id_of_form(fields)?;
    let keyed = |name: &str, what: &str, most: usize| {
        let read = |one: &Fields<'_>| {
            let key = one.need("key")?;
            rules::key(key, what, &one.place_of("key"))?;
            Ok((key.to_owned(), rules::cut(one.text("value")?.unwrap_or_default(), most)))
        };
        fields.objects(name)?.iter().map(read).collect::<Result<Vec<Pair>, Refusal>>()
    };
    let batch = Batch {
        metrics: fields.objects("metrics")?.iter().map(measured).collect::<Result<_, _>>()?,
        params: keyed("params", "Param key", rules::PARAM_CHARS)?,
        tags: keyed("tags", "Tag key", rules::TAG_CHARS)?,
    };
    batch.expect_fitting()?;
    log(tracking, &id, batch)
}

fn log(tracking: &Tracking, id: &RunId, batch: Batch) -> Answer {
    let (curves, models) = (batch.curves(), batch.models(id));
    for model in models.keys() {
        super::models::find(tracking, model)?;
    }
    let Batch { params, tags, .. } = batch;
    let asked = params.clone();
    let conflicts = tracking.log_to(id, move |e, run| {
        let conflicts = script_runs::add_params(e, &run.id, &params)?;
        if !conflicts.is_empty() {
            // Nothing was written, so there is nothing to take back.
            return Ok(conflicts);
        }
        points::log(e, &run.id, &curves)?;
        for (model, metrics) in &models {
            logged_models::add_metrics(e, model, metrics)?;
        }
        script_runs::set_tags(e, &run.id, &tags)?;
        Ok(conflicts)
    })?;
    if conflicts.is_empty() {
        return Ok(json!({}));
    }
    let new = |key: &str| asked.iter().find(|(one, _)| one == key).map_or("", |(_, value)| value.as_str());
    let shown: Vec<_> = conflicts
        .iter()
        .map(|(key, old)| format!("{{'key': '{key}', 'old_value': '{old}', 'new_value': '{}'}}", new(key)))
        .collect();
    Err(Refusal::invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{id}'.",
        shown.join(", ")
    )))
}

/// `GET metrics/get-history`
pub(super) fn history(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let id = rules::run_id(fields)?;
    let key = fields.need("metric_key")?;
    let limit = match fields.whole("max_results")? {
        None => WHOLE_HISTORY,
        Some(limit) => u32::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| {
            let refusal = pages::not_positive(limit);
            Refusal { message: refusal.message + ".", ..refusal }
        })?,
    };
    let after = pages::begins_after(fields)?;
    // One more than wanted tells whether there is more.
    let mut found =
        tracking.store().read(|db| points::history(db, &id, key, after, limit.saturating_add(1)))?;
    let is_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| is_more).map(pages::after_point);
    Ok(forms::list("metrics", found.iter().map(|point| forms::point(key, point, None)).collect(), next))
}

/// `GET metrics/get-history-bulk-interval`
pub(super) fn sampled(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let ids = several_runs(fields, "run_ids")?;
    let key = fields.need("metric_key")?;
    let most = fields.whole("max_results")?.unwrap_or(MOST_SAMPLED);
    if !(1..=MOST_SAMPLED).contains(&most) {
        return Err(Refusal::invalid(format!(
            "max_results must be between 1 and {MOST_SAMPLED}. \
             See the API docs for more information about request parameters."
        )));
    }
    let range = match (fields.whole("start_step")?, fields.whole("end_step")?) {
        (None, None) => (i64::MIN, i64::MAX),
        (Some(from), Some(to)) if from <= to => (from, to),
        (Some(from), Some(to)) => {
            return Err(Refusal::invalid(format!(
                "end_step must be greater than start_step. Found start_step={from} and end_step={to}."
            )));
        }
        _ => {
            return Err(Refusal::invalid(
                "If either start step or end step are specified, both must be specified.",
            ));
        }
    };
    let mut metrics = Vec::new();
    for id in &ids {
        let found = tracking.store().read(|db| points::sample(db, id, key, range, most.unsigned_abs()))?;
        metrics.extend(found.iter().map(|point| forms::point(key, point, Some(id.as_str()))));
    }
    Ok(forms::list("metrics", metrics, None))
}

/// `GET metrics/get-history-bulk`
pub(super) fn history_of_runs(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let ids = several_runs(fields, "run_id")?;
    let key = fields.need("metric_key")?;
    let most = fields.whole("max_results")?.unwrap_or(MOST_POINTS).clamp(1, MOST_POINTS);
    let most = u32::try_from(most).unwrap_or(1);
    let mut metrics: Vec<Value> = Vec::new();
    for id in &ids {
        let left = most.saturating_sub(u32::try_from(metrics.len()).unwrap_or(most));
        let found = tracking.store().read(|db| points::history(db, id, key, None, left))?;
        metrics.extend(found.iter().map(|point| forms::point(key, point, Some(id.as_str()))));
    }
    Ok(json!({ "metrics": metrics }))
}

fn several_runs(fields: &Fields<'_>, name: &str) -> Result<Vec<RunId>, Refusal> {
    let ids = fields.texts(name)?;
    if ids.is_empty() {
        return Err(Refusal::missing(name));
    }
    if ids.len() > MOST_RUNS {
        return Err(Refusal::invalid(format!(
            "The curves of at most {MOST_RUNS} runs come together. Got {} {name}.",
            ids.len()
        )));
    }
    ids.iter().map(|id| id.parse().map_err(|_| Refusal::no_run(id))).collect()
}
