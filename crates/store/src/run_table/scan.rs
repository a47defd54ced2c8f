//! One scan of one index: which runs a condition keeps, and what each run is sorted by.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use base::{Result, RunId};
use rusqlite::types::{Value as Param, ValueRef};
use rusqlite::{Connection, Params, Row};

use super::{TableQuery, column_sql, from_iter};
use crate::sql;
use crate::tracking::search::{Compare, Condition, DatasetField, Field, Pick, Test, TextTest};

/// The 32 digits of a run's id as a number: half as long, and quick to compare.
pub(crate) type Key = u128;

/// What a run is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A number; NaN is one.
    Number(f64),
    /// A text, with the number that it says, if it says one.
    Text(Option<f64>, String),
}

impl Value {
    pub(crate) fn of_text(text: String) -> Self {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        Self::Text(number, text)
    }

    /// As a text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(_, text) => text.clone(),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(number, _) => *number,
        }
    }
}

/// Numbers before texts, not a number after both, what is missing last of all.
pub(crate) fn order(one: Option<&Value>, other: Option<&Value>, is_ascending: bool) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        Some(Value::Number(number)) if number.is_nan() => 1,
        Some(_) => 0,
        None => 2,
    };
    let by_value = || match (one, other) {
        (Some(one), Some(other)) => match (one.number(), other.number()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => match (one, other) {
                (Value::Text(_, one), Value::Text(_, other)) => one.cmp(other),
                _ => Ordering::Equal,
            },
        },
        _ => Ordering::Equal,
    };
    rank(one).cmp(&rank(other)).then_with(|| if is_ascending { by_value() } else { by_value().reverse() })
}

/// The runs that a condition keeps, or all others.
pub(crate) struct Kept {
    pub(crate) keys: HashSet<Key>,
    pub(crate) is_complement: bool,
}

pub(crate) fn key(id: &str) -> Option<Key> {
    Key::from_str_radix(id, 16).ok()
}

pub(crate) fn id(key: Key) -> Result<RunId> {
    format!("{key:032x}").parse()
}

fn key_of(row: &Row<'_>) -> rusqlite::Result<Key> {
    let text = row.get_ref(0)?.as_str()?;
    Ok(key(text).unwrap_or_default())
}

/// The runs of a query, in its order.
pub(crate) fn keys(db: &Connection, text: &str, params: impl Params) -> Result<Vec<Key>> {
    sql::many(db, text, params, key_of)
}

/// The table of a field that belongs to a run step by step or as a whole, its key, its value.
fn part(field: &Field, better: fn(&str) -> bool) -> Option<(&'static str, &str, &'static str)> {
    Some(match field {
        Field::Metric(key) => ("last_metrics", key, "value"),
        Field::Picked(Pick::Least, key) => ("last_metrics", key, "least"),
        Field::Picked(Pick::Greatest, key) => ("last_metrics", key, "greatest"),
        Field::Picked(Pick::Best, key) => ("last_metrics", key, best(better(key))),
        Field::Param(key) => ("params", key, "value"),
        Field::Tag(key) => ("run_tags", key, "value"),
        Field::Picked(Pick::At(_), _) | Field::Column(_) | Field::Dataset(_) => return None,
    })
}

pub(crate) fn best(larger_is_better: bool) -> &'static str {
    if larger_is_better { "greatest" } else { "least" }
}

/// The runs for which a condition on anything but a column holds.
pub(crate) fn kept(
    db: &Connection,
    Condition { field, test }: &Condition,
    better: fn(&str) -> bool,
) -> Result<Kept> {
    // What must not be there is the opposite of what is.
    let (test, is_complement) = match test {
        Test::Missing => (&Test::There, true),
        Test::NotText(text) => (&Test::Text(TextTest::Equal, text.clone()), true),
        test => (test, false),
    };
    let keys = match field {
        Field::Picked(Pick::At(step), key) => {
            let values = at_step(db, key, *step, better)?;
            values.into_iter().filter(|(_, value)| holds(test, value)).map(|(key, _)| key).collect()
        }
        Field::Dataset(of) => keys_of_datasets(db, *of, test)?,
        Field::Column(_) => HashSet::new(),
        Field::Metric(_) | Field::Picked(..) | Field::Param(_) | Field::Tag(_) => {
            let (text, params) = kept_sql(field, test, better);
            keys(db, &text, from_iter(&params))?.into_iter().collect()
        }
    };
    Ok(Kept { keys, is_complement })
}

/// The scan that tells which runs a condition keeps.
pub(crate) fn kept_sql(field: &Field, test: &Test, better: fn(&str) -> bool) -> (String, Vec<Param>) {
    let Some((table, key, value)) = part(field, better) else {
        return ("select '' where false".into(), vec![]);
    };
    let mut params = vec![key.to_owned().into()];
    let holds = match test {
        // A metric that is there may have no number.
        Test::There => "true".to_owned(),
        test => test.sql(value, &mut params),
    };
    (format!("select run_id from {table} where key = ? and {holds}"), params)
}

