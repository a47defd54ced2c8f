//! The values of a page of the table, and what a row says beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::{Result, RunId};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::scan::{Value, best, replaces};
use super::{column_sql, set_of};
use crate::runs::{self, Run};
use crate::sql;
use crate::tracking::search::{Field, Pick};

/// The tag of a run that somebody marked; its value is `true`.
pub const STAR_TAG: &str = "fettle.star";
/// The tag with the colour that somebody gave a run.
pub const COLOR_TAG: &str = "fettle.color";

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing: the run has no such value.
    Missing,
    /// A number; NaN is one.
    Number(f64),
    /// A text.
    Text(String),
}

/// A run as a row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// The run.
    pub run: Run,
    /// The run it is nested under, whether that is there or not.
    pub parent: Option<RunId>,
    /// How many runs are directly under it.
    pub children: u64,
    /// True if somebody marked it.
    pub is_starred: bool,
    /// The colour that somebody gave it.
    pub color: Option<String>,
}

/// These runs as rows, in the order of `ids`; those that are gone are left out.
///
/// # Errors
/// When the workspace cannot be read.
pub fn rows(db: &Connection, ids: &[RunId]) -> Result<Vec<TableRow>> {
    let wanted = sql::to_json(&ids);
    let children: HashMap<String, u64> = sql::many(
        db,
        "select parent_id, count(*) as runs from runs where parent_id in (select value from json_each(?1))
         and trashed_at is null group by parent_id",
        [&wanted],
        |row| Ok((row.get("parent_id")?, row.get("runs")?)),
    )?
    .into_iter()
    .collect();
    let columns: Vec<_> = runs::COLUMNS.split(',').map(|name| format!("r.{}", name.trim())).collect();
    let text = format!(
        "select {}, r.parent_id, c.value as color, s.value is 'true' as is_starred
         from json_each(?1) wanted join runs r on r.id = wanted.value
         left join run_tags c on c.run_id = r.id and c.key = ?2
         left join run_tags s on s.run_id = r.id and s.key = ?3 order by wanted.key",
        columns.join(", ")
    );
    sql::many(db, &text, (&wanted, COLOR_TAG, STAR_TAG), |row| {
        let run = Run::read(row)?;
        let children = children.get(run.id.as_str()).copied().unwrap_or(0);
        // What a script names as a parent may be anything.
        let parent = row.get::<_, Option<String>>("parent_id")?.and_then(|id| id.parse().ok());
        Ok(TableRow { parent, children, is_starred: row.get("is_starred")?, color: row.get("color")?, run })
    })
}

/// The values of these fields, a row a run and a cell a field, in their orders.
///
/// # Errors
/// When the workspace cannot be read.
pub fn cells(
    db: &Connection,
    ids: &[RunId],
    fields: &[Field],
    better: fn(&str) -> bool,
) -> Result<Vec<Vec<Cell>>> {
    let wanted = sql::to_json(&ids);
    let found = Found::read(db, &wanted, fields)?;
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        let column = match field {
            Field::Column(column) => of_column(db, &wanted, column_sql(*column).unwrap_or("null"))?,
            Field::Picked(Pick::At(step), key) => at_step(db, &wanted, field, key, *step, better)?,
            field => found.column(field, better),
        };
        columns.push(column);
    }
    let known = set_of(ids);
    let row = |id: &RunId| {
        let cell = |column: &HashMap<String, Cell>| column.get(id.as_str()).cloned().unwrap_or(Cell::Missing);
        columns.iter().map(cell).collect()
    };
    debug_assert_eq!(known.len(), ids.len(), "a page names each run once");
    Ok(ids.iter().map(row).collect())
}

/// A run, and the last, least and greatest value that it has of a metric.
type Measured = (String, Option<f64>, Option<f64>, Option<f64>);

/// What the runs of a page have of the keys that are asked for.
struct Found {
    /// By key: run, last, least, greatest.
    metrics: BTreeMap<String, Vec<Measured>>,
    params: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    tags: BTreeMap<String, HashMap<String, Cell>>,
}

impl Found {
    fn read(db: &Connection, ids: &str, fields: &[Field]) -> Result<Self> {
        let (mut metrics, mut params, mut tags) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for field in fields {
            match field {
                Field::Metric(key) | Field::Picked(_, key) => drop(metrics.insert(key)),
                Field::Param(key) => drop(params.insert(key)),
                Field::Tag(key) => drop(tags.insert(key)),
                Field::Column(_) | Field::Dataset(_) => {}
            }
        }
        let mut found = Self { metrics: BTreeMap::new(), params: BTreeMap::new(), tags: BTreeMap::new() };
        for (key, value) in sql::many(
            db,
            &of_steps("last_metrics", "value, least, greatest"),
            (ids, sql::to_json(&metrics)),
            |row| {
                Ok((
                    row.get::<_, String>("key")?,
                    (row.get("run_id")?, row.get("value")?, row.get("least")?, row.get("greatest")?),
                ))
            },
        )? {
            found.metrics.entry(key).or_default().push(value);
        }
        for (key, run, value) in
            sql::many(db, &of_steps("params", "value"), (ids, sql::to_json(&params)), three)?
        {
            found.params.entry(key).or_default().entry(run).or_default().insert(value);
        }
        let text = "select t.run_id, t.key, t.value from json_each(?1) i cross join json_each(?2) k
                    cross join run_tags t where t.run_id = i.value and t.key = k.value order by t.run_id, t.key";
        for (key, run, value) in sql::many(db, text, (ids, sql::to_json(&tags)), three)? {
            found.tags.entry(key).or_default().insert(run, Cell::Text(value));
        }
        Ok(found)
    }

