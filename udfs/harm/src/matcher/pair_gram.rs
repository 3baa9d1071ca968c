use std::fmt;
use std::sync::OnceLock;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use super::automaton::automaton;
use super::filter::{GramFilter, NeighbourFilter, Neighbours, bytes_at, neighbour_bytes};
use super::frequency::GramFrequencies;
use super::gram::{WIDE, hash_window, window_at};
use super::kernel::Kernel;
use super::search::Search;
use super::short::ShortPatterns;
use super::table::{AnchorTable, Anchored};
use super::{Match, Matcher};

/// A filter over grams of two characters in front of a hash table.
///
/// Every pattern is registered at its rarest gram. A kernel looks at the gram of every character
/// of the text in a Bloom filter that fits the cache; only the few places that pass are compared.
/// Patterns shorter than a gram are found through a table of their own. Where a text has so many
/// places to compare that an automaton would be faster, one is built, once, and reads on.
///
/// One pattern may have several spellings: see [`Self::with_spellings`].
pub struct PairGramMatcher {
    pub(super) kernel: Kernel,
    pub(super) grams: GramFilter,
    pub(super) neighbours: NeighbourFilter,
    pub(super) anchors: AnchorTable,
    pub(super) short: Option<ShortPatterns>,
    automaton: OnceLock<Option<CharwiseDoubleArrayAhoCorasick<u32>>>,
    patterns: usize,
}

impl PairGramMatcher {
    /// A matcher for `patterns`, numbered in this order, with the fastest kernel of this
    /// processor.
    ///
    /// # Errors
    /// A message when a pattern is empty or given twice, or all are longer than 4 GiB together.
    pub fn new(patterns: &[&str]) -> Result<Self, String> {
        Self::with_frequencies(patterns, &GramFrequencies::builtin())
    }

    /// As [`Self::new`], with frequencies counted from documents like those to be searched.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_sample(patterns: &[&str], sample: &[&str]) -> Result<Self, String> {
        Self::with_frequencies(patterns, &GramFrequencies::sampled(sample))
    }

    fn with_frequencies(patterns: &[&str], frequencies: &GramFrequencies) -> Result<Self, String> {
        let spellings: Vec<(&str, usize)> = patterns.iter().copied().zip(0..).collect();
        let matcher = Self::with_spellings(&spellings, frequencies)?;
        if matcher.spellings() < patterns.len() {
            let mut seen = std::collections::HashSet::new();
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
        let mut long = Vec::with_capacity(spellings.len());
        let mut short = Vec::new();
        let mut patterns = 0;
        for &(text, pattern) in spellings {
            if text.is_empty() {
                return Err("a pattern is empty".to_owned());
            }
            let number = u32::try_from(pattern)
                .map_err(|_| format!("the number of pattern {pattern} does not fit 32 bits"))?;
            patterns = patterns.max(pattern + 1);
            let gram = frequencies.rarest_gram(text);
            let anchor = gram.as_ref().map_or(0, |gram| gram.start);
            let spelling = Anchored {
                hash: hash_window(window_at(text.as_bytes(), anchor)),
                anchor: u32::try_from(anchor)
                    .map_err(|_| "a pattern is longer than 4 GiB".to_owned())?,
                text,
                pattern: number,
            };
            match gram {
                Some(_) => long.push(spelling),
                None => short.push(spelling),
            }
        }
        let mut grams = GramFilter::for_grams(long.len());
        let mut neighbours = NeighbourFilter::for_grams(long.len());
        for spelling in &long {
            grams.insert(spelling.hash);
            neighbours.insert(spelling.hash, beside(spelling));
        }
        Ok(Self {
            kernel: Kernel::fastest(),
            grams,
            neighbours,
            anchors: AnchorTable::new(long)?,
            short: ShortPatterns::new(short)?,
            automaton: OnceLock::new(),
            patterns,
        })
    }

    /// The same matcher with another kernel, as tests and measurements want it.
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Bytes of memory its tables hold, without the automaton it may build later.
    pub fn memory(&self) -> usize {
        self.grams.words.capacity() * size_of::<u32>()
            + self.neighbours.words.capacity() * size_of::<u64>()
            + self.anchors.memory()
            + self.short.as_ref().map_or(0, ShortPatterns::memory)
    }

    /// Number of distinct spellings.
    fn spellings(&self) -> usize {
        self.anchors.len() + self.short.as_ref().map_or(0, |short| short.table.len())
    }

    /// The automaton over all spellings, numbered as [`Self::spelling`] wants them. `None` when
    /// it would be too large, or without spellings.
    pub(super) fn automaton(&self) -> Option<&CharwiseDoubleArrayAhoCorasick<u32>> {
        self.automaton
            .get_or_init(|| {
                let spellings = (0..self.spellings() as u32).map(|number| {
                    let (table, entry) = self.spelling(number);
                    // Every spelling came in as a str.
                    let text = std::str::from_utf8(table.text(entry)).unwrap_or_default();
                    (text, number)
                });
                automaton(spellings).ok().flatten()
            })
            .as_ref()
    }

    /// The table a spelling is in, and its entry there.
    pub(super) fn spelling(&self, number: u32) -> (&AnchorTable, usize) {
        let number = number as usize;
        match &self.short {
            Some(short) if number >= self.anchors.len() => {
                (&short.table, number - self.anchors.len())
            }
            _ => (&self.anchors, number),
        }
    }
}

/// What stands beside the anchor inside a spelling.
fn beside(spelling: &Anchored<'_>) -> Neighbours {
    let bytes = spelling.text.as_bytes();
    let anchor = spelling.anchor as usize;
    let count = neighbour_bytes(bytes[anchor] >= WIDE);
    let end = anchor + super::gram::gram_length(bytes[anchor]);
    if let Some(after) = bytes_at(bytes, end, count) {
        Neighbours::After(after)
    } else if let Some(before) = anchor
        .checked_sub(count)
        .and_then(|start| bytes_at(bytes, start, count))
    {
        Neighbours::Before(before)
    } else {
        Neighbours::None
    }
}

impl Matcher for PairGramMatcher {
    fn find_all(&self, documents: &[&str], on_match: &mut dyn FnMut(Match)) {
        Search::new(self).find_all(documents, on_match);
    }

    fn find_any(&self, documents: &[&str], found: &mut [bool]) {
        assert_eq!(documents.len(), found.len(), "one flag per document");
        Search::new(self).find_any(documents, found);
    }
}

impl fmt::Debug for PairGramMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairGramMatcher")
            .field("patterns", &self.patterns)
            .field("spellings", &self.spellings())
            .field("kernel", &self.kernel)
            .finish()
    }
}
