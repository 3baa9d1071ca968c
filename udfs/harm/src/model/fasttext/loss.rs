//! From the products with the output matrix to probabilities, one way for each training loss.

use super::super::bytes::{Reader, Result};
use super::matrix::Matrix;

/// How probabilities come from products.
#[derive(Debug)]
pub(super) enum Loss {
    /// Labels exclude each other; probabilities add up to 1.
    Softmax,
    /// Each label by itself: one-vs-all and negative sampling.
    Sigmoid,
    /// Labels are the leaves of a tree of decisions: hierarchical softmax.
    Tree(Vec<(u32, u32)>),
}

impl Loss {
    pub(super) fn read(reader: &Reader<'_>, number: i32, label_counts: &[u64]) -> Result<Self> {
        match number {
            1 => match tree(label_counts) {
                Some(tree) => Ok(Self::Tree(tree)),
                None => reader.fail("the counts of the labels are beyond any corpus"),
            },
            2 | 4 => Ok(Self::Sigmoid),
            3 => Ok(Self::Softmax),
            other => reader.fail(format!("the training loss has the unknown number {other}")),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "one-vs-all or negative sampling",
            Self::Tree(_) => "hierarchical softmax",
        }
    }

    pub(super) fn is_exclusive(&self) -> bool {
        !matches!(self, Self::Sigmoid)
    }

    /// Gives `probabilities` the probability of every label.
    pub(super) fn probabilities(
        &self,
        output: &Matrix,
        labels: usize,
        hidden: &[f32],
        probabilities: &mut Vec<f64>,
    ) {
        let product = |row: usize| f64::from(output.dot_row(row, hidden));
        probabilities.clear();
        match self {
            Self::Softmax => {
                probabilities.extend((0..labels).map(product));
                let highest = probabilities.iter().copied().fold(f64::MIN, f64::max);
                let mut sum = 0.0;
                for value in probabilities.iter_mut() {
                    *value = libm::exp(*value - highest);
                    sum += *value;
                }
                for value in probabilities.iter_mut() {
                    *value /= sum;
                }
            }
            Self::Sigmoid => {
                probabilities.extend((0..labels).map(|row| sigmoid(product(row))));
            }
            Self::Tree(nodes) => {
                // Nodes come after their children, the root last.
                let mut reached = vec![1.0; labels + nodes.len()];
                for (node, (left, right)) in nodes.iter().enumerate().rev() {
                    let right_share = sigmoid(product(node));
                    let here = reached[labels + node];
                    reached[*left as usize] = here * (1.0 - right_share);
                    reached[*right as usize] = here * right_share;
                }
                probabilities.extend_from_slice(&reached[..labels]);
            }
        }
    }
}

/// 1 / (1 + e^-x), the same on every machine.
pub(in super::super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// The children of the inner nodes of the Huffman tree over labels in descending count; `None`
/// when the counts do not add up below 1e15, which the official code takes for infinite.
fn tree(counts: &[u64]) -> Option<Vec<(u32, u32)>> {
    const UNMADE: u64 = 1_000_000_000_000_000;
    counts
        .iter()
        .try_fold(0_u64, |sum, count| sum.checked_add(*count))
        .filter(|sum| *sum < UNMADE)?;
    let labels = counts.len();
    let mut inner = Vec::with_capacity(labels.saturating_sub(1));
    let mut inner_counts: Vec<u64> = Vec::with_capacity(inner.capacity());
    // Leaves are taken from the rarest, inner nodes in the order they were made.
    let (mut leaves_left, mut next_inner) = (labels, 0);
    for _ in 1..labels {
        let mut sum = 0;
        let [left, right] = [(); 2].map(|()| {
            let made = inner_counts.get(next_inner).copied().unwrap_or(UNMADE);
            if leaves_left > 0 && counts[leaves_left - 1] < made {
                leaves_left -= 1;
                sum += counts[leaves_left];
                leaves_left as u32
            } else {
                next_inner += 1;
                sum += made;
                (labels + next_inner - 1) as u32
            }
        });
        inner.push((left, right));
        inner_counts.push(sum);
    }
    Some(inner)
}
