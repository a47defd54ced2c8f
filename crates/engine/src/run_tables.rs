//! The table of runs behind its commands: what a look means, and what may be chosen and written.

use base::{Code, Error, Result, RunId};
use store::projects::Project;
use store::run_marks::{self, Marks};
use store::run_table::{self, COLOR_TAG, Cell, Group, Rows, STAR_TAG, TableQuery, TableRow};
use store::tracking::filter::{self, Expected, Kind, Spot, written};
use store::tracking::search::Field;
use store::trash::{self, Item};
use store::{Action, Page, run_views, runs};

use crate::Engine;
use crate::commands::run_table::{
    CellView, FilterHelp, FilterOption, FilterProblem, GroupStat, RunColumns, RunGroup, RunGroups, RunMark,
    RunRow, RunTable, RunTablePage, SavedView, TableLook, TablePlace,
};
use crate::run_views::run_state;

/// Columns of one page.
const MOST_COLUMNS: usize = 500;
/// Keys of one kind to choose from.
const MOST_KEYS: usize = 10_000;
/// Runs that are marked, moved or named at once.
const MOST_RUNS: usize = 10_000;
/// What a filter may be completed by.
const MOST_OPTIONS: usize = 50;
/// Colours that runs can have: those of charts.
const COLORS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
const ATTRIBUTES: [&str; 12] = [
    "name",
    "number",
    "state",
    "experiment",
    "pipeline",
    "start_time",
    "end_time",
    "duration",
    "note",
    "user_id",
    "run_id",
    "artifact_uri",
];

/// True for a metric of which more is better: as the table of our own metrics says; of others as the
/// words in their names say.
pub(crate) fn larger_is_better(key: &str) -> bool {
    const SMALLER: [&str; 24] = [
        "loss",
        "error",
        "err",
        "mse",
        "rmse",
        "mae",
        "mape",
        "msle",
        "rmsle",
        "brier",
        "nll",
        "perplexity",
        "cost",
        "time",
        "seconds",
        "ms",
        "duration",
        "latency",
        "memory",
        "bytes",
        "wer",
        "cer",
        "fid",
        "regret",
    ];
    if let Some(doc) = learn::metrics::metric_doc(key) {
        return doc.larger_is_better;
    }
    let lower = key.to_lowercase();
    !lower.split(|c: char| !c.is_alphanumeric()).any(|word| SMALLER.contains(&word))
}

fn field(text: &str) -> Result<Field> {
    filter::parse_field(text).map_err(|error| error.within(format!("cannot use the column `{text}`")))
}

impl Engine {
    fn table_query(&self, request: &RunTable) -> Result<(Project, TableQuery)> {
        let project = self.project(request.project.as_deref())?;
        let look = &request.look;
        let rows = match (&request.under, request.place) {
            (Some(run), _) => Rows::Under(self.run(run)?.id),
            (None, TablePlace::All) => Rows::All,
            (None, TablePlace::Outermost) => Rows::Outermost,
            (None, TablePlace::Trash) => Rows::Trashed,
        };
        let within = match (&request.within, &look.group) {
            (Some(picked), Some(group)) => Some((field(group)?, picked.value.clone())),
            (Some(_), None) => {
                return Err(Error::invalid("a group is named, but not by what runs are grouped"));
            }
            (None, _) => None,
        };
        if look.columns.len() > MOST_COLUMNS {
            return Err(Error::invalid(format!("{} columns are too many for a table", look.columns.len()))
                .hint(format!("choose at most {MOST_COLUMNS}")));
        }
        let query = TableQuery {
            project_id: project.id.clone(),
            folder: look.experiment.clone(),
            rows,
            conditions: filter::parse(Kind::Table, &look.filter)?,
            within,
            order: filter::parse_order(Kind::Table, &look.order)?,
            better: larger_is_better,
        };
        Ok((project, query))
    }

    /// A page of the table.
    pub(crate) fn run_table(&self, request: &RunTable) -> Result<RunTablePage> {
        let (_, query) = self.table_query(request)?;
        let fields = request.look.columns.iter().map(|text| field(text)).collect::<Result<Vec<_>>>()?;
        let page = Page::new(request.offset, request.limit.unwrap_or(100));
        let (total, rows, cells) = self.store().read(|db| {
            let (total, ids) = run_table::page(db, &query, page)?;
            let cells = run_table::cells(db, &ids, &fields, larger_is_better)?;
            Ok((total, run_table::rows(db, &ids)?, cells))
        })?;
        let rows = rows.into_iter().zip(cells).map(|(row, cells)| row_view(row, cells)).collect();
        Ok(RunTablePage { total: total as u32, rows })
    }

