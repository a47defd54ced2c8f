//! What the cells of a text table say of it: decimal mark and thousands, the order of dates, and
//! whether the first rows are names.

use super::cell::{CellReader, Class};
use super::chunk::{Chunk, Origin, Record};
use super::options::{DateOrder, ParseOptions};

/// The rows of the table, without empty cells beyond its width.
pub(super) struct Sample {
    rows: Vec<Vec<(String, bool)>>,
}

impl Sample {
    /// Up to `most` rows.
    pub(super) fn take(chunk: &Chunk, width: usize, most: usize) -> Self {
        let is_empty = |r: Record<'_>, from: usize| (from..r.len()).all(|at| r.cell(at).0.is_empty());
        let fits = |r: &Record<'_>| r.len() == width || (r.len() == width + 1 && is_empty(*r, width));
        let rows = chunk.records().take(most).filter(fits);
        let row = |r: Record<'_>| {
            (0..width)
                .map(|at| {
                    let (text, origin) = r.cell(at);
                    (text.trim().to_owned(), origin == Origin::Quoted)
                })
                .collect()
        };
        Self { rows: rows.map(row).collect() }
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flatten().map(|(text, _)| text.as_str())
    }

    /// The decimal mark, the mark of thousands and the order of dates.
    pub(super) fn guess_marks(&self, options: &mut ParseOptions) {
        let is_number = |decimal, thousands| {
            let reader = CellReader::new(&ParseOptions { decimal, thousands, ..ParseOptions::default() });
            move |text: &str| matches!(reader.class(text, Origin::Bare), Class::Number(_) | Class::Integer(_))
        };
        let plain = is_number('.', None);
        let gains = |decimal, thousands, beyond: &dyn Fn(&str) -> bool| {
            let reads = is_number(decimal, thousands);
            self.cells().filter(|text| reads(text) && !beyond(text)).count()
        };
        let none = |_: &str| false;
        let point = self.cells().filter(|text| text.contains('.') && plain(text)).count();
        let comma = is_number(',', None);
        let with_comma = self.cells().filter(|text| text.contains(',') && comma(text)).count();
        // `1.234,56` is a number in neither reading without its thousands.
        let most = |decimal, marks: [char; 3], beyond: &dyn Fn(&str) -> bool| {
            marks.into_iter().map(|mark| gains(decimal, Some(mark), beyond)).max().unwrap_or(0)
        };
        let grouped_comma = most(',', ['.', ' ', '\''], &comma);
        let grouped_point = most('.', [',', ' ', '\''], &plain);
        let is_comma = with_comma + grouped_comma > point.max(grouped_point);
        options.decimal = if is_comma { ',' } else { '.' };
        let marks: &[char] = if is_comma { &['.', ' ', '\''] } else { &[',', ' ', '\''] };
        let base = gains(options.decimal, None, &none);
        let with = |mark: char| gains(options.decimal, Some(mark), &none);
        options.thousands = marks
            .iter()
            .copied()
            .map(|mark| (with(mark), mark))
            .filter(|(n, _)| *n > base)
            .max_by_key(|(n, _)| *n)
            .map(|(_, mark)| mark);
        options.date_order = self.date_order();
    }

    fn date_order(&self) -> DateOrder {
        let reader = CellReader::new(&ParseOptions::default());
        let (mut day_first, mut month_first, mut dotted) = (0_u64, 0_u64, 0_u64);
        for text in self.cells() {
            if let Class::Time(moment) = reader.class(text, Origin::Bare) {
                day_first += u64::from(moment.month_first.is_none());
                month_first += u64::from(moment.day_first.is_none());
                // Dates with points are written day first wherever they are usual.
                dotted += u64::from(text.as_bytes().iter().take(3).any(|b| *b == b'.'));
            }
        }
        let is_day_first = day_first > month_first || (day_first == month_first && dotted > 0);
        if is_day_first { DateOrder::DayFirst } else { DateOrder::MonthFirst }
    }

    /// True if the first row names the columns: its cells are texts and differ from each other,
    /// and it is unlike the rows below it or at least does not occur among them.
    pub(super) fn has_header(&self, options: &ParseOptions) -> bool {
        let Some((first, rest)) = self.rows.split_first() else {
            return true;
        };
        let reader = CellReader::new(options);
        let class = |cell: &(String, bool)| reader.class(&cell.0, Origin::Bare);
        let is_value = |class: Class| {
            !matches!(class, Class::Text | Class::Missing | Class::QuotedMissing | Class::Mark)
        };
        if first.iter().any(|cell| is_value(class(cell))) {
            return false;
        }
        if rest.is_empty() || first.iter().all(|cell| cell.0.is_empty()) {
            return true;
        }
        let has_typed_column = (0..first.len()).any(|at| {
            rest.iter().all(|row| !matches!(class(&row[at]), Class::Text))
                && rest.iter().any(|row| is_value(class(&row[at])))
        });
        let mut names: Vec<&str> =
            first.iter().map(|cell| cell.0.as_str()).filter(|name| !name.is_empty()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        let repeats = (0..first.len())
            .filter(|at| !first[*at].0.is_empty() && rest.iter().any(|row| row[*at].0 == first[*at].0))
            .count();
        has_typed_column || (names.len() == all && repeats == 0)
    }

    /// True if the first row names groups of columns, of which the second names each: texts with
    /// gaps above texts without, above rows of values.
    pub(super) fn has_groups(&self, options: &ParseOptions) -> bool {
        let [groups, names, rest @ ..] = self.rows.as_slice() else { return false };
        let reader = CellReader::new(options);
        let class = |cell: &(String, bool)| reader.class(&cell.0, Origin::Bare);
        let is_text = |cell: &(String, bool)| matches!(class(cell), Class::Text);
        let is_value = |cell: &(String, bool)| {
            !matches!(class(cell), Class::Text | Class::Missing | Class::QuotedMissing | Class::Mark)
        };
        let gaps = groups.iter().filter(|cell| cell.0.is_empty()).count();
        let is_typed = |at: usize| !rest.is_empty() && rest.iter().all(|row| is_value(&row[at]));
        gaps > 0
            && groups.len() - gaps > 1
            && groups.iter().all(|cell| cell.0.is_empty() || is_text(cell))
            && names.iter().all(is_text)
            && (0..names.len()).any(is_typed)
    }

    /// True if nearly every cell is quoted, so that quotes say nothing about a cell.
    pub(super) fn is_all_quoted(&self) -> bool {
        let cells = self.rows.iter().flatten().count();
        let quoted = self.rows.iter().flatten().filter(|(_, is_quoted)| *is_quoted).count();
        cells > 0 && quoted as f64 >= 0.95 * cells as f64
    }
}
