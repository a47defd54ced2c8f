//! The tree of an expression, and how it is written back as text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;

/// An expression. The tree is small and closed, so that whoever lowers it can match all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// The value of a column.
    Column(String),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A missing value.
    Null,
    /// An operator before one operand.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it is applied to.
        operand: Box<Expr>,
    },
    /// An operator between two operands.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The operand on the left.
        left: Box<Expr>,
        /// The operand on the right.
        right: Box<Expr>,
    },
    /// `x is null`; `x is not null` is this within a `not`.
    IsNull(Box<Expr>),
    /// `x in (a, b)`; `not in` is this within a `not`.
    In {
        /// What is looked for.
        operand: Box<Expr>,
        /// Where it is looked for.
        list: Vec<Expr>,
    },
    /// `x between low and high`, both ends included.
    Between {
        /// What is compared.
        operand: Box<Expr>,
        /// The lower end.
        low: Box<Expr>,
        /// The upper end.
        high: Box<Expr>,
    },
    /// `x like pattern`, where `%` stands for any run of characters and `_` for one.
    Like {
        /// The text.
        operand: Box<Expr>,
        /// The pattern.
        pattern: String,
        /// True for `ilike`.
        ignores_case: bool,
    },
    /// `case when a then b … else c end`. The form `case x when …` becomes this with `x = …`.
    Case {
        /// Conditions and their values, in order.
        branches: Vec<(Expr, Expr)>,
        /// The value if no condition is true.
        otherwise: Box<Expr>,
    },
    /// A function of its arguments.
    Call {
        /// The function.
        function: Function,
        /// The arguments.
        arguments: Vec<Expr>,
    },
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnaryOp {
    /// `-x`.
    Negate,
    /// `not x`.
    Not,
}

/// An operator between its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`, never rounded.
    Divide,
    /// `%`, with the sign of the left side.
    Remainder,
    /// `=`.
    Equal,
    /// `<>` or `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `and`.
    And,
    /// `or`.
    Or,
}

impl BinaryOp {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
        }
    }

    /// True for `+ - * / %`.
    pub fn is_arithmetic(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder)
    }

    /// True for `and` and `or`.
    pub fn is_logical(self) -> bool {
        matches!(self, Self::And | Self::Or)
    }
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// The size without the sign.
    Abs,
    /// The natural logarithm (`ln` or `log`).
    Ln,
    /// The logarithm to base 10.
    Log10,
    /// e to the power of the argument.
    Exp,
    /// The square root.
    Sqrt,
    /// The first argument to the power of the second.
    Power,
    /// The nearest whole number, halves away from zero; with a second argument, to that many
    /// digits after the point.
    Round,
    /// The next whole number below.
    Floor,
    /// The next whole number above.
    Ceil,
    /// The smallest argument; missing if one is missing.
    Least,
    /// The largest argument; missing if one is missing.
    Greatest,
    /// The first argument that is not missing.
    Coalesce,
    /// The text in small letters.
    Lower,
    /// The text in capital letters.
    Upper,
    /// The number of characters of a text.
    Length,
    /// A part of a time.
    Part(Calendar),
    /// Days from a moment, written as a text, to a time; with a fraction.
    DaysSince,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 22] = [
        Self::Abs,
        Self::Ln,
        Self::Log10,
        Self::Exp,
        Self::Sqrt,
        Self::Power,
        Self::Round,
        Self::Floor,
        Self::Ceil,
        Self::Least,
        Self::Greatest,
        Self::Coalesce,
        Self::Lower,
        Self::Upper,
        Self::Length,
        Self::Part(Calendar::Year),
        Self::Part(Calendar::Quarter),
        Self::Part(Calendar::Month),
        Self::Part(Calendar::Day),
        Self::Part(Calendar::Weekday),
        Self::Part(Calendar::Hour),
        Self::DaysSince,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Ln => "ln",
            Self::Log10 => "log10",
            Self::Exp => "exp",
            Self::Sqrt => "sqrt",
            Self::Power => "power",
            Self::Round => "round",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Least => "least",
            Self::Greatest => "greatest",
            Self::Coalesce => "coalesce",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Length => "length",
            Self::Part(part) => part.word(),
            Self::DaysSince => "days_since",
        }
    }

    /// How many arguments it takes, at least and at most.
    pub fn arity(self) -> (usize, usize) {
        match self {
            Self::Power | Self::DaysSince => (2, 2),
            Self::Round => (1, 2),
            Self::Least | Self::Greatest | Self::Coalesce => (1, 100),
            Self::Abs
            | Self::Ln
            | Self::Log10
            | Self::Exp
            | Self::Sqrt
            | Self::Floor
            | Self::Ceil
            | Self::Lower
            | Self::Upper
            | Self::Length
            | Self::Part(_) => (1, 1),
        }
    }
}

