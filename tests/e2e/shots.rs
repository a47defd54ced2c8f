//! Pictures of every screen: light and dark, large and small, full and empty, with what opens over
//! them.

mod states;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{App, Setup, picture_folder};

const THEMES: [&str; 2] = ["light", "dark"];
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];
/// The screens of a workspace with nothing in it.
const EMPTY: [&str; 11] = [
    "home",
    "data",
    "pipelines",
    "pipelines?new",
    "pipelines?import",
    "sweeps",
    "triggers",
    "runs",
    "models",
    "deployments",
    "monitor",
];
/// What a key opens over a screen.
const OVERLAYS: [(&str, &[&str]); 2] = [("palette", &["\u{E009}", "k"]), ("shortcuts", &["?"])];
/// What can be seen of a dataset with two versions, checks that fail and something in the trash: a name,
/// an address, and what is clicked there, if anything.
const DATA: [(&str, &str, &str); 10] = [
    ("together", "data/customers?tab=columns", ""),
    ("changes", "data/customers?tab=changes&from=1&to=2", ""),
    ("changes-removed", "data/customers?tab=changes&from=1&to=2", "changes-tab-removed"),
    ("changes-moved", "data/customers?tab=changes&from=1&to=2", "changes-tab-moved"),
    ("quality", "data/customers?tab=quality", ""),
    ("quality-failing", "data/customers?tab=quality", "failing-1"),
    ("quality-none", "data/penguins?tab=quality", ""),
    ("versions", "data/customers?sheet=versions", ""),
    ("filtered", "data/customers?where=age%20%3E%2099&order=age%20desc", ""),
    ("trash", "settings?tab=trash", ""),
];

/// What stands between a version and its use: a name, the parameters of the address, and what is clicked.
const JUDGED: [(&str, &str, &str); 10] = [
    ("tests", "tab=tests", ""),
    ("tests-editor", "tab=tests", "tests-edit"),
    ("explain", "tab=explain", "row-next"),
    ("explain-rows", "tab=explain", "matters-tab-added"),
    ("promotion-refused", "tab=promotion&alias=champion", ""),
    ("promotion", "tab=promotion&alias=challenger", ""),
    ("policy", "tab=promotion&alias=champion", "policy-edit"),
    ("card", "tab=card", ""),
    ("card-editor", "tab=card", "card-edit"),
    ("passport", "tab=passport", ""),
];

/// What can be seen of work that is repeated, searched and set off: as for [`DATA`].
const WORK: [(&str, &str, &str); 8] = [
    ("run-receipts", "runs/RUN?tab=receipts", ""),
    ("sweeps", "sweeps", ""),
    ("sweep", "sweeps/shots", ""),
    ("sweep-new", "sweeps?new=PIPELINE", ""),
    ("triggers", "triggers", ""),
    ("trigger-new", "triggers?new=PIPELINE", ""),
    ("trigger-new-folder", "triggers?new=PIPELINE", "cause-path"),
    ("pipeline-import", "pipelines?import", ""),
];

/// Where data comes from: a name, an address, and what is done there one after the other. A step is what is
/// clicked, `field=text` what is typed into a field, where `FOLDER` is one with tables in it, or `!` a press
/// of Enter.
const SOURCES: [(&str, &str, &[&str]); 10] = [
    ("import", "data", &["data-import"]),
    ("import-folder", "data", &["data-import", "import-from-folder"]),
    (
        "import-folder-look",
        "data",
        &[
            "data-import",
            "import-from-folder",
            "import-folder-path=FOLDER",
            "import-folder-look",
            "folder-only",
        ],
    ),
    (
        "import-address",
        "data",
        &["data-import", "import-from-address", "import-url=https://example.org/data.csv"],
    ),
    ("import-database", "data", &["data-import", "import-from-database"]),
    ("import-connection", "data", &["data-import", "import-from-database", "connection-add"]),
    ("fetched", "data/rates", &["data-more"]),
    ("files", "data/pets", &["thumb", "!"]),
    ("read-again", "data/customers?sheet=import", &[]),
    ("check-form", "data/penguins?tab=quality", &["quality-add", "check-kind-range"]),
];

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_screen() {
    let workspace = std::env::var_os("FETTLE_SHOTS_WORKSPACE").map(PathBuf::from);
    let app = App::start_with(Setup { workspace, ..Setup::default() });
    app.await_daemon();
    customers(&app);
    let (run, pipeline) = work(&app);
    let passport = judged(&app);
    let folder = sources(&app);
    let scripts = [
        scripted(&app, "resnet, second try", ("0.01", 0.13)),
        scripted(&app, "resnet, third try", ("0.001", 0.08)),
    ];
    let screens = screens(&app, &run, &scripts);
    each_face(&app, |face| {
        for (name, address) in &screens {
            show(&app, address);
            picture(&app, name, face);
        }
        for (name, address, click) in DATA {
            show(&app, address);
            if !click.is_empty() {
                app.click(click);
            }
            picture(&app, name, face);
        }
        for (name, address, click) in WORK {
            show(&app, &address.replace("RUN", &run).replace("PIPELINE", &pipeline));
            if !click.is_empty() {
                app.click(click);
            }
            picture(&app, name, face);
        }
        judging(&app, face, &passport);
        for (name, address, steps) in SOURCES {
            show(&app, "home");
            show(&app, address);
            steps.iter().for_each(|step| act(&app, step, &folder));
            picture(&app, name, face);
            // Sheets do not go with the page that they were opened from.
            app.press(&["\u{E00C}"]);
        }
        show(&app, "home");
        for (name, keys) in OVERLAYS {
            app.press(keys);
            picture(&app, name, face);
            app.press(&["\u{E00C}"]);
        }
    });
}

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_empty_screen() {
    let app = App::start();
    app.await_daemon();
    app.rpc("project.new", json!({ "name": "Empty" })).expect("a project");
    each_face(&app, |face| {
        for address in EMPTY {
            show(&app, address);
            picture(&app, &format!("empty-{}", address.replace('?', "-")), face);
        }
        show(&app, "runs/no-such-run");
        picture(&app, "error-run", face);
    });
}

