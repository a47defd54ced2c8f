//! A sheet of cells in memory, and the table in it: which columns it spans, where its header is,
//! and what stands around it that is no part of it.

use std::ops::Range;

use super::cell::{CellReader, Class};
use super::chunk::{ChunkBuilder, Origin};
use super::options::ParseOptions;

/// Rows that are looked at to find the table.
const LOOKED_AT_ROWS: usize = 500;
/// A column right of the header belongs to the table if this share of the rows fills it.
const FILLED_SHARE: f64 = 0.1;
/// The text of a sheet that is kept in memory.
const MAX_TEXT_BYTES: usize = 1 << 30;
/// The cells of a sheet that are kept in memory.
const MAX_CELLS: usize = 64 << 20;

/// A cell: its column and where its text is.
#[derive(Debug, Clone, Copy)]
struct Cell {
    column: u32,
    start: u32,
    end: u32,
    origin: Origin,
}

/// The cells of a sheet that hold something, row by row.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    text: String,
    cells: Vec<Cell>,
    /// The number of each row, from 1, and its cells.
    rows: Vec<(u32, Range<usize>)>,
}

impl Sheet {
    /// Adds a cell; row and column count from 0. False once the sheet is too large.
    pub(super) fn add(&mut self, row: u32, column: u32, origin: Origin, text: &str) -> bool {
        if self.text.len() + text.len() > MAX_TEXT_BYTES || self.cells.len() >= MAX_CELLS {
            return false;
        }
        let start = self.text.len() as u32;
        self.text.push_str(text);
        let at = self.cells.len();
        match self.rows.last_mut() {
            Some((number, cells)) if *number == row + 1 => cells.end = at + 1,
            _ => self.rows.push((row + 1, at..at + 1)),
        }
        self.cells.push(Cell { column, start, end: self.text.len() as u32, origin });
        true
    }

    /// How many rows hold something.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Brings rows and cells into order: a file may hold them in any.
    pub(super) fn sort(&mut self) {
        self.rows.sort_by_key(|(number, _)| *number);
        for (_, cells) in &self.rows {
            self.cells[cells.clone()].sort_by_key(|cell| cell.column);
        }
    }

    /// The sheet without the cells outside of `area`.
    pub(super) fn crop(&mut self, area: &Area) {
        let cells = &self.cells;
        let mut kept = Vec::with_capacity(cells.len());
        let mut rows = Vec::new();
        for (number, range) in self.rows.iter().filter(|(number, _)| area.rows.contains(number)) {
            let start = kept.len();
            let inside = cells[range.clone()].iter().filter(|cell| area.columns.contains(&cell.column));
            kept.extend(inside.copied());
            if kept.len() > start {
                rows.push((*number, start..kept.len()));
            }
        }
        self.cells = kept;
        self.rows = rows;
    }

    fn text(&self, cell: Cell) -> &str {
        &self.text[cell.start as usize..cell.end as usize]
    }

    fn row(&self, at: usize) -> &[Cell] {
        &self.cells[self.rows[at].1.clone()]
    }

    /// Rows at the top that are titles or notes: at most one cell, where the table has more.
    fn notes(&self) -> usize {
        let looked_at = self.rows.len().min(LOOKED_AT_ROWS);
        let mut widths: Vec<usize> = (0..looked_at).map(|at| self.row(at).len()).collect();
        widths.sort_unstable();
        let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
        if usual < 2 {
            return 0;
        }
        (0..looked_at).take_while(|at| self.row(*at).len() <= 1).count()
    }

    /// The number of the first row of the table, from 1, and whether it names the columns.
    pub(super) fn guess_header(&self, options: &ParseOptions) -> (u32, bool) {
        let first = self.notes();
        let Some((number, _)) = self.rows.get(first) else { return (1, true) };
        let header = self.row(first);
        let is_text = header.iter().all(|cell| cell.origin == Origin::Text);
        let reader = CellReader::new(options);
        let below = || (first + 1..self.rows.len()).take(LOOKED_AT_ROWS);
        let at = |row: usize, column: u32| self.row(row).iter().find(|cell| cell.column == column);
        let is_typed = |cell: &Cell| {
            below()
                .filter_map(|row| at(row, cell.column))
                .any(|cell| !matches!(reader.class(self.text(*cell), cell.origin), Class::Text))
        };
        let repeats = |cell: &Cell| {
            below().filter_map(|row| at(row, cell.column)).any(|other| self.text(*other) == self.text(*cell))
        };
        let is_header = is_text && (header.iter().any(is_typed) || !header.iter().any(repeats));
        (*number, is_header || below().next().is_none())
    }

