//! The table of runs: pages, groups, help with filters, saved views, marks on many runs at once.

use std::collections::BTreeMap;

use base::Result;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::datasets::InProject;
use super::runs::RunState;
use crate::Engine;

/// Which runs are looked at, and how: what a saved view holds too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TableLook {
    /// Only runs of this experiment and of the folders in it.
    pub experiment: Option<String>,
    /// What must hold, such as `metrics.auc > 0.9 and params.depth = '3'`; empty for no condition.
    pub filter: String,
    /// The order, the most important key first, such as `metrics.auc desc`.
    pub order: Vec<String>,
    /// The columns beside those that every run has, such as `min(metrics.loss)` or `tags.team`.
    pub columns: Vec<String>,
    /// The column by which runs are grouped.
    pub group: Option<String>,
    /// Widths of columns that somebody set, in pixels.
    pub widths: BTreeMap<String, u32>,
}

/// Where in the tree of nested runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TablePlace {
    /// All runs, nested or not.
    #[default]
    All,
    /// Those that are nested under none.
    Outermost,
    /// Those in the trash.
    Trash,
}

/// Asks for a page of the table.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunTable {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Which runs, and how.
    #[serde(default)]
    pub look: TableLook,
    /// Where in the tree.
    #[serde(default)]
    pub place: TablePlace,
    /// Only runs directly under this one.
    #[serde(default)]
    pub under: Option<String>,
    /// Only runs of this group of `look.group`.
    #[serde(default)]
    pub within: Option<GroupPick>,
    /// First row, from 0.
    #[serde(default)]
    pub offset: u32,
    /// Rows wanted; 100 if left out, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Names a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupPick {
    /// The value that its runs share; null for those that have none.
    pub value: Option<String>,
}

/// A page of the table.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunTablePage {
    /// Runs in all.
    pub total: u32,
    /// The rows.
    pub rows: Vec<RunRow>,
}

/// A run as a row of the table.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// Its number in the project.
    pub number: u32,
    /// Its name; empty for none.
    pub name: String,
    /// The pipeline; empty for a run by a script.
    pub pipeline: String,
    /// The experiment.
    pub experiment: String,
    /// Where it stands.
    pub state: RunState,
    /// When it began, ms since the epoch.
    pub started_at: i64,
    /// How long it took, ms; null while it works.
    pub duration_ms: Option<i64>,
    /// A note by the user; empty for none.
    pub note: String,
    /// The run it is nested under.
    pub parent: Option<String>,
    /// Runs directly under it.
    pub children: u32,
    /// True if somebody marked it with a star.
    pub is_starred: bool,
    /// The colour that somebody gave it.
    pub color: Option<String>,
    /// The value of each column that was asked for.
    pub cells: Vec<CellView>,
}

/// What stands in a cell: a number, a text, or nothing.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(untagged)]
pub enum CellView {
    /// A number.
    Number(f64),
    /// A text; also what is not finite.
    Text(String),
    /// Nothing.
    Missing,
}

/// A page of groups.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunGroups {
    /// Groups in all.
    pub total: u32,
    /// The groups.
    pub groups: Vec<RunGroup>,
}

/// Runs that have the same value of the column they are grouped by.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunGroup {
    /// The value; null for runs that have none.
    pub value: Option<String>,
    /// How many runs.
    pub runs: u32,
    /// For each column that was asked for what its numbers come to; null if it has none.
    pub stats: Vec<Option<GroupStat>>,
}

/// What the numbers of a group come to.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GroupStat {
    /// Their mean.
    pub mean: f64,
    /// The deviation of a sample, `n - 1` below; null of a single one.
    pub deviation: Option<f64>,
    /// How many runs have a number.
    pub count: u32,
}

/// What columns there are to choose from.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunColumns {
    /// Columns that every run has, by the names that filters and orders use.
    pub attributes: Vec<String>,
    /// Metrics, as columns: those of the newest runs first. At most 10,000 of each kind.
    pub metrics: Vec<String>,
    /// Parameters, as columns.
    pub params: Vec<String>,
    /// Tags, as columns.
    pub tags: Vec<String>,
    /// The few that are worth a column when nobody has chosen any.
    pub suggested: Vec<String>,
}

