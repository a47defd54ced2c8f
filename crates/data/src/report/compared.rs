//! What changed since an earlier profile.

use std::fmt::Write as _;

use base::number;

use super::MAX_LISTED_COLUMNS;
use super::columns::missing_share;
use super::page::{cut, escaped, percent, tag, value};
use crate::drift::Level;
use crate::profile::{ColumnComparison, Comparison};

/// Names of columns that a sentence lists.
const MAX_NAMES: usize = 50;
/// A name is cut after this many characters.
const MAX_NAME_CHARS: usize = 120;

/// The section: columns that came and went, and how far each of the others has moved.
pub(super) fn section(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (words, names) in [("Only now", &comparison.added), ("Only before", &comparison.removed)] {
        if !names.is_empty() {
            // Writing to a string never fails.
            let _ = write!(out, "<p>{words}: {}</p>", named(names));
        }
    }
    for change in comparison.retyped.iter().take(MAX_NAMES) {
        let _ = write!(
            out,
            "<p><b>{}</b> was {} and is {}.</p>",
            escaped(&cut(&change.name, MAX_NAME_CHARS)),
            change.before.word(),
            change.after.word()
        );
    }
    let mut columns: Vec<&ColumnComparison> = comparison.columns.iter().collect();
    columns.sort_by(|a, b| b.drift.level.cmp(&a.drift.level).then(b.drift.psi.total_cmp(&a.drift.psi)));
    if columns.is_empty() {
        return out + "<p>No column is in both.</p>";
    }
    out.push_str(
        "<div class=\"wrap\"><table><caption>PSI is the population stability index: above 0.1 a small shift, \
         above 0.25 a large one. A column has moved if chance does not explain it either.</caption>\
         <thead><tr><th scope=\"col\">column</th><th scope=\"col\">moved</th><th scope=\"col\" class=\"n\">PSI</th>\
         <th scope=\"col\" class=\"n\">p-value</th><th scope=\"col\" class=\"n\">missing</th>\
         <th scope=\"col\" class=\"n\">mean</th></tr></thead><tbody>",
    );
    columns.into_iter().take(MAX_LISTED_COLUMNS).for_each(|column| out.push_str(&row(column)));
    out + "</tbody></table></div>"
}

fn row(column: &ColumnComparison) -> String {
    let drift = &column.drift;
    let moved = match drift.level {
        Level::Alarm => tag("bad", "a lot"),
        Level::Warning => tag("warn", "a little"),
        Level::None => tag("good", "no"),
    };
    let pair = |before: String, after: String| {
        if before == after { after } else { format!("{before} → {after}") }
    };
    let missing = pair(percent(missing_share(&column.before)), percent(missing_share(&column.after)));
    let mean = match (column.before.mean, column.after.mean) {
        (Some(before), Some(after)) => {
            pair(value(column.before.kind, before), value(column.after.kind, after))
        }
        _ => String::new(),
    };
    let p_value = drift
        .adjusted_p
        .map_or_else(String::new, |p| if p < 0.001 { "&lt;0.001".to_owned() } else { number(p, 2) });
    format!(
        "<tr><th scope=\"row\">{}</th><td>{moved}</td><td class=\"n\">{}</td><td class=\"n\">{p_value}</td>\
         <td class=\"n\">{missing}</td><td class=\"n\">{mean}</td></tr>",
        escaped(&cut(&column.after.name, MAX_NAME_CHARS)),
        number(drift.psi, 3)
    )
}

fn named(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MAX_NAMES)
        .map(|name| format!("<b>{}</b>", escaped(&cut(name, MAX_NAME_CHARS))))
        .collect();
    let rest = names.len() - shown.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