    /// A page of groups.
    pub(crate) fn run_groups(&self, request: &RunTable) -> Result<RunGroups> {
        let (_, query) = self.table_query(request)?;
        let by = request.look.group.as_deref().ok_or_else(|| {
            Error::invalid("runs are grouped by nothing").hint("name a column, such as `params.depth`")
        })?;
        let by = field(by)?;
        let fields = request.look.columns.iter().map(|text| field(text)).collect::<Result<Vec<_>>>()?;
        let page = Page::new(request.offset, request.limit.unwrap_or(100));
        let (total, groups) = self.store().read(|db| run_table::groups(db, &query, &by, &fields, page))?;
        Ok(RunGroups { total: total as u32, groups: groups.into_iter().map(group_view).collect() })
    }

    /// The ids of all runs of a query, in its order: at most 10,000.
    pub(crate) fn run_ids(&self, request: &RunTable) -> Result<Vec<String>> {
        let (_, query) = self.table_query(request)?;
        let ids = self.store().read(|db| run_table::all_ids(db, &query, MOST_RUNS))?;
        Ok(ids.into_iter().map(|id| id.to_string()).collect())
    }

    /// What columns there are.
    pub(crate) fn run_columns(&self, project: Option<&str>) -> Result<RunColumns> {
        let project = self.project(project)?;
        let newest = TableQuery {
            project_id: project.id,
            folder: None,
            rows: Rows::All,
            conditions: Vec::new(),
            within: None,
            order: Vec::new(),
            better: larger_is_better,
        };
        let keys = self.store().read(|db| {
            let (_, ids) = run_table::page(db, &newest, Page::new(0, 200))?;
            run_table::keys(db, &ids, MOST_KEYS)
        })?;
        let columns = |entity: &str, keys: Vec<String>| -> Vec<String> {
            keys.iter().filter_map(|key| written(entity, key)).collect()
        };
        let known = learn::metrics::METRICS.iter().map(|metric| metric.name);
        let known =
            known.filter(|name| keys.metrics.iter().any(|key| key == name) && !name.ends_with("_low"));
        let others = keys.metrics.iter().map(String::as_str).filter(|key| !key.starts_with("system/"));
        let mut suggested: Vec<String> = Vec::new();
        for key in known.chain(others) {
            let column = written("metrics", key);
            suggested.extend(column.filter(|column| !suggested.contains(column)));
        }
        suggested.truncate(3);
        suggested.extend(keys.params.iter().filter_map(|key| written("params", key)).take(2));
        Ok(RunColumns {
            attributes: ATTRIBUTES.map(str::to_owned).into(),
            metrics: columns("metrics", keys.metrics),
            params: columns("params", keys.params),
            tags: columns("tags", keys.tags),
            suggested,
        })
    }

    /// What is wrong with a filter, and what may come next at `at`.
    pub(crate) fn filter_help(&self, project: Option<&str>, text: &str, at: u32) -> Result<FilterHelp> {
        let project = self.project(project)?;
        let units = |end: usize| text[..end].encode_utf16().count() as u32;
        let problem = filter::parse_with_place(Kind::Table, text).err();
        let problem =
            problem.map(|(place, error)| FilterProblem { at: units(place), message: error.message });
        let cursor = byte_of(text, at);
        let Some(Spot { from, expected }) = filter::expected(&text[..cursor]) else {
            return Ok(FilterHelp { problem, from: at, options: Vec::new() });
        };
        let typed = text[from..cursor].to_lowercase();
        let mut options = self.options(&project, &expected)?;
        let is_value = matches!(expected, Expected::Value(_));
        let typed = if is_value { typed.trim_start_matches(['\'', '"']) } else { typed.trim() };
        options.retain(|option| option.text.to_lowercase().contains(typed));
        // What begins with what was typed comes before what only holds it.
        let rank = |option: &FilterOption| {
            let text = option.text.trim_start_matches('\'').to_lowercase();
            let key = text.split_once('.').map_or(text.as_str(), |(_, key)| key.trim_start_matches('`'));
            !(text.starts_with(typed) || key.starts_with(typed))
        };
        options.sort_by_key(rank);
        options.truncate(MOST_OPTIONS);
        Ok(FilterHelp { problem, from: units(from), options })
    }

