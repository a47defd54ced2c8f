//! Text to tree: SQL's own parser, and then only what we know how to compute.

use base::{Error, Result};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CeilFloorKind, DateTimeField, Expr as Sql, Function as SqlFunction,
    FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::ast::{BinaryOp, Expr, Function, UnaryOp};
use crate::schema::nearest;

/// The longest text that is parsed.
const MAX_CHARS: usize = 10_000;
/// The deepest tree: what walks it calls itself.
const MAX_DEPTH: usize = 200;
/// Room for the deepest tree; only what is used of it is taken.
const STACK_BYTES: usize = 64 << 20;
/// The most operators: a chain of them is a tree as deep, which frees itself by calling itself.
const MAX_OPERATORS: usize = 1000;

/// Parses an expression such as `price / area > 1000 and kind in ('flat', 'house')`.
///
/// # Errors
/// `invalid_input`, naming the part that cannot be read or computed.
pub fn parse(text: &str) -> Result<Expr> {
    if text.trim().is_empty() {
        return Err(Error::invalid("the expression is empty").hint("write one such as `age >= 18`"));
    }
    if text.chars().count() > MAX_CHARS {
        return Err(Error::invalid(format!("the expression is longer than {MAX_CHARS} characters"))
            .hint("derive a part of it in a step of its own"));
    }
    let unreadable = |cause: &dyn std::fmt::Display| {
        Error::invalid(format!("cannot read the expression `{}`", short(text)))
            .hint("texts stand in single quotes, columns with spaces in double quotes")
            .because(cause)
    };
    refuse_long_chains(text, MAX_OPERATORS)?;
    on_deep_stack(|| {
        let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|e| unreadable(&e))?;
        let sql = parser.parse_expr().map_err(|e| unreadable(&e))?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return Err(unreadable(&format!("`{}` does not belong here", rest.token)));
        }
        lower(&sql, MAX_DEPTH)
    })
}

/// Runs what calls itself for every level of an expression in a thread with room for it: the parser
/// takes up to 50 KB a level, and whoever calls may be a thread of 2 MB.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("parse".to_owned()).stack_size(STACK_BYTES);
        let failed = || Error::internal("cannot read an expression");
        let running = thread.spawn_scoped(scope, work).map_err(|e| failed().because(e))?;
        running.join().unwrap_or_else(|_| Err(failed().hint("write it in another way")))
    })
}

/// Fails for a text with more operators than this. The parser limits how deep parentheses are
/// nested, but `1 + 1 + 1 …` is a deep tree without any.
pub(crate) fn refuse_long_chains(text: &str, most: usize) -> Result<()> {
    // What cannot be cut into tokens, the parser will say better.
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap_or_default();
    let is_operator = |token: &&Token| match token {
        Token::Word(word) => {
            matches!(word.keyword, Keyword::AND | Keyword::OR | Keyword::UNION | Keyword::JOIN)
        }
        Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen => false,
        _ => true,
    };
    let count = tokens.iter().filter(is_operator).count();
    if count <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("there are {count} operators, more than {most}"))
        .hint("write a list as `x in (…)`, or compute a part of it in a step of its own"))
}

fn lower(sql: &Sql, depth: usize) -> Result<Expr> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(format!("the expression is nested more than {MAX_DEPTH} deep"))
            .hint("derive a part of it in a step of its own"));
    };
    let down = |sql: &Sql| lower(sql, depth).map(Box::new);
    Ok(match sql {
        Sql::Nested(inner) => lower(inner, depth)?,
        Sql::Identifier(name) => Expr::Column(name.value.clone()),
        Sql::CompoundIdentifier(parts) => {
            let dotted: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
            let dotted = dotted.join(".");
            return Err(Error::invalid(format!("`{dotted}` is not a column"))
                .hint(format!("write a column with a dot in its name as \"{dotted}\"")));
        }
        Sql::Value(value) => literal(&value.value, sql)?,
        Sql::UnaryOp { op, expr } => unary(*op, lower(expr, depth)?, sql)?,
        Sql::BinaryOp { left, op, right } => {
            Expr::Binary { op: binary(op, sql)?, left: down(left)?, right: down(right)? }
        }
        Sql::IsNull(inner) => Expr::IsNull(down(inner)?),
        Sql::IsNotNull(inner) => not(Expr::IsNull(down(inner)?)),
        Sql::InList { expr, list, negated } => {
            let list = list.iter().map(|item| lower(item, depth)).collect::<Result<_>>()?;
            negate_if(*negated, Expr::In { operand: down(expr)?, list })
        }
        Sql::Between { expr, negated, low, high } => {
            negate_if(*negated, Expr::Between { operand: down(expr)?, low: down(low)?, high: down(high)? })
        }
        Sql::Like { negated, any: false, expr, pattern, escape_char: None } => {
            negate_if(*negated, like(down(expr)?, pattern, false, sql)?)
        }
        Sql::ILike { negated, any: false, expr, pattern, escape_char: None } => {
            negate_if(*negated, like(down(expr)?, pattern, true, sql)?)
        }
        Sql::Case { operand, conditions, else_result, .. } => {
            case(operand.as_deref(), conditions, else_result.as_deref(), depth)?
        }
        Sql::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
            Expr::Call { function: Function::Ceil, arguments: vec![lower(expr, depth)?] }
        }
        Sql::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
            Expr::Call { function: Function::Floor, arguments: vec![lower(expr, depth)?] }
        }
        Sql::Function(call) => function(call, sql, depth)?,
        _ => return Err(unknown(sql)),
    })
}

