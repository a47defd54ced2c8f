//! Every kind of step. A new one is a file here and a line in [`LIST`]; a new trainer is a file in
//! `learn` and a line in its list.

mod bin;
mod cast;
mod check;
mod clip;
mod command;
mod compare;
pub mod component;
mod cross_validate;
mod dataset;
mod date_parts;
mod deduplicate;
mod derive;
mod encode;
mod evaluate;
mod filter;
mod group;
mod impute;
mod join;
mod parts;
mod pivot;
mod python;
mod recipe;
mod register;
mod rename;
mod rowset;
mod sample;
mod scale;
mod scored;
mod select;
mod sort;
mod split;
mod split_group;
mod split_time;
mod sql;
mod table;
mod test_model;
mod text_features;
mod train;
mod union;
mod unpivot;
mod validate;
mod window;

use std::sync::OnceLock;

use base::{Error, Result};
use data::nearest;

use crate::kind::{Preset, StepKind};

pub use evaluate::{FIGURES_FILE, METRICS_FILE, ModelMetrics, REPORT_FILE, Report};
pub use recipe::recipe_sentences;
pub use scored::{
    Columns, Proof, Scored, all_rows, held_out_rows, json_cell, labelled_rows, prove, read_rows, score,
    score_to_file, write_columns, write_inputs, write_rows,
};
pub(crate) use table::face as table_face;
pub use train::{CURVES_FILE, HELD_OUT_FOLDER};

/// The kinds in the order of the palette, but for the trainers.
const LIST: &[&dyn StepKind] = &[
    &dataset::Dataset,
    &select::Select,
    &filter::Filter,
    &sort::Sort,
    &deduplicate::Deduplicate,
    &sample::Sample,
    &rename::Rename,
    &cast::Cast,
    &join::Join,
    &union::Union,
    &group::Group,
    &pivot::Pivot,
    &unpivot::Unpivot,
    &window::Window,
    &text_features::TextFeatures,
    &sql::Sql,
    &derive::Derive,
    &validate::Validate,
    &split::Split,
    &split_time::SplitTime,
    &split_group::SplitGroup,
    &date_parts::DateParts,
    &clip::Clip,
    &bin::Bin,
    &impute::Impute,
    &encode::Encode,
    &scale::Scale,
    &cross_validate::CrossValidate,
    &evaluate::Evaluate,
    &compare::Compare,
    &check::Check,
    &test_model::TestModel,
    &register::Register,
    &command::RunCommand,
    &python::Python,
    &component::Component,
];

/// Every kind in the order of the palette.
pub fn all() -> &'static [&'static dyn StepKind] {
    static ALL: OnceLock<Vec<&'static dyn StepKind>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<&'static dyn StepKind> = LIST.to_vec();
        let trainers = train::kinds().iter().map(|kind| kind as &dyn StepKind);
        let before_evaluate =
            all.iter().position(|kind| kind.declaration().kind == "evaluate").unwrap_or(all.len());
        all.splice(before_evaluate..before_evaluate, trainers);
        all
    })
}

/// The preset of this name, with the kind it belongs to.
///
/// # Errors
/// [`base::Code::InvalidInput`] with the nearest name there is.
pub fn preset(name: &str) -> Result<(&'static dyn StepKind, &'static Preset)> {
    let every = || all().iter().flat_map(|kind| kind.presets().iter().map(|preset| (*kind, preset)));
    every().find(|(_, preset)| preset.name == name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no template `{name}`"));
        let names: Vec<&str> = every().map(|(_, preset)| preset.name).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("choose one of {}", names.join(", "))),
        }
    })
}

/// The kind of this name.
///
/// # Errors
/// [`base::Code::InvalidInput`] with the nearest name there is.
pub fn find(name: &str) -> Result<&'static dyn StepKind> {
    all().iter().copied().find(|kind| kind.declaration().kind == name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no kind of step `{name}`"));
        let names: Vec<&str> = all().iter().map(|kind| kind.declaration().kind).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("see `fettle pipeline kinds` for all there are"),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_name_and_says_what_it_is() {
        let mut names = BTreeSet::new();
        for kind in all() {
            let said = kind.declaration();
            assert!(names.insert(said.kind), "two kinds are called {}", said.kind);
            assert!(
                !said.summary.is_empty() && !said.doc.is_empty() && !said.outputs.is_empty(),
                "{}",
                said.kind
            );
            for port in said.inputs.iter().chain(said.outputs) {
                assert!(!port.doc.is_empty(), "{}.{}", said.kind, port.name);
            }
        }
    }

    #[test]
    fn every_preset_has_its_own_name_and_parameters_that_fit() {
        let mut names = BTreeSet::new();
        for kind in all() {
            for preset in kind.presets() {
                assert!(names.insert(preset.name), "two presets are called {}", preset.name);
                let params = preset.read().unwrap_or_else(|e| panic!("{}: {e}", preset.name));
                let complete = kind.complete(&params).unwrap_or_else(|e| panic!("{}: {e:?}", preset.name));
                kind.ports(&complete).unwrap_or_else(|e| panic!("{}: {e:?}", preset.name));
                kind.shape(&params, &crate::kind::Shapes::default(), None)
                    .unwrap_or_else(|e| panic!("{}: {e:?}", preset.name));
            }
        }
        assert!(preset("shell").is_ok());
        assert_eq!(preset("skleanr").err().and_then(|e| e.hint), Some("did you mean `sklearn`?".to_owned()));
    }

    #[test]
    fn every_parameter_is_documented_and_every_default_is_valid() {
        for kind in all() {
            let name = kind.declaration().kind;
            let schema = kind.params_schema();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let defaults = kind.defaults();
            let defaults = defaults.as_object().unwrap_or_else(|| panic!("{name}: parameters are an object"));
            for (param, said) in &properties {
                assert!(said["description"].is_string(), "{name}.{param} has no description");
                assert!(defaults.contains_key(param), "{name}.{param} has no default");
            }
            assert_eq!(kind.complete(defaults).unwrap_or_else(|e| panic!("{name}: {e:?}")), *defaults);
        }
    }
}
