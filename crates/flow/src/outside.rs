//! What a step's result depends on beyond its parameters and inputs: files of the project, found by
//! patterns, and facts such as the version of an interpreter. All of it becomes part of the key.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::cache::Components;

/// More files than this are data, and belong into a dataset.
const MAX_FILES: usize = 10_000;
/// Folders that are made again from what is declared, or hold the project's past.
const PASSED_OVER: [&str; 5] = [".git", ".venv", "__pycache__", ".ipynb_checkpoints", "node_modules"];

/// Where a pipeline lives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The project's folder.
    pub project: PathBuf,
    /// A folder for environments of foreign programs. What is in it can be made again.
    pub tools: PathBuf,
    /// Variables that foreign programs get besides those of this process, such as the address of
    /// a tracking server. They are not part of any key.
    pub environment: BTreeMap<String, String>,
}

/// What a result depends on outside the graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    /// BLAKE3 of files by their path in the project, with `/` on every system.
    pub files: BTreeMap<String, String>,
    /// Anything else, by name.
    pub facts: BTreeMap<String, String>,
}

impl Outside {
    /// Adds it to what a key is made of.
    pub fn add_to(&self, components: &mut Components) {
        for (path, content) in &self.files {
            components.insert(format!("file.{path}"), content.clone());
        }
        for (name, value) in &self.facts {
            components.insert(format!("fact.{name}"), value.clone());
        }
    }

    /// Adds the files of a project that patterns find.
    ///
    /// # Errors
    /// As [`find`]; a file cannot be read.
    pub fn add_files(&mut self, project: &Path, patterns: &[String]) -> Result<()> {
        for path in find(project, patterns)? {
            let place = project.join(&path);
            if let Entry::Vacant(file) = self.files.entry(path) {
                file.insert(hash(&place)?);
            }
        }
        Ok(())
    }
}

/// What of all that a result depends on lies outside the graph: its files and facts.
pub fn part_of(components: &Components) -> Components {
    let is_outside = |name: &str| name.starts_with("file.") || name.starts_with("fact.");
    let outside = components.iter().filter(|(name, _)| is_outside(name));
    outside.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The BLAKE3 hash of a file.
///
/// # Errors
/// It cannot be read.
pub fn hash(path: &Path) -> Result<String> {
    let failed = |e: io::Error| Error::io("read", path, &e);
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path).map_err(failed)?, &mut hasher).map_err(failed)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The files of a project that patterns find, sorted and once each. `*` and `?` stand for anything
/// but `/`, `**` for any folders; the name of a folder stands for all in it.
///
/// # Errors
/// [`Code::NotFound`] for a pattern that finds nothing; [`Code::InvalidInput`] for one that leaves
/// the project, and for too many files.
pub fn find(project: &Path, patterns: &[String]) -> Result<Vec<String>> {
    let patterns: Vec<&String> = patterns.iter().filter(|pattern| !pattern.trim().is_empty()).collect();
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    list(project, String::new(), &mut all)?;
    all.sort();
    let mut found = Vec::new();
    for pattern in patterns {
        let parts = parts_of(pattern)?;
        let before = found.len();
        found
            .extend(all.iter().filter(|path| matches(&parts, &path.split('/').collect::<Vec<_>>())).cloned());
        if found.len() == before {
            return Err(Error::not_found(format!("the project has no file `{pattern}`"))
                .hint("paths begin at the project's folder; `*`, `?` and `**` are understood"));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn parts_of(pattern: &str) -> Result<Vec<&str>> {
    let trimmed = pattern.trim().trim_start_matches("./").trim_end_matches('/');
    check_path(trimmed)?;
    Ok(trimmed.split('/').filter(|part| !part.is_empty()).collect())
}

/// Refuses a path that is not below the folder it is meant in, on any system.
///
/// # Errors
/// [`Code::InvalidInput`].
pub fn check_path(path: &str) -> Result<()> {
    let leaves = path.is_empty()
        || path.starts_with('/')
        || path.contains(['\\', ':', '\0', '\n'])
        || path.split('/').any(|part| part == "..");
    if leaves {
        return Err(Error::invalid(format!("`{}` is no path in the project", path.escape_debug()))
            .hint("write one such as `scripts/train.py`, with `/` and without `..`"));
    }
    Ok(())
}

/// True if the pattern stands for the path or for a folder that it is in.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], _) => true,
        (["**"], _) => !path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|from| matches(rest, &path[from..])),
        (_, []) => false,
        ([first, rest @ ..], [name, below @ ..]) => {
            fits(first.as_bytes(), name.as_bytes()) && matches(rest, below)
        }
    }
}

