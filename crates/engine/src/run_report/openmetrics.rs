//! A report as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), which
//! GitLab shows beside a change and Prometheus scrapes.

use super::Report;

pub(super) fn write(report: &Report) -> String {
    let pipeline = label(&report.run.summary.pipeline);
    let mut out = String::from("# TYPE fettle_metric gauge\n# HELP fettle_metric A metric of a model.\n");
    for model in &report.run.models {
        for (name, value) in &model.metrics {
            out.push_str(&format!(
                "fettle_metric{{pipeline=\"{pipeline}\",step=\"{}\",metric=\"{}\"}} {}\n",
                label(&model.step),
                label(name),
                number(*value)
            ));
        }
    }
    for metric in report.run.script.iter().flat_map(|script| &script.metrics) {
        if let Some(value) = metric.value {
            let key = label(&metric.key);
            out.push_str(&format!("fettle_metric{{metric=\"{key}\"}} {}\n", number(value)));
        }
    }
    out.push_str("# TYPE fettle_step_seconds gauge\n# UNIT fettle_step_seconds seconds\n");
    for step in &report.run.steps {
        if let Some(ms) = step.duration_ms {
            out.push_str(&format!(
                "fettle_step_seconds{{pipeline=\"{pipeline}\",step=\"{}\"}} {}\n",
                label(&step.step),
                ms as f64 / 1000.0
            ));
        }
    }
    out.push_str("# EOF\n");
    out
}

/// A value as the format writes it.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
