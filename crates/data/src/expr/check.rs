//! Which type an expression has over the columns of a table, and what in it does not fit.

use std::fmt;

use arrow::datatypes::Schema;
use base::{Error, Result};
use serde::{Deserialize, Serialize};

use super::ast::{BinaryOp, Expr, Function, UnaryOp};
use super::parse::short;
use crate::schema::{Kind, nearest};

/// The type of an expression's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A number (integers are numbers here).
    Number,
    /// True or false.
    Boolean,
    /// A text.
    Text,
    /// A date or timestamp. It can be compared, also with a text such as `'2026-11-23'`.
    Time,
}

impl Type {
    /// The kind of a column that holds such values.
    pub fn kind(self) -> Kind {
        match self {
            Self::Number => Kind::Number,
            Self::Boolean => Kind::Boolean,
            Self::Text => Kind::Text,
            Self::Time => Kind::Time,
        }
    }

    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer | Kind::Number => Self::Number,
            Kind::Boolean => Self::Boolean,
            Kind::Text => Self::Text,
            Kind::Time => Self::Time,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Boolean => "a truth value",
            Self::Text => "a text",
            Self::Time => "a time",
        })
    }
}

impl Expr {
    /// The type of the values over a table of this schema.
    ///
    /// # Errors
    /// `invalid_input`, naming the missing column (the nearest name is the hint) or the part
    /// whose operands do not fit.
    pub fn check(&self, schema: &Schema) -> Result<Type> {
        // Nothing but missing values is a number, as good as anything.
        Ok(self.type_of(schema)?.unwrap_or(Type::Number))
    }

    /// The type, or none for `null`, which fits everywhere.
    pub(super) fn type_of(&self, schema: &Schema) -> Result<Option<Type>> {
        Ok(match self {
            Self::Column(name) => Some(column(name, schema)?),
            Self::Number(_) => Some(Type::Number),
            Self::Text(_) => Some(Type::Text),
            Self::Boolean(_) => Some(Type::Boolean),
            Self::Null => None,
            Self::Unary { op, operand } => {
                let wanted = match op {
                    UnaryOp::Negate => Type::Number,
                    UnaryOp::Not => Type::Boolean,
                };
                self.demand(operand, wanted, schema)?;
                Some(wanted)
            }
            Self::Binary { op, left, right } => Some(self.binary(*op, left, right, schema)?),
            Self::IsNull(operand) => {
                operand.type_of(schema)?;
                Some(Type::Boolean)
            }
            Self::In { operand, list } => {
                for item in list {
                    self.comparable(operand, item, schema)?;
                }
                Some(Type::Boolean)
            }
            Self::Between { operand, low, high } => {
                self.comparable(operand, low, schema)?;
                self.comparable(operand, high, schema)?;
                Some(Type::Boolean)
            }
            Self::Like { operand, .. } => {
                self.demand(operand, Type::Text, schema)?;
                Some(Type::Boolean)
            }
            Self::Case { branches, otherwise } => {
                for (condition, _) in branches {
                    self.demand(condition, Type::Boolean, schema)?;
                }
                let values = branches.iter().map(|(_, value)| value).chain([otherwise.as_ref()]);
                self.same(values, schema)?
            }
            Self::Call { function, arguments } => self.call(*function, arguments, schema)?,
        })
    }

    fn binary(&self, op: BinaryOp, left: &Self, right: &Self, schema: &Schema) -> Result<Type> {
        if op.is_arithmetic() || op.is_logical() {
            let wanted = if op.is_arithmetic() { Type::Number } else { Type::Boolean };
            self.demand(left, wanted, schema)?;
            self.demand(right, wanted, schema)?;
            return Ok(wanted);
        }
        self.comparable(left, right, schema)?;
        Ok(Type::Boolean)
    }

