//! A rehearsal: the requests that callers really sent, answered by another version before anybody sees
//! it. Which answers flip, in which groups, how good both are where the truth is known, how long both take.

use std::collections::BTreeMap;
use std::time::Instant;

use base::{Error, Progress, Result};
use flow::kinds::Columns;
use learn::metrics::MetricDoc;
use learn::model_tests::{Rows, slices};
use learn::package::{predictions_of, raw_batch};
use learn::{Predictions, Target};
use score::{Batch, Card, Package};
use store::deployments::Deployment;

use super::ROWS_NEEDED;
use super::performance::{Judge, measured};
use super::requests::{MOST_ROWS, Request, quantile};
use crate::Engine;
use crate::commands::performance::SliceView;
use crate::commands::rehearsal::{FlippedRow, Move, Rehearsal};
use crate::judging::tests::card_of;
use crate::models::Picked;

/// Rows that are asked one by one to see how long an answer takes.
const TIMED_ROWS: usize = 200;
/// Groups, moves and rows that are told of.
const MOST_TOLD: usize = 12;
const MOST_FLIPPED: usize = 5;
/// A number has changed if it moved by more than this part of the standard deviation of all answers.
const MOVED: f64 = 0.1;

impl Engine {
    /// Answers the newest requests of a deployment by another version of its model.
    pub(crate) fn rehearse(
        &self,
        deployment: &Deployment,
        candidate: &Picked,
        progress: &Progress,
    ) -> Result<Rehearsal> {
        let (_, champion) = self.serving(deployment)?;
        let (new, old) = (self.package(&candidate.version)?, self.package(&champion.version)?);
        let judge = self.judge(deployment, &champion, None)?;
        progress.step("reading the requests", 0, None)?;
        let mut requests = self.requests(deployment, 0)?.answered_by(&champion.version.number.to_string());
        keep_newest(&mut requests);
        let places: Vec<(&Request, u64)> =
            requests.iter().flat_map(|request| (0..request.rows).map(move |row| (request, row))).collect();
        if (places.len() as u64) < ROWS_NEEDED {
            return Err(Error::invalid(format!(
                "version {} answered {} rows, a rehearsal needs {ROWS_NEEDED}",
                champion.version.number,
                places.len()
            ))
            .hint("wait for more requests, or replay rows"));
        }
        let before = judge.said(places.iter().copied())?.ok_or_else(|| {
            Error::invalid("the request log leaves out what the model answered, so nothing can be compared")
                .hint("do not redact the outputs of the model")
        })?;
        progress.step("answering", 0, None)?;
        let card = card_of(&new)?;
        let (table, batch) = asked(&places, card)?;
        let after = predictions_of(card, &new.predict(&batch)?)?;
        same_kind(&before, &after)?;
        progress.step("comparing", 0, None)?;
        let changed = Changed::between(&before, &after);
        let told = |code: u32| card.classes.get(code as usize).cloned().unwrap_or_default();
        let groups = groups(card, &table, &before, &after)?;
        let (known, labelled) = both_measured(&judge, &requests, &new)?;
        let old_batch = asked(&places, card_of(&old)?)?.1;
        Ok(Rehearsal {
            candidate: candidate.version.number,
            champion: champion.version.number,
            rows: places.len() as u64,
            changed: changed.rows.len() as u64,
            mean_change: changed.mean,
            moves: changed.moves(&before, &after, told),
            groups,
            flipped: changed.examples(&places, (&before, &after), card),
            metric_title: judge.metric.title.to_owned(),
            labelled,
            champion_value: known.map(|(old, _)| old),
            candidate_value: known.map(|(_, new)| new),
            champion_us: time(&old, &old_batch)?,
            candidate_us: time(&new, &batch)?,
        })
    }
}

fn keep_newest(requests: &mut Vec<Request>) {
    let mut rows = 0;
    let first = requests.iter().rposition(|request| {
        rows += request.rows as usize;
        rows > MOST_ROWS
    });
    requests.drain(..first.map_or(0, |at| at + 1));
}

