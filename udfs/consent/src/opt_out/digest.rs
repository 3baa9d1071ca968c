//! Digests as evidence names them.

use std::fmt;
use std::ops::Deref;

/// A SHA-256 as 64 hexadecimal digits in lower case, without an allocation of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Hex([u8; 64]);

impl Sha256Hex {
    pub(super) fn of(digest: &[u8; 32]) -> Self {
        let mut text = [0; 64];
        // Both digits of an octet in one number without a table or a branch, which compilers
        // turn into vector instructions.
        for (pair, &octet) in text.as_chunks_mut().0.iter_mut().zip(digest) {
            let octet = u16::from(octet);
            let digits = octet >> 4 | (octet & 15) << 8;
            let is_letter = ((digits + 0x0606) >> 4) & 0x0101;
            *pair = (digits + 0x3030 + is_letter * u16::from(b'a' - b'0' - 10)).to_le_bytes();
        }
        Self(text)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits")
    }
}

impl Deref for Sha256Hex {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Sha256Hex {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Sha256Hex;

    #[test]
    fn all_octets_have_their_digits() {
        for first in (0..=255_u8).step_by(32) {
            let digest: [u8; 32] = std::array::from_fn(|at| first + at as u8);
            let text = Sha256Hex::of(&digest);
            assert_eq!(text.as_str(), hex::encode(digest));
            assert_eq!(text.to_string(), hex::encode(digest));
            assert_eq!(format!("{text:?}"), format!("{:?}", hex::encode(digest)));
        }
    }
}
