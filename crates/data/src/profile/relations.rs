//! How columns go together, two by two: correlation of numbers, association of categories. On all
//! rows of a short table, on evenly spaced ones of a long one.

use serde::{Deserialize, Serialize};

use crate::each::each;

/// Rows that are looked at; more are thinned out evenly. A correlation is then off by about
/// 1 / sqrt(50,000) = 0.004.
pub(super) const SAMPLE_ROWS: u64 = 50_000;
/// The most columns of one matrix, the first ones of the table.
pub const MAX_RELATED: usize = 100;
/// A column with more different values than this is no category.
pub(super) const MAX_LEVELS: usize = 50;
/// Marks a missing category.
pub(super) const NO_LEVEL: u8 = u8::MAX;

/// How columns go together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relations {
    /// Rows that were looked at, evenly spaced if the table has more.
    pub rows: u64,
    /// Linear correlation of numbers (Pearson's r), from -1 to 1.
    pub pearson: Matrix,
    /// Correlation of ranks (Spearman's rho), equal values at their mean rank, from -1 to 1.
    pub spearman: Matrix,
    /// Association of texts and booleans with up to 50 values (Cramér's V, not corrected), from 0 to 1.
    pub cramers_v: Matrix,
    /// Columns left out because there are more than [`MAX_RELATED`] of their sort.
    pub left_out: Vec<String>,
}

/// A value for each pair of columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// The columns in file order.
    pub columns: Vec<String>,
    /// The values of (0, 1), (0, 2), … (1, 2), … of the columns. None where it is not defined:
    /// with fewer than three rows that have both values, or where one of them is constant.
    pub values: Vec<Option<f64>>,
}

impl Matrix {
    /// The value of two different columns.
    pub fn get(&self, a: usize, b: usize) -> Option<f64> {
        let (low, high) = (a.min(b), a.max(b));
        if low == high || high >= self.columns.len() {
            return None;
        }
        let before = low * (2 * self.columns.len() - low - 1) / 2;
        self.values.get(before + high - low - 1).copied().flatten()
    }

    fn of(columns: Vec<String>, value: impl Fn(usize, usize) -> Option<f64> + Sync) -> Self {
        let count = columns.len();
        let row = |a: usize| Ok((a + 1..count).map(|b| value(a, b)).collect::<Vec<_>>());
        // Each pair is computed by itself, so the number of threads changes nothing.
        let values = each(count, 2, row).unwrap_or_default().into_iter().flatten().collect();
        Self { columns, values }
    }
}

/// The values of one column in the rows that are looked at.
#[derive(Debug)]
pub(super) enum Sampled {
    /// Numbers; `NaN` is missing.
    Numbers(Vec<f64>),
    /// Categories by number; [`NO_LEVEL`] is missing.
    Levels(Vec<u8>),
    /// Nothing to relate.
    None,
}

/// Relates columns, each with its name.
pub(super) fn relate(columns: &[(String, Sampled)], rows: u64) -> Relations {
    let mut left_out = Vec::new();
    let (mut numbers, mut levels) = (Vec::new(), Vec::new());
    for (name, sampled) in columns {
        let is_full = match sampled {
            Sampled::Numbers(values) if numbers.len() < MAX_RELATED => {
                numbers.push((name, Ranked::new(values)));
                false
            }
            Sampled::Levels(values) if levels.len() < MAX_RELATED => {
                levels.push((name, values));
                false
            }
            Sampled::Numbers(_) | Sampled::Levels(_) => true,
            Sampled::None => false,
        };
        if is_full {
            left_out.push(name.clone());
        }
    }
    let names = || numbers.iter().map(|(name, _)| (*name).clone()).collect();
    let ranked = |at: usize| &numbers[at].1;
    Relations {
        rows,
        pearson: Matrix::of(names(), |a, b| pearson(&both(ranked(a).values, ranked(b).values))),
        spearman: Matrix::of(names(), |a, b| spearman(ranked(a), ranked(b))),
        cramers_v: Matrix::of(levels.iter().map(|(name, _)| (*name).clone()).collect(), |a, b| {
            cramers_v(levels[a].1, levels[b].1)
        }),
        left_out,
    }
}

/// The pairs of values of the rows that have both.
fn both(a: &[f64], b: &[f64]) -> Vec<(f64, f64)> {
    a.iter().copied().zip(b.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

/// Pearson's r: the sum of products of the distances from the mean, over the root of the product
/// of the sums of their squares.
fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let count = pairs.len() as f64;
    let mean_x = pairs.iter().map(|pair| pair.0).sum::<f64>() / count;
    let mean_y = pairs.iter().map(|pair| pair.1).sum::<f64>() / count;
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    let r = xy / (xx.sqrt() * yy.sqrt());
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}

/// A column with its rows in the order of their values.
struct Ranked<'a> {
    values: &'a [f64],
    order: Vec<u32>,
    /// The rank of each row, if every row has a value.
    ranks: Option<Vec<f64>>,
}

impl<'a> Ranked<'a> {
    fn new(values: &'a [f64]) -> Self {
        let mut order: Vec<u32> =
            (0..).take(values.len()).filter(|row| values[*row as usize].is_finite()).collect();
        order.sort_unstable_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]).then(a.cmp(b)));
        let ranks = (order.len() == values.len()).then(|| ranks_in(values, &order));
        Self { values, order, ranks }
    }

    /// The rank of each row among those that also have a value in `other`.
    fn ranks_with(&self, other: &Ranked<'_>) -> Vec<f64> {
        match &self.ranks {
            Some(ranks) if other.ranks.is_some() => ranks.clone(),
            _ => {
                let has_both = |row: &&u32| other.values[**row as usize].is_finite();
                ranks_in(self.values, &self.order.iter().filter(has_both).copied().collect::<Vec<_>>())
            }
        }
    }
}

