//! WeChat ids.

use crate::kind::Kind;
use crate::label::{Class, Label};
use crate::scan::Scan;

/// Words that follow `WeChat` and are no id.
const WORDS: &[&str] = &[
    "wechat", "weixin", "android", "iphone", "official", "account", "mini", "program", "group",
    "number", "payment", "windows",
];

impl Scan<'_> {
    /// `WeChat`, `weixin` and the like.
    pub(crate) fn chat_word(&mut self, start: usize, end: usize) {
        if !self.byte_before(start).is_ascii_alphanumeric() {
            self.chat_label(end);
        }
    }

    /// `微` or `薇`, of `微信`, `薇信` or `加微`.
    pub(crate) fn chat_character(&mut self, at: usize) {
        let end = at + 3;
        if self.text[end..].starts_with('信') {
            self.chat_label(end + 3);
        } else if self.char_before(at) == Some('加') {
            self.chat_label(end);
        }
    }

    /// What follows a label that ends at `end`, where no colon comes between (that one is read at
    /// the colon).
    fn chat_label(&mut self, end: usize) {
        let Some(label) = self.detector.labels.ending_at(self.text, end) else {
            return;
        };
        if label.class != Class::Wechat {
            return;
        }
        let mut at = end;
        let mut is_said = false;
        for word in ["号码", "号", "號", " id", " ID", "id", "ID"] {
            if self.text[at..].starts_with(word) {
                at += word.len();
                is_said = true;
                break;
            }
        }
        for word in ["就是", "是", "为", "為", " is "] {
            if self.text[at..].starts_with(word) {
                at += word.len();
                is_said = true;
                break;
            }
        }
        if self.byte(at) == b' ' {
            at += 1;
        }
        self.chat_id(label, at, is_said);
    }

    /// An id that begins at `start`: a letter, then 5 to 19 letters, digits, `_`, `-`. Where the
    /// label leaves it open, one of them must not be a letter.
    pub(crate) fn chat_id(&mut self, label: Label, start: usize, is_said: bool) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let rest = &self.bytes[start..];
        let length = rest
            .iter()
            .take(31)
            .take_while(|byte| is_part(byte))
            .count();
        let id = &rest[..length];
        if !(6..=20).contains(&length) || !id[0].is_ascii_alphabetic() {
            return;
        }
        let after = rest.get(length).copied().unwrap_or(0);
        let further = rest.get(length + 1).copied().unwrap_or(0);
        let carries_on = matches!(after, b'@' | b':' | b'/' | b'(')
            || after == b'.' && further.is_ascii_alphanumeric();
        let is_word = WORDS
            .iter()
            .any(|word| id.eq_ignore_ascii_case(word.as_bytes()));
        let only_letters = id.iter().all(u8::is_ascii_alphabetic);
        if carries_on || is_word || only_letters && !is_said {
            return;
        }
        self.push(Kind::Wechat, start, start + length, true, Some(label));
    }

    /// `wxid_` and at least ten letters and digits, which is an id without any label.
    pub(crate) fn generated_id(&mut self, start: usize) {
        let body = &self.bytes[start + 5..];
        let length = body
            .iter()
            .take(24)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let is_whole = !self.byte_before(start).is_ascii_alphanumeric();
        if (10..=20).contains(&length) && is_whole {
            self.push(Kind::Wechat, start, start + 5 + length, true, None);
        }
    }
}
