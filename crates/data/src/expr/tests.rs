//! What expressions read, refuse and compute.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::Float64Type;
use base::Error;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::schema::{Column, Kind, arrow_schema};

/// Three rows: plain values, values at the edges, and missing ones.
fn batch() -> RecordBatch {
    let columns = [
        Column::new("n", Kind::Number),
        Column::new("i", Kind::Integer),
        Column::new("flag", Kind::Boolean),
        Column::new("text", Kind::Text),
        Column::new("day", Kind::Time),
        Column::new("a b", Kind::Number),
    ];
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(vec![Some(2.5), Some(-0.0), None])),
        Arc::new(Int64Array::from(vec![Some(5), Some(i64::MAX), None])),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(StringArray::from(vec![Some("Adelie"), Some(""), None])),
        Arc::new(TimestampMillisecondArray::from(vec![Some(1_795_392_000_000), Some(0), None])),
        Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])),
    ];
    RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit")
}

fn numbers(text: &str) -> [Option<f64>; 3] {
    let array = eval(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let array = array.as_primitive::<Float64Type>();
    array.iter().collect::<Vec<_>>().try_into().expect("three rows")
}

fn truths(text: &str) -> [Option<bool>; 3] {
    let array = eval(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    array.as_boolean().iter().collect::<Vec<_>>().try_into().expect("three rows")
}

fn texts(text: &str) -> Vec<Option<String>> {
    let array = eval(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect()
}

fn eval(text: &str) -> Result<ArrayRef, Error> {
    parse(text)?.eval(&batch())
}

fn error(text: &str) -> Error {
    eval(text).expect_err(text)
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn numbers_are_never_integers() {
    assert_eq!(numbers("5 / 2"), [Some(2.5); 3]);
    assert_eq!(numbers("i / 2")[0], Some(2.5));
    assert_eq!(numbers("i + 1")[1], Some(9_223_372_036_854_775_808.0), "no overflow");
    assert_eq!(numbers("i * i * i")[1], Some((i64::MAX as f64).powi(3)));
    assert_eq!(numbers("-7 % 3"), [Some(-1.0); 3]);
    assert_eq!(numbers("1 + 2 * 3 - 4"), [Some(3.0); 3]);
    assert_eq!(numbers("9223372036854775808 + 0")[0], Some(9_223_372_036_854_775_808.0));
}

#[test]
fn dividing_by_zero_is_infinite_and_no_number_is_missing() {
    assert_eq!(numbers("1 / 0")[0], Some(f64::INFINITY));
    assert_eq!(numbers("0 / 0")[0], None);
    assert_eq!(numbers("ln(-1)")[0], None);
    assert_eq!(numbers("coalesce(sqrt(-1), 7)")[0], Some(7.0));
    assert_eq!(truths("sqrt(-1) is null")[0], YES);
    assert_eq!(truths("n = 0"), [NO, YES, None], "both zeros are equal");
}

#[test]
fn missing_values_follow_the_logic_of_sql() {
    assert_eq!(numbers("n + 1"), [Some(3.5), Some(1.0), None]);
    assert_eq!(truths("n > 1 or true"), [YES; 3]);
    assert_eq!(truths("n > 1 and false"), [NO; 3]);
    assert_eq!(truths("n > 1 and true"), [YES, NO, None]);
    assert_eq!(truths("not flag"), [NO, YES, None]);
    assert_eq!(truths("flag is not null"), [YES, YES, NO]);
    assert_eq!(truths("null = null"), [None; 3]);
    assert_eq!(truths("n in (2.5, null)"), [YES, None, None]);
    assert_eq!(truths("n not in (1, 2)"), [YES, YES, None]);
    assert_eq!(truths("n between 0 and 2.5"), [YES, YES, None]);
    assert_eq!(truths("n not between 1 and null"), [None, YES, None]);
    assert_eq!(numbers("case when n > 1 then 1 when n <= 1 then 2 end"), [Some(1.0), Some(2.0), None]);
    assert_eq!(numbers("least(n, 1)"), [Some(1.0), Some(0.0), None]);
    assert_eq!(numbers("power(n, 0)")[2], None);
    assert_eq!(numbers("coalesce(n, i, 9)"), [Some(2.5), Some(-0.0), Some(9.0)]);
}

#[test]
fn functions_compute_what_their_names_say() {
    let cases = [
        ("abs(-3)", 3.0),
        ("ln(exp(1))", 1.0),
        ("log(exp(2))", 2.0),
        ("log10(1000)", 3.0),
        ("sqrt(2) * sqrt(2)", 2.0000000000000004),
        ("power(2, 10)", 1024.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("round(2.345, 2)", 2.35),
        ("round(1e300, 20)", 1e300),
        ("floor(-1.5)", -2.0),
        ("ceil(1.2)", 2.0),
        ("greatest(1, 3, 2)", 3.0),
        ("length('Grüße')", 5.0),
        ("case 3 when 1 then 10 when 3 then 30 else 0 end", 30.0),
        ("- -3", 3.0),
    ];
    for (text, expected) in cases {
        assert_eq!(numbers(text)[0], Some(expected), "{text}");
    }
    assert_eq!(texts("lower(text)"), [Some("adelie".to_owned()), Some(String::new()), None]);
    assert_eq!(
        texts("case when flag then upper(text) else 'none' end")[..2],
        [Some("ADELIE".to_owned()), Some("none".to_owned())]
    );
}

#[test]
fn texts_and_times_are_compared() {
    assert_eq!(truths("text = 'Adelie'"), [YES, NO, None]);
    assert_eq!(truths("text like 'A%ie'"), [YES, NO, None]);
    assert_eq!(truths("text like '_delie' and text ilike 'ADE%'")[0], YES);
    assert_eq!(truths("text not like '%x%'")[0], YES);
    assert_eq!(truths("day >= '2026-11-23'"), [YES, NO, None]);
    assert_eq!(truths("day between '1970-01-01' and '1970-01-02 10:00'"), [NO, YES, None]);
    assert_eq!(truths("day in ('2026-11-23')")[0], YES);
    assert_eq!(numbers("\"a b\" + `a b`")[2], Some(6.0));
}

#[test]
fn a_pattern_with_many_wildcards_stays_fast() {
    let pattern = format!("'{}b'", "%a".repeat(50));
    let text = format!("'{}'", "a".repeat(2000));
    assert_eq!(truths(&format!("{text} like {pattern}"))[0], NO);
}

#[test]
fn an_error_names_the_part_and_the_way_out() {
    let cases = [
        ("n + text", "in `n + text`, `text` is a text, expected a number", "texts stand in single quotes"),
        ("n > 'x'", "`n > 'x'` compares a number (`n`) with a text (`'x'`)", "values of one type"),
        ("txt = 'a'", "there is no column `txt`", "did you mean `text`?"),
        ("text = Adelie", "there is no column `Adelie`", "a text stands in single quotes"),
        ("sqr(n)", "there is no function `sqr`", "did you mean `sqrt`?"),
        ("power(2)", "`power(2)` has 1 arguments, expected 2", "give `power` what it needs"),
        ("day > 5", "`day > 5` compares a time (`day`) with a number (`5`)", "values of one type"),
        ("day > 'soon'", "`'soon'` is not a time", "2026-11-23"),
        ("case when n then 1 end", "`n` is a number, expected a truth value", "values of one type"),
        (
            "case when flag then 1 else 'a' end",
            "`'a'` is a text, while another value is a number",
            "one type",
        ),
        ("n and flag", "in `n and flag`, `n` is a number, expected a truth value", "one type"),
        ("(select 1)", "`(SELECT 1)` is not supported in an expression", "columns"),
        ("cast(n as int)", "is not supported in an expression", "columns"),
        ("n over", "cannot read the expression `n over`", "single quotes"),
        ("", "the expression is empty", "age >= 18"),
        ("t.n", "`t.n` is not a column", "\"t.n\""),
        ("sum(n)", "there is no function `sum`", ""),
        ("n ^ 2", "is not supported in an expression", "power(x, 2)"),
    ];
    for (text, message, hint) in cases {
        let error = error(text);
        assert_eq!(error.code, base::Code::InvalidInput, "{text}");
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert!(error.hint.as_deref().is_some_and(|h| h.contains(hint)), "{text}: {:?}", error.hint);
    }
}

#[test]
fn a_very_deep_expression_is_refused_and_not_a_crash() {
    let long = vec!["1"; 4990].join("+");
    assert_eq!(error(&long).code, base::Code::InvalidInput);
    let deep = format!("{}1{}", "(".repeat(4000), ")".repeat(4000));
    error(&deep);
    error(&"not ".repeat(2000));
    error(&"x".repeat(20_000));
}

#[test]
fn an_expression_knows_its_columns_and_its_type() {
    let expr = parse("n / \"a b\" > 1 and text in ('a', lower(text)) or n is null").expect("parses");
    assert_eq!(expr.columns(), ["n", "a b", "text"]);
    assert_eq!(expr.check(batch().schema_ref()), Ok(Type::Boolean));
    assert_eq!(parse("day").expect("parses").check(batch().schema_ref()), Ok(Type::Time));
    assert_eq!(Type::Text.kind(), Kind::Text);
}

/// Any expression that `parse` can give.
fn expressions() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        prop_oneof!["[a-z]{1,6}", "[ -~]{1,6}"].prop_map(Expr::Column),
        (0.0..1e12_f64).prop_map(Expr::Number),
        any::<i32>().prop_map(|value| Expr::Number(f64::from(value))),
        "[ -~é]{0,6}".prop_map(Expr::Text),
        any::<bool>().prop_map(Expr::Boolean),
        Just(Expr::Null),
    ];
    leaf.prop_recursive(4, 32, 3, |inner| {
        let op = prop_oneof![
            Just(BinaryOp::Add),
            Just(BinaryOp::Subtract),
            Just(BinaryOp::Multiply),
            Just(BinaryOp::Divide),
            Just(BinaryOp::Remainder),
            Just(BinaryOp::Equal),
            Just(BinaryOp::NotEqual),
            Just(BinaryOp::Less),
            Just(BinaryOp::GreaterOrEqual),
            Just(BinaryOp::And),
            Just(BinaryOp::Or),
        ];
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (op, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
            boxed().prop_map(|operand| Expr::Unary { op: UnaryOp::Not, operand }),
            boxed()
                .prop_filter("a minus before a number is the number", |o| !matches!(**o, Expr::Number(_)))
                .prop_map(|operand| Expr::Unary { op: UnaryOp::Negate, operand }),
            boxed().prop_map(Expr::IsNull),
            (boxed(), proptest::collection::vec(inner.clone(), 1..3))
                .prop_map(|(operand, list)| Expr::In { operand, list }),
            (boxed(), boxed(), boxed()).prop_map(|(operand, low, high)| Expr::Between { operand, low, high }),
            (boxed(), "[a-z%_']{0,5}", any::<bool>())
                .prop_map(|(operand, pattern, ignores_case)| Expr::Like { operand, pattern, ignores_case }),
            (proptest::collection::vec((inner.clone(), inner.clone()), 1..3), boxed())
                .prop_map(|(branches, otherwise)| Expr::Case { branches, otherwise }),
            proptest::collection::vec(inner, 1..3)
                .prop_map(|arguments| Expr::Call { function: Function::Least, arguments }),
        ]
    })
}

proptest! {
    #[test]
    fn an_expression_written_out_parses_to_itself(expr in expressions()) {
        let text = expr.to_string();
        let read = parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        prop_assert_eq!(read, expr, "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        let _ = parse(&text).map(|expr| expr.eval(&batch()));
    }
}

#[test]
fn a_calendar_takes_times_alone() {
    assert_eq!(numbers("year(day)"), [Some(2026.0), Some(1970.0), None]);
    assert_eq!(numbers("weekday(day)"), [Some(1.0), Some(4.0), None]);
    assert_eq!(numbers("quarter(day) * 100 + month(day) + hour(day)"), [Some(411.0), Some(101.0), None]);
    assert_eq!(numbers("days_since(day, '2026-11-22 12:00')")[0], Some(0.5));
    for wrong in ["year(n)", "hour('2026-01-01')", "days_since(day, n)", "days_since(day, 'soon')", "month()"]
    {
        assert!(error(wrong).hint.is_some(), "{wrong}");
    }
    let parsed = parse("days_since(day, '2026-01-01') > hour(day)").expect("reads");
    assert_eq!(parse(&parsed.to_string()).expect("reads back"), parsed);
}
