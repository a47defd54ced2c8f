//! `cross_validate`: train and measure a trainer k times, each time on other rows, to see how good it
//! is and how much that varies.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use base::{Code, Error, Result};
use data::{Column, Kind as ColumnKind, Task};
use learn::random::Stream;
use learn::{Part as Role, Predictions, Prepared, Target, Trainer, Training, metrics};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::evaluate::{METRICS_FILE, ModelMetrics, REPORT_FILE, Report, write_json};
use super::table::{Part, Table, no_target};
use super::train::write_table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `cross_validate`.
pub struct CrossValidate;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The trainer: `linear`, `forest` or `boosting`.
    trainer: String,
    /// The trainer's parameters that differ from its defaults.
    trainer_params: Map<String, Value>,
    /// How many parts the rows are divided into; each is judged once by a model that learnt from the others.
    #[schemars(range(min = 2, max = 50))]
    folds: u32,
    /// How many times all of it is done, each time with other parts.
    #[schemars(range(min = 1, max = 20))]
    repeats: u32,
    /// Gives each part the same mix of classes. Without effect where `group` is given.
    stratify: bool,
    /// Rows that are equal in this column stay in one part, such as those of one patient; empty for none. The
    /// column is no feature.
    #[schemars(extend("x-column" = true))]
    group: String,
    /// Share of the rows learnt from that a trainer which stops early looks at for that.
    #[schemars(range(min = 0.0, max = 0.5))]
    validation: f64,
    /// Another number gives another division.
    seed: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            trainer: "boosting".to_owned(),
            trainer_params: Map::new(),
            folds: 5,
            repeats: 1,
            stratify: true,
            group: String::new(),
            validation: 0.1,
            seed: 1,
        }
    }
}

impl Params {
    fn check(&self) -> Result<(), Misfit> {
        let trainer = Trainer::of(&self.trainer)
            .map_err(|error| Misfit::param("trainer", Error { code: Code::InvalidInput, ..error }))?;
        trainer
            .complete(&Value::Object(self.trainer_params.clone()))
            .map_err(|error| Misfit::param("trainer_params", error))?;
        for (name, value, range) in [("folds", self.folds, 2..=50), ("repeats", self.repeats, 1..=20)] {
            if !range.contains(&value) {
                let error = Error::invalid(format!("`{name}` is {value}"));
                let hint = format!("from {} to {}", range.start(), range.end());
                return Err(Misfit::param(name, error.hint(hint)));
            }
        }
        if !(0.0..=0.5).contains(&self.validation) {
            let error = Error::invalid(format!("`validation` is {}", self.validation));
            return Err(Misfit::param("validation", error.hint("from 0 to 0.5")));
        }
        Ok(())
    }

    /// True if the trainer looks at validation rows to stop.
    fn stops_early(&self, complete: &Value) -> bool {
        self.validation > 0.0 && complete["stop_after"].as_u64().is_some_and(|rounds| rounds > 0)
    }
}

impl Kind for CrossValidate {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "cross_validate",
            version: 1,
            title: "Cross-validate",
            category: Category::Evaluate,
            summary: "Trains and measures k times on other rows each time.",
            doc: "Divides the training and validation rows into folds; each fold is judged by a model that learnt \
                  from all others. The metrics are the means over the folds, and `<metric>_deviation` is the \
                  standard deviation (n - 1). Test rows are left alone. Transforms before this step learnt from \
                  all training rows, also from those of the fold that is judged: with few rows, keep what looks \
                  at the target (such as a target encoding) out of the way.",
            synonyms: &["cv", "k-fold", "kfold", "cross_val_score", "resampling", "repeated", "grouped"],
            inputs: const { &[Port::one("table", PortType::Table, "A prepared table with a target.")] },
            outputs: const {
                &[
                    Port::one("metrics", PortType::Metrics, "Means and deviations over the folds."),
                    Port::one("report", PortType::Report, "What each fold measured, in words."),
                    Port::one("table", PortType::Table, "What each fold measured, a row a fold."),
                ]
            },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.check()?;
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        let Some(target) = &shape.target else { return Err(no_target().into()) };
        shape.column(target)?;
        if !params.group.is_empty() {
            shape.column(&params.group).map_err(|error| Misfit::param("group", error))?;
        }
        let is_text = |column: &&Column| {
            column.kind == ColumnKind::Text && column.name != *target && column.name != params.group
        };
        if let Some(column) = shape.columns.iter().find(is_text) {
            let error =
                Error::invalid(format!("column `{}` is text, which a trainer cannot use", column.name));
            return Err(error.hint("put an `encode` step before this one, or drop the column").into());
        }
        let columns = shape.task.map(|task| {
            let whole = ["repeat", "fold", "rows"].map(|name| Column::new(name, ColumnKind::Integer));
            let metrics = metric_names(task).into_iter().map(|name| Column::new(name, ColumnKind::Number));
            whole.into_iter().chain(metrics).collect()
        });
        Ok(columns.map(|columns| TableShape { columns, ..TableShape::default() }))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let table = Table::read(work.input("table")?)?;
        let target = table.target()?.to_owned();
        let task = table.meta.task.ok_or_else(no_target)?;
        let columns: Vec<Column> =
            table.meta.columns.iter().filter(|column| column.name != params.group).cloned().collect();
        let prepared = learn::prepare(&columns, std::slice::from_ref(&table.rows), &target, task)?;
        let rows = rows_to_use(&table, &prepared);
        let units = units(&table, &prepared, &rows, &params.group)?;
        let measured = measure_all(params, &prepared, (&rows, &units), work)?;
        let judged = Judged { names: metric_names(task), folds: measured, rows: rows.len() };
        judged.write(params, &prepared, work)
    }
}

