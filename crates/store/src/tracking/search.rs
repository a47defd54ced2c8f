//! Searches: conditions and orders over what scripts log, as SQL. Names and values reach SQLite as
//! bound parameters only; columns come from a closed list.

use base::{Result, RunId};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::sql;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The last value of a metric.
    Metric(String),
    /// Another value of a metric than the last; only of [`crate::run_table`].
    Picked(Pick, String),
    /// A parameter.
    Param(String),
    /// A tag.
    Tag(String),
    /// A column.
    Column(Column),
    /// A dataset that went in.
    Dataset(DatasetField),
}

/// Which value of a curve is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pick {
    /// The smallest.
    Least,
    /// The largest.
    Greatest,
    /// The smallest or the largest, whichever is the better one of this metric.
    Best,
    /// The last one at this step or before it.
    At(i64),
}

/// What of a dataset is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetField {
    /// Its name.
    Name,
    /// Its fingerprint.
    Digest,
    /// What it was used for.
    Context,
}

/// A column of what is searched for; not every kind has each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The id or the number.
    Id,
    /// The name.
    Name,
    /// The state, in MLflow's words.
    State,
    /// Who began a run.
    User,
    /// The URI of the files.
    ArtifactUri,
    /// When a run began.
    Started,
    /// When a run ended.
    Ended,
    /// When it was made.
    Created,
    /// When it last changed.
    Updated,
    /// The run that something came from.
    SourceRun,
    /// The number of a version.
    Version,
    /// Where a version came from.
    Source,
    /// What kind of model it is.
    ModelType,
    /// The number of a run in its project.
    Number,
    /// The pipeline of a run.
    Pipeline,
    /// The experiment of a run.
    Experiment,
    /// The note on a run.
    Note,
    /// The state, in our words.
    Stage,
    /// How long a run took, ms.
    Duration,
}

/// What must hold for a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It compares with a number like this.
    Number(Compare, f64),
    /// It compares with a text like this.
    Text(TextTest, String),
    /// It is not this text, or not there at all.
    NotText(String),
    /// It is one of these texts.
    OneOf(Vec<String>),
    /// It is there and none of these texts.
    NoneOf(Vec<String>),
    /// It is not there.
    Missing,
    /// It is there.
    There,
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// The same.
    Equal,
    /// Another.
    Unequal,
    /// SQL's `like`, with capitals told apart.
    Like,
    /// SQL's `like`, with the capitals of ASCII not told apart.
    ILike,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub field: Field,
    /// What must hold.
    pub test: Test,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What is looked at.
    pub field: Field,
    /// True for the smallest first.
    pub is_ascending: bool,
}

/// Which are wanted, as to the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Those that are not in it.
    #[default]
    Active,
    /// Those that are.
    Deleted,
    /// All.
    All,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Search {
    /// What must hold, all of it.
    pub conditions: Vec<Condition>,
    /// The order, the most important first.
    pub order: Vec<Order>,
    /// Which as to the trash; only runs and experiments can be there.
    pub view: View,
    /// The experiments to look in; only for runs and logged models.
    pub experiments: Vec<i64>,
    /// Datasets of which one must be that of a metric; only for logged models, by name and digest.
    pub datasets: Vec<(String, Option<String>)>,
    /// How many come before the first that is wanted.
    pub offset: u64,
    /// How many are wanted.
    pub limit: u64,
}

/// Where the parts of one kind are.
struct Shape {
    /// The column of the id.
    id: &'static str,
    from: &'static str,
    /// Table and its column of the owner.
    tags: (&'static str, &'static str),
    params: (&'static str, &'static str),
    metrics: (&'static str, &'static str),
    columns: fn(Column) -> Option<&'static str>,
    /// The order without a wish.
    natural: &'static str,
    /// What comes after what was wished for.
    tie: &'static str,
}

/// The state of a run `r` in MLflow's words.
pub(crate) const MLFLOW_STATE: &str =
    "case r.state when 'queued' then 'SCHEDULED' when 'running' then 'RUNNING'
     when 'done' then 'FINISHED' when 'failed' then 'FAILED' else 'KILLED' end";

const RUNS: Shape = Shape {
    id: "s.run_id",
    from: "script_runs s cross join runs r on r.id = s.run_id",
    tags: ("run_tags", "run_id"),
    params: ("params", "run_id"),
    metrics: ("last_metrics", "run_id"),
    columns: |column| {
        Some(match column {
            Column::Id => "s.run_id",
            Column::Name => "r.name",
            Column::State => MLFLOW_STATE,
            Column::User => "s.user_id",
            Column::ArtifactUri => "s.artifact_uri",
            Column::Started => "s.started_at",
            Column::Ended => "s.ended_at",
            _ => return None,
        })
    },
    natural: "s.started_at desc, s.run_id",
    tie: "s.started_at desc, s.run_id",
};

