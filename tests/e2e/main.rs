//! Journeys in the real window, driven through WebKitWebDriver on a display of its own.
//!
//! They prove that the wires hold; what a layer below can show is tested there. A display, the
//! driver and the built programs are needed, which `cargo xtask test` prepares: without them
//! these tests fail rather than pass unseen.

mod app;
mod canvas;
mod drift;
mod file_drop;
mod main_job;
mod promotion;
mod shots;
mod thousand;
mod webdriver;
mod wide;
mod window;