/// What one fold measured.
struct Fold {
    repeat: u32,
    fold: u32,
    rows: usize,
    metrics: BTreeMap<&'static str, f64>,
}

/// Positions among the prepared rows that are not kept for the last judgement.
fn rows_to_use(table: &Table, prepared: &Prepared) -> Vec<u32> {
    let parts = table.parts();
    let is_used = |at: &u32| parts[prepared.rows[*at as usize] as usize] != Part::Test.number();
    (0..prepared.rows.len() as u32).filter(is_used).collect()
}

/// What must stay together: for each row, the number of its group, or its own.
fn units(table: &Table, prepared: &Prepared, rows: &[u32], group: &str) -> Result<Vec<usize>> {
    if group.is_empty() {
        return Ok((0..rows.len()).collect());
    }
    let text = arrow::compute::cast(table.column(group)?, &DataType::Utf8)
        .map_err(|e| Error::internal("cannot read the groups").because(e))?;
    let text = text.as_string::<i32>();
    let mut numbers: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let unit = |at: &u32| {
        let row = prepared.rows[*at as usize] as usize;
        let value = (!arrow::array::Array::is_null(text, row)).then(|| text.value(row));
        let next = numbers.len();
        *numbers.entry(value).or_insert(next)
    };
    Ok(rows.iter().map(unit).collect())
}

/// The fold of each row. Units are dealt out in a random order, class by class where the mix of
/// classes is to be the same, so that folds differ by one row at most; groups go to the fold that
/// has the fewest rows so far, the largest group first.
fn divide(
    units: &[usize],
    classes: Option<&[u32]>,
    (folds, is_grouped): (usize, bool),
    stream: &mut Stream,
) -> Result<Vec<usize>> {
    let count = units.iter().max().map_or(0, |most| most + 1);
    if count < folds {
        let what = if is_grouped { "groups" } else { "rows" };
        return Err(Error::invalid(format!("{count} {what} cannot be divided into {folds} folds"))
            .hint("ask for fewer folds"));
    }
    let mut sizes = vec![0_usize; count];
    units.iter().for_each(|unit| sizes[*unit] += 1);
    let mut order: Vec<usize> = (0..count).collect();
    stream.shuffle(&mut order);
    let mut fold_of = vec![0; count];
    if is_grouped {
        order.sort_by_key(|unit| std::cmp::Reverse(sizes[*unit]));
        let mut filled = vec![0_usize; folds];
        for unit in order {
            let fold = (0..folds).min_by_key(|fold| filled[*fold]).unwrap_or(0);
            filled[fold] += sizes[unit];
            fold_of[unit] = fold;
        }
    } else {
        if let Some(classes) = classes {
            order.sort_by_key(|unit| classes[*unit]);
        }
        for (at, unit) in order.into_iter().enumerate() {
            fold_of[unit] = at % folds;
        }
    }
    Ok(units.iter().map(|unit| fold_of[*unit]).collect())
}

