//! A report as Markdown, as GitHub and GitLab render it under a change.

use super::{DIGITS, Measured, Report, named, step_word};

/// Steps that went well are listed up to this many; those that did not are always listed.
const MOST_STEPS: usize = 50;

pub(super) fn write(report: &Report) -> String {
    let mut out = format!("## {}: {}\n", line(&report.title()), report.outcome());
    if let Some(error) = &report.run.error {
        out.push_str(&format!("\n**{}**{}\n", line(&error.message), hint(error.hint.as_deref())));
    }
    let mut facts = Vec::new();
    if !report.run.summary.datasets.is_empty() {
        facts.push(format!("Data: {}", line(&report.inputs())));
    }
    if let Some(against) = &report.against {
        facts.push(format!("compared with {}", line(&named(against))));
    }
    if !facts.is_empty() {
        out.push_str(&format!("\n{}.\n", facts.join("; ")));
    }
    out.push_str(&models(report));
    out.push_str(&logged(report));
    let changed = report.changed_params();
    if !changed.is_empty() {
        out.push_str("\n| Step | Parameter | Before | Now |\n|---|---|---|---|\n");
        for (step, name, then, now) in changed {
            let cells = [step, name, then, now].map(|cell| line(&cell));
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    out.push_str(&steps(report));
    out
}

fn models(report: &Report) -> String {
    if report.run.models.is_empty() {
        return String::new();
    }
    let metrics = report.metrics();
    let mut out = String::from("\n| Model |");
    out.extend(metrics.iter().map(|(_, title)| format!(" {title} |")));
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(metrics.len()));
    out.push('\n');
    for model in &report.run.models {
        let best = if model.is_best { " **best**" } else { "" };
        out.push_str(&format!("| {} ({}){best} |", line(&model.step), line(&model.trainer)));
        let measured = report.measured(model);
        for (name, _) in &metrics {
            let found = measured.iter().find(|one| one.name == *name);
            out.push_str(&format!(" {} |", found.map_or("–".to_owned(), cell)));
        }
        out.push('\n');
    }
    out
}

fn cell(one: &Measured) -> String {
    match one.change() {
        Some((change, _)) => format!("{} ({change})", one.shown()),
        None => one.shown(),
    }
}

/// What a script logged.
fn logged(report: &Report) -> String {
    let Some(script) = report.run.script.as_ref().filter(|script| !script.metrics.is_empty()) else {
        return String::new();
    };
    let mut out = String::from("\n| Metric | Last value |\n|---|---:|\n");
    for metric in &script.metrics {
        let value = metric.value.map_or("–".to_owned(), |value| base::number(value, DIGITS));
        out.push_str(&format!("| {} | {value} |\n", line(&metric.key)));
    }
    out
}

fn steps(report: &Report) -> String {
    let steps = &report.run.steps;
    if steps.is_empty() {
        return String::new();
    }
    let is_well = |one: &&crate::commands::runs::StepRunView| one.error.is_none();
    let (well, ill): (Vec<_>, Vec<_>) = steps.iter().partition(is_well);
    let mut out = String::new();
    for step in ill {
        let Some(error) = &step.error else { continue };
        out.push_str(&format!(
            "\n- **{}** {}: {}{}",
            line(&step.step),
            step_word(step.state),
            line(&error.message),
            hint(error.hint.as_deref())
        ));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!(
        "\n<details><summary>{} steps</summary>\n\n| Step | State | Seconds | Why |\n|---|---|---:|---|\n",
        steps.len()
    ));
    for step in well.iter().take(MOST_STEPS) {
        let seconds = step.duration_ms.map_or(String::new(), |ms| base::number(ms as f64 / 1000.0, 3));
        out.push_str(&format!(
            "| {} | {} | {seconds} | {} |\n",
            line(&step.step),
            step_word(step.state),
            line(&step.reasons.join("; "))
        ));
    }
    if well.len() > MOST_STEPS {
        out.push_str(&format!("\n{} more went well.\n", well.len() - MOST_STEPS));
    }
    out.push_str("\n</details>\n");
    out
}

fn hint(hint: Option<&str>) -> String {
    hint.map_or(String::new(), |hint| format!(" ({})", line(hint)))
}

/// Text inside a line or a cell: nothing in it may end the line, the cell or begin HTML.
fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\|"),
            '<' => out.push_str("&lt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
