//! `fettle policy`, `fettle identity`, `fettle audit verify`, and the verbs of `fettle model` that judge.

use std::path::Path;

use base::{Code, Error, Result};
use serde_json::{Map, Value, json};

use super::models::{pick, with};
use super::{Context, text};
use crate::args::models::ModelArgs;
use crate::args::{IdentityVerb, PolicyVerb};
use crate::print::{Printer, table};

/// Runs the tests of a version.
pub fn test(context: &Context, which: &ModelArgs, suite: Option<&Path>, report: Option<&Path>) -> Result<u8> {
    let suite = suite.map(read).transpose()?;
    let format = report.map(|path| {
        let format = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
        match ["html", "md", "xml", "json"].contains(&format.as_str()) {
            true => Ok(format),
            false => Err(Error::invalid(format!("`{}` names no kind of report", path.display()))
                .hint("end it in .html, .md, .xml or .json")),
        }
    });
    let request = with(with(pick(which), "suite", suite), "format", format.transpose()?);
    let job = context.backend.run_job("model.test", context.request(request), context.printer)?;
    let mut found = job.result.unwrap_or_default();
    if let (Some(path), Some(whole)) = (report, found["text"].take().as_str()) {
        std::fs::write(path, whole).map_err(|e| Error::io("write", path, &e))?;
    }
    context.printer.result(&found, |found| {
        let results = found["results"].as_array().into_iter().flatten();
        let lines = results.map(|one| {
            let outcome = match (one["outcome"].as_str(), one["isError"] == true) {
                (Some("failed"), false) => "warning".to_owned(),
                _ => text(&one["outcome"]),
            };
            let name = if one["name"].is_null() { &one["rule"] } else { &one["name"] };
            vec![outcome, text(name), text(&one["measured"])]
        });
        let lines = table(&["outcome", "test", "found"], &lines.collect::<Vec<_>>());
        format!("{lines}\n{} v{}: {}", text(&found["model"]), found["version"], text(&found["summary"]))
    });
    Ok(if found["isPassed"] == true { 0 } else { Code::GateFailed.exit_code() })
}

/// Prints the tests of a model.
pub fn tests(context: &Context, which: &ModelArgs) -> Result<u8> {
    context.show("model.tests", pick(which), |found| match text(&found["text"]) {
        empty if empty.is_empty() => text(&found["suggested"]),
        said => said,
    })
}

/// Prints what a version says of a row and of a changed one.
pub fn what_if(context: &Context, which: &ModelArgs, row: Option<&str>, changes: &[String]) -> Result<u8> {
    let wrong =
        |what: String| Error::invalid(what).hint("write `--set age=40`, or `--row` with a JSON object");
    let row: Option<Map<String, Value>> = row
        .map(serde_json::from_str)
        .transpose()
        .map_err(|e| wrong("the row is not a JSON object".to_owned()).because(e))?;
    let mut changed = Map::new();
    for change in changes {
        let (name, value) =
            change.split_once('=').ok_or_else(|| wrong(format!("`{change}` changes nothing")))?;
        // What is no JSON is a text, which needs no quotes here.
        changed.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
    }
    let request = with(with(pick(which), "row", row.map(Value::Object)), "changes", Value::Object(changed));
    context.show("model.what_if", request, |found| {
        let mut lines = vec![
            format!("before  {}", text(&found["before"]["outputs"])),
            format!("after   {}", text(&found["after"]["outputs"])),
        ];
        for (at, after) in found["after"]["explained"].as_array().into_iter().flatten().enumerate() {
            let before = &found["before"]["explained"][at];
            lines.push(format!(
                "\n{} on the scale of {}: base {}, before {}, after {}",
                text(&after["output"]),
                text(&found["scale"]),
                text(&after["base"]),
                text(&before["sum"]),
                text(&after["sum"])
            ));
            let of = |side: &Value, name: &Value| {
                let found =
                    side["contributions"].as_array().into_iter().flatten().find(|pair| pair[0] == *name);
                found.map_or_else(String::new, |pair| text(&pair[1]))
            };
            let names = after["contributions"].as_array().into_iter().flatten().map(|pair| &pair[0]);
            let rows = names.map(|name| vec![text(name), of(before, name), of(after, name)]);
            lines.push(table(&["column", "before", "after"], &rows.collect::<Vec<_>>()));
        }
        if !found["note"].is_null() {
            lines.push(format!("no contributions: {}", text(&found["note"])));
        }
        lines.join("\n")
    })
}

/// Prints what matters to a version.
pub fn importance(context: &Context, which: &ModelArgs) -> Result<u8> {
    context.job("model.importance", pick(which), |found| {
        let columns = found["columns"].as_array().into_iter().flatten().map(|one| {
            ["column", "fall", "deviation", "contribution"].iter().map(|field| text(&one[*field])).collect()
        });
        let fall = format!("fall of {}", text(&found["metric"]));
        table(&["column", &fall, "deviation", "mean contribution"], &columns.collect::<Vec<Vec<_>>>())
    })?;
    Ok(0)
}