fn measure_all(
    params: &Params,
    prepared: &Prepared,
    (rows, units): (&[u32], &[usize]),
    work: &Work,
) -> Result<Vec<Fold>> {
    let trainer = Trainer::of(&params.trainer)?;
    let settings = trainer.complete(&Value::Object(params.trainer_params.clone()))?;
    let target = prepared.training.target.take(rows);
    let classes = match &target {
        Target::Classes { codes, .. } if params.stratify => Some(codes.as_slice()),
        Target::Classes { .. } | Target::Numbers(_) => None,
    };
    let total = u64::from(params.repeats * params.folds);
    let mut measured = Vec::new();
    for repeat in 0..params.repeats {
        let mut stream = Stream::new(u64::from(params.seed), "folds", u64::from(repeat));
        let grouped = (params.folds as usize, !params.group.is_empty());
        let fold_of = divide(units, classes, grouped, &mut stream)?;
        for fold in 0..params.folds {
            work.progress.step("training", measured.len() as u64, Some(total))?;
            let judged = |at: usize| fold_of[at] == fold as usize;
            let learnt: Vec<usize> = (0..rows.len()).filter(|at| !judged(*at)).collect();
            let held: Vec<u32> = (0..rows.len()).filter(|at| judged(*at)).map(|at| rows[at]).collect();
            let parts =
                params.stops_early(&settings).then(|| roles(&learnt, units, params.validation, &mut stream));
            let learnt: Vec<u32> = learnt.into_iter().map(|at| rows[at]).collect();
            let training = Training {
                features: prepared.training.features.take(&learnt),
                target: prepared.training.target.take(&learnt),
                weights: None,
                parts,
            };
            let fitted = trainer
                .fit(&training, &settings, &work.progress, |_| ())
                .map_err(|error| error.within(format!("fold {} cannot be trained", fold + 1)))?;
            let said = fitted.model.predict(&prepared.training.features.take(&held));
            let metrics = measures(&prepared.training.target.take(&held), &said);
            let fold = Fold { repeat, fold, rows: held.len(), metrics };
            work.log(&line(&fold));
            measured.push(fold);
        }
    }
    Ok(measured)
}

/// Whole units at random until their share is reached are to stop by; the others to learn from.
fn roles(learnt: &[usize], units: &[usize], share: f64, stream: &mut Stream) -> Vec<Role> {
    let mut order: Vec<usize> = learnt.iter().map(|at| units[*at]).collect();
    order.sort_unstable();
    order.dedup();
    stream.shuffle(&mut order);
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    learnt.iter().for_each(|at| *sizes.entry(units[*at]).or_default() += 1);
    let wanted = (share * learnt.len() as f64).round() as usize;
    let mut taken = 0;
    let chosen: std::collections::BTreeSet<usize> = order
        .into_iter()
        .take_while(|unit| {
            let goes_on = taken < wanted;
            taken += sizes[unit];
            goes_on
        })
        .collect();
    let role = |at: &usize| if chosen.contains(&units[*at]) { Role::Validation } else { Role::Train };
    learnt.iter().map(role).collect()
}

fn line(fold: &Fold) -> String {
    let shown = fold.metrics.iter().map(|(name, value)| format!("{name} {}", base::number(*value, 4)));
    let shown: Vec<String> = shown.collect();
    format!("repeat {}, fold {}: {} rows, {}", fold.repeat + 1, fold.fold + 1, fold.rows, shown.join(", "))
}

/// The metrics that models of a task are measured by: those of some predictions that are partly right.
fn metric_names(task: Task) -> Vec<&'static str> {
    const ROWS: usize = 12;
    let (truth, said) = match task {
        Task::Regression => {
            let values: Vec<f64> = (1..=ROWS).map(|row| row as f64).collect();
            (Target::Numbers(values.clone()), Predictions::Numbers(values))
        }
        Task::Binary | Task::Multiclass => {
            let count = if task == Task::Binary { 2 } else { 3 };
            let codes = (0..ROWS as u32).map(|row| row % count as u32).collect();
            let values = vec![1.0 / count as f64; ROWS * count];
            (Target::Classes { codes, count }, Predictions::Probabilities { classes: count, values })
        }
    };
    measures(&truth, &said).into_keys().collect()
}

/// The metrics of predictions, but for the interval of the AUC: that of a fold says nothing that the
/// deviation over the folds does not say better.
fn measures(truth: &Target, said: &Predictions) -> BTreeMap<&'static str, f64> {
    let found = metrics::evaluate(truth, said).into_iter();
    found.filter(|(name, _)| !["auc_low", "auc_high"].contains(name)).collect()
}

/// What all folds measured.
struct Judged {
    names: Vec<&'static str>,
    folds: Vec<Fold>,
    rows: usize,
}

impl Judged {
    /// Means and deviations by metric.
    fn summary(&self) -> BTreeMap<String, f64> {
        let mut all = BTreeMap::new();
        for name in &self.names {
            // A fold without a class has no AUC; the others still have one.
            let values: Vec<f64> = self
                .folds
                .iter()
                .filter_map(|fold| fold.metrics.get(name).copied())
                .filter(|value| value.is_finite())
                .collect();
            if !values.is_empty() {
                let (mean, deviation) = mean_and_deviation(&values);
                all.insert((*name).to_owned(), mean);
                all.insert(format!("{name}_deviation"), deviation);
            }
        }
        all
    }

