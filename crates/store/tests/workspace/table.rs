//! The table of runs: runs of scripts and of pipelines together, filtered, sorted, grouped, nested.

use std::collections::BTreeMap;

use base::{ProjectId, RunId};
use store::metrics::Metric;
use store::run_marks::{self, Marks};
use store::run_table::{self, Cell, Rows, TableQuery};
use store::runs::RunState;
use store::tracking::experiments::{self, NewExperiment};
use store::tracking::filter::{self, Kind};
use store::tracking::points::{self, Point};
use store::tracking::script_runs::{self, NewScriptRun, PARENT_TAG};
use store::{Depth, Page, Store, metrics, run_views, runs, trash};

use crate::world::{NOW, World, action, new_run, project};

/// Runs by name, each with its id.
struct Table {
    world: World,
    project_id: ProjectId,
    experiment: i64,
    ids: BTreeMap<String, RunId>,
}

impl Table {
    fn new() -> Self {
        let world = World::new();
        let project_id = project(&world.store);
        let new = NewExperiment {
            id: None,
            project_id: project_id.clone(),
            name: "vision/nets".to_owned(),
            artifact_location: None,
            tags: Vec::new(),
        };
        let experiment = world.store.write(action(), |w| experiments::create(w, &new)).unwrap().id;
        Self { world, project_id, experiment, ids: BTreeMap::new() }
    }

    fn store(&self) -> &Store {
        &self.world.store
    }

    /// A run by a script, with parameters, tags and curves.
    fn script(&mut self, name: &str, started_at: i64, params: &[(&str, &str)], curves: &[(&str, &[f64])]) {
        let new = NewScriptRun {
            id: None,
            experiment_id: self.experiment,
            name: name.to_owned(),
            user_id: "ada".to_owned(),
            state: RunState::Done,
            started_at,
            ended_at: Some(started_at + 5),
            tags: Vec::new(),
        };
        let id = self.store().log(move |e| script_runs::create(e, &new)).unwrap().id;
        let params: Vec<_> =
            params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let run = id.clone();
        self.store().log(move |e| script_runs::add_params(e, &run, &params)).unwrap();
        let points = |values: &[f64]| -> Vec<Point> {
            let all = values.iter().enumerate();
            all.map(|(step, value)| Point { value: *value, step: step as i64, at_ms: step as i64 }).collect()
        };
        let curves = curves.iter().map(|(key, values)| ((*key).to_owned(), points(values))).collect();
        let run = id.clone();
        self.store().log(move |e| points::log(e, &run, &curves)).unwrap();
        self.ids.insert(name.to_owned(), id);
    }

    fn tag(&self, name: &str, key: &str, value: &str) {
        let (id, tag) = (self.ids[name].clone(), (key.to_owned(), value.to_owned()));
        self.store().log(move |e| script_runs::set_tags(e, &id, &[tag])).unwrap();
    }

    /// The run of a pipeline whose two steps measured this.
    fn pipeline(&mut self, name: &str, aucs: [f64; 2], depth: &str) {
        let new = store::runs::NewRun { name: name.to_owned(), ..new_run(&self.project_id) };
        let id = self
            .store()
            .write(action(), |w| {
                let run = runs::create(w, new)?;
                runs::start(w, &run.id)?;
                for (step, value) in ["a", "b"].into_iter().zip(aucs) {
                    let point = Metric { key: "auc".to_owned(), value, step: 0, at: NOW };
                    metrics::log(w, &run.id, step, &[point])?;
                    metrics::set_params(w, &run.id, step, &[("depth".to_owned(), depth.to_owned())])?;
                }
                runs::finish(w, &run.id, RunState::Done, None)?;
                Ok(run.id)
            })
            .unwrap();
        self.ids.insert(name.to_owned(), id);
    }

    fn query(&self, filter: &str, order: &[&str]) -> TableQuery {
        let order: Vec<_> = order.iter().map(|&text| text.to_owned()).collect();
        TableQuery {
            project_id: self.project_id.clone(),
            folder: None,
            rows: Rows::All,
            conditions: filter::parse(Kind::Table, filter).unwrap(),
            within: None,
            order: filter::parse_order(Kind::Table, &order).unwrap(),
            better: |key| key != "loss",
        }
    }

