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

/// A name that stands in addresses and file names, so it is a plain word; one that looks like a
/// version number would be mistaken for one.
pub(crate) fn check_word<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    let name = check(what, name)?;
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let is_number = name.trim_start_matches(['v', 'V']).chars().all(|c| c.is_ascii_digit());
    if !is_word || is_number || name.eq_ignore_ascii_case("latest") {
        return Err(Error::invalid(format!("`{}` cannot be the name of a {what}", name.escape_debug()))
            .hint("use letters, digits, `-` and `_`; not a number, and not `latest`"));
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
