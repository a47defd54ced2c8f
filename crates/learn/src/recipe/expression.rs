//! Expressions as nodes of a graph: the part of them that works on numbers and truth values, and
//! comparisons of text with constants. The rest is refused with the reason before anything is
//! computed, because a column that the model cannot make again would be of no use to it.
//!
//! Everything is `DOUBLE`: false is 0, true is 1, missing is `NaN`, which is what the engine of
//! expressions has inside too.

use base::{Error, Result};
use data::expr::{Arithmetic, BinaryOp, DAY_MS, Expr, Function, UnaryOp};
use data::{Column, Kind, arrow_schema};

use super::Op;
use super::lower::{Columns, Lowered, get, number};
use crate::onnx::graph::{Attribute, Element, Graph, Name};

/// The transform that computes a column, once it is certain that the model can compute it too.
///
/// # Errors
/// If the expression does not parse, does not fit the columns, or has something in it that
/// cannot be part of a model.
pub fn fit_derive(columns: &[Column], name: &str, expression: &str) -> Result<Op> {
    derive_op(columns, name, data::expr::parse(expression)?)
}

/// As [`fit_derive`], of an expression that is read already.
///
/// # Errors
/// As [`fit_derive`].
pub fn derive_op(columns: &[Column], name: &str, expression: Expr) -> Result<Op> {
    if name.is_empty() || name.starts_with(data::HIDDEN_PREFIX) {
        return Err(Error::invalid(format!("`{name}` cannot be the name of a column"))
            .hint("choose a name that does not start with two underscores"));
    }
    let op = Op::Derive { name: name.to_owned(), expression };
    op.columns(columns.to_vec()).map_err(|error| error.within(format!("cannot derive column `{name}`")))?;
    Ok(op)
}

/// The kind of the column that an expression makes, if a model can compute it.
pub(super) fn kind_of(expression: &Expr, columns: &[Column]) -> Result<Kind> {
    let kind = expression.check(&arrow_schema(columns))?.kind();
    if !matches!(kind, Kind::Number | Kind::Integer | Kind::Boolean) {
        return Err(refused(&format!("a column of {}", kind.word())));
    }
    let lowered = |column: &Column| match column.kind {
        Kind::Text => Lowered::Text(column.name.clone(), None),
        Kind::Integer | Kind::Number | Kind::Boolean | Kind::Time => Lowered::Number(column.name.clone()),
    };
    if let Some(time) = bare_time(expression, columns) {
        return Err(refused(&format!("the time `{time}`"))
            .hint("use a part of it, such as `year`, `weekday`, `hour` or `days_since`"));
    }
    let columns = columns.iter().map(|column| (column.name.clone(), lowered(column))).collect();
    lower_expression(expression, &mut Graph::default(), &columns)?;
    Ok(kind)
}

/// A time that is used as anything but the argument of a calendar's function.
fn bare_time<'a>(expression: &'a Expr, columns: &[Column]) -> Option<&'a str> {
    let is_time = |name: &str| columns.iter().any(|column| column.name == name && column.kind == Kind::Time);
    match expression {
        Expr::Column(name) => is_time(name).then_some(name.as_str()),
        Expr::Call { function: Function::Part(_) | Function::DaysSince, arguments }
            if matches!(arguments[0], Expr::Column(_)) =>
        {
            None
        }
        other => other.children().into_iter().find_map(|child| bare_time(child, columns)),
    }
}

/// Adds an expression to a graph; the result is `DOUBLE [rows]`.
pub(super) fn lower_expression(expression: &Expr, graph: &mut Graph, columns: &Columns) -> Result<Name> {
    if expression.columns().is_empty() {
        return Err(Error::invalid("the expression names no column, so it is the same in every row"));
    }
    Lowering { graph, columns }.value(expression)
}

fn refused(what: &str) -> Error {
    Error::invalid(format!("{what} cannot be computed inside a model")).hint(
        "compute it before the data comes in, or use it in a `filter` step, which is not part of the model",
    )
}

struct Lowering<'a> {
    graph: &'a mut Graph,
    columns: &'a Columns,
}

