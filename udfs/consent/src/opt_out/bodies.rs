//! The digests and the rules of all bodies, in one piece of memory.
//!
//! A body begins at a cache line of its own: first its digest, then, of a robots.txt, its rules.
//! Those that many sites share lie together.

use std::cmp::Reverse;
use std::io;

use crate::mapping::Memory;

/// A cache line of most processors, in bytes.
const LINE: usize = 64;
const DIGEST: usize = 32;
/// How many cache lines of a body lookups usually read: the digest, the tables of a robots.txt,
/// and some of its rules.
const GLANCE: usize = 7;

/// Where a body lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// In cache lines.
    line: u32,
    /// Of the rules, in bytes.
    length: u32,
}

impl Place {
    fn lines(self) -> usize {
        (DIGEST + self.length as usize).div_ceil(LINE)
    }

    fn start(self) -> usize {
        self.line as usize * LINE
    }

    fn end(self) -> usize {
        self.start() + self.lines() * LINE
    }
}

/// Takes the bodies one by one.
#[derive(Debug, Default)]
pub(super) struct BodiesBuilder {
    bytes: Vec<u8>,
}

impl BodiesBuilder {
    /// `None` when there is no place for more.
    pub(super) fn push(&mut self, sha256: &[u8; DIGEST], rules: &[u8]) -> Option<Place> {
        let place = Place {
            line: u32::try_from(self.bytes.len() / LINE).ok()?,
            length: u32::try_from(rules.len()).ok()?,
        };
        self.bytes.extend_from_slice(sha256);
        self.bytes.extend_from_slice(rules);
        self.bytes.resize(place.end(), 0);
        Some(place)
    }

    /// Sets the bodies into their memory and changes their places: those with the most `uses`
    /// come first.
    pub(super) fn finish<'a>(
        self,
        places: impl Iterator<Item = (u32, &'a mut Place)>,
    ) -> io::Result<Bodies> {
        let mut places: Vec<(u32, &mut Place)> = places.collect();
        places.sort_by_key(|(uses, _)| Reverse(*uses));
        let mut memory = Memory::zeroed(self.bytes.len())?;
        let mut end = 0;
        for (_, place) in places {
            let bytes = &self.bytes[place.start()..place.end()];
            // As many lines as before, in another order.
            place.line = (end / LINE) as u32;
            memory.bytes_mut()[end..][..bytes.len()].copy_from_slice(bytes);
            end += bytes.len();
        }
        Ok(Bodies(memory))
    }
}

#[derive(Debug)]
pub(super) struct Bodies(Memory);

impl Bodies {
    pub(super) fn sha256(&self, place: Place) -> &[u8; DIGEST] {
        let digest = self.0.bytes()[place.start()..].first_chunk();
        digest.expect("every body has a digest")
    }

    /// The rules of a robots.txt; empty for other bodies.
    pub(super) fn rules(&self, place: Place) -> &[u8] {
        &self.0.bytes()[place.start() + DIGEST..][..place.length as usize]
    }

    /// Reads a little of every cache line a lookup is likely to need, so that the lookup does
    /// not wait for it later; gives any number.
    #[inline]
    pub(super) fn touch(&self, place: Place) -> u64 {
        let (lines, _) = self.0.bytes()[place.start()..place.end()].as_chunks::<LINE>();
        let lines = lines.iter().take(GLANCE);
        lines.fold(0, |sum, line| sum ^ u64::from(line[0]))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_found_again_in_their_new_places() {
        let mut builder = BodiesBuilder::default();
        let rules = |number: u8| vec![number; usize::from(number) * 9];
        let mut places: Vec<Place> = (0..40)
            .map(|number| builder.push(&[number; 32], &rules(number)).expect("room"))
            .collect();
        let uses = |number: usize| [1, 5, 3][number % 3];
        let counted = places.iter_mut().enumerate();
        let counted = counted.map(|(number, place)| (uses(number), place));
        let bodies = builder.finish(counted).expect("room");
        for (number, place) in (0..40).zip(&places) {
            assert_eq!(bodies.sha256(*place), &[number; 32]);
            assert_eq!(bodies.rules(*place), rules(number));
            bodies.touch(*place);
        }
        let order = |number: usize| places[number].line;
        assert!(order(1) < order(4) && order(37) < order(2) && order(38) < order(0));
        assert_eq!(order(1), 0);
        let lines: usize = places.iter().map(|place| place.lines()).sum();
        assert_eq!(bodies.memory_bytes(), lines * LINE);
        let none = BodiesBuilder::default().finish(std::iter::empty());
        assert_eq!(none.expect("no room needed").memory_bytes(), 0);
    }
}
