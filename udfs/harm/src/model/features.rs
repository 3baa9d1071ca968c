//! The features of the linear model: n-grams of units, as 64-bit hashes.

use super::units::{SEED, each_unit, mix};

/// Gives `each` the hash of every n-gram of 1 to `longest` units of a folded text, in the order of
/// their ends; repeats are given again.
///
/// Part of the file format: a change of these numbers needs another format.
#[inline]
pub(super) fn each_ngram(text: &str, longest: usize, mut each: impl FnMut(u64)) {
    // Hashes of the n-grams that end at the last unit, by length.
    let mut ending = [0; MAX_NGRAM];
    let mut count = 0;
    each_unit(text, |_, _, unit| {
        count = (count + 1).min(longest);
        for length in (0..count).rev() {
            ending[length] = match length {
                0 => mix(SEED, unit),
                _ => mix(ending[length - 1], unit),
            };
        }
        ending[..count].iter().copied().for_each(&mut each);
    });
}

/// The longest n-grams a linear model may have.
pub(super) const MAX_NGRAM: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn ngrams(text: &str, longest: usize) -> Vec<u64> {
        let mut found = Vec::new();
        each_ngram(text, longest, |hash| found.push(hash));
        found
    }

    #[test]
    fn every_ngram_is_there_once_and_by_its_units_alone() {
        let four = ngrams("一二三四五", 4);
        assert_eq!(four.len(), 5 + 4 + 3 + 2);
        assert_eq!(four.iter().collect::<HashSet<_>>().len(), four.len());
        assert!(ngrams("二三四", 3).iter().all(|hash| four.contains(hash)));
        assert!(!four.contains(&ngrams("三二", 2)[2]), "order counts");
        assert_eq!(ngrams("bad word", 2), ngrams(" bad  word ", 2));
        assert_ne!(ngrams("badword", 1), ngrams("bad", 1));
    }

    #[test]
    fn hashes_stay_what_files_hold() {
        assert_eq!(ngrams("今", 1), [0x3e52_f98b_7027_5620]);
    }
}
