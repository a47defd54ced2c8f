//! Building our own programs, and where they are then.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::process::{cargo, run, target};

/// `fettle` and `fettle-serve`. Naming packages here would give the crates below other features, and
/// with them a second build.
pub fn build_backend() -> Result<()> {
    run(cargo(&["build", "--bins"]))
}

/// The same, as they are shipped: what benches measure.
pub fn build_release_backend() -> Result<()> {
    run(cargo(&["build", "--release", "--bins"]))
}

/// The examples that benches measure parts with.
pub fn build_release_examples() -> Result<()> {
    run(cargo(&["build", "--release", "--examples"]))
}

/// `fettle-desktop`. It holds the pages, so they have to be built before.
pub fn build_window() -> Result<()> {
    run(cargo(&["build", "--profile", "window", "--package", "fettle-desktop"]))
}

pub fn fettle() -> PathBuf {
    in_target("debug", "fettle")
}

pub fn fettle_serve() -> PathBuf {
    in_target("debug", "fettle-serve")
}

pub fn release_fettle() -> PathBuf {
    in_target("release", "fettle")
}

pub fn release_fettle_serve() -> PathBuf {
    in_target("release", "fettle-serve")
}

pub fn release_example(name: &str) -> PathBuf {
    in_target("release/examples", name)
}

pub fn fettle_desktop() -> PathBuf {
    in_target("window", "fettle-desktop")
}

/// Tells a program where the others are: in the target folder they lie apart.
pub fn know_each_other(command: &mut Command) {
    command
        .env("FETTLE_BIN", fettle())
        .env("FETTLE_SERVE_BIN", fettle_serve())
        .env("FETTLE_DESKTOP_BIN", fettle_desktop());
}

/// Tells a program where the others are, of which those without a window are the shipped ones.
pub fn know_the_release(command: &mut Command) {
    command
        .env("FETTLE_BIN", release_fettle())
        .env("FETTLE_SERVE_BIN", release_fettle_serve())
        .env("FETTLE_DESKTOP_BIN", fettle_desktop());
}

fn in_target(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