impl Expr {
    /// The names of the columns it needs, each once, in the order they first stand in it.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.visit(&mut |expr| {
            if let Self::Column(name) = expr
                && !names.contains(&name.as_str())
            {
                names.push(name.as_str());
            }
        });
        names
    }

    /// Calls `look` for this expression and everything in it, outermost first.
    pub fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Self)) {
        look(self);
        for child in self.children() {
            child.visit(look);
        }
    }

    /// The expressions right below this one.
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Column(_) | Self::Number(_) | Self::Text(_) | Self::Boolean(_) | Self::Null => Vec::new(),
            Self::Unary { operand, .. } | Self::IsNull(operand) | Self::Like { operand, .. } => vec![operand],
            Self::Binary { left, right, .. } => vec![left, right],
            Self::In { operand, list } => [operand.as_ref()].into_iter().chain(list).collect(),
            Self::Between { operand, low, high } => vec![operand, low, high],
            Self::Case { branches, otherwise } => {
                let pairs = branches.iter().flat_map(|(condition, value)| [condition, value]);
                pairs.chain([otherwise.as_ref()]).collect()
            }
            Self::Call { arguments, .. } => arguments.iter().collect(),
        }
    }

    fn is_simple(&self) -> bool {
        matches!(
            self,
            Self::Column(_)
                | Self::Number(_)
                | Self::Text(_)
                | Self::Boolean(_)
                | Self::Null
                | Self::Call { .. }
        )
    }
}

/// The expression in a form that parses to itself: operands that are not simple in parentheses.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) if is_plain(name) => f.write_str(name),
            Self::Column(name) => write!(f, "\"{}\"", name.replace('"', "\"\"")),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
            Self::Unary { op: UnaryOp::Negate, operand } => write!(f, "-{}", Operand(operand)),
            Self::Unary { op: UnaryOp::Not, operand } => write!(f, "not {}", Operand(operand)),
            Self::Binary { op, left, right } => {
                write!(f, "{} {} {}", Operand(left), op.symbol(), Operand(right))
            }
            Self::IsNull(operand) => write!(f, "{} is null", Operand(operand)),
            Self::In { operand, list } => write!(f, "{} in ({})", Operand(operand), List(list)),
            Self::Between { operand, low, high } => {
                write!(f, "{} between {} and {}", Operand(operand), Operand(low), Operand(high))
            }
            Self::Like { operand, pattern, ignores_case } => {
                let word = if *ignores_case { "ilike" } else { "like" };
                write!(f, "{} {word} '{}'", Operand(operand), pattern.replace('\'', "''"))
            }
            Self::Case { branches, otherwise } => {
                f.write_str("case")?;
                for (condition, value) in branches {
                    write!(f, " when {condition} then {value}")?;
                }
                write!(f, " else {otherwise} end")
            }
            Self::Call { function, arguments } => write!(f, "{}({})", function.word(), List(arguments)),
        }
    }
}

struct Operand<'a>(&'a Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A negative number after a minus would start a comment.
        let is_negative = matches!(self.0, Expr::Number(value) if value.is_sign_negative());
        if self.0.is_simple() && !is_negative { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

struct List<'a>(&'a [Expr]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { ", " };
            write!(f, "{gap}{item}")?;
        }
        Ok(())
    }
}

/// A name that needs no quotes. Words with a meaning in SQL are quoted, to be sure.
fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    let starts_well = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let reserved = [
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "like",
        "ilike",
        "between",
        "case",
        "when",
        "then",
        "else",
        "end",
        "true",
        "false",
        "select",
        "from",
        "where",
        "interval",
        "date",
        "time",
        "timestamp",
        "cast",
        "exists",
        "any",
        "all",
        "array",
        "extract",
        "position",
        "substring",
        "trim",
        "overlay",
        "floor",
        "ceil",
        "struct",
        "map",
        "prior",
        "connect_by_root",
        "current_date",
        "current_time",
        "current_timestamp",
        "current_user",
        "user",
        "session_user",
        "localtime",
        "localtimestamp",
        "current_catalog",
        "distinct",
        "collate",
        "unknown",
        "operator",
        "rlike",
        "regexp",
        "similar",
        "at",
        "div",
        "xor",
        "convert",
        "try_convert",
        "try_cast",
        "safe_cast",
        "ceiling",
        "substr",
        "listagg",
        "grouping",
        "cube",
        "rollup",
        "match",
        "overlaps",
        "member",
        "notnull",
        "isnull",
        "global",
        "escape",
        "binary",
        "as",
        "lambda",
        "datetime",
        "json",
    ];
    starts_well
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !reserved.contains(&name.to_ascii_lowercase().as_str())
}
