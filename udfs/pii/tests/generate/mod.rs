//! Synthetic identifiers with correct check digits, made by other code than the detectors check
//! them with. Nobody's: all digits are drawn at random from a seeded generator.

use sha2::{Digest, Sha256};

/// A linear congruential generator (Knuth, MMIX): the same numbers everywhere, forever.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'0' + self.below(10) as u8))
            .collect()
    }

    pub fn symbols(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

pub const LETTERS_AND_DIGITS: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// ISO 7064 mod 11-2 as a running sum: double and add, from the left.
pub fn resident_id(random: &mut Random) -> String {
    let region = random.pick(&[
        "110101", "310104", "440308", "510107", "330106", "620102", "210202",
    ]);
    let birth = format!(
        "{}{:02}{:02}",
        1950 + random.below(60),
        1 + random.below(12),
        1 + random.below(28)
    );
    let body = format!("{region}{birth}{}", random.digits(3));
    let sum = body
        .bytes()
        .fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    let check = (12 - sum) % 11;
    format!(
        "{body}{}",
        if check == 10 {
            "X".to_owned()
        } else {
            check.to_string()
        }
    )
}

/// The Luhn check digit by trying all ten.
pub fn bank_card(random: &mut Random) -> String {
    let (prefix, length) = [
        ("622588", 16),
        ("622202", 19),
        ("4539", 16),
        ("5412", 16),
        ("37", 15),
        ("3566", 16),
    ][random.below(6)];
    let body = format!("{prefix}{}", random.digits(length - prefix.len() - 1));
    let passes = |number: &String| {
        let mut sum = 0;
        for (index, digit) in number.bytes().rev().enumerate() {
            let doubled = u32::from(digit - b'0') * (1 + index as u32 % 2);
            sum += doubled / 10 + doubled % 10;
        }
        sum % 10 == 0
    };
    (0..10)
        .map(|check| format!("{body}{check}"))
        .find(passes)
        .expect("one digit passes")
}

/// Hong Kong: letters count 10 to 35, a missing first letter 36, weights 9 down to 1.
pub fn hk_id(random: &mut Random) -> String {
    let letter = random.symbols("ABCDEFGHKMPRSVYZ", 1);
    let body = format!("{letter}{}", random.digits(6));
    let mut sum = 36 * 9 + (u32::from(letter.as_bytes()[0]) - 55) * 8;
    for (digit, weight) in body.bytes().skip(1).zip((2..=7).rev()) {
        sum += u32::from(digit - b'0') * weight;
    }
    let check = (11 - sum % 11) % 11;
    format!(
        "{body}({})",
        if check == 10 {
            "A".to_owned()
        } else {
            check.to_string()
        }
    )
}

/// Taiwan: the letter's rank in the official order gives two digits.
pub fn tw_id(random: &mut Random) -> String {
    const ORDER: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let rank = random.below(26);
    let body = format!("{}{}", random.pick(&["1", "2", "8", "9"]), random.digits(7));
    let value = 10 + rank as u32;
    let mut sum = value / 10 + value % 10 * 9;
    for (digit, weight) in body.bytes().zip((1..=8).rev()) {
        sum += u32::from(digit - b'0') * weight;
    }
    format!("{}{body}{}", &ORDER[rank..=rank], (10 - sum % 10) % 10)
}

/// ISO 13616: the check digits that make the whole number 1 modulo 97.
pub fn iban(random: &mut Random) -> String {
    let (country, length) =
        [("DE", 18), ("FR", 23), ("ES", 20), ("BE", 12), ("SE", 20)][random.below(5)];
    let account = random.digits(length);
    let mut remainder = 0u32;
    for c in format!("{account}{country}00").chars() {
        let value = c.to_digit(36).expect("letters and digits");
        remainder = (remainder * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    format!("{country}{:02}{account}", 98 - remainder)
}

/// GB 32100: Horner's scheme from the right instead of a table of weights.
pub fn social_credit(random: &mut Random) -> String {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let body = format!("91440300MA{}", random.symbols(ALPHABET, 7));
    let value = |c: char| ALPHABET.find(c).expect("of the alphabet");
    let sum = body
        .chars()
        .rev()
        .fold(0, |sum, c| (sum * 3 + value(c)) % 31);
    let check = (31 - sum) % 31;
    format!("{body}{}", &ALPHABET[check..=check])
}

/// A Bitcoin address of 20 random bytes, base 58 by repeated division.
pub fn bitcoin(random: &mut Random) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = vec![0u8];
    bytes.extend((0..20).map(|_| 1 + random.below(255) as u8));
    let digest = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(&digest[..4]);
    let mut symbols = Vec::new();
    while bytes.iter().any(|&byte| byte != 0) {
        let mut remainder = 0u32;
        for byte in &mut bytes {
            let value = remainder * 256 + u32::from(*byte);
            *byte = (value / 58) as u8;
            remainder = value % 58;
        }
        symbols.push(ALPHABET[remainder as usize]);
    }
    symbols.push(b'1');
    symbols
        .iter()
        .rev()
        .map(|&symbol| char::from(symbol))
        .collect()
}

pub fn mobile(random: &mut Random) -> String {
    let prefix = random.pick(&["138", "159", "177", "186", "199"]);
    format!("{prefix}{}", random.digits(8))
}
