//! The words of a document, without the marks between them.

use std::ops::Range;

/// A word: a run of letters and digits, a number with its inner points, or one Han character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of the word without case; equal words have equal hashes everywhere.
    pub(super) hash: u64,
}

/// Reads words from `range` of a text on, none of them ending behind it.
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Words<'a> {
    /// `range` is widened to whole characters.
    pub(super) fn new(text: &'a str, range: Range<usize>) -> Self {
        Self {
            text,
            at: floor(text, range.start),
            end: floor(text, range.end),
        }
    }
}

/// The start of the character at `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

pub(super) fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

/// Whether a word is the comment mark of a language that writes it in letters.
pub(super) fn is_comment_word(text: &str, word: Word) -> bool {
    let letters = &text.as_bytes()[word.start..word.end];
    letters.eq_ignore_ascii_case(b"dnl") || letters.eq_ignore_ascii_case(b"rem")
}

const SEED: u64 = 0xCBF2_9CE4_8422_2325;
const FACTOR: u64 = 0x0000_0100_0000_01B3;

fn add(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FACTOR)
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        // The start and hash of the word being read.
        let mut open: Option<(usize, u64)> = None;
        while at < self.end {
            let byte = bytes[at];
            let mut width = 1;
            let part_of_word = if byte.is_ascii() {
                byte.is_ascii_alphanumeric()
                    || byte == b'.'
                        && open.is_some()
                        && bytes[at - 1].is_ascii_digit()
                        && at + 1 < self.end
                        && bytes[at + 1].is_ascii_digit()
            } else {
                let Some(character) = self.text[at..].chars().next() else {
                    break;
                };
                width = character.len_utf8();
                if is_han(character) {
                    if open.is_none() {
                        let hash = bytes[at..at + width].iter().fold(SEED, |h, b| add(h, *b));
                        self.at = at + width;
                        return Some(Word {
                            start: at,
                            end: at + width,
                            hash,
                        });
                    }
                    break;
                }
                character.is_alphanumeric()
            };
            if part_of_word {
                let (_, hash) = open.get_or_insert((at, SEED));
                for byte in &bytes[at..at + width] {
                    *hash = add(*hash, byte.to_ascii_lowercase());
                }
            } else if open.is_some() {
                break;
            }
            at += width;
        }
        self.at = at;
        open.map(|(start, hash)| Word {
            start,
            end: at,
            hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words::new(text, 0..text.len())
            .map(|word| &text[word.start..word.end])
            .collect()
    }

    #[test]
    fn marks_part_words_and_han_characters_stand_alone() {
        assert_eq!(
            words(" * Version 2.0. (the \"Licence\")\n// v1.1;許可 Ünï"),
            [
                "Version", "2.0", "the", "Licence", "v1.1", "許", "可", "Ünï"
            ]
        );
        assert!(words("…—\u{1F600}").is_empty());
    }

    #[test]
    fn case_does_not_change_the_hash() {
        let hash = |text: &str| Words::new(text, 0..text.len()).next().map(|word| word.hash);
        assert_eq!(hash("LICENSE"), hash("license"));
        assert_ne!(hash("license"), hash("licence"));
    }

    #[test]
    fn any_range_is_widened_to_characters() {
        let text = "许可证 MIT";
        for start in 0..=text.len() + 2 {
            for end in 0..=text.len() + 2 {
                for word in Words::new(text, start..end) {
                    assert!(text.get(word.start..word.end).is_some());
                }
            }
        }
    }
}