/// What was asked, as the model wants it.
fn asked(places: &[(&Request, u64)], card: &Card) -> Result<(arrow::array::RecordBatch, Batch)> {
    let inputs = &card.signature.inputs;
    let column = |input: &score::Input| {
        let values = places.iter().map(|(request, row)| request.input(&input.name, *row).clone());
        (input.name.clone(), values.collect())
    };
    let columns: Columns = inputs.iter().map(column).collect();
    let folder = super::drift::temporary()?;
    let table = flow::kinds::write_inputs(folder.path(), &columns, places.len(), inputs)?;
    let rows = flow::kinds::all_rows(&table, usize::MAX)?;
    let batch = raw_batch(inputs, &rows)?;
    Ok((rows, batch))
}

fn same_kind(before: &Predictions, after: &Predictions) -> Result<()> {
    let kind = |said: &Predictions| match said {
        Predictions::Numbers(_) => 0,
        Predictions::Probabilities { classes, .. } => *classes,
    };
    if kind(before) == kind(after) {
        return Ok(());
    }
    Err(Error::invalid("the two versions do not answer the same question")
        .hint("compare versions with the same classes"))
}

/// Which answers changed and by how much.
struct Changed {
    /// Rows with another answer, the largest change first.
    rows: Vec<(usize, f64)>,
    /// The mean change of the probability of the answer before, or of the number.
    mean: f64,
}

impl Changed {
    fn between(before: &Predictions, after: &Predictions) -> Self {
        let all: Vec<(f64, bool)> = match (before, after) {
            (
                Predictions::Probabilities { classes, values },
                Predictions::Probabilities { values: now, .. },
            ) => {
                let (then, labels) =
                    (before.labels().unwrap_or_default(), after.labels().unwrap_or_default());
                let change = |row: usize| {
                    let at = row * classes + then[row] as usize;
                    ((values[at] - now[at]).abs(), then[row] != labels[row])
                };
                (0..then.len()).map(change).collect()
            }
            (Predictions::Numbers(then), Predictions::Numbers(now)) => {
                let mean = then.iter().sum::<f64>() / then.len().max(1) as f64;
                let spread =
                    then.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / then.len().max(1) as f64;
                let bound = MOVED * spread.sqrt();
                then.iter()
                    .zip(now)
                    .map(|(then, now)| ((then - now).abs(), (then - now).abs() > bound))
                    .collect()
            }
            _ => Vec::new(),
        };
        let mean = all.iter().map(|(change, _)| change).sum::<f64>() / all.len().max(1) as f64;
        let mut rows: Vec<(usize, f64)> = all
            .iter()
            .enumerate()
            .filter(|(_, (_, is_other))| *is_other)
            .map(|(row, (change, _))| (row, *change))
            .collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Self { rows, mean }
    }

    /// From which class to which how many rows went, the most first; none for numbers.
    fn moves(&self, before: &Predictions, after: &Predictions, name: impl Fn(u32) -> String) -> Vec<Move> {
        let (Some(then), Some(now)) = (before.labels(), after.labels()) else { return Vec::new() };
        let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (row, _) in &self.rows {
            *counts.entry((then[*row], now[*row])).or_default() += 1;
        }
        let mut moves: Vec<Move> = counts
            .into_iter()
            .map(|((from, to), rows)| Move { from: name(from), to: name(to), rows })
            .collect();
        moves.sort_by_key(|one| std::cmp::Reverse(one.rows));
        moves.truncate(MOST_TOLD);
        moves
    }

    fn examples(
        &self,
        places: &[(&Request, u64)],
        (before, after): (&Predictions, &Predictions),
        card: &Card,
    ) -> Vec<FlippedRow> {
        let answer = |said: &Predictions, row: usize| match said {
            Predictions::Numbers(values) => base::number(values[row], 5),
            Predictions::Probabilities { classes, values } => {
                let code = said.labels().unwrap_or_default()[row] as usize;
                let sure = base::number(values[row * classes + code], 3);
                format!("{} ({sure})", card.classes.get(code).map_or("", String::as_str))
            }
        };
        let row = |(row, _): &(usize, f64)| {
            let (request, at) = places[*row];
            let inputs = card.signature.inputs.iter();
            FlippedRow {
                request: request.id.clone(),
                row: at,
                inputs: inputs
                    .map(|input| (input.name.clone(), request.input(&input.name, at).clone()))
                    .collect(),
                before: answer(before, *row),
                after: answer(after, *row),
            }
        };
        self.rows.iter().take(MOST_FLIPPED).map(row).collect()
    }
}

