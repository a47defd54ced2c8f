//! Contributions for the rows of a package: which feature, of which raw column, moved the answer how
//! far. They are on the scale of the model's sums, where they add up.

use base::{Progress, Result};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use score::{Batch, Core, FeatureRows, Inside, Link, Package};
use serde::{Deserialize, Serialize};

use super::linear::LinearShap;
use super::trees::TreeShap;
use crate::recipe::Recipe;

/// Rows between two looks at whether to stop.
const ROWS_AT_A_TIME: usize = 256;

/// What the contributions add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The number that is predicted.
    Number,
    /// The probability of a class.
    Probability,
    /// The logarithm of the odds of the second class.
    LogOdds,
    /// The logarithm of a class's probability before all are scaled to add up to 1.
    LogProbability,
}

/// Explains the answers of one package.
#[derive(Debug)]
pub struct Explainer<'a> {
    package: &'a Package,
    core: Core,
    method: Method,
    features: Vec<String>,
    sources: Vec<Option<String>>,
    outputs: Vec<String>,
    scale: Scale,
    is_counted_here: bool,
}

#[derive(Debug)]
enum Method {
    Trees(TreeShap),
    Linear(LinearShap),
}

/// Contributions for some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The features as the model's heart reads them, in order.
    pub features: Vec<String>,
    /// For each feature the raw column that it is made of, if it is made of one alone.
    pub sources: Vec<Option<String>>,
    /// What is explained: one number, the second of two classes, or each class.
    pub outputs: Vec<String>,
    /// What contributions add up to.
    pub scale: Scale,
    /// For each output the sum if nothing is known of a row.
    pub base: Vec<f64>,
    /// A row each.
    pub rows: Vec<RowExplanation>,
}

/// Contributions for one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowExplanation {
    /// The features; NaN is missing.
    pub values: Vec<f64>,
    /// For each output the model's sum: the base and all contributions.
    pub raw: Vec<f64>,
    /// For each output what each feature adds.
    pub contributions: Vec<Vec<f64>>,
}

impl<'a> Explainer<'a> {
    /// An explainer of a package. `background` are rows like those it was trained on: a linear model
    /// is compared with their mean, and trees that do not say how many rows came to their nodes
    /// count these.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] for a model that is neither trees nor a weighted sum.
    pub fn new(package: &'a Package, background: &Batch) -> Result<Self> {
        let core = package.core()?;
        let rows = || package.features(&core, background);
        let mut is_counted_here = false;
        let (method, targets) = match &core.inside {
            Inside::Trees(ensemble) => {
                let shap = match TreeShap::from_hits(ensemble)? {
                    Some(shap) => shap,
                    None => {
                        is_counted_here = true;
                        TreeShap::from_rows(ensemble, &rows()?)?
                    }
                };
                (Method::Trees(shap), ensemble.targets)
            }
            Inside::Linear(weights) => {
                (Method::Linear(LinearShap::new(weights.clone(), &rows()?)?), weights.targets)
            }
        };
        let first: &[u32] = if background.rows == 0 { &[] } else { &[0] };
        let width = package.features(&core, &background.take(first))?.width;
        let features = feature_names(package, width);
        let scale = match core.link {
            Link::Logistic if targets == 1 => Scale::LogOdds,
            Link::Logistic | Link::Softmax => Scale::LogProbability,
            Link::Identity if is_classifier(package) => Scale::Probability,
            Link::Identity => Scale::Number,
        };
        Ok(Self {
            sources: sources(package, &features),
            outputs: output_names(package, targets),
            package,
            core,
            method,
            features,
            scale,
            is_counted_here,
        })
    }

    /// True if the shares of rows in trees come from the background and not from the training.
    pub fn is_counted_here(&self) -> bool {
        self.is_counted_here
    }

