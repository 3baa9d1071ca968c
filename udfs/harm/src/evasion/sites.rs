//! Where plain characters disguise a term: an index from what stands around a separator, a sign
//! for a letter or a repeated letter to the terms that have it there.

use tamis_text::is_word_char;

use super::ascii;
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
    /// A sign for a letter.
    Leet,
    /// A repeated letter.
    Repeat,
}

/// The kinds that are looked up with one key.
const SEPARATORS: [Kind; 3] = [Kind::Long, Kind::Short, Kind::Words];

/// Spellings by what stands around a disguise.
#[derive(Debug)]
pub(crate) struct Sites {
    filter: Filter,
    /// By [`Kind`].
    indices: [Index; 5],
    /// Whether some spelling has separators of its own between characters that are no letters.
    has_han_words: bool,
    /// Whether some spelling with letters may stand inside a longer word.
    has_parts_of_words: bool,
}

/// Which keys some use of a kind has: a blocked Bloom filter.
#[derive(Debug)]
struct Filter {
    /// Two bits for each key and kind in the word its upper bits name.
    words: Vec<u64>,
    shift: u32,
}

/// Uses by their keys.
#[derive(Debug)]
struct Index {
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
    /// What the spelling has before the characters left of the disguise that are in the key, and
    /// right behind the character on its right.
    beyond: Beyond,
}

/// Characters beyond those in a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Beyond {
    /// Those before, the nearest first, by [`byte_class`]; 0 where there are none, or where a text
    /// may have something else than the spelling. [`BOUNDARY`] before a word that is found only
    /// where it starts.
    before: [u8; 4],
    /// Which of those before are part of words; in spellings none.
    words: [bool; 4],
    /// One bit for the letter of the spelling behind those in the key, or none where a text may have
    /// something else; the letters that may be meant by what a text has there.
    letters: u32,
    /// The one behind, in the same way.
    after: u8,
}

/// Separators in a text, beside what stands on both sides of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separators {
    at: usize,
    end: usize,
    /// Equal where one is enough.
    keys: [u64; 2],
    /// Whether terms may have them there, one bit for each of [`SEPARATORS`].
    kinds: u8,
}

/// A spelling found in disguise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) spelling: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) forms: Forms,
}

impl Beyond {
    /// Whether a text that has `text` there may go on as the spelling does.
    #[inline]
    fn may_be(self, text: Self) -> bool {
        let may_stand = |at: usize| match self.before[at] {
            0 => true,
            BOUNDARY => !text.words[at],
            own => own == text.before[at],
        };
        (0..self.before.len()).all(may_stand)
            && (self.letters == 0 || self.letters & text.letters != 0)
            && (self.after == 0 || text.after == ANYTHING || self.after == text.after)
    }
}

impl Filter {
    fn for_keys(keys: usize) -> Self {
        let words = (keys * BITS_PER_KEY / 64)
            .next_power_of_two()
            .clamp(2, 1 << 22);
        Self {
            words: vec![0; words],
            shift: 64 - words.trailing_zeros(),
        }
    }

    /// The bits of a key in its word.
    #[inline]
    fn bits(key: u64, kind: Kind) -> u64 {
        let bits: u64 = 1 << (key & 63) | 1 << (key >> 6 & 63);
        bits.rotate_left(13 * kind as u32)
    }

    fn insert(&mut self, key: u64, kind: Kind) {
        self.words[(key >> self.shift) as usize] |= Self::bits(key, kind);
    }

    /// Asks for the word of `key`.
    #[inline]
    fn prefetch(&self, key: u64) {
        prefetch(&self.words, (key >> self.shift) as usize);
    }

    #[inline]
    fn may_hold(&self, key: u64, kind: Kind) -> bool {
        let bits = Self::bits(key, kind);
        self.words[(key >> self.shift) as usize] & bits == bits
    }
}

