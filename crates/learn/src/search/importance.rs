//! Which parameter mattered: the variance of the first-order marginals of a random forest over the
//! trials, as in functional ANOVA (Hutter, Hoos, Leyton-Brown 2014).
//!
//! A forest learns the loss from what was tried. The marginal of a parameter at a value is the mean
//! of what the forest says of all trials with that value put in. How much the marginal varies from
//! end to end of the parameter's domain is how much it matters by itself; the numbers are shares of
//! their sum. What two parameters do only together is in none of them.

use base::{Progress, Result};
use serde_json::json;

use super::{Param, Seen};
use crate::matrix::{Matrix, Target, Training};
use crate::predictions::Predictions;
use crate::trainers::Trainer;

/// Fewer trials than this say nothing.
pub const LEAST_TRIALS: usize = 8;
/// Values at which the marginal of a range is looked at.
const POINTS: usize = 16;

/// The share of each parameter, in their order; none if too little was tried.
///
/// # Errors
/// The forest cannot learn, which finite losses do not make it.
pub fn importance(params: &[Param], seen: &[Seen]) -> Result<Option<Vec<f64>>> {
    let seen: Vec<&Seen> = seen.iter().filter(|one| one.loss.is_finite()).collect();
    if seen.len() < LEAST_TRIALS || params.is_empty() {
        return Ok(None);
    }
    let columns: Vec<Vec<f32>> =
        params.iter().map(|param| seen.iter().map(|one| feature(param, one)).collect()).collect();
    let names = params.iter().map(|param| param.name.clone()).collect();
    let mut features = Matrix::new(names, columns)?;
    let training = Training {
        features: features.clone(),
        target: Target::Numbers(seen.iter().map(|one| one.loss).collect()),
        weights: None,
        parts: None,
    };
    let settings = json!({ "trees": 64, "min_rows_per_leaf": 2, "features_per_split": "all" });
    let forest = Trainer::of("forest")?.fit(&training, &settings, &Progress::silent(), |_| ())?;
    let mut spreads = Vec::with_capacity(params.len());
    for (at, param) in params.iter().enumerate() {
        let original = features.column(at).to_vec();
        let mut marginals = Vec::with_capacity(POINTS);
        for value in places(param) {
            features.replace(at, vec![value; seen.len()]);
            marginals.push(mean(&forest.model.predict(&features)));
        }
        features.replace(at, original);
        spreads.push(variance(&marginals));
    }
    let sum: f64 = spreads.iter().sum();
    let share = |spread: f64| if sum > 0.0 { spread / sum } else { 0.0 };
    Ok(Some(spreads.into_iter().map(share).collect()))
}

/// What a trial tried, as the forest sees it.
fn feature(param: &Param, one: &Seen) -> f32 {
    let value = one.point.get(&param.name);
    let place = value.and_then(|value| match param.domain.place(value) {
        Some(place) => Some(place as f64),
        None => param.domain.coordinate(value),
    });
    place.map_or(f32::NAN, |place| place as f32)
}

fn places(param: &Param) -> Vec<f32> {
    match param.domain.choices() {
        Some(count) => (0..count).map(|at| at as f32).collect(),
        None => {
            let (start, end) = param.domain.coordinates();
            let at = |point: usize| start + (end - start) * point as f64 / (POINTS - 1) as f64;
            (0..POINTS).map(|point| at(point) as f32).collect()
        }
    }
}

fn mean(said: &Predictions) -> f64 {
    match said {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => {
            values.iter().sum::<f64>() / values.len().max(1) as f64
        }
    }
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Method, Point, Search};

    #[test]
    fn the_parameter_that_decides_has_the_largest_share() {
        let param =
            |name: &str, text: &str| Param { name: name.to_owned(), domain: text.parse().expect("a domain") };
        let params = vec![param("much", "0.001..1.0:log"), param("little", "1..9"), param("none", "a|b")];
        let search = Search { params: params.clone(), method: Method::Random, seed: 3, grid_points: 3 };
        let tried: Vec<(Point, f64)> = (0..60)
            .filter_map(|number| search.suggest(number, &[]))
            .map(|point| {
                let much = point["much"].as_f64().expect("a number").log10() + 1.5;
                let little = point["little"].as_f64().expect("a number");
                (point, much * much + 0.05 * little)
            })
            .collect();
        let seen: Vec<Seen> = tried.iter().map(|(point, loss)| Seen { point, loss: *loss }).collect();
        let shares = importance(&params, &seen).expect("it learns").expect("enough trials");
        assert!(shares[0] > 0.8 && shares[1] > shares[2], "{shares:?}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(importance(&params, &seen[..7]).expect("no fault"), None);
    }
}
