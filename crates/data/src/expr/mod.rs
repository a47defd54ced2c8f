//! Expressions over the columns of a table, in the syntax of SQL: `bill_length_mm / 2 > 20 and
//! species <> 'Adelie'`. They are parsed once, checked against the columns, and computed batch by
//! batch. The rules that differ from most databases are chosen so that a model can compute the
//! same thing: every number is a 64 bit float (`5 / 2` is `2.5` and nothing overflows), a
//! division by zero is infinite, and what is not a number is missing.

mod ast;
mod calendar;
mod check;
mod eval;
mod parse;

pub use ast::{BinaryOp, Expr, Function, UnaryOp};
pub use calendar::{Arithmetic, Calendar, DAY_MS};
pub use check::{Type, moment};
pub use parse::parse;
pub(crate) use parse::{on_deep_stack, refuse_long_chains};

#[cfg(test)]
mod tests;
