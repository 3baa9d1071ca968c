use crate::lexicon::Rule;
use crate::model::Model;

/// The part of its weight that an entry counts with when only its sound was found.
pub(super) const WEAK_PART: f64 = 0.5;

/// Characters in which a term must come back to count as repeated: a long text repeats words
/// without meaning more by it.
const CHARACTERS_OF_A_REPEAT: usize = 1000;

/// The score of every risk from the entries hit, one for each hit and whether it is weak, in a
/// text of `characters` characters; those that mask count nothing. An entry with weak hits alone
/// counts with a part of its weight.
///
/// See [`super::Assessment::score`]. Only additions and multiplications in a fixed order, so the
/// scores are the same on every machine; an entry alone scores exactly its weight.
pub(super) fn scores_by_risk(
    mut entries: Vec<(usize, bool)>,
    rules: &[Rule],
    risks: usize,
    characters: impl FnOnce() -> usize,
) -> Vec<f64> {
    entries.sort_unstable();
    let repeats = entries.windows(2).any(|pair| pair[0].0 == pair[1].0);
    let stretches = match repeats {
        true => characters().div_ceil(CHARACTERS_OF_A_REPEAT).max(1),
        false => 1,
    };
    let mut scores = vec![0.0_f64; risks];
    for hits in entries.chunk_by(|left, right| left.0 == right.0) {
        let (entry, is_weak) = hits[0];
        let rule = &rules[entry];
        let part = if is_weak { WEAK_PART } else { 1.0 };
        if let Some(risk) = rule.risk {
            let score = &mut scores[risk];
            for _ in 0..=(hits.len() / stretches).max(1).ilog2() {
                *score = either(*score, part * rule.weight);
            }
        }
    }
    scores
}

/// Puts what the classifier says beside what the terms say.
pub(super) fn add_model(scores: &mut [f64], model: &Model, probabilities: &[f64]) {
    let points = model.operating_points();
    for ((risk, probability), point) in model.risks().iter().zip(probabilities).zip(points) {
        scores[*risk] = either(scores[*risk], evidence(*probability, *point));
    }
}

/// The probability of one of two independent reasons.
fn either(left: f64, right: f64) -> f64 {
    (left + right * (1.0 - left)).min(1.0)
}

/// A probability on the scale of scores: straight from 0 to 0.5 at the operating point, and from
/// there straight to 1.
fn evidence(probability: f64, operating_point: f64) -> f64 {
    if probability < operating_point {
        0.5 * probability / operating_point
    } else {
        0.5 + 0.5 * (probability - operating_point) / (1.0 - operating_point)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::via::Forms;

    fn rules(weights: &[f64]) -> Vec<Rule> {
        weights
            .iter()
            .map(|&weight| Rule {
                risk: Some(0),
                weight,
                whole_words: false,
                forms: Forms::ALL,
            })
            .collect()
    }

    fn strong(entries: &[usize]) -> Vec<(usize, bool)> {
        entries.iter().map(|&entry| (entry, false)).collect()
    }

    fn score(weights: &[f64], entries: &[usize]) -> f64 {
        scores_by_risk(strong(entries), &rules(weights), 1, || 10)[0]
    }

    #[test]
    fn one_hit_scores_its_weight_exactly() {
        for weight in [0.1, 0.3, 0.7, 0.9, 1.0, f64::MIN_POSITIVE] {
            assert_eq!(score(&[weight], &[0]), weight);
        }
    }

    #[test]
    fn each_doubling_counts_once_more() {
        for (hits, expected) in [(1, 0.5), (2, 0.75), (3, 0.75), (4, 0.875), (8, 0.9375)] {
            assert_eq!(score(&[0.5], &vec![0; hits]), expected, "{hits} hits");
        }
    }

    #[test]
    fn repeats_count_by_the_length_of_the_text_and_the_first_always() {
        let score = |hits: usize, characters: usize| {
            scores_by_risk(vec![(0, false); hits], &rules(&[0.5]), 1, || characters)[0]
        };
        for characters in [0, 1000, 5000, 1_000_000] {
            assert_eq!(score(1, characters), 0.5);
        }
        assert_eq!(score(4, 1000), 0.875);
        assert_eq!(score(4, 1001), 0.75);
        assert_eq!(score(4, 4000), 0.5);
    }

    #[test]
    fn evidence_meets_one_half_at_the_operating_point() {
        for point in [0.1, 0.5, 0.9] {
            let at = |probability| evidence(probability, point);
            assert_eq!((at(0.0), at(point), at(1.0)), (0.0, 0.5, 1.0));
            assert!(at(point / 2.0) < at(point) && at(point) < at((1.0 + point) / 2.0));
        }
        assert_eq!(either(0.5, 0.5), 0.75);
    }

    #[test]
    fn distinct_entries_add_up() {
        assert_eq!(score(&[0.5, 0.5], &[1, 0]), 0.75);
        assert_eq!(score(&[0.5, 1.0], &[0, 1]), 1.0);
    }

    #[test]
    fn risks_are_apart_and_masks_count_nothing() {
        let mut rules = rules(&[0.5, 0.25, 1.0]);
        rules[1].risk = Some(2);
        rules[2].risk = None;
        assert_eq!(
            scores_by_risk(strong(&[0, 1, 2]), &rules, 3, || 10),
            [0.5, 0.0, 0.25]
        );
        assert_eq!(scores_by_risk(vec![], &rules, 3, || 10), [0.0; 3]);
    }

    proptest! {
        #[test]
        fn monotone_and_within_bounds(
            weights in proptest::collection::vec(0.0001f64..=1.0, 1..6),
            hits in proptest::collection::vec(0usize..6, 0..40),
            more in 0usize..6,
        ) {
            let mut entries: Vec<usize> = hits.iter().map(|hit| hit % weights.len()).collect();
            let before = score(&weights, &entries);
            entries.push(more % weights.len());
            let after = score(&weights, &entries);
            prop_assert!((0.0..=1.0).contains(&before) && (0.0..=1.0).contains(&after));
            prop_assert!(after >= before - 1e-12);
        }
    }
}
