//! Addresses of crypto currencies.

use sha2::{Digest, Sha256};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// A base58check address of 25 bytes with a known version: Bitcoin (0x00, 0x05), Dogecoin (0x1E,
/// 0x16), Litecoin (0x30, 0x32), Tron (0x41).
pub(crate) fn base58_address(address: &[u8]) -> bool {
    if !(26..=35).contains(&address.len()) {
        return false;
    }
    let mut bytes = [0u8; 25];
    for &symbol in address {
        let Some(value) = BASE58.iter().position(|&known| known == symbol) else {
            return false;
        };
        let mut carry = value as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    // Each leading zero byte is written as one `1`, no more and no fewer.
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let ones = address.iter().take_while(|&&symbol| symbol == b'1').count();
    let digest = Sha256::digest(Sha256::digest(&bytes[..21]));
    zeros == ones
        && matches!(bytes[0], 0x00 | 0x05 | 0x1E | 0x16 | 0x30 | 0x32 | 0x41)
        && digest[..4] == bytes[21..]
}

/// A SegWit address of Bitcoin or Litecoin: bech32 for version 0 (BIP 173), bech32m above
/// (BIP 350), one case throughout.
pub(crate) fn segwit(address: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| address.iter().any(test);
    if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) || address.len() > 90 {
        return false;
    }
    let address = address.to_ascii_lowercase();
    let Some(separator) = address.iter().position(|&byte| byte == b'1') else {
        return false;
    };
    let (prefix, data) = (&address[..separator], &address[separator + 1..]);
    if !matches!(prefix, b"bc" | b"ltc" | b"tb") || data.len() < 14 {
        return false;
    }
    let mut values = Vec::with_capacity(address.len() * 2);
    values.extend(prefix.iter().map(|byte| byte >> 5));
    values.push(0);
    values.extend(prefix.iter().map(|byte| byte & 31));
    for symbol in data {
        match BECH32.iter().position(|known| known == symbol) {
            Some(value) => values.push(value as u8),
            None => return false,
        }
    }
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let mut checksum = 1u32;
    for value in values.iter() {
        let top = checksum >> 25;
        checksum = (checksum & 0x01ff_ffff) << 5 ^ u32::from(*value);
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                checksum ^= generator;
            }
        }
    }
    let version = values[prefix.len() * 2 + 1];
    checksum == if version == 0 { 1 } else { 0x2bc8_30a3 }
}

/// The 40 hexadecimal digits of an Ethereum address: all of one case, or the mixed-case checksum
/// of EIP-55.
pub(crate) fn ethereum(digits: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| digits.iter().any(test);
    if !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)) {
        return true;
    }
    let hash = keccak_256(&digits.to_ascii_lowercase());
    digits.iter().enumerate().all(|(index, byte)| {
        let nibble = hash[index / 2] >> (4 * (1 - index % 2)) & 15;
        byte.is_ascii_digit() || byte.is_ascii_uppercase() == (nibble >= 8)
    })
}

/// Keccak-256 as Ethereum uses it (padding 0x01) of a message shorter than one block.
fn keccak_256(message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 136;
    assert!(message.len() < BLOCK, "only addresses are hashed");
    let mut block = [0u8; BLOCK];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] ^= 0x01;
    block[BLOCK - 1] ^= 0x80;
    let mut state = [0u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    permute(&mut state);
    let mut hash = [0u8; 32];
    for (bytes, lane) in hash.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
    hash
}

/// Keccak-f[1600], FIPS 202 section 3.3; the round constants come from its LFSR.
fn permute(state: &mut [u64; 25]) {
    let mut register = 1u8;
    for _ in 0..24 {
        // theta
        let mut column = [0u64; 5];
        for (x, parity) in column.iter_mut().enumerate() {
            *parity = (0..5).fold(0, |parity, y| parity ^ state[x + 5 * y]);
        }
        for (index, lane) in state.iter_mut().enumerate() {
            let x = index % 5;
            *lane ^= column[(x + 4) % 5] ^ column[(x + 1) % 5].rotate_left(1);
        }
        // rho and pi
        let (mut x, mut y) = (1, 0);
        let mut carried = state[1];
        for step in 0..24u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            let rotated = carried.rotate_left((step + 1) * (step + 2) / 2 % 64);
            carried = std::mem::replace(&mut state[x + 5 * y], rotated);
        }
        // chi
        for row in state.as_chunks_mut::<5>().0 {
            let before = *row;
            for x in 0..5 {
                row[x] = before[x] ^ (!before[(x + 1) % 5] & before[(x + 2) % 5]);
            }
        }
        // iota
        for bit in 0..7u32 {
            if register & 1 == 1 {
                state[0] ^= 1 << ((1u32 << bit) - 1);
            }
            register = register << 1 ^ if register & 0x80 == 0 { 0 } else { 0x71 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_of_nothing() {
        let hash = keccak_256(b"");
        assert_eq!(hash[..4], [0xc5, 0xd2, 0x46, 0x01]);
        assert_eq!(hash[28..], [0x5d, 0x85, 0xa4, 0x70]);
    }

    #[test]
    fn ethereum_checksums_of_eip_55() {
        for address in [
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert!(ethereum(address.as_bytes()), "{address}");
            assert!(ethereum(address.to_ascii_lowercase().as_bytes()));
        }
        assert!(!ethereum(b"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"));
    }

    #[test]
    fn bitcoin() {
        // The address of the first block, and the examples of BIP 173 and BIP 350.
        assert!(base58_address(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
        assert!(!base58_address(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"));
        assert!(!base58_address(b"11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
        assert!(segwit(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(segwit(b"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"));
        assert!(segwit(
            b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
        ));
        assert!(!segwit(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
        assert!(!segwit(b"bc1QW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
    }
}
