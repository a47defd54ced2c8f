//! A profile as one page of HTML that can be sent to somebody: no script, no font or picture from
//! elsewhere, light and dark, made to be printed. The same profile gives the same bytes. The page
//! stays below 2 MB: of very wide tables it shows the first columns in full.

mod charts;
mod columns;
mod compared;
mod monitor;
pub mod page;
mod related;

use base::count;

pub use monitor::{MonitorPage, WindowBar, monitor_html};

use crate::profile::{Comparison, Profile};
use page::{escaped, percent, section, tile};

/// Columns that are shown in full.
pub const MAX_FULL_COLUMNS: usize = 100;
/// Columns of the list.
pub const MAX_LISTED_COLUMNS: usize = 400;
/// A sentence about a column is cut after this many characters: names can be long.
const MAX_NOTE_CHARS: usize = 300;

/// The page. `title` is the name of the dataset, say; with a comparison the page says what changed
/// since the profile that it began with.
pub fn profile_html(profile: &Profile, title: &str, comparison: Option<&Comparison>) -> String {
    let mut body = format!("<header><h1>{}</h1>{}</header>", escaped(title), subtitle(profile));
    body.push_str(&tiles(profile, comparison));
    body.push_str(&notes(profile));
    if let Some(comparison) = comparison {
        body.push_str(&section("What changed", &compared::section(comparison)));
    }
    body.push_str(&section("Columns", &columns::list(profile)));
    body.push_str(&section("Column by column", &columns::cards(profile, comparison)));
    if let Some(missing) = &profile.missing {
        body.push_str(&related::missing(missing, profile.rows));
    }
    if let Some(relations) = &profile.relations {
        body.push_str(&related::relations(relations, profile.rows));
    }
    body.push_str(FOOTER);
    page::whole(title, &body)
}

const FOOTER: &str = "<footer><p>Quantiles are interpolated linearly (type 7). Histograms reach from the 1st to \
    the 99th percentile; what lies outside is counted in the first and the last bin. Missing values count in no \
    figure but their own. Made by Fettle, on one machine, with nothing sent anywhere.</p></footer>";

fn subtitle(profile: &Profile) -> String {
    let exactness = if profile.exact {
        "Every figure is exact."
    } else {
        "Figures of very long columns are estimated: counts of different values by a sketch, quantiles from \
         evenly spaced rows."
    };
    format!(
        "<p class=\"soft\">Profile of {} rows and {} columns. {exactness}</p>",
        count(profile.rows),
        profile.columns.len()
    )
}

fn tiles(profile: &Profile, comparison: Option<&Comparison>) -> String {
    let cells: u64 = profile.columns.iter().map(|c| c.count + c.missing).sum();
    let missing: u64 = profile.columns.iter().map(|c| c.missing).sum();
    let mut tiles = tile(&count(profile.rows), "rows");
    if let Some(comparison) = comparison {
        let change = comparison.rows_after as i128 - comparison.rows_before as i128;
        let sign = if change < 0 { "−" } else { "+" };
        let size = u64::try_from(change.unsigned_abs()).unwrap_or(u64::MAX);
        tiles.push_str(&tile(&format!("{sign}{}", count(size)), "rows since before"));
    }
    tiles.push_str(&tile(&count(profile.columns.len() as u64), "columns"));
    let share = if cells == 0 { 0.0 } else { missing as f64 / cells as f64 };
    tiles.push_str(&tile(&percent(share), "of cells missing"));
    if let Some(copies) = profile.duplicate_rows {
        tiles.push_str(&tile(&count(copies), "copies of rows"));
    }
    let personal = profile.columns.iter().filter(|column| column.is_personal()).count();
    if personal > 0 {
        tiles.push_str(&tile(&personal.to_string(), "columns with personal data"));
    }
    format!("<div class=\"tiles\">{tiles}</div>")
}

/// What is worth a look, as the profile says it.
fn notes(profile: &Profile) -> String {
    let mut warnings = profile.warnings(None).into_iter().map(|warning| warning.message);
    let shown: Vec<String> = warnings
        .by_ref()
        .take(30)
        .map(|message| format!("<li>{}</li>", page::marked(&page::cut(&message, MAX_NOTE_CHARS))))
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    let rest = warnings.count();
    let more = if rest > 0 { format!("<li>and {rest} more</li>") } else { String::new() };
    section("Worth a look", &format!("<ul class=\"notes\">{}{more}</ul>", shown.concat()))
}

#[cfg(test)]
mod tests;
