//! How well labels and probabilities of any number of classes match what is true.

use super::binary::Ranking;
use crate::math::{EPSILON, ln};

/// How often each class was taken for each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// The number of classes.
    pub classes: usize,
    /// Rows of counts: the true class is the row, the predicted one the column.
    pub counts: Vec<u64>,
}

impl Confusion {
    /// Counts pairs of a true and a predicted class.
    pub fn new(classes: usize, truth: &[u32], predicted: &[u32]) -> Self {
        let mut counts = vec![0; classes * classes];
        for (truth, predicted) in truth.iter().zip(predicted) {
            counts[*truth as usize * classes + *predicted as usize] += 1;
        }
        Self { classes, counts }
    }

    fn at(&self, truth: usize, predicted: usize) -> f64 {
        self.counts[truth * self.classes + predicted] as f64
    }

    fn right(&self, class: usize) -> f64 {
        self.at(class, class)
    }

    /// The number of rows whose class is truly this one.
    pub fn support(&self, class: usize) -> f64 {
        (0..self.classes).map(|predicted| self.at(class, predicted)).sum()
    }

    fn called(&self, class: usize) -> f64 {
        (0..self.classes).map(|truth| self.at(truth, class)).sum()
    }

    /// The share of rows with the right class.
    pub fn accuracy(&self) -> f64 {
        let all: u64 = self.counts.iter().sum();
        (0..self.classes).map(|class| self.right(class)).sum::<f64>() / all as f64
    }

    /// The share of rows called this class that are of it; 0 if none was called so.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.right(class), self.called(class))
    }

    /// The share of rows of this class that were found; 0 if there are none.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.right(class), self.support(class))
    }

    /// The harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`.
    pub fn f1(&self, class: usize) -> f64 {
        share(2.0 * self.right(class), self.called(class) + self.support(class))
    }

    /// The mean recall over the classes that are there (scikit-learn's `balanced_accuracy_score`).
    pub fn balanced_accuracy(&self) -> f64 {
        let there: Vec<usize> = (0..self.classes).filter(|class| self.support(*class) > 0.0).collect();
        there.iter().map(|class| self.recall(*class)).sum::<f64>() / there.len() as f64
    }

    /// The mean of a measure over the classes that are in the truth or in the predictions.
    pub fn mean_over_classes(&self, measure: impl Fn(&Self, usize) -> f64) -> f64 {
        let there: Vec<usize> =
            (0..self.classes).filter(|class| self.support(*class) + self.called(*class) > 0.0).collect();
        there.iter().map(|class| measure(self, *class)).sum::<f64>() / there.len() as f64
    }
}

fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}

/// Log loss, or cross-entropy: the mean of `-ln p(true class)`, with `p` kept away from 0 by the
/// smallest step of a 64 bit number as scikit-learn's `log_loss` does.
pub fn log_loss(classes: usize, truth: &[u32], probabilities: &[f64]) -> f64 {
    let of = |(truth, row): (&u32, &[f64])| -ln(row[*truth as usize].clamp(EPSILON, 1.0 - EPSILON));
    truth.iter().zip(probabilities.chunks_exact(classes)).map(of).sum::<f64>() / truth.len() as f64
}

/// The mean over classes of the area under the ROC curve of that class against the rest
/// (scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")`); classes of which no
/// row, or every row, is in the truth are left out.
pub fn one_vs_rest_auc(classes: usize, truth: &[u32], probabilities: &[f64]) -> f64 {
    let mut areas = Vec::new();
    for class in 0..classes {
        let is_class: Vec<bool> = truth.iter().map(|truth| *truth as usize == class).collect();
        let scores: Vec<f64> = probabilities.chunks_exact(classes).map(|row| row[class]).collect();
        let area = Ranking::new(&is_class, &scores).auc();
        if area.is_finite() {
            areas.push(area);
        }
    }
    areas.iter().sum::<f64>() / areas.len() as f64
}
