//! Where a term may be disguised, and what stands around it there.

use std::sync::LazyLock;

use tamis_text::is_word_char;

use super::index::{Beyond, Kind};
use super::key::{BEYOND, BOUNDARY, Left, NOTHING, SIGN, SPACED, byte_class, class, letter_bit};
use crate::evasion::compare::REPEATED;
use crate::evasion::leet;
use crate::evasion::separator::{self, is_separator};
use crate::evasion::spelling::{Gap, Spelling, is_letter};
use crate::evasion::split;
use crate::via::Via;

/// The classes by which signs for `letter` go: that of the first letter each may stand for.
fn sign_classes(letter: char) -> impl Iterator<Item = u32> {
    static OF_LETTERS: LazyLock<[Vec<u32>; 26]> = LazyLock::new(|| {
        std::array::from_fn(|nth| {
            let mut classes: Vec<u32> = leet::signs(char::from(b'a' + nth as u8))
                .filter_map(|sign| leet::letters(sign).chars().next())
                .map(class)
                .collect();
            classes.sort_unstable();
            classes.dedup();
            classes
        })
    });
    let nth = u32::from(letter).wrapping_sub(u32::from('a')) as usize;
    OF_LETTERS.get(nth).into_iter().flatten().copied()
}

/// The classes by which a character of a term goes behind separators.
fn classes_beyond(c: char) -> impl Iterator<Item = u32> {
    let as_sign = leet::letters(c).chars().next().map(class);
    let by_signs = sign_classes(c).chain(as_sign).map(|class| SIGN | class);
    let in_parts = split::parts(c).filter_map(|parts| parts.chars().next().map(class));
    std::iter::once(class(c)).chain(by_signs).chain(in_parts)
}

/// What a key is made of: what stands on the left, what is there instead of a letter, and what stands
/// on the right.
pub(super) type Sides = (Left, u32, (u32, u32));

