//! A recipe computes the same in a table and in a graph, keeps what it needs, and refuses what it
//! cannot do.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow::datatypes::{Float64Type, Int64Type};
use base::Code;
use data::expr::{BinaryOp, Expr, Function, UnaryOp};
use data::{Column, Kind};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_oneof, proptest};
use score::{Elements, Tensor};

use super::lower::lower;
use super::{
    EncodeMethod, ImputeMethod, Level, Op, Recipe, ScaleMethod, column_numbers, fit_derive, fit_impute,
    fit_levels, fit_scale,
};
use crate::onnx::graph::{Element, Graph};

/// Numbers with gaps, whole numbers, truth values, text with gaps; the last row is for testing.
fn batch() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "x",
            Arc::new(Float64Array::from(vec![Some(1.5), Some(-2.5), None, Some(0.0), Some(1e6), Some(40.0)])),
        ),
        ("n", Arc::new(Int64Array::from(vec![Some(3), None, Some(-7), Some(0), Some(3), Some(100)]))),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true), Some(true), None])),
        ),
        (
            "city",
            Arc::new(StringArray::from(vec![
                Some("Oslo"),
                Some("Bø"),
                None,
                Some("Oslo"),
                Some(""),
                Some("Rome"),
            ])),
        ),
        ("__split", Arc::new(Int8Array::from(vec![0, 0, 0, 0, 0, 2]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn columns() -> Vec<Column> {
    let kinds = [("x", Kind::Number), ("n", Kind::Integer), ("flag", Kind::Boolean), ("city", Kind::Text)];
    kinds.map(|(name, kind)| Column::new(name, kind)).to_vec()
}

/// Learns a transform from the table so far.
type Fit<'a> = &'a dyn Fn(&[RecordBatch]) -> base::Result<Op>;

fn start() -> Recipe {
    Recipe::start(&columns(), None)
}

/// The columns of a graph over the rows of the batch, as `score` computes them.
fn run(recipe: &Recipe, features: &[String]) -> Vec<Vec<f32>> {
    let mut graph = Graph::default();
    let all = lower(recipe, features, &mut graph).expect("it lowers");
    for at in 0..features.len() {
        let column = graph.column(&all, at);
        graph.rename(&column, &format!("out{at}"));
        graph.output(&format!("out{at}"), Element::Float);
    }
    let graph = score::Graph::read(&graph.into_bytes("")).expect("the graph is sound");
    let batch = batch();
    let input = |port: &score::Port| match port.name.as_str() {
        "city" => {
            let texts = batch.column_by_name("city").expect("a column").as_string::<i32>();
            Tensor::row(Elements::Text(
                texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect(),
            ))
        }
        name => Tensor::row(Elements::F64(column_numbers(&batch, name).expect("numbers"))),
    };
    let outputs = graph.run(graph.inputs().iter().map(input).collect()).expect("it runs");
    let column = |value| match value {
        score::Value::Tensor(tensor) => match tensor.into_elements() {
            Elements::F32(values) => values,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    outputs.into_iter().map(column).collect()
}

fn assert_same_in_table_and_graph(recipe: &Recipe) {
    let table = recipe.apply(&batch()).expect("it applies");
    let end = recipe.columns().expect("it is sound");
    let features: Vec<String> =
        end.into_iter().filter(|column| column.kind != Kind::Text).map(|column| column.name).collect();
    for (name, in_graph) in features.iter().zip(run(recipe, &features)) {
        let in_table: Vec<f32> =
            column_numbers(&table, name).expect(name).into_iter().map(|x| x as f32).collect();
        let bits = |values: &[f32]| {
            values.iter().map(|x| if x.is_nan() { None } else { Some(x.to_bits()) }).collect::<Vec<_>>()
        };
        assert_eq!(bits(&in_table), bits(&in_graph), "{name}: {in_table:?} {in_graph:?}");
    }
}

#[test]
fn every_transform_gives_the_same_bits_in_a_table_and_in_a_graph() {
    let mut recipe = start();
    let mut table = batch();
    let fits: [Fit<'_>; 9] = [
        &|_| fit_derive(&columns(), "ratio", "x / n"),
        &|_| fit_derive(&columns(), "is_oslo", "city = 'Oslo' or flag"),
        &|table| fit_impute(table, "n", &ImputeMethod::Median),
        &|table| fit_impute(table, "city", &ImputeMethod::Mode),
        &|table| fit_impute(table, "x", &ImputeMethod::Mean),
        &|table| fit_scale(table, "x", ScaleMethod::Standard),
        &|table| fit_levels(table, "n", EncodeMethod::Ordinal, 10),
        &|table| fit_levels(table, "flag", EncodeMethod::OneHot, 10),
        &|table| fit_levels(table, "city", EncodeMethod::OneHot, 10),
    ];
    for fit in fits {
        let op = fit(std::slice::from_ref(&table)).expect("it fits");
        table = recipe.apply_next(&op, &table).expect("it applies");
        recipe = recipe.then(op);
        assert_same_in_table_and_graph(&recipe);
    }
    let names: Vec<String> = recipe.columns().expect("sound").into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["x", "n", "flag=false", "flag=true", "city=Bø", "city=Oslo", "ratio", "is_oslo"]);
    // All at once from the raw rows is the same as step by step.
    assert_eq!(recipe.apply(&batch()).expect("it applies"), table);
    let json = serde_json::to_string(&recipe).expect("plain data");
    assert_eq!(serde_json::from_str::<Recipe>(&json).expect("reads back"), recipe);
}

#[test]
fn transforms_are_fitted_on_training_rows_only() {
    let table = [batch()];
    let mean = fit_impute(&table, "x", &ImputeMethod::Mean).expect("it fits");
    let fill = Level::Number((1.5 - 2.5 + 0.0 + 1e6) / 4.0);
    assert_eq!(mean, Op::Impute { column: "x".into(), fill });
    let Op::OneHot { levels, .. } = fit_levels(&table, "city", EncodeMethod::OneHot, 9).expect("it fits")
    else {
        panic!("one-hot")
    };
    assert_eq!(levels, [Level::Text("Bø".into()), Level::Text("Oslo".into())], "Rome is in a test row");
    let Op::Ordinal { levels, .. } = fit_levels(&table, "n", EncodeMethod::Ordinal, 1).expect("it fits")
    else {
        panic!("ordinal")
    };
    assert_eq!(levels, [Level::Number(3.0)], "the most frequent one");
}

#[test]
fn unknown_and_missing_levels_are_zeros_or_minus_one() {
    let city = |op: Op| start().then(op).apply(&batch()).expect("it applies");
    let levels = vec![Level::Text("Oslo".into()), Level::Text("Rome".into())];
    let table = city(Op::Ordinal { column: "city".into(), levels: levels.clone() });
    let codes = table.column_by_name("city").expect("a column").as_primitive::<Int64Type>().values().to_vec();
    assert_eq!(codes, [0, -1, -1, 0, -1, 1]);
    let table = city(Op::OneHot { column: "city".into(), levels });
    let ones: i64 = ["city=Oslo", "city=Rome"]
        .map(|name| {
            table
                .column_by_name(name)
                .expect("a column")
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .sum::<i64>()
        })
        .iter()
        .sum();
    assert_eq!(ones, 3, "rows of other cities are zero in both");
}

#[test]
fn a_replaced_column_stays_once_as_it_came() {
    let scale = Op::Scale { column: "x".into(), offset: 1.0, factor: 2.0 };
    let once = start().apply_next(&scale, &batch()).expect("it applies");
    let twice = start().then(scale.clone()).apply_next(&scale, &once).expect("it applies");
    let raw = twice.column_by_name("__raw.x").expect("kept").as_primitive::<Float64Type>();
    assert_eq!((raw.value(0), raw.is_null(2), twice.num_columns()), (1.5, true, 6));
    // A column that an expression needs stays when it is dropped, another one goes.
    let recipe = start().then(fit_derive(&columns(), "double", "x * 2").expect("it fits"));
    let table = recipe.apply(&batch()).expect("it applies");
    let left = recipe.apply_next(&Op::Select { columns: vec!["double".into()] }, &table).expect("it applies");
    let names: Vec<String> = left.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["__split", "double", "__raw.x"]);
}

#[test]
fn a_model_is_asked_only_for_what_its_features_are_made_of() {
    let recipe = start()
        .then(fit_derive(&columns(), "y", "x + n").expect("it fits"))
        .then(Op::Scale { column: "y".into(), offset: 0.0, factor: 2.0 })
        .then(Op::Scale { column: "x".into(), offset: 0.0, factor: 3.0 })
        .then(Op::Impute { column: "n".into(), fill: Level::Number(1.0) })
        .then(Op::Select { columns: vec!["y".into(), "n".into()] });
    let pruned = recipe.for_features(&["y".into()]).expect("it is made");
    assert_eq!(pruned.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["x", "n"]);
    assert_eq!(pruned.ops.len(), 2, "{:?}", pruned.ops);
    assert_eq!(pruned.required(false), ["x", "n"]);
    assert!(pruned.required(true).is_empty());
    assert!(recipe.for_features(&["z".into()]).is_err());
    assert_eq!(recipe.for_features(&["n".into()]).expect("made").required(false), [""; 0]);
}

#[test]
fn what_cannot_be_part_of_a_model_is_refused_with_the_reason() {
    let refused = |text: &str| fit_derive(&columns(), "new", text).expect_err(text);
    for (text, reason) in [
        ("city like 'O%'", "`like` cannot be computed inside a model"),
        ("length(city)", "`length` cannot be computed inside a model"),
        ("lower(city)", "a column of text cannot be computed inside a model"),
        ("city < 'P'", "the order of texts cannot be computed inside a model"),
        ("x % 2", "`%` cannot be computed inside a model"),
        ("1 + 1", "the expression names no column, so it is the same in every row"),
    ] {
        let error = refused(text);
        assert_eq!((error.code, error.causes[0].as_str()), (Code::InvalidInput, reason), "{text}");
    }
    assert!(refused("x + nn").to_string().contains("`nn`"));
    assert!(fit_derive(&columns(), "__x", "x + 1").is_err());
    let error = start().apply_next(&Op::Scale { column: "xx".into(), offset: 0.0, factor: 1.0 }, &batch());
    assert_eq!(error.expect_err("misspelt").message, "there is no column `xx`");
    let error = fit_scale(&[batch()], "city", ScaleMethod::Minmax).expect_err("text");
    assert_eq!(error.message, "column `city` is text, expected a number or a boolean");
}

fn number() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(Expr::Column("x".into())),
        Just(Expr::Column("n".into())),
        prop_oneof![Just(0.0), Just(-1.5), Just(2.5), Just(3.0), Just(1e6)].prop_map(Expr::Number),
        Just(Expr::Null),
    ];
    leaf.prop_recursive(4, 40, 3, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let operator = prop_oneof![
            Just(BinaryOp::Add),
            Just(BinaryOp::Subtract),
            Just(BinaryOp::Multiply),
            Just(BinaryOp::Divide)
        ];
        let comparison = prop_oneof![
            Just(BinaryOp::Equal),
            Just(BinaryOp::NotEqual),
            Just(BinaryOp::Less),
            Just(BinaryOp::LessOrEqual),
            Just(BinaryOp::Greater),
            Just(BinaryOp::GreaterOrEqual)
        ];
        let one = prop_oneof![
            Just(Function::Abs),
            Just(Function::Ln),
            Just(Function::Exp),
            Just(Function::Sqrt),
            Just(Function::Round),
            Just(Function::Floor),
            Just(Function::Ceil)
        ];
        let many = prop_oneof![
            Just(Function::Least),
            Just(Function::Greatest),
            Just(Function::Coalesce),
            Just(Function::Power)
        ];
        let city = |op| Expr::Binary {
            op,
            left: Box::new(Expr::Column("city".into())),
            right: Box::new(Expr::Text("Oslo".into())),
        };
        let atom = prop_oneof![
            Just(Expr::Column("flag".into())),
            Just(city(BinaryOp::Equal)),
            Just(city(BinaryOp::NotEqual)),
            Just(Expr::IsNull(Box::new(Expr::Column("city".into())))),
            boxed().prop_map(Expr::IsNull),
            (comparison, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
            (boxed(), boxed(), boxed()).prop_map(|(operand, low, high)| Expr::Between { operand, low, high }),
            (boxed(), prop::collection::vec(inner.clone(), 1..3))
                .prop_map(|(operand, list)| Expr::In { operand, list }),
        ];
        let condition = atom.prop_recursive(2, 8, 2, |inner| {
            let join = prop_oneof![Just(BinaryOp::And), Just(BinaryOp::Or)];
            let boxed = || inner.clone().prop_map(Box::new);
            prop_oneof![
                (join, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
                boxed().prop_map(|operand| Expr::Unary { op: UnaryOp::Not, operand }),
            ]
        });
        prop_oneof![
            (operator, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
            boxed().prop_map(|operand| Expr::Unary { op: UnaryOp::Negate, operand }),
            (one, inner.clone()).prop_map(|(function, one)| Expr::Call { function, arguments: vec![one] }),
            inner.clone().prop_map(|one| Expr::Call {
                function: Function::Round,
                arguments: vec![one, Expr::Number(2.0)]
            }),
            (many, inner.clone(), inner.clone())
                .prop_map(|(function, a, b)| Expr::Call { function, arguments: vec![a, b] }),
            (condition, inner.clone(), boxed())
                .prop_map(|(when, then, otherwise)| Expr::Case { branches: vec![(when, then)], otherwise }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn an_expression_gives_the_same_bits_in_a_table_and_in_a_graph(expression in number()) {
        let text = expression.to_string();
        // A bare null or an expression without columns is refused, which is fine.
        if let Ok(op) = fit_derive(&columns(), "new", &text) {
            prop_assert!(!expression.columns().is_empty());
            assert_same_in_table_and_graph(&start().then(op));
        }
    }
}
