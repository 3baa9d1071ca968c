//! Spaces, punctuation, symbols and emoji put between the characters of a term.

use super::characters::Traits;

/// How many separators may stand in one gap.
pub(crate) const GAP: usize = 3;

/// Han terms up to this many characters are not found across the end of a clause.
pub(crate) const SHORT: usize = 3;

/// Whether `c` separates: see [`separates`].
#[inline]
pub(crate) fn is_separator(c: char) -> bool {
    Traits::of(c).is_separator()
}

/// Whether `c` is neither letter nor digit nor mark nor control, or is a low line or a line end.
pub(crate) fn separates(c: char) -> bool {
    if c.is_ascii() {
        return separates_ascii(c as u8);
    }
    !c.is_alphanumeric()
        && !c.is_control()
        && !unicode_normalization::char::is_combining_mark(c)
        && !tamis_text::is_default_ignorable(c)
}

/// The same of an ASCII character.
pub(crate) const fn separates_ascii(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && (!byte.is_ascii_control() || byte.is_ascii_whitespace())
}

/// How many separators `c` counts for: as many as its normal form has.
pub(crate) fn count(c: char) -> usize {
    match c {
        '…' => 3,
        '‥' => 2,
        _ => 1,
    }
}

/// Whether `c` ends a clause or a line.
pub(crate) const fn ends_clause(c: char) -> bool {
    matches!(
        c,
        ',' | '!'
            | '?'
            | ';'
            | ':'
            | '\n'
            | '\r'
            | '，'
            | '！'
            | '？'
            | '；'
            | '：'
            | '。'
            | '｡'
            | '、'
            | '､'
    )
}

/// Whether `gap` may stand between `left` and `right` inside a word. Between letters white space
/// ends a word, unless both stand alone; between digits every separator has a meaning; short Han
/// terms do not reach over the end of a clause.
pub(crate) fn allows(
    gap: &str,
    left: (char, bool),
    right: (char, bool),
    characters: usize,
) -> bool {
    if left.0.is_numeric() && right.0.is_numeric() && left.0.is_ascii() && right.0.is_ascii() {
        return false;
    }
    if Traits::of(left.0).is_letter() && Traits::of(right.0).is_letter() {
        return (left.1 && right.1) || !gap.contains(char::is_whitespace);
    }
    characters > SHORT || !gap.contains(ends_clause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        for c in " .-_*·、，★😀—\n\u{3000}".chars() {
            assert!(is_separator(c), "{c:?}");
        }
        for c in "a中9①é\u{301}\u{200B}\u{0}ก็".chars() {
            assert!(!is_separator(c), "{c:?}");
        }
    }

    #[test]
    fn gaps() {
        let (alone, inside) = (true, false);
        assert!(allows(" ", ('f', alone), ('u', alone), 4));
        assert!(!allows(" ", ('u', inside), ('c', alone), 4));
        assert!(allows("*", ('u', inside), ('c', inside), 4));
        assert!(allows(" ", ('傻', alone), ('逼', alone), 2));
        assert!(!allows("，", ('傻', alone), ('逼', alone), 2));
        assert!(allows("，", ('推', alone), ('翻', alone), 4));
        assert!(!allows(".", ('6', alone), ('4', alone), 2));
    }
}
