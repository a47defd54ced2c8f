//! What trainers promise: the same bits for any number of threads, the answers of scikit-learn,
//! and a clear word where they cannot learn.

use base::{Cancel, Code, Progress};
use learn::{CurvePoint, Fitted, Matrix, Part, Predictions, TRAINERS, Target, Trainer, Training};
use serde_json::{Value, json};

fn wave(at: usize, by: f64) -> f64 {
    libm::sin(at as f64 * by)
}

/// Four features, one with gaps; the target depends on two of them, with noise.
fn training(rows: usize, target: impl Fn(f64) -> f64, classes: usize) -> Training {
    let column = |by: f64| (0..rows).map(|at| wave(at, by) as f32).collect::<Vec<_>>();
    let mut columns = vec![column(1.7), column(2.3), column(0.1), column(3.9)];
    columns[2].iter_mut().step_by(9).for_each(|value| *value = f32::NAN);
    let truth: Vec<f64> =
        (0..rows).map(|at| target(2.0 * wave(at, 1.7) + wave(at, 2.3) + 0.3 * wave(at, 77.7))).collect();
    let target = if classes == 0 {
        Target::Numbers(truth)
    } else {
        Target::Classes { codes: truth.iter().map(|y| *y as u32).collect(), count: classes }
    };
    let names = ["a", "b", "c", "d"].map(String::from).to_vec();
    let features = Matrix::new(names, columns).expect("four columns");
    let parts =
        (0..rows).map(|at| [Part::Train, Part::Train, Part::Train, Part::Validation][at % 4]).collect();
    Training { features, target, weights: None, parts: Some(parts) }
}

fn tables() -> [Training; 3] {
    [
        training(3_000, |x| x, 0),
        training(3_000, |x| f64::from(u8::from(x > 0.5)), 2),
        training(3_000, |x| (x + 3.5).clamp(0.0, 6.9) / 2.0, 4),
    ]
}

fn fit(kind: &str, training: &Training, params: Value) -> Fitted {
    let trainer = Trainer::of(kind).expect("a trainer");
    let mut training = training.clone();
    if !trainer.takes_missing {
        let filled = training.features.column(2).iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
        training.features.replace(2, filled);
    }
    trainer.fit(&training, &params, &Progress::silent(), |_| ()).expect("it trains")
}

