use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use super::frequency_table::{
    CLASSES, COMMON_GRAMS, COMMON_PAIRS, DIGIT, FIRST, HAN_BY_RANK, NEXT, NOT_ASCII, OTHER_ASCII,
    SPACE,
};
use super::gram::{WIDE, gram_at, hash_window, is_continuation, window_at};

/// How common grams are in ordinary text. A pattern is looked for by its rarest gram.
///
/// The answer only decides how fast patterns are found, never which.
#[derive(Debug, Clone, Default)]
pub struct GramFrequencies {
    /// Counts of grams of four bytes and then of six, each by the high bits of their hash; empty
    /// without a sample. Apart, so that text in Chinese says nothing of grams in English.
    counts: Vec<u16>,
    /// Grams counted of either kind.
    grams: [usize; 2],
    /// Bytes counted.
    bytes: usize,
}

const COUNT_BITS: u32 = 18;

/// Grams of each kind that what is built in stands for: a sample may be in another language than
/// the text to come, and a gram it lacks is rare only if it was not expected either.
const BUILT_IN_GRAMS: f64 = 100_000.0;

/// Bytes of the sample that are read; more would not change the choice.
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;

/// Surprise at a character nothing is known about, in eighths of a bit.
const UNKNOWN: u32 = 8 * 13;
/// The same for letters of two bytes, which are common where their script is.
const TWO_BYTES: u32 = 8 * 8;
/// Surprise at the marks that end most clauses.
const PUNCTUATION: u32 = 8 * 5;
/// Surprise at both characters of a common pair together.
const COMMON_PAIR: u32 = 8 * 9;

impl GramFrequencies {
    /// What is built in: an order of Chinese characters and words, and letter pairs of English.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Counts from the first 8 MiB of `documents`; what is built in decides between grams that
    /// are about as frequent there.
    pub fn sampled(documents: &[&str]) -> Self {
        let mut frequencies = Self::default();
        frequencies.count(documents, SAMPLE_BYTES);
        frequencies
    }

    /// Counts more documents until `most` bytes were counted, and returns how many were.
    pub(super) fn count(&mut self, documents: &[&str], most: usize) -> usize {
        self.counts.resize(2 << COUNT_BITS, 0);
        for document in documents {
            if self.bytes >= most {
                break;
            }
            let bytes = document.as_bytes();
            let bytes = &bytes[..bytes.len().min(most - self.bytes)];
            for (at, byte) in bytes.iter().enumerate() {
                if !is_continuation(*byte) {
                    let (kind, slot) = slot(bytes, at);
                    self.counts[slot] = self.counts[slot].saturating_add(1);
                    self.grams[kind] += 1;
                }
            }
            self.bytes += bytes.len();
        }
        self.bytes
    }

    /// The share of the gram at `start`, which is `length` bytes long, of all grams of its kind.
    fn share(&self, text: &str, start: usize, length: usize) -> f64 {
        let (kind, slot) = slot(text.as_bytes(), start);
        let count = self.counts.get(slot).copied().unwrap_or(0);
        let expected = (-f64::from(surprise(&text[start..], length)) / 8.0).exp2();
        (f64::from(count) + BUILT_IN_GRAMS * expected) / (self.grams[kind] as f64 + BUILT_IN_GRAMS)
    }

    /// Where the rarest gram of `text` lies, in bytes, the first of equally rare ones: six bytes
    /// where a character of three or four bytes starts, else four. `None` when the text is
    /// shorter than a gram.
    ///
    /// A caller that matches under a map of characters takes the gram here, gives the matcher
    /// each way the gram can be written as a spelling of the pattern, and compares the text
    /// around a match under its map.
    pub fn rarest_gram(&self, text: &str) -> Option<Range<usize>> {
        let mut rarest = None;
        for (start, _) in text.char_indices() {
            let Some(gram) = gram_at(text, start) else {
                continue;
            };
            let share = self.share(text, start, gram.len());
            if rarest.as_ref().is_none_or(|(least, _)| share < *least) {
                rarest = Some((share, gram));
            }
        }
        rarest.map(|(_, gram)| gram)
    }
}

/// The kind of the gram at `at`, 1 for six bytes, and where it is counted.
fn slot(text: &[u8], at: usize) -> (usize, usize) {
    let kind = usize::from(text[at] >= WIDE);
    let hash = hash_window(window_at(text, at));
    (
        kind,
        kind << COUNT_BITS | (hash >> (32 - COUNT_BITS)) as usize,
    )
}

/// Surprise at the first `bytes` of `text`, in eighths of a bit. A character that is cut counts
/// by its part.
fn surprise(text: &str, bytes: usize) -> u32 {
    if let Some(known) = common_gram(&text.as_bytes()[..bytes]) {
        return known;
    }
    let mut sum = 0;
    let mut left = bytes;
    let mut before: Option<char> = None;
    for character in text.chars() {
        let length = character.len_utf8();
        let part = length.min(left);
        let own = match before {
            Some(before) => surprise_after(before, character),
            None => surprise_alone(character),
        };
        sum += own * part as u32 / length as u32;
        left -= part;
        if left == 0 {
            break;
        }
        before = Some(character);
    }
    sum
}

