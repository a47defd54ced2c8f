//! What `ai.onnx.ml` does to the scores of a linear model or of trees at the end. The formulas
//! follow onnxruntime to the bit where the specification is silent, because a model must answer
//! here as it does there.

use base::{Error, Result};

use crate::inside::Link;

/// The last step from scores to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostTransform {
    /// Scores as they are.
    None,
    /// The logistic function of each.
    Logistic,
    /// Shares of one.
    Softmax,
    /// Shares of one among the scores that are not zero.
    SoftmaxZero,
    /// The inverse of the normal distribution, approximated.
    Probit,
}

impl PostTransform {
    /// The transform with this name; none given means none.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] for another name.
    pub fn parse(name: Option<&str>) -> Result<Self> {
        Ok(match name.unwrap_or("NONE") {
            "NONE" => Self::None,
            "LOGISTIC" => Self::Logistic,
            "SOFTMAX" => Self::Softmax,
            "SOFTMAX_ZERO" => Self::SoftmaxZero,
            "PROBIT" => Self::Probit,
            other => return Err(Error::invalid(format!("the post transform `{other}` is not supported"))),
        })
    }

    /// What it is to sums; none if they cannot be got back from the answer.
    pub fn link(self) -> Option<Link> {
        match self {
            Self::None => Some(Link::Identity),
            Self::Logistic => Some(Link::Logistic),
            Self::Softmax => Some(Link::Softmax),
            Self::SoftmaxZero | Self::Probit => None,
        }
    }

    /// Applies it to the scores of one row, of which there are several.
    pub fn apply<T: Real>(self, scores: &mut [T]) {
        match self {
            Self::None => {}
            Self::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
            Self::Softmax => softmax(scores),
            Self::SoftmaxZero => softmax_zero(scores),
            Self::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
        }
    }
}

/// The two precisions in which scores are summed.
pub trait Real:
    Copy
    + PartialOrd
    + Default
    + Send
    + Sync
    + From<f32>
    + std::ops::Add<Output = Self>
    + std::ops::AddAssign
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + 'static
{
    /// The lowest finite number.
    const LOWEST: Self;
    /// Rounds from double precision.
    fn from_f64(value: f64) -> Self;
    /// Rounds to single precision.
    fn to_f32(self) -> f32;
    /// e to this power.
    fn exp(self) -> Self;
    /// True for a missing value.
    fn is_nan(self) -> bool;
    /// The largest number below this one.
    fn next_down(self) -> Self;
}

impl Real for f32 {
    const LOWEST: Self = Self::MIN;
    fn from_f64(value: f64) -> Self {
        value as Self
    }
    fn to_f32(self) -> f32 {
        self
    }
    fn exp(self) -> Self {
        libm::expf(self)
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    fn next_down(self) -> Self {
        self.next_down()
    }
}

impl Real for f64 {
    const LOWEST: Self = Self::MIN;
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    fn next_down(self) -> Self {
        self.next_down()
    }
}

/// The logistic function, computed in single precision whatever the sums are in.
pub fn logistic<T: Real>(score: T) -> T {
    let score = score.to_f32();
    let upper = 1.0 / (1.0 + libm::expf(-score.abs()));
    T::from(if score < 0.0 { 1.0 - upper } else { upper })
}

/// The inverse of the normal distribution function by Winitzki's approximation, with the short
/// constants of onnxruntime.
#[expect(clippy::approx_constant, reason = "onnxruntime has no more digits of pi here")]
pub fn probit<T: Real>(share: T) -> T {
    let x = 2.0 * share.to_f32() - 1.0;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = libm::logf((1.0 - x) * (1.0 + x));
    let v = 2.0 / (3.14159 * 0.147) + 0.5 * log;
    let root = (-v + (v * v - 1.0 / 0.147 * log).sqrt()).sqrt();
    T::from(std::f32::consts::SQRT_2 * (sign * root))
}

fn softmax<T: Real>(scores: &mut [T]) {
    let largest = scores.iter().fold(T::LOWEST, |most, score| if *score > most { *score } else { most });
    let mut sum = T::default();
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score = *score / sum);
}

fn softmax_zero<T: Real>(scores: &mut [T]) {
    let (low, high) = (T::from(-0.000_000_1), T::from(0.000_000_1));
    let largest = scores.iter().fold(T::LOWEST, |most, score| if *score > most { *score } else { most });
    let shrink = (-largest).exp();
    let mut sum = T::default();
    for score in scores.iter_mut() {
        if *score > high || *score < low {
            *score = (*score - largest).exp();
            sum += *score;
        } else {
            *score = *score * shrink;
        }
    }
    scores.iter_mut().for_each(|score| *score = *score / sum);
}
