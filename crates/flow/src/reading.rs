//! Reads the text of a pipeline file: as much as can be read at once, and the line and column of
//! everything that is wrong with it. What the graph means is [`crate::graph`]'s matter; where a step
//! or a parameter stands in the text can be asked here afterwards, to say its problems there.

use std::collections::BTreeMap;

use base::{Code, Error, Result};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use crate::file::{
    DeclaredInput, DeclaredOutput, FORMAT, Part, Pipeline, Step, StepForm, check_id, check_name,
};
use crate::frames::{self, Frame};

/// A text beyond this is no pipeline that a person could want.
pub const MAX_BYTES: usize = 16 << 20;

/// A place in a text; line and column count from 1, and columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPlace {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

/// Something that is wrong with a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// Where it is, unless it is the whole.
    pub at: Option<TextPlace>,
    /// What it is, without the place.
    pub error: Error,
}

/// What was read of a text.
#[derive(Debug)]
pub struct Text<'a> {
    /// The pipeline, if nothing is wrong with the text.
    pub pipeline: Option<Pipeline>,
    /// What is wrong, in the order of the text.
    pub wrong: Vec<Wrong>,
    text: &'a str,
    spots: Vec<StepSpots>,
}

/// Where a step and its parts stand, in bytes.
#[derive(Debug, Default)]
struct StepSpots {
    id: String,
    whole: usize,
    /// Values by `kind`, `params`, `params.trees`, `inputs.table` ….
    parts: BTreeMap<String, usize>,
}

type Item<'a> = Spanned<DeValue<'a>>;

/// Reads a text.
pub fn read(text: &str) -> Text<'_> {
    let mut reader = Reader { text, wrong: Vec::new() };
    if text.len() > MAX_BYTES {
        let most = base::bytes(MAX_BYTES as u64);
        reader.note(None, Error::invalid(format!("the text is longer than {most}")));
        return Text { pipeline: None, wrong: reader.wrong, text, spots: Vec::new() };
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    let spots = spots_of(&table);
    for error in &errors {
        reader.note_toml(error);
    }
    // After a fault of form the rest may be read as something it is not.
    let pipeline = if errors.is_empty() { reader.pipeline(&table) } else { None };
    reader.wrong.sort_by_key(|wrong| wrong.at);
    Text { pipeline: pipeline.filter(|_| reader.wrong.is_empty()), wrong: reader.wrong, text, spots }
}

impl Text<'_> {
    /// The pipeline, or the first thing that is wrong, with its place.
    ///
    /// # Errors
    /// See [`Pipeline::parse`].
    pub fn into_result(self) -> Result<Pipeline> {
        match (self.wrong.into_iter().next(), self.pipeline) {
            (None, Some(pipeline)) => Ok(pipeline),
            (Some(wrong), _) => Err(wrong.into_error()),
            (None, None) => Err(Error::internal("a pipeline file was neither read nor refused")),
        }
    }

    /// Where a step stands, or the part of it that is meant: `kind`, `params.trees`, `inputs.table`.
    /// A part that is not written stands where the step does.
    pub fn place_of(&self, step: &str, part: Option<&str>) -> Option<TextPlace> {
        let spots = self.spots.iter().find(|spots| spots.id == step)?;
        let part = part.and_then(|part| spots.parts.get(part));
        Some(place_in(self.text, *part.unwrap_or(&spots.whole)))
    }
}

impl Wrong {
    fn into_error(self) -> Error {
        let Self { at, error } = self;
        if error.code == Code::TooNew {
            return error;
        }
        let place = at.map_or_else(String::new, |at| format!("line {}, column {}: ", at.line, at.column));
        let message = format!("cannot read the pipeline file: {place}{}", error.message);
        let hint = error.hint.clone();
        let way_out = "correct the text at that place, or revert to the last commit";
        Error { message, hint: hint.or_else(|| Some(way_out.to_owned())), ..error }
    }
}