/// A name against one part of a pattern. Goes back to the last `*` only, so it takes at most the
/// product of the two lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
        } else if pattern.get(at).is_some_and(|c| *c == b'?' || *c == name[read]) {
            (at, read) = (at + 1, read + 1);
        } else if let Some((from, taken)) = star {
            (at, read) = (from + 1, taken + 1);
            star = Some((from, taken + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == b'*')
}

fn list(folder: &Path, below: String, all: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))? {
        let entry = entry.map_err(|e| Error::io("list", folder, &e))?;
        let name = entry.file_name();
        // A file whose name is not Unicode cannot be named by a pattern.
        let Some(name) = name.to_str().filter(|name| !PASSED_OVER.contains(name)) else { continue };
        let kind = entry.file_type().map_err(|e| Error::io("list", folder, &e))?;
        let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if kind.is_dir() {
            list(&entry.path(), path, all)?;
        } else if kind.is_file() {
            all.push(path);
        }
        if all.len() > MAX_FILES {
            return Err(Error::new(
                Code::InvalidInput,
                format!("the project has more than {MAX_FILES} files"),
            )
            .hint("import data as datasets, and keep environments and outputs outside the project"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("below")).expect("can be made");
            fs::write(path, file).expect("can be written");
        }
        folder
    }

    fn found(project: &tempfile::TempDir, pattern: &str) -> Vec<String> {
        find(project.path(), &[pattern.to_owned()]).unwrap_or_default()
    }

    #[test]
    fn patterns_find_files_at_any_depth_and_folders_mean_all_in_them() {
        let project = project(&["a.py", "src/b.py", "src/deep/c.py", "src/d.txt", "src/__pycache__/b.py"]);
        assert_eq!(found(&project, "a.py"), ["a.py"]);
        assert_eq!(found(&project, "*.py"), ["a.py"]);
        assert_eq!(found(&project, "**/*.py"), ["a.py", "src/b.py", "src/deep/c.py"]);
        assert_eq!(found(&project, "src"), ["src/b.py", "src/d.txt", "src/deep/c.py"]);
        assert_eq!(found(&project, "./src/**"), ["src/b.py", "src/d.txt", "src/deep/c.py"]);
        assert_eq!(found(&project, "src/?.*"), ["src/b.py", "src/d.txt"]);
    }

    #[test]
    fn a_pattern_that_finds_nothing_or_leaves_the_project_is_named() {
        let project = project(&["a.py"]);
        let error = find(project.path(), &["b.py".to_owned()]).expect_err("there is none");
        assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "the project has no file `b.py`"));
        for pattern in ["../x", "/etc/passwd", "a/../../x", "C:\\x", "a\\b", "x\0"] {
            let error = find(project.path(), &[pattern.to_owned()]).expect_err(pattern);
            assert_eq!(error.code, Code::InvalidInput, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_quickly() {
        let name = "a".repeat(200);
        assert!(!fits("*a".repeat(100).as_bytes(), format!("{name}b").as_bytes()));
        assert!(fits("*a".repeat(100).as_bytes(), name.as_bytes()));
    }

    #[test]
    fn content_and_name_of_each_file_count() {
        let project = project(&["a.py", "b.py"]);
        let components = || {
            let mut outside = Outside::default();
            outside.add_files(project.path(), &["*.py".to_owned()]).expect("readable");
            let mut all = Components::new();
            outside.add_to(&mut all);
            all
        };
        let before = components();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["file.a.py", "file.b.py"]);
        fs::write(project.path().join("a.py"), "other").expect("can be written");
        assert_ne!(components()["file.a.py"], before["file.a.py"]);
        assert_eq!(components()["file.b.py"], before["file.b.py"]);
    }
}
