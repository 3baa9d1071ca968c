//! The characters of a licence name, made comparable without losing its case.

use std::borrow::Cow;

/// Full-width ASCII lies at this distance above ASCII.
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;

/// Folds full-width forms to ASCII, every dash to `-`, every space to ` `, typographic quotes to
/// ASCII ones, and drops marks nobody sees or reads aloud (zero-width, bidi, (c), (r), (tm)).
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(fold_char).collect())
}

fn fold_char(character: char) -> Option<char> {
    Some(match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(character as u32 - FULL_WIDTH_OFFSET).unwrap_or(character)
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201C}' | '\u{201D}' => '"',
        '\u{00AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{00A9}'
        | '\u{00AE}'
        | '\u{2122}' => return None,
        space if space.is_whitespace() => ' ',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_dashes_and_spaces_become_ascii() {
        assert_eq!(fold("ＭＩＴ　Ｌｉｃｅｎｓｅ"), "MIT License");
        assert_eq!(fold("CC\u{2011}BY\u{2013}4．0"), "CC-BY-4.0");
        assert_eq!(fold("\u{FEFF}MI\u{200B}T\u{00AE}"), "MIT");
        assert_eq!(fold("木兰（第２版）"), "木兰(第2版)");
    }

    #[test]
    fn ascii_is_borrowed() {
        assert!(matches!(fold("MIT"), Cow::Borrowed("MIT")));
    }
}
