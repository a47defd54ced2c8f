//! `filter`: keep the rows for which an expression is true.

use arrow::array::{Array, BooleanArray};
use base::{Error, Result};
use data::expr::{self, Type};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Table, keep_rows};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `filter`.
pub struct Filter;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Rows for which this is true are kept, such as `body_mass_g > 3000 and sex is not null`.
    #[schemars(extend("x-expression" = "boolean"))]
    expression: String,
}

impl Kind for Filter {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "filter",
            version: 1,
            title: "Filter rows",
            category: Category::Clean,
            summary: "Keeps the rows for which an expression is true.",
            doc: "The expression is that of SQL: comparisons, `and`, `or`, `not`, `in (…)`, `between`, `like`, \
                  `is null`, arithmetic and functions. Where it is unknown because a value is missing, the row \
                  is dropped. Rows are dropped from the data only: the model itself still answers for any row.",
            synonyms: &["where", "rows", "query", "condition", "subset", "sql"],
            inputs: const { &[Port::one("table", PortType::Table, "Any table.")] },
            outputs: const { &[Port::one("table", PortType::Table, "The rows that are kept.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        let misfit = |error| Misfit::param("expression", error);
        let expression = parse(&params.expression).map_err(misfit)?;
        let Some(shape) = inputs.table("table") else { return Ok(None) };
        let found = expression.check(&data::arrow_schema(&shape.columns)).map_err(misfit)?;
        if found != Type::Boolean {
            return Err(misfit(not_a_condition(&params.expression)));
        }
        Ok(Some(shape.clone()))
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut table = Table::read(work.input("table")?)?;
        let expression = parse(&params.expression)?;
        let columns: Vec<_> = table.meta.visible().cloned().collect();
        expression.check(&data::arrow_schema(&columns))?;
        let answer = expression.eval(&table.rows)?;
        let mask = answer.as_any().downcast_ref::<BooleanArray>();
        let mask = mask.ok_or_else(|| not_a_condition(&params.expression))?;
        let before = table.rows.num_rows();
        table.rows = keep_rows(&table.rows, mask)?;
        work.log(&format!("kept {} of {before} rows", table.rows.num_rows()));
        if table.rows.num_rows() == 0 {
            return Err(Error::invalid(format!(
                "no row is left: `{}` is true for none of {before}",
                params.expression
            ))
            .hint("loosen the condition"));
        }
        table.write(&work.output("table")?)
    }
}

fn parse(text: &str) -> Result<expr::Expr> {
    if text.trim().is_empty() {
        return Err(Error::invalid("the expression is empty").hint("write a condition, such as `age >= 18`"));
    }
    expr::parse(text)
}

fn not_a_condition(text: &str) -> Error {
    Error::invalid(format!("`{text}` is not true or false"))
        .hint("compare it with something, such as `… > 0`")
}
