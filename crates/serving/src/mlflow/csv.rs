//! A table of text with commas, as pandas writes it: a header row, quotes where needed. An empty
//! field without quotes is missing.

use crate::failure::Failure;
use crate::tree::Tree;

/// The names of the columns, and the rows.
///
/// # Errors
/// 400 for a quote that does not end, no header, or too many values.
pub fn parse(text: &str) -> Result<(Vec<String>, Vec<Tree>), Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text };
    let header = reader.row()?.ok_or_else(|| Failure::bad("Invalid input. The CSV has no header row."))?;
    let names = header.into_iter().map(|field| match field {
        Tree::Text(name) => name,
        _ => String::new(),
    });
    let names: Vec<String> = names.collect();
    let mut rows = Vec::new();
    let mut left = Tree::MOST_VALUES;
    while let Some(row) = reader.row()? {
        // pandas passes over lines with nothing in them, unless they are a row of one column.
        if row == [Tree::Null] && names.len() != 1 {
            continue;
        }
        let rest = left.checked_sub(row.len() + 1);
        left = rest.ok_or_else(|| Failure::bad("Invalid input. The CSV holds too many values."))?;
        rows.push(Tree::List(row));
    }
    Ok((names, rows))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Option<Vec<Tree>>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut row = Vec::new();
        loop {
            row.push(self.field()?);
            let Some(separator) = self.rest.chars().next() else { return Ok(Some(row)) };
            if let Some(rest) = self.rest.strip_prefix("\r\n") {
                self.rest = rest;
                return Ok(Some(row));
            }
            self.rest = &self.rest[separator.len_utf8()..];
            if separator != ',' {
                return Ok(Some(row));
            }
        }
    }

    fn field(&mut self) -> Result<Tree, Failure> {
        if !self.rest.starts_with('"') {
            let end = self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(if field.is_empty() { Tree::Null } else { Tree::Text(field.to_owned()) });
        }
        let mut field = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let end = rest
                .find('"')
                .ok_or_else(|| Failure::bad("Invalid input. A quote of the CSV does not end."))?;
            field.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(after) = rest.strip_prefix('"') else { break };
            field.push('"');
            rest = after;
        }
        // What stands between the closing quote and the comma belongs to the field.
        let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
        field.push_str(&rest[..end]);
        self.rest = &rest[end..];
        Ok(Tree::Text(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_ends_and_missing_fields_are_read() {
        let (names, rows) =
            parse("a,\"b \"\"x\"\"\"\r\n1,\"two, lines\nhere\"\n,\"\"\n\n3,4").expect("a table");
        assert_eq!(names, ["a", "b \"x\""]);
        let text = |text: &str| Tree::Text(text.to_owned());
        assert_eq!(
            rows,
            [
                Tree::List(vec![text("1"), text("two, lines\nhere")]),
                Tree::List(vec![Tree::Null, text("")]),
                Tree::List(vec![text("3"), text("4")]),
            ]
        );
    }

    #[test]
    fn a_quote_without_end_and_an_empty_text_are_refused() {
        assert!(parse("a\n\"b").is_err());
        assert!(parse("").is_err());
    }
}
