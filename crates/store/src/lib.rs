//! The workspace on disk: index database, object store, audit log.
//!
//! [`Store`] opens a workspace. Look through [`Store::read`], change through [`Store::write`], put
//! bytes into [`Store::objects`]. The records and their functions are in one module each. What is
//! acknowledged survives a power cut; what is read is verified; the database can be rebuilt from
//! the manifests.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod audit;
pub mod cache;
mod canonical;
mod check;
pub mod datasets;
pub mod deployments;
mod digest;
mod doors;
pub mod drafts;
mod feed;
pub mod files;
mod garbage;
mod group;
pub mod jobs;
pub mod judgements;
mod layout;
mod manifests;
pub mod metrics;
mod migrations;
pub mod models;
pub mod monitors;
mod names;
mod nesting;
mod objects;
pub mod origins;
mod owner;
mod page;
pub mod projects;
mod rebuild;
mod repair;
pub mod run_list;
pub mod run_marks;
pub mod run_table;
pub mod run_views;
pub mod runs;
pub mod settings;
mod sql;
pub mod steps;
mod store;
pub mod sweeps;
pub mod tracking;
pub mod trash;
pub mod triggers;
mod unfinished;
pub mod uses;

pub use audit::{Action, AuditEntry};
pub use canonical::canonical_json;
pub use check::{CheckReport, Depth, Finding, FindingKind};
pub use digest::Digest;
pub use doors::{Change, Write};
pub use feed::{ChangeFeed, Topic};
pub use garbage::GarbageReport;
pub use group::Entry;
pub use objects::{ObjectReader, Objects, Stamp, Tree, TreeEntry, is_plain_name, place_of};
pub use owner::{Owner, owner_of};
pub use page::Page;
pub use repair::RepairReport;
pub use rusqlite::Connection;
pub use store::{Access, Store};
