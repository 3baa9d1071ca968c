use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::frequency::GramFrequencies;
use super::kernel::Kernel;
use super::search::Search;
use super::tables::Tables;
use super::{Match, Matcher};

/// A filter over grams of two characters in front of a hash table.
///
/// Every pattern is registered at its rarest gram. A kernel looks at the gram of every character
/// of the text in a Bloom filter that fits the cache; only the few places that pass are compared.
/// Patterns shorter than a gram are found through a table of their own. Where a text has so many
/// places to compare that an automaton would be faster, one is built, once, and reads on.
///
/// Which gram is rare depends on the text: the matcher counts the first mebibyte it searches and
/// then chooses all anchors anew, once, while other threads go on with the old ones. What is
/// found does not depend on it.
pub struct PairGramMatcher {
    kernel: Kernel,
    tables: RwLock<Arc<Tables>>,
    /// What is being counted; `None` when the choice is final.
    counting: Mutex<Option<GramFrequencies>>,
    count_bytes: usize,
    patterns: usize,
}

const COUNT_BYTES: usize = 1 << 20;

impl PairGramMatcher {
    /// A matcher for `patterns`, numbered in this order, with the fastest kernel of this
    /// processor.
    ///
    /// # Errors
    /// A message when a pattern is empty or given twice, or all are longer than 4 GiB together.
    pub fn new(patterns: &[&str]) -> Result<Self, String> {
        Self::distinct(patterns, &GramFrequencies::builtin())
    }

    /// As [`Self::new`], with anchors chosen by documents like those to be searched, for good.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_sample(patterns: &[&str], sample: &[&str]) -> Result<Self, String> {
        Self::distinct(patterns, &GramFrequencies::sampled(sample)).map(Self::with_these_anchors)
    }

    fn distinct(patterns: &[&str], frequencies: &GramFrequencies) -> Result<Self, String> {
        let spellings: Vec<(&str, usize)> = patterns.iter().copied().zip(0..).collect();
        let matcher = Self::with_spellings(&spellings, frequencies)?;
        if matcher.tables().spellings() < patterns.len() {
            let mut seen = HashSet::new();
            let twice = patterns.iter().find(|pattern| !seen.insert(**pattern));
            return Err(format!(
                "the pattern '{}' is given twice",
                twice.copied().unwrap_or_default()
            ));
        }
        Ok(matcher)
    }

    /// A matcher for spellings, each with the number of its pattern, which is what a match
    /// names. A pattern may have several spellings, and a spelling several patterns: a match is
    /// reported for each of them, once.
    ///
    /// # Errors
    /// A message when a spelling is empty, a number does not fit 32 bits, or all spellings are
    /// longer than 4 GiB together.
    pub fn with_spellings(
        spellings: &[(&str, usize)],
        frequencies: &GramFrequencies,
    ) -> Result<Self, String> {
        let mut numbered = Vec::with_capacity(spellings.len());
        for &(text, pattern) in spellings {
            let number = u32::try_from(pattern)
                .map_err(|_| format!("the number of pattern {pattern} does not fit 32 bits"))?;
            numbered.push((text, number));
        }
        let tables = Tables::new(numbered.into_iter(), frequencies)?;
        Ok(Self {
            kernel: Kernel::fastest(),
            tables: RwLock::new(Arc::new(tables)),
            counting: Mutex::new(Some(GramFrequencies::builtin())),
            count_bytes: COUNT_BYTES,
            patterns: spellings
                .iter()
                .map(|(_, pattern)| pattern + 1)
                .max()
                .unwrap_or(0),
        })
    }

    /// The same matcher with another kernel, as tests and measurements want it.
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// The same matcher, which keeps the anchors it has.
    pub fn with_these_anchors(mut self) -> Self {
        self.counting = Mutex::new(None);
        self
    }

    /// The same matcher, which chooses its anchors anew after so many bytes.
    #[cfg(test)]
    pub(super) fn with_new_anchors_after(mut self, bytes: usize) -> Self {
        self.count_bytes = bytes;
        self
    }

    /// Whether a text was left to the automaton.
    #[cfg(test)]
    pub(super) fn reads_by_automaton(&self) -> bool {
        self.tables().has_automaton()
    }

    /// Number of places of `text` the patterns are compared at.
    #[cfg(test)]
    pub(super) fn candidates(&self, text: &str) -> usize {
        Search::new(self.kernel, &self.tables()).candidates(text)
    }

    /// Bytes of memory its tables hold, without the automaton it may build later.
    pub fn memory(&self) -> usize {
        self.tables().memory()
    }

    fn tables(&self) -> Arc<Tables> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tables)
    }

    /// Counts the grams of `documents`, and chooses anchors anew when enough were counted.
    fn count(&self, documents: &[&str]) {
        // Another thread that counts is enough.
        let Ok(mut counting) = self.counting.try_lock() else {
            return;
        };
        let Some(frequencies) = counting.as_mut() else {
            return;
        };
        if frequencies.count(documents, self.count_bytes) < self.count_bytes {
            return;
        }
        let frequencies = counting.take();
        drop(counting);
        // The spellings were accepted before and take no more room than then.
        let anew = frequencies.and_then(|frequencies| self.tables().anchored_by(&frequencies).ok());
        if let Some(anew) = anew {
            *self.tables.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(anew);
        }
    }
}

impl Matcher for PairGramMatcher {
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
        self.count(documents);
        Search::new(self.kernel, &self.tables()).find_all(documents, on_match);
    }

    fn find_any(&self, documents: &[&str], found: &mut [bool]) {
        assert_eq!(documents.len(), found.len(), "one flag per document");
        self.count(documents);
        Search::new(self.kernel, &self.tables()).find_any(documents, found);
    }
}

impl fmt::Debug for PairGramMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairGramMatcher")
            .field("patterns", &self.patterns)
            .field("spellings", &self.tables().spellings())
            .field("kernel", &self.kernel)
            .finish()
    }
}
