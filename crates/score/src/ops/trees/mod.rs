//! Decision trees, forests and boosted trees: `TreeEnsembleClassifier` and
//! `TreeEnsembleRegressor`, with the semantics of onnxruntime to the bit of every rule (only the
//! order of a sum over trees may differ, because it runs them on several threads).

mod finish;
mod forest;
mod sketch;

use std::sync::OnceLock;

use base::{Error, Result};

use self::finish::{Aggregate, Classes, Targets};
use self::forest::{Forest, Score};
use self::sketch::Sketch;
use super::attributes::Attributes;
use super::linear::class_labels;
use super::scores::{PostTransform, Real};
use super::{Kernel, mistyped, need};
use crate::graph::Value;
use crate::inside::{Inside, Link, TreeEnsemble};
use crate::tensor::{Elements, Tensor, volume};

/// Rows that are carried through the trees together: their features and scores stay in the
/// first cache while each tree is read once per block.
const BLOCK: usize = 128;

/// Trees whose leaves hold numbers.
pub struct TreeRegressor {
    trees: Trees,
    targets: Targets,
}

impl TreeRegressor {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let count = attributes.int("n_targets")?.unwrap_or(1);
        let count = usize::try_from(count).ok().filter(|count| (1..=Sketch::MOST_TARGETS).contains(count));
        let count = count.ok_or_else(|| Error::invalid("its number of targets is out of range"))?;
        let base = attributes.numbers("base_values")?.to_f64();
        if !base.is_empty() && base.len() != count {
            return Err(Error::invalid(format!("{} base values for {count} targets", base.len())));
        }
        let aggregate = Aggregate::parse(attributes.text("aggregate_function")?.as_deref())?;
        let transform = PostTransform::parse(attributes.text("post_transform")?.as_deref())?;
        let trees = Trees::new(Sketch::read(attributes, "target", count)?)?;
        Ok(Self { trees, targets: Targets { count, base, aggregate, transform } })
    }
}

impl Kernel for TreeRegressor {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let (rows, _) = tensor.rows_and_columns()?;
        let width = self.targets.count;
        let mut made = Vec::with_capacity(volume(&[rows, width])?);
        self.trees.run(tensor, width, &mut Regression { targets: &self.targets, made: &mut made })?;
        Ok(vec![Value::Tensor(Tensor::new(vec![rows, width], Elements::F32(made))?)])
    }

    fn inside(&self) -> Option<(Inside, Link)> {
        let Targets { count, base, aggregate, transform } = &self.targets;
        let share = match aggregate {
            Aggregate::Sum => 1.0,
            Aggregate::Average => 1.0 / self.trees.sketch.trees() as f64,
            // The smallest or largest of several leaves is no sum.
            Aggregate::Min | Aggregate::Max => return None,
        };
        let link = if *count == 1 && *transform != PostTransform::Probit {
            Link::Identity
        } else {
            transform.link()?
        };
        let mut ensemble = self.trees.sketch.ensemble(*count, base).ok()?;
        ensemble.leaves.iter_mut().for_each(|(_, weight)| *weight *= share);
        Some((Inside::Trees(ensemble), link))
    }
}

/// Trees whose leaves hold votes for classes.
pub struct TreeClassifier {
    trees: Trees,
    classes: Classes,
    labels: Elements,
}

impl TreeClassifier {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        let labels = class_labels(attributes, "classlabels_int64s")?;
        let count = labels.len();
        if !(2..=Sketch::MOST_TARGETS).contains(&count) {
            return Err(Error::invalid(format!("{count} classes")));
        }
        let base = attributes.numbers("base_values")?.to_f64();
        if base.len() > count {
            return Err(Error::invalid(format!("{} base values for {count} classes", base.len())));
        }
        let transform = PostTransform::parse(attributes.text("post_transform")?.as_deref())?;
        let sketch = Sketch::read(attributes, "class", count)?;
        let one_class_voted = sketch.voted_targets() == 1;
        let classes = Classes {
            count,
            base,
            transform,
            one_score_for_two: count == 2 && one_class_voted,
            all_votes_positive: sketch.weights_are_all_positive(),
        };
        Ok(Self { trees: Trees::new(sketch)?, classes, labels })
    }

    /// onnxruntime calls the winner of two classes that both have votes 0 or 1, whatever whole
    /// numbers the classes are named by; texts are looked up as they should.
    fn labels(&self, winners: Vec<usize>) -> Elements {
        match &self.labels {
            Elements::I64(_) if self.classes.count == 2 && !self.classes.one_score_for_two => {
                Elements::I64(winners.into_iter().map(|winner| winner as i64).collect())
            }
            labels => labels.pick(winners.into_iter()),
        }
    }
}