/// Gives `each` the places of a spelling that may be its first disguise: the kind, what makes the
/// key, the unit and what stands beyond.
pub(super) fn each_use(spelling: &Spelling, each: &mut dyn FnMut(Kind, Sides, u16, Beyond)) {
    let units = &spelling.units;
    // Letters directly before unit `at`, and from unit `at` on.
    let left = |at: usize| -> Left {
        let mut classes = [NOTHING; 3];
        for (nth, unit) in units[..at].iter().rev().take(3).enumerate() {
            let goes_on = units[at - nth].gap == Gap::None && is_letter(units[at - nth].c);
            if nth > 0 && !(goes_on && is_letter(unit.c)) {
                break;
            }
            classes[nth] = class(unit.c);
        }
        Left::of(classes)
    };
    // What may stand on the right of unit `at`, written to `all`.
    let right = |at: usize, uses_nothing: bool, all: &mut Vec<(u32, u32)>| {
        all.clear();
        let Some(first) = units.get(at) else {
            all.push((NOTHING, NOTHING));
            return;
        };
        all.push((class(first.c), NOTHING));
        if let Some(second) = units.get(at + 1)
            && second.gap == Gap::None
            && is_letter(first.c)
            && is_letter(second.c)
        {
            all.push((class(first.c), class(second.c)));
        }
        if uses_nothing {
            if units[at].gap != Gap::None || !is_letter(first.c) {
                all.clear();
            }
            let beyond = |spaced| {
                classes_beyond(first.c).map(move |class| (BEYOND | spaced | class, NOTHING))
            };
            all.extend(beyond(0));
            if units[at].gap != Gap::None {
                all.extend(beyond(SPACED));
            }
        }
    };
    // Characters that every text has as the spelling does, but for what classes bear with.
    let is_settled = |at: usize| {
        let c = units[at].c;
        !c.is_ascii_lowercase() && !is_separator(c) && split::parts(c).next().is_none()
    };
    let beyond = |at: usize, in_key: usize| {
        let mut before = [0; 4];
        for (nth, class) in before.iter_mut().enumerate() {
            let Some(unit) = at.checked_sub(in_key + nth + 1) else {
                if spelling.whole_words && at == in_key + nth && is_word_char(units[0].c) {
                    *class = BOUNDARY;
                }
                break;
            };
            let c = units[unit].c;
            let is_split = split::parts(c).next().is_some();
            if units[unit + 1].gap != Gap::None || is_separator(c) || is_split {
                break;
            }
            *class = byte_class(c);
        }
        let after = Some(at + 1).filter(|&after| {
            after < units.len()
                && units[after].gap == Gap::None
                && is_settled(at)
                && is_settled(after)
        });
        Beyond {
            before,
            letters: 0,
            after: after.map_or(0, |after| byte_class(units[after].c)),
        }
    };
    let mut add = |kind: Kind,
                   left: Left,
                   middle: u32,
                   rights: &[(u32, u32)],
                   units_between: std::ops::Range<usize>| {
        let std::ops::Range { start: at, end } = units_between;
        let Ok(unit) = u16::try_from(at) else {
            return;
        };
        // Behind two letters, or behind a sign for one or what stands behind separators.
        let letters_behind = |right: (u32, u32)| {
            let behind = match right {
                (first, NOTHING) if first & (SIGN | BEYOND) != 0 => end + 1,
                (_, NOTHING) => return 0,
                _ => end + 2,
            };
            units
                .get(behind)
                .filter(|unit| unit.gap == Gap::None)
                .map_or(0, |unit| letter_bit(class(unit.c)))
        };
        for &right in rights {
            let beyond = match (kind, left.characters()) {
                (Kind::Long | Kind::Short | Kind::Words, in_key) => beyond(at, in_key),
                (Kind::Leet | Kind::Repeat, 0) => Beyond {
                    letters: letters_behind(right),
                    ..Beyond::default()
                },
                (Kind::Leet | Kind::Repeat, in_key) => Beyond {
                    after: 0,
                    letters: letters_behind(right),
                    ..beyond(at, in_key)
                },
            };
            each(kind, (left, middle, right), unit, beyond);
        }
    };
    let asked = |via| spelling.asked.holds(via);
    let mut rights = Vec::new();
    for at in 0..units.len() {
        let c = units[at].c;
        if asked(Via::Separator) && at > 0 && !is_separator(c) && !is_separator(units[at - 1].c) {
            let kind = match units[at].gap {
                Gap::One(_) | Gap::Several => Kind::Words,
                _ if units.len() > separator::SHORT => Kind::Long,
                _ => Kind::Short,
            };
            right(at, false, &mut rights);
            add(kind, left(at), NOTHING, &rights, at..at);
        }
        if !c.is_ascii_lowercase() {
            continue;
        }
        let letters_left = match left(at) {
            _ if units[at].gap != Gap::None => Left::NOTHING,
            left if !char::from_u32(left.classes[0]).is_some_and(is_letter) => Left::NOTHING,
            left => left,
        };
        if asked(Via::Leet) && spelling.takes_leet && leet::signs(c).next().is_some() {
            let left = match units[at].gap {
                Gap::One(' ') if is_letter(units[at - 1].c) => {
                    Left::word_before(class(units[at - 1].c))
                }
                _ => letters_left,
            };
            right(at + 1, true, &mut rights);
            if let Some(next) = units.get(at + 1).filter(|next| next.gap == Gap::None) {
                rights.extend(sign_classes(next.c).map(|class| (SIGN | class, NOTHING)));
            }
            // A sign alone is a letter only where it is a word of the term.
            let is_alone = |right: u32| match right {
                NOTHING => left == Left::NOTHING,
                _ => left.characters() == 0 && right & BEYOND != 0 && right & SPACED == 0,
            };
            rights.retain(|right| !is_alone(right.0));
            for middle in sign_classes(c) {
                add(Kind::Leet, left, middle, &rights, at..at + 1);
            }
        }
        let starts_run = at == 0 || units[at - 1].c != c || units[at].gap != Gap::None;
        if starts_run && asked(Via::Repeat) {
            let in_term = 1 + units[at + 1..]
                .iter()
                .take_while(|unit| unit.c == c && unit.gap == Gap::None)
                .count();
            debug_assert!(in_term >= 1 && REPEATED > 1);
            right(at + in_term, true, &mut rights);
            add(
                Kind::Repeat,
                letters_left,
                u32::from(c),
                &rights,
                at..at + in_term,
            );
        }
    }
}
