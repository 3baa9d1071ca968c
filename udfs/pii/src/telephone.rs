//! Telephone numbers.

use crate::check;
use crate::groups::Groups;
use crate::kind::Kind;
use crate::label::{Class, Label};
use crate::number::Number;
use crate::scan::Scan;

/// How Chinese mobile numbers are grouped.
const MOBILE: [&[usize]; 4] = [&[11], &[3, 4, 4], &[3, 8], &[7, 4]];

fn has_mobile_shape(digits: &[u8]) -> bool {
    digits.len() == 11 && digits[0] == b'1' && digits[1] >= b'3'
}

/// Whether area code (with its 0) and subscriber number make a landline; `Some(true)` when the
/// area code is assigned.
fn landline(area: &[u8], subscriber: &[u8]) -> Option<bool> {
    let plausible = check::area_code_length(area) == Some(area.len())
        && matches!(subscriber.len(), 7 | 8)
        && !matches!(subscriber[0], b'0' | b'1' | b'9');
    plausible.then(|| check::is_area_code(area))
}

impl Scan<'_> {
    /// Numbers without `+`.
    pub(crate) fn telephone(&mut self, number: &Number) -> bool {
        let labelled = number.labelled(Class::Phone);
        // A number that is another's by its label: a social security number, a passport.
        let claimed = number.label.is_some_and(|label| {
            !matches!(
                label.class,
                Class::Phone | Class::Name | Class::Address | Class::Wechat | Class::Qq | Class::Id
            )
        });
        if claimed || !number.is_free {
            return false;
        }
        self.mobile(number)
            || self.landline_groups(number)
            || self.north_american_groups(number)
            || self.taiwan_mobile(number)
            || labelled && self.labelled_telephone(number)
    }

    fn mobile(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let has_country = matches!(groups.digits(0, 1), b"86" | b"0086");
        let from = usize::from(has_country);
        let mut digits: &[u8] = &[];
        let mut end = 0;
        for pattern in MOBILE {
            if groups.matches(from, pattern) {
                digits = groups.digits(from, from + pattern.len());
                end = groups.end(from + pattern.len() - 1);
            }
        }
        let one = number.one();
        if digits.is_empty() && groups.separator(0) == 0 {
            let labelled = number.labelled(Class::Phone);
            if one.len() == 13 && one.starts_with(b"86") && labelled {
                (digits, end) = (&one[2..], groups.end(0));
            } else if one.len() == 15 && one.starts_with(b"0086") {
                (digits, end) = (&one[4..], groups.end(0));
            }
        }
        if !has_mobile_shape(digits) {
            return false;
        }
        let valid = check::is_mobile_prefix(digits);
        let labelled = number.labelled(Class::Phone);
        if !labelled && (!valid || self.is_glued_after(end)) {
            return false;
        }
        self.push_number(Kind::CnPhone, number.start, end, valid, number.label);
        true
    }

    fn landline_groups(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let area = groups.digits(0, 1);
        for pattern in [&[8][..], &[7], &[4, 4], &[3, 4]] {
            if !self.fits_landline(groups, pattern) {
                continue;
            }
            let subscriber = groups.digits(1, 1 + pattern.len());
            let Some(valid) = landline(area, subscriber) else {
                continue;
            };
            let labelled = number.labelled(Class::Phone);
            let end = self.with_extension(groups.end(pattern.len()));
            if !labelled && (!valid || self.is_glued_after(end)) {
                return false;
            }
            self.push_number(Kind::CnPhone, number.start, end, valid, number.label);
            return true;
        }
        false
    }

    /// The area code may be joined by another separator than the rest, and a hyphen may lead on to
    /// an extension.
    fn fits_landline(&self, groups: &Groups, subscriber: &[usize]) -> bool {
        let to = 1 + subscriber.len();
        to <= groups.count()
            && groups.lengths()[1..to] == *subscriber
            && groups
                .uniform(1, to)
                .is_some_and(|separator| separator != b'.')
            && groups.separator(0) != b'.'
            && matches!(groups.separator(to - 1), 0 | b' ' | b'-')
    }

    /// The end with an extension: `-8001`, `转8001`, ` ext. 12`.
    fn with_extension(&self, end: usize) -> usize {
        let rest = &self.text[end..];
        let marks = ["-", "转", "转分机", " 转", " ext. ", " ext ", " ext.", " x"];
        for mark in marks {
            if let Some(after) = rest.strip_prefix(mark) {
                let digits = after.bytes().take(7).take_while(u8::is_ascii_digit).count();
                let limit = if mark == "-" { 1..=5 } else { 1..=6 };
                let whole = !after
                    .as_bytes()
                    .get(digits)
                    .is_some_and(u8::is_ascii_alphanumeric);
                if limit.contains(&digits) && whole {
                    return end + mark.len() + digits;
                }
            }
        }
        end
    }

    fn north_american_groups(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let labelled = number.labelled(Class::Phone);
        let (from, count) = if groups.matches(0, &[3, 3, 4]) {
            (0, 3)
        } else if groups.matches(0, &[1, 3, 3, 4]) && number.one() == b"1" {
            (1, 4)
        } else if number.is_one(10) && labelled {
            (0, 1)
        } else {
            return false;
        };
        let spaced = groups.uniform(0, count) == Some(b' ');
        let end = groups.end(count - 1);
        if spaced && !labelled
            || !check::north_american(groups.digits(from, count))
            || self.is_glued_after(end)
        {
            return false;
        }
        let end = self.with_extension(end);
        self.push_number(Kind::Phone, number.start, end, true, number.label);
        true
    }

    fn taiwan_mobile(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let count = if groups.matches(0, &[4, 3, 3]) || groups.matches(0, &[4, 6]) {
            groups
                .lengths()
                .iter()
                .take(3)
                .scan(0, |sum, &length| {
                    *sum += length;
                    Some(*sum)
                })
                .position(|sum| sum == 10)
                .map_or(1, |index| index + 1)
        } else if number.is_one(10) && number.labelled(Class::Phone) {
            1
        } else {
            return false;
        };
        let end = groups.end(count - 1);
        if !groups.digits(0, count).starts_with(b"09") || self.is_glued_after(end) {
            return false;
        }
        self.push_number(Kind::Phone, number.start, end, true, number.label);
        true
    }

    /// What is called a telephone number but fits no plan: a landline without hyphen, a local
    /// number, a foreign number without its country.
    fn labelled_telephone(&mut self, number: &Number) -> bool {
        let groups = &number.groups;
        let one = number.one();
        let is_han = number.label.is_some_and(|label| !label.word.is_ascii());
        if matches!(one.len(), 10..=12) && groups.matches(0, &[one.len()]) {
            let area = check::area_code_length(one).map_or(0, |length| length.min(one.len()));
            if area > 0
                && let Some(valid) = landline(&one[..area], &one[area..])
            {
                let end = self.with_extension(groups.end(0));
                self.push_number(Kind::CnPhone, number.start, end, valid, number.label);
                return true;
            }
        }
        for pattern in [&[8][..], &[7], &[4, 4], &[3, 4]] {
            let end = groups.end(pattern.len().min(groups.count()) - 1);
            let fits = groups.matches(0, pattern) && !matches!(one[0], b'0' | b'1');
            if fits && !self.is_glued_after(end) {
                let kind = if is_han { Kind::CnPhone } else { Kind::Phone };
                self.push_number(kind, number.start, end, false, number.label);
                return true;
            }
        }
        let total = groups.digits(0, groups.count()).len();
        let end = groups.end(groups.count() - 1);
        if (9..=14).contains(&total)
            && groups.lengths().iter().all(|&length| length >= 2)
            && !self.is_glued_after(end)
            && one[0] == b'0'
        {
            self.push_number(Kind::Phone, number.start, end, false, number.label);
            return true;
        }
        false
    }

    /// `(010) 12345678`, `（0571）88888888`, `(415) 555-0132`.
    pub(crate) fn bracketed_area(&mut self, start: usize, end: usize) -> bool {
        let width = |c: Option<char>| c.map_or(0, char::len_utf8);
        let open = start - width(self.char_before(start));
        let mut at = end + width(self.char_at(end));
        if matches!(self.byte(at), b' ' | b'-') {
            at += 1;
        }
        if !self.byte(at).is_ascii_digit() {
            return false;
        }
        let area = &self.bytes[start..end];
        let groups = Groups::read(self.bytes, at);
        let label = self.label_before(open);
        if groups.count() == 0
            || label.is_some_and(|label| label.class == Class::Other)
            || label.is_none() && self.is_glued_before(open)
        {
            return false;
        }
        if groups.matches(0, &[3, 4]) && area.len() == 3 && area[0] != b'0' {
            let mut digits = [0; 10];
            digits[..3].copy_from_slice(area);
            digits[3..].copy_from_slice(groups.digits(0, 2));
            let end = groups.end(1);
            if check::north_american(&digits) && !self.is_glued_after(end) {
                let end = self.with_extension(end);
                self.push_number(Kind::Phone, open, end, true, label);
                return true;
            }
        }
        for pattern in [&[8][..], &[7], &[4, 4], &[3, 4]] {
            let count = pattern.len();
            let fits = groups.count() >= count
                && groups.lengths()[..count] == *pattern
                && matches!(groups.separator(count - 1), 0 | b' ' | b'-');
            if fits && landline(area, groups.digits(0, count)) == Some(true) {
                let end = self.with_extension(groups.end(count - 1));
                self.push_number(Kind::CnPhone, open, end, true, label);
                return true;
            }
        }
        false
    }

    /// `+` and a country code; `start` is where the digits begin.
    pub(crate) fn international(&mut self, start: usize) -> bool {
        let plus = start - 1;
        let before = self.char_before(plus);
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, ')' | '+' | '_' | '.')) {
            return false;
        }
        let written = Written::read(self.bytes, start);
        let digits = written.digits();
        let Some((country, least, most)) = check::country_code(digits) else {
            return false;
        };
        let Some((count, end)) = written.longest(least, most) else {
            return false;
        };
        let number = &digits[..count];
        if self.byte(end).is_ascii_alphanumeric() || matches!(self.byte(end), b'_' | b'%') {
            return false;
        }
        let opens = matches!(before, Some('(' | '（')) && written.closed < end;
        let open = if opens {
            plus - before.map_or(0, char::len_utf8)
        } else {
            plus
        };
        let label = self.label_before(open);
        if label.is_some_and(|label| label.class == Class::Other) {
            return false;
        }
        let (kind, valid) = match &number[..country] {
            b"86" => match mainland(&number[country..]) {
                Some(valid) => (Kind::CnPhone, valid),
                None => return false,
            },
            b"1" => (Kind::Phone, check::north_american(&number[1..])),
            _ => (Kind::Phone, true),
        };
        if !valid && label.is_none_or(|label: Label| label.class != Class::Phone) {
            return false;
        }
        self.push_number(kind, open, end, valid, label);
        true
    }
}

