//! Finds the terms of a lexicon in the ways in which people disguise them.
//!
//! What can be undone character by character (width, case, enclosed letters, look-alikes, marks,
//! invisible characters) the normal form undoes, and only texts that have such characters are
//! brought into it. The rest, which ordinary characters make up, is found in the text as it is:
//! other ways to write a character stand as byte strings in the matcher; separators, signs for
//! letters and repeated letters are looked up where they stand.

mod anchor;
pub(crate) mod ascii;
pub(crate) mod byte_classes;
mod characters;
mod compare;
mod leet;
mod look;
mod number;
mod pinyin;
mod scan;
mod separator;
mod sites;
mod spelling;
mod split;

use std::collections::HashMap;

use tamis_text::{Normal, normal_form};

use crate::lexicon::Lexicon;
use crate::matcher::Match;
use crate::via::{Forms, Via};

pub(crate) use look::Room;

use anchor::Anchor;
use compare::{forms_of, plain_end_of, start_of};
use pinyin::SameSound;
use sites::{Sites, own_gap};
use spelling::Spelling;

/// A pattern of the lexicon found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) pattern: usize,
    /// Bytes of the text that was searched.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Forms other than those the normal form undoes.
    pub(crate) forms: Forms,
}

/// A spelling that an anchor stands for.
#[derive(Debug, Clone, Copy)]
struct AnchorUse {
    spelling: u32,
    pattern: u32,
    /// The units of the spelling that the anchor writes.
    start: u16,
    end: u16,
    /// Whether those are all.
    is_whole: bool,
    /// What writing it so means.
    forms: Forms,
}

/// A text as it is searched.
#[derive(Debug)]
pub(crate) enum View<'a> {
    /// As it is.
    Plain(&'a str),
    /// In ASCII lower case.
    Lower(&'a str, String),
    /// In normal form.
    Normal(Normal<'a>),
}

impl<'a> View<'a> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Lower(_, lower) => lower,
            Self::Normal(normal) => normal.text(),
        }
    }

    pub(crate) fn original(&self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Lower(text, _) => text,
            Self::Normal(normal) => normal.original(),
        }
    }

    pub(crate) fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        match self {
            Self::Plain(_) | Self::Lower(..) => (start, end),
            Self::Normal(normal) => normal.original_span(start, end),
        }
    }
}

/// The spellings of a lexicon's terms, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Evasion {
    spellings: Vec<Spelling>,
    /// Byte strings for the matcher, and the spellings of each with the stretch it stands for.
    anchors: Vec<String>,
    uses: Vec<AnchorUse>,
    /// Where the uses of each anchor begin, and where the last end.
    first_uses: Vec<u32>,
    sites: Sites,
    same_sound: Option<SameSound>,
    /// Characters that become a separator that stands at the edge of some term: texts with them
    /// are brought into normal form. Ascending.
    literals: Vec<char>,
}

