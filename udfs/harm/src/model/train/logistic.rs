//! Logistic regression over binary features by limited-memory BFGS: no randomness, no step size.

use super::super::fasttext::sigmoid;

/// Rows of binary features, one after the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    features: Vec<u32>,
    ends: Vec<usize>,
}

impl Rows {
    /// Adds a row with these features, each once.
    pub(super) fn push(&mut self, features: impl Iterator<Item = u32>) {
        self.features.extend(features);
        self.ends.push(self.features.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn row(&self, index: usize) -> &[u32] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.features[start..self.ends[index]]
    }
}

/// What to minimise: half the squared length of the weights, plus `cost` times the logistic loss
/// over the chosen rows of features scaled by `scales`. The bias is free.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    /// The rows to learn from.
    pub(super) chosen: &'a [usize],
    /// Whether each of all rows is positive.
    pub(super) positive: &'a [bool],
    /// One for each feature.
    pub(super) scales: &'a [f64],
    pub(super) cost: f64,
}

const REMEMBERED: usize = 8;
/// The gradient has shrunk enough when it is this share of the first one.
const TOLERANCE: f64 = 1e-3;

impl Problem<'_> {
    /// The weight of every feature, scale included, and the bias behind them.
    pub(super) fn solve(&self, most_steps: usize) -> Vec<f64> {
        let mut solution = minimise(
            vec![0.0; self.scales.len() + 1],
            most_steps,
            |point, gradient| self.loss(point, gradient),
        );
        for (weight, scale) in solution.iter_mut().zip(self.scales) {
            *weight *= scale;
        }
        solution
    }

    fn loss(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, bias) = point.split_at(self.scales.len());
        gradient[..weights.len()].copy_from_slice(weights);
        gradient[weights.len()] = 0.0;
        let mut loss = 0.5 * dot(weights, weights);
        for &row in self.chosen {
            let features = self.rows.row(row);
            let sum: f64 = features
                .iter()
                .map(|&feature| weights[feature as usize] * self.scales[feature as usize])
                .sum::<f64>()
                + bias[0];
            let (signed, target) = if self.positive[row] {
                (sum, 1.0)
            } else {
                (-sum, 0.0)
            };
            // ln(1 + e^-signed) without overflow.
            loss += self.cost * ((-signed).max(0.0) + libm::log1p(libm::exp(-signed.abs())));
            let slope = self.cost * (sigmoid(sum) - target);
            for &feature in features {
                gradient[feature as usize] += slope * self.scales[feature as usize];
            }
            gradient[weights.len()] += slope;
        }
        loss
    }
}

/// Minimises a smooth convex function; it gives the value at a point and writes the gradient.
fn minimise(
    start: Vec<f64>,
    most_steps: usize,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Vec<f64> {
    let size = start.len();
    let mut point = start;
    let mut gradient = vec![0.0; size];
    let mut value = function(&point, &mut gradient);
    let enough = TOLERANCE * dot(&gradient, &gradient).sqrt();
    // Differences of points and gradients, oldest first, with the inverse of their product.
    let mut history: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let mut next_point = vec![0.0; size];
    let mut next_gradient = vec![0.0; size];
    for _ in 0..most_steps {
        if dot(&gradient, &gradient).sqrt() <= enough {
            break;
        }
        let direction = descent(&gradient, &history);
        let slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            break;
        }
        let mut step = if history.is_empty() {
            1.0 / dot(&gradient, &gradient).sqrt().max(1.0)
        } else {
            1.0
        };
        let next_value = loop {
            for ((next, at), along) in next_point.iter_mut().zip(&point).zip(&direction) {
                *next = at + step * along;
            }
            let next_value = function(&next_point, &mut next_gradient);
            if next_value <= value + 1e-4 * step * slope {
                break Some(next_value);
            }
            step *= 0.5;
            if step < 1e-12 {
                break None;
            }
        };
        let Some(next_value) = next_value else { break };
        let moved: Vec<f64> = next_point.iter().zip(&point).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        let curvature = dot(&moved, &turned);
        if curvature > 0.0 {
            if history.len() == REMEMBERED {
                history.remove(0);
            }
            history.push((moved, turned, 1.0 / curvature));
        }
        std::mem::swap(&mut point, &mut next_point);
        std::mem::swap(&mut gradient, &mut next_gradient);
        value = next_value;
    }
    point
}

/// Minus the gradient times the estimate of the inverse Hessian (Nocedal and Wright, Numerical
/// Optimization, algorithm 7.4).
fn descent(gradient: &[f64], history: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut factors = vec![0.0; history.len()];
    for ((moved, turned, inverse), factor) in history.iter().zip(&mut factors).rev() {
        *factor = inverse * dot(moved, &direction);
        add(&mut direction, -*factor, turned);
    }
    if let Some((_, turned, inverse)) = history.last() {
        let scale = 1.0 / (inverse * dot(turned, turned));
        direction.iter_mut().for_each(|along| *along *= scale);
    }
    for ((moved, turned, inverse), factor) in history.iter().zip(&factors) {
        let correction = factor - inverse * dot(turned, &direction);
        add(&mut direction, correction, moved);
    }
    direction
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], factor: f64, summand: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(summand) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_narrow_valley() {
        let found = minimise(vec![0.0, 0.0], 200, |at, gradient| {
            gradient[0] = 2.0 * (at[0] - 3.0);
            gradient[1] = 2000.0 * (at[1] + 1.0);
            (at[0] - 3.0).powi(2) + 1000.0 * (at[1] + 1.0).powi(2)
        });
        assert!((found[0] - 3.0).abs() < 2.0 && (found[1] + 1.0).abs() < 1e-2);
    }

    #[test]
    fn the_gradient_is_that_of_the_loss_and_vanishes_at_the_solution() {
        let mut rows = Rows::default();
        for row in [&[0, 1][..], &[1, 2], &[0], &[2], &[]] {
            rows.push(row.iter().copied());
        }
        let problem = Problem {
            rows: &rows,
            chosen: &[0, 1, 2, 3, 4],
            positive: &[true, false, true, false, true],
            scales: &[1.0, 0.5, 2.0],
            cost: 3.0,
        };
        let at = [0.3, -0.2, 0.7, 0.1];
        let (mut gradient, mut unused) = ([0.0; 4], [0.0; 4]);
        problem.loss(&at, &mut gradient);
        for place in 0..4 {
            let (mut above, mut below) = (at, at);
            above[place] += 1e-6;
            below[place] -= 1e-6;
            let slope =
                (problem.loss(&above, &mut unused) - problem.loss(&below, &mut unused)) / 2e-6;
            assert!((slope - gradient[place]).abs() < 1e-6, "{place}");
        }
        problem.loss(&[0.0; 4], &mut gradient);
        let first = dot(&gradient, &gradient).sqrt();
        let mut solution = problem.solve(100);
        for (weight, scale) in solution.iter_mut().zip(problem.scales) {
            *weight /= scale;
        }
        problem.loss(&solution, &mut gradient);
        assert!(dot(&gradient, &gradient).sqrt() <= TOLERANCE * first);
    }
}
