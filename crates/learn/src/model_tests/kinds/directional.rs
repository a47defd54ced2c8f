//! `directional`: raising a column does not lower the answer.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use score::{Batch, Values};
use serde::{Deserialize, Serialize};

use crate::model_tests::kind::{Context, Declaration, EvidenceRow, Finding, Kind, Misfit};
use crate::package::predictions_of;
use crate::predictions::Predictions;

/// The kind `directional`.
pub(in crate::model_tests) struct Directional;

/// Which way the answer must not go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::model_tests) enum Direction {
    /// It must not fall.
    #[default]
    Increasing,
    /// It must not rise.
    Decreasing,
}

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The column of numbers that is raised.
    column: String,
    /// Which way the answer goes with it.
    direction: Direction,
    /// By how much it is raised; by half its standard deviation if left out.
    step: Option<f64>,
    /// The class whose probability is followed; of two the second if left out.
    class: String,
    /// The answer may go the wrong way by this much.
    tolerance: f64,
    /// The share of rows that may go the wrong way further.
    max_share: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            column: String::new(),
            direction: Direction::Increasing,
            step: None,
            class: String::new(),
            tolerance: 1e-6,
            max_share: 0.0,
        }
    }
}

impl Kind for Directional {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "directional",
            title: "Direction",
            summary: "Raising a column does not lower the answer, or does not raise it.",
            doc: "The column is raised by `step` in every row where it is not missing, everything else stays. A row \
                  breaks the test if its answer (the probability of the class, or the number) goes the wrong way \
                  by more than `tolerance`. Boosted trees can be held to a direction with the parameters \
                  `increasing` and `decreasing` of their trainer.",
            example: "kind = \"directional\"\ncolumn = \"income\"\ndirection = \"increasing\"\nstep = 1000",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.column.is_empty() {
            let error = Error::invalid("there is no `column`").hint("name the column that is raised");
            return Err(Misfit::param("column", error));
        }
        if params.step.is_some_and(|step| step <= 0.0) {
            return Err(Misfit::param(
                "step",
                Error::invalid("`step` is not above 0").hint("write a number above 0"),
            ));
        }
        check_share(params.max_share)
    }

    fn rule(&self, params: &Params) -> String {
        let way = match params.direction {
            Direction::Increasing => "lowers",
            Direction::Decreasing => "raises",
        };
        format!("raising `{}` {way} no answer", params.column)
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let rows = context.rows;
        let Some(values) = rows.batch.column(&params.column) else {
            known_column(context, &params.column)?;
            return Ok(Finding::plain(true, format!("the model does not read `{}`", params.column)));
        };
        if matches!(values, Values::Text(_)) {
            return Err(Error::invalid(format!("`{}` holds text, which cannot be raised", params.column)));
        }
        let numbers = values.as_f64();
        let step = params.step.unwrap_or_else(|| spread(&numbers) / 2.0);
        let raised = Values::F64(numbers.iter().map(|value| value + step).collect());
        let said = changed(context, &rows.batch.with(&params.column, raised))?;
        let class = rows.class(&params.class)?;
        let now = crate::model_tests::rows::answer(&said, class);
        let sign = if params.direction == Direction::Increasing { 1.0 } else { -1.0 };
        let wrong: Vec<f64> =
            now.iter().zip(rows.answer(class)).map(|(now, before)| sign * (before - now)).collect();
        let broken = moved_rows(&wrong, params.tolerance);
        Ok(finding(context, &params.column, &wrong, &broken, params.max_share))
    }
}

/// What the model says of changed rows.
pub(super) fn changed(context: &Context<'_>, batch: &Batch) -> Result<Predictions> {
    predictions_of(context.card, &context.package.predict(batch)?)
}

/// Fails for a column that the rows do not have, with the nearest name that they have.
pub(super) fn known_column(context: &Context<'_>, column: &str) -> Result<()> {
    let schema = context.rows.table.schema();
    if schema.column_with_name(column).is_some() {
        return Ok(());
    }
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let error = Error::invalid(format!("the rows have no column `{column}`"));
    Err(match data::nearest(column, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("name one of the model's inputs"),
    })
}

pub(super) fn check_share(share: f64) -> Result<(), Misfit> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    let error = Error::invalid(format!("`max_share` cannot be {share}"));
    Err(Misfit::param("max_share", error.hint("write a share from 0 to 1, such as 0.05")))
}

/// The standard deviation of the values that are there.
pub(super) fn spread(values: &[f64]) -> f64 {
    let there: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let count = there.len().max(1) as f64;
    let mean = there.iter().sum::<f64>() / count;
    (there.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt()
}

/// The rows that moved further than allowed, furthest first.
pub(super) fn moved_rows(moves: &[f64], most: f64) -> Vec<u32> {
    // A move that is no number is one that nothing can vouch for.
    let is_too_far = |move_: f64| move_ > most || move_.is_nan();
    let mut rows: Vec<u32> =
        (0..).zip(moves).filter(|(_, move_)| is_too_far(**move_)).map(|(row, _)| row).collect();
    rows.sort_by(|a, b| moves[*b as usize].total_cmp(&moves[*a as usize]).then(a.cmp(b)));
    rows
}

/// What came of moving a column: the rows that moved too far and the furthest of them.
pub(super) fn finding(
    context: &Context<'_>,
    column: &str,
    moves: &[f64],
    broken: &[u32],
    max_share: f64,
) -> Finding {
    let share = broken.len() as f64 / moves.len().max(1) as f64;
    let furthest = moves.iter().copied().fold(0.0, f64::max);
    let measured = format!(
        "{} of {} rows move too far ({} %), the furthest by {}",
        base::count(broken.len() as u64),
        base::count(moves.len() as u64),
        base::number(share * 100.0, 3),
        base::number(furthest, 3)
    );
    let row = |row: &u32| {
        let inputs = context.rows.batch.columns.iter();
        let mut cells: Vec<(String, String)> =
            vec![("moves by".to_owned(), base::number(moves[*row as usize], 4))];
        cells.extend(
            inputs
                .filter(|(name, _)| name == column)
                .map(|(name, values)| (name.clone(), shown(values, *row as usize))),
        );
        EvidenceRow { row: u64::from(*row), cells }
    };
    Finding {
        is_passed: share <= max_share,
        measured,
        groups: Vec::new(),
        rows: broken.iter().take(20).map(row).collect(),
    }
}

/// A value for people.
pub(super) fn shown(values: &Values, at: usize) -> String {
    match values.json(at) {
        serde_json::Value::Null => "missing".to_owned(),
        serde_json::Value::String(text) => text,
        other => other.as_f64().map_or_else(|| other.to_string(), |number| base::number(number, 6)),
    }
}