/// Collects what is wrong.
struct Reader<'a> {
    text: &'a str,
    wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    fn note(&mut self, at: Option<usize>, error: Error) {
        let at = at.map(|at| place_in(self.text, at));
        self.wrong.push(Wrong { at, error });
    }

    fn note_toml(&mut self, error: &toml::de::Error) {
        let at = error.span().map(|span| span.start);
        self.note(at, Error::invalid(error.message().trim_end().to_owned()));
    }

    fn pipeline(&mut self, table: &DeTable<'a>) -> Option<Pipeline> {
        // A newer file has fields that are not known here: its format says so first.
        let format: i64 = self.field(table, "format")?;
        if !(1..=FORMAT).contains(&format) {
            let message =
                format!("the pipeline file has format {format}, this version of Fettle reads up to {FORMAT}");
            let at = get(table, "format").map(|value| value.span().start);
            let error = if format < 1 {
                Error::invalid(message).hint("write `format = 1`")
            } else {
                Error::new(Code::TooNew, message).hint("update Fettle")
            };
            self.note(at, error);
            return None;
        }
        for (name, _) in table.iter() {
            if !["format", "name", "input", "output", "step", "frame"].contains(&&**name.get_ref()) {
                let error = Error::invalid(format!("unknown field `{}`", name.get_ref().escape_debug()))
                    .hint("a pipeline has `format`, `name`, `input`, `output`, `step` and `frame`");
                self.note(Some(name.span().start), error);
            }
        }
        let name: String = self.field(table, "name")?;
        if let Err(error) = check_name(&name) {
            self.note(get(table, "name").map(|value| value.span().start), error);
        }
        Some(Pipeline {
            name,
            inputs: self.list(table, "input", |input: &DeclaredInput| check_id(&input.name)),
            outputs: self.list(table, "output", |output: &DeclaredOutput| check_id(&output.name)),
            steps: self.steps(table),
            frames: self.frames(table),
        })
    }

    /// A field that must be there.
    fn field<T: DeserializeOwned>(&mut self, table: &DeTable<'a>, name: &str) -> Option<T> {
        let Some(value) = get(table, name) else {
            self.note(Some(0), Error::invalid(format!("the file has no `{name}`")));
            return None;
        };
        self.value(value)
    }

    fn value<T: DeserializeOwned>(&mut self, item: &Item<'a>) -> Option<T> {
        match T::deserialize(ValueDeserializer::from(item.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().map_or_else(|| item.span().start, |span| span.start);
                self.note(Some(at), Error::invalid(error.message().trim_end().to_owned()));
                None
            }
        }
    }

    fn items<'t>(&mut self, table: &'t DeTable<'a>, name: &str) -> &'t [Item<'a>] {
        match get(table, name) {
            None => &[],
            Some(item) => match item.get_ref() {
                DeValue::Array(items) => items,
                _ => {
                    let error = Error::invalid(format!("`{name}` is no list"))
                        .hint(format!("begin each with `[[{name}]]`"));
                    self.note(Some(item.span().start), error);
                    &[]
                }
            },
        }
    }

    fn list<T: DeserializeOwned>(
        &mut self,
        table: &DeTable<'a>,
        name: &str,
        check: impl Fn(&T) -> Result<()>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for item in self.items(table, name) {
            let Some(read) = self.value(item) else { continue };
            match check(&read) {
                Ok(()) => all.push(read),
                Err(error) => self.note(Some(item.span().start), error),
            }
        }
        all
    }

    fn frames(&mut self, table: &DeTable<'a>) -> Vec<Frame> {
        let all = self.list(table, "frame", Frame::check);
        if let Err(error) = frames::check_all(&all) {
            self.note(get(table, "frame").map(|item| item.span().start), error);
        }
        all
    }

    fn steps(&mut self, table: &DeTable<'a>) -> Vec<Step> {
        let mut all = Vec::new();
        for item in self.items(table, "step") {
            let Some(form) = self.value::<StepForm>(item) else { continue };
            match Step::from_form(form) {
                Ok(step) => all.push(step),
                Err((part, error)) => {
                    let spots = step_spots(item);
                    let spot = match part {
                        Part::Step => None,
                        Part::Id => spots.parts.get("id"),
                        Part::Input(port) => spots.parts.get(&format!("inputs.{port}")),
                    };
                    self.note(Some(*spot.unwrap_or(&spots.whole)), error);
                }
            }
        }
        all
    }
}

