//! Payment cards and bank accounts.

/// ISO/IEC 7812-1 annex B: the Luhn check over all digits.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (index, &digit) in digits.iter().rev().enumerate() {
        let digit = u32::from(digit - b'0');
        sum += match (index % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        };
    }
    sum.is_multiple_of(10)
}

/// How far a number is in a range that card issuers use, by its first digits and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// An issuer's range and length.
    Known,
    /// A length hardly issued any more (Visa of 13 digits) or a shared range (Maestro): only
    /// believed where labelled.
    Rare,
    /// No issuer's range.
    Unknown,
}

/// The issuer range of a card number.
pub(crate) fn card_issuer(digits: &[u8]) -> Issuer {
    let prefix = |length: usize| {
        digits[..length]
            .iter()
            .fold(0u32, |value, &digit| value * 10 + u32::from(digit - b'0'))
    };
    let length = digits.len();
    if !(13..=19).contains(&length) {
        return Issuer::Unknown;
    }
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let known = match two {
        62 => length >= 16,
        40..=49 => matches!(length, 16 | 19),
        51..=55 => length == 16,
        34 | 37 => length == 15,
        36 | 38 | 39 => matches!(length, 14 | 16),
        64 | 65 => matches!(length, 16 | 19) && (three >= 644),
        60 => matches!(length, 16 | 19) && (four == 6011 || three == 603),
        35 => length >= 16 && (3528..=3589).contains(&four),
        30 => length == 14 && three <= 305,
        22..=27 => length == 16 && ((2221..=2720).contains(&four) || (2200..=2204).contains(&four)),
        _ => false,
    };
    let rare = matches!(two, 40..=49) && length == 13
        || matches!(two, 50 | 56..=58 | 60 | 61 | 63 | 66..=69 | 81 | 82 | 90 | 94 | 95 | 98)
            && (16..=19).contains(&length);
    match (known, rare) {
        (true, _) => Issuer::Known,
        (false, true) => Issuer::Rare,
        (false, false) => Issuer::Unknown,
    }
}

/// Length of the account numbers of each country of the IBAN registry (ISO 13616).
const IBAN_LENGTHS: &[(&[u8; 2], u8)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The length of an account number of the country its first two letters name.
pub(crate) fn iban_length(country: &[u8]) -> Option<usize> {
    let country: &[u8; 2] = country.try_into().ok()?;
    IBAN_LENGTHS
        .binary_search_by_key(&country, |&(known, _)| known)
        .ok()
        .map(|index| usize::from(IBAN_LENGTHS[index].1))
}

/// ISO 7064 mod 97-10 over the rearranged account number (upper case, no spaces).
pub(crate) fn iban(account: &[u8]) -> bool {
    if account.len() < 5 || iban_length(&account[..2]) != Some(account.len()) {
        return false;
    }
    let rearranged = account[4..].iter().chain(&account[..4]);
    let remainder = rearranged.fold(0u32, |remainder, &byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards() {
        // Test numbers the schemes publish.
        for card in [
            "4111111111111111",
            "5555555555554444",
            "378282246310005",
            "30569309025904",
            "6011111111111117",
            "3530111333300000",
            "2223003122003222",
            "6200000000000005",
        ] {
            assert!(luhn(card.as_bytes()), "{card}");
            assert_eq!(card_issuer(card.as_bytes()), Issuer::Known, "{card}");
        }
        assert!(!luhn(b"4111111111111112"));
        assert_eq!(card_issuer(b"1700000000000000"), Issuer::Unknown);
        assert_eq!(card_issuer(b"4222222222222"), Issuer::Rare);
    }

    #[test]
    fn accounts() {
        assert!(IBAN_LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(iban(b"GB82WEST12345698765432"));
        assert!(iban(b"DE89370400440532013000"));
        assert!(!iban(b"GB82WEST12345698765431"));
        assert!(!iban(b"ZZ82WEST12345698765432"));
    }
}
