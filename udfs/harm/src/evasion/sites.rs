//! Where plain characters disguise a term: an index from what stands around a separator, a sign
//! for a letter or a repeated letter to the terms that have it there.

mod index;
mod key;
mod quick;
mod terms;

use std::ops::Range;

use tamis_text::is_word_char;

use super::ascii::{self, LANES, Windows};
use super::characters::Traits;
use super::compare::{char_before, end_of, next_char, own_gap_before, run, start_of};
use super::leet;
use super::separator::{self, is_separator};
use super::spelling::{Gap, Spelling, Unit, is_letter};
use crate::simd::Instructions;
use crate::via::Forms;

use index::{Around, Index, SEPARATORS, Use};
pub(crate) use index::{Kind, Site};
use key::{ANY_LETTER, ANYTHING, BEYOND, SIGN, SPACED, byte_class, class, key, letter_bit};
pub(crate) use key::{Left, NOTHING};
use quick::Glimpse;

/// Spellings by what stands around a disguise.
#[derive(Debug)]
pub(crate) struct Sites {
    instructions: Instructions,
    index: Index,
    /// Whether some spelling has separators of its own between characters that are no letters.
    has_han_words: bool,
    /// Whether some spelling with letters may stand inside a longer word.
    has_parts_of_words: bool,
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
        let is_han_word = |pair: &[Unit]| {
            matches!(pair[1].gap, Gap::One(_) | Gap::Several)
                && !is_letter(pair[0].c)
                && !is_letter(pair[1].c)
        };
        Self {
            instructions: Instructions::fastest(),
            has_parts_of_words: spellings.iter().any(|spelling| {
                !spelling.whole_words && spelling.units.iter().any(|unit| is_letter(unit.c))
            }),
            has_han_words: spellings
                .iter()
                .any(|spelling| spelling.units.windows(2).any(is_han_word)),
            index: Index::new(spellings),
        }
    }

    /// Whether some spelling may have other separators than its own.
    pub(crate) fn take_separators(&self) -> bool {
        SEPARATORS.iter().any(|kind| self.index.has(*kind))
    }

    /// Whether some spelling may have signs for letters.
    pub(crate) fn take_signs(&self) -> bool {
        self.index.has(Kind::Leet)
    }

    /// Whether some spelling may have repeated letters.
    pub(crate) fn take_repeats(&self) -> bool {
        self.index.has(Kind::Repeat)
    }

    /// Adds the separators from the separator `c` at `at` on, if terms may have them there.
    #[inline]
    pub(crate) fn separators_at(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
        sites: &mut Vec<Site>,
    ) {
        if self
            .between_ideographs(text, at, c, traits, sites)
            .is_none()
        {
            self.any_separators_at(text, at, c, traits, sites);
        }
    }

    /// The same of an ASCII separator.
    #[inline]
    pub(crate) fn ascii_separators_at(&self, text: &str, at: usize, sites: &mut Vec<Site>) {
        match ascii::Around::of(text.as_bytes(), at) {
            Some(around) => {
                self.between_ascii(at, &around, sites);
            }
            None => {
                let c = char::from(text.as_bytes()[at]);
                self.separators_at(text, at, c, Traits::of(c), sites);
            }
        }
    }

    /// For each of eight ASCII separators, by what stands around them, whether a term may have others
    /// than its own there.
    #[inline]
    pub(crate) fn may_have_separators(&self, windows: &Windows) -> [bool; LANES] {
        let told = self.instructions.around_separators(windows);
        let mut all = [true; LANES];
        for (lane, may_have) in all.iter_mut().enumerate() {
            let glimpse = Glimpse::of_separator(told.around[lane]);
            let has = |kind| self.index.may_have(kind, glimpse);
            let may = has(Kind::Words) | (told.holds[lane] != 0) & has(Kind::Long);
            *may_have = (told.unknown[lane] != 0) | (told.possible[lane] != 0) & may;
        }
        all
    }

    /// For each of eight ASCII signs whether a term may have a letter there, in the same way.
    #[inline]
    pub(crate) fn may_have_signs(&self, windows: &Windows) -> [bool; LANES] {
        let told = self.instructions.around_signs(windows);
        let mut all = [true; LANES];
        for (lane, may_have) in all.iter_mut().enumerate() {
            let meant = |nth: u32| leet::first_letter((windows[lane] >> (8 * nth)) as u8);
            let (middle, behind) = (meant(2), meant(3));
            let glimpse = Glimpse::of_sign(told.around[lane], middle, behind);
            let last = (windows[lane] as u8).to_ascii_lowercase();
            let has = |glimpse| self.index.may_have(Kind::Leet, glimpse);
            let may = has(glimpse) | (told.holds[lane] != 0) & has(glimpse.behind_word(last));
            *may_have = (told.unknown[lane] != 0) | (told.possible[lane] != 0) & may;
        }
        all
    }

    /// One separator between two Unified Ideographs, as most stand in Chinese text.
    #[inline]
    fn between_ideographs(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
        sites: &mut Vec<Site>,
    ) -> Option<()> {
        let end = at + c.len_utf8();
        let bytes = text.as_bytes();
        let left = Traits::class_of_ideograph(*bytes[..at].last_chunk()?)?;
        let right = Traits::class_of_ideograph(*bytes[end..].first_chunk()?)?;
        let kinds = [true, !traits.ends_clause(), self.has_han_words];
        let has = |kind| self.index.may_have_between(kind, left, right);
        if !(has(Kind::Long) | self.has_han_words & has(Kind::Words)) {
            return Some(());
        }
        let (left, right) = (Left::of([left, NOTHING, NOTHING]), (right, NOTHING));
        self.add(separators(at..end, left, right, kinds), sites);
        Some(())
    }

    /// The same between ASCII characters.
    #[inline]
    fn between_ascii(
        &self,
        at: usize,
        around: &ascii::Around,
        sites: &mut Vec<Site>,
    ) -> Option<()> {
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
        for left in self.lefts(left) {
            self.add(separators(at..at + gap, left, right, kinds), sites);
        }
        Some(())
    }

    /// Between any characters.
    fn any_separators_at(
        &self,
        text: &str,
        at: usize,
        c: char,
        traits: Traits,
        sites: &mut Vec<Site>,
    ) -> Option<()> {
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
        for left in self.lefts(left) {
            self.add(separators(at..end, left, right, kinds), sites);
        }
        Some(())
    }

    /// Adds a place, and asks for what tells whether terms have it.
    #[inline]
    fn add(&self, site: Site, sites: &mut Vec<Site>) {
        if site.kinds != 0 {
            self.index.prefetch(site.key);
            sites.push(site);
        }
    }

    /// Adds the sign at `at`, with all that may stand around it.
    pub(crate) fn sign_at(&self, text: &str, at: usize, sites: &mut Vec<Site>) {
        let sign = text.as_bytes()[at] as char;
        let Some(letter) = leet::letters(sign).chars().next() else {
            return;
        };
        // A row of signs is a line or a stress.
        if !sign.is_ascii_digit() && run(text, at, sign) > 2 {
            return;
        }
        let before = char_before(text, at);
        if before.is_some_and(|c| c.is_ascii_digit()) {
            return;
        }
        let mut visit = |left: Left| {
            // A sign alone is a letter only where it is a word of the term.
            let starts_word = left.characters() == 0;
            each_right(
                text,
                at + 1,
                Some((sign, starts_word)),
                &mut |right, letters| {
                    if left != Left::NOTHING || right.0 != NOTHING {
                        let sides = (left, class(letter), right, letters);
                        self.add_letter(Kind::Leet, at, sides, sites);
                    }
                },
            );
        };
        if let Some(c) = before.filter(|c| is_letter(*c)) {
            visit(left_of(text, at - c.len_utf8(), Traits::of(c)));
            return;
        }
        // Digits alone are a number, also behind a sign, unless another word follows.
        let digits_start = at + usize::from(!sign.is_ascii_digit());
        let digits = text.as_bytes()[digits_start..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let goes_on = |c: char| is_letter(c) || !leet::letters(c).is_empty();
        let behind = &text[digits_start + digits..];
        let behind = behind.strip_prefix(' ').unwrap_or(behind);
        if digits > 1 && !behind.starts_with(goes_on) {
            return;
        }
        visit(Left::NOTHING);
        // The term may have begun with a word before.
        if before == Some(' ')
            && let Some(c) = char_before(text, at - 1).filter(|c| is_letter(*c))
        {
            visit(Left::word_before(class(c)));
        }
    }

    /// Adds the letter repeated from `at` on, with all that may stand around it.
    pub(crate) fn repeat_at(&self, text: &str, at: usize, sites: &mut Vec<Site>) {
        let letter = (text.as_bytes()[at] as char).to_ascii_lowercase();
        let end = at + run(text, at, letter);
        let left = match char_before(text, at) {
            Some(c) if is_letter(c) => left_of(text, at - c.len_utf8(), Traits::of(c)),
            _ => Left::NOTHING,
        };
        each_right(text, end, None, &mut |right, letters| {
            let sides = (left, u32::from(letter), right, letters);
            self.add_letter(Kind::Repeat, at, sides, sites);
        });
    }

    fn add_letter(
        &self,
        kind: Kind,
        at: usize,
        (left, middle, right, letters): (Left, u32, (u32, u32), u32),
        sites: &mut Vec<Site>,
    ) {
        for left in self.lefts(left) {
            let site = Site {
                at,
                end: at,
                key: key(left, middle, right),
                letters,
                kinds: kind.bit(),
                in_key: left.characters(),
            };
            self.add(site, sites);
        }
    }

    /// What stands on the left as keys may hold it: inside words there are others.
    #[inline]
    fn lefts(&self, left: Left) -> impl Iterator<Item = Left> {
        let shorter = left.shorter();
        let has_shorter = self.has_parts_of_words && shorter != left;
        std::iter::once(left).chain(has_shorter.then_some(shorter))
    }

    /// Finds the spellings whose first disguise is at one of `sites`. `passed` is used again and
    /// again.
    pub(crate) fn look_up(
        &self,
        text: &str,
        sites: &[Site],
        passed: &mut Vec<(usize, Kind)>,
        spellings: &[Spelling],
        found: &mut Vec<Found>,
    ) {
        self.index.passing(sites, passed);
        for &(nth, kind) in &*passed {
            let site = &sites[nth];
            let mut around = None;
            for used in self.index.uses(site.key, kind) {
                let around = around.get_or_insert_with(|| beyond(text, site, kind));
                if used.beyond.may_be(around) {
                    found.extend(compare(text, site.at, kind, used, spellings));
                }
            }
        }
    }
}

