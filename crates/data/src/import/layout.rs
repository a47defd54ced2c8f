//! What the options make of the file before its rows are read: how to cut it, how many columns
//! it has and what they are called.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use base::{Error, Result, count};

use super::names;
use super::options::{ParseOptions, Warning};
use super::records::{Dialect, cut};
use super::sniff::Head;
use crate::schema::{Kind, nearest};

/// A table wider than this is refused: a screen, a form and a model of that width help nobody.
pub const MAX_COLUMNS: usize = 20_000;

/// How the rows of a file become rows of a table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) dialect: Dialect,
    pub(super) names: Vec<String>,
    /// The kinds that the user set, by position.
    pub(super) forced: HashMap<usize, Kind>,
    pub(super) warnings: Vec<Warning>,
}

impl Layout {
    /// Looks at the beginning of the file.
    pub(super) fn read(path: &Path, head: &Head, options: &ParseOptions) -> Result<Self> {
        let dialect = dialect(options)?;
        let chunk = cut(head.text.clone(), dialect, options.skip_lines, head.is_whole);
        let Some(first) = chunk.records().next() else {
            return Err(Error::invalid(format!("`{}` holds no rows", path.display()))
                .hint("check how many lines are skipped and which lines are comments"));
        };
        if options.header
            && let Some(fault) = first.fault()
        {
            let line = first.line();
            return Err(Error::invalid(format!(
                "cannot read the header of `{}` on line {line}: {}",
                path.display(),
                fault.reason()
            ))
            .hint("check the encoding, the quote character and how many lines are skipped"));
        }
        let mut widths: BTreeMap<usize, u64> = BTreeMap::new();
        for record in chunk.records().skip(usize::from(options.header)).take(1000) {
            if record.fault().is_none() {
                *widths.entry(record.len()).or_default() += 1;
            }
        }
        let usual = widths.iter().max_by_key(|(width, rows)| (**rows, **width)).map(|(width, _)| *width);
        let (names, warnings) = if options.header {
            let mut cells = first.texts();
            // `a,b,` above rows of two cells: the last comma ends the line and names nothing.
            while Some(cells.len()) > usual && usual.is_some() && cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            names::clean(&cells)
        } else {
            (names::numbered(usual.unwrap_or(1)), Vec::new())
        };
        if names.len() > MAX_COLUMNS {
            let (width, most) = (count(names.len() as u64), count(MAX_COLUMNS as u64));
            return Err(Error::invalid(format!("`{}` has {width} columns", path.display())).hint(format!(
                "Fettle takes up to {most}; check the delimiter, or keep values of one kind in rows"
            )));
        }
        let forced = forced(&names, options)?;
        Ok(Self { dialect, names, forced, warnings })
    }
}

fn forced(names: &[String], options: &ParseOptions) -> Result<HashMap<usize, Kind>> {
    let mut forced = HashMap::new();
    for (name, kind) in &options.kinds {
        let Some(at) = names.iter().position(|known| known == name) else {
            let error = Error::invalid(format!("the options set the kind of `{name}`, which is no column"));
            return Err(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("look at the names in the preview"),
            });
        };
        forced.insert(at, *kind);
    }
    Ok(forced)
}

/// The bytes with a meaning, checked: each is one byte and no two are the same.
fn dialect(options: &ParseOptions) -> Result<Dialect> {
    let byte = |what: &str, c: char| {
        u8::try_from(c).ok().filter(|b| b.is_ascii() && !matches!(b, b'\n' | b'\r' | 0)).ok_or_else(|| {
            Error::invalid(format!("`{}` cannot be the {what}", c.escape_debug()))
                .hint("use one ASCII character that is no line end")
        })
    };
    let optional = |what: &str, c: Option<char>| c.map(|c| byte(what, c)).transpose();
    let dialect = Dialect {
        delimiter: byte("delimiter", options.delimiter)?,
        quote: optional("quote character", options.quote)?,
        escape: optional("escape character", options.escape)?,
        comment: optional("comment character", options.comment)?,
        trim: options.trim,
    };
    let others = [dialect.quote, dialect.escape, dialect.comment];
    let quote_is_comment = dialect.quote.is_some() && dialect.quote == dialect.comment;
    if others.contains(&Some(dialect.delimiter)) || quote_is_comment {
        return Err(Error::invalid("two characters of the options have the same meaning")
            .hint("delimiter, quote, escape and comment must differ"));
    }
    if !matches!(options.decimal, '.' | ',') || options.thousands == Some(options.decimal) {
        return Err(Error::invalid(format!("`{}` cannot be the decimal mark", options.decimal))
            .hint("use `.` or `,`, and another mark between thousands"));
    }
    if options.thousands.is_some_and(|mark| mark.is_alphanumeric() || matches!(mark, '+' | '-')) {
        return Err(Error::invalid("the mark between thousands cannot be a letter, a digit or a sign")
            .hint("use `,`, `.`, `'` or a space"));
    }
    Ok(dialect)
}