fn bits(fitted: &Fitted, training: &Training) -> Vec<u64> {
    let values = match fitted.model.predict(&training.features) {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
    };
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn one_two_and_three_threads_and_a_second_run_give_the_same_bits() {
    for training in tables() {
        for trainer in TRAINERS {
            let params = match trainer.kind {
                "linear" => json!({}),
                "forest" => json!({"trees": 12, "max_depth": 8}),
                _ => json!({"rounds": 12, "row_share": 0.7, "feature_share": 0.8}),
            };
            let run = |threads: usize| {
                let pool =
                    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
                pool.install(|| {
                    let fitted = fit(trainer.kind, &training, params.clone());
                    (
                        bits(&fitted, &training),
                        fitted.curve,
                        fitted.model.importance().into_iter().map(f64::to_bits).collect::<Vec<_>>(),
                    )
                })
            };
            let once = run(1);
            assert!(once == run(1), "{} differs between two runs", trainer.kind);
            assert!(once == run(2) && once == run(3), "{} differs between threads", trainer.kind);
        }
    }
}

#[test]
fn trees_learn_what_there_is_to_learn_and_importance_names_it() {
    for training in tables() {
        for kind in ["forest", "boosting"] {
            let fitted = fit(kind, &training, json!({}));
            let last = fitted.curve.last().expect("a curve");
            let (first, best) = (&fitted.curve[0], last.validation.expect("validation rows"));
            match last.metric.as_str() {
                "accuracy" => assert!(best > 0.85, "{kind} {best}"),
                "rmse" => assert!(best < 0.35, "{kind} {best}"),
                _ => assert!(best < 0.5 * first.validation.expect("validation rows"), "{kind} {best}"),
            }
            let importance = fitted.model.importance();
            assert!(importance[0] + importance[1] > 0.8, "{kind} {importance:?}");
            assert!((importance.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}

/// `X = [[3 sin(0.7 i) + 10, cos(1.3 i), 100 sin(2.9 i)] for i in range(60)]` in 32 bit, and
/// `y = 2 x0 - 3 x1 + 0.01 x2 + sin(5.1 i)`.
fn linear_table() -> (Matrix, Vec<f64>) {
    let i = || (0..60).map(f64::from);
    let columns: Vec<Vec<f32>> = vec![
        i().map(|i| ((i * 0.7).sin() * 3.0 + 10.0) as f32).collect(),
        i().map(|i| (i * 1.3).cos() as f32).collect(),
        i().map(|i| ((i * 2.9).sin() * 100.0) as f32).collect(),
    ];
    let x = |column: usize, row: usize| f64::from(columns[column][row]);
    let y =
        (0..60).map(|row| 2.0 * x(0, row) - 3.0 * x(1, row) + 0.01 * x(2, row) + (row as f64 * 5.1).sin());
    let y = y.collect();
    (Matrix::new(["x0", "x1", "x2"].map(String::from).to_vec(), columns).expect("three columns"), y)
}

fn linear_predictions(target: Target, l2: f64) -> Vec<f64> {
    let (features, _) = linear_table();
    let training = Training { features, target, weights: None, parts: None };
    let fitted = Trainer::of("linear")
        .and_then(|trainer| {
            trainer.fit(&training, &json!({"l2": l2, "tolerance": 1e-12}), &Progress::silent(), |_| ())
        })
        .expect("it trains");
    match fitted.model.predict(&training.features) {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share * (sorted.len() - 1) as f64;
    sorted[at as usize] + (sorted[at.ceil() as usize] - sorted[at as usize]) * at.fract()
}

#[test]
fn linear_models_give_the_answers_of_scikit_learn() {
    let (_, y) = linear_table();
    let near = |found: &[f64], expected: &[f64]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{found} is not {expected}");
        }
    };
    // make_pipeline(StandardScaler(), Ridge(alpha=2.0)).fit(X, y).predict(X[:3])
    let ridge = linear_predictions(Target::Numbers(y.clone()), 2.0);
    near(&ridge[..3], &[17.10444470713238, 23.198251394256758, 27.769108372132056]);
    // make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, y > median(y)), tol=1e-12
    let codes = y.iter().map(|v| u32::from(*v > quantile(&y, 0.5))).collect();
    let two = linear_predictions(Target::Classes { codes, count: 2 }, 2.0);
    near(&[two[1], two[3], two[5]], &[0.24655410259777408, 0.8449643821026263, 0.9745275435402182]);
    // The same for the thirds of y, np.digitize(y, quantile(y, [1/3, 2/3])).
    let thirds = [quantile(&y, 1.0 / 3.0), quantile(&y, 2.0 / 3.0)];
    let codes = y.iter().map(|v| thirds.iter().filter(|third| v >= *third).count() as u32).collect();
    let three = linear_predictions(Target::Classes { codes, count: 3 }, 2.0);
    let expected = [0.5024950386111138, 0.4475865819052815, 0.04991837948360475, 0.046967116879974416];
    near(&three[..4], &expected);
}

#[test]
fn a_weight_of_two_is_a_row_that_stands_twice() {
    let mut once = training(400, |x| x, 0);
    once.parts = None;
    let rows: Vec<u32> = (0..400).chain(0..200).collect();
    let twice = Training {
        features: once.features.take(&rows),
        target: once.target.take(&rows),
        weights: None,
        parts: None,
    };
    once.weights = Some((0..400).map(|at| if at < 200 { 2.0 } else { 1.0 }).collect());
    let predict = |training: &Training| match fit("linear", training, json!({}))
        .model
        .predict(&once.features.take(&(0..9).filter(|at| at % 9 != 0).collect::<Vec<_>>()))
    {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
    };
    for (a, b) in predict(&once).iter().zip(predict(&twice)) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn boosting_stops_when_validation_rows_stop_improving() {
    let noise = training(400, |x| f64::from(u8::from(libm::sin(x * 1e6) > 0.0)), 2);
    let fitted = fit("boosting", &noise, json!({"rounds": 500, "stop_after": 5}));
    assert!(fitted.curve.len() < 100, "{} rounds", fitted.curve.len());
    assert!(fitted.notes[0].starts_with("stopped after"), "{:?}", fitted.notes);
    let never = fit("boosting", &noise, json!({"rounds": 60, "stop_after": 0}));
    assert_eq!(never.curve.len(), 60);
}

#[test]
fn a_monotone_feature_never_lowers_the_prediction() {
    let table = training(2_000, |x| libm::sin(x * 2.0), 0);
    let count_falls = |params: Value| {
        let fitted = fit("boosting", &table, params);
        let mut falls = 0;
        for fixed in 0..20 {
            let steps = 60;
            let column = |value: f32| vec![value; steps];
            let rising = (0..steps).map(|at| at as f32 / 30.0 - 1.0).collect();
            let others = [0.11, 0.37, 0.71].map(|by| column(wave(fixed, by) as f32));
            let [b, c, d] = others;
            let names = ["a", "b", "c", "d"].map(String::from).to_vec();
            let line = Matrix::new(names, vec![rising, b, c, d]).expect("four columns");
            let Predictions::Numbers(values) = fitted.model.predict(&line) else { panic!("a regression") };
            falls += values.windows(2).filter(|pair| pair[1] < pair[0]).count();
        }
        falls
    };
    assert!(count_falls(json!({"rounds": 40})) > 100, "without the rule it falls");
    assert_eq!(count_falls(json!({"rounds": 40, "increasing": ["a"]})), 0);
}

#[test]
fn missing_values_carry_meaning_for_trees_and_stop_linear_models() {
    let mut table = training(1_000, |x| x, 0);
    // The target is 5 where feature c is missing and 0 elsewhere.
    let truth = table.features.column(2).iter().map(|x| if x.is_nan() { 5.0 } else { 0.0 }).collect();
    table.target = Target::Numbers(truth);
    for (kind, params) in [("forest", json!({"features_per_split": "all"})), ("boosting", json!({}))] {
        let fitted = fit(kind, &table, params);
        let Predictions::Numbers(values) = fitted.model.predict(&table.features) else { panic!("numbers") };
        let worst = values
            .iter()
            .zip(table.features.column(2))
            .map(|(value, x)| (value - if x.is_nan() { 5.0 } else { 0.0 }).abs());
        let worst = worst.fold(0.0, f64::max);
        // Each tree of a forest has seen other rows, so its mean is not exact.
        assert!(worst < 1.0, "{kind} is off by {worst}");
    }
    let trainer = Trainer::of("linear").expect("a trainer");
    let error = trainer.fit(&table, &json!({}), &Progress::silent(), |_| ()).expect_err("gaps");
    assert_eq!(error.code, Code::InvalidInput);
    assert!(error.message.contains("feature `c` has 112"), "{}", error.message);
    assert!(error.hint.expect("a way out").contains("`impute`"));
}

#[test]
fn wrong_parameters_are_named() {
    let table = training(100, |x| x, 0);
    let error = |kind: &str, params: Value| {
        Trainer::of(kind)
            .and_then(|trainer| trainer.fit(&table, &params, &Progress::silent(), |_| ()))
            .expect_err("wrong")
    };
    assert_eq!(error("boosting", json!({"round": 5})).message, "`boosting` has no parameter `round`");
    assert!(error("boosting", json!({"round": 5})).hint.expect("a hint").contains("`rounds`"));
    assert_eq!(
        error("boosting", json!({"learning_rate": 0})).message,
        "`learning_rate` of `boosting` is 0, expected from 0.001 to 1"
    );
    assert_eq!(error("forest", json!({"trees": "many"})).message, "the parameters of `forest` do not fit");
    assert_eq!(
        error("boosting", json!({"increasing": ["zz"]})).message,
        "there is no feature `zz` to be monotone in"
    );
    assert_eq!(error("tree", json!({})).code, Code::NotFound);
}

#[test]
fn every_trainer_describes_its_parameters() {
    for trainer in TRAINERS {
        let (schema, defaults) = ((trainer.schema)(), (trainer.defaults)());
        for (name, value) in defaults.as_object().expect("an object") {
            let described = &schema["properties"][name];
            assert!(described["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert_eq!(&described["default"], value, "{} {name}", trainer.kind);
        }
    }
}

#[test]
fn training_tells_its_curve_while_it_runs_and_stops_when_told() {
    let table = training(500, |x| x, 0);
    let cancel = Cancel::default();
    let progress = Progress::new(cancel.clone(), |_| ());
    let mut seen: Vec<CurvePoint> = Vec::new();
    let trainer = Trainer::of("boosting").expect("a trainer");
    let error = trainer
        .fit(&table, &json!({"rounds": 500}), &progress, |point| {
            seen.push(point.clone());
            if point.round == 7 {
                cancel.cancel();
            }
        })
        .expect_err("cancelled");
    assert_eq!((error.code, seen.len()), (Code::Cancelled, 7));
    assert!(seen[6].train < seen[0].train);
}