/// Asks what is wrong with a filter that is being written, and what may come next.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFilterHelp {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The filter.
    pub filter: String,
    /// Where the cursor is, in UTF-16 units as in JavaScript.
    pub at: u32,
}

/// Help with a filter.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterHelp {
    /// What is wrong with it.
    pub problem: Option<FilterProblem>,
    /// Where what is being written begins, in UTF-16 units.
    pub from: u32,
    /// What may stand from there to the cursor, the likeliest first; at most 50.
    pub options: Vec<FilterOption>,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterProblem {
    /// From where on it cannot be read, in UTF-16 units.
    pub at: u32,
    /// What is wrong there.
    pub message: String,
}

/// Something that may be written next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterOption {
    /// What is written.
    pub text: String,
    /// What it is, such as `metric`.
    pub kind: String,
}

/// An experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentView {
    /// Its name; `/` makes folders.
    pub name: String,
    /// Runs in it, without those of folders in it.
    pub runs: u32,
}

/// A saved view.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub look: TableLook,
    /// When it was saved, ms since the epoch.
    pub changed_at: i64,
}

/// Saves a view, in place of the one of this name.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewSave {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub look: TableLook,
}

/// Names a saved view.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name.
    pub name: String,
}

/// Puts stars, a colour, tags or a note on runs, on all of them at once.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunMark {
    /// The runs, by id or `#` and number; at most 10,000.
    pub runs: Vec<String>,
    /// True for a star, false to take it away; as it is if left out.
    #[serde(default)]
    pub star: Option<bool>,
    /// A colour, empty to take it away; as it is if left out.
    #[serde(default)]
    pub color: Option<String>,
    /// A note, empty to take it away; as it is if left out.
    #[serde(default)]
    pub note: Option<String>,
    /// Tags to set, by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Keys of tags to remove.
    #[serde(default)]
    pub remove_tags: Vec<String>,
}

/// Names runs.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunPicks {
    /// The runs, by id or `#` and number; at most 10,000.
    pub runs: Vec<String>,
}

pub(super) fn table(engine: &Engine, request: RunTable) -> Result<RunTablePage> {
    engine.run_table(&request)
}

pub(super) fn groups(engine: &Engine, request: RunTable) -> Result<RunGroups> {
    engine.run_groups(&request)
}

pub(super) fn ids(engine: &Engine, request: RunTable) -> Result<Vec<String>> {
    engine.run_ids(&request)
}

pub(super) fn columns(engine: &Engine, request: InProject) -> Result<RunColumns> {
    engine.run_columns(request.project.as_deref())
}

pub(super) fn help(engine: &Engine, request: RunFilterHelp) -> Result<FilterHelp> {
    engine.filter_help(request.project.as_deref(), &request.filter, request.at)
}

pub(super) fn experiments(engine: &Engine, request: InProject) -> Result<Vec<ExperimentView>> {
    let project = engine.project(request.project.as_deref())?;
    let all = engine.store().read(|db| store::run_table::experiments(db, &project.id))?;
    Ok(all.into_iter().map(|(name, runs)| ExperimentView { name, runs: runs as u32 }).collect())
}

pub(super) fn views(engine: &Engine, request: InProject) -> Result<Vec<SavedView>> {
    engine.saved_views(request.project.as_deref())
}

pub(super) fn save_view(engine: &Engine, request: ViewSave) -> Result<()> {
    engine.save_view(request.project.as_deref(), request.name.trim(), &request.look)
}

pub(super) fn delete_view(engine: &Engine, request: ViewPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    let action = store::Action::new("run.delete_view", &request.name);
    engine.store().write(action, |w| store::run_views::remove(w, &project.id, &request.name))
}

pub(super) fn mark(engine: &Engine, request: RunMark) -> Result<()> {
    engine.mark_runs(&request)
}

pub(super) fn delete(engine: &Engine, request: RunPicks) -> Result<()> {
    engine.move_runs(&request.runs, true)
}

pub(super) fn restore(engine: &Engine, request: RunPicks) -> Result<()> {
    engine.move_runs(&request.runs, false)
}