/// Surprise at a gram that is common in English.
fn common_gram(gram: &[u8]) -> Option<u32> {
    static GRAMS: OnceLock<HashMap<[u8; 4], u8>> = OnceLock::new();
    let mut letters: [u8; 4] = gram.try_into().ok()?;
    letters.make_ascii_lowercase();
    let grams = GRAMS.get_or_init(|| {
        let grams = COMMON_GRAMS
            .iter()
            .flat_map(|(own, grams)| grams.split(' ').map(move |gram| (gram, *own)));
        grams
            .filter_map(|(gram, own)| {
                Some((gram.replace('_', " ").as_bytes().try_into().ok()?, own))
            })
            .collect()
    });
    grams.get(&letters).map(|own| u32::from(*own))
}

fn surprise_after(before: char, character: char) -> u32 {
    let (row, column) = (class(before), class(character));
    if column != NOT_ASCII {
        return u32::from(NEXT[row][column]);
    }
    let alone = surprise_alone(character);
    if alone < UNKNOWN && han().pairs.contains(&(before, character)) {
        COMMON_PAIR
            .saturating_sub(surprise_alone(before))
            .min(alone)
    } else {
        alone
    }
}

fn surprise_alone(character: char) -> u32 {
    match class(character) {
        NOT_ASCII => match character {
            '，' | '。' | '、' | '：' => PUNCTUATION,
            _ if character.len_utf8() == 2 => TWO_BYTES,
            _ => {
                let at = (character as usize).wrapping_sub(HAN_FIRST);
                han()
                    .surprise
                    .get(at)
                    .map_or(UNKNOWN, |own| u32::from(*own))
            }
        },
        class => u32::from(FIRST[class]),
    }
}

const _: () = assert!(NOT_ASCII + 1 == CLASSES);

fn class(character: char) -> usize {
    match character {
        'a'..='z' => character as usize - 'a' as usize,
        'A'..='Z' => character as usize - 'A' as usize,
        ' ' => SPACE,
        '0'..='9' => DIGIT,
        _ if character.is_ascii() => OTHER_ASCII,
        _ => NOT_ASCII,
    }
}

/// The first and the end of the table: CJK punctuation to the last of the unified ideographs.
const HAN_FIRST: usize = 0x3000;
const HAN_END: usize = 0xA000;

struct Han {
    surprise: Vec<u8>,
    pairs: HashSet<(char, char)>,
}

fn han() -> &'static Han {
    static HAN: OnceLock<Han> = OnceLock::new();
    HAN.get_or_init(|| {
        let mut surprise = vec![UNKNOWN as u8; HAN_END - HAN_FIRST];
        let mut rank = 0.0f64;
        for character in HAN_BY_RANK.chars() {
            let own = &mut surprise[character as usize - HAN_FIRST];
            // A character given twice keeps its better rank.
            if u32::from(*own) == UNKNOWN {
                // Close to Zipf's law with the most common character at 4 %.
                *own = (8.0 * ((rank + 3.0) / 0.12).log2()) as u8;
                rank += 1.0;
            }
        }
        let pairs = COMMON_PAIRS
            .split(' ')
            .filter_map(|pair| {
                let mut characters = pair.chars();
                Some((characters.next()?, characters.next()?))
            })
            .collect();
        Han { surprise, pairs }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rarest(text: &str) -> &str {
        let gram = GramFrequencies::builtin().rarest_gram(text);
        &text[gram.expect("long enough")]
    }

    #[test]
    fn common_words_are_not_the_anchor() {
        assert_eq!(rarest("我们爆炸"), "爆炸");
        assert_eq!(rarest("中国的罂粟"), "罂粟");
        assert_eq!(rarest("the quiz"), "quiz");
        assert_eq!(rarest("ration"), "rati");
        assert_eq!(GramFrequencies::builtin().rarest_gram("abc"), None);
        assert_eq!(GramFrequencies::builtin().rarest_gram("中"), None);
        assert_eq!(GramFrequencies::builtin().rarest_gram(""), None);
    }

    #[test]
    fn a_sample_decides_first() {
        let sampled = GramFrequencies::sampled(&["quiz 罂粟", "罂粟"]);
        let gram = |text| sampled.rarest_gram(text).expect("long enough");
        assert!(gram("我们罂粟").end < "我们罂粟".len());
        assert!(gram("then quiz").end < "then quiz".len());
        assert_eq!(sampled.rarest_gram("罂粟"), Some(0..6));
    }

    #[test]
    fn the_tables_hold_what_they_say() {
        assert!(
            HAN_BY_RANK
                .chars()
                .all(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'))
        );
        assert!(
            COMMON_PAIRS
                .split(' ')
                .all(|pair| pair.chars().count() == 2)
        );
        let mut grams = COMMON_GRAMS.iter().flat_map(|(_, grams)| grams.split(' '));
        assert!(grams.all(|gram| gram.len() == 4));
        assert_eq!(surprise("The", 3), surprise("the", 3));
        assert!(surprise("that", 4) < surprise("thot", 4));
    }
}
