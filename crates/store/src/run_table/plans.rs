//! The indexes that the table of runs is made for are those that SQLite takes.

use base::ProjectId;
use rusqlite::{Connection, params_from_iter};

use super::{Base, Rows, TableQuery, keys, page_sql, scan};
use crate::migrations;
use crate::tracking::filter::{self, Kind};

fn empty() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut db).unwrap();
    db
}

/// How SQLite would answer, whatever the parameters.
fn plan(db: &Connection, text: &str) -> String {
    let mut statement = db.prepare(&format!("explain query plan {text}")).unwrap();
    let nulls = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let lines = statement.query_map(params_from_iter(nulls), |row| row.get::<_, String>("detail")).unwrap();
    lines.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("\n")
}

fn query(rows: Rows, filter: &str, order: &[&str]) -> TableQuery {
    TableQuery {
        project_id: ProjectId::new(),
        folder: None,
        rows,
        conditions: filter::parse(Kind::Table, filter).unwrap(),
        within: None,
        order: filter::parse_order(
            Kind::Table,
            &order.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(),
        )
        .unwrap(),
        better: |_| true,
    }
}

#[test]
fn what_a_condition_or_an_order_needs_is_all_in_one_index() {
    let db = empty();
    for (column, test, index) in [
        ("metrics.auc", "metrics.auc > 0.5", "last_metrics_by_key"),
        ("min(metrics.loss)", "min(metrics.loss) < 0.5", "last_metrics_by_key"),
        ("max(metrics.loss)", "max(metrics.loss) < 0.5", "last_metrics_by_key"),
        ("params.depth", "params.depth = '3'", "params_by_key"),
        ("params.depth", "params.depth like '3%'", "params_by_key"),
        ("tags.team", "tags.team != 'a'", "run_tags_by_key"),
    ] {
        let field = filter::parse_field(column).unwrap();
        let (values, _) = scan::values_sql(&field, |_| true).unwrap();
        let condition = filter::parse(Kind::Table, test).unwrap().remove(0);
        let (kept, _) = scan::kept_sql(&condition.field, &condition.test, |_| true);
        for text in [values, kept] {
            let plan = plan(&db, &text);
            assert!(plan.contains(&format!("USING COVERING INDEX {index} (key=?")), "{text}\n{plan}");
        }
    }
}

#[test]
fn the_newest_runs_come_out_of_an_index_in_their_order() {
    let db = empty();
    for rows in [Rows::All, Rows::Outermost] {
        let query = query(rows, "", &[]);
        let plan = plan(&db, &page_sql(&query, &Base::new(&query).condition));
        assert!(plan.contains("runs_in_table") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn nested_runs_and_keys_are_looked_up() {
    let db = empty();
    let under = query(Rows::Under(base::RunId::new()), "", &[]);
    let nested = plan(&db, &page_sql(&under, &Base::new(&under).condition));
    assert!(nested.contains("runs_by_parent"), "{nested}");
    for table in ["last_metrics", "params", "run_tags"] {
        let plan = plan(&db, &keys::every_key(table));
        assert!(plan.contains(&format!("USING COVERING INDEX {table}_by_key (key>?)")), "{plan}");
    }
}
