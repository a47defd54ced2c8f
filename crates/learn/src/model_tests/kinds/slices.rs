//! `slices`: no group of rows is served much worse than all of them together.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::MetricDoc;
use crate::model_tests::groups::{Cohort, beyond_chance, both, by_column, columns, welch};
use crate::model_tests::kind::{Context, Declaration, Finding, Group, Kind, Misfit};
use crate::model_tests::rows::{Rows, known_metric, measure, metric_named, pick};

/// The kind `slices`.
pub(in crate::model_tests) struct Slices;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The metric; accuracy for classes and the mean absolute error for numbers if left out.
    metric: String,
    /// The columns whose groups are looked at; all if left out.
    columns: Vec<String>,
    /// How much worse the worst group may be: of a share such as accuracy that much less, of an error
    /// that part more.
    max_drop: f64,
    /// Groups of fewer rows are left out.
    min_rows: usize,
    /// Into how many ranges numbers are divided.
    bins: usize,
    /// 1 for groups by one column, 2 for groups by two columns as well.
    depth: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { metric: String::new(), columns: Vec::new(), max_drop: 0.1, min_rows: 30, bins: 4, depth: 1 }
    }
}

impl Kind for Slices {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "slices",
            title: "Worst group",
            summary: "No group of rows is served much worse than all of them together.",
            doc: "Groups are made by themselves: each value of a text, truth value or number with few values, and \
                  `bins` ranges with equally many rows of other numbers; missing values are a group of their own. \
                  A group breaks the test if its metric is worse by more than `max_drop` and its mean loss (log \
                  loss, or squared error) lies above that of the other rows by more than chance explains for as \
                  many groups as were looked at (Welch's test with Bonferroni's correction at 5 %).",
            example: "kind = \"slices\"\nmetric = \"accuracy\"\nmax_drop = 0.1\nmin_rows = 30",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if !params.metric.is_empty() {
            known_metric(&params.metric).map_err(|error| Misfit::param("metric", error))?;
        }
        let range = |name: &str, value: f64, fits: bool, hint: &str| {
            if fits {
                return Ok(());
            }
            Err(Misfit::param(name, Error::invalid(format!("`{name}` cannot be {value}")).hint(hint)))
        };
        range("max_drop", params.max_drop, params.max_drop >= 0.0, "write 0 or more")?;
        range("min_rows", params.min_rows as f64, params.min_rows >= 2, "write 2 or more")?;
        range("bins", params.bins as f64, (2..=50).contains(&params.bins), "write a number from 2 to 50")?;
        range("depth", f64::from(params.depth), (1..=2).contains(&params.depth), "write 1 or 2")
    }

    fn rule(&self, params: &Params) -> String {
        let title = known_metric(&params.metric).map_or("the usual metric", |metric| metric.title);
        let columns = match params.columns.as_slice() {
            [] => String::new(),
            some => {
                format!(" by {}", some.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "))
            }
        };
        format!(
            "no group{columns} of {} rows or more worse in {title} by more than {}",
            params.min_rows,
            base::number(params.max_drop, 4)
        )
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let metric = metric_named(&params.metric, &context.rows.truth)?;
        let whole = context.rows.metric(metric)?;
        let groups = groups_of(params, context.rows, &context.card.target, progress)?;
        let looked = base::count(groups.len() as u64);
        let shown = |value: f64| base::number(value, 4);
        let measured = match groups.first() {
            None => format!("no group has {} rows", params.min_rows),
            Some(worst) => format!(
                "the worst of {looked} groups is {} with {} {} over {} rows, against {} over all",
                worst.name,
                metric.title,
                shown(worst.value),
                base::count(worst.rows),
                shown(whole)
            ),
        };
        Ok(Finding {
            is_passed: !groups.iter().any(|group| group.is_broken),
            measured,
            groups,
            rows: Vec::new(),
        })
    }
}

/// The groups of labelled rows with the usual limits, worst first.
///
/// # Errors
/// There is no such metric, or it is not defined for these rows; [`base::Code::Cancelled`].
pub fn slices(rows: &Rows, target: &str, metric: &str, progress: &Progress) -> Result<Vec<Group>> {
    groups_of(&Params { metric: metric.to_owned(), ..Params::default() }, rows, target, progress)
}

/// Every group with its metric, worst first.
fn groups_of(params: &Params, rows: &Rows, target: &str, progress: &Progress) -> Result<Vec<Group>> {
    let metric = metric_named(&params.metric, &rows.truth)?;
    let whole = rows.metric(metric)?;
    let cohorts = cohorts(params, rows, target)?;
    let losses = rows.losses();
    let border = beyond_chance(cohorts.len());
    let mut groups = Vec::new();
    for (at, cohort) in cohorts.iter().enumerate() {
        progress.step("looking at groups", at as u64, Some(cohorts.len() as u64))?;
        let (truth, said) = (rows.truth.take(&cohort.rows), pick(&rows.said, &cohort.rows));
        // A metric that is not defined for a group, such as the AUC of one class, says nothing of it.
        let Ok(value) = measure(metric, &truth, &said) else { continue };
        let drop = drop_of(metric, whole, value);
        let is_no_chance = welch(&losses, &cohort.rows).is_some_and(|z| z > border);
        groups.push((
            drop,
            Group {
                name: cohort.name.clone(),
                rows: cohort.rows.len() as u64,
                measure: metric.title.to_owned(),
                value,
                is_broken: drop > params.max_drop && is_no_chance,
            },
        ));
    }
    groups.sort_by(|a, b| b.1.is_broken.cmp(&a.1.is_broken).then(b.0.total_cmp(&a.0)));
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

fn cohorts(params: &Params, rows: &Rows, target: &str) -> Result<Vec<Cohort>> {
    let table = &rows.table;
    let names = match params.columns.is_empty() {
        true => columns(table, target),
        false => params.columns.clone(),
    };
    let mut by_name = Vec::new();
    for name in &names {
        by_name.push(by_column(table, name, params.bins, params.min_rows)?);
    }
    let mut all: Vec<Cohort> = by_name.concat();
    if params.depth > 1 {
        for (at, first) in by_name.iter().enumerate() {
            for (first, second) in by_name[at + 1..]
                .iter()
                .flat_map(|other| first.iter().flat_map(move |one| other.iter().map(move |two| (one, two))))
            {
                all.push(both(first, second));
            }
        }
        all.retain(|cohort| cohort.rows.len() >= params.min_rows);
    }
    Ok(all)
}

/// How much worse a group is: the difference of what is better when larger, the part by which an error
/// is larger.
fn drop_of(metric: &MetricDoc, whole: f64, group: f64) -> f64 {
    if metric.larger_is_better { whole - group } else { (group - whole) / whole.abs().max(f64::MIN_POSITIVE) }
}
