//! A report as one page without script, font or picture from elsewhere.

use base::Result;
use data::report::page::{escaped, section, tag, tile, whole};
use learn::figures::{Figure, render_svg};

use super::{Change, DIGITS, Measured, Report, named, step_word};
use crate::commands::runs::{RunState, StepRunView, StepState, TrainedModel};

/// A page is no longer than this; what does not go in is told.
const MOST_BYTES: usize = 2_000_000;
/// Rows of the list of steps.
const MOST_STEPS: usize = 500;

const FOOTER: &str = "<footer><p>Made by Fettle, on one machine, with nothing sent anywhere. The figures are \
    those of the run; nothing was computed anew.</p></footer>";

pub(super) fn write(report: &Report) -> Result<String> {
    let mut body = format!("<header><h1>{}</h1>{}</header>", escaped(&report.title()), subtitle(report));
    body.push_str(&tiles(report));
    if let Some(error) = &report.run.error {
        let hint = error.hint.as_deref().unwrap_or_default();
        body.push_str(&format!(
            "<ul class=\"notes\"><li><b>{}</b> {}</li></ul>",
            escaped(&error.message),
            escaped(hint)
        ));
    }
    if !report.run.models.is_empty() {
        body.push_str(&section("Models", &models(report)));
    }
    body.push_str(&script(report));
    let changed = report.changed_params();
    if !changed.is_empty() {
        let rows = changed.iter().map(|(step, name, then, now)| [step, name, then, now].map(|s| escaped(s)));
        body.push_str(&section(
            "Parameters that changed",
            &table(&["Step", "Parameter", "Before", "Now"], rows),
        ));
    }
    let mut after = String::new();
    if !report.run.steps.is_empty() {
        after.push_str(&section("Steps", &steps(report)));
    }
    let facts = report.run.environment.iter().map(|(name, value)| [escaped(name), escaped(value)]);
    after.push_str(&section("Where it ran", &table(&["What", "Value"], facts)));
    after.push_str(FOOTER);
    let room = MOST_BYTES.saturating_sub(body.len() + after.len() + 20_000);
    body.push_str(&figures(&report.figures, room)?);
    body.push_str(&after);
    Ok(whole(&report.title(), &body))
}

fn subtitle(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.run.summary.datasets.is_empty() {
        parts.push(format!("Data: {}.", escaped(&report.inputs())));
    }
    if let Some(against) = &report.against {
        parts.push(format!("Compared with {}.", escaped(&named(against))));
    }
    if let Some(note) = report.run.summary.note.as_ref().filter(|note| !note.is_empty()) {
        parts.push(escaped(note));
    }
    format!("<p class=\"soft\">{}</p>", parts.join(" "))
}

fn tiles(report: &Report) -> String {
    let summary = &report.run.summary;
    let class = match summary.state {
        RunState::Done => "good",
        RunState::Failed | RunState::Interrupted => "bad",
        _ => "warn",
    };
    let mut tiles = tile(&tag(class, super::state_word(summary.state)), "state");
    if let Some(took) = summary.duration_ms {
        tiles.push_str(&tile(&format!("{} s", base::number(took as f64 / 1000.0, 3)), "in all"));
    }
    if summary.steps > 0 {
        tiles.push_str(&tile(&format!("{} of {}", summary.cached, summary.steps), "steps from the cache"));
    }
    if let Some(best) = report.run.models.iter().find(|model| model.is_best)
        && let Some(first) = report.measured(best).first()
    {
        let label = match first.change() {
            Some((change, _)) => format!("{} of {} ({change})", first.title, best.step),
            None => format!("{} of {}", first.title, best.step),
        };
        tiles.push_str(&tile(&first.shown(), &escaped(&label)));
    }
    format!("<div class=\"tiles\">{tiles}</div>")
}

fn models(report: &Report) -> String {
    let metrics = report.metrics();
    let head: String = metrics.iter().map(|(_, title)| format!("<th class=\"n\">{title}</th>")).collect();
    let row = |model: &TrainedModel| {
        let best = if model.is_best { format!(" {}", tag("good", "best")) } else { String::new() };
        let measured = report.measured(model);
        let cells: String = metrics
            .iter()
            .map(|(name, _)| {
                let found = measured.iter().find(|one| one.name == *name);
                format!("<td class=\"n\">{}</td>", found.map_or("–".to_owned(), cell))
            })
            .collect();
        format!(
            "<tr><th scope=\"row\">{}{best}<small>{}</small></th>{cells}</tr>",
            escaped(&model.step),
            escaped(&model.trainer)
        )
    };
    let rows: String = report.run.models.iter().map(row).collect();
    format!(
        "<div class=\"wrap\"><table><thead><tr><th>Model</th>{head}</tr></thead><tbody>{rows}\
         </tbody></table></div>"
    )
}

fn cell(one: &Measured) -> String {
    match one.change() {
        Some((text, change)) => format!(
            "{}<small class=\"{}\">{text}</small>",
            one.shown(),
            if change == Change::Better { "good" } else { "bad" }
        ),
        None => one.shown(),
    }
}

/// What a script logged.
fn script(report: &Report) -> String {
    let Some(script) = &report.run.script else { return String::new() };
    let mut out = String::new();
    if !script.metrics.is_empty() {
        let rows = script.metrics.iter().map(|metric| {
            let value = metric.value.map_or("–".to_owned(), |value| base::number(value, DIGITS));
            [escaped(&metric.key), value, metric.step.to_string()]
        });
        out.push_str(&section("Metrics", &table(&["Metric", "Last value", "Step"], rows)));
    }
    if !script.params.is_empty() {
        let rows = script.params.iter().map(|(name, value)| [escaped(name), escaped(value)]);
        out.push_str(&section("Parameters", &table(&["Parameter", "Value"], rows)));
    }
    out
}

fn figures(all: &[(String, Vec<Figure>)], mut room: usize) -> Result<String> {
    let mut out = String::new();
    let mut left_out = 0;
    for (step, figures) in all {
        let mut drawn = String::new();
        for figure in figures {
            let svg = render_svg(figure)?;
            if svg.len() + 200 > room {
                left_out += 1;
                continue;
            }
            room -= svg.len() + 200;
            drawn.push_str(&format!("<figure>{svg}</figure>"));
        }
        if !drawn.is_empty() {
            out.push_str(&section(&escaped(step), &format!("<div class=\"figures\">{drawn}</div>")));
        }
    }
    if left_out > 0 {
        out.push_str(&format!("<p class=\"soft\">{left_out} figures would make the page too large.</p>"));
    }
    Ok(out)
}

fn steps(report: &Report) -> String {
    let rows = report.run.steps.iter().take(MOST_STEPS).map(|step: &StepRunView| {
        let class = match step.state {
            StepState::Done | StepState::Cached => "good",
            StepState::Failed | StepState::Interrupted => "bad",
            _ => "warn",
        };
        let why = match &step.error {
            Some(error) => escaped(&error.message),
            None => escaped(&step.reasons.join("; ")),
        };
        let seconds = step.duration_ms.map_or(String::new(), |ms| base::number(ms as f64 / 1000.0, 3));
        [escaped(&step.step), escaped(&step.kind), tag(class, step_word(step.state)), seconds, why]
    });
    table(&["Step", "Kind", "State", "Seconds", "Why"], rows)
}

/// A table; cells are HTML already.
fn table<const N: usize>(head: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let head: String = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    let rows: String = rows
        .map(|cells| {
            let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
            format!("<tr>{cells}</tr>")
        })
        .collect();
    format!("<div class=\"wrap\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
}
