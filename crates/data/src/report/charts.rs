//! Histograms as SVG. Heights are densities, so that bins of two profiles can be compared though
//! their edges differ.

use std::fmt::Write as _;

use super::page::{escaped, value};
use crate::profile::{ColumnProfile, Histogram};
use crate::schema::Kind;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 110.0;

/// The histogram of a column, with that of an earlier profile as a line over it.
pub(super) fn histogram(column: &ColumnProfile, before: Option<&ColumnProfile>) -> Option<String> {
    let now = drawable(column)?;
    let then = before.and_then(drawable);
    let all = [Some(now), then].into_iter().flatten();
    let low = all.clone().map(|h| h.edges[0]).fold(f64::INFINITY, f64::min);
    let high = all.clone().map(|h| h.edges[h.edges.len() - 1]).fold(f64::NEG_INFINITY, f64::max);
    let top = all.flat_map(densities).fold(0.0, f64::max);
    if !(high > low && top > 0.0) {
        return None;
    }
    let scale = Scale { low, high, top };
    let (start, end) = (value(column.kind, low), value(column.kind, high));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Histogram of {}, from {} to {}\">",
        HEIGHT + 18.0,
        escaped(&column.name),
        escaped(&start),
        escaped(&end)
    );
    svg.push_str(&scale.bars(now, HEIGHT));
    if let Some(then) = then {
        svg.push_str(&scale.outline(then));
    }
    // Writing to a string never fails.
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{HEIGHT}\" y2=\"{HEIGHT}\"/>\
         <text x=\"0\" y=\"{y}\">{}</text><text x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{}</text></svg>",
        escaped(&start),
        escaped(&end),
        y = HEIGHT + 14.0
    );
    Some(svg)
}

/// The same in a line of a table. What it shows is said in the other cells.
pub(super) fn spark(column: &ColumnProfile) -> String {
    let Some(histogram) = drawable(column) else { return shares(column) };
    let top = densities(histogram).into_iter().fold(0.0, f64::max);
    let (low, high) = (histogram.edges[0], histogram.edges[histogram.edges.len() - 1]);
    if !(high > low && top > 0.0) {
        return String::new();
    }
    let bars = Scale { low, high, top }.bars(histogram, 75.0);
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} 75\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bars}</svg>"
    )
}

/// The shares of the most frequent values, side by side.
fn shares(column: &ColumnProfile) -> String {
    if column.top.is_empty() || column.count == 0 || column.distinct == column.count {
        return String::new();
    }
    let mut bars = String::new();
    let mut x = 0.0;
    for (at, entry) in column.top.iter().take(8).enumerate() {
        let width = entry.count as f64 / column.count as f64 * WIDTH;
        let opacity = 1.0 - at as f64 * 0.11;
        // As above.
        let _ = write!(
            bars,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"15\" width=\"{:.1}\" height=\"45\" opacity=\"{opacity:.2}\"/>",
            (width - 2.0).max(0.5)
        );
        x += width;
    }
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} 75\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bars}</svg>"
    )
}

fn drawable(column: &ColumnProfile) -> Option<&Histogram> {
    let is_spread = |h: &&Histogram| h.edges.len() >= 2 && h.counts.len() + 1 == h.edges.len();
    column.histogram.as_ref().filter(is_spread).filter(|_| column.kind != Kind::Text)
}

/// The share of all values in each bin, over its width.
fn densities(histogram: &Histogram) -> Vec<f64> {
    let all: u64 = histogram.counts.iter().sum();
    let widths = histogram.edges.windows(2).map(|pair| pair[1] - pair[0]);
    let density = |(count, width): (&u64, f64)| *count as f64 / (all.max(1) as f64) / width;
    histogram.counts.iter().zip(widths).map(density).map(|d| if d.is_finite() { d } else { 0.0 }).collect()
}

struct Scale {
    low: f64,
    high: f64,
    top: f64,
}

impl Scale {
    fn x(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low) * WIDTH
    }

    /// All bars as one path, which is a third of the bytes of as many rectangles.
    fn bars(&self, histogram: &Histogram, height: f64) -> String {
        let mut path = String::new();
        for (edges, density) in histogram.edges.windows(2).zip(densities(histogram)) {
            let (x, end) = (self.x(edges[0]), self.x(edges[1]));
            let tall = density / self.top * height;
            if tall <= 0.0 {
                continue;
            }
            let gap = if end - x > 4.0 { 1.0 } else { 0.0 };
            let width = (end - x - gap).max(0.5);
            // Few values are still seen.
            let tall = tall.max(1.0);
            // As above.
            let _ = write!(path, "M{x:.1} {height}v-{tall:.1}h{width:.1}v{tall:.1}z");
        }
        format!("<path class=\"bar\" d=\"{path}\"/>")
    }

    fn outline(&self, histogram: &Histogram) -> String {
        let mut path = format!("M{:.1} {HEIGHT}", self.x(histogram.edges[0]));
        for (edges, density) in histogram.edges.windows(2).zip(densities(histogram)) {
            let y = HEIGHT - density / self.top * HEIGHT;
            // As above.
            let _ = write!(path, "L{:.1} {y:.1}L{:.1} {y:.1}", self.x(edges[0]), self.x(edges[1]));
        }
        format!(
            "<path class=\"then\" d=\"{path}L{:.1} {HEIGHT}\"/>",
            self.x(histogram.edges[histogram.edges.len() - 1])
        )
    }
}
