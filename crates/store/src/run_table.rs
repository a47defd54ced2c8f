//! The table of runs, those of pipelines and those of scripts together: which, in what order, with
//! which values, at a hundred thousand runs.
//!
//! A condition or a key of the order on metrics, parameters or tags is one scan of one index that
//! holds all it needs; the sets that come of it are joined here, which costs the same however well
//! or badly a condition selects, and gives the number of all rows with every page. What is only
//! about columns of a run is left to SQLite.
//!
//! A run of a pipeline has metrics and parameters step by step. A condition holds when it holds for
//! one of them; of several values of a metric the best is shown and sorted by.

mod cells;
mod groups;
mod keys;
#[cfg(test)]
mod plans;
mod scan;

use std::collections::{HashMap, HashSet};

use base::{ProjectId, Result, RunId};
use rusqlite::Connection;
use rusqlite::types::Value as Param;

pub use cells::{COLOR_TAG, Cell, STAR_TAG, TableRow, cells, rows};
pub use groups::{Group, Stat, groups};
pub use keys::{Keys, experiments, keys, values_of};

use crate::tracking::search::{Column, Condition, Field, Order, Test};
use crate::{Page, sql};
use scan::{Kept, Key, Value};

/// Which runs are wanted, and in what order.
#[derive(Debug, Clone)]
pub struct TableQuery {
    /// Those of this project.
    pub project_id: ProjectId,
    /// Those of this experiment and of the folders in it.
    pub folder: Option<String>,
    /// Those at this place of the tree.
    pub rows: Rows,
    /// Those for which all of this holds.
    pub conditions: Vec<Condition>,
    /// Those whose value of this is this; `None` for those that have none.
    pub within: Option<(Field, Option<String>)>,
    /// The order; what is missing comes last, and the newest first where nothing else decides.
    pub order: Vec<Order>,
    /// True for a metric of which more is better.
    pub better: fn(&str) -> bool,
}

/// Which runs of a tree of nested ones are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// All.
    All,
    /// Those that are nested under none that is there.
    Outermost,
    /// Those directly under this one.
    Under(RunId),
    /// Those in the trash.
    Trashed,
}

/// One page of the ids of runs, and how many there are in all.
///
/// # Errors
/// When the workspace cannot be read.
pub fn page(db: &Connection, query: &TableQuery, page: Page) -> Result<(u64, Vec<RunId>)> {
    let is_column = |field: &Field| matches!(field, Field::Column(_));
    let is_plain = query.within.is_none()
        && query.conditions.iter().all(|one| is_column(&one.field))
        && query.order.iter().all(|one| is_column(&one.field));
    if is_plain {
        return by_columns(db, query, page);
    }
    let keys = all(db, query)?;
    let (from, to) = (page.offset() as usize, page.offset() as usize + page.limit() as usize);
    let shown = keys.iter().skip(from).take(to - from).map(|key| scan::id(*key));
    Ok((keys.len() as u64, shown.collect::<Result<_>>()?))
}

/// The ids of all runs of a query, in its order.
///
/// # Errors
/// When the workspace cannot be read.
pub fn all_ids(db: &Connection, query: &TableQuery, most: usize) -> Result<Vec<RunId>> {
    all(db, query)?.into_iter().take(most).map(scan::id).collect()
}

/// Where only columns of a run matter.
fn by_columns(db: &Connection, query: &TableQuery, page: Page) -> Result<(u64, Vec<RunId>)> {
    let Base { condition, mut params } = Base::new(query);
    let total =
        sql::value(db, &format!("select count(*) from runs r where {condition}"), from_iter(&params))?;
    let text = page_sql(query, &condition);
    params.extend([page.limit().into(), page.offset().into()]);
    Ok((total, sql::many(db, &text, from_iter(&params), |row| sql::parsed(row, "id"))?))
}

/// One page in the order of columns; its last two parameters are the limit and the offset.
fn page_sql(query: &TableQuery, condition: &str) -> String {
    let mut order = String::new();
    for Order { field, is_ascending } in &query.order {
        if let Field::Column(column) = field
            && let Some(value) = column_sql(*column)
        {
            order.push_str(&format!("{value} {} nulls last, ", if *is_ascending { "asc" } else { "desc" }));
        }
    }
    format!("select r.id as id from runs r where {condition} order by {order}{NEWEST} limit ? offset ?")
}

fn from_iter(params: &[Param]) -> rusqlite::ParamsFromIter<std::slice::Iter<'_, Param>> {
    rusqlite::params_from_iter(params.iter())
}

