//! Choosing thresholds from labelled texts, and showing how honest scores are.

mod plot;

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

use tamis_resource::{ResourceError, Result};

use crate::evaluation::{Confusion, Curve, CurvePoint, ScoredText};
use crate::judge::Judge;
use crate::located_toml::malformed;
use crate::model::LabelledText;
use crate::taxonomy::Taxonomy;

pub use plot::reliability_svg;

/// What a threshold is to achieve. Shares in (0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At least this share of what is found carries the risk; the lowest such threshold, so the
    /// most is found.
    Precision(f64),
    /// At least this share of the texts with the risk is found; the highest such threshold, so
    /// the least else is found.
    Recall(f64),
    /// At least this share of all texts is left alone; the lowest such threshold.
    PassRate(f64),
    /// The best harmonic mean of precision and recall.
    BestF1,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Precision(share) => write!(f, "precision {share}"),
            Self::Recall(share) => write!(f, "recall {share}"),
            Self::PassRate(share) => write!(f, "pass rate {share}"),
            Self::BestF1 => f.write_str("best F1"),
        }
    }
}

/// A labelled text with its scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredRow {
    /// The score of every risk of the taxonomy, see [`crate::Judge::risk_scores`].
    pub scores: Vec<f64>,
    /// Indices of the risks it carries; empty for a clean text.
    pub risks: Vec<usize>,
}

/// Thresholds chosen from labelled texts.
#[derive(Debug, Clone)]
pub struct Calibration {
    taxonomy: Arc<Taxonomy>,
    target: Target,
    default: f64,
    rows: usize,
    risks: Vec<RiskCalibration>,
}

/// What was found for one risk.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskCalibration {
    /// Index of the risk in the taxonomy.
    pub risk: usize,
    /// Texts that carry it.
    pub positives: usize,
    /// The threshold and what it does on the texts given; the reason when none was chosen.
    pub choice: Result<CurvePoint, String>,
    /// How honest the scores are.
    pub reliability: Vec<ReliabilityBin>,
    /// Precision and recall at every threshold.
    pub curve: Curve,
}

/// The texts with scores in one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Where the interval starts, inclusive; it is as long as 1 / the number of intervals.
    pub from: f64,
    /// Texts in it.
    pub count: usize,
    /// Their mean score; 0 without texts.
    pub mean_score: f64,
    /// The share that carries the risk; 0 without texts.
    pub share: f64,
}

/// The scores a judge gives labelled texts, for [`calibrate`].
///
/// # Errors
/// As for [`Judge::assess`].
pub fn score_rows(judge: &Judge, texts: &[LabelledText]) -> Result<Vec<ScoredRow>> {
    let documents: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    let mut rows = Vec::with_capacity(texts.len());
    judge.risk_scores(&documents, &mut |document, found| {
        let mut scores = found.to_vec();
        scores.resize(judge.taxonomy().risks().len(), 0.0);
        rows.push(ScoredRow {
            scores,
            risks: texts[document].risks.clone(),
        });
    })?;
    Ok(rows)
}

/// Fewer texts than this found by a threshold say too little of its precision.
const LEAST_FOUND: usize = 10;
const BINS: usize = 10;

/// Chooses for every risk that labels name the threshold that meets `target`. Risks no label
/// names, and those for which no threshold does, keep `default`.
///
/// A chosen threshold lies half way to the next lower score, so that scores a rounding apart stay
/// together, and is at least 0.000001.
///
/// # Errors
/// Malformed, under the name `calibration data`: without rows, when a row has not one score for
/// every risk, when a label is no risk, when the share of the target or `default` is outside
/// (0, 1].
pub fn calibrate(
    rows: &[ScoredRow],
    taxonomy: &Arc<Taxonomy>,
    target: Target,
    default: f64,
) -> Result<Calibration> {
    let is_share = |value: f64| value > 0.0 && value <= 1.0;
    if let Target::Precision(share) | Target::Recall(share) | Target::PassRate(share) = target
        && !is_share(share)
    {
        return Err(wrong("target", format!("{target} is not in (0, 1]")));
    }
    if !is_share(default) {
        return Err(wrong("default", format!("{default} is not in (0, 1]")));
    }
    if rows.is_empty() {
        return Err(wrong("rows", "there are none"));
    }
    let count = taxonomy.risks().len();
    for (row, scored) in rows.iter().enumerate() {
        if scored.scores.len() != count || scored.risks.iter().any(|risk| *risk >= count) {
            return Err(wrong(
                &format!("row {}", row + 1),
                format!("a score for each of {count} risks is needed, and labels among them"),
            ));
        }
    }
    let risks = (0..count)
        .filter_map(|risk| {
            let texts: Vec<ScoredText> = rows
                .iter()
                .map(|row| ScoredText {
                    score: row.scores[risk],
                    positive: row.risks.contains(&risk),
                })
                .collect();
            let positives = texts.iter().filter(|text| text.positive).count();
            (positives > 0).then(|| {
                let curve = Curve::new(&texts);
                RiskCalibration {
                    risk,
                    positives,
                    choice: choose(&curve, target, texts.len()),
                    reliability: reliability(&texts, BINS),
                    curve,
                }
            })
        })
        .collect();
    Ok(Calibration {
        taxonomy: Arc::clone(taxonomy),
        target,
        default,
        rows: rows.len(),
        risks,
    })
}

