//! Why a version says what it says: contributions for one row and for a changed one, what matters on
//! the whole, and how the answers follow a column. All of it on the rows that the package keeps.

use std::path::Path;

use base::{Code, Error, Progress, Result};
use learn::explain::{
    EffectSettings, Explainer, Explanation, PermutationSettings, effect, importance_metric,
    package_importance,
};
use learn::model_tests::Rows;
use score::{Batch, Card, Kind, Package, Values};
use serde_json::{Map, Value, json};
use store::models::ModelVersion;

use super::tests::card_of;
use crate::Engine;
use crate::commands::explaining::{
    ColumnContributions, ColumnImportance, ContributionSummary, EffectPointView, EffectView, ExplainedOutput,
    ExplainedRow, ImportanceView, WhatIfView,
};

/// Rows that mean contributions are taken over.
const EXPLAINED_ROWS: usize = 200;
/// More columns than this are not told row by row: those that add most are.
const SUMMARISED_COLUMNS: usize = 20;

/// The row that a what-if begins with.
pub(crate) enum Which {
    /// The example of the package.
    Example,
    /// Values by input.
    Given(Map<String, Value>),
    /// A row that the package keeps, by its place from 0.
    Kept(u32),
}

impl Engine {
    /// What a version says of a row, and of the row with changes, and why.
    pub(crate) fn what_if(
        &self,
        version: &ModelVersion,
        row: Which,
        changes: &Map<String, Value>,
    ) -> Result<WhatIfView> {
        let folder = self.package_dir(&version.package)?;
        let package = Package::load(&folder)?;
        let card = card_of(&package)?;
        let kept = kept_rows(&folder, card)?;
        let (before, truth) = match row {
            Which::Example => {
                (card.golden.as_ref().map(|golden| golden.inputs.clone()).unwrap_or_default(), Value::Null)
            }
            Which::Given(row) => (row, Value::Null),
            Which::Kept(place) => kept.as_ref().ok_or_else(no_rows)?.row(place)?,
        };
        let mut after = before.clone();
        after.extend(changes.clone());
        let pair = batch_of(card, &[&before, &after])?;
        let said = package.predict(&pair)?;
        let explained = Explainer::new(&package, kept.as_ref().map_or(&pair, |kept| &kept.inputs))
            .and_then(|explainer| explainer.explain(&pair, &Progress::silent()));
        let (explained, note) = match explained {
            Ok(explained) => (Some(explained), None),
            Err(error) if error.code == Code::InvalidInput => (None, Some(error.message)),
            Err(error) => return Err(error),
        };
        let view = |at: usize, inputs: Map<String, Value>| ExplainedRow {
            inputs,
            outputs: said.columns.iter().map(|(name, values)| (name.clone(), values.json(at))).collect(),
            explained: explained.as_ref().map(|explained| outputs_of(explained, at)).unwrap_or_default(),
        };
        let scale = explained.as_ref().map(scale_word);
        Ok(WhatIfView {
            before: view(0, before),
            after: view(1, after),
            scale,
            note,
            kept: kept.map_or(0, |kept| kept.inputs.rows as u32),
            truth,
        })
    }

    /// How the answers of a version follow one column.
    pub(crate) fn effect(
        &self,
        version: &ModelVersion,
        column: &str,
        progress: &Progress,
    ) -> Result<EffectView> {
        let folder = self.package_dir(&version.package)?;
        let package = Package::load(&folder)?;
        let rows = kept_rows(&folder, card_of(&package)?)?.ok_or_else(no_rows)?.inputs;
        let found = effect(&package, &rows, column, EffectSettings::default(), progress)?;
        let point = |point: learn::explain::EffectPoint| EffectPointView {
            value: point.value,
            means: point.means,
            curves: point.curves,
        };
        Ok(EffectView {
            column: found.column,
            outputs: found.outputs,
            rows: found.rows as u32,
            points: found.points.into_iter().map(point).collect(),
        })
    }

    /// What each column matters to a version.
    pub(crate) fn importance(&self, version: &ModelVersion, progress: &Progress) -> Result<ImportanceView> {
        let folder = self.package_dir(&version.package)?;
        let package = Package::load(&folder)?;
        let card = card_of(&package)?;
        let rows = Rows::score(&package, card, &flow::kinds::labelled_rows(&folder, &card.target)?)?;
        let settings = PermutationSettings::default();
        let items = package_importance((&package, card), &rows.batch, &rows.truth, settings, progress)?;
        let some: Vec<u32> = (0..rows.len().min(EXPLAINED_ROWS) as u32).collect();
        let some = rows.batch.take(&some);
        let explained =
            Explainer::new(&package, &rows.batch).and_then(|explainer| explainer.explain(&some, progress));
        let explained = match explained {
            Ok(explained) => Some(explained),
            Err(error) if error.code == Code::InvalidInput => None,
            Err(error) => return Err(error),
        };
        let means = explained.as_ref().map(Explanation::mean_absolute).unwrap_or_default();
        let column = |item: learn::figures::ImportanceItem| ColumnImportance {
            contribution: means.iter().find(|(name, _)| *name == item.feature).map(|(_, mean)| *mean),
            column: item.feature,
            fall: item.value,
            deviation: item.spread,
        };
        let mut columns: Vec<ColumnImportance> = items.into_iter().map(column).collect();
        columns.sort_by(|a, b| b.fall.total_cmp(&a.fall));
        Ok(ImportanceView {
            metric: importance_metric(&rows.truth).to_owned(),
            rows: rows.len() as u32,
            columns,
            summary: explained.map(|explained| summary(card, &explained, &means, &some)),
        })
    }
}