const EXPERIMENTS: Shape = Shape {
    id: "s.id",
    from: "experiments s",
    tags: ("experiment_tags", "experiment_id"),
    params: ("", ""),
    metrics: ("", ""),
    columns: |column| {
        Some(match column {
            Column::Id => "s.id",
            Column::Name => "s.name",
            Column::Created => "s.created_at",
            Column::Updated => "s.updated_at",
            _ => return None,
        })
    },
    natural: "s.created_at desc, s.id",
    tie: "s.id desc",
};

const MODELS: Shape = Shape {
    id: "s.id",
    from: "models s left join model_facts f on f.model_id = s.id",
    tags: ("model_tags", "model_id"),
    params: ("", ""),
    metrics: ("", ""),
    columns: |column| {
        Some(match column {
            Column::Name => "s.name",
            Column::Created => "s.created_at",
            Column::Updated => "coalesce(f.updated_at, s.created_at)",
            _ => return None,
        })
    },
    natural: "s.name, s.id",
    tie: "s.name, s.id",
};

const VERSIONS: Shape = Shape {
    id: "s.id",
    from: "model_versions s join models m on m.id = s.model_id left join version_facts f on f.version_id = s.id",
    tags: ("version_tags", "version_id"),
    params: ("", ""),
    metrics: ("", ""),
    columns: |column| {
        Some(match column {
            Column::Name => "m.name",
            Column::SourceRun => "coalesce(f.run_ref, s.run_id, '')",
            Column::Source => "coalesce(f.source, '')",
            Column::Version => "s.number",
            Column::Created => "s.created_at",
            Column::Updated => "coalesce(f.updated_at, s.created_at)",
            _ => return None,
        })
    },
    natural: "coalesce(f.updated_at, s.created_at) desc, m.name, s.number desc",
    tie: "m.name, s.number desc",
};

const LOGGED_MODELS: Shape = Shape {
    id: "s.id",
    from: "logged_models s",
    tags: ("logged_model_tags", "model_id"),
    params: ("logged_model_params", "model_id"),
    metrics: ("logged_model_metrics", "model_id"),
    columns: |column| {
        Some(match column {
            Column::Id => "s.id",
            Column::Name => "s.name",
            Column::ModelType => "s.model_type",
            Column::State => "upper(s.status)",
            Column::SourceRun => "s.source_run_id",
            Column::Created => "s.created_at",
            Column::Updated => "s.updated_at",
            _ => return None,
        })
    },
    natural: "s.created_at desc, s.id",
    tie: "s.created_at desc, s.id",
};

/// Ids of runs.
///
/// # Errors
/// When the workspace cannot be read.
pub fn runs(db: &Connection, search: &Search) -> Result<Vec<RunId>> {
    let mut query = Query::new(&RUNS);
    query.view("r.trashed_at", search.view);
    query.experiments(&search.experiments);
    if let [Order { field: Field::Metric(key), is_ascending }] = search.order.as_slice() {
        return by_metric(db, query, search, key, *is_ascending);
    }
    query.ids(db, search, |row| sql::parsed(row, "id"))
}

/// Ids of experiments.
///
/// # Errors
/// When the workspace cannot be read.
pub fn experiments(db: &Connection, search: &Search) -> Result<Vec<i64>> {
    let mut query = Query::new(&EXPERIMENTS);
    query.view("s.deleted_at", search.view);
    query.ids(db, search, |row| row.get("id"))
}

/// Ids of registered models.
///
/// # Errors
/// When the workspace cannot be read.
pub fn models(db: &Connection, search: &Search) -> Result<Vec<base::ModelId>> {
    let mut query = Query::new(&MODELS);
    query.and("s.trashed_at is null", []);
    query.ids(db, search, |row| sql::parsed(row, "id"))
}

/// Ids of versions of registered models.
///
/// # Errors
/// When the workspace cannot be read.
pub fn versions(db: &Connection, search: &Search) -> Result<Vec<base::VersionId>> {
    let mut query = Query::new(&VERSIONS);
    query.and("m.trashed_at is null", []);
    query.ids(db, search, |row| sql::parsed(row, "id"))
}

/// Ids of logged models.
///
/// # Errors
/// When the workspace cannot be read.
pub fn logged_models(db: &Connection, search: &Search) -> Result<Vec<String>> {
    let mut query = Query::new(&LOGGED_MODELS);
    query.and("s.deleted_at is null", []);
    query.experiments(&search.experiments);
    if !search.datasets.is_empty() {
        let mut any = Vec::new();
        let mut params = Vec::new();
        for (name, digest) in &search.datasets {
            params.push(name.clone().into());
            any.push(if let Some(digest) = digest {
                params.push(digest.clone().into());
                "(dataset_name = ? and dataset_digest = ?)"
            } else {
                "dataset_name = ?"
            });
        }
        let any = any.join(" or ");
        query.and(
            &format!("exists (select 1 from logged_model_metrics where model_id = s.id and ({any}))"),
            params,
        );
    }
    query.ids(db, search, |row| row.get("id"))
}

