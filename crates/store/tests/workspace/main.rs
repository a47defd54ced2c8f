//! Whole workspaces, in this process and in others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doors;
mod flips;
mod processes;
mod records;
mod repair;
mod table;
mod tracking;
mod versions;
mod work;
mod world;
