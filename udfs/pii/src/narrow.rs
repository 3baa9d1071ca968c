//! Full-width and hidden characters, as written in phone numbers that should not be found.

use std::borrow::Cow;

use tamis_text::is_default_ignorable;
use unicode_normalization::UnicodeNormalization;

/// A text whose full-width and mathematical letters and digits are ASCII and whose invisible
/// characters are gone, with the way back.
///
/// Unlike the normal form of `tamis_text` it keeps letter case, which checksums of addresses and
/// keys need, and leaves Chinese punctuation alone.
#[derive(Debug)]
pub(crate) struct Narrowed<'a> {
    original: &'a str,
    pub(crate) text: Cow<'a, str>,
    /// Where the distance to the original changes: offset in the narrowed text, and in the
    /// original; ascending.
    jumps: Vec<(usize, usize)>,
}

/// What a character is read as: itself, another character, or nothing.
fn narrow(c: char, after_digit: bool) -> Option<char> {
    match c {
        '\u{FF10}'..='\u{FF19}'
        | '\u{FF21}'..='\u{FF3A}'
        | '\u{FF41}'..='\u{FF5A}'
        | '＠'
        | '．'
        | '－'
        | '＿'
        | '＋'
        | '％' => char::from_u32(u32::from(c) - 0xFEE0),
        '\u{3000}' | '\u{A0}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' if after_digit => Some('-'),
        '\u{1D400}'..='\u{1D7FF}' => std::iter::once(c).nfkc().next(),
        _ if is_default_ignorable(c) => None,
        _ => Some(c),
    }
}

impl<'a> Narrowed<'a> {
    pub(crate) fn new(original: &'a str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut jumps = Vec::new();
        let mut distance = 0;
        let mut after_digit = false;
        for (start, c) in original.char_indices() {
            if let Some(read) = narrow(c, after_digit) {
                if start - text.len() != distance {
                    distance = start - text.len();
                    jumps.push((text.len(), start));
                }
                text.push(read);
                after_digit = read.is_ascii_digit();
            }
        }
        Self {
            original,
            text: Cow::Owned(text),
            jumps,
        }
    }

    /// The smallest span of the original that reads as `start..end`, a span of at least one
    /// character.
    pub(crate) fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        let last = self.text[..end]
            .chars()
            .next_back()
            .map_or(start, |c| end - c.len_utf8());
        let last = self.original_offset(last);
        let width = self.original[last..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        (self.original_offset(start), last + width)
    }

    fn original_offset(&self, offset: usize) -> usize {
        let after = self
            .jumps
            .partition_point(|&(narrowed, _)| narrowed <= offset);
        match after.checked_sub(1) {
            Some(index) => self.jumps[index].1 + (offset - self.jumps[index].0),
            None => offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn narrows_and_goes_back() {
        let text = "电话１３８\u{200B}1234-５６７８打";
        let narrowed = Narrowed::new(text);
        assert_eq!(narrowed.text, "电话1381234-5678打");
        let start = narrowed.text.find('1').unwrap();
        let end = narrowed.text.find('打').unwrap();
        let (from, to) = narrowed.original_span(start, end);
        assert_eq!(&text[from..to], "１３８\u{200B}1234-５６７８");
    }

    #[test]
    fn dashes_only_after_digits() {
        assert_eq!(Narrowed::new("138–1234—完").text, "138-1234-完");
        assert_eq!(Narrowed::new("他—说").text, "他—说");
        assert_eq!(Narrowed::new("𝟏𝟑𝟖 𝐀").text, "138 A");
    }

    proptest! {
        #[test]
        fn spans_are_on_borders(text in "[a1１Ａ＠\u{200B}\u{FEFF}中–😀]{0,30}") {
            let narrowed = Narrowed::new(&text);
            for (start, c) in narrowed.text.char_indices() {
                let (from, to) = narrowed.original_span(start, start + c.len_utf8());
                let original: Vec<char> = text[from..to].chars().collect();
                prop_assert_eq!(original.len(), 1);
            }
        }
    }
}
