//! What there is to choose from: keys of metrics, parameters and tags, their values, experiments.

use std::collections::BTreeSet;

use base::{ProjectId, Result, RunId};
use rusqlite::Connection;

use super::column_sql;
use crate::sql;
use crate::tracking::search::{Column, Field};

/// Keys by what they are of, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Of metrics.
    pub metrics: Vec<String>,
    /// Of parameters.
    pub params: Vec<String>,
    /// Of tags.
    pub tags: Vec<String>,
}

/// The keys of a workspace, at most `most` of each; those of `first` come before the others.
///
/// # Errors
/// When the workspace cannot be read.
pub fn keys(db: &Connection, first: &[RunId], most: usize) -> Result<Keys> {
    let ids = sql::to_json(&first);
    let of = |table: &str| -> Result<Vec<String>> {
        let near = format!(
            "select distinct key from {table} where run_id in (select value from json_each(?1)) order by key"
        );
        let mut all: Vec<String> = sql::many(db, &near, [&ids], |row| row.get("key"))?;
        let known: BTreeSet<String> = all.iter().cloned().collect();
        let others = sql::many(db, &every_key(table), [most as u64], |row| row.get::<_, String>("key"))?;
        all.extend(others.into_iter().filter(|key| !known.contains(key)));
        all.truncate(most);
        Ok(all)
    };
    Ok(Keys { metrics: of("last_metrics")?, params: of("params")?, tags: of("run_tags")? })
}

/// Every key of a table once: from each to the next in the index, whatever lies between.
pub(crate) fn every_key(table: &str) -> String {
    format!(
        "with recursive every (key) as (
            select min(key) from {table}
            union all
            select (select min(key) from {table} where key > every.key) from every where every.key is not null
         ) select key from every where key is not null limit ?1"
    )
}

/// The most frequent values of a field, at most `most`, the most frequent first. Metrics have none.
///
/// # Errors
/// When the workspace cannot be read.
pub fn values_of(db: &Connection, project_id: &ProjectId, field: &Field, most: u32) -> Result<Vec<String>> {
    let of_table = |table: &str, key: &str| {
        let text = format!(
            "select value, count(*) as runs from {table} where key = ?1 and length(value) < 200
             group by value order by runs desc, value limit ?2"
        );
        sql::many(db, &text, (key, most), |row| row.get("value"))
    };
    match field {
        Field::Param(key) => of_table("params", key),
        Field::Tag(key) => of_table("run_tags", key),
        Field::Column(
            column @ (Column::Pipeline
            | Column::Experiment
            | Column::Stage
            | Column::State
            | Column::Name
            | Column::User),
        ) => {
            let value = column_sql(*column).unwrap_or("null");
            let text = format!(
                "select {value} as value, count(*) as runs from runs r where r.project_id = ?1
                 and r.trashed_at is null and coalesce({value}, '') <> ''
                 group by 1 order by runs desc, 1 limit ?2"
            );
            sql::many(db, &text, (project_id.as_str(), most), |row| row.get("value"))
        }
        Field::Column(_) | Field::Metric(_) | Field::Picked(..) | Field::Dataset(_) => Ok(Vec::new()),
    }
}

/// The experiments of a project with how many runs they have, by name. An experiment of scripts is
/// there before its first run.
///
/// # Errors
/// When the workspace cannot be read.
pub fn experiments(db: &Connection, project_id: &ProjectId) -> Result<Vec<(String, u64)>> {
    let text = "select name, sum(runs) as runs from (
            select experiment as name, count(*) as runs from runs
                where project_id = ?1 and trashed_at is null group by experiment
            union all
            select name, 0 from experiments where project_id = ?1 and deleted_at is null
         ) group by name order by name";
    sql::many(db, text, [project_id.as_str()], |row| Ok((row.get("name")?, row.get("runs")?)))
}
