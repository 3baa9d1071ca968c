//! A large batch in parts, each about neighbours: subjects whose hashes begin alike.
//!
//! Records and index are in the order of the hashes, so a part reads from few of their pages,
//! and the parts one after the other read both from the start to the end.

use crate::subject_hash::SubjectHash;

/// The most subjects that are put in order at a time. Four bytes each.
pub(super) const AT_ONCE: usize = 1 << 23;

/// How many subjects a part has, about: in 24 bytes each they fit the fastest cache.
const PART: usize = 1024;

/// More parts than that are not written side by side without waiting for memory.
const MOST_PARTS: usize = 4096;

/// Which subjects of a batch belong to which part.
pub(super) struct Parts {
    /// Places in the batch, part by part.
    places: Vec<u32>,
    /// Where each part ends in `places`.
    ends: Vec<u32>,
}

impl Parts {
    /// Of at most [`AT_ONCE`] subjects.
    pub(super) fn of(subjects: &[SubjectHash]) -> Self {
        debug_assert!(subjects.len() <= AT_ONCE);
        let count = subjects.len().div_ceil(PART).clamp(1, MOST_PARTS);
        let part =
            |subject: &SubjectHash| ((u128::from(subject.high) * count as u128) >> 64) as usize;
        let mut ends = vec![0u32; count];
        for subject in subjects {
            ends[part(subject)] += 1;
        }
        let mut before = 0;
        for end in &mut ends {
            // For now where it begins; it is moved on by every subject.
            before += std::mem::replace(end, before);
        }
        let mut places = vec![0; subjects.len()];
        for (subject, place) in subjects.iter().zip(0..) {
            let next = &mut ends[part(subject)];
            places[*next as usize] = place;
            *next += 1;
        }
        Self { places, ends }
    }

    /// The places of each part, those of one part in ascending order. Every subject of a part is
    /// before all those of the next one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            &self.places[std::mem::replace(&mut start, end)..end]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_order_and_every_place_is_in_one_of_them() {
        for count in [0, 1, 1_024, 1_025, 100_000] {
            let subjects: Vec<SubjectHash> = (0..count)
                .map(|number: u32| SubjectHash::of(&(number % 70_000).to_string()))
                .collect();
            let parts = Parts::of(&subjects);
            let mut seen = vec![0; subjects.len()];
            let mut last = None;
            for part in parts.iter() {
                assert!(part.is_sorted() && part.len() < 1_400);
                part.iter().for_each(|place| seen[*place as usize] += 1);
                let part = part.iter().map(|place| subjects[*place as usize]);
                let (first, end) = (part.clone().min(), part.max());
                assert!(last.is_none() || first.is_none() || last < first);
                last = end.or(last);
            }
            assert!(seen.iter().all(|times| *times == 1));
        }
    }

    #[test]
    fn the_first_and_the_last_hash_are_in_the_first_and_the_last_part() {
        let hash = |half| SubjectHash {
            high: half,
            low: half,
        };
        let mut subjects = vec![hash(u64::MAX), hash(0)];
        subjects.extend((0..5_000).map(|number: u32| SubjectHash::of(&number.to_string())));
        let parts = Parts::of(&subjects);
        assert!(parts.iter().next().is_some_and(|part| part.contains(&1)));
        assert!(parts.iter().last().is_some_and(|part| part.contains(&0)));
    }
}
