//! Sounds: a term written in pinyin, and characters that sound alike. Only for entries that ask.

use std::collections::HashMap;

use pinyin::{ToPinyin, ToPinyinMulti};
use tamis_text::simplified;

use super::spelling::{Gap, Spelling, Unit};
use crate::via::{Forms, Via};

/// Terms with up to this many characters are also looked for with only some of them in pinyin.
const MIXED: usize = 4;

/// The usual sound of a character without its tone, `v` for ü.
pub(crate) fn sound(c: char) -> Option<String> {
    c.to_pinyin().map(|sound| sound.plain().replace('ü', "v"))
}

/// All sounds of a character, the usual one first.
fn sounds(c: char) -> Vec<String> {
    let mut all: Vec<String> = sound(c).into_iter().collect();
    for sound in c.to_pinyin_multi().into_iter().flatten() {
        let sound = sound.plain().replace('ü', "v");
        if !all.contains(&sound) {
            all.push(sound);
        }
    }
    all
}

/// The spellings of a term with its characters in pinyin: all of them, and in short terms any of
/// them.
pub(crate) fn spellings(plain: &Spelling, spellings: &mut Vec<Spelling>) {
    let sounds: Vec<Option<String>> = plain.units.iter().map(|unit| sound(unit.c)).collect();
    let han: Vec<usize> = (0..sounds.len())
        .filter(|&at| sounds[at].is_some())
        .collect();
    if han.len() < 2 {
        return;
    }
    let all = (1_u32 << han.len().min(MIXED)) - 1;
    let choices = if han.len() <= MIXED {
        1..=all
    } else {
        all..=all
    };
    for chosen in choices {
        let is_chosen = |at: usize| {
            han.iter()
                .position(|&han| han == at)
                .is_some_and(|nth| han.len() > MIXED || chosen >> nth & 1 == 1)
        };
        let mut units = Vec::new();
        for (at, unit) in plain.units.iter().enumerate() {
            let gap = |gap: Gap| if at == 0 { Gap::None } else { gap };
            let beside = is_chosen(at) || at > 0 && is_chosen(at - 1);
            let before = match unit.gap {
                Gap::None if beside => gap(Gap::Optional),
                own => own,
            };
            match &sounds[at] {
                Some(sound) if is_chosen(at) => {
                    units.extend(sound.chars().enumerate().map(|(nth, c)| Unit {
                        // Normal forms have no ü; many write u or v for it.
                        c,
                        gap: if nth == 0 { before } else { Gap::None },
                    }));
                }
                _ => units.push(Unit {
                    gap: before,
                    ..*unit
                }),
            }
        }
        let mut add = |units: Vec<Unit>| {
            let mut spelling = Spelling::from_units(plain.pattern, units, Forms::of(Via::Pinyin));
            // Sounds are short and many: signs for their letters would find too much.
            spelling.takes_leet = false;
            spellings.push(spelling);
        };
        if units.iter().any(|unit| unit.c == 'v') {
            let with_u = units.iter().map(|unit| Unit {
                c: if unit.c == 'v' { 'u' } else { unit.c },
                ..*unit
            });
            add(with_u.collect());
        }
        add(units);
    }
}

/// The first Unified Ideograph and how many are looked at.
const FIRST: u32 = 0x4E00;
const COUNT: usize = 0x9FFF - 0x4E00 + 1;

/// Terms by the sounds of their first two characters.
#[derive(Debug)]
pub(crate) struct SameSound {
    /// The number of the usual sound of each ideograph; 0 for none.
    sound_of: Vec<u16>,
    sounds: usize,
    /// One bit for each pair of sounds with which a term begins.
    pairs: Vec<u64>,
    terms: Vec<Term>,
    terms_of: HashMap<u32, Vec<u32>>,
}

#[derive(Debug)]
struct Term {
    spelling: usize,
    units: Vec<(char, Vec<u16>)>,
}

