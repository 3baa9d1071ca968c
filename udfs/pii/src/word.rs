//! Runs of letters and digits: documents, accounts, wallets, plates.

use crate::check;
use crate::groups::Groups;
use crate::kind::Kind;
use crate::label::{Class, Label};
use crate::scan::Scan;

/// The character that stands for each province on a plate (GA 36).
const PROVINCES: &str =
    "京津沪滬渝冀豫云辽遼黑湘皖鲁魯新苏蘇浙赣贛鄂桂甘晋晉蒙陕陝吉闽閩贵貴粤粵青藏川宁寧琼瓊";

fn is_plate_letter(byte: u8) -> bool {
    byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O')
}

fn is_plate_character(byte: u8) -> bool {
    byte.is_ascii_digit() || is_plate_letter(byte)
}

/// Whether the characters after the city letter are those of a plate: five, or six on a
/// new-energy plate (GA 36-2018), at least one a digit.
fn is_plate_serial(serial: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    if !serial.iter().all(|&byte| is_plate_character(byte)) {
        return false;
    }
    match serial {
        [_, _, _, _, _] => serial.iter().any(u8::is_ascii_digit),
        // Small vehicles: a letter for the drive, a letter or digit, four digits.
        [drive, _, rest @ ..] if rest.len() == 4 && matches!(drive, b'A'..=b'K') => digits(rest),
        // Large vehicles: five digits and the letter.
        [rest @ .., drive] if rest.len() == 5 && matches!(drive, b'A'..=b'K') => digits(rest),
        _ => false,
    }
}