fn get<'t, 'a>(table: &'t DeTable<'a>, name: &str) -> Option<&'t Item<'a>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

fn spots_of(table: &DeTable<'_>) -> Vec<StepSpots> {
    match get(table, "step").map(Spanned::get_ref) {
        Some(DeValue::Array(items)) => items.iter().map(step_spots).collect(),
        _ => Vec::new(),
    }
}

fn step_spots(item: &Item<'_>) -> StepSpots {
    let mut spots = StepSpots { whole: item.span().start, ..StepSpots::default() };
    let DeValue::Table(fields) = item.get_ref() else { return spots };
    for (name, value) in fields.iter() {
        let name: &DeString<'_> = name.get_ref();
        if let (true, DeValue::String(id)) = (&**name == "id", value.get_ref()) {
            spots.id = id.to_string();
        }
        spots.parts.insert(name.to_string(), value.span().start);
        if let DeValue::Table(inner) = value.get_ref() {
            let inner = inner.iter().map(|(key, value)| (format!("{name}.{}", key.get_ref()), value.span()));
            spots.parts.extend(inner.map(|(key, span)| (key, span.start)));
        }
    }
    spots
}

/// The line and column of a byte. One beyond the end is the end.
fn place_in(text: &str, offset: usize) -> TextPlace {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    TextPlace { line: short(line), column: short(column) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrongs(text: &str) -> Vec<(u32, u32, String)> {
        let told = |wrong: &Wrong| {
            let at = wrong.at.expect("all of these have a place");
            (at.line, at.column, wrong.error.to_string())
        };
        read(text).wrong.iter().map(told).collect()
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place_and_not_just_the_first() {
        let text = "format = 1\nname = \"A b\"\ncolour = 1\n[[step]]\nid = \"Bad\"\nkind = \"filter\"\n\
                    [[step]]\nid = \"good\"\nkind = \"filter\"\ninputs = { table = \"nothing\" }\n\
                    [[step]]\nid = \"worse\"\nkind = 7\n";
        let found = wrongs(text);
        let places: Vec<(u32, u32)> = found.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(places, [(2, 8), (3, 1), (5, 6), (10, 20), (13, 8)], "{found:?}");
        assert_eq!(found[1].2, "unknown field `colour`");
        assert!(read(text).pipeline.is_none());
    }

    #[test]
    fn several_faults_of_form_are_told_at_once() {
        let found = wrongs("format = 1\nname = species\n[[step]\nid = \"x\"\nkind = \"sort\"\n");
        assert!(found.len() >= 2, "{found:?}");
        assert_eq!(found[0].0, 2);
    }

    #[test]
    fn a_newer_format_is_told_before_its_unknown_fields() {
        let error = read("name = \"x\"\nnew = 1\nformat = 9").into_result().expect_err("from the future");
        assert_eq!(error.code, Code::TooNew);
        let error = read("format = 0\nname = \"x\"").into_result().expect_err("there never was one");
        assert_eq!(error.code, Code::InvalidInput);
    }

    #[test]
    fn a_step_and_its_parts_are_found_in_whatever_form_they_are_written() {
        let text = "format = 1\nname = \"é\"\n[[step]]\nid = \"a\"\nkind = \"sort\"\n[step.params]\nby = [1]\n\
                    [[step]]\nid = \"b\"\nkind = \"sort\"\nparams = { by = [2] }\n";
        let read = read(text);
        let at = |step: &str, part: Option<&str>| read.place_of(step, part).map(|at| (at.line, at.column));
        assert_eq!(at("a", Some("params.by")), Some((7, 6)));
        assert_eq!(at("b", Some("params.by")), Some((11, 17)));
        assert_eq!(at("b", Some("kind")), Some((10, 8)));
        assert_eq!(at("b", Some("inputs.table")), at("b", None));
        assert_eq!(at("c", None), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}", noise in "[\\[\\]{}=\"'a-z0-9.\\n# -]{0,200}") {
            let _ = read(&text);
            let _ = read(&noise);
            let _ = read(&format!("format = 1\nname = \"x\"\n[[step]]\nid = \"é\"\n{noise}"));
        }
    }
}