/// Conditions with their parameters, in order.
struct Query {
    shape: &'static Shape,
    condition: String,
    params: Vec<Value>,
}

impl Query {
    fn new(shape: &'static Shape) -> Self {
        Self { shape, condition: "true".to_owned(), params: Vec::new() }
    }

    fn and(&mut self, condition: &str, params: impl IntoIterator<Item = Value>) {
        self.condition.push_str(" and ");
        self.condition.push_str(condition);
        self.params.extend(params);
    }

    fn view(&mut self, column: &str, view: View) {
        match view {
            View::Active => self.and(&format!("{column} is null"), []),
            View::Deleted => self.and(&format!("{column} is not null"), []),
            View::All => {}
        }
    }

    fn experiments(&mut self, ids: &[i64]) {
        match ids {
            // One number lets the index give the order.
            [id] => self.and("s.experiment_id = ?", [(*id).into()]),
            _ => self.and("s.experiment_id in (select value from json_each(?))", [sql::to_json(&ids).into()]),
        }
    }

    fn ids<T>(
        mut self,
        db: &Connection,
        search: &Search,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        for condition in &search.conditions {
            self.condition(condition);
        }
        let order = self.order(&search.order);
        let Shape { id, from, .. } = self.shape;
        let text = format!(
            "select {id} as id from {from} where {} order by {order} limit ? offset ?",
            self.condition
        );
        self.params.extend([whole(search.limit), whole(search.offset)]);
        sql::many(db, &text, rusqlite::params_from_iter(self.params), read)
    }

    fn condition(&mut self, Condition { field, test }: &Condition) {
        let (mut params, value, around) = match field {
            Field::Picked(..) => return self.and("false", []),
            Field::Column(column) => {
                let Some(column) = (self.shape.columns)(*column) else { return self.and("false", []) };
                (Vec::new(), column.to_owned(), String::new())
            }
            Field::Metric(key) => self.part(self.shape.metrics, key, "value"),
            Field::Param(key) => self.part(self.shape.params, key, "value"),
            Field::Tag(key) => self.part(self.shape.tags, key, "value"),
            Field::Dataset(of) => {
                let column = match of {
                    DatasetField::Name => "d.name",
                    DatasetField::Digest => "d.digest",
                    DatasetField::Context => "i.context",
                };
                let around = "select 1 from run_inputs i join logged_datasets d on d.id = i.dataset_id
                              where i.run_id = s.run_id";
                (Vec::new(), column.to_owned(), around.to_owned())
            }
        };
        let is_part = !around.is_empty();
        let text = match test {
            Test::Missing if is_part => {
                return self.and(&format!("not exists ({around})"), params);
            }
            Test::NotText(text) if is_part => {
                params.push(text.clone().into());
                return self.and(&format!("not exists ({around} and {value} = ?)"), params);
            }
            Test::There if is_part => return self.and(&format!("exists ({around})"), params),
            test => test.sql(&value, &mut params),
        };
        if is_part {
            self.and(&format!("exists ({around} and {text})"), params);
        } else {
            self.and(&text, params);
        }
    }

    /// A row of a table of parts, with the value that is compared.
    fn part(&self, (table, owner): (&str, &str), key: &str, value: &str) -> (Vec<Value>, String, String) {
        if table.is_empty() {
            return (Vec::new(), "null".to_owned(), String::new());
        }
        let step = if matches!(table, "last_metrics" | "params") { " and step_id = ''" } else { "" };
        let around = format!("select 1 from {table} where {owner} = {}{step} and key = ?", self.shape.id);
        (vec![key.to_owned().into()], value.to_owned(), around)
    }

    fn order(&mut self, wanted: &[Order]) -> String {
        if wanted.is_empty() {
            return self.shape.natural.to_owned();
        }
        let mut keys = Vec::new();
        for Order { field, is_ascending } in wanted {
            let direction = if *is_ascending { "asc" } else { "desc" };
            let value = match field {
                Field::Column(column) => (self.shape.columns)(*column).unwrap_or("null").to_owned(),
                Field::Metric(key) => {
                    // Not a number comes after all numbers, and what is missing after that.
                    let there = self.lookup(self.shape.metrics, key, "value is null");
                    keys.push(format!("coalesce({there}, 2)"));
                    self.lookup(self.shape.metrics, key, "value")
                }
                Field::Param(key) => self.lookup(self.shape.params, key, "value"),
                Field::Tag(key) => self.lookup(self.shape.tags, key, "value"),
                Field::Dataset(_) | Field::Picked(..) => "null".to_owned(),
            };
            keys.push(format!("{value} {direction} nulls last"));
        }
        keys.push(self.shape.tie.to_owned());
        keys.join(", ")
    }

