//! Subjects as the registry knows them.

use std::fmt;

use crate::subject::SubjectKey;

/// A subject as a registry knows it: 128 bits of BLAKE3 of the id's bytes.
///
/// A registry with a subject key knows its subjects by keyed hashes, the bytes of
/// [`SubjectKey::subject_ref`]; one without by plain hashes. Ask the registry for the right
/// one: [`crate::ConsentRegistry::subject_hash`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectHash {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl SubjectHash {
    /// Hashes an id without a key, exactly as given (no trimming, no folding).
    pub fn of(subject: &str) -> Self {
        let hash = blake3::hash(subject.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self::from_bytes(bytes)
    }

    /// Reads a reference as [`SubjectKey::subject_ref`] writes it: 32 lower-case hex digits.
    /// `None` for any other text.
    pub fn from_subject_ref(reference: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let is_lower = !reference.bytes().any(|byte| byte.is_ascii_uppercase());
        (is_lower && hex::decode_to_slice(reference, &mut bytes).is_ok())
            .then(|| Self::from_bytes(bytes))
    }

    /// The first 8 of its 16 bytes: of a registry with a subject key the key by which the indexes
    /// of an output know a subject.
    pub fn prefix(self) -> u64 {
        self.high
    }

    /// The order of the bytes is the order of the hashes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self {
            high: (both >> 64) as u64,
            low: both as u64,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }
}

// Without a key whoever sees the hash can try ids.
impl fmt::Debug for SubjectHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SubjectHash(..)")
    }
}

/// How a registry hashes its subjects.
#[derive(Debug, Clone)]
pub(crate) enum SubjectHasher {
    Plain,
    Keyed(SubjectKey),
}

impl SubjectHasher {
    pub(crate) fn hash(&self, subject: &str) -> SubjectHash {
        match self {
            Self::Plain => SubjectHash::of(subject),
            Self::Keyed(key) => SubjectHash::from_bytes(key.reference(subject)),
        }
    }

    pub(crate) fn key(&self) -> Option<&SubjectKey> {
        match self {
            Self::Plain => None,
            Self::Keyed(key) => Some(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyed_hash_is_the_subject_ref() {
        let key = SubjectKey::from_bytes(b"0123456789abcdef").expect("a key");
        let reference = key.subject_ref("user-1");
        let hash = SubjectHasher::Keyed(key).hash("user-1");
        assert_eq!(SubjectHash::from_subject_ref(&reference), Some(hash));
        assert_eq!(hex::encode(hash.to_bytes()), reference);
        assert_ne!(SubjectHasher::Plain.hash("user-1"), hash);
        for bad in ["", &reference[1..], &reference.to_uppercase(), "user-1"] {
            assert_eq!(SubjectHash::from_subject_ref(bad), None, "{bad}");
        }
    }

    #[test]
    fn bytes_and_hashes_have_one_order() {
        let mut hashes: Vec<SubjectHash> = (0..100)
            .map(|number: u32| SubjectHash::of(&number.to_string()))
            .collect();
        hashes.sort_unstable();
        assert!(hashes.is_sorted_by_key(|hash| hash.to_bytes()));
        assert!(
            hashes
                .iter()
                .all(|hash| SubjectHash::from_bytes(hash.to_bytes()) == *hash)
        );
    }
}
