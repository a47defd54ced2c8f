//! Frames on the canvas: a title, a note and a colour around steps, or around none, as a note by
//! itself. They are kept in the pipeline file for people, and no part of any hash.

use std::collections::BTreeSet;

use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// Frames of one pipeline.
pub const MAX_FRAMES: usize = 200;
/// Characters of a note.
pub const MAX_NOTE: usize = 4_000;
/// Characters of a title.
pub const MAX_TITLE: usize = 200;

/// A frame as the file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Unique in the pipeline: `[a-z][a-z0-9_-]*`.
    pub id: String,
    /// One line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Any text, read as Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its colour.
    #[serde(default)]
    pub tone: Tone,
    /// Left, top, width and height, in pixels of the canvas.
    #[serde(rename = "box")]
    pub area: [f64; 4],
}

/// The colour of a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Grey.
    #[default]
    Grey,
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Red.
    Red,
    /// Violet.
    Violet,
}

impl Frame {
    /// Refuses a frame that cannot be drawn or named.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let is_name = self.id.starts_with(|c: char| c.is_ascii_lowercase())
            && self.id.len() <= 60
            && self
                .id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        if !is_name {
            return Err(Error::invalid(format!("`{}` cannot be the id of a frame", self.id.escape_debug()))
                .hint("use lower-case letters, digits, `-` and `_`, starting with a letter, at most 60"));
        }
        let wrong = |what: String, hint: &str| Err(Error::invalid(what).hint(hint));
        let [.., width, height] = self.area;
        if !self.area.iter().all(|number| number.is_finite()) || width <= 0.0 || height <= 0.0 {
            return wrong(
                format!("frame `{}` has no area", self.id),
                "write `box = [left, top, width, height]`",
            );
        }
        if self.title.chars().count() > MAX_TITLE {
            return wrong(
                format!("the title of frame `{}` is longer than {MAX_TITLE} characters", self.id),
                "say the rest in its note",
            );
        }
        if self.note.chars().count() > MAX_NOTE {
            return wrong(
                format!("the note of frame `{}` is longer than {MAX_NOTE} characters", self.id),
                "say the rest in another note",
            );
        }
        Ok(())
    }
}

/// Refuses frames that cannot stand beside each other.
///
/// # Errors
/// [`base::Code::InvalidInput`]: too many, or two of the same id.
pub fn check_all(frames: &[Frame]) -> Result<()> {
    if frames.len() > MAX_FRAMES {
        return Err(Error::invalid(format!(
            "a pipeline holds at most {MAX_FRAMES} frames, not {}",
            frames.len()
        ))
        .hint("remove some"));
    }
    let mut ids = BTreeSet::new();
    match frames.iter().find(|frame| !ids.insert(&frame.id)) {
        Some(twice) => Err(Error::invalid(format!("two frames have the id `{}`", twice.id))
            .hint("give one of them another id")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            id: "frame-1".to_owned(),
            title: "Clean".to_owned(),
            note: String::new(),
            tone: Tone::Blue,
            area: [0.0, 0.0, 10.0, 10.0],
        }
    }

    #[test]
    fn frames_that_cannot_be_drawn_or_named_are_refused() {
        assert!(frame().check().is_ok());
        assert!(Frame { id: "Frame 1".to_owned(), ..frame() }.check().is_err());
        assert!(Frame { area: [0.0, 0.0, 0.0, 10.0], ..frame() }.check().is_err());
        assert!(Frame { area: [f64::NAN, 0.0, 10.0, 10.0], ..frame() }.check().is_err());
        assert!(Frame { note: "é".repeat(MAX_NOTE), ..frame() }.check().is_ok());
        assert!(Frame { note: "é".repeat(MAX_NOTE + 1), ..frame() }.check().is_err());
        assert!(Frame { title: "x".repeat(MAX_TITLE + 1), ..frame() }.check().is_err());
    }

    #[test]
    fn two_frames_of_one_id_and_too_many_are_refused() {
        assert!(check_all(&[frame(), frame()]).is_err());
        let many: Vec<Frame> = (0..=MAX_FRAMES).map(|at| Frame { id: format!("f{at}"), ..frame() }).collect();
        assert!(check_all(&many[1..]).is_ok());
        assert!(check_all(&many).is_err());
    }
}
