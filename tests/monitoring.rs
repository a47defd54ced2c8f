//! What happens to a deployment after it serves: true answers arrive, quality is judged by them.

mod testkit;

use serde_json::{Value, json};
use testkit::{World, text};

/// The header of the sample and its birds in an order without pattern.
fn birds() -> (String, Vec<String>) {
    let sample = std::fs::read_to_string(testkit::penguins()).expect("the sample is there");
    let (head, birds) = sample.split_once('\n').expect("it has a header");
    let birds: Vec<&str> = birds.lines().collect();
    let mixed = (0..birds.len()).map(|at| birds[at * 149 % birds.len()].to_owned());
    (head.to_owned(), mixed.collect())
}

/// The same birds, each said to be of another species.
fn renamed(birds: &[String]) -> Vec<String> {
    let other = |bird: &String| {
        bird.split(',')
            .map(|field| match field {
                "Adelie" => "Gentoo",
                "Gentoo" => "Chinstrap",
                "Chinstrap" => "Adelie",
                other => other,
            })
            .collect::<Vec<_>>()
            .join(",")
    };
    birds.iter().map(other).collect()
}

fn file(world: &World, name: &str, head: &str, lines: &[String]) -> String {
    text(&world.file(name, format!("{head}\n{}\n", lines.join("\n")))).to_owned()
}

#[test]
fn quality_is_estimated_first_and_measured_once_true_answers_come_by_any_way() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.call(&[&["-p", "demo", "monitor"], args].concat());
    let (head, birds) = birds();
    let truth = file(&world, "truth.csv", &head, &birds);
    monitor(&["replay", "penguins", &truth]);

    let early = monitor(&["performance", "penguins", "--rows", "100"]);
    assert_eq!((early.code, &early.reply["labelled"]), (Some(0), &json!(0)), "{}", early.said);
    let estimated = early.reply["estimated"]["value"].as_f64().expect("it is estimated before labels come");
    assert!((0.9..=1.0).contains(&estimated), "{estimated}");
    assert_eq!(early.reply["value"], Value::Null);

    // By what went in.
    let found = monitor(&["label", "penguins", &truth]).reply;
    assert!(found["labelled"].as_u64().is_some_and(|rows| rows > 300), "{found}");
    let known = monitor(&["performance", "penguins", "--rows", "100"]);
    let measured = known.reply["value"].as_f64().expect("it is measured now");
    assert!((measured - estimated).abs() < 0.05, "{measured} {estimated}");
    assert_eq!(known.code, Some(0), "at most a warning: {}", known.reply["level"]);
    assert_eq!(known.reply["windows"].as_array().map(Vec::len), Some(3));
    assert!(!known.reply["slices"].as_array().expect("groups").is_empty());
    assert!(monitor(&["performance", "penguins", "--metric", "auc"]).reply["value"].as_f64() > Some(0.95));
    assert_eq!(monitor(&["performance", "penguins", "--metric", "acuracy"]).code, Some(2));

    // The world changes its mind: the same birds are other species now. A rule says so by itself.
    let rules = json!({ "project": "demo", "deployment": "penguins", "rules": [
        { "metric": "performance", "threshold": 0.05, "windowRows": 500, "isEnabled": true },
    ] });
    world.ok(&["call", "monitor.set_rules", &rules.to_string()]);
    let wrong = file(&world, "wrong.csv", &head, &renamed(&birds));
    monitor(&["label", "penguins", &wrong]);
    let bad = monitor(&["performance", "penguins", "--rows", "100"]);
    assert_eq!((bad.code, &bad.reply["level"]), (Some(5), &json!("alarm")), "{}", bad.reply);
    let alerts = monitor(&["status", "penguins"]).reply["alerts"].clone();
    let said = alerts[0]["message"].as_str().expect("an alert was raised");
    assert!(said.contains("Accuracy is") && said.contains("held-out rows: worse by"), "{said}");
    let raised = || world.ok(&["audit"]).to_string().matches("alert.raise").count();
    let before = raised();
    monitor(&["label", "penguins", &wrong]);
    assert_eq!(raised(), before, "an alert that is open is said once, in the audit log too");

    by_feedback(&world);
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

