//! How harmful a source is, from counts: rates with bounds, and the verdict.

mod binomial;

use binomial::{Quantile, beta_quantile};

/// A harm rate with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many texts were judged.
    pub n: u64,
    /// How many of them were harmful.
    pub harmful: u64,
    /// `harmful / n`; `None` for n = 0, as the bounds.
    pub rate: Option<f64>,
    /// Clopper-Pearson lower bound, one-sided 95 %: 0 when none was harmful.
    pub lower: Option<f64>,
    /// Clopper-Pearson upper bound, one-sided 95 %: 1 when all were harmful.
    pub upper: Option<f64>,
}

/// The harm rate of a source of which `harmful` of `n` texts are harmful.
///
/// A count above `n`, which no caller should have, is taken as `n`.
pub fn harm_rate(n: u64, harmful: u64) -> Rate {
    let harmful = harmful.min(n);
    let known = |value: f64| (n > 0).then_some(value);
    let lower = match harmful {
        0 => 0.0,
        _ => beta_quantile(harmful, n - harmful + 1, Quantile::Five),
    };
    let upper = if harmful == n {
        1.0
    } else {
        beta_quantile(harmful + 1, n - harmful, Quantile::NinetyFive)
    };
    Rate {
        n,
        harmful,
        rate: known(harmful as f64 / n as f64),
        lower: known(lower),
        upper: known(upper),
    }
}

/// Whether a source may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceVerdict {
    /// Its harm rate is at most the limit.
    Accept,
    /// Its harm rate is above the limit.
    Reject,
    /// Too little is known.
    Undecided,
}

impl SourceVerdict {
    /// `accept`, `reject` or `undecided`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undecided => "undecided",
        }
    }
}

/// What the counts stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The whole source was judged: the rate itself is compared with the limit.
    #[default]
    Census,
    /// A random sample was judged: its bounds are compared with the limit.
    Sample,
}

impl Mode {
    /// Reads `census` or `sample`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "census" => Some(Self::Census),
            "sample" => Some(Self::Sample),
            _ => None,
        }
    }

    /// `census` or `sample`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Census => "census",
            Self::Sample => "sample",
        }
    }
}

/// Whether a source may be used of which `harmful` of `n` texts are harmful.
///
/// Census: a rate above `limit` is rejected, one equal to it accepted (TC260-003-2024 5.1 a); the
/// comparison is exact, the limit meaning the decimal fraction it prints as. Sample: rejected when
/// the lower bound is above the limit, accepted when the upper bound is not, else undecided.
/// Undecided for n = 0 and for a limit that is not a number.
pub fn source_verdict(n: u64, harmful: u64, limit: f64, mode: Mode) -> SourceVerdict {
    if limit.is_nan() {
        return SourceVerdict::Undecided;
    }
    let rate = harm_rate(n, harmful);
    let (Some(lower), Some(upper)) = (rate.lower, rate.upper) else {
        return SourceVerdict::Undecided;
    };
    match mode {
        Mode::Census if is_above(rate.harmful, n, limit) => SourceVerdict::Reject,
        Mode::Census => SourceVerdict::Accept,
        Mode::Sample if lower > limit => SourceVerdict::Reject,
        Mode::Sample if upper <= limit => SourceVerdict::Accept,
        Mode::Sample => SourceVerdict::Undecided,
    }
}

/// Whether `harmful / n > limit`, in whole numbers: 0.05 as binary fraction is not 1/20.
fn is_above(harmful: u64, n: u64, limit: f64) -> bool {
    let text = limit.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    // n < 1.9e19, so the product stays within u128 for limits of up to 18 digits.
    let limit_in_units = (text.len() <= 19)
        .then(|| format!("{whole}{fraction}").parse::<u128>().ok())
        .flatten();
    match limit_in_units {
        Some(units) => {
            let one = 10_u128.pow(fraction.len() as u32);
            u128::from(harmful) * one > u128::from(n) * units
        }
        // Negative, infinite or of more digits than anybody means.
        None => harmful as f64 / n as f64 > limit,
    }
}

#[cfg(test)]
mod tests;