/// The scan that gives the value of each run.
pub(crate) fn values_sql(field: &Field, better: fn(&str) -> bool) -> Option<(String, String)> {
    let (table, key, value) = part(field, better)?;
    Some((format!("select run_id, {value} from {table} where key = ?"), key.to_owned()))
}

fn keys_of_datasets(db: &Connection, of: DatasetField, test: &Test) -> Result<HashSet<Key>> {
    let (logged, ours) = match of {
        DatasetField::Name => ("d.name", "d.name"),
        DatasetField::Digest => ("d.digest", "v.content"),
        DatasetField::Context => ("i.context", "null"),
    };
    let mut params = Vec::new();
    let text = format!(
        "select i.run_id from run_inputs i join logged_datasets d on d.id = i.dataset_id where {}
         union all
         select u.run_id from run_datasets u join dataset_versions v on v.id = u.version_id
            join datasets d on d.id = v.dataset_id where {}",
        test.sql(logged, &mut params),
        test.sql(ours, &mut params),
    );
    Ok(keys(db, &text, from_iter(&params))?.into_iter().collect())
}

fn holds(test: &Test, value: &Value) -> bool {
    let (Test::Number(compare, wanted), Some(number)) = (test, value.number()) else { return false };
    match compare {
        Compare::Equal => number == *wanted,
        Compare::Unequal => number != *wanted,
        Compare::Below => number < *wanted,
        Compare::AtMost => number <= *wanted,
        Compare::Above => number > *wanted,
        Compare::AtLeast => number >= *wanted,
    }
}

/// What each run has of a field.
pub(crate) fn values(db: &Connection, query: &TableQuery, field: &Field) -> Result<HashMap<Key, Value>> {
    if let Field::Column(column) = field {
        let Some(value) = column_sql(*column) else { return Ok(HashMap::new()) };
        let text = format!("select r.id, {value} from runs r where r.project_id = ?");
        return one_each(db, &text, [query.project_id.as_str()], None, |_, _| false);
    }
    if let Field::Picked(Pick::At(step), key) = field {
        return at_step(db, key, *step, query.better);
    }
    let Some((text, key)) = values_sql(field, query.better) else { return Ok(HashMap::new()) };
    // A metric that is there and null is not a number.
    let empty = matches!(field, Field::Metric(_) | Field::Picked(..)).then_some(Value::Number(f64::NAN));
    one_each(db, &text, [key.as_str()], empty, |new, old| replaces(field, query.better, new, old))
}

/// True if another step's value is the one that counts.
pub(crate) fn replaces(field: &Field, better: fn(&str) -> bool, new: &Value, old: &Value) -> bool {
    let larger = match field {
        Field::Picked(Pick::Least, _) => false,
        Field::Picked(Pick::Greatest, _) => true,
        Field::Metric(key) | Field::Picked(Pick::Best | Pick::At(_), key) => better(key),
        // Of several texts the first one in order.
        Field::Param(_) | Field::Tag(_) | Field::Column(_) | Field::Dataset(_) => false,
    };
    order(Some(new), Some(old), !larger) == Ordering::Less
}

/// One value a run; `empty` is what null stands for, and none where it stands for nothing.
fn one_each(
    db: &Connection,
    text: &str,
    params: impl Params,
    empty: Option<Value>,
    replaces: impl Fn(&Value, &Value) -> bool,
) -> Result<HashMap<Key, Value>> {
    let mut all: HashMap<Key, Value> = HashMap::new();
    let collect = || -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(text)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let value = match row.get_ref(1)? {
                ValueRef::Integer(number) => Value::Number(number as f64),
                ValueRef::Real(number) => Value::Number(number),
                ValueRef::Text(text) => Value::of_text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Null => match &empty {
                    Some(value) => value.clone(),
                    None => continue,
                },
                ValueRef::Blob(_) => continue,
            };
            match all.entry(key_of(row)?) {
                std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(value)),
                std::collections::hash_map::Entry::Occupied(mut entry) if replaces(&value, entry.get()) => {
                    entry.insert(value);
                }
                std::collections::hash_map::Entry::Occupied(_) => {}
            }
        }
        Ok(())
    };
    collect().map_err(|error| sql::failed("read the workspace", &error))?;
    Ok(all)
}

/// The last value of a metric at a step or before it, of each run that has one.
fn at_step(db: &Connection, key: &str, step: i64, better: fn(&str) -> bool) -> Result<HashMap<Key, Value>> {
    let field = Field::Picked(Pick::At(step), key.to_owned());
    one_each(db, AT_STEP, (key, step), None, |new, old| replaces(&field, better, new, old))
}

/// Curves of scripts, and of steps of pipelines.
pub(crate) const AT_STEP: &str = "
    select c.run_id, (select iif(p.is_nan, null, p.value) from points p
            where p.curve_id = c.id and p.step <= ?2 order by p.step desc, p.at_ms desc limit 1) as value
        from curves c where c.key = ?1
    union all
    select l.run_id, (select m.value from metrics m where m.run_id = l.run_id and m.step_id = l.step_id
            and m.key = l.key and m.step <= ?2 order by m.step desc, m.ordinal desc limit 1)
        from last_metrics l where l.key = ?1 and l.step_id > ''";
