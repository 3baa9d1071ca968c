use std::collections::HashSet;
use std::fmt;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};

/// A pattern found in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Match {
    /// Position of the document in the batch.
    pub document: usize,
    /// Position of the pattern in the list the matcher was built from.
    pub pattern: usize,
    /// Byte offset of its first byte in the document.
    pub start: usize,
    /// Byte offset behind its last byte.
    pub end: usize,
}

/// Finds fixed patterns, byte for byte, in batches of documents.
///
/// Patterns are unique and not empty. Documents are never joined: no match spans two of them.
pub trait Matcher: Send + Sync + fmt::Debug {
    /// Reports every occurrence of every pattern, overlapping ones too, once each: document by
    /// document in ascending order, in any order within a document.
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match));

    /// Sets `found[i]` to whether document `i` holds any pattern: the same answer as
    /// [`Self::find_all`], perhaps sooner.
    ///
    /// # Panics
    /// When `found` is not as long as `documents`.
    fn find_any(&self, documents: &[&str], found: &mut [bool]);
}

/// An Aho-Corasick automaton over characters.
pub struct DaachorseMatcher {
    /// `None` without patterns, which the automaton cannot hold.
    automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    patterns: usize,
}

impl DaachorseMatcher {
    /// An automaton for `patterns`.
    ///
    /// # Errors
    /// A message when a pattern is empty or given twice, or the automaton would be too large.
    pub fn new(patterns: &[&str]) -> Result<Self, String> {
        if patterns.contains(&"") {
            return Err("a pattern is empty".to_owned());
        }
        let mut seen = HashSet::new();
        if let Some(pattern) = patterns.iter().find(|pattern| !seen.insert(**pattern)) {
            return Err(format!("the pattern '{pattern}' is given twice"));
        }
        let automaton = if patterns.is_empty() {
            None
        } else {
            let values = (0u32..)
                .zip(patterns)
                .map(|(value, pattern)| (pattern, value));
            let automaton = CharwiseDoubleArrayAhoCorasickBuilder::new()
                .match_kind(MatchKind::Standard)
                .build_with_values(values)
                .map_err(|error| error.to_string())?;
            Some(automaton)
        };
        Ok(Self {
            automaton,
            patterns: patterns.len(),
        })
    }
}

impl Matcher for DaachorseMatcher {
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        for (document, text) in documents.iter().enumerate() {
            for found in automaton.find_overlapping_iter(text) {
                on_match(Match {
                    document,
                    pattern: found.value() as usize,
                    start: found.start(),
                    end: found.end(),
                });
            }
        }
    }

    fn find_any(&self, documents: &[&str], found: &mut [bool]) {
        assert_eq!(documents.len(), found.len(), "one flag per document");
        for (text, found) in documents.iter().zip(found) {
            *found = self
                .automaton
                .as_ref()
                .is_some_and(|automaton| automaton.find_iter(text).next().is_some());
        }
    }
}

impl fmt::Debug for DaachorseMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaachorseMatcher")
            .field("patterns", &self.patterns)
            .finish()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The oracle: looks for every pattern at every place.
    #[derive(Debug)]
    pub(crate) struct NaiveMatcher(pub(crate) Vec<String>);

    impl Matcher for NaiveMatcher {
        fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
            for (document, text) in documents.iter().enumerate() {
                for (start, _) in text.char_indices() {
                    for (pattern, term) in self.0.iter().enumerate() {
                        if text[start..].starts_with(term.as_str()) {
                            on_match(Match {
                                document,
                                pattern,
                                start,
                                end: start + term.len(),
                            });
                        }
                    }
                }
            }
        }

        fn find_any(&self, documents: &[&str], found: &mut [bool]) {
            found.fill(false);
            self.find_all(documents, &mut |m| found[m.document] = true);
        }
    }

    fn all_matches(matcher: &dyn Matcher, documents: &[&str]) -> Vec<Match> {
        let mut matches = Vec::new();
        let mut last = 0;
        matcher.find_all(documents, &mut |m| {
            assert!(m.document >= last, "documents ascend");
            last = m.document;
            matches.push(m);
        });
        matches.sort();
        matches
    }

    #[test]
    fn overlapping_patterns_are_all_found() {
        let matcher = DaachorseMatcher::new(&["aa", "a", "中文", "文中", "文"]).expect("builds");
        let matches = all_matches(&matcher, &["aaa", "", "中文中"]);
        let spans: Vec<_> = matches
            .iter()
            .map(|m| (m.document, m.pattern, m.start, m.end))
            .collect();
        assert_eq!(
            spans,
            [
                (0, 0, 0, 2),
                (0, 0, 1, 3),
                (0, 1, 0, 1),
                (0, 1, 1, 2),
                (0, 1, 2, 3),
                (2, 2, 0, 6),
                (2, 3, 3, 9),
                (2, 4, 3, 6),
            ]
        );
    }

    #[test]
    fn documents_are_not_joined() {
        let matcher = DaachorseMatcher::new(&["ab", "文字"]).expect("builds");
        let documents = ["a", "b", "文", "字", "", "ab"];
        assert_eq!(all_matches(&matcher, &documents).len(), 1);
        let mut found = [true; 6];
        matcher.find_any(&documents, &mut found);
        assert_eq!(found, [false, false, false, false, false, true]);
    }

    #[test]
    fn no_patterns_find_nothing() {
        let matcher = DaachorseMatcher::new(&[]).expect("builds");
        assert!(all_matches(&matcher, &["a", ""]).is_empty());
        let mut found = [true, true];
        matcher.find_any(&["a", ""], &mut found);
        assert_eq!(found, [false, false]);
    }

    #[test]
    fn wrong_patterns_are_refused() {
        assert!(DaachorseMatcher::new(&[""]).is_err());
        assert!(DaachorseMatcher::new(&["a", "a"]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn agrees_with_looking_everywhere(
            patterns in proptest::collection::btree_set("[ab中文😀]{1,4}", 1..12),
            documents in proptest::collection::vec("[ab中文😀é]{0,20}", 0..5),
        ) {
            let patterns: Vec<String> = patterns.into_iter().collect();
            let borrowed: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
            let matcher = DaachorseMatcher::new(&borrowed).expect("builds");
            let naive = NaiveMatcher(patterns.clone());
            let matches = all_matches(&matcher, &documents);
            prop_assert_eq!(&matches, &all_matches(&naive, &documents));
            let mut found = vec![false; documents.len()];
            matcher.find_any(&documents, &mut found);
            for (document, found) in found.iter().enumerate() {
                prop_assert_eq!(*found, matches.iter().any(|m| m.document == document));
            }
        }
    }
}
