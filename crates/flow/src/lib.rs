//! Pipelines: the file, the kinds of steps, the graph, cache keys, execution and the project's
//! git repository. It knows how a step is run and when its result can be used again; it does
//! not know commands, jobs or screens.

pub mod attempts;
pub mod cache;
pub mod child;
pub mod code_states;
pub mod component;
pub mod dvc;
pub mod execute;
pub mod explain;
pub mod export;
pub mod family;
pub mod file;
pub mod fix;
mod foreign;
pub mod frames;
pub mod git;
pub mod graph;
pub mod kind;
pub mod kinds;
pub mod launch;
pub mod layout;
pub mod limits;
pub mod outside;
pub mod preview;
pub mod reading;
pub mod receipt;
pub mod schema;
mod settle;
pub mod spare;
pub mod sweep;
pub mod task;
pub mod template;
pub mod trigger;
mod wiring;