impl Kernel for TreeClassifier {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let tensor = need(inputs, 0)?;
        let (rows, _) = tensor.rows_and_columns()?;
        let width = self.classes.count;
        let mut made = Vec::with_capacity(volume(&[rows, width])?);
        let mut winners = Vec::with_capacity(rows);
        let mut vote = Vote { classes: &self.classes, made: &mut made, winners: &mut winners };
        self.trees.run(tensor, width, &mut vote)?;
        Ok(vec![
            Value::Tensor(Tensor::row(self.labels(winners))),
            Value::Tensor(Tensor::new(vec![rows, width], Elements::F32(made))?),
        ])
    }

    fn inside(&self) -> Option<(Inside, Link)> {
        let Classes { count, base, transform, one_score_for_two, .. } = &self.classes;
        let mut ensemble: TreeEnsemble = self.trees.sketch.ensemble(*count, base).ok()?;
        if *one_score_for_two {
            // The only score is that of the second class, whatever number its leaves give.
            ensemble.leaves.iter_mut().for_each(|(target, _)| *target = 0);
            ensemble.base = vec![base.last().copied().unwrap_or(0.0)];
            ensemble.targets = 1;
        }
        Some((Inside::Trees(ensemble), transform.link()?))
    }
}

/// What is done with the scores of each row.
trait Finish {
    fn aggregate(&self) -> Aggregate;
    fn row<T: Real>(&mut self, scores: &mut [Score<T>], trees: usize) -> Result<()>;
}

struct Regression<'a> {
    targets: &'a Targets,
    made: &'a mut Vec<f32>,
}

impl Finish for Regression<'_> {
    fn aggregate(&self) -> Aggregate {
        self.targets.aggregate
    }

    fn row<T: Real>(&mut self, scores: &mut [Score<T>], trees: usize) -> Result<()> {
        self.targets.finish(scores, trees, self.made);
        Ok(())
    }
}

struct Vote<'a> {
    classes: &'a Classes,
    made: &'a mut Vec<f32>,
    winners: &'a mut Vec<usize>,
}

impl Finish for Vote<'_> {
    fn aggregate(&self) -> Aggregate {
        Aggregate::Sum
    }

    fn row<T: Real>(&mut self, scores: &mut [Score<T>], _trees: usize) -> Result<()> {
        self.winners.push(self.classes.finish(scores, self.made)?);
        Ok(())
    }
}

/// Trees in the precision of the features that come in, which is known when they do.
struct Trees {
    sketch: Sketch,
    single: OnceLock<Forest<f32>>,
    double: OnceLock<Forest<f64>>,
}

impl Trees {
    fn new(sketch: Sketch) -> Result<Self> {
        let trees = Self { sketch, single: OnceLock::new(), double: OnceLock::new() };
        // Compiling now finds what is wrong with them now.
        if trees.sketch.is_double() {
            let _ = trees.double.set(trees.sketch.compile()?);
        } else {
            let _ = trees.single.set(trees.sketch.compile()?);
        }
        Ok(trees)
    }

    fn run(&self, tensor: &Tensor, width: usize, finish: &mut impl Finish) -> Result<()> {
        let (rows, columns) = tensor.rows_and_columns()?;
        match tensor.elements() {
            Elements::F32(_) | Elements::I64(_) => {
                if self.sketch.is_double() {
                    return Err(Error::invalid(
                        "trees in double precision need features in double precision",
                    ));
                }
                let forest =
                    self.single.get().ok_or_else(|| Error::internal("the trees are not compiled"))?;
                run_blocks(forest, &tensor.to_f32()?, (rows, columns), width, finish)
            }
            Elements::F64(values) => {
                let forest = match self.double.get() {
                    Some(forest) => forest,
                    None => {
                        let compiled = self.sketch.compile()?;
                        self.double.get_or_init(|| compiled)
                    }
                };
                run_blocks(forest, values, (rows, columns), width, finish)
            }
            Elements::Bool(_) | Elements::Text(_) => Err(mistyped(tensor)),
        }
    }
}

fn run_blocks<T: Real>(
    forest: &Forest<T>,
    values: &[T],
    (rows, columns): (usize, usize),
    width: usize,
    finish: &mut impl Finish,
) -> Result<()> {
    if forest.features > columns {
        return Err(Error::invalid(format!("it reads {} features, got {columns}", forest.features)));
    }
    let mut scores = vec![Score::<T>::default(); BLOCK.min(rows) * width];
    for block in values.chunks(BLOCK * columns.max(1)) {
        let count = block.len() / columns.max(1);
        let scores = &mut scores[..count * width];
        scores.fill(Score::default());
        match (finish.aggregate(), width) {
            (Aggregate::Sum | Aggregate::Average, 1) => forest.sum_one(block, columns, scores),
            (Aggregate::Sum | Aggregate::Average, _) => forest.sum(block, columns, scores, width),
            (Aggregate::Min, 1) => forest.extreme_one(block, columns, scores, |new, held| new < held),
            (Aggregate::Max, 1) => forest.extreme_one(block, columns, scores, |new, held| new > held),
            (Aggregate::Min, _) => forest.extreme(block, columns, scores, width, |new, held| new < held),
            (Aggregate::Max, _) => forest.extreme(block, columns, scores, width, |new, held| new > held),
        }
        for row in scores.chunks_exact_mut(width) {
            finish.row(row, forest.trees())?;
        }
    }
    Ok(())
}
