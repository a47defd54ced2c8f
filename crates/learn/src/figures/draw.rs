//! Draws figures as SVG and PNG. The letters come from a font inside the program, so a picture
//! is the same on every system.

use std::path::Path;
use std::sync::Once;

use base::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, BitMapBackend, ChartBuilder, Circle, Color as _, DrawingArea, DrawingAreaErrorKind,
    DrawingBackend, FontStyle, IntoDrawingArea as _, LineSeries, PathElement, RGBColor, Rectangle,
    SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont as _, register_font};

use super::Figure;

const SIZE: (u32, u32) = (640, 420);
const FONT: &str = "DejaVu Sans";
/// The two colours differ in lightness too, so that they are told apart without hue.
const FIRST: RGBColor = RGBColor(0x1f, 0x5f, 0xbf);
const SECOND: RGBColor = RGBColor(0xe0, 0x8a, 0x1e);
const GUIDE: RGBColor = RGBColor(0x99, 0x99, 0x99);
/// More bars than this do not fit under each other.
const MOST_BARS: usize = 20;

type Drawn<DB> = std::result::Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A figure as SVG text.
///
/// # Errors
/// If it cannot be drawn.
pub fn render_svg(figure: &Figure) -> Result<String> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    draw(&area, figure).and_then(|()| area.present()).map_err(|error| failed(figure, &error))?;
    drop(area);
    Ok(text)
}

/// A figure as a PNG file.
///
/// # Errors
/// If it cannot be drawn or written.
pub fn render_png(figure: &Figure, path: &Path) -> Result<()> {
    let area = BitMapBackend::new(path, SIZE).into_drawing_area();
    draw(&area, figure).and_then(|()| area.present()).map_err(|error| failed(figure, &error))
}

fn failed(figure: &Figure, error: &impl std::fmt::Display) -> Error {
    Error::internal(format!("cannot draw the figure `{}`", figure.title())).because(error)
}

fn load_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let bytes = include_bytes!("../../fonts/DejaVuSans.ttf");
        if register_font(FONT, FontStyle::Normal, bytes).is_err() {
            unreachable!("the font is part of the program and was checked when it was put there");
        }
    });
}

fn draw<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, figure: &Figure) -> Drawn<DB> {
    load_font();
    area.fill(&WHITE)?;
    let title = figure.title();
    match figure {
        Figure::Roc { points, .. } => {
            let lines = [Line::guide(vec![[0.0, 0.0], [1.0, 1.0]]), Line::first(points.clone(), "")];
            plot(area, &Axes::unit(&title, "False positive rate", "True positive rate"), &lines, &[])
        }
        Figure::Pr { points, base_rate, .. } => {
            let guide = Line::guide(vec![[0.0, *base_rate], [1.0, *base_rate]]);
            let lines = [guide, Line::first(points.clone(), "")];
            plot(area, &Axes::unit(&title, "Recall", "Precision"), &lines, &[])
        }
        Figure::Calibration { bins, .. } => {
            let points: Vec<[f64; 2]> = bins.iter().map(|bin| [bin.predicted, bin.observed]).collect();
            let lines = [Line::guide(vec![[0.0, 0.0], [1.0, 1.0]]), Line::first(points.clone(), "")];
            plot(area, &Axes::unit(&title, "Predicted", "Observed"), &lines, &points)
        }
        Figure::Curves { train, validation, .. } => {
            let lines = [
                Line::first(train.clone(), "training"),
                Line { color: SECOND, points: validation.clone(), label: "validation" },
            ];
            plot(area, &Axes::around(&title, "Round", "", &[train, validation]), &lines, &[])
        }
        Figure::Residuals { points, .. } => {
            let axes = Axes::around(&title, "Predicted", "True minus predicted", &[points]);
            let guide = Line::guide(vec![[axes.x.0, 0.0], [axes.x.1, 0.0]]);
            plot(area, &axes, &[guide], points)
        }
        Figure::Confusion { classes, counts } => draw_confusion(area, &title, classes, counts),
        Figure::Importance { items, .. } => {
            let bars: Vec<(&str, f64)> =
                items.iter().take(MOST_BARS).map(|item| (item.feature.as_str(), item.value)).collect();
            draw_bars(area, &title, &bars)
        }
        Figure::Histogram { edges, counts, .. } => {
            let heights: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
            draw_histogram(area, &title, "Rows", edges, &[(&heights, FIRST)])
        }
        Figure::Drift { edges, levels, expected, actual, .. } => {
            let places: Vec<f64> = (0..=levels.len()).map(|at| at as f64).collect();
            let edges = if edges.is_empty() { &places } else { edges };
            draw_histogram(area, &title, "Share", edges, &[(expected, FIRST), (actual, SECOND)])
        }
    }
}

