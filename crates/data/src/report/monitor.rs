//! The watch on an endpoint as one page of HTML: traffic, drift now and over time, alerts. Like the page
//! of a profile it has no script and nothing from elsewhere, and stays below 2 MB.

use std::fmt::Write as _;

use base::number;

use super::page::{self, cut, escaped, marked, section, tag, tile};
use super::{MAX_NOTE_CHARS, columns, compared};
use crate::drift::Level;
use crate::profile::{Comparison, Profile};

/// Windows that are drawn, the newest.
const MAX_WINDOWS: usize = 200;
/// Alerts that are listed, the newest.
const MAX_ALERTS: usize = 100;

/// What the page tells.
#[derive(Debug, Clone, Copy)]
pub struct MonitorPage<'a> {
    /// The name of the endpoint.
    pub title: &'a str,
    /// What it serves and of which time the page speaks, in a sentence; names in backticks.
    pub sentence: &'a str,
    /// Figures with what they count.
    pub figures: &'a [(String, String)],
    /// The rows now beside the training data: their profile and the comparison. None if there are too
    /// few rows.
    pub drift: Option<(&'a Profile, &'a Comparison)>,
    /// Drift over time, oldest first.
    pub windows: &'a [WindowBar],
    /// When, what was said, and what has become of it; newest first.
    pub alerts: &'a [(String, String, String)],
}

/// The column that moved most in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowBar {
    /// When the window began, in words.
    pub from: String,
    /// The column.
    pub column: String,
    /// Its stability index.
    pub psi: f64,
    /// The worst level of the window.
    pub level: Level,
}

/// The page.
pub fn monitor_html(page: &MonitorPage<'_>) -> String {
    let mut body = format!(
        "<header><h1>{}</h1><p class=\"soft\">{}</p></header>",
        escaped(page.title),
        marked(page.sentence)
    );
    let tiles: String =
        page.figures.iter().map(|(figure, label)| tile(&escaped(figure), &escaped(label))).collect();
    // Writing to a string never fails.
    let _ = write!(body, "<div class=\"tiles\">{tiles}</div>");
    match page.drift {
        Some((_, comparison)) => body.push_str(&section("Drift", &compared::section(comparison))),
        None => body.push_str(&section("Drift", "<p>Too few rows to speak of drift.</p>")),
    }
    if !page.windows.is_empty() {
        body.push_str(&section("Drift over time", &windows(page.windows)));
    }
    body.push_str(&section("Alerts", &alerts(page.alerts)));
    if let Some((profile, comparison)) = page.drift {
        body.push_str(&section("Column by column", &columns::cards(profile, Some(comparison))));
    }
    body.push_str(FOOTER);
    page::whole(page.title, &body)
}

const FOOTER: &str = "<footer><p>Bars are the traffic, lines the training data. If nothing has changed, at most 1 of \
    100 looks raises an alarm: p-values are raised for the number of columns (Holm). Made by Fettle, with nothing \
    sent anywhere.</p></footer>";

fn windows(all: &[WindowBar]) -> String {
    let shown = &all[all.len().saturating_sub(MAX_WINDOWS)..];
    let most = shown.iter().map(|window| window.psi).fold(0.3, f64::max);
    let width = 1000.0 / shown.len() as f64;
    let mut svg =
        "<svg viewBox=\"0 0 1000 120\" role=\"img\" aria-label=\"The largest PSI of any column in each \
                   window\">"
            .to_owned();
    for (at, window) in shown.iter().enumerate() {
        let height = (window.psi / most * 118.0).clamp(2.0, 118.0);
        let colour = match window.level {
            Level::Alarm => "var(--bad)",
            Level::Warning => "var(--warn)",
            Level::None => "var(--bar)",
        };
        // Writing to a string never fails.
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\"><title>{}: \
             {}, PSI {}</title></rect>",
            at as f64 * width,
            120.0 - height,
            (width - 2.0).max(1.0),
            escaped(&window.from),
            escaped(&cut(&window.column, MAX_NOTE_CHARS)),
            number(window.psi, 3)
        );
    }
    let ends = (&shown[0].from, &shown[shown.len() - 1].from);
    format!("{svg}</svg><p class=\"soft\">From {} to {}.</p>", escaped(ends.0), escaped(ends.1))
}

fn alerts(all: &[(String, String, String)]) -> String {
    if all.is_empty() {
        return "<p>None.</p>".to_owned();
    }
    let mut out =
        "<div class=\"wrap\"><table><thead><tr><th scope=\"col\">when</th><th scope=\"col\">what</th>\
                   <th scope=\"col\"></th></tr></thead><tbody>"
            .to_owned();
    for (when, what, state) in all.iter().take(MAX_ALERTS) {
        let class = if state == "open" { "bad" } else { "good" };
        // Writing to a string never fails.
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(when),
            marked(&cut(what, MAX_NOTE_CHARS)),
            tag(class, &escaped(state))
        );
    }
    out + "</tbody></table></div>"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{ColumnProfile, compare};
    use crate::schema::Kind;

    fn page(columns: usize, shift: f64) -> String {
        let made = |name: &str, from: f64| {
            let values: Vec<f64> = (0..200).map(|at| from + f64::from(at % 50)).collect();
            ColumnProfile::of_numbers(name, Kind::Number, &values, None)
        };
        let profile = |from: f64| {
            let names = (0..columns).map(|at| format!("<column> {at} {}", "x".repeat(100)));
            Profile {
                rows: 200,
                columns: names.map(|name| made(&name, from)).collect(),
                ..Profile::default()
            }
        };
        let (then, now) = (profile(0.0), profile(shift));
        let comparison = compare(&then, &now);
        let window = WindowBar { from: "Monday".into(), column: "<b>".into(), psi: 0.4, level: Level::Alarm };
        monitor_html(&MonitorPage {
            title: "churn & co",
            sentence: "serves `churn` version 3",
            figures: &[("200".into(), "rows".into())],
            drift: Some((&now, &comparison)),
            windows: &vec![window; columns],
            alerts: &vec![("now".into(), "`<x>` has drifted".into(), "open".into()); columns],
        })
    }

    #[test]
    fn the_page_tells_of_drift_windows_and_alerts_and_nothing_gets_out_of_its_text() {
        let html = page(2, 40.0);
        for part in ["churn &amp; co", "<b>churn</b> version 3", "a lot", "<rect", "has drifted", "open"] {
            assert!(html.contains(part), "{part} is not in it");
        }
        assert!(!html.contains("<column>") && !html.contains("<x>") && !html.contains("<script"));
        assert_eq!(html, page(2, 40.0), "the same bytes");
        assert!(!page(2, 0.0).contains("a lot"));
    }

    #[test]
    fn the_widest_page_stays_below_two_megabytes() {
        let size = page(2000, 40.0).len();
        assert!(size < 2_000_000, "{size}");
    }

    #[test]
    fn without_rows_it_says_so() {
        let (figures, windows, alerts) = (&[], &[], &[]);
        let html =
            monitor_html(&MonitorPage { title: "x", sentence: "", figures, drift: None, windows, alerts });
        assert!(html.contains("Too few rows") && html.contains("None."));
    }
}
