//! Tests of models find what is wrong with a model, and only that.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Float64Array, Int8Array, RecordBatch, StringArray};
use base::Progress;
use data::checks::Outcome;
use data::{Column, Kind, Task};
use learn::model_tests::report::{TestReport, html, junit, markdown};
use learn::model_tests::{Context, Rows, TestFile, TestResult, declarations, params_schema, run, suggest};
use learn::package::{PackageParts, write_package};
use learn::recipe::{EncodeMethod, Recipe, fit_levels};
use learn::{Trainer, prepare};
use score::Package;
use serde_json::json;

const ROWS: usize = 900;

/// `x` tells the answer, `kind` shifts it, `noise` does not matter.
fn table(seed: f64) -> RecordBatch {
    let wave = |at: usize, by: f64| libm::sin((at as f64 + seed) * by);
    let kind = |at: usize| ["a", "b", "c"][at * 7 % 3];
    let is_yes = |at: usize| 2.0 * wave(at, 1.7) + (at * 7 % 3) as f64 + 0.3 * wave(at, 31.0) > 1.0;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("x", Arc::new((0..ROWS).map(|at| Some(wave(at, 1.7))).collect::<Float64Array>())),
        ("noise", Arc::new((0..ROWS).map(|at| Some(wave(at, 99.1))).collect::<Float64Array>())),
        ("kind", Arc::new((0..ROWS).map(|at| Some(kind(at))).collect::<StringArray>())),
        (
            "answer",
            Arc::new(
                (0..ROWS).map(|at| Some(if is_yes(at) { "yes" } else { "no" })).collect::<StringArray>(),
            ),
        ),
        ("__split", Arc::new((0..ROWS).map(|at| Some([0, 0, 0, 1][at % 4])).collect::<Int8Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

/// The rows with the answers of one kind turned round.
fn with_bad_kind(table: &RecordBatch, bad: &str) -> RecordBatch {
    let kinds = table.column_by_name("kind").expect("a column").as_string::<i32>().clone();
    let answers = table.column_by_name("answer").expect("a column").as_string::<i32>().clone();
    let turned = (0..table.num_rows()).map(|row| match (kinds.value(row) == bad, answers.value(row)) {
        (true, "yes") => Some("no"),
        (true, _) => Some("yes"),
        (false, same) => Some(same),
    });
    let turned: ArrayRef = Arc::new(turned.collect::<StringArray>());
    let columns = table.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let columns = columns.into_iter().map(|name| {
        let array =
            if name == "answer" { turned.clone() } else { table.column_by_name(&name).expect("it").clone() };
        (name, array, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

struct World {
    folder: tempfile::TempDir,
    package: Package,
}

fn world(trainer: &str, params: serde_json::Value) -> World {
    let raw = table(0.0);
    let column =
        |field: &Arc<arrow::datatypes::Field>| Column::new(field.name(), Kind::of(field.data_type()));
    let columns: Vec<Column> = raw.schema().fields().iter().map(column).collect();
    let recipe = Recipe::start(&columns, Some("answer"));
    let op = fit_levels(std::slice::from_ref(&raw), "kind", EncodeMethod::OneHot, 9).expect("it fits");
    let batch = recipe.apply_next(&op, &raw).expect("it applies");
    let columns: Vec<Column> = batch.schema().fields().iter().map(column).collect();
    let prepared =
        prepare(&columns, std::slice::from_ref(&batch), "answer", Task::Binary).expect("a good table");
    let trainer = Trainer::of(trainer).expect("a trainer");
    let fitted = trainer.fit(&prepared.training, &params, &Progress::silent(), |_| ()).expect("it trains");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let parts = PackageParts {
        fitted: &fitted,
        recipe: &recipe.then(op),
        target: &prepared.target,
        baseline: json!({}),
        example: json!({"x": 0.5, "noise": 0.1, "kind": "b"}).as_object().expect("an object").clone(),
        lineage: score::Lineage::default(),
    };
    write_package(folder.path(), &parts).expect("it is written");
    let package = Package::load(folder.path()).expect("it loads");
    World { folder, package }
}

fn boosting() -> World {
    world("boosting", json!({"rounds": 40, "increasing": ["x"]}))
}

impl World {
    fn judge(&self, tests: &str, rows: &RecordBatch, training: Option<&RecordBatch>) -> Vec<TestResult> {
        let card = self.package.card().expect("a card");
        let rows = Rows::score(&self.package, card, rows).expect("labelled rows");
        let context = Context {
            package: &self.package,
            card,
            folder: self.folder.path(),
            rows: &rows,
            champion: None,
            training,
            prove: &|| Ok(Some((10, 1e-8))),
        };
        let file = TestFile::parse(&format!("format = 1\n{tests}")).expect("a good file");
        run(&file, &context, &Progress::silent()).expect("not cancelled")
    }

    fn one(&self, test: &str, rows: &RecordBatch) -> TestResult {
        self.judge(&format!("[[test]]\n{test}"), rows, None).remove(0)
    }
}

fn assert_outcome(result: &TestResult, outcome: Outcome) {
    assert_eq!(result.outcome, outcome, "{}: {} {:?}", result.rule, result.measured, result.error);
}

#[test]
fn a_planted_bad_group_is_found_and_a_good_model_has_none() {
    let world = boosting();
    let slices = "kind = \"slices\"\nmax_drop = 0.2";
    let good = world.one(slices, &table(5.0));
    assert_outcome(&good, Outcome::Passed);
    let bad = world.one(slices, &with_bad_kind(&table(5.0), "b"));
    assert_outcome(&bad, Outcome::Failed);
    assert_eq!(bad.groups[0].name, "`kind` is `b`", "{:?}", bad.groups);
    assert!(bad.groups[0].is_broken && bad.groups[0].value < 0.2 && bad.groups[0].rows == 300);
    assert!(bad.measured.contains("`kind` is `b`"), "{}", bad.measured);
    let pairs = world.one("kind = \"slices\"\nmax_drop = 0.2\ndepth = 2", &table(5.0));
    assert_outcome(&pairs, Outcome::Passed);
}

#[test]
fn thresholds_hold_or_break_by_what_is_measured() {
    let world = boosting();
    let rows = table(5.0);
    assert_outcome(&world.one("kind = \"metric\"\nmetric = \"auc\"\nat_least = 0.9", &rows), Outcome::Passed);
    let broken = world.one("kind = \"metric\"\nmetric = \"auc\"\nat_least = 0.9999999", &rows);
    assert_outcome(&broken, Outcome::Failed);
    assert!(broken.is_blocking() && broken.measured.starts_with("AUC is 0.9"), "{}", broken.measured);
    let warned =
        world.one("kind = \"metric\"\nmetric = \"auc\"\nat_least = 0.9999999\nseverity = \"warn\"", &rows);
    assert!(!warned.is_blocking());
    let unfit = world.one("kind = \"metric\"\nmetric = \"rmse\"\nat_most = 1", &rows);
    assert_outcome(&unfit, Outcome::Error);
    assert!(unfit.is_blocking(), "what cannot be run does not count as passed");
    assert_outcome(&world.one("kind = \"calibration\"\nmax_ece = 0.1", &rows), Outcome::Passed);
    let turned = with_bad_kind(&rows, "b");
    assert_outcome(&world.one("kind = \"calibration\"\nmax_ece = 0.1", &turned), Outcome::Failed);
    assert_outcome(&world.one("kind = \"golden\"", &rows), Outcome::Passed);
    assert_outcome(&world.one("kind = \"parity\"", &rows), Outcome::Passed);
    assert_outcome(&world.one("kind = \"parity\"\nmax_difference = 1e-9", &rows), Outcome::Failed);
    assert_outcome(&world.one("kind = \"size\"\nmax_megabytes = 10", &rows), Outcome::Passed);
    assert_outcome(&world.one("kind = \"size\"\nmax_megabytes = 0.0001", &rows), Outcome::Failed);
    assert_outcome(&world.one("kind = \"latency\"\nmax_p95_ms = 10000\nrepeats = 5", &rows), Outcome::Passed);
    assert_outcome(&world.one("kind = \"champion\"", &rows), Outcome::Passed);
}

#[test]
fn behaviour_under_changed_inputs_is_judged() {
    let world = boosting();
    let rows = table(5.0);
    // The trainer was told that the answer must not fall with `x`.
    assert_outcome(&world.one("kind = \"directional\"\ncolumn = \"x\"", &rows), Outcome::Passed);
    let wrong = world.one("kind = \"directional\"\ncolumn = \"x\"\ndirection = \"decreasing\"", &rows);
    assert_outcome(&wrong, Outcome::Failed);
    assert!(!wrong.rows.is_empty() && wrong.rows[0].cells.iter().any(|(name, _)| name == "x"));
    let moved = world.one("kind = \"invariance\"\ncolumn = \"x\"", &rows);
    assert_outcome(&moved, Outcome::Failed);
    assert_outcome(
        &world.one("kind = \"invariance\"\ncolumn = \"x\"\nmax_change = 1", &rows),
        Outcome::Passed,
    );
    // The target is a column of the rows that the model does not read.
    assert_outcome(&world.one("kind = \"invariance\"\ncolumn = \"answer\"", &rows), Outcome::Passed);
    let unknown = world.one("kind = \"invariance\"\ncolumn = \"kynd\"", &rows);
    assert_outcome(&unknown, Outcome::Error);
    assert_eq!(unknown.error.expect("why").hint.as_deref(), Some("did you mean `kind`?"));
    assert_outcome(&world.one("kind = \"noise\"\nscale = 0.01\nmax_drop = 0.1", &rows), Outcome::Passed);
    let blurred = world.one("kind = \"noise\"\nscale = 5\nmax_drop = 0.05", &rows);
    assert_outcome(&blurred, Outcome::Failed);
    assert_eq!(blurred.groups[0].name, "`x` damaged");
    let lost = world.one("kind = \"missing\"\nshare = 1\nmax_drop = 0.05", &rows);
    assert_outcome(&lost, Outcome::Failed);
    assert_outcome(&world.one("kind = \"missing\"\nshare = 0\nmax_drop = 0", &rows), Outcome::Passed);
}

#[test]
fn leaks_and_unfair_answers_are_found() {
    let world = boosting();
    let rows = table(5.0);
    assert_outcome(&world.one("kind = \"leakage\"\nmax_power = 0.99", &rows), Outcome::Passed);
    let leaky = world.one("kind = \"leakage\"\nmax_power = 0.3", &rows);
    assert_outcome(&leaky, Outcome::Failed);
    assert_eq!(leaky.groups[0].name, "`x` alone");
    let allowed = "kind = \"leakage\"\nmax_power = 0.3\nallowed = [\"x\", \"kind\"]";
    assert_outcome(&world.one(allowed, &rows), Outcome::Passed);
    let overlap = "[[test]]\nkind = \"overlap\"";
    assert_outcome(&world.judge(overlap, &rows, Some(&table(5.0)))[0], Outcome::Failed);
    assert_outcome(&world.judge(overlap, &rows, Some(&table(0.5)))[0], Outcome::Passed);
    assert_outcome(&world.judge(overlap, &rows, None)[0], Outcome::Error);
    let unfair = world.one("kind = \"fairness\"\ncolumn = \"kind\"\nmax_difference = 0.2", &rows);
    assert_outcome(&unfair, Outcome::Failed);
    assert!(unfair.groups.iter().filter(|group| group.is_broken).count() == 2, "{:?}", unfair.groups);
    let odds = "kind = \"fairness\"\ncolumn = \"kind\"\nmeasure = \"equalised_odds\"\nmax_difference = 0.5";
    assert_outcome(&world.one(odds, &rows), Outcome::Passed);
    assert_outcome(&world.one(odds, &with_bad_kind(&rows, "c")), Outcome::Failed);
}

#[test]
fn a_contract_and_golden_rows_are_held() {
    let world = boosting();
    let rows = table(5.0);
    let agreed = "kind = \"schema\"\ninputs = { x = \"number\", noise = \"number\", kind = \"text\" }\noutputs = [\"label\"]\nranges = { x = [-1, 1] }";
    assert_outcome(&world.one(agreed, &rows), Outcome::Passed);
    let fewer = world.one("kind = \"schema\"\ninputs = { x = \"text\", noise = \"number\" }", &rows);
    assert_outcome(&fewer, Outcome::Failed);
    assert!(fewer.measured.contains("it reads `kind`, which nobody sends"), "{}", fewer.measured);
    assert!(fewer.measured.contains("`x` is sent as text"), "{}", fewer.measured);
    let narrow = world.one("kind = \"schema\"\nranges = { x = [0, 1] }", &rows);
    assert_outcome(&narrow, Outcome::Failed);
    let golden = |label: &str| {
        format!(
            "kind = \"golden\"\nrows = [{{ inputs = {{ x = 0.9, kind = \"c\", noise = 0 }}, outputs = {{ label = \"{label}\" }} }}]"
        )
    };
    assert_outcome(&world.one(&golden("yes"), &rows), Outcome::Passed);
    let wrong = world.one(&golden("no"), &rows);
    assert_outcome(&wrong, Outcome::Failed);
    assert_eq!(wrong.rows[0].cells[0].1, "\"yes\", expected \"no\"");
}

#[test]
fn a_worse_model_does_not_pass_against_a_better_champion() {
    let (better, worse) = (boosting(), world("boosting", json!({"rounds": 1, "leaves": 2})));
    let rows = table(5.0);
    let judge = |candidate: &World, champion: &World| {
        let card = candidate.package.card().expect("a card");
        let rows = Rows::score(&candidate.package, card, &rows).expect("labelled rows");
        let context = Context {
            package: &candidate.package,
            card,
            folder: candidate.folder.path(),
            rows: &rows,
            champion: Some((&champion.package, "`production` v1")),
            training: None,
            prove: &|| Ok(None),
        };
        let file =
            TestFile::parse("format = 1\n[[test]]\nkind = \"champion\"\nmetric = \"auc\"\nrepeats = 200")
                .expect("a good file");
        run(&file, &context, &Progress::silent()).expect("not cancelled").remove(0)
    };
    assert_outcome(&judge(&better, &worse), Outcome::Passed);
    let lost = judge(&worse, &better);
    assert_outcome(&lost, Outcome::Failed);
    assert!(lost.measured.contains("over `production` v1, between -"), "{}", lost.measured);
    assert_outcome(&judge(&better, &better), Outcome::Passed);
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line_and_the_nearest_name() {
    let cases = [
        ("[[test]]\nkind = \"metrik\"", "line 3", "did you mean `metric`?"),
        ("[[test]]\nkind = \"metric\"\nmetric = \"auk\"\nat_least = 1", "line 4", "did you mean `auc`?"),
        ("[[test]]\nkind = \"slices\"\nmax_dropp = 1", "line 4", "did you mean `max_drop`?"),
        ("[[test]]\nkind = \"metric\"\nmetric = \"auc\"", "line 4", "set `at_least`, `at_most` or both"),
        ("[[tests]]\nkind = \"metric\"", "line 2", "did you mean `test`?"),
        ("[[test]]\nkind = \"golden\"\nseverity = \"bad\"", "line 4", "write `error` or `warn`"),
        ("test = 3", "line 2", "begin each test with the line `[[test]]`"),
    ];
    for (text, line, hint) in cases {
        let error = TestFile::parse(&format!("format = 1\n{text}")).expect_err(text);
        assert!(error.message.contains(line), "{text}: {error}");
        assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
    }
    assert_eq!(TestFile::parse("format = 2").expect_err("newer").code, base::Code::TooNew);
}

#[test]
fn every_kind_has_an_example_that_reads_and_parameters_that_are_documented() {
    for said in declarations() {
        let file = TestFile::parse(&format!("format = 1\n[[test]]\n{}", said.example)).expect(said.kind);
        assert_eq!(file.tests[0].kind(), said.kind);
        assert!(!file.tests[0].rule().is_empty() && !said.doc.is_empty(), "{}", said.kind);
        let manual = include_str!("../../../docs/model-tests.md");
        assert!(
            manual.contains(&format!("| `{}` | {} | {} |", said.kind, said.summary, said.doc)),
            "{}",
            said.kind
        );
        let schema = params_schema(said.kind).expect("a schema");
        for (name, param) in schema["properties"].as_object().into_iter().flatten() {
            assert!(param["description"].is_string(), "{}.{name} has no description", said.kind);
        }
    }
}

#[test]
fn what_is_suggested_holds_for_the_model_it_was_drawn_from() {
    let world = boosting();
    let rows = table(5.0);
    let card = world.package.card().expect("a card");
    let scored = Rows::score(&world.package, card, &rows).expect("labelled rows");
    let text = suggest(card, &scored);
    let tests = text.strip_prefix("format = 1\n").expect("a file");
    for result in world.judge(tests, &rows, None) {
        assert!(!result.is_blocking(), "{}: {}", result.rule, result.measured);
    }
}

#[test]
fn reports_say_what_broke_and_let_no_name_out_of_its_place() {
    let world = boosting();
    let mut results = world.judge(
        "[[test]]\nkind = \"slices\"\nmax_drop = 0.2\nname = \"<b>|x|\"\n[[test]]\nkind = \"golden\"",
        &with_bad_kind(&table(5.0), "b"),
        None,
    );
    results.iter_mut().for_each(|result| result.duration_ms = 7);
    let report = TestReport {
        model: "m".to_owned(),
        version: 3,
        package: "a".repeat(64),
        tests: "b".repeat(64),
        rows_of: "dataset d v1".to_owned(),
        rows: 900,
        rows_hash: "c".repeat(64),
        champion: None,
        at: 0,
        is_passed: false,
        results,
    };
    let page = html(&report);
    assert!(page.contains("&lt;b&gt;|x|") && !page.contains("<b>|x|"));
    assert!(page.contains("1 of 2 tests pass, 1 keeps the model from moving on"));
    let text = markdown(&report);
    assert!(text.contains(r"| failed | \<b\>\|x\| |"), "{text}");
    assert!(text.contains("- `kind` is `b`: Accuracy 0"), "{text}");
    let xml = junit(&report);
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.014\""), "{xml}");
    assert!(xml.contains("name=\"&lt;b&gt;|x|\"") && xml.contains("<failure message="), "{xml}");
    let again: TestReport = serde_json::from_value(json!(report)).expect("reads back");
    assert_eq!(again, report);
}
