use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes`, as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Which resource judged: where it came from, what it calls itself and the digest of its bytes.
///
/// Two resources with the same identity give the same answers; functions built from a resource
/// compare by it, and manifests name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Where the resource was read from, as the user wrote it; `builtin:…` when it is embedded.
    pub uri: String,
    /// The version the resource states; empty when it states none.
    pub version: String,
    /// SHA-256 of the resource's bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl Identity {
    /// The identity of a resource whose content is `bytes`.
    pub fn of_bytes(uri: impl Into<String>, version: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            uri: uri.into(),
            version: version.into(),
            sha256: sha256_hex(bytes),
        }
    }
}

/// `uri version sha256:first12`; a resource without a version leaves it out.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.sha256.chars().take(12).collect();
        f.write_str(&self.uri)?;
        if !self.version.is_empty() {
            write!(f, " {}", self.version)?;
        }
        write!(f, " sha256:{short}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_sha256_in_lower_hex() {
        // FIPS 180-2 test vector.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn shows_the_first_twelve_digits() {
        let identity = Identity::of_bytes("builtin:lexicon", "3", b"abc");
        assert_eq!(
            identity.to_string(),
            "builtin:lexicon 3 sha256:ba7816bf8f01"
        );
        let unversioned = Identity::of_bytes("a.csv", "", b"abc");
        assert_eq!(unversioned.to_string(), "a.csv sha256:ba7816bf8f01");
    }

    #[test]
    fn content_decides() {
        assert_ne!(
            Identity::of_bytes("a", "1", b"x"),
            Identity::of_bytes("a", "1", b"y")
        );
    }
}
