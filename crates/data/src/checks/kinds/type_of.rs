//! `type`: a column holds values of a kind.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, known};
use crate::checks::params::named;
use crate::schema::{Kind as ColumnKind, nearest};

/// The kind `type`.
pub(super) struct TypeOf;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The kind of its values: `integer`, `number`, `boolean`, `text` or `time`.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["integer", "number", "boolean", "text", "time"]))]
    kind: String,
}

impl Kind for TypeOf {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "type",
            title: "Type",
            summary: "A column exists and holds values of a kind.",
            doc: "The kinds are `integer`, `number`, `boolean`, `text` and `time`. Whole numbers are numbers too, \
                  so an integer column passes as `number`.",
            example: "kind = \"type\"\ncolumn = \"age\"\ntype = \"integer\"",
            is_about_rows: false,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        kind_of(&params.kind).map(|_| ()).map_err(|error| Misfit::param("type", error))
    }

    fn rule(&self, params: &Params) -> String {
        format!("`{}` is of the kind {}", params.column, params.kind)
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let wanted = kind_of(&params.kind)?;
        let Ok(column) = context.table.meta().column(&params.column) else {
            return Ok(known(false, "there is no such column".to_owned()));
        };
        let fits = column.kind == wanted || (wanted == ColumnKind::Number && column.kind.is_numeric());
        Ok(known(fits, format!("it is of the kind {}", column.kind.word())))
    }
}

fn kind_of(word: &str) -> Result<ColumnKind> {
    ColumnKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        let words = ColumnKind::ALL.map(ColumnKind::word);
        let error = Error::invalid(format!("there is no kind `{word}`"));
        match nearest(word, words.into_iter()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the kinds are {}", words.join(", "))),
        }
    })
}
