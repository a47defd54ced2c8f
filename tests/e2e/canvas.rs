//! The canvas in the real window: the same pipeline of ten steps by the keyboard alone and by the pointer,
//! and the form of every step kind.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::App;

const ENTER: &str = "\u{E007}";
const SHIFT: &str = "\u{E008}";
const CONTROL: &str = "\u{E009}";
const DOWN: &str = "\u{E015}";

/// An editor of one pipeline, and what the workspace holds of it.
struct Desk<'a> {
    app: &'a App,
    pipeline: &'static str,
}

impl<'a> Desk<'a> {
    /// Opens an empty pipeline beside the sample's data.
    fn open(app: &'a App, pipeline: &'static str) -> Self {
        app.await_daemon();
        app.session().resize(1280, 800);
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv");
        app.finish("dataset.import", json!({ "path": sample }));
        ask(app, "dataset.set_target", json!({ "dataset": "penguins", "target": "species" }));
        let desk = Self { app, pipeline };
        desk.turn_to(pipeline);
        desk
    }

    /// Makes another empty pipeline and goes there.
    fn turn_to(&self, pipeline: &str) {
        ask(self.app, "pipeline.new", json!({ "name": pipeline }));
        self.app
            .session()
            .script("location.hash = '#/pipelines/' + arguments[0]", &[json!(pipeline)])
            .expect("there");
        self.app.wait_for_text("editor-name", pipeline);
        self.app.find("canvas-empty");
    }

    fn show(&self) -> Value {
        ask(self.app, "pipeline.show", json!({ "pipeline": self.pipeline }))
    }

    fn text(&self) -> String {
        self.show()["text"].as_str().expect("a pipeline has a text").to_owned()
    }

    /// Wires as `from.port > to.port`, in the order of the file.
    fn wires(&self) -> Vec<String> {
        let doc = &self.show()["doc"];
        let steps = doc["steps"].as_array().expect("there are steps");
        let mut wires = Vec::new();
        for step in steps {
            for (port, sources) in step["inputs"].as_object().expect("inputs are by port") {
                for from in sources.as_array().expect("an input has sources") {
                    wires.push(format!(
                        "{} > {}.{port}",
                        from.as_str().unwrap_or_default(),
                        step["id"].as_str().unwrap_or_default()
                    ));
                }
            }
        }
        wires
    }

    fn await_steps(&self, count: usize) {
        self.app.wait_until(&format!("the file has {count} steps"), || {
            (self.show()["doc"]["steps"].as_array()?.len() == count).then_some(())
        });
    }

    fn await_wire(&self, wire: &str) {
        self.app.wait_until(&format!("there is the wire {wire}"), || {
            self.wires().iter().any(|one| one == wire).then_some(())
        });
    }

    /// What is wrong with the pipeline as it is saved.
    fn problems(&self) -> Value {
        let doc = self.show()["doc"].take();
        ask(self.app, "pipeline.validate", json!({ "pipeline": self.pipeline, "doc": doc }))["problems"]
            .take()
    }

    /// Adds a step after the selected one, by the keyboard.
    fn add(&self, kind: &str, steps: usize) {
        self.app.press(&[" "]);
        self.app.find("quick-palette");
        self.app.type_text(kind);
        self.choose(kind);
        self.await_steps(steps);
    }

    /// Goes down the open list of kinds to this one and takes it.
    fn choose(&self, kind: &str) {
        const ACTIVE: &str =
            "return document.querySelector('#quick-kinds [aria-selected=true]')?.dataset.testid ?? ''";
        let wanted = json!(format!("kind-{kind}"));
        self.app.wait_until(&format!("`{kind}` is chosen"), || {
            let is_active = self.app.script(ACTIVE).expect("the list is there") == wanted;
            if !is_active {
                self.app.press(&[DOWN]);
            }
            is_active.then_some(())
        });
        self.app.press(&[ENTER]);
        self.app.wait_until("the list is closed", || (!self.app.is_there("quick-palette")).then_some(()));
    }

    /// Selects a step by its name, by the keyboard.
    fn select(&self, step: &str) {
        self.pick("f", step);
    }

    /// Draws a wire from the selected step to the port that is named.
    fn connect(&self, words: &str, wire: &str) {
        self.app.press(&["w"]);
        self.take(words);
        self.await_wire(wire);
    }

    fn pick(&self, key: &str, words: &str) {
        self.app.press(&[CONTROL, key]);
        self.take(words);
    }

    fn take(&self, words: &str) {
        self.app.find("chooser");
        self.app.type_text(words);
        self.app.press(&[ENTER]);
        self.app.wait_until("the list is closed", || (!self.app.is_there("chooser")).then_some(()));
    }

