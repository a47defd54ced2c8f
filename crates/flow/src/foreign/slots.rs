//! The short forms in which a step declares what goes in and what comes out: `scores`,
//! `model:files`, `left?`, `prices=data/prices.csv`, or just the path of a file it writes.

use std::collections::BTreeSet;

use base::{Error, Result};

use crate::kind::PortType;
use crate::outside::check_path;

/// Endings of files that are read as tables.
const TABLES: [&str; 8] = ["parquet", "csv", "tsv", "arrow", "feather", "jsonl", "ndjson", "xlsx"];
/// A step has at most this many of each.
const MAX_SLOTS: usize = 32;

/// Which of the two a list declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What goes in.
    In,
    /// What comes out.
    Out,
}

/// One thing that goes in or comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The port's name.
    pub name: String,
    /// What it is.
    pub port_type: PortType,
    /// True if the step runs without it.
    pub is_optional: bool,
    /// Where the program finds or writes it, in its working folder.
    pub path: Option<String>,
}

/// Reads a list of them.
///
/// # Errors
/// [`base::Code::InvalidInput`] for a form that cannot be read, and for a name that is used twice.
pub fn read_all(texts: &[String], side: Side) -> Result<Vec<Slot>> {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if texts.len() > MAX_SLOTS {
        return Err(Error::invalid(format!("a step has at most {MAX_SLOTS} of these, not {}", texts.len()))
            .hint("hand over a folder of files instead"));
    }
    let slots = texts.iter().map(|text| read(text, side)).collect::<Result<Vec<_>>>()?;
    let mut names: BTreeSet<&str> = match side {
        Side::In => BTreeSet::new(),
        Side::Out => BTreeSet::from([super::METRICS_PORT, super::ARTIFACTS_PORT]),
    };
    for slot in &slots {
        if !names.insert(&slot.name) {
            return Err(Error::invalid(format!("the name `{}` is taken", slot.name))
                .hint("write `name=path` to give it another name"));
        }
    }
    Ok(slots)
}

/// A port's name has at most so many characters.
const MAX_NAME: usize = 40;

fn read(text: &str, side: Side) -> Result<Slot> {
    let (head, path) = match text.split_once('=') {
        Some((head, path)) => (head.trim(), Some(path.trim())),
        None => (text, None),
    };
    let (head, is_optional) = match head.strip_suffix('?') {
        Some(head) if side == Side::In => (head, true),
        _ => (head, false),
    };
    let (name, word) = match head.split_once(':') {
        Some((name, word)) => (name.trim(), Some(word.trim())),
        None => (head, None),
    };
    if path.is_none() && word.is_none() && !is_name(name) && name.contains(['.', '/']) {
        check_path(name)?;
        let is_table = has_table_ending(name);
        let port_type = if is_table { PortType::Table } else { PortType::Files };
        return Ok(Slot { name: name_of(name), port_type, is_optional, path: Some(name.to_owned()) });
    }
    if !is_name(name) {
        return Err(Error::invalid(format!("`{}` cannot be the name of a port", name.escape_debug()))
            .hint("use lower-case letters, digits and `_`, starting with a letter, such as `scores`"));
    }
    if let Some(path) = path {
        check_path(path)?;
    }
    let port_type = match word {
        Some(word) => type_of(word, side)?,
        None if path.is_none_or(has_table_ending) => PortType::Table,
        None => PortType::Files,
    };
    Ok(Slot { name: name.to_owned(), port_type, is_optional, path: path.map(str::to_owned) })
}

fn type_of(word: &str, side: Side) -> Result<PortType> {
    match (word, side) {
        ("table", _) => Ok(PortType::Table),
        ("files", _) => Ok(PortType::Files),
        ("model", Side::In) => Ok(PortType::Model),
        ("metrics", Side::In) => Ok(PortType::Metrics),
        _ => {
            let hint = match side {
                Side::In => "write `name:table`, `name:files`, `name:model` or `name:metrics`",
                Side::Out => "write `name:table` or `name:files`",
            };
            Err(Error::invalid(format!("`{}` is nothing that can be handed over", word.escape_debug()))
                .hint(hint))
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= MAX_NAME
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn has_table_ending(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| TABLES.contains(&ending.to_ascii_lowercase().as_str()))
}

/// A port's name for a path: that of the file without its ending.
fn name_of(path: &str) -> String {
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let stem = file.split_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem });
    let mut name = crate::template::step_id(stem);
    // It is ASCII, so it can be cut anywhere.
    name.truncate(MAX_NAME);
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slots(texts: &[&str], side: Side) -> Result<Vec<Slot>> {
        read_all(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), side)
    }

    fn words(slot: &Slot) -> String {
        let optional = if slot.is_optional { "?" } else { "" };
        let path = slot.path.as_ref().map_or_else(String::new, |path| format!("={path}"));
        format!("{}:{}{optional}{path}", slot.name, slot.port_type.name())
    }

    #[test]
    fn short_forms_say_name_type_and_place() {
        let forms = ["scores", "model:files", "left?", "prices=data/prices.csv", "m=model.pkl", "net:model?"];
        let read: Vec<String> = slots(&forms, Side::In).expect("good").iter().map(words).collect();
        assert_eq!(
            read,
            [
                "scores:table",
                "model:files",
                "left:table?",
                "prices:table=data/prices.csv",
                "m:files=model.pkl",
                "net:model?"
            ]
        );
        let forms = ["data/features.parquet", "model.pkl", "plots/", "raw:files=raw.csv"];
        let read: Vec<String> = slots(&forms, Side::Out).expect("good").iter().map(words).collect();
        assert_eq!(
            read,
            [
                "features:table=data/features.parquet",
                "model:files=model.pkl",
                "plots:files=plots/",
                "raw:files=raw.csv"
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_port_is_refused_with_the_way_out() {
        for wrong in ["Scores", "1st", "a:tabel", "a=../x", "a=/etc/passwd", "a b", ":", "=x", "../x.csv"] {
            let error = slots(&[wrong], Side::Out).expect_err(wrong);
            assert!(error.hint.is_some(), "{wrong}");
        }
        assert!(slots(&["a", "a:files"], Side::In).is_err(), "twice");
        assert!(slots(&["metrics"], Side::Out).is_err(), "every step has that");
        assert!(slots(&["x?"], Side::Out).is_err(), "an output is never optional");
    }

    proptest! {
        #[test]
        fn any_text_is_a_slot_or_an_error(text in ".{0,40}") {
            for side in [Side::In, Side::Out] {
                for slot in slots(&[&text], side).unwrap_or_default() {
                    prop_assert!(is_name(&slot.name), "{}", slot.name);
                    prop_assert!(slot.path.is_none_or(|path| check_path(&path).is_ok()));
                }
            }
        }
    }
}
