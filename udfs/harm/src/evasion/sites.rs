//! Where plain characters disguise a term: an index from what stands around a separator, a sign
//! for a letter or a repeated letter to the terms that have it there.

use super::characters::Traits;
use super::compare::{REPEATED, char_before, end_of, gap_after, next_char, run, start_of};
use super::leet;
use super::separator::{self, ends_clause, is_separator};
use super::spelling::{Gap, Spelling, Unit, is_letter};
use super::split;
use crate::via::{Forms, Via};

/// The first disguise of a term in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// Separators inside a word or between Han characters, of a spelling that reaches over the
    /// end of a clause.
    Long = 1,
    /// The same of a shorter spelling.
    Short = 2,
    /// Other separators than the term has there.
    Words = 3,
    Leet = 4,
    Repeat = 5,
}

/// Spellings by what stands around a disguise.
#[derive(Debug)]
pub(crate) struct Sites {
    separators: Index,
    leet: Index,
    repeats: Index,
    /// Whether some spelling has separators of its own between characters that are no letters.
    has_han_words: bool,
}

/// Uses by their keys.
#[derive(Debug)]
struct Index {
    /// Two bits for each key in the word its upper bits name.
    filter: Vec<u64>,
    filter_shift: u32,
    /// Ascending by key.
    uses: Vec<Use>,
    /// Where in `uses` the keys begin that share their upper bits.
    starts: Vec<u32>,
    start_shift: u32,
}

/// Bits of the filter for a key: few go on to the uses, and it stays in the cache.
const BITS_PER_KEY: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    key: u32,
    spelling: u32,
    unit: u16,
    /// What the spelling has left of a separator before the characters that are in the key, and
    /// right behind the character on its right, by [`short_class`]; 0 where a text may have
    /// something else there.
    beyond: (u16, u16),
}

/// A spelling found in disguise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) spelling: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) forms: Forms,
}