/// The groups in which the answers agree least. The answers before take the place of the truth.
fn groups(
    card: &Card,
    table: &arrow::array::RecordBatch,
    before: &Predictions,
    after: &Predictions,
) -> Result<Vec<SliceView>> {
    let (truth, metric) = match before {
        Predictions::Numbers(values) => (Target::Numbers(values.clone()), "mae"),
        Predictions::Probabilities { classes, .. } => {
            (Target::Classes { codes: before.labels().unwrap_or_default(), count: *classes }, "accuracy")
        }
    };
    let rows = Rows::scored(card, table.clone(), truth, after.clone());
    let found = slices(&rows, &card.target, metric, &Progress::silent())?;
    let view = |group: learn::model_tests::Group| SliceView {
        name: group.name,
        rows: group.rows,
        // Of classes the share of answers that changed; of numbers the mean change.
        value: if metric == "accuracy" { 1.0 - group.value } else { group.value },
        is_worse: group.is_broken,
    };
    Ok(found.into_iter().take(MOST_TOLD).map(view).collect())
}

/// The metric of the champion and of the candidate on labelled rows, if there are enough, and how many.
fn both_measured(judge: &Judge, requests: &[Request], new: &Package) -> Result<(Option<(f64, f64)>, u64)> {
    let (places, truth, _) = judge.labelled(requests);
    if (places.len() as u64) < ROWS_NEEDED {
        return Ok((None, places.len() as u64));
    }
    let Some(before) = judge.said(places.iter().copied())? else { return Ok((None, 0)) };
    let card = card_of(new)?;
    let after = predictions_of(card, &new.predict(&asked(&places, card)?.1)?)?;
    let metric: &MetricDoc = judge.metric;
    let values = measured(metric, &truth, &before).zip(measured(metric, &truth, &after));
    Ok((values, places.len() as u64))
}

/// How long the model alone takes for a row: median and 95 % quantile, in microseconds.
fn time(package: &Package, batch: &Batch) -> Result<[f64; 2]> {
    let step = (batch.rows / TIMED_ROWS).max(1);
    let mut took = Vec::new();
    for row in (0..batch.rows).step_by(step).take(TIMED_ROWS) {
        let one = batch.take(&[row as u32]);
        let begun = Instant::now();
        package.predict(&one)?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    let at = |share: f64| quantile(&took, share).unwrap_or(0.0);
    Ok([at(0.5), at(0.95)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_flip_are_counted_and_the_surest_come_first() {
        let said = |values: &[f64]| Predictions::Probabilities {
            classes: 2,
            values: values.iter().flat_map(|p| [1.0 - p, *p]).collect(),
        };
        let (before, after) = (said(&[0.9, 0.2, 0.6, 0.4]), said(&[0.8, 0.9, 0.4, 0.3]));
        let changed = Changed::between(&before, &after);
        assert_eq!(changed.rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
        assert!((changed.mean - (0.1 + 0.7 + 0.2 + 0.1) / 4.0).abs() < 1e-12);
        let moves = changed.moves(&before, &after, |code| code.to_string());
        let moves: Vec<_> = moves.iter().map(|one| (one.from.as_str(), one.to.as_str(), one.rows)).collect();
        assert_eq!(moves, [("0", "1", 1), ("1", "0", 1)]);
    }

    #[test]
    fn a_number_has_changed_when_it_moved_by_more_than_a_tenth_of_the_spread() {
        let before = Predictions::Numbers(vec![0.0, 10.0, 20.0, 30.0]);
        let after = Predictions::Numbers(vec![0.5, 10.0, 22.0, 30.0]);
        // The standard deviation is 11.2.
        assert_eq!(Changed::between(&before, &after).rows, [(2, 2.0)]);
        assert!(same_kind(&before, &after).is_ok());
        let classes = Predictions::Probabilities { classes: 2, values: vec![0.5, 0.5] };
        assert!(same_kind(&before, &classes).is_err());
    }
}