/// Ranks from 1 on in the given order, equal values at their mean rank; `NaN` for other rows.
fn ranks_in(values: &[f64], order: &[u32]) -> Vec<f64> {
    let mut ranks = vec![f64::NAN; values.len()];
    let mut before = 0;
    // Both zeros are one value here as everywhere.
    for tied in order.chunk_by(|a, b| values[*a as usize] == values[*b as usize]) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|row| ranks[*row as usize] = rank);
        before += tied.len();
    }
    ranks
}

/// Spearman's rho: Pearson's r of the ranks among the rows that have both values.
fn spearman(a: &Ranked<'_>, b: &Ranked<'_>) -> Option<f64> {
    if let (Some(x), Some(y)) = (&a.ranks, &b.ranks) {
        return pearson(&both(x, y));
    }
    pearson(&both(&a.ranks_with(b), &b.ranks_with(a)))
}

/// Cramér's V: the root of chi-square over n times the smaller number of levels less one.
fn cramers_v(a: &[u8], b: &[u8]) -> Option<f64> {
    const SIDE: usize = MAX_LEVELS + 1;
    let mut table = vec![0_u64; SIDE * SIDE];
    for (x, y) in a.iter().zip(b).filter(|(x, y)| **x != NO_LEVEL && **y != NO_LEVEL) {
        table[usize::from(*x) * SIDE + usize::from(*y)] += 1;
    }
    let rows: Vec<u64> = (0..SIDE).map(|x| table[x * SIDE..(x + 1) * SIDE].iter().sum()).collect();
    let columns: Vec<u64> = (0..SIDE).map(|y| (0..SIDE).map(|x| table[x * SIDE + y]).sum()).collect();
    let total: u64 = rows.iter().sum();
    let used = |sums: &[u64]| sums.iter().filter(|sum| **sum > 0).count();
    let smaller = used(&rows).min(used(&columns));
    if total < 3 || smaller < 2 {
        return None;
    }
    // chi-square / n is the sum of observed^2 / (row * column) less one.
    let mut sum = 0.0;
    for (x, row) in rows.iter().enumerate().filter(|(_, row)| **row > 0) {
        for (y, column) in columns.iter().enumerate().filter(|(_, column)| **column > 0) {
            let observed = table[x * SIDE + y] as f64;
            sum += observed / *row as f64 * (observed / *column as f64);
        }
    }
    Some(((sum - 1.0).max(0.0) / (smaller as f64 - 1.0)).sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 8] = [1.0, 2.0, 2.0, 4.0, 5.0, f64::NAN, 7.0, 8.0];
    const Y: [f64; 8] = [2.0, 1.0, 4.0, 3.0, 7.0, 5.0, f64::NAN, 60.0];

    fn numbers(name: &str, values: &[f64]) -> (String, Sampled) {
        (name.to_owned(), Sampled::Numbers(values.to_vec()))
    }

    #[test]
    fn correlations_agree_with_scipy() {
        let related = relate(&[numbers("x", &X), numbers("y", &Y), numbers("c", &[3.0; 8])], 8);
        // scipy 1.17.1: stats.pearsonr and stats.spearmanr of the six rows that have both
        let near = |found: Option<f64>, expected: f64| {
            assert!((found.expect("defined") - expected).abs() < 1e-12, "{found:?} is not {expected}");
        };
        near(related.pearson.get(0, 1), 0.8570115960784574);
        near(related.spearman.get(1, 0), 0.8116794499134278);
        assert_eq!(related.pearson.get(0, 2), None, "a constant goes with nothing");
        assert_eq!((related.pearson.get(1, 1), related.pearson.get(0, 3)), (None, None));
    }

    #[test]
    fn whole_columns_and_columns_with_gaps_are_ranked_alike() {
        let whole: Vec<f64> = (0..100).map(|at| f64::from(at * 37 % 100)).collect();
        let mut gap = whole.clone();
        gap[3] = f64::NAN;
        let squares: Vec<f64> = whole.iter().map(|x| x * x).collect();
        let related = relate(&[numbers("a", &whole), numbers("b", &gap), numbers("c", &squares)], 100);
        for pair in [(0, 1), (0, 2), (1, 2)] {
            let rho = related.spearman.get(pair.0, pair.1).expect("defined");
            assert!((rho - 1.0).abs() < 1e-12, "{pair:?}: {rho}");
        }
        assert!(related.pearson.get(0, 2).expect("defined") < 0.98, "a square is no line");
    }

    #[test]
    fn association_agrees_with_scipy() {
        // scipy 1.17.1: stats.contingency.association([[10, 20, 30], [6, 9, 17]], method="cramer")
        let counts = [[10, 20, 30], [6, 9, 17]];
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (x, row) in counts.iter().enumerate() {
            for (y, count) in row.iter().enumerate() {
                a.extend(std::iter::repeat_n(x as u8, *count));
                b.extend(std::iter::repeat_n(y as u8, *count));
            }
        }
        a.push(NO_LEVEL);
        b.push(0);
        assert!((cramers_v(&a, &b).expect("defined") - 0.05433137570422292).abs() < 1e-12);
        assert!((cramers_v(&a, &a).expect("defined") - 1.0).abs() < 1e-12);
        assert_eq!(cramers_v(&[0, 0, 0], &[0, 1, 2]), None);
    }

    #[test]
    fn columns_beyond_the_limit_are_named() {
        let columns: Vec<_> =
            (0..102).map(|at| numbers(&format!("c{at}"), &[1.0, 2.0, f64::from(at)])).collect();
        let related = relate(&columns, 3);
        assert_eq!(related.left_out, ["c100", "c101"]);
        assert_eq!(related.pearson.values.len(), 100 * 99 / 2);
    }
}
