//! How well scores tell texts with a risk from those without.

use std::fmt;

/// A text's score for one risk, and whether it carries it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredText {
    /// In [0, 1]; more is worse.
    pub score: f64,
    /// What the label says.
    pub positive: bool,
}

/// How often a threshold was right and wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// With the risk, and found.
    pub true_positives: usize,
    /// Without the risk, but found.
    pub false_positives: usize,
    /// With the risk, but missed.
    pub false_negatives: usize,
    /// Without the risk, and left alone.
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts of the texts whose score reaches `threshold`, and of the others.
    pub fn at(texts: &[ScoredText], threshold: f64) -> Self {
        Self::of(
            texts
                .iter()
                .map(|text| (text.score >= threshold, text.positive)),
        )
    }

    /// Counts of pairs: whether found, whether positive.
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for (found, positive) in pairs {
            *match (found, positive) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_positives,
                (false, true) => &mut counts.false_negatives,
                (false, false) => &mut counts.true_negatives,
            } += 1;
        }
        counts
    }

    /// Share of what was found that carries the risk; 1 when nothing was found.
    pub fn precision(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Share of the texts with the risk that was found; 1 when there are none.
    pub fn recall(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// Share of the texts without the risk that was found all the same; 0 when there are none.
    pub fn false_positive_rate(&self) -> f64 {
        1.0 - share(
            self.true_negatives,
            self.true_negatives + self.false_positives,
        )
    }

    /// Harmonic mean of precision and recall; 1 when there was nothing to find and nothing found.
    pub fn f1(&self) -> f64 {
        let wrong = self.false_positives + self.false_negatives;
        share(2 * self.true_positives, 2 * self.true_positives + wrong)
    }

    /// Texts counted.
    pub fn total(&self) -> usize {
        self.true_positives + self.false_positives + self.false_negatives + self.true_negatives
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "precision {:.4}, recall {:.4}, F1 {:.4}",
            self.precision(),
            self.recall(),
            self.f1()
        )
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// A threshold and what it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Scores that reach it are found.
    pub threshold: f64,
    /// What it does.
    pub confusion: Confusion,
}

/// Precision and recall at every threshold that makes a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    points: Vec<CurvePoint>,
}

impl Curve {
    /// The curve of these texts. NaN scores count as 1, the worst.
    pub fn new(texts: &[ScoredText]) -> Self {
        let mut sorted: Vec<(f64, bool)> = texts
            .iter()
            .map(|text| {
                (
                    if text.score.is_nan() { 1.0 } else { text.score },
                    text.positive,
                )
            })
            .collect();
        sorted.sort_by(|left, right| right.0.total_cmp(&left.0));
        let positives = sorted.iter().filter(|text| text.1).count();
        let (mut found, mut right) = (0, 0);
        let points = sorted
            .chunk_by(|left, right| left.0 == right.0)
            .map(|equal| {
                found += equal.len();
                right += equal.iter().filter(|text| text.1).count();
                CurvePoint {
                    threshold: equal[0].0,
                    confusion: Confusion {
                        true_positives: right,
                        false_positives: found - right,
                        false_negatives: positives - right,
                        true_negatives: sorted.len() - positives - (found - right),
                    },
                }
            })
            .collect();
        Self { points }
    }

    /// The points, by descending threshold; one for each distinct score.
    pub fn points(&self) -> &[CurvePoint] {
        &self.points
    }

    /// The point with the highest F1, of equals the one with the highest threshold; threshold 1
    /// without texts.
    pub fn best_f1(&self) -> CurvePoint {
        let nothing = CurvePoint {
            threshold: 1.0,
            confusion: Confusion::default(),
        };
        self.points
            .iter()
            .copied()
            .reduce(|best, point| {
                if point.confusion.f1() > best.confusion.f1() {
                    point
                } else {
                    best
                }
            })
            .unwrap_or(nothing)
    }

    /// Average precision: the mean over the positive texts of the precision at their scores.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0.0;
        self.points
            .iter()
            .map(|point| {
                let recall = point.confusion.recall();
                let step = (recall - before) * point.confusion.precision();
                before = recall;
                step
            })
            .sum()
    }

    /// At most `count` points, evenly spread over recall, for printing.
    pub fn sample(&self, count: usize) -> Vec<CurvePoint> {
        let mut sampled: Vec<CurvePoint> = (1..=count)
            .filter_map(|step| {
                let wanted = step as f64 / count as f64;
                let at = self
                    .points
                    .partition_point(|point| point.confusion.recall() < wanted);
                self.points.get(at).copied()
            })
            .collect();
        sampled.dedup();
        sampled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(f64, bool)]) -> Vec<ScoredText> {
        pairs
            .iter()
            .map(|&(score, positive)| ScoredText { score, positive })
            .collect()
    }

    #[test]
    fn counts_and_ratios() {
        let texts = texts(&[
            (0.9, true),
            (0.8, false),
            (0.5, true),
            (0.1, false),
            (0.2, true),
        ]);
        let counts = Confusion::at(&texts, 0.5);
        assert_eq!(
            counts.to_string(),
            "precision 0.6667, recall 0.6667, F1 0.6667"
        );
        assert_eq!(counts.false_positive_rate(), 0.5);
        assert_eq!(counts.total(), 5);
        let nothing = Confusion::at(&texts, 2.0);
        assert_eq!(
            (nothing.precision(), nothing.recall(), nothing.f1()),
            (1.0, 0.0, 0.0)
        );
        let empty = Confusion::default();
        assert_eq!(
            (empty.recall(), empty.f1(), empty.false_positive_rate()),
            (1.0, 1.0, 0.0)
        );
    }

    #[test]
    fn the_curve_steps_at_distinct_scores() {
        let texts = texts(&[
            (0.9, true),
            (0.5, true),
            (0.5, false),
            (f64::NAN, false),
            (0.1, true),
        ]);
        let curve = Curve::new(&texts);
        let thresholds: Vec<f64> = curve.points().iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [1.0, 0.9, 0.5, 0.1]);
        for point in &curve.points()[1..] {
            let without_nan = Confusion::at(&texts, point.threshold);
            assert_eq!(
                point.confusion.false_positives,
                without_nan.false_positives + 1
            );
            assert_eq!(point.confusion.true_positives, without_nan.true_positives);
        }
        assert_eq!(curve.best_f1().threshold, 0.1);
        // Worked by hand: precisions 1/2, 1/2, 3/5 at the three positive texts.
        let expected = (0.5 + 0.5 + 0.6) / 3.0;
        assert!((curve.average_precision() - expected).abs() < 1e-12);
        assert_eq!(curve.sample(2).len(), 2);
        let empty = Curve::new(&[]);
        assert_eq!((empty.best_f1().threshold, empty.sample(3).len()), (1.0, 0));
    }
}
