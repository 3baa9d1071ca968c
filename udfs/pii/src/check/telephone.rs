//! Numbering plans.

/// Whether the first three digits of a Chinese mobile number are assigned to an operator.
pub(crate) fn is_mobile_prefix(digits: &[u8]) -> bool {
    let (second, third) = (digits[1], digits[2]);
    digits[0] == b'1'
        && match second {
            b'3' | b'8' => true,
            b'4' => matches!(third, b'5'..=b'9'),
            b'5' => third != b'4',
            b'6' => matches!(third, b'2' | b'5'..=b'7'),
            b'7' => third != b'9',
            b'9' => third != b'4',
            _ => false,
        }
}

/// Four-digit area codes of Mainland China, as the two digits after `0`, and which last digits
/// (bit 0 is digit 0) are assigned.
const AREA_CODES: &[(u8, u16)] = &[
    (31, 0b11_1111_1111),
    (33, 0b00_0010_0000),
    (34, 0b10_0000_0000),
    (35, 0b11_1111_1111),
    (37, 0b11_1111_1111),
    (39, 0b01_0111_1110),
    (41, 0b11_1111_1111),
    (42, 0b10_1000_0010),
    (43, 0b11_1111_1111),
    (45, 0b11_1111_1111),
    (46, 0b11_1001_0000),
    (47, 0b11_1111_1111),
    (48, 0b00_0000_1100),
    (51, 0b11_1111_1111),
    (52, 0b00_1000_1000),
    (53, 0b11_1111_1111),
    (54, 0b00_0100_1000),
    (55, 0b11_1111_1111),
    (56, 0b00_0111_1110),
    (57, 0b11_1111_1111),
    (58, 0b00_0000_0001),
    (59, 0b11_1111_1111),
    (63, 0b00_0011_1010),
    (66, 0b01_0000_1111),
    (69, 0b00_0000_0110),
    (70, 0b00_0000_0010),
    (71, 0b11_1111_1111),
    (72, 0b01_0001_0100),
    (73, 0b11_1111_1111),
    (74, 0b00_0111_1000),
    (75, 0b11_1111_1111),
    (76, 0b11_0100_1101),
    (77, 0b11_1111_1111),
    (79, 0b11_1111_1111),
    (81, 0b01_1111_1100),
    (82, 0b00_1110_0000),
    (83, 0b11_1111_1111),
    (85, 0b11_1111_1111),
    (87, 0b11_1111_1111),
    (88, 0b01_1100_1000),
    (89, 0b01_1111_1110),
    (90, 0b11_1111_1111),
    (91, 0b11_1111_1111),
    (93, 0b11_1111_1111),
    (94, 0b00_0000_1010),
    (95, 0b00_0011_1110),
    (97, 0b00_1111_1111),
    (99, 0b11_1111_1111),
];

/// How many digits the area code at the start of `digits` has, the leading 0 included.
pub(crate) fn area_code_length(digits: &[u8]) -> Option<usize> {
    match digits {
        [b'0', b'1' | b'2', ..] => Some(3),
        [b'0', b'3'..=b'9', ..] => Some(4),
        _ => None,
    }
}

/// Whether an area code, the leading 0 included, is assigned.
pub(crate) fn is_area_code(code: &[u8]) -> bool {
    match code {
        b"010" => true,
        [b'0', b'2', third] => *third != b'6' && third.is_ascii_digit(),
        [b'0', tens, ones, last] if code.iter().all(u8::is_ascii_digit) => {
            let group = (tens - b'0') * 10 + (ones - b'0');
            AREA_CODES
                .binary_search_by_key(&group, |&(known, _)| known)
                .is_ok_and(|index| AREA_CODES[index].1 & (1 << (last - b'0')) != 0)
        }
        _ => false,
    }
}

/// Area code and exchange of a ten-digit number of the North American plan begin with 2 to 9 and
/// are not service codes; toll-free and premium numbers are businesses', and 400, which begins
/// Chinese service numbers, is no area code.
pub(crate) fn north_american(digits: &[u8]) -> bool {
    digits.len() == 10
        && !matches!(
            &digits[..3],
            b"400" | b"800" | b"833" | b"844" | b"855" | b"866" | b"877" | b"888" | b"900"
        )
        && digits[0] >= b'2'
        && digits[3] >= b'2'
        && &digits[1..3] != b"11"
        && &digits[4..6] != b"11"
}

/// The length of the country code at the start of an E.164 number, and how many digits the whole
/// number has at least and at most.
pub(crate) fn country_code(digits: &[u8]) -> Option<(usize, usize, usize)> {
    let two = match digits {
        [b'1', ..] => return Some((1, 11, 11)),
        [b'7', ..] => return Some((1, 11, 11)),
        [first, second, ..] => (first - b'0') * 10 + (second - b'0'),
        _ => return None,
    };
    let lengths = match two {
        86 => (10, 13),
        44 => (12, 12),
        33 | 61 | 34 | 32 | 31 | 48 | 41 | 47 => (10, 11),
        81 | 82 => (11, 12),
        65 => (10, 10),
        91 => (12, 12),
        55 => (12, 13),
        20
        | 27
        | 30
        | 36
        | 39
        | 40
        | 43
        | 45
        | 46
        | 49
        | 51..=54
        | 56..=58
        | 60
        | 62..=64
        | 66
        | 84
        | 90
        | 92..=95
        | 98 => (9, 14),
        _ => {
            let third = *digits.get(2)? - b'0';
            let assigned = match two {
                21 => matches!(third, 1..=3 | 6 | 8),
                22..=25 | 68 | 69 | 96 | 97 | 99 => true,
                26 => third != 7 || digits.len() > 3,
                29 => matches!(third, 0 | 1 | 7..=9),
                35 | 37 | 42 => true,
                38 => !matches!(third, 4 | 8),
                50 | 59 | 67 => true,
                85 => matches!(third, 0 | 2 | 3 | 5 | 6),
                88 => matches!(third, 0 | 6),
                _ => false,
            };
            let (least, most) = match (two, third) {
                (85, 2 | 3) => (11, 11),
                (88, 6) => (11, 12),
                _ => (9, 14),
            };
            return assigned.then_some((3, least, most));
        }
    };
    Some((2, lengths.0, lengths.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_codes() {
        assert!(AREA_CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for code in [
            "010", "020", "021", "0571", "0755", "0311", "0898", "0991", "0769",
        ] {
            assert!(is_area_code(code.as_bytes()), "{code}");
        }
        for code in ["026", "0300", "0678", "0000", "0999x", "571"] {
            assert!(!is_area_code(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn mobile_prefixes() {
        for prefix in [
            "130", "138", "145", "159", "166", "178", "189", "191", "199",
        ] {
            assert!(is_mobile_prefix(prefix.as_bytes()), "{prefix}");
        }
        for prefix in ["100", "120", "154", "142", "179", "194", "238"] {
            assert!(!is_mobile_prefix(prefix.as_bytes()), "{prefix}");
        }
    }

    #[test]
    fn country_codes() {
        assert_eq!(country_code(b"14155550132"), Some((1, 11, 11)));
        assert_eq!(country_code(b"85251234567"), Some((3, 11, 11)));
        assert_eq!(country_code(b"442079460958"), Some((2, 12, 12)));
        assert_eq!(country_code(b"2101234567"), None);
        assert_eq!(country_code(b"4"), None);
        assert!(north_american(b"4155550132"));
        assert!(!north_american(b"4151550132"));
    }
}