impl Index {
    fn new(mut uses: Vec<Use>) -> Self {
        uses.sort_unstable();
        uses.dedup();
        let words = (uses.len() * BITS_PER_KEY / 64)
            .next_power_of_two()
            .clamp(2, 1 << 22);
        let filter_shift = 32 - words.trailing_zeros();
        let mut filter = vec![0_u64; words];
        let buckets = uses.len().next_power_of_two().clamp(2, 1 << 24);
        let start_shift = 32 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for used in &uses {
            filter[(used.key >> filter_shift) as usize] |= filter_bits(used.key);
            starts[(used.key >> start_shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            filter,
            filter_shift,
            uses,
            starts,
            start_shift,
        }
    }

    #[inline]
    fn uses(&self, key: u32) -> &[Use] {
        let bits = filter_bits(key);
        if self.filter[(key >> self.filter_shift) as usize] & bits != bits {
            return &[];
        }
        let bucket = (key >> self.start_shift) as usize;
        let bucket = &self.uses[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        let first = bucket.partition_point(|used| used.key < key);
        let rest = &bucket[first..];
        &rest[..rest.partition_point(|used| used.key == key)]
    }
}

/// The bits of a key in its word of the filter.
#[inline]
fn filter_bits(key: u32) -> u64 {
    1 << (key & 63) | 1 << (key >> 6 & 63)
}

impl Sites {
    pub(crate) fn new(spellings: &[Spelling]) -> Self {
        let (mut separators, mut leet, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
        for (number, spelling) in (0_u32..).zip(spellings) {
            index(number, spelling, &mut |kind, used| match kind {
                Kind::Long | Kind::Short | Kind::Words => separators.push(used),
                Kind::Leet => leet.push(used),
                Kind::Repeat => repeats.push(used),
            });
        }
        let is_han_word = |pair: &[Unit]| {
            matches!(pair[1].gap, Gap::One(_) | Gap::Several)
                && !is_letter(pair[0].c)
                && !is_letter(pair[1].c)
        };
        Self {
            has_han_words: spellings
                .iter()
                .any(|spelling| spelling.units.windows(2).any(is_han_word)),
            separators: Index::new(separators),
            leet: Index::new(leet),
            repeats: Index::new(repeats),
        }
    }

    /// Whether no spelling may be disguised so.
    pub(crate) fn is_empty(&self) -> bool {
        let all = [&self.separators, &self.leet, &self.repeats];
        all.into_iter().all(|index| index.uses.is_empty())
    }

    /// Spellings whose first disguise is the separators from `at` on.
    pub(crate) fn at_separator(
        &self,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        if self.separators.uses.is_empty() {
            return;
        }
        let Some(before) = char_before(text, at) else {
            return;
        };
        let last = Traits::of(before);
        if last.is_separator() {
            return;
        }
        let Some(end) = gap_after(text, at) else {
            return;
        };
        let Some(right) = right_of(text, end) else {
            return;
        };
        let left = left_of(text, at);
        let first = next_char(text, end).expect("what is right of the gap");
        let beyond = (
            text[..at]
                .chars()
                .rev()
                .nth(if left.0 == NOTHING { 1 } else { 2 })
                .map_or(0, short_class),
            next_char(text, end + first.len_utf8()).map_or(0, |c| match is_separator(c) {
                true => ANYTHING,
                false => short_class(c),
            }),
        );
        let mut visit = |kind: Kind| {
            self.visit(
                kind, left, NOTHING, right, beyond, text, at, spellings, found,
            );
        };
        let is_letter_first = Traits::of(first).is_letter();
        if self.has_han_words || last.is_letter() || is_letter_first {
            visit(Kind::Words);
        }
        // What [`super::separator::allows`] would say of every term.
        let gap = &text[at..end];
        match (last.is_letter(), is_letter_first) {
            (true, true) => {
                let stand_alone = || {
                    let beside = char_before(text, at - before.len_utf8());
                    let behind = next_char(text, end + first.len_utf8());
                    !beside.is_some_and(is_letter) && !behind.is_some_and(is_letter)
                };
                if gap.contains(char::is_whitespace) && !stand_alone() {
                    return;
                }
            }
            _ if before.is_ascii_digit() && first.is_ascii_digit() => return,
            // A sign that ends a clause may stand for a letter.
            (false, false) if gap.contains(ends_clause) => {
                visit(Kind::Long);
                return;
            }
            _ => {}
        }
        visit(Kind::Long);
        visit(Kind::Short);
    }

    /// Spellings whose first disguise is the sign at `at`.
    pub(crate) fn at_sign(
        &self,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let sign = text.as_bytes()[at] as char;
        let Some(letter) = leet::letters(sign).chars().next() else {
            return;
        };
        let before = char_before(text, at);
        if before.is_some_and(|c| c.is_ascii_digit()) {
            return;
        }
        let right = match next_char(text, at + 1) {
            Some(c) if is_letter(c) => right_of(text, at + 1).unwrap_or((NOTHING, NOTHING)),
            Some(c) => match leet::letters(c).chars().next() {
                Some(letter) => (SIGN | class(letter), NOTHING),
                None => (NOTHING, NOTHING),
            },
            None => (NOTHING, NOTHING),
        };
        let mut visit = |left| {
            self.visit(
                Kind::Leet,
                left,
                class(letter),
                right,
                (ANYTHING, ANYTHING),
                text,
                at,
                spellings,
                found,
            );
        };
        if before.is_some_and(is_letter) {
            visit(left_of(text, at));
            return;
        }
        // Digits alone are a number, unless they are a word among others.
        let digits = text.as_bytes()[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let mut behind = text[at + digits..].chars();
        let goes_on = |c: char| is_letter(c) || !leet::letters(c).is_empty();
        let is_number = digits > 1
            && !match behind.next() {
                Some(' ') => behind.next().is_some_and(goes_on),
                next => next.is_some_and(goes_on),
            };
        if !is_number {
            visit((NOTHING, NOTHING));
        }
        // The term may have begun with a word before.
        if before == Some(' ')
            && let Some(c) = char_before(text, at - 1).filter(|c| is_letter(*c))
        {
            visit((SPACE, class(c)));
        }
    }

    /// Spellings whose first disguise is the letter repeated from `at` on.
    pub(crate) fn at_repeat(
        &self,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let letter = (text.as_bytes()[at] as char).to_ascii_lowercase();
        let end = at + run(text, at, letter);
        let left = match char_before(text, at) {
            Some(c) if is_letter(c) => left_of(text, at),
            _ => (NOTHING, NOTHING),
        };
        let right = match next_char(text, end) {
            Some(c) if is_letter(c) => right_of(text, end).unwrap_or((NOTHING, NOTHING)),
            _ => (NOTHING, NOTHING),
        };
        self.visit(
            Kind::Repeat,
            left,
            u32::from(letter),
            right,
            (ANYTHING, ANYTHING),
            text,
            at,
            spellings,
            found,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place, seen from three sides"
    )]
    fn visit(
        &self,
        kind: Kind,
        left: (u32, u32),
        middle: u32,
        right: (u32, u32),
        beyond: (u16, u16),
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let index = match kind {
            Kind::Long | Kind::Short | Kind::Words => &self.separators,
            Kind::Leet => &self.leet,
            Kind::Repeat => &self.repeats,
        };
        for used in index.uses(key(kind, left, middle, right)) {
            let may = |term: u16, text: u16| term == 0 || text == ANYTHING || term == text;
            if !may(used.beyond.0, beyond.0) || !may(used.beyond.1, beyond.1) {
                continue;
            }
            let spelling = &spellings[used.spelling as usize];
            let unit = usize::from(used.unit);
            // Left of the first disguise the term stands as it is written. A sign or repeated
            // letter follows the unit before it without a gap or behind the term's own.
            let left_end = match kind {
                Kind::Long | Kind::Short | Kind::Words => Some(at),
                _ => own_gap(text, at, spelling, unit),
            };
            let Some((start, before)) =
                left_end.and_then(|end| start_of(text, end, spelling, unit))
            else {
                continue;
            };
            let from = left_end.unwrap_or(at);
            let Some((end, after)) = end_of(text, from, spelling, unit) else {
                continue;
            };
            found.push(Found {
                spelling: used.spelling as usize,
                start,
                end,
                forms: before.and(after).and(spelling.forms),
            });
        }
    }
}

/// Where the unit before `unit` ends, if the term's own gap stands between it and `at`.
pub(crate) fn own_gap(text: &str, at: usize, spelling: &Spelling, unit: usize) -> Option<usize> {
    match spelling.units[unit].gap {
        _ if unit == 0 => Some(at),
        Gap::None => Some(at),
        Gap::Optional => Some(at - usize::from(char_before(text, at) == Some(' '))),
        Gap::One(own) => char_before(text, at)
            .filter(|c| super::spelling::normal_char(*c) == own)
            .map(|c| at - c.len_utf8()),
        Gap::Several => text[..at]
            .char_indices()
            .rev()
            .find_map(|(before, c)| (!is_separator(c)).then_some(before + c.len_utf8())),
    }
}

const NOTHING: u32 = 0;
/// The word before, behind a space.
const SPACE: u32 = 1 << 21;
/// A sign for the letter.
const SIGN: u32 = 1 << 22;

/// What keys hold for a character: the same for all its forms that plain texts have.
fn class(c: char) -> u32 {
    Traits::of(c).class()
}

/// Agrees with whatever a spelling has.
const ANYTHING: u16 = u16::MAX;

/// Part of the class of a character, neither 0 nor [`ANYTHING`].
fn short_class(c: char) -> u16 {
    (class(c) % 0xFFF1) as u16 + 1
}

/// The last character before `at`, and if it and the one before are letters, that one too.
fn left_of(text: &str, at: usize) -> (u32, u32) {
    let mut before = text[..at].chars().rev();
    let last = before.next().map(Traits::of);
    let Some(last) = last.filter(|last| !last.is_separator()) else {
        return (NOTHING, NOTHING);
    };
    if !last.is_letter() {
        return (NOTHING, last.class());
    }
    let second = before.next().map(Traits::of);
    let second = second.filter(|second| second.is_letter());
    (second.map_or(NOTHING, Traits::class), last.class())
}

/// The first character from `at` on, and if it and the next are letters, that one too.
fn right_of(text: &str, at: usize) -> Option<(u32, u32)> {
    let mut after = text[at..].chars();
    let first = after.next()?;
    let traits = Traits::of(first);
    if traits.is_separator() {
        return None;
    }
    if !traits.is_letter() {
        return Some((traits.class(), NOTHING));
    }
    let second = after.next().filter(|c| is_letter(*c));
    // Of a repeated letter only the first counts.
    let same = |c: Option<char>| c.is_some_and(|c| c.eq_ignore_ascii_case(&first));
    let is_repeated = same(second) && same(after.next());
    let second = second.filter(|_| !is_repeated);
    Some((class(first), second.map_or(NOTHING, class)))
}

fn key(kind: Kind, left: (u32, u32), middle: u32, right: (u32, u32)) -> u32 {
    let mut hash = kind as u64;
    for part in [left.0, left.1, middle, right.0, right.1] {
        hash = (hash.rotate_left(21) ^ u64::from(part)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (hash >> 32) as u32
}

/// The classes by which signs for `letter` go: that of the first letter each may stand for.
fn sign_classes(letter: char) -> impl Iterator<Item = u32> {
    let mut classes: Vec<u32> = leet::signs(letter)
        .filter_map(|sign| leet::letters(sign).chars().next())
        .map(class)
        .collect();
    classes.sort_unstable();
    classes.dedup();
    classes.into_iter()
}

/// Adds the keys of a spelling.
fn index(number: u32, spelling: &Spelling, each: &mut dyn FnMut(Kind, Use)) {
    let units = &spelling.units;
    // Letters directly before unit `at`, and from unit `at` on.
    let left = |at: usize| -> (u32, u32) {
        let Some(last) = at.checked_sub(1).map(|last| units[last]) else {
            return (NOTHING, NOTHING);
        };
        let second = at.checked_sub(2).map(|second| units[second].c);
        let second = second.filter(|c| last.gap == Gap::None && is_letter(last.c) && is_letter(*c));
        (second.map_or(NOTHING, class), class(last.c))
    };
    let right = |at: usize, uses_nothing: bool| -> Vec<(u32, u32)> {
        let Some(first) = units.get(at) else {
            return vec![(NOTHING, NOTHING)];
        };
        let mut all = vec![(class(first.c), NOTHING)];
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
            all.push((NOTHING, NOTHING));
        }
        all
    };
    // Characters that every text has as the spelling does, but for what classes bear with.
    let is_settled = |at: usize| {
        let c = units[at].c;
        !c.is_ascii_lowercase() && !is_separator(c) && split::parts(c).next().is_none()
    };
    let beyond = |at: usize| {
        let in_key = if left(at).0 == NOTHING { 1 } else { 2 };
        let before = at.checked_sub(in_key + 1).filter(|&before| {
            let c = units[before].c;
            units[before + 1].gap == Gap::None
                && !is_separator(c)
                && split::parts(c).next().is_none()
        });
        let after = Some(at + 1).filter(|&after| {
            after < units.len()
                && units[after].gap == Gap::None
                && is_settled(at)
                && is_settled(after)
        });
        let of = |at: Option<usize>| at.map_or(0, |at| short_class(units[at].c));
        (of(before), of(after))
    };
    let mut add =
        |kind: Kind, left: (u32, u32), middle: u32, right: Vec<(u32, u32)>, unit: usize| {
            let at = unit;
            let Ok(unit) = u16::try_from(unit) else {
                return;
            };
            for right in right {
                let used = Use {
                    key: key(kind, left, middle, right),
                    spelling: number,
                    unit,
                    beyond: match kind {
                        Kind::Long | Kind::Short | Kind::Words => beyond(at),
                        Kind::Leet | Kind::Repeat => (0, 0),
                    },
                };
                each(kind, used);
            }
        };
    let asked = |via| spelling.asked.holds(via);
    for at in 0..units.len() {
        let c = units[at].c;
        if asked(Via::Separator) && at > 0 && !is_separator(c) && !is_separator(units[at - 1].c) {
            let kind = match units[at].gap {
                Gap::One(_) | Gap::Several => Kind::Words,
                _ if units.len() > separator::SHORT => Kind::Long,
                _ => Kind::Short,
            };
            add(kind, left(at), NOTHING, right(at, false), at);
        }
        if !c.is_ascii_lowercase() {
            continue;
        }
        let letters_left = match left(at) {
            _ if units[at].gap != Gap::None => (NOTHING, NOTHING),
            (_, last) if char::from_u32(last).is_none_or(|c| !is_letter(c)) => (NOTHING, NOTHING),
            left => left,
        };
        if asked(Via::Leet) && spelling.takes_leet && leet::signs(c).next().is_some() {
            let left = match units[at].gap {
                Gap::One(' ') if is_letter(units[at - 1].c) => (SPACE, class(units[at - 1].c)),
                _ => letters_left,
            };
            let mut rights = right(at + 1, true);
            if let Some(next) = units.get(at + 1).filter(|next| next.gap == Gap::None) {
                rights.extend(sign_classes(next.c).map(|class| (SIGN | class, NOTHING)));
            }
            rights.retain(|right| left.1 != NOTHING || right.0 != NOTHING);
            for middle in sign_classes(c) {
                add(Kind::Leet, left, middle, rights.clone(), at);
            }
        }
        let starts_run = at == 0 || units[at - 1].c != c || units[at].gap != Gap::None;
        if starts_run && asked(Via::Repeat) {
            let in_term = 1 + units[at + 1..]
                .iter()
                .take_while(|unit| unit.c == c && unit.gap == Gap::None)
                .count();
            debug_assert!(in_term >= 1 && REPEATED > 1);
            add(
                Kind::Repeat,
                letters_left,
                u32::from(c),
                right(at + in_term, true),
                at,
            );
        }
    }
}