    /// The middle of a port, in pixels of the window.
    fn port(&self, step: &str, side: &str, port: &str) -> (i32, i32) {
        self.app.middle(&format!(
            "[data-id={step}] .svelte-flow__handle.{side}{}",
            if port.is_empty() { String::new() } else { format!("[data-handleid={port}]") }
        ))
    }

    /// Drags a kind from the list at the left to a place of the canvas.
    fn carry(&self, kind: &str, to: (i32, i32), steps: usize) {
        let entry = format!("[data-testid=palette] [data-testid=kind-{kind}]");
        self.app.drag(self.app.middle(&entry), to);
        self.await_steps(steps);
    }

    fn draw(&self, from: (i32, i32), to: (i32, i32), wire: &str) {
        self.app.drag(from, to);
        self.await_wire(wire);
    }

    /// Undoes all there is until nothing is left, does it again, and has the same file.
    fn undo_and_redo(&self) {
        let made = self.text();
        let mut changes = 0;
        while self.app.script(IS_EMPTY).expect("read") != json!(true) {
            self.app.press(&[CONTROL, "z"]);
            changes += 1;
            assert!(changes < 100, "undo never ends");
        }
        self.await_steps(0);
        (0..changes).for_each(|_| self.app.press(&[CONTROL, SHIFT, "z"]));
        self.app.wait_until("the file is as it was", || (self.text() == made).then_some(()));
    }
}

/// True once nothing stands on the canvas.
const IS_EMPTY: &str = "return document.querySelector('[data-testid=canvas-empty]') !== null";

fn ask(app: &App, command: &str, request: Value) -> Value {
    app.rpc(command, request).unwrap_or_else(|error| panic!("{command}: {error}"))
}

#[test]
fn ten_steps_are_built_undone_and_run_by_the_keyboard_alone() {
    let app = App::start();
    let desk = Desk::open(&app, "keys");
    desk.add("dataset", 1);
    app.tab_into("param-dataset");
    app.press(&["p"]);
    app.wait_until("the dataset is chosen", || {
        (desk.show()["doc"]["steps"][0]["params"]["dataset"] == "penguins").then_some(())
    });
    desk.select("dataset");
    for (at, kind) in ["split", "impute", "encode", "train_linear", "evaluate"].iter().enumerate() {
        desk.add(kind, at + 2);
    }
    desk.connect("encode.table", "encode.table > evaluate.table");
    desk.select("encode");
    for (at, kind) in ["train_boosting", "evaluate"].iter().enumerate() {
        desk.add(kind, at + 7);
    }
    desk.connect("encode.table", "encode.table > evaluate_2.table");
    desk.add("compare", 9);
    desk.await_wire("evaluate_2.model > compare.models");
    desk.connect("evaluate.model models", "evaluate.model > compare.models");
    desk.add("register", 10);
    desk.await_wire("compare.best > register.model");
    app.tab_into("param-model");
    app.type_text("species");
    desk.select("register");
    desk.connect("compare.metrics", "compare.metrics > register.checks");
    assert_eq!(desk.problems(), json!([]), "{}", desk.text());

    desk.undo_and_redo();
    app.press(&[CONTROL, ENTER]);
    app.wait_until("the pipeline has run", || {
        let run = &ask(&app, "run.list", json!({}))["runs"][0];
        assert_ne!(run["state"], "failed", "{run}");
        (run["state"] == "done").then_some(())
    });
    assert_eq!(app.pointer_actions(), 0, "the keyboard alone");
}

