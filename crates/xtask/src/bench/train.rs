//! The main job from a file to a watched endpoint, once on the sample and once on 100,000 rows of 20
//! columns. How well and how fast the trainers learn for themselves is the bench `quality`.

use serde_json::Value;

use crate::figures::Figure;
use crate::instruments::world::{World, argument, number, reply};
use crate::instruments::{table, watched};
use crate::{Result, programs};

const ROWS: u64 = 100_000;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let file = table::file(ROWS)?;
    let large = ["demo", "--stop", "--file", argument(&file)?, "--target", table::TARGET];
    let mut figures = demo("sample", &["demo", "--stop"])?;
    figures.extend(demo("100,000 rows", &large)?);
    Ok(figures)
}

/// In a workspace of its own, so that nothing is in the cache.
fn demo(what: &str, words: &[&str]) -> Result<Vec<Figure>> {
    let world = World::new("train")?;
    let demo = watched::run(world.command(words))?;
    let report: Value = reply(&demo.printed)?;
    if report["cached"] != 0 {
        return Err(format!("a new workspace has steps in its cache: {report}"));
    }
    let mut figures = vec![
        Figure::new(format!("{what}: rows"), number(&report["rows"])?, "rows"),
        Figure::new(format!("{what}: steps of the pipeline"), number(&report["steps"])?, "steps"),
        Figure::new(format!("{what}: data to endpoint"), demo.wall_s, "s"),
    ];
    figures.extend(demo.figures(what));
    Ok(figures)
}
