//! How a model cuts a text: into windows, and windows into units.

/// Gives `each` the units of a folded text: where they start and end, in bytes, and a hash of
/// their characters.
///
/// A run of letters, digits and marks of a script that puts spaces between words is one unit.
/// Every character of the others (Han, kana, Thai, Lao, Burmese, Khmer), punctuation and symbols
/// are units by themselves. White space only separates.
#[inline]
pub(super) fn each_unit(text: &str, mut each: impl FnMut(usize, usize, u64)) {
    let mut run = None;
    for (at, character) in text.char_indices() {
        match kind(character) {
            Kind::Run => {
                let (_, hash) = run.get_or_insert((at, SEED));
                *hash = add_character(*hash, character);
            }
            other => {
                if let Some((start, hash)) = run.take() {
                    each(start, at, hash);
                }
                if other == Kind::Single {
                    each(
                        at,
                        at + character.len_utf8(),
                        add_character(SEED, character),
                    );
                }
            }
        }
    }
    if let Some((start, hash)) = run {
        each(start, text.len(), hash);
    }
}

pub(super) const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn add_character(hash: u64, character: char) -> u64 {
    mix(hash, u64::from(u32::from(character)))
}

/// A hash of what was hashed before and the next value. Part of the format of linear models.
#[inline]
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ value).wrapping_mul(MULTIPLIER);
    mixed ^ (mixed >> 31)
}

/// The units of a text with single spaces between them, what fastText takes for words.
pub(super) fn segmented(text: &str, into: &mut String) {
    into.clear();
    each_unit(text, |start, end, _| {
        if !into.is_empty() {
            into.push(' ');
        }
        into.push_str(&text[start..end]);
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Run,
    Single,
    Space,
}

#[inline]
fn kind(character: char) -> Kind {
    match character {
        '0'..='9' | 'a'..='z' | 'A'..='Z' => Kind::Run,
        // Han, the bulk of Chinese text.
        '\u{4e00}'..='\u{9fff}' => Kind::Single,
        // Thai and Lao, Burmese, Khmer, kana, rarer Han.
        '\u{0e00}'..='\u{0eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{20000}'..='\u{3ffff}' => Kind::Single,
        _ if character.is_whitespace() => Kind::Space,
        _ if character.is_alphanumeric()
            || unicode_normalization::char::is_combining_mark(character) =>
        {
            Kind::Run
        }
        _ => Kind::Single,
    }
}

/// Cuts a text into windows of at most `limit` characters, behind the end of a sentence where one
/// lies in the second half, else behind white space or a comma there, else anywhere. 0 cuts
/// nothing. An empty text is one empty window.
///
/// Text put behind another changes none of its windows but the last.
pub(super) fn windows(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = window_end(text, limit);
        rest = Some(&text[end..]).filter(|rest| !rest.is_empty());
        Some(&text[..end])
    })
}

fn window_end(text: &str, limit: usize) -> usize {
    if limit == 0 || text.len() <= limit {
        return text.len();
    }
    let (mut sentence, mut pause) = (None, None);
    for (count, (at, character)) in text.char_indices().enumerate() {
        if count == limit {
            return sentence.or(pause).unwrap_or(at);
        }
        if count >= limit / 2 {
            let behind = Some(at + character.len_utf8());
            match character {
                '。' | '！' | '？' | '!' | '?' | '\n' | '；' | ';' | '.' | '…' => {
                    sentence = behind;
                }
                '，' | ',' | '、' => pause = behind,
                _ if character.is_whitespace() => pause = behind,
                _ => {}
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        each_unit(text, |start, end, _| found.push(&text[start..end]));
        found
    }

    #[test]
    fn words_stay_whole_and_han_characters_apart() {
        assert_eq!(
            units("今天iphone15的 price是 ¥3,999。"),
            [
                "今", "天", "iphone15", "的", "price", "是", "¥", "3", ",", "999", "。"
            ]
        );
        assert_eq!(
            units("Привет мир café 한국어 ไทย"),
            ["Привет", "мир", "café", "한국어", "ไ", "ท", "ย"]
        );
        assert_eq!(units(" \n"), [""; 0]);
        let mut joined = String::from("left over");
        segmented("坏话 bad", &mut joined);
        assert_eq!(joined, "坏 话 bad");
    }

    #[test]
    fn windows_end_behind_sentences() {
        let cut = |text, limit| windows(text, limit).collect::<Vec<_>>();
        assert_eq!(cut("", 4), [""]);
        assert_eq!(cut("一二三四五六", 0), ["一二三四五六"]);
        assert_eq!(cut("一二三四五六", 4), ["一二三四", "五六"]);
        assert_eq!(cut("一二，三四五六", 4), ["一二，", "三四五六"]);
        assert_eq!(cut("一二。，三四五六", 4), ["一二。", "，三四五", "六"]);
        assert_eq!(cut("一。二三四五", 4), ["一。二三", "四五"], "first half");
    }

    proptest! {
        #[test]
        fn windows_keep_every_character_and_the_limit(text in "[a-c今。， ]{0,40}", limit in 1usize..9) {
            let cut: Vec<&str> = windows(&text, limit).collect();
            prop_assert_eq!(&cut.concat(), &text);
            prop_assert!(cut.iter().all(|window| window.chars().count() <= limit));
        }

        #[test]
        fn more_text_changes_the_last_window_only(
            text in "[ab今。，]{0,40}", more in "[ab今。，]{0,20}", limit in 1usize..9,
        ) {
            let before: Vec<&str> = windows(&text, limit).collect();
            let longer = format!("{text}{more}");
            let after: Vec<&str> = windows(&longer, limit).collect();
            let kept = before.len() - 1;
            prop_assert_eq!(&before[..kept], &after[..kept]);
        }
    }
}
