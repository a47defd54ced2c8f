//! The methods that measure drift. A new one is a file with a [`Method`] and a line in [`METHODS`].

mod chi_square;
mod jensen_shannon;
mod ks;
mod psi;
mod wasserstein;

pub use chi_square::chi_square;
pub use jensen_shannon::jensen_shannon;
pub use ks::{ks, ks_of_counts};
pub use psi::psi;
pub use wasserstein::wasserstein;

use base::{Error, Result};

use super::{Outcome, Sides};

/// All of them.
pub const METHODS: [&Method; 5] =
    [&ks::KS, &chi_square::CHI_SQUARE, &wasserstein::WASSERSTEIN, &jensen_shannon::JENSEN_SHANNON, &psi::PSI];

/// With so many values on both sides tests find differences that do not matter, and distances say more.
const MANY: u64 = 1000;

/// A way to measure how far a column has moved.
#[derive(Debug)]
pub struct Method {
    /// What it is called in files and on the command line.
    pub name: &'static str,
    /// What it is called on screens.
    pub title: &'static str,
    /// What it measures, in one phrase with its source.
    pub about: &'static str,
    /// True if it is for numbers and moments.
    pub is_for_numbers: bool,
    /// True if it is for texts and booleans.
    pub is_for_values: bool,
    /// From where on its statistic says that a difference matters; where there are none, the stability
    /// index says it.
    pub bounds: Option<Bounds>,
    /// Measures; nothing if one side has no values.
    pub measure: fn(&Sides) -> Option<Outcome>,
}

/// Two bounds of a statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// From here on a column has moved a little.
    pub warning: f64,
    /// From here on it has moved a lot.
    pub alarm: f64,
}

impl Method {
    fn fits(&self, sides: &Sides) -> bool {
        if sides.edges.is_some() { self.is_for_numbers } else { self.is_for_values }
    }
}

/// The method of this name.
///
/// # Errors
/// `InvalidInput` if there is none.
pub fn named(name: &str) -> Result<&'static Method> {
    let names = || METHODS.map(|method| format!("`{}`", method.name)).join(", ");
    METHODS.into_iter().find(|method| method.name == name).ok_or_else(|| {
        Error::invalid(format!("`{name}` is no test of drift")).hint(format!("choose one of {}", names()))
    })
}

/// The method that is wanted, if it is for such columns, else the usual one: Kolmogorov-Smirnov for
/// numbers and chi-square for values; from 1000 values on both sides on Wasserstein and Jensen-Shannon. With
/// what it found; without it if there is nothing to compare.
pub(super) fn apply(sides: &Sides, wanted: Option<&'static Method>) -> Option<(&'static Method, Outcome)> {
    let is_many = sides.fewest() >= MANY;
    let usual: [&'static Method; 2] = match (sides.edges.is_some(), is_many) {
        (true, true) => [&wasserstein::WASSERSTEIN, &ks::KS],
        (true, false) => [&ks::KS, &ks::KS],
        (false, true) => [&jensen_shannon::JENSEN_SHANNON, &chi_square::CHI_SQUARE],
        (false, false) => [&chi_square::CHI_SQUARE, &chi_square::CHI_SQUARE],
    };
    let mut order = wanted.into_iter().chain(usual).filter(|method| method.fits(sides));
    order.find_map(|method| Some((method, (method.measure)(sides)?)))
}
