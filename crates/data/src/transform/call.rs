//! The short form in which columns to make are written: `mean(price) as average`. The name of a
//! column is taken as it is, so nothing has to be quoted.

use base::{Error, Result};

use crate::schema::nearest;

/// A function of a column, and what the result is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The function, in small letters.
    pub(super) function: String,
    /// What stands between the parentheses, without spaces around it.
    pub(super) argument: String,
    /// The name after `as`.
    pub(super) name: Option<String>,
}

impl Call {
    /// Reads `function(argument) as name`, of which the end may be left out.
    ///
    /// # Errors
    /// `invalid_input` for anything else.
    pub(super) fn parse(text: &str, example: &str) -> Result<Self> {
        let unreadable =
            || Error::invalid(format!("cannot read `{text}`")).hint(format!("write it such as `{example}`"));
        let (function, rest) = text.split_once('(').ok_or_else(unreadable)?;
        // The name may hold parentheses too, the column as well: the first `) as ` ends the call.
        let (argument, name) = match rest.split_once(") as ") {
            Some((argument, name)) => (argument, Some(name.trim().to_owned())),
            None => (rest.trim_end().strip_suffix(')').ok_or_else(unreadable)?, None),
        };
        if function.trim().is_empty() || name.as_ref().is_some_and(String::is_empty) {
            return Err(unreadable());
        }
        let function = function.trim().to_lowercase();
        Ok(Self { function, argument: argument.trim().to_owned(), name })
    }

    /// The argument as a column and a whole number: `price, 3`.
    pub(super) fn column_and_number(&self) -> Option<(&str, u32)> {
        let (column, number) = self.argument.rsplit_once(',')?;
        Some((column.trim(), number.trim().parse().ok()?))
    }

    /// Said where there is no such function.
    pub(super) fn unknown(&self, known: &[&str]) -> Error {
        let error = Error::invalid(format!("there is no function `{}` here", self.function));
        match nearest(&self.function, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are {}", known.join(", "))),
        }
    }
}
