//! Columns out of folders' names: `year=2026/month=1/part.csv`, as Hive, Spark and Arrow write them.

use std::collections::BTreeMap;

use super::member::Member;
use crate::import::cell::CellReader;
use crate::import::chunk::Origin;
use crate::import::infer::{ColumnPlan, Tally};
use crate::import::options::{FolderOptions, ParseOptions};

/// Hive's word for a missing value.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns, in the order in which they occur.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    pub(super) columns: Vec<Partition>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) name: String,
    pub(super) plan: ColumnPlan,
}

impl Partitions {
    /// What the folders of these files say.
    pub(super) fn of(members: &[Member], options: &FolderOptions) -> Self {
        if !options.partitions {
            return Self::default();
        }
        let parse = words();
        let cells = CellReader::new(&parse);
        let mut names: Vec<String> = Vec::new();
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        for member in members {
            for (name, value) in pairs(&member.name) {
                let value = value.unwrap_or_default();
                tallies.entry(name.clone()).or_default().add(cells.class(&value, Origin::Bare), 1, &value);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let plan = |name: &str| {
            let tally = tallies.get(name).cloned().unwrap_or_default();
            ColumnPlan {
                kind: tally.kind(),
                date_order: tally.date_order(parse.date_order),
                is_forced: false,
            }
        };
        let columns = names.into_iter().map(|name| Partition { plan: plan(&name), name });
        Self { columns: columns.collect() }
    }
}

/// How the value of a partition is read: `country=NA` is a country.
pub(super) fn words() -> ParseOptions {
    ParseOptions { missing: Vec::new(), ..ParseOptions::default() }
}

/// The names and values in a path. The last part is the file.
pub(super) fn pairs(path: &str) -> Vec<(String, Option<String>)> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = decoded(name).trim().to_owned();
        (!name.is_empty()).then(|| (name, (value != MISSING).then(|| decoded(value))))
    };
    folders.split('/').filter_map(pair).collect()
}

/// Hive writes what a file system may not like as `%3A`.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Vec<(String, Option<String>)> {
        pairs(path)
    }

    #[test]
    fn only_folders_name_partitions_and_hive_s_words_are_understood() {
        let text = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(found("year=2026/city=S%C3%A3o/a=b.csv"), [text("year", "2026"), text("city", "São")]);
        assert_eq!(found("day=2026-01-02 08%3A05/x"), [text("day", "2026-01-02 08:05")]);
        assert_eq!(found("year=__HIVE_DEFAULT_PARTITION__/x"), [("year".to_owned(), None)]);
        assert_eq!(found("=3/100%/plain/x"), []);
        assert_eq!(found("rate=100%/x"), [text("rate", "100%")]);
    }
}
