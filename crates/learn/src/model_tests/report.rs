//! What came of tests, as one page of HTML, as Markdown, and as JUnit's XML, which every CI shows. The
//! same results give the same bytes. JSON is the report itself.

use std::fmt::Write as _;

use base::Timestamp;
use data::checks::Outcome;
use serde::{Deserialize, Serialize};

use super::run::TestResult;

/// What came of the tests of a model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// The model.
    pub model: String,
    /// The version.
    pub version: u32,
    /// The hash of the package.
    pub package: String,
    /// The hash of the file of tests.
    pub tests: String,
    /// The rows that were tested on, in words.
    pub rows_of: String,
    /// How many.
    pub rows: u64,
    /// The hash of those rows.
    pub rows_hash: String,
    /// The champion that it was compared with, if there was one.
    pub champion: Option<String>,
    /// When, ms since the epoch.
    pub at: i64,
    /// True if nothing keeps the model from moving on.
    pub is_passed: bool,
    /// In the order of the file.
    pub results: Vec<TestResult>,
}

impl TestReport {
    fn count(&self, outcome: Outcome) -> usize {
        self.results.iter().filter(|result| result.outcome == outcome).count()
    }

    /// What came of it, in a sentence.
    pub fn summary(&self) -> String {
        let (passed, all) = (self.count(Outcome::Passed), self.results.len());
        let blocking = self.results.iter().filter(|result| result.is_blocking()).count();
        match (passed == all, blocking) {
            (true, _) => format!("all {all} tests pass"),
            (false, 0) => format!("{passed} of {all} tests pass, the others only warn"),
            (false, 1) => format!("{passed} of {all} tests pass, 1 keeps the model from moving on"),
            (false, blocking) => {
                format!("{passed} of {all} tests pass, {blocking} keep the model from moving on")
            }
        }
    }
}

fn word(result: &TestResult) -> &'static str {
    match (result.outcome, result.is_blocking()) {
        (Outcome::Passed, _) => "passed",
        (Outcome::Failed, true) => "failed",
        (Outcome::Failed, false) => "warning",
        (Outcome::Error, _) => "not run",
    }
}

/// As Markdown, for a comment or a page.
pub fn markdown(report: &TestReport) -> String {
    let mut out = format!(
        "# Tests of {} v{}\n\n{}: {} rows of {}, {}.\n\n| outcome | test | found | ms |\n|---|---|---|---|\n",
        line(&report.model),
        report.version,
        line(&report.summary()),
        base::count(report.rows),
        line(&report.rows_of),
        Timestamp(report.at)
    );
    for result in &report.results {
        add(
            &mut out,
            format_args!(
                "| {} | {} | {} | {} |\n",
                word(result),
                line(result.title()),
                line(&result.measured),
                result.duration_ms
            ),
        );
    }
    for result in report.results.iter().filter(|result| result.outcome != Outcome::Passed) {
        let broken: Vec<_> = result.groups.iter().filter(|group| group.is_broken).collect();
        if broken.is_empty() && result.rows.is_empty() {
            continue;
        }
        add(&mut out, format_args!("\n## {}\n\n", line(result.title())));
        for group in broken {
            let value = base::number(group.value, 4);
            add(
                &mut out,
                format_args!(
                    "- {}: {} {value} over {} rows\n",
                    line(&group.name),
                    line(&group.measure),
                    group.rows
                ),
            );
        }
        for row in &result.rows {
            let cells = row.cells.iter().map(|(name, value)| format!("{} = {}", line(name), line(value)));
            add(&mut out, format_args!("- row {}: {}\n", row.row, cells.collect::<Vec<_>>().join(", ")));
        }
    }
    out
}

