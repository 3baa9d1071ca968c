//! Keys and tokens.

use memchr::memmem;

use crate::kind::Kind;
use crate::label::{Class, Label};
use crate::scan::Scan;

/// Letters, digits, `_` and `-`: what most tokens are made of.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A token is never read further than this.
const LONGEST: usize = 4096;

type Prefix = (&'static str, fn(&u8) -> bool, usize, usize);

/// Prefix, the characters that follow, how many at least and at most.
const PREFIXES: &[Prefix] = &[
    ("ghp_", u8::is_ascii_alphanumeric, 36, 36),
    ("gho_", u8::is_ascii_alphanumeric, 36, 36),
    ("ghs_", u8::is_ascii_alphanumeric, 36, 36),
    ("ghu_", u8::is_ascii_alphanumeric, 36, 36),
    ("ghr_", u8::is_ascii_alphanumeric, 36, 76),
    ("github_pat_", |byte| is_token(*byte), 60, 100),
    ("npm_", u8::is_ascii_alphanumeric, 36, 36),
    ("hf_", u8::is_ascii_alphanumeric, 34, 40),
    ("sk_live_", u8::is_ascii_alphanumeric, 16, 120),
    ("sk_test_", u8::is_ascii_alphanumeric, 16, 120),
    ("rk_live_", u8::is_ascii_alphanumeric, 16, 120),
    ("rk_test_", u8::is_ascii_alphanumeric, 16, 120),
    ("whsec_", u8::is_ascii_alphanumeric, 24, 64),
    ("dop_v1_", u8::is_ascii_hexdigit, 64, 64),
    ("shpat_", u8::is_ascii_hexdigit, 32, 32),
    ("sk-", |byte| is_token(*byte), 20, 200),
    ("xoxb-", |byte| is_token(*byte), 20, 120),
    ("xoxp-", |byte| is_token(*byte), 20, 120),
    ("xoxa-", |byte| is_token(*byte), 20, 120),
    ("xoxs-", |byte| is_token(*byte), 20, 120),
    ("glpat-", |byte| is_token(*byte), 20, 40),
    ("pypi-", |byte| is_token(*byte), 60, 300),
    ("AKIA", u8::is_ascii_alphanumeric, 16, 16),
    ("ASIA", u8::is_ascii_alphanumeric, 16, 16),
    ("LTAI", u8::is_ascii_alphanumeric, 12, 26),
    ("AKID", u8::is_ascii_alphanumeric, 28, 36),
    ("AIza", |byte| is_token(*byte), 35, 35),
];

impl Scan<'_> {
    pub(crate) fn underscore(&mut self, at: usize) -> usize {
        self.prefixed(at + 1).unwrap_or(at + 1)
    }

    /// A hyphen: the armour of a key, or a token.
    pub(crate) fn dash(&mut self, at: usize) -> usize {
        if self.bytes[at..].starts_with(b"-----BEGIN ") {
            return self.private_key(at);
        }
        self.prefixed(at + 1).unwrap_or(at + 1)
    }

    /// A prefix that ends in a letter: `AKIA`.
    pub(crate) fn key(&mut self, end: usize) {
        self.prefixed(end);
    }

    /// A token whose prefix ends at `end`; returns where it ends.
    fn prefixed(&mut self, end: usize) -> Option<usize> {
        let head = self.bytes.get(..end)?;
        let &(prefix, is_part, least, most) = PREFIXES
            .iter()
            .find(|(prefix, ..)| head.ends_with(prefix.as_bytes()))?;
        let start = end - prefix.len();
        let length = self.stretch(end, most + 1, is_part);
        let body = &self.bytes[end..end + length];
        if !(least..=most).contains(&length)
            || is_token(self.byte_before(start))
            || is_token(self.byte(end + length)) && self.byte(end + length) != b'-'
            || !is_random(body)
        {
            return None;
        }
        let stop = end + length;
        self.push(Kind::ApiKey, start, stop, true, None);
        Some(stop)
    }

    /// A JSON web token (RFC 7519): three parts, the first two of them JSON objects.
    pub(crate) fn web_token(&mut self, start: usize) {
        if is_token(self.byte_before(start)) {
            return;
        }
        let mut at = start;
        for part in 0..3 {
            let length = self.stretch(at, LONGEST, |byte| is_token(*byte) || *byte == b'=');
            if length < 10 || part == 1 && !self.bytes[at..].starts_with(b"eyJ") {
                return;
            }
            at += length;
            if part < 2 {
                if self.byte(at) != b'.' {
                    return;
                }
                at += 1;
            }
        }
        self.push(Kind::ApiKey, start, at, true, None);
    }

    /// `SG.` and two parts of 22 and 43.
    pub(crate) fn mail_key(&mut self, start: usize) {
        if is_token(self.byte_before(start)) {
            return;
        }
        let first = self.stretch(start + 3, 23, |byte| is_token(*byte));
        let second = self.stretch(start + 26, 44, |byte| is_token(*byte));
        if first != 22 || self.byte(start + 25) != b'.' || second != 43 {
            return;
        }
        let end = start + 26 + 43;
        self.push(Kind::ApiKey, start, end, true, None);
    }

    fn stretch(&self, at: usize, most: usize, is_part: fn(&u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or(&[]);
        let length = rest
            .iter()
            .take(most)
            .take_while(|byte| is_part(byte))
            .count();
        self.count(length);
        length
    }

    /// A bot token: eight to ten digits, a colon, 35 characters.
    pub(crate) fn bot_token(&mut self, colon: usize) -> bool {
        let digits = self.bytes[..colon]
            .iter()
            .rev()
            .take(11)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if !(8..=10).contains(&digits) || is_token(self.byte_before(colon - digits)) {
            return false;
        }
        let length = self.stretch(colon + 1, 36, |byte| is_token(*byte));
        let body = &self.bytes[colon + 1..colon + 1 + length];
        if length != 35 || !is_random(body) {
            return false;
        }
        self.push(Kind::ApiKey, colon - digits, colon + 1 + length, true, None);
        true
    }

    /// What is called a key, a secret or a token: at least 16 characters that are no words.
    pub(crate) fn labelled_secret(&mut self, label: Label, value: usize) {
        let mut start = value;
        for word in ["Bearer ", "bearer ", "Token ", "token "] {
            if self.text[start..].starts_with(word) {
                start += word.len();
            }
        }
        let is_part = |byte: &u8| is_token(*byte) || matches!(byte, b'+' | b'/' | b'=' | b'.');
        let length = self.stretch(start, 257, is_part);
        let value = self.text[start..start + length].trim_end_matches(['.', '-']);
        let body = value.as_bytes();
        let has = |test: fn(&u8) -> bool| body.iter().any(test);
        let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        if (16..=256).contains(&body.len()) && mixed && is_random(body) && !value.contains("://") {
            let end = start + body.len();
            self.push(Kind::ApiKey, start, end, false, Some(label));
        }
    }

    /// `-----BEGIN … PRIVATE KEY-----` to its end; returns where to read on.
    fn private_key(&mut self, start: usize) -> usize {
        let title = start + "-----BEGIN ".len();
        let length = self.stretch(title, 64, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' '
        });
        let name = &self.text[title..title + length];
        let armour = title + length;
        let is_key = name.ends_with("PRIVATE KEY") || name.ends_with("PRIVATE KEY BLOCK");
        if !is_key || !self.bytes[armour..].starts_with(b"-----") {
            return title;
        }
        let body = armour + 5;
        let footer = format!("-----END {name}-----");
        if self.key_footer < body {
            // Looked for once for all the headers before it.
            let next = memmem::find(&self.bytes[body..], b"-----END ");
            self.count(next.unwrap_or(self.bytes.len() - body));
            self.key_footer = next.map_or(usize::MAX, |offset| body + offset);
        }
        let found = self
            .bytes
            .get(self.key_footer..)
            .is_some_and(|rest| rest.starts_with(footer.as_bytes()))
            .then(|| self.key_footer - body);
        let (end, valid) = match found {
            Some(offset) => {
                let inside = &self.bytes[body..body + offset];
                // Another header before the footer: the footer is that one's.
                let other = memmem::find(inside, b"-----BEGIN ");
                self.count(other.unwrap_or(inside.len()));
                let is_own = other.is_none();
                let symbols = || {
                    inside
                        .iter()
                        .filter(|byte| byte.is_ascii_alphanumeric())
                        .count()
                };
                (body + offset + footer.len(), is_own && symbols() >= 32)
            }
            None => {
                let is_base64 = |byte: &u8| {
                    byte.is_ascii_alphanumeric()
                        || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b' ' | b'\\')
                };
                let length = self.stretch(body, LONGEST * 4, is_base64);
                let inside = self.text[body..body + length].trim_end();
                if inside.len() < 32 {
                    return body;
                }
                (body + inside.len(), false)
            }
        };
        if !valid && found.is_some() {
            return body;
        }
        self.push(Kind::PrivateKey, start, end, valid, None);
        end
    }

    /// A colon or equals sign: what stands before it may label what stands after it.
    pub(crate) fn after_colon(&mut self, at: usize, end: usize) {
        let before = self.byte_before(at);
        if self.bytes[at] == b':' {
            if before.is_ascii_hexdigit() {
                self.ipv6(at);
            }
            if before.is_ascii_digit() && self.bot_token(at) {
                return;
            }
        }
        if before.is_ascii_digit() || before == 0 || before == b'/' {
            return;
        }
        let Some(label) = self.label_before(at) else {
            return;
        };
        let mut value = end;
        for _ in 0..3 {
            match self.char_at(value) {
                Some(c @ (' ' | '\t' | '"' | '\'' | '“' | '*' | '`' | '\u{3000}' | '=' | '>')) => {
                    value += c.len_utf8();
                }
                _ => break,
            }
        }
        match label.class {
            Class::Name => self.name(label, value),
            Class::Secret => self.labelled_secret(label, value),
            Class::Wechat => self.chat_id(label, value, true),
            _ => {}
        }
    }
}

/// Whether the characters look drawn at random: enough distinct ones, no long run of one, not a
/// placeholder.
fn is_random(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    let (mut distinct, mut run, mut longest) = (0, 0, 0);
    let mut previous = 0;
    for &byte in body {
        distinct += usize::from(!std::mem::replace(&mut seen[usize::from(byte)], true));
        run = if byte == previous { run + 1 } else { 1 };
        longest = longest.max(run);
        previous = byte;
    }
    distinct >= 8.min(body.len() / 2) && longest < 6
}
