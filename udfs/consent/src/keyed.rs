//! Values found by a 128-bit key.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::SipHasher24;

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

/// An immutable multimap: the values of a key lie side by side, in order.
///
/// All entries stand in the order of their keys. Keys are hashes, evenly spread, so their first
/// bits tell where to look: a key that is there takes three cache lines, and
/// [`Keyed::touch_start`] and [`Keyed::touch_entry`] can fetch them beforehand.
#[derive(Debug)]
pub(crate) struct Keyed<T> {
    /// Where each bucket begins, and the end of the last one.
    starts: Vec<u32>,
    keys: Vec<Key>,
    values: Vec<T>,
    distinct: usize,
}

impl<T: Ord> Keyed<T> {
    /// Sorts and groups the entries. Their count must fit 32 bits: builders see to it.
    pub(crate) fn new(mut entries: Vec<(Key, T)>) -> Self {
        entries.sort_unstable();
        let distinct = entries.chunk_by(|a, b| a.0 == b.0).count();
        let buckets = distinct.div_ceil(BUCKET);
        let mut starts = Vec::with_capacity(buckets + 1);
        for (place, (key, _)) in entries.iter().enumerate() {
            let bucket = key.bucket(buckets);
            if starts.len() <= bucket {
                starts.resize(bucket + 1, place as u32);
            }
        }
        starts.resize(buckets + 1, entries.len() as u32);
        let keys = entries.iter().map(|(key, _)| *key).collect();
        let mut values: Vec<T> = entries.into_iter().map(|(_, value)| value).collect();
        values.shrink_to_fit();
        Self {
            starts,
            keys,
            values,
            distinct,
        }
    }

    /// Where the bucket of a key begins and ends.
    fn bucket(&self, key: Key) -> (usize, usize) {
        let bucket = key.bucket(self.starts.len() - 1);
        // An empty map has no bucket.
        let end = self.starts.get(bucket + 1).copied().unwrap_or_default();
        (self.starts[bucket] as usize, end as usize)
    }

    /// The values of a key, ascending; none for an unknown key.
    pub(crate) fn get(&self, key: Key) -> &[T] {
        let (start, end) = self.bucket(key);
        let keys = &self.keys[start..end];
        let from = keys.partition_point(|known| *known < key);
        let count = keys[from..].partition_point(|known| *known == key);
        &self.values[start + from..start + from + count]
    }

    /// Reads where the bucket of a key begins, so that a later look does not wait; gives any
    /// number.
    pub(crate) fn touch_start(&self, key: Key) -> u64 {
        let (start, end) = self.bucket(key);
        (start ^ end) as u64
    }

    /// Reads the beginning and the end of the bucket likewise, which may lie in two cache lines;
    /// `read` takes anything out of a value.
    pub(crate) fn touch_entry(&self, key: Key, read: impl Fn(&T) -> u64) -> u64 {
        let (start, end) = self.bucket(key);
        let touch = |place: usize| {
            let entry = self.keys.get(place).zip(self.values.get(place));
            entry.map_or(0, |(key, value)| key.0[0] ^ read(value))
        };
        touch(start) ^ touch(end.saturating_sub(1))
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.distinct
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The bytes it takes, without what the values point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
            + self.keys.capacity() * size_of::<Key>()
            + self.values.capacity() * size_of::<T>()
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
        assert_eq!(keyed.get(key("a")), [1, 3, 3]);
        assert_eq!(keyed.get(key("b")), [9]);
        assert!(keyed.get(key("c")).is_empty());
        assert_eq!((keyed.keys(), keyed.len()), (2, 4));
        assert!(keyed.memory_bytes() >= 4 * 4 + 4 * 16);
        let empty = Keyed::<u32>::new(Vec::new());
        assert!(empty.get(key("a")).is_empty());
        assert_eq!((empty.keys(), empty.len()), (0, 0));
        assert_eq!(empty.touch_start(key("a")), 0);
        assert_eq!(empty.touch_entry(key("a"), |value| u64::from(*value)), 0);
    }

    proptest! {
        /// Few different bits, so that buckets overflow and lie empty.
        #[test]
        fn every_key_has_its_values(
            entries in prop::collection::vec((0u64..8, 0u64..3, 0u32..4), 0..60),
            shift in 0u32..62,
        ) {
            let key = |high: u64, low: u64| Key([high << shift, low]);
            let mut expected: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
            for (high, low, value) in &entries {
                expected.entry(key(*high, *low)).or_default().push(*value);
            }
            let entries = entries.iter().map(|(high, low, value)| (key(*high, *low), *value));
            let keyed = Keyed::new(entries.collect());
            prop_assert_eq!(keyed.keys(), expected.len());
            for (high, low) in (0..8).flat_map(|high| (0..4).map(move |low| (high, low))) {
                let key = key(high, low);
                keyed.touch_start(key);
                keyed.touch_entry(key, |value| u64::from(*value));
                let mut values = expected.get(&key).cloned().unwrap_or_default();
                values.sort_unstable();
                prop_assert_eq!(keyed.get(key), values);
            }
            let last = Key([u64::MAX, u64::MAX]);
            prop_assert!(keyed.get(last).is_empty());
        }
    }
}