/// A caller that says itself what became of its request, and a table that knows the request's id.
fn by_feedback(world: &World) {
    let shown = world.ok(&["-p", "demo", "deployment", "status", "penguins"]);
    let token = shown["token"].as_str().expect("a token");
    let url = shown["summary"]["url"].as_str().expect("a URL");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let send = |path: &str, token: &str, body: &Value| {
        let request = agent.post(format!("{url}{path}")).header("Authorization", format!("Bearer {token}"));
        let mut answer = request.send_json(body).expect("it answers");
        (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap_or_default())
    };
    let cells = shown["sample"].as_object().expect("a row").iter().map(|(name, value)| {
        let datatype = if value.is_string() { "BYTES" } else { "FP64" };
        json!({ "name": name, "shape": [1], "datatype": datatype, "data": [value] })
    });
    let asked = json!({ "id": "mine-1", "inputs": cells.collect::<Vec<_>>() });
    assert_eq!(send("/v2/models/penguins/infer", token, &asked).0, 200);
    let labelled = || {
        let found = world.call(&["-p", "demo", "monitor", "performance", "penguins", "--rows", "100"]);
        found.reply["labelled"].as_u64().expect("a number")
    };
    let before = labelled();
    let truth = json!({ "feedback": [{ "id": "mine-1", "label": "Adelie" }] });
    assert_eq!(send("/feedback", "nobody", &truth).0, 401);
    assert_eq!(send("/feedback", token, &json!({ "id": "mine-1" })).0, 400);
    assert_eq!(send("/feedback", token, &truth), (200, json!({ "accepted": 1 })));
    let table = world.file("ids.csv", "request_id,species\nmine-1,Gentoo\nnobody,Gentoo\n");
    // The log is written a moment after the answer.
    let found = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        world.ok(&["-p", "demo", "monitor", "label", "penguins", text(&table)])
    });
    let found = found.into_iter().find(|found| found["labelled"] == 1).expect("the request is in the log");
    assert_eq!(found["unmatched"], 1);
    assert_eq!(labelled(), before + 1, "feedback and table are about the same row");
    let error =
        world.fails(2, &["-p", "demo", "monitor", "label", "penguins", text(&table), "--on", "specie"]);
    assert!(error.to_string().contains("no input `specie`"), "{error}");
}

/// The same birds, measured in other units.
fn in_other_units(birds: &[String]) -> Vec<String> {
    let other = |bird: &String| {
        let fields = bird.split(',').map(|field| match field.parse::<f64>() {
            // The year stays.
            Ok(year) if (2000.0..2100.0).contains(&year) => field.to_owned(),
            Ok(measure) => (measure / 10.0).to_string(),
            Err(_) => field.to_owned(),
        });
        fields.collect::<Vec<_>>().join(",")
    };
    birds.iter().map(other).collect()
}

#[test]
fn a_version_that_learned_from_old_and_new_rows_is_watched_against_the_new_ones() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.call(&[&["-p", "demo", "monitor"], args].concat());
    let (head, birds) = birds();
    let changed = file(&world, "changed.csv", &head, &in_other_units(&birds));
    monitor(&["replay", "penguins", &changed]);
    monitor(&["label", "penguins", &changed]);
    assert_eq!(monitor(&["status", "penguins"]).code, Some(5));
    let done = monitor(&["retrain", "penguins"]);
    assert_eq!(done.reply["outcome"], "proposed", "{} {}", done.reply, done.said);
    assert_eq!(monitor(&["accept", "penguins"]).code, Some(0));
    monitor(&["replay", "penguins", &changed]);
    let same = monitor(&["status", "penguins"]);
    assert_eq!((same.code, &same.reply["level"]), (Some(0), &json!("none")), "{}", same.reply["features"]);
    let before = file(&world, "before.csv", &head, &birds);
    monitor(&["replay", "penguins", &before]);
    assert_eq!(monitor(&["status", "penguins"]).code, Some(5), "the old units are what is strange now");
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