fn literal(value: &Value, sql: &Sql) -> Result<Expr> {
    Ok(match value {
        Value::Number(digits, false) => Expr::Number(digits.parse().map_err(|_| unknown(sql))?),
        Value::SingleQuotedString(text) => Expr::Text(text.clone()),
        Value::Boolean(value) => Expr::Boolean(*value),
        Value::Null => Expr::Null,
        _ => return Err(unknown(sql)),
    })
}

fn unary(op: UnaryOperator, operand: Expr, sql: &Sql) -> Result<Expr> {
    Ok(match (op, operand) {
        (UnaryOperator::Plus, operand) => operand,
        (UnaryOperator::Minus, Expr::Number(value)) => Expr::Number(-value),
        (UnaryOperator::Minus, operand) => Expr::Unary { op: UnaryOp::Negate, operand: Box::new(operand) },
        (UnaryOperator::Not, operand) => not(operand),
        _ => return Err(unknown(sql)),
    })
}

fn binary(op: &BinaryOperator, sql: &Sql) -> Result<BinaryOp> {
    Ok(match op {
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Multiply => BinaryOp::Multiply,
        BinaryOperator::Divide => BinaryOp::Divide,
        BinaryOperator::Modulo => BinaryOp::Remainder,
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::Lt => BinaryOp::Less,
        BinaryOperator::LtEq => BinaryOp::LessOrEqual,
        BinaryOperator::Gt => BinaryOp::Greater,
        BinaryOperator::GtEq => BinaryOp::GreaterOrEqual,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
        BinaryOperator::BitwiseXor | BinaryOperator::PGExp => {
            return Err(unknown(sql).hint("write `power(x, 2)` for a power"));
        }
        _ => return Err(unknown(sql)),
    })
}

fn like(operand: Box<Expr>, pattern: &Sql, ignores_case: bool, sql: &Sql) -> Result<Expr> {
    let Sql::Value(value) = pattern else { return Err(unknown(sql)) };
    let Value::SingleQuotedString(pattern) = &value.value else { return Err(unknown(sql)) };
    Ok(Expr::Like { operand, pattern: pattern.clone(), ignores_case })
}

fn case(
    operand: Option<&Sql>,
    conditions: &[CaseWhen],
    otherwise: Option<&Sql>,
    depth: usize,
) -> Result<Expr> {
    let operand = operand.map(|operand| lower(operand, depth)).transpose()?;
    let branch = |when: &CaseWhen| {
        let condition = lower(&when.condition, depth)?;
        let condition = match &operand {
            Some(operand) => Expr::Binary {
                op: BinaryOp::Equal,
                left: Box::new(operand.clone()),
                right: Box::new(condition),
            },
            None => condition,
        };
        Ok((condition, lower(&when.result, depth)?))
    };
    let branches = conditions.iter().map(branch).collect::<Result<_>>()?;
    let otherwise = otherwise.map_or(Ok(Expr::Null), |otherwise| lower(otherwise, depth))?;
    Ok(Expr::Case { branches, otherwise: Box::new(otherwise) })
}

fn function(call: &SqlFunction, sql: &Sql, depth: usize) -> Result<Expr> {
    let name = call.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &call.args else { return Err(unknown(sql)) };
    let is_plain = list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && call.filter.is_none()
        && call.over.is_none()
        && call.null_treatment.is_none();
    if !is_plain {
        return Err(unknown(sql));
    }
    let function = match name.as_str() {
        "log" => Some(Function::Ln),
        "pow" => Some(Function::Power),
        "ceiling" => Some(Function::Ceil),
        other => Function::ALL.into_iter().find(|function| function.word() == other),
    };
    let Some(function) = function else {
        let known = Function::ALL.map(Function::word);
        let error = Error::invalid(format!("there is no function `{name}`"));
        return Err(match nearest(&name, known.into_iter()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are {}", known.join(", "))),
        });
    };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => lower(expr, depth),
        _ => Err(unknown(sql)),
    };
    let arguments: Vec<Expr> = list.args.iter().map(argument).collect::<Result<_>>()?;
    let (least, most) = function.arity();
    if !(least..=most).contains(&arguments.len()) {
        let given = arguments.len();
        let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        return Err(Error::invalid(format!(
            "`{}` has {given} arguments, expected {wanted}",
            short(&sql.to_string())
        ))
        .hint(format!("give `{name}` what it needs")));
    }
    Ok(Expr::Call { function, arguments })
}

fn not(operand: Expr) -> Expr {
    Expr::Unary { op: UnaryOp::Not, operand: Box::new(operand) }
}

fn negate_if(is_negated: bool, expr: Expr) -> Expr {
    if is_negated { not(expr) } else { expr }
}

fn unknown(sql: &Sql) -> Error {
    Error::invalid(format!("`{}` is not supported in an expression", short(&sql.to_string()))).hint(
        "use columns, numbers, 'texts', + - * / %, comparisons, and, or, not, in, between, like, is null, \
         case and the functions of the manual",
    )
}

/// A piece of text for a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