    fn options(&self, project: &Project, expected: &Expected) -> Result<Vec<FilterOption>> {
        let option = |text: String, kind: &str| FilterOption { text, kind: kind.to_owned() };
        let all = |texts: &[&str], kind: &str| -> Vec<FilterOption> {
            texts.iter().map(|text| option((*text).to_owned(), kind)).collect()
        };
        Ok(match expected {
            Expected::And => all(&["and"], "and"),
            Expected::Operator(Field::Metric(_) | Field::Picked(..)) => {
                all(&[">", ">=", "<", "<=", "=", "!="], "compare")
            }
            Expected::Operator(Field::Param(_) | Field::Tag(_)) => {
                all(&["=", "!=", "like", "ilike", "is null", "is not null"], "compare")
            }
            Expected::Operator(Field::Column(_) | Field::Dataset(_)) => {
                all(&["=", "!=", "like", "ilike", "in", ">", "<"], "compare")
            }
            Expected::Value(field) => {
                let values = self
                    .store()
                    .read(|db| run_table::values_of(db, &project.id, field, MOST_OPTIONS as u32))?;
                let quoted = values.into_iter().filter_map(|value| {
                    let sign = ['\'', '"'].into_iter().find(|sign| !value.contains(*sign))?;
                    Some(format!("{sign}{value}{sign}"))
                });
                quoted.map(|text| option(text, "value")).collect()
            }
            Expected::Name => {
                let columns = self.run_columns(Some(&project.slug))?;
                let of = |texts: Vec<String>, kind: &'static str| {
                    texts.into_iter().map(move |text| FilterOption { text, kind: kind.to_owned() })
                };
                of(columns.metrics, "metric")
                    .chain(of(columns.params, "parameter"))
                    .chain(of(columns.attributes, "attribute"))
                    .chain(of(columns.tags, "tag"))
                    .collect()
            }
        })
    }

    /// The saved views of a project.
    pub(crate) fn saved_views(&self, project: Option<&str>) -> Result<Vec<SavedView>> {
        let project = self.project(project)?;
        let all = self.store().read(|db| run_views::list(db, &project.id))?;
        // What a newer Fettle put into a view, and this one does not know, is left out.
        let view = |one: run_views::RunView| SavedView {
            name: one.name,
            look: serde_json::from_value(one.body).unwrap_or_default(),
            changed_at: one.changed_at.as_ms(),
        };
        Ok(all.into_iter().map(view).collect())
    }

    /// Saves a view whose every part can be read.
    pub(crate) fn save_view(&self, project: Option<&str>, name: &str, look: &TableLook) -> Result<()> {
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::invalid("this cannot be the name of a view").hint("use 1 to 100 characters"));
        }
        let request =
            RunTable { project: project.map(str::to_owned), look: look.clone(), ..RunTable::default() };
        let (project, _) = self.table_query(&request)?;
        for text in look.columns.iter().chain(&look.group) {
            field(text)?;
        }
        let body =
            serde_json::to_value(look).map_err(|e| Error::internal("cannot write a view").because(e))?;
        self.store()
            .write(Action::new("run.save_view", name), |w| run_views::save(w, &project.id, name, &body))
    }

    fn run_ids_of(&self, texts: &[String]) -> Result<Vec<RunId>> {
        if texts.is_empty() || texts.len() > MOST_RUNS {
            return Err(Error::invalid(format!("cannot do this to {} runs at once", texts.len()))
                .hint(format!("name 1 to {MOST_RUNS} runs")));
        }
        texts.iter().map(|text| Ok(self.run(text)?.id)).collect()
    }

    /// Puts marks on runs.
    pub(crate) fn mark_runs(&self, request: &RunMark) -> Result<()> {
        let ids = self.run_ids_of(&request.runs)?;
        let mut marks = Marks {
            tags: request.tags.clone().into_iter().collect(),
            removed: request.remove_tags.clone(),
            note: request.note.as_ref().map(|note| note.trim().to_owned()),
        };
        for (key, value) in &marks.tags {
            if key.is_empty() || key.len() > 250 || value.len() > 8_000 {
                return Err(Error::invalid(format!("`{}` cannot be a tag", key.escape_debug()))
                    .hint("a key has 1 to 250 bytes, a value at most 8,000"));
            }
        }
        match request.star {
            Some(true) => marks.tags.push((STAR_TAG.to_owned(), "true".to_owned())),
            Some(false) => marks.removed.push(STAR_TAG.to_owned()),
            None => {}
        }
        match request.color.as_deref() {
            Some("") => marks.removed.push(COLOR_TAG.to_owned()),
            Some(color) if COLORS.contains(&color) => {
                marks.tags.push((COLOR_TAG.to_owned(), color.to_owned()));
            }
            Some(color) => {
                return Err(Error::invalid(format!("there is no colour `{}`", color.escape_debug()))
                    .hint("the colours are those of charts, 1 to 8"));
            }
            None => {}
        }
        if marks == Marks::default() {
            return Err(Error::invalid("there is nothing to put on the runs")
                .hint("name a star, a colour, a note or a tag"));
        }
        self.store().write(Action::new("run.mark", counted(ids.len())), |w| run_marks::put(w, &ids, &marks))
    }

    /// Moves runs to the trash or out of it: all of them or none.
    pub(crate) fn move_runs(&self, texts: &[String], is_deleted: bool) -> Result<()> {
        let ids = self.run_ids_of(texts)?;
        let name = if is_deleted { "run.delete_many" } else { "run.restore_many" };
        self.store().write(Action::new(name, counted(ids.len())), |w| {
            for id in &ids {
                let item = Item::Run(id.clone());
                let moved = if is_deleted { trash::put(w, &item) } else { trash::restore(w, &item) };
                moved.map_err(|error| match error.code {
                    Code::Conflict => {
                        let number = runs::get(w, id).map_or(0, |run| run.number);
                        error.within(format!("cannot move run {number} to the trash"))
                    }
                    _ => error,
                })?;
            }
            Ok(())
        })
    }
}