struct Axes<'a> {
    title: &'a str,
    x_name: &'a str,
    y_name: &'a str,
    x: (f64, f64),
    y: (f64, f64),
}

impl<'a> Axes<'a> {
    fn unit(title: &'a str, x_name: &'a str, y_name: &'a str) -> Self {
        Self { title, x_name, y_name, x: (0.0, 1.0), y: (0.0, 1.02) }
    }

    /// Axes that hold all points, with a little room.
    fn around(title: &'a str, x_name: &'a str, y_name: &'a str, lines: &[&Vec<[f64; 2]>]) -> Self {
        let span = |axis: usize| {
            let values = lines.iter().flat_map(|line| line.iter()).map(|point| point[axis]);
            let finite = values.filter(|value| value.is_finite());
            let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
            if low > high {
                return (0.0, 1.0);
            }
            let room = if high > low { (high - low) * 0.04 } else { low.abs().max(1.0) * 0.1 };
            (low - room, high + room)
        };
        Self { title, x_name, y_name, x: span(0), y: span(1) }
    }
}

struct Line<'a> {
    points: Vec<[f64; 2]>,
    color: RGBColor,
    label: &'a str,
}

impl<'a> Line<'a> {
    fn first(points: Vec<[f64; 2]>, label: &'a str) -> Self {
        Self { points, color: FIRST, label }
    }

    fn guide(points: Vec<[f64; 2]>) -> Self {
        Self { points, color: GUIDE, label: "" }
    }
}

fn plot<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    axes: &Axes<'_>,
    lines: &[Line<'_>],
    dots: &[[f64; 2]],
) -> Drawn<DB> {
    let mut chart = ChartBuilder::on(area)
        .caption(axes.title, (FONT, 17).into_font())
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(axes.x.0..axes.x.1, axes.y.0..axes.y.1)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GUIDE.mix(0.3))
        .label_style((FONT, 12))
        .axis_desc_style((FONT, 13))
        .x_desc(axes.x_name)
        .y_desc(axes.y_name)
        .x_label_formatter(&|value| base::number(*value, 4))
        .y_label_formatter(&|value| base::number(*value, 4))
        .draw()?;
    for line in lines.iter().filter(|line| !line.points.is_empty()) {
        let color = line.color;
        let series = LineSeries::new(line.points.iter().map(|p| (p[0], p[1])), color.stroke_width(2));
        let drawn = chart.draw_series(series)?;
        if !line.label.is_empty() {
            drawn
                .label(line.label)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
        }
    }
    chart.draw_series(dots.iter().map(|p| Circle::new((p[0], p[1]), 3, FIRST.mix(0.6).filled())))?;
    if lines.iter().any(|line| !line.label.is_empty() && !line.points.is_empty()) {
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.9))
            .border_style(GUIDE)
            .label_font((FONT, 12))
            .draw()?;
    }
    Ok(())
}

fn draw_histogram<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    y_name: &str,
    edges: &[f64],
    series: &[(&Vec<f64>, RGBColor)],
) -> Drawn<DB> {
    let (Some(low), Some(high)) = (edges.first(), edges.last()) else { return Ok(()) };
    let most = series.iter().flat_map(|(heights, _)| heights.iter().copied()).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 17).into_font())
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(*low..*high, 0.0..most.max(f64::MIN_POSITIVE) * 1.05)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GUIDE.mix(0.3))
        .label_style((FONT, 12))
        .axis_desc_style((FONT, 13))
        .y_desc(y_name)
        .x_label_formatter(&|value| base::number(*value, 4))
        .y_label_formatter(&|value| base::number(*value, 4))
        .draw()?;
    for (heights, color) in series {
        let bars = heights.iter().zip(edges.windows(2)).map(|(height, edge)| {
            Rectangle::new([(edge[0], 0.0), (edge[1], *height)], color.mix(0.55).filled())
        });
        chart.draw_series(bars)?;
    }
    Ok(())
}

/// Bars from the left with their names before them, the first on top.
fn draw_bars<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    bars: &[(&str, f64)],
) -> Drawn<DB> {
    let area = area.titled(title, (FONT, 17))?;
    let (width, height) = area.dim_in_pixel();
    let most = bars.iter().map(|(_, value)| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let step = (f64::from(height) - 20.0) / bars.len().max(1) as f64;
    let (left, room) = (210, f64::from(width) - 300.0);
    let font = (FONT, step.clamp(9.0, 14.0)).into_font().color(&BLACK);
    for (at, (name, value)) in bars.iter().enumerate() {
        let middle = (8.0 + (at as f64 + 0.5) * step) as i32;
        let half = (step * 0.36).max(1.0) as i32;
        let end = left + (value.max(0.0) / most * room) as i32;
        area.draw(&Rectangle::new([(left, middle - half), (end, middle + half)], FIRST.filled()))?;
        let before = font.clone().pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(shorten(name, 28), (left - 8, middle), before))?;
        let after = font.clone().pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(base::number(*value, 3), (end + 6, middle), after))?;
    }
    Ok(())
}

