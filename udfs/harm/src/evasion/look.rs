//! Looks at the places of a text, many of one kind behind each other: what one of them needs is on
//! its way from memory while others are looked at, and the processor foresees the steps.

use super::Evasion;
use super::ascii::{self, LANES, Windows};
use super::byte_classes::BLOCK;
use super::characters::Traits;
use super::compare::next_char;
use super::scan::{Places, Scanned, scan};
use super::sites::{Found, Kind, Site};

/// So many places of a kind are looked at in one go.
const MANY: usize = 64;

/// Places of one kind.
#[derive(Debug)]
struct Positions {
    /// Room for [`MANY`], a block more, and what is written and read beyond the last.
    at: [usize; MANY + BLOCK + LANES],
    len: usize,
}

const AT_ONCE: usize = 4;
const _: () = assert!(AT_ONCE <= LANES);

/// What is reused from text to text.
#[derive(Debug)]
pub(crate) struct Room {
    others: Positions,
    separators: Positions,
    signs: Positions,
    /// Places to be looked up.
    waiting: Vec<Site>,
    passed: Vec<(usize, Kind)>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            others: Positions::new(),
            separators: Positions::new(),
            signs: Positions::new(),
            waiting: Vec::with_capacity(4 * MANY),
            passed: Vec::with_capacity(MANY),
        }
    }
}

impl Positions {
    fn new() -> Self {
        Self {
            at: [0; MANY + BLOCK + LANES],
            len: 0,
        }
    }

    /// Adds `start` and the place of each bit behind it. How many there are is hard to foresee, so
    /// several are written at once, needed or not.
    #[inline]
    fn add(&mut self, start: usize, mut bits: u64) {
        let len = self.len;
        self.len += bits.count_ones() as usize;
        let (rooms, _) = self.at[len..].as_chunks_mut::<AT_ONCE>();
        for room in rooms {
            for at in room {
                *at = start + bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
            }
            if bits == 0 {
                break;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.len >= MANY
    }

    /// Keeps those of which `may` says so, by what stands around them. Which do is hard to foresee, so
    /// each is written.
    #[inline]
    fn keep(&mut self, bytes: &[u8], may: impl Fn(&Windows) -> [bool; LANES]) {
        let mut kept = 0;
        for first in (0..self.len).step_by(LANES) {
            // Those behind the last are of no use.
            let mut places = [0; LANES];
            places.copy_from_slice(&self.at[first..first + LANES]);
            let mut windows = [0; LANES];
            for (window, at) in windows.iter_mut().zip(places) {
                *window = ascii::window(bytes, at);
            }
            for (lane, (at, may)) in places.into_iter().zip(may(&windows)).enumerate() {
                self.at[kept] = at;
                kept += usize::from(may & (first + lane < self.len));
            }
        }
        self.len = kept;
    }

    fn all(&self) -> &[usize] {
        &self.at[..self.len]
    }
}

/// A text that is looked at.
struct Look<'a> {
    evasion: &'a Evasion,
    text: &'a str,
    is_normal: bool,
    takes_separators: bool,
    takes_signs: bool,
    takes_repeats: bool,
    room: &'a mut Room,
    found: &'a mut Vec<Found>,
}

/// Looks at every place of `text`; stops at an exotic character unless the text is in normal form.
pub(super) fn scan_places(
    evasion: &Evasion,
    text: &str,
    is_normal: bool,
    room: &mut Room,
    found: &mut Vec<Found>,
) -> Scanned {
    room.others.len = 0;
    room.separators.len = 0;
    room.signs.len = 0;
    room.waiting.clear();
    let mut look = Look {
        evasion,
        text,
        is_normal,
        takes_separators: evasion.sites.take_separators(),
        takes_signs: evasion.sites.take_signs(),
        takes_repeats: evasion.sites.take_repeats(),
        room,
        found,
    };
    let mut scanned = scan(text, |start, places| look.at_block(start, places));
    if scanned.is_whole {
        scanned.is_whole = look.at_others();
        look.at_ascii_separators();
        look.at_signs();
        look.look_up();
    }
    scanned
}

impl Look<'_> {
    /// `false` at an exotic character.
    #[inline]
    fn at_block(&mut self, start: usize, places: Places) -> bool {
        if places.other != 0 {
            self.room.others.add(start, places.other);
        }
        if places.separator != 0 && self.takes_separators {
            self.room.separators.add(start, places.separator);
        }
        if self.takes_signs && places.sign != 0 {
            self.room.signs.add(start, places.sign);
        }
        if self.takes_repeats && places.repeat != 0 {
            self.at_repeats(start, places.repeat);
        }
        if self.room.separators.is_full() {
            self.at_ascii_separators();
        }
        if self.room.signs.is_full() {
            self.at_signs();
        }
        if self.room.waiting.len() >= MANY {
            self.look_up();
        }
        !self.room.others.is_full() || self.at_others()
    }

    fn at_repeats(&mut self, start: usize, places: u64) {
        let (sites, waiting) = (&self.evasion.sites, &mut self.room.waiting);
        bits(places).for_each(|at| sites.repeat_at(self.text, start + at, waiting));
    }

    /// Looks at the characters beyond ASCII; `false` at an exotic one.
    fn at_others(&mut self) -> bool {
        let literals = &self.evasion.literals;
        for nth in 0..self.room.others.len {
            let at = self.room.others.at[nth];
            let c = next_char(self.text, at).expect("a character starts here");
            let traits = Traits::of(c);
            if traits.is_exotic() {
                if self.is_normal {
                    continue;
                }
                return false;
            }
            if !traits.is_separator() {
                continue;
            }
            if !self.is_normal && !literals.is_empty() && literals.binary_search(&c).is_ok() {
                return false;
            }
            if self.takes_separators {
                let (sites, waiting) = (&self.evasion.sites, &mut self.room.waiting);
                sites.separators_at(self.text, at, c, traits, waiting);
            }
        }
        self.room.others.len = 0;
        true
    }

    /// Looks at the ASCII separators.
    fn at_ascii_separators(&mut self) {
        let Room {
            separators,
            waiting,
            ..
        } = &mut *self.room;
        let (text, sites) = (self.text, &self.evasion.sites);
        separators.keep(text.as_bytes(), |windows| {
            sites.may_have_separators(windows)
        });
        for &at in separators.all() {
            sites.ascii_separators_at(text, at, waiting);
        }
        separators.len = 0;
    }

    /// Looks at the signs that may stand for letters.
    fn at_signs(&mut self) {
        let Room { signs, waiting, .. } = &mut *self.room;
        let (text, sites) = (self.text, &self.evasion.sites);
        signs.keep(text.as_bytes(), |windows| sites.may_have_signs(windows));
        for &at in signs.all() {
            sites.sign_at(text, at, waiting);
        }
        signs.len = 0;
    }

    /// Looks up the places that wait for it.
    fn look_up(&mut self) {
        let Evasion {
            sites, spellings, ..
        } = self.evasion;
        let Room {
            waiting, passed, ..
        } = &mut *self.room;
        sites.look_up(self.text, waiting, passed, spellings, self.found);
        waiting.clear();
    }
}

/// The places of the bits of a word, ascending.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
}
