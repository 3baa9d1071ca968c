use unicode_normalization::char::is_combining_mark;

/// Blocks of scripts that write words without spaces between them, and Hangul, whose particles
/// are written onto the word. A word of such a script may begin or end at any of its characters.
const UNSPACED: &[(u32, u32)] = &[
    (0x0E00, 0x0FFF),   // Thai, Lao, Tibetan
    (0x1000, 0x109F),   // Myanmar
    (0x1100, 0x11FF),   // Hangul jamo
    (0x1780, 0x17FF),   // Khmer
    (0x1950, 0x19FF),   // Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),   // Tai Tham
    (0x1B00, 0x1B7F),   // Balinese
    (0x2E80, 0xA4CF),   // radicals, kana, bopomofo, Hangul letters, enclosed CJK, Han, Yi
    (0xA960, 0xA9DF),   // Hangul jamo, Javanese
    (0xA9E0, 0xA9FF),   // Myanmar
    (0xAA60, 0xAADF),   // Myanmar, Tai Viet
    (0xAC00, 0xD7FF),   // Hangul syllables and jamo
    (0xF900, 0xFAFF),   // Han compatibility
    (0xFF66, 0xFFDC),   // half-width kana and Hangul
    (0x16FE0, 0x18DFF), // Tangut, Khitan, ideographic marks
    (0x1AFF0, 0x1B2FF), // kana extensions, Nüshu
    (0x1F200, 0x1F2FF), // enclosed ideographs
    (0x20000, 0x3FFFF), // Han extensions
];

/// Whether `c` is part of a word in a script written with spaces: letters and digits of Latin,
/// Greek, Cyrillic, Arabic, Devanagari and so on, and `_`.
///
/// Never Han, kana, Hangul, Thai or another script whose words touch each other; never a
/// combining mark.
pub fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    if !c.is_alphanumeric() || is_combining_mark(c) {
        return false;
    }
    let code = u32::from(c);
    let after = UNSPACED.partition_point(|&(first, _)| first <= code);
    after == 0 || UNSPACED[after - 1].1 < code
}

/// Whether the span `start..end` of `text` (bytes, on character borders) does not cut a word:
/// at neither end does a word character outside touch a word character inside.
///
/// Combining marks belong to the character they follow and are looked through. An empty span
/// cuts nothing.
pub fn on_word_boundaries(text: &str, start: usize, end: usize) -> bool {
    let (before, inside, after) = (&text[..start], &text[start..end], &text[end..]);
    let is_mark = |c: &char| !c.is_ascii() && is_combining_mark(*c);
    let first = inside.chars().next();
    let last = inside.chars().rev().find(|c| !is_mark(c));
    let cut_at_start = first.is_some_and(is_word_char)
        && before
            .chars()
            .rev()
            .find(|c| !is_mark(c))
            .is_some_and(is_word_char);
    let cut_at_end = last.is_some_and(is_word_char)
        && after
            .chars()
            .find(|c| !is_mark(c))
            .is_some_and(is_word_char);
    !cut_at_start && !cut_at_end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(text: &str, term: &str) -> bool {
        let start = text.find(term).expect("the term stands in the text");
        on_word_boundaries(text, start, start + term.len())
    }

    #[test]
    fn word_characters_by_script() {
        for c in "azAZ09_éßжΩשعक１Ａ".chars() {
            assert!(is_word_char(c), "{c}");
        }
        for c in " -.'中々〇のカ한ㄱㄅไ豈𠀀😀，。\u{301}\u{200B}".chars() {
            assert!(!is_word_char(c), "{c}");
        }
    }

    #[test]
    fn blocks_are_sorted() {
        assert!(UNSPACED.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(UNSPACED.iter().all(|(first, last)| first <= last));
    }

    #[test]
    fn latin_inside_a_word_is_cut() {
        assert!(!bounded("class", "ass"));
        assert!(!bounded("assume", "ass"));
        assert!(!bounded("ass_1", "ass"));
        assert!(!bounded("ass9", "ass"));
        assert!(bounded("what an ass", "ass"));
        assert!(bounded("ass", "ass"));
        assert!(bounded("(ass)", "ass"));
    }

    #[test]
    fn latin_beside_unspaced_scripts_is_whole() {
        assert!(bounded("是fuck吗", "fuck"));
        assert!(bounded("これはfuckだ", "fuck"));
        assert!(bounded("fuck입니다", "fuck"));
    }

    #[test]
    fn han_has_no_boundaries() {
        assert!(bounded("他是傻瓜吗", "傻瓜"));
        assert!(bounded("a傻瓜b", "傻瓜"));
    }

    #[test]
    fn each_edge_decides_for_itself() {
        assert!(bounded("很sb男", "sb男"));
        assert!(!bounded("asb男", "sb男"));
        assert!(bounded("sb男x", "sb男"));
    }

    #[test]
    fn marks_are_looked_through() {
        assert!(bounded("fuck\u{336}", "fuck"));
        assert!(!bounded("ass\u{336}ume", "ass"));
        assert!(!bounded("cl\u{336}ass", "ass"));
        assert!(!bounded("xa\u{336}", "a\u{336}"));
    }

    #[test]
    fn empty_span_cuts_nothing() {
        assert!(on_word_boundaries("ab", 1, 1));
        assert!(on_word_boundaries("", 0, 0));
    }
}
