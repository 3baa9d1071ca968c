//! Keyed references to subjects.

use std::fmt;

use tamis_resource::{ResourceError, Result};

/// The shortest key accepted, in bytes.
const SHORTEST: usize = 16;
const REFERENCE_CONTEXT: &str = "tamis 2026-11 subject reference";
const KEY_ID_CONTEXT: &str = "tamis 2026-11 subject key id";
const KEY_ID_TEXT: &[u8] = b"tamis subject key id";

/// The secret that turns a subject id into a reference.
///
/// Without the key a reference cannot be traced to an id by trying ids. The key is never
/// shown: `Debug` prints [`SubjectKey::key_id`] alone. Two keys are equal when their ids
/// are.
#[derive(Clone)]
pub struct SubjectKey {
    reference_key: [u8; 32],
    key_id: [u8; 8],
}

impl SubjectKey {
    /// Makes a key from the bytes of a key file or an environment variable.
    ///
    /// One trailing newline (`\n` or `\r\n`) is not part of the key. Any bytes serve;
    /// 32 random ones are good.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] when fewer than 16 bytes are left. The message gives
    /// the length, never the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes
            .strip_suffix(b"\r\n")
            .or_else(|| bytes.strip_suffix(b"\n"))
            .unwrap_or(bytes);
        if bytes.len() < SHORTEST {
            return Err(ResourceError::Malformed {
                uri: "tamis.subject_key".into(),
                location: "length".into(),
                message: format!(
                    "the subject key has {} bytes; give at least {SHORTEST} (32 random bytes are good)",
                    bytes.len()
                ),
            });
        }
        // Two derived keys, so that no subject id can have the key id as its reference.
        let id = blake3::keyed_hash(&blake3::derive_key(KEY_ID_CONTEXT, bytes), KEY_ID_TEXT);
        let mut key_id = [0; 8];
        key_id.copy_from_slice(&id.as_bytes()[..8]);
        Ok(Self {
            reference_key: blake3::derive_key(REFERENCE_CONTEXT, bytes),
            key_id,
        })
    }

    /// Names the key without giving it away: 16 lower-case hex digits, the first 8 bytes
    /// of keyed BLAKE3 of a fixed string. Outputs store it so that a run with another key
    /// is an error instead of a silent miss.
    pub fn key_id(&self) -> String {
        hex::encode(self.key_id)
    }

    /// The reference of a subject: 32 lower-case hex digits, the first 16 bytes of keyed
    /// BLAKE3 of the id's bytes exactly as given (no trimming, no folding).
    pub fn subject_ref(&self, id: &str) -> String {
        hex::encode(self.reference(id))
    }

    /// The bytes of [`SubjectKey::subject_ref`].
    pub(crate) fn reference(&self, id: &str) -> [u8; 16] {
        let hash = blake3::keyed_hash(&self.reference_key, id.as_bytes());
        let mut reference = [0; 16];
        reference.copy_from_slice(&hash.as_bytes()[..16]);
        reference
    }

    /// The bytes of [`SubjectKey::key_id`].
    pub(crate) fn key_id_bytes(&self) -> [u8; 8] {
        self.key_id
    }
}

impl PartialEq for SubjectKey {
    fn eq(&self, other: &Self) -> bool {
        self.key_id == other.key_id
    }
}

impl Eq for SubjectKey {}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SubjectKey")
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef";

    fn key(bytes: &[u8]) -> SubjectKey {
        SubjectKey::from_bytes(bytes).expect("a key")
    }

    fn is_lower_hex(text: &str) -> bool {
        text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    }

    #[test]
    fn references_are_stable_and_keyed() {
        let first = key(KEY).subject_ref("user-1");
        assert_eq!(first.len(), 32);
        assert!(is_lower_hex(&first));
        assert_eq!(first, key(KEY).subject_ref("user-1"));
        assert_ne!(first, key(KEY).subject_ref("user-2"));
        assert_ne!(first, key(KEY).subject_ref("user-1 "));
        assert_ne!(first, key(b"another key, 22 bytes.").subject_ref("user-1"));
    }

    #[test]
    fn the_key_id_is_no_reference() {
        let id = key(KEY).key_id();
        assert_eq!(id.len(), 16);
        assert!(is_lower_hex(&id));
        assert_ne!(id, key(b"0123456789abcdeg").key_id());
        let fixed = std::str::from_utf8(KEY_ID_TEXT).expect("text");
        assert!(!key(KEY).subject_ref(fixed).starts_with(&id));
    }

    #[test]
    fn one_trailing_newline_is_not_part_of_the_key() {
        assert_eq!(key(KEY), key(b"0123456789abcdef\n"));
        assert_eq!(key(KEY), key(b"0123456789abcdef\r\n"));
        assert_ne!(key(KEY), key(b"0123456789abcdef\n\n"));
        assert_ne!(key(KEY), key(b" 0123456789abcdef"));
    }

    #[test]
    fn a_short_key_is_refused_without_showing_it() {
        let error = SubjectKey::from_bytes(b"tooshort-secret\n").expect_err("15 bytes");
        let message = error.to_string();
        assert!(message.contains("15 bytes"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn debug_never_prints_the_key() {
        let key = key(KEY);
        let shown = format!("{key:?}");
        assert_eq!(
            shown,
            format!("SubjectKey {{ key_id: {:?}, .. }}", key.key_id())
        );
    }
}
