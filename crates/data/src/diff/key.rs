//! The key by which rows are matched: the one that is named, or one that both versions suggest.

use base::{Error, Progress, Result, count};

use super::Matching;
use super::align::{Alignment, match_equal, placed};
use super::columns::{Form, Shared, add};
use crate::pick::pick;
use crate::row_hash;
use crate::schema::Kind;
use crate::table::TableFile;

/// A found key has this share of its values in both versions, or it is no key.
const MIN_OVERLAP: f64 = 0.5;
/// Columns of which each pair is tried as a key.
const MAX_PAIRED: usize = 8;
/// Rows by which most candidates are told to be none.
const PROBE_ROWS: u64 = 8192;
/// Repeated keys that an error names.
const MAX_EXAMPLES: usize = 3;

/// The key and the rows it matches; none if no key was named and none was found.
pub(super) fn choose(
    old: &TableFile,
    new: &TableFile,
    shared: &[Shared],
    named: &[String],
    progress: &Progress,
) -> Result<Option<(Matching, Alignment)>> {
    progress.step("matching rows", 0, None)?;
    if named.is_empty() {
        return find(old, new, shared, progress);
    }
    let mut columns = Vec::with_capacity(named.len());
    for name in named {
        old.meta().column(name).map_err(|e| e.within("the old version lacks a column of the key"))?;
        new.meta().column(name).map_err(|e| e.within("the new version lacks a column of the key"))?;
        columns.extend(shared.iter().find(|shared| shared.new.name == *name));
    }
    let (olds, news) = (keys(old, &columns, true, progress)?, keys(new, &columns, false, progress)?);
    demand_unique(old, named, &olds, "old")?;
    demand_unique(new, named, &news, "new")?;
    let matching = Matching::Key { columns: named.to_vec(), is_found: false };
    Ok(Some((matching, match_equal(&olds, &news))))
}

/// The hash of each row over some columns.
pub(super) fn keys(
    table: &TableFile,
    columns: &[&Shared],
    is_old: bool,
    progress: &Progress,
) -> Result<Vec<u128>> {
    let mut rows = vec![0; usize::try_from(table.rows()).unwrap_or(0)];
    for (salt, column) in (0..).zip(columns) {
        let name = if is_old { &column.old.name } else { &column.new.name };
        add(&mut rows, table, name, (column.form(), salt), progress)?;
        progress.step("matching rows", salt + 1, None)?;
    }
    Ok(rows)
}

/// Fails if a key repeats, naming some of the rows.
fn demand_unique(table: &TableFile, key: &[String], hashes: &[u128], which: &str) -> Result<()> {
    let placed = placed(hashes);
    let mut repeats =
        placed.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1));
    let examples: Vec<(u32, u32)> = repeats.by_ref().take(MAX_EXAMPLES).collect();
    if examples.is_empty() {
        return Ok(());
    }
    let more = repeats.count();
    let names: Vec<&str> = key.iter().map(String::as_str).collect();
    let mut said = Vec::new();
    for (first, second) in examples {
        let cells = pick(table, &names, &[u64::from(first)])?;
        let cells: Vec<String> =
            cells.into_iter().flatten().map(|cell| cell.unwrap_or_else(|| "(missing)".to_owned())).collect();
        said.push(format!("`{}` names the rows {first} and {second}", cells.join("`, `")));
    }
    if more > 0 {
        said.push(format!("{} more rows repeat", count(more as u64)));
    }
    Err(Error::invalid(format!(
        "the key `{}` does not name one row each in the {which} version",
        names.join("`, `")
    ))
    .hint("add columns to the key, or name none, so that rows are matched by their content")
    .because(said.join("; ")))
}

/// The column, or the pair of columns, that is unique in both versions and has most of its values
/// in both. What is called an id is preferred among equals, then what stands further left.
fn find(
    old: &TableFile,
    new: &TableFile,
    shared: &[Shared],
    progress: &Progress,
) -> Result<Option<(Matching, Alignment)>> {
    let mut candidates: Vec<&Shared> = shared.iter().filter(|shared| can_name_rows(shared)).collect();
    candidates.sort_by_key(|shared| !is_called_id(&shared.new.name));
    let singles: Vec<Vec<&Shared>> = candidates.iter().map(|shared| vec![*shared]).collect();
    let paired = &candidates[..candidates.len().min(MAX_PAIRED)];
    let pairs = paired.iter().enumerate().flat_map(|(at, a)| paired[at + 1..].iter().map(|b| vec![*a, *b]));
    for group in [singles, pairs.collect()] {
        let mut best: Option<(f64, Matching, Alignment)> = None;
        for columns in group {
            let Some((overlap, alignment)) = try_key(old, new, &columns, progress)? else { continue };
            if best.as_ref().is_none_or(|(most, ..)| overlap > *most) {
                let columns = columns.iter().map(|shared| shared.new.name.clone()).collect();
                best = Some((overlap, Matching::Key { columns, is_found: true }, alignment));
            }
            if overlap >= 1.0 {
                break;
            }
        }
        if let Some((_, matching, alignment)) = best {
            return Ok(Some((matching, alignment)));
        }
    }
    Ok(None)
}

fn can_name_rows(shared: &Shared) -> bool {
    shared.form() == Form::Plain && matches!(shared.new.kind, Kind::Integer | Kind::Text | Kind::Time)
}

fn is_called_id(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "id" | "key" | "uuid" | "guid"))
        || name.ends_with("id")
}

/// The share of the shorter version whose keys are in both, and the rows matched, if the columns
/// are a key.
fn try_key(
    old: &TableFile,
    new: &TableFile,
    columns: &[&Shared],
    progress: &Progress,
) -> Result<Option<(f64, Alignment)>> {
    if !is_unique_at_first(old, columns, true)? || !is_unique_at_first(new, columns, false)? {
        return Ok(None);
    }
    let (olds, news) = (keys(old, columns, true, progress)?, keys(new, columns, false, progress)?);
    let is_unique = |hashes: &[u128]| row_hash::count_repeats(&mut hashes.to_vec()) == 0;
    if !is_unique(&olds) || !is_unique(&news) {
        return Ok(None);
    }
    let alignment = match_equal(&olds, &news);
    let shorter = olds.len().min(news.len());
    let overlap = if shorter == 0 { 1.0 } else { alignment.pairs.len() as f64 / shorter as f64 };
    Ok((overlap >= MIN_OVERLAP).then_some((overlap, alignment)))
}

/// False if a key repeats or is missing in the first rows.
fn is_unique_at_first(table: &TableFile, columns: &[&Shared], is_old: bool) -> Result<bool> {
    let names: Vec<&str> =
        columns.iter().map(|c| if is_old { c.old.name.as_str() } else { c.new.name.as_str() }).collect();
    let mut hashes = Vec::new();
    for batch in table.range(Some(&names), 0, Some(PROBE_ROWS))? {
        let batch = batch?;
        if batch.columns().iter().any(|array| arrow::array::Array::null_count(array.as_ref()) > 0) {
            return Ok(false);
        }
        hashes.extend(row_hash::of_rows(&batch)?);
    }
    Ok(row_hash::count_repeats(&mut hashes) == 0)
}