/// All runs of a query, in its order.
pub(crate) fn all(db: &Connection, query: &TableQuery) -> Result<Vec<Key>> {
    let base = Base::new(query);
    let text = format!("select r.id as id from runs r where {} order by {NEWEST}", base.condition);
    let mut keys = scan::keys(db, &text, from_iter(&base.params))?;
    for condition in query.conditions.iter().filter(|one| !matches!(one.field, Field::Column(_))) {
        let Kept { keys: kept, is_complement } = scan::kept(db, condition, query.better)?;
        keys.retain(|key| kept.contains(key) != is_complement);
    }
    if let Some((field, wanted)) = &query.within {
        let values = scan::values(db, query, field)?;
        keys.retain(|key| values.get(key).map(Value::text) == *wanted);
    }
    if !query.order.is_empty() {
        sort(db, query, &mut keys)?;
    }
    Ok(keys)
}

/// Sorts by each key of the order; what they do not decide stays as it is.
fn sort(db: &Connection, query: &TableQuery, keys: &mut Vec<Key>) -> Result<()> {
    let mut columns: Vec<(Vec<Option<Value>>, bool)> = Vec::new();
    for Order { field, is_ascending } in &query.order {
        let mut values: HashMap<Key, Value> = scan::values(db, query, field)?;
        columns.push((keys.iter().map(|key| values.remove(key)).collect(), *is_ascending));
    }
    let mut places: Vec<usize> = (0..keys.len()).collect();
    places.sort_by(|&one, &other| {
        let decided = columns.iter().map(|(values, is_ascending)| {
            scan::order(values[one].as_ref(), values[other].as_ref(), *is_ascending)
        });
        decided.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    *keys = places.into_iter().map(|place| keys[place]).collect();
    Ok(())
}

/// The order where no other is asked for; numbers are not given twice.
const NEWEST: &str = "coalesce(r.started_at, r.created_at) desc, r.number desc";

/// What must hold of the columns of a run.
struct Base {
    condition: String,
    params: Vec<Param>,
}

impl Base {
    fn new(query: &TableQuery) -> Self {
        // Few runs are nested under one: they are found by their parent, not among all of the project,
        // which the plus keeps SQLite from.
        let project =
            if matches!(query.rows, Rows::Under(_)) { "+r.project_id = ?" } else { "r.project_id = ?" };
        let mut base =
            Self { condition: project.to_owned(), params: vec![query.project_id.as_str().to_owned().into()] };
        base.condition.push_str(match query.rows {
            Rows::Trashed => " and r.trashed_at is not null",
            Rows::All | Rows::Outermost | Rows::Under(_) => " and r.trashed_at is null",
        });
        match &query.rows {
            Rows::All | Rows::Trashed => {}
            Rows::Outermost => base.condition.push_str(
                " and (r.parent_id is null or not exists
                    (select 1 from runs p where p.id = r.parent_id and p.trashed_at is null))",
            ),
            Rows::Under(parent) => {
                base.condition.push_str(" and r.parent_id = ?");
                base.params.push(parent.as_str().to_owned().into());
            }
        }
        if let Some(folder) = &query.folder {
            // All that begins with the folder and a slash; `0` is what follows `/` in ASCII.
            base.condition.push_str(" and (r.experiment = ? or (r.experiment > ? and r.experiment < ?))");
            let around = [folder.clone(), format!("{folder}/"), format!("{folder}0")];
            base.params.extend(around.map(Param::from));
        }
        for Condition { field, test } in &query.conditions {
            if let Field::Column(column) = field {
                base.column(*column, test);
            }
        }
        base
    }

    fn column(&mut self, column: Column, test: &Test) {
        let text = match column_sql(column) {
            Some(value) => test.sql(value, &mut self.params),
            None => "false".to_owned(),
        };
        self.condition.push_str(" and ");
        self.condition.push_str(&text);
    }
}

/// A column of a run `r`; `None` for one that runs do not have.
fn column_sql(column: Column) -> Option<&'static str> {
    Some(match column {
        Column::Id => "r.id",
        Column::Name => "r.name",
        Column::Number => "r.number",
        Column::Pipeline => "r.pipeline",
        Column::Experiment => "r.experiment",
        Column::Note => "r.note",
        Column::Stage => "r.state",
        Column::State => crate::tracking::search::MLFLOW_STATE,
        Column::User => "(select x.user_id from script_runs x where x.run_id = r.id)",
        Column::ArtifactUri => "(select x.artifact_uri from script_runs x where x.run_id = r.id)",
        Column::Started => "coalesce(r.started_at, r.created_at)",
        Column::Ended => "r.finished_at",
        Column::Created => "r.created_at",
        Column::Duration => "r.finished_at - coalesce(r.started_at, r.created_at)",
        Column::Updated | Column::SourceRun | Column::Version | Column::Source | Column::ModelType => {
            return None;
        }
    })
}

/// Which of these runs are there, by key.
fn set_of(ids: &[RunId]) -> HashSet<Key> {
    ids.iter().filter_map(|id| scan::key(id.as_str())).collect()
}
