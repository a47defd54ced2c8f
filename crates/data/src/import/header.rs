//! Names of columns out of the rows above the values: one row or several, as wide as the rows
//! below or not.

use super::options::Warning;

/// The rows of a header and what they are above of.
pub(super) struct Header<'a> {
    /// The cells of each of its rows.
    pub(super) rows: &'a [Vec<String>],
    /// How many cells most rows below have, if there are any.
    pub(super) width: Option<usize>,
    /// How many columns of those rows hold something.
    pub(super) filled: usize,
    /// The first cells of some rows below.
    pub(super) first_cells: &'a [String],
}

impl Header<'_> {
    /// One raw name for each column, and what was made up.
    pub(super) fn names(&self) -> (Vec<String>, Vec<Warning>) {
        let mut names = self.joined();
        let Some(width) = self.width else { return (names, Vec::new()) };
        // `a,b,` above rows of two cells: the last comma ends the line and names nothing.
        while names.len() > width && names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let named = names.len();
        let width = self.filled;
        // One name above several cells is a wrong delimiter rather than a short header.
        if named >= width || named < 2 {
            return (names, Vec::new());
        }
        // Rows that begin with a name of their own have none for that column in R's tables.
        if named + 1 == width && self.begins_with_row_names() {
            names.insert(0, String::new());
        }
        names.resize(width, String::new());
        let message = format!("the header names {named} of {width} columns");
        (names, vec![Warning::file(message)])
    }

    /// The cells of each column from top to bottom. A cell of an upper row stands for the empty
    /// ones to its right, as merged cells do.
    fn joined(&self) -> Vec<String> {
        let width = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut names = vec![String::new(); width];
        for (depth, row) in self.rows.iter().enumerate() {
            let is_last = depth + 1 == self.rows.len();
            let mut group = "";
            for (at, name) in names.iter_mut().enumerate() {
                let cell = row.get(at).map_or("", |cell| cell.trim());
                if !cell.is_empty() || is_last {
                    group = cell;
                }
                if !group.is_empty() && !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(group);
            }
        }
        if let [only] = self.rows {
            names.clone_from(only);
        }
        names
    }

    fn begins_with_row_names(&self) -> bool {
        let mut cells: Vec<&String> = self.first_cells.iter().collect();
        cells.sort_unstable();
        cells.windows(2).all(|pair| pair[0] != pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: &[&[&str]], width: usize, first_cells: &[&str]) -> Vec<String> {
        let own = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let rows: Vec<_> = rows.iter().map(|row| own(row)).collect();
        let first_cells = own(first_cells);
        Header { rows: &rows, width: Some(width), filled: width, first_cells: &first_cells }.names().0
    }

    #[test]
    fn the_rows_of_a_header_are_joined_and_merged_cells_filled_in() {
        let rows: [&[&str]; 2] = [&["", "Sales", "", "Costs"], &["Year", "Q1", "Q2", ""]];
        assert_eq!(names(&rows, 4, &[]), ["Year", "Sales Q1", "Sales Q2", "Costs"]);
    }

    #[test]
    fn a_header_that_is_too_narrow_gets_names_on_the_side_where_they_lack() {
        assert_eq!(names(&[&["x", "y"]], 3, &["r1", "r2"]), ["", "x", "y"]);
        assert_eq!(names(&[&["x", "y"]], 3, &["r1", "r1"]), ["x", "y", ""]);
        assert_eq!(names(&[&["x", "y"]], 4, &["r1", "r2"]), ["x", "y", "", ""]);
        assert_eq!(names(&[&["x"]], 3, &["r1", "r2"]), ["x"]);
        assert_eq!(names(&[&["x", "y", ""]], 2, &[]), ["x", "y"]);
    }
}
