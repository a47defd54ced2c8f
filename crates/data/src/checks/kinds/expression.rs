//! `expression`: a condition over the cells of each row.

use arrow::array::AsArray as _;
use arrow::datatypes::DataType;
use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::kind::{Context, Declaration, Kind, Misfit, Watch, rows};
use crate::expr::{self, Expr, Type};

/// The kind `expression`.
pub(super) struct Expression;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Params {
    /// The condition, such as `total = price * quantity`.
    #[schemars(extend("x-expression" = true))]
    expression: String,
}

impl Kind for Expression {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "expression",
            title: "Condition",
            summary: "A condition over the cells of a row is true for every row.",
            doc: "The syntax is that of the steps `filter` and `derive`: SQL over the columns. As in a SQL `CHECK`, \
                  a row for which the condition is unknown because a value is missing passes; add \
                  `and x is not null` if it should not.",
            example: "kind = \"expression\"\nexpression = \"delivered >= ordered and price > 0\"",
            is_about_rows: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        parse(&params.expression).map(|_| ()).map_err(|error| Misfit::param("expression", error))
    }

    fn rule(&self, params: &Params) -> String {
        format!("`{}`", params.expression)
    }

    fn watch(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Box<dyn Watch>> {
        let expression = parse(&params.expression)?;
        if expression.check(context.table.schema())? != Type::Boolean {
            return Err(Error::invalid(format!("`{}` is not true or false", params.expression))
                .hint("compare it with something, such as `… > 0`"));
        }
        let columns = expression.columns().into_iter().map(str::to_owned).collect();
        Ok(rows(columns, move |batch, failing| {
            let truths = expression.eval(batch)?;
            if truths.data_type() == &DataType::Boolean {
                let wrong = truths.as_boolean().iter().enumerate().filter(|(_, truth)| *truth == Some(false));
                wrong.for_each(|(row, _)| failing.push(row));
            }
            Ok(())
        }))
    }
}

fn parse(text: &str) -> Result<Expr> {
    if text.trim().is_empty() {
        return Err(Error::invalid("the expression is empty").hint("write a condition, such as `age >= 18`"));
    }
    let expression = expr::parse(text)?;
    if expression.columns().is_empty() {
        return Err(
            Error::invalid(format!("`{text}` looks at no column")).hint("name a column, such as `age >= 18`")
        );
    }
    Ok(expression)
}
