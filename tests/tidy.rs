//! What every part of the tree has to keep: the arrows between crates, sizes, and words that may
//! not stay. A rule that nobody checks is a wish.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Which of our crates each of our crates may use. "Uses" points to the left in the design's line
/// `base, store, data, learn, flow, engine, api, fettle`; `score` stands beside `store`, and `connect`
/// beside `data`.
const ARROWS: [(&str, &[&str]); 13] = [
    ("base", &[]),
    ("store", &["base"]),
    ("score", &["base"]),
    ("serving", &["base", "score"]),
    ("data", &["base", "store"]),
    ("connect", &["base"]),
    ("learn", &["base", "store", "score", "data"]),
    ("flow", &["base", "store", "score", "data", "learn"]),
    ("engine", &["base", "store", "score", "data", "connect", "learn", "flow"]),
    ("api", &["base", "store", "score", "data", "connect", "learn", "flow", "engine"]),
    ("fettle", &["base", "store", "score", "data", "connect", "learn", "flow", "engine", "api"]),
    ("fettle-desktop", &["base"]),
    ("xtask", &[]),
];

/// Crates that fence something off, and the only packages that may name them.
const FENCED: [(&str, &[&str]); 6] = [
    ("tauri", &["fettle-desktop"]),
    // Only `store` writes our database; `data` reads tables out of those of others, `connect` what
    // MLflow keeps.
    ("rusqlite", &["store", "data", "connect"]),
    ("datafusion", &["data"]),
    ("axum", &["api", "serving"]),
    ("hyper", &["api", "serving"]),
    // The data engine and the database driver bring a runtime along, which `data` and `connect` hide.
    ("tokio", &["api", "serving", "data", "connect"]),
];

const RUST_LINES: usize = 800;
const SVELTE_LINES: usize = 400;

#[test]
fn crates_use_only_what_lies_to_their_left() {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut troubles = Vec::new();
    for package in packages() {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            troubles.push(format!("`{}` is not in the list of arrows", package.name));
            continue;
        };
        let ours = package.dependencies(&["dependencies", "dev-dependencies", "build-dependencies"]);
        let ours = ours.into_iter().filter(|name| ARROWS.iter().any(|(crate_name, _)| crate_name == name));
        let wrong = ours.filter(|name| !allowed.contains(&name.as_str()));
        troubles.extend(wrong.map(|name| format!("`{}` uses `{name}`", package.name)));
    }
    none(&troubles);
}

#[test]
fn fenced_crates_are_named_only_behind_their_fence() {
    let mut troubles = Vec::new();
    for package in packages() {
        for name in package.dependencies(&["dependencies", "build-dependencies"]) {
            // `tauri-build` and `tauri-plugin-dialog` belong to `tauri`, `tokio-stream` to `tokio`.
            let family = name.split('-').next().unwrap_or_default();
            let fence = FENCED.iter().find(|(fenced, _)| *fenced == family);
            if let Some((_, may)) = fence.filter(|(_, may)| !may.contains(&package.name.as_str())) {
                troubles.push(format!("`{}` names `{name}`, which only {may:?} may", package.name));
            }
        }
    }
    none(&troubles);
}

#[test]
fn only_one_file_of_the_pages_knows_the_window() {
    let needle = concat!("@tauri-", "apps/");
    let wrong = files().into_iter().filter(|path| {
        is_page_source(path)
            && path != "ui/src/host/tauri.ts"
            && read(path).is_some_and(|text| text.contains(needle))
    });
    none(&wrong.map(|path| format!("{path} imports {needle}*")).collect::<Vec<_>>());
}

/// On Windows the drop of files and HTML5 drag and drop exclude each other, and the files win.
#[test]
fn nothing_is_dragged_the_html5_way() {
    let needles = ["draggable=", "ondragstart", "on:dragstart"];
    none(&found(&needles, is_page_source, |line, needle| line.contains(needle)));
}

#[test]
fn files_stay_short_enough_to_read() {
    let mut troubles = Vec::new();
    for path in files() {
        let limit = match Path::new(&path).extension().and_then(|ending| ending.to_str()) {
            Some("rs") => RUST_LINES,
            Some("svelte") => SVELTE_LINES,
            _ => continue,
        };
        let lines = read(&path).map_or(0, |text| text.lines().count());
        if lines > limit {
            troubles.push(format!("{path} has {lines} lines, and {limit} is the end"));
        }
    }
    none(&troubles);
}

#[test]
fn every_rust_file_starts_by_saying_what_it_is_for() {
    let silent = files().into_iter().filter(|path| path.ends_with(".rs"));
    let silent = silent.filter(|path| read(path).is_some_and(|text| !text.starts_with("//!")));
    none(&silent.map(|path| format!("{path} does not start with `//!`")).collect::<Vec<_>>());
}

