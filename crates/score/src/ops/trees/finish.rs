//! From the sums over the trees to the answer for one row. The odd rules are onnxruntime's: the
//! specification leaves two classes with one score, and base values, open.

use base::{Error, Result};

use super::forest::Score;
use crate::ops::scores::{PostTransform, Real, logistic, probit};

/// How the leaves of several trees make one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Added.
    Sum,
    /// Added and divided by the number of trees.
    Average,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl Aggregate {
    /// The aggregate with this name; none given means the sum.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] for another name.
    pub fn parse(name: Option<&str>) -> Result<Self> {
        Ok(match name.unwrap_or("SUM") {
            "SUM" => Self::Sum,
            "AVERAGE" => Self::Average,
            "MIN" => Self::Min,
            "MAX" => Self::Max,
            other => return Err(Error::invalid(format!("the aggregate `{other}` is not supported"))),
        })
    }
}

/// How a regression answers.
pub struct Targets {
    /// How many numbers per row.
    pub count: usize,
    /// What is added to each, or nothing.
    pub base: Vec<f64>,
    /// How trees are put together.
    pub aggregate: Aggregate,
    /// The last step.
    pub transform: PostTransform,
}

impl Targets {
    /// Appends the answer for one row.
    pub fn finish<T: Real>(&self, scores: &mut [Score<T>], trees: usize, made: &mut Vec<f32>) {
        for (at, score) in scores.iter_mut().enumerate() {
            if self.aggregate == Aggregate::Average {
                score.value = score.value / T::from(trees as f32);
            }
            score.value += self.base.get(at).copied().map_or(T::default(), T::from_f64);
        }
        if let [only] = scores {
            only.held = true;
        }
        let mut values: Vec<T> = scores.iter().map(Score::written).collect();
        match values.as_mut_slice() {
            // With one target onnxruntime knows no other transform than this.
            [value] if self.transform == PostTransform::Probit => *value = probit(*value),
            [_] => {}
            several => self.transform.apply(several),
        }
        made.extend(values.into_iter().map(T::to_f32));
    }
}

/// How a classification answers.
pub struct Classes {
    /// How many classes.
    pub count: usize,
    /// What is added to each score, or nothing.
    pub base: Vec<f64>,
    /// The last step.
    pub transform: PostTransform,
    /// Two classes, but the leaves hold scores for one of them only.
    pub one_score_for_two: bool,
    /// No leaf holds a negative score: then they are shares and the border is one half.
    pub all_votes_positive: bool,
}

/// How one score becomes two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Second {
    /// It does not.
    Undefined,
    /// The score is a share: the other class has the rest.
    Complement,
    /// The score is a margin: the other class has its negative.
    Mirror,
}

impl Classes {
    /// Appends the scores for one row and gives the place of the winner.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] where onnxruntime's own answer is undefined.
    pub fn finish<T: Real>(&self, scores: &mut [Score<T>], made: &mut Vec<f32>) -> Result<usize> {
        if self.count == 2 { self.finish_two(scores, made) } else { self.finish_many(scores, made) }
    }

    fn finish_many<T: Real>(&self, scores: &mut [Score<T>], made: &mut Vec<f32>) -> Result<usize> {
        for (score, base) in scores.iter_mut().zip(&self.base) {
            score.value = if score.held { score.value + T::from_f64(*base) } else { T::from_f64(*base) };
            score.held = true;
        }
        let mut winner: Option<usize> = None;
        for (at, score) in scores.iter().enumerate().filter(|(_, score)| score.held) {
            if winner.is_none_or(|best| score.value > scores[best].value) {
                winner = Some(at);
            }
        }
        let mut values: Vec<T> = scores.iter().map(Score::written).collect();
        self.transform.apply(&mut values);
        made.extend(values.into_iter().map(T::to_f32));
        winner.ok_or_else(|| Error::invalid("no leaf of a row votes for any class"))
    }

    fn finish_two<T: Real>(&self, scores: &mut [Score<T>], made: &mut Vec<f32>) -> Result<usize> {
        let [first, second] = scores else { return Err(Error::internal("two classes need two scores")) };
        let mut second_kind = Second::Undefined;
        let mut both = true;
        match self.base.as_slice() {
            [low, high] if !second.held => {
                second.value += T::from_f64(*high);
                first.value += T::from_f64(*low);
            }
            [_, high] => {
                second.value = T::from_f64(*high) + first.value;
                first.value = -second.value;
            }
            [only] => {
                first.value += T::from_f64(*only);
                both = second.held;
            }
            _ => {
                second_kind = Second::Mirror;
                both = second.held;
            }
        }
        let deciding = match (second.held, first.held) {
            (true, _) => second.value,
            (false, true) => first.value,
            (false, false) => T::default(),
        };
        let border = if self.one_score_for_two && self.all_votes_positive { 0.5 } else { 0.0 };
        let winner = usize::from(deciding > T::from(border));
        if self.one_score_for_two {
            second_kind = if self.all_votes_positive { Second::Complement } else { Second::Mirror };
        }
        let score = first.written();
        let mut values = [score, second.written()];
        match (both, self.transform, second_kind) {
            (true, transform, _) => transform.apply(&mut values),
            (false, PostTransform::Probit, _) | (false, _, Second::Undefined) => {
                return Err(Error::invalid("the model gives one score for two classes and does not say how"));
            }
            (false, PostTransform::Logistic, Second::Complement) => {
                let share = logistic(score);
                values = [T::from(1.0) - share, share];
            }
            (false, _, Second::Complement) => values = [T::from(1.0) - score, score],
            (false, PostTransform::Logistic, Second::Mirror) => values = [logistic(-score), logistic(score)],
            (false, _, Second::Mirror) => values = [-score, score],
        }
        made.extend(values.into_iter().map(T::to_f32));
        Ok(winner)
    }
}