    /// One value of a table of parts.
    fn lookup(&mut self, (table, owner): (&str, &str), key: &str, value: &str) -> String {
        if table.is_empty() {
            return "null".to_owned();
        }
        self.params.push(key.to_owned().into());
        let step = if matches!(table, "last_metrics" | "params") { " and step_id = ''" } else { "" };
        // Of several measurements of a model the last one counts.
        let last =
            if table == "logged_model_metrics" { " order by at_ms desc, step desc limit 1" } else { "" };
        format!("(select {value} from {table} where {owner} = {}{step} and key = ?{last})", self.shape.id)
    }
}

/// Runs in the order of a metric. The index over values gives those that have one, so that the
/// first page of many runs costs a page; not a number and missing come after.
fn by_metric(
    db: &Connection,
    mut query: Query,
    search: &Search,
    key: &str,
    is_ascending: bool,
) -> Result<Vec<RunId>> {
    for condition in &search.conditions {
        query.condition(condition);
    }
    let direction = if is_ascending { "asc" } else { "desc" };
    let Query { condition, params, .. } = query;
    let with_value = format!(
        "select s.run_id as id from last_metrics o cross join script_runs s on s.run_id = o.run_id
         cross join runs r on r.id = s.run_id
         where o.key = ? and o.step_id = '' and o.value is not null and {condition}
         order by o.value {direction}, {} limit ? offset ?",
        RUNS.tie
    );
    let without = |test: &str| {
        format!(
            "select s.run_id as id from {} where {test} and {condition} order by {} limit ? offset ?",
            RUNS.from, RUNS.tie
        )
    };
    let nan = without(
        "exists (select 1 from last_metrics where run_id = s.run_id and step_id = '' and key = ? and value is null)",
    );
    let missing = without(
        "not exists (select 1 from last_metrics where run_id = s.run_id and step_id = '' and key = ?)",
    );
    let (mut found, mut offset) = (Vec::new(), search.offset);
    for text in [with_value, nan, missing] {
        let left = search.limit - found.len() as u64;
        if left == 0 {
            break;
        }
        let bound = |limit: u64, offset: u64| {
            let key = std::iter::once(Value::from(key.to_owned()));
            rusqlite::params_from_iter(
                key.chain(params.iter().cloned()).chain([whole(limit), whole(offset)]).collect::<Vec<_>>(),
            )
        };
        let page: Vec<RunId> = sql::many(db, &text, bound(left, offset), |row| sql::parsed(row, "id"))?;
        if page.is_empty() && offset > 0 {
            // The page lies behind this part: the next one begins that much earlier.
            let all = text.replacen("select s.run_id as id", "select count(*)", 1);
            let all = all.split(" order by ").next().unwrap_or_default().to_owned();
            let key = std::iter::once(Value::from(key.to_owned()));
            let params = rusqlite::params_from_iter(key.chain(params.iter().cloned()));
            offset = offset.saturating_sub(sql::value::<u64>(db, &all, params)?);
        } else {
            offset = 0;
        }
        found.extend(page);
    }
    Ok(found)
}

fn whole(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

impl Test {
    /// The test of a value, as SQL; what it compares with is added to `params`.
    pub(crate) fn sql(&self, value: &str, params: &mut Vec<Value>) -> String {
        match self {
            Self::NotText(text) => {
                params.push(text.clone().into());
                format!("{value} is not ?")
            }
            Self::Missing => format!("{value} is null"),
            Self::There => format!("{value} is not null"),
            Self::Number(compare, number) => {
                params.push((*number).into());
                format!("{value} {} ?", compare.sql())
            }
            Self::Text(how, text) => {
                params.push(how.param(text).into());
                format!("{value} {} ?", how.sql())
            }
            Self::OneOf(texts) | Self::NoneOf(texts) => {
                params.push(sql::to_json(texts).into());
                let not = if matches!(self, Self::NoneOf(_)) { "not " } else { "" };
                format!("cast({value} as text) {not}in (select value from json_each(?))")
            }
        }
    }
}

impl Compare {
    fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl TextTest {
    fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Like => "glob",
            Self::ILike => "like",
        }
    }

    /// SQLite's own `like` does not tell capitals apart; `glob` does, with other wildcards.
    fn param(self, text: &str) -> String {
        if self != Self::Like {
            return text.to_owned();
        }
        let mut glob = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '%' => glob.push('*'),
                '_' => glob.push('?'),
                '*' | '?' | '[' => {
                    glob.push('[');
                    glob.push(c);
                    glob.push(']');
                }
                c => glob.push(c),
            }
        }
        glob
    }
}
