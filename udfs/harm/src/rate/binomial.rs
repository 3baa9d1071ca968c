//! The Clopper-Pearson bounds: 5 % and 95 % quantiles of beta distributions with whole-number
//! parameters.
//!
//! Written for counts of any size: library routines stop their continued fraction after a fixed
//! number of steps, too few from some hundred thousand texts on.

use std::f64::consts::TAU;

/// Up to this smaller parameter the quantile is solved for; its continued fraction takes a
/// multiple of the square root of that many steps. Beyond, the expansion that gives the first
/// guess is off by less than one count in 10^10.
const SOLVED_UP_TO: f64 = 1e10;
const MOST_STEPS: u32 = 1_000_000;

/// Which quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantile {
    Five,
    NinetyFive,
}

impl Quantile {
    fn probability(self) -> f64 {
        match self {
            Self::Five => 0.05,
            Self::NinetyFive => 0.95,
        }
    }

    /// The same quantile of the standard normal distribution.
    fn normal(self) -> f64 {
        match self {
            Self::Five => -1.644_853_626_951_472_7,
            Self::NinetyFive => 1.644_853_626_951_472_7,
        }
    }

    fn mirrored(self) -> Self {
        match self {
            Self::Five => Self::NinetyFive,
            Self::NinetyFive => Self::Five,
        }
    }
}

/// The quantile of the beta distribution with parameters `a` and `b`, both at least 1.
pub(super) fn beta_quantile(a: u64, b: u64, quantile: Quantile) -> f64 {
    let (a, b) = (a as f64, b as f64);
    // Work at the end nearer 0, where small values keep their digits.
    if a > b {
        1.0 - solve(b, a, quantile.mirrored())
    } else {
        solve(a, b, quantile)
    }
}

/// Newton's steps inside a bracket that shrinks, halved where a step would leave it.
fn solve(a: f64, b: f64, quantile: Quantile) -> f64 {
    let mut x = first_guess(a, b, quantile);
    if a > SOLVED_UP_TO {
        return x;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let (density, cumulative) = beta(a, b, x);
        let excess = cumulative - quantile.probability();
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - excess / density;
        // The error after a step is the square of the step over the spread of the distribution,
        // which is at least 1e-5 of x here.
        if (newton - x).abs() <= 1e-10 * x {
            return newton;
        }
        x = if newton > low && newton < high {
            newton
        } else {
            low + (high - low) / 2.0
        };
    }
    x
}

/// The quantile by the Cornish-Fisher expansion around the normal distribution.
fn first_guess(a: f64, b: f64, quantile: Quantile) -> f64 {
    let z = quantile.normal();
    let sum = a + b;
    let mean = a / sum;
    let deviation = (mean * (b / sum) / (sum + 1.0)).sqrt();
    let skewness = 2.0 * (b - a) / (sum + 2.0) * ((sum + 1.0) / a / b).sqrt();
    let guess = mean + deviation * (z + (z * z - 1.0) * skewness / 6.0);
    if guess > 0.0 && guess < 1.0 {
        guess
    } else {
        mean / 2.0
    }
}

/// Density and cumulative probability of the beta distribution at `x`.
fn beta(a: f64, b: f64, x: f64) -> (f64, f64) {
    let y = 1.0 - x;
    let front = a / (a + b) * b * binomial_mass(a, b, x);
    // The fraction converges fast on the side of the mean that `x` lies on.
    let cumulative = if b * x <= a * y {
        front / continued_fraction(a, b, x, y)
    } else {
        1.0 - front / continued_fraction(b, a, y, x)
    };
    (front / x / y, cumulative)
}

/// Probability of exactly `hits` hits and `misses` misses at a hit probability of `x`, from the
/// deviances (Loader's form), which keeps its digits where logarithms of factorials lose them.
fn binomial_mass(hits: f64, misses: f64, x: f64) -> f64 {
    let n = hits + misses;
    // What the hits exceed their expectation by, the misses fall short of theirs.
    let excess = hits - n * x;
    let exponent = stirling_error(n)
        - stirling_error(hits)
        - stirling_error(misses)
        - deviance(excess, n * x)
        - deviance(-excess, n * (1.0 - x));
    exponent.exp() / (TAU * hits * (misses / n)).sqrt()
}

/// `count * ln(count / expected) + expected - count` for `count = expected + excess`.
fn deviance(excess: f64, expected: f64) -> f64 {
    let relative = excess / expected;
    expected * ((1.0 + relative) * relative.ln_1p() - relative)
}

/// What Stirling's formula lacks of the logarithm of the factorial of a whole number.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let factorial: f64 = (1..=n as u32).map(f64::from).product();
        return factorial.ln() - (n + 0.5) * n.ln() + n - 0.5 * TAU.ln();
    }
    let square = n * n;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square)
            / square)
        / n
}

/// The continued fraction of the incomplete beta function at `x = 1 - y` by Lentz's method, in the
/// form of Didonato and Morris, which takes both so that neither loses digits near 1.
fn continued_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lead = a * y - b * x + 1.0;
    let mut value = a * lead / (a + 1.0);
    let (mut numerator, mut denominator) = (value, 0.0);
    for step in 1..=MOST_STEPS {
        let m = f64::from(step);
        let below = a + 2.0 * m - 1.0;
        let coefficient = (a + m - 1.0) / below * ((a + b + m - 1.0) / below) * m * (b - m) * x * x;
        let term = m + m * (b - m) * x / below + (a + m) * (lead + m * (1.0 + y)) / (below + 2.0);
        denominator = 1.0 / (term + coefficient * denominator);
        numerator = term + coefficient / numerator;
        let factor = numerator * denominator;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}
