//! A first file of tests for a model: what a careful person would ask of it, with limits drawn from
//! what it does now. It is meant to be read and corrected.

use std::fmt::Write as _;

use score::Card;

use super::rows::{Rows, metric_named};

/// The text of the file. Everything it asks for is near what the model does on these rows.
pub fn suggest(card: &Card, rows: &Rows) -> String {
    let mut text = "format = 1\n".to_owned();
    let mut add = |entry: &str| {
        write!(text, "\n[[test]]\n{entry}\n").expect("writing to a string does not fail");
    };
    let main = if card.classes.is_empty() { "r2" } else { "auc" };
    if let Ok(metric) = metric_named(main, &rows.truth)
        && let Ok(value) = rows.metric(metric)
    {
        // Nine tenths of the way from what tells nothing to what it does now.
        let nothing = if card.classes.is_empty() { 0.0 } else { 0.5 };
        let least = ((nothing + (value - nothing) * 0.9) * 100.0).floor() / 100.0;
        add(&format!("kind = \"metric\"\nmetric = \"{main}\"\nat_least = {least}"));
    }
    add("kind = \"champion\"\nmin_gain = -0.01");
    add("kind = \"slices\"\nmax_drop = 0.15\nseverity = \"warn\"");
    if !card.classes.is_empty() {
        add("kind = \"calibration\"\nmax_ece = 0.1\nseverity = \"warn\"");
    }
    // An honest column may tell one class from the others nearly by itself: somebody should look.
    add("kind = \"leakage\"\nmax_power = 0.98\nseverity = \"warn\"");
    add("kind = \"missing\"\nshare = 0.1\nmax_drop = 0.15\nseverity = \"warn\"");
    add("kind = \"golden\"");
    add("kind = \"parity\"");
    add("kind = \"latency\"\nmax_p95_ms = 50\nseverity = \"warn\"");
    add("kind = \"size\"\nmax_megabytes = 100");
    text
}