    /// What is explained, in the order of [`RowExplanation::raw`].
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Contributions for the rows of a batch.
    ///
    /// # Errors
    /// As [`Package::predict`]; [`base::Code::Cancelled`].
    pub fn explain(&self, batch: &Batch, progress: &Progress) -> Result<Explanation> {
        let features = self.package.features(&self.core, batch)?;
        let mut rows = Vec::with_capacity(batch.rows);
        for block in features.values.chunks(ROWS_AT_A_TIME * features.width.max(1)) {
            progress.step("explaining", rows.len() as u64, Some(batch.rows as u64))?;
            let block = FeatureRows { width: features.width, values: block.to_vec() };
            let block: Vec<&[f64]> = block.rows().collect();
            let explained: Result<Vec<_>> = block.into_par_iter().map(|row| self.row(row)).collect();
            rows.extend(explained?);
        }
        let base = match &self.method {
            Method::Trees(shap) => shap.base(),
            Method::Linear(shap) => shap.base(),
        };
        Ok(Explanation {
            features: self.features.clone(),
            sources: self.sources.clone(),
            outputs: self.outputs.clone(),
            scale: self.scale,
            base: base.to_vec(),
            rows,
        })
    }

    fn row(&self, row: &[f64]) -> Result<RowExplanation> {
        let (raw, contributions) = match &self.method {
            Method::Trees(shap) => (shap.raw(row), shap.contributions(row)?),
            Method::Linear(shap) => (shap.raw(row), shap.contributions(row)),
        };
        Ok(RowExplanation { values: row.to_vec(), raw, contributions })
    }
}

impl Explanation {
    /// The contributions of a row to an output by raw column, largest first: those of features that are
    /// made of one column are added up under its name.
    pub fn by_column(&self, row: usize, output: usize) -> Vec<(String, f64)> {
        let mut columns: Vec<(String, f64)> = Vec::new();
        let named = self.features.iter().zip(&self.sources);
        for ((feature, source), value) in named.zip(&self.rows[row].contributions[output]) {
            let name = source.as_ref().unwrap_or(feature);
            match columns.iter_mut().find(|(own, _)| own == name) {
                Some((_, sum)) => *sum += value,
                None => columns.push((name.clone(), *value)),
            }
        }
        columns.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        columns
    }

    /// How far each raw column moves the answer on the mean, over all rows and outputs: the mean of
    /// absolute contributions, largest first.
    pub fn mean_absolute(&self) -> Vec<(String, f64)> {
        let mut columns: Vec<(String, f64)> = Vec::new();
        for row in 0..self.rows.len() {
            for output in 0..self.outputs.len() {
                for (name, value) in self.by_column(row, output) {
                    match columns.iter_mut().find(|(own, _)| *own == name) {
                        Some((_, sum)) => *sum += value.abs(),
                        None => columns.push((name, value.abs())),
                    }
                }
            }
        }
        let count = (self.rows.len() * self.outputs.len()).max(1) as f64;
        columns.iter_mut().for_each(|(_, sum)| *sum /= count);
        columns.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        columns
    }
}

fn feature_names(package: &Package, width: usize) -> Vec<String> {
    let said = package.card().map(|card| card.features.clone()).unwrap_or_default();
    if said.len() == width {
        return said;
    }
    let columns: Vec<String> = package.columns().into_iter().map(|(name, _)| name).collect();
    if columns.len() == width {
        return columns;
    }
    (0..width).map(|at| format!("feature {at}")).collect()
}

/// The raw column behind each feature, where it is one alone.
fn sources(package: &Package, features: &[String]) -> Vec<Option<String>> {
    let recipe = package.card().and_then(|card| serde_json::from_value::<Recipe>(card.recipe.clone()).ok());
    let source = |feature: &String| {
        let parts = recipe.as_ref()?.for_features(std::slice::from_ref(feature)).ok()?;
        match parts.inputs.as_slice() {
            [only] => Some(only.name.clone()),
            _ => None,
        }
    };
    features.iter().map(source).collect()
}

fn is_classifier(package: &Package) -> bool {
    match package.card() {
        Some(card) => !card.classes.is_empty(),
        None => package.outputs().len() > 1,
    }
}

fn output_names(package: &Package, targets: usize) -> Vec<String> {
    let classes = package.card().map(|card| card.classes.clone()).unwrap_or_default();
    match (classes.len(), targets) {
        (2, 1) => vec![classes[1].clone()],
        (many, targets) if many == targets => classes,
        (0, 1) => package.card().map_or_else(|| vec!["answer".to_owned()], |card| vec![card.target.clone()]),
        _ => (0..targets).map(|at| format!("output {at}")).collect(),
    }
}
