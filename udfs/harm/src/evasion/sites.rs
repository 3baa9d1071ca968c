//! Where plain characters disguise a term: an index from what stands around a separator, a sign
//! for a letter or a repeated letter to the terms that have it there.

use tamis_text::simplified;

use super::compare::{REPEATED, char_before, end_of, gap_after, next_char, run, start_of};
use super::leet;
use super::number::digit;
use super::separator::is_separator;
use super::spelling::{Gap, Spelling, is_letter};
use crate::via::Forms;

/// The first disguise of a term in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Separator = 1,
    Leet = 2,
    Repeat = 3,
}

/// Spellings by what stands around a disguise.
#[derive(Debug)]
pub(crate) struct Sites {
    /// One bit for each key, by its upper bits.
    filter: Vec<u64>,
    filter_shift: u32,
    /// Ascending by key.
    uses: Vec<Use>,
    /// Where in `uses` the keys begin that share their upper bits.
    starts: Vec<u32>,
    start_shift: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    key: u32,
    spelling: u32,
    unit: u16,
}

/// A spelling found in disguise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) spelling: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) forms: Forms,
}

impl Sites {
    pub(crate) fn new(spellings: &[Spelling]) -> Self {
        let mut uses = Vec::new();
        for (number, spelling) in (0_u32..).zip(spellings) {
            index(number, spelling, &mut uses);
        }
        uses.sort_unstable();
        uses.dedup();
        // One key in 32 bits set.
        let bits = (uses.len().max(1) * 32)
            .next_power_of_two()
            .clamp(64, 1 << 28);
        let filter_shift = 32 - bits.trailing_zeros();
        let mut filter = vec![0_u64; bits / 64];
        let buckets = uses.len().max(1).next_power_of_two().clamp(2, 1 << 24);
        let start_shift = 32 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for used in &uses {
            let bit = (used.key >> filter_shift) as usize;
            filter[bit / 64] |= 1 << (bit % 64);
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
        let bit = (key >> self.filter_shift) as usize;
        if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
            return &[];
        }
        let bucket = (key >> self.start_shift) as usize;
        let bucket = &self.uses[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        let first = bucket.partition_point(|used| used.key < key);
        let rest = &bucket[first..];
        &rest[..rest.partition_point(|used| used.key == key)]
    }

    /// Spellings whose first disguise is the separators from `at` on.
    pub(crate) fn at_separator(
        &self,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let Some(end) = gap_after(text, at) else {
            return;
        };
        let Some(right) = right_of(text, end) else {
            return;
        };
        let left = left_of(text, at);
        if left.1 == NOTHING {
            return;
        }
        self.visit(
            Kind::Separator,
            left,
            NOTHING,
            right,
            text,
            at,
            spellings,
            found,
        );
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
        visit((NOTHING, NOTHING));
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
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        for used in self.uses(key(kind, left, middle, right)) {
            let spelling = &spellings[used.spelling as usize];
            let unit = usize::from(used.unit);
            // Left of the first disguise the term stands as it is written. A sign or repeated
            // letter follows the unit before it without a gap or behind the term's own.
            let left_end = match kind {
                Kind::Separator => Some(at),
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
    let c = simplified(c.to_ascii_lowercase());
    u32::from(digit(c).unwrap_or(c))
}

/// The last character before `at`, and if it and the one before are letters, that one too.
fn left_of(text: &str, at: usize) -> (u32, u32) {
    let mut before = text[..at].chars().rev();
    let Some(last) = before.next().filter(|c| !is_separator(*c)) else {
        return (NOTHING, NOTHING);
    };
    let second = before.next().filter(|c| is_letter(last) && is_letter(*c));
    (second.map_or(NOTHING, class), class(last))
}

/// The first character from `at` on, and if it and the next are letters, that one too.
fn right_of(text: &str, at: usize) -> Option<(u32, u32)> {
    let mut after = text[at..].chars();
    let first = after.next().filter(|c| !is_separator(*c))?;
    let second = after.next().filter(|c| is_letter(first) && is_letter(*c));
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
fn index(number: u32, spelling: &Spelling, uses: &mut Vec<Use>) {
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
    let mut add =
        |kind: Kind, left: (u32, u32), middle: u32, right: Vec<(u32, u32)>, unit: usize| {
            let Ok(unit) = u16::try_from(unit) else {
                return;
            };
            for right in right {
                uses.push(Use {
                    key: key(kind, left, middle, right),
                    spelling: number,
                    unit,
                });
            }
        };
    for at in 0..units.len() {
        let c = units[at].c;
        if at > 0 && !is_separator(c) && !is_separator(units[at - 1].c) {
            add(Kind::Separator, left(at), NOTHING, right(at, false), at);
        }
        if !c.is_ascii_lowercase() {
            continue;
        }
        let letters_left = match left(at) {
            _ if units[at].gap != Gap::None => (NOTHING, NOTHING),
            (_, last) if char::from_u32(last).is_none_or(|c| !is_letter(c)) => (NOTHING, NOTHING),
            left => left,
        };
        if spelling.takes_leet && leet::signs(c).next().is_some() {
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
        if starts_run {
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
