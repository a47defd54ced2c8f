//! Python functions and notebooks as steps, with real packages from the package index.
#![cfg(unix)]

mod testkit;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::World;

/// A world with the sample, and where the project's files are.
fn world() -> (World, PathBuf) {
    furnished(World::new().with("FETTLE_UV", uv()))
}

/// The program uv, installed from the package index once for all tests.
fn uv() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv");
    let lock = std::fs::File::create(folder.with_extension("lock")).expect("can be made");
    lock.lock().expect("can be locked");
    let program = folder.join("bin/uv");
    if !program.exists() {
        let run = |program: &Path, words: &[&str]| {
            let status = Command::new(program).args(words).status().expect("it starts");
            assert!(status.success(), "{words:?}");
        };
        run(Path::new("python3"), &["-m", "venv", "--clear", testkit::text(&folder)]);
        run(&folder.join("bin/python"), &["-m", "pip", "install", "--quiet", "uv"]);
    }
    program
}

fn furnished(world: World) -> (World, PathBuf) {
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    let project =
        world.ok(&["call", "workspace.info"])["currentProject"].as_str().expect("a project").to_owned();
    let folder = world.workspace().join("projects").join(project);
    world.ok(&["pipeline", "add-step", "p", "birds", "--kind", "dataset", "--param", "dataset=penguins"]);
    (world, folder)
}

/// Adds a step `py` to pipeline `p`, over the sample unless its inputs say otherwise.
fn add(world: &World, params: Value) {
    let wires = if params.get("inputs").is_some_and(|inputs| inputs == &json!([])) {
        json!({})
    } else {
        json!({ "table": ["birds.table"] })
    };
    let request =
        json!({ "pipeline": "p", "step": "py", "kind": "python", "params": params, "inputs": wires });
    world.ok(&["call", "pipeline.add_step", &request.to_string()]);
}

fn step<'a>(run: &'a Value, id: &str) -> &'a Value {
    let found = run["steps"].as_array().into_iter().flatten().find(|step| step["step"] == id);
    found.unwrap_or_else(|| panic!("no step {id} in {run}"))
}

/// Runs it, which must succeed, and gives back the step `py`.
fn ran(world: &World) -> Value {
    let run = world.ok(&["pipeline", "run", "p"]);
    step(&run, "py").clone()
}

/// Runs it, which must fail, and gives back the error and its causes as one text.
fn refused(world: &World) -> String {
    world.fails(3, &["pipeline", "run", "p"]).to_string()
}

#[test]
fn a_function_gets_frames_as_annotated_and_its_answers_are_tables_files_and_metrics() {
    let (world, project) = world();
    let code = r#"
import pathlib

import pandas as pd
import polars as pl
import pyarrow as pa


def run(table: pl.DataFrame, again: "pd.DataFrame", raw: pathlib.Path, island, fettle, least: float = 1.0):
    assert isinstance(table, pl.DataFrame) and isinstance(again, pd.DataFrame) and raw.suffix == ".parquet"
    assert len(table) == len(again) == 344
    fettle.log_metric("birds", len(again))
    for step in range(3):
        fettle.log_metric("loss", 1 / (step + 1), step)
    (fettle.artifacts / "note.txt").write_text("drawn")
    print("at work")
    here = again[again["island"] == island]
    return {
        "frame": here,
        "polar": table.filter(pl.col("island") == island),
        "arrow": pa.Table.from_pandas(here.reset_index(drop=True)),
        "note": "some text\n",
    }
"#;
    let params = json!({
        "code": code,
        "inputs": ["table", "again", "raw"],
        "outputs": ["frame", "polar", "arrow", "note:files"],
        "parameters": { "island": "Dream" },
        "packages": ["pandas", "polars", "pyarrow"],
    });
    let wire = ["birds.table"];
    let wires = json!({ "table": wire, "again": wire, "raw": wire });
    let request =
        json!({ "pipeline": "p", "step": "py", "kind": "python", "params": params, "inputs": wires });
    world.ok(&["call", "pipeline.add_step", &request.to_string()]);
    let py = ran(&world);
    assert_eq!((&py["state"], &py["summary"]), (&"done".into(), &"124 × 8".into()), "{py}");
    assert_eq!((&py["metrics"]["birds"], &py["metrics"]["loss"]), (&json!(344.0), &json!(1.0 / 3.0)));
    assert!(py["environment"]["python"].as_str().is_some_and(|version| version.starts_with("3.")), "{py}");
    let rows = |port: &str| {
        let request = json!({ "run": "1", "step": "py", "port": port, "limit": 1000 });
        world.ok(&["call", "run.output", &request.to_string()])["page"]["rows"].clone()
    };
    assert_eq!(rows("frame"), rows("polar"));
    assert_eq!(rows("frame"), rows("arrow"));
    assert_eq!(ran(&world)["state"], "cached");
    let locks: Vec<_> = std::fs::read_dir(project.join("locks")).expect("a folder of locks").collect();
    assert_eq!(locks.len(), 1);
    // Another lock of the same packages is another environment, and the reason is said.
    let lock = locks[0].as_ref().expect("readable").path();
    let text = std::fs::read_to_string(&lock).expect("a lock");
    assert!(text.contains("pandas==") && text.contains("--hash=sha256:"), "{text}");
    std::fs::write(&lock, format!("{text}# checked by hand\n")).expect("can be written");
    let py = ran(&world);
    assert!(py["reasons"][0].as_str().is_some_and(|why| why.starts_with("`lock` changed")), "{py}");
}

