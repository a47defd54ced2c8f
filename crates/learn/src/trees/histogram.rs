//! What a split is judged by: per bin, the sum of gradients, the sum of second derivatives and
//! the number of rows, all as whole numbers.

use super::bins::Bins;

/// The second derivative fills the low bits of `Sum::weight`, the row count the rest.
const COUNT_SHIFT: u32 = 36;
const HESSIAN_MASK: u64 = (1 << COUNT_SHIFT) - 1;
/// More rows than this do not fit the bits of the count.
pub const MOST_ROWS: usize = 1 << (64 - COUNT_SHIFT);
/// Features that one pass over the rows adds up.
pub const GROUP: usize = 4;

/// The gradient and second derivative of one row.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowSum {
    gradient: i32,
    hessian: u32,
}

/// A sum over rows; 16 bytes, so that one bin is added to in one instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Sum {
    gradient: i64,
    weight: u64,
}

impl Sum {
    /// The number of rows in this sum.
    pub fn count(self) -> u64 {
        self.weight >> COUNT_SHIFT
    }

    /// The sum of gradients, in units of the fixed point.
    pub fn gradient(self) -> f64 {
        self.gradient as f64
    }

    /// The sum of second derivatives, in units of the fixed point.
    pub fn hessian(self) -> f64 {
        (self.weight & HESSIAN_MASK) as f64
    }

    /// This sum with the rows of another one.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { gradient: self.gradient + other.gradient, weight: self.weight + other.weight }
    }

    /// This sum without the rows of another one, which are among its own.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, weight: self.weight - other.weight }
    }

    /// Adds one row.
    pub fn add_row(&mut self, row: RowSum) {
        self.gradient += i64::from(row.gradient);
        self.weight += (1 << COUNT_SHIFT) + u64::from(row.hessian);
    }
}

/// How real numbers become whole ones for one tree: powers of two, so that only the rounding to
/// the last place is lost.
#[derive(Debug, Clone, Copy)]
pub struct FixedPoint {
    gradient_unit: f64,
    hessian_unit: f64,
}

impl FixedPoint {
    /// Units for gradients up to `most_gradient` and second derivatives up to `most_hessian` in
    /// size, and sums over at most `rows` rows.
    pub fn new(most_gradient: f64, most_hessian: f64, rows: usize) -> Self {
        assert!(rows < MOST_ROWS, "the caller refuses tables of more rows");
        // The sum over all rows must stay below 2^36, a single value below 2^31.
        let hessian_bits = (COUNT_SHIFT as i32 - bits_for(rows.max(1) as f64)).min(30);
        Self {
            gradient_unit: power_of_two(bits_for(most_gradient) - 30),
            hessian_unit: power_of_two(bits_for(most_hessian) - hessian_bits),
        }
    }

    /// One row in these units.
    pub fn row(self, gradient: f64, hessian: f64) -> RowSum {
        // Adding and reading the low bits rounds to the nearest whole number without a branch.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        RowSum {
            gradient: (gradient / self.gradient_unit + ROUND).to_bits() as i32,
            hessian: (hessian / self.hessian_unit + ROUND).to_bits() as u32,
        }
    }

    /// A number of second derivatives, such as a regularisation, in these units.
    pub fn to_hessian(self, value: f64) -> f64 {
        value / self.hessian_unit
    }

    /// What a leaf value, a gradient over a second derivative, in these units is as a real number.
    pub fn value_unit(self) -> f64 {
        self.gradient_unit / self.hessian_unit
    }

    /// The real size of a gain that was computed from sums in these units.
    pub fn gain(self, gain: f64) -> f64 {
        gain * self.gradient_unit * self.gradient_unit / self.hessian_unit
    }
}

/// The least `n` with `value < 2^n`.
fn bits_for(value: f64) -> i32 {
    if value <= 0.0 {
        return 0;
    }
    ((value.to_bits() >> 52) & 0x7ff) as i32 - 1022
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent.clamp(-1000, 1000) + 1023) as u64) << 52)
}

/// The sum over these rows.
pub fn total(rows: &[u32], sums: &[RowSum]) -> Sum {
    let mut total = Sum::default();
    for row in rows {
        total.add_row(sums[*row as usize]);
    }
    total
}

/// Adds the rows to the histograms of up to [`GROUP`] features, which stand one after the other.
pub fn fill(bins: &Bins, features: &[usize], rows: &[u32], sums: &[RowSum], out: &mut [Sum]) {
    out.fill(Sum::default());
    match *features {
        [a, b, c, d] => fill_columns(bins, [a, b, c, d], rows, sums, out),
        [a, b, c] => fill_columns(bins, [a, b, c], rows, sums, out),
        [a, b] => fill_columns(bins, [a, b], rows, sums, out),
        [a] => fill_columns(bins, [a], rows, sums, out),
        _ => unreachable!("groups have one to four features"),
    }
}

fn fill_columns<const N: usize>(
    bins: &Bins,
    features: [usize; N],
    rows: &[u32],
    sums: &[RowSum],
    out: &mut [Sum],
) {
    let columns = features.map(|feature| bins.column(feature));
    let mut rest = out;
    let mut parts = features.map(|feature| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(bins.count(feature));
        rest = after;
        part
    });
    for row in rows {
        let row = *row as usize;
        let sum = sums[row];
        for (part, column) in parts.iter_mut().zip(&columns) {
            part[usize::from(column[row])].add_row(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_in_fixed_point_are_the_real_ones_to_a_billionth() {
        let rows = 100_000;
        let point = FixedPoint::new(1.0, 0.25, rows);
        let (mut sum, mut gradient, mut hessian) = (Sum::default(), 0.0, 0.0);
        for row in 0..rows {
            let g = libm::sin(row as f64);
            let h = 0.25 * libm::fabs(libm::cos(row as f64 * 3.0));
            sum.add_row(point.row(g, h));
            gradient += g;
            hessian += h;
        }
        assert_eq!(sum.count(), rows as u64);
        assert!((sum.gradient() * point.gradient_unit - gradient).abs() < 1e-5);
        assert!((sum.hessian() * point.hessian_unit / hessian - 1.0).abs() < 1e-6);
    }

    #[test]
    fn whole_numbers_are_exact() {
        let point = FixedPoint::new(7.0, 7.0, 1000);
        let mut sum = Sum::default();
        for value in 1..=7 {
            sum.add_row(point.row(-f64::from(value), f64::from(value)));
        }
        let real = (sum.gradient() * point.gradient_unit, sum.hessian() * point.hessian_unit);
        assert_eq!((real, sum.count()), ((-28.0, 28.0), 7));
        assert_eq!(sum.minus(sum), Sum::default());
    }

    #[test]
    fn bits_hold_their_value() {
        assert_eq!([0.0, 0.25, 0.3, 1.0, 7.9, 8.0].map(bits_for), [0, -1, -1, 1, 3, 4]);
    }
}
