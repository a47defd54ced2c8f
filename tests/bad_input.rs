//! What users do wrong: each gets a message that names the thing and the way out, and leaves
//! nothing half made.

mod testkit;

use testkit::World;

/// Imports bytes that must be refused, and gives back the message with its causes.
fn refused(world: &World, name: &str, bytes: &[u8]) -> String {
    let file = world.file(name, bytes);
    let error = world.fails(2, &["dataset", "import", testkit::text(&file)]);
    assert!(error["message"].as_str().is_some_and(|text| text.contains(name)), "{error}");
    assert!(error["hint"].is_string(), "there is a way out: {error}");
    assert_eq!(world.ok(&["dataset", "list"]), serde_json::json!([]));
    error.to_string()
}

#[test]
fn files_that_are_no_tables_are_refused_with_the_reason() {
    let world = World::new();
    assert!(refused(&world, "empty.csv", b"").contains("empty"));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01";
    assert!(refused(&world, "picture.csv", png).contains("PNG"));
    let ragged = "a,b\n1,2\n1,2,3\n1,2,3,4\n1\n1,2,3\n";
    assert!(refused(&world, "ragged.csv", ragged.as_bytes()).contains("cells"));
}

#[test]
fn odd_files_that_are_tables_are_read_and_say_what_was_done() {
    let world = World::new();
    let latin = world.file("latin.csv", b"name;gr\xf6\xdfe\nJ\xfcrgen;1,5\nAnn;2,5\n");
    let imported = world.ok(&["dataset", "import", testkit::text(&latin)]);
    assert_eq!(imported["rows"], 2);
    let shown = world.ok(&["dataset", "show", "latin"]);
    assert_eq!(shown["columns"][1], serde_json::json!({ "name": "größe", "kind": "number" }));
    let twice = world.file("twice.csv", "x,x\n1,2\n3,4\n");
    let imported = world.ok(&["dataset", "import", testkit::text(&twice)]);
    assert!(imported["warnings"].to_string().contains("x_2"), "{imported}");
    let bare = world.file("bare.csv", "1,2.5\n3,4.5\n5,6.5\n");
    world.ok(&["dataset", "import", testkit::text(&bare)]);
    assert_eq!(world.ok(&["dataset", "show", "bare"])["columns"][0]["name"], "column_1");
}

#[test]
fn a_target_with_one_class_is_refused() {
    let world = World::new();
    let file = world.file("one.csv", "x,y\n1,a\n2,a\n3,a\n");
    world.ok(&["dataset", "import", testkit::text(&file)]);
    let error = world.fails(2, &["dataset", "target", "one", "y"]);
    assert!(
        error["message"].as_str().is_some_and(|text| text.contains("`y`") && text.contains("only `a`")),
        "{error}"
    );
}

#[test]
fn a_pipeline_that_cannot_run_says_where_and_why() {
    let world = World::new();
    let file = world.file("t.csv", "age,y\n1,a\n2,b\n3,a\n4,b\n");
    world.ok(&["dataset", "import", testkit::text(&file), "--target", "y"]);
    let head =
        "format = 1\nname = \"t\"\n[[step]]\nid = \"d\"\nkind = \"dataset\"\nparams = { dataset = \"t\" }\n";
    let filter = "[[step]]\nid = \"f\"\nkind = \"filter\"\n";
    let missing = format!(
        "{head}{filter}params = {{ expression = \"agee > 1\" }}\ninputs = {{ table = \"d.table\" }}\n"
    );
    let path = world.file("missing.toml", missing);
    let error = world.fails(2, &["pipeline", "run", testkit::text(&path)]).to_string();
    assert!(
        error.contains("step `f`") && error.contains("agee") && error.contains("did you mean `age`?"),
        "{error}"
    );
    let circle = format!(
        "{head}{filter}params = {{ expression = \"age > 1\" }}\ninputs = {{ table = \"g.table\" }}\n\
         [[step]]\nid = \"g\"\nkind = \"filter\"\nparams = {{ expression = \"age > 1\" }}\ninputs = {{ table = \"f.table\" }}\n"
    );
    let path = world.file("circle.toml", circle);
    let error = world.fails(2, &["pipeline", "run", testkit::text(&path)]).to_string();
    assert!(error.contains("circle"), "{error}");
    assert_eq!(world.ok(&["run", "list"])["total"], 0, "nothing was started");
}

#[test]
fn a_failed_step_says_why_and_the_rest_goes_on() {
    let world = World::new();
    let file = world.file("t.csv", "age,y\n1,a\n2,b\n3,a\n4,b\n");
    world.ok(&["dataset", "import", testkit::text(&file), "--target", "y"]);
    let text = "format = 1\nname = \"t\"\n\
        [[step]]\nid = \"d\"\nkind = \"dataset\"\nparams = { dataset = \"t\" }\n\
        [[step]]\nid = \"none\"\nkind = \"filter\"\nparams = { expression = \"age > 100\" }\ninputs = { table = \"d.table\" }\n\
        [[step]]\nid = \"after\"\nkind = \"split\"\ninputs = { table = \"none.table\" }\n\
        [[step]]\nid = \"other\"\nkind = \"split\"\ninputs = { table = \"d.table\" }\n";
    let path = world.file("t.toml", text);
    let error = world.fails(3, &["pipeline", "run", testkit::text(&path)]);
    assert_eq!(error["message"], "step `none` failed");
    let run = world.ok(&["run", "show", "1"]);
    let states: Vec<_> = run["steps"].as_array().expect("steps").iter().map(|step| &step["state"]).collect();
    assert_eq!(states, ["done", "failed", "blocked", "done"]);
}

#[test]
fn a_busy_port_is_named_and_nothing_is_deployed() {
    let world = World::new();
    world.ok(&["demo", "--stop"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let words = ["-p", "demo", "deployment", "create", "penguins", "--name", "second", "--port", &port];
    let error = world.fails(7, &words);
    assert!(error["causes"].to_string().contains(&port), "{error}");
}
