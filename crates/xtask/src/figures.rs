//! Measured figures: as a table in the terminal, and between two marks of docs/performance.md.

use std::fmt::Write as _;

/// One measured figure, as it is shown.
pub struct Figure {
    name: String,
    shown: String,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &str) -> Self {
        let digits = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 2 };
        Self { name: name.into(), shown: format!("{value:.digits$} {unit}") }
    }

    /// Figures that belong together, in words.
    pub fn in_words(name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { name: name.into(), shown: words.into() }
    }
}

/// The figures of one bench, for a terminal.
pub fn as_lines(bench: &str, figures: &[Figure]) -> String {
    let width = figures.iter().map(|figure| figure.name.len()).max().unwrap_or_default();
    figures.iter().fold(format!("{bench}\n"), |mut text, figure| {
        writeln!(text, "  {:<width$}  {:>14}", figure.name, figure.shown).expect("text takes any text");
        text
    })
}

/// Puts the figures of one bench between its marks, or behind everything when it has none yet.
pub fn put_into(document: &str, bench: &str, figures: &[Figure]) -> String {
    let (start, end) = (format!("<!-- bench: {bench} -->"), "<!-- /bench -->");
    let mut table =
        format!("{start}\nMeasured by `cargo xtask bench {bench}`.\n\n| what | figure |\n| --- | ---: |\n");
    for figure in figures {
        writeln!(table, "| {} | {} |", figure.name, figure.shown).expect("text takes any text");
    }
    table += end;
    let Some(from) = document.find(&start) else {
        return format!("{}\n\n## {bench}\n\n{table}\n", document.trim_end());
    };
    let to = document[from..].find(end).map_or(document.len(), |length| from + length + end.len());
    format!("{}{table}{}", &document[..from], &document[to..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_the_older_ones_and_leave_the_text_around() {
        let first = put_into("# Performance\n", "start", &[Figure::new("window", 812.4, "ms")]);
        assert!(first.contains("| window | 812 ms |"), "{first}");
        let second = put_into(&(first + "\nMore text.\n"), "start", &[Figure::new("window", 0.75, "s")]);
        assert!(second.contains("| window | 0.75 s |") && !second.contains("812"), "{second}");
        assert!(second.starts_with("# Performance\n") && second.ends_with("\nMore text.\n"), "{second}");
    }

    #[test]
    fn whole_numbers_are_shown_whole() {
        assert_eq!(Figure::new("rows", 344.0, "rows").shown, "344 rows");
        assert_eq!(as_lines("x", &[Figure::new("a", 1.5, "s")]), format!("x\n  a  {:>14}\n", "1.50 s"));
    }
}
