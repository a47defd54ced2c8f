//! From tests of a model to its passport, as a person goes that way: nothing moves on unless the
//! policy's every line holds, and whatever was forged or changed is found and named.

mod testkit;

use serde_json::{Value, json};
use testkit::{Called, World, text};

/// A world with the demo's model, and a place for the keys of its people.
struct Judged {
    world: World,
}

impl Judged {
    fn new() -> Self {
        let world = World::new();
        world.ok(&["demo", "--stop"]);
        world.ok(&["project", "open", "demo"]);
        Self { world }
    }

    /// Calls the program as a person with a key of their own.
    fn as_person(&self, person: &str, words: &[&str]) -> Called {
        let output = self
            .world
            .command(words)
            .env("FETTLE_CONFIG", self.world.path(&format!("keys-{person}")))
            .output()
            .expect("the program starts");
        Called {
            code: output.status.code(),
            reply: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn ok_as(&self, person: &str, words: &[&str]) -> Value {
        let called = self.as_person(person, words);
        assert_eq!(called.code, Some(0), "{person}: {words:?}: {}", called.said);
        called.reply
    }

    fn set_policy(&self, policy: &str) {
        let file = self.world.file("policy.toml", policy);
        self.world.ok(&["policy", "set", text(&file)]);
    }

    /// Makes the tests of the model those of a text.
    fn set_tests(&self, tests: &str) {
        let request = json!({ "model": "penguins", "text": tests }).to_string();
        self.world.ok(&["call", "model.set_tests", &request]);
    }

    /// Asks for an alias that is refused, and gives back what the gate found, by its name.
    fn refused(&self) -> Vec<(String, String)> {
        let called = self.world.call(&["model", "promote", "penguins", "--to", "champion"]);
        assert_eq!(called.code, Some(4), "{}", called.said);
        let checks = called.reply["checks"].as_array().cloned().unwrap_or_default();
        let failed = checks.into_iter().filter(|check| check["status"] == "failed");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        failed.map(|check| (word(&check["name"]), word(&check["message"]))).collect()
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.world.workspace().join("fettle.db")).expect("the index is there")
    }
}

const TESTS: &str = "format = 1\n[[test]]\nkind = \"metric\"\nmetric = \"auc\"\nat_least = 0.9\n\n[[test]]\nkind = \"golden\"\n\n[[test]]\nkind = \"parity\"\n";

#[test]
fn tests_run_write_reports_and_exit_by_what_they_find() {
    let judged = Judged::new();
    judged.set_tests(TESTS);
    for end in ["html", "md", "xml", "json"] {
        let report = judged.world.path(&format!("report.{end}"));
        let found = judged.world.ok(&["model", "test", "penguins@1", "--report", text(&report)]);
        assert_eq!((&found["isPassed"], found["results"].as_array().map(Vec::len)), (&json!(true), Some(3)));
        let written = std::fs::read_to_string(&report).expect("a report");
        assert!(written.contains("penguins"), "{end}: {written}");
    }
    let strict = judged.world.file("strict.toml", TESTS.replace("at_least = 0.9", "at_least = 1.1"));
    let called = judged.world.call(&["model", "test", "penguins@1", "--suite", text(&strict)]);
    assert_eq!(called.code, Some(4), "{}", called.said);
    assert_eq!(called.reply["results"][0]["outcome"], "failed");
    let kept = judged.world.ok(&["call", "model.tests", "{\"model\": \"penguins\"}"]);
    assert_eq!(kept["last"]["isPassed"], false, "the last run is kept with the version");
    assert_eq!(kept["isChanged"], true, "they are not the project's tests");
    assert!(kept["suggested"].as_str().is_some_and(|text| text.contains("kind = \"slices\"")));
    let check = judged.world.ok(&["workspace", "check"]);
    assert_eq!(check["isClean"], true, "{check}");
}

#[test]
fn a_promotion_is_refused_line_by_line_until_every_demand_is_met() {
    let judged = Judged::new();
    let key = judged.ok_as("ann", &["identity", "new", "ann"])["key"].as_str().expect("a key").to_owned();
    judged.ok_as("eve", &["identity", "new", "ann"]);
    judged.set_policy(&format!(
        "format = 1\n[people]\nann = \"{key}\"\n[alias.champion]\ntests = true\napprovals = 1\n\
         approvers = [\"ann\"]\ncard = [\"intended_use\"]\nfresh_card = true\n"
    ));
    let names =
        |found: &[(String, String)]| -> Vec<String> { found.iter().map(|(name, _)| name.clone()).collect() };
    let all = [
        "policy.toml line 5: tests",
        "policy.toml line 6: approvals",
        "policy.toml line 8: card",
        "policy.toml line 9: fresh_card",
    ];
    assert_eq!(names(&judged.refused()), all);

    judged.set_tests(TESTS);
    judged.world.ok(&["model", "test", "penguins"]);
    assert_eq!(names(&judged.refused()), all[1..]);

    let draft = judged.world.ok(&["call", "model.card", "{\"model\": \"penguins\"}"])["draft"]
        .as_str()
        .expect("a draft")
        .to_owned();
    let card = draft.replace("## Intended use\n", "## Intended use\nFor teaching only.\n");
    let set_card = |text: &str| {
        let request = json!({ "model": "penguins", "text": text }).to_string();
        judged.world.ok(&["call", "model.set_card", &request]);
    };
    set_card(&card);
    assert_eq!(names(&judged.refused()), all[1..2]);
    let stale = card.replace("{{data.rows = 344}}", "{{data.rows = 343}}");
    assert_ne!(stale, card, "{card}");
    set_card(&stale);
    let found = judged.refused();
    assert!(found[1].1.contains("data.rows = 343, which is 344"), "{found:?}");
    set_card(&card);

    // Somebody else who calls herself ann.
    judged.ok_as("eve", &["model", "approve", "penguins", "--note", "trust me"]);
    let found = judged.refused();
    assert_eq!(found[0].0, "the approval of `ann` is genuine");
    assert!(found[0].1.contains("a key that is not that of `ann`"), "{found:?}");
    judged.database().execute("delete from approvals", []).expect("the forgery is taken out");

    judged.ok_as("ann", &["model", "approve", "penguins", "--note", "looked at the worst group"]);
    let report = judged.world.ok(&["model", "promote", "penguins", "--to", "champion"]);
    assert_eq!(report["isOpen"], true, "{report}");

    // What somebody changed in the signed note no longer fits the signature.
    judged
        .database()
        .execute("update approvals set statement = replace(statement, 'worst', 'best')", [])
        .expect("the row is altered");
    let gate = judged.world.call(&["model", "gate", "penguins", "--to", "champion"]);
    assert_eq!(gate.code, Some(4));
    assert!(gate.reply.to_string().contains("the signature does not fit"), "{}", gate.reply);
}

#[test]
fn an_approval_that_is_taken_back_or_outlived_does_not_count() {
    let judged = Judged::new();
    let key = judged.ok_as("ann", &["identity", "new", "ann"])["key"].as_str().expect("a key").to_owned();
    judged.set_policy(&format!("format = 1\n[people]\nann = \"{key}\"\n[alias.champion]\napprovals = 1\n"));
    let counts = |found: &Value| -> Vec<bool> {
        found.as_array().into_iter().flatten().map(|one| one["counts"] == true).collect()
    };
    assert_eq!(counts(&judged.ok_as("ann", &["model", "approve", "penguins"])), [true]);
    assert_eq!(counts(&judged.ok_as("ann", &["model", "withdraw", "penguins"])), [false, false]);
    assert!(judged.refused()[0].1.contains("`ann` said something else later"));
    assert_eq!(counts(&judged.ok_as("ann", &["model", "approve", "penguins"])), [false, false, true]);
    // The tests come to something now, which nobody approved.
    judged.set_tests(TESTS);
    judged.world.ok(&["model", "test", "penguins"]);
    assert!(judged.refused()[0].1.contains("since it was signed"));
}

#[test]
fn a_passport_is_genuine_anywhere_and_a_flipped_bit_is_named() {
    let judged = Judged::new();
    judged.set_tests(TESTS);
    judged.world.ok(&["model", "test", "penguins"]);
    judged.ok_as("ann", &["identity", "new", "ann"]);
    judged.ok_as("ann", &["model", "approve", "penguins", "--note", "good"]);
    let path = judged.world.path("penguins.passport");
    judged.ok_as("ann", &["model", "passport", "penguins", "-o", text(&path)]);

    // A world that has never seen the model.
    let elsewhere = World::new();
    let found = elsewhere.ok(&["model", "verify", text(&path)]);
    assert_eq!(
        (&found["isGenuine"], &found["model"], &found["person"]),
        (&json!(true), &json!("penguins"), &json!("ann"))
    );
    assert_eq!(found["approvedBy"], json!(["ann"]));
    assert_eq!(found["tests"], "all 3 tests pass");

    let whole = std::fs::read(&path).expect("a passport");
    let at = |needle: &str| {
        let needle = needle.as_bytes();
        whole.windows(needle.len()).rposition(|window| window == needle).expect("it is in there")
    };
    for (place, part) in [
        (at("\"specVersion\""), "bom.cdx.json"),
        (at("ArgMax"), "package/model.onnx"),
        (at("\"parity\""), "package/fettle.json"),
    ] {
        let mut changed = whole.clone();
        changed[place + 1] ^= 1;
        let other = judged.world.file("changed.passport", &changed);
        let called = elsewhere.call(&["model", "verify", text(&other)]);
        assert_eq!(called.code, Some(6), "{}", called.said);
        let troubles = called.reply["troubles"].to_string();
        assert!(troubles.contains(part), "{part}: {troubles}");
    }
}

#[test]
fn a_changed_row_of_the_audit_log_is_found_and_named() {
    let judged = Judged::new();
    let found = judged.world.ok(&["audit", "verify"]);
    assert_eq!(found["isWhole"], true);
    assert!(found["rows"].as_u64().is_some_and(|rows| rows > 5), "{found}");
    let row: i64 = judged
        .database()
        .query_row("select id from audit where action = 'model.register' order by id limit 1", [], |row| {
            row.get(0)
        })
        .expect("the demo registers a model");
    judged
        .database()
        .execute("update audit set subject = 'another' where id = ?1", [row])
        .expect("the row is changed");
    let called = judged.world.call(&["audit", "verify"]);
    assert_eq!(called.code, Some(6), "{}", called.said);
    assert_eq!(
        called.reply["troubles"],
        json!([format!("row {row} of the audit log was changed after it was written")])
    );
}

#[test]
fn an_edited_row_is_scored_and_its_reasons_add_up() {
    let judged = Judged::new();
    let found = judged.world.ok(&["model", "what-if", "penguins", "--set", "flipper_length_mm=230"]);
    assert_ne!(found["before"]["outputs"], found["after"]["outputs"], "{found}");
    assert_eq!(found["after"]["inputs"]["flipper_length_mm"], 230);
    for side in ["before", "after"] {
        let explained = found[side]["explained"].as_array().expect("outputs");
        assert_eq!(explained.len(), 3, "one for each species");
        for output in explained {
            let parts = output["contributions"].as_array().expect("columns").iter();
            let sum: f64 = parts.map(|pair| pair[1].as_f64().expect("a number")).sum();
            let (base, all) = (output["base"].as_f64().expect("base"), output["sum"].as_f64().expect("sum"));
            assert!((base + sum - all).abs() < 1e-6, "{output}");
        }
    }
    let unknown = judged.world.fails(2, &["model", "what-if", "penguins", "--set", "flipper=1"]);
    assert!(
        unknown["message"].as_str().is_some_and(|said| said.contains("does not read `flipper`")),
        "{unknown}"
    );
    let matters = judged.world.ok(&["model", "importance", "penguins"]);
    assert!(matters["columns"][0]["deviation"].is_number(), "{matters}");
    let summary = &matters["summary"]["columns"][0];
    let rows = summary["values"].as_array().map(Vec::len);
    assert!(rows.is_some_and(|rows| rows > 20), "{summary}");
    assert_eq!(summary["added"].as_array().map(Vec::len), Some(3), "one list for each species");
    assert_eq!(summary["added"][0].as_array().map(Vec::len), rows);
    let effect = judged.world.ok(&["model", "effect", "penguins", "flipper_length_mm"]);
    assert!(effect["points"].as_array().is_some_and(|points| points.len() > 5), "{effect}");
}

#[test]
fn rows_that_the_package_keeps_are_taken_apart_one_by_one() {
    let judged = Judged::new();
    let ask = |request: Value| {
        let request = request.to_string();
        judged.world.call(&["call", "model.what_if", &request])
    };
    let example = ask(json!({ "model": "penguins" })).reply;
    let kept = example["kept"].as_u64().expect("a count");
    assert!(kept > 20 && example["truth"].is_null(), "{example}");
    let first = ask(json!({ "model": "penguins", "place": 0 })).reply;
    let species = ["Adelie", "Chinstrap", "Gentoo"];
    assert!(first["truth"].as_str().is_some_and(|truth| species.contains(&truth)), "{first}");
    assert!(first["before"]["inputs"]["body_mass_g"].is_i64(), "a whole number stays one: {first}");
    // What was shown can be asked again as it is.
    let row = &first["before"]["inputs"];
    assert_eq!(ask(json!({ "model": "penguins", "row": row })).reply["before"], first["before"]);
    let beyond = ask(json!({ "model": "penguins", "place": kept }));
    assert!(beyond.said.contains(&format!("keeps {kept} rows")), "{}", beyond.said);
    assert_eq!(ask(json!({ "model": "penguins", "place": 0, "row": row })).code, Some(2));
}

#[test]
fn a_report_of_tests_is_written_as_its_file_is_named() {
    let judged = Judged::new();
    let write = |name: &str| {
        let request = json!({ "model": "penguins", "to": judged.world.path(name) }).to_string();
        judged.world.call(&["call", "model.test_report", &request])
    };
    assert!(write("early.html").said.contains("have not run"), "there is nothing to write yet");
    judged.set_tests(TESTS);
    judged.world.ok(&["model", "test", "penguins"]);
    for (name, begins) in [
        ("report.html", "<!doctype html>"),
        ("report.xml", "<?xml"),
        ("report.json", "{"),
        ("report.md", "#"),
    ] {
        let called = write(name);
        assert_eq!(called.code, Some(0), "{}", called.said);
        let text = std::fs::read_to_string(judged.world.path(name)).expect("a report");
        assert!(text.to_lowercase().starts_with(begins), "{name}: {text}");
    }
    assert_eq!(write("report.pdf").code, Some(2), "there is no such report");
}

#[test]
fn the_step_lets_a_model_through_only_if_its_tests_hold() {
    let judged = Judged::new();
    let shown = judged.world.ok(&["pipeline", "show", "penguins"]);
    let run = |tests: &str| {
        let mut file: toml::Table = shown["text"].as_str().expect("the file's text").parse().expect("TOML");
        let step = format!(
            "id = \"judge\"\nkind = \"test_model\"\n[params]\ntests = {}\n[inputs]\nmodel = \"evaluate_forest.model\"\n\
             table = \"split.table\"\nchampion = \"evaluate_linear.model\"\n",
            toml::Value::from(tests)
        );
        let step: toml::Table = step.parse().expect("TOML");
        file["step"].as_array_mut().expect("steps").push(step.into());
        let path = judged.world.file("judged.toml", file.to_string());
        judged.world.call(&["pipeline", "run", text(&path), "--to", "judge"])
    };
    let good = "format = 1\n[[test]]\nkind = \"metric\"\nmetric = \"accuracy\"\nat_least = 0.8\n[[test]]\nkind = \"overlap\"\n\
                [[test]]\nkind = \"champion\"\nmin_gain = -0.2\n";
    let called = run(good);
    assert_eq!(called.code, Some(0), "{}", called.said);
    let called = run(&good.replace("at_least = 0.8", "at_least = 1.1"));
    assert_eq!(called.code, Some(4), "{}", called.said);
    let called = run("format = 1\n[[test]]\nkind = \"latency\"\n");
    assert_ne!(called.code, Some(0), "how fast it is depends on the machine");
}
