//! `cargo xtask shots`: pictures of every screen. The walk itself is `tests/e2e/shots.rs`, which
//! drives the window as the journeys do.

use crate::display::Display;
use crate::process::{cargo, run as run_program, target};
use crate::{Result, pages, programs, run, setup};

pub fn shots() -> Result<()> {
    setup::window()?;
    setup::journeys()?;
    pages::build()?;
    programs::build_backend()?;
    programs::build_window()?;
    run::demo()?;
    let display = Display::open()?;
    let pictures = target().join("shots");
    let mut walk = cargo(&[
        "test",
        "--package",
        "fettle",
        "--test",
        "e2e",
        "--",
        "--ignored",
        "--test-threads=1",
        "shots::",
    ]);
    walk.env("FETTLE_E2E", "1")
        .env("FETTLE_SHOTS", &pictures)
        .env("FETTLE_SHOTS_WORKSPACE", run::workspace());
    programs::know_each_other(&mut walk);
    display.give_to(&mut walk);
    run_program(walk)?;
    println!("pictures are in {}", pictures.display());
    Ok(())
}
