//! Tables: importing them from text, their schema, their profile and a report of it, the cells a
//! viewer shows, expressions and queries over them, quality checks, what changed from one version
//! to another, drift, and splitting them. Knows files and folders that it is given; it does not
//! know datasets, versions or the workspace.

pub mod checks;
pub mod diff;
pub mod drift;
mod each;
pub mod entries;
pub mod export;
pub mod expr;
pub mod import;
pub mod page;
mod pick;
pub mod profile;
pub mod query;
pub mod report;
mod row_hash;
mod schema;
pub mod split;
mod table;
pub mod transform;
pub mod view;

pub use page::{Page, PageColumn};
pub use profile::{ColumnProfile, Profile};
pub use schema::{Column, HIDDEN_PREFIX, Kind, SPLIT_COLUMN, Source, TableMeta, Task, arrow_schema, nearest};
pub use table::{Batches, DATA_FILE, META_FILE, ROW_GROUP_ROWS, TableFile, TableWriter, write};
