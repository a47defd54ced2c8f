//! What scripts log: experiments with runs, curves, datasets and files; logged models; and what the
//! registry knows of models that came that way. The runs are those of [`crate::runs`], the models
//! those of [`crate::models`]: whoever lists either sees all.
//!
//! What is written often goes through [`crate::Store::log`] and takes the manifest of its subject
//! back; [`settle`] writes it anew once the subject rests.

pub mod artifacts;
pub mod experiments;
pub mod filter;
pub mod inputs;
pub mod logged_models;
pub mod points;
pub mod registry;
pub mod script_runs;
pub mod search;
mod settling;
pub mod walks;
pub mod whole;

pub(crate) use settling::FILES_OF_RUN;
pub use settling::{Unsettled, settle, unsettled};

/// A name and a text: a tag or a parameter.
pub type Pair = (String, String);