    fn names(&self, query: &TableQuery) -> Vec<String> {
        let (total, ids) = self.store().read(|db| run_table::page(db, query, Page::new(0, 100))).unwrap();
        assert_eq!(total as usize, ids.len());
        // Every page of one row says the same as the page of all.
        for (at, id) in ids.iter().enumerate() {
            let one = self.store().read(|db| run_table::page(db, query, Page::new(at as u32, 1))).unwrap();
            assert_eq!(one, (total, vec![id.clone()]));
        }
        let name = |id: &RunId| self.ids.iter().find(|(_, one)| *one == id).unwrap().0.clone();
        ids.iter().map(name).collect()
    }

    fn find(&self, filter: &str, order: &[&str]) -> Vec<String> {
        self.names(&self.query(filter, order))
    }
}

/// Three runs of scripts and one of a pipeline, which is the newest.
fn four() -> Table {
    let mut table = Table::new();
    table.script(
        "one",
        10,
        &[("depth", "3"), ("opt", "sgd")],
        &[("loss", &[0.9, 0.2, 0.4]), ("auc", &[0.5])],
    );
    table.script("two", 20, &[("depth", "10"), ("opt", "adam")], &[("loss", &[0.8, 0.3]), ("auc", &[0.9])]);
    table.script("three", 30, &[("depth", "3")], &[("loss", &[f64::NAN])]);
    table.pipeline("flow", [0.6, 0.7], "9");
    table
}

#[test]
fn every_kind_of_condition_finds_runs_of_scripts_and_of_pipelines() {
    let table = four();
    table.tag("two", "team", "Blue");
    for (filter, found) in [
        ("", vec!["flow", "three", "two", "one"]),
        ("metrics.auc > 0.55", vec!["flow", "two"]),
        ("metrics.auc > 0.65 and metrics.auc < 0.65", vec!["flow"]),
        ("params.depth = '3'", vec!["three", "one"]),
        ("params.depth != '3'", vec!["flow", "two"]),
        ("params.opt is null", vec!["flow", "three"]),
        ("params.opt is not null and params.opt like 'A%'", vec![]),
        ("params.opt ilike 'A%'", vec!["two"]),
        ("tags.team = 'Blue'", vec!["two"]),
        ("name = 'one' and metrics.loss < 1", vec!["one"]),
        ("pipeline = 'species'", vec!["flow"]),
        ("experiment like 'vision/%'", vec!["three", "two", "one"]),
        ("state in ('done') and number <= 2", vec!["two", "one"]),
        ("status = 'FINISHED' and user_id = 'ada' and start_time >= 20", vec!["three", "two"]),
        ("duration = 5 and name != 'two'", vec!["three", "one"]),
        ("min(metrics.loss) < 0.25", vec!["one"]),
        ("max(metrics.loss) > 0.85", vec!["one"]),
        ("best(metrics.loss) <= 0.3", vec!["two", "one"]),
        ("at(metrics.loss, 1) = 0.2", vec!["one"]),
        ("at(metrics.auc, 7) > 0.6", vec!["flow", "two"]),
        ("dataset.name = 'iris'", vec![]),
    ] {
        assert_eq!(table.find(filter, &[]), found, "{filter}");
    }
}

