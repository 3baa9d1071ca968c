//! Values found by a 128-bit key.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::marker::PhantomData;
use std::sync::LazyLock;

use siphasher::sip128::SipHasher24;

use crate::mapping::Memory;

/// 128 bits of SipHash-2-4 under a secret of this process: who does not know it cannot make two
/// names share one. A third of the time BLAKE3 takes for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key([u64; 2]);

impl Key {
    pub(crate) fn of(name: &[u8]) -> Self {
        static SECRET: LazyLock<SipHasher24> = LazyLock::new(|| {
            // The standard library's source of secrets.
            let half = || RandomState::new().hash_one(0);
            SipHasher24::new_with_keys(half(), half())
        });
        let (first, second) = SECRET.hash(name).as_u64();
        Self([first, second])
    }

    /// Which of a number of buckets of about one size it belongs to: in the order of the keys.
    fn bucket(self, buckets: usize) -> usize {
        ((u128::from(self.0[0]) * buckets as u128) >> 64) as usize
    }
}

impl std::hash::Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// The bytes of a map's own table, without what its values point to.
pub(crate) fn table_bytes<K, V, S>(map: &HashMap<K, V, S>) -> usize {
    // The table is filled to 7/8 and has a power of two of buckets, with one control byte each.
    let buckets = match map.capacity() {
        0 => 0,
        capacity => (capacity * 8 / 7).next_power_of_two(),
    };
    buckets * (size_of::<(K, V)>() + 1)
}

/// How many entries begin with the same bits of their key, on average.
const BUCKET: usize = 2;

/// A value of [`Keyed`] as bytes and back.
pub(crate) trait Stored: Copy + Ord {
    const BYTES: usize;
    /// `to` is [`Stored::BYTES`] long.
    fn write(self, to: &mut [u8]);
    /// The same.
    fn read(from: &[u8]) -> Self;
}

impl Stored for u32 {
    const BYTES: usize = 4;

    fn write(self, to: &mut [u8]) {
        to.copy_from_slice(&self.to_le_bytes());
    }

    #[inline]
    fn read(from: &[u8]) -> Self {
        Self::from_le_bytes(array(from, 0))
    }
}

/// The octets from `at` on.
#[inline]
pub(crate) fn array<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    let found = from.get(at..).and_then(|rest| rest.first_chunk());
    *found.expect("a record has its length")
}

impl Key {
    const BYTES: usize = 16;

    #[inline]
    fn read(from: &[u8]) -> Self {
        Self([array(from, 0), array(from, 8)].map(u64::from_le_bytes))
    }
}

/// An immutable multimap: the values of a key lie side by side, in order.
///
/// All entries stand in the order of their keys, each value behind its key. Keys are hashes,
/// evenly spread, so their first bits tell where to look: a key that is there takes two or three
/// cache lines, and [`Keyed::touch_start`] and [`Keyed::touch_entry`] can fetch them beforehand.
/// Large pages spare a look at the page table for each of them.
#[derive(Debug)]
pub(crate) struct Keyed<T> {
    /// Where each bucket begins, and the end of the last one: four bytes each.
    starts: Memory,
    buckets: usize,
    entries: Memory,
    distinct: usize,
    values: PhantomData<T>,
}

/// The values of one key, read where they lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a, T> {
    entries: &'a [u8],
    values: PhantomData<T>,
}

impl<'a, T: Stored> Values<'a, T> {
    fn of(entries: &'a [u8]) -> Self {
        Self {
            entries,
            values: PhantomData,
        }
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = T> + use<'a, T> {
        let entries = self.entries.chunks_exact(Keyed::<T>::ENTRY);
        entries.map(|entry| T::read(&entry[Key::BYTES..]))
    }