#[test]
fn from_an_alarm_to_a_challenger_that_is_proposed_deployed_and_clears_it() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.call(&[&["-p", "demo", "monitor"], args].concat());
    let (head, birds) = birds();
    let changed = file(&world, "changed.csv", &head, &in_other_units(&birds));
    let began = monitor(&["status", "penguins"]).reply["rows"].as_u64().expect("rows");
    assert_eq!(monitor(&["proposal", "penguins"]).code, Some(2), "nothing is proposed yet");
    assert_eq!(monitor(&["accept", "penguins"]).code, Some(2));

    // The data have not changed: neither does the model.
    let same = monitor(&["retrain", "penguins"]);
    assert_eq!((same.code, &same.reply["outcome"]), (Some(0), &json!("unchanged")), "{}", same.reply);

    monitor(&["replay", "penguins", &changed]);
    assert_eq!(monitor(&["status", "penguins"]).code, Some(5));
    monitor(&["label", "penguins", &changed]);
    assert_eq!(monitor(&["performance", "penguins"]).code, Some(5));

    let done = monitor(&["retrain", "penguins", "--reason", "the units changed"]);
    assert_eq!(
        (done.code, &done.reply["outcome"]),
        (Some(0), &json!("proposed")),
        "{} {}",
        done.reply,
        done.said
    );
    assert!(done.reply["rowsTaken"].as_u64().is_some_and(|rows| rows > 300), "{}", done.reply);
    let (new, old) = (&done.reply["comparison"]["challenger"], &done.reply["comparison"]["champion"]);
    assert!(new.as_f64() > old.as_f64().map(|old| old + 0.05), "{new} {old}");
    let proposed = monitor(&["proposal", "penguins"]).reply;
    assert_eq!((&proposed["version"], &proposed["champion"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&proposed["because"], &proposed["gate"]["isOpen"]),
        (&json!("the units changed"), &json!(true))
    );
    let serving = || {
        world.ok(&["-p", "demo", "deployment", "status", "penguins"])["summary"]["model"]["version"].clone()
    };
    assert_eq!(serving(), 1, "a proposal deploys nothing");

    // Somebody says no, changes the mind, and says no again: the same data make the same version.
    assert_eq!(monitor(&["dismiss", "penguins"]).code, Some(0));
    let again = monitor(&["retrain", "penguins"]).reply;
    assert_eq!((&again["outcome"], &again["version"]), (&json!("proposed"), &json!(2)), "{again}");

    // Somebody asks for one that learns from the new units alone.
    assert_eq!(monitor(&["dismiss", "penguins"]).code, Some(0));
    assert_eq!(monitor(&["proposal", "penguins"]).code, Some(2));
    let alone = monitor(&["retrain", "penguins", "--traffic", "replace"]);
    assert_eq!(alone.reply["outcome"], "proposed", "{}", alone.reply);
    assert_eq!(alone.reply["version"], 3);

    // A policy that asks for an approval holds it back.
    let policy = "format = 1\n[people]\nann = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"\n\
                  [alias.production]\napprovals = 1\n";
    let set = |text: &str| {
        world.ok(&["call", "policy.set", &json!({ "project": "demo", "text": text }).to_string()])
    };
    set(policy);
    assert_eq!(monitor(&["accept", "penguins"]).code, Some(8));
    assert_eq!(serving(), 1);
    set("");
    let accepted = monitor(&["accept", "penguins"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.said);
    assert_eq!(serving(), 3);
    assert_eq!(monitor(&["proposal", "penguins"]).code, Some(2), "it serves already");

    // The alarm is over, and stays so while the same traffic goes on.
    let clear = monitor(&["status", "penguins"]);
    assert_eq!(clear.code, Some(0));
    let alerts = clear.reply["alerts"].as_array().expect("alerts");
    assert!(!alerts.is_empty() && alerts.iter().all(|alert| alert["isAcknowledged"] == true), "{alerts:?}");
    monitor(&["replay", "penguins", &changed]);
    let after = monitor(&["status", "penguins"]);
    assert_eq!(
        (after.code, &after.reply["rows"]),
        (Some(0), &json!(began + 2 * birds.len() as u64)),
        "{}",
        after.reply["level"]
    );
    let audit = world.ok(&["audit"]);
    let said = audit.to_string();
    for action in ["start", "end", "propose", "dismiss", "deploy"] {
        assert!(said.contains(&format!("retraining.{action}")), "{action} is in the audit log");
    }
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

#[test]
fn policies_are_tried_on_history_and_a_candidate_on_the_requests_that_were_really_sent() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.call(&[&["-p", "demo", "monitor"], args].concat());
    let policies = ["--policy", "never", "--policy", "every 1", "--policy", "psi 0.2"];
    let asked = ["backtest", "penguins", "--order-by", "year", "--windows", "3"];
    let tried = monitor(&[&asked[..], &policies].concat());
    assert_eq!(tried.code, Some(0), "{}", tried.said);
    let found = tried.reply["policies"].as_array().expect("policies").clone();
    let trainings: Vec<_> = found.iter().map(|one| one["trainings"].as_u64().unwrap_or(0)).collect();
    assert_eq!((trainings[0], trainings[1]), (1, 3), "{found:?}");
    assert!(found.iter().all(|one| one["values"].as_array().map(Vec::len) == Some(3)), "{found:?}");
    assert!(found[0]["promotedAfter"].as_array().is_some_and(Vec::is_empty));
    let again = monitor(&[&asked[..], &policies].concat()).reply;
    let values = |of: &Value| {
        of["policies"]
            .as_array()
            .expect("policies")
            .iter()
            .map(|one| one["values"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&tried.reply), "the same history gives the same figures");
    assert_eq!(monitor(&["backtest", "penguins", "--policy", "often"]).code, Some(2));
    assert_eq!(monitor(&["backtest", "penguins", "--windows", "20"]).code, Some(2), "too few rows");
    let runs = world.ok(&["-p", "demo", "run", "list"]);
    assert_eq!(runs["total"], 1, "a back-test leaves no runs behind");

    let (head, birds) = birds();
    let truth = file(&world, "truth.csv", &head, &birds);
    let changed = file(&world, "changed.csv", &head, &in_other_units(&birds));
    assert_eq!(monitor(&["rehearse", "penguins", "9"]).code, Some(2), "there is no such version");
    for sent in [&truth, &changed] {
        monitor(&["replay", "penguins", sent]);
        monitor(&["label", "penguins", sent]);
    }
    monitor(&["retrain", "penguins"]);
    let found = monitor(&["rehearse", "penguins"]);
    assert_eq!(found.code, Some(0), "{}", found.said);
    let found = found.reply;
    assert_eq!((&found["champion"], &found["candidate"]), (&json!(1), &json!(2)));
    let moved: u64 =
        found["moves"].as_array().expect("moves").iter().filter_map(|one| one["rows"].as_u64()).sum();
    assert_eq!(Some(moved), found["changed"].as_u64(), "{found}");
    assert!(moved > 50 && found["rows"].as_u64() >= Some(2 * birds.len() as u64), "{found}");
    assert!(found["candidateValue"].as_f64() > found["championValue"].as_f64(), "{found}");
    assert!(!found["groups"].as_array().expect("groups").is_empty());
    assert!(found["candidateUs"][0].as_f64() > Some(0.0));
    let same = monitor(&["rehearse", "penguins", "1"]).reply;
    assert_eq!(same["changed"], 0, "a version agrees with itself: {same}");
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

#[cfg(unix)]
#[test]
fn an_alert_leaves_by_every_channel_one_that_fails_is_told_of_and_silence_holds_them_back() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.call(&[&["-p", "demo", "monitor"], args].concat());
    let got = world.path("got.jsonl");
    let channels = format!(
        "format = 1\n[[channel]]\nname = \"keep\"\ncommand = [\"/bin/sh\", \"-c\", \"cat >> '{0}'; echo >> '{0}'\"]\n\
         [[channel]]\nname = \"broken\"\ncommand = [\"/bin/sh\", \"-c\", \"echo no room >&2; exit 1\"]\n\
         [[channel]]\nname = \"others\"\ncommand = [\"/bin/false\"]\ndeployments = [\"another\"]\n",
        text(&got)
    );
    let bad = world.file("bad.toml", "format = 1\n[[channel]]\nname = \"x\"\n");
    assert_eq!(monitor(&["channels", "--set", text(&bad)]).code, Some(2));
    let good = world.file("alerts.toml", channels);
    let shown = monitor(&["channels", "--set", text(&good)]);
    assert_eq!(shown.reply["channels"].as_array().map(Vec::len), Some(3), "{}", shown.said);
    assert_eq!(monitor(&["try-channel", "keep"]).code, Some(0));
    assert_ne!(monitor(&["try-channel", "broken"]).code, Some(0));
    assert_eq!(monitor(&["try-channel", "nobody"]).code, Some(2));

    let (head, birds) = birds();
    let changed = file(&world, "changed.csv", &head, &in_other_units(&birds));
    monitor(&["replay", "penguins", &changed]);
    let status = monitor(&["status", "penguins"]).reply;
    let alert = status["alerts"][0]["id"].as_i64().expect("an alert was raised");
    let told = |status: &Value| -> Vec<(String, bool)> {
        let all = status["deliveries"].as_array().expect("deliveries").iter();
        all.map(|one| (one["channel"].as_str().unwrap_or_default().to_owned(), one["isTaken"] == true))
            .collect()
    };
    assert_eq!(told(&status), [("broken".to_owned(), false), ("keep".to_owned(), true)]);
    assert!(
        status["deliveries"][0]["said"].as_str().is_some_and(|said| said.contains("no room")),
        "{status}"
    );
    let lines = std::fs::read_to_string(&got).expect("the channel was told");
    let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["deployment"], &last["alert"]), (&json!("penguins"), &json!(alert)));
    assert!(last["text"].as_str().is_some_and(|said| said.contains("has drifted")), "{last}");

    assert_eq!(monitor(&["silence", "penguins", "--minutes", "60"]).code, Some(0));
    assert_eq!(monitor(&["acknowledge", &alert.to_string()]).code, Some(0));
    monitor(&["replay", "penguins", &changed]);
    let silent = monitor(&["status", "penguins"]).reply;
    assert_ne!(silent["alerts"][0]["id"], alert, "it is raised again all the same");
    assert!(silent["silencedUntil"].is_i64());
    assert!(
        silent["deliveries"][0]["said"].as_str().is_some_and(|said| said.contains("silenced")),
        "{silent}"
    );
    assert_eq!(std::fs::read_to_string(&got).expect("it is there"), lines, "nothing left");
    monitor(&["silence", "penguins", "--minutes", "0"]);
    assert!(monitor(&["status", "penguins"]).reply["silencedUntil"].is_null());
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}