impl Lowering<'_> {
    fn value(&mut self, expression: &Expr) -> Result<Name> {
        Ok(match expression {
            Expr::Column(name) => {
                let lowered = get(self.columns, name)?;
                number(self.graph, lowered, name)?
            }
            Expr::Number(value) => self.constant(*value),
            Expr::Boolean(value) => self.constant(f64::from(u8::from(*value))),
            Expr::Null => self.constant(f64::NAN),
            Expr::Text(text) => return Err(refused(&format!("the text '{text}'"))),
            Expr::Unary { op: UnaryOp::Negate, operand } => {
                let operand = self.value(operand)?;
                self.op("Neg", &[&operand])
            }
            Expr::Unary { op: UnaryOp::Not, operand } => {
                let (one, operand) = (self.constant(1.0), self.value(operand)?);
                self.op("Sub", &[&one, &operand])
            }
            Expr::Binary { op, left, right } => self.binary(*op, left, right)?,
            Expr::IsNull(operand) => match self.text_column(operand)? {
                Some((value, fill)) => {
                    let keys = if fill.is_none() { vec![String::new()] } else { Vec::new() };
                    self.is_one_of(&value, keys)
                }
                None => {
                    let operand = self.value(operand)?;
                    let is_missing = self.op("IsNaN", &[&operand]);
                    self.graph.cast(&is_missing, Element::Double)
                }
            },
            Expr::In { operand, list } => {
                let mut found = self.binary(BinaryOp::Equal, operand, &list[0])?;
                for item in &list[1..] {
                    let equal = self.binary(BinaryOp::Equal, operand, item)?;
                    found = self.or(&found, &equal);
                }
                found
            }
            Expr::Between { operand, low, high } => {
                let above = self.binary(BinaryOp::GreaterOrEqual, operand, low)?;
                let below = self.binary(BinaryOp::LessOrEqual, operand, high)?;
                self.and(&above, &below)
            }
            Expr::Like { .. } => return Err(refused("`like`")),
            Expr::Case { branches, otherwise } => {
                let mut value = self.value(otherwise)?;
                for (condition, then) in branches.iter().rev() {
                    let (condition, then) = (self.value(condition)?, self.value(then)?);
                    let is_true = self.is(&condition, 1.0);
                    value = self.op("Where", &[&is_true, &then, &value]);
                }
                value
            }
            Expr::Call { function, arguments } => self.call(*function, arguments)?,
        })
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Name> {
        if let Some(compared) = self.text_comparison(op, left, right)? {
            return Ok(compared);
        }
        let (a, b) = (self.value(left)?, self.value(right)?);
        let compared = match op {
            BinaryOp::Add => return Ok(self.op("Add", &[&a, &b])),
            BinaryOp::Subtract => return Ok(self.op("Sub", &[&a, &b])),
            BinaryOp::Multiply => return Ok(self.op("Mul", &[&a, &b])),
            BinaryOp::Divide => return Ok(self.op("Div", &[&a, &b])),
            BinaryOp::Remainder => return Err(refused("`%`")),
            BinaryOp::And => return Ok(self.and(&a, &b)),
            BinaryOp::Or => return Ok(self.or(&a, &b)),
            BinaryOp::Equal => self.op("Equal", &[&a, &b]),
            BinaryOp::NotEqual => {
                let equal = self.op("Equal", &[&a, &b]);
                self.op("Not", &[&equal])
            }
            BinaryOp::Less => self.op("Less", &[&a, &b]),
            BinaryOp::LessOrEqual => self.op("LessOrEqual", &[&a, &b]),
            BinaryOp::Greater => self.op("Greater", &[&a, &b]),
            BinaryOp::GreaterOrEqual => self.op("GreaterOrEqual", &[&a, &b]),
        };
        let truth = self.graph.cast(&compared, Element::Double);
        Ok(self.unless_missing(&a, &b, &truth))
    }

    /// A text column compared with a text constant, which is the only use of text in a model.
    fn text_comparison(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Option<Name>> {
        let (column, text) = match (left, right) {
            (Expr::Text(text), column) | (column, Expr::Text(text)) => (column, text),
            _ => return Ok(None),
        };
        let Some((value, fill)) = self.text_column(column)? else {
            return Err(refused("a comparison of computed text"));
        };
        if !matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
            return Err(refused("the order of texts"));
        }
        let mut keys = vec![text.clone()];
        if fill.as_ref() == Some(text) {
            keys.push(String::new());
        }
        let mut equal = self.is_one_of(&value, keys);
        if op == BinaryOp::NotEqual {
            let one = self.constant(1.0);
            equal = self.op("Sub", &[&one, &equal]);
        }
        if fill.is_none() {
            let is_missing = self.is_one_of(&value, vec![String::new()]);
            let (is_missing, nothing) = (self.is(&is_missing, 1.0), self.constant(f64::NAN));
            equal = self.op("Where", &[&is_missing, &nothing, &equal]);
        }
        Ok(Some(equal))
    }

    fn text_column(&self, expression: &Expr) -> Result<Option<(Name, Option<String>)>> {
        let Expr::Column(name) = expression else { return Ok(None) };
        Ok(match get(self.columns, name)? {
            Lowered::Text(value, fill) => Some((value, fill)),
            Lowered::Number(_) | Lowered::Column { .. } => None,
        })
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> Result<Name> {
        let simple = match function {
            Function::Abs => "Abs",
            Function::Ln | Function::Log10 => "Log",
            Function::Exp => "Exp",
            Function::Sqrt => "Sqrt",
            Function::Floor => "Floor",
            Function::Ceil => "Ceil",
            Function::Round => return self.round(arguments),
            Function::Power => {
                let (a, b) = (self.value(&arguments[0])?, self.value(&arguments[1])?);
                let power = self.op("Pow", &[&a, &b]);
                return Ok(self.unless_missing(&a, &b, &power));
            }
            Function::Least => return self.fold(arguments, "Less"),
            Function::Greatest => return self.fold(arguments, "Greater"),
            Function::Coalesce => {
                let mut values: Vec<Name> =
                    arguments.iter().map(|one| self.value(one)).collect::<Result<_>>()?;
                let mut rest = values.pop().expect("the parser asks for one argument");
                for value in values.iter().rev() {
                    let is_missing = self.op("IsNaN", &[value]);
                    rest = self.op("Where", &[&is_missing, &rest, value]);
                }
                return Ok(rest);
            }
            Function::Part(part) => {
                let moment = self.value(&arguments[0])?;
                return Ok(part.of(&moment, self));
            }
            Function::DaysSince => {
                let Expr::Text(begin) = &arguments[1] else { return Err(refused("a computed moment")) };
                let (moment, begin) =
                    (self.value(&arguments[0])?, self.constant(data::expr::moment(begin)? as f64));
                let since = self.op("Sub", &[&moment, &begin]);
                let day = self.constant(DAY_MS);
                return Ok(self.op("Div", &[&since, &day]));
            }
            Function::Lower | Function::Upper | Function::Length => {
                return Err(refused(&format!("`{}`", function.word())));
            }
        };
        let argument = self.value(&arguments[0])?;
        let value = self.op(simple, &[&argument]);
        if function != Function::Log10 {
            return Ok(value);
        }
        let ten = self.constant(std::f64::consts::LN_10);
        Ok(self.op("Div", &[&value, &ten]))
    }

    /// The smallest or largest argument, missing if one is missing.
    fn fold(&mut self, arguments: &[Expr], comparison: &str) -> Result<Name> {
        let mut best = self.value(&arguments[0])?;
        for argument in &arguments[1..] {
            let other = self.value(argument)?;
            let is_better = self.op(comparison, &[&other, &best]);
            let chosen = self.op("Where", &[&is_better, &other, &best]);
            best = self.unless_missing(&best, &other, &chosen);
        }
        Ok(best)
    }

    /// Halves away from zero; the operator `Round` would go to the nearest even number.
    fn round(&mut self, arguments: &[Expr]) -> Result<Name> {
        let value = self.value(&arguments[0])?;
        let Some(digits) = arguments.get(1) else { return Ok(self.round_whole(&value)) };
        let digits = match digits {
            Expr::Number(digits) => *digits,
            Expr::Unary { op: UnaryOp::Negate, operand } => match operand.as_ref() {
                Expr::Number(digits) => -digits,
                _ => return Err(refused("`round` to a computed number of digits")),
            },
            _ => return Err(refused("`round` to a computed number of digits")),
        };
        let factor = self.constant(libm::pow(10.0, digits.round()));
        let scaled = self.op("Mul", &[&value, &factor]);
        let whole = self.round_whole(&scaled);
        let rounded = self.op("Div", &[&whole, &factor]);
        // Beyond the digits that a number has there is nothing to round.
        let size = self.op("Abs", &[&scaled]);
        let is_infinite = self.is(&size, f64::INFINITY);
        Ok(self.op("Where", &[&is_infinite, &value, &rounded]))
    }

    fn round_whole(&mut self, value: &str) -> Name {
        let (zero, half, one) = (self.constant(0.0), self.constant(0.5), self.constant(1.0));
        let size = self.op("Abs", &[value]);
        let below = self.op("Floor", &[&size]);
        let rest = self.op("Sub", &[&size, &below]);
        let goes_up = self.op("GreaterOrEqual", &[&rest, &half]);
        let above = self.op("Add", &[&below, &one]);
        let rounded = self.op("Where", &[&goes_up, &above, &below]);
        let negative = self.op("Neg", &[&rounded]);
        let is_negative = self.op("Less", &[value, &zero]);
        let signed = self.op("Where", &[&is_negative, &negative, &rounded]);
        // A zero keeps its sign.
        let is_zero = self.is(value, 0.0);
        self.op("Where", &[&is_zero, value, &signed])
    }

    /// SQL's `and`: a false side decides; otherwise a missing side is carried along by the product.
    fn and(&mut self, a: &str, b: &str) -> Name {
        let product = self.op("Mul", &[a, b]);
        let (a, b, zero) = (self.is(a, 0.0), self.is(b, 0.0), self.constant(0.0));
        let is_false = self.op("Or", &[&a, &b]);
        self.op("Where", &[&is_false, &zero, &product])
    }

    /// SQL's `or`: a true side decides; otherwise a missing side is carried along by the sum.
    fn or(&mut self, a: &str, b: &str) -> Name {
        let sum = self.op("Add", &[a, b]);
        let (a, b, one) = (self.is(a, 1.0), self.is(b, 1.0), self.constant(1.0));
        let is_true = self.op("Or", &[&a, &b]);
        self.op("Where", &[&is_true, &one, &sum])
    }

    /// `value` where neither `a` nor `b` is missing.
    fn unless_missing(&mut self, a: &str, b: &str, value: &str) -> Name {
        let (a, b) = (self.op("IsNaN", &[a]), self.op("IsNaN", &[b]));
        let (is_missing, nothing) = (self.op("Or", &[&a, &b]), self.constant(f64::NAN));
        self.op("Where", &[&is_missing, &nothing, value])
    }

    /// 1 where a text is one of the keys, 0 elsewhere.
    fn is_one_of(&mut self, text: &str, keys: Vec<String>) -> Name {
        // An encoder needs a key; this one stands for 0, as every other text does.
        let mut values = vec![1; keys.len()];
        let mut keys = keys;
        if keys.is_empty() {
            (keys, values) = (vec![String::new()], vec![0]);
        }
        let attributes = [
            ("keys_strings", Attribute::Texts(keys)),
            ("values_int64s", Attribute::Ints(values)),
            ("default_int64", Attribute::Int(0)),
        ];
        let found = self.graph.ml_op("LabelEncoder", &[text], &attributes);
        self.graph.cast(&found, Element::Double)
    }

    fn is(&mut self, value: &str, wanted: f64) -> Name {
        let wanted = self.constant(wanted);
        self.op("Equal", &[value, &wanted])
    }

    fn op(&mut self, op: &str, inputs: &[&str]) -> Name {
        self.graph.op(op, inputs, &[])
    }

    fn constant(&mut self, value: f64) -> Name {
        self.graph.doubles(&[], &[value])
    }
}

/// Dates in a graph are computed as they are in a table.
impl Arithmetic for Lowering<'_> {
    type Value = Name;

    fn plus(&mut self, a: &Name, b: &Name) -> Name {
        self.op("Add", &[a, b])
    }

    fn plus_number(&mut self, a: &Name, b: f64) -> Name {
        let b = self.constant(b);
        self.op("Add", &[a, &b])
    }

    fn minus(&mut self, a: &Name, b: &Name) -> Name {
        self.op("Sub", &[a, b])
    }

    fn times(&mut self, a: &Name, b: f64) -> Name {
        let b = self.constant(b);
        self.op("Mul", &[a, &b])
    }

    fn quotient(&mut self, a: &Name, b: f64) -> Name {
        let b = self.constant(b);
        let exact = self.op("Div", &[a, &b]);
        self.op("Floor", &[&exact])
    }
}

