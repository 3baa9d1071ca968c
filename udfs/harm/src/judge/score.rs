use crate::lexicon::Rule;

/// The part of its weight that an entry counts with when only its sound was found.
pub(super) const WEAK_PART: f64 = 0.5;

/// The score of every risk from the entries hit, one for each hit and whether it is weak; those
/// that mask count nothing. An entry with weak hits alone counts with a part of its weight.
///
/// See [`super::Assessment::score`]. Only additions and multiplications in a fixed order, so the
/// scores are the same on every machine; an entry alone scores exactly its weight.
pub(super) fn scores_by_risk(
    mut entries: Vec<(usize, bool)>,
    rules: &[Rule],
    risks: usize,
) -> Vec<f64> {
    entries.sort_unstable();
    let mut scores = vec![0.0_f64; risks];
    for hits in entries.chunk_by(|left, right| left.0 == right.0) {
        let (entry, is_weak) = hits[0];
        let rule = &rules[entry];
        let part = if is_weak { WEAK_PART } else { 1.0 };
        if let Some(risk) = rule.risk {
            let score = &mut scores[risk];
            for _ in 0..=hits.len().ilog2() {
                *score = (*score + part * rule.weight * (1.0 - *score)).min(1.0);
            }
        }
    }
    scores
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

    fn score(weights: &[f64], entries: &[usize]) -> f64 {
        scores_by_risk(
            entries.iter().map(|&entry| (entry, false)).collect(),
            &rules(weights),
            1,
        )[0]
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
            scores_by_risk([0, 1, 2].map(|entry| (entry, false)).to_vec(), &rules, 3),
            [0.5, 0.0, 0.25]
        );
        assert_eq!(scores_by_risk(vec![], &rules, 3), [0.0; 3]);
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
