//! `validate`: let a table through only if its quality checks hold.

use base::{Code, Error, Result, Timestamp};
use data::TableFile;
use data::checks::{CheckFile, CheckResult, Context, Outcome as Held, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `validate`.
pub struct Validate;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The checks, as in a dataset's `checks.toml`: `format = 1`, then a `[[check]]` for each.
    #[schemars(extend("x-lines" = true))]
    checks: String,
}

impl Kind for Validate {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "validate",
            version: 1,
            title: "Check quality",
            category: Category::Clean,
            summary: "Lets a table through only if its quality checks hold.",
            doc: "The checks are those that a dataset can have (see the manual's page on quality). If one whose \
                  severity is `error` does not hold, the step fails and names the rule, how many rows break it \
                  and the first of them; nothing after it runs. Checks of severity `warn` are written to the \
                  log. Checks that look at the clock, at another dataset or at an earlier version belong to the \
                  dataset, not to a step.",
            synonyms: &["quality", "test", "expect", "assert", "great expectations", "rules", "constraints"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same table.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        parse(&params.checks).map_err(|error| Misfit::param("checks", error))?;
        Ok(inputs.table("table").cloned())
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let file = parse(&params.checks)?;
        let folder = work.input("table")?;
        let results = results(&file, folder, work)?;
        for result in &results {
            work.log(&line(result));
        }
        let broken: Vec<&CheckResult> = results.iter().filter(|result| result.is_blocking()).collect();
        if let Some(first) = broken.first() {
            let more =
                if broken.len() > 1 { format!(" and {} more", broken.len() - 1) } else { String::new() };
            let error =
                Error::new(Code::GateFailed, format!("the table breaks a check: {}{more}", first.rule));
            return Err(error.because(found(first)).hint("correct the data, or change the check"));
        }
        let table = Table::read(folder)?;
        let outcome = table.write(&work.output("table")?)?;
        Ok(Outcome { summary: format!("{} checks hold", results.len()), ..outcome })
    }
}

fn results(file: &CheckFile, folder: &std::path::Path, work: &Work) -> Result<Vec<CheckResult>> {
    let table = TableFile::open(folder)?;
    let alone = |name: &str| -> Result<TableFile> {
        Err(Error::invalid(format!("a step cannot look at the dataset `{name}`"))
            .hint("put this check into the checks of the dataset, or join the tables before"))
    };
    let context = Context {
        table: &table,
        previous: None,
        reference: None,
        other: &alone,
        // A step gives the same for the same input, whenever it runs.
        now: Timestamp(0),
    };
    run(file, &context, &work.progress)
}

fn parse(text: &str) -> Result<CheckFile> {
    if text.trim().is_empty() {
        return Err(Error::invalid("there are no checks")
            .hint("write some, or copy those that are suggested on the dataset's page"));
    }
    let file = CheckFile::parse(text)?;
    match file.checks.iter().find(|check| check.kind() == "freshness") {
        Some(check) => Err(Error::invalid(format!("a step cannot check {}", check.rule()))
            .hint("put this check into the checks of the dataset: it depends on when it is made")),
        None => Ok(file),
    }
}

fn line(result: &CheckResult) -> String {
    let word = match result.outcome {
        Held::Passed => "holds",
        Held::Failed if result.is_blocking() => "FAILED",
        Held::Failed => "warning",
        Held::Error => "cannot be run",
    };
    format!("{word}: {}: {}", result.rule, found(result))
}

/// What was found, with the first row that breaks the rule.
fn found(result: &CheckResult) -> String {
    if let Some(error) = &result.error {
        return error.to_string();
    }
    let Some(example) = result.examples.first() else { return result.measured.clone() };
    let cell = |(name, value): &(String, Option<String>)| {
        format!("{name} = {}", value.as_deref().unwrap_or("missing"))
    };
    let cells: Vec<String> = example.cells.iter().map(cell).collect();
    format!("{}; the first is row {}: {}", result.measured, example.row + 1, cells.join(", "))
}