impl Index {
    /// An index of `uses`, whose keys `filter` holds from then on.
    fn new(mut uses: Vec<Use>, kind: Kind, filter: &mut Filter) -> Self {
        uses.sort_unstable();
        uses.dedup();
        let buckets = uses.len().next_power_of_two().clamp(2, 1 << 24);
        let start_shift = 64 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for used in &uses {
            filter.insert(used.key, kind);
            starts[(used.key >> start_shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            uses,
            starts,
            start_shift,
        }
    }

    fn uses(&self, key: u64) -> &[Use] {
        let bucket = (key >> self.start_shift) as usize;
        let bucket = &self.uses[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        let first = bucket.partition_point(|used| used.key < key);
        let rest = &bucket[first..];
        &rest[..rest.partition_point(|used| used.key == key)]
    }
}

impl Sites {
    pub(crate) fn new(spellings: &[Spelling]) -> Self {
        let mut uses: [Vec<Use>; 5] = Default::default();
        for (number, spelling) in (0_u32..).zip(spellings) {
            index(number, spelling, &mut |kind, used| {
                uses[kind as usize].push(used);
            });
        }
        let mut filter = Filter::for_keys(uses.iter().map(|uses| distinct_keys(uses)).sum());
        let kinds = [
            Kind::Long,
            Kind::Short,
            Kind::Words,
            Kind::Leet,
            Kind::Repeat,
        ];
        let indices = kinds.map(|kind| {
            let uses = std::mem::take(&mut uses[kind as usize]);
            Index::new(uses, kind, &mut filter)
        });
        let is_han_word = |pair: &[Unit]| {
            matches!(pair[1].gap, Gap::One(_) | Gap::Several)
                && !is_letter(pair[0].c)
                && !is_letter(pair[1].c)
        };
        Self {
            has_parts_of_words: spellings.iter().any(|spelling| {
                !spelling.whole_words && spelling.units.iter().any(|unit| is_letter(unit.c))
            }),
            has_han_words: spellings
                .iter()
                .any(|spelling| spelling.units.windows(2).any(is_han_word)),
            filter,
            indices,
        }
    }

    /// Whether some spelling may have other separators than its own.
    pub(crate) fn take_separators(&self) -> bool {
        SEPARATORS
            .iter()
            .any(|kind| !self.indices[*kind as usize].uses.is_empty())
    }

    /// Whether some spelling may have signs for letters.
    pub(crate) fn take_signs(&self) -> bool {
        !self.indices[Kind::Leet as usize].uses.is_empty()
    }

    /// Whether some spelling may have repeated letters.
    pub(crate) fn take_repeats(&self) -> bool {
        !self.indices[Kind::Repeat as usize].uses.is_empty()
    }

    /// The separators from the separator `c` at `at` on, if terms may have them there.
    #[inline]
    pub(crate) fn separators_at(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
    ) -> Option<Separators> {
        self.between_ideographs(text, at, c, traits)
            .or_else(|| self.any_separators_at(text, at, c, traits))
    }

    /// The separators from the ASCII separator at `at` on, if terms may have them there.
    #[inline]
    pub(crate) fn ascii_separators_at(&self, text: &str, at: usize) -> Option<Separators> {
        match ascii::Around::of(text.as_bytes(), at) {
            Some(around) => self.between_ascii(at, &around),
            None => {
                let c = char::from(text.as_bytes()[at]);
                self.separators_at(text, at, c, Traits::of(c))
            }
        }
    }

    /// One separator between two Unified Ideographs, as most stand in Chinese text.
    #[inline]
    fn between_ideographs(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
    ) -> Option<Separators> {
        let end = at + c.len_utf8();
        let bytes = text.as_bytes();
        let left = Traits::class_of_ideograph(*bytes[..at].last_chunk()?)?;
        let right = Traits::class_of_ideograph(*bytes[end..].first_chunk()?)?;
        let keys = [key(
            Left::of([left, NOTHING, NOTHING]),
            NOTHING,
            (right, NOTHING),
        ); 2];
        let short = !traits.ends_clause();
        Some(self.separators(at, end, keys, [true, short, self.has_han_words]))
    }

    /// The same between ASCII characters.
    #[inline]
    fn between_ascii(&self, at: usize, around: &ascii::Around) -> Option<Separators> {
        let gap = around.gap()?;
        let (last, first) = (around.last(), around.first(gap));
        let (left, right) = (around.left(), around.right(gap));
        let (long, short) = match (last.is_letter(), first.is_letter()) {
            (true, true) => {
                let stand_alone = left.is_alone() && !around.second(gap).is_letter();
                let inner = !around.has_white_space(gap) || stand_alone;
                (inner, inner)
            }
            (false, false) => (true, !around.ends_clause(gap)),
            _ => (true, true),
        };
        let is_number = last.is_digit() && first.is_digit();
        let words = self.has_han_words || last.is_letter() || first.is_letter();
        let kinds = [long && !is_number, short && !is_number, words];
        let keys = self.lefts(left).map(|left| key(left, NOTHING, right));
        Some(self.separators(at, at + gap, keys, kinds))
    }

    /// Between any characters.
    fn any_separators_at(
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
                    left.is_alone() && !behind.is_some_and(is_letter)
                };
                let inner = !text[at..end].contains(char::is_whitespace) || stand_alone();
                (inner, inner)
            }
            // A sign that ends a clause may stand for a letter.
            (false, false) if ends_clause => (true, false),
            _ => (true, true),
        };
        let is_number = before.is_ascii_digit() && first.is_ascii_digit();
        let words = self.has_han_words || is_letter_last || is_letter_first;
        let kinds = [long && !is_number, short && !is_number, words];
        let keys = self.lefts(left).map(|left| key(left, NOTHING, right));
        Some(self.separators(at, end, keys, kinds))
    }

