//! Products of matrices.

use base::{Error, Result};

use super::attributes::Attributes;
use super::{Kernel, mistyped, need, one};
use crate::graph::Value;
use crate::tensor::{Elements, Tensor, volume};

/// The product of two matrices, or of a matrix and a vector.
pub struct MatMul;

impl Kernel for MatMul {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (left, right) = (need(inputs, 0)?, need(inputs, 1)?);
        let (rows, inner, mut shape) = match *left.shape() {
            [inner] => (1, inner, vec![]),
            [rows, inner] => (rows, inner, vec![rows]),
            _ => return Err(Error::invalid(format!("a product with the shape {:?}", left.shape()))),
        };
        let (also_inner, columns) = match *right.shape() {
            [inner] => (inner, 1),
            [inner, columns] => {
                shape.push(columns);
                (inner, columns)
            }
            _ => return Err(Error::invalid(format!("a product with the shape {:?}", right.shape()))),
        };
        if inner != also_inner {
            return Err(mismatched(left, right));
        }
        volume(&[rows, columns])?;
        let sizes = Sizes { rows, inner, columns, left_turned: false, right_turned: false };
        let elements = match (left.elements(), right.elements()) {
            (Elements::F32(a), Elements::F32(b)) => Elements::F32(sizes.product(a, b)),
            (Elements::F64(a), Elements::F64(b)) => Elements::F64(sizes.product(a, b)),
            _ => return Err(mistyped(left)),
        };
        one(shape, elements)
    }
}

/// `alpha * A * B + beta * C`, either matrix turned if asked.
pub struct Gemm {
    alpha: f32,
    beta: f32,
    left_turned: bool,
    right_turned: bool,
}

impl Gemm {
    /// Reads the attributes.
    pub fn new(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self {
            alpha: attributes.float("alpha")?.unwrap_or(1.0),
            beta: attributes.float("beta")?.unwrap_or(1.0),
            left_turned: attributes.flag("transA", false)?,
            right_turned: attributes.flag("transB", false)?,
        })
    }
}

impl Kernel for Gemm {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Value>> {
        let (left, right) = (need(inputs, 0)?, need(inputs, 1)?);
        let (&[a, b], &[c, d]) = (left.shape(), right.shape()) else { return Err(mismatched(left, right)) };
        let (rows, inner) = if self.left_turned { (b, a) } else { (a, b) };
        let (also_inner, columns) = if self.right_turned { (d, c) } else { (c, d) };
        if inner != also_inner {
            return Err(mismatched(left, right));
        }
        volume(&[rows, columns])?;
        let sizes =
            Sizes { rows, inner, columns, left_turned: self.left_turned, right_turned: self.right_turned };
        let added = inputs.get(2).copied().flatten();
        let places =
            added.map(|added| super::elementwise::places(added.shape(), &[rows, columns])).transpose()?;
        macro_rules! finish {
            ($variant:ident, $product:expr, $number:ty) => {{
                let mut product = $product;
                product.iter_mut().for_each(|value| *value *= <$number>::from(self.alpha));
                if let (Some(added), Some(places)) = (added, places) {
                    let Elements::$variant(added) = added.elements() else { return Err(mistyped(added)) };
                    for (value, place) in product.iter_mut().zip(places) {
                        *value += <$number>::from(self.beta) * added[place];
                    }
                }
                Elements::$variant(product)
            }};
        }
        let elements = match (left.elements(), right.elements()) {
            (Elements::F32(a), Elements::F32(b)) => finish!(F32, sizes.product(a, b), f32),
            (Elements::F64(a), Elements::F64(b)) => finish!(F64, sizes.product(a, b), f64),
            _ => return Err(mistyped(left)),
        };
        one(vec![rows, columns], elements)
    }
}

/// The sizes of a product and how its sides are stored.
pub(super) struct Sizes {
    /// Rows of the result.
    pub rows: usize,
    /// The shared axis.
    pub inner: usize,
    /// Columns of the result.
    pub columns: usize,
    /// The left side is stored column by column.
    pub left_turned: bool,
    /// The right side is stored column by column.
    pub right_turned: bool,
}

impl Sizes {
    /// The product. Sums run in the order of the shared axis, so they do not depend on the
    /// number of rows scored together.
    pub fn product<T>(&self, left: &[T], right: &[T]) -> Vec<T>
    where
        T: Copy + Default + std::ops::AddAssign + std::ops::Mul<Output = T>,
    {
        let mut product = vec![T::default(); self.rows * self.columns];
        if self.columns == 0 {
            return product;
        }
        for (row, into) in product.chunks_exact_mut(self.columns).enumerate() {
            for inner in 0..self.inner {
                let value = if self.left_turned {
                    left[inner * self.rows + row]
                } else {
                    left[row * self.inner + inner]
                };
                if self.right_turned {
                    for (column, sum) in into.iter_mut().enumerate() {
                        *sum += value * right[column * self.inner + inner];
                    }
                } else {
                    let weights = &right[inner * self.columns..(inner + 1) * self.columns];
                    for (sum, weight) in into.iter_mut().zip(weights) {
                        *sum += value * *weight;
                    }
                }
            }
        }
        product
    }
}

fn mismatched(left: &Tensor, right: &Tensor) -> Error {
    Error::invalid(format!("the shapes {:?} and {:?} have no product", left.shape(), right.shape()))
}
