//! The life of a dataset after its first import: versions, what changed, names, quality, the trash,
//! files that are followed, and the way out.

mod testkit;

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::World;

/// Ten customers; `change` may edit the rows before they are written.
fn customers(world: &World, name: &str, change: impl FnOnce(&mut Vec<Vec<String>>)) -> std::path::PathBuf {
    let row = |at: u32| {
        let plan = ["basic", "plus"][at as usize % 2];
        [at.to_string(), format!("user{at}@example.org"), (20 + at).to_string(), plan.to_owned()].to_vec()
    };
    let mut rows: Vec<Vec<String>> = (1..=10).map(row).collect();
    change(&mut rows);
    let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    world.file(name, format!("id,email,age,plan\n{}\n", lines.join("\n")))
}

/// A world whose dataset `customers` has two versions: two cells differ, a row went, a row came.
fn two_versions() -> World {
    let world = World::new();
    let first = customers(&world, "customers.csv", |_| ());
    world.ok(&["dataset", "import", testkit::text(&first)]);
    let second = customers(&world, "customers.csv", |rows| {
        rows[2][2] = "99".to_owned();
        rows[4][3] = "pro".to_owned();
        rows.remove(7);
        rows.push(["11", "user11@example.org", "31", "basic"].map(str::to_owned).to_vec());
    });
    let imported = world.ok(&["dataset", "import", testkit::text(&second)]);
    assert_eq!((&imported["version"], &imported["isNew"]), (&json!(2), &json!(true)));
    world
}