impl SameSound {
    /// For the spellings with these numbers; `None` when none of them has a sound.
    pub(crate) fn new(spellings: &[Spelling], chosen: &[usize]) -> Option<Self> {
        if chosen.is_empty() {
            return None;
        }
        let mut numbers: HashMap<String, u16> = HashMap::new();
        let mut number = |sound: String| {
            let next = numbers.len() as u16 + 1;
            *numbers.entry(sound).or_insert(next)
        };
        let sound_of: Vec<u16> = (FIRST..FIRST + COUNT as u32)
            .filter_map(char::from_u32)
            .map(|c| sound(simplified(c)).map_or(0, &mut number))
            .collect();
        let mut terms = Vec::new();
        for &spelling in chosen {
            let units = &spellings[spelling].units;
            if units.len() < 2 || units.iter().any(|unit| unit.gap != Gap::None) {
                continue;
            }
            let units: Vec<(char, Vec<u16>)> = units
                .iter()
                .map(|unit| {
                    (
                        unit.c,
                        sounds(unit.c).into_iter().map(&mut number).collect(),
                    )
                })
                .collect();
            if units[..2].iter().all(|(_, sounds)| !sounds.is_empty()) {
                terms.push(Term { spelling, units });
            }
        }
        let sounds = numbers.len() + 1;
        let mut pairs = vec![0_u64; (sounds * sounds).div_ceil(64)];
        let mut terms_of: HashMap<u32, Vec<u32>> = HashMap::new();
        for (index, term) in (0_u32..).zip(&terms) {
            for &first in &term.units[0].1 {
                for &second in &term.units[1].1 {
                    let pair = usize::from(first) * sounds + usize::from(second);
                    pairs[pair / 64] |= 1 << (pair % 64);
                    terms_of.entry(pair as u32).or_default().push(index);
                }
            }
        }
        (!terms.is_empty()).then_some(Self {
            sound_of,
            sounds,
            pairs,
            terms,
            terms_of,
        })
    }

    #[inline]
    fn sound(&self, c: char) -> u16 {
        let at = u32::from(c).wrapping_sub(FIRST) as usize;
        self.sound_of.get(at).copied().unwrap_or(0)
    }

    /// Gives `found` the spelling, start and end of every term that the text has in other
    /// characters of the same sounds.
    pub(crate) fn find(&self, text: &str, found: &mut dyn FnMut(usize, usize, usize)) {
        let mut before: u16 = 0;
        let mut before_at = 0;
        for (at, c) in text.char_indices() {
            let sound = if c.is_ascii() { 0 } else { self.sound(c) };
            let pair = usize::from(before) * self.sounds + usize::from(sound);
            if before != 0 && sound != 0 && self.pairs[pair / 64] & (1 << (pair % 64)) != 0 {
                for &term in &self.terms_of[&(pair as u32)] {
                    let term = &self.terms[term as usize];
                    if let Some(end) = self.end_of(&text[before_at..], term) {
                        found(term.spelling, before_at, before_at + end);
                    }
                }
            }
            (before, before_at) = (sound, at);
        }
    }

    /// Where the term ends at the start of `text`; `None` also when it is written as it is.
    fn end_of(&self, text: &str, term: &Term) -> Option<usize> {
        let mut at = 0;
        let mut differs = false;
        let mut characters = text.chars();
        for (unit, sounds) in &term.units {
            let c = characters.next()?.to_ascii_lowercase();
            if simplified(c) != *unit {
                differs = true;
                let sound = self.sound(c);
                if sound == 0 || !sounds.contains(&sound) {
                    return None;
                }
            }
            at += c.len_utf8();
        }
        differs.then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_without_tones() {
        assert_eq!(sound('杀').as_deref(), Some("sha"));
        assert_eq!(sound('女').as_deref(), Some("nv"));
        assert_eq!(sound('a'), None);
        assert!(sounds('重').len() >= 2);
    }

    #[test]
    fn mixed_spellings_of_short_terms() {
        let plain = Spelling::of(0, "杀人", Forms::NONE);
        let mut all = Vec::new();
        spellings(&plain, &mut all);
        let written: Vec<String> = all
            .iter()
            .map(|spelling| spelling.units.iter().map(|unit| unit.c).collect())
            .collect();
        assert_eq!(written, ["sha人", "杀ren", "sharen"]);
        all.clear();
        spellings(&Spelling::of(0, "武装推翻政府", Forms::NONE), &mut all);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn same_sounds_are_found() {
        let all = [
            Spelling::of(0, "杀人", Forms::NONE),
            Spelling::of(1, "a", Forms::NONE),
        ];
        let same = SameSound::new(&all, &[0, 1]).expect("a term with sounds");
        let mut found = Vec::new();
        same.find(
            "说沙仁了, 杀人, 莎人",
            &mut |spelling, start, end| {
                found.push((spelling, start, end));
            },
        );
        assert_eq!(found, [(0, 3, 9), (0, 22, 28)]);
        assert!(SameSound::new(&all, &[1]).is_none());
    }
}