    /// Those that `compare` finds equal to what is looked for; it must order them as they are.
    pub(crate) fn equal(self, compare: impl Fn(T) -> Ordering) -> Self {
        let entry = Keyed::<T>::ENTRY;
        let first_not = |is_before: &dyn Fn(Ordering) -> bool| {
            let (mut from, mut to) = (0, self.entries.len() / entry);
            while from < to {
                let middle = from + (to - from) / 2;
                let value = T::read(&self.entries[middle * entry + Key::BYTES..]);
                if is_before(compare(value)) {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            from * entry
        };
        let (start, end) = (first_not(&Ordering::is_lt), first_not(&Ordering::is_le));
        Self::of(&self.entries[start..end])
    }
}

impl<T: Stored> Keyed<T> {
    const ENTRY: usize = Key::BYTES + T::BYTES;

    /// Sorts and groups the entries. Their count must fit 32 bits: builders see to it.
    ///
    /// # Errors
    /// There is not enough memory.
    pub(crate) fn new(mut entries: Vec<(Key, T)>) -> io::Result<Self> {
        entries.sort_unstable();
        let distinct = entries.chunk_by(|a, b| a.0 == b.0).count();
        let buckets = distinct.div_ceil(BUCKET);
        // Without entries there is nothing to begin or end.
        let places = if buckets == 0 { 0 } else { buckets + 1 };
        let mut starts = Memory::zeroed(places * size_of::<u32>())?;
        let mut memory = Memory::zeroed(entries.len() * Self::ENTRY)?;
        let (places, _) = starts.bytes_mut().as_chunks_mut();
        let records = memory.bytes_mut().chunks_exact_mut(Self::ENTRY);
        let mut begun = 0;
        for ((place, (key, value)), record) in entries.iter().enumerate().zip(records) {
            let bucket = key.bucket(buckets);
            if begun <= bucket {
                places[begun..=bucket].fill((place as u32).to_le_bytes());
                begun = bucket + 1;
            }
            let (halves, rest) = record.split_at_mut(Key::BYTES);
            halves[..8].copy_from_slice(&key.0[0].to_le_bytes());
            halves[8..].copy_from_slice(&key.0[1].to_le_bytes());
            value.write(rest);
        }
        places[begun..].fill((entries.len() as u32).to_le_bytes());
        Ok(Self {
            starts,
            buckets,
            entries: memory,
            distinct,
            values: PhantomData,
        })
    }

    /// Where the bucket of a key begins and ends.
    #[inline]
    fn bucket(&self, key: Key) -> (usize, usize) {
        if self.buckets == 0 {
            return (0, 0);
        }
        let at = key.bucket(self.buckets) * size_of::<u32>();
        let both: [u8; 8] = array(self.starts.bytes(), at);
        let both = u64::from_le_bytes(both);
        (both as u32 as usize, (both >> 32) as usize)
    }

    /// The values of a key, ascending; none for an unknown key.
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Values<'_, T> {
        let (start, end) = self.bucket(key);
        let bucket = &self.entries.bytes()[start * Self::ENTRY..end * Self::ENTRY];
        let from = Self::first_that(bucket, |known| known >= key);
        let bucket = &bucket[from * Self::ENTRY..];
        let count = Self::first_that(bucket, |known| known != key);
        Values::of(&bucket[..count * Self::ENTRY])
    }

    /// The place of the first entry with such a key, before which there are none; the count of
    /// all where there is none.
    #[inline]
    fn first_that(entries: &[u8], is_it: impl Fn(Key) -> bool) -> usize {
        /// More are not looked at one by one.
        const FEW: usize = 16;
        let (mut from, mut to) = (0, entries.len() / Self::ENTRY);
        while to - from > FEW {
            let middle = from + (to - from) / 2;
            if is_it(Key::read(&entries[middle * Self::ENTRY..])) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        let few = entries[from * Self::ENTRY..to * Self::ENTRY].chunks_exact(Self::ENTRY);
        let place = few.map(Key::read).position(is_it);
        place.map_or(to, |place| from + place)
    }

    /// Reads where the bucket of a key begins, so that a later look does not wait; gives any
    /// number.
    #[inline]
    pub(crate) fn touch_start(&self, key: Key) -> u64 {
        let (start, end) = self.bucket(key);
        (start ^ end) as u64
    }

    /// Reads the beginning and the end of the bucket likewise, which may lie in two cache lines.
    #[inline]
    pub(crate) fn touch_entry(&self, key: Key) -> u64 {
        let (start, end) = self.bucket(key);
        let byte = |at: usize| self.entries.bytes().get(at).copied().unwrap_or_default();
        let last = (end * Self::ENTRY).saturating_sub(1);
        u64::from(byte(start * Self::ENTRY) ^ byte(last))
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.distinct
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.bytes().len() / Self::ENTRY
    }

    /// The bytes it takes, without what the values point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.starts.bytes().len() + self.entries.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_come_back_in_order() {
        let key = |name: &str| Key::of(name.as_bytes());
        let entries = [("a", 3), ("b", 9), ("a", 1), ("a", 3)];
        let keyed = Keyed::new(entries.map(|(name, value)| (key(name), value)).to_vec());
        let keyed = keyed.expect("room");
        let get =
            |keyed: &Keyed<u32>, name: &str| -> Vec<u32> { keyed.get(key(name)).iter().collect() };
        assert_eq!(get(&keyed, "a"), [1, 3, 3]);
        assert_eq!(get(&keyed, "b"), [9]);
        assert!(get(&keyed, "c").is_empty());
        assert_eq!((keyed.keys(), keyed.len()), (2, 4));
        assert!(keyed.memory_bytes() >= 4 * 4 + 4 * 16);
        let empty = Keyed::<u32>::new(Vec::new()).expect("room");
        assert!(get(&empty, "a").is_empty());
        assert_eq!((empty.keys(), empty.len()), (0, 0));
        assert_eq!(empty.touch_start(key("a")), 0);
        assert_eq!(empty.touch_entry(key("a")), 0);
    }

    proptest! {
        /// Few different bits, so that buckets overflow and lie empty.
        #[test]
        fn every_key_has_its_values(
            entries in prop::collection::vec((0u64..8, 0u64..3, 0u32..4), 0..200),
            shift in 0u32..62,
        ) {
            let key = |high: u64, low: u64| Key([high << shift, low]);
            let mut expected: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
            for (high, low, value) in &entries {
                expected.entry(key(*high, *low)).or_default().push(*value);
            }
            let entries = entries.iter().map(|(high, low, value)| (key(*high, *low), *value));
            let keyed = Keyed::new(entries.collect()).expect("room");
            prop_assert_eq!(keyed.keys(), expected.len());
            for (high, low) in (0..8).flat_map(|high| (0..4).map(move |low| (high, low))) {
                let key = key(high, low);
                keyed.touch_start(key);
                keyed.touch_entry(key);
                let mut values = expected.get(&key).cloned().unwrap_or_default();
                values.sort_unstable();
                prop_assert_eq!(keyed.get(key).iter().collect::<Vec<u32>>(), &values[..]);
                for wanted in 0..4 {
                    let equal = keyed.get(key).equal(|value| value.cmp(&wanted));
                    let count = values.iter().filter(|value| **value == wanted).count();
                    prop_assert!(equal.iter().all(|value| value == wanted));
                    prop_assert_eq!(equal.iter().count(), count);
                }
            }
            let last = Key([u64::MAX, u64::MAX]);
            prop_assert!(keyed.get(last).iter().next().is_none());
        }
    }
}