/// A number of Mainland China after `+86`: mobile, or landline without its 0.
fn mainland(national: &[u8]) -> Option<bool> {
    if has_mobile_shape(national) {
        return Some(check::is_mobile_prefix(national));
    }
    let mut with_zero = [0; 12];
    if !(9..=11).contains(&national.len()) {
        return None;
    }
    with_zero[0] = b'0';
    with_zero[1..=national.len()].copy_from_slice(national);
    let whole = &with_zero[..=national.len()];
    // Some write the 0 of the area code after +86 as well.
    let whole = if national[0] == b'0' {
        &whole[1..]
    } else {
        whole
    };
    let area = check::area_code_length(whole)?;
    landline(&whole[..area], &whole[area..])
}

/// Digits after `+` as people write them, with the place where each group ends.
struct Written {
    digits: [u8; 16],
    /// Number of digits and end in the text of each group.
    groups: [(usize, usize); 8],
    count: usize,
    /// Where a bracket closed that did not open within the number: `(+86) …`.
    closed: usize,
}

impl Written {
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut written = Self {
            digits: [0; 16],
            groups: [(0, 0); 8],
            count: 0,
            closed: usize::MAX,
        };
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let (mut at, mut total, mut open) = (start, 0, false);
        while written.count < 8 {
            let group = at;
            while byte(at).is_ascii_digit() && total < 16 {
                written.digits[total] = byte(at);
                total += 1;
                at += 1;
            }
            if at == group || byte(at).is_ascii_digit() {
                break;
            }
            written.groups[written.count] = (total, at);
            written.count += 1;
            for close in [")".as_bytes(), "）".as_bytes()] {
                if bytes[at..].starts_with(close) {
                    if !open {
                        written.closed = written.closed.min(at);
                    }
                    open = false;
                    at += close.len();
                }
            }
            if matches!(byte(at), b' ' | b'-' | b'.') {
                at += 1;
            }
            // The 0 that is dialled inside the country only.
            if bytes[at..].starts_with(b"(0)") {
                at += 3;
                if byte(at) == b' ' {
                    at += 1;
                }
            } else if byte(at) == b'(' && !open {
                open = true;
                at += 1;
            }
        }
        written
    }

    fn digits(&self) -> &[u8] {
        let total = self
            .count
            .checked_sub(1)
            .map_or(0, |last| self.groups[last].0);
        &self.digits[..total]
    }

    /// The most groups whose digits are between `least` and `most`.
    fn longest(&self, least: usize, most: usize) -> Option<(usize, usize)> {
        self.groups[..self.count]
            .iter()
            .rev()
            .find(|(digits, _)| (least..=most).contains(digits))
            .copied()
    }
}
