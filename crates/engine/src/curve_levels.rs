//! Curves as a screen can draw them. A long curve is kept as blocks of points, each with its least,
//! its greatest and its mean, so that a look at all of it costs a look at its blocks; what is seen is
//! put together to one bucket a pixel. No peak is lost on the way.

use store::tracking::points::Point;
use store::tracking::walks::Along;

/// Points in a block. A million points make 1.3 MB of blocks; a part of a curve that has fewer than
/// two blocks a pixel is read point by point, which are at most 128,000 points for 1,000 pixels.
const BLOCK: u64 = 64;

/// Points that follow each other, or a single one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Block {
    first: Point,
    last: Point,
    least: f64,
    greatest: f64,
    sum: f64,
    finite: u64,
    points: u64,
}

impl Block {
    fn of(point: Point) -> Self {
        let mut block = Self {
            first: point,
            last: point,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            sum: 0.0,
            finite: 0,
            points: 0,
        };
        block.add(point);
        block
    }

    fn add(&mut self, point: Point) {
        self.last = point;
        self.points += 1;
        if point.value.is_finite() {
            self.least = self.least.min(point.value);
            self.greatest = self.greatest.max(point.value);
            self.sum += point.value;
            self.finite += 1;
        }
    }
}

/// A whole curve in blocks.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    along: Along,
    blocks: Vec<Block>,
    points: u64,
}

impl Level {
    pub(crate) fn new(along: Along) -> Self {
        Self { along, blocks: Vec::new(), points: 0 }
    }

    /// Adds the next point, in order.
    pub(crate) fn push(&mut self, point: Point) {
        self.points += 1;
        match self.blocks.last_mut() {
            Some(block) if block.points < BLOCK => block.add(point),
            _ => self.blocks.push(Block::of(point)),
        }
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> u64 {
        self.points
    }

    /// Points that are no number or are infinite: they are not drawn.
    pub(crate) fn not_finite(&self) -> u64 {
        self.points - self.blocks.iter().map(|block| block.finite).sum::<u64>()
    }

    /// The last point.
    pub(crate) fn last(&self) -> Option<Point> {
        self.blocks.last().map(|block| block.last)
    }

    /// Where it begins and ends on its axis.
    pub(crate) fn reach(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.blocks.first()?, self.blocks.last()?);
        Some((at(self.along, &first.first), at(self.along, &last.last)))
    }

    /// What a part of it is drawn from.
    pub(crate) fn part(&self, span: &Span) -> Part {
        let from = self.blocks.partition_point(|block| at(self.along, &block.last) < span.from);
        let to = self.blocks.partition_point(|block| at(self.along, &block.first) <= span.to);
        // One more on either side: the line goes on beyond the edge.
        let seen = &self.blocks[from.saturating_sub(1)..(to + 1).min(self.blocks.len())];
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return Part::Nothing };
        if seen.len() < 2 * span.buckets {
            return Part::Points(first.first, last.last);
        }
        let mut buckets = Buckets::new(self.along, *span);
        seen.iter().for_each(|block| buckets.add(*block));
        Part::Drawn(buckets.into_line())
    }
}

/// What a part of a curve is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// There is nothing.
    Nothing,
    /// The points from one to another, both included.
    Points(Point, Point),
    /// It is drawn already.
    Drawn(Line),
}

/// Which part of an axis is seen, in how many buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) buckets: usize,
}

impl Span {
    /// The bucket of a place: 0 left of what is seen, `buckets + 1` right of it.
    fn bucket(&self, x: f64) -> usize {
        if x < self.from {
            0
        } else if x > self.to {
            self.buckets + 1
        } else if self.to > self.from {
            let share = (x - self.from) / (self.to - self.from);
            1 + ((share * self.buckets as f64) as usize).min(self.buckets - 1)
        } else {
            1
        }
    }

    fn middle(&self, bucket: usize) -> f64 {
        self.from + (self.to - self.from) * (bucket as f64 - 0.5) / self.buckets as f64
    }
}

/// A line as it is drawn, a column a bucket.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) x: Vec<f64>,
    pub(crate) least: Vec<f64>,
    pub(crate) greatest: Vec<f64>,
    pub(crate) mean: Vec<f64>,
    pub(crate) count: Vec<u64>,
}

/// Puts points or blocks, as they come, into buckets.
pub(crate) struct Buckets {
    along: Along,
    span: Span,
    open: Option<(usize, Block)>,
    line: Line,
}

impl Buckets {
    pub(crate) fn new(along: Along, span: Span) -> Self {
        Self { along, span, open: None, line: Line::default() }
    }

    pub(crate) fn push(&mut self, point: Point) {
        self.add(Block::of(point));
    }

    fn add(&mut self, block: Block) {
        if block.finite == 0 {
            return;
        }
        let bucket = self.span.bucket(at(self.along, &block.first));
        let is_outside = bucket == 0 || bucket > self.span.buckets;
        match &mut self.open {
            // Of what is outside only the nearest matters: the last before, the first behind.
            Some((own, held)) if *own == bucket && is_outside => {
                if bucket == 0 {
                    *held = block;
                }
            }
            Some((own, held)) if *own == bucket => {
                held.last = block.last;
                held.least = held.least.min(block.least);
                held.greatest = held.greatest.max(block.greatest);
                held.sum += block.sum;
                held.finite += block.finite;
                held.points += block.points;
            }
            _ => {
                self.close();
                self.open = Some((bucket, block));
            }
        }
    }

