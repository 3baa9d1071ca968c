//! What folding does to each character on its own, computed once per process.

use std::collections::HashMap;
use std::sync::OnceLock;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::segment::normalise;

/// Code points with the property Default_Ignorable_Code_Point: they show nothing.
const IGNORABLE: &[(u32, u32)] = &[
    (0x00AD, 0x00AD),   // soft hyphen
    (0x034F, 0x034F),   // combining grapheme joiner
    (0x061C, 0x061C),   // Arabic letter mark
    (0x115F, 0x1160),   // Hangul fillers
    (0x17B4, 0x17B5),   // Khmer inherent vowels
    (0x180B, 0x180F),   // Mongolian selectors and vowel separator
    (0x200B, 0x200F),   // zero-width space, joiners, direction marks
    (0x202A, 0x202E),   // bidirectional embeddings and overrides
    (0x2060, 0x206F),   // word joiner, invisible operators, isolates
    (0x3164, 0x3164),   // Hangul filler
    (0xFE00, 0xFE0F),   // variation selectors
    (0xFEFF, 0xFEFF),   // byte order mark
    (0xFFA0, 0xFFA0),   // half-width Hangul filler
    (0xFFF0, 0xFFF8),   // unassigned specials
    (0x1BCA0, 0x1BCA3), // shorthand format controls
    (0x1D173, 0x1D17A), // musical format controls
    (0xE0000, 0xE0FFF), // tags and variation selectors
];

/// Whether `c` shows nothing (Unicode property Default_Ignorable_Code_Point): zero-width and
/// bidirectional controls, soft hyphens, variation selectors, fillers. Folding removes it.
pub fn is_default_ignorable(c: char) -> bool {
    let code = u32::from(c);
    let after = IGNORABLE.partition_point(|&(first, _)| first <= code);
    after > 0 && code <= IGNORABLE[after - 1].1
}

/// The first place from `at` on that holds no ignorable character.
pub(super) fn skip_ignorable(text: &str, at: usize) -> usize {
    text[at..]
        .find(|c: char| !is_default_ignorable(c))
        .map_or(text.len(), |offset| at + offset)
}

/// What folding does to a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class<'a> {
    /// It stays, and starts a segment.
    Same,
    /// It becomes this, and starts a segment.
    Replaced(&'a str),
    /// It is removed.
    Ignored,
    /// It belongs to the segment of the character before it.
    Joins,
}

const PAGE: usize = 256;
/// Characters from here on fold to themselves, apart from the ignorable ones of plane 14.
const SETTLED_FROM: u32 = 0x30000;
const PLANE_14_IGNORABLE: std::ops::Range<u32> = 0xE0000..0xE1000;

const SAME: u32 = 0;
const IGNORED: u32 = 1;
const JOINS: u32 = 2;
/// Larger values: the place in `replacements`, plus this.
const REPLACED: u32 = 3;

pub(super) struct Table {
    /// For each 256 characters the number of their page; equal pages are stored once.
    page_of: Vec<u16>,
    pages: Vec<[u32; PAGE]>,
    replacements: Vec<Box<str>>,
    /// Lead bytes of three-byte sequences under which every character is `Same`.
    settled_lead: [bool; 256],
}