#[test]
fn nothing_unfinished_is_left_behind() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("db", "g!")];
    none(&found(&words, is_source, has_word));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let folders = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let starts_a_path = |text: &str, folder: &str| {
        text.match_indices(folder).any(|(at, _)| {
            !text[..at].ends_with(|before: char| before.is_alphanumeric() || "._-*}".contains(before))
        })
    };
    none(&found(&folders, |_| true, starts_a_path));
}

#[test]
fn the_readme_needs_two_commands_and_xtask_has_every_one_that_is_named() {
    let readme = read("README.md").expect("there is a README.md");
    let block = readme.split("```").nth(1).expect("the README shows how to start");
    let commands: Vec<_> =
        block.lines().filter(|line| line.starts_with("cargo ")).map(without_comment).collect();
    assert_eq!(commands, ["cargo xtask run", "cargo xtask test"], "the first block of README.md");

    let xtask = read("crates/xtask/src/main.rs").expect("xtask has a front");
    let named: BTreeSet<String> =
        files().iter().filter(|path| path.ends_with(".md")).flat_map(|path| xtasks(path)).collect();
    let unknown = named.iter().filter(|command| !xtask.contains(&format!("\"{command}\" =>")));
    none(
        &unknown
            .map(|command| format!("`cargo xtask {command}` is named but does not exist"))
            .collect::<Vec<_>>(),
    );
}

/// One of our packages, as its Cargo.toml says.
struct Package {
    name: String,
    manifest: Table,
}

impl Package {
    /// Everything named under these headings, also where it is for one system only.
    fn dependencies(&self, headings: &[&str]) -> BTreeSet<String> {
        let targets = self.manifest.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        let tables = std::iter::once(&self.manifest).chain(targets);
        let named =
            tables.flat_map(|table| headings.iter().filter_map(|heading| table.get(*heading)?.as_table()));
        named.flatten().map(|(name, value)| package_of(name, value).to_owned()).collect()
    }
}

/// A dependency may go by another name here than it has there.
fn package_of<'a>(name: &'a str, value: &'a Value) -> &'a str {
    value.get("package").and_then(Value::as_str).unwrap_or(name)
}

fn packages() -> Vec<Package> {
    let manifests = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let packages: Vec<_> = manifests
        .map(|path| {
            let manifest: Table = read(&path).expect("readable").parse().expect("valid TOML");
            let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
            Package { name, manifest }
        })
        .collect();
    assert!(packages.len() >= ARROWS.len(), "only {} packages were found", packages.len());
    packages
}

/// Every file that is or will be in git, from the root on.
fn files() -> Vec<String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(list).current_dir(ROOT).output().expect("git runs");
    assert!(output.status.success(), "this test asks git which files there are");
    let paths = String::from_utf8(output.stdout).expect("our paths are UTF-8");
    // A deleted file stays in git's list until the deletion is committed.
    paths.split('\0').filter(|path| Path::new(ROOT).join(path).is_file()).map(str::to_owned).collect()
}

/// The text of a file; pictures and the like have none.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(ROOT).join(path)).ok()
}

fn is_source(path: &str) -> bool {
    let endings = ["rs", "ts", "svelte", "css", "html", "sql", "toml", "py", "sh", "yml", "cjs", "mjs"];
    Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| endings.contains(&ending))
}

fn is_page_source(path: &str) -> bool {
    path.starts_with("ui/src/") && is_source(path)
}

/// Where the needles are, as `file:line: needle`.
fn found(
    needles: &[&str],
    is_wanted: impl Fn(&str) -> bool,
    has: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut places = Vec::new();
    for path in files().into_iter().filter(|path| is_wanted(path) && path != "tests/tidy.rs") {
        let text = read(&path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let hits = needles.iter().filter(|needle| has(line, needle));
            places.extend(hits.map(|needle| format!("{path}:{}: {needle}", number + 1)));
        }
    }
    places
}

/// The word by itself, not a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_letter) && !line[at + word.len()..].starts_with(is_letter))
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim_end()
}

/// The commands of xtask that a text names.
fn xtasks(path: &str) -> Vec<String> {
    let text = read(path).unwrap_or_default();
    let words = text.split("cargo xtask ").skip(1);
    let words = words.map(|rest| rest.chars().take_while(char::is_ascii_lowercase).collect::<String>());
    words.filter(|word| !word.is_empty()).collect()
}

#[track_caller]
fn none(troubles: &[String]) {
    assert!(troubles.is_empty(), "\n  {}\n", troubles.join("\n  "));
}