    /// The table below row number `skipped`.
    pub(super) fn table(&self, skipped: u64, header_rows: usize) -> Table {
        let first = self.rows.partition_point(|(number, _)| u64::from(*number) <= skipped);
        let first = if skipped == 0 { first + self.notes() } else { first };
        let body = (first + header_rows).min(self.rows.len());
        let header = first..body;
        let named = header.clone().flat_map(|at| self.row(at)).map(|cell| cell.column);
        let (mut start, mut end) =
            named.fold((u32::MAX, 0), |(low, high), column| (low.min(column), high.max(column + 1)));
        let rows = self.rows.len() - body;
        let is_table = |at: &usize| self.row(*at).len() > 1 || rows < 3;
        for at in (body..self.rows.len()).take(LOOKED_AT_ROWS).filter(is_table) {
            start = start.min(self.row(at).first().map_or(u32::MAX, |cell| cell.column));
            if header_rows == 0 {
                end = end.max(self.row(at).last().map_or(0, |cell| cell.column + 1));
            }
        }
        let ends = (body..self.rows.len()).map(|at| self.row(at).last().map_or(0, |cell| cell.column + 1));
        let mut ends: Vec<u32> = ends.collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        // The columns that all but this share of the rows stay within.
        let wide = (FILLED_SHARE * rows as f64) as usize;
        end = end.max(ends.get(wide).copied().unwrap_or(0));
        Table { header, rows: body..self.rows.len(), columns: start.min(end)..end }
    }

    /// The cells of the header's rows, empty where there are none.
    pub(super) fn header(&self, table: &Table) -> Vec<Vec<String>> {
        let texts = |at: usize| {
            let mut texts = vec![String::new(); table.columns.len()];
            for cell in self.row(at).iter().filter(|cell| table.columns.contains(&cell.column)) {
                texts[(cell.column - table.columns.start) as usize] = self.text(*cell).to_owned();
            }
            texts
        };
        table.header.clone().map(texts).collect()
    }

    /// Hands row number `at` of the sheet over, and the empty rows before it.
    pub(super) fn hand_over(&self, at: usize, table: &Table, builder: &mut ChunkBuilder) {
        let (number, _) = &self.rows[at];
        let before = if at == 0 { 0 } else { self.rows[at - 1].0 };
        let empty = number - before - 1;
        if at > table.rows.start {
            (0..empty).for_each(|_| builder.blank());
        }
        let cells = self.row(at);
        let width = table.columns.len();
        let mut next = table.columns.start;
        for cell in cells {
            for _ in next..cell.column {
                builder.cell("", Origin::Null);
            }
            builder.cell(self.text(*cell), cell.origin);
            next = cell.column + 1;
        }
        let is_note = at > table.rows.start && empty > 0 && cells.len() == 1 && width > 2;
        if is_note {
            builder.fault((*number).into(), "the row holds one cell below an empty row, as notes do");
            return;
        }
        for _ in next..table.columns.end {
            builder.cell("", Origin::Null);
        }
        builder.end((*number).into());
    }
}

/// Where a table is in its sheet; rows are positions among the rows that hold something.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) header: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<u32>,
}

/// The cells from one corner to the other; rows count from 1, columns from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Area {
    rows: std::ops::RangeInclusive<u32>,
    columns: std::ops::RangeInclusive<u32>,
}

impl Area {
    /// Reads `B3:F200`, and `B3:F`, which goes down to the last row.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.trim().split_once(':')?;
        let (left, top) = corner(from)?;
        let (right, bottom) = corner(to)?;
        let top = top.unwrap_or(1);
        let bottom = bottom.unwrap_or(u32::MAX);
        (left <= right && top <= bottom).then_some(Self { rows: top..=bottom, columns: left..=right })
    }
}

/// `B3` as column 1 and row 3, `B` as column 1.
fn corner(text: &str) -> Option<(u32, Option<u32>)> {
    let text = text.replace('$', "");
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) {
        return None;
    }
    let column =
        text[..letters].bytes().fold(0, |sum, b| sum * 26 + u32::from(b.to_ascii_uppercase() - b'A') + 1);
    let row = match &text[letters..] {
        "" => None,
        digits => Some(digits.parse().ok().filter(|row| *row > 0)?),
    };
    Some((column - 1, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_read_as_people_write_it() {
        let area = |rows, columns| Some(Area { rows, columns });
        assert_eq!(Area::parse("B3:F200"), area(3..=200, 1..=5));
        assert_eq!(Area::parse(" $a$1:aa2 "), area(1..=2, 0..=26));
        assert_eq!(Area::parse("B:C"), area(1..=u32::MAX, 1..=2));
        for text in ["", "B3", "B0:C1", "F1:B2", "B3:C1", "1:2", "ABCD1:ABCE2", "B3:C99999999999"] {
            assert_eq!(Area::parse(text), None, "{text}");
        }
    }
}