/// Names of pictures, and the addresses of what the sample project holds.
fn screens(app: &App, run: &str, [before, script]: &[String; 2]) -> Vec<(&'static str, String)> {
    let ask =
        |command: &str| app.rpc(command, json!({})).unwrap_or_else(|error| panic!("{command}: {error}"));
    let name = |list: &Value| list[0]["name"].as_str().expect("the sample has one").to_owned();
    let dataset = "penguins";
    let pipeline = name(&ask("pipeline.list"));
    let model = name(&ask("model.list"));
    let endpoint = name(&ask("deployment.list"));
    let step = "boosting";
    let screens = [
        ("welcome", "welcome".to_owned()),
        ("home", "home".to_owned()),
        ("data", "data".to_owned()),
        ("dataset", format!("data/{dataset}")),
        ("dataset-column", format!("data/{dataset}?column=island")),
        ("dataset-columns", format!("data/{dataset}?tab=columns")),
        ("dataset-query", format!("data/{dataset}?tab=query")),
        ("dataset-import", format!("data/{dataset}?sheet=import")),
        ("pipelines", "pipelines".to_owned()),
        ("canvas", format!("pipelines/{pipeline}")),
        ("canvas-step", format!("pipelines/{pipeline}?step={step}")),
        ("outline", format!("pipelines/{pipeline}?view=outline")),
        ("file", format!("pipelines/{pipeline}?view=file")),
        ("runs", "runs".to_owned()),
        ("run", format!("runs/{run}")),
        ("run-models", format!("runs/{run}?tab=models")),
        ("run-params", format!("runs/{run}?tab=params")),
        ("run-figures", format!("runs/{run}?tab=figures")),
        ("run-log", format!("runs/{run}?tab=log")),
        ("run-environment", format!("runs/{run}?tab=environment")),
        ("compare", format!("runs/{run}/compare")),
        ("run-script", format!("runs/{script}")),
        ("run-system", format!("runs/{script}?tab=system")),
        ("compare-curves", format!("runs/compare?runs={before},{script}&tab=curves")),
        ("compare-values", format!("runs/compare?runs={before},{script}&tab=values")),
        ("compare-parallel", format!("runs/compare?runs={before},{script}&tab=parallel")),
        ("compare-scatter", format!("runs/compare?runs={before},{script}&tab=scatter")),
        ("compare-code", format!("runs/compare?runs={before},{script}&tab=code")),
        ("compare-files", format!("runs/compare?runs={before},{script}&tab=files")),
        ("models", "models".to_owned()),
        ("model", format!("models/{model}")),
        ("version", format!("models/{model}/1")),
        ("promote", format!("models/{model}/1?promote=production")),
        ("deployments", "deployments".to_owned()),
        ("deploy", format!("deployments?deploy={model}&version=1")),
        ("endpoint", format!("deployments/{endpoint}")),
        ("monitor", "monitor".to_owned()),
        ("monitor-page", format!("monitor/{endpoint}")),
        ("settings", "settings".to_owned()),
        ("audit", "audit".to_owned()),
    ];
    screens.into()
}

