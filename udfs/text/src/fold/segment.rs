//! Normalises one segment, remembering where every character came from.

use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, compose, decompose_compatible};

use super::table::is_default_ignorable;

/// A character of the normal form and the bytes of the original it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) character: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Writes the normal form of `text[range]` to `units`.
pub(super) fn normalise(text: &str, range: Range<usize>, units: &mut Vec<Unit>) {
    units.clear();
    units.extend(
        text[range.clone()]
            .char_indices()
            .map(|(offset, character)| Unit {
                character,
                start: range.start + offset,
                end: range.start + offset + character.len_utf8(),
            })
            .filter(|unit| !is_default_ignorable(unit.character)),
    );
    // Lower case can make new compositions possible (H with a line below has none, h has), so
    // once more until it changes nothing.
    loop {
        to_nfkc(units);
        if !to_lower(units) {
            return;
        }
    }
}

fn to_nfkc(units: &mut Vec<Unit>) {
    let mut decomposed = Vec::with_capacity(units.len() * 2);
    for unit in units.iter() {
        decompose_compatible(unit.character, |character| {
            decomposed.push(Unit { character, ..*unit });
        });
    }
    reorder(&mut decomposed);
    recompose(decomposed, units);
}

/// Sorts each run of non-starters by combining class, keeping the order of equals.
fn reorder(units: &mut [Unit]) {
    let class = |unit: &Unit| canonical_combining_class(unit.character);
    for run in units.chunk_by_mut(|left, right| class(left) != 0 && class(right) != 0) {
        run.sort_by_key(class);
    }
}

/// The canonical composition algorithm; a composed character comes from all its parts.
fn recompose(decomposed: Vec<Unit>, units: &mut Vec<Unit>) {
    units.clear();
    let mut starter: Option<usize> = None;
    for unit in decomposed {
        let class = canonical_combining_class(unit.character);
        // A character is blocked from the starter by one of the same or a higher class between;
        // in canonical order only the last one kept can be that.
        let blocked = |starter: usize| {
            let last = units.len() - 1;
            last != starter && {
                let last_class = canonical_combining_class(units[last].character);
                last_class == 0 || last_class >= class
            }
        };
        if let Some(at) = starter.filter(|&at| !blocked(at))
            && let Some(character) = compose(units[at].character, unit.character)
        {
            let composed = &mut units[at];
            composed.character = character;
            composed.start = composed.start.min(unit.start);
            composed.end = composed.end.max(unit.end);
            continue;
        }
        if class == 0 {
            starter = Some(units.len());
        }
        units.push(unit);
    }
}

/// Lower-cases and drops ignorable characters; says whether anything changed.
fn to_lower(units: &mut Vec<Unit>) -> bool {
    let is_settled = |unit: &Unit| {
        let mut lower = lower_case(unit.character);
        lower.next() == Some(unit.character)
            && lower.next().is_none()
            && !is_default_ignorable(unit.character)
    };
    if units.iter().all(is_settled) {
        return false;
    }
    *units = units
        .iter()
        .filter(|unit| !is_default_ignorable(unit.character))
        .flat_map(|unit| lower_case(unit.character).map(|character| Unit { character, ..*unit }))
        .collect();
    true
}

/// Full lower case without context: the final form of sigma is sigma.
fn lower_case(c: char) -> std::char::ToLowercase {
    if c == 'ς' { 'Σ' } else { c }.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn nfkc(text: &str) -> String {
        let mut units = text
            .char_indices()
            .map(|(start, character)| Unit {
                character,
                start,
                end: start + character.len_utf8(),
            })
            .collect();
        to_nfkc(&mut units);
        units.iter().map(|unit| unit.character).collect()
    }

    #[test]
    fn is_nfkc_for_every_character() {
        for c in (0..=0x10FFFF).filter_map(char::from_u32) {
            let text = c.to_string();
            assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{c:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn is_nfkc_for_marks_and_jamo(
            text in "[aeoqEÅｶ\u{AC00}\u{1100}\u{1161}\u{11A8}\u{FF9E}\u{302}\u{323}\u{327}\u{345}\u{308}\u{301}\u{F71}\u{F72}\u{9C7}\u{9BE}]{0,8}",
        ) {
            prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        }

        #[test]
        fn is_nfkc_for_anything(text in any::<String>()) {
            prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        }
    }
}