#[test]
fn a_diff_names_every_row_and_cell_that_changed() {
    let world = two_versions();
    let diff = world.ok(&["dataset", "diff", "customers", "1"]);
    let counts = ["addedRows", "removedRows", "changedRows", "unchangedRows", "changedCells"];
    assert_eq!(counts.map(|field| diff[field].as_u64()), [1, 1, 2, 7, 2].map(Some), "{diff}");
    let cells = diff["cells"].as_array().expect("cells").iter();
    let cells: Vec<_> = cells.map(|cell| (&cell["column"], &cell["old"], &cell["new"])).collect();
    assert_eq!(
        cells,
        [(&json!("age"), &json!("23"), &json!("99")), (&json!("plan"), &json!("plus"), &json!("pro"))]
    );
    let removed = r#"{"dataset":"customers","from":1,"what":"removed","offset":0,"limit":10}"#;
    let removed = world.ok(&["call", "dataset.changes", removed]);
    assert_eq!((&removed["total"], &removed["rows"]["rows"][0][0]), (&json!(1), &json!("8")));
    let compared = world.ok(&["call", "dataset.compare", r#"{"dataset":"customers","from":1}"#]);
    assert_eq!(compared["columns"].as_array().map(Vec::len), Some(4));
    let error = world.fails(2, &["dataset", "diff", "customers", "1", "--key", "plan"]);
    assert!(error.to_string().contains("plan"), "{error}");
}

#[test]
fn every_version_can_be_asked_by_its_number_and_its_tag() {
    let world = two_versions();
    world.ok(&["dataset", "tag", "customers", "clean", "1"]);
    let sql = r#"select a.age as before, b.age as now from "customers@clean" a
        join customers b on a.id = b.id where a.age <> b.age"#;
    let answer = world.ok(&["dataset", "query", sql]);
    assert_eq!(answer["rows"], json!([["23", "99"]]));
    let oldest =
        world.ok(&["dataset", "query", r#"select count(*) as n from "customers@1" where plan = 'pro'"#]);
    assert_eq!(oldest["rows"], json!([["0"]]));
    let versions = world.ok(&["dataset", "show", "customers"])["versions"].clone();
    assert_eq!((&versions[1]["tags"], &versions[0]["tags"]), (&json!(["clean"]), &json!([])));
    world.fails(2, &["dataset", "tag", "customers", "clean", "7"]);
}

#[test]
fn a_table_is_filtered_and_sorted_where_it_lies() {
    let world = two_versions();
    let ask = |fields: Value| {
        let mut request = json!({ "dataset": "customers", "offset": 0, "limit": 3 });
        for (name, value) in fields.as_object().expect("fields") {
            request[name] = value.clone();
        }
        request.to_string()
    };
    let request = ask(json!({
        "condition": "plan = 'basic' and age > 21",
        "order": [{ "column": "age", "descending": true }],
        "columns": ["age"],
    }));
    let page = world.ok(&["call", "dataset.page", &request]);
    assert_eq!((&page["total"], &page["rows"]), (&json!(5), &json!([["31"], ["30"], ["26"]])));
    let error = world.fails(2, &["call", "dataset.page", &ask(json!({ "condition": "agee > 1" }))]);
    assert!(error.to_string().contains("did you mean `age`?"), "{error}");
}

#[test]
fn bad_data_is_seen_at_the_import_and_read_by_no_pipeline() {
    let world = World::new();
    let first = customers(&world, "customers.csv", |_| ());
    world.ok(&["dataset", "import", testkit::text(&first), "--target", "plan"]);
    let suggested = world.ok(&["dataset", "checks", "customers", "--suggest"])["suggested"].clone();
    let file = world.file("suggested.toml", suggested.as_str().expect("text"));
    world.ok(&["dataset", "checks", "customers", "--set", testkit::text(&file)]);
    let checked = world.ok(&["dataset", "check", "customers"]);
    assert_eq!(checked["isUsable"], true, "what is suggested holds: {checked}");

    let rule = "format = 1\n[[check]]\nkind = \"range\"\ncolumn = \"age\"\nmin = 18\nmax = 65\n";
    let file = world.file("rule.toml", rule);
    world.ok(&["dataset", "checks", "customers", "--set", testkit::text(&file)]);
    world.ok(&["pipeline", "new", "customers"]);
    let second = customers(&world, "customers.csv", |rows| rows[2][2] = "212".to_owned());
    let imported = world.ok(&["dataset", "import", testkit::text(&second)]);
    assert_eq!(imported["checks"][0]["outcome"], "failed", "{imported}");
    let checked = world.call(&["dataset", "check", "customers"]);
    assert_eq!(checked.code, Some(4), "{}", checked.said);
    assert_eq!(checked.reply["results"][0]["failingRows"], 1);
    let failing = r#"{"dataset":"customers","check":0,"offset":0,"limit":10}"#;
    let failing = world.ok(&["call", "dataset.failing", failing]);
    assert_eq!((&failing["numbers"], &failing["page"]["rows"][0][2]), (&json!([2]), &json!("212")));

    let error = world.fails(2, &["pipeline", "run", "customers"]).to_string();
    assert!(error.contains("`age` between 18 and 65") && error.contains("version 2"), "{error}");
    assert_eq!(world.ok(&["run", "list"])["total"], 0, "nothing was started");

    let wrong = world.file("wrong.toml", "format = 1\n[[check]]\nkind = \"rnage\"\n");
    let error =
        world.fails(2, &["dataset", "checks", "customers", "--set", testkit::text(&wrong)]).to_string();
    assert!(error.contains("line 3") && error.contains("did you mean `range`?"), "{error}");
}

#[test]
fn what_is_deleted_comes_back_until_the_trash_is_emptied() {
    let world = two_versions();
    let picked = world.ok(&["dataset", "delete", "customers", "-v", "1"]);
    assert_eq!(world.ok(&["dataset", "show", "customers"])["versions"].as_array().map(Vec::len), Some(1));
    let id = picked["id"].as_str().expect("an id");
    world.ok(&["trash", "restore", "version", id]);
    assert_eq!(world.ok(&["dataset", "show", "customers"])["versions"].as_array().map(Vec::len), Some(2));
    world.ok(&["dataset", "delete", "customers"]);
    assert_eq!(world.ok(&["trash", "list"]).as_array().map(Vec::len), Some(1));
    world.fails(2, &["dataset", "show", "customers"]);
    world.ok(&["trash", "empty"]);
    assert_eq!(world.ok(&["trash", "list"]), json!([]));
    assert_eq!(world.ok(&["workspace", "check", "--full"])["isClean"], true);
}

#[test]
fn a_version_and_an_answer_go_out_in_the_formats_that_others_read() {
    let world = two_versions();
    let out = |name: &str| world.path(name);
    for (format, begins) in [
        ("original", &b"id,email,age,plan\n1,"[..]),
        ("csv", b"id,email,age,plan\n1,"),
        ("parquet", b"PAR1"),
        ("arrow", b"ARROW1"),
    ] {
        let to = out(&format!("out.{format}"));
        world.ok(&["dataset", "export", "customers", "-o", testkit::text(&to), "--format", format]);
        assert!(std::fs::read(&to).expect("written").starts_with(begins), "{format}");
        world.fails(2, &["dataset", "export", "customers", "-o", testkit::text(&to)]);
    }
    let to = out("old.csv");
    let sql = "select plan, count(*) as n from customers group by plan order by plan";
    world.ok(&["dataset", "query", sql, "-o", testkit::text(&to)]);
    assert_eq!(std::fs::read_to_string(&to).expect("written"), "plan,n\nbasic,5\nplus,4\npro,1\n");
    let to = out("report.html");
    world.ok(&["dataset", "report", "customers", "-o", testkit::text(&to), "--compare-with", "1"]);
    let html = std::fs::read_to_string(&to).expect("written");
    assert!(html.len() < 300_000 && html.contains("What changed") && !html.contains("<script"));
}

#[test]
fn a_dataset_follows_a_file_that_another_program_replaces() {
    let world = World::new();
    let file = customers(&world, "customers.csv", |_| ());
    world.ok(&["dataset", "import", testkit::text(&file)]);
    let mut daemon = world.command(&["daemon", "start"]);
    let mut daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the daemon starts");
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("the daemon answers", &|| world.ok(&["daemon", "status"])["running"] == true);
    world.ok(&["dataset", "follow", "customers", testkit::text(&file)]);
    let follows = world.ok(&["call", "dataset.following"]);
    assert_eq!(follows[0]["mode"], "version");
    let other = customers(&world, "new.csv", |rows| rows[0][2] = "77".to_owned());
    std::fs::rename(&other, &file).expect("replaced");
    until("there is a second version", &|| world.ok(&["dataset", "show", "customers"])["version"] == 2);
    assert_eq!(world.ok(&["dataset", "diff", "customers", "1"])["changedCells"], 1);
    world.ok(&["daemon", "stop"]);
    daemon.wait().expect("it ends");
}