    fn call(&self, function: Function, arguments: &[Self], schema: &Schema) -> Result<Option<Type>> {
        let (takes, gives) = match function {
            Function::Coalesce => return self.same(arguments.iter(), schema),
            Function::Lower | Function::Upper => (Type::Text, Type::Text),
            Function::Length => (Type::Text, Type::Number),
            Function::Part(_) => (Type::Time, Type::Number),
            Function::DaysSince => {
                self.demand(&arguments[0], Type::Time, schema)?;
                return moment_of(&arguments[1]).map(|_| Some(Type::Number));
            }
            Function::Abs
            | Function::Ln
            | Function::Log10
            | Function::Exp
            | Function::Sqrt
            | Function::Power
            | Function::Round
            | Function::Floor
            | Function::Ceil
            | Function::Least
            | Function::Greatest => (Type::Number, Type::Number),
        };
        for argument in arguments {
            self.demand(argument, takes, schema)?;
        }
        Ok(Some(gives))
    }

    /// Fails unless the part has this type.
    fn demand(&self, part: &Self, wanted: Type, schema: &Schema) -> Result<()> {
        match part.type_of(schema)? {
            Some(found) if found != wanted => Err(misfit(format!(
                "in `{}`, `{}` is {found}, expected {wanted}",
                short(&self.to_string()),
                short(&part.to_string())
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// Fails unless the two parts can be compared.
    fn comparable(&self, left: &Self, right: &Self, schema: &Schema) -> Result<()> {
        let (Some(a), Some(b)) = (left.type_of(schema)?, right.type_of(schema)?) else {
            return Ok(());
        };
        match (a, b) {
            (Type::Time, Type::Text) => moment_of(right).map(|_| ()),
            (Type::Text, Type::Time) => moment_of(left).map(|_| ()),
            (a, b) if a == b => Ok(()),
            (a, b) => Err(misfit(format!(
                "`{}` compares {a} (`{}`) with {b} (`{}`)",
                short(&self.to_string()),
                short(&left.to_string()),
                short(&right.to_string())
            ))),
        }
    }

    /// The one type that all parts have.
    fn same<'a>(&self, parts: impl Iterator<Item = &'a Self>, schema: &Schema) -> Result<Option<Type>> {
        let mut common = None;
        for part in parts {
            let Some(found) = part.type_of(schema)? else { continue };
            let expected = *common.get_or_insert(found);
            if found != expected {
                return Err(misfit(format!(
                    "in `{}`, `{}` is {found}, while another value is {expected}",
                    short(&self.to_string()),
                    short(&part.to_string())
                )));
            }
        }
        Ok(common)
    }
}

fn column(name: &str, schema: &Schema) -> Result<Type> {
    if let Ok(field) = schema.field_with_name(name) {
        return Ok(Type::of(Kind::of(field.data_type())));
    }
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let error = Error::invalid(format!("there is no column `{name}`"));
    Err(match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`? A text stands in single quotes")),
        None => {
            let some: Vec<&str> = names.filter(|name| !name.starts_with("__")).take(10).collect();
            error.hint(format!("the columns are {}; a text stands in single quotes", some.join(", ")))
        }
    })
}

/// The milliseconds since 1970 of a moment in UTC, written with the year first.
///
/// # Errors
/// `invalid_input` for anything else.
pub fn moment(text: &str) -> Result<i64> {
    moment_of(&Expr::Text(text.to_owned()))
}

/// The milliseconds of a text that is compared with a time.
pub(super) fn moment_of(expr: &Expr) -> Result<i64> {
    let text = match expr {
        Expr::Text(text) => text.as_str(),
        _ => "",
    };
    crate::import::iso_moment(text).ok_or_else(|| {
        Error::invalid(format!("`{}` is not a time", short(&expr.to_string())))
            .hint("compare a time with a text such as '2026-11-23' or '2026-11-23 08:05:10'")
    })
}

fn misfit(message: String) -> Error {
    Error::invalid(message).hint("compare and combine values of one type; texts stand in single quotes")
}