    fn column(&self, field: &Field, better: fn(&str) -> bool) -> HashMap<String, Cell> {
        match field {
            Field::Metric(key) | Field::Picked(_, key) => {
                let mut best_of: HashMap<String, Value> = HashMap::new();
                for (run, last, least, greatest) in self.metrics.get(key).into_iter().flatten() {
                    let number = match field {
                        Field::Picked(Pick::Least, _) => *least,
                        Field::Picked(Pick::Greatest, _) => *greatest,
                        Field::Picked(Pick::Best, _) if best(better(key)) == "least" => *least,
                        Field::Picked(Pick::Best, _) => *greatest,
                        _ => *last,
                    };
                    let new = Value::Number(number.unwrap_or(f64::NAN));
                    if best_of.get(run).is_none_or(|old| replaces(field, better, &new, old)) {
                        best_of.insert(run.clone(), new);
                    }
                }
                best_of
                    .into_iter()
                    .filter_map(|(run, value)| Some((run, Cell::Number(value.number()?))))
                    .collect()
            }
            Field::Param(key) => {
                let all = self.params.get(key).into_iter().flatten();
                let joined =
                    |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(", ");
                all.map(|(run, values)| (run.clone(), Cell::Text(joined(values)))).collect()
            }
            Field::Tag(key) => self.tags.get(key).cloned().unwrap_or_default(),
            Field::Column(_) | Field::Dataset(_) => HashMap::new(),
        }
    }
}

/// Values that belong to a run as a whole, found by their keys; and those of steps of pipelines, of
/// which a run has few.
fn of_steps(table: &str, columns: &str) -> String {
    let columns: Vec<_> = columns.split(", ").map(|name| format!("t.{name}")).collect();
    let columns = columns.join(", ");
    format!(
        "select t.run_id, t.key, {columns} from json_each(?1) i cross join json_each(?2) k
            cross join {table} t where t.run_id = i.value and t.step_id = '' and t.key = k.value
         union all
         select t.run_id, t.key, {columns} from json_each(?1) i cross join {table} t
            where t.run_id = i.value and t.step_id > '' and t.key in (select value from json_each(?2))
         order by 1, 2, 3"
    )
}

fn three(row: &Row<'_>) -> rusqlite::Result<(String, String, String)> {
    Ok((row.get("key")?, row.get("run_id")?, row.get("value")?))
}

fn of_column(db: &Connection, ids: &str, value: &str) -> Result<HashMap<String, Cell>> {
    let text = format!(
        "select r.id, {value} as value from json_each(?1) wanted join runs r on r.id = wanted.value order by r.id"
    );
    let read = |row: &Row<'_>| -> rusqlite::Result<(String, Cell)> {
        let cell = match row.get_ref("value")? {
            ValueRef::Integer(number) => Cell::Number(number as f64),
            ValueRef::Real(number) => Cell::Number(number),
            ValueRef::Text(text) if !text.is_empty() => {
                Cell::Text(String::from_utf8_lossy(text).into_owned())
            }
            ValueRef::Text(_) | ValueRef::Null | ValueRef::Blob(_) => Cell::Missing,
        };
        Ok((row.get("id")?, cell))
    };
    Ok(sql::many(db, &text, [ids], read)?.into_iter().collect())
}

fn at_step(
    db: &Connection,
    ids: &str,
    field: &Field,
    key: &str,
    step: i64,
    better: fn(&str) -> bool,
) -> Result<HashMap<String, Cell>> {
    let text = "
        select c.run_id, (select iif(p.is_nan, null, p.value) from points p
                where p.curve_id = c.id and p.step <= ?3 order by p.step desc, p.at_ms desc limit 1) as value
            from json_each(?1) i cross join curves c where c.run_id = i.value and c.key = ?2
        union all
        select l.run_id, (select m.value from metrics m where m.run_id = l.run_id and m.step_id = l.step_id
                and m.key = l.key and m.step <= ?3 order by m.step desc, m.ordinal desc limit 1)
            from json_each(?1) i cross join last_metrics l
            where l.run_id = i.value and l.step_id > '' and l.key = ?2
        order by 1, 2";
    let mut all: HashMap<String, Value> = HashMap::new();
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<f64>>(1)?));
    for (run, value) in sql::many(db, text, (ids, key, step), read)? {
        let Some(value) = value.map(Value::Number) else { continue };
        if all.get(&run).is_none_or(|old| replaces(field, better, &value, old)) {
            all.insert(run, value);
        }
    }
    Ok(all.into_iter().filter_map(|(run, value)| Some((run, Cell::Number(value.number()?)))).collect())
}