fn wrong(place: &str, message: impl Into<String>) -> ResourceError {
    malformed("calibration data", place, message)
}

fn choose(curve: &Curve, target: Target, texts: usize) -> Result<CurvePoint, String> {
    // A threshold of 0 would find every text, so it is not one.
    let above_zero = curve
        .points()
        .partition_point(|point| point.threshold > 0.0);
    let points = &curve.points()[..above_zero];
    let found = |counts: &Confusion| counts.true_positives + counts.false_positives;
    let chosen = match target {
        Target::Precision(least) => points.iter().rposition(|point| {
            found(&point.confusion) >= LEAST_FOUND && point.confusion.precision() >= least
        }),
        Target::Recall(least) => points
            .iter()
            .position(|point| point.confusion.recall() >= least),
        Target::PassRate(least) => points
            .iter()
            .rposition(|point| (texts - found(&point.confusion)) as f64 >= least * texts as f64),
        Target::BestF1 => {
            let best = curve.best_f1().threshold;
            points.iter().position(|point| point.threshold == best)
        }
    };
    let Some(chosen) = chosen else {
        return Err(match target {
            Target::Precision(_) => {
                format!("no threshold with {LEAST_FOUND} texts found has {target}")
            }
            _ => format!("no threshold has {target}"),
        });
    };
    let below = curve
        .points()
        .get(chosen + 1)
        .map_or(0.0, |point| point.threshold);
    Ok(CurvePoint {
        threshold: between(below, points[chosen].threshold),
        confusion: points[chosen].confusion,
    })
}

/// A number of six decimals, above `below` and at most `at`, near the middle; `at` itself when
/// they are too close.
fn between(below: f64, at: f64) -> f64 {
    let middle = ((below + at) / 2.0 * 1e6).round() / 1e6;
    if middle > below && middle <= at && middle > 0.0 {
        middle
    } else {
        at
    }
}

/// The texts by score, in `bins` intervals of [0, 1] of the same length.
pub fn reliability(texts: &[ScoredText], bins: usize) -> Vec<ReliabilityBin> {
    (0..bins)
        .map(|bin| {
            let inside = texts
                .iter()
                .filter(|text| ((text.score * bins as f64) as usize).min(bins - 1) == bin);
            let (mut count, mut sum, mut positives) = (0, 0.0, 0);
            for text in inside {
                count += 1;
                sum += text.score;
                positives += usize::from(text.positive);
            }
            let mean = |sum: f64| if count == 0 { 0.0 } else { sum / count as f64 };
            ReliabilityBin {
                from: bin as f64 / bins as f64,
                count,
                mean_score: mean(sum),
                share: mean(positives as f64),
            }
        })
        .collect()
}

impl Calibration {
    /// What was found, for every risk some label names, in taxonomy order.
    pub fn risks(&self) -> &[RiskCalibration] {
        &self.risks
    }

    /// The thresholds as TOML for [`crate::Thresholds::from_toml`], with what they do as comments.
    pub fn to_toml(&self, version: &str) -> String {
        let mut toml = format!(
            "# Thresholds chosen for {} on {} labelled texts.\nversion = {}\ndefault = {:?}\n\n[risks]\n",
            self.target,
            self.rows,
            toml::Value::String(version.to_owned()),
            self.default
        );
        for risk in &self.risks {
            let id = &self.taxonomy.risks()[risk.risk].id;
            // Writing into a string cannot fail.
            let _ = match &risk.choice {
                Ok(point) => writeln!(
                    toml,
                    "# {}, {} texts with the risk\n{} = {:?}",
                    point.confusion,
                    risk.positives,
                    quoted(id),
                    point.threshold
                ),
                Err(reason) => writeln!(toml, "# {id} keeps the default: {reason}"),
            };
        }
        toml
    }

    /// Reliability plots of all risks some label names, as one SVG document each: id and plot.
    pub fn plots(&self) -> Vec<(String, String)> {
        self.risks
            .iter()
            .map(|risk| {
                let known = &self.taxonomy.risks()[risk.risk];
                let title = format!("{} {} / {}", known.id, known.zh, known.en);
                (known.id.clone(), reliability_svg(&title, &risk.reliability))
            })
            .collect()
    }
}

/// A TOML key: bare when it may be, else quoted.
fn quoted(id: &str) -> String {
    if id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        id.to_owned()
    } else {
        toml::Value::String(id.to_owned()).to_string()
    }
}

/// A table: one line for each risk.
impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} labelled texts, target {}", self.rows, self.target)?;
        for risk in &self.risks {
            let id = &self.taxonomy.risks()[risk.risk].id;
            match &risk.choice {
                Ok(point) => writeln!(
                    f,
                    "{id}: {} texts, threshold {}: {}",
                    risk.positives, point.threshold, point.confusion
                )?,
                Err(reason) => writeln!(
                    f,
                    "{id}: {} texts, keeps {}: {reason}",
                    risk.positives, self.default
                )?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