fn counted(runs: usize) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

/// The byte at a place that JavaScript counts in UTF-16 units.
fn byte_of(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (at, c) in text.char_indices() {
        if left < c.len_utf16() {
            return at;
        }
        left -= c.len_utf16();
    }
    text.len()
}

pub(crate) fn row_view(row: TableRow, cells: Vec<Cell>) -> RunRow {
    let TableRow { run, parent, children, is_starred, color } = row;
    let started_at = run.started_at.unwrap_or(run.created_at).as_ms();
    let ended = run.finished_at.map(base::Timestamp::as_ms).filter(|_| run.state.is_final());
    let duration_ms = if run.state.is_final() { ended.map(|at| at - started_at) } else { None };
    RunRow {
        id: run.id.to_string(),
        number: run.number,
        name: run.name,
        pipeline: run.pipeline,
        experiment: run.experiment,
        state: run_state(run.state),
        started_at,
        duration_ms,
        note: run.note,
        parent: parent.map(|id| id.to_string()),
        children: children as u32,
        is_starred,
        color,
        cells: cells.into_iter().map(cell_view).collect(),
    }
}

fn cell_view(cell: Cell) -> CellView {
    match cell {
        Cell::Missing => CellView::Missing,
        Cell::Text(text) => CellView::Text(text),
        Cell::Number(number) if number.is_finite() => CellView::Number(number),
        // What is not finite is no number of JSON.
        Cell::Number(number) => CellView::Text(number.to_string()),
    }
}

fn group_view(group: Group) -> RunGroup {
    let stat = |stat: store::run_table::Stat| {
        let deviation = stat.deviation();
        (stat.count > 0).then_some(GroupStat { mean: stat.mean, deviation, count: stat.count as u32 })
    };
    RunGroup {
        value: group.value,
        runs: group.runs as u32,
        stats: group.stats.into_iter().map(stat).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_metric_say_what_is_better() {
        for (key, larger) in [
            ("auc", true),
            ("log_loss", false),
            ("val_loss", false),
            ("validation/accuracy", true),
            ("train.RMSE", false),
            ("lossless_share", true),
            ("epoch", true),
        ] {
            assert_eq!(larger_is_better(key), larger, "{key}");
        }
    }

    #[test]
    fn a_place_in_javascript_is_found_in_the_text() {
        let text = "tags.`🦉é` = '";
        for (units, byte) in [(0, 0), (6, 6), (8, 10), (7, 6), (9, 12), (99, text.len())] {
            assert_eq!(byte_of(text, units), byte, "{units}");
        }
    }
}
