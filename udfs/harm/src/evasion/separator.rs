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

/// What stands beside a gap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    /// Whether the text has a digit there.
    pub(crate) is_digit: bool,
    /// Whether the term has a letter there, which a sign may stand for.
    pub(crate) is_letter: bool,
    /// Whether no other letter stands on its far side.
    pub(crate) stands_alone: bool,
}

/// Whether `gap` may stand between `left` and `right` inside a word. Between letters white space
/// ends a word, unless both stand alone; between digits every separator has a meaning; short Han
/// terms do not reach over the end of a clause.
pub(crate) fn allows(gap: &str, left: Beside, right: Beside, characters: usize) -> bool {
    if left.is_digit && right.is_digit {
        return false;
    }
    if left.is_letter && right.is_letter {
        return (left.stands_alone && right.stands_alone) || !gap.contains(char::is_whitespace);
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
        let beside = |is_digit, is_letter, stands_alone| Beside {
            is_digit,
            is_letter,
            stands_alone,
        };
        let [alone, inside] = [true, false].map(|alone| beside(false, true, alone));
        let han = beside(false, false, true);
        let digit = beside(true, false, true);
        let sign_inside = beside(true, true, false);
        assert!(allows(" ", alone, alone, 4));
        assert!(!allows(" ", inside, alone, 4));
        assert!(!allows(" ", sign_inside, alone, 4));
        assert!(allows("*", inside, inside, 4));
        assert!(allows("*", sign_inside, inside, 4));
        assert!(allows(" ", han, han, 2));
        assert!(!allows("，", han, han, 2));
        assert!(allows("，", han, han, 4));
        assert!(!allows(".", digit, digit, 2));
    }
}
