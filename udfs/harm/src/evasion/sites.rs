//! Where plain characters disguise a term: an index from what stands around a separator, a sign
//! for a letter or a repeated letter to the terms that have it there.

use super::characters::Traits;
use super::compare::{REPEATED, char_before, end_of, next_char, own_gap_before, run, start_of};
use super::leet;
use super::separator::{self, is_separator};
use super::spelling::{Gap, Spelling, Unit, is_letter};
use super::split;
use crate::simd::prefetch;
use crate::via::{Forms, Via};

/// The first disguise of a term in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Separators inside a word or between Han characters, of a spelling that reaches over the
    /// end of a clause.
    Long,
    /// The same of a shorter spelling.
    Short,
    /// Other separators than the term has there.
    Words,
    Leet,
    Repeat,
}

/// Spellings by what stands around a disguise.
#[derive(Debug)]
pub(crate) struct Sites {
    long: Index,
    short: Index,
    words: Index,
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
const BITS_PER_KEY: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    key: u64,
    spelling: u32,
    unit: u16,
    /// What the spelling has left of a separator before the characters that are in the key, and
    /// right behind the character on its right, by [`short_class`]; 0 where a text may have
    /// something else there.
    beyond: (u16, u16),
}

/// Separators in a text, beside what stands on both sides of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Separators {
    at: usize,
    end: usize,
    key: u64,
    /// Whether terms may have them there, by [`Kind`].
    long: bool,
    short: bool,
    words: bool,
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
        let keys = uses.chunk_by(|left, right| left.key == right.key).count();
        let words = (keys * BITS_PER_KEY / 64)
            .next_power_of_two()
            .clamp(2, 1 << 22);
        let filter_shift = 64 - words.trailing_zeros();
        let mut filter = vec![0_u64; words];
        let buckets = uses.len().next_power_of_two().clamp(2, 1 << 24);
        let start_shift = 64 - buckets.trailing_zeros();
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

    /// Asks for the part of the filter that holds `key`.
    #[inline]
    fn prefetch(&self, key: u64) {
        prefetch(&self.filter, (key >> self.filter_shift) as usize);
    }

    #[inline]
    fn may_hold(&self, key: u64) -> bool {
        let bits = filter_bits(key);
        self.filter[(key >> self.filter_shift) as usize] & bits == bits
    }

    fn uses(&self, key: u64) -> &[Use] {
        let bucket = (key >> self.start_shift) as usize;
        let bucket = &self.uses[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        let first = bucket.partition_point(|used| used.key < key);
        let rest = &bucket[first..];
        &rest[..rest.partition_point(|used| used.key == key)]
    }
}

/// The bits of a key in its word of the filter.
#[inline]
fn filter_bits(key: u64) -> u64 {
    1 << (key & 63) | 1 << (key >> 6 & 63)
}

