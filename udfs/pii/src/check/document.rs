//! Identity documents and the social credit code.

/// The provinces of GB/T 2260; 81, 82 and 83 on residence permits for Hong Kong, Macao, Taiwan.
fn is_province(code: u32) -> bool {
    matches!(
        code,
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83
    )
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |value, &digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u32::from(digit - b'0'))
    })
}

/// Province, and a prefecture number in the ranges GB/T 2260 uses (01–70, 90; 00 on permits).
fn is_region(code: &[u8]) -> bool {
    let (Some(province), Some(prefecture)) = (number(&code[..2]), number(&code[2..4])) else {
        return false;
    };
    is_province(province)
        && number(&code[4..6]).is_some()
        && (matches!(prefecture, 1..=70 | 90) || province > 70 && prefecture == 0)
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Region and date of birth of an 18-character resident number are possible (years 1900–2099).
pub(crate) fn resident_shape(id: &[u8]) -> bool {
    if id.len() != 18 || !is_region(&id[..6]) {
        return false;
    }
    let last_fits = id[17].is_ascii_digit() || matches!(id[17], b'X' | b'x');
    match (
        number(&id[6..10]),
        number(&id[10..12]),
        number(&id[12..14]),
        number(&id[14..17]),
    ) {
        (Some(year), Some(month), Some(day), Some(_)) => {
            last_fits && (1900..2100).contains(&year) && is_date(year, month, day)
        }
        _ => false,
    }
}

/// GB 11643: ISO 7064 mod 11-2 over the first 17 digits, on top of `resident_shape`.
pub(crate) fn resident_18(id: &[u8]) -> bool {
    if !resident_shape(id) {
        return false;
    }
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = id
        .iter()
        .zip(WEIGHTS)
        .map(|(&digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    b"10X98765432"[(sum % 11) as usize] == id[17].to_ascii_uppercase()
}

/// The 15-digit number of before 1999: region, YYMMDD, serial; it has no check digit.
pub(crate) fn resident_15(id: &[u8]) -> bool {
    id.len() == 15
        && is_region(&id[..6])
        && id[12..].iter().all(u8::is_ascii_digit)
        && match (number(&id[6..8]), number(&id[8..10]), number(&id[10..12])) {
            (Some(year), Some(month), Some(day)) => is_date(1900 + year, month, day),
            _ => false,
        }
}

/// Hong Kong identity card without brackets: one or two letters, six digits, check character.
pub(crate) fn hong_kong(id: &[u8]) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 36,
    };
    let Some((&check, body)) = id.split_last() else {
        return false;
    };
    let mut sum = if body.len() == 7 { 9 * 36 } else { 0 };
    let first_weight = body.len() as u32 + 1;
    for (index, &byte) in body.iter().enumerate() {
        sum += value(byte) * (first_weight - index as u32);
    }
    (sum + value(check)).is_multiple_of(11)
}

/// Taiwan identity card (letter, 1 or 2, eight digits), resident certificate (letter, 8 or 9,
/// eight digits; before 2021 letter, A–D, eight digits).
pub(crate) fn taiwan(id: &[u8]) -> bool {
    // The two-digit value of each letter, A to Z.
    const LETTERS: [u32; 26] = [
        10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32,
        30, 31, 33,
    ];
    if id.len() != 10
        || !id[0].is_ascii_uppercase()
        || !matches!(id[1], b'1' | b'2' | b'8' | b'9' | b'A'..=b'D')
        || !id[2..].iter().all(u8::is_ascii_digit)
    {
        return false;
    }
    let letter = |byte: u8| LETTERS[usize::from(byte - b'A')];
    let second = match id[1] {
        byte @ b'A'..=b'D' => letter(byte) % 10,
        byte => u32::from(byte - b'0'),
    };
    let first = letter(id[0]);
    let mut sum = first / 10 + first % 10 * 9 + second * 8;
    for (index, &byte) in id[2..9].iter().enumerate() {
        sum += u32::from(byte - b'0') * (7 - index as u32);
    }
    (sum + u32::from(id[9] - b'0')).is_multiple_of(10)
}

const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// GB 32100: 18 characters of its alphabet, registration authority, kind, region of six digits.
pub(crate) fn social_credit_shape(code: &[u8]) -> bool {
    code.len() == 18
        && matches!(code[0], b'1'..=b'9' | b'A' | b'N' | b'Y')
        && matches!(code[1], b'1'..=b'9')
        && number(&code[2..8])
            .is_some_and(|region| is_province(region / 10_000) || region / 10_000 == 10)
        && code.iter().all(|byte| CREDIT_ALPHABET.contains(byte))
}

/// GB 32100: modulo 31 over 17 characters with the powers of 3, on top of `social_credit_shape`.
pub(crate) fn social_credit(code: &[u8]) -> bool {
    if !social_credit_shape(code) {
        return false;
    }
    let value = |byte: &u8| CREDIT_ALPHABET.iter().position(|known| known == byte);
    let mut sum = 0;
    let mut weight = 1;
    for byte in &code[..17] {
        sum += value(byte).unwrap_or(0) * weight;
        weight = weight * 3 % 31;
    }
    value(&code[17]) == Some((31 - sum % 31) % 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_numbers() {
        // The example of GB 11643-1999 and a number whose check character is X.
        assert!(resident_18(b"11010519491231002X"));
        assert!(resident_18(b"11010519491231002x"));
        assert!(resident_18(b"440524188001010014") == resident_shape(b"440524188001010014"));
        assert!(!resident_18(b"110105194912310021"));
        assert!(!resident_shape(b"110105194902300021"));
        assert!(!resident_shape(b"990105194912310021"));
        assert!(resident_15(b"110105491231002"));
        assert!(!resident_15(b"110105491331002"));
    }

    #[test]
    fn hong_kong_and_taiwan() {
        assert!(hong_kong(b"A1234563"));
        assert!(!hong_kong(b"A1234564"));
        assert!(taiwan(b"A123456789"));
        assert!(!taiwan(b"A123456788"));
        assert!(!taiwan(b"A323456789"));
    }

    #[test]
    fn social_credit_codes() {
        // Every weight is tried: each code differs from a valid one in one character.
        let valid = b"91350100M000100Y43";
        assert!(social_credit(valid));
        for index in 8..17 {
            let mut wrong = *valid;
            wrong[index] = if wrong[index] == b'7' { b'8' } else { b'7' };
            assert!(!social_credit(&wrong), "{index}");
        }
        assert!(!social_credit_shape(b"91990100M000100Y43"));
        assert!(!social_credit_shape(b"91350100I000100Y43"));
    }
}
