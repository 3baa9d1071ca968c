use std::sync::OnceLock;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use super::automaton::automaton;
use super::filter::{GramFilter, NeighbourFilter, Neighbours};
use super::frequency::GramFrequencies;
use super::gram::{hash_window, window_at};
use super::short::ShortPatterns;
use super::table::{AnchorTable, Anchored};

/// Everything that a choice of anchors decides.
pub(super) struct Tables {
    pub(super) grams: GramFilter,
    pub(super) neighbours: NeighbourFilter,
    pub(super) anchors: AnchorTable,
    pub(super) short: Option<ShortPatterns>,
    automaton: OnceLock<Option<CharwiseDoubleArrayAhoCorasick<u32>>>,
}

impl Tables {
    /// # Errors
    /// A message when a spelling is empty, or all are longer than 4 GiB together.
    pub(super) fn new<'a>(
        spellings: impl Iterator<Item = (&'a str, u32)>,
        frequencies: &GramFrequencies,
    ) -> Result<Self, String> {
        let mut long = Vec::with_capacity(spellings.size_hint().0);
        let mut short = Vec::new();
        for (text, pattern) in spellings {
            if text.is_empty() {
                return Err("a pattern is empty".to_owned());
            }
            let gram = frequencies.rarest_gram(text);
            let anchor = gram.as_ref().map_or(0, |gram| gram.start);
            let spelling = Anchored {
                hash: hash_window(window_at(text.as_bytes(), anchor)),
                anchor: u32::try_from(anchor)
                    .map_err(|_| "a pattern is longer than 4 GiB".to_owned())?,
                text,
                pattern,
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
            let beside = Neighbours::of(spelling.text.as_bytes(), spelling.anchor as usize);
            neighbours.insert(spelling.hash, beside);
        }
        Ok(Self {
            grams,
            neighbours,
            anchors: AnchorTable::new(long)?,
            short: ShortPatterns::new(short)?,
            automaton: OnceLock::new(),
        })
    }

    /// The same spellings with anchors by other frequencies.
    pub(super) fn anchored_by(&self, frequencies: &GramFrequencies) -> Result<Self, String> {
        let spellings: Vec<(&str, u32)> = (0..self.spellings() as u32)
            .flat_map(|number| {
                let (table, entry) = self.spelling(number);
                let patterns = table.patterns(entry).iter();
                patterns.map(move |&pattern| (table.text(entry), pattern))
            })
            .collect();
        Self::new(spellings.into_iter(), frequencies)
    }

    /// Number of distinct spellings.
    pub(super) fn spellings(&self) -> usize {
        self.anchors.len() + self.short.as_ref().map_or(0, |short| short.table.len())
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

    /// The automaton over all spellings, numbered as [`Self::spelling`] wants them; built when it
    /// is first asked for. `None` when it would be too large, or without spellings.
    pub(super) fn automaton(&self) -> Option<&CharwiseDoubleArrayAhoCorasick<u32>> {
        self.automaton
            .get_or_init(|| {
                let spellings = (0..self.spellings() as u32).map(|number| {
                    let (table, entry) = self.spelling(number);
                    (table.text(entry), number)
                });
                automaton(spellings).ok().flatten()
            })
            .as_ref()
    }

    #[cfg(test)]
    pub(super) fn has_automaton(&self) -> bool {
        self.automaton.get().is_some()
    }

    /// Bytes held, without the automaton.
    pub(super) fn memory(&self) -> usize {
        self.grams.memory()
            + self.neighbours.memory()
            + self.anchors.memory()
            + self.short.as_ref().map_or(0, ShortPatterns::memory)
    }
}
