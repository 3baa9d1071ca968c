//! Values found by a 128-bit key.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// 128 bits of BLAKE3: nobody can make two names share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key([u64; 2]);

impl Key {
    pub(crate) fn of(name: &[u8]) -> Self {
        let hash = blake3::hash(name);
        let half = |from: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&hash.as_bytes()[from..from + 8]);
            u64::from_le_bytes(bytes)
        };
        Self([half(0), half(8)])
    }
}

impl std::hash::Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// A key is a hash already.
#[derive(Debug, Default, Clone)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<KeyHasher>>;

/// The bytes of a map's own table, without what its values point to.
pub(crate) fn table_bytes<K, V, S>(map: &HashMap<K, V, S>) -> usize {
    // The table is filled to 7/8 and has a power of two of buckets, with one control byte each.
    let buckets = match map.capacity() {
        0 => 0,
        capacity => (capacity * 8 / 7).next_power_of_two(),
    };
    buckets * (size_of::<(K, V)>() + 1)
}

/// An immutable multimap: the values of a key lie side by side, in order.
#[derive(Debug)]
pub(crate) struct Keyed<T> {
    spans: KeyMap<(u32, u32)>,
    values: Vec<T>,
}

impl<T: Ord> Keyed<T> {
    /// Sorts and groups the entries. Their count must fit 32 bits: builders see to it.
    pub(crate) fn new(mut entries: Vec<(Key, T)>) -> Self {
        entries.sort_unstable();
        let groups = entries.chunk_by(|a, b| a.0 == b.0);
        let mut spans = KeyMap::default();
        spans.reserve(groups.clone().count());
        let mut from = 0;
        for group in groups {
            spans.insert(group[0].0, (from, group.len() as u32));
            from += group.len() as u32;
        }
        let mut values: Vec<T> = entries.into_iter().map(|(_, value)| value).collect();
        values.shrink_to_fit();
        Self { spans, values }
    }

    /// The values of a key, ascending; none for an unknown key.
    pub(crate) fn get(&self, key: Key) -> &[T] {
        match self.spans.get(&key) {
            Some(&(from, length)) => &self.values[from as usize..(from + length) as usize],
            None => &[],
        }
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.spans.len()
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The bytes it takes, without what the values point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        table_bytes(&self.spans) + self.values.capacity() * size_of::<T>()
    }
}

#[cfg(test)]
mod tests {
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
        assert!(keyed.memory_bytes() >= 4 * 4 + 2 * 24);
    }
}
