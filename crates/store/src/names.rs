//! What holds for every name that a person gives, and what to say about names.

use base::{Code, Error, Result};

/// No name is longer, in characters.
const LONGEST: usize = 200;

/// The name without spaces around it.
pub(crate) fn check<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid(format!("the name of a {what} cannot be empty")).hint("give it a name"));
    }
    if name.chars().count() > LONGEST {
        return Err(Error::invalid(format!("the name of a {what} has at most {LONGEST} characters"))
            .hint("choose a shorter name"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("the name `{}` holds control characters", name.escape_debug()))
            .hint("use letters, digits, spaces and signs"));
    }
    Ok(name)
}

pub(crate) fn taken(what: &str, name: &str) -> Error {
    Error::new(Code::AlreadyExists, format!("there is a {what} `{name}` already")).hint("choose another name")
}

pub(crate) fn unknown(what: &str, id: impl std::fmt::Display) -> Error {
    Error::not_found(format!("there is no {what} `{id}`"))
        .hint("it may have been deleted; look at the list again")
}