impl Evasion {
    pub(crate) fn new(lexicon: &Lexicon) -> Self {
        let mut spellings = Vec::new();
        let mut same_sound = Vec::new();
        for (number, pattern) in (0_u32..).zip(lexicon.patterns()) {
            let asked = |via: Via| {
                pattern
                    .entries
                    .iter()
                    .any(|&entry| lexicon.rules()[entry].forms.holds(via))
            };
            let normal = normal_form(&pattern.text);
            let plain = Spelling::of(number, &normal, Forms::NONE);
            if asked(Via::Pinyin) {
                pinyin::spellings(&plain, &mut spellings);
            }
            if asked(Via::Homophone) {
                same_sound.push(spellings.len());
            }
            // Greek and Cyrillic that only look Latin may stand in a longer word that does not; and
            // the anchors of terms that take no traditional characters have none.
            let has_other_script = pattern
                .text
                .contains(|c| ('\u{370}'..'\u{530}').contains(&c));
            let written = ((has_other_script || !asked(Via::Traditional))
                && normal != pattern.text)
                .then(|| Spelling::of(number, &pattern.text, Forms::NONE));
            spellings.push(plain);
            spellings.extend(written);
        }
        for spelling in &mut spellings {
            let entries = &lexicon.patterns()[spelling.pattern as usize].entries;
            spelling.whole_words = entries
                .iter()
                .all(|&entry| lexicon.rules()[entry].whole_words);
            spelling.asked = entries.iter().fold(Forms::NONE, |asked, &entry| {
                asked.and(lexicon.rules()[entry].forms)
            });
        }
        let mut anchors: Vec<String> = Vec::new();
        let mut uses: Vec<(usize, AnchorUse)> = Vec::new();
        let mut anchor_of: HashMap<String, usize> = HashMap::new();
        for (number, spelling) in (0_u32..).zip(&spellings) {
            let anchor = Anchor::of(spelling);
            let (start, end) = (anchor.start as u16, anchor.end as u16);
            for text in anchor.texts {
                let at = *anchor_of.entry(text).or_insert_with_key(|text| {
                    anchors.push(text.clone());
                    anchors.len() - 1
                });
                let inside = forms_of(&anchors[at], spelling, anchor.start..anchor.end);
                let used = AnchorUse {
                    spelling: number,
                    pattern: spelling.pattern,
                    start,
                    end,
                    is_whole: anchor.start == 0 && anchor.end == spelling.units.len(),
                    forms: inside.and(spelling.forms),
                };
                uses.push((at, used));
            }
        }
        uses.sort_by_key(|(anchor, _)| *anchor);
        let first_uses = (0..=anchors.len())
            .map(|anchor| uses.partition_point(|(at, _)| *at < anchor) as u32)
            .collect();
        let mut literals: Vec<char> = spellings.iter().flat_map(Spelling::literals).collect();
        literals.sort_unstable();
        literals.dedup();
        Self {
            sites: Sites::new(&spellings),
            same_sound: SameSound::new(&spellings, &same_sound),
            spellings,
            anchors,
            uses: uses.into_iter().map(|(_, used)| used).collect(),
            first_uses,
            literals: characters::become_one_of(&literals),
        }
    }

    /// The byte strings the matcher looks for.
    pub(crate) fn anchors(&self) -> Vec<&str> {
        self.anchors.iter().map(String::as_str).collect()
    }

    /// The text as it is searched, and what stands in it disguised by ordinary characters. `room`
    /// is used again and again.
    pub(crate) fn view<'a>(
        &self,
        text: &'a str,
        room: &mut Room,
        sightings: &mut Vec<Sighting>,
    ) -> View<'a> {
        let mut found = Vec::new();
        let scanned = look::scan_places(self, text, false, room, &mut found);
        let view = if !scanned.is_whole {
            found.clear();
            let normal = Normal::new(text);
            look::scan_places(self, normal.text(), true, room, &mut found);
            View::Normal(normal)
        } else if scanned.has_upper {
            View::Lower(text, text.to_ascii_lowercase())
        } else {
            View::Plain(text)
        };
        sightings.extend(found.iter().map(|found| Sighting {
            pattern: self.spellings[found.spelling].pattern as usize,
            start: found.start,
            end: found.end,
            forms: found.forms,
        }));
        if let Some(same_sound) = &self.same_sound {
            same_sound.find(view.text(), &mut |spelling, start, end| {
                sightings.push(Sighting {
                    pattern: self.spellings[spelling].pattern as usize,
                    start,
                    end,
                    forms: Forms::of(Via::Homophone),
                });
            });
        }
        view
    }

    /// Gives `each` the patterns that stand where the matcher found an anchor in `text`.
    pub(crate) fn sight(&self, text: &str, found: Match, each: &mut dyn FnMut(Sighting)) {
        let uses =
            self.first_uses[found.pattern] as usize..self.first_uses[found.pattern + 1] as usize;
        for used in &self.uses[uses] {
            let sighting = Sighting {
                pattern: used.pattern as usize,
                start: found.start,
                end: found.end,
                forms: used.forms,
            };
            if used.is_whole {
                each(sighting);
                continue;
            }
            let spelling = &self.spellings[used.spelling as usize];
            let (first, last) = (usize::from(used.start), usize::from(used.end));
            let before = own_gap(text, found.start, spelling, first)
                .and_then(|end| start_of(text, end, spelling, first));
            let Some((start, before)) = before else {
                continue;
            };
            let Some((end, after)) = plain_end_of(text, found.end, spelling, last) else {
                continue;
            };
            each(Sighting {
                start,
                end,
                forms: before.and(after).and(used.forms),
                ..sighting
            });
        }
    }
}

#[cfg(test)]
mod tests;