/// Separators as a site; `kinds` are those of [`SEPARATORS`] that may stand there.
#[inline]
fn separators(place: Range<usize>, left: Left, right: (u32, u32), kinds: [bool; 3]) -> Site {
    let [long, short, words] = kinds.map(u8::from);
    Site {
        at: place.start,
        end: place.end,
        key: key(left, NOTHING, right),
        letters: ANY_LETTER,
        kinds: long | short << 1 | words << 2,
        in_key: left.characters(),
    }
}

/// The spelling of `used` if it stands in the text, with its first disguise at `at`.
fn compare(text: &str, at: usize, kind: Kind, used: &Use, spellings: &[Spelling]) -> Option<Found> {
    let spelling = &spellings[used.spelling as usize];
    let unit = usize::from(used.unit);
    // Left of the first disguise the term stands as it is written. A sign or repeated letter follows
    // the unit before it without a gap or behind the term's own.
    let left_end = match SEPARATORS.contains(&kind) {
        true => at,
        false => own_gap(text, at, spelling, unit)?,
    };
    let (start, before) = start_of(text, left_end, spelling, unit)?;
    let (end, after) = end_of(text, left_end, spelling, unit)?;
    Some(Found {
        spelling: used.spelling as usize,
        start,
        end,
        forms: before.and(after).and(spelling.forms),
    })
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

/// What stands around a site beyond what its key holds.
fn beyond(text: &str, site: &Site, kind: Kind) -> Around {
    let mut around = Around {
        letters: site.letters,
        after: ANYTHING,
        ..Around::default()
    };
    let mut at = site.at;
    for nth in 0..site.in_key + around.before.len() {
        let Some(c) = char_before(text, at) else {
            break;
        };
        if let Some(nth) = nth.checked_sub(site.in_key) {
            around.before[nth] = byte_class(c);
            around.words[nth] = is_word_char(c);
        }
        at -= c.len_utf8();
    }
    if SEPARATORS.contains(&kind) {
        let first = next_char(text, site.end).map_or(0, char::len_utf8);
        around.after = match next_char(text, site.end + first) {
            None => 0,
            Some(c) if is_separator(c) => ANYTHING,
            Some(c) => byte_class(c),
        };
    }
    around
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

/// What may stand in the key of a disguise that ends at `at` for what is on its right: letters,
/// behind a `sign` another one, or nothing and what comes behind separators, which behind a sign that
/// starts a word is one space. With it go the letters that may be meant by what stands behind that.
fn each_right(
    text: &str,
    at: usize,
    sign: Option<(char, bool)>,
    each: &mut dyn FnMut((u32, u32), u32),
) {
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
        Some(c) if sign.is_some() => {
            if let Some(class) = sign_class(c) {
                each((SIGN | class, NOTHING), letters_meant(text, at + 1));
                return;
            }
        }
        _ => {}
    }
    each((NOTHING, NOTHING), ANY_LETTER);
    let start = at;
    let mut at = at;
    let mut room = separator::GAP;
    let mut has_white_space = false;
    while let Some(c) = next_char(text, at) {
        let behind = at + c.len_utf8();
        if c.is_ascii_digit()
            && sign.is_some_and(|(sign, _)| sign.is_ascii_digit())
            && is_number(&text[start..at], &text[behind..])
        {
            return;
        }
        let meant = sign_class(c);
        // It may be repeated, or stand alone with white space behind.
        let letters = match letters_meant(text, behind) {
            0 => ANY_LETTER,
            letters if c.is_ascii_alphanumeric() && letters & letters_meant(text, at) == 0 => {
                letters
            }
            _ => ANY_LETTER,
        };
        let class = BEYOND | meant.map_or(class(c), |class| SIGN | class);
        if has_white_space {
            each((SPACED | class, NOTHING), letters);
        }
        if sign.is_some_and(|(_, starts_word)| starts_word) {
            if at > start || c != ' ' {
                return;
            }
            has_white_space = true;
            at = behind;
            continue;
        }
        // As [`super::separator::allows`] has it: a letter stands before the sign or repeated letter.
        if !has_white_space {
            each((class, NOTHING), letters);
        }
        // A sign may as well separate.
        let rest = room.checked_sub(separator::count(c));
        let (true, Some(rest)) = (is_separator(c), rest) else {
            return;
        };
        room = rest;
        has_white_space |= c.is_whitespace();
        at = behind;
    }
}

/// Whether digits are parts of a number with `gap` between them and `behind` after the first digit
/// behind it: all but two that stand alone with a space between.
fn is_number(gap: &str, behind: &str) -> bool {
    gap != " " || behind.starts_with(|c: char| c.is_ascii_digit())
}

/// The letters that may be meant by the letter or digit at `at`, none by white space; any for other
/// characters.
fn letters_meant(text: &str, at: usize) -> u32 {
    match text.as_bytes().get(at) {
        Some(byte) if byte.is_ascii_alphabetic() => letter_bit(byte.to_ascii_lowercase().into()),
        Some(byte) if byte.is_ascii_digit() => leet::letters(char::from(*byte))
            .chars()
            .fold(0, |all, letter| all | letter_bit(letter.into())),
        // White space ends a word.
        Some(byte) if byte.is_ascii_whitespace() => 0,
        _ => ANY_LETTER,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by way of what holds for any characters.
    fn agree(text: &str) {
        // Terms that no ideographs beside a separator rule out.
        let han = ["中", "一", "龥", "九"];
        let pairs =
            han.map(|left| han.map(|right| [[left, right].concat(), [left, " ", right].concat()]));
        let spellings: Vec<Spelling> = (pairs.into_iter().flatten().flatten())
            .map(|term| Spelling::of(0, &term, Forms::NONE))
            .collect();
        for (has_han_words, has_parts_of_words) in [(false, true), (true, false)] {
            let sites = Sites {
                has_han_words,
                has_parts_of_words,
                ..Sites::new(&spellings)
            };
            for (at, c) in text.char_indices() {
                let traits = Traits::of(c);
                if !traits.is_separator() {
                    continue;
                }
                let [mut slow, mut fast, mut ascii] = [const { Vec::new() }; 3];
                sites.any_separators_at(text, at, c, traits, &mut slow);
                sites.separators_at(text, at, c, traits, &mut fast);
                assert_eq!(fast, slow, "{text:?} {at}");
                if c.is_ascii() {
                    sites.ascii_separators_at(text, at, &mut ascii);
                    assert_eq!(ascii, slow, "{text:?} {at}");
                }
            }
        }
    }

    /// Nothing that the index has is turned away at a glimpse.
    fn turns_away_only_others(terms: &[String], text: &str) {
        let spellings: Vec<Spelling> = terms
            .iter()
            .map(|term| Spelling::of(0, term, Forms::NONE))
            .collect();
        let sites = Sites::new(&spellings);
        let separates = |byte: u8| byte.is_ascii() && separator::separates_ascii(byte);
        for at in (0..text.len()).filter(|at| separates(text.as_bytes()[*at])) {
            let mut found = Vec::new();
            sites.ascii_separators_at(text, at, &mut found);
            let has = |site: &Site, kinds: &[Kind]| {
                kinds.iter().any(|&kind| {
                    site.kinds & kind.bit() != 0
                        && sites.index.uses(site.key, kind).next().is_some()
                })
            };
            if found.iter().any(|site| has(site, &SEPARATORS)) {
                let windows = [ascii::window(text.as_bytes(), at); LANES];
                let may = sites.may_have_separators(&windows);
                assert_eq!(may, [true; LANES], "{text:?} {at}");
            }
        }
        for at in (0..text.len()).filter(|at| leet::first_letter(text.as_bytes()[*at]) != 0) {
            let mut found = Vec::new();
            sites.sign_at(text, at, &mut found);
            let has = |site: &Site| sites.index.uses(site.key, Kind::Leet).next().is_some();
            if found.iter().any(has) {
                let windows = [ascii::window(text.as_bytes(), at); LANES];
                assert_eq!(
                    sites.may_have_signs(&windows),
                    [true; LANES],
                    "{text:?} {at}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn quick_looks_turn_away_only_others(
            terms in proptest::collection::vec("[aais1][aais1 .-]{2,6}[aais1]|[中一]{2}", 1..40),
            text in "([aaisAS145@! .,中]{0,12}|[ ]?[145@!]{4,8}[ ]?[ais]{0,2}){0,4}",
        ) {
            turns_away_only_others(&terms, &text);
        }

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