    fn close(&mut self) {
        let Some((bucket, block)) = self.open.take() else { return };
        let is_inside = (1..=self.span.buckets).contains(&bucket);
        // A single point stands where it is; the buckets of many runs stand at the same places.
        let middle = if is_inside && block.points > 1 && self.span.to > self.span.from {
            self.span.middle(bucket)
        } else {
            at(self.along, &block.first)
        };
        self.line.x.push(middle);
        self.line.least.push(block.least);
        self.line.greatest.push(block.greatest);
        self.line.mean.push(block.sum / block.finite as f64);
        self.line.count.push(block.finite);
    }

    pub(crate) fn into_line(mut self) -> Line {
        self.close();
        self.line
    }
}

fn at(along: Along, point: &Point) -> f64 {
    match along {
        Along::Step => point.step as f64,
        Along::Time => point.at_ms as f64,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(values: &[f64]) -> Level {
        let mut level = Level::new(Along::Step);
        for (step, value) in values.iter().enumerate() {
            level.push(Point { value: *value, step: step as i64, at_ms: 0 });
        }
        level
    }

    /// The line as the engine draws it.
    fn drawn(values: &[f64], span: Span) -> Line {
        match level(values).part(&span) {
            Part::Nothing => Line::default(),
            Part::Drawn(line) => line,
            Part::Points(from, to) => {
                let mut buckets = Buckets::new(Along::Step, span);
                for step in from.step..=to.step {
                    buckets.push(Point { value: values[step as usize], step, at_ms: 0 });
                }
                buckets.into_line()
            }
        }
    }

    #[test]
    fn a_peak_of_one_point_in_a_million_is_drawn() {
        let mut values = vec![0.5; 1_000_000];
        (values[654_321], values[77]) = (9.0, -9.0);
        let line = drawn(&values, Span { from: 0.0, to: 999_999.0, buckets: 500 });
        assert!(line.x.len() <= 500, "{}", line.x.len());
        assert_eq!(line.greatest.iter().copied().fold(f64::MIN, f64::max), 9.0);
        assert_eq!(line.least.iter().copied().fold(f64::MAX, f64::min), -9.0);
        assert_eq!(line.count.iter().sum::<u64>(), 1_000_000);
    }

    #[test]
    fn a_narrow_part_is_drawn_from_its_points_with_one_more_on_either_side() {
        let values: Vec<f64> = (0..100_000).map(f64::from).collect();
        let span = Span { from: 50_000.0, to: 50_004.0, buckets: 100 };
        assert!(matches!(level(&values).part(&span), Part::Points(..)));
        let line = drawn(&values, span);
        assert_eq!(line.x, [49_999.0, 50_000.0, 50_001.0, 50_002.0, 50_003.0, 50_004.0, 50_005.0]);
        assert_eq!(line.mean, line.x);
    }

    #[test]
    fn what_is_no_number_is_counted_and_not_drawn() {
        let values = [1.0, f64::NAN, f64::INFINITY, 2.0];
        assert_eq!(level(&values).not_finite(), 2);
        assert_eq!(drawn(&values, Span { from: 0.0, to: 3.0, buckets: 10 }).x, [0.0, 3.0]);
        assert_eq!(level(&[]).part(&Span { from: 0.0, to: 1.0, buckets: 4 }), Part::Nothing);
    }

    #[test]
    fn points_of_one_step_share_a_place() {
        let mut buckets = Buckets::new(Along::Step, Span { from: 3.0, to: 3.0, buckets: 9 });
        [1.0, 5.0].iter().for_each(|value| buckets.push(Point { value: *value, step: 3, at_ms: 0 }));
        let line = buckets.into_line();
        assert_eq!(
            (line.x, line.least, line.greatest, line.mean),
            (vec![3.0], vec![1.0], vec![5.0], vec![3.0])
        );
    }

    proptest! {
        #[test]
        fn a_line_has_the_extremes_of_what_is_seen(
            values in prop::collection::vec(-1e6..1e6f64, 1..3_000),
            from in 0usize..3_000, length in 1usize..3_000, buckets in 1usize..40,
        ) {
            let from = from.min(values.len() - 1);
            let to = (from + length).min(values.len() - 1);
            let line = drawn(&values, Span { from: from as f64, to: to as f64, buckets });
            let seen = &values[from..=to];
            let least = line.least.iter().copied().fold(f64::MAX, f64::min);
            let greatest = line.greatest.iter().copied().fold(f64::MIN, f64::max);
            prop_assert!(line.x.len() <= buckets + 2);
            prop_assert!(line.x.is_sorted());
            prop_assert!(least <= seen.iter().copied().fold(f64::MAX, f64::min));
            prop_assert!(greatest >= seen.iter().copied().fold(f64::MIN, f64::max));
        }
    }
}
