//! `test_model`: let a model through only if its tests hold.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use base::{Code, Error, Result};
use data::checks::Outcome as Held;
use learn::model_tests::{Context, Rows, TestFile, TestResult, run};
use schemars::JsonSchema;
use score::Package;
use serde::{Deserialize, Serialize};

use super::evaluate::{
    METRICS_FILE, ModelMetrics, On, REPORT_FILE, Report, copy_folder, rows_to_judge, write_json,
};
use super::scored::prove;
use super::table::{Part, Table, keep_rows, no_target};
use crate::kind::{
    Arity, Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape,
    Work,
};

/// The kind `test_model`.
pub struct TestModel;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The tests, as in a model's `tests.toml`: `format = 1`, then a `[[test]]` for each.
    #[schemars(extend("x-lines" = true))]
    tests: String,
    /// The rows to test on.
    on: On,
}

impl Default for Params {
    fn default() -> Self {
        Self { tests: String::new(), on: On::Test }
    }
}

impl Kind for TestModel {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "test_model",
            version: 1,
            title: "Test",
            category: Category::Evaluate,
            summary: "Lets a model through only if its tests hold.",
            doc: "The tests are those that a model can have (see the manual's page on tests of models): metrics, \
                  worst groups, fairness, directions, missing values, leakage, calibration and more. If one whose \
                  severity is `error` does not hold, the step fails with exit code 4 and nothing after it runs. \
                  Tests of how fast the model is belong to the registered model, not to a step: a step gives the \
                  same for the same input, on any machine.",
            synonyms: &["test", "gate", "slice", "fairness", "bias", "robustness", "deepchecks", "giskard"],
            inputs: const {
                &[
                    Port::one("model", PortType::Model, "A trained model."),
                    Port::one("table", PortType::Table, "Rows with the model's inputs and the target."),
                    Port {
                        name: Cow::Borrowed("champion"),
                        port_type: PortType::Model,
                        arity: Arity::Optional,
                        doc: "The model that it would replace.",
                    },
                ]
            },
            outputs: const {
                &[
                    Port::one("model", PortType::Model, "The model, if its tests hold."),
                    Port::one("metrics", PortType::Metrics, "How many tests hold and how many do not."),
                    Port::one("report", PortType::Report, "What was found."),
                ]
            },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        parse(&params.tests).map_err(|error| Misfit::param("tests", error))?;
        match inputs.table("table") {
            Some(shape) if shape.target.is_none() => Err(no_target().into()),
            _ => Ok(None),
        }
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let file = parse(&params.tests)?;
        let results = judge(&file, params.on, work)?;
        for result in &results {
            work.log(&format!("{}: {}: {}", word(result), result.title(), result.measured));
        }
        let broken: Vec<&TestResult> = results.iter().filter(|result| result.is_blocking()).collect();
        if let Some(first) = broken.first() {
            let more =
                if broken.len() > 1 { format!(" and {} more", broken.len() - 1) } else { String::new() };
            let error =
                Error::new(Code::GateFailed, format!("the model fails a test: {}{more}", first.title()));
            return Err(error
                .because(&first.measured)
                .hint("improve the model or its data, or change the test"));
        }
        write_outputs(work, &results)
    }
}

fn judge(file: &TestFile, on: On, work: &Work) -> Result<Vec<TestResult>> {
    let folder = work.input("model")?;
    let package = Package::load(folder)?;
    let card = package.card().ok_or_else(|| Error::internal("a trained model has no card"))?;
    let table = Table::read(work.input("table")?)?;
    let mut notes = Vec::new();
    let rows = rows_to_judge(&table, on, card, &mut notes)?;
    notes.iter().for_each(|note| work.log(&format!("note: {note}")));
    let rows = Rows::score(&package, card, &rows)?;
    let training = match table.meta.split {
        true => {
            let parts = table.parts();
            let mask: BooleanArray = parts.iter().map(|part| Some(*part == Part::Train.number())).collect();
            Some(keep_rows(&table.rows, &mask)?)
        }
        false => None,
    };
    let champion = work.input_all("champion").first();
    let champion = champion.map(|input| Ok::<_, Error>((Package::load(&input.folder)?, input.step.as_str())));
    let champion = champion.transpose()?;
    let context = Context {
        package: &package,
        card,
        folder,
        rows: &rows,
        champion: champion.as_ref().map(|(package, step)| (package, *step)),
        training: training.as_ref(),
        prove: &|| Ok(prove(folder, &package)?.map(|proof| (proof.rows, proof.max_abs_diff))),
    };
    run(file, &context, &work.progress)
}

fn write_outputs(work: &Work, results: &[TestResult]) -> Result<Outcome> {
    let folder = work.input("model")?;
    copy_folder(folder, &work.output("model")?)?;
    let passed = results.iter().filter(|result| result.outcome == Held::Passed).count();
    let metrics = BTreeMap::from([
        ("tests_passed".to_owned(), passed as f64),
        ("tests_warned".to_owned(), (results.len() - passed) as f64),
    ]);
    let before = ModelMetrics::read(folder)?;
    let measured = ModelMetrics {
        metrics: metrics.clone(),
        on: before.as_ref().map_or_else(|| "test".to_owned(), |before| before.on.clone()),
        rows: before.as_ref().map_or(0, |before| before.rows),
        trainer: before.map(|before| before.trainer).unwrap_or_default(),
    };
    write_json(&work.output("metrics")?.join(METRICS_FILE), &measured)?;
    let notes = results
        .iter()
        .map(|result| format!("{}: {}: {}", word(result), result.title(), result.measured))
        .collect();
    write_json(&work.output("report")?.join(REPORT_FILE), &Report { figures: Vec::new(), notes })?;
    Ok(Outcome {
        summary: format!("{passed} of {} tests hold", results.len()),
        metrics,
        ..Outcome::default()
    })
}

fn parse(text: &str) -> Result<TestFile> {
    if text.trim().is_empty() {
        return Err(Error::invalid("there are no tests")
            .hint("write some, or copy those that are suggested on the model's page"));
    }
    let file = TestFile::parse(text)?;
    if let Some(dataset) = &file.dataset {
        return Err(Error::invalid(format!("a step cannot look at the dataset `{dataset}`"))
            .hint("take `dataset` out: the step tests on the table that is wired to it"));
    }
    match file.tests.iter().find(|test| test.kind() == "latency") {
        Some(test) => Err(Error::invalid(format!("a step cannot test {}", test.rule()))
            .hint("put this test into the tests of the registered model: it depends on the machine")),
        None => Ok(file),
    }
}

fn word(result: &TestResult) -> &'static str {
    match result.outcome {
        Held::Passed => "holds",
        Held::Failed if result.is_blocking() => "FAILED",
        Held::Failed => "warning",
        Held::Error => "cannot be run",
    }
}
