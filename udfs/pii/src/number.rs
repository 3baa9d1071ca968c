//! Numbers written with digits alone: telephones, cards, resident numbers, labelled numbers.

use crate::check;
use crate::check::Issuer;
use crate::groups::Groups;
use crate::kind::Kind;
use crate::label::{Class, Label};
use crate::scan::Scan;

/// A number under examination.
pub(crate) struct Number {
    pub(crate) start: usize,
    pub(crate) groups: Groups,
    pub(crate) label: Option<Label>,
    /// Whether it may be believed without a label: it is not glued to what stands before it and
    /// not labelled as something else.
    pub(crate) is_free: bool,
}

impl Number {
    pub(crate) fn labelled(&self, class: Class) -> bool {
        self.label.is_some_and(|label| label.class == class)
    }

    /// Whether the first group alone has this length and nothing is joined to it.
    pub(crate) fn is_one(&self, length: usize) -> bool {
        self.groups.matches(0, &[length])
    }

    pub(crate) fn one(&self) -> &[u8] {
        self.groups.digits(0, 1)
    }
}

impl Scan<'_> {
    /// Examines the digits `start..end`, which no letter or digit touches.
    pub(crate) fn number(&mut self, start: usize, end: usize) {
        let length = end - start;
        let (before, after) = (self.byte_before(start), self.byte(end));
        if before == b'+' && self.international(start) {
            return;
        }
        if length <= 3 && after == b'.' && self.ipv4(start) {
            return;
        }
        if after >= 0xE4 && length <= 5 && self.counted(start, end) {
            return;
        }
        if (4..=6).contains(&length) && (before >= 0x80 || before == b' ' || before == b'-') {
            self.plate(start, end);
        }
        if length <= 5 && after == b' ' && self.street(start, end) {
            return;
        }
        let bracketed = matches!(self.char_before(start), Some('(' | '（'))
            && matches!(self.char_at(end), Some(')' | '）'));
        if bracketed && self.bracketed_area(start, end) {
            return;
        }
        let joins = matches!(after, b' ' | b'-' | b'.') && self.byte(end + 1).is_ascii_digit();
        if length > 19 || length < 5 && !joins {
            return;
        }
        self.count(48);
        let groups = Groups::read(self.bytes, start);
        if groups.count() == 0 || groups.digits(0, groups.count()).len() < 5 {
            return;
        }
        self.examine(start, groups, None);
    }

    /// Examines groups of digits; `known` is a label written onto them.
    pub(crate) fn examine(&mut self, start: usize, groups: Groups, known: Option<Label>) {
        let label = known.or_else(|| self.label_before(start));
        let is_free = match label {
            Some(label) => label.class != Class::Other,
            None => !self.is_glued_before(start),
        };
        let number = Number {
            start,
            groups,
            label,
            is_free,
        };
        let _ = self.resident(&number)
            || self.card(&number)
            || self.social_security(&number)
            || self.telephone(&number)
            || self.labelled_number(&number);
    }

    /// Whether what stands before `start` makes it a part of something longer or a price.
    pub(crate) fn is_glued_before(&self, start: usize) -> bool {
        let further = start.checked_sub(2).map_or(0, |index| self.bytes[index]);
        match self.byte_before(start) {
            b'_' | b'$' | b'%' | b'&' | b'~' | b'^' | b'\\' | b'#' => true,
            b'-' | b'=' | b'@' | b':' => further.is_ascii_alphanumeric(),
            b'/' => further.is_ascii_alphabetic() || further == b'/',
            b'.' | b'+' => further.is_ascii_alphanumeric(),
            // Thousands are parted by commas; longer numbers are listed with them.
            b',' => {
                let listed = self.bytes[..start - 1].iter().rev().take(4);
                further.is_ascii_digit() && !listed.copied().all(|byte| byte.is_ascii_digit())
            }
            0..=0x7F => false,
            _ => matches!(
                self.char_before(start),
                Some('¥' | '￥' | '€' | '£' | '第' | '₩' | '×')
            ),
        }
    }

    /// Whether what follows `end` makes it a part of something longer or a count.
    pub(crate) fn is_glued_after(&self, end: usize) -> bool {
        let next = self.byte(end);
        let further = self.byte(end + 1);
        match next {
            b'_' | b'%' | b'@' => true,
            b'-' | b'=' => further.is_ascii_alphanumeric(),
            b'.' => further.is_ascii_digit(),
            b'/' => further.is_ascii_alphabetic(),
            0..=0x7F => false,
            _ => matches!(
                self.char_at(end),
                Some(
                    '元' | '万'
                        | '亿'
                        | '億'
                        | '萬'
                        | '次'
                        | '年'
                        | '月'
                        | '个'
                        | '個'
                        | '件'
                        | '吨'
                        | '股'
                        | '％'
                        | '倍'
                        | '美'
                        | '页'
                )
            ),
        }
    }

    /// Resident identity numbers, 18 and 15 digits.
    fn resident(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let mut id = [0u8; 18];
        let mut end = 0;
        for pattern in [&[18][..], &[6, 8, 4], &[6, 4, 4, 4]] {
            if groups.matches(0, pattern) {
                id.copy_from_slice(groups.digits(0, pattern.len()));
                end = groups.end(pattern.len() - 1);
            }
        }
        for pattern in [&[6, 8, 3][..], &[6, 4, 4, 3]] {
            let count = pattern.len();
            if groups.count() == count && groups.lengths() == pattern {
                let last = groups.end(count - 1);
                let is_whole = !self.byte(last + 1).is_ascii_alphanumeric();
                if matches!(self.byte(last), b'X' | b'x') && is_whole {
                    id[..17].copy_from_slice(groups.digits(0, count));
                    id[17] = b'X';
                    end = last + 1;
                }
            }
        }
        if end > 0 {
            return self.resident_number(&id, number.start, end, number.label);
        }
        if number.is_one(15) && check::resident_15(number.one()) {
            let label = number
                .label
                .filter(|label| label.class == Class::Id)
                .or_else(|| self.label_near(number.start, &[Class::Id]));
            if label.is_some() && number.is_free {
                let end = groups.end(0);
                self.push_number(Kind::CnResidentId, number.start, end, true, label);
                return true;
            }
        }
        false
    }

    /// Eighteen characters, the last may be `X`: a resident number when its check character
    /// proves it, or when region and date are possible and it is labelled.
    pub(crate) fn resident_number(
        &mut self,
        id: &[u8],
        start: usize,
        end: usize,
        label: Option<Label>,
    ) -> bool {
        if !check::resident_shape(id) || matches!(self.byte_before(start), b'.' | b'_') {
            return false;
        }
        let valid = check::resident_18(id);
        let label = label.filter(|label| matches!(label.class, Class::Id | Class::Permit));
        let label = label.or_else(|| self.label_near(start, &[Class::Id]));
        if !valid && (label.is_none() || self.is_glued_before(start)) {
            return false;
        }
        self.push_number(Kind::CnResidentId, start, end, valid, label);
        true
    }

    /// Payment cards: one run, fours, or the groupings of American Express and UnionPay.
    fn card(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let lengths = groups.lengths();
        let mut sizes = [0; 4];
        let mut count = 0;
        if lengths[0] >= 13 {
            sizes[0] = 1;
            count = 1;
        } else if lengths[0] == 4 {
            let fours = lengths.iter().take_while(|&&length| length == 4).count();
            for size in [fours + 1, fours, fours.saturating_sub(1)] {
                let total: usize = lengths.iter().take(size).sum();
                if size >= 3 && size <= lengths.len() && (13..=19).contains(&total) {
                    sizes[count] = size;
                    count += 1;
                }
            }
            if matches!(lengths, [4, 6, 4 | 5, ..]) {
                sizes[count] = 3;
                count += 1;
            }
        } else if matches!(lengths, [6, 10 | 13, ..]) {
            sizes[0] = 2;
            count = 1;
        }
        let is_card = |label: &Label| label.class == Class::Card;
        let near = match number.label.filter(is_card) {
            None if count > 0 => self.label_near(number.start, &[Class::Card]),
            label => label,
        };
        let mut unproven = None;
        for &size in &sizes[..count] {
            let digits = groups.digits(0, size);
            let separator = groups.separator(size - 1);
            if !(13..=19).contains(&digits.len())
                || !matches!(groups.uniform(0, size), Some(0 | b' ' | b'-'))
                || !matches!(separator, 0 | b' ')
                || self.is_glued_after(groups.end(size - 1))
            {
                continue;
            }
            let proven = check::luhn(digits);
            let believed = match check::card_issuer(digits) {
                Issuer::Known => proven && number.is_free || near.is_some(),
                Issuer::Rare => near.is_some(),
                Issuer::Unknown => false,
            };
            let blocked = number.labelled(Class::Other);
            if believed && proven && !blocked {
                let end = groups.end(size - 1);
                self.push_number(Kind::BankCard, number.start, end, true, near);
                return true;
            }
            if believed && !blocked && unproven.is_none() {
                unproven = Some(groups.end(size - 1));
            }
        }
        if let Some(end) = unproven {
            self.push_number(Kind::BankCard, number.start, end, false, near);
        }
        unproven.is_some()
    }

    /// Social security numbers of the United States: with hyphens, or labelled.
    fn social_security(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let labelled = number.labelled(Class::Ssn);
        let (count, believed) = if groups.matches(0, &[3, 2, 4]) {
            (3, groups.separator(0) == b'-' && number.is_free)
        } else if number.is_one(9) {
            (1, false)
        } else {
            return false;
        };
        if !(believed || labelled) || self.is_glued_after(groups.end(count - 1)) {
            return false;
        }
        let digits = groups.digits(0, count);
        let valid = &digits[..3] != b"000"
            && &digits[..3] != b"666"
            && digits[0] != b'9'
            && &digits[3..5] != b"00"
            && &digits[5..] != b"0000";
        if !valid && !labelled {
            return false;
        }
        let end = groups.end(count - 1);
        self.push_number(Kind::UsSsn, number.start, end, valid, number.label);
        true
    }

    /// Numbers that nothing but their label gives away.
    fn labelled_number(&mut self, number: &Number) -> bool {
        let Some(label) = number.label else {
            return false;
        };
        let digits = number.one();
        let (length, end) = (digits.len(), number.groups.end(0));
        if !matches!(number.groups.separator(0), 0 | b' ') || self.byte(end) == b'_' {
            return false;
        }
        let (kind, valid, end) = match label.class {
            Class::Qq if (5..=11).contains(&length) && digits[0] != b'0' => (Kind::Qq, true, end),
            Class::Passport if length == 9 && matches!(digits, [b'1', b'4' | b'5', ..]) => {
                (Kind::CnPassport, true, end)
            }
            Class::Passport if (7..=9).contains(&length) => (Kind::Passport, false, end),
            Class::Permit if length == 8 => (Kind::TravelPermit, true, end),
            Class::MoId | Class::Id if length == 7 && matches!(digits[0], b'1' | b'5' | b'7') => {
                match self.bracketed_character(end) {
                    Some((check, end)) if check.is_ascii_digit() => (Kind::MoId, true, end),
                    _ => return false,
                }
            }
            Class::MoId if length == 8 && matches!(digits[0], b'1' | b'5' | b'7') => {
                (Kind::MoId, true, end)
            }
            Class::Credit | Class::Id if length == 18 && check::social_credit(digits) => {
                (Kind::SocialCreditCode, true, end)
            }
            Class::Credit if length == 18 && check::social_credit_shape(digits) => {
                (Kind::SocialCreditCode, false, end)
            }
            _ => return false,
        };
        self.push_number(kind, number.start, end, valid, Some(label));
        true
    }

    /// The character in the brackets that open at `open`, and where they end: `(3)`.
    pub(crate) fn bracketed_character(&self, open: usize) -> Option<(u8, usize)> {
        let open_bracket = self.char_at(open).filter(|c| matches!(c, '(' | '（'))?;
        let at = open + open_bracket.len_utf8();
        let inside = self.byte(at);
        let close = self
            .text
            .get(at + 1..)?
            .chars()
            .next()
            .filter(|c| matches!(c, ')' | '）'))?;
        inside
            .is_ascii_alphanumeric()
            .then_some((inside, at + 1 + close.len_utf8()))
    }
}
