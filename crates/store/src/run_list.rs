//! Lists of runs: which, in what order, page by page.

use base::{ProjectId, Result, RunId};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::runs::{COLUMNS, Run, RunState};
use crate::{Page, sql};

/// Which runs are wanted. The default is all that are not in the trash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Those of this project.
    pub project_id: Option<ProjectId>,
    /// Those of this pipeline.
    pub pipeline: Option<String>,
    /// Those of this experiment and of the folders in it.
    pub experiment: Option<String>,
    /// Those in one of these states; empty for any.
    pub states: Vec<RunState>,
    /// Those with this text in name, note, pipeline or experiment.
    pub text: Option<String>,
    /// Those for which all of this holds.
    pub conditions: Vec<Condition>,
    /// Whether trials of sweeps are among them.
    pub nesting: Nesting,
}

/// Which runs are wanted as to the sweeps they are trials of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Nesting {
    /// All runs.
    #[default]
    Any,
    /// Those that are no trial of a sweep.
    Outermost,
    /// The trials of this sweep.
    TrialsOf(RunId),
}

/// What must hold for a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The last value of a metric of any step compares like this.
    Metric(String, Comparison, f64),
    /// A parameter of any step has this value.
    Param(String, String),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Smaller.
    Below,
    /// Smaller or the same.
    AtMost,
    /// The same.
    Equal,
    /// Larger or the same.
    AtLeast,
    /// Larger.
    Above,
}

impl Comparison {
    fn sql(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

/// In what order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RunOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// The largest last value of a metric first; runs without it last.
    HighestMetric(String),
    /// The smallest last value of a metric first; runs without it last.
    LowestMetric(String),
}

/// One page of runs.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, filter: &RunFilter, order: &RunOrder, page: Page) -> Result<Vec<Run>> {
    let mut query = Query::new(filter);
    let metric = "(select max(value) from last_metrics where run_id = runs.id and key = ?)";
    let order = match order {
        RunOrder::Newest => "created_at desc, number desc, id".to_owned(),
        RunOrder::Oldest => "created_at, number, id".to_owned(),
        RunOrder::HighestMetric(key) => {
            query.params.push(key.clone().into());
            format!("{metric} desc nulls last, created_at desc, id")
        }
        RunOrder::LowestMetric(key) => {
            query.params.push(key.clone().into());
            format!("{metric} asc nulls last, created_at desc, id")
        }
    };
    query.params.extend([page.limit().into(), page.offset().into()]);
    let text =
        format!("select {COLUMNS} from runs where {} order by {order} limit ? offset ?", query.condition);
    sql::many(db, &text, rusqlite::params_from_iter(query.params), Run::read)
}

/// How many runs the filter lets through.
///
/// # Errors
/// When the workspace cannot be read.
pub fn count(db: &Connection, filter: &RunFilter) -> Result<u64> {
    let query = Query::new(filter);
    let text = format!("select count(*) from runs where {}", query.condition);
    sql::value(db, &text, rusqlite::params_from_iter(query.params))
}

/// A condition on runs with its parameters, in order.
struct Query {
    condition: String,
    params: Vec<Value>,
}

impl Query {
    fn new(filter: &RunFilter) -> Self {
        let mut query = Self { condition: "trashed_at is null".to_owned(), params: Vec::new() };
        if let Some(id) = &filter.project_id {
            query.and("project_id = ?", [id.as_str().to_owned().into()]);
        }
        if let Some(pipeline) = &filter.pipeline {
            query.and("pipeline = ?", [pipeline.clone().into()]);
        }
        if let Some(experiment) = &filter.experiment {
            // All that begins with the folder and a slash; '0' is what follows '/' in ASCII.
            query.and(
                "(experiment = ? or (experiment >= ? and experiment < ?))",
                [experiment.clone().into(), format!("{experiment}/").into(), format!("{experiment}0").into()],
            );
        }
        if !filter.states.is_empty() {
            let marks = vec!["?"; filter.states.len()].join(", ");
            let states = filter.states.iter().map(|state| state.as_str().to_owned().into());
            query.and(&format!("state in ({marks})"), states);
        }
        if let Some(text) = &filter.text {
            let text = Value::from(text.to_lowercase());
            query.and(
                "(instr(lower(name), ?) or instr(lower(note), ?) or instr(lower(pipeline), ?)
                  or instr(lower(experiment), ?))",
                vec![text; 4],
            );
        }
        for condition in &filter.conditions {
            query.add_condition(condition);
        }
        let trial = "select 1 from run_origins where run_id = runs.id and cause = 'trial'";
        match &filter.nesting {
            Nesting::Any => (),
            Nesting::Outermost => query.and(&format!("not exists ({trial})"), []),
            Nesting::TrialsOf(id) => {
                query.and(&format!("exists ({trial} and of_run = ?)"), [id.as_str().to_owned().into()]);
            }
        }
        query
    }

    fn add_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Metric(key, comparison, value) => self.and(
                &format!(
                    "exists (select 1 from last_metrics where run_id = runs.id and key = ? and value {} ?)",
                    comparison.sql()
                ),
                [key.clone().into(), (*value).into()],
            ),
            Condition::Param(key, value) => self.and(
                "exists (select 1 from params where run_id = runs.id and key = ? and value = ?)",
                [key.clone().into(), value.clone().into()],
            ),
        }
    }

    fn and(&mut self, condition: &str, params: impl IntoIterator<Item = Value>) {
        self.condition.push_str(" and ");
        self.condition.push_str(condition);
        self.params.extend(params);
    }
}