/// As JUnit's XML.
pub fn junit(report: &TestReport) -> String {
    let seconds = |ms: u64| format!("{:.3}", ms as f64 / 1000.0);
    let failures =
        report.results.iter().filter(|result| result.is_blocking() && result.outcome == Outcome::Failed);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
        escaped(&format!("{} v{}", report.model, report.version)),
        report.results.len(),
        failures.count(),
        report.count(Outcome::Error),
        seconds(report.results.iter().map(|result| result.duration_ms).sum()),
    );
    for result in &report.results {
        let (name, said) = (escaped(result.title()), escaped(&result.measured));
        let time = seconds(result.duration_ms);
        add(
            &mut out,
            format_args!("    <testcase classname=\"{}\" name=\"{name}\" time=\"{time}\">", result.kind),
        );
        match (result.outcome, result.is_blocking()) {
            (Outcome::Passed, _) => add(&mut out, format_args!("<system-out>{said}</system-out>")),
            (Outcome::Failed, true) => {
                add(
                    &mut out,
                    format_args!("<failure message=\"{said}\">{}</failure>", escaped(&evidence(result))),
                );
            }
            // JUnit knows no warnings: what only warns passes, and says so.
            (Outcome::Failed, false) => {
                add(&mut out, format_args!("<system-out>warning: {said}</system-out>"))
            }
            (Outcome::Error, _) => add(&mut out, format_args!("<error message=\"{said}\"/>")),
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn evidence(result: &TestResult) -> String {
    let groups = result.groups.iter().filter(|group| group.is_broken).map(|group| {
        format!("{}: {} {} over {} rows", group.name, group.measure, base::number(group.value, 4), group.rows)
    });
    let rows = result.rows.iter().map(|row| {
        let cells = row.cells.iter().map(|(name, value)| format!("{name} = {value}"));
        format!("row {}: {}", row.row, cells.collect::<Vec<_>>().join(", "))
    });
    groups.chain(rows).collect::<Vec<_>>().join("\n")
}

/// As one page that needs nothing from elsewhere.
pub fn html(report: &TestReport) -> String {
    let mut body = format!(
        "<h1>Tests of {} v{}</h1><p class=\"{}\">{}</p><p>{} rows of {}. {}. Package {}.</p>\n<table><thead><tr>\
         <th>outcome</th><th>test</th><th>found</th><th>ms</th></tr></thead><tbody>",
        escaped(&report.model),
        report.version,
        if report.is_passed { "passed" } else { "failed" },
        escaped(&report.summary()),
        base::count(report.rows),
        escaped(&report.rows_of),
        Timestamp(report.at),
        escaped(report.package.get(..12).unwrap_or(&report.package)),
    );
    for result in &report.results {
        let class = word(result).replace(' ', "-");
        add(
            &mut body,
            format_args!(
                "<tr><td class=\"{class}\">{}</td><td>{}{}</td><td>{}{}</td><td>{}</td></tr>\n",
                word(result),
                marked(result.title()),
                rule(result),
                marked(&result.measured),
                groups(result),
                result.duration_ms
            ),
        );
    }
    body.push_str("</tbody></table>");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>Tests of {} v{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        escaped(&report.model),
        report.version
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem}main{max-width:70rem;margin:auto}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;\
border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}small{opacity:.7}\
.passed{color:#1a7f37}.failed,.not-run{color:#cf222e;font-weight:600}.warning{color:#9a6700}\
details{margin-top:.3rem}@media(prefers-color-scheme:dark){.passed{color:#3fb950}\
.failed,.not-run{color:#ff7b72}.warning{color:#d29922}}@media print{details{display:block}}";

/// What must hold, under a test that is called something else.
fn rule(result: &TestResult) -> String {
    match &result.name {
        Some(_) => format!("<br><small>{}</small>", marked(&result.rule)),
        None => String::new(),
    }
}

/// A sentence in which names stand in backticks.
fn marked(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    let part = |(at, part): (usize, &str)| match at % 2 {
        1 => format!("<code>{}</code>", escaped(part)),
        _ => escaped(part),
    };
    parts.map(part).collect()
}

fn groups(result: &TestResult) -> String {
    if result.groups.is_empty() && result.rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details{}><summary>evidence</summary><ul>",
        if result.is_blocking() { " open" } else { "" }
    );
    for group in &result.groups {
        let (open, close) = if group.is_broken { ("<b>", "</b>") } else { ("", "") };
        add(
            &mut out,
            format_args!(
                "<li>{open}{}: {} {} over {} rows{close}</li>",
                marked(&group.name),
                escaped(&group.measure),
                base::number(group.value, 4),
                group.rows
            ),
        );
    }
    for row in &result.rows {
        let cells = row.cells.iter().map(|(name, value)| format!("{} = {}", escaped(name), escaped(value)));
        add(&mut out, format_args!("<li>row {}: {}</li>", row.row, cells.collect::<Vec<_>>().join(", ")));
    }
    out.push_str("</ul></details>");
    out
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string does not fail");
}

/// Text in one line of Markdown, in which nothing but backticks means anything.
fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '[' | ']' | '<' | '>' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text as content or attribute of HTML and XML, which hold no control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
