//! What a pipeline file says beside its steps: skipped steps, frames, components, and the file itself:
//! where something is wrong in it, and as it was in a commit.

mod testkit;

use serde_json::Value;
use testkit::World;

const DATA: &str = "[[step]]\nid = \"penguins\"\nkind = \"dataset\"\nparams = { dataset = \"penguins\" }\n";
const TIDY: &str = r#"format = 2
name = "tidy"
[[input]]
name = "rows"
to = ["heavy.table"]
[[output]]
name = "rows"
from = "order.table"
[[step]]
id = "heavy"
kind = "filter"
params = { expression = "body_mass_g > 3000" }
[[step]]
id = "order"
kind = "sort"
params = { columns = ["body_mass_g"] }
inputs = { table = "heavy.table" }
"#;

fn world() -> World {
    let world = World::new();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    world
}

fn run(world: &World, name: &str, text: &str, more: &[&str]) -> Value {
    let file = world.file(&format!("{name}.toml"), text);
    let mut words = vec!["pipeline", "run", testkit::text(&file)];
    words.extend(more);
    world.ok(&words)
}

fn states(run: &Value) -> Vec<(String, String)> {
    let steps = run["steps"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = steps.map(|step| (text(&step["step"]), text(&step["state"]))).collect();
    all.sort();
    all
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(step, state)| ((*step).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn a_skipped_step_is_skipped_from_the_command_line_too_and_the_rest_stays_cached() {
    let world = world();
    let pipeline = |skip: &str| {
        format!(
            "format = 2\nname = \"p\"\n{DATA}[[step]]\nid = \"heavy\"\nkind = \"filter\"\n{skip}\
             params = {{ expression = \"true\" }}\ninputs = {{ table = \"penguins.table\" }}\n\
             [[step]]\nid = \"order\"\nkind = \"sort\"\nparams = {{ columns = [\"body_mass_g\"] }}\n\
             inputs = {{ table = \"heavy.table\" }}\n"
        )
    };
    run(&world, "p", &pipeline(""), &[]);
    let skipped = run(&world, "p", &pipeline("skip = true\n"), &[]);
    assert_eq!(states(&skipped).len(), 2, "{skipped}");
    let plan = world.ok(&["call", "pipeline.plan", r#"{"pipeline":"p"}"#]);
    let last = plan["steps"].as_array().and_then(|steps| steps.last()).cloned().unwrap_or_default();
    assert_eq!((&last["step"], &last["action"]), (&"heavy".into(), &"skipped".into()));
    assert_eq!((&plan["cached"], &plan["toRun"]), (&2.into(), &0.into()));
    // Taken in again, all of it is still there.
    let back = run(&world, "p", &pipeline(""), &[]);
    assert_eq!(back["summary"]["cached"], 3, "{back}");
    world.fails(2, &["pipeline", "run", "p", "--to", "nobody"]);
}

#[test]
fn a_step_that_cannot_do_without_a_skipped_one_is_refused_with_the_way_out() {
    let world = world();
    let text = format!(
        "format = 2\nname = \"p\"\n{DATA}[[step]]\nid = \"split\"\nkind = \"split\"\ninputs = {{ table = \"penguins.table\" }}\n\
         [[step]]\nid = \"forest\"\nkind = \"train_forest\"\nskip = true\ninputs = {{ table = \"split.table\" }}\n\
         [[step]]\nid = \"judge\"\nkind = \"evaluate\"\ninputs = {{ model = \"forest.model\", table = \"split.table\" }}\n"
    );
    let file = world.file("p.toml", text);
    let failure = world.fails(2, &["pipeline", "run", testkit::text(&file)]);
    assert!(failure.to_string().contains("which is skipped and passes no model on"), "{failure}");
}

#[test]
fn a_component_runs_as_its_steps_which_are_cached_like_any_other() {
    let world = world();
    let tidy = world.file("tidy.toml", TIDY);
    let shown = world.ok(&["call", "pipeline.parse", &format!("{{\"text\":{}}}", Value::from(TIDY))]);
    assert_eq!(shown["problems"][0]["isWarning"], true, "{shown}");
    world.ok(&["pipeline", "validate", testkit::text(&tidy)]);
    let uses = |name: &str| {
        format!(
            "format = 1\nname = \"{name}\"\n{DATA}[[step]]\nid = \"clean\"\nkind = \"component\"\n\
             params = {{ pipeline = \"tidy\" }}\ninputs = {{ rows = \"penguins.table\" }}\n\
             [[step]]\nid = \"first\"\nkind = \"sample\"\nparams = {{ rows = 10 }}\ninputs = {{ table = \"clean.rows\" }}\n"
        )
    };
    let one = run(&world, "one", &uses("one"), &[]);
    assert_eq!(
        states(&one),
        owned(&[("clean__heavy", "done"), ("clean__order", "done"), ("first", "done"), ("penguins", "done")])
    );
    let two = run(&world, "two", &uses("two"), &[]);
    assert_eq!(two["summary"]["cached"], 4, "{two}");
    let to = run(&world, "one", &uses("one"), &["--to", "clean"]);
    assert_eq!(states(&to).len(), 3, "{to}");
    let seen = world.ok(&["call", "pipeline.validate", r#"{"pipeline":"one"}"#]);
    assert_eq!(seen["ports"]["clean"]["inputs"][0]["name"], "rows");
    assert!(seen["columns"]["clean.rows"].as_array().is_some_and(|columns| columns.len() > 3), "{seen}");
    // A change to the component is a change to what uses it, and a run keeps what it ran.
    world.file("tidy.toml", TIDY.replace("> 3000", "> 4000"));
    world.ok(&["pipeline", "validate", testkit::text(&tidy)]);
    let again = world.ok(&["pipeline", "run", "one"]);
    assert_eq!(again["summary"]["cached"], 1, "{again}");
    world.ok(&["run", "reproduce", "1"]);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line_and_a_way_out() {
    let world = world();
    let text = format!("format = 1\nname = \"p\"\n{DATA}[[step]]\nid = \"f\"\nkind = \"fliter\"\n");
    let found = world.ok(&["call", "pipeline.parse", &format!("{{\"text\":{}}}", Value::from(text))]);
    let problem = &found["problems"][0];
    assert_eq!((&problem["line"], &problem["step"]), (&7.into(), &"f".into()), "{found}");
    let fix = &problem["fixes"][0];
    assert_eq!(
        (&fix["label"], &fix["type"], &fix["kind"]),
        (&"Use filter".into(), &"set_kind".into(), &"filter".into())
    );
    let broken = world.file("broken.toml", "format = 1\nname = \"p\"\nstep = [\n");
    assert_eq!(world.call(&["pipeline", "validate", testkit::text(&broken)]).code, Some(2));
}

#[test]
fn a_pipeline_is_found_as_it_was_in_each_commit() {
    let world = world();
    let text = |by: &str| {
        format!(
            "format = 1\nname = \"p\"\n{DATA}[[step]]\nid = \"s\"\nkind = \"sort\"\nparams = {{ columns = [\"{by}\"] }}\ninputs = {{ table = \"penguins.table\" }}\n"
        )
    };
    for by in ["year", "sex"] {
        let file = world.file("p.toml", text(by));
        world.ok(&["pipeline", "validate", testkit::text(&file)]);
        world.ok(&["pipeline", "commit", "p", "--message", by]);
    }
    let log = world.ok(&["pipeline", "log", "p"]);
    let messages: Vec<&str> =
        log.as_array().into_iter().flatten().filter_map(|commit| commit["message"].as_str()).collect();
    assert_eq!(messages, ["sex", "year"]);
    let first = log[1]["id"].as_str().expect("an id");
    let then = world.ok(&["pipeline", "show", "p", "--at", first]);
    assert_eq!(then["doc"]["steps"][1]["params"]["columns"][0], "year");
    assert_eq!(then["commit"]["message"], "year");
    let last = world.ok(&["call", "pipeline.at", r#"{"pipeline":"p"}"#]);
    assert_eq!(last["doc"]["steps"][1]["params"]["columns"][0], "sex");
    world.fails(2, &["pipeline", "show", "p", "--at", "0123456789"]);
}