impl Table {
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Self::compute)
    }

    pub(super) fn class(&self, c: char) -> Class<'_> {
        let code = u32::from(c);
        let Some(&page) = self.page_of.get(code as usize / PAGE) else {
            return if PLANE_14_IGNORABLE.contains(&code) {
                Class::Ignored
            } else {
                Class::Same
            };
        };
        match self.pages[usize::from(page)][code as usize % PAGE] {
            SAME => Class::Same,
            IGNORED => Class::Ignored,
            JOINS => Class::Joins,
            replaced => Class::Replaced(&self.replacements[(replaced - REPLACED) as usize]),
        }
    }

    /// Whether a UTF-8 lead byte begins only three-byte characters of class [`Class::Same`], as
    /// those of most Han characters do.
    #[inline]
    pub(super) fn is_settled_lead(&self, byte: u8) -> bool {
        self.settled_lead[usize::from(byte)]
    }

    /// Whether the next character from `at` on that is not ignored joins what stands before it.
    pub(super) fn joins_at(&self, text: &str, at: usize) -> bool {
        text[at..]
            .chars()
            .map(|c| self.class(c))
            .find(|class| *class != Class::Ignored)
            == Some(Class::Joins)
    }

    /// Where the segment that starts at `start` ends: at the next character that starts one.
    pub(super) fn segment_end(&self, text: &str, start: usize) -> usize {
        text[start..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| !matches!(self.class(*c), Class::Joins | Class::Ignored))
            .map_or(text.len(), |(offset, _)| start + offset)
    }

    fn compute() -> Self {
        let mut table = Self {
            page_of: Vec::new(),
            pages: Vec::new(),
            replacements: Vec::new(),
            settled_lead: [false; 256],
        };
        let mut known = HashMap::new();
        for first in (0..SETTLED_FROM).step_by(PAGE) {
            let mut page = [SAME; PAGE];
            for (code, value) in (first..).zip(&mut page) {
                if let Some(c) = char::from_u32(code) {
                    *value = table.value_of(c);
                }
            }
            let number = *known.entry(page).or_insert_with(|| {
                table.pages.push(page);
                u16::try_from(table.pages.len() - 1).expect("fewer pages than 65536")
            });
            table.page_of.push(number);
        }
        for lead in 0xE1..=0xEFu8 {
            let first = u32::from(lead & 0x0F) << 12;
            table.settled_lead[usize::from(lead)] = (first..first + 0x1000)
                .filter_map(char::from_u32)
                .all(|c| table.class(c) == Class::Same);
        }
        table
    }

    fn value_of(&mut self, c: char) -> u32 {
        if is_default_ignorable(c) {
            return IGNORED;
        }
        if joins(c) {
            return JOINS;
        }
        let text = c.to_string();
        let mut units = Vec::new();
        normalise(&text, 0..text.len(), &mut units);
        let folded: String = units.iter().map(|unit| unit.character).collect();
        if folded == text {
            return SAME;
        }
        self.replacements.push(folded.into_boxed_str());
        REPLACED + u32::try_from(self.replacements.len() - 1).expect("one per character at most")
    }
}

/// Whether the decomposition of `c` begins with a character that an earlier one can take in or
/// that may move before it.
fn joins(c: char) -> bool {
    let mut first = None;
    decompose_compatible(c, |part| {
        first.get_or_insert(part);
    });
    first.is_some_and(|first| {
        canonical_combining_class(first) != 0
            || is_nfc_quick(std::iter::once(first)) == IsNormalized::Maybe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignorable_ranges_are_sorted() {
        assert!(IGNORABLE.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn classes() {
        let table = Table::get();
        assert_eq!(table.class('中'), Class::Same);
        assert_eq!(table.class('a'), Class::Same);
        assert_eq!(table.class('A'), Class::Replaced("a"));
        assert_eq!(table.class('，'), Class::Replaced(","));
        assert_eq!(table.class('ﬃ'), Class::Replaced("ffi"));
        assert_eq!(table.class('\u{200B}'), Class::Ignored);
        assert_eq!(table.class('\u{E0100}'), Class::Ignored);
        assert_eq!(table.class('\u{301}'), Class::Joins);
        assert_eq!(table.class('\u{FF9E}'), Class::Joins);
        assert_eq!(table.class('\u{10FFFF}'), Class::Same);
    }

    #[test]
    fn han_leads_are_settled() {
        let table = Table::get();
        for lead in 0xE5..=0xE9 {
            assert!(table.is_settled_lead(lead), "{lead:X}");
        }
        for lead in [0x00, 0x41, 0xC3, 0xE0, 0xE3, 0xEF, 0xF0] {
            assert!(!table.is_settled_lead(lead), "{lead:X}");
        }
    }

    /// What the walk relies on: pieces stay pieces after folding, and what lies beyond the table
    /// needs none.
    #[test]
    fn table_holds_for_every_character() {
        let table = Table::get();
        for c in (0..=0x10FFFF).filter_map(char::from_u32) {
            match table.class(c) {
                Class::Same | Class::Joins => {}
                Class::Ignored => assert!(is_default_ignorable(c), "{c:?}"),
                Class::Replaced(folded) => {
                    let first = folded.chars().next();
                    assert!(first.is_some_and(|first| !joins(first)), "{c:?}");
                }
            }
            let mut units = Vec::new();
            let text = c.to_string();
            normalise(&text, 0..text.len(), &mut units);
            let folded: String = units.iter().map(|unit| unit.character).collect();
            match table.class(c) {
                Class::Same => {
                    assert_eq!(folded, text, "{c:?}");
                    assert!(!joins(c), "{c:?}");
                }
                Class::Replaced(replacement) => assert_eq!(folded, replacement, "{c:?}"),
                Class::Ignored => assert_eq!(folded, "", "{c:?}"),
                Class::Joins => assert!(folded.chars().all(|c| !c.is_ascii_uppercase())),
            }
        }
    }

    /// `is_settled` of the walk asks only for NFKC of characters that join.
    #[test]
    fn joining_characters_have_no_lower_case() {
        for c in (0..SETTLED_FROM)
            .filter_map(char::from_u32)
            .filter(|&c| joins(c))
        {
            assert!(c.to_lowercase().eq([c]), "{c:?}");
        }
    }
}
