//! `rename`: give columns other names.

use base::{Error, Result};
use data::Column;
use data::transform::check_names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rowset::{at, must_be_untransformed};
use super::table::Table;
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `rename`.
pub struct Rename;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Old and new names, such as `body_mass_g as mass`.
    names: Vec<String>,
}

impl Params {
    /// Old and new names.
    fn pairs(&self) -> Result<Vec<(&str, &str)>> {
        if self.names.is_empty() {
            return Err(
                Error::invalid("no column is renamed").hint("write one such as `body_mass_g as mass`")
            );
        }
        self.names.iter().map(|text| pair(text)).collect()
    }

    fn plan(&self, shape: &TableShape) -> Result<TableShape> {
        must_be_untransformed(shape, "rename")?;
        let pairs = self.pairs()?;
        for (at, (old, _)) in pairs.iter().enumerate() {
            shape.column(old)?;
            if pairs[..at].iter().any(|(other, _)| other == old) {
                return Err(Error::invalid(format!("`{old}` is renamed twice")).hint("leave one of them out"));
            }
        }
        let mut shape = shape.clone();
        let renamed = |name: &str| {
            let new = pairs.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| *new);
            new.to_owned()
        };
        shape.columns.iter_mut().for_each(|column| column.name = renamed(&column.name));
        shape.target = shape.target.map(|target| renamed(&target));
        check_names(&shape.columns)?;
        Ok(shape)
    }
}

fn pair(text: &str) -> Result<(&str, &str)> {
    let (old, new) = text.rsplit_once(" as ").ok_or_else(|| {
        Error::invalid(format!("cannot read `{text}`")).hint("write it such as `body_mass_g as mass`")
    })?;
    Ok((old.trim(), new.trim()))
}

impl Kind for Rename {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "rename",
            version: 1,
            title: "Rename columns",
            category: Category::Clean,
            summary: "Gives columns other names.",
            doc: "All names change at once, so two columns can swap theirs. A model asks for the columns under \
                  their new names, so put it before transforms that are part of the model.",
            synonyms: &["alias", "as", "column names", "header", "label"],
            inputs: const { &[Port::one("table", PortType::Table, "A table before fitted transforms.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The same rows under other names.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.pairs().map_err(at("names"))?;
        inputs.table("table").map(|shape| params.plan(shape).map_err(at("names"))).transpose()
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let shape = params.plan(&table.shape())?;
        let hidden: Vec<Column> =
            table.meta.columns.iter().filter(|column| column.is_hidden()).cloned().collect();
        table.meta.target = shape.target;
        // Hidden columns stand behind the visible ones in every table that steps write.
        table.rename(shape.columns.into_iter().chain(hidden).collect())?;
        table.write(&work.output("table")?)
    }
}
