//! A report as JUnit's XML: a suite for the run, a case for each step.

use data::report::page::escaped;

use super::{Report, step_word};
use crate::commands::runs::{RunState, StepRunView, StepState};

pub(super) fn write(report: &Report) -> String {
    let steps = &report.run.steps;
    let count = |wanted: fn(StepState) -> bool| steps.iter().filter(|step| wanted(step.state)).count();
    // A run can fail before any step does: it is a case itself.
    let is_bad = matches!(report.run.summary.state, RunState::Failed | RunState::Interrupted);
    let is_alone = is_bad && !steps.iter().any(|step| is_failure(step.state));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" \
         failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\">\n",
        escaped(&report.title()),
        steps.len() + 1,
        count(is_failure) + usize::from(is_alone),
        count(is_skip),
        seconds(report.run.summary.duration_ms),
    );
    out.push_str(&properties(report));
    let inside = match &report.run.error {
        Some(error) if is_alone => failure(&error.message, error.hint.as_deref()),
        _ if is_alone => failure("the run did not come to its end", None),
        _ => format!("<system-out>{}</system-out>", escaped(&report.outcome())),
    };
    out.push_str(&format!("    <testcase classname=\"run\" name=\"run\">{inside}</testcase>\n"));
    for step in steps {
        out.push_str(&case(step));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(step: &StepRunView) -> String {
    let inside = match (&step.error, step.state) {
        (Some(error), state) if is_failure(state) => failure(&error.message, error.hint.as_deref()),
        (None, state) if is_failure(state) => failure(step_word(state), None),
        (_, state) if is_skip(state) => format!("<skipped message=\"{}\"/>", step_word(state)),
        _ => format!("<system-out>{}</system-out>", escaped(&step.reasons.join("; "))),
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\">{inside}</testcase>\n",
        escaped(&step.kind),
        escaped(&step.step),
        seconds(step.duration_ms)
    )
}

/// The metrics of the models, by step and name.
fn properties(report: &Report) -> String {
    let all = report.run.models.iter().flat_map(|model| {
        model.metrics.iter().map(|(name, value)| {
            let name = escaped(&format!("{}.{name}", model.step));
            format!("      <property name=\"{name}\" value=\"{value}\"/>\n")
        })
    });
    let all: String = all.collect();
    if all.is_empty() { all } else { format!("    <properties>\n{all}    </properties>\n") }
}

fn failure(message: &str, hint: Option<&str>) -> String {
    format!("<failure message=\"{}\">{}</failure>", escaped(message), escaped(hint.unwrap_or_default()))
}

fn is_failure(state: StepState) -> bool {
    matches!(state, StepState::Failed | StepState::Interrupted)
}

fn is_skip(state: StepState) -> bool {
    matches!(state, StepState::Blocked | StepState::Cancelled | StepState::Pending | StepState::Running)
}

fn seconds(ms: Option<i64>) -> String {
    format!("{:.3}", ms.unwrap_or_default() as f64 / 1000.0)
}
