//! The YAML that MLflow writes: one mapping of names to texts and numbers, some of them mappings of
//! texts themselves. Read event by event, so that neither depth nor references cost anything: what
//! MLflow never writes is refused.

use std::collections::BTreeMap;
use std::path::Path;

use base::{Error, Result};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

use super::Pair;

/// The largest file: a dataset with 1 MB each of schema and profile fits many times.
const MOST_BYTES: u64 = 16 << 20;
/// MLflow nests no deeper than two.
const DEEPEST: usize = 16;

/// A file of MLflow.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document(BTreeMap<String, Value>);

#[derive(Debug, PartialEq, Eq)]
enum Value {
    /// A text; a plain one may mean a number or nothing.
    Text { text: String, is_plain: bool },
    /// Names and texts.
    Pairs(Vec<Pair>),
    /// A list, which MLflow reads nothing from.
    Other,
}

impl Document {
    /// The text of a field, if it has one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Text { text, is_plain } if *is_plain && matches!(text.as_str(), "" | "null" | "~") => None,
            Value::Text { text, .. } => Some(text.clone()),
            Value::Pairs(_) | Value::Other => None,
        }
    }

    /// The number of a field, if it has one.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The names and texts of a field, by name.
    pub(super) fn pairs(&self, name: &str) -> Vec<Pair> {
        match self.0.get(name) {
            Some(Value::Pairs(pairs)) => pairs.clone(),
            _ => Vec::new(),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// `not_found`; `invalid_input` for what MLflow would not have written.
pub(super) fn read(path: &Path) -> Result<Document> {
    let size = std::fs::symlink_metadata(path).map_err(|e| Error::io("read", path, &e))?;
    let wrong = |why: &str| Error::invalid(format!("`{}` {why}", path.display()));
    if !size.is_file() {
        return Err(wrong("is no file"));
    }
    if size.len() > MOST_BYTES {
        return Err(wrong(&format!("is larger than {}", base::bytes(MOST_BYTES))));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, &e))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))?;
    parse(&text).map_err(|e| e.within(format!("cannot read `{}`", path.display())))
}

fn parse(text: &str) -> Result<Document> {
    let mut events = Events { parser: Parser::new_from_str(text), depth: 0 };
    let mut document = Document::default();
    loop {
        match events.next()? {
            Event::MappingStart(..) => break,
            Event::StreamStart | Event::DocumentStart => {}
            Event::StreamEnd => return Err(Error::invalid("it is empty")),
            _ => return Err(Error::invalid("it does not hold names and values")),
        }
    }
    loop {
        let name = match events.next()? {
            Event::MappingEnd => return Ok(document),
            Event::Scalar(name, ..) => name,
            _ => return Err(Error::invalid("a name in it is no text")),
        };
        let value = match events.next()? {
            Event::Scalar(text, style, ..) => Value::Text { text, is_plain: style == TScalarStyle::Plain },
            Event::MappingStart(..) => Value::Pairs(pairs(&mut events)?),
            Event::SequenceStart(..) => {
                events.skip()?;
                Value::Other
            }
            _ => return Err(Error::invalid(format!("`{}` has no value", name.escape_debug()))),
        };
        document.0.insert(name, value);
    }
}

/// The rest of a mapping of texts; what is no text in it is left out.
fn pairs(events: &mut Events<'_>) -> Result<Vec<Pair>> {
    let mut pairs = BTreeMap::new();
    loop {
        let name = match events.next()? {
            Event::MappingEnd => return Ok(pairs.into_iter().collect()),
            Event::Scalar(name, ..) => name,
            _ => return Err(Error::invalid("a name in it is no text")),
        };
        match events.next()? {
            Event::Scalar(text, ..) => {
                pairs.insert(name, text);
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => events.skip()?,
            _ => return Err(Error::invalid(format!("`{}` has no value", name.escape_debug()))),
        }
    }
}

struct Events<'a> {
    parser: Parser<std::str::Chars<'a>>,
    depth: usize,
}

impl Events<'_> {
    fn next(&mut self) -> Result<Event> {
        let refused = |what: &str| Err(Error::invalid(format!("it has {what}, which MLflow does not write")));
        let (event, _) = self.parser.next_token().map_err(|e| Error::invalid("it is no YAML").because(e))?;
        match &event {
            Event::Alias(_) => return refused("references"),
            Event::Scalar(_, _, anchor, tag) if *anchor != 0 || tag.is_some() => {
                return refused("anchors or types");
            }
            Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag) => {
                if *anchor != 0 || tag.is_some() {
                    return refused("anchors or types");
                }
                self.depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => self.depth -= 1,
            _ => {}
        }
        if self.depth > DEEPEST {
            return refused("values nested this deeply");
        }
        Ok(event)
    }

    /// Passes over the rest of what has just begun.
    fn skip(&mut self) -> Result<()> {
        let outer = self.depth - 1;
        while self.depth > outer {
            self.next()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_mlflow_writes_is_read() {
        let text = "artifact_uri: /tmp/x y/artifacts\nend_time: null\nentry_point_name: ''\nstatus: 3\n\
                    run_name: 'yes: ''no'''\nprofile: '{\"a\": [60,\n  3]}'\ntags: []\n\
                    aliases:\n  champion: '3'\n  odd name: \"\\u00e9\\n\"\n";
        let document = parse(text).expect("it reads");
        assert_eq!(document.text("artifact_uri").as_deref(), Some("/tmp/x y/artifacts"));
        assert_eq!((document.text("end_time"), document.number("status")), (None, Some(3)));
        assert_eq!(document.text("entry_point_name").as_deref(), Some(""));
        assert_eq!(document.text("run_name").as_deref(), Some("yes: 'no'"));
        assert_eq!(document.text("profile").as_deref(), Some(r#"{"a": [60, 3]}"#));
        let aliases = [("champion", "3"), ("odd name", "é\n")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(document.pairs("aliases"), aliases);
        assert_eq!((document.pairs("tags"), document.text("tags")), (Vec::new(), None));
    }

    #[test]
    fn hostile_yaml_is_refused_in_words() {
        let deep = "a: ".to_owned() + &"[".repeat(100_000);
        let wide = "a:\n".to_owned() + &" - ".repeat(100_000);
        for (text, said) in [
            ("", "it is empty"),
            ("- 1\n- 2\n", "names and values"),
            ("just a text", "names and values"),
            ("a: &x [1]\nb: *x\n", "anchors or types"),
            ("a: *x\n", "it is no YAML"),
            ("a: !!python/object/apply:os.system ['ls']\n", "anchors or types"),
            ("[a, b]: 1\n", "no text"),
            ("a: b: c\n", "it is no YAML"),
            (
                "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}\n",
                "nested this deeply",
            ),
            (&deep, "it is no YAML"),
            (&wide, "nested this deeply"),
        ] {
            let error = parse(text).expect_err(text.get(..60).unwrap_or(text)).to_string();
            assert!(error.contains(said), "{}: {error}", text.get(..60).unwrap_or(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_reader_down(text in "[a-c:\\-\\[\\]{}&*!|>'\"# \n\t]{0,200}") {
            let _ = parse(&text);
        }
    }
}
