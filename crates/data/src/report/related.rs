//! What lies across columns: which are missing together, and which go together.

use std::fmt::Write as _;

use base::count;

use super::page::{cut, escaped, percent, section};
use crate::profile::{Matrix, Missing, Relations};

/// A matrix of more columns is shown as its strongest pairs only.
const MAX_MATRIX: usize = 20;
/// Pairs that are listed.
const MAX_PAIRS: usize = 20;
/// Weaker pairs are not worth a line.
const MIN_SHOWN: f64 = 0.1;

/// Which columns are missing together; nothing if no value is missing.
pub(super) fn missing(missing: &Missing, rows: u64) -> String {
    if missing.patterns.is_empty() {
        return String::new();
    }
    let share = |count: u64| percent(count as f64 / rows.max(1) as f64);
    let mut lines = String::new();
    for pattern in &missing.patterns {
        let names: Vec<String> =
            pattern.columns.iter().take(12).map(|name| escaped(&cut(name, 60))).collect();
        let more = pattern.columns.len() - names.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        // Writing to a string never fails.
        let _ = write!(
            lines,
            "<tr><td>{}{rest}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            names.join(", "),
            count(pattern.rows),
            share(pattern.rows)
        );
    }
    if missing.other_rows > 0 {
        let (other, share) = (count(missing.other_rows), share(missing.other_rows));
        let _ = write!(
            lines,
            "<tr><td class=\"soft\">other sets</td><td class=\"n\">{other}</td><td class=\"n\">{share}</td></tr>"
        );
    }
    let body = format!(
        "<p>{} of {} rows are complete ({}).</p><div class=\"wrap\"><table><caption>Rows in which exactly these \
         columns are missing</caption><thead><tr><th scope=\"col\">missing together</th>\
         <th scope=\"col\" class=\"n\">rows</th><th scope=\"col\" class=\"n\">share</th></tr></thead>\
         <tbody>{lines}</tbody></table></div>",
        count(missing.complete_rows),
        count(rows),
        share(missing.complete_rows)
    );
    section("Missing together", &body)
}

/// How columns go together; nothing if there is nothing to relate.
pub(super) fn relations(relations: &Relations, rows: u64) -> String {
    let parts = [
        (&relations.spearman, "Correlation of ranks (Spearman)"),
        (&relations.pearson, "Linear correlation (Pearson)"),
        (&relations.cramers_v, "Association of categories (Cramér’s V)"),
    ];
    let shown: Vec<String> = parts.iter().filter_map(|(matrix, title)| part(matrix, title)).collect();
    if shown.is_empty() {
        return String::new();
    }
    let sample = if relations.rows < rows {
        format!(
            "<p class=\"soft\">Looked at {} evenly spaced rows: a correlation may be off by 0.01.</p>",
            count(relations.rows)
        )
    } else {
        String::new()
    };
    let left_out = match relations.left_out.len() {
        0 => String::new(),
        more => format!("<p class=\"soft\">{more} columns beyond the first hundred are left out.</p>"),
    };
    section("Going together", &format!("{sample}{}{left_out}", shown.concat()))
}

fn part(matrix: &Matrix, title: &str) -> Option<String> {
    if matrix.columns.len() < 2 {
        return None;
    }
    let body = if matrix.columns.len() <= MAX_MATRIX { grid(matrix) } else { pairs(matrix) };
    Some(format!("<h3>{title}</h3>{body}"))
}

fn grid(matrix: &Matrix) -> String {
    let name = |at: usize| escaped(&cut(&matrix.columns[at], 40));
    let last = matrix.columns.len() - 1;
    let head: String = (0..last).map(|at| format!("<th scope=\"col\">{}</th>", name(at))).collect();
    let mut rows = String::new();
    for row in 1..=last {
        // As above.
        let _ = write!(rows, "<tr><th scope=\"row\">{}</th>", name(row));
        for column in 0..last {
            match matrix.get(row, column) {
                _ if column >= row => rows.push_str("<td></td>"),
                Some(value) => {
                    let class = if value < 0.0 { "m" } else { "p" };
                    let strength = value.abs() * 0.75;
                    let _ = write!(
                        rows,
                        "<td class=\"{class}\" style=\"--a:{strength:.2}\">{}</td>",
                        written(value)
                    );
                }
                None => rows.push_str("<td class=\"soft\">·</td>"),
            }
        }
        rows.push_str("</tr>");
    }
    format!(
        "<div class=\"wrap\"><table class=\"matrix\"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The strongest pairs, of a matrix that is too wide to show.
fn pairs(matrix: &Matrix) -> String {
    let columns = matrix.columns.len();
    let all = (0..columns).flat_map(|a| (a + 1..columns).map(move |b| (a, b)));
    let mut strong: Vec<(f64, usize, usize)> = all
        .filter_map(|(a, b)| Some((matrix.get(a, b)?, a, b)))
        .filter(|(value, ..)| value.abs() >= MIN_SHOWN)
        .collect();
    strong.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then((a.1, a.2).cmp(&(b.1, b.2))));
    if strong.is_empty() {
        return "<p class=\"soft\">No pair of columns goes together.</p>".to_owned();
    }
    let mut rows = String::new();
    for (value, a, b) in strong.into_iter().take(MAX_PAIRS) {
        let name = |at: usize| escaped(&cut(&matrix.columns[at], 60));
        // As above.
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            name(a),
            name(b),
            written(value)
        );
    }
    format!(
        "<div class=\"wrap\"><table><caption>The strongest pairs</caption><thead><tr><th scope=\"col\">column</th>\
         <th scope=\"col\">and</th><th scope=\"col\" class=\"n\">value</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

fn written(value: f64) -> String {
    // Minus zero is zero.
    let value = (value * 100.0).round() / 100.0 + 0.0;
    format!("{value:.2}").replace('-', "−")
}
