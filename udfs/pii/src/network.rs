//! E-mail and network addresses.

use std::net::Ipv6Addr;

use crate::kind::Kind;
use crate::label::Class;
use crate::scan::Scan;

/// Octets of the local part (RFC 5321, 4.5.3.1.1) and of the domain (4.5.3.1.2).
const LOCAL: usize = 64;
const DOMAIN: usize = 253;

/// Top-level domains in other scripts that are common enough to tell where a domain ends.
const INTERNATIONAL: &[&str] = &[
    "中国",
    "中國",
    "公司",
    "网络",
    "網絡",
    "香港",
    "台湾",
    "台灣",
    "在线",
    "中文网",
    "商城",
    "集团",
    "手机",
    "政务",
    "公益",
    "网址",
    "游戏",
    "рф",
    "한국",
    "みんな",
    "бел",
    "укр",
    "ελ",
    "भारत",
];

/// Endings of file names that look like a domain after `name@2x`.
const FILES: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "htm", "php", "py",
    "txt", "pdf", "zip", "md", "xml", "ico", "bmp", "mp4", "mp3",
];

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'_'
                | b'%'
                | b'+'
                | b'-'
                | b'\''
                | b'!'
                | b'#'
                | b'$'
                | b'&'
                | b'*'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

impl Scan<'_> {
    /// An e-mail address around the `@` at `at`; returns where to read on.
    pub(crate) fn email(&mut self, at: usize) -> usize {
        let Some(start) = self.local_part(at) else {
            return at + 1;
        };
        self.count(at - start + DOMAIN);
        let Some((end, valid)) = self.domain(at + 1) else {
            return at + 1;
        };
        let local = &self.text[start..at];
        // `git@host:path` names a repository, `//user@host` and `//user:word@host` a login.
        let before = &self.text[..start];
        let is_login = before.ends_with("//")
            || before.ends_with(':')
                && before[..before.len() - 1]
                    .bytes()
                    .rev()
                    .take(LOCAL)
                    .find(|byte| {
                        !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'-')
                    })
                    == Some(b'/');
        if is_login || local == "git" && self.byte(end) == b':' {
            return end;
        }
        let label = self
            .label_before(start)
            .filter(|label| label.class == Class::Address || label.class == Class::Name);
        self.push(Kind::Email, start, end, valid, label);
        end
    }

    /// Where the local part before the `@` begins.
    fn local_part(&self, at: usize) -> Option<usize> {
        let floor = at.saturating_sub(LOCAL);
        let mut start = at;
        while start > floor && is_local(self.bytes[start - 1]) {
            start -= 1;
        }
        if start == floor && start > 0 && is_local(self.bytes[start - 1]) {
            return None;
        }
        // What leads in is punctuation, not name: `(mail=foo@`, `/foo@`, `'foo@`.
        if let Some(cut) = self.bytes[start..at].iter().rposition(|byte| {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
        }) {
            start += cut + 1;
        }
        while start < at && matches!(self.bytes[start], b'.' | b'+' | b'-' | b'%') {
            start += 1;
        }
        let local = &self.bytes[start..at];
        let last = *local.last()?;
        let sound = last != b'.' && !local.windows(2).any(|pair| pair == b"..");
        sound.then_some(start)
    }

    /// Where the domain that begins at `start` ends, and whether its structure holds.
    fn domain(&self, start: usize) -> Option<(usize, bool)> {
        let mut end = None;
        let mut at = start;
        let mut labels = 0;
        loop {
            let label_end = at
                + self.bytes[at..]
                    .iter()
                    .take(64)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
                    .count();
            let label = &self.bytes[at..label_end];
            if label.is_empty() || label.len() > 63 || label[0] == b'-' {
                break;
            }
            // A hyphen after the last label belongs to the sentence.
            let trimmed = label.len() - label.iter().rev().take_while(|b| **b == b'-').count();
            labels += 1;
            if labels >= 2 && is_top_level(&label[..trimmed]) {
                end = Some(at + trimmed);
            }
            if trimmed < label.len() || self.byte(label_end) != b'.' || label_end - start > DOMAIN {
                break;
            }
            at = label_end + 1;
        }
        match end {
            Some(end) => {
                let top = self.text[start..end].rsplit('.').next().unwrap_or("");
                let is_file = FILES.iter().any(|file| top.eq_ignore_ascii_case(file));
                (!is_file).then_some((end, end - start <= DOMAIN))
            }
            None => self.international_domain(start),
        }
    }

    /// A domain with labels beyond ASCII (RFC 5890): letters, digits and hyphens up to a known
    /// top-level domain.
    fn international_domain(&self, start: usize) -> Option<(usize, bool)> {
        let mut end = None;
        let mut dots = 0;
        let mut label_start = start;
        let mut is_plain = true;
        for (offset, c) in self.text[start..].char_indices().take(DOMAIN / 3) {
            let at = start + offset;
            if c == '.' {
                if at == label_start {
                    break;
                }
                dots += 1;
                label_start = at + 1;
                let rest = &self.text[label_start..];
                let top = INTERNATIONAL.iter().find(|top| rest.starts_with(**top));
                if let Some(top) = top {
                    end = Some(label_start + top.len());
                } else {
                    let letters = rest
                        .bytes()
                        .take(25)
                        .take_while(u8::is_ascii_alphabetic)
                        .count();
                    if (2..=24).contains(&letters) && !is_plain {
                        end = Some(label_start + letters);
                    }
                }
            } else if c.is_alphanumeric() || c == '-' {
                is_plain &= c.is_ascii();
            } else {
                break;
            }
        }
        let end = end?;
        // One label before the top-level domain must not be a whole sentence.
        let longest = self.text[start..end]
            .split('.')
            .map(|label| label.chars().count())
            .max();
        (dots > 0 && longest.is_some_and(|longest| longest <= 20)).then_some((end, true))
    }

    /// An IPv4 address in dotted decimals that begins at `start`.
    pub(crate) fn ipv4(&mut self, start: usize) -> bool {
        let mut octets = [0u16; 4];
        let mut at = start;
        for (index, octet) in octets.iter_mut().enumerate() {
            let from = at;
            while at - from < 4 && self.byte(at).is_ascii_digit() {
                *octet = *octet * 10 + u16::from(self.bytes[at] - b'0');
                at += 1;
            }
            let leading_zero = at - from > 1 && self.bytes[from] == b'0';
            if at == from || *octet > 255 || leading_zero {
                return false;
            }
            if index < 3 {
                if self.byte(at) != b'.' {
                    return false;
                }
                at += 1;
            }
        }
        let before = self.byte_before(start);
        let carries_on = self.byte(at).is_ascii_alphanumeric()
            || matches!(self.byte(at), b'.' | b'_' | b'-') && self.byte(at + 1).is_ascii_digit()
            || self.byte(at) == b'/' && self.byte(at + 1).is_ascii_digit();
        if carries_on || before.is_ascii_alphanumeric() || matches!(before, b'.' | b'_' | b'-') {
            // A number that is no address is not four numbers either.
            return false;
        }
        let label = self.label_before(start);
        let labelled = label.is_some_and(|label| label.class == Class::Ip);
        let is_other = label.is_some_and(|label| label.class == Class::Other)
            || matches!(self.char_at(at), Some('节' | '章' | '版' | '条' | '節'))
            || self.text[at..].starts_with(" 版")
            || self.char_before(start) == Some('第');
        // A section number has small parts; 0, 127 and from 224 on is no host of anybody's.
        let is_small = octets.iter().all(|&octet| octet < 10);
        if is_other || is_small && !labelled || matches!(octets[0], 0 | 127 | 224..) {
            return false;
        }
        self.push_number(Kind::Ipv4, start, at, true, label);
        true
    }

    /// An IPv6 address around the colon at `colon`.
    pub(crate) fn ipv6(&mut self, colon: usize) {
        let part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
        if colon < self.hextets_end || !part(self.byte(colon + 1)) {
            return;
        }
        let mut start = colon;
        while start > self.hextets_end && self.bytes[start - 1].is_ascii_hexdigit() {
            start -= 1;
        }
        let mut end = colon;
        while part(self.byte(end)) {
            end += 1;
        }
        self.hextets_end = end;
        self.count(end - start);
        if start == colon || end - start > 39 || end - start < 6 {
            return;
        }
        // A colon at the end belongs to the sentence, two to the address.
        let text = &self.text[start..end];
        let text = match text.strip_suffix(':') {
            Some(shorter) if !shorter.ends_with(':') => shorter,
            _ => text,
        };
        let end = start + text.len();
        let before = self.byte_before(start);
        if before.is_ascii_alphanumeric()
            || matches!(before, b'_' | b'.' | b'-')
            || self.byte(end).is_ascii_alphanumeric()
            || self.byte(end) == b'_'
        {
            return;
        }
        let Ok(address) = text.parse::<Ipv6Addr>() else {
            return;
        };
        // Global, unique local and link-local; others are no host's, or hexadecimal of another sort.
        let first = address.segments()[0];
        if matches!(first, 0x2000..=0x3FFF | 0xFC00..=0xFDFF | 0xFE80..=0xFEBF) {
            let label = self
                .label_before(start)
                .filter(|label| label.class == Class::Ip);
            self.push_number(Kind::Ipv6, start, end, true, label);
        }
    }
}

fn is_top_level(label: &[u8]) -> bool {
    let letters = label.iter().all(u8::is_ascii_alphabetic) && (2..=24).contains(&label.len());
    letters || label.len() > 4 && label[..4].eq_ignore_ascii_case(b"xn--")
}