#[test]
fn ten_steps_are_drawn_with_the_pointer_and_a_wrong_wire_says_why() {
    let app = App::start();
    let desk = Desk::open(&app, "hand");
    app.click("canvas-palette");
    app.find("palette");
    app.click("canvas-zoom-out");
    desk.carry("dataset", (340, 200), 1);
    // A wire that ends on nothing asks what shall take it.
    app.drag(desk.port("dataset", "source", ""), (540, 200));
    app.find("quick-palette");
    app.click_on("[data-testid=quick-palette] [data-testid=kind-split]");
    desk.await_wire("dataset.table > split.table");
    desk.carry("encode", (340, 420), 3);
    desk.draw(
        desk.port("split", "source", "table"),
        desk.port("encode", "target", "table"),
        "split.table > encode.table",
    );
    // Dropped on a wire, a step goes into it.
    let (from, to) = (desk.port("split", "source", "table"), desk.port("encode", "target", "table"));
    desk.carry("scale", ((from.0 + to.0) / 2, (from.1 + to.1) / 2), 4);
    desk.await_wire("split.table > scale.table");
    desk.await_wire("scale.table > encode.table");
    for (at, trainer) in ["train_linear", "train_boosting"].iter().enumerate() {
        let (y, judge) = (380 + 100 * i32::try_from(at).expect("few"), ["evaluate", "evaluate_2"][at]);
        desk.carry(trainer, (520, y), 5 + 2 * at);
        desk.draw(
            desk.port("encode", "source", "table"),
            desk.port(trainer, "target", "table"),
            &format!("encode.table > {trainer}.table"),
        );
        desk.carry("evaluate", (700, y), 6 + 2 * at);
        desk.draw(
            desk.port(trainer, "source", "model"),
            desk.port(judge, "target", "model"),
            &format!("{trainer}.model > {judge}.model"),
        );
        desk.draw(
            desk.port("encode", "source", "table"),
            desk.port(judge, "target", "table"),
            &format!("encode.table > {judge}.table"),
        );
    }
    desk.carry("compare", (880, 430), 9);
    for judge in ["evaluate", "evaluate_2"] {
        desk.draw(
            desk.port(judge, "source", "model"),
            desk.port("compare", "target", "models"),
            &format!("{judge}.model > compare.models"),
        );
    }
    desk.carry("register", (880, 560), 10);
    desk.draw(
        desk.port("compare", "source", "best"),
        desk.port("register", "target", "model"),
        "compare.best > register.model",
    );

    let before = desk.wires();
    app.pull(desk.port("train_linear", "source", "model"), desk.port("encode", "target", "table"));
    let reason = app.text("wire-hint");
    assert!(reason.contains("model") && reason.contains("table"), "{reason}");
    app.let_go();
    app.wait_until("the hint is gone", || (!app.is_there("wire-hint")).then_some(()));
    assert_eq!(desk.wires(), before, "a refused wire changes nothing");
    desk.undo_and_redo();

    app.press(&[CONTROL, "a"]);
    app.press(&[CONTROL, "c"]);
    let (steps, wires) = (10, desk.wires());
    let other = Desk { app: &app, pipeline: "copy" };
    other.turn_to("copy");
    app.press(&[CONTROL, "v"]);
    other.await_steps(steps);
    assert_eq!(other.wires(), wires, "wires among the copies are kept");
}

/// Fields of the form, and what the page says of a number that is none.
const FORM: &str = "const fields = Object.keys(arguments[0]);
    const shown = name => document.querySelector(`[data-testid=\"param-${name}\"]`);
    return { title: document.querySelector('[data-testid=step-inspector] h2')?.innerText ?? '',
             missing: fields.filter(name => shown(name) === null) }";

#[test]
fn the_form_of_every_step_kind_opens_and_refuses_what_means_nothing() {
    let app = App::start();
    let desk = Desk::open(&app, "forms");
    let kinds = ask(&app, "pipeline.kinds", json!({}));
    let kinds = kinds.as_array().expect("kinds are a list");
    let steps: Vec<Value> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| {
            json!({ "id": format!("s_{}", kind["kind"].as_str().unwrap_or_default()), "kind": kind["kind"],
                    "position": [(at % 6) * 240, at / 6 * 120], "params": {}, "inputs": {} })
        })
        .collect();
    ask(&app, "pipeline.save", json!({ "pipeline": "forms", "doc": { "name": "forms", "steps": steps } }));
    desk.await_steps(kinds.len());
    for kind in kinds {
        let name = kind["kind"].as_str().expect("a kind has a name");
        let properties = kind["params"]["properties"].clone();
        let address = format!("location.hash = '#/pipelines/forms?step=s_{name}'");
        app.script(&address).expect("the step is selected");
        app.wait_until(&format!("the form of `{name}` is open"), || {
            let form = app
                .session()
                .script(FORM, &[if properties.is_null() { json!({}) } else { properties.clone() }])
                .ok()?;
            (form["title"] == kind["title"] && form["missing"] == json!([])).then_some(())
        });
        let number = properties.as_object().and_then(|fields| {
            fields.iter().find(|(_, field)| ["integer", "number"].iter().any(|of| field["type"] == *of))
        });
        if let Some((field, _)) = number {
            let input = format!("[data-testid=\"param-{field}\"] input");
            let input = app.session().find(&input).expect("a number is typed");
            app.session().type_keys(&input, "many").expect("typed");
            let problem = app.text(&format!("problem-{field}"));
            assert!(problem.contains("number"), "{name}.{field}: {problem}");
        }
    }
}