    fn write(&self, params: &Params, prepared: &Prepared, work: &Work) -> Result<Outcome> {
        let metrics = ModelMetrics {
            metrics: self.summary(),
            on: format!("{} folds", self.folds.len()),
            rows: self.rows as u64,
            trainer: params.trainer.clone(),
        };
        write_json(&work.output("metrics")?.join(METRICS_FILE), &metrics)?;
        let ignored = prepared.ignored.iter().map(|(column, why)| format!("`{column}` is not used: {why}"));
        let notes = ignored.chain(self.folds.iter().map(line)).collect();
        write_json(&work.output("report")?.join(REPORT_FILE), &Report { figures: Vec::new(), notes })?;
        write_table(&work.output("table")?, self.columns())?;
        Ok(Outcome { summary: face(&metrics.metrics), metrics: metrics.metrics, ..Outcome::default() })
    }

    fn columns(&self) -> (Vec<Column>, Vec<ArrayRef>) {
        let whole = |name: &str, value: fn(&Fold) -> i64| {
            let values: Int64Array = self.folds.iter().map(|fold| Some(value(fold))).collect();
            (Column::new(name, ColumnKind::Integer), Arc::new(values) as ArrayRef)
        };
        let counted = [
            whole("repeat", |fold| i64::from(fold.repeat) + 1),
            whole("fold", |fold| i64::from(fold.fold) + 1),
            whole("rows", |fold| fold.rows as i64),
        ];
        let metric = |name: &&'static str| {
            let values: Float64Array =
                self.folds.iter().map(|fold| fold.metrics.get(name).copied()).collect();
            (Column::new(*name, ColumnKind::Number), Arc::new(values) as ArrayRef)
        };
        counted.into_iter().chain(self.names.iter().map(metric)).unzip()
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, if values.len() < 2 { 0.0 } else { (squares / (count - 1.0)).sqrt() })
}

/// The line on the node's face: the metric that matters most, with its deviation.
fn face(metrics: &BTreeMap<String, f64>) -> String {
    let shown = super::evaluate::face(metrics);
    let order = ["auc", "accuracy", "r2", "rmse"];
    let deviation = order.iter().find(|name| metrics.contains_key(**name));
    match deviation.and_then(|name| metrics.get(&format!("{name}_deviation"))) {
        Some(deviation) => format!("{shown} ± {}", base::number(*deviation, 2)),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream::new(1, "test", 0)
    }

    #[test]
    fn folds_are_even_and_have_the_same_mix_of_classes() {
        let units: Vec<usize> = (0..103).collect();
        let classes: Vec<u32> = units.iter().map(|at| u32::from(at % 10 == 0)).collect();
        let folds = divide(&units, Some(&classes), (5, false), &mut stream()).expect("enough rows");
        for fold in 0..5 {
            let inside = units.iter().filter(|at| folds[**at] == fold);
            let (rows, rare) = inside.fold((0, 0), |(rows, rare), at| (rows + 1, rare + classes[*at]));
            assert!((20..=21).contains(&rows), "fold {fold}: {rows} rows");
            assert!((2..=3).contains(&rare), "fold {fold}: {rare} rare rows");
        }
    }

    #[test]
    fn a_group_is_in_one_fold_only() {
        let units: Vec<usize> = (0..100).map(|at| at % 13).collect();
        let folds = divide(&units, None, (4, true), &mut stream()).expect("enough groups");
        for group in 0..13 {
            let mut inside: Vec<usize> =
                (0..100).filter(|at| units[*at] == group).map(|at| folds[at]).collect();
            inside.dedup();
            assert_eq!(inside.len(), 1, "group {group}");
        }
        let error = divide(&units, None, (20, true), &mut stream()).expect_err("too few groups");
        assert_eq!(error.message, "13 groups cannot be divided into 20 folds");
    }

    #[test]
    fn rows_to_stop_by_are_whole_groups_and_about_their_share() {
        let units: Vec<usize> = (0..100).map(|at| at / 5).collect();
        let learnt: Vec<usize> = (0..80).collect();
        let roles = roles(&learnt, &units, 0.1, &mut stream());
        let held = roles.iter().filter(|role| **role == Role::Validation).count();
        assert_eq!(held, 10);
        for group in 0..16 {
            let inside = &roles[group * 5..group * 5 + 5];
            assert!(inside.iter().all(|role| *role == inside[0]), "group {group} is divided");
        }
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(mean_and_deviation(&[1.0, 2.0, 3.0]), (2.0, 1.0));
        assert_eq!(mean_and_deviation(&[4.0]), (4.0, 0.0));
    }
}