/// What the columns that add most add row by row.
fn summary(
    card: &Card,
    explained: &Explanation,
    means: &[(String, f64)],
    rows: &Batch,
) -> ContributionSummary {
    let column = |(name, _): &(String, f64)| {
        let mut raw = rows.columns.iter().zip(&card.signature.inputs);
        let raw = raw.find(|((own, _), _)| own == name);
        let value =
            |row: usize| raw.map_or(Value::Null, |((_, values), input)| cell(values, row, input.kind));
        let added = |output: usize| {
            let of = |row: usize| {
                let all = explained.by_column(row, output);
                all.into_iter().find(|(own, _)| own == name).map_or(0.0, |(_, adds)| adds)
            };
            (0..explained.rows.len()).map(of).collect()
        };
        ColumnContributions {
            column: name.clone(),
            values: (0..rows.rows).map(value).collect(),
            added: (0..explained.outputs.len()).map(added).collect(),
        }
    };
    ContributionSummary {
        outputs: explained.outputs.clone(),
        scale: scale_word(explained),
        columns: means.iter().take(SUMMARISED_COLUMNS).map(column).collect(),
    }
}

/// What contributions add up to, as the wire says it.
fn scale_word(explained: &Explanation) -> String {
    let word = serde_json::to_value(explained.scale).ok();
    word.and_then(|word| Some(word.as_str()?.to_owned())).unwrap_or_default()
}

/// A value of an input as it was written: a batch holds every number as a real one.
fn cell(values: &Values, at: usize, kind: Kind) -> Value {
    let value = values.json(at);
    match (kind, value.as_f64()) {
        (Kind::Boolean, Some(number)) => json!(number != 0.0),
        (Kind::Integer, Some(number)) if number.fract() == 0.0 && number.abs() < 9e15 => json!(number as i64),
        _ => value,
    }
}

/// Rows that a package keeps, and what is true of them.
struct KeptRows {
    inputs: Batch,
    kinds: Vec<Kind>,
    truth: Vec<Value>,
}

impl KeptRows {
    /// A row by its place, and what is true of it.
    fn row(&self, place: u32) -> Result<(Map<String, Value>, Value)> {
        let at = place as usize;
        if at >= self.inputs.rows {
            let message = format!("the package keeps {} rows, so it has no row {place}", self.inputs.rows);
            return Err(Error::not_found(message).hint("rows are counted from 0"));
        }
        let cells = self.inputs.columns.iter().zip(&self.kinds);
        let inputs = cells.map(|((name, values), kind)| (name.clone(), cell(values, at, *kind)));
        Ok((inputs.collect(), self.truth.get(at).cloned().unwrap_or_default()))
    }
}

fn no_rows() -> Error {
    Error::new(Code::Conflict, "the package carries no rows to look at")
        .hint("train it with a split that has validation or test rows")
}

/// The rows that a package keeps; none if it keeps none.
fn kept_rows(folder: &Path, card: &Card) -> Result<Option<KeptRows>> {
    let rows = match flow::kinds::labelled_rows(folder, &card.target) {
        Ok(rows) => rows,
        Err(error) if error.code == Code::Conflict => return Ok(None),
        Err(error) => return Err(error),
    };
    let truth = rows
        .column_by_name(&card.target)
        .map(|truth| (0..rows.num_rows()).map(|row| flow::kinds::json_cell(truth, row)).collect());
    Ok(Some(KeptRows {
        inputs: learn::package::raw_batch(&card.signature.inputs, &rows)?,
        kinds: card.signature.inputs.iter().map(|input| input.kind).collect(),
        truth: truth.unwrap_or_default(),
    }))
}

/// Rows by input name; what is not named is missing.
fn batch_of(card: &Card, rows: &[&Map<String, Value>]) -> Result<Batch> {
    let inputs = &card.signature.inputs;
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !inputs.iter().any(|input| input.name == *name) {
            let error = Error::invalid(format!("the model does not read `{name}`"));
            let near = data::nearest(name, inputs.iter().map(|input| input.name.as_str()));
            return Err(match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("name inputs of the model"),
            });
        }
    }
    let column = |input: &score::Input| {
        let values = rows.iter().map(|row| row.get(&input.name).unwrap_or(&Value::Null));
        Ok((input.name.clone(), Values::from_json(&input.name, input.kind, values)?))
    };
    Ok(Batch { rows: rows.len(), columns: inputs.iter().map(column).collect::<Result<_>>()? })
}

fn outputs_of(explained: &Explanation, row: usize) -> Vec<ExplainedOutput> {
    let output = |(at, name): (usize, &String)| ExplainedOutput {
        output: name.clone(),
        base: explained.base[at],
        sum: explained.rows[row].raw[at],
        contributions: explained.by_column(row, at),
    };
    explained.outputs.iter().enumerate().map(output).collect()
}