/// Logs a run as a script does: two curves that fall to an end, what the machine did, parameters, tags and
/// files. Gives its id.
fn scripted(app: &App, name: &str, (rate, end): (&str, f64)) -> String {
    let info = app.rpc("tracking.info", json!({})).expect("it is told");
    let (url, token) = (info["url"].as_str().expect("an address"), info["token"].as_str().expect("a token"));
    let post = |path: &str, body: Value| -> Value {
        let request = ureq::post(format!("{url}/api/2.0/mlflow/{path}"));
        let sent = request.header("Authorization", format!("Bearer {token}")).send_json(body);
        sent.and_then(|mut reply| reply.body_mut().read_json()).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let run = json!({ "experiment_id": "0", "run_name": name, "start_time": 1_790_000_000_000_u64, "user_id": "ada" });
    let run = post("runs/create", run)["run"]["info"]["run_id"].as_str().expect("an id").to_owned();
    let at = |step: u32, fall: f64, end: f64| end + (0.9 - end) * (-f64::from(step) / fall).exp();
    let point = |key: &str, value: f64, step: u32| json!({ "key": key, "value": value, "timestamp": 1_790_000_000_000_u64 + u64::from(step) * 10_000, "step": step });
    let metrics: Vec<Value> = (0..60)
        .flat_map(|step| {
            [
                point("loss", at(step, 9.0, end), step),
                point("val_loss", at(step, 12.0, 2.0 * end), step),
                point("system/cpu_utilization_percentage", 60.0 + f64::from(step * 7 % 11), step),
                point("system/system_memory_usage_megabytes", 400.0 + f64::from(step), step),
            ]
        })
        .collect();
    let pair = |key: &str, value: &str| json!({ "key": key, "value": value });
    let params = [pair("optimizer", "adam"), pair("lr", rate), pair("batch_size", "64")];
    let tags = [pair("team", "vision"), pair("mlflow.source.name", "train.py")];
    post("runs/log-batch", json!({ "run_id": run, "metrics": metrics, "params": params, "tags": tags }));
    let files = [
        ("report/classes.json", "{\"cat\": 0.94, \"dog\": 0.91}"),
        ("report/notes.md", "# Third try\n\nLonger warm-up."),
        ("model.pkl", "not opened"),
    ];
    for (path, text) in files {
        let to = format!("{url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}");
        let sent = ureq::put(to).header("Authorization", format!("Bearer {token}")).send(text);
        sent.unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    post("runs/update", json!({ "run_id": run, "status": "FINISHED", "end_time": 1_790_000_600_000_u64 }));
    run
}

/// Repeats the sample's last run, sweeps its pipeline and sets it off by triggers, unless an earlier walk
/// has. Gives the run and the pipeline.
fn work(app: &App) -> (String, String) {
    let ask =
        |command: &str| app.rpc(command, json!({})).unwrap_or_else(|error| panic!("{command}: {error}"));
    let pipeline = "penguins".to_owned();
    let runs = ask("run.list")["runs"].take();
    let ran = runs.as_array().and_then(|runs| runs.iter().find(|run| run["pipeline"] == pipeline));
    let run = ran.and_then(|run| run["id"].as_str()).expect("the sample has run").to_owned();
    if !ask("trigger.list").as_array().is_some_and(Vec::is_empty) {
        return (run, pipeline);
    }
    finish_slowly(app, "run.reproduce", json!({ "run": run }));
    let params = json!({ "boosting.learning_rate": "0.01..0.3:log", "boosting.leaves": "4..63:log", "boosting.l2": "0.0..10.0" });
    let spec = json!({ "pipeline": pipeline, "params": params, "metric": "log_loss", "trials": 16, "stop": "median" });
    finish_slowly(app, "sweep.start", json!({ "name": "shots", "spec": spec }));
    let trigger = |name: &str, rest: Value| {
        let mut request = json!({ "name": name, "pipeline": pipeline });
        request.as_object_mut().expect("it is one").extend(rest.as_object().expect("it is one").clone());
        app.rpc("trigger.add", request).unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    trigger("nightly", json!({ "schedule": "0 6 * * 1-5", "zone": "Europe/Berlin" }));
    trigger("new-penguins", json!({ "dataset": "penguins" }));
    trigger("incoming", json!({ "path": app.workspace(), "settleSeconds": 3600 }));
    app.rpc("trigger.pause", json!({ "trigger": "incoming" })).expect("it is paused");
    (run, pipeline)
}

/// Work that may take minutes where others build at the same time.
fn finish_slowly(app: &App, name: &str, payload: Value) {
    const MOST: Duration = Duration::from_secs(900);
    let started = app.rpc(name, payload).unwrap_or_else(|error| panic!("{name}: {error}"));
    let job = json!({ "jobId": started["jobId"] });
    let begun = Instant::now();
    while begun.elapsed() < MOST {
        let state = app.rpc("job.show", job.clone()).expect("the job is known");
        assert!(state["error"].is_null(), "{name}: {state}");
        if state["state"] == "done" {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("`{name}` takes longer than {MOST:?}");
}

/// Makes the dataset `customers` unless an earlier walk has.
fn customers(app: &App) {
    let there = app.rpc("dataset.list", json!({})).expect("a list");
    if there.as_array().is_some_and(|list| list.iter().any(|one| one["name"] == "customers")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("customers.csv");
    let import = |changed: bool| {
        std::fs::write(&file, customer_rows(changed)).expect("the file is written");
        app.finish("dataset.import", json!({ "path": file }));
    };
    import(false);
    let checks = "format = 1\n[[check]]\nkind = \"not_null\"\ncolumn = \"email\"\n\
        [[check]]\nkind = \"range\"\ncolumn = \"age\"\nmin = 18\nmax = 99\n\
        [[check]]\nkind = \"row_count\"\nmin = 150\nseverity = \"warn\"\n";
    app.rpc("dataset.set_checks", json!({ "dataset": "customers", "text": checks })).expect("checks are set");
    import(true);
    app.rpc("dataset.tag", json!({ "dataset": "customers", "version": 1, "tag": "clean" })).expect("a tag");
    std::fs::write(&file, "id,note\n1,thrown away\n").expect("the file is written");
    app.finish("dataset.import", json!({ "path": file, "name": "scratch" }));
    app.rpc("dataset.delete", json!({ "dataset": "scratch" })).expect("it is in the trash");
}

/// Gives the sample's model tests that ran, a card with a number that is no longer true, a policy that
/// refuses one alias, and an approval. Gives back where its passport lies.
fn judged(app: &App) -> PathBuf {
    let ask = |command: &str, request: Value| {
        app.rpc(command, request).unwrap_or_else(|error| panic!("{command}: {error}"))
    };
    let pick = json!({ "model": "penguins", "version": "1" });
    let suggested = ask("model.tests", pick.clone())["suggested"].as_str().expect("a text").to_owned();
    let strict = "\n[[test]]\nkind = \"slices\"\nmetric = \"accuracy\"\nmax_drop = 0.0\nmin_rows = 5\n\
        severity = \"warn\"\nname = \"no island is left behind\"\n\
        \n[[test]]\nkind = \"metric\"\nmetric = \"accuracy\"\nat_least = 1.0\n";
    ask("model.set_tests", json!({ "model": "penguins", "text": suggested + strict }));
    app.finish("model.test", pick.clone());
    let draft = ask("model.card", pick.clone())["draft"].as_str().expect("a text").to_owned();
    let card = draft.replace("{{data.rows = 344}}", "{{data.rows = 333}}").replace(
        "## Intended use\n",
        "## Intended use\nTelling penguins of three islands apart, for teaching.\n",
    );
    ask("model.set_card", json!({ "model": "penguins", "text": card }));
    // The key goes with this walk; whoever signed in an earlier one had another.
    let signed = ask("model.approvals", pick.clone()).to_string();
    let person =
        ["ann", "bob", "carla", "dan"].into_iter().find(|name| !signed.contains(name)).unwrap_or("eve");
    let key = ask("identity.new", json!({ "person": person }))["key"].as_str().expect("a key").to_owned();
    let policy = format!(
        "format = 1\n\n[people]\n{person} = \"{key}\"\n\n[alias.champion]\ntests = true\napprovals = 1\n\
         card = [\"intended_use\", \"limits\"]\nfresh_card = true\n\n[alias.challenger]\napprovals = 1\n"
    );
    ask("policy.set", json!({ "text": policy }));
    ask(
        "model.approve",
        json!({ "model": "penguins", "version": "1", "note": "Looked at the worst group." }),
    );
    let passport = app.scratch().join("penguins-v1.passport");
    let mut request = pick;
    request["to"] = json!(passport);
    app.finish("model.passport", request);
    passport
}

/// Walks through [`JUDGED`], and looks at a passport.
fn judging(app: &App, face: &str, passport: &Path) {
    for (name, tab, click) in JUDGED {
        // Another screen in between, so that nothing that was open stays so.
        show(app, "models");
        show(app, &format!("models/penguins/1?{tab}"));
        if !click.is_empty() {
            app.click_on(&format!("[data-testid='{click}']"));
        }
        picture(app, name, face);
    }
    app.type_into("passport-path", &passport.to_string_lossy());
    app.click("passport-verify");
    app.find("passport-found");
    picture(app, "passport-found", face);
}

/// Makes what came from a folder, an address and a connection, unless an earlier walk has, and a folder of
/// tables.
fn sources(app: &App) -> String {
    let parts = app.scratch().join("parts");
    for (year, rows) in [("2025", "id,total\n1,9.50\n2,12.00\n"), ("2026", "id,total\n3,7.25\n4,x,1\n")] {
        write(&parts.join(format!("year={year}/orders.csv")), rows.as_bytes());
    }
    let there = app.rpc("dataset.list", json!({})).expect("a list");
    if !there.as_array().is_some_and(|list| list.iter().any(|one| one["name"] == "pets")) {
        let pets = app.scratch().join("pets");
        for at in 0..24 {
            let label = ["cat", "dog", "eel"][at % 3];
            write(&pets.join(format!("{label}/{at:03}.svg")), drawing(at).as_bytes());
        }
        write(&pets.join("notes.txt"), b"who is who\n");
        app.finish("dataset.import", json!({ "path": pets, "folder": { "asFiles": true } }));
        app.finish(
            "dataset.fetch",
            json!({ "url": format!("{}/rates.csv", served("day,rate\n1,1.1\n2,1.2\n")) }),
        );
        let shop = json!({
            "name": "shop", "kind": "postgres", "host": "db.example.org", "database": "shop", "user": "reader",
        });
        app.rpc("connection.add", shop).expect("a connection");
    }
    parts.to_string_lossy().into_owned()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("the folder is made");
    std::fs::write(path, bytes).expect("the file is written");
}

/// A picture that looks like no other.
fn drawing(at: usize) -> String {
    let (hue, radius) = (at * 47 % 360, 90 + at % 5 * 20);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"480\"><rect width=\"640\" \
         height=\"480\" fill=\"hsl({hue} 45% 55%)\"/><circle cx=\"320\" cy=\"240\" r=\"{radius}\" \
         fill=\"hsl({hue} 60% 80%)\"/></svg>"
    )
}

/// The address of a server on this computer that answers everything with this text, as long as the walk
/// lasts.
fn served(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The request ends with an empty line; what it says does not matter.
            let mut request = BufReader::new(&stream).lines();
            while request.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
            stream.write_all(format!("{head}{text}").as_bytes()).ok();
        }
    });
    address
}

fn act(app: &App, step: &str, folder: &str) {
    match step.split_once('=') {
        Some((field, text)) => app.type_into(field, &text.replace("FOLDER", folder)),
        None if step == "!" => app.press(&["\u{E007}"]),
        None => app.click(step),
    }
}

/// Two hundred customers; in the changed ones some are older than people get, three are gone, two are
/// new and many have moved to another plan.
fn customer_rows(changed: bool) -> String {
    let plans = ["basic", "plus", "pro"];
    let mut text = "id,email,city,age,spent,plan\n".to_owned();
    let last = if changed { 202 } else { 200 };
    for id in (1..=last).filter(|id| !changed || id % 67 != 0) {
        let age = if changed && id % 40 == 0 { 300 + id } else { 18 + id * 7 % 60 };
        let plan = plans[if changed && id % 3 == 0 { 2 } else { id % 2 }];
        let city = ["Aachen", "Bergen", "Cork", "Delft"][id * 5 % 4];
        let spent = id * 37 % 1000;
        text.push_str(&format!("{id},user{id}@example.org,{city},{age},{spent}.50,{plan}\n"));
    }
    text
}

fn each_face(app: &App, draw: impl Fn(&str)) {
    const DRESS: &str = "document.documentElement.dataset.theme = arguments[0]";
    for (width, height) in SIZES {
        app.session().resize(width, height);
        for theme in THEMES {
            app.session().script(DRESS, &[json!(theme)]).expect("the theme is set");
            draw(&format!("{theme}-{width}x{height}"));
        }
    }
}

fn show(app: &App, address: &str) {
    const GO: &str = "location.hash = '#/' + arguments[0]";
    app.session().script(GO, &[json!(address)]).expect("the page goes there");
}

fn picture(app: &App, name: &str, face: &str) {
    // A screen that still waits after five seconds is a picture worth seeing too.
    const DRAWN: &str = "const done = arguments[0], late = Date.now() + 5000;
        const settled = () => document.querySelector('[aria-busy=true]') && Date.now() < late
          ? setTimeout(settled, 50)
          : requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
        setTimeout(settled, 250)";
    app.session().script_async(DRAWN, &[]).expect("the screen is drawn");
    app.screenshot(&picture_folder().join(format!("{name}-{face}.png")));
}