#[test]
fn every_kind_of_order_puts_what_is_missing_last_in_both_directions() {
    let table = four();
    for (order, found) in [
        (&["metrics.auc desc"][..], ["two", "flow", "one", "three"]),
        (&["metrics.auc"], ["one", "flow", "two", "three"]),
        (&["min(metrics.loss)"], ["one", "two", "three", "flow"]),
        (&["max(metrics.loss) desc"], ["one", "two", "three", "flow"]),
        (&["best(metrics.loss) desc"], ["two", "one", "three", "flow"]),
        (&["at(metrics.loss, 0)"], ["two", "one", "flow", "three"]),
        (&["params.depth", "name"], ["one", "three", "flow", "two"]),
        (&["params.depth desc", "start_time"], ["two", "flow", "one", "three"]),
        (&["params.opt"], ["two", "one", "flow", "three"]),
        (&["name desc"], ["two", "three", "one", "flow"]),
        (&["number"], ["one", "two", "three", "flow"]),
        (&["duration", "number desc"], ["three", "two", "one", "flow"]),
        (&["state", "params.depth desc", "number desc"], ["two", "flow", "three", "one"]),
    ] {
        // The run of the pipeline took no time of this clock.
        let found: Vec<_> =
            if order[0] == "duration" { vec!["flow", "three", "two", "one"] } else { found.to_vec() };
        assert_eq!(table.find("", order), found, "{order:?}");
    }
}

#[test]
fn cells_show_what_runs_are_sorted_by() {
    let table = four();
    let columns = [
        "metrics.auc",
        "min(metrics.loss)",
        "max(metrics.loss)",
        "best(metrics.loss)",
        "at(metrics.loss, 1)",
        "params.depth",
        "name",
        "user_id",
    ];
    let fields: Vec<_> = columns.iter().map(|text| filter::parse_field(text).unwrap()).collect();
    let query = table.query("", &["number"]);
    let cells = table
        .store()
        .read(|db| {
            let (_, ids) = run_table::page(db, &query, Page::new(0, 10))?;
            run_table::cells(db, &ids, &fields, query.better)
        })
        .unwrap();
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = Cell::Number;
    assert_eq!(
        cells[0],
        [
            number(0.5),
            number(0.2),
            number(0.9),
            number(0.2),
            number(0.2),
            text("3"),
            text("one"),
            text("ada")
        ]
    );
    assert_eq!(cells[3][0], number(0.7), "the better of two steps");
    assert_eq!(cells[3][1..5], [Cell::Missing, Cell::Missing, Cell::Missing, Cell::Missing]);
    assert!(matches!(cells[2][1], Cell::Number(number) if number.is_nan()), "there, and not a number");
    assert_eq!(cells[3][5..], [text("9"), text("flow"), Cell::Missing]);
}

