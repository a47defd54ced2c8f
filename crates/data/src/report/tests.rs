//! What the page shows, and that nothing in a table can break it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use base::Progress;

use super::*;
use crate::profile::{ColumnProfile, compare, profile};
use crate::schema::{Column, Kind, TableMeta, arrow_schema};

/// A profile of 300 rows with numbers, groups, dates and something odd in every name and text.
fn profiled(shift: f64) -> Profile {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let columns = vec![
        Column::new("mass <g>", Kind::Number),
        Column::new("group & \"co\"", Kind::Text),
        Column::new("day", Kind::Time),
        Column::new("gone", Kind::Number),
    ];
    let mass = (0..300).map(|at| (at % 30 != 0).then_some(f64::from(at * 37 % 300) + shift));
    let group = (0..300)
        .map(|at| (at % 60 != 0).then_some(["</main><script>alert(1)</script>", "b", "\u{1}"][at % 3]));
    let day = (0..300).map(|at| 1_795_392_000_000 + at * 86_400_000);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(mass.collect::<Float64Array>()),
        Arc::new(group.collect::<StringArray>()),
        Arc::new(TimestampMillisecondArray::from_iter_values(day)),
        Arc::new(Float64Array::from(vec![None; 300])),
    ];
    let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("fits");
    let table = crate::table::write(dir.path(), TableMeta::new(columns), [Ok(batch)]).expect("writes");
    profile(&table, &Progress::silent()).expect("profiles")
}

#[test]
fn the_page_says_what_the_profile_says() {
    let html = profile_html(&profiled(0.0), "penguins", None);
    let said = [
        "<h1>penguins</h1>",
        "mass &lt;g&gt;",
        "Profile of 300 rows and 4 columns",
        "every value of <b>gone</b> is missing",
        "2026-11-23",
        "0 of 300 rows are complete",
        "Going together",
    ];
    for words in said {
        assert!(html.contains(words), "{words} is missing");
    }
    assert!(!html.contains("What changed"));
    assert_eq!(html, profile_html(&profiled(0.0), "penguins", None), "the same bytes");
}

#[test]
fn no_text_of_a_table_becomes_markup() {
    let html = profile_html(&profiled(0.0), "</title><script>", None);
    assert!(!html.contains("<script"), "no script, ours or theirs");
    assert!(!html.contains('\u{1}'));
    assert_eq!(html.matches("</main>").count(), 1);
    for outside in ["http://", "https://", "url(", "@import", "src=", "onerror"] {
        assert!(!html.contains(outside), "{outside}: nothing comes from elsewhere");
    }
}

#[test]
fn tags_are_balanced() {
    let (now, then) = (profiled(50.0), profiled(0.0));
    let html = profile_html(&now, "x", Some(&compare(&then, &now)));
    for name in [
        "section", "details", "table", "tr", "td", "th", "div", "svg", "dl", "dt", "dd", "ol", "li", "ul",
        "p", "h2", "h3", "span",
    ] {
        let opened = html.matches(&format!("<{name}>")).count() + html.matches(&format!("<{name} ")).count();
        assert_eq!(opened, html.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn a_comparison_says_what_moved() {
    let (then, now) = (profiled(0.0), profiled(200.0));
    let mut comparison = compare(&then, &now);
    comparison.added.push("new & shiny".to_owned());
    let html = profile_html(&now, "x", Some(&comparison));
    assert!(html.contains("What changed") && html.contains("<span class=\"tag bad\">a lot</span>"));
    assert!(html.contains("Only now: <b>new &amp; shiny</b>") && html.contains("class=\"then\""));
}

#[test]
fn twenty_columns_fit_into_300_kb_and_thousands_into_2_mb() {
    let long = "<&>\"".repeat(60);
    let values: Vec<String> = (0..50).map(|at| format!("{at}{long}")).collect();
    let wide = |count: usize| {
        let mut profile = profiled(0.0);
        profile.columns = (0..count)
            .map(|at| match at % 2 {
                0 => ColumnProfile::of_numbers(
                    &format!("{long}{at}"),
                    Kind::Number,
                    &(0..100).map(f64::from).collect::<Vec<_>>(),
                    None,
                ),
                _ => ColumnProfile::of_texts(
                    &format!("text {at}"),
                    values.iter().chain(&values).map(|v| Some(v.as_str())),
                    None,
                ),
            })
            .collect();
        profile_html(&profile, "wide", Some(&compare(&profile, &profile))).len()
    };
    assert!(wide(20) < 300_000, "{}", wide(20));
    assert!(wide(5000) < 2_000_000, "{}", wide(5000));
}

#[test]
fn a_table_without_rows_or_columns_has_a_page_too() {
    let html = profile_html(&Profile::default(), "nothing", None);
    assert!(html.contains("0 rows and 0 columns") && html.ends_with("</html>\n"));
}
