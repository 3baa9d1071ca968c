use std::collections::HashSet;
use std::fmt;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};

use super::{Match, Matcher};

/// An automaton over characters for distinct patterns with their values; `None` without
/// patterns, which it cannot hold.
pub(super) fn automaton<'a>(
    patterns: impl ExactSizeIterator<Item = (&'a str, u32)>,
) -> Result<Option<CharwiseDoubleArrayAhoCorasick<u32>>, String> {
    if patterns.len() == 0 {
        return Ok(None);
    }
    CharwiseDoubleArrayAhoCorasickBuilder::new()
        .match_kind(MatchKind::Standard)
        .build_with_values(patterns)
        .map(Some)
        .map_err(|error| error.to_string())
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
        let count = u32::try_from(patterns.len()).map_err(|_| "too many patterns".to_owned())?;
        let automaton = automaton(patterns.iter().copied().zip(0..count))?;
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