#[test]
fn groups_have_mean_deviation_and_count_and_open_to_their_runs() {
    let mut table = four();
    table.script("four", 40, &[("depth", "3")], &[("auc", &[0.7])]);
    let field = |text: &str| filter::parse_field(text).unwrap();
    let (by, auc) = (field("params.depth"), field("metrics.auc"));
    let groups = |order: &[&str]| {
        let query = table.query("", order);
        table
            .store()
            .read(|db| run_table::groups(db, &query, &by, std::slice::from_ref(&auc), Page::new(0, 10)))
            .unwrap()
    };
    let (total, found) = groups(&[]);
    let told: Vec<_> = found
        .iter()
        .map(|group| (group.value.as_deref().unwrap(), group.runs, group.stats[0].count))
        .collect();
    assert_eq!((total, told), (3, vec![("3", 3, 2), ("9", 1, 1), ("10", 1, 1)]));
    assert!((found[0].stats[0].mean - 0.6).abs() < 1e-12);
    assert!((found[0].stats[0].deviation().unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
    let by_mean: Vec<_> =
        groups(&["metrics.auc desc"]).1.into_iter().map(|group| group.value.unwrap()).collect();
    assert_eq!(by_mean, ["10", "9", "3"]);
    let within = |value: Option<&str>| TableQuery {
        within: Some((by.clone(), value.map(str::to_owned))),
        ..table.query("", &[])
    };
    assert_eq!(table.names(&within(Some("3"))), ["four", "three", "one"]);
    assert_eq!(table.names(&within(None)), Vec::<String>::new());
}

#[test]
fn nested_runs_are_under_their_parent_until_that_is_deleted() {
    let table = four();
    let parent = table.ids["one"].clone();
    table.tag("two", PARENT_TAG, parent.as_str());
    table.tag("one", PARENT_TAG, parent.as_str());
    table.tag("three", PARENT_TAG, "no id at all");
    let query = |rows: Rows| TableQuery { rows, ..table.query("", &[]) };
    assert_eq!(table.names(&query(Rows::Outermost)), ["flow", "three", "one"]);
    assert_eq!(table.names(&query(Rows::Under(parent.clone()))), ["two"]);
    let rows = table.store().read(|db| run_table::rows(db, std::slice::from_ref(&parent))).unwrap();
    assert_eq!((rows[0].children, &rows[0].parent), (1, &None));
    table.store().write(action(), |w| trash::put(w, &trash::Item::Run(parent.clone()))).unwrap();
    assert_eq!(table.names(&query(Rows::Outermost)), ["flow", "three", "two"]);
    assert_eq!(table.names(&query(Rows::Trashed)), ["one"]);
    let folder = TableQuery { folder: Some("vision".to_owned()), ..query(Rows::All) };
    assert_eq!(table.names(&folder), ["three", "two"]);
    let folder = TableQuery { folder: Some("visio".to_owned()), ..query(Rows::All) };
    assert_eq!(table.names(&folder), Vec::<String>::new());
    let id = table.ids["two"].clone();
    table.store().log(move |e| script_runs::delete_tag(e, &id, PARENT_TAG)).unwrap();
    assert_eq!(table.names(&query(Rows::Under(parent))), Vec::<String>::new());
}

#[test]
fn marks_and_views_and_extremes_are_there_after_a_repair() {
    let table = four();
    let ids: Vec<_> = table.ids.values().cloned().collect();
    let tag = |key: &str| (key.to_owned(), "true".to_owned());
    let marks = |marks: Marks| table.store().write(action(), |w| run_marks::put(w, &ids, &marks)).unwrap();
    marks(Marks {
        tags: vec![tag("fettle.star"), tag("gone")],
        removed: Vec::new(),
        note: Some("good".to_owned()),
    });
    marks(Marks { tags: Vec::new(), removed: vec!["gone".to_owned()], note: None });
    let body = serde_json::json!({ "filter": "metrics.auc > 0.5" });
    table
        .store()
        .write(action(), |w| {
            run_views::save(w, &table.project_id, "good ones", &body)?;
            run_views::save(w, &table.project_id, "others", &body)?;
            run_views::remove(w, &table.project_id, "others")
        })
        .unwrap();
    let resting = table.store().read(|db| store::tracking::unsettled(db, 100)).unwrap();
    table
        .store()
        .write(action(), |w| resting.iter().try_for_each(|one| store::tracking::settle(w, one)))
        .unwrap();
    let report = table.store().check(Depth::Full, &base::Progress::silent()).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(table.find("tags.fettle.star = 'true' and note = 'good' and tags.gone is null", &[]).len(), 4);
    let views = table.store().read(|db| run_views::list(db, &table.project_id)).unwrap();
    assert_eq!(views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["good ones"]);
    let gone = table.store().write(action(), |w| run_views::remove(w, &table.project_id, "others"));
    assert_eq!(gone.unwrap_err().code, base::Code::NotFound);
}

#[test]
fn keys_and_values_are_told_once_and_those_of_the_newest_runs_first() {
    let mut table = four();
    table.script("late", 50, &[("zeta", "1"), ("depth", "3")], &[("zz", &[1.0])]);
    let near = [table.ids["late"].clone()];
    let (keys, values) = table
        .store()
        .read(|db| {
            let depth = filter::parse_field("params.depth").unwrap();
            Ok((run_table::keys(db, &near, 100)?, run_table::values_of(db, &table.project_id, &depth, 10)?))
        })
        .unwrap();
    assert_eq!(keys.metrics, ["zz", "auc", "loss"]);
    assert_eq!(keys.params, ["depth", "zeta", "opt"]);
    assert_eq!(values, ["3", "9", "10"], "the most frequent first: three runs, two steps, one run");
    let experiments = table.store().read(|db| run_table::experiments(db, &table.project_id)).unwrap();
    assert_eq!(experiments, [("species".to_owned(), 1), ("vision/nets".to_owned(), 4)]);
}
