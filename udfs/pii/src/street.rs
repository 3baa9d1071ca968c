//! English street addresses.

use crate::kind::Kind;
use crate::label::Class;
use crate::scan::Scan;

const STREETS: &[&str] = &[
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "drive",
    "dr",
    "court",
    "ct",
    "way",
    "place",
    "pl",
    "square",
    "sq",
    "terrace",
    "parkway",
    "pkwy",
    "highway",
    "hwy",
    "circle",
    "cir",
    "crescent",
    "close",
    "gardens",
    "row",
    "mews",
];

const UNITS: &[&str] = &[
    "apt",
    "apartment",
    "suite",
    "ste",
    "unit",
    "flat",
    "floor",
    "room",
];

/// Postal abbreviations of the states of the United States and the District of Columbia.
const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS \
MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY";

impl Scan<'_> {
    /// `123 Main Street, Apt 4, Springfield, IL 62704`; the digits `start..end` are the house
    /// number. Without city, state and ZIP code only where labelled.
    pub(crate) fn street(&mut self, start: usize, end: usize) -> bool {
        if !self.byte(end + 1).is_ascii_alphanumeric() || self.byte(end + 1).is_ascii_lowercase() {
            return false;
        }
        let Some(street_end) = self.street_name(end + 1) else {
            return false;
        };
        let unit_end = self.unit(street_end);
        let label = self
            .label_before(start)
            .filter(|label| label.class == Class::Address);
        let (finish, valid) = match self.city_state_zip(unit_end) {
            Some(finish) => (finish, true),
            None if label.is_some() => (unit_end, false),
            None => return false,
        };
        self.push_number(Kind::Address, start, finish, valid, label);
        true
    }

    /// One to four capitalised words or ordinals, the last one a kind of street; returns its end.
    fn street_name(&self, mut at: usize) -> Option<usize> {
        for count in 0..5 {
            let length = self.letters(at, 20);
            let word = &self.text[at..at + length];
            if length == 0 || word.as_bytes()[0].is_ascii_lowercase() {
                return None;
            }
            at += length;
            let is_street = STREETS
                .iter()
                .any(|street| word.eq_ignore_ascii_case(street));
            if self.byte(at) == b'.' {
                at += 1;
            }
            let more = self.byte(at) == b' ' && self.byte(at + 1).is_ascii_uppercase();
            let leads_on = more && {
                let next = self.letters(at + 1, 20);
                let next = &self.text[at + 1..at + 1 + next];
                STREETS
                    .iter()
                    .any(|street| next.eq_ignore_ascii_case(street))
            };
            if is_street && count > 0 && !leads_on {
                return Some(at);
            }
            if self.byte(at) != b' ' {
                return None;
            }
            at += 1;
        }
        None
    }

    fn letters(&self, at: usize, most: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or(&[]);
        rest.iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'\'')
            .count()
    }

    fn separator(&self, at: usize) -> usize {
        let comma = usize::from(self.byte(at) == b',');
        at + comma + usize::from(matches!(self.byte(at + comma), b' ' | b'\n'))
    }

    fn unit(&self, end: usize) -> usize {
        let at = self.separator(end);
        if self.byte(at) == b'#' {
            let length = self.letters(at + 1, 6);
            return if length > 0 { at + 1 + length } else { end };
        }
        let length = self.letters(at, 10);
        let word = &self.text[at..at + length];
        if !UNITS.iter().any(|unit| word.eq_ignore_ascii_case(unit)) {
            return end;
        }
        let mut number = at + length;
        number += usize::from(self.byte(number) == b'.');
        number += usize::from(self.byte(number) == b' ');
        number += usize::from(self.byte(number) == b'#');
        let length = self.letters(number, 6);
        if length > 0 { number + length } else { end }
    }

    /// `, Springfield, IL 62704` after the street.
    fn city_state_zip(&self, end: usize) -> Option<usize> {
        let mut at = self.separator(end);
        if at == end {
            return None;
        }
        for _ in 0..4 {
            let length = self.letters(at, 20);
            let word = &self.text[at..at + length];
            let zip = at + length + 1;
            if length == 2
                && STATES.split(' ').any(|state| state == word)
                && self.byte(zip - 1) == b' '
                && (0..5).all(|index| self.byte(zip + index).is_ascii_digit())
                && !self.byte(zip + 5).is_ascii_alphanumeric()
            {
                let plus_four = self.byte(zip + 5) == b'-'
                    && (6..10).all(|index| self.byte(zip + index).is_ascii_digit())
                    && !self.byte(zip + 10).is_ascii_alphanumeric();
                return Some(if plus_four { zip + 10 } else { zip + 5 });
            }
            if length == 0 || !word.as_bytes()[0].is_ascii_uppercase() {
                return None;
            }
            let next = at + length;
            at = self.separator(next);
            if at == next {
                return None;
            }
        }
        None
    }
}
