//! What versions, profiles and diffs cost, beside the programs that do the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::figures::Figure;
use crate::instruments::world::{number, reply};
use crate::process::{command, output, private_folder, root};
use crate::{Result, programs, setup};

const MEGABYTES: &str = "500";
const FILES: &str = "20000";
const ROWS: &str = "1000000";
const LONG_ROWS: &str = "100000000";
const MIDDLE_ROW: &str = "50000000";

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_examples()?;
    let python = setup::python()?;
    setup::python_packages(&python, &root().join("tests/peers/requirements.txt"))?;
    let folder = private_folder().join("bench-data");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut figures = versions(&python, &folder)?;
    figures.extend(profile(&python, &folder)?);
    figures.extend(diff(&folder)?);
    figures.extend(page(&folder)?);
    std::fs::remove_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(figures)
}

fn versions(python: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let found = reply(&output(command(programs::release_example("versions"), &[MEGABYTES, FILES]))?)?;
    let figure = |name: &str, value: &Value, unit: &str| -> Result<Figure> {
        Ok(Figure::new(name, number(value)?, unit))
    };
    let again_s = number(&found["folder"]["again_seconds"])?;
    let dvc_s = dvc_add_again_s(python, &folder.join("dvc"))?;
    Ok(vec![
        figure("a table of 500 MB, first version", &found["first"]["mb_per_second"], "MB/s")?,
        figure(
            "1 % of its rows changed in one block: stored",
            &found["block"]["pct_of_file"],
            "% of the file",
        )?,
        figure("1 % changed, scattered: stored", &found["scattered"]["pct_of_file"], "% of the file")?,
        figure("1 % changed, scattered: put", &found["scattered"]["mb_per_second"], "MB/s")?,
        figure("reading the first version", &found["get_first_mb_per_second"], "MB/s")?,
        figure("reading the scattered version", &found["get_scattered_mb_per_second"], "MB/s")?,
        Figure::new("20,000 unchanged files again", again_s, "s"),
        figure("as many times a walk that asks for their times", &found["folder"]["again_by_walk"], "times")?,
        Figure::new("DVC, 20,000 unchanged files again", dvc_s, "s"),
        Figure::new("DVC takes as many times as long", dvc_s / again_s, "times"),
    ])
}

/// The time of a second `dvc add` of a folder of as many small files, which is the one that changes nothing.
fn dvc_add_again_s(python: &Path, folder: &Path) -> Result<f64> {
    let failed = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    for file in 0..FILES.parse().expect("a number") {
        let inside = folder.join(format!("data/part-{:03}", file % 100));
        std::fs::create_dir_all(&inside).map_err(failed)?;
        std::fs::write(inside.join(format!("{file}.txt")), format!("file {file}\n")).map_err(failed)?;
    }
    let dvc = |words: &[&str]| -> Command {
        let mut dvc = command(python, &["-m", "dvc"]);
        // It asks its maker about newer versions otherwise.
        dvc.args(words)
            .current_dir(folder)
            .env("DVC_NO_ANALYTICS", "1")
            .env("DVC_SITE_CACHE_DIR", folder.join("site"));
        dvc
    };
    output(dvc(&["init", "--no-scm", "--quiet"]))?;
    output(dvc(&["add", "--quiet", "data"]))?;
    let start = Instant::now();
    output(dvc(&["add", "--quiet", "data"]))?;
    Ok(start.elapsed().as_secs_f64())
}

fn profile(python: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let table = folder.join("table");
    let example = programs::release_example("profile");
    let mut make = command(&example, &["--make", ROWS]);
    make.arg(&table);
    output(make)?;
    let mut ours = command(&example, &[]);
    ours.arg(&table);
    let ours = reply(&output(ours)?)?;
    let mut theirs = command(python, &["tests/peers/summarize.py"]);
    theirs.arg(table.join("data.parquet"));
    let theirs_s: f64 = output(theirs)?.trim().parse().map_err(|error| format!("DuckDB's time: {error}"))?;
    let cpu_s = number(&ours["cpu_s"])?;
    Ok(vec![
        Figure::new("profile of 1,000,000 rows and 20 columns, exact: processor time", cpu_s, "s"),
        Figure::new("its most memory", number(&ours["peak_mb"])?, "MB"),
        Figure::new("DuckDB's SUMMARIZE of the same file, estimated: processor time", theirs_s, "s"),
    ])
}

/// A jump to the middle of a table of a hundred million rows, with the opening of the table.
fn page(folder: &Path) -> Result<Vec<Figure>> {
    let table = folder.join("long");
    let example = programs::release_example("page");
    let mut make = command(&example, &["--make", LONG_ROWS]);
    make.arg(&table);
    output(make)?;
    let mut show = command(&example, &[]);
    show.arg(&table).arg(MIDDLE_ROW);
    let found = reply(&output(show)?)?;
    Ok(vec![
        Figure::new("100 rows in the middle of 100,000,000: processor time", number(&found["cpu_ms"])?, "ms"),
        Figure::new("its most memory", number(&found["peak_mb"])?, "MB"),
    ])
}

fn diff(folder: &Path) -> Result<Vec<Figure>> {
    let versions: PathBuf = folder.join("versions");
    let mut example = command(programs::release_example("diff"), &[]);
    example.arg(&versions).arg(ROWS);
    let found = output(example)?.lines().map(reply).collect::<Result<Vec<Value>>>()?;
    let mut figures = Vec::new();
    for line in &found {
        if line["exact"] != true {
            return Err(format!("the diff does not list the cells that changed: {line}"));
        }
        let how = if line["matching"] == "key" { "by a named key" } else { "by a key it finds" };
        let name = format!("10,000 changed cells of 1,000,000 rows and 20 columns, {how}");
        figures.push(Figure::new(name, number(&line["wall_s"])?, "s"));
        figures.push(Figure::new("its most memory", number(&line["peak_mb"])?, "MB"));
    }
    Ok(figures)
}