impl Scan<'_> {
    /// Examines the letters and digits `start..end`, which hold both.
    pub(crate) fn word(&mut self, start: usize, end: usize) {
        let bytes = self.bytes;
        let word = &bytes[start..end];
        if word.len() < 4 || word.len() > 90 {
            return;
        }
        let _ = self.wallet(start, end)
            || self.iban(start, end)
            || self.document(start, end)
            || self.plate(start, end)
            || word[0].is_ascii_digit() && self.counted(start, end)
            || self.glued_label(start, end);
    }

    fn wallet(&mut self, start: usize, end: usize) -> bool {
        let word = &self.bytes[start..end];
        let valid = match word.len() {
            42 if word.starts_with(b"0x") && word[2..].iter().all(u8::is_ascii_hexdigit) => {
                check::ethereum(&word[2..])
            }
            26..=35
                if matches!(
                    word[0],
                    b'1' | b'3' | b'L' | b'M' | b'D' | b'A' | b'9' | b'T'
                ) && check::base58_address(word) =>
            {
                true
            }
            26..=90
                if matches!(word[0], b'b' | b'B' | b'l' | b'L' | b't' | b'T')
                    && check::segwit(word) =>
            {
                true
            }
            _ => return false,
        };
        if matches!(self.byte_before(start), b'_' | b'-') || self.byte(end) == b'_' {
            return false;
        }
        let label = self
            .label_before(start)
            .filter(|label| label.class == Class::Wallet);
        self.push_number(Kind::CryptoWallet, start, end, valid, label);
        true
    }

    /// An account number in one run or in fours.
    fn iban(&mut self, start: usize, end: usize) -> bool {
        let head = &self.bytes[start..end];
        let fits = head[..2].iter().all(u8::is_ascii_uppercase)
            && head[2..4].iter().all(u8::is_ascii_digit);
        if !fits || self.is_glued_before(start) && self.byte_before(start) != b':' {
            return false;
        }
        let Some(length) = check::iban_length(&head[..2]) else {
            return false;
        };
        let mut account = [0; 34];
        let (mut count, mut at) = (0, start);
        while count < length {
            let byte = self.byte(at);
            if byte.is_ascii_digit() || byte.is_ascii_uppercase() {
                account[count] = byte;
                count += 1;
                at += 1;
            } else if byte == b' ' && head.len() == 4 && count.is_multiple_of(4) {
                at += 1;
            } else {
                return false;
            }
        }
        if self.byte(at).is_ascii_alphanumeric() {
            return false;
        }
        let valid = check::iban(&account[..length]);
        let label = self
            .label_before(start)
            .filter(|label| matches!(label.class, Class::Iban | Class::Card));
        if !valid && label.is_none() {
            return false;
        }
        self.push_number(Kind::Iban, start, at, valid, label);
        true
    }

    /// Documents with letters in their number.
    fn document(&mut self, start: usize, end: usize) -> bool {
        let bytes = self.bytes;
        let word = &bytes[start..end];
        if word.len() > 18 {
            return false;
        }
        let label = self.label_before(start);
        let is_other = label.is_some_and(|label| label.class == Class::Other)
            || label.is_none() && self.is_glued_before(start)
            || self.byte(end) == b'_'
            || matches!(self.byte(end), b'-' | b'.') && self.byte(end + 1).is_ascii_alphanumeric();
        if word.len() == 18 {
            let digits = word[..17].iter().all(u8::is_ascii_digit);
            if digits && self.resident_number(word, start, end, label) {
                return true;
            }
            return self.social_credit(start, end, label);
        }
        if is_other {
            return false;
        }
        self.hong_kong(start, end, label)
            || self.taiwan(start, end, label)
            || self.labelled_document(start, end, label)
    }

    fn social_credit(&mut self, start: usize, end: usize, label: Option<Label>) -> bool {
        let code = self.bytes[start..end].to_ascii_uppercase();
        let label = label.filter(|label| label.class == Class::Credit);
        let valid = check::social_credit(&code);
        if !(valid || label.is_some() && check::social_credit_shape(&code)) {
            return false;
        }
        self.push_number(Kind::SocialCreditCode, start, end, valid, label);
        true
    }

    /// One or two letters, six digits, and the check character in brackets; without brackets only
    /// where labelled.
    fn hong_kong(&mut self, start: usize, end: usize, label: Option<Label>) -> bool {
        let word = &self.bytes[start..end];
        let letters = word
            .iter()
            .take_while(|byte| byte.is_ascii_uppercase())
            .count();
        if !matches!(letters, 1 | 2) {
            return false;
        }
        let digits = word[letters..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let label = label.filter(|label| matches!(label.class, Class::HkId | Class::Id));
        let (check_character, finish) = if digits == 6 && word.len() == letters + 6 {
            match self.bracketed_character(end) {
                Some(found) => found,
                None => return false,
            }
        } else if word.len() == letters + 7 && digits >= 6 {
            (word[letters + 6], end)
        } else {
            return false;
        };
        if !check_character.is_ascii_digit() && check_character != b'A' {
            return false;
        }
        let mut id = [0; 9];
        id[..letters + 6].copy_from_slice(&word[..letters + 6]);
        id[letters + 6] = check_character;
        let valid = check::hong_kong(&id[..letters + 7]);
        let bracketed = finish != end;
        if !(valid && bracketed || label.is_some()) {
            return false;
        }
        self.push_number(Kind::HkId, start, finish, valid, label);
        true
    }

    fn taiwan(&mut self, start: usize, end: usize, label: Option<Label>) -> bool {
        let word = &self.bytes[start..end];
        let shaped = word.len() == 10
            && word[0].is_ascii_uppercase()
            && matches!(word[1], b'1' | b'2' | b'8' | b'9' | b'A'..=b'D')
            && word[2..].iter().all(u8::is_ascii_digit);
        if !shaped
            || label.is_some_and(|label| matches!(label.class, Class::Permit | Class::Passport))
        {
            return false;
        }
        let label = label.filter(|label| matches!(label.class, Class::TwId | Class::Id));
        let valid = check::taiwan(word);
        if !valid && label.is_none() {
            return false;
        }
        self.push_number(Kind::TwId, start, end, valid, label);
        true
    }

    /// Passports and travel permits.
    fn labelled_document(&mut self, start: usize, end: usize, label: Option<Label>) -> bool {
        let Some(label) = label else {
            return false;
        };
        let word = self.bytes[start..end].to_ascii_uppercase();
        let digits_from = |index: usize| word[index..].iter().all(u8::is_ascii_digit);
        let (kind, valid) = match label.class {
            Class::Permit => {
                let known = match (word[0], word.len()) {
                    (b'H' | b'M', 9 | 11) | (b'C' | b'W' | b'L' | b'T', 9) => digits_from(1),
                    _ => false,
                };
                let lettered = word.len() == 9
                    && matches!(word[0], b'C' | b'W' | b'L' | b'T')
                    && word[1].is_ascii_uppercase()
                    && digits_from(2);
                if !known && !lettered {
                    return false;
                }
                (Kind::TravelPermit, true)
            }
            Class::Passport => {
                let ordinary = word.len() == 9
                    && matches!(word[0], b'E' | b'G' | b'D' | b'S' | b'P')
                    && digits_from(1);
                let lettered = word.len() == 9
                    && match word[0] {
                        b'E' => word[1].is_ascii_uppercase() && !matches!(word[1], b'I' | b'O'),
                        b'D' | b'S' | b'P' => word[1] == b'E',
                        // Passports of Hong Kong and Macao.
                        b'K' | b'H' => word[1] == b'J' || word[0] == b'K',
                        b'M' => matches!(word[1], b'A' | b'B'),
                        _ => false,
                    }
                    && digits_from(2);
                let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
                if ordinary || lettered {
                    (Kind::CnPassport, true)
                } else if (6..=10).contains(&word.len()) && digits >= 5 {
                    (Kind::Passport, false)
                } else {
                    return false;
                }
            }
            _ => return false,
        };
        self.push_number(kind, start, end, valid, Some(label));
        true
    }

    /// A plate whose serial, or whose city letter and serial, is `start..end`.
    pub(crate) fn plate(&mut self, start: usize, end: usize) -> bool {
        let word = &self.bytes[start..end];
        if !(4..=7).contains(&word.len()) {
            return false;
        }
        // `京A12345` or `京A·12345`, `京A 12345`, `京A-12345`.
        let (serial, from) = if word[0].is_ascii_uppercase()
            && self
                .char_before(start)
                .is_some_and(|c| PROVINCES.contains(c))
        {
            (&word[1..], start)
        } else {
            let Some(mark) = self
                .char_before(start)
                .filter(|c| matches!(c, '·' | '•' | '.' | ' ' | '-' | '・'))
            else {
                return false;
            };
            let letter = start - mark.len_utf8();
            if letter == 0 || !self.byte_before(letter).is_ascii_uppercase() {
                return false;
            }
            (word, letter - 1)
        };
        let Some(province) = self.char_before(from).filter(|&c| PROVINCES.contains(c)) else {
            return false;
        };
        if !is_plate_letter(self.bytes[from]) {
            return false;
        }
        let last = self
            .char_at(end)
            .filter(|c| matches!(c, '挂' | '学' | '警' | '港' | '澳' | '试' | '超'));
        let ends = match last {
            Some(last) if serial.len() == 4 => end + last.len_utf8(),
            _ if is_plate_serial(serial) => end,
            _ => return false,
        };
        if serial.len() == 4 && !serial.iter().all(|&byte| is_plate_character(byte)) {
            return false;
        }
        let begin = from - province.len_utf8();
        // `最新`, `全新`, `甘蔗` and the like end in a character that is also a province.
        let previous = self.char_before(begin);
        if province == '新' && previous.is_some_and(|c| "最全更崭革创刷翻".contains(c))
            || self.byte(ends) == b'_'
        {
            return false;
        }
        self.push_number(Kind::CnPlate, begin, ends, true, None);
        true
    }

    /// A label written onto its number: `QQ12345678`, `tel13812345678`.
    fn glued_label(&mut self, start: usize, end: usize) -> bool {
        let letters = self.bytes[start..end]
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let digits = start + letters;
        if letters == 0
            || letters > 9
            || end - digits < 5
            || end - digits > 19
            || self.byte_before(start) == b'_'
        {
            return false;
        }
        let Some(label) = self.detector.labels.ending_at(self.text, digits) else {
            return false;
        };
        if label.start > start || label.class == Class::Other {
            return false;
        }
        let rest = &self.bytes[digits..end];
        if rest.iter().all(u8::is_ascii_digit) {
            let found = self.found.len();
            self.examine(digits, Groups::read(self.bytes, digits), Some(label));
            return self.found.len() > found;
        }
        rest.len() == 18 && self.resident_number(rest, digits, end, Some(label))
    }
}
