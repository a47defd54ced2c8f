//! `cargo xtask run`: from a fresh clone to the app on the sample project, with one command.

use crate::process::{private_folder, run as run_program};
use crate::{Result, display, pages, process, programs, samples, setup};

pub fn run() -> Result<()> {
    if !display::is_there() {
        eprintln!("xtask: no display here, so the sample project runs headless");
        setup::compiler()?;
        programs::build_backend()?;
        samples::add_diamonds(&workspace())?;
        return demo();
    }
    setup::window()?;
    pages::build()?;
    programs::build_backend()?;
    programs::build_window()?;
    demo()?;
    samples::add_diamonds(&workspace())?;
    let mut window = process::command(programs::fettle_desktop(), &["--workspace"]);
    window.arg(workspace());
    programs::know_each_other(&mut window);
    run_program(window)
}

/// Data, pipeline, models, endpoint: all of it computed here, and at once the second time.
pub fn demo() -> Result<()> {
    let mut demo = process::command(programs::fettle(), &["demo", "--workspace"]);
    demo.arg(workspace());
    programs::know_each_other(&mut demo);
    run_program(demo)
}

/// The workspace of the sample project: in the repository's folder, but not in git.
pub fn workspace() -> std::path::PathBuf {
    private_folder().join("workspace")
}
