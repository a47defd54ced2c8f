//! What the language lets through, and where it stops.

use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Condition {
    let mut all = parse(Kind::Runs, text).unwrap();
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

#[test]
fn every_form_of_a_clause_is_read() {
    let number = |compare, value| Test::Number(compare, value);
    let text = |how, value: &str| Test::Text(how, value.to_owned());
    let key = |key: &str| key.to_owned();
    let cases = [
        ("metrics.auc > .5", Field::Metric(key("auc")), number(Compare::Above, 0.5)),
        ("metric.`a b/c`<=-3e-5", Field::Metric(key("a b/c")), number(Compare::AtMost, -3e-5)),
        ("params.p = '1'", Field::Param(key("p")), text(TextTest::Equal, "1")),
        ("parameter.\"p q\" != \"x\"", Field::Param(key("p q")), text(TextTest::Unequal, "x")),
        (
            "tags.mlflow.source.type LiKe 'L%'",
            Field::Tag(key("mlflow.source.type")),
            text(TextTest::Like, "L%"),
        ),
        ("tag.x IS NOT NULL", Field::Tag(key("x")), Test::There),
        ("params.x is null", Field::Param(key("x")), Test::Missing),
        ("status ilike 'fin%'", Field::Column(Column::State), text(TextTest::ILike, "fin%")),
        ("attributes.start_time >= 12", Field::Column(Column::Started), number(Compare::AtLeast, 12.0)),
        ("`Run name` = 'x'", Field::Column(Column::Name), text(TextTest::Equal, "x")),
        ("run_id not in ('a', \"b\")", Field::Column(Column::Id), Test::NoneOf(vec![key("a"), key("b")])),
        ("run_id IN ('a',)", Field::Column(Column::Id), Test::OneOf(vec![key("a")])),
        ("dataset.context = 'train'", Field::Dataset(DatasetField::Context), text(TextTest::Equal, "train")),
    ];
    for (filter, field, test) in cases {
        assert_eq!(one(filter), Condition { field, test }, "{filter}");
    }
    assert_eq!(parse(Kind::Runs, "  ").unwrap(), []);
    assert_eq!(parse(Kind::Runs, "metrics.a > 1 and").unwrap().len(), 1);
    assert_eq!(one("`metrics`.`a` > 1"), one("metrics.a > 1"));
    assert_eq!(parse(Kind::Runs, "metrics.a > 1 AND tags.b = 'and' and run_name = ''").unwrap().len(), 3);
}

#[test]
fn what_is_no_clause_is_refused_with_the_part_that_is_wrong() {
    for (filter, said) in [
        ("metrics.a > 1 OR metrics.b > 1", "Invalid clause(s) in filter string: 'OR"),
        ("foo.x = '1'", "Invalid entity type 'foo'"),
        ("metrics.a > '1'", "Expected numeric value type for metric. Found '1'"),
        ("metrics.a > nan", "Expected numeric value type for metric"),
        ("params.p = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"),
        ("foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are"),
        ("params.p == 'x'", "Invalid comparator '==' not one of"),
        ("metrics.a <> 1", "Invalid comparator '<>' not one of"),
        ("status in ('x')", "Only ['run_id'] attributes support comparison with a list"),
        ("params.p in ('x')", "Invalid comparator 'IN'"),
        ("metrics.a is null", "only supported for tags and params, not for 'metric' 'a'"),
        ("metrics.a > 1 ; drop table runs", "multiple expression 'metrics.a > 1 ; drop table runs'"),
        ("params.p = 'open", "Invalid clause(s)"),
        ("run_id in ()", "expected a non-empty list"),
        ("run_id in (1)", "expected string value"),
        ("(metrics.a > 1)", "Invalid clause(s)"),
        ("metrics.a >", "Invalid clause(s) in filter string: 'metrics.a >'"),
        ("not metrics.a > 1", "Invalid clause(s)"),
    ] {
        let error = parse(Kind::Runs, filter).unwrap_err();
        assert!(error.message.contains(said), "{filter}: {}", error.message);
    }
    let many = vec!["metrics.a > 1"; MOST_CLAUSES + 1].join(" and ");
    assert!(parse(Kind::Runs, &many).is_err());
    assert!(parse(Kind::Models, "metrics.a > 1").is_err(), "a registered model has no metrics");
}

#[test]
fn an_order_names_each_field_once() {
    let order = |texts: &[&str]| {
        parse_order(Kind::Runs, &texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    };
    let read = order(&["metrics.auc DESC", "start_time", "params.`a b` asc"]).unwrap();
    assert_eq!(read.iter().map(|one| one.is_ascending).collect::<Vec<_>>(), [false, true, true]);
    for wrong in
        [&["start_time", "attribute.start_time desc"][..], &["metrics.a up"], &["dataset.name"], &[""]]
    {
        assert!(order(wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fail_otherwise_than_with_an_error(text in ".{0,200}") {
        for kind in [Kind::Runs, Kind::Experiments, Kind::Models, Kind::Versions, Kind::LoggedModels] {
            let _ = parse(kind, &text);
            let _ = parse_order(kind, std::slice::from_ref(&text));
        }
    }

    #[test]
    fn any_key_and_any_value_come_back_as_they_were_written(
        clauses in proptest::collection::vec(("[^`]{1,20}", "[^']{0,20}", any::<f64>()), 1..20)
    ) {
        let texts: Vec<_> = clauses.iter().map(|(key, value, number)| {
            let number = if number.is_finite() { *number } else { 0.0 };
            format!("params.`{key}` = '{value}' and metrics.`{key}` > {number:e}")
        }).collect();
        let read = parse(Kind::Runs, &texts.join(" AND ")).unwrap();
        prop_assert_eq!(read.len(), 2 * clauses.len());
        for (pair, (key, value, number)) in read.chunks(2).zip(&clauses) {
            let number = if number.is_finite() { *number } else { 0.0 };
            let text = Test::Text(TextTest::Equal, value.clone());
            prop_assert_eq!(&pair[0], &Condition { field: Field::Param(key.clone()), test: text });
            let above = Test::Number(Compare::Above, number);
            prop_assert_eq!(&pair[1], &Condition { field: Field::Metric(key.clone()), test: above });
        }
    }
}