#[test]
fn a_changed_script_or_module_reruns_the_step_and_nothing_else() {
    let (world, project) = world();
    std::fs::create_dir_all(project.join("scripts")).expect("can be made");
    let script = "import helper\n\ndef features(table):\n    return table.assign(size=helper.size(table))\n";
    std::fs::write(project.join("scripts/features.py"), script).expect("can be written");
    let helper = project.join("scripts/helper.py");
    std::fs::write(&helper, "def size(table):\n    return table['bill_length_mm'] * 2\n")
        .expect("can be written");
    add(
        &world,
        json!({ "script": "scripts/features.py", "function": "features", "files": ["scripts/*.py"] }),
    );
    assert_eq!(ran(&world)["summary"], "344 × 9");
    assert_eq!(ran(&world)["state"], "cached");
    std::fs::write(&helper, "def size(table):\n    return table['bill_length_mm'] * 3\n")
        .expect("can be written");
    let run = world.ok(&["pipeline", "run", "p"]);
    assert_eq!(step(&run, "birds")["state"], "cached");
    assert_eq!(step(&run, "py")["reasons"], json!(["file `scripts/helper.py` has other content"]));
}

#[test]
fn what_a_function_does_wrong_is_said_in_one_sentence() {
    for (code, outputs, said) in [
        (
            "def other(table):\n    return table",
            json!(["x"]),
            "the script has no function `run`; it has other",
        ),
        (
            "def run(tabel):\n    return tabel",
            json!(["x"]),
            "`run` asks for `tabel`, but the step has table, fettle, parameters",
        ),
        (
            "def run(table):\n    return 7",
            json!(["x"]),
            "output `x` is a table: give back a data frame of pandas, polars or pyarrow, not builtins.int",
        ),
        (
            "def run(table):\n    return {'y': table}",
            json!(["x"]),
            "`run` gave back 'y', which `outputs` does not declare",
        ),
        (
            "def run(table):\n    return table, table",
            json!(["x", "y", "z"]),
            "`run` gave back 2 values for 3 outputs (x, y, z)",
        ),
        ("def run(table):\n    pass", json!(["x"]), "the program ended well, but did not write `x`"),
        (
            "def run(table):\n    raise ValueError('no such island')",
            json!(["x"]),
            "ValueError: no such island",
        ),
        ("def run(table:\n    pass", json!(["x"]), "SyntaxError: '(' was never closed"),
        (
            "import ctypes\ndef run(table):\n    ctypes.string_at(0)",
            json!(["x"]),
            "signal 11 (segmentation fault)",
        ),
    ] {
        let (world, _) = world();
        add(&world, json!({ "code": code, "outputs": outputs }));
        let error = refused(&world);
        assert!(error.contains(said), "{code}: {error}");
    }
}

#[test]
fn packages_that_do_not_go_together_fail_before_the_function_and_name_them() {
    let (world, _) = world();
    add(&world, json!({ "packages": ["pandas==2.2.3", "numpy==1.0.9"] }));
    let error = refused(&world);
    assert!(error.contains("cannot lock the packages of the step") && error.contains("numpy"), "{error}");
}