/// The value of an expression as text in JSON.
pub(super) mod as_text {
    use data::expr::{Expr, parse};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(expression: &Expr, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(expression)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Expr, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
    use score::{Elements, Tensor, Value};

    use super::super::{Recipe, column_numbers};
    use super::*;

    /// Moments around leap days and ends of centuries, and a missing one.
    fn moments() -> RecordBatch {
        let texts = [
            "1969-12-31 23:59:59.999",
            "1970-01-01",
            "2000-02-29 12:30",
            "2100-02-28 23:00",
            "2100-03-01",
            "1900-03-01",
            "2026-12-31 05:06:07.008",
            "2027-01-03",
            "1600-02-29",
        ];
        let ms = texts.iter().map(|text| Some(data::expr::moment(text).expect("a moment"))).chain([None]);
        let array: ArrayRef = Arc::new(ms.collect::<TimestampMillisecondArray>());
        RecordBatch::try_from_iter_with_nullable([("day", array, true)]).expect("one column")
    }

    #[test]
    fn dates_give_the_same_bits_in_a_table_and_in_a_graph() {
        let columns = [Column::new("day", Kind::Time)];
        let parts = ["year", "quarter", "month", "day", "weekday", "hour"].map(|part| format!("{part}(day)"));
        let others = ["days_since(day, '2000-01-01')", "weekday(day) >= 6", "hour(day) / 24 + month(day)"];
        let expressions: Vec<&str> = parts.iter().map(String::as_str).chain(others).collect();
        let mut recipe = Recipe::start(&columns, None);
        for (at, expression) in expressions.iter().enumerate() {
            recipe = recipe.then(fit_derive(&columns, &format!("made{at}"), expression).expect(expression));
        }
        let table = recipe.apply(&moments()).expect("it applies");
        let features: Vec<String> = (0..expressions.len()).map(|at| format!("made{at}")).collect();
        let mut graph = Graph::default();
        let all = super::super::lower::lower(&recipe, &features, &mut graph).expect("it lowers");
        for (at, expression) in expressions.iter().enumerate() {
            let column = graph.column(&all, at);
            graph.rename(&column, &format!("out{at}"));
            graph.output(&format!("out{at}"), Element::Float);
            let found = column_numbers(&table, &features[at]).expect(expression);
            assert!(found[..9].iter().all(|value| value.is_finite()) && found[9].is_nan(), "{expression}");
        }
        let graph = score::Graph::read(&graph.into_bytes("")).expect("the graph is sound");
        let input = Tensor::row(Elements::F64(column_numbers(&moments(), "day").expect("milliseconds")));
        for (at, value) in graph.run(vec![input]).expect("it runs").into_iter().enumerate() {
            let Value::Tensor(tensor) = value else { panic!("a tensor") };
            let Elements::F32(in_graph) = tensor.into_elements() else { panic!("floats") };
            let in_table = column_numbers(&table, &features[at]).expect("numbers");
            let bits = |values: &mut dyn Iterator<Item = f32>| {
                values.map(|x| (x.is_nan(), x.to_bits() & 0x7fbf_ffff)).collect::<Vec<_>>()
            };
            let in_table = bits(&mut in_table.into_iter().map(|x| x as f32));
            assert_eq!(in_table, bits(&mut in_graph.into_iter()), "{}", expressions[at]);
        }
    }

    #[test]
    fn a_bare_time_is_refused_with_the_way_out() {
        let columns = [Column::new("day", Kind::Time)];
        for expression in
            ["day > '2026-01-01'", "case when day is null then 1 else 2 end", "year(coalesce(day, day))"]
        {
            let error = fit_derive(&columns, "made", expression).expect_err(expression);
            assert!(error.hint.expect("a way out").contains("`weekday`"), "{expression}");
        }
    }
}
