//! `cargo xtask`: everything around the product that is not the product. Set-up, running, testing,
//! pictures, figures and packages, with nothing to install first but Rust and Node.

mod bench;
mod display;
mod figures;
mod instruments;
mod package;
mod pages;
mod process;
mod programs;
mod run;
mod samples;
mod setup;
mod shots;
mod stages;
mod test;

use std::process::ExitCode;

/// Failures are for a person at a terminal: a sentence is all they need.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask <command>

  run                 install what is missing, build, and open Fettle on the sample project
                      (without a display: do the same job headless and leave an endpoint)
  test [STAGE...]     install what is missing and run everything that CI runs, or only these stages
  shots               write pictures of every screen to target/shots
  bench [NAME...]     measure and print the figures; `--write` puts them into docs/performance.md
  package [--deb] [--programs] [--target SYSTEM]
                      build the installers of this system, or only the .deb, or only the
                      programs that go beside the window
  setup               install what is missing, and nothing else";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = words.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let done = match command.as_str() {
        "run" => run::run(),
        "test" => test::test(rest),
        "shots" => shots::shots(),
        "bench" => bench::bench(rest),
        "package" => package::package(rest),
        "setup" => setup::everything(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("unknown command `{other}`\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