    /// `kinds` are those of [`SEPARATORS`] that may stand there.
    #[inline]
    fn separators(&self, at: usize, end: usize, keys: [u64; 2], kinds: [bool; 3]) -> Separators {
        self.filter.prefetch(keys[0]);
        let [long, short, words] = kinds.map(u8::from);
        Separators {
            at,
            end,
            keys,
            kinds: long | short << 1 | words << 2,
        }
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
        let [key, shorter] = separators.keys;
        self.at_separators_by(key, false, text, separators, spellings, found);
        if key != shorter {
            self.at_separators_by(shorter, true, text, separators, spellings, found);
        }
    }

    #[inline]
    fn at_separators_by(
        &self,
        key: u64,
        is_shorter: bool,
        text: &str,
        separators: &Separators,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let holds = |kind| u8::from(self.filter.may_hold(key, kind));
        let [long, short, words] = SEPARATORS.map(holds);
        let kinds = separators.kinds & (long | short << 1 | words << 2);
        if kinds == 0 {
            return;
        }
        let Some(beyond) = beyond_separators(text, separators, is_shorter) else {
            return;
        };
        for (bit, kind) in SEPARATORS.into_iter().enumerate() {
            if kinds >> bit & 1 != 0 {
                self.compare(kind, key, beyond, text, separators.at, spellings, found);
            }
        }
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
        let mut visit = |left| {
            each_right(text, at + 1, true, &mut |right, letters| {
                let sides = (left, class(letter), right, letters);
                self.visit(Kind::Leet, sides, text, at, spellings, found);
            });
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
            visit(Left::NOTHING);
        }
        // The term may have begun with a word before.
        if before == Some(' ')
            && let Some(c) = char_before(text, at - 1).filter(|c| is_letter(*c))
        {
            visit(Left::word_before(class(c)));
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
            _ => Left::NOTHING,
        };
        each_right(text, end, false, &mut |right, letters| {
            let sides = (left, u32::from(letter), right, letters);
            self.visit(Kind::Repeat, sides, text, at, spellings, found);
        });
    }