fn draw_confusion<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    classes: &[String],
    counts: &[Vec<u64>],
) -> Drawn<DB> {
    let area = area.titled(title, (FONT, 17))?;
    let (width, height) = area.dim_in_pixel();
    let (left, top, count) = (130, 34, classes.len().max(1) as i32);
    let cell = ((width as i32 - left - 20) / count, (height as i32 - top - 16) / count);
    let font = |size: f64| (FONT, size).into_font().color(&BLACK);
    let centred = Pos::new(HPos::Center, VPos::Center);
    let size = (f64::from(cell.1) * 0.4).clamp(6.0, 14.0);
    area.draw(&Text::new("predicted", (left, 2), font(12.0)))?;
    for (truth, line) in counts.iter().enumerate() {
        let y = top + truth as i32 * cell.1;
        let name = font(size).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(shorten(&classes[truth], 16), (left - 8, y + cell.1 / 2), name))?;
        let all: u64 = line.iter().sum();
        for (predicted, rows) in line.iter().enumerate() {
            let x = left + predicted as i32 * cell.0;
            let share = *rows as f64 / all.max(1) as f64;
            let corners = [(x, y), (x + cell.0 - 2, y + cell.1 - 2)];
            area.draw(&Rectangle::new(corners, FIRST.mix(0.06 + 0.74 * share).filled()))?;
            let ink = if share > 0.6 { WHITE } else { BLACK };
            let style = (FONT, size).into_font().color(&ink).pos(centred);
            area.draw(&Text::new(base::count(*rows), (x + cell.0 / 2, y + cell.1 / 2), style))?;
            if truth == 0 {
                let name = shorten(&classes[predicted], 16);
                area.draw(&Text::new(name, (x + cell.0 / 2, top - 9), font(size).pos(centred)))?;
            }
        }
    }
    Ok(())
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{CalibrationPoint, ImportanceItem};

    fn every_figure() -> Vec<Figure> {
        let points = vec![[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]];
        let item = |feature: &str, value| ImportanceItem { feature: feature.into(), value, spread: None };
        vec![
            Figure::Roc { class: "yes".into(), auc: 0.8, points: points.clone() },
            Figure::Pr {
                class: "yes".into(),
                average_precision: 0.7,
                base_rate: 0.3,
                points: points.clone(),
            },
            Figure::Calibration {
                class: "yes".into(),
                bins: vec![CalibrationPoint { predicted: 0.2, observed: 0.25, rows: 9 }],
            },
            Figure::Confusion {
                classes: vec!["Adélie".into(), "b".into()],
                counts: vec![vec![9, 1], vec![2, 30]],
            },
            Figure::Importance { measure: "gain".into(), items: vec![item("bill", 0.7), item("mass", -0.1)] },
            Figure::Curves { metric: "log_loss".into(), train: points.clone(), validation: vec![] },
            Figure::Residuals { points: points.clone(), edges: vec![0.0, 1.0], counts: vec![3] },
            Figure::Drift {
                feature: "x".into(),
                edges: vec![],
                levels: vec!["a".into(), "b".into()],
                expected: vec![0.5, 0.5],
                actual: vec![0.2, 0.8],
            },
            Figure::Histogram { title: "Probability".into(), edges: vec![0.0, 0.5, 1.0], counts: vec![4, 6] },
        ]
    }

    #[test]
    fn every_figure_is_drawn_and_shows_its_title() {
        for figure in every_figure() {
            let svg = render_svg(&figure).expect("it draws");
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{}", figure.title());
            let first_word = figure.title().split(' ').next().expect("a title").to_owned();
            assert!(svg.contains(&first_word), "{} is not in the picture", first_word);
            assert_eq!(svg, render_svg(&figure).expect("it draws twice"));
        }
    }

    #[test]
    fn a_png_is_written_even_for_empty_figures() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figure.png");
        let empty = Figure::Curves { metric: "rmse".into(), train: vec![], validation: vec![] };
        for figure in every_figure().iter().chain([&empty]) {
            render_png(figure, &path).expect("it draws");
            assert_eq!(std::fs::read(&path).expect("a file")[..4], *b"\x89PNG");
        }
    }

    #[test]
    fn figures_survive_json_with_their_type_beside_camel_case_fields() {
        for figure in every_figure() {
            let json = serde_json::to_value(&figure).expect("plain data");
            assert_eq!(serde_json::from_value::<Figure>(json).expect("reads back"), figure);
        }
        let json = serde_json::to_value(&every_figure()[1]).expect("plain data");
        assert_eq!((json["type"].as_str(), json["averagePrecision"].as_f64()), (Some("pr"), Some(0.7)));
    }
}