#[test]
fn a_requirements_file_of_the_project_is_the_environment() {
    let (world, project) = world();
    std::fs::write(project.join("requirements.txt"), "pyarrow\n").expect("can be written");
    let code = "import importlib.util\nimport pyarrow\n\ndef run(table: pyarrow.Table):\n    assert importlib.util.find_spec('pandas') is None\n    return table\n";
    add(&world, json!({ "code": code, "environment": "requirements.txt" }));
    assert_eq!(ran(&world)["summary"], "344 × 8");
}

#[test]
fn a_notebook_gets_its_parameters_and_is_kept_as_it_ran() {
    let (world, project) = world();
    let cell = |source: &str, tags: Value| json!({ "cell_type": "code", "execution_count": null, "id": format!("c{}", source.len()), "metadata": { "tags": tags }, "outputs": [], "source": source });
    let cells = |last: &str| {
        json!([
            cell("island = 'Biscoe'", json!(["parameters"])),
            cell(
                "import pandas as pd\nrows = pd.read_parquet(FETTLE_INPUTS['table'])\nprint(island, len(rows))",
                json!([])
            ),
            cell(last, json!([])),
        ])
    };
    let write = |last: &str| {
        let notebook = json!({ "cells": cells(last), "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
        std::fs::write(project.join("look.ipynb"), notebook.to_string()).expect("can be written");
    };
    write("rows[rows['island'] == island].to_parquet(FETTLE_OUTPUTS['here'], index=False)");
    add(&world, json!({ "script": "look.ipynb", "outputs": ["here"], "parameters": { "island": "Dream" } }));
    let py = ran(&world);
    assert_eq!(py["summary"], "124 × 8", "{py}");
    let said = world.ok(&["run", "log", "1", "py"])["text"].as_str().expect("a text").to_owned();
    assert!(said.contains("[fettle] cell 3 of 4") && said.contains("Dream 344"), "{said}");
    let files = world.ok(&["call", "run.output", r#"{"run": "1", "step": "py", "port": "artifacts"}"#]);
    assert_eq!(files["files"][0]["path"], "look.ipynb");
    assert!(files["files"][0]["bytes"].as_u64() > Some(1000), "with its outputs: {files}");
    write("1 / 0");
    let error = refused(&world);
    assert!(error.contains("cell 4 of 4 failed: ZeroDivisionError: division by zero"), "{error}");
}

#[test]
fn the_templates_for_scikit_learn_and_xgboost_train_on_the_sample() {
    for template in ["sklearn", "xgboost"] {
        let (world, _) = world();
        world.ok(&["pipeline", "add-step", "p", "split", "--kind", "split", "--input", "table=birds.table"]);
        let parameters = match template {
            "sklearn" => json!({ "target": "species", "iterations": 30, "learning_rate": 0.1, "seed": 1 }),
            _ => {
                json!({ "target": "species", "rounds": 30, "learning_rate": 0.3, "max_depth": 3, "seed": 1 })
            }
        };
        let given = format!("parameters={parameters}");
        world.ok(&[
            "pipeline",
            "add-step",
            "p",
            "py",
            "--template",
            template,
            "--input",
            "table=split.table",
            "--param",
            &given,
        ]);
        let py = ran(&world);
        let accuracy = py["metrics"]["accuracy"].as_f64().expect("it is measured");
        assert!((0.9..=1.0).contains(&accuracy), "{template}: {accuracy}");
        assert_eq!(py["summary"], "344 × 9", "{template}");
        let files = world.ok(&["call", "run.output", r#"{"run": "1", "step": "py", "port": "model"}"#]);
        assert!(files["files"][0]["bytes"].as_u64() > Some(1000), "{files}");
    }
}

#[test]
fn where_there_is_no_uv_it_is_installed_into_the_cache() {
    let (world, _) = furnished(World::new());
    add(
        &world,
        json!({ "code": "def run(fettle):\n    fettle.log_metric('x', 1)", "inputs": [], "outputs": [] }),
    );
    assert_eq!(ran(&world)["metrics"]["x"], 1.0);
    let is_there = |path: &Path| path.join("uv").is_file();
    let mut path = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH")).collect::<Vec<_>>();
    path.push(world.workspace().join("cache/python/uv/bin"));
    assert!(path.iter().any(|folder| is_there(folder)));
}