    /// Spellings whose first disguise is other than separators, beside what stands left of it.
    fn visit(
        &self,
        kind: Kind,
        (left, middle, right, letters): (Left, u32, (u32, u32), u32),
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let [left, shorter] = self.lefts(left);
        let lefts = [Some(left), (shorter != left).then_some(shorter)];
        for left in lefts.into_iter().flatten() {
            let key = key(left, middle, right);
            if self.filter.may_hold(key, kind) {
                let beyond = Beyond {
                    letters,
                    ..beyond(text, at, left.characters(), ANYTHING)
                };
                self.compare(kind, key, beyond, text, at, spellings, found);
            }
        }
    }

    /// What stands on the left as keys may hold it: inside words there are others.
    #[inline]
    fn lefts(&self, left: Left) -> [Left; 2] {
        match self.has_parts_of_words {
            true => [left, left.shorter()],
            false => [left; 2],
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place, seen from three sides"
    )]
    fn compare(
        &self,
        kind: Kind,
        key: u64,
        beyond: Beyond,
        text: &str,
        at: usize,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        let are_separators = SEPARATORS.contains(&kind);
        for used in self.indices[kind as usize].uses(key) {
            if !used.beyond.may_be(beyond) {
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

pub(crate) const NOTHING: u32 = 0;
/// A sign for the letter.
const SIGN: u32 = 1 << 22;
/// The next character of the term, behind separators or without a letter in between.
const BEYOND: u32 = 1 << 23;

/// What keys hold of what stands left of a disguise: up to three letters written together, or one
/// character of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Their classes, the nearest first.
    classes: [u32; 3],
    /// Whether it is the end of the word before, with a space between.
    is_word_before: bool,
}

impl Left {
    const NOTHING: Self = Self::of([NOTHING; 3]);

    /// `classes` are those of letters, the nearest first, or the first is that of another character
    /// and nothing follows.
    #[inline]
    pub(crate) const fn of(classes: [u32; 3]) -> Self {
        Self {
            classes,
            is_word_before: false,
        }
    }

    fn word_before(last: u32) -> Self {
        Self {
            classes: [last, NOTHING, NOTHING],
            is_word_before: true,
        }
    }

    /// Whether no letter stands before the nearest.
    #[inline]
    fn is_alone(self) -> bool {
        self.classes[1] == NOTHING
    }

    /// The same with two letters at most: what a term that starts with them has, though the text
    /// may have a third before.
    #[inline]
    fn shorter(self) -> Self {
        let [last, second, _] = self.classes;
        Self {
            classes: [last, second, NOTHING],
            ..self
        }
    }

    /// How many characters that stand right before the disguise are part of it.
    fn characters(self) -> usize {
        match self.is_word_before {
            true => 0,
            false => self
                .classes
                .iter()
                .take_while(|class| **class != NOTHING)
                .count(),
        }
    }

    /// All of it; a class has 21 bits.
    #[inline]
    fn packed(self) -> u64 {
        let [last, second, third] = self.classes.map(u64::from);
        last | second << 21 | third << 42 | u64::from(self.is_word_before) << 63
    }
}

/// What keys hold for a character: the same for all its forms that plain texts have.
fn class(c: char) -> u32 {
    Traits::of(c).class()
}

/// Agrees with whatever a spelling has.
const ANYTHING: u8 = u8::MAX;

/// No character of a word.
const BOUNDARY: u8 = u8::MAX - 1;

/// Part of the class of a character, neither 0 nor [`ANYTHING`] nor [`BOUNDARY`].
fn byte_class(c: char) -> u8 {
    (class(c) % 251) as u8 + 1
}

/// The characters that end at `at` but for the last `in_key`, and `after`.
fn beyond(text: &str, mut at: usize, in_key: usize, after: u8) -> Beyond {
    let mut beyond = Beyond {
        after,
        ..Beyond::default()
    };
    for nth in 0..in_key + beyond.before.len() {
        let Some(c) = char_before(text, at) else {
            break;
        };
        if let Some(nth) = nth.checked_sub(in_key) {
            beyond.before[nth] = byte_class(c);
            beyond.words[nth] = is_word_char(c);
        }
        at -= c.len_utf8();
    }
    beyond
}

/// What stands around `separators` beyond the characters in their key, the shorter one or the
/// other.
fn beyond_separators(text: &str, separators: &Separators, is_shorter: bool) -> Option<Beyond> {
    let Separators { at, end, .. } = *separators;
    let (last, first) = (char_before(text, at)?, next_char(text, end)?);
    let left = left_of(text, at - last.len_utf8(), Traits::of(last));
    let left = if is_shorter { left.shorter() } else { left };
    let after = next_char(text, end + first.len_utf8());
    let after = after.map_or(0, |c| match is_separator(c) {
        true => ANYTHING,
        false => byte_class(c),
    });
    Some(beyond(text, at, left.characters(), after))
}

/// The character `last` from `at` on, and if it and those before are letters, up to two of them.
#[inline]
fn left_of(text: &str, mut at: usize, last: Traits) -> Left {
    let mut classes = [last.class(), NOTHING, NOTHING];
    if last.is_letter() {
        for class in &mut classes[1..] {
            let Some(c) = char_before(text, at).filter(|c| is_letter(*c)) else {
                break;
            };
            *class = Traits::of(c).class();
            at -= c.len_utf8();
        }
    }
    Left::of(classes)
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

fn distinct_keys(uses: &[Use]) -> usize {
    let mut keys: Vec<u64> = uses.iter().map(|used| used.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

/// What may stand in the key of a disguise that ends at `at` for what is on its right: letters, a
/// sign for one where `takes_sign`, or nothing and what comes behind separators. With it go the
/// letters that may be meant by what stands behind that.
fn each_right(text: &str, at: usize, takes_sign: bool, each: &mut dyn FnMut((u32, u32), u32)) {
    let sign_class = |c: char| leet::letters(c).chars().next().map(class);
    match next_char(text, at) {
        Some(c) if is_letter(c) => {
            let right = right_of(text, at + c.len_utf8(), c, Traits::of(c));
            let letters = match right.1 {
                NOTHING => ANY_LETTER,
                second => match letters_meant(text, at + 2) {
                    // It may be the second once more.
                    letters if letters & letter_bit(second) != 0 => ANY_LETTER,
                    letters if letter_bit(right.0) != 0 && letter_bit(second) != 0 => letters,
                    _ => ANY_LETTER,
                },
            };
            each(right, letters);
            return;
        }
        Some(c) if takes_sign => {
            if let Some(class) = sign_class(c) {
                each((SIGN | class, NOTHING), letters_meant(text, at + 1));
                return;
            }
        }
        _ => {}
    }
    each((NOTHING, NOTHING), ANY_LETTER);
    let mut at = at;
    let mut room = separator::GAP;
    while let Some(c) = next_char(text, at) {
        let sign = sign_class(c);
        let class = sign.map_or(class(c), |class| SIGN | class);
        each((BEYOND | class, NOTHING), ANY_LETTER);
        // A sign may as well separate.
        let rest = room.checked_sub(separator::count(c));
        let (true, Some(rest)) = (is_separator(c), rest) else {
            return;
        };
        room = rest;
        at += c.len_utf8();
    }
}

const ANY_LETTER: u32 = u32::MAX;

/// The bit of an ASCII letter by its class; none for other characters.
fn letter_bit(class: u32) -> u32 {
    match class.wrapping_sub(u32::from('a')) {
        at @ 0..26 => 1 << at,
        _ => 0,
    }
}

/// The letters that may be meant by the letter or digit at `at`; any for other characters.
fn letters_meant(text: &str, at: usize) -> u32 {
    match text.as_bytes().get(at) {
        Some(byte) if byte.is_ascii_alphabetic() => letter_bit(byte.to_ascii_lowercase().into()),
        Some(byte) if byte.is_ascii_digit() => leet::letters(char::from(*byte))
            .chars()
            .fold(0, |all, letter| all | letter_bit(letter.into())),
        _ => ANY_LETTER,
    }
}

#[inline]
fn key(left: Left, middle: u32, right: (u32, u32)) -> u64 {
    let right = u64::from(right.0) << 32 | u64::from(right.1);
    let mixed = u128::from(left.packed() ^ 0x9E37_79B9_7F4A_7C15)
        * u128::from(right ^ u64::from(middle) << 48 ^ 0xD6E8_FEB8_6659_FD93);
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

/// The classes by which a character of a term goes behind separators.
fn classes_beyond(c: char) -> impl Iterator<Item = u32> {
    let as_sign = leet::letters(c).chars().next().map(class);
    let by_signs = sign_classes(c).chain(as_sign).map(|class| SIGN | class);
    let in_parts = split::parts(c).filter_map(|parts| parts.chars().next().map(class));
    std::iter::once(class(c)).chain(by_signs).chain(in_parts)
}

/// Adds the keys of a spelling.
fn index(number: u32, spelling: &Spelling, each: &mut dyn FnMut(Kind, Use)) {
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
            all.extend(classes_beyond(first.c).map(|class| (BEYOND | class, NOTHING)));
        }
        all
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
            words: [false; 4],
            letters: 0,
            after: after.map_or(0, |after| byte_class(units[after].c)),
        }
    };
    let mut add = |kind: Kind,
                   left: Left,
                   middle: u32,
                   right: Vec<(u32, u32)>,
                   units_between: std::ops::Range<usize>| {
        let std::ops::Range { start: at, end } = units_between;
        let Ok(unit) = u16::try_from(at) else {
            return;
        };
        // Behind two letters, or behind a sign for one.
        let letters_behind = |right: (u32, u32)| {
            let behind = match right {
                (sign, NOTHING) if sign & (SIGN | BEYOND) == SIGN => end + 1,
                (_, NOTHING) => return 0,
                _ => end + 2,
            };
            units
                .get(behind)
                .filter(|unit| unit.gap == Gap::None)
                .map_or(0, |unit| letter_bit(class(unit.c)))
        };
        for right in right {
            let used = Use {
                key: key(left, middle, right),
                spelling: number,
                unit,
                beyond: match (kind, left.characters()) {
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
            add(kind, left(at), NOTHING, right(at, false), at..at);
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
            let mut rights = right(at + 1, true);
            if let Some(next) = units.get(at + 1).filter(|next| next.gap == Gap::None) {
                rights.extend(sign_classes(next.c).map(|class| (SIGN | class, NOTHING)));
            }
            rights.retain(|right| left != Left::NOTHING || right.0 != NOTHING);
            for middle in sign_classes(c) {
                add(Kind::Leet, left, middle, rights.clone(), at..at + 1);
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
                at..at + in_term,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by way of what holds for any characters.
    fn agree(text: &str) {
        for (has_han_words, has_parts_of_words) in [(false, true), (true, false)] {
            let sites = Sites {
                has_han_words,
                has_parts_of_words,
                ..Sites::new(&[])
            };
            for (at, c) in text.char_indices() {
                let traits = Traits::of(c);
                if !traits.is_separator() {
                    continue;
                }
                let slow = sites.any_separators_at(text, at, c, traits);
                assert_eq!(
                    sites.separators_at(text, at, c, traits),
                    slow,
                    "{text:?} {at}"
                );
                if c.is_ascii() {
                    assert_eq!(sites.ascii_separators_at(text, at), slow, "{text:?} {at}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn shorter_ways_agree(text in "[aAbB09 .,@\n\u{0}中一龥九，。…é😀か]{0,40}") {
            agree(&text);
        }

        #[test]
        fn shorter_ways_agree_in_ascii(text in "[aAbB09 .,@\n\u{0}\u{B}]{0,40}") {
            agree(&text);
        }
    }
}