impl Sites {
    pub(crate) fn new(spellings: &[Spelling]) -> Self {
        let (mut long, mut short, mut words) = (Vec::new(), Vec::new(), Vec::new());
        let (mut leet, mut repeats) = (Vec::new(), Vec::new());
        for (number, spelling) in (0_u32..).zip(spellings) {
            index(number, spelling, &mut |kind, used| match kind {
                Kind::Long => long.push(used),
                Kind::Short => short.push(used),
                Kind::Words => words.push(used),
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
            long: Index::new(long),
            short: Index::new(short),
            words: Index::new(words),
            leet: Index::new(leet),
            repeats: Index::new(repeats),
        }
    }

    /// Whether no spelling may be disguised so.
    pub(crate) fn is_empty(&self) -> bool {
        let others = [&self.leet, &self.repeats];
        !self.take_separators() && others.into_iter().all(|index| index.uses.is_empty())
    }

    /// Whether some spelling may have other separators than its own.
    pub(crate) fn take_separators(&self) -> bool {
        let all = [&self.long, &self.short, &self.words];
        !all.into_iter().all(|index| index.uses.is_empty())
    }

    /// The separators from `at` on, where the character `c` starts, if terms may have them there.
    #[inline]
    pub(crate) fn separator_at(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
    ) -> Option<Separators> {
        let before = char_before(text, at)?;
        let last = Traits::of(before);
        if last.is_separator() || !traits.is_separator() {
            return None;
        }
        let mut ends_clause = traits.ends_clause();
        let mut room = separator::GAP.checked_sub(separator::count(c))?;
        let mut end = at + c.len_utf8();
        let (first, first_traits) = loop {
            let c = next_char(text, end)?;
            let traits = Traits::of(c);
            if !traits.is_separator() {
                break (c, traits);
            }
            ends_clause |= traits.ends_clause();
            room = room.checked_sub(separator::count(c))?;
            end += c.len_utf8();
        };
        let (is_letter_last, is_letter_first) = (last.is_letter(), first_traits.is_letter());
        let left = left_of(text, at - before.len_utf8(), last);
        let right = right_of(text, end + first.len_utf8(), first, first_traits);
        // What [`super::separator::allows`] would say of every term.
        let (long, short) = match (is_letter_last, is_letter_first) {
            (true, true) => {
                let stand_alone = || {
                    let behind = next_char(text, end + first.len_utf8());
                    left.0 == NOTHING && !behind.is_some_and(is_letter)
                };
                let inner = !text[at..end].contains(char::is_whitespace) || stand_alone();
                (inner, inner)
            }
            // A sign that ends a clause may stand for a letter.
            (false, false) if ends_clause => (true, false),
            _ => (true, true),
        };
        let is_number = before.is_ascii_digit() && first.is_ascii_digit();
        let separators = Separators {
            at,
            end,
            key: key(left, NOTHING, right),
            long: long && !is_number,
            short: short && !is_number,
            words: self.has_han_words || is_letter_last || is_letter_first,
        };
        for index in self.indices_for(&separators).into_iter().flatten() {
            index.prefetch(separators.key);
        }
        Some(separators)
    }

    /// Where the spellings stand that may have such separators.
    #[inline]
    fn indices_for(&self, separators: &Separators) -> [Option<&Index>; 3] {
        [
            separators.long.then_some(&self.long),
            separators.short.then_some(&self.short),
            separators.words.then_some(&self.words),
        ]
    }

    /// Spellings whose first disguise is these separators.
    #[inline]
    pub(crate) fn at_separators(
        &self,
        text: &str,
        separators: &Separators,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        for index in self.indices_for(separators).into_iter().flatten() {
            if index.may_hold(separators.key) {
                self.compare_separators(index, text, separators, spellings, found);
            }
        }
    }

    fn compare_separators(
        &self,
        index: &Index,
        text: &str,
        separators: &Separators,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let Separators { at, end, key, .. } = *separators;
        let (Some(last), Some(first)) = (char_before(text, at), next_char(text, end)) else {
            return;
        };
        let is_two =
            |last: char, second: Option<char>| is_letter(last) && second.is_some_and(is_letter);
        let before_last = char_before(text, at - last.len_utf8());
        let beyond = (
            text[..at]
                .chars()
                .rev()
                .nth(if is_two(last, before_last) { 2 } else { 1 })
                .map_or(0, short_class),
            next_char(text, end + first.len_utf8()).map_or(0, |c| match is_separator(c) {
                true => ANYTHING,
                false => short_class(c),
            }),
        );
        self.compare(index, key, true, beyond, text, at, spellings, found);
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
            Some(c) if is_letter(c) => right_of(text, at + 1 + c.len_utf8(), c, Traits::of(c)),
            Some(c) => match leet::letters(c).chars().next() {
                Some(letter) => (SIGN | class(letter), NOTHING),
                None => (NOTHING, NOTHING),
            },
            None => (NOTHING, NOTHING),
        };
        let mut visit = |left| {
            let key = key(left, class(letter), right);
            self.visit(&self.leet, left, key, text, at, spellings, found);
        };
        if let Some(c) = before.filter(|c| is_letter(*c)) {
            visit(left_of(text, at - c.len_utf8(), Traits::of(c)));
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
            Some(c) if is_letter(c) => left_of(text, at - c.len_utf8(), Traits::of(c)),
            _ => (NOTHING, NOTHING),
        };
        let right = match next_char(text, end) {
            Some(c) if is_letter(c) => right_of(text, end + c.len_utf8(), c, Traits::of(c)),
            _ => (NOTHING, NOTHING),
        };
        let key = key(left, u32::from(letter), right);
        self.visit(&self.repeats, left, key, text, at, spellings, found);
    }

    /// Spellings whose first disguise is other than separators, beside what stands left of it.
    #[expect(
        clippy::too_many_arguments,
        reason = "one place, seen from three sides"
    )]
    fn visit(
        &self,
        index: &Index,
        left: (u32, u32),
        key: u64,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        if index.may_hold(key) {
            let before = match left.0 {
                NOTHING | SPACE => ANYTHING,
                _ => text[..at].chars().rev().nth(2).map_or(0, short_class),
            };
            let beyond = (before, ANYTHING);
            self.compare(index, key, false, beyond, text, at, spellings, found);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place, seen from three sides"
    )]
    fn compare(
        &self,
        index: &Index,
        key: u64,
        are_separators: bool,
        beyond: (u16, u16),
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        for used in index.uses(key) {
            let may = |term: u16, text: u16| term == 0 || text == ANYTHING || term == text;
            if !may(used.beyond.0, beyond.0) || !may(used.beyond.1, beyond.1) {
                continue;
            }
            let spelling = &spellings[used.spelling as usize];
            let unit = usize::from(used.unit);
            // Left of the first disguise the term stands as it is written. A sign or repeated
            // letter follows the unit before it without a gap or behind the term's own.
            let left_end = match are_separators {
                true => Some(at),
                false => own_gap(text, at, spelling, unit),
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
        Gap::Several => text[..at]
            .char_indices()
            .rev()
            .find_map(|(before, c)| (!is_separator(c)).then_some(before + c.len_utf8())),
        gap => own_gap_before(text, at, gap),
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

/// The character `last` from `at` on, and if it and the one before are letters, that one too.
#[inline]
fn left_of(text: &str, at: usize, last: Traits) -> (u32, u32) {
    if !last.is_letter() {
        return (NOTHING, last.class());
    }
    let second = char_before(text, at).map(Traits::of);
    let second = second.filter(|second| second.is_letter());
    (second.map_or(NOTHING, Traits::class), last.class())
}

/// The character `first` up to `at`, and if it and the next are letters, that one too.
#[inline]
fn right_of(text: &str, at: usize, first: char, traits: Traits) -> (u32, u32) {
    if !traits.is_letter() {
        return (traits.class(), NOTHING);
    }
    let mut after = text[at..].chars();
    let second = after.next().filter(|c| is_letter(*c));
    // Of a repeated letter only the first counts.
    let same = |c: Option<char>| c.is_some_and(|c| c.eq_ignore_ascii_case(&first));
    let is_repeated = same(second) && same(after.next());
    let second = second.filter(|_| !is_repeated);
    (traits.class(), second.map_or(NOTHING, class))
}

#[inline]
fn key(left: (u32, u32), middle: u32, right: (u32, u32)) -> u64 {
    let both = |pair: (u32, u32)| u64::from(pair.0) << 32 | u64::from(pair.1);
    let mixed = u128::from(both(left) ^ 0x9E37_79B9_7F4A_7C15)
        * u128::from(both(right) ^ u64::from(middle) << 48 ^ 0xD6E8_FEB8_6659_FD93);
    (mixed as u64 ^ (mixed >> 64) as u64).wrapping_mul(0xA076_1D64_78BD_642F)
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
                    key: key(left, middle, right),
                    spelling: number,
                    unit,
                    beyond: match kind {
                        Kind::Long | Kind::Short | Kind::Words => beyond(at),
                        Kind::Leet | Kind::Repeat => match left.0 {
                            NOTHING | SPACE => (0, 0),
                            _ => (beyond(at).0, 0),
                        },
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