/// Prints how answers follow a column.
pub fn effect(context: &Context, which: &ModelArgs, column: &str) -> Result<u8> {
    context.job("model.effect", with(pick(which), "column", column), |found| {
        let outputs: Vec<String> = found["outputs"].as_array().into_iter().flatten().map(text).collect();
        let heading: Vec<&str> = std::iter::once(column).chain(outputs.iter().map(String::as_str)).collect();
        let points = found["points"].as_array().into_iter().flatten().map(|point| {
            let means = point["means"].as_array().into_iter().flatten().map(text);
            std::iter::once(text(&point["value"])).chain(means).collect()
        });
        table(&heading, &points.collect::<Vec<Vec<_>>>())
    })?;
    Ok(0)
}

/// Signs an approval or takes it back, and prints all there are.
pub fn sign(context: &Context, command: &str, which: &ModelArgs, note: Option<&str>) -> Result<u8> {
    context.show(command, with(pick(which), "note", note), approvals)
}

/// What people signed, as a table.
pub fn approvals(found: &Value) -> String {
    let lines = found.as_array().into_iter().flatten().map(|one| {
        let verdict = if one["isApproval"] == true { "approves" } else { "withdraws" };
        let counts = match (one["isForged"] == true, one["counts"] == true) {
            (true, _) => "FORGED",
            (false, true) => "counts",
            (false, false) => "",
        };
        let said = [text(&one["note"]), text(&one["trouble"])];
        let said: Vec<String> = said.into_iter().filter(|part| !part.is_empty()).collect();
        vec![text(&one["person"]), verdict.to_owned(), counts.to_owned(), said.join("; ")]
    });
    match lines.collect::<Vec<_>>() {
        none if none.is_empty() => "nobody signed anything yet".to_owned(),
        some => table(&["person", "says", "", "note"], &some),
    }
}

/// Prints the card of a model and what in it is no longer true.
pub fn card(context: &Context, which: &ModelArgs) -> Result<u8> {
    let found: Value = context.backend.call("model.card", context.request(pick(which)))?;
    let is_stale = found["isStale"] == true;
    context.printer.result(&found, |found| {
        let written = text(&found["text"]);
        if written.is_empty() {
            return text(&found["draft"]);
        }
        let stale = found["claims"].as_array().into_iter().flatten().filter(|claim| claim["isStale"] == true);
        let stale = stale.map(|claim| {
            let now = if claim["now"].is_null() { "unknown".to_owned() } else { text(&claim["now"]) };
            format!(
                "STALE line {}: {} = {}, which is {now}",
                claim["line"],
                text(&claim["query"]),
                text(&claim["said"])
            )
        });
        std::iter::once(written).chain(stale).collect::<Vec<_>>().join("\n")
    });
    Ok(if is_stale { Code::GateFailed.exit_code() } else { 0 })
}

/// Looks at a passport file.
pub fn passport(path: &Path, printer: &Printer) -> Result<u8> {
    let found = json!(engine::judging::passport::verify(path)?);
    let is_genuine = found["isGenuine"] == true;
    printer.result(&found, |found| {
        let troubles = found["troubles"].as_array().into_iter().flatten();
        let mut lines: Vec<String> = troubles.map(|one| format!("WRONG: {}", text(one))).collect();
        lines.push(format!(
            "{} v{}, signed by {} with {}",
            text(&found["model"]),
            found["version"],
            text(&found["person"]),
            text(&found["key"])
        ));
        let approved = text(&found["approvedBy"]);
        lines.push(format!("approved by {}", if approved.is_empty() { "nobody" } else { &approved }));
        lines.push(format!(
            "tests: {}",
            if found["tests"].is_null() { "none".to_owned() } else { text(&found["tests"]) }
        ));
        lines.push(
            if is_genuine { "the passport is genuine" } else { "the passport is NOT genuine" }.to_owned(),
        );
        lines.join("\n")
    });
    Ok(if is_genuine { 0 } else { Code::Corrupt.exit_code() })
}

/// Walks the audit log.
pub fn verify_audit(context: &Context) -> Result<u8> {
    let found: Value = context.backend.call("audit.verify", json!({}))?;
    let is_whole = found["isWhole"] == true;
    context.printer.result(&found, |found| {
        let troubles = found["troubles"].as_array().into_iter().flatten().map(text);
        let last = match is_whole {
            true => format!("all {} rows are what was written", found["rows"]),
            false => "the audit log was changed".to_owned(),
        };
        troubles.chain([last]).collect::<Vec<_>>().join("\n")
    });
    Ok(if is_whole { 0 } else { Code::Corrupt.exit_code() })
}

/// Runs a verb of `fettle policy`.
pub fn policy(context: &Context, verb: &PolicyVerb) -> Result<u8> {
    match verb {
        PolicyVerb::Show => context.show("policy.show", json!({}), |found| text(&found["text"])),
        PolicyVerb::Set { file } => {
            context.show("policy.set", json!({ "text": read(file)? }), |_| "the policy is set".to_owned())
        }
    }
}

/// Runs a verb of `fettle identity`.
pub fn identity(context: &Context, verb: &IdentityVerb) -> Result<u8> {
    let reply: Value = match verb {
        IdentityVerb::Show => context.backend.call("identity.show", json!({}))?,
        IdentityVerb::New { person } => context.backend.call("identity.new", json!({ "person": person }))?,
    };
    if reply.is_null() {
        return Err(Error::not_found("nobody has said who signs on this machine")
            .hint("make a key with `fettle identity new NAME`"));
    }
    context
        .printer
        .result(&reply, |found| format!("{} = \"{}\"", text(&found["person"]), text(&found["key"])));
    Ok(0)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))
}
