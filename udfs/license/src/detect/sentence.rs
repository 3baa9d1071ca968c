//! A stretch of words, asked for phrases.

use super::words::Word;

/// The words of a window and their letters.
pub(super) struct Sentence<'a> {
    pub(super) text: &'a str,
    pub(super) words: Vec<Word>,
}

impl<'a> Sentence<'a> {
    pub(super) fn word(&self, index: usize) -> &'a str {
        self.words
            .get(index)
            .map_or("", |word| &self.text[word.start..word.end])
    }

    pub(super) fn is(&self, index: usize, word: &str) -> bool {
        self.word(index).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_one_of(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// Whether the words from `index` on are those of `phrase`; the index behind them.
    pub(super) fn skip(&self, index: usize, phrase: &str) -> Option<usize> {
        let mut at = index;
        for word in phrase.split(' ') {
            if !self.is(at, word) {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// Whether `phrase` stands anywhere in the words of `range`.
    pub(super) fn holds(&self, range: std::ops::Range<usize>, phrase: &str) -> bool {
        range.into_iter().any(|at| self.skip(at, phrase).is_some())
    }

    /// The text between two neighbours.
    pub(super) fn between(&self, left: usize) -> &'a str {
        match (self.words.get(left), self.words.get(left + 1)) {
            (Some(left), Some(right)) => &self.text[left.end..right.start],
            _ => "",
        }
    }
}
