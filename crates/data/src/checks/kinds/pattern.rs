//! `pattern`: the texts of a column match a regular expression.

use arrow::array::AsArray as _;
use base::{Error, Progress, Result};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::checks::params::{column_of, named};
use crate::schema::Kind as ColumnKind;

/// The kind `pattern`.
pub(super) struct Pattern;

/// The most memory that a compiled expression may take.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The column of texts.
    #[schemars(extend("x-column" = true))]
    column: String,
    /// The regular expression, which the whole text has to match.
    regex: String,
}

impl Kind for Pattern {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "pattern",
            title: "Pattern",
            summary: "Every text of a column matches a regular expression.",
            doc: "The whole text has to match, as if the expression stood between `^` and `$`. The syntax is that \
                  of the Rust crate `regex`: no look-around, no back references, and time linear in the text. \
                  Missing values pass.",
            example: "kind = \"pattern\"\ncolumn = \"code\"\nregex = '[A-Z]{2}-\\d{4}'",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        named("column", &params.column)?;
        if params.regex.is_empty() {
            let error = Error::invalid("the regular expression is empty").hint("write `regex = '[a-z]+'`");
            return Err(Misfit::param("regex", error));
        }
        whole(&params.regex).map(|_| ()).map_err(|error| Misfit::param("regex", error))
    }

    fn rule(&self, params: &Params) -> String {
        format!("`{}` matches `{}`", params.column, params.regex)
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        column_of(context.table, &params.column, &[ColumnKind::Text])?;
        let regex = whole(&params.regex)?;
        Ok(rows(vec![params.column.clone()], move |batch, failing| {
            let texts = batch.column(0).as_string::<i32>().iter().enumerate();
            let wrong = texts.filter(|(_, text)| text.is_some_and(|text| !regex.is_match(text)));
            wrong.for_each(|(row, _)| failing.push(row));
            Ok(())
        }))
    }
}

/// The expression for whole texts.
fn whole(pattern: &str) -> Result<Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_PATTERN_BYTES).build().map_err(|e| {
        Error::invalid(format!("`{pattern}` is no regular expression"))
            .hint("write one such as `[a-z]+`; look-around and back references are not supported")
            .because(e)
    })
}
